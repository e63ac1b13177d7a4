/*
 * forwarded.h - what proxies say of the client: X-Forwarded-For, -Proto and -Host, and Forwarded
 * (RFC 7239).
 *
 * One rule for all of them. Each proxy appends, so what stands at the right was written by the
 * nearest one, and anything further left may be the client's invention: they are read from the
 * right, all lines of a name as one list. What can't be read is not known; it never makes a value
 * further left count. If both families speak and differ, one of them came from the client: then it
 * is not known either.
 */
#ifndef LST_SERVER_FORWARDED_H
#define LST_SERVER_FORWARDED_H

#include "access/network.h"
#include "http/request.h"

#define LST_FORWARDED_HOPS_MAX 64 /* proxies in a row; a longer list can't be read */

/* For request->peer: an address that nobody knows. It is none, so no rule about addresses lets it
 * through. */
#define LST_PEER_UNKNOWN "unknown"

enum lst_forwarded_proto {
    LST_PROTO_NOT_SAID,
    LST_PROTO_PLAIN, /* or something that is neither http nor https, or two that differ */
    LST_PROTO_TLS,
};

struct lst_forwarded {
    struct lst_slice client; /* its address, without port; LST_PEER_UNKNOWN; empty: not said */
    enum lst_forwarded_proto proto;
    struct lst_slice host; /* empty: not said, or not a host */
};

/*
 * Read the headers of a request that a trusted proxy sent, in which every name stands once
 * (lst_headers_join()). The client is the rightmost address that is no trusted proxy; the leftmost
 * if all are. Protocol and host are the nearest proxy's word. Slices point into the request.
 */
void lst_forwarded_read(const struct lst_http_request *request, const struct lst_network *proxies,
                        size_t proxy_count, struct lst_forwarded *ret_forwarded);

#endif
