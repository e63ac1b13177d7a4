/* worker.c - one of the engine's threads: waits for events, and lets connections go on. */
#include "server/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Connections that may have a turn of short work before long work has one again. With
 * LST_CONNECTION_REQUESTS it bounds what floods of pipelined requests can keep back: for some 15
 * ms, if each takes 15 us. */
#define EVENTS 64

/* So long after short work more of it is expected. */
#define SHORT_WORK_NS 1000000000ULL

/* What epoll names, besides connections. */
static char of_listener;
static char of_wake;

/* ---- From other threads */

static void nudge_locked(struct lst_worker *worker)
{
    (void)eventfd_write(worker->wake, 1); /* it fails only if it was written to 2^64 times */
}

void lst_worker_nudge(struct lst_worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    nudge_locked(worker);
    pthread_mutex_unlock(&worker->mutex);
}

void lst_worker_hand(struct lst_worker *worker, struct lst_connection *connection)
{
    pthread_mutex_lock(&worker->mutex);
    connection->next_arrived = worker->arrived;
    worker->arrived = connection;
    if (connection->next_arrived == NULL) {
        nudge_locked(worker);
    }
    pthread_mutex_unlock(&worker->mutex);
}

/* The eventfd is written to under the lock: once that is free the worker may go on with the
 * connection, and end. */
void lst_worker_wake(struct lst_worker *worker, struct lst_connection *connection)
{
    pthread_mutex_lock(&worker->mutex);
    connection->next_woken = worker->woken;
    worker->woken = connection;
    if (connection->next_woken == NULL) {
        nudge_locked(worker);
    }
    pthread_mutex_unlock(&worker->mutex);
}

static void take_queues(struct lst_worker *worker)
{
    struct lst_connection *arrived;
    struct lst_connection *woken;
    eventfd_t ignored;

    (void)eventfd_read(worker->wake, &ignored);
    pthread_mutex_lock(&worker->mutex);
    arrived = worker->arrived;
    woken = worker->woken;
    worker->arrived = NULL;
    worker->woken = NULL;
    pthread_mutex_unlock(&worker->mutex);
    while (arrived != NULL) {
        struct lst_connection *connection = arrived;

        arrived = connection->next_arrived;
        lst_connection_begin(worker, connection);
    }
    while (woken != NULL) {
        struct lst_connection *connection = woken;

        woken = connection->next_woken;
        lst_connection_resume(connection);
    }
}

/* ---- Memory that is used again */

char *lst_worker_take_input(struct lst_worker *worker)
{
    void *input = worker->inputs;

    if (input == NULL) {
        return malloc(LST_WORKER_INPUT);
    }
    memcpy(&worker->inputs, input, sizeof(worker->inputs));
    worker->input_count--;
    return input;
}

void lst_worker_give_input(struct lst_worker *worker, char *input)
{
    if (worker->input_count >= LST_WORKER_INPUTS_KEPT) {
        free(input);
        return;
    }
    memcpy(input, &worker->inputs, sizeof(worker->inputs));
    worker->inputs = input;
    worker->input_count++;
}

/* ---- The loop */

bool lst_worker_expects_short_work(const struct lst_worker *worker)
{
    return worker->now_ns - worker->short_ns < SHORT_WORK_NS;
}

void lst_worker_listen(struct lst_worker *worker, bool is_accepting)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data = {.ptr = &of_listener}};

    if (worker->is_accepting == is_accepting) {
        return;
    }
    if (epoll_ctl(worker->epoll, is_accepting ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
                  worker->engine->listener, &event) == 0) {
        worker->is_accepting = is_accepting;
    } else if (is_accepting) {
        worker->accept_again_ns = worker->now_ns + LST_WORKER_PAUSE_NS;
    }
}

/* Milliseconds that epoll may wait. */
static int find_patience(const struct lst_worker *worker)
{
    int patience = lst_timers_wait_ms(&worker->timers, worker->now_ns);

    if (worker->ready != NULL) {
        return 0;
    }
    if (worker->accept_again_ns != 0) {
        int until = worker->accept_again_ns <= worker->now_ns
                        ? 0
                        : (int)((worker->accept_again_ns - worker->now_ns) / 1000000 + 1);

        return patience < 0 || until < patience ? until : patience;
    }
    return patience;
}

static void take_events(struct lst_worker *worker, const struct epoll_event *events, int count)
{
    for (int i = 0; i < count; i++) {
        void *about = events[i].data.ptr;

        if (about == &of_listener) {
            lst_worker_accept(worker);
        } else if (about == &of_wake) {
            take_queues(worker);
        } else {
            lst_connection_take_events(about, events[i].events);
        }
    }
}

/* One turn of the long work, and then the short work that has come meanwhile goes first. */
static void run_ready(struct lst_worker *worker)
{
    struct lst_connection *connection = worker->ready;

    if (connection == NULL) {
        return;
    }
    worker->ready = connection->next_ready;
    connection->is_ready = false;
    if (connection->state == LST_CONNECTION_CLOSED) { /* it was closed in between */
        connection->next_ready = worker->dead;
        worker->dead = connection;
    } else {
        lst_connection_run(connection);
    }
}

static void bury(struct lst_worker *worker)
{
    while (worker->dead != NULL) {
        struct lst_connection *connection = worker->dead;

        worker->dead = connection->next_ready;
        lst_connection_free(connection);
    }
}

/* The engine's state has changed: drain, or close all that does not wait. */
static void follow_engine(struct lst_worker *worker)
{
    bool is_stopping = worker->engine->is_stopping;
    struct lst_connection *next;

    if (!is_stopping && (worker->has_drained || !worker->engine->is_draining)) {
        return;
    }
    if (!worker->has_drained) {
        lst_worker_accept_all(worker);
        lst_worker_listen(worker, false);
        worker->accept_again_ns = 0;
        worker->has_drained = true;
        worker->engine->drained_count++;
    }
    for (struct lst_connection *each = worker->all; each != NULL; each = next) {
        next = each->next;
        if (!is_stopping) {
            lst_connection_drain(each);
        } else if (each->state != LST_CONNECTION_WAITS) {
            lst_connection_close(each, false);
        }
    }
}

static void run_once(struct lst_worker *worker)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(worker->epoll, events, EVENTS, find_patience(worker));

    worker->now_ns = lst_clock_monotonic_ns();
    take_events(worker, events, count);
    run_ready(worker);
    lst_timers_run(&worker->timers, worker->now_ns, lst_connection_check_time);
    if (worker->accept_again_ns != 0 && worker->accept_again_ns <= worker->now_ns) {
        worker->accept_again_ns = 0;
        lst_worker_listen(worker, true);
    }
    follow_engine(worker);
    bury(worker);
}

int lst_worker_open(struct lst_worker *worker)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = &of_wake}};

    worker->epoll = epoll_create1(EPOLL_CLOEXEC);
    worker->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (worker->epoll < 0 || worker->wake < 0) {
        return LST_ERR_TOO_MANY_FILES;
    }
    return epoll_ctl(worker->epoll, EPOLL_CTL_ADD, worker->wake, &event) == 0 ? LST_OK
                                                                              : LST_ERR_NO_MEMORY;
}

void *lst_worker_run(void *argument)
{
    struct lst_worker *worker = argument;

    worker->now_ns = lst_clock_monotonic_ns();
    lst_timers_init(&worker->timers, worker->now_ns);
    lst_worker_listen(worker, true);
    /* Those in the row are freed only when it is their turn. */
    while (!worker->engine->is_stopping || worker->all != NULL || worker->count > 0 ||
           worker->ready != NULL) {
        run_once(worker);
    }
    return NULL;
}
