/*
 * failed_sync_test.c - after a failed sync of what was deleted nothing is sealed any more, and the
 * syncer is told of the failure as well.
 *
 * This program's own syncfs() stands before libc's. As the kernel does, it tells each descriptor
 * once of a failure.
 */
#include "tap.h"

#include "blob/blob.h"

#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static char folder[] = "blob-sync-test-XXXXXX";

enum { FILES = 1024 };
static _Atomic bool is_to_tell[FILES]; /* of a descriptor: it is to be told of a failure */
static _Atomic int last_file = -1;

int syncfs(int file)
{
    atomic_store(&last_file, file);
    if (file >= 0 && file < FILES && atomic_exchange(&is_to_tell[file], false)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_syncfs, file);
}

static void fail_all(void)
{
    for (size_t i = 0; i < FILES; i++) {
        atomic_store(&is_to_tell[i], true);
    }
}

/* ---- A seal */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static int seal_status;
static bool is_done;

static void note(struct lst_blob_seal *seal, int status)
{
    (void)seal;
    pthread_mutex_lock(&lock);
    seal_status = status;
    is_done = true;
    pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
}

static int make(struct lst_blobs *blobs, struct lst_blob_id *ret_id)
{
    struct lst_blob_seal seal = {.done = note};
    struct lst_blob_writer *writer;
    int status = lst_blob_create(blobs, 0, &writer);

    if (status != 0) {
        return status;
    }
    *ret_id = lst_blob_writer_id(writer);
    status = lst_blob_append(writer, LST_SLICE("body"));
    if (status != 0) {
        lst_blob_discard(writer);
        return status;
    }
    is_done = false;
    lst_blob_seal_submit(writer, &seal);
    pthread_mutex_lock(&lock);
    while (!is_done) {
        pthread_cond_wait(&wake, &lock);
    }
    pthread_mutex_unlock(&lock);
    return seal_status;
}

static struct lst_blobs *open_blobs(void)
{
    struct lst_blobs *blobs = NULL;

    if (lst_blobs_open(folder, false, &blobs) != 0) {
        CHECK(false, "the blobs are opened");
        exit(tap_done());
    }
    return blobs;
}

static void test_deleted(void)
{
    struct lst_blobs *blobs = open_blobs();
    struct lst_blob_id old;
    struct lst_blob_id other;

    CHECK(make(blobs, &old) == 0, "a blob is made");
    lst_blobs_close(blobs);
    blobs = open_blobs();
    CHECK(make(blobs, &other) == 0, "another one, in a later run");
    CHECK(lst_blob_delete(blobs, old) == 0, "the first is deleted");
    fail_all();
    CHECK(lst_blobs_sync_deleted(blobs) == LST_ERR_IO, "the sync of that fails");
    CHECK(lst_blobs_have_failed(blobs), "the blobs say so");
    CHECK(lst_blobs_sync_deleted(blobs) == LST_ERR_IO, "it is not tried again");
    CHECK(make(blobs, &other) == LST_ERR_IO, "and nothing is sealed any more");
    lst_blobs_close(blobs);
}

/* Whose descriptor was it? Marking a generation as clean uses the syncer's. */
static void test_descriptors(void)
{
    struct lst_blobs *blobs = open_blobs();
    struct lst_blob_id old;
    int deleted_file;

    CHECK(make(blobs, &old) == 0, "a blob is made");
    lst_blobs_close(blobs);
    blobs = open_blobs();
    CHECK(make(blobs, &old) == 0 && old.generation > 1, "and one in a later run");
    old.generation--;
    CHECK(lst_blob_delete(blobs, old) == 0 && lst_blobs_sync_deleted(blobs) == 0,
          "one of before is deleted, and that is synced");
    deleted_file = atomic_load(&last_file);
    lst_blobs_close(blobs);
    CHECK(atomic_load(&last_file) != deleted_file,
          "not by the syncer's descriptor: a failure that this one is told of must not be hidden "
          "from the syncer");
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
    if (mkdtemp(folder) == NULL) {
        CHECK(false, "a folder is made");
        return tap_done();
    }
    test_deleted();
    for (size_t i = 0; i < FILES; i++) {
        atomic_store(&is_to_tell[i], false);
    }
    test_descriptors();
    (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return tap_done();
}
