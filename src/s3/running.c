/* running.c - an operation on its fiber, and the exchange that it belongs to. */
#include "s3/running.h"

#include "base/fiber.h"
#include "base/wait.h"
#include "s3/exchange.h"

static void give_back_piece(struct lst_running *running)
{
    if (running->is_lent) {
        running->is_lent = false;
        lst_borrow_end();
    }
}

/* ---- On the fiber */

static void run(void *context)
{
    struct lst_s3_exchange *exchange = context;

    exchange->running.run(exchange);
    give_back_piece(&exchange->running);
}

bool lst_running_next(struct lst_s3_exchange *exchange, struct lst_slice *ret_bytes)
{
    struct lst_running *running = &exchange->running;

    give_back_piece(running);
    while (!running->has_piece && !running->has_ended && !running->is_gone) {
        lst_fiber_pause();
    }
    if (!running->has_piece) {
        return false;
    }
    running->has_piece = false;
    running->is_lent = true;
    lst_borrow_begin();
    *ret_bytes = running->piece;
    return true;
}

/* ---- From outside */

static void go_on(void *owner);

/* On the thread that ended the wait. */
static void wake(void *context)
{
    struct lst_s3_exchange *exchange = context;

    lst_waiting_end(&exchange->waiting, go_on);
}

/* It has ended: with an answer, unless its client is gone. */
static void end(struct lst_s3_exchange *exchange)
{
    exchange->running.fiber = NULL;
    if (!exchange->running.is_gone && !lst_waiting_is_answered(&exchange->waiting)) {
        lst_s3_fail(exchange, LST_S3_INTERNAL_ERROR);
    }
}

/* Up to where it wants more of the body, waits for another thread, or ends. */
static void go_on(void *owner)
{
    struct lst_s3_exchange *exchange = owner;
    struct lst_fiber *fiber = exchange->running.fiber;

    for (;;) {
        switch (lst_fiber_resume(fiber)) {
        case LST_FIBER_ENDED:
            end(exchange);
            return;
        case LST_FIBER_PAUSED:
            return;
        case LST_FIBER_WAITS:
            /* The other thread may be faster than this one. */
            lst_waiting_begin(&exchange->waiting);
            if (lst_wait_arm(lst_fiber_awaits(fiber), wake, exchange)) {
                return;
            }
            lst_waiting_cancel(&exchange->waiting);
            break;
        }
    }
}

void lst_running_begin(struct lst_s3_exchange *exchange,
                       void (*operation)(struct lst_s3_exchange *exchange))
{
    struct lst_running *running = &exchange->running;

    running->run = operation;
    running->fiber = lst_fiber_new(exchange->operation->name, run, exchange);
    if (running->fiber == NULL) {
        lst_s3_fail(exchange, LST_S3_SLOW_DOWN);
    } else {
        go_on(exchange);
    }
}

void lst_running_feed(struct lst_s3_exchange *exchange, struct lst_slice bytes)
{
    if (bytes.length > 0) {
        exchange->running.piece = bytes;
        exchange->running.has_piece = true;
        go_on(exchange);
    }
}

void lst_running_end(struct lst_s3_exchange *exchange)
{
    exchange->running.has_ended = true;
    go_on(exchange);
}

void lst_running_stop(struct lst_s3_exchange *exchange)
{
    struct lst_fiber *fiber = exchange->running.fiber;
    enum lst_fiber_state state = LST_FIBER_PAUSED;

    if (fiber == NULL) {
        return;
    }
    exchange->running.is_gone = true;
    if (!lst_waiting_has_response(&exchange->waiting)) {
        lst_waiting_cancel(&exchange->waiting); /* what it waited for may be over just now */
    }
    while (state != LST_FIBER_ENDED) {
        struct lst_wait *wait = lst_fiber_awaits(fiber);

        if (wait != NULL) {
            lst_wait_sleep(wait);
        }
        state = lst_fiber_resume(fiber);
    }
    end(exchange);
}
