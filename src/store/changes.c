/* changes.c - a batch being put together. */
#include "store/changes.h"

#include "store/state.h"

#include <stdlib.h>

static const struct lst_slice nothing = {NULL, 0};

enum { BLOCK_SIZE = 1536, FIRST_CAPACITY = 8 };

struct lst_changes_block {
    struct lst_changes_block *next;
    size_t used;
    size_t capacity;
    char bytes[];
};

void lst_changes_release(struct lst_changes *changes)
{
    while (changes->blocks != NULL) {
        struct lst_changes_block *next = changes->blocks->next;
        free(changes->blocks);
        changes->blocks = next;
    }
    free(changes->list);
    *changes = (struct lst_changes){0};
}

static char *allocate(struct lst_changes *changes, size_t size)
{
    struct lst_changes_block *block = changes->blocks;

    if (block == NULL || size > block->capacity - block->used) {
        size_t capacity = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        block = malloc(sizeof(*block) + capacity);
        if (block == NULL) {
            changes->status = LST_ERR_NO_MEMORY;
            return NULL;
        }
        block->next = changes->blocks;
        block->used = 0;
        block->capacity = capacity;
        changes->blocks = block;
    }
    block->used += size;
    return block->bytes + block->used - size;
}

struct lst_slice lst_changes_copy(struct lst_changes *changes, struct lst_slice slice)
{
    char *bytes = allocate(changes, slice.length);

    if (bytes == NULL || slice.length == 0) {
        return lst_slice_make(NULL, 0);
    }
    memcpy(bytes, slice.bytes, slice.length);
    return lst_slice_make(bytes, slice.length);
}

static struct lst_index_change *new_change(struct lst_changes *changes)
{
    if (changes->count == changes->capacity) {
        size_t capacity = changes->capacity == 0 ? FIRST_CAPACITY : 2 * changes->capacity;
        struct lst_index_change *list = realloc(changes->list, capacity * sizeof(*list));
        if (list == NULL) {
            changes->status = LST_ERR_NO_MEMORY;
            return NULL;
        }
        changes->list = list;
        changes->capacity = capacity;
    }
    return &changes->list[changes->count++];
}

/* Rows of objects, uploads and parts have a head. */
static size_t head_length(enum lst_index_change_kind kind, struct lst_slice key,
                          struct lst_slice value)
{
    static const char kinds[] = {LST_ROW_OBJECT, LST_ROW_MARKER, LST_ROW_VERSION, LST_ROW_UPLOAD,
                                 LST_ROW_PART};

    return kind == LST_INDEX_PUT && key.length > 0 &&
                   memchr(kinds, key.bytes[0], sizeof(kinds)) != NULL
               ? lst_object_row_head_length(value)
               : 0;
}

struct lst_slice lst_changes_add(struct lst_changes *changes, enum lst_index_change_kind kind,
                                 struct lst_slice key, struct lst_slice value)
{
    struct lst_slice copy = lst_changes_copy(changes, key);
    struct lst_index_change *change = new_change(changes);

    if (change != NULL) {
        *change = (struct lst_index_change){.kind = kind,
                                            .key = copy,
                                            .value = value,
                                            .head_length = head_length(kind, copy, value)};
    }
    return copy;
}

void lst_changes_add_row(struct lst_changes *changes, enum lst_index_change_kind kind, char row,
                         struct lst_slice key, struct lst_slice value)
{
    struct lst_row_name name;

    lst_row_name_make_escaped(&name, row, key);
    (void)lst_changes_add(changes, kind, lst_row_name_slice(&name), value);
}

void lst_changes_add_own(struct lst_changes *changes, enum lst_index_change_kind kind, char row,
                         struct lst_slice value)
{
    (void)lst_changes_add(changes, kind, lst_slice_make(&row, 1), value);
}

void lst_changes_add_upload(struct lst_changes *changes, enum lst_index_change_kind kind, char row,
                            struct lst_slice key, struct lst_slice upload_id)
{
    struct lst_row_name name;

    lst_row_name_make_upload(&name, row, key, upload_id);
    (void)lst_changes_add(changes, kind, lst_row_name_slice(&name), nothing);
}

void lst_changes_add_blob(struct lst_changes *changes, enum lst_index_change_kind kind, char row,
                          struct lst_slice key, struct lst_blob_id id, struct lst_slice value)
{
    struct lst_row_name name;

    lst_row_name_make_blob(&name, row, key, id);
    (void)lst_changes_add(changes, kind, lst_row_name_slice(&name), value);
}

int lst_changes_read(struct lst_index_reader *reader, uint64_t partition, struct lst_slice name,
                     struct lst_slice *ret_value)
{
    int status = lst_index_get(reader, partition, name, ret_value);

    if (status == LST_ERR_CORRUPT && ret_value->bytes != NULL) {
        *ret_value = lst_slice_first(*ret_value, LST_ROW_STAMP_SIZE);
        status = LST_OK;
    }
    return status;
}

int lst_store_walk(struct lst_index_reader *reader, struct lst_slice range, int status,
                   struct lst_slice *name, struct lst_slice *value)
{
    bool was_damaged = false;

    while (lst_index_is_damaged_row(status, *name) && !lst_slice_starts_with(*name, range)) {
        was_damaged = true;
        status = lst_index_next(reader, name, value);
    }
    if (status == LST_OK && !lst_slice_starts_with(*name, range)) {
        return LST_ERR_NOT_FOUND;
    }
    return status == LST_OK && was_damaged ? LST_ERR_CORRUPT : status;
}

void lst_changes_require_value(struct lst_changes *changes, struct lst_slice name,
                               struct lst_slice value)
{
    (void)lst_changes_add(changes, LST_INDEX_REQUIRE_PREFIX, name,
                          lst_changes_copy(changes, lst_slice_first(value, LST_ROW_STAMP_SIZE)));
}

static bool may_change(struct lst_changes *changes, int decoded, const struct lst_object_row *row)
{
    if (decoded == LST_ERR_FORMAT || (decoded == LST_OK && row->must_stay)) {
        changes->status = LST_ERR_FORMAT;
        return false;
    }
    return true;
}

void lst_changes_check_row(struct lst_changes *changes, struct lst_slice value)
{
    struct lst_object_row row;

    (void)may_change(changes, lst_object_row_decode(value, &row), &row);
}

void lst_changes_let_go(struct lst_changes *changes, struct lst_slice key, struct lst_slice value)
{
    struct lst_object_row row;
    int status = lst_object_row_decode(value, &row);

    /* A damaged row can be replaced and deleted; which blob it had, nobody knows. */
    if (!may_change(changes, status, &row) || status != LST_OK) {
        return;
    }
    if (row.blob.generation != 0) {
        lst_changes_add_blob(changes, LST_INDEX_DELETE, LST_ROW_BLOB, key, row.blob, nothing);
        lst_changes_add_blob(changes, LST_INDEX_PUT, LST_ROW_GARBAGE, key, row.blob, nothing);
    }
    if (row.parts.length > 0) {
        lst_changes_add_upload(changes, LST_INDEX_PUT, LST_ROW_LEFT, key,
                               lst_row_parts_upload(row.parts));
    }
}

int lst_changes_release_row(struct lst_changes *changes, struct lst_index_reader *reader,
                            uint64_t partition, struct lst_slice key, struct lst_slice name,
                            bool *ret_exists)
{
    struct lst_slice value;
    int status = lst_changes_read(reader, partition, name, &value);

    if (status == LST_ERR_NOT_FOUND) {
        (void)lst_changes_add(changes, LST_INDEX_REQUIRE_ABSENT, name, nothing);
        *ret_exists = false;
        return LST_OK;
    }
    if (status != LST_OK) {
        return status;
    }
    lst_changes_require_value(changes, name, value);
    lst_changes_let_go(changes, key, value);
    *ret_exists = true;
    return LST_OK;
}

void lst_changes_count(struct lst_changes *changes, char kind, uint64_t size, int64_t times)
{
    lst_usage_add_row(&changes->usage, kind, size, times);
    changes->usage.numbers[LST_USAGE_CHANGES] = 1;
}

int lst_changes_close(struct lst_changes *changes)
{
    char bytes[8 * LST_USAGE_COUNT];

    if (changes->usage.numbers[LST_USAGE_CHANGES] != 0) {
        lst_usage_encode(&changes->usage, bytes);
        lst_changes_add_own(changes, LST_INDEX_ADD, LST_ROW_USAGE,
                            lst_changes_copy(changes, lst_slice_make(bytes, sizeof(bytes))));
    }
    return changes->status;
}

struct lst_slice lst_changes_route(const struct lst_changes *changes)
{
    for (size_t i = 0; i < changes->count; i++) {
        if (changes->list[i].key.length > 1) {
            return lst_slice_after(changes->list[i].key, 1);
        }
    }
    return nothing;
}

int lst_changes_status(const struct lst_changes *changes)
{
    return changes->status;
}
