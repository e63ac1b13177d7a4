/* pool_test.c - jobs run in order, side by side up to a bound, and all of them before the end. */
#include "base/pool.h"

#include "tap.h"

#define JOBS 40

struct shared {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned running;
    unsigned done;
    bool may_end;
    unsigned order[JOBS]; /* in which they began */
    unsigned begun;
};

struct job {
    struct lst_pool_job job;
    struct shared *shared;
    unsigned number;
};

static void run(void *owner)
{
    struct job *job = owner;
    struct shared *shared = job->shared;

    pthread_mutex_lock(&shared->mutex);
    shared->order[shared->begun++] = job->number;
    shared->running++;
    pthread_cond_broadcast(&shared->changed);
    while (!shared->may_end) {
        pthread_cond_wait(&shared->changed, &shared->mutex);
    }
    shared->running--;
    shared->done++;
    pthread_mutex_unlock(&shared->mutex);
}

/* True once so many run; the test hangs otherwise. */
static void wait_for(struct shared *shared, unsigned running)
{
    pthread_mutex_lock(&shared->mutex);
    while (shared->running < running) {
        pthread_cond_wait(&shared->changed, &shared->mutex);
    }
    pthread_mutex_unlock(&shared->mutex);
}

static void let_end(struct shared *shared)
{
    pthread_mutex_lock(&shared->mutex);
    shared->may_end = true;
    pthread_cond_broadcast(&shared->changed);
    pthread_mutex_unlock(&shared->mutex);
}

/* A pool may have fewer threads than the most. */
static void test_one_thread(void)
{
    struct shared shared = {
        .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .may_end = true};
    struct job jobs[JOBS];
    struct lst_pool pool;
    bool is_right = true;

    lst_pool_init(&pool, 1);
    for (unsigned i = 0; i < JOBS; i++) {
        jobs[i] =
            (struct job){.job = {.run = run, .owner = &jobs[i]}, .shared = &shared, .number = i};
        is_right = is_right && lst_pool_submit(&pool, &jobs[i].job) == LST_OK;
    }
    lst_pool_release(&pool);
    for (unsigned i = 0; i < JOBS; i++) {
        is_right = is_right && shared.order[i] == i;
    }
    CHECK(is_right && shared.done == JOBS && pool.count == 1,
          "a pool of one thread does all in order");
}

int main(void)
{
    struct shared shared = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                            .changed = PTHREAD_COND_INITIALIZER};
    struct job jobs[JOBS];
    struct lst_pool pool;
    bool is_in_order = true;

    lst_pool_init(&pool, LST_POOL_THREADS);
    for (unsigned i = 0; i < JOBS; i++) {
        jobs[i] =
            (struct job){.job = {.run = run, .owner = &jobs[i]}, .shared = &shared, .number = i};
        CHECK(lst_pool_submit(&pool, &jobs[i].job) == LST_OK, "job %u is taken", i);
        if (i < LST_POOL_THREADS) { /* none that runs keeps the next from its thread */
            wait_for(&shared, i + 1);
        }
    }
    pthread_mutex_lock(&shared.mutex);
    CHECK(shared.running == LST_POOL_THREADS, "so many run side by side, and no more");
    pthread_mutex_unlock(&shared.mutex);
    let_end(&shared);
    lst_pool_release(&pool);
    CHECK(shared.done == JOBS, "the end waits for all: %u of %u", shared.done, JOBS);
    for (unsigned i = 0; i < LST_POOL_THREADS; i++) {
        is_in_order = is_in_order && shared.order[i] == i;
    }
    CHECK(is_in_order, "the first begin first");

    lst_pool_init(&pool, LST_POOL_THREADS);
    lst_pool_release(&pool);
    CHECK(pool.count == 0, "without jobs there is no thread");
    test_one_thread();
    return tap_done();
}
