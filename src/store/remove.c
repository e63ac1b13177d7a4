/* remove.c - delete objects and versions: from one bucket, any number of them, in one batch for
 * each range. */
#include "store/remove.h"

#include <stdlib.h>

struct removal {
    struct lst_store *store;
    uint64_t partition;
    struct lst_deletion *deletions; /* the caller's */
    struct lst_deletion **by_key;   /* the same, those of one key side by side */
    size_t count;
    size_t first; /* of those of one range, which are deleted in one batch */
    size_t end;
    struct lst_store_write *write;
    struct lst_changes changes;
    unsigned repeats;
    struct lst_index_batch batch;
};

static void finish(struct removal *removal, int status)
{
    struct lst_store *store = removal->store;
    struct lst_store_write *write = removal->write;

    lst_changes_release(&removal->changes);
    free(removal->by_key);
    free(removal);
    lst_store_end_write(store, write, status);
}

static int add_key(struct removal *removal, struct lst_key_removal *key, size_t first, size_t end)
{
    key->place.key = removal->by_key[first]->key;
    key->deletions = removal->by_key + first;
    key->count = end - first;
    return lst_key_remove(key);
}

/* Those of one key. */
static size_t find_next_key(const struct removal *removal, size_t first)
{
    size_t next = first;

    while (next < removal->count &&
           lst_slice_equal(removal->by_key[next]->key, removal->by_key[first]->key)) {
        next++;
    }
    return next;
}

static bool is_before(struct lst_slice key, struct lst_slice border)
{
    struct lst_row_name name;

    lst_row_name_make_escaped(&name, LST_ROW_OBJECT, key);
    return lst_slice_compare(lst_row_name_route(&name), border) < 0;
}

/* The keys from the first one on that are in one range with it. */
static int add_keys(struct removal *removal, struct lst_index_reader *reader)
{
    struct lst_key_removal key = {
        .place = {removal->store, reader, removal->partition, {NULL, 0}},
        .changes = &removal->changes,
    };
    struct lst_row_name name;
    struct lst_slice border;
    size_t i = removal->first;
    int limited;
    int status;

    lst_row_name_make_escaped(&name, LST_ROW_OBJECT,
                              i < removal->count ? removal->by_key[i]->key : key.place.key);
    /* What is in a bucket can be deleted while it is found out whether the bucket can be. */
    status =
        lst_head_read_any_state(reader, removal->partition, lst_row_name_route(&name), &key.state);
    if (status != LST_OK) {
        return status;
    }
    lst_head_require_state(&removal->changes, &key.state);
    limited = lst_index_next_range(reader, removal->partition, lst_row_name_route(&name), &border);
    status = limited == LST_ERR_NOT_FOUND ? LST_OK : limited;
    while (status == LST_OK && i < removal->count &&
           (limited != LST_OK || is_before(removal->by_key[i]->key, border))) {
        size_t next = find_next_key(removal, i);
        status = add_key(removal, &key, i, next);
        i = next;
    }
    removal->end = i;
    free(key.dropped);
    return status == LST_OK ? lst_changes_close(&removal->changes) : status;
}

static void committed(struct lst_index_batch *batch, int status, size_t failed_change);

/* Make the next batch. LST_ERR_NOT_FOUND: there is nothing to delete any more. */
static int make_changes(struct removal *removal)
{
    struct lst_index_reader *reader;
    int status = lst_index_read_begin(removal->store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    do {
        lst_changes_release(&removal->changes);
        status = add_keys(removal, reader);
        /* Where there is nothing but the state to be required, there is nothing to delete. */
        if (status == LST_OK && removal->changes.count == 1) {
            removal->first = removal->end;
            status = removal->first < removal->count ? LST_ERR_CONFLICT : LST_ERR_NOT_FOUND;
        }
    } while (status == LST_ERR_CONFLICT); /* somebody was faster than the readings */
    lst_index_read_end(reader);
    return status;
}

static void submit(struct removal *removal)
{
    int status = make_changes(removal);

    if (status != LST_OK) {
        finish(removal, status == LST_ERR_NOT_FOUND ? LST_OK : status);
        return;
    }
    removal->batch = (struct lst_index_batch){.partition = removal->partition,
                                              .route = lst_changes_route(&removal->changes),
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
    if (status == LST_OK) {
        lst_store_collect(removal->store, removal->partition, &removal->changes);
        removal->first = removal->end;
        removal->repeats = 0;
        if (removal->first == removal->count) {
            finish(removal, LST_OK);
            return;
        }
        submit(removal);
    } else if (lst_store_repeats(&status, &removal->repeats)) {
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
