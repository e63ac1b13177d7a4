/*
 * fiber.h - fibers: functions that wait in the middle, on small stacks of their own.
 *
 * A request is one function that reads from top to bottom. Where it has to wait (for its client,
 * for a commit), its fiber gives the thread to others and goes on later, as if nothing had happened
 * in between. base/wait.h is how it waits. A switch is some 25 ns, without a system call.
 *
 * Rules for what runs on a fiber:
 * - A fiber never leaves its thread: the one that started it resumes it, and nobody else.
 * - Nothing borrowed crosses a wait: no mutex, no pointer into a memory map of an index, no errno,
 *   no queue of OpenSSL's errors, no memory that the thread uses for all its requests. A build with
 *   LST_DEBUG ends the process if something that was noted by lst_borrow_begin() does.
 * - The stack is small: LST_FIBER_STACK bytes, with frames of no more than some KiB. Whatever needs
 *   a deep stack, or one of which nobody knows how deep (libmagic, regular expressions, parsers
 *   that recurse), runs on the thread's own stack: lst_fiber_aside().
 * - What blocks (the disk, a remote) runs on a pool of threads (base/pool.h) and is waited for.
 *
 * A stack that is too small ends the process: below each is a guard, and what runs into it is named
 * (lst_fiber_at_overflow()). Address sanitizer, thread sanitizer and valgrind know of the switches.
 */
#ifndef LST_BASE_FIBER_H
#define LST_BASE_FIBER_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes. A sanitizer makes frames several times as large, and valgrind's build is no other. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LST_FIBER_STACK (512UL * 1024)
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LST_FIBER_STACK (512UL * 1024)
#endif
#endif
#ifndef LST_FIBER_STACK
#define LST_FIBER_STACK (64UL * 1024)
#endif
#define LST_FIBER_GUARD (16UL * 1024) /* bytes below it, which nobody may touch */
#define LST_FIBERS_MAX  16384         /* of a process at a time */
#define LST_FIBERS_KEPT 128           /* stacks that a thread keeps for the next ones */
/* Bytes of a kept stack that stay in memory; what was used below is given back to the kernel. */
#define LST_FIBER_WARM (16UL * 1024)

struct lst_wait;
struct lst_fiber;

enum lst_fiber_state {
    LST_FIBER_PAUSED, /* by lst_fiber_pause(): whoever resumes it knows what for */
    LST_FIBER_WAITS,  /* for lst_fiber_awaits(): see lst_wait_arm() */
    LST_FIBER_ENDED,  /* its function has returned; the fiber is gone */
};

/* A fiber of this thread that is to run this function; it has not begun yet. name: what runs there,
 * for who looks at a crash; a constant. NULL: there is no memory, or there are LST_FIBERS_MAX. */
struct lst_fiber *lst_fiber_new(const char *name, void (*run)(void *context), void *context);

/* Let it begin, or go on, until it pauses, waits or ends. On the thread that made it, which may be
 * on another fiber. */
enum lst_fiber_state lst_fiber_resume(struct lst_fiber *fiber);

/* What it waits for; NULL unless it was LST_FIBER_WAITS. */
struct lst_wait *lst_fiber_awaits(const struct lst_fiber *fiber);

/* The one that this code runs on; NULL on a thread's own stack. */
struct lst_fiber *lst_fiber_current(void);

/* Give the thread back to who resumed this fiber. Only on a fiber. */
void lst_fiber_pause(void);

/* The same for lst_wait_for(), which is what everybody else calls. */
void lst_fiber_pause_for(struct lst_wait *wait);

/* Run it on the thread's own stack, and come back when it has returned. It must not wait. Where
 * there is no fiber it is called as it is. */
void lst_fiber_aside(void (*run)(void *context), void *context);

/* Called when a fiber has used up its stack, with its name; it should say so. The process ends by
 * SIGSEGV then. It must be safe in a signal's handler. Before the first fiber. */
void lst_fiber_at_overflow(void (*say)(const char *name));

/* For who has come back to a frame by a jump from a signal's handler: the address sanitizer does
 * not know then which frames of a fiber are gone. On a thread's own stack it does nothing. */
void lst_fiber_landed(void);

/* The fibers there are, of all threads, stacks that are kept included. */
size_t lst_fiber_count(void);

#endif
