/* query.c - walking the parameters of a query, still encoded. */
#include "http/request.h"

bool lst_http_next_parameter(struct lst_slice *rest, struct lst_field *ret_raw)
{
    while (rest->length > 0) {
        const char *start = rest->bytes;
        const char *end = memchr(start, '&', rest->length);
        size_t length = end == NULL ? rest->length : (size_t)(end - start);
        const char *equals = memchr(start, '=', length);
        size_t name = equals == NULL ? length : (size_t)(equals - start);

        rest->bytes += end == NULL ? length : length + 1;
        rest->length -= end == NULL ? length : length + 1;
        if (length > 0) {
            ret_raw->name = lst_slice_make(start, name);
            ret_raw->value = equals == NULL ? lst_slice_make(NULL, 0)
                                            : lst_slice_make(equals + 1, length - name - 1);
            return true;
        }
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

/* The byte that stands at *at once it is decoded; *at moves on. A '%' that two hex digits do not
 * follow stands for itself. */
static char take_byte(struct lst_slice text, size_t *at)
{
    char byte = text.bytes[(*at)++];

    if (byte == '%' && text.length - *at >= 2) {
        int high = hex_value(text.bytes[*at]);
        int low = hex_value(text.bytes[*at + 1]);
        if (high >= 0 && low >= 0) {
            *at += 2;
            return (char)(high * 16 + low);
        }
    }
    return byte;
}

static char lower(char letter)
{
    return (char)(letter >= 'A' && letter <= 'Z' ? letter + ('a' - 'A') : letter);
}

bool lst_http_name_starts_with(struct lst_slice raw, struct lst_slice prefix,
                               struct lst_slice *ret_rest)
{
    size_t at = 0;

    for (size_t i = 0; i < prefix.length; i++) {
        if (at == raw.length || lower(take_byte(raw, &at)) != lower(prefix.bytes[i])) {
            return false;
        }
    }
    *ret_rest = lst_slice_after(raw, at);
    return true;
}

bool lst_http_name_is(struct lst_slice raw, struct lst_slice name)
{
    size_t at = 0;

    if (raw.length == name.length) {
        /* A name with an escape in it would have to be longer. */
        return lst_slice_equal(raw, name);
    }
    if (raw.length < name.length || raw.length > 3 * name.length) {
        return false;
    }
    for (size_t i = 0; i < name.length; i++) {
        if (at == raw.length || take_byte(raw, &at) != name.bytes[i]) {
            return false;
        }
    }
    return at == raw.length;
}

static bool has_escape(struct lst_slice raw)
{
    return lst_slice_find(raw, '%') < raw.length;
}

/* Without an escape in either, they have as many bytes if they are one. */
static bool are_one_name(struct lst_slice a, struct lst_slice b, bool may_have_escape)
{
    size_t at_a = 0;
    size_t at_b = 0;

    if (a.length == b.length && lst_slice_equal_ignoring_case(a, b)) {
        return true;
    }
    if (!may_have_escape) {
        return false;
    }
    while (at_a < a.length && at_b < b.length) {
        if (lower(take_byte(a, &at_a)) != lower(take_byte(b, &at_b))) {
            return false;
        }
    }
    return at_a == a.length && at_b == b.length;
}

bool lst_http_find_repeated_parameter(const struct lst_http_request *request,
                                      struct lst_slice *ret_raw_name)
{
    struct lst_slice names[LST_PARAMETERS_MAX];
    struct lst_slice rest = request->query;
    struct lst_field raw;
    bool has_escapes = false;
    size_t count = 0;

    while (lst_http_next_parameter(&rest, &raw)) {
        has_escapes |= has_escape(raw.name);
        for (size_t i = 0; i < count; i++) {
            if (are_one_name(names[i], raw.name, has_escapes)) {
                *ret_raw_name = raw.name;
                return true;
            }
        }
        if (count == LST_PARAMETERS_MAX) {
            *ret_raw_name = raw.name;
            return true;
        }
        names[count++] = raw.name;
    }
    return false;
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
