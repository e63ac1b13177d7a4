/* scrub_test.c - the scrubber reads everything, names what rots, stops when it is told to, and goes
 * on where it was. Its time is the test's. */
#include "upload_fixture.h"

#include "store/row.h"
#include "store/scrub.h"
#include "store/state.h"

enum { SMALL = 30, BODY = 20000 };

static char reported[65536];
static size_t report_count;

static void keep_report(const char *text)
{
    size_t length = strlen(reported);

    (void)snprintf(reported + length, sizeof(reported) - length, "%s\n", text);
    report_count++;
}

/* What a pass is paced by: it stops when so much was read. */
struct purse {
    uint64_t spent;
    uint64_t most;
    int64_t now_ms;
    int64_t step_ms; /* what the clock goes on by whenever it is read */
    size_t calls;
};

static bool spend(void *context, uint64_t bytes)
{
    struct purse *purse = context;

    purse->spent += bytes;
    purse->calls++;
    return purse->spent <= purse->most;
}

static int64_t now(void *context)
{
    struct purse *purse = context;

    purse->now_ms += purse->step_ms;
    return purse->now_ms;
}

static void open_store(struct fixture *fixture)
{
    struct lst_store_options options = {.path = fixture->folder, .report = keep_report};

    if (lst_store_open(&options, &fixture->recovery, &fixture->store) != LST_OK) {
        CHECK(false, "the store is opened");
        exit(tap_done());
    }
}

static struct lst_scrub_place run(struct fixture *fixture, uint64_t most, int64_t now_ms,
                                  struct purse *ret_purse)
{
    struct purse purse = {.most = most, .now_ms = now_ms};
    const struct lst_scrub_pace pace = {spend, now, &purse};
    struct lst_scrub_place place = {0};

    CHECK(lst_scrub_load(fixture->store, &place) == LST_OK, "the place is read");
    CHECK(lst_scrub_go_on(fixture->store, &place, &pace) == LST_OK, "a pass is run");
    if (ret_purse != NULL) {
        *ret_purse = purse;
    }
    return place;
}

static void fill(struct fixture *fixture)
{
    char *bytes = fixture_bytes(BODY, 1);
    bool ok = fixture_make_bucket(fixture, "aaa") == 0 &&
              fixture_make_bucket(fixture, "bbb") == 0 && fixture_make_bucket(fixture, "ccc") == 0;

    for (int i = 0; i < SMALL && ok; i++) {
        char key[32];
        (void)snprintf(key, sizeof(key), "small-%02d", i);
        ok = fixture_put(fixture, i % 2 == 0 ? "aaa" : "ccc", key, bytes, 100) == 0;
    }
    ok = ok && fixture_put(fixture, "bbb", "large", bytes, BODY) == 0;
    CHECK(ok, "a store is filled");
    free(bytes);
}

static char body_path[200];

static int find_body(const char *path, const struct stat *state, int kind, struct FTW *where)
{
    (void)state;
    if (kind == FTW_F && where->level == 4 && strstr(path, "/blobs/") != NULL) {
        (void)snprintf(body_path, sizeof(body_path), "%s", path);
    }
    return 0;
}

/* Change a byte of the one body that is in a file. */
static void rot(const struct fixture *fixture)
{
    FILE *file;

    (void)nftw(fixture->folder, find_body, 16, FTW_PHYS);
    file = fopen(body_path, "r+b");
    if (file == NULL || fseek(file, BODY / 2, SEEK_SET) != 0 || fputs("rotten", file) < 0 ||
        fclose(file) != 0) {
        CHECK(false, "a body is damaged");
    }
}

static void test_whole(struct fixture *fixture)
{
    struct lst_store_statistics statistics;
    struct purse purse;
    struct lst_scrub_place place = run(fixture, UINT64_MAX, 5000, &purse);

    CHECK(place.is_over && place.finished_ms == 5000 && place.damaged == 0 && report_count == 0,
          "a pass over a whole store finds nothing");
    /* Objects, the blob's row, and the state and usage of each bucket. */
    CHECK(place.rows == SMALL + 1 + 1 + 3 + 3, "it reads every row: %d", (int)place.rows);
    CHECK(place.bytes == purse.spent && place.bytes > BODY + place.rows * 4096,
          "bodies and rows are paid for: %d", (int)place.bytes);
    lst_store_statistics(fixture->store, &statistics);
    CHECK(statistics.scrubbed_rows == place.rows && statistics.scrub_finished == 5 &&
              statistics.scrub_damaged == 0,
          "the statistics say so");
}

static void test_damage(struct fixture *fixture)
{
    struct lst_store_statistics statistics;
    struct lst_scrub_place place;

    rot(fixture);
    place = run(fixture, UINT64_MAX, 9000, NULL);
    CHECK(place.damaged == 1 && report_count == 1 &&
              strstr(reported, "bbb/large: the body does not match its MD5") != NULL,
          "a body that rotted is reported by bucket and key: %s", reported);
    lst_store_statistics(fixture->store, &statistics);
    CHECK(statistics.scrub_damaged == 1 && statistics.scrub_finished == 9, "and counted");
}

/* Stopped again and again, each time after little more, and the store opened anew. */
static void test_going_on(struct fixture *fixture)
{
    uint64_t rows = run(fixture, UINT64_MAX, 20000, NULL).rows;
    struct lst_scrub_place place = {0};
    int stops = 0;

    report_count = 0;
    for (; stops < 100 && !place.is_over; stops++) {
        place = run(fixture, 30000, 30000 + stops, NULL);
        CHECK(place.started_ms == 30000, "it is the pass that began first");
        lst_store_close(fixture->store);
        open_store(fixture);
    }
    CHECK(stops > 3 && place.is_over && place.rows == rows,
          "in %d runs it reads what it reads in one: %d of %d rows", stops, (int)place.rows,
          (int)rows);
    CHECK(place.damaged == 1 && report_count == 1, "and reports each fault once");
}

static void test_bucket_that_goes(struct fixture *fixture)
{
    struct lst_scrub_place place = run(fixture, 16 * 4096 + BODY, 40000, NULL);

    CHECK(!place.is_over && place.bucket_length == 3, "it stops within a bucket");
    CHECK(memcmp(place.bucket, "bbb", 3) == 0 && fixture_delete(fixture, "bbb", "large") == 0 &&
              fixture_delete_bucket(fixture, "bbb") == 0,
          "which is deleted");
    place = run(fixture, UINT64_MAX, 50000, NULL);
    CHECK(place.is_over && place.rows >= SMALL, "it goes on in the next one");
}

/* Put or delete so many rows that are nothing. */
static bool change_rows(const struct fixture *fixture, enum lst_index_change_kind kind, int count)
{
    bool ok = true;

    for (int i = 0; i < count && ok; i++) {
        struct lst_row_name name;
        char key[32];
        struct lst_index_change change = {.kind = kind};

        (void)snprintf(key, sizeof(key), "odd-%03d", i);
        lst_row_name_make_escaped(&name, 'z', slice(key));
        change.key = lst_row_name_slice(&name);
        ok = lst_index_apply(fixture->store->index, 1, &change, 1) == LST_OK;
    }
    return ok;
}

/* However much is damaged, the log is not flooded. */
static void test_much_damage(struct fixture *fixture)
{
    struct lst_scrub_place place;
    char *last;

    CHECK(change_rows(fixture, LST_INDEX_PUT, 130), "130 rows are odd");
    reported[0] = '\0';
    report_count = 0;
    place = run(fixture, UINT64_MAX, 60000, NULL);
    last = strstr(reported, "There is more: run latchstring fsck");
    CHECK(place.damaged == 130 && report_count == 100, "all are counted, 100 are named");
    CHECK(last != NULL && strchr(last, '\n') != NULL && *(strchr(last, '\n') + 1) == '\0',
          "and the last line says that there are more");
    CHECK(change_rows(fixture, LST_INDEX_DELETE, 130), "they are gone");
}

/* A pass that ends before it began, by a clock that was set back, is over all the same. */
static void test_clock_set_back(struct fixture *fixture)
{
    struct purse purse = {.most = UINT64_MAX, .now_ms = 80000, .step_ms = -1000};
    const struct lst_scrub_pace pace = {spend, now, &purse};
    struct lst_scrub_place place = {0};

    CHECK(lst_scrub_load(fixture->store, &place) == LST_OK && place.is_over &&
              lst_scrub_go_on(fixture->store, &place, &pace) == LST_OK &&
              lst_scrub_load(fixture->store, &place) == LST_OK,
          "the clock goes back during a pass");
    CHECK(place.is_over && place.started_ms == 79000 && place.finished_ms == 79000,
          "which is over, and not begun again");
}

/* The thread itself: it begins, and ends when the store is closed, however slow it is. */
static void test_thread(struct fixture *fixture)
{
    struct lst_store_statistics statistics;

    lst_store_close(fixture->store);
    open_store(fixture);
    CHECK(lst_store_scrub(fixture->store, 1, 0) == LST_OK, "the scrubber begins");
    lst_store_close(fixture->store);
    open_store(fixture);
    CHECK(lst_store_scrub(fixture->store, 0, 0) == LST_OK, "it can be off");
    lst_store_close(fixture->store);
    open_store(fixture);
    CHECK(lst_store_scrub(fixture->store, 1 << 20, UINT32_MAX) == LST_OK, "it can be far away");
    do {
        (void)usleep(1000);
        lst_store_statistics(fixture->store, &statistics);
    } while (statistics.scrub_finished == 0);
    CHECK(true, "what was found before the start is known meanwhile");
    CHECK(fixture_is_clean(fixture, SMALL), "all of it leaves the store as it should be");
}

int main(void)
{
    struct fixture fixture = fixture_open();

    lst_store_close(fixture.store);
    open_store(&fixture);
    fill(&fixture);
    test_whole(&fixture);
    test_damage(&fixture);
    test_going_on(&fixture);
    test_bucket_that_goes(&fixture);
    test_much_damage(&fixture);
    test_clock_set_back(&fixture);
    test_thread(&fixture);
    fixture_close(&fixture);
    return tap_done();
}
