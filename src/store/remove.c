/* remove.c - delete objects and versions: from one bucket, any number of them, in one batch. */
#include "store/remove.h"

#include <stdlib.h>

struct removal {
    struct lst_store *store;
    uint64_t partition;
    struct lst_deletion *deletions; /* the caller's */
    struct lst_deletion **by_key;   /* the same, those of one key side by side */
    size_t count;
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
    free(removal->by_key);
    free(removal);
    lst_store_end_write(store, write, status);
}

static int add_keys(struct removal *removal, struct lst_index_reader *reader)
{
    struct lst_key_removal key = {
        .place = {removal->store, reader, removal->partition, {NULL, 0}},
        .changes = &removal->changes,
    };
    /* What is in a bucket can be deleted while it is found out whether the bucket can be. */
    int status = lst_head_read_any_state(reader, removal->partition, &key.state);
    size_t next;

    if (status != LST_OK) {
        return status;
    }
    lst_head_require_state(&removal->changes, key.state);
    for (size_t i = 0; i < removal->count && status == LST_OK; i = next) {
        key.place.key = removal->by_key[i]->key;
        for (next = i + 1; next < removal->count; next++) {
            if (!lst_slice_equal(removal->by_key[next]->key, key.place.key)) {
                break;
            }
        }
        key.deletions = removal->by_key + i;
        key.count = next - i;
        status = lst_key_remove(&key);
    }
    free(key.dropped);
    return status == LST_OK ? lst_changes_close(&removal->changes) : status;
}

static void committed(struct lst_index_batch *batch, int status, size_t failed_change);

static void submit(struct removal *removal)
{
    struct lst_index_reader *reader;
    int status = lst_index_read_begin(removal->store->index, &reader);

    if (status == LST_OK) {
        do {
            lst_changes_release(&removal->changes);
            status = add_keys(removal, reader);
        } while (status == LST_ERR_CONFLICT); /* somebody was faster than the readings */
        lst_index_read_end(reader);
    }
    /* Where there is nothing but the state to be required, there is nothing to delete. */
    if (status != LST_OK || removal->changes.count == 1) {
        finish(removal, status);
        return;
    }
    removal->batch = (struct lst_index_batch){.partition = removal->partition,
                                              .changes = removal->changes.list,
                                              .change_count = removal->changes.count,
                                              .makes_room = true,
                                              .done = committed,
                                              .context = removal};
    lst_index_submit(removal->store->index, &removal->batch);
}

static void committed(struct lst_index_batch *batch, int status, size_t failed_change)
{
    struct removal *removal = batch->context;

    (void)failed_change;
    if (lst_store_is_conflict(status)) {
        submit(removal); /* one of them was written meanwhile: again, over what is there now */
    } else {
        finish(removal, status);
    }
}

static int compare_keys(const void *left, const void *right)
{
    const struct lst_deletion *a = *(struct lst_deletion *const *)left;
    const struct lst_deletion *b = *(struct lst_deletion *const *)right;
    int order = lst_slice_compare(a->key, b->key);

    /* Of one key as they were given: they lie in one array. */
    return order != 0 ? order : (a > b) - (a < b);
}

static int sort_by_key(struct removal *removal)
{
    size_t room = removal->count == 0 ? 1 : removal->count;

    removal->by_key = calloc(room, sizeof(struct lst_deletion *));
    if (removal->by_key == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < removal->count; i++) {
        removal->by_key[i] = &removal->deletions[i];
    }
    qsort(removal->by_key, removal->count, sizeof(struct lst_deletion *), compare_keys);
    return LST_OK;
}

int lst_store_delete(struct lst_store *store, struct lst_slice bucket,
                     struct lst_deletion *deletions, size_t count, struct lst_store_write *write)
{
    struct lst_index_reader *reader;
    struct removal *removal;
    uint64_t partition;
    int status;

    if (store->read_only) {
        return LST_ERR_PERMISSION;
    }
    if (count > LST_STORE_DELETE_MAX) {
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
                                .deletions = deletions,
                                .count = count,
                                .write = write};
    status = sort_by_key(removal);
    if (status != LST_OK) {
        free(removal);
        return status;
    }
    lst_store_begin_write(store);
    submit(removal);
    return LST_OK;
}
