/* signed_headers.h - the list of names in SignedHeaders, and what it covers. */
#ifndef LST_SIGV4_SIGNED_HEADERS_H
#define LST_SIGV4_SIGNED_HEADERS_H

#include "text.h"

/* A walk over the names, which are parted by ';', in a URL also by "%3B". */
struct lst_internal_name_walk {
    struct lst_slice rest;
    bool in_url;
    bool done;
};

struct lst_internal_name_walk lst_internal_walk_signed(const struct lst_auth *auth);

/* The next name; false after the last. It points into the request. */
bool lst_internal_next_signed(struct lst_internal_name_walk *walk, struct lst_slice *ret_name);

/*
 * Names of lower-case letters, digits and - . _ ~, each once, at most LST_SIGNED_HEADERS_MAX. Their
 * order is the signer's.
 */
bool lst_internal_signed_are_valid(const struct lst_auth *auth);

/* True if the header of this name, in any case, is signed. */
bool lst_internal_is_signed(const struct lst_auth *auth, struct lst_slice name);

/*
 * True if rule 6 asks for this header to be signed: every x-amz-* but x-amz-content-sha256, which
 * is signed as the last line of the canonical request, or held against the body (lst_parse()). Of
 * presigned requests also those that AWS's proxies add: x-amz-cf-id, x-amz-cf-pop, x-amz-apigw-id.
 */
bool lst_internal_must_be_signed(enum lst_auth_kind kind, struct lst_slice name);

#endif
