/* lmdb_settle.c - at the opening, make what is read there durable. */
#include "index/engine.h"

#include <unistd.h>

/* LMDB's two headers, the beginnings of its first two pages. A disk writes a sector whole. */
enum { HEADERS = 2, SECTOR = 512 };

static int settle_by_commit(struct lst_index *index)
{
    MDB_txn *transaction;
    int status = lst_index_error(mdb_txn_begin(index->environment, NULL, 0, &transaction));

    if (status != LST_OK) {
        return status;
    }
    status = lst_path_begin(index) && lst_index_may_put_format(index)
                 ? lst_index_error(lst_index_put_format(transaction, index->table))
                 : LST_ERR_CORRUPT;
    if (status == LST_OK) {
        return lst_index_commit(index, transaction);
    }
    mdb_txn_abort(transaction);
    return status;
}

/* Write both headers again, as they are. */
static int rewrite_headers(const struct lst_index *index)
{
    char bytes[SECTOR];
    MDB_stat state;

    if (mdb_env_stat(index->environment, &state) != 0) {
        return LST_ERR_IO;
    }
    for (int i = 0; i < HEADERS; i++) {
        off_t offset = (off_t)i * state.ms_psize;
        if (pread(index->witness, bytes, sizeof(bytes), offset) != (ssize_t)sizeof(bytes) ||
            pwrite(index->witness, bytes, sizeof(bytes), offset) != (ssize_t)sizeof(bytes)) {
            return LST_ERR_IO;
        }
    }
    return fdatasync(index->witness) == 0 ? LST_OK : LST_ERR_IO;
}

/*
 * Without room for a commit. Of a commit that failed the header alone can be in the page cache and
 * not on the disk, and taken for written: the pages are synced before it. Pages of a process that
 * was killed are still to be written, and a sync writes them. Within a transaction, so that no
 * other process writes a header meanwhile.
 */
static int settle_in_place(struct lst_index *index)
{
    MDB_txn *transaction;
    int status = lst_index_error(mdb_txn_begin(index->environment, NULL, 0, &transaction));

    if (status == LST_OK) {
        status = rewrite_headers(index);
        mdb_txn_abort(transaction);
    }
    return status;
}

int lst_index_settle(struct lst_index *index)
{
    int status = settle_by_commit(index);

    if (status == LST_ERR_NO_SPACE) {
        status = settle_in_place(index);
    }
    return status == LST_ERR_UNKNOWN ? LST_ERR_IO : status;
}
