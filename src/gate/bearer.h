/*
 * bearer.h - who calls the API: the holder of a token, or a user who signs.
 *
 * A token (RFC 6750: `Authorization: Bearer`) is one of tokens.h, or a client token that one of
 * them was used to make: lsc_<claims>.<mac>, for a browser or a phone. Nothing of a client token is
 * stored; the claims say whose it is, for which profile, with which variables and until when, and
 * it dies with its parent.
 */
#ifndef LST_GATE_BEARER_H
#define LST_GATE_BEARER_H

#include "gate/gate.h"
#include "gate/tokens.h"

#define LST_CLIENT_PREFIX        "lsc_"
#define LST_BEARER_ID_MAX        80
#define LST_CLIENT_TOKEN_MAX     4096 /* bytes of text */
#define LST_CLIENT_VARIABLES_MAX 2048 /* bytes of JSON */

struct lst_bearer {
    unsigned may; /* bits of enum lst_may */
    /* A token's id; of a client token, its parent's with a mark of its own; or "user:NAME". Whose
     * links, whose calls that are made again, whose allowance */
    char id[LST_BEARER_ID_MAX + 1];
    bool is_client;                            /* a client token: for the one profile */
    char profiles[LST_TOKEN_PROFILES_MAX + 1]; /* names with commas between them; empty: all */
    char *variables;            /* of a client token: a JSON object as text, in the order of its
                                 * names; else NULL. Owned */
    struct lst_token token;     /* not of a user who signed: then its id is empty */
    struct lst_passage passage; /* as whom it signs, for lst_gate_authorise() */
};

/*
 * Who is it? 0; LST_REFUSED_NOT_SIGNED: nobody; LST_REFUSED_TOKEN_INVALID: unknown, revoked or
 * malformed; LST_REFUSED_TOKEN_EXPIRED; LST_REFUSED_ACCESS_KEY_INACTIVE: the user for whom a token
 * signs can't; or, of a request that is signed, the codes of lst_gate_authenticate(). A user who
 * signs may upload and link, the root user everything. *ret_bearer is to be released if and only if
 * it is 0.
 */
LST_MUST_CHECK int lst_gate_bearer(struct lst_gate *gate, const struct lst_http_request *request,
                                   int64_t now, struct lst_bearer *ret_bearer);

/* The bearer of this client token, which did not come in a header: in a path, since there are
 * clients that can be told an address and nothing else. Refused as above. */
LST_MUST_CHECK int lst_gate_bearer_client(struct lst_gate *gate, struct lst_slice token,
                                          const struct lst_http_request *request, int64_t now,
                                          struct lst_bearer *ret_bearer);

/* The bearer who signs as this user, without any right to ask. LST_REFUSED_ACCESS_KEY_INACTIVE: the
 * user is gone, is disabled, or has no active key. Released as above. */
LST_MUST_CHECK int lst_gate_bearer_of_user(struct lst_gate *gate, struct lst_slice user,
                                           const struct lst_http_request *request, int64_t now,
                                           struct lst_bearer *ret_bearer);
/*
 * Whose access key is it? Writes the user's name, which ends in NUL. LST_ERR_USER_NOT_FOUND:
 * nobody's; others as lst_users_find().
 */
LST_MUST_CHECK int lst_gate_key_owner(struct lst_gate *gate, struct lst_slice access_key_id,
                                      char ret_name[LST_USER_NAME_MAX + 1]);

void lst_bearer_release(struct lst_bearer *bearer);

/* May it use the profile of this name? */
bool lst_bearer_may_use(const struct lst_bearer *bearer, struct lst_slice profile);

/*
 * The key with which it signs, for the day of `now`, this region and the service s3; and its access
 * key id, valid as long as the bearer. Errors of lst_key_init().
 */
LST_MUST_CHECK int lst_gate_bearer_key(struct lst_gate *gate, const struct lst_bearer *bearer,
                                       struct lst_slice region, int64_t now,
                                       struct lst_key *ret_key,
                                       struct lst_slice *ret_access_key_id);

/*
 * Count a request. LST_ERR_TOO_LARGE: more than options.api_rate a second, apart from a burst of
 * twice as many; *ret_seconds says when to come back. Bearers are told apart by their id; up to
 * 1,024 that ask at the same time, beyond that some share.
 */
LST_MUST_CHECK int lst_gate_bearer_take(struct lst_gate *gate, const struct lst_bearer *bearer,
                                        int64_t now_ms, unsigned *ret_seconds);

/* Make a client token. variables: a JSON object. The text is appended. LST_ERR_INVALID_ARGUMENT: it
 * is no token's bearer, or a client's; LST_ERR_TOO_LARGE: the variables; LST_ERR_NO_MEMORY. */
LST_MUST_CHECK int lst_bearer_delegate(const struct lst_bearer *bearer, struct lst_slice profile,
                                       const char *variables, int64_t expires,
                                       struct lst_buffer *out);

#endif
