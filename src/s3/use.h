/*
 * use.h - the uses of a link: of a request with x-latch-id, which the ledger knows.
 *
 * docs/constraints.md says what x-latch-id and x-latch-uses mean. See gate/ledger.h.
 */
#ifndef LST_S3_USE_H
#define LST_S3_USE_H

#include "s3/exchange.h"

/*
 * Is the id in force? False, having answered, if it was revoked. True also if there is no id. To be
 * asked before anything is told about the object.
 */
bool lst_s3_use_check(struct lst_s3_exchange *exchange);

/*
 * Count this use of the id, where it has to be: if it has a limit, or writes, so that nothing is
 * written of which the ledger does not know. A form is counted when it has arrived whole, other
 * requests before their body. Waits. False, having answered, if there is no use left, or the id was
 * revoked.
 */
bool lst_s3_use_reserve(struct lst_s3_exchange *exchange);

/*
 * Something comes in under the id, of which a record is to be kept even if it is refused before it
 * can be counted: a form's file. False if the exchange has been answered: there is no memory.
 */
bool lst_s3_use_note(struct lst_s3_exchange *exchange);

/*
 * Forbid every cache to keep the answer, if it is to a request with an id: a copy would be shown
 * again without being counted, and after the id was revoked. What the object or the URL says of
 * caching gives way. Of requests that were refused too. Again: changes nothing.
 */
void lst_s3_use_forbid_caching(struct lst_s3_exchange *exchange);

/* What came of it; once the answer is known, or will never be. Again: does nothing. */
void lst_s3_use_settle(struct lst_s3_exchange *exchange);

/* NULL does nothing. */
void lst_s3_use_free(struct lst_counted_use *use);

#endif
