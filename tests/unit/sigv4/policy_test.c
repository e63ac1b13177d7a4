/* policy_test.c - policy documents: what they allow, and everything that is not one. */
#include "guard_page.h"
#include "latchstring.h"
#include "tap.h"
#include "text.h"

#define EXPIRATION "\"expiration\":\"2015-12-30T12:00:00Z\""
#define BUCKET     "{\"bucket\":\"b\"}"

/* What a check of one document gave. */
struct outcome {
    int error;
    struct lst_policy_limits limits;
    char condition[256];
};

static struct outcome check_at(const char *json, const struct lst_field *fields, size_t count,
                               int64_t now)
{
    static char policy[32768];
    static char scratch[32768];
    struct outcome outcome = {.condition = ""};
    struct lst_slice condition = {NULL, 0};
    struct lst_auth auth;

    memset(&auth, 0, sizeof(auth));
    lst_internal_base64_encode((const uint8_t *)json, strlen(json), policy);
    auth.policy = (struct lst_slice){policy, lst_internal_base64_length(strlen(json))};
    outcome.error = lst_policy_check(&auth, fields, count, LST_SLICE("b"), now, scratch,
                                     auth.policy.length / 4 * 3, &outcome.limits, &condition);
    if (condition.length > 0 && condition.length < sizeof(outcome.condition)) {
        memcpy(outcome.condition, condition.bytes, condition.length);
    }
    return outcome;
}

static struct outcome check(const char *json, const struct lst_field *fields, size_t count)
{
    return check_at(json, fields, count, 0);
}

/* A document with the bucket's condition and these. */
static struct outcome check_conditions(const char *conditions, const struct lst_field *fields,
                                       size_t count)
{
    char json[4096];

    snprintf(json, sizeof(json), "{" EXPIRATION ",\"conditions\":[" BUCKET "%s%s]}",
             *conditions == '\0' ? "" : ",", conditions);
    return check(json, fields, count);
}

static int check_one(const char *conditions, const char *name, const char *value)
{
    struct lst_field field = {lst_slice_of(name), lst_slice_of(value)};

    return check_conditions(conditions, &field, 1).error;
}

static void test_conditions(void)
{
    static const struct {
        const char *what;
        const char *conditions;
        const char *name;
        const char *value;
        int error;
    } cases[] = {
        {"an exact match", "{\"key\":\"a/b\"}", "key", "a/b", LST_OK},
        {"another value", "{\"key\":\"a/b\"}", "key", "a/B", LST_REFUSED_POLICY_CONDITION},
        {"a longer value", "{\"key\":\"a/b\"}", "key", "a/bc", LST_REFUSED_POLICY_CONDITION},
        {"a shorter value", "{\"key\":\"a/b\"}", "key", "a/", LST_REFUSED_POLICY_CONDITION},
        {"eq", "[\"eq\",\"$key\",\"a\"]", "key", "a", LST_OK},
        {"eq, another value", "[\"eq\",\"$key\",\"a\"]", "key", "ab", LST_REFUSED_POLICY_CONDITION},
        {"starts-with", "[\"starts-with\",\"$key\",\"u/\"]", "key", "u/x", LST_OK},
        {"starts-with, another start", "[\"starts-with\",\"$key\",\"u/\"]", "key", "v/x",
         LST_REFUSED_POLICY_CONDITION},
        {"starts-with, too short", "[\"starts-with\",\"$key\",\"u/\"]", "key", "u",
         LST_REFUSED_POLICY_CONDITION},
        {"starts-with nothing", "[\"starts-with\",\"$key\",\"\"]", "key", "anything", LST_OK},
        {"starts-with nothing, an empty value", "[\"starts-with\",\"$key\",\"\"]", "key", "",
         LST_OK},
        {"names in any case", "[\"EQ\",\"$content-TYPE\",\"a\"]", "Content-Type", "a", LST_OK},
        {"a list of types", "[\"starts-with\",\"$Content-Type\",\"image/\"]", "content-type",
         "image/png,image/gif, image/jpeg", LST_OK},
        {"a list of types with a wrong one", "[\"starts-with\",\"$Content-Type\",\"image/\"]",
         "content-type", "image/png,text/html", LST_REFUSED_POLICY_CONDITION},
        {"a list with an empty type", "[\"starts-with\",\"$Content-Type\",\"image/\"]",
         "content-type", "image/png,", LST_REFUSED_POLICY_CONDITION},
        {"commas of another field mean nothing", "[\"starts-with\",\"$x-amz-meta-a\",\"i\"]",
         "x-amz-meta-a", "i,text", LST_OK},
        {"a field that is missing", "[\"starts-with\",\"$key\",\"\"]", "x-ignore-me", "",
         LST_REFUSED_POLICY_CONDITION},
        {"a field without a condition", "", "key", "a", LST_REFUSED_POLICY_EXTRA_FIELD},
        {"x-ignore- fields need none", "", "X-Ignore-Submit", "a", LST_OK},
        {"the signature needs none", "", "X-Amz-Signature", "a", LST_OK},
        {"the policy needs none", "", "Policy", "a", LST_OK},
        {"the bucket as a field", "", "bucket", "b", LST_OK},
        {"another bucket as a field", "", "bucket", "c", LST_REFUSED_POLICY_CONDITION},
        {"two conditions on a field", "[\"starts-with\",\"$key\",\"a\"],[\"eq\",\"$key\",\"ab\"]",
         "key", "ab", LST_OK},
        {"two conditions, one fails", "[\"starts-with\",\"$key\",\"b\"],[\"eq\",\"$key\",\"ab\"]",
         "key", "ab", LST_REFUSED_POLICY_CONDITION},
        {"escapes", "{\"key\":\"\\u0041\\n\\/\\\"\\\\\\t\\b\\f\\r\\$\\v\"}", "key",
         "A\n/\"\\\t\b\f\r$\v", LST_OK},
        {"UTF-8, as it is", "{\"key\":\"\303\251\"}", "key", "\303\251", LST_OK},
        {"UTF-8, two bytes", "{\"key\":\"\\u00e9\"}", "key", "\303\251", LST_OK},
        {"UTF-8, three bytes", "{\"key\":\"x\\u20aC\"}", "key", "x\342\202\254", LST_OK},
        {"UTF-8, four bytes", "{\"key\":\"\\uD83D\\ude00\"}", "key", "\360\237\230\200", LST_OK},
        {"an escaped dollar and name", "[\"eq\",\"\\u0024\\u006bey\",\"a\"]", "key", "a", LST_OK},
        {"an escaped NUL is no end", "{\"key\":\"a\\u0000b\"}", "key", "a",
         LST_REFUSED_POLICY_CONDITION},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int error = check_one(cases[i].conditions, cases[i].name, cases[i].value);

        CHECK(error == cases[i].error, "%s: %d (%d)", cases[i].what, cases[i].error, error);
    }
}

static void test_malformed(void)
{
    static const char *const conditions[] = {
        "[\"eq\",\"$key\"]",             /* no value */
        "[\"eq\",\"$key\",\"a\",\"b\"]", /* one too many */
        "[\"ends-with\",\"$key\",\"a\"]",
        "[\"eq\",\"$key\",1]",
        "[]",
        "[\"eq\"]",
        "{}",
        "{\"key\":1}",
        "{\"key\":null}",
        "{\"key\":[\"a\"]}",
        "{\"key\":\"a\",\"acl\":\"b\"}",
        "\"key\"",
        "1",
        "[\"content-length-range\",-1,2]",
        "[\"content-length-range\",1]",
        "[\"content-length-range\",1,2,3]",
        "[\"content-length-range\",01,2]",
        "[\"content-length-range\",1.5,2]",
        "[\"content-length-range\",1e3,2000]",
        "[\"content-length-range\",1,18446744073709551616]",
        "{\"key\":\"\\x41\"}",
        "{\"key\":\"\\u12\"}",
        "{\"key\":\"\\ud800\"}",
        "{\"key\":\"\\ud800\\u0041\"}",
        "{\"key\":\"\\udc00\"}",
        "{\"key\":\"a\nb\"}",
        "{\"key\":\"a\"},",
        "{\"key\":\"a\"} {\"key\":\"a\"}",
        "[[\"eq\",\"$key\",\"a\"]]",
    };
    static const char *const documents[] = {
        "",
        "x",
        "{}",
        "[]",
        "{" EXPIRATION "}",
        "{\"conditions\":[]}",
        "{" EXPIRATION ",\"conditions\":{}}",
        "{" EXPIRATION ",\"conditions\":[" BUCKET "]",
        "{" EXPIRATION ",\"conditions\":[" BUCKET "]}x",
        "{" EXPIRATION ",\"conditions\":[" BUCKET "],}",
        "{" EXPIRATION ",\"conditions\":[" BUCKET "],\"conditions\":[" BUCKET "]}",
        "{" EXPIRATION "," EXPIRATION ",\"conditions\":[" BUCKET "]}",
        "{" EXPIRATION ",\"conditions\":[" BUCKET "],\"extra\":1}",
        "{\"Expiration\":\"2015-12-30T12:00:00Z\",\"conditions\":[" BUCKET "]}",
        "{\"expiration\":\"2015-12-30\",\"conditions\":[" BUCKET "]}",
        "{\"expiration\":\"2015-12-30T12:00:00\",\"conditions\":[" BUCKET "]}",
        "{\"expiration\":\"2015-12-30 12:00:00Z\",\"conditions\":[" BUCKET "]}",
        "{\"expiration\":\"2015-13-30T12:00:00Z\",\"conditions\":[" BUCKET "]}",
        "{\"expiration\":\"2015-12-30T12:00:00.5Zx\",\"conditions\":[" BUCKET "]}",
        "{\"expiration\":\"20151230T120000Z\",\"conditions\":[" BUCKET "]}",
        "{\"expiration\":1451476800,\"conditions\":[" BUCKET "]}",
    };

    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        CHECK(check_one(conditions[i], "key", "a") == LST_REFUSED_POLICY_MALFORMED,
              "malformed condition %zu", i);
    }
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        CHECK(check(documents[i], NULL, 0).error == LST_REFUSED_POLICY_MALFORMED,
              "malformed document %zu", i);
    }
}

static void test_limits(void)
{
    struct outcome outcome = check_conditions("[\"content-length-range\",1,10],"
                                              "[\"content-length-range\", 0 , 8 ]",
                                              NULL, 0);

    CHECK(outcome.error == LST_OK && outcome.limits.has_length_range &&
              outcome.limits.length_min == 1 && outcome.limits.length_max == 8,
          "of two ranges, what both allow");
    CHECK(outcome.limits.expires_at == 1451476800, "the end of its life");
    outcome =
        check_conditions("[\"content-length-range\",1,8],[\"content-length-range\",2,10]", NULL, 0);
    CHECK(outcome.limits.length_min == 2 && outcome.limits.length_max == 8, "in either order");
    outcome = check_conditions("", NULL, 0);
    CHECK(outcome.error == LST_OK && !outcome.limits.has_length_range, "no range");
}

static void test_expiry(void)
{
    static const char document[] =
        "{\"conditions\":[" BUCKET "] , \"expiration\" : \"2015-12-30T12:00:00.999Z\" }\r\n";

    CHECK(check_at(document, NULL, 0, 1451476800).error == LST_OK, "valid in its last second");
    CHECK(check_at(document, NULL, 0, 1451476801).error == LST_REFUSED_POLICY_EXPIRED,
          "expired one second later");
}

static void test_culprits(void)
{
    const struct lst_field fields[] = {{LST_SLICE("key"), LST_SLICE("a")},
                                       {LST_SLICE("Extra"), LST_SLICE("")}};
    struct outcome outcome =
        check_conditions("[\"starts-with\", \"$key\", \"x\"],{\"extra\": \"y\"}", fields, 2);

    CHECK_TEXT(outcome.condition, strlen(outcome.condition), "[\"starts-with\", \"$key\", \"x\"]",
               "the first condition that fails is named, as it was written");
    outcome = check_conditions("{\"key\":\"a\"}", fields, 2);
    CHECK_TEXT(outcome.condition, strlen(outcome.condition), "Extra", "an extra field is named");
    outcome = check("{" EXPIRATION ",\"conditions\":[{\"key\":\"a\"}]}", fields, 1);
    CHECK(outcome.error == LST_REFUSED_POLICY_EXTRA_FIELD &&
              strcmp(outcome.condition, "bucket") == 0,
          "a policy must name its bucket");
    CHECK(check("{" EXPIRATION ",\"conditions\":[{\"bucket\":\"c\"}]}", NULL, 0).error ==
              LST_REFUSED_POLICY_CONDITION,
          "and be posted to it");
}

/* A field given twice could be read either way: both must be allowed. */
static void test_repeated_field(void)
{
    const struct lst_field fields[] = {{LST_SLICE("key"), LST_SLICE("a")},
                                       {LST_SLICE("KEY"), LST_SLICE("b")}};

    CHECK(check_conditions("{\"key\":\"a\"}", fields, 2).error == LST_REFUSED_POLICY_CONDITION,
          "the second of two equal fields is checked too");
    CHECK(check_conditions("{\"key\":\"b\"}", fields, 2).error == LST_REFUSED_POLICY_CONDITION,
          "and so is the first");
}

static void test_sizes(void)
{
    static struct lst_field fields[LST_PARAMETERS_MAX + 1];
    static char json[20000];
    struct lst_auth auth;
    struct lst_policy_limits limits;
    struct lst_slice condition;
    char scratch[8];

    for (size_t i = 0; i < LST_PARAMETERS_MAX + 1; i++) {
        fields[i].name = LST_SLICE("x-ignore-it");
    }
    CHECK(check_conditions("", fields, LST_PARAMETERS_MAX).error == LST_OK, "as many fields");
    fields[LST_PARAMETERS_MAX - 1].name = LST_SLICE("last");
    CHECK(check_conditions("", fields, LST_PARAMETERS_MAX).error == LST_REFUSED_POLICY_EXTRA_FIELD,
          "the last field is checked");
    CHECK(check_conditions("", fields, LST_PARAMETERS_MAX + 1).error ==
              LST_REFUSED_TOO_MANY_PARAMETERS,
          "and no more");
    memset(json, ' ', sizeof(json) - 1);
    CHECK(check(json, NULL, 0).error == LST_REFUSED_POLICY_MALFORMED, "a policy too long");
    memset(&auth, 0, sizeof(auth));
    auth.policy = LST_SLICE("AAAAAAAAAAAAAAAA");
    CHECK(lst_policy_check(&auth, NULL, 0, LST_SLICE("b"), 0, scratch, sizeof(scratch), &limits,
                           &condition) == LST_ERR_BUFFER_TOO_SMALL,
          "too little scratch");
    auth.policy = LST_SLICE("AAA*");
    CHECK(lst_policy_check(&auth, NULL, 0, LST_SLICE("b"), 0, scratch, sizeof(scratch), &limits,
                           &condition) == LST_REFUSED_POLICY_MALFORMED,
          "not base64");
}

/* Every beginning of a document, laid against a page that can't be read: nothing reads past it. */
static void test_guard_page(void)
{
    static const char document[] = "{" EXPIRATION ",\"conditions\":[" BUCKET
                                   ",[\"starts-with\",\"$key\",\"\\ud83d\\ude00\\n\"],"
                                   "[\"content-length-range\",1,20]]}";
    const struct lst_field field = {LST_SLICE("key"), LST_SLICE("\360\237\230\200\nx")};
    struct guard text_guard = guard_open();
    struct guard scratch_guard = guard_open();
    bool right = true;

    for (size_t length = 0; length < sizeof(document); length++) {
        size_t encoded = lst_internal_base64_length(length);
        char *policy = guard_room(text_guard, encoded);
        size_t capacity = encoded / 4 * 3;
        int wanted = length == sizeof(document) - 1 ? LST_OK : LST_REFUSED_POLICY_MALFORMED;
        struct lst_policy_limits limits;
        struct lst_slice condition;
        struct lst_auth auth;

        memset(&auth, 0, sizeof(auth));
        lst_internal_base64_encode((const uint8_t *)document, length, policy);
        auth.policy = (struct lst_slice){policy, encoded};
        right = right && lst_policy_check(&auth, &field, 1, LST_SLICE("b"), 0,
                                          guard_room(scratch_guard, capacity), capacity, &limits,
                                          &condition) == wanted;
    }
    CHECK(right, "a policy cut anywhere is malformed, and nothing is read past its end");
    guard_close(text_guard);
    guard_close(scratch_guard);
}

int main(void)
{
    test_conditions();
    test_malformed();
    test_limits();
    test_expiry();
    test_culprits();
    test_repeated_field();
    test_sizes();
    test_guard_page();
    return tap_done();
}
