/* copier.h - a few threads of the store for work that takes long: the copying of bytes. */
#ifndef LST_STORE_COPIER_H
#define LST_STORE_COPIER_H

#include "base/error.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum { LST_COPIERS_MAX = 4 };

struct lst_copier_job {
    void (*run)(struct lst_copier_job *job);
    struct lst_copier_job *next; /* the copiers' */
};

struct lst_copiers {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t threads[LST_COPIERS_MAX]; /* started when there is something to do */
    size_t thread_count;
    size_t idle_count;
    struct lst_copier_job *first;
    struct lst_copier_job **last; /* where the next one is linked */
    bool stopping;
};

void lst_copiers_init(struct lst_copiers *copiers);
/* Waits for all jobs. */
void lst_copiers_release(struct lst_copiers *copiers);

/* Hand over a job, to be run in its turn. It may free itself. LST_ERR_NO_MEMORY: there can be no
 * thread. */
LST_MUST_CHECK int lst_copiers_submit(struct lst_copiers *copiers, struct lst_copier_job *job);

#endif
