/* ledger_state.h - a ledger in memory, and the calls between its files. Internal to this folder. */
#ifndef LST_GATE_LEDGER_STATE_H
#define LST_GATE_LEDGER_STATE_H

#include "gate/ledger_row.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    LST_LEDGER_ROUND_MAX = 1024,      /* reservations, and settlements, of one batch */
    LST_LEDGER_WAITING_MAX = 4096,    /* unreserved uses that wait to be recorded */
    LST_LEDGER_REPEATS_MAX = 100,     /* of a batch that another process was faster than */
    LST_LEDGER_FILTER_BITS = 1 << 20, /* see ledger_revoked.c */
};

/* A settled use that waits to be written, with the texts that its outcome points to. */
struct lst_settlement {
    struct lst_settlement *next;
    struct lst_use_outcome outcome;
    bool is_written; /* in the batch that is being made */
    int status;      /* why it is not */
    bool is_again;   /* it was tried before */
    bool is_spare;   /* see struct lst_ledger */
    char bytes[];
};

/* What a batch will change, with copies of all keys and values. */
struct lst_ledger_changes {
    struct lst_index_change *items;
    char **blocks; /* what items[i] points to */
    size_t count;
    size_t capacity;
};

/* What one batch is about: the heads of two lists that end in NULL. */
struct lst_ledger_round {
    struct lst_reservation *reservations;
    struct lst_settlement *settlements;
    int statuses[LST_LEDGER_ROUND_MAX]; /* of the reservations, in their order */
    size_t reservation_count;
    size_t settlement_count;
};

struct lst_ledger {
    struct lst_index *index;
    pthread_mutex_t hook_lock; /* held while the ledger's thread calls the hook */
    struct lst_ledger_hook hook;
    _Atomic int64_t life_ms; /* the longest life of a URL; 0: not set */
    bool read_only;

    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows, up to the empty line */
    pthread_cond_t wake;
    pthread_cond_t flushed;
    struct lst_reservation *first_reservation;
    struct lst_reservation *last_reservation;
    struct lst_settlement *first_settlement;
    struct lst_settlement *last_settlement;
    size_t waiting;       /* settlements */
    uint64_t settled;     /* settlements ever given */
    uint64_t completed;   /* of them, those that are written or lost */
    uint64_t flush_up_to; /* somebody waits until completed is this */
    struct lst_ledger_waiter *first_waiter;
    struct lst_ledger_waiter *last_waiter;
    uint64_t flush_due_ns;              /* when the first settlement that waits must be written */
    struct lst_settlement *first_again; /* of reservations; they could not be written for now */
    struct lst_settlement *last_again;
    size_t again_count;           /* of these, and of those that are being tried again now */
    uint64_t again_due_ns;        /* when they are tried again */
    uint64_t again_ns;            /* how long they wait */
    struct lst_settlement *spare; /* for one of a reservation when there is no memory; or NULL */
    bool ending_hook;             /* see lst_ledger_end_hook() */
    bool closing;
    struct lst_ledger_statistics statistics;

    pthread_mutex_t filter_lock;     /* held by who brings the filter up to date */
    uint64_t filter_generation;      /* the last revocation in it; guarded by filter_lock */
    _Atomic uint64_t filter_version; /* of the index, when it was last brought up to date */
    _Atomic uint64_t filter[LST_LEDGER_FILTER_BITS / 64];
    _Atomic bool lacks_revocations; /* one could not be read: the filter decides nothing */
    _Atomic int64_t forgotten_ms;   /* as lst_ledger_forgotten_get(), as of filter_version */
};

/* ---- ledger_changes.c */

LST_MUST_CHECK int lst_ledger_changes_add(struct lst_ledger_changes *changes,
                                          enum lst_index_change_kind kind, struct lst_slice key,
                                          struct lst_slice value);

/* Drop the last ones, down to count. */
void lst_ledger_changes_cut(struct lst_ledger_changes *changes, size_t count);

void lst_ledger_changes_release(struct lst_ledger_changes *changes);

/*
 * Add what takes the row of an id from old_state (NULL: there is none) to new_state (NULL: remove
 * it), with its expiry row; fails the batch if the row is not old_state's any more. Gives new_state
 * a new revision.
 */
LST_MUST_CHECK int lst_ledger_changes_state(struct lst_ledger_changes *changes,
                                            struct lst_slice name,
                                            const struct lst_ledger_state *old_state,
                                            struct lst_ledger_state *new_state);

/* True for the codes of a batch that was made after rows that have changed since. */
static inline bool lst_ledger_must_repeat(int status)
{
    return status == LST_ERR_CONFLICT || status == LST_ERR_EXISTS || status == LST_ERR_NOT_FOUND;
}

/* The state of an id. LST_ERR_NOT_FOUND, _IO, _CORRUPT. */
LST_MUST_CHECK int lst_ledger_state_get(struct lst_index_reader *reader, struct lst_slice name,
                                        struct lst_ledger_state *ret_state);

/*
 * Counts and revocations of ids that were last used (or revoked) up to this time, and
 * LST_LEDGER_SKEW_MS more, may have been swept. 0: none was.
 */
LST_MUST_CHECK int lst_ledger_forgotten_get(struct lst_index_reader *reader, int64_t *ret_ms);

/* The later of two times of which 0 is never. */
int64_t lst_ledger_later(int64_t a_ms, int64_t b_ms);

/* ---- ledger_round.c */

/*
 * Decide over the reservations and write them and the settlements in one batch. Sets
 * round->statuses, and of each reservation sequence and used.
 */
void lst_ledger_round_write(struct lst_ledger *ledger, struct lst_ledger_round *round);

/* ---- ledger_thread.c */

LST_MUST_CHECK int lst_ledger_thread_start(struct lst_ledger *ledger);
void lst_ledger_thread_stop(struct lst_ledger *ledger);

#endif
