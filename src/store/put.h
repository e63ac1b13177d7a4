/*
 * put.h - inside the store: a body on its way to become an object, or a part of an upload.
 *
 * Both collect a body into a row and perhaps a blob, make the blob durable, and then commit a batch
 * that is made anew as long as somebody else was faster. What the batch has is all that differs:
 * add_changes().
 */
#ifndef LST_STORE_PUT_H
#define LST_STORE_PUT_H

#include "store/digests.h"
#include "store/head.h"
#include "store/upload.h"

#include <nettle/sha2.h>

/* What add_changes() gives when there is nothing to do any more: the put succeeds as it is. */
enum { LST_PUT_IS_DONE = 1 };

struct lst_put {
    struct lst_store *store;
    uint64_t partition;
    struct lst_changes copies; /* the memory of key, condition, tags and late fields */
    struct lst_slice key;
    struct lst_write_condition condition;
    /* Add to put->changes all that the batch needs, the row (put->row) and the blob's row
     * (lst_put_add_blob()) too. Called for each attempt, on a thread that must not block. */
    int (*add_changes)(struct lst_put *put, struct lst_index_reader *reader);

    /* Of a part, of the completion of an upload, or of a copy that has parts. */
    char upload_id[LST_ROW_UPLOAD_ID_SIZE];
    bool is_pinned;                             /* that upload is, by this copy */
    uint32_t part_number;                       /* 0: it is no part */
    struct lst_arrival *arrival;                /* of a part of a limited upload; else NULL */
    uint64_t total_max;                         /* bytes of all parts of that; 0: no limit */
    const struct lst_completed_part *completed; /* as many as rest.parts has */
    uint8_t part_stamps[SHA256_DIGEST_SIZE];    /* which writes of these parts are meant */
    uint32_t *culprit;

    unsigned repeats; /* of reading and the batch */
    int status; /* of the first step that failed: the put stays failed, and is not committed */

    /* The body. */
    bool size_known;
    bool digest_is_made;
    uint64_t expected_size;
    uint64_t size;
    struct lst_digest md5;
    uint8_t digest[LST_MD5_SIZE];
    struct lst_buffer row;
    bool is_inline; /* the body is to stand in the row; meanwhile it is here: */
    struct lst_buffer body;
    struct lst_blob_writer *writer; /* NULL while the body is small */
    bool has_blob;                  /* sealed: to be deleted if the commit fails */
    struct lst_blob_id blob;

    /* What goes into the row behind the body: late fields, tags and parts. */
    struct lst_object_row rest;
    size_t early_field_count;
    size_t field_bytes; /* names and values of all fields */

    /* The commit. */
    struct lst_store_write *write;
    struct lst_blob_seal seal;
    struct lst_changes changes;
    struct lst_index_batch batch;
};

/* A put without a target: lst_put_begin() but for the look at bucket, key and condition. The caller
 * sets add_changes, and what that needs. */
LST_MUST_CHECK int lst_put_make(struct lst_store *store, uint64_t partition,
                                const struct lst_put_options *options, struct lst_put **ret_put);

/* LST_ERR_KEY_TOO_LONG, _KEY_NOT_UTF8, _MALFORMED (empty). */
LST_MUST_CHECK int lst_put_check_key(struct lst_slice key);

/* What must hold of fields and tags. LST_ERR_TOO_LARGE, _MALFORMED (a field without a name).
 * *ret_bytes: names and values together. */
LST_MUST_CHECK int lst_put_check_fields(const struct lst_field *fields, size_t field_count,
                                        size_t *ret_bytes);
LST_MUST_CHECK int lst_put_check_tags(const struct lst_field *tags, size_t tag_count,
                                      size_t *ret_bytes);

/* Drop the inline body that was begun, if one was. */
void lst_put_drop_body(struct lst_put *put);

/* How an object is added: a new current version of the key. */
LST_MUST_CHECK int lst_put_add_object(struct lst_put *put, struct lst_index_reader *reader);

/* The row of the put's blob, if it has one: it belongs to the row of this name. */
void lst_put_add_blob(struct lst_put *put, struct lst_slice name);

/*
 * The steps of lst_put_commit(), for one who comes by a body in another way. Before the first
 * lst_store_begin_write() was called and put->write is set.
 *
 * seal: write the rest of the row: the blob (if put->has_blob, or there is a writer), put->rest
 * (late fields, tags, parts, and the ETag; if that is empty, the MD5 of what was written) and
 * put->size. If the body is elsewhere, an inline one that was begun must have been dropped. submit:
 * commit, until nobody was faster; it ends in finish, which frees the put.
 */
void lst_put_commit_begun(struct lst_put *put); /* all that lst_put_commit() does after that */
LST_MUST_CHECK int lst_put_seal(struct lst_put *put);
void lst_put_submit(struct lst_put *put);
void lst_put_stage(struct lst_put *put); /* the same, after write->staged() if there is one */
void lst_put_finish(struct lst_put *put, int status);

#endif
