/* disposition.c - the value of a Content-Disposition header (RFC 6266) that names a file. */
#include "http/disposition.h"

#include "base/error.h"

static bool is_letter_or_digit(unsigned char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z');
}

/* attr-char of RFC 8187 section 3.2.1: what stands for itself in filename*. */
static bool is_attribute_character(unsigned char byte)
{
    return is_letter_or_digit(byte) || (byte != '\0' && strchr("!#$&+-.^_`|~", byte) != NULL);
}

/* U+0080..U+009F (controls), U+202A..U+202E and U+2066..U+2069 (direction of text), as UTF-8. */
static bool begins_with_hidden_character(struct lst_slice text)
{
    const unsigned char *bytes = (const unsigned char *)text.bytes;

    if (text.length >= 2 && bytes[0] == 0xc2) {
        return bytes[1] < 0xa0;
    }
    if (text.length < 3 || bytes[0] != 0xe2) {
        return false;
    }
    return (bytes[1] == 0x80 && bytes[2] >= 0xaa && bytes[2] <= 0xae) ||
           (bytes[1] == 0x81 && bytes[2] >= 0xa6 && bytes[2] <= 0xa9);
}

bool lst_filename_is_valid(struct lst_slice filename)
{
    if (filename.length == 0 || filename.length > LST_FILENAME_MAX ||
        !lst_slice_is_utf8(filename)) {
        return false;
    }
    for (size_t i = 0; i < filename.length; i++) {
        unsigned char byte = (unsigned char)filename.bytes[i];

        if (byte < 0x20 || byte == 0x7f || byte == '/' || byte == '\\' ||
            begins_with_hidden_character(lst_slice_after(filename, i))) {
            return false;
        }
    }
    return true;
}

/* Append the name as the inside of a quoted string. True if it could be given exactly. */
static bool append_quoted(struct lst_slice filename, struct lst_buffer *buffer)
{
    bool exact = true;

    for (size_t i = 0; i < filename.length; i++) {
        unsigned char byte = (unsigned char)filename.bytes[i];

        if (byte < 0x80 && byte != '"' && byte != '%') {
            lst_buffer_append_byte(buffer, (char)byte);
            continue;
        }
        exact = false;
        if ((byte & 0xc0) != 0x80) { /* one '_' for a character, whatever its number of bytes */
            lst_buffer_append_byte(buffer, '_');
        }
    }
    return exact;
}

static void append_extended(struct lst_slice filename, struct lst_buffer *buffer)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < filename.length; i++) {
        unsigned char byte = (unsigned char)filename.bytes[i];

        if (is_attribute_character(byte)) {
            lst_buffer_append_byte(buffer, (char)byte);
            continue;
        }
        lst_buffer_append_byte(buffer, '%');
        lst_buffer_append_byte(buffer, digits[byte >> 4]);
        lst_buffer_append_byte(buffer, digits[byte & 0x0f]);
    }
}

int lst_disposition_format(const char *type, struct lst_slice filename, struct lst_buffer *buffer)
{
    bool exact;

    if (filename.length > 0 && !lst_filename_is_valid(filename)) {
        return LST_ERR_MALFORMED;
    }
    lst_buffer_append_string(buffer, type);
    if (filename.length == 0) {
        return LST_OK;
    }
    lst_buffer_append_string(buffer, "; filename=\"");
    exact = append_quoted(filename, buffer);
    lst_buffer_append_string(buffer, "\"");
    if (!exact) {
        lst_buffer_append_string(buffer, "; filename*=UTF-8''");
        append_extended(filename, buffer);
    }
    return LST_OK;
}

int lst_disposition_attachment(struct lst_slice filename, struct lst_buffer *buffer)
{
    return filename.length == 0 ? LST_ERR_MALFORMED
                                : lst_disposition_format("attachment", filename, buffer);
}
