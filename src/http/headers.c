/* headers.c - headers that come in several lines. */
#include "http/headers.h"

#include "base/error.h"

/* Besides all that begin with one_value_prefixes. */
static const char *const one_value[] = {
    "Access-Control-Request-Method",
    "Authorization",
    "Content-Disposition",
    "Content-Length",
    "Content-Location",
    "Content-MD5",
    "Content-Range",
    "Content-Type",
    "Date",
    "Expect",
    "Expires",
    "Host",
    "Idempotency-Key",
    "Origin",
    "Range",
    "Referer",
    "Transfer-Encoding",
    "User-Agent",
};

static const char *const one_value_prefixes[] = {"If-", "x-amz-", "x-latch-"};

/* But not these, which begin so. */
static const char *const lists[] = {"x-amz-object-attributes", "x-amz-optional-object-attributes"};

static bool is_one_of(struct lst_slice name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (lst_slice_equal_ignoring_case(name, lst_slice_make(names[i], strlen(names[i])))) {
            return true;
        }
    }
    return false;
}

bool lst_header_has_one_value(struct lst_slice name)
{
    if (is_one_of(name, lists, sizeof(lists) / sizeof(lists[0])) ||
        lst_slice_starts_with_ignoring_case(name, LST_SLICE("x-amz-meta-"))) {
        return false;
    }
    for (size_t i = 0; i < sizeof(one_value_prefixes) / sizeof(one_value_prefixes[0]); i++) {
        const char *prefix = one_value_prefixes[i];

        if (lst_slice_starts_with_ignoring_case(name, lst_slice_make(prefix, strlen(prefix)))) {
            return true;
        }
    }
    return is_one_of(name, one_value, sizeof(one_value) / sizeof(one_value[0]));
}

static bool are_one(const struct lst_field *a, const struct lst_field *b)
{
    return a->name.length == b->name.length && lst_slice_equal_ignoring_case(a->name, b->name);
}

/* Look for names that stand twice. True if there are any; *ret_repeated is the first that may not.
 */
static bool find_repeated(const struct lst_field *headers, size_t count,
                          struct lst_slice *ret_repeated)
{
    bool is_any = false;

    *ret_repeated = lst_slice_make(NULL, 0);
    for (size_t i = 1; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (!are_one(&headers[i], &headers[j])) {
                continue;
            }
            is_any = true;
            if (lst_header_has_one_value(headers[i].name)) {
                *ret_repeated = headers[i].name;
                return true;
            }
            break;
        }
    }
    return is_any;
}

static char *copy(char *to, struct lst_slice from)
{
    if (from.length > 0) {
        memcpy(to, from.bytes, from.length);
    }
    return to + from.length;
}

/* Append to headers[place] all its later lines, which are taken out. Gives the end of what was
 * written to `to`. */
static char *join_at(struct lst_field *headers, size_t place, size_t *count, char *to)
{
    char *begin = to;
    size_t kept = place + 1;

    for (size_t i = place + 1; i < *count; i++) {
        if (!are_one(&headers[place], &headers[i])) {
            headers[kept++] = headers[i];
            continue;
        }
        if (to == begin) {
            to = copy(to, headers[place].value);
        }
        *to++ = ',';
        to = copy(to, headers[i].value);
    }
    if (to != begin) {
        headers[place].value = lst_slice_make(begin, (size_t)(to - begin));
    }
    *count = kept;
    return to;
}

int lst_headers_join(struct lst_field *headers, size_t *count, struct lst_buffer *room,
                     struct lst_slice *ret_repeated)
{
    struct lst_slice repeated;
    size_t size = 0;
    char *to;

    if (!find_repeated(headers, *count, &repeated)) {
        return LST_OK;
    }
    if (repeated.length > 0) {
        *ret_repeated = repeated;
        return LST_ERR_EXISTS;
    }
    for (size_t i = 0; i < *count; i++) {
        size += headers[i].value.length + 1;
    }
    to = lst_buffer_reserve(room, size);
    if (to == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < *count; i++) {
        to = join_at(headers, i, count, to);
    }
    return LST_OK;
}
