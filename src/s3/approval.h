/*
 * approval.h - a new object that somebody has to approve before it becomes visible.
 *
 * Whom to ask, and for which objects, is known above (api/approval.h): the approver. S3 tells it of
 * each object that is about to be made by a request with an x-latch-id: PutObject, a form's file,
 * the completion of an upload in parts. If it wants to be asked, the store makes the body durable,
 * the write stays staged (store/store.h) while the approver asks, and the request waits: no thread
 * does. A crash in between leaves what a crash in any PUT leaves: nothing.
 */
#ifndef LST_S3_APPROVAL_H
#define LST_S3_APPROVAL_H

#include "s3/exchange.h"

#define LST_APPROVAL_REASON_MAX 400 /* bytes, its NUL included */

enum lst_verdict {
    LST_VERDICT_YES,
    LST_VERDICT_NO,      /* for good: an upload in parts is given up */
    LST_VERDICT_NONE,    /* there was no answer; the client may try again */
    LST_VERDICT_BUSY,    /* too many are asked about at this moment */
    LST_VERDICT_STOPPED, /* the server stops */
};

/* One object that waits. All but what the approver sets by lst_approval_end() is S3's. */
struct lst_approval {
    struct lst_use use; /* whose and what: user, id, bucket, key */
    struct lst_put *staged;
    struct lst_s3_exchange *exchange;
    enum lst_verdict verdict;
    char reason[LST_APPROVAL_REASON_MAX];
};

struct lst_approver {
    /* Has this object to be approved? Before its body is made durable. Must not wait. A code other
     * than 0 refuses it. */
    int (*wants)(void *context, const struct lst_use *use, bool *ret_wants);
    /* Ask, and call lst_approval_end() once: on any thread, perhaps before this returns. On a
     * thread that must not block. */
    void (*ask)(void *context, struct lst_approval *approval);
    void *context;
};

/* Set the approver, which stays the caller's, or NULL; while no request is served. */
void lst_s3_set_approver(struct lst_s3 *s3, const struct lst_approver *approver);

/* What came of it. reason: shown to the client: UTF-8 of less than LST_APPROVAL_REASON_MAX bytes
 * without control characters; may be empty. The approval is gone after this. */
void lst_approval_end(struct lst_approval *approval, enum lst_verdict verdict, const char *reason);

/* The same if this server could not find out, or not ask: the write fails with this code, and not
 * as one that was not approved, which is recorded and told. */
void lst_approval_end_failed(struct lst_approval *approval, int code);

/* ---- For S3 */

/* Before the write of a new object begins: does it have to be approved? False, having answered, if
 * that can't be told. */
bool lst_approval_prepare(struct lst_s3_exchange *exchange);

/* exchange->write, made ready for what was prepared, to be waited for (lst_store_wait()). */
struct lst_store_write *lst_approval_write(struct lst_s3_exchange *exchange);

/* Answer for LST_ERR_NOT_APPROVED. */
void lst_approval_fail(struct lst_s3_exchange *exchange);

#endif
