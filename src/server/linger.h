/*
 * linger.h - closing a connection on a client that is still sending.
 *
 * When a request is refused before its body was read, closing the socket at once makes the kernel
 * send a reset, which can destroy the answer before the client has read it (RFC 9112, section 9.6).
 * So the socket is handed to a thread that reads and discards what comes, until the client closes,
 * is silent for 5 seconds, or 30 seconds or 256 MiB have gone by.
 */
#ifndef LST_SERVER_LINGER_H
#define LST_SERVER_LINGER_H

#include "base/error.h"

struct lst_linger;

LST_MUST_CHECK int lst_linger_open(struct lst_linger **ret_linger);

/* Close all at once. NULL does nothing. */
void lst_linger_close(struct lst_linger *linger);

/* Keep a duplicate of this socket, whose sending side the caller shuts down. With 256 sockets
 * lingering already, or no descriptor left, nothing is kept. */
void lst_linger_add(struct lst_linger *linger, int socket);

#endif
