/*
 * jobs.h - delivers what waits for the profiles' webhooks.
 *
 * A thread takes the rows (job.h) that are due and posts each to the webhook that its profile has
 * at that moment, with the secret of that moment. What is answered with 200 to 299 is done, and its
 * row removed; all else is tried again later, and given up after three days. A job whose profile is
 * gone, or has no webhook any more, is dropped. So every job is delivered at least once; twice if
 * the process dies between the answer and the removal.
 *
 * Bounds: so many at a time in all and to one receiver (scheme, host and port), each for so long;
 * of an answer so much is read, and nothing is kept. Redirects are not followed. Addresses of
 * private networks are allowed: who may write a profile runs the server.
 */
#ifndef LST_API_JOBS_H
#define LST_API_JOBS_H

#include "api/job.h"
#include "api/profiles.h"

#define LST_JOBS_AT_ONCE         64
#define LST_JOBS_RECEIVER_MAX    8
#define LST_JOBS_CONNECT_SECONDS 5
#define LST_JOBS_SECONDS         10
#define LST_JOBS_ANSWER_MAX      (64 * 1024) /* bytes, headers included */

struct lst_jobs;

struct lst_jobs_options {
    struct lst_index *index; /* the ledger's; both are the caller's until lst_jobs_close() */
    struct lst_profiles *profiles;
    /* What the operator should know: a sentence with no secret in it. On the thread of the jobs.
     * NULL: nobody wants to know. */
    void (*report)(const char *text);
};

/* Starts the thread. LST_ERR_NO_MEMORY. */
LST_MUST_CHECK int lst_jobs_open(const struct lst_jobs_options *options,
                                 struct lst_jobs **ret_jobs);

/* What is under way gets a second to end; what is not done then is delivered after the next
 * opening. NULL does nothing. */
void lst_jobs_close(struct lst_jobs *jobs);

/* A row has been added. Any thread may say so. */
void lst_jobs_wake(struct lst_jobs *jobs);

/* Since it was opened. */
struct lst_jobs_statistics {
    uint64_t delivered;
    uint64_t failed;   /* attempts */
    uint64_t given_up; /* after three days, or because the webhook is gone */
    uint64_t under_way;
};
void lst_jobs_statistics(struct lst_jobs *jobs, struct lst_jobs_statistics *ret_statistics);

#endif
