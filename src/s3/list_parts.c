/* list_parts.c - ListParts. */
#include "s3/list_parts.h"

#include "s3/xml.h"

#include <stdio.h>

bool lst_page_count_read(struct lst_s3_exchange *exchange, const char *name, struct lst_slice text,
                         uint64_t *ret_count)
{
    bool is_negative = text.length > 1 && text.bytes[0] == '-';
    uint64_t number = LST_LIST_KEYS_MAX;
    char message[128];

    if (text.length > 0 &&
        !lst_slice_to_number(lst_slice_after(text, is_negative ? 1 : 0), INT32_MAX, &number)) {
        (void)snprintf(message, sizeof(message),
                       "Provided %s not an integer or within integer range", name);
    } else if (is_negative && number > 0) {
        (void)snprintf(message, sizeof(message),
                       "Argument %s must be an integer between 0 and 2147483647", name);
    } else {
        *ret_count = number < LST_LIST_KEYS_MAX ? number : LST_LIST_KEYS_MAX;
        return true;
    }
    lst_s3_fail_argument(exchange, message, name, text);
    return false;
}

bool lst_part_marker_read(struct lst_s3_exchange *exchange, const char *name, struct lst_slice text,
                          uint32_t *ret_marker)
{
    uint64_t number = 0;
    char message[128];

    if (text.length > 0 && !lst_slice_to_number(text, INT32_MAX, &number)) {
        bool is_negative = text.bytes[0] == '-' &&
                           lst_slice_to_number(lst_slice_after(text, 1), INT32_MAX, &number);
        (void)snprintf(message, sizeof(message),
                       is_negative ? "Argument %s must be an integer between 0 and 2147483647"
                                   : "Provided %s not an integer or within integer range",
                       name);
        lst_s3_fail_argument(exchange, message, name, text);
        return false;
    }
    *ret_marker = number < LST_PART_NUMBER_MAX ? (uint32_t)number : LST_PART_NUMBER_MAX;
    return true;
}

void lst_upload_write_owner(struct lst_buffer *body, struct lst_s3_exchange *exchange,
                            const struct lst_bucket_sight *sight)
{
    lst_xml_open(body, "Initiator");
    lst_xml_string(body, "ID", lst_passage_canonical_id(&exchange->passage));
    lst_xml_string(body, "DisplayName", lst_passage_display_name(&exchange->passage));
    lst_xml_close(body, "Initiator");
    lst_listing_write_owner(body, sight);
    lst_xml_string(body, "StorageClass", "STANDARD");
}

void lst_upload_write_checksum(struct lst_buffer *body, const struct lst_upload_checksum *agreed)
{
    if (agreed->is_declared) {
        lst_xml_string(body, "ChecksumAlgorithm", lst_checksum_name(agreed->kind));
        lst_xml_string(body, "ChecksumType", lst_upload_checksum_type(agreed));
    }
}

/* ---- ListParts */

struct page {
    struct lst_buffer contents;
    uint32_t last;
    bool shows_checksums; /* S3 tells them only of an upload that was created with an algorithm */
};

static int write_part(void *context, const struct lst_part *part)
{
    struct page *page = context;
    struct lst_buffer *body = &page->contents;
    struct lst_slice text;
    enum lst_checksum_kind kind = lst_checksum_of_fields(part->fields, part->field_count, &text);

    page->last = part->number;
    lst_xml_open(body, "Part");
    lst_xml_number(body, "PartNumber", part->number);
    lst_xml_modified(body, part->modified_ms);
    lst_xml_etag(body, part->etag);
    lst_xml_number(body, "Size", part->size);
    if (kind != LST_CHECKSUM_NONE && page->shows_checksums) {
        lst_xml_text(body, lst_checksum_element(kind), text);
    }
    lst_xml_close(body, "Part");
    return lst_buffer_status(body);
}

struct question {
    struct lst_upload_name name;
    struct lst_upload_checksum agreed;
    struct lst_listing keys; /* how keys are to be written, and nothing else of it */
    uint64_t count;
    uint32_t marker;
};

static bool read_question(struct lst_s3_exchange *exchange, struct question *question)
{
    struct lst_slice encoding;
    struct lst_slice count;
    struct lst_slice marker;
    bool has_encoding = lst_s3_parameter(exchange, LST_PARAMETER_ENCODING_TYPE, &encoding);

    (void)lst_s3_parameter(exchange, LST_PARAMETER_MAX_PARTS, &count);
    (void)lst_s3_parameter(exchange, LST_PARAMETER_PART_NUMBER_MARKER, &marker);
    question->name = lst_upload_name_of(exchange);
    question->keys.url_encoded = lst_slice_equal_ignoring_case(encoding, LST_SLICE("url"));
    if (has_encoding && !question->keys.url_encoded) {
        lst_s3_fail_argument(exchange, "Invalid Encoding Method specified in Request",
                             "encoding-type", encoding);
        return false;
    }
    return lst_page_count_read(exchange, "max-parts", count, &question->count) &&
           lst_part_marker_read(exchange, "part-number-marker", marker, &question->marker);
}

static void answer_parts(struct lst_s3_exchange *exchange, const struct question *question,
                         const struct lst_bucket_sight *sight, const struct page *page,
                         bool is_truncated)
{
    struct lst_buffer *body = &lst_s3_answer_begin(exchange, 200)->body;

    lst_xml_begin(body, "ListPartsResult");
    lst_xml_text(body, "Bucket", exchange->target.bucket);
    lst_listing_write_key(&question->keys, body, "Key", exchange->target.key);
    lst_xml_text(body, "UploadId", question->name.upload);
    lst_upload_write_owner(body, exchange, sight);
    lst_upload_write_checksum(body, &question->agreed);
    lst_xml_number(body, "PartNumberMarker", question->marker);
    /* On a page without parts S3 says 0; the paginator of the SDK for JavaScript, which goes on
     * until it is told nothing, would then begin again and again. */
    if (page->last > 0) {
        lst_xml_number(body, "NextPartNumberMarker", page->last);
    }
    lst_xml_number(body, "MaxParts", question->count);
    if (question->keys.url_encoded) {
        lst_xml_string(body, "EncodingType", "url");
    }
    lst_xml_string(body, "IsTruncated", is_truncated ? "true" : "false");
    lst_buffer_append(body, lst_buffer_slice(&page->contents));
    lst_xml_close(body, "ListPartsResult");
    lst_s3_answer_xml(exchange);
}

void lst_list_parts(struct lst_s3_exchange *exchange)
{
    struct question question = {.count = 0};
    struct lst_bucket_sight sight;
    struct page page = {.last = 0};
    bool is_truncated = false;
    int status;

    if (!read_question(exchange, &question)) {
        return;
    }
    lst_buffer_init(&page.contents, LST_RESPONSE_BODY_MAX);
    status = lst_bucket_see(exchange, &sight);
    if (status == LST_OK) {
        status = lst_upload_checksum_see(exchange, &question.name, &question.agreed);
    }
    page.shows_checksums = question.agreed.is_declared;
    if (status == LST_OK && question.count > 0) {
        status = lst_upload_parts(exchange->s3->options.store, &question.name, question.marker,
                                  (size_t)question.count, write_part, &page, &is_truncated);
    }
    if (status == LST_OK) {
        answer_parts(exchange, &question, &sight, &page, is_truncated);
    } else {
        lst_s3_fail_code(exchange, status);
    }
    lst_buffer_release(&page.contents);
}
