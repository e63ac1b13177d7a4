/* store.c - open and close a store. */
#include "store/store.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "index/complete.h"
#include "store/scrub.h"
#include "store/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int open_blobs(struct lst_store *store, const char *folder)
{
    char *path;
    int status;

    if (asprintf(&path, "%s/blobs", folder) < 0) {
        return LST_ERR_NO_MEMORY;
    }
    status = lst_blobs_open(path, store->read_only, &store->blobs);
    free(path);
    return status;
}

static int open_index(struct lst_store *store, const struct lst_store_options *options)
{
    struct lst_index_options index = {
        .read_only = store->read_only, .has_ranges = true, .size_max = options->index_size_max};
    char *path;
    int status;

    if (asprintf(&path, "%s/index.mdb", options->path) < 0) {
        return LST_ERR_NO_MEMORY;
    }
    index.path = path;
    status = lst_index_open(&index, &store->index);
    free(path);
    return status;
}

static int find_blob(void *context, struct lst_blob_id id, uint64_t size)
{
    (void)context;
    (void)id;
    (void)size;
    return LST_ERR_CORRUPT;
}

/* An index is whole before the first blob is made. A new one beside blobs would have them deleted
 * as unreferenced, all of them. */
static int check_index_is_there(struct lst_store *store, const char *folder)
{
    char *path;
    bool is_there;

    if (asprintf(&path, "%s/index.mdb", folder) < 0) {
        return LST_ERR_NO_MEMORY;
    }
    is_there = access(path, F_OK) == 0 || errno != ENOENT;
    free(path);
    return is_there ? LST_OK : lst_blobs_walk(store->blobs, find_blob, NULL);
}

static int open_parts(struct lst_store *store, const struct lst_store_options *options,
                      struct lst_store_recovery *ret_recovery)
{
    int status = store->read_only ? LST_OK : lst_folder_make(options->path);
    int code;

    /* The blobs first: theirs is the lock against a second process. */
    if (status == LST_OK) {
        status = open_blobs(store, options->path);
    }
    if (status == LST_OK) {
        status = check_index_is_there(store, options->path);
    }
    if (status == LST_OK) {
        status = open_index(store, options);
    }
    if (status != LST_OK || store->read_only) {
        return status;
    }
    status = lst_store_recover(store, ret_recovery);
    if (status != LST_OK) {
        return status;
    }
    code = pthread_create(&store->housekeeper, NULL, lst_store_housekeeper, store);
    return code == 0 ? LST_OK : lst_error_from_errno(code);
}

static void free_store(struct lst_store *store)
{
    lst_pool_release(&store->copiers);
    lst_digests_release(&store->digests);
    if (store->index != NULL && lst_index_has_failed(store->index)) {
        lst_blobs_leave_unclean(store->blobs);
    }
    lst_index_close(store->index);
    lst_blobs_close(store->blobs);
    lst_arrivals_release(&store->arrivals);
    lst_pins_release(&store->pins);
    pthread_cond_destroy(&store->no_writes);
    pthread_cond_destroy(&store->wake);
    pthread_cond_destroy(&store->scrub_wake);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

int lst_store_open(const struct lst_store_options *options, struct lst_store_recovery *ret_recovery,
                   struct lst_store **ret_store)
{
    struct lst_store_recovery recovery = {0};
    struct lst_store *store = calloc(1, sizeof(*store));
    pthread_condattr_t clock;
    int status;

    if (store == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    store->read_only = options->read_only;
    store->report = options->report;
    store->last_job = &store->first_job;
    lst_random_bytes(store->run, sizeof(store->run));
    pthread_mutex_init(&store->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&store->wake, &clock);
    pthread_cond_init(&store->scrub_wake, &clock);
    pthread_condattr_destroy(&clock);
    pthread_cond_init(&store->no_writes, NULL);
    lst_pins_init(&store->pins);
    lst_arrivals_init(&store->arrivals);
    lst_pool_init(&store->copiers, LST_POOL_THREADS);
    lst_digests_init(&store->digests);
    status = open_parts(store, options, &recovery);
    if (status != LST_OK) {
        free_store(store);
        return status;
    }
    if (ret_recovery != NULL) {
        *ret_recovery = recovery;
    }
    *ret_store = store;
    return LST_OK;
}

void lst_store_close(struct lst_store *store)
{
    if (store == NULL) {
        return;
    }
    if (!store->read_only) {
        pthread_mutex_lock(&store->lock);
        while (store->writes > 0) {
            pthread_cond_wait(&store->no_writes, &store->lock);
        }
        store->stopping = true;
        pthread_cond_signal(&store->wake);
        pthread_mutex_unlock(&store->lock);
        lst_scrub_end(store);
        pthread_join(store->housekeeper, NULL);
        /* If it fails, the next opening says that this end was unclean. */
        lst_ignore_status(lst_store_set_running(store, false));
    }
    free_store(store);
}

int lst_store_mark_complete(struct lst_store *store)
{
    return lst_index_mark_complete(store->index);
}

bool lst_store_spare_files(struct lst_store *store)
{
    return lst_blobs_spare_files(store->blobs);
}

bool lst_store_has_failed(const struct lst_store *store)
{
    return lst_index_has_failed(store->index) || lst_blobs_have_failed(store->blobs);
}

void lst_store_begin_write(struct lst_store *store)
{
    pthread_mutex_lock(&store->lock);
    store->writes++;
    pthread_mutex_unlock(&store->lock);
}

void lst_store_tell(struct lst_store_write *write, int status)
{
    if (write->done != NULL) {
        write->done(write, status);
    } else {
        write->status = status;
        lst_wait_end(&write->is_done);
    }
}

int lst_store_wait(struct lst_store_write *write)
{
    lst_wait_for(&write->is_done);
    return write->status;
}

void lst_store_end_write(struct lst_store *store, struct lst_store_write *write, int status)
{
    lst_store_tell(write, status);
    if (status == LST_ERR_UNKNOWN) {
        lst_store_sweep_later(store); /* what the batch put in the way of garbage may be there */
    }
    pthread_mutex_lock(&store->lock);
    if (--store->writes == 0) {
        pthread_cond_signal(&store->no_writes);
    }
    pthread_mutex_unlock(&store->lock);
}

void lst_store_stamp(struct lst_store *store, char ret_stamp[LST_ROW_STAMP_SIZE])
{
    memcpy(ret_stamp, store->run, sizeof(store->run));
    lst_row_number_encode(atomic_fetch_add(&store->next_stamp, 1), ret_stamp + sizeof(store->run));
}

uint64_t lst_store_next_order(struct lst_store *store, uint64_t least)
{
    uint64_t last = atomic_load(&store->last_order);
    uint64_t order;

    do {
        order = (uint64_t)lst_clock_now_ms() * 1000;
        order = order > last ? order : last + 1;
        order = order > least ? order : least + 1;
    } while (!atomic_compare_exchange_weak(&store->last_order, &last, order));
    return order;
}

int lst_store_check_readable(struct lst_store *store)
{
    struct lst_index_reader *reader;
    uint64_t partition;
    int status = lst_store_read_bucket(store, LST_SLICE("any"), &reader, &partition);

    if (status == LST_OK) {
        lst_index_read_end(reader);
    }
    return status == LST_ERR_BUCKET_NOT_FOUND ? LST_OK : status;
}

void lst_store_statistics(struct lst_store *store, struct lst_store_statistics *ret_statistics)
{
    struct lst_index_statistics index;
    struct lst_blobs_statistics blobs;
    struct lst_scrubbed scrubbed;

    lst_index_statistics(store->index, &index);
    lst_blobs_statistics(store->blobs, &blobs);
    pthread_mutex_lock(&store->lock);
    scrubbed = store->scrubbed;
    pthread_mutex_unlock(&store->lock);
    *ret_statistics = (struct lst_store_statistics){
        .index_commits = index.commits,
        .index_batches = index.batches,
        .index_entries = index.entries,
        .index_bytes = index.bytes_used,
        .blobs_sealed = blobs.sealed,
        .blob_syncs = blobs.syncs,
        .scrubbed_rows = scrubbed.rows,
        .scrubbed_bytes = scrubbed.bytes,
        .scrub_damaged = scrubbed.damaged,
        .scrub_finished = scrubbed.finished_ms / 1000,
    };
}
