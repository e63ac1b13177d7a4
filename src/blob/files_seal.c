/* files_seal.c - the syncer: one thread that makes all waiting blobs durable at once. */
#include "blob/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Up to so many blobs are synced one by one; for more, one sync of the file system is cheaper,
 * where it can be relied on. */
enum { SYNC_EACH_MAX = 4 };

/* Write what is left of it, and give the file its name. It is durable only after the sync. */
static int publish(struct lst_blob_writer *writer)
{
    char from[LST_BLOB_PATH_SIZE];
    char to[LST_BLOB_PATH_SIZE];
    int root = writer->blobs->root;
    int status = lst_blobs_have_failed(writer->blobs) ? LST_ERR_IO : lst_blob_flush(writer);

    if (status != LST_OK) {
        return status;
    }
    /* Give back the room that was not needed. */
    if (writer->allocated > writer->size && ftruncate(writer->file, (off_t)writer->size) != 0) {
        return lst_blob_write_error(errno);
    }
    lst_blob_path(writer->id, LST_BLOB_UNFINISHED, from);
    lst_blob_path(writer->id, "", to);
    return renameat(root, from, root, to) == 0 ? LST_OK : lst_blob_write_error(errno);
}

/* Whether an earlier blob of the list is in the same folder. */
static bool folder_is_synced(const struct lst_blob_seal *first, const struct lst_blob_seal *seal)
{
    for (; first != seal; first = first->next) {
        if (first->writer->status == LST_OK && first->writer->id.number / LST_BLOBS_A_FOLDER ==
                                                   seal->writer->id.number / LST_BLOBS_A_FOLDER) {
            return true;
        }
    }
    return false;
}

static void sync_its_folder(struct lst_blobs *blobs, const struct lst_blob_seal *first,
                            const struct lst_blob_seal *seal)
{
    struct lst_blob_writer *writer = seal->writer;
    char folder[LST_BLOB_PATH_SIZE];

    if (writer->status == LST_OK && !folder_is_synced(first, seal)) {
        lst_blob_folder_path(writer->id, folder);
        writer->status = lst_blobs_sync_folder(blobs, folder);
    }
    if (writer->status == LST_ERR_NOT_FOUND) {
        writer->status = LST_ERR_IO; /* the folder is gone, and the blob with it */
    }
}

static bool swap_folders_are_new(struct lst_blobs *blobs, bool value)
{
    bool before;

    pthread_mutex_lock(&blobs->folder_lock);
    before = blobs->folders_are_new;
    blobs->folders_are_new = value;
    pthread_mutex_unlock(&blobs->folder_lock);
    return before;
}

/* New folders have to be found in the folders above them. */
static int sync_new_folders(struct lst_blobs *blobs)
{
    char path[LST_BLOB_PATH_SIZE];
    int status;

    if (!swap_folders_are_new(blobs, false)) {
        return LST_OK;
    }
    lst_blob_generation_path(blobs->generation, path);
    status = lst_blobs_sync_folder(blobs, path);
    if (status == LST_OK) {
        status = lst_blobs_sync_folder(blobs, ".");
    }
    if (status != LST_OK) {
        (void)swap_folders_are_new(blobs, true);
    }
    return status;
}

/* Begin to write all of them, so that the disk has them while the first is waited for. */
static void start_writing_each(struct lst_blob_seal *first)
{
    for (struct lst_blob_seal *seal = first; seal != NULL; seal = seal->next) {
        if (seal->writer->status == LST_OK) {
            lst_blob_start_writing(seal->writer->file, 0, seal->writer->size);
        }
    }
}

static void sync_each(struct lst_blobs *blobs, struct lst_blob_seal *first)
{
    int above = sync_new_folders(blobs);

    start_writing_each(first);
    for (struct lst_blob_seal *seal = first; seal != NULL; seal = seal->next) {
        struct lst_blob_writer *writer = seal->writer;
        if (writer->status == LST_OK) {
            writer->status = lst_blobs_have_failed(blobs) ? LST_ERR_IO : above;
        }
        if (writer->status == LST_OK && fdatasync(writer->file) != 0) {
            writer->status = lst_blob_write_error(errno);
        }
        sync_its_folder(blobs, first, seal);
    }
}

/* One sync for all. Their folders are synced after it: Linux before 5.17 reports there alone that
 * the journal could not be written. */
static void sync_all(struct lst_blobs *blobs, struct lst_blob_seal *first)
{
    int status = syncfs(blobs->root) == 0 ? LST_OK : lst_blobs_fail(blobs, errno);

    for (struct lst_blob_seal *seal = first; seal != NULL; seal = seal->next) {
        if (seal->writer->status == LST_OK) {
            seal->writer->status = status;
        }
    }
    for (struct lst_blob_seal *seal = first; seal != NULL; seal = seal->next) {
        sync_its_folder(blobs, first, seal);
    }
}

static void complete(struct lst_blobs *blobs, struct lst_blob_seal *seal)
{
    struct lst_blob_writer *writer = seal->writer;
    int status = writer->status;

    if (status == LST_OK) {
        atomic_fetch_add(&blobs->sealed, 1);
        lst_blob_writer_free(writer);
    } else {
        char path[LST_BLOB_PATH_SIZE];
        lst_blob_path(writer->id, "", path);
        lst_blob_unlink_stray(blobs, path);
        lst_blob_cache_forget(&blobs->cache, writer->id);
        lst_blob_discard(writer);
    }
    seal->done(seal, status);
}

static struct lst_blob_seal *take_waiting(struct lst_blobs *blobs, size_t *ret_count)
{
    struct lst_blob_seal *first;

    pthread_mutex_lock(&blobs->lock);
    while (blobs->first_waiting == NULL && !blobs->stopping) {
        pthread_cond_wait(&blobs->wake, &blobs->lock);
    }
    first = blobs->first_waiting;
    blobs->first_waiting = NULL;
    blobs->last_waiting = &blobs->first_waiting;
    pthread_mutex_unlock(&blobs->lock);
    *ret_count = 0;
    for (struct lst_blob_seal *seal = first; seal != NULL; seal = seal->next) {
        ++*ret_count;
    }
    return first;
}

void *lst_blobs_syncer(void *argument)
{
    struct lst_blobs *blobs = argument;
    struct lst_blob_seal *seal;
    size_t count;

    while ((seal = take_waiting(blobs, &count)) != NULL) {
        for (struct lst_blob_seal *one = seal; one != NULL; one = one->next) {
            one->writer->status = publish(one->writer);
        }
        if (count <= SYNC_EACH_MAX || !blobs->syncfs_reports) {
            sync_each(blobs, seal);
        } else {
            sync_all(blobs, seal);
        }
        atomic_fetch_add(&blobs->syncs, 1);
        while (seal != NULL) {
            struct lst_blob_seal *next = seal->next;
            complete(blobs, seal);
            seal = next;
        }
    }
    return NULL;
}

void lst_blob_seal_submit(struct lst_blob_writer *writer, struct lst_blob_seal *seal)
{
    struct lst_blobs *blobs = writer->blobs;

    seal->writer = writer;
    seal->next = NULL;
    pthread_mutex_lock(&blobs->lock);
    *blobs->last_waiting = seal;
    blobs->last_waiting = &seal->next;
    pthread_cond_signal(&blobs->wake);
    pthread_mutex_unlock(&blobs->lock);
}
