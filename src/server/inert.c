/* inert.c - nothing of a stranger's bytes acts on this origin. */
#include "server/inert.h"

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_token(struct lst_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (!is_token_char(text.bytes[i])) {
            return false;
        }
    }
    return text.length > 0;
}

static bool begins(struct lst_slice text, const char *prefix)
{
    return lst_slice_starts_with_ignoring_case(text, lst_slice_of(prefix));
}

bool lst_inert_type(struct lst_slice content_type)
{
    struct lst_slice type =
        lst_slice_trim(lst_slice_first(content_type, lst_slice_find(content_type, ';')));
    size_t slash = lst_slice_find(type, '/');
    struct lst_slice subtype = lst_slice_after(type, slash + 1);

    /* Of a list a browser takes the last that it can read. */
    if (lst_slice_find(content_type, ',') < content_type.length ||
        !is_token(lst_slice_first(type, slash)) || !is_token(subtype)) {
        return false;
    }
    if (begins(type, "image/")) {
        /* SVG by any name: a browser reads image/...+xml as XML. */
        return lst_slice_find_slice(subtype, LST_SLICE("xml")) == subtype.length &&
               !begins(subtype, "svg");
    }
    return begins(type, "audio/") || begins(type, "video/") || begins(type, "font/") ||
           lst_slice_equal_ignoring_case(type, LST_SLICE("text/plain")) ||
           lst_slice_equal_ignoring_case(type, LST_SLICE("application/json"));
}

void lst_inert_decorate(struct lst_http_response *response, bool is_apart)
{
    struct lst_slice type = {NULL, 0};
    bool has_policy = false;
    size_t at = 0;
    const char *name;
    const char *value;

    while (lst_http_response_next(response, &at, &name, &value)) {
        struct lst_slice slice = lst_slice_of(name);

        if (lst_slice_equal_ignoring_case(slice, LST_SLICE("Content-Type"))) {
            type = lst_slice_of(value);
        }
        has_policy |= lst_slice_equal_ignoring_case(slice, LST_SLICE("Content-Security-Policy"));
    }
    /* Of a 304 the browser has the headers already. An answer without a body runs nothing. */
    if (!is_apart && !has_policy && response->status != 304 && response->status != 204 &&
        !(type.bytes == NULL && response->kind == LST_BODY_BYTES && response->body.length == 0) &&
        !lst_inert_type(type)) {
        lst_http_response_add(response, "Content-Security-Policy", LST_SLICE("sandbox"));
    }
    lst_http_response_add(response, "X-Content-Type-Options", LST_SLICE("nosniff"));
}

bool lst_inert_is_apart(struct lst_slice host, const struct lst_slice *names, size_t count)
{
    struct lst_slice name = lst_slice_first(host, lst_slice_find(host, ':'));

    for (size_t i = 0; i < count && name.length > 0; i++) {
        if (lst_slice_equal_ignoring_case(name, names[i])) {
            return true;
        }
    }
    return false;
}
