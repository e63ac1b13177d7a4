/*
 * headers.h - headers that come in several lines: RFC 9110 section 5.3.
 *
 * Two lines of one name are a list, or a mistake. If one reader takes the first line and another
 * the last, what was checked is not what is stored. So every name stands once before anybody reads.
 */
#ifndef LST_HTTP_HEADERS_H
#define LST_HTTP_HEADERS_H

#include "base/buffer.h"

/*
 * True if a header of that name, in any case, has one value: a second line is refused. Those are
 * the headers whose meaning here would depend on which line is read: Content-Type, Range, every
 * If-*, x-latch-*, and x-amz-* but for x-amz-meta-* and the lists of S3.
 */
bool lst_header_has_one_value(struct lst_slice name);

/*
 * Make every name stand once. Lines of the same name become one, at the place of the first, their
 * values joined with "," in order: that is how Signature Version 4 signs them and how S3 stores
 * x-amz-meta-*. *count is what remains.
 *
 * room: where joined values are written, if there are any; they are valid until it is released.
 * LST_ERR_EXISTS: a header that has one value stands twice; *ret_repeated is its name.
 * LST_ERR_NO_MEMORY. After either the headers are as they were.
 */
LST_MUST_CHECK int lst_headers_join(struct lst_field *headers, size_t *count,
                                    struct lst_buffer *room, struct lst_slice *ret_repeated);

#endif
