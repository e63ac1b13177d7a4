/* checksum.c - how a value is stored: with checksums. */
#include "index/checksum.h"

#include <endian.h>
#include <isa-l/crc.h>

enum {
    FORM_WHOLE = 0,
    FORM_HEAD = 1,

    FORM_SIZE = 1,
    HEAD_LENGTH_SIZE = 4,
    HEAD_PREFIX = FORM_SIZE + HEAD_LENGTH_SIZE, /* what the head's checksum begins with */
    HEAD_AT = HEAD_PREFIX + LST_CHECKSUM_SIZE,

    LENGTH_SIZE = 2, /* of a key's length */
    SHORT_KEY = 96,
};

/* ISA-L's function does not write to what it is given, and takes an int for a length: keys and
 * values are far shorter. */
static uint32_t add(uint32_t checksum, const void *bytes, size_t length)
{
    return length == 0 ? checksum : crc32_iscsi((unsigned char *)bytes, (int)length, checksum);
}

/* Of the key, its length, and the first bytes of what is stored. Each call of the library costs as
 * much as the sum of some tens of bytes: as a rule one is enough. */
static uint32_t begin(struct lst_slice key, const char *stored, size_t count)
{
    const char length[LENGTH_SIZE] = {(char)(uint8_t)(key.length >> 8), (char)(uint8_t)key.length};
    char bytes[SHORT_KEY + LENGTH_SIZE + HEAD_PREFIX];

    if (key.length > SHORT_KEY) {
        return add(add(add(UINT32_MAX, key.bytes, key.length), length, LENGTH_SIZE), stored, count);
    }
    if (key.length > 0) {
        memcpy(bytes, key.bytes, key.length);
    }
    memcpy(bytes + key.length, length, LENGTH_SIZE);
    memcpy(bytes + key.length + LENGTH_SIZE, stored, count);
    return add(UINT32_MAX, bytes, key.length + LENGTH_SIZE + count);
}

static void put_number(char *out, uint32_t number)
{
    for (int i = 0; i < 4; i++) {
        out[i] = (char)(uint8_t)(number >> (24 - 8 * i));
    }
}

static uint32_t get_number(const char *bytes)
{
    uint32_t number;

    memcpy(&number, bytes, sizeof(number));
    return be32toh(number);
}

static uint32_t sum_head(struct lst_slice key, const char *stored, size_t head_length)
{
    return ~add(begin(key, stored, HEAD_PREFIX), stored + HEAD_AT, head_length);
}

/* All up to the last checksum. */
static uint32_t sum_all(struct lst_slice key, const char *stored, size_t end)
{
    return ~add(begin(key, stored, FORM_SIZE), stored + FORM_SIZE, end - FORM_SIZE);
}

size_t lst_stored_size(size_t value_length, size_t head_length)
{
    return (head_length > 0 ? HEAD_AT : FORM_SIZE) + value_length + LST_CHECKSUM_SIZE;
}

void lst_stored_write(char *out, struct lst_slice key, struct lst_slice value, size_t head_length)
{
    size_t at = head_length > 0 ? HEAD_AT : FORM_SIZE;
    size_t end = at + value.length;

    out[0] = head_length > 0 ? FORM_HEAD : FORM_WHOLE;
    if (value.length > 0) {
        memcpy(out + at, value.bytes, value.length);
    }
    if (head_length > 0) {
        put_number(out + FORM_SIZE, (uint32_t)head_length);
        put_number(out + HEAD_PREFIX, sum_head(key, out, head_length));
    }
    put_number(out + end, sum_all(key, out, end));
}

/* Of the form with a head, or nothing. */
static size_t find_head(struct lst_slice stored)
{
    size_t length;

    if (stored.length < HEAD_AT + LST_CHECKSUM_SIZE || stored.bytes[0] != FORM_HEAD) {
        return 0;
    }
    length = get_number(stored.bytes + FORM_SIZE);
    return length <= stored.length - HEAD_AT - LST_CHECKSUM_SIZE ? length : 0;
}

int lst_stored_read(struct lst_slice key, struct lst_slice stored, enum lst_stored_part part,
                    struct lst_slice *ret_value)
{
    size_t head_length = find_head(stored);
    size_t at = head_length > 0 ? HEAD_AT : FORM_SIZE;
    size_t end = stored.length - LST_CHECKSUM_SIZE;
    uint32_t sum;

    if (stored.length < FORM_SIZE + LST_CHECKSUM_SIZE) {
        *ret_value = lst_slice_make(NULL, 0);
        return LST_ERR_CORRUPT;
    }
    if (part == LST_STORED_HEAD && head_length > 0) {
        *ret_value = lst_slice_make(stored.bytes + HEAD_AT, head_length);
        sum = sum_head(key, stored.bytes, head_length);
        return get_number(stored.bytes + HEAD_PREFIX) == sum ? LST_OK : LST_ERR_CORRUPT;
    }
    *ret_value = lst_slice_make(stored.bytes + at, end - at);
    sum = sum_all(key, stored.bytes, end);
    return get_number(stored.bytes + end) == sum &&
                   (head_length > 0 || stored.bytes[0] == FORM_WHOLE)
               ? LST_OK
               : LST_ERR_CORRUPT;
}
