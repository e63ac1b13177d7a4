/* wait_test.c - waits of threads and of fibers that are over before they begin or later; many at
 * a time; and nothing borrowed crosses a wait. */
#include "base/wait.h"

#include "base/fiber.h"
#include "tap.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIBERS = 24, WAITS = 40, THREADS = 3 };

/* ---- Threads */

struct handing {
    struct lst_wait wait;
    int value; /* written before it is set */
};

static void *set_it(void *context)
{
    struct handing *handing = context;

    handing->value = 42;
    lst_wait_end(&handing->wait);
    return NULL;
}

static void test_threads(void)
{
    struct handing early = {.wait = LST_WAIT};
    int seen = 0;

    (void)set_it(&early);
    lst_wait_for(&early.wait);
    CHECK(early.value == 42, "a wait that is over is none");
    for (int i = 0; i < 100; i++) {
        struct handing handing = {.wait = LST_WAIT};
        pthread_t thread;

        if (pthread_create(&thread, NULL, set_it, &handing) == 0) {
            lst_wait_for(&handing.wait);
            seen += handing.value;
            pthread_join(thread, NULL);
        }
    }
    CHECK(seen == 4200, "a thread sleeps until another sets it, and sees what that wrote");
}

/* ---- A worker: fibers, and a row of those that are to go on */

struct runner {
    struct worker *worker;
    struct lst_fiber *fiber;
    struct runner *next;
    struct lst_wait *to_set; /* for the setter */
    struct runner *next_to_set;
    int waits;
};

struct worker {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct runner *woken;
    struct setter *setter;
    struct runner runners[FIBERS];
    int running;
};

/* Another thread that ends waits. */
struct setter {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct runner *first;
    bool is_ending;
};

static void *set_all(void *context)
{
    struct setter *setter = context;

    pthread_mutex_lock(&setter->mutex);
    while (!setter->is_ending || setter->first != NULL) {
        struct runner *runner = setter->first;

        if (runner == NULL) {
            pthread_cond_wait(&setter->changed, &setter->mutex);
            continue;
        }
        setter->first = runner->next_to_set;
        pthread_mutex_unlock(&setter->mutex);
        lst_wait_end(runner->to_set);
        pthread_mutex_lock(&setter->mutex);
    }
    pthread_mutex_unlock(&setter->mutex);
    return NULL;
}

static void ask(struct setter *setter, struct runner *runner, struct lst_wait *wait)
{
    pthread_mutex_lock(&setter->mutex);
    runner->to_set = wait;
    runner->next_to_set = setter->first;
    setter->first = runner;
    pthread_cond_signal(&setter->changed);
    pthread_mutex_unlock(&setter->mutex);
}

static void run(void *context)
{
    struct runner *runner = context;

    for (int i = 0; i < WAITS; i++) {
        struct lst_wait wait = LST_WAIT;

        ask(runner->worker->setter, runner, &wait);
        lst_wait_for(&wait);
        runner->waits++;
    }
}

static void wake(void *context)
{
    struct runner *runner = context;
    struct worker *worker = runner->worker;

    pthread_mutex_lock(&worker->mutex);
    runner->next = worker->woken;
    worker->woken = runner;
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->mutex);
}

/* Until it waits for what has not happened, or has ended. */
static void go_on(struct worker *worker, struct runner *runner)
{
    do {
        if (lst_fiber_resume(runner->fiber) == LST_FIBER_ENDED) {
            worker->running--;
            return;
        }
    } while (!lst_wait_arm(lst_fiber_awaits(runner->fiber), wake, runner));
}

static void *work(void *context)
{
    struct worker *worker = context;

    for (int i = 0; i < FIBERS; i++) {
        struct runner *runner = &worker->runners[i];

        runner->worker = worker;
        runner->fiber = lst_fiber_new("runner", run, runner);
        worker->running++;
        go_on(worker, runner);
    }
    while (worker->running > 0) {
        struct runner *runner;

        pthread_mutex_lock(&worker->mutex);
        while (worker->woken == NULL) {
            pthread_cond_wait(&worker->changed, &worker->mutex);
        }
        runner = worker->woken;
        worker->woken = runner->next;
        pthread_mutex_unlock(&worker->mutex);
        go_on(worker, runner);
    }
    return NULL;
}

static void test_workers(void)
{
    static struct worker workers[THREADS];
    struct setter setter = {.is_ending = false};
    pthread_t threads[THREADS];
    pthread_t setting;
    int waits = 0;

    pthread_mutex_init(&setter.mutex, NULL);
    pthread_cond_init(&setter.changed, NULL);
    CHECK(pthread_create(&setting, NULL, set_all, &setter) == 0, "a thread that ends waits");
    for (int i = 0; i < THREADS; i++) {
        pthread_mutex_init(&workers[i].mutex, NULL);
        pthread_cond_init(&workers[i].changed, NULL);
        workers[i].setter = &setter;
        (void)pthread_create(&threads[i], NULL, work, &workers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        for (int j = 0; j < FIBERS; j++) {
            waits += workers[i].runners[j].waits;
        }
    }
    pthread_mutex_lock(&setter.mutex);
    setter.is_ending = true;
    pthread_cond_signal(&setter.changed);
    pthread_mutex_unlock(&setter.mutex);
    pthread_join(setting, NULL);
    CHECK(waits == THREADS * FIBERS * WAITS, "fibers of several threads wait, and all go on");
    CHECK(lst_fiber_count() == 0, "and nothing of them is left");
}

/* ---- Borrowed */

static void test_borrowed(void)
{
#ifdef LST_DEBUG
    int status = 0;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        struct lst_wait wait = LST_WAIT;

        (void)close(STDERR_FILENO);
        lst_wait_end(&wait);
        lst_borrow_begin();
        lst_wait_for(&wait);
        _exit(0);
    }
    (void)waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
          "to wait with something borrowed ends the process, even if the wait is over");
#endif
}

int main(void)
{
    test_threads();
    test_workers();
    test_borrowed();
    return tap_done();
}
