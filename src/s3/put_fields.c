/* put_fields.c - what an upload's headers say of the new object. */
#include "s3/put_fields.h"

#include "access/constraints.h"
#include "http/media_type.h"

enum {
    FIELDS_MAX = LST_STORE_FIELDS_MAX - 1,
    FIELD_BYTES_MAX = LST_STORE_FIELD_BYTES_MAX - 128, /* a checksum and its name need less */
};

static const struct lst_slice metadata_prefix = {"x-amz-meta-", sizeof("x-amz-meta-") - 1};

static bool add_field(struct lst_put_fields *fields, struct lst_slice name, struct lst_slice value)
{
    if (fields->count == FIELDS_MAX) {
        return false;
    }
    fields->list[fields->count++] = (struct lst_field){name, value};
    return true;
}

/* Where metadata stands in a request, which is what S3 makes of it. */
enum place {
    IN_HEADER, /* encoded words are decoded; bytes that are not ASCII stay as they were sent */
    IN_QUERY,  /* encoded words are decoded, and what is not ASCII becomes one */
    IN_FORM,   /* what is not ASCII, or a control character, becomes an encoded word */
};

/* Keep text in the room that all of them share, as it is or as an encoded word. False if it is not
 * UTF-8, or there is no room: one byte that was sent can become many. */
static bool keep_text(struct lst_put_fields *fields, struct lst_slice text,
                      struct lst_slice *ret_kept)
{
    char *room = fields->words + fields->words_length;
    size_t length;

    if (!lst_slice_is_utf8(text) ||
        LST_ENCODED_WORD_BOUND(text.length) > sizeof(fields->words) - fields->words_length) {
        return false;
    }
    if (lst_encoded_word_is_needed(text)) {
        length = lst_encoded_word_write(text, room);
    } else {
        length = text.length;
        memcpy(room, text.bytes, length);
    }
    fields->words_length += length;
    *ret_kept = lst_slice_make(room, length);
    return true;
}

/* The value as it comes back: plain where it is printable ASCII. What can't be kept so stays as it
 * was sent. */
static struct lst_slice as_kept(struct lst_put_fields *fields, struct lst_slice value,
                                enum place place)
{
    char decoded[LST_ENCODED_WORD_BOUND(LST_METADATA_MAX)];
    struct lst_slice result = value;
    size_t length;

    if (place != IN_FORM && lst_encoded_words_decode(value, decoded, &length)) {
        (void)keep_text(fields, lst_slice_make(decoded, length), &result);
    } else if (place != IN_HEADER && lst_encoded_word_is_needed(value)) {
        (void)keep_text(fields, value, &result);
    }
    return result;
}

/* name: decoded, after "x-amz-meta-". False if it is too much. */
static bool add_metadata(struct lst_put_fields *fields, struct lst_slice name,
                         struct lst_slice value, enum place place)
{
    char *text = fields->names + fields->names_length;

    fields->metadata += name.length + value.length;
    if (fields->metadata > LST_METADATA_MAX) {
        return true; /* counted on, for the error */
    }
    if (fields->count == FIELDS_MAX) {
        return false;
    }
    memcpy(text, metadata_prefix.bytes, metadata_prefix.length);
    for (size_t i = 0; i < name.length; i++) {
        char byte = name.bytes[i];
        text[metadata_prefix.length + i] =
            (char)(byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
    }
    fields->names_length += metadata_prefix.length + name.length;
    return add_field(fields, lst_slice_make(text, metadata_prefix.length + name.length),
                     as_kept(fields, value, place));
}

/* The content codings without aws-chunked, which is how the body travelled, not what it is. */
static bool add_encoding(struct lst_put_fields *fields, struct lst_slice codings)
{
    struct lst_slice rest = codings;
    struct lst_slice part;
    size_t length = 0;

    while (lst_slice_split(&rest, ',', &part)) {
        part = lst_slice_trim(part);
        if (lst_slice_equal_ignoring_case(part, LST_SLICE("aws-chunked"))) {
            continue;
        }
        if (part.length + 1 > sizeof(fields->encoding) - length) {
            return false;
        }
        if (length > 0) {
            fields->encoding[length++] = ',';
        }
        memcpy(fields->encoding + length, part.bytes, part.length);
        length += part.length;
    }
    return length == 0 || add_field(fields, LST_SLICE("Content-Encoding"),
                                    lst_slice_make(fields->encoding, length));
}

/* The one at that place of the request. */
static bool add_header(struct lst_put_fields *fields, const struct lst_http_request *request,
                       size_t at, enum place place)
{
    const struct lst_field *header = &request->message.headers[at];
    enum lst_header number = (enum lst_header)request->room->header_numbers[at];
    struct lst_slice value = lst_slice_trim(header->value);

    if (request->room->header_families[at] == LST_FAMILY_META) {
        return add_metadata(fields, lst_name_after_family(header->name, LST_FAMILY_META), value,
                            place);
    }
    switch (number) {
    case LST_HEADER_CONTENT_ENCODING:
        return add_encoding(fields, value);
    case LST_HEADER_CACHE_CONTROL:
    case LST_HEADER_CONTENT_DISPOSITION:
    case LST_HEADER_CONTENT_LANGUAGE:
    case LST_HEADER_CONTENT_TYPE:
    case LST_HEADER_EXPIRES: /* kept with the object and given back with it, by these names */
        return value.length == 0 || add_field(fields, lst_header_name(number), value);
    default:
        return true;
    }
}

/* What no header can have. */
static bool has_control(struct lst_slice value)
{
    for (size_t i = 0; i < value.length; i++) {
        unsigned char byte = (unsigned char)value.bytes[i];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7F) {
            return true;
        }
    }
    return false;
}

/* SDKs move x-amz-meta- headers into the query of a URL that they presign. */
static bool add_query(struct lst_s3_exchange *exchange, struct lst_put_fields *fields)
{
    const struct lst_http_parameter *parameter;
    size_t at = 0;

    if (exchange->passage.auth.kind != LST_AUTH_QUERY &&
        exchange->passage.auth.kind != LST_AUTH_V2_QUERY) {
        return true;
    }
    while ((parameter = lst_http_next_option(exchange->request, LST_FAMILY_META, &at)) != NULL) {
        /* A line break in a URL is nobody's metadata: see check_sendable(). */
        if (!add_metadata(fields, lst_name_after_family(parameter->text.name, LST_FAMILY_META),
                          parameter->text.value,
                          has_control(parameter->text.value) ? IN_HEADER : IN_QUERY)) {
            return false;
        }
    }
    return true;
}

static bool read_all(struct lst_s3_exchange *exchange, struct lst_put_fields *fields)
{
    const struct lst_http_request *request = exchange->request;
    const struct lst_constraints *constraints = exchange->constraints;

    /* By which whoever gave out the link finds out that it is this object that came of it. */
    if (constraints != NULL && constraints->id.length > 0) {
        (void)add_field(fields, LST_SLICE("x-latch-id"), constraints->id);
    }
    for (size_t i = 0; i < request->message.header_count; i++) {
        if (!add_header(fields, request, i, exchange->post != NULL ? IN_FORM : IN_HEADER)) {
            return false;
        }
    }
    return add_query(exchange, fields) && fields->metadata <= LST_METADATA_MAX;
}

bool lst_put_check_type(struct lst_s3_exchange *exchange)
{
    struct lst_slice type = lst_http_header(exchange->request, LST_HEADER_CONTENT_TYPE);

    if (lst_slice_trim(type).length == 0 || lst_media_type_parse(type, NULL)) {
        return true;
    }
    lst_s3_fail_argument(exchange, LST_MEDIA_TYPE_ADVICE, "Content-Type", type);
    return false;
}

/* Whatever is kept is given back in headers. False, having answered, if one could not be. */
static bool check_sendable(struct lst_s3_exchange *exchange, const struct lst_put_fields *fields)
{
    for (size_t i = 0; i < fields->count; i++) {
        const struct lst_field *field = &fields->list[i];

        if (!lst_http_is_token(field->name)) {
            lst_s3_fail_field(exchange,
                              "The name of a metadata entry has a character that no header's "
                              "name can have, such as a space.",
                              field);
            return false;
        }
        if (has_control(field->value)) {
            lst_s3_fail_about(exchange, LST_S3_INVALID_ARGUMENT,
                              "The value of a metadata entry has a character that no header can "
                              "have.",
                              "ArgumentName", field->name);
            return false;
        }
    }
    return lst_put_check_type(exchange);
}

/* S3 says how much there is of it. Where the number of headers is too large, that is no help. */
static void fail_too_large(struct lst_s3_exchange *exchange, const struct lst_put_fields *fields)
{
    if (fields->metadata > LST_METADATA_MAX) {
        lst_s3_fail_size(exchange, LST_S3_METADATA_TOO_LARGE, fields->metadata, LST_METADATA_MAX);
    } else {
        lst_s3_fail(exchange, LST_S3_METADATA_TOO_LARGE);
    }
}

bool lst_put_fields_read(struct lst_s3_exchange *exchange, struct lst_put_fields *ret_fields)
{
    size_t bytes = 0;

    ret_fields->count = 0;
    ret_fields->metadata = 0;
    ret_fields->names_length = 0;
    ret_fields->words_length = 0;
    if (!read_all(exchange, ret_fields)) {
        fail_too_large(exchange, ret_fields);
        return false;
    }
    for (size_t i = 0; i < ret_fields->count; i++) {
        bytes += ret_fields->list[i].name.length + ret_fields->list[i].value.length;
    }
    if (bytes > FIELD_BYTES_MAX) {
        lst_s3_fail(exchange, LST_S3_METADATA_TOO_LARGE);
        return false;
    }
    return check_sendable(exchange, ret_fields);
}

bool lst_put_tags_read(struct lst_s3_exchange *exchange, struct lst_tag_set *ret_tags)
{
    struct lst_slice document = lst_slice_make(NULL, 0);
    struct lst_slice header = lst_slice_make(NULL, 0);

    if (exchange->post != NULL) {
        document = lst_http_header(exchange->request, LST_HEADER_TAGGING);
    }
    if (document.bytes != NULL && lst_s3_option(exchange, LST_HEADER_AMZ_TAGGING, &header)) {
        lst_s3_fail_argument(exchange, "A form field is given more than once.", "x-amz-tagging",
                             header);
        return false;
    }
    if (document.bytes == NULL &&
        (!lst_s3_option(exchange, LST_HEADER_AMZ_TAGGING, &header) || header.length == 0)) {
        return true;
    }
    if (!lst_s3_is_allowed(exchange, "s3:PutObjectTagging", exchange->target.key)) {
        lst_s3_set_reason(exchange,
                          "tags need s3:PutObjectTagging, which user %s does not have here",
                          lst_passage_user_name(&exchange->passage));
        lst_s3_fail(exchange, LST_S3_ACCESS_DENIED);
        return false;
    }
    return document.bytes == NULL
               ? lst_tags_parse_header(exchange, header, ret_tags)
               : lst_tags_parse_xml(exchange, document, LST_STORE_TAGS_MAX, ret_tags);
}

bool lst_put_check_class_and_acl(struct lst_s3_exchange *exchange)
{
    struct lst_slice value;

    if (lst_s3_option(exchange, LST_HEADER_AMZ_STORAGE_CLASS, &value) &&
        !lst_slice_equal(value, LST_SLICE("STANDARD"))) {
        lst_s3_fail_about(exchange, LST_S3_INVALID_STORAGE_CLASS, NULL, "StorageClassRequested",
                          value);
        return false;
    }
    if (!lst_s3_check_acl_name(exchange)) {
        return false;
    }
    if (lst_s3_option(exchange, LST_HEADER_AMZ_ACL, &value) &&
        !lst_slice_equal(value, LST_SLICE("private")) &&
        !lst_slice_equal(value, LST_SLICE("bucket-owner-full-control"))) {
        lst_s3_fail(exchange, LST_S3_ACL_NOT_SUPPORTED);
        return false;
    }
    return true;
}
