/* html.h - text in a page. Every text that is not our own goes through here. */
#ifndef LST_API_HTML_H
#define LST_API_HTML_H

#include "base/buffer.h"

/*
 * Append text that means itself, in an element or in an attribute's value between double quotes.
 * Control characters, marks that turn the direction of text around, and bytes that are not UTF-8
 * become U+FFFD.
 */
void lst_html_text(struct lst_buffer *page, struct lst_slice text);

/* Append it as a value in a URL's query, inside an attribute. */
void lst_html_query_value(struct lst_buffer *page, struct lst_slice text);

/* Append "1.5 MB". */
void lst_html_size(struct lst_buffer *page, uint64_t bytes);

/* Append "2026-11-24 09:00 UTC". */
void lst_html_time(struct lst_buffer *page, int64_t seconds);

#endif
