/* ledger_sweep.c - removing the rows of ids that have expired. */
#include "gate/ledger_state.h"

/* How long after it expired an id with an open use goes too: nobody will settle that any more. */
static const int64_t abandoned_ms = (int64_t)7 * 24 * 60 * 60 * 1000;

enum { IDS_MAX = 64 }; /* of one batch */

/* A sweep on its way: where in the order of expiry it stands. */
struct sweep {
    struct lst_index_reader *reader;
    struct lst_ledger_changes changes;
    int64_t now_ms;
    struct lst_ledger_key position; /* the next expiry row to look at */
    size_t id_count;                /* in this batch */
    bool at_end;
};

/* Delete the rows whose keys are kind, name, 0 and something. Gives how many. */
static int delete_rows(struct sweep *sweep, enum lst_ledger_row_kind kind, struct lst_slice name,
                       size_t *ret_count)
{
    struct lst_ledger_key start;
    struct lst_slice prefix;
    struct lst_slice key;
    struct lst_slice row;
    size_t count = 0;
    int status;

    lst_ledger_row_key(kind, name, 0, &start);
    prefix = lst_slice_first(lst_ledger_key_slice(&start), 1 + name.length + 1);
    status = lst_index_seek(sweep->reader, LST_LEDGER_PARTITION, prefix, &key, &row);
    while (status == LST_OK && lst_slice_starts_with(key, prefix)) {
        status = lst_ledger_changes_add(&sweep->changes, LST_INDEX_DELETE, key, LST_SLICE(""));
        count++;
        if (status == LST_OK) {
            status = lst_index_next(sweep->reader, &key, &row);
        }
    }
    *ret_count = count;
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

static int delete_id(struct sweep *sweep, struct lst_slice name,
                     const struct lst_ledger_state *state)
{
    struct lst_ledger_key key;
    size_t count;
    int status = delete_rows(sweep, LST_LEDGER_ROW_USE, name, &count);

    if (status == LST_OK && state->generation != 0) {
        lst_ledger_row_key(LST_LEDGER_ROW_REVOKED, LST_SLICE(""), state->generation, &key);
        status = lst_ledger_changes_add(&sweep->changes, LST_INDEX_DELETE,
                                        lst_ledger_key_slice(&key), LST_SLICE(""));
    }
    if (status == LST_OK) {
        status = lst_ledger_changes_state(&sweep->changes, name, state, NULL);
    }
    return status;
}

/* Look at one id that expired at that time. */
static int sweep_id(struct sweep *sweep, struct lst_slice name, int64_t expires_ms)
{
    size_t count = sweep->changes.count;
    struct lst_ledger_state state;
    size_t open_uses;
    int status = lst_ledger_state_get(sweep->reader, name, &state);

    if (status != LST_OK || state.summary.expires_ms != expires_ms) {
        return status == LST_OK || status == LST_ERR_NOT_FOUND ? LST_ERR_CORRUPT : status;
    }
    status = delete_rows(sweep, LST_LEDGER_ROW_OPEN, name, &open_uses);
    if (status == LST_OK && open_uses > 0 && expires_ms > sweep->now_ms - abandoned_ms) {
        lst_ledger_changes_cut(&sweep->changes, count);
        return LST_OK;
    }
    sweep->id_count++;
    return status == LST_OK ? delete_id(sweep, name, &state) : status;
}

/* Find the next expiry row. LST_ERR_NOT_FOUND: there is none that is old enough. */
static int next_expired(struct sweep *sweep, struct lst_ledger_key *ret_name,
                        int64_t *ret_expires_ms)
{
    struct lst_slice key;
    struct lst_slice row;
    uint64_t expires_ms;
    int status = lst_index_seek(sweep->reader, LST_LEDGER_PARTITION,
                                lst_ledger_key_slice(&sweep->position), &key, &row);

    if (status != LST_OK) {
        return status;
    }
    if (key.bytes[0] != LST_LEDGER_ROW_EXPIRY) {
        return LST_ERR_NOT_FOUND;
    }
    if (key.length <= 1 + 8 || key.length > 1 + 8 + LST_LEDGER_NAME_MAX) {
        return LST_ERR_CORRUPT;
    }
    expires_ms = lst_ledger_number_read(key.bytes + 1);
    if (sweep->now_ms < LST_LEDGER_GRACE_MS ||
        expires_ms > (uint64_t)(sweep->now_ms - LST_LEDGER_GRACE_MS)) {
        return LST_ERR_NOT_FOUND;
    }
    ret_name->length = key.length - 9;
    memcpy(ret_name->bytes, key.bytes + 9, ret_name->length);
    *ret_expires_ms = (int64_t)expires_ms;
    /* The row behind this one: its key and a byte 0 is the smallest that is larger. */
    memcpy(sweep->position.bytes, key.bytes, key.length);
    sweep->position.bytes[key.length] = '\0';
    sweep->position.length = key.length + 1;
    return LST_OK;
}

static int collect(struct sweep *sweep)
{
    struct lst_ledger_key name;
    int64_t expires_ms;
    int status = LST_OK;

    sweep->id_count = 0;
    while (status == LST_OK && sweep->id_count < IDS_MAX) {
        status = next_expired(sweep, &name, &expires_ms);
        if (status == LST_OK) {
            status = sweep_id(sweep, lst_ledger_key_slice(&name), expires_ms);
        }
    }
    sweep->at_end = status == LST_ERR_NOT_FOUND;
    return sweep->at_end ? LST_OK : status;
}

static int sweep_batch(struct lst_ledger *ledger, struct sweep *sweep)
{
    int status = lst_index_read_begin(ledger->index, &sweep->reader);

    if (status != LST_OK) {
        return status;
    }
    status = collect(sweep);
    lst_index_read_end(sweep->reader);
    if (status == LST_OK && sweep->changes.count > 0) {
        status = lst_index_apply(ledger->index, LST_LEDGER_PARTITION, sweep->changes.items,
                                 sweep->changes.count);
    }
    lst_ledger_changes_release(&sweep->changes);
    /* An id of this batch was used in between: the others are found again by the next sweep. */
    return lst_ledger_must_repeat(status) ? LST_OK : status;
}

int lst_ledger_sweep(struct lst_ledger *ledger, int64_t now_ms)
{
    struct sweep sweep = {.now_ms = now_ms};
    int status = LST_OK;

    lst_ledger_row_key(LST_LEDGER_ROW_EXPIRY, LST_SLICE(""), 0, &sweep.position);
    while (status == LST_OK && !sweep.at_end) {
        status = sweep_batch(ledger, &sweep);
    }
    return status;
}
