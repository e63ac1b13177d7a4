/*
 * connection_fuzz.c - any bytes on a connection to a whole server, which runs in this process: each
 * answer must be whole, in the form that HTTP wants, and the connection must end.
 *
 * Input: a byte (in how many pieces it is sent), and the bytes, as whole_server.h has them.
 */
#include "whole_server.h"

static void send_in_pieces(int client, const char *bytes, size_t length, unsigned pieces)
{
    size_t piece = length / (pieces + 1) + 1;

    while (length > 0) {
        size_t now = piece < length ? piece : length;
        ssize_t done = send(client, bytes, now, MSG_NOSIGNAL);

        if (done <= 0) {
            require(errno == EPIPE || errno == ECONNRESET, "it reads, or closes");
            return;
        }
        bytes += done;
        length -= (size_t)done;
    }
    (void)shutdown(client, SHUT_WR);
}

/* All that comes, as text; SIZE_MAX if the connection was reset. */
static size_t receive(int client)
{
    size_t length = 0;

    for (;;) {
        ssize_t got = recv(client, received + length, sizeof(received) - 1 - length, 0);

        if (got < 0) {
            require(errno == ECONNRESET, "it closes the connection");
            return SIZE_MAX;
        }
        if (got == 0) {
            return length;
        }
        length += (size_t)got;
        received[length] = '\0';
        require(length < sizeof(received) - 1, "so much was not asked for");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const no_settings[] = {NULL};
    size_t length;
    int client;

    if (server.engine == NULL) {
        make_folder();
        start(no_settings);
    }
    if (size == 0) {
        return 0;
    }
    length = expand(bytes + 1, size - 1);
    received[0] = '\0';
    client = connect_to_server();
    send_in_pieces(client, sent, length, bytes[0] % 8);
    length = receive(client);
    (void)close(client);
    if (length != SIZE_MAX) {
        check_answers(length);
    }
    return 0;
}
