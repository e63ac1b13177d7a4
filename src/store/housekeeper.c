/* housekeeper.c - a thread for what may block: buckets, and the blobs that nobody refers to any
 * more. */
#include "store/state.h"

#include "base/clock.h"

#include <stdlib.h>
#include <time.h>

enum {
    /* Garbage is gathered for a while, so that many rows go in one commit. */
    GATHER_MS = 50,
    /* Rows in one batch. */
    GARBAGE_BATCH = 256,
};

/* ---- Garbage */

/* Delete the blobs, then their rows. A blob that can't be deleted keeps its row, for later. */
static int delete_blobs(struct lst_store *store, uint64_t partition,
                        const struct lst_blob_id *blobs, size_t count)
{
    struct lst_changes changes = {0};
    int failure = LST_OK;
    int status;

    for (size_t i = 0; i < count; i++) {
        status = lst_blob_delete(store->blobs, blobs[i]);
        if (status == LST_OK) {
            lst_changes_add_blob(&changes, LST_INDEX_DELETE, LST_ROW_GARBAGE, blobs[i],
                                 lst_slice_make(NULL, 0));
        } else {
            failure = status;
        }
    }
    status = lst_changes_status(&changes);
    if (status == LST_OK && changes.count > 0) {
        status = lst_index_apply(store->index, partition, changes.list, changes.count);
    }
    lst_changes_release(&changes);
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

int lst_store_delete_garbage(struct lst_store *store, uint64_t partition)
{
    struct lst_blob_id blobs[GARBAGE_BATCH];
    size_t count = GARBAGE_BATCH;
    int status = LST_OK;

    while (status == LST_OK && count == GARBAGE_BATCH) {
        status = find_garbage(store, partition, blobs, &count);
        if (status == LST_OK && count > 0) {
            status = delete_blobs(store, partition, blobs, count);
        }
    }
    return status;
}

void lst_store_collect(struct lst_store *store, uint64_t partition,
                       const struct lst_changes *changes)
{
    bool any = false;

    pthread_mutex_lock(&store->lock);
    for (size_t i = 0; i < changes->count; i++) {
        const struct lst_index_change *change = &changes->list[i];
        struct lst_blob_id blob;
        if (change->kind != LST_INDEX_PUT || change->key.bytes[0] != LST_ROW_GARBAGE ||
            lst_row_blob_id_decode(change->key, &blob) != LST_OK) {
            continue;
        }
        any = true;
        if (store->garbage_count < LST_GARBAGE_MAX) {
            store->garbage[store->garbage_count++] = (struct lst_garbage){partition, blob};
        } else {
            store->garbage_overflowed = true;
        }
    }
    if (any) {
        pthread_cond_signal(&store->wake);
    }
    pthread_mutex_unlock(&store->lock);
}

static int by_partition(const void *left, const void *right)
{
    const struct lst_garbage *a = left;
    const struct lst_garbage *b = right;

    return a->partition < b->partition ? -1 : a->partition > b->partition;
}

static int sweep_bucket(void *context, const struct lst_bucket_row *row)
{
    return lst_store_delete_garbage(context, row->partition);
}

static int sweep_all(struct lst_store *store)
{
    struct lst_slice nothing = lst_slice_make(NULL, 0);
    struct lst_index_reader *reader;
    int status = lst_index_read_begin(store->index, &reader);

    if (status == LST_OK) {
        status = lst_store_each_bucket(reader, nothing, nothing, sweep_bucket, store);
        lst_index_read_end(reader);
    }
    return status;
}

static int sweep(struct lst_store *store, struct lst_garbage *garbage, size_t count,
                 bool overflowed)
{
    struct lst_blob_id blobs[GARBAGE_BATCH];
    int status = LST_OK;

    qsort(garbage, count, sizeof(*garbage), by_partition);
    for (size_t i = 0; i < count && status == LST_OK;) {
        uint64_t partition = garbage[i].partition;
        size_t taken = 0;
        while (i < count && garbage[i].partition == partition && taken < GARBAGE_BATCH) {
            blobs[taken++] = garbage[i++].blob;
        }
        status = delete_blobs(store, partition, blobs, taken);
    }
    return status == LST_OK && overflowed ? sweep_all(store) : status;
}

/* ---- The thread */

/* With the lock held. */
static void wait_a_moment(struct lst_store *store)
{
    uint64_t until = lst_clock_monotonic_ns() + GATHER_MS * 1000000U;
    struct timespec time = {.tv_sec = (time_t)(until / 1000000000U),
                            .tv_nsec = (long)(until % 1000000000U)};

    while (!store->stopping && store->first_job == NULL &&
           store->garbage_count < LST_GARBAGE_MAX / 2 &&
           pthread_cond_timedwait(&store->wake, &store->lock, &time) == 0) {
    }
}

static struct lst_bucket_job *take_job(struct lst_store *store)
{
    struct lst_bucket_job *job = store->first_job;

    store->first_job = job->next;
    if (store->first_job == NULL) {
        store->last_job = &store->first_job;
    }
    return job;
}

static void do_job(struct lst_store *store, struct lst_bucket_job *job)
{
    struct lst_store_write *write = job->write;
    int status = lst_store_do_job(store, job);

    free(job);
    write->done(write, status);
}

void *lst_store_housekeeper(void *argument)
{
    struct lst_garbage garbage[LST_GARBAGE_MAX];
    struct lst_store *store = argument;

    pthread_mutex_lock(&store->lock);
    for (;;) {
        if (store->first_job != NULL) {
            struct lst_bucket_job *job = take_job(store);
            pthread_mutex_unlock(&store->lock);
            do_job(store, job);
            pthread_mutex_lock(&store->lock);
        } else if (store->garbage_count > 0) {
            size_t count;
            bool overflowed;
            wait_a_moment(store);
            count = store->garbage_count;
            overflowed = store->garbage_overflowed;
            memcpy(garbage, store->garbage, count * sizeof(*garbage));
            store->garbage_count = 0;
            store->garbage_overflowed = false;
            pthread_mutex_unlock(&store->lock);
            /* What fails stays a garbage row: the next opening of the store deletes it. */
            (void)sweep(store, garbage, count, overflowed);
            pthread_mutex_lock(&store->lock);
        } else if (store->stopping) {
            break;
        } else {
            pthread_cond_wait(&store->wake, &store->lock);
        }
    }
    pthread_mutex_unlock(&store->lock);
    return NULL;
}
