/*
 * batch.h - many in one call: `{"links": [{...}, {...}]}`, each with a result of its own.
 *
 * The answer is 200 and `{"results": [...]}`, one result for each entry, in their order:
 * `{"status": 201, "result": {...}}` as the call for this entry alone would have been answered, or
 * `{"status": 400, "error": {"code": "...", "message": "..."}}`. A call that is wrong as a whole
 * (not a list, too many entries) is refused, and does nothing.
 */
#ifndef LST_API_BATCH_H
#define LST_API_BATCH_H

#include "api/exchange.h"

#define LST_BATCH_MAX 100 /* entries of a call */

/* Is it a call for many: has its input this member? */
bool lst_batch_is_wanted(const struct lst_api_exchange *exchange, const char *name);

/*
 * Do what one entry asks for. exchange->input is the entry. Gives its result, a new reference, and
 * sets *ret_status, which is 201 before. NULL: it has failed, and lst_api_fail() or
 * lst_api_fail_code() was called, which makes an error of this entry and does not answer the
 * exchange. It must not wait, and must not call lst_api_answer().
 */
typedef json_t *lst_batch_make(struct lst_api_exchange *exchange, void *context, int *ret_status);

/*
 * Call make() for each entry of the list `name` of the input. Gives the whole answer, a new
 * reference, for lst_api_answer() with status 200 once everything is durable. NULL: the call as a
 * whole was refused, and the exchange has been answered.
 */
json_t *lst_batch_run(struct lst_api_exchange *exchange, const char *name, lst_batch_make *make,
                      void *context);

#endif
