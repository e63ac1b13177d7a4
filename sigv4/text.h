/*
 * text.h - slices, character classes, hexadecimal, base64 and decimal numbers.
 *
 * Nothing here allocates. Slices that are handed out point into those handed in.
 */
#ifndef LST_SIGV4_TEXT_H
#define LST_SIGV4_TEXT_H

#include "latchstring.h"

#include <string.h>

/* What a byte may be; a byte can be several of these. */
enum lst_internal_class {
    LST_INTERNAL_UNRESERVED = 1, /* A-Z a-z 0-9 - . _ ~: never percent-encoded (RFC 3986, 2.3) */
    LST_INTERNAL_PATH = 2,       /* these and '/' */
    LST_INTERNAL_TOKEN = 4,      /* may stand in a header's name or a method (RFC 9110, 5.6.2) */
    LST_INTERNAL_SPACE = 8,      /* space, \t \n \v \f \r: what SDKs fold in a header's value */
    LST_INTERNAL_SCOPE = 16, /* printable ASCII, but ',' and '/', which end a credential's part */
    LST_INTERNAL_SOLID = 32, /* all but SPACE */
    LST_INTERNAL_HOST = 64,  /* all but space, control, and what ends a host: / ? # @ \ */
    LST_INTERNAL_SIGNED_NAME = 128, /* a-z 0-9 - . _ ~: a name in SignedHeaders */
};

extern const uint8_t lst_internal_classes[256];
extern const int8_t lst_internal_hex_values[256];

static inline bool lst_internal_is(char byte, enum lst_internal_class class)
{
    return (lst_internal_classes[(unsigned char)byte] & class) != 0;
}

/* True if all of eight bytes are of the class: faster than one after another. */
static inline bool lst_internal_eight_are(const char *bytes, enum lst_internal_class class)
{
    const uint8_t *classes = lst_internal_classes;
    const unsigned char *at = (const unsigned char *)bytes;

    return (classes[at[0]] & classes[at[1]] & classes[at[2]] & classes[at[3]] & classes[at[4]] &
            classes[at[5]] & classes[at[6]] & classes[at[7]] & class) != 0;
}

/* True if every byte is of the class, also for the empty slice. */
bool lst_internal_all_of(struct lst_slice text, enum lst_internal_class class);

/* How many bytes at the front are no white space. */
size_t lst_internal_solid_run(struct lst_slice text);

/* Lower-case an ASCII letter; other bytes stay. */
static inline char lst_internal_lower(char letter)
{
    return (char)(letter >= 'A' && letter <= 'Z' ? letter + ('a' - 'A') : letter);
}

static inline bool lst_internal_is_empty(struct lst_slice text)
{
    return text.length == 0;
}

static inline bool lst_internal_equal(struct lst_slice a, struct lst_slice b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}

/* Equal but for the case of ASCII letters: header names. */
static inline bool lst_internal_equal_ignoring_case(struct lst_slice a, struct lst_slice b)
{
    if (a.length != b.length) {
        return false;
    }
    for (size_t i = 0; i < a.length; i++) {
        if (lst_internal_lower(a.bytes[i]) != lst_internal_lower(b.bytes[i])) {
            return false;
        }
    }
    return true;
}

/* The order of header names, in lower case: negative, 0 or positive. */
static inline int lst_internal_compare_names(struct lst_slice a, struct lst_slice b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;

    for (size_t i = 0; i < shorter; i++) {
        int difference = (unsigned char)lst_internal_lower(a.bytes[i]) -
                         (unsigned char)lst_internal_lower(b.bytes[i]);
        if (difference != 0) {
            return difference;
        }
    }
    return (a.length > b.length) - (a.length < b.length);
}

/* The text from `count` bytes on; count is at most its length. */
static inline struct lst_slice lst_internal_skip(struct lst_slice text, size_t count)
{
    struct lst_slice rest = {count == 0 ? text.bytes : text.bytes + count, text.length - count};

    return rest;
}

/* The first `count` bytes of the text; all of it if it is shorter. */
static inline struct lst_slice lst_internal_first(struct lst_slice text, size_t count)
{
    struct lst_slice start = {text.bytes, count < text.length ? count : text.length};

    return start;
}

static inline bool lst_internal_starts_with(struct lst_slice text, struct lst_slice prefix)
{
    return text.length >= prefix.length &&
           lst_internal_equal(lst_internal_first(text, prefix.length), prefix);
}

/* Where the byte first stands in the text; the text's length if it does not. */
static inline size_t lst_internal_find(struct lst_slice text, char byte)
{
    const char *found = text.length == 0 ? NULL : memchr(text.bytes, byte, text.length);

    return found == NULL ? text.length : (size_t)(found - text.bytes);
}

/* The text without white space at both ends. */
struct lst_slice lst_internal_trim(struct lst_slice text);

/* Lower-case hexadecimal; writes 2 * size bytes. */
void lst_internal_hex_encode(const uint8_t *restrict bytes, size_t size, char *restrict out);

/* The value of a hexadecimal digit in either case, or -1. */
static inline int lst_internal_hex_digit(char digit)
{
    return lst_internal_hex_values[(unsigned char)digit];
}

/* 64 lower-case hexadecimal digits. */
bool lst_internal_is_signature(struct lst_slice text);

/* The reverse of hex_encode, digits in either case. False unless the text is 2 * size digits. */
bool lst_internal_hex_decode(struct lst_slice text, uint8_t *out, size_t size);

/* Bytes of base64 text for `size` bytes of data, padding included. */
static inline size_t lst_internal_base64_length(size_t size)
{
    return (size + 2) / 3 * 4;
}

/* Standard base64 with padding (RFC 4648, 4); writes lst_internal_base64_length(size) bytes. */
void lst_internal_base64_encode(const uint8_t *bytes, size_t size, char *out);

/*
 * The reverse, strictly: padding must be there, nothing else may be. False if the text is not
 * base64 or the data does not fit the capacity. Three quarters of the text's length always fit.
 */
bool lst_internal_base64_decode(struct lst_slice text, uint8_t *out, size_t capacity,
                                size_t *ret_size);

/* True if two hexadecimal digits follow every '%'. */
bool lst_internal_escapes_are_valid(struct lst_slice text);

/* Digits only. False for the empty text, any other byte, or a number above UINT64_MAX. */
bool lst_internal_parse_decimal(struct lst_slice text, uint64_t *ret_value);

#endif
