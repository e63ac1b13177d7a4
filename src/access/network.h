/* network.h - IP addresses and CIDR blocks, as aws:SourceIp compares them. */
#ifndef LST_ACCESS_NETWORK_H
#define LST_ACCESS_NETWORK_H

#include "base/slice.h"

/* Sixteen bytes in network order; an IPv4 address in its IPv4-mapped form (RFC 4291, 2.5.5.2), so
 * that both ways of writing one are the same. */
struct lst_address {
    uint8_t bytes[16];
};

struct lst_network {
    struct lst_address address;
    uint8_t bits; /* 0 to 128 */
};

/* "192.0.2.7", "2001:db8::7", "::ffff:192.0.2.7", "fe80::1%eth0" (only link-local addresses have a
 * zone). False if it is anything else. */
LST_MUST_CHECK bool lst_address_parse(struct lst_slice text, struct lst_address *ret_address);

/* An address, or an address and the number of its leading bits that count: "192.0.2.0/24". */
LST_MUST_CHECK bool lst_network_parse(struct lst_slice text, struct lst_network *ret_network);

bool lst_network_contains(const struct lst_network *network, const struct lst_address *address);

#endif
