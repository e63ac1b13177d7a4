/*
 * engine.h - HTTP/1.1 on sockets: RFC 9110 and 9112.
 *
 * A worker for each core, with an epoll of its own. A connection is one worker's for life, and
 * nothing of it is touched by another thread; so there are no locks on the way of a request. What
 * finishes elsewhere (a commit, a question to a remote) puts the connection into its worker's queue
 * (lst_worker_wake()).
 *
 * All workers accept on one listening socket (EPOLLEXCLUSIVE wakes one of them), and hand each new
 * connection to the worker that has the fewest. With one socket, a second server on the port is
 * noticed, and no queue of unaccepted connections is reset when a worker ends.
 *
 * A connection is a state and a step for it (connection.h). Sockets never block; events are
 * edge-triggered, so a connection is registered once and remembers what it knows of its socket. A
 * turn of a connection ends after LST_CONNECTION_TURN bytes or LST_CONNECTION_REQUESTS requests,
 * for the sake of the others. Long work (bodies, large answers, handshakes) waits in a row, of
 * which one has its turn between two looks for events; so a short request waits for one turn at
 * most. A turn of a body is one slice of LST_WORKER_LONG_SLICE. For a second after each short
 * request, turns are shorter, for the sake of the next: LST_WORKER_SLICE and LST_CONNECTION_SHORT.
 *
 * - Heads are read into a buffer of the worker's pool; an idle connection keeps none. Requests that
 *   come in one piece are answered in order.
 * - Bodies are received into the worker's block and handed down at once; a body in chunks is
 *   decoded in place. `Expect: 100-continue` is answered when the operation wants the body, be
 *   it empty (the AWS CLI needs that).
 * - Head and small body of an answer go out in one call; files by sendfile(). What the page cache
 *   does not have is read by a few other threads first, which put it there.
 * - What is refused in the middle of its body is answered, and then the connection is shut down and
 *   read on for a while (LINGER), so that no reset overtakes the answer (RFC 9112, section 9.6).
 * - Every wait for a client has a deadline (pace.c).
 *
 * Stopping: lst_engine_drain() accepts what has connected already, ends idle connections, gives
 * half a head or handshake a second, and lets requests end; lst_engine_stop() ends what is left.
 */
#ifndef LST_SERVER_ENGINE_H
#define LST_SERVER_ENGINE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct lst_engine;
struct lst_server;

/*
 * Start. listener: a listening, non-blocking socket, which stays the caller's until after
 * lst_engine_free(). listener_is_lent: another process listens on it too, so it is not shut down.
 * LST_ERR_NO_MEMORY, LST_ERR_TOO_MANY_FILES.
 */
LST_MUST_CHECK int lst_engine_start(struct lst_server *server, int listener, bool listener_is_lent,
                                    unsigned workers, struct lst_engine **ret_engine);

/* Whether to wait no longer; asked every few milliseconds. */
typedef bool lst_engine_hurry(void *user);

/* Take no more connections, and wait until there are none, at most until the deadline of the
 * monotonic clock, or until must_hurry says so. Returns how many requests still run. */
uint64_t lst_engine_drain(struct lst_engine *engine, uint64_t deadline_ns,
                          lst_engine_hurry *must_hurry, void *user);

/* Close every connection, those that wait when they are woken, and end the threads. */
void lst_engine_stop(struct lst_engine *engine);

/* Only after every thread that could call lst_worker_wake() has ended. NULL does nothing. */
void lst_engine_free(struct lst_engine *engine);

#endif
