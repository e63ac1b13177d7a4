/* receive.h - the body of a request on its way into the store: of PutObject and of UploadPart. */
#ifndef LST_S3_RECEIVE_H
#define LST_S3_RECEIVE_H

#include "s3/body.h"
#include "s3/content.h"
#include "s3/upload_checksum.h"

/* All zero: nothing has come yet. */
struct lst_receiving {
    struct lst_put *put;                 /* NULL until it is begun, and when it is committed */
    struct lst_content_check *content;   /* NULL: not asked for */
    char type[LST_SNIFFED_TYPE_MAX + 1]; /* of a part, for the look at the content */
};

/*
 * Make ready for the body. checksum: the kind to compute if none is declared, or, besides, also if
 * another one is; what is declared and what is computed is kept with the bytes. False, having
 * answered, if it can't be accepted.
 */
bool lst_receive_prepare(struct lst_s3_exchange *exchange, enum lst_checksum_kind checksum,
                         bool besides);

/* Then: refuse the body unless its content is what the plan says, whose slices are to be the
 * request's, or in *receiving. False, having answered, if that can't be done. */
bool lst_receive_check_content(struct lst_s3_exchange *exchange, struct lst_receiving *receiving,
                               const struct lst_content_plan *plan);

/*
 * A step that waits for nothing, on the thread's own stack, where it may need some KiB: the stacks
 * of fibers stay small, and those of many uploads at once need not all be in the processor's cache.
 * Gives what the step gives.
 */
bool lst_receive_step(struct lst_s3_exchange *exchange, struct lst_receiving *receiving,
                      bool (*step)(struct lst_s3_exchange *exchange,
                                   struct lst_receiving *receiving));

/* A piece of the body, into the put. False, having answered, if it can't be taken. */
bool lst_receive_piece(struct lst_s3_exchange *exchange, struct lst_receiving *receiving,
                       struct lst_slice piece);

/* All of the body has come: it is what was declared, and its checksums go into the put. False,
 * having answered, if not; or the client is gone. */
bool lst_receive_end(struct lst_s3_exchange *exchange, struct lst_receiving *receiving);

/* Commit the put, and wait for that, and for who has to approve of it (lst_approval_prepare()).
 * False, having answered, if it has failed. */
bool lst_receive_commit(struct lst_s3_exchange *exchange, struct lst_receiving *receiving);

/* Add the ETag, the version and the checksum of what was written to an answer, each if there is
 * one. */
void lst_receive_answer(struct lst_s3_exchange *exchange);

/* Give up what it holds: of a put that was not committed nothing is left. */
void lst_receive_release(struct lst_receiving *receiving);

#endif
