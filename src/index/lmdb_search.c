/* lmdb_search.c - look for a row where a damaged one may have sent LMDB astray. */
#include "index/engine.h"

#include "index/lmdb_page.h"

/* Rows that are looked at, from where LMDB was sent. A page has fewer. */
enum { ROWS_MAX = 4096 };

int lst_row_compare(MDB_val left, MDB_val right)
{
    return lst_slice_compare(lst_slice_make(left.mv_data, left.mv_size),
                             lst_slice_make(right.mv_data, right.mv_size));
}

bool lst_row_page_is_whole(const struct lst_index *index, MDB_val key)
{
    uintptr_t at = (uintptr_t)key.mv_data;
    struct lst_page page;
    uint64_t number;

    if (index->map_start == 0 || at < index->map_start || at >= index->map_end) {
        return true;
    }
    number = (at - index->map_start) / index->page_size;
    /* The page of the key, by the key's own pointer. */
    return lst_page_read((const unsigned char *)key.mv_data -
                             (at - index->map_start) % index->page_size,
                         index->page_size, number, &page) == NULL &&
           !page.is_branch;
}

/* Whether the row's key can be trusted, for which the head's checksum is enough. The engine's own
 * need not have a checksum, and stand behind all. */
static bool is_whole(MDB_val key, MDB_val value)
{
    char engine[LST_SPACE_LENGTH];

    lst_space_encode(LST_SPACE_ENGINE, engine);
    return (key.mv_size > sizeof(engine) && memcmp(key.mv_data, engine, sizeof(engine)) == 0) ||
           lst_row_check(key, LST_STORED_HEAD, &value) == LST_OK;
}

/* Whether a damaged row has the checksum of this key: then it is the key's, and only its own key
 * has changed. Takes the checksum off its value then. */
static bool was_of_key(MDB_val key, MDB_val *value)
{
    MDB_val content = *value;

    if (lst_row_check(key, LST_STORED_HEAD, &content) != LST_OK) {
        return false;
    }
    lst_ignore_status(lst_row_check(key, LST_STORED_ALL, value)); /* it is damaged anyway */
    return true;
}

/*
 * Go on, forward or back, until a whole row is on the right side of the key. LST_OK: it is found on
 * the way. LST_ERR_NOT_FOUND: it is not.
 */
static int look(const struct lst_index *index, const struct lst_probe *probe, int code, MDB_val at,
                MDB_val value, MDB_val key, bool is_forward, MDB_val *ret_value)
{
    for (int i = 0; i < ROWS_MAX && code == 0; i++) {
        if (is_whole(at, value)) {
            int order = lst_row_compare(at, key);
            if (order == 0) {
                *ret_value = value;
                return lst_row_check(at, LST_STORED_ALL, ret_value);
            }
            if ((order > 0) == is_forward) {
                return lst_row_page_is_whole(index, at) ? LST_ERR_NOT_FOUND : LST_ERR_CORRUPT;
            }
        } else if (was_of_key(key, &value)) {
            *ret_value = value;
            return LST_ERR_CORRUPT;
        } else if (probe->is_strict) {
            return LST_ERR_CORRUPT;
        }
        code = mdb_cursor_get(probe->cursor, &at, &value, is_forward ? MDB_NEXT : MDB_PREV);
    }
    return code == 0 ? LST_ERR_CORRUPT : lst_index_error(code);
}

int lst_row_look_around(const struct lst_index *index, const struct lst_probe *probe, MDB_val key,
                        MDB_val *ret_value)
{
    static const bool directions[] = {true, false};
    int status = LST_ERR_NOT_FOUND;

    for (size_t i = 0; i < 2 && status == LST_ERR_NOT_FOUND; i++) {
        MDB_val at = key;
        MDB_val value = {0};
        int code = mdb_cursor_get(probe->cursor, &at, &value, MDB_SET_RANGE);
        if (!directions[i] && (code == 0 || code == MDB_NOTFOUND)) {
            code = mdb_cursor_get(probe->cursor, &at, &value, MDB_PREV);
        }
        status = look(index, probe, code, at, value, key, directions[i], ret_value);
    }
    return status;
}

/* From where the cursor stands: the first whole row, forward or back. Gives what LMDB gave. */
static int find_whole(MDB_cursor *cursor, int code, bool is_forward, MDB_val *at, MDB_val value)
{
    for (int i = 0; i < ROWS_MAX && code == 0 && !is_whole(*at, value); i++) {
        code = mdb_cursor_get(cursor, at, &value, is_forward ? MDB_NEXT : MDB_PREV);
    }
    return code;
}

/* As lst_row_seek(), where the row before is not what it should be. */
static int seek_with_care(MDB_cursor *cursor, MDB_val key, MDB_val *ret_at, MDB_val *ret_value)
{
    MDB_val at = key;
    MDB_val value = {0};
    int code = mdb_cursor_get(cursor, &at, &value, MDB_SET_RANGE);

    code = find_whole(cursor, code, true, &at, value);
    if (code == 0 && lst_row_compare(at, key) < 0) {
        return MDB_CORRUPTED;
    }
    if (code != 0 && code != MDB_NOTFOUND) {
        return code;
    }
    at = key;
    code = mdb_cursor_get(cursor, &at, &value, MDB_SET_RANGE);
    if (code == 0) {
        code = mdb_cursor_get(cursor, &at, &value, MDB_PREV);
        code = find_whole(cursor, code, false, &at, value);
        if (code == 0 && lst_row_compare(at, key) >= 0) {
            return MDB_CORRUPTED;
        }
    }
    if (code != 0 && code != MDB_NOTFOUND) {
        return code;
    }
    *ret_at = key;
    return mdb_cursor_get(cursor, ret_at, ret_value, MDB_SET_RANGE);
}

static bool is_of_page(const struct lst_index *index, MDB_val left, MDB_val right)
{
    return (uintptr_t)left.mv_data / index->page_size ==
           (uintptr_t)right.mv_data / index->page_size;
}

int lst_row_seek(const struct lst_index *index, MDB_cursor *cursor, MDB_val key, MDB_val *ret_at,
                 MDB_val *ret_value)
{
    MDB_val before = key;
    MDB_val content = {0};
    int code;

    *ret_at = key;
    code = mdb_cursor_get(cursor, ret_at, ret_value, MDB_SET_RANGE);
    if (code != 0) {
        return code;
    }
    if (!lst_row_page_is_whole(index, *ret_at)) {
        return MDB_CORRUPTED;
    }
    if (lst_row_compare(*ret_at, key) == 0) {
        return 0; /* the row itself: whether it is whole, the caller sees */
    }
    code = mdb_cursor_get(cursor, &before, &content, MDB_PREV);
    if (code == 0 && !is_of_page(index, before, *ret_at) && !lst_row_page_is_whole(index, before)) {
        return MDB_CORRUPTED;
    }
    if (code == 0 && is_whole(before, content) && lst_row_compare(before, key) < 0) {
        return mdb_cursor_get(cursor, ret_at, ret_value, MDB_NEXT);
    }
    return seek_with_care(cursor, key, ret_at, ret_value);
}

int lst_row_look_behind(MDB_cursor *cursor, uint64_t space, MDB_val at, MDB_val value)
{
    char bytes[LST_SPACE_LENGTH];
    int code = find_whole(cursor, 0, true, &at, value);

    if (code != 0) {
        return lst_index_error(code);
    }
    lst_space_encode(space, bytes);
    return at.mv_size >= sizeof(bytes) && memcmp(at.mv_data, bytes, sizeof(bytes)) > 0
               ? LST_ERR_NOT_FOUND
               : LST_ERR_CORRUPT;
}
