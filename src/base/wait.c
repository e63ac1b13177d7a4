/* wait.c - waits: ended by one thread, waited for by a fiber or a thread. */
#include "base/wait.h"

#include "base/fiber.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What a wait is. */
enum { OPEN, OVER, SLEEPING /* a thread waits */, ARMED /* wake() is to be called */ };

#ifdef LST_DEBUG
_Thread_local unsigned lst_borrowed;

static void check_borrowed(void)
{
    static const char text[] = "Something borrowed crosses a wait: see base/fiber.h\n";

    if (lst_borrowed != 0) {
        (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
        abort();
    }
}
#else
static void check_borrowed(void)
{
}
#endif

/* The kernel compares the word with what it was, so a wake in between is not missed. */
static void sleep_on(struct lst_wait *wait)
{
    (void)syscall(SYS_futex, &wait->state, FUTEX_WAIT_PRIVATE, SLEEPING, NULL, NULL, 0);
}

void lst_wait_end(struct lst_wait *wait)
{
    unsigned before = atomic_exchange(&wait->state, OVER);

    if (before == ARMED) { /* who waits goes on only when wake() was called */
        wait->wake(wait->context);
    } else if (before == SLEEPING) {
        /* It may be gone by now: then nobody sleeps at its address, or somebody else, who
         * looks again. */
        (void)syscall(SYS_futex, &wait->state, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
    }
}

void lst_wait_sleep(struct lst_wait *wait)
{
    unsigned state = OPEN;

    if (atomic_compare_exchange_strong(&wait->state, &state, SLEEPING)) {
        while (atomic_load(&wait->state) == SLEEPING) {
            sleep_on(wait);
        }
    }
}

void lst_wait_for(struct lst_wait *wait)
{
    check_borrowed();
    if (lst_fiber_current() == NULL) {
        lst_wait_sleep(wait);
        return;
    }
    while (atomic_load(&wait->state) != OVER) {
        lst_fiber_pause_for(wait);
    }
}

bool lst_wait_arm(struct lst_wait *wait, void (*wake)(void *context), void *context)
{
    unsigned state = OPEN;

    wait->wake = wake;
    wait->context = context;
    return atomic_compare_exchange_strong(&wait->state, &state, ARMED);
}
