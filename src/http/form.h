/*
 * form.h - reading a multipart/form-data body as it comes in: bytes in, fields out.
 *
 * RFC 7578 and RFC 2046 section 5.1. A push parser: it is handed the body in pieces of any size,
 * calls back for what it finds, and keeps nothing but the head of the part that it is in, so its
 * size is constant whatever the body's is. Names and values are handed out as they were sent.
 *
 * Every part must have one Content-Disposition of form-data with a name, lines must end in CR LF,
 * and a delimiter must stand alone in its line. What stands before the first delimiter and after
 * the last is passed over, as RFC 2046 has it: who cares how much that is counts the bytes handed
 * in.
 */
#ifndef LST_HTTP_FORM_H
#define LST_HTTP_FORM_H

#include "base/error.h"
#include "base/slice.h"

#define LST_FORM_BOUNDARY_MAX 70   /* bytes, as RFC 2046 */
#define LST_FORM_HEAD_MAX     4096 /* bytes of the headers of one part */

/* What a part's head says; valid during the call. */
struct lst_form_part {
    struct lst_slice name;         /* may be empty */
    struct lst_slice filename;     /* as sent: perhaps with a path */
    bool has_filename;             /* it is a file's part, even if that has no name */
    struct lst_slice content_type; /* empty if it says nothing */
};

/* What the reader calls. A code other than 0 ends the reading and is given back. */
struct lst_form_events {
    int (*begin)(void *context, const struct lst_form_part *part);
    int (*data)(void *context, struct lst_slice bytes); /* never empty; valid during the call */
    int (*end)(void *context);
};

/* Private, but for position. */
struct lst_form_reader {
    const struct lst_form_events *events;
    void *context;
    uint64_t position; /* bytes of the body up to the first of the field, in begin() */
    int state;
    int status;
    char delimiter[4 + LST_FORM_BOUNDARY_MAX]; /* CR LF - - boundary */
    size_t delimiter_length;
    size_t matched;    /* bytes of the delimiter that have been seen, and were not handed out */
    size_t line_start; /* of the line of the head that is being read */
    size_t head_length;
    char head[LST_FORM_HEAD_MAX]; /* last and large: not initialised */
};

/*
 * Begin. content_type: the value of the request's header, "multipart/form-data; boundary=...". The
 * events must stay valid as long as the reader. LST_ERR_MALFORMED: it is no multipart/form-data, or
 * its boundary is missing, longer than LST_FORM_BOUNDARY_MAX, or has characters that none can have.
 */
LST_MUST_CHECK int lst_form_reader_init(struct lst_form_reader *reader,
                                        struct lst_slice content_type,
                                        const struct lst_form_events *events, void *context);

/*
 * Take a piece of the body. LST_ERR_MALFORMED; LST_ERR_TOO_LARGE: the head of a part is longer than
 * LST_FORM_HEAD_MAX; or what an event gave. After a failure every later call gives the same code.
 */
LST_MUST_CHECK int lst_form_reader_take(struct lst_form_reader *reader, struct lst_slice bytes);

/* No more will come. LST_ERR_MALFORMED unless the last delimiter has been seen; or what
 * lst_form_reader_take() gave. */
LST_MUST_CHECK int lst_form_reader_end(const struct lst_form_reader *reader);

#endif
