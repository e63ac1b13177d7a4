/* explain_query.c - near misses of the query: its parameters and its expiry. */
#include "explain.h"
#include "query.h"

/* Parameters that are each left out in turn. */
#define PARAMETERS_MAX 8

/* What SDKs add to a URL, and what is lost when somebody tidies it up. */
static const char *const operations[] = {"GetObject", "PutObject"};

struct lst_slice lst_internal_search_parameter(const struct lst_internal_search *search,
                                               struct lst_slice name)
{
    struct lst_internal_parameter parameters[LST_PARAMETERS_MAX];
    size_t count = 0;

    if (lst_internal_split_query(search->query, parameters, &count) ==
        LST_REFUSED_TOO_MANY_PARAMETERS) {
        return (struct lst_slice){NULL, 0};
    }
    for (size_t i = 0; i < count; i++) {
        if (lst_internal_equal(parameters[i].name, name)) {
            return parameters[i].value;
        }
    }
    return (struct lst_slice){NULL, 0};
}

static bool is_of_signature(struct lst_slice name)
{
    return lst_internal_starts_with(name, LST_SLICE("X-Amz-"));
}

static bool explain_removed(struct lst_internal_search *search, struct lst_slice name)
{
    const struct lst_internal_variation variation = {
        .parameter = {name, {NULL, 0}}, .parameter_change = LST_INTERNAL_CHANGE_REMOVE};

    return lst_internal_search_fits(search, &variation) &&
           lst_internal_search_found(
               search, LST_MISS_QUERY_PARAMETER,
               "The query parameter # was added to the @ after it was signed: send the @ as it "
               "is, or sign it with the parameter.",
               &name);
}

/* Signers put the signature last, so that what follows it has been added. */
static bool explain_tail(struct lst_internal_search *search,
                         const struct lst_internal_parameter *parameters, size_t count)
{
    struct lst_slice target = search->request->target;

    for (size_t i = 0; i + 1 < count; i++) {
        if (lst_internal_equal(parameters[i].name, LST_SLICE("X-Amz-Signature"))) {
            const char *end = parameters[i].value.bytes + parameters[i].value.length;
            struct lst_slice tail = lst_internal_skip(target, (size_t)(end - target.bytes) + 1);

            target.length = (size_t)(end - target.bytes);
            return lst_internal_search_fits_target(search, target, NULL) &&
                   lst_internal_search_found(
                       search, LST_MISS_QUERY_PARAMETER,
                       "What follows the signature, #, was added to the @ after it was signed: "
                       "send the @ as it is, or sign it with these parameters.",
                       &tail);
        }
    }
    return false;
}

/* "x-id=GetObject" of the AWS SDK for JavaScript, that somebody took away. */
static bool explain_operation(struct lst_internal_search *search)
{
    const struct lst_slice name = LST_SLICE("x-id");

    if (lst_internal_search_parameter(search, name).bytes != NULL) {
        return false;
    }
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        const struct lst_internal_variation variation = {
            .parameter = {name, lst_slice_of(operations[i])},
            .parameter_change = LST_INTERNAL_CHANGE_ADD};

        if (lst_internal_search_fits(search, &variation)) {
            return lst_internal_search_found(
                search, LST_MISS_QUERY_PARAMETER,
                "The query parameter # with the value # was signed but removed from the @: send "
                "the @ as it is.",
                (const struct lst_slice[]){name, variation.parameter.value});
        }
    }
    return false;
}

bool lst_internal_explain_parameters(struct lst_internal_search *search)
{
    struct lst_internal_parameter parameters[LST_PARAMETERS_MAX];
    size_t count = 0;
    size_t tried = 0;

    if (lst_internal_split_query(search->query, parameters, &count) ==
        LST_REFUSED_TOO_MANY_PARAMETERS) {
        return false;
    }
    if (explain_tail(search, parameters, count)) {
        return true;
    }
    /* The last ones first: what is added is mostly added at the end. */
    for (size_t i = count; i > 0 && tried < PARAMETERS_MAX; i--) {
        if (!is_of_signature(parameters[i - 1].name)) {
            tried++;
            if (explain_removed(search, parameters[i - 1].name)) {
                return true;
            }
        }
    }
    /* Some signers, as other AWS services ask for, add the session token afterwards. */
    return explain_operation(search) ||
           (search->auth->kind == LST_AUTH_QUERY && search->auth->session_token.length > 0 &&
            explain_removed(search, LST_SLICE("X-Amz-Security-Token")));
}

bool lst_internal_explain_expires(struct lst_internal_search *search)
{
    static const char *const lives[] = {"3600", "900", "604800", "86400", "300",
                                        "60",   "600", "1800",   "7200",  "43200"};
    const struct lst_slice name = LST_SLICE("X-Amz-Expires");
    struct lst_slice arrived = lst_internal_search_parameter(search, name);

    for (size_t i = 0; arrived.length > 0 && i < sizeof(lives) / sizeof(lives[0]); i++) {
        const struct lst_internal_variation variation = {
            .parameter = {name, lst_slice_of(lives[i])},
            .parameter_change = LST_INTERNAL_CHANGE_REPLACE};

        if (!lst_internal_equal(variation.parameter.value, arrived) &&
            lst_internal_search_fits(search, &variation)) {
            return lst_internal_search_found(
                search, LST_MISS_EXPIRES,
                "X-Amz-Expires was # when the @ was signed but arrived as #: its life in seconds "
                "is "
                "part of what is signed, so sign a new one to change it.",
                (const struct lst_slice[]){variation.parameter.value, arrived});
        }
    }
    return false;
}
