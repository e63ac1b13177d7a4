/* chunked.c - a body in chunks, a byte of its lines at a time. */
#include "http/chunked.h"

#include "http/characters.h"

enum state {
    SIZE_BEGIN, /* a digit has to come */
    SIZE,
    EXTENSION_NAME_BEGIN,
    EXTENSION_NAME,
    EXTENSION_VALUE_BEGIN,
    EXTENSION_VALUE,
    QUOTED,
    QUOTED_PAIR,
    QUOTED_END,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_BEGIN, /* a line, or the empty one */
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    END_LF,
    END,
    MALFORMED,
};

static bool is_token(char byte)
{
    return lst_character_is(byte, LST_CHARACTER_TOKEN);
}

static unsigned hex_value(char byte)
{
    return byte <= '9' ? (unsigned)(byte - '0') : (unsigned)((byte | 0x20) - 'a') + 10;
}

/* What may follow a complete size, name or value. */
static enum state step_part_end(char byte)
{
    if (byte == '\r') {
        return SIZE_LF;
    }
    return byte == ';' ? EXTENSION_NAME_BEGIN : MALFORMED;
}

static enum state step_size(struct lst_chunked *chunked, enum state state, char byte)
{
    if (lst_character_is(byte, LST_CHARACTER_HEX)) {
        if (chunked->left > (uint64_t)INT64_MAX >> 4) {
            return MALFORMED; /* no number of bytes */
        }
        chunked->left = chunked->left << 4 | hex_value(byte);
        return SIZE;
    }
    return state == SIZE ? step_part_end(byte) : MALFORMED;
}

static enum state step_quoted(enum state state, char byte)
{
    if (!lst_character_is(byte, LST_CHARACTER_VALUE)) {
        return MALFORMED;
    }
    if (state == QUOTED_PAIR) {
        return QUOTED;
    }
    if (byte == '"') {
        return QUOTED_END;
    }
    return byte == '\\' ? QUOTED_PAIR : QUOTED;
}

static enum state step_extension(struct lst_chunked *chunked, enum state state, char byte)
{
    chunked->extensions++;
    switch (state) {
    case EXTENSION_NAME_BEGIN:
        return is_token(byte) ? EXTENSION_NAME : MALFORMED;
    case EXTENSION_NAME:
        if (byte == '=') {
            return EXTENSION_VALUE_BEGIN;
        }
        return is_token(byte) ? EXTENSION_NAME : step_part_end(byte);
    case EXTENSION_VALUE_BEGIN:
        if (byte == '"') {
            return QUOTED;
        }
        return is_token(byte) ? EXTENSION_VALUE : MALFORMED;
    case EXTENSION_VALUE:
        return is_token(byte) ? EXTENSION_VALUE : step_part_end(byte);
    case QUOTED:
    case QUOTED_PAIR:
        return step_quoted(state, byte);
    default:
        return step_part_end(byte); /* QUOTED_END */
    }
}

/* Keep a byte of the line; one that does not fit takes its whole line with it. */
static void keep(struct lst_chunked *chunked, char byte)
{
    if (chunked->room_used + chunked->room_line < chunked->room_size) {
        chunked->room[chunked->room_used + chunked->room_line++] = byte;
    } else {
        chunked->is_line_lost = true;
    }
}

static enum state end_trailer(struct lst_chunked *chunked)
{
    keep(chunked, '\n');
    if (!chunked->is_line_lost) {
        chunked->room_used += chunked->room_line;
    }
    chunked->room_line = 0;
    chunked->is_line_lost = false;
    chunked->trailer_lines++;
    return TRAILER_BEGIN;
}

static enum state step_trailer(struct lst_chunked *chunked, enum state state, char byte)
{
    chunked->trailer_bytes++;
    switch (state) {
    case TRAILER_BEGIN:
    case TRAILER_NAME:
        if (state == TRAILER_BEGIN && byte == '\r') {
            return END_LF;
        }
        keep(chunked, byte);
        if (state == TRAILER_NAME && byte == ':') {
            return TRAILER_VALUE;
        }
        return is_token(byte) ? TRAILER_NAME : MALFORMED;
    case TRAILER_VALUE:
        if (byte == '\r') {
            return TRAILER_LF;
        }
        keep(chunked, byte);
        return lst_character_is(byte, LST_CHARACTER_VALUE) ? TRAILER_VALUE : MALFORMED;
    default: /* TRAILER_LF */
        return byte == '\n' ? end_trailer(chunked) : MALFORMED;
    }
}

/* A chunk's line has ended: with its size, which is that of the last chunk if it is 0. */
static enum state end_line(struct lst_chunked *chunked)
{
    chunked->line = 0;
    return chunked->left == 0 ? TRAILER_BEGIN : DATA;
}

/* One byte that is not data. */
static enum state step(struct lst_chunked *chunked, char byte)
{
    enum state state = chunked->state;

    switch (state) {
    case SIZE_BEGIN:
    case SIZE:
        chunked->line++;
        return step_size(chunked, state, byte);
    case SIZE_LF:
        return byte == '\n' ? end_line(chunked) : MALFORMED;
    case DATA_CR:
        return byte == '\r' ? DATA_LF : MALFORMED;
    case DATA_LF:
        return byte == '\n' ? SIZE_BEGIN : MALFORMED;
    case TRAILER_BEGIN:
    case TRAILER_NAME:
    case TRAILER_VALUE:
    case TRAILER_LF:
        return step_trailer(chunked, state, byte);
    case END_LF:
        return byte == '\n' ? END : MALFORMED;
    default:
        chunked->line++;
        return step_extension(chunked, state, byte);
    }
}

static bool is_too_large(const struct lst_chunked *chunked)
{
    return chunked->line > LST_CHUNKED_LINE_MAX ||
           chunked->extensions > LST_CHUNKED_EXTENSIONS_MAX ||
           chunked->trailer_bytes > LST_CHUNKED_TRAILERS_MAX ||
           chunked->trailer_lines > LST_CHUNKED_TRAILER_LINES_MAX;
}

// NOLINTNEXTLINE(readability-non-const-parameter): it is written to later
void lst_chunked_begin(struct lst_chunked *chunked, char *room, size_t room_size)
{
    *chunked = (struct lst_chunked){
        .state = SIZE_BEGIN,
        .verdict = LST_CHUNKED_MORE,
        .room = room,
        .room_size = room_size < UINT32_MAX ? (uint32_t)room_size : UINT32_MAX,
    };
}

static void take_data(struct lst_chunked *chunked, struct lst_slice *rest,
                      struct lst_slice *ret_data)
{
    size_t length = chunked->left < rest->length ? (size_t)chunked->left : rest->length;

    *ret_data = lst_slice_first(*rest, length);
    *rest = lst_slice_after(*rest, length);
    chunked->left -= length;
    if (chunked->left == 0) {
        chunked->state = DATA_CR;
    }
}

enum lst_chunked_verdict lst_chunked_next(struct lst_chunked *chunked, struct lst_slice *rest,
                                          struct lst_slice *ret_data)
{
    while (chunked->verdict == LST_CHUNKED_MORE && rest->length > 0) {
        if (chunked->state == DATA) {
            take_data(chunked, rest, ret_data);
            return LST_CHUNKED_DATA;
        }
        chunked->state = (uint8_t)step(chunked, rest->bytes[0]);
        *rest = lst_slice_after(*rest, 1);
        if (is_too_large(chunked)) {
            chunked->verdict = LST_CHUNKED_TOO_LARGE;
        } else if (chunked->state == MALFORMED) {
            chunked->verdict = LST_CHUNKED_MALFORMED;
        } else if (chunked->state == END) {
            chunked->verdict = LST_CHUNKED_COMPLETE;
        }
    }
    return chunked->verdict;
}

enum lst_chunked_verdict lst_chunked_decode(struct lst_chunked *chunked, char *block, size_t length,
                                            size_t *ret_data, size_t *ret_taken)
{
    struct lst_slice rest = lst_slice_make(block, length);
    struct lst_slice data = {block, 0};
    enum lst_chunked_verdict verdict;
    size_t used = 0;

    while ((verdict = lst_chunked_next(chunked, &rest, &data)) == LST_CHUNKED_DATA) {
        memmove(block + used, data.bytes, data.length);
        used += data.length;
    }
    *ret_data = used;
    *ret_taken = length - rest.length;
    return verdict;
}

size_t lst_chunked_trailers(const struct lst_chunked *chunked, struct lst_field *fields,
                            size_t capacity)
{
    struct lst_slice rest = lst_slice_make(chunked->room, chunked->room_used);
    struct lst_slice line;
    size_t count = 0;

    while (rest.length > 0 && lst_slice_split(&rest, '\n', &line)) {
        size_t colon = lst_slice_find(line, ':');

        if (count < capacity) {
            fields[count].name = lst_slice_first(line, colon);
            fields[count].value = lst_slice_trim(lst_slice_after(line, colon + 1));
        }
        count++;
    }
    return count;
}
