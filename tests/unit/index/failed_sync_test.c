/*
 * failed_sync_test.c - after a failed sync the index says that it does not know, tries nothing
 * again and writes nothing more; after failures before the sync it goes on.
 *
 * This program's own fdatasync() and pwrite() stand before libc's, for liblmdb too.
 */
#include "index_fixture.h"

#include <dlfcn.h>
#include <errno.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/uio.h>

enum fault { NONE, MAP_FULL, MAP_FULL_SYNC, SYNC, META, META_LANDS, PAGES };

static _Atomic int fault;
static _Atomic int fault_errno = EIO;
static _Atomic int sync_count; /* since the fault was set */
static _Atomic bool is_sticky; /* every later sync fails as well */
static bool is_settling;       /* the first commit of an opening was made: the next one settles */
static int headers_written;    /* whole sectors at the beginning of the first two pages */
static off_t landed_at = -1;   /* of a meta page: what is written back there is dropped */

int fdatasync(int file)
{
    atomic_fetch_add(&sync_count, 1);
    if (atomic_load(&fault) == SYNC) {
        if (!atomic_load(&is_sticky)) {
            atomic_store(&fault, NONE);
        }
        errno = atomic_load(&fault_errno);
        return -1;
    }
    return (int)syscall(SYS_fdatasync, file);
}

/* MAP_FULL: there is no page left for the commit. MAP_FULL_SYNC: and the next sync fails. */
int mdb_txn_commit(MDB_txn *transaction)
{
    int (*real)(MDB_txn *) = (int (*)(MDB_txn *))dlsym(RTLD_NEXT, "mdb_txn_commit");
    int wanted = atomic_load(&fault);

    if (is_settling && (wanted == MAP_FULL || wanted == MAP_FULL_SYNC)) {
        atomic_store(&fault, wanted == MAP_FULL ? NONE : SYNC);
        mdb_txn_abort(transaction);
        return MDB_MAP_FULL;
    }
    is_settling = true;
    return real(transaction);
}

/* More than one page at a time. */
ssize_t writev(int file, const struct iovec *pieces, int count)
{
    if (atomic_load(&fault) == PAGES) {
        atomic_store(&fault, NONE);
        errno = atomic_load(&fault_errno);
        return -1;
    }
    return syscall(SYS_writev, file, pieces, count);
}

/* As liblmdb names it; here the headers would make it another name. */
ssize_t plain_pwrite(int file, const void *bytes, size_t length, off_t offset) __asm__("pwrite");

ssize_t plain_pwrite(int file, const void *bytes, size_t length, off_t offset)
{
    bool is_meta = offset < 2 * 4096 && length < 4096;
    int wanted = atomic_load(&fault);

    if (is_meta && offset == landed_at) {
        landed_at = -1;
        return (ssize_t)length;
    }
    if (is_meta ? wanted == META || wanted == META_LANDS : wanted == PAGES) {
        atomic_store(&fault, NONE);
        if (wanted == META_LANDS) {
            (void)!syscall(SYS_pwrite64, file, bytes, length, offset);
            landed_at = offset;
        }
        errno = atomic_load(&fault_errno);
        return -1;
    }
    return syscall(SYS_pwrite64, file, bytes, length, offset);
}

/* As the index itself calls it. */
ssize_t our_pwrite(int file, const void *bytes, size_t length, off_t offset) __asm__("pwrite64");

ssize_t our_pwrite(int file, const void *bytes, size_t length, off_t offset)
{
    headers_written += (offset == 0 || offset == 4096) && length == 512;
    return syscall(SYS_pwrite64, file, bytes, length, offset);
}

static void set_fault(enum fault wanted, int number)
{
    atomic_store(&sync_count, 0);
    atomic_store(&fault_errno, number);
    atomic_store(&fault, wanted);
}

static void reopen(struct fixture *fixture)
{
    set_fault(NONE, 0);
    landed_at = -1;
    lst_index_close(fixture->index);
    CHECK(fixture_start(fixture, 0) == 0 && !lst_index_has_failed(fixture->index),
          "it opens again, and is well");
}

static void test_failed_sync(enum fault wanted, int number, const char *name)
{
    struct fixture fixture = fixture_open(0);
    struct lst_index_reader *reader;

    CHECK(fixture_put(&fixture, 1, slice("old"), slice("1")) == 0, "%s: before", name);
    set_fault(wanted, number);
    CHECK(fixture_put(&fixture, 1, slice("new"), slice("2")) == LST_ERR_UNKNOWN,
          "%s: nobody knows whether it happened", name);
    CHECK(atomic_load(&fault) == NONE && atomic_load(&sync_count) <= 2,
          "%s: and it was not tried again", name);
    CHECK(lst_index_has_failed(fixture.index), "%s: the index says so", name);
    CHECK(fixture_put(&fixture, 1, slice("later"), slice("3")) == LST_ERR_UNKNOWN,
          "%s: nothing more is written", name);
    CHECK(lst_index_read_begin(fixture.index, &reader) == LST_ERR_ENDING,
          "%s: nor read: it would be what was before", name);
    reopen(&fixture);
    CHECK(fixture_has(&fixture, 1, "old", "1"), "%s: what was written before is there", name);
    CHECK(fixture_has(&fixture, 1, "new", wanted == META_LANDS ? "2" : NULL),
          "%s: the disk decides", name);
    CHECK(fixture_has(&fixture, 1, "later", NULL), "%s: what came later is not there", name);
    CHECK(fixture_put(&fixture, 1, slice("later"), slice("3")) == 0, "%s: and on it goes", name);
    fixture_close(&fixture);
}

/* ---- Many at once */

enum { BATCHES = 50 };

static struct lst_index_change change_of[BATCHES];
static struct lst_index_batch batches[BATCHES];
static char keys[BATCHES][8];
static _Atomic int unknown_count;
static _Atomic int done_count;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void count_done(struct lst_index_batch *batch, int status, size_t failed_change)
{
    (void)batch;
    (void)failed_change;
    atomic_fetch_add(&unknown_count, status == LST_ERR_UNKNOWN);
    atomic_fetch_add(&done_count, 1);
}

/* Holds the committer up until all the others wait. */
static void hold(struct lst_index_batch *batch, int status, size_t failed_change)
{
    count_done(batch, status, failed_change);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
}

static void test_group(void)
{
    struct fixture fixture = fixture_open(0);
    int there = 0;

    pthread_mutex_lock(&gate);
    for (int i = 0; i < BATCHES; i++) {
        (void)snprintf(keys[i], sizeof(keys[i]), "k%d", i);
        change_of[i] = (struct lst_index_change){
            .kind = LST_INDEX_PUT, .key = slice(keys[i]), .value = slice("x")};
        batches[i] = (struct lst_index_batch){.partition = 1,
                                              .changes = &change_of[i],
                                              .change_count = 1,
                                              .done = i == 0 ? hold : count_done};
        lst_index_submit(fixture.index, &batches[i]);
        while (i == 0 && atomic_load(&done_count) == 0) {
            (void)usleep(1000);
        }
    }
    set_fault(SYNC, EIO);
    pthread_mutex_unlock(&gate);
    while (atomic_load(&done_count) < BATCHES) {
        (void)usleep(1000);
    }
    CHECK(atomic_load(&unknown_count) == BATCHES - 1, "of a group all are unknown: %d",
          atomic_load(&unknown_count));
    CHECK(atomic_load(&sync_count) == 1, "one sync was made: %d", atomic_load(&sync_count));
    reopen(&fixture);
    for (int i = 0; i < BATCHES; i++) {
        there += fixture_has(&fixture, 1, keys[i], "x");
    }
    CHECK(there == 1, "the one before is there alone: %d", there);
    fixture_close(&fixture);
}

/* ---- Certain failures */

static void test_full_disk(void)
{
    struct fixture fixture = fixture_open(0);

    set_fault(PAGES, ENOSPC);
    CHECK(fixture_put(&fixture, 1, slice("a"), slice("1")) == 0 && atomic_load(&fault) == NONE,
          "a page that found no room is written again, and then it is there");
    CHECK(!lst_index_has_failed(fixture.index), "and the index is well");
    CHECK(fixture_has(&fixture, 1, "a", "1"), "for sure");
    atomic_store(&is_sticky, true); /* as the kernel does: once to each descriptor */
    set_fault(SYNC, ENOSPC);
    CHECK(fixture_put(&fixture, 1, slice("b"), slice("1")) == LST_ERR_UNKNOWN,
          "a disk that is full only in the sync is another matter");
    atomic_store(&is_sticky, false);
    reopen(&fixture);
    fixture_close(&fixture);
}

static void test_opening(void)
{
    struct fixture fixture = fixture_open(0);

    CHECK(fixture_put(&fixture, 1, slice("a"), slice("1")) == 0, "before");
    lst_index_close(fixture.index);
    set_fault(SYNC, EIO);
    CHECK(fixture_start(&fixture, 0) == LST_ERR_IO && atomic_load(&fault) == NONE,
          "an opening syncs what it read, and fails if it can't");
    set_fault(PAGES, ENOSPC);
    CHECK(fixture_start(&fixture, 0) == 0 && atomic_load(&fault) == NONE,
          "but not because the disk is full");
    CHECK(fixture_has(&fixture, 1, "a", "1"), "and all is there");
    lst_index_close(fixture.index);
    is_settling = false;
    set_fault(MAP_FULL_SYNC, EIO);
    CHECK(fixture_start(&fixture, 0) == LST_ERR_IO && atomic_load(&fault) == NONE,
          "a full map does not spare it the sync");
    is_settling = false;
    headers_written = 0;
    set_fault(MAP_FULL, 0);
    CHECK(fixture_start(&fixture, 0) == 0 && atomic_load(&fault) == NONE,
          "nor does it keep it from being opened");
    CHECK(headers_written == 2 && atomic_load(&sync_count) > 0,
          "and what was read is written once more: %d headers", headers_written);
    CHECK(fixture_has(&fixture, 1, "a", "1") &&
              fixture_put(&fixture, 1, slice("a"), slice("2")) == 0,
          "it is well then");
    fixture_close(&fixture);
}

int main(void)
{
    test_failed_sync(SYNC, EIO, "the pages' sync");
    test_failed_sync(META, EIO, "the last page");
    test_failed_sync(META, ENOSPC, "the last page, for room");
    test_failed_sync(META_LANDS, EIO, "the last page, which lands");
    test_group();
    test_full_disk();
    test_opening();
    return tap_done();
}
