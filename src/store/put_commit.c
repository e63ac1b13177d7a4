/* put_commit.c - the commit of a body that came in: its blob made durable, then a batch. */
#include "store/put.h"

#include "base/clock.h"
#include "base/encoding.h"

#include <stdlib.h>

static void free_put(struct lst_put *put)
{
    lst_digest_drop(&put->md5);
    lst_blob_discard(put->writer);
    if (put->arrival != NULL) {
        lst_arrivals_remove(&put->store->arrivals, put->arrival);
        free(put->arrival);
    }
    lst_changes_release(&put->changes);
    lst_changes_release(&put->copies);
    lst_buffer_release(&put->row);
    lst_buffer_release(&put->body);
    free(put);
}

void lst_put_abort(struct lst_put *put)
{
    if (put != NULL) {
        free_put(put);
    }
}

void lst_put_finish(struct lst_put *put, int status)
{
    struct lst_store *store = put->store;
    struct lst_store_write *write = put->write;

    if (status == LST_OK) {
        lst_store_collect(store, put->partition, &put->changes);
    } else if (put->has_blob &&
               (status == LST_ERR_UNKNOWN || lst_store_delete_blob(store, put->blob) != LST_OK)) {
        /* It stays behind, for the next opening to find; fsck counts it until then. After an
         * unknown outcome a row may name it. */
        lst_blobs_leave_unclean(store->blobs);
        put->has_blob = false;
    }
    if (put->is_pinned) {
        struct lst_slice id = lst_slice_make(put->upload_id, sizeof(put->upload_id));
        /* If the object did not come about, its parts are those of an upload that was left. */
        (void)lst_pins_ask(&store->pins, id);
        lst_store_unpin(store, put->partition, put->key, id);
    }
    free_put(put);
    lst_store_end_write(store, write, status);
}

void lst_put_add_blob(struct lst_put *put, struct lst_slice name)
{
    char owner[LST_ROW_OWNER_MAX];

    if (put->has_blob && name.length > 0) {
        lst_changes_add_blob(&put->changes, LST_INDEX_PUT, LST_ROW_BLOB, put->key, put->blob,
                             lst_changes_copy(&put->changes, lst_row_owner_make(name, owner)));
    }
}

int lst_put_add_object(struct lst_put *put, struct lst_index_reader *reader)
{
    struct lst_key_place place = {put->store, reader, put->partition, put->key};
    struct lst_version version;
    struct lst_row_name name;
    int status =
        lst_head_replace(&put->changes, &place, &put->condition, &version, &put->write->version);

    if (status != LST_OK) {
        return status;
    }
    lst_object_row_set_version(&put->row, version);
    lst_row_name_make_escaped(&name, LST_ROW_OBJECT, put->key);
    (void)lst_changes_add(&put->changes, LST_INDEX_PUT, lst_row_name_slice(&name),
                          lst_buffer_slice(&put->row));
    lst_changes_count(&put->changes, LST_ROW_OBJECT, put->size, 1);
    lst_put_add_blob(put, lst_row_name_slice(&name));
    return LST_OK;
}

static int make_changes(struct lst_put *put)
{
    struct lst_index_reader *reader;
    int status = lst_index_read_begin(put->store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    do {
        lst_changes_release(&put->changes);
        status = put->add_changes(put, reader);
    } while (
        lst_store_reads_again(&status, &put->repeats)); /* somebody was faster than the readings */
    lst_index_read_end(reader);
    return status == LST_OK ? lst_changes_close(&put->changes) : status;
}

static void committed(struct lst_index_batch *batch, int status, size_t failed_change)
{
    struct lst_put *put = batch->context;

    (void)failed_change;
    if (lst_store_repeats(&status, &put->repeats)) {
        lst_put_submit(put); /* somebody was faster: again, over what is there now */
    } else {
        lst_put_finish(put, status);
    }
}

void lst_put_submit(struct lst_put *put)
{
    int status = make_changes(put);

    if (status != LST_OK) {
        lst_changes_release(&put->changes);
        lst_put_finish(put, status == LST_PUT_IS_DONE ? LST_OK : status);
        return;
    }
    put->batch = (struct lst_index_batch){.partition = put->partition,
                                          .route = lst_changes_route(&put->changes),
                                          .changes = put->changes.list,
                                          .change_count = put->changes.count,
                                          .done = committed,
                                          .context = put};
    lst_index_submit(put->store->index, &put->batch);
}

/* ---- Staged: durable, and not yet visible */

void lst_put_stage(struct lst_put *put)
{
    struct lst_store_write *write = put->write;

    if (write->staged == NULL) {
        lst_put_submit(put);
    } else {
        write->staged(write, put);
    }
}

int lst_staged_look(struct lst_put *put, struct lst_object *ret_object)
{
    struct lst_object_row row;
    int status = lst_object_row_decode(lst_buffer_slice(&put->row), &row);

    if (status != LST_OK) {
        return status;
    }
    *ret_object = (struct lst_object){
        .size = row.size,
        .modified_ms = row.modified_ms,
        .etag = row.etag,
        .field_count = row.field_count,
        .tag_count = row.tag_count,
        .part_count = lst_row_parts_count(row.parts),
        .is_inline = row.is_inline,
        .body = row.body,
        .store = put->store,
        .partition = put->partition,
        .blob_id = row.blob,
        .key = put->key,
        .parts = row.parts,
    };
    memcpy(ret_object->fields, row.fields, row.field_count * sizeof(row.fields[0]));
    memcpy(ret_object->tags, row.tags, row.tag_count * sizeof(row.tags[0]));
    return LST_OK;
}

void lst_staged_end(struct lst_put *put, int status)
{
    if (status == LST_OK) {
        lst_put_submit(put);
    } else {
        lst_put_finish(put, status);
    }
}

/* ---- Committing */

int lst_put_seal(struct lst_put *put)
{
    struct lst_object_row *row = &put->rest;
    struct lst_store_write *write = put->write;
    uint8_t digest[LST_MD5_SIZE];

    if (row->etag.length > 0) {
        memcpy(write->etag, row->etag.bytes, row->etag.length);
        write->etag_length = row->etag.length;
    } else {
        lst_put_digest(put, digest);
        lst_hex_encode(digest, sizeof(digest), write->etag);
        write->etag_length = 2 * sizeof(digest);
    }
    row->etag = lst_slice_make(write->etag, write->etag_length);
    row->size = put->size;
    row->modified_ms = write->modified_ms = lst_clock_now_ms();
    write->version.length = 0;
    lst_store_stamp(put->store, row->stamp);
    if (put->writer != NULL) {
        put->blob = lst_blob_writer_id(put->writer);
    }
    if (put->writer != NULL || put->has_blob) {
        row->blob = put->blob;
    } else if (put->is_inline) {
        row->is_inline = true;
        row->body = lst_buffer_slice(&put->body);
    }
    lst_object_row_end(&put->row, row);
    row->body = lst_slice_make(NULL, 0);
    lst_buffer_release(&put->body);
    return lst_buffer_status(&put->row);
}

static void sealed(struct lst_blob_seal *seal, int status)
{
    struct lst_put *put = seal->context;

    put->has_blob = status == LST_OK;
    if (status == LST_OK) {
        lst_put_stage(put);
    } else {
        lst_put_finish(put, status);
    }
}

void lst_put_commit(struct lst_put *put, struct lst_store_write *write)
{
    put->write = write;
    lst_store_begin_write(put->store);
    lst_put_commit_begun(put);
}

void lst_put_commit_begun(struct lst_put *put)
{
    struct lst_blob_writer *writer = put->writer;
    int status = put->status == LST_OK ? lst_changes_status(&put->copies) : put->status;

    if (status == LST_OK && put->size_known && put->size != put->expected_size) {
        status = LST_ERR_MALFORMED;
    }
    if (status == LST_OK) {
        status = lst_put_seal(put);
    }
    if (status != LST_OK) {
        lst_put_finish(put, status);
    } else if (writer == NULL) {
        lst_put_stage(put);
    } else {
        put->writer = NULL;
        put->seal = (struct lst_blob_seal){.done = sealed, .context = put};
        lst_blob_seal_submit(writer, &put->seal);
    }
}
