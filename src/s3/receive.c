/* receive.c - the body of a request on its way into the store. */
#include "s3/receive.h"

#include "s3/approval.h"

#include <stdlib.h>

static void free_receiving(void *work)
{
    struct lst_receiving *receiving = work;

    lst_put_abort(receiving->put);
    lst_content_free(receiving->content);
    free(receiving);
}

/* Answer for what the look at the content gave; its status. */
static int answer_content(struct lst_s3_exchange *exchange, int status)
{
    const struct lst_receiving *receiving = exchange->work;

    if (status == LST_ERR_MALFORMED) {
        struct lst_content_refusal refusal = lst_content_refusal(receiving->content);
        struct lst_field details[] = {
            {LST_SLICE("Constraint"), LST_SLICE("x-latch-sniff")},
            {LST_SLICE("Detected"), lst_slice_of(refusal.detected)},
        };
        lst_s3_fail_with(exchange, LST_S3_ACCESS_DENIED, refusal.message, details, 2);
    } else if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
    }
    return status;
}

static int take(struct lst_s3_exchange *exchange, struct lst_slice bytes)
{
    struct lst_receiving *receiving = exchange->work;

    if (receiving->content != NULL) {
        int status = answer_content(exchange, lst_content_take(receiving->content, bytes));
        if (status != LST_OK) {
            return status;
        }
    }
    return lst_put_write(receiving->put, bytes);
}

static int keep_checksums(struct lst_s3_exchange *exchange, struct lst_put *put)
{
    struct lst_slice text;
    enum lst_checksum_kind kind = lst_body_checksum(exchange->body, &text);
    int status = LST_OK;

    if (kind != LST_CHECKSUM_NONE) {
        status = lst_put_add_field(put, lst_slice_of(lst_checksum_header(kind)), text);
    }
    kind = lst_body_second_checksum(exchange->body, &text);
    if (kind != LST_CHECKSUM_NONE && status == LST_OK) {
        status = lst_put_add_field(put, lst_slice_of(lst_checksum_header(kind)), text);
    }
    return status;
}

static void finish(struct lst_s3_exchange *exchange)
{
    struct lst_receiving *receiving = exchange->work;
    struct lst_put *put = receiving->put;
    uint8_t md5[16];
    int status;

    if (receiving->content != NULL &&
        answer_content(exchange, lst_content_end(receiving->content)) != LST_OK) {
        return;
    }
    lst_put_digest(put, md5);
    if (!lst_body_check_md5(exchange, md5)) {
        return;
    }
    status = keep_checksums(exchange, put);
    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
        return;
    }
    if (receiving->is_object && !lst_approval_prepare(exchange)) {
        return;
    }
    receiving->put = NULL;
    lst_put_commit(put, lst_approval_write_begin(exchange, receiving->answer));
}

struct lst_receiving *lst_receive(struct lst_s3_exchange *exchange, enum lst_checksum_kind checksum,
                                  bool besides, void (*answer)(struct lst_s3_exchange *exchange))
{
    struct lst_body_plan plan = {
        .limit = exchange->s3->options.body_max,
        .too_long = LST_S3_ENTITY_TOO_LARGE,
        .length_required = exchange->post == NULL, /* a form's file has none of its own */
        .checksum = checksum,
        .checksum_besides = besides,
        .take = take,
        .finish = finish,
    };
    struct lst_receiving *receiving;

    if (!lst_body_prepare(exchange, &plan)) {
        return NULL;
    }
    receiving = calloc(1, sizeof(*receiving));
    if (receiving == NULL) {
        lst_s3_fail(exchange, LST_S3_SLOW_DOWN);
        return NULL;
    }
    receiving->answer = answer;
    exchange->work = receiving;
    exchange->free_work = free_receiving;
    return receiving;
}

bool lst_receive_check_content(struct lst_s3_exchange *exchange,
                               const struct lst_content_plan *plan)
{
    struct lst_receiving *receiving = exchange->work;
    int status = lst_content_begin(exchange->s3->content, plan, &receiving->content);

    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
    }
    return status == LST_OK;
}

void lst_receive_answer(struct lst_s3_exchange *exchange)
{
    struct lst_http_response *response = &exchange->response;
    struct lst_slice checksum;
    enum lst_checksum_kind kind = lst_body_checksum(exchange->body, &checksum);

    lst_s3_answer_etag(exchange, lst_slice_make(exchange->write.etag, exchange->write.etag_length));
    /* S3 does not name the null version here, which is what a suspended bucket gets. */
    if (!lst_slice_equal(lst_version_id_slice(&exchange->write.version), LST_SLICE("null"))) {
        lst_s3_answer_version(exchange, &exchange->write.version);
    }
    if (kind != LST_CHECKSUM_NONE) {
        lst_http_response_add(response, lst_checksum_header(kind), checksum);
    }
    response->kind = LST_BODY_BYTES;
}
