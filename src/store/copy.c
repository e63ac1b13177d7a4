/* copy.c - fill a put from an object: share its bytes where that is possible, else copy them. */
#include "store/copy.h"

#include <stdlib.h>

enum { PIECE_SIZE = 256 * 1024 };

static void finish(struct lst_copying *copying, int status)
{
    struct lst_put *put = copying->put;

    lst_object_stream_close(copying->source);
    free(copying);
    if (status == LST_OK) {
        lst_put_commit_begun(put);
    } else {
        lst_put_finish(put, status);
    }
}

/* Whatever body was begun, another takes its place. */
static void drop_body(struct lst_put *put)
{
    lst_blob_discard(put->writer);
    put->writer = NULL;
    lst_put_drop_body(put);
}

/* ---- Bytes */

/* Read the source: into the put, or only to be looked at and for its MD5, if the ETag is wanted. */
static int read_source(struct lst_copying *copying, bool into_put)
{
    char *piece = malloc(PIECE_SIZE);
    size_t length = 1;
    int status = piece == NULL ? LST_ERR_NO_MEMORY : LST_OK;

    while (status == LST_OK) {
        status = lst_object_stream_read(copying->source, piece, PIECE_SIZE, &length);
        if (status != LST_OK || length == 0) {
            break;
        }
        if (copying->copy.look != NULL) {
            copying->copy.look(copying->copy.context, lst_slice_make(piece, length));
        }
        if (into_put) {
            status = lst_put_write(copying->put, lst_slice_make(piece, length));
        } else if (copying->etag.length == 0) {
            lst_digest_update(&copying->put->md5, lst_slice_make(piece, length));
        }
    }
    free(piece);
    return status;
}

/* ---- Sharing */

static int share_blob(struct lst_copying *copying)
{
    struct lst_put *put = copying->put;
    int status;

    drop_body(put);
    status = lst_blob_link(put->store->blobs, copying->blob, &put->writer);
    if (status == LST_OK) {
        put->size = copying->copy.length;
    }
    return status == LST_ERR_NOT_FOUND ? LST_ERR_CONFLICT : status;
}

static int share(struct lst_copying *copying)
{
    struct lst_put *put = copying->put;
    int status;

    put->rest.etag = copying->etag;
    if (copying->parts.length == 0) {
        status = share_blob(copying);
    } else {
        drop_body(put);
        put->size = copying->copy.length;
        status = lst_copy_share_parts(copying);
    }
    if (status == LST_OK && (copying->copy.look != NULL || copying->etag.length == 0)) {
        status = read_source(copying, false);
    }
    return status;
}

static void run(void *owner)
{
    struct lst_copying *copying = owner;
    int status = copying->shares ? share(copying) : read_source(copying, true);

    if (status == LST_OK && copying->copy.finish != NULL) {
        status = copying->copy.finish(copying->copy.context, copying->put);
    }
    finish(copying, status);
}

/* ---- Begin */

/* Take from the source what the copy needs of it. */
static int take_source(struct lst_copying *copying)
{
    struct lst_object *source = copying->copy.source;
    struct lst_put *put = copying->put;
    bool is_whole = copying->copy.first == 0 && copying->copy.length == source->size;
    int status;

    if (copying->copy.length > source->size ||
        copying->copy.first > source->size - copying->copy.length) {
        return LST_ERR_RANGE;
    }
    /* Small bodies cost least when they are copied; a part has one body, not parts. */
    copying->shares =
        is_whole && !source->is_inline && (source->parts.length == 0 || put->part_number == 0);
    copying->blob = source->blob_id;
    /* Of an object in parts the ETag is no MD5 of the bytes: the copy's is computed. */
    if (source->part_count == 0) {
        copying->etag = lst_changes_copy(&put->copies, source->etag);
    }
    copying->parts = lst_changes_copy(&put->copies, source->parts);
    copying->partition = source->partition;
    copying->key = lst_changes_copy(&put->copies, source->key);
    status = lst_changes_status(&put->copies);
    return status == LST_OK ? lst_object_stream_open(source, copying->copy.first,
                                                     copying->copy.length, &copying->source)
                            : status;
}

void lst_put_copy(struct lst_put *put, const struct lst_copy *copy, struct lst_store_write *write)
{
    struct lst_copying *copying = calloc(1, sizeof(*copying));
    int status = LST_ERR_NO_MEMORY;

    put->write = write;
    lst_store_begin_write(put->store);
    if (copying != NULL) {
        copying->job = (struct lst_pool_job){.run = run, .owner = copying};
        copying->put = put;
        copying->copy = *copy;
        status = take_source(copying);
    }
    lst_object_close(copy->source);
    if (status == LST_OK) {
        status = lst_pool_submit(&put->store->copiers, &copying->job);
    }
    if (status == LST_OK) {
        return;
    }
    if (copying == NULL) {
        lst_put_finish(put, status);
    } else {
        finish(copying, status);
    }
}
