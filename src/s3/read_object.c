/* read_object.c - opening the object that a request names. */
#include "s3/read_object.h"

#include "base/clock.h"

/* A delete marker that is named can be deleted, and nothing else. */
static void fail_marker(struct lst_s3_exchange *exchange, const struct lst_object *object)
{
    char date[LST_HTTP_DATE_LENGTH];

    lst_s3_fail_code(exchange, LST_ERR_DELETE_MARKER);
    lst_clock_format_http(lst_clock_whole_seconds(object->modified_ms), date);
    lst_http_response_add(&exchange->response, "Allow", LST_SLICE("DELETE"));
    lst_http_response_add(&exchange->response, "Last-Modified", lst_slice_make(date, sizeof(date)));
}

/* Whoever may not list the bucket is not told which keys it lacks. */
static bool may_know(struct lst_s3_exchange *exchange)
{
    if (lst_s3_is_allowed(exchange, "s3:ListBucket", lst_slice_make(NULL, 0))) {
        return true;
    }
    lst_s3_set_reason(exchange, "the object does not exist, and user %s may not list the bucket",
                      lst_passage_user_name(&exchange->passage));
    lst_s3_fail(exchange, LST_S3_ACCESS_DENIED);
    return false;
}

bool lst_read_object(struct lst_s3_exchange *exchange, bool with_body,
                     struct lst_object *ret_object)
{
    struct lst_object_name name = {
        .bucket = exchange->target.bucket,
        .key = exchange->target.key,
        .version = exchange->version,
    };
    int status;

    if (!lst_s3_check_version(exchange)) {
        return false;
    }
    status = lst_object_open(exchange->s3->options.store, &name, with_body, ret_object);
    if (status == LST_OK || (status == LST_ERR_KEY_NOT_FOUND && !may_know(exchange))) {
        return status == LST_OK;
    }
    if (status == LST_ERR_DELETE_MARKER) {
        fail_marker(exchange, ret_object);
    } else {
        lst_s3_fail_code(exchange, status);
    }
    if ((status == LST_ERR_KEY_NOT_FOUND || status == LST_ERR_DELETE_MARKER) &&
        ret_object->is_marker) {
        lst_http_response_add(&exchange->response, "x-amz-delete-marker", LST_SLICE("true"));
        lst_s3_answer_version(exchange, &ret_object->version);
    }
    return false;
}
