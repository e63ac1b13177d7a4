/* linger.c - closing a connection on a client that is still sending. */
#include "server/linger.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKETS_MAX   256
#define BYTES_MAX     (256ULL * 1024 * 1024)
#define PIECE         (1024UL * 1024)
#define SILENCE_NS    5000000000ULL
#define ALTOGETHER_NS 30000000000ULL
#define POLL_MS       1000

struct lingering {
    int socket;
    uint64_t began_ns;
    uint64_t heard_ns;
    uint64_t bytes;
};

struct lst_linger {
    pthread_t thread;
    pthread_mutex_t mutex; /* of newcomers and stopping */
    int wake;              /* eventfd */
    bool stopping;
    struct lingering newcomers[SOCKETS_MAX];
    size_t newcomer_count;
    struct lingering sockets[SOCKETS_MAX]; /* the thread's own */
    size_t count;
};

/* Read and forget. True as long as the socket is to be kept. */
static bool discard(struct lingering *lingering, bool readable, uint64_t now)
{
    while (readable) {
        /* MSG_TRUNC: a TCP socket drops the bytes without copying them. */
        ssize_t length = recv(lingering->socket, NULL, PIECE, MSG_TRUNC | MSG_DONTWAIT);

        if (length == 0) {
            return false;
        }
        if (length < 0 && errno != EINTR) {
            readable = false;
            if (errno != EAGAIN) {
                return false;
            }
        } else if (length > 0) {
            lingering->heard_ns = now;
            lingering->bytes += (uint64_t)length;
            if (lingering->bytes > BYTES_MAX) {
                return false;
            }
        }
    }
    return now - lingering->heard_ns < SILENCE_NS && now - lingering->began_ns < ALTOGETHER_NS;
}

static bool take_newcomers(struct lst_linger *linger)
{
    bool stopping;

    pthread_mutex_lock(&linger->mutex);
    stopping = linger->stopping;
    for (size_t i = 0; i < linger->newcomer_count; i++) {
        if (linger->count < SOCKETS_MAX) {
            linger->sockets[linger->count++] = linger->newcomers[i];
        } else {
            (void)close(linger->newcomers[i].socket);
        }
    }
    linger->newcomer_count = 0;
    pthread_mutex_unlock(&linger->mutex);
    return !stopping;
}

static void poll_once(struct lst_linger *linger)
{
    struct pollfd polled[SOCKETS_MAX + 1] = {{.fd = linger->wake, .events = POLLIN}};
    uint64_t now;
    uint64_t ignored;
    size_t kept = 0;

    for (size_t i = 0; i < linger->count; i++) {
        polled[i + 1] = (struct pollfd){.fd = linger->sockets[i].socket, .events = POLLIN};
    }
    if (poll(polled, linger->count + 1, linger->count == 0 ? -1 : POLL_MS) < 0) {
        return;
    }
    if (polled[0].revents != 0) {
        (void)!read(linger->wake, &ignored, sizeof(ignored));
    }
    now = lst_clock_monotonic_ns();
    for (size_t i = 0; i < linger->count; i++) {
        if (discard(&linger->sockets[i], polled[i + 1].revents != 0, now)) {
            linger->sockets[kept++] = linger->sockets[i];
        } else {
            (void)close(linger->sockets[i].socket);
        }
    }
    linger->count = kept;
}

static void *run(void *argument)
{
    struct lst_linger *linger = argument;

    while (take_newcomers(linger)) {
        poll_once(linger);
    }
    for (size_t i = 0; i < linger->count; i++) {
        (void)close(linger->sockets[i].socket);
    }
    return NULL;
}

static void wake_up(struct lst_linger *linger)
{
    uint64_t one = 1;

    (void)!write(linger->wake, &one, sizeof(one));
}

int lst_linger_open(struct lst_linger **ret_linger)
{
    struct lst_linger *linger = calloc(1, sizeof(*linger));

    if (linger == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    linger->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (linger->wake < 0) {
        free(linger);
        return LST_ERR_TOO_MANY_FILES;
    }
    pthread_mutex_init(&linger->mutex, NULL);
    if (pthread_create(&linger->thread, NULL, run, linger) != 0) {
        (void)close(linger->wake);
        free(linger);
        return LST_ERR_NO_MEMORY;
    }
    *ret_linger = linger;
    return LST_OK;
}

void lst_linger_close(struct lst_linger *linger)
{
    if (linger == NULL) {
        return;
    }
    pthread_mutex_lock(&linger->mutex);
    linger->stopping = true;
    pthread_mutex_unlock(&linger->mutex);
    wake_up(linger);
    pthread_join(linger->thread, NULL);
    pthread_mutex_destroy(&linger->mutex);
    (void)close(linger->wake);
    free(linger);
}

void lst_linger_add(struct lst_linger *linger, int socket)
{
    struct lingering lingering = {.began_ns = lst_clock_monotonic_ns()};

    lingering.heard_ns = lingering.began_ns;
    pthread_mutex_lock(&linger->mutex);
    if (linger->newcomer_count < SOCKETS_MAX && !linger->stopping) {
        lingering.socket = fcntl(socket, F_DUPFD_CLOEXEC, 3);
        if (lingering.socket >= 0) {
            linger->newcomers[linger->newcomer_count++] = lingering;
        }
    }
    pthread_mutex_unlock(&linger->mutex);
    wake_up(linger);
}
