/* query.h - the query of a request, split and decoded: for request.c alone. */
#ifndef LST_HTTP_QUERY_H
#define LST_HTTP_QUERY_H

#include "http/request.h"

/* See lst_http_request_read(). */
void lst_http_query_read(struct lst_http_request *request, struct lst_http_room *room, char *text);

#endif
