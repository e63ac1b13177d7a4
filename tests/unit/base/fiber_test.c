/* fiber_test.c - fibers pause, wait and go on where they were; what is used deeply is given back;
 * a stack that is used up is named. */
#include "base/fiber.h"

#include "base/wait.h"
#include "tap.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Pausing */

struct counting {
    int steps;
    int at; /* how far it came */
    int sum;
};

static void count(void *context)
{
    struct counting *counting = context;
    volatile int on_stack = 1000;

    for (counting->at = 0; counting->at < counting->steps; counting->at++) {
        on_stack += counting->at;
        lst_fiber_pause();
    }
    counting->sum = on_stack;
}

static void test_pausing(void)
{
    struct counting a = {.steps = 3};
    struct counting b = {.steps = 2};
    struct lst_fiber *first = lst_fiber_new("first", count, &a);
    struct lst_fiber *second = lst_fiber_new("second", count, &b);

    CHECK(first != NULL && second != NULL && a.at == 0, "fibers are made, and have not begun");
    CHECK(lst_fiber_resume(first) == LST_FIBER_PAUSED && a.at == 0, "one begins, and pauses");
    CHECK(lst_fiber_resume(second) == LST_FIBER_PAUSED && b.at == 0, "beside another");
    CHECK(lst_fiber_resume(first) == LST_FIBER_PAUSED && a.at == 1, "it goes on where it was");
    CHECK(lst_fiber_resume(second) == LST_FIBER_PAUSED, "so does the other");
    CHECK(lst_fiber_resume(second) == LST_FIBER_ENDED && b.sum == 1001, "and comes to its end");
    CHECK(lst_fiber_resume(first) == LST_FIBER_PAUSED && lst_fiber_resume(first) == LST_FIBER_ENDED,
          "the first does, later");
    CHECK(a.sum == 1003, "with what was on its stack");
    CHECK(lst_fiber_current() == NULL, "a thread's own stack is no fiber");
}

/* ---- One fiber on another, and what runs aside */

static void add_one(void *context)
{
    int *number = context;

    *number += lst_fiber_current() == NULL ? 1 : 100;
}

static void run_inner(void *context)
{
    lst_fiber_aside(add_one, context);
    lst_fiber_pause();
    lst_fiber_aside(add_one, context);
}

static void run_outer(void *context)
{
    struct lst_fiber *self = lst_fiber_current();
    struct lst_fiber *inner = lst_fiber_new("inner", run_inner, context);

    if (lst_fiber_resume(inner) == LST_FIBER_PAUSED && lst_fiber_current() == self) {
        lst_fiber_pause();
        if (lst_fiber_resume(inner) == LST_FIBER_ENDED) {
            lst_fiber_aside(add_one, context);
        }
    }
}

static void test_nesting(void)
{
    int number = 0;
    struct lst_fiber *outer = lst_fiber_new("outer", run_outer, &number);

    CHECK(lst_fiber_resume(outer) == LST_FIBER_PAUSED && number == 1,
          "a fiber runs another, and what runs aside runs on the thread's own stack");
    CHECK(lst_fiber_resume(outer) == LST_FIBER_ENDED && number == 3, "and both come to their end");
    lst_fiber_aside(add_one, &number);
    CHECK(number == 4, "without a fiber it is a plain call");
}

/* ---- Jumps on a fiber's own stack, as the index makes them out of a signal's handler */

static void jump(void *context)
{
    sigjmp_buf back;
    volatile int *jumps = context;

    if (sigsetjmp(back, 0) == 0) {
        lst_fiber_pause();
        siglongjmp(back, 1);
    }
    (*jumps)++;
}

static void test_jumps(void)
{
    int jumps = 0;
    struct lst_fiber *fiber = lst_fiber_new("jump", jump, &jumps);

    CHECK(lst_fiber_resume(fiber) == LST_FIBER_PAUSED &&
              lst_fiber_resume(fiber) == LST_FIBER_ENDED && jumps == 1,
          "a fiber may jump within itself, across a pause");
}

/* ---- Memory */

static size_t resident(const char *from, size_t length)
{
    unsigned char pages[LST_FIBER_STACK / 4096 + 1];
    size_t count = 0;

    if (mincore((void *)((uintptr_t)from & ~UINT64_C(4095)), length, pages) != 0) {
        return 0;
    }
    for (size_t i = 0; i < length / 4096; i++) {
        count += pages[i] & 1U;
    }
    return count * 4096;
}

enum { DEEP = 40 * 1024 };

static void use_deeply(void *context)
{
    volatile char room[DEEP];

    memset((char *)room, 1, sizeof(room));
    *(const char **)context = (const char *)room;
    lst_fiber_pause();
    room[0] = 2;
}

static void test_memory(void)
{
    struct lst_fiber *fibers[2 * LST_FIBERS_KEPT];
    const size_t many = sizeof(fibers) / sizeof(fibers[0]);
    const char *room = NULL;
    struct counting counting = {.steps = 1};
    bool made = true;

    fibers[0] = lst_fiber_new("deep", use_deeply, &room);
    (void)lst_fiber_resume(fibers[0]);
    CHECK(resident(room, DEEP / 2) > 0, "a stack that is used deeply takes memory");
    (void)lst_fiber_resume(fibers[0]);
    CHECK(resident(room, DEEP / 2) == 0, "which the kernel has again when it is over");
    for (size_t i = 0; i < many; i++) {
        fibers[i] = lst_fiber_new("one of many", use_deeply, &room);
        made = made && fibers[i] != NULL && lst_fiber_resume(fibers[i]) == LST_FIBER_PAUSED;
    }
    CHECK(made && lst_fiber_count() >= many, "there are as many as are needed");
    for (size_t i = 0; i < many; i++) {
        made = made && lst_fiber_resume(fibers[i]) == LST_FIBER_ENDED;
    }
    CHECK(made && lst_fiber_count() == LST_FIBERS_KEPT, "and some of their stacks are kept");
    fibers[0] = lst_fiber_new("again", count, &counting);
    CHECK(lst_fiber_count() == LST_FIBERS_KEPT && lst_fiber_resume(fibers[0]) == LST_FIBER_PAUSED &&
              lst_fiber_resume(fibers[0]) == LST_FIBER_ENDED && counting.sum == 1000,
          "for the next");
}

static void *run_elsewhere(void *context)
{
    struct lst_fiber *fiber = lst_fiber_new("elsewhere", count, context);

    while (fiber != NULL && lst_fiber_resume(fiber) == LST_FIBER_PAUSED) {
    }
    return NULL;
}

static void test_threads_end(void)
{
    size_t before = lst_fiber_count();
    struct counting counting = {.steps = 5};
    pthread_t thread;

    CHECK(pthread_create(&thread, NULL, run_elsewhere, &counting) == 0, "another thread");
    pthread_join(thread, NULL);
    CHECK(counting.sum == 1010 && lst_fiber_count() == before,
          "has fibers of its own, and gives up its stacks when it ends");
}

/* ---- Overflow */

static void say(const char *name)
{
    (void)!write(STDOUT_FILENO, name, strlen(name));
}

static int recurse(int depth)
{
    volatile char room[512];

    memset((char *)room, depth, sizeof(room));
    return depth == 0 ? room[1] : recurse(depth - 1) + room[0];
}

static void overflow(void *context)
{
    *(int *)context = recurse(1000000);
}

static void test_overflow(void)
{
    char text[64] = "";
    int ends[2];
    int status = 0;
    int result;
    pid_t child;

    if (pipe(ends) != 0) {
        CHECK(false, "a pipe");
        return;
    }
    fflush(stdout);
    child = fork();
    if (child == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)close(STDERR_FILENO); /* a sanitizer may have something to say, too */
        lst_fiber_at_overflow(say);
        (void)lst_fiber_resume(lst_fiber_new("the deep one", overflow, &result));
        _exit(0);
    }
    (void)close(ends[1]);
    (void)!read(ends[0], text, sizeof(text) - 1);
    (void)waitpid(child, &status, 0);
    (void)close(ends[0]);
    CHECK(strcmp(text, "the deep one") == 0, "a fiber that uses up its stack is named");
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "and the process ends by SIGSEGV");
}

int main(void)
{
    test_pausing();
    test_nesting();
    test_jumps();
    test_memory();
    test_threads_end();
    test_overflow();
    return tap_done();
}
