/*
 * fiber.c - fibers: stacks, and the switches between them.
 *
 * A stack is entered once, by makecontext(), and from then on by siglongjmp(), which makes no
 * system call. It runs one function after the other: a stack that is kept is paused where it asks
 * for the next.
 */
#undef _FORTIFY_SOURCE /* whose longjmp() takes the way to another stack for damage */

#include "base/fiber.h"

#include "base/wait.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#if defined(__has_feature)
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
#define WITH_ASAN 1
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#else
#define WITH_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__) || HAS_FEATURE(thread_sanitizer)
#define WITH_TSAN 1
#include <sanitizer/tsan_interface.h>
#else
#define WITH_TSAN 0
#endif

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND                 0
#define VALGRIND_STACK_REGISTER(start, end) 0U
#define VALGRIND_STACK_DEREGISTER(id)       ((void)(id))
#endif

enum {
    MAPPING = LST_FIBER_GUARD + LST_FIBER_STACK,
    SIGNAL_STACK = 64 * 1024,
    PROBE = 512, /* bytes at the end of the warm part: what is used below has used some of them */
};

/* At the upper end of its stack. */
struct lst_fiber {
    sigjmp_buf inside;         /* where it goes on */
    sigjmp_buf outside;        /* where who resumed it goes on */
    char *mapping;             /* the guard, and above it the stack */
    struct lst_fiber *resumer; /* the fiber that it was resumed on; NULL: the thread */
    struct lst_fiber *next_spare;

    const char *name;
    void (*run)(void *context); /* NULL: give up the stack */
    void *context;
    struct lst_wait *awaits; /* what it waits for */
    void (*aside)(void *context);
    void *aside_context;
    bool has_begun; /* the stack was entered */
    bool has_ended; /* the function has returned */

    unsigned valgrind_id;
#if WITH_ASAN
    void *inside_frames; /* what the sanitizer keeps of either side */
    void *outside_frames;
    const void *outside_bottom;
    size_t outside_size;
#endif
#if WITH_TSAN
    void *inside_state;
    void *outside_state;
#endif
};

/* A thread's. */
struct thread {
    struct lst_fiber *current;
    struct lst_fiber *spare;
    size_t spare_count;
    bool is_ready;
    char *signal_stack; /* NULL: none of ours */
    ucontext_t start;   /* of the stack that is entered for the first time */
};

static _Thread_local struct thread here;
static pthread_key_t at_thread_end;
static atomic_size_t fiber_count;

/* ---- What watches over stacks */

#if WITH_ASAN
static void tell_made(struct lst_fiber *fiber)
{
    __lsan_register_root_region(fiber->mapping + LST_FIBER_GUARD, LST_FIBER_STACK);
}

static void tell_gone(struct lst_fiber *fiber)
{
    __lsan_unregister_root_region(fiber->mapping + LST_FIBER_GUARD, LST_FIBER_STACK);
    __asan_unpoison_memory_region(fiber->mapping + LST_FIBER_GUARD, LST_FIBER_STACK);
}

static void tell_entering(struct lst_fiber *fiber)
{
    __sanitizer_start_switch_fiber(&fiber->outside_frames, fiber->mapping + LST_FIBER_GUARD,
                                   LST_FIBER_STACK);
}

static void tell_left(struct lst_fiber *fiber)
{
    __sanitizer_finish_switch_fiber(fiber->outside_frames, NULL, NULL);
}

static void tell_leaving(struct lst_fiber *fiber, bool is_for_good)
{
    __sanitizer_start_switch_fiber(is_for_good ? NULL : &fiber->inside_frames,
                                   fiber->outside_bottom, fiber->outside_size);
}

static void tell_entered(struct lst_fiber *fiber)
{
    __sanitizer_finish_switch_fiber(fiber->inside_frames, &fiber->outside_bottom,
                                    &fiber->outside_size);
}
#elif WITH_TSAN
static void tell_made(struct lst_fiber *fiber)
{
    fiber->inside_state = __tsan_create_fiber(0);
}

static void tell_gone(struct lst_fiber *fiber)
{
    __tsan_destroy_fiber(fiber->inside_state);
}

static void tell_entering(struct lst_fiber *fiber)
{
    fiber->outside_state = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(fiber->inside_state, 0);
}

static void tell_left(struct lst_fiber *fiber)
{
    (void)fiber;
}

static void tell_leaving(struct lst_fiber *fiber, bool is_for_good)
{
    (void)is_for_good;
    __tsan_switch_to_fiber(fiber->outside_state, 0);
}

static void tell_entered(struct lst_fiber *fiber)
{
    (void)fiber;
}
#else
static void tell_made(struct lst_fiber *fiber)
{
    char *stack = fiber->mapping + LST_FIBER_GUARD;

    fiber->valgrind_id = VALGRIND_STACK_REGISTER(stack, stack + LST_FIBER_STACK - 1);
}

static void tell_gone(struct lst_fiber *fiber)
{
    VALGRIND_STACK_DEREGISTER(fiber->valgrind_id);
}

static void tell_entering(struct lst_fiber *fiber)
{
    (void)fiber;
}

static void tell_left(struct lst_fiber *fiber)
{
    (void)fiber;
}

static void tell_leaving(struct lst_fiber *fiber, bool is_for_good)
{
    (void)fiber;
    (void)is_for_good;
}

static void tell_entered(struct lst_fiber *fiber)
{
    (void)fiber;
}
#endif

/* ---- Switches */

/* To where it is paused; comes back when it is left. The thread sanitizer looks for the jump among
 * those of the fiber that it was told of, so it is told between the two. */
static void leave(struct lst_fiber *fiber, bool is_for_good)
{
    if (sigsetjmp(fiber->inside, 0) == 0) {
        tell_leaving(fiber, is_for_good);
        siglongjmp(fiber->outside, 1);
    }
    tell_entered(fiber);
}

/* The first function on a stack, and the last. */
static void live(void)
{
    struct lst_fiber *fiber = here.current;

    tell_entered(fiber);
    while (fiber->run != NULL) {
        fiber->run(fiber->context);
        fiber->has_ended = true;
        leave(fiber, false);
    }
    leave(fiber, true);
}

static void begin_stack(struct lst_fiber *fiber)
{
    char *stack = fiber->mapping + LST_FIBER_GUARD;
    ucontext_t *start = &here.start; /* this frame is left without its end */

    fiber->has_begun = true;
    (void)getcontext(start);
    start->uc_link = NULL;
    start->uc_stack.ss_sp = stack;
    start->uc_stack.ss_size = (size_t)((char *)fiber - stack);
    makecontext(start, live, 0);
    /* Not swapcontext(): the address sanitizer warns of it. */
    (void)setcontext(start);
}

static void enter(struct lst_fiber *fiber)
{
    fiber->resumer = here.current;
    here.current = fiber;
    if (sigsetjmp(fiber->outside, 0) == 0) {
        tell_entering(fiber);
        if (!fiber->has_begun) {
            begin_stack(fiber);
        }
        siglongjmp(fiber->inside, 1);
    }
    tell_left(fiber);
    here.current = fiber->resumer;
}

/* ---- Overflows */

static struct sigaction before;
static void (*last_words)(const char *name);

void lst_fiber_at_overflow(void (*say)(const char *name))
{
    last_words = say;
}

/* Others may have faults of their own: the index reads files that may be damaged. */
static void on_fault(int number, siginfo_t *info, void *context)
{
    const struct lst_fiber *fiber = here.current;
    const char *at = info->si_addr;

    if (fiber != NULL && at >= fiber->mapping && at < fiber->mapping + LST_FIBER_GUARD) {
        if (last_words != NULL) {
            last_words(fiber->name);
        }
        (void)signal(number, SIG_DFL); /* and the fault comes again */
    } else if ((before.sa_flags & SA_SIGINFO) != 0) {
        before.sa_sigaction(number, info, context);
    } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
        before.sa_handler(number);
    } else {
        (void)sigaction(number, &before, NULL);
    }
}

static void free_thread(void *thread);

static void watch(void)
{
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};

    sigemptyset(&action.sa_mask);
    (void)sigaction(SIGSEGV, &action, &before);
    (void)pthread_key_create(&at_thread_end, free_thread);
}

/* A stack that is used up has no room for a handler. */
static void add_signal_stack(void)
{
    stack_t stack;

    if (sigaltstack(NULL, &stack) != 0 || (stack.ss_flags & SS_DISABLE) == 0) {
        return;
    }
    stack = (stack_t){.ss_size = SIGNAL_STACK,
                      .ss_sp = mmap(NULL, SIGNAL_STACK, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)};
    if (stack.ss_sp != MAP_FAILED && sigaltstack(&stack, NULL) == 0) {
        here.signal_stack = stack.ss_sp;
    } else if (stack.ss_sp != MAP_FAILED) {
        (void)munmap(stack.ss_sp, SIGNAL_STACK);
    }
}

/* ---- Stacks */

static struct lst_fiber *map_stack(void)
{
    struct lst_fiber *fiber;
    char *mapping;

    if (atomic_fetch_add(&fiber_count, 1) >= LST_FIBERS_MAX) {
        atomic_fetch_sub(&fiber_count, 1);
        return NULL;
    }
    mapping = mmap(NULL, MAPPING, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (mapping == MAP_FAILED || mprotect(mapping, LST_FIBER_GUARD, PROT_NONE) != 0) {
        if (mapping != MAP_FAILED) {
            (void)munmap(mapping, MAPPING);
        }
        atomic_fetch_sub(&fiber_count, 1);
        return NULL;
    }
    /* The room for a fiber, and above it some that catches who counts wrong. */
    fiber = (struct lst_fiber *)(mapping + MAPPING - ((sizeof(*fiber) + 127) & ~(size_t)63));
    fiber->mapping = mapping;
    tell_made(fiber);
    return fiber;
}

static void unmap_stack(struct lst_fiber *fiber)
{
    if (fiber->has_begun) {
        fiber->run = NULL;
        enter(fiber);
    }
    tell_gone(fiber);
    (void)munmap(fiber->mapping, MAPPING);
    atomic_fetch_sub(&fiber_count, 1);
}

/* Pages that were not used are zero. What looks for reads of dead frames is not to see this one. */
static bool was_deep(const char *probe)
{
    static const char zeros[PROBE];

    return WITH_ASAN || RUNNING_ON_VALGRIND || memcmp(probe, zeros, PROBE) != 0;
}

/* Nothing on it is alive but the few frames where it is paused, near the top. */
static void give_back(struct lst_fiber *fiber)
{
    char *stack = fiber->mapping + LST_FIBER_GUARD;
    char *probe = stack + LST_FIBER_STACK - LST_FIBER_WARM - PROBE;

    if (was_deep(probe)) {
        (void)madvise(stack, LST_FIBER_STACK - LST_FIBER_WARM, MADV_DONTNEED);
    }
}

static void keep_stack(struct lst_fiber *fiber)
{
    if (here.spare_count >= LST_FIBERS_KEPT) {
        unmap_stack(fiber);
        return;
    }
    give_back(fiber);
    fiber->next_spare = here.spare;
    here.spare = fiber;
    here.spare_count++;
}

static void free_thread(void *argument)
{
    struct thread *thread = argument;

    while (thread->spare != NULL) {
        struct lst_fiber *fiber = thread->spare;

        thread->spare = fiber->next_spare;
        thread->spare_count--;
        unmap_stack(fiber);
    }
    if (thread->signal_stack != NULL) {
        (void)sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
        (void)munmap(thread->signal_stack, SIGNAL_STACK);
        thread->signal_stack = NULL;
    }
    thread->is_ready = false;
}

/* ---- Fibers */

struct lst_fiber *lst_fiber_new(const char *name, void (*run)(void *context), void *context)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct lst_fiber *fiber;

    if (!here.is_ready) {
        (void)pthread_once(&once, watch);
        add_signal_stack();
        (void)pthread_setspecific(at_thread_end, &here);
        here.is_ready = true;
    }
    fiber = here.spare;
    if (fiber != NULL) {
        here.spare = fiber->next_spare;
        here.spare_count--;
    } else {
        fiber = map_stack();
    }
    if (fiber != NULL) {
        fiber->name = name;
        fiber->run = run;
        fiber->context = context;
        fiber->has_ended = false;
    }
    return fiber;
}

enum lst_fiber_state lst_fiber_resume(struct lst_fiber *fiber)
{
    fiber->awaits = NULL;
    for (;;) {
        fiber->aside = NULL;
        enter(fiber);
        if (fiber->aside == NULL) {
            break;
        }
        lst_fiber_aside(fiber->aside, fiber->aside_context); /* this may be a fiber, too */
    }
    if (fiber->has_ended) {
        keep_stack(fiber);
        return LST_FIBER_ENDED;
    }
    return fiber->awaits == NULL ? LST_FIBER_PAUSED : LST_FIBER_WAITS;
}

struct lst_wait *lst_fiber_awaits(const struct lst_fiber *fiber)
{
    return fiber->awaits;
}

struct lst_fiber *lst_fiber_current(void)
{
    return here.current;
}

void lst_fiber_pause(void)
{
    leave(here.current, false);
}

void lst_fiber_pause_for(struct lst_wait *wait)
{
    here.current->awaits = wait;
    leave(here.current, false);
}

void lst_fiber_aside(void (*run)(void *context), void *context)
{
    struct lst_fiber *fiber = here.current;

    if (fiber == NULL) {
        run(context);
        return;
    }
    fiber->aside = run;
    fiber->aside_context = context;
    leave(fiber, false);
}

void lst_fiber_landed(void)
{
#if WITH_ASAN
    const char *frame = __builtin_frame_address(0);
    const char *stack = here.current == NULL ? NULL : here.current->mapping + LST_FIBER_GUARD;

    if (stack != NULL && frame >= stack && frame < stack + LST_FIBER_STACK) {
        ASAN_UNPOISON_MEMORY_REGION(stack, (size_t)(frame - stack));
    }
#endif
}

size_t lst_fiber_count(void)
{
    return atomic_load(&fiber_count);
}
