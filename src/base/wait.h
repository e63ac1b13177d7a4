/*
 * wait.h - the one way to wait for another thread.
 *
 * A wait is ended once, by any thread. One waits for that, before it or after it. On a fiber
 * (base/fiber.h) others have the thread meanwhile; on a thread without a fiber (a command, a test,
 * housekeeping) the thread sleeps. So the same code, from top to bottom, runs in both places.
 *
 *     struct lst_wait synced = LST_WAIT;
 *
 *     begin(..., &synced);       another thread calls lst_wait_end(&synced) when it is done
 *     lst_wait_for(&synced);
 *
 * All that was written before lst_wait_end() is seen after lst_wait_for(). A wait may be on the
 * stack of who waits: it is not touched any more once lst_wait_for() has returned.
 */
#ifndef LST_BASE_WAIT_H
#define LST_BASE_WAIT_H

#include <stdatomic.h>
#include <stdbool.h>

/* Private. All zero: it is not over. */
struct lst_wait {
    _Atomic unsigned state;
    void (*wake)(void *context); /* of one that is armed */
    void *context;
};

#define LST_WAIT                                                                                   \
    (struct lst_wait)                                                                              \
    {                                                                                              \
        .state = 0                                                                                 \
    }

/* It is over. Once; any thread. Does not wait itself. */
void lst_wait_end(struct lst_wait *wait);

/* Until it is over. By one fiber, or one thread. */
void lst_wait_for(struct lst_wait *wait);

/* The same, but the thread sleeps even if there is a fiber. Only for who can't do anything else:
 * all that the thread serves waits, too. */
void lst_wait_sleep(struct lst_wait *wait);

/*
 * For who resumes fibers (lst_fiber_resume()): one that waits is to be resumed when its wait is
 * over. wake() is called then, once, on the thread that ends it, and sees to that. False: it is
 * over already, so resume the fiber now; wake() is never called.
 */
bool lst_wait_arm(struct lst_wait *wait, void (*wake)(void *context), void *context);

/*
 * Something that must not cross a wait is held from here to there, by this thread: a lock, a place
 * in a memory map. Debug builds (LST_DEBUG) end the process if there is a wait in between; others
 * do nothing.
 */
#ifdef LST_DEBUG
extern _Thread_local unsigned lst_borrowed;

static inline void lst_borrow_begin(void)
{
    lst_borrowed++;
}

static inline void lst_borrow_end(void)
{
    lst_borrowed--;
}
#else
static inline void lst_borrow_begin(void)
{
}

static inline void lst_borrow_end(void)
{
}
#endif

#endif
