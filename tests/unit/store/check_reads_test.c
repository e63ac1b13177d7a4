/*
 * check_reads_test.c - the check of a store reads in proportion to what there is: also of a key
 * with many versions, each with a blob.
 *
 * This program's own mdb_get() and mdb_cursor_get() stand before LMDB's, and count.
 */
#include "store_fixture.h"

#include <dlfcn.h>
#include <lmdb.h>

static size_t reads;

int mdb_get(MDB_txn *transaction, MDB_dbi table, MDB_val *key, MDB_val *value)
{
    static int (*next)(MDB_txn *, MDB_dbi, MDB_val *, MDB_val *);

    if (next == NULL) {
        *(void **)&next = dlsym(RTLD_NEXT, "mdb_get");
    }
    reads++;
    return next(transaction, table, key, value);
}

int mdb_cursor_get(MDB_cursor *cursor, MDB_val *key, MDB_val *value, MDB_cursor_op operation)
{
    static int (*next)(MDB_cursor *, MDB_val *, MDB_val *, MDB_cursor_op);

    if (next == NULL) {
        *(void **)&next = dlsym(RTLD_NEXT, "mdb_cursor_get");
    }
    reads++;
    return next(cursor, key, value, operation);
}

static int set_versioning(struct fixture *fixture)
{
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    int status =
        lst_bucket_set_versioning(fixture->store, slice("b-b"), LST_VERSIONING_ENABLED, &write);

    return status == 0 ? waiter_wait(&waiter) : status;
}

/* How many reads the check of a key with so many versions takes. */
static size_t count_reads(size_t versions)
{
    static const char body[20000] = "a body with a blob of its own";
    struct fixture fixture = fixture_open();
    struct lst_store_census census = {0};
    bool ok = fixture_make_bucket(&fixture, "b-b") == 0 && set_versioning(&fixture) == 0;
    size_t count;
    int status;

    for (size_t i = 0; i < versions && ok; i++) {
        ok = fixture_put(&fixture, "b-b", "k", body, sizeof(body)) == 0;
    }
    reads = 0;
    status = lst_store_check(fixture.store, fixture_show_fault, NULL, &census);
    count = reads;
    CHECK(ok && status == 0 && census.faults == 0 && census.objects == versions,
          "%zu versions are checked, with %zu reads", versions, count);
    fixture_close(&fixture);
    return count;
}

int main(void)
{
    size_t few = count_reads(100);
    size_t many = count_reads(400);

    CHECK(many < 6 * few, "of four times the versions in about four times the reads");
    return tap_done();
}
