/*
 * reclaim.c - give back the room of what no object has.
 *
 * A damaged row does not say which file its body was, so the file stays when the row is replaced.
 * Once nothing is damaged any more, what no row refers to is nobody's. As long as something is, it
 * may be of that.
 */
#include "store/reclaim.h"

#include <stdlib.h>

enum { BATCH = 256 };

static const struct lst_slice nothing = {NULL, 0};

static int add(struct lst_reclaim *reclaim, const struct lst_reclaim_item *item)
{
    if (reclaim->count == reclaim->capacity) {
        size_t capacity = reclaim->capacity == 0 ? 64 : 2 * reclaim->capacity;
        struct lst_reclaim_item *items = realloc(reclaim->items, capacity * sizeof(*items));
        if (items == NULL) {
            return LST_ERR_NO_MEMORY;
        }
        reclaim->items = items;
        reclaim->capacity = capacity;
    }
    reclaim->items[reclaim->count++] = *item;
    return LST_OK;
}

void lst_reclaim_release(struct lst_reclaim *reclaim)
{
    lst_changes_release(&reclaim->names);
    free(reclaim->items);
    *reclaim = (struct lst_reclaim){0};
}

int lst_reclaim_add_row(struct lst_reclaim *reclaim, enum lst_reclaim_kind kind, uint64_t partition,
                        struct lst_slice name)
{
    struct lst_reclaim_item item = {.kind = kind, .partition = partition};
    int status;

    item.name = lst_changes_copy(&reclaim->names, name);
    status = lst_changes_status(&reclaim->names);
    return status == LST_OK ? add(reclaim, &item) : status;
}

int lst_reclaim_add_file(struct lst_reclaim *reclaim, struct lst_blob_id id)
{
    return add(reclaim, &(struct lst_reclaim_item){.kind = LST_RECLAIM_FILE, .id = id});
}

/* What is done about it in the index: rows that say what can be deleted have the names of those
 * that said whose it was, but for the kind. The files follow. */
static void add_changes(struct lst_changes *changes, const struct lst_reclaim_item *item)
{
    struct lst_slice name = item->name;
    bool is_blob = item->kind == LST_RECLAIM_BLOB;
    struct lst_row_name waste;

    if (is_blob) {
        (void)lst_changes_add(changes, LST_INDEX_REQUIRE_PRESENT, name, nothing);
    }
    if (is_blob || item->kind == LST_RECLAIM_ROW) {
        (void)lst_changes_add(changes, LST_INDEX_DELETE, name, nothing);
    }
    if (is_blob || item->kind == LST_RECLAIM_UPLOAD) {
        lst_row_name_make(&waste, is_blob ? LST_ROW_GARBAGE : LST_ROW_LEFT,
                          lst_slice_after(name, 1));
        (void)lst_changes_add(changes, LST_INDEX_PUT, lst_row_name_slice(&waste), nothing);
    }
}

/* How far, from this one on, they are in one range, in the order of their names. */
static int find_together(struct lst_store *store, const struct lst_reclaim_item *items,
                         size_t first, size_t count, size_t *ret_end)
{
    struct lst_slice route = lst_slice_after(items[first].name, 1);
    struct lst_index_reader *reader;
    struct lst_slice border;
    size_t end = first + 1;
    int limited;
    int status = lst_index_read_begin(store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    limited = lst_index_next_range(reader, items[first].partition, route, &border);
    while (
        end < count && end - first < BATCH &&
        lst_slice_compare(lst_slice_after(items[end].name, 1), route) >= 0 &&
        (limited != LST_OK || lst_slice_compare(lst_slice_after(items[end].name, 1), border) < 0)) {
        end++;
    }
    lst_index_read_end(reader);
    *ret_end = end;
    return limited == LST_ERR_NOT_FOUND ? LST_OK : limited;
}

/* Those of one bucket, which stand one after another. */
static int reclaim_bucket(struct lst_store *store, const struct lst_reclaim_item *items,
                          size_t count)
{
    uint64_t partition = items[0].partition;

    for (size_t i = 0; i < count;) {
        struct lst_changes changes = {0};
        size_t end = i;
        int status = find_together(store, items, i, count, &end);
        for (size_t j = i; j < end; j++) {
            add_changes(&changes, &items[j]);
        }
        status = status == LST_OK ? lst_changes_close(&changes) : status;
        if (status == LST_OK) {
            status = lst_index_apply_to(store->index, partition, lst_changes_route(&changes),
                                        changes.list, changes.count);
        }
        lst_changes_release(&changes);
        if (status == LST_OK) {
            i = end;
        } else if (status != LST_ERR_CONFLICT) { /* a conflict: borders moved */
            return status;
        }
    }
    return lst_store_delete_garbage(store, partition);
}

static int reclaim_files(struct lst_store *store, const struct lst_reclaim_item *items,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int status = lst_store_delete_blob(store, items[i].id);
        if (status != LST_OK) {
            return status;
        }
    }
    return lst_blobs_sync_deleted(store->blobs);
}

static int reclaim_all(struct lst_store *store, const struct lst_reclaim *reclaim)
{
    int status = LST_OK;

    for (size_t i = 0; i < reclaim->count && status == LST_OK;) {
        const struct lst_reclaim_item *first = &reclaim->items[i];
        bool is_file = first->kind == LST_RECLAIM_FILE;
        size_t count = 0;
        while (i < reclaim->count && (reclaim->items[i].kind == LST_RECLAIM_FILE) == is_file &&
               (is_file || reclaim->items[i].partition == first->partition)) {
            count++;
            i++;
        }
        status = is_file ? reclaim_files(store, first, count) : reclaim_bucket(store, first, count);
    }
    return status;
}

/* Check, and delete what the check found. *ret_has_rows: a damaged row was among it, and what that
 * had named may be found now. */
static int reclaim_once(struct lst_store *store,
                        void (*report)(void *context, const struct lst_store_fault *fault),
                        void *context, uint64_t *ret_count, bool *ret_has_rows)
{
    struct lst_reclaim reclaim = {0};
    struct lst_check check;
    int status;

    lst_check_init(&check, store, report, context);
    check.reclaim = &reclaim;
    status = lst_check_run(&check);
    if (status == LST_OK && check.census.faults > 0) {
        status = LST_ERR_CORRUPT;
    }
    lst_check_release(&check);
    if (status == LST_OK) {
        status = reclaim_all(store, &reclaim);
    }
    *ret_has_rows = false;
    for (size_t i = 0; i < reclaim.count && status == LST_OK; i++) {
        bool is_row = reclaim.items[i].kind == LST_RECLAIM_ROW;
        *ret_count += is_row ? 0 : 1;
        *ret_has_rows = *ret_has_rows || is_row;
    }
    lst_reclaim_release(&reclaim);
    return status;
}

int lst_store_reclaim(struct lst_store *store,
                      void (*report)(void *context, const struct lst_store_fault *fault),
                      void *context, uint64_t *ret_count)
{
    bool has_rows;
    int status;

    *ret_count = 0;
    if (store->read_only) {
        return LST_ERR_PERMISSION;
    }
    status = reclaim_once(store, report, context, ret_count, &has_rows);
    if (status == LST_OK && has_rows) {
        status = reclaim_once(store, report, context, ret_count, &has_rows);
    }
    return status;
}
