/* jobs_state.h - the delivery of webhooks from inside: for jobs*.c alone. */
#ifndef LST_API_JOBS_STATE_H
#define LST_API_JOBS_STATE_H

#include "api/jobs.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>

/* A request that is under way, of a delivery or of a question. */
struct lst_transfer {
    CURL *easy;
    struct curl_slist *headers;
    size_t received;               /* bytes of the answer */
    bool is_cut;                   /* there was more of it than is read */
    struct lst_question *question; /* whose it is; */
    struct lst_delivery *delivery; /* one of the two is NULL */
};

/* What is to be sent. It is the caller's: url and secret until the transfer has begun, the body
 * until it has ended. */
struct lst_message {
    const char *url;
    const char *secret;
    struct lst_slice body;
    long seconds; /* that it may take */
};

/* One attempt, under way. */
struct lst_delivery {
    struct lst_delivery *next;
    struct lst_transfer transfer;
    struct lst_job job; /* its texts are in key and value */
    char key[LST_JOB_KEY_MAX];
    size_t key_length;
    char next_key[LST_JOB_KEY_MAX]; /* under which it waits if the attempt fails */
    char *value;
    size_t value_length;
    char origin[];
};

struct lst_jobs {
    struct lst_jobs_options options;
    pthread_t thread;
    int wake;         /* eventfd: the thread has something to do */
    CURLM *transfers; /* NULL before the first, as libcurl is loaded only then */
    atomic_bool is_stopping;
    atomic_bool has_news; /* there may be something due of which the thread does not know */
    _Atomic uint64_t delivered;
    _Atomic uint64_t failed;
    _Atomic uint64_t given_up;
    _Atomic uint64_t count; /* under way; changed by the thread alone, as all that follows */
    struct lst_delivery *first;
    bool lacks_curl;        /* it was reported that libcurl cannot be loaded */
    bool saw_stray;         /* it was reported that a row among the messages is none */
    int64_t not_before_ms;  /* when to look again after the index failed */
    int64_t quiet_until_ms; /* it was said just before that something will be tried again */
    char served[LST_PROFILE_NAME_MAX + 1]; /* the profile whose job was started last */
    struct lst_question *asked;            /* under way */
    pthread_mutex_t lock;                  /* of all that follows */
    struct lst_question *waiting;          /* the thread has yet to take them */
    size_t question_count;                 /* asked and waiting */
    bool is_cancelled;                     /* no questions any more */
};

enum { LST_JOBS_BATCH_MAX = 64 };

/* ---- jobs_transfer.c */

/* Begin. All members but question and delivery are to be zero. LST_ERR_NO_MEMORY;
 * LST_ERR_NO_LIBRARY, which was reported then. */
LST_MUST_CHECK int lst_transfer_begin(struct lst_jobs *jobs, struct lst_transfer *transfer,
                                      const struct lst_message *message, int64_t now_ms);
void lst_transfer_end(struct lst_jobs *jobs, struct lst_transfer *transfer);

/* What came of one that is over, with libcurl's code: CURLE_OK and the status of HTTP, or why there
 * is none. An answer that was too long to be read whole is one. */
CURLcode lst_transfer_result(const struct lst_transfer *transfer, CURLcode code, long *ret_status);

/* ---- jobs_ask.c */

/* Send the questions that have come in; or end all, if they are cancelled. */
void lst_jobs_take_questions(struct lst_jobs *jobs);

/* One is over. */
void lst_jobs_answered(struct lst_jobs *jobs, struct lst_question *question, CURLcode code);

/* ---- jobs_find.c */

/* Start what is due and may be started. Gives when there will be more to do, in milliseconds since
 * 1970, if nothing happens before. */
int64_t lst_jobs_look(struct lst_jobs *jobs, int64_t now_ms);

/* ---- jobs_send.c */

/* Begin an attempt. LST_ERR_NO_MEMORY, LST_ERR_NO_LIBRARY. */
LST_MUST_CHECK int lst_jobs_send(struct lst_jobs *jobs, const struct lst_job *job,
                                 const struct lst_profile *profile, int64_t now_ms);

/* Record what came of those that are over. True if there was one. Waits for the disk. */
bool lst_jobs_finish(struct lst_jobs *jobs);

/* End all that is under way. */
void lst_jobs_abandon(struct lst_jobs *jobs);

/* ---- jobs.c */

/* Have the thread look for what there is to do. Any thread may. */
void lst_jobs_nudge(struct lst_jobs *jobs);

void lst_jobs_report(const struct lst_jobs *jobs, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
