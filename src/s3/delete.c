/* delete.c - DeleteObject. */
#include "s3/write_condition.h"

static void answer_deleted(struct lst_s3_exchange *exchange, const struct lst_deletion *deletion)
{
    struct lst_http_response *response;

    if (deletion->status == LST_ERR_PRECONDITION) {
        lst_s3_fail_about(exchange, LST_S3_PRECONDITION_FAILED, NULL, "Condition",
                          LST_SLICE("If-Match"));
        return;
    }
    if (deletion->status != LST_OK) {
        lst_s3_fail_code(exchange, deletion->status);
        return;
    }
    response = lst_s3_answer_begin(exchange, 204);
    if (deletion->is_marker) {
        lst_http_response_add(response, "x-amz-delete-marker", LST_SLICE("true"));
    }
    lst_s3_answer_version(exchange, &deletion->version_id);
    lst_s3_answer_end(exchange);
}

/* If-Match, without quotes; "*" asks for no more than that there is an object. False, having
 * answered, if it is empty, or the signer may not use it. */
static bool read_match(struct lst_s3_exchange *exchange, struct lst_slice *ret_match)
{
    static const enum lst_header name = LST_HEADER_IF_MATCH;
    struct lst_slice match;
    bool is_there = lst_s3_option(exchange, name, &match);

    *ret_match = lst_s3_unquote(match);
    if (!is_there || lst_slice_equal(*ret_match, LST_SLICE("*"))) {
        return true;
    }
    if (ret_match->length == 0) {
        return lst_write_condition_refuse(exchange, &name, 1);
    }
    if (!lst_write_condition_check_read(exchange, exchange->target.key,
                                        exchange->version.length > 0)) {
        lst_s3_fail(exchange, LST_S3_ACCESS_DENIED);
        return false;
    }
    return true;
}

void lst_delete_object(struct lst_s3_exchange *exchange)
{
    static const enum lst_header others[] = {LST_HEADER_IF_NONE_MATCH, LST_HEADER_IF_MODIFIED_SINCE,
                                             LST_HEADER_IF_UNMODIFIED_SINCE};
    struct lst_deletion deletion = {.key = exchange->target.key};

    if (!lst_s3_check_version(exchange) || !lst_s3_check_bypass(exchange) ||
        !lst_write_condition_refuse(exchange, others, sizeof(others) / sizeof(others[0])) ||
        !read_match(exchange, &deletion.if_match)) {
        return;
    }
    deletion.version = exchange->version;
    if (lst_s3_has_written(exchange,
                           lst_store_delete(exchange->s3->options.store, exchange->target.bucket,
                                            &deletion, 1, lst_s3_write(exchange)))) {
        answer_deleted(exchange, &deletion);
    }
}
