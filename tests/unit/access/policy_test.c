/* policy_test.c - policies: what they decide, and what is refused when they are set. */
#include "access/ready_made.h"
#include "policy_asking.h"

static void test_actions_and_resources(void)
{
    static const struct {
        const char *elements;
        char want;
    } rows[] = {
        {"\"Action\":\"s3:GetObject\",\"Resource\":\"*\"", 'A'},
        {"\"Action\":\"S3:getobject\",\"Resource\":\"*\"", 'A'},
        {"\"Action\":\"s3:*\",\"Resource\":\"*\"", 'A'},
        {"\"Action\":\"*\",\"Resource\":\"*\"", 'A'},
        {"\"Action\":\"s3:Get*\",\"Resource\":\"*\"", 'A'},
        {"\"Action\":\"s3:GetObjec?\",\"Resource\":\"*\"", 'A'},
        {"\"Action\":\"s3:GetObjectAcl\",\"Resource\":\"*\"", '-'},
        {"\"Action\":\"s3:PutObject\",\"Resource\":\"*\"", '-'},
        {"\"Action\":[\"s3:PutObject\",\"s3:GetObject\"],\"Resource\":\"*\"", 'A'},
        {"\"NotAction\":\"s3:GetObject\",\"Resource\":\"*\"", '-'},
        {"\"NotAction\":[\"s3:Delete*\",\"s3:Put*\"],\"Resource\":\"*\"", 'A'},
        {"\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::photos/*\"", 'A'},
        {"\"Action\":\"*\",\"Resource\":\"arn:aws-cn:s3:::photos/*\"", 'A'},
        {"\"Action\":\"*\",\"Resource\":\"arn:*:s3:*:*:photos/*\"", 'A'},
        {"\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::*\"", 'A'},
        {"\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::photos\"", '-'},
        {"\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::photos*\"", 'A'},
        {"\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::Photos/*\"", '-'},
        {"\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::photos/2026/*.jpg\"", 'A'},
        {"\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::photos/2026/*.png\"", '-'},
        {"\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::*/cat.jpg\"", 'A'},
        {"\"Action\":\"*\",\"Resource\":[\"arn:aws:s3:::a\",\"arn:aws:s3:::photos/*\"]", 'A'},
        {"\"Action\":\"*\",\"NotResource\":\"arn:aws:s3:::photos/*\"", '-'},
        {"\"Action\":\"*\",\"NotResource\":\"arn:aws:s3:::private/*\"", 'A'},
    };
    struct lst_access_question question = ordinary_question();

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK(decide_elements(rows[i].elements, &question) == rows[i].want, "%c: %s", rows[i].want,
              rows[i].elements);
    }
    question.key = LST_SLICE("");
    CHECK(decide_elements("\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::photos\"", &question) ==
              'A',
          "a bucket's own ARN speaks of the bucket");
    CHECK(decide_elements("\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::photos/*\"", &question) ==
              '-',
          "the ARN of its objects does not");
    question.bucket = LST_SLICE("");
    CHECK(decide_elements("\"Action\":\"*\",\"Resource\":\"*\"", &question) == 'A' &&
              decide_elements("\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::*\"", &question) == 'A',
          "the list of all buckets is under * and under arn:aws:s3:::*");
    CHECK(decide_elements("\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::photos\"", &question) ==
              '-',
          "and not under one bucket");
}

static void test_user_name(void)
{
    static const char elements[] =
        "\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::photos/home/${aws:username}/*\"";
    struct lst_access_question question = ordinary_question();

    question.key = LST_SLICE("home/alice/a.jpg");
    CHECK(decide_elements(elements, &question) == 'A', "${aws:username} is the user's name");
    question.key = LST_SLICE("home/bob/a.jpg");
    CHECK(decide_elements(elements, &question) == '-', "and no other");
    CHECK(decide("{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\","
                 "\"Resource\":\"arn:aws:s3:::home/${aws:username}/*\"}}",
                 &question) == 'e',
          "variables without Version 2012-10-17 are refused, not taken literally");
}

static void test_deny_wins(void)
{
    static const char allow_then_deny[] =
        "{\"Version\":\"2012-10-17\",\"Statement\":["
        "{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"},"
        "{\"Effect\":\"Deny\",\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::photos/secret/*\"}]}";
    static const char deny_then_allow[] =
        "{\"Version\":\"2012-10-17\",\"Statement\":["
        "{\"Effect\":\"Deny\",\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::photos/secret/*\"},"
        "{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"}]}";
    struct lst_access_question question = ordinary_question();
    static char long_key[2000];

    CHECK(decide(allow_then_deny, &question) == 'A', "what no Deny speaks of stays allowed");
    question.key = LST_SLICE("secret/plan");
    CHECK(decide(allow_then_deny, &question) == 'D', "Deny wins over an Allow before it");
    CHECK(decide(deny_then_allow, &question) == 'D', "and over one after it");
    memset(long_key, 'x', sizeof(long_key));
    question.key = lst_slice_make(long_key, sizeof(long_key));
    CHECK(decide(allow_then_deny, &question) == 'D', "a key longer than any key is denied");
}

/* What is refused when a policy is set, and a word that the sentence about it must have. */
static const struct {
    const char *json;
    const char *word;
} refused_rows[] = {
    {"", "JSON"},
    {"[]", "object"},
    {"{\"Statement\":{}", "line 1"},
    {"{\"Statement\":[],\"Statement\":[]}", "JSON"},
    {"{\"Version\":\"2012-10-17\"}", "Statement"},
    {"{\"Version\":\"2012-10-17\",\"Statement\":[]}", "Statement"},
    {"{\"Version\":\"2020-01-01\",\"Statement\":[]}", "2012-10-17"},
    {"{\"version\":\"2012-10-17\",\"Statement\":[]}", "\"version\""},
    {"{\"Statement\":\"x\"}", "Statement 1"},
    {"{\"Statement\":{\"Action\":\"*\",\"Resource\":\"*\"}}", "Effect"},
    {"{\"Statement\":{\"Effect\":\"allow\",\"Action\":\"*\",\"Resource\":\"*\"}}", "Effect"},
    {"{\"Statement\":{\"Effect\":\"Deny\",\"Resource\":\"*\"}}", "Action"},
    {"{\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"*\"}}", "Resource"},
    {"{\"Statement\":{\"Effect\":\"Deny\",\"Action\":[],\"Resource\":\"*\"}}", "Action"},
    {"{\"Statement\":{\"Effect\":\"Deny\",\"Action\":[\"*\",1],\"Resource\":\"*\"}}", "Action"},
    {"{\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"*\",\"NotAction\":\"*\","
     "\"Resource\":\"*\"}}",
     "both"},
    {"{\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"GetObject\",\"Resource\":\"*\"}}",
     "\"GetObject\""},
    {"{\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"sqs:Send\",\"Resource\":\"*\"}}",
     "sqs:Send"},
    {"{\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"photos/*\"}}",
     "arn:aws:s3:::BUCKET/KEY"},
    {"{\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"arn:aws:sqs:::q\"}}",
     "not one of S3"},
    {"{\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"arn:aws:s3:eu::q\"}}",
     "region"},
    {"{\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::\"}}",
     "bucket"},
    {"{\"Statement\":[{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"},"
     "{\"Sid\":\"Second\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\","
     "\"Resource\":\"*\"}]}",
     "Statement 2 (Sid \"Second\")"},
    {"{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"*\","
     "\"Resource\":\"arn:aws:s3:::a/${aws:userid}\"}}",
     "${aws:userid}"},
};

static void test_refusals(void)
{
    for (size_t i = 0; i < sizeof(refused_rows) / sizeof(refused_rows[0]); i++) {
        struct lst_access_policy *policy = NULL;
        struct lst_buffer problem;
        lst_buffer_init(&problem, 4096);
        int status = lst_access_policy_parse(lst_slice_of(refused_rows[i].json), &policy, &problem);
        lst_buffer_append_byte(&problem, '\0');
        CHECK(status == LST_ERR_POLICY && policy == NULL &&
                  strstr(problem.bytes, refused_rows[i].word) != NULL,
              "refused with '%s': %s", refused_rows[i].word, problem.bytes);
        lst_buffer_release(&problem);
    }
}

static char decide_ready_made(const char *name, const char *bucket,
                              const struct lst_access_question *question)
{
    struct lst_buffer json;
    char answer = 'e';

    lst_buffer_init(&json, LST_ACCESS_POLICY_MAX);
    if (lst_ready_made_policy(lst_slice_of(name), lst_slice_of(bucket), &json) == LST_OK) {
        lst_buffer_append_byte(&json, '\0');
        answer = decide(json.bytes, question);
    }
    lst_buffer_release(&json);
    return answer;
}

static void test_ready_made(void)
{
    struct lst_access_question question = ordinary_question();

    CHECK(decide_ready_made("readonly", NULL, &question) == 'A', "readonly reads");
    CHECK(decide_ready_made("readonly", "photos", &question) == 'A', "in the bucket it is for");
    CHECK(decide_ready_made("readonly", "movies", &question) == '-', "and in no other");
    CHECK(decide_ready_made("writeonly", NULL, &question) == '-', "writeonly does not read");
    CHECK(decide_ready_made("full", NULL, &question) == 'A', "full does everything");
    question.action = LST_SLICE("s3:PutObject");
    CHECK(decide_ready_made("readonly", NULL, &question) == '-', "readonly does not write");
    CHECK(decide_ready_made("writeonly", "photos", &question) == 'A', "writeonly writes");
    CHECK(decide_ready_made("readwrite", "photos", &question) == 'A', "readwrite writes");
    question.action = LST_SLICE("s3:DeleteObject");
    CHECK(decide_ready_made("readwrite", "photos", &question) == 'A', "and deletes");
    question.action = LST_SLICE("s3:DeleteBucket");
    question.key = LST_SLICE("");
    CHECK(decide_ready_made("readwrite", "photos", &question) == '-', "but not the bucket");
    question.action = LST_SLICE("s3:ListBucket");
    CHECK(decide_ready_made("readonly", "photos", &question) == 'A', "readonly lists");
    question.action = LST_SLICE("s3:ListAllMyBuckets");
    question.bucket = LST_SLICE("");
    CHECK(decide_ready_made("readonly", "photos", &question) == '-' &&
              decide_ready_made("readonly", NULL, &question) == 'A',
          "the list of buckets is for those who may read all of them");
    CHECK(decide_ready_made("none", NULL, &question) == 'e', "there is no other");
    CHECK(decide_ready_made("full", "a\"b", &question) == 'e', "a bucket's name is checked");
}

static void test_limits(void)
{
    struct lst_access_policy *policy = NULL;
    static char json[LST_ACCESS_POLICY_MAX + 100];
    int length = snprintf(json, sizeof(json), "{\"Statement\":[");

    for (int i = 0; i < 101; i++) {
        length += snprintf(json + length, sizeof(json) - (size_t)length,
                           "%s{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"}",
                           i > 0 ? "," : "");
    }
    snprintf(json + length, sizeof(json) - (size_t)length, "]}");
    CHECK(lst_access_policy_parse(lst_slice_of(json), &policy, NULL) == LST_ERR_POLICY,
          "more than 100 statements are refused");
    memset(json, ' ', sizeof(json));
    CHECK(lst_access_policy_parse(lst_slice_make(json, sizeof(json)), &policy, NULL) ==
              LST_ERR_POLICY,
          "more than 20 KiB are refused");
    memset(json, '[', LST_ACCESS_POLICY_MAX);
    CHECK(lst_access_policy_parse(lst_slice_make(json, LST_ACCESS_POLICY_MAX), &policy, NULL) ==
              LST_ERR_POLICY,
          "deep nesting is refused");
}

/* Before the keys are known. */
static void test_any_key(void)
{
    struct lst_access_question question = ordinary_question();
    static const struct {
        const char *elements;
        char answer;
    } cases[] = {
        {"\"Action\":\"s3:*\",\"Resource\":\"*\"", 'A'},
        {"\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::photos/a/b\"", 'A'},
        {"\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::ph*x\"", 'A'},
        {"\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::photos/${aws:username}\"", 'A'},
        {"\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::photos\"", '-'},
        {"\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::photos2/*\"", '-'},
        {"\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::other/*\"", '-'},
        {"\"Action\":\"s3:PutObject\",\"Resource\":\"*\"", '-'},
        {"\"Action\":\"s3:GetObject\",\"NotResource\":\"arn:aws:s3:::photos/a\"", 'A'},
    };

    question.key = LST_SLICE("");
    question.any_key = true;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK(decide_elements(cases[i].elements, &question) == cases[i].answer, "any key: %s",
              cases[i].elements);
    }
    CHECK(decide("{\"Version\":\"2012-10-17\",\"Statement\":["
                 "{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::photos/x*\"},"
                 "{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}",
                 &question) == 'A',
          "a Deny is about some keys at most");
}

int main(void)
{
    test_actions_and_resources();
    test_user_name();
    test_deny_wins();
    test_refusals();
    test_ready_made();
    test_limits();
    test_any_key();
    return tap_done();
}
