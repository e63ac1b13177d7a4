/* create_bucket.c - CreateBucket. */
#include "s3/bucket.h"
#include "s3/document.h"
#include "s3/xml_read.h"

#include <stdio.h>

enum { DOCUMENT_MAX = 16384 /* bytes */ };

/* The document's element, kept until the bucket is made. */
struct constraint {
    char region[LST_REGION_MAX];
    size_t length;
};

/* Tags and settings that S3 knows besides the location are refused: they would not be kept. */
static int visit(void *context, const char *path, struct lst_slice text)
{
    struct constraint *constraint = context;

    if (strcmp(path, "CreateBucketConfiguration") == 0) {
        return LST_OK;
    }
    if (strcmp(path, "CreateBucketConfiguration/LocationConstraint") != 0 ||
        text.length > sizeof(constraint->region)) {
        return LST_ERR_MALFORMED;
    }
    memcpy(constraint->region, text.bytes == NULL ? "" : text.bytes, text.length);
    constraint->length = text.length;
    return LST_OK;
}

/* The region that the request was signed for: that of the endpoint, for a client. */
static struct lst_slice signed_region(const struct lst_s3_exchange *exchange)
{
    const char *region = exchange->passage.auth.region;

    return region[0] == '\0' ? LST_SLICE("us-east-1") : lst_slice_of(region);
}

static void fail_incompatible(struct lst_s3_exchange *exchange, struct lst_slice constraint)
{
    char message[192];

    (void)snprintf(message, sizeof(message),
                   "The %.*s location constraint is incompatible for the region specific endpoint "
                   "this request was sent to.",
                   (int)constraint.length, constraint.bytes);
    lst_s3_fail_with(exchange, LST_S3_ILLEGAL_LOCATION, message, NULL, 0);
}

/*
 * False, having answered, if a bucket can't be made there. As in AWS: from us-east-1 everywhere
 * else, from elsewhere only there; "EU" is the old name of eu-west-1, and us-east-1 has none.
 */
static bool check_location(struct lst_s3_exchange *exchange, struct lst_slice constraint)
{
    struct lst_slice configured = exchange->s3->options.region;
    struct lst_slice here = signed_region(exchange);
    struct lst_slice place = lst_bucket_region(exchange, constraint);
    bool is_global = lst_slice_equal(here, LST_SLICE("us-east-1"));

    if (constraint.length == 0) {
        return true;
    }
    if (configured.length > 0) {
        if (!lst_slice_equal(place, configured)) {
            fail_incompatible(exchange, constraint);
            return false;
        }
        return true;
    }
    if (is_global && (lst_slice_equal(constraint, here) || !lst_bucket_is_region(constraint))) {
        lst_s3_fail_about(exchange, LST_S3_INVALID_LOCATION, NULL, "LocationConstraint",
                          constraint);
        return false;
    }
    if (!is_global && !lst_slice_equal(place, here)) {
        fail_incompatible(exchange, constraint);
        return false;
    }
    return true;
}

static void answer_created(struct lst_s3_exchange *exchange)
{
    struct lst_http_response *response = lst_s3_answer_begin(exchange, 200);
    char location[1 + 63];
    struct lst_slice name = lst_slice_first(exchange->target.bucket, sizeof(location) - 1);

    location[0] = '/';
    memcpy(location + 1, name.bytes, name.length);
    lst_http_response_add(response, "Location", lst_slice_make(location, name.length + 1));
    lst_bucket_add_arn(exchange);
    response->kind = LST_BODY_BYTES;
    lst_s3_answer_end(exchange);
}

/*
 * The bucket is there. To its owner S3 says so with an error, but for requests that are signed for
 * us-east-1, and about a bucket of that region, which get 200, "for legacy compatibility".
 */
static void answer_exists(struct lst_s3_exchange *exchange, const struct lst_bucket_sight *sight)
{
    if (!lst_slice_equal(lst_slice_make(sight->owner, sight->owner_length),
                         lst_slice_of(lst_passage_canonical_id(&exchange->passage)))) {
        lst_s3_fail_about(exchange, LST_S3_BUCKET_ALREADY_EXISTS, NULL, "BucketName",
                          exchange->target.bucket);
    } else if (lst_slice_equal(signed_region(exchange), LST_SLICE("us-east-1")) &&
               lst_slice_equal(
                   lst_bucket_region(exchange, lst_slice_make(sight->region, sight->region_length)),
                   LST_SLICE("us-east-1"))) {
        answer_created(exchange);
    } else {
        lst_s3_fail_about(exchange, LST_S3_BUCKET_ALREADY_OWNED, NULL, "BucketName",
                          exchange->target.bucket);
    }
}

static void create(struct lst_s3_exchange *exchange, struct lst_slice region)
{
    struct lst_bucket bucket = {
        .name = exchange->target.bucket,
        .created_ms = exchange->request->received_ms,
        .region = region,
        .owner = lst_slice_of(lst_passage_canonical_id(&exchange->passage)),
    };
    struct lst_bucket_sight sight;
    int status = lst_bucket_see(exchange, &sight);

    if (status == LST_OK) {
        answer_exists(exchange, &sight);
    } else if (status != LST_ERR_BUCKET_NOT_FOUND) {
        lst_s3_fail_code(exchange, status);
    } else if (lst_s3_has_written(exchange,
                                  lst_store_bucket_create(exchange->s3->options.store, &bucket,
                                                          lst_s3_write(exchange)))) {
        answer_created(exchange);
    }
}

/* False, having answered, if a bucket can't be made as the document says. */
static bool read_constraint(struct lst_s3_exchange *exchange, struct lst_slice document,
                            struct constraint *constraint)
{
    int status = LST_OK;

    if (document.length > 0) {
        status = lst_xml_read(document, DOCUMENT_MAX, visit, constraint);
    }
    if (status == LST_ERR_MALFORMED) {
        lst_s3_fail(exchange, LST_S3_MALFORMED_XML);
    } else if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
    }
    return status == LST_OK &&
           check_location(exchange, lst_slice_make(constraint->region, constraint->length));
}

/* False, having answered, if the head asks for what can't be. */
static bool check_head(struct lst_s3_exchange *exchange)
{
    struct lst_slice acl;
    int status = lst_bucket_name_check(exchange->target.bucket);

    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
        return false;
    }
    if (!lst_s3_check_acl_name(exchange)) {
        return false;
    }
    if (lst_s3_option(exchange, LST_HEADER_AMZ_ACL, &acl) &&
        !lst_slice_equal(acl, LST_SLICE("private"))) {
        lst_s3_fail(exchange, LST_S3_INVALID_BUCKET_ACL);
        return false;
    }
    return true;
}

void lst_create_bucket(struct lst_s3_exchange *exchange)
{
    static const struct lst_document_plan plan = {.limit = DOCUMENT_MAX};
    struct constraint constraint = {.length = 0};
    struct lst_buffer document;

    if (!check_head(exchange)) {
        return;
    }
    if (lst_document_read(exchange, &plan, &document) &&
        read_constraint(exchange, lst_buffer_slice(&document), &constraint)) {
        create(exchange, lst_slice_make(constraint.region, constraint.length));
    }
    lst_buffer_release(&document);
}
