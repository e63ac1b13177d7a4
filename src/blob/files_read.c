/* files_read.c - read blobs. */
#include "blob/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int lst_blob_open_once(struct lst_blobs *blobs, struct lst_blob_id id,
                       struct lst_blob_reader **ret_reader)
{
    struct lst_blob_reader *reader = calloc(1, sizeof(*reader));
    char path[LST_BLOB_PATH_SIZE];
    struct stat state;

    if (reader == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    reader->blobs = blobs;
    reader->id = id;
    reader->holders = 1;
    lst_blob_path(id, "", path);
    reader->file = lst_blobs_open_file(blobs, path, O_RDONLY);
    if (reader->file < 0 || fstat(reader->file, &state) != 0) {
        int status = lst_error_from_errno(errno);
        lst_blob_close(reader);
        return status;
    }
    reader->size = (uint64_t)state.st_size;
    reader->changed = state.st_ctim;
    *ret_reader = reader;
    return LST_OK;
}

/* Is it what the path would lead to? Whatever is done to a file (it is cut short, removed, renamed,
 * replaced, forbidden) changes its ctime; and the kernel's clock may stand still for some
 * milliseconds. */
static bool is_as_opened(const struct lst_blob_reader *reader)
{
    struct stat state;

    return fstat(reader->file, &state) == 0 && state.st_nlink > 0 &&
           (uint64_t)state.st_size == reader->size &&
           state.st_ctim.tv_sec == reader->changed.tv_sec &&
           state.st_ctim.tv_nsec == reader->changed.tv_nsec;
}

int lst_blob_open(struct lst_blobs *blobs, struct lst_blob_id id,
                  struct lst_blob_reader **ret_reader)
{
    uint64_t deletions = 0;
    struct lst_blob_reader *reader = lst_blob_cache_take(&blobs->cache, id, &deletions);
    int status;

    if (reader != NULL) {
        if (is_as_opened(reader)) {
            *ret_reader = reader;
            return LST_OK;
        }
        lst_blob_cache_give(&blobs->cache, reader, true);
    }
    status = lst_blob_open_once(blobs, id, &reader);
    if (status == LST_OK) {
        lst_blob_cache_keep(&blobs->cache, reader, deletions);
        *ret_reader = reader;
    }
    return status;
}

void lst_blob_close(struct lst_blob_reader *reader)
{
    if (reader != NULL) {
        lst_blob_cache_give(&reader->blobs->cache, reader, false);
    }
}

uint64_t lst_blob_size(const struct lst_blob_reader *reader)
{
    return reader->size;
}

int lst_blob_read(struct lst_blob_reader *reader, uint64_t offset, char *out, size_t capacity,
                  size_t *ret_length)
{
    for (;;) {
        ssize_t length = pread(reader->file, out, capacity, (off_t)offset);
        if (length >= 0) {
            *ret_length = (size_t)length;
            return LST_OK;
        }
        if (errno != EINTR) {
            return LST_ERR_IO;
        }
    }
}

int lst_blob_file(const struct lst_blob_reader *reader)
{
    return reader->file;
}
