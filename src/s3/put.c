/* put.c - PutObject. */
#include "s3/constraints.h"
#include "s3/post.h"
#include "s3/put_fields.h"
#include "s3/receive.h"
#include "s3/tags.h"
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

/* Open the put, with what the headers say of the object. */
static void begin_put(struct lst_s3_exchange *exchange, struct lst_receiving *receiving,
                      const struct lst_write_condition *condition, const struct lst_tag_set *tags)
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
        return;
    }
    options.field_count = fields.count;
    options.size_known = lst_body_length(exchange->body, &options.size);
    status = lst_put_begin(exchange->s3->options.store, &options, &receiving->put);
    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
    }
}

void lst_put_object(struct lst_s3_exchange *exchange)
{
    struct lst_write_condition condition;
    struct lst_receiving *receiving;
    struct lst_tag_set tags = {.count = 0};

    if (!lst_write_condition_read(exchange, &condition) || !lst_put_check_class_and_acl(exchange)) {
        return;
    }
    if (lst_put_tags_read(exchange, &tags)) {
        receiving = lst_receive(exchange, usual_checksum, false, answer_put);
        if (receiving != NULL) {
            receiving->is_object = true;
        }
        if (receiving != NULL && lst_s3_constrain_object(exchange)) {
            begin_put(exchange, receiving, &condition, &tags);
        }
    }
    lst_tag_set_release(&tags);
}
