/* upload_part.c - write a part of an upload. */
#include "store/parts.h"
#include "store/put.h"

#include <stdlib.h>

/* ---- The limit of all parts together */

/* Bytes of the parts that are there, and of the one of this number among them. */
struct holding {
    uint64_t total;
    uint64_t own;
};

static int read_holding(struct lst_index_reader *reader, const struct lst_upload_place *place,
                        struct lst_slice key, struct lst_slice upload, uint32_t number,
                        struct holding *ret_holding)
{
    struct lst_object_row row;
    int status = lst_object_row_decode(upload, &row);

    if (status != LST_OK) {
        return status;
    }
    ret_holding->total = row.size;
    ret_holding->own = 0;
    status = lst_part_read(reader, place->partition, key, lst_upload_place_id(place), number, &row);
    if (status == LST_OK && row.size <= ret_holding->total) {
        ret_holding->own = row.size;
    }
    /* One that is damaged can be replaced; it goes on being counted. */
    return status == LST_ERR_NOT_FOUND || status == LST_ERR_CORRUPT ? LST_OK : status;
}

/* Bytes of the parts with one of this size; LST_ERR_TOO_LARGE. */
static int add_size(const struct holding *holding, uint64_t size, uint64_t most,
                    uint64_t *ret_total)
{
    *ret_total = holding->total - holding->own + size;
    return *ret_total > most ? LST_ERR_TOO_LARGE : LST_OK;
}

/* The upload's row says what its parts have. It gets a new stamp, which the batch of any other part
 * requires: so of two that end at the same time the second counts the first. */
static int add_holding(struct lst_put *put, struct lst_index_reader *reader,
                       const struct lst_upload_place *place, struct lst_slice upload)
{
    struct holding holding;
    struct lst_object_row row;
    struct lst_buffer value;
    uint64_t total = 0;
    int status = read_holding(reader, place, put->key, upload, put->part_number, &holding);

    if (status == LST_OK) {
        status = add_size(&holding, put->size, put->total_max, &total);
    }
    if (status == LST_OK) {
        status = lst_object_row_decode(upload, &row);
    }
    if (status != LST_OK) {
        return status;
    }
    lst_changes_check_row(&put->changes, upload);
    row.size = total;
    lst_store_stamp(put->store, row.stamp);
    lst_buffer_init(&value, LST_INDEX_VALUE_MAX);
    lst_object_row_encode(&value, &row);
    status = lst_buffer_status(&value);
    if (status == LST_OK) {
        (void)lst_changes_add(&put->changes, LST_INDEX_PUT, lst_row_name_slice(&place->row),
                              lst_changes_copy(&put->changes, lst_buffer_slice(&value)));
    }
    lst_buffer_release(&value);
    return status;
}

/* Is there room for it, beside what is there and on its way? */
static int check_room(struct lst_store *store, const struct lst_part_options *options,
                      uint64_t arriving)
{
    uint64_t slack = options->size > LST_UPLOAD_ROOM ? options->size : LST_UPLOAD_ROOM;
    struct lst_index_reader *reader;
    struct lst_upload_place place;
    struct lst_slice upload;
    struct holding holding;
    uint64_t total;
    int status = lst_upload_find(store, &options->name, &reader, &place, &upload);

    if (status != LST_OK) {
        return status;
    }
    status = read_holding(reader, &place, options->name.key, upload, options->number, &holding);
    lst_index_read_end(reader);
    if (status == LST_OK) {
        status = add_size(&holding, options->size, options->total_max, &total);
    }
    return status == LST_OK && holding.total + arriving > options->total_max + slack
               ? LST_ERR_CROWDED
               : status;
}

/* Count it as on its way. */
static int arrive(struct lst_store *store, const struct lst_part_options *options,
                  const struct lst_upload_place *place, struct lst_arrival **ret_arrival)
{
    struct lst_arrival *arrival;
    uint64_t arriving;
    int status;

    if (!options->size_known || options->total_max > LST_UPLOAD_SIZE_MAX) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    if (options->size > options->total_max) {
        return LST_ERR_TOO_LARGE;
    }
    arrival = calloc(1, sizeof(*arrival));
    if (arrival == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    memcpy(arrival->upload_id, place->id, sizeof(arrival->upload_id));
    arrival->size = options->size;
    arriving = lst_arrivals_add(&store->arrivals, arrival);
    status = check_room(store, options, arriving);
    if (status == LST_OK) {
        *ret_arrival = arrival;
    } else {
        lst_arrivals_remove(&store->arrivals, arrival);
        free(arrival);
    }
    return status;
}

/* ---- The part */

static int add_part(struct lst_put *put, struct lst_index_reader *reader)
{
    struct lst_slice id = lst_slice_make(put->upload_id, sizeof(put->upload_id));
    struct lst_changes *changes = &put->changes;
    struct lst_upload_place place;
    struct lst_row_name name;
    struct lst_slice upload;
    bool exists = false;
    int status;

    lst_upload_place_make(put->partition, put->key, id, &place);
    status = lst_upload_read(reader, &place, &upload);
    if (status != LST_OK) {
        return status;
    }
    lst_changes_require_value(changes, lst_row_name_slice(&place.row), upload);
    lst_row_name_make_part(&name, put->key, id, put->part_number);
    status = lst_changes_release_row(changes, reader, put->partition, put->key,
                                     lst_row_name_slice(&name), &exists);
    if (status != LST_OK) {
        return status;
    }
    (void)lst_changes_add(changes, LST_INDEX_PUT, lst_row_name_slice(&name),
                          lst_buffer_slice(&put->row));
    lst_put_add_blob(put, lst_row_name_slice(&name));
    return put->total_max > 0 ? add_holding(put, reader, &place, upload) : LST_OK;
}

static int make_put(struct lst_store *store, const struct lst_upload_place *place,
                    const struct lst_part_options *options, struct lst_arrival *arrival,
                    struct lst_put **ret_put)
{
    struct lst_put_options body = {.bucket = options->name.bucket,
                                   .key = options->name.key,
                                   .size_known = options->size_known,
                                   .size = options->size};
    struct lst_put *put;
    int status = lst_put_make(store, place->partition, &body, &put);

    if (status != LST_OK) {
        return status;
    }
    put->add_changes = add_part;
    memcpy(put->upload_id, place->id, sizeof(put->upload_id));
    put->part_number = options->number;
    put->total_max = options->total_max;
    put->arrival = arrival;
    *ret_put = put;
    return LST_OK;
}

int lst_put_begin_part(struct lst_store *store, const struct lst_part_options *options,
                       struct lst_put **ret_put)
{
    struct lst_index_reader *reader;
    struct lst_upload_place place;
    struct lst_slice upload;
    struct lst_arrival *arrival = NULL;
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
    if (options->total_max > 0) {
        status = arrive(store, options, &place, &arrival);
    }
    if (status != LST_OK) {
        return status;
    }
    status = make_put(store, &place, options, arrival, ret_put);
    if (status != LST_OK && arrival != NULL) {
        lst_arrivals_remove(&store->arrivals, arrival);
        free(arrival);
    }
    return status;
}
