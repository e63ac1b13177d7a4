/* encoding.c - hexadecimal and base64. */
#include "base/encoding.h"

static const char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void lst_hex_encode(const void *bytes, size_t length, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *in = bytes;

    for (size_t i = 0; i < length; i++) {
        ret_text[2 * i] = digits[in[i] >> 4];
        ret_text[2 * i + 1] = digits[in[i] & 15];
    }
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    if (digit >= 'a' && digit <= 'f') {
        return digit - 'a' + 10;
    }
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

bool lst_hex_decode(struct lst_slice text, void *ret_bytes, size_t length)
{
    uint8_t *out = ret_bytes;

    if (text.length != 2 * length) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        int high = hex_value(text.bytes[2 * i]);
        int low = hex_value(text.bytes[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

void lst_base64_encode(const void *bytes, size_t length, char *ret_text)
{
    const uint8_t *in = bytes;

    for (size_t i = 0; i < length; i += 3) {
        uint32_t second = i + 1 < length ? in[i + 1] : 0;
        uint32_t third = i + 2 < length ? in[i + 2] : 0;
        uint32_t group = (uint32_t)in[i] << 16 | second << 8 | third;
        *ret_text++ = base64_alphabet[group >> 18];
        *ret_text++ = base64_alphabet[group >> 12 & 63];
        *ret_text++ = i + 1 < length ? base64_alphabet[group >> 6 & 63] : '=';
        *ret_text++ = i + 2 < length ? base64_alphabet[group & 63] : '=';
    }
}

static int base64_value(char character)
{
    const char *found =
        character == '\0' ? NULL : memchr(base64_alphabet, character, sizeof(base64_alphabet) - 1);

    return found == NULL ? -1 : (int)(found - base64_alphabet);
}

/* The next four characters as 24 bits; -1 if they are not base64. padding: how many '=' must end
 * them. */
static int32_t base64_group(const char *text, size_t padding)
{
    int32_t group = 0;

    for (size_t i = 0; i < 4; i++) {
        int value = base64_value(text[i]);
        if (i >= 4 - padding) {
            value = text[i] == '=' ? 0 : -1;
        }
        if (value < 0) {
            return -1;
        }
        group = group << 6 | value;
    }
    return group;
}

bool lst_base64_decode(struct lst_slice text, void *ret_bytes, size_t length)
{
    uint8_t *out = ret_bytes;

    if (text.length != LST_BASE64_LENGTH(length)) {
        return false;
    }
    for (size_t i = 0, at = 0; i < length; i += 3, at += 4) {
        size_t padding = length - i >= 3 ? 0 : 3 - (length - i);
        int32_t group = base64_group(text.bytes + at, padding);
        /* The bits that padding leaves over must be zero, so that each value has one text. */
        if (group < 0 || (group & ((1 << 8 * padding) - 1)) != 0) {
            return false;
        }
        for (size_t j = 0; j < 3 - padding; j++) {
            out[i + j] = (uint8_t)(group >> (16 - 8 * j));
        }
    }
    return true;
}

static char url_character(uint32_t value)
{
    return value == 62 ? '-' : value == 63 ? '_' : base64_alphabet[value];
}

static int url_value(char character)
{
    if (character == '-' || character == '_') {
        return character == '-' ? 62 : 63;
    }
    return character == '+' || character == '/' ? -1 : base64_value(character);
}

size_t lst_base64url_encode(const void *bytes, size_t length, char *ret_text)
{
    const uint8_t *in = bytes;
    uint32_t group = 0; /* its low bits wait to become characters */
    unsigned bits = 0;
    size_t count = 0;

    for (size_t i = 0; i < length; i++) {
        group = group << 8 | in[i];
        for (bits += 8; bits >= 6; bits -= 6) {
            ret_text[count++] = url_character(group >> (bits - 6) & 63);
        }
    }
    if (bits > 0) {
        ret_text[count++] = url_character(group << (6 - bits) & 63);
    }
    return count;
}

bool lst_base64url_decode(struct lst_slice text, void *ret_bytes, size_t *ret_length)
{
    uint8_t *out = ret_bytes;
    uint32_t group = 0;
    unsigned bits = 0;
    size_t count = 0;

    for (size_t i = 0; i < text.length; i++) {
        int value = url_value(text.bytes[i]);
        if (value < 0) {
            return false;
        }
        group = group << 6 | (uint32_t)value;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[count++] = (uint8_t)(group >> bits);
        }
    }
    *ret_length = count;
    /* What is left over must be zero, and less than a character, so that each value has one text.
     */
    return bits < 6 && (group & ((1U << bits) - 1)) == 0;
}
