/* exchange.c - one request: the HTTP library's callbacks. */
#include "server/exchange.h"

#include "base/clock.h"
#include "server/inert.h"
#include "server/reply.h"

#include <stdlib.h>

#define DISCARD_MAX                                                                                \
    (256 * 1024) /* bytes of an unwanted body that are read to keep a connection                   \
                  */

/* Of exchange->waiting. */
enum { NOT_WAITING, SUSPENDED, WOKEN };

static void add(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static void subtract(_Atomic uint64_t *counter)
{
    atomic_fetch_sub_explicit(counter, 1, memory_order_relaxed);
}

static struct lst_peer *peer_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *information =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return information == NULL ? NULL : information->socket_context;
}

/*
 * The library would now take the query apart, and keep notes on each parameter in the connection's
 * memory, which nobody looks at. This is its own, writable text, from which it cuts the query next.
 */
static void cut_query(char *target)
{
    char *question = target == NULL ? NULL : strchr(target, '?');

    if (question != NULL) {
        question[1] = '\0';
    }
}

void *lst_exchange_on_target(void *context, const char *target, struct MHD_Connection *connection)
{
    struct lst_server *server = context;
    struct lst_peer *peer = peer_of(connection);
    size_t length = target == NULL ? 0 : strlen(target);
    struct lst_exchange *exchange;

    exchange = peer == NULL ? NULL : malloc(sizeof(*exchange) + length + 1);
    if (exchange == NULL) {
        return NULL; /* lst_exchange_on_request() closes the connection */
    }
    memset(exchange, 0, offsetof(struct lst_exchange, fields));
    exchange->more_fields = NULL;
    exchange->method[0] = '\0';
    exchange->server = server;
    exchange->peer = peer;
    exchange->connection = connection;
    exchange->operation = "-";
    exchange->error = "";
    exchange->began_ns = lst_clock_monotonic_ns();
    exchange->target_length = length;
    if (length > 0) {
        memcpy(exchange->target, target, length);
    }
    exchange->target[length] = '\0';
    cut_query((char *)target);
    lst_buffer_init(&exchange->joined, LST_HEADER_SECTION_MAX);
    lst_http_response_init(&exchange->own_response);
    add(&server->metrics.in_flight);
    return exchange;
}

void lst_exchange_wake(void *context)
{
    struct lst_exchange *exchange = context;
    struct MHD_Connection *connection = exchange->connection;
    struct lst_server *server = exchange->server;

    /* Once it is WOKEN and was not suspended, its own thread goes on with it, and may free it. */
    if (atomic_exchange(&exchange->waiting, WOKEN) == SUSPENDED) {
        MHD_resume_connection(connection);
        server->busy_count--;
    }
}

static enum MHD_Result wait_for_commit(struct lst_exchange *exchange)
{
    exchange->is_suspended = true;
    MHD_suspend_connection(exchange->connection);
    if (atomic_exchange(&exchange->waiting, SUSPENDED) == WOKEN) {
        MHD_resume_connection(exchange->connection);
        exchange->server->busy_count--;
    }
    return MHD_YES;
}

static struct lst_http_response *response_of(struct lst_exchange *exchange)
{
    return exchange->has_own ? &exchange->own_response
                             : exchange->handler->response(exchange->handled);
}

static enum lst_s3_state state_of(const struct lst_exchange *exchange)
{
    return exchange->has_own ? LST_S3_RESPOND : exchange->handler->state(exchange->handled);
}

/* The answer to be sent; another one if there was no memory for it. */
static struct lst_http_response *ready_response(struct lst_exchange *exchange)
{
    struct lst_http_response *response = response_of(exchange);

    if (lst_buffer_status(&response->body) != LST_OK) {
        lst_http_response_release(response);
        lst_exchange_refuse(exchange, "SlowDown", NULL);
    }
    return response_of(exchange);
}

static struct lst_http_response *prepare_response(struct lst_exchange *exchange)
{
    const struct lst_config_list *apart = &exchange->server->config->content_domains;
    struct lst_http_response *response = ready_response(exchange);

    lst_inert_decorate(response,
                       lst_inert_is_apart(exchange->request.host, apart->values, apart->count));
    if (!lst_cors_is_preflight(&exchange->request) && !exchange->is_operators) {
        lst_cors_decorate(&exchange->server->cors, exchange->server->s3, &exchange->request,
                          response);
    }
    /* The library is lenient with chunks: line ends, and extensions. Where such a body ends,
     * another server may not agree, so nothing that follows it is taken for a request. */
    if (exchange->server->is_draining || exchange->request.is_chunked) {
        response->close = true;
    }
    /* What a client has sent behind its request would make the closing a reset, which can overtake
     * the answer. */
    exchange->must_linger = exchange->must_linger || response->close;
    exchange->stage = LST_STAGE_DONE;
    exchange->status = response->status;
    return response;
}

static enum MHD_Result answer(struct lst_exchange *exchange)
{
    struct lst_http_response *response = prepare_response(exchange);
    bool is_head = lst_slice_equal(exchange->request.message.method, LST_SLICE("HEAD"));

    return lst_reply_queue(exchange->connection, is_head, response, &exchange->sent) == LST_OK
               ? MHD_YES
               : MHD_NO;
}

/* In the middle of a body: answer past the library, which then closes. */
static enum MHD_Result answer_and_cut(struct lst_exchange *exchange)
{
    struct lst_http_response *response = prepare_response(exchange);

    lst_reply_send(exchange->connection, response);
    exchange->sent = response->body.length;
    exchange->must_linger = true;
    exchange->was_cut = true;
    return MHD_NO;
}

static uint64_t body_left(const struct lst_exchange *exchange)
{
    if (exchange->request.is_chunked) {
        return UINT64_MAX;
    }
    return exchange->request.content_length - exchange->received;
}

/* The head was looked at and a body announced: what now? */
static enum MHD_Result settle_head(struct lst_exchange *exchange)
{
    switch (state_of(exchange)) {
    case LST_S3_BODY:
        exchange->stage = LST_STAGE_BODY;
        return MHD_YES;
    case LST_S3_PENDING:
        return wait_for_commit(exchange);
    case LST_S3_RESPOND:
        break;
    }
    if (!exchange->expects_100 && !response_of(exchange)->close &&
        body_left(exchange) <= DISCARD_MAX) {
        exchange->stage = LST_STAGE_DISCARD; /* cheaper for both than a new connection */
        return MHD_YES;
    }
    exchange->must_linger = true;
    return answer(exchange);
}

static bool begin(struct lst_exchange *exchange)
{
    exchange->has_begun = true;
    return lst_exchange_route(exchange);
}

static enum MHD_Result take_head(struct lst_exchange *exchange, const struct lst_request_line *line)
{
    if (exchange->has_begun) {
        atomic_store(&exchange->waiting, NOT_WAITING); /* resumed */
        return settle_head(exchange);
    }
    (void)strncpy(exchange->method, line->method, sizeof(exchange->method) - 1);
    exchange->method[sizeof(exchange->method) - 1] = '\0';
    lst_exchange_read_head(exchange, line);
    if (!exchange->request.is_chunked && exchange->request.content_length == 0 &&
        !exchange->is_bad_head) {
        exchange->stage = LST_STAGE_BODY; /* there is none: the last call comes next */
        return MHD_YES;
    }
    if (!begin(exchange)) {
        return MHD_NO;
    }
    return settle_head(exchange);
}

static enum MHD_Result take_body(struct lst_exchange *exchange, struct lst_slice bytes)
{
    exchange->received += bytes.length;
    if (exchange->stage == LST_STAGE_BODY) {
        exchange->handler->body(exchange->handled, bytes);
        if (state_of(exchange) == LST_S3_BODY) {
            return MHD_YES;
        }
        exchange->stage = LST_STAGE_DISCARD;
    }
    /* A chunked body that was refused may yet be short. */
    if (exchange->request.is_chunked ? exchange->received <= DISCARD_MAX
                                     : body_left(exchange) <= DISCARD_MAX) {
        return MHD_YES;
    }
    return answer_and_cut(exchange);
}

static enum MHD_Result take_end(struct lst_exchange *exchange)
{
    enum lst_s3_state state;

    if (!exchange->has_begun && !begin(exchange)) {
        return MHD_NO;
    }
    if (exchange->stage == LST_STAGE_BODY) {
        exchange->stage = LST_STAGE_COMMIT;
    }
    atomic_store(&exchange->waiting, NOT_WAITING); /* if it has waited, that is over */
    state = state_of(exchange);
    if (state == LST_S3_BODY) {
        exchange->handler->end(exchange->handled);
        state = state_of(exchange);
    }
    return state == LST_S3_PENDING ? wait_for_commit(exchange) : answer(exchange);
}

static enum MHD_Result take(struct lst_exchange *exchange, const struct lst_request_line *line,
                            struct lst_slice body)
{
    if (body.length > 0) {
        return take_body(exchange, body);
    }
    return exchange->stage == LST_STAGE_HEAD ? take_head(exchange, line) : take_end(exchange);
}

enum MHD_Result lst_exchange_on_request(void *context, struct MHD_Connection *connection,
                                        const char *url, const char *method, const char *version,
                                        const char *upload_data, size_t *upload_data_size,
                                        void **request_context)
{
    struct lst_exchange *exchange = *request_context;
    struct lst_server *server = context;
    struct lst_request_line line = {method, url, version};
    struct lst_slice body = lst_slice_make(upload_data, *upload_data_size);
    enum MHD_Result result = MHD_NO;

    (void)connection;
    if (exchange == NULL) {
        return MHD_NO;
    }
    *upload_data_size = 0;
    exchange->is_suspended = false;
    server->busy_count++; /* before the look at is_stopped: see lst_listen_stop() */
    lst_pace_take_turn(&exchange->peer->paced, LST_PACE_OURS);
    if (!server->is_stopped) {
        result = take(exchange, &line, body);
    }
    if (!exchange->is_suspended) {
        lst_pace_take_turn(&exchange->peer->paced, exchange->stage == LST_STAGE_DONE
                                                       ? LST_PACE_CLIENT_READS
                                                       : LST_PACE_CLIENT_SENDS);
        server->busy_count--;
    }
    return result;
}

/* Why there was no answer of ours. */
static const char *reason_of(enum MHD_RequestTerminationCode code)
{
    switch (code) {
    case MHD_REQUEST_TERMINATED_COMPLETED_OK:
        return "the body was not framed as HTTP wants it: the HTTP library refused it";
    case MHD_REQUEST_TERMINATED_TIMEOUT_REACHED:
        return "nothing came for --idle-timeout";
    default:
        return "the client was gone, or too slow, before there was an answer";
    }
}

static void write_log(struct lst_exchange *exchange, enum MHD_RequestTerminationCode code,
                      uint64_t duration_us)
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
    if (exchange->status == 0) {
        record.reason = reason_of(code);
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

/* What a client does not read of its answer must not wait for it in the kernel, megabytes for
 * minutes: closing will reset the connection. */
static void forget_unsent(int socket)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

void lst_exchange_on_completed(void *context, struct MHD_Connection *connection,
                               void **request_context, enum MHD_RequestTerminationCode code)
{
    struct lst_server *server = context;
    struct lst_exchange *exchange = *request_context;
    const union MHD_ConnectionInfo *socket;

    *request_context = NULL;
    if (exchange == NULL) {
        return;
    }
    if (code != MHD_REQUEST_TERMINATED_COMPLETED_OK && !exchange->was_cut) {
        exchange->sent = 0; /* how much went out is not known */
    }
    if (exchange->request.received_ms != 0) { /* else its head never became complete */
        write_log(exchange, code, (lst_clock_monotonic_ns() - exchange->began_ns) / 1000);
    }
    socket = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (exchange->must_linger && socket != NULL) {
        lst_linger_add(server->linger, socket->connect_fd);
    } else if (socket != NULL &&
               (code == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED || exchange->peer->paced.was_cut)) {
        forget_unsent(socket->connect_fd);
    }
    lst_pace_count_answer(&exchange->peer->paced);
    if (exchange->handler != NULL) {
        exchange->handler->free(exchange->handled);
    }
    lst_http_response_release(&exchange->own_response);
    lst_buffer_release(&exchange->joined);
    free(exchange->more_fields);
    free(exchange);
    subtract(&server->metrics.in_flight);
}

static struct lst_peer *make_peer(struct lst_server *server, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *information =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const union MHD_ConnectionInfo *socket =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct lst_peer *peer = calloc(1, sizeof(*peer));
    struct lst_address address;

    if (peer == NULL || information == NULL || socket == NULL) {
        free(peer);
        return NULL;
    }
    lst_address_format(information->client_addr, peer->address);
    if (lst_address_parse(lst_slice_of(peer->address), &address)) {
        for (size_t i = 0; i < server->config->trusted_proxies.count; i++) {
            peer->is_proxy |= lst_network_contains(&server->proxies[i], &address);
        }
    }
    peer->is_over_limit = server->metrics.connections >= server->config->connections;
    lst_pace_add(server->pace, &peer->paced, socket->connect_fd, peer->is_over_limit);
    return peer;
}

static void forget_peer(struct lst_server *server, struct lst_peer *peer)
{
    if (peer != NULL) {
        lst_pace_remove(server->pace, &peer->paced);
        free(peer);
    }
}

void lst_exchange_on_connection(void *context, struct MHD_Connection *connection,
                                void **connection_context, enum MHD_ConnectionNotificationCode code)
{
    struct lst_server *server = context;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *connection_context = make_peer(server, connection);
        add(&server->metrics.connections);
        add(&server->metrics.accepted);
    } else {
        forget_peer(server, *connection_context);
        *connection_context = NULL;
        subtract(&server->metrics.connections);
    }
}
