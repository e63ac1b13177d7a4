/* media_type.c - media types, as Content-Type carries them. */
#include "http/media_type.h"

static bool is_token_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || (byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte));
}

static size_t token_length(struct lst_slice text)
{
    size_t length = 0;

    while (length < text.length && is_token_byte(text.bytes[length])) {
        length++;
    }
    return length;
}

bool lst_http_is_token(struct lst_slice text)
{
    return text.length > 0 && token_length(text) == text.length;
}

static struct lst_slice skip_blank(struct lst_slice text)
{
    while (text.length > 0 && (text.bytes[0] == ' ' || text.bytes[0] == '\t')) {
        text = lst_slice_after(text, 1);
    }
    return text;
}

/* The length of a quoted string at the front, both quotes included; 0 if it is none or has no end.
 */
static size_t quoted_length(struct lst_slice text)
{
    if (text.length == 0 || text.bytes[0] != '"') {
        return 0;
    }
    for (size_t i = 1; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.bytes[i];

        if (byte == '"') {
            return i + 1;
        }
        if (byte == '\\' && ++i < text.length) {
            byte = (unsigned char)text.bytes[i];
        }
        if ((byte < 0x20 && byte != '\t') || byte == 0x7F) {
            return 0;
        }
    }
    return 0;
}

/* Take one parameter off the front, from behind its semicolon. False if it is none. */
static bool take_parameter(struct lst_slice *rest)
{
    struct lst_slice text = skip_blank(*rest);
    size_t length = token_length(text);

    if (length > 0) {
        if (length == text.length || text.bytes[length] != '=') {
            return false;
        }
        text = lst_slice_after(text, length + 1);
        length = token_length(text);
        length = length > 0 ? length : quoted_length(text);
        if (length == 0) {
            return false;
        }
        text = lst_slice_after(text, length);
    }
    *rest = skip_blank(text);
    return true;
}

bool lst_media_type_parse(struct lst_slice text, struct lst_slice *ret_essence)
{
    struct lst_slice whole = lst_slice_trim(text);
    size_t slash = token_length(whole);
    struct lst_slice rest = lst_slice_after(whole, slash);
    struct lst_slice essence;

    if (slash == 0 || !lst_slice_starts_with(rest, LST_SLICE("/"))) {
        return false;
    }
    essence = lst_slice_first(whole, slash + 1 + token_length(lst_slice_after(rest, 1)));
    if (essence.length == slash + 1 || lst_slice_find(essence, '*') < essence.length) {
        return false;
    }
    rest = skip_blank(lst_slice_after(whole, essence.length));
    while (rest.length > 0) {
        if (rest.bytes[0] != ';') {
            return false;
        }
        rest = lst_slice_after(rest, 1);
        if (!take_parameter(&rest)) {
            return false;
        }
    }
    if (ret_essence != NULL) {
        *ret_essence = essence;
    }
    return true;
}

bool lst_media_range_is_valid(struct lst_slice text)
{
    size_t slash = lst_slice_find(text, '/');
    struct lst_slice type = lst_slice_first(text, slash);
    struct lst_slice subtype = lst_slice_after(text, slash + 1);
    struct lst_slice star = LST_SLICE("*");

    if (lst_slice_equal(subtype, star)) {
        return lst_slice_equal(type, star) ||
               (lst_http_is_token(type) && lst_slice_find(type, '*') == type.length);
    }
    return lst_http_is_token(type) && lst_http_is_token(subtype) &&
           lst_slice_find(text, '*') == text.length;
}

bool lst_media_range_has(struct lst_slice range, struct lst_slice essence)
{
    size_t slash = lst_slice_find(range, '/');

    if (!lst_slice_equal(lst_slice_after(range, slash + 1), LST_SLICE("*"))) {
        return lst_slice_equal_ignoring_case(range, essence);
    }
    return lst_slice_equal(lst_slice_first(range, slash), LST_SLICE("*")) ||
           (essence.length > slash + 1 &&
            lst_slice_starts_with_ignoring_case(essence, lst_slice_first(range, slash + 1)));
}
