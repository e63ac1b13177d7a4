/*
 * checksum.h - the checksums that a client may declare for a body: x-amz-checksum-*.
 *
 * "Checking object integrity" of the Amazon S3 User Guide. Their text is base64 of the big-endian
 * value.
 */
#ifndef LST_S3_CHECKSUM_H
#define LST_S3_CHECKSUM_H

#include "http/names.h"

#include <nettle/sha1.h>
#include <nettle/sha2.h>

#define LST_CHECKSUM_SIZE_MAX 32 /* bytes, of SHA-256 */
#define LST_CHECKSUM_TEXT_MAX 56 /* its base64, "-10000" and NUL */

enum lst_checksum_kind {
    LST_CHECKSUM_NONE,
    LST_CHECKSUM_CRC32,
    LST_CHECKSUM_CRC32C,
    LST_CHECKSUM_CRC64NVME,
    LST_CHECKSUM_SHA1,
    LST_CHECKSUM_SHA256,
};

enum { LST_CHECKSUM_KINDS = LST_CHECKSUM_SHA256 + 1 }; /* their number, with NONE */

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
enum lst_header lst_checksum_header_number(enum lst_checksum_kind kind); /* the same */
const char *lst_checksum_word(enum lst_checksum_kind kind);    /* "crc32", as S3's errors say */
const char *lst_checksum_element(enum lst_checksum_kind kind); /* "ChecksumCRC32" */

/* The kind of a name or of a header's name, in any case, or of an XML element; NONE if it is none
 * of them. */
enum lst_checksum_kind lst_checksum_of_name(struct lst_slice name);
enum lst_checksum_kind lst_checksum_of_header(struct lst_slice header);
enum lst_checksum_kind lst_checksum_of_element(const char *element);

/* The first checksum among the fields that an object or a part is kept with; NONE, with an empty
 * text, if there is none. */
enum lst_checksum_kind lst_checksum_of_fields(const struct lst_field *fields, size_t count,
                                              struct lst_slice *ret_text);

/* That of a kind; false if there is none. */
bool lst_checksum_find(const struct lst_field *fields, size_t count, enum lst_checksum_kind kind,
                       struct lst_slice *ret_text);

/*
 * Of what a checksum is: of the object's bytes, or of the checksums of its parts. The text of the
 * latter ends in "-" and the number of parts, and base64 has no dash: that is how it is kept.
 */
#define LST_CHECKSUM_FULL_OBJECT "FULL_OBJECT"
#define LST_CHECKSUM_COMPOSITE   "COMPOSITE"
const char *lst_checksum_type(struct lst_slice text);

/* The checksum of two pieces of which the second has so many bytes, from those of each; only of
 * CRCs. first: becomes that of both. In lst_checksum_digest()'s form. */
bool lst_checksum_is_crc(enum lst_checksum_kind kind);
void lst_checksum_combine(enum lst_checksum_kind kind, uint8_t first[LST_CHECKSUM_SIZE_MAX],
                          const uint8_t second[LST_CHECKSUM_SIZE_MAX], uint64_t second_length);

/* CRC-64/NVME of more bytes, from 0. */
uint64_t lst_crc64nvme(uint64_t crc, struct lst_slice bytes);

#endif
