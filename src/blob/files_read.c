/* files_read.c - read blobs. */
#include "blob/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct lst_blob_reader {
    int file; /* -1 once it was taken */
    uint64_t size;
};

int lst_blob_open(struct lst_blobs *blobs, struct lst_blob_id id,
                  struct lst_blob_reader **ret_reader)
{
    struct lst_blob_reader *reader = calloc(1, sizeof(*reader));
    char path[LST_BLOB_PATH_SIZE];
    struct stat state;

    if (reader == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    lst_blob_path(id, "", path);
    reader->file = openat(blobs->root, path, O_RDONLY | O_CLOEXEC);
    if (reader->file < 0 || fstat(reader->file, &state) != 0) {
        int status = lst_error_from_errno(errno);
        lst_blob_close(reader);
        return status;
    }
    reader->size = (uint64_t)state.st_size;
    *ret_reader = reader;
    return LST_OK;
}

void lst_blob_close(struct lst_blob_reader *reader)
{
    if (reader != NULL) {
        if (reader->file >= 0) {
            close(reader->file);
        }
        free(reader);
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

int lst_blob_take_file(struct lst_blob_reader *reader)
{
    int file = reader->file;

    reader->file = -1;
    return file;
}
