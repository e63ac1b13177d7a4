/* recover.c - put right, at the opening, what the last process left undone. */
#include "store/ranges.h"

#include <stdlib.h>

/* The blobs of one generation that objects refer to. Their rows stand in the order of the keys, so
 * all rows of blobs are read once for each generation that was not closed, as a rule the last. */
struct live_blobs {
    struct lst_store *store;
    uint64_t generation; /* 0: none is loaded */
    bool is_unknown;     /* rows are damaged that may refer to any */
    bool is_verified;    /* no row can be missing, or some are: */
    bool has_lost_rows;
    uint64_t *numbers; /* ascending once loaded */
    size_t count;
    size_t capacity;
};

static const struct lst_slice nothing = {NULL, 0};

int lst_store_set_running(struct lst_store *store, bool is_running)
{
    static const char name = LST_ROW_RUNNING;
    struct lst_index_change change = {.kind = is_running ? LST_INDEX_PUT : LST_INDEX_DELETE,
                                      .key = lst_slice_make(&name, 1)};
    int status = lst_index_apply(store->index, LST_STORE_PARTITION, &change, 1);

    /* On a full disk the store must still open, to be read and to be deleted from. */
    return status == LST_ERR_NO_SPACE ? LST_OK : status;
}

static int was_running(struct lst_index_reader *reader, bool *ret_was_running)
{
    static const char name = LST_ROW_RUNNING;
    struct lst_slice value;
    int status = lst_index_get(reader, LST_STORE_PARTITION, lst_slice_make(&name, 1), &value);

    *ret_was_running = status != LST_ERR_NOT_FOUND;
    return status == LST_ERR_NOT_FOUND || status == LST_ERR_CORRUPT ? LST_OK : status;
}

/* ---- Blobs */

static int keep_number(struct live_blobs *live, uint64_t number)
{
    if (live->count == live->capacity) {
        size_t capacity = live->capacity == 0 ? 1024 : 2 * live->capacity;
        uint64_t *numbers = realloc(live->numbers, capacity * sizeof(*numbers));
        if (numbers == NULL) {
            return LST_ERR_NO_MEMORY;
        }
        live->numbers = numbers;
        live->capacity = capacity;
    }
    live->numbers[live->count++] = number;
    return LST_OK;
}

static int load_partition(struct live_blobs *live, struct lst_index_reader *reader,
                          uint64_t partition)
{
    static const char kind = LST_ROW_BLOB;
    struct lst_slice name;
    struct lst_slice value;
    int status = lst_index_seek(reader, partition, lst_slice_make(&kind, 1), &name, &value);

    while (status == LST_OK && name.bytes[0] == kind) {
        struct lst_key_room room;
        struct lst_slice key;
        struct lst_blob_id blob;
        status = lst_row_name_split_blob(name, &room, &key, &blob);
        if (status == LST_OK && blob.generation == live->generation) {
            status = keep_number(live, blob.number);
        }
        if (status == LST_OK) {
            status = lst_index_next(reader, &name, &value);
        }
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

static int load_bucket(void *context, const struct lst_bucket_row *row)
{
    struct live_blobs *live = context;
    struct lst_index_reader *reader;
    int status;

    if (row->status != LST_OK) {
        live->is_unknown = true;
        return LST_OK;
    }
    /* A reader of its own: the walk over the buckets needs its cursor. */
    status = lst_index_read_begin(live->store->index, &reader);
    if (status == LST_OK) {
        status = load_partition(live, reader, row->partition);
        lst_index_read_end(reader);
    }
    return status;
}

static int by_number(const void *left, const void *right)
{
    const uint64_t *a = left;
    const uint64_t *b = right;

    return *a < *b ? -1 : *a > *b;
}

static int load_generation(struct live_blobs *live, uint64_t generation)
{
    struct lst_index_reader *reader;
    int status = lst_index_read_begin(live->store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    live->generation = generation;
    live->is_unknown = false;
    live->count = 0;
    status = lst_store_each_bucket(reader, nothing, nothing, load_bucket, live);
    lst_index_read_end(reader);
    if (status == LST_ERR_CORRUPT) {
        live->is_unknown = true;
        status = LST_OK;
    }
    if (live->count > 0) {
        qsort(live->numbers, live->count, sizeof(*live->numbers), by_number);
    }
    return status;
}

static void ignore_fault(void *context, const struct lst_index_fault *fault)
{
    (void)context;
    (void)fault;
}

/* Before the first body is deleted because no row names it: whether the index has all its rows. A
 * damaged page can lack some, and nobody who reads the others notices. */
static int verify_index(struct live_blobs *live)
{
    struct lst_index_verify verify = {.report = ignore_fault};
    int status = LST_OK;

    if (!live->is_verified) {
        status = lst_index_verify(live->store->index, &verify);
        live->has_lost_rows = status == LST_ERR_CORRUPT || verify.faults > 0;
        live->is_verified = true;
    }
    return status == LST_ERR_CORRUPT ? LST_OK : status;
}

static int find_live(void *context, struct lst_blob_id id, bool *ret_is_live)
{
    struct live_blobs *live = context;
    int status = live->generation == id.generation ? LST_OK : load_generation(live, id.generation);

    if (status == LST_OK) {
        *ret_is_live = live->is_unknown ||
                       (live->count > 0 && bsearch(&id.number, live->numbers, live->count,
                                                   sizeof(*live->numbers), by_number) != NULL);
        if (!*ret_is_live) {
            status = verify_index(live);
            *ret_is_live = live->has_lost_rows;
        }
    }
    return status;
}

static int recover_blobs(struct lst_store *store, uint64_t *ret_removed)
{
    struct live_blobs live = {.store = store};
    int status = lst_blobs_recover(store->blobs, find_live, &live, ret_removed);

    free(live.numbers);
    return status;
}

/* ---- Buckets */

/* A deletion that was cut short did not happen; another change of the bucket is finished. */
static int recover_bucket(void *context, const struct lst_bucket_row *row)
{
    static const struct lst_state_wish live = {.has_deleting = true};
    int status =
        row->status != LST_OK ? LST_OK : lst_ranges_set_state(context, row->partition, &live);

    /* What a damaged state was, nobody knows; the check reports it. */
    return status == LST_ERR_CORRUPT || status == LST_ERR_NO_SPACE ? LST_OK : status;
}

/* Delete what was left, in all partitions that ever were: also in those of buckets that are gone,
 * where somebody may still have read from the parts of an object when the process ended. */
static int delete_garbage(struct lst_store *store, struct lst_index_reader *reader)
{
    static const char name = LST_ROW_NEXT_PARTITION;
    struct lst_slice value;
    uint64_t next = 0;
    int status = lst_index_get(reader, LST_STORE_PARTITION, lst_slice_make(&name, 1), &value);

    if (status == LST_OK) {
        status = lst_row_number_decode(value, &next);
    }
    if (status != LST_OK) {
        return status == LST_ERR_NOT_FOUND || status == LST_ERR_CORRUPT ? LST_OK : status;
    }
    for (uint64_t i = LST_STORE_PARTITION + 1; i < next; i++) {
        /* What can't be deleted must not keep the store from being opened. */
        if (lst_store_delete_garbage(store, i) != LST_OK) {
            store->waste_overflowed = true; /* the housekeeper tries again */
        }
        if (lst_store_has_failed(store)) {
            return LST_ERR_IO;
        }
    }
    return LST_OK;
}

int lst_store_recover(struct lst_store *store, struct lst_store_recovery *ret_recovery)
{
    struct lst_index_reader *reader;
    int status = lst_index_read_begin(store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = was_running(reader, &ret_recovery->was_unclean);
    if (status == LST_OK) {
        status = recover_blobs(store, &ret_recovery->blobs_removed);
    }
    if (status == LST_OK) {
        status = lst_store_each_bucket(reader, nothing, nothing, recover_bucket, store);
        status = status == LST_ERR_CORRUPT ? LST_OK : status; /* some can't be found */
    }
    if (status == LST_OK) {
        status = delete_garbage(store, reader);
    }
    lst_index_read_end(reader);
    return status == LST_OK ? lst_store_set_running(store, true) : status;
}
