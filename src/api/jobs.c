/* jobs.c - the thread that delivers webhooks. */
#include "api/jobs_state.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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
    (void)curl_multi_wakeup(jobs->transfers);
}

/* Start what is due, move what is under way, write what is over; or wait for something of that. */
static void work(struct lst_jobs *jobs, int64_t *due_ms)
{
    int64_t now_ms = lst_clock_now_ms();
    int64_t wait_ms;
    int running;

    if (!atomic_load(&jobs->is_stopping) &&
        (atomic_exchange(&jobs->has_news, false) || now_ms >= *due_ms)) {
        *due_ms = lst_jobs_look(jobs, now_ms);
    }
    lst_jobs_take_questions(jobs);
    (void)curl_multi_perform(jobs->transfers, &running);
    if (lst_jobs_finish(jobs)) {
        atomic_store(&jobs->has_news, true);
        return;
    }
    wait_ms = atomic_load(&jobs->is_stopping) ? DRAIN_MS : *due_ms - now_ms;
    if (wait_ms > 0) {
        wait_ms = wait_ms < SLEEP_MAX_MS ? wait_ms : SLEEP_MAX_MS; /* the clock may be set */
        (void)curl_multi_poll(jobs->transfers, NULL, 0, (int)wait_ms, NULL);
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

int lst_jobs_open(const struct lst_jobs_options *options, struct lst_jobs **ret_jobs)
{
    struct lst_jobs *jobs;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return LST_ERR_NO_MEMORY;
    }
    jobs = calloc(1, sizeof(*jobs));
    if (jobs != NULL) {
        jobs->options = *options;
        jobs->options.rest_ms = options->rest_ms == 0 ? LST_JOBS_REST_MS : options->rest_ms;
        jobs->transfers = curl_multi_init();
        pthread_mutex_init(&jobs->lock, NULL);
    }
    if (jobs == NULL || jobs->transfers == NULL ||
        pthread_create(&jobs->thread, NULL, run, jobs) != 0) {
        if (jobs != NULL) {
            (void)curl_multi_cleanup(jobs->transfers);
            pthread_mutex_destroy(&jobs->lock);
        }
        free(jobs);
        curl_global_cleanup();
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
    (void)curl_multi_wakeup(jobs->transfers);
    pthread_join(jobs->thread, NULL);
    lst_jobs_abandon(jobs);
    (void)curl_multi_cleanup(jobs->transfers);
    pthread_mutex_destroy(&jobs->lock);
    free(jobs);
    curl_global_cleanup();
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
