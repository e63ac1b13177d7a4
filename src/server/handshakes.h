/*
 * handshakes.h - which connections of a worker may be in a TLS handshake, and for how long.
 *
 * Until its handshake is over a session takes up to LST_HANDSHAKE_BYTES, whoever the client is. So
 * only some may be in one at a time. The others wait in a row, and cost nothing until their turn
 * comes. While any wait, a handshake has LST_HANDSHAKE_CROWDED_NS, and the oldest ends first; so
 * the row moves on, however many clients begin a handshake and leave it there. Addresses take
 * turns, however many connections each has in the row; of one address the newest and the oldest
 * take turns.
 *
 * Data alone: times are handed in, and nothing is closed here. One thread.
 */
#ifndef LST_SERVER_HANDSHAKES_H
#define LST_SERVER_HANDSHAKES_H

#include "latchstring.h"

#define LST_HANDSHAKE_BYTES      (160UL * 1024)       /* of one, at most */
#define LST_HANDSHAKES_BYTES     (64UL * 1024 * 1024) /* of all workers together */
#define LST_HANDSHAKE_NS         10000000000ULL       /* from the connection's beginning on */
#define LST_HANDSHAKE_CROWDED_NS 1000000000ULL        /* from the handshake's, while others wait */

enum lst_handshake_state {
    LST_HANDSHAKE_NONE, /* it has not come in, or is over */
    LST_HANDSHAKE_WAITS,
    LST_HANDSHAKE_RUNS,
};

/* Inside of a connection. All zero: none. Private but for owner and network. */
struct lst_handshake {
    struct lst_handshake *next;
    struct lst_handshake *previous;
    enum lst_handshake_state state;
    uint64_t began_ns; /* since when it runs */
    uint64_t network;  /* of the address that it is from: equal for all that take turns as one */
    void *owner;
};

struct lst_handshake_row {
    struct lst_handshake *first;
    struct lst_handshake *last;
    size_t count;
};

struct lst_handshakes {
    struct lst_handshake_row running; /* the oldest first */
    struct lst_handshake_row waiting;
    size_t most; /* that may run; set by the owner */
    uint64_t last_network;
    bool takes_last;
};

/* So many may run in each of the workers. */
size_t lst_handshakes_most(unsigned workers);

/* One that wants to begin, or to go on: may it? False: it waits in the row. */
LST_MUST_CHECK bool lst_handshakes_enter(struct lst_handshakes *handshakes,
                                         struct lst_handshake *handshake, uint64_t now_ns);

/* It is over, or will not be; nothing for one that never came in. Gives one that may run now, whose
 * owner is to go on; NULL: none. */
struct lst_handshake *lst_handshakes_leave(struct lst_handshakes *handshakes,
                                           struct lst_handshake *handshake, uint64_t now_ns);

/* When it has to be over, given when its connection began. It may come to be sooner, once others
 * wait. */
uint64_t lst_handshakes_deadline(const struct lst_handshakes *handshakes,
                                 const struct lst_handshake *handshake, uint64_t connected_ns);

#endif
