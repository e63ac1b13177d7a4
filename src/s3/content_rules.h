/*
 * content_rules.h - which elements and attributes of XML run something in a browser: see
 * content_svg.h. Pure.
 *
 * Names are as expat gives them: the namespace, a line end, the local name; or the local name
 * alone. A problem is a constant, to follow "The content ", or NULL if there is none.
 */
#ifndef LST_S3_CONTENT_RULES_H
#define LST_S3_CONTENT_RULES_H

#include "s3/content_svg.h"

/* Of an SVG. */
const char *lst_svg_element_problem(const char *name);
const char *lst_svg_attribute_problem(const char *name, struct lst_slice value);

/* CSS that loads nothing. */
bool lst_xml_is_inner_style(struct lst_slice css);

/* Of other XML. is_first: it is the root. *ret_detected is set, to a constant, if there is a
 * problem. is_math: of an element of MathML. */
const char *lst_xml_element_problem(enum lst_content_xml_kind kind, const char *name, bool is_first,
                                    const char **ret_detected);
const char *lst_xml_attribute_problem(const char *name, struct lst_slice value, bool is_math);

/* ---- Names; the case of letters does not matter */

const char *lst_xml_local_name(const char *name);
bool lst_xml_is_in(const char *name, const char *namespace);
bool lst_xml_is_word(const char *name, const char *word);
bool lst_xml_begins(struct lst_slice text, const char *prefix);

#endif
