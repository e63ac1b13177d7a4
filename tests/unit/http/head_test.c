/* head_test.c - heads of requests: each whole, and again a byte at a time in memory that moves. */
#include "http/head.h"

#include "tap.h"

#include <stdlib.h>

#define GET  "GET /b/k HTTP/1.1\r\n"
#define PUT  "PUT /b/k HTTP/1.1\r\n"
#define HOST "Host: h\r\n"
#define CL5  "Content-Length: 5\r\n"
#define TE   "Transfer-Encoding: chunked\r\n"

struct reading {
    struct lst_http_head head;
    struct lst_field fields[LST_HEAD_FIELDS_MAX];
    uint8_t numbers[LST_HEAD_FIELDS_MAX];
    char *bytes;
};

static void end(struct reading *reading)
{
    free(reading->bytes);
}

static char *copy(const char *bytes, size_t length)
{
    char *made = malloc(length + 1); /* at least one: the sanitizer watches its end */

    if (made == NULL) {
        abort();
    }
    memcpy(made, bytes, length);
    return made;
}

static enum lst_http_head_verdict read_whole(struct reading *reading, const char *text,
                                             size_t length)
{
    reading->bytes = copy(text, length);
    lst_http_head_begin(&reading->head, reading->fields, reading->numbers);
    return lst_http_head_read(&reading->head, reading->bytes, length);
}

/* A byte more each time, each time at another place. */
static enum lst_http_head_verdict read_bytewise(struct reading *reading, const char *text,
                                                size_t length)
{
    enum lst_http_head_verdict verdict = LST_HEAD_MORE;

    reading->bytes = copy("", 0);
    lst_http_head_begin(&reading->head, reading->fields, reading->numbers);
    for (size_t there = 1; there <= length && verdict == LST_HEAD_MORE; there++) {
        char *moved = copy(reading->bytes, there - 1);

        moved[there - 1] = text[there - 1];
        lst_http_head_move(&reading->head, reading->bytes, moved);
        free(reading->bytes);
        reading->bytes = moved;
        verdict = lst_http_head_read(&reading->head, reading->bytes, there);
    }
    return verdict;
}

static bool is_same(const struct reading *a, const struct reading *b)
{
    const struct lst_http_head *one = &a->head;
    const struct lst_http_head *other = &b->head;
    bool same =
        one->field_count == other->field_count && lst_slice_equal(one->method, other->method) &&
        lst_slice_equal(one->target, other->target) && lst_slice_equal(one->path, other->path) &&
        lst_slice_equal(one->query, other->query) && lst_slice_equal(one->host, other->host) &&
        one->length == other->length && one->content_length == other->content_length &&
        one->is_chunked == other->is_chunked && one->keeps_connection == other->keeps_connection;

    for (size_t i = 0; same && i < one->field_count; i++) {
        same = lst_slice_equal(one->fields[i].name, other->fields[i].name) &&
               lst_slice_equal(one->fields[i].value, other->fields[i].value);
    }
    return same;
}

static void check_bytes(const char *text, size_t length, enum lst_http_head_verdict wanted,
                        const char *what)
{
    struct reading whole;
    struct reading cut;
    enum lst_http_head_verdict verdict = read_whole(&whole, text, length);

    CHECK(verdict == wanted, "%s: the verdict is %d, wanted %d", what, (int)verdict, (int)wanted);
    CHECK(read_bytewise(&cut, text, length) == verdict, "%s: the same byte by byte", what);
    CHECK(is_same(&whole, &cut), "%s: the same is found", what);
    end(&whole);
    end(&cut);
}

struct row {
    const char *head;
    size_t length;
    enum lst_http_head_verdict verdict;
};
#define ROW(text, name)                                                                            \
    {                                                                                              \
        (text), sizeof(text) - 1, LST_HEAD_##name                                                  \
    }

static const struct row rows[] = {
    ROW(GET HOST "\r\n", COMPLETE),
    ROW("\r\n\r\n" GET HOST "\r\n", COMPLETE),
    ROW("\r\n\r\n\r\n\r\n\r\n" GET HOST "\r\n", BAD_LINE),
    ROW("\n" GET HOST "\r\n", BAD_LINE),
    ROW("\rGET / HTTP/1.1\r\n" HOST "\r\n", BARE_CR),
    ROW("", MORE),
    ROW("GET /b/k HTTP/1.1\r", MORE),
    ROW(GET HOST, MORE),
    ROW(GET HOST "\r", MORE),
    /* request lines */
    ROW("GET  / HTTP/1.1\r\n", BAD_LINE),
    ROW("GET /  HTTP/1.1\r\n", BAD_LINE),
    ROW("GET\t/ HTTP/1.1\r\n", BAD_LINE),
    ROW("GET /a\tb HTTP/1.1\r\n", BAD_LINE),
    ROW("GET /a b HTTP/1.1\r\n", BAD_LINE),
    ROW("GET /a\0b HTTP/1.1\r\n", BAD_LINE),
    ROW("GET /a\x7F HTTP/1.1\r\n", BAD_LINE),
    ROW("GET /a#b HTTP/1.1\r\n", BAD_LINE),
    ROW("GET /\xC3\xBC HTTP/1.1\r\n" HOST "\r\n", COMPLETE),
    ROW("GET /\r\n", BAD_LINE),
    ROW("GET / HTTP/1.1\n", BAD_LINE),
    ROW("GET / HTTP/1.1 \r\n", BAD_LINE),
    ROW("GET / HTTP/1.10\r\n", BAD_LINE),
    ROW("GET / HTTP/1\r\n", BAD_LINE),
    ROW("GET / HTTP/1.a\r\n", BAD_LINE),
    ROW("GET / HTTP/11\r\n", BAD_LINE),
    ROW("GET / http/1.1\r\n", BAD_LINE),
    ROW("GET / HTTPS/1.1\r\n", BAD_LINE),
    ROW("GET / \r\n", BAD_LINE),
    ROW(" GET / HTTP/1.1\r\n", BAD_LINE),
    ROW("G(T / HTTP/1.1\r\n", BAD_LINE),
    ROW("\x16\x03\x01\x02\x00\x01", BAD_LINE),
    ROW("GET / HTTP/2.0\r\n", BAD_VERSION),
    ROW("GET / HTTP/0.9\r\n", BAD_VERSION),
    ROW("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", BAD_VERSION),
    ROW("GET / HTTP/1.2\r\n" HOST "\r\n", COMPLETE),
    ROW("GET / HTTP/1.0\r\n\r\n", COMPLETE),
    ROW("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF / HTTP/1.1\r\n" HOST "\r\n", COMPLETE),
    ROW("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG", METHOD_TOO_LONG),
    /* forms of targets */
    ROW("GET a HTTP/1.1\r\n", BAD_TARGET),
    ROW("GET * HTTP/1.1\r\n", BAD_TARGET),
    ROW("OPTIONS * HTTP/1.1\r\n" HOST "\r\n", COMPLETE),
    ROW("OPTIONS ** HTTP/1.1\r\n", BAD_TARGET),
    ROW("CONNECT h:443 HTTP/1.1\r\n", BAD_TARGET),
    ROW("GET ftp://h/ HTTP/1.1\r\n", BAD_TARGET),
    ROW("GET http:/// HTTP/1.1\r\n", BAD_TARGET),
    ROW("GET http://?a HTTP/1.1\r\n", BAD_TARGET),
    ROW("GET http://h/a HTTP/1.1\r\n" HOST "\r\n", COMPLETE),
    ROW("GET HTTPS://H/a HTTP/1.1\r\n" HOST "\r\n", COMPLETE),
    ROW("GET http://h HTTP/1.1\r\n" HOST "\r\n", COMPLETE),
    ROW("GET http://h?a HTTP/1.1\r\n" HOST "\r\n", COMPLETE),
    ROW("GET http://h:80/ HTTP/1.1\r\nHost: h:80\r\n\r\n", COMPLETE),
    ROW("GET http://h/ HTTP/1.0\r\n\r\n", COMPLETE),
    ROW("GET http://i/ HTTP/1.1\r\n" HOST "\r\n", OTHER_HOST),
    ROW("GET http://h@i/ HTTP/1.1\r\nHost: i\r\n\r\n", OTHER_HOST),
    /* lines */
    ROW(GET HOST "A: b\n", BARE_LF),
    ROW(GET HOST "A\n", BARE_LF),
    ROW(GET HOST "\n", BARE_LF),
    ROW(GET HOST "A: b\rc\r\n", BARE_CR),
    ROW(GET HOST "\rA: b\r\n", BARE_CR),
    ROW(GET HOST "A: b\r\r\n", BARE_CR),
    ROW(GET HOST " A: b\r\n", FOLDED),
    ROW(GET " " HOST "\r\n", FOLDED),
    ROW(GET HOST "A: b\r\n\tc\r\n", FOLDED),
    ROW(GET HOST "A : b\r\n", SPACE_BEFORE_COLON),
    ROW(GET HOST "A\t: b\r\n", SPACE_BEFORE_COLON),
    ROW(GET HOST "A\r\n", NO_COLON),
    ROW(GET HOST ": b\r\n", BAD_NAME),
    ROW(GET HOST "A\0: b\r\n", BAD_NAME),
    ROW(GET HOST "A\xC3: b\r\n", BAD_NAME),
    ROW(GET HOST "A(b): c\r\n", BAD_NAME),
    ROW(GET HOST "A: b\0\r\n", BAD_VALUE),
    ROW(GET HOST "A: b\x01\r\n", BAD_VALUE),
    ROW(GET HOST "A: b\x7F\r\n", BAD_VALUE),
    ROW(GET HOST "A: \x0B\r\n", BAD_VALUE),
    ROW(GET HOST "A: b\tc \xFF\r\n\r\n", COMPLETE),
    ROW(GET HOST "A:\r\nB: \t \r\n\r\n", COMPLETE),
    /* hosts */
    ROW(GET "\r\n", NO_HOST),
    ROW(GET "Hosts: h\r\n\r\n", NO_HOST),
    ROW(GET HOST HOST "\r\n", TWO_HOSTS),
    ROW(GET HOST "hOST: i\r\n\r\n", TWO_HOSTS),
    ROW(GET "Host:\r\n\r\n", BAD_HOST),
    ROW(GET "Host: a b\r\n\r\n", BAD_HOST),
    ROW(GET "Host: a,b\r\n\r\n", BAD_HOST),
    ROW(GET "Host: a/b\r\n\r\n", BAD_HOST),
    ROW(GET "Host: a@b\r\n\r\n", BAD_HOST),
    ROW(GET "Host: a:b\r\n\r\n", BAD_HOST),
    ROW(GET "Host: a:65536\r\n\r\n", BAD_HOST),
    ROW(GET "Host: a:80:80\r\n\r\n", BAD_HOST),
    ROW(GET "Host: :80\r\n\r\n", BAD_HOST),
    ROW(GET "Host: [::1\r\n\r\n", BAD_HOST),
    ROW(GET "Host: []\r\n\r\n", BAD_HOST),
    ROW(GET "Host: [::1]x\r\n\r\n", BAD_HOST),
    ROW(GET "Host: \xC3\xBC\r\n\r\n", BAD_HOST),
    ROW(GET "Host: [::1]:65535\r\n\r\n", COMPLETE),
    ROW(GET "Host: a_b.c-d:\r\n\r\n", COMPLETE),
    /* framing */
    ROW(PUT HOST "Content-Length: 9223372036854775807\r\n\r\n", COMPLETE),
    ROW(PUT HOST "Content-Length: 9223372036854775808\r\n", BAD_LENGTH),
    ROW(PUT HOST "Content-Length: +5\r\n", BAD_LENGTH),
    ROW(PUT HOST "Content-Length: -5\r\n", BAD_LENGTH),
    ROW(PUT HOST "Content-Length: 0x5\r\n", BAD_LENGTH),
    ROW(PUT HOST "Content-Length: 5 5\r\n", BAD_LENGTH),
    ROW(PUT HOST "Content-Length: 5, 5\r\n", BAD_LENGTH),
    ROW(PUT HOST "Content-Length:\r\n", BAD_LENGTH),
    ROW(PUT HOST CL5 CL5, TWO_LENGTHS),
    ROW(PUT HOST CL5 TE "\r\n", TWO_FRAMINGS),
    ROW(PUT HOST TE CL5 "\r\n", TWO_FRAMINGS),
    ROW(PUT HOST TE "\r\n", COMPLETE),
    ROW(PUT HOST "tRANSFER-eNCODING:\tChunKed \r\n\r\n", COMPLETE),
    ROW(PUT HOST TE TE, BAD_CODING),
    ROW(PUT HOST "Transfer-Encoding: chunked, chunked\r\n", BAD_CODING),
    ROW(PUT HOST "Transfer-Encoding: chunked, identity\r\n", BAD_CODING),
    ROW(PUT HOST "Transfer-Encoding: identity\r\n", BAD_CODING),
    ROW(PUT HOST "Transfer-Encoding: xchunked\r\n", BAD_CODING),
    ROW(PUT HOST "Transfer-Encoding: chunked;a=b\r\n", BAD_CODING),
    ROW(PUT HOST "Transfer-Encoding: \"chunked\"\r\n", BAD_CODING),
    ROW(PUT HOST "Transfer-Encoding: ,chunked\r\n", BAD_CODING),
    ROW(PUT HOST "Transfer-Encoding: chunked,\r\n", BAD_CODING),
    ROW(PUT HOST "Transfer-Encoding:\r\n", BAD_CODING),
    ROW(PUT HOST "Transfer-Encoding: gzip, chunked\r\n", UNKNOWN_CODING),
    ROW("PUT / HTTP/1.0\r\n" TE "\r\n", OLD_CODING),
};

static void test_rows(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char what[32];

        (void)snprintf(what, sizeof(what), "row %zu", i);
        check_bytes(rows[i].head, rows[i].length, rows[i].verdict, what);
    }
}

/* Each byte in each place of a long target, name and value: what is looked at by words is looked at
 * as closely as the rest. */
static void test_every_byte(void)
{
    static const char text[] = "GET /0123456789012345678901 HTTP/1.1\r\nHost: h\r\n"
                               "Abcdefghijklmnopqrst: 012345678901234567890\r\n\r\n";
    struct reading reading;
    bool fits = true;

    for (size_t at = 4; at < sizeof(text) - 5 && fits; at++) {
        bool in_target = at >= 5 && at < 27;
        bool in_name = at >= 47 && at < 67;
        bool in_value = at >= 69 && at < 90;

        if (!in_target && !in_name && !in_value) {
            continue;
        }
        for (int byte = 0; byte < 256 && fits; byte++) {
            bool is_token =
                byte != 0 && byte < 128 &&
                (strchr("!#$%&'*+-.^_`|~", byte) != NULL || (byte >= '0' && byte <= '9') ||
                 (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z'));
            bool is_good = in_target ? byte > ' ' && byte != 0x7F && byte != '#'
                           : in_name ? is_token || (byte == ':' && at > 47)
                                     : (byte >= ' ' && byte != 0x7F) || byte == '\t';
            char changed[sizeof(text)];

            memcpy(changed, text, sizeof(text));
            changed[at] = (char)byte;
            fits =
                (read_whole(&reading, changed, sizeof(text) - 1) == LST_HEAD_COMPLETE) == is_good;
            end(&reading);
            if (!fits) {
                CHECK(false, "byte %d at %zu is %s", byte, at, is_good ? "refused" : "accepted");
            }
        }
    }
    CHECK(fits, "every byte is refused or accepted wherever it stands");
}

static void test_what_is_found(void)
{
    static const char text[] =
        "PUT /b/k?a=b&c HTTP/1.1\r\nHost: example.com:80\r\nContent-Length: "
        "007\r\nX-A: \t b c\t \r\nEmpty:\r\nExpect: a, 100-Continue\r\n\r\nbody";
    struct reading reading;
    struct lst_http_head *head = &reading.head;

    CHECK(read_whole(&reading, text, sizeof(text) - 1) == LST_HEAD_COMPLETE, "it is complete");
    CHECK(head->length == sizeof(text) - 1 - 4, "it ends before the body");
    CHECK_TEXT(head->method.bytes, head->method.length, "PUT", "method");
    CHECK_TEXT(head->target.bytes, head->target.length, "/b/k?a=b&c", "target");
    CHECK_TEXT(head->path.bytes, head->path.length, "/b/k", "path");
    CHECK_TEXT(head->query.bytes, head->query.length, "a=b&c", "query");
    CHECK_TEXT(head->host.bytes, head->host.length, "example.com:80", "host");
    CHECK(head->field_count == 5, "five lines");
    CHECK_TEXT(head->fields[2].value.bytes, head->fields[2].value.length, "b c", "trimmed");
    CHECK(head->fields[3].value.length == 0 && head->fields[3].value.bytes != NULL, "empty value");
    CHECK(head->has_content_length && head->content_length == 7 && !head->is_chunked, "length");
    CHECK(head->expects_continue && head->keeps_connection && !head->is_old, "flags");
    end(&reading);
}

static void check_target(const char *text, const char *path, const char *query)
{
    struct reading reading;

    CHECK(read_whole(&reading, text, strlen(text)) == LST_HEAD_COMPLETE, "%.40s", text);
    CHECK_TEXT(reading.head.path.bytes, reading.head.path.length, path, "its path");
    CHECK((reading.head.query.bytes == NULL) == (query == NULL), "has it a query?");
    if (query != NULL) {
        CHECK_TEXT(reading.head.query.bytes, reading.head.query.length, query, "its query");
    }
    end(&reading);
}

static void test_targets(void)
{
    check_target("GET / HTTP/1.0\r\n\r\n", "/", NULL);
    check_target("GET /? HTTP/1.0\r\n\r\n", "/", "");
    check_target("GET /a?b?c HTTP/1.0\r\n\r\n", "/a", "b?c");
    check_target("GET http://h/a?b HTTP/1.0\r\n" HOST "\r\n", "/a", "b");
    check_target("GET http://h HTTP/1.0\r\n" HOST "\r\n", "/", NULL);
    check_target("GET http://h?b HTTP/1.0\r\n" HOST "\r\n", "/", "b");
    check_target("GET https://h? HTTP/1.0\r\n" HOST "\r\n", "/", "");
    check_target("OPTIONS * HTTP/1.0\r\n\r\n", "*", NULL);
}

static void check_connection(const char *text, bool keeps, bool expects)
{
    struct reading reading;

    CHECK(read_whole(&reading, text, strlen(text)) == LST_HEAD_COMPLETE, "%.60s", text);
    CHECK(reading.head.keeps_connection == keeps, "it %s the connection", keeps ? "keeps" : "ends");
    CHECK(reading.head.expects_continue == expects, "does it wait for 100?");
    end(&reading);
}

static void test_connections(void)
{
    check_connection("GET / HTTP/1.1\r\n" HOST "\r\n", true, false);
    check_connection("GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", false, false);
    check_connection("GET / HTTP/1.1\r\n" HOST "Connection: a , ClosE,,b\r\n\r\n", false, false);
    check_connection("GET / HTTP/1.1\r\n" HOST "Connection: a\r\nConnection: close\r\n\r\n", false,
                     false);
    check_connection("GET / HTTP/1.1\r\n" HOST "Connection: closed\r\n\r\n", true, false);
    check_connection("GET / HTTP/1.1\r\n" HOST "Connection: keep-alive, close\r\n\r\n", false,
                     false);
    check_connection("GET / HTTP/1.0\r\n\r\n", false, false);
    check_connection("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true, false);
    check_connection("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false, false);
    check_connection("PUT / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", false, false);
    check_connection("PUT / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n\r\n", true, true);
}

/* begin, and then so often the byte, and then the end. */
static void check_long(const char *begin, size_t count, const char *last,
                       enum lst_http_head_verdict wanted, const char *what)
{
    size_t first = strlen(begin);
    size_t length = first + count + strlen(last);
    char *text = malloc(length + 1);

    if (text == NULL) {
        abort();
    }
    memcpy(text, begin, first);
    memset(text + first, 'a', count);
    memcpy(text + first + count, last, strlen(last) + 1);
    check_bytes(text, length, wanted, what);
    free(text);
}

static void test_sizes(void)
{
    static char lines[(LST_HEAD_FIELDS_MAX + 2) * 8] = "";
    size_t before = strlen(HOST "A: \r\n");
    char text[sizeof(GET) + sizeof(lines) + 2];
    int length;

    check_long("GET /", LST_HEAD_TARGET_MAX - 1, " HTTP/1.1\r\n" HOST "\r\n", LST_HEAD_COMPLETE,
               "the longest target");
    check_long("GET /", LST_HEAD_TARGET_MAX, " HTTP/1.1\r\n" HOST "\r\n", LST_HEAD_TARGET_TOO_LONG,
               "a longer one");
    check_long(GET HOST "A: ", LST_HEAD_SECTION_MAX - before, "\r\n\r\n", LST_HEAD_COMPLETE,
               "the largest section");
    check_long(GET HOST "A: ", LST_HEAD_SECTION_MAX - before + 1, "\r\n\r\n", LST_HEAD_TOO_LARGE,
               "a larger one");
    check_long(GET HOST "A: ", 3L * LST_HEAD_SECTION_MAX, "", LST_HEAD_TOO_LARGE, "without an end");
    check_long(GET HOST, 3L * LST_HEAD_SECTION_MAX, "", LST_HEAD_TOO_LARGE, "without a colon");
    for (size_t i = 1; i < LST_HEAD_FIELDS_MAX; i++) {
        memcpy(lines + strlen(lines), "A: b\r\n", sizeof("A: b\r\n"));
    }
    length = snprintf(text, sizeof(text), "%s%s%s\r\n", GET, HOST, lines);
    check_bytes(text, (size_t)length, LST_HEAD_COMPLETE, "as many lines as may be");
    length = snprintf(text, sizeof(text), "%s%s%sA:\r\n\r\n", GET, HOST, lines);
    check_bytes(text, (size_t)length, LST_HEAD_TOO_LARGE, "one more");
}

static void test_refusals(void)
{
    for (int i = LST_HEAD_BAD_LINE; i < LST_HEAD_VERDICTS; i++) {
        const struct lst_http_head_refusal *refusal =
            lst_http_head_refusal((enum lst_http_head_verdict)i);

        CHECK(refusal->status >= 400 && refusal->code != NULL && refusal->section != NULL,
              "verdict %d has an answer", i);
    }
}

int main(void)
{
    test_rows();
    test_every_byte();
    test_what_is_found();
    test_targets();
    test_connections();
    test_sizes();
    test_refusals();
    return tap_done();
}
