/* write_condition.c - If-Match and If-None-Match of a write. */
#include "s3/write_condition.h"

#include "access/constraints.h"

static void fail(struct lst_s3_exchange *exchange, const char *header, const char *message)
{
    struct lst_field details[] = {
        {LST_SLICE("Header"), lst_slice_of(header)},
        {LST_SLICE("additionalMessage"), lst_slice_of(message)},
    };

    lst_s3_fail_with(exchange, LST_S3_NOT_IMPLEMENTED, NULL, details, 2);
}

bool lst_write_condition_refuse(struct lst_s3_exchange *exchange, const enum lst_header *headers,
                                size_t count)
{
    struct lst_slice value;

    for (size_t i = 0; i < count; i++) {
        if (lst_s3_option(exchange, headers[i], &value)) {
            fail(exchange, lst_header_name(headers[i]).bytes,
                 "This operation does not heed this condition");
            return false;
        }
    }
    return true;
}

bool lst_write_condition_check_read(struct lst_s3_exchange *exchange, struct lst_slice key,
                                    bool is_version)
{
    const char *action = is_version ? "s3:GetObjectVersion" : "s3:GetObject";

    if (lst_s3_is_allowed(exchange, action, key)) {
        return true;
    }
    lst_s3_set_reason(exchange, "If-Match tells what an object is: user %s would need %s for it",
                      lst_passage_user_name(&exchange->passage), action);
    return false;
}

bool lst_write_condition_read(struct lst_s3_exchange *exchange,
                              struct lst_write_condition *ret_condition)
{
    struct lst_slice match;
    struct lst_slice none_match;
    static const enum lst_header dates[] = {LST_HEADER_IF_MODIFIED_SINCE,
                                            LST_HEADER_IF_UNMODIFIED_SINCE};

    if (!lst_write_condition_refuse(exchange, dates, sizeof(dates) / sizeof(dates[0]))) {
        return false;
    }
    /* SDKs move them into the query of a URL that they presign, where they count as well. */
    (void)lst_s3_option(exchange, LST_HEADER_IF_MATCH, &match);
    (void)lst_s3_option(exchange, LST_HEADER_IF_NONE_MATCH, &none_match);
    if (match.bytes != NULL && none_match.bytes != NULL) {
        fail(exchange, "If-Match,If-None-Match",
             "Multiple conditional request headers present in the request");
        return false;
    }
    if (none_match.bytes != NULL && !lst_slice_equal(lst_slice_trim(none_match), LST_SLICE("*"))) {
        fail(exchange, "If-None-Match",
             "We don't accept the provided value of If-None-Match header for this API");
        return false;
    }
    *ret_condition = (struct lst_write_condition){
        .only_if_absent = none_match.bytes != NULL ||
                          (exchange->constraints != NULL && exchange->constraints->is_new),
        .if_match = lst_s3_unquote(match),
    };
    if (match.bytes != NULL && (ret_condition->if_match.length == 0 ||
                                lst_slice_equal(ret_condition->if_match, LST_SLICE("*")))) {
        fail(exchange, "If-Match",
             "We don't accept the provided value of If-Match header for this API");
        return false;
    }
    if (match.bytes != NULL &&
        !lst_write_condition_check_read(exchange, exchange->target.key, false)) {
        lst_s3_fail(exchange, LST_S3_ACCESS_DENIED);
        return false;
    }
    return true;
}
