/* approval.c - a new object that somebody has to approve. */
#include "s3/approval.h"

#include "access/constraints.h"

#include <stdio.h>
#include <stdlib.h>

void lst_s3_set_approver(struct lst_s3 *s3, const struct lst_approver *approver)
{
    s3->approver = approver;
}

bool lst_approval_prepare(struct lst_s3_exchange *exchange)
{
    const struct lst_approver *approver = exchange->s3->approver;
    bool is_wanted = false;
    struct lst_use use;
    int status;

    if (approver == NULL || exchange->constraints == NULL ||
        exchange->constraints->id.length == 0) {
        return true;
    }
    use = (struct lst_use){.user = lst_slice_of(lst_passage_user_name(&exchange->passage)),
                           .id = exchange->constraints->id,
                           .bucket = exchange->target.bucket,
                           .key = exchange->target.key};
    status = approver->wants(approver->context, &use, &is_wanted);
    if (status == LST_OK && is_wanted) {
        exchange->approval = calloc(1, sizeof(*exchange->approval));
        status = exchange->approval == NULL ? LST_ERR_NO_MEMORY : LST_OK;
    }
    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
        return false;
    }
    if (exchange->approval != NULL) {
        exchange->approval->use = use;
        exchange->approval->exchange = exchange;
    }
    return true;
}

/* On a thread of the store. */
static void staged(struct lst_store_write *write, struct lst_put *put)
{
    struct lst_s3_exchange *exchange = write->context;
    const struct lst_approver *approver = exchange->s3->approver;

    exchange->approval->staged = put;
    approver->ask(approver->context, exchange->approval);
}

struct lst_store_write *lst_approval_write(struct lst_s3_exchange *exchange)
{
    exchange->write = (struct lst_store_write){
        .context = exchange, .staged = exchange->approval == NULL ? NULL : staged};
    return &exchange->write;
}

void lst_approval_end(struct lst_approval *approval, enum lst_verdict verdict, const char *reason)
{
    static const int codes[] = {
        [LST_VERDICT_YES] = LST_OK,
        [LST_VERDICT_NO] = LST_ERR_NOT_APPROVED,
        [LST_VERDICT_NONE] = LST_ERR_NOT_APPROVED,
        [LST_VERDICT_BUSY] = LST_ERR_NO_MEMORY, /* SlowDown */
        [LST_VERDICT_STOPPED] = LST_ERR_CLOSED,
    };

    (void)snprintf(approval->reason, sizeof(approval->reason), "%s", reason);
    approval->verdict = verdict;
    lst_staged_end(approval->staged, codes[verdict]);
}

void lst_approval_end_failed(struct lst_approval *approval, int code)
{
    approval->reason[0] = '\0';
    approval->verdict = LST_VERDICT_NONE;
    lst_staged_end(approval->staged, code);
}

void lst_approval_fail(struct lst_s3_exchange *exchange)
{
    const struct lst_approval *approval = exchange->approval;
    char message[LST_APPROVAL_REASON_MAX + 128];

    if (approval->verdict == LST_VERDICT_NONE) {
        (void)snprintf(message, sizeof(message),
                       "The application that approves uploads gave no answer that counts (%s), so "
                       "nothing was stored. Try again later",
                       approval->reason);
    } else if (approval->reason[0] != '\0') {
        (void)snprintf(message, sizeof(message), "The upload was not approved: %s",
                       approval->reason);
    } else {
        (void)snprintf(message, sizeof(message), "The upload was not approved");
    }
    lst_s3_set_reason(exchange, "%s", message);
    lst_s3_fail_about(exchange, LST_S3_ACCESS_DENIED, message, "Constraint",
                      LST_SLICE("x-latch-id"));
}
