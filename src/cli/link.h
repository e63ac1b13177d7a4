/* link.h - a URL taken apart: where it goes, and what its query says. */
#ifndef LST_CLI_LINK_H
#define LST_CLI_LINK_H

#include "latchstring.h"

#define LST_HOST_MAX 300 /* bytes: a DNS name of 253 and a port */

/* Slices point into the URL. */
struct lst_link {
    struct lst_slice scheme;     /* "https", in any case */
    char host[LST_HOST_MAX + 1]; /* as an HTTP client sends it: lower case, no default port */
    struct lst_slice target;     /* path and query; "/" if the URL has no path */
    struct lst_slice path;
    struct lst_slice query;
};

/*
 * Take "host:port" as an HTTP client sends it: in lower case, without the scheme's own port. False,
 * with the output unspecified, if it is not a host.
 */
LST_MUST_CHECK bool lst_host_take(struct lst_slice authority, bool https,
                                  char ret_host[LST_HOST_MAX + 1]);

/* False if the text is not an http or https URL with a host. A fragment is left away. */
LST_MUST_CHECK bool lst_link_parse(struct lst_slice url, struct lst_link *ret_link);

/* The value, still encoded, of the first query parameter of this name; a NULL pointer if there is
 * none. */
struct lst_slice lst_link_parameter(const struct lst_link *link, const char *name);

#endif
