/*
 * delivery.h - messages for webhooks as their owner sees them: which ones wait, which were given
 * up, and sending one again. docs/uploads.md, "When a receiver was down", is the manual.
 *
 * A delivery's id is its profile's name, '~' and the message's id in hex. It may be seen, and sent
 * again, by whoever may use the profile and make tokens for clients, or is an administrator.
 */
#ifndef LST_API_DELIVERY_H
#define LST_API_DELIVERY_H

#include "api/exchange.h"
#include "api/job.h"

#define LST_DELIVERIES_KEPT_MS  INT64_C(604800000) /* that were given up: a week */
#define LST_DELIVERIES_KEPT_MAX 10000              /* of a profile: the newest */
#define LST_DELIVERIES_SEEN_MAX 100000             /* rows that one call looks at */

/* The operations: each is an lst_api_route's begin(). */
void lst_deliveries_list(struct lst_api_exchange *exchange);
void lst_deliveries_retry(struct lst_api_exchange *exchange);
void lst_webhooks_test(struct lst_api_exchange *exchange);

/* What the rows of a profile's messages begin with; gives its length. At most LST_JOB_KEY_MAX. */
size_t lst_delivery_prefix(bool is_given_up, struct lst_slice profile,
                           char ret_prefix[LST_JOB_KEY_MAX]);

/* As the answers show it. NULL: no memory. */
json_t *lst_delivery_to_json(const struct lst_job *job);

/*
 * Find a message of a profile. *ret_job points into the reader's memory. LST_ERR_NOT_FOUND;
 * LST_ERR_TOO_LARGE: not among the first LST_DELIVERIES_SEEN_MAX that wait; errors of the index.
 */
LST_MUST_CHECK int lst_delivery_find(struct lst_index_reader *reader, struct lst_slice profile,
                                     const uint8_t id[LST_JOB_ID_SIZE], struct lst_job *ret_job);

/* Make of a message one that is due now: one that was given up begins anew, with three days. */
void lst_delivery_renew(struct lst_job *job, int64_t now_ms);

/* Add to a sweep of the ledger what was given up long enough ago, or is beyond the number that is
 * kept: see struct lst_ledger_hook. Errors of the index, LST_ERR_NO_MEMORY. */
LST_MUST_CHECK int lst_delivery_sweep(struct lst_index *index, int64_t now_ms,
                                      struct lst_ledger_changes *more);

#endif
