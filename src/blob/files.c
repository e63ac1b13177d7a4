/* files.c - open and close the folder of blobs; its names. */
#include "blob/files.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

void lst_blob_generation_path(uint64_t generation, char ret_path[LST_BLOB_PATH_SIZE])
{
    (void)snprintf(ret_path, LST_BLOB_PATH_SIZE, "%08" PRIx64, generation);
}

void lst_blob_folder_path(struct lst_blob_id id, char ret_path[LST_BLOB_PATH_SIZE])
{
    (void)snprintf(ret_path, LST_BLOB_PATH_SIZE, "%08" PRIx64 "/%05" PRIx64, id.generation,
                   id.number / LST_BLOBS_A_FOLDER);
}

void lst_blob_path(struct lst_blob_id id, const char *suffix, char ret_path[LST_BLOB_PATH_SIZE])
{
    (void)snprintf(ret_path, LST_BLOB_PATH_SIZE, "%08" PRIx64 "/%05" PRIx64 "/%08" PRIx64 "%s",
                   id.generation, id.number / LST_BLOBS_A_FOLDER, id.number, suffix);
}

bool lst_blob_parse_name(const char *name, size_t digits, uint64_t *ret_number)
{
    size_t length = strlen(name);
    uint64_t number = 0;

    if (length < digits || length > 16 || (length > digits && name[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        char digit = name[i];
        if (digit >= '0' && digit <= '9') {
            number = number << 4 | (uint64_t)(digit - '0');
        } else if (digit >= 'a' && digit <= 'f') {
            number = number << 4 | (uint64_t)(digit - 'a' + 10);
        } else {
            return false;
        }
    }
    *ret_number = number;
    return true;
}

int lst_blobs_each_name(struct lst_blobs *blobs, const char *path,
                        int (*visit)(void *context, const char *name), void *context)
{
    int file = lst_blobs_open_file(blobs, path, O_RDONLY | O_DIRECTORY);
    struct dirent *entry;
    int status = LST_OK;
    DIR *folder;

    if (file < 0) {
        return lst_error_from_errno(errno);
    }
    folder = fdopendir(file);
    if (folder == NULL) {
        status = lst_error_from_errno(errno);
        close(file);
        return status;
    }
    while (status == LST_OK) {
        errno = 0;
        entry = readdir(folder);
        if (entry == NULL) {
            status = errno == 0 ? LST_OK : lst_error_from_errno(errno);
            break;
        }
        status = visit(context, entry->d_name);
    }
    closedir(folder);
    return status;
}

bool lst_blobs_spare_files(struct lst_blobs *blobs)
{
    return lst_blob_cache_empty(&blobs->cache);
}

/* A file could not be had, as errno says: is another try worth it? */
static bool may_try_again(struct lst_blobs *blobs)
{
    int number = errno;
    bool is_better = (number == EMFILE || number == ENFILE) && lst_blobs_spare_files(blobs);

    errno = number;
    return is_better;
}

int lst_blobs_open_file(struct lst_blobs *blobs, const char *path, int flags)
{
    int file;

    do {
        file = openat(blobs->root, path, flags | O_CLOEXEC, 0600);
    } while (file < 0 && may_try_again(blobs));
    return file;
}

int lst_blobs_duplicate_file(struct lst_blobs *blobs, int file)
{
    int other;

    do {
        other = fcntl(file, F_DUPFD_CLOEXEC, 0);
    } while (other < 0 && may_try_again(blobs));
    return other;
}

int lst_blob_write_error(int number)
{
    switch (number) {
    case EFBIG:
        return LST_ERR_NO_SPACE;
    case ENOENT:
    case EEXIST:
        return LST_ERR_IO;
    default:
        return lst_error_from_errno(number);
    }
}

static int take_lock(struct lst_blobs *blobs)
{
    blobs->lock_file = openat(blobs->root, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (blobs->lock_file < 0) {
        return lst_error_from_errno(errno);
    }
    if (flock(blobs->lock_file, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK ? LST_ERR_LOCKED : lst_error_from_errno(errno);
    }
    return LST_OK;
}

/* The new generation comes after every one that there is. */
static int pass_generation(void *context, const char *name)
{
    struct lst_blobs *blobs = context;
    uint64_t generation;

    if (lst_blob_parse_name(name, 8, &generation) && generation >= blobs->generation) {
        blobs->generation = generation + 1;
    }
    return LST_OK;
}

static int open_folder(struct lst_blobs *blobs, const char *path)
{
    int status = blobs->read_only ? LST_OK : lst_folder_make(path);

    if (status != LST_OK) {
        return status;
    }
    blobs->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (blobs->root < 0) {
        return lst_error_from_errno(errno);
    }
    return LST_OK;
}

static int start_writing(struct lst_blobs *blobs)
{
    int status = take_lock(blobs);
    int code;

    if (status == LST_OK) {
        status = lst_blobs_each_name(blobs, ".", pass_generation, blobs);
    }
    if (status != LST_OK) {
        return status;
    }
    lst_blobs_look_at_system(blobs);
    lst_blob_cache_start(&blobs->cache);
    blobs->deleted_root = openat(blobs->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (blobs->deleted_root < 0) {
        return lst_error_from_errno(errno);
    }
    code = pthread_create(&blobs->syncer, NULL, lst_blobs_syncer, blobs);
    return code == 0 ? LST_OK : lst_error_from_errno(code);
}

static void free_blobs(struct lst_blobs *blobs)
{
    lst_pool_release(&blobs->starters);
    if (blobs->lock_file >= 0) {
        close(blobs->lock_file);
    }
    if (blobs->root >= 0) {
        close(blobs->root);
    }
    if (blobs->deleted_root >= 0) {
        close(blobs->deleted_root);
    }
    lst_blob_cache_release(&blobs->cache);
    pthread_cond_destroy(&blobs->wake);
    pthread_mutex_destroy(&blobs->lock);
    pthread_mutex_destroy(&blobs->folder_lock);
    free(blobs);
}

int lst_blobs_open(const char *path, bool read_only, struct lst_blobs **ret_blobs)
{
    struct lst_blobs *blobs = calloc(1, sizeof(*blobs));
    int status;

    if (blobs == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    blobs->root = -1;
    blobs->deleted_root = -1;
    blobs->lock_file = -1;
    blobs->read_only = read_only;
    blobs->generation = 1;
    blobs->last_waiting = &blobs->first_waiting;
    lst_pool_init(&blobs->starters, 1);
    lst_blob_cache_init(&blobs->cache);
    pthread_mutex_init(&blobs->folder_lock, NULL);
    pthread_mutex_init(&blobs->lock, NULL);
    pthread_cond_init(&blobs->wake, NULL);
    status = open_folder(blobs, path);
    if (status == LST_OK && !read_only) {
        status = start_writing(blobs);
    }
    if (status != LST_OK) {
        free_blobs(blobs);
        return status;
    }
    *ret_blobs = blobs;
    return LST_OK;
}

void lst_blobs_close(struct lst_blobs *blobs)
{
    if (blobs == NULL) {
        return;
    }
    if (!blobs->read_only) {
        pthread_mutex_lock(&blobs->lock);
        blobs->stopping = true;
        pthread_cond_signal(&blobs->wake);
        pthread_mutex_unlock(&blobs->lock);
        pthread_join(blobs->syncer, NULL);
        if (atomic_load(&blobs->generation_is_made) && !atomic_load(&blobs->has_strays)) {
            /* Without the mark the next start looks through this generation: slower, not wrong. */
            lst_ignore_status(lst_blobs_mark_clean(blobs, blobs->generation));
        }
    }
    free_blobs(blobs);
}

bool lst_blobs_have_failed(const struct lst_blobs *blobs)
{
    return atomic_load(&blobs->have_failed);
}

void lst_blobs_leave_unclean(struct lst_blobs *blobs)
{
    atomic_store(&blobs->has_strays, true);
}

void lst_blobs_statistics(const struct lst_blobs *blobs,
                          struct lst_blobs_statistics *ret_statistics)
{
    *ret_statistics = (struct lst_blobs_statistics){
        .sealed = atomic_load(&blobs->sealed),
        .syncs = atomic_load(&blobs->syncs),
    };
}
