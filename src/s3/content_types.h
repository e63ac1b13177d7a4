/* content_types.h - media types: which are synonyms, which are text, which are recognisable. */
#ifndef LST_S3_CONTENT_TYPES_H
#define LST_S3_CONTENT_TYPES_H

#include "base/slice.h"

/* A Content-Type without its parameters. The others here take types without any. */
struct lst_slice lst_content_essence(struct lst_slice content_type);

/* Does the type claim nothing at all? application/octet-stream, or no type. */
bool lst_content_claims_nothing(struct lst_slice type);

bool lst_content_is_svg(struct lst_slice type);
/* XML that browsers show as such: application/xml, text/xml, text/xsl, text/rdf, .../...+xml; not
 * SVG, and not XHTML. */
bool lst_content_is_xml(struct lst_slice type);

/* Is it one media type (RFC 9110, section 8.3.1), and none of those that browsers look for another
 * behind: unknown/unknown, application/unknown ("MIME Sniffing", WHATWG), multipart/... ? */
bool lst_content_is_definite(struct lst_slice type);

/* May XML with this Content-Type be read as its bytes say? False if it names a charset in which a
 * browser could see other letters than the XML reader. */
bool lst_content_charset_is_plain(struct lst_slice content_type);

bool lst_content_is_html(struct lst_slice type);

/* text/..., JSON, XML, and what else is text by another name. */
bool lst_content_is_text_type(struct lst_slice type);

/* A type that libmagic recognises, so that content it says nothing of is not of this type. */
bool lst_content_is_recognisable(struct lst_slice type);

/* May content of this type be reported as that one? Synonyms, and what both are made of. */
bool lst_content_types_agree(struct lst_slice type, struct lst_slice report);

#endif
