/* exchange.c - one request: from its head to its answer. */
#include "server/exchange.h"

#include "server/inert.h"

/* Bytes of an unwanted body that are read to keep a connection: cheaper for both than a new one. */
#define DISCARD_MAX (256 * 1024)

static void add(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static void subtract(_Atomic uint64_t *counter)
{
    atomic_fetch_sub_explicit(counter, 1, memory_order_relaxed);
}

void lst_exchange_init(struct lst_exchange *exchange, struct lst_server *server,
                       struct lst_connection *connection, const struct lst_peer *peer,
                       uint64_t now_ns)
{
    memset(exchange, 0, offsetof(struct lst_exchange, head));
    exchange->server = server;
    exchange->connection = connection;
    exchange->peer = peer;
    exchange->operation = "-";
    exchange->error = "";
    exchange->why_cut =
        "the client was gone or too slow, or the server stopped, before there was an answer";
    exchange->began_ns = now_ns;
    exchange->own_reason[0] = '\0';
    lst_buffer_init(&exchange->joined, LST_HEAD_SECTION_MAX);
    lst_http_response_init(&exchange->own_response);
    lst_http_head_begin(&exchange->head, exchange->fields, exchange->room.header_numbers);
}

/* ---- What is next */

struct lst_http_response *lst_exchange_response(struct lst_exchange *exchange)
{
    return exchange->has_own ? &exchange->own_response
                             : exchange->handler->response(exchange->handled);
}

static enum lst_s3_state state_of(const struct lst_exchange *exchange)
{
    return exchange->has_own ? LST_S3_RESPOND : exchange->handler->state(exchange->handled);
}

/* It can be answered, and some of the body has not come yet. Reading it keeps the connection. */
static bool wants_rest(const struct lst_exchange *exchange)
{
    const struct lst_http_request *request = &exchange->request;

    if (request->is_chunked) { /* it may yet be short */
        return exchange->received <= DISCARD_MAX;
    }
    return request->content_length - exchange->received <= DISCARD_MAX;
}

static enum lst_exchange_next go_on(struct lst_exchange *exchange)
{
    enum lst_s3_state state = state_of(exchange);

    if (state == LST_S3_BODY && exchange->has_body_ended) {
        exchange->handler->end(exchange->handled);
        state = state_of(exchange);
    }
    switch (state) {
    case LST_S3_BODY:
        return LST_NEXT_BODY;
    case LST_S3_PENDING:
        return LST_NEXT_WAIT;
    case LST_S3_RESPOND:
        break;
    }
    if (exchange->has_body_ended) {
        return LST_NEXT_ANSWER;
    }
    if (wants_rest(exchange) && !lst_exchange_response(exchange)->close &&
        (exchange->received > 0 || !exchange->head.expects_continue)) {
        exchange->discards = true;
        return LST_NEXT_BODY;
    }
    return LST_NEXT_ANSWER;
}

enum lst_exchange_next lst_exchange_begin(struct lst_exchange *exchange,
                                          enum lst_http_head_verdict verdict)
{
    exchange->has_begun = true;
    add(&exchange->server->metrics.in_flight);
    lst_exchange_read_head(exchange, verdict);
    exchange->has_body_ended =
        !exchange->request.is_chunked && exchange->request.content_length == 0;
    return lst_exchange_route(exchange) ? go_on(exchange) : LST_NEXT_CLOSE;
}

enum lst_exchange_next lst_exchange_body(struct lst_exchange *exchange, struct lst_slice bytes,
                                         uint64_t on_wire, bool is_last)
{
    exchange->received += on_wire;
    exchange->has_body_ended = is_last;
    if (!exchange->discards && bytes.length > 0) {
        exchange->handler->body(exchange->handled, bytes);
    }
    return go_on(exchange);
}

enum lst_exchange_next lst_exchange_resume(struct lst_exchange *exchange)
{
    return go_on(exchange);
}

enum lst_exchange_next lst_exchange_refuse_body(struct lst_exchange *exchange,
                                                enum lst_chunked_verdict verdict)
{
    if (exchange->discards) { /* the answer that there is stands */
        return LST_NEXT_ANSWER;
    }
    lst_exchange_refuse(exchange, "BadRequest",
                        verdict == LST_CHUNKED_TOO_LARGE
                            ? "The chunk extensions or the trailers are too large (RFC 9112, 7.1)."
                            : "The body is not framed in chunks as RFC 9112, 7.1, wants it.");
    exchange->own_response.close = true;
    return LST_NEXT_ANSWER;
}

/* ---- The answer */

bool lst_exchange_waits_with_nothing(const struct lst_exchange *exchange)
{
    const struct lst_http_head *head = &exchange->head;

    return head->expects_continue && head->has_content_length && head->content_length == 0;
}

/* The answer to be sent; another one if there was no memory for it. */
static struct lst_http_response *ready_response(struct lst_exchange *exchange)
{
    struct lst_http_response *response = lst_exchange_response(exchange);

    if (lst_buffer_status(&response->body) != LST_OK ||
        lst_buffer_status(&response->headers) != LST_OK) {
        lst_http_response_release(response);
        lst_exchange_refuse(exchange, "SlowDown", NULL);
    }
    return lst_exchange_response(exchange);
}

struct lst_http_response *lst_exchange_answer(struct lst_exchange *exchange)
{
    const struct lst_config_list *apart = &exchange->server->config->content_domains;
    struct lst_http_response *response = ready_response(exchange);

    lst_inert_decorate(response,
                       lst_inert_is_apart(exchange->request.host, apart->values, apart->count));
    if (!lst_cors_is_preflight(&exchange->request) && !exchange->is_operators) {
        lst_cors_decorate(&exchange->server->cors, exchange->server->s3, &exchange->request,
                          response);
    }
    if (exchange->server->is_draining || !exchange->has_body_ended ||
        !exchange->head.keeps_connection || lst_exchange_waits_with_nothing(exchange)) {
        response->close = true;
    }
    exchange->status = response->status;
    return response;
}

/* ---- The end */

static void write_log(struct lst_exchange *exchange, uint64_t duration_us)
{
    struct lst_s3_record record = {.operation = exchange->operation,
                                   .user = "",
                                   .signed_by = "none",
                                   .access_key_id = "",
                                   .error = exchange->error,
                                   .reason = ""};
    struct lst_log_line line;

    if (exchange->handler != NULL) {
        exchange->handler->record(exchange->handled, &record);
    }
    if (exchange->handler != NULL && exchange->has_own) {
        record.error = exchange->error;
    }
    if (exchange->has_own) {
        record.reason = exchange->own_reason;
    }
    if (exchange->status == 0) {
        record.reason = exchange->why_cut;
    }
    line = (struct lst_log_line){
        .time_ms = exchange->request.received_ms,
        .peer = exchange->request.peer,
        .user = record.user,
        .access_key_id = record.access_key_id,
        .signed_by = record.signed_by,
        .operation = record.operation,
        .bucket = record.bucket,
        .key = record.key,
        .status = exchange->status == 0 ? 499 : exchange->status,
        .error = record.error,
        .reason = record.reason,
        .bytes_in = exchange->received,
        .bytes_out = exchange->sent,
        .duration_us = duration_us,
        .id = lst_slice_make(exchange->request.id, LST_REQUEST_ID_LENGTH),
    };
    lst_log_write(exchange->server->log, &line);
    lst_metrics_count(&exchange->server->metrics, record.operation, exchange->status, record.error,
                      exchange->received, exchange->sent, duration_us);
}

void lst_exchange_finish(struct lst_exchange *exchange, uint64_t now_ns)
{
    if (exchange->has_begun) { /* else its head never became complete */
        write_log(exchange, (now_ns - exchange->began_ns) / 1000);
        subtract(&exchange->server->metrics.in_flight);
    }
    if (exchange->handler != NULL) {
        exchange->handler->free(exchange->handled);
    }
    lst_http_response_release(&exchange->own_response);
    lst_buffer_release(&exchange->joined);
}
