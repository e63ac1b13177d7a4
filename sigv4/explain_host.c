/* explain_host.c - near misses of the host, and of the side on which the bucket stands. */
#include "explain.h"

/* The host without its port. An IPv6 address stands in brackets. */
static struct lst_slice without_port(struct lst_slice host)
{
    size_t length = host.length;

    while (length > 0 && host.bytes[length - 1] >= '0' && host.bytes[length - 1] <= '9') {
        length--;
    }
    return length > 1 && length < host.length && host.bytes[length - 1] == ':'
               ? lst_internal_first(host, length - 1)
               : host;
}

/* One text after another, in the scratch memory; empty if there is no room. */
static struct lst_slice join(struct lst_internal_search *search, struct lst_slice a,
                             struct lst_slice b, struct lst_slice c)
{
    struct lst_internal_writer writer =
        lst_internal_writer_to(search->scratch, sizeof(search->scratch));

    lst_internal_put(&writer, a);
    lst_internal_put(&writer, b);
    lst_internal_put(&writer, c);
    return (struct lst_slice){search->scratch, writer.overflow ? 0 : writer.length};
}

static bool explain_one_host(struct lst_internal_search *search, struct lst_slice host)
{
    const struct lst_internal_variation variation = {.host = host};

    return !lst_internal_is_empty(host) && !lst_internal_equal(host, search->host) &&
           lst_internal_search_fits(search, &variation) &&
           lst_internal_search_found(
               search, LST_MISS_HOST,
               "The @ was signed for the host # but arrived at #: sign it for the name and port "
               "that the client calls, or tell the server its public URL.",
               (const struct lst_slice[]){host, search->host});
}

static bool explain_ports(struct lst_internal_search *search)
{
    const struct lst_slice none = {NULL, 0};
    struct lst_slice bare = without_port(search->host);

    if (bare.length < search->host.length) {
        return explain_one_host(search, bare);
    }
    return explain_one_host(search, join(search, bare, LST_SLICE(":443"), none)) ||
           explain_one_host(search, join(search, bare, LST_SLICE(":80"), none)) ||
           explain_one_host(search, join(search, bare, LST_SLICE(":9000"), none));
}

/* The two names of this machine. */
static bool explain_local(struct lst_internal_search *search)
{
    static const char *const names[] = {"localhost", "127.0.0.1"};
    struct lst_slice bare = without_port(search->host);
    struct lst_slice port = lst_internal_skip(search->host, bare.length);

    for (size_t i = 0; i < 2; i++) {
        struct lst_slice other = lst_slice_of(names[1 - i]);

        if (lst_internal_equal(bare, lst_slice_of(names[i])) &&
            explain_one_host(search, join(search, other, port, (struct lst_slice){NULL, 0}))) {
            return true;
        }
    }
    return false;
}

static bool explain_lower_case(struct lst_internal_search *search)
{
    struct lst_internal_writer writer =
        lst_internal_writer_to(search->scratch, sizeof(search->scratch));

    lst_internal_put_lower(&writer, search->host);
    return !writer.overflow &&
           explain_one_host(search, (struct lst_slice){search->scratch, writer.length});
}

bool lst_internal_explain_host(struct lst_internal_search *search)
{
    const struct lst_hints *hints = search->hints;

    for (size_t i = 0; i < hints->host_count && i < LST_INTERNAL_HINTS_MAX; i++) {
        if (explain_one_host(search, hints->hosts[i])) {
            return true;
        }
    }
    return explain_one_host(search, lst_internal_trim(lst_internal_search_header(
                                        search, LST_SLICE("x-forwarded-host")))) ||
           explain_one_host(
               search, lst_internal_trim(lst_internal_search_header(search, LST_SLICE("host")))) ||
           explain_ports(search) || explain_local(search) || explain_lower_case(search);
}

/* A guess of the signer's host and path. */
static bool explain_one_style(struct lst_internal_search *search, struct lst_slice host,
                              struct lst_slice path)
{
    const struct lst_internal_variation variation = {
        .host = host, .path = lst_internal_is_empty(path) ? LST_SLICE("/") : path};

    return !lst_internal_is_empty(host) && lst_internal_search_fits(search, &variation) &&
           lst_internal_search_found(
               search, LST_MISS_PATH_STYLE,
               "The @ was signed for host # and path # but arrived at host # with path #: sign "
               "and send in the same style, with the bucket either in the path or in the host.",
               (const struct lst_slice[]){host, variation.path, search->host, search->path});
}

/* Arrived in path style, with the bucket as the first segment of the path. */
static bool explain_signed_virtual(struct lst_internal_search *search)
{
    const struct lst_hints *hints = search->hints;
    struct lst_slice after = lst_internal_skip(search->path, search->path.length > 0 ? 1 : 0);
    struct lst_slice bucket = lst_internal_first(after, lst_internal_find(after, '/'));
    struct lst_slice rest = lst_internal_skip(after, bucket.length);

    if (bucket.length == 0) {
        return false;
    }
    if (explain_one_style(search, join(search, bucket, LST_SLICE("."), search->host), rest) ||
        explain_one_style(search, search->host, rest)) {
        return true;
    }
    for (size_t i = 0; i < hints->host_count && i < 2; i++) {
        if (explain_one_style(search, join(search, bucket, LST_SLICE("."), hints->hosts[i]),
                              rest)) {
            return true;
        }
    }
    return false;
}

/* Arrived in virtual-host style, with the bucket as the first label of the host. */
static bool explain_signed_path(struct lst_internal_search *search)
{
    struct lst_slice bucket = search->hints->bucket;
    size_t label = lst_internal_find(search->host, '.');
    struct lst_slice rest = lst_internal_skip(search->host, label);
    struct lst_slice first = lst_internal_first(search->host, label);

    /* A bucket's name may have dots in it. */
    if (bucket.length > 0 && bucket.length < search->host.length &&
        lst_internal_starts_with(search->host, bucket) &&
        search->host.bytes[bucket.length] == '.') {
        first = bucket;
        rest = lst_internal_skip(search->host, bucket.length);
    }
    if (rest.length > 1 && explain_one_style(search, lst_internal_skip(rest, 1),
                                             join(search, LST_SLICE("/"), first, search->path))) {
        return true;
    }
    bucket = bucket.length > 0 ? bucket : first;
    return explain_one_style(search, search->host,
                             join(search, LST_SLICE("/"), bucket, search->path));
}

bool lst_internal_explain_style(struct lst_internal_search *search)
{
    return explain_signed_virtual(search) || explain_signed_path(search);
}
