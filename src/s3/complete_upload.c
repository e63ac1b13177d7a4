/* complete_upload.c - CompleteMultipartUpload. */
#include "s3/complete.h"
#include "s3/document.h"
#include "s3/location.h"
#include "s3/upload_checksum.h"
#include "s3/write_condition.h"
#include "s3/xml.h"

#include <stdio.h>
#include <stdlib.h>

struct completion {
    struct lst_upload_name name;
    struct lst_parts_list list;
    struct lst_completed_part *parts; /* the same, as the store wants them */
    uint32_t culprit;                 /* the number of the part that is wrong */
    bool is_retry;                    /* the upload is gone: completed already, or never there */
    size_t next;                      /* while the parts are looked at: in the list */
    struct lst_upload_sum sum;
    enum lst_checksum_kind kind; /* of the object */
    char checksum[LST_CHECKSUM_TEXT_MAX];
    size_t checksum_length;
};

static void release(void *work)
{
    struct completion *completion = work;

    lst_parts_list_release(&completion->list);
    free(completion->parts);
}

static void fail_request(struct lst_s3_exchange *exchange, const char *message)
{
    lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST, message, NULL, 0);
}

/* ---- Answering */

/* The upload is gone, and was completed before: its checksum is in the object. */
static void find_checksum(struct lst_s3_exchange *exchange, struct completion *completion)
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

static void answer_completed(struct lst_s3_exchange *exchange)
{
    struct completion *completion = lst_document_work(exchange);
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

static const struct lst_listed_part *find_listed(const struct completion *completion,
                                                 uint32_t number)
{
    for (size_t i = 0; i < completion->list.count; i++) {
        if (completion->list.parts[i].number == number) {
            return &completion->list.parts[i];
        }
    }
    return NULL;
}

/* The part that is wrong, and why. */
static void fail_part(struct lst_s3_exchange *exchange, bool is_small)
{
    const struct completion *completion = lst_document_work(exchange);
    const struct lst_listed_part *part = find_listed(completion, completion->culprit);
    struct lst_slice etag =
        part == NULL ? lst_slice_make("", 0) : lst_slice_make(part->etag, part->etag_length);
    char size[24];
    char least[24];
    char number[24];

    (void)snprintf(size, sizeof(size), "%llu",
                   part == NULL ? 0ULL : (unsigned long long)part->size);
    (void)snprintf(least, sizeof(least), "%d", LST_PART_SIZE_MIN);
    (void)snprintf(number, sizeof(number), "%u", completion->culprit);
    struct lst_field small[] = {
        {LST_SLICE("ETag"), etag},
        {LST_SLICE("MinSizeAllowed"), lst_slice_of(least)},
        {LST_SLICE("ProposedSize"), lst_slice_of(size)},
        {LST_SLICE("PartNumber"), lst_slice_of(number)},
    };
    struct lst_field invalid[] = {
        {LST_SLICE("UploadId"), completion->name.upload},
        {LST_SLICE("PartNumber"), lst_slice_of(number)},
        {LST_SLICE("ETag"), etag},
    };
    if (is_small) {
        lst_s3_fail_with(exchange, LST_S3_ENTITY_TOO_SMALL, NULL, small, 4);
    } else {
        lst_s3_fail_with(exchange, LST_S3_INVALID_PART, NULL, invalid, 3);
    }
}

static void fail_size(struct lst_s3_exchange *exchange)
{
    const struct completion *completion = lst_document_work(exchange);
    uint64_t size = 0;
    struct lst_slice declared;
    char message[160];

    for (size_t i = 0; i < completion->list.count; i++) {
        size += completion->list.parts[i].size;
    }
    (void)lst_s3_option(exchange, "x-amz-mp-object-size", &declared);
    (void)snprintf(message, sizeof(message),
                   "The provided 'x-amz-mp-object-size' header value %.*s does not match what was "
                   "computed: %llu",
                   declared.length < 24 ? (int)declared.length : 24, declared.bytes,
                   (unsigned long long)size);
    fail_request(exchange, message);
}

static bool answer_failure(struct lst_s3_exchange *exchange, int code)
{
    const struct completion *completion = lst_document_work(exchange);

    switch (code) {
    case LST_ERR_PART_INVALID:
        fail_part(exchange, false);
        break;
    case LST_ERR_PART_TOO_SMALL:
        fail_part(exchange, true);
        break;
    case LST_ERR_PART_ORDER:
        lst_s3_fail_about(exchange, LST_S3_INVALID_PART_ORDER, NULL, "UploadId",
                          completion->name.upload);
        break;
    case LST_ERR_MALFORMED:
        fail_size(exchange);
        break;
    default:
        lst_s3_fail_code(exchange, code);
        break;
    }
    return false;
}

/* ---- The parts, held against the list */

static int look_at_part(void *context, const struct lst_part *part)
{
    struct completion *completion = context;
    struct lst_parts_list *list = &completion->list;
    struct lst_listed_part *listed;
    struct lst_slice text;

    while (completion->next < list->count && list->parts[completion->next].number < part->number) {
        completion->next++;
    }
    if (completion->next == list->count || list->parts[completion->next].number != part->number) {
        return LST_OK;
    }
    listed = &list->parts[completion->next++];
    listed->size = part->size;
    listed->is_there =
        lst_slice_equal(part->etag, lst_slice_make(listed->etag, listed->etag_length)) &&
        (listed->kind == LST_CHECKSUM_NONE ||
         (lst_checksum_find(part->fields, part->field_count, listed->kind, &text) &&
          lst_slice_equal(text, lst_slice_make(listed->checksum, listed->checksum_length))));
    lst_upload_sum_add(&completion->sum, part);
    return LST_OK;
}

/* False, having answered, if a part is not there, or has another ETag or checksum. */
static bool check_parts(struct lst_s3_exchange *exchange, struct completion *completion)
{
    bool is_truncated;
    int status = lst_upload_parts(exchange->s3->options.store, &completion->name, 0,
                                  LST_PART_NUMBER_MAX, look_at_part, completion, &is_truncated);

    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
        return false;
    }
    for (size_t i = 0; i < completion->list.count; i++) {
        if (!completion->list.parts[i].is_there) {
            completion->culprit = completion->list.parts[i].number;
            fail_part(exchange, false);
            return false;
        }
    }
    return true;
}

/* ---- Checksums */

/* A composite is made of parts that the client vouches for, each. */
static bool check_listed_checksums(struct lst_s3_exchange *exchange,
                                   const struct completion *completion)
{
    const struct lst_upload_checksum *agreed = &completion->sum.agreed;
    char message[192];

    for (size_t i = 0; i < completion->list.count && agreed->is_composite; i++) {
        if (completion->list.parts[i].kind != agreed->kind) {
            (void)snprintf(message, sizeof(message),
                           "The upload was created using a %s checksum. The complete request must "
                           "include the checksum for each part. It was missing for part %u in the "
                           "request.",
                           lst_checksum_word(agreed->kind), completion->list.parts[i].number);
            fail_request(exchange, message);
            return false;
        }
    }
    return true;
}

static bool check_type(struct lst_s3_exchange *exchange, const struct lst_upload_checksum *agreed)
{
    struct lst_slice type;
    char message[160];

    if (!lst_s3_option(exchange, "x-amz-checksum-type", &type) ||
        lst_slice_equal(type, lst_slice_of(lst_upload_checksum_type(agreed)))) {
        return true;
    }
    (void)snprintf(message, sizeof(message),
                   "The upload was created using the %s checksum mode. The complete request must "
                   "use the same checksum mode.",
                   lst_upload_checksum_type(agreed));
    fail_request(exchange, message);
    return false;
}

/* Hold the checksum that the client expects of the object against the one that comes of its parts.
 * That of a composite may come without its number of parts. */
static bool check_declared(struct lst_s3_exchange *exchange, const struct completion *completion)
{
    const struct lst_request *message = &exchange->request->message;
    struct lst_slice computed = lst_slice_make(completion->checksum, completion->checksum_length);
    struct lst_slice text;
    char reason[128];
    enum lst_checksum_kind kind =
        lst_checksum_of_fields(message->headers, message->header_count, &text);

    text = lst_slice_trim(text);
    if (kind == LST_CHECKSUM_NONE ||
        (kind == completion->kind &&
         (lst_slice_equal(text, computed) ||
          lst_slice_equal(text, lst_slice_first(computed, lst_slice_find(computed, '-')))))) {
        return true;
    }
    if (kind == completion->kind) {
        (void)snprintf(reason, sizeof(reason),
                       "The %s you specified did not match the calculated checksum.",
                       lst_checksum_word(kind));
        lst_s3_fail_with(exchange, LST_S3_BAD_DIGEST, reason, NULL, 0);
    } else {
        (void)snprintf(reason, sizeof(reason),
                       "Checksum Type mismatch occurred, expected checksum Type: %s, actual "
                       "checksum Type: %s",
                       lst_checksum_word(completion->kind), lst_checksum_word(kind));
        fail_request(exchange, reason);
    }
    return false;
}

/* ---- Completing */

/* False, having answered, if the list does not fit the upload. */
static bool prepare(struct lst_s3_exchange *exchange, struct completion *completion)
{
    struct lst_upload_checksum agreed;
    int status = lst_upload_checksum_see(exchange, &completion->name, &agreed);

    completion->is_retry = status == LST_ERR_UPLOAD_NOT_FOUND;
    if (completion->is_retry) {
        return true;
    }
    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
        return false;
    }
    lst_upload_sum_begin(&completion->sum, &agreed);
    if (!check_listed_checksums(exchange, completion) || !check_type(exchange, &agreed) ||
        !check_parts(exchange, completion)) {
        return false;
    }
    completion->checksum_length = lst_upload_sum_end(&completion->sum, completion->checksum);
    completion->kind = completion->checksum_length == 0 ? LST_CHECKSUM_NONE : agreed.kind;
    return check_declared(exchange, completion);
}

static bool make_parts(struct completion *completion)
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

    if (!lst_s3_option(exchange, "x-amz-mp-object-size", &text)) {
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

static void complete(struct lst_s3_exchange *exchange, struct completion *completion,
                     struct lst_complete_options *options)
{
    struct lst_field field = {
        lst_slice_of(lst_checksum_header(completion->kind)),
        lst_slice_make(completion->checksum, completion->checksum_length),
    };
    int status;

    if (!make_parts(completion)) {
        lst_s3_fail_code(exchange, LST_ERR_NO_MEMORY);
        return;
    }
    options->name = completion->name;
    options->parts = completion->parts;
    options->part_count = completion->list.count;
    options->fields = &field;
    options->field_count = completion->checksum_length > 0 ? 1 : 0;
    exchange->failed = answer_failure;
    status = lst_upload_complete(exchange->s3->options.store, options, &completion->culprit,
                                 lst_s3_write_begin(exchange, answer_completed));
    if (status != LST_OK) {
        lst_s3_write_refused(exchange, status);
    }
}

static void read_document(struct lst_s3_exchange *exchange, struct lst_slice document)
{
    struct completion *completion = lst_document_work(exchange);
    struct lst_complete_options options = {.part_count = 0};

    completion->name = lst_upload_name_of(exchange);
    if (lst_write_condition_read(exchange, &options.condition) && read_size(exchange, &options) &&
        lst_parts_list_read(exchange, document, completion->name.upload, &completion->list) &&
        prepare(exchange, completion)) {
        complete(exchange, completion, &options);
    }
}

void lst_complete_upload(struct lst_s3_exchange *exchange)
{
    static const struct lst_document_plan plan = {
        .limit = LST_COMPLETE_DOCUMENT_MAX,
        .checksum_is_of_object = true,
        .work_size = sizeof(struct completion),
        .release_work = release,
        .read = read_document,
    };

    lst_document_begin(exchange, &plan);
}
