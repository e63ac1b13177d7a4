/* signed_headers.c - the list of names in SignedHeaders, and what it covers. */
#include "signed_headers.h"
#include "scan.h"
#include "writer.h"

struct lst_internal_name_walk lst_internal_walk_signed(const struct lst_auth *auth)
{
    struct lst_internal_name_walk walk = {auth->signed_headers, auth->kind == LST_AUTH_QUERY,
                                          auth->signed_headers.length == 0};

    return walk;
}

/* The length of the separator that stands here: 1, 3, or 0 if there is none. */
static size_t separator_length(const struct lst_internal_name_walk *walk, size_t at)
{
    const char *here = walk->rest.bytes + at;

    if (*here == ';') {
        return 1;
    }
    return walk->in_url && walk->rest.length - at > 2 && here[0] == '%' && here[1] == '3' &&
                   (here[2] == 'B' || here[2] == 'b')
               ? 3
               : 0;
}

bool lst_internal_next_signed(struct lst_internal_name_walk *walk, struct lst_slice *ret_name)
{
    size_t length;
    size_t separator = 0;

    if (walk->done) {
        return false;
    }
    length = lst_internal_bare_run(walk->rest, LST_INTERNAL_UNRESERVED);
    while (length < walk->rest.length && (separator = separator_length(walk, length)) == 0) {
        length++;
    }
    *ret_name = lst_internal_first(walk->rest, length);
    walk->rest = lst_internal_skip(walk->rest, length + separator);
    walk->done = separator == 0;
    return true;
}

/* So that in a URL nothing but the separator is encoded. No header that is signed needs more. */
static bool is_header_name(struct lst_slice name)
{
    return name.length > 0 && lst_internal_all_of(name, LST_INTERNAL_SIGNED_NAME);
}

bool lst_internal_signed_are_valid(const struct lst_auth *auth)
{
    struct lst_slice seen[LST_SIGNED_HEADERS_MAX];
    struct lst_internal_name_walk walk = lst_internal_walk_signed(auth);
    struct lst_slice name;
    size_t count = 0;

    while (lst_internal_next_signed(&walk, &name)) {
        if (count == LST_SIGNED_HEADERS_MAX || !is_header_name(name)) {
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            if (lst_internal_equal(seen[i], name)) {
                return false;
            }
        }
        seen[count++] = name;
    }
    return count > 0;
}

bool lst_internal_is_signed(const struct lst_auth *auth, struct lst_slice name)
{
    struct lst_internal_name_walk walk = lst_internal_walk_signed(auth);
    struct lst_slice signed_name;

    while (lst_internal_next_signed(&walk, &signed_name)) {
        if (lst_internal_equal_ignoring_case(signed_name, name)) {
            return true;
        }
    }
    return false;
}

/* What AWS's own proxies add on the way to a presigned request, and no operation reads. */
static bool is_added_by_proxies(struct lst_slice name)
{
    static const char *const names[] = {"x-amz-cf-id", "x-amz-cf-pop", "x-amz-apigw-id"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (lst_internal_equal_ignoring_case(name, lst_slice_of(names[i]))) {
            return true;
        }
    }
    return false; /* x-amzn-trace-id does not begin with x-amz- */
}

bool lst_internal_must_be_signed(enum lst_auth_kind kind, struct lst_slice name)
{
    struct lst_slice prefix = LST_SLICE("x-amz-");

    return name.length > prefix.length && lst_internal_lower(name.bytes[0]) == 'x' &&
           lst_internal_equal_ignoring_case(lst_internal_first(name, prefix.length), prefix) &&
           !lst_internal_equal_ignoring_case(name, LST_SLICE("x-amz-content-sha256")) &&
           (kind != LST_AUTH_QUERY || !is_added_by_proxies(name));
}

static void put_unsigned_name(struct lst_internal_writer *writer, struct lst_slice name)
{
    size_t separator = writer->length > 0 ? 2 : 0;

    /* Whole names only: one that does not fit is left out, and a shorter one may follow. */
    if (name.length + separator <= writer->capacity - writer->length) {
        if (separator > 0) {
            lst_internal_put(writer, LST_SLICE(", "));
        }
        lst_internal_put_lower(writer, name);
    }
}

static bool came_before(const struct lst_request *request, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (lst_internal_equal_ignoring_case(request->headers[i].name,
                                             request->headers[index].name)) {
            return true;
        }
    }
    return false;
}

LST_PUBLIC void lst_headers_not_signed(const struct lst_request *request,
                                       const struct lst_auth *auth, char *out, size_t capacity,
                                       size_t *ret_length)
{
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity);

    if (!lst_internal_is_signed(auth, LST_SLICE("host"))) {
        put_unsigned_name(&writer, LST_SLICE("host"));
    }
    for (size_t i = 0; i < request->header_count; i++) {
        struct lst_slice name = request->headers[i].name;

        if (lst_internal_must_be_signed(auth->kind, name) && !lst_internal_is_signed(auth, name) &&
            !came_before(request, i)) {
            put_unsigned_name(&writer, name);
        }
    }
    *ret_length = writer.length;
}
