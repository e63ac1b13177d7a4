/* settings_test.c - servers with other settings: limits, proxies, virtual hosts, TLS, root's keys.
 */
#include "running.h"

#include "base/file.h"

static struct running server;
static struct answer answer;
static char target[2048];

static bool log_has_now(const char *part)
{
    struct lst_buffer log;
    bool has;

    lst_buffer_init(&log, 1024UL * 1024);
    has = lst_file_read(server.log, &log) == LST_OK && log.length > 0 &&
          memmem(log.bytes, log.length, part, strlen(part)) != NULL;
    lst_buffer_release(&log);
    return has;
}

/* It is written once a second. */
static bool log_has(const char *part)
{
    bool has = log_has_now(part);

    for (int i = 0; i < 600 && !has; i++) {
        usleep(50000);
        has = log_has_now(part);
    }
    return has;
}

static void test_connection_limit(void)
{
    static const char *const settings[] = {"connections", "2", "idle-timeout", "2", NULL};
    int first;
    int second;

    if (!running_start(&server, settings)) {
        return;
    }
    first = client_connect(&server);
    second = client_connect(&server);
    usleep(200000);
    client_ask(&server, "GET", "/-/health", "", "", 0, &answer);
    CHECK(answer_is(&answer, 503, "<Code>SlowDown</Code>") &&
              strstr(answer.bytes, "Connection: close") != NULL,
          "one connection too many is told to slow down");
    client_receive(first, true, &answer);
    CHECK(answer.was_closed && answer.length == 0, "a silent client is sent away");
    close(first);
    close(second);
    for (int i = 0; i < 600; i++) {
        client_ask(&server, "GET", "/-/health", "", "", 0, &answer);
        if (answer_is(&answer, 200, NULL)) {
            break;
        }
        usleep(50000);
    }
    CHECK(answer_is(&answer, 200, NULL), "and then there is room again");
    CHECK(running_stop(&server) == 0, "it ends with 0");
}

static void test_proxy(void)
{
    static const char *const settings[] = {
        "trusted-proxy", "127.0.0.0/8",    "public-url",  "https://files.example.com",
        "domain",        "s3.example.com", "cors-origin", "https://a.example",
        "log-format",    "json",           NULL};
    struct running public;
    int client;
    int length;
    char request[4096];

    if (!running_start(&server, settings)) {
        return;
    }
    CHECK(strstr(server.greeting, "'https://files.example.com/photos/hello.txt?") != NULL,
          "the example is signed for the public URL");
    public = server;
    (void)snprintf(public.host, sizeof(public.host), "files.example.com");
    client_presign(&public, "PUT", "proxied", target);
    client_ask(&server, "PUT", target,
               "Content-Length: 2\r\nX-Forwarded-For: 6.6.6.6, 203.0.113.9, 127.0.0.2\r\n", "ok", 2,
               &answer);
    CHECK(answer_is(&answer, 200, NULL), "a link for the public URL is good for a proxy's request");
    CHECK(log_has("\"peer\":\"203.0.113.9\",\"user\":\"root\""),
          "the log has the client's address");
    client = client_connect(&server);
    length = snprintf(request, sizeof(request),
                      "GET /-/health HTTP/1.1\r\nHost: photos.s3.example.com\r\n\r\n");
    (void)client_send(client, request, (size_t)length);
    client_receive(client, false, &answer);
    CHECK(answer_is(&answer, 403, "AccessDenied"), "of a bucket's own host, /-/health is a key");
    close(client);
    client_ask(&server, "OPTIONS", "/photos/any",
               "Origin: https://b.example\r\nAccess-Control-Request-Method: PUT\r\n", "", 0,
               &answer);
    CHECK(answer_is(&answer, 403, "<Code>AccessForbidden</Code>"),
          "a preflight of an origin that is not allowed");
    CHECK(running_stop(&server) == 0, "it ends with 0");
}

static void test_untrusted_proxy(void)
{
    static const char *const settings[] = {NULL};

    if (!running_start(&server, settings)) {
        return;
    }
    client_ask(&server, "GET", "/-/health", "X-Forwarded-For: 203.0.113.9\r\n", "", 0, &answer);
    CHECK(answer_is(&answer, 200, NULL) && log_has(" 127.0.0.1 - - none Health ") &&
              !log_has_now("203.0.113.9"),
          "nobody else is believed about the client's address");
    CHECK(running_stop(&server) == 0, "it ends with 0");
}

/* Start with other settings, and give the exit status, with what it says on standard error. */
static int start_status(const char *const *settings, char *said, size_t capacity)
{
    struct running other = server;
    int errors[2];
    int status = -1;
    ssize_t length;

    if (pipe(errors) != 0) {
        return -1;
    }
    other.process = fork();
    if (other.process == 0) {
        (void)dup2(errors[1], STDERR_FILENO);
        if (freopen("/dev/null", "w", stdout) == NULL) {
            _exit(127);
        }
        close(errors[0]);
        running_child(&other, settings);
    }
    close(errors[1]);
    (void)waitpid(other.process, &status, 0);
    length = read(errors[0], said, capacity - 1);
    said[length > 0 ? length : 0] = '\0';
    close(errors[0]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256;
}

static void check_no_start(const char *data, const char *name, const char *value, const char *part)
{
    const char *const settings[] = {"data", data, name, value, "tls-key", "/nonexistent/key", NULL};
    char said[4096];
    int status = start_status(settings, said, sizeof(said));

    CHECK(status == 1 && strstr(said, part) != NULL && strstr(said, SECRET_KEY) == NULL,
          "%s=%s: it does not start, and says: %.*s", name, value, (int)strcspn(said, "\n"), said);
}

static void test_failures(void)
{
    static const char *const settings[] = {NULL};
    char data[128];

    if (!running_start(&server, settings)) {
        return;
    }
    check_no_start(server.data, "region", "",
                   "another latchstring serve"); /* the same data folder */
    (void)snprintf(data, sizeof(data), "%s/other", server.folder);
    check_no_start(data, "listen", server.host, "--listen");
    check_no_start(data, "access-log", "/nonexistent/log", "--access-log");
    check_no_start("/nonexistent/data", "region", "", "folder above");
    check_no_start(data, "listen", "192.0.2.1:9000", "not an address of this machine");
    check_no_start(data, "tls-cert", "/nonexistent/certificate", "--tls-cert");
    check_no_start(data, "tls-cert", "/etc/passwd", "PEM");
    check_no_start(data, "access-key", "a b", "LATCHSTRING_ACCESS_KEY");
    check_no_start(data, "buckets", "No", "the bucket 'No': not a valid");
    CHECK(running_stop(&server) == 0, "it ends with 0");
}

static void test_root_keys(void)
{
    static const char *const settings[] = {"access-key", "", "secret-key", "", NULL};
    struct stat information;
    char path[128];
    char first[64] = "";
    const char *key;
    struct running again;

    if (!running_start(&server, settings)) {
        return;
    }
    key = strstr(server.greeting, "Access key  ");
    (void)snprintf(first, sizeof(first), "%.32s", key == NULL ? "none" : key);
    CHECK(strstr(server.greeting, "Secret key  ") != NULL, "a secret made now is shown");
    (void)snprintf(path, sizeof(path), "%s/root-credentials", server.data);
    CHECK(stat(path, &information) == 0 && (information.st_mode & 0777) == 0600,
          "and kept, readable by its owner alone");
    again = server;
    (void)kill(server.process, SIGTERM);
    (void)waitpid(server.process, NULL, 0);
    if (running_start(&server, (const char *const[]){"data", again.data, "access-key", "",
                                                     "secret-key", "", NULL})) {
        CHECK(strstr(server.greeting, first) != NULL, "the next start has the same key");
        CHECK(strstr(server.greeting, "Secret key") == NULL, "and does not show the secret again");
        CHECK(running_stop(&server) == 0, "it ends with 0");
    }
    (void)nftw(again.folder, running_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
    test_connection_limit();
    test_proxy();
    test_untrusted_proxy();
    test_failures();
    test_root_keys();
    return tap_done();
}
