/* explain_scene.h - what the tests of near misses share: sign one way, send another, ask why. */
#ifndef LST_TESTS_EXPLAIN_SCENE_H
#define LST_TESTS_EXPLAIN_SCENE_H

#include "hash.h"
#include "latchstring.h"
#include "tap.h"

#include <stdlib.h>

#define SECRET            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define EMPTY_SHA256      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define DATE              "20130524T000000Z"
#define CREDENTIAL        "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"
#define CREDENTIAL_IN_URL "AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"

/* A request as one side saw it. What is NULL is as in the usual request, for which see below. */
struct side {
    const char *method;
    const char *host;
    const char *path;    /* the signer's is in the canonical request as it stands here */
    const char *query;   /* further parameters, that sort after "X-Amz-" */
    const char *expires; /* of a URL */
    const char *name;    /* one more header, signed: lower-case */
    const char *value;
    const char *payload;
    const char *tail; /* arrived after the signature */
    const char *forwarded_host;
    const char *more_name; /* of a header that arrived besides */
    const char *more_value;
};

/* What a signer derives its key from. */
struct key_parts {
    const char *secret;
    const char *day;
    const char *region;
    const char *service;
};

struct test_case {
    const char *what;
    enum lst_near_miss miss;
    struct side signer;
    struct side arrived;
    struct key_parts key;
    const char *hint; /* that the sentence gives */
    enum lst_auth_kind kind;
    bool host_is_right;
};

static int64_t when;

static inline const char *either(const char *value, const char *usual)
{
    return value == NULL ? usual : value;
}

/* "accept;host", with any separator; for an Authorization header those that it needs too. */
static inline void list_names(const struct test_case *test, const char *separator, char *out,
                              size_t size)
{
    const char *name = test->signer.name;
    bool before = name != NULL && strcmp(name, "host") < 0;
    bool after = name != NULL && !before;
    bool is_query = test->kind == LST_AUTH_QUERY;

    snprintf(out, size, "%s%shost%s%s%s%s%s%s", before ? name : "", before ? separator : "",
             is_query ? "" : separator, is_query ? "" : "x-amz-content-sha256",
             is_query ? "" : separator, is_query ? "" : "x-amz-date", after ? separator : "",
             after ? name : "");
}

static inline void put_query(const struct test_case *test, const struct side *side, char *out,
                             size_t size)
{
    char names[256];

    list_names(test, "%3B", names, sizeof(names));
    if (test->kind == LST_AUTH_HEADER) {
        snprintf(out, size, "%s", either(side->query, ""));
        return;
    }
    snprintf(out, size,
             "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=%s&X-Amz-Date=" DATE
             "&X-Amz-Expires=%s&X-Amz-SignedHeaders=%s%s%s",
             CREDENTIAL_IN_URL, either(side->expires, "3600"), names,
             side->query == NULL ? "" : "&", either(side->query, ""));
}

/* The canonical request and the signature, as the signer makes them. */
static inline void sign(const struct test_case *test, char signature[LST_SIGNATURE_LENGTH + 1])
{
    const struct side *side = &test->signer;
    bool before = side->name != NULL && strcmp(side->name, "host") < 0;
    char query[2048];
    char names[256];
    char header[512] = "";
    char amz[256] = "";
    char canonical[4096];
    char string[512];
    char sha256[65] = "";
    struct lst_key key;
    struct lst_slice secret = lst_slice_of(either(test->key.secret, SECRET));
    uint8_t digest[32];
    int64_t key_time = when;
    int length;

    put_query(test, side, query, sizeof(query));
    list_names(test, ";", names, sizeof(names));
    if (side->name != NULL) {
        snprintf(header, sizeof(header), "%s:%s\n", side->name, either(side->value, ""));
    }
    if (test->kind == LST_AUTH_HEADER) {
        snprintf(amz, sizeof(amz), "x-amz-content-sha256:%s\nx-amz-date:" DATE "\n",
                 either(side->payload, "UNSIGNED-PAYLOAD"));
    }
    length = snprintf(canonical, sizeof(canonical), "%s\n%s\n%s\n%shost:%s\n%s%s\n%s\n%s",
                      either(side->method, "GET"), either(side->path, "/bucket/key"), query,
                      before ? header : "", either(side->host, "files.example.com"), amz,
                      before ? "" : header, names, either(side->payload, "UNSIGNED-PAYLOAD"));
    lst_internal_sha256((struct lst_slice){canonical, (size_t)length}, digest);
    for (size_t i = 0; i < 32; i++) {
        snprintf(sha256 + 2 * i, 3, "%02x", digest[i]);
    }
    length = snprintf(string, sizeof(string),
                      "AWS4-HMAC-SHA256\n" DATE "\n20130524/us-east-1/s3/aws4_request\n%s", sha256);
    if (test->key.day != NULL) {
        snprintf(header, sizeof(header), "%sT000000Z", test->key.day);
        if (lst_parse_time(lst_slice_of(header), &key_time) != LST_OK) {
            abort();
        }
    }
    if (lst_key_init(&key, secret, key_time, lst_slice_of(either(test->key.region, "us-east-1")),
                     lst_slice_of(either(test->key.service, "s3"))) != LST_OK) {
        abort();
    }
    lst_sign_string(&key, (struct lst_slice){string, (size_t)length}, signature);
    signature[LST_SIGNATURE_LENGTH] = '\0';
}

/* The texts that a request is made of. */
struct arrival {
    char target[4096];
    char authorization[512];
    struct lst_field headers[8];
    struct lst_request request;
};

static inline void add_header(struct arrival *arrival, const char *name, const char *value)
{
    arrival->headers[arrival->request.header_count].name = lst_slice_of(name);
    arrival->headers[arrival->request.header_count++].value = lst_slice_of(value);
}

static inline void arrive(const struct test_case *test, const char *signature,
                          struct arrival *arrival)
{
    const struct side *side = &test->arrived;
    char query[2048];
    char names[256];

    put_query(test, side, query, sizeof(query));
    memset(&arrival->request, 0, sizeof(arrival->request));
    arrival->request.method = lst_slice_of(either(side->method, "GET"));
    arrival->request.headers = arrival->headers;
    add_header(arrival, "Host", either(side->host, "files.example.com"));
    if (side->name != NULL) {
        add_header(arrival, side->name, either(side->value, ""));
    }
    if (side->forwarded_host != NULL) {
        add_header(arrival, "X-Forwarded-Host", side->forwarded_host);
    }
    if (side->more_name != NULL) {
        add_header(arrival, side->more_name, either(side->more_value, ""));
    }
    if (test->kind == LST_AUTH_QUERY) {
        snprintf(arrival->target, sizeof(arrival->target), "%s?%s&X-Amz-Signature=%s%s",
                 either(side->path, "/bucket/key"), query, signature, either(side->tail, ""));
    } else {
        list_names(test, ";", names, sizeof(names));
        snprintf(arrival->target, sizeof(arrival->target), "%s%s%s",
                 either(side->path, "/bucket/key"), *query == '\0' ? "" : "?", query);
        snprintf(arrival->authorization, sizeof(arrival->authorization),
                 "AWS4-HMAC-SHA256 Credential=" CREDENTIAL ", SignedHeaders=%s, Signature=%s",
                 names, signature);
        add_header(arrival, "Authorization", arrival->authorization);
        add_header(arrival, "X-Amz-Date", DATE);
        add_header(arrival, "X-Amz-Content-Sha256", either(side->payload, "UNSIGNED-PAYLOAD"));
    }
    arrival->request.target = lst_slice_of(arrival->target);
}

static inline bool contains(const struct lst_explanation *explanation, const char *text)
{
    return memmem(explanation->text, explanation->length, text, strlen(text)) != NULL;
}

/* Sign it, see it refused, ask why. */
static inline int explain(const struct test_case *test, const char *secret,
                          struct lst_explanation *why)
{
    static const struct lst_slice hosts[] = {{"minio:9000", 10}, {"s3.example.com", 14}};
    static const struct lst_slice regions[] = {{"garage", 6}};
    static const struct lst_rules rules;
    const struct lst_hints hints = {.hosts = hosts,
                                    .host_count = 2,
                                    .bucket = LST_SLICE("bucket"),
                                    .regions = regions,
                                    .region_count = 1,
                                    .host_is_right = test->host_is_right};
    char signature[LST_SIGNATURE_LENGTH + 1];
    struct arrival arrival;
    struct lst_auth auth;
    struct lst_key key;

    sign(test, signature);
    arrive(test, signature, &arrival);
    if (lst_parse(&arrival.request, &rules, when, &auth) != LST_OK ||
        lst_key_init(&key, lst_slice_of(secret), when, LST_SLICE("us-east-1"), LST_SLICE("s3")) !=
            LST_OK) {
        printf("# '%s' does not parse\n", test->what);
        return LST_ERR_INVALID_ARGUMENT;
    }
    if (lst_verify(&arrival.request, &auth, &key) == LST_OK) {
        return LST_OK;
    }
    memset(why, 0, sizeof(*why));
    if (lst_explain(&arrival.request, &auth, lst_slice_of(secret), &hints, why) == LST_OK) {
        return LST_REFUSED_SIGNATURE;
    }
    return LST_ERR_NO_NEAR_MISS;
}

static inline void expect(const struct test_case *test, const char *secret)
{
    struct lst_explanation why;
    int error = explain(test, secret, &why);

    CHECK(error == LST_REFUSED_SIGNATURE && why.miss == test->miss, "%s: %d (%d, %d)", test->what,
          (int)test->miss, error, (int)why.miss);
    if (error == LST_REFUSED_SIGNATURE) {
        printf("# %.*s\n", (int)why.length, why.text);
        CHECK(test->hint == NULL || contains(&why, test->hint), "the sentence has: %s",
              either(test->hint, ""));
        CHECK(!contains(&why, "wJalrXUtnFEMI"), "and no secret");
    }
}

static inline void set_up(void)
{
    if (lst_parse_time(LST_SLICE(DATE), &when) != LST_OK) {
        abort();
    }
}

#endif
