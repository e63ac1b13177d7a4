/*
 * provider.h - where the bucket stands in a URL, as far as its host tells: in the host or in the
 * path, and at whose store.
 */
#ifndef LST_CLI_PROVIDER_H
#define LST_CLI_PROVIDER_H

#include "cli/link.h"

/* Slices point into the link, and are still encoded. */
struct lst_reading {
    const char *provider;          /* "Cloudflare R2"; NULL: the host is none that is known */
    struct lst_slice host_region;  /* as the host names it; empty if it does not */
    struct lst_slice bucket;       /* empty if there is none */
    struct lst_slice key;          /* empty if there is none */
    bool virtual_host;             /* the bucket stands in the host */
    bool certain;                  /* else the bucket may as well stand in the host: */
    struct lst_slice other_bucket; /* unless certain */
    struct lst_slice other_key;
};

/*
 * Read it. Providers are known by their host names. Of localhost, an address or a name without a
 * dot the bucket stands in the path; of any other host, which may be a store's own domain, both
 * readings are possible, and the one in the path is given first.
 */
void lst_reading_of(const struct lst_link *link, struct lst_reading *ret_reading);

#endif
