/* timers.c - deadlines of one worker's connections: a wheel. */
#include "server/timers.h"

#include <stddef.h>
#include <string.h>

void lst_timers_init(struct lst_timers *timers, uint64_t now_ns)
{
    memset(timers, 0, sizeof(*timers));
    timers->tick = now_ns / LST_TIMERS_TICK_NS;
    timers->next = UINT64_MAX;
}

/* The slot of the first tick that begins when the deadline is over. */
static void insert(struct lst_timers *timers, struct lst_timer *timer)
{
    uint64_t tick = timer->deadline_ns / LST_TIMERS_TICK_NS + 1;
    size_t slot;

    if (tick < timers->tick) {
        tick = timers->tick;
    }
    slot = tick % LST_TIMERS_SLOTS;
    timers->next = tick < timers->next ? tick : timers->next;
    timer->tick = tick;
    timer->next = timers->slots[slot];
    timer->link = &timers->slots[slot];
    if (timer->next != NULL) {
        timer->next->link = &timer->next;
    }
    timers->slots[slot] = timer;
    timers->filled[slot / 64] |= UINT64_C(1) << slot % 64;
}

static void take_out(struct lst_timer *timer)
{
    *timer->link = timer->next;
    if (timer->next != NULL) {
        timer->next->link = timer->link;
    }
    timer->next = NULL;
    timer->link = NULL;
}

void lst_timers_set(struct lst_timers *timers, struct lst_timer *timer, uint64_t deadline_ns)
{
    timer->deadline_ns = deadline_ns;
    if (timer->link != NULL) {
        if (timer->tick <= deadline_ns / LST_TIMERS_TICK_NS + 1) {
            return; /* it is looked at in time, and put off then */
        }
        take_out(timer);
    }
    insert(timers, timer);
}

void lst_timers_cancel(struct lst_timer *timer)
{
    if (timer->link != NULL) {
        take_out(timer);
    }
}

static void run_slot(struct lst_timers *timers, size_t slot, uint64_t now_ns,
                     void (*fire)(void *owner))
{
    struct lst_timer *waiting = timers->slots[slot];

    /* What is set from here on goes into the slot anew. */
    timers->slots[slot] = NULL;
    timers->filled[slot / 64] &= ~(UINT64_C(1) << slot % 64);
    if (waiting != NULL) {
        waiting->link = &waiting;
    }
    while (waiting != NULL) {
        struct lst_timer *timer = waiting;

        take_out(timer);
        if (timer->deadline_ns <= now_ns) {
            fire(timer->owner);
        } else {
            insert(timers, timer);
        }
    }
}

/* The first tick from now on in whose slot there is one. */
static uint64_t find_next(const struct lst_timers *timers)
{
    uint64_t end = timers->tick + LST_TIMERS_SLOTS;

    for (uint64_t tick = timers->tick; tick < end; tick++) {
        size_t slot = tick % LST_TIMERS_SLOTS;

        if (slot % 64 == 0 && timers->filled[slot / 64] == 0) {
            tick += 63;
        } else if (timers->slots[slot] != NULL) {
            return tick;
        }
    }
    return UINT64_MAX;
}

void lst_timers_run(struct lst_timers *timers, uint64_t now_ns, void (*fire)(void *owner))
{
    uint64_t last = now_ns / LST_TIMERS_TICK_NS;

    if (last < timers->tick) {
        return;
    }
    if (last >= timers->tick + LST_TIMERS_SLOTS) { /* it slept for long: one turn sees them all */
        timers->tick = last - LST_TIMERS_SLOTS + 1;
    }
    while (timers->tick <= last) {
        size_t slot = timers->tick++ % LST_TIMERS_SLOTS;

        if ((timers->filled[slot / 64] >> slot % 64 & 1) != 0) {
            run_slot(timers, slot, now_ns, fire);
        }
    }
    timers->next = find_next(timers);
}

int lst_timers_wait_ms(const struct lst_timers *timers, uint64_t now_ns)
{
    uint64_t at_ns = timers->next * LST_TIMERS_TICK_NS;

    if (timers->next == UINT64_MAX) {
        return -1;
    }
    return at_ns <= now_ns ? 0 : (int)((at_ns - now_ns) / 1000000 + 1);
}
