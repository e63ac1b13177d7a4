/* get_fields.c - the headers that an object was put with, given back. */
#include "s3/get_fields.h"

#include "http/media_type.h"

#include <stdio.h>

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

/* In UTF-8 what lies beyond U+00FF begins with 0xC4 or more. */
static bool can_be_latin1(struct lst_slice value)
{
    for (size_t i = 0; i < value.length; i++) {
        if ((unsigned char)value.bytes[i] >= 0xC4 && lst_slice_is_utf8(value)) {
            return false;
        }
    }
    return true;
}

/* Add the headers that the query asks for. Bit i of *ret_overridden is set for overrides[i]. False,
 * having answered, if one would be no such header. */
static bool add_overrides(struct lst_s3_exchange *exchange, unsigned *ret_overridden)
{
    const struct lst_http_parameter *option;
    size_t at = 0;

    *ret_overridden = 0;
    while ((option = lst_http_next_option(exchange->request, LST_FAMILY_RESPONSE, &at)) != NULL) {
        struct lst_slice name = lst_name_after_family(option->text.name, LST_FAMILY_RESPONSE);
        struct lst_slice value = option->text.value;

        for (unsigned i = 0; i < OVERRIDE_COUNT; i++) {
            char parameter[64];

            if (!lst_slice_equal(name, lst_slice_of(overrides[i].parameter))) {
                continue;
            }
            if (strcmp(overrides[i].header, "Content-Type") == 0 &&
                !lst_media_type_parse(value, NULL)) {
                lst_s3_fail_argument(exchange, LST_MEDIA_TYPE_ADVICE, "response-content-type",
                                     value);
                return false;
            }
            if (!can_be_latin1(value)) {
                (void)snprintf(parameter, sizeof(parameter), "response-%s", overrides[i].parameter);
                lst_s3_fail_argument(exchange,
                                     "Header value cannot be represented using ISO-8859-1.",
                                     parameter, value);
                return false;
            }
            if (value.length > 0) { /* an empty one leaves the header out */
                lst_http_response_add(&exchange->response, overrides[i].header, value);
            }
            *ret_overridden |= 1U << i;
        }
    }
    return true;
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

/* Can it be sent? An object may have been stored with what is refused today. */
static bool is_sendable(const struct lst_field *field)
{
    return lst_http_is_token(field->name) &&
           (!lst_slice_equal(field->name, LST_SLICE("Content-Type")) ||
            lst_media_type_parse(field->value, NULL));
}

bool lst_get_add_fields(struct lst_s3_exchange *exchange, const struct lst_object *object)
{
    unsigned overridden;
    uint64_t missing = 0;
    bool has_type;

    if (!add_overrides(exchange, &overridden)) {
        return false;
    }
    has_type = is_overridden(LST_SLICE("Content-Type"), overridden);
    for (size_t i = 0; i < object->field_count; i++) {
        const struct lst_field *field = &object->fields[i];
        if (is_overridden(field->name, overridden) ||
            lst_slice_starts_with(field->name, LST_SLICE("x-amz-checksum-"))) {
            continue;
        }
        if (!is_sendable(field)) {
            missing += lst_slice_starts_with(field->name, LST_SLICE("x-amz-meta-")) ? 1 : 0;
            continue;
        }
        lst_http_response_add_field(&exchange->response, field->name, field->value);
        has_type = has_type || lst_slice_equal(field->name, LST_SLICE("Content-Type"));
    }
    if (!has_type) {
        lst_http_response_add(&exchange->response, "Content-Type",
                              LST_SLICE("binary/octet-stream"));
    }
    if (missing > 0) {
        lst_http_response_add_number(&exchange->response, "x-amz-missing-meta", missing);
    }
    return true;
}
