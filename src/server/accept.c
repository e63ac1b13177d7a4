/* accept.c - new connections: taken, and handed to the worker that has the fewest. */
#include "server/connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define AT_ONCE 64 /* connections, before others have a turn */

/* Connections that can wait on the socket: the kernel's net.core.somaxconn is 4096, whatever asks
 * for more. Those that come while these are taken do not keep a drain from going on. */
#define QUEUED_MAX 4097

/* The worker with the fewest connections: this one, if no other has fewer. */
static struct lst_worker *find_worker(struct lst_worker *worker)
{
    struct lst_engine *engine = worker->engine;
    struct lst_worker *found = worker;

    for (unsigned i = 0; i < engine->worker_count; i++) {
        if (engine->workers[i].count < found->count) {
            found = &engine->workers[i];
        }
    }
    return found;
}

/* Leave what waits where it is, for a moment. */
static void pause_accepting(struct lst_worker *worker)
{
    lst_worker_listen(worker, false);
    worker->accept_again_ns = worker->now_ns + LST_WORKER_PAUSE_NS;
}

/* accept4() has failed. True if another try is worth it at once. */
static bool follow_failure(struct lst_worker *worker, int number)
{
    switch (number) {
    case EMFILE:
    case ENFILE:
        if (lst_store_spare_files(worker->engine->server->store)) {
            return true;
        }
        pause_accepting(worker);
        return false;
    case ENOBUFS:
    case ENOMEM:
        pause_accepting(worker);
        return false;
    case EINVAL: /* it was shut down */
        lst_worker_listen(worker, false);
        return false;
    case ECONNABORTED:
    case EINTR:
    case EPROTO:
        return true;
    default: /* EAGAIN; and what a network reports of one connection, or of itself: accept(2) */
        return false;
    }
}

/* False if there is nothing more to take, or no room for it. */
static bool accept_one(struct lst_worker *worker)
{
    struct lst_engine *engine = worker->engine;
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof(address);
    struct lst_connection *connection;
    struct lst_worker *owner;
    int one = 1;
    int unsent = LST_WORKER_UNSENT;
    int file;

    if (engine->is_stopping) { /* the others may have ended already */
        return false;
    }
    if (engine->count >= engine->count_max) {
        pause_accepting(worker);
        return false;
    }
    file =
        accept4(engine->listener, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (file < 0) {
        return follow_failure(worker, errno);
    }
    (void)setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)setsockopt(file, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
    connection = lst_connection_new(engine, file, (const struct sockaddr *)&address);
    if (connection == NULL) {
        (void)close(file);
        pause_accepting(worker);
        return false;
    }
    owner = find_worker(worker);
    owner->count++;
    if (owner == worker) {
        lst_connection_begin(worker, connection);
    } else {
        lst_worker_hand(owner, connection);
    }
    return true;
}

void lst_worker_accept(struct lst_worker *worker)
{
    for (int i = 0; i < AT_ONCE; i++) {
        if (!accept_one(worker)) {
            break;
        }
    }
}

void lst_worker_accept_all(struct lst_worker *worker)
{
    for (int i = 0; i < QUEUED_MAX && accept_one(worker); i++) {
    }
}
