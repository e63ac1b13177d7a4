/* ledger_test.c - the ledger: exactly as many uses as allowed, whatever happens meanwhile. */
#include "gate/ledger.h"

#include "base/clock.h"
#include "tap.h"

#include <lmdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int64_t start_ms; /* revocations are dated by the clock, so uses have to be too */
#define NOW start_ms

static char folder[64];
static const char *program;

static struct lst_ledger *open_ledger(void)
{
    struct lst_ledger *ledger = NULL;

    if (lst_ledger_open(folder, false, &ledger) != LST_OK) {
        CHECK(false, "the ledger can be opened");
        exit(1);
    }
    return ledger;
}

/* ---- One reservation, waited for */

struct waiter {
    struct lst_reservation reservation;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_done;
    int status;
};

static void wake_waiter(struct lst_reservation *reservation, int status)
{
    struct waiter *waiter = reservation->context;

    pthread_mutex_lock(&waiter->lock);
    waiter->is_done = true;
    waiter->status = status;
    pthread_cond_signal(&waiter->wake);
    pthread_mutex_unlock(&waiter->lock);
}

static struct lst_use make_use(const char *id, uint64_t limit)
{
    return (struct lst_use){.user = LST_SLICE("alice"),
                            .id = lst_slice_make(id, strlen(id)),
                            .method = LST_SLICE("PUT"),
                            .bucket = LST_SLICE("photos"),
                            .key = LST_SLICE("a/b.jpg"),
                            .peer = LST_SLICE("203.0.113.9"),
                            .limit = limit,
                            .now_ms = NOW,
                            .expires_ms = NOW + 60000};
}

static int reserve(struct lst_ledger *ledger, struct lst_use use, uint64_t *ret_sequence)
{
    struct waiter waiter = {.reservation = {.use = use, .done = wake_waiter},
                            .lock = PTHREAD_MUTEX_INITIALIZER,
                            .wake = PTHREAD_COND_INITIALIZER};

    waiter.reservation.context = &waiter;
    lst_ledger_reserve(ledger, &waiter.reservation);
    pthread_mutex_lock(&waiter.lock);
    while (!waiter.is_done) {
        pthread_cond_wait(&waiter.wake, &waiter.lock);
    }
    pthread_mutex_unlock(&waiter.lock);
    if (ret_sequence != NULL) {
        *ret_sequence = waiter.reservation.sequence;
    }
    return waiter.status;
}

static void settle(struct lst_ledger *ledger, struct lst_use use, uint64_t sequence, int status)
{
    lst_ledger_settle(ledger, &(struct lst_use_outcome){.use = use,
                                                        .sequence = sequence,
                                                        .http_status = status,
                                                        .size = 10,
                                                        .etag = LST_SLICE("e"),
                                                        .reason = LST_SLICE("why")});
}

static struct lst_ledger_summary summary_of(struct lst_ledger *ledger, const char *id)
{
    struct lst_ledger_summary summary = {.limit = 0};

    lst_ledger_flush(ledger);
    CHECK(lst_ledger_find(ledger, LST_SLICE("alice"), lst_slice_make(id, strlen(id)), &summary) ==
              LST_OK,
          "%s is known", id);
    return summary;
}

/* ---- Many at once */

enum { THREADS = 200 };

struct racer {
    struct lst_ledger *ledger;
    const char *id;
    uint64_t limit;
    int status;
    uint64_t sequence;
};

static void *race(void *argument)
{
    struct racer *racer = argument;

    racer->status = reserve(racer->ledger, make_use(racer->id, racer->limit), &racer->sequence);
    return NULL;
}

static void test_race(struct lst_ledger *ledger, const char *id, uint64_t limit)
{
    static struct racer racers[THREADS];
    pthread_t threads[THREADS];
    size_t succeeded = 0;
    size_t refused = 0;

    for (size_t i = 0; i < THREADS; i++) {
        racers[i] = (struct racer){.ledger = ledger, .id = id, .limit = limit};
        if (pthread_create(&threads[i], NULL, race, &racers[i]) != 0) {
            exit(1);
        }
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        succeeded += racers[i].status == LST_OK;
        refused += racers[i].status == LST_ERR_TOO_LARGE;
    }
    CHECK(succeeded == limit && refused == THREADS - limit,
          "%d at once on a limit of %d: %d succeed, %d are refused", THREADS, (int)limit,
          (int)succeeded, (int)refused);
    CHECK(summary_of(ledger, id).used == limit, "and the count says so");
}

/* ---- Giving back, users, bad input */

static void test_give_back(struct lst_ledger *ledger)
{
    struct lst_use use = make_use("back", 1);
    struct lst_use bob = use;
    uint64_t sequence;

    CHECK(reserve(ledger, use, &sequence) == LST_OK, "a first use succeeds");
    CHECK(reserve(ledger, use, NULL) == LST_ERR_TOO_LARGE, "a second does not");
    settle(ledger, use, sequence, 404);
    CHECK(reserve(ledger, use, &sequence) == LST_OK, "an answer of 404 gives the use back");
    settle(ledger, use, sequence, 304);
    CHECK(reserve(ledger, use, &sequence) == LST_OK, "304 too");
    settle(ledger, use, sequence, 200);
    CHECK(reserve(ledger, use, NULL) == LST_ERR_TOO_LARGE, "200 does not");
    CHECK(summary_of(ledger, "back").succeeded == 1 && summary_of(ledger, "back").failed == 2 &&
              summary_of(ledger, "back").bytes == 10,
          "all are in the totals");
    settle(ledger, use, 0, 500);
    lst_ledger_flush(ledger);
    CHECK(reserve(ledger, use, NULL) == LST_ERR_TOO_LARGE,
          "what was not reserved gives nothing back");
    bob.user = LST_SLICE("bob");
    CHECK(reserve(ledger, bob, NULL) == LST_OK, "another user's id of that name is another id");
    use.id = LST_SLICE("");
    CHECK(reserve(ledger, use, NULL) == LST_ERR_INVALID_ARGUMENT, "an empty id is refused");
    use.id = LST_SLICE("a b");
    CHECK(reserve(ledger, use, NULL) == LST_ERR_INVALID_ARGUMENT, "and one with a space");
}

/* ---- The last uses */

struct seen {
    size_t count;
    uint64_t first_size;
    uint64_t last_size;
    bool is_right;
};

static int see(void *context, const struct lst_use_outcome *outcome)
{
    struct seen *seen = context;

    if (seen->count++ == 0) {
        seen->first_size = outcome->size;
    }
    seen->is_right = lst_slice_equal(outcome->use.peer, LST_SLICE("203.0.113.9")) &&
                     lst_slice_equal(outcome->use.key, LST_SLICE("a/b.jpg")) &&
                     outcome->http_status == 206 && outcome->use.now_ms == NOW &&
                     outcome->ended_ms > 0 &&
                     lst_slice_equal(outcome->use.user, LST_SLICE("alice"));
    seen->last_size = outcome->size;
    return LST_OK;
}

static void test_last_uses(struct lst_ledger *ledger)
{
    struct seen seen = {.count = 0};

    for (uint64_t i = 1; i <= 250; i++) {
        lst_ledger_settle(ledger, &(struct lst_use_outcome){
                                      .use = make_use("many", 0), .http_status = 206, .size = i});
    }
    lst_ledger_flush(ledger);
    CHECK(lst_ledger_uses(ledger, LST_SLICE("alice"), LST_SLICE("many"), see, &seen) == LST_OK &&
              seen.count == 100 && seen.first_size == 151 && seen.last_size == 250 && seen.is_right,
          "of 250 uses the last 100 are kept, in their order");
    CHECK(summary_of(ledger, "many").succeeded == 250, "the totals know all");
    seen.count = 0;
    CHECK(lst_ledger_uses(ledger, LST_SLICE("alice"), LST_SLICE("none"), see, &seen) == LST_OK &&
              seen.count == 0,
          "an id that was never used has no uses");
}

/* ---- Revoking, also by another process */

static int run_child(const char *what)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        execl(program, program, what, folder, (char *)NULL);
        _exit(99);
    }
    waitpid(child, &status, 0);
    return status;
}

static void test_revoke(struct lst_ledger *ledger)
{
    struct lst_slice user = LST_SLICE("alice");

    CHECK(lst_ledger_check(ledger, user, LST_SLICE("mine"), 0) == LST_OK, "nothing is revoked");
    CHECK(lst_ledger_revoke(ledger, user, LST_SLICE("mine"), NOW + 60000) == LST_OK,
          "an id that was never used can be revoked");
    CHECK(lst_ledger_check(ledger, user, LST_SLICE("mine"), 0) == LST_ERR_CLOSED,
          "it is then closed");
    CHECK(lst_ledger_check(ledger, LST_SLICE("bob"), LST_SLICE("mine"), 0) == LST_OK,
          "another user's is not");
    CHECK(reserve(ledger, make_use("mine", 5), NULL) == LST_ERR_CLOSED, "nor can it be used");
    CHECK(lst_ledger_revoke(ledger, user, LST_SLICE("mine"), NOW + 60000) == LST_OK,
          "revoking again changes nothing");
    CHECK(reserve(ledger, make_use("other", 5), NULL) == LST_OK, "an id is in use");
    CHECK(lst_ledger_check(ledger, user, LST_SLICE("other"), 0) == LST_OK, "and open");
    CHECK(run_child("revoke") == 0, "another process revokes it");
    CHECK(lst_ledger_check(ledger, user, LST_SLICE("other"), 0) == LST_ERR_CLOSED,
          "which is seen at once");
    CHECK(reserve(ledger, make_use("other", 5), NULL) == LST_ERR_CLOSED, "by the count too");
    CHECK(lst_ledger_check(ledger, user, LST_SLICE(""), 0) == LST_ERR_INVALID_ARGUMENT,
          "an empty id is no id");
}

/* ---- The hook */

static int add_rows(void *context, const struct lst_use_outcome *outcome,
                    struct lst_ledger_changes *more)
{
    (void)context;
    if (outcome->http_status == 299) {
        return LST_ERR_NO_MEMORY;
    }
    if (lst_ledger_changes_put(more, LST_SLICE("Uxx"), LST_SLICE("")) != LST_ERR_INVALID_ARGUMENT) {
        return LST_ERR_CORRUPT;
    }
    return lst_ledger_changes_put(more, LST_SLICE("jtest"), outcome->use.id);
}

static void count_written(void *context)
{
    ++*(_Atomic int *)context;
}

static void test_hook(struct lst_ledger *ledger, const _Atomic int *written)
{
    struct lst_use use = make_use("hooked", 0);
    struct lst_index_reader *reader;
    struct lst_slice value;
    struct lst_ledger_summary summary;
    uint64_t sequence;
    int before;

    lst_ledger_flush(ledger);
    before = *written;
    use.is_write = true;
    CHECK(reserve(ledger, use, &sequence) == LST_OK, "a write is reserved");
    settle(ledger, use, sequence, 200);
    lst_ledger_flush(ledger);
    CHECK(lst_index_read_begin(lst_ledger_index(ledger), &reader) == LST_OK, "the index is read");
    CHECK(lst_index_get(reader, LST_LEDGER_PARTITION, LST_SLICE("jtest"), &value) == LST_OK &&
              lst_slice_equal(value, LST_SLICE("hooked")),
          "what the hook added is there");
    lst_index_read_end(reader);
    CHECK(*written == before + 1, "and it is told once");
    settle(ledger, use, sequence, 500);
    settle(ledger, use, sequence, 500);
    summary = summary_of(ledger, "hooked");
    CHECK(summary.succeeded == 1 && summary.failed == 0, "a write is settled only once");
    CHECK(reserve(ledger, use, &sequence) == LST_OK, "again");
    settle(ledger, use, sequence, 299);
    summary = summary_of(ledger, "hooked");
    CHECK(summary.succeeded == 1, "a hook that fails leaves the use unsettled");
    settle(ledger, use, sequence, 201);
    settle(ledger, use, sequence, 201);
    CHECK(summary_of(ledger, "hooked").succeeded == 2, "so that it can be settled later, once");
}

/* ---- After a crash */

struct found {
    size_t count;
    uint64_t sequence;
    struct lst_ledger *ledger;
};

static int find_open(void *context, const struct lst_use_outcome *outcome)
{
    struct found *found = context;
    struct lst_use_outcome closed = *outcome;

    if (lst_slice_equal(outcome->use.id, LST_SLICE("crashed"))) {
        found->count++;
        found->sequence = outcome->sequence;
        closed.http_status = 200;
        lst_ledger_settle(found->ledger, &closed);
    }
    return LST_OK;
}

static void test_crash(void)
{
    int status = run_child("crash");
    struct lst_ledger *ledger;
    struct found found = {.count = 0};

    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "a process dies while it writes");
    ledger = open_ledger();
    found.ledger = ledger;
    CHECK(summary_of(ledger, "crashed").used == 2, "its uses stay counted");
    CHECK(lst_ledger_open_uses(ledger, find_open, &found) == LST_OK && found.count == 1 &&
              found.sequence == 2,
          "and its write is found open, but not its read");
    lst_ledger_flush(ledger);
    found.count = 0;
    CHECK(lst_ledger_open_uses(ledger, find_open, &found) == LST_OK && found.count == 0,
          "until it is settled");
    CHECK(summary_of(ledger, "crashed").succeeded == 1, "then it has succeeded");
    CHECK(reserve(ledger, make_use("crashed", 3), NULL) == LST_OK &&
              reserve(ledger, make_use("crashed", 3), NULL) == LST_ERR_TOO_LARGE,
          "what is left of the limit can be used");
    lst_ledger_close(ledger);
}

/* ---- Sweeping */

static uint64_t count_entries(struct lst_ledger *ledger)
{
    struct lst_index_statistics statistics;

    lst_index_statistics(lst_ledger_index(ledger), &statistics);
    return statistics.entries;
}

#define DAY  86400000LL
#define LIFE (7 * DAY) /* the longest of a URL */

/* When a count that was last used at NOW is swept. */
#define FORGOTTEN (NOW + LST_LEDGER_SKEW_MS + LIFE + LST_LEDGER_GRACE_MS)

static int find(struct lst_ledger *ledger, const char *id)
{
    struct lst_ledger_summary summary;

    return lst_ledger_find(ledger, LST_SLICE("alice"), lst_slice_make(id, strlen(id)), &summary);
}

static int count_use(void *context, const struct lst_use_outcome *outcome)
{
    (void)outcome;
    ++*(int *)context;
    return LST_OK;
}

static int recorded(struct lst_ledger *ledger, const char *id)
{
    int count = 0;

    CHECK(lst_ledger_uses(ledger, LST_SLICE("alice"), lst_slice_make(id, strlen(id)), count_use,
                          &count) == LST_OK,
          "the record of %s is read", id);
    return count;
}

static void test_sweep(struct lst_ledger *ledger)
{
    struct lst_use open_use = make_use("open", 1);
    struct lst_use longer = make_use("longer", 0);
    struct lst_use plain = make_use("plain", 0);
    const int64_t after = NOW + 60000 + LST_LEDGER_GRACE_MS;

    open_use.is_write = true;
    longer.expires_ms += 60000;
    CHECK(reserve(ledger, open_use, NULL) == LST_OK, "a write that stays open");
    settle(ledger, plain, 0, 200);
    settle(ledger, make_use("longer", 0), 0, 200);
    settle(ledger, longer, 0, 200);
    CHECK(lst_ledger_revoke(ledger, LST_SLICE("alice"), LST_SLICE("for ever"), 0) ==
                  LST_ERR_INVALID_ARGUMENT &&
              lst_ledger_revoke(ledger, LST_SLICE("alice"), LST_SLICE("forever"), 0) == LST_OK,
          "an id is revoked without an end");
    lst_ledger_flush(ledger);
    CHECK(lst_ledger_sweep(ledger, after - 1) == LST_OK, "nothing is swept before its time");
    CHECK(find(ledger, "plain") == LST_OK, "so it is still there");
    CHECK(lst_ledger_sweep(ledger, after) == LST_OK, "at its time it is swept");
    CHECK(find(ledger, "plain") == LST_ERR_NOT_FOUND, "and gone");
    CHECK(find(ledger, "longer") == LST_OK, "what was used with a later expiry stays");
    CHECK(summary_of(ledger, "back").used == 1, "a count stays: nobody has said for how long");
    lst_ledger_set_life(ledger, LIFE);
    CHECK(lst_ledger_sweep(ledger, after) == LST_OK && summary_of(ledger, "back").used == 1,
          "it stays, since other URLs of the id may live for a week");
    CHECK(recorded(ledger, "back") == 0, "but nobody need know from where it was used");
    CHECK(summary_of(ledger, "open").used == 1, "what is open stays");
    CHECK(lst_ledger_check(ledger, LST_SLICE("alice"), LST_SLICE("mine"), 0) == LST_ERR_CLOSED,
          "so does a revocation");
    CHECK(lst_ledger_sweep(ledger, FORGOTTEN - 1) == LST_OK && summary_of(ledger, "back").used == 1,
          "up to the end of the longest URL that may have been signed");
    CHECK(lst_ledger_check(ledger, LST_SLICE("alice"), LST_SLICE("new"), 1) == LST_OK,
          "until then nothing was forgotten");
    CHECK(lst_ledger_sweep(ledger, FORGOTTEN) == LST_OK &&
              find(ledger, "back") == LST_ERR_NOT_FOUND,
          "then it goes");
    CHECK(lst_ledger_sweep(ledger, FORGOTTEN + 8 * DAY) == LST_OK, "a week later");
    CHECK(find(ledger, "open") == LST_ERR_NOT_FOUND, "what is open goes after a week");
    CHECK(find(ledger, "mine") == LST_ERR_NOT_FOUND, "a revocation that was to end is gone");
    CHECK(lst_ledger_check(ledger, LST_SLICE("alice"), LST_SLICE("forever"),
                           FORGOTTEN + 20 * DAY) == LST_ERR_CLOSED,
          "one without an end is not");
    /* The engine's two rows, numbers of revocation and forgetting, "forever" (2), the hook's. */
    CHECK(count_entries(ledger) <= 7, "no row of all others is left (%d)",
          (int)count_entries(ledger));
}

/* The fault that was: a short URL ends, is swept, and a long one with its id works again. */
static void test_shared_id(struct lst_ledger *ledger)
{
    struct lst_use shorter = make_use("shared", 1);
    struct lst_use longer = make_use("shared", 1);

    shorter.now_ms = longer.now_ms = NOW + 100 * DAY;
    shorter.signed_ms = longer.signed_ms = NOW + 100 * DAY;
    shorter.expires_ms = shorter.now_ms + 60000;
    longer.expires_ms = longer.now_ms + LIFE;
    lst_ledger_set_life(ledger, LIFE);
    CHECK(reserve(ledger, shorter, NULL) == LST_OK, "a URL of a minute is used");
    for (int64_t now = shorter.now_ms; now < longer.expires_ms; now += DAY / 4) {
        CHECK(lst_ledger_sweep(ledger, now) == LST_OK, "sweeping");
        longer.now_ms = now;
        if (reserve(ledger, longer, NULL) != LST_ERR_TOO_LARGE) {
            CHECK(false, "a URL of a week with its id is spent after %lld ms",
                  (long long)(now - shorter.now_ms));
            return;
        }
    }
    CHECK(true, "a URL of a week with its id is spent for the whole week");
    CHECK(lst_ledger_sweep(ledger, longer.expires_ms + LST_LEDGER_SKEW_MS + LST_LEDGER_GRACE_MS) ==
                  LST_OK &&
              find(ledger, "shared") == LST_ERR_NOT_FOUND,
          "then the count is forgotten");
    /* A clock that is set back now, or a longest life that is raised, would let it live again. */
    CHECK(reserve(ledger, longer, NULL) == LST_REFUSED_EXPIRED &&
              lst_ledger_check(ledger, longer.user, longer.id, longer.signed_ms) ==
                  LST_REFUSED_EXPIRED,
          "a URL from before it was forgotten is refused for good");
    longer.signed_ms += LST_LEDGER_SKEW_MS + 1;
    CHECK(lst_ledger_check(ledger, longer.user, longer.id, longer.signed_ms) == LST_OK &&
              reserve(ledger, longer, NULL) == LST_OK,
          "one that was signed later counts anew");
}

/* A longest life that is raised while a count is kept. */
static void test_raised_life(struct lst_ledger *ledger)
{
    struct lst_use use = make_use("raised", 1);

    use.now_ms = NOW + 200 * DAY;
    use.expires_ms = use.now_ms + 60000;
    CHECK(reserve(ledger, use, NULL) == LST_OK && lst_ledger_sweep(ledger, use.now_ms + DAY) == 0,
          "a count is kept for a week");
    lst_ledger_set_life(ledger, 30 * DAY);
    CHECK(lst_ledger_sweep(ledger, use.now_ms + 29 * DAY) == LST_OK &&
              find(ledger, "raised") == LST_OK,
          "then for a month, since URLs may live for so long now");
    CHECK(lst_ledger_sweep(ledger, use.now_ms + 31 * DAY) == LST_OK &&
              find(ledger, "raised") == LST_ERR_NOT_FOUND,
          "and no longer");
}

/* Rows that make no sense must not keep what is due behind them. */
static void test_strays(struct lst_ledger *ledger)
{
    static const char no_state[] = "X\0\0\0\0\0\0\0\001alice\0gone";
    static const char other_state[] = "X\0\0\0\0\0\0\0\002alice\0behind";
    static const char no_name[] = "X\0\0\0\0\0\0\0\003";
    char too_long[600] = "X\0\0\0\0\0\0\0\001alice";
    struct lst_index_change changes[] = {
        {.kind = LST_INDEX_PUT,
         .key = lst_slice_make(no_state, sizeof(no_state) - 1),
         .value = LST_SLICE("")},
        {.kind = LST_INDEX_PUT,
         .key = lst_slice_make(other_state, sizeof(other_state) - 1),
         .value = LST_SLICE("")},
        {.kind = LST_INDEX_PUT,
         .key = lst_slice_make(no_name, sizeof(no_name) - 1),
         .value = LST_SLICE("")},
        {.kind = LST_INDEX_PUT,
         .key = lst_slice_make(too_long, sizeof(too_long)),
         .value = LST_SLICE("")},
    };
    struct lst_index *index = lst_ledger_index(ledger);
    uint64_t before = count_entries(ledger);

    memset(too_long + 14, '\xFF', sizeof(too_long) - 14);
    settle(ledger, make_use("behind", 0), 0, 200);
    lst_ledger_flush(ledger);
    CHECK(lst_index_apply(index, LST_LEDGER_PARTITION, changes, 4) == LST_OK, "four stray rows");
    (void)alarm(60); /* the fault that was: a sweep without an end, and no reservation after it */
    CHECK(lst_ledger_sweep(ledger, NOW + DAY) == LST_ERR_CORRUPT, "a sweep tells of two");
    (void)alarm(0);
    CHECK(find(ledger, "behind") == LST_ERR_NOT_FOUND, "but goes on behind them all");
    changes[2].kind = changes[3].kind = LST_INDEX_DELETE;
    CHECK(lst_index_apply(index, LST_LEDGER_PARTITION, &changes[2], 2) == LST_OK, "tidied up");
    /* One row more is the engine's own: how far it has counted for keys as long as that one. */
    CHECK(count_entries(ledger) == before + 1, "it has removed the others");
}

static void test_reopen(void)
{
    struct lst_ledger *ledger = open_ledger();
    struct lst_ledger *reader;

    CHECK(reserve(ledger, make_use("seven", 7), NULL) == LST_ERR_TOO_LARGE,
          "a spent limit is spent after a restart");
    CHECK(lst_ledger_check(ledger, LST_SLICE("alice"), LST_SLICE("mine"), 0) == LST_ERR_CLOSED,
          "what was revoked is revoked after a restart");
    lst_ledger_close(ledger);
    CHECK(lst_ledger_open(folder, true, &reader) == LST_OK, "it can be opened to read");
    CHECK(reserve(reader, make_use("x", 7), NULL) == LST_ERR_PERMISSION &&
              lst_ledger_revoke(reader, LST_SLICE("alice"), LST_SLICE("x"), 0) ==
                  LST_ERR_PERMISSION,
          "and then refuses to write");
    lst_ledger_close(reader);
}

/* ---- What the children do */

/* A row that can't be followed, as a damaged page has them: of a key that is longer than one row
 * takes, whose rest is nowhere. */
static void test_damaged(void)
{
    char row[8 + 480 + 1] = "\0\0\0\0\0\0\0\0X\0\0\0\0\0\0\0\001"; /* long expired */
    MDB_val key = {sizeof(row), row};
    MDB_val value = {3, "bad"};
    struct lst_ledger *ledger;
    MDB_env *environment = NULL;
    MDB_txn *transaction = NULL;
    MDB_dbi table;
    char path[80];
    int code = mdb_env_create(&environment);

    memset(row + 17, 'x', sizeof(row) - 18);
    snprintf(path, sizeof(path), "%s/ledger.mdb", folder);
    code = code == 0 ? mdb_env_set_mapsize(environment, 1 << 28) : code;
    code = code == 0 ? mdb_env_open(environment, path, MDB_NOSUBDIR, 0600) : code;
    code = code == 0 ? mdb_txn_begin(environment, NULL, 0, &transaction) : code;
    code = code == 0 ? mdb_dbi_open(transaction, NULL, 0, &table) : code;
    code = code == 0 ? mdb_put(transaction, table, &key, &value, 0) : code;
    code = code == 0 ? mdb_txn_commit(transaction) : code;
    mdb_env_close(environment);
    CHECK(code == 0, "a row is damaged");
    ledger = open_ledger();
    (void)alarm(60); /* as above: the sweep looked at it again and again */
    CHECK(lst_ledger_sweep(ledger, NOW + DAY) == LST_ERR_CORRUPT, "the sweep tells, and ends");
    (void)alarm(0);
    CHECK(reserve(ledger, make_use("beside", 1), NULL) == LST_OK, "the ledger works on");
    lst_ledger_close(ledger);
}

static int child(const char *what)
{
    struct lst_ledger *ledger = open_ledger();
    struct lst_use use = make_use("crashed", 3);

    if (strcmp(what, "revoke") == 0) {
        int status = lst_ledger_revoke(ledger, LST_SLICE("alice"), LST_SLICE("other"), NOW + 60000);
        lst_ledger_close(ledger);
        return status == LST_OK ? 0 : 1;
    }
    if (reserve(ledger, use, NULL) != LST_OK) {
        return 1;
    }
    use.is_write = true;
    if (reserve(ledger, use, NULL) != LST_OK) {
        return 1;
    }
    raise(SIGKILL);
    return 1;
}

int main(int argument_count, char **arguments)
{
    static _Atomic int written;
    struct lst_ledger *ledger;
    char command[128];

    program = "/proc/self/exe";
    start_ms = lst_clock_now_ms();
    if (argument_count == 3) {
        snprintf(folder, sizeof(folder), "%s", arguments[2]);
        return child(arguments[1]);
    }
    snprintf(folder, sizeof(folder), "/tmp/ledger_test.XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    ledger = open_ledger();
    lst_ledger_on_settled(ledger, &(struct lst_ledger_hook){.settled = add_rows,
                                                            .written = count_written,
                                                            .context = &written});
    test_race(ledger, "one", 1);
    test_race(ledger, "seven", 7);
    test_give_back(ledger);
    test_last_uses(ledger);
    test_revoke(ledger);
    test_hook(ledger, &written);
    lst_ledger_close(ledger);
    test_reopen();
    test_crash();
    ledger = open_ledger();
    test_sweep(ledger);
    test_shared_id(ledger);
    test_raised_life(ledger);
    test_strays(ledger);
    lst_ledger_close(ledger);
    test_damaged();
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    CHECK(system(command) == 0, "the folder is removed");
    return tap_done();
}
