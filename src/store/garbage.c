/* garbage.c - delete what nobody refers to any more: blobs, and the parts of uploads. */
#include "store/parts.h"

/* Rows in one batch. */
enum { GARBAGE_BATCH = 256 };

/* What a visit gives to end a walk early. */
enum { ENOUGH = 1 };

static const struct lst_slice nothing = {NULL, 0};

static int apply(struct lst_store *store, uint64_t partition, struct lst_changes *changes)
{
    int status = lst_changes_status(changes);

    if (status == LST_OK && changes->count > 0) {
        status = lst_index_apply(store->index, partition, changes->list, changes->count);
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

int lst_store_delete_blobs(struct lst_store *store, uint64_t partition,
                           const struct lst_blob_id *blobs, size_t count)
{
    struct lst_changes changes = {0};
    int failure = LST_OK;
    int status;

    for (size_t i = 0; i < count; i++) {
        status = lst_store_delete_blob(store, blobs[i]);
        if (status == LST_OK) {
            lst_changes_add_blob(&changes, LST_INDEX_DELETE, LST_ROW_GARBAGE, blobs[i], nothing);
        } else {
            failure = status;
        }
    }
    status = lst_blobs_sync_deleted(store->blobs);
    if (status == LST_OK) {
        status = apply(store, partition, &changes);
    } else {
        lst_changes_release(&changes);
    }
    return status == LST_OK ? failure : status;
}

/* The first garbage rows of a partition. */
static int find_garbage(struct lst_store *store, uint64_t partition,
                        struct lst_blob_id ret_blobs[GARBAGE_BATCH], size_t *ret_count)
{
    static const char first = LST_ROW_GARBAGE;
    struct lst_index_reader *reader;
    struct lst_slice key;
    struct lst_slice value;
    int status = lst_index_read_begin(store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    *ret_count = 0;
    status = lst_index_seek(reader, partition, lst_slice_make(&first, 1), &key, &value);
    while (status == LST_OK && key.bytes[0] == LST_ROW_GARBAGE && *ret_count < GARBAGE_BATCH) {
        status = lst_row_blob_id_decode(key, &ret_blobs[(*ret_count)++]);
        if (status == LST_OK) {
            status = lst_index_next(reader, &key, &value);
        }
    }
    lst_index_read_end(reader);
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

static int delete_all_blobs(struct lst_store *store, uint64_t partition)
{
    struct lst_blob_id blobs[GARBAGE_BATCH];
    size_t count = GARBAGE_BATCH;
    int status = LST_OK;

    while (status == LST_OK && count == GARBAGE_BATCH) {
        status = find_garbage(store, partition, blobs, &count);
        if (status == LST_OK && count > 0) {
            status = lst_store_delete_blobs(store, partition, blobs, count);
        }
    }
    return status;
}

/* ---- Parts of uploads that were left */

/* Some of the parts of one. */
struct left_parts {
    struct lst_slice upload_id;
    struct lst_changes changes;
    struct lst_blob_id blobs[GARBAGE_BATCH];
    size_t blob_count;
    size_t count;
};

static int take_part(void *context, uint32_t number, struct lst_slice value)
{
    struct left_parts *parts = context;
    struct lst_object_row row;
    struct lst_row_name name;

    if (parts->count == GARBAGE_BATCH) {
        return ENOUGH;
    }
    parts->count++;
    lst_row_name_make_part(&name, parts->upload_id, number);
    (void)lst_changes_add(&parts->changes, LST_INDEX_DELETE, lst_row_name_slice(&name), nothing);
    /* Which blob a damaged row had, nobody knows. */
    if (lst_object_row_decode(value, &row) == LST_OK && row.blob.generation != 0) {
        lst_changes_add_blob(&parts->changes, LST_INDEX_DELETE, LST_ROW_BLOB, row.blob, nothing);
        parts->blobs[parts->blob_count++] = row.blob;
    }
    return LST_OK;
}

/* ENOUGH: there are more. LST_ERR_NOT_FOUND: the upload was not left. */
static int take_parts(struct lst_store *store, uint64_t partition, struct left_parts *parts)
{
    struct lst_index_reader *reader;
    struct lst_row_name name;
    struct lst_slice value;
    int status = lst_index_read_begin(store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    lst_row_name_make(&name, LST_ROW_LEFT, parts->upload_id);
    status = lst_index_get(reader, partition, lst_row_name_slice(&name), &value);
    if (status == LST_OK) {
        status = lst_part_each(reader, partition, parts->upload_id, 0, take_part, parts);
    }
    lst_index_read_end(reader);
    if (status == LST_OK) {
        (void)lst_changes_add(&parts->changes, LST_INDEX_DELETE, lst_row_name_slice(&name),
                              nothing);
    }
    return status;
}

/* The blobs first: as long as its row is there, a part will be looked at again. */
static int delete_some_parts(struct lst_store *store, const struct lst_left_upload *left)
{
    struct left_parts parts = {.upload_id = lst_slice_make(left->id, sizeof(left->id))};
    int taken = take_parts(store, left->partition, &parts);
    int status = taken == ENOUGH ? LST_OK : taken;

    for (size_t i = 0; i < parts.blob_count && status == LST_OK; i++) {
        status = lst_store_delete_blob(store, parts.blobs[i]);
    }
    if (status == LST_OK) {
        status = lst_blobs_sync_deleted(store->blobs);
    }
    if (status == LST_OK) {
        status = apply(store, left->partition, &parts.changes);
    }
    lst_changes_release(&parts.changes);
    return status == LST_OK ? taken : status;
}

int lst_store_delete_left(struct lst_store *store, const struct lst_left_upload *left)
{
    int status = ENOUGH;

    if (lst_pins_ask(&store->pins, lst_slice_make(left->id, sizeof(left->id)), left->partition)) {
        return LST_OK;
    }
    while (status == ENOUGH) {
        status = delete_some_parts(store, left);
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

/* The upload that was left whose id is the first after this one, or, if it is empty, of all.
 * LST_ERR_NOT_FOUND. */
static int find_left(struct lst_store *store, struct lst_slice after,
                     struct lst_left_upload *ret_left)
{
    struct lst_index_reader *reader;
    struct lst_row_name start;
    struct lst_slice name;
    struct lst_slice value;
    int status = lst_index_read_begin(store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    lst_row_name_make(&start, LST_ROW_LEFT, after);
    lst_row_name_append(&start, lst_slice_make("", after.length == 0 ? 0 : 1));
    status = lst_index_seek(reader, ret_left->partition, lst_row_name_slice(&start), &name, &value);
    if (status == LST_OK && name.bytes[0] != LST_ROW_LEFT) {
        status = LST_ERR_NOT_FOUND;
    }
    if (status == LST_OK && name.length != 1 + LST_ROW_UPLOAD_ID_SIZE) {
        status = LST_ERR_CORRUPT;
    }
    if (status == LST_OK) {
        memcpy(ret_left->id, name.bytes + 1, sizeof(ret_left->id));
    }
    lst_index_read_end(reader);
    return status;
}

static int delete_all_left(struct lst_store *store, uint64_t partition)
{
    struct lst_left_upload left = {.partition = partition};
    int status = find_left(store, nothing, &left);

    while (status == LST_OK) {
        status = lst_store_delete_left(store, &left);
        if (status == LST_OK) {
            status = find_left(store, lst_slice_make(left.id, sizeof(left.id)), &left);
        }
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

int lst_store_delete_garbage(struct lst_store *store, uint64_t partition)
{
    int status = delete_all_blobs(store, partition);

    return status == LST_OK ? delete_all_left(store, partition) : status;
}

/* ---- The end of a bucket */

/* The first upload in progress. LST_ERR_NOT_FOUND. */
static int find_upload(struct lst_store *store, uint64_t partition, struct lst_row_name *ret_name)
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
    if (status == LST_OK && name.bytes[0] != LST_ROW_UPLOAD) {
        status = LST_ERR_NOT_FOUND;
    }
    if (status == LST_OK) {
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

    while ((status = find_upload(store, partition, &name)) == LST_OK) {
        struct lst_slice bytes = lst_row_name_slice(&name);
        struct lst_slice id = lst_slice_after(bytes, bytes.length > LST_ROW_UPLOAD_ID_SIZE
                                                         ? bytes.length - LST_ROW_UPLOAD_ID_SIZE
                                                         : bytes.length);
        (void)lst_changes_add(&changes, LST_INDEX_DELETE, bytes, nothing);
        lst_changes_add_row(&changes, LST_INDEX_PUT, LST_ROW_LEFT, id, nothing);
        status = apply(store, partition, &changes);
        if (status != LST_OK) {
            return status;
        }
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}
