/*
 * strangers.h - how often an address may send requests that carry no signature and no token.
 *
 * A signer is known, and can be stopped by name. Everybody else is an address: one that
 * guesses short links or passwords, or sends preflights and anonymous requests for the sake of the
 * load. It gets `rate` requests a second, apart from a burst of twice as many.
 *
 * An IPv6 address counts by its first 64 bits, since one household has as many of the rest as it
 * likes. Loopback addresses are not counted: behind a proxy that is not named as a trusted one, all
 * the world has that address.
 *
 * Memory is bounded: 4,096 addresses in sets of 8. In a full set the one that has been quiet
 * longest makes room, so a stranger with very many addresses gets more; a firewall's work begins
 * there.
 *
 * Threads: any.
 */
#ifndef LST_SERVER_STRANGERS_H
#define LST_SERVER_STRANGERS_H

#include "http/request.h"

struct lst_strangers;

/* rate: requests a second of one address; 0: any number. NULL: no memory. */
struct lst_strangers *lst_strangers_new(uint64_t rate);
void lst_strangers_free(struct lst_strangers *strangers); /* NULL does nothing */

/* Of an address: a number that is the same for all addresses that count as one, and 0 for those
 * that are not counted. */
uint64_t lst_strangers_network(struct lst_slice address);

/* Whether the request carries something that says who sent it: a signature or a token in the query
 * or in a header, right or wrong. Nobody looks at it in a preflight or on the path of a short link:
 * the caller sees to these, and to tokens in paths. */
bool lst_strangers_is_signed(const struct lst_http_request *request);

/* Whether it is a POST form, as S3 has them: the signature is in the body. */
bool lst_strangers_is_form(const struct lst_http_request *request);

/* Count a request of this address (request->peer). False: it is one too many. */
LST_MUST_CHECK bool lst_strangers_take(struct lst_strangers *strangers, struct lst_slice peer,
                                       int64_t now_ms);

#endif
