/* parts.h - inside the store: finding uploads and the parts of uploads and objects. */
#ifndef LST_STORE_PARTS_H
#define LST_STORE_PARTS_H

#include "store/state.h"
#include "store/upload.h"

/* Where an upload in progress is. */
struct lst_upload_place {
    uint64_t partition;
    char id[LST_ROW_UPLOAD_ID_SIZE];
    struct lst_row_name row;
};
static inline struct lst_slice lst_upload_place_id(const struct lst_upload_place *place)
{
    return lst_slice_make(place->id, sizeof(place->id));
}

/* Where an upload of this id (of LST_ROW_UPLOAD_ID_SIZE bytes) and key is, or would be. */
void lst_upload_place_make(uint64_t partition, struct lst_slice key, struct lst_slice id,
                           struct lst_upload_place *ret_place);

/* A new id. They are in the order in which they were made. */
void lst_upload_id_make(struct lst_store *store, char ret_id[LST_ROW_UPLOAD_ID_SIZE]);

/* Look for an upload; its row's value, as lst_changes_read() gives it.
 * LST_ERR_UPLOAD_NOT_FOUND. */
LST_MUST_CHECK int lst_upload_read(struct lst_index_reader *reader,
                                   const struct lst_upload_place *place,
                                   struct lst_slice *ret_value);

/* Both, and a reader that must be ended. LST_ERR_BUCKET_NOT_FOUND, _UPLOAD_NOT_FOUND. */
LST_MUST_CHECK int lst_upload_find(struct lst_store *store, const struct lst_upload_name *name,
                                   struct lst_index_reader **ret_reader,
                                   struct lst_upload_place *ret_place, struct lst_slice *ret_value);

/* The row of a part. LST_ERR_NOT_FOUND, _CORRUPT. */
LST_MUST_CHECK int lst_part_read(struct lst_index_reader *reader, uint64_t partition,
                                 struct lst_slice key, struct lst_slice upload_id, uint32_t number,
                                 struct lst_object_row *ret_row);

/* Call visit() with the rows of an upload's parts whose number is above `after`, in order; a code
 * other than 0 ends it and is given back. Of a damaged row the value is as lst_changes_read() gives
 * it. */
LST_MUST_CHECK int lst_part_each(struct lst_index_reader *reader, uint64_t partition,
                                 struct lst_slice key, struct lst_slice upload_id, uint32_t after,
                                 int (*visit)(void *context, uint32_t number,
                                              struct lst_slice value),
                                 void *context);

/* Open the blob of a part, or of an object, and hold its size against the row's. LST_ERR_NOT_FOUND,
 * _CORRUPT (it is another), _TOO_MANY_FILES, _IO, _NO_MEMORY. */
LST_MUST_CHECK int lst_body_open(struct lst_store *store, struct lst_blob_id id, uint64_t size,
                                 struct lst_blob_reader **ret_blob);

#endif
