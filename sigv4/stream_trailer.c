/* stream_trailer.c - the trailing headers of a streamed body. */
#include "stream.h"
#include "writer.h"

/* Take the next name off a list that commas separate; empty at the end of the list. */
static struct lst_slice next_name(struct lst_slice *list)
{
    struct lst_slice name = {NULL, 0};

    while (name.length == 0 && list->length > 0) {
        size_t length = lst_internal_find(*list, ',');

        name = lst_internal_trim(lst_internal_first(*list, length));
        *list = lst_internal_skip(*list, length < list->length ? length + 1 : length);
    }
    return name;
}

static bool is_announced(const struct lst_internal_stream *stream, struct lst_slice name)
{
    struct lst_slice list = stream->announced;
    struct lst_slice announced;

    while (!lst_internal_is_empty(announced = next_name(&list))) {
        if (lst_internal_equal_ignoring_case(announced, name)) {
            return true;
        }
    }
    return false;
}

static bool has_come(const struct lst_internal_stream *stream, struct lst_slice name)
{
    for (size_t i = 0; i < stream->trailer_count; i++) {
        const struct lst_internal_trailer *trailer = &stream->trailers[i];
        struct lst_slice known = {stream->text + trailer->name_start, trailer->name_length};

        if (lst_internal_equal_ignoring_case(known, name)) {
            return true;
        }
    }
    return false;
}

static bool all_have_come(const struct lst_internal_stream *stream)
{
    struct lst_slice list = stream->announced;
    struct lst_slice announced;

    while (!lst_internal_is_empty(announced = next_name(&list))) {
        if (!has_come(stream, announced)) {
            return false;
        }
    }
    return true;
}

/* Store it in its canonical form, "name:value\n": that is what the signature covers. */
static int keep(struct lst_internal_stream *stream, struct lst_slice name, struct lst_slice value)
{
    char canonical[LST_INTERNAL_TRAILERS_SIZE];
    struct lst_internal_writer writer =
        lst_internal_writer_to(canonical, sizeof(canonical) - stream->text_length);
    struct lst_internal_trailer *trailer = &stream->trailers[stream->trailer_count];

    lst_internal_put_lower(&writer, name);
    lst_internal_put_char(&writer, ':');
    lst_internal_put(&writer, value);
    lst_internal_put_char(&writer, '\n');
    if (writer.overflow) {
        return LST_REFUSED_TRAILER_MALFORMED;
    }
    trailer->name_start = (uint16_t)stream->text_length;
    trailer->name_length = (uint16_t)name.length;
    trailer->value_start = (uint16_t)(stream->text_length + name.length + 1);
    trailer->value_length = (uint16_t)value.length;
    stream->trailer_count++;
    memcpy(stream->text + stream->text_length, canonical, writer.length);
    stream->text_length += writer.length;
    return LST_OK;
}

static bool is_printable(struct lst_slice value)
{
    for (size_t i = 0; i < value.length; i++) {
        if ((unsigned char)value.bytes[i] < ' ' || value.bytes[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

/* The line that ends unsigned trailers. Signed ones end with their signature: it is missing. */
static int take_empty_line(const struct lst_internal_stream *stream)
{
    if (lst_internal_stream_is_signed(stream)) {
        return LST_REFUSED_TRAILER_SIGNATURE;
    }
    return all_have_come(stream) ? LST_OK : LST_REFUSED_TRAILER_UNEXPECTED;
}

static int take_signature(const struct lst_internal_stream *stream, struct lst_slice value)
{
    int error = lst_internal_stream_check_trailers(stream, value);

    return error == LST_OK && !all_have_come(stream) ? LST_REFUSED_TRAILER_UNEXPECTED : error;
}

int lst_internal_stream_take_trailer(struct lst_internal_stream *stream, struct lst_slice line,
                                     bool *ret_last)
{
    size_t colon = lst_internal_find(line, ':');
    struct lst_slice name = lst_internal_first(line, colon);
    struct lst_slice value;

    *ret_last = true;
    if (line.length == 0) {
        return take_empty_line(stream);
    }
    if (colon == line.length || colon == 0 || !lst_internal_all_of(name, LST_INTERNAL_TOKEN)) {
        return LST_REFUSED_TRAILER_MALFORMED;
    }
    value = lst_internal_skip(line, colon + 1);
    if (!is_printable(value)) {
        return LST_REFUSED_TRAILER_MALFORMED;
    }
    value = lst_internal_trim(value);
    if (lst_internal_stream_is_signed(stream) &&
        lst_internal_equal_ignoring_case(name, LST_SLICE("x-amz-trailer-signature"))) {
        return take_signature(stream, value);
    }
    if (!is_announced(stream, name) || has_come(stream, name) ||
        stream->trailer_count == LST_TRAILERS_MAX) {
        return LST_REFUSED_TRAILER_UNEXPECTED;
    }
    *ret_last = false;
    return keep(stream, name, value);
}

LST_PUBLIC size_t lst_stream_trailer_count(const struct lst_stream *stream)
{
    return ((const struct lst_internal_stream *)stream)->trailer_count;
}

LST_PUBLIC struct lst_field lst_stream_trailer(const struct lst_stream *stream, size_t index)
{
    const struct lst_internal_stream *decoder = (const struct lst_internal_stream *)stream;
    const struct lst_internal_trailer *trailer;

    if (index >= decoder->trailer_count) {
        return (struct lst_field){{NULL, 0}, {NULL, 0}};
    }
    trailer = &decoder->trailers[index];
    return (struct lst_field){{decoder->text + trailer->name_start, trailer->name_length},
                              {decoder->text + trailer->value_start, trailer->value_length}};
}
