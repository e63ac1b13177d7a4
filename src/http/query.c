/* query.c - walking the parameters of a query, still encoded. */
#include "http/request.h"

bool lst_http_next_parameter(struct lst_slice *rest, struct lst_field *ret_raw)
{
    struct lst_slice pair;

    while (lst_slice_split(rest, '&', &pair)) {
        if (pair.length == 0) {
            continue;
        }
        size_t equals = lst_slice_find(pair, '=');
        ret_raw->name = lst_slice_first(pair, equals);
        ret_raw->value =
            equals == pair.length ? lst_slice_make(NULL, 0) : lst_slice_after(pair, equals + 1);
        return true;
    }
    return false;
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

/* The byte that the text begins with once decoded, and how many bytes it was written with. A '%'
 * that two hex digits do not follow stands for itself. */
static char decode_byte(struct lst_slice text, size_t *ret_taken)
{
    if (text.bytes[0] == '%' && text.length >= 3) {
        int high = hex_value(text.bytes[1]);
        int low = hex_value(text.bytes[2]);
        if (high >= 0 && low >= 0) {
            *ret_taken = 3;
            return (char)(high * 16 + low);
        }
    }
    *ret_taken = 1;
    return text.bytes[0];
}

static char lower(char letter)
{
    return (char)(letter >= 'A' && letter <= 'Z' ? letter + ('a' - 'A') : letter);
}

bool lst_http_name_starts_with(struct lst_slice raw, struct lst_slice prefix,
                               struct lst_slice *ret_rest)
{
    for (size_t i = 0; i < prefix.length; i++) {
        size_t taken;
        if (raw.length == 0 || lower(decode_byte(raw, &taken)) != lower(prefix.bytes[i])) {
            return false;
        }
        raw = lst_slice_after(raw, taken);
    }
    *ret_rest = raw;
    return true;
}

bool lst_http_name_is(struct lst_slice raw, struct lst_slice name)
{
    if (raw.length == name.length) {
        /* A name with an escape in it would have to be longer. */
        return lst_slice_equal(raw, name);
    }
    if (raw.length < name.length || raw.length > 3 * name.length) {
        return false;
    }
    for (size_t i = 0; i < name.length; i++) {
        size_t taken;
        if (raw.length == 0 || decode_byte(raw, &taken) != name.bytes[i]) {
            return false;
        }
        raw = lst_slice_after(raw, taken);
    }
    return raw.length == 0;
}

bool lst_http_find_parameter(const struct lst_http_request *request, struct lst_slice name,
                             struct lst_slice *ret_raw_value)
{
    struct lst_slice rest = request->query;
    struct lst_field raw;

    while (lst_http_next_parameter(&rest, &raw)) {
        if (lst_http_name_is(raw.name, name)) {
            if (ret_raw_value != NULL) {
                *ret_raw_value = raw.value;
            }
            return true;
        }
    }
    return false;
}
