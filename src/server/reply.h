/*
 * reply.h - from a response as plain data to one that the HTTP library sends.
 */
#ifndef LST_SERVER_REPLY_H
#define LST_SERVER_REPLY_H

#include "base/error.h"
#include "http/response.h"

#include <microhttpd.h>

/*
 * Queue it. The body's memory or file goes over to the library, without a copy. *ret_length: bytes
 * of body that will be sent if all goes well. LST_ERR_NO_MEMORY, also when the library does not
 * take it.
 */
LST_MUST_CHECK int lst_reply_queue(struct MHD_Connection *connection, bool is_head,
                                   struct lst_http_response *response, uint64_t *ret_length);

/*
 * Send a response of BYTES past the library, which takes none in the middle of a body: the answer
 * to an upload that failed half-way (a full disk, a wrong chunk). It says Connection: close; the
 * caller then closes. What does not fit the socket's buffer at once is lost.
 */
void lst_reply_send(struct MHD_Connection *connection, const struct lst_http_response *response);

#endif
