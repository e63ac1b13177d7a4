/* hash.c - SHA-256 and HMAC-SHA256 from a midstate, on top of nettle. */
#include "hash.h"
#include "text.h"

#include <nettle/sha2.h>

void lst_internal_sha256(struct lst_slice data, uint8_t out[LST_INTERNAL_SHA256_SIZE])
{
    struct sha256_ctx context;

    sha256_init(&context);
    if (data.length > 0) {
        sha256_update(&context, data.length, (const uint8_t *)data.bytes);
    }
    sha256_digest(&context, LST_INTERNAL_SHA256_SIZE, out);
}

/* The state after one block of the key, each byte combined with the pad. */
static void absorb_padded(uint32_t state[8], const uint8_t key[SHA256_BLOCK_SIZE], uint8_t pad)
{
    struct sha256_ctx context;
    uint8_t block[SHA256_BLOCK_SIZE];

    for (size_t i = 0; i < sizeof(block); i++) {
        block[i] = key[i] ^ pad;
    }
    sha256_init(&context);
    sha256_update(&context, sizeof(block), block);
    memcpy(state, context.state, sizeof(context.state));
    lst_wipe(&context, sizeof(context));
    lst_wipe(block, sizeof(block));
}

void lst_internal_hmac_key(uint32_t inner[8], uint32_t outer[8], struct lst_slice secret)
{
    uint8_t key[SHA256_BLOCK_SIZE] = {0};

    if (secret.length > sizeof(key)) {
        struct sha256_ctx context;

        sha256_init(&context);
        sha256_update(&context, secret.length, (const uint8_t *)secret.bytes);
        sha256_digest(&context, SHA256_DIGEST_SIZE, key);
        lst_wipe(&context, sizeof(context));
    } else if (secret.length > 0) {
        memcpy(key, secret.bytes, secret.length);
    }
    absorb_padded(inner, key, 0x36);
    absorb_padded(outer, key, 0x5c);
    lst_wipe(key, sizeof(key));
}

/* Continue a hash that has absorbed one block already. */
static void resume(struct sha256_ctx *context, const uint32_t state[8])
{
    memcpy(context->state, state, sizeof(context->state));
    context->count = 1;
    context->index = 0;
}

static void put_big_endian(uint8_t *out, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        out[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
    }
}

void lst_internal_sha256_finish(struct sha256_ctx *context, uint8_t *tail, size_t length,
                                uint8_t out[LST_INTERNAL_SHA256_SIZE])
{
    uint64_t bits = (context->count * SHA256_BLOCK_SIZE + length) * 8;
    size_t padded =
        (length + 1 + 8 + SHA256_BLOCK_SIZE - 1) / SHA256_BLOCK_SIZE * SHA256_BLOCK_SIZE;

    tail[length] = 0x80;
    memset(tail + length + 1, 0, padded - length - 1 - 8);
    put_big_endian(tail + padded - 8, bits, 8);
    sha256_update(context, padded, tail);
    for (size_t i = 0; i < 8; i++) {
        put_big_endian(out + 4 * i, context->state[i], 4);
    }
}

/* The outer half of an HMAC: digest is that of the inner half, and becomes the result. */
static void finish_hmac(struct sha256_ctx *context, const uint32_t outer[8],
                        uint8_t digest[LST_INTERNAL_SHA256_SIZE])
{
    uint8_t block[LST_INTERNAL_SHA256_SIZE + 72];

    resume(context, outer);
    memcpy(block, digest, LST_INTERNAL_SHA256_SIZE);
    lst_internal_sha256_finish(context, block, LST_INTERNAL_SHA256_SIZE, digest);
    lst_wipe(context->state, sizeof(context->state));
}

void lst_internal_hmac(const struct lst_key *key, struct lst_slice data,
                       uint8_t out[LST_INTERNAL_SHA256_SIZE])
{
    struct sha256_ctx context;

    resume(&context, key->inner);
    if (data.length > 0) {
        sha256_update(&context, data.length, (const uint8_t *)data.bytes);
    }
    sha256_digest(&context, LST_INTERNAL_SHA256_SIZE, out);
    finish_hmac(&context, key->outer, out);
}

void lst_internal_hmac_hex(const struct lst_key *key, struct lst_slice data,
                           char out[LST_SIGNATURE_LENGTH])
{
    uint8_t digest[LST_INTERNAL_SHA256_SIZE];

    lst_internal_hmac(key, data, digest);
    lst_internal_hex_encode(digest, sizeof(digest), out);
    lst_wipe(digest, sizeof(digest));
}

void lst_internal_hmac_hex_in_place(const struct lst_key *key, char *text, size_t length,
                                    char out[LST_SIGNATURE_LENGTH])
{
    uint8_t digest[LST_INTERNAL_SHA256_SIZE];
    struct sha256_ctx context;

    resume(&context, key->inner);
    lst_internal_sha256_finish(&context, (uint8_t *)text, length, digest);
    finish_hmac(&context, key->outer, digest);
    lst_internal_hex_encode(digest, sizeof(digest), out);
    lst_wipe(digest, sizeof(digest));
}
