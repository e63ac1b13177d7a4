/* complete_read.c - the document that completes a multipart upload. */
#include "base/encoding.h"
#include "s3/complete.h"
#include "s3/exchange.h"
#include "s3/xml_read.h"

#include <stdlib.h>

enum { TEXT_MAX = 1024 /* bytes of one element */ };

struct reading {
    struct lst_parts_list *list;
    struct lst_listed_part part; /* the one that is being read */
    bool has_number;
    bool has_etag;
};

void lst_parts_list_release(struct lst_parts_list *list)
{
    free(list->parts);
    *list = (struct lst_parts_list){.parts = NULL};
}

static int add_part(struct lst_parts_list *list, const struct lst_listed_part *part)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
        struct lst_listed_part *parts = realloc(list->parts, capacity * sizeof(*parts));
        if (parts == NULL) {
            return LST_ERR_NO_MEMORY;
        }
        list->parts = parts;
        list->capacity = capacity;
    }
    list->parts[list->count++] = *part;
    return LST_OK;
}

static int stop(struct reading *reading, enum lst_parts_problem problem)
{
    reading->list->problem = problem;
    return LST_ERR_MALFORMED;
}

static int end_part(struct reading *reading)
{
    const struct lst_parts_list *list = reading->list;
    struct lst_listed_part part = reading->part;

    if (!reading->has_number || !reading->has_etag) {
        return LST_ERR_MALFORMED;
    }
    if (list->count > 0 && list->parts[list->count - 1].number >= part.number) {
        return stop(reading, LST_PARTS_NOT_ASCENDING);
    }
    reading->part = (struct lst_listed_part){.number = 0};
    reading->has_number = false;
    reading->has_etag = false;
    return add_part(reading->list, &part);
}

static int read_number(struct reading *reading, struct lst_slice text)
{
    struct lst_slice trimmed =
        lst_slice_first(lst_slice_trim(text), sizeof(reading->list->culprit));
    bool is_negative = trimmed.length > 1 && trimmed.bytes[0] == '-';
    uint64_t number;

    if (reading->has_number || lst_slice_trim(text).length > trimmed.length ||
        !lst_slice_to_number(lst_slice_after(trimmed, is_negative ? 1 : 0), INT32_MAX, &number)) {
        return LST_ERR_MALFORMED;
    }
    memcpy(reading->list->culprit, trimmed.bytes, trimmed.length);
    reading->list->culprit_length = trimmed.length;
    if (is_negative || number == 0) {
        return stop(reading, LST_PARTS_NUMBER_TOO_SMALL);
    }
    if (number > LST_PART_NUMBER_MAX) {
        return stop(reading, LST_PARTS_NUMBER_TOO_LARGE);
    }
    reading->has_number = true;
    reading->part.number = (uint32_t)number;
    return LST_OK;
}

static int read_etag(struct reading *reading, struct lst_slice text)
{
    struct lst_slice etag = lst_s3_unquote(text);

    if (reading->has_etag) {
        return LST_ERR_MALFORMED;
    }
    reading->has_etag = true;
    if (etag.length > 0 && etag.length <= sizeof(reading->part.etag)) {
        memcpy(reading->part.etag, etag.bytes, etag.length);
        reading->part.etag_length = (uint8_t)etag.length;
    }
    return LST_OK;
}

static int read_checksum(struct reading *reading, const char *element, struct lst_slice text)
{
    enum lst_checksum_kind kind = lst_checksum_of_element(element);
    uint8_t digest[LST_CHECKSUM_SIZE_MAX];

    text = lst_slice_trim(text);
    if (kind == LST_CHECKSUM_NONE) {
        return LST_ERR_MALFORMED;
    }
    if (reading->part.kind != LST_CHECKSUM_NONE || text.length > sizeof(reading->part.checksum) ||
        !lst_base64_decode(text, digest, lst_checksum_size(kind))) {
        return stop(reading, LST_PARTS_BAD_CHECKSUM);
    }
    reading->part.kind = kind;
    memcpy(reading->part.checksum, text.bytes, text.length);
    reading->part.checksum_length = (uint8_t)text.length;
    return LST_OK;
}

static int visit(void *context, const char *path, struct lst_slice text)
{
    static const char part[] = "CompleteMultipartUpload/Part";
    struct reading *reading = context;
    const char *element;

    if (strcmp(path, "CompleteMultipartUpload") == 0) {
        return LST_OK;
    }
    if (strcmp(path, part) == 0) {
        return end_part(reading);
    }
    if (strncmp(path, part, sizeof(part) - 1) != 0 || path[sizeof(part) - 1] != '/') {
        return LST_ERR_MALFORMED;
    }
    element = path + sizeof(part);
    if (strcmp(element, "PartNumber") == 0) {
        return read_number(reading, text);
    }
    if (strcmp(element, "ETag") == 0) {
        return read_etag(reading, text);
    }
    return read_checksum(reading, element, text);
}

int lst_parts_list_parse(struct lst_slice document, struct lst_parts_list *ret_list)
{
    struct reading reading = {.list = ret_list};

    return lst_xml_read(document, TEXT_MAX, visit, &reading);
}

static void fail_problem(struct lst_s3_exchange *exchange, const struct lst_parts_list *list,
                         struct lst_slice upload)
{
    struct lst_slice culprit = lst_slice_make(list->culprit, list->culprit_length);

    switch (list->problem) {
    case LST_PARTS_NUMBER_TOO_SMALL:
        lst_s3_fail_argument(exchange, "PartNumber must be >= 1", "PartNumber", culprit);
        break;
    case LST_PARTS_NUMBER_TOO_LARGE:
        lst_s3_fail_argument(exchange,
                             "Part number must be an integer between 1 and 10000, inclusive",
                             "partNumber", culprit);
        break;
    case LST_PARTS_NOT_ASCENDING:
        lst_s3_fail_about(exchange, LST_S3_INVALID_PART_ORDER, NULL, "UploadId", upload);
        break;
    case LST_PARTS_BAD_CHECKSUM:
        lst_s3_fail_argument(exchange, "Invalid Base64 or multiple checksums present in request",
                             "Checksum", lst_slice_make("", 0));
        break;
    case LST_PARTS_FINE:
        lst_s3_fail(exchange, LST_S3_MALFORMED_XML);
        break;
    }
}

bool lst_parts_list_read(struct lst_s3_exchange *exchange, struct lst_slice document,
                         struct lst_slice upload, struct lst_parts_list *ret_list)
{
    struct lst_upload_checksum agreed;
    struct lst_upload_name name = {exchange->target.bucket, exchange->target.key, upload};
    int status = document.length == 0 ? LST_OK : lst_parts_list_parse(document, ret_list);
    int seen;

    if (status == LST_OK && ret_list->count > 0) {
        return true;
    }
    if (status != LST_OK && status != LST_ERR_MALFORMED) {
        lst_s3_fail_code(exchange, status); /* it is not known what was asked for */
        return false;
    }
    /* Of an upload that is not there nothing else is told. */
    seen = lst_upload_checksum_see(exchange, &name, &agreed);
    if (seen != LST_OK) {
        lst_s3_fail_code(exchange, seen);
    } else if (status == LST_ERR_MALFORMED) {
        fail_problem(exchange, ret_list, upload);
    } else {
        lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST, "You must specify at least one part",
                         NULL, 0);
    }
    return false;
}
