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

static bool ends_with(struct lst_slice text, struct lst_slice end)
{
    return text.length >= end.length &&
           lst_internal_equal_ignoring_case(lst_internal_skip(text, text.length - end.length), end);
}

bool lst_internal_is_inner_host(struct lst_slice host)
{
    static const char *const domains[] = {".local", ".internal", ".localhost", ".svc",
                                          ".lan",   ".intranet", ".home.arpa", ".docker",
                                          ".nomad", ".consul",   ".private",   ".localdomain"};
    struct lst_slice name = without_port(host);
    bool digits = true;

    for (size_t i = 0; i < name.length; i++) {
        digits = digits && ((name.bytes[i] >= '0' && name.bytes[i] <= '9') || name.bytes[i] == '.');
    }
    /* '_' stands in the names of a proxy's upstreams, and in no name of the internet. */
    if (digits || name.bytes[0] == '[' || lst_internal_find(name, '.') == name.length ||
        lst_internal_find(name, '_') < name.length) {
        return true;
    }
    for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
        if (ends_with(name, lst_slice_of(domains[i]))) {
            return true;
        }
    }
    return false;
}

/* What to do depends on the side that had the wrong name. */
static const char *host_pattern(struct lst_slice was_signed, struct lst_slice arrived)
{
    if (lst_internal_is_inner_host(arrived) && !lst_internal_is_inner_host(was_signed)) {
        return "The @ was signed for the host # but arrived with the Host #: let the proxy pass "
               "the client's Host on (nginx: proxy_set_header Host $http_host), or tell the server "
               "its public URL (--public-url).";
    }
    if (lst_internal_is_inner_host(was_signed) && !lst_internal_is_inner_host(arrived)) {
        return "The @ was signed for the host #, an inner name, but arrived at #: set the "
               "signer's endpoint to the URL that clients call.";
    }
    return "The @ was signed for the host # but arrived at #: sign it for the name and port that "
           "the client calls, or tell the server its public URL.";
}

static bool explain_one_host(struct lst_internal_search *search, struct lst_slice host)
{
    const struct lst_internal_variation variation = {.host = host};

    return !lst_internal_is_empty(host) && !lst_internal_equal(host, search->host) &&
           lst_internal_search_fits(search, &variation) &&
           lst_internal_search_found(search, LST_MISS_HOST, host_pattern(host, search->host),
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

static struct lst_slice unquoted(struct lst_slice text)
{
    bool quoted = text.length >= 2 && text.bytes[0] == '"' && text.bytes[text.length - 1] == '"';

    return quoted ? (struct lst_slice){text.bytes + 1, text.length - 2} : text;
}

/* The host of an element of Forwarded: "for=192.0.2.1;host=files.example.com;proto=https". */
static struct lst_slice host_in_forwarded(struct lst_slice element)
{
    static const struct lst_slice name = {"host=", 5};

    while (element.length > 0) {
        struct lst_slice pair = lst_internal_first(element, lst_internal_find(element, ';'));

        element = lst_internal_skip(element, pair.length + (pair.length < element.length ? 1 : 0));
        pair = lst_internal_trim(pair);
        if (pair.length > name.length &&
            lst_internal_equal_ignoring_case(lst_internal_first(pair, name.length), name)) {
            return unquoted(lst_internal_skip(pair, name.length));
        }
    }
    return (struct lst_slice){NULL, 0};
}

/* What a proxy wrote about the host that it was called by, with the port that it wrote. */
static bool explain_forwarded_one(struct lst_internal_search *search, struct lst_slice host)
{
    struct lst_slice port =
        lst_internal_trim(lst_internal_search_header(search, LST_SLICE("x-forwarded-port")));

    return explain_one_host(search, host) ||
           (host.length > 0 && port.length > 0 && without_port(host).length == host.length &&
            explain_one_host(search, join(search, host, LST_SLICE(":"), port)));
}

/*
 * Every proxy adds to these lists: the first and the last of each. They are not believed, wherever
 * they come from: a name that fits is what the signer signed for.
 */
static bool explain_forwarded(struct lst_internal_search *search)
{
    static const char *const headers[] = {"x-forwarded-host", "forwarded", "x-original-host",
                                          "x-host"};

    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        struct lst_slice list =
            lst_internal_trim(lst_internal_search_header(search, lst_slice_of(headers[i])));
        struct lst_slice first = lst_internal_first(list, lst_internal_find(list, ','));
        size_t at = list.length;
        struct lst_slice last;

        while (at > 0 && list.bytes[at - 1] != ',') {
            at--;
        }
        last = lst_internal_trim(lst_internal_skip(list, at));
        if (i == 1) {
            first = host_in_forwarded(first);
            last = host_in_forwarded(last);
        }
        if (explain_forwarded_one(search, lst_internal_trim(first)) ||
            (at > 0 && explain_forwarded_one(search, last))) {
            return true;
        }
    }
    return false;
}

/* Names that a store has inside: URLs are often signed there, and used outside. */
static bool explain_common(struct lst_internal_search *search)
{
    static const char *const hosts[] = {"localhost:9000", "127.0.0.1:9000", "minio:9000",
                                        "localhost", "127.0.0.1"};

    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        if (explain_one_host(search, lst_slice_of(hosts[i]))) {
            return true;
        }
    }
    return false;
}

/* An endpoint of AWS, with the bucket in the host or in the path as it arrived. */
static bool explain_one_of_aws(struct lst_internal_search *search, struct lst_slice endpoint)
{
    struct lst_slice after = lst_internal_skip(search->path, search->path.length > 0 ? 1 : 0);
    struct lst_slice bucket = lst_internal_first(after, lst_internal_find(after, '/'));
    struct lst_internal_variation variation = {.host = endpoint};
    bool fits = lst_internal_search_fits(search, &variation);

    if (!fits && bucket.length > 0) {
        variation.host = join(search, bucket, LST_SLICE("."), endpoint);
        variation.path = lst_internal_skip(after, bucket.length);
        fits = variation.host.length > 0 && variation.path.length > 0 &&
               lst_internal_search_fits(search, &variation);
    }
    return fits && lst_internal_search_found(
                       search, LST_MISS_ENDPOINT,
                       "The @ was signed for AWS, the host #, but arrived at #: set the signer's "
                       "endpoint to the URL of this server (endpoint_url in boto3, "
                       "AWS_ENDPOINT_URL in the environment).",
                       (const struct lst_slice[]){variation.host, search->host});
}

static bool explain_aws(struct lst_internal_search *search)
{
    char regional[LST_REGION_MAX + sizeof("s3..amazonaws.com")];
    struct lst_internal_writer writer = lst_internal_writer_to(regional, sizeof(regional));

    lst_internal_put(&writer, LST_SLICE("s3."));
    lst_internal_put(&writer, lst_slice_of(search->auth->region));
    lst_internal_put(&writer, LST_SLICE(".amazonaws.com"));
    return !ends_with(without_port(search->host), LST_SLICE(".amazonaws.com")) &&
           (explain_one_of_aws(search, LST_SLICE("s3.amazonaws.com")) ||
            explain_one_of_aws(search, (struct lst_slice){regional, writer.length}));
}

bool lst_internal_explain_host(struct lst_internal_search *search)
{
    const struct lst_hints *hints = search->hints;

    for (size_t i = 0; i < hints->host_count && i < LST_INTERNAL_HINTS_MAX; i++) {
        if (explain_one_host(search, hints->hosts[i])) {
            return true;
        }
    }
    return explain_forwarded(search) ||
           explain_one_host(
               search, lst_internal_trim(lst_internal_search_header(search, LST_SLICE("host")))) ||
           explain_ports(search) || explain_local(search) || explain_common(search) ||
           explain_aws(search) || explain_lower_case(search);
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

/* Hosts of the hints that are tried with a bucket before them. */
enum { STYLES_MAX = 4 };

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
    for (size_t i = 0; i < hints->host_count && i < STYLES_MAX; i++) {
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
    if (rest.length > 1 && explain_one_host(search, lst_internal_skip(rest, 1))) {
        return true; /* the bucket was put into the host, and left in the path */
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
