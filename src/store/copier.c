/* copier.c - the threads that copy bytes. */
#include "store/copier.h"

void lst_copiers_init(struct lst_copiers *copiers)
{
    *copiers = (struct lst_copiers){0};
    copiers->last = &copiers->first;
    pthread_mutex_init(&copiers->lock, NULL);
    pthread_cond_init(&copiers->wake, NULL);
}

void lst_copiers_release(struct lst_copiers *copiers)
{
    pthread_mutex_lock(&copiers->lock);
    copiers->stopping = true;
    pthread_cond_broadcast(&copiers->wake);
    pthread_mutex_unlock(&copiers->lock);
    for (size_t i = 0; i < copiers->thread_count; i++) {
        pthread_join(copiers->threads[i], NULL);
    }
    pthread_cond_destroy(&copiers->wake);
    pthread_mutex_destroy(&copiers->lock);
}

static void *work(void *argument)
{
    struct lst_copiers *copiers = argument;

    pthread_mutex_lock(&copiers->lock);
    for (;;) {
        struct lst_copier_job *job = copiers->first;
        if (job != NULL) {
            copiers->first = job->next;
            if (copiers->first == NULL) {
                copiers->last = &copiers->first;
            }
            pthread_mutex_unlock(&copiers->lock);
            job->run(job);
            pthread_mutex_lock(&copiers->lock);
        } else if (copiers->stopping) {
            break;
        } else {
            copiers->idle_count++;
            pthread_cond_wait(&copiers->wake, &copiers->lock);
            copiers->idle_count--;
        }
    }
    pthread_mutex_unlock(&copiers->lock);
    return NULL;
}

int lst_copiers_submit(struct lst_copiers *copiers, struct lst_copier_job *job)
{
    int status = LST_OK;

    pthread_mutex_lock(&copiers->lock);
    /* Idle ones may have been woken for earlier jobs: better a thread too many than a job that
     * waits. */
    if ((copiers->idle_count == 0 || copiers->first != NULL) &&
        copiers->thread_count < LST_COPIERS_MAX &&
        pthread_create(&copiers->threads[copiers->thread_count], NULL, work, copiers) == 0) {
        copiers->thread_count++;
    }
    if (copiers->thread_count == 0) {
        status = LST_ERR_NO_MEMORY;
    } else {
        job->next = NULL;
        *copiers->last = job;
        copiers->last = &job->next;
        pthread_cond_signal(&copiers->wake);
    }
    pthread_mutex_unlock(&copiers->lock);
    return status;
}
