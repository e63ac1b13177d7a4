/* claims.h - everything a request says about its authentication, found but not yet judged. */
#ifndef LST_SIGV4_CLAIMS_H
#define LST_SIGV4_CLAIMS_H

#include "text.h"

enum lst_internal_claim_name {
    LST_INTERNAL_CLAIM_ALGORITHM = 0,
    LST_INTERNAL_CLAIM_CREDENTIAL,
    LST_INTERNAL_CLAIM_DATE,
    LST_INTERNAL_CLAIM_EXPIRES,
    LST_INTERNAL_CLAIM_SIGNED_HEADERS,
    LST_INTERNAL_CLAIM_SIGNATURE,
    LST_INTERNAL_CLAIM_TOKEN,
    LST_INTERNAL_CLAIM_CONTENT_SHA256,
    LST_INTERNAL_CLAIM_V2_ACCESS_KEY_ID,
    LST_INTERNAL_CLAIM_V2_SIGNATURE,
    LST_INTERNAL_CLAIM_V2_EXPIRES,
    LST_INTERNAL_CLAIM_COUNT,
};

/* One thing that is said: its value as sent, and how many times. */
struct lst_internal_claim {
    struct lst_slice value; /* the first one */
    unsigned count;
};

struct lst_internal_claims {
    struct lst_internal_claim query[LST_INTERNAL_CLAIM_COUNT];
    size_t canonical_query_length;           /* see lst_internal_canonical_length() */
    struct lst_internal_claim authorization; /* the headers of these names */
    struct lst_internal_claim date;
    struct lst_internal_claim amz_date;
    struct lst_internal_claim amz_content_sha256;
    struct lst_internal_claim amz_security_token;
    struct lst_internal_claim credential; /* the components of the Authorization header */
    struct lst_internal_claim signed_headers;
    struct lst_internal_claim signature;
};

/* "X-Amz-Credential" */
struct lst_slice lst_internal_parameter_name(enum lst_internal_claim_name name);

/* Look through a query. LST_REFUSED_TOO_MANY_PARAMETERS. */
LST_MUST_CHECK int lst_internal_claims_of_query(struct lst_slice query,
                                                struct lst_internal_claims *claims);

void lst_internal_claims_of_headers(const struct lst_request *request,
                                    struct lst_internal_claims *claims);

/* Take an Authorization header apart, from behind its scheme: "Credential=..., ...". */
void lst_internal_claims_of_authorization(struct lst_slice components,
                                          struct lst_internal_claims *claims);

#endif
