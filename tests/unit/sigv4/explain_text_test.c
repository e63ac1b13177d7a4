/* explain_text_test.c - near misses of signed headers, what is never shown, and no near miss. */
#include "explain_scene.h"
#include "guard_page.h"

static const struct test_case header_cases[] = {
    {"PUT used with POST",
     LST_MISS_METHOD,
     {.method = "PUT"},
     {.method = "POST"},
     .hint = "request"},
    {"a host of the hints", LST_MISS_HOST, {.host = "minio:9000"}, {.host = NULL}, .hint = NULL},
    {"encoded twice",
     LST_MISS_PATH_ENCODED_TWICE,
     {.path = "/bucket/a%2520b"},
     {.path = "/bucket/a%20b"},
     .hint = NULL},
    {"a parameter added",
     LST_MISS_QUERY_PARAMETER,
     {.query = NULL},
     {.query = "a=b"},
     .hint = "'a'"},
    {"x-id taken away",
     LST_MISS_QUERY_PARAMETER,
     {.query = "x-id=PutObject"},
     {.query = NULL},
     .hint = NULL},
    {"a signed type that did not arrive",
     LST_MISS_HEADER_ABSENT,
     {.name = "content-type", .value = "binary/octet-stream"},
     {.name = NULL},
     .hint = NULL},
    {"100-continue dropped by a proxy",
     LST_MISS_HEADER_ABSENT,
     {.name = "expect", .value = "100-continue"},
     {.name = NULL},
     .hint = "'expect'"},
    {"another payload hash, header and all",
     LST_MISS_PAYLOAD_HASH,
     {.payload = EMPTY_SHA256},
     {.payload = "UNSIGNED-PAYLOAD"},
     .hint = NULL},
    {"a key for another region", LST_MISS_REGION, .key = {.region = "auto"}, .hint = NULL},
    {"a secret with a line end", LST_MISS_SECRET_WHITESPACE, .key = {.secret = SECRET "\n"},
     .hint = NULL},
};

static void test_header_cases(void)
{
    for (size_t i = 0; i < sizeof(header_cases) / sizeof(header_cases[0]); i++) {
        struct test_case test = header_cases[i];

        test.kind = LST_AUTH_HEADER;
        expect(&test, SECRET);
    }
}

static void test_our_secret(void)
{
    const struct test_case test = {"white space around the secret that we hold",
                                   LST_MISS_SECRET_WHITESPACE, .hint = "this server holds",
                                   .kind = LST_AUTH_QUERY};

    expect(&test, SECRET " \n");
}

static void test_not_found(void)
{
    struct test_case test = {
        .what = "another secret", .key = {.secret = "another"}, .kind = LST_AUTH_QUERY};
    struct lst_explanation why;

    CHECK(explain(&test, SECRET, &why) == LST_ERR_NO_NEAR_MISS && why.miss == LST_MISS_NONE,
          "another secret is not explained");
    CHECK(contains(&why, "AKIAIOSFODNN7EXAMPLE") && contains(&why, "secret access key"),
          "but the text says what to compare");
    printf("# %.*s\n", (int)why.length, why.text);
    test = (struct test_case){.what = "an unknown value",
                              .signer = {.name = "x-amz-meta-a", .value = "something"},
                              .kind = LST_AUTH_QUERY};
    CHECK(explain(&test, SECRET, &why) == LST_ERR_NO_NEAR_MISS && contains(&why, "'x-amz-meta-a'"),
          "a signed header that did not arrive is named");
    printf("# %.*s\n", (int)why.length, why.text);
}

/* A text that named the change would show the token. */
static void test_token(void)
{
    const struct test_case test = {
        .what = "a token that was added to",
        .signer = {.name = "x-amz-security-token", .value = "hush"},
        .arrived = {.name = "x-amz-security-token", .value = "hush,more"},
        .kind = LST_AUTH_QUERY};
    struct lst_explanation why;

    CHECK(explain(&test, SECRET, &why) == LST_ERR_NO_NEAR_MISS && !contains(&why, "hush"),
          "a session token is never shown");
}

/* What was sent is shown, but never as it could harm a log, and never at full length. */
static void test_shown(void)
{
    struct test_case test = {
        .what = "a long host", .signer = {.host = "minio:9000"}, .kind = LST_AUTH_QUERY};
    struct lst_explanation why;
    char host[2001];

    memset(host, 'h', sizeof(host) - 1);
    memcpy(host, "a\x1b[31m\r\n\xff", 9);
    host[sizeof(host) - 1] = '\0';
    test.arrived.host = host;
    CHECK(explain(&test, SECRET, &why) == LST_REFUSED_SIGNATURE && why.miss == LST_MISS_HOST &&
              why.length < 400,
          "a long host is shortened");
    CHECK(contains(&why, "'a?[31m???hhh") && contains(&why, "hhh...'"),
          "and its control bytes are not shown");
}

static void test_arguments(void)
{
    static char target[LST_TARGET_MAX + 2];
    static const struct lst_hints hints;
    struct lst_request request;
    struct lst_explanation why;
    struct lst_auth auth;

    memset(&request, 0, sizeof(request));
    memset(&auth, 0, sizeof(auth));
    CHECK(lst_explain(&request, &auth, LST_SLICE(SECRET), &hints, &why) == LST_ERR_INVALID_ARGUMENT,
          "nothing to explain without a signature");
    auth.kind = LST_AUTH_QUERY;
    CHECK(lst_explain(&request, &auth, LST_SLICE(""), &hints, &why) == LST_ERR_INVALID_ARGUMENT,
          "nor without a secret");
    memset(target, '/', sizeof(target));
    request.target = (struct lst_slice){target, sizeof(target)};
    CHECK(lst_explain(&request, &auth, LST_SLICE(SECRET), &hints, &why) ==
              LST_REFUSED_TARGET_TOO_LONG,
          "nor for a target that is too long");
}

/* The target and the host end at pages that can't be read, at every length. */
static void test_guard_page(void)
{
    static const char path[] = "/bucket//a%20b/../+%2B/.";
    static const char host[] = "bucket.LOCALHOST:9000";
    static const struct lst_hints hints;
    struct guard target_guard = guard_open();
    struct guard host_guard = guard_open();
    struct lst_field header = {LST_SLICE("Host"), {NULL, 0}};
    struct lst_request request = {
        .method = LST_SLICE("GET"), .headers = &header, .header_count = 1};
    struct lst_explanation why;
    struct lst_auth auth;
    bool right = true;

    memset(&auth, 0, sizeof(auth));
    auth.kind = LST_AUTH_HEADER;
    auth.signed_headers = LST_SLICE("host");
    auth.payload_hash = LST_SLICE("UNSIGNED-PAYLOAD");
    auth.signature = LST_SLICE(EMPTY_SHA256);
    memcpy(auth.day, "20130524", 8);
    memcpy(auth.region, "us-east-1", 9);
    memcpy(auth.service, "s3", 2);
    for (size_t length = 1; length < sizeof(path); length++) {
        request.target = guard_text(target_guard, (struct lst_slice){path, length});
        header.value =
            guard_text(host_guard, (struct lst_slice){host, length < sizeof(host) ? length : 1});
        right = right && lst_explain(&request, &auth, LST_SLICE(SECRET), &hints, &why) ==
                             LST_ERR_NO_NEAR_MISS;
    }
    CHECK(right, "nothing is read past the end of a target or a host");
    guard_close(target_guard);
    guard_close(host_guard);
}

int main(void)
{
    set_up();
    test_header_cases();
    test_our_secret();
    test_not_found();
    test_token();
    test_shown();
    test_arguments();
    test_guard_page();
    return tap_done();
}
