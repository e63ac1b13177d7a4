/* guard.c - a damaged file is an error of the read that meets it. */
#include "index/guard.h"

#include "base/fiber.h"
#include "base/wait.h"

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    /* LMDB follows pointers that a damaged page says are there, and that it has not made. */
    NEAR_NULL = 64 * 1024,
    /* What a page says of its rows leads at most this far behind the page, and so behind the map.
     */
    NEAR_END = 8 * 1024 * 1024,
};

/* What a thread does with an index. */
struct guard {
    const struct lst_index *index;
    bool is_read;
    sigjmp_buf way_out; /* of a read */
};

static _Thread_local struct guard *volatile current;

static struct sigaction before_bus;
static struct sigaction before_segv;
static void (*last_words)(const char *path);

void lst_index_at_end(void (*say)(const char *path))
{
    last_words = say;
}

static bool is_of_map(const struct lst_index *index, const void *address)
{
    uintptr_t at = (uintptr_t)address;

    return index->map_start == 0 || at < NEAR_NULL ||
           (at >= index->map_start && at - NEAR_END < index->map_end);
}

/* What would have been done without us. */
static void pass_on(const struct sigaction *before, int number, siginfo_t *info, void *context)
{
    if ((before->sa_flags & SA_SIGINFO) != 0) {
        before->sa_sigaction(number, info, context);
    } else if (before->sa_handler != SIG_DFL && before->sa_handler != SIG_IGN) {
        before->sa_handler(number);
    } else {
        (void)sigaction(number, before, NULL); /* and the fault comes again */
    }
}

/* Does not come back from a read. From a change it does only if nobody asked for last words. */
static void leave(struct guard *guard)
{
    if (guard->is_read) {
        siglongjmp(guard->way_out, 1);
    }
    if (last_words != NULL) {
        last_words(guard->index->path);
    }
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    struct guard *guard = current;

    /* A SIGBUS in a change has its words already, of whoever listened before. */
    if (guard != NULL && is_of_map(guard->index, info->si_addr) &&
        (guard->is_read || number == SIGSEGV)) {
        leave(guard);
    }
    pass_on(number == SIGBUS ? &before_bus : &before_segv, number, info, context);
}

static void on_assertion(MDB_env *environment, const char *text)
{
    (void)environment;
    (void)text;
    if (current != NULL) {
        leave(current);
    }
    /* LMDB says what failed, and ends the process. */
}

static void watch(void)
{
    /* The signal stays unblocked, so that a read can be left without a call that restores a mask.
     */
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};

    sigemptyset(&action.sa_mask);
    (void)sigaction(SIGBUS, &action, &before_bus);
    (void)sigaction(SIGSEGV, &action, &before_segv);
}

void lst_guard_begin(struct lst_index *index)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)mdb_env_set_assert(index->environment, on_assertion);
    (void)pthread_once(&once, watch);
}

void lst_guard_find_map(struct lst_index *index, const void *address)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char *line = NULL;
    size_t size = 0;

    /* Lines: "BEGIN-END MODE ...", in hexadecimal. */
    while (maps != NULL && getline(&line, &size, maps) > 0) {
        char *rest;
        uintptr_t start = (uintptr_t)strtoull(line, &rest, 16);
        uintptr_t end = *rest == '-' ? (uintptr_t)strtoull(rest + 1, NULL, 16) : 0;
        if ((uintptr_t)address >= start && (uintptr_t)address < end) {
            index->map_start = start;
            index->map_end = end;
            break;
        }
    }
    free(line);
    if (maps != NULL) {
        (void)fclose(maps);
    }
}

int lst_guard_read(const struct lst_index *index, int (*call)(void *context), void *context,
                   bool *ret_ended)
{
    struct guard guard = {.index = index, .is_read = true};
    struct guard *volatile before = current;
    int status;

    lst_borrow_begin(); /* what the call sees points into the map */
    if (sigsetjmp(guard.way_out, 0) != 0) {
        lst_fiber_landed();
        current = before;
        lst_borrow_end();
        *ret_ended = true;
        return LST_ERR_CORRUPT;
    }
    current = &guard;
    status = call(context);
    current = before;
    lst_borrow_end();
    *ret_ended = false;
    return status;
}

static _Thread_local struct guard changing;

void lst_guard_change_begin(const struct lst_index *index)
{
    changing = (struct guard){.index = index};
    current = &changing;
}

void lst_guard_change_end(void)
{
    current = NULL;
}
