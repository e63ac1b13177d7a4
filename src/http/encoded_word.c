/* encoded_word.c - the encoded words of RFC 2047. */
#include "http/encoded_word.h"

#include "base/encoding.h"

/* A word taken apart: =?charset?encoding?text?= */
struct word {
    struct lst_slice charset;
    char encoding; /* 'Q' or 'B' */
    struct lst_slice text;
};

/* ---- Writing */

bool lst_encoded_word_is_needed(struct lst_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.bytes[i];
        if ((byte < 0x20 && byte != '\t') || byte >= 0x7F) {
            return true;
        }
    }
    return false;
}

/* As Java counts, which S3 is written in: UTF-16 units, and line breaks are ASCII. */
static bool is_mostly_ascii(struct lst_slice text)
{
    size_t ascii = 0;
    size_t others = 0;

    for (size_t i = 0; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.bytes[i];
        bool is_white = byte == '\t' || byte == '\r' || byte == '\n';
        bool continues = byte >= 0x80 && byte < 0xC0;
        if (is_white || (byte >= 0x20 && byte < 0x7F)) {
            ascii++;
        } else if (!continues) {
            others += byte >= 0xF0 ? 2 : 1;
        }
    }
    return ascii > others;
}

static size_t write_quoted(struct lst_slice text, char *out)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t length = 0;

    for (size_t i = 0; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.bytes[i];
        if (byte == ' ') {
            out[length++] = '_';
        } else if (byte < 0x20 || byte >= 0x7F || byte == '=' || byte == '?' || byte == '_') {
            out[length++] = '=';
            out[length++] = digits[byte >> 4];
            out[length++] = digits[byte & 15];
        } else {
            out[length++] = (char)byte;
        }
    }
    return length;
}

size_t lst_encoded_word_write(struct lst_slice text, char *ret_word)
{
    bool is_quoted = is_mostly_ascii(text);
    struct lst_slice before = is_quoted ? LST_SLICE("=?UTF-8?Q?") : LST_SLICE("=?UTF-8?B?");
    struct lst_slice after = LST_SLICE("?=");
    size_t length = before.length;

    memcpy(ret_word, before.bytes, before.length);
    if (is_quoted) {
        length += write_quoted(text, ret_word + length);
    } else {
        lst_base64_encode(text.bytes, text.length, ret_word + length);
        length += LST_BASE64_LENGTH(text.length);
    }
    memcpy(ret_word + length, after.bytes, after.length);
    return length + after.length;
}

/* ---- Reading */

static bool read_word(struct lst_slice token, struct word *ret_word)
{
    struct lst_slice rest = lst_slice_after(token, 2);
    size_t end;

    if (token.length < sizeof("=?c?Q?") - 1 + 2 || !lst_slice_starts_with(token, LST_SLICE("=?")) ||
        memcmp(token.bytes + token.length - 2, "?=", 2) != 0) {
        return false;
    }
    end = lst_slice_find(rest, '?');
    ret_word->charset = lst_slice_first(rest, lst_slice_find(lst_slice_first(rest, end), '*'));
    rest = lst_slice_after(rest, end + 1);
    if (rest.length < 4 || rest.bytes[1] != '?') {
        return false;
    }
    ret_word->encoding = (char)(rest.bytes[0] & ~0x20);
    ret_word->text = lst_slice_make(rest.bytes + 2, rest.length - 4);
    return (ret_word->encoding == 'Q' || ret_word->encoding == 'B') &&
           lst_slice_find(ret_word->text, '?') == ret_word->text.length;
}

static bool decode_quoted(struct lst_slice text, char *out, size_t *ret_length)
{
    size_t length = 0;

    for (size_t i = 0; i < text.length; i++) {
        if (text.bytes[i] != '=') {
            out[length++] = text.bytes[i] == '_' ? ' ' : text.bytes[i];
        } else if (text.length - i > 2 &&
                   lst_hex_decode(lst_slice_make(text.bytes + i + 1, 2), out + length, 1)) {
            length++;
            i += 2;
        } else {
            return false;
        }
    }
    *ret_length = length;
    return true;
}

static bool decode_base64(struct lst_slice text, char *out, size_t *ret_length)
{
    size_t padding = 0;

    while (padding < 2 && padding < text.length && text.bytes[text.length - 1 - padding] == '=') {
        padding++;
    }
    if (text.length % 4 != 0) {
        return false;
    }
    *ret_length = text.length / 4 * 3 - padding;
    return lst_base64_decode(text, out, *ret_length);
}

/* The length of the well-formed character that UTF-8 text begins with; 0 if there is none. */
static size_t character_length(struct lst_slice text)
{
    for (size_t length = 1; length <= 4 && length <= text.length; length++) {
        if (lst_slice_is_utf8(lst_slice_first(text, length))) {
            return length;
        }
    }
    return 0;
}

/* Bytes of a character set, to UTF-8. At most three bytes come of one. False if it is unknown. */
static bool convert(struct lst_slice charset, struct lst_slice bytes, char *out, size_t *ret_length)
{
    bool is_utf8 = lst_slice_equal_ignoring_case(charset, LST_SLICE("UTF-8"));
    bool is_latin = lst_slice_equal_ignoring_case(charset, LST_SLICE("ISO-8859-1"));
    size_t length = 0;

    if (!is_utf8 && !is_latin && !lst_slice_equal_ignoring_case(charset, LST_SLICE("US-ASCII"))) {
        return false;
    }
    while (bytes.length > 0) {
        unsigned char byte = (unsigned char)bytes.bytes[0];
        size_t taken = 1;
        if (byte < 0x80) {
            out[length++] = (char)byte;
        } else if (is_latin) {
            out[length++] = (char)(0xC0 | byte >> 6);
            out[length++] = (char)(0x80 | (byte & 0x3F));
        } else if (is_utf8 && (taken = character_length(bytes)) > 0) {
            memcpy(out + length, bytes.bytes, taken);
            length += taken;
        } else {
            memcpy(out + length, "\xEF\xBF\xBD", 3);
            length += 3;
            taken = 1;
        }
        bytes = lst_slice_after(bytes, taken);
    }
    *ret_length = length;
    return true;
}

/* Decode one word to the end of the room, and convert it from there to its start: what is written
 * is never longer than three times what was read. */
static bool decode_word(struct lst_slice token, char *out, size_t *ret_length)
{
    struct word word;
    char *bytes = out + 2 * token.length;
    size_t length;

    return read_word(token, &word) &&
           (word.encoding == 'Q' ? decode_quoted(word.text, bytes, &length)
                                 : decode_base64(word.text, bytes, &length)) &&
           convert(word.charset, lst_slice_make(bytes, length), out, ret_length);
}

static bool is_white(char byte)
{
    return byte == ' ' || byte == '\t';
}

bool lst_encoded_words_decode(struct lst_slice value, char *ret_text, size_t *ret_length)
{
    struct lst_slice rest = value;
    size_t length = 0;
    bool was_word = false;
    bool is_any = false;

    while (rest.length > 0) {
        size_t white = 0;
        size_t end;
        size_t written = 0;
        while (white < rest.length && is_white(rest.bytes[white])) {
            white++;
        }
        for (end = white; end < rest.length && !is_white(rest.bytes[end]);) {
            end++;
        }
        struct lst_slice space = lst_slice_first(rest, white);
        struct lst_slice token = lst_slice_make(rest.bytes + white, end - white);
        bool is_word = decode_word(token, ret_text + length + (was_word ? 0 : white), &written);
        if (!is_word || !was_word) {
            memcpy(ret_text + length, space.bytes, space.length);
            length += space.length;
        }
        if (!is_word) {
            memcpy(ret_text + length, token.bytes, token.length);
            written = token.length;
        }
        length += written;
        was_word = is_word;
        is_any = is_any || is_word;
        rest = lst_slice_after(rest, end);
    }
    *ret_length = length;
    return is_any;
}
