/* complete.h - the document that completes a multipart upload. */
#ifndef LST_S3_COMPLETE_H
#define LST_S3_COMPLETE_H

#include "s3/checksum.h"
#include "s3/exchange.h"
#include "store/upload.h"

#define LST_COMPLETE_DOCUMENT_MAX                                                                  \
    (4 * 1024 * 1024) /* bytes: 10,000 parts, each with a checksum                                 \
                       */

/* One <Part>. */
struct lst_listed_part {
    uint32_t number;
    uint8_t etag_length; /* 0: it is longer than any part's, which it then is not */
    uint8_t checksum_length;
    enum lst_checksum_kind kind; /* NONE: it was not given */
    char etag[LST_ETAG_MAX];     /* without quotes */
    char checksum[LST_CHECKSUM_TEXT_MAX];
    bool is_there; /* and so large, once it was looked for */
    uint64_t size;
};

struct lst_parts_list {
    struct lst_listed_part *parts; /* owned */
    size_t count;
    size_t capacity;
};

/*
 * Read a <CompleteMultipartUpload> document. False, having answered: it is malformed, without a
 * part, or the parts are not in ascending order. The list, all zero before, is to be released
 * either way.
 */
bool lst_parts_list_read(struct lst_s3_exchange *exchange, struct lst_slice document,
                         struct lst_slice upload, struct lst_parts_list *ret_list);
void lst_parts_list_release(struct lst_parts_list *list);

#endif
