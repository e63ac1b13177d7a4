/*
 * jobs.h - delivers what waits for the profiles' webhooks.
 *
 * A thread takes the rows (job.h) that are due and posts each to the webhook that its profile has
 * at that moment, with the secret of that moment. What is answered with 200 to 299 is done, and its
 * row removed; all else is tried again later, and given up after three days. A job whose profile is
 * gone, or has no webhook any more, is dropped. So every job is delivered at least once; twice if
 * the process dies between the answer and the removal. What was given up is kept for a week
 * (deliveries.h), so that it can be sent again.
 *
 * The same thread asks questions: a message that is sent once, at once, and whose answer somebody
 * waits for.
 *
 * Bounds: so many at a time in all and to one receiver (scheme, host and port), each for so long;
 * of an answer so much is read, and nothing is kept; a longer answer to a question is none.
 * Redirects are not followed. Addresses of private networks are allowed: who may write a profile
 * runs the server.
 */
#ifndef LST_API_JOBS_H
#define LST_API_JOBS_H

#include "api/job.h"
#include "api/profiles.h"
#include "base/buffer.h"

#define LST_JOBS_AT_ONCE         64
#define LST_JOBS_RECEIVER_MAX    8
#define LST_JOBS_CONNECT_SECONDS 5
#define LST_JOBS_SECONDS         10
#define LST_JOBS_ANSWER_MAX      (64 * 1024) /* bytes, headers included */
#define LST_JOBS_REST_MS         5000

#define LST_JOBS_QUESTIONS_MAX 96 /* under way at a time, beside the deliveries */
#define LST_JOBS_PROBLEM_MAX   128

struct lst_jobs;

struct lst_jobs_options {
    struct lst_index *index; /* the ledger's; both are the caller's until lst_jobs_close() */
    struct lst_profiles *profiles;
    /* What the operator should know: a sentence with no secret in it. On the thread of the jobs.
     * NULL: nobody wants to know. */
    void (*report)(const char *text);
    int64_t rest_ms; /* to wait when something failed here; 0: LST_JOBS_REST_MS */
};

/* Starts the thread. LST_ERR_NO_MEMORY. */
LST_MUST_CHECK int lst_jobs_open(const struct lst_jobs_options *options,
                                 struct lst_jobs **ret_jobs);

/* What is under way gets a second to end; what is not done then is delivered after the next
 * opening. All questions must be over. NULL does nothing. */
void lst_jobs_close(struct lst_jobs *jobs);

/* A row has been added. Any thread may say so. */
void lst_jobs_wake(struct lst_jobs *jobs);

/* A message whose answer somebody waits for. */
struct lst_question {
    /* The caller's, and unchanged until done(). */
    const char *url;
    const char *secret;
    struct lst_slice body; /* JSON */
    long seconds;          /* that the answer may take */
    /* Called once, on the thread of the jobs. It must not wait. */
    void (*done)(struct lst_question *question);
    void *context;

    /* What came of it, from done() on. */
    int http_status;                    /* 0: there was no answer, for this problem: */
    char problem[LST_JOBS_PROBLEM_MAX]; /* fit to be shown; "" if there was one */
    bool is_cancelled;                  /* there was none because the server stops */
    int failure; /* why this server could not ask: LST_ERR_NO_MEMORY, _NO_LIBRARY; or 0. It says
                  * nothing of the receiver */
    struct lst_buffer answer; /* its body, whole: to be released */

    struct lst_question *next; /* of the jobs alone, as the next */
    void *transfer;
};

/* Send it, and see to its answer. Any thread may ask. LST_ERR_TOO_LARGE: too many questions are
 * under way, or the server stops; LST_ERR_NO_MEMORY. Then done() will not be called. */
LST_MUST_CHECK int lst_jobs_ask(struct lst_jobs *jobs, struct lst_question *question);

/* The server stops: questions are not asked any more, and those under way end at once, without an
 * answer. */
void lst_jobs_cancel_questions(struct lst_jobs *jobs);

/* Since it was opened. */
struct lst_jobs_statistics {
    uint64_t delivered;
    uint64_t failed;   /* attempts */
    uint64_t given_up; /* after three days, or because the webhook is gone */
    uint64_t under_way;
};
void lst_jobs_statistics(struct lst_jobs *jobs, struct lst_jobs_statistics *ret_statistics);

#endif
