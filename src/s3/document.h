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
};

/*
 * Wait for all of the body. False if it is not what it should be, which has been answered, or the
 * client is gone. ret_document is to be released either way.
 */
bool lst_document_read(struct lst_s3_exchange *exchange, const struct lst_document_plan *plan,
                       struct lst_buffer *ret_document);

#endif
