/*
 * files.h - inside the engine that keeps one file for each blob: its folder, and what its files
 * share.
 *
 *     lock                              flock()ed by the process that writes
 *     <generation>/clean                present once the generation was closed in order
 *     <generation>/<number / 1024>/<number>        a sealed blob
 *     <generation>/<number / 1024>/<number>.part   one being written
 *
 * Generation and number are lower-case hex of at least 8 digits, the folder between of at least 5.
 */
#ifndef LST_BLOB_FILES_H
#define LST_BLOB_FILES_H

#include "base/pool.h"
#include "blob/blob.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
    LST_BLOB_PATH_SIZE = 64, /* bytes, with NUL */
    LST_BLOBS_A_FOLDER = 1024,
    /* A folder that became empty may be removed just when a blob is to be made in it: try again. */
    LST_BLOB_MAKE_ATTEMPTS = 100,
};

/* ---- Reading */

/* What a reader has does not change while anybody has it, but for what the cache's lock guards. So
 * one can be in the hands of many. */
struct lst_blob_reader {
    struct lst_blobs *blobs;
    struct lst_blob_id id;
    int file;
    uint64_t size;
    struct timespec changed; /* the file's ctime, when it was opened */

    /* Of the cache, under its lock. */
    size_t holders;
    bool is_kept;                 /* in the table */
    struct lst_blob_reader *next; /* of the same chain */
    struct lst_blob_reader *next_idle;
    struct lst_blob_reader *previous_idle;
};

/* Files that stay open (files_cache.c). */
struct lst_blob_cache {
    pthread_mutex_t lock;
    struct lst_blob_reader **table; /* NULL: nothing is kept */
    size_t chains;                  /* a power of 2 */
    size_t limit;                   /* of those that nobody has */
    size_t idle;                    /* so many there are */
    struct lst_blob_reader *newest; /* of them */
    struct lst_blob_reader *oldest;
    uint64_t deletions;
};

struct lst_blobs {
    int root; /* the folder */
    /* The folder once more, to sync what was deleted: the kernel tells each descriptor once of a
     * failed write, and who is told by one must not hide it from the syncer. */
    int deleted_root;
    int lock_file;
    bool read_only;
    bool syncfs_syncs;   /* names; see files_sync.c */
    bool syncfs_reports; /* that bytes could not be written, too */
    uint64_t generation; /* of the blobs that are made now */
    atomic_uint_fast64_t next_number;
    atomic_bool generation_is_made;
    atomic_bool has_strays;  /* files may be left that nobody refers to: the next start looks */
    atomic_bool have_failed; /* see blob.h */
    /* Blobs of earlier generations were deleted and not synced. Those are marked as clean, so that
     * a file which comes back would never be found. */
    atomic_bool old_are_deleted;
    atomic_uint_fast64_t sealed;
    atomic_uint_fast64_t syncs;
    atomic_size_t gathering;  /* bytes of all writers' blocks */
    struct lst_pool starters; /* a thread that has bytes set out for the disk, and frees files */
    atomic_uint starting;     /* their jobs, waiting or under way */

    struct lst_blob_cache cache;

    pthread_mutex_t folder_lock; /* folders are made, and are known to be new, under it */
    bool folders_are_new;        /* since they were synced last */

    /* The syncer's. */
    pthread_t syncer;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct lst_blob_seal *first_waiting;
    struct lst_blob_seal **last_waiting; /* where the next one is linked */
    bool stopping;
};

struct lst_blob_writer {
    struct lst_blobs *blobs;
    struct lst_blob_id id;
    int file;
    int status;          /* of what failed first: a writer stays failed, and is not sealed */
    uint64_t size;       /* bytes appended */
    uint64_t written;    /* of these, to the file */
    uint64_t started_to; /* bytes that are on their way to the disk */
    uint64_t size_hint;
    uint64_t allocated; /* bytes for which the file system has given room beforehand */

    /* The end of what was appended waits here until there is a block of it; NULL: it does not. */
    char *block;
    size_t block_size;
    size_t gathered; /* bytes in the block, of those in size */
};

/* Relative to the root. */
void lst_blob_generation_path(uint64_t generation, char ret_path[LST_BLOB_PATH_SIZE]);
void lst_blob_folder_path(struct lst_blob_id id, char ret_path[LST_BLOB_PATH_SIZE]);
void lst_blob_path(struct lst_blob_id id, const char *suffix, char ret_path[LST_BLOB_PATH_SIZE]);
#define LST_BLOB_UNFINISHED ".part"

/* A name that is a number of at least so many hex digits. */
LST_MUST_CHECK bool lst_blob_parse_name(const char *name, size_t digits, uint64_t *ret_number);

/* Call visit() with each name in a folder of the root ("." for the root itself); a code other than
 * 0 ends it. */
LST_MUST_CHECK int lst_blobs_each_name(struct lst_blobs *blobs, const char *path,
                                       int (*visit)(void *context, const char *name),
                                       void *context);

/* As openat() and fcntl() do, with O_CLOEXEC. When there are no more descriptors, those that are
 * kept for nobody are closed first. */
LST_MUST_CHECK int lst_blobs_open_file(struct lst_blobs *blobs, const char *path, int flags);
LST_MUST_CHECK int lst_blobs_duplicate_file(struct lst_blobs *blobs, int file);

/* Keeps nothing until it is started: where another process may delete blobs it never is. */
void lst_blob_cache_init(struct lst_blob_cache *cache);
void lst_blob_cache_start(struct lst_blob_cache *cache);

/* Close all. Nobody may have one. */
void lst_blob_cache_release(struct lst_blob_cache *cache);

/* The reader that is kept of a blob, for one holder more; NULL if there is none. */
struct lst_blob_reader *lst_blob_cache_take(struct lst_blob_cache *cache, struct lst_blob_id id,
                                            uint64_t *ret_deletions);

/* Keep a new one for others. deletions: of the call above, before the file was opened. If a blob
 * was deleted since, it may have been this one: then it is not kept. */
void lst_blob_cache_keep(struct lst_blob_cache *cache, struct lst_blob_reader *reader,
                         uint64_t deletions);

/* A holder gives back a reader, kept or not. is_stale: nobody shall get it any more. */
void lst_blob_cache_give(struct lst_blob_cache *cache, struct lst_blob_reader *reader,
                         bool is_stale);

/* A blob's file was removed: close it, or, if somebody has it, when they give it back. */
void lst_blob_cache_forget(struct lst_blob_cache *cache, struct lst_blob_id id);

/* Close those that nobody has. False: there were none. */
bool lst_blob_cache_empty(struct lst_blob_cache *cache);

/* Say that a generation was closed in order. Syncs first: a mark that outlived a crash, beside
 * files whose removal did not, would hide them from every recovery. LST_ERR_IO, _NO_SPACE: there is
 * no mark, so the next opening looks through the generation. */
LST_MUST_CHECK int lst_blobs_mark_clean(struct lst_blobs *blobs, uint64_t generation);

/* Find out what syncfs() does on this system: see files_sync.c. */
void lst_blobs_look_at_system(struct lst_blobs *blobs);

/* Say that a sync has failed on which other blobs depend, too (lst_blobs_have_failed()). Gives the
 * code for errno. */
int lst_blobs_fail(struct lst_blobs *blobs, int number);

/* Sync the names in a folder of the root. LST_ERR_NOT_FOUND, _TOO_MANY_FILES, _NO_MEMORY: it was
 * not opened. LST_ERR_IO, _NO_SPACE: the sync failed, and lst_blobs_fail() was called. */
LST_MUST_CHECK int lst_blobs_sync_folder(struct lst_blobs *blobs, const char *path);

/* Call after the file of a blob was deleted, before its folder is. Where lst_blobs_sync_deleted()
 * can't sync all folders at once, this syncs the one. Codes of lst_blobs_sync_folder(). */
LST_MUST_CHECK int lst_blobs_note_deleted(struct lst_blobs *blobs, struct lst_blob_id id);

/* Make the folders that a blob's file is to be in. */
LST_MUST_CHECK int lst_blob_make_folders(struct lst_blobs *blobs, struct lst_blob_id id);

/* A writer with a new id and without a file. LST_ERR_PERMISSION (read_only), _NO_MEMORY. */
LST_MUST_CHECK int lst_blob_writer_new(struct lst_blobs *blobs,
                                       struct lst_blob_writer **ret_writer);

/* Write what the block holds. */
LST_MUST_CHECK int lst_blob_flush(struct lst_blob_writer *writer);

/* Free a writer and close its file. */
void lst_blob_writer_free(struct lst_blob_writer *writer);

/* ---- What takes the kernel long, in pieces, with others served in between (files_pieces.c) */

/* Have the kernel begin to write these bytes. */
void lst_blob_start_writing(int file, uint64_t from, uint64_t to);

/* Take a file out of the page cache that has no second name: its deletion is quick then. */
void lst_blob_free_pages(int file);

/* Close a file. If it has no name any more, free its bytes before that; only of a blob that was
 * never sealed, which nobody reads. */
void lst_blob_free_file(int file);

/* ---- */

/* Delete a file of this generation that nothing refers to; if it can't be, the next start does. */
void lst_blob_unlink_stray(struct lst_blobs *blobs, const char *path);

/* The code for errno after a write: a file size limit is as good as a full disk, and a file of ours
 * that is gone, or is there already, is a failure of the file system. */
int lst_blob_write_error(int number);

/* The syncer's thread. */
void *lst_blobs_syncer(void *blobs);

#endif
