/*
 * store.h - what S3 means: buckets, objects, listings. Written once, on index + blob.
 *
 * The store knows nothing of HTTP, XML, users or signatures. It keeps objects as S3 defines them: a
 * body, its ETag, the time it was written, tags, and fields: the headers that a PUT gave and a GET
 * gives back (Content-Type, x-amz-meta-*, x-amz-checksum-*). upload.h has multipart uploads.
 *
 * Durable: when a write's done() gets 0, the write survives a crash. When it gets anything else,
 * what was there before is there still. Never between the two. Of two writers of one key the later
 * to be committed wins.
 *
 * Small bodies (up to LST_STORE_INLINE_MAX) live in the index, others in a blob, those of multipart
 * uploads in their parts. docs/on-disk-format.md has every row.
 *
 * Versions are those of "Using versioning in S3 buckets" of the Amazon S3 User Guide. A version id
 * is text; that of a null version is "null". In a bucket that was never versioned each object is a
 * null version, and nobody is shown its id.
 */
#ifndef LST_STORE_STORE_H
#define LST_STORE_STORE_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"
#include "base/wait.h"
#include "blob/blob.h"

#define LST_STORE_KEY_MAX         1024         /* bytes, as S3 */
#define LST_STORE_INLINE_MAX      8192         /* bytes */
#define LST_STORE_SIZE_MAX        5368709120U  /* bytes of one PUT: 5 GiB, as S3 */
#define LST_STORE_FIELDS_MAX      64           /* fields of one object */
#define LST_STORE_FIELD_BYTES_MAX 16384        /* names and values together */
#define LST_STORE_DELETE_MAX      1000         /* keys of one lst_store_delete(), as S3 */
#define LST_STORE_TAGS_MAX        10           /* tags of one object, as S3 */
#define LST_STORE_TAG_BYTES_MAX   8192         /* names and values together */
#define LST_STORE_SETTING_MAX     (128 * 1024) /* bytes of one setting of a bucket */
#define LST_VERSION_ID_LENGTH     32           /* letters and digits */
#define LST_ETAG_MAX              40 /* 32 hex digits, and "-10000" of a multipart upload */

struct lst_store;
struct lst_put;
struct lst_index_reader;

struct lst_store_options {
    const char *path; /* the data folder; made if it is not there (its parent must be) */
    bool read_only; /* for a look beside a running server; else LST_ERR_LOCKED while another process
                       has it */
    uint64_t index_size_max; /* bytes that the index can grow to; 0: as many as there are addresses
                              * for */
    void (*report)(const char *text); /* told, in a sentence, of what goes wrong without a caller
                                       * who could be; on a thread of the store. NULL: nobody */
};

/* What opening found and put right. */
struct lst_store_recovery {
    bool was_unclean;       /* the last process did not close the store */
    uint64_t blobs_removed; /* left over from writes that were never acknowledged */
};

/*
 * Open, after putting right what an unclean end left. LST_ERR_LOCKED, _NOT_FOUND (read_only, and
 * there is none), _CORRUPT, _PERMISSION, _NO_SPACE, _IO, _NO_MEMORY. A full disk does not hinder
 * the opening of a store that is there. ret_recovery may be NULL. One process must not open one
 * folder twice at a time, not even read_only. What would write to a store that is read_only gives
 * LST_ERR_PERMISSION.
 */
LST_MUST_CHECK int lst_store_open(const struct lst_store_options *options,
                                  struct lst_store_recovery *ret_recovery,
                                  struct lst_store **ret_store);

/* Waits for the writes that are being committed. There must be no open object, put or listing. NULL
 * does nothing. */
void lst_store_close(struct lst_store *store);

/* Whether the index answers: one row is looked for. LST_ERR_IO, _CORRUPT, _NO_MEMORY. */
LST_MUST_CHECK int lst_store_check_readable(struct lst_store *store);

/* Close files that are open for nobody's sake but speed: see lst_blobs_spare_files(). */
bool lst_store_spare_files(struct lst_store *store);

/* Say that all other indexes of the folder are there: see index/complete.h. */
LST_MUST_CHECK int lst_store_mark_complete(struct lst_store *store);

/* Whether a sync has failed: every write fails from then on, most with LST_ERR_UNKNOWN. */
bool lst_store_has_failed(const struct lst_store *store);

/* ---- Buckets */

struct lst_bucket {
    struct lst_slice name;
    int64_t created_ms;
    struct lst_slice region; /* the LocationConstraint it was made with; may be empty */
    struct lst_slice owner;  /* canonical id of the user who made it */
};

/* AWS's "Bucket naming rules" for general purpose buckets. LST_ERR_BUCKET_NAME. */
LST_MUST_CHECK int lst_bucket_name_check(struct lst_slice name);

/* The id of a version, as text. Of length 0: there is none to be shown. */
struct lst_version_id {
    size_t length;
    char text[LST_VERSION_ID_LENGTH];
};
static inline struct lst_slice lst_version_id_slice(const struct lst_version_id *id)
{
    return lst_slice_make(id->text, id->length);
}

/*
 * A write in progress. The caller keeps the struct (in its own memory) until it is over. Either
 * done() is called then: exactly once, on a thread of the store, perhaps before the call that began
 * the write has returned. Or, without a done(), the caller waits: lst_store_wait(). When the call
 * that began it itself gives an error, done() is never called, and there is nothing to wait for.
 */
struct lst_store_write {
    void (*done)(struct lst_store_write *write, int status); /* NULL: lst_store_wait() */
    void *context;                                           /* the caller's */
    /*
     * NULL: nothing is to happen in between. Else called once, on a thread of the store, when the
     * body of lst_put_commit() is durable, or the parts of lst_upload_complete() are found, and
     * nothing is left to do but to make the object visible. The put is the caller's then, until
     * lst_staged_end(), which may take as long as it likes. Not called if there is nothing to be
     * made visible: after a failure, or when an upload was completed before.
     */
    void (*staged)(struct lst_store_write *write, struct lst_put *put);

    /* Of the object or part that was written, when done() gets 0. */
    struct lst_version_id version; /* of length 0 in a bucket that was never versioned */
    int64_t modified_ms;
    size_t etag_length;
    char etag[LST_ETAG_MAX]; /* without quotes */

    /* The store's, without a done(). */
    struct lst_wait is_done;
    int status;
};

/* Wait (base/wait.h) until a write without a done() is over. Its status: what done() would get. */
LST_MUST_CHECK int lst_store_wait(struct lst_store_write *write);

/* LST_ERR_BUCKET_NAME, _BUCKET_EXISTS (with its owner to be read by lst_store_bucket()). */
LST_MUST_CHECK int lst_store_bucket_create(struct lst_store *store, const struct lst_bucket *bucket,
                                           struct lst_store_write *write);
/* LST_ERR_BUCKET_NOT_FOUND, _BUCKET_NOT_EMPTY. */
LST_MUST_CHECK int lst_store_bucket_delete(struct lst_store *store, struct lst_slice name,
                                           struct lst_store_write *write);

/* See one bucket: visit() is called with it, once, its slices valid during the call.
 * LST_ERR_BUCKET_NOT_FOUND. */
LST_MUST_CHECK int lst_store_bucket(struct lst_store *store, struct lst_slice name,
                                    int (*visit)(void *context, const struct lst_bucket *bucket),
                                    void *context);
/* See all, in the order of their names, from the first that begins with prefix and comes after
 * `after`. A code other than 0 ends it. */
LST_MUST_CHECK int lst_store_buckets(struct lst_store *store, struct lst_slice prefix,
                                     struct lst_slice after,
                                     int (*visit)(void *context, const struct lst_bucket *bucket),
                                     void *context);

enum lst_versioning {
    LST_VERSIONING_NEVER, /* as every bucket begins */
    LST_VERSIONING_ENABLED,
    LST_VERSIONING_SUSPENDED,
};

/* LST_ERR_BUCKET_NOT_FOUND. */
LST_MUST_CHECK int lst_bucket_versioning(struct lst_store *store, struct lst_slice bucket,
                                         enum lst_versioning *ret_versioning);
/* LST_ERR_BUCKET_NOT_FOUND; LST_ERR_INVALID_ARGUMENT: a bucket can't go back to NEVER. Writes that
 * are being committed count as before or after it. */
LST_MUST_CHECK int lst_bucket_set_versioning(struct lst_store *store, struct lst_slice bucket,
                                             enum lst_versioning versioning,
                                             struct lst_store_write *write);

/*
 * A setting of a bucket: bytes under a short name ("cors", "tagging"), kept for the layers above,
 * gone with the bucket. Reading appends it to the buffer. LST_ERR_BUCKET_NOT_FOUND,
 * LST_ERR_NOT_FOUND: there is none.
 */
LST_MUST_CHECK int lst_bucket_setting(struct lst_store *store, struct lst_slice bucket,
                                      struct lst_slice name, struct lst_buffer *value);
/* Replace it, or remove it (value NULL; nothing if there is none). Name and value are copied.
 * LST_ERR_BUCKET_NOT_FOUND, _TOO_LARGE. */
LST_MUST_CHECK int lst_bucket_set_setting(struct lst_store *store, struct lst_slice bucket,
                                          struct lst_slice name, const struct lst_slice *value,
                                          struct lst_store_write *write);

/* ---- Reading objects */

/* Which object: of a key, the current version or the one that is named. */
struct lst_object_name {
    struct lst_slice bucket;
    struct lst_slice key;
    struct lst_slice version; /* empty: the current one */
};

/* One object, opened. Slices and fields are valid until lst_object_close(). */
struct lst_object {
    uint64_t size; /* bytes */
    int64_t modified_ms;
    struct lst_slice etag;         /* without quotes */
    struct lst_version_id version; /* of length 0 in a bucket that was never versioned */
    bool is_marker;                /* of a failure: a delete marker was found; see below */
    struct lst_field fields[LST_STORE_FIELDS_MAX];
    size_t field_count;
    struct lst_field tags[LST_STORE_TAGS_MAX];
    size_t tag_count;
    uint32_t part_count; /* of a multipart upload; else, and of its copy, 0 */
    bool is_inline;
    struct lst_slice body; /* of an inline object */

    /* The store's. */
    struct lst_store *store;
    uint64_t partition;
    struct lst_index_reader *reader;
    struct lst_blob_reader *blob;
    struct lst_blob_id blob_id;
    struct lst_slice key;   /* the caller's */
    struct lst_slice parts; /* encoded */
    bool is_pinned;         /* its parts stay on the disk until it is closed */
};

/*
 * Open an object. Keep it open briefly: it holds a reader of the index. The key must stay as long
 * as it is open. with_body: false for HEAD, which then needs no file. LST_ERR_BUCKET_NOT_FOUND,
 * _KEY_NOT_FOUND, _VERSION_NOT_FOUND, _VERSION_MALFORMED (no version can have such an id),
 * _DELETE_MARKER (the version that is named is one), _IO, _CORRUPT. After LST_ERR_KEY_NOT_FOUND and
 * _DELETE_MARKER is_marker, version and modified_ms are set: of the delete marker that is there, if
 * one is.
 */
LST_MUST_CHECK int lst_object_open(struct lst_store *store, const struct lst_object_name *name,
                                   bool with_body, struct lst_object *ret_object);
void lst_object_close(struct lst_object *object);

/* A part of an object that was uploaded in parts. */
struct lst_object_part {
    uint32_t number;                /* as it was uploaded: 1 to 10,000, perhaps with gaps */
    uint64_t first;                 /* where it begins in the object */
    uint64_t size;                  /* bytes */
    const struct lst_field *fields; /* its checksum */
    size_t field_count;
};

/* Call visit() with the parts whose position (0 is the first) is from `from` on. A code other than
 * 0 ends it and is given back. Slices are valid during the call. */
LST_MUST_CHECK int lst_object_parts(struct lst_object *object, uint32_t from,
                                    int (*visit)(void *context, const struct lst_object_part *part),
                                    void *context);

/*
 * A file to send a range of the body from, if the range is in one: *ret_offset is where it begins
 * there. It is the blob's, which the caller closes when all was sent, and which outlives the
 * object. -1: read it through a stream, or from body. The object must have been opened with its
 * body.
 */
LST_MUST_CHECK int lst_object_take_file(struct lst_object *object, uint64_t first, uint64_t length,
                                        struct lst_blob_reader **ret_blob, uint64_t *ret_offset);

/* The bytes of a range, in order, of any object that was opened with its body. The stream outlives
 * the object, and goes on when that is deleted. LST_ERR_NO_MEMORY, _IO. */
struct lst_object_stream;
LST_MUST_CHECK int lst_object_stream_open(struct lst_object *object, uint64_t first,
                                          uint64_t length, struct lst_object_stream **ret_stream);
/* *ret_length is 0 only at the end. */
LST_MUST_CHECK int lst_object_stream_read(struct lst_object_stream *stream, char *out,
                                          size_t capacity, size_t *ret_length);
/* The file that the next bytes are in, which stays the stream's until its next call: *ret_length
 * bytes of it, at most so many, from *ret_offset on. The stream goes on behind them.
 * LST_ERR_NOT_FOUND: they are in no file, or there are none. */
LST_MUST_CHECK int lst_object_stream_file(struct lst_object_stream *stream, uint64_t most,
                                          int *ret_file, uint64_t *ret_offset,
                                          uint64_t *ret_length);
void lst_object_stream_close(struct lst_object_stream *stream);

/* ---- Writing objects */

/* What must hold of the current version when the write is committed; else LST_ERR_PRECONDITION. All
 * zero: nothing. */
struct lst_write_condition {
    bool only_if_absent; /* If-None-Match: *. A delete marker is no object */
    /* If-Match: this ETag, without quotes, or "*"; not asked for if empty. LST_ERR_KEY_NOT_FOUND if
     * there is no object */
    struct lst_slice if_match;
};

struct lst_put_options {
    struct lst_slice bucket;
    struct lst_slice key;
    const struct lst_field *fields; /* copied, as are tags and condition */
    size_t field_count;
    const struct lst_field *tags;
    size_t tag_count;
    bool size_known;
    uint64_t size; /* bytes, if known: the body must then have exactly so many */
    struct lst_write_condition condition;
};

/*
 * Begin. Looks at the bucket, the key and the condition, so that a hopeless upload fails before its
 * body. LST_ERR_BUCKET_NOT_FOUND, _KEY_TOO_LONG, _KEY_NOT_UTF8, _PRECONDITION, _KEY_NOT_FOUND
 * (if_match), _TOO_LARGE, _NO_SPACE, _TOO_MANY_FILES, _NO_MEMORY.
 */
LST_MUST_CHECK int lst_put_begin(struct lst_store *store, const struct lst_put_options *options,
                                 struct lst_put **ret_put);

/*
 * More of the body. LST_ERR_MALFORMED (more than was announced), _TOO_LARGE, _NO_SPACE,
 * _TOO_MANY_FILES, _IO, _NO_MEMORY. A put that failed once stays failed: every later call gives the
 * same code, and so does the commit.
 */
LST_MUST_CHECK int lst_put_write(struct lst_put *put, struct lst_slice bytes);

/* The MD5 of all that was written, to be held against Content-MD5 before the commit. After it
 * lst_put_write() may not be called. */
void lst_put_digest(struct lst_put *put, uint8_t ret_md5[16]);

/* One more field, known only after the body: its checksum. Copied. LST_ERR_TOO_LARGE, _NO_MEMORY.
 */
LST_MUST_CHECK int lst_put_add_field(struct lst_put *put, struct lst_slice name,
                                     struct lst_slice value);

/*
 * Commit: takes the put. done(): 0, LST_ERR_PRECONDITION (somebody was first), _KEY_NOT_FOUND
 * (if_match), _BUCKET_NOT_FOUND or _UPLOAD_NOT_FOUND (gone meanwhile), _NO_SPACE, _IO.
 */
void lst_put_commit(struct lst_put *put, struct lst_store_write *write);

/*
 * What a staged put would make visible: size, ETag, fields, tags, and the body for
 * lst_object_stream_open(). Valid until lst_staged_end(); not to be closed. Of a completion
 * the parts are those that are there when they are read: but lst_staged_end() gives
 * LST_ERR_PART_INVALID if they are not the very ones any more that were staged.
 */
LST_MUST_CHECK int lst_staged_look(struct lst_put *put, struct lst_object *ret_object);

/* Go on with a staged put, on any thread: make it visible (0), as lst_put_commit() does; or drop it
 * (an error, which done() gets): nothing of it is left, but of a completion the upload. Takes
 * it. */
void lst_staged_end(struct lst_put *put, int status);

/* Give up: nothing is left, the object that was there is untouched. NULL does nothing. */
void lst_put_abort(struct lst_put *put);

/* A body that is taken from an object that is there, instead of lst_put_write(). */
struct lst_copy {
    struct lst_object *source; /* open, with its body */
    uint64_t first;            /* of its bytes, so many */
    uint64_t length;
    /* Look at the bytes, on a thread of the store; NULL: nobody need see them. */
    void (*look)(void *context, struct lst_slice bytes);
    /* When they are all there, on that thread: may add fields to the put. A code other than 0 ends
     * it. NULL: nothing to do. */
    int (*finish)(void *context, struct lst_put *put);
    void *context;
};

/*
 * Fill the put, into which nothing was written, from an object, and commit it: takes the put, and
 * closes the source. Where the whole of an object is taken its bytes are shared, at no cost but
 * that of a name for each blob; each can be deleted without the other. Else they are copied, on a
 * thread of the store. The ETag is the MD5 of the bytes: the source's, if that is one; if the
 * source has several parts it is computed, which takes the time of reading them. done(): as
 * lst_put_commit(); LST_ERR_CONFLICT: the source went away meanwhile, open it again.
 */
void lst_put_copy(struct lst_put *put, const struct lst_copy *copy, struct lst_store_write *write);

/* Replace the tags of an object; all else of it stays, the time it was written too. Tags are
 * copied. Codes of lst_object_open(), LST_ERR_TOO_LARGE. write->version is set. */
LST_MUST_CHECK int lst_object_set_tags(struct lst_store *store, const struct lst_object_name *name,
                                       const struct lst_field *tags, size_t tag_count,
                                       struct lst_store_write *write);

/* One thing to delete, and, when done() gets 0, what became of it. */
struct lst_deletion {
    struct lst_slice key;
    /* This version, for good. Empty: the object; in a bucket with versioning that leaves a delete
     * marker */
    struct lst_slice version;
    /* Only if the ETag is this, or "*"; empty: whatever it is */
    struct lst_slice if_match;

    /* 0 (also when there is no such key or version), LST_ERR_VERSION_MALFORMED,
     * LST_ERR_PRECONDITION, or, with if_match, LST_ERR_KEY_NOT_FOUND */
    int status;
    /* A delete marker was made (version empty), or the version that was deleted was one */
    bool is_marker;
    /* Of the marker that was made, or the version that was named; of length 0 if there is none to
     * be shown */
    struct lst_version_id version_id;
};

/*
 * Delete from one bucket, in one commit. What the deletions point to must stay valid until done().
 * LST_ERR_BUCKET_NOT_FOUND, _TOO_LARGE (more than LST_STORE_DELETE_MAX).
 */
LST_MUST_CHECK int lst_store_delete(struct lst_store *store, struct lst_slice bucket,
                                    struct lst_deletion *deletions, size_t count,
                                    struct lst_store_write *write);

/* ---- Listing */

struct lst_list_options {
    struct lst_slice bucket;
    struct lst_slice prefix;
    struct lst_slice delimiter; /* any string; empty for none */
    struct lst_slice
        after;          /* list what comes after this key or common prefix; empty from the start */
    size_t max_entries; /* keys and common prefixes together */
};

struct lst_list_entry {
    bool is_prefix;       /* a common prefix: only key is set */
    struct lst_slice key; /* valid during the call */
    uint64_t size;
    int64_t modified_ms;
    struct lst_slice etag;          /* without quotes */
    const struct lst_field *fields; /* its checksum is among them */
    size_t field_count;
};

/*
 * Call visit() for each entry in byte order. *ret_truncated: there is more; go on after the last
 * entry's key. A common prefix costs one seek, however many keys it stands for.
 * LST_ERR_BUCKET_NOT_FOUND.
 */
LST_MUST_CHECK int lst_store_list(struct lst_store *store, const struct lst_list_options *options,
                                  int (*visit)(void *context, const struct lst_list_entry *entry),
                                  void *context, bool *ret_truncated);

struct lst_version_list_options {
    struct lst_slice bucket;
    struct lst_slice prefix;
    struct lst_slice delimiter;     /* any string; empty for none */
    struct lst_slice after_key;     /* list what comes after this key (or common prefix) ... */
    struct lst_slice after_version; /* ... or, if this is not empty, after this version of it */
    size_t max_entries;
};

struct lst_version_entry {
    bool is_prefix; /* a common prefix: only key is set */
    bool is_latest;
    bool is_marker;                /* a delete marker: without size and ETag */
    struct lst_slice key;          /* valid during the call */
    struct lst_version_id version; /* always there */
    uint64_t size;
    int64_t modified_ms;
    struct lst_slice etag; /* without quotes */
    const struct lst_field *fields;
    size_t field_count;
};

/* Call visit() for each version and delete marker: keys in byte order, of a key the newest first.
 * LST_ERR_BUCKET_NOT_FOUND, _VERSION_MALFORMED. */
LST_MUST_CHECK int lst_store_list_versions(struct lst_store *store,
                                           const struct lst_version_list_options *options,
                                           int (*visit)(void *context,
                                                        const struct lst_version_entry *entry),
                                           void *context, bool *ret_truncated);

/* ---- For metrics */

/* What was done since the store was opened, and how large the index is. */
struct lst_store_statistics {
    uint64_t index_commits; /* syncs, each of one batch or of many */
    uint64_t index_batches;
    uint64_t index_entries; /* rows: one for each object, one more for each blob, some others */
    uint64_t index_bytes;   /* of its file */
    uint64_t blobs_sealed;
    uint64_t blob_syncs; /* each of one blob or of many */
    /* Of the scrubber's pass that is under way, or else of the last one. */
    uint64_t scrubbed_rows;
    uint64_t scrubbed_bytes;
    uint64_t scrub_damaged;
    int64_t scrub_finished; /* seconds since 1970, when the last pass came to its end; 0: never */
};
/* Some microseconds. */
void lst_store_statistics(struct lst_store *store, struct lst_store_statistics *ret_statistics);

/* How much is in a bucket. */
struct lst_bucket_usage {
    struct lst_slice bucket;
    uint64_t objects;  /* that are current */
    uint64_t versions; /* of objects, current or not, and delete markers */
    uint64_t bytes;    /* of the bodies of those */
    uint64_t uploads;  /* in parts, in progress; their parts are not among the bytes */
    bool is_damaged;   /* its row or its counts are: the numbers are 0, and say nothing */
};

/* Call visit() with each bucket's, in the order of their names; some microseconds for each. A code
 * other than 0 ends it and is given back. */
LST_MUST_CHECK int lst_store_usage(struct lst_store *store,
                                   int (*visit)(void *context,
                                                const struct lst_bucket_usage *usage),
                                   void *context);

/* Count all of it anew, and write it down. Nobody else must write meanwhile: LST_ERR_CONFLICT.
 * LST_ERR_CORRUPT: there is a damaged row, which nobody knows how to count. */
LST_MUST_CHECK int lst_store_recount(struct lst_store *store);

/* ---- Scrubbing */

/*
 * Begin, after the delay, to read each row and each body against its checksum, at most so many
 * bytes a second, in a thread of its own; 0: do not. A pass begins a week after the last one began,
 * and goes on in the next process where it was. Damage is reported (lst_store_options.report), and
 * counted in the statistics. Once, before the store is used by others. LST_ERR_NO_MEMORY.
 */
LST_MUST_CHECK int lst_store_scrub(struct lst_store *store, uint64_t bytes_per_second,
                                   uint64_t delay_ms);

/* ---- Check */

/* One thing that lst_store_check() found wrong. */
struct lst_store_fault {
    struct lst_slice bucket;
    struct lst_slice key;
    const char *text; /* what is wrong, for people */
};

struct lst_store_census {
    uint64_t buckets;
    uint64_t objects;
    uint64_t bytes;        /* of bodies */
    uint64_t orphan_blobs; /* blobs that no object refers to */
    uint64_t faults;
    /* Multipart uploads in progress; and the parts of these and of those that were given up and are
     * not deleted yet. */
    uint64_t unfinished_uploads;
    uint64_t unfinished_parts;
    uint64_t unfinished_bytes;
};

/* Hold the index against the blobs and every body against its MD5; report() each fault. For
 * `latchstring fsck`. */
LST_MUST_CHECK int lst_store_check(struct lst_store *store,
                                   void (*report)(void *context,
                                                  const struct lst_store_fault *fault),
                                   void *context, struct lst_store_census *ret_census);

/*
 * Delete what no object has: bodies that damaged rows had, parts, files that an unclean end left.
 * Nobody else must use the store. *ret_count: how many there were. For `latchstring fsck
 * --reclaim`. LST_ERR_CORRUPT: something else is wrong, which was reported, and nothing is deleted,
 * for it may be of that.
 */
LST_MUST_CHECK int lst_store_reclaim(struct lst_store *store,
                                     void (*report)(void *context,
                                                    const struct lst_store_fault *fault),
                                     void *context, uint64_t *ret_count);

#endif
