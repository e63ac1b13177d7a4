/* link_sweep.c - forgetting links that have long expired. */
#include "api/link.h"

enum {
    OWNER_ROW_MAX = 2 + LST_BEARER_ID_MAX + LST_LINK_ID_LENGTH,
    LOOKED_AT_MAX = 5000, /* in one call: the row of a link that lives for years is met again */
    FORGOTTEN_MAX = 200,  /* in one batch */
};

struct sweep {
    int64_t now;
    struct lst_ledger_changes *more;
    size_t forgotten;
};

static int forget(struct sweep *sweep, struct lst_slice key, const struct lst_link *link)
{
    char owner_key[OWNER_ROW_MAX] = "o";
    size_t length = 1;
    int status = lst_ledger_changes_delete(sweep->more, key);

    sweep->forgotten++;
    if (status != LST_OK || link->owner.length > LST_BEARER_ID_MAX) {
        return status;
    }
    memcpy(owner_key + length, link->owner.bytes, link->owner.length);
    length += link->owner.length;
    owner_key[length++] = '\0';
    memcpy(owner_key + length, link->id, LST_LINK_ID_LENGTH);
    length += LST_LINK_ID_LENGTH;
    return lst_ledger_changes_delete(sweep->more, lst_slice_make(owner_key, length));
}

/* A row that is no link stays: somebody should look at it. */
static int look_at(struct sweep *sweep, struct lst_slice key, struct lst_slice row)
{
    struct lst_link link;
    int status = lst_link_read(&link, lst_slice_after(key, 1), row);

    if (status != LST_OK) {
        return status == LST_ERR_CORRUPT ? LST_OK : status;
    }
    if (link.expires < sweep->now - LST_LINK_KEPT_SECONDS) {
        status = forget(sweep, key, &link);
    }
    lst_link_release(&link);
    return status;
}

int lst_link_sweep(struct lst_index *index, int64_t now, char position[LST_LINK_ID_LENGTH + 1],
                   struct lst_ledger_changes *more)
{
    struct sweep sweep = {.now = now, .more = more};
    char start[1 + LST_LINK_ID_LENGTH] = "l";
    struct lst_index_reader *reader;
    struct lst_slice key;
    struct lst_slice row;
    size_t count = 0;
    int status = lst_index_read_begin(index, &reader);

    if (status != LST_OK) {
        return status;
    }
    memcpy(start + 1, position, strlen(position));
    status = lst_index_seek(reader, LST_LEDGER_PARTITION,
                            lst_slice_make(start, 1 + strlen(position)), &key, &row);
    for (; (status == LST_OK || lst_index_is_damaged_row(status, key)) && key.bytes[0] == 'l' &&
           count < LOOKED_AT_MAX && sweep.forgotten < FORGOTTEN_MAX;
         count++) {
        bool is_link = key.length == sizeof(start);

        if (is_link) {
            memcpy(position, key.bytes + 1, LST_LINK_ID_LENGTH);
        }
        status = status == LST_OK && is_link ? look_at(&sweep, key, row) : LST_OK;
        if (status == LST_OK) {
            status = lst_index_next(reader, &key, &row);
        }
    }
    lst_index_read_end(reader);
    if (count < LOOKED_AT_MAX && sweep.forgotten < FORGOTTEN_MAX) {
        position[0] = '\0'; /* the last link was seen: again from the first */
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}
