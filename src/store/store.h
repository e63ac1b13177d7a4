/*
 * store.h - what S3 means: buckets, objects, listings. Written once, on index + blob.
 *
 * The store knows nothing of HTTP, XML, users or signatures. It keeps objects as S3 defines them: a
 * body, its MD5 (the ETag), the time it was written, and fields: the headers that a PUT gave and a
 * GET gives back (Content-Type, x-amz-meta-*).
 *
 * Durable: when a write's done() gets 0, the write survives a crash. When it gets anything else,
 * what was there before is there still. Never between the two. Of two writers of one key the later
 * to be committed wins.
 *
 * Small bodies (up to LST_STORE_INLINE_MAX) live in the index, others in a blob.
 * docs/on-disk-format.md has every row.
 */
#ifndef LST_STORE_STORE_H
#define LST_STORE_STORE_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"

#define LST_STORE_KEY_MAX         1024        /* bytes, as S3 */
#define LST_STORE_INLINE_MAX      8192        /* bytes */
#define LST_STORE_SIZE_MAX        5368709120U /* bytes of one PUT: 5 GiB, as S3 */
#define LST_STORE_FIELDS_MAX      64          /* fields of one object */
#define LST_STORE_FIELD_BYTES_MAX 16384       /* names and values together */
#define LST_STORE_DELETE_MAX      1000        /* keys of one lst_store_delete(), as S3 */

struct lst_store;
struct lst_put;
struct lst_blob_reader;
struct lst_index_reader;

struct lst_store_options {
    const char *path; /* the data folder; made if it is not there (its parent must be) */
    bool read_only; /* for a look beside a running server; else LST_ERR_LOCKED while another process
                       has it */
    uint64_t index_size_max; /* bytes that the index can grow to; 0: as many as there are addresses
                              * for */
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

/* ---- Buckets */

struct lst_bucket {
    struct lst_slice name;
    int64_t created_ms;
    struct lst_slice region; /* the LocationConstraint it was made with; may be empty */
    struct lst_slice owner;  /* canonical id of the user who made it */
};

/* AWS's "Bucket naming rules" for general purpose buckets. LST_ERR_BUCKET_NAME. */
LST_MUST_CHECK int lst_bucket_name_check(struct lst_slice name);

/*
 * A write in progress. The caller keeps the struct (in its own memory) until done() is called:
 * exactly once, on a thread of the store, perhaps before the call that began the write has
 * returned. When that call itself gives an error, done() is never called.
 */
struct lst_store_write {
    void (*done)(struct lst_store_write *write, int status);
    void *context; /* the caller's */
};

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

/* ---- Reading objects */

/* One object, opened. Slices and fields are valid until lst_object_close(). */
struct lst_object {
    uint64_t size; /* bytes */
    int64_t modified_ms;
    struct lst_slice etag; /* without quotes: 32 hex digits */
    struct lst_field fields[LST_STORE_FIELDS_MAX];
    size_t field_count;
    bool is_inline;
    struct lst_slice body; /* of an inline object */
    struct lst_blob_reader
        *blob; /* of any other; closed by lst_object_close() unless taken (set to NULL) */
    struct lst_index_reader *reader; /* the store's */
};

/*
 * Open an object. Keep it open briefly: it holds a reader of the index. LST_ERR_BUCKET_NOT_FOUND,
 * _KEY_NOT_FOUND, _IO, _CORRUPT. with_body: false for HEAD, which then needs no file.
 */
LST_MUST_CHECK int lst_object_open(struct lst_store *store, struct lst_slice bucket,
                                   struct lst_slice key, bool with_body,
                                   struct lst_object *ret_object);
void lst_object_close(struct lst_object *object);

/* ---- Writing objects */

struct lst_put_options {
    struct lst_slice bucket;
    struct lst_slice key;
    const struct lst_field *fields; /* copied */
    size_t field_count;
    bool size_known;
    uint64_t size;       /* bytes, if known: the body must then have exactly so many */
    bool only_if_absent; /* If-None-Match: * */
};

/*
 * Begin. Looks at the bucket, the key and, if only_if_absent, at the present object, so that a
 * hopeless upload fails before its body. LST_ERR_BUCKET_NOT_FOUND, _KEY_TOO_LONG, _KEY_NOT_UTF8,
 * _PRECONDITION, _TOO_LARGE, _NO_SPACE, _TOO_MANY_FILES, _NO_MEMORY.
 */
LST_MUST_CHECK int lst_put_begin(struct lst_store *store, const struct lst_put_options *options,
                                 struct lst_put **ret_put);
LST_MUST_CHECK int lst_put_write(struct lst_put *put, struct lst_slice bytes);

/* The MD5 of all that was written, to be held against Content-MD5 before the commit. After it
 * lst_put_write() may not be called. */
void lst_put_digest(struct lst_put *put, uint8_t ret_md5[16]);

/*
 * Commit: takes the put. done(): 0, LST_ERR_PRECONDITION (somebody was first), _BUCKET_NOT_FOUND
 * (deleted meanwhile), _NO_SPACE, _IO.
 */
void lst_put_commit(struct lst_put *put, struct lst_store_write *write);

/* Give up: nothing is left, the object that was there is untouched. NULL does nothing. */
void lst_put_abort(struct lst_put *put);

/*
 * Delete keys of one bucket in one commit. Keys that are not there are no error, as in S3. The keys
 * must stay valid until done(). LST_ERR_BUCKET_NOT_FOUND, _TOO_LARGE (more than
 * LST_STORE_DELETE_MAX).
 */
LST_MUST_CHECK int lst_store_delete(struct lst_store *store, struct lst_slice bucket,
                                    const struct lst_slice *keys, size_t key_count,
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
    struct lst_slice etag; /* without quotes */
};

/*
 * Call visit() for each entry in byte order. *ret_truncated: there is more; go on after the last
 * entry's key. A common prefix costs one seek, however many keys it stands for.
 * LST_ERR_BUCKET_NOT_FOUND.
 */
LST_MUST_CHECK int lst_store_list(struct lst_store *store, const struct lst_list_options *options,
                                  int (*visit)(void *context, const struct lst_list_entry *entry),
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
};
/* Some microseconds. */
void lst_store_statistics(struct lst_store *store, struct lst_store_statistics *ret_statistics);

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
};

/* Hold the index against the blobs and every body against its MD5; report() each fault. For
 * `latchstring fsck`. */
LST_MUST_CHECK int lst_store_check(struct lst_store *store,
                                   void (*report)(void *context,
                                                  const struct lst_store_fault *fault),
                                   void *context, struct lst_store_census *ret_census);

#endif
