/* lmdb_row.c - keys of any length on rows whose keys are short: see engine.h. */
#include "index/engine.h"

#include "index/guard.h"

#include <errno.h>

static const struct lst_slice next_space_name = {"next-space", 10};

int lst_index_error(int code)
{
    switch (code) {
    case MDB_SUCCESS:
        return LST_OK;
    case MDB_NOTFOUND:
        return LST_ERR_NOT_FOUND;
    case MDB_MAP_FULL:
    case EFBIG: /* the process's file size limit: as good as a full disk */
        return LST_ERR_NO_SPACE;
    case MDB_TXN_FULL:
        return LST_ERR_TOO_LARGE;
    case MDB_INVALID:
    case MDB_CORRUPTED:
    case MDB_VERSION_MISMATCH:
    case MDB_PAGE_NOTFOUND:
    case MDB_CURSOR_FULL: /* pages refer to each other in a circle */
    case MDB_BAD_TXN:     /* of a transaction that met damage before */
        return LST_ERR_CORRUPT;
    case MDB_READERS_FULL:
    case MDB_MAP_RESIZED:
        return LST_ERR_NO_MEMORY;
    default:
        return code > 0 ? lst_error_from_errno(code) : LST_ERR_IO;
    }
}

void lst_space_encode(uint64_t space, char ret_bytes[LST_SPACE_LENGTH])
{
    for (int i = 0; i < LST_SPACE_LENGTH; i++) {
        ret_bytes[i] = (char)(uint8_t)(space >> (56 - 8 * i));
    }
}

int lst_space_decode(MDB_val value, uint64_t *ret_space)
{
    const uint8_t *bytes = value.mv_data;
    uint64_t space = 0;

    if (value.mv_size != LST_SPACE_LENGTH) {
        return LST_ERR_CORRUPT;
    }
    for (int i = 0; i < LST_SPACE_LENGTH; i++) {
        space = space << 8 | bytes[i];
    }
    if (lst_partition_is_valid(space) || space == LST_SPACE_ENGINE) {
        return LST_ERR_CORRUPT;
    }
    *ret_space = space;
    return LST_OK;
}

void lst_row_key_make(struct lst_row_key *row, uint64_t space, struct lst_slice rest)
{
    struct lst_slice fragment = lst_slice_first(rest, LST_ROW_FRAGMENT);

    lst_space_encode(space, row->bytes);
    if (fragment.bytes != NULL) {
        memcpy(row->bytes + LST_SPACE_LENGTH, fragment.bytes, fragment.length);
    }
    row->length = LST_SPACE_LENGTH + fragment.length;
    if (rest.length > LST_ROW_FRAGMENT) {
        row->bytes[row->length++] = '\0';
    }
}

MDB_val lst_row_key_value(struct lst_row_key *row)
{
    MDB_val value = {row->length, row->bytes};

    return value;
}

int lst_row_check(MDB_val row_key, enum lst_stored_part part, MDB_val *value)
{
    struct lst_slice content;
    int status;

    if (value->mv_data == NULL || value->mv_size > LST_INDEX_VALUE_MAX + LST_STORED_EXTRA_MAX) {
        *value = (MDB_val){0}; /* no row is so long */
        return LST_ERR_CORRUPT;
    }
    status = lst_stored_read(lst_slice_make(row_key.mv_data, row_key.mv_size),
                             lst_slice_make(value->mv_data, value->mv_size), part, &content);
    *value = (MDB_val){content.length, (void *)content.bytes};
    return status;
}

/* LST_ERR_CORRUPT: the value is what stands there, or, if nothing does that could be read, NULL. */
static int find(const struct lst_index *index, MDB_txn *transaction, const struct lst_probe *probe,
                uint64_t space, struct lst_slice rest, MDB_val *ret_value)
{
    struct lst_row_key row;
    MDB_val row_key;
    int status;

    *ret_value = (MDB_val){0};
    lst_row_key_make(&row, space, rest);
    row_key = lst_row_key_value(&row);
    status = lst_index_error(mdb_get(transaction, index->table, &row_key, ret_value));
    if (status == LST_ERR_NOT_FOUND && probe != NULL) {
        return lst_row_look_around(index, probe, row_key, ret_value);
    }
    return status == LST_OK ? lst_row_check(row_key, LST_STORED_ALL, ret_value) : status;
}

static int get(MDB_txn *transaction, struct lst_index *index, uint64_t space, struct lst_slice rest,
               MDB_val *ret_value)
{
    return find(index, transaction, NULL, space, rest, ret_value);
}

/* What a change looks for with care. */
struct search {
    const struct lst_index *index;
    struct lst_probe probe;
    MDB_txn *transaction;
    uint64_t partition;
    uint64_t space;
    struct lst_slice key;
    struct lst_slice value;
    MDB_val row_key;
    MDB_val row_value;
};

static int look_around(void *context)
{
    struct search *search = context;

    return lst_row_look_around(search->index, &search->probe, search->row_key, &search->row_value);
}

/* What a row that is changed holds. */
enum row_kind {
    ROW_VALUE,  /* a value of the caller's, who knows what he replaces */
    ROW_NUMBER, /* the number of a space, which stands nowhere else */
};

/*
 * Before a change of a row that LMDB does not find: whether it is there all the same. If only its
 * name has changed, it is taken away: the change makes it anew, or ends it. LST_ERR_CORRUPT: the
 * row is whole, and a damaged one keeps LMDB from it; LMDB would make a second one, or end none. Or
 * it has a number: without that, all rows of the space would be lost.
 */
static int make_way(MDB_txn *transaction, struct lst_index *index, MDB_val row_key,
                    enum row_kind kind)
{
    struct search search = {.index = index, .row_key = row_key};
    int status = lst_index_error(mdb_cursor_open(transaction, index->table, &search.probe.cursor));
    bool ended;

    if (status != LST_OK) {
        return status;
    }
    status = lst_guard_read(index, look_around, &search, &ended);
    if (status == LST_OK) {
        status = LST_ERR_CORRUPT;
    } else if (status == LST_ERR_NOT_FOUND) {
        status = LST_OK;
    } else if (status == LST_ERR_CORRUPT && !ended && search.row_value.mv_data != NULL &&
               kind == ROW_VALUE) {
        status = lst_index_error(mdb_cursor_del(search.probe.cursor, 0));
    }
    mdb_cursor_close(search.probe.cursor);
    return status;
}

static int put(MDB_txn *transaction, struct lst_index *index, uint64_t space, struct lst_slice rest,
               enum row_kind kind, struct lst_slice content, size_t head_length)
{
    struct lst_row_key row;
    MDB_val row_key;
    MDB_val value = {lst_stored_size(content.length, head_length), NULL};
    MDB_val before;
    int code;

    lst_row_key_make(&row, space, rest);
    row_key = lst_row_key_value(&row);
    if (!lst_path_is_whole(index, row_key)) {
        return LST_ERR_CORRUPT;
    }
    code = mdb_get(transaction, index->table, &row_key, &before);
    if (code == MDB_NOTFOUND) {
        int status = make_way(transaction, index, row_key, kind);
        if (status != LST_OK) {
            return status;
        }
    }
    code = mdb_put(transaction, index->table, &row_key, &value, MDB_RESERVE);
    if (code == 0) {
        lst_stored_write(value.mv_data, lst_slice_make(row.bytes, row.length), content,
                         head_length);
    }
    return lst_index_error(code);
}

int lst_row_get(const struct lst_index *index, MDB_txn *transaction, const struct lst_probe *probe,
                uint64_t partition, struct lst_slice key, struct lst_slice *ret_value)
{
    uint64_t space = partition;
    MDB_val value;

    *ret_value = lst_slice_make(NULL, 0);
    for (;;) {
        int status = find(index, transaction, probe, space, key, &value);
        if (key.length <= LST_ROW_FRAGMENT) {
            *ret_value = lst_slice_make(value.mv_data, value.mv_size);
            return status;
        }
        if (status == LST_OK) {
            status = lst_space_decode(value, &space);
        }
        if (status != LST_OK) {
            return status;
        }
        key = lst_slice_after(key, LST_ROW_FRAGMENT);
    }
}

static int get_with_care(void *context)
{
    struct search *search = context;

    return lst_row_get(search->index, search->transaction, &search->probe, search->partition,
                       search->key, &search->value);
}

int lst_row_get_to_change(const struct lst_index *index, MDB_txn *transaction, uint64_t partition,
                          struct lst_slice key, struct lst_slice *ret_value)
{
    struct search search = {
        .index = index, .transaction = transaction, .partition = partition, .key = key};
    int status = lst_row_get(index, transaction, NULL, partition, key, ret_value);
    bool ended;

    if (status != LST_ERR_NOT_FOUND) {
        return status;
    }
    status = lst_index_error(mdb_cursor_open(transaction, index->table, &search.probe.cursor));
    if (status != LST_OK) {
        return status;
    }
    status = lst_guard_read(index, get_with_care, &search, &ended);
    mdb_cursor_close(search.probe.cursor);
    *ret_value = lst_slice_make(NULL, 0);
    if (status == LST_ERR_CORRUPT && !ended) {
        *ret_value = search.value;
    }
    return status == LST_OK ? LST_ERR_CORRUPT : status;
}

/* ---- Spaces of continuations */

/* The first row that is not before the key, which is a space. LST_OK: it is of that space.
 * LST_ERR_NOT_FOUND: none is. LST_ERR_CORRUPT: behind damaged rows, some may be. */
static int seek_space(void *context)
{
    struct search *search = context;
    MDB_val at;
    int code =
        lst_row_seek(search->index, search->probe.cursor, search->row_key, &at, &search->row_value);

    if (code != 0) {
        return lst_index_error(code);
    }
    if (at.mv_size >= LST_SPACE_LENGTH &&
        memcmp(at.mv_data, search->row_key.mv_data, LST_SPACE_LENGTH) == 0) {
        return LST_OK;
    }
    return lst_row_look_behind(search->probe.cursor, search->space, at, search->row_value);
}

/* The same of any space from this one on, but the engine's. */
static int seek_any_space(void *context)
{
    struct search *search = context;
    char engine[LST_SPACE_LENGTH];
    MDB_val at = search->row_key;
    int code = mdb_cursor_get(search->probe.cursor, &at, &search->row_value, MDB_SET_RANGE);

    lst_space_encode(LST_SPACE_ENGINE, engine);
    if (code != 0) {
        return lst_index_error(code);
    }
    return at.mv_size >= sizeof(engine) && memcmp(at.mv_data, engine, sizeof(engine)) == 0
               ? LST_ERR_NOT_FOUND
               : LST_OK;
}

/* Gives what the call gives. LST_ERR_IO, _NO_MEMORY. */
static int look_for_space(MDB_txn *transaction, struct lst_index *index, uint64_t space,
                          int (*call)(void *context), bool *ret_ended)
{
    struct lst_row_key row;
    struct search search = {.index = index, .space = space};
    int status = lst_index_error(mdb_cursor_open(transaction, index->table, &search.probe.cursor));

    *ret_ended = false;
    if (status != LST_OK) {
        return status;
    }
    lst_row_key_make(&row, space, lst_slice_make(NULL, 0));
    search.row_key = lst_row_key_value(&row);
    status = lst_guard_read(index, call, &search, ret_ended);
    mdb_cursor_close(search.probe.cursor);
    return status;
}

/* The first number, unless there are continuations: then the row that says which is the next one
 * has changed its name, and the numbers must not begin again. */
static int find_first_space(MDB_txn *transaction, struct lst_index *index, uint64_t *ret_space)
{
    bool ended;
    int status = look_for_space(transaction, index, LST_SPACE_CONTINUATION, seek_any_space, &ended);

    if (status != LST_ERR_NOT_FOUND) {
        return status == LST_OK ? LST_ERR_CORRUPT : status;
    }
    *ret_space = LST_SPACE_CONTINUATION;
    return LST_OK;
}

/* A number that no continuation has had. */
static int allocate_space(MDB_txn *transaction, struct lst_index *index, uint64_t *ret_space)
{
    uint64_t space = LST_SPACE_CONTINUATION;
    char bytes[LST_SPACE_LENGTH];
    MDB_val value;
    int status = get(transaction, index, LST_SPACE_ENGINE, next_space_name, &value);

    if (status == LST_OK) {
        status = lst_space_decode(value, &space);
    } else if (status == LST_ERR_NOT_FOUND) {
        status = find_first_space(transaction, index, &space);
    }
    if (status != LST_OK) {
        return status;
    }
    lst_space_encode(space + 1, bytes);
    status = put(transaction, index, LST_SPACE_ENGINE, next_space_name, ROW_NUMBER,
                 lst_slice_make(bytes, sizeof(bytes)), 0);
    if (status == LST_OK) {
        *ret_space = space;
    }
    return status;
}

/* The space in which this key of the given space goes on; made if there is none. */
static int continue_key(MDB_txn *transaction, struct lst_index *index, uint64_t space,
                        struct lst_slice key, uint64_t *ret_space)
{
    char bytes[LST_SPACE_LENGTH];
    MDB_val value;
    int status = get(transaction, index, space, key, &value);

    if (status == LST_OK) {
        return lst_space_decode(value, ret_space);
    }
    if (status != LST_ERR_NOT_FOUND) {
        return status;
    }
    status = allocate_space(transaction, index, ret_space);
    if (status != LST_OK) {
        return status;
    }
    lst_space_encode(*ret_space, bytes);
    return put(transaction, index, space, key, ROW_NUMBER, lst_slice_make(bytes, sizeof(bytes)), 0);
}

int lst_row_put(MDB_txn *transaction, struct lst_index *index, uint64_t partition,
                struct lst_slice key, struct lst_slice value, size_t head_length)
{
    uint64_t space = partition;

    while (key.length > LST_ROW_FRAGMENT) {
        int status = continue_key(transaction, index, space, key, &space);
        if (status != LST_OK) {
            return status;
        }
        key = lst_slice_after(key, LST_ROW_FRAGMENT);
    }
    return put(transaction, index, space, key, ROW_VALUE, value, head_length);
}

/* A space of which rows may be left behind damaged ones is not empty. */
static int is_empty(MDB_txn *transaction, struct lst_index *index, uint64_t space, bool *ret_empty)
{
    bool ended;
    int status = look_for_space(transaction, index, space, seek_space, &ended);

    *ret_empty = status == LST_ERR_NOT_FOUND;
    return status == LST_ERR_NOT_FOUND || (status == LST_ERR_CORRUPT && !ended) ? LST_OK : status;
}

static int delete_row(MDB_txn *transaction, struct lst_index *index, uint64_t space,
                      struct lst_slice rest, enum row_kind kind)
{
    struct lst_row_key row;
    MDB_val row_key;
    int code;

    lst_row_key_make(&row, space, rest);
    row_key = lst_row_key_value(&row);
    if (!lst_path_is_whole(index, row_key)) {
        return LST_ERR_CORRUPT;
    }
    code = mdb_del(transaction, index->table, &row_key, NULL);
    return code == MDB_NOTFOUND ? make_way(transaction, index, row_key, kind)
                                : lst_index_error(code);
}

/* The space in which this key of the given space goes on. LST_ERR_NOT_FOUND: it does not. */
static int follow_key(MDB_txn *transaction, struct lst_index *index, uint64_t space,
                      struct lst_slice key, uint64_t *ret_space)
{
    struct lst_row_key row;
    MDB_val value;
    int status = get(transaction, index, space, key, &value);

    if (status == LST_OK) {
        return lst_space_decode(value, ret_space);
    }
    if (status != LST_ERR_NOT_FOUND) {
        return status;
    }
    lst_row_key_make(&row, space, key);
    status = make_way(transaction, index, lst_row_key_value(&row), ROW_NUMBER);
    return status == LST_OK ? LST_ERR_NOT_FOUND : status;
}

int lst_row_delete(MDB_txn *transaction, struct lst_index *index, uint64_t partition,
                   struct lst_slice key)
{
    uint64_t spaces[LST_KEY_DEPTH_MAX] = {partition};
    size_t depth = 0;
    int status;

    for (; key.length > (depth + 1) * LST_ROW_FRAGMENT; depth++) {
        status = follow_key(transaction, index, spaces[depth],
                            lst_slice_after(key, depth * LST_ROW_FRAGMENT), &spaces[depth + 1]);
        if (status != LST_OK) {
            return status == LST_ERR_NOT_FOUND ? LST_OK : status;
        }
    }
    for (enum row_kind kind = ROW_VALUE;; kind = ROW_NUMBER, depth--) {
        bool empty = false;
        status = delete_row(transaction, index, spaces[depth],
                            lst_slice_after(key, depth * LST_ROW_FRAGMENT), kind);
        if (status != LST_OK || depth == 0) {
            return status == LST_ERR_NOT_FOUND ? LST_OK : status;
        }
        /* A continuation without keys ends, and its row above with it. */
        status = is_empty(transaction, index, spaces[depth], &empty);
        if (status != LST_OK || !empty) {
            return status;
        }
    }
}
