/*
 * cors.h - the CORS rules of a bucket: kept with it, and asked of every cross-origin request.
 *
 * "Using cross-origin resource sharing (CORS)" of the Amazon S3 User Guide: the first rule that
 * fits origin, method and all requested headers counts. A bucket without rules leaves the decision
 * to the server.
 */
#ifndef LST_S3_CORS_H
#define LST_S3_CORS_H

#include "http/request.h"
#include "http/response.h"
#include "s3/s3.h"

#define LST_CORS_RULES_MAX    100   /* of a bucket, as S3 */
#define LST_CORS_DOCUMENT_MAX 65536 /* bytes, as S3 */

struct lst_cors_question {
    struct lst_slice origin;
    struct lst_slice method;
    struct lst_slice headers; /* Access-Control-Request-Headers */
};

/* What the rule that fits says. */
struct lst_cors_rule {
    bool any_origin;           /* its AllowedOrigin is "*" */
    struct lst_buffer methods; /* "GET, PUT" */
    struct lst_buffer exposed; /* "ETag, x-amz-meta-a" */
    struct lst_buffer max_age; /* seconds; empty if it says nothing */
};

/* A CORSConfiguration document, parsed. Any thread may ask it. LST_ERR_MALFORMED, _NO_MEMORY. */
struct lst_cors_rules;
LST_MUST_CHECK int lst_cors_rules_parse(struct lst_slice document,
                                        struct lst_cors_rules **ret_rules);
void lst_cors_rules_free(struct lst_cors_rules *rules);

/* Find the rule that fits. ret_rule is to be released either way. LST_ERR_NOT_FOUND: none fits;
 * _NO_MEMORY. */
LST_MUST_CHECK int lst_cors_rules_match(const struct lst_cors_rules *rules,
                                        const struct lst_cors_question *question,
                                        struct lst_cors_rule *ret_rule);
void lst_cors_rule_release(struct lst_cors_rule *rule);

enum lst_cors_verdict {
    LST_CORS_NO_RULES,  /* the bucket has none, or no bucket is named */
    LST_CORS_NO_BUCKET, /* the one that is named is not there */
    LST_CORS_FORBIDDEN,
    LST_CORS_ALLOWED,
    LST_CORS_UNKNOWN, /* the rules can't be read or asked at the moment */
};

/*
 * What the bucket of a request says of it. ALLOWED: the headers that a browser asks for have been
 * added. Access-Control-Request-Method and -Headers count wherever they stand, as at S3; without
 * the first the request's own method does. Needs no signature, as a preflight has none. s3: NULL if
 * there are no buckets. Costs a look at the index, and nothing but that for a bucket without rules.
 */
enum lst_cors_verdict lst_s3_cors(const struct lst_s3 *s3, const struct lst_http_request *request,
                                  struct lst_http_response *response);

/* What a request is for, in S3's word for errors of CORS: "BUCKET" or "OBJECT". */
const char *lst_s3_cors_resource(const struct lst_s3 *s3, const struct lst_http_request *request);

/* A name that a header can have (RFC 9110 section 5.1); with a wildcard, if that is allowed. */
bool lst_cors_is_header_name(struct lst_slice name, bool may_have_wildcard);

#endif
