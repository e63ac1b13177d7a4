/* form.c - check a POST form: its claims, and the signature over its policy. */
#include "form.h"
#include "credential.h"
#include "hash.h"
#include "v2.h"

/* The fields that authenticate a form. Only the token may be absent. */
enum field {
    FIELD_POLICY = 0,
    FIELD_ALGORITHM,
    FIELD_CREDENTIAL,
    FIELD_DATE,
    FIELD_SIGNATURE,
    FIELD_TOKEN,
    FIELD_COUNT,
};

static const struct lst_slice field_names[FIELD_COUNT] = {
    [FIELD_POLICY] = {"policy", 6},
    [FIELD_ALGORITHM] = {"X-Amz-Algorithm", 15},
    [FIELD_CREDENTIAL] = {"X-Amz-Credential", 16},
    [FIELD_DATE] = {"X-Amz-Date", 10},
    [FIELD_SIGNATURE] = {"X-Amz-Signature", 15},
    [FIELD_TOKEN] = {"X-Amz-Security-Token", 20},
};

/* Values of the fields, and how many of each there are. */
struct form_claims {
    struct lst_slice values[FIELD_COUNT];
    unsigned counts[FIELD_COUNT];
    struct lst_internal_claim access_key_id; /* of Signature Version 2 */
    struct lst_internal_claim v2_signature;
};

static void note(struct lst_internal_claim *claim, struct lst_field field, struct lst_slice name)
{
    if (lst_internal_equal_ignoring_case(field.name, name)) {
        claim->value = field.value;
        claim->count++;
    }
}

static struct form_claims find_claims(const struct lst_field *fields, size_t field_count)
{
    struct form_claims claims = {.counts = {0}};

    for (size_t i = 0; i < field_count; i++) {
        for (unsigned j = 0; j < FIELD_COUNT; j++) {
            if (lst_internal_equal_ignoring_case(fields[i].name, field_names[j])) {
                claims.values[j] = fields[i].value;
                claims.counts[j]++;
            }
        }
        note(&claims.access_key_id, fields[i], LST_SLICE("AWSAccessKeyId"));
        note(&claims.v2_signature, fields[i], LST_SLICE("signature"));
    }
    return claims;
}

/* Rules 1 and 2: which parts there are, and how often. */
static int check_counts(const struct form_claims *claims, struct lst_auth *auth)
{
    unsigned total = 0;

    for (unsigned i = FIELD_ALGORITHM; i < FIELD_COUNT; i++) {
        total += claims->counts[i];
    }
    if (total == 0) { /* a policy alone signs nothing */
        return LST_REFUSED_NOT_SIGNED;
    }
    if (claims->counts[FIELD_POLICY] == 1 && lst_internal_is_empty(claims->values[FIELD_POLICY])) {
        auth->culprit = field_names[FIELD_POLICY];
        return LST_REFUSED_POLICY_MALFORMED;
    }
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        auth->culprit = field_names[i];
        if (claims->counts[i] > 1) {
            return LST_REFUSED_PARAMETER_REPEATED;
        }
        if (i != FIELD_TOKEN && lst_internal_is_empty(claims->values[i])) {
            return LST_REFUSED_FORM_FIELD_MISSING;
        }
    }
    auth->culprit = LST_SLICE("");
    return LST_OK;
}

static int refuse(struct lst_auth *auth, enum field field, int error)
{
    auth->culprit = field_names[field];
    return error;
}

/* Rules 2 to 5: the parts' forms, the scope, and not before its time. */
static int check_values(const struct form_claims *claims, const struct lst_rules *rules,
                        int64_t now, struct lst_auth *auth)
{
    int64_t skew = rules->clock_skew > 0 ? rules->clock_skew : LST_CLOCK_SKEW;
    int scope_error = LST_OK;
    int error;

    if (!lst_internal_equal(claims->values[FIELD_ALGORITHM], LST_SLICE("AWS4-HMAC-SHA256"))) {
        return refuse(auth, FIELD_ALGORITHM, LST_REFUSED_ALGORITHM);
    }
    error = lst_internal_parse_credential(auth, claims->values[FIELD_CREDENTIAL], &scope_error);
    if (error != LST_OK) {
        return refuse(auth, FIELD_CREDENTIAL, error);
    }
    if (lst_parse_time(claims->values[FIELD_DATE], &auth->time) != LST_OK) {
        return refuse(auth, FIELD_DATE, LST_REFUSED_DATE);
    }
    error = lst_internal_check_scope(auth, claims->values[FIELD_DATE].bytes, rules);
    error = error != LST_OK ? error : scope_error;
    if (error != LST_OK) {
        return refuse(auth, FIELD_CREDENTIAL, error);
    }
    return now < auth->time - skew ? refuse(auth, FIELD_DATE, LST_REFUSED_NOT_YET_VALID) : LST_OK;
}

/* AWSAccessKeyId or signature, and nothing of Version 4. */
static bool is_v2(const struct form_claims *claims)
{
    return claims->access_key_id.count + claims->v2_signature.count > 0 &&
           claims->counts[FIELD_ALGORITHM] + claims->counts[FIELD_CREDENTIAL] +
                   claims->counts[FIELD_DATE] + claims->counts[FIELD_SIGNATURE] ==
               0;
}

/* Rules 1 and 2 of Version 2. There is no time but that of the policy. */
static int parse_v2(const struct form_claims *claims, struct lst_auth *auth)
{
    const struct {
        struct lst_slice name;
        struct lst_slice value;
        unsigned count;
    } parts[] = {
        {field_names[FIELD_POLICY], auth->policy, claims->counts[FIELD_POLICY]},
        {LST_SLICE("AWSAccessKeyId"), claims->access_key_id.value, claims->access_key_id.count},
        {LST_SLICE("Signature"), claims->v2_signature.value, claims->v2_signature.count},
    };

    auth->signature = claims->v2_signature.value;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        auth->culprit = parts[i].name;
        if (parts[i].count > 1) {
            return LST_REFUSED_PARAMETER_REPEATED;
        }
        if (lst_internal_is_empty(parts[i].value)) {
            return LST_REFUSED_FORM_FIELD_MISSING;
        }
    }
    auth->culprit = LST_SLICE("AWSAccessKeyId");
    return lst_internal_take_access_key_id(auth, claims->access_key_id.value, LST_INTERNAL_RAW);
}

LST_PUBLIC int lst_parse_form(const struct lst_field *fields, size_t field_count,
                              const struct lst_rules *rules, int64_t now, struct lst_auth *ret_auth)
{
    struct form_claims claims;
    int error;

    memset(ret_auth, 0, sizeof(*ret_auth));
    if (field_count > LST_INTERNAL_FORM_FIELDS_MAX) {
        return LST_REFUSED_TOO_MANY_PARAMETERS;
    }
    claims = find_claims(fields, field_count);
    ret_auth->kind = LST_AUTH_FORM;
    ret_auth->payload = LST_PAYLOAD_UNSIGNED;
    ret_auth->policy = claims.values[FIELD_POLICY];
    ret_auth->signature = claims.values[FIELD_SIGNATURE];
    ret_auth->session_token = claims.values[FIELD_TOKEN];
    if (is_v2(&claims)) {
        ret_auth->kind = LST_AUTH_V2_FORM;
        return rules->allow_v2 ? parse_v2(&claims, ret_auth) : LST_REFUSED_SIGNATURE_V2;
    }
    error = check_counts(&claims, ret_auth);
    return error != LST_OK ? error : check_values(&claims, rules, now, ret_auth);
}

LST_PUBLIC int lst_verify_form(const struct lst_auth *auth, const struct lst_key *key)
{
    char expected[LST_SIGNATURE_LENGTH];
    bool is_right;

    if (auth->kind != LST_AUTH_FORM ||
        !lst_key_fits(key, lst_slice_of(auth->day), lst_slice_of(auth->region),
                      lst_slice_of(auth->service))) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    lst_internal_hmac_hex(key, auth->policy, expected);
    is_right = lst_equal_secret((struct lst_slice){expected, sizeof(expected)}, auth->signature);
    lst_wipe(expected, sizeof(expected));
    return is_right ? LST_OK : LST_REFUSED_SIGNATURE;
}
