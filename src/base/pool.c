/* pool.c - a few threads for work that waits or takes long. */
#include "base/pool.h"

void lst_pool_init(struct lst_pool *pool, unsigned threads)
{
    *pool = (struct lst_pool){.most = threads};
    pool->last = &pool->first;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake, NULL);
}

void lst_pool_release(struct lst_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    pool->is_ending = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
    for (unsigned i = 0; i < pool->count; i++) {
        (void)pthread_join(pool->threads[i], NULL);
    }
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->mutex);
}

static struct lst_pool_job *take_first(struct lst_pool *pool)
{
    struct lst_pool_job *job = pool->first;

    pool->first = job->next;
    if (pool->first == NULL) {
        pool->last = &pool->first;
    }
    pool->queued--;
    return job;
}

static void *work(void *argument)
{
    struct lst_pool *pool = argument;

    pthread_mutex_lock(&pool->mutex);
    while (pool->first != NULL || !pool->is_ending) {
        struct lst_pool_job *job;

        if (pool->first == NULL) {
            pool->idle++;
            pthread_cond_wait(&pool->wake, &pool->mutex);
            pool->idle--;
            continue;
        }
        job = take_first(pool);
        pthread_mutex_unlock(&pool->mutex);
        job->run(job->owner);
        pthread_mutex_lock(&pool->mutex);
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

int lst_pool_submit(struct lst_pool *pool, struct lst_pool_job *job)
{
    int status = LST_ERR_NO_MEMORY;

    pthread_mutex_lock(&pool->mutex);
    /* Each job that is queued already has been promised one of the idle threads. */
    if (pool->idle <= pool->queued && pool->count < pool->most &&
        pthread_create(&pool->threads[pool->count], NULL, work, pool) == 0) {
        pool->count++;
    }
    if (pool->count > 0) {
        job->next = NULL;
        *pool->last = job;
        pool->last = &job->next;
        pool->queued++;
        pthread_cond_signal(&pool->wake);
        status = LST_OK;
    }
    pthread_mutex_unlock(&pool->mutex);
    return status;
}
