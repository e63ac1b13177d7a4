/* object.c - open an object to read it. */
#include "store/state.h"

/* An object may be overwritten between the look at its row and the opening of its blob; then look
 * again. */
enum { OPEN_ATTEMPTS = 16 };

static int read_row(struct lst_index_reader *reader, uint64_t partition, struct lst_slice key,
                    struct lst_object_row *ret_row)
{
    struct lst_row_name name;
    struct lst_slice value;
    int status;

    if (key.length == 0 || key.length > LST_STORE_KEY_MAX) {
        return LST_ERR_KEY_NOT_FOUND;
    }
    lst_row_name_make(&name, LST_ROW_OBJECT, key);
    status = lst_index_get(reader, partition, lst_row_name_slice(&name), &value);
    if (status != LST_OK) {
        return status == LST_ERR_NOT_FOUND ? LST_ERR_KEY_NOT_FOUND : status;
    }
    return lst_object_row_decode(value, ret_row);
}

static int open_body(struct lst_store *store, const struct lst_object_row *row,
                     struct lst_blob_reader **ret_blob)
{
    struct lst_blob_reader *blob;
    int status = lst_blob_open(store->blobs, row->blob, &blob);

    if (status != LST_OK) {
        return status;
    }
    if (lst_blob_size(blob) != row->size) {
        lst_blob_close(blob);
        return LST_ERR_CORRUPT;
    }
    *ret_blob = blob;
    return LST_OK;
}

/* LST_ERR_NOT_FOUND: the row's blob is not there. */
static int open_once(struct lst_store *store, struct lst_slice bucket, struct lst_slice key,
                     bool with_body, struct lst_object *ret_object)
{
    struct lst_index_reader *reader;
    struct lst_blob_reader *blob = NULL;
    struct lst_object_row row;
    uint64_t partition;
    int status = lst_store_read_bucket(store, bucket, &reader, &partition);

    if (status != LST_OK) {
        return status;
    }
    status = read_row(reader, partition, key, &row);
    if (status == LST_OK && with_body && !row.is_inline) {
        status = open_body(store, &row, &blob);
    }
    if (status != LST_OK) {
        lst_index_read_end(reader);
        return status;
    }
    ret_object->size = row.size;
    ret_object->modified_ms = row.modified_ms;
    ret_object->etag = row.etag;
    memcpy(ret_object->fields, row.fields, row.field_count * sizeof(row.fields[0]));
    ret_object->field_count = row.field_count;
    ret_object->is_inline = row.is_inline;
    ret_object->body = row.body;
    ret_object->blob = blob;
    ret_object->reader = reader;
    return LST_OK;
}

int lst_object_open(struct lst_store *store, struct lst_slice bucket, struct lst_slice key,
                    bool with_body, struct lst_object *ret_object)
{
    for (int i = 0; i < OPEN_ATTEMPTS; i++) {
        int status = open_once(store, bucket, key, with_body, ret_object);
        if (status != LST_ERR_NOT_FOUND) {
            return status;
        }
    }
    return LST_ERR_CORRUPT;
}

void lst_object_close(struct lst_object *object)
{
    lst_blob_close(object->blob);
    lst_index_read_end(object->reader);
    object->blob = NULL;
    object->reader = NULL;
}
