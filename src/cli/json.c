/* json.c - what the commands' --json output is made of. */
#include "cli/json.h"

#include "base/buffer.h"
#include "base/clock.h"

json_t *lst_json_text(struct lst_slice text)
{
    struct lst_buffer buffer;
    json_t *value;

    if (lst_slice_is_utf8(text)) {
        return json_stringn(text.length > 0 ? text.bytes : "", text.length);
    }
    lst_buffer_init(&buffer, 3 * text.length);
    while (text.length > 0) {
        size_t length = 1;

        while (length < 4 && length < text.length &&
               !lst_slice_is_utf8(lst_slice_first(text, length))) {
            length++;
        }
        if (lst_slice_is_utf8(lst_slice_first(text, length))) {
            lst_buffer_append(&buffer, lst_slice_first(text, length));
        } else {
            length = 1;
            lst_buffer_append_string(&buffer, "\xef\xbf\xbd");
        }
        text = lst_slice_after(text, length);
    }
    value = lst_buffer_status(&buffer) == LST_OK ? json_stringn(buffer.bytes, buffer.length) : NULL;
    lst_buffer_release(&buffer);
    return value;
}

json_t *lst_json_time(int64_t time)
{
    char text[LST_ISO8601_LENGTH];

    if (time < 0 || time >= INT64_C(253402300800)) { /* the year 10000 */
        return json_null();
    }
    lst_clock_format_iso8601(time * 1000, text);
    text[19] = 'Z'; /* without the milliseconds */
    return json_stringn(text, 20);
}

bool lst_json_print(json_t *value, bool one_line)
{
    size_t flags = one_line ? JSON_COMPACT : JSON_INDENT(2);
    int status = value == NULL ? -1 : json_dumpf(value, stdout, flags | JSON_ENSURE_ASCII);

    json_decref(value);
    if (status == 0) {
        fputc('\n', stdout);
    }
    return status == 0;
}
