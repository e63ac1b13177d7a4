/* document.c - a request body that is a small document. */
#include "s3/document.h"

#include "base/fiber.h"
#include "s3/body.h"
#include "s3/bucket.h"

struct check {
    struct lst_s3_exchange *exchange;
    bool is_whole;
};

static void check(void *context)
{
    struct check *checking = context;

    checking->is_whole = lst_body_is_whole(checking->exchange);
}

/* Is it whole, and may its signer still do this? For that policies may be read again. */
static bool is_whole(struct lst_s3_exchange *exchange)
{
    struct check checking = {.exchange = exchange};

    lst_fiber_aside(check, &checking);
    return checking.is_whole;
}

bool lst_document_read(struct lst_s3_exchange *exchange, const struct lst_document_plan *plan,
                       struct lst_buffer *ret_document)
{
    struct lst_body_plan body_plan = {
        .limit = plan->limit,
        .too_long = LST_S3_MESSAGE_TOO_LONG,
        .length_required = plan->length_required,
        .takes_chunks = true,
        .digest_required = plan->digest_required,
        .checksum_is_of_object = plan->checksum_is_of_object,
        .wants_md5 = true,
    };
    struct lst_bucket_sight sight;
    struct lst_slice piece;

    lst_buffer_init_charged(ret_document, plan->limit);
    /* S3 tells that first, whatever else is wrong. */
    if (!exchange->operation->makes_bucket &&
        lst_bucket_see(exchange, &sight) == LST_ERR_BUCKET_NOT_FOUND) {
        lst_s3_fail_code(exchange, LST_ERR_BUCKET_NOT_FOUND);
        return false;
    }
    if (!lst_body_prepare(exchange, &body_plan)) {
        return false;
    }
    while (lst_body_next(exchange, &piece)) {
        lst_buffer_append(ret_document, piece);
        if (lst_buffer_status(ret_document) != LST_OK) {
            lst_s3_fail_code(exchange, lst_buffer_status(ret_document));
            return false;
        }
    }
    return is_whole(exchange);
}
