/* reclaim.h - inside the check of a store: what it finds that can be deleted. */
#ifndef LST_STORE_RECLAIM_H
#define LST_STORE_RECLAIM_H

#include "store/check.h"

enum lst_reclaim_kind {
    LST_RECLAIM_BLOB,   /* of a blob's row: no object has the blob */
    LST_RECLAIM_UPLOAD, /* of parts of no object and no upload, without their number */
    LST_RECLAIM_ROW,    /* of a damaged row that says what can be deleted */
    LST_RECLAIM_FILE,   /* of none: a blob that has no row */
};

struct lst_reclaim_item {
    enum lst_reclaim_kind kind;
    uint64_t partition;
    struct lst_slice name; /* in reclaim->names */
    struct lst_blob_id id; /* of a file */
};

struct lst_reclaim {
    struct lst_reclaim_item *items;
    size_t count;
    size_t capacity;
    struct lst_changes names; /* memory for them */
};

/* All zero is an empty one. Free all. */
void lst_reclaim_release(struct lst_reclaim *reclaim);

/* Names are copied. */
LST_MUST_CHECK int lst_reclaim_add_row(struct lst_reclaim *reclaim, enum lst_reclaim_kind kind,
                                       uint64_t partition, struct lst_slice name);
LST_MUST_CHECK int lst_reclaim_add_file(struct lst_reclaim *reclaim, struct lst_blob_id id);

#endif
