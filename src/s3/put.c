/* put.c - PutObject. */
#include "base/encoding.h"
#include "s3/body.h"
#include "s3/put_fields.h"

#include <stdlib.h>

/* An upload in progress. */
struct upload {
    struct lst_put *put; /* NULL once it is committed */
    char etag[2 + 32];   /* in quotes */
};

static void free_upload(void *work)
{
    struct upload *upload = work;

    lst_put_abort(upload->put);
    free(upload);
}

/* ---- The end of it */

static void answer_put(struct lst_s3_exchange *exchange)
{
    struct upload *upload = exchange->work;
    struct lst_http_response *response = lst_s3_answer_begin(exchange, 200);
    struct lst_slice checksum;
    enum lst_checksum_kind kind = lst_body_checksum(exchange->body, &checksum);

    lst_http_response_add(response, "ETag", lst_slice_make(upload->etag, sizeof(upload->etag)));
    if (kind != LST_CHECKSUM_NONE) {
        lst_http_response_add(response, lst_checksum_header(kind), checksum);
        lst_http_response_add(response, "x-amz-checksum-type", LST_SLICE("FULL_OBJECT"));
    }
    response->kind = LST_BODY_BYTES;
    lst_s3_answer_end(exchange);
}

static int take_put(struct lst_s3_exchange *exchange, struct lst_slice bytes)
{
    struct upload *upload = exchange->work;

    return lst_put_write(upload->put, bytes);
}

static void finish_put(struct lst_s3_exchange *exchange)
{
    struct upload *upload = exchange->work;
    struct lst_put *put = upload->put;
    uint8_t md5[16];

    lst_put_digest(put, md5);
    if (!lst_body_check_md5(exchange, md5)) {
        return;
    }
    upload->etag[0] = '"';
    lst_hex_encode(md5, sizeof(md5), upload->etag + 1);
    upload->etag[sizeof(upload->etag) - 1] = '"';
    upload->put = NULL;
    lst_put_commit(put, lst_s3_write_begin(exchange, answer_put));
}

/* ---- The beginning */

/* False, having answered, if the upload's conditions are other than If-None-Match: *. */
static bool read_conditions(struct lst_s3_exchange *exchange, bool *ret_only_if_absent)
{
    struct lst_slice match = lst_http_header(exchange->request, LST_SLICE("If-Match"));
    struct lst_slice none_match = lst_http_header(exchange->request, LST_SLICE("If-None-Match"));

    if (match.bytes != NULL) {
        lst_s3_fail_not_implemented(exchange, "header", LST_SLICE("If-Match"));
        return false;
    }
    *ret_only_if_absent = none_match.bytes != NULL;
    if (*ret_only_if_absent && !lst_slice_equal(lst_slice_trim(none_match), LST_SLICE("*"))) {
        lst_s3_fail_not_implemented(exchange, "header", LST_SLICE("If-None-Match"));
        return false;
    }
    return true;
}

/* False, having answered, if another storage class or access control list is asked for than every
 * object has: STANDARD, and the bucket owner's alone ("Bucket owner enforced"). */
static bool check_class_and_acl(struct lst_s3_exchange *exchange)
{
    struct lst_slice value;

    if (lst_s3_option(exchange, "x-amz-storage-class", &value) &&
        !lst_slice_equal(value, LST_SLICE("STANDARD"))) {
        lst_s3_fail_about(exchange, LST_S3_INVALID_STORAGE_CLASS, NULL, "StorageClassRequested",
                          value);
        return false;
    }
    if (lst_s3_option(exchange, "x-amz-acl", &value) &&
        !lst_slice_equal(value, LST_SLICE("private")) &&
        !lst_slice_equal(value, LST_SLICE("bucket-owner-full-control"))) {
        lst_s3_fail(exchange, LST_S3_ACL_NOT_SUPPORTED);
        return false;
    }
    return true;
}

/* Open the upload, with what the headers say of the object. */
static void begin_upload(struct lst_s3_exchange *exchange, struct upload *upload,
                         bool only_if_absent)
{
    struct lst_put_fields fields;
    struct lst_put_options options = {
        .bucket = exchange->target.bucket,
        .key = exchange->target.key,
        .fields = fields.list,
        .only_if_absent = only_if_absent,
    };
    int status;

    if (!lst_put_fields_read(exchange, &fields)) {
        return;
    }
    options.field_count = fields.count;
    options.size_known = lst_body_length(exchange->body, &options.size);
    status = lst_put_begin(exchange->s3->options.store, &options, &upload->put);
    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
    }
}

void lst_put_object(struct lst_s3_exchange *exchange)
{
    static const struct lst_body_plan plan_template = {
        .too_long = LST_S3_ENTITY_TOO_LARGE,
        .length_required = true,
        .take = take_put,
        .finish = finish_put,
    };
    struct lst_body_plan plan = plan_template;
    struct upload *upload;
    bool only_if_absent;

    plan.limit = exchange->s3->options.body_max;
    if (!read_conditions(exchange, &only_if_absent) || !check_class_and_acl(exchange) ||
        !lst_body_prepare(exchange, &plan)) {
        return;
    }
    upload = calloc(1, sizeof(*upload));
    if (upload == NULL) {
        lst_s3_fail(exchange, LST_S3_SLOW_DOWN);
        return;
    }
    exchange->work = upload;
    exchange->free_work = free_upload;
    begin_upload(exchange, upload, only_if_absent);
}
