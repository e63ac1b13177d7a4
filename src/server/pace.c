/*
 * pace.c - deadlines: clients that hold a connection without using it are cut off.
 *
 * A period begins whenever it becomes somebody else's turn, and with every answer. At its end,
 * after --idle-timeout, PACE_LEAST bytes a second must have moved, and the last of them not that
 * long ago; then another period begins. So neither silence nor a trickle holds a connection, and
 * a client that sends or reads a large body steadily has all the time it needs. While it is the
 * server's own turn there is no deadline. A TLS handshake has to be over by a time of its own:
 * server/handshakes.h.
 *
 * The kernel takes megabytes of an answer that the client has yet to read. So a client that seems
 * idle, or lingers, when a deadline comes may still be reading, and then has a reader's deadlines
 * (TURN_UNREAD) until one finds that all was read.
 */
#include "server/connection.h"

#include "server/tls.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define SECOND               1000000000ULL
#define PACE_LEAST           500 /* bytes a second */
#define LINGER_SILENCE_NS    (5 * SECOND)
#define LINGER_ALTOGETHER_NS (30 * SECOND)
#define DRAIN_NS             SECOND /* in a drain: that a connection has which is no request yet */

enum turn {
    TURN_OURS,
    TURN_IDLE,   /* between two requests */
    TURN_AGREES, /* on TLS */
    TURN_SENDS,
    TURN_READS,
    TURN_LINGERS,
    TURN_UNREAD, /* it seems idle or lingers, and has yet to read what the kernel holds */
};

static bool is_reading(enum turn turn)
{
    return turn == TURN_READS || turn == TURN_UNREAD;
}

static enum turn turn_of(const struct lst_connection *connection)
{
    switch (connection->state) {
    case LST_CONNECTION_HEAD:
        return connection->input == NULL && !lst_tls_has_begun_record(connection) ? TURN_IDLE
                                                                                  : TURN_SENDS;
    case LST_CONNECTION_HANDSHAKE:
        return TURN_AGREES;
    case LST_CONNECTION_BODY:
        return TURN_SENDS;
    case LST_CONNECTION_ANSWER:
        return TURN_READS;
    case LST_CONNECTION_LINGER:
        return TURN_LINGERS;
    case LST_CONNECTION_WAITS:
    case LST_CONNECTION_CLOSED:
        break;
    }
    return TURN_OURS;
}

/* Bytes that have moved by now. What waits in the kernel for a client to read it has not. */
static uint64_t moved_by_now(const struct lst_connection *connection, enum turn turn)
{
    struct tcp_info information = {0};
    socklen_t size = sizeof(information);

    if (!is_reading(turn)) {
        return connection->received;
    }
    if (getsockopt(connection->socket, IPPROTO_TCP, TCP_INFO, &information, &size) != 0) {
        return 0;
    }
    return information.tcpi_bytes_acked;
}

/* A drain waits for requests. There is none before its head is whole, nor after its answer. */
static bool has_request(const struct lst_connection *connection, enum turn turn)
{
    return is_reading(turn) || (turn == TURN_SENDS && connection->state != LST_CONNECTION_HEAD);
}

static uint64_t limit_of(const struct lst_connection *connection, enum turn turn)
{
    bool is_draining = connection->worker->engine->is_draining;
    uint64_t limit = connection->limit_ns;

    if (turn == TURN_LINGERS && limit > LINGER_SILENCE_NS) {
        limit = LINGER_SILENCE_NS;
    }
    return is_draining && !has_request(connection, turn) && limit > DRAIN_NS ? DRAIN_NS : limit;
}

/* How long a period is. */
static uint64_t length_of(const struct lst_connection *connection, enum turn turn)
{
    return turn == TURN_LINGERS && !connection->worker->engine->is_draining
               ? LINGER_ALTOGETHER_NS
               : limit_of(connection, turn);
}

/* However much is sent: nobody needs long for a handshake. A drain does not wait for clients that
 * are silent, unless they are in the row. */
static uint64_t end_of_handshake(const struct lst_connection *connection)
{
    uint64_t end = lst_handshakes_deadline(&connection->worker->handshakes, &connection->handshake,
                                           connection->period_ns);
    uint64_t limit = connection->period_ns + connection->limit_ns;
    uint64_t silence = connection->heard_ns + limit_of(connection, TURN_AGREES);

    if (connection->worker->engine->is_draining && silence < limit &&
        connection->handshake.state != LST_HANDSHAKE_WAITS) {
        limit = silence;
    }
    return end < limit ? end : limit;
}

static uint64_t deadline_of(const struct lst_connection *connection, enum turn turn)
{
    uint64_t silence = connection->heard_ns + limit_of(connection, turn);
    uint64_t end = connection->period_ns + length_of(connection, turn);

    if (turn == TURN_AGREES) {
        return end_of_handshake(connection);
    }
    return silence < end ? silence : end;
}

static void set_deadline(struct lst_connection *connection, enum turn turn)
{
    lst_timers_set(&connection->worker->timers, &connection->timer, deadline_of(connection, turn));
}

static void begin_period(struct lst_connection *connection, enum turn turn)
{
    connection->period_turn = (uint8_t)turn;
    connection->period_answered = connection->answered;
    connection->period_ns = connection->worker->now_ns;
    connection->heard_ns = connection->worker->now_ns;
    connection->period_moved = moved_by_now(connection, turn);
    connection->looked_moved = connection->period_moved;
    set_deadline(connection, turn);
}

/* Only a deadline ends such a period: else a byte now and then would begin it anew, for ever. */
static bool goes_on_unread(const struct lst_connection *connection, enum turn turn)
{
    return connection->period_turn == TURN_UNREAD && (turn == TURN_IDLE || turn == TURN_LINGERS);
}

bool lst_connection_watch(struct lst_connection *connection)
{
    enum turn turn = turn_of(connection);

    if (turn == TURN_OURS) {
        connection->period_turn = TURN_OURS;
        return true;
    }
    if (turn == TURN_IDLE && connection->was_used && connection->worker->engine->is_draining) {
        return false;
    }
    if (connection->answered != connection->period_answered ||
        (turn != connection->period_turn && !goes_on_unread(connection, turn))) {
        begin_period(connection, turn);
    }
    return true;
}

void lst_connection_hurry(struct lst_connection *connection)
{
    enum turn turn = turn_of(connection);

    if (turn == TURN_OURS || has_request(connection, turn)) {
        return;
    }
    connection->heard_ns = connection->worker->now_ns;
    if (turn != TURN_AGREES) { /* the time for a handshake began with the connection */
        connection->period_ns = connection->worker->now_ns;
    }
    set_deadline(connection, turn);
}

void lst_connection_hurry_handshake(struct lst_connection *connection)
{
    if (connection->period_turn == TURN_AGREES) {
        set_deadline(connection, TURN_AGREES);
    }
}

/* Is it used? */
static bool is_in_time(struct lst_connection *connection, enum turn turn)
{
    uint64_t now = connection->worker->now_ns;
    uint64_t moved = moved_by_now(connection, turn);
    uint64_t period = now - connection->period_ns;

    if (turn == TURN_AGREES) {
        return now < end_of_handshake(connection);
    }
    if (moved != connection->looked_moved && is_reading(turn)) {
        connection->heard_ns = now;
    }
    connection->looked_moved = moved;
    if (now - connection->heard_ns >= limit_of(connection, turn)) {
        return false;
    }
    if (period < length_of(connection, turn)) {
        return true;
    }
    if (turn == TURN_LINGERS || moved - connection->period_moved < period / SECOND * PACE_LEAST) {
        return false;
    }
    connection->period_ns = now;
    connection->period_moved = moved;
    return true;
}

/* Does some of an answer that was sent wait in the kernel for the client to read it? */
static bool has_unread(const struct lst_connection *connection)
{
    int waiting = 0;

    return ioctl(connection->socket, SIOCOUTQ, &waiting) == 0 && waiting > 0;
}

/* Whose turn it is when a deadline comes. */
static enum turn look_at_turn(const struct lst_connection *connection)
{
    enum turn turn = turn_of(connection);

    return (turn == TURN_IDLE || turn == TURN_LINGERS) && has_unread(connection) ? TURN_UNREAD
                                                                                 : turn;
}

/* Has something come that this server has not looked at? What it does not want to read is left
 * aside: of a client that takes no answers, and in the row of handshakes. */
static bool is_unheard(const struct lst_connection *connection, enum turn turn)
{
    char byte;

    if (connection->is_ready || turn == TURN_AGREES || is_reading(turn)) {
        return connection->is_ready;
    }
    return connection->unsent.bytes == NULL &&
           lst_socket_receive(connection->socket, &byte, 1, MSG_PEEK) > 0;
}

/* The worker was held up, by a disk that hangs for one, and this connection has had no turn since
 * its deadline. It gets one, and only one: to keep the worker busy gains a client nothing. */
static bool give_owed_turn(struct lst_connection *connection, enum turn turn)
{
    uint64_t now = connection->worker->now_ns;

    if (connection->ran_ns >= deadline_of(connection, turn) || !is_unheard(connection, turn)) {
        return false;
    }
    connection->may_read = true;
    lst_connection_line_up(connection);
    lst_timers_set(&connection->worker->timers, &connection->timer, now + LST_TIMERS_TICK_NS);
    return true;
}

void lst_connection_check_time(void *owner)
{
    struct lst_connection *connection = owner;
    enum turn turn = look_at_turn(connection);

    if (turn == TURN_OURS) {
        return; /* a deadline of the turn before */
    }
    if (turn != connection->period_turn) {
        /* It has read its answer, or has yet to; or it is in the row, and has not come as far as to
         * wait. */
        begin_period(connection, turn);
        return;
    }
    if (is_in_time(connection, turn)) {
        set_deadline(connection, turn);
    } else if (!give_owed_turn(connection, turn)) {
        if (connection->exchange != NULL && connection->exchange->status == 0) {
            connection->exchange->why_cut = "nothing, or hardly anything, came for --idle-timeout";
        }
        lst_connection_close(connection,
                             turn == TURN_AGREES || turn == TURN_SENDS || is_reading(turn));
    }
}
