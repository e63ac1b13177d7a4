/*
 * listen.h - the socket, and the HTTP library's threads on it.
 */
#ifndef LST_SERVER_LISTEN_H
#define LST_SERVER_LISTEN_H

#include "server/server.h"

/* Bind and listen; fills in server->listener and server->address. False, reported, on failure. */
LST_MUST_CHECK bool lst_listen_open(struct lst_server *server);

/* Read certificate and key. False, reported, if they can't be used. */
LST_MUST_CHECK bool lst_listen_read_tls(struct lst_server *server);

/* Start to serve. False, reported, on failure. */
LST_MUST_CHECK bool lst_listen_start(struct lst_server *server);

/*
 * Take no more connections, wait for running requests as long as --drain-timeout says, then close
 * what is left. Returns how many requests were cut short.
 */
uint64_t lst_listen_stop(struct lst_server *server);

#endif
