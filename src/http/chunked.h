/*
 * chunked.h - a body in chunks: from bytes on the wire to the bytes that are meant. RFC 9112
 * section 7.1.
 *
 * Pure, incremental, without a copy: data is handed out as slices of what was handed in. Strict, as
 * head.h is: CR LF alone, no white space in the line of a chunk, hexadecimal digits alone in its
 * size. Extensions are checked and passed over; they and the trailers have limits.
 */
#ifndef LST_HTTP_CHUNKED_H
#define LST_HTTP_CHUNKED_H

#include "base/slice.h"

#define LST_CHUNKED_LINE_MAX          512   /* bytes of the line of one chunk, without its LF */
#define LST_CHUNKED_EXTENSIONS_MAX    16384 /* bytes of all extensions of a body */
#define LST_CHUNKED_TRAILERS_MAX      8192  /* bytes of all trailer lines */
#define LST_CHUNKED_TRAILER_LINES_MAX 32

enum lst_chunked_verdict {
    LST_CHUNKED_MORE,      /* all bytes were taken; the body goes on */
    LST_CHUNKED_DATA,      /* data was handed out; call again with the rest */
    LST_CHUNKED_COMPLETE,  /* the body and its trailers have ended; what is left is the next request
                            */
    LST_CHUNKED_MALFORMED, /* 400 BadRequest, and close */
    LST_CHUNKED_TOO_LARGE, /* a limit above: 400 BadRequest, and close */
};

/* Private. */
struct lst_chunked {
    uint64_t left;       /* bytes of the chunk's data that are still to come */
    uint32_t line;       /* bytes of the line that is being read */
    uint32_t extensions; /* bytes so far */
    uint32_t trailer_bytes;
    uint32_t trailer_lines;
    uint8_t state;
    uint8_t verdict;
    char *room; /* the caller's, for trailers; or NULL */
    uint32_t room_size;
    uint32_t room_used; /* whole lines */
    uint32_t room_line; /* bytes of the line behind them */
    bool is_line_lost;  /* it does not fit */
};

/* Begin a body. room: where trailer lines are kept, until lst_chunked_trailers() is asked for them;
 * LST_CHUNKED_TRAILERS_MAX bytes hold all. NULL: they are checked and thrown away. */
void lst_chunked_begin(struct lst_chunked *chunked, char *room, size_t room_size);

/*
 * Take bytes off the front of *rest. After DATA, *ret_data is what it found, never empty: a part of
 * *rest. `while ((verdict = lst_chunked_next(&chunked, &rest, &data)) == LST_CHUNKED_DATA)`.
 * After MALFORMED or TOO_LARGE every later call gives the same.
 */
LST_MUST_CHECK enum lst_chunked_verdict lst_chunked_next(struct lst_chunked *chunked,
                                                         struct lst_slice *rest,
                                                         struct lst_slice *ret_data);

/*
 * The same for a whole block, in place: its data is moved together at its front, *ret_data bytes of
 * it, and *ret_taken bytes of the block were taken: all of them, unless the verdict is COMPLETE.
 * Never DATA.
 */
LST_MUST_CHECK enum lst_chunked_verdict lst_chunked_decode(struct lst_chunked *chunked, char *block,
                                                           size_t length, size_t *ret_data,
                                                           size_t *ret_taken);

/* The trailers, once COMPLETE: slices of the room. The number of them; at most capacity are
 * written. What did not fit into the room is left out, whole lines. */
size_t lst_chunked_trailers(const struct lst_chunked *chunked, struct lst_field *fields,
                            size_t capacity);

#endif
