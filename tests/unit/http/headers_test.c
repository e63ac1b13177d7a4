/* headers_test.c - headers in several lines, and parameters that stand twice. */
#include "http/headers.h"
#include "request.h"
#include "tap.h"

#include "base/error.h"

static struct lst_slice slice_of(const char *text)
{
    return lst_slice_make(text, strlen(text));
}

enum { HEADERS = 8 };

/* lines: "name: value", NULL at the end. Joins them and gives them back as one text. */
static int join(const char *const *lines, char *ret_text, size_t capacity)
{
    struct lst_field headers[HEADERS];
    struct lst_buffer room;
    struct lst_slice repeated = LST_SLICE("untouched");
    size_t count = 0;
    int status;

    for (; lines[count] != NULL; count++) {
        struct lst_slice line = slice_of(lines[count]);
        size_t colon = lst_slice_find(line, ':');
        headers[count] = (struct lst_field){lst_slice_first(line, colon),
                                            lst_slice_trim(lst_slice_after(line, colon + 1))};
    }
    lst_buffer_init(&room, 1024);
    status = lst_headers_join(headers, &count, &room, &repeated);
    ret_text[0] = '\0';
    if (status == LST_ERR_EXISTS) {
        (void)snprintf(ret_text, capacity, "%.*s", (int)repeated.length, repeated.bytes);
    }
    for (size_t i = 0; i < count && status == LST_OK; i++) {
        size_t length = strlen(ret_text);
        (void)snprintf(ret_text + length, capacity - length, "%s%.*s: %.*s", i == 0 ? "" : "; ",
                       (int)headers[i].name.length, headers[i].name.bytes,
                       (int)headers[i].value.length, headers[i].value.bytes);
    }
    lst_buffer_release(&room);
    return status;
}

static void check(int status, const char *want, const char *const *lines)
{
    char text[512];
    int got = join(lines, text, sizeof(text));

    CHECK(got == status, "%s: the status is %d", want, status);
    CHECK_TEXT(text, strlen(text), want, "the headers");
}

static void test_joining(void)
{
    check(LST_OK, "Host: a; x-amz-meta-k: 1", (const char *[]){"Host: a", "x-amz-meta-k: 1", NULL});
    check(
        LST_OK, "x-amz-meta-k: a,b,c; Host: h",
        (const char *[]){"x-amz-meta-k: a", "Host: h", "X-Amz-Meta-K: b", "x-amz-meta-k: c", NULL});
    check(LST_OK, "Via: 1,2; Cache-Control: x,,y; Date: d",
          (const char *[]){"Via: 1", "Cache-Control: x", "Cache-Control:", "via: 2", "Date: d",
                           "cache-control: y", NULL});
    check(LST_OK, "x-amz-object-attributes: ETag,Checksum",
          (const char *[]){"x-amz-object-attributes: ETag", "X-Amz-Object-Attributes: Checksum",
                           NULL});
    check(LST_OK, "X-Forwarded-For: 1.1.1.1,2.2.2.2",
          (const char *[]){"X-Forwarded-For: 1.1.1.1", "x-forwarded-for: 2.2.2.2", NULL});
    check(LST_OK, "", (const char *[]){NULL});
}

static void test_one_value(void)
{
    static const char *const names[] = {
        "Content-Type",
        "content-type",
        "Content-Length",
        "Content-MD5",
        "Content-Disposition",
        "Host",
        "Range",
        "If-Match",
        "If-None-Match",
        "If-Modified-Since",
        "If-Range",
        "Date",
        "Authorization",
        "Expect",
        "Expires",
        "Origin",
        "Idempotency-Key",
        "x-amz-date",
        "x-amz-content-sha256",
        "X-Amz-Copy-Source",
        "x-amz-tagging",
        "x-amz-checksum-crc32",
        "x-amz-metadata-directive",
        "x-latch-type",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char first[64];
        char second[64];

        (void)snprintf(first, sizeof(first), "%s: same", names[i]);
        (void)snprintf(second, sizeof(second), "%s: same", names[i]);
        check(LST_ERR_EXISTS, names[i], (const char *[]){first, "Via: x", second, NULL});
    }
    check(LST_ERR_EXISTS, "Range",
          (const char *[]){"Via: a", "Via: b", "range: bytes=0-1", "Range: bytes=0-1", NULL});
}

static void check_query(const char *query, const char *repeated)
{
    struct lst_http_request request = {.query = slice_of(query)};

    request_read(&request);
    CHECK(request.has_repeated == (repeated[0] != '\0'), "'%s' says %s twice", query,
          repeated[0] == '\0' ? "nothing" : repeated);
    CHECK_TEXT(request.repeated.name.bytes, request.repeated.name.length, repeated, query);
}

static void test_parameters(void)
{
    check_query("", "");
    check_query("a=1&b=2&&c", "");
    check_query("a=1&aa=2&a%61%61=3", "");
    check_query("versionId=1&b=2&versionId=1", "versionId");
    check_query("a&a=", "a");
    check_query("X-Amz-Date=1&x-amz-date=2", "x-amz-date");
    check_query("uploadId=1&upload%49d=2", "uploadId");
    check_query("%61=1&%61=2", "a");
    check_query("a%=1&a%25=2", "a%");
}

int main(void)
{
    test_joining();
    test_one_value();
    test_parameters();
    return tap_done();
}
