/* form_test.c - POST forms: AWS's example, what we sign, and forms that are not well signed. */
#include "guard_page.h"
#include "latchstring.h"
#include "tap.h"
#include "text.h"

#include <stdlib.h>

#define SECRET     "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define CREDENTIAL "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"
#define SIGNATURE  "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e"

/* "Example: Browser-Based Upload using HTTP POST", the policy as it was encoded there. */
static const char aws_policy[] =
    "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7"
    "ImJ1Y2tldCI6ICJzaWd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91"
    "c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMtcmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3Qi"
    "OiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwi"
    "fSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4LWFtei1tZXRh"
    "LXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVT"
    "MjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNy"
    "ZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9"
    "LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAi"
    "MjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9";

#define FIELDS_MAX 16

static const struct lst_rules rules;
static struct lst_key key;
static int64_t when; /* 20151229T000000Z */

/* The fields of AWS's example; the caller may change a copy. */
struct form {
    struct lst_field fields[FIELDS_MAX];
    size_t count;
};

static void add(struct form *form, const char *name, const char *value)
{
    if (form->count == FIELDS_MAX) {
        abort();
    }
    form->fields[form->count].name = lst_slice_of(name);
    form->fields[form->count++].value = lst_slice_of(value);
}

static struct form aws_form(void)
{
    struct form form = {.count = 0};

    add(&form, "key", "user/user1/${filename}");
    add(&form, "acl", "public-read");
    add(&form, "success_action_redirect",
        "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html");
    add(&form, "Content-Type", "image/jpeg");
    add(&form, "x-amz-meta-uuid", "14365123651274");
    add(&form, "x-amz-server-side-encryption", "AES256");
    add(&form, "X-Amz-Credential", CREDENTIAL);
    add(&form, "X-Amz-Algorithm", "AWS4-HMAC-SHA256");
    add(&form, "X-Amz-Date", "20151229T000000Z");
    add(&form, "x-amz-meta-tag", "");
    add(&form, "Policy", aws_policy);
    add(&form, "X-Amz-Signature", SIGNATURE);
    return form;
}

/* Give the field another value, or take it away. */
static struct form with(const char *name, const char *value)
{
    struct form form = aws_form();

    for (size_t i = 0; i < form.count; i++) {
        if (lst_internal_equal_ignoring_case(form.fields[i].name, lst_slice_of(name))) {
            if (value != NULL) {
                form.fields[i].value = lst_slice_of(value);
            } else {
                form.fields[i] = form.fields[--form.count];
            }
            return form;
        }
    }
    add(&form, name, value);
    return form;
}

/* All three steps. */
static int check(const struct form *form, int64_t now)
{
    char scratch[4096];
    struct lst_policy_limits limits;
    struct lst_slice condition;
    struct lst_auth auth;
    int error = lst_parse_form(form->fields, form->count, &rules, now, &auth);

    if (error == LST_OK) {
        error = lst_verify_form(&auth, &key);
    }
    if (error == LST_OK) {
        error = lst_policy_check(&auth, form->fields, form->count, LST_SLICE("sigv4examplebucket"),
                                 now, scratch, sizeof(scratch), &limits, &condition);
    }
    return error;
}

static void test_aws_example(void)
{
    struct form form = aws_form();
    struct lst_auth auth;

    CHECK(check(&form, when) == LST_OK, "AWS's example of a form is accepted");
    CHECK(lst_parse_form(form.fields, form.count, &rules, when, &auth) == LST_OK &&
              auth.kind == LST_AUTH_FORM &&
              strcmp(auth.access_key_id, "AKIAIOSFODNN7EXAMPLE") == 0 &&
              strcmp(auth.day, "20151229") == 0 && strcmp(auth.region, "us-east-1") == 0 &&
              strcmp(auth.service, "s3") == 0 && auth.time == when,
          "its claims are taken apart");
    CHECK(check(&form, when + 36 * 3600) == LST_OK, "until its policy expires");
    CHECK(check(&form, when + 36 * 3600 + 1) == LST_REFUSED_POLICY_EXPIRED, "and not longer");
    CHECK(check(&form, when - 900) == LST_OK, "its clock may be 15 minutes ahead");
    CHECK(check(&form, when - 901) == LST_REFUSED_NOT_YET_VALID, "and not more");
}

static void test_changes(void)
{
    static const struct {
        const char *name;
        const char *value;
        int error;
    } cases[] = {
        {"key", "user/user2/a", LST_REFUSED_POLICY_CONDITION},
        {"content-type", "text/html", LST_REFUSED_POLICY_CONDITION},
        {"acl", NULL, LST_REFUSED_POLICY_CONDITION},
        {"x-amz-meta-more", "1", LST_REFUSED_POLICY_EXTRA_FIELD},
        {"x-ignore-more", "1", LST_OK},
        {"file", "1", LST_OK},
        {"policy", "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMw", LST_REFUSED_SIGNATURE},
        {"policy", NULL, LST_REFUSED_FORM_FIELD_MISSING},
        {"x-amz-signature", NULL, LST_REFUSED_FORM_FIELD_MISSING},
        {"x-amz-signature", "8afdbf", LST_REFUSED_SIGNATURE},
        {"policy", "", LST_REFUSED_POLICY_MALFORMED},
        {"x-amz-signature", "8AFDBF4008C03F22C2CD3CDB72E4AFBB1F6A588F3255AC628749A66D7F09699E",
         LST_REFUSED_SIGNATURE},
        {"x-amz-signature", "9afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e",
         LST_REFUSED_SIGNATURE},
        {"x-amz-algorithm", NULL, LST_REFUSED_FORM_FIELD_MISSING},
        {"x-amz-algorithm", "AWS4-HMAC-SHA512", LST_REFUSED_ALGORITHM},
        {"x-amz-date", NULL, LST_REFUSED_FORM_FIELD_MISSING},
        {"x-amz-date", "2015-12-29", LST_REFUSED_DATE},
        {"x-amz-date", "20151229T000001Z", LST_REFUSED_POLICY_CONDITION},
        {"x-amz-date", "20151228T000000Z", LST_REFUSED_SCOPE_DATE},
        {"x-amz-credential", NULL, LST_REFUSED_FORM_FIELD_MISSING},
        {"x-amz-credential", "AKIAIOSFODNN7EXAMPLE", LST_REFUSED_CREDENTIAL},
        {"x-amz-credential", "OTHER/20151229/us-east-1/s3/aws4_request",
         LST_REFUSED_POLICY_CONDITION},
        {"x-amz-credential", "A/20151229/us-east-1/sqs/aws4_request", LST_REFUSED_SCOPE_SERVICE},
        {"x-amz-credential", "A/20151229/us-east-1/s3/aws5_request", LST_REFUSED_SCOPE_TERMINATOR},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct form form = with(cases[i].name, cases[i].value);
        int error = check(&form, when);

        CHECK(error == cases[i].error, "%s as %s: %d (%d)", cases[i].name,
              cases[i].value == NULL ? "nothing" : cases[i].value, cases[i].error, error);
    }
}

static void test_kinds(void)
{
    struct form form = {.count = 0};
    struct lst_auth auth;
    struct lst_field many[LST_PARAMETERS_MAX + 1];

    add(&form, "key", "a");
    CHECK(check(&form, when) == LST_REFUSED_NOT_SIGNED, "a form without any signature");
    add(&form, "AWSAccessKeyId", "a");
    add(&form, "signature", "a");
    add(&form, "policy", "a");
    CHECK(check(&form, when) == LST_REFUSED_SIGNATURE_V2, "a form of Signature Version 2");
    form = aws_form();
    add(&form, "X-AMZ-SIGNATURE", SIGNATURE);
    CHECK(lst_parse_form(form.fields, form.count, &rules, when, &auth) ==
              LST_REFUSED_PARAMETER_REPEATED,
          "two signatures");
    CHECK_TEXT(auth.culprit.bytes, auth.culprit.length, "X-Amz-Signature", "the culprit is named");
    memset(many, 0, sizeof(many));
    CHECK(lst_parse_form(many, LST_PARAMETERS_MAX + 1, &rules, when, &auth) ==
              LST_REFUSED_TOO_MANY_PARAMETERS,
          "too many fields");
    form = aws_form();
    CHECK(lst_parse_form(form.fields, form.count,
                         &(struct lst_rules){.region = LST_SLICE("eu-west-1")}, when,
                         &auth) == LST_REFUSED_SCOPE_REGION,
          "another region");
    CHECK(lst_parse_form(form.fields, form.count, &rules, when, &auth) == LST_OK, "it is parsed");
    auth.kind = LST_AUTH_QUERY;
    CHECK(lst_verify_form(&auth, &key) == LST_ERR_INVALID_ARGUMENT, "not the claims of a form");
}

/* Awkward text must come back from the JSON as it went in. */
static const struct lst_condition conditions[] = {
    {{"key", 3}, {"u/\"\\\b\n\001\037\177\303\251/", 12}, LST_MATCH_STARTS_WITH},
    {{"Content-Type", 12}, {"image/png", 9}, LST_MATCH_EXACT},
    {{"x-amz-meta-\"q\"", 14}, {"$v", 2}, LST_MATCH_EXACT},
};

static struct lst_form our_form(void)
{
    struct lst_form form = {.bucket = LST_SLICE("sigv4examplebucket"),
                            .conditions = conditions,
                            .condition_count = 3,
                            .length_max = 1048576,
                            .access_key_id = LST_SLICE("AKIAIOSFODNN7EXAMPLE"),
                            .session_token = LST_SLICE("token+/="),
                            .time = when,
                            .expires = 3600};

    return form;
}

static void test_sign(void)
{
    struct lst_form ours = our_form();
    char policy[2048];
    char signature[LST_SIGNATURE_LENGTH + 1] = "";
    size_t bound = lst_sign_form_bound(&ours, &key);
    size_t length = 0;
    struct form form = {.count = 0};

    CHECK(bound < sizeof(policy) &&
              lst_sign_form(&ours, &key, policy, bound, &length, signature) == LST_OK &&
              length <= bound,
          "a form is signed within its bound");
    policy[length] = '\0';
    add(&form, "key", "u/\"\\\b\n\001\037\177\303\251/file");
    add(&form, "content-type", "image/png");
    add(&form, "x-amz-meta-\"Q\"", "$v");
    add(&form, "x-amz-security-token", "token+/=");
    add(&form, "x-amz-credential", CREDENTIAL);
    add(&form, "x-amz-algorithm", "AWS4-HMAC-SHA256");
    add(&form, "x-amz-date", "20151229T000000Z");
    add(&form, "policy", policy);
    add(&form, "x-amz-signature", signature);
    CHECK(check(&form, when + 3600) == LST_OK, "and accepted until its last second");
    CHECK(check(&form, when + 3601) == LST_REFUSED_POLICY_EXPIRED, "and not longer");
    form.fields[0].value = LST_SLICE("u/\"\\\b\n\001\037\177\303\250/file");
    CHECK(check(&form, when) == LST_REFUSED_POLICY_CONDITION, "not with another key");
    form.fields[0].value = LST_SLICE("u/\"\\\b\n\001\037\177\303\251/file");
    form.fields[3].value = LST_SLICE("token");
    CHECK(check(&form, when) == LST_REFUSED_POLICY_CONDITION, "nor another token");
}

static void test_sign_capacities(void)
{
    struct lst_form ours = our_form();
    char policy[2048];
    char signature[LST_SIGNATURE_LENGTH];
    size_t length = 0;
    size_t least = 0;
    bool right = true;

    while (lst_sign_form(&ours, &key, policy, least, &length, signature) ==
           LST_ERR_BUFFER_TOO_SMALL) {
        right = right && length == 0;
        least++;
    }
    CHECK(right && length > 0 && least == length, "the buffer may be as small as the policy");
    CHECK(length % 4 == 0 && memcmp(policy, "eyJleHBpcmF0aW9uIjog", 20) == 0,
          "the policy is base64 of JSON, also then");
}

static int sign_with(struct lst_form form)
{
    char policy[4096];
    char signature[LST_SIGNATURE_LENGTH];
    size_t length;

    return lst_sign_form(&form, &key, policy, sizeof(policy), &length, signature);
}

static void test_sign_arguments(void)
{
    static const struct lst_condition without_key[] = {{{"acl", 3}, {"a", 1}, LST_MATCH_EXACT}};
    static const struct lst_condition own[] = {{{"key", 3}, {"a", 1}, LST_MATCH_EXACT},
                                               {{"X-Amz-Date", 10}, {"a", 1}, LST_MATCH_EXACT}};
    static const struct lst_condition dollar[] = {{{"$key", 4}, {"a", 1}, LST_MATCH_EXACT}};
    struct lst_form form = our_form();

    CHECK(sign_with(form) == LST_OK, "a complete form");
    form.bucket.length = 0;
    CHECK(sign_with(form) == LST_ERR_INVALID_ARGUMENT, "without a bucket");
    form = our_form();
    form.access_key_id.length = 0;
    CHECK(sign_with(form) == LST_ERR_INVALID_ARGUMENT, "without an access key");
    form = our_form();
    form.expires = 0;
    CHECK(sign_with(form) == LST_ERR_INVALID_ARGUMENT, "without a life");
    form = our_form();
    form.expires = INT64_MAX;
    CHECK(sign_with(form) == LST_ERR_INVALID_ARGUMENT, "with a life too long");
    form = our_form();
    form.time += 86400;
    CHECK(sign_with(form) == LST_ERR_INVALID_ARGUMENT, "with a key of another day");
    form = our_form();
    form.length_min = 1048577;
    CHECK(sign_with(form) == LST_ERR_INVALID_ARGUMENT, "with an empty range of lengths");
    form = our_form();
    form.conditions = without_key;
    form.condition_count = 1;
    CHECK(sign_with(form) == LST_ERR_INVALID_ARGUMENT, "without a condition on the key");
    form.conditions = own;
    form.condition_count = 2;
    CHECK(sign_with(form) == LST_ERR_INVALID_ARGUMENT, "with a condition that is the library's");
    form.conditions = dollar;
    form.condition_count = 1;
    CHECK(sign_with(form) == LST_ERR_INVALID_ARGUMENT, "with a '$' before the field's name");
}

/* Each field in turn ends at a page that can't be read, whole and cut short. */
static void test_guard_page(void)
{
    struct guard guard = guard_open();
    struct form form = aws_form();
    struct lst_auth auth;
    bool right = true;

    for (size_t i = 0; i < form.count; i++) {
        struct lst_slice whole = form.fields[i].value;

        form.fields[i].value = guard_text(guard, whole);
        right = right && check(&form, when) == LST_OK;
        while (form.fields[i].value.length > 0) {
            form.fields[i].value =
                guard_text(guard, (struct lst_slice){whole.bytes, form.fields[i].value.length - 1});
            if (lst_parse_form(form.fields, form.count, &rules, when, &auth) == LST_OK) {
                right = right &&
                        lst_verify_form(&auth, &key) == (i >= 10 ? LST_REFUSED_SIGNATURE : LST_OK);
            }
        }
        form.fields[i].value = whole;
    }
    CHECK(right, "nothing is read past the end of a field");
    guard_close(guard);
}

int main(void)
{
    if (lst_parse_time(LST_SLICE("20151229T000000Z"), &when) != LST_OK ||
        lst_key_init(&key, LST_SLICE(SECRET), when, LST_SLICE("us-east-1"), LST_SLICE("s3")) !=
            LST_OK) {
        abort();
    }
    test_aws_example();
    test_changes();
    test_kinds();
    test_sign();
    test_sign_capacities();
    test_sign_arguments();
    test_guard_page();
    return tap_done();
}
