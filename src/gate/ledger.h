/*
 * ledger.h - what became of the URLs that carry an id (x-latch-id): how often they were used, by
 * whom, and whether they were revoked.
 *
 * Its own index (DIR/ledger.mdb, mode 0600), so that a command can revoke an id while a server
 * runs: the server refuses it from the next request on. docs/on-disk-format.md describes the rows.
 *
 * An id belongs to the user whose key signed it; everything here is kept under both names, so that
 * nobody can spend or revoke another user's ids. A use goes through these steps:
 *
 *   lst_ledger_check()    not revoked? For every request with an id; costs next to nothing.
 *   lst_ledger_reserve()  counts it before anything is done; durable when it has succeeded. Only
 *                         for a use that is counted (limit > 0) or that writes.
 *   lst_ledger_settle()   what came of it, once the answer is known. For every use.
 *
 * A counted use whose answer was an error is given back when it is settled. One that was never
 * settled, because the process died, stays counted: N uses means at most N, whatever happens.
 *
 * Threads: any may call anything. Processes: several may have the same ledger open, but one process
 * only once (see index/index.h). Times are milliseconds since 1970.
 */
#ifndef LST_GATE_LEDGER_H
#define LST_GATE_LEDGER_H

#include "index/index.h"

#define LST_LEDGER_ID_MAX   512       /* bytes of an id, printable ASCII without spaces */
#define LST_LEDGER_USES_MAX 100       /* the last uses of an id that are kept */
#define LST_LEDGER_GRACE_MS (3600000) /* rows are swept this long after they expired */
#define LST_LEDGER_SKEW_MS  (900000)  /* a URL may be dated this far ahead of our clock */

struct lst_ledger;

/*
 * folder: the data folder. It and the file are made if need be, unless read_only. Starts a thread,
 * unless read_only, which writes, and sweeps what has expired once a minute. Errors as
 * lst_index_open(); LST_ERR_NOT_FOUND: read_only, and nothing was ever written.
 */
LST_MUST_CHECK int lst_ledger_open(const char *folder, bool read_only,
                                   struct lst_ledger **ret_ledger);

/* Writes what is waiting, completes every reservation, then closes. NULL does nothing. */
void lst_ledger_close(struct lst_ledger *ledger);

/*
 * The index under it, for what must be written in one batch with the ledger's own rows. Everything
 * is in partition LST_LEDGER_PARTITION; keys that begin with an upper-case letter are the
 * ledger's, those that begin with a lower-case letter are free for layers above, each letter for
 * one purpose. Valid until lst_ledger_close().
 */
#define LST_LEDGER_PARTITION 0
struct lst_index *lst_ledger_index(struct lst_ledger *ledger);

/*
 * Set the longest life of a URL (--expires-max), before the first use. Counts and revocations are
 * kept for this long after the last use or the revocation, since other URLs with the same id may
 * live on when the one that was used has expired. Until it is set they are not swept at all.
 */
void lst_ledger_set_life(struct lst_ledger *ledger, int64_t life_ms);

/* ---- Using an id */

/*
 * One use of an id. user and id are needed; the rest is for those who look at it later, may be
 * empty, and is cut where it is longer than this.
 */
struct lst_use {
    struct lst_slice user;   /* a user's name, see gate/users.h */
    struct lst_slice id;     /* 1 to LST_LEDGER_ID_MAX */
    struct lst_slice method; /* 16 bytes */
    struct lst_slice bucket; /* 255 bytes */
    struct lst_slice key;    /* 1,024 bytes */
    struct lst_slice peer;   /* the address, without port; 64 bytes */
    uint64_t limit;          /* most successful uses; 0: not counted */
    int64_t now_ms;          /* when it began */
    int64_t signed_ms;       /* when the URL says that it was signed; 0: not known, not checked */
    int64_t expires_ms; /* when this URL expires; 0: never. The latest that was ever given for the
                         * id counts; see lst_ledger_sweep() */
    bool is_write;      /* it makes or changes an object, or is a step of that */
};

/*
 * LST_OK, or LST_ERR_CLOSED: the id is revoked. Seen at once when any process revokes. Some tens
 * of nanoseconds while nothing is written, microseconds after a write. signed_ms is as in struct
 * lst_use. LST_REFUSED_EXPIRED: the URL was signed so long ago that the count or the revocation of
 * its id may have been swept. Such a URL has expired, unless the clock was set back or the longest
 * life was raised. LST_ERR_INVALID_ARGUMENT: not a user's name, not an id. LST_ERR_IO, _CORRUPT,
 * _NO_MEMORY: refuse the request.
 */
LST_MUST_CHECK int lst_ledger_check(struct lst_ledger *ledger, struct lst_slice user,
                                    struct lst_slice id, int64_t signed_ms);

/*
 * A reservation: the caller's memory, which must stay, unchanged, with all that `use` points to,
 * until done() is called: exactly once, on the ledger's thread or (when the use is refused
 * without looking) on the caller's. done() must not block; it may free the reservation, reserve
 * again and settle. Nothing cancels one: who loses interest waits for done() and settles the use
 * with an error's status, which gives it back.
 *
 * status: LST_OK: counted, durable, may go on. LST_ERR_TOO_LARGE: all uses are spent (used says
 * how many). LST_ERR_CLOSED: revoked. LST_REFUSED_EXPIRED, LST_ERR_INVALID_ARGUMENT: as
 * lst_ledger_check(). LST_ERR_NO_SPACE, _IO, _NO_MEMORY, _CORRUPT, _PERMISSION (opened read_only):
 * not counted, refuse the request.
 * LST_ERR_UNKNOWN: perhaps counted, for good; refuse the request, which is then not served at all.
 *
 * However many are asked for at the same time, by several processes too, exactly `limit` succeed,
 * apart from those that were given back. They are written together, with one sync.
 */
struct lst_reservation {
    struct lst_use use;
    void (*done)(struct lst_reservation *reservation, int status);
    void *context; /* the caller's */

    uint64_t sequence; /* set when done: names the use within its id, from 1 on; for the outcome */
    uint64_t used;     /* set when done with LST_OK or LST_ERR_TOO_LARGE: uses spent, this one
                        * included; 0 for uses that are not counted */
    struct lst_reservation *next; /* the ledger's */
};

void lst_ledger_reserve(struct lst_ledger *ledger, struct lst_reservation *reservation);

/* What came of a use. All is copied. */
struct lst_use_outcome {
    struct lst_use use;      /* as it was reserved, if it was */
    uint64_t sequence;       /* of its reservation; 0: it was not reserved */
    int http_status;         /* the answer's; 0: unknown, the process died in between */
    uint64_t size;           /* bytes of the body that came in or went out */
    int64_t ended_ms;        /* 0: when it is settled */
    struct lst_slice etag;   /* of the object that was made or fetched; empty for a step on the way
                              * to one, such as a part of an upload. 128 bytes, cut */
    struct lst_slice type;   /* its Content-Type; 256 bytes, cut */
    struct lst_slice reason; /* why it failed: an error code or sentence; 512 bytes, cut */
};

/*
 * Record what came of a use: once for every reservation that succeeded, and for uses that needed
 * none. Written within a quarter of a second, with others. A status other than 0 and 200 to 299
 * gives a counted use back (304 too: nothing was fetched). A write that is settled already is left
 * as it is.
 *
 * A settled reservation that could not be written, because memory, room or files were short, is
 * tried again until it is, at first after a fiftieth of a second, then after up to a minute. It is
 * lost only if a sync fails, the process ends before, or thousands wait: then it stays counted, and
 * a write stays open. Of uses that were not reserved some are dropped, and counted as such, when
 * thousands are waiting.
 */
void lst_ledger_settle(struct lst_ledger *ledger, const struct lst_use_outcome *outcome);

/* Wait until everything that was settled before this call is written, or is among what is tried
 * again later. Not on the ledger's thread. */
void lst_ledger_flush(struct lst_ledger *ledger);

/*
 * The same without waiting, for who is about to look. False: everything is written already, done()
 * is not called. Else done() is called once, on the ledger's thread, when it is; it must not block.
 * The waiter stays the caller's, unchanged, until then.
 */
struct lst_ledger_waiter {
    void (*done)(struct lst_ledger_waiter *waiter);
    void *context;                  /* the caller's */
    uint64_t up_to;                 /* the ledger's, as is next */
    struct lst_ledger_waiter *next; /* in the order of up_to */
};
LST_MUST_CHECK bool lst_ledger_flush_begin(struct lst_ledger *ledger,
                                           struct lst_ledger_waiter *waiter);

/* ---- Revoking */

/*
 * From now on the id is refused, whether or not it was ever used. Durable on return. Again: changes
 * nothing but expires_ms (as in struct lst_use). Waits for the disk: not on an event loop's thread.
 * LST_ERR_INVALID_ARGUMENT, _NO_SPACE, _IO, _NO_MEMORY, _CORRUPT, _PERMISSION.
 */
LST_MUST_CHECK int lst_ledger_revoke(struct lst_ledger *ledger, struct lst_slice user,
                                     struct lst_slice id, int64_t expires_ms);

/* ---- Looking */

struct lst_ledger_summary {
    uint64_t limit;     /* the last one that a use came with; 0: none */
    uint64_t used;      /* counted uses, those under way included, without those given back */
    uint64_t succeeded; /* settled with 200 to 299 */
    uint64_t failed;    /* settled with anything else */
    uint64_t bytes;     /* in the bodies of those that succeeded */
    int64_t first_ms;   /* when the first use began; 0: never used */
    int64_t last_ms;
    int64_t revoked_ms; /* 0: not revoked */
    int64_t expires_ms; /* 0: never */
};

/* LST_ERR_NOT_FOUND: neither used nor revoked, or swept. LST_ERR_INVALID_ARGUMENT, _IO, _CORRUPT.
 */
LST_MUST_CHECK int lst_ledger_find(struct lst_ledger *ledger, struct lst_slice user,
                                   struct lst_slice id, struct lst_ledger_summary *ret_summary);

/*
 * The last LST_LEDGER_USES_MAX uses of an id that were settled, in that order. What visit() is
 * given is valid during the call. Its `limit` and `expires_ms` are those of that use. A code other
 * than 0 from visit() ends it and is the result. Nothing to visit is LST_OK.
 */
typedef int lst_ledger_visit(void *context, const struct lst_use_outcome *outcome);

LST_MUST_CHECK int lst_ledger_uses(struct lst_ledger *ledger, struct lst_slice user,
                                   struct lst_slice id, lst_ledger_visit *visit, void *context);

/*
 * The uses that were reserved with is_write and not yet settled: of a process that died, if called
 * before the first reservation. Whoever learns what came of one settles it with the use and the
 * sequence that visit() was given (http_status is 0 there), during the visit or later.
 */
LST_MUST_CHECK int lst_ledger_open_uses(struct lst_ledger *ledger, lst_ledger_visit *visit,
                                        void *context);

/* ---- What layers above write together with a use */

struct lst_ledger_changes;

/*
 * Add to the batch; key and value are copied. Keys begin with a lower-case letter.
 * LST_ERR_NO_MEMORY; LST_ERR_TOO_LARGE: beyond the index's limits; LST_ERR_INVALID_ARGUMENT: not a
 * key of that kind.
 */
LST_MUST_CHECK int lst_ledger_changes_put(struct lst_ledger_changes *changes, struct lst_slice key,
                                          struct lst_slice value);
LST_MUST_CHECK int lst_ledger_changes_delete(struct lst_ledger_changes *changes,
                                             struct lst_slice key);
/* Without this row nothing of the batch is written. For sweep() alone: see below. */
LST_MUST_CHECK int lst_ledger_changes_require(struct lst_ledger_changes *changes,
                                              struct lst_slice key);

struct lst_ledger_hook {
    /* May this request use its id, as far as the layers above know? From any thread, at any time;
     * must not wait. May be NULL. */
    bool (*admits)(void *context, const struct lst_use *use);
    /*
     * A use is about to be settled: add what must be written with it, whole or not at all. On the
     * ledger's thread; may read the index, must not wait. Called again for the same use if the
     * batch has to be repeated, so that it must have no effect but its additions. A code other
     * than 0 leaves this use unsettled.
     */
    int (*settled)(void *context, const struct lst_use_outcome *outcome,
                   struct lst_ledger_changes *more);
    /* Something that settled() added is durable now. On the ledger's thread. May be NULL. */
    void (*written)(void *context);
    /*
     * Add the deletions of what the layers above need no more at now_ms: some hundred rows at most,
     * it is called again until it adds nothing. Whatever may be written anew under the same key
     * must be guarded by lst_ledger_changes_require() on a row that is then gone. On the ledger's
     * thread, once a minute. Errors end this sweep. May be NULL.
     */
    int (*sweep)(void *context, int64_t now_ms, struct lst_ledger_changes *more);
    void *context;
};

/* What the hook says of a request that comes with an id: user, id, bucket and key are looked at.
 * True without a hook. */
bool lst_ledger_admits(const struct lst_ledger *ledger, const struct lst_use *use);

/* Set the hook; before the first use is reserved or settled. Copied. */
void lst_ledger_on_settled(struct lst_ledger *ledger, const struct lst_ledger_hook *hook);

/*
 * Take the hook away, when nothing is reserved or settled any more. Waits until it has seen all
 * that was settled: what could not be written is tried a last time, at once. What fails then stays
 * open, so that lst_ledger_open_uses() finds it after the next opening; nothing that the hook
 * should have seen is written without it. When this returns, the ledger's thread is not in the hook
 * and calls it no more. Not on the ledger's thread.
 */
void lst_ledger_end_hook(struct lst_ledger *ledger);

/* ---- Housekeeping */

/*
 * Remove the rows of ids that expired more than LST_LEDGER_GRACE_MS before now_ms; of those that
 * have an open use only after a week. Of an id that was counted or revoked the record of uses goes
 * then, and the row with the count when the longest life of a URL, LST_LEDGER_SKEW_MS and the grace
 * have passed since its last use or its revocation. From then on URLs with an id that were signed
 * before that use are refused (see lst_ledger_check()), so that a clock that jumps gives no use
 * back. An id that was revoked with expires_ms 0 is never swept.
 *
 * The ledger's thread does it once a minute. LST_ERR_CORRUPT: a row makes no sense; all others were
 * looked at. LST_ERR_IO, _NO_SPACE, _NO_MEMORY: some may be left, the next call goes on.
 */
LST_MUST_CHECK int lst_ledger_sweep(struct lst_ledger *ledger, int64_t now_ms);

/* Since it was opened, for metrics. */
struct lst_ledger_statistics {
    uint64_t reserved;
    uint64_t refused; /* spent or revoked, when they were to be reserved */
    uint64_t settled; /* written */
    uint64_t dropped; /* settled, but not written */
    uint64_t batches; /* written */
    uint64_t failed_sweeps;
};
void lst_ledger_statistics(struct lst_ledger *ledger, struct lst_ledger_statistics *ret_statistics);

#endif
