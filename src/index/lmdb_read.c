/* lmdb_read.c - snapshots, point reads, and the cursor that goes through long keys. */
#include "index/engine.h"
#include "index/guard.h"

#include <stdlib.h>

static struct lst_index_reader *take_idle(struct lst_index *index)
{
    struct lst_index_reader *reader;

    pthread_mutex_lock(&index->readers_lock);
    reader = index->idle_readers;
    if (reader != NULL) {
        index->idle_readers = reader->next_idle;
    }
    pthread_mutex_unlock(&index->readers_lock);
    return reader;
}

static void put_idle(struct lst_index_reader *reader)
{
    struct lst_index *index = reader->index;

    pthread_mutex_lock(&index->readers_lock);
    reader->next_idle = index->idle_readers;
    index->idle_readers = reader;
    pthread_mutex_unlock(&index->readers_lock);
}

static void close_cursors(struct lst_index_reader *reader)
{
    if (reader->cursor != NULL) {
        mdb_cursor_close(reader->cursor);
    }
    if (reader->probe != NULL) {
        mdb_cursor_close(reader->probe);
    }
    reader->cursor = reader->probe = NULL;
    reader->is_positioned = false;
}

static void free_reader(struct lst_index_reader *reader)
{
    close_cursors(reader);
    mdb_txn_abort(reader->transaction);
    free(reader);
}

void lst_index_free_readers(struct lst_index *index)
{
    struct lst_index_reader *reader;

    while ((reader = take_idle(index)) != NULL) {
        free_reader(reader);
    }
}

static int look_at_header(void *environment)
{
    MDB_envinfo state;

    return lst_index_error(mdb_env_info(environment, &state));
}

static int new_reader(struct lst_index *index, struct lst_index_reader **ret_reader)
{
    struct lst_index_reader *reader;
    bool ended;
    int code;
    /* What follows allocates, and takes a lock. So whether the header can be read is seen before.
     */
    int status = lst_guard_read(index, look_at_header, index->environment, &ended);

    if (status != LST_OK) {
        return status;
    }
    reader = calloc(1, sizeof(*reader));
    if (reader == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    reader->index = index;
    code = mdb_txn_begin(index->environment, NULL, MDB_RDONLY, &reader->transaction);
    if (code != 0) {
        free(reader);
        return lst_index_error(code);
    }
    *ret_reader = reader;
    return LST_OK;
}

static int renew(void *transaction)
{
    return lst_index_error(mdb_txn_renew(transaction));
}

int lst_index_read_begin(struct lst_index *index, struct lst_index_reader **ret_reader)
{
    struct lst_index_reader *reader;
    int status;

    if (atomic_load(&index->has_failed)) {
        return LST_ERR_ENDING;
    }
    reader = take_idle(index);
    if (reader == NULL) {
        status = new_reader(index, &reader);
        if (status != LST_OK) {
            return status;
        }
    } else {
        bool ended;
        status = lst_guard_read(index, renew, reader->transaction, &ended);
        if (status != LST_OK) {
            free_reader(reader);
            return status;
        }
    }
    reader->cursor_is_renewed = false;
    reader->probe_is_renewed = false;
    reader->is_positioned = false;
    *ret_reader = reader;
    return LST_OK;
}

void lst_index_read_end(struct lst_index_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    if (reader->is_spoiled) {
        free_reader(reader);
        return;
    }
    mdb_txn_reset(reader->transaction);
    put_idle(reader);
}

/*
 * The number of the snapshot that a reader would get now. (What mdb_env_info() gives is the number
 * of a commit that may still be on its way to the disk, which a new snapshot does not see yet.)
 */
uint64_t lst_index_version(struct lst_index *index)
{
    struct lst_index_reader *reader;
    uint64_t version;

    if (lst_index_read_begin(index, &reader) != LST_OK) {
        /* Nobody knows; so a number that has not been. */
        return UINT64_MAX - atomic_fetch_add(&index->unknown_versions, 1);
    }
    version = mdb_txn_id(reader->transaction);
    lst_index_read_end(reader);
    return version;
}

static bool key_is_valid(uint64_t partition, struct lst_slice key)
{
    return lst_partition_is_valid(partition) && key.length > 0 && key.length <= LST_INDEX_KEY_MAX;
}

/* One guarded read: what is asked for, and what was found. */
struct read {
    struct lst_index_reader *reader;
    uint64_t partition;
    struct lst_slice key;
    struct lst_slice found_key;
    struct lst_slice value;
};

static int do_read(struct read *read, int (*call)(void *context))
{
    struct lst_index_reader *reader = read->reader;
    bool ended;
    int status = lst_guard_read(reader->index, call, read, &ended);

    if (ended) {
        read->found_key = read->value = lst_slice_make(NULL, 0);
        close_cursors(reader); /* one may have been left amid a move */
    }
    /* LMDB refuses a transaction that met damage, and perhaps one that is renewed from it. */
    if (status == LST_ERR_CORRUPT && read->value.bytes == NULL) {
        reader->is_spoiled = true;
    }
    return status;
}

static int renew_cursor(struct lst_index_reader *reader, MDB_cursor **cursor, bool *is_renewed)
{
    int code = 0;

    if (*cursor == NULL) {
        code = mdb_cursor_open(reader->transaction, reader->index->table, cursor);
    } else if (!*is_renewed) {
        code = mdb_cursor_renew(reader->transaction, *cursor);
    }
    *is_renewed = code == 0;
    return lst_index_error(code);
}

static int prepare_probe(struct lst_index_reader *reader)
{
    return renew_cursor(reader, &reader->probe, &reader->probe_is_renewed);
}

static int get_row(void *context)
{
    struct read *read = context;

    return lst_row_get(read->reader->transaction, read->reader->index->table, NULL, read->partition,
                       read->key, &read->value);
}

static int get_row_with_care(void *context)
{
    struct read *read = context;

    return lst_row_get(read->reader->transaction, read->reader->index->table, read->reader->probe,
                       read->partition, read->key, &read->value);
}

int lst_index_get(struct lst_index_reader *reader, uint64_t partition, struct lst_slice key,
                  struct lst_slice *ret_value)
{
    struct read read = {.reader = reader, .partition = partition, .key = key};
    int status;

    *ret_value = lst_slice_make(NULL, 0);
    if (!key_is_valid(partition, key)) {
        return LST_ERR_NOT_FOUND;
    }
    status = do_read(&read, get_row);
    if (status == LST_ERR_NOT_FOUND) {
        status = prepare_probe(reader);
        status = status == LST_OK ? do_read(&read, get_row_with_care) : status;
    }
    *ret_value = read.value;
    return status;
}

/* ---- The cursor */

static int prepare_cursor(struct lst_index_reader *reader)
{
    return renew_cursor(reader, &reader->cursor, &reader->cursor_is_renewed);
}

/* Move to the first row that is not less than [the current space][rest]; rest longer than a
 * fragment stands for its continuation's row. */
static int seek_row(struct lst_index_reader *reader, struct lst_slice rest, MDB_val *ret_key,
                    MDB_val *ret_value)
{
    struct lst_row_key row;

    reader->last_row = (MDB_val){0};
    lst_row_key_make(&row, reader->spaces[reader->depth], rest);
    return lst_row_seek(reader->cursor, lst_row_key_value(&row), ret_key, ret_value);
}

static bool is_in_space(MDB_val key, uint64_t space)
{
    char bytes[LST_SPACE_LENGTH];

    lst_space_encode(space, bytes);
    return key.mv_size >= LST_SPACE_LENGTH && memcmp(key.mv_data, bytes, LST_SPACE_LENGTH) == 0;
}

/* Back from a continuation that has no more keys: to the row behind it, one level up. */
static int leave_space(struct lst_index_reader *reader, MDB_val *ret_key, MDB_val *ret_value)
{
    struct lst_row_key row;

    reader->depth--;
    lst_row_key_make(
        &row, reader->spaces[reader->depth],
        lst_slice_make(reader->key + reader->depth * LST_ROW_FRAGMENT, LST_ROW_FRAGMENT));
    row.bytes[row.length++] = '\1'; /* right after the continuation's own 0x00 */
    reader->last_row = (MDB_val){0};
    return lst_row_seek(reader->cursor, lst_row_key_value(&row), ret_key, ret_value);
}

/* Take the row's fragment into the key. LST_ERR_CORRUPT if no such row can be. */
static int take_fragment(struct lst_index_reader *reader, MDB_val row_key)
{
    size_t start = reader->depth * LST_ROW_FRAGMENT;
    size_t length = row_key.mv_size - LST_SPACE_LENGTH;

    if (length == 0 || length > LST_ROW_FRAGMENT + 1 || start + length > sizeof(reader->key)) {
        return LST_ERR_CORRUPT;
    }
    memcpy(reader->key + start, (const char *)row_key.mv_data + LST_SPACE_LENGTH, length);
    reader->key_length = start + length;
    return LST_OK;
}

/* Go down into the continuation whose row the cursor is on. */
static int enter_space(struct lst_index_reader *reader, MDB_val value)
{
    uint64_t space;
    int status = lst_space_decode(value, &space);

    if (status != LST_OK || reader->depth + 1 >= LST_KEY_DEPTH_MAX) {
        return LST_ERR_CORRUPT;
    }
    reader->spaces[++reader->depth] = space;
    return LST_OK;
}

/*
 * From the row where the cursor stands (code: how it got there), go on to the first one that is a
 * key: down into continuations, where rest is what is left of the key that is looked for, and up
 * out of those that end.
 */
static int settle(struct lst_index_reader *reader, int code, MDB_val row_key, MDB_val value,
                  struct lst_slice rest, struct lst_slice *ret_key, struct lst_slice *ret_value)
{
    for (;;) {
        int status;
        if (code != 0 && code != MDB_NOTFOUND) {
            return lst_index_error(code);
        }
        if (code != 0 || !is_in_space(row_key, reader->spaces[reader->depth])) {
            rest = lst_slice_make(NULL, 0);
            if (reader->depth == 0) {
                return LST_ERR_NOT_FOUND;
            }
            code = leave_space(reader, &row_key, &value);
            continue;
        }
        status = take_fragment(reader, row_key);
        if (status != LST_OK) {
            return status;
        }
        status = lst_row_check(row_key, &value);
        if (status == LST_OK) {
            if (reader->last_row.mv_data != NULL &&
                lst_row_compare(row_key, reader->last_row) <= 0) {
                return LST_ERR_CORRUPT; /* a page stands where another belongs */
            }
            reader->last_row = row_key;
        }
        if (row_key.mv_size < LST_ROW_KEY_MAX) {
            *ret_key = lst_slice_make(reader->key, reader->key_length);
            *ret_value = lst_slice_make(value.mv_data, value.mv_size);
            return status;
        }
        /* Of a damaged continuation nobody knows which keys it has, so none of them is given to go
         * on behind. */
        if (status != LST_OK) {
            return status;
        }
        /* Only in the continuation that the key itself goes through does its rest still matter. */
        if (rest.length > LST_ROW_FRAGMENT &&
            memcmp(rest.bytes, (const char *)row_key.mv_data + LST_SPACE_LENGTH,
                   LST_ROW_FRAGMENT) == 0) {
            rest = lst_slice_after(rest, LST_ROW_FRAGMENT);
        } else {
            rest = lst_slice_make(NULL, 0);
        }
        status = enter_space(reader, value);
        if (status != LST_OK) {
            return status;
        }
        code = seek_row(reader, rest, &row_key, &value);
    }
}

static int seek_key(void *context)
{
    struct read *read = context;
    struct lst_index_reader *reader = read->reader;
    MDB_val row_key = {0};
    MDB_val value = {0};
    int code;
    int status;

    reader->depth = 0;
    reader->spaces[0] = read->partition;
    code = seek_row(reader, read->key, &row_key, &value);
    status = settle(reader, code, row_key, value, read->key, &read->found_key, &read->value);
    /* A row whose key changed can stand where it does not belong. Who goes on behind its key would
     * come back to it for ever. */
    if (read->found_key.length > 0 && lst_slice_compare(read->found_key, read->key) < 0) {
        read->found_key = read->value = lst_slice_make(NULL, 0);
        status = LST_ERR_CORRUPT;
    }
    return status;
}

static int next_key(void *context)
{
    struct read *read = context;
    struct lst_index_reader *reader = read->reader;
    MDB_val row_key = {0};
    MDB_val value = {0};
    int code = mdb_cursor_get(reader->cursor, &row_key, &value, MDB_NEXT);

    return settle(reader, code, row_key, value, lst_slice_make(NULL, 0), &read->found_key,
                  &read->value);
}

static int move(struct read *read, int (*call)(void *context), struct lst_slice *ret_key,
                struct lst_slice *ret_value)
{
    int status = do_read(read, call);

    *ret_key = read->found_key;
    *ret_value = read->value;
    read->reader->is_positioned = status == LST_OK || lst_index_is_damaged_row(status, *ret_key);
    return status;
}

int lst_index_seek(struct lst_index_reader *reader, uint64_t partition, struct lst_slice key,
                   struct lst_slice *ret_key, struct lst_slice *ret_value)
{
    char copy[LST_INDEX_KEY_MAX + 1]; /* the key may be the one that the reader gave last */
    struct read read = {.reader = reader, .partition = partition};
    int status = prepare_cursor(reader);

    reader->is_positioned = false;
    *ret_key = *ret_value = lst_slice_make(NULL, 0);
    if (status != LST_OK) {
        return status;
    }
    if (!lst_partition_is_valid(partition)) {
        return LST_ERR_NOT_FOUND;
    }
    /* No key is longer than KEY_MAX: one more byte is as good as all of them. */
    key = lst_slice_first(key, sizeof(copy));
    if (key.length > 0) {
        memcpy(copy, key.bytes, key.length);
    }
    read.key = lst_slice_make(copy, key.length);
    return move(&read, seek_key, ret_key, ret_value);
}

int lst_index_next(struct lst_index_reader *reader, struct lst_slice *ret_key,
                   struct lst_slice *ret_value)
{
    struct read read = {.reader = reader};

    *ret_key = *ret_value = lst_slice_make(NULL, 0);
    return reader->is_positioned ? move(&read, next_key, ret_key, ret_value) : LST_ERR_NOT_FOUND;
}
