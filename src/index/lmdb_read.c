/* lmdb_read.c - reading: what is read is copied for the reader, in a call that lets go of LMDB
 * before it returns. */
#include "index/engine.h"
#include "index/guard.h"

#include "latchstring.h"

#include <stdlib.h>

enum {
    /* Room for an object's row with a body in it, and those around it. */
    BLOCK_SIZE = 10 * 1024,
    /* Rows that a scan reads at once: one at first, for those who look for one. */
    AHEAD_FIRST = 1,
    AHEAD_FACTOR = 8,
    AHEAD_MOST = 96,
    AHEAD_FIRST_BYTES = 12 * 1024,
    AHEAD_BYTES = 128 * 1024,
};

/* ---- Readers */

static struct lst_index_reader *take_idle(struct lst_index *index)
{
    struct lst_index_reader *reader = atomic_exchange(&index->spare_reader, NULL);

    if (reader != NULL) {
        return reader;
    }
    pthread_mutex_lock(&index->readers_lock);
    reader = index->idle_readers;
    if (reader != NULL) {
        index->idle_readers = reader->next_idle;
    }
    pthread_mutex_unlock(&index->readers_lock);
    return reader;
}

static void free_blocks(struct lst_index_block *block)
{
    while (block != NULL) {
        struct lst_index_block *next = block->next;
        free(block);
        block = next;
    }
}

void lst_index_free_readers(struct lst_index *index)
{
    struct lst_index_reader *reader;

    while ((reader = take_idle(index)) != NULL) {
        free_blocks(reader->blocks);
        free(reader->ahead.bytes);
        free(reader);
    }
    lst_view_free_all(index);
}

int lst_index_read_begin(struct lst_index *index, struct lst_index_reader **ret_reader)
{
    struct lst_index_reader *reader;

    if (atomic_load(&index->has_failed)) {
        return LST_ERR_ENDING;
    }
    reader = take_idle(index);
    if (reader == NULL) {
        reader = calloc(1, sizeof(*reader));
        if (reader == NULL) {
            return LST_ERR_NO_MEMORY;
        }
        reader->index = index;
    }
    reader->is_strict = false;
    *ret_reader = reader;
    return LST_OK;
}

void lst_index_read_strictly(struct lst_index_reader *reader)
{
    reader->is_strict = true;
}

static void wipe(struct lst_index_reader *reader)
{
    for (struct lst_index_block *block = reader->blocks; block != NULL; block = block->next) {
        lst_wipe(block->bytes, block->used);
    }
    if (reader->ahead.bytes != NULL) {
        lst_wipe(reader->ahead.bytes, reader->ahead.capacity);
    }
}

/* Room for what the next reading reads stays; most readings need no more. */
static void forget(struct lst_index_reader *reader)
{
    struct lst_index_block *block = reader->blocks;

    if (reader->index->has_secrets) {
        wipe(reader);
    }
    while (block != NULL && (block->next != NULL || block->capacity > BLOCK_SIZE)) {
        reader->blocks = block->next;
        free(block);
        block = reader->blocks;
    }
    if (block != NULL) {
        block->used = 0;
    }
    if (reader->ahead.capacity > AHEAD_BYTES) {
        free(reader->ahead.bytes);
        reader->ahead = (struct lst_rows_ahead){0};
    }
    reader->is_scanning = false;
    reader->part = LST_STORED_ALL;
}

void lst_index_read_heads(struct lst_index_reader *reader)
{
    reader->part = LST_STORED_HEAD;
}

void lst_index_read_end(struct lst_index_reader *reader)
{
    struct lst_index_reader *none = NULL;
    struct lst_index *index;

    if (reader == NULL) {
        return;
    }
    index = reader->index;
    forget(reader);
    if (atomic_compare_exchange_strong(&index->spare_reader, &none, reader)) {
        return;
    }
    pthread_mutex_lock(&index->readers_lock);
    reader->next_idle = index->idle_readers;
    index->idle_readers = reader;
    pthread_mutex_unlock(&index->readers_lock);
}

/*
 * The number of the snapshot that a call would see now. (What mdb_env_info() gives is the number of
 * a commit that may still be on its way to the disk, which a new snapshot does not see yet.)
 */
uint64_t lst_index_version(struct lst_index *index, uint64_t partition)
{
    struct lst_view *view;
    uint64_t version;

    (void)partition;
    if (lst_view_take(index, &view) != LST_OK) {
        /* Nobody knows; so a number that has not been. */
        return UINT64_MAX - atomic_fetch_add(&index->unknown_versions, 1);
    }
    version = mdb_txn_id(view->transaction);
    lst_view_give_back(index, view);
    return version;
}

/* ---- Calls of LMDB, which are guarded: they allocate nothing */

/* LMDB refuses a transaction that met damage, and perhaps one that is renewed from it. */
static int guarded(struct lst_index *index, struct lst_view *view, int (*call)(void *context),
                   void *context, bool *ret_ended)
{
    int status = lst_guard_read(index, call, context, ret_ended);

    if (*ret_ended) {
        lst_view_spoil(view);
    }
    return status;
}

/* ---- One row */

/* Room in the first block for so many bytes. */
static int make_room(struct lst_index_reader *reader, size_t size)
{
    struct lst_index_block *block = reader->blocks;

    if (block == NULL || size > block->capacity - block->used) {
        size_t capacity = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        block = malloc(sizeof(*block) + capacity);
        if (block == NULL) {
            return LST_ERR_NO_MEMORY;
        }
        block->next = reader->blocks;
        block->used = 0;
        block->capacity = capacity;
        reader->blocks = block;
    }
    return LST_OK;
}

static bool key_is_valid(uint64_t partition, struct lst_slice key)
{
    return lst_partition_is_valid(partition) && key.length > 0 && key.length <= LST_INDEX_KEY_MAX;
}

/* What is asked for, and what was found. */
struct point_read {
    struct lst_index *index;
    struct lst_view *view;
    struct lst_probe probe; /* its cursor is NULL: look without care */
    uint64_t partition;
    struct lst_slice key;
    char *room;
    size_t room_length;
    struct lst_slice value; /* of LMDB's */
    bool is_copied;         /* to the room */
};

static int get_row(void *context)
{
    struct point_read *read = context;
    int status;

    read->is_copied = false;
    read->value = lst_slice_make(NULL, 0);
    status = lst_row_get(read->index, read->view->transaction,
                         read->probe.cursor == NULL ? NULL : &read->probe, read->partition,
                         read->key, &read->value);
    if (read->value.bytes != NULL && read->value.length <= read->room_length) {
        memcpy(read->room, read->value.bytes, read->value.length);
        read->is_copied = true;
    }
    return status;
}

static int get_once(struct lst_index_reader *reader, struct point_read *read)
{
    const struct lst_index_block *block = reader->blocks;
    bool ended;
    int status;

    read->room = reader->blocks->bytes + block->used;
    read->room_length = block->capacity - block->used;
    status = guarded(reader->index, read->view, get_row, read, &ended);
    if (ended) {
        read->value = lst_slice_make(NULL, 0);
    }
    read->view->is_spoiled =
        read->view->is_spoiled || (status == LST_ERR_CORRUPT && read->value.bytes == NULL);
    return status;
}

/* With room for what is there. */
static int get_with_room(struct lst_index_reader *reader, struct point_read *read)
{
    int status = make_room(reader, 1);

    if (status != LST_OK) {
        return status;
    }
    status = get_once(reader, read);
    if (read->value.bytes != NULL && !read->is_copied) {
        status = make_room(reader, read->value.length);
        status = status == LST_OK ? get_once(reader, read) : status;
    }
    return status;
}

int lst_index_get(struct lst_index_reader *reader, uint64_t partition, struct lst_slice key,
                  struct lst_slice *ret_value)
{
    struct lst_index *index = reader->index;
    struct point_read read = {.index = index, .partition = partition, .key = key};
    int status;

    *ret_value = lst_slice_make(NULL, 0);
    if (!key_is_valid(partition, key)) {
        return LST_ERR_NOT_FOUND;
    }
    status = lst_view_take(index, &read.view);
    if (status != LST_OK) {
        return status;
    }
    status = get_with_room(reader, &read);
    if (status == LST_ERR_NOT_FOUND) {
        status = lst_view_prepare_probe(index, read.view);
        read.probe = (struct lst_probe){read.view->probe, reader->is_strict};
        status = status == LST_OK ? get_with_room(reader, &read) : status;
    }
    if (read.value.bytes != NULL && read.is_copied) {
        *ret_value = lst_slice_make(read.room, read.value.length);
        reader->blocks->used += read.value.length;
    }
    lst_view_give_back(index, read.view);
    return status;
}

/* ---- Ranges: there is one */

int lst_index_get_own(struct lst_index_reader *reader, uint64_t partition, struct lst_slice route,
                      char name, struct lst_slice *ret_value)
{
    (void)route;
    return lst_index_get(reader, partition, lst_slice_make(&name, 1), ret_value);
}

int lst_index_next_range(struct lst_index_reader *reader, uint64_t partition,
                         struct lst_slice route, struct lst_slice *ret_low)
{
    (void)reader;
    (void)partition;
    (void)route;
    *ret_low = lst_slice_make(NULL, 0);
    return LST_ERR_NOT_FOUND;
}

/* ---- Scans: rows are read some at a time */

struct row_ahead {
    int status;
    uint32_t key_length;
    uint32_t value_length;
};

static bool is_row(int status, struct lst_slice key)
{
    return status == LST_OK || lst_index_is_damaged_row(status, key);
}

/* Room for so many bytes; there are no rows. */
static int reserve(struct lst_rows_ahead *ahead, size_t size)
{
    char *bytes;

    if (size <= ahead->capacity) {
        return LST_OK;
    }
    bytes = malloc(size);
    if (bytes == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    free(ahead->bytes);
    ahead->bytes = bytes;
    ahead->capacity = size;
    return LST_OK;
}

/* False: there is no room. */
static bool add_ahead(struct lst_rows_ahead *ahead, int status, struct lst_slice key,
                      struct lst_slice value)
{
    struct row_ahead row = {status, (uint32_t)key.length, (uint32_t)value.length};
    size_t size = sizeof(row) + key.length + value.length;
    char *at = ahead->bytes + ahead->used;

    if (size > ahead->capacity - ahead->used) {
        ahead->lack = size;
        return false;
    }
    memcpy(at, &row, sizeof(row));
    memcpy(at + sizeof(row), key.bytes, key.length);
    if (value.length > 0) {
        memcpy(at + sizeof(row) + key.length, value.bytes, value.length);
    }
    ahead->used += size;
    return true;
}

struct scan_read {
    struct lst_index_reader *reader;
    struct lst_walk walk;
};

/* To the row that the scan goes on with. */
static int find_place(struct scan_read *read, struct lst_slice *ret_key,
                      struct lst_slice *ret_value)
{
    const struct lst_index_reader *reader = read->reader;
    struct lst_slice base = lst_slice_make(reader->base, reader->base_length);
    int status = lst_walk_seek(&read->walk, reader->partition, base, ret_key, ret_value);

    if (reader->is_base_passed && is_row(status, *ret_key) && lst_slice_equal(*ret_key, base)) {
        status = lst_walk_next(&read->walk, ret_key, ret_value);
    }
    for (size_t i = 0; i < reader->passed && lst_index_is_damaged_row(status, *ret_key); i++) {
        status = lst_walk_next(&read->walk, ret_key, ret_value);
    }
    return status;
}

/* Behind the rows that were read the scan goes on: the last one that is certain becomes its base.
 */
static void set_base(struct lst_index_reader *reader)
{
    const struct lst_rows_ahead *ahead = &reader->ahead;
    struct row_ahead row;

    if (ahead->has_certain) {
        memcpy(&row, ahead->bytes + ahead->certain_at, sizeof(row));
        memcpy(reader->base, ahead->bytes + ahead->certain_at + sizeof(row), row.key_length);
        reader->base_length = row.key_length;
        reader->is_base_passed = true;
        reader->passed = 0;
    }
    reader->passed += ahead->damaged;
}

/* Whether a whole row, the first one that was found, is before the place that the scan goes on
 * from: a damaged one misled who looked for that. Whoever goes on behind each row that he is given
 * would be given the same ones for ever. */
static bool leads_back(const struct lst_index_reader *reader, struct lst_slice key)
{
    int order = lst_slice_compare(key, lst_slice_make(reader->base, reader->base_length));

    return order < 0 || (order == 0 && reader->is_base_passed);
}

/* The keys of damaged rows mislead who looks for others near them. So behind one the scan goes on
 * as far as it can, without looking again for where it was. */
static int read_rows(void *context)
{
    struct scan_read *read = context;
    struct lst_rows_ahead *ahead = &read->reader->ahead;
    size_t want = read->reader->want;
    struct lst_slice key;
    struct lst_slice value;
    size_t count = 0;
    int status = find_place(read, &key, &value);

    while (is_row(status, key)) {
        size_t at = ahead->used;
        if (status == LST_OK && !ahead->has_certain && leads_back(read->reader, key)) {
            return LST_ERR_CORRUPT;
        }
        if (!add_ahead(ahead, status, key, value)) {
            return LST_OK;
        }
        if (status == LST_OK) {
            ahead->certain_at = at;
            ahead->has_certain = true;
            ahead->damaged = 0;
        } else {
            want = AHEAD_MOST;
            ahead->damaged++;
        }
        count++;
        if (count >= want) {
            return LST_OK;
        }
        status = lst_walk_next(&read->walk, &key, &value);
    }
    return status;
}

static void clear_ahead(struct lst_rows_ahead *ahead)
{
    ahead->at = ahead->used = 0;
    ahead->has_certain = false;
    ahead->damaged = 0;
    ahead->lack = 0;
}

static int read_once(struct lst_index_reader *reader, bool *ret_ended)
{
    struct scan_read read;
    int status = lst_view_take(reader->index, &read.walk.view);

    *ret_ended = false;
    if (status != LST_OK) {
        return status;
    }
    read.reader = reader;
    read.walk.index = reader->index;
    read.walk.part = reader->part;
    status = lst_view_prepare_cursor(reader->index, read.walk.view);
    if (status == LST_OK) {
        status = guarded(reader->index, read.walk.view, read_rows, &read, ret_ended);
    }
    read.walk.view->is_spoiled = read.walk.view->is_spoiled || status == LST_ERR_CORRUPT;
    lst_view_give_back(reader->index, read.walk.view);
    return status;
}

/* Read some rows. What was read when a call did not come to its end is not certain: then row by
 * row, up to where it can't. */
static int read_ahead(struct lst_index_reader *reader)
{
    struct lst_rows_ahead *ahead = &reader->ahead;
    bool ended = false;
    int status;

    set_base(reader);
    do {
        size_t size = reader->want == 1 ? AHEAD_FIRST_BYTES : AHEAD_BYTES;
        status = reserve(ahead, ahead->lack > size ? ahead->lack : size);
        if (status != LST_OK) {
            return status;
        }
        reader->want = ended ? 1 : reader->want;
        clear_ahead(ahead);
        status = read_once(reader, &ended);
        if (ended) {
            clear_ahead(ahead);
        }
    } while ((ended && reader->want > 1) || (status == LST_OK && ahead->used == 0));
    reader->want =
        reader->want * AHEAD_FACTOR < AHEAD_MOST ? reader->want * AHEAD_FACTOR : AHEAD_MOST;
    return status;
}

static int give_next(struct lst_index_reader *reader, struct lst_slice *ret_key,
                     struct lst_slice *ret_value)
{
    struct lst_rows_ahead *ahead = &reader->ahead;
    struct row_ahead row;

    memcpy(&row, ahead->bytes + ahead->at, sizeof(row));
    *ret_key = lst_slice_make(ahead->bytes + ahead->at + sizeof(row), row.key_length);
    *ret_value = lst_slice_make(ret_key->bytes + row.key_length, row.value_length);
    ahead->at += sizeof(row) + row.key_length + row.value_length;
    return row.status;
}

static int give_row(struct lst_index_reader *reader, struct lst_slice *ret_key,
                    struct lst_slice *ret_value)
{
    struct lst_rows_ahead *ahead = &reader->ahead;

    *ret_key = *ret_value = lst_slice_make(NULL, 0);
    if (ahead->at == ahead->used && ahead->end == LST_OK) {
        ahead->end = read_ahead(reader);
    }
    if (ahead->at < ahead->used) {
        return give_next(reader, ret_key, ret_value);
    }
    reader->is_scanning = false;
    return ahead->end;
}

int lst_index_seek(struct lst_index_reader *reader, uint64_t partition, struct lst_slice key,
                   struct lst_slice *ret_key, struct lst_slice *ret_value)
{
    *ret_key = *ret_value = lst_slice_make(NULL, 0);
    reader->is_scanning = lst_partition_is_valid(partition);
    if (!reader->is_scanning) {
        return LST_ERR_NOT_FOUND;
    }
    /* No key is longer than KEY_MAX: one more byte is as good as all of them. */
    key = lst_slice_first(key, sizeof(reader->base));
    if (key.length > 0) {
        memmove(reader->base, key.bytes, key.length);
    }
    reader->base_length = key.length;
    reader->is_base_passed = false;
    reader->passed = 0;
    reader->partition = partition;
    reader->want = AHEAD_FIRST;
    clear_ahead(&reader->ahead);
    reader->ahead.end = LST_OK;
    return give_row(reader, ret_key, ret_value);
}

int lst_index_next(struct lst_index_reader *reader, struct lst_slice *ret_key,
                   struct lst_slice *ret_value)
{
    *ret_key = *ret_value = lst_slice_make(NULL, 0);
    return reader->is_scanning ? give_row(reader, ret_key, ret_value) : LST_ERR_NOT_FOUND;
}
