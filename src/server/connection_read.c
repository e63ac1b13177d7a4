/* connection_read.c - heads and bodies from the socket. */
#include "server/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Beyond a chunk's data: bytes that are read with it. What they are not taken for is kept. */
#define BEHIND_CHUNK 4096

static size_t smaller(uint64_t a, size_t b)
{
    return a < b ? (size_t)a : b;
}

/* ---- The buffer */

static void give_input(struct lst_connection *connection)
{
    if (connection->input_size == LST_WORKER_INPUT) {
        lst_worker_give_input(connection->worker, connection->input);
    } else {
        free(connection->input);
    }
    connection->input = NULL;
    connection->input_length = 0;
    connection->input_taken = 0;
}

void lst_connection_forget_input(struct lst_connection *connection)
{
    if (connection->input != NULL) {
        give_input(connection);
    }
    lst_unsent_release(&connection->behind);
}

/* A larger one, into which every head fits that is not refused. */
static bool grow_input(struct lst_connection *connection)
{
    char *larger = connection->input_size < LST_HEAD_MAX ? malloc(LST_HEAD_MAX) : NULL;
    char *before = connection->input;
    size_t length = connection->input_length;

    if (larger == NULL) {
        return false;
    }
    memcpy(larger, before, length);
    lst_http_head_move(&connection->exchange->head, before, larger);
    give_input(connection);
    connection->input = larger;
    connection->input_size = LST_HEAD_MAX;
    connection->input_length = length;
    return true;
}

static bool have_room(struct lst_connection *connection)
{
    if (connection->input == NULL) {
        connection->input = lst_worker_take_input(connection->worker);
        connection->input_size = LST_WORKER_INPUT;
        return connection->input != NULL;
    }
    return connection->input_length < connection->input_size || grow_input(connection);
}

/* ---- The head */

static enum lst_step begin_request(struct lst_connection *connection,
                                   enum lst_http_head_verdict verdict)
{
    struct lst_exchange *exchange = connection->exchange;

    connection->was_used = true;
    connection->turn_requests--;
    connection->input_taken =
        verdict == LST_HEAD_COMPLETE ? exchange->head.length : connection->input_length;
    if (verdict == LST_HEAD_COMPLETE && exchange->head.is_chunked) {
        lst_chunked_begin(&connection->chunked, NULL, 0);
    }
    connection->body_left = verdict == LST_HEAD_COMPLETE ? exchange->head.content_length : 0;
    return lst_connection_follow(connection, lst_exchange_begin(exchange, verdict));
}

static enum lst_step read_more(struct lst_connection *connection)
{
    ssize_t length;

    if (!have_room(connection)) {
        return LST_STEP_RESET;
    }
    length = lst_connection_receive(connection, connection->input + connection->input_length,
                                    connection->input_size - connection->input_length);
    if (length > 0) {
        connection->input_length += (size_t)length;
        return LST_STEP_ON;
    }
    if (connection->input_length == 0) {
        give_input(connection);
    }
    if (length == 0) {
        return LST_STEP_CLOSE;
    }
    return lst_connection_step_without(connection);
}

enum lst_step lst_connection_read_head(struct lst_connection *connection)
{
    enum lst_step flushed = lst_connection_flush(connection);

    /* TLS answers some of what it reads. A client that takes no answers is not read from. */
    if (flushed != LST_STEP_ON) {
        return flushed;
    }
    if (connection->input_length > 0) {
        enum lst_http_head_verdict verdict;

        if (connection->turn_requests == 0) {
            return LST_STEP_YIELD;
        }
        if (connection->exchange == NULL && !lst_connection_take_exchange(connection)) {
            return LST_STEP_RESET;
        }
        verdict = lst_http_head_read(&connection->exchange->head, connection->input,
                                     connection->input_length);
        if (verdict != LST_HEAD_MORE) {
            return begin_request(connection, verdict);
        }
    }
    if (connection->has_ended) {
        return LST_STEP_CLOSE;
    }
    return connection->may_read ? read_more(connection) : LST_STEP_WAIT;
}

enum lst_step lst_connection_next_request(struct lst_connection *connection)
{
    size_t left = connection->input_length - connection->input_taken;

    lst_connection_give_exchange(connection);
    connection->answered++;
    connection->state = LST_CONNECTION_HEAD;
    if (left > 0) {
        memmove(connection->input, connection->input + connection->input_taken, left);
    } else if (connection->input != NULL) {
        give_input(connection);
    }
    connection->input_length = left;
    connection->input_taken = 0;
    if (connection->behind.bytes != NULL) {
        if (!have_room(connection)) {
            return LST_STEP_RESET;
        }
        memcpy(connection->input, connection->behind.bytes, connection->behind.length);
        connection->input_length = connection->behind.length;
        lst_unsent_release(&connection->behind);
    }
    return LST_STEP_ON;
}

/* ---- What is next */

/*
 * 100 Continue for an empty body, which needs none (RFC 9110, section 10.1.1). But without it the
 * AWS CLI takes the final status for the answer to the connection's next upload too, loses that
 * answer's headers, and waits until the connection ends. It is sent before the final answer and not
 * with it: Java's HttpURLConnection forgets what it has read behind a 100. What is answered at once
 * gets none, and the connection ends, which is right for both.
 *
 * The request waits for another thread and can't be given up here: if this fails, so does its
 * answer.
 */
static void ask_for_nothing(struct lst_connection *connection)
{
    if (lst_exchange_waits_with_nothing(connection->exchange) &&
        lst_connection_ask_for_body(connection) != LST_STEP_ON) {
        (void)shutdown(connection->socket, SHUT_RDWR);
    }
}

enum lst_step lst_connection_follow(struct lst_connection *connection, enum lst_exchange_next next)
{
    struct lst_exchange *exchange = connection->exchange;

    switch (next) {
    case LST_NEXT_BODY:
        connection->state = LST_CONNECTION_BODY;
        if (exchange->head.expects_continue && exchange->received == 0 &&
            connection->input_taken == connection->input_length) {
            return lst_connection_ask_for_body(connection);
        }
        return LST_STEP_ON;
    case LST_NEXT_WAIT:
        connection->state = LST_CONNECTION_WAITS;
        ask_for_nothing(connection);
        return LST_STEP_WAIT;
    case LST_NEXT_ANSWER:
        return lst_connection_begin_answer(connection);
    case LST_NEXT_CLOSE:
        break;
    }
    return LST_STEP_RESET;
}

/* ---- The body */

/* Bytes that are no more than what is left of it. */
static enum lst_step take_plain(struct lst_connection *connection, const char *bytes, size_t length)
{
    connection->body_left -= length;
    return lst_connection_follow(connection, lst_exchange_body(connection->exchange,
                                                               lst_slice_make(bytes, length),
                                                               length, connection->body_left == 0));
}

/* What was decoded of a body in chunks: data, out of so many bytes. */
static enum lst_step take_chunks(struct lst_connection *connection,
                                 enum lst_chunked_verdict verdict, struct lst_slice data,
                                 size_t on_wire)
{
    struct lst_exchange *exchange = connection->exchange;

    if (verdict != LST_CHUNKED_MORE && verdict != LST_CHUNKED_COMPLETE) {
        return lst_connection_follow(connection, lst_exchange_refuse_body(exchange, verdict));
    }
    return lst_connection_follow(
        connection, lst_exchange_body(exchange, data, on_wire, verdict == LST_CHUNKED_COMPLETE));
}

/* What came with the head. */
static enum lst_step take_input(struct lst_connection *connection)
{
    char *bytes = connection->input + connection->input_taken;
    size_t length = connection->input_length - connection->input_taken;
    enum lst_chunked_verdict verdict;
    size_t data;
    size_t taken;

    if (!connection->exchange->head.is_chunked) {
        length = smaller(connection->body_left, length);
        connection->input_taken += length;
        return take_plain(connection, bytes, length);
    }
    verdict = lst_chunked_decode(&connection->chunked, bytes, length, &data, &taken);
    connection->input_taken += taken;
    return take_chunks(connection, verdict, lst_slice_make(bytes, data), taken);
}

static enum lst_step take_block(struct lst_connection *connection, size_t length)
{
    char *block = connection->worker->block;
    enum lst_chunked_verdict verdict;
    struct iovec behind;
    size_t data;
    size_t taken;

    if (!connection->exchange->head.is_chunked) {
        return take_plain(connection, block, length);
    }
    verdict = lst_chunked_decode(&connection->chunked, block, length, &data, &taken);
    /* Before anything is answered: over TLS an answer is put together in the block. Behind a body
     * that is refused there is no request, and it may be a whole block. */
    behind = (struct iovec){block + taken, verdict == LST_CHUNKED_COMPLETE ? length - taken : 0};
    if (!lst_unsent_keep(&connection->behind, &behind, 1, 0)) {
        return LST_STEP_RESET;
    }
    return take_chunks(connection, verdict, lst_slice_make(block, data), taken);
}

enum lst_step lst_connection_read_body(struct lst_connection *connection)
{
    size_t size = lst_worker_expects_short_work(connection->worker) ? LST_WORKER_SLICE
                                                                    : LST_WORKER_LONG_SLICE;
    enum lst_step flushed = lst_connection_flush(connection);
    ssize_t length;

    if (flushed != LST_STEP_ON) { /* 100 Continue, or as for heads */
        return flushed;
    }
    if (connection->input_taken < connection->input_length) {
        return take_input(connection);
    }
    if (connection->has_ended) {
        return LST_STEP_CLOSE;
    }
    if (!connection->may_read) {
        return LST_STEP_WAIT;
    }
    if (connection->turn_left == 0) {
        return LST_STEP_YIELD;
    }
    size = smaller(connection->exchange->head.is_chunked ? connection->chunked.left + BEHIND_CHUNK
                                                         : connection->body_left,
                   size);
    length = lst_connection_receive(connection, connection->worker->block, size);
    if (length > 0) {
        connection->turn_left = 0;
        return take_block(connection, (size_t)length);
    }
    if (length == 0) {
        return LST_STEP_CLOSE;
    }
    return lst_connection_step_without(connection);
}

/* ---- After the end */

enum lst_step lst_connection_read_away(struct lst_connection *connection)
{
    enum lst_step flushed = lst_connection_flush(connection);
    ssize_t length;

    if (flushed != LST_STEP_ON) {
        return flushed;
    }
    if (!connection->was_shut) {
        connection->was_shut = true;
        (void)shutdown(connection->socket, SHUT_WR);
    }
    if (connection->has_ended || connection->away_left == 0) {
        return LST_STEP_CLOSE;
    }
    if (!connection->may_read) {
        return LST_STEP_WAIT;
    }
    if (connection->turn_left == 0) {
        return LST_STEP_YIELD;
    }
    /* MSG_TRUNC: the kernel drops the bytes without copying them. */
    length = lst_socket_receive(connection->socket, NULL, connection->turn_left, MSG_TRUNC);
    if (length > 0) {
        connection->heard_ns = connection->worker->now_ns;
        connection->turn_left -= (size_t)length;
        connection->away_left -= smaller(connection->away_left, (size_t)length);
        return LST_STEP_ON;
    }
    if (length < 0 && errno == EAGAIN) {
        connection->may_read = false;
        return LST_STEP_WAIT;
    }
    return LST_STEP_CLOSE;
}
