/*
 * v2.h - checking Signature Version 2.
 *
 * "Signing and authenticating REST requests (AWS signature version 2)" of the Amazon S3 User Guide:
 * an HMAC-SHA1 of method, Content-MD5, Content-Type, Date or Expires, the x-amz- headers and the
 * resource.
 */
#ifndef LST_SIGV4_V2_H
#define LST_SIGV4_V2_H

#include "claims.h"
#include "query.h"

#define LST_INTERNAL_SHA1_SIZE           20
#define LST_INTERNAL_V2_SIGNATURE_LENGTH 28 /* base64 of that */

/*
 * Rules 2 and 5 of a request of LST_AUTH_V2_QUERY or _HEADER, as which auth->kind has it. Codes as
 * lst_parse().
 */
LST_MUST_CHECK int lst_internal_parse_v2(const struct lst_request *request,
                                         const struct lst_rules *rules, int64_t now,
                                         const struct lst_internal_claims *claims,
                                         struct lst_auth *auth);

/* Copy the access key id, perhaps encoded. LST_REFUSED_CREDENTIAL. */
LST_MUST_CHECK int lst_internal_take_access_key_id(struct lst_auth *auth, struct lst_slice text,
                                                   enum lst_internal_origin origin);

/* What a query parameter is to the signature. */
enum lst_internal_v2_role {
    LST_INTERNAL_V2_RESOURCE, /* part of the resource: all that is none of the others */
    LST_INTERNAL_V2_UNSIGNED, /* the signature's own, or one of a listing's */
    LST_INTERNAL_V2_HEADER,   /* a header that a presigned URL carries as a parameter */
};
enum lst_internal_v2_role lst_internal_v2_role(const struct lst_internal_parameter *parameter,
                                               enum lst_auth_kind kind);

#endif
