/* ledger_hook_test.c - a hook that is taken away is not called any more, and nobody is in it. */
#include "gate/ledger.h"

#include "tap.h"

#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

static char folder[] = "ledger-hook-test-XXXXXX";

/* What the hook works on, until it is taken away. */
struct context {
    atomic_bool is_in;
    atomic_bool may_go;
    atomic_bool is_taken_away;
    atomic_bool was_called_after;
};

static void wait_a_moment(void)
{
    const struct timespec moment = {.tv_nsec = 1000000};

    (void)nanosleep(&moment, NULL);
}

static int sweep(void *argument, int64_t now_ms, struct lst_ledger_changes *more)
{
    struct context *context = argument;

    (void)now_ms;
    atomic_store(&context->is_in, true);
    while (!atomic_load(&context->may_go)) {
        wait_a_moment();
    }
    if (atomic_load(&context->is_taken_away)) {
        atomic_store(&context->was_called_after, true);
    }
    /* So that it is called again. */
    return lst_ledger_changes_delete(more, LST_SLICE("nothing"));
}

static void *run_sweep(void *ledger)
{
    (void)!lst_ledger_sweep(ledger, 1000);
    return NULL;
}

struct taking {
    struct lst_ledger *ledger;
    struct context *context;
};

static void *take_away(void *argument)
{
    struct taking *taking = argument;

    lst_ledger_on_settled(taking->ledger, &(struct lst_ledger_hook){.settled = NULL});
    atomic_store(&taking->context->is_taken_away, true);
    return NULL;
}

static void test_taken_away(struct lst_ledger *ledger)
{
    struct context context = {false};
    struct taking taking = {ledger, &context};
    pthread_t sweeper;
    pthread_t taker;

    lst_ledger_on_settled(ledger, &(struct lst_ledger_hook){.sweep = sweep, .context = &context});
    CHECK(pthread_create(&sweeper, NULL, run_sweep, ledger) == 0, "a sweep begins");
    while (!atomic_load(&context.is_in)) {
        wait_a_moment();
    }
    CHECK(pthread_create(&taker, NULL, take_away, &taking) == 0, "its hook is taken away");
    for (int i = 0; i < 50 && !atomic_load(&context.is_taken_away); i++) {
        wait_a_moment();
    }
    CHECK(!atomic_load(&context.is_taken_away), "that waits while the sweep is in the hook");
    atomic_store(&context.may_go, true);
    pthread_join(taker, NULL);
    pthread_join(sweeper, NULL);
    CHECK(!atomic_load(&context.was_called_after), "and then the sweep does without it");
}

static int remove_one(const char *path, const struct stat *state, int kind, struct FTW *where)
{
    (void)state;
    (void)kind;
    (void)where;
    return remove(path);
}

int main(void)
{
    struct lst_ledger *ledger;

    if (mkdtemp(folder) == NULL || lst_ledger_open(folder, false, &ledger) != 0) {
        CHECK(false, "the ledger is opened");
        return tap_done();
    }
    test_taken_away(ledger);
    lst_ledger_close(ledger);
    (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return tap_done();
}
