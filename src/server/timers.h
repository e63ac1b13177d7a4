/*
 * timers.h - deadlines of one worker's connections: a wheel.
 *
 * Setting a deadline costs a few instructions, and moving it to a later time one store, because the
 * timer is looked at when its old deadline comes: nearly every deadline of a connection is put off
 * before it is reached. Deadlines are late by up to LST_TIMERS_TICK_NS, and never early.
 *
 * One thread.
 */
#ifndef LST_SERVER_TIMERS_H
#define LST_SERVER_TIMERS_H

#include "latchstring.h"

#define LST_TIMERS_TICK_NS (128ULL * 1000 * 1000)
#define LST_TIMERS_SLOTS                                                                           \
    512 /* a turn of the wheel is 65 seconds; later deadlines wait for several */

/* Inside of what has the deadline. All zero: not set. Private but for `owner`. */
struct lst_timer {
    struct lst_timer *next;
    struct lst_timer **link; /* what points to this one; NULL: it is in no slot */
    uint64_t deadline_ns;
    uint64_t tick; /* of its slot */
    void *owner;
};

struct lst_timers {
    struct lst_timer *slots[LST_TIMERS_SLOTS];
    uint64_t filled[LST_TIMERS_SLOTS / 64]; /* a bit for each slot that may have one */
    uint64_t next; /* no timer is in a slot before this tick; UINT64_MAX: none is in any */
    uint64_t tick; /* the first that has not been looked at */
};

/* now_ns: of the monotonic clock, as everywhere here. */
void lst_timers_init(struct lst_timers *timers, uint64_t now_ns);

/* Set the deadline, whether there is one already or not. */
void lst_timers_set(struct lst_timers *timers, struct lst_timer *timer, uint64_t deadline_ns);

/* There is no deadline any more. */
void lst_timers_cancel(struct lst_timer *timer);

/* Call fire() for each timer whose deadline is over, which is then not set any more. fire() may set
 * and cancel any timer. */
void lst_timers_run(struct lst_timers *timers, uint64_t now_ns, void (*fire)(void *owner));

/* Milliseconds until lst_timers_run() may have something to do; -1: no timer is set. */
LST_MUST_CHECK int lst_timers_wait_ms(const struct lst_timers *timers, uint64_t now_ns);

#endif
