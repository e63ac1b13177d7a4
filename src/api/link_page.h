/*
 * link_page.h - the pages of short links.
 *
 * They need no script and nothing from elsewhere, say so in their Content-Security-Policy, can't be
 * framed, and are neither indexed nor cached.
 */
#ifndef LST_API_LINK_PAGE_H
#define LST_API_LINK_PAGE_H

#include "api/link_opening.h"

/* Begin a page in the exchange's response: all that stands before its content. target: a URL that
 * the page's form may lead to, besides its own; may be empty. */
void lst_link_page_begin(struct lst_api_exchange *exchange, struct lst_slice title,
                         struct lst_slice target);

/* End it, and answer. */
void lst_link_page_end(struct lst_api_exchange *exchange, int status);

/* The headers that every answer of a short link has. */
void lst_link_page_headers(struct lst_api_exchange *exchange);

/* A page that says one sentence. */
void lst_link_page_say(struct lst_api_exchange *exchange, int status, const char *text);

/* The page with the button, and with a field for the password if the link has one. problem: what
 * was wrong with the last try; NULL: nothing. */
void lst_link_page_ask(struct lst_link_opening *opening, int status, const char *problem);

/* The name that the object is shown under. */
struct lst_slice lst_link_shown_name(const struct lst_link *link);

#endif
