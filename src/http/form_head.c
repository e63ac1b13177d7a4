/* form_head.c - the head of one part of a form: its name, its file's name, its type. */
#include "http/form_head.h"

static bool is_token_byte(char byte)
{
    static const char separators[] = "()<>@,;:\\\"/[]?={}";

    return byte > ' ' && byte < 0x7F && memchr(separators, byte, sizeof(separators) - 1) == NULL;
}

/* Bytes at the front that can stand in a name or an unquoted value. A boundary may have some that a
 * token may not; senders leave out the quotes all the same. */
static size_t unquoted_run(struct lst_slice text, bool is_value)
{
    size_t length = 0;

    while (length < text.length &&
           (is_token_byte(text.bytes[length]) ||
            (is_value && memchr("()/:=?", text.bytes[length], 6) != NULL))) {
        length++;
    }
    return length;
}

/* Take a quoted value off the front, from behind its first quote, undoing its escapes in place.
 * False if it has no end. */
static bool take_quoted(struct lst_slice *rest, struct lst_slice *ret_value)
{
    char *bytes = (char *)rest->bytes;
    size_t written = 0;

    for (size_t i = 0; i < rest->length; i++) {
        if (bytes[i] == '"') {
            *ret_value = lst_slice_make(bytes, written);
            *rest = lst_form_skip(*rest, i + 1);
            return true;
        }
        if (bytes[i] == '\\' && i + 1 < rest->length &&
            (bytes[i + 1] == '"' || bytes[i + 1] == '\\')) {
            i++;
        }
        bytes[written++] = bytes[i];
    }
    return false;
}

static struct lst_slice skip_blank(struct lst_slice text)
{
    while (text.length > 0 && (text.bytes[0] == ' ' || text.bytes[0] == '\t')) {
        text = lst_form_skip(text, 1);
    }
    return text;
}

bool lst_form_next_parameter(struct lst_slice *rest, struct lst_field *ret_parameter,
                             bool *ret_malformed)
{
    struct lst_slice text = skip_blank(*rest);
    struct lst_slice name;

    if (text.length == 0) {
        return false;
    }
    *ret_malformed = true;
    if (text.bytes[0] != ';') {
        return false;
    }
    text = skip_blank(lst_form_skip(text, 1));
    if (text.length == 0) { /* a ';' at the end says nothing, and does no harm */
        *ret_malformed = false;
        return false;
    }
    name = lst_slice_first(text, unquoted_run(text, false));
    text = lst_form_skip(text, name.length);
    if (name.length == 0 || text.length == 0 || text.bytes[0] != '=') {
        return false;
    }
    text = lst_form_skip(text, 1);
    ret_parameter->name = name;
    if (text.length > 0 && text.bytes[0] == '"') {
        text = lst_form_skip(text, 1);
        if (!take_quoted(&text, &ret_parameter->value)) {
            return false;
        }
    } else {
        ret_parameter->value = lst_slice_first(text, unquoted_run(text, true));
        text = lst_form_skip(text, ret_parameter->value.length);
    }
    *rest = text;
    *ret_malformed = false;
    return true;
}

/* form-data; name="file"; filename="cat.jpg". filename*= is not for forms (RFC 7578, 4.2). */
static bool read_disposition(struct lst_slice value, struct lst_form_part *part)
{
    struct lst_slice type = lst_slice_first(value, unquoted_run(value, false));
    struct lst_slice rest = lst_form_skip(value, type.length);
    struct lst_field parameter;
    bool has_name = false;
    bool malformed = false;

    if (!lst_slice_equal_ignoring_case(type, LST_SLICE("form-data"))) {
        return false;
    }
    while (lst_form_next_parameter(&rest, &parameter, &malformed)) {
        if (lst_slice_equal_ignoring_case(parameter.name, LST_SLICE("name"))) {
            malformed = has_name;
            has_name = true;
            part->name = parameter.value;
        } else if (lst_slice_equal_ignoring_case(parameter.name, LST_SLICE("filename"))) {
            malformed = part->has_filename;
            part->has_filename = true;
            part->filename = parameter.value;
        }
        if (malformed) { /* said twice: who knows which is meant */
            return false;
        }
    }
    return has_name && !malformed;
}

int lst_form_read_head(struct lst_slice head, struct lst_form_part *ret_part)
{
    struct lst_form_part part = {.has_filename = false};
    bool has_disposition = false;

    while (head.length > 0) {
        struct lst_slice line = lst_slice_first(head, lst_slice_find(head, '\r'));
        struct lst_slice name = lst_slice_first(line, unquoted_run(line, false));
        struct lst_slice value = lst_form_skip(line, name.length);

        head = lst_form_skip(head, line.length + 2); /* every line has its CR LF */
        if (name.length == 0 || value.length == 0 || value.bytes[0] != ':') {
            return LST_ERR_MALFORMED;
        }
        value = lst_slice_trim(lst_form_skip(value, 1));
        if (lst_slice_equal_ignoring_case(name, LST_SLICE("Content-Disposition"))) {
            if (has_disposition || !read_disposition(value, &part)) {
                return LST_ERR_MALFORMED;
            }
            has_disposition = true;
        } else if (lst_slice_equal_ignoring_case(name, LST_SLICE("Content-Type"))) {
            if (part.content_type.bytes != NULL) {
                return LST_ERR_MALFORMED;
            }
            part.content_type = value;
        }
    }
    if (!has_disposition) {
        return LST_ERR_MALFORMED;
    }
    *ret_part = part;
    return LST_OK;
}
