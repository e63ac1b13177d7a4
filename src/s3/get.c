/* get.c - GetObject and HeadObject. */
#include "base/clock.h"
#include "http/conditions.h"
#include "http/range.h"
#include "s3/bucket.h"
#include "s3/checksum.h"
#include "s3/constraints.h"
#include "s3/get_fields.h"
#include "s3/read_object.h"
#include "s3/upload_part.h"

#include <stdio.h>

/* What is asked for of the object. */
struct piece {
    bool is_range;
    uint64_t first;
    uint64_t length;

    /* By the number of a part: its checksum, if it has one of its own. */
    bool is_part;
    enum lst_checksum_kind kind;
    char checksum[LST_CHECKSUM_TEXT_MAX];
    size_t checksum_length;
};

/* The checksum of what is answered with: of a range that is neither a part nor all there is none.
 */
static void add_checksum(struct lst_s3_exchange *exchange, const struct lst_object *object,
                         const struct piece *piece)
{
    struct lst_slice text = lst_slice_make(piece->checksum, piece->checksum_length);
    enum lst_checksum_kind kind = piece->kind;
    struct lst_slice whole;
    struct lst_slice mode;

    if ((piece->length < object->size && piece->checksum_length == 0) ||
        !lst_s3_option(exchange, LST_HEADER_AMZ_CHECKSUM_MODE, &mode) ||
        !lst_slice_equal_ignoring_case(mode, LST_SLICE("ENABLED"))) {
        return;
    }
    if (lst_checksum_of_fields(object->fields, object->field_count, &whole) == LST_CHECKSUM_NONE) {
        return;
    }
    if (piece->checksum_length == 0) {
        kind = lst_checksum_of_fields(object->fields, object->field_count, &text);
    }
    lst_http_response_add(&exchange->response, lst_checksum_header(kind), text);
    lst_http_response_add(&exchange->response, "x-amz-checksum-type",
                          lst_slice_of(lst_checksum_type(whole)));
}

static void add_validators(struct lst_s3_exchange *exchange, const struct lst_object *object)
{
    char date[LST_HTTP_DATE_LENGTH];

    lst_clock_format_http(lst_clock_whole_seconds(object->modified_ms), date);
    lst_http_response_add(&exchange->response, "Last-Modified", lst_slice_make(date, sizeof(date)));
    lst_s3_answer_etag(exchange, object->etag);
    lst_s3_answer_version(exchange, &object->version);
}

static int read_stream(void *context, char *out, size_t capacity, size_t *ret_length)
{
    return lst_object_stream_read(context, out, capacity, ret_length);
}

static int file_of_stream(void *context, uint64_t most, int *ret_file, uint64_t *ret_offset,
                          uint64_t *ret_length)
{
    return lst_object_stream_file(context, most, ret_file, ret_offset, ret_length);
}

static void close_stream(void *context)
{
    lst_object_stream_close(context);
}

/* Bytes that are neither in the index nor in one file: read while they are sent. */
static int add_stream(struct lst_http_response *response, struct lst_object *object,
                      const struct piece *piece)
{
    struct lst_object_stream *stream;
    int status = lst_object_stream_open(object, piece->first, piece->length, &stream);

    if (status == LST_OK) {
        response->kind = LST_BODY_STREAM;
        response->stream = (struct lst_http_stream){
            .read = read_stream, .close = close_stream, .context = stream, .file = file_of_stream};
    }
    return status;
}

static void close_blob(void *owner)
{
    lst_blob_close(owner);
}

/* Hand over the bytes: a copy of a small body, the file that they are in, or a stream. */
static void add_body(struct lst_s3_exchange *exchange, struct lst_object *object,
                     const struct piece *piece)
{
    struct lst_http_response *response = &exchange->response;
    struct lst_blob_reader *blob;
    int status = LST_OK;

    response->length = piece->length;
    if (lst_s3_is_head(exchange)) {
        response->kind = LST_BODY_LENGTH;
    } else if (object->is_inline || piece->length == 0) {
        response->kind = LST_BODY_BYTES;
        lst_buffer_append(
            &response->body,
            lst_slice_first(lst_slice_after(object->body, piece->first), piece->length));
    } else {
        response->file =
            lst_object_take_file(object, piece->first, piece->length, &blob, &response->offset);
        if (response->file < 0) {
            status = add_stream(response, object, piece);
        } else {
            response->kind = LST_BODY_FILE;
            response->give_file = close_blob;
            response->file_owner = blob;
        }
    }
    if (status == LST_OK) {
        lst_s3_answer_end(exchange);
    } else {
        lst_s3_fail_code(exchange, status);
    }
}

static void answer(struct lst_s3_exchange *exchange, struct lst_object *object,
                   const struct piece *piece)
{
    struct lst_http_response *response = lst_s3_answer_begin(exchange, piece->is_range ? 206 : 200);
    char range[80];

    add_validators(exchange, object);
    lst_http_response_add(response, "Accept-Ranges", LST_SLICE("bytes"));
    if (piece->is_range) {
        (void)snprintf(range, sizeof(range), "bytes %llu-%llu/%llu",
                       (unsigned long long)piece->first,
                       (unsigned long long)(piece->first + piece->length - 1),
                       (unsigned long long)object->size);
        lst_http_response_add(response, "Content-Range", lst_slice_of(range));
    }
    if (piece->is_part && object->part_count > 0) {
        lst_http_response_add_number(response, "x-amz-mp-parts-count", object->part_count);
    }
    if (object->tag_count > 0 &&
        lst_s3_is_allowed(
            exchange, exchange->has_version ? "s3:GetObjectVersionTagging" : "s3:GetObjectTagging",
            exchange->target.key)) {
        lst_http_response_add_number(response, "x-amz-tagging-count", object->tag_count);
    }
    if (!lst_get_add_fields(exchange, object)) {
        return;
    }
    add_checksum(exchange, object, piece);
    add_body(exchange, object, piece);
}

/* How long the copy that the client has stays fresh (RFC 9110, section 15.4.5). */
static void add_freshness(struct lst_s3_exchange *exchange, const struct lst_object *object)
{
    static const struct {
        const char *header;
        enum lst_parameter parameter;
    } freshness[] = {{"Cache-Control", LST_PARAMETER_RESPONSE_CACHE_CONTROL},
                     {"Expires", LST_PARAMETER_RESPONSE_EXPIRES}};
    struct lst_slice value;

    for (size_t i = 0; i < sizeof(freshness) / sizeof(freshness[0]); i++) {
        bool is_overridden = lst_s3_parameter(exchange, freshness[i].parameter, &value);
        for (size_t j = 0; j < object->field_count && !is_overridden; j++) {
            if (lst_slice_equal(object->fields[j].name, lst_slice_of(freshness[i].header))) {
                value = object->fields[j].value;
            }
        }
        if (value.length > 0) {
            lst_http_response_add(&exchange->response, freshness[i].header, value);
        }
    }
}

static void answer_not_modified(struct lst_s3_exchange *exchange, const struct lst_object *object)
{
    struct lst_http_response *response = lst_s3_answer_begin(exchange, 304);

    add_validators(exchange, object);
    add_freshness(exchange, object);
    /* The length that a 200 would have (RFC 9110, section 8.6): the connection stays usable. */
    response->kind = LST_BODY_LENGTH;
    response->length = object->size;
    lst_s3_answer_end(exchange);
}

static void answer_unsatisfiable(struct lst_s3_exchange *exchange, struct lst_slice range,
                                 uint64_t size)
{
    char text[24];
    char content_range[40];

    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)size);
    (void)snprintf(content_range, sizeof(content_range), "bytes */%s", text);
    struct lst_field details[] = {
        {LST_SLICE("RangeRequested"), range},
        {LST_SLICE("ActualObjectSize"), lst_slice_of(text)},
    };
    lst_s3_fail_with(exchange, LST_S3_INVALID_RANGE, NULL, details, 2);
    lst_http_response_add(&exchange->response, "Content-Range", lst_slice_of(content_range));
}

/* ---- By the number of a part */

static int see_part(void *context, const struct lst_object_part *part)
{
    struct piece *piece = context;
    struct lst_slice text;

    piece->first = part->first;
    piece->length = part->size;
    piece->kind = lst_checksum_of_fields(part->fields, part->field_count, &text);
    text = lst_slice_first(text, sizeof(piece->checksum));
    if (text.length > 0) {
        memcpy(piece->checksum, text.bytes, text.length);
    }
    piece->checksum_length = text.length;
    return LST_ERR_CLOSED; /* one is enough */
}

static void answer_no_part(struct lst_s3_exchange *exchange, const struct lst_object *object,
                           uint32_t number)
{
    char actual[16];
    char requested[16];

    (void)snprintf(actual, sizeof(actual), "%u", object->part_count > 0 ? object->part_count : 1);
    (void)snprintf(requested, sizeof(requested), "%u", number);
    struct lst_field details[] = {
        {LST_SLICE("PartNumberRequested"), lst_slice_of(requested)},
        {LST_SLICE("ActualPartCount"), lst_slice_of(actual)},
    };
    lst_s3_fail_with(exchange, LST_S3_INVALID_PART_NUMBER, NULL, details, 2);
}

/* The checksum of all is that of the only part, and of several parts that of none. */
static void keep_whole(const struct lst_object *object, struct piece *piece)
{
    struct lst_slice text;

    piece->kind = lst_checksum_of_fields(object->fields, object->field_count, &text);
    text = lst_slice_first(text, object->part_count > 1 ? 0 : sizeof(piece->checksum));
    piece->checksum_length = text.length;
    if (text.length > 0) {
        memcpy(piece->checksum, text.bytes, text.length);
    }
}

/*
 * The parts of an object are counted from 1, whatever the numbers that they were uploaded by; an
 * object that was uploaded at once is its only part. Parts of an object whose checksum is that of
 * all its bytes have none that S3 would tell.
 */
static bool find_part(struct lst_s3_exchange *exchange, struct lst_object *object, uint32_t number,
                      struct piece *piece)
{
    struct lst_slice whole;
    int status;

    piece->is_part = true;
    piece->is_range = object->size > 0;
    if (number > (object->part_count > 0 ? object->part_count : 1)) {
        answer_no_part(exchange, object, number);
        return false;
    }
    (void)lst_checksum_of_fields(object->fields, object->field_count, &whole);
    if (object->part_count == 0) {
        keep_whole(object, piece);
        return true;
    }
    status = lst_object_parts(object, number - 1, see_part, piece);
    if (status != LST_ERR_CLOSED) {
        lst_s3_fail_code(exchange, status == LST_OK ? LST_ERR_CORRUPT : status);
        return false;
    }
    piece->is_range = piece->length > 0;
    if (strcmp(lst_checksum_type(whole), LST_CHECKSUM_FULL_OBJECT) == 0) {
        keep_whole(object, piece);
    }
    return true;
}

/* ---- Choosing */

/* What the request asks for. False, having answered, if that is not there. */
static bool choose_piece(struct lst_s3_exchange *exchange, struct lst_object *object,
                         uint32_t part_number, struct piece *piece)
{
    const struct lst_http_request *request = exchange->request;
    struct lst_slice range = lst_http_header(request, LST_HEADER_RANGE);
    uint64_t last;

    if (part_number > 0) {
        return find_part(exchange, object, part_number, piece);
    }
    if (range.length == 0 ||
        !lst_conditions_range_counts(request, object->etag,
                                     lst_clock_whole_seconds(object->modified_ms))) {
        return true;
    }
    switch (lst_range_parse(range, object->size, &piece->first, &last)) {
    case LST_RANGE_UNSATISFIABLE:
        answer_unsatisfiable(exchange, range, object->size);
        return false;
    case LST_RANGE_PART:
        piece->is_range = true;
        piece->length = last - piece->first + 1;
        break;
    case LST_RANGE_WHOLE:
        break;
    }
    return true;
}

/* SDKs move conditions into the query of a URL that they presign, where they count as well. */
static struct lst_conditions read_conditions(struct lst_s3_exchange *exchange)
{
    struct lst_conditions conditions;

    (void)lst_s3_option(exchange, LST_HEADER_IF_MATCH, &conditions.match);
    (void)lst_s3_option(exchange, LST_HEADER_IF_NONE_MATCH, &conditions.none_match);
    (void)lst_s3_option(exchange, LST_HEADER_IF_UNMODIFIED_SINCE, &conditions.unmodified_since);
    (void)lst_s3_option(exchange, LST_HEADER_IF_MODIFIED_SINCE, &conditions.modified_since);
    return conditions;
}

static void answer_object(struct lst_s3_exchange *exchange, struct lst_object *object,
                          uint32_t part_number)
{
    struct lst_conditions conditions = read_conditions(exchange);
    const char *condition = NULL;
    struct piece piece = {.length = object->size};

    switch (lst_conditions_hold(&conditions, exchange->request, object->etag,
                                lst_clock_whole_seconds(object->modified_ms), &condition)) {
    case LST_CONDITIONS_NOT_MODIFIED:
        answer_not_modified(exchange, object);
        break;
    case LST_CONDITIONS_FAILED:
        lst_s3_fail_about(exchange, LST_S3_PRECONDITION_FAILED, NULL, "Condition",
                          lst_slice_of(condition));
        break;
    case LST_CONDITIONS_HOLD:
        if (choose_piece(exchange, object, part_number, &piece)) {
            answer(exchange, object, &piece);
        }
        break;
    }
}

/* False, having answered, if the partNumber is none, or stands beside a Range. */
static bool read_part_number(struct lst_s3_exchange *exchange, uint32_t *ret_number)
{
    struct lst_bucket_sight sight;
    struct lst_slice text;

    if (!lst_s3_parameter(exchange, LST_PARAMETER_PART_NUMBER, &text)) {
        *ret_number = 0;
        return true;
    }
    if (lst_bucket_see(exchange, &sight) == LST_ERR_BUCKET_NOT_FOUND) {
        lst_s3_fail_code(exchange, LST_ERR_BUCKET_NOT_FOUND);
        return false;
    }
    if (lst_http_header(exchange->request, LST_HEADER_RANGE).bytes != NULL) {
        lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST,
                         "Cannot specify both Range header and partNumber query parameter", NULL,
                         0);
        return false;
    }
    return lst_part_number_read(exchange, text, ret_number);
}

/* False, having answered, if the mode is another than the one that there is. */
static bool check_mode(struct lst_s3_exchange *exchange)
{
    struct lst_bucket_sight sight;
    struct lst_slice mode;
    int status;

    if (!lst_s3_option(exchange, LST_HEADER_AMZ_CHECKSUM_MODE, &mode) ||
        lst_slice_equal_ignoring_case(mode, LST_SLICE("ENABLED"))) {
        return true;
    }
    status = lst_bucket_see(exchange, &sight);
    if (status == LST_ERR_BUCKET_NOT_FOUND) {
        lst_s3_fail_code(exchange, status);
    } else {
        lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST,
                         "Value for x-amz-checksum-mode header is invalid.", NULL, 0);
    }
    return false;
}

void lst_get_object(struct lst_s3_exchange *exchange)
{
    struct lst_object object;
    uint32_t part_number;

    if (lst_s3_check_version(exchange) && read_part_number(exchange, &part_number) &&
        check_mode(exchange) && lst_read_object(exchange, !lst_s3_is_head(exchange), &object)) {
        if (lst_s3_constrain_etag(exchange, object.etag)) {
            answer_object(exchange, &object, part_number);
        }
        lst_object_close(&object);
    }
}
