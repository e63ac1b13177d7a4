/* garbage.c - delete what nobody refers to any more: blobs, and the parts of uploads. */
#include "store/parts.h"

/* Rows in one batch. */
enum { GARBAGE_BATCH = 256 };

/* What a visit gives to end a walk early. */
enum { ENOUGH = 1 };

static const struct lst_slice nothing = {NULL, 0};

/* What goes on after a failure gives the first one. */
static int first_failure(int before, int status)
{
    return before != LST_OK ? before : status;
}

static int apply(struct lst_store *store, uint64_t partition, struct lst_changes *changes)
{
    int status = lst_changes_close(changes);

    if (status == LST_OK && changes->count > 0) {
        status = lst_index_apply_to(store->index, partition, lst_changes_route(changes),
                                    changes->list, changes->count);
    }
    lst_changes_release(changes);
    return status;
}

/* ---- Blobs */

int lst_store_delete_blob(struct lst_store *store, struct lst_blob_id blob)
{
    if (lst_index_has_failed(store->index)) {
        return LST_ERR_UNKNOWN;
    }
    return lst_blob_delete(store->blobs, blob);
}

/* How many of the rows, from this one on, are in one range with it. */
static int count_together(struct lst_store *store, uint64_t partition,
                          const struct lst_changes *rows, size_t first, size_t *ret_count)
{
    struct lst_index_reader *reader;
    struct lst_slice border;
    size_t end = first + 1;
    int status = lst_index_read_begin(store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status =
        lst_index_next_range(reader, partition, lst_slice_after(rows->list[first].key, 1), &border);
    while (end < rows->count &&
           (status != LST_OK ||
            lst_slice_compare(lst_slice_after(rows->list[end].key, 1), border) < 0)) {
        end++;
    }
    lst_index_read_end(reader);
    *ret_count = end - first;
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

/* Delete rows, in the order of their names. Each by itself could be: nothing is atomic. */
static int delete_rows(struct lst_store *store, uint64_t partition, const struct lst_changes *rows)
{
    int status = lst_changes_status(rows);
    size_t done = 0;

    while (status == LST_OK && done < rows->count) {
        const struct lst_index_change *first = &rows->list[done];
        size_t count = 1;
        status = count_together(store, partition, rows, done, &count);
        if (status == LST_OK) {
            status = lst_index_apply_to(store->index, partition, lst_slice_after(first->key, 1),
                                        first, count);
        }
        if (status == LST_OK) {
            done += count;
        } else if (status == LST_ERR_CONFLICT) {
            status = LST_OK; /* borders moved */
        }
    }
    return status;
}

int lst_store_delete_blobs(struct lst_store *store, uint64_t partition, struct lst_changes *rows)
{
    size_t kept = 0;
    int failure = LST_OK;
    int status;

    for (size_t i = 0; i < rows->count; i++) {
        struct lst_key_room room;
        struct lst_slice key;
        struct lst_blob_id blob;
        status = lst_row_name_split_blob(rows->list[i].key, &room, &key, &blob);
        if (status == LST_OK) {
            status = lst_store_delete_blob(store, blob);
        }
        if (status == LST_OK) {
            rows->list[kept++] = rows->list[i];
        } else {
            failure = first_failure(failure, status);
        }
    }
    rows->count = kept;
    status = lst_blobs_sync_deleted(store->blobs);
    if (status == LST_OK) {
        status = delete_rows(store, partition, rows);
    }
    lst_changes_release(rows);
    return first_failure(failure, status);
}

/* Find garbage rows of a partition, from this name on, to be deleted. It becomes the name to go on
 * from; *ret_more: there may be more. */
static int find_garbage(struct lst_store *store, uint64_t partition, struct lst_row_name *from,
                        struct lst_changes *rows, bool *ret_more)
{
    struct lst_index_reader *reader;
    struct lst_slice name;
    struct lst_slice value;
    int status = lst_index_read_begin(store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    *ret_more = false;
    status = lst_index_seek(reader, partition, lst_row_name_slice(from), &name, &value);
    while ((status == LST_OK || lst_index_is_damaged_row(status, name)) &&
           name.bytes[0] == LST_ROW_GARBAGE && !*ret_more) {
        struct lst_key_room room;
        struct lst_slice key;
        struct lst_blob_id blob;
        /* One that is damaged may name a blob that is in use. */
        if (status == LST_OK && lst_row_name_split_blob(name, &room, &key, &blob) == LST_OK) {
            (void)lst_changes_add(rows, LST_INDEX_DELETE, name, nothing);
        }
        lst_row_name_make(from, LST_ROW_GARBAGE, lst_slice_after(name, 1));
        lst_row_name_append(from, lst_slice_make("", 1));
        *ret_more = rows->count == GARBAGE_BATCH;
        status = lst_index_next(reader, &name, &value);
    }
    if (lst_index_is_damaged_row(status, name)) {
        status = LST_OK; /* of a row of another kind */
    }
    lst_index_read_end(reader);
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

/* One that can't be deleted is passed over. Gives the first failure. */
static int delete_all_blobs(struct lst_store *store, uint64_t partition)
{
    struct lst_changes rows = {0};
    struct lst_row_name from;
    bool has_more = true;
    int failure = LST_OK;

    lst_row_name_make(&from, LST_ROW_GARBAGE, nothing);
    while (has_more) {
        int status = find_garbage(store, partition, &from, &rows, &has_more);
        if (status == LST_OK) {
            status = lst_changes_status(&rows);
        }
        if (status != LST_OK) {
            lst_changes_release(&rows);
            return first_failure(failure, status);
        }
        if (rows.count > 0) {
            failure = first_failure(failure, lst_store_delete_blobs(store, partition, &rows));
        }
    }
    return failure;
}

/* ---- Parts of uploads that were left */

/* Some of the parts of one. */
struct left_parts {
    struct lst_slice name; /* of the row that says so */
    struct lst_slice key;
    struct lst_slice upload_id;
    struct {
        uint32_t number;
        struct lst_blob_id blob; /* generation 0: none, or it is not known */
    } list[GARBAGE_BATCH];
    size_t count;
};

static int take_part(void *context, uint32_t number, struct lst_slice value)
{
    struct left_parts *parts = context;
    struct lst_object_row row;
    int status;

    if (parts->count == GARBAGE_BATCH) {
        return ENOUGH;
    }
    status = lst_object_row_decode(value, &row);
    if (status == LST_ERR_FORMAT) {
        return status; /* it stays until a version comes that knows it */
    }
    parts->list[parts->count].number = number;
    /* Which blob a damaged row had, nobody knows. */
    parts->list[parts->count].blob =
        status == LST_OK ? row.blob : (struct lst_blob_id){.generation = 0};
    parts->count++;
    return LST_OK;
}

/* Those whose number is above `after`. ENOUGH: there are more. LST_ERR_NOT_FOUND: the upload was
 * not left. */
static int take_parts(struct lst_store *store, uint64_t partition, uint32_t after,
                      struct left_parts *parts)
{
    struct lst_index_reader *reader;
    struct lst_slice value;
    int status = lst_index_read_begin(store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = lst_index_get(reader, partition, parts->name, &value);
    if (status == LST_OK) {
        status =
            lst_part_each(reader, partition, parts->key, parts->upload_id, after, take_part, parts);
    }
    lst_index_read_end(reader);
    return status;
}

/* The blob first: as long as its row is there, a part will be looked at again. */
static int delete_part(struct lst_store *store, const struct left_parts *parts, size_t i,
                       struct lst_changes *changes)
{
    struct lst_blob_id blob = parts->list[i].blob;
    struct lst_row_name name;
    int status = blob.generation == 0 ? LST_OK : lst_store_delete_blob(store, blob);

    if (status != LST_OK) {
        return status;
    }
    lst_row_name_make_part(&name, parts->key, parts->upload_id, parts->list[i].number);
    (void)lst_changes_add(changes, LST_INDEX_DELETE, lst_row_name_slice(&name), nothing);
    if (blob.generation != 0) {
        lst_changes_add_blob(changes, LST_INDEX_DELETE, LST_ROW_BLOB, parts->key, blob, nothing);
    }
    return LST_OK;
}

/* Delete the parts, and, if these are the last ones and no part stays, the row of the upload. */
static int delete_parts(struct lst_store *store, uint64_t partition, const struct left_parts *parts,
                        bool are_last)
{
    struct lst_changes changes = {0};
    int failure = LST_OK;
    int status;

    for (size_t i = 0; i < parts->count; i++) {
        failure = first_failure(failure, delete_part(store, parts, i, &changes));
    }
    if (are_last && failure == LST_OK) {
        (void)lst_changes_add(&changes, LST_INDEX_DELETE, parts->name, nothing);
    }
    status = lst_blobs_sync_deleted(store->blobs);
    if (status == LST_OK) {
        status = apply(store, partition, &changes);
    } else {
        lst_changes_release(&changes);
    }
    return first_failure(failure, status);
}

int lst_store_delete_left(struct lst_store *store, uint64_t partition, struct lst_slice name)
{
    struct left_parts parts = {.name = name};
    struct lst_key_room room;
    uint32_t after = 0;
    int failure = LST_OK;
    int taken = ENOUGH;
    int status =
        lst_row_name_split(name, LST_ROW_UPLOAD_ID_SIZE, &room, &parts.key, &parts.upload_id);

    if (status != LST_OK || lst_pins_ask(&store->pins, parts.upload_id)) {
        return status;
    }
    while (taken == ENOUGH) {
        parts.count = 0;
        taken = take_parts(store, partition, after, &parts);
        if (taken != LST_OK && taken != ENOUGH) {
            break;
        }
        failure = first_failure(
            failure, delete_parts(store, partition, &parts, taken == LST_OK && failure == LST_OK));
        after = parts.count > 0 ? parts.list[parts.count - 1].number : after;
    }
    return first_failure(failure, taken == LST_ERR_NOT_FOUND ? LST_OK : taken);
}

static bool is_left(struct lst_slice name)
{
    struct lst_key_room room;
    struct lst_slice key;
    struct lst_slice id;

    return lst_row_name_split(name, LST_ROW_UPLOAD_ID_SIZE, &room, &key, &id) == LST_OK;
}

/* The first row from this name on that says of an upload that it was left. One that is damaged may
 * name an upload whose parts are in use. LST_ERR_NOT_FOUND. */
static int find_left(struct lst_store *store, uint64_t partition, struct lst_row_name *name)
{
    struct lst_index_reader *reader;
    struct lst_slice found;
    struct lst_slice value;
    int status = lst_index_read_begin(store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = lst_index_seek(reader, partition, lst_row_name_slice(name), &found, &value);
    while (lst_index_is_damaged_row(status, found) ||
           (status == LST_OK && found.bytes[0] == LST_ROW_LEFT && !is_left(found))) {
        status = lst_index_next(reader, &found, &value);
    }
    if (status == LST_OK && found.bytes[0] != LST_ROW_LEFT) {
        status = LST_ERR_NOT_FOUND;
    }
    if (status == LST_OK) {
        lst_row_name_make(name, LST_ROW_LEFT, lst_slice_after(found, 1));
    }
    lst_index_read_end(reader);
    return status;
}

static int delete_all_left(struct lst_store *store, uint64_t partition)
{
    struct lst_row_name name;
    int failure = LST_OK;
    int status;

    lst_row_name_make(&name, LST_ROW_LEFT, nothing);
    while ((status = find_left(store, partition, &name)) == LST_OK) {
        failure = first_failure(failure,
                                lst_store_delete_left(store, partition, lst_row_name_slice(&name)));
        lst_row_name_append(&name, lst_slice_make("", 1));
    }
    return first_failure(failure, status == LST_ERR_NOT_FOUND ? LST_OK : status);
}

int lst_store_delete_garbage(struct lst_store *store, uint64_t partition)
{
    int failure = delete_all_blobs(store, partition);

    return first_failure(failure, delete_all_left(store, partition));
}

/* ---- The end of a bucket */

/* The first upload in progress. LST_ERR_NOT_FOUND. */
static int find_upload(struct lst_store *store, uint64_t partition, struct lst_changes *changes,
                       struct lst_row_name *ret_name)
{
    static const char first = LST_ROW_UPLOAD;
    struct lst_index_reader *reader;
    struct lst_slice name;
    struct lst_slice value;
    int status = lst_index_read_begin(store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = lst_index_seek(reader, partition, lst_slice_make(&first, 1), &name, &value);
    status = lst_store_walk(reader, lst_slice_make(&first, 1), status, &name, &value);
    if (status == LST_OK) {
        lst_changes_check_row(changes, value);
        lst_row_name_make(ret_name, LST_ROW_UPLOAD, lst_slice_after(name, 1));
    }
    lst_index_read_end(reader);
    return status;
}

int lst_store_leave_uploads(struct lst_store *store, uint64_t partition)
{
    struct lst_changes changes = {0};
    struct lst_row_name name;
    int status;

    while ((status = find_upload(store, partition, &changes, &name)) == LST_OK) {
        struct lst_slice bytes = lst_row_name_slice(&name);
        (void)lst_changes_add(&changes, LST_INDEX_REQUIRE_PRESENT, bytes, nothing);
        (void)lst_changes_add(&changes, LST_INDEX_DELETE, bytes, nothing);
        name.bytes[0] = LST_ROW_LEFT; /* the rest is the same */
        (void)lst_changes_add(&changes, LST_INDEX_PUT, bytes, nothing);
        lst_changes_count(&changes, LST_ROW_UPLOAD, 0, -1);
        status = apply(store, partition, &changes);
        if (status != LST_OK && status != LST_ERR_NOT_FOUND) { /* not found: it was given up */
            return status;
        }
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}
