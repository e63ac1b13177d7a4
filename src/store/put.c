/* put.c - write an object or a part: its body while it comes in. */
#include "store/put.h"

#include <stdlib.h>

/* ---- Begin */

int lst_put_check_fields(const struct lst_field *fields, size_t field_count, size_t *ret_bytes)
{
    size_t bytes = 0;

    if (field_count > LST_STORE_FIELDS_MAX) {
        return LST_ERR_TOO_LARGE;
    }
    for (size_t i = 0; i < field_count; i++) {
        if (fields[i].name.length == 0) {
            return LST_ERR_MALFORMED;
        }
        if (fields[i].name.length > LST_STORE_FIELD_BYTES_MAX ||
            fields[i].value.length > LST_STORE_FIELD_BYTES_MAX) {
            return LST_ERR_TOO_LARGE;
        }
        bytes += fields[i].name.length + fields[i].value.length;
    }
    *ret_bytes = bytes;
    return bytes > LST_STORE_FIELD_BYTES_MAX ? LST_ERR_TOO_LARGE : LST_OK;
}

int lst_put_check_tags(const struct lst_field *tags, size_t tag_count, size_t *ret_bytes)
{
    int status = tag_count > LST_STORE_TAGS_MAX ? LST_ERR_TOO_LARGE
                                                : lst_put_check_fields(tags, tag_count, ret_bytes);

    return status == LST_OK && *ret_bytes > LST_STORE_TAG_BYTES_MAX ? LST_ERR_TOO_LARGE : status;
}

int lst_put_check_key(struct lst_slice key)
{
    if (key.length == 0) {
        return LST_ERR_MALFORMED;
    }
    if (key.length > LST_STORE_KEY_MAX) {
        return LST_ERR_KEY_TOO_LONG;
    }
    return lst_slice_is_utf8(key) ? LST_OK : LST_ERR_KEY_NOT_UTF8;
}

/* The bucket, and whether the condition holds of the object that is there. */
static int check_present(struct lst_store *store, const struct lst_put_options *options,
                         uint64_t *ret_partition)
{
    struct lst_key_place place = {.store = store, .key = options->key};
    struct lst_found_row head;
    int status = lst_store_read_bucket(store, options->bucket, &place.reader, &place.partition);

    if (status != LST_OK) {
        return status;
    }
    if (options->condition.only_if_absent || options->condition.if_match.length > 0) {
        status = lst_head_read(&place, &head);
        if (status == LST_OK) {
            status = lst_head_check(&head, &options->condition);
        }
    }
    lst_index_read_end(place.reader);
    *ret_partition = place.partition;
    return status;
}

static void keep_fields(struct lst_put *put, struct lst_field *kept, const struct lst_field *fields,
                        size_t field_count)
{
    for (size_t i = 0; i < field_count; i++) {
        kept[i].name = lst_changes_copy(&put->copies, fields[i].name);
        kept[i].value = lst_changes_copy(&put->copies, fields[i].value);
    }
}

static int fill(struct lst_put *put, const struct lst_put_options *options, size_t row_bytes)
{
    bool is_large = options->size_known && options->size > LST_STORE_INLINE_MAX;
    size_t body = is_large ? 0 : options->size_known ? (size_t)options->size : LST_STORE_INLINE_MAX;
    int status;

    put->key = lst_changes_copy(&put->copies, options->key);
    put->condition.only_if_absent = options->condition.only_if_absent;
    put->condition.if_match = lst_changes_copy(&put->copies, options->condition.if_match);
    keep_fields(put, put->rest.tags, options->tags, options->tag_count);
    put->rest.tag_count = options->tag_count;
    put->early_field_count = options->field_count;
    put->size_known = options->size_known;
    put->expected_size = options->size;
    lst_digest_init(&put->md5);
    /* Not all of it is ever allocated: late fields are few. */
    lst_buffer_init(&put->body, LST_STORE_INLINE_MAX);
    lst_buffer_init(&put->row, LST_OBJECT_ROW_OVERHEAD + row_bytes + body +
                                   LST_STORE_FIELD_BYTES_MAX + 4 * LST_STORE_FIELDS_MAX +
                                   LST_INDEX_VALUE_MAX / 2);
    lst_object_row_begin(&put->row, options->fields, options->field_count);
    put->is_inline = !is_large;
    status = lst_changes_status(&put->copies);
    if (status == LST_OK) {
        status = lst_buffer_status(&put->row);
    }
    return status == LST_OK && is_large
               ? lst_blob_create(put->store->blobs, options->size, &put->writer)
               : status;
}

int lst_put_make(struct lst_store *store, uint64_t partition, const struct lst_put_options *options,
                 struct lst_put **ret_put)
{
    size_t field_bytes = 0;
    size_t tag_bytes = 0;
    struct lst_put *put;
    int status = lst_put_check_fields(options->fields, options->field_count, &field_bytes);

    if (status == LST_OK) {
        status = lst_put_check_tags(options->tags, options->tag_count, &tag_bytes);
    }
    if (status == LST_OK && options->size_known && options->size > LST_STORE_SIZE_MAX) {
        status = LST_ERR_TOO_LARGE;
    }
    if (status != LST_OK) {
        return status;
    }
    put = calloc(1, sizeof(*put));
    if (put == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    put->store = store;
    put->partition = partition;
    put->field_bytes = field_bytes;
    status = fill(put, options, field_bytes + tag_bytes);
    if (status != LST_OK) {
        lst_put_abort(put);
        return status;
    }
    *ret_put = put;
    return LST_OK;
}

int lst_put_begin(struct lst_store *store, const struct lst_put_options *options,
                  struct lst_put **ret_put)
{
    uint64_t partition;
    int status = store->read_only ? LST_ERR_PERMISSION : lst_put_check_key(options->key);

    if (status == LST_OK) {
        status = check_present(store, options, &partition);
    }
    if (status == LST_OK) {
        status = lst_put_make(store, partition, options, ret_put);
    }
    if (status == LST_OK) {
        (*ret_put)->add_changes = lst_put_add_object;
    }
    return status;
}

static int add_field(struct lst_put *put, struct lst_slice name, struct lst_slice value)
{
    struct lst_field field = {name, value};
    size_t bytes;
    int status = lst_put_check_fields(&field, 1, &bytes);

    if (status != LST_OK) {
        return status;
    }
    if (put->early_field_count + put->rest.field_count == LST_STORE_FIELDS_MAX ||
        put->field_bytes + bytes > LST_STORE_FIELD_BYTES_MAX) {
        return LST_ERR_TOO_LARGE;
    }
    keep_fields(put, put->rest.fields + put->rest.field_count, &field, 1);
    put->rest.late_field_count = ++put->rest.field_count;
    put->field_bytes += bytes;
    return lst_changes_status(&put->copies);
}

int lst_put_add_field(struct lst_put *put, struct lst_slice name, struct lst_slice value)
{
    if (put->status == LST_OK) {
        put->status = add_field(put, name, value);
    }
    return put->status;
}

/* ---- The body */

/* The body became too large for the row: on to a blob. */
static int spill(struct lst_put *put)
{
    int status = lst_blob_create(put->store->blobs, 0, &put->writer);

    if (status == LST_OK) {
        status = lst_blob_append(put->writer, lst_buffer_slice(&put->body));
    }
    lst_put_drop_body(put);
    return status;
}

void lst_put_drop_body(struct lst_put *put)
{
    lst_buffer_release(&put->body);
    put->is_inline = false;
}

static int write_body(struct lst_put *put, struct lst_slice bytes)
{
    uint64_t most = put->size_known ? put->expected_size : LST_STORE_SIZE_MAX;
    int status = LST_OK;

    if (bytes.length > most - put->size) {
        return put->size_known ? LST_ERR_MALFORMED : LST_ERR_TOO_LARGE;
    }
    put->size += bytes.length;
    if (put->writer == NULL && put->size > LST_STORE_INLINE_MAX) {
        status = spill(put);
    }
    if (status != LST_OK) {
        return status;
    }
    if (put->writer != NULL && put->md5.queue == NULL) {
        lst_digest_join(&put->md5, &put->store->digests);
    }
    lst_digest_update(&put->md5, bytes);
    if (put->writer != NULL) {
        return lst_blob_append(put->writer, bytes);
    }
    lst_buffer_append(&put->body, bytes);
    return lst_buffer_status(&put->body);
}

int lst_put_write(struct lst_put *put, struct lst_slice bytes)
{
    /* What is missing after a failure, no later bytes make good. */
    if (put->status == LST_OK && bytes.length > 0) {
        put->status = write_body(put, bytes);
    }
    return put->status;
}

void lst_put_digest(struct lst_put *put, uint8_t ret_md5[16])
{
    if (!put->digest_is_made) {
        lst_digest_end(&put->md5, put->digest);
        put->digest_is_made = true;
    }
    memcpy(ret_md5, put->digest, sizeof(put->digest));
}
