/* fault.c - each call that may be made to fail: see fault.h. */
#include "fault.h"

#include "blob/blob.h"
#include "blob/files.h"
#include "index/index.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct fault_control own;
static struct fault_control *control = &own;
static atomic_int last = FAULT_CALL_COUNT;

static const char *const names[] = {
#define FAULT_NAME(name) #name,
    FAULT_STORE_CALLS(FAULT_NAME) FAULT_SYSTEM_CALLS(FAULT_NAME) FAULT_MEMORY_CALLS(FAULT_NAME)
#undef FAULT_NAME
        "none",
};

__attribute__((constructor)) static void map_control(void)
{
    const char *path = getenv("LST_FAULT_FILE");
    int file = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    void *map = file < 0 ? MAP_FAILED
                         : mmap(NULL, sizeof(own), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);

    if (path != NULL && map == MAP_FAILED) {
        perror(path);
        abort();
    }
    if (map != MAP_FAILED) {
        control = map;
        close(file);
    }
}

void fault_arm(uint32_t kinds, uint32_t number, bool stays, int code)
{
    control->kinds = 0;
    control->number = number;
    control->stays = stays;
    control->code = code;
    control->count = 0;
    control->fired = 0;
    control->kinds = kinds;
}

bool fault_disarm(void)
{
    control->kinds = 0;
    return control->fired > 0;
}

bool fault_has_fired(void)
{
    return control->fired > 0;
}

const char *fault_last(void)
{
    return names[last];
}

static uint32_t kind_of(int call)
{
    return call < FAULT_openat64 ? FAULT_STORE : call < FAULT_malloc ? FAULT_SYSTEM : FAULT_MEMORY;
}

int fault_never(uint32_t kinds)
{
    int count = 0;

    for (int i = 0; i < FAULT_CALL_COUNT; i++) {
        if ((kind_of(i) & kinds) != 0 && (control->calls >> i & 1) == 0) {
            printf("# never failed: %s\n", names[i]);
            count++;
        }
    }
    return count;
}

/* The code with which this call is to fail, or 0. */
static int hit(enum fault_call call)
{
    uint32_t count;

    if ((control->kinds & kind_of((int)call)) == 0) {
        return 0;
    }
    count = ++control->count;
    if (control->number == 0 || count < control->number ||
        (count > control->number && !control->stays)) {
        return 0;
    }
    control->fired++;
    control->calls |= UINT64_C(1) << call;
    last = (int)call;
    return control->code;
}

static int number_of(int code)
{
    return code == LST_ERR_NO_SPACE         ? ENOSPC
           : code == LST_ERR_TOO_MANY_FILES ? EMFILE
           : code == LST_ERR_NO_MEMORY      ? ENOMEM
                                            : EIO;
}

/* ---- Of index and blob: they give the code */

#define WRAP_CODE(name, parameters, arguments)                                                     \
    int __real_##name parameters;                                                                  \
    int __wrap_##name parameters;                                                                  \
    int __wrap_##name parameters                                                                   \
    {                                                                                              \
        int code = hit(FAULT_##name);                                                              \
        return code == 0 ? __real_##name arguments : code;                                         \
    }

WRAP_CODE(lst_index_open, (const struct lst_index_options *options, struct lst_index **ret),
          (options, ret))
WRAP_CODE(lst_index_examine, (const char *path, char ret_text[LST_INDEX_DAMAGE_MAX]),
          (path, ret_text))
WRAP_CODE(lst_blobs_open, (const char *path, bool read_only, struct lst_blobs **ret),
          (path, read_only, ret))
WRAP_CODE(lst_blobs_recover,
          (struct lst_blobs * blobs, int (*find)(void *, struct lst_blob_id, bool *), void *context,
           uint64_t *ret_removed),
          (blobs, find, context, ret_removed))
WRAP_CODE(lst_blobs_sync_deleted, (struct lst_blobs * blobs), (blobs))
WRAP_CODE(lst_blobs_walk,
          (struct lst_blobs * blobs, int (*visit)(void *, struct lst_blob_id, uint64_t),
           void *context),
          (blobs, visit, context))
WRAP_CODE(lst_index_read_begin, (struct lst_index * index, struct lst_index_reader **ret),
          (index, ret))
WRAP_CODE(lst_index_get,
          (struct lst_index_reader * reader, uint64_t partition, struct lst_slice key,
           struct lst_slice *ret),
          (reader, partition, key, ret))
WRAP_CODE(lst_index_seek,
          (struct lst_index_reader * reader, uint64_t partition, struct lst_slice key,
           struct lst_slice *ret_key, struct lst_slice *ret),
          (reader, partition, key, ret_key, ret))
WRAP_CODE(lst_index_next,
          (struct lst_index_reader * reader, struct lst_slice *ret_key, struct lst_slice *ret),
          (reader, ret_key, ret))
WRAP_CODE(lst_index_apply,
          (struct lst_index * index, uint64_t partition, const struct lst_index_change *changes,
           size_t count),
          (index, partition, changes, count))
WRAP_CODE(lst_blob_create, (struct lst_blobs * blobs, uint64_t hint, struct lst_blob_writer **ret),
          (blobs, hint, ret))
WRAP_CODE(lst_blob_append, (struct lst_blob_writer * writer, struct lst_slice bytes),
          (writer, bytes))
WRAP_CODE(lst_blob_link,
          (struct lst_blobs * blobs, struct lst_blob_id source, struct lst_blob_writer **ret),
          (blobs, source, ret))
WRAP_CODE(lst_blob_open,
          (struct lst_blobs * blobs, struct lst_blob_id id, struct lst_blob_reader **ret),
          (blobs, id, ret))
WRAP_CODE(lst_blob_read,
          (struct lst_blob_reader * reader, uint64_t offset, char *out, size_t capacity,
           size_t *ret),
          (reader, offset, out, capacity, ret))
/* The engine keeps in mind that something stayed behind. */
int __real_lst_blob_delete(struct lst_blobs *blobs, struct lst_blob_id id);
int __wrap_lst_blob_delete(struct lst_blobs *blobs, struct lst_blob_id id);
int __wrap_lst_blob_delete(struct lst_blobs *blobs, struct lst_blob_id id)
{
    int code = hit(FAULT_lst_blob_delete);

    if (code != 0) {
        blobs->has_strays = true;
        return code;
    }
    return __real_lst_blob_delete(blobs, id);
}

int __real_lst_blob_take_file(struct lst_blob_reader *reader);
int __wrap_lst_blob_take_file(struct lst_blob_reader *reader);
int __wrap_lst_blob_take_file(struct lst_blob_reader *reader)
{
    return hit(FAULT_lst_blob_take_file) == 0 ? __real_lst_blob_take_file(reader) : -1;
}

/* Those that end by a call of done(), on the thread that calls it.
 */

void __real_lst_blob_seal_submit(struct lst_blob_writer *writer, struct lst_blob_seal *seal);
void __wrap_lst_blob_seal_submit(struct lst_blob_writer *writer, struct lst_blob_seal *seal);
void __wrap_lst_blob_seal_submit(struct lst_blob_writer *writer, struct lst_blob_seal *seal)
{
    int code = hit(FAULT_lst_blob_seal_submit);

    if (code != 0) {
        writer->status = code;
    }
    __real_lst_blob_seal_submit(writer, seal);
}

/* A batch that changes nothing, in place of one that is to fail. */
struct stand_in {
    struct lst_index_batch batch;
    struct lst_index_batch *original;
    int code;
};

static void stand_in_done(struct lst_index_batch *batch, int status, size_t failed_change)
{
    struct stand_in *stand_in = batch->context;
    struct lst_index_batch *original = stand_in->original;
    int code = stand_in->code;

    (void)status;
    (void)failed_change;
    free(stand_in);
    original->done(original, code, 0);
}

void *__real_calloc(size_t count, size_t size);
void __real_lst_index_submit(struct lst_index *index, struct lst_index_batch *batch);
void __wrap_lst_index_submit(struct lst_index *index, struct lst_index_batch *batch);
void __wrap_lst_index_submit(struct lst_index *index, struct lst_index_batch *batch)
{
    int code = hit(FAULT_lst_index_submit);
    struct stand_in *stand_in = code == 0 ? NULL : __real_calloc(1, sizeof(*stand_in));

    if (stand_in == NULL) {
        __real_lst_index_submit(index, batch);
        return;
    }
    stand_in->original = batch;
    stand_in->code = code;
    stand_in->batch.partition = batch->partition;
    stand_in->batch.done = stand_in_done;
    stand_in->batch.context = stand_in;
    __real_lst_index_submit(index, &stand_in->batch);
}

/* ---- Of the system: they give -1 and errno */

#define WRAP_ERRNO(type, name, parameters, arguments)                                              \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        int code = hit(FAULT_##name);                                                              \
        if (code != 0) {                                                                           \
            errno = number_of(code);                                                               \
            return -1;                                                                             \
        }                                                                                          \
        return __real_##name arguments;                                                            \
    }

WRAP_ERRNO(int, openat64, (int folder, const char *path, int flags, mode_t mode),
           (folder, path, flags, mode))
WRAP_ERRNO(ssize_t, write, (int file, const void *bytes, size_t length), (file, bytes, length))
WRAP_ERRNO(ssize_t, pread64, (int file, void *bytes, size_t length, off64_t offset),
           (file, bytes, length, offset))
WRAP_ERRNO(int, fstat64, (int file, struct stat64 *state), (file, state))
WRAP_ERRNO(int, linkat, (int from_at, const char *from, int to_at, const char *to, int flags),
           (from_at, from, to_at, to, flags))
WRAP_ERRNO(int, renameat, (int from_at, const char *from, int to_at, const char *to),
           (from_at, from, to_at, to))
WRAP_ERRNO(int, unlinkat, (int at, const char *path, int flags), (at, path, flags))
WRAP_ERRNO(int, mkdirat, (int at, const char *path, mode_t mode), (at, path, mode))
WRAP_ERRNO(int, fallocate64, (int file, int mode, off64_t offset, off64_t length),
           (file, mode, offset, length))
WRAP_ERRNO(int, ftruncate64, (int file, off64_t length), (file, length))
WRAP_ERRNO(int, fsync, (int file), (file))
WRAP_ERRNO(int, fdatasync, (int file), (file))
WRAP_ERRNO(int, syncfs, (int file), (file))

/* ---- Of LMDB: they give the number */

#define WRAP_NUMBER(name, parameters, arguments)                                                   \
    int __real_##name parameters;                                                                  \
    int __wrap_##name parameters;                                                                  \
    int __wrap_##name parameters                                                                   \
    {                                                                                              \
        int code = hit(FAULT_##name);                                                              \
        return code == 0 ? __real_##name arguments : number_of(code);                              \
    }

WRAP_NUMBER(mdb_txn_begin, (MDB_env * env, MDB_txn *parent, unsigned flags, MDB_txn **ret),
            (env, parent, flags, ret))
WRAP_NUMBER(mdb_txn_renew, (MDB_txn * transaction), (transaction))
WRAP_NUMBER(mdb_get, (MDB_txn * transaction, MDB_dbi table, MDB_val *key, MDB_val *ret),
            (transaction, table, key, ret))
WRAP_NUMBER(mdb_put,
            (MDB_txn * transaction, MDB_dbi table, MDB_val *key, MDB_val *value, unsigned flags),
            (transaction, table, key, value, flags))
WRAP_NUMBER(mdb_del, (MDB_txn * transaction, MDB_dbi table, MDB_val *key, MDB_val *value),
            (transaction, table, key, value))
WRAP_NUMBER(mdb_cursor_open, (MDB_txn * transaction, MDB_dbi table, MDB_cursor **ret),
            (transaction, table, ret))
WRAP_NUMBER(mdb_cursor_renew, (MDB_txn * transaction, MDB_cursor *cursor), (transaction, cursor))
WRAP_NUMBER(mdb_cursor_get,
            (MDB_cursor * cursor, MDB_val *key, MDB_val *ret, MDB_cursor_op operation),
            (cursor, key, ret, operation))

/* A commit that fails ends the transaction all the same. */
int __real_mdb_txn_commit(MDB_txn *transaction);
int __wrap_mdb_txn_commit(MDB_txn *transaction);
int __wrap_mdb_txn_commit(MDB_txn *transaction)
{
    int code = hit(FAULT_mdb_txn_commit);

    if (code == 0) {
        return __real_mdb_txn_commit(transaction);
    }
    mdb_txn_abort(transaction);
    return number_of(code);
}

/* ---- Memory: NULL */

#define WRAP_MEMORY(name, parameters, arguments)                                                   \
    void *__real_##name parameters;                                                                \
    void *__wrap_##name parameters;                                                                \
    void *__wrap_##name parameters                                                                 \
    {                                                                                              \
        if (hit(FAULT_##name) != 0) {                                                              \
            errno = ENOMEM;                                                                        \
            return NULL;                                                                           \
        }                                                                                          \
        return __real_##name arguments;                                                            \
    }

WRAP_MEMORY(malloc, (size_t size), (size))
WRAP_MEMORY(calloc, (size_t count, size_t size), (count, size))
WRAP_MEMORY(realloc, (void *memory, size_t size), (memory, size))
WRAP_MEMORY(reallocarray, (void *memory, size_t count, size_t size), (memory, count, size))

char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
char *__wrap_strdup(const char *text)
{
    return hit(FAULT_strdup) == 0 ? __real_strdup(text) : NULL;
}
