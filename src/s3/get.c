/* get.c - GetObject and HeadObject. */
#include "base/clock.h"
#include "blob/blob.h"
#include "http/conditions.h"
#include "http/range.h"
#include "s3/checksum.h"
#include "s3/exchange.h"

#include <stdio.h>

/* The part of the object that is asked for. */
struct part {
    bool is_range;
    uint64_t first;
    uint64_t length;
};

/* Query parameters that replace a header of the answer, which only a signed request may have. */
static const struct {
    const char *parameter; /* after "response-" */
    const char *header;
} overrides[] = {
    {"cache-control", "Cache-Control"},       {"content-disposition", "Content-Disposition"},
    {"content-encoding", "Content-Encoding"}, {"content-language", "Content-Language"},
    {"content-type", "Content-Type"},         {"expires", "Expires"},
};

enum { OVERRIDE_COUNT = sizeof(overrides) / sizeof(overrides[0]) };

/* Add the headers that the query asks for. Bit i is set for overrides[i]. */
static unsigned add_overrides(struct lst_s3_exchange *exchange)
{
    struct lst_slice rest = exchange->query;
    struct lst_slice name;
    struct lst_field raw;
    unsigned overridden = 0;

    while (lst_http_next_parameter(&rest, &raw)) {
        if (!lst_http_name_starts_with(raw.name, LST_SLICE("response-"), &name)) {
            continue;
        }
        for (unsigned i = 0; i < OVERRIDE_COUNT; i++) {
            if ((overridden & 1U << i) == 0 &&
                lst_http_name_is(name, lst_slice_of(overrides[i].parameter))) {
                lst_http_response_add(&exchange->response, overrides[i].header,
                                      lst_s3_decode(exchange, raw.value));
                overridden |= 1U << i;
            }
        }
    }
    return overridden;
}

static bool is_overridden(struct lst_slice name, unsigned overridden)
{
    for (unsigned i = 0; i < OVERRIDE_COUNT && overridden != 0; i++) {
        if ((overridden & 1U << i) != 0 &&
            lst_slice_equal(name, lst_slice_of(overrides[i].header))) {
            return true;
        }
    }
    return false;
}

/* The headers that the object was put with. */
static void add_fields(struct lst_s3_exchange *exchange, const struct lst_object *object,
                       bool with_checksum)
{
    unsigned overridden = add_overrides(exchange);
    bool has_type = is_overridden(LST_SLICE("Content-Type"), overridden);

    for (size_t i = 0; i < object->field_count; i++) {
        const struct lst_field *field = &object->fields[i];
        bool is_checksum = lst_slice_starts_with(field->name, LST_SLICE("x-amz-checksum-"));
        if (is_overridden(field->name, overridden) || (is_checksum && !with_checksum)) {
            continue;
        }
        lst_http_response_add_field(&exchange->response, field->name, field->value);
        if (is_checksum) {
            lst_http_response_add(&exchange->response, "x-amz-checksum-type",
                                  LST_SLICE("FULL_OBJECT"));
        }
        has_type = has_type || lst_slice_equal(field->name, LST_SLICE("Content-Type"));
    }
    if (!has_type) {
        lst_http_response_add(&exchange->response, "Content-Type",
                              LST_SLICE("binary/octet-stream"));
    }
}

static void add_validators(struct lst_http_response *response, const struct lst_object *object)
{
    char date[LST_HTTP_DATE_LENGTH];
    char etag[2 + 128];
    struct lst_slice tag = lst_slice_first(object->etag, sizeof(etag) - 2);

    lst_clock_format_http(object->modified_ms / 1000, date);
    lst_http_response_add(response, "Last-Modified", lst_slice_make(date, sizeof(date)));
    etag[0] = '"';
    memcpy(etag + 1, tag.bytes, tag.length);
    etag[tag.length + 1] = '"';
    lst_http_response_add(response, "ETag", lst_slice_make(etag, tag.length + 2));
}

/* Hand over the bytes: a copy of a small body, the file of a large one. */
static void add_body(struct lst_s3_exchange *exchange, struct lst_object *object,
                     const struct part *part)
{
    struct lst_http_response *response = &exchange->response;

    response->length = part->length;
    if (lst_s3_is_head(exchange)) {
        response->kind = LST_BODY_LENGTH;
    } else if (object->is_inline) {
        response->kind = LST_BODY_BYTES;
        lst_buffer_append(
            &response->body,
            lst_slice_first(lst_slice_after(object->body, part->first), part->length));
    } else {
        response->kind = LST_BODY_FILE;
        response->offset = part->first;
        response->file = lst_blob_take_file(object->blob);
    }
    if (response->kind == LST_BODY_FILE && response->file < 0) {
        lst_s3_fail_code(exchange, LST_ERR_IO);
    } else {
        lst_s3_answer_end(exchange);
    }
}

static void answer(struct lst_s3_exchange *exchange, struct lst_object *object,
                   const struct part *part)
{
    struct lst_http_response *response = lst_s3_answer_begin(exchange, part->is_range ? 206 : 200);
    struct lst_slice mode;
    bool with_checksum = !part->is_range && lst_s3_option(exchange, "x-amz-checksum-mode", &mode) &&
                         lst_slice_equal_ignoring_case(mode, LST_SLICE("ENABLED"));
    char range[80];

    add_validators(response, object);
    lst_http_response_add(response, "Accept-Ranges", LST_SLICE("bytes"));
    if (part->is_range) {
        (void)snprintf(
            range, sizeof(range), "bytes %llu-%llu/%llu", (unsigned long long)part->first,
            (unsigned long long)(part->first + part->length - 1), (unsigned long long)object->size);
        lst_http_response_add(response, "Content-Range", lst_slice_of(range));
    }
    add_fields(exchange, object, with_checksum);
    add_body(exchange, object, part);
}

static void answer_not_modified(struct lst_s3_exchange *exchange, const struct lst_object *object)
{
    struct lst_http_response *response = lst_s3_answer_begin(exchange, 304);

    add_validators(response, object);
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
        {LST_SLICE("ActualObjectSize"), lst_slice_of(text)},
        {LST_SLICE("RangeRequested"), range},
    };
    lst_s3_fail_with(exchange, LST_S3_INVALID_RANGE, NULL, details, 2);
    lst_http_response_add(&exchange->response, "Content-Range", lst_slice_of(content_range));
}

static void answer_object(struct lst_s3_exchange *exchange, struct lst_object *object)
{
    const struct lst_http_request *request = exchange->request;
    int64_t modified = object->modified_ms / 1000;
    const char *condition = NULL;
    struct lst_slice range = lst_http_header(request, LST_SLICE("Range"));
    enum lst_verdict verdict = lst_conditions_check(request, object->etag, modified, &condition);
    struct part part = {false, 0, object->size};
    uint64_t last;

    if (verdict == LST_CONDITIONS_NOT_MODIFIED) {
        answer_not_modified(exchange, object);
        return;
    }
    if (verdict == LST_CONDITIONS_FAILED) {
        lst_s3_fail_about(exchange, LST_S3_PRECONDITION_FAILED, NULL, "Condition",
                          lst_slice_of(condition));
        return;
    }
    if (range.length > 0 && lst_conditions_range_counts(request, object->etag, modified)) {
        switch (lst_range_parse(range, object->size, &part.first, &last)) {
        case LST_RANGE_UNSATISFIABLE:
            answer_unsatisfiable(exchange, range, object->size);
            return;
        case LST_RANGE_PART:
            part.is_range = true;
            part.length = last - part.first + 1;
            break;
        case LST_RANGE_WHOLE:
            break;
        }
    }
    answer(exchange, object, &part);
}

void lst_get_object(struct lst_s3_exchange *exchange)
{
    struct lst_object object;
    int status;

    if (!lst_s3_check_version(exchange)) {
        return;
    }
    status = lst_object_open(exchange->s3->options.store, exchange->target.bucket,
                             exchange->target.key, !lst_s3_is_head(exchange), &object);
    if (status == LST_ERR_KEY_NOT_FOUND &&
        !lst_s3_is_allowed(exchange, "s3:ListBucket", lst_slice_make(NULL, 0))) {
        /* Whoever may not list the bucket is not told which keys it lacks. */
        lst_s3_set_reason(exchange,
                          "the object does not exist, and user %s may not list the bucket",
                          lst_passage_user_name(&exchange->passage));
        lst_s3_fail(exchange, LST_S3_ACCESS_DENIED);
    } else if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
    } else {
        answer_object(exchange, &object);
        lst_object_close(&object);
    }
}
