/* handshakes.c - which connections of a worker may be in a TLS handshake. */
#include "server/handshakes.h"

size_t lst_handshakes_most(unsigned workers)
{
    size_t most = LST_HANDSHAKES_BYTES / LST_HANDSHAKE_BYTES / workers;

    return most > 0 ? most : 1;
}

static void append(struct lst_handshake_row *row, struct lst_handshake *handshake)
{
    handshake->next = NULL;
    handshake->previous = row->last;
    if (row->last == NULL) {
        row->first = handshake;
    } else {
        row->last->next = handshake;
    }
    row->last = handshake;
    row->count++;
}

static void take_out(struct lst_handshake_row *row, struct lst_handshake *handshake)
{
    if (handshake->previous == NULL) {
        row->first = handshake->next;
    } else {
        handshake->previous->next = handshake->next;
    }
    if (handshake->next == NULL) {
        row->last = handshake->previous;
    } else {
        handshake->next->previous = handshake->previous;
    }
    row->count--;
}

static void run(struct lst_handshakes *handshakes, struct lst_handshake *handshake, uint64_t now_ns)
{
    append(&handshakes->running, handshake);
    handshake->state = LST_HANDSHAKE_RUNS;
    handshake->began_ns = now_ns;
    handshakes->last_network = handshake->network;
}

bool lst_handshakes_enter(struct lst_handshakes *handshakes, struct lst_handshake *handshake,
                          uint64_t now_ns)
{
    if (handshake->state == LST_HANDSHAKE_NONE) {
        if (handshakes->running.count < handshakes->most) {
            run(handshakes, handshake, now_ns);
        } else {
            append(&handshakes->waiting, handshake);
            handshake->state = LST_HANDSHAKE_WAITS;
        }
    }
    return handshake->state == LST_HANDSHAKE_RUNS;
}

/* The first of another network than the last one that began. If there is none, the first and the
 * last of the row by turns: so nobody waits for ever, and few wait behind a crowd. */
static struct lst_handshake *choose(struct lst_handshakes *handshakes)
{
    struct lst_handshake *found = handshakes->waiting.first;

    while (found != NULL && found->network == handshakes->last_network) {
        found = found->next;
    }
    if (found == NULL) {
        found = handshakes->takes_last ? handshakes->waiting.last : handshakes->waiting.first;
        handshakes->takes_last = !handshakes->takes_last;
    }
    return found;
}

struct lst_handshake *lst_handshakes_leave(struct lst_handshakes *handshakes,
                                           struct lst_handshake *handshake, uint64_t now_ns)
{
    struct lst_handshake *next = NULL;

    if (handshake->state == LST_HANDSHAKE_WAITS) {
        take_out(&handshakes->waiting, handshake);
    } else if (handshake->state == LST_HANDSHAKE_RUNS) {
        take_out(&handshakes->running, handshake);
        next = choose(handshakes);
    }
    handshake->state = LST_HANDSHAKE_NONE;
    if (next != NULL) {
        take_out(&handshakes->waiting, next);
        run(handshakes, next, now_ns);
    }
    return next;
}

uint64_t lst_handshakes_deadline(const struct lst_handshakes *handshakes,
                                 const struct lst_handshake *handshake, uint64_t connected_ns)
{
    uint64_t deadline = connected_ns + LST_HANDSHAKE_NS;
    uint64_t crowded = handshake->began_ns + LST_HANDSHAKE_CROWDED_NS;

    return handshake->state == LST_HANDSHAKE_RUNS && handshakes->waiting.count > 0 &&
                   crowded < deadline
               ? crowded
               : deadline;
}
