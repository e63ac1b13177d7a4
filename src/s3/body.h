/*
 * body.h - the body of a request on its way in: unframed, counted, and held against everything that
 * the client declared of it.
 *
 * "Checking object integrity" and "Transferring Payload in Multiple Chunks" of Amazon S3. What is
 * checked: the length, x-amz-content-sha256, the chunk signatures of aws-chunked bodies,
 * Content-MD5, and one x-amz-checksum-*, in a header or in a trailer.
 */
#ifndef LST_S3_BODY_H
#define LST_S3_BODY_H

#include "s3/checksum.h"
#include "s3/exchange.h"

struct lst_body_plan {
    uint64_t limit; /* bytes: more is answered with too_long */
    enum lst_s3_error too_long;
    bool length_required; /* else a request without a length has an empty body */
    bool takes_chunks;    /* a body in HTTP's chunks needs no length */
    bool digest_required; /* a Content-MD5 or a checksum must be declared */
    bool wants_md5;       /* compute the MD5 here; else it is handed to lst_body_check_md5() */
    enum lst_checksum_kind checksum; /* compute this one if none is declared, */
    bool checksum_besides;           /* and, besides it, also if another one is */
    bool checksum_is_of_object;      /* the headers speak of something else than this body */
};

/* Read what the head says of the body and make ready for it, as exchange->body. False if it can't
 * be accepted: the exchange has been answered. */
bool lst_body_prepare(struct lst_s3_exchange *exchange, const struct lst_body_plan *plan);

/* The length must be told, and is not: 411, or, if the body is chunked by HTTP instead, S3's 501.
 */
void lst_body_fail_length(struct lst_s3_exchange *exchange);

/* The body's length, unframed, if the head told it. */
bool lst_body_length(const struct lst_body *body, uint64_t *ret_length);

/*
 * The next piece of the body, unframed. False:
 * there is none. Then the body is at its end, or is not what it should be and the exchange has been
 * answered, or the client is gone: lst_body_is_whole() knows.
 */
bool lst_body_next(struct lst_s3_exchange *exchange, struct lst_slice *ret_piece);

/* After the last piece: is the body complete and what was declared, but for an MD5 that was not
 * computed here? And may its signer still do this (lst_s3_confirm())? False, having answered, if
 * not; or the client is gone. */
bool lst_body_is_whole(struct lst_s3_exchange *exchange);

/* Hold the MD5 of the body against Content-MD5, if there is one. False, having answered, if they
 * differ. */
bool lst_body_check_md5(struct lst_s3_exchange *exchange, const uint8_t md5[16]);

/* After the end, the checksum that was declared, or computed because none was, in base64. NONE,
 * with an empty text, if there is none. The text is valid as long as the body. */
enum lst_checksum_kind lst_body_checksum(const struct lst_body *body, struct lst_slice *ret_text);

/* After the end, the one that was computed besides it; the same. */
enum lst_checksum_kind lst_body_second_checksum(const struct lst_body *body,
                                                struct lst_slice *ret_text);

/* The kind of the checksum that the head declares, in itself or in a trailer to come. */
enum lst_checksum_kind lst_body_declared(const struct lst_body *body);

/* NULL does nothing. */
void lst_body_free(struct lst_body *body);

#endif
