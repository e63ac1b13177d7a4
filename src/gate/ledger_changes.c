/* ledger_changes.c - a batch of the ledger in the making. */
#include "gate/ledger_state.h"

#include "base/random.h"

#include <stdlib.h>

static int make_room(struct lst_ledger_changes *changes)
{
    size_t capacity = changes->capacity == 0 ? 16 : 2 * changes->capacity;
    struct lst_index_change *items;
    char **blocks;

    if (changes->count < changes->capacity) {
        return LST_OK;
    }
    items = reallocarray(changes->items, capacity, sizeof(*items));
    if (items == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    changes->items = items;
    blocks = reallocarray(changes->blocks, capacity, sizeof(*blocks));
    if (blocks == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    changes->blocks = blocks;
    changes->capacity = capacity;
    return LST_OK;
}

int lst_ledger_changes_add(struct lst_ledger_changes *changes, enum lst_index_change_kind kind,
                           struct lst_slice key, struct lst_slice value)
{
    char *block;
    int status = make_room(changes);

    if (status != LST_OK) {
        return status;
    }
    block = malloc(key.length + value.length);
    if (block == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    memcpy(block, key.bytes, key.length);
    if (value.length > 0) {
        memcpy(block + key.length, value.bytes, value.length);
    }
    changes->blocks[changes->count] = block;
    changes->items[changes->count++] =
        (struct lst_index_change){.kind = kind,
                                  .key = lst_slice_make(block, key.length),
                                  .value = lst_slice_make(block + key.length, value.length)};
    return LST_OK;
}

void lst_ledger_changes_cut(struct lst_ledger_changes *changes, size_t count)
{
    while (changes->count > count) {
        free(changes->blocks[--changes->count]);
    }
}

void lst_ledger_changes_release(struct lst_ledger_changes *changes)
{
    lst_ledger_changes_cut(changes, 0);
    free(changes->items);
    free(changes->blocks);
    *changes = (struct lst_ledger_changes){.count = 0};
}

static int add_of_others(struct lst_ledger_changes *changes, enum lst_index_change_kind kind,
                         struct lst_slice key, struct lst_slice value)
{
    if (key.length == 0 || key.bytes[0] < 'a' || key.bytes[0] > 'z') {
        return LST_ERR_INVALID_ARGUMENT;
    }
    if (key.length > LST_INDEX_KEY_MAX || value.length > LST_INDEX_VALUE_MAX) {
        return LST_ERR_TOO_LARGE;
    }
    return lst_ledger_changes_add(changes, kind, key, value);
}

int lst_ledger_changes_put(struct lst_ledger_changes *changes, struct lst_slice key,
                           struct lst_slice value)
{
    return add_of_others(changes, LST_INDEX_PUT, key, value);
}

int lst_ledger_changes_delete(struct lst_ledger_changes *changes, struct lst_slice key)
{
    return add_of_others(changes, LST_INDEX_DELETE, key, LST_SLICE(""));
}

int lst_ledger_changes_require(struct lst_ledger_changes *changes, struct lst_slice key)
{
    return add_of_others(changes, LST_INDEX_REQUIRE_PRESENT, key, LST_SLICE(""));
}

static int change_expiry(struct lst_ledger_changes *changes, struct lst_slice name, int64_t old_ms,
                         int64_t new_ms)
{
    struct lst_ledger_key key;
    int status = LST_OK;

    if (old_ms > 0 && old_ms != new_ms) {
        lst_ledger_row_key(LST_LEDGER_ROW_EXPIRY, name, (uint64_t)old_ms, &key);
        status = lst_ledger_changes_add(changes, LST_INDEX_DELETE, lst_ledger_key_slice(&key),
                                        LST_SLICE(""));
    }
    if (status == LST_OK && new_ms > 0 && old_ms != new_ms) {
        lst_ledger_row_key(LST_LEDGER_ROW_EXPIRY, name, (uint64_t)new_ms, &key);
        status = lst_ledger_changes_add(changes, LST_INDEX_PUT, lst_ledger_key_slice(&key),
                                        LST_SLICE(""));
    }
    return status;
}

int lst_ledger_changes_state(struct lst_ledger_changes *changes, struct lst_slice name,
                             const struct lst_ledger_state *old_state,
                             struct lst_ledger_state *new_state)
{
    char bytes[LST_LEDGER_STATE_LENGTH];
    struct lst_ledger_key row;
    struct lst_slice key;
    int status;

    lst_ledger_row_key(LST_LEDGER_ROW_ID, name, 0, &row);
    key = lst_ledger_key_slice(&row);
    if (old_state == NULL) {
        status = lst_ledger_changes_add(changes, LST_INDEX_REQUIRE_ABSENT, key, LST_SLICE(""));
    } else {
        lst_ledger_number_write(old_state->revision, bytes);
        status = lst_ledger_changes_add(changes, LST_INDEX_REQUIRE_PREFIX, key,
                                        lst_slice_make(bytes, 8));
    }
    if (status == LST_OK && new_state != NULL) {
        lst_random_bytes(&new_state->revision, sizeof(new_state->revision));
        lst_ledger_state_write(new_state, bytes);
        status = lst_ledger_changes_add(changes, LST_INDEX_PUT, key,
                                        lst_slice_make(bytes, sizeof(bytes)));
    } else if (status == LST_OK) {
        status = lst_ledger_changes_add(changes, LST_INDEX_DELETE, key, LST_SLICE(""));
    }
    if (status == LST_OK) {
        status = change_expiry(changes, name, old_state == NULL ? 0 : old_state->summary.expires_ms,
                               new_state == NULL ? 0 : new_state->summary.expires_ms);
    }
    return status;
}

int lst_ledger_state_get(struct lst_index_reader *reader, struct lst_slice name,
                         struct lst_ledger_state *ret_state)
{
    struct lst_ledger_key key;
    struct lst_slice row;
    int status;

    lst_ledger_row_key(LST_LEDGER_ROW_ID, name, 0, &key);
    status = lst_index_get(reader, LST_LEDGER_PARTITION, lst_ledger_key_slice(&key), &row);
    return status == LST_OK ? lst_ledger_state_read(row, ret_state) : status;
}

int lst_ledger_forgotten_get(struct lst_index_reader *reader, int64_t *ret_ms)
{
    static const char key = LST_LEDGER_ROW_FORGOTTEN;
    struct lst_slice row;
    int status = lst_index_get(reader, LST_LEDGER_PARTITION, lst_slice_make(&key, 1), &row);

    if (status == LST_ERR_NOT_FOUND) {
        *ret_ms = 0;
        return LST_OK;
    }
    if (status != LST_OK) {
        return status;
    }
    if (row.length != 8 || lst_ledger_number_read(row.bytes) > INT64_MAX) {
        return LST_ERR_CORRUPT;
    }
    *ret_ms = (int64_t)lst_ledger_number_read(row.bytes);
    return LST_OK;
}

int64_t lst_ledger_later(int64_t a_ms, int64_t b_ms)
{
    if (a_ms <= 0 || b_ms <= 0) {
        return 0;
    }
    return a_ms > b_ms ? a_ms : b_ms;
}
