/* disk.c - a few threads that wait for the disk, so that no worker does. */
#include "server/disk.h"

#include <pthread.h>
#include <stdlib.h>

struct lst_disk {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct lst_disk_job *first;
    struct lst_disk_job *last;
    bool is_ending;
    unsigned queued;
    unsigned idle; /* some of them may have been woken, and not yet be here */
    unsigned count;
    pthread_t threads[LST_DISK_THREADS];
};

static void *run(void *argument)
{
    struct lst_disk *disk = argument;

    pthread_mutex_lock(&disk->mutex);
    while (disk->first != NULL || !disk->is_ending) {
        struct lst_disk_job *job = disk->first;

        if (job == NULL) {
            disk->idle++;
            pthread_cond_wait(&disk->wake, &disk->mutex);
            disk->idle--;
            continue;
        }
        disk->first = job->next;
        disk->queued--;
        pthread_mutex_unlock(&disk->mutex);
        job->run(job->owner);
        pthread_mutex_lock(&disk->mutex);
    }
    pthread_mutex_unlock(&disk->mutex);
    return NULL;
}

struct lst_disk *lst_disk_open(void)
{
    struct lst_disk *disk = calloc(1, sizeof(*disk));

    if (disk != NULL) {
        pthread_mutex_init(&disk->mutex, NULL);
        pthread_cond_init(&disk->wake, NULL);
    }
    return disk;
}

void lst_disk_close(struct lst_disk *disk)
{
    if (disk == NULL) {
        return;
    }
    pthread_mutex_lock(&disk->mutex);
    disk->is_ending = true;
    pthread_cond_broadcast(&disk->wake);
    pthread_mutex_unlock(&disk->mutex);
    for (unsigned i = 0; i < disk->count; i++) {
        (void)pthread_join(disk->threads[i], NULL);
    }
    pthread_cond_destroy(&disk->wake);
    pthread_mutex_destroy(&disk->mutex);
    free(disk);
}

bool lst_disk_submit(struct lst_disk *disk, struct lst_disk_job *job)
{
    bool is_taken;

    pthread_mutex_lock(&disk->mutex);
    if (disk->idle <= disk->queued && disk->count < LST_DISK_THREADS &&
        pthread_create(&disk->threads[disk->count], NULL, run, disk) == 0) {
        disk->count++;
    }
    is_taken = disk->count > 0;
    if (is_taken) {
        job->next = NULL;
        if (disk->first == NULL) {
            disk->first = job;
        } else {
            disk->last->next = job;
        }
        disk->last = job;
        disk->queued++;
        pthread_cond_signal(&disk->wake);
    }
    pthread_mutex_unlock(&disk->mutex);
    return is_taken;
}
