/*
 * content_svg.h - an SVG without script, read as it comes in.
 *
 * "Scalable Vector Graphics (SVG) 2": what runs, or leads out of the document, is refused: the
 * elements script, foreignObject, iframe, embed, object, handler and listener, elements of HTML,
 * attributes on*, javascript: and the like in any attribute, references to anything but a fragment
 * of the document itself or an embedded picture, styles that load something, entity declarations
 * or any other internal subset, processing instructions, animations of such attributes, and what
 * is not well-formed.
 */
#ifndef LST_S3_CONTENT_SVG_H
#define LST_S3_CONTENT_SVG_H

#include "base/error.h"
#include "base/slice.h"

struct lst_content_svg;

LST_MUST_CHECK int lst_content_svg_begin(struct lst_content_svg **ret_svg);

/* The next bytes; is_last: there are no more. LST_ERR_MALFORMED: refused; LST_ERR_NO_MEMORY. */
LST_MUST_CHECK int lst_content_svg_take(struct lst_content_svg *svg, struct lst_slice bytes,
                                        bool is_last);

/* After LST_ERR_MALFORMED: what is wrong, to follow "The content "; a constant. */
const char *lst_content_svg_problem(const struct lst_content_svg *svg);

/* Has it begun as one at all? */
bool lst_content_svg_was_seen(const struct lst_content_svg *svg);

/* NULL does nothing. */
void lst_content_svg_free(struct lst_content_svg *svg);

#endif
