/* upload_part.c - write a part of an upload. */
#include "store/parts.h"
#include "store/put.h"

static int add_part(struct lst_put *put, struct lst_index_reader *reader)
{
    struct lst_slice id = lst_slice_make(put->upload_id, sizeof(put->upload_id));
    struct lst_changes *changes = &put->changes;
    struct lst_upload_place place;
    struct lst_row_name name;
    struct lst_slice upload;
    struct lst_slice owner;
    bool exists = false;
    int status;

    lst_upload_place_make(put->partition, put->key, id, &place);
    status = lst_upload_read(reader, &place, &upload);
    if (status != LST_OK) {
        return status;
    }
    lst_changes_require_value(changes, lst_row_name_slice(&place.row), upload);
    lst_row_name_make_part(&name, id, put->part_number);
    status = lst_changes_release_row(changes, reader, put->partition, lst_row_name_slice(&name),
                                     &exists);
    if (status != LST_OK) {
        return status;
    }
    owner = lst_changes_add(changes, LST_INDEX_PUT, lst_row_name_slice(&name),
                            lst_buffer_slice(&put->row));
    lst_put_add_blob(put, owner);
    return LST_OK;
}

int lst_put_begin_part(struct lst_store *store, const struct lst_part_options *options,
                       struct lst_put **ret_put)
{
    struct lst_put_options body = {.bucket = options->name.bucket,
                                   .key = options->name.key,
                                   .size_known = options->size_known,
                                   .size = options->size};
    struct lst_index_reader *reader;
    struct lst_upload_place place;
    struct lst_slice upload;
    struct lst_put *put;
    int status;

    if (store->read_only) {
        return LST_ERR_PERMISSION;
    }
    if (options->number == 0 || options->number > LST_PART_NUMBER_MAX) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    status = lst_upload_find(store, &options->name, &reader, &place, &upload);
    if (status != LST_OK) {
        return status;
    }
    lst_index_read_end(reader);
    status = lst_put_make(store, place.partition, &body, &put);
    if (status != LST_OK) {
        return status;
    }
    put->add_changes = add_part;
    memcpy(put->upload_id, place.id, sizeof(put->upload_id));
    put->part_number = options->number;
    *ret_put = put;
    return LST_OK;
}
