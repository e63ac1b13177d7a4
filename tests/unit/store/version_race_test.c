/* version_race_test.c - many who write, mark and remove versions of one key at once: none of what
 * was acknowledged is lost, and the current version is always the newest. */
#include "store_fixture.h"

#include <stdatomic.h>

enum { THREADS = 24, WRITES = 12, VERSIONS_MAX = THREADS * WRITES + 1 };

struct writer {
    struct fixture *fixture;
    int number;
    int failures;
    size_t kept_count; /* what it wrote and did not remove again */
    struct lst_version_id kept[WRITES];
};

static int put_one(struct fixture *fixture, const char *key, size_t size,
                   struct lst_version_id *ret_id)
{
    struct lst_put_options options = {.bucket = slice("race"), .key = slice(key)};
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    char *bytes = fixture_bytes(size, 1);
    struct lst_put *put;
    int status = lst_put_begin(fixture->store, &options, &put);

    if (status == 0) {
        status = lst_put_write(put, lst_slice_make(bytes, size));
        lst_put_commit(put, &write);
        status = waiter_wait(&waiter);
    }
    free(bytes);
    *ret_id = write.version;
    return status;
}

static int delete_one(struct fixture *fixture, const char *key, struct lst_slice version,
                      struct lst_version_id *ret_id)
{
    struct lst_deletion deletion = {.key = slice(key), .version = version};
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    int status = lst_store_delete(fixture->store, slice("race"), &deletion, 1, &write);

    status = status == 0 ? waiter_wait(&waiter) : status;
    *ret_id = deletion.version_id;
    return status == 0 ? deletion.status : status;
}

static int set_versioning(struct fixture *fixture, enum lst_versioning versioning)
{
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    int status = lst_bucket_set_versioning(fixture->store, slice("race"), versioning, &write);

    return status == 0 ? waiter_wait(&waiter) : status;
}

/* Write versions and markers; remove every third again. */
static void *write_versions(void *argument)
{
    struct writer *writer = argument;

    for (int i = 0; i < WRITES; i++) {
        struct lst_version_id id;
        struct lst_version_id ignored;
        int status = i % 4 == 3 ? delete_one(writer->fixture, "hot", lst_slice_make(NULL, 0), &id)
                                : put_one(writer->fixture, "hot", i % 2 == 0 ? 10 : 9000, &id);
        if (status == 0 && i % 3 == 2) {
            status = delete_one(writer->fixture, "hot", lst_version_id_slice(&id), &ignored);
        } else if (status == 0) {
            writer->kept[writer->kept_count++] = id;
        }
        writer->failures += status == 0 ? 0 : 1;
    }
    return NULL;
}

struct listed {
    size_t count;
    struct lst_version_id ids[VERSIONS_MAX];
    bool only_first_is_latest;
};

static int add_listed(void *context, const struct lst_version_entry *entry)
{
    struct listed *listed = context;

    listed->only_first_is_latest =
        listed->only_first_is_latest && entry->is_latest == (listed->count == 0);
    listed->ids[listed->count++] = entry->version;
    return 0;
}

static bool list_versions(struct fixture *fixture, struct listed *ret_listed)
{
    struct lst_version_list_options options = {.bucket = slice("race"),
                                               .max_entries = VERSIONS_MAX};
    bool truncated = true;

    *ret_listed = (struct listed){.only_first_is_latest = true};
    return lst_store_list_versions(fixture->store, &options, add_listed, ret_listed, &truncated) ==
               0 &&
           !truncated;
}

static bool is_listed(const struct listed *listed, const struct lst_version_id *id)
{
    for (size_t i = 0; i < listed->count; i++) {
        if (lst_slice_equal(lst_version_id_slice(&listed->ids[i]), lst_version_id_slice(id))) {
            return true;
        }
    }
    return false;
}

/* Ids begin with the order in which the versions were written. */
static bool is_newest_first(const struct listed *listed)
{
    for (size_t i = 1; i < listed->count; i++) {
        if (lst_slice_compare(lst_version_id_slice(&listed->ids[i - 1]),
                              lst_version_id_slice(&listed->ids[i])) <= 0) {
            return false;
        }
    }
    return true;
}

static void run(struct fixture *fixture, struct writer writers[THREADS], void *(*body)(void *))
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        writers[i] = (struct writer){.fixture = fixture, .number = i};
        pthread_create(&threads[i], NULL, body, &writers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void test_no_version_is_lost(struct fixture *fixture)
{
    static struct writer writers[THREADS];
    static struct listed listed;
    size_t kept = 0;
    int failures = 0;
    bool all = true;

    CHECK(set_versioning(fixture, LST_VERSIONING_ENABLED) == 0, "versioning is enabled");
    run(fixture, writers, write_versions);
    CHECK(list_versions(fixture, &listed), "the versions are listed");
    for (int i = 0; i < THREADS; i++) {
        failures += writers[i].failures;
        kept += writers[i].kept_count;
        for (size_t j = 0; j < writers[i].kept_count; j++) {
            all = all && is_listed(&listed, &writers[i].kept[j]);
        }
    }
    CHECK(failures == 0, "%d writers write, mark and remove versions without an error", THREADS);
    CHECK(all && listed.count == kept, "all that they kept are there, and no others: %zu of %zu",
          listed.count, kept);
    CHECK(listed.only_first_is_latest && is_newest_first(&listed),
          "newest first, of which the first is the current one");
}

/* One switches between enabled and suspended; the others write. */
static void *write_or_switch(void *argument)
{
    struct writer *writer = argument;
    struct lst_version_id id;

    for (int i = 0; i < WRITES; i++) {
        int status;
        if (writer->number == 0) {
            status = set_versioning(writer->fixture,
                                    i % 2 == 0 ? LST_VERSIONING_SUSPENDED : LST_VERSIONING_ENABLED);
        } else if (i % 4 == 3) {
            status = delete_one(writer->fixture, "mixed", slice("null"), &id);
            id.length = 0;
        } else {
            status = put_one(writer->fixture, "mixed", 9000, &id);
        }
        if (status != 0) {
            writer->failures++;
        } else if (id.length == LST_VERSION_ID_LENGTH && writer->number != 0) {
            writer->kept[writer->kept_count++] = id;
        }
    }
    return NULL;
}

static int clear_bucket(struct fixture *fixture, const char *key, const struct listed *listed)
{
    int status = 0;

    for (size_t i = 0; i < listed->count && status == 0; i++) {
        struct lst_version_id ignored;
        status = delete_one(fixture, key, lst_version_id_slice(&listed->ids[i]), &ignored);
    }
    return status;
}

static void test_one_null_version(struct fixture *fixture)
{
    static struct writer writers[THREADS];
    static struct listed listed;
    size_t nulls = 0;
    int failures = 0;
    bool all = true;

    CHECK(list_versions(fixture, &listed) && clear_bucket(fixture, "hot", &listed) == 0 &&
              list_versions(fixture, &listed) && listed.count == 0,
          "every version is removed");
    run(fixture, writers, write_or_switch);
    CHECK(list_versions(fixture, &listed), "versions are written while versioning is switched");
    for (size_t i = 0; i < listed.count; i++) {
        nulls += listed.ids[i].length == LST_VERSION_ID_LENGTH ? 0 : 1;
    }
    for (int i = 0; i < THREADS; i++) {
        failures += writers[i].failures;
        for (size_t j = 0; j < writers[i].kept_count; j++) {
            all = all && is_listed(&listed, &writers[i].kept[j]);
        }
    }
    CHECK(failures == 0 && all && listed.only_first_is_latest, "none that has an id is lost");
    CHECK(nulls <= 1, "and there is never more than one null version");
    CHECK(clear_bucket(fixture, "mixed", &listed) == 0 && list_versions(fixture, &listed) &&
              listed.count == 0,
          "every version is removed");
}

/* A put is committed behind a switch that was under way when the put was. Where a bucket has
 * ranges, the switch goes from one to the other, and is complete when it says so. */
static bool put_behind_switch(struct fixture *fixture, enum lst_versioning versioning)
{
    struct lst_put_options options = {.bucket = slice("race"), .key = slice("behind")};
    struct waiter switched;
    struct waiter written;
    struct lst_store_write write = waiter_write(&written);
    struct lst_store_write change = waiter_write(&switched);
    struct lst_version_id ignored;
    struct lst_put *put;
    bool ok;

    if (lst_put_begin(fixture->store, &options, &put) != 0) {
        return false;
    }
    if (lst_bucket_set_versioning(fixture->store, slice("race"), versioning, &change) != 0) {
        lst_put_abort(put);
        return false;
    }
#ifdef STRANGE_ENGINE
    ok = waiter_wait(&switched) == 0;
    lst_put_commit(put, &write);
#else
    lst_put_commit(put, &write);
    ok = waiter_wait(&switched) == 0;
#endif
    ok = waiter_wait(&written) == 0 && ok &&
         write.version.length == (versioning == LST_VERSIONING_ENABLED ? LST_VERSION_ID_LENGTH : 4);
    return delete_one(fixture, "behind", lst_version_id_slice(&write.version), &ignored) == 0 && ok;
}

static void test_switch(struct fixture *fixture)
{
    bool ok = true;

    for (int i = 0; i < 20; i++) {
        ok = put_behind_switch(fixture,
                               i % 2 == 0 ? LST_VERSIONING_SUSPENDED : LST_VERSIONING_ENABLED) &&
             ok;
    }
    CHECK(ok, "a write is before or after a change of versioning, never between");
}

int main(void)
{
    struct fixture fixture = fixture_open();

    CHECK(fixture_make_bucket(&fixture, "race") == 0, "a bucket is made");
    test_no_version_is_lost(&fixture);
    test_one_null_version(&fixture);
    test_switch(&fixture);
    CHECK(fixture_wait_blob_files(&fixture, 0) && fixture_is_clean(&fixture, 0),
          "nothing is left of any of them");
    CHECK(fixture_delete_bucket(&fixture, "race") == 0, "and the bucket can be deleted");
    fixture_close(&fixture);
    return tap_done();
}
