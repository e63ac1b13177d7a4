/* disposition.h - the value of a Content-Disposition header (RFC 6266) that names a file. */
#ifndef LST_HTTP_DISPOSITION_H
#define LST_HTTP_DISPOSITION_H

#include "base/buffer.h"

enum {
    LST_FILENAME_MAX = 255, /* bytes of UTF-8: what file systems take */
};

/*
 * May a download be saved under this name? 1 to LST_FILENAME_MAX bytes of UTF-8, without '/', '\',
 * control characters, and the marks that turn the direction of text around (they make "exe.jpg" of
 * what ends in ".exe").
 */
bool lst_filename_is_valid(struct lst_slice filename);

/*
 * Append `attachment; filename="a b.jpg"`. A name that a quoted string can't carry everywhere (not
 * ASCII, or with '"' or '%') is given twice, as RFC 6266 section 4.3 advises: with '_' for each
 * such character, and exactly, in filename* (RFC 8187 section 3.2). LST_ERR_MALFORMED, and nothing
 * is appended, if the name is not valid; memory is the buffer's matter (lst_buffer_status).
 */
LST_MUST_CHECK int lst_disposition_attachment(struct lst_slice filename, struct lst_buffer *buffer);

/* The same for either type, "inline" or "attachment"; an empty filename gives the type alone. */
LST_MUST_CHECK int lst_disposition_format(const char *type, struct lst_slice filename,
                                          struct lst_buffer *buffer);

#endif
