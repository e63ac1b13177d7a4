/* connection_write.c - answers to the socket. */
#include "server/connection.h"

#include "server/reply.h"
#include "server/tls.h"

/* ---- Beginning */

enum lst_step lst_connection_ask_for_body(struct lst_connection *connection)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct iovec part = {(char *)go_on, sizeof(go_on) - 1};
    ssize_t sent = lst_connection_send(connection, &part, 1, false);

    connection->exchange->head.expects_continue = false;
    if (sent < 0 && connection->may_write) {
        return LST_STEP_RESET;
    }
    return lst_unsent_keep(&connection->unsent, &part, 1, sent < 0 ? 0 : (size_t)sent)
               ? LST_STEP_ON
               : LST_STEP_RESET;
}

/* Bytes of body that follow the head. */
static uint64_t length_of(const struct lst_http_response *response, bool is_head)
{
    if (is_head) {
        return 0;
    }
    switch (response->kind) {
    case LST_BODY_BYTES:
        return response->body.length;
    case LST_BODY_FILE:
    case LST_BODY_STREAM:
        return response->length;
    case LST_BODY_NONE:
    case LST_BODY_LENGTH:
        break;
    }
    return 0;
}

static const char *date_of(struct lst_worker *worker)
{
    int64_t now = lst_clock_now_ms() / 1000;

    if (now != worker->date_s) {
        worker->date_s = now;
        lst_clock_format_http(now, worker->date);
    }
    return worker->date;
}

enum lst_step lst_connection_begin_answer(struct lst_connection *connection)
{
    struct lst_worker *worker = connection->worker;
    struct lst_exchange *exchange = connection->exchange;
    struct lst_http_response *response = lst_exchange_answer(exchange);
    bool is_head = lst_slice_equal(exchange->request.message.method, LST_SLICE("HEAD"));
    struct iovec parts[2];
    size_t count = 1;
    ssize_t sent = 0;

    connection->state = LST_CONNECTION_ANSWER;
    connection->keeps = !response->close;
    connection->answer_left = length_of(response, is_head);
    connection->file_left = 0;
    if (response->kind == LST_BODY_FILE) {
        connection->file = response->file;
        connection->file_at = response->offset;
        connection->file_left = response->length;
    }
    lst_buffer_clear(&worker->reply);
    lst_reply_format(response, is_head, exchange->head.is_old, date_of(worker), &worker->reply);
    if (lst_buffer_status(&worker->reply) != LST_OK) {
        return LST_STEP_RESET;
    }
    parts[0] = (struct iovec){worker->reply.bytes, worker->reply.length};
    if (response->kind == LST_BODY_BYTES && connection->answer_left > 0) {
        parts[count++] = (struct iovec){response->body.bytes, response->body.length};
    }
    /* Over TLS it is always enciphered at once: what is kept unsent goes out as it is. */
    if (connection->tls != NULL || (connection->unsent.bytes == NULL && connection->may_write)) {
        sent = lst_connection_send(connection, parts, count,
                                   count == 1 && connection->answer_left > 0);
    }
    if (sent < 0 && connection->may_write) {
        return LST_STEP_RESET;
    }
    sent = sent < 0 ? 0 : sent;
    if ((size_t)sent > parts[0].iov_len) {
        connection->answer_left -= (uint64_t)sent - parts[0].iov_len;
        exchange->sent = (uint64_t)sent - parts[0].iov_len;
    } else if (connection->tls != NULL
                   ? (size_t)sent < parts[0].iov_len
                   : !lst_unsent_keep(&connection->unsent, parts, 1, (size_t)sent)) {
        return LST_STEP_RESET;
    }
    return LST_STEP_ON;
}

/* ---- Going on */

static enum lst_step end_answer(struct lst_connection *connection)
{
    if (connection->keeps) {
        return lst_connection_next_request(connection);
    }
    lst_connection_give_exchange(connection);
    lst_connection_forget_input(connection);
    connection->state = LST_CONNECTION_LINGER;
    connection->away_left = LST_CONNECTION_READ_AWAY;
    return lst_tls_say_end(connection);
}

enum lst_step lst_connection_write_answer(struct lst_connection *connection)
{
    const struct lst_http_response *response = lst_exchange_response(connection->exchange);
    enum lst_step flushed = lst_connection_flush(connection);

    if (flushed != LST_STEP_ON) {
        return flushed;
    }
    if (connection->answer_left == 0) {
        return end_answer(connection);
    }
    if (!connection->may_write) {
        return LST_STEP_WAIT;
    }
    if (connection->turn_left == 0) {
        return LST_STEP_YIELD;
    }
    return lst_connection_send_body(connection, response);
}
