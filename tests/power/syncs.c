/* syncs.c - answer each sync a moment after it began. */
#define FUSE_USE_VERSION 34
#include "syncs.h"

#include "log.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

enum { NS_PER_US = 1000, NS_PER_SECOND = 1000000000, SHORT = 8 };

struct sync {
    uint64_t number;
    uint64_t node;
    uint64_t due_ns;
    fuse_req_t request;
    struct sync *next;
};

static pthread_t thread;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake;
static struct sync *waiting; /* by the time when they are due */
static uint64_t last_number;
static unsigned longest_us;
static unsigned random_state;
static bool is_stopping;

static uint64_t now_ns(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * NS_PER_SECOND + (uint64_t)time.tv_nsec;
}

static void answer(struct sync *sync)
{
    power_log_add(
        &(struct power_event){.kind = POWER_SYNC_END, .numbers = {sync->node, sync->number}});
    (void)fuse_reply_err(sync->request, 0);
    free(sync);
}

static void wait_until(uint64_t due_ns)
{
    struct timespec time = {.tv_sec = (time_t)(due_ns / NS_PER_SECOND),
                            .tv_nsec = (long)(due_ns % NS_PER_SECOND)};

    (void)pthread_cond_timedwait(&wake, &lock, &time);
}

static void *run(void *nothing)
{
    pthread_mutex_lock(&lock);
    while (!is_stopping || waiting != NULL) {
        struct sync *sync = waiting;
        if (sync == NULL) {
            pthread_cond_wait(&wake, &lock);
        } else if (!is_stopping && sync->due_ns > now_ns()) {
            wait_until(sync->due_ns);
        } else {
            waiting = sync->next;
            pthread_mutex_unlock(&lock);
            answer(sync);
            pthread_mutex_lock(&lock);
        }
    }
    pthread_mutex_unlock(&lock);
    return nothing;
}

int power_syncs_start(unsigned delay_us, unsigned seed)
{
    pthread_condattr_t attributes;

    longest_us = delay_us;
    random_state = seed;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&wake, &attributes);
    pthread_condattr_destroy(&attributes);
    return pthread_create(&thread, NULL, run, NULL);
}

/* Most are short, some are as long as can be: so that syncs overtake each other. */
static uint64_t delay_ns(void)
{
    unsigned most = rand_r(&random_state) % SHORT == 0 ? longest_us : longest_us / SHORT;

    return (uint64_t)NS_PER_US * ((unsigned)rand_r(&random_state) % (most + 1));
}

void power_sync(fuse_req_t request, uint64_t node)
{
    struct sync *sync = calloc(1, sizeof(*sync));
    struct sync **place = &waiting;

    if (sync == NULL) {
        (void)fuse_reply_err(request, ENOMEM);
        return;
    }
    pthread_mutex_lock(&lock);
    sync->number = ++last_number;
    sync->node = node;
    sync->request = request;
    sync->due_ns = now_ns() + delay_ns();
    power_log_add(&(struct power_event){.kind = POWER_SYNC_BEGIN, .numbers = {node, sync->number}});
    while (*place != NULL && (*place)->due_ns <= sync->due_ns) {
        place = &(*place)->next;
    }
    sync->next = *place;
    *place = sync;
    pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
}

void power_syncs_stop(void)
{
    pthread_mutex_lock(&lock);
    is_stopping = true;
    pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
    (void)pthread_join(thread, NULL);
}
