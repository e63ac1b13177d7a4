/* check.h - inside the check of a store: what its parts - rows, parts of objects, blobs - share. */
#ifndef LST_STORE_CHECK_H
#define LST_STORE_CHECK_H

#include "store/state.h"

/* Blobs; sorted when it is looked into. Ids of uploads, of as many bytes, are kept in such a list
 * as well. */
struct lst_blob_list {
    struct lst_blob_id *ids;
    size_t count;
    size_t capacity;
};
LST_MUST_CHECK int lst_blob_list_add(struct lst_blob_list *list, struct lst_blob_id id);
/* An upload's id, unless it is the last already. LST_ERR_CORRUPT: its length. */
LST_MUST_CHECK int lst_check_add_id(struct lst_blob_list *list, struct lst_slice upload_id);
void lst_blob_list_sort(struct lst_blob_list *list);
bool lst_blob_list_has(const struct lst_blob_list *list, struct lst_blob_id id);

/* The parts of one upload. */
struct lst_part_total {
    struct lst_blob_id upload;
    uint64_t count;
    uint64_t bytes;
};

/* A fault of a row, until it is certain. */
enum { LST_HELD_MAX = 4 };
struct lst_held_fault {
    const char *text;
    struct lst_row_name key; /* behind a byte for the kind */
};

struct lst_reclaim;

struct lst_check {
    struct lst_store *store;
    struct lst_reclaim *reclaim; /* what can be deleted is put here, and not reported; or NULL */
    void (*report)(void *context, const struct lst_store_fault *fault);
    void *context;
    struct lst_store_census census;
    /* Called with the bytes of bodies that were read; false: end with LST_ERR_ENDING. NULL: none.
     */
    bool (*spend)(void *context, uint64_t bytes);
    void *spend_context;
    struct lst_blob_list known; /* of all blob and garbage rows */

    /* Of the bucket that is looked at: who refers to parts, and whose parts there are. */
    struct lst_blob_list uploads;
    struct lst_blob_list parts;
    struct lst_blob_list unfinished; /* uploads in progress, and those that were given up */
    struct lst_part_total *totals;   /* of each upload in `parts`, in the same order */
    /* Blobs that have a row, and those that a row of an object or a part refers to. Held against
     * each other at the end: to look for each blob among the versions of its key would take as long
     * as the square of their number. */
    struct lst_blob_list blobs;
    struct lst_blob_list used;

    bool is_quiet;   /* what is wrong was reported */
    bool is_holding; /* what is wrong is not certain yet */
    struct lst_held_fault held[LST_HELD_MAX];
    size_t held_count;

    struct lst_lost **lost; /* what damaged pages of the index had */
    size_t lost_count;
    size_t damaged_long_count; /* rows that were reported, of keys that are longer than one row's */
    bool is_astray;            /* the next row could not be found */

    /* Copies of the bucket and the row that are looked at. */
    uint64_t partition;
    bool has_partition; /* it is known */
    bool is_of_later;   /* the bucket's row is of a later version, and so it is not */
    struct lst_slice bucket;
    char bucket_name[LST_BUCKET_NAME_MAX];
    struct lst_row_name misplaced; /* the last damaged row whose name had changed */
    struct lst_buffer row_name;
    struct lst_buffer row_value;
    struct lst_buffer part_value;
};

void lst_check_init(struct lst_check *check, struct lst_store *store,
                    void (*report)(void *context, const struct lst_store_fault *fault),
                    void *context);
void lst_check_release(struct lst_check *check);
/* All of the store. */
LST_MUST_CHECK int lst_check_run(struct lst_check *check);

/* Go on to the bucket behind the one that was last, or to the first. */
LST_MUST_CHECK int lst_check_next_bucket(struct lst_check *check, bool *ret_is_there);
/* Check the first row of the bucket that is not before row_name, and go on behind it. row_value is
 * what it said. LST_ERR_NOT_FOUND: there is none. */
LST_MUST_CHECK int lst_check_step(struct lst_check *check);

void lst_check_report(struct lst_check *check, struct lst_slice key, const char *text);
#define LST_CHECK_LATER                                                                            \
    "a later version of Latchstring wrote it, with something that this one does not know: use "    \
    "that "                                                                                        \
    "version, or a newer one"
/* Of a row that could not be decoded, with this status, or makes no sense: the text if it is
 * damaged. */
void lst_check_report_row(struct lst_check *check, struct lst_slice key, int status,
                          const char *text);
/* Of the index as a whole: no bucket and no key are named. */
void lst_check_report_file(struct lst_check *check, const char *text);

/* The object key in the name of a row, as far as it can be told, or nothing. */
struct lst_slice lst_check_key_of(struct lst_slice name, struct lst_key_room *room);

/* Look at the pages of the index, and keep what is lost with them. */
LST_MUST_CHECK int lst_check_pages(struct lst_check *check);
void lst_check_free_pages(struct lst_check *check);
/* Report what is lost of the bucket that is looked at; when all of it was seen, the damaged rows
 * that were not; and, at the end, what is of no bucket. */
void lst_check_report_pages(struct lst_check *check);
void lst_check_report_unseen(struct lst_check *check);
void lst_check_report_other_pages(struct lst_check *check);
/* Of a damaged row that stands where it does not belong: report it under the name that it had
 * before one bit changed. False: that is not known. */
bool lst_check_report_meant(struct lst_check *check, struct lst_slice name);
extern const char lst_check_misplaced_text[];
/* The damaged row of this name was reported. */
void lst_check_see_damaged(struct lst_check *check, struct lst_slice name);
/* When the way to the row behind row_name is lost: set row_name to where it goes on.
 * LST_ERR_NOT_FOUND: in this bucket it does not. */
LST_MUST_CHECK int lst_check_pass_pages(struct lst_check *check);

/* A row of the bucket. One that is damaged is reported where it stands; what it says is given. */
LST_MUST_CHECK int lst_check_get(const struct lst_check *check, struct lst_index_reader *reader,
                                 const struct lst_row_name *name, struct lst_slice *ret_value);

/* Hold one row against others. What they lack is a fault only if the row is still the same
 * afterwards. */
LST_MUST_CHECK int lst_check_row(struct lst_check *check, struct lst_index_reader *reader,
                                 struct lst_slice name, struct lst_slice value);

/* Whether the blob's row is there and names this row, of this key, as its owner. */
LST_MUST_CHECK int lst_check_blob_row(const struct lst_check *check,
                                      struct lst_index_reader *reader, struct lst_slice key,
                                      struct lst_slice name, struct lst_blob_id blob,
                                      bool *ret_has);

/* Hold an object that has parts against their rows. */
LST_MUST_CHECK int lst_check_object_parts(struct lst_check *check, struct lst_index_reader *reader,
                                          struct lst_slice key, const struct lst_object_row *row);
/* A part's own row. */
LST_MUST_CHECK int lst_check_part_row(struct lst_check *check, struct lst_index_reader *reader,
                                      struct lst_slice name, struct lst_slice value);
/* Hold the bodies of all parts of an object or an upload against their rows. */
LST_MUST_CHECK int lst_check_part_bodies(struct lst_check *check, struct lst_slice key,
                                         struct lst_slice upload_id);
/* At the end of a bucket: rows of blobs that no object has. */
LST_MUST_CHECK int lst_check_unused_blobs(struct lst_check *check);
/* At the end of a bucket: parts that are of no object and of no upload; count those of uploads. */
LST_MUST_CHECK int lst_check_stray_parts(struct lst_check *check);

/* What is wrong with the body of an object or part, which has no parts; NULL: nothing. */
LST_MUST_CHECK int lst_check_find_fault(struct lst_check *check, const struct lst_object_row *row,
                                        const char **ret_text);
/* Hold the body of an object, whose row has this name, against it. */
LST_MUST_CHECK int lst_check_body(struct lst_check *check, struct lst_slice key,
                                  struct lst_slice row_name, const struct lst_object_row *row);

/* Count the blobs that no row names. */
LST_MUST_CHECK int lst_check_orphans(struct lst_check *check);

#endif
