/* receive.h - the body of a request on its way into the store: of PutObject and of UploadPart. */
#ifndef LST_S3_RECEIVE_H
#define LST_S3_RECEIVE_H

#include "s3/body.h"

struct lst_receiving {
    struct lst_put *put; /* to be set once it is begun; NULL again when it is committed */
    void (*answer)(struct lst_s3_exchange *exchange);
};

/*
 * Make ready for the body, with exchange->work for it. checksum: the kind to compute if none is
 * declared, or, besides, also if another one is; what is declared and what is computed is kept with
 * the bytes. answer: to the write that went well. NULL: the exchange has been answered.
 */
struct lst_receiving *lst_receive(struct lst_s3_exchange *exchange, enum lst_checksum_kind checksum,
                                  bool besides, void (*answer)(struct lst_s3_exchange *exchange));

/* Add the ETag, the version and the checksum of what was written to an answer, each if there is
 * one. */
void lst_receive_answer(struct lst_s3_exchange *exchange);

#endif
