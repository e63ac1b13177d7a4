/*
 * form_fuzz.c - any fields as a POST form, and any form to sign: what we sign we accept.
 *
 * Input: lines of "name=value", the fields; each is also a condition of a form that is signed.
 */
#include "latchstring.h"
#include "text.h"

#include <stdlib.h>

#define FIELDS_MAX 32
#define WHEN       1451347200 /* 20151229T000000Z */

static size_t split(struct lst_slice text, struct lst_field fields[FIELDS_MAX])
{
    size_t count = 0;

    while (text.length > 0 && count < FIELDS_MAX) {
        struct lst_slice line = lst_internal_first(text, lst_internal_find(text, '\n'));
        size_t name = lst_internal_find(line, '=');

        fields[count].name = lst_internal_first(line, name);
        fields[count++].value = lst_internal_skip(line, name + (name < line.length ? 1 : 0));
        text = lst_internal_skip(text, line.length + (line.length < text.length ? 1 : 0));
    }
    return count;
}

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void parse(const struct lst_key *key, const struct lst_field *fields, size_t count)
{
    static const struct lst_rules rules;
    char text[512];
    size_t length = 0;
    struct lst_auth auth;
    int error = lst_parse_form(fields, count, &rules, WHEN, &auth);

    if (error == LST_OK) {
        require(auth.kind == LST_AUTH_FORM && auth.signature.length == LST_SIGNATURE_LENGTH);
        error = lst_verify_form(&auth, key);
        require(error == LST_OK || error == LST_REFUSED_SIGNATURE ||
                error == LST_ERR_INVALID_ARGUMENT);
    } else {
        require(lst_refusal_text(error, &auth, &rules, text, sizeof(text), &length) == LST_OK);
    }
}

/* Sign a form with these conditions, and check the same fields against it. */
static void sign(const struct lst_key *key, const struct lst_field *fields, size_t count)
{
    struct lst_condition conditions[FIELDS_MAX];
    struct lst_form form = {.bucket = LST_SLICE("b\"u"),
                            .conditions = conditions,
                            .condition_count = count,
                            .access_key_id = LST_SLICE("AKID"),
                            .time = WHEN,
                            .expires = 60};
    char signature[LST_SIGNATURE_LENGTH];
    struct lst_policy_limits limits;
    struct lst_slice condition;
    struct lst_auth auth;
    size_t bound;
    size_t length = 0;

    for (size_t i = 0; i < count; i++) {
        conditions[i].field = fields[i].name;
        conditions[i].value = lst_internal_first(fields[i].value, fields[i].value.length / (i + 1));
        conditions[i].match = i == 0 ? LST_MATCH_EXACT : LST_MATCH_STARTS_WITH;
    }
    bound = lst_sign_form_bound(&form, key);
    char *policy = malloc(bound);
    char *scratch = malloc(bound);
    require(policy != NULL && scratch != NULL);
    if (lst_sign_form(&form, key, policy, bound, &length, signature) == LST_OK) {
        memset(&auth, 0, sizeof(auth));
        auth.policy = (struct lst_slice){policy, length};
        int error = lst_policy_check(&auth, fields, count, form.bucket, WHEN, scratch, bound,
                                     &limits, &condition);
        /* Only the library's own fields, which are not among these, can be missing. */
        require(error == LST_REFUSED_POLICY_CONDITION || error == LST_REFUSED_POLICY_MALFORMED);
        require(error != LST_REFUSED_POLICY_MALFORMED || length > 20000);
    }
    free(policy);
    free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct lst_field fields[FIELDS_MAX];
    size_t count = split((struct lst_slice){(const char *)bytes, size}, fields);
    struct lst_key key;

    require(lst_key_init(&key, LST_SLICE("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), WHEN,
                         LST_SLICE("us-east-1"), LST_SLICE("s3")) == LST_OK);
    parse(&key, fields, count);
    sign(&key, fields, count);
    return 0;
}
