/* transport.c - bytes from the socket and to it, with TLS or without. */
#include "server/connection.h"

#include "server/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

ssize_t lst_socket_receive(int socket, void *out, size_t size, int flags)
{
    ssize_t length;

    do {
        length = recv(socket, out, size, flags);
    } while (length < 0 && errno == EINTR);
    return length;
}

bool lst_socket_may_have_more(const struct lst_connection *connection, size_t length, size_t size)
{
    return length == size || connection->peer_ended || connection->has_urgent;
}

ssize_t lst_connection_receive(struct lst_connection *connection, char *out, size_t size)
{
    ssize_t length;

    if (connection->tls != NULL) {
        return lst_tls_receive(connection, out, size);
    }
    length = lst_socket_receive(connection->socket, out, size, 0);
    if (length > 0) {
        connection->received += (uint64_t)length;
        connection->heard_ns = connection->worker->now_ns;
        connection->may_read = lst_socket_may_have_more(connection, (size_t)length, size);
    } else if (length == 0) {
        connection->has_ended = true;
    } else if (errno == EAGAIN) {
        connection->may_read = false;
    }
    return length;
}

enum lst_step lst_connection_step_without(const struct lst_connection *connection)
{
    if (!connection->may_read) {
        return LST_STEP_WAIT;
    }
    return connection->is_spent ? LST_STEP_YIELD : LST_STEP_RESET;
}

static ssize_t send_plain(struct lst_connection *connection, const struct iovec *parts,
                          size_t count, bool has_more)
{
    struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = count};
    ssize_t length;

    do {
        length = sendmsg(connection->socket, &message, MSG_NOSIGNAL | (has_more ? MSG_MORE : 0));
    } while (length < 0 && errno == EINTR);
    if (length >= 0) {
        connection->heard_ns = connection->worker->now_ns;
    } else if (errno == EAGAIN) {
        connection->may_write = false;
    }
    return length;
}

ssize_t lst_connection_send(struct lst_connection *connection, const struct iovec *parts,
                            size_t count, bool has_more)
{
    return connection->tls != NULL ? lst_tls_send(connection, parts, count, has_more)
                                   : send_plain(connection, parts, count, has_more);
}

bool lst_unsent_keep(struct lst_unsent *unsent, const struct iovec *parts, size_t count,
                     size_t sent)
{
    size_t length = unsent->length - unsent->sent;
    char *bytes;

    for (size_t i = 0; i < count; i++) {
        length += parts[i].iov_len;
    }
    length -= sent;
    if (length == 0) {
        return true;
    }
    bytes = malloc(length);
    if (bytes == NULL) {
        return false;
    }
    length = unsent->length - unsent->sent;
    if (length > 0) {
        memcpy(bytes, unsent->bytes + unsent->sent, length);
    }
    for (size_t i = 0; i < count; i++) {
        size_t skipped = sent < parts[i].iov_len ? sent : parts[i].iov_len;
        size_t left = parts[i].iov_len - skipped;

        sent -= skipped;
        if (left > 0) {
            memcpy(bytes + length, (const char *)parts[i].iov_base + skipped, left);
            length += left;
        }
    }
    free(unsent->bytes);
    *unsent = (struct lst_unsent){.bytes = bytes, .length = length};
    return true;
}

void lst_unsent_release(struct lst_unsent *unsent)
{
    free(unsent->bytes);
    *unsent = (struct lst_unsent){NULL, 0, 0};
}

enum lst_step lst_connection_flush(struct lst_connection *connection)
{
    struct lst_unsent *unsent = &connection->unsent;

    while (unsent->bytes != NULL) {
        struct iovec part = {unsent->bytes + unsent->sent, unsent->length - unsent->sent};
        ssize_t length;

        if (!connection->may_write) {
            return LST_STEP_WAIT;
        }
        length = send_plain(connection, &part, 1, false);
        if (length < 0 && connection->may_write) {
            return LST_STEP_RESET;
        }
        if (length > 0) {
            unsent->sent += (size_t)length;
        }
        if (unsent->sent == unsent->length) {
            lst_unsent_release(unsent);
        }
    }
    return LST_STEP_ON;
}
