/* body_state.h - what is kept of a body while it comes in: for body.c and body_prepare.c alone. */
#ifndef LST_S3_BODY_STATE_H
#define LST_S3_BODY_STATE_H

#include "base/encoding.h"
#include "s3/body.h"

#include <nettle/md5.h>

struct lst_body {
    struct lst_body_plan plan;
    uint64_t received;      /* bytes, unframed */
    struct lst_slice input; /* what lst_body_next() has yet to give of a piece from the wire */
    bool is_refused;        /* by lst_body_next(): the exchange has been answered */
    uint64_t length;        /* bytes, unframed, if known */
    bool length_known;

    bool check_sha256; /* against passage.auth.body_sha256 */
    struct sha256_ctx sha256;

    bool has_md5; /* Content-MD5 */
    uint8_t expected_md5[MD5_DIGEST_SIZE];
    struct md5_ctx md5; /* only if the plan wants it */

    struct lst_checksum checksum; /* of kind NONE if there is none */
    bool checksum_declared;       /* else it is computed for its own sake */
    bool checksum_in_trailer;
    uint8_t expected_checksum[LST_CHECKSUM_SIZE_MAX];
    char checksum_text[LST_BASE64_LENGTH(LST_CHECKSUM_SIZE_MAX)]; /* at the end */
    size_t checksum_length;
    struct lst_checksum second; /* computed besides it; of kind NONE if it is not wanted */
    char second_text[LST_BASE64_LENGTH(LST_CHECKSUM_SIZE_MAX)];

    bool is_stream;
    struct lst_stream stream; /* last and large: not touched unless the body is aws-chunked */
};

/* Take the declared checksum, of the kind of body->checksum, from its base64. False, having
 * answered, if it is not one. */
bool lst_body_expect_checksum(struct lst_s3_exchange *exchange, struct lst_slice text);

#endif
