/* lmdb_walk.c - one cursor that goes through long keys, within one call. */
#include "index/engine.h"

/* Move to the first row that is not less than [the current space][rest]; rest longer than a
 * fragment stands for its continuation's row. */
static int seek_row(struct lst_walk *walk, struct lst_slice rest, MDB_val *ret_key,
                    MDB_val *ret_value)
{
    struct lst_row_key row;

    walk->last_row = (MDB_val){0};
    lst_row_key_make(&row, walk->spaces[walk->depth], rest);
    return lst_row_seek(walk->index, walk->view->cursor, lst_row_key_value(&row), ret_key,
                        ret_value);
}

static bool is_in_space(MDB_val key, uint64_t space)
{
    char bytes[LST_SPACE_LENGTH];

    lst_space_encode(space, bytes);
    return key.mv_size >= LST_SPACE_LENGTH && memcmp(key.mv_data, bytes, LST_SPACE_LENGTH) == 0;
}

/* Back from a continuation that has no more keys: to the row behind it, one level up. */
static int leave_space(struct lst_walk *walk, MDB_val *ret_key, MDB_val *ret_value)
{
    struct lst_row_key row;

    walk->depth--;
    lst_row_key_make(&row, walk->spaces[walk->depth],
                     lst_slice_make(walk->key + walk->depth * LST_ROW_FRAGMENT, LST_ROW_FRAGMENT));
    row.bytes[row.length++] = '\1'; /* right after the continuation's own 0x00 */
    walk->last_row = (MDB_val){0};
    return lst_row_seek(walk->index, walk->view->cursor, lst_row_key_value(&row), ret_key,
                        ret_value);
}

/* Take the row's fragment into the key. LST_ERR_CORRUPT if no such row can be. */
static int take_fragment(struct lst_walk *walk, MDB_val row_key)
{
    size_t start = walk->depth * LST_ROW_FRAGMENT;
    size_t length = row_key.mv_size - LST_SPACE_LENGTH;

    if (length == 0 || length > LST_ROW_FRAGMENT + 1 || start + length > sizeof(walk->key)) {
        return LST_ERR_CORRUPT;
    }
    memcpy(walk->key + start, (const char *)row_key.mv_data + LST_SPACE_LENGTH, length);
    walk->key_length = start + length;
    return LST_OK;
}

/* Go down into the continuation whose row the cursor is on. */
static int enter_space(struct lst_walk *walk, MDB_val value)
{
    uint64_t space;
    int status = lst_space_decode(value, &space);

    if (status != LST_OK || walk->depth + 1 >= LST_KEY_DEPTH_MAX) {
        return LST_ERR_CORRUPT;
    }
    walk->spaces[++walk->depth] = space;
    return LST_OK;
}

enum { CACHE_LINE = 64 };

/* A walk reads the whole page that it has come to, in no order that a processor could guess: have
 * it fetched at once. A page that can't be read is no fault here. */
static void fetch_page(const char *at, size_t size)
{
    const char *page = at - (uintptr_t)at % size;

    for (size_t i = 0; i < size; i += CACHE_LINE) {
        __builtin_prefetch(page + i);
    }
}

/* Whether a walk has not come to a page that makes no sense. */
static bool is_of_whole_page(const struct lst_walk *walk, MDB_val row_key)
{
    uintptr_t last = (uintptr_t)walk->last_row.mv_data;
    uintptr_t now = (uintptr_t)row_key.mv_data;
    size_t size = walk->index->page_size;

    if (last / size == now / size) {
        return true;
    }
    fetch_page(row_key.mv_data, size);
    return lst_row_page_is_whole(walk->index, row_key);
}

/*
 * From the row where the cursor stands (code: how it got there), go on to the first one that is a
 * key: down into continuations, where rest is what is left of the key that is looked for, and up
 * out of those that end.
 */
static int settle(struct lst_walk *walk, int code, MDB_val row_key, MDB_val value,
                  struct lst_slice rest, struct lst_slice *ret_key, struct lst_slice *ret_value)
{
    for (;;) {
        bool is_whole; /* in one row, as most keys are */
        int status;
        if (code != 0 && code != MDB_NOTFOUND) {
            return lst_index_error(code);
        }
        if (code != 0 || !is_in_space(row_key, walk->spaces[walk->depth])) {
            rest = lst_slice_make(NULL, 0);
            status = code != 0 ? LST_ERR_NOT_FOUND
                               : lst_row_look_behind(walk->view->cursor, walk->spaces[walk->depth],
                                                     row_key, value);
            if (walk->depth == 0 || status != LST_ERR_NOT_FOUND) {
                return status;
            }
            code = leave_space(walk, &row_key, &value);
            continue;
        }
        is_whole = walk->depth == 0 && row_key.mv_size > LST_SPACE_LENGTH &&
                   row_key.mv_size < LST_ROW_KEY_MAX;
        status = is_whole ? LST_OK : take_fragment(walk, row_key);
        if (status != LST_OK) {
            return status;
        }
        status = lst_row_check(row_key, walk->part, &value);
        if (status == LST_OK) {
            if (walk->last_row.mv_data != NULL && (lst_row_compare(row_key, walk->last_row) <= 0 ||
                                                   !is_of_whole_page(walk, row_key))) {
                return LST_ERR_CORRUPT; /* a page stands where another belongs, or lacks rows */
            }
            walk->last_row = row_key;
        }
        if (row_key.mv_size < LST_ROW_KEY_MAX) {
            *ret_key = is_whole ? lst_slice_make((const char *)row_key.mv_data + LST_SPACE_LENGTH,
                                                 row_key.mv_size - LST_SPACE_LENGTH)
                                : lst_slice_make(walk->key, walk->key_length);
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
        status = enter_space(walk, value);
        if (status != LST_OK) {
            return status;
        }
        code = seek_row(walk, rest, &row_key, &value);
    }
}

int lst_walk_seek(struct lst_walk *walk, uint64_t partition, struct lst_slice key,
                  struct lst_slice *ret_key, struct lst_slice *ret_value)
{
    MDB_val row_key = {0};
    MDB_val value = {0};
    int code;
    int status;

    *ret_key = *ret_value = lst_slice_make(NULL, 0);
    walk->depth = 0;
    walk->spaces[0] = partition;
    code = seek_row(walk, key, &row_key, &value);
    status = settle(walk, code, row_key, value, key, ret_key, ret_value);
    /* A row whose key changed can stand where it does not belong. Who goes on behind its key would
     * come back to it for ever. */
    if (ret_key->length > 0 && lst_slice_compare(*ret_key, key) < 0) {
        *ret_key = *ret_value = lst_slice_make(NULL, 0);
        status = LST_ERR_CORRUPT;
    }
    return status;
}

int lst_walk_next(struct lst_walk *walk, struct lst_slice *ret_key, struct lst_slice *ret_value)
{
    MDB_val row_key = {0};
    MDB_val value = {0};
    int code = mdb_cursor_get(walk->view->cursor, &row_key, &value, MDB_NEXT);

    *ret_key = *ret_value = lst_slice_make(NULL, 0);
    return settle(walk, code, row_key, value, lst_slice_make(NULL, 0), ret_key, ret_value);
}
