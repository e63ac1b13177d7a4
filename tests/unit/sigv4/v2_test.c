/* v2_test.c - Signature Version 2: the examples of AWS's documentation, and what is refused. */
#include "latchstring.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

#define ID     "AKIAIOSFODNN7EXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define NOW    1175024202 /* Tue, 27 Mar 2007 19:36:42 GMT */

static const struct lst_rules allowing = {.allow_v2 = true};

/* A request of "Signing and authenticating REST requests". */
struct example {
    const char *what;
    const char *method;
    const char *target;
    const char *bucket; /* in the host name */
    const char *signature;
    int64_t now;
    const char *headers[10]; /* "Name: value" */
};

static const struct example examples[] = {
    {"Object GET",
     "GET",
     "/photos/puppy.jpg",
     "johnsmith",
     "bWq2s1WEIj+Ydj0vQ697zp+IXMU=",
     NOW,
     {"Date: Tue, 27 Mar 2007 19:36:42 +0000"}},
    {"Object PUT",
     "PUT",
     "/photos/puppy.jpg",
     "johnsmith",
     "MyyxeRY7whkBe+bq8fHCL/2kKUg=",
     NOW + 5943,
     {"Content-Type: image/jpeg", "Content-Length: 94328",
      "Date: Tue, 27 Mar 2007 21:15:45 +0000"}},
    {"List",
     "GET",
     "/?prefix=photos&max-keys=50&marker=puppy",
     "johnsmith",
     "htDYFYduRNen8P9ZfE/s9SuKy0U=",
     NOW + 359,
     {"User-Agent: Mozilla/5.0", "Date: Tue, 27 Mar 2007 19:42:41 +0000"}},
    {"Fetch",
     "GET",
     "/?acl",
     "johnsmith",
     "c2WLPFtWHVgbEmeEG93a4cG37dM=",
     NOW + 484,
     {"Date: Tue, 27 Mar 2007 19:44:46 +0000"}},
    {"Upload",
     "PUT",
     "/db-backup.dat.gz",
     "static.johnsmith.net",
     "ilyl83RwaSoYIEdixDQcA4OnAnc=",
     NOW + 5366,
     {"Date: Tue, 27 Mar 2007 21:06:08 +0000", "x-amz-acl: public-read",
      "content-type: application/x-download",
      "Content-MD5: 4gJE4saaMU4BqNR0kLY+lw==", "X-Amz-Meta-ReviewedBy: joe@johnsmith.net",
      "X-Amz-Meta-ReviewedBy: jane@johnsmith.net", "X-Amz-Meta-FileChecksum: 0x02661779",
      "X-Amz-Meta-ChecksumAlgorithm: crc32", "Content-Encoding: gzip"}},
    {"Fetch in path style, signed with a slash",
     "GET",
     "/johnsmith?acl",
     "",
     "c2WLPFtWHVgbEmeEG93a4cG37dM=",
     NOW + 484,
     {"Date: Tue, 27 Mar 2007 19:44:46 +0000"}},
    {"List All My Buckets",
     "GET",
     "/",
     "",
     "qGdzdERIC03wnaRNKh6OqZehG9s=",
     NOW + 21197,
     {"Date: Wed, 28 Mar 2007 01:29:59 +0000"}},
    {"Unicode Keys",
     "GET",
     "/dictionary/fran%C3%A7ais/pr%c3%a9f%c3%a8re",
     "",
     "DNEZGsoieTZ92F3bUfSPQcbGmlM=",
     NOW + 22387,
     {"Date: Wed, 28 Mar 2007 01:49:49 +0000"}},
};

struct message {
    struct lst_request request;
    struct lst_field headers[12];
    char authorization[128];
};

static void add_header(struct message *message, const char *line)
{
    const char *colon = strchr(line, ':');
    struct lst_field *header = &message->headers[message->request.header_count++];

    header->name = (struct lst_slice){line, (size_t)(colon - line)};
    header->value = lst_slice_of(colon + 1); /* with its space: it is not signed */
}

static void make(const struct example *example, struct message *message)
{
    memset(message, 0, sizeof(*message));
    message->request.method = lst_slice_of(example->method);
    message->request.target = lst_slice_of(example->target);
    message->request.headers = message->headers;
    for (size_t i = 0; i < 10 && example->headers[i] != NULL; i++) {
        add_header(message, example->headers[i]);
    }
    if (example->signature != NULL) {
        snprintf(message->authorization, sizeof(message->authorization), "Authorization: AWS %s:%s",
                 ID, example->signature);
        add_header(message, message->authorization);
    }
}

static int check(const struct message *message, const char *bucket, int64_t now,
                 struct lst_auth *ret_auth)
{
    int code = lst_parse(&message->request, &allowing, now, ret_auth);

    return code != LST_OK ? code
                          : lst_verify_v2(&message->request, ret_auth, lst_slice_of(bucket),
                                          LST_SLICE(SECRET));
}

static int check_example(const struct example *example)
{
    struct message message;
    struct lst_auth auth;

    make(example, &message);
    return check(&message, example->bucket, example->now, &auth);
}

static void check_headers(void)
{
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        struct example spoilt = examples[i];
        char target[256];

        CHECK(check_example(&spoilt) == LST_OK, "%s is accepted", spoilt.what);
        snprintf(target, sizeof(target), "%s%stagging", spoilt.target,
                 strchr(spoilt.target, '?') == NULL ? "?" : "&");
        spoilt.target = target;
        CHECK(check_example(&spoilt) == LST_REFUSED_SIGNATURE, "not with a parameter more");
        spoilt.target = examples[i].target;
        spoilt.headers[9] = NULL;
        for (size_t j = 0; j < 10; j++) {
            if (spoilt.headers[j] == NULL) {
                spoilt.headers[j] = "x-amz-copy-source: /other/key";
                break;
            }
        }
        CHECK(check_example(&spoilt) == LST_REFUSED_SIGNATURE, "nor with an x-amz- header more");
        spoilt = examples[i];
        spoilt.method = "DELETE";
        CHECK(check_example(&spoilt) == LST_REFUSED_SIGNATURE, "nor with another method");
        spoilt = examples[i];
        spoilt.bucket = "jonsmith";
        CHECK(check_example(&spoilt) == LST_REFUSED_SIGNATURE, "nor in another bucket");
        spoilt = examples[i];
        spoilt.now += 901;
        CHECK(check_example(&spoilt) == LST_REFUSED_TIME_TOO_SKEWED, "nor a quarter later");
    }
}

static const char url[] = "/photos/puppy.jpg?AWSAccessKeyId=" ID
                          "&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620";

static int check_url(const char *target, int64_t now, struct lst_auth *ret_auth)
{
    struct example example = {.method = "GET", .target = target};
    struct message message;

    make(&example, &message);
    return check(&message, "johnsmith", now, ret_auth);
}

static void check_urls(void)
{
    struct lst_auth auth;
    char target[512];

    CHECK(check_url(url, 1175139600, &auth) == LST_OK && auth.kind == LST_AUTH_V2_QUERY &&
              strcmp(auth.access_key_id, ID) == 0 && auth.time == 1175139620,
          "the presigned URL of the documentation");
    CHECK(check_url(url, 1175139620, &auth) == LST_OK, "lives to its last second");
    CHECK(check_url(url, 1175139621, &auth) == LST_REFUSED_EXPIRED, "and no longer");
    CHECK(check_url(url, 1175139620 - LST_EXPIRES_MAX - 1, &auth) == LST_REFUSED_EXPIRES_TOO_LARGE,
          "nor more than seven days from now");
    snprintf(target, sizeof(target), "%s&prefix=a&list-type=2", url);
    CHECK(check_url(target, 1175139600, &auth) == LST_OK, "a listing's parameters are not signed");
    static const char *const additions[] = {
        "&acl",         "&x-amz-acl=public-read",
        "&versionId=1", "&X-AMZ-Meta-a=b",
        "&unknown=1",   "&x%2Damz-a",
        "&attributes",  "&x-latch-max=1",
        "&Pre%66ix=1",
    };
    static const char *const ambiguous[] = {
        "&a=%0A",
        "&uploadId=1%26partNumber=2",
        "&response-content-disposition=a%26response-content-type=b",
    };
    for (size_t i = 0; i < sizeof(additions) / sizeof(additions[0]); i++) {
        snprintf(target, sizeof(target), "%s%s", url, additions[i]);
        CHECK(check_url(target, 1175139600, &auth) == LST_REFUSED_SIGNATURE, "all else is: %s",
              additions[i]);
    }
    for (size_t i = 0; i < sizeof(ambiguous) / sizeof(ambiguous[0]); i++) {
        snprintf(target, sizeof(target), "%s%s", url, ambiguous[i]);
        CHECK(check_url(target, 1175139600, &auth) == LST_REFUSED_V2_AMBIGUOUS,
              "this could be two: %s", ambiguous[i]);
    }
    snprintf(target, sizeof(target), "%s&prefix=a%%26b", url);
    CHECK(check_url(target, 1175139600, &auth) == LST_OK, "but not what is not signed at all");
}

static void check_malformed(void)
{
    static const struct {
        const char *target;
        int code;
        const char *culprit;
        const char *s3_code;
    } cases[] = {
        {"/k?AWSAccessKeyId=A&Signature=b", LST_REFUSED_PARAMETER_MISSING, "Expires",
         "AccessDenied"},
        {"/k?AWSAccessKeyId=A&Signature=&Expires=1", LST_REFUSED_PARAMETER_MISSING, "Signature",
         "AccessDenied"},
        {"/k?AWSAccessKeyId=A&Signature=b&Expires=1&Expires=2", LST_REFUSED_PARAMETER_REPEATED,
         "Expires", "InvalidArgument"},
        {"/k?AWSAccessKeyId=A&Signature=b&Expires=tomorrow", LST_REFUSED_EXPIRES_FORMAT, "Expires",
         "AccessDenied"},
        {"/k?AWSAccessKeyId=A&Signature=b&Expires=-1", LST_REFUSED_EXPIRES_FORMAT, "Expires",
         "AccessDenied"},
        {"/k?AWSAccessKeyId=A&Signature=b&Expires=99999999999999999999", LST_REFUSED_EXPIRES_FORMAT,
         "Expires", "AccessDenied"},
        {"/k?AWSAccessKeyId=A%2FB&Signature=b&Expires=1", LST_REFUSED_CREDENTIAL, "AWSAccessKeyId",
         "InvalidArgument"},
        {"/k?AWSAccessKeyId=A&Signature=b&Expires=1&X-Amz-Date=1", LST_REFUSED_SIGNED_TWICE, "",
         "InvalidArgument"},
        {"/k?AWSAccessKeyId=A&Signature=b&Expires=1", LST_REFUSED_EXPIRED, "", "AccessDenied"},
    };
    struct lst_auth auth;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int code = check_url(cases[i].target, NOW, &auth);

        CHECK(code == cases[i].code &&
                  strcmp(lst_refusal(code, auth.kind)->s3_code, cases[i].s3_code) == 0 &&
                  auth.culprit.length == strlen(cases[i].culprit) &&
                  memcmp(auth.culprit.bytes == NULL ? "" : auth.culprit.bytes, cases[i].culprit,
                         auth.culprit.length) == 0,
              "%s: %s", cases[i].target, lst_refusal(code, auth.kind)->name);
    }
}

static void check_header_refusals(void)
{
    struct example example = examples[0];
    struct message message;
    struct lst_auth auth;

    example.headers[0] = NULL;
    CHECK(check_example(&example) == LST_REFUSED_DATE, "a header needs a date");
    example = examples[0];
    example.headers[1] = "x-amz-date: Tue, 27 Mar 2007 19:36:42 +0000";
    CHECK(check_example(&example) == LST_REFUSED_SIGNATURE, "x-amz-date takes the place of Date");
    example.headers[1] = "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
    CHECK(check_example(&example) == LST_REFUSED_PAYLOAD_HASH, "there are no signed chunks");
    make(&examples[0], &message);
    message.headers[1].value = LST_SLICE("AWS " ID);
    CHECK(lst_parse(&message.request, &allowing, NOW, &auth) == LST_REFUSED_CREDENTIAL,
          "nor a header without a signature");
    message.headers[1].value = LST_SLICE("AWS " ID ":short");
    CHECK(check(&message, "johnsmith", NOW, &auth) == LST_REFUSED_SIGNATURE, "nor with a part");
    make(&examples[0], &message);
    CHECK(lst_parse(&message.request, &(struct lst_rules){.allow_v2 = false}, NOW, &auth) ==
              LST_REFUSED_SIGNATURE_V2,
          "and none of it unless it is allowed");
}

static void check_interface(void)
{
    struct message message;
    struct lst_auth auth;
    struct lst_key key;
    char text[512];
    size_t length = 0;

    make(&examples[3], &message);
    CHECK(check(&message, "johnsmith", examples[3].now, &auth) == LST_OK, "a request to look at");
    CHECK(lst_string_to_sign_v2(&message.request, &auth, LST_SLICE("johnsmith"), text, sizeof(text),
                                &length) == LST_OK,
          "it has a string to sign");
    CHECK_TEXT(text, length, "GET\n\n\nTue, 27 Mar 2007 19:44:46 +0000\n/johnsmith/?acl",
               "that of the documentation");
    CHECK(lst_string_to_sign_v2(&message.request, &auth, LST_SLICE("johnsmith"), text, length - 1,
                                &length) == LST_ERR_BUFFER_TOO_SMALL,
          "which has its size");
    CHECK(lst_key_init(&key, LST_SLICE(SECRET), NOW, LST_SLICE("us-east-1"), LST_SLICE("s3")) ==
                  LST_OK &&
              lst_verify(&message.request, &auth, &key) == LST_ERR_INVALID_ARGUMENT,
          "Version 4 knows nothing of it");
    CHECK(lst_verify_v2(&message.request, &auth, LST_SLICE(""), LST_SLICE("")) ==
              LST_ERR_INVALID_ARGUMENT,
          "nobody signs with an empty secret");
    auth.kind = LST_AUTH_QUERY;
    CHECK(lst_verify_v2(&message.request, &auth, LST_SLICE(""), LST_SLICE(SECRET)) ==
                  LST_ERR_INVALID_ARGUMENT &&
              lst_string_to_sign_v2(&message.request, &auth, LST_SLICE(""), text, sizeof(text),
                                    &length) == LST_ERR_INVALID_ARGUMENT,
          "nor is Version 4 taken for it");
}

/* ---- Forms */

/* {"expiration": "2007-12-01T12:00:00.000Z", "conditions": [{"bucket": "johnsmith"},
 * ["starts-with", "$key", ""]]}, signed with Python's hmac. */
#define POLICY                                                                                     \
    "eyJleHBpcmF0aW9uIjogIjIwMDctMTItMDFUMTI6MDA6MDAuMDAwWiIsICJjb25kaXRpb25zIjogW3siYnVja2V0Ijog" \
    "ImpvaG5zbWl0aCJ9LCBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAiIl1dfQ=="
#define FORM_SIGNATURE "KqtTGhKsTgMWCmFXP7ENjUP/nDM="

static int check_form(const struct lst_field *fields, size_t count)
{
    struct lst_policy_limits limits;
    struct lst_slice condition;
    struct lst_auth auth;
    char scratch[512];
    int code = lst_parse_form(fields, count, &allowing, NOW, &auth);

    if (code == LST_OK) {
        code = lst_verify_form_v2(&auth, LST_SLICE(SECRET));
    }
    return code != LST_OK ? code
                          : lst_policy_check(&auth, fields, count, LST_SLICE("johnsmith"), NOW,
                                             scratch, sizeof(scratch), &limits, &condition);
}

static void check_forms(void)
{
    struct lst_field fields[] = {
        {LST_SLICE("key"), LST_SLICE("a.jpg")},
        {LST_SLICE("AWSAccessKeyId"), LST_SLICE(ID)},
        {LST_SLICE("Policy"), LST_SLICE(POLICY)},
        {LST_SLICE("Signature"), LST_SLICE(FORM_SIGNATURE)},
        {LST_SLICE("acl"), LST_SLICE("private")},
    };
    struct lst_auth auth;

    CHECK(check_form(fields, 4) == LST_OK, "a form of Version 2");
    CHECK(check_form(fields, 5) == LST_REFUSED_POLICY_EXTRA_FIELD, "not with a field more");
    CHECK(check_form(fields, 3) == LST_REFUSED_FORM_FIELD_MISSING, "nor with one less");
    CHECK(lst_parse_form(fields, 4, &(struct lst_rules){.allow_v2 = false}, NOW, &auth) ==
              LST_REFUSED_SIGNATURE_V2,
          "nor where it is not allowed");
    fields[4] = fields[3];
    CHECK(check_form(fields, 5) == LST_REFUSED_PARAMETER_REPEATED, "nor with two signatures");
    fields[4] = (struct lst_field){LST_SLICE("x-amz-date"), LST_SLICE("20070327T193642Z")};
    CHECK(check_form(fields, 5) == LST_REFUSED_FORM_FIELD_MISSING,
          "a part of Version 4 makes it one of Version 4");
    fields[3].value = LST_SLICE("bWq2s1WEIj+Ydj0vQ697zp+IXMU=");
    CHECK(check_form(fields, 4) == LST_REFUSED_SIGNATURE, "and the signature must be right");
}

int main(void)
{
    check_headers();
    check_urls();
    check_malformed();
    check_header_refusals();
    check_interface();
    check_forms();
    return tap_done();
}
