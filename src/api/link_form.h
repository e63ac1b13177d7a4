/* link_form.h - the body that opens a short link: the password, as a form or as JSON. */
#ifndef LST_API_LINK_FORM_H
#define LST_API_LINK_FORM_H

#include "base/error.h"
#include "base/slice.h"

/*
 * Read the password of a body that is not empty. type: the Content-Type; JSON if it is
 * application/json, else a form (application/x-www-form-urlencoded). A form may have other fields
 * and may have no password, which is then empty; JSON has that one name.
 * LST_ERR_MALFORMED: it is neither, names the password twice, or the password does not fit into
 * `capacity` bytes. LST_ERR_NO_MEMORY. The caller wipes `out`, also on failure.
 */
LST_MUST_CHECK int lst_link_form_read(struct lst_slice type, struct lst_slice body, char *out,
                                      size_t capacity, size_t *ret_length);

#endif
