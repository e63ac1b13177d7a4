/* tags.c - replace the tags of an object that is there. */
#include "store/put.h"

#include <stdlib.h>

struct tagging {
    struct lst_store *store;
    uint64_t partition;
    struct lst_store_write *write;
    struct lst_changes copies; /* of key, version and tags */
    struct lst_slice key;
    bool is_named; /* a version is; else it is the current one */
    struct lst_version version;
    struct lst_field tags[LST_STORE_TAGS_MAX];
    size_t tag_count;
    struct lst_buffer value;
    struct lst_changes changes;
    unsigned repeats;
    struct lst_index_batch batch;
};

static void free_tagging(struct tagging *tagging)
{
    lst_changes_release(&tagging->changes);
    lst_changes_release(&tagging->copies);
    lst_buffer_release(&tagging->value);
    free(tagging);
}

static void finish(struct tagging *tagging, int status)
{
    struct lst_store *store = tagging->store;
    struct lst_store_write *write = tagging->write;

    free_tagging(tagging);
    lst_store_end_write(store, write, status);
}

static int find(const struct tagging *tagging, const struct lst_key_place *place,
                struct lst_found_row *ret_found)
{
    struct lst_found_row head;
    int status = lst_head_read(place, &head);

    if (status == LST_OK && tagging->is_named) {
        status = lst_version_read(place, &head, tagging->version, ret_found);
        return status == LST_OK && ret_found->kind == 0 ? LST_ERR_VERSION_NOT_FOUND : status;
    }
    *ret_found = head;
    if (status == LST_OK && head.kind == LST_ROW_MARKER) {
        return LST_ERR_DELETE_MARKER;
    }
    return status == LST_OK && head.kind != LST_ROW_OBJECT ? LST_ERR_KEY_NOT_FOUND : status;
}

static void tell(struct tagging *tagging, const struct lst_object_row *row,
                 struct lst_bucket_state state)
{
    struct lst_store_write *write = tagging->write;

    write->version.length = 0;
    if (state.versioning != LST_VERSIONING_NEVER) {
        lst_version_format(row->version, &write->version);
    }
    write->modified_ms = row->modified_ms;
    memcpy(write->etag, row->etag.bytes, row->etag.length);
    write->etag_length = row->etag.length;
}

/* The same row with other tags and a stamp of its own. */
static int add_row(struct tagging *tagging, const struct lst_key_place *place,
                   struct lst_bucket_state state, const struct lst_found_row *found)
{
    struct lst_object_row row;
    struct lst_row_name name;
    int status = lst_object_row_decode(found->value, &row);

    if (status != LST_OK || row.form != LST_FORM_OBJECT) {
        return status != LST_OK              ? status
               : row.form == LST_FORM_MARKER ? LST_ERR_DELETE_MARKER
                                             : LST_ERR_CORRUPT;
    }
    lst_changes_check_row(&tagging->changes, found->value);
    lst_store_stamp(tagging->store, row.stamp);
    memcpy(row.tags, tagging->tags, sizeof(row.tags));
    row.tag_count = tagging->tag_count;
    lst_buffer_clear(&tagging->value);
    lst_object_row_encode(&tagging->value, &row);
    lst_head_require_state(&tagging->changes, &state);
    lst_head_require(&tagging->changes, place, found);
    lst_found_row_name(found, place->key, &name);
    (void)lst_changes_add(&tagging->changes, LST_INDEX_PUT, lst_row_name_slice(&name),
                          lst_buffer_slice(&tagging->value));
    tell(tagging, &row, state);
    status = lst_buffer_status(&tagging->value);
    return status == LST_OK ? lst_changes_status(&tagging->changes) : status;
}

static int make_changes(struct tagging *tagging)
{
    struct lst_key_place place = {
        .store = tagging->store, .partition = tagging->partition, .key = tagging->key};
    struct lst_bucket_state state;
    struct lst_found_row found;
    int status = lst_index_read_begin(tagging->store->index, &place.reader);

    if (status != LST_OK) {
        return status;
    }
    lst_changes_release(&tagging->changes);
    status = lst_head_read_key_state(&place, true, &state);
    if (status == LST_OK) {
        do {
            status = find(tagging, &place, &found);
        } while (lst_store_reads_again(&status, &tagging->repeats));
    }
    if (status == LST_OK) {
        status = add_row(tagging, &place, state, &found);
    }
    lst_index_read_end(place.reader);
    return status;
}

static void committed(struct lst_index_batch *batch, int status, size_t failed_change);

static void submit(struct tagging *tagging)
{
    int status = make_changes(tagging);

    if (status != LST_OK) {
        finish(tagging, status);
        return;
    }
    tagging->batch = (struct lst_index_batch){.partition = tagging->partition,
                                              .route = lst_changes_route(&tagging->changes),
                                              .changes = tagging->changes.list,
                                              .change_count = tagging->changes.count,
                                              .done = committed,
                                              .context = tagging};
    lst_index_submit(tagging->store->index, &tagging->batch);
}

static void committed(struct lst_index_batch *batch, int status, size_t failed_change)
{
    struct tagging *tagging = batch->context;

    (void)failed_change;
    if (lst_store_repeats(&status, &tagging->repeats)) {
        submit(tagging); /* it was written meanwhile: again, over what is there now */
    } else {
        finish(tagging, status);
    }
}

static int begin(struct lst_store *store, const struct lst_object_name *name,
                 const struct lst_field *tags, size_t tag_count, struct tagging **ret_tagging)
{
    struct tagging *tagging = calloc(1, sizeof(*tagging));
    int status = LST_OK;

    if (tagging == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    tagging->store = store;
    lst_buffer_init(&tagging->value, LST_INDEX_VALUE_MAX);
    tagging->key = lst_changes_copy(&tagging->copies, name->key);
    tagging->is_named = name->version.length > 0;
    if (tagging->is_named) {
        status = lst_version_parse(name->version, &tagging->version);
    }
    tagging->tag_count = tag_count;
    for (size_t i = 0; i < tag_count; i++) {
        tagging->tags[i].name = lst_changes_copy(&tagging->copies, tags[i].name);
        tagging->tags[i].value = lst_changes_copy(&tagging->copies, tags[i].value);
    }
    if (status == LST_OK) {
        status = lst_changes_status(&tagging->copies);
    }
    if (status != LST_OK) {
        free_tagging(tagging);
        return status;
    }
    *ret_tagging = tagging;
    return LST_OK;
}

int lst_object_set_tags(struct lst_store *store, const struct lst_object_name *name,
                        const struct lst_field *tags, size_t tag_count,
                        struct lst_store_write *write)
{
    struct lst_index_reader *reader;
    struct tagging *tagging;
    uint64_t partition;
    size_t bytes;
    int status =
        store->read_only ? LST_ERR_PERMISSION : lst_put_check_tags(tags, tag_count, &bytes);

    if (status == LST_OK) {
        status = lst_store_read_bucket(store, name->bucket, &reader, &partition);
    }
    if (status != LST_OK) {
        return status;
    }
    lst_index_read_end(reader);
    if (name->key.length == 0 || name->key.length > LST_STORE_KEY_MAX) {
        return LST_ERR_KEY_NOT_FOUND;
    }
    status = begin(store, name, tags, tag_count, &tagging);
    if (status != LST_OK) {
        return status;
    }
    tagging->partition = partition;
    tagging->write = write;
    lst_store_begin_write(store);
    submit(tagging);
    return LST_OK;
}
