/* stream.c - the incremental decoder of aws-chunked bodies: chunks, and where they end. */
#include "stream.h"

enum { CHUNK_MIN = 8192 /* bytes of every chunk but the last */ };

/* One step's outcome besides its error. */
struct step {
    enum lst_stream_event event;
    struct lst_slice data;
};

LST_PUBLIC int lst_stream_init(struct lst_stream *stream, const struct lst_auth *auth,
                               const struct lst_key *key, uint64_t decoded_length,
                               struct lst_slice trailers)
{
    struct lst_internal_stream *decoder = (struct lst_internal_stream *)stream;
    char time[16];
    int error = lst_format_time(auth->time, time);

    if (error != LST_OK) {
        return error;
    }
    if ((auth->payload != LST_PAYLOAD_STREAM_SIGNED &&
         auth->payload != LST_PAYLOAD_STREAM_SIGNED_TRAILER &&
         auth->payload != LST_PAYLOAD_STREAM_UNSIGNED_TRAILER) ||
        auth->signature.length != LST_SIGNATURE_LENGTH) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    memset(stream, 0, sizeof(*stream));
    decoder->payload = auth->payload;
    decoder->body_left = decoded_length;
    decoder->announced = trailers;
    if (lst_internal_stream_is_signed(decoder)) {
        decoder->key = *key;
        memcpy(decoder->time, time, sizeof(time));
        memcpy(decoder->previous, auth->signature.bytes, LST_SIGNATURE_LENGTH);
    }
    return LST_OK;
}

/*
 * Collect a line up to its LF. True when it is whole; it is then left in decoder->text, without the
 * LF, until the caller sets line_length to 0. A line longer than limit gives the refusal.
 */
static int take_line(struct lst_internal_stream *decoder, struct lst_slice *input, size_t limit,
                     int refusal, bool *ret_whole)
{
    size_t length = lst_internal_find(*input, '\n');
    bool whole = length < input->length;

    if (length > limit - decoder->line_length) {
        return refusal;
    }
    memcpy(decoder->text + decoder->text_length + decoder->line_length, input->bytes, length);
    decoder->line_length += length;
    *input = lst_internal_skip(*input, whole ? length + 1 : length);
    *ret_whole = whole;
    return LST_OK;
}

/* The number at the start of a chunk's header: 1 to 16 hexadecimal digits. */
static bool take_size(struct lst_slice *line, uint64_t *ret_size)
{
    uint64_t size = 0;
    size_t count = 0;

    while (count < line->length && lst_internal_hex_digit(line->bytes[count]) >= 0) {
        if (count == 16) {
            return false;
        }
        size = size * 16 + (uint64_t)lst_internal_hex_digit(line->bytes[count]);
        count++;
    }
    *line = lst_internal_skip(*line, count);
    *ret_size = size;
    return count > 0;
}

/* What follows the size: the signature, or, unsigned, any extension (RFC 9112, 7.1.1). */
static bool take_extension(struct lst_internal_stream *decoder, struct lst_slice line)
{
    const struct lst_slice label = LST_SLICE(";chunk-signature=");

    if (!lst_internal_stream_is_signed(decoder)) {
        return line.length == 0 || line.bytes[0] == ';';
    }
    if (!lst_internal_starts_with(line, label) ||
        line.length != label.length + sizeof(decoder->claimed)) {
        return false;
    }
    memcpy(decoder->claimed, line.bytes + label.length, sizeof(decoder->claimed));
    return true;
}

/* The chunk of size 0. Without trailers the body is whole as soon as its signature is right. */
static int begin_last_chunk(struct lst_internal_stream *decoder, struct step *step)
{
    int error;

    if (decoder->body_left > 0) {
        return LST_REFUSED_BODY_TOO_SHORT;
    }
    error = lst_internal_stream_check_chunk(decoder);
    if (error != LST_OK) {
        return error;
    }
    if (lst_internal_stream_has_trailer(decoder)) {
        decoder->state = LST_INTERNAL_STREAM_TRAILER;
    } else {
        decoder->state = LST_INTERNAL_STREAM_OPTIONAL_CR;
        step->event = LST_STREAM_END;
    }
    return LST_OK;
}

static int step_header(struct lst_internal_stream *decoder, struct lst_slice *input,
                       struct step *step)
{
    struct lst_slice line;
    uint64_t size;
    bool whole = false;
    int error = take_line(decoder, input, LST_INTERNAL_CHUNK_HEADER_MAX,
                          LST_REFUSED_CHUNK_MALFORMED, &whole);

    if (error != LST_OK || !whole) {
        return error;
    }
    line = lst_internal_stream_line(decoder);
    decoder->line_length = 0;
    if (line.length == 0 || line.bytes[line.length - 1] != '\r') {
        return LST_REFUSED_CHUNK_MALFORMED;
    }
    line.length--;
    if (!take_size(&line, &size) || !take_extension(decoder, line)) {
        return LST_REFUSED_CHUNK_MALFORMED;
    }
    if (size > decoder->body_left) {
        return LST_REFUSED_BODY_TOO_LONG;
    }
    sha256_init(&decoder->hash);
    decoder->chunk_count++;
    if (size == 0) {
        return begin_last_chunk(decoder, step);
    }
    if (decoder->chunk_is_small) {
        return LST_REFUSED_CHUNK_TOO_SMALL;
    }
    decoder->chunk_is_small = size < CHUNK_MIN;
    decoder->chunk_size = size;
    decoder->chunk_left = size;
    decoder->state = LST_INTERNAL_STREAM_DATA;
    return LST_OK;
}

static int step_data(struct lst_internal_stream *decoder, struct lst_slice *input,
                     struct step *step)
{
    size_t length =
        input->length < decoder->chunk_left ? input->length : (size_t)decoder->chunk_left;

    step->event = LST_STREAM_DATA;
    step->data = lst_internal_first(*input, length);
    if (lst_internal_stream_is_signed(decoder)) {
        sha256_update(&decoder->hash, length, (const uint8_t *)input->bytes);
    }
    *input = lst_internal_skip(*input, length);
    decoder->chunk_left -= length;
    decoder->body_left -= length;
    if (decoder->chunk_left == 0) {
        decoder->state = LST_INTERNAL_STREAM_DATA_CR;
    }
    return LST_OK;
}

static int step_trailer(struct lst_internal_stream *decoder, struct lst_slice *input,
                        struct step *step)
{
    struct lst_slice line;
    bool whole = false;
    bool last = false;
    bool bare;
    int error = take_line(decoder, input, LST_INTERNAL_TRAILERS_SIZE - decoder->text_length,
                          LST_REFUSED_TRAILER_MALFORMED, &whole);

    if (error != LST_OK || !whole) {
        return error;
    }
    line = lst_internal_stream_line(decoder);
    decoder->line_length = 0;
    /* AWS's own description, and minio-go, end a trailing header with LF CR LF. */
    bare = line.length == 0 || line.bytes[line.length - 1] != '\r';
    line.length -= bare ? 0 : 1;
    if (bare && line.length == 0) {
        return LST_REFUSED_TRAILER_MALFORMED;
    }
    error = lst_internal_stream_take_trailer(decoder, line, &last);
    if (error != LST_OK) {
        return error;
    }
    if (last) {
        step->event = LST_STREAM_END;
        decoder->state = lst_internal_stream_is_signed(decoder) ? LST_INTERNAL_STREAM_OPTIONAL_CR
                                                                : LST_INTERNAL_STREAM_ENDED;
    } else {
        decoder->state = bare ? LST_INTERNAL_STREAM_TRAILER_CR : LST_INTERNAL_STREAM_TRAILER;
    }
    return LST_OK;
}

/* Take the one byte that may come here. */
static int step_byte(struct lst_internal_stream *decoder, struct lst_slice *input, char expected,
                     enum lst_internal_stream_state next)
{
    if (input->bytes[0] != expected) {
        return lst_internal_stream_has_trailer(decoder) &&
                       decoder->state > LST_INTERNAL_STREAM_DATA_LF
                   ? LST_REFUSED_TRAILER_MALFORMED
                   : LST_REFUSED_CHUNK_MALFORMED;
    }
    *input = lst_internal_skip(*input, 1);
    decoder->state = next;
    return LST_OK;
}

static int step_once(struct lst_internal_stream *decoder, struct lst_slice *input,
                     struct step *step)
{
    int error;

    switch (decoder->state) {
    case LST_INTERNAL_STREAM_HEADER:
        return step_header(decoder, input, step);
    case LST_INTERNAL_STREAM_DATA:
        return step_data(decoder, input, step);
    case LST_INTERNAL_STREAM_DATA_CR:
        error = lst_internal_stream_check_chunk(decoder);
        return error != LST_OK ? error
                               : step_byte(decoder, input, '\r', LST_INTERNAL_STREAM_DATA_LF);
    case LST_INTERNAL_STREAM_DATA_LF:
        return step_byte(decoder, input, '\n', LST_INTERNAL_STREAM_HEADER);
    case LST_INTERNAL_STREAM_TRAILER:
        return step_trailer(decoder, input, step);
    case LST_INTERNAL_STREAM_TRAILER_CR:
        return step_byte(decoder, input, '\r', LST_INTERNAL_STREAM_TRAILER_LF);
    case LST_INTERNAL_STREAM_TRAILER_LF:
        return step_byte(decoder, input, '\n', LST_INTERNAL_STREAM_TRAILER);
    case LST_INTERNAL_STREAM_OPTIONAL_CR:
        return step_byte(decoder, input, '\r', LST_INTERNAL_STREAM_OPTIONAL_LF);
    case LST_INTERNAL_STREAM_OPTIONAL_LF:
        return step_byte(decoder, input, '\n', LST_INTERNAL_STREAM_ENDED);
    case LST_INTERNAL_STREAM_ENDED:
        break;
    }
    return LST_REFUSED_BODY_TOO_LONG;
}

LST_PUBLIC int lst_stream_decode(struct lst_stream *stream, struct lst_slice input,
                                 size_t *ret_consumed, enum lst_stream_event *ret_event,
                                 struct lst_slice *ret_data)
{
    struct lst_internal_stream *decoder = (struct lst_internal_stream *)stream;
    struct lst_slice rest = input;
    struct step step = {LST_STREAM_NEED_MORE, {NULL, 0}};

    while (decoder->refusal == LST_OK && step.event == LST_STREAM_NEED_MORE && rest.length > 0) {
        decoder->refusal = step_once(decoder, &rest, &step);
    }
    if (decoder->refusal != LST_OK) {
        return decoder->refusal;
    }
    *ret_consumed = input.length - rest.length;
    *ret_event = step.event;
    *ret_data = step.data;
    return LST_OK;
}

LST_PUBLIC int lst_stream_finish(const struct lst_stream *stream)
{
    const struct lst_internal_stream *decoder = (const struct lst_internal_stream *)stream;

    if (decoder->refusal != LST_OK) {
        return decoder->refusal;
    }
    return decoder->state == LST_INTERNAL_STREAM_OPTIONAL_CR ||
                   decoder->state == LST_INTERNAL_STREAM_ENDED
               ? LST_OK
               : LST_REFUSED_BODY_TOO_SHORT;
}

LST_PUBLIC void lst_stream_small_chunk(const struct lst_stream *stream, uint64_t *ret_chunk,
                                       uint64_t *ret_size)
{
    const struct lst_internal_stream *decoder = (const struct lst_internal_stream *)stream;

    *ret_chunk = decoder->chunk_count;
    *ret_size = decoder->chunk_size;
}
