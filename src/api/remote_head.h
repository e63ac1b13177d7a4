/*
 * remote_head.h - asking a remote whether an object is there: HEAD, over the network, so in a
 * thread of its own; the exchange waits.
 */
#ifndef LST_API_REMOTE_HEAD_H
#define LST_API_REMOTE_HEAD_H

#include "api/exchange.h"
#include "api/remote.h"
#include "api/upload_object.h"

#define LST_REMOTE_HEADS_MAX 64 /* at the same time; who comes then is told to come back */

struct lst_remote_head {
    struct lst_api_exchange *exchange;
    struct lst_buffer url;
    void (*go_on)(void *exchange);

    int http_status; /* the remote's; 0: there was no answer, for this problem: */
    char problem[256];
    struct lst_uploaded uploaded;
    char ticket[LST_TICKET_MAX + 1]; /* that the object says it was uploaded with; "" if none */
};

/* Sign a HEAD of the object and send it; exchange->waiting ends with go_on(exchange). The head is
 * the caller's, and stays until then; release it last. False: the exchange has been answered. */
bool lst_remote_head(struct lst_api_exchange *exchange, const struct lst_remote *remote,
                     struct lst_slice bucket, struct lst_slice key, struct lst_remote_head *head,
                     void (*go_on)(void *exchange));

/* From now on, end those under way and to come within a second (the server is stopping); or no
 * longer. */
void lst_remote_heads_cancel(bool is_on);

void lst_remote_head_release(struct lst_remote_head *head);

#endif
