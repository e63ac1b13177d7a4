/* state.h - inside the store: what its files share. */
#ifndef LST_STORE_STATE_H
#define LST_STORE_STATE_H

#include "store/changes.h"
#include "store/row.h"
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    /* Garbage that waits in memory; more of it is found in its rows. */
    LST_GARBAGE_MAX = 1024,
};

/* A bucket to be made or deleted. */
struct lst_bucket_job {
    struct lst_bucket_job *next;
    struct lst_store_write *write;
    bool is_delete;
    struct lst_bucket bucket; /* slices point into text */
    char text[];
};

struct lst_garbage {
    uint64_t partition;
    struct lst_blob_id blob;
};

struct lst_store {
    struct lst_index *index;
    struct lst_blobs *blobs;
    bool read_only;
    /* Stamps: a number of this run, a number within it. */
    char run[8];
    atomic_uint_fast64_t next_stamp;

    /* The housekeeper's: a thread that may block. */
    pthread_t housekeeper;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct lst_bucket_job *first_job;
    struct lst_bucket_job **last_job; /* where the next one is linked */
    size_t garbage_count;
    struct lst_garbage garbage[LST_GARBAGE_MAX];
    bool garbage_overflowed; /* look for it in the rows of all buckets */
    bool stopping;

    size_t writes; /* that were begun and are not done; under the lock */
    pthread_cond_t no_writes;
};

/* A write begins; it ends with the call of its done(). The closing of the store waits for all. */
void lst_store_begin_write(struct lst_store *store);
void lst_store_end_write(struct lst_store *store, struct lst_store_write *write, int status);

/* The partition of a bucket. LST_ERR_BUCKET_NOT_FOUND. */
LST_MUST_CHECK int lst_store_partition(struct lst_index_reader *reader, struct lst_slice bucket,
                                       uint64_t *ret_partition);

/* Begin to read, at a bucket: both of the above. On success the reader must be ended. */
LST_MUST_CHECK int lst_store_read_bucket(struct lst_store *store, struct lst_slice bucket,
                                         struct lst_index_reader **ret_reader,
                                         uint64_t *ret_partition);

/* Whether a bucket has no object. */
LST_MUST_CHECK int lst_store_is_empty(struct lst_index_reader *reader, uint64_t partition,
                                      bool *ret_empty);

/* Call visit() with each bucket of a snapshot: lst_store_buckets() with the partition. */
LST_MUST_CHECK int lst_store_each_bucket(
    struct lst_index_reader *reader, struct lst_slice prefix, struct lst_slice after,
    int (*visit)(void *context, const struct lst_bucket_row *row), void *context);

/* Unique among all stamps of this store, of this run and any other. */
void lst_store_stamp(struct lst_store *store, char ret_stamp[LST_ROW_STAMP_SIZE]);

/* ---- The housekeeper */

void *lst_store_housekeeper(void *store);

/* Hand over the blobs whose garbage rows a batch has put. Never blocks. */
void lst_store_collect(struct lst_store *store, uint64_t partition,
                       const struct lst_changes *changes);

/* Delete the blobs of all garbage rows of a partition, and the rows. */
LST_MUST_CHECK int lst_store_delete_garbage(struct lst_store *store, uint64_t partition);

/* Make or delete a bucket, on the housekeeper's thread; gives the write's status. */
LST_MUST_CHECK int lst_store_do_job(struct lst_store *store, const struct lst_bucket_job *job);

/* ---- At the opening */

LST_MUST_CHECK int lst_store_recover(struct lst_store *store,
                                     struct lst_store_recovery *ret_recovery);
/* Say that a process has the store open, or no longer has. */
int lst_store_set_running(struct lst_store *store, bool is_running);

#endif
