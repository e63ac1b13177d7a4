/*
 * lines.h - were the lines of a head what every other reader takes them for?
 *
 * The library (0.9.75) is lenient: it takes a bare LF for the end of a line, joins folded lines
 * (RFC 9112, section 5.2) to the *name* of a header, drops lines without a name and cuts values at
 * a NUL. A proxy before this server may understand each of these differently, and then what one of
 * them takes for a body is a request to the other (section 11.2). The library says nothing of what
 * it did, but its texts are where they arrived, with NULs written over colons and line ends: if
 * each begins where the one before it and two bytes of line end are over, nothing was passed over.
 */
#ifndef LST_SERVER_LINES_H
#define LST_SERVER_LINES_H

#include "latchstring.h"

/* The first line, as the library hands it over: pointers into its memory, each ending in NUL. */
struct lst_request_line {
    const char *method;
    const char *target;
    const char *version;
};

struct lst_lines {
    const char *begin; /* of the head */
    const char *next;  /* where the next header's name has to be */
    bool is_odd;
};

/* target_length: as the target arrived, before the library cut it. */
void lst_lines_begin(struct lst_lines *lines, const struct lst_request_line *first,
                     size_t target_length);

/* Each header, in the order in which they came. */
void lst_lines_take(struct lst_lines *lines, struct lst_slice name, struct lst_slice value);

/* size: bytes of the whole head, as the library has counted them. True if all lines are in order.
 */
LST_MUST_CHECK bool lst_lines_end(const struct lst_lines *lines, size_t size);

#endif
