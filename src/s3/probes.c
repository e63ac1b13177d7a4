/*
 * probes.c - what clients ask of a bucket before they use it, and that no bucket here ever has.
 *
 * The answer is the one that AWS gives for a bucket, or an object, without the thing: a policy, a
 * life cycle, a lock. ACLs are those of ObjectOwnership "BucketOwnerEnforced", AWS's default: the
 * owner may do everything, and nothing can be changed.
 */
#include "s3/bucket.h"
#include "s3/document.h"
#include "s3/xml.h"
#include "s3/xml_read.h"

enum {
    ACL_DOCUMENT_MAX = 65536, /* bytes */
    ACL_TEXT_MAX = 1024,      /* bytes of one element */
};

struct probe {
    const char *root;    /* of the answer's XML; NULL: an error */
    const char *content; /* of the root, as it is; or the error's text */
    const char *code;    /* of the error */
    int status;
};

static const struct probe probes[LST_PROBES] = {
    [LST_PROBE_ACCELERATE] = {"AccelerateConfiguration", "", NULL, 200},
    [LST_PROBE_ENCRYPTION] = {NULL, "The server side encryption configuration was not found",
                              "ServerSideEncryptionConfigurationNotFoundError", 404},
    [LST_PROBE_LIFECYCLE] = {NULL, "The lifecycle configuration does not exist",
                             "NoSuchLifecycleConfiguration", 404},
    [LST_PROBE_LOGGING] = {"BucketLoggingStatus", "", NULL, 200},
    [LST_PROBE_NOTIFICATION] = {"NotificationConfiguration", "", NULL, 200},
    [LST_PROBE_OWNERSHIP] = {"OwnershipControls",
                             "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>",
                             NULL, 200},
    [LST_PROBE_POLICY] = {NULL, "The bucket policy does not exist", "NoSuchBucketPolicy", 404},
    [LST_PROBE_POLICY_STATUS] = {NULL, "The bucket policy does not exist", "NoSuchBucketPolicy",
                                 404},
    [LST_PROBE_REPLICATION] = {NULL, "The replication configuration was not found",
                               "ReplicationConfigurationNotFoundError", 404},
    [LST_PROBE_REQUEST_PAYMENT] = {"RequestPaymentConfiguration", "<Payer>BucketOwner</Payer>",
                                   NULL, 200},
    [LST_PROBE_WEBSITE] = {NULL, "The specified bucket does not have a website configuration",
                           "NoSuchWebsiteConfiguration", 404},
    [LST_PROBE_LEGAL_HOLD] = {NULL, "Bucket is missing Object Lock Configuration", "InvalidRequest",
                              400},
    [LST_PROBE_OBJECT_LOCK] = {NULL, "Object Lock configuration does not exist for this bucket",
                               "ObjectLockConfigurationNotFoundError", 404},
    [LST_PROBE_RETENTION] = {NULL, "Bucket is missing Object Lock Configuration", "InvalidRequest",
                             400},
    [LST_PROBE_PUBLIC_ACCESS] =
        {"PublicAccessBlockConfiguration",
         "<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>"
         "<BlockPublicPolicy>true</BlockPublicPolicy>"
         "<RestrictPublicBuckets>true</RestrictPublicBuckets>",
         NULL, 200},
};

/* What has to be there. */
enum need {
    NEEDS_BUCKET, /* without locks S3 does not look for the object: its answer does not depend on it
                   */
    NEEDS_OBJECT,
    CHANGES_OBJECT, /* its delete marker is 405 even if it is not named, as at S3 */
};

/* False, having answered, if the bucket, or the object, is not there. */
static bool see_target(struct lst_s3_exchange *exchange, enum need need,
                       struct lst_bucket_sight *ret_sight)
{
    struct lst_object_name name = {exchange->target.bucket, exchange->target.key,
                                   exchange->version};
    struct lst_object object;
    int status = lst_bucket_see(exchange, ret_sight);

    if (status == LST_OK && exchange->target.level == LST_LEVEL_OBJECT) {
        if (!lst_s3_check_version(exchange)) {
            return false;
        }
        status = lst_object_open(exchange->s3->options.store, &name, false, &object);
        if (status == LST_OK) {
            lst_object_close(&object);
        } else if (status == LST_ERR_KEY_NOT_FOUND && object.is_marker && need == CHANGES_OBJECT) {
            status = LST_ERR_DELETE_MARKER;
        }
        if (need == NEEDS_BUCKET &&
            (status == LST_ERR_KEY_NOT_FOUND || status == LST_ERR_DELETE_MARKER ||
             status == LST_ERR_VERSION_NOT_FOUND)) {
            status = LST_OK;
        }
    }
    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
    }
    return status == LST_OK;
}

static void answer_probe(struct lst_s3_exchange *exchange, const struct probe *probe)
{
    struct lst_buffer *body;

    if (probe->root == NULL) {
        body =
            lst_s3_error_begin(exchange, probe->status, probe->code, lst_slice_of(probe->content));
        if (exchange->target.level == LST_LEVEL_BUCKET) {
            lst_xml_text(body, "BucketName", exchange->target.bucket);
        }
        lst_s3_error_end(exchange);
        return;
    }
    body = &lst_s3_answer_begin(exchange, probe->status)->body;
    lst_xml_begin(body, probe->root);
    lst_buffer_append_string(body, probe->content);
    lst_xml_close(body, probe->root);
    lst_s3_answer_xml(exchange);
}

void lst_answer_probe(struct lst_s3_exchange *exchange)
{
    struct lst_bucket_sight sight;

    if (see_target(exchange, NEEDS_BUCKET, &sight)) {
        answer_probe(exchange, &probes[exchange->operation->probe]);
    }
}

void lst_delete_unset(struct lst_s3_exchange *exchange)
{
    struct lst_bucket_sight sight;

    if (see_target(exchange, NEEDS_OBJECT, &sight)) {
        lst_s3_answer_gone(exchange);
    }
}

/* ---- ACLs */

void lst_get_acl(struct lst_s3_exchange *exchange)
{
    struct lst_bucket_sight sight;
    struct lst_slice owner;
    struct lst_buffer *body;

    if (!see_target(exchange, NEEDS_OBJECT, &sight)) {
        return;
    }
    owner = lst_slice_make(sight.owner, sight.owner_length);
    body = &lst_s3_answer_begin(exchange, 200)->body;
    lst_xml_begin(body, "AccessControlPolicy");
    lst_xml_open(body, "Owner");
    lst_xml_text(body, "ID", owner);
    lst_xml_close(body, "Owner");
    lst_buffer_append_string(body, "<AccessControlList><Grant><Grantee "
                                   "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
                                   "xsi:type=\"CanonicalUser\">");
    lst_xml_text(body, "ID", owner);
    lst_buffer_append_string(body, "</Grantee><Permission>FULL_CONTROL</Permission></Grant>"
                                   "</AccessControlList>");
    lst_xml_close(body, "AccessControlPolicy");
    lst_s3_answer_xml(exchange);
}

/* The canned ACLs that change nothing. */
static bool is_as_it_is(struct lst_slice acl)
{
    return lst_slice_equal(acl, LST_SLICE("private")) ||
           lst_slice_equal(acl, LST_SLICE("bucket-owner-full-control"));
}

/* A document that is the ACL as it is: what lst_get_acl() has written, sent back by a client that
 * copies ACLs along with objects. */
struct acl_reading {
    struct lst_slice owner;
    size_t grants;
};

static int visit_acl(void *context, const char *path, struct lst_slice text)
{
    static const char grant[] = "AccessControlPolicy/AccessControlList/Grant";
    struct acl_reading *reading = context;

    if (strncmp(path, grant, sizeof(grant) - 1) != 0) {
        return LST_OK;
    }
    path += sizeof(grant) - 1;
    if (strcmp(path, "") == 0) {
        reading->grants++;
        return LST_OK;
    }
    if (strcmp(path, "/Permission") == 0) {
        return lst_slice_equal(text, LST_SLICE("FULL_CONTROL")) ? LST_OK : LST_ERR_CONFLICT;
    }
    if (strcmp(path, "/Grantee/ID") == 0) {
        return lst_slice_equal(text, reading->owner) ? LST_OK : LST_ERR_CONFLICT;
    }
    return strcmp(path, "/Grantee") == 0 || strcmp(path, "/Grantee/DisplayName") == 0
               ? LST_OK
               : LST_ERR_CONFLICT;
}

/* Whether the request would leave everything as it is. */
static int check_acl(struct lst_s3_exchange *exchange, struct lst_slice document,
                     const struct lst_bucket_sight *sight)
{
    struct acl_reading reading = {.owner = lst_slice_make(sight->owner, sight->owner_length)};
    struct lst_slice acl;
    int status;

    if (lst_s3_option(exchange, LST_HEADER_AMZ_ACL, &acl)) {
        return is_as_it_is(acl) ? LST_OK : LST_ERR_CONFLICT;
    }
    status = lst_xml_read(document, ACL_TEXT_MAX, visit_acl, &reading);
    return status == LST_OK && reading.grants != 1 ? LST_ERR_CONFLICT : status;
}

/* False, having answered, if the request has no ACL, or two. */
static bool has_one_acl(struct lst_s3_exchange *exchange, struct lst_slice document)
{
    struct lst_slice acl;
    bool has_header = lst_s3_option(exchange, LST_HEADER_AMZ_ACL, &acl);

    if (has_header && document.length > 0) {
        lst_s3_fail(exchange, LST_S3_UNEXPECTED_CONTENT);
    } else if (!has_header && document.length == 0) {
        lst_s3_fail_about(exchange, LST_S3_MISSING_HEADER, NULL, "MissingHeaderName",
                          LST_SLICE("x-amz-acl"));
    }
    return has_header != (document.length > 0);
}

static void answer_acl(struct lst_s3_exchange *exchange, struct lst_slice document)
{
    struct lst_bucket_sight sight;
    int status;

    if (!see_target(exchange, CHANGES_OBJECT, &sight) || !has_one_acl(exchange, document)) {
        return;
    }
    status = check_acl(exchange, document, &sight);
    if (status == LST_ERR_MALFORMED) {
        lst_s3_fail(exchange, LST_S3_MALFORMED_ACL);
    } else if (status != LST_OK) {
        lst_s3_fail(exchange, LST_S3_ACL_NOT_SUPPORTED);
    } else {
        lst_s3_answer_done(exchange);
    }
}

void lst_put_acl(struct lst_s3_exchange *exchange)
{
    static const struct lst_document_plan plan = {.limit = ACL_DOCUMENT_MAX};
    struct lst_buffer document;

    if (!lst_s3_check_acl_name(exchange)) {
        return;
    }
    if (lst_document_read(exchange, &plan, &document)) {
        answer_acl(exchange, lst_buffer_slice(&document));
    }
    lst_buffer_release(&document);
}
