/* receive.h - the body of a request on its way into the store: of PutObject and of UploadPart. */
#ifndef LST_S3_RECEIVE_H
#define LST_S3_RECEIVE_H

#include "s3/body.h"
#include "s3/content.h"
#include "s3/upload_checksum.h"

struct lst_receiving {
    struct lst_put *put; /* to be set once it is begun; NULL again when it is committed */
    struct lst_content_check *content;   /* NULL: not asked for */
    bool is_object;                      /* to be set: not a part, so it may have to be approved */
    char type[LST_SNIFFED_TYPE_MAX + 1]; /* of a part, for the look at the content */
    void (*answer)(struct lst_s3_exchange *exchange);
};

/*
 * Make ready for the body, with exchange->work for it. checksum: the kind to compute if none is
 * declared, or, besides, also if another one is; what is declared and what is computed is kept with
 * the bytes. answer: to the write that went well. NULL: the exchange has been answered.
 */
struct lst_receiving *lst_receive(struct lst_s3_exchange *exchange, enum lst_checksum_kind checksum,
                                  bool besides, void (*answer)(struct lst_s3_exchange *exchange));

/* After lst_receive(): refuse the body unless its content is what the plan says, whose slices are
 * to be the request's. False, having answered, if that can't be done. */
bool lst_receive_check_content(struct lst_s3_exchange *exchange,
                               const struct lst_content_plan *plan);

/* Add the ETag, the version and the checksum of what was written to an answer, each if there is
 * one. */
void lst_receive_answer(struct lst_s3_exchange *exchange);

#endif
