/*
 * idempotency.h - a call that is made twice does what it does once.
 *
 * A caller who does not know whether its call arrived makes it again, with the same
 * `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), and gets the same answer. The
 * answer is kept for 24 hours at least, for this caller, this operation and this key. The same key
 * with another body is refused: 422. A call that was refused is not remembered.
 */
#ifndef LST_API_IDEMPOTENCY_H
#define LST_API_IDEMPOTENCY_H

#include "api/exchange.h"
#include "store/changes.h"

#define LST_IDEMPOTENCY_KEY_MAX 255 /* bytes, of visible ASCII */
#define LST_IDEMPOTENCY_SECONDS (24 * 60 * 60)

/* Was the call made before, or is its key wrong? Then the exchange has been answered. */
bool lst_idempotency_replay(struct lst_api_exchange *exchange);

/*
 * As lst_api_answer(), once the changes (rows of the ledger, which this takes) and, if the call has
 * a key, the answer are durable: all of it in one batch. If the answer is too large to be kept the
 * call is refused, and nothing is written: 413. exchange->work is freed when the exchange is; by
 * then exchange->is_kept says whether the answer was given, and is not that of an earlier call.
 */
void lst_idempotency_answer(struct lst_api_exchange *exchange, int status, json_t *answer,
                            struct lst_changes *changes);

/* Add to a sweep of the ledger the answers that were kept long enough at `now` (seconds): see
 * struct lst_ledger_hook. Errors of the index, LST_ERR_NO_MEMORY. */
LST_MUST_CHECK int lst_idempotency_sweep(struct lst_index *index, int64_t now,
                                         struct lst_ledger_changes *more);

#endif
