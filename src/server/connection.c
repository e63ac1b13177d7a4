/* connection.c - the life of a connection: begun, run, closed. */
#include "server/connection.h"

#include "server/strangers.h"
#include "server/tls.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECOND      1000000000ULL
#define SURPLUS_NS  (2 * SECOND) /* that one has which is told to slow down */
#define LONG_ANSWER (64 * 1024)  /* bytes: of more, a turn is long work */

/* ---- Beginning */

static void know_peer(struct lst_engine *engine, struct lst_peer *peer,
                      const struct sockaddr *socket_address)
{
    struct lst_server *server = engine->server;
    struct lst_address address;

    lst_address_format(socket_address, peer->address);
    if (lst_address_parse(lst_slice_of(peer->address), &address)) {
        for (size_t i = 0; i < server->config->trusted_proxies.count; i++) {
            peer->is_proxy |= lst_network_contains(&server->proxies[i], &address);
        }
    }
    peer->is_over_limit = engine->count >= server->config->connections;
}

struct lst_connection *lst_connection_new(struct lst_engine *engine, int socket,
                                          const struct sockaddr *address)
{
    struct lst_connection *connection = calloc(1, sizeof(*connection));
    uint64_t limit_ns = engine->server->config->idle_timeout * SECOND;

    if (connection == NULL) {
        return NULL;
    }
    connection->socket = socket;
    connection->timer.owner = connection;
    know_peer(engine, &connection->peer, address);
    connection->limit_ns =
        connection->peer.is_over_limit && limit_ns > SURPLUS_NS ? SURPLUS_NS : limit_ns;
    engine->count++;
    engine->server->metrics.connections++;
    engine->server->metrics.accepted++;
    return connection;
}

/* ---- Going on */

static enum lst_step step(struct lst_connection *connection)
{
    switch (connection->state) {
    case LST_CONNECTION_HANDSHAKE:
        return lst_tls_handshake(connection);
    case LST_CONNECTION_HEAD:
        return lst_connection_read_head(connection);
    case LST_CONNECTION_BODY:
        return lst_connection_read_body(connection);
    case LST_CONNECTION_ANSWER:
        return lst_connection_write_answer(connection);
    case LST_CONNECTION_LINGER:
        return lst_connection_read_away(connection);
    case LST_CONNECTION_WAITS:
    case LST_CONNECTION_CLOSED:
        break;
    }
    return LST_STEP_WAIT;
}

void lst_connection_line_up(struct lst_connection *connection)
{
    struct lst_worker *worker = connection->worker;

    if (!connection->is_ready) {
        connection->is_ready = true;
        connection->next_ready = NULL;
        if (worker->ready == NULL) {
            worker->ready = connection;
        } else {
            worker->ready_last->next_ready = connection;
        }
        worker->ready_last = connection;
    }
}

void lst_connection_end_handshake(struct lst_connection *connection)
{
    struct lst_worker *worker = connection->worker;
    struct lst_handshake *next =
        lst_handshakes_leave(&worker->handshakes, &connection->handshake, worker->now_ns);

    if (next != NULL) {
        lst_connection_hurry_handshake(next->owner);
        lst_connection_line_up(next->owner);
    }
}

/* It is to be closed. A request may have come since it was read from last: that is answered. */
static enum lst_step look_again(struct lst_connection *connection)
{
    if (connection->had_last_look) {
        return LST_STEP_CLOSE;
    }
    connection->had_last_look = true;
    connection->may_read = true;
    return LST_STEP_ON;
}

void lst_connection_run(struct lst_connection *connection)
{
    enum lst_step last = LST_STEP_ON;

    connection->ran_ns = connection->worker->now_ns;
    connection->turn_left = lst_worker_expects_short_work(connection->worker) ? LST_CONNECTION_SHORT
                                                                              : LST_CONNECTION_TURN;
    connection->turn_requests = LST_CONNECTION_REQUESTS;
    while (last == LST_STEP_ON) {
        last = step(connection);
        if (last == LST_STEP_WAIT && !lst_connection_watch(connection)) {
            last = look_again(connection);
        }
    }
    switch (last) {
    case LST_STEP_YIELD:
        lst_connection_line_up(connection);
        break;
    case LST_STEP_CLOSE:
    case LST_STEP_RESET:
        lst_connection_close(connection, last == LST_STEP_RESET);
        break;
    case LST_STEP_WAIT:
    case LST_STEP_ON:
        break;
    }
}

/* What comes next may keep the worker for more than some tens of microseconds. */
static bool is_long(const struct lst_connection *connection)
{
    switch (connection->state) {
    case LST_CONNECTION_HANDSHAKE:
    case LST_CONNECTION_BODY:
    case LST_CONNECTION_LINGER:
        return true;
    case LST_CONNECTION_ANSWER:
        return connection->answer_left > LONG_ANSWER;
    case LST_CONNECTION_HEAD:
    case LST_CONNECTION_WAITS:
    case LST_CONNECTION_CLOSED:
        break;
    }
    return false;
}

/* At once; or in the row, if short work of others should not have to wait for it. */
static void go_on(struct lst_connection *connection)
{
    if (is_long(connection)) {
        lst_connection_line_up(connection);
    } else {
        lst_connection_run(connection);
    }
}

void lst_connection_begin(struct lst_worker *worker, struct lst_connection *connection)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data = {.ptr = connection}};

    connection->worker = worker;
    connection->next = worker->all;
    connection->link = &worker->all;
    if (worker->all != NULL) {
        worker->all->link = &connection->next;
    }
    worker->all = connection;
    connection->may_write = true;
    connection->may_read = true; /* what has come already is worth a look */
    connection->state = LST_CONNECTION_HEAD;
    if (worker->engine->tls != NULL) {
        connection->state = LST_CONNECTION_HANDSHAKE;
        connection->handshake.owner = connection;
        connection->handshake.network =
            lst_strangers_network(lst_slice_of(connection->peer.address));
    }
    if (epoll_ctl(worker->epoll, EPOLL_CTL_ADD, connection->socket, &event) != 0) {
        lst_connection_close(connection, true);
        return;
    }
    go_on(connection);
}

void lst_connection_take_events(struct lst_connection *connection, uint32_t events)
{
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
        connection->may_read = true;
    }
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) {
        connection->may_write = true;
    }
    if ((events & EPOLLPRI) != 0) {
        connection->has_urgent = true;
    }
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
        connection->peer_ended = true;
    }
    if (connection->is_ready || connection->state == LST_CONNECTION_WAITS ||
        connection->state == LST_CONNECTION_CLOSED) {
        return; /* it has its turn in the row, or later */
    }
    go_on(connection);
}

void lst_exchange_wake(void *context)
{
    struct lst_exchange *exchange = context;

    lst_worker_wake(exchange->connection->worker, exchange->connection);
}

void lst_connection_resume(struct lst_connection *connection)
{
    enum lst_step next;

    connection->state = connection->waits_for_disk ? LST_CONNECTION_ANSWER : LST_CONNECTION_BODY;
    if (connection->worker->engine->is_stopping) {
        lst_connection_close(connection, false);
        return;
    }
    next = connection->waits_for_disk
               ? lst_connection_resume_answer(connection)
               : lst_connection_follow(connection, lst_exchange_resume(connection->exchange));
    if (next == LST_STEP_CLOSE || next == LST_STEP_RESET) {
        lst_connection_close(connection, next == LST_STEP_RESET);
    } else if (next == LST_STEP_ON) {
        go_on(connection);
    }
}

/* ---- Exchanges */

#define EXCHANGES_KEPT 32

bool lst_connection_take_exchange(struct lst_connection *connection)
{
    struct lst_worker *worker = connection->worker;
    struct lst_exchange *exchange = worker->exchanges;

    if (exchange != NULL) {
        worker->exchanges = exchange->next_spare;
        worker->exchange_count--;
    } else {
        exchange = malloc(sizeof(*exchange));
    }
    if (exchange == NULL) {
        return false;
    }
    lst_exchange_init(exchange, worker->engine->server, connection, &connection->peer,
                      worker->now_ns);
    connection->exchange = exchange;
    return true;
}

void lst_connection_give_exchange(struct lst_connection *connection)
{
    struct lst_worker *worker = connection->worker;
    struct lst_exchange *exchange = connection->exchange;

    if (exchange == NULL) {
        return;
    }
    connection->exchange = NULL;
    if (exchange->received <= LONG_ANSWER && exchange->sent <= LONG_ANSWER) {
        worker->short_ns = worker->now_ns;
    }
    lst_exchange_finish(exchange, lst_clock_monotonic_ns());
    if (worker->exchange_count >= EXCHANGES_KEPT) {
        free(exchange);
        return;
    }
    exchange->next_spare = worker->exchanges;
    worker->exchanges = exchange;
    worker->exchange_count++;
}

/* ---- Ending */

void lst_connection_drain(struct lst_connection *connection)
{
    if (connection->state == LST_CONNECTION_HEAD && !connection->is_ready) {
        lst_connection_run(connection);
    }
    lst_connection_hurry(connection);
}

void lst_connection_close(struct lst_connection *connection, bool is_reset)
{
    struct lst_worker *worker = connection->worker;
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    if (connection->state == LST_CONNECTION_CLOSED) {
        return;
    }
    if (connection->state == LST_CONNECTION_HANDSHAKE && connection->tls != NULL) {
        worker->engine->server->metrics.handshakes_failed++;
    }
    connection->state = LST_CONNECTION_CLOSED;
    lst_connection_give_exchange(connection);
    lst_timers_cancel(&connection->timer);
    lst_tls_session_free(connection->tls, !is_reset);
    connection->tls = NULL;
    lst_connection_end_handshake(connection);
    /* What a client does not read of its answer must not wait for it in the kernel, megabytes for
     * minutes. */
    if (is_reset) {
        (void)setsockopt(connection->socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    }
    (void)close(connection->socket);
    *connection->link = connection->next;
    if (connection->next != NULL) {
        connection->next->link = connection->link;
    }
    worker->count--;
    worker->engine->count--;
    worker->engine->server->metrics.connections--;
    if (!connection->is_ready) {
        connection->next_ready = worker->dead;
        worker->dead = connection;
    }
}

void lst_connection_free(struct lst_connection *connection)
{
    if (connection->input != NULL && connection->input_size == LST_WORKER_INPUT) {
        lst_worker_give_input(connection->worker, connection->input);
    } else {
        free(connection->input);
    }
    lst_unsent_release(&connection->behind);
    lst_unsent_release(&connection->unsent);
    lst_unsent_release(&connection->piece);
    free(connection);
}
