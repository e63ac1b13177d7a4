/* checksum.c - the checksum that every row carries. */
#include "index/checksum.h"

#include <isa-l/crc.h>

/* ISA-L's function does not write to what it is given, and takes an int for a length: keys and
 * values are far shorter. */
static uint32_t add(uint32_t checksum, const void *bytes, size_t length)
{
    return length == 0 ? checksum : crc32_iscsi((unsigned char *)bytes, (int)length, checksum);
}

static void make(struct lst_slice key, struct lst_slice value, uint8_t ret[LST_CHECKSUM_SIZE])
{
    const uint8_t length[2] = {(uint8_t)(key.length >> 8), (uint8_t)key.length};
    uint32_t checksum = add(UINT32_MAX, key.bytes, key.length);

    checksum = add(checksum, length, sizeof(length));
    checksum = ~add(checksum, value.bytes, value.length);
    for (int i = 0; i < LST_CHECKSUM_SIZE; i++) {
        ret[i] = (uint8_t)(checksum >> (24 - 8 * i));
    }
}

void lst_checksum_write(char *out, struct lst_slice key, struct lst_slice value)
{
    uint8_t checksum[LST_CHECKSUM_SIZE];

    make(key, value, checksum);
    if (value.length > 0) {
        memcpy(out, value.bytes, value.length);
    }
    memcpy(out + value.length, checksum, sizeof(checksum));
}

int lst_checksum_read(struct lst_slice key, struct lst_slice stored, struct lst_slice *ret_value)
{
    uint8_t checksum[LST_CHECKSUM_SIZE];

    if (stored.length < sizeof(checksum)) {
        *ret_value = lst_slice_make(NULL, 0);
        return LST_ERR_CORRUPT;
    }
    *ret_value = lst_slice_first(stored, stored.length - sizeof(checksum));
    make(key, *ret_value, checksum);
    return memcmp(stored.bytes + ret_value->length, checksum, sizeof(checksum)) == 0
               ? LST_OK
               : LST_ERR_CORRUPT;
}
