/* ledger_hook_test.c - a hook that is taken away has seen all that was settled, is not called any
 * more, and nobody is in it. */
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

    lst_ledger_end_hook(taking->ledger);
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

/* ---- What could not be written before the hook is taken away */

struct tries {
    atomic_int count;
    atomic_int room_from; /* the first try for which there is room */
};

static int settled(void *argument, const struct lst_use_outcome *outcome,
                   struct lst_ledger_changes *more)
{
    struct tries *tries = argument;

    if (atomic_fetch_add(&tries->count, 1) + 1 < atomic_load(&tries->room_from)) {
        return LST_ERR_NO_SPACE;
    }
    return lst_ledger_changes_put(more, LST_SLICE("jtold"), outcome->use.id);
}

static struct lst_reservation *volatile reserved;

static void is_reserved(struct lst_reservation *reservation, int status)
{
    CHECK(status == LST_OK, "a write is reserved");
    reserved = reservation;
}

static void use_once(struct lst_ledger *ledger, const char *id)
{
    struct lst_use use = {.user = LST_SLICE("alice"),
                          .id = lst_slice_of(id),
                          .method = LST_SLICE("PUT"),
                          .now_ms = 1000,
                          .expires_ms = 2000,
                          .is_write = true};
    struct lst_reservation reservation = {.use = use, .done = is_reserved};

    reserved = NULL;
    lst_ledger_reserve(ledger, &reservation);
    while (reserved == NULL) {
        wait_a_moment();
    }
    lst_ledger_settle(ledger, &(struct lst_use_outcome){.use = use,
                                                        .sequence = reservation.sequence,
                                                        .http_status = 200});
}

static bool is_told(struct lst_ledger *ledger)
{
    struct lst_index_reader *reader;
    struct lst_slice value;
    bool is_there = false;

    if (lst_index_read_begin(lst_ledger_index(ledger), &reader) == LST_OK) {
        is_there = lst_index_get(reader, LST_LEDGER_PARTITION, LST_SLICE("jtold"), &value) == 0;
        lst_index_read_end(reader);
    }
    return is_there;
}

struct search {
    const char *id;
    bool is_found;
};

static int see_open(void *argument, const struct lst_use_outcome *outcome)
{
    struct search *search = argument;

    search->is_found |= lst_slice_equal(outcome->use.id, lst_slice_of(search->id));
    return LST_OK;
}

static bool is_open(struct lst_ledger *ledger, const char *id)
{
    struct search search = {.id = id};

    return lst_ledger_open_uses(ledger, see_open, &search) == LST_OK && search.is_found;
}

/* Room comes with the last try of all, or not even then. */
static void test_short_of_room(struct lst_ledger *ledger, const char *id, bool is_room_at_last)
{
    struct tries tries = {.room_from = 1 << 30};

    lst_ledger_on_settled(ledger, &(struct lst_ledger_hook){.settled = settled, .context = &tries});
    use_once(ledger, id);
    while (atomic_load(&tries.count) < 8) { /* by now it waits for a second or more */
        wait_a_moment();
    }
    CHECK(!is_told(ledger) && is_open(ledger, id), "what there is no room for stays open");
    if (is_room_at_last) {
        atomic_store(&tries.room_from, 0);
    }
    lst_ledger_end_hook(ledger);
    CHECK(is_told(ledger) == is_room_at_last, "the end is a last try");
    CHECK(is_open(ledger, id) == !is_room_at_last, "nothing is settled without the hook");
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
    test_short_of_room(ledger, "first", false);
    lst_ledger_close(ledger);
    if (lst_ledger_open(folder, false, &ledger) != 0) {
        CHECK(false, "the ledger is opened again");
        return tap_done();
    }
    CHECK(is_open(ledger, "first"), "and open is what it is after the next start");
    test_short_of_room(ledger, "second", true);
    lst_ledger_close(ledger);
    (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return tap_done();
}
