/* request.h - requests made by hand, read as the server reads those that arrive. */
#ifndef LST_TESTS_REQUEST_H
#define LST_TESTS_REQUEST_H

#include "http/request.h"

#include <stdlib.h>

/* Read its headers and its query, in room that is that of the last request read so. What is decoded
 * has as much room as is promised, and not a byte more. */
static inline void request_read(struct lst_http_request *request)
{
    static struct lst_http_room room;
    static char *text;

    free(text);
    text = malloc(request->query.length > 0 ? request->query.length : 1);
    if (text == NULL) {
        abort();
    }
    lst_http_request_read(request, &room, text, false);
}

#endif
