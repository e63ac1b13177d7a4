/*
 * md5.h - MD5 (RFC 1321), of one message or of several side by side.
 *
 * S3 promises the MD5 of every body as its ETag. Each step of MD5 needs the result of the step
 * before, so a processor that could do four things at once does one. Eight messages side by side
 * take little longer than one: about a fifth of the time a byte. libnettle and libcrypto hash one
 * message at a time, and take a sixth and a twentieth longer for it.
 *
 * Not for anything that an attacker must not be able to forge.
 */
#ifndef LST_BASE_MD5_H
#define LST_BASE_MD5_H

#include "base/slice.h"

#include <stdint.h>

#define LST_MD5_SIZE  16 /* bytes of a digest */
#define LST_MD5_LANES 8  /* messages that are hashed side by side at most */

struct lst_md5 {
    uint32_t state[4];
    uint64_t length;  /* bytes so far */
    uint8_t rest[64]; /* the last of them, not yet hashed: length % 64 */
};

/* Some more of one message. */
struct lst_md5_piece {
    struct lst_md5 *md5;
    struct lst_slice bytes;
};

void lst_md5_init(struct lst_md5 *md5);
void lst_md5_update(struct lst_md5 *md5, struct lst_slice bytes);

/* lst_md5_update() of each, side by side where two or more have a whole block left. Each of them
 * must be of another message. Changes the list. */
void lst_md5_update_many(struct lst_md5_piece *pieces, size_t count);

/* The digest of what came so far. */
void lst_md5_digest(const struct lst_md5 *md5, uint8_t ret_digest[LST_MD5_SIZE]);

#endif
