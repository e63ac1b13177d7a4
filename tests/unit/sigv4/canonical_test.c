/* canonical_test.c - what goes into a signature, seen through the canonical requests of both sides:
 * order, encoding, white space, repetition, absence. */
#include "latchstring.h"
#include "tap.h"

#include <stdlib.h>

#define NOW INT64_C(1369353600)
#define URL_TAIL                                                                                   \
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20130524%2Fus-east-1%2Fs3%2F"        \
    "aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders="
#define SIGNATURE                                                                                  \
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"

static struct lst_key key;

/* The canonical request of a received presigned URL must be this. */
static void check_received(const char *what, const char *target, const struct lst_field *headers,
                           size_t header_count, const char *host, const char *want)
{
    struct lst_request request = {.method = LST_SLICE("GET"),
                                  .target = lst_slice_of(target),
                                  .headers = headers,
                                  .header_count = header_count,
                                  .host = lst_slice_of(host)};
    struct lst_rules rules = {0};
    struct lst_auth auth;
    char text[8192];
    size_t length = 0;

    CHECK(lst_parse(&request, &rules, NOW, &auth) == LST_OK, "%s: is well formed", what);
    CHECK(lst_canonical_request(&request, &auth, text, sizeof(text), &length) == LST_OK,
          "%s: has a canonical request", what);
    CHECK_TEXT(text, length, want, what);
    CHECK(length <= lst_canonical_request_bound(&request), "%s: the bound holds", what);
    CHECK(lst_canonical_request(&request, &auth, text, length - 1, &length) ==
              LST_ERR_BUFFER_TOO_SMALL,
          "%s: one byte less is too small", what);
}

static void check_queries(void)
{
    static const struct lst_field host[] = {{{"HOST", 4}, {" h:9000 ", 8}}};

    check_received("the path keeps every slash and dot",
                   "//a/../b/./c//?" URL_TAIL "host" SIGNATURE, host, 1, NULL,
                   "GET\n//a/../b/./c//\n" URL_TAIL "host\nhost:h:9000\n\nhost\nUNSIGNED-PAYLOAD");
    check_received("the path is decoded and encoded once, '+' is itself",
                   "/a+b%20c%2Bd%2fe%41%c3%a9!(x)?" URL_TAIL "host" SIGNATURE, host, 1, NULL,
                   "GET\n/a%2Bb%20c%2Bd/eA%C3%A9%21%28x%29\n" URL_TAIL
                   "host\nhost:h:9000\n\nhost\nUNSIGNED-PAYLOAD");
    check_received("a '+' in the query is a space, an encoded one is itself",
                   "/?q=a+b&r=a%2Bb&s=a%20b&" URL_TAIL "host" SIGNATURE, host, 1, NULL,
                   "GET\n/\n" URL_TAIL "host&q=a%20b&r=a%2Bb&s=a%20b\nhost:h:9000\n\nhost\n"
                   "UNSIGNED-PAYLOAD");
    check_received("parameters are sorted by encoded name, then value; all stay",
                   "/?a=2&%C3%A9=1&a-b=1&a=1&A=0&aB=3&a=1&a%2B=x&" URL_TAIL "host" SIGNATURE, host,
                   1, NULL,
                   "GET\n/\n%C3%A9=1&A=0&" URL_TAIL
                   "host&a=1&a=1&a=2&a%2B=x&a-b=1&aB=3\nhost:h:9000\n\nhost\nUNSIGNED-PAYLOAD");
    check_received("no value, an empty value, no name, '=' in a value, and nothing at all",
                   "/?k&l=&&m=a=b&=n&" URL_TAIL "host" SIGNATURE "&", host, 1, NULL,
                   "GET\n/\n=n&" URL_TAIL "host&k=&l=&m=a%3Db\nhost:h:9000\n\nhost\n"
                   "UNSIGNED-PAYLOAD");
    check_received("encodings of another case are the same, in any order",
                   "/?x=%c3%a9%7e%41" SIGNATURE "&" URL_TAIL "host", host, 1, NULL,
                   "GET\n/\n" URL_TAIL "host&x=%C3%A9~A\nhost:h:9000\n\nhost\nUNSIGNED-PAYLOAD");
    check_received("a second '?' belongs to the query", "/?" URL_TAIL "host&x=?" SIGNATURE, host, 1,
                   NULL, "GET\n/\n" URL_TAIL "host&x=%3F\nhost:h:9000\n\nhost\nUNSIGNED-PAYLOAD");
    check_received("the server's own name takes the place of the Host header",
                   "/?" URL_TAIL "host" SIGNATURE, host, 1, "files.example.com",
                   "GET\n/\n" URL_TAIL "host\nhost:files.example.com\n\nhost\nUNSIGNED-PAYLOAD");
}

static void check_headers(void)
{
    static const struct lst_field headers[] = {
        {{"Host", 4}, {"h", 1}},
        {{"X-Amz-Meta-A", 12}, {"  a \t  b  ", 10}},
        {{"Accept", 6}, {"not signed", 10}},
        {{"x-amz-meta-a", 12}, {"c", 1}},
        {{"X-AMZ-META-A", 12}, {"", 0}},
        {{"x-amz-content-sha256", 20}, {"UNSIGNED-PAYLOAD", 16}},
    };

    check_received("values are trimmed and folded, repeated headers joined, an absent one is empty",
                   "/?" URL_TAIL "content-type%3bhost%3Bx-amz-meta-a" SIGNATURE, headers, 6, NULL,
                   "GET\n/\n" URL_TAIL "content-type%3Bhost%3Bx-amz-meta-a\ncontent-type:\nhost:h\n"
                   "x-amz-meta-a:a b,c,\n\ncontent-type;host;x-amz-meta-a\nUNSIGNED-PAYLOAD");
    check_received("the list may be unencoded in the URL, and in any order",
                   "/?" URL_TAIL "x-amz-meta-a;host" SIGNATURE, headers, 5, NULL,
                   "GET\n/\n" URL_TAIL "x-amz-meta-a%3Bhost\nx-amz-meta-a:a b,c,\nhost:h\n\n"
                   "x-amz-meta-a;host\nUNSIGNED-PAYLOAD");
}

static void check_payloads(void)
{
    static const struct lst_field headers[] = {
        {{"Host", 4}, {"h", 1}},
        {{"x-amz-content-sha256", 20}, {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", 34}},
    };
    static const struct lst_field unsigned_hash[] = {
        {{"Host", 4}, {"h", 1}},
        {{"x-amz-content-sha256", 20},
         {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 64}},
    };

    check_received("a payload hash in the query counts",
                   "/?" URL_TAIL "host&X-Amz-Content-Sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41"
                   "e4649b934ca495991b7852b855" SIGNATURE,
                   headers, 1, NULL,
                   "GET\n/\nX-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Content-Sha256=e3b0c44298fc1c149"
                   "afbf4c8996fb92427ae41e4649b934ca495991b7852b855&X-Amz-Credential=AKID%2F2013052"
                   "4%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=60"
                   "&X-Amz-SignedHeaders=host\nhost:h\n\nhost\n"
                   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_received("a payload hash in a signed header counts",
                   "/?" URL_TAIL "host%3Bx-amz-content-sha256" SIGNATURE, headers, 2, NULL,
                   "GET\n/\n" URL_TAIL "host%3Bx-amz-content-sha256\nhost:h\nx-amz-content-sha256:"
                   "STREAMING-UNSIGNED-PAYLOAD-TRAILER\n\nhost;x-amz-content-sha256\n"
                   "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
    check_received("a payload hash in an unsigned header does not", "/?" URL_TAIL "host" SIGNATURE,
                   unsigned_hash, 2, NULL,
                   "GET\n/\n" URL_TAIL "host\nhost:h\n\nhost\nUNSIGNED-PAYLOAD");
}

/* Large: more than the hash's scratch buffer holds, so that it is filled many times over. */
static void check_large(void)
{
    static char name[3000];
    static char value[5000];
    struct lst_field query[1] = {{{name, sizeof(name)}, {value, sizeof(value)}}};
    struct lst_field headers[2] = {{LST_SLICE("x-amz-meta-large"), {value, sizeof(value)}},
                                   {LST_SLICE("Host"), LST_SLICE("h")}};
    struct lst_signing signing = {.method = LST_SLICE("PUT"),
                                  .host = LST_SLICE("h"),
                                  .key = LST_SLICE("large"),
                                  .query = query,
                                  .query_count = 1,
                                  .headers = headers,
                                  .header_count = 1,
                                  .access_key_id = LST_SLICE("AKID"),
                                  .time = NOW,
                                  .expires = 60};
    struct lst_request request = {
        .method = LST_SLICE("PUT"), .headers = headers, .header_count = 2};
    struct lst_rules rules = {0};
    struct lst_auth auth;
    char *url = malloc(65536);
    size_t length = 0;

    memset(name, 'n', sizeof(name));
    memset(value, 'v', sizeof(value));
    value[100] = '\t';
    for (size_t size = 1; size < 5000 && url != NULL; size += 211) {
        query[0].value.length = size;
        headers[0].value.length = 5000 - size;
        CHECK(lst_presign(&signing, &key, url, 65536, &length) == LST_OK, "%zu bytes sign", size);
        request.target = (struct lst_slice){url + 9, length - 9};
        CHECK(lst_parse(&request, &rules, NOW, &auth) == LST_OK &&
                  lst_verify(&request, &auth, &key) == LST_OK,
              "%zu bytes check", size);
    }
    free(url);
}

int main(void)
{
    if (lst_key_init(&key, LST_SLICE("secret"), NOW, LST_SLICE("us-east-1"), LST_SLICE("s3")) !=
        LST_OK) {
        CHECK(false, "the key can be made");
    }
    check_queries();
    check_headers();
    check_payloads();
    check_large();
    return tap_done();
}
