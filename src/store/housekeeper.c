/* housekeeper.c - a thread for what may block: buckets, and the blobs that nobody refers to any
 * more. */
#include "store/state.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    /* Garbage is gathered for a while, so that many rows go in one commit. */
    GATHER_MS = 50,
    /* After a sweep that failed the next one waits, each time twice as long. */
    RETRY_MS = 500,
    RETRY_MS_MAX = 5 * 60 * 1000,
    /* Rows in one batch. */
    GARBAGE_BATCH = 256,
};

/* ---- Garbage */

/* With the lock held. */
static void keep_garbage(struct lst_store *store, uint64_t partition, struct lst_blob_id blob)
{
    if (store->garbage_count < LST_GARBAGE_MAX) {
        store->garbage[store->garbage_count++] = (struct lst_garbage){partition, blob};
    } else {
        store->garbage_overflowed = true;
    }
}

/* With the lock held. */
static void keep_left(struct lst_store *store, uint64_t partition, struct lst_slice upload_id)
{
    if (store->left_count < LST_LEFT_MAX) {
        struct lst_left_upload *left = &store->left[store->left_count++];
        left->partition = partition;
        memcpy(left->id, upload_id.bytes, sizeof(left->id));
    } else {
        store->garbage_overflowed = true;
    }
}

/* With the lock held. */
static bool has_garbage(const struct lst_store *store)
{
    return store->garbage_count > 0 || store->left_count > 0 || store->garbage_overflowed;
}

void lst_store_collect(struct lst_store *store, uint64_t partition,
                       const struct lst_changes *changes)
{
    pthread_mutex_lock(&store->lock);
    for (size_t i = 0; i < changes->count; i++) {
        const struct lst_index_change *change = &changes->list[i];
        struct lst_slice rest = lst_slice_after(change->key, 1);
        struct lst_blob_id blob;
        if (change->kind != LST_INDEX_PUT) {
            continue;
        }
        if (change->key.bytes[0] == LST_ROW_GARBAGE &&
            lst_row_blob_id_decode(change->key, &blob) == LST_OK) {
            keep_garbage(store, partition, blob);
        } else if (change->key.bytes[0] == LST_ROW_LEFT && rest.length == LST_ROW_UPLOAD_ID_SIZE) {
            keep_left(store, partition, rest);
        }
    }
    if (has_garbage(store)) {
        pthread_cond_signal(&store->wake);
    }
    pthread_mutex_unlock(&store->lock);
}

void lst_store_unpin(struct lst_store *store, struct lst_slice upload_id)
{
    uint64_t partition;

    if (lst_pins_remove(&store->pins, upload_id, &partition)) {
        pthread_mutex_lock(&store->lock);
        keep_left(store, partition, upload_id);
        pthread_cond_signal(&store->wake);
        pthread_mutex_unlock(&store->lock);
    }
}

static int by_partition(const void *left, const void *right)
{
    const struct lst_garbage *a = left;
    const struct lst_garbage *b = right;

    return a->partition < b->partition ? -1 : a->partition > b->partition;
}

void lst_store_sweep_later(struct lst_store *store)
{
    pthread_mutex_lock(&store->lock);
    store->garbage_overflowed = true;
    pthread_cond_signal(&store->wake);
    pthread_mutex_unlock(&store->lock);
}

/* All buckets are gone through; the first failure is kept. */
struct bucket_sweep {
    struct lst_store *store;
    int failure;
};

static void keep_failure(int *failure, int status)
{
    if (*failure == LST_OK) {
        *failure = status;
    }
}

static int sweep_bucket(void *context, const struct lst_bucket_row *row)
{
    struct bucket_sweep *sweep = context;

    if (row->is_damaged) {
        return LST_OK; /* where its rows are, nobody knows */
    }
    keep_failure(&sweep->failure, lst_store_undo_deletion(sweep->store, row->partition));
    keep_failure(&sweep->failure, lst_store_delete_garbage(sweep->store, row->partition));
    return LST_OK;
}

static int sweep_all(struct lst_store *store)
{
    struct bucket_sweep sweep = {.store = store};
    struct lst_slice nothing = lst_slice_make(NULL, 0);
    struct lst_index_reader *reader;
    int status = lst_index_read_begin(store->index, &reader);

    if (status == LST_OK) {
        status = lst_store_each_bucket(reader, nothing, nothing, sweep_bucket, &sweep);
        lst_index_read_end(reader);
    }
    keep_failure(&sweep.failure, status);
    return sweep.failure;
}

/* What waited in memory, taken out of the store. */
struct sweep {
    size_t garbage_count;
    struct lst_garbage garbage[LST_GARBAGE_MAX];
    size_t left_count;
    struct lst_left_upload left[LST_LEFT_MAX];
    bool overflowed;
};

/* With the lock held. */
static void take_garbage(struct lst_store *store, struct sweep *sweep)
{
    sweep->garbage_count = store->garbage_count;
    memcpy(sweep->garbage, store->garbage, store->garbage_count * sizeof(store->garbage[0]));
    sweep->left_count = store->left_count;
    memcpy(sweep->left, store->left, store->left_count * sizeof(store->left[0]));
    sweep->overflowed = store->garbage_overflowed;
    store->garbage_count = 0;
    store->left_count = 0;
    store->garbage_overflowed = false;
}

/* What fails keeps its row: a later sweep, or the next opening of the store, deletes it. The others
 * are not kept waiting. Gives the first failure. */
static int run_sweep(struct lst_store *store, struct sweep *sweep)
{
    struct lst_blob_id blobs[GARBAGE_BATCH];
    int failure = LST_OK;

    qsort(sweep->garbage, sweep->garbage_count, sizeof(sweep->garbage[0]), by_partition);
    for (size_t i = 0; i < sweep->garbage_count;) {
        uint64_t partition = sweep->garbage[i].partition;
        size_t taken = 0;
        while (i < sweep->garbage_count && sweep->garbage[i].partition == partition &&
               taken < GARBAGE_BATCH) {
            blobs[taken++] = sweep->garbage[i++].blob;
        }
        keep_failure(&failure, lst_store_delete_blobs(store, partition, blobs, taken));
    }
    for (size_t i = 0; i < sweep->left_count; i++) {
        keep_failure(&failure, lst_store_delete_left(store, &sweep->left[i]));
    }
    if (sweep->overflowed) {
        keep_failure(&failure, sweep_all(store));
    }
    return failure;
}

/* Once for each trouble. A failed sync is told of elsewhere. */
static void report_sweep(struct lst_store *store, int status)
{
    char text[256];

    if (status != LST_OK && status != store->sweep_status && store->report != NULL &&
        !lst_store_has_failed(store)) {
        (void)snprintf(
            text, sizeof(text),
            "something that was deleted can't be removed from the disk (%s); it keeps its "
            "room, and is tried again every few minutes. Look at the files in blobs/",
            lst_error_text(status));
        store->report(text);
    }
    store->sweep_status = status;
}

/* ---- The thread */

/* With the lock held. */
static void wait_a_moment(struct lst_store *store, uint64_t milliseconds)
{
    uint64_t until = lst_clock_monotonic_ns() + milliseconds * 1000000U;
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
    lst_store_tell(write, status);
}

static uint64_t next_wait(uint64_t wait_ms, int status)
{
    if (status == LST_OK) {
        return GATHER_MS;
    }
    return wait_ms < RETRY_MS ? RETRY_MS : wait_ms > RETRY_MS_MAX / 2 ? RETRY_MS_MAX : 2 * wait_ms;
}

void *lst_store_housekeeper(void *argument)
{
    struct lst_store *store = argument;
    uint64_t wait_ms = GATHER_MS;
    struct sweep sweep;

    pthread_mutex_lock(&store->lock);
    for (;;) {
        if (store->first_job != NULL) {
            struct lst_bucket_job *job = take_job(store);
            pthread_mutex_unlock(&store->lock);
            do_job(store, job);
            pthread_mutex_lock(&store->lock);
        } else if (has_garbage(store)) {
            int status;
            wait_a_moment(store, wait_ms);
            take_garbage(store, &sweep);
            pthread_mutex_unlock(&store->lock);
            status = run_sweep(store, &sweep);
            report_sweep(store, status);
            pthread_mutex_lock(&store->lock);
            wait_ms = next_wait(wait_ms, status);
            /* What the sweep did not come to is found in its rows. */
            store->garbage_overflowed =
                store->garbage_overflowed || (status != LST_OK && !store->stopping);
        } else if (store->stopping) {
            break;
        } else {
            pthread_cond_wait(&store->wake, &store->lock);
        }
    }
    pthread_mutex_unlock(&store->lock);
    return NULL;
}
