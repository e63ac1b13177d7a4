/* attributes.c - GetObjectAttributes. */
#include "base/clock.h"
#include "s3/list_parts.h"
#include "s3/read_object.h"
#include "s3/xml.h"

/* Which of them are asked for, a bit each. */
enum attribute {
    ATTRIBUTE_ETAG = 1 << 0,
    ATTRIBUTE_CHECKSUM = 1 << 1,
    ATTRIBUTE_OBJECT_PARTS = 1 << 2,
    ATTRIBUTE_STORAGE_CLASS = 1 << 3,
    ATTRIBUTE_OBJECT_SIZE = 1 << 4,
};

struct question {
    unsigned attributes;
    uint64_t max_parts;
    uint32_t marker;
};

static unsigned attribute_of(struct lst_slice name)
{
    static const char *const names[] = {"ETag", "Checksum", "ObjectParts", "StorageClass",
                                        "ObjectSize"};

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (lst_slice_equal(name, lst_slice_of(names[i]))) {
            return 1U << i;
        }
    }
    return 0;
}

/* Names parted by commas; S3 passes over commas at the end. False, having answered, if there is a
 * wrong one. */
static bool read_names(struct lst_s3_exchange *exchange, struct lst_slice list,
                       unsigned *attributes)
{
    struct lst_slice part;

    while (list.length > 0 && list.bytes[list.length - 1] == ',') {
        list = lst_slice_trim(lst_slice_first(list, list.length - 1));
        if (list.length == 0) {
            return true;
        }
    }
    list = list.length > 0 ? list : LST_SLICE("");
    while (lst_slice_split(&list, ',', &part)) {
        part = lst_slice_trim(part);
        if (attribute_of(part) == 0) {
            lst_s3_fail_argument(exchange, "Invalid attribute name specified.",
                                 "x-amz-object-attributes", part);
            return false;
        }
        *attributes |= attribute_of(part);
    }
    return true;
}

/* Whether anything is asked for is seen later. */
static bool read_attributes(struct lst_s3_exchange *exchange, unsigned *ret_attributes)
{
    struct lst_slice names = lst_http_header(exchange->request, LST_HEADER_AMZ_OBJECT_ATTRIBUTES);

    *ret_attributes = 0;
    return names.bytes == NULL || read_names(exchange, lst_slice_trim(names), ret_attributes);
}

/* Of a bucket that is there. False, having answered, if nothing is asked for. */
static bool check_attributes(struct lst_s3_exchange *exchange, const struct question *question)
{
    struct lst_bucket_sight sight;
    int status = lst_bucket_see(exchange, &sight);

    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
    } else if (question->attributes == 0) {
        lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST,
                         "The x-amz-object-attributes header specifying the attributes to be "
                         "retrieved is either missing or empty",
                         NULL, 0);
    }
    return status == LST_OK && question->attributes != 0;
}

static bool read_question(struct lst_s3_exchange *exchange, struct question *question)
{
    struct lst_slice max_parts;
    struct lst_slice marker;

    (void)lst_s3_option(exchange, LST_HEADER_AMZ_MAX_PARTS, &max_parts);
    (void)lst_s3_option(exchange, LST_HEADER_AMZ_PART_NUMBER_MARKER, &marker);
    return read_attributes(exchange, &question->attributes) &&
           lst_page_count_read(exchange, "max-parts", max_parts, &question->max_parts) &&
           lst_part_marker_read(exchange, "part-number-marker", marker, &question->marker);
}

/* ---- Parts */

struct page {
    const struct question *question;
    struct lst_buffer contents;
    uint64_t count;
    uint32_t last;
    bool is_truncated;
};

static int write_part(void *context, const struct lst_object_part *part)
{
    struct page *page = context;
    struct lst_buffer *body = &page->contents;
    struct lst_slice text;
    enum lst_checksum_kind kind = lst_checksum_of_fields(part->fields, part->field_count, &text);

    if (part->number <= page->question->marker) {
        return LST_OK;
    }
    if (page->count == page->question->max_parts) {
        page->is_truncated = true;
        return LST_ERR_CLOSED;
    }
    page->count++;
    page->last = part->number;
    lst_xml_open(body, "Part");
    if (kind != LST_CHECKSUM_NONE) {
        lst_xml_text(body, lst_checksum_element(kind), text);
    }
    lst_xml_number(body, "PartNumber", part->number);
    lst_xml_number(body, "Size", part->size);
    lst_xml_close(body, "Part");
    return lst_buffer_status(body);
}

/* S3 lists the parts of objects with a composite checksum alone; of others it says how many. */
static int write_parts(struct lst_buffer *body, struct lst_object *object,
                       const struct question *question)
{
    struct page page = {.question = question};
    struct lst_slice text;
    int status = LST_OK;

    (void)lst_checksum_of_fields(object->fields, object->field_count, &text);
    lst_xml_open(body, "ObjectParts");
    if (lst_slice_find(text, '-') < text.length) {
        lst_buffer_init(&page.contents, LST_RESPONSE_BODY_MAX);
        status = lst_object_parts(object, 0, write_part, &page);
        lst_xml_string(body, "IsTruncated", page.is_truncated ? "true" : "false");
        lst_xml_number(body, "MaxParts", question->max_parts);
        lst_xml_number(body, "NextPartNumberMarker", page.last);
        lst_xml_number(body, "PartNumberMarker", question->marker);
        lst_buffer_append(body, lst_buffer_slice(&page.contents));
        lst_buffer_release(&page.contents);
    }
    lst_xml_number(body, "PartsCount", object->part_count);
    lst_xml_close(body, "ObjectParts");
    return status == LST_ERR_CLOSED ? LST_OK : status;
}

/* ---- Answering */

/* A composite is told without its number of parts here. */
static void write_checksum(struct lst_buffer *body, const struct lst_object *object)
{
    struct lst_slice text;
    enum lst_checksum_kind kind =
        lst_checksum_of_fields(object->fields, object->field_count, &text);

    if (kind != LST_CHECKSUM_NONE) {
        lst_xml_open(body, "Checksum");
        lst_xml_text(body, lst_checksum_element(kind),
                     lst_slice_first(text, lst_slice_find(text, '-')));
        lst_xml_string(body, "ChecksumType", lst_checksum_type(text));
        lst_xml_close(body, "Checksum");
    }
}

static void answer_attributes(struct lst_s3_exchange *exchange, struct lst_object *object,
                              const struct question *question)
{
    struct lst_http_response *response = lst_s3_answer_begin(exchange, 200);
    struct lst_buffer *body = &response->body;
    char date[LST_HTTP_DATE_LENGTH];
    int status = LST_OK;

    lst_clock_format_http(lst_clock_whole_seconds(object->modified_ms), date);
    lst_http_response_add(response, "Last-Modified", lst_slice_make(date, sizeof(date)));
    lst_s3_answer_version(exchange, &object->version);
    lst_xml_begin(body, "GetObjectAttributesResponse");
    if ((question->attributes & ATTRIBUTE_ETAG) != 0) {
        lst_xml_text(body, "ETag", object->etag); /* without quotes, as S3 has it here alone */
    }
    if ((question->attributes & ATTRIBUTE_CHECKSUM) != 0) {
        write_checksum(body, object);
    }
    if ((question->attributes & ATTRIBUTE_OBJECT_PARTS) != 0 && object->part_count > 0) {
        status = write_parts(body, object, question);
    }
    if ((question->attributes & ATTRIBUTE_STORAGE_CLASS) != 0) {
        lst_xml_string(body, "StorageClass", "STANDARD");
    }
    if ((question->attributes & ATTRIBUTE_OBJECT_SIZE) != 0) {
        lst_xml_number(body, "ObjectSize", object->size);
    }
    lst_xml_close(body, "GetObjectAttributesResponse");
    if (status == LST_OK) {
        lst_s3_answer_xml(exchange);
    } else {
        lst_s3_fail_code(exchange, status);
    }
}

/* "GetObjectAttributes": besides the action of its own, that of GetObject. */
static bool may_read(struct lst_s3_exchange *exchange)
{
    const char *action = exchange->has_version ? "s3:GetObjectVersion" : "s3:GetObject";

    if (lst_s3_is_allowed(exchange, action, exchange->target.key)) {
        return true;
    }
    lst_s3_set_reason(exchange, "the policies of user %s do not allow %s here",
                      lst_passage_user_name(&exchange->passage), action);
    lst_s3_fail(exchange, LST_S3_ACCESS_DENIED);
    return false;
}

void lst_get_object_attributes(struct lst_s3_exchange *exchange)
{
    struct question question;
    struct lst_object object;

    if (may_read(exchange) && read_question(exchange, &question) &&
        check_attributes(exchange, &question) && lst_read_object(exchange, false, &object)) {
        answer_attributes(exchange, &object, &question);
        lst_object_close(&object);
    }
}
