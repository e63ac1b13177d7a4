/* files_write.c - make, fill, discard and delete the file of a blob. */
#include "blob/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    /* Bytes after which their way to the disk is begun, so that little is left for the seal. */
    WRITEBACK_STEP = 8 * 1024 * 1024,
    STARTING_MAX = 16, /* such steps, of all writers; a slow disk would have them pile up */
    /* Blobs from this size on get their room beforehand, in steps of so much: writing is then
     * faster by a third, and a full disk shows before the bytes have come. No more, so that uploads
     * which never come can't take the disk. */
    ALLOCATE_FROM = 1024 * 1024,
    ALLOCATE_STEP = 64 * 1024 * 1024,
    /* Bytes come in pieces of some KiB. The page cache takes them at a quarter of the cost in
     * aligned blocks of this size. All blocks together have a limit: uploads beyond it do without.
     */
    BLOCK_SIZE = 256 * 1024,
    BLOCK_OF_UNKNOWN = 64 * 1024, /* of a blob whose size is not known: it may be small */
    BLOCKS_MAX = 16 * 1024 * 1024,
    LARGE = 32 * 1024, /* of a piece that is written as it is */
    PAGE = 4096,
    LARGE_FILE = 4 * 1024 * 1024, /* whose pages are freed in pieces, by another thread */
};

static int make_folder(const struct lst_blobs *blobs, const char *path)
{
    if (mkdirat(blobs->root, path, 0700) != 0 && errno != EEXIST) {
        return lst_blob_write_error(errno);
    }
    return LST_OK;
}

int lst_blob_make_folders(struct lst_blobs *blobs, struct lst_blob_id id)
{
    char path[LST_BLOB_PATH_SIZE];
    int status;

    /* Under the lock, so that the syncer can't miss a folder that another writer uses already. */
    pthread_mutex_lock(&blobs->folder_lock);
    lst_blob_generation_path(id.generation, path);
    status = make_folder(blobs, path);
    if (status == LST_OK) {
        atomic_store(&blobs->generation_is_made, true);
        lst_blob_folder_path(id, path);
        status = make_folder(blobs, path);
    }
    blobs->folders_are_new = true;
    pthread_mutex_unlock(&blobs->folder_lock);
    return status;
}

static int make_file(struct lst_blobs *blobs, struct lst_blob_id id, int *ret_file)
{
    char path[LST_BLOB_PATH_SIZE];

    lst_blob_path(id, LST_BLOB_UNFINISHED, path);
    for (int i = 0; i < LST_BLOB_MAKE_ATTEMPTS; i++) {
        int status;
        int file = lst_blobs_open_file(blobs, path, O_WRONLY | O_CREAT | O_EXCL);
        if (file >= 0) {
            *ret_file = file;
            return LST_OK;
        }
        if (errno != ENOENT) {
            return lst_blob_write_error(errno);
        }
        status = lst_blob_make_folders(blobs, id);
        if (status != LST_OK) {
            return status;
        }
    }
    return LST_ERR_IO;
}

static bool has_room(const struct lst_blobs *blobs, uint64_t size)
{
    struct statvfs space;

    return size == 0 || fstatvfs(blobs->root, &space) != 0 ||
           size / space.f_frsize < space.f_bavail;
}

static void take_block(struct lst_blob_writer *writer)
{
    atomic_size_t *gathering = &writer->blobs->gathering;
    size_t most = writer->size_hint == 0 ? BLOCK_OF_UNKNOWN : BLOCK_SIZE;
    size_t size =
        writer->size_hint == 0 || writer->size_hint > most ? most : (size_t)writer->size_hint;

    if (atomic_fetch_add(gathering, size) + size <= BLOCKS_MAX) {
        writer->block = malloc(size);
    }
    if (writer->block == NULL) {
        atomic_fetch_sub(gathering, size);
    } else {
        writer->block_size = size;
    }
}

void lst_blob_writer_free(struct lst_blob_writer *writer)
{
    if (writer->file >= 0) {
        close(writer->file);
    }
    atomic_fetch_sub(&writer->blobs->gathering, writer->block_size);
    free(writer->block);
    free(writer);
}

int lst_blob_writer_new(struct lst_blobs *blobs, struct lst_blob_writer **ret_writer)
{
    struct lst_blob_writer *writer;

    if (blobs->read_only) {
        return LST_ERR_PERMISSION;
    }
    writer = calloc(1, sizeof(*writer));
    if (writer == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    writer->blobs = blobs;
    writer->file = -1;
    writer->id.generation = blobs->generation;
    writer->id.number = atomic_fetch_add(&blobs->next_number, 1);
    *ret_writer = writer;
    return LST_OK;
}

int lst_blob_create(struct lst_blobs *blobs, uint64_t size_hint,
                    struct lst_blob_writer **ret_writer)
{
    struct lst_blob_writer *writer;
    int status;

    if (!has_room(blobs, size_hint)) {
        return LST_ERR_NO_SPACE;
    }
    status = lst_blob_writer_new(blobs, &writer);
    if (status != LST_OK) {
        return status;
    }
    writer->size_hint = size_hint;
    status = make_file(blobs, writer->id, &writer->file);
    if (status != LST_OK) {
        lst_blob_writer_free(writer);
        return status;
    }
    take_block(writer);
    *ret_writer = writer;
    return LST_OK;
}

/* Get room for the bytes that are to come. Not every file system can. */
static int allocate(struct lst_blob_writer *writer)
{
    uint64_t missing = writer->size_hint - writer->allocated;
    uint64_t step = missing < ALLOCATE_STEP ? missing : ALLOCATE_STEP;

    if (fallocate(writer->file, FALLOC_FL_KEEP_SIZE, (off_t)writer->allocated, (off_t)step) == 0) {
        writer->allocated += step;
        return LST_OK;
    }
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) {
        return LST_ERR_NO_SPACE;
    }
    writer->size_hint = 0; /* it can't; so be it */
    return LST_OK;
}

struct lst_blob_id lst_blob_writer_id(const struct lst_blob_writer *writer)
{
    return writer->id;
}

/* ---- On their way to the disk */

/* A job of the starters: to begin to write these bytes, or to end the file. */
struct start {
    struct lst_pool_job job;
    struct lst_blobs *blobs;
    int file; /* its own descriptor: the writer may be gone by then */
    uint64_t from;
    uint64_t to;
};

static bool submit(struct lst_blobs *blobs, void (*run)(void *owner), struct start start)
{
    struct start *submitted = start.file >= 0 ? malloc(sizeof(*submitted)) : NULL;

    if (submitted == NULL) {
        return false;
    }
    start.job = (struct lst_pool_job){.run = run, .owner = submitted};
    start.blobs = blobs;
    *submitted = start;
    if (lst_pool_submit(&blobs->starters, &submitted->job) == LST_OK) {
        return true;
    }
    free(submitted);
    return false;
}

static void run_start(void *owner)
{
    struct start *start = owner;

    lst_blob_start_writing(start->file, start->from, start->to);
    (void)close(start->file);
    atomic_fetch_sub(&start->blobs->starting, 1);
    free(start);
}

/* Not by the caller: to hand 8 MiB to the disk takes a millisecond, and thirty when it is busy. */
static bool submit_start(struct lst_blob_writer *writer)
{
    struct start start = {
        .file = fcntl(writer->file, F_DUPFD_CLOEXEC, 0),
        .from = writer->started_to,
        .to = writer->written,
    };
    bool is_submitted = submit(writer->blobs, run_start, start);

    if (!is_submitted && start.file >= 0) {
        (void)close(start.file);
    }
    return is_submitted;
}

/* What can't be begun now goes with the next step, or with the seal. */
static void start_to_disk(struct lst_blob_writer *writer)
{
    atomic_uint *starting = &writer->blobs->starting;

    if (atomic_fetch_add(starting, 1) < STARTING_MAX && submit_start(writer)) {
        writer->started_to = writer->written;
    } else {
        atomic_fetch_sub(starting, 1);
    }
}

/* ---- Appending */

static int write_all(struct lst_blob_writer *writer, struct lst_slice bytes)
{
    while (bytes.length > 0) {
        ssize_t length = write(writer->file, bytes.bytes, bytes.length);
        if (length < 0 && errno == EINTR) {
            continue;
        }
        if (length < 0) {
            return lst_blob_write_error(errno);
        }
        writer->written += (uint64_t)length;
        bytes = lst_slice_after(bytes, (size_t)length);
    }
    if (writer->written - writer->started_to >= WRITEBACK_STEP) {
        start_to_disk(writer);
    }
    return LST_OK;
}

int lst_blob_flush(struct lst_blob_writer *writer)
{
    size_t length = writer->gathered;

    writer->gathered = 0;
    if (writer->status == LST_OK) {
        writer->status = write_all(writer, lst_slice_make(writer->block, length));
    }
    return writer->status;
}

/* A large piece needs no gathering, but for what is left of a page at either end. The rest of it is
 * in *ret_rest. */
static int write_large(struct lst_blob_writer *writer, struct lst_slice bytes,
                       struct lst_slice *ret_rest)
{
    size_t missing = (PAGE - writer->gathered % PAGE) % PAGE;
    size_t whole = (bytes.length - missing) / PAGE * PAGE;
    int status = LST_OK;

    if (writer->gathered > 0) {
        memcpy(writer->block + writer->gathered, bytes.bytes, missing);
        writer->gathered += missing;
        status = lst_blob_flush(writer);
    }
    *ret_rest = lst_slice_make(bytes.bytes + missing + whole, bytes.length - missing - whole);
    return status == LST_OK ? write_all(writer, lst_slice_make(bytes.bytes + missing, whole))
                            : status;
}

static int gather(struct lst_blob_writer *writer, struct lst_slice bytes)
{
    int status = LST_OK;

    if (bytes.length >= LARGE && writer->gathered + PAGE <= writer->block_size) {
        status = write_large(writer, bytes, &bytes);
    }

    while (bytes.length > 0 && status == LST_OK) {
        struct lst_slice part = lst_slice_first(bytes, writer->block_size - writer->gathered);
        memcpy(writer->block + writer->gathered, part.bytes, part.length);
        writer->gathered += part.length;
        bytes = lst_slice_after(bytes, part.length);
        if (writer->gathered == writer->block_size) {
            status = lst_blob_flush(writer);
        }
    }
    return status;
}

int lst_blob_append(struct lst_blob_writer *writer, struct lst_slice bytes)
{
    if (writer->status == LST_OK && writer->size_hint >= ALLOCATE_FROM &&
        writer->allocated < writer->size_hint && writer->size + bytes.length > writer->allocated) {
        writer->status = allocate(writer);
    }
    if (writer->status != LST_OK) {
        return writer->status;
    }
    writer->size += bytes.length;
    writer->status = writer->block == NULL ? write_all(writer, bytes) : gather(writer, bytes);
    return writer->status;
}

void lst_blob_unlink_stray(struct lst_blobs *blobs, const char *path)
{
    if (unlinkat(blobs->root, path, 0) != 0 && errno != ENOENT) {
        atomic_store(&blobs->has_strays, true);
    }
}

static void run_end(void *owner)
{
    struct start *end = owner;

    lst_blob_free_file(end->file);
    free(end);
}

void lst_blob_discard(struct lst_blob_writer *writer)
{
    char path[LST_BLOB_PATH_SIZE];

    if (writer == NULL) {
        return;
    }
    lst_blob_path(writer->id, LST_BLOB_UNFINISHED, path);
    lst_blob_unlink_stray(writer->blobs, path);
    /* Once nothing names it any more, its last close() frees its bytes: 5 ms for 64 MiB. */
    if (writer->written >= LARGE_FILE &&
        submit(writer->blobs, run_end, (struct start){.file = writer->file})) {
        writer->file = -1;
    }
    lst_blob_writer_free(writer);
}

/* Take a large file out of the page cache, so that its deletion is quick. */
static void prepare_deletion(struct lst_blobs *blobs, const char *path)
{
    struct stat state;
    int file;

    if (fstatat(blobs->root, path, &state, 0) != 0 || state.st_size < LARGE_FILE) {
        return;
    }
    file = openat(blobs->root, path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        lst_blob_free_pages(file);
        (void)close(file);
    }
}

int lst_blob_delete(struct lst_blobs *blobs, struct lst_blob_id id)
{
    uint64_t current = atomic_load(&blobs->next_number) / LST_BLOBS_A_FOLDER;
    char path[LST_BLOB_PATH_SIZE];
    int status;

    lst_blob_path(id, "", path);
    prepare_deletion(blobs, path);
    if (unlinkat(blobs->root, path, 0) != 0 && errno != ENOENT) {
        status = lst_blob_write_error(errno);
        /* One of this generation may be of a write that failed, which no row keeps in mind. */
        atomic_store(&blobs->has_strays, true);
        return status;
    }
    lst_blob_cache_forget(&blobs->cache, id);
    status = lst_blobs_note_deleted(blobs, id);
    if (status != LST_OK) {
        return status;
    }
    /* A folder in which no more blobs will be made goes with its last one. */
    if (id.generation != blobs->generation || id.number / LST_BLOBS_A_FOLDER < current) {
        lst_blob_folder_path(id, path);
        (void)unlinkat(blobs->root, path, AT_REMOVEDIR);
    }
    return LST_OK;
}
