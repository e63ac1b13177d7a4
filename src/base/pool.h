/*
 * pool.h - a few threads for work that waits for the disk, or takes long, so that whoever has it
 * done need not wait.
 *
 * They are started when they are first needed. Jobs begin in the order in which they came. There is
 * no limit on how many wait: the caller sees to that.
 */
#ifndef LST_BASE_POOL_H
#define LST_BASE_POOL_H

#include "base/error.h"

#include <pthread.h>
#include <stdbool.h>

#define LST_POOL_THREADS 4 /* at most, of any pool */

/* Inside of what waits. */
struct lst_pool_job {
    void (*run)(void *owner); /* on one of the threads; may free the owner, and the job with it */
    void *owner;
    struct lst_pool_job *next; /* the pool's */
};

/* Private. */
struct lst_pool {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct lst_pool_job *first;
    struct lst_pool_job **last; /* where the next one is linked */
    bool is_ending;
    unsigned queued;
    unsigned idle; /* waiting for a job; those that were woken and are not back yet, too */
    unsigned count;
    unsigned most;
    pthread_t threads[LST_POOL_THREADS];
};

/* Of so many threads at most, LST_POOL_THREADS or fewer. */
void lst_pool_init(struct lst_pool *pool, unsigned threads);

/* Wait until every job is done, and end the threads. */
void lst_pool_release(struct lst_pool *pool);

/* Hand over a job, which stays the caller's and must stay where it is until it runs. Any thread.
 * LST_ERR_NO_MEMORY: there is no thread, and none can be started; the job is not taken. */
LST_MUST_CHECK int lst_pool_submit(struct lst_pool *pool, struct lst_pool_job *job);

#endif
