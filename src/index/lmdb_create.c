/* lmdb_create.c - make the file of a new index, so that a crash leaves a whole one or none. */
#include "index/engine.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
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

int lst_index_create(const char *path)
{
    struct stat state;
    char *temporary;
    int status;
    int file;

    if (stat(path, &state) == 0) {
        return LST_OK;
    }
    if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
        return LST_ERR_NO_MEMORY;
    }
    file = mkostemp(temporary, O_CLOEXEC);
    if (file < 0) {
        status = lst_error_from_errno(errno);
        free(temporary);
        return status;
    }
    close(file);
    status = fill(temporary);
    if (status == LST_OK) {
        status = publish(temporary, path);
    }
    (void)unlink(temporary);
    free(temporary);
    return status;
}
