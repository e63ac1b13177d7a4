/* jobs.c - the thread that delivers webhooks. */
#include "api/jobs_state.h"

#include "base/clock.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { REPORT_MAX = 512, DRAIN_MS = 1000, SLEEP_MAX_MS = 60000, NS_PER_MS = 1000000 };

void lst_jobs_report(const struct lst_jobs *jobs, const char *format, ...)
{
    char text[REPORT_MAX];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (jobs->options.report != NULL) {
        jobs->options.report(text);
    }
}

void lst_jobs_wake(struct lst_jobs *jobs)
{
    atomic_store(&jobs->has_news, true);
    lst_jobs_nudge(jobs);
}

void lst_jobs_nudge(struct lst_jobs *jobs)
{
    (void)eventfd_write(jobs->wake, 1); /* it fails only if it was written to 2^64 times */
}

static void move_transfers(struct lst_jobs *jobs)
{
    int running;

    if (jobs->transfers != NULL) {
        (void)curl_multi_perform(jobs->transfers, &running);
    }
}

/* For the network, or a nudge. */
static void wait_for_work(struct lst_jobs *jobs, int wait_ms)
{
    struct curl_waitfd nudged = {.fd = jobs->wake, .events = CURL_WAIT_POLLIN};
    struct pollfd alone = {.fd = jobs->wake, .events = POLLIN};
    eventfd_t ignored;

    if (jobs->transfers != NULL) {
        (void)curl_multi_poll(jobs->transfers, &nudged, 1, wait_ms, NULL);
    } else {
        (void)poll(&alone, 1, wait_ms);
    }
    (void)eventfd_read(jobs->wake, &ignored);
}

/* Start what is due, move what is under way, write what is over; or wait for something of that. */
static void work(struct lst_jobs *jobs, int64_t *due_ms)
{
    int64_t now_ms = lst_clock_now_ms();
    int64_t wait_ms;

    if (!atomic_load(&jobs->is_stopping) &&
        (atomic_exchange(&jobs->has_news, false) || now_ms >= *due_ms)) {
        *due_ms = lst_jobs_look(jobs, now_ms);
    }
    lst_jobs_take_questions(jobs);
    move_transfers(jobs);
    if (lst_jobs_finish(jobs)) {
        atomic_store(&jobs->has_news, true);
        return;
    }
    wait_ms = atomic_load(&jobs->is_stopping) ? DRAIN_MS : *due_ms - now_ms;
    if (wait_ms > 0) {
        wait_ms = wait_ms < SLEEP_MAX_MS ? wait_ms : SLEEP_MAX_MS; /* the clock may be set */
        wait_for_work(jobs, (int)wait_ms);
    }
}

static void *run(void *argument)
{
    struct lst_jobs *jobs = argument;
    int64_t due_ms = 0;
    uint64_t end_ns;

    while (!atomic_load(&jobs->is_stopping)) {
        work(jobs, &due_ms);
    }
    end_ns = lst_clock_monotonic_ns() + (uint64_t)DRAIN_MS * NS_PER_MS;
    while (jobs->first != NULL && lst_clock_monotonic_ns() < end_ns) {
        work(jobs, &due_ms);
    }
    return NULL;
}

static void release(struct lst_jobs *jobs)
{
    (void)curl_multi_cleanup(jobs->transfers);
    pthread_mutex_destroy(&jobs->lock);
    if (jobs->wake >= 0) {
        (void)close(jobs->wake);
    }
    free(jobs);
}

int lst_jobs_open(const struct lst_jobs_options *options, struct lst_jobs **ret_jobs)
{
    struct lst_jobs *jobs = calloc(1, sizeof(*jobs));

    if (jobs == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    jobs->options = *options;
    jobs->options.rest_ms = options->rest_ms == 0 ? LST_JOBS_REST_MS : options->rest_ms;
    jobs->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&jobs->lock, NULL);
    if (jobs->wake < 0 || pthread_create(&jobs->thread, NULL, run, jobs) != 0) {
        release(jobs);
        return LST_ERR_NO_MEMORY;
    }
    *ret_jobs = jobs;
    return LST_OK;
}

void lst_jobs_close(struct lst_jobs *jobs)
{
    if (jobs == NULL) {
        return;
    }
    atomic_store(&jobs->is_stopping, true);
    lst_jobs_nudge(jobs);
    pthread_join(jobs->thread, NULL);
    lst_jobs_abandon(jobs);
    release(jobs);
}

void lst_jobs_statistics(struct lst_jobs *jobs, struct lst_jobs_statistics *ret_statistics)
{
    *ret_statistics = (struct lst_jobs_statistics){
        .delivered = atomic_load(&jobs->delivered),
        .failed = atomic_load(&jobs->failed),
        .given_up = atomic_load(&jobs->given_up),
        .under_way = atomic_load(&jobs->count),
    };
}
