/*
 * pace.h - cutting off clients that hold a connection without using it.
 *
 * The HTTP library closes a connection on which nothing has moved for --idle-timeout; who sends, or
 * reads, a byte now and then would hold it for ever. So a thread looks at what the kernel has
 * counted for each: within every --idle-timeout a request must have been answered, or
 * LST_PACE_LEAST bytes a second have moved. The time that this server takes for its own part does
 * not count. It also closes connections whose client has gone in the middle of a request, which the
 * library (0.9.75) overlooks when the last bytes and the end arrive together.
 */
#ifndef LST_SERVER_PACE_H
#define LST_SERVER_PACE_H

#include "base/error.h"

#define LST_PACE_LEAST 500 /* bytes a second */

/* Whose turn it is on a connection. */
enum lst_pace_turn {
    LST_PACE_CLIENT_SENDS, /* a request, or nothing yet */
    LST_PACE_OURS,
    LST_PACE_CLIENT_READS, /* the answer */
};

/* A connection; its owner's memory. Private but for was_cut. */
struct lst_paced {
    struct lst_paced *next;
    struct lst_paced *previous;
    int socket;
    uint64_t limit_ns;
    _Atomic int turn;
    _Atomic unsigned answered;
    _Atomic bool was_cut; /* for its owner to read */
    /* What it was like at the last look, and when the present period began. */
    uint64_t looked_ns;
    uint64_t moved;
    bool was_ended;
    uint64_t begin_ns;
    uint64_t begin_moved;
    unsigned begin_answered;
};

struct lst_pace;

/* limit: seconds. LST_ERR_NO_MEMORY. */
LST_MUST_CHECK int lst_pace_open(uint64_t limit, struct lst_pace **ret_pace);
void lst_pace_close(struct lst_pace *pace);

/* From now on look at a connection, until it is removed, which must be before its socket is closed.
 * is_surplus: it has only moments, because there are too many. */
void lst_pace_add(struct lst_pace *pace, struct lst_paced *paced, int socket, bool is_surplus);
void lst_pace_remove(struct lst_pace *pace, struct lst_paced *paced);

/* Any thread. */
void lst_pace_take_turn(struct lst_paced *paced, enum lst_pace_turn turn);

/* A request is over. */
void lst_pace_count_answer(struct lst_paced *paced);

#endif
