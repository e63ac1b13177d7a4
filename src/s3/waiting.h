/*
 * waiting.h - the state of an exchange that may have to wait for another thread: see s3.h.
 *
 * Shared by all that are driven as s3.h says.
 */
#ifndef LST_S3_WAITING_H
#define LST_S3_WAITING_H

#include <stdatomic.h>
#include <stdbool.h>

enum lst_s3_state {
    LST_S3_BODY,    /* wants the body */
    LST_S3_PENDING, /* wait for wake() */
    LST_S3_RESPOND, /* the response is ready */
};

struct lst_waiting {
    atomic_int state;           /* enum lst_s3_state, or one of waiting.c's */
    void (*go_on)(void *owner); /* after a wait */
    void (*wake)(void *context);
    void *wake_context;
};

/* In state LST_S3_BODY. */
void lst_waiting_init(struct lst_waiting *waiting, void (*wake)(void *context), void *context);

/* From now on the exchange waits for another thread, which is to call lst_waiting_end(), once. The
 * exchange is not to be touched in between, but by that thread. */
void lst_waiting_begin(struct lst_waiting *waiting);

/* go_on: what the caller of lst_waiting_state() is to do first, with the state LST_S3_BODY. NULL:
 * the exchange has been answered. It is not to be touched any more. */
void lst_waiting_end(struct lst_waiting *waiting, void (*go_on)(void *owner));

/* What does not wait after all (the other thread was never told) wants its body again. */
void lst_waiting_cancel(struct lst_waiting *waiting);

/* It has been answered. While it waits, whoever ends the wait changes the state. */
void lst_waiting_answer(struct lst_waiting *waiting);
bool lst_waiting_is_answered(struct lst_waiting *waiting);

/* The response is ready. Unlike lst_waiting_is_answered(), false also while it waits, or has yet to
 * go on after a wait: what an exchange asks that ends early because its client is gone. */
bool lst_waiting_has_response(struct lst_waiting *waiting);

/* The state for the outside, having gone on if a wait is over. owner: for go_on(). */
enum lst_s3_state lst_waiting_state(struct lst_waiting *waiting, void *owner);

#endif
