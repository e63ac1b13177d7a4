/* put.c - PutObject. */
#include "s3/approval.h"
#include "s3/constraints.h"
#include "s3/post.h"
#include "s3/put_fields.h"
#include "s3/receive.h"
#include "s3/tags.h"
#include "s3/use.h"
#include "s3/write_condition.h"

/* What S3 computes, and keeps, of a body that comes without a checksum. */
static const enum lst_checksum_kind usual_checksum = LST_CHECKSUM_CRC64NVME;

static void answer_put(struct lst_s3_exchange *exchange)
{
    struct lst_http_response *response = lst_s3_answer_begin(exchange, 200);
    char etag[LST_ETAG_MAX + 2];
    size_t length = exchange->write.etag_length;

    lst_receive_answer(exchange);
    lst_http_response_add(response, "x-amz-checksum-type", LST_SLICE(LST_CHECKSUM_FULL_OBJECT));
    if (exchange->post != NULL) {
        etag[0] = '"';
        memcpy(etag + 1, exchange->write.etag, length);
        etag[length + 1] = '"';
        lst_post_answer(exchange, lst_slice_make(etag, length + 2));
    }
    lst_s3_answer_end(exchange);
}

/* Open the put, with what the headers say of the object. False if the exchange has been answered.
 */
static bool open_put(struct lst_s3_exchange *exchange, const struct lst_write_condition *condition,
                     const struct lst_tag_set *tags, struct lst_put **ret_put)
{
    struct lst_put_fields fields;
    struct lst_put_options options = {
        .bucket = exchange->target.bucket,
        .key = exchange->target.key,
        .fields = fields.list,
        .tags = tags->list,
        .tag_count = tags->count,
        .condition = *condition,
    };
    int status;

    if (!lst_put_fields_read(exchange, &fields)) {
        return false;
    }
    options.field_count = fields.count;
    options.size_known = lst_body_length(exchange->body, &options.size);
    status = lst_put_begin(exchange->s3->options.store, &options, ret_put);
    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
    }
    return status == LST_OK;
}

/* What the head asks for, up to a put that waits for the body. False if the exchange has been
 * answered. */
static bool begin_put(struct lst_s3_exchange *exchange, struct lst_receiving *receiving)
{
    struct lst_write_condition condition;
    struct lst_tag_set tags = {.count = 0};
    bool has_begun = lst_write_condition_read(exchange, &condition) &&
                     lst_put_check_class_and_acl(exchange) && lst_put_tags_read(exchange, &tags) &&
                     lst_receive_prepare(exchange, usual_checksum, false) &&
                     lst_s3_constrain_object(exchange, receiving) &&
                     open_put(exchange, &condition, &tags, &receiving->put);

    lst_tag_set_release(&tags);
    return has_begun;
}

/* A form is counted when its end has come, since its id was in it; then it is seen whether it is
 * whole. One that was refused before, or will not come to its end, is not counted. */
static bool end_form(struct lst_s3_exchange *exchange)
{
    return exchange->post == NULL || exchange->running.is_gone ||
           lst_waiting_is_answered(&exchange->waiting) ||
           (lst_s3_use_reserve(exchange) && lst_post_is_whole(exchange));
}

void lst_put_object(struct lst_s3_exchange *exchange)
{
    struct lst_receiving receiving = {.put = NULL};
    struct lst_slice piece;
    bool goes_on = lst_receive_step(exchange, &receiving, begin_put);

    while (goes_on && lst_body_next(exchange, &piece)) {
        goes_on = lst_receive_piece(exchange, &receiving, piece);
    }
    if (goes_on && end_form(exchange) && lst_receive_step(exchange, &receiving, lst_receive_end) &&
        lst_approval_prepare(exchange) && lst_receive_commit(exchange, &receiving)) {
        answer_put(exchange);
    }
    lst_receive_release(&receiving);
}
