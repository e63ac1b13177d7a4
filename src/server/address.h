/*
 * address.h - network addresses: where to listen, who a peer is.
 */
#ifndef LST_SERVER_ADDRESS_H
#define LST_SERVER_ADDRESS_H

#include "access/network.h"

#include <netinet/in.h>
#include <sys/socket.h>

#define LST_ADDRESS_TEXT_MAX 64  /* bytes of an address as text with its NUL, scope id included */
#define LST_HOST_TEXT_MAX    256 /* bytes of a host name with its NUL */

/* An address as text, without port, IPv4-mapped addresses as IPv4; "-" if it is neither IPv4 nor
 * IPv6. Ends in NUL. */
void lst_address_format(const struct sockaddr *address, char ret_text[LST_ADDRESS_TEXT_MAX]);

/* The port of a socket address; 0 if it has none. */
unsigned lst_address_port(const struct sockaddr *address);

/*
 * Take "ADDR:PORT" apart: "127.0.0.1:9000", "[::1]:9000", "localhost:9000", ":9000" (every
 * interface), "9000" (a port of 127.0.0.1). ret_host is empty for every interface. False if it is
 * none of these.
 */
LST_MUST_CHECK bool lst_listen_parse(struct lst_slice text, char ret_host[LST_HOST_TEXT_MAX],
                                     uint16_t *ret_port);

#endif
