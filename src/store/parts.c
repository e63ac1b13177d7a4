/* parts.c - find uploads, and read the rows of parts. */
#include "store/parts.h"

#include "base/encoding.h"
#include "base/random.h"

void lst_upload_place_make(uint64_t partition, struct lst_slice key, struct lst_slice id,
                           struct lst_upload_place *ret_place)
{
    ret_place->partition = partition;
    memcpy(ret_place->id, id.bytes, sizeof(ret_place->id));
    lst_row_name_make_upload(&ret_place->row, LST_ROW_UPLOAD, key, lst_upload_place_id(ret_place));
}

void lst_upload_id_make(struct lst_store *store, char ret_id[LST_ROW_UPLOAD_ID_SIZE])
{
    lst_row_number_encode(lst_store_next_order(store, 0), ret_id);
    lst_random_bytes(ret_id + 8, LST_ROW_UPLOAD_ID_SIZE - 8);
}

int lst_upload_read(struct lst_index_reader *reader, const struct lst_upload_place *place,
                    struct lst_slice *ret_value)
{
    int status =
        lst_changes_read(reader, place->partition, lst_row_name_slice(&place->row), ret_value);

    return status == LST_ERR_NOT_FOUND ? LST_ERR_UPLOAD_NOT_FOUND : status;
}

int lst_upload_find(struct lst_store *store, const struct lst_upload_name *name,
                    struct lst_index_reader **ret_reader, struct lst_upload_place *ret_place,
                    struct lst_slice *ret_value)
{
    char id[LST_ROW_UPLOAD_ID_SIZE];
    struct lst_index_reader *reader;
    uint64_t partition;
    int status = lst_store_read_bucket(store, name->bucket, &reader, &partition);

    if (status != LST_OK) {
        return status;
    }
    status = LST_ERR_UPLOAD_NOT_FOUND;
    if (name->key.length > 0 && name->key.length <= LST_STORE_KEY_MAX &&
        lst_hex_decode(name->upload, id, sizeof(id))) {
        lst_upload_place_make(partition, name->key, lst_slice_make(id, sizeof(id)), ret_place);
        status = lst_upload_read(reader, ret_place, ret_value);
    }
    if (status != LST_OK) {
        lst_index_read_end(reader);
        return status;
    }
    *ret_reader = reader;
    return LST_OK;
}

int lst_part_read(struct lst_index_reader *reader, uint64_t partition, struct lst_slice key,
                  struct lst_slice upload_id, uint32_t number, struct lst_object_row *ret_row)
{
    struct lst_row_name name;
    struct lst_slice value;
    int status;

    lst_row_name_make_part(&name, key, upload_id, number);
    status = lst_index_get(reader, partition, lst_row_name_slice(&name), &value);
    return status == LST_OK ? lst_object_row_decode(value, ret_row) : status;
}

int lst_part_each(struct lst_index_reader *reader, uint64_t partition, struct lst_slice key,
                  struct lst_slice upload_id, uint32_t after,
                  int (*visit)(void *context, uint32_t number, struct lst_slice value),
                  void *context)
{
    struct lst_row_name start;
    struct lst_slice range;
    struct lst_slice name;
    struct lst_slice value;
    int status;

    if (after == UINT32_MAX) {
        return LST_OK;
    }
    lst_row_name_make_part(&start, key, upload_id, after + 1);
    range = lst_slice_first(lst_row_name_slice(&start), start.length - LST_ROW_PART_NUMBER_SIZE);
    status = lst_index_seek(reader, partition, lst_row_name_slice(&start), &name, &value);
    status = lst_store_walk(reader, range, status, &name, &value);
    while (status == LST_OK || lst_index_is_damaged_row(status, name)) {
        struct lst_key_room room;
        struct lst_slice same_key;
        struct lst_slice id;
        uint32_t number;
        if (status != LST_OK) {
            value = lst_slice_first(value, LST_ROW_STAMP_SIZE);
        }
        status = lst_row_name_split_part(name, &room, &same_key, &id, &number);
        if (status == LST_OK) {
            status = visit(context, number, value);
        }
        if (status != LST_OK) {
            return status;
        }
        status = lst_index_next(reader, &name, &value);
        status = lst_store_walk(reader, range, status, &name, &value);
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

/* ---- Parts of an upload */

/* What a visit gives to end a walk early. */
enum { ENOUGH = 1 };

struct parts_listing {
    size_t room;
    bool is_truncated;
    int (*visit)(void *context, const struct lst_part *part);
    void *context;
};

static int show_part(void *context, uint32_t number, struct lst_slice value)
{
    struct parts_listing *listing = context;
    struct lst_object_row row;
    int status;

    if (listing->room == 0) {
        listing->is_truncated = true;
        return ENOUGH;
    }
    listing->room--;
    status = lst_object_row_decode_head(value, &row);
    if (status != LST_OK) {
        return status;
    }
    return listing->visit(listing->context, &(struct lst_part){.number = number,
                                                               .size = row.size,
                                                               .modified_ms = row.modified_ms,
                                                               .etag = row.etag,
                                                               .fields = row.fields,
                                                               .field_count = row.field_count});
}

int lst_upload_parts(struct lst_store *store, const struct lst_upload_name *name, uint32_t after,
                     size_t max_parts, int (*visit)(void *context, const struct lst_part *part),
                     void *context, bool *ret_truncated)
{
    struct parts_listing listing = {.room = max_parts, .visit = visit, .context = context};
    struct lst_index_reader *reader;
    struct lst_upload_place place;
    struct lst_slice value;
    int status = lst_upload_find(store, name, &reader, &place, &value);

    if (status != LST_OK) {
        return status;
    }
    lst_index_read_heads(reader);
    status = lst_part_each(reader, place.partition, name->key, lst_upload_place_id(&place), after,
                           show_part, &listing);
    if (status == LST_OK || status == ENOUGH) {
        /* Parts vanish only when the upload is over. */
        status = lst_upload_read(reader, &place, &value);
    }
    lst_index_read_end(reader);
    if (status == LST_OK) {
        *ret_truncated = listing.is_truncated;
    }
    return status;
}

/* ---- Parts of an object */

static int show_object_part(struct lst_object *object, struct lst_row_part part,
                            int (*visit)(void *context, const struct lst_object_part *part),
                            void *context)
{
    struct lst_object_row row;
    int status = lst_part_read(object->reader, object->partition, object->key,
                               lst_row_parts_upload(object->parts), part.number, &row);

    if (status != LST_OK) {
        return status == LST_ERR_NOT_FOUND ? LST_ERR_CORRUPT : status;
    }
    return visit(context, &(struct lst_object_part){.number = part.number,
                                                    .first = part.first,
                                                    .size = part.end - part.first,
                                                    .fields = row.fields,
                                                    .field_count = row.field_count});
}

int lst_object_parts(struct lst_object *object, uint32_t from,
                     int (*visit)(void *context, const struct lst_object_part *part), void *context)
{
    uint32_t count = lst_row_parts_count(object->parts);
    int status = LST_OK;

    for (uint32_t i = from; i < count && status == LST_OK; i++) {
        status = show_object_part(object, lst_row_parts_at(object->parts, i), visit, context);
    }
    return status;
}
