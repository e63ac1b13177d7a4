/* links.h - the operations on links: see docs/upload-api.md. Each is an lst_api_route's begin(). */
#ifndef LST_API_LINKS_H
#define LST_API_LINKS_H

#include "api/exchange.h"

void lst_links_create(struct lst_api_exchange *exchange);
void lst_links_list(struct lst_api_exchange *exchange);
void lst_links_show(struct lst_api_exchange *exchange);
void lst_links_revoke(struct lst_api_exchange *exchange);

/* DELETE /-/api/ids/ID: of URLs that somebody signed without asking here. */
void lst_links_revoke_id(struct lst_api_exchange *exchange);

/* GET /-/l/ID: a redirect to a URL of a minute's life, or a page with a button. */
void lst_links_open(struct lst_api_exchange *exchange);

/* POST /-/l/ID: the button. It spends a use, and a redirect follows. */
void lst_links_use(struct lst_api_exchange *exchange);

#endif
