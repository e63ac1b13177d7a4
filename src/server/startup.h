/*
 * startup.h - what happens once at start: root's keys, first buckets, the words on the screen.
 */
#ifndef LST_SERVER_STARTUP_H
#define LST_SERVER_STARTUP_H

#include "server/server.h"

/*
 * See to it that there is a root user. Its key is, in this order: the configuration's; the one that
 * the user directory has; the one in DIR/root-credentials; a new one, which is kept in that file
 * (mode 0600, in the form of an AWS credentials file). *ret_is_new: it was made just now. False,
 * reported, on failure.
 */
LST_MUST_CHECK bool lst_startup_root(struct lst_server *server, bool *ret_is_new);

/* Make the buckets that the configuration names, where they are not there. False, reported, on
 * failure. */
LST_MUST_CHECK bool lst_startup_buckets(struct lst_server *server);

/* Say where the server is and how to use it. */
void lst_startup_greet(struct lst_server *server, bool root_is_new);

#endif
