/* ranges_test.c - a bucket that is cut into ranges: what is of all of it is in each, and a batch is
 * made for the borders that there are. On an engine that does not cut it is one range. */
#include "store_fixture.h"

#include "store/head.h"
#include "store/ranges.h"
#include "store/state.h"
#include "store/usage.h"

#ifdef STRANGE_ENGINE
#include "../../engine/strange.h"
enum { RANGES = 4 };
#else
enum { RANGES = 1 };
#endif

enum { KEYS = 6 };
static const char *const keys[KEYS] = {"a", "f/1", "g", "g/2", "m", "z"};

static uint64_t partition;

/* At a key, in the midst of a key's name, and behind all. */
static void cut(const struct fixture *fixture)
{
#ifdef STRANGE_ENGINE
    strange.splits = 0;
    CHECK(strange_split(fixture->store->index, partition, "g") &&
              strange_split(fixture->store->index, partition, "f/") &&
              strange_split(fixture->store->index, partition, "zz") &&
              !strange_split(fixture->store->index, partition, "g"),
          "the bucket is cut three times");
#else
    (void)fixture;
#endif
}

static int find_partition(const struct fixture *fixture)
{
    struct lst_index_reader *reader;
    int status = lst_store_read_bucket(fixture->store, slice("bucket"), &reader, &partition);

    if (status == 0) {
        lst_index_read_end(reader);
    }
    return status;
}

/* How many ranges there are, and how many have this state; -1: one of them can't be read. */
static int count_states(const struct fixture *fixture, enum lst_versioning versioning,
                        bool is_deleting, int *ret_ranges)
{
    struct lst_route route = {.length = 0};
    struct lst_index_reader *reader;
    int count = 0;
    int status = lst_index_read_begin(fixture->store->index, &reader);

    if (status != 0) {
        return -1;
    }
    *ret_ranges = 0;
    do {
        struct lst_bucket_state state;
        status = lst_range_state(reader, partition, lst_route_slice(&route), &state);
        if (status != 0) {
            break;
        }
        ++*ret_ranges;
        count += state.versioning == versioning && state.is_deleting == is_deleting;
        status = lst_route_next(reader, partition, &route);
    } while (status == 0);
    lst_index_read_end(reader);
    return status == LST_ERR_NOT_FOUND ? count : -1;
}

static bool all_are(const struct fixture *fixture, enum lst_versioning versioning)
{
    int ranges = 0;

    return count_states(fixture, versioning, false, &ranges) == RANGES && ranges == RANGES;
}

static int set_versioning(const struct fixture *fixture, enum lst_versioning versioning)
{
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    int status = lst_bucket_set_versioning(fixture->store, slice("bucket"), versioning, &write);

    return status == 0 ? waiter_wait(&waiter) : status;
}

static bool usage_is(const struct fixture *fixture, int64_t objects, int64_t versions)
{
    struct lst_index_reader *reader;
    struct lst_usage usage;
    bool is = lst_index_read_begin(fixture->store->index, &reader) == 0;

    if (is) {
        is = lst_usage_read(reader, partition, &usage) == 0 &&
             usage.numbers[LST_USAGE_OBJECTS] == objects &&
             usage.numbers[LST_USAGE_VERSIONS] == versions;
        lst_index_read_end(reader);
    }
    return is;
}

/* ---- What is of all ranges */

static void test_versioning(struct fixture *fixture)
{
    bool are_put = true;

    CHECK(all_are(fixture, LST_VERSIONING_NEVER), "each range has the bucket's state");
    for (int i = 0; i < KEYS; i++) {
        are_put = fixture_put(fixture, "bucket", keys[i], "1", 1) == 0 && are_put;
    }
    CHECK(are_put && usage_is(fixture, KEYS, KEYS), "usage is that of all ranges");
    CHECK(set_versioning(fixture, LST_VERSIONING_ENABLED) == 0 &&
              all_are(fixture, LST_VERSIONING_ENABLED),
          "versioning is enabled in all");
    for (int i = 0; i < KEYS; i++) {
        are_put = fixture_put(fixture, "bucket", keys[i], "2", 1) == 0 && are_put;
    }
    CHECK(are_put && usage_is(fixture, KEYS, 2 * KEYS) && fixture_is_clean(fixture, 2 * KEYS),
          "each key has two versions");
}

/* The state of the first range alone, as one leaves it who is cut short. */
static int change_first(const struct fixture *fixture, enum lst_versioning versioning,
                        bool is_deleting)
{
    static const char name = LST_ROW_STATE;
    struct lst_bucket_state state = {.versioning = versioning, .is_deleting = is_deleting};
    char bytes[LST_BUCKET_STATE_SIZE];

    lst_bucket_state_encode(&state, bytes);
    return lst_index_apply(
        fixture->store->index, partition,
        &(struct lst_index_change){.kind = LST_INDEX_PUT,
                                   .key = lst_slice_make(&name, 1),
                                   .value = lst_slice_make(bytes, sizeof(bytes))},
        1);
}

static void test_interrupted(struct fixture *fixture)
{
    int ranges = 0;

    CHECK(change_first(fixture, LST_VERSIONING_SUSPENDED, false) == 0 &&
              count_states(fixture, LST_VERSIONING_SUSPENDED, false, &ranges) == 1,
          "a change is cut short behind the first range");
    fixture_reopen(fixture);
    CHECK(all_are(fixture, LST_VERSIONING_SUSPENDED), "the next opening finishes it");
    CHECK(change_first(fixture, LST_VERSIONING_ENABLED, true) == 0, "so is a deletion");
    CHECK(lst_store_undo_deletion(fixture->store, partition) == 0 &&
              all_are(fixture, LST_VERSIONING_ENABLED),
          "the housekeeper undoes it in all");
    CHECK(change_first(fixture, LST_VERSIONING_SUSPENDED, false) == 0 &&
              set_versioning(fixture, LST_VERSIONING_SUSPENDED) == 0 &&
              all_are(fixture, LST_VERSIONING_SUSPENDED),
          "the next who changes it finishes it, too");
}

static void test_recount(struct fixture *fixture)
{
    static const char name = LST_ROW_USAGE;
    struct lst_index_change change = {.kind = LST_INDEX_ADD,
                                      .key = lst_slice_make(&name, 1),
                                      .value = lst_slice_make("\0\0\0\0\0\0\0\5", 8)};

    CHECK(lst_index_apply_to(fixture->store->index, partition, slice("m"), &change, 1) == 0 &&
              usage_is(fixture, KEYS + 5, 2 * KEYS),
          "one range's usage is wrong");
    CHECK(lst_store_recount(fixture->store) == 0 && usage_is(fixture, KEYS, 2 * KEYS),
          "each is counted anew");
}

/* ---- Batches */

static void test_epoch(const struct fixture *fixture)
{
#ifdef STRANGE_ENGINE
    struct lst_index *index = fixture->store->index;
    struct lst_key_place place = {
        .store = fixture->store, .partition = partition, .key = slice("b")};
    struct lst_key_place other = place;
    struct lst_bucket_state before;
    struct lst_bucket_state after;
    struct lst_bucket_state elsewhere;
    struct lst_changes changes = {0};

    CHECK(lst_index_read_begin(index, &place.reader) == 0 &&
              lst_head_read_key_state(&place, true, &before) == 0,
          "a batch is made");
    other.reader = place.reader;
    other.key = slice("z");
    CHECK(lst_head_read_key_state(&other, true, &elsewhere) == 0, "for one of the ranges");
    lst_head_require_state(&changes, &before);
    lst_changes_add_row(&changes, LST_INDEX_DELETE, LST_ROW_OBJECT, place.key, slice(""));
    CHECK(strange_split(index, partition, "c") &&
              lst_head_read_key_state(&place, true, &after) == 0 && after.epoch > before.epoch,
          "its range is cut, and has another epoch");
    CHECK(lst_index_apply_to(index, partition, lst_changes_route(&changes), changes.list,
                             changes.count) == LST_ERR_CONFLICT,
          "so the batch is refused");
    lst_changes_release(&changes);
    lst_head_require_state(&changes, &after);
    lst_changes_add_row(&changes, LST_INDEX_DELETE, LST_ROW_OBJECT, place.key, slice(""));
    CHECK(lst_index_apply_to(index, partition, lst_changes_route(&changes), changes.list,
                             changes.count) == LST_OK,
          "and goes well when it is made again");
    CHECK(lst_head_read_key_state(&other, true, &after) == 0 && after.epoch == elsewhere.epoch,
          "other ranges have the epoch that they had");
    lst_index_read_end(place.reader);
    lst_changes_release(&changes);
#else
    (void)fixture;
#endif
}

static void test_deletion(struct fixture *fixture)
{
    struct lst_deletion deletions[KEYS] = {{.status = 0}};
    struct lst_version_id ids[KEYS];
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    struct waiter again;
    struct lst_store_write rest = waiter_write(&again);
    struct lst_slice value;
    struct lst_index_reader *reader;
    struct lst_route route = {.length = 0};
    bool is_gone = true;
    int status;

    CHECK(fixture_delete_bucket(fixture, "bucket") == LST_ERR_BUCKET_NOT_EMPTY &&
              fixture_put(fixture, "bucket", "a", "3", 1) == 0,
          "what is in a range keeps the bucket");
    /* The null versions, and, of all that is left, the current ones. */
    for (int i = 0; i < KEYS; i++) {
        deletions[i] =
            (struct lst_deletion){.key = slice(keys[KEYS - 1 - i]), .version = slice("null")};
    }
    CHECK(lst_store_delete(fixture->store, slice("bucket"), deletions, KEYS, &write) == 0 &&
              waiter_wait(&waiter) == 0,
          "keys of all ranges are deleted at once");
    for (int i = 0; i < KEYS; i++) {
        struct lst_object object;
        struct lst_object_name name = {.bucket = slice("bucket"), .key = slice(keys[i])};
        status = lst_object_open(fixture->store, &name, false, &object);
        if (status == 0) {
            ids[i] = object.version;
            lst_object_close(&object);
            deletions[i] =
                (struct lst_deletion){.key = name.key, .version = lst_version_id_slice(&ids[i])};
        }
    }
    CHECK(lst_store_delete(fixture->store, slice("bucket"), deletions, KEYS, &rest) == 0 &&
              waiter_wait(&again) == 0,
          "and again");
    CHECK(usage_is(fixture, 0, 0), "nothing is left");
    CHECK(fixture_delete_bucket(fixture, "bucket") == 0, "the bucket is deleted");
    if (lst_index_read_begin(fixture->store->index, &reader) != 0) {
        CHECK(false, "its rows can be looked for");
        return;
    }
    do {
        is_gone = is_gone &&
                  lst_index_get_own(reader, partition, lst_route_slice(&route), LST_ROW_STATE,
                                    &value) == LST_ERR_NOT_FOUND &&
                  lst_index_get_own(reader, partition, lst_route_slice(&route), LST_ROW_USAGE,
                                    &value) == LST_ERR_NOT_FOUND;
        status = lst_route_next(reader, partition, &route);
    } while (status == 0);
    lst_index_read_end(reader);
    CHECK(is_gone, "with the state and the usage of each range");
}

int main(void)
{
    struct fixture fixture = fixture_open();

    CHECK(fixture_make_bucket(&fixture, "bucket") == 0 && find_partition(&fixture) == 0,
          "a bucket is made");
    cut(&fixture);
    test_versioning(&fixture);
    test_interrupted(&fixture);
    test_recount(&fixture);
    test_epoch(&fixture);
    test_deletion(&fixture);
    fixture_close(&fixture);
    return tap_done();
}
