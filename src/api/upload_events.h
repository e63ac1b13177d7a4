/*
 * upload_events.h - from what the ledger records of uploads to what their profiles' webhooks are
 * told.
 *
 * The job is written in the batch that settles the use: there is no use of an upload's URL that is
 * known to have come to its end, and of which the webhook will not be told. An upload that went
 * well just before the process died is found at the next start, by its open use.
 */
#ifndef LST_API_UPLOAD_EVENTS_H
#define LST_API_UPLOAD_EVENTS_H

#include "api/exchange.h"

/* Hook into the ledger, and settle what a crash left open. Before any request is served; api->jobs
 * must be there. Errors of lst_ledger_open_uses() and of the store. */
LST_MUST_CHECK int lst_upload_events_begin(struct lst_api *api);

/* Waits until all that was settled is written; then the ledger knows nothing of the API any more.
 * All exchanges, of S3 too, must be freed. */
void lst_upload_events_end(struct lst_api *api);

#endif
