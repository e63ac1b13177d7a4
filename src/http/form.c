/* form.c - reading a multipart/form-data body as it comes in. */
#include "http/form_head.h"

#include <stddef.h>

enum state {
    PREAMBLE,     /* before the first delimiter */
    AFTER,        /* behind a delimiter: "--" ends the form, CR LF begins a part */
    AFTER_DASH,   /* behind "-" */
    AFTER_BLANK,  /* behind white space, which some senders add */
    AFTER_RETURN, /* behind CR: LF must follow */
    HEAD,         /* in the headers of a part */
    DATA,
    EPILOGUE, /* behind the last delimiter */
};

/* "bcharsnospace" of RFC 2046 and the space, which may not be the last. */
static bool is_boundary(struct lst_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        char byte = text.bytes[i];
        bool is_plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                        (byte >= 'a' && byte <= 'z');

        if (!is_plain && (byte == '\0' || strchr("'()+_,-./:=? ", byte) == NULL)) {
            return false;
        }
    }
    return text.length > 0 && text.length <= LST_FORM_BOUNDARY_MAX &&
           text.bytes[text.length - 1] != ' ';
}

/* The boundary, into the delimiter. copy: of the header's value, to be written in. */
static int read_boundary(struct lst_form_reader *reader, struct lst_slice copy)
{
    struct lst_slice rest = lst_form_skip(copy, lst_slice_find(copy, ';'));
    struct lst_slice boundary = {NULL, 0};
    struct lst_field parameter;
    bool malformed = false;

    while (lst_form_next_parameter(&rest, &parameter, &malformed)) {
        if (lst_slice_equal_ignoring_case(parameter.name, LST_SLICE("boundary"))) {
            if (boundary.length > 0) {
                return LST_ERR_MALFORMED;
            }
            boundary = parameter.value;
        }
    }
    if (malformed || !is_boundary(boundary)) {
        return LST_ERR_MALFORMED;
    }
    memcpy(reader->delimiter, "\r\n--", 4);
    memcpy(reader->delimiter + 4, boundary.bytes, boundary.length);
    reader->delimiter_length = 4 + boundary.length;
    return LST_OK;
}

int lst_form_reader_init(struct lst_form_reader *reader, struct lst_slice content_type,
                         const struct lst_form_events *events, void *context)
{
    struct lst_slice type = lst_slice_first(content_type, lst_slice_find(content_type, ';'));

    memset(reader, 0, offsetof(struct lst_form_reader, head));
    reader->events = events;
    reader->context = context;
    reader->state = PREAMBLE;
    reader->matched = 2; /* the first delimiter needs no CR LF before it */
    if (content_type.length > sizeof(reader->head) ||
        !lst_slice_equal_ignoring_case(lst_slice_trim(type), LST_SLICE("multipart/form-data"))) {
        return LST_ERR_MALFORMED;
    }
    memcpy(reader->head, content_type.bytes, content_type.length);
    return read_boundary(reader, lst_slice_make(reader->head, content_type.length));
}

/* Field data; passed over before the first delimiter. */
static int give(struct lst_form_reader *reader, struct lst_slice bytes)
{
    if (reader->state != DATA || bytes.length == 0) {
        return LST_OK;
    }
    return reader->events->data(reader->context, bytes);
}

/*
 * Look for the delimiter; *ret_taken is how many bytes were taken, which is never none. CR stands
 * nowhere in it but in front, so a match that fails can only begin anew with the byte it failed at.
 */
static int take_data(struct lst_form_reader *reader, struct lst_slice bytes, size_t *ret_taken)
{
    struct lst_slice plain = lst_slice_first(bytes, lst_slice_find(bytes, '\r'));
    size_t taken = 0;
    size_t held;

    if (reader->matched == 0) {
        reader->matched = plain.length < bytes.length ? 1 : 0;
        *ret_taken = plain.length + reader->matched;
        return give(reader, plain);
    }
    while (taken < bytes.length && reader->matched < reader->delimiter_length &&
           bytes.bytes[taken] == reader->delimiter[reader->matched]) {
        reader->matched++;
        taken++;
    }
    *ret_taken = taken;
    held = reader->matched;
    if (held == reader->delimiter_length) {
        bool was_data = reader->state == DATA;
        reader->matched = 0;
        reader->state = AFTER;
        return was_data ? reader->events->end(reader->context) : LST_OK;
    }
    if (taken == bytes.length) {
        return LST_OK;
    }
    reader->matched = 0;
    return give(reader, lst_slice_make(reader->delimiter, held));
}

/* A byte of the head, which ends with an empty line. */
static int take_head_byte(struct lst_form_reader *reader, char byte)
{
    struct lst_form_part part;
    size_t length = reader->head_length;
    bool after_return = length > reader->line_start && reader->head[length - 1] == '\r';
    int status;

    if ((byte == '\n') != after_return || byte == '\0') {
        return LST_ERR_MALFORMED;
    }
    if (length == sizeof(reader->head)) {
        return LST_ERR_TOO_LARGE;
    }
    reader->head[reader->head_length++] = byte;
    if (byte != '\n') {
        return LST_OK;
    }
    if (length - 1 > reader->line_start) {
        reader->line_start = reader->head_length;
        return LST_OK;
    }
    status = lst_form_read_head(lst_slice_make(reader->head, reader->line_start), &part);
    if (status == LST_OK) {
        /* What follows may be the delimiter's rest: a part may have no bytes at all. */
        reader->state = DATA;
        status = reader->events->begin(reader->context, &part);
    }
    return status;
}

/* A byte between a delimiter and what it parts. */
static int take_mark(struct lst_form_reader *reader, char byte)
{
    switch (reader->state) {
    case AFTER:
        if (byte == '-') {
            reader->state = AFTER_DASH;
            return LST_OK;
        }
        break;
    case AFTER_DASH:
        reader->state = EPILOGUE;
        return byte == '-' ? LST_OK : LST_ERR_MALFORMED;
    case AFTER_RETURN:
        reader->state = HEAD;
        reader->head_length = 0;
        reader->line_start = 0;
        return byte == '\n' ? LST_OK : LST_ERR_MALFORMED;
    default:
        break;
    }
    reader->state = byte == '\r' ? AFTER_RETURN : AFTER_BLANK;
    return byte == '\r' || byte == ' ' || byte == '\t' ? LST_OK : LST_ERR_MALFORMED;
}

int lst_form_reader_take(struct lst_form_reader *reader, struct lst_slice bytes)
{
    size_t at = 0;

    while (at < bytes.length && reader->status == LST_OK && reader->state != EPILOGUE) {
        size_t taken = 1;

        if (reader->state == PREAMBLE || reader->state == DATA) {
            reader->status = take_data(reader, lst_form_skip(bytes, at), &taken);
            reader->position += taken;
        } else {
            reader->position++;
            reader->status = reader->state == HEAD ? take_head_byte(reader, bytes.bytes[at])
                                                   : take_mark(reader, bytes.bytes[at]);
        }
        at += taken;
    }
    return reader->status;
}

int lst_form_reader_end(const struct lst_form_reader *reader)
{
    if (reader->status != LST_OK) {
        return reader->status;
    }
    return reader->state == EPILOGUE ? LST_OK : LST_ERR_MALFORMED;
}
