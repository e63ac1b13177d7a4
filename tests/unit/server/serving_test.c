/* serving_test.c - a running server, asked with raw bytes. */
#include "running.h"

#include "base/file.h"

#define BIG (100UL * 1024 * 1024)

static struct running server;
static struct answer answer;
static char target[2048];

static void check(int status, const char *part, const char *what)
{
    CHECK(answer_is(&answer, status, part), "%s: %d (got %.12s, error %d)", what, status,
          answer.bytes, answer.error);
}

static void test_round_trip(void)
{
    client_presign(&server, "PUT", "cat.jpg", target);
    client_ask(&server, "PUT", target, "Content-Length: 5\r\n", "bytes", 5, &answer);
    check(200, "ETag: \"4b3a6218bb3e3a7303e8a171a60fcf92\"", "a presigned PUT");
    CHECK(strstr(answer.bytes, "Server: Latchstring") != NULL, "the server says its name");
    client_presign(&server, "GET", "cat.jpg", target);
    client_ask(&server, "GET", target, "", "", 0, &answer);
    check(200, "\r\n\r\nbytes", "a presigned GET");
    client_ask(&server, "GET", target, "Origin: https://a.example\r\n", "", 0, &answer);
    check(200, "Access-Control-Allow-Origin: *", "a GET of another origin");
    client_presign(&server, "HEAD", "cat.jpg", target);
    client_ask(&server, "HEAD", target, "Connection: close\r\n", "", 0, &answer);
    check(200, "Content-Length: 5", "HEAD tells the length");
    CHECK(strstr(answer.bytes, "\r\n\r\nb") == NULL, "and sends no body");
    client_presign(&server, "DELETE", "cat.jpg", target);
    client_ask(&server, "DELETE", target, "", "", 0, &answer);
    check(204, NULL, "a presigned DELETE");
    CHECK(strcasestr(answer.bytes, "Content-Length") == NULL, "204 has no length");
}

/* One connection carries many requests, also refused ones with a small body. */
static void test_keep_alive(void)
{
    char request[4096];
    int client = client_connect(&server);
    int length;

    client_presign(&server, "PUT", "kept", target);
    for (int i = 0; i < 3; i++) {
        length = snprintf(request, sizeof(request),
                          "PUT %s%s HTTP/1.1\r\nHost: %s\r\nContent-Length: 5\r\n\r\nbytes", target,
                          i == 1 ? "x" : "", server.host);
        (void)client_send(client, request, (size_t)length);
        client_receive(client, false, &answer);
        check(i == 1 ? 403 : 200, NULL, "a request on a kept connection");
    }
    close(client);
}

/* Each of these must get an answer although nobody reads what it sends. */
static void check_big_refused(const char *headers, const char *code, const char *what)
{
    char *body = calloc(1, BIG);
    char expected[64];
    char *end;

    if (body == NULL) {
        return;
    }
    (void)snprintf(expected, sizeof(expected), "<Code>%s</Code>", code);
    client_presign(&server, "PUT", "big", target);
    end = target + strlen(target) - 1;
    *end = *end == '0' ? '1' : '0'; /* the signature's last digit */
    client_ask(&server, "PUT", target, headers, body, BIG, &answer);
    CHECK(strstr(answer.bytes, expected) != NULL && strstr(answer.bytes, "Connection: close"),
          "%s: the client reads %s (got %.12s, error %d)", what, code, answer.bytes, answer.error);
    free(body);
}

static void test_early_refusal(void)
{
    client_presign(&server, "PUT", "big", target);
    client_ask(&server, "PUT", target, "Content-Length: 5368709121\r\nExpect: 100-continue\r\n", "",
               0, &answer);
    check(400, "EntityTooLarge", "more than 5 GiB");
    CHECK(strstr(answer.bytes, "100 Continue") == NULL, "is refused before the body is asked for");
    for (int i = 0; i < 3; i++) {
        check_big_refused("Content-Length: 104857600\r\n", "SignatureDoesNotMatch",
                          "100 MB with a wrong signature");
        check_big_refused("Content-Length: 104857600\r\nContent-Length: 5\r\n", "BadRequest",
                          "100 MB with two lengths");
    }
}

static void check_framing(const char *headers, int status, const char *what)
{
    client_presign(&server, "PUT", "framing", target);
    client_ask(&server, "PUT", target, headers, "0\r\n\r\nGET / HTTP/1.1\r\n\r\n", 23, &answer);
    check(status, "<Code>", what);
    CHECK(strstr(answer.bytes, "Connection: close") != NULL, "and the connection ends there");
}

static void test_smuggling(void)
{
    check_framing("Content-Length: 5\r\nContent-Length: 6\r\n", 400, "two lengths");
    check_framing("Content-Length: 5\r\nContent-Length: 5\r\n", 400, "two equal lengths");
    check_framing("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400,
                  "a length and chunks");
    check_framing("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", 400,
                  "two transfer encodings");
    check_framing("Transfer-Encoding: gzip, chunked\r\n", 501, "a transfer encoding of two");
    check_framing("Transfer-Encoding : chunked\r\n", 400, "a space before the colon");
    check_framing("Content-Length : 5\r\n", 400, "a space before the colon of a length");
    check_framing("Content-Length: +5\r\n", 400, "a sign before the length");
    check_framing("Content-Length: 5, 5\r\n", 400, "a list of lengths");
    check_framing("Host: other\r\n", 400, "two hosts");
}

static void fill_headers(char *headers, size_t capacity, size_t count, size_t value_length)
{
    size_t at = 0;

    for (size_t i = 0; i < count && at < capacity; i++) {
        at += (size_t)snprintf(headers + at, capacity - at, "X-Filler-%03zu: %0*d\r\n", i,
                               (int)value_length, 0);
    }
}

static void test_header_limits(void)
{
    static char headers[80 * 1024];
    static char long_target[8 * 1024];

    client_presign(&server, "PUT", "limits", target);
    client_ask(&server, "PUT", target, "Content-Length: 2\r\n", "ok", 2, &answer);
    client_presign(&server, "GET", "limits", target);
    fill_headers(headers, sizeof(headers), 80, 83);
    client_ask(&server, "GET", target, headers, "", 0, &answer);
    check(200, "\r\n\r\nok", "headers of nearly 8 KiB");
    (void)snprintf(long_target, sizeof(long_target), "%s&X-Amz-Security-Token=%04096d", target, 0);
    client_ask(&server, "GET", long_target, headers, "", 0, &answer);
    check(400, "InvalidToken", "and with a session token of 4 KiB");
    fill_headers(headers, sizeof(headers), 90, 83);
    client_ask(&server, "GET", target, headers, "", 0, &answer);
    check(400, "RequestHeaderSectionTooLarge", "headers of more than 8 KiB");
    fill_headers(headers, sizeof(headers), 129, 1);
    client_ask(&server, "GET", target, headers, "", 0, &answer);
    check(400, "RequestHeaderSectionTooLarge", "more than 128 headers");
    fill_headers(headers, sizeof(headers), 120, 1);
    client_ask(&server, "GET", target, headers, "", 0, &answer);
    check(200, "\r\n\r\nok", "120 headers");
    fill_headers(headers, sizeof(headers), 100, 600);
    client_ask(&server, "GET", target, headers, "", 0, &answer);
    check(400, "RequestHeaderSectionTooLarge", "headers of 60 KiB");
}

static void test_own_paths(void)
{
    client_ask(&server, "GET", "/-/health", "", "", 0, &answer);
    check(200, "{\"status\":\"ok\"}", "health");
    client_ask(&server, "GET", "/-/metrics", "", "", 0, &answer);
    check(200, "latchstring_requests_total{operation=\"PutObject\",status=\"2xx\"}", "metrics");
    client_ask(&server, "GET", "/-/nothing", "", "", 0, &answer);
    check(404, "<Code>", "nothing, in XML");
    client_ask(&server, "OPTIONS", "/photos/any",
               "Origin: https://a.example\r\nAccess-Control-Request-Method: PUT\r\n", "", 0,
               &answer);
    check(200, "Access-Control-Allow-Methods", "a preflight, unsigned");
    client_ask(&server, "GET", "/photos/any", "Origin: https://a.example\r\n", "", 0, &answer);
    check(403, "Access-Control-Allow-Origin: *", "an error has its CORS headers too");
}

static void *put_many(void *context)
{
    unsigned long *failures = context;
    static _Atomic unsigned number;
    char mine[2048];
    char name[32];
    struct answer *own = malloc(sizeof(*own));

    for (int i = 0; own != NULL && i < 40; i++) {
        (void)snprintf(name, sizeof(name), "many/%u", number++);
        client_presign(&server, "PUT", name, mine);
        {
            char request[4096];
            int client = client_connect(&server);
            int length = snprintf(request, sizeof(request),
                                  "PUT %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 4\r\n\r\nmany",
                                  mine, server.host);

            if (i % 4 == 3) { /* goes away while its write is being committed */
                (void)client_send(client, request, (size_t)length);
                close(client);
                continue;
            }
            (void)client_send(client, request, (size_t)length);
            client_receive(client, false, own);
            *failures += answer_is(own, 200, NULL) ? 0 : 1;
            close(client);
        }
    }
    free(own);
    return NULL;
}

/* Commits end on another thread, before or after the connection was suspended. */
static void test_waiting(void)
{
    pthread_t threads[16];
    unsigned long failures[16] = {0};
    unsigned long sum = 0;

    for (size_t i = 0; i < 16; i++) {
        (void)pthread_create(&threads[i], NULL, put_many, &failures[i]);
    }
    for (size_t i = 0; i < 16; i++) {
        (void)pthread_join(threads[i], NULL);
        sum += failures[i];
    }
    CHECK(sum == 0, "480 uploads of 16 clients are all answered 200 (%lu were not)", sum);
}

/* An upload that runs when SIGTERM comes is finished; who comes later is not served. */
static void test_drain(void)
{
    char request[4096];
    int upload = client_connect(&server);
    int idle = client_connect(&server);
    int late = -1;
    int length;

    client_presign(&server, "PUT", "drained", target);
    length = snprintf(request, sizeof(request),
                      "PUT %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 10\r\n\r\n12345", target,
                      server.host);
    (void)client_send(upload, request, (size_t)length);
    for (int i = 0; i < 3; i++) { /* what was sent before has come in by then */
        usleep(100000);
        client_ask(&server, "GET", "/-/health", "", "", 0, &answer);
    }
    (void)kill(server.process, SIGTERM);
    for (int i = 0; i < 600 && (late = client_connect(&server)) >= 0; i++) {
        close(late); /* it has not heard of it yet */
        usleep(50000);
    }
    CHECK(late < 0, "a new client is refused while the server drains");
    length = snprintf(request, sizeof(request), "GET /-/ready HTTP/1.1\r\nHost: %s\r\n\r\n",
                      server.host);
    (void)client_send(idle, request, (size_t)length);
    client_receive(idle, true, &answer);
    check(503, "draining", "a server that drains is not ready");
    CHECK(answer.was_closed, "and the connection ends");
    (void)client_send(upload, "67890", 5);
    client_receive(upload, true, &answer);
    check(200, "Connection: close", "a running upload is finished");
    close(upload);
    close(idle);
}

/* The log has all that happened, and nothing that opens a door. */
static void check_log(void)
{
    struct lst_buffer log;

    lst_buffer_init(&log, 16UL * 1024 * 1024);
    if (CHECK(lst_file_read(server.log, &log) == LST_OK, "the log can be read")) {
        lst_buffer_append_byte(&log, '\0');
        CHECK(strstr(log.bytes, " root " ACCESS_KEY " query PutObject photos/cat.jpg 200 - 5 0 ") !=
                  NULL,
              "the log has the first upload");
        CHECK(strstr(log.bytes, " 403 SignatureDoesNotMatch ") != NULL, "and the refused ones");
        CHECK(strstr(log.bytes, "Signature=") == NULL && strstr(log.bytes, SECRET_KEY) == NULL,
              "but no signature and no secret");
    }
    lst_buffer_release(&log);
}

int main(void)
{
    static const char *const settings[] = {"threads", "2", NULL};
    int status = -1;

    if (!running_start(&server, settings)) {
        return tap_done();
    }
    CHECK(strstr(server.greeting, SECRET_KEY) == NULL, "a secret that was given is not printed");
    test_round_trip();
    test_keep_alive();
    test_early_refusal();
    test_smuggling();
    test_header_limits();
    test_own_paths();
    test_waiting();
    test_drain();
    (void)waitpid(server.process, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "it ends with 0 (%#x)", (unsigned)status);
    check_log();
    (void)nftw(server.folder, running_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return tap_done();
}
