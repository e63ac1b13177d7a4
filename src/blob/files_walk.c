/* files_walk.c - go through all blobs: the walk, and the recovery after an unclean end. */
#include "blob/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* One run through the folders. What is done with a file is up to visit_file(). */
struct walk {
    struct lst_blobs *blobs;
    bool unclean_only;
    int status; /* of the visit that ended it */
    int (*visit_file)(struct walk *walk, const char *name);
    /* Where it is. */
    uint64_t generation;
    char folder[LST_BLOB_PATH_SIZE];
    /* Of the walk. */
    int (*visit)(void *context, struct lst_blob_id id, uint64_t size);
    /* Of the recovery. */
    int (*find)(void *context, struct lst_blob_id id, bool *ret_is_live);
    uint64_t removed;
    bool has_stray; /* in this generation: a file that could not be deleted */
    void *context;
};

static int walk_file(void *context, const char *name)
{
    struct walk *walk = context;

    walk->status = name[0] == '.' ? LST_OK : walk->visit_file(walk, name);
    return walk->status;
}

static int walk_folder(void *context, const char *name)
{
    struct walk *walk = context;
    uint64_t number;
    int status;

    if (!lst_blob_parse_name(name, 5, &number)) {
        return LST_OK;
    }
    lst_blob_folder_path((struct lst_blob_id){walk->generation, number * LST_BLOBS_A_FOLDER},
                         walk->folder);
    status = lst_blobs_each_name(walk->blobs, walk->folder, walk_file, walk);
    /* Beside a running server folders come and go. */
    return status == LST_ERR_NOT_FOUND ? walk->status : status;
}

static bool is_clean(const struct lst_blobs *blobs, const char *generation_path)
{
    char marker[LST_BLOB_PATH_SIZE + 8];

    (void)snprintf(marker, sizeof(marker), "%s/clean", generation_path);
    return faccessat(blobs->root, marker, F_OK, 0) == 0;
}

static int walk_generation(void *context, const char *name)
{
    struct walk *walk = context;
    char path[LST_BLOB_PATH_SIZE];
    int status;

    if (!lst_blob_parse_name(name, 8, &walk->generation)) {
        return LST_OK;
    }
    lst_blob_generation_path(walk->generation, path);
    if (walk->unclean_only && is_clean(walk->blobs, path)) {
        return LST_OK;
    }
    walk->has_stray = false;
    status = lst_blobs_each_name(walk->blobs, path, walk_folder, walk);
    if (status == LST_OK && walk->unclean_only && !walk->has_stray) {
        status = lst_blobs_mark_clean(walk->blobs, walk->generation);
    }
    return status;
}

/* The number of a sealed blob's file. */
static bool file_number(const char *name, uint64_t *ret_number)
{
    return lst_blob_parse_name(name, 8, ret_number);
}

static int show_file(struct walk *walk, const char *name)
{
    struct lst_blob_id id = {.generation = walk->generation};
    char path[LST_BLOB_PATH_SIZE];
    struct stat state;

    if (!file_number(name, &id.number)) {
        return LST_OK;
    }
    lst_blob_path(id, "", path);
    if (fstatat(walk->blobs->root, path, &state, 0) != 0) {
        return errno == ENOENT ? LST_OK : lst_error_from_errno(errno);
    }
    return walk->visit(walk->context, id, (uint64_t)state.st_size);
}

int lst_blobs_walk(struct lst_blobs *blobs,
                   int (*visit)(void *context, struct lst_blob_id id, uint64_t size), void *context)
{
    struct walk walk = {
        .blobs = blobs, .visit_file = show_file, .visit = visit, .context = context};

    return lst_blobs_each_name(blobs, ".", walk_generation, &walk);
}

/* Whether the name is that of a blob which was being written. */
static bool is_unfinished(const char *name)
{
    const char *suffix = strrchr(name, '.');

    return suffix != NULL && strcmp(suffix, LST_BLOB_UNFINISHED) == 0;
}

static int recover_file(struct walk *walk, const char *name)
{
    struct lst_blob_id id = {.generation = walk->generation};
    char path[2 * LST_BLOB_PATH_SIZE + 256];

    if (!is_unfinished(name)) {
        bool is_live = true;
        int status =
            file_number(name, &id.number) ? walk->find(walk->context, id, &is_live) : LST_OK;
        if (status != LST_OK || is_live) {
            return status;
        }
    }
    (void)snprintf(path, sizeof(path), "%s/%s", walk->folder, name);
    if (unlinkat(walk->blobs->root, path, 0) == 0) {
        walk->removed++;
        lst_blob_cache_forget(&walk->blobs->cache, id);
    } else {
        walk->has_stray = true;
    }
    return LST_OK;
}

int lst_blobs_recover(struct lst_blobs *blobs,
                      int (*find)(void *context, struct lst_blob_id id, bool *ret_is_live),
                      void *context, uint64_t *ret_removed)
{
    struct walk walk = {.blobs = blobs,
                        .unclean_only = true,
                        .visit_file = recover_file,
                        .find = find,
                        .context = context};
    int status = lst_blobs_each_name(blobs, ".", walk_generation, &walk);

    if (status == LST_OK) {
        *ret_removed = walk.removed;
    }
    return status;
}
