/*
 * reply.h - the head of an answer: from a response as plain data to bytes on the wire.
 */
#ifndef LST_SERVER_REPLY_H
#define LST_SERVER_REPLY_H

#include "base/clock.h"
#include "http/response.h"

/*
 * Append status line and headers, with the empty line. is_old: to a client of HTTP/1.0, which wants
 * to be told that the connection is kept. date: as lst_clock_format_http() writes it.
 * Content-Length is that of RFC 9110, section 8.6: none of a 204, and of a 304 and to a HEAD only
 * if the response gives it.
 */
void lst_reply_format(const struct lst_http_response *response, bool is_head, bool is_old,
                      const char *date, struct lst_buffer *out);

/* The reason phrase of a status (RFC 9110, section 15); "Unknown" if it has none. */
const char *lst_reply_phrase(int status);

#endif
