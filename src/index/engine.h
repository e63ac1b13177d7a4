/*
 * engine.h - inside the LMDB engine: how logical keys map to rows, and what its files share.
 *
 * A row's key is a space (8 bytes, big-endian) and a fragment of at most LST_ROW_FRAGMENT bytes.
 * Partition p is space p. LMDB as Debian builds it takes keys of 511 bytes at most, so a longer key
 * goes on in a space of its own: the row [space][the first LST_ROW_FRAGMENT bytes][0x00] has as its
 * value the number of a continuation space, in which the rest of the key stands in the same way.
 * The byte 0x00 puts that row right behind the one of the key that ends there, so rows are in the
 * exact order of their keys. A continuation space ends with its last key.
 *
 * Every value is stored with a checksum (checksum.h), those of continuations too; only the one
 * that names the format has none, so that it can be read whatever the format.
 *
 * docs/on-disk-format.md describes the same for people.
 */
#ifndef LST_INDEX_ENGINE_H
#define LST_INDEX_ENGINE_H

#include "index/checksum.h"
#include "index/index.h"

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
    LST_SPACE_LENGTH = 8,
    LST_ROW_FRAGMENT = 480,
    LST_ROW_KEY_MAX = LST_SPACE_LENGTH + LST_ROW_FRAGMENT + 1,
    /* Spaces that one key can go through. */
    LST_KEY_DEPTH_MAX = (LST_INDEX_KEY_MAX + LST_ROW_FRAGMENT - 1) / LST_ROW_FRAGMENT,
    /* Batches in one commit: bounds how long the first of them waits. */
    LST_GROUP_MAX = 1024,
};

/* Spaces from here on are continuations; the last one holds the engine's own rows. */
#define LST_SPACE_CONTINUATION (UINT64_C(1) << 63)
#define LST_SPACE_ENGINE       UINT64_MAX

/* Partitions below LST_SPACE_CONTINUATION are the caller's. */
static inline bool lst_partition_is_valid(uint64_t partition)
{
    return partition < LST_SPACE_CONTINUATION;
}

enum { LST_PATH_KNOWN = 64 };

/* Of one write transaction: the last committed tree, and pages that were looked at (lmdb_path.c).
 */
struct lst_path_check {
    uint64_t root;
    uint64_t last_page;
    uint64_t known[LST_PATH_KNOWN];
};

struct lst_index {
    MDB_env *environment;
    MDB_dbi table;
    bool read_only;
    bool has_secrets;
    char *path;
    uintptr_t map_start; /* where the file is mapped; 0: not known yet */
    uintptr_t map_end;
    size_t page_size;

    pthread_mutex_t readers_lock;
    struct lst_index_reader *idle_readers;
    struct lst_view *idle_views;
    /* One of each that needs no lock. */
    _Atomic(struct lst_index_reader *) spare_reader;
    _Atomic(struct lst_view *) spare_view;
    atomic_uint_fast64_t unknown_versions;

    /* The committer's. */
    pthread_t committer;
    struct lst_path_check path_check;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct lst_index_batch *first_waiting;
    struct lst_index_batch **last_waiting; /* where the next one is linked */
    bool stopping;
    atomic_bool has_failed; /* a sync has: nothing is written any more */
    int witness;            /* the file once more, see lmdb_commit.c */
    uint64_t allocated;     /* bytes of the file whose blocks are allocated, see lmdb_room.c */
    atomic_uint_fast64_t commits;
    atomic_uint_fast64_t batches;
};

/* ---- Reading: lmdb_view.c, lmdb_read.c, lmdb_walk.c */

/* What one call sees LMDB through: a snapshot, which is let go of before the call returns. Between
 * calls it waits in the index, with its place in LMDB's table of readers. */
struct lst_view {
    MDB_txn *transaction; /* reset while the view waits */
    MDB_cursor *cursor;   /* NULL until the first scan */
    bool cursor_is_renewed;
    MDB_cursor *probe; /* for what is not found; NULL until then */
    bool probe_is_renewed;
    bool is_spoiled; /* it met damage of the file's structure: no other call gets it */
    struct lst_view *next_idle;
};

/* LST_ERR_ENDING: a sync of the index has failed. */
LST_MUST_CHECK int lst_view_take(struct lst_index *index, struct lst_view **ret_view);
void lst_view_give_back(struct lst_index *index, struct lst_view *view);
/* Have the cursor, or the probe. They allocate, so this comes before a guarded read. */
LST_MUST_CHECK int lst_view_prepare_cursor(struct lst_index *index, struct lst_view *view);
LST_MUST_CHECK int lst_view_prepare_probe(struct lst_index *index, struct lst_view *view);
/* A guarded read of the view did not come to its end: its cursors may have been left amid a move.
 */
void lst_view_spoil(struct lst_view *view);
/* All that wait, at the close. */
void lst_view_free_all(struct lst_index *index);

/* Where a view's cursor is: in the space of level depth, behind the key's first depth fragments. */
struct lst_walk {
    struct lst_index *index;
    struct lst_view *view;
    enum lst_stored_part part; /* of values */
    MDB_val last_row;          /* the key of the last whole row since the walk was positioned */
    size_t depth;
    uint64_t spaces[LST_KEY_DEPTH_MAX];
    size_t key_length;
    char key[LST_INDEX_KEY_MAX];
};

/* Move to the first row of the partition whose key is not less than this one (it must not lie in
 * the walk), or, next, to the one after. Key and value point into the walk and into LMDB: valid
 * until the next move. Codes as lst_index_seek(). Within a guarded read (guard.h); the cursor is
 * prepared. */
LST_MUST_CHECK int lst_walk_seek(struct lst_walk *walk, uint64_t partition, struct lst_slice key,
                                 struct lst_slice *ret_key, struct lst_slice *ret_value);
LST_MUST_CHECK int lst_walk_next(struct lst_walk *walk, struct lst_slice *ret_key,
                                 struct lst_slice *ret_value);

/* Values that were read, side by side. */
struct lst_index_block {
    struct lst_index_block *next;
    size_t used;
    size_t capacity;
    char bytes[];
};

/* Rows that a scan has read ahead. */
struct lst_rows_ahead {
    char *bytes; /* each a struct lst_row_ahead, its key, its value */
    size_t capacity;
    size_t used;
    size_t at;         /* the next one to be given */
    size_t certain_at; /* the last one whose checksum is right */
    bool has_certain;
    size_t damaged; /* rows behind that one */
    size_t lack;    /* of room, for a row that was not taken */
    int end; /* what comes behind them: LST_OK: more rows; else the code that ends the scan */
};

struct lst_index_reader {
    struct lst_index *index;
    struct lst_index_reader *next_idle;
    struct lst_index_block *blocks; /* the first one stays when the reading ends */

    bool is_strict; /* of gets: lst_index_read_strictly() */
    bool is_scanning;
    enum lst_stored_part part; /* of values, that scans give */
    bool is_base_passed;       /* what was not read ahead yet begins behind the base; else at it */
    uint64_t partition;
    size_t want;   /* rows to read ahead next time */
    size_t passed; /* damaged rows that were read since the base */
    struct lst_rows_ahead ahead;
    /* The last key that was read and is certain, or where the scan began. */
    size_t base_length;
    char base[LST_INDEX_KEY_MAX + 1];
};

/* A row's key being put together. */
struct lst_row_key {
    size_t length;
    char bytes[LST_ROW_KEY_MAX + 1];
};

/* [space][fragment], or, if the rest of a key is longer than a fragment, the row of its
 * continuation. */
void lst_row_key_make(struct lst_row_key *row, uint64_t space, struct lst_slice rest);
MDB_val lst_row_key_value(struct lst_row_key *row);

void lst_space_encode(uint64_t space, char ret_bytes[LST_SPACE_LENGTH]);
/* Of a continuation row's value. LST_ERR_CORRUPT. */
LST_MUST_CHECK int lst_space_decode(MDB_val value, uint64_t *ret_space);

/* Take a row's value, or its head, out of what is stored. LST_ERR_CORRUPT: its checksum is wrong
 * (index/checksum.h). */
LST_MUST_CHECK int lst_row_check(MDB_val row_key, enum lst_stored_part part, MDB_val *value);

/* How what is not found is looked for once more. */
struct lst_probe {
    MDB_cursor *cursor;
    bool is_strict; /* any damaged row there may have been it */
};
/* The value of a key within a transaction. LST_ERR_NOT_FOUND, _CORRUPT (as lst_index_get()). With a
 * probe, what is not found is looked for with care. */
LST_MUST_CHECK int lst_row_get(const struct lst_index *index, MDB_txn *transaction,
                               const struct lst_probe *probe, uint64_t partition,
                               struct lst_slice key, struct lst_slice *ret_value);
/* The same in a write transaction, for one who changes the row or requires it. A row that readers
 * find and LMDB does not is LST_ERR_CORRUPT, without a value: it can't be changed. */
LST_MUST_CHECK int lst_row_get_to_change(const struct lst_index *index, MDB_txn *transaction,
                                         uint64_t partition, struct lst_slice key,
                                         struct lst_slice *ret_value);
/*
 * LMDB halves the rows of a page to find one, and a row whose key the disk changed sends it astray.
 * So what is not found is looked for around the place to which LMDB was sent. Gives the row's value
 * after all; LST_ERR_NOT_FOUND: the whole rows around the place are in order, and no damaged one
 * between them was the key's (strict: there is no damaged one); LST_ERR_CORRUPT: with a value, the
 * cursor is at the row that was the key's, of which only the name has changed; else ret_value is as
 * it was.
 */
LST_MUST_CHECK int lst_row_look_around(const struct lst_index *index, const struct lst_probe *probe,
                                       MDB_val key, MDB_val *ret_value);

/* Move to the first row that is not less than the key. Gives what LMDB gave; MDB_CORRUPTED: the row
 * before should stand behind, or the other way round. */
int lst_row_seek(const struct lst_index *index, MDB_cursor *cursor, MDB_val key, MDB_val *ret_at,
                 MDB_val *ret_value);
/* A walk through a space has come to this row, which is not of it. LST_ERR_NOT_FOUND: so it is
 * over. LST_ERR_CORRUPT: it is one whose key has changed, and rows of the space stand behind it. */
LST_MUST_CHECK int lst_row_look_behind(MDB_cursor *cursor, uint64_t space, MDB_val at,
                                       MDB_val value);

/* Whether the page in which a row's key stands makes sense: else rows of it may be lost. */
bool lst_row_page_is_whole(const struct lst_index *index, MDB_val key);

/* ---- Before a change: lmdb_path.c */

/* In a write transaction that has changed nothing. False: what LMDB takes room from is damaged, and
 * nothing can be written. */
bool lst_path_begin(struct lst_index *index);

/* Whether LMDB may put or delete this row: else pages that it goes through make no sense. */
bool lst_path_is_whole(struct lst_index *index, MDB_val row_key);

/* memcmp, a shorter key first. */
int lst_row_compare(MDB_val left, MDB_val right);
/* Within a write transaction, after lst_path_begin(); after any failure it must be aborted.
 * LST_ERR_CORRUPT: pages that LMDB would go through make no sense, or a row that has the number of
 * a space is damaged. Such a row is never made anew: it alone says where the rest of its keys is.
 */
LST_MUST_CHECK int lst_row_put(MDB_txn *transaction, struct lst_index *index, uint64_t partition,
                               struct lst_slice key, struct lst_slice value, size_t head_length);
LST_MUST_CHECK int lst_row_delete(MDB_txn *transaction, struct lst_index *index, uint64_t partition,
                                  struct lst_slice key);

/* Make the file, with its format in it, unless it is there. Its name is not synced yet. What a
 * process left that died while it made the file is deleted. */
LST_MUST_CHECK int lst_index_create(const char *path);

/* Put the row that names the format. Gives what LMDB gave. */
LST_MUST_CHECK int lst_index_put_format(MDB_txn *transaction, MDB_dbi table);
/* Whether it can be put, after lst_path_begin(). */
bool lst_index_may_put_format(struct lst_index *index);

/* Free the idle readers, at the close. */
void lst_index_free_readers(struct lst_index *index);

/*
 * Commit a transaction, which is ended whatever comes of it. LST_ERR_UNKNOWN: a sync failed, and
 * the index is to write nothing more (has_failed). Else the transaction left no trace.
 */
LST_MUST_CHECK int lst_index_commit(struct lst_index *index, MDB_txn *transaction);

/*
 * Whether, after the last commit, so many pages can be taken and the last ones of the index (of its
 * map, and of its disk) be left to those who make room. Allocates the file's blocks ahead for that.
 * The committer's, and the opening's.
 */
bool lst_index_has_room(struct lst_index *index, uint64_t pages);

/* How many pages a batch takes, by and large. */
uint64_t lst_index_batch_pages(const struct lst_index_batch *batch);

/*
 * Make what can be read durable, once, at the opening. It may be what a process wrote whose last
 * sync failed, or that was killed before it: in the page cache, and perhaps not on the disk. Who
 * acts on it (deletes a blob that no row names) then acts on something that a power cut leaves. A
 * full disk or map does not keep the index from being opened. LST_ERR_IO: a sync failed;
 * _NO_MEMORY, _CORRUPT.
 */
LST_MUST_CHECK int lst_index_settle(struct lst_index *index);

/* The committer's thread. */
void *lst_index_committer(void *index);

/* The code for what an LMDB function gave. */
int lst_index_error(int code);

#endif
