/* fault_test.c - a full disk, a full index, damage: clear errors, nothing lost, reads go on. */
#include "store_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* Overwrite an object until that finds no room: where a new one does not fit, one more of these
 * may. Gives which of the bodies it has then; -1 if there was room all the time. */
static int overwrite_until_full(struct fixture *fixture, const char *bytes)
{
    enum { TRIES = 100 };

    for (int i = 1; i < TRIES; i++) {
        int status = fixture_put(fixture, "full", "old", bytes + i, 8000);
        if (status != LST_OK) {
            return status == LST_ERR_NO_SPACE ? i - 1 : -1;
        }
    }
    return -1;
}

static void test_full_index(void)
{
    struct fixture fixture = fixture_open_sized(1024 * 1024);
    char *bytes = fixture_bytes(8192, 3);
    int status = 0;
    int count = 0;
    int kept;
    bool ok = true;

    CHECK(fixture_make_bucket(&fixture, "full") == 0, "a small store takes a bucket");
    CHECK(fixture_put(&fixture, "full", "old", bytes, 10000 - 2000) == 0, "and an object");
    for (; status == 0 && count < 200; count++) {
        char key[20];
        (void)snprintf(key, sizeof(key), "k%d", count);
        status = fixture_put(&fixture, "full", key, bytes, 8000);
    }
    count--;
    CHECK(status == LST_ERR_NO_SPACE && count > 10, "after %d more it is full, and says so", count);
    kept = overwrite_until_full(&fixture, bytes);
    CHECK(kept >= 0, "an object can't be overwritten");
    CHECK(kept >= 0 && fixture_holds(&fixture, "full", "old", bytes + kept, 8000),
          "and is what it was");
    for (int i = 0; i < count; i++) {
        char key[20];
        (void)snprintf(key, sizeof(key), "k%d", i);
        ok = ok && fixture_holds(&fixture, "full", key, bytes, 8000);
    }
    CHECK(ok, "all that was acknowledged can be read");
    CHECK(fixture_put(&fixture, "full", "large", bytes, 8192) == LST_ERR_NO_SPACE, "still full");
    CHECK(fixture_is_clean(&fixture, (uint64_t)count + 1), "the check finds nothing wrong");
    for (int i = 0; i < count / 2; i++) {
        char key[20];
        (void)snprintf(key, sizeof(key), "k%d", i);
        ok = ok && fixture_delete(&fixture, "full", key) == 0;
    }
    CHECK(ok, "objects are deleted");
    CHECK(fixture_put(&fixture, "full", "old", bytes + 1, 8000) == 0 &&
              fixture_holds(&fixture, "full", "old", bytes + 1, 8000),
          "and there is room again");
    free(bytes);
    fixture_close(&fixture);
}

/* In a mount namespace of its own, so that nothing outside sees the small disk. */
static int fill_disk(const char *folder)
{
    struct fixture fixture = {.folder = "disk/store"};
    char *bytes = fixture_bytes(300000, 9);
    int status = 0;
    int count = 0;
    bool ok = true;

    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        chdir(folder) != 0 || mkdir("disk", 0700) != 0 ||
        mount("tmpfs", "disk", "tmpfs", 0, "size=3m") != 0) {
        free(bytes);
        return 77;
    }
    ok = fixture_start(&fixture) == 0 && fixture_make_bucket(&fixture, "full") == 0;
    for (; ok && status == 0 && count < 100; count++) {
        char key[20];
        (void)snprintf(key, sizeof(key), "k%d", count);
        status = fixture_put(&fixture, "full", key, bytes, 300000);
    }
    count--;
    ok = ok && status == LST_ERR_NO_SPACE && count > 3;
    for (status = 0; ok && status == 0;) {
        char key[30];
        (void)snprintf(key, sizeof(key), "small-%d", count);
        status = fixture_put(&fixture, "full", key, bytes, 8000);
        count += status == 0 ? 1 : 0;
        ok = ok && count < 1000;
    }
    ok = ok && (status == LST_ERR_NO_SPACE || status == LST_ERR_IO);
    ok = ok && fixture_holds(&fixture, "full", "k0", bytes, 300000);
    ok = ok && fixture_is_clean(&fixture, (uint64_t)count);
    if (ok) {
        fixture_reopen(&fixture);
        ok = fixture_holds(&fixture, "full", "k0", bytes, 300000) &&
             fixture_is_clean(&fixture, (uint64_t)count) &&
             fixture_delete(&fixture, "full", "k0") == 0 &&
             fixture_wait_blob_files(&fixture, fixture_blob_files(&fixture)) &&
             usleep(300000) == 0 && fixture_put(&fixture, "full", "new", bytes, 200000) == 0 &&
             fixture_holds(&fixture, "full", "new", bytes, 200000);
        lst_store_close(fixture.store);
    }
    free(bytes);
    return ok ? 0 : 1;
}

static void test_full_disk(void)
{
    char folder[] = "disk-test-XXXXXX";
    char inner[80];
    int result = 0;
    pid_t child;

    if (mkdtemp(folder) == NULL) {
        CHECK(false, "a folder is made");
        return;
    }
    fflush(stdout);
    child = fork();
    if (child == 0) {
        _exit(fill_disk(folder));
    }
    waitpid(child, &result, 0);
    if (WIFEXITED(result) && WEXITSTATUS(result) == 77) {
        tap_skip("a full disk", "mounting a small one takes root");
    } else {
        CHECK(WIFEXITED(result) && WEXITSTATUS(result) == 0,
              "on a full disk puts fail, reads, deletes and a new start go on");
    }
    (void)snprintf(inner, sizeof(inner), "%s/disk", folder);
    (void)rmdir(inner);
    (void)rmdir(folder);
}

/* The path of the only blob. */
static char blob_path[256];

static int find_blob(const char *path, const struct stat *state, int kind, struct FTW *where)
{
    (void)state;
    if (kind == FTW_F && where->level == 4) {
        (void)snprintf(blob_path, sizeof(blob_path), "%s", path);
    }
    return 0;
}

static bool has_fault(struct fixture *fixture)
{
    struct lst_store_census census = {0};

    return lst_store_check(fixture->store, fixture_show_fault, NULL, &census) == 0 &&
           census.faults == 1 && census.objects == 1;
}

static void test_damage(void)
{
    struct fixture fixture = fixture_open();
    char *bytes = fixture_bytes(20000, 4);
    struct lst_object object;
    int file;

    CHECK(fixture_make_bucket(&fixture, "dmg") == 0 &&
              fixture_put(&fixture, "dmg", "k", bytes, 20000) == 0,
          "an object is put");
    (void)nftw(fixture.folder, find_blob, 16, FTW_PHYS);
    file = open(blob_path, O_WRONLY | O_CLOEXEC);
    CHECK(pwrite(file, "x", 1, 10000) == 1, "one byte of its file is changed");
    CHECK(has_fault(&fixture), "the check finds it");
    CHECK(ftruncate(file, 19999) == 0 && has_fault(&fixture), "a file too short is found");
    CHECK(lst_object_open(fixture.store,
                          &(struct lst_object_name){slice("dmg"), slice("k"), {NULL, 0}}, true,
                          &object) == LST_ERR_CORRUPT,
          "and not served");
    close(file);
    CHECK(unlink(blob_path) == 0 && has_fault(&fixture), "a missing file is found");
    CHECK(lst_object_open(fixture.store,
                          &(struct lst_object_name){slice("dmg"), slice("k"), {NULL, 0}}, true,
                          &object) == LST_ERR_CORRUPT,
          "and not served");
    CHECK(lst_object_open(fixture.store,
                          &(struct lst_object_name){slice("dmg"), slice("k"), {NULL, 0}}, false,
                          &object) == 0,
          "what is known about the object is");
    lst_object_close(&object);
    CHECK(fixture_put(&fixture, "dmg", "k", bytes, 20000) == 0 &&
              fixture_holds(&fixture, "dmg", "k", bytes, 20000) && fixture_is_clean(&fixture, 1),
          "putting it again heals it");
    free(bytes);
    fixture_close(&fixture);
}

static void test_file_limit(void)
{
    struct fixture fixture = fixture_open();
    struct lst_put_options options = {
        .bucket = slice("b-b"), .key = slice("k"), .size_known = true, .size = 100000};
    struct rlimit before;
    struct rlimit none;
    struct lst_put *put;

    CHECK(fixture_make_bucket(&fixture, "b-b") == 0, "a bucket is made");
    (void)getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = 3;
    (void)setrlimit(RLIMIT_NOFILE, &none);
    CHECK(lst_put_begin(fixture.store, &options, &put) == LST_ERR_TOO_MANY_FILES,
          "without a file to spare a large put is refused");
    CHECK(fixture_put(&fixture, "b-b", "small", "x", 1) == 0, "a small one is not");
    (void)setrlimit(RLIMIT_NOFILE, &before);
    fixture_close(&fixture);
}

/* A caller that does not heed what a write says: what it commits all the same must not come about.
 */
static int put_heedless(struct fixture *fixture, const struct rlimit *narrow,
                        const struct rlimit *wide, const char *bytes, size_t size)
{
    struct lst_put_options options = {.bucket = slice("b-b"), .key = slice("k")};
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    struct lst_put *put;
    bool failed = false;

    if (lst_put_begin(fixture->store, &options, &put) != 0) {
        return 1;
    }
    (void)setrlimit(RLIMIT_NOFILE, narrow);
    for (size_t at = 0; at < size; at += 1000) {
        int status = lst_put_write(put, lst_slice_make(bytes + at, 1000));
        if (failed && status != LST_ERR_TOO_MANY_FILES) {
            printf("# the write at %d after a failed one gives %d\n", (int)at, status);
        }
        failed = failed || status != 0;
    }
    (void)setrlimit(RLIMIT_NOFILE, wide);
    CHECK(failed, "a body that outgrows the row without a file to spare is refused");
    CHECK(lst_put_write(put, slice("more")) == LST_ERR_TOO_MANY_FILES,
          "and stays so, though files can be opened again");
    CHECK(lst_put_add_field(put, slice("name"), slice("value")) == LST_ERR_TOO_MANY_FILES,
          "nor does it take a field");
    lst_put_commit(put, &write);
    return waiter_wait(&waiter);
}

static void test_spill(void)
{
    struct fixture fixture = fixture_open();
    char *bytes = fixture_bytes(40000, 7);
    struct rlimit before;
    struct rlimit none;

    (void)getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = 3;
    CHECK(fixture_make_bucket(&fixture, "b-b") == 0 &&
              fixture_put(&fixture, "b-b", "k", bytes + 1, 5) == 0,
          "an object is put");
    CHECK(put_heedless(&fixture, &none, &before, bytes, 20000) == LST_ERR_TOO_MANY_FILES,
          "the commit of a put that failed says so");
    CHECK(fixture_holds(&fixture, "b-b", "k", bytes + 1, 5) && fixture_is_clean(&fixture, 1),
          "and the old object is there");
    (void)setrlimit(RLIMIT_NOFILE, &none);
    CHECK(fixture_put(&fixture, "b-b", "k", bytes, 20001) == LST_ERR_TOO_MANY_FILES,
          "in larger pieces likewise");
    (void)setrlimit(RLIMIT_NOFILE, &before);
    CHECK(fixture_holds(&fixture, "b-b", "k", bytes + 1, 5) && fixture_is_clean(&fixture, 1) &&
              fixture_blob_files(&fixture) == 0,
          "and nothing is left of them");
    free(bytes);
    fixture_close(&fixture);
}

/* The first failure ends a put, of whatever kind it is. */
static void test_too_long(void)
{
    struct fixture fixture = fixture_open();
    struct lst_put_options options = {
        .bucket = slice("b-b"), .key = slice("k"), .size_known = true, .size = 3};
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    struct lst_put *put = NULL;

    CHECK(fixture_make_bucket(&fixture, "b-b") == 0 &&
              lst_put_begin(fixture.store, &options, &put) == 0,
          "a put of 3 bytes begins");
    CHECK(lst_put_write(put, slice("four")) == LST_ERR_MALFORMED, "four are too many");
    CHECK(lst_put_write(put, slice("one")) == LST_ERR_MALFORMED, "three after them come too late");
    lst_put_commit(put, &write);
    CHECK(waiter_wait(&waiter) == LST_ERR_MALFORMED && fixture_is_clean(&fixture, 0),
          "and nothing is committed");
    fixture_close(&fixture);
}

int main(void)
{
    test_spill();
    test_too_long();
    test_full_index();
    test_full_disk();
    test_damage();
    test_file_limit();
    return tap_done();
}
