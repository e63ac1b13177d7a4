/*
 * explain_way_test.c - what happens to a URL on its way: a proxy with its own Host, a second
 * encoding, HTML, a full stop. Each is signed rightly, spoilt as it is spoilt in life, and must be
 * named; what is named, undone, must verify.
 */
#include "explain_scene.h"

#define DISPOSITION "response-content-disposition=attachment%3B%20filename%3D%22a%20b.txt%22"

static const struct test_case cases[] = {
    {"a proxy that dropped Host, and says which",
     LST_MISS_HOST,
     {.host = NULL},
     {.host = "127.0.0.1:9000", .forwarded_host = "files.example.com"},
     .hint = "proxy_set_header Host $http_host"},
    {"a chain of proxies, the first",
     LST_MISS_HOST,
     {.host = NULL},
     {.host = "minio", .forwarded_host = "files.example.com, inner.example.com"},
     .hint = "'files.example.com'"},
    {"a chain of proxies, the last",
     LST_MISS_HOST,
     {.host = NULL},
     {.host = "10.0.0.7:9000", .forwarded_host = "www.example.com, files.example.com"},
     .hint = "--public-url"},
    {"a proxy that tells the port apart",
     LST_MISS_HOST,
     {.host = "files.example.com:8443"},
     {.host = "s3",
      .forwarded_host = "files.example.com",
      .more_name = "X-Forwarded-Port",
      .more_value = "8443"},
     .hint = "'files.example.com:8443'"},
    {"Forwarded",
     LST_MISS_HOST,
     {.host = NULL},
     {.host = "s3_backend",
      .more_name = "Forwarded",
      .more_value = "for=192.0.2.1;Host=\"files.example.com\";proto=https, for=10.0.0.1"},
     .hint = "'s3_backend'"},
    {"X-Original-Host",
     LST_MISS_HOST,
     {.host = NULL},
     {.host = "store.svc.cluster.local",
      .more_name = "X-Original-Host",
      .more_value = "files.example.com"},
     .hint = "pass the client's Host on"},
    {"signed inside, used outside",
     LST_MISS_HOST,
     {.host = "localhost:9000"},
     {.host = NULL},
     .hint = "signer's endpoint"},
    {"signed for an inner name with a dot, used outside",
     LST_MISS_HOST,
     {.host = "127.0.0.1"},
     {.host = NULL},
     .hint = "inner name"},
    {"a bucket put before the host, and left in the path",
     LST_MISS_HOST,
     {.host = NULL},
     {.host = "bucket.files.example.com"},
     .hint = "'bucket.files.example.com'"},
    {"a path encoded again",
     LST_MISS_ENCODED_AGAIN,
     {.path = "/bucket/a%20b"},
     {.path = "/bucket/a%2520b"},
     .hint = "'%2520'"},
    {"a query encoded again, but for its credential",
     LST_MISS_ENCODED_AGAIN,
     {.query = DISPOSITION},
     {.query = "response-content-disposition=attachment%253B%2520filename%253D%2522a%2520b.txt%"
               "2522"},
     .hint = "query"},
    {"path and query encoded again",
     LST_MISS_ENCODED_AGAIN,
     {.path = "/bucket/a%20b", .query = "response-content-type=image%2Fpng"},
     {.path = "/bucket/a%2520b", .query = "response-content-type=image%252Fpng"},
     .hint = "whole URL"},
    {"the signer's second encoding",
     LST_MISS_PATH_ENCODED_TWICE,
     {.path = "/bucket/a%2520b"},
     {.path = "/bucket/a%20b"},
     .hint = "signer"},
    {"a full stop after the last parameter",
     LST_MISS_GLUED,
     {.query = "x-id=GetObject"},
     {.tail = "&x-id=GetObject."},
     .hint = "'.'"},
    {"white space and a bracket",
     LST_MISS_GLUED,
     {.query = "x-id=GetObject"},
     {.tail = "&x-id=GetObject%20)"},
     .hint = "'%20)'"},
    {"a bracket glued to what follows the signature",
     LST_MISS_GLUED,
     {.query = "x-id=GetObject"},
     {.tail = "&x-id=GetObject%3E"},
     .hint = "chat"},
    {"'&amp;' in one place",
     LST_MISS_COPIED,
     {.query = "a=b&c=d"},
     {.query = "a=b&amp;c=d"},
     .hint = "HTML"},
    {"UTF-8 sent as ISO-8859-1",
     LST_MISS_HEADER_ENCODING,
     {.name = "x-amz-meta-title", .value = "M\xc3\xbcnchen"},
     {.name = "x-amz-meta-title", .value = "M\xfcnchen"},
     .hint = "'x-amz-meta-title' was signed as UTF-8"},
    {"ISO-8859-1 sent as UTF-8",
     LST_MISS_HEADER_ENCODING,
     {.name = "x-amz-meta-title", .value = "M\xfcnchen"},
     {.name = "x-amz-meta-title", .value = "M\xc3\xbcnchen"},
     .hint = "signed as ISO-8859-1"},
    {"UTF-8 encoded once more",
     LST_MISS_HEADER_ENCODING,
     {.name = "content-disposition", .value = "inline; filename=\xc3\xa4.txt"},
     {.name = "content-disposition", .value = "inline; filename=\xc3\x83\xc2\xa4.txt"},
     .hint = "'content-disposition'"},
};

/* A URL that is right. Its text is static. */
static struct arrival *right_url(const char *path, const char *query)
{
    static struct arrival arrival;
    struct test_case test = {.signer = {.path = path, .query = query},
                             .arrived = {.path = path, .query = query},
                             .kind = LST_AUTH_QUERY};
    char signature[LST_SIGNATURE_LENGTH + 1];

    sign(&test, signature);
    arrive(&test, signature, &arrival);
    return &arrival;
}

/* Every `from` as `to`; text has room for 4096 bytes. */
static void replace(char *text, const char *from, const char *to)
{
    char out[4096];
    size_t length = 0;

    for (const char *at = text; *at != '\0' && length < sizeof(out) - 8;) {
        if (strncmp(at, from, strlen(from)) == 0) {
            length += (size_t)snprintf(out + length, sizeof(out) - length, "%s", to);
            at += strlen(from);
        } else {
            out[length++] = *at++;
        }
    }
    out[length] = '\0';
    memcpy(text, out, length + 1);
}

static void change_case(char *text, char from, char to)
{
    for (; *text != '\0'; text++) {
        if (*text >= from && *text < from + 26) {
            *text = (char)(*text - from + to);
        }
    }
}

/* The request is refused for its form; say why. */
static int refuse(struct arrival *arrival, struct lst_explanation *why)
{
    static const struct lst_rules rules;
    static const struct lst_hints hints;
    struct lst_auth auth;
    int code;

    arrival->request.target = lst_slice_of(arrival->target);
    code = lst_parse(&arrival->request, &rules, when, &auth);
    memset(why, 0, sizeof(*why));
    if (code != LST_OK) {
        return lst_explain_refusal(&arrival->request, &rules, when, code, &auth, why);
    }
    /* A signature of another form is a wrong one. */
    code = lst_explain(&arrival->request, &auth, LST_SLICE(SECRET), &hints, why);
    CHECK(code != LST_OK || why->length > 0, "explained: %s", arrival->target);
    return code;
}

static void expect_form(struct arrival *arrival, enum lst_near_miss miss, const char *hint)
{
    struct lst_explanation why;
    int status = refuse(arrival, &why);

    CHECK(status == LST_OK && why.miss == miss && contains(&why, hint), "%s: %.*s", hint,
          (int)why.length, why.text);
}

static void test_forms(void)
{
    struct arrival *url = right_url("/bucket/a%20b", NULL);

    replace(url->target, "&", "&amp;");
    expect_form(url, LST_MISS_COPIED, "'&amp;'");
    url = right_url("/bucket/a%20b", NULL);
    replace(url->target, "&", "\\u0026");
    expect_form(url, LST_MISS_COPIED, "JSON");
    url = right_url("/bucket/a%20b", NULL);
    replace(url->target, "%", "%25");
    expect_form(url, LST_MISS_ENCODED_AGAIN, "The whole URL");
    url = right_url("/bucket/key", NULL);
    replace(url->target, "%", "%25");
    expect_form(url, LST_MISS_ENCODED_AGAIN, "'%252F'");
    url = right_url("/bucket/key", NULL);
    replace(url->target, "%", "%25");
    replace(url->target, "&", "%26");
    replace(url->target, "=", "%3D");
    expect_form(url, LST_MISS_ENCODED_AGAIN, "'&' and '='");
    replace(url->target, "?", "%3F");
    expect_form(url, LST_MISS_ENCODED_AGAIN, "'%3F'");
    url = right_url("/bucket/key", NULL);
    strcat(url->target, "%20");
    expect_form(url, LST_MISS_GLUED, "'%20'");
    url = right_url("/bucket/key", NULL);
    strcat(url->target, ").");
    expect_form(url, LST_MISS_GLUED, "').'");
    url = right_url("/bucket/key", NULL);
    strcat(url->target, "%E2%80%9D");
    expect_form(url, LST_MISS_GLUED, "full stop");
    url = right_url("/bucket/key", NULL);
    replace(url->target, "=", "=3D");
    expect_form(url, LST_MISS_COPIED, "'=3D'");
    url = right_url("/bucket/key", NULL);
    replace(url->target, "Z&X-Amz-Ex", "Z%0D%0A&X-Amz-Ex");
    expect_form(url, LST_MISS_WRAPPED, "line was wrapped");
    url = right_url("/bucket/key", NULL);
    replace(url->target, "20130524T", "2013=%0A0524T");
    expect_form(url, LST_MISS_WRAPPED, "line was wrapped");
    url = right_url("/bucket/key", NULL);
    replace(url->target, "Date=2013", "Date=2013%20");
    expect_form(url, LST_MISS_WRAPPED, "line was wrapped");
    url = right_url("/bucket/key", NULL);
    url->target[strlen(url->target) - 3] = '\0';
    expect_form(url, LST_MISS_CUT_SHORT, "fewer than 64");
    url = right_url("/bucket/key", NULL);
    *strchr(url->target, '&') = '\0';
    expect_form(url, LST_MISS_CUT_SHORT, "an '&' without quotes");
    url = right_url("/bucket/key", NULL);
    change_case(strstr(url->target, "Signature="), 'a', 'A');
    replace(url->target, "SIGNATURE=", "Signature=");
    expect_form(url, LST_MISS_CASE, "capitals");
    url = right_url("/bucket/key", NULL);
    change_case(url->target, 'A', 'a');
    expect_form(url, LST_MISS_CASE, "lower case");
}

/* What is of another kind is not explained so, and what is right is right. */
static void test_no_form(void)
{
    struct lst_explanation why;
    struct arrival *url = right_url("/bucket/key", NULL);

    replace(url->target, "20130524%2F", "20130525%2F");
    CHECK(refuse(url, &why) == LST_ERR_NO_NEAR_MISS && why.length == 0,
          "a scope of another day is no accident of the way");
    strcpy(url->target, "/bucket/a%3Fb&amp;c.");
    CHECK(refuse(url, &why) == LST_ERR_NO_NEAR_MISS, "nor is a request without a signature");
    url = right_url("/bucket/key", NULL);
    replace(url->target, "&X-Amz-Signature", ".&amp;X-Amz-Signature");
    CHECK(refuse(url, &why) == LST_ERR_NO_NEAR_MISS, "two accidents are not called one");
}

/* Digits of escapes in lower case are the same bytes: nothing has to be explained. */
static void test_lower_case_hex(void)
{
    static const struct lst_rules rules;
    struct arrival *url = right_url("/bucket/a%2Bb", DISPOSITION);
    struct lst_auth auth;
    struct lst_key key;

    replace(url->target, "%2F", "%2f");
    replace(url->target, "%3B", "%3b");
    replace(url->target, "%3D", "%3d");
    replace(url->target, "%2B", "%2b");
    url->request.target = lst_slice_of(url->target);
    CHECK(lst_parse(&url->request, &rules, when, &auth) == LST_OK &&
              lst_key_init(&key, LST_SLICE(SECRET), when, LST_SLICE("us-east-1"),
                           LST_SLICE("s3")) == LST_OK &&
              lst_verify(&url->request, &auth, &key) == LST_OK,
          "%%2f is %%2F");
}

/* Two headers that one client encoded alike. */
static void test_two_headers(void)
{
    const struct test_case test = {.what = "two headers",
                                   .miss = LST_MISS_HEADER_ENCODING,
                                   .signer = {.name = "x-amz-meta-a", .value = "\xc3\xa4,\xc3\xb6"},
                                   .arrived = {.name = "x-amz-meta-a",
                                               .value = "\xe4",
                                               .more_name = "x-amz-meta-a",
                                               .more_value = "\xf6"},
                                   .hint = "'x-amz-meta-a'",
                                   .kind = LST_AUTH_QUERY};

    expect(&test, SECRET);
}

/* Nothing fits: the Host is said, and what to set, before the secret. */
static void test_host_before_secret(void)
{
    static const char *const inner[] = {"127.0.0.1:9000", "minio:9000",  "localhost",
                                        "s3_backend",     "[::1]:9000",  "10.1.2.3",
                                        "store.internal", "a.svc.local", "a.localhost:9000"};
    struct lst_explanation why;

    for (size_t i = 0; i < sizeof(inner) / sizeof(inner[0]); i++) {
        const struct test_case test = {.what = inner[i],
                                       .signer = {.host = "files.example.org"},
                                       .arrived = {.host = inner[i]},
                                       .kind = LST_AUTH_QUERY};

        CHECK(explain(&test, SECRET, &why) == LST_ERR_NO_NEAR_MISS && contains(&why, inner[i]) &&
                  contains(&why, "an inner name") &&
                  contains(&why, "proxy_set_header Host $http_host") &&
                  contains(&why, "--public-url") && contains(&why, "check the secret"),
              "%s: %.*s", inner[i], (int)why.length, why.text);
    }
    const struct test_case outer = {.what = "an outer name",
                                    .signer = {.host = "files.example.org"},
                                    .arrived = {.host = "files.example.net"},
                                    .kind = LST_AUTH_QUERY};

    CHECK(explain(&outer, SECRET, &why) == LST_ERR_NO_NEAR_MISS &&
              contains(&why, "'files.example.net'") && !contains(&why, "inner") &&
              !contains(&why, "files.example.org") && contains(&why, "check the secret"),
          "an outer name is said, and not called inner: %.*s", (int)why.length, why.text);
}

/* Where the host is right and nothing fits, the secret is said first, and no proxy. */
static void test_secret_first(void)
{
    static const char *const hosts[] = {"127.0.0.1:9000", "files.example.com"};
    struct lst_explanation why;

    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        const struct test_case test = {.what = hosts[i],
                                       .signer = {.host = hosts[i]},
                                       .arrived = {.host = hosts[i]},
                                       .key = {.secret = "another"},
                                       .kind = LST_AUTH_QUERY,
                                       .host_is_right = true};

        CHECK(explain(&test, SECRET, &why) == LST_ERR_NO_NEAR_MISS &&
                  strncmp(why.text, "Most likely the secret", 22) == 0 &&
                  contains(&why, "AKIAIOSFODNN7EXAMPLE") && !contains(&why, "nginx"),
              "%s: %.*s", hosts[i], (int)why.length, why.text);
    }
}

/* What looks like an accident is none if that, undone, does not verify. */
static void test_no_accident(void)
{
    struct lst_explanation why;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct test_case test = cases[i];

        test.kind = LST_AUTH_QUERY;
        test.key.secret = "another";
        CHECK(explain(&test, SECRET, &why) == LST_ERR_NO_NEAR_MISS && why.miss == LST_MISS_NONE,
              "%s, and another secret: not explained", test.what);
    }
}

/* A signature that is none: how much of it would be right is not told, or it could be found out. */
static void test_no_signature(void)
{
    struct lst_explanation why;
    struct arrival *url = right_url("/bucket/key", NULL);
    char *signature = strstr(url->target, "X-Amz-Signature=") + 16;
    struct lst_explanation right;

    signature[8] = '\0';
    CHECK(refuse(url, &right) == LST_OK && right.miss == LST_MISS_CUT_SHORT, "eight right digits");
    memset(signature, signature[0] == '0' ? '1' : '0', 8);
    CHECK(refuse(url, &why) == LST_OK && why.length == right.length &&
              memcmp(why.text, right.text, why.length) == 0,
          "and eight wrong ones get the same answer");
    memcpy(signature, "no hexes", 8);
    CHECK(refuse(url, &why) == LST_ERR_NO_NEAR_MISS &&
              contains(&why, "not 64 lower-case hexadecimal digits"),
          "what is no hexadecimal is said to be none: %.*s", (int)why.length, why.text);
}

/* The longest that can be shown fits. */
static void test_long_texts(void)
{
    static char host[300];
    struct test_case test = {.what = "a long inner host",
                             .signer = {.host = "files.example.org"},
                             .arrived = {.host = host},
                             .kind = LST_AUTH_QUERY};
    struct lst_explanation why = {.length = 0};

    memset(host, 'h', sizeof(host) - 1);
    CHECK(explain(&test, SECRET, &why) == LST_ERR_NO_NEAR_MISS &&
              why.length + 72 < sizeof(why.text) && why.text[why.length - 1] == '.',
          "whole with a long host and, still, a long access key id: %d bytes", (int)why.length);
}

int main(void)
{
    set_up();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct test_case test = cases[i];

        test.kind = LST_AUTH_QUERY;
        expect(&test, SECRET);
    }
    test_forms();
    test_no_form();
    test_lower_case_hex();
    test_two_headers();
    test_host_before_secret();
    test_secret_first();
    test_no_accident();
    test_no_signature();
    test_long_texts();
    return tap_done();
}
