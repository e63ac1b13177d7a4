/*
 * listen.h - the listening socket, and serving on it.
 */
#ifndef LST_SERVER_LISTEN_H
#define LST_SERVER_LISTEN_H

#include "server/server.h"

#include <signal.h>

/*
 * Bind and listen, or take the socket that systemd hands over (sd_listen_fds(3)), whatever --listen
 * says; fills in server->listener and server->address. False, reported, on failure.
 */
LST_MUST_CHECK bool lst_listen_open(struct lst_server *server);

/* Start to serve. False, reported, on failure. */
LST_MUST_CHECK bool lst_listen_start(struct lst_server *server);

/*
 * Take no more connections, wait for running requests as long as --drain-timeout says, or until
 * one of the (blocked) signals asks again, then close what is left. Says how many requests it waits
 * for, and how many it cuts short. From now on the process ends by itself some time after
 * --drain-timeout, whatever hangs.
 */
void lst_listen_stop(struct lst_server *server, const sigset_t *signals);

#endif
