/*
 * checksum.h - the checksum that every row carries, whatever the engine.
 *
 * What an engine stores for a value is the value and, behind it, LST_CHECKSUM_SIZE bytes: the
 * CRC32C (RFC 3720, big-endian) of the row's key as the engine has it (with its partition), of that
 * key's length (2 bytes, big-endian) and of the value. So it tells a value that changed, a key that
 * changed, and a value that stands at another key. It stands at the end, so that what begins with
 * some bytes still does.
 */
#ifndef LST_INDEX_CHECKSUM_H
#define LST_INDEX_CHECKSUM_H

#include "base/error.h"
#include "base/slice.h"

enum { LST_CHECKSUM_SIZE = 4 };

/* Write a value and its checksum where there is room for both. */
void lst_checksum_write(char *out, struct lst_slice key, struct lst_slice value);

/*
 * Take the value out of what is stored. LST_ERR_CORRUPT: the checksum is wrong; *ret_value is what
 * stands there all the same, and empty if that is too short to have a checksum.
 */
LST_MUST_CHECK int lst_checksum_read(struct lst_slice key, struct lst_slice stored,
                                     struct lst_slice *ret_value);

#endif
