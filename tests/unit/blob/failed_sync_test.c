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
#include <sys/utsname.h>
#include <sys/vfs.h>
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

/* ---- What the system is said to be */

static const char *kernel = "6.1.0";
static long file_system = 0xEF53;  /* ext4 */
static _Atomic int lost_file = -1; /* a descriptor whose bytes could not be written */
static _Atomic int file_syncs;
static _Atomic int folder_syncs;

int uname(struct utsname *ret_name)
{
    memset(ret_name, 0, sizeof(*ret_name));
    (void)snprintf(ret_name->release, sizeof(ret_name->release), "%s", kernel);
    return 0;
}

int fstatfs(int file, struct statfs *ret_state)
{
    int result = (int)syscall(SYS_fstatfs, file, ret_state);

    ret_state->f_type = file_system;
    return result;
}

int fdatasync(int file)
{
    atomic_fetch_add(&file_syncs, 1);
    if (file == atomic_load(&lost_file)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, file);
}

static _Atomic bool folders_fail;

int fsync(int file)
{
    atomic_fetch_add(&folder_syncs, 1);
    if (atomic_load(&folders_fail)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, file);
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

/* ---- Many seals at once */

enum { SEALS = 8 };

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int begun;
static int statuses[SEALS];

/* Holds the syncer up until all the others wait. */
static void hold(struct lst_blob_seal *seal, int status)
{
    (void)seal;
    (void)status;
    atomic_fetch_add(&begun, 1);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
}

static void keep_status(struct lst_blob_seal *seal, int status)
{
    *(int *)seal->context = status;
    atomic_fetch_add(&begun, 1);
}

static struct lst_blob_writer *begin(struct lst_blobs *blobs)
{
    struct lst_blob_writer *writer = NULL;

    if (lst_blob_create(blobs, 0, &writer) != 0 ||
        lst_blob_append(writer, LST_SLICE("body")) != 0) {
        CHECK(false, "a blob is begun");
        exit(tap_done());
    }
    return writer;
}

/* The descriptor that the next file will get. */
static int next_descriptor(void)
{
    int file = dup(0);

    (void)close(file);
    return file;
}

/* Seal many blobs in one group. The third one's bytes are lost, and only a sync of that file says
 * so, not syncfs(). */
static void seal_many(struct lst_blobs *blobs)
{
    struct lst_blob_seal held = {.done = hold};
    struct lst_blob_seal seals[SEALS];

    atomic_store(&begun, 0);
    pthread_mutex_lock(&gate);
    lst_blob_seal_submit(begin(blobs), &held);
    while (atomic_load(&begun) == 0) {
        (void)usleep(1000);
    }
    atomic_store(&file_syncs, 0);
    atomic_store(&folder_syncs, 0);
    for (int i = 0; i < SEALS; i++) {
        if (i == 2) {
            atomic_store(&lost_file, next_descriptor());
        }
        seals[i] = (struct lst_blob_seal){.done = keep_status, .context = &statuses[i]};
        lst_blob_seal_submit(begin(blobs), &seals[i]);
    }
    pthread_mutex_unlock(&gate);
    while (atomic_load(&begun) <= SEALS) {
        (void)usleep(1000);
    }
    atomic_store(&lost_file, -1);
}

static void test_each(const char *release, long type, const char *name)
{
    struct lst_blobs *blobs;
    bool others_are_well = true;

    kernel = release;
    file_system = type;
    blobs = open_blobs();
    seal_many(blobs);
    for (int i = 0; i < SEALS; i++) {
        others_are_well = others_are_well && (i == 2 || statuses[i] == 0);
    }
    CHECK(statuses[2] == LST_ERR_IO, "%s: the blob whose bytes were lost is not sealed: %d", name,
          statuses[2]);
    CHECK(others_are_well && !lst_blobs_have_failed(blobs), "%s: the others are", name);
    lst_blobs_close(blobs);
}

static void test_all(void)
{
    struct lst_blobs *blobs;

    kernel = "5.8.0-rc1";
    file_system = 0xEF53;
    blobs = open_blobs();
    seal_many(blobs);
    CHECK(atomic_load(&file_syncs) == 0 && statuses[0] == 0,
          "where syncfs() says what was lost no file is synced by itself");
    CHECK(atomic_load(&folder_syncs) == 1, "but the folder is, once");
    atomic_store(&folders_fail, true); /* as of a journal that could not be written */
    seal_many(blobs);
    atomic_store(&folders_fail, false);
    CHECK(statuses[0] == LST_ERR_IO && lst_blobs_have_failed(blobs),
          "and says what syncfs() of Linux before 5.17 does not");
    lst_blobs_close(blobs);
}

/* Where syncfs() does nothing, the folder of each deleted blob is synced. */
static void test_deleted_in_user_space(void)
{
    struct lst_blobs *blobs;
    struct lst_blob_id old;

    kernel = "6.1.0";
    file_system = 0x65735546; /* FUSE */
    blobs = open_blobs();
    CHECK(make(blobs, &old) == 0, "a blob is made in a file system in user space");
    lst_blobs_close(blobs);
    blobs = open_blobs();
    atomic_store(&last_file, -1);
    atomic_store(&folder_syncs, 0);
    CHECK(lst_blob_delete(blobs, old) == 0 && atomic_load(&folder_syncs) == 1 &&
              lst_blobs_sync_deleted(blobs) == 0 && atomic_load(&last_file) == -1,
          "its deletion is durable without syncfs()");
    CHECK(lst_blob_delete(blobs, old) == 0 && atomic_load(&folder_syncs) == 2,
          "and again, when the folder is gone");
    CHECK(make(blobs, &old) == 0, "one more");
    lst_blobs_close(blobs);
    CHECK(atomic_load(&last_file) == -1, "nor is it used to mark a generation as clean");
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
    test_each("5.4.0-100-generic", 0xEF53, "an old kernel");
    test_each("6.1.0", 0x65735546, "a file system in user space");
    test_all();
    test_deleted_in_user_space();
    (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return tap_done();
}
