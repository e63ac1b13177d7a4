/*
 * content_svg.h - an SVG, or other XML, that runs nothing in a browser, read as it comes in.
 *
 * A browser decides by namespaces what an element is, whatever its prefix and whatever type the
 * document is sent as. So any XML may hold HTML, SVG or MathML that runs.
 *
 * "Scalable Vector Graphics (SVG) 2": what runs, or leads out of the document, is refused: the
 * elements script, foreignObject, iframe, embed, object, handler and listener, elements of HTML,
 * attributes on*, javascript: and the like in any attribute, references to anything but a fragment
 * of the document itself or an embedded picture, styles that load something, entity declarations
 * or any other internal subset, processing instructions, animations of such attributes, and what
 * is not well-formed. Of external document types only SVG's own are allowed, without a reference to
 * an entity: with XHTML's a browser knows entities that the reader here does not, such as &colon;.
 *
 * Of other XML: elements of HTML, SVG, MathML (unless it is declared) and XSLT (unless it is
 * declared), stylesheets, links to javascript:, XML Events, any document type with more than a
 * name, and what is not well-formed: a browser runs all that stands before the fault.
 */
#ifndef LST_S3_CONTENT_SVG_H
#define LST_S3_CONTENT_SVG_H

#include "base/error.h"
#include "base/slice.h"

struct lst_content_svg;

/* What it is declared as. */
enum lst_content_xml_kind { LST_XML_SVG, LST_XML_MATHML, LST_XML_XSLT, LST_XML_OTHER };

LST_MUST_CHECK int lst_content_svg_begin(enum lst_content_xml_kind kind,
                                         struct lst_content_svg **ret_svg);

/* The next bytes; is_last: there are no more. LST_ERR_MALFORMED: refused; LST_ERR_NO_MEMORY. */
LST_MUST_CHECK int lst_content_svg_take(struct lst_content_svg *svg, struct lst_slice bytes,
                                        bool is_last);

/* After LST_ERR_MALFORMED: what is wrong, to follow "The content "; a constant. */
const char *lst_content_svg_problem(const struct lst_content_svg *svg);

/* After LST_ERR_MALFORMED: the media type of what was seen, a constant: application/octet-stream if
 * it has not begun as XML at all. */
const char *lst_content_svg_detected(const struct lst_content_svg *svg);

/* NULL does nothing. */
void lst_content_svg_free(struct lst_content_svg *svg);

#endif
