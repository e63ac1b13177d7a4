/* reply.c - sending a response. */
#include "server/reply.h"

#include "base/budget.h"
#include "base/clock.h"

#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <sys/socket.h>

/* The body of an answer to HEAD is never asked for; should it be, the connection is closed. */
// NOLINTNEXTLINE(readability-non-const-parameter): the library's type has it so
static ssize_t read_nothing(void *context, uint64_t position, char *buffer, size_t capacity)
{
    (void)context;
    (void)position;
    (void)buffer;
    (void)capacity;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

static struct MHD_Response *make_empty(void)
{
    static char nothing[1];

    return MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
}

/* The bytes of an answer, which stay charged until the last of them is sent. */
struct sent_bytes {
    char *bytes;
    size_t charged;
};

static void free_bytes(void *context)
{
    struct sent_bytes *sent = context;

    free(sent->bytes);
    if (sent->charged > 0) {
        lst_budget_give(sent->charged);
    }
    free(sent);
}

static struct MHD_Response *make_from_bytes(struct lst_http_response *response)
{
    struct sent_bytes *sent;
    struct MHD_Response *made;

    if (response->body.length == 0) {
        return make_empty();
    }
    sent = malloc(sizeof(*sent));
    if (sent == NULL) {
        return NULL;
    }
    *sent = (struct sent_bytes){response->body.bytes, lst_buffer_charge(&response->body)};
    made = MHD_create_response_from_buffer_with_free_callback_cls(response->body.length,
                                                                  sent->bytes, free_bytes, sent);
    if (made == NULL) {
        free(sent);
        return NULL;
    }
    lst_buffer_init(&response->body, response->body.limit);
    return made;
}

static struct MHD_Response *make_from_file(struct lst_http_response *response)
{
    struct MHD_Response *made;

    if (response->length == 0) {
        return make_empty();
    }
    made =
        MHD_create_response_from_fd_at_offset64(response->length, response->file, response->offset);
    if (made != NULL) {
        response->file = -1;
    }
    return made;
}

/* What the library reads while it sends. */
enum { STREAM_PIECE = 256 * 1024 };

static ssize_t read_stream(void *context, uint64_t position, char *buffer, size_t capacity)
{
    const struct lst_http_stream *stream = context;
    size_t length;

    (void)position; /* it asks for one piece behind the other */
    if (stream->read(stream->context, buffer, capacity, &length) != LST_OK || length == 0) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    return (ssize_t)length;
}

static void close_stream(void *context)
{
    struct lst_http_stream *stream = context;

    stream->close(stream->context);
    free(stream);
}

static struct MHD_Response *make_from_stream(struct lst_http_response *response)
{
    struct lst_http_stream *stream = malloc(sizeof(*stream));
    struct MHD_Response *made;

    if (stream == NULL) {
        return NULL;
    }
    *stream = response->stream;
    made = MHD_create_response_from_callback(response->length, STREAM_PIECE, read_stream, stream,
                                             close_stream);
    if (made == NULL) {
        free(stream);
        return NULL;
    }
    response->stream = (struct lst_http_stream){NULL, NULL, NULL};
    return made;
}

/*
 * A 304 without a length: the library would say "Content-Length: 0", which RFC 9110, section 8.6,
 * forbids, unless it thinks that the length is unknown; the price is the connection. A 304 that
 * gives the length (LST_BODY_LENGTH) keeps it.
 */
static struct MHD_Response *make_without_length(int status)
{
    struct MHD_Response *made;

    if (status != MHD_HTTP_NOT_MODIFIED) {
        return make_empty();
    }
    made = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1, read_nothing, NULL, NULL);
    if (made != NULL) {
        (void)MHD_set_response_options(made, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    }
    return made;
}

static struct MHD_Response *make(struct lst_http_response *response, bool is_head,
                                 uint64_t *ret_length)
{
    *ret_length = 0;
    switch (response->kind) {
    case LST_BODY_BYTES:
        *ret_length = is_head ? 0 : response->body.length;
        return make_from_bytes(response);
    case LST_BODY_FILE:
        *ret_length = is_head ? 0 : response->length;
        return make_from_file(response);
    case LST_BODY_STREAM:
        *ret_length = is_head ? 0 : response->length;
        return make_from_stream(response);
    case LST_BODY_LENGTH:
        return MHD_create_response_from_callback(response->length, 1, read_nothing, NULL, NULL);
    case LST_BODY_NONE:
        break;
    }
    return make_without_length(response->status);
}

static bool add_headers(struct MHD_Response *made, const struct lst_http_response *response)
{
    size_t at = 0;
    const char *name;
    const char *value;

    while (lst_http_response_next(response, &at, &name, &value)) {
        /* The library refuses an empty value. A blank is none (RFC 9110, section 5.5). */
        if (MHD_add_response_header(made, name, value[0] == '\0' ? " " : value) == MHD_NO) {
            return false;
        }
    }
    if (response->close && MHD_add_response_header(made, "Connection", "close") == MHD_NO) {
        return false;
    }
    return MHD_add_response_header(made, "Server", "Latchstring") == MHD_YES;
}

int lst_reply_queue(struct MHD_Connection *connection, bool is_head,
                    struct lst_http_response *response, uint64_t *ret_length)
{
    uint64_t length;
    struct MHD_Response *made;
    bool is_queued;

    if (lst_buffer_status(&response->headers) != LST_OK ||
        lst_buffer_status(&response->body) != LST_OK) {
        return LST_ERR_NO_MEMORY;
    }
    made = make(response, is_head, &length);
    if (made == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    is_queued = add_headers(made, response) &&
                MHD_queue_response(connection, (unsigned)response->status, made) == MHD_YES;
    MHD_destroy_response(made);
    if (!is_queued) {
        return LST_ERR_NO_MEMORY;
    }
    *ret_length = length;
    return LST_OK;
}

static void format_message(const struct lst_http_response *response, struct lst_buffer *out)
{
    char date[LST_HTTP_DATE_LENGTH];
    size_t at = 0;
    const char *name;
    const char *value;

    lst_clock_format_http(lst_clock_now_ms() / 1000, date);
    lst_buffer_append_format(out, "HTTP/1.1 %d %s\r\nDate: ", response->status,
                             MHD_get_reason_phrase_for((unsigned)response->status));
    lst_buffer_append(out, lst_slice_make(date, sizeof(date)));
    lst_buffer_append_string(out, "\r\nConnection: close\r\nServer: Latchstring\r\n");
    while (lst_http_response_next(response, &at, &name, &value)) {
        lst_buffer_append_string(out, name);
        lst_buffer_append_string(out, ": ");
        lst_buffer_append_string(out, value);
        lst_buffer_append_string(out, "\r\n");
    }
    lst_buffer_append_format(out, "Content-Length: %zu\r\n\r\n", response->body.length);
    lst_buffer_append(out, lst_buffer_slice(&response->body));
}

void lst_reply_send(struct MHD_Connection *connection, const struct lst_http_response *response)
{
    const union MHD_ConnectionInfo *tls =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    const union MHD_ConnectionInfo *socket =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct lst_buffer message;

    lst_buffer_init(&message, LST_RESPONSE_HEADERS_MAX + 64UL * 1024);
    format_message(response, &message);
    if (lst_buffer_status(&message) == LST_OK) {
        if (tls != NULL && tls->tls_session != NULL) {
            (void)gnutls_record_send((gnutls_session_t)tls->tls_session, message.bytes,
                                     message.length);
        } else if (socket != NULL) {
            (void)send(socket->connect_fd, message.bytes, message.length,
                       MSG_DONTWAIT | MSG_NOSIGNAL);
        }
    }
    lst_buffer_release(&message);
}
