/*
 * tls_session.c - the TLS of one connection.
 *
 * OpenSSL reads from the socket and writes into memory of the worker; what it wrote is sent when it
 * returns. So it never waits while it writes, and many records go out in one call.
 */
#include "server/tls.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define RECORD 16384UL /* bytes of plain text in a record, at most */

/* Bytes that are read at once, besides those with a due share of plain text in them. Records of a
 * byte, or with new keys in them, are as much work as full ones. */
#define WORK (64UL * 1024)

_Static_assert(LST_WORKER_CIPHER >= LST_WORKER_TLS_PIECE + 32 * 1024, "records and alerts fit");

/* ---- What OpenSSL reads from and writes to */

static int write_cipher(BIO *bio, const char *bytes, int length)
{
    struct lst_connection *connection = BIO_get_data(bio);
    struct lst_worker *worker = connection->worker;

    if ((size_t)length > LST_WORKER_CIPHER - worker->cipher_length) {
        return -1;
    }
    memcpy(worker->cipher + worker->cipher_length, bytes, (size_t)length);
    worker->cipher_length += (size_t)length;
    return length;
}

static int read_cipher(BIO *bio, char *out, int size)
{
    struct lst_connection *connection = BIO_get_data(bio);
    ssize_t length = -1;

    BIO_clear_retry_flags(bio);
    connection->is_spent = connection->may_read && connection->cipher_left == 0;
    if (connection->is_spent) {
        BIO_set_retry_read(bio);
        return -1;
    }
    if (connection->may_read) {
        length = lst_socket_receive(connection->socket, out, (size_t)size, 0);
        if (length < 0 && errno == EAGAIN) {
            connection->may_read = false;
        }
    }
    if (length > 0) {
        connection->received += (uint64_t)length;
        connection->heard_ns = connection->worker->now_ns;
        connection->may_read = lst_socket_may_have_more(connection, (size_t)length, (size_t)size);
        connection->cipher_left -=
            (size_t)length < connection->cipher_left ? (size_t)length : connection->cipher_left;
    } else if (length < 0 && !connection->may_read) {
        BIO_set_retry_read(bio);
    } else if (length == 0) {
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    }
    return (int)length;
}

static void begin_reading(struct lst_connection *connection)
{
    connection->cipher_left = WORK;
    connection->is_spent = false;
}

/* Without BIO_CTRL_EOF an end of the socket would be an error to OpenSSL, whatever
 * SSL_OP_IGNORE_UNEXPECTED_EOF says, and the connection would be reset. */
static long control(BIO *bio, int command, long number, void *pointer)
{
    (void)number;
    (void)pointer;
    if (command == BIO_CTRL_EOF) {
        return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    }
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static int create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static BIO_METHOD *method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static void make_method(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection");
    if (method != NULL) {
        (void)BIO_meth_set_write(method, write_cipher);
        (void)BIO_meth_set_read(method, read_cipher);
        (void)BIO_meth_set_ctrl(method, control);
        (void)BIO_meth_set_create(method, create);
    }
}

/* Send what OpenSSL has written, or keep it. False if the connection is broken. */
static bool push(struct lst_connection *connection, bool has_more)
{
    struct lst_worker *worker = connection->worker;
    struct iovec part = {worker->cipher, worker->cipher_length};
    ssize_t sent = 0;

    if (part.iov_len == 0) {
        return true;
    }
    worker->cipher_length = 0;
    if (connection->unsent.bytes == NULL && connection->may_write) {
        do {
            sent = send(connection->socket, part.iov_base, part.iov_len,
                        MSG_NOSIGNAL | (has_more ? MSG_MORE : 0));
        } while (sent < 0 && errno == EINTR);
        if (sent < 0 && errno != EAGAIN) {
            return false;
        }
        connection->may_write = sent == (ssize_t)part.iov_len;
        if (sent > 0) {
            connection->heard_ns = connection->worker->now_ns;
        }
    }
    return lst_unsent_keep(&connection->unsent, &part, 1, sent < 0 ? 0 : (size_t)sent);
}

/* ---- Life */

struct ssl_st *lst_tls_session_new(struct lst_tls *tls, struct lst_connection *connection)
{
    SSL *session = lst_tls_begin(tls);
    BIO *bio;

    (void)pthread_once(&method_once, make_method);
    bio = method == NULL ? NULL : BIO_new(method);
    if (session == NULL || bio == NULL) {
        SSL_free(session);
        BIO_free(bio);
        ERR_clear_error();
        return NULL;
    }
    BIO_set_data(bio, connection);
    SSL_set_bio(session, bio, bio);
    SSL_set_accept_state(session);
    return session;
}

void lst_tls_session_free(struct ssl_st *session, bool says_end)
{
    if (session == NULL) { /* a connection without TLS leaves OpenSSL alone */
        return;
    }
    if (says_end && SSL_is_init_finished(session)) {
        struct lst_connection *connection = BIO_get_data(SSL_get_wbio(session));

        (void)lst_tls_say_end(connection);
    }
    SSL_free(session);
    ERR_clear_error();
}

/* As S3's clients show it to their users. */
static enum lst_step answer_plain(struct lst_connection *connection)
{
    static char body[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                         "<Error><Code>InvalidRequest</Code><Message>This port speaks TLS: use "
                         "https://</Message></Error>\n";
    char head[160];
    int length = snprintf(head, sizeof(head),
                          "HTTP/1.1 400 Bad Request\r\nContent-Type: application/xml\r\n"
                          "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                          sizeof(body) - 1);
    const struct iovec parts[] = {{head, (size_t)length}, {body, sizeof(body) - 1}};

    if (!lst_unsent_keep(&connection->unsent, parts, 2, 0)) {
        return LST_STEP_RESET;
    }
    connection->state = LST_CONNECTION_LINGER;
    connection->away_left = LST_CONNECTION_READ_AWAY;
    return LST_STEP_ON;
}

static void hurry_all(struct lst_worker *worker)
{
    for (struct lst_handshake *each = worker->handshakes.running.first; each != NULL;
         each = each->next) {
        lst_connection_hurry_handshake(each->owner);
    }
}

/* Look at the first byte: until there is one, nothing is kept for the connection. ON with a
 * session, or without one if the client does not speak TLS. */
static enum lst_step begin_handshake(struct lst_connection *connection)
{
    struct lst_worker *worker = connection->worker;
    bool was_crowded = worker->handshakes.waiting.count > 0;
    char first = 0;
    ssize_t length = lst_socket_receive(connection->socket, &first, 1, MSG_PEEK);

    if (length < 0 && errno == EAGAIN) {
        connection->may_read = false;
        return LST_STEP_WAIT;
    }
    if (length <= 0) {
        return length == 0 ? LST_STEP_CLOSE : LST_STEP_RESET;
    }
    if (first >= 'A' && first <= 'Z') { /* the method of a request */
        return answer_plain(connection);
    }
    if (!lst_handshakes_enter(&worker->handshakes, &connection->handshake, worker->now_ns)) {
        if (!was_crowded) {
            hurry_all(worker);
        }
        return connection->peer_ended ? LST_STEP_CLOSE : LST_STEP_WAIT;
    }
    connection->tls = lst_tls_session_new(worker->engine->tls, connection);
    return connection->tls == NULL ? LST_STEP_RESET : LST_STEP_ON;
}

enum lst_step lst_tls_handshake(struct lst_connection *connection)
{
    enum lst_step flushed = lst_connection_flush(connection);
    enum lst_step begun;
    int result;

    if (flushed != LST_STEP_ON) {
        return flushed;
    }
    if (!connection->may_read) {
        return LST_STEP_WAIT;
    }
    if (connection->tls == NULL) {
        begun = begin_handshake(connection);
        if (begun != LST_STEP_ON || connection->tls == NULL) {
            return begun;
        }
    }
    ERR_clear_error();
    begin_reading(connection);
    result = SSL_do_handshake(connection->tls);
    if (!push(connection, false)) {
        return LST_STEP_RESET;
    }
    if (result == 1) {
        lst_connection_end_handshake(connection);
        connection->state = LST_CONNECTION_HEAD;
        connection->may_read = true; /* OpenSSL may have read more than it needed */
        return LST_STEP_ON;
    }
    if (SSL_get_error(connection->tls, result) != SSL_ERROR_WANT_READ) {
        return LST_STEP_CLOSE;
    }
    return connection->is_spent ? LST_STEP_YIELD : LST_STEP_WAIT;
}

/* ---- Bytes */

/* Another look into OpenSSL is worth it: it costs a record's buffer, taken and given back. */
static bool may_have_more(const struct lst_connection *connection, size_t so_far)
{
    return so_far == 0 || connection->may_read || SSL_has_pending(connection->tls) == 1;
}

ssize_t lst_tls_receive(struct lst_connection *connection, char *out, size_t size)
{
    size_t total = 0;
    size_t length = 0;
    int error = SSL_ERROR_NONE;

    ERR_clear_error();
    begin_reading(connection);
    while (total < size && error == SSL_ERROR_NONE && may_have_more(connection, total)) {
        int result = SSL_read_ex(connection->tls, out + total, size - total, &length);

        if (result == 1) {
            total += length;
            connection->cipher_left += 2 * length;
        } else {
            error = SSL_get_error(connection->tls, result);
        }
    }
    if (!push(connection, false)) {
        connection->may_read = true;
        connection->is_spent = false;
        return -1;
    }
    if (error == SSL_ERROR_NONE) {
        connection->may_read |= SSL_has_pending(connection->tls) == 1;
    } else if (error == SSL_ERROR_ZERO_RETURN) {
        connection->has_ended = true;
    } else if (error != SSL_ERROR_WANT_READ) {
        connection->may_read = true;
        return total > 0 ? (ssize_t)total : -1;
    }
    if (total == 0) {
        return connection->has_ended ? 0 : -1;
    }
    return (ssize_t)total;
}

bool lst_tls_has_begun_record(const struct lst_connection *connection)
{
    return connection->tls != NULL && SSL_has_pending(connection->tls) == 1;
}

/* Short pieces are put together, so that a head and its body share a record. */
static size_t gather(struct lst_worker *worker, const struct iovec *parts, size_t count)
{
    size_t length = 0;

    for (size_t i = 0; i < count; i++) {
        size_t room = RECORD - length;
        size_t size = parts[i].iov_len < room ? parts[i].iov_len : room;

        memcpy(worker->block + length, parts[i].iov_base, size);
        length += size;
    }
    return length;
}

ssize_t lst_tls_send(struct lst_connection *connection, const struct iovec *parts, size_t count,
                     bool has_more)
{
    const char *bytes = parts[0].iov_base;
    size_t size = parts[0].iov_len < LST_WORKER_TLS_PIECE ? parts[0].iov_len : LST_WORKER_TLS_PIECE;
    size_t length = 0;

    if (count > 1 && parts[0].iov_len < RECORD) {
        size = gather(connection->worker, parts, count);
        bytes = connection->worker->block;
    }
    ERR_clear_error();
    if (SSL_write_ex(connection->tls, bytes, size, &length) != 1) {
        (void)push(connection, false);
        connection->may_write = true;
        return -1;
    }
    if (!push(connection, has_more)) {
        connection->may_write = true;
        return -1;
    }
    return (ssize_t)length;
}

/* Bytes that the socket still takes of what it has not sent: see LST_WORKER_UNSENT. */
static size_t unsent_room(const struct lst_connection *connection)
{
    int unsent;

    if (ioctl(connection->socket, SIOCOUTQNSD, &unsent) != 0) {
        return LST_WORKER_UNSENT;
    }
    return unsent >= LST_WORKER_UNSENT ? 0 : (size_t)(LST_WORKER_UNSENT - unsent);
}

size_t lst_tls_piece(const struct lst_connection *connection)
{
    size_t unsent = unsent_room(connection);
    uint32_t memory[SK_MEMINFO_VARS] = {0};
    socklen_t size = sizeof(memory);
    size_t room;

    if (getsockopt(connection->socket, SOL_SOCKET, SO_MEMINFO, memory, &size) != 0 ||
        memory[SK_MEMINFO_WMEM_QUEUED] >= memory[SK_MEMINFO_SNDBUF]) {
        return RECORD;
    }
    /* The kernel counts what it keeps about the bytes as well. */
    room = (size_t)(memory[SK_MEMINFO_SNDBUF] - memory[SK_MEMINFO_WMEM_QUEUED]) / 4 * 3;
    room = room < unsent ? room : unsent;
    if (room >= LST_WORKER_TLS_PIECE) {
        return LST_WORKER_TLS_PIECE;
    }
    return room < RECORD ? RECORD : room / RECORD * RECORD;
}

enum lst_step lst_tls_send_all(struct lst_connection *connection, struct lst_unsent *plain)
{
    bool is_good = true;

    while (is_good && plain->sent < plain->length) {
        struct iovec part = {plain->bytes + plain->sent, plain->length - plain->sent};
        ssize_t sent = lst_tls_send(connection, &part, 1, false);

        is_good = sent > 0;
        plain->sent += is_good ? (size_t)sent : 0;
    }
    lst_unsent_release(plain);
    return is_good ? LST_STEP_ON : LST_STEP_RESET;
}

enum lst_step lst_tls_say_end(struct lst_connection *connection)
{
    if (connection->tls != NULL) {
        ERR_clear_error();
        (void)SSL_shutdown(connection->tls);
        (void)push(connection, false);
    }
    return LST_STEP_ON;
}
