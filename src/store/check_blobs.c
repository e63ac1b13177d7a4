/* check_blobs.c - hold bodies against their MD5, and look for blobs that nobody refers to. */
#include "store/check.h"
#include "store/reclaim.h"

#include "base/encoding.h"

#include <nettle/md5.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    PIECE_SIZE = 256 * 1024,
    /* What a running server needs at most between a blob's seal and its row. */
    COMMIT_SECONDS = 2,
};

/* ---- A list of blobs */

static int compare_ids(const void *left, const void *right)
{
    const struct lst_blob_id *a = left;
    const struct lst_blob_id *b = right;

    if (a->generation != b->generation) {
        return a->generation < b->generation ? -1 : 1;
    }
    return a->number < b->number ? -1 : a->number > b->number;
}

int lst_blob_list_add(struct lst_blob_list *list, struct lst_blob_id id)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 1024 : 2 * list->capacity;
        struct lst_blob_id *ids = realloc(list->ids, capacity * sizeof(*ids));
        if (ids == NULL) {
            return LST_ERR_NO_MEMORY;
        }
        list->ids = ids;
        list->capacity = capacity;
    }
    list->ids[list->count++] = id;
    return LST_OK;
}

int lst_check_add_id(struct lst_blob_list *list, struct lst_slice upload_id)
{
    struct lst_blob_id id = {0};
    int status = lst_row_number_decode(lst_slice_first(upload_id, 8), &id.generation);

    if (status == LST_OK) {
        status = lst_row_number_decode(lst_slice_after(upload_id, 8), &id.number);
    }
    if (status != LST_OK) {
        return status;
    }
    if (list->count > 0 && compare_ids(&list->ids[list->count - 1], &id) == 0) {
        return LST_OK;
    }
    return lst_blob_list_add(list, id);
}

void lst_blob_list_sort(struct lst_blob_list *list)
{
    if (list->count > 0) {
        qsort(list->ids, list->count, sizeof(*list->ids), compare_ids);
    }
}

bool lst_blob_list_has(const struct lst_blob_list *list, struct lst_blob_id id)
{
    return list->count > 0 &&
           bsearch(&id, list->ids, list->count, sizeof(*list->ids), compare_ids) != NULL;
}

/* ---- Bodies */

static bool digest_is(struct md5_ctx *md5, struct lst_slice etag)
{
    uint8_t digest[MD5_DIGEST_SIZE];
    char text[2 * MD5_DIGEST_SIZE];

    md5_digest(md5, sizeof(digest), digest);
    lst_hex_encode(digest, sizeof(digest), text);
    return lst_slice_equal(lst_slice_make(text, sizeof(text)), etag);
}

static int hash_blob(const struct lst_check *check, struct lst_blob_reader *blob,
                     struct md5_ctx *md5)
{
    char *piece = malloc(PIECE_SIZE);
    uint64_t offset = 0;
    size_t length = 1;
    int status = LST_OK;

    if (piece == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    while (length > 0) {
        status = lst_blob_read(blob, offset, piece, PIECE_SIZE, &length);
        if (status != LST_OK) {
            break;
        }
        md5_update(md5, length, (const uint8_t *)piece);
        offset += length;
        if (check->spend != NULL && !check->spend(check->spend_context, length)) {
            status = LST_ERR_ENDING;
            break;
        }
    }
    free(piece);
    return status;
}

int lst_check_find_fault(struct lst_check *check, const struct lst_object_row *row,
                         const char **ret_text)
{
    struct lst_blob_reader *blob;
    struct md5_ctx md5;
    int status;

    *ret_text = NULL;
    md5_init(&md5);
    if (row->is_inline) {
        md5_update(&md5, row->body.length, (const uint8_t *)row->body.bytes);
        *ret_text = digest_is(&md5, row->etag) ? NULL : "the body does not match its MD5";
        return LST_OK;
    }
    status = lst_blob_open_once(check->store->blobs, row->blob, &blob);
    if (status == LST_ERR_NOT_FOUND) {
        *ret_text = "the body's blob is missing";
        return LST_OK;
    }
    if (status != LST_OK) {
        return status;
    }
    if (lst_blob_size(blob) != row->size) {
        *ret_text = "the body's blob has another size";
    } else {
        status = hash_blob(check, blob, &md5);
        if (status == LST_ERR_IO) {
            *ret_text = "the body can't be read";
            status = LST_OK;
        } else if (status == LST_OK && !digest_is(&md5, row->etag)) {
            *ret_text = "the body does not match its MD5";
        }
    }
    lst_blob_close(blob);
    return status;
}

/* Whether the row of this name is still the one that was read. */
static int is_still_there(struct lst_check *check, struct lst_slice row_name,
                          const struct lst_object_row *row, bool *ret_is)
{
    struct lst_index_reader *reader;
    struct lst_slice value;
    int status = lst_index_read_begin(check->store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = lst_index_get(reader, check->partition, row_name, &value);
    *ret_is = status == LST_OK &&
              lst_slice_starts_with(value, lst_slice_make(row->stamp, sizeof(row->stamp)));
    lst_index_read_end(reader);
    return status == LST_ERR_NOT_FOUND || status == LST_ERR_CORRUPT ? LST_OK : status;
}

int lst_check_body(struct lst_check *check, struct lst_slice key, struct lst_slice row_name,
                   const struct lst_object_row *row)
{
    bool is_there = false;
    const char *text;
    int status = lst_check_find_fault(check, row, &text);

    if (status != LST_OK || text == NULL) {
        return status;
    }
    status = is_still_there(check, row_name, row, &is_there);
    if (status == LST_OK && is_there) {
        lst_check_report(check, key, text);
    }
    return status;
}

/* ---- Orphans */

struct search {
    struct lst_check *check;
    struct lst_blob_list unknown;
};

static int add_unknown(void *context, struct lst_blob_id id, uint64_t size)
{
    struct search *search = context;

    (void)size;
    return lst_blob_list_has(&search->check->known, id) ? LST_OK
                                                        : lst_blob_list_add(&search->unknown, id);
}

/* Blobs that no row was seen to name, and the rows of all buckets. */
struct lookup {
    struct lst_store *store;
    struct lst_index_reader *reader;
    const struct lst_blob_list *unknown; /* sorted */
    bool *are_found;                     /* each of them */
    bool is_unknown;                     /* there are rows that can't be read */
};

static void find_in(struct lookup *lookup, struct lst_slice name)
{
    const struct lst_blob_list *list = lookup->unknown;
    const struct lst_blob_id *found;
    struct lst_key_room room;
    struct lst_slice key;
    struct lst_blob_id id;

    if (lst_row_name_split_blob(name, &room, &key, &id) == LST_OK) {
        found = bsearch(&id, list->ids, list->count, sizeof(*list->ids), compare_ids);
        if (found != NULL) {
            lookup->are_found[found - list->ids] = true;
        }
    }
}

/* A blob's row becomes a garbage row, and never the reverse. */
static int look_in_bucket(void *context, const struct lst_bucket_row *row)
{
    static const char kinds[] = {LST_ROW_BLOB, LST_ROW_GARBAGE};
    struct lookup *lookup = context;
    struct lst_slice name;
    struct lst_slice value;

    lookup->is_unknown = lookup->is_unknown || row->status != LST_OK; /* they may be in there */
    for (size_t i = 0; i < sizeof(kinds) && row->status == LST_OK; i++) {
        int status = lst_index_seek(lookup->reader, row->partition, lst_slice_make(&kinds[i], 1),
                                    &name, &value);
        while ((status == LST_OK || lst_index_is_damaged_row(status, name)) &&
               name.bytes[0] == kinds[i]) {
            find_in(lookup, name);
            status = lst_index_next(lookup->reader, &name, &value);
        }
        if (status == LST_ERR_CORRUPT && name.length == 0) {
            lookup->is_unknown = true;
        } else if (status != LST_OK && status != LST_ERR_NOT_FOUND && status != LST_ERR_CORRUPT) {
            return status;
        }
    }
    return LST_OK;
}

/* All rows of blobs are read once, for all of them: they stand in the order of the keys. */
static int look_in_all(struct lookup *lookup)
{
    struct lst_slice nothing = lst_slice_make(NULL, 0);
    struct lst_index_reader *buckets;
    int status = lst_index_read_begin(lookup->store->index, &buckets);

    if (status != LST_OK) {
        return status;
    }
    status = lst_index_read_begin(lookup->store->index, &lookup->reader);
    if (status == LST_OK) {
        status = lst_store_each_bucket(buckets, nothing, nothing, look_in_bucket, lookup);
        lst_index_read_end(lookup->reader);
    }
    lst_index_read_end(buckets);
    return status;
}

/* If it is still there. */
static int count_orphan(struct lst_check *check, struct lst_blob_id id)
{
    struct lst_blob_reader *blob;
    int status = lst_blob_open_once(check->store->blobs, id, &blob);

    if (status == LST_OK) {
        lst_blob_close(blob);
        check->census.orphan_blobs++;
        if (check->reclaim != NULL) {
            status = lst_reclaim_add_file(check->reclaim, id);
        }
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

static int count_orphans(struct lst_check *check, struct lst_blob_list *unknown)
{
    struct lookup lookup = {.store = check->store, .unknown = unknown};
    int status;

    lst_blob_list_sort(unknown);
    lookup.are_found = calloc(unknown->count, sizeof(*lookup.are_found));
    if (lookup.are_found == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    status = look_in_all(&lookup);
    for (size_t i = 0; i < unknown->count && status == LST_OK && !lookup.is_unknown; i++) {
        status = lookup.are_found[i] ? LST_OK : count_orphan(check, unknown->ids[i]);
    }
    free(lookup.are_found);
    return status;
}

int lst_check_orphans(struct lst_check *check)
{
    struct search search = {.check = check};
    int status;

    lst_blob_list_sort(&check->known);
    status = lst_blobs_walk(check->store->blobs, add_unknown, &search);
    if (check->store->read_only && search.unknown.count > 0) {
        /* A running server may be about to commit them. */
        (void)sleep(COMMIT_SECONDS);
    }
    if (status == LST_OK && search.unknown.count > 0) {
        status = count_orphans(check, &search.unknown);
    }
    free(search.unknown.ids);
    return status;
}
