/* complete_upload.c - CompleteMultipartUpload. */
#include "s3/approval.h"
#include "s3/complete.h"
#include "s3/document.h"
#include "s3/location.h"
#include "s3/write_condition.h"
#include "s3/xml.h"

#include <stdio.h>
#include <stdlib.h>

static void release(struct lst_completion *completion)
{
    lst_parts_list_release(&completion->list);
    free(completion->parts);
    free(completion);
}

static void fail_request(struct lst_s3_exchange *exchange, const char *message)
{
    lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST, message, NULL, 0);
}

/* ---- Answering */

/* The upload is gone, and was completed before: its checksum is in the object. */
static void find_checksum(struct lst_s3_exchange *exchange, struct lst_completion *completion)
{
    struct lst_object_name name = {
        .bucket = exchange->target.bucket,
        .key = exchange->target.key,
        .version = lst_version_id_slice(&exchange->write.version),
    };
    struct lst_object object;
    struct lst_slice text;

    if (lst_object_open(exchange->s3->options.store, &name, false, &object) != LST_OK) {
        return;
    }
    completion->kind = lst_checksum_of_fields(object.fields, object.field_count, &text);
    text = lst_slice_first(text, sizeof(completion->checksum));
    if (text.length > 0) {
        memcpy(completion->checksum, text.bytes, text.length);
    }
    completion->checksum_length = text.length;
    lst_object_close(&object);
}

static void answer_completed(struct lst_s3_exchange *exchange, struct lst_completion *completion)
{
    struct lst_buffer *body = &lst_s3_answer_begin(exchange, 200)->body;
    struct lst_slice checksum;

    if (completion->is_retry) {
        find_checksum(exchange, completion);
    }
    checksum = lst_slice_make(completion->checksum, completion->checksum_length);
    lst_s3_answer_version(exchange, &exchange->write.version);
    lst_xml_begin(body, "CompleteMultipartUploadResult");
    lst_xml_open(body, "Location");
    lst_location_write(body, exchange);
    lst_xml_close(body, "Location");
    lst_xml_text(body, "Bucket", exchange->target.bucket);
    lst_xml_text(body, "Key", exchange->target.key);
    lst_xml_etag(body, lst_slice_make(exchange->write.etag, exchange->write.etag_length));
    if (checksum.length > 0) {
        lst_xml_text(body, lst_checksum_element(completion->kind), checksum);
        lst_xml_string(body, "ChecksumType", lst_checksum_type(checksum));
    }
    lst_xml_close(body, "CompleteMultipartUploadResult");
    lst_s3_answer_xml(exchange);
}

static void fail_size(struct lst_s3_exchange *exchange, const struct lst_completion *completion)
{
    uint64_t size = 0;
    struct lst_slice declared;
    char message[160];

    for (size_t i = 0; i < completion->list.count; i++) {
        size += completion->list.parts[i].size;
    }
    (void)lst_s3_option(exchange, LST_HEADER_AMZ_MP_OBJECT_SIZE, &declared);
    (void)snprintf(message, sizeof(message),
                   "The provided 'x-amz-mp-object-size' header value %.*s does not match what was "
                   "computed: %llu",
                   declared.length < 24 ? (int)declared.length : 24, declared.bytes,
                   (unsigned long long)size);
    fail_request(exchange, message);
}

/* It was not approved. If it never will be, nothing is left of it; whether or not the parts could
 * be let go of, the answer is why they had to. */
static void answer_not_approved(struct lst_s3_exchange *exchange,
                                const struct lst_completion *completion)
{
    struct lst_store_write write = {.done = NULL};

    if (exchange->approval->verdict == LST_VERDICT_NO &&
        lst_upload_abort(exchange->s3->options.store, &completion->name, &write) == LST_OK) {
        lst_ignore_status(lst_store_wait(&write));
    }
    lst_approval_fail(exchange);
}

static void answer_failure(struct lst_s3_exchange *exchange,
                           const struct lst_completion *completion, int code)
{
    switch (code) {
    case LST_ERR_NOT_APPROVED:
        answer_not_approved(exchange, completion);
        break;
    case LST_ERR_PART_INVALID:
        lst_completion_fail_part(exchange, completion, false);
        break;
    case LST_ERR_PART_TOO_SMALL:
        lst_completion_fail_part(exchange, completion, true);
        break;
    case LST_ERR_PART_ORDER:
        lst_s3_fail_about(exchange, LST_S3_INVALID_PART_ORDER, NULL, "UploadId",
                          completion->name.upload);
        break;
    case LST_ERR_MALFORMED:
        fail_size(exchange, completion);
        break;
    default:
        lst_s3_fail_code(exchange, code);
        break;
    }
}

/* ---- Completing */

static bool make_parts(struct lst_completion *completion)
{
    completion->parts = calloc(completion->list.count, sizeof(*completion->parts));
    for (size_t i = 0; i < completion->list.count && completion->parts != NULL; i++) {
        const struct lst_listed_part *part = &completion->list.parts[i];
        completion->parts[i] = (struct lst_completed_part){
            .number = part->number,
            .etag = lst_slice_make(part->etag, part->etag_length),
        };
    }
    return completion->parts != NULL;
}

/* False, having answered, if x-amz-mp-object-size is no size. */
static bool read_size(struct lst_s3_exchange *exchange, struct lst_complete_options *options)
{
    struct lst_slice text;
    char message[128];

    if (!lst_s3_option(exchange, LST_HEADER_AMZ_MP_OBJECT_SIZE, &text)) {
        return true;
    }
    options->size_known = lst_slice_to_number(text, INT64_MAX, &options->size);
    if (!options->size_known) {
        uint64_t number;
        bool is_negative = text.length > 1 && text.bytes[0] == '-' &&
                           lst_slice_to_number(lst_slice_after(text, 1), INT64_MAX, &number);
        (void)snprintf(message, sizeof(message),
                       "Value for x-amz-mp-object-size header is %s: '%.*s'",
                       is_negative ? "less than zero" : "invalid",
                       text.length < 64 ? (int)text.length : 64, text.bytes);
        fail_request(exchange, message);
    }
    return options->size_known;
}

/* What the document and the head say of the object. False, having answered, if they don't fit the
 * upload. */
static bool read_completion(struct lst_s3_exchange *exchange, struct lst_slice document,
                            struct lst_completion *completion, struct lst_complete_options *options)
{
    completion->name = lst_upload_name_of(exchange);
    if (!lst_write_condition_read(exchange, &options->condition) || !read_size(exchange, options) ||
        !lst_parts_list_read(exchange, document, completion->name.upload, &completion->list) ||
        !lst_completion_check(exchange, completion) ||
        !lst_completion_check_change(exchange, completion, &options->condition)) {
        return false;
    }
    if (!make_parts(completion)) {
        lst_s3_fail_code(exchange, LST_ERR_NO_MEMORY);
        return false;
    }
    options->name = completion->name;
    options->parts = completion->parts;
    options->part_count = completion->list.count;
    completion->field = (struct lst_field){
        lst_slice_of(lst_checksum_header(completion->kind)),
        lst_slice_make(completion->checksum, completion->checksum_length),
    };
    options->fields = &completion->field;
    options->field_count = completion->checksum_length > 0 ? 1 : 0;
    return true;
}

static void complete(struct lst_s3_exchange *exchange, struct lst_completion *completion,
                     const struct lst_complete_options *options)
{
    int status = lst_s3_write_wait(exchange, lst_upload_complete(exchange->s3->options.store,
                                                                 options, &completion->culprit,
                                                                 lst_approval_write(exchange)));

    if (status == LST_OK) {
        answer_completed(exchange, completion);
    } else {
        answer_failure(exchange, completion, status);
    }
}

void lst_complete_upload(struct lst_s3_exchange *exchange)
{
    static const struct lst_document_plan plan = {.limit = LST_COMPLETE_DOCUMENT_MAX,
                                                  .checksum_is_of_object = true};
    struct lst_complete_options options = {.part_count = 0};
    struct lst_completion *completion = calloc(1, sizeof(*completion));
    struct lst_buffer document;

    if (completion == NULL) {
        lst_s3_fail_code(exchange, LST_ERR_NO_MEMORY);
        return;
    }
    if (lst_document_read(exchange, &plan, &document) &&
        read_completion(exchange, lst_buffer_slice(&document), completion, &options) &&
        lst_approval_prepare(exchange)) {
        complete(exchange, completion, &options);
    }
    release(completion);
    lst_buffer_release(&document);
}
