/* put.c - write an object: its body while it comes in, then the commit. */
#include "store/state.h"

#include "base/clock.h"
#include "base/encoding.h"

#include <nettle/md5.h>
#include <stdlib.h>

struct lst_put {
    struct lst_store *store;
    uint64_t partition;
    struct lst_slice key; /* points behind the struct */
    bool only_if_absent;
    bool size_known;
    bool digest_is_made;
    uint64_t expected_size;
    uint64_t size;
    struct md5_ctx md5;
    uint8_t digest[MD5_DIGEST_SIZE];

    /* The object's row; a small body is put straight into it. */
    struct lst_buffer row;
    size_t body_start;              /* in the row */
    struct lst_blob_writer *writer; /* NULL while the body is small */
    bool has_blob;                  /* sealed, or being sealed */
    struct lst_blob_id blob;

    /* The commit. */
    struct lst_store_write *write;
    struct lst_blob_seal seal;
    struct lst_changes changes;
    struct lst_index_batch batch;
    char text[];
};

/* ---- Begin */

static int check_fields(const struct lst_put_options *options, size_t *ret_bytes)
{
    size_t bytes = 0;

    if (options->field_count > LST_STORE_FIELDS_MAX) {
        return LST_ERR_TOO_LARGE;
    }
    for (size_t i = 0; i < options->field_count; i++) {
        const struct lst_field *field = &options->fields[i];
        if (field->name.length == 0) {
            return LST_ERR_MALFORMED;
        }
        if (field->name.length > LST_STORE_FIELD_BYTES_MAX ||
            field->value.length > LST_STORE_FIELD_BYTES_MAX) {
            return LST_ERR_TOO_LARGE;
        }
        bytes += field->name.length + field->value.length;
    }
    *ret_bytes = bytes + 4 * options->field_count;
    return bytes > LST_STORE_FIELD_BYTES_MAX ? LST_ERR_TOO_LARGE : LST_OK;
}

static int check_options(const struct lst_put_options *options)
{
    if (options->key.length == 0) {
        return LST_ERR_MALFORMED;
    }
    if (options->key.length > LST_STORE_KEY_MAX) {
        return LST_ERR_KEY_TOO_LONG;
    }
    if (!lst_slice_is_utf8(options->key)) {
        return LST_ERR_KEY_NOT_UTF8;
    }
    return options->size_known && options->size > LST_STORE_SIZE_MAX ? LST_ERR_TOO_LARGE : LST_OK;
}

/* The bucket, and the object that is there if there must be none. */
static int check_present(struct lst_store *store, const struct lst_put_options *options,
                         uint64_t *ret_partition)
{
    struct lst_index_reader *reader;
    struct lst_row_name name;
    struct lst_slice value;
    int status = lst_store_read_bucket(store, options->bucket, &reader, ret_partition);

    if (status != LST_OK) {
        return status;
    }
    if (options->only_if_absent) {
        lst_row_name_make(&name, LST_ROW_OBJECT, options->key);
        status = lst_index_get(reader, *ret_partition, lst_row_name_slice(&name), &value);
        status = status == LST_OK              ? LST_ERR_PRECONDITION
                 : status == LST_ERR_NOT_FOUND ? LST_OK
                                               : status;
    }
    lst_index_read_end(reader);
    return status;
}

static struct lst_put *new_put(struct lst_store *store, const struct lst_put_options *options,
                               uint64_t partition, size_t field_bytes)
{
    bool is_large = options->size_known && options->size > LST_STORE_INLINE_MAX;
    size_t body = is_large ? 0 : options->size_known ? (size_t)options->size : LST_STORE_INLINE_MAX;
    struct lst_put *put = calloc(1, sizeof(*put) + options->key.length);

    if (put == NULL) {
        return NULL;
    }
    put->store = store;
    put->partition = partition;
    memcpy(put->text, options->key.bytes, options->key.length);
    put->key = lst_slice_make(put->text, options->key.length);
    put->only_if_absent = options->only_if_absent;
    put->size_known = options->size_known;
    put->expected_size = options->size;
    md5_init(&put->md5);
    lst_buffer_init(&put->row, LST_OBJECT_ROW_OVERHEAD + field_bytes + body);
    lst_object_row_begin(&put->row, options->fields, options->field_count);
    if (!is_large) {
        put->body_start = lst_object_row_begin_body(&put->row);
    }
    return put;
}

int lst_put_begin(struct lst_store *store, const struct lst_put_options *options,
                  struct lst_put **ret_put)
{
    size_t field_bytes = 0;
    uint64_t partition;
    struct lst_put *put;
    int status = store->read_only ? LST_ERR_PERMISSION : check_options(options);

    if (status == LST_OK) {
        status = check_fields(options, &field_bytes);
    }
    if (status == LST_OK) {
        status = check_present(store, options, &partition);
    }
    if (status != LST_OK) {
        return status;
    }
    put = new_put(store, options, partition, field_bytes);
    if (put == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    status = lst_buffer_status(&put->row);
    if (status == LST_OK && put->body_start == 0) {
        status = lst_blob_create(store->blobs, options->size, &put->writer);
    }
    if (status != LST_OK) {
        lst_put_abort(put);
        return status;
    }
    *ret_put = put;
    return LST_OK;
}

/* ---- The body */

/* The body became too large for the row: on to a blob. */
static int spill(struct lst_put *put)
{
    struct lst_slice row = lst_buffer_slice(&put->row);
    int status = lst_blob_create(put->store->blobs, 0, &put->writer);

    if (status == LST_OK) {
        status = lst_blob_append(put->writer, lst_slice_after(row, put->body_start));
    }
    lst_object_row_drop_body(&put->row, put->body_start);
    return status;
}

int lst_put_write(struct lst_put *put, struct lst_slice bytes)
{
    uint64_t most = put->size_known ? put->expected_size : LST_STORE_SIZE_MAX;
    int status = LST_OK;

    if (bytes.length == 0) {
        return LST_OK;
    }
    if (bytes.length > most - put->size) {
        return put->size_known ? LST_ERR_MALFORMED : LST_ERR_TOO_LARGE;
    }
    md5_update(&put->md5, bytes.length, (const uint8_t *)bytes.bytes);
    put->size += bytes.length;
    if (put->writer == NULL && put->size > LST_STORE_INLINE_MAX) {
        status = spill(put);
    }
    if (put->writer == NULL) {
        lst_buffer_append(&put->row, bytes);
        return lst_buffer_status(&put->row);
    }
    return status == LST_OK ? lst_blob_append(put->writer, bytes) : status;
}

void lst_put_digest(struct lst_put *put, uint8_t ret_md5[16])
{
    if (!put->digest_is_made) {
        md5_digest(&put->md5, sizeof(put->digest), put->digest);
        put->digest_is_made = true;
    }
    memcpy(ret_md5, put->digest, sizeof(put->digest));
}

/* ---- The commit */

static void free_put(struct lst_put *put)
{
    lst_blob_discard(put->writer);
    lst_changes_release(&put->changes);
    lst_buffer_release(&put->row);
    free(put);
}

void lst_put_abort(struct lst_put *put)
{
    if (put != NULL) {
        free_put(put);
    }
}

static void finish(struct lst_put *put, int status)
{
    struct lst_store *store = put->store;
    struct lst_store_write *write = put->write;

    if (status == LST_OK) {
        lst_store_collect(store, put->partition, &put->changes);
    } else if (put->has_blob && lst_blob_delete(store->blobs, put->blob) != LST_OK) {
        /* It stays behind; fsck counts it, and nothing refers to it. */
        put->has_blob = false;
    }
    free_put(put);
    lst_store_end_write(store, write, status);
}

/* What must hold for the object, and the letting go of the one that is there. */
static int add_present(struct lst_put *put)
{
    struct lst_index_reader *reader;
    bool exists = false;
    int status = lst_index_read_begin(put->store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = lst_changes_release_object(&put->changes, reader, put->partition, put->key, &exists);
    lst_index_read_end(reader);
    return status == LST_OK && exists && put->only_if_absent ? LST_ERR_PRECONDITION : status;
}

static void committed(struct lst_index_batch *batch, int status, size_t failed_change);

static void submit(struct lst_put *put)
{
    struct lst_changes *changes = &put->changes;
    int status;

    lst_changes_release(changes);
    lst_changes_add_row(changes, LST_INDEX_REQUIRE_PREFIX, LST_ROW_STATE, lst_slice_make(NULL, 0),
                        lst_row_live);
    status = add_present(put);
    if (status != LST_OK) {
        finish(put, status);
        return;
    }
    lst_changes_add_row(changes, LST_INDEX_PUT, LST_ROW_OBJECT, put->key,
                        lst_buffer_slice(&put->row));
    if (put->has_blob) {
        lst_changes_add_blob(changes, LST_INDEX_PUT, LST_ROW_BLOB, put->blob, put->key);
    }
    status = lst_changes_status(changes);
    if (status != LST_OK) {
        finish(put, status);
        return;
    }
    put->batch = (struct lst_index_batch){.partition = put->partition,
                                          .changes = changes->list,
                                          .change_count = changes->count,
                                          .done = committed,
                                          .context = put};
    lst_index_submit(put->store->index, &put->batch);
}

static void committed(struct lst_index_batch *batch, int status, size_t failed_change)
{
    struct lst_put *put = batch->context;

    if (status == LST_ERR_CONFLICT && failed_change == 0) {
        finish(put, LST_ERR_BUCKET_NOT_FOUND);
    } else if (status == LST_ERR_CONFLICT || status == LST_ERR_EXISTS) {
        submit(put); /* somebody was faster: again, over what is there now */
    } else {
        finish(put, status);
    }
}

static void sealed(struct lst_blob_seal *seal, int status)
{
    struct lst_put *put = seal->context;

    put->has_blob = status == LST_OK;
    if (status == LST_OK) {
        submit(put);
    } else {
        finish(put, status);
    }
}

/* All of the row but the body is known now. */
static int seal_row(struct lst_put *put)
{
    char etag[LST_ROW_ETAG_LENGTH];
    struct lst_object_row row = {.size = put->size, .modified_ms = lst_clock_now_ms()};
    uint8_t digest[MD5_DIGEST_SIZE];

    if (put->size_known && put->size != put->expected_size) {
        return LST_ERR_MALFORMED;
    }
    lst_put_digest(put, digest);
    lst_hex_encode(digest, sizeof(digest), etag);
    row.etag = lst_slice_make(etag, sizeof(etag));
    lst_store_stamp(put->store, row.stamp);
    if (put->writer == NULL) {
        lst_object_row_end_body(&put->row, put->body_start);
    } else {
        put->blob = lst_blob_writer_id(put->writer);
        lst_object_row_append_blob(&put->row, put->blob);
    }
    lst_object_row_seal(&put->row, &row);
    return lst_buffer_status(&put->row);
}

void lst_put_commit(struct lst_put *put, struct lst_store_write *write)
{
    int status;

    put->write = write;
    lst_store_begin_write(put->store);
    status = seal_row(put);
    if (status != LST_OK) {
        finish(put, status);
    } else if (put->writer == NULL) {
        submit(put);
    } else {
        struct lst_blob_writer *writer = put->writer;
        put->writer = NULL;
        put->seal = (struct lst_blob_seal){.done = sealed, .context = put};
        lst_blob_seal_submit(writer, &put->seal);
    }
}
