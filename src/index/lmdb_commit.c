/* lmdb_commit.c - the committer: one thread that takes all waiting batches, commits them with one
 * sync and completes them. */
#include "base/wait.h"
#include "index/engine.h"
#include "index/guard.h"

#include <errno.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Bytes of values in one commit: what LMDB has to hold in memory until then. */
enum { GROUP_BYTES_MAX = 16 * 1024 * 1024 };

/* A file system with less than this free counts as full. */
enum { NEARLY_FULL = 1024 * 1024 };

/* The batches of one commit, and what became of each. */
struct group {
    size_t count;
    struct {
        struct lst_index_batch *batch;
        size_t failed_change;
        int status;
    } members[LST_GROUP_MAX];
};

static int check_limits(const struct lst_index_batch *batch, size_t *ret_failed)
{
    for (size_t i = 0; i < batch->change_count; i++) {
        const struct lst_index_change *change = &batch->changes[i];
        if (change->key.length == 0 || change->key.length > LST_INDEX_KEY_MAX ||
            change->value.length > LST_INDEX_VALUE_MAX ||
            change->head_length > change->value.length ||
            (change->kind == LST_INDEX_ADD && change->value.length > LST_INDEX_ADD_MAX)) {
            *ret_failed = i;
            return LST_ERR_TOO_LARGE;
        }
    }
    return lst_partition_is_valid(batch->partition) ? LST_OK : LST_ERR_TOO_LARGE;
}

static bool is_precondition(const struct lst_index_change *change)
{
    return change->kind != LST_INDEX_PUT && change->kind != LST_INDEX_DELETE &&
           change->kind != LST_INDEX_ADD;
}

static int check_one(const struct lst_index *index, MDB_txn *transaction, uint64_t partition,
                     const struct lst_index_change *change)
{
    struct lst_slice value;
    int status;

    if (change->kind == LST_INDEX_ADD) {
        return change->value.length % 8 == 0 ? LST_OK : LST_ERR_MALFORMED;
    }
    if (!is_precondition(change)) {
        return LST_OK;
    }
    status = lst_row_get_to_change(index, transaction, partition, change->key, &value);
    if (status == LST_ERR_CORRUPT && value.bytes != NULL) {
        status = LST_OK; /* a damaged row is replaced by one who requires what stands there */
    }
    if (status != LST_OK && status != LST_ERR_NOT_FOUND) {
        return status;
    }
    if (change->kind == LST_INDEX_REQUIRE_ABSENT) {
        return status == LST_OK ? LST_ERR_EXISTS : LST_OK;
    }
    if (change->kind == LST_INDEX_REQUIRE_PRESENT) {
        return status;
    }
    return status == LST_OK && lst_slice_starts_with(value, change->value) ? LST_OK
                                                                           : LST_ERR_CONFLICT;
}

/* Whether the batch may be applied. Changes nothing. */
static int check_batch(const struct lst_index *index, MDB_txn *transaction,
                       const struct lst_index_batch *batch, size_t *ret_failed)
{
    int status = check_limits(batch, ret_failed);

    for (size_t i = 0; status == LST_OK && i < batch->change_count; i++) {
        status = check_one(index, transaction, batch->partition, &batch->changes[i]);
        if (status != LST_OK) {
            *ret_failed = i;
        }
    }
    return status;
}

static uint64_t number_at(struct lst_slice numbers, size_t at)
{
    uint64_t number = 0;

    for (size_t i = at; i < at + 8 && i < numbers.length; i++) {
        number = number << 8 | (uint8_t)numbers.bytes[i];
    }
    return number;
}

/* After a failure the transaction must be aborted. */
static int add_numbers(struct lst_index *index, MDB_txn *transaction, uint64_t partition,
                       const struct lst_index_change *change)
{
    char sums[LST_INDEX_ADD_MAX];
    struct lst_slice before = {NULL, 0};
    int status = lst_row_get_to_change(index, transaction, partition, change->key, &before);
    size_t length;

    if (status == LST_ERR_NOT_FOUND) {
        before = lst_slice_make(NULL, 0);
    } else if (status == LST_ERR_CORRUPT && before.bytes != NULL) {
        return LST_OK;
    } else if (status != LST_OK) {
        return status;
    }
    if (before.length % 8 != 0 || before.length > sizeof(sums)) {
        return LST_OK; /* no numbers: as good as damaged */
    }
    length = before.length > change->value.length ? before.length : change->value.length;
    for (size_t at = 0; at < length; at += 8) {
        uint64_t sum = number_at(before, at) + number_at(change->value, at);
        for (int i = 0; i < 8; i++) {
            sums[at + (size_t)i] = (char)(uint8_t)(sum >> (56 - 8 * i));
        }
    }
    return lst_row_put(transaction, index, partition, change->key, lst_slice_make(sums, length), 0);
}

/* After a failure the transaction must be aborted. */
static int apply_batch(struct lst_index *index, MDB_txn *transaction,
                       const struct lst_index_batch *batch)
{
    int status = LST_OK;

    for (size_t i = 0; status == LST_OK && i < batch->change_count; i++) {
        const struct lst_index_change *change = &batch->changes[i];
        if (change->kind == LST_INDEX_PUT) {
            status = lst_row_put(transaction, index, batch->partition, change->key, change->value,
                                 change->head_length);
        } else if (change->kind == LST_INDEX_ADD) {
            status = add_numbers(index, transaction, batch->partition, change);
        } else if (change->kind == LST_INDEX_DELETE) {
            status = lst_row_delete(transaction, index, batch->partition, change->key);
        }
    }
    return status;
}

/* LMDB reports a write that a full disk cut short as EIO. */
static bool is_full(const struct lst_index *index, int code)
{
    struct statvfs space;

    if (code == EIO) {
        return fstatvfs(index->witness, &space) == 0 &&
               space.f_bavail * space.f_frsize < NEARLY_FULL;
    }
    return code == ENOSPC || code == EDQUOT || code == EFBIG;
}

/* 0; MDB_PANIC: LMDB refuses everything; another code: there is no reader to ask with. */
static int ask_environment(struct lst_index *index)
{
    MDB_txn *transaction;
    int code = mdb_txn_begin(index->environment, NULL, MDB_RDONLY, &transaction);

    if (code == 0) {
        mdb_txn_abort(transaction);
    }
    return code;
}

/*
 * Whether a commit that failed with this code left no trace for certain, so that it may be tried
 * again. LMDB writes new pages, syncs them, and then writes the page that makes them count; if that
 * last write fails, LMDB refuses everything from then on. Before the sync there are no memory, a
 * full map and a full disk. That a full disk did not show only in the sync, another descriptor of
 * the file tells: the kernel reports a failure of writing back once to each.
 */
static bool left_no_trace(struct lst_index *index, int code)
{
    int state = ask_environment(index);

    if (code == MDB_PANIC || state == MDB_PANIC) {
        return false;
    }
    if (code < 0 || code == ENOMEM) {
        return true; /* neither comes of a write */
    }
    return state == 0 && is_full(index, code) && fdatasync(index->witness) == 0;
}

int lst_index_commit(struct lst_index *index, MDB_txn *transaction)
{
    int code = mdb_txn_commit(transaction);

    if (code == 0) {
        return LST_OK;
    }
    if (!left_no_trace(index, code)) {
        atomic_store(&index->has_failed, true);
        return LST_ERR_UNKNOWN;
    }
    return is_full(index, code) ? LST_ERR_NO_SPACE : lst_index_error(code);
}

static size_t batch_bytes(const struct lst_index_batch *batch)
{
    size_t bytes = 0;

    for (size_t i = 0; i < batch->change_count; i++) {
        bytes += batch->changes[i].value.length;
    }
    return bytes;
}

/* Whether the batch may have the last pages of the index: it says so, or it puts nothing. */
static bool makes_room(const struct lst_index_batch *batch)
{
    for (size_t i = 0; i < batch->change_count; i++) {
        if (batch->changes[i].kind == LST_INDEX_PUT) {
            return batch->makes_room;
        }
    }
    return true;
}

/* Whether these members can be applied together and the last pages be left. */
static bool have_room(struct lst_index *index, const struct group *group, size_t first,
                      size_t count)
{
    uint64_t pages = 0;
    bool makes = true;

    for (size_t i = first; i < first + count; i++) {
        pages += lst_index_batch_pages(group->members[i].batch);
        makes = makes && makes_room(group->members[i].batch);
    }
    return makes || lst_index_has_room(index, pages);
}

/* Try the members from first on, count of them, in one transaction. On failure nothing of any of
 * them is left. */
static int try_members(struct lst_index *index, struct group *group, size_t first, size_t count)
{
    bool has_room = have_room(index, group, first, count);
    MDB_txn *transaction;
    int status;

    if (!has_room && count > 1) {
        return LST_ERR_NO_SPACE;
    }
    status = lst_index_error(mdb_txn_begin(index->environment, NULL, 0, &transaction));
    if (status != LST_OK) {
        return status;
    }
    if (!lst_path_begin(index)) {
        mdb_txn_abort(transaction);
        return LST_ERR_CORRUPT;
    }
    for (size_t i = first; i < first + count; i++) {
        const struct lst_index_batch *batch = group->members[i].batch;
        group->members[i].failed_change = 0;
        group->members[i].status =
            check_batch(index, transaction, batch, &group->members[i].failed_change);
        if (group->members[i].status == LST_OK) {
            status = has_room ? apply_batch(index, transaction, batch) : LST_ERR_NO_SPACE;
        }
        if (status != LST_OK) {
            mdb_txn_abort(transaction);
            return status;
        }
    }
    status = lst_index_commit(index, transaction);
    atomic_fetch_add(&index->commits, status == LST_OK);
    return status;
}

static void fail_members(struct group *group, size_t first, int status)
{
    for (size_t i = first; i < group->count; i++) {
        group->members[i].status = status;
    }
}

static void commit_group(struct lst_index *index, struct group *group)
{
    size_t next = 0;

    if (!atomic_load(&index->has_failed) && try_members(index, group, 0, group->count) == LST_OK) {
        return;
    }
    /* Perhaps one of them was too much, perhaps only all together were. But after a failed sync
     * nothing is tried again: that it went well then would mean nothing. */
    for (; next < group->count && !atomic_load(&index->has_failed); next++) {
        int status = try_members(index, group, next, 1);
        if (status != LST_OK) {
            group->members[next].status = status;
        }
    }
    fail_members(group, next, LST_ERR_UNKNOWN);
}

/* Take what is waiting, at least one batch. False: nothing is, and nothing will be. */
static bool take_group(struct lst_index *index, struct group *group)
{
    size_t bytes = 0;

    group->count = 0;
    pthread_mutex_lock(&index->lock);
    while (index->first_waiting == NULL && !index->stopping) {
        pthread_cond_wait(&index->wake, &index->lock);
    }
    while (index->first_waiting != NULL && group->count < LST_GROUP_MAX &&
           bytes < GROUP_BYTES_MAX) {
        struct lst_index_batch *batch = index->first_waiting;
        index->first_waiting = batch->next;
        bytes += batch_bytes(batch);
        group->members[group->count].batch = batch;
        group->members[group->count++].failed_change = 0;
    }
    if (index->first_waiting == NULL) {
        index->last_waiting = &index->first_waiting;
    }
    pthread_mutex_unlock(&index->lock);
    return group->count > 0;
}

void *lst_index_committer(void *argument)
{
    struct lst_index *index = argument;
    struct group group;

    while (take_group(index, &group)) {
        lst_guard_change_begin(index);
        commit_group(index, &group);
        lst_guard_change_end();
        atomic_fetch_add(&index->batches, group.count);
        for (size_t i = 0; i < group.count; i++) {
            struct lst_index_batch *batch = group.members[i].batch;
            batch->done(batch, group.members[i].status, group.members[i].failed_change);
        }
    }
    return NULL;
}

void lst_index_submit(struct lst_index *index, struct lst_index_batch *batch)
{
    if (index->read_only) {
        batch->done(batch, LST_ERR_PERMISSION, 0);
        return;
    }
    batch->next = NULL;
    pthread_mutex_lock(&index->lock);
    *index->last_waiting = batch;
    index->last_waiting = &batch->next;
    pthread_cond_signal(&index->wake);
    pthread_mutex_unlock(&index->lock);
}

/* What lst_index_apply() waits for. */
struct waiter {
    struct lst_wait is_done;
    int status;
};

static void end_wait(struct lst_index_batch *batch, int status, size_t failed_change)
{
    struct waiter *waiter = batch->context;

    (void)failed_change;
    waiter->status = status;
    lst_wait_end(&waiter->is_done);
}

int lst_index_apply(struct lst_index *index, uint64_t partition,
                    const struct lst_index_change *changes, size_t change_count)
{
    return lst_index_apply_to(index, partition, lst_slice_make(NULL, 0), changes, change_count);
}

int lst_index_apply_to(struct lst_index *index, uint64_t partition, struct lst_slice route,
                       const struct lst_index_change *changes, size_t change_count)
{
    struct waiter waiter = {.is_done = LST_WAIT};
    struct lst_index_batch batch = {.partition = partition,
                                    .route = route,
                                    .changes = changes,
                                    .change_count = change_count,
                                    .done = end_wait,
                                    .context = &waiter};

    lst_index_submit(index, &batch);
    lst_wait_for(&waiter.is_done);
    return waiter.status;
}
