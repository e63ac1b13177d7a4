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

/* Note the parameter if its name, decoded, is one of ours: they begin with X, A or S. */
static void note_parameter(struct lst_internal_claims *claims,
                           const struct lst_internal_parameter *parameter)
{
    struct lst_slice name = parameter->name;
    char first = name.length == 0 ? ' ' : name.bytes[0];

    if (first != 'X' && first != 'A' && first != 'S' && first != '%') {
        return;
    }
    for (size_t i = 0; i < LST_INTERNAL_CLAIM_COUNT; i++) {
        if (name.length >= parameter_names[i].length &&
            lst_internal_query_text_is(name, parameter_names[i])) {
            note(&claims->query[i], parameter->value);
            return;
        }
    }
}

int lst_internal_claims_of_query(struct lst_slice query, struct lst_internal_claims *claims)
{
    struct lst_internal_parameter parameters[LST_PARAMETERS_MAX];
    size_t count = 0;

    if (!lst_internal_split_query(query, parameters, &count)) {
        return LST_REFUSED_TOO_MANY_PARAMETERS;
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
