/*
 * files_sync.c - what makes names and bytes durable, and what of the system can be relied on for
 * it.
 *
 * syncfs() is one sync for everything, but not everywhere: Linux before 5.8 does not report there
 * that bytes of a file could not be written, and of a file system in user space (FUSE) it syncs
 * nothing at all. So it is used for bytes only on a newer kernel, and for names only on file
 * systems that are known to sync; elsewhere each file and each folder is synced by itself.
 */
#include "blob/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

/* The kernel from which on syncfs() reports failed writes of bytes. */
enum { REPORTS_FROM_MAJOR = 5, REPORTS_FROM_MINOR = 8 };

/* What fstatfs() gives for file systems whose syncfs() syncs bytes and names. */
static const unsigned long syncing_types[] = {
    0xEF53,     /* ext2, ext3, ext4 */
    0x58465342, /* XFS */
    0x9123683E, /* btrfs */
    0xF2F52010, /* F2FS */
    0x2FC12FC1, /* ZFS */
    0xCA451A4E, /* bcachefs */
    0x01021994, /* tmpfs: nothing there is durable anyway */
};

static bool syncs_all(int folder)
{
    struct statfs state;

    if (fstatfs(folder, &state) != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof(syncing_types) / sizeof(syncing_types[0]); i++) {
        if ((unsigned long)state.f_type == syncing_types[i]) {
            return true;
        }
    }
    return false;
}

/* Whether the kernel's release ("6.1.0-31-amd64") is that of the constants above, or later. */
static bool kernel_reports(void)
{
    struct utsname name;
    char *rest = NULL;
    long major;
    long minor;

    if (uname(&name) != 0) {
        return false;
    }
    major = strtol(name.release, &rest, 10);
    minor = rest[0] == '.' ? strtol(rest + 1, NULL, 10) : 0;
    return major > REPORTS_FROM_MAJOR ||
           (major == REPORTS_FROM_MAJOR && minor >= REPORTS_FROM_MINOR);
}

void lst_blobs_look_at_system(struct lst_blobs *blobs)
{
    blobs->syncfs_syncs = syncs_all(blobs->root);
    blobs->syncfs_reports = blobs->syncfs_syncs && kernel_reports();
}

int lst_blobs_fail(struct lst_blobs *blobs, int number)
{
    atomic_store(&blobs->have_failed, true);
    lst_blobs_leave_unclean(blobs);
    return lst_blob_write_error(number);
}

int lst_blobs_sync_folder(struct lst_blobs *blobs, const char *path)
{
    int file = lst_blobs_open_file(blobs, path, O_RDONLY | O_DIRECTORY);
    int status;

    if (file < 0) {
        return lst_error_from_errno(errno);
    }
    status = fsync(file) == 0 ? LST_OK : lst_blobs_fail(blobs, errno);
    close(file);
    return status;
}

/* ---- What was deleted */

/* A folder that is gone went with its last blob: then that has to be durable. */
static int sync_folder_of_deleted(struct lst_blobs *blobs, struct lst_blob_id id)
{
    char path[LST_BLOB_PATH_SIZE];
    int status;

    lst_blob_folder_path(id, path);
    status = lst_blobs_sync_folder(blobs, path);
    if (status == LST_ERR_NOT_FOUND) {
        lst_blob_generation_path(id.generation, path);
        status = lst_blobs_sync_folder(blobs, path);
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

int lst_blobs_note_deleted(struct lst_blobs *blobs, struct lst_blob_id id)
{
    /* The recovery looks through this generation anyway. */
    if (id.generation == blobs->generation) {
        return LST_OK;
    }
    if (!blobs->syncfs_syncs) {
        return sync_folder_of_deleted(blobs, id);
    }
    atomic_store(&blobs->old_are_deleted, true);
    return LST_OK;
}

/* The kernel reports a journal that could not be written to syncfs() only from 5.17 on, to fsync()
 * always. */
static int sync_names(struct lst_blobs *blobs, int root)
{
    return syncfs(root) == 0 && fsync(root) == 0 ? LST_OK : lst_blobs_fail(blobs, errno);
}

int lst_blobs_sync_deleted(struct lst_blobs *blobs)
{
    int status = LST_OK;

    if (lst_blobs_have_failed(blobs)) {
        return LST_ERR_IO;
    }
    if (atomic_exchange(&blobs->old_are_deleted, false)) {
        status = sync_names(blobs, blobs->deleted_root);
        if (status != LST_OK) {
            atomic_store(&blobs->old_are_deleted, true);
        }
    }
    return status;
}

/* ---- The mark of a generation that was closed in order */

struct generation_sync {
    struct lst_blobs *blobs;
    uint64_t generation;
    char path[LST_BLOB_PATH_SIZE];
};

/* One name in a generation: its folders are synced. */
static int sync_if_folder(void *context, const char *name)
{
    struct generation_sync *sync = context;
    uint64_t number;
    int status;

    if (!lst_blob_parse_name(name, 5, &number)) {
        return LST_OK;
    }
    lst_blob_folder_path((struct lst_blob_id){sync->generation, number * LST_BLOBS_A_FOLDER},
                         sync->path);
    status = lst_blobs_sync_folder(sync->blobs, sync->path);
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

/* Sync all names in a generation. */
static int sync_generation(struct lst_blobs *blobs, uint64_t generation)
{
    struct generation_sync sync = {.blobs = blobs, .generation = generation};
    char path[LST_BLOB_PATH_SIZE];
    int status;

    if (blobs->syncfs_syncs) {
        return sync_names(blobs, blobs->root);
    }
    lst_blob_generation_path(generation, path);
    status = lst_blobs_each_name(blobs, path, sync_if_folder, &sync);
    return status == LST_OK ? lst_blobs_sync_folder(blobs, path) : status;
}

int lst_blobs_mark_clean(struct lst_blobs *blobs, uint64_t generation)
{
    char path[LST_BLOB_PATH_SIZE];
    char marker[LST_BLOB_PATH_SIZE + 8];
    int status = sync_generation(blobs, generation);
    int file;

    if (status != LST_OK) {
        return status;
    }
    lst_blob_generation_path(generation, path);
    (void)snprintf(marker, sizeof(marker), "%s/clean", path);
    file = lst_blobs_open_file(blobs, marker, O_WRONLY | O_CREAT);
    if (file < 0) {
        return lst_blob_write_error(errno);
    }
    close(file);
    return LST_OK;
}
