/* policy_condition_test.c - the conditions of policies: when they hold, and which are refused. */
#include "policy_asking.h"

/* "IAM JSON policy elements: Condition operators", one row for each thing it says. */
struct condition_row {
    const char *condition;
    char want;
};

static const struct condition_row present_rows[] = {
    {"{\"StringEquals\":{\"s3:prefix\":\"home/alice/\"}}", 'A'},
    {"{\"StringEquals\":{\"s3:prefix\":\"home/Alice/\"}}", '-'},
    {"{\"StringEquals\":{\"s3:prefix\":\"home/${aws:username}/\"}}", 'A'},
    {"{\"StringEquals\":{\"s3:prefix\":\"home/*\"}}", '-'},
    {"{\"StringEquals\":{\"s3:prefix\":[\"\",\"home/alice/\"]}}", 'A'},
    {"{\"StringNotEquals\":{\"s3:prefix\":[\"\",\"home/alice/\"]}}", '-'},
    {"{\"StringNotEquals\":{\"s3:prefix\":[\"\",\"home/bob/\"]}}", 'A'},
    {"{\"StringEqualsIgnoreCase\":{\"S3:PREFIX\":\"HOME/Alice/\"}}", 'A'},
    {"{\"StringNotEqualsIgnoreCase\":{\"s3:prefix\":\"HOME/alice/\"}}", '-'},
    {"{\"StringLike\":{\"s3:prefix\":\"home/*\"}}", 'A'},
    {"{\"StringLike\":{\"s3:prefix\":\"home/${*}\"}}", '-'},
    {"{\"StringLike\":{\"s3:prefix\":\"home/${aws:username}/*\"}}", 'A'},
    {"{\"StringNotLike\":{\"s3:prefix\":\"home/*\"}}", '-'},
    {"{\"StringEquals\":{\"aws:username\":\"alice\",\"s3:delimiter\":\"/\"}}", 'A'},
    {"{\"StringEquals\":{\"aws:username\":\"alice\",\"s3:delimiter\":\"-\"}}", '-'},
    {"{\"StringEquals\":{\"s3:authType\":\"REST-QUERY-STRING\"}}", 'A'},
    {"{\"StringNotEquals\":{\"s3:signatureversion\":\"AWS4-HMAC-SHA256\"}}", '-'},
    {"{\"NumericEquals\":{\"s3:max-keys\":10}}", 'A'},
    {"{\"NumericEquals\":{\"s3:max-keys\":\"10\"}}", 'A'},
    {"{\"NumericNotEquals\":{\"s3:max-keys\":\"10\"}}", '-'},
    {"{\"NumericNotEquals\":{\"s3:max-keys\":[\"10\",\"11\"]}}", '-'},
    {"{\"NumericLessThan\":{\"s3:max-keys\":\"10\"}}", '-'},
    {"{\"NumericLessThan\":{\"s3:max-keys\":\"11\"}}", 'A'},
    {"{\"NumericLessThanEquals\":{\"s3:max-keys\":\"10\"}}", 'A'},
    {"{\"NumericGreaterThan\":{\"s3:signatureAge\":\"60000\"}}", '-'},
    {"{\"NumericGreaterThan\":{\"s3:signatureAge\":\"59999\"}}", 'A'},
    {"{\"NumericGreaterThanEquals\":{\"s3:signatureAge\":60000}}", 'A'},
    {"{\"NumericGreaterThan\":{\"s3:signatureAge\":\"-1\"}}", 'A'},
    {"{\"DateGreaterThan\":{\"aws:CurrentTime\":\"2026-01-31T11:59:59Z\"}}", 'A'},
    {"{\"DateGreaterThan\":{\"aws:CurrentTime\":\"2026-01-31T12:00:00Z\"}}", '-'},
    {"{\"DateGreaterThanEquals\":{\"aws:CurrentTime\":\"2026-01-31T12:00:00Z\"}}", 'A'},
    {"{\"DateLessThan\":{\"aws:CurrentTime\":\"2026-02-01\"}}", 'A'},
    {"{\"DateLessThanEquals\":{\"aws:CurrentTime\":\"2026-01-31\"}}", '-'},
    {"{\"DateEquals\":{\"aws:EpochTime\":1769860800}}", 'A'},
    {"{\"DateNotEquals\":{\"aws:EpochTime\":\"1769860800\"}}", '-'},
    {"{\"NumericLessThan\":{\"aws:EpochTime\":\"1769860801\"}}", 'A'},
    {"{\"DateGreaterThan\":{\"aws:CurrentTime\":\"2026-01-01\"},"
     "\"DateLessThan\":{\"aws:CurrentTime\":\"2026-01-30\"}}",
     '-'},
    {"{\"Bool\":{\"aws:SecureTransport\":\"true\"}}", 'A'},
    {"{\"Bool\":{\"aws:SecureTransport\":true}}", 'A'},
    {"{\"Bool\":{\"aws:SecureTransport\":\"false\"}}", '-'},
    {"{\"IpAddress\":{\"aws:SourceIp\":\"203.0.113.0/24\"}}", 'A'},
    {"{\"IpAddress\":{\"aws:SourceIp\":\"203.0.113.7\"}}", 'A'},
    {"{\"IpAddress\":{\"aws:SourceIp\":\"203.0.113.8/30\"}}", '-'},
    {"{\"IpAddress\":{\"aws:SourceIp\":\"203.0.113.6/31\"}}", 'A'},
    {"{\"IpAddress\":{\"aws:SourceIp\":[\"192.0.2.0/24\",\"203.0.113.0/24\"]}}", 'A'},
    {"{\"NotIpAddress\":{\"aws:SourceIp\":[\"192.0.2.0/24\",\"203.0.113.0/24\"]}}", '-'},
    {"{\"NotIpAddress\":{\"aws:SourceIp\":[\"192.0.2.0/24\"]}}", 'A'},
    {"{\"IpAddress\":{\"aws:SourceIp\":\"0.0.0.0/0\"}}", 'A'},
    {"{\"IpAddress\":{\"aws:SourceIp\":\"::ffff:203.0.113.0/120\"}}", 'A'},
    {"{\"IpAddress\":{\"aws:SourceIp\":\"2001:db8::/32\"}}", '-'},
    {"{\"Null\":{\"s3:prefix\":\"false\"}}", 'A'},
    {"{\"Null\":{\"s3:prefix\":\"true\"}}", '-'},
    {"{\"StringEqualsIfExists\":{\"s3:prefix\":\"home/bob/\"}}", '-'},
    {"{}", 'A'},
};

/* The same operators, when the key is not in the request. */
static const struct condition_row absent_rows[] = {
    {"{\"StringEquals\":{\"s3:prefix\":\"\"}}", '-'},
    {"{\"StringLike\":{\"s3:prefix\":\"*\"}}", '-'},
    {"{\"StringNotEquals\":{\"s3:prefix\":\"x\"}}", 'A'},
    {"{\"StringNotLike\":{\"s3:prefix\":\"*\"}}", 'A'},
    {"{\"StringEqualsIfExists\":{\"s3:prefix\":\"x\"}}", 'A'},
    {"{\"StringNotEqualsIfExists\":{\"s3:prefix\":\"x\"}}", 'A'},
    {"{\"NumericLessThan\":{\"s3:signatureAge\":\"600000\"}}", '-'},
    {"{\"NumericLessThanIfExists\":{\"s3:signatureAge\":\"600000\"}}", 'A'},
    {"{\"NumericNotEquals\":{\"s3:max-keys\":\"10\"}}", 'A'},
    {"{\"IpAddress\":{\"aws:SourceIp\":\"0.0.0.0/0\"}}", '-'},
    {"{\"NotIpAddress\":{\"aws:SourceIp\":\"0.0.0.0/0\"}}", 'A'},
    {"{\"Null\":{\"s3:prefix\":\"true\"}}", 'A'},
    {"{\"Null\":{\"s3:prefix\":\"false\"}}", '-'},
    {"{\"Null\":{\"s3:prefix\":true,\"s3:max-keys\":true,\"aws:SourceIp\":true,"
     "\"s3:signatureAge\":true}}",
     'A'},
};

static void test_conditions(const char *what, const struct condition_row *rows, size_t count,
                            const struct lst_access_question *question)
{
    char elements[1024];

    for (size_t i = 0; i < count; i++) {
        snprintf(elements, sizeof(elements), "\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":%s",
                 rows[i].condition);
        CHECK(decide_elements(elements, question) == rows[i].want, "%s, %c: %s", what, rows[i].want,
              rows[i].condition);
    }
}

static void test_addresses(void)
{
    static const struct {
        const char *network;
        const char *address;
        char want;
    } rows[] = {
        {"203.0.113.0/24", "::ffff:203.0.113.7", 'A'},
        {"2001:db8::/33", "2001:db8:7fff::1", 'A'},
        {"2001:db8::/33", "2001:db8:8000::1", '-'},
        {"2001:db8::1", "2001:db8::1", 'A'},
        {"::/0", "203.0.113.7", 'A'},
        {"0.0.0.0/0", "2001:db8::1", '-'},
        {"fe80::/10", "fe80::1%eth0", 'A'},
        {"127.0.0.1", "", '-'},
        {"127.0.0.1", "not an address", '-'},
    };
    struct lst_access_question question = ordinary_question();
    char elements[256];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        question.source_ip = lst_slice_of(rows[i].address);
        snprintf(
            elements, sizeof(elements),
            "\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"IpAddress\":{\"aws:SourceIp\":"
            "\"%s\"}}",
            rows[i].network);
        CHECK(decide_elements(elements, &question) == rows[i].want, "'%s' %s in %s",
              rows[i].address, rows[i].want == 'A' ? "is" : "is not", rows[i].network);
    }
}

static void test_refused_conditions(void)
{
    static const struct {
        const char *condition;
        const char *word;
    } rows[] = {
        {"[]", "object"},
        {"{\"StringEqual\":{\"s3:prefix\":\"\"}}", "StringEqual"},
        {"{\"stringequals\":{\"s3:prefix\":\"\"}}", "stringequals"},
        {"{\"NullIfExists\":{\"s3:prefix\":\"true\"}}", "NullIfExists"},
        {"{\"ForAllValues:StringEquals\":{\"s3:prefix\":\"\"}}", "ForAllValues:StringEquals"},
        {"{\"StringEquals\":{\"aws:PrincipalTag/a\":\"\"}}", "aws:PrincipalTag/a"},
        {"{\"StringEquals\":{}}", "StringEquals"},
        {"{\"StringEquals\":\"x\"}", "StringEquals"},
        {"{\"StringEquals\":{\"s3:prefix\":[]}}", "without values"},
        {"{\"StringEquals\":{\"s3:prefix\":1}}", "string"},
        {"{\"StringEquals\":{\"aws:SourceIp\":\"10.0.0.1\"}}", "IpAddress"},
        {"{\"NumericEquals\":{\"s3:max-keys\":\"ten\"}}", "number"},
        {"{\"NumericEquals\":{\"s3:max-keys\":1.5}}", "number"},
        {"{\"NumericEquals\":{\"s3:max-keys\":\"99999999999999999999\"}}", "number"},
        {"{\"DateLessThan\":{\"aws:CurrentTime\":\"tomorrow\"}}", "time"},
        {"{\"Bool\":{\"aws:SecureTransport\":\"yes\"}}", "true"},
        {"{\"IpAddress\":{\"aws:SourceIp\":\"10.0.0.0/33\"}}", "CIDR"},
        {"{\"IpAddress\":{\"aws:SourceIp\":\"10.0.0.0/\"}}", "CIDR"},
        {"{\"IpAddress\":{\"aws:SourceIp\":\"10.0.0\"}}", "CIDR"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lst_access_policy *policy = NULL;
        struct lst_buffer problem;
        char json[512];
        snprintf(json, sizeof(json),
                 "{\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\","
                 "\"Condition\":%s}}",
                 rows[i].condition);
        lst_buffer_init(&problem, 4096);
        int status = lst_access_policy_parse(lst_slice_of(json), &policy, &problem);
        lst_buffer_append_byte(&problem, '\0');
        CHECK(status == LST_ERR_POLICY && strstr(problem.bytes, rows[i].word) != NULL,
              "refused with '%s': %s", rows[i].word, problem.bytes);
        lst_buffer_release(&problem);
    }
}

/* The policy "deny presigned URLs older than ten minutes" of the S3 API Reference, as it stands but
 * for the Principal. */
static void test_documented_policy(void)
{
    static const char json[] =
        "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Sid\": \"Allow\", \"Effect\": \"Allow\", "
        "\"Action\": \"s3:*\", \"Resource\": \"*\"}, {\"Sid\": \"Deny a presigned URL request if "
        "the signature is more than 10 min old\", \"Effect\": \"Deny\", \"Action\": \"s3:*\", "
        "\"Resource\": \"arn:aws:s3:::photos/*\", \"Condition\": {\"NumericGreaterThan\": "
        "{\"s3:signatureAge\": 600000}}}]}";
    struct lst_access_question question = ordinary_question();

    CHECK(decide(json, &question) == 'A', "a young signature passes");
    question.signature_age_ms = 600001;
    CHECK(decide(json, &question) == 'D', "one older than ten minutes does not");
    question.has_signature_age = false;
    CHECK(decide(json, &question) == 'A', "a request without an age is none of its business");
}

int main(void)
{
    struct lst_access_question question = ordinary_question();

    test_conditions("present", present_rows, sizeof(present_rows) / sizeof(present_rows[0]),
                    &question);
    question.has_prefix = question.has_delimiter = question.has_max_keys = false;
    question.has_signature_age = false;
    question.source_ip = LST_SLICE("");
    test_conditions("absent", absent_rows, sizeof(absent_rows) / sizeof(absent_rows[0]), &question);
    test_addresses();
    test_refused_conditions();
    test_documented_policy();
    return tap_done();
}
