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

/* ---- Waste */

/* With the lock held. */
static void keep_waste(struct lst_store *store, uint64_t partition, struct lst_slice name)
{
    struct lst_waste *waste = NULL;

    if (store->waste_count < LST_WASTE_MAX) {
        waste = malloc(sizeof(*waste) + name.length);
    }
    if (waste == NULL) {
        store->waste_overflowed = true;
        return;
    }
    waste->next = store->waste;
    waste->partition = partition;
    waste->length = name.length;
    memcpy(waste->name, name.bytes, name.length);
    store->waste = waste;
    store->waste_count++;
}

/* With the lock held. */
static bool has_waste(const struct lst_store *store)
{
    return store->waste_count > 0 || store->waste_overflowed;
}

void lst_store_collect(struct lst_store *store, uint64_t partition,
                       const struct lst_changes *changes)
{
    pthread_mutex_lock(&store->lock);
    for (size_t i = 0; i < changes->count; i++) {
        const struct lst_index_change *change = &changes->list[i];
        if (change->kind == LST_INDEX_PUT &&
            (change->key.bytes[0] == LST_ROW_GARBAGE || change->key.bytes[0] == LST_ROW_LEFT)) {
            keep_waste(store, partition, change->key);
        }
    }
    if (has_waste(store)) {
        pthread_cond_signal(&store->wake);
    }
    pthread_mutex_unlock(&store->lock);
}

void lst_store_unpin(struct lst_store *store, uint64_t partition, struct lst_slice key,
                     struct lst_slice upload_id)
{
    struct lst_row_name name;

    if (lst_pins_remove(&store->pins, upload_id)) {
        lst_row_name_make_upload(&name, LST_ROW_LEFT, key, upload_id);
        pthread_mutex_lock(&store->lock);
        keep_waste(store, partition, lst_row_name_slice(&name));
        pthread_cond_signal(&store->wake);
        pthread_mutex_unlock(&store->lock);
    }
}

void lst_store_sweep_later(struct lst_store *store)
{
    pthread_mutex_lock(&store->lock);
    store->waste_overflowed = true;
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

    if (row->status != LST_OK) {
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
    size_t count;
    struct lst_waste *waste[LST_WASTE_MAX];
    bool overflowed;
};

/* With the lock held. */
static void take_waste(struct lst_store *store, struct sweep *sweep)
{
    sweep->count = 0;
    while (store->waste != NULL) {
        struct lst_waste *waste = store->waste;
        store->waste = waste->next;
        sweep->waste[sweep->count++] = waste;
    }
    sweep->overflowed = store->waste_overflowed;
    store->waste_count = 0;
    store->waste_overflowed = false;
}

static int compare_waste(const void *left, const void *right)
{
    const struct lst_waste *a = *(struct lst_waste *const *)left;
    const struct lst_waste *b = *(struct lst_waste *const *)right;

    if (a->partition != b->partition) {
        return a->partition < b->partition ? -1 : 1;
    }
    return lst_slice_compare(lst_waste_name(a), lst_waste_name(b));
}

/* Delete blobs, from this one on, together. Gives the first that is not among them. */
static size_t sweep_blobs(struct lst_store *store, const struct sweep *sweep, size_t first,
                          int *failure)
{
    uint64_t partition = sweep->waste[first]->partition;
    struct lst_changes rows = {0};
    size_t i = first;

    while (i < sweep->count && sweep->waste[i]->partition == partition &&
           sweep->waste[i]->name[0] == LST_ROW_GARBAGE && rows.count < GARBAGE_BATCH) {
        (void)lst_changes_add(&rows, LST_INDEX_DELETE, lst_waste_name(sweep->waste[i++]),
                              lst_slice_make(NULL, 0));
    }
    if (lst_changes_status(&rows) == LST_OK) {
        keep_failure(failure, lst_store_delete_blobs(store, partition, &rows));
    } else {
        keep_failure(failure, lst_changes_status(&rows));
        lst_changes_release(&rows);
    }
    return i;
}

/* What fails keeps its row: a later sweep, or the next opening of the store, deletes it. The others
 * are not kept waiting. Gives the first failure. */
static int run_sweep(struct lst_store *store, struct sweep *sweep)
{
    int failure = LST_OK;
    size_t next;

    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
    qsort((void *)sweep->waste, sweep->count, sizeof(sweep->waste[0]), compare_waste);
    for (size_t i = 0; i < sweep->count; i = next) {
        const struct lst_waste *waste = sweep->waste[i];
        next = i + 1;
        if (waste->name[0] == LST_ROW_GARBAGE) {
            next = sweep_blobs(store, sweep, i, &failure);
        } else {
            keep_failure(&failure,
                         lst_store_delete_left(store, waste->partition, lst_waste_name(waste)));
        }
    }
    for (size_t i = 0; i < sweep->count; i++) {
        free(sweep->waste[i]);
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

    while (!store->stopping && store->first_job == NULL && store->waste_count < LST_WASTE_MAX / 2 &&
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
        } else if (has_waste(store)) {
            int status;
            wait_a_moment(store, wait_ms);
            take_waste(store, &sweep);
            pthread_mutex_unlock(&store->lock);
            status = run_sweep(store, &sweep);
            report_sweep(store, status);
            pthread_mutex_lock(&store->lock);
            wait_ms = next_wait(wait_ms, status);
            /* What the sweep did not come to is found in its rows. */
            store->waste_overflowed =
                store->waste_overflowed || (status != LST_OK && !store->stopping);
        } else if (store->stopping) {
            break;
        } else {
            pthread_cond_wait(&store->wake, &store->lock);
        }
    }
    pthread_mutex_unlock(&store->lock);
    return NULL;
}
