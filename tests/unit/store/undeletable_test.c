/* undeletable_test.c - a file that can't be deleted keeps its room, and nothing else from going on.
 *
 * Where a blob's file was there is a folder, so that unlink() fails.
 */
#include "store_fixture.h"

#include <fcntl.h>
#include <pthread.h>

enum { SIZE = 20000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int report_count;
static char reported[512];

static void note(const char *text)
{
    pthread_mutex_lock(&lock);
    report_count++;
    (void)snprintf(reported, sizeof(reported), "%s", text);
    pthread_mutex_unlock(&lock);
}

static int reports(void)
{
    int count;

    pthread_mutex_lock(&lock);
    count = report_count;
    pthread_mutex_unlock(&lock);
    return count;
}

static int start(struct fixture *fixture)
{
    struct lst_store_options options = {.path = fixture->folder, .report = note};

    return lst_store_open(&options, &fixture->recovery, &fixture->store);
}

/* The files of blobs are numbered in the order in which they were made. */
static void blob_path(const struct fixture *fixture, int number, const char *suffix,
                      char ret_path[160])
{
    (void)snprintf(ret_path, 160, "%s/blobs/00000001/00000/%08x%s", fixture->folder, number,
                   suffix);
}

static void make_undeletable(const struct fixture *fixture, int number)
{
    char path[160];

    blob_path(fixture, number, "", path);
    CHECK(unlink(path) == 0 && mkdir(path, 0700) == 0, "blob %d can't be deleted any more", number);
}

static void make_deletable(const struct fixture *fixture, int number)
{
    char path[160];

    blob_path(fixture, number, "", path);
    (void)rmdir(path);
    close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static void fill(struct fixture *fixture, const char *bucket, const char *bytes, int count)
{
    for (int i = 0; i < count; i++) {
        char key[20];
        (void)snprintf(key, sizeof(key), "k%d", i);
        CHECK(fixture_put(fixture, bucket, key, bytes, SIZE) == 0, "%s/%s", bucket, key);
    }
}

static void empty(struct fixture *fixture, const char *bucket, int count)
{
    bool ok = true;

    for (int i = 0; i < count; i++) {
        char key[20];
        (void)snprintf(key, sizeof(key), "k%d", i);
        ok = ok && fixture_delete(fixture, bucket, key) == 0;
    }
    CHECK(ok, "%s is emptied", bucket);
}

static void test_sweep(void)
{
    struct fixture fixture = {.folder = "store-test-XXXXXX"};
    char *bytes = fixture_bytes(SIZE, 3);
    char path[160];

    CHECK(mkdtemp(fixture.folder) != NULL && start(&fixture) == 0, "a store");
    CHECK(fixture_make_bucket(&fixture, "first") == 0 &&
              fixture_make_bucket(&fixture, "second") == 0,
          "two buckets");
    fill(&fixture, "first", bytes, 3);
    fill(&fixture, "second", bytes, 3);
    make_undeletable(&fixture, 0);
    empty(&fixture, "first", 3);
    empty(&fixture, "second", 3);
    CHECK(fixture_wait_blob_files(&fixture, 0), "all the others are deleted");
    CHECK(fixture_delete_bucket(&fixture, "first") == 0,
          "nor is its bucket kept from being deleted");
    for (int i = 0; i < 500 && reports() == 0; i++) {
        (void)usleep(10000);
    }
    CHECK(reports() == 1 && strstr(reported, "can't be removed") != NULL, "it is said, once: %s",
          reported);
    lst_store_close(fixture.store);
    /* A stray of an unclean end that can't be deleted, either. */
    blob_path(&fixture, 99, ".part", path);
    CHECK(mkdir(path, 0700) == 0, "a stray");
    (void)snprintf(path, sizeof(path), "%s/blobs/00000001/clean", fixture.folder);
    (void)unlink(path);
    CHECK(start(&fixture) == 0, "the store opens all the same");
    CHECK(fixture_put(&fixture, "second", "new", bytes, SIZE) == 0 &&
              fixture_holds(&fixture, "second", "new", bytes, SIZE),
          "and goes on");
    CHECK(access(path, F_OK) != 0, "the generation is not marked as clean: the stray is looked for "
                                   "at the next opening");
    lst_store_close(fixture.store);
    make_deletable(&fixture, 0);
    blob_path(&fixture, 99, ".part", path);
    (void)rmdir(path);
    close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    CHECK(start(&fixture) == 0 && fixture.recovery.blobs_removed > 0 &&
              fixture_wait_blob_files(&fixture, 1),
          "what can be deleted again is deleted at the next opening");
    CHECK(fixture_is_clean(&fixture, 1), "the check finds nothing wrong");
    free(bytes);
    fixture_close(&fixture);
}

int main(void)
{
    test_sweep();
    return tap_done();
}
