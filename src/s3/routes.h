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

/* The same of names that are known. LST_ERR_KEY_TOO_LONG, LST_ERR_KEY_NOT_UTF8. */
LST_MUST_CHECK int lst_target_of(struct lst_slice bucket, struct lst_slice key,
                                 struct lst_target *ret_target);

enum lst_route_kind {
    LST_ROUTE_FOUND,
    LST_ROUTE_CONFLICT, /* two sub-resources at once: sub_resources has both, in the order of bytes
                         */
    LST_ROUTE_METHOD,   /* the resource is there in S3, but not with this method: sub_resources[0]
                         * is the sub-resource, OTHER if there is none; of a part partNumber, and
                         * sub_resources[1] is uploadId */
    LST_ROUTE_REPEATED, /* a parameter stands twice: request->repeated */
    LST_ROUTE_UNKNOWN,  /* unknown looks like a sub-resource, and is none of S3's */
};

struct lst_route {
    enum lst_route_kind kind;
    const struct lst_operation *operation; /* NULL unless FOUND */
    enum lst_parameter sub_resources[2];   /* OTHER where there is none */
    struct lst_slice unknown;              /* decoded */
};

/*
 * Find the operation. A query parameter is a sub-resource if a row of the table names it. Others
 * that S3 ignores are ignored, those that begin with "x-" first of all; but one without a value
 * that is not known is taken for a sub-resource of S3 that this table lacks, and never ignored.
 */
struct lst_route lst_route_find(const struct lst_http_request *request, enum lst_level level);

/* True if it is taken for a sub-resource: a row of the table has it as its parameter. */
bool lst_route_is_sub_resource(enum lst_parameter number);

#endif
