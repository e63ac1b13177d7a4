/* policy_json.c - read the JSON of a policy document without allocating. */
#include "policy_json.h"

static void skip_space(struct lst_slice *json)
{
    while (json->length > 0 && (json->bytes[0] == ' ' || json->bytes[0] == '\t' ||
                                json->bytes[0] == '\n' || json->bytes[0] == '\r')) {
        *json = lst_internal_skip(*json, 1);
    }
}

bool lst_internal_json_take(struct lst_slice *json, char token)
{
    skip_space(json);
    if (json->length == 0 || json->bytes[0] != token) {
        return false;
    }
    *json = lst_internal_skip(*json, 1);
    return true;
}

bool lst_internal_json_is_done(struct lst_slice json)
{
    skip_space(&json);
    return json.length == 0;
}

bool lst_internal_json_take_integer(struct lst_slice *json, uint64_t *ret_value)
{
    size_t length = 0;

    skip_space(json);
    while (length < json->length && json->bytes[length] >= '0' && json->bytes[length] <= '9') {
        length++;
    }
    if (length > 1 && json->bytes[0] == '0') {
        return false;
    }
    if (!lst_internal_parse_decimal(lst_internal_first(*json, length), ret_value)) {
        return false;
    }
    *json = lst_internal_skip(*json, length);
    return true;
}

/* The code unit of a \uXXXX at the start of the text, or -1. */
static int32_t code_unit(struct lst_slice text)
{
    int32_t unit = 0;

    if (text.length < 6 || text.bytes[0] != '\\' || text.bytes[1] != 'u') {
        return -1;
    }
    for (size_t i = 2; i < 6; i++) {
        int digit = lst_internal_hex_digit(text.bytes[i]);

        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

static bool is_high_surrogate(int32_t unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low_surrogate(int32_t unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

/* The byte that a short escape such as \n stands for, or -1. */
static int short_escape(char letter)
{
    static const char letters[] = "\"\\/bfnrtv$";
    static const char bytes[] = "\"\\/\b\f\n\r\t\v$";
    const char *found = letter == '\0' ? NULL : strchr(letters, letter);

    return found == NULL ? -1 : bytes[found - letters];
}

/* How many bytes the escape at the start of the text has; 0 if it is none that JSON knows. */
static size_t escape_length(struct lst_slice text)
{
    int32_t unit;

    if (text.length >= 2 && short_escape(text.bytes[1]) >= 0) {
        return 2;
    }
    unit = code_unit(text);
    if (unit < 0 || is_low_surrogate(unit)) {
        return 0;
    }
    if (!is_high_surrogate(unit)) {
        return 6;
    }
    return is_low_surrogate(code_unit(lst_internal_skip(text, 6))) ? 12 : 0;
}

bool lst_internal_json_take_string(struct lst_slice *json, struct lst_slice *ret_string)
{
    struct lst_slice start;
    struct lst_slice rest;

    if (!lst_internal_json_take(json, '"')) {
        return false;
    }
    start = *json;
    rest = *json;
    while (rest.length > 0 && rest.bytes[0] != '"') {
        size_t length = 1;

        if ((unsigned char)rest.bytes[0] < ' ') {
            return false;
        }
        if (rest.bytes[0] == '\\' && (length = escape_length(rest)) == 0) {
            return false;
        }
        rest = lst_internal_skip(rest, length);
    }
    if (rest.length == 0) {
        return false;
    }
    *ret_string = lst_internal_first(start, start.length - rest.length);
    *json = lst_internal_skip(rest, 1);
    return true;
}

/* Put a character's UTF-8 bytes where lst_internal_json_text_next() finds them. */
static void expand(struct lst_internal_json_text *text, uint32_t character)
{
    static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
    uint8_t count = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;

    for (size_t i = 1; i < count; i++) {
        text->pending[4 - i] = (unsigned char)(0x80 | (character & 0x3f));
        character >>= 6;
    }
    text->pending[4 - count] = (unsigned char)(marks[count] | character);
    text->pending_count = count;
}

int lst_internal_json_text_next(struct lst_internal_json_text *text)
{
    if (text->pending_count == 0) {
        size_t length = 1;

        if (text->string.length == 0) {
            return -1;
        }
        if (text->string.bytes[0] != '\\') {
            text->pending[3] = (unsigned char)text->string.bytes[0];
            text->pending_count = 1;
        } else if ((length = escape_length(text->string)) == 2) {
            text->pending[3] = (unsigned char)short_escape(text->string.bytes[1]);
            text->pending_count = 1;
        } else {
            uint32_t high = (uint32_t)code_unit(text->string);

            if (length == 12) {
                uint32_t low = (uint32_t)code_unit(lst_internal_skip(text->string, 6));

                high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            }
            expand(text, high);
        }
        text->string = lst_internal_skip(text->string, length);
    }
    return text->pending[4 - text->pending_count--];
}

bool lst_internal_json_text_is_prefix(struct lst_internal_json_text text, struct lst_slice value,
                                      bool fold, size_t *ret_length)
{
    size_t length = 0;
    int byte;

    while ((byte = lst_internal_json_text_next(&text)) >= 0) {
        char wanted = (char)byte;
        char found = length < value.length ? value.bytes[length] : '\0';

        if (length == value.length ||
            (fold ? lst_internal_lower(wanted) != lst_internal_lower(found) : wanted != found)) {
            return false;
        }
        length++;
    }
    *ret_length = length;
    return true;
}

bool lst_internal_json_text_equals(struct lst_internal_json_text text, struct lst_slice value,
                                   bool fold)
{
    size_t length;

    return lst_internal_json_text_is_prefix(text, value, fold, &length) && length == value.length;
}
