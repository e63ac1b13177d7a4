/* file.c - small whole files. */
#include "base/file.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int file, struct lst_buffer *content)
{
    for (;;) {
        char piece[4096];
        ssize_t length = read(file, piece, sizeof(piece));
        if (length < 0 && errno == EINTR) {
            continue;
        }
        if (length < 0) {
            return lst_error_from_errno(errno);
        }
        if (length == 0) {
            return lst_buffer_status(content);
        }
        lst_buffer_append(content, lst_slice_make(piece, (size_t)length));
        explicit_bzero(piece, (size_t)length);
    }
}

int lst_file_read(const char *path, struct lst_buffer *ret_content)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    int status;

    if (file < 0) {
        return lst_error_from_errno(errno);
    }
    status = read_all(file, ret_content);
    close(file);
    return status;
}

static int write_all(int file, struct lst_slice content)
{
    while (content.length > 0) {
        ssize_t length = write(file, content.bytes, content.length);
        if (length < 0 && errno == EINTR) {
            continue;
        }
        if (length < 0) {
            return lst_error_from_errno(errno);
        }
        content = lst_slice_after(content, (size_t)length);
    }
    return fsync(file) == 0 ? LST_OK : lst_error_from_errno(errno);
}

int lst_folder_sync(const char *path)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int status;

    if (folder < 0) {
        return lst_error_from_errno(errno);
    }
    status = fsync(folder) == 0 ? LST_OK : lst_error_from_errno(errno);
    close(folder);
    return status;
}

int lst_file_sync_name(const char *path)
{
    char *copy = strdup(path);
    int status = copy == NULL ? LST_ERR_NO_MEMORY : lst_folder_sync(dirname(copy));

    free(copy);
    return status;
}

int lst_file_write(const char *path, struct lst_slice content, unsigned mode)
{
    char *temporary = NULL;
    int status = LST_OK;
    int file;

    if (asprintf(&temporary, "%s.new", path) < 0) {
        return LST_ERR_NO_MEMORY;
    }
    file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (mode_t)mode);
    if (file < 0) {
        status = lst_error_from_errno(errno);
        free(temporary);
        return status;
    }
    status = write_all(file, content);
    close(file);
    if (status == LST_OK && rename(temporary, path) != 0) {
        status = lst_error_from_errno(errno);
    }
    if (status == LST_OK) {
        /* The new file has its name; whether it keeps it, nobody knows. */
        status = lst_file_sync_name(path) == LST_OK ? LST_OK : LST_ERR_UNKNOWN;
    } else {
        (void)unlink(temporary);
    }
    free(temporary);
    return status;
}

int lst_folder_make(const char *path)
{
    int status;

    if (mkdir(path, 0700) == 0) {
        return lst_file_sync_name(path);
    }
    if (errno != EEXIST) {
        return lst_error_from_errno(errno);
    }
    /* Who made it may have died before the sync. Where we may not look, we did not make it. */
    status = lst_file_sync_name(path);
    return status == LST_ERR_PERMISSION ? LST_OK : status;
}
