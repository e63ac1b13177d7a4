/*
 * checksum.h - the checksums that a client may declare for a body: x-amz-checksum-*.
 *
 * "Checking object integrity" of the Amazon S3 User Guide. Their text is base64 of the big-endian
 * value.
 */
#ifndef LST_S3_CHECKSUM_H
#define LST_S3_CHECKSUM_H

#include "base/slice.h"

#include <nettle/sha1.h>
#include <nettle/sha2.h>

#define LST_CHECKSUM_SIZE_MAX 32 /* bytes, of SHA-256 */

enum lst_checksum_kind {
    LST_CHECKSUM_NONE,
    LST_CHECKSUM_CRC32,
    LST_CHECKSUM_CRC32C,
    LST_CHECKSUM_CRC64NVME,
    LST_CHECKSUM_SHA1,
    LST_CHECKSUM_SHA256,
};

struct lst_checksum {
    enum lst_checksum_kind kind;
    union {
        uint32_t crc32;
        uint64_t crc64;
        struct sha1_ctx sha1;
        struct sha256_ctx sha256;
    } state;
};

/* NONE takes bytes, does nothing with them and gives none. */
void lst_checksum_init(struct lst_checksum *checksum, enum lst_checksum_kind kind);
void lst_checksum_update(struct lst_checksum *checksum, struct lst_slice bytes);

/* Writes lst_checksum_size() bytes. The checksum may not be used after it. */
void lst_checksum_digest(struct lst_checksum *checksum, uint8_t ret_digest[LST_CHECKSUM_SIZE_MAX]);

size_t lst_checksum_size(enum lst_checksum_kind kind);        /* bytes */
const char *lst_checksum_name(enum lst_checksum_kind kind);   /* "CRC32" */
const char *lst_checksum_header(enum lst_checksum_kind kind); /* "x-amz-checksum-crc32" */

/* The kind of a name or of a header's name, in any case; NONE if it is none of them. */
enum lst_checksum_kind lst_checksum_of_name(struct lst_slice name);
enum lst_checksum_kind lst_checksum_of_header(struct lst_slice header);

/* CRC-64/NVME of more bytes, from 0. */
uint64_t lst_crc64nvme(uint64_t crc, struct lst_slice bytes);

#endif
