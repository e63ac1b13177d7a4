/* complete_check.c - whether a multipart upload can be completed by a list of parts. */
#include "s3/complete.h"
#include "s3/constraints.h"

#include "base/encoding.h"

#include <stdio.h>

static void fail_request(struct lst_s3_exchange *exchange, const char *message)
{
    lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST, message, NULL, 0);
}

static const struct lst_listed_part *find_listed(const struct lst_completion *completion,
                                                 uint32_t number)
{
    for (size_t i = 0; i < completion->list.count; i++) {
        if (completion->list.parts[i].number == number) {
            return &completion->list.parts[i];
        }
    }
    return NULL;
}

void lst_completion_fail_part(struct lst_s3_exchange *exchange,
                              const struct lst_completion *completion, bool is_small)
{
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
    if (completion->culprit == 0) {
        lst_s3_fail_about(exchange, LST_S3_INVALID_PART,
                          "A part was sent again while the upload was looked at: complete it again",
                          "UploadId", completion->name.upload);
    } else if (is_small) {
        lst_s3_fail_with(exchange, LST_S3_ENTITY_TOO_SMALL, NULL, small, 4);
    } else {
        lst_s3_fail_with(exchange, LST_S3_INVALID_PART, NULL, invalid, 3);
    }
}

/* ---- The parts, held against the list */

static int look_at_part(void *context, const struct lst_part *part)
{
    struct lst_completion *completion = context;
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
         ((listed->kind == completion->sum.agreed.kind || !completion->sum.agreed.is_declared) &&
          lst_checksum_find(part->fields, part->field_count, listed->kind, &text) &&
          lst_slice_equal(text, lst_slice_make(listed->checksum, listed->checksum_length))));
    lst_upload_sum_add(&completion->sum, part);
    return LST_OK;
}

/* False, having answered, if a part is not there, or has another ETag or checksum. */
static bool check_parts(struct lst_s3_exchange *exchange, struct lst_completion *completion)
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
            lst_completion_fail_part(exchange, completion, false);
            return false;
        }
    }
    return true;
}

/* ---- Checksums */

/* The upload's checksum is of one kind, and the list has one of another. S3 answers as to a wrong
 * one. */
static void fail_other_kind(struct lst_s3_exchange *exchange, const struct lst_listed_part *part)
{
    char message[128];

    (void)snprintf(message, sizeof(message),
                   "The %s you specified for part %u did not match what we received.",
                   lst_checksum_word(part->kind), part->number);
    lst_s3_fail_with(exchange, LST_S3_BAD_DIGEST, message, NULL, 0);
}

/* A composite is made of parts that the client vouches for, each. */
static bool check_listed_checksums(struct lst_s3_exchange *exchange,
                                   const struct lst_completion *completion)
{
    const struct lst_upload_checksum *agreed = &completion->sum.agreed;
    char message[192];

    for (size_t i = 0; i < completion->list.count && agreed->is_composite; i++) {
        const struct lst_listed_part *part = &completion->list.parts[i];
        if (part->kind == agreed->kind) {
            continue;
        }
        if (part->kind != LST_CHECKSUM_NONE) {
            fail_other_kind(exchange, part);
            return false;
        }
        (void)snprintf(message, sizeof(message),
                       "The upload was created using a %s checksum. The complete request must "
                       "include the checksum for each part. It was missing for part %u in the "
                       "request.",
                       lst_checksum_word(agreed->kind), part->number);
        fail_request(exchange, message);
        return false;
    }
    return true;
}

/* An upload that was created without an algorithm has no mode, and so none is the same. */
static bool check_type(struct lst_s3_exchange *exchange, const struct lst_upload_checksum *agreed)
{
    const char *mode = agreed->is_declared ? lst_upload_checksum_type(agreed) : "null";
    struct lst_slice type;
    char message[160];

    if (!lst_s3_option(exchange, LST_HEADER_AMZ_CHECKSUM_TYPE, &type) ||
        lst_slice_equal(type, lst_slice_of(mode))) {
        return true;
    }
    (void)snprintf(message, sizeof(message),
                   "The upload was created using the %s checksum mode. The complete request must "
                   "use the same checksum mode.",
                   mode);
    fail_request(exchange, message);
    return false;
}

/* Whether a checksum as a header gives it is well formed: of a composite, with its number of parts
 * or without. */
static bool is_checksum(enum lst_checksum_kind kind, struct lst_slice text)
{
    uint8_t digest[LST_CHECKSUM_SIZE_MAX];
    size_t dash = lst_slice_find(text, '-');
    uint64_t count;

    return lst_base64_decode(lst_slice_first(text, dash), digest, lst_checksum_size(kind)) &&
           (dash == text.length ||
            lst_slice_to_number(lst_slice_after(text, dash + 1), LST_PART_NUMBER_MAX, &count));
}

/*
 * Is it the object's? That of a composite may come without its number of parts. S3 takes one that
 * comes without x-amz-checksum-type for a composite, which that of a full object is not; of
 * CRC64NVME there is none.
 */
static bool is_of_object(struct lst_s3_exchange *exchange, const struct lst_completion *completion,
                         struct lst_slice text)
{
    struct lst_slice computed = lst_slice_make(completion->checksum, completion->checksum_length);
    struct lst_slice type;

    if (!completion->sum.agreed.is_composite && completion->kind != LST_CHECKSUM_CRC64NVME &&
        !lst_s3_option(exchange, LST_HEADER_AMZ_CHECKSUM_TYPE, &type)) {
        return false;
    }
    return lst_slice_equal(text, computed) ||
           lst_slice_equal(text, lst_slice_first(computed, lst_slice_find(computed, '-')));
}

/*
 * Hold the checksum that the client expects of the object against the one that comes of its parts.
 * S3 takes one of another kind for a wrong one, but ignores it for an upload that was created
 * without an algorithm.
 */
static bool check_declared(struct lst_s3_exchange *exchange,
                           const struct lst_completion *completion)
{
    const struct lst_request *message = &exchange->request->message;
    const struct lst_upload_checksum *agreed = &completion->sum.agreed;
    struct lst_slice text;
    char reason[128];
    enum lst_checksum_kind kind =
        lst_checksum_of_fields(message->headers, message->header_count, &text);

    text = lst_slice_trim(text);
    if (kind == LST_CHECKSUM_NONE) {
        return true;
    }
    if (!is_checksum(kind, text)) {
        (void)snprintf(reason, sizeof(reason), "Value for %s header is invalid.",
                       lst_checksum_header(kind));
        fail_request(exchange, reason);
        return false;
    }
    if ((!agreed->is_declared && kind != completion->kind) ||
        (kind == completion->kind && is_of_object(exchange, completion, text))) {
        return true;
    }
    (void)snprintf(reason, sizeof(reason),
                   "The %s you specified did not match the calculated checksum.",
                   lst_checksum_word(agreed->kind));
    lst_s3_fail_with(exchange, LST_S3_BAD_DIGEST, reason, NULL, 0);
    return false;
}

static bool fail_conflict(struct lst_s3_exchange *exchange, const char *condition)
{
    struct lst_field details[] = {
        {LST_SLICE("Condition"), lst_slice_of(condition)},
        {LST_SLICE("Key"), exchange->target.key},
    };

    lst_s3_fail_with(exchange, LST_S3_CONDITIONAL_CONFLICT, NULL, details, 2);
    return false;
}

bool lst_completion_check_change(struct lst_s3_exchange *exchange,
                                 const struct lst_completion *completion,
                                 const struct lst_write_condition *condition)
{
    const struct lst_upload_checksum *agreed = &completion->sum.agreed;
    struct lst_object_name name = {.bucket = exchange->target.bucket, .key = exchange->target.key};
    struct lst_object object;
    bool is_same;
    bool is_newer;
    int status;

    if (completion->is_retry || (!condition->only_if_absent && condition->if_match.length == 0)) {
        return true;
    }
    status = lst_object_open(exchange->s3->options.store, &name, false, &object);
    if (status == LST_ERR_KEY_NOT_FOUND) {
        return condition->only_if_absent && agreed->key_existed
                   ? fail_conflict(exchange, "If-None-Match")
                   : true;
    }
    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
        return false;
    }
    is_same = lst_slice_equal(object.etag, condition->if_match);
    is_newer = object.modified_ms > agreed->created_ms;
    lst_object_close(&object);
    return is_same && is_newer ? fail_conflict(exchange, "If-Match") : true;
}

bool lst_completion_check(struct lst_s3_exchange *exchange, struct lst_completion *completion)
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
    if (!lst_s3_constrain_parts(exchange, completion->list.parts[0].number, &agreed) ||
        !check_type(exchange, &agreed) || !check_listed_checksums(exchange, completion) ||
        !check_parts(exchange, completion)) {
        return false;
    }
    completion->checksum_length = lst_upload_sum_end(&completion->sum, completion->checksum);
    completion->kind = completion->checksum_length == 0 ? LST_CHECKSUM_NONE : agreed.kind;
    return check_declared(exchange, completion);
}
