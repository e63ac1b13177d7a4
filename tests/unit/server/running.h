/*
 * running.h - a server in a process of its own, and a client of raw bytes, for tests.
 */
#ifndef LST_TESTS_RUNNING_H
#define LST_TESTS_RUNNING_H

#include "base/clock.h"
#include "server/server.h"

#include "tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define ACCESS_KEY  "AKIATEST"
#define SECRET_KEY  "a-secret-for-tests"
#define ANSWER_MAX  (256 * 1024)
#define ANSWER_WAIT 5 /* seconds of silence */

struct running {
    pid_t process;
    unsigned port;
    char host[32]; /* "127.0.0.1:41234" */
    char folder[64];
    char data[80];
    char log[80];
    char greeting[8192];
};

struct answer {
    char bytes[ANSWER_MAX + 1]; /* ends in NUL */
    size_t length;
    bool was_closed; /* in order, by the server */
    int error;       /* errno, if it ended so */
};

static inline void running_set(struct lst_config *config, const char *name, const char *value)
{
    struct lst_buffer message;
    size_t count;
    const struct lst_setting *settings = lst_settings(&count);

    lst_buffer_init(&message, 1024);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(settings[i].name, name) == 0) {
            (void)!lst_config_set(config, &settings[i], value, LST_CONFIG_FLAG, &message);
        }
    }
    lst_buffer_release(&message);
}

/* settings: pairs of name and value, ended by NULL. Never returns. */
static inline void running_child(const struct running *running, const char *const *settings)
{
    struct lst_config config;

    if (lst_config_init(&config) != LST_OK) {
        _exit(9);
    }
    running_set(&config, "data", running->data);
    running_set(&config, "listen", "127.0.0.1:0");
    running_set(&config, "access-log", running->log);
    running_set(&config, "buckets", "photos");
    running_set(&config, "access-key", ACCESS_KEY);
    running_set(&config, "secret-key", SECRET_KEY);
    for (; settings[0] != NULL; settings += 2) {
        running_set(&config, settings[0], settings[1]);
    }
    exit(lst_server_run(&config));
}

/* Read the greeting until the port is known. */
static inline bool running_greeted(struct running *running, int output)
{
    size_t length = 0;
    const char *found = NULL;

    while (found == NULL || strstr(found, "\n\n  Put") == NULL) {
        ssize_t got =
            read(output, running->greeting + length, sizeof(running->greeting) - 1 - length);

        if (got <= 0) {
            return false;
        }
        length += (size_t)got;
        running->greeting[length] = '\0';
        found = strstr(running->greeting, "Listening   127.0.0.1:");
    }
    running->port = (unsigned)strtoul(found + strlen("Listening   127.0.0.1:"), NULL, 10);
    (void)snprintf(running->host, sizeof(running->host), "127.0.0.1:%u", running->port);
    return running->port > 0;
}

static inline bool running_start(struct running *running, const char *const *settings)
{
    struct termios as_written; /* a terminal is shown URLs to try; '\n' stays what it is */
    int output[2];
    bool greeted;

    memset(running, 0, sizeof(*running));
    memset(&as_written, 0, sizeof(as_written));
    (void)strcpy(running->folder, "/tmp/latchstring-serving-XXXXXX");
    cfmakeraw(&as_written);
    if (mkdtemp(running->folder) == NULL ||
        openpty(&output[0], &output[1], NULL, &as_written, NULL) != 0) {
        return false;
    }
    (void)snprintf(running->data, sizeof(running->data), "%s/data", running->folder);
    (void)snprintf(running->log, sizeof(running->log), "%s/log", running->folder);
    running->process = fork();
    if (running->process == 0) {
        (void)dup2(output[1], STDOUT_FILENO);
        close(output[0]);
        close(output[1]);
        running_child(running, settings);
    }
    close(output[1]);
    greeted = running_greeted(running, output[0]);
    close(output[0]);
    return CHECK(greeted, "the server starts and says where it listens");
}

static inline int running_remove_one(const char *path, const struct stat *information, int kind,
                                     struct FTW *position)
{
    (void)information;
    (void)kind;
    (void)position;
    return remove(path);
}

/* Ask it to end, and give its exit status; then remove its folder. */
static inline int running_stop(struct running *running)
{
    int status = -1;

    (void)kill(running->process, SIGTERM);
    (void)waitpid(running->process, &status, 0);
    (void)nftw(running->folder, running_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

static inline int client_connect(const struct running *running)
{
    struct timeval wait = {.tv_sec = ANSWER_WAIT};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)running->port)};
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    (void)setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    if (connect(client, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        close(client);
        return -1;
    }
    return client;
}

static inline bool client_send(int client, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(client, bytes, length, MSG_NOSIGNAL);

        if (sent <= 0) {
            return false;
        }
        bytes += sent;
        length -= (size_t)sent;
    }
    return true;
}

/* True when an answer with a body of its Content-Length is complete. */
static inline bool client_is_complete(const struct answer *answer)
{
    const char *end = strstr(answer->bytes, "\r\n\r\n");
    const char *length = strcasestr(answer->bytes, "\r\nContent-Length: ");

    if (end == NULL || length == NULL || length > end) {
        return end != NULL && strncmp(answer->bytes, "HTTP/1.1 204", 12) == 0;
    }
    return answer->length >= (size_t)(end + 4 - answer->bytes) + strtoul(length + 18, NULL, 10);
}

/* Read one answer, or until the server closes if until_close. */
static inline void client_receive(int client, bool until_close, struct answer *answer)
{
    memset(answer, 0, sizeof(*answer));
    while (answer->length < ANSWER_MAX) {
        ssize_t got = recv(client, answer->bytes + answer->length, ANSWER_MAX - answer->length, 0);

        if (got <= 0) {
            answer->was_closed = got == 0;
            answer->error = got < 0 ? errno : 0;
            return;
        }
        answer->length += (size_t)got;
        answer->bytes[answer->length] = '\0';
        if (!until_close && client_is_complete(answer)) {
            return;
        }
    }
}

/* Presign for now, ten minutes. */
static inline void client_presign(const struct running *running, const char *method,
                                  const char *key_name, char target[2048])
{
    struct lst_signing signing = {.method = lst_slice_of(method),
                                  .host = lst_slice_of(running->host),
                                  .bucket = LST_SLICE("photos"),
                                  .key = lst_slice_of(key_name),
                                  .access_key_id = LST_SLICE(ACCESS_KEY),
                                  .time = lst_clock_now_ms() / 1000,
                                  .expires = 600};
    struct lst_key key;
    char url[2048];
    size_t length = 0;

    if (lst_key_init(&key, LST_SLICE(SECRET_KEY), signing.time, LST_SLICE("us-east-1"),
                     LST_SLICE("s3")) != LST_OK ||
        lst_presign(&signing, &key, url, sizeof(url) - 1, &length) != LST_OK) {
        CHECK(false, "a URL can be signed");
    }
    url[length] = '\0';
    (void)snprintf(target, 2048, "%s", length == 0 ? "/" : strchr(url + 8, '/'));
}

/* Send one request on a new connection, and read the answer. headers: whole lines; of a HEAD,
 * whose answer's end can't be seen, they say Connection: close. */
static inline void client_ask(const struct running *running, const char *method, const char *target,
                              const char *headers, const char *body, size_t body_length,
                              struct answer *answer)
{
    static char head[96 * 1024];
    int client = client_connect(running);
    int length = snprintf(head, sizeof(head), "%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", method,
                          target, running->host, headers);

    memset(answer, 0, sizeof(*answer));
    if (client < 0) {
        answer->error = ECONNREFUSED;
        return;
    }
    if (client_send(client, head, (size_t)length)) {
        (void)client_send(client, body, body_length);
    }
    client_receive(client, strcmp(method, "HEAD") == 0, answer);
    close(client);
}

/* True if it has that status and this text somewhere (NULL: anything). */
static inline bool answer_is(const struct answer *answer, int status, const char *part)
{
    char line[32];

    (void)snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
    return strncmp(answer->bytes, line, strlen(line)) == 0 &&
           (part == NULL || strstr(answer->bytes, part) != NULL);
}

#endif
