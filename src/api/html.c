/* html.c - text in a page. */
#include "api/html.h"

#include "base/clock.h"

#define REPLACEMENT "\xef\xbf\xbd"

static const char *reference(char byte)
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
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* The length of the character that the text begins with; 0 if it is not UTF-8. */
static size_t character_length(struct lst_slice text)
{
    for (size_t length = 1; length <= 4 && length <= text.length; length++) {
        if (lst_slice_is_utf8(lst_slice_first(text, length))) {
            return length;
        }
    }
    return 0;
}

/* Controls (C0, DEL, C1), and U+200E, U+200F, U+202A..U+202E, U+2066..U+2069: they reorder what
 * stands around them. */
static bool is_hidden(struct lst_slice character)
{
    const unsigned char *bytes = (const unsigned char *)character.bytes;

    if (bytes == NULL || character.length == 1) {
        return bytes == NULL || bytes[0] < 0x20 || bytes[0] == 0x7f;
    }
    if (character.length == 2) {
        return bytes[0] == 0xc2 && bytes[1] < 0xa0;
    }
    return character.length == 3 && bytes[0] == 0xe2 &&
           ((bytes[1] == 0x80 &&
             (bytes[2] == 0x8e || bytes[2] == 0x8f || (bytes[2] >= 0xaa && bytes[2] <= 0xae))) ||
            (bytes[1] == 0x81 && bytes[2] >= 0xa6 && bytes[2] <= 0xa9));
}

void lst_html_text(struct lst_buffer *page, struct lst_slice text)
{
    while (text.length > 0 && text.bytes != NULL) {
        size_t length = character_length(text);
        struct lst_slice character = lst_slice_first(text, length == 0 ? 1 : length);

        if (length == 0 || is_hidden(character)) {
            lst_buffer_append_string(page, REPLACEMENT);
        } else if (reference(character.bytes[0]) != NULL) {
            lst_buffer_append_string(page, reference(character.bytes[0]));
        } else {
            lst_buffer_append(page, character);
        }
        text = lst_slice_after(text, character.length);
    }
}

void lst_html_query_value(struct lst_buffer *page, struct lst_slice text)
{
    char *room = lst_buffer_reserve(page, 3 * text.length);
    size_t length;

    /* Letters, digits, '-._~' and '%XX': nothing that means anything in HTML. */
    if (room != NULL && lst_percent_encode(text, false, room, 3 * text.length, &length) == LST_OK) {
        page->length += length;
    }
}

void lst_html_size(struct lst_buffer *page, uint64_t bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB"};
    uint64_t unit = 1000;
    size_t i = 0;

    if (bytes < 1000) {
        lst_buffer_append_format(page, "%u byte%s", (unsigned)bytes, bytes == 1 ? "" : "s");
        return;
    }
    while (i + 1 < sizeof(units) / sizeof(units[0]) && bytes / unit >= 1000) {
        unit *= 1000;
        i++;
    }
    lst_buffer_append_format(page, "%llu.%u %s", (unsigned long long)(bytes / unit),
                             (unsigned)(bytes % unit / (unit / 10)), units[i]);
}

void lst_html_time(struct lst_buffer *page, int64_t seconds)
{
    char text[LST_ISO8601_LENGTH + 1];

    lst_clock_format_iso8601(seconds * 1000, text);
    lst_buffer_append_format(page, "%.10s %.5s UTC", text, text + 11);
}
