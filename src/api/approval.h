/*
 * approval.h - the application approves uploads before they become visible: docs/uploads.md,
 * "Asking your application first".
 *
 * The approver of s3/approval.h. A profile's `approve` is asked by a signed message (jobs.h), which
 * has an address from which the staged bytes can be fetched until the answer is there. Only a plain
 * yes makes the upload visible: no answer, a late one and one that is not understood refuse it.
 * What waits is in memory alone: if the process ends, nothing of it is left.
 */
#ifndef LST_API_APPROVAL_H
#define LST_API_APPROVAL_H

#include "api/exchange.h"
#include "s3/approval.h"

#define LST_APPROVALS_MAX         64 /* that wait at a time */
#define LST_APPROVALS_PROFILE_MAX 16 /* of one profile */
#define LST_STAGED_PATH           LST_API_PATH "staged/"

struct lst_approvals;

/* Become the approver of api->options.s3; api->jobs and api->profiles must be there.
 * LST_ERR_NO_MEMORY. */
LST_MUST_CHECK int lst_approvals_open(struct lst_api *api, struct lst_approvals **ret_approvals);

/* None must wait. NULL does nothing. */
void lst_approvals_close(struct lst_approvals *approvals);

/* GET /-/api/staged/TOKEN: the bytes of an upload that waits. An lst_api_route's begin(). */
void lst_approval_fetch(struct lst_api_exchange *exchange);

#endif
