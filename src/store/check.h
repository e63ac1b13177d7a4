/* check.h - inside the check of a store: what its two halves, rows and blobs, share. */
#ifndef LST_STORE_CHECK_H
#define LST_STORE_CHECK_H

#include "store/state.h"

/* The blobs that rows name; sorted when it is looked into. */
struct lst_blob_list {
    struct lst_blob_id *ids;
    size_t count;
    size_t capacity;
};
LST_MUST_CHECK int lst_blob_list_add(struct lst_blob_list *list, struct lst_blob_id id);
void lst_blob_list_sort(struct lst_blob_list *list);
bool lst_blob_list_has(const struct lst_blob_list *list, struct lst_blob_id id);

struct lst_check {
    struct lst_store *store;
    void (*report)(void *context, const struct lst_store_fault *fault);
    void *context;
    struct lst_store_census census;
    struct lst_blob_list known; /* of all blob and garbage rows */

    /* The bucket and the row that are looked at; copies, so that no snapshot is kept for long. */
    uint64_t partition;
    struct lst_slice bucket;
    char bucket_name[LST_BUCKET_NAME_MAX];
    struct lst_buffer row_name;
    struct lst_buffer row_value;
};

void lst_check_report(struct lst_check *check, struct lst_slice key, const char *text);

/* Hold an object's body against its row. Any status but 0 ends the check. */
LST_MUST_CHECK int lst_check_body(struct lst_check *check, struct lst_slice key,
                                  const struct lst_object_row *row);

/* Count the blobs that no row names. */
LST_MUST_CHECK int lst_check_orphans(struct lst_check *check);

#endif
