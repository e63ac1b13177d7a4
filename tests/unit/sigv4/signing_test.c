/* signing_test.c - what may be signed and what not, keys, credentials, and the shape of URLs. */
#include "latchstring.h"
#include "tap.h"

#define NOW INT64_C(1369353600)

static struct lst_key key;

static struct lst_signing usual(void)
{
    return (struct lst_signing){.method = LST_SLICE("GET"),
                                .scheme = LST_SLICE("http"),
                                .host = LST_SLICE("h:9000"),
                                .bucket = LST_SLICE("photos"),
                                .key = LST_SLICE("a b/\xc3\xa9+//../c"),
                                .access_key_id = LST_SLICE("AKID"),
                                .time = NOW,
                                .expires = 60};
}

static void check_begins(const char *what, const struct lst_signing *signing, const char *want)
{
    char url[4096];
    size_t length = 0;

    CHECK(lst_presign(signing, &key, url, sizeof(url), &length) == LST_OK, "%s: signs", what);
    CHECK_TEXT(url, length < strlen(want) ? length : strlen(want), want, what);
    CHECK(length <= lst_presign_bound(signing, &key), "%s: the bound holds", what);
}

static void check_urls(void)
{
    struct lst_signing signing = usual();
    const struct lst_field query[] = {{LST_SLICE("z"), LST_SLICE("1 2")},
                                      {LST_SLICE("A"), LST_SLICE("")}};

    check_begins("path style", &signing, "http://h:9000/photos/a%20b/%C3%A9%2B//../c?X-Amz-Alg");
    signing.key = LST_SLICE("");
    check_begins("a bucket alone", &signing, "http://h:9000/photos?X-Amz-Alg");
    signing.style = LST_VIRTUAL_HOST;
    check_begins("a bucket alone, virtual host", &signing, "http://photos.h:9000/?X-Amz-Alg");
    signing.key = LST_SLICE("/k");
    signing.scheme = LST_SLICE("");
    check_begins("https unless told", &signing, "https://photos.h:9000//k?X-Amz-Alg");
    signing.bucket = LST_SLICE("");
    check_begins("no bucket", &signing, "https://h:9000//k?X-Amz-Alg");
    signing.query = query;
    signing.query_count = 2;
    check_begins("further parameters come first, in their own order", &signing,
                 "https://h:9000//k?z=1%202&A=&X-Amz-Alg");
    signing.query_count = 0;
    signing.session_token = LST_SLICE("a/b+c=");
    check_begins(
        "the token comes after the signed headers", &signing,
        "https://h:9000//k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20130524"
        "%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=60&"
        "X-Amz-SignedHeaders=host&X-Amz-Security-Token=a%2Fb%2Bc%3D&X-Amz-Signature=");
}

static void check_refused(const char *what, const struct lst_signing *signing)
{
    char url[4096];
    size_t length = 77;

    CHECK(lst_presign(signing, &key, url, sizeof(url), &length) == LST_ERR_INVALID_ARGUMENT &&
              length == 77,
          "%s can't be signed", what);
}

static void check_header_refused(const char *name, const char *value)
{
    struct lst_signing signing = usual();
    struct lst_field header = {lst_slice_of(name), lst_slice_of(value)};

    signing.headers = &header;
    signing.header_count = 1;
    check_refused(name, &signing);
}

static void check_invalid(void)
{
    static const struct lst_field many[LST_PARAMETERS_MAX + 1];
    static const char *const own[] = {
        "X-Amz-Algorithm", "X-Amz-Credential",    "X-Amz-Date",          "X-Amz-Expires",
        "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Security-Token"};
    struct lst_signing signing = usual();
    struct lst_field parameter = {{NULL, 0}, LST_SLICE("1")};

#define WITHOUT(field, text)                                                                       \
    signing = usual();                                                                             \
    signing.field = LST_SLICE(text);                                                               \
    check_refused("a " #field " like \"" text "\"", &signing)
    WITHOUT(method, "");
    WITHOUT(method, "GET\n/other");
    WITHOUT(host, "");
    WITHOUT(host, "h/path");
    WITHOUT(host, "h\nx:y");
    WITHOUT(host, "user@h");
    WITHOUT(access_key_id, "");
    WITHOUT(access_key_id, "a/b");
    WITHOUT(access_key_id, "a,b");
    WITHOUT(session_token, "a\nb");
    WITHOUT(payload_hash, "a\nb");
#undef WITHOUT
    signing = usual();
    signing.expires = 0;
    check_refused("an expiry of nothing", &signing);
    signing = usual();
    signing.time = NOW + 86400;
    check_refused("another day than the key's", &signing);
    signing.time = -1;
    check_refused("a time before 1970", &signing);
    signing = usual();
    signing.query = many;
    signing.query_count = LST_PARAMETERS_MAX + 1;
    check_refused("too many parameters", &signing);
    signing = usual();
    signing.headers = many;
    signing.header_count = LST_SIGNED_HEADERS_MAX + 1;
    check_refused("too many headers", &signing);
    check_header_refused("Host", "h");
    check_header_refused("", "h");
    check_header_refused("a b", "h");
    check_header_refused("a:b", "h");
    check_header_refused("range", "a\r\nb: c");
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        signing = usual();
        parameter.name = lst_slice_of(own[i]);
        signing.query = &parameter;
        signing.query_count = 1;
        check_refused(own[i], &signing);
    }
}

static void check_headers_of_a_header(void)
{
    struct lst_signing signing = usual();
    struct lst_field headers[] = {{LST_SLICE("Zeta"), LST_SLICE(" a   b ")},
                                  {LST_SLICE("alpha"), LST_SLICE("1")},
                                  {LST_SLICE("ALPHA"), LST_SLICE("2")}};
    struct lst_field own = {LST_SLICE("X-AMZ-DATE"), LST_SLICE("x")};
    char text[2048];
    size_t length = 0;

    signing.headers = headers;
    signing.header_count = 3;
    signing.session_token = LST_SLICE("token");
    CHECK(lst_signing_canonical_request(&signing, &key, LST_AUTH_HEADER, text, sizeof(text),
                                        &length) == LST_OK,
          "a request with headers can be signed");
    CHECK_TEXT(text, length,
               "GET\n/photos/a%20b/%C3%A9%2B//../c\n\nalpha:1,2\nhost:h:9000\n"
               "x-amz-content-sha256:UNSIGNED-PAYLOAD\nx-amz-date:20130524T000000Z\n"
               "x-amz-security-token:token\nzeta:a b\n\nalpha;host;x-amz-content-sha256;x-amz-date;"
               "x-amz-security-token;zeta\nUNSIGNED-PAYLOAD",
               "headers are sorted, joined and folded, and the library's own are there");
    signing.headers = &own;
    signing.header_count = 1;
    CHECK(lst_sign_header(&signing, &key, text, sizeof(text), &length) == LST_ERR_INVALID_ARGUMENT,
          "a header that the library adds itself can't be given");
    CHECK(lst_signing_canonical_request(&signing, &key, LST_AUTH_FORM, text, sizeof(text),
                                        &length) == LST_ERR_INVALID_ARGUMENT,
          "a form has no canonical request");
}

static void check_keys(void)
{
    static char long_text[300];
    struct lst_key other;
    const struct lst_slice region = LST_SLICE("us-east-1");
    const struct lst_slice service = LST_SLICE("s3");
    const struct lst_slice secret = LST_SLICE("secret");
    char credential[320];
    size_t length = 0;

    memset(long_text, 'x', sizeof(long_text));
    CHECK(lst_key_fits(&key, LST_SLICE("20130524"), region, service), "a key fits its scope");
    CHECK(!lst_key_fits(&key, LST_SLICE("20130525"), region, service) &&
              !lst_key_fits(&key, LST_SLICE("20130524"), LST_SLICE("us-east-2"), service) &&
              !lst_key_fits(&key, LST_SLICE("20130524"), region, LST_SLICE("s4")) &&
              !lst_key_fits(&key, LST_SLICE("20130524"), LST_SLICE("us-east-1/s"), LST_SLICE("3")),
          "and no other");
    CHECK(lst_key_init(&other, LST_SLICE(""), NOW, region, service) == LST_ERR_INVALID_ARGUMENT &&
              lst_key_init(&other, (struct lst_slice){long_text, 257}, NOW, region, service) ==
                  LST_ERR_INVALID_ARGUMENT &&
              lst_key_init(&other, secret, -1, region, service) == LST_ERR_INVALID_ARGUMENT &&
              lst_key_init(&other, secret, INT64_C(253402300800), region, service) ==
                  LST_ERR_INVALID_ARGUMENT &&
              lst_key_init(&other, secret, NOW, LST_SLICE(""), service) ==
                  LST_ERR_INVALID_ARGUMENT &&
              lst_key_init(&other, secret, NOW, LST_SLICE("a/b"), service) ==
                  LST_ERR_INVALID_ARGUMENT &&
              lst_key_init(&other, secret, NOW, (struct lst_slice){long_text, 64}, service) ==
                  LST_ERR_INVALID_ARGUMENT &&
              lst_key_init(&other, secret, NOW, region, (struct lst_slice){long_text, 32}) ==
                  LST_ERR_INVALID_ARGUMENT,
          "a key needs a secret, a time, a region and a service within the limits");
    CHECK(lst_key_init(&other, (struct lst_slice){long_text, 256}, NOW,
                       (struct lst_slice){long_text, 63},
                       (struct lst_slice){long_text, 31}) == LST_OK &&
              strlen(other.scope) == other.scope_length && other.scope_length == 117,
          "the largest of each are accepted");
    CHECK(lst_credential((struct lst_slice){long_text, 128}, &other, credential, sizeof(credential),
                         &length) == LST_OK &&
              length == 128 + 1 + 117,
          "the longest credential fits 320 bytes");
    lst_wipe(&other, sizeof(other));
    CHECK(other.inner[0] == 0 && other.scope[0] == 0, "a key can be wiped");
}

static void check_token(void)
{
    struct lst_auth auth = {.kind = LST_AUTH_QUERY, .session_token = LST_SLICE("a%2Fb%2bc%3D")};

    CHECK(lst_auth_token_equals(&auth, LST_SLICE("a/b+c=")), "a URL's token is decoded");
    CHECK(!lst_auth_token_equals(&auth, LST_SLICE("a/b+c")) &&
              !lst_auth_token_equals(&auth, LST_SLICE("a/b+c==")) &&
              !lst_auth_token_equals(&auth, LST_SLICE("a/b+d=")) &&
              !lst_auth_token_equals(&auth, LST_SLICE("")),
          "and must be equal");
    auth.kind = LST_AUTH_HEADER;
    CHECK(lst_auth_token_equals(&auth, LST_SLICE("a%2Fb%2bc%3D")), "a header's is as it stands");
    auth.session_token = LST_SLICE("");
    CHECK(lst_auth_token_equals(&auth, LST_SLICE("")), "no token equals no token");
}

int main(void)
{
    if (lst_key_init(&key, LST_SLICE("secret"), NOW, LST_SLICE("us-east-1"), LST_SLICE("s3")) !=
        LST_OK) {
        CHECK(false, "the key can be made");
    }
    check_urls();
    check_invalid();
    check_headers_of_a_header();
    check_keys();
    check_token();
    return tap_done();
}
