/* claims.c - find everything a request says about its authentication. */
#include "claims.h"
#include "query.h"

static const struct lst_slice parameter_names[LST_INTERNAL_CLAIM_COUNT] = {
    [LST_INTERNAL_CLAIM_ALGORITHM] = {"X-Amz-Algorithm", 15},
    [LST_INTERNAL_CLAIM_CREDENTIAL] = {"X-Amz-Credential", 16},
    [LST_INTERNAL_CLAIM_DATE] = {"X-Amz-Date", 10},
    [LST_INTERNAL_CLAIM_EXPIRES] = {"X-Amz-Expires", 13},
    [LST_INTERNAL_CLAIM_SIGNED_HEADERS] = {"X-Amz-SignedHeaders", 19},
    [LST_INTERNAL_CLAIM_SIGNATURE] = {"X-Amz-Signature", 15},
    [LST_INTERNAL_CLAIM_TOKEN] = {"X-Amz-Security-Token", 20},
    [LST_INTERNAL_CLAIM_CONTENT_SHA256] = {"X-Amz-Content-Sha256", 20},
    [LST_INTERNAL_CLAIM_V2_ACCESS_KEY_ID] = {"AWSAccessKeyId", 14},
    [LST_INTERNAL_CLAIM_V2_SIGNATURE] = {"Signature", 9},
    [LST_INTERNAL_CLAIM_V2_EXPIRES] = {"Expires", 7},
};

struct lst_slice lst_internal_parameter_name(enum lst_internal_claim_name name)
{
    return parameter_names[name];
}

static void note(struct lst_internal_claim *claim, struct lst_slice value)
{
    if (claim->count++ == 0) {
        claim->value = value;
    }
}

/* The one claim that a name with nothing encoded in it can be, by its length and a letter. */
static enum lst_internal_claim_name guess(struct lst_slice name)
{
    switch (name.length) {
    case 7:
        return LST_INTERNAL_CLAIM_V2_EXPIRES;
    case 9:
        return LST_INTERNAL_CLAIM_V2_SIGNATURE;
    case 10:
        return LST_INTERNAL_CLAIM_DATE;
    case 13:
        return LST_INTERNAL_CLAIM_EXPIRES;
    case 14:
        return LST_INTERNAL_CLAIM_V2_ACCESS_KEY_ID;
    case 15:
        return name.bytes[6] == 'A' ? LST_INTERNAL_CLAIM_ALGORITHM : LST_INTERNAL_CLAIM_SIGNATURE;
    case 16:
        return LST_INTERNAL_CLAIM_CREDENTIAL;
    case 19:
        return LST_INTERNAL_CLAIM_SIGNED_HEADERS;
    case 20:
        return name.bytes[6] == 'S' ? LST_INTERNAL_CLAIM_TOKEN : LST_INTERNAL_CLAIM_CONTENT_SHA256;
    default:
        return LST_INTERNAL_CLAIM_COUNT;
    }
}

/* The claim that goes by a name that has something encoded in it. */
static enum lst_internal_claim_name look_up(struct lst_slice name)
{
    for (unsigned i = 0; i < LST_INTERNAL_CLAIM_COUNT; i++) {
        if (lst_internal_query_text_is(name, parameter_names[i])) {
            return i;
        }
    }
    return LST_INTERNAL_CLAIM_COUNT;
}

/* Note the parameter if its name, decoded, is one of ours. */
static void note_parameter(struct lst_internal_claims *claims,
                           const struct lst_internal_parameter *parameter)
{
    enum lst_internal_claim_name name =
        parameter->name_is_bare ? guess(parameter->name) : look_up(parameter->name);

    if (name < LST_INTERNAL_CLAIM_COUNT &&
        (!parameter->name_is_bare || lst_internal_equal(parameter->name, parameter_names[name]))) {
        note(&claims->query[name], parameter->value);
    }
}

int lst_internal_claims_of_query(struct lst_slice query, struct lst_internal_claims *claims)
{
    struct lst_internal_parameter parameters[LST_PARAMETERS_MAX];
    size_t count = 0;
    int error = lst_internal_split_query(query, parameters, &count);

    if (error != LST_OK) {
        return error;
    }
    for (size_t i = 0; i < count; i++) {
        note_parameter(claims, &parameters[i]);
    }
    if (count > 0) {
        claims->canonical_query_length = lst_internal_canonical_length(query, parameters, count);
    }
    return LST_OK;
}

/* Note the header if its name, in any case, is the one that a claim goes by. */
static void note_header(struct lst_internal_claim *claim, const struct lst_field *header,
                        struct lst_slice name)
{
    if (lst_internal_equal_ignoring_case(header->name, name)) {
        note(claim, lst_internal_trim(header->value));
    }
}

void lst_internal_claims_of_headers(const struct lst_request *request,
                                    struct lst_internal_claims *claims)
{
    for (size_t i = 0; i < request->header_count; i++) {
        const struct lst_field *header = &request->headers[i];

        note_header(&claims->authorization, header, LST_SLICE("authorization"));
        note_header(&claims->date, header, LST_SLICE("date"));
        note_header(&claims->amz_date, header, LST_SLICE("x-amz-date"));
        note_header(&claims->amz_content_sha256, header, LST_SLICE("x-amz-content-sha256"));
        note_header(&claims->amz_security_token, header, LST_SLICE("x-amz-security-token"));
    }
}

static void note_component(struct lst_internal_claim *claim, struct lst_slice component,
                           struct lst_slice prefix)
{
    if (lst_internal_starts_with(component, prefix)) {
        note(claim, lst_internal_skip(component, prefix.length));
    }
}

void lst_internal_claims_of_authorization(struct lst_slice components,
                                          struct lst_internal_claims *claims)
{
    while (components.length > 0) {
        size_t end = lst_internal_find(components, ',');
        struct lst_slice component = lst_internal_trim(lst_internal_first(components, end));

        note_component(&claims->credential, component, LST_SLICE("Credential="));
        note_component(&claims->signed_headers, component, LST_SLICE("SignedHeaders="));
        note_component(&claims->signature, component, LST_SLICE("Signature="));
        components = lst_internal_skip(components, end < components.length ? end + 1 : end);
    }
}
