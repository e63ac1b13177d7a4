/* text.c - slices, character classes, hexadecimal, base64 and decimal numbers. */
#include "text.h"

#include <string.h>

/* One row for each 16 bytes; the bits are those of enum lst_internal_class. */
const uint8_t lst_internal_classes[256] = {
    0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x08, 0x08, 0x08, 0x08, 0x08, 0x20, 0x20,
    0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20,
    0x08, 0x74, 0x70, 0x34, 0x74, 0x74, 0x74, 0x74, 0x70, 0x70, 0x74, 0x74, 0x60, 0xf7, 0xf7, 0x22,
    0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0x70, 0x70, 0x70, 0x70, 0x70, 0x30,
    0x30, 0x77, 0x77, 0x77, 0x77, 0x77, 0x77, 0x77, 0x77, 0x77, 0x77, 0x77, 0x77, 0x77, 0x77, 0x77,
    0x77, 0x77, 0x77, 0x77, 0x77, 0x77, 0x77, 0x77, 0x77, 0x77, 0x77, 0x70, 0x30, 0x70, 0x74, 0xf7,
    0x74, 0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0xf7,
    0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0xf7, 0x70, 0x74, 0x70, 0xf7, 0x20,
    0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60,
    0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60,
    0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60,
    0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60,
    0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60,
    0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60,
    0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60,
    0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60,
};

const int8_t lst_internal_hex_values[256] = {
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  -1, -1, -1, -1, -1, -1, -1, 10, 11, 12, 13, 14, 15, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, 10, 11, 12, 13, 14, 15, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
};

static const char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

LST_PUBLIC struct lst_slice lst_slice_of(const char *string)
{
    struct lst_slice slice = {string, string == NULL ? 0 : strlen(string)};

    return slice;
}

LST_PUBLIC void lst_wipe(void *memory, size_t size)
{
    if (size > 0) {
        explicit_bzero(memory, size);
    }
}

LST_PUBLIC bool lst_equal_secret(struct lst_slice a, struct lst_slice b)
{
    unsigned char difference = 0;

    if (a.length != b.length) {
        return false;
    }
    for (size_t i = 0; i < a.length; i++) {
        difference |= (unsigned char)(a.bytes[i] ^ b.bytes[i]);
    }
    return difference == 0;
}

bool lst_internal_all_of(struct lst_slice text, enum lst_internal_class class)
{
    while (text.length >= 8) {
        if (!lst_internal_eight_are(text.bytes, class)) {
            return false;
        }
        text = lst_internal_skip(text, 8);
    }
    for (size_t i = 0; i < text.length; i++) {
        if (!lst_internal_is(text.bytes[i], class)) {
            return false;
        }
    }
    return true;
}

size_t lst_internal_solid_run(struct lst_slice text)
{
    size_t run = 0;

    while (text.length - run >= 8 && lst_internal_eight_are(text.bytes + run, LST_INTERNAL_SOLID)) {
        run += 8;
    }
    while (run < text.length && lst_internal_is(text.bytes[run], LST_INTERNAL_SOLID)) {
        run++;
    }
    return run;
}

struct lst_slice lst_internal_trim(struct lst_slice text)
{
    while (text.length > 0 && lst_internal_is(text.bytes[0], LST_INTERNAL_SPACE)) {
        text = lst_internal_skip(text, 1);
    }
    while (text.length > 0 && lst_internal_is(text.bytes[text.length - 1], LST_INTERNAL_SPACE)) {
        text.length--;
    }
    return text;
}

/* Without a table or a branch, so that the time taken tells nothing about a secret. */
static char lower_digit(uint8_t value)
{
    return (char)(value + '0' + (value > 9 ? 'a' - '0' - 10 : 0));
}

void lst_internal_hex_encode(const uint8_t *restrict bytes, size_t size, char *restrict out)
{
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = lower_digit(bytes[i] >> 4);
        out[2 * i + 1] = lower_digit(bytes[i] & 15);
    }
}

bool lst_internal_is_signature(struct lst_slice text)
{
    unsigned wrong = 0;

    if (text.length != LST_SIGNATURE_LENGTH) {
        return false;
    }
    for (size_t i = 0; i < LST_SIGNATURE_LENGTH; i++) {
        uint8_t byte = (uint8_t)text.bytes[i];

        wrong |= (uint8_t)(byte - '0') > 9 && (uint8_t)(byte - 'a') > 5;
    }
    return wrong == 0;
}

bool lst_internal_hex_decode(struct lst_slice text, uint8_t *out, size_t size)
{
    if (text.length != 2 * size) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        int high = lst_internal_hex_digit(text.bytes[2 * i]);
        int low = lst_internal_hex_digit(text.bytes[2 * i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

void lst_internal_base64_encode(const uint8_t *bytes, size_t size, char *out)
{
    while (size > 0) {
        uint32_t group = (uint32_t)bytes[0] << 16;

        group |= size > 1 ? (uint32_t)bytes[1] << 8 : 0;
        group |= size > 2 ? (uint32_t)bytes[2] : 0;
        out[0] = base64_alphabet[group >> 18];
        out[1] = base64_alphabet[(group >> 12) & 63];
        out[2] = '=';
        out[3] = '=';
        if (size > 1) {
            out[2] = base64_alphabet[(group >> 6) & 63];
        }
        if (size > 2) {
            out[3] = base64_alphabet[group & 63];
        }
        out += 4;
        bytes += size < 3 ? size : 3;
        size -= size < 3 ? size : 3;
    }
}

static int base64_digit(char digit)
{
    if (digit >= 'A' && digit <= 'Z') {
        return digit - 'A';
    }
    if (digit >= 'a' && digit <= 'z') {
        return digit - 'a' + 26;
    }
    if (digit >= '0' && digit <= '9') {
        return digit - '0' + 52;
    }
    if (digit == '+') {
        return 62;
    }
    return digit == '/' ? 63 : -1;
}

/* Decode one group of four; gives how many bytes it holds, or 0 if it is malformed. */
static size_t base64_group(const char *text, bool last, uint8_t out[3])
{
    size_t digits = last && text[3] == '=' ? (text[2] == '=' ? 2 : 3) : 4;
    uint32_t group = 0;

    for (size_t i = 0; i < 4; i++) {
        int digit = i < digits ? base64_digit(text[i]) : 0;

        if (digit < 0) {
            return 0;
        }
        group = group << 6 | (uint32_t)digit;
    }
    out[0] = (uint8_t)(group >> 16);
    out[1] = (uint8_t)(group >> 8);
    out[2] = (uint8_t)group;
    /* The bits that padding leaves over must be zero, so that a text has one decoding only. */
    if ((digits == 2 && (group & 0xffff) != 0) || (digits == 3 && (group & 0xff) != 0)) {
        return 0;
    }
    return digits - 1;
}

bool lst_internal_base64_decode(struct lst_slice text, uint8_t *out, size_t capacity,
                                size_t *ret_size)
{
    size_t size = 0;

    if (text.length % 4 != 0) {
        return false;
    }
    for (size_t i = 0; i < text.length; i += 4) {
        uint8_t group[3];
        size_t count = base64_group(text.bytes + i, i + 4 == text.length, group);

        if (count == 0 || count > capacity - size) {
            return false;
        }
        memcpy(out + size, group, count);
        size += count;
    }
    *ret_size = size;
    return true;
}

bool lst_internal_escapes_are_valid(struct lst_slice text)
{
    size_t at = lst_internal_find(text, '%');

    while (at < text.length) {
        text = lst_internal_skip(text, at);
        if (text.length < 3 || lst_internal_hex_digit(text.bytes[1]) < 0 ||
            lst_internal_hex_digit(text.bytes[2]) < 0) {
            return false;
        }
        text = lst_internal_skip(text, 3);
        at = lst_internal_find(text, '%');
    }
    return true;
}

bool lst_internal_parse_decimal(struct lst_slice text, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (text.length == 0) {
        return false;
    }
    for (size_t i = 0; i < text.length; i++) {
        unsigned digit = (unsigned)(unsigned char)text.bytes[i] - '0';

        if (digit > 9 || value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *ret_value = value;
    return true;
}
