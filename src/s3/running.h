/*
 * running.h - an operation under way: one function, from the head of the request to its answer.
 *
 * It runs on a fiber (base/fiber.h, whose rules it keeps): it waits for the body by
 * lst_body_next(), and for other threads by lst_wait_for() or what is built on that. Whoever drives
 * the exchange sees what s3.h says: a state, and the same calls.
 *
 * The last thing that the function does, but for giving up what it holds, is to answer; it must not
 * wait after that. If the client goes away, the body is at its end and is not whole: the function
 * gives up what it holds and returns, without an answer. A piece of the body is valid until the
 * next is asked for, and nothing may be waited for with one in hand: it is in memory that the
 * thread uses for all its requests.
 */
#ifndef LST_S3_RUNNING_H
#define LST_S3_RUNNING_H

#include "base/slice.h"

#include <stdbool.h>

struct lst_fiber;
struct lst_s3_exchange;

struct lst_running {
    struct lst_fiber *fiber; /* NULL: there is none, or it has ended */
    void (*run)(struct lst_s3_exchange *exchange);
    struct lst_slice piece;
    bool has_piece; /* handed down, and not taken yet */
    bool is_lent;   /* the operation has it in hand */
    bool has_ended; /* there is no more of the body */
    bool is_gone;   /* nor will there be: the client is gone */
};

/* Run the operation until it waits or has answered. If there is no memory it is answered, too. */
void lst_running_begin(struct lst_s3_exchange *exchange,
                       void (*run)(struct lst_s3_exchange *exchange));

/* From the driver: a piece of the body, and that there is no more. */
void lst_running_feed(struct lst_s3_exchange *exchange, struct lst_slice bytes);
void lst_running_end(struct lst_s3_exchange *exchange);

/* The exchange is given up, perhaps before its operation has come to its end: see that it does. */
void lst_running_stop(struct lst_s3_exchange *exchange);

/* On the fiber: the next piece of the body, as it was sent. False: there is no more, because it is
 * complete, or because the client is gone (is_gone). Asked again, it says so again. */
bool lst_running_next(struct lst_s3_exchange *exchange, struct lst_slice *ret_bytes);

#endif
