/* host.c - the bucket that a host name names. */
#include "http/host.h"

/* A host name without its port; the brackets of an IPv6 address stay. */
static struct lst_slice without_port(struct lst_slice host)
{
    for (size_t i = host.length; i > 0; i--) {
        char byte = host.bytes[i - 1];
        if (byte == ':') {
            return lst_slice_first(host, i - 1);
        }
        if (byte < '0' || byte > '9') {
            break;
        }
    }
    return host;
}

struct lst_slice lst_host_bucket(struct lst_slice host, const struct lst_slice *domains,
                                 size_t domain_count)
{
    struct lst_slice name = without_port(host);
    struct lst_slice bucket = {NULL, 0};

    for (size_t i = 0; i < domain_count; i++) {
        struct lst_slice domain = domains[i];
        if (lst_slice_equal_ignoring_case(name, domain)) {
            return lst_slice_make(NULL, 0);
        }
        if (name.length < domain.length + 2) {
            continue;
        }
        size_t before = name.length - domain.length - 1;
        if (name.bytes[before] == '.' &&
            lst_slice_equal_ignoring_case(lst_slice_after(name, before + 1), domain) &&
            (bucket.bytes == NULL || before < bucket.length)) {
            bucket = lst_slice_first(name, before);
        }
    }
    return bucket;
}
