/* post_fields.c - the fields of a form: kept, completed, and turned into PutObject's headers. */
#include "s3/post_form.h"

static const struct lst_slice variable = {"${filename}", sizeof("${filename}") - 1};

struct lst_slice lst_post_field(const struct lst_post *post, const char *name)
{
    return lst_field_value(post->fields, post->field_count, lst_slice_of(name));
}

static bool add_text(struct lst_post *post, struct lst_slice *text, struct lst_slice bytes)
{
    if (bytes.length > sizeof(post->text) - post->text_length) {
        return false;
    }
    if (bytes.length > 0) {
        memcpy(post->text + post->text_length, bytes.bytes, bytes.length);
    }
    post->text_length += bytes.length;
    text->length += bytes.length;
    return true;
}

bool lst_post_add_field(struct lst_post *post, struct lst_slice name)
{
    struct lst_field *field = &post->fields[post->field_count];

    if (post->field_count == LST_POST_FIELDS_MAX) {
        return false;
    }
    post->field_count++;
    field->name = lst_slice_make(post->text + post->text_length, 0);
    if (!add_text(post, &field->name, name)) {
        return false;
    }
    field->value = lst_slice_make(post->text + post->text_length, 0);
    return true;
}

bool lst_post_add_value(struct lst_post *post, struct lst_slice bytes)
{
    return add_text(post, &post->fields[post->field_count - 1].value, bytes);
}

/* ---- ${filename} */

static struct lst_slice base_name(struct lst_slice path)
{
    size_t start = path.length;

    while (start > 0 && path.bytes[start - 1] != '/' && path.bytes[start - 1] != '\\') {
        start--;
    }
    return lst_slice_after(path, start);
}

static void expand(struct lst_buffer *buffer, struct lst_slice text, struct lst_slice name)
{
    while (text.length > 0) {
        size_t at = lst_slice_find_slice(text, variable);

        lst_buffer_append(buffer, lst_slice_first(text, at));
        if (at < text.length) {
            lst_buffer_append(buffer, name);
        }
        text = lst_slice_after(text, at + variable.length);
    }
}

int lst_post_expand(struct lst_post *post, struct lst_slice filename)
{
    struct lst_slice name = base_name(filename);
    size_t used = 0;

    /* The buffer moves while it grows: first all of them, then where each of them is. */
    for (size_t i = 0; i < post->field_count; i++) {
        expand(&post->expanded, post->fields[i].value, name);
    }
    for (size_t i = 0; i < post->field_count && lst_buffer_status(&post->expanded) == LST_OK; i++) {
        struct lst_slice *value = &post->fields[i].value;
        struct lst_slice rest = *value;
        size_t length = 0;

        while (rest.length > 0) {
            size_t at = lst_slice_find_slice(rest, variable);
            length += at + (at < rest.length ? name.length : 0);
            rest = lst_slice_after(rest, at + variable.length);
        }
        *value = lst_slice_make(length == 0 ? "" : post->expanded.bytes + used, length);
        used += length;
    }
    return lst_buffer_status(&post->expanded);
}

/* ---- PutObject's headers */

static bool is_signature_field(struct lst_slice name)
{
    static const char *const names[] = {"x-amz-algorithm",      "x-amz-credential",
                                        "x-amz-date",           "x-amz-signature",
                                        "x-amz-security-token", "x-amz-content-sha256"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (lst_slice_equal_ignoring_case(name, lst_slice_of(names[i]))) {
            return true;
        }
    }
    return false;
}

/* The header that a field stands for; empty if it is none. */
static struct lst_slice header_name(struct lst_slice name)
{
    static const struct {
        const char *field;
        const char *header;
    } names[] = {
        {"acl", "x-amz-acl"},
        {"tagging", "tagging"}, /* a document: see lst_put_tags_read() */
        {"Cache-Control", "Cache-Control"},
        {"Content-Disposition", "Content-Disposition"},
        {"Content-Encoding", "Content-Encoding"},
        {"Content-Language", "Content-Language"},
        {"Content-MD5", "Content-MD5"},
        {"Content-Type", "Content-Type"},
        {"Expires", "Expires"},
        {"If-None-Match", "If-None-Match"}, /* S3 has no such field, so none of its forms has one */
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (lst_slice_equal_ignoring_case(name, lst_slice_of(names[i].field))) {
            return lst_slice_of(names[i].header);
        }
    }
    return lst_slice_starts_with_ignoring_case(name, LST_SLICE("x-amz-")) &&
                   !is_signature_field(name)
               ? name
               : lst_slice_make(NULL, 0);
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

/* The value of a header, from that of its field. False if the exchange has been answered. */
static bool read_value(struct lst_s3_exchange *exchange, const struct lst_field *field,
                       struct lst_slice *ret_value)
{
    bool is_document = lst_slice_equal_ignoring_case(field->name, LST_SLICE("tagging"));
    bool is_text = lst_slice_starts_with_ignoring_case(field->name, LST_SLICE("x-amz-meta-")) &&
                   lst_slice_is_utf8(field->value); /* it becomes an encoded word */

    if (!is_document && !is_text && has_control(field->value)) {
        lst_s3_fail_about(exchange, LST_S3_INVALID_ARGUMENT,
                          "A form field has a character that no header can have.", "ArgumentName",
                          field->name);
        return false;
    }
    *ret_value = lst_slice_trim(field->value);
    return true;
}

bool lst_post_make_put(struct lst_s3_exchange *exchange)
{
    struct lst_post *post = exchange->post;
    struct lst_request *message = &post->request.message;

    post->request = *exchange->request;
    message->headers = post->headers;
    message->header_count = 0;
    for (size_t i = 0; i < post->field_count; i++) {
        struct lst_field *header = &post->headers[message->header_count];

        header->name = header_name(post->fields[i].name);
        if (header->name.length == 0) {
            continue;
        }
        if (lst_field_value(post->headers, message->header_count, header->name).bytes != NULL) {
            /* "acl" and "x-amz-acl": two names of one thing */
            lst_s3_fail_field(exchange, "A form field is given more than once.", &post->fields[i]);
            return false;
        }
        if (!read_value(exchange, &post->fields[i], &header->value)) {
            return false;
        }
        message->header_count++;
    }
    /* Nothing of the URL is signed; and how long the file is shows when it ends. */
    post->request.query = lst_slice_make(NULL, 0);
    post->request.has_content_length = false;
    post->request.content_length = 0;
    post->request.is_chunked = true;
    lst_http_request_read(&post->request, &post->room, NULL, false);
    exchange->request = &post->request;
    return true;
}
