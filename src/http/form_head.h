/* form_head.h - header values with parameters, as the parts of a form have them: for form.c alone.
 */
#ifndef LST_HTTP_FORM_HEAD_H
#define LST_HTTP_FORM_HEAD_H

#include "http/form.h"

/* The text from `count` bytes on: at most its length, and it has a pointer. */
static inline struct lst_slice lst_form_skip(struct lst_slice text, size_t count)
{
    return lst_slice_make(text.bytes + count, text.length - count);
}

/*
 * Take the next "; name=value" off the front of *rest. A quoted value is given without its quotes
 * and with \" and \\ undone, in place: *rest points into memory that may be written. Other
 * backslashes stay: some browsers send a file's whole path. False at the end, and, with
 * *ret_malformed set, where there is no such thing.
 */
bool lst_form_next_parameter(struct lst_slice *rest, struct lst_field *ret_parameter,
                             bool *ret_malformed);

/* Read the head of a part, whole lines each with its CR LF, changing it in place.
 * LST_ERR_MALFORMED. */
LST_MUST_CHECK int lst_form_read_head(struct lst_slice head, struct lst_form_part *ret_part);

#endif
