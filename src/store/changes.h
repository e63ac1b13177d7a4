/*
 * changes.h - a batch being put together: the changes, and the memory for the keys and values that
 * they point to.
 *
 * Like a buffer, it remembers that memory ran out; lst_changes_status() says so at the end.
 */
#ifndef LST_STORE_CHANGES_H
#define LST_STORE_CHANGES_H

#include "index/index.h"
#include "store/row.h"

struct lst_changes_block;

struct lst_changes {
    struct lst_index_change *list;
    size_t count;
    size_t capacity;
    struct lst_changes_block *blocks;
    struct lst_usage usage; /* by how much the batch changes that of its bucket */
    int status;
};

/* All zero is an empty one. Free all; it is empty then. */
void lst_changes_release(struct lst_changes *changes);

/* A copy that lives as long as the changes. */
struct lst_slice lst_changes_copy(struct lst_changes *changes, struct lst_slice slice);

/* Copy the key; borrow the value, which must live as long as the changes. Gives the copy. */
struct lst_slice lst_changes_add(struct lst_changes *changes, enum lst_index_change_kind kind,
                                 struct lst_slice key, struct lst_slice value);
/* Of a row whose name ends with the key. */
void lst_changes_add_row(struct lst_changes *changes, enum lst_index_change_kind kind, char row,
                         struct lst_slice key, struct lst_slice value);
/* Of a row that is a range's own. */
void lst_changes_add_own(struct lst_changes *changes, enum lst_index_change_kind kind, char row,
                         struct lst_slice value);
void lst_changes_add_upload(struct lst_changes *changes, enum lst_index_change_kind kind, char row,
                            struct lst_slice key, struct lst_slice upload_id);
void lst_changes_add_blob(struct lst_changes *changes, enum lst_index_change_kind kind, char row,
                          struct lst_slice key, struct lst_blob_id id, struct lst_slice value);

/*
 * The value of a row that is to be replaced or deleted. Of one that is damaged only its stamp is
 * given: enough to require it by, and no decoder takes it for a row. So what is damaged can be
 * written anew and deleted, and nothing else can be done with it. Codes of lst_index_get().
 */
LST_MUST_CHECK int lst_changes_read(struct lst_index_reader *reader, uint64_t partition,
                                    struct lst_slice name, struct lst_slice *ret_value);

/* Require that a row is still the one that has this value, by its stamp. */
void lst_changes_require_value(struct lst_changes *changes, struct lst_slice name,
                               struct lst_slice value);

/* A row that is to be changed or deleted: if one of a later version says that it may not be
 * (LST_SECTION_STAYS), or nobody knows, the changes get the status LST_ERR_FORMAT. */
void lst_changes_check_row(struct lst_changes *changes, struct lst_slice value);

/* Let go of the body of an object or part of the key, whose row has this value: its blob gets a
 * garbage row, its parts are left (LST_ROW_LEFT). Inline bodies are gone with their row.
 * Checks the row. */
void lst_changes_let_go(struct lst_changes *changes, struct lst_slice key, struct lst_slice value);

/*
 * Require that a row of an object or part of the key be still as it is now, and let go of its
 * body: for one who deletes or replaces the row. *ret_exists: there is such a row. Any status but 0
 * is a failure to read.
 */
LST_MUST_CHECK int lst_changes_release_row(struct lst_changes *changes,
                                           struct lst_index_reader *reader, uint64_t partition,
                                           struct lst_slice key, struct lst_slice name,
                                           bool *ret_exists);

/* Note that the batch adds (times = 1) or removes (-1) a row that counts (lst_usage_add_row()). A
 * row that is replaced by one of its kind is removed, and the other one added. */
void lst_changes_count(struct lst_changes *changes, char kind, uint64_t size, int64_t times);

/* The last step: add the change of the bucket's usage, if there is any. Gives the status. */
LST_MUST_CHECK int lst_changes_close(struct lst_changes *changes);

/* To which range its rows belong. */
struct lst_slice lst_changes_route(const struct lst_changes *changes);

LST_MUST_CHECK int lst_changes_status(const struct lst_changes *changes);

#endif
