/*
 * lmdb_room.c - keep the last pages of an index for those who make room in it.
 *
 * Every change takes new pages before it gives old ones back, a deletion too. Without a reserve an
 * index that is full, or whose disk is, could not even be deleted from. So some blocks behind the
 * end of the file are allocated ahead, where bodies can't take them, and what puts is refused
 * before it would need the last of them.
 */
#include "index/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

enum {
    /* What is kept: more than a deletion takes; of a small index a part. */
    RESERVE_PAGES = 64,
    RESERVE_PART = 16,
    /* What is allocated at a time beyond that, so that few commits have to; not of the last bytes
     * of a disk, which others need more. */
    STEP_PAGES = 64,
    PLENTY = 64 * 1024 * 1024,
    /* Of each batch: branches of the tree, and the list of free pages. Values of some KiB have
     * pages of their own. */
    BATCH_PAGES = 2,
    VALUE_PAGE = 4096,
};

struct space {
    uint64_t page_size;
    uint64_t last_transaction;
    uint64_t used; /* pages of the file, up to the last one in use */
    uint64_t most; /* pages that it can have */
};

static bool get_space(const struct lst_index *index, struct space *ret_space)
{
    MDB_envinfo info = {0};
    MDB_stat state = {0};
    struct rlimit limit;

    if (mdb_env_info(index->environment, &info) != 0 ||
        mdb_env_stat(index->environment, &state) != 0) {
        return false;
    }
    *ret_space = (struct space){.page_size = state.ms_psize,
                                .last_transaction = info.me_last_txnid,
                                .used = (uint64_t)info.me_last_pgno + 1,
                                .most = info.me_mapsize / state.ms_psize};
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        limit.rlim_cur / state.ms_psize < ret_space->most) {
        ret_space->most = limit.rlim_cur / state.ms_psize;
    }
    return true;
}

/* Allocate the file's blocks up to so many pages, without making it longer. False: the disk is
 * full. What is not known to fail counts as done: then the commit will tell. */
static bool allocate(struct lst_index *index, const struct space *space, uint64_t pages)
{
    uint64_t end = pages * space->page_size;
    uint64_t start = space->used * space->page_size;

    if (fallocate(index->witness, FALLOC_FL_KEEP_SIZE, (off_t)start, (off_t)(end - start)) != 0) {
        return errno != ENOSPC && errno != EDQUOT;
    }
    index->allocated = end;
    return true;
}

/* Pages that were freed and can be taken, as LMDB notes them: in its table 0, under the transaction
 * that freed them, each value a list with its length in front. What the last one freed, the next
 * one can't take. No more are counted than are asked for. LMDB shows the table to readers alone. */
static uint64_t count_freed(const struct lst_index *index, const struct space *space,
                            uint64_t enough)
{
    MDB_txn *reader;
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val list;
    uint64_t count = 0;

    if (mdb_txn_begin(index->environment, NULL, MDB_RDONLY, &reader) != 0) {
        return enough;
    }
    if (mdb_cursor_open(reader, 0, &cursor) == 0) {
        int code = mdb_cursor_get(cursor, &key, &list, MDB_FIRST);
        while (code == 0 && count < enough) {
            size_t freed_by = 0;
            size_t length = 0;
            if (key.mv_size == sizeof(freed_by) && list.mv_size >= sizeof(length)) {
                memcpy(&freed_by, key.mv_data, sizeof(freed_by));
                memcpy(&length, list.mv_data, sizeof(length));
            }
            count += freed_by < space->last_transaction ? length : 0;
            code = mdb_cursor_get(cursor, &key, &list, MDB_NEXT);
        }
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(reader);
    return count;
}

uint64_t lst_index_batch_pages(const struct lst_index_batch *batch)
{
    uint64_t pages = BATCH_PAGES;

    for (size_t i = 0; i < batch->change_count; i++) {
        const struct lst_index_change *change = &batch->changes[i];
        if (change->kind == LST_INDEX_PUT || change->kind == LST_INDEX_ADD) {
            pages += 1 + change->value.length / VALUE_PAGE;
        } else if (change->kind == LST_INDEX_DELETE) {
            pages++;
        }
    }
    return pages;
}

static bool has_plenty(const struct lst_index *index)
{
    struct statvfs disk;

    return fstatvfs(index->witness, &disk) == 0 && disk.f_bavail >= PLENTY / disk.f_frsize;
}

/* What the disk has for the pages that come next: left if that is needed or more, else what was
 * allocated before. */
static uint64_t left_on_disk(struct lst_index *index, const struct space *space, uint64_t needed,
                             uint64_t left)
{
    uint64_t pages = space->used + needed;
    uint64_t allocated;

    if (pages * space->page_size <= index->allocated) {
        return left;
    }
    if (has_plenty(index)) {
        pages += left - needed < STEP_PAGES ? left - needed : STEP_PAGES;
    }
    if (allocate(index, space, pages)) {
        return left;
    }
    allocated = index->allocated / space->page_size;
    return allocated > space->used ? allocated - space->used : 0;
}

bool lst_index_has_room(struct lst_index *index, uint64_t pages)
{
    struct space space;
    uint64_t needed;
    uint64_t left;

    if (!get_space(index, &space)) {
        return true;
    }
    needed = space.most / RESERVE_PART < RESERVE_PAGES ? space.most / RESERVE_PART : RESERVE_PAGES;
    needed += pages;
    left = space.most > space.used ? space.most - space.used : 0;
    if (left >= needed) {
        left = left_on_disk(index, &space, needed, left);
    }
    return left >= needed || count_freed(index, &space, needed - left) >= needed - left;
}
