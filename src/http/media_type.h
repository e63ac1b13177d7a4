/*
 * media_type.h - media types, as Content-Type carries them: RFC 9110 section 8.3.1.
 *
 * One parser for all: what is checked is then what is stored and what is served. A browser reads
 * "image/png,text/html" as two types and obeys the second, so it is none here.
 */
#ifndef LST_HTTP_MEDIA_TYPE_H
#define LST_HTTP_MEDIA_TYPE_H

#include "base/slice.h"

/* For whoever sent something else. */
#define LST_MEDIA_TYPE_ADVICE                                                                      \
    "Content-Type must be one media type, such as image/png or text/plain; charset=utf-8. A "      \
    "parameter's value that has a comma in it needs quotes."

/*
 * True if the text is exactly one media type: type "/" subtype, and then any number of parameters,
 * each ";" name "=" value, the value a token or a quoted string. White space may stand around the
 * semicolons and at both ends, and a semicolon may have nothing after it. False for a list, for a
 * range (any subtype of image, say), and for anything else. *ret_essence, which may be NULL, is
 * the type and subtype without parameters, as written.
 */
bool lst_media_type_parse(struct lst_slice text, struct lst_slice *ret_essence);

/* True if the text is a media type without parameters, or a range of them: a star in place of the
 * subtype, or of both (RFC 9110 section 12.5.1). */
bool lst_media_range_is_valid(struct lst_slice text);

/* True if a media type, given by its essence, is in the range. Case does not count. */
bool lst_media_range_has(struct lst_slice range, struct lst_slice essence);

/* A token of RFC 9110 section 5.6.2: the name of a header, for one. */
bool lst_http_is_token(struct lst_slice text);

#endif
