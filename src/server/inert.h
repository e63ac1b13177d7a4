/*
 * inert.h - objects are strangers' bytes: an answer that a browser could run something of is sent
 * so that nothing of it can act on this origin.
 *
 * Every answer says `X-Content-Type-Options: nosniff`: a browser takes it for what its Content-Type
 * says ("MIME Sniffing", WHATWG). Every answer with a body that could be more than a picture,
 * sound, film, font or plain text says `Content-Security-Policy: sandbox` as well ("Content
 * Security Policy Level 3", section 6.3.2): shown as a page, it has an origin of its own and runs
 * no script.
 */
#ifndef LST_SERVER_INERT_H
#define LST_SERVER_INERT_H

#include "http/response.h"

/* May a body of this Content-Type be shown without a sandbox? Only what is exactly one media type
 * of those that run nothing: false for what a browser might read in another way. */
bool lst_inert_type(struct lst_slice content_type);

/* Add the headers. is_apart: the host name it is served at has nothing of ours, so that it needs no
 * sandbox: see the setting content-domain. */
void lst_inert_decorate(struct lst_http_response *response, bool is_apart);

/* Is the host name, with or without a port, one of these? */
bool lst_inert_is_apart(struct lst_slice host, const struct lst_slice *names, size_t count);

#endif
