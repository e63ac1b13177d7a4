/*
 * hash.h - SHA-256, HMAC-SHA256 from a midstate, and the derivation of signing keys.
 *
 * FIPS 180-4 and RFC 2104. A struct lst_key holds the states of SHA-256 after the first block of
 * the inner and of the outer hash, so an HMAC costs its message's blocks and one more.
 */
#ifndef LST_SIGV4_HASH_H
#define LST_SIGV4_HASH_H

#include "latchstring.h"

#define LST_INTERNAL_SHA256_SIZE 32

void lst_internal_sha256(struct lst_slice data, uint8_t out[LST_INTERNAL_SHA256_SIZE]);

struct sha256_ctx;

/*
 * End a hash that has absorbed whole blocks only. tail: the rest of the message, in a buffer that
 * has room for 72 bytes more, which are overwritten with the padding (FIPS 180-4, 5.1.1). Does what
 * nettle's own digest function does, with fewer copies.
 */
void lst_internal_sha256_finish(struct sha256_ctx *context, uint8_t *tail, size_t length,
                                uint8_t out[LST_INTERNAL_SHA256_SIZE]);

/* Prepare the midstates for an HMAC key of any length. They sign as the key does: wipe them. */
void lst_internal_hmac_key(uint32_t inner[8], uint32_t outer[8], struct lst_slice secret);

void lst_internal_hmac(const struct lst_key *key, struct lst_slice data,
                       uint8_t out[LST_INTERNAL_SHA256_SIZE]);

/* The same, in lower-case hexadecimal. */
void lst_internal_hmac_hex(const struct lst_key *key, struct lst_slice data,
                           char out[LST_SIGNATURE_LENGTH]);

/* The same of text in a buffer that has room for 72 bytes more, which are overwritten. */
void lst_internal_hmac_hex_in_place(const struct lst_key *key, char *text, size_t length,
                                    char out[LST_SIGNATURE_LENGTH]);

/*
 * Fill in a whole key, scope included, for the day as it is written in a scope ("20130524").
 * LST_ERR_INVALID_ARGUMENT: as lst_key_init(), or the day has not 8 digits.
 */
LST_MUST_CHECK int lst_internal_key_derive(struct lst_key *key, struct lst_slice secret,
                                           struct lst_slice day, struct lst_slice region,
                                           struct lst_slice service);

#endif
