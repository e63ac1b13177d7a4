/*
 * worker.h - one of the engine's threads, and what its connections share. For the engine's own
 * files: engine.h is the manual.
 */
#ifndef LST_SERVER_WORKER_H
#define LST_SERVER_WORKER_H

#include "base/clock.h"
#include "base/pool.h"
#include "server/engine.h"
#include "server/handshakes.h"
#include "server/timers.h"

#include <pthread.h>
#include <stdatomic.h>

#define LST_WORKER_BLOCK     (256UL * 1024) /* bytes: what one recv(), or one read of a file, takes */
#define LST_WORKER_TLS_PIECE (128UL * 1024) /* bytes that are enciphered at once */
#define LST_WORKER_CIPHER    (192UL * 1024) /* bytes: their records, and others beside them */
/* Bytes of an answer that the kernel takes before it has sent them. As soon as it may send them, it
 * does so all at once, on the worker's thread: 2 ms for the 4 MiB that it would take else. */
#define LST_WORKER_UNSENT (512 * 1024)
#define LST_WORKER_STREAM                                                                          \
    (64UL * 1024) /* bytes: what is read at once of an answer that is read while it is sent */
#define LST_WORKER_SLICE       (32UL * 1024)  /* of a body, while short work comes in between */
#define LST_WORKER_LONG_SLICE  (128UL * 1024) /* else: it is written at less cost */
#define LST_WORKER_INPUT       8192           /* bytes: where a head is read; most fit */
#define LST_WORKER_INPUTS_KEPT 64             /* of these, for the next requests */
#define LST_WORKER_PAUSE_NS    100000000ULL   /* when there is no room for another connection */

struct lst_connection;
struct lst_exchange;

/* One thread, and the lists of its connections, of which each has one link for each list. */
struct lst_worker {
    struct lst_engine *engine;
    pthread_t thread;
    int epoll; /* -1: none */
    int wake;  /* eventfd; -1: none */
    bool is_started;

    /* From other threads. */
    pthread_mutex_t mutex;
    struct lst_connection *arrived; /* by next_arrived: accepted by another worker */
    struct lst_connection *woken;   /* by next_woken: what they waited for is over */
    _Atomic uint64_t count;         /* connections, those that are on their way to it too */

    /* The thread's own. */
    struct lst_connection *all;
    struct lst_connection *ready; /* by next_ready, first come, first served: have more to do */
    struct lst_connection *ready_last;
    struct lst_connection *dead; /* by next_ready: freed when no event can name them any more */
    bool is_accepting;
    bool has_drained;         /* the drain began here */
    uint64_t accept_again_ns; /* 0: now */
    uint64_t now_ns;
    uint64_t short_ns; /* when a request with a small body and a small answer ended last */
    struct lst_timers timers;
    struct lst_handshakes handshakes;

    /* Spare memory, and memory that is nobody's between two turns. */
    void *inputs; /* each begins with a pointer to the next */
    size_t input_count;
    struct lst_exchange *exchanges;
    size_t exchange_count;
    char *block;  /* LST_WORKER_BLOCK bytes */
    char *cipher; /* LST_WORKER_CIPHER bytes: records on their way out; NULL without TLS */
    size_t cipher_length;
    struct lst_buffer reply; /* the head of an answer */
    int64_t date_s;          /* of what `date` says */
    char date[LST_HTTP_DATE_LENGTH];
};

struct lst_engine {
    struct lst_server *server;
    int listener;
    bool listener_is_lent; /* by systemd: it goes on listening */
    struct lst_tls *tls;   /* NULL without */
    struct lst_pool disk;  /* threads that wait for the disk, so that no worker does */
    _Atomic bool is_draining;
    _Atomic bool is_stopping;
    _Atomic unsigned drained_count; /* workers that have begun to drain */
    _Atomic uint64_t count;         /* connections */
    uint64_t count_max;
    unsigned worker_count;
    struct lst_worker workers[];
};

/* Make what it waits on. LST_ERR_TOO_MANY_FILES, LST_ERR_NO_MEMORY; what was made stays. */
LST_MUST_CHECK int lst_worker_open(struct lst_worker *worker);

/* The thread. */
void *lst_worker_run(void *worker);

/* Take part in accepting, or no longer. If the kernel has no memory for it, it is tried again after
 * a pause. */
void lst_worker_listen(struct lst_worker *worker, bool is_accepting);

/* accept.c: take some of what waits, for this worker or for another that has fewer connections;
 * take all of it. */
void lst_worker_accept(struct lst_worker *worker);
void lst_worker_accept_all(struct lst_worker *worker);

/* Requests with small bodies and small answers come now and then: none should wait for long work.
 * Such work is done in smaller pieces then, at a little more cost. */
bool lst_worker_expects_short_work(const struct lst_worker *worker);

/* Give it a connection, from any thread. */
void lst_worker_hand(struct lst_worker *worker, struct lst_connection *connection);

/* What the connection waits for is over, from any thread. Nothing of it may be touched after that.
 */
void lst_worker_wake(struct lst_worker *worker, struct lst_connection *connection);

/* Have it look at its queues and at the engine's state, from any thread. */
void lst_worker_nudge(struct lst_worker *worker);

/* LST_WORKER_INPUT bytes; NULL without memory. */
char *lst_worker_take_input(struct lst_worker *worker);
void lst_worker_give_input(struct lst_worker *worker, char *input);

#endif
