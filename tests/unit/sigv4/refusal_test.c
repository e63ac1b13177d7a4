/* refusal_test.c - every rule of a check, broken one at a time: each has its own code, what S3
 * answers for it, and the name of what is wrong. */
#include "latchstring.h"
#include "tap.h"

#include <stdlib.h>

#define NOW       INT64_C(1369353600) /* 2013-05-24T00:00:00Z */
#define SIGNATURE "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
#define SHA256    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

#define ALGORITHM  "X-Amz-Algorithm=AWS4-HMAC-SHA256"
#define CREDENTIAL "&X-Amz-Credential=AKID%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
#define DATE       "&X-Amz-Date=20130524T000000Z"
#define EXPIRES    "&X-Amz-Expires=86400"
#define HEADERS    "&X-Amz-SignedHeaders=host"
#define SIGNED     "&X-Amz-Signature=" SIGNATURE

#define IN_HEADER(credential, headers, signature)                                                  \
    "Authorization: AWS4-HMAC-SHA256 Credential=" credential ", SignedHeaders=" headers            \
    ", Signature=" signature
#define SCOPE        "AKID/20130524/us-east-1/s3/aws4_request"
#define HEADER_NAMES "host;x-amz-content-sha256;x-amz-date"
#define HEADER_DATE  "x-amz-date: 20130524T000000Z"
#define HEADER_HASH  "x-amz-content-sha256: " SHA256

struct refusal_case {
    const char *what;
    const char *target;     /* "/key" if NULL */
    const char *headers[6]; /* besides Host */
    int code;
    const char *culprit;
    const char *s3_code;
    int status;
    int64_t later; /* seconds after the request was signed */
};

#define QUERY_ERROR  "AuthorizationQueryParametersError"
#define HEADER_ERROR "AuthorizationHeaderMalformed"

/* clang-format off */
static const struct refusal_case cases[] = {
    /* Size */
    {"a target without a slash", "key", {0}, LST_REFUSED_TARGET_MALFORMED, "", "InvalidURI", 400,
     0},
    {"no target", "", {0}, LST_REFUSED_TARGET_MALFORMED, "", "InvalidURI", 400, 0},
    {"a bad escape in the path", "/a%2", {0}, LST_REFUSED_TARGET_MALFORMED, "", "InvalidURI", 400,
     0},
    {"a bad escape in the query", "/a?x=%zz", {0}, LST_REFUSED_TARGET_MALFORMED, "", "InvalidURI",
     400, 0},

    /* Rule 1 */
    {"no signature", NULL, {0}, LST_REFUSED_NOT_SIGNED, "", "AccessDenied", 403, 0},
    {"query and header", "/?" ALGORITHM CREDENTIAL DATE EXPIRES HEADERS SIGNED, {IN_HEADER(SCOPE,
     "host", SIGNATURE)}, LST_REFUSED_SIGNED_TWICE, "", "InvalidArgument", 400, 0},
    {"one parameter of a query and a header", "/?X-Amz-Signature=" SIGNATURE, {IN_HEADER(SCOPE,
     "host", SIGNATURE)}, LST_REFUSED_SIGNED_TWICE, "", "InvalidArgument", 400, 0},
    {"two Authorization headers", NULL, {IN_HEADER(SCOPE, "host", SIGNATURE), IN_HEADER(SCOPE,
     "host", SIGNATURE)}, LST_REFUSED_SIGNED_TWICE, "", "InvalidArgument", 400, 0},
    {"V4 and V2 in one query", "/?" ALGORITHM "&AWSAccessKeyId=AKID&Signature=abc", {0},
     LST_REFUSED_SIGNED_TWICE, "", "InvalidArgument", 400, 0},
    {"a password", NULL, {"Authorization: Basic QTpC"}, LST_REFUSED_UNKNOWN_SCHEME, "",
     "InvalidArgument", 400, 0},
    {"a bearer token", NULL, {"authorization: Bearer x"}, LST_REFUSED_UNKNOWN_SCHEME, "",
     "InvalidArgument", 400, 0},
    {"SigV4A", NULL, {"Authorization: AWS4-ECDSA-P256-SHA256 Credential=x"},
     LST_REFUSED_UNKNOWN_SCHEME, "", "InvalidArgument", 400, 0},
    {"a scheme that only begins right", NULL, {"Authorization: AWS4-HMAC-SHA256X Credential=x"},
     LST_REFUSED_UNKNOWN_SCHEME, "", "InvalidArgument", 400, 0},
    {"an empty Authorization header", NULL, {"Authorization:"}, LST_REFUSED_UNKNOWN_SCHEME, " ",
     "InvalidArgument", 400, 0},

    /* Rule 2, query */
    {"V2 in the query", "/k?AWSAccessKeyId=AKID&Expires=1&Signature=a%2Bb%3D", {0},
     LST_REFUSED_SIGNATURE_V2, "", "InvalidRequest", 400, 0},
    {"V2 in a header", NULL, {"Authorization: AWS AKID:frJIUN8DYpKDtOLCwo//yllqDzg="},
     LST_REFUSED_SIGNATURE_V2, "", "InvalidRequest", 400, 0},
    {"no algorithm", "/?x=1" CREDENTIAL DATE EXPIRES HEADERS SIGNED, {0},
     LST_REFUSED_PARAMETER_MISSING, "X-Amz-Algorithm", QUERY_ERROR, 400, 0},
    {"no credential", "/?" ALGORITHM DATE EXPIRES HEADERS SIGNED, {0},
     LST_REFUSED_PARAMETER_MISSING, "X-Amz-Credential", QUERY_ERROR, 400, 0},
    {"no date", "/?" ALGORITHM CREDENTIAL EXPIRES HEADERS SIGNED, {0},
     LST_REFUSED_PARAMETER_MISSING, "X-Amz-Date", QUERY_ERROR, 400, 0},
    {"no expiry", "/?" ALGORITHM CREDENTIAL DATE HEADERS SIGNED, {0},
     LST_REFUSED_PARAMETER_MISSING, "X-Amz-Expires", QUERY_ERROR, 400, 0},
    {"no signed headers", "/?" ALGORITHM CREDENTIAL DATE EXPIRES SIGNED, {0},
     LST_REFUSED_PARAMETER_MISSING, "X-Amz-SignedHeaders", QUERY_ERROR, 400, 0},
    {"no signature parameter", "/?" ALGORITHM CREDENTIAL DATE EXPIRES HEADERS, {0},
     LST_REFUSED_PARAMETER_MISSING, "X-Amz-Signature", QUERY_ERROR, 400, 0},
    {"an empty signature", "/?" ALGORITHM CREDENTIAL DATE EXPIRES HEADERS "&X-Amz-Signature=", {0},
     LST_REFUSED_PARAMETER_MISSING, "X-Amz-Signature", QUERY_ERROR, 400, 0},
    {"names in lower case", "/?x-amz-algorithm=AWS4-HMAC-SHA256", {0}, LST_REFUSED_NOT_SIGNED, "",
     "AccessDenied", 403, 0},
    {"a date twice", "/?" ALGORITHM CREDENTIAL DATE DATE EXPIRES HEADERS SIGNED, {0},
     LST_REFUSED_PARAMETER_REPEATED, "X-Amz-Date", QUERY_ERROR, 400, 0},
    {"a signature twice, once with an encoded name", "/?" ALGORITHM CREDENTIAL DATE EXPIRES HEADERS
     SIGNED "&X%2DAmz%2DSignature=x", {0}, LST_REFUSED_PARAMETER_REPEATED, "X-Amz-Signature",
     QUERY_ERROR, 400, 0},
    {"a token twice", "/?" ALGORITHM CREDENTIAL DATE EXPIRES HEADERS SIGNED
     "&X-Amz-Security-Token=a&X-Amz-Security-Token=a", {0}, LST_REFUSED_PARAMETER_REPEATED,
     "X-Amz-Security-Token", QUERY_ERROR, 400, 0},
    {"another algorithm", "/?X-Amz-Algorithm=AWS4-HMAC-SHA1" CREDENTIAL DATE EXPIRES HEADERS
     SIGNED, {0}, LST_REFUSED_ALGORITHM, "X-Amz-Algorithm", QUERY_ERROR, 400, 0},
    {"a credential of four parts", "/?" ALGORITHM
     "&X-Amz-Credential=AKID%2F20130524%2Fus-east-1%2Fs3" DATE EXPIRES HEADERS SIGNED, {0},
     LST_REFUSED_CREDENTIAL, "X-Amz-Credential", QUERY_ERROR, 400, 0},
    {"a credential of six parts", "/?" ALGORITHM
     "&X-Amz-Credential=A/B/20130524/us-east-1/s3/aws4_request" DATE EXPIRES HEADERS SIGNED, {0},
     LST_REFUSED_CREDENTIAL, "X-Amz-Credential", QUERY_ERROR, 400, 0},
    {"a credential that ends in a slash", "/?" ALGORITHM
     "&X-Amz-Credential=A/20130524/us-east-1/s3/aws4_request%2F" DATE EXPIRES HEADERS SIGNED, {0},
     LST_REFUSED_CREDENTIAL, "X-Amz-Credential", QUERY_ERROR, 400, 0},
    {"a credential without an access key", "/?" ALGORITHM
     "&X-Amz-Credential=/20130524/us-east-1/s3/aws4_request" DATE EXPIRES HEADERS SIGNED, {0},
     LST_REFUSED_CREDENTIAL, "X-Amz-Credential", QUERY_ERROR, 400, 0},
    {"a NUL in the access key", "/?" ALGORITHM
     "&X-Amz-Credential=A%00B/20130524/us-east-1/s3/aws4_request" DATE EXPIRES HEADERS SIGNED, {0},
     LST_REFUSED_CREDENTIAL, "X-Amz-Credential", QUERY_ERROR, 400, 0},
    {"a day of seven digits", "/?" ALGORITHM
     "&X-Amz-Credential=AKID/2013052/us-east-1/s3/aws4_request" DATE EXPIRES HEADERS SIGNED, {0},
     LST_REFUSED_CREDENTIAL, "X-Amz-Credential", QUERY_ERROR, 400, 0},
    {"a day that is none", "/?" ALGORITHM
     "&X-Amz-Credential=AKID/2013x524/us-east-1/s3/aws4_request" DATE EXPIRES HEADERS SIGNED, {0},
     LST_REFUSED_CREDENTIAL, "X-Amz-Credential", QUERY_ERROR, 400, 0},
    {"a date of another form", "/?" ALGORITHM CREDENTIAL "&X-Amz-Date=2013-05-24T00:00:00Z" EXPIRES
     HEADERS SIGNED, {0}, LST_REFUSED_DATE, "X-Amz-Date", QUERY_ERROR, 400, 0},
    {"the 31st of April", "/?" ALGORITHM CREDENTIAL "&X-Amz-Date=20130431T000000Z" EXPIRES HEADERS
     SIGNED, {0}, LST_REFUSED_DATE, "X-Amz-Date", QUERY_ERROR, 400, 0},
    {"signed headers in upper case", "/?" ALGORITHM CREDENTIAL DATE EXPIRES
     "&X-Amz-SignedHeaders=Host" SIGNED, {0}, LST_REFUSED_SIGNED_HEADERS, "X-Amz-SignedHeaders",
     QUERY_ERROR, 400, 0},
    {"a signed header twice", "/?" ALGORITHM CREDENTIAL DATE EXPIRES
     "&X-Amz-SignedHeaders=host%3Bhost" SIGNED, {0}, LST_REFUSED_SIGNED_HEADERS,
     "X-Amz-SignedHeaders", QUERY_ERROR, 400, 0},
    {"a signed header without a name", "/?" ALGORITHM CREDENTIAL DATE EXPIRES
     "&X-Amz-SignedHeaders=host%3B" SIGNED, {0}, LST_REFUSED_SIGNED_HEADERS, "X-Amz-SignedHeaders",
     QUERY_ERROR, 400, 0},
    {"a short signature", "/?" ALGORITHM CREDENTIAL DATE EXPIRES HEADERS "&X-Amz-Signature=abc",
     {0}, LST_OK, "", "OK", 200, 0}, /* it is wrong, which is for lst_verify() to say */
    {"a signature in upper case", "/?" ALGORITHM CREDENTIAL DATE EXPIRES HEADERS
     "&X-Amz-Signature=AEEED9BBCCD4D02EE5C0109B86D86835F995330DA4C265957D157751F604D404", {0},
     LST_OK, "", "OK", 200, 0},
    {"a payload hash in the query that is none", "/?" ALGORITHM CREDENTIAL DATE EXPIRES HEADERS
     "&X-Amz-Content-Sha256=abc" SIGNED, {0}, LST_REFUSED_PAYLOAD_HASH, "X-Amz-Content-Sha256",
     "InvalidArgument", 400, 0},
    {"a signed payload hash that is none", "/?" ALGORITHM CREDENTIAL DATE EXPIRES
     "&X-Amz-SignedHeaders=host%3Bx-amz-content-sha256" SIGNED, {"x-amz-content-sha256: abc"},
     LST_REFUSED_PAYLOAD_HASH, "X-Amz-Content-Sha256", "InvalidArgument", 400, 0},

    /* Rule 2, header */
    {"a header without a credential", NULL,
     {"Authorization: AWS4-HMAC-SHA256 SignedHeaders=host, Signature=" SIGNATURE, HEADER_DATE,
      HEADER_HASH}, LST_REFUSED_PARAMETER_MISSING, "Credential", HEADER_ERROR, 400, 0},
    {"a header without anything", NULL, {"Authorization: AWS4-HMAC-SHA256", HEADER_DATE,
     HEADER_HASH}, LST_REFUSED_UNKNOWN_SCHEME, " ", "InvalidArgument", 400, 0},
    {"a component twice", NULL, {IN_HEADER(SCOPE, HEADER_NAMES, SIGNATURE) ", Signature="
     SIGNATURE, HEADER_DATE, HEADER_HASH}, LST_REFUSED_PARAMETER_REPEATED, "Signature",
     HEADER_ERROR, 400, 0},
    {"a header's credential that is none", NULL, {IN_HEADER("AKID", HEADER_NAMES, SIGNATURE),
     HEADER_DATE, HEADER_HASH}, LST_REFUSED_CREDENTIAL, "Credential", HEADER_ERROR, 400, 0},
    {"a header without a date", NULL, {IN_HEADER(SCOPE, HEADER_NAMES, SIGNATURE), HEADER_HASH},
     LST_REFUSED_DATE, "x-amz-date", "AccessDenied", 403, 0},
    {"a header with a wrong date", NULL, {IN_HEADER(SCOPE, HEADER_NAMES, SIGNATURE),
     "Date: yesterday", HEADER_HASH}, LST_REFUSED_DATE, "x-amz-date", "AccessDenied", 403, 0},
    {"two dates", NULL, {IN_HEADER(SCOPE, HEADER_NAMES, SIGNATURE), HEADER_DATE, HEADER_DATE,
     HEADER_HASH}, LST_REFUSED_PARAMETER_REPEATED, "x-amz-date", HEADER_ERROR, 400, 0},
    {"no payload hash", NULL, {IN_HEADER(SCOPE, HEADER_NAMES, SIGNATURE), HEADER_DATE},
     LST_REFUSED_PAYLOAD_HASH_MISSING, "x-amz-content-sha256", "InvalidRequest", 400, 0},
    {"a payload hash that is none", NULL, {IN_HEADER(SCOPE, HEADER_NAMES, SIGNATURE), HEADER_DATE,
     "x-amz-content-sha256: required"}, LST_REFUSED_PAYLOAD_HASH, "x-amz-content-sha256",
     "InvalidArgument", 400, 0},

    /* Rule 3 */
    {"the scope of another day", "/?" ALGORITHM
     "&X-Amz-Credential=AKID/20130523/us-east-1/s3/aws4_request" DATE EXPIRES HEADERS SIGNED, {0},
     LST_REFUSED_SCOPE_DATE, "X-Amz-Credential", QUERY_ERROR, 400, 0},
    {"another region", "/?" ALGORITHM "&X-Amz-Credential=AKID/20130524/eu-west-1/s3/aws4_request"
     DATE EXPIRES HEADERS SIGNED, {0}, LST_REFUSED_SCOPE_REGION, "X-Amz-Credential", QUERY_ERROR,
     400, 0},
    {"another service", "/?" ALGORITHM "&X-Amz-Credential=AKID/20130524/us-east-1/ec2/aws4_request"
     DATE EXPIRES HEADERS SIGNED, {0}, LST_REFUSED_SCOPE_SERVICE, "X-Amz-Credential", QUERY_ERROR,
     400, 0},
    {"another terminator", "/?" ALGORITHM
     "&X-Amz-Credential=AKID/20130524/us-east-1/s3/aws3_request" DATE EXPIRES HEADERS SIGNED, {0},
     LST_REFUSED_SCOPE_TERMINATOR, "X-Amz-Credential", QUERY_ERROR, 400, 0},
    {"a header for another region", NULL, {IN_HEADER("AKID/20130524/eu-west-1/s3/aws4_request",
     HEADER_NAMES, SIGNATURE), HEADER_DATE, HEADER_HASH}, LST_REFUSED_SCOPE_REGION, "Credential",
     HEADER_ERROR, 400, 0},

    /* Rule 4 */
    {"an expiry in words", "/?" ALGORITHM CREDENTIAL DATE "&X-Amz-Expires=1h" HEADERS SIGNED, {0},
     LST_REFUSED_EXPIRES_FORMAT, "X-Amz-Expires", QUERY_ERROR, 400, 0},
    {"an expiry with a plus", "/?" ALGORITHM CREDENTIAL DATE "&X-Amz-Expires=%2B1" HEADERS SIGNED,
     {0}, LST_REFUSED_EXPIRES_FORMAT, "X-Amz-Expires", QUERY_ERROR, 400, 0},
    {"a negative expiry", "/?" ALGORITHM CREDENTIAL DATE "&X-Amz-Expires=-1" HEADERS SIGNED, {0},
     LST_REFUSED_EXPIRES_NEGATIVE, "X-Amz-Expires", QUERY_ERROR, 400, 0},
    {"an expiry of a week and a second", "/?" ALGORITHM CREDENTIAL DATE "&X-Amz-Expires=604801"
     HEADERS SIGNED, {0}, LST_REFUSED_EXPIRES_TOO_LARGE, "X-Amz-Expires", QUERY_ERROR, 400, 0},
    {"an expiry beyond every number", "/?" ALGORITHM CREDENTIAL DATE
     "&X-Amz-Expires=99999999999999999999999" HEADERS SIGNED, {0}, LST_REFUSED_EXPIRES_TOO_LARGE,
     "X-Amz-Expires", QUERY_ERROR, 400, 0},

    /* Rule 5 */
    {"an expiry of nothing", "/?" ALGORITHM CREDENTIAL DATE "&X-Amz-Expires=0" HEADERS SIGNED, {0},
     LST_REFUSED_EXPIRED, "", "AccessDenied", 403, 0},
    {"one second too late", "/?" ALGORITHM CREDENTIAL DATE EXPIRES HEADERS SIGNED, {0},
     LST_REFUSED_EXPIRED, "", "AccessDenied", 403, 86401},
    {"more than fifteen minutes too early", "/?" ALGORITHM CREDENTIAL DATE EXPIRES HEADERS SIGNED,
     {0}, LST_REFUSED_NOT_YET_VALID, "", "AccessDenied", 403, -901},
    {"a header from fifteen minutes ago", NULL, {IN_HEADER(SCOPE, HEADER_NAMES, SIGNATURE),
     HEADER_DATE, HEADER_HASH}, LST_REFUSED_TIME_TOO_SKEWED, "", "RequestTimeTooSkewed", 403, 901},
    {"a header from the future", NULL, {IN_HEADER(SCOPE, HEADER_NAMES, SIGNATURE), HEADER_DATE,
     HEADER_HASH}, LST_REFUSED_TIME_TOO_SKEWED, "", "RequestTimeTooSkewed", 403, -901},

    /* Rule 6 */
    {"the host unsigned", "/?" ALGORITHM CREDENTIAL DATE EXPIRES "&X-Amz-SignedHeaders=range"
     SIGNED, {0}, LST_REFUSED_HOST_NOT_SIGNED, "host", "AccessDenied", 403, 0},
    {"an unsigned copy source", "/?" ALGORITHM CREDENTIAL DATE EXPIRES HEADERS SIGNED,
     {"Content-Type: a/b", "X-Amz-Copy-Source: /other/key"}, LST_REFUSED_HEADERS_NOT_SIGNED,
     "X-Amz-Copy-Source", "AccessDenied", 403, 0},
    {"an unsigned header of one's own", "/?" ALGORITHM CREDENTIAL DATE EXPIRES HEADERS SIGNED,
     {"x-amz-meta-a: b"}, LST_REFUSED_HEADERS_NOT_SIGNED, "x-amz-meta-a", "AccessDenied", 403, 0},
    {"a header with an unsigned header", NULL, {IN_HEADER(SCOPE, HEADER_NAMES, SIGNATURE),
     HEADER_DATE, HEADER_HASH, "x-amz-acl: public-read"}, LST_REFUSED_HEADERS_NOT_SIGNED,
     "x-amz-acl", "AccessDenied", 403, 0},
    {"an unsigned hash that is none", "/?" ALGORITHM CREDENTIAL DATE EXPIRES HEADERS SIGNED,
     {"x-amz-content-sha256: 1234"}, LST_REFUSED_PAYLOAD_HASH, "X-Amz-Content-Sha256",
     "InvalidArgument", 400, 86400},
    {"an unsigned word for a stream", "/?" ALGORITHM CREDENTIAL DATE EXPIRES HEADERS SIGNED,
     {"x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER"}, LST_REFUSED_PAYLOAD_HASH,
     "X-Amz-Content-Sha256", "InvalidArgument", 400, 86400},
    {"two unsigned hashes", "/?" ALGORITHM CREDENTIAL DATE EXPIRES HEADERS SIGNED,
     {HEADER_HASH, HEADER_HASH}, LST_REFUSED_PARAMETER_REPEATED, "x-amz-content-sha256",
     "AuthorizationQueryParametersError", 400, 86400},

    /* None: what is left is the key and the signature. */
    {"a header with its hash unsigned", NULL, {IN_HEADER(SCOPE, "host;x-amz-date", SIGNATURE),
     HEADER_DATE, HEADER_HASH}, LST_OK, "", "OK", 200, 0},
    {"an unsigned hash", "/?" ALGORITHM CREDENTIAL DATE EXPIRES HEADERS SIGNED, {HEADER_HASH},
     LST_OK, "", "OK", 200, 86400},
    {"what AWS's proxies add", "/?" ALGORITHM CREDENTIAL DATE EXPIRES HEADERS SIGNED,
     {"X-Amz-Cf-Id: a", "x-amz-cf-pop: b", "x-amzn-trace-id: c", "x-amz-apigw-id: d"}, LST_OK, "",
     "OK", 200, 86400},
    {"the last second", "/?" ALGORITHM CREDENTIAL DATE EXPIRES HEADERS SIGNED, {0}, LST_OK, "",
     "OK", 200, 86400},
    {"fifteen minutes early", "/?" ALGORITHM CREDENTIAL DATE EXPIRES HEADERS SIGNED, {0}, LST_OK,
     "", "OK", 200, -900},
    {"an encoded parameter's name", "/?X%2dAmz-Algorithm=AWS4-HMAC-SHA256" CREDENTIAL DATE EXPIRES
     HEADERS SIGNED, {0}, LST_OK, "", "OK", 200, 0},
    {"an access key with signs in it", "/?" ALGORITHM
     "&X-Amz-Credential=a%40b%2Bc/20130524/us-east-1/s3/aws4_request" DATE EXPIRES HEADERS SIGNED,
     {0}, LST_OK, "", "OK", 200, 0},
    {"a header, to the second", NULL, {IN_HEADER(SCOPE, HEADER_NAMES, SIGNATURE), HEADER_DATE,
     HEADER_HASH}, LST_OK, "", "OK", 200, 900},
    {"a header dated by Date", NULL, {IN_HEADER(SCOPE, "date;host;x-amz-content-sha256",
     SIGNATURE), "Date: Fri, 24 May 2013 00:00:00 GMT", HEADER_HASH}, LST_OK, "", "OK", 200, 0},
};

/* clang-format on */

static size_t split_headers(const struct refusal_case *test, struct lst_field headers[7])
{
    size_t count = 1;

    headers[0] = (struct lst_field){LST_SLICE("Host"), LST_SLICE("localhost:9000")};
    for (size_t i = 0; i < 6 && test->headers[i] != NULL; i++) {
        size_t name = strcspn(test->headers[i], ":");

        headers[count++] =
            (struct lst_field){{test->headers[i], name}, lst_slice_of(test->headers[i] + name + 1)};
    }
    return count;
}

static void check_case(const struct refusal_case *test)
{
    struct lst_field headers[7];
    struct lst_request request = {
        .method = LST_SLICE("GET"),
        .target = lst_slice_of(test->target == NULL ? "/key" : test->target),
        .headers = headers,
        .header_count = split_headers(test, headers),
    };
    struct lst_rules rules = {.region = LST_SLICE("us-east-1")};
    const struct lst_refusal *refusal;
    struct lst_auth auth;
    char text[512];
    size_t length = 0;
    int code = lst_parse(&request, &rules, NOW + test->later, &auth);

    CHECK(code == test->code, "%s: %s", test->what, lst_refusal(code, auth.kind)->name);
    CHECK_TEXT(auth.culprit.bytes, auth.culprit.length, test->culprit, test->what);
    refusal = lst_refusal(code, auth.kind);
    CHECK(strcmp(refusal->s3_code, test->s3_code) == 0 && refusal->http_status == test->status,
          "%s: %d %s", test->what, refusal->http_status, refusal->s3_code);
    CHECK(lst_refusal_text(code, &auth, &rules, text, sizeof(text), &length) == LST_OK &&
              length > 0,
          "%s: %.*s", test->what, (int)length, text);
}

static void check_text(int code, const struct lst_auth *auth, const struct lst_rules *rules,
                       const char *want)
{
    char text[512];
    size_t length = 0;

    CHECK(lst_refusal_text(code, auth, rules, text, sizeof(text), &length) == LST_OK,
          "a text can be had");
    CHECK_TEXT(text, length, want, "a text is AWS's");
}

static void check_texts(void)
{
    struct lst_auth auth = {.kind = LST_AUTH_QUERY,
                            .day = "20130523",
                            .region = "eu-west-1",
                            .service = "ec2",
                            .time = NOW,
                            .culprit = LST_SLICE("X-Amz-Date")};
    struct lst_rules rules = {.region = LST_SLICE("us-east-1")};

    check_text(LST_REFUSED_EXPIRED, &auth, &rules, "Request has expired");
    check_text(LST_REFUSED_SCOPE_DATE, &auth, &rules,
               "Invalid credential date \"20130523\". This date is not the same as X-Amz-Date: "
               "\"20130524\".");
    check_text(LST_REFUSED_SCOPE_REGION, &auth, &rules,
               "Error parsing the X-Amz-Credential parameter; the region 'eu-west-1' is wrong; "
               "expecting 'us-east-1'");
    check_text(LST_REFUSED_SCOPE_SERVICE, &auth, &rules,
               "Error parsing the X-Amz-Credential parameter; incorrect service \"ec2\". This "
               "endpoint belongs to \"s3\".");
    check_text(LST_REFUSED_PARAMETER_MISSING, &auth, &rules,
               "Query-string authentication version 4 requires the X-Amz-Algorithm, "
               "X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and "
               "X-Amz-Expires parameters. Missing: X-Amz-Date");
    check_text(LST_REFUSED_EXPIRES_TOO_LARGE, &auth, &rules,
               "X-Amz-Expires must be less than a week (in seconds); that is, the given "
               "X-Amz-Expires must be less than 604800 seconds");
    rules.expires_max = 86400 * 30;
    check_text(LST_REFUSED_EXPIRES_TOO_LARGE, &auth, &rules,
               "X-Amz-Expires must be less than 2592000 seconds");
    auth.kind = LST_AUTH_HEADER;
    check_text(LST_REFUSED_SCOPE_REGION, &auth, &rules,
               "The authorization header is malformed; the region 'eu-west-1' is wrong; expecting "
               "'us-east-1'");
    CHECK(strstr(lst_refusal(LST_REFUSED_SIGNATURE_V2, LST_AUTH_NONE)->text,
                 "signature_version='s3v4'") != NULL,
          "who signs with V2 is told what to set");
}

static void check_every_code_has_a_row(void)
{
    for (int code = 0; code >= -126; code--) {
        const struct lst_refusal *refusal = lst_refusal(code, LST_AUTH_QUERY);
        bool is_known = strcmp(refusal->name, "unknown") != 0;

        if (is_known) {
            CHECK(refusal->http_status >= 200 && refusal->s3_code[0] != '\0' &&
                      refusal->text[0] != '\0',
                  "%d has a row: %s", code, refusal->name);
        }
    }
    CHECK(lst_refusal(12345, LST_AUTH_QUERY)->http_status == 500, "an unknown code is a 500");
}

int main(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_case(&cases[i]);
    }
    check_texts();
    check_every_code_has_a_row();
    return tap_done();
}
