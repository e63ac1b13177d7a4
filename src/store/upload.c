/* upload.c - begin an upload, look at it, give it up. */
#include "base/clock.h"
#include "base/encoding.h"
#include "store/parts.h"
#include "store/put.h"

#include <stdlib.h>

static const struct lst_slice nothing = {NULL, 0};

/* An upload being begun or given up: one batch, made anew as long as somebody else was faster. */
struct upload_change {
    struct lst_store *store;
    struct lst_upload_place place;
    int (*add_changes)(struct upload_change *change, struct lst_index_reader *reader);
    struct lst_buffer row; /* of one that is begun */
    struct lst_store_write *write;
    struct lst_changes changes;
    unsigned repeats;
    struct lst_index_batch batch;
};

static void finish(struct upload_change *change, int status)
{
    struct lst_store *store = change->store;
    struct lst_store_write *write = change->write;

    if (status == LST_OK) {
        lst_store_collect(store, change->place.partition, &change->changes);
    }
    lst_changes_release(&change->changes);
    lst_buffer_release(&change->row);
    free(change);
    lst_store_end_write(store, write, status);
}

static void committed(struct lst_index_batch *batch, int status, size_t failed_change);

static void submit(struct upload_change *change)
{
    struct lst_index_reader *reader;
    int status = lst_index_read_begin(change->store->index, &reader);

    if (status == LST_OK) {
        lst_changes_release(&change->changes);
        status = change->add_changes(change, reader);
        lst_index_read_end(reader);
    }
    if (status == LST_OK) {
        status = lst_changes_close(&change->changes);
    }
    if (status != LST_OK) {
        finish(change, status);
        return;
    }
    change->batch = (struct lst_index_batch){.partition = change->place.partition,
                                             .route = lst_changes_route(&change->changes),
                                             .changes = change->changes.list,
                                             .change_count = change->changes.count,
                                             .done = committed,
                                             .context = change};
    lst_index_submit(change->store->index, &change->batch);
}

static void committed(struct lst_index_batch *batch, int status, size_t failed_change)
{
    struct upload_change *change = batch->context;

    (void)failed_change;
    if (lst_store_repeats(&status, &change->repeats)) {
        submit(change); /* somebody was faster: again, over what is there now */
    } else {
        finish(change, status);
    }
}

static struct upload_change *new_change(struct lst_store *store,
                                        const struct lst_upload_place *place,
                                        struct lst_store_write *write)
{
    struct upload_change *change = calloc(1, sizeof(*change));

    if (change != NULL) {
        change->store = store;
        change->place = *place;
        change->write = write;
        lst_buffer_init(&change->row, LST_INDEX_VALUE_MAX);
    }
    return change;
}

/* ---- Begin */

static int add_upload(struct upload_change *change, struct lst_index_reader *reader)
{
    struct lst_bucket_state state;
    int status = lst_head_read_state(reader, change->place.partition,
                                     lst_row_name_route(&change->place.row), &state);

    if (status == LST_OK) {
        lst_head_require_state(&change->changes, &state);
        lst_changes_count(&change->changes, LST_ROW_UPLOAD, 0, 1);
        (void)lst_changes_add(&change->changes, LST_INDEX_PUT,
                              lst_row_name_slice(&change->place.row),
                              lst_buffer_slice(&change->row));
    }
    return status;
}

static int check_options(const struct lst_upload_options *options)
{
    size_t bytes = 0;
    int status = lst_put_check_key(options->key);

    if (status == LST_OK) {
        status = lst_put_check_fields(options->fields, options->field_count, &bytes);
    }
    if (status == LST_OK) {
        status = lst_put_check_tags(options->tags, options->tag_count, &bytes);
    }
    return status == LST_OK && options->note.length > LST_UPLOAD_NOTE_MAX ? LST_ERR_TOO_LARGE
                                                                          : status;
}

static void encode_row(struct upload_change *change, const struct lst_upload_options *options)
{
    struct lst_object_row row = {.form = LST_FORM_UPLOAD,
                                 .modified_ms = lst_clock_now_ms(),
                                 .field_count = options->field_count,
                                 .tag_count = options->tag_count,
                                 .note = options->note};

    lst_store_stamp(change->store, row.stamp);
    if (options->field_count > 0) {
        memcpy(row.fields, options->fields, options->field_count * sizeof(row.fields[0]));
    }
    if (options->tag_count > 0) {
        memcpy(row.tags, options->tags, options->tag_count * sizeof(row.tags[0]));
    }
    lst_object_row_encode(&change->row, &row);
}

int lst_upload_create(struct lst_store *store, const struct lst_upload_options *options,
                      char ret_id[LST_UPLOAD_ID_LENGTH], struct lst_store_write *write)
{
    struct lst_index_reader *reader;
    struct lst_upload_place place;
    struct upload_change *change;
    char id[LST_ROW_UPLOAD_ID_SIZE];
    uint64_t partition;
    int status = store->read_only ? LST_ERR_PERMISSION : check_options(options);

    if (status == LST_OK) {
        status = lst_store_read_bucket(store, options->bucket, &reader, &partition);
    }
    if (status != LST_OK) {
        return status;
    }
    lst_index_read_end(reader);
    lst_upload_id_make(store, id);
    lst_upload_place_make(partition, options->key, lst_slice_make(id, sizeof(id)), &place);
    change = new_change(store, &place, write);
    if (change == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    change->add_changes = add_upload;
    encode_row(change, options);
    status = lst_buffer_status(&change->row);
    if (status != LST_OK) {
        lst_buffer_release(&change->row);
        free(change);
        return status;
    }
    lst_hex_encode(id, sizeof(id), ret_id);
    lst_store_begin_write(store);
    submit(change);
    return LST_OK;
}

/* ---- Look */

int lst_upload_see(struct lst_store *store, const struct lst_upload_name *name,
                   int (*visit)(void *context, const struct lst_open_upload *upload), void *context)
{
    struct lst_index_reader *reader;
    struct lst_upload_place place;
    struct lst_object_row row;
    struct lst_slice value;
    int status = lst_upload_find(store, name, &reader, &place, &value);

    if (status != LST_OK) {
        return status;
    }
    status = lst_object_row_decode(value, &row);
    if (status == LST_OK) {
        status = visit(context, &(struct lst_open_upload){.key = name->key,
                                                          .id = name->upload,
                                                          .created_ms = row.modified_ms,
                                                          .note = row.note,
                                                          .fields = row.fields,
                                                          .field_count = row.field_count});
    }
    lst_index_read_end(reader);
    return status;
}

/* ---- Give up */

static int add_abort(struct upload_change *change, struct lst_index_reader *reader)
{
    struct lst_slice name = lst_row_name_slice(&change->place.row);
    struct lst_row_name left;
    struct lst_slice value;
    int status = lst_upload_read(reader, &change->place, &value);

    if (status == LST_OK) {
        lst_changes_require_value(&change->changes, name, value);
        lst_changes_check_row(&change->changes, value);
        lst_changes_count(&change->changes, LST_ROW_UPLOAD, 0, -1);
        (void)lst_changes_add(&change->changes, LST_INDEX_DELETE, name, nothing);
        lst_row_name_make(&left, LST_ROW_LEFT, lst_slice_after(name, 1)); /* the rest is the same */
        (void)lst_changes_add(&change->changes, LST_INDEX_PUT, lst_row_name_slice(&left), nothing);
    }
    return status;
}

int lst_upload_abort(struct lst_store *store, const struct lst_upload_name *name,
                     struct lst_store_write *write)
{
    struct lst_upload_place place;
    struct lst_index_reader *reader;
    struct upload_change *change;
    struct lst_slice value;
    int status = store->read_only ? LST_ERR_PERMISSION
                                  : lst_upload_find(store, name, &reader, &place, &value);

    if (status != LST_OK) {
        return status;
    }
    lst_index_read_end(reader);
    change = new_change(store, &place, write);
    if (change == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    change->add_changes = add_abort;
    lst_store_begin_write(store);
    submit(change);
    return LST_OK;
}
