/*
 * checksum.h - how a value is stored: with checksums, whatever the engine.
 *
 * What an engine stores for a value is one of
 *
 *     00  value                                                        checksum
 *     01  length of head (4)  checksum of head  head  rest of value    checksum
 *
 * The second form is for values whose beginning is wanted more often than the rest, as in a
 * listing: the head can be read and trusted without a look at what stands behind it.
 *
 * A checksum is a CRC32C (RFC 3720, big-endian, LST_CHECKSUM_SIZE bytes). Both begin with the row's
 * key as the engine has it (with its partition) and with that key's length (2 bytes, big-endian).
 * The last one goes on with all that stands before it. The head's goes on with the first 5 bytes
 * and the head. So either tells a value that changed, a key that changed, and a value that stands
 * at another key.
 */
#ifndef LST_INDEX_CHECKSUM_H
#define LST_INDEX_CHECKSUM_H

#include "base/error.h"
#include "base/slice.h"

enum {
    LST_CHECKSUM_SIZE = 4,
    LST_STORED_EXTRA_MAX = 1 + 4 + 2 * LST_CHECKSUM_SIZE, /* bytes, besides the value */
};

/* The bytes that a value takes. head_length: of its head, at most all of it; 0: it has none. */
size_t lst_stored_size(size_t value_length, size_t head_length);

/* Write a value as it is stored, where there is room for it. */
void lst_stored_write(char *out, struct lst_slice key, struct lst_slice value, size_t head_length);

/* What of a value is wanted, and looked at. */
enum lst_stored_part {
    LST_STORED_ALL,
    LST_STORED_HEAD, /* if it has one, else all */
};

/*
 * Take the value, or its head, out of what is stored. LST_ERR_CORRUPT: the checksum is wrong;
 * *ret_value is what stands there all the same, and empty if that is too short to be a value.
 */
LST_MUST_CHECK int lst_stored_read(struct lst_slice key, struct lst_slice stored,
                                   enum lst_stored_part part, struct lst_slice *ret_value);

#endif
