/* waiting.c - the state of an exchange that may have to wait for another thread. */
#include "s3/waiting.h"

#include <stddef.h>

/* States that only this file sees: it waits, and the caller has not been told yet; the wait is
 * over, and the caller is to go on. */
enum { WAITING = LST_S3_RESPOND + 1, GOING_ON };

void lst_waiting_init(struct lst_waiting *waiting, void (*wake)(void *context), void *context)
{
    atomic_init(&waiting->state, LST_S3_BODY);
    waiting->go_on = NULL;
    waiting->wake = wake;
    waiting->wake_context = context;
}

void lst_waiting_begin(struct lst_waiting *waiting)
{
    atomic_store(&waiting->state, WAITING);
}

void lst_waiting_cancel(struct lst_waiting *waiting)
{
    atomic_store(&waiting->state, LST_S3_BODY);
}

/* Once the state has changed the exchange is the caller's again, and may be gone. */
void lst_waiting_end(struct lst_waiting *waiting, void (*go_on)(void *owner))
{
    void (*wake)(void *context) = waiting->wake;
    void *context = waiting->wake_context;
    int next = go_on == NULL ? LST_S3_RESPOND : GOING_ON;
    int state = WAITING;

    waiting->go_on = go_on;
    if (!atomic_compare_exchange_strong(&waiting->state, &state, next)) {
        atomic_store(&waiting->state, next);
        wake(context);
    }
}

void lst_waiting_answer(struct lst_waiting *waiting)
{
    int state = LST_S3_BODY;

    (void)atomic_compare_exchange_strong(&waiting->state, &state, LST_S3_RESPOND);
}

bool lst_waiting_is_answered(struct lst_waiting *waiting)
{
    return atomic_load(&waiting->state) != LST_S3_BODY;
}

bool lst_waiting_has_response(struct lst_waiting *waiting)
{
    return atomic_load(&waiting->state) == LST_S3_RESPOND;
}

/* Telling the caller that it is PENDING, and finding that the wait is over, exclude each other: so
 * wake() is called if the caller waits for it, and only then. */
enum lst_s3_state lst_waiting_state(struct lst_waiting *waiting, void *owner)
{
    for (;;) {
        int state = WAITING;

        if (atomic_compare_exchange_strong(&waiting->state, &state, LST_S3_PENDING)) {
            return LST_S3_PENDING;
        }
        if (state != GOING_ON) {
            return (enum lst_s3_state)state;
        }
        atomic_store(&waiting->state, LST_S3_BODY);
        waiting->go_on(owner);
    }
}
