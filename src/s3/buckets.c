/* buckets.c - ListBuckets, HeadBucket, DeleteBucket, GetBucketLocation. */
#include "s3/bucket.h"
#include "s3/token.h"
#include "s3/xml.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARN_MAX = sizeof("arn:aws:s3:::") - 1 + 63 };

/* ---- One bucket */

static int see_bucket(void *context, const struct lst_bucket *bucket)
{
    struct lst_bucket_sight *sight = context;
    struct lst_slice region = lst_slice_first(bucket->region, sizeof(sight->region));
    struct lst_slice owner = lst_slice_first(bucket->owner, sizeof(sight->owner));

    memcpy(sight->region, region.bytes == NULL ? "" : region.bytes, region.length);
    sight->region_length = region.length;
    memcpy(sight->owner, owner.bytes == NULL ? "" : owner.bytes, owner.length);
    sight->owner_length = owner.length;
    return LST_OK;
}

int lst_bucket_see(struct lst_s3_exchange *exchange, struct lst_bucket_sight *ret_sight)
{
    *ret_sight = (struct lst_bucket_sight){.region_length = 0};
    return lst_store_bucket(exchange->s3->options.store, exchange->target.bucket, see_bucket,
                            ret_sight);
}

struct lst_slice lst_bucket_region(const struct lst_s3_exchange *exchange,
                                   struct lst_slice constraint)
{
    if (lst_slice_equal(constraint, LST_SLICE("EU"))) {
        return LST_SLICE("eu-west-1");
    }
    if (constraint.length > 0) {
        return constraint;
    }
    return exchange->s3->options.region.length > 0 ? exchange->s3->options.region
                                                   : LST_SLICE("us-east-1");
}

/* "arn:aws:s3:::" and the name; its length. */
static size_t make_arn(struct lst_slice bucket, char ret_arn[ARN_MAX])
{
    struct lst_slice prefix = LST_SLICE("arn:aws:s3:::");
    struct lst_slice name = lst_slice_first(bucket, ARN_MAX - prefix.length);

    memcpy(ret_arn, prefix.bytes, prefix.length);
    memcpy(ret_arn + prefix.length, name.bytes, name.length);
    return prefix.length + name.length;
}

void lst_bucket_add_arn(struct lst_s3_exchange *exchange)
{
    char arn[ARN_MAX];
    size_t length = make_arn(exchange->target.bucket, arn);

    lst_http_response_add(&exchange->response, "x-amz-bucket-arn", lst_slice_make(arn, length));
}

void lst_head_bucket(struct lst_s3_exchange *exchange)
{
    struct lst_bucket_sight sight;
    int status = lst_bucket_see(exchange, &sight);
    struct lst_http_response *response;

    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
        return;
    }
    response = lst_s3_answer_begin(exchange, 200);
    lst_http_response_add(
        response, "x-amz-bucket-region",
        lst_bucket_region(exchange, lst_slice_make(sight.region, sight.region_length)));
    lst_http_response_add(response, "x-amz-access-point-alias", LST_SLICE("false"));
    lst_bucket_add_arn(exchange);
    lst_http_response_add(response, "Content-Type", LST_SLICE("application/xml"));
    response->kind = LST_BODY_LENGTH;
    lst_s3_answer_end(exchange);
}

void lst_get_bucket_location(struct lst_s3_exchange *exchange)
{
    struct lst_bucket_sight sight;
    int status = lst_bucket_see(exchange, &sight);
    struct lst_buffer *body;
    struct lst_slice region;

    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
        return;
    }
    body = &lst_s3_answer_begin(exchange, 200)->body;
    region = lst_slice_make(sight.region, sight.region_length); /* "EU" too, as it was asked for */
    region = region.length > 0 ? region : lst_bucket_region(exchange, region);
    lst_xml_begin(body, "LocationConstraint");
    if (!lst_slice_equal(region, LST_SLICE("us-east-1"))) {
        lst_xml_escape(body, region);
    }
    lst_xml_close(body, "LocationConstraint");
    lst_s3_answer_xml(exchange);
}

static void answer_not_deleted(struct lst_s3_exchange *exchange, int code)
{
    enum lst_versioning versioning;

    if (code == LST_ERR_BUCKET_NOT_EMPTY &&
        lst_bucket_versioning(exchange->s3->options.store, exchange->target.bucket, &versioning) ==
            LST_OK &&
        versioning != LST_VERSIONING_NEVER) {
        lst_s3_fail_about(exchange, LST_S3_BUCKET_NOT_EMPTY,
                          "The bucket you tried to delete is not empty. You must delete all "
                          "versions in the bucket.",
                          "BucketName", exchange->target.bucket);
    } else {
        lst_s3_fail_code(exchange, code);
    }
}

void lst_delete_bucket(struct lst_s3_exchange *exchange)
{
    int status = lst_s3_write_wait(exchange, lst_store_bucket_delete(exchange->s3->options.store,
                                                                     exchange->target.bucket,
                                                                     lst_s3_write(exchange)));

    if (status == LST_OK) {
        lst_s3_answer_gone(exchange);
    } else {
        answer_not_deleted(exchange, status);
    }
}

/* ---- All buckets */

enum {
    BUCKETS_MAX = 10000, /* on one page, as S3 */
    PAGE_IS_FULL = 1     /* a code that ends the visit; errors are negative */
};

struct page {
    struct lst_s3_exchange *exchange;
    struct lst_buffer *body;
    bool is_asked; /* a parameter is there: then S3 shows regions */
    bool has_region;
    bool has_prefix;
    struct lst_slice region; /* only buckets of this region */
    struct lst_slice prefix;
    size_t max;
    size_t count;
    char last[LST_TOKEN_PLACE_MAX]; /* the name of the last bucket written */
    size_t last_length;
};

static int write_bucket(void *context, const struct lst_bucket *bucket)
{
    struct page *page = context;
    struct lst_slice region = lst_bucket_region(page->exchange, bucket->region);
    struct lst_slice name = lst_slice_first(bucket->name, sizeof(page->last));
    char arn[ARN_MAX];

    if (page->has_region && !lst_slice_equal_ignoring_case(region, page->region)) {
        return LST_OK;
    }
    if (page->count == page->max) {
        return PAGE_IS_FULL;
    }
    page->count++;
    memcpy(page->last, name.bytes, name.length);
    page->last_length = name.length;
    lst_xml_open(page->body, "Bucket");
    lst_xml_text(page->body, "Name", bucket->name);
    lst_xml_time(page->body, "CreationDate", bucket->created_ms);
    if (page->is_asked) {
        lst_xml_text(page->body, "BucketRegion", region);
    }
    lst_xml_text(page->body, "BucketArn", lst_slice_make(arn, make_arn(bucket->name, arn)));
    lst_xml_close(page->body, "Bucket");
    return lst_buffer_status(page->body);
}

/* A region that is nowhere: S3 says so, instead of that it has no buckets there. */
static bool is_nowhere(const struct lst_s3_exchange *exchange, const struct page *page)
{
    return page->has_region && page->count == 0 && !lst_bucket_is_aws_region(page->region) &&
           !lst_slice_equal_ignoring_case(page->region, exchange->s3->options.region) &&
           !lst_slice_equal_ignoring_case(page->region,
                                          lst_slice_of(exchange->passage.auth.region));
}

/* Here, and for a bypass of governance, S3 names the argument without its value. */
static void fail_region(struct lst_s3_exchange *exchange, struct lst_slice region)
{
    char message[128];

    (void)snprintf(message, sizeof(message), "Argument value %.*s is not a valid AWS Region",
                   region.length < 64 ? (int)region.length : 64, region.bytes);
    lst_s3_fail_about(exchange, LST_S3_INVALID_ARGUMENT, message, "ArgumentName",
                      LST_SLICE("bucket-region"));
}

/* False, having answered, if max-buckets is none. S3 shows the number, and not how it was written.
 */
static bool read_max(struct lst_s3_exchange *exchange, struct lst_slice text, uint64_t *ret_max)
{
    bool is_negative = text.length > 1 && text.bytes[0] == '-';
    char shown[24];
    uint64_t number;

    if (text.length == 0) {
        return true;
    }
    if (!lst_slice_to_number(lst_slice_after(text, is_negative ? 1 : 0), INT32_MAX, &number)) {
        lst_s3_fail_argument(exchange,
                             "Provided max-buckets not an integer or within integer range",
                             "max-buckets", text);
        return false;
    }
    if (is_negative || number == 0 || number > BUCKETS_MAX) {
        (void)snprintf(shown, sizeof(shown), "%s%llu", is_negative && number > 0 ? "-" : "",
                       (unsigned long long)number);
        lst_s3_fail_argument(exchange,
                             "Argument max-buckets must be an integer between 1 and 10000",
                             "max-buckets", lst_slice_of(shown));
        return false;
    }
    *ret_max = number;
    return true;
}

/* False, having answered, if a parameter is wrong. */
static bool read_page(struct lst_s3_exchange *exchange, struct page *page)
{
    struct lst_slice token;
    struct lst_slice max;
    bool has_max = lst_s3_parameter(exchange, LST_PARAMETER_MAX_BUCKETS, &max);
    bool has_token = lst_s3_parameter(exchange, LST_PARAMETER_CONTINUATION_TOKEN, &token);

    page->max = BUCKETS_MAX;
    page->has_region = lst_s3_parameter(exchange, LST_PARAMETER_BUCKET_REGION, &page->region);
    page->has_prefix = lst_s3_parameter(exchange, LST_PARAMETER_PREFIX, &page->prefix);
    page->is_asked = has_max || has_token || page->has_region || page->has_prefix;
    if (has_max && !read_max(exchange, max, &page->max)) {
        return false;
    }
    if (page->has_region && page->region.length == 0) {
        fail_region(exchange, page->region);
        return false;
    }
    if (has_token && token.length > 0 && !lst_token_read(token, page->last, &page->last_length)) {
        lst_s3_fail_token(exchange);
        return false;
    }
    return true;
}

void lst_list_buckets(struct lst_s3_exchange *exchange)
{
    struct page page = {.exchange = exchange};
    char after[LST_TOKEN_PLACE_MAX];
    int status;

    if (!read_page(exchange, &page)) {
        return;
    }
    page.body = &lst_s3_answer_begin(exchange, 200)->body;
    lst_xml_begin(page.body, "ListAllMyBucketsResult");
    lst_xml_owner(page.body, lst_passage_canonical_id(&exchange->passage));
    lst_xml_open(page.body, "Buckets");
    memcpy(after, page.last, page.last_length);
    status = lst_store_buckets(exchange->s3->options.store, page.prefix,
                               lst_slice_make(after, page.last_length), write_bucket, &page);
    if (status != LST_OK && status != PAGE_IS_FULL) {
        lst_s3_fail_code(exchange, status);
        return;
    }
    if (is_nowhere(exchange, &page)) {
        fail_region(exchange, page.region);
        return;
    }
    lst_xml_close(page.body, "Buckets");
    if (page.has_prefix) {
        lst_xml_text(page.body, "Prefix", page.prefix);
    }
    if (status == PAGE_IS_FULL) {
        lst_xml_open(page.body, "ContinuationToken");
        lst_token_write(page.body, lst_slice_make(page.last, page.last_length));
        lst_xml_close(page.body, "ContinuationToken");
    }
    lst_xml_close(page.body, "ListAllMyBucketsResult");
    lst_s3_answer_xml(exchange);
}
