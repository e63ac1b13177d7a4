/* log_test.c - the access log: what a line says, and what can't be smuggled into it. */
#include "server/log.h"

#include "tap.h"

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct lst_log_line line = {
    .time_ms = 1700000000123,
    .peer = {"192.0.2.7", 9},
    .user = "alice",
    .access_key_id = "LSTKEY",
    .signed_by = "query",
    .operation = "PutObject",
    .bucket = {"photos", 6},
    .key = {"a b/\xc3\xa4.jpg", 10},
    .status = 403,
    .error = "AccessDenied",
    .reason = "the policy says \"no\"",
    .bytes_in = 7,
    .bytes_out = 312,
    .duration_us = 1234,
    .id = {"0123456789ABCDEF", 16},
};

static void test_text(void)
{
    struct lst_log_line evil = line;
    struct lst_buffer out;

    lst_buffer_init(&out, 65536);
    lst_log_format_text(&out, &line);
    CHECK_TEXT(out.bytes, out.length,
               "2023-11-14T22:13:20.123Z 0123456789ABCDEF 192.0.2.7 alice LSTKEY query PutObject "
               "photos/a\\x20b/\xc3\xa4.jpg 403 AccessDenied 7 312 1.234 \"the policy says "
               "\\x22no\\x22\"\n",
               "a line as text");
    lst_buffer_clear(&out);
    evil.key = LST_SLICE("x\n2023 forged \x1b[31m\"\\\x7f\xc2\x9b"
                         "31m\xc2\x85\xc2\xa0");
    evil.access_key_id = "";
    evil.user = "a b";
    lst_log_format_text(&out, &evil);
    CHECK(out.length > 0 && memchr(out.bytes, '\n', out.length) == out.bytes + out.length - 1,
          "a key with a newline does not begin a line");
    CHECK(memchr(out.bytes, '\x1b', out.length) == NULL, "nor does it reach the terminal");
    CHECK(memmem(out.bytes, out.length, "\\xc2\\x9b31m\\xc2\\x85\xc2\xa0 ", 22) != NULL,
          "nor do the controls that have two bytes; what is none of them stays");
    CHECK(memmem(out.bytes, out.length, " a\\x20b - query ", 16) != NULL,
          "columns stay columns, and an empty one is '-'");
    lst_buffer_release(&out);
}

static const char *json_member(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text == NULL ? "" : text;
}

static void test_json(void)
{
    struct lst_log_line evil = line;
    struct lst_buffer out;
    json_t *object;

    lst_buffer_init(&out, 65536);
    lst_log_format_json(&out, &line);
    object = json_loadb(out.bytes, out.length, 0, NULL);
    CHECK(object != NULL, "a line is JSON");
    CHECK(strcmp(json_member(object, "key"), "a b/\xc3\xa4.jpg") == 0, "the key is as it is");
    CHECK(strcmp(json_member(object, "reason"), "the policy says \"no\"") == 0, "so is the reason");
    CHECK(json_integer_value(json_object_get(object, "status")) == 403, "the status is a number");
    CHECK(json_real_value(json_object_get(object, "milliseconds")) > 1.2339, "so is the time");
    json_decref(object);
    lst_buffer_clear(&out);
    evil.key = LST_SLICE("\",\"user\":\"root\"\n\\\xc2\x9b\xc2\xa0");
    evil.bucket = LST_SLICE("\xff\xfe");
    lst_log_format_json(&out, &evil);
    object = json_loadb(out.bytes, out.length, JSON_REJECT_DUPLICATES, NULL);
    CHECK(object != NULL && strcmp(json_member(object, "user"), "alice") == 0 &&
              strcmp(json_member(object, "key"), "\",\"user\":\"root\"\n\\\xc2\x9b\xc2\xa0") == 0,
          "a key can't add a member");
    CHECK(memmem(out.bytes, out.length, "\xc2\x9b", 2) == NULL &&
              memmem(out.bytes, out.length, "\\u009b\xc2\xa0", 8) != NULL,
          "nor does a control of two bytes reach the terminal");
    CHECK(strcmp(json_member(object, "bucket"), "\xef\xbf\xbd\xef\xbf\xbd") == 0,
          "what is not UTF-8 is replaced");
    json_decref(object);
    lst_buffer_release(&out);
}

static off_t size_of(const char *path)
{
    struct stat information;

    return stat(path, &information) == 0 ? information.st_size : -1;
}

static void test_file(void)
{
    char folder[] = "/tmp/latchstring-log-XXXXXX";
    char path[64];
    char moved[64];
    struct lst_log_options options = {.path = path};
    struct lst_log *log;
    off_t one_line;

    if (mkdtemp(folder) == NULL) {
        CHECK(false, "the test can be set up");
        return;
    }
    (void)snprintf(path, sizeof(path), "%s/log", folder);
    (void)snprintf(moved, sizeof(moved), "%s/log.1", folder);
    if (!CHECK(lst_log_open(&options, &log) == LST_OK, "the log opens")) {
        return;
    }
    lst_log_write(log, &line);
    for (int i = 0; i < 600 && size_of(path) <= 0; i++) {
        usleep(50000);
    }
    one_line = size_of(path);
    CHECK(one_line > 100, "a line is in the file after a while, though no other follows");
    (void)rename(path, moved);
    lst_log_write(log, &line);
    CHECK(lst_log_reopen(log) == LST_OK, "the log reopens after it was moved");
    for (int i = 0; i < 5000; i++) {
        lst_log_write(log, &line);
    }
    lst_log_close(log);
    CHECK(size_of(path) + size_of(moved) == one_line * 5002, "every line is in one of the two");
    CHECK(size_of(path) >= one_line * 5000, "and what came after is in the new one");
    (void)unlink(path);
    (void)unlink(moved);
    (void)rmdir(folder);
    options.path = "/nonexistent/log";
    CHECK(lst_log_open(&options, &log) == LST_ERR_NOT_FOUND, "a bad path is refused");
    options.path = "off";
    CHECK(lst_log_open(&options, &log) == LST_OK, "the log can be off");
    lst_log_write(log, &line);
    lst_log_close(log);
}

/* A pipe that nobody reads: the disk that is stuck. */
static void test_stuck(void)
{
    char path[] = "/tmp/latchstring-fifo-XXXXXX";
    struct lst_log_options options = {.path = path};
    char drain[65536];
    struct lst_log *log;
    int reader;

    if (mkdtemp(path) == NULL || rmdir(path) != 0 || mkfifo(path, 0600) != 0) {
        CHECK(false, "the test can be set up");
        return;
    }
    reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (CHECK(lst_log_open(&options, &log) == LST_OK, "the log opens on a pipe")) {
        for (int i = 0; i < 30000; i++) { /* 5 MB */
            lst_log_write(log, &line);
        }
        CHECK(lst_log_dropped(log) > 10000, "lines that a stuck disk can't take are counted");
        while (read(reader, drain, sizeof(drain)) > 0) { /* until it is empty for a moment */
        }
        close(reader); /* the rest fails, and does not hold up the end */
        lst_log_close(log);
    }
    (void)unlink(path);
}

/* A disk that has room for two lines and a half, and later for more. */
static void test_full(void)
{
    char path[] = "/tmp/latchstring-log-XXXXXX";
    struct lst_log_options options = {.path = path};
    struct rlimit limit;
    struct lst_buffer out;
    struct lst_log *log;
    char text[4096];
    ssize_t length;
    size_t lines;
    rlim_t before;
    int file = mkstemp(path);

    lst_buffer_init(&out, 65536);
    lst_log_format_text(&out, &line);
    lines = 64 * 1024 / out.length + 1; /* so many are written at once */
    if (!CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0 && lst_log_open(&options, &log) == LST_OK,
               "the log opens")) {
        return;
    }
    before = limit.rlim_cur;
    limit.rlim_cur = 2 * out.length + out.length / 2;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0, "the disk is small");
    for (size_t i = 0; i < lines; i++) {
        lst_log_write(log, &line);
    }
    for (int i = 0; i < 60000 && lst_log_dropped(log) < lines - 2; i++) {
        usleep(1000);
    }
    CHECK(lst_log_dropped(log) == lines - 2, "lines that a full disk can't take are counted");
    limit.rlim_cur = before;
    (void)setrlimit(RLIMIT_FSIZE, &limit);
    lst_log_write(log, &line);
    lst_log_close(log);
    length = pread(file, text, sizeof(text), 0);
    CHECK(length == (ssize_t)(3 * out.length + out.length / 2 + 1) &&
              text[2 * out.length + out.length / 2] == '\n' &&
              memcmp(text + length - out.length, out.bytes, out.length) == 0,
          "the next line stands by itself, behind the one that was cut");
    lst_buffer_release(&out);
    close(file);
    (void)unlink(path);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    test_text();
    test_json();
    test_file();
    test_stuck();
    test_full();
    return tap_done();
}
