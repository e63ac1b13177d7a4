/*
 * webhooks.h - the messages that wait to be sent to applications, and the thread that sends them.
 *
 * A message is written in the batch with which the ledger settles the use of an upload's URL, so
 * that neither is there without the other; it is removed when the application has answered 2xx.
 * It is sent at least once, whatever happens to the process in between.
 *
 * A row is 'j', the time from which on it is due (13 digits, ms) and the message's id, with JSON:
 * event, profile, upload (the whole id), created (ms), attempts, and what the ledger knew: size,
 * etag, type, reason.
 */
#ifndef LST_API_WEBHOOKS_H
#define LST_API_WEBHOOKS_H

#include "api/exchange.h"

struct lst_webhooks;

/*
 * Set the ledger's hook, settle what a process that died left open, and start the thread. api: its
 * options, profiles and secret are used, until the close. LST_ERR_NO_MEMORY, or the ledger's
 * errors.
 */
LST_MUST_CHECK int lst_webhooks_open(struct lst_api *api, struct lst_webhooks **ret_webhooks);

/* Ends the thread, and what it is sending: that is sent again by the next process. NULL does
 * nothing. */
void lst_webhooks_close(struct lst_webhooks *webhooks);

#endif
