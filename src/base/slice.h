/* slice.h - questions about byte slices (struct lst_slice of latchstring.h). Nothing here allocates
 * or copies. */
#ifndef LST_BASE_SLICE_H
#define LST_BASE_SLICE_H

#include "latchstring.h"

#include <string.h>

static inline struct lst_slice lst_slice_make(const void *bytes, size_t length)
{
    struct lst_slice slice = {(const char *)bytes, length};

    return slice;
}

static inline bool lst_slice_equal(struct lst_slice a, struct lst_slice b)
{
    if (a.length != b.length) {
        return false;
    }
    return a.length == 0 ||
           (a.bytes != NULL && b.bytes != NULL && memcmp(a.bytes, b.bytes, a.length) == 0);
}

/* Byte order, a shorter slice first where one begins the other: negative, 0 or positive. */
int lst_slice_compare(struct lst_slice a, struct lst_slice b);

/* Equal but for the case of ASCII letters: header names, host names. */
bool lst_slice_equal_ignoring_case(struct lst_slice a, struct lst_slice b);

static inline bool lst_slice_starts_with(struct lst_slice slice, struct lst_slice prefix)
{
    if (prefix.length == 0) {
        return true;
    }
    return slice.bytes != NULL && prefix.bytes != NULL && slice.length >= prefix.length &&
           memcmp(slice.bytes, prefix.bytes, prefix.length) == 0;
}

bool lst_slice_starts_with_ignoring_case(struct lst_slice slice, struct lst_slice prefix);

/* The slice without its first count bytes; empty if it has fewer. */
static inline struct lst_slice lst_slice_after(struct lst_slice slice, size_t count)
{
    size_t skipped = count < slice.length ? count : slice.length;

    return lst_slice_make(slice.bytes == NULL ? NULL : slice.bytes + skipped,
                          slice.length - skipped);
}

/* The first count bytes; the whole slice if it has fewer. */
static inline struct lst_slice lst_slice_first(struct lst_slice slice, size_t count)
{
    return lst_slice_make(slice.bytes, count < slice.length ? count : slice.length);
}

/* Where the byte first stands, or slice.length. */
size_t lst_slice_find(struct lst_slice slice, char byte);

/* Where the other slice first stands in this one, or slice.length. */
size_t lst_slice_find_slice(struct lst_slice slice, struct lst_slice other);

/*
 * Take the part up to the separator off the front: *rest then begins after it, or is empty with a
 * NULL pointer when there was none. False when *rest had a NULL pointer already: `while
 * (lst_slice_split(&rest, ',', &part))`.
 */
bool lst_slice_split(struct lst_slice *rest, char separator, struct lst_slice *ret_part);

/* Without the spaces and tabs at both ends. */
struct lst_slice lst_slice_trim(struct lst_slice slice);

/* The value of the first field of that name, in any case. NULL if there is none. */
struct lst_slice lst_field_value(const struct lst_field *fields, size_t count,
                                 struct lst_slice name);

/* Decimal digits and nothing else, at least one. False if not, or if the number is above maximum.
 */
bool lst_slice_to_number(struct lst_slice slice, uint64_t maximum, uint64_t *ret_number);

/* Well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. */
bool lst_slice_is_utf8(struct lst_slice slice);

/* Copy as a NUL-terminated string, to be freed. NULL if there is no memory. */
char *lst_slice_to_string(struct lst_slice slice);

#endif
