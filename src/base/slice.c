/* slice.c - questions about byte slices. */
#include "base/slice.h"

#include <stdlib.h>
#include <strings.h>

int lst_slice_compare(struct lst_slice a, struct lst_slice b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    int order = shorter == 0 ? 0 : memcmp(a.bytes, b.bytes, shorter);

    if (order != 0) {
        return order;
    }
    return a.length < b.length ? -1 : a.length > b.length ? 1 : 0;
}

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

bool lst_slice_starts_with_ignoring_case(struct lst_slice slice, struct lst_slice prefix)
{
    if (slice.length < prefix.length) {
        return false;
    }
    for (size_t i = 0; i < prefix.length; i++) {
        if (lower(slice.bytes[i]) != lower(prefix.bytes[i])) {
            return false;
        }
    }
    return true;
}

bool lst_slice_equal_ignoring_case(struct lst_slice a, struct lst_slice b)
{
    return a.length == b.length && lst_slice_starts_with_ignoring_case(a, b);
}

size_t lst_slice_find(struct lst_slice slice, char byte)
{
    const char *found = slice.length == 0 ? NULL : memchr(slice.bytes, byte, slice.length);

    return found == NULL ? slice.length : (size_t)(found - slice.bytes);
}

size_t lst_slice_find_slice(struct lst_slice slice, struct lst_slice other)
{
    const char *found;

    if (other.length == 0) {
        return 0;
    }
    found = slice.length == 0 ? NULL : memmem(slice.bytes, slice.length, other.bytes, other.length);
    return found == NULL ? slice.length : (size_t)(found - slice.bytes);
}

bool lst_slice_split(struct lst_slice *rest, char separator, struct lst_slice *ret_part)
{
    size_t end;

    if (rest->bytes == NULL) {
        return false;
    }
    end = lst_slice_find(*rest, separator);
    *ret_part = lst_slice_first(*rest, end);
    *rest = end == rest->length ? lst_slice_make(NULL, 0) : lst_slice_after(*rest, end + 1);
    return true;
}

struct lst_slice lst_slice_trim(struct lst_slice slice)
{
    while (slice.length > 0 && (slice.bytes[0] == ' ' || slice.bytes[0] == '\t')) {
        slice = lst_slice_after(slice, 1);
    }
    while (slice.length > 0 &&
           (slice.bytes[slice.length - 1] == ' ' || slice.bytes[slice.length - 1] == '\t')) {
        slice.length--;
    }
    return slice;
}

struct lst_slice lst_field_value(const struct lst_field *fields, size_t count,
                                 struct lst_slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (lst_slice_equal_ignoring_case(fields[i].name, name)) {
            return fields[i].value;
        }
    }
    return lst_slice_make(NULL, 0);
}

bool lst_slice_to_number(struct lst_slice slice, uint64_t maximum, uint64_t *ret_number)
{
    uint64_t number = 0;

    if (slice.length == 0) {
        return false;
    }
    for (size_t i = 0; i < slice.length; i++) {
        unsigned digit = (unsigned)(slice.bytes[i] - '0');
        if (digit > 9 || number > (UINT64_MAX - digit) / 10) {
            return false;
        }
        number = number * 10 + digit;
    }
    if (number > maximum) {
        return false;
    }
    *ret_number = number;
    return true;
}

/* How many bytes follow this first byte in UTF-8; -1 if none can begin with it. */
static int following(unsigned char first)
{
    if (first < 0x80) {
        return 0;
    }
    if (first >= 0xC2 && first <= 0xDF) {
        return 1;
    }
    if (first >= 0xE0 && first <= 0xEF) {
        return 2;
    }
    return first >= 0xF0 && first <= 0xF4 ? 3 : -1;
}

/* RFC 3629 section 4: the second byte is narrower after E0, ED, F0 and F4. */
static bool second_is_valid(unsigned char first, unsigned char second)
{
    unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;

    return second >= low && second <= high;
}

bool lst_slice_is_utf8(struct lst_slice slice)
{
    const unsigned char *bytes = (const unsigned char *)slice.bytes;

    for (size_t i = 0; i < slice.length;) {
        int more = following(bytes[i]);
        if (more < 0 || (size_t)more >= slice.length - i) {
            return false;
        }
        if (more > 0 && !second_is_valid(bytes[i], bytes[i + 1])) {
            return false;
        }
        for (int j = 2; j <= more; j++) {
            if ((bytes[i + (size_t)j] & 0xC0) != 0x80) {
                return false;
            }
        }
        i += (size_t)more + 1;
    }
    return true;
}

char *lst_slice_to_string(struct lst_slice slice)
{
    char *string = malloc(slice.length + 1);

    if (string != NULL) {
        if (slice.length > 0) {
            memcpy(string, slice.bytes, slice.length);
        }
        string[slice.length] = '\0';
    }
    return string;
}
