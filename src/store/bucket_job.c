/* bucket_job.c - make and delete buckets: several commits, one after another, on the housekeeper's
 * thread. */
#include "store/head.h"
#include "store/ranges.h"

/* How often it is tried to let a bucket live on, as long as nobody knows what came of it. */
enum { UNDO_TRIES = 8 };

static int read_next_partition(struct lst_store *store, struct lst_slice counter,
                               uint64_t *ret_partition)
{
    struct lst_index_reader *reader;
    struct lst_slice value;
    int status = lst_index_read_begin(store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = lst_index_get(reader, LST_STORE_PARTITION, counter, &value);
    if (status == LST_OK) {
        status = lst_row_number_decode(value, ret_partition);
    } else if (status == LST_ERR_NOT_FOUND) {
        *ret_partition = LST_STORE_PARTITION + 1;
        status = LST_OK;
    }
    lst_index_read_end(reader);
    return status;
}

/* A partition that no bucket has had. */
static int take_partition(struct lst_store *store, uint64_t *ret_partition)
{
    static const char name = LST_ROW_NEXT_PARTITION;
    struct lst_slice counter = lst_slice_make(&name, 1);
    char next[8];
    int status = read_next_partition(store, counter, ret_partition);

    if (status != LST_OK) {
        return status;
    }
    lst_row_number_encode(*ret_partition + 1, next);
    return lst_index_apply(store->index, LST_STORE_PARTITION,
                           &(struct lst_index_change){.kind = LST_INDEX_PUT,
                                                      .key = counter,
                                                      .value = lst_slice_make(next, sizeof(next))},
                           1);
}

static int put_bucket(struct lst_store *store, const struct lst_bucket_row *row)
{
    struct lst_index_change changes[2];
    struct lst_row_name name;
    struct lst_buffer value;
    int status;

    lst_row_name_make(&name, LST_ROW_BUCKET, row->bucket.name);
    lst_buffer_init(&value, 1024);
    lst_bucket_row_encode(row, &value);
    status = lst_buffer_status(&value);
    if (status == LST_OK) {
        changes[0] = (struct lst_index_change){.kind = LST_INDEX_REQUIRE_ABSENT,
                                               .key = lst_row_name_slice(&name)};
        changes[1] = (struct lst_index_change){.kind = LST_INDEX_PUT,
                                               .key = lst_row_name_slice(&name),
                                               .value = lst_buffer_slice(&value)};
        status = lst_index_apply_to(store->index, LST_STORE_PARTITION, lst_row_name_route(&name),
                                    changes, 2);
    }
    lst_buffer_release(&value);
    return status == LST_ERR_EXISTS ? LST_ERR_BUCKET_EXISTS : status;
}

static int create(struct lst_store *store, const struct lst_bucket *bucket)
{
    static const struct lst_state_wish live = {.has_deleting = true};
    struct lst_bucket_row row = {.bucket = *bucket};
    struct lst_index_reader *reader;
    int status = lst_store_read_bucket(store, bucket->name, &reader, &row.partition);

    if (status == LST_OK) {
        lst_index_read_end(reader);
        return LST_ERR_BUCKET_EXISTS;
    }
    if (status != LST_ERR_BUCKET_NOT_FOUND) {
        return status;
    }
    status = take_partition(store, &row.partition);
    if (status == LST_OK) {
        status = lst_ranges_set_state(store, row.partition, &live);
    }
    /* The bucket is there with its row, not before: what a failure leaves is a partition unused. */
    return status == LST_OK ? put_bucket(store, &row) : status;
}

static int check_empty(struct lst_store *store, uint64_t partition)
{
    struct lst_index_reader *reader;
    bool empty = false;
    int status = lst_index_read_begin(store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = lst_store_is_empty(reader, partition, &empty);
    lst_index_read_end(reader);
    return status == LST_OK && !empty ? LST_ERR_BUCKET_NOT_EMPTY : status;
}

static int delete_row(struct lst_store *store, uint64_t partition, struct lst_slice name)
{
    return lst_index_apply_to(store->index, partition, lst_slice_after(name, 1),
                              &(struct lst_index_change){.kind = LST_INDEX_DELETE, .key = name}, 1);
}

/* In all ranges. Where a bucket is being deleted no object can be put, so an empty bucket stays
 * empty. LST_ERR_BUCKET_NOT_FOUND. */
static int set_deleting(struct lst_store *store, uint64_t partition, bool is_deleting)
{
    struct lst_state_wish wish = {.has_deleting = true, .is_deleting = is_deleting};
    struct lst_bucket_state state;
    struct lst_index_reader *reader;
    int status = lst_index_read_begin(store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = lst_head_read_any_state(reader, partition, lst_slice_make(NULL, 0), &state);
    lst_index_read_end(reader);
    return status == LST_OK ? lst_ranges_set_state(store, partition, &wish) : status;
}

/* Delete all rows of an empty bucket but its state, then the bucket's own row. */
static int delete_rows(struct lst_store *store, uint64_t partition, struct lst_slice name)
{
    struct lst_row_name row;
    int status = check_empty(store, partition);

    lst_row_name_make(&row, LST_ROW_BUCKET, name);
    if (status == LST_OK) {
        status = lst_store_leave_uploads(store, partition);
    }
    if (status == LST_OK && lst_store_delete_garbage(store, partition) != LST_OK) {
        /* What can't be deleted now is looked for at the next opening, in the partitions of buckets
         * that are gone, too. But after a failed sync nobody knows what there is. */
        status = lst_store_has_failed(store) ? LST_ERR_IO : LST_OK;
    }
    return status == LST_OK ? delete_row(store, LST_STORE_PARTITION, lst_row_name_slice(&row))
                            : status;
}

/* The name of the first setting. LST_ERR_NOT_FOUND. */
static int find_setting(struct lst_store *store, uint64_t partition, struct lst_row_name *ret_name)
{
    static const char first = LST_ROW_SETTING;
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
        lst_row_name_make(ret_name, LST_ROW_SETTING, lst_slice_after(name, 1));
    }
    lst_index_read_end(reader);
    return status;
}

/* In all ranges. */
static int delete_own_rows(struct lst_store *store, uint64_t partition)
{
    static const char own[] = {LST_ROW_USAGE, LST_ROW_STATE};
    const struct lst_index_change changes[] = {
        {.kind = LST_INDEX_DELETE, .key = lst_slice_make(&own[0], 1)},
        {.kind = LST_INDEX_DELETE, .key = lst_slice_make(&own[1], 1)},
    };
    struct lst_route route = {.length = 0};
    int status;

    do {
        status = lst_index_apply_to(store->index, partition, lst_route_slice(&route), changes, 2);
        if (status == LST_OK) {
            status = lst_route_advance(store, partition, &route);
        }
    } while (status == LST_OK);
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

/* What is left when the bucket is gone: its settings, which are few, its usage and its state. */
static int delete_leftovers(struct lst_store *store, uint64_t partition)
{
    struct lst_row_name name;
    int status;

    while ((status = find_setting(store, partition, &name)) == LST_OK) {
        status = delete_row(store, partition, lst_row_name_slice(&name));
        if (status != LST_OK) {
            return status;
        }
    }
    return status == LST_ERR_NOT_FOUND ? delete_own_rows(store, partition) : status;
}

int lst_store_undo_deletion(struct lst_store *store, uint64_t partition)
{
    return set_deleting(store, partition, false);
}

/* The bucket is to live on. If that can't be written now, the sweep, or the next opening of the
 * store, sees to it; until then nothing can be put into it. */
static void live_on(struct lst_store *store, uint64_t partition)
{
    int status = lst_store_undo_deletion(store, partition);

    for (int i = 0; i < UNDO_TRIES && status == LST_ERR_UNKNOWN && !lst_store_has_failed(store);
         i++) {
        status = lst_store_undo_deletion(store, partition);
    }
    if (status != LST_OK) {
        lst_store_sweep_later(store);
    }
}

static int delete_bucket(struct lst_store *store, struct lst_slice name)
{
    struct lst_index_reader *reader;
    uint64_t partition;
    int status = lst_store_read_bucket(store, name, &reader, &partition);

    if (status != LST_OK) {
        return status;
    }
    lst_index_read_end(reader);
    status = set_deleting(store, partition, true);
    if (status == LST_OK) {
        status = delete_rows(store, partition, name);
    }
    if (status != LST_OK) {
        live_on(store, partition);
        return status;
    }
    /* The bucket is gone; rows left over harm nobody. */
    lst_ignore_status(delete_leftovers(store, partition));
    return LST_OK;
}

int lst_store_do_job(struct lst_store *store, const struct lst_bucket_job *job)
{
    return job->is_delete ? delete_bucket(store, job->bucket.name) : create(store, &job->bucket);
}
