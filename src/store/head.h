/*
 * head.h - the current version of a key (its head), and what becomes of it when another comes or
 * when it is deleted.
 *
 * Everything here is a step on the way to a batch: it reads, and adds to the changes what the batch
 * requires of what was read, so that of two who change the same key at the same time one gets a
 * conflict and reads again. Since every new version changes the head, and a version that
 * is not current is only ever touched by who requires its stamp, no version is lost, and the head
 * is always the newest.
 */
#ifndef LST_STORE_HEAD_H
#define LST_STORE_HEAD_H

#include "store/state.h"

/* Where a key is changed. */
struct lst_key_place {
    struct lst_store *store;
    struct lst_index_reader *reader;
    uint64_t partition;
    struct lst_slice key; /* 1 to LST_STORE_KEY_MAX bytes */
};

/* The state of the bucket in the range that has this route (lst_row_name_route(); empty: the
 * bucket's own). For one who only reads. LST_ERR_BUCKET_NOT_FOUND: it is gone. */
LST_MUST_CHECK int lst_head_read_any_state(struct lst_index_reader *reader, uint64_t partition,
                                           struct lst_slice route,
                                           struct lst_bucket_state *ret_state);
/* For one who writes. LST_ERR_BUCKET_NOT_FOUND: it is gone, or being deleted. */
LST_MUST_CHECK int lst_head_read_state(struct lst_index_reader *reader, uint64_t partition,
                                       struct lst_slice route, struct lst_bucket_state *ret_state);
/* The same two, of the range that has this key. */
LST_MUST_CHECK int lst_head_read_key_state(const struct lst_key_place *place, bool writes,
                                           struct lst_bucket_state *ret_state);
void lst_head_require_state(struct lst_changes *changes, const struct lst_bucket_state *state);

/* A version that was found. */
struct lst_found_row {
    char kind; /* of its row: LST_ROW_OBJECT, _MARKER (the current one) or _VERSION; 0: none */
    struct lst_slice value;     /* of its row, valid as long as the reader */
    struct lst_version version; /* of a damaged row what it says, or all 0 */
    uint64_t size;              /* of its body, likewise */
    bool is_damaged;            /* the value is the stamp alone, as lst_changes_read() gives it */
};
/* Of a row of this name. LST_ERR_NOT_FOUND, failures to read; a damaged row is found. */
LST_MUST_CHECK int lst_found_row_read(struct lst_index_reader *reader, uint64_t partition,
                                      const struct lst_row_name *name,
                                      struct lst_found_row *ret_found);
/* What a reading of the index gave: LST_OK, or LST_ERR_CORRUPT with a value. */
struct lst_found_row lst_found_row_make(char kind, int status, struct lst_slice value);
/* The name of its row. */
void lst_found_row_name(const struct lst_found_row *found, struct lst_slice key,
                        struct lst_row_name *ret_name);

/* The current version. ret_head->kind is 0 if the key has none. */
LST_MUST_CHECK int lst_head_read(const struct lst_key_place *place, struct lst_found_row *ret_head);
/* Whether it still is the current one: what was read of the key's other versions since then belongs
 * to it. LST_ERR_CONFLICT: no. */
LST_MUST_CHECK int lst_head_confirm(const struct lst_key_place *place,
                                    const struct lst_found_row *head);
/* The version, whether current or not; of random 0: the null version. Kind 0: there is none.
 * LST_ERR_CONFLICT: nobody knows, because the key has another head by now (a version becomes
 * current when those before it are deleted); begin again, with that one. */
LST_MUST_CHECK int lst_version_read(const struct lst_key_place *place,
                                    const struct lst_found_row *head, struct lst_version version,
                                    struct lst_found_row *ret_found);

/* LST_ERR_PRECONDITION, LST_ERR_KEY_NOT_FOUND (if_match, and there is no object). */
LST_MUST_CHECK int lst_head_check(const struct lst_found_row *head,
                                  const struct lst_write_condition *condition);
/* Whether its ETag is this one; "*" is any object's. A delete marker has none. */
bool lst_found_row_matches(const struct lst_found_row *found, struct lst_slice etag);

/* ---- Steps that a batch is made of */

/* Require that the version (of kind 0: none) is still there, as it is. */
void lst_head_require(struct lst_changes *changes, const struct lst_key_place *place,
                      const struct lst_found_row *found);
/* Remove the head, or move it to the versions that are not current. Its row is deleted unless it is
 * of the kind of the one to come (0: none will), which replaces it. */
void lst_head_drop(struct lst_changes *changes, const struct lst_key_place *place,
                   const struct lst_found_row *head, char next_kind);
void lst_head_move(struct lst_changes *changes, const struct lst_key_place *place,
                   const struct lst_found_row *head, char next_kind);
/* Remove a version that is not current; requires it. */
void lst_version_drop(struct lst_changes *changes, const struct lst_key_place *place,
                      const struct lst_found_row *found);
/* Make a version that is not current the head, a row of this kind; requires it. */
void lst_version_promote(struct lst_changes *changes, const struct lst_key_place *place,
                         const struct lst_found_row *found, char kind);
/* Find the null version among those that are not current, and remove it. */
LST_MUST_CHECK int lst_version_drop_null(struct lst_changes *changes,
                                         const struct lst_key_place *place);

/* Make way for a new head, of this kind: remove or move the old one, as the versioning asks. */
LST_MUST_CHECK int lst_head_retire(struct lst_changes *changes, const struct lst_key_place *place,
                                   enum lst_versioning versioning, const struct lst_found_row *head,
                                   char next_kind);

/* A version for a new head of the key; of random 0 unless versioning is enabled. */
struct lst_version lst_head_new_version(struct lst_store *store, enum lst_versioning versioning,
                                        const struct lst_found_row *head);

/*
 * All that a new current version of the key, an object, asks of a batch but the putting of its row
 * (LST_ROW_OBJECT) and of what belongs to its body: requires the state and the head, checks the
 * condition, moves or removes what was current. *ret_id: the version's id, if it is shown.
 * LST_ERR_BUCKET_NOT_FOUND, codes of lst_head_check(), failures to read.
 */
LST_MUST_CHECK int lst_head_replace(struct lst_changes *changes, const struct lst_key_place *place,
                                    const struct lst_write_condition *condition,
                                    struct lst_version *ret_version, struct lst_version_id *ret_id);

#endif
