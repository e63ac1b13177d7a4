/*
 * canonical.h - the canonical request, string to sign and signature of a request that was received.
 *
 * "Create a canonical request", Amazon S3 API Reference, Signature Version 4, with the rules that
 * S3 has of its own: the path is encoded once and never normalised.
 *
 * A variation changes single ingredients, for the search of near misses: what if the signer had
 * used another method, host, path ...? One code path serves the check and the search.
 */
#ifndef LST_SIGV4_CANONICAL_H
#define LST_SIGV4_CANONICAL_H

#include "writer.h"

enum lst_internal_path_form {
    LST_INTERNAL_PATH_ENCODED = 0, /* decoded, then encoded once: what S3 asks for */
    LST_INTERNAL_PATH_ENCODED_TWICE,
    LST_INTERNAL_PATH_DECODED, /* the bare bytes */
    LST_INTERNAL_PATH_AS_SENT,
};

enum lst_internal_change {
    LST_INTERNAL_CHANGE_NONE = 0,
    LST_INTERNAL_CHANGE_REMOVE,  /* every parameter of that name is left out */
    LST_INTERNAL_CHANGE_REPLACE, /* every parameter of that name has this value */
    LST_INTERNAL_CHANGE_ADD,
};

/* All zero: the request as it is. Empty slices change nothing. */
struct lst_internal_variation {
    struct lst_slice method;
    struct lst_slice host;
    struct lst_slice path; /* as it would be on the wire */
    enum lst_internal_path_form path_form;
    bool plus_is_plus;          /* '+' in the query is a plus sign, not a space */
    struct lst_field header;    /* this signed header, lower-case, has this value: "" for absent */
    struct lst_field parameter; /* name and value as they would be on the wire */
    enum lst_internal_change parameter_change;
    struct lst_slice payload_hash;
};

/*
 * Write the canonical request; an overflow shows in the writer. variation may be NULL.
 * LST_REFUSED_TOO_MANY_PARAMETERS.
 */
LST_MUST_CHECK int lst_internal_canonical_request(const struct lst_request *request,
                                                  const struct lst_auth *auth,
                                                  const struct lst_internal_variation *variation,
                                                  struct lst_internal_writer *writer);

/* Its SHA-256. */
LST_MUST_CHECK int lst_internal_canonical_hash(const struct lst_request *request,
                                               const struct lst_auth *auth,
                                               const struct lst_internal_variation *variation,
                                               uint8_t out[32]);

/* The string to sign for a canonical request with this hash. time: "20130524T000000Z". */
void lst_internal_put_string_to_sign(struct lst_internal_writer *writer, const char time[16],
                                     struct lst_slice scope, const uint8_t canonical_hash[32]);

/* "20130524/us-east-1/s3/aws4_request", as the request claims it. 118 bytes are always enough. */
void lst_internal_put_scope(struct lst_internal_writer *writer, const struct lst_auth *auth);

/*
 * The signature that the request should have. It is a secret until it is known to be the
 * request's own: wipe it. The scope is that of auth, whatever the key was derived for.
 * LST_ERR_INVALID_ARGUMENT if auth->time has no textual form; LST_REFUSED_TOO_MANY_PARAMETERS.
 */
LST_MUST_CHECK int lst_internal_signature(const struct lst_request *request,
                                          const struct lst_auth *auth,
                                          const struct lst_internal_variation *variation,
                                          const struct lst_key *key,
                                          char out[LST_SIGNATURE_LENGTH]);

#endif
