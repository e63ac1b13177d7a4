/* stream.c - the bytes of an object's body: from the row, from a blob, or from part to part. */
#include "store/parts.h"

#include <stdlib.h>

/*
 * Where the bytes come from at the moment: a blob, or bytes in memory. Of an object in parts that
 * is the part at the offset; the upload is pinned as long as the stream is there, so the rows and
 * the blobs of its parts stay.
 */
struct lst_object_stream {
    struct lst_store *store;
    uint64_t partition;
    uint64_t at;  /* the next byte of the body ... */
    uint64_t end; /* ... up to here */

    uint64_t source_first; /* what the source has of the body */
    uint64_t source_end;
    struct lst_blob_reader *blob; /* NULL: bytes */
    char bytes[LST_STORE_INLINE_MAX];

    struct lst_slice parts; /* encoded; behind the struct; empty if there are none */
    struct lst_slice key;   /* behind that; of an object in parts */
    char text[];
};

int lst_body_open(struct lst_store *store, struct lst_blob_id id, uint64_t size,
                  struct lst_blob_reader **ret_blob)
{
    struct lst_blob_reader *blob;
    int status = lst_blob_open(store->blobs, id, &blob);

    if (status != LST_OK) {
        return status;
    }
    if (lst_blob_size(blob) != size) {
        lst_blob_close(blob);
        return LST_ERR_CORRUPT;
    }
    *ret_blob = blob;
    return LST_OK;
}

/* ---- A file to send from */

/* The file of a blob, which the caller gets; else it is closed. */
static int hand_over(struct lst_blob_reader *blob, struct lst_blob_reader **ret_blob)
{
    int file = lst_blob_file(blob);

    if (file < 0) {
        lst_blob_close(blob);
        return -1;
    }
    *ret_blob = blob;
    return file;
}

static int take_part_file(struct lst_object *object, uint64_t first, uint64_t length,
                          struct lst_blob_reader **ret_blob, uint64_t *ret_offset)
{
    uint32_t position = lst_row_parts_find(object->parts, first);
    struct lst_blob_reader *blob;
    struct lst_object_row row;
    struct lst_row_part part;

    if (position == lst_row_parts_count(object->parts)) {
        return -1;
    }
    part = lst_row_parts_at(object->parts, position);
    if (length > part.end - first ||
        lst_part_read(object->reader, object->partition, object->key,
                      lst_row_parts_upload(object->parts), part.number, &row) != LST_OK ||
        row.is_inline || lst_body_open(object->store, row.blob, row.size, &blob) != LST_OK) {
        return -1;
    }
    *ret_offset = first - part.first;
    return hand_over(blob, ret_blob);
}

int lst_object_take_file(struct lst_object *object, uint64_t first, uint64_t length,
                         struct lst_blob_reader **ret_blob, uint64_t *ret_offset)
{
    int file;

    if (object->parts.length > 0) {
        return take_part_file(object, first, length, ret_blob, ret_offset);
    }
    file = object->blob == NULL ? -1 : lst_blob_file(object->blob);
    if (file >= 0) {
        *ret_blob = object->blob;
        *ret_offset = first;
        object->blob = NULL;
    }
    return file;
}

/* ---- Streams */

/* All that is not in parts is one source. */
static int take_body(struct lst_object_stream *stream, struct lst_object *object)
{
    stream->source_end = object->size;
    if (object->is_inline) {
        memcpy(stream->bytes, object->body.bytes, object->body.length);
        return LST_OK;
    }
    if (object->blob == NULL) {
        return lst_body_open(object->store, object->blob_id, object->size, &stream->blob);
    }
    stream->blob = object->blob;
    object->blob = NULL;
    return LST_OK;
}

int lst_object_stream_open(struct lst_object *object, uint64_t first, uint64_t length,
                           struct lst_object_stream **ret_stream)
{
    size_t key_length = object->parts.length > 0 ? object->key.length : 0;
    struct lst_object_stream *stream =
        calloc(1, sizeof(*stream) + object->parts.length + key_length);
    int status;

    if (stream == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    stream->store = object->store;
    stream->partition = object->partition;
    stream->at = first < object->size ? first : object->size;
    stream->end = length < object->size - stream->at ? stream->at + length : object->size;
    stream->parts = lst_slice_make(stream->text, object->parts.length);
    if (object->parts.length > 0) {
        memcpy(stream->text, object->parts.bytes, object->parts.length);
        stream->key = lst_slice_make(stream->text + object->parts.length, key_length);
        memcpy(stream->text + object->parts.length, object->key.bytes, key_length);
        status = lst_pins_add(&object->store->pins, lst_row_parts_upload(stream->parts));
    } else {
        status = take_body(stream, object);
    }
    if (status != LST_OK) {
        free(stream);
        return status;
    }
    *ret_stream = stream;
    return LST_OK;
}

static int take_part(struct lst_object_stream *stream, struct lst_row_part part,
                     const struct lst_object_row *row)
{
    if (row->size != part.end - part.first) {
        return LST_ERR_CORRUPT;
    }
    stream->source_first = part.first;
    stream->source_end = part.end;
    if (row->is_inline) {
        memcpy(stream->bytes, row->body.bytes, row->body.length);
        return LST_OK;
    }
    return lst_body_open(stream->store, row->blob, row->size, &stream->blob);
}

/* On to the part that has the next byte. */
static int next_part(struct lst_object_stream *stream)
{
    uint32_t position = lst_row_parts_find(stream->parts, stream->at);
    struct lst_index_reader *reader;
    struct lst_object_row row;
    struct lst_row_part part;
    int status;

    lst_blob_close(stream->blob);
    stream->blob = NULL;
    if (position == lst_row_parts_count(stream->parts)) {
        return LST_ERR_CORRUPT;
    }
    part = lst_row_parts_at(stream->parts, position);
    status = lst_index_read_begin(stream->store->index, &reader);
    if (status != LST_OK) {
        return status;
    }
    status = lst_part_read(reader, stream->partition, stream->key,
                           lst_row_parts_upload(stream->parts), part.number, &row);
    if (status == LST_OK) {
        status = take_part(stream, part, &row);
    }
    lst_index_read_end(reader);
    return status == LST_ERR_NOT_FOUND ? LST_ERR_CORRUPT : status;
}

int lst_object_stream_file(struct lst_object_stream *stream, uint64_t most, int *ret_file,
                           uint64_t *ret_offset, uint64_t *ret_length)
{
    uint64_t end;
    int file;

    if (stream->at >= stream->source_end && stream->at < stream->end) {
        int status = next_part(stream);

        if (status != LST_OK) {
            return status;
        }
    }
    file = stream->blob == NULL ? -1 : lst_blob_file(stream->blob);
    if (file < 0) {
        return LST_ERR_NOT_FOUND;
    }
    end = stream->end < stream->source_end ? stream->end : stream->source_end;
    *ret_file = file;
    *ret_offset = stream->at - stream->source_first;
    *ret_length = end - stream->at < most ? end - stream->at : most;
    stream->at += *ret_length;
    return LST_OK;
}

int lst_object_stream_read(struct lst_object_stream *stream, char *out, size_t capacity,
                           size_t *ret_length)
{
    uint64_t length;
    int status;

    *ret_length = 0;
    if (stream->at == stream->end || capacity == 0) {
        return LST_OK;
    }
    if (stream->at >= stream->source_end) {
        status = next_part(stream);
        if (status != LST_OK) {
            return status;
        }
    }
    length = (stream->end < stream->source_end ? stream->end : stream->source_end) - stream->at;
    length = length < capacity ? length : capacity;
    if (stream->blob == NULL) {
        memcpy(out, stream->bytes + (stream->at - stream->source_first), (size_t)length);
        *ret_length = (size_t)length;
    } else {
        status = lst_blob_read(stream->blob, stream->at - stream->source_first, out, (size_t)length,
                               ret_length);
        if (status != LST_OK || *ret_length == 0) {
            return status == LST_OK ? LST_ERR_CORRUPT : status;
        }
    }
    stream->at += *ret_length;
    return LST_OK;
}

void lst_object_stream_close(struct lst_object_stream *stream)
{
    if (stream == NULL) {
        return;
    }
    lst_blob_close(stream->blob);
    if (stream->parts.length > 0) {
        lst_store_unpin(stream->store, stream->partition, stream->key,
                        lst_row_parts_upload(stream->parts));
    }
    free(stream);
}
