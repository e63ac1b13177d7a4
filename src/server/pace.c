/* pace.c - cutting off clients that hold a connection without using it. */
#include "server/pace.h"

#include "base/clock.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define SECOND        1000000000ULL
#define LOOK_EVERY_NS (5 * SECOND)
#define SURPLUS_NS    (2 * SECOND)
#define TCP_CLOSE_WAIT                                                                             \
    8 /* of tcpi_state: the client has sent its end. <netinet/tcp.h> has it too */

struct lst_pace {
    pthread_t thread;
    pthread_mutex_t mutex; /* of all that follows, and of every connection's own notes */
    pthread_cond_t wake;
    bool stopping;
    uint64_t limit_ns;
    struct lst_paced *first;
};

static void begin_period(struct lst_paced *paced, uint64_t now)
{
    paced->begin_ns = now;
    paced->begin_moved = paced->moved;
    paced->begin_answered = atomic_load(&paced->answered);
}

/* At the end of a period: was it used? */
static bool was_used(const struct lst_paced *paced, uint64_t now)
{
    uint64_t seconds = (now - paced->begin_ns) / SECOND;

    return paced->begin_answered != atomic_load(&paced->answered) ||
           paced->moved - paced->begin_moved >= seconds * LST_PACE_LEAST;
}

/* False if the connection is to be closed. */
static bool look(struct lst_paced *paced, uint64_t now)
{
    struct tcp_info information = {0};
    socklen_t size = sizeof(information);
    int turn = atomic_load(&paced->turn);
    uint64_t before = paced->moved;
    bool was_ended = paced->was_ended;

    if (getsockopt(paced->socket, IPPROTO_TCP, TCP_INFO, &information, &size) != 0) {
        return true;
    }
    paced->looked_ns = now;
    paced->moved = information.tcpi_bytes_received + information.tcpi_bytes_acked;
    paced->was_ended = information.tcpi_state == TCP_CLOSE_WAIT && turn == LST_PACE_CLIENT_SENDS;
    if (paced->was_ended && was_ended && paced->moved == before) {
        return false;
    }
    if (turn == LST_PACE_OURS) {
        begin_period(paced, now);
    } else if (now - paced->begin_ns >= paced->limit_ns) {
        if (!was_used(paced, now)) {
            return false;
        }
        begin_period(paced, now);
    }
    return true;
}

static void look_at_all(struct lst_pace *pace)
{
    uint64_t now = lst_clock_monotonic_ns();

    for (struct lst_paced *paced = pace->first; paced != NULL; paced = paced->next) {
        bool is_due =
            now - paced->looked_ns >= LOOK_EVERY_NS || now - paced->begin_ns >= paced->limit_ns;

        if (is_due && !look(paced, now)) {
            /* The library's thread sees the end, and closes. */
            atomic_store(&paced->was_cut, true);
            (void)shutdown(paced->socket, SHUT_RDWR);
            begin_period(paced, now);
        }
    }
}

static void *run(void *argument)
{
    struct lst_pace *pace = argument;

    pthread_mutex_lock(&pace->mutex);
    while (!pace->stopping) {
        if (pace->first == NULL) {
            pthread_cond_wait(&pace->wake, &pace->mutex);
        } else {
            struct timespec until;

            (void)clock_gettime(CLOCK_REALTIME, &until);
            until.tv_sec++;
            (void)pthread_cond_timedwait(&pace->wake, &pace->mutex, &until);
            look_at_all(pace);
        }
    }
    pthread_mutex_unlock(&pace->mutex);
    return NULL;
}

int lst_pace_open(uint64_t limit, struct lst_pace **ret_pace)
{
    struct lst_pace *pace = calloc(1, sizeof(*pace));

    if (pace == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    pace->limit_ns = limit * SECOND;
    pthread_mutex_init(&pace->mutex, NULL);
    pthread_cond_init(&pace->wake, NULL);
    if (pthread_create(&pace->thread, NULL, run, pace) != 0) {
        pthread_cond_destroy(&pace->wake);
        pthread_mutex_destroy(&pace->mutex);
        free(pace);
        return LST_ERR_NO_MEMORY;
    }
    *ret_pace = pace;
    return LST_OK;
}

void lst_pace_close(struct lst_pace *pace)
{
    if (pace == NULL) {
        return;
    }
    pthread_mutex_lock(&pace->mutex);
    pace->stopping = true;
    pthread_cond_signal(&pace->wake);
    pthread_mutex_unlock(&pace->mutex);
    pthread_join(pace->thread, NULL);
    pthread_cond_destroy(&pace->wake);
    pthread_mutex_destroy(&pace->mutex);
    free(pace);
}

void lst_pace_add(struct lst_pace *pace, struct lst_paced *paced, int socket, bool is_surplus)
{
    uint64_t now = lst_clock_monotonic_ns();

    paced->socket = socket;
    paced->limit_ns = is_surplus && pace->limit_ns > SURPLUS_NS ? SURPLUS_NS : pace->limit_ns;
    paced->looked_ns = now;
    begin_period(paced, now);
    pthread_mutex_lock(&pace->mutex);
    paced->next = pace->first;
    if (pace->first != NULL) {
        pace->first->previous = paced;
    } else {
        pthread_cond_signal(&pace->wake);
    }
    pace->first = paced;
    pthread_mutex_unlock(&pace->mutex);
}

void lst_pace_remove(struct lst_pace *pace, struct lst_paced *paced)
{
    pthread_mutex_lock(&pace->mutex);
    if (paced->previous != NULL) {
        paced->previous->next = paced->next;
    } else {
        pace->first = paced->next;
    }
    if (paced->next != NULL) {
        paced->next->previous = paced->previous;
    }
    pthread_mutex_unlock(&pace->mutex);
}

void lst_pace_take_turn(struct lst_paced *paced, enum lst_pace_turn turn)
{
    atomic_store_explicit(&paced->turn, turn, memory_order_relaxed);
}

void lst_pace_count_answer(struct lst_paced *paced)
{
    atomic_fetch_add_explicit(&paced->answered, 1, memory_order_relaxed);
    lst_pace_take_turn(paced, LST_PACE_CLIENT_SENDS);
}
