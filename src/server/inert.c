/* inert.c - nothing of a stranger's bytes acts on this origin. */
#include "server/inert.h"

#include "http/media_type.h"

static bool begins(struct lst_slice text, const char *prefix)
{
    return lst_slice_starts_with_ignoring_case(text, lst_slice_of(prefix));
}

/* "audio/x+xml" too: what ends so is XML to a browser, whatever stands in front of it ("MIME
 * Sniffing", WHATWG, section 4.6). */
static bool is_xml(struct lst_slice subtype)
{
    for (size_t i = 0; subtype.bytes != NULL && i < subtype.length; i++) {
        if ((subtype.bytes[i] | 0x20) == 'x' && begins(lst_slice_after(subtype, i), "xml")) {
            return true;
        }
    }
    return false;
}

bool lst_inert_type(struct lst_slice content_type)
{
    struct lst_slice type;
    struct lst_slice subtype;

    if (!lst_media_type_parse(content_type, &type)) {
        return false;
    }
    subtype = lst_slice_after(type, lst_slice_find(type, '/') + 1);
    if (begins(subtype, "svg") || is_xml(subtype)) {
        return false;
    }
    return begins(type, "image/") || begins(type, "audio/") || begins(type, "video/") ||
           begins(type, "font/") || lst_slice_equal_ignoring_case(type, LST_SLICE("text/plain")) ||
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
