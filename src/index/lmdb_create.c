/* lmdb_create.c - make the file of a new index, so that a crash leaves a whole one or none. */
#include "index/engine.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* LMDB writes the first pages of a new file without a sync. A power cut can leave any part of them,
 * and LMDB refuses such a file ever after. A commit syncs them. */
static int fill(const char *path)
{
    MDB_env *environment;
    MDB_txn *transaction;
    MDB_dbi table;
    int code = mdb_env_create(&environment);

    if (code != 0) {
        return lst_index_error(code);
    }
    code = mdb_env_open(environment, path, MDB_NOSUBDIR | MDB_NOLOCK, 0600);
    if (code == 0) {
        code = mdb_txn_begin(environment, NULL, 0, &transaction);
    }
    if (code == 0) {
        code = mdb_dbi_open(transaction, NULL, 0, &table);
        if (code == 0) {
            code = lst_index_put_format(transaction, table);
        }
        if (code == 0) {
            code = mdb_txn_commit(transaction);
        } else {
            mdb_txn_abort(transaction);
        }
    }
    mdb_env_close(environment);
    return lst_index_error(code);
}

/* Give the file its name, unless another process was faster. */
static int publish(const char *temporary, const char *path)
{
    if (link(temporary, path) == 0 || errno == EEXIST) {
        return LST_OK;
    }
    if (errno != EPERM && errno != EMLINK && errno != ENOSYS && errno != EOPNOTSUPP) {
        return lst_error_from_errno(errno);
    }
    /* A file system without hard links. */
    if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0 || errno == EEXIST) {
        return LST_OK;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return lst_error_from_errno(errno);
    }
    return rename(temporary, path) == 0 ? LST_OK : lst_error_from_errno(errno);
}

/* ---- The temporary file */

/* A name that nobody else gives: index.mdb.making.XXXXXX. "index.mdb.backup" must never fit. */
#define MAKING ".making."
enum { RANDOM_LENGTH = 6, ATTEMPTS = 100 };

/*
 * Make the file, locked: one that is not locked is of a process that died, and may be deleted. If
 * another process deleted it before it was locked: again. The path is the template for mkostemp().
 */
static int make_locked(const char *path, char *ret_path, size_t size, int *ret_file)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        struct stat state;
        int file;
        (void)snprintf(ret_path, size, "%s" MAKING "XXXXXX", path);
        file = mkostemp(ret_path, O_CLOEXEC);
        if (file < 0) {
            return lst_error_from_errno(errno);
        }
        if (flock(file, LOCK_EX) == 0 && fstat(file, &state) == 0 && state.st_nlink > 0) {
            *ret_file = file;
            return LST_OK;
        }
        (void)unlink(ret_path);
        close(file);
    }
    return LST_ERR_IO;
}

/* Whether the name is that of a temporary file for an index of this name. */
static bool is_temporary(const char *name, const char *index_name)
{
    size_t length = strlen(index_name);
    const char *random;

    if (strncmp(name, index_name, length) != 0 ||
        strncmp(name + length, MAKING, strlen(MAKING)) != 0) {
        return false;
    }
    random = name + length + strlen(MAKING);
    return strlen(random) == RANDOM_LENGTH &&
           strspn(random, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") ==
               RANDOM_LENGTH;
}

static void remove_if_left(int folder, const char *name)
{
    struct stat state;
    int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (file < 0) {
        return;
    }
    if (fstat(file, &state) == 0 && S_ISREG(state.st_mode) && flock(file, LOCK_EX | LOCK_NB) == 0) {
        (void)unlinkat(folder, name, 0);
    }
    close(file);
}

/* Delete what processes left that died while they made this index. What can't be deleted stays: it
 * takes some kilobytes. */
static void remove_left(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    char *folder_path = slash == NULL ? strdup(".") : strndup(path, (size_t)(name - path));
    DIR *folder = folder_path == NULL ? NULL : opendir(folder_path);
    struct dirent *entry;

    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (is_temporary(entry->d_name, name)) {
            remove_if_left(dirfd(folder), entry->d_name);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    free(folder_path);
}

int lst_index_create(const char *path)
{
    size_t size = strlen(path) + sizeof(MAKING) + RANDOM_LENGTH;
    struct stat state;
    char *temporary;
    int status;
    int file = -1;

    remove_left(path);
    if (stat(path, &state) == 0) {
        return LST_OK;
    }
    temporary = malloc(size);
    if (temporary == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    status = make_locked(path, temporary, size, &file);
    if (status == LST_OK) {
        status = fill(temporary);
        if (status == LST_OK) {
            status = publish(temporary, path);
        }
        (void)unlink(temporary);
        close(file);
    }
    free(temporary);
    return status;
}
