/*
 * routes.h - from a request to the operation that it asks for.
 *
 * "Virtual hosting of buckets" of the Amazon S3 User Guide, and the request syntax of every action.
 * Pure: no allocation, nothing but the request is looked at.
 */
#ifndef LST_S3_ROUTES_H
#define LST_S3_ROUTES_H

#include "http/request.h"
#include "s3/operations.h"

/* What a request's host and path name, decoded. Empty slices where there is none. */
struct lst_target {
    enum lst_level level;
    struct lst_slice bucket;
    struct lst_slice key;
    bool is_virtual_host; /* the bucket was in the host name */
};

/*
 * Take the path apart. It is percent-decoded once; "//", "/./" and "/../" are part of the key.
 * host: with or without port; the bucket is what stands before one of the domains. scratch: room
 * for path.length bytes, which the target's slices point into. LST_ERR_MALFORMED: the path does
 * not begin with '/' or has a bad escape. LST_ERR_KEY_TOO_LONG, LST_ERR_KEY_NOT_UTF8.
 */
LST_MUST_CHECK int lst_target_decode(struct lst_slice path, struct lst_slice host,
                                     const struct lst_slice *domains, size_t domain_count,
                                     char *scratch, struct lst_target *ret_target);

enum lst_route_kind {
    LST_ROUTE_FOUND,
    LST_ROUTE_CONFLICT, /* two sub-resources at once: culprits has both, in the order of bytes */
    LST_ROUTE_METHOD,   /* the resource is there in S3, but not with this method: culprits[0] is
                         * the sub-resource, empty if there is none; of a part partNumber, and
                         * culprits[1] is uploadId */
    LST_ROUTE_REPEATED, /* culprits[0] is a parameter that stands twice */
    LST_ROUTE_UNKNOWN,  /* culprits[0] looks like a sub-resource, and is none of S3's */
};

struct lst_route {
    enum lst_route_kind kind;
    const struct lst_operation *operation; /* NULL unless FOUND */
    struct lst_slice culprits[2];
    size_t parameter_count; /* of the query */
};

/*
 * Find the operation. A query parameter is a sub-resource if a row of the table names it. Others
 * that S3 ignores are ignored, those that begin with "x-" first of all; but one without a value
 * that is not known is taken for a sub-resource of S3 that this table lacks, and never ignored.
 */
struct lst_route lst_route_find(const struct lst_http_request *request, enum lst_level level);

/*
 * An x-amz- option of a request: the header of that name or, in any case, a parameter of the query,
 * where SDKs put the headers of a URL that they presign. *ret_value is still encoded if
 * *ret_is_encoded.
 */
bool lst_option_find(const struct lst_http_request *request, struct lst_slice query,
                     struct lst_slice name, struct lst_slice *ret_value, bool *ret_is_encoded);

#endif
