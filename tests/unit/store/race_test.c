/* race_test.c - many writers at once: each key has one of the bodies that were put, whole. */
#include "store_fixture.h"

#include <stdatomic.h>

enum { THREADS = 100, ROUNDS = 5 };

struct racer {
    struct fixture *fixture;
    int number;
    int round;
    int status;
};

static void run_all(struct fixture *fixture, int round, void *(*body)(void *),
                    struct racer racers[THREADS])
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        racers[i] = (struct racer){fixture, i, round, 0};
        pthread_create(&threads[i], NULL, body, &racers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}

/* A body that tells who wrote it; large for every other thread. */
static size_t make_body(int number, char body[20000])
{
    memset(body, 'A' + number % 26, 20000);
    (void)snprintf(body, 20, "%d", number);
    return number % 2 == 0 ? 20000 : 100;
}

static void *put_if_absent(void *argument)
{
    struct racer *racer = argument;
    char body[20000];
    char key[20];
    size_t size = make_body(racer->number, body);

    (void)snprintf(key, sizeof(key), "only-%d", racer->round);
    struct lst_put_options options = {
        .bucket = slice("race"), .key = slice(key), .condition = {.only_if_absent = true}};
    racer->status = fixture_put_options(racer->fixture, &options, body, size);
    return NULL;
}

static void test_only_if_absent(struct fixture *fixture)
{
    struct racer racers[THREADS];
    bool ok = true;

    for (int round = 0; round < ROUNDS; round++) {
        int winner = -1;
        int wins = 0;
        char body[20000];
        char key[20];
        (void)snprintf(key, sizeof(key), "only-%d", round);
        run_all(fixture, round, put_if_absent, racers);
        for (int i = 0; i < THREADS; i++) {
            wins += racers[i].status == 0 ? 1 : 0;
            winner = racers[i].status == 0 ? i : winner;
            ok = ok && (racers[i].status == 0 || racers[i].status == LST_ERR_PRECONDITION);
        }
        ok = ok && wins == 1 && fixture_holds(fixture, "race", key, body, make_body(winner, body));
    }
    CHECK(ok, "of 100 that put only if absent, one wins, and its body is there");
    CHECK(fixture_wait_blob_files(fixture, fixture_blob_files(fixture)) &&
              fixture_is_clean(fixture, ROUNDS),
          "nothing is left of the others");
}

static void *overwrite(void *argument)
{
    struct racer *racer = argument;
    char body[20000];
    size_t size = make_body(racer->number, body);

    racer->status = fixture_put(racer->fixture, "race", "hot", body, size);
    if (racer->status == 0 && racer->number % 10 == 0) {
        racer->status = fixture_delete(racer->fixture, "race", "hot");
    }
    return NULL;
}

/* Every look at the object finds one of the bodies, whole, or none. */
static void *look(void *argument)
{
    atomic_bool *stop = ((void **)argument)[0];
    struct fixture *fixture = ((void **)argument)[1];
    int *torn = ((void **)argument)[2];

    while (!atomic_load(stop)) {
        struct lst_object object;
        int status = lst_object_open(
            fixture->store, &(struct lst_object_name){slice("race"), slice("hot"), {NULL, 0}}, true,
            &object);
        char body[20000];
        char start[20] = "";
        size_t length = 0;
        if (status == LST_ERR_KEY_NOT_FOUND) {
            continue;
        }
        if (status != 0) {
            ++*torn;
            break;
        }
        if (object.is_inline) {
            memcpy(start, object.body.bytes, 10);
        } else if (lst_blob_read(object.blob, 0, start, 10, &length) != 0) {
            ++*torn;
        }
        size_t size = make_body((int)strtol(start, NULL, 10), body);
        bool whole = object.is_inline ? lst_slice_equal(object.body, lst_slice_make(body, size))
                                      : fixture_blob_holds(object.blob, body, size);
        *torn += whole ? 0 : 1;
        lst_object_close(&object);
    }
    return NULL;
}

static void test_overwrites(struct fixture *fixture)
{
    struct racer racers[THREADS];
    atomic_bool stop = false;
    int torn = 0;
    void *arguments[3] = {&stop, fixture, &torn};
    pthread_t looker;
    bool ok = true;

    pthread_create(&looker, NULL, look, arguments);
    for (int round = 0; round < ROUNDS; round++) {
        run_all(fixture, round, overwrite, racers);
        for (int i = 0; i < THREADS; i++) {
            ok = ok && racers[i].status == 0;
        }
    }
    atomic_store(&stop, true);
    pthread_join(looker, NULL);
    CHECK(ok, "100 writers overwrite and delete one key without an error");
    CHECK(torn == 0, "whoever reads it meanwhile finds it whole or not there");
    CHECK(fixture_delete(fixture, "race", "hot") == 0, "it is deleted for good");
}

static void *put_own(void *argument)
{
    struct racer *racer = argument;
    char body[20000];
    char key[30];

    memset(body, 'o', sizeof(body));
    for (int i = 0; i < 10 && racer->status == 0; i++) {
        (void)snprintf(key, sizeof(key), "own-%d-%d", racer->number, i);
        racer->status = fixture_put(racer->fixture, "race", key, body, 4096);
    }
    return NULL;
}

static void test_groups(struct fixture *fixture)
{
    struct racer racers[THREADS];
    struct lst_store_statistics before;
    struct lst_store_statistics after;
    uint64_t batches;
    uint64_t commits;

    lst_store_statistics(fixture->store, &before);
    run_all(fixture, 0, put_own, racers);
    lst_store_statistics(fixture->store, &after);
    batches = after.index_batches - before.index_batches;
    commits = after.index_commits - before.index_commits;
    CHECK(batches >= 1000 && commits * 10 < batches, "%d writes take %d commits", (int)batches,
          (int)commits);
}

/* Number 50 deletes the bucket as soon as it is empty, which with more than a few writers it hardly
 * ever is. */
static void *put_or_not(void *argument)
{
    struct racer *racer = argument;
    char key[30];

    (void)snprintf(key, sizeof(key), "k-%d", racer->number);
    if (racer->number == 50) {
        do {
            racer->status = fixture_delete_bucket(racer->fixture, "short");
        } while (racer->status == LST_ERR_BUCKET_NOT_EMPTY);
        return NULL;
    }
    racer->status = racer->number < 3 ? 0 : LST_ERR_BUCKET_NOT_FOUND;
    while (racer->status == 0) {
        racer->status = fixture_put(racer->fixture, "short", key, "x", 1);
        if (racer->status == 0) {
            racer->status = fixture_delete(racer->fixture, "short", key);
        }
    }
    return NULL;
}

static void test_bucket_deletion(struct fixture *fixture)
{
    struct racer racers[THREADS];
    bool ok = true;

    CHECK(fixture_make_bucket(fixture, "short") == 0, "a bucket is made");
    run_all(fixture, 0, put_or_not, racers);
    for (int i = 0; i < THREADS; i++) {
        ok = ok && racers[i].status == (i == 50 ? 0 : LST_ERR_BUCKET_NOT_FOUND);
    }
    CHECK(ok, "and deleted under its writers, who are told");
    CHECK(fixture_make_bucket(fixture, "short") == 0 && fixture_is_clean(fixture, 1000 + ROUNDS),
          "nothing of theirs is left");
}

int main(void)
{
    struct fixture fixture = fixture_open();

    CHECK(fixture_make_bucket(&fixture, "race") == 0, "a bucket is made");
    test_only_if_absent(&fixture);
    test_overwrites(&fixture);
    test_groups(&fixture);
    test_bucket_deletion(&fixture);
    fixture_close(&fixture);
    return tap_done();
}
