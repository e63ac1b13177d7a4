/* document.h - a request body that is a small document, kept in memory until it is whole. */
#ifndef LST_S3_DOCUMENT_H
#define LST_S3_DOCUMENT_H

#include "s3/exchange.h"

struct lst_document_plan {
    size_t limit;         /* bytes */
    bool length_required; /* else there may be no body at all */
    bool digest_required; /* Content-MD5 or a checksum */
    bool
        checksum_is_of_object; /* x-amz-checksum- headers speak of an object, not of the document */
    size_t work_size;          /* bytes of the operation's own struct: exchange->work, zeroed */
    void (*release_work)(
        void *work); /* frees what the struct owns, not the struct; NULL: nothing */

    /* The document is whole, and is what was declared. */
    void (*read)(struct lst_s3_exchange *exchange, struct lst_slice document);
};

/* Collect the body, then call plan->read(). plan: a constant. Answers when it can't. */
void lst_document_begin(struct lst_s3_exchange *exchange, const struct lst_document_plan *plan);

/* The operation's own struct, while and after the document is read. */
void *lst_document_work(const struct lst_s3_exchange *exchange);

#endif
