/*
 * connection.h - one connection, as the engine's files see it. engine.h is the manual.
 *
 * What a connection does next depends on its state alone; connection.c has the loop. A step goes as
 * far as the socket lets it, and says how it ended.
 */
#ifndef LST_SERVER_CONNECTION_H
#define LST_SERVER_CONNECTION_H

#include "server/exchange.h"
#include "server/worker.h"

#include <sys/types.h>
#include <sys/uio.h>

#define LST_CONNECTION_TURN     (512UL * 1024) /* bytes in one turn ... */
#define LST_CONNECTION_SHORT    (128UL * 1024) /* ... while short work comes in between */
#define LST_CONNECTION_REQUESTS 16             /* requests in one turn */
/* Bytes that are read after the answer, at most: those of the largest upload. pace.c limits the
 * time. */
#define LST_CONNECTION_READ_AWAY (5ULL * 1024 * 1024 * 1024)

enum lst_connection_state {
    LST_CONNECTION_HANDSHAKE, /* TLS is being agreed upon */
    LST_CONNECTION_HEAD,      /* a request is read, or waited for */
    LST_CONNECTION_BODY,      /* its body is read */
    LST_CONNECTION_WAITS,     /* for lst_worker_wake(): a commit, a remote, the disk */
    LST_CONNECTION_ANSWER,    /* the answer is sent */
    LST_CONNECTION_LINGER,    /* it was shut down; what still comes is read and forgotten */
    LST_CONNECTION_CLOSED,    /* it is among the dead */
};

/* How a step ended. */
enum lst_step {
    LST_STEP_ON,    /* there is more to do: another step */
    LST_STEP_WAIT,  /* until the socket, or another thread, has more */
    LST_STEP_YIELD, /* its turn is over; it has more to do */
    LST_STEP_CLOSE, /* close it */
    LST_STEP_RESET, /* close it, and forget what was not sent */
};

/* Bytes that wait to be sent. */
struct lst_unsent {
    char *bytes; /* NULL: none */
    size_t length;
    size_t sent;
};

struct lst_connection {
    struct lst_worker *worker;
    struct lst_connection *next; /* of worker->all */
    struct lst_connection **link;
    struct lst_connection *next_ready;
    struct lst_connection *next_arrived;
    struct lst_connection *next_woken;
    int socket;
    enum lst_connection_state state;
    bool is_ready; /* in worker->ready */
    bool may_read; /* as far as is known: the socket was not empty when it was looked at last */
    bool may_write;
    bool peer_ended;     /* the kernel says that the peer has sent its last byte */
    bool has_ended;      /* and it was read */
    bool has_urgent;     /* urgent data has come, at which a recv() stops */
    bool had_last_look;  /* in a drain */
    bool was_used;       /* a request has been read from it */
    bool keeps;          /* it is kept after this answer */
    bool was_shut;       /* nothing more is sent */
    bool is_spent;       /* cipher_left was not enough: there is more to read, in the next turn */
    bool file_is_warm;   /* its next bytes were read just now: they are not asked after again */
    bool waits_for_disk; /* of WAITS: the state is ANSWER then */
    bool disk_failed;    /* and what was waited for did not come */
    uint8_t period_turn; /* of pace.c */
    struct ssl_st *tls;  /* OpenSSL's session; NULL without, and until its handshake may begin */
    struct lst_handshake handshake;
    size_t cipher_left; /* bytes that it may yet read at once */

    /* What was read: a head and what came with it. The head is where a request's slices point, so
     * it does not move while there is an exchange. */
    char *input; /* NULL: nothing */
    size_t input_size;
    size_t input_length;
    size_t input_taken;       /* the bytes before this one were dealt with */
    struct lst_unsent behind; /* read behind the end of a chunked body: the next request's */

    struct lst_exchange *exchange; /* NULL between two requests */
    uint64_t body_left;            /* bytes, if the length is known */
    struct lst_chunked chunked;    /* else */
    uint64_t away_left;            /* bytes that LINGER still reads, at most */

    struct lst_unsent unsent; /* goes out before all else, as it is */
    struct lst_unsent piece;  /* of a stream, from the thread that made it; plain text */
    uint64_t answer_left;     /* bytes of the answer's body */

    /* The file that its next bytes are in: the response's own, or the stream's. */
    uint64_t file_at;
    uint64_t file_left; /* bytes; 0: there is none, or no more of it */
    struct lst_pool_job job;
    int file;

    unsigned turn_requests;
    size_t turn_left; /* bytes */

    /* Of pace.c. */
    struct lst_timer timer;
    uint64_t limit_ns;     /* of silence, and the length of a period */
    uint64_t received;     /* bytes */
    uint64_t heard_ns;     /* when a byte moved last, as far as is known */
    uint64_t ran_ns;       /* when it had its last turn */
    uint64_t period_ns;    /* when the period began */
    uint64_t period_moved; /* bytes that had moved then */
    uint64_t looked_moved; /* and when a deadline was last looked at */
    uint32_t answered;     /* requests */
    uint32_t period_answered;

    struct lst_peer peer;
};

/* ---- Life (connection.c) */

/* A connection that was accepted; NULL without memory. socket stays the caller's then. */
struct lst_connection *lst_connection_new(struct lst_engine *engine, int socket,
                                          const struct sockaddr *address);

/* Begin to serve it, on the worker's thread. It may be closed when this returns. */
void lst_connection_begin(struct lst_worker *worker, struct lst_connection *connection);

/* The events of epoll for it. */
void lst_connection_take_events(struct lst_connection *connection, uint32_t events);

/* Append it to the row of long work; nothing if it is there already. */
void lst_connection_line_up(struct lst_connection *connection);

/* Its handshake has ended, well or not: let another begin. */
void lst_connection_end_handshake(struct lst_connection *connection);

/* Take steps until one waits, yields or closes. It may be closed when this returns. */
void lst_connection_run(struct lst_connection *connection);

/* What it waited for in WAITS has happened. It may be closed when this returns. */
void lst_connection_resume(struct lst_connection *connection);

/* The engine drains: close it, unless there is a request, or one may still come. */
void lst_connection_drain(struct lst_connection *connection);

/* Close it now. is_reset: drop what was not sent yet. Not in state WAITS, when another thread has
 * its exchange. The memory stays until lst_connection_free(). */
void lst_connection_close(struct lst_connection *connection, bool is_reset);

/* Free a closed one. Only when epoll can't name it any more. */
void lst_connection_free(struct lst_connection *connection);

/* Give it an exchange, for the head that begins. False without memory. */
LST_MUST_CHECK bool lst_connection_take_exchange(struct lst_connection *connection);

/* End its exchange, if it has one: log it, and free what it holds. */
void lst_connection_give_exchange(struct lst_connection *connection);

/* ---- Reading (connection_read.c) */

enum lst_step lst_connection_read_head(struct lst_connection *connection);
enum lst_step lst_connection_read_body(struct lst_connection *connection);
enum lst_step lst_connection_read_away(struct lst_connection *connection);

/* The answer was sent: what came behind the request is the beginning of the next one. */
enum lst_step lst_connection_next_request(struct lst_connection *connection);

/* No more requests are read from it: give up what has come behind the last one. There is no
 * exchange. */
void lst_connection_forget_input(struct lst_connection *connection);

/* Do what the exchange says is next. */
enum lst_step lst_connection_follow(struct lst_connection *connection, enum lst_exchange_next next);

/* ---- Answering (connection_write.c, and for bodies connection_send.c) */

/* Send a piece of what is left of the body. */
enum lst_step lst_connection_send_body(struct lst_connection *connection,
                                       const struct lst_http_response *response);

/* The disk has given what was asked for, or failed. */
enum lst_step lst_connection_resume_answer(struct lst_connection *connection);

/* Make the answer of the exchange ready and send it. */
enum lst_step lst_connection_begin_answer(struct lst_connection *connection);
enum lst_step lst_connection_write_answer(struct lst_connection *connection);

/* Say 100 Continue, once. */
enum lst_step lst_connection_ask_for_body(struct lst_connection *connection);

/* Send what is unsent. ON: there is nothing left. */
enum lst_step lst_connection_flush(struct lst_connection *connection);

/* ---- The socket (transport.c): with TLS or without */

/* recv(), begun again when a signal came. To take EINTR for EAGAIN would be to wait for an event
 * that does not come: these are edges. */
ssize_t lst_socket_receive(int socket, void *out, size_t size, int flags);

/* So many of the bytes that were asked for came: may there be more? Less than all say that the
 * socket is empty, unless the end is behind them, or urgent data. */
bool lst_socket_may_have_more(const struct lst_connection *connection, size_t length, size_t size);

/* Bytes that were read; 0 at the end; -1 if there are none yet, or the connection is broken:
 * lst_connection_step_without() tells. */
ssize_t lst_connection_receive(struct lst_connection *connection, char *out, size_t size);

/* What is next after -1. */
enum lst_step lst_connection_step_without(const struct lst_connection *connection);

/*
 * Bytes that were taken of these, in order. They are sent, or kept in `unsent`; without TLS that
 * must be empty before. With TLS all of the first part is taken, if it has LST_WORKER_TLS_PIECE
 * bytes at most. has_more: more follows at once. -1 with may_write false if there is no room yet,
 * or with it true if the connection is broken.
 */
ssize_t lst_connection_send(struct lst_connection *connection, const struct iovec *parts,
                            size_t count, bool has_more);

/* Keep bytes to be sent before all else. False without memory. */
LST_MUST_CHECK bool lst_unsent_keep(struct lst_unsent *unsent, const struct iovec *parts,
                                    size_t count, size_t sent);
void lst_unsent_release(struct lst_unsent *unsent);

/* ---- Deadlines (pace.c) */

/* It has gone as far as it can: set the deadline for what it waits for. False: it is to be closed,
 * as an idle one in a drain. */
LST_MUST_CHECK bool lst_connection_watch(struct lst_connection *connection);

/* The engine drains: if there is no request, it has only a moment from now on. */
void lst_connection_hurry(struct lst_connection *connection);

/* Others wait for a handshake: this one has less time from now on. */
void lst_connection_hurry_handshake(struct lst_connection *connection);

/* A timer is over; owner: the connection. */
void lst_connection_check_time(void *owner);

#endif
