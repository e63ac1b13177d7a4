/* state.h - inside the store: what its files share. */
#ifndef LST_STORE_STATE_H
#define LST_STORE_STATE_H

#include "base/pool.h"
#include "store/arrivals.h"
#include "store/changes.h"
#include "store/digests.h"
#include "store/pin.h"
#include "store/row.h"
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    /* Waste that waits in memory; more of it is found in its rows. */
    LST_WASTE_MAX = 1024,
};

/* A bucket to be made or deleted. */
struct lst_bucket_job {
    struct lst_bucket_job *next;
    struct lst_store_write *write;
    bool is_delete;
    struct lst_bucket bucket; /* slices point into text */
    char text[];
};

/* A blob, or an upload's parts, that nobody refers to any more. */
struct lst_waste {
    struct lst_waste *next;
    uint64_t partition;
    size_t length;
    char name[]; /* of the row that says so: LST_ROW_GARBAGE or LST_ROW_LEFT */
};
static inline struct lst_slice lst_waste_name(const struct lst_waste *waste)
{
    return lst_slice_make(waste->name, waste->length);
}

struct lst_store {
    struct lst_index *index;
    struct lst_blobs *blobs;
    bool read_only;
    /* Stamps: a number of this run, a number within it. */
    char run[8];
    atomic_uint_fast64_t next_stamp;
    atomic_uint_fast64_t last_order; /* of versions */

    /* The housekeeper's: a thread that may block. */
    pthread_t housekeeper;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct lst_bucket_job *first_job;
    struct lst_bucket_job **last_job; /* where the next one is linked */
    size_t waste_count;
    struct lst_waste *waste;
    bool waste_overflowed;            /* look for it in the rows of all buckets */
    int sweep_status;                 /* of the last sweep; the housekeeper's alone */
    void (*report)(const char *text); /* NULL: nobody is told */
    bool stopping;

    /* The scrubber's, see scrub.h. */
    bool is_scrubbing; /* there is the thread */
    pthread_t scrubber;
    pthread_cond_t scrub_wake;
    uint64_t scrub_rate; /* bytes a second */
    uint64_t scrub_delay_ms;
    struct lst_scrubbed {
        uint64_t rows;
        uint64_t bytes;
        uint64_t damaged;
        int64_t finished_ms;
    } scrubbed; /* for metrics; under the lock */

    struct lst_pins pins;         /* of parts that are read */
    struct lst_arrivals arrivals; /* of parts that are written */

    struct lst_digests digests; /* of bodies that are written */

    struct lst_pool copiers; /* the threads that copy bytes */

    size_t writes; /* that were begun and are not done; under the lock */
    pthread_cond_t no_writes;
};

/* A write begins; it ends with the call of its done(). The closing of the store waits for all. */
void lst_store_begin_write(struct lst_store *store);
void lst_store_end_write(struct lst_store *store, struct lst_store_write *write, int status);

/* Tell who began the write that it is over. Nothing of it may be touched after that. */
void lst_store_tell(struct lst_store_write *write, int status);

/* The partition of a bucket. LST_ERR_BUCKET_NOT_FOUND. */
LST_MUST_CHECK int lst_store_partition(struct lst_index_reader *reader, struct lst_slice bucket,
                                       uint64_t *ret_partition);

/* Begin to read, at a bucket: both of the above. On success the reader must be ended. */
LST_MUST_CHECK int lst_store_read_bucket(struct lst_store *store, struct lst_slice bucket,
                                         struct lst_index_reader **ret_reader,
                                         uint64_t *ret_partition);

/*
 * A walk over the rows whose names begin with this: after a seek or a next that gave `status`, what
 * it means for the walk. LST_ERR_NOT_FOUND: it is over. A damaged row that seems to stand behind
 * the others may be one of them whose name changed. If one of them follows it, it is: then, as for
 * one that stands among them, LST_ERR_CORRUPT. So what belongs to others can be damaged without
 * harm to the walk.
 */
LST_MUST_CHECK int lst_store_walk(struct lst_index_reader *reader, struct lst_slice range,
                                  int status, struct lst_slice *name, struct lst_slice *value);

/* Whether a bucket has no version of any object, and no delete marker. */
LST_MUST_CHECK int lst_store_is_empty(struct lst_index_reader *reader, uint64_t partition,
                                      bool *ret_empty);

/* Call visit() with each bucket: lst_store_buckets() with the partition. Those whose
 * rows can not be read (row->status), too. */
LST_MUST_CHECK int lst_store_each_bucket(
    struct lst_index_reader *reader, struct lst_slice prefix, struct lst_slice after,
    int (*visit)(void *context, const struct lst_bucket_row *row), void *context);

/*
 * Delete a blob that no row refers to any more. After a failed sync of the index nobody knows what
 * rows there are: LST_ERR_UNKNOWN, and the blob stays for the next opening to decide about. Every
 * deletion of a blob goes through here. Else as lst_blob_delete().
 */
LST_MUST_CHECK int lst_store_delete_blob(struct lst_store *store, struct lst_blob_id blob);

/* Unique among all stamps of this store, of this run and any other. */
void lst_store_stamp(struct lst_store *store, char ret_stamp[LST_ROW_STAMP_SIZE]);

/* An order for a new version whose key has one of this order: larger than that and than any that
 * was given out; the time in microseconds unless the clock went back. */
uint64_t lst_store_next_order(struct lst_store *store, uint64_t least);

/* A batch's status that says that a precondition did not hold: somebody changed what the batch was
 * made for. */
static inline bool lst_store_is_conflict(int status)
{
    return status == LST_ERR_CONFLICT || status == LST_ERR_EXISTS || status == LST_ERR_NOT_FOUND;
}

/* How often one reads and tries again. Batches are done in order, so one who loses is before those
 * who come later, and of 64 who change the same key the last one tries 64 times. Whoever tries as
 * often as this is not up against others: what the readings find, the batch does not. */
enum { LST_STORE_REPEATS_MAX = 1000 };

/* Whether to try again after this status, a conflict or not; counts that. After the last try the
 * status is LST_ERR_CORRUPT. */
static inline bool lst_store_repeats(int *status, unsigned *count)
{
    if (!lst_store_is_conflict(*status)) {
        return false;
    }
    if (++*count < LST_STORE_REPEATS_MAX) {
        return true;
    }
    *status = LST_ERR_CORRUPT;
    return false;
}

/* The same where only LST_ERR_CONFLICT is one: in readings. */
static inline bool lst_store_reads_again(int *status, unsigned *count)
{
    return *status == LST_ERR_CONFLICT && lst_store_repeats(status, count);
}

/* ---- The housekeeper */

void *lst_store_housekeeper(void *store);

/* Hand over the blobs whose garbage rows a batch has put, and the uploads that it left. Never
 * blocks. */
void lst_store_collect(struct lst_store *store, uint64_t partition,
                       const struct lst_changes *changes);

/* Delete blobs that have garbage rows, and those rows: what it is given is the deletion of rows,
 * in their order, and is released. A blob that can't be deleted keeps its row, for later; the
 * others are deleted. Gives the first failure, as do the two below. */
LST_MUST_CHECK int lst_store_delete_blobs(struct lst_store *store, uint64_t partition,
                                          struct lst_changes *rows);

/* Delete the blobs of all garbage rows of a partition, and the rows; and the parts of all uploads
 * that were left. */
LST_MUST_CHECK int lst_store_delete_garbage(struct lst_store *store, uint64_t partition);

/* Delete the parts of an upload that was left, and then the row of this name that says so; nothing
 * if there is none, or if it is pinned. */
LST_MUST_CHECK int lst_store_delete_left(struct lst_store *store, uint64_t partition,
                                         struct lst_slice name);

/* Leave all uploads in progress of a bucket that is being deleted. */
LST_MUST_CHECK int lst_store_leave_uploads(struct lst_store *store, uint64_t partition);

/* Remove a pin of an upload (store->pins), which is, or was, of this key. If the upload was left
 * meanwhile, its parts are deleted soon. Never blocks. */
void lst_store_unpin(struct lst_store *store, uint64_t partition, struct lst_slice key,
                     struct lst_slice upload_id);

/* Have the housekeeper look through the rows of all buckets. Never blocks. */
void lst_store_sweep_later(struct lst_store *store);

/* Make a bucket live again whose deletion failed; nothing if it is. On the housekeeper's thread,
 * which alone deletes buckets: so one that is being deleted there is one that is not. */
LST_MUST_CHECK int lst_store_undo_deletion(struct lst_store *store, uint64_t partition);

/* Make or delete a bucket, on the housekeeper's thread; gives the write's status. */
LST_MUST_CHECK int lst_store_do_job(struct lst_store *store, const struct lst_bucket_job *job);

/* ---- At the opening */

LST_MUST_CHECK int lst_store_recover(struct lst_store *store,
                                     struct lst_store_recovery *ret_recovery);
/* Say that a process has the store open, or no longer has. */
LST_MUST_CHECK int lst_store_set_running(struct lst_store *store, bool is_running);

#endif
