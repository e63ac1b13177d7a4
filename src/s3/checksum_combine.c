/*
 * checksum_combine.c - the CRC of two pieces from the CRCs of each.
 *
 * A CRC is a polynomial over GF(2), modulo the CRC's own. More bytes after the first piece multiply
 * its CRC by x to the power of their bits; the second piece's is then added. That all ones go in
 * and out cancels out. Bits are reflected: x^0 is the highest.
 */
#include "s3/checksum.h"

struct field {
    uint64_t polynomial;
    uint64_t one; /* x^0 */
};

static struct field field_of(enum lst_checksum_kind kind)
{
    switch (kind) {
    case LST_CHECKSUM_CRC32:
        return (struct field){0xEDB88320U, UINT64_C(1) << 31};
    case LST_CHECKSUM_CRC32C:
        return (struct field){0x82F63B78U, UINT64_C(1) << 31};
    default:
        return (struct field){0x9A6C9329AC4BC9B5U, UINT64_C(1) << 63};
    }
}

static uint64_t multiply(struct field field, uint64_t a, uint64_t b)
{
    uint64_t product = 0;

    for (uint64_t bit = field.one; bit != 0; bit >>= 1) {
        if ((a & bit) != 0) {
            product ^= b;
        }
        b = (b & 1) != 0 ? b >> 1 ^ field.polynomial : b >> 1; /* times x */
    }
    return product;
}

/* x to the power of 8 for each byte. */
static uint64_t power(struct field field, uint64_t bytes)
{
    uint64_t result = field.one;

    for (uint64_t square = field.one >> 8; bytes != 0; bytes >>= 1) {
        if ((bytes & 1) != 0) {
            result = multiply(field, result, square);
        }
        square = multiply(field, square, square);
    }
    return result;
}

static uint64_t read_big_endian(const uint8_t *bytes, size_t size)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

bool lst_checksum_is_crc(enum lst_checksum_kind kind)
{
    return kind == LST_CHECKSUM_CRC32 || kind == LST_CHECKSUM_CRC32C ||
           kind == LST_CHECKSUM_CRC64NVME;
}

void lst_checksum_combine(enum lst_checksum_kind kind, uint8_t first[LST_CHECKSUM_SIZE_MAX],
                          const uint8_t second[LST_CHECKSUM_SIZE_MAX], uint64_t second_length)
{
    size_t size = lst_checksum_size(kind);
    struct field field = field_of(kind);
    uint64_t moved = multiply(field, read_big_endian(first, size), power(field, second_length));
    uint64_t both = moved ^ read_big_endian(second, size);

    for (size_t i = 0; i < size; i++) {
        first[i] = (uint8_t)(both >> (8 * (size - 1 - i)));
    }
}
