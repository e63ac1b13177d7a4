/*
 * upload.h - multipart uploads: an object that arrives in parts, in any order and at the same time.
 *
 * "Uploading and copying objects using multipart upload" of the Amazon S3 User Guide. The parts are
 * durable as soon as they are acknowledged. Completing an upload makes them an object without
 * touching their bytes; aborting it lets go of them.
 */
#ifndef LST_STORE_UPLOAD_H
#define LST_STORE_UPLOAD_H

#include "store/store.h"

#define LST_UPLOAD_ID_LENGTH 32             /* letters and digits */
#define LST_PART_NUMBER_MAX  10000          /* from 1 on */
#define LST_PART_SIZE_MIN    5242880        /* bytes of all parts but the last: 5 MiB, as S3 */
#define LST_UPLOAD_SIZE_MAX  53687091200000 /* bytes: as many as the largest parts have, 50 TB */
#define LST_UPLOAD_NOTE_MAX  64             /* bytes */
#define LST_UPLOAD_ROOM      67108864       /* bytes: 64 MiB */

/* Which upload. */
struct lst_upload_name {
    struct lst_slice bucket;
    struct lst_slice key;
    struct lst_slice upload; /* its id */
};

struct lst_upload_options {
    struct lst_slice bucket;
    struct lst_slice key;
    const struct lst_field *fields; /* of the object to be; copied, as is all else */
    size_t field_count;
    const struct lst_field *tags;
    size_t tag_count;
    struct lst_slice note; /* whatever the caller has to know of the upload later */
};

/*
 * Begin an upload; its id is known at once, and valid when done() gets 0. Codes of lst_put_begin().
 */
LST_MUST_CHECK int lst_upload_create(struct lst_store *store,
                                     const struct lst_upload_options *options,
                                     char ret_id[LST_UPLOAD_ID_LENGTH],
                                     struct lst_store_write *write);

/* An upload in progress, as it was created. */
struct lst_open_upload {
    struct lst_slice key;
    struct lst_slice id;
    int64_t created_ms;
    struct lst_slice note;
    const struct lst_field *fields; /* of the object to be; not in a listing */
    size_t field_count;
};

/* See one: visit() is called once, its slices valid during the call; its code is given back.
 * LST_ERR_BUCKET_NOT_FOUND, _UPLOAD_NOT_FOUND (also for an id that none can have). */
LST_MUST_CHECK int lst_upload_see(struct lst_store *store, const struct lst_upload_name *name,
                                  int (*visit)(void *context, const struct lst_open_upload *upload),
                                  void *context);

/*
 * Begin to write a part, over one of that number if there is one; then as any put: lst_put_write(),
 * lst_put_add_field(), lst_put_commit() or lst_put_copy(). LST_ERR_UPLOAD_NOT_FOUND,
 * LST_ERR_INVALID_ARGUMENT (the number, or a limit without a size), and codes of lst_put_begin().
 *
 * With a limit: the parts that are there never have more bytes than that together, whatever is sent
 * at the same time. LST_ERR_TOO_LARGE, at once or by way of done(): with this part they would.
 * While parts are written they take more of the disk, above all those that replace another or come
 * twice: with those LST_UPLOAD_ROOM bytes more than the limit at most, or so many as the part has.
 * LST_ERR_CROWDED: that is taken, and will be free when others have ended.
 */
struct lst_part_options {
    struct lst_upload_name name;
    uint32_t number;
    bool size_known;
    uint64_t size;      /* bytes, if known */
    uint64_t total_max; /* bytes of all parts; 0: no limit. The same for all of an upload */
};
LST_MUST_CHECK int lst_put_begin_part(struct lst_store *store,
                                      const struct lst_part_options *options,
                                      struct lst_put **ret_put);

/* A part that is there. */
struct lst_part {
    uint32_t number;
    uint64_t size;
    int64_t modified_ms;
    struct lst_slice etag;          /* without quotes */
    const struct lst_field *fields; /* its checksum */
    size_t field_count;
};

/* Call visit() with the parts of an upload in progress whose number is above `after`, in order, at
 * most so many. Slices are valid during the call. LST_ERR_UPLOAD_NOT_FOUND, _BUCKET_NOT_FOUND. */
LST_MUST_CHECK int lst_upload_parts(struct lst_store *store, const struct lst_upload_name *name,
                                    uint32_t after, size_t max_parts,
                                    int (*visit)(void *context, const struct lst_part *part),
                                    void *context, bool *ret_truncated);

/* One line of the list that completes an upload. */
struct lst_completed_part {
    uint32_t number;
    struct lst_slice etag; /* without quotes */
};

struct lst_complete_options {
    struct lst_upload_name name;
    const struct lst_completed_part *parts; /* in ascending order; valid until done() */
    size_t part_count;
    const struct lst_field *fields; /* more fields of the object: its checksum; copied */
    size_t field_count;
    bool size_known; /* the parts must have so many bytes together, else LST_ERR_MALFORMED */
    uint64_t size;
    struct lst_write_condition condition;
};

/*
 * Make the parts an object; those that are not listed are let go. The ETag is the MD5 of the parts'
 * MD5s, "-", and how many they are. write->etag and ->version are set. An upload that was completed
 * already, whose object is still a version of its key, gives the same again: a client that did not
 * hear the answer may ask once more.
 *
 * LST_ERR_BUCKET_NOT_FOUND, _UPLOAD_NOT_FOUND, _PART_INVALID (one is not there, or has another
 * ETag), _PART_ORDER, _PART_TOO_SMALL (one that is not the last), _PRECONDITION, _KEY_NOT_FOUND
 * (if_match), _TOO_LARGE; all but the first by way of done() too. *ret_culprit: the number of the
 * part that is wrong, 0 if one is but it is not known which; it must stay valid until done().
 */
LST_MUST_CHECK int lst_upload_complete(struct lst_store *store,
                                       const struct lst_complete_options *options,
                                       uint32_t *ret_culprit, struct lst_store_write *write);

/* Let go of an upload and its parts. LST_ERR_UPLOAD_NOT_FOUND, at once or by way of done(). */
LST_MUST_CHECK int lst_upload_abort(struct lst_store *store, const struct lst_upload_name *name,
                                    struct lst_store_write *write);

struct lst_upload_list_options {
    struct lst_slice bucket;
    struct lst_slice prefix;
    struct lst_slice delimiter; /* any string; empty for none */
    struct lst_slice after_key; /* list the uploads of keys (and common prefixes) after this ... */
    struct lst_slice after_upload; /* ... or, if this is not empty, also later ones of this key */
    size_t max_entries;
};

struct lst_upload_entry {
    bool is_prefix; /* a common prefix: only upload.key is set */
    struct lst_open_upload upload;
};

/* Call visit() for each upload in progress, by key and then by the time it was begun.
 * LST_ERR_BUCKET_NOT_FOUND. */
LST_MUST_CHECK int lst_store_list_uploads(struct lst_store *store,
                                          const struct lst_upload_list_options *options,
                                          int (*visit)(void *context,
                                                       const struct lst_upload_entry *entry),
                                          void *context, bool *ret_truncated);

#endif
