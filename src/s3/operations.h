/*
 * operations.h - every operation of S3 as a row of one table: how a request asks for it, what it
 * needs permission for, what it takes and heeds, and who carries it out.
 *
 * Whatever depends on which operation it is stands in its row. No code compares the functions or
 * the names of operations.
 *
 * From the "Actions" of the Amazon S3 API Reference. An operation without run() is known and not
 * implemented: it is answered with 501 and its name, never with the answer to another operation.
 */
#ifndef LST_S3_OPERATIONS_H
#define LST_S3_OPERATIONS_H

#include "access/constraints.h"
#include "access/policy.h"
#include "http/names.h"

struct lst_s3_exchange;

/* What the path names. */
enum lst_level {
    LST_LEVEL_SERVICE, /* "/" */
    LST_LEVEL_BUCKET,  /* "/bucket" */
    LST_LEVEL_OBJECT,  /* "/bucket/key" */
};

/* What an operation does with the body of its request. */
enum lst_operation_body {
    LST_TAKES_NOTHING = 0,
    LST_TAKES_DOCUMENT, /* XML, which is read once it is whole */
    LST_TAKES_STREAM,   /* bytes of an object, as they come; they may be signed in chunks and end in
                         * trailers */
    LST_TAKES_FORM,     /* a form of a browser, whose fields carry the signature */
};

/* Options that change what is done, and so are refused where they are not heeded: bits. */
enum {
    LST_HEEDS_VERSION = 1u << 0,         /* versionId */
    LST_HEEDS_COPY_SOURCE = 1u << 1,     /* x-amz-copy-source */
    LST_HEEDS_COPY_RANGE = 1u << 2,      /* x-amz-copy-source-range */
    LST_HEEDS_COPY_CONDITIONS = 1u << 3, /* x-amz-copy-source-if-* */
    LST_HEEDS_TAGGING = 1u << 4,         /* x-amz-tagging */
    LST_HEEDS_OBJECT_SIZE = 1u << 5,     /* x-amz-mp-object-size */
};

/* What is asked of a bucket or an object that none here has: see probes.c. */
enum lst_probe {
    LST_PROBE_NONE = 0,
    LST_PROBE_ACCELERATE,
    LST_PROBE_ENCRYPTION,
    LST_PROBE_LEGAL_HOLD,
    LST_PROBE_LIFECYCLE,
    LST_PROBE_LOGGING,
    LST_PROBE_NOTIFICATION,
    LST_PROBE_OBJECT_LOCK,
    LST_PROBE_OWNERSHIP,
    LST_PROBE_POLICY,
    LST_PROBE_POLICY_STATUS,
    LST_PROBE_PUBLIC_ACCESS,
    LST_PROBE_REPLICATION,
    LST_PROBE_REQUEST_PAYMENT,
    LST_PROBE_RETENTION,
    LST_PROBE_WEBSITE,
    LST_PROBES, /* their number */
};

struct lst_operation {
    const char *name;
    const char *method;
    enum lst_level level;
    enum lst_parameter parameter; /* the sub-resource: a query parameter that must be there; OTHER:
                                   * there may be none of any row */
    enum lst_parameter second;    /* a further query parameter that must be there, or OTHER */
    enum lst_header header;       /* a header that must be there (or, in a presigned URL, a query
                                   * parameter of that name), or OTHER */
    const char *action;           /* the IAM action; NULL: run() asks for permission itself */
    enum lst_operation_body body;
    enum lst_constraint_use use; /* which x-latch- constraints it can hold, and what a use of a
                                  * link is then recorded as */
    unsigned heeds;              /* bits of LST_HEEDS_ */
    bool makes_bucket;           /* the bucket need not be there */
    enum lst_probe probe;        /* of lst_answer_probe() alone */

    /* Give the question the facts that this operation adds to action, bucket and key; NULL: none.
     */
    void (*ask)(struct lst_s3_exchange *exchange, struct lst_access_question *question);

    /* Carry it out, once it is allowed, up to the answer. NULL: not implemented. */
    void (*run)(struct lst_s3_exchange *exchange);
};

enum { LST_ACTION_MAX = 63 }; /* bytes of an IAM action */

/* What is asked of a version has an action of its own: s3:GetObjectVersion, and so on. The action
 * for an operation on an object, if a version is named; ends in NUL. */
struct lst_slice lst_operation_version_action(const char *action,
                                              char ret_text[LST_ACTION_MAX + 1]);

/* The table, in the order in which rows are tried. */
extern const struct lst_operation lst_operations[];
extern const size_t lst_operation_count;

void lst_list_buckets(struct lst_s3_exchange *exchange);
void lst_create_bucket(struct lst_s3_exchange *exchange);
void lst_head_bucket(struct lst_s3_exchange *exchange);
void lst_delete_bucket(struct lst_s3_exchange *exchange);
void lst_get_bucket_location(struct lst_s3_exchange *exchange);
void lst_ask_list(struct lst_s3_exchange *exchange, struct lst_access_question *question);
void lst_list_objects(struct lst_s3_exchange *exchange);
void lst_put_object(struct lst_s3_exchange *exchange);
void lst_get_object(struct lst_s3_exchange *exchange); /* and HeadObject */
void lst_post_object(struct lst_s3_exchange *exchange);
void lst_delete_object(struct lst_s3_exchange *exchange);
void lst_delete_objects(struct lst_s3_exchange *exchange);
void lst_answer_probe(struct lst_s3_exchange *exchange);
void lst_delete_unset(struct lst_s3_exchange *exchange); /* what no bucket here has: 204 */
void lst_get_acl(struct lst_s3_exchange *exchange);
void lst_put_acl(struct lst_s3_exchange *exchange);
void lst_put_object_tagging(struct lst_s3_exchange *exchange);
void lst_get_object_tagging(struct lst_s3_exchange *exchange);
void lst_delete_object_tagging(struct lst_s3_exchange *exchange);
void lst_put_bucket_tagging(struct lst_s3_exchange *exchange);
void lst_get_bucket_tagging(struct lst_s3_exchange *exchange);
void lst_delete_bucket_tagging(struct lst_s3_exchange *exchange);
void lst_put_bucket_cors(struct lst_s3_exchange *exchange);
void lst_get_bucket_cors(struct lst_s3_exchange *exchange);
void lst_delete_bucket_cors(struct lst_s3_exchange *exchange);
void lst_put_bucket_versioning(struct lst_s3_exchange *exchange);
void lst_get_bucket_versioning(struct lst_s3_exchange *exchange);
void lst_list_object_versions(struct lst_s3_exchange *exchange);
void lst_copy_object(struct lst_s3_exchange *exchange);
void lst_get_object_attributes(struct lst_s3_exchange *exchange);
void lst_copy_part(struct lst_s3_exchange *exchange);
void lst_upload_part(struct lst_s3_exchange *exchange);
void lst_abort_upload(struct lst_s3_exchange *exchange);
void lst_complete_upload(struct lst_s3_exchange *exchange);
void lst_list_parts(struct lst_s3_exchange *exchange);
void lst_create_upload(struct lst_s3_exchange *exchange);
void lst_list_uploads(struct lst_s3_exchange *exchange);

#endif
