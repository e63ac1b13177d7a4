/* log_format.c - one line of the access log. */
#include "server/log.h"

#include "base/clock.h"

static const char hex_digits[] = "0123456789abcdef";

static void append_time(struct lst_buffer *out, int64_t time_ms)
{
    char text[LST_ISO8601_LENGTH];

    lst_clock_format_iso8601(time_ms, text);
    lst_buffer_append(out, lst_slice_make(text, sizeof(text)));
}

/* Milliseconds with three digits after the point. */
static void append_milliseconds(struct lst_buffer *out, uint64_t duration_us)
{
    uint64_t rest = duration_us % 1000;
    char digits[4] = {'.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10),
                      (char)('0' + rest % 10)};

    lst_buffer_append_number(out, duration_us / 1000);
    lst_buffer_append(out, lst_slice_make(digits, sizeof(digits)));
}

/* Whether U+0080 to U+009F stands there, in two bytes: to a terminal U+009B is what ESC [ is. */
static bool is_c1_at(struct lst_slice text, size_t i)
{
    return i + 1 < text.length && (unsigned char)text.bytes[i] == 0xC2 &&
           (unsigned char)text.bytes[i + 1] >= 0x80 && (unsigned char)text.bytes[i + 1] < 0xA0;
}

/* Bytes that would break a line, a column or a terminal as \xHH; UTF-8 stays readable. */
static void append_escaped(struct lst_buffer *out, struct lst_slice text, bool is_column)
{
    size_t start = 0;

    for (size_t i = 0; text.bytes != NULL && i < text.length; i++) {
        unsigned char byte = (unsigned char)text.bytes[i];

        if ((byte <= 0x20 && (byte != ' ' || is_column)) || byte == '"' || byte == '\\' ||
            byte == 0x7F || is_c1_at(text, i) || (i > 0 && is_c1_at(text, i - 1))) {
            char escape[4] = {'\\', 'x', hex_digits[byte >> 4], hex_digits[byte & 15]};

            lst_buffer_append(out, lst_slice_make(text.bytes + start, i - start));
            lst_buffer_append(out, lst_slice_make(escape, sizeof(escape)));
            start = i + 1;
        }
    }
    if (start < text.length) {
        lst_buffer_append(out, lst_slice_after(text, start));
    }
}

static void append_column(struct lst_buffer *out, struct lst_slice text)
{
    if (text.length == 0) {
        lst_buffer_append_byte(out, '-');
    } else {
        append_escaped(out, text, true);
    }
    lst_buffer_append_byte(out, ' ');
}

/* A bearer token with its id whole, or a client token, the beginning of one at least. */
static bool is_token(struct lst_slice text)
{
    enum { PREFIX = 4, LEAST = 16 };
    bool is_bearer = lst_slice_starts_with(text, LST_SLICE("lst_"));

    if (text.length <= PREFIX + LEAST ||
        (!is_bearer && !lst_slice_starts_with(text, LST_SLICE("lsc_")))) {
        return false;
    }
    for (size_t i = PREFIX; i < PREFIX + LEAST; i++) {
        char byte = text.bytes[i];
        bool is_in_id = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');

        if (!is_in_id &&
            (is_bearer || !((byte >= 'A' && byte <= 'Z') || byte == '_' || byte == '-'))) {
            return false;
        }
    }
    return !is_bearer || text.bytes[PREFIX + LEAST] == '_';
}

/* How much of the text, which is the rest of a name, may be shown before something that opens
 * something; 0: nothing of the kind begins here. */
static size_t shown_before_secret(struct lst_slice text, bool is_segment)
{
    if (lst_slice_starts_with_ignoring_case(text, LST_SLICE("Signature=")) ||
        lst_slice_starts_with_ignoring_case(text, LST_SLICE("X-Amz-Security-Token="))) {
        return lst_slice_find(text, '=');
    }
    if (is_segment && lst_slice_starts_with(text, LST_SLICE("-/"))) {
        return lst_slice_starts_with(text, LST_SLICE("-/l/"))     ? strlen("-/l/")
               : lst_slice_starts_with(text, LST_SLICE("-/api/")) ? strlen("-/api/")
                                                                  : 0;
    }
    return is_token(text) ? strlen("lst_") : 0;
}

/*
 * The name up to where something begins that opens something. A URL that was percent-encoded as a
 * whole is all path, and its signature may be good for days. An address of ours behind a prefix
 * that a proxy should have taken off, or behind two slashes, is the name of an object, and has a
 * client's token in it, or the id of a short link.
 */
static struct lst_slice without_secrets(struct lst_slice name)
{
    for (size_t i = 0; i < name.length; i++) {
        size_t shown =
            shown_before_secret(lst_slice_after(name, i), i == 0 || name.bytes[i - 1] == '/');

        if (shown > 0) {
            return lst_slice_first(name, i + shown);
        }
    }
    return name;
}

/* Of our own addresses, written in some odd way, nothing but the first segment. No bucket has such
 * a name. */
static struct lst_slice key_of(const struct lst_log_line *line)
{
    bool is_ours = lst_slice_equal(line->bucket, LST_SLICE("-")) ||
                   lst_slice_equal(line->bucket, LST_SLICE("l")) ||
                   lst_slice_starts_with(line->bucket, LST_SLICE("-/"));

    return is_ours ? LST_SLICE("") : without_secrets(line->key);
}

static void append_resource(struct lst_buffer *out, const struct lst_log_line *line)
{
    struct lst_slice key = key_of(line);

    if (key.length == 0) {
        append_column(out, without_secrets(line->bucket));
        return;
    }
    append_escaped(out, without_secrets(line->bucket), true);
    lst_buffer_append_byte(out, '/');
    append_column(out, key);
}

void lst_log_format_text(struct lst_buffer *out, const struct lst_log_line *line)
{
    append_time(out, line->time_ms);
    lst_buffer_append_byte(out, ' ');
    append_column(out, line->id);
    append_column(out, line->peer);
    append_column(out, lst_slice_of(line->user));
    append_column(out, lst_slice_of(line->access_key_id));
    append_column(out, lst_slice_of(line->signed_by));
    append_column(out, lst_slice_of(line->operation));
    append_resource(out, line);
    lst_buffer_append_number(out, (uint64_t)line->status);
    lst_buffer_append_byte(out, ' ');
    append_column(out, lst_slice_of(line->error));
    lst_buffer_append_number(out, line->bytes_in);
    lst_buffer_append_byte(out, ' ');
    lst_buffer_append_number(out, line->bytes_out);
    lst_buffer_append_byte(out, ' ');
    append_milliseconds(out, line->duration_us);
    lst_buffer_append_string(out, " \"");
    append_escaped(out, lst_slice_of(line->reason), false);
    lst_buffer_append_string(out, "\"\n");
}

/* A JSON string (RFC 8259, section 7). What is not UTF-8 is written as U+FFFD for each such byte's
 * run. */
static void append_json_text(struct lst_buffer *out, struct lst_slice text)
{
    bool is_utf8 = lst_slice_is_utf8(text);
    size_t start = 0;

    for (size_t i = 0; text.bytes != NULL && i < text.length; i++) {
        bool is_c1 = is_utf8 && is_c1_at(text, i);
        unsigned char byte = (unsigned char)text.bytes[is_c1 ? i + 1 : i];
        char escape[6] = {'\\', 'u', '0', '0', hex_digits[byte >> 4], hex_digits[byte & 15]};
        bool is_foreign = byte >= 0x80 && !is_utf8;

        if (byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7F && !is_foreign && !is_c1) {
            continue;
        }
        lst_buffer_append(out, lst_slice_make(text.bytes + start, i - start));
        i += is_c1 ? 1 : 0;
        lst_buffer_append(out, is_foreign ? LST_SLICE("\\ufffd")
                                          : lst_slice_make(escape, sizeof(escape)));
        start = i + 1;
    }
    lst_buffer_append(
        out, lst_slice_make(text.bytes == NULL ? "" : text.bytes + start, text.length - start));
}

static void append_json(struct lst_buffer *out, const char *name, struct lst_slice text)
{
    if (text.length == 0) {
        return; /* a fact that is absent is left out */
    }
    lst_buffer_append_string(out, ",\"");
    lst_buffer_append_string(out, name);
    lst_buffer_append_string(out, "\":\"");
    append_json_text(out, text);
    lst_buffer_append_byte(out, '"');
}

static void append_json_number(struct lst_buffer *out, const char *name, uint64_t number)
{
    lst_buffer_append_string(out, ",\"");
    lst_buffer_append_string(out, name);
    lst_buffer_append_string(out, "\":");
    lst_buffer_append_number(out, number);
}

void lst_log_format_json(struct lst_buffer *out, const struct lst_log_line *line)
{
    lst_buffer_append_string(out, "{\"time\":\"");
    append_time(out, line->time_ms);
    lst_buffer_append_byte(out, '"');
    append_json(out, "id", line->id);
    append_json(out, "peer", line->peer);
    append_json(out, "user", lst_slice_of(line->user));
    append_json(out, "access_key_id", lst_slice_of(line->access_key_id));
    append_json(out, "signed_by", lst_slice_of(line->signed_by));
    append_json(out, "operation", lst_slice_of(line->operation));
    append_json(out, "bucket", without_secrets(line->bucket));
    append_json(out, "key", key_of(line));
    append_json_number(out, "status", (uint64_t)line->status);
    append_json(out, "error", lst_slice_of(line->error));
    append_json_number(out, "bytes_in", line->bytes_in);
    append_json_number(out, "bytes_out", line->bytes_out);
    lst_buffer_append_string(out, ",\"milliseconds\":");
    append_milliseconds(out, line->duration_us);
    append_json(out, "reason", lst_slice_of(line->reason));
    lst_buffer_append_string(out, "}\n");
}
