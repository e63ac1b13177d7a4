/*
 * blob.h - write-once byte blobs: create, append, seal (durable from then on), read, delete.
 *
 * Object bodies that are too large for the index. A blob is named by an id that this layer gives
 * out, never reused and never overwritten, so a reader never sees half of a write. The engine of
 * this folder keeps one file for each blob.
 *
 * A blob that was sealed but that nobody refers to (the process died before the index had it) is
 * found at the next start: see lst_blobs_recover().
 *
 * Threads: any thread may call anything; a writer or a reader belongs to one thread at a time.
 */
#ifndef LST_BLOB_BLOB_H
#define LST_BLOB_BLOB_H

#include "base/error.h"
#include "base/slice.h"

struct lst_blobs;
struct lst_blob_writer;
struct lst_blob_reader;

/* Ids grow: a generation for each time that the blobs were opened, a number within it. */
struct lst_blob_id {
    uint64_t generation;
    uint64_t number;
};

/*
 * Open the folder, made if it is not there. One process at a time may write (LST_ERR_LOCKED);
 * read_only opens beside it, for lst_blob_open() and lst_blobs_walk() alone.
 */
LST_MUST_CHECK int lst_blobs_open(const char *path, bool read_only, struct lst_blobs **ret_blobs);

/* Waits for every seal in progress. There must be no open writer, nor reader. NULL does nothing. */
void lst_blobs_close(struct lst_blobs *blobs);

/*
 * After an unclean end: delete unfinished blobs, and, of the generations that were not closed
 * cleanly, every blob that find() does not know. Call once, before the first write. *ret_removed
 * counts them; what can't be deleted is tried again at the next opening. Nothing to do after a
 * clean end. A code other than 0 from find() ends the recovery and is given back: the next one
 * looks through the generation again.
 */
LST_MUST_CHECK int lst_blobs_recover(struct lst_blobs *blobs,
                                     int (*find)(void *context, struct lst_blob_id id,
                                                 bool *ret_is_live),
                                     void *context, uint64_t *ret_removed);

/* ---- Writing */

/* size_hint: bytes expected, 0 if unknown. LST_ERR_NO_SPACE, _TOO_MANY_FILES, _IO, _NO_MEMORY. */
LST_MUST_CHECK int lst_blob_create(struct lst_blobs *blobs, uint64_t size_hint,
                                   struct lst_blob_writer **ret_writer);
struct lst_blob_id lst_blob_writer_id(const struct lst_blob_writer *writer);

/* LST_ERR_NO_SPACE, _IO. A writer that failed once stays failed: every later call gives the same
 * code, and so does the seal. */
LST_MUST_CHECK int lst_blob_append(struct lst_blob_writer *writer, struct lst_slice bytes);

/*
 * A new blob with the content of another, complete, to be sealed without a byte more: a second name
 * for the same bytes (a hard link), at a cost that does not depend on the size. Where the file
 * system can't do that, or the bytes have too many names already, they are copied, so this may take
 * long. Each of the two can be deleted without the other. LST_ERR_NOT_FOUND (the source),
 * _NO_SPACE, _TOO_MANY_FILES, _IO, _NO_MEMORY.
 */
LST_MUST_CHECK int lst_blob_link(struct lst_blobs *blobs, struct lst_blob_id source,
                                 struct lst_blob_writer **ret_writer);

/*
 * Make it durable: content and name. Takes the writer; done() is called exactly once, on the
 * syncer's thread, which syncs all that are waiting at once. After a failure the blob is gone: its
 * file is deleted, never synced again. Nobody knows its id but the caller, so that nothing has
 * happened.
 */
struct lst_blob_seal {
    void (*done)(struct lst_blob_seal *seal, int status);
    void *context;                  /* the caller's */
    struct lst_blob_writer *writer; /* the engine's, as is next */
    struct lst_blob_seal *next;
};
void lst_blob_seal_submit(struct lst_blob_writer *writer, struct lst_blob_seal *seal);

/*
 * Whether the sync of a folder, or of all that was waiting, has failed. Other blobs are in the same
 * folders, and a second sync that succeeds would say nothing about the names that the first one
 * lost: so nothing is sealed any more, and every seal fails with LST_ERR_IO.
 */
bool lst_blobs_have_failed(const struct lst_blobs *blobs);

/* Let the next opening look through the blobs of this one, as after an unclean end: some may have
 * been left that nobody refers to. */
void lst_blobs_leave_unclean(struct lst_blobs *blobs);

/* Give up: nothing is left of it. NULL does nothing. */
void lst_blob_discard(struct lst_blob_writer *writer);

/* ---- Reading */

/*
 * Open for reading, until lst_blob_close(). What is read often the engine may keep at hand between
 * two readings, as the engine of files keeps descriptors; a deletion gives that up, and so does
 * whatever else happens to the file. LST_ERR_NOT_FOUND, _TOO_MANY_FILES, _IO, _NO_MEMORY. An open
 * reader can go on reading after a delete; the disk has the room again when the last one is closed.
 */
LST_MUST_CHECK int lst_blob_open(struct lst_blobs *blobs, struct lst_blob_id id,
                                 struct lst_blob_reader **ret_reader);

/* The same for one who goes through all blobs, as a check does: what is kept for others stays, this
 * does not, and it is read from where it is stored. */
LST_MUST_CHECK int lst_blob_open_once(struct lst_blobs *blobs, struct lst_blob_id id,
                                      struct lst_blob_reader **ret_reader);

/* NULL does nothing. */
void lst_blob_close(struct lst_blob_reader *reader);

/* Close the descriptors that are kept and that nobody reads from, for one who lacks some. False:
 * there were none. */
bool lst_blobs_spare_files(struct lst_blobs *blobs);

uint64_t lst_blob_size(const struct lst_blob_reader *reader);

/* Read up to capacity bytes at an offset; *ret_length is 0 only at the end. */
LST_MUST_CHECK int lst_blob_read(struct lst_blob_reader *reader, uint64_t offset, char *out,
                                 size_t capacity, size_t *ret_length);

/*
 * A file descriptor to send the content from (sendfile), whose offset 0 is the blob's first byte;
 * -1 where the engine has none. It stays the reader's, and others send from it at the same time: so
 * only with an offset of one's own.
 */
LST_MUST_CHECK int lst_blob_file(const struct lst_blob_reader *reader);

/* Delete. 0 also when it is not there. A crash can bring it back: see lst_blobs_sync_deleted(). */
LST_MUST_CHECK int lst_blob_delete(struct lst_blobs *blobs, struct lst_blob_id id);

/*
 * Call after deleting and before forgetting what was deleted: no crash brings back what was deleted
 * before this call, unless lst_blobs_recover() will find it. Costs nothing if only blobs of this
 * opening were deleted, else a sync. One thread at a time. LST_ERR_IO, _NO_SPACE: a sync has
 * failed, here or before; see lst_blobs_have_failed().
 */
LST_MUST_CHECK int lst_blobs_sync_deleted(struct lst_blobs *blobs);

/* Call visit() for every sealed blob, in no order; a code other than 0 ends the walk and is given
 * back. */
LST_MUST_CHECK int lst_blobs_walk(struct lst_blobs *blobs,
                                  int (*visit)(void *context, struct lst_blob_id id, uint64_t size),
                                  void *context);

/* What was done since the blobs were opened, for metrics. */
struct lst_blobs_statistics {
    uint64_t sealed;
    uint64_t syncs; /* each of one blob or of many */
};
void lst_blobs_statistics(const struct lst_blobs *blobs,
                          struct lst_blobs_statistics *ret_statistics);

#endif
