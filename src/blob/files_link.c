/* files_link.c - a blob with the content of another: a hard link, or a copy where there can be
 * none.
 */
#include "blob/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes of one step of a copy. */
enum { COPY_STEP = 64 * 1024 * 1024, COPY_PIECE = 256 * 1024 };

/* LST_ERR_EXISTS: there can be no link. */
static int link_once(const struct lst_blobs *blobs, const char *from, const char *to)
{
    if (linkat(blobs->root, from, blobs->root, to, 0) == 0) {
        return LST_OK;
    }
    switch (errno) {
    case EXDEV:
    case EPERM:
    case EMLINK:
    case ENOSYS:
    case EOPNOTSUPP:
        return LST_ERR_EXISTS;
    default:
        return lst_error_from_errno(errno);
    }
}

static int make_link(struct lst_blob_writer *writer, const char *from)
{
    struct lst_blobs *blobs = writer->blobs;
    char to[LST_BLOB_PATH_SIZE];

    lst_blob_path(writer->id, LST_BLOB_UNFINISHED, to);
    for (int i = 0; i < LST_BLOB_MAKE_ATTEMPTS; i++) {
        int status = link_once(blobs, from, to);
        if (status != LST_ERR_NOT_FOUND) {
            return status;
        }
        /* One of the two folders is not there, or the source. */
        if (faccessat(blobs->root, from, F_OK, 0) != 0) {
            return lst_error_from_errno(errno);
        }
        status = lst_blob_make_folders(blobs, writer->id);
        if (status != LST_OK) {
            return status;
        }
    }
    return LST_ERR_IO;
}

/* Where the kernel can't copy from file to file. */
static int copy_by_hand(int source, struct lst_blob_writer *writer)
{
    char *piece = malloc(COPY_PIECE);
    int status = piece == NULL ? LST_ERR_NO_MEMORY : LST_OK;

    while (status == LST_OK) {
        ssize_t length = read(source, piece, COPY_PIECE);
        if (length == 0) {
            break;
        }
        if (length > 0) {
            status = lst_blob_append(writer, lst_slice_make(piece, (size_t)length));
        } else if (errno != EINTR) {
            status = lst_error_from_errno(errno);
        }
    }
    free(piece);
    return status;
}

/* Both files stand at their beginning. */
static int copy_bytes(int source, struct lst_blob_writer *writer)
{
    for (;;) {
        ssize_t length = copy_file_range(source, NULL, writer->file, NULL, COPY_STEP, 0);
        if (length == 0) {
            return LST_OK;
        }
        if (length > 0) {
            writer->size += (uint64_t)length;
            writer->written = writer->size;
            /* What is written now need not be waited for by the seal. */
            (void)sync_file_range(writer->file, (off_t)writer->started_to,
                                  (off_t)(writer->written - writer->started_to),
                                  SYNC_FILE_RANGE_WRITE);
            writer->started_to = writer->written;
        } else if (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP) {
            return copy_by_hand(source, writer);
        } else if (errno != EINTR) {
            return lst_blob_write_error(errno);
        }
    }
}

static int copy(struct lst_blobs *blobs, int source, uint64_t size,
                struct lst_blob_writer **ret_writer)
{
    struct lst_blob_writer *writer;
    int status = lst_blob_create(blobs, size, &writer);

    if (status != LST_OK) {
        return status;
    }
    status = copy_bytes(source, writer);
    if (status == LST_OK && writer->size != size) {
        status = LST_ERR_IO;
    }
    if (status != LST_OK) {
        lst_blob_discard(writer);
        return status;
    }
    *ret_writer = writer;
    return LST_OK;
}

static int link_or_copy(struct lst_blobs *blobs, const char *path, int source, uint64_t size,
                        struct lst_blob_writer **ret_writer)
{
    struct lst_blob_writer *writer;
    int status = lst_blob_writer_new(blobs, &writer);

    if (status != LST_OK) {
        return status;
    }
    status = make_link(writer, path);
    if (status != LST_OK) {
        lst_blob_writer_free(writer);
        return status == LST_ERR_EXISTS ? copy(blobs, source, size, ret_writer) : status;
    }
    /* For the sync, which takes a file of any mode. */
    writer->file = lst_blobs_duplicate_file(blobs, source);
    if (writer->file < 0) {
        status = lst_error_from_errno(errno);
        lst_blob_discard(writer);
        return status;
    }
    writer->size = size;
    writer->written = size;
    *ret_writer = writer;
    return LST_OK;
}

int lst_blob_link(struct lst_blobs *blobs, struct lst_blob_id source,
                  struct lst_blob_writer **ret_writer)
{
    char path[LST_BLOB_PATH_SIZE];
    struct stat state;
    int status;
    int file;

    lst_blob_path(source, "", path);
    file = lst_blobs_open_file(blobs, path, O_RDONLY);
    if (file < 0) {
        return lst_error_from_errno(errno);
    }
    status = fstat(file, &state) == 0 ? LST_OK : lst_error_from_errno(errno);
    if (status == LST_OK) {
        status = link_or_copy(blobs, path, file, (uint64_t)state.st_size, ret_writer);
    }
    close(file);
    return status;
}
