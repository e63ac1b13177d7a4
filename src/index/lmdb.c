/* lmdb.c - open and close an index, its version and its statistics. */
#include "index/engine.h"

#include "base/file.h"
#include "index/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { READERS_MAX = 1024 };

#define SIZE_DEFAULT  (UINT64_C(1) << 40)
#define SIZE_SMALLEST (UINT64_C(64) << 20)

static const struct lst_slice format_name = {"format", 6};
/* The number goes up with every change of what this folder or the layers above write that an older
 * program would read wrongly. */
static const struct lst_slice format_value = {"latchstring index 4", 19};
static const struct lst_slice format_of_any = {"latchstring index ", 18};

static int open_environment(struct lst_index *index, const char *path, uint64_t size)
{
    unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | (index->read_only ? MDB_RDONLY : 0U);
    int code = mdb_env_create(&index->environment);

    if (code != 0) {
        return code;
    }
    code = mdb_env_set_maxreaders(index->environment, READERS_MAX);
    if (code == 0) {
        code = mdb_env_set_mapsize(index->environment, size);
    }
    if (code == 0) {
        code = mdb_env_open(index->environment, path, flags, 0600);
    }
    if (code != 0) {
        mdb_env_close(index->environment);
    }
    return code;
}

/* Address space may be scarce (a limit, a debugger's): take of what there is, but leave most of it
 * to others, who could not even start without. */
static int open_largest(struct lst_index *index, const struct lst_index_options *options)
{
    uint64_t size = options->size_max == 0 ? SIZE_DEFAULT : options->size_max;
    int code = open_environment(index, options->path, size);

    while ((code == ENOMEM || code == EINVAL) && size > SIZE_SMALLEST) {
        size /= 2;
        code = open_environment(index, options->path, size);
    }
    if (code == 0 && size > SIZE_SMALLEST) {
        mdb_env_close(index->environment);
        size = size / 4 > SIZE_SMALLEST ? size / 4 : SIZE_SMALLEST;
        code = open_environment(index, options->path, size);
    }
    return lst_index_error(code);
}

int lst_index_put_format(MDB_txn *transaction, MDB_dbi table)
{
    struct lst_row_key row;
    MDB_val value = {format_value.length, (void *)format_value.bytes};
    MDB_val key;

    lst_row_key_make(&row, LST_SPACE_ENGINE, format_name);
    key = lst_row_key_value(&row);
    return mdb_put(transaction, table, &key, &value, 0);
}

bool lst_index_may_put_format(struct lst_index *index)
{
    struct lst_row_key row;

    lst_row_key_make(&row, LST_SPACE_ENGINE, format_name);
    return lst_path_is_whole(index, lst_row_key_value(&row));
}

struct format_read {
    struct lst_index *index;
    MDB_txn *transaction;
    const void *found; /* where in the map */
};

static int read_format(void *context)
{
    struct format_read *read = context;
    struct lst_row_key row;
    struct lst_slice found;
    MDB_val key;
    MDB_val value = {0};
    int code;

    lst_row_key_make(&row, LST_SPACE_ENGINE, format_name);
    key = lst_row_key_value(&row);
    code = mdb_get(read->transaction, read->index->table, &key, &value);
    if (code != 0) {
        return code == MDB_NOTFOUND ? LST_OK : lst_index_error(code);
    }
    found = lst_slice_make(value.mv_data, value.mv_size);
    if (lst_slice_equal(found, format_value)) {
        read->found = value.mv_data;
        return LST_OK;
    }
    return lst_slice_starts_with(found, format_of_any) ? LST_ERR_FORMAT : LST_ERR_CORRUPT;
}

/* Hold the file's format against ours; an empty file gets it. */
static int check_format(struct lst_index *index, MDB_txn *transaction)
{
    struct format_read read = {.index = index, .transaction = transaction};
    bool ended;
    int status = lst_guard_read(index, read_format, &read, &ended);
    MDB_stat state;

    if (status != LST_OK) {
        return status;
    }
    status = lst_index_error(mdb_stat(transaction, index->table, &state));
    if (status == LST_OK && read.found != NULL) {
        index->page_size = state.ms_psize;
        lst_guard_find_map(index, read.found);
        return LST_OK;
    }
    if (status == LST_OK && state.ms_entries > 0) {
        return LST_ERR_CORRUPT;
    }
    return status == LST_OK && !index->read_only
               ? lst_index_error(lst_index_put_format(transaction, index->table))
               : status;
}

static int open_table(struct lst_index *index)
{
    MDB_txn *transaction;
    int stale = 0;
    int code = mdb_reader_check(index->environment, &stale);
    int status;

    lst_guard_begin(index);
    if (code == 0) {
        code = mdb_txn_begin(index->environment, NULL, index->read_only ? MDB_RDONLY : 0U,
                             &transaction);
    }
    if (code != 0) {
        return lst_index_error(code);
    }
    status = lst_index_error(mdb_dbi_open(transaction, NULL, 0, &index->table));
    if (status == LST_OK) {
        status = check_format(index, transaction);
    }
    if (status != LST_OK) {
        mdb_txn_abort(transaction);
        return status;
    }
    return lst_index_error(mdb_txn_commit(transaction));
}

static int open_file(struct lst_index *index, const struct lst_index_options *options)
{
    int status = index->read_only ? LST_OK : lst_index_create(options->path);
    char damage[LST_INDEX_DAMAGE_MAX];

    /* Every time: who made the file may have died before this. */
    if (status == LST_OK && !index->read_only) {
        status = lst_file_sync_name(options->path);
    }
    if (status == LST_OK) {
        status = lst_index_examine(options->path, damage);
    }
    return status == LST_OK ? open_largest(index, options) : status;
}

static int start(struct lst_index *index, const char *path)
{
    int status;
    int code;

    if (index->read_only) {
        return LST_OK;
    }
    index->witness = open(path, O_RDWR | O_CLOEXEC);
    if (index->witness < 0) {
        return lst_error_from_errno(errno);
    }
    lst_guard_change_begin(index);
    (void)lst_index_has_room(index, 0); /* what is to be kept free is taken now */
    status = lst_index_settle(index);
    lst_guard_change_end();
    if (status != LST_OK) {
        return status;
    }
    code = pthread_create(&index->committer, NULL, lst_index_committer, index);
    return code == 0 ? LST_OK : lst_error_from_errno(code);
}

/* The environment, and what was opened beside it. */
static void close_files(struct lst_index *index)
{
    mdb_env_close(index->environment);
    if (index->witness >= 0) {
        close(index->witness);
    }
}

int lst_index_open(const struct lst_index_options *options, struct lst_index **ret_index)
{
    struct lst_index *index = calloc(1, sizeof(*index));
    int status;

    if (index == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    index->path = strdup(options->path);
    if (index->path == NULL) {
        free(index);
        return LST_ERR_NO_MEMORY;
    }
    index->read_only = options->read_only;
    index->has_secrets = options->has_secrets;
    index->witness = -1;
    index->page_size = 4096;
    index->last_waiting = &index->first_waiting;
    pthread_mutex_init(&index->readers_lock, NULL);
    pthread_mutex_init(&index->lock, NULL);
    pthread_cond_init(&index->wake, NULL);
    status = open_file(index, options);
    if (status == LST_OK) {
        status = open_table(index);
        if (status == LST_OK) {
            status = start(index, options->path);
        }
        if (status != LST_OK) {
            close_files(index);
        }
    }
    if (status != LST_OK) {
        free(index->path);
        free(index);
        return status;
    }
    *ret_index = index;
    return LST_OK;
}

void lst_index_close(struct lst_index *index)
{
    if (index == NULL) {
        return;
    }
    if (!index->read_only) {
        pthread_mutex_lock(&index->lock);
        index->stopping = true;
        pthread_cond_signal(&index->wake);
        pthread_mutex_unlock(&index->lock);
        pthread_join(index->committer, NULL);
    }
    lst_index_free_readers(index);
    close_files(index);
    pthread_cond_destroy(&index->wake);
    pthread_mutex_destroy(&index->lock);
    pthread_mutex_destroy(&index->readers_lock);
    free(index->path);
    free(index);
}

bool lst_index_has_failed(const struct lst_index *index)
{
    return atomic_load(&index->has_failed);
}

struct header_read {
    struct lst_index *index;
    MDB_envinfo state;
    MDB_stat table;
};

static int read_header(void *context)
{
    struct header_read *read = context;
    int code = mdb_env_info(read->index->environment, &read->state);

    return lst_index_error(code == 0 ? mdb_env_stat(read->index->environment, &read->table) : code);
}

void lst_index_statistics(struct lst_index *index, struct lst_index_statistics *ret_statistics)
{
    struct header_read read = {.index = index};
    bool ended;

    /* Without a header, zeros. */
    lst_ignore_status(lst_guard_read(index, read_header, &read, &ended));
    *ret_statistics = (struct lst_index_statistics){
        .commits = atomic_load(&index->commits),
        .batches = atomic_load(&index->batches),
        .entries = read.table.ms_entries,
        .bytes_used = (uint64_t)(read.state.me_last_pgno + 1) * read.table.ms_psize,
    };
}
