/* document.c - a request body that is a small document. */
#include "s3/document.h"

#include "s3/body.h"
#include "s3/bucket.h"

#include <stddef.h>
#include <stdlib.h>

struct document {
    const struct lst_document_plan *plan;
    struct lst_buffer text;
    max_align_t work[]; /* plan->work_size bytes */
};

static void free_document(void *work)
{
    struct document *document = work;

    if (document->plan->release_work != NULL) {
        document->plan->release_work(document->work);
    }
    lst_buffer_release(&document->text);
    free(document);
}

static int take_document(struct lst_s3_exchange *exchange, struct lst_slice bytes)
{
    struct document *document = exchange->work;

    lst_buffer_append(&document->text, bytes);
    return lst_buffer_status(&document->text);
}

static void finish_document(struct lst_s3_exchange *exchange)
{
    struct document *document = exchange->work;

    document->plan->read(exchange, lst_buffer_slice(&document->text));
}

void lst_document_begin(struct lst_s3_exchange *exchange, const struct lst_document_plan *plan)
{
    struct lst_body_plan body_plan = {
        .limit = plan->limit,
        .too_long = LST_S3_MESSAGE_TOO_LONG,
        .length_required = plan->length_required,
        .takes_chunks = true,
        .digest_required = plan->digest_required,
        .checksum_is_of_object = plan->checksum_is_of_object,
        .wants_md5 = true,
        .take = take_document,
        .finish = finish_document,
    };
    struct document *document;
    struct lst_bucket_sight sight;

    /* S3 tells that first, whatever else is wrong. */
    if (!exchange->operation->makes_bucket &&
        lst_bucket_see(exchange, &sight) == LST_ERR_BUCKET_NOT_FOUND) {
        lst_s3_fail_code(exchange, LST_ERR_BUCKET_NOT_FOUND);
        return;
    }
    document = calloc(1, sizeof(*document) + plan->work_size);
    if (document == NULL) {
        lst_s3_fail(exchange, LST_S3_SLOW_DOWN);
        return;
    }
    document->plan = plan;
    lst_buffer_init_charged(&document->text, plan->limit);
    exchange->work = document;
    exchange->free_work = free_document;
    (void)lst_body_prepare(exchange, &body_plan);
}

void *lst_document_work(const struct lst_s3_exchange *exchange)
{
    struct document *document = exchange->work;

    return document->work;
}
