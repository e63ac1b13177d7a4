/* xml.h - writing XML into a buffer, element by element, as S3 does. */
#ifndef LST_S3_XML_H
#define LST_S3_XML_H

#include "base/buffer.h"

#define LST_S3_NAMESPACE "http://s3.amazonaws.com/doc/2006-03-01/"

/* The declaration and the root element's start, in S3's name space. */
void lst_xml_begin(struct lst_buffer *buffer, const char *root);

void lst_xml_open(struct lst_buffer *buffer, const char *name);
void lst_xml_close(struct lst_buffer *buffer, const char *name);

/* An element with text, which is escaped. */
void lst_xml_text(struct lst_buffer *buffer, const char *name, struct lst_slice text);
void lst_xml_string(struct lst_buffer *buffer, const char *name, const char *text);
void lst_xml_number(struct lst_buffer *buffer, const char *name, uint64_t number);

/* The same, of a field. */
void lst_xml_field(struct lst_buffer *buffer, const struct lst_field *field);

/* An element with a time in whole seconds, "2026-11-23T19:18:00.000Z". */
void lst_xml_time(struct lst_buffer *buffer, const char *name, int64_t time_ms);

/* <LastModified>: rounded up, as the header is (lst_clock_whole_seconds()). */
void lst_xml_modified(struct lst_buffer *buffer, int64_t time_ms);

/* <ETag>, in quotes. */
void lst_xml_etag(struct lst_buffer *buffer, struct lst_slice etag);

/* <Owner> with its id: S3 gives display names no more. */
void lst_xml_owner(struct lst_buffer *buffer, const char *canonical_id);

/*
 * Text with & < > " and carriage returns escaped. Control characters, which XML 1.0 can't carry,
 * become numeric references (&#x1;), as S3 writes them: a strict parser refuses those, which is why
 * listings have encoding-type=url. Bytes that are no UTF-8 become U+FFFD.
 */
void lst_xml_escape(struct lst_buffer *buffer, struct lst_slice text);

#endif
