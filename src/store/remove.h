/* remove.h - inside the store: what deleting does to one key. */
#ifndef LST_STORE_REMOVE_H
#define LST_STORE_REMOVE_H

#include "store/head.h"

/* All deletions of one call that are of one key. */
struct lst_key_removal {
    struct lst_key_place place;
    struct lst_bucket_state state;
    struct lst_changes *changes;
    struct lst_deletion **deletions;
    size_t count;

    /* For lst_key_remove(). The memory is used for one key after another; free it at the end. */
    uint64_t *dropped; /* orders of the versions, not current, that this batch removes */
    size_t dropped_count;
    size_t dropped_capacity;
    bool drops_head;
};

/*
 * Add to the changes what the deletions ask for, and fill in what becomes of each: first the
 * versions that are named, then, if an object is to be deleted, that. A key without a version that
 * is current gets the newest that is left, and after that, if it must be, its delete marker. The
 * bucket's state must have been required.
 */
LST_MUST_CHECK int lst_key_remove(struct lst_key_removal *removal);

#endif
