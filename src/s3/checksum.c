/* checksum.c - the checksums that a client may declare for a body. */
#include "s3/checksum.h"

#include <isa-l/crc.h>

#include <limits.h>

static const struct {
    const char *name;
    const char *header;
    enum lst_header number;
    const char *element;
    size_t size;
} kinds[] = {
    [LST_CHECKSUM_NONE] = {"", "", LST_HEADER_OTHER, "", 0},
    [LST_CHECKSUM_CRC32] = {"CRC32", "x-amz-checksum-crc32", LST_HEADER_AMZ_CHECKSUM_CRC32,
                            "ChecksumCRC32", 4},
    [LST_CHECKSUM_CRC32C] = {"CRC32C", "x-amz-checksum-crc32c", LST_HEADER_AMZ_CHECKSUM_CRC32C,
                             "ChecksumCRC32C", 4},
    [LST_CHECKSUM_CRC64NVME] = {"CRC64NVME", "x-amz-checksum-crc64nvme",
                                LST_HEADER_AMZ_CHECKSUM_CRC64NVME, "ChecksumCRC64NVME", 8},
    [LST_CHECKSUM_SHA1] = {"SHA1", "x-amz-checksum-sha1", LST_HEADER_AMZ_CHECKSUM_SHA1,
                           "ChecksumSHA1", SHA1_DIGEST_SIZE},
    [LST_CHECKSUM_SHA256] = {"SHA256", "x-amz-checksum-sha256", LST_HEADER_AMZ_CHECKSUM_SHA256,
                             "ChecksumSHA256", SHA256_DIGEST_SIZE},
};

enum { KIND_COUNT = sizeof(kinds) / sizeof(kinds[0]) };

size_t lst_checksum_size(enum lst_checksum_kind kind)
{
    return kinds[kind].size;
}

const char *lst_checksum_name(enum lst_checksum_kind kind)
{
    return kinds[kind].name;
}

const char *lst_checksum_header(enum lst_checksum_kind kind)
{
    return kinds[kind].header;
}

enum lst_header lst_checksum_header_number(enum lst_checksum_kind kind)
{
    return kinds[kind].number;
}

const char *lst_checksum_word(enum lst_checksum_kind kind)
{
    return kind == LST_CHECKSUM_NONE ? "null" : kinds[kind].header + strlen("x-amz-checksum-");
}

const char *lst_checksum_element(enum lst_checksum_kind kind)
{
    return kinds[kind].element;
}

enum lst_checksum_kind lst_checksum_of_name(struct lst_slice name)
{
    for (unsigned i = LST_CHECKSUM_CRC32; i < KIND_COUNT; i++) {
        if (lst_slice_equal_ignoring_case(name, lst_slice_of(kinds[i].name))) {
            return (enum lst_checksum_kind)i;
        }
    }
    return LST_CHECKSUM_NONE;
}

enum lst_checksum_kind lst_checksum_of_element(const char *element)
{
    for (unsigned i = LST_CHECKSUM_CRC32; i < KIND_COUNT; i++) {
        if (strcmp(element, kinds[i].element) == 0) {
            return (enum lst_checksum_kind)i;
        }
    }
    return LST_CHECKSUM_NONE;
}

enum lst_checksum_kind lst_checksum_of_header(struct lst_slice header)
{
    for (unsigned i = LST_CHECKSUM_CRC32; i < KIND_COUNT; i++) {
        if (lst_slice_equal_ignoring_case(header, lst_slice_of(kinds[i].header))) {
            return (enum lst_checksum_kind)i;
        }
    }
    return LST_CHECKSUM_NONE;
}

enum lst_checksum_kind lst_checksum_of_fields(const struct lst_field *fields, size_t count,
                                              struct lst_slice *ret_text)
{
    *ret_text = lst_slice_make(NULL, 0);
    for (size_t i = 0; i < count; i++) {
        enum lst_checksum_kind kind = lst_checksum_of_header(fields[i].name);
        if (kind != LST_CHECKSUM_NONE) {
            *ret_text = fields[i].value;
            return kind;
        }
    }
    return LST_CHECKSUM_NONE;
}

bool lst_checksum_find(const struct lst_field *fields, size_t count, enum lst_checksum_kind kind,
                       struct lst_slice *ret_text)
{
    for (size_t i = 0; i < count; i++) {
        if (lst_slice_equal_ignoring_case(fields[i].name, lst_slice_of(kinds[kind].header))) {
            *ret_text = fields[i].value;
            return true;
        }
    }
    return false;
}

const char *lst_checksum_type(struct lst_slice text)
{
    return lst_slice_find(text, '-') < text.length ? LST_CHECKSUM_COMPOSITE
                                                   : LST_CHECKSUM_FULL_OBJECT;
}

void lst_checksum_init(struct lst_checksum *checksum, enum lst_checksum_kind kind)
{
    checksum->kind = kind;
    switch (kind) {
    case LST_CHECKSUM_CRC32:
        checksum->state.crc32 = 0;
        break;
    case LST_CHECKSUM_CRC32C:
        checksum->state.crc32 = UINT32_MAX;
        break;
    case LST_CHECKSUM_CRC64NVME:
        checksum->state.crc64 = 0;
        break;
    case LST_CHECKSUM_SHA1:
        sha1_init(&checksum->state.sha1);
        break;
    case LST_CHECKSUM_SHA256:
        sha256_init(&checksum->state.sha256);
        break;
    case LST_CHECKSUM_NONE:
        break;
    }
}

/* ISA-L counts in int, and its crc32_iscsi() takes a pointer to bytes that it does not change. */
static uint32_t crc32c(uint32_t crc, struct lst_slice bytes)
{
    while (bytes.length > 0) {
        struct lst_slice part = lst_slice_first(bytes, INT_MAX);
        crc = crc32_iscsi((unsigned char *)part.bytes, (int)part.length, crc);
        bytes = lst_slice_after(bytes, part.length);
    }
    return crc;
}

void lst_checksum_update(struct lst_checksum *checksum, struct lst_slice bytes)
{
    const uint8_t *data = (const uint8_t *)bytes.bytes;

    if (bytes.length == 0) {
        return;
    }
    switch (checksum->kind) {
    case LST_CHECKSUM_CRC32:
        checksum->state.crc32 = crc32_gzip_refl(checksum->state.crc32, data, bytes.length);
        break;
    case LST_CHECKSUM_CRC32C:
        checksum->state.crc32 = crc32c(checksum->state.crc32, bytes);
        break;
    case LST_CHECKSUM_CRC64NVME:
        checksum->state.crc64 = lst_crc64nvme(checksum->state.crc64, bytes);
        break;
    case LST_CHECKSUM_SHA1:
        sha1_update(&checksum->state.sha1, bytes.length, data);
        break;
    case LST_CHECKSUM_SHA256:
        sha256_update(&checksum->state.sha256, bytes.length, data);
        break;
    case LST_CHECKSUM_NONE:
        break;
    }
}

static void write_big_endian(uint64_t value, size_t size, uint8_t *ret_bytes)
{
    for (size_t i = 0; i < size; i++) {
        ret_bytes[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    }
}

void lst_checksum_digest(struct lst_checksum *checksum, uint8_t ret_digest[LST_CHECKSUM_SIZE_MAX])
{
    switch (checksum->kind) {
    case LST_CHECKSUM_CRC32:
        write_big_endian(checksum->state.crc32, 4, ret_digest);
        break;
    case LST_CHECKSUM_CRC32C:
        write_big_endian(~checksum->state.crc32, 4, ret_digest);
        break;
    case LST_CHECKSUM_CRC64NVME:
        write_big_endian(checksum->state.crc64, 8, ret_digest);
        break;
    case LST_CHECKSUM_SHA1:
        sha1_digest(&checksum->state.sha1, SHA1_DIGEST_SIZE, ret_digest);
        break;
    case LST_CHECKSUM_SHA256:
        sha256_digest(&checksum->state.sha256, SHA256_DIGEST_SIZE, ret_digest);
        break;
    case LST_CHECKSUM_NONE:
        break;
    }
}
