/* engine.c - the engine: its threads, started and stopped. */
#include "server/engine.h"

#include "server/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void sleep_milliseconds(long milliseconds)
{
    struct timespec time = {.tv_sec = milliseconds / 1000,
                            .tv_nsec = milliseconds % 1000 * 1000000};

    (void)nanosleep(&time, NULL);
}

static int open_worker(struct lst_engine *engine, struct lst_worker *worker)
{
    int status = lst_worker_open(worker);

    worker->engine = engine;
    worker->handshakes.most = lst_handshakes_most(engine->worker_count);
    worker->block = malloc(LST_WORKER_BLOCK);
    worker->cipher = engine->tls == NULL ? NULL : malloc(LST_WORKER_CIPHER);
    pthread_mutex_init(&worker->mutex, NULL);
    lst_buffer_init(&worker->reply, 4UL * LST_RESPONSE_HEADERS_MAX);
    if (worker->block == NULL || (engine->tls != NULL && worker->cipher == NULL)) {
        return LST_ERR_NO_MEMORY;
    }
    return status;
}

/* Connections that another worker accepted in the very moment of the stop, and handed to this one
 * when it had ended. */
static void close_late(struct lst_worker *worker)
{
    while (worker->arrived != NULL) {
        struct lst_connection *connection = worker->arrived;

        worker->arrived = connection->next_arrived;
        (void)close(connection->socket);
        free(connection);
    }
}

static void close_worker(struct lst_worker *worker)
{
    void *next;

    close_late(worker);
    for (void *input = worker->inputs; input != NULL; input = next) {
        memcpy(&next, input, sizeof(next));
        free(input);
    }
    while (worker->exchanges != NULL) {
        struct lst_exchange *exchange = worker->exchanges;

        worker->exchanges = exchange->next_spare;
        free(exchange);
    }
    if (worker->epoll >= 0) {
        (void)close(worker->epoll);
    }
    if (worker->wake >= 0) {
        (void)close(worker->wake);
    }
    pthread_mutex_destroy(&worker->mutex);
    lst_buffer_release(&worker->reply);
    free(worker->block);
    free(worker->cipher);
}

static int start_workers(struct lst_engine *engine)
{
    int status = LST_OK;

    for (unsigned i = 0; i < engine->worker_count && status == LST_OK; i++) {
        status = open_worker(engine, &engine->workers[i]);
    }
    for (unsigned i = 0; i < engine->worker_count && status == LST_OK; i++) {
        struct lst_worker *worker = &engine->workers[i];

        worker->is_started = pthread_create(&worker->thread, NULL, lst_worker_run, worker) == 0;
        status = worker->is_started ? LST_OK : LST_ERR_NO_MEMORY;
    }
    return status;
}

int lst_engine_start(struct lst_server *server, int listener, bool listener_is_lent,
                     unsigned workers, struct lst_engine **ret_engine)
{
    uint64_t most = server->config->connections;
    struct lst_engine *engine = calloc(1, sizeof(*engine) + workers * sizeof(engine->workers[0]));
    int status;

    if (engine == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    engine->server = server;
    engine->listener = listener;
    engine->listener_is_lent = listener_is_lent;
    engine->tls = server->tls;
    lst_pool_init(&engine->disk, LST_POOL_THREADS);
    /* More than --connections, so that those above it are told to slow down and not left waiting.
     */
    engine->count_max = most + most / 4 + 64;
    engine->worker_count = workers;
    status = start_workers(engine);
    if (status != LST_OK) {
        lst_engine_stop(engine);
        lst_engine_free(engine);
        return status;
    }
    *ret_engine = engine;
    return LST_OK;
}

static void nudge_all(struct lst_engine *engine)
{
    for (unsigned i = 0; i < engine->worker_count; i++) {
        if (engine->workers[i].is_started) {
            lst_worker_nudge(&engine->workers[i]);
        }
    }
}

uint64_t lst_engine_drain(struct lst_engine *engine, uint64_t deadline_ns,
                          lst_engine_hurry *must_hurry, void *user)
{
    engine->is_draining = true;
    nudge_all(engine);
    while (engine->drained_count < engine->worker_count && lst_clock_monotonic_ns() < deadline_ns) {
        sleep_milliseconds(1);
    }
    if (!engine->listener_is_lent) { /* new clients are refused, not left waiting */
        (void)shutdown(engine->listener, SHUT_RDWR);
    }
    while (engine->count > 0 && lst_clock_monotonic_ns() < deadline_ns && !must_hurry(user)) {
        sleep_milliseconds(2);
    }
    return engine->server->metrics.in_flight;
}

void lst_engine_stop(struct lst_engine *engine)
{
    engine->is_stopping = true;
    nudge_all(engine);
    for (unsigned i = 0; i < engine->worker_count; i++) {
        if (engine->workers[i].is_started) {
            (void)pthread_join(engine->workers[i].thread, NULL);
        }
    }
}

void lst_engine_free(struct lst_engine *engine)
{
    if (engine == NULL) {
        return;
    }
    for (unsigned i = 0; i < engine->worker_count; i++) {
        if (engine->workers[i].engine != NULL) {
            close_worker(&engine->workers[i]);
        }
    }
    lst_pool_release(&engine->disk);
    free(engine);
}
