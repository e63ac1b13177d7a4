/* xml.c - writing XML. */
#include "s3/xml.h"

#include "base/clock.h"

void lst_xml_begin(struct lst_buffer *buffer, const char *root)
{
    lst_buffer_append(buffer, LST_SLICE("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<"));
    lst_buffer_append_string(buffer, root);
    lst_buffer_append(buffer, LST_SLICE(" xmlns=\"" LST_S3_NAMESPACE "\">"));
}

void lst_xml_open(struct lst_buffer *buffer, const char *name)
{
    lst_buffer_append_byte(buffer, '<');
    lst_buffer_append_string(buffer, name);
    lst_buffer_append_byte(buffer, '>');
}

void lst_xml_close(struct lst_buffer *buffer, const char *name)
{
    lst_buffer_append(buffer, LST_SLICE("</"));
    lst_buffer_append_string(buffer, name);
    lst_buffer_append_byte(buffer, '>');
}

void lst_xml_text(struct lst_buffer *buffer, const char *name, struct lst_slice text)
{
    lst_xml_open(buffer, name);
    lst_xml_escape(buffer, text);
    lst_xml_close(buffer, name);
}

void lst_xml_field(struct lst_buffer *buffer, const struct lst_field *field)
{
    lst_buffer_append_byte(buffer, '<');
    lst_buffer_append(buffer, field->name);
    lst_buffer_append_byte(buffer, '>');
    lst_xml_escape(buffer, field->value);
    lst_buffer_append(buffer, LST_SLICE("</"));
    lst_buffer_append(buffer, field->name);
    lst_buffer_append_byte(buffer, '>');
}

void lst_xml_string(struct lst_buffer *buffer, const char *name, const char *text)
{
    lst_xml_text(buffer, name, lst_slice_make(text, strlen(text)));
}

void lst_xml_number(struct lst_buffer *buffer, const char *name, uint64_t number)
{
    lst_xml_open(buffer, name);
    lst_buffer_append_number(buffer, number);
    lst_xml_close(buffer, name);
}

void lst_xml_time(struct lst_buffer *buffer, const char *name, int64_t time_ms)
{
    char text[LST_ISO8601_LENGTH];

    lst_clock_format_iso8601(time_ms - time_ms % 1000, text);
    lst_xml_text(buffer, name, lst_slice_make(text, sizeof(text)));
}

void lst_xml_modified(struct lst_buffer *buffer, int64_t time_ms)
{
    lst_xml_time(buffer, "LastModified", lst_clock_whole_seconds(time_ms) * 1000);
}

void lst_xml_etag(struct lst_buffer *buffer, struct lst_slice etag)
{
    lst_buffer_append(buffer, LST_SLICE("<ETag>&quot;"));
    lst_xml_escape(buffer, etag);
    lst_buffer_append(buffer, LST_SLICE("&quot;</ETag>"));
}

void lst_xml_owner(struct lst_buffer *buffer, const char *canonical_id)
{
    lst_xml_open(buffer, "Owner");
    lst_xml_string(buffer, "ID", canonical_id);
    lst_xml_close(buffer, "Owner");
}

/* What a byte must be written as; NULL if as itself. */
static const char *entity_of(char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\r':
        return "&#13;";
    default:
        return NULL;
    }
}

static bool is_plain(char byte)
{
    return ((unsigned char)byte >= 0x20 || byte == '\t' || byte == '\n') && entity_of(byte) == NULL;
}

static void escape_utf8(struct lst_buffer *buffer, struct lst_slice text)
{
    size_t begin = 0;

    for (size_t i = 0; i < text.length; i++) {
        if (is_plain(text.bytes[i])) {
            continue;
        }
        lst_buffer_append(buffer, lst_slice_make(text.bytes + begin, i - begin));
        begin = i + 1;
        if (entity_of(text.bytes[i]) != NULL) {
            lst_buffer_append_string(buffer, entity_of(text.bytes[i]));
        } else {
            lst_buffer_append_format(buffer, "&#x%x;", (unsigned)(unsigned char)text.bytes[i]);
        }
    }
    if (begin < text.length) {
        lst_buffer_append(buffer, lst_slice_make(text.bytes + begin, text.length - begin));
    }
}

/* Text that is not all UTF-8, as a header may be: each byte that is part of no character as U+FFFD.
 */
static void escape_mixed(struct lst_buffer *buffer, struct lst_slice text)
{
    while (text.length > 0) {
        size_t length = 0;

        for (size_t i = 1; i <= 4 && i <= text.length && length == 0; i++) {
            length = lst_slice_is_utf8(lst_slice_first(text, i)) ? i : 0;
        }
        if (length == 0) {
            lst_buffer_append(buffer, LST_SLICE("\xef\xbf\xbd"));
        } else {
            escape_utf8(buffer, lst_slice_first(text, length));
        }
        text = lst_slice_after(text, length > 0 ? length : 1);
    }
}

void lst_xml_escape(struct lst_buffer *buffer, struct lst_slice text)
{
    if (lst_slice_is_utf8(text)) {
        escape_utf8(buffer, text);
    } else {
        escape_mixed(buffer, text);
    }
}
