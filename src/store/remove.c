/* remove.c - delete objects. */
#include "store/state.h"

#include <stdlib.h>

struct removal {
    struct lst_store *store;
    uint64_t partition;
    const struct lst_slice *keys; /* the caller's */
    size_t key_count;
    struct lst_store_write *write;
    struct lst_changes changes;
    struct lst_index_batch batch;
};

static void finish(struct removal *removal, int status)
{
    struct lst_store *store = removal->store;
    struct lst_store_write *write = removal->write;

    if (status == LST_OK) {
        lst_store_collect(store, removal->partition, &removal->changes);
    }
    lst_changes_release(&removal->changes);
    free(removal);
    lst_store_end_write(store, write, status);
}

static int add_keys(struct removal *removal, struct lst_index_reader *reader)
{
    struct lst_changes *changes = &removal->changes;

    for (size_t i = 0; i < removal->key_count; i++) {
        struct lst_slice key = removal->keys[i];
        bool exists = false;
        int status;
        if (key.length == 0 || key.length > LST_STORE_KEY_MAX) {
            continue; /* no object has such a key */
        }
        status = lst_changes_release_object(changes, reader, removal->partition, key, &exists);
        if (status != LST_OK) {
            return status;
        }
        if (exists) {
            lst_changes_add_row(changes, LST_INDEX_DELETE, LST_ROW_OBJECT, key,
                                lst_slice_make(NULL, 0));
        } else {
            changes->count--; /* nothing to delete, and so nothing to require */
        }
    }
    return lst_changes_status(changes);
}

static void committed(struct lst_index_batch *batch, int status, size_t failed_change);

static void submit(struct removal *removal)
{
    struct lst_index_reader *reader;
    int status = lst_index_read_begin(removal->store->index, &reader);

    if (status == LST_OK) {
        lst_changes_release(&removal->changes);
        status = add_keys(removal, reader);
        lst_index_read_end(reader);
    }
    if (status != LST_OK || removal->changes.count == 0) {
        finish(removal, status);
        return;
    }
    removal->batch = (struct lst_index_batch){.partition = removal->partition,
                                              .changes = removal->changes.list,
                                              .change_count = removal->changes.count,
                                              .done = committed,
                                              .context = removal};
    lst_index_submit(removal->store->index, &removal->batch);
}

static void committed(struct lst_index_batch *batch, int status, size_t failed_change)
{
    struct removal *removal = batch->context;

    (void)failed_change;
    if (status == LST_ERR_CONFLICT) {
        submit(removal); /* one of them was written meanwhile: again, over what is there now */
    } else {
        finish(removal, status);
    }
}

int lst_store_delete(struct lst_store *store, struct lst_slice bucket, const struct lst_slice *keys,
                     size_t key_count, struct lst_store_write *write)
{
    struct lst_index_reader *reader;
    struct removal *removal;
    uint64_t partition;
    int status;

    if (store->read_only) {
        return LST_ERR_PERMISSION;
    }
    if (key_count > LST_STORE_DELETE_MAX) {
        return LST_ERR_TOO_LARGE;
    }
    status = lst_store_read_bucket(store, bucket, &reader, &partition);
    if (status != LST_OK) {
        return status;
    }
    lst_index_read_end(reader);
    removal = calloc(1, sizeof(*removal));
    if (removal == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    *removal = (struct removal){.store = store,
                                .partition = partition,
                                .keys = keys,
                                .key_count = key_count,
                                .write = write};
    lst_store_begin_write(store);
    submit(removal);
    return LST_OK;
}
