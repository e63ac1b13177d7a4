/*
 * whole_server.h - a whole server in the process of a fuzzer, and a client's view of its answers.
 *
 * In what is sent "@P", "@G", "@H" and "@D" stand for the targets of presigned URLs (PUT, GET,
 * HEAD, DELETE of one object), and "@N" for the server's name and port, so that what is behind the
 * signature is reached.
 */
#ifndef LST_TESTS_FUZZ_WHOLE_SERVER_H
#define LST_TESTS_FUZZ_WHOLE_SERVER_H

#include "base/clock.h"
#include "server/listen.h"
#include "server/startup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCESS_KEY "AKIATEST"
#define SECRET_KEY "a-secret-for-tests"
#define SENT_MAX   (64 * 1024)
#define TARGET_MAX 2048
#define PATIENCE   20 /* seconds */

static struct lst_server server;
static struct lst_config config;
static char folder[] = "/tmp/latchstring-fuzz-XXXXXX";
static char targets[4][TARGET_MAX];
static const char *const methods[4] = {"PUT", "GET", "HEAD", "DELETE"};
static char sent[SENT_MAX];
static char received[1024 * 1024 + 1];

static void require(bool condition, const char *what)
{
    if (!condition) {
        (void)fprintf(stderr, "%s\n%s\n", what, received);
        abort();
    }
}

/* ---- The server */

static void make_folder(void)
{
    require(mkdtemp(folder) != NULL, "there is room for files");
}

static void set(const char *name, const char *value)
{
    struct lst_buffer message;
    size_t count;
    const struct lst_setting *settings = lst_settings(&count);

    lst_buffer_init(&message, 1024);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(settings[i].name, name) == 0) {
            require(lst_config_set(&config, &settings[i], value, LST_CONFIG_FLAG, &message) ==
                        LST_OK,
                    name);
        }
    }
    lst_buffer_release(&message);
}

static void presign(size_t which)
{
    struct lst_signing signing = {.method = lst_slice_of(methods[which]),
                                  .host = lst_slice_of(server.address),
                                  .bucket = LST_SLICE("photos"),
                                  .key = LST_SLICE("cat"),
                                  .access_key_id = LST_SLICE(ACCESS_KEY),
                                  .time = lst_clock_now_ms() / 1000,
                                  .expires = 604800};
    struct lst_key key;
    char url[TARGET_MAX];
    size_t length = 0;

    require(lst_key_init(&key, LST_SLICE(SECRET_KEY), signing.time, LST_SLICE("us-east-1"),
                         LST_SLICE("s3")) == LST_OK &&
                lst_presign(&signing, &key, url, sizeof(url) - 1, &length) == LST_OK,
            "a URL can be signed");
    url[length] = '\0';
    (void)snprintf(targets[which], TARGET_MAX, "%s", strchr(url + 8, '/'));
}

static int remove_one(const char *path, const struct stat *information, int kind,
                      struct FTW *position)
{
    (void)information;
    (void)kind;
    (void)position;
    return remove(path);
}

static void stop(void)
{
    sigset_t none;

    sigemptyset(&none);
    lst_listen_stop(&server, &none);
    lst_server_close(&server);
    lst_config_release(&config);
    (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* settings: pairs of a name and a value, then NULL. */
static void start(const char *const *settings)
{
    char data[64];
    bool root_is_new;

    (void)signal(SIGPIPE, SIG_IGN);
    require(lst_config_init(&config) == LST_OK, "it can begin");
    (void)snprintf(data, sizeof(data), "%s/data", folder);
    set("data", data);
    set("listen", "127.0.0.1:0");
    set("access-log", "off");
    set("buckets", "photos");
    set("threads", "1");
    set("anonymous-rate", "1000000");
    set("access-key", ACCESS_KEY);
    set("secret-key", SECRET_KEY);
    for (size_t i = 0; settings[i] != NULL; i += 2) {
        set(settings[i], settings[i + 1]);
    }
    require(lst_server_open(&server, &config) && lst_startup_root(&server, &root_is_new) &&
                lst_startup_buckets(&server) && lst_listen_start(&server),
            "the server starts");
    for (size_t i = 0; i < 4; i++) {
        presign(i);
    }
    (void)atexit(stop);
}

/* ---- A client */

/* From another address each time: else the ports of one would be used up. */
static int connect_to_server(void)
{
    static uint32_t number;
    struct timeval patience = {.tv_sec = PATIENCE};
    struct sockaddr_in own = {.sin_family = AF_INET};
    struct sockaddr_in address = {.sin_family = AF_INET};
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    uint16_t port = (uint16_t)strtoul(strrchr(server.address, ':') + 1, NULL, 10);

    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number++ % 60000);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    (void)setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    (void)setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    require(bind(client, (const struct sockaddr *)&own, sizeof(own)) == 0 &&
                connect(client, (const struct sockaddr *)&address, sizeof(address)) == 0,
            "it takes connections");
    return client;
}

/* "@P" and the like, written out. */
static size_t expand(const uint8_t *bytes, size_t size)
{
    size_t length = 0;

    for (size_t i = 0; i < size && length + TARGET_MAX < SENT_MAX; i++) {
        const char *text = NULL;

        for (size_t which = 0; bytes[i] == '@' && i + 1 < size && which < 4; which++) {
            text = bytes[i + 1] == methods[which][0] ? targets[which] : text;
        }
        if (bytes[i] == '@' && i + 1 < size && bytes[i + 1] == 'N') {
            text = server.address;
        }
        if (text == NULL) {
            sent[length++] = (char)bytes[i];
        } else {
            length += (size_t)snprintf(sent + length, TARGET_MAX, "%s", text);
            i++;
        }
    }
    return length;
}

/* ---- What it answers */

/* The value of a header of the head, or NULL. */
static const char *find(const char *head, const char *end, const char *name)
{
    size_t length = strlen(name);

    for (const char *line = strstr(head, "\r\n"); line != NULL && line < end;
         line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, length) == 0 && line[2 + length] == ':') {
            return line + 2 + length + 1;
        }
    }
    return NULL;
}

/* Behind one answer. Of one with a length it can't be said whether it was to HEAD. */
static const char *check_answer(const char *at, const char *last)
{
    const char *end = strstr(at, "\r\n\r\n");
    const char *length;
    unsigned long status;

    require(strncmp(at, "HTTP/1.1 ", 9) == 0 && end != NULL, "an answer begins and has a head");
    status = strtoul(at + 9, NULL, 10);
    require(status >= 100 && status < 600 && status != 500, "its status is one of HTTP");
    require(status < 200 || find(at, end, "Date") != NULL, "it has a date");
    length = find(at, end, "Content-Length");
    end += 4;
    if (status < 200 || status == 204 || status == 304 || length == NULL) {
        return end;
    }
    if ((size_t)(last - end) >= strtoul(length, NULL, 10)) {
        const char *behind = end + strtoul(length, NULL, 10);

        if (behind == last || strncmp(behind, "HTTP/1.1 ", 9) == 0) {
            return behind;
        }
    }
    require(end == last || strncmp(end, "HTTP/1.1 ", 9) == 0, "a whole body, or none for HEAD");
    return end;
}

/* Each answer among so many bytes that were received. */
static void check_answers(size_t length)
{
    for (const char *at = received; at < received + length;) {
        at = check_answer(at, received + length);
    }
}

#endif
