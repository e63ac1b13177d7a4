/* ledger_sweep.c - removing the rows of ids that have expired. */
#include "gate/ledger_state.h"

/* How long after it expired an id with an open use goes too: nobody will settle that any more. */
static const int64_t abandoned_ms = (int64_t)7 * 24 * 60 * 60 * 1000;

enum {
    IDS_MAX = 64,            /* of one batch */
    BATCHES_ABOVE_MAX = 100, /* of one sweep */
};

/* A sweep on its way: where in the order of expiry it stands. */
struct sweep {
    struct lst_index_reader *reader;
    struct lst_ledger_changes changes;
    int64_t now_ms;
    int64_t life_ms;      /* the longest of a URL; 0: not known */
    int64_t forgotten_ms; /* see lst_ledger_forgotten_get(); with this batch */
    bool found_corrupt;
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

static bool is_counted_or_revoked(const struct lst_ledger_state *state)
{
    return state->summary.limit > 0 || state->generation != 0;
}

/* When the id was last used or revoked, as far ahead as a URL of that moment may be dated. */
static int64_t last_dated_ms(const struct lst_ledger_state *state)
{
    const struct lst_ledger_summary *summary = &state->summary;
    int64_t last_ms =
        summary->last_ms > summary->revoked_ms ? summary->last_ms : summary->revoked_ms;

    return last_ms > INT64_MAX - LST_LEDGER_SKEW_MS ? INT64_MAX : last_ms + LST_LEDGER_SKEW_MS;
}

/* Until when any URL may live that was signed before the id was last used; 0: for ever. */
static int64_t kept_until_ms(const struct sweep *sweep, const struct lst_ledger_state *state)
{
    int64_t last_ms = last_dated_ms(state);

    return sweep->life_ms == 0 || last_ms > INT64_MAX - sweep->life_ms ? 0
                                                                       : last_ms + sweep->life_ms;
}

static int delete_id(struct sweep *sweep, struct lst_slice name,
                     const struct lst_ledger_state *state)
{
    struct lst_ledger_key key;
    int status = LST_OK;

    if (state->generation != 0) {
        lst_ledger_row_key(LST_LEDGER_ROW_REVOKED, LST_SLICE(""), state->generation, &key);
        status = lst_ledger_changes_add(&sweep->changes, LST_INDEX_DELETE,
                                        lst_ledger_key_slice(&key), LST_SLICE(""));
    }
    if (status == LST_OK) {
        status = lst_ledger_changes_state(&sweep->changes, name, state, NULL);
    }
    if (is_counted_or_revoked(state) && last_dated_ms(state) > sweep->forgotten_ms) {
        sweep->forgotten_ms = last_dated_ms(state);
    }
    return status;
}

/* Other URLs with this id may still be valid: keep its count, without the record of its uses. */
static int extend_id(struct sweep *sweep, struct lst_slice name,
                     const struct lst_ledger_state *state, int64_t until_ms)
{
    struct lst_ledger_state kept = *state;

    kept.recorded = 0;
    kept.summary.expires_ms = until_ms;
    return lst_ledger_changes_state(&sweep->changes, name, state, &kept);
}

/*
 * An expiry row whose id has none or expires at another time: a stray. It goes, if the id's row is
 * still as it was read.
 */
static int delete_stray(struct sweep *sweep, struct lst_slice name, int64_t expires_ms,
                        const struct lst_ledger_state *state)
{
    char revision[8];
    struct lst_ledger_key key;
    int status;

    lst_ledger_row_key(LST_LEDGER_ROW_ID, name, 0, &key);
    if (state == NULL) {
        status = lst_ledger_changes_add(&sweep->changes, LST_INDEX_REQUIRE_ABSENT,
                                        lst_ledger_key_slice(&key), LST_SLICE(""));
    } else {
        lst_ledger_number_write(state->revision, revision);
        status = lst_ledger_changes_add(&sweep->changes, LST_INDEX_REQUIRE_PREFIX,
                                        lst_ledger_key_slice(&key),
                                        lst_slice_make(revision, sizeof(revision)));
    }
    lst_ledger_row_key(LST_LEDGER_ROW_EXPIRY, name, (uint64_t)expires_ms, &key);
    if (status == LST_OK) {
        status = lst_ledger_changes_add(&sweep->changes, LST_INDEX_DELETE,
                                        lst_ledger_key_slice(&key), LST_SLICE(""));
    }
    return status;
}

/* Its row, and the record of its uses; the count of an id may have to be kept for longer. */
static int remove_id(struct sweep *sweep, struct lst_slice name,
                     const struct lst_ledger_state *state)
{
    int64_t until_ms = kept_until_ms(sweep, state);
    bool is_kept = is_counted_or_revoked(state) &&
                   (until_ms == 0 || until_ms > sweep->now_ms - LST_LEDGER_GRACE_MS);
    size_t count;
    int status = delete_rows(sweep, LST_LEDGER_ROW_USE, name, &count);

    if (status != LST_OK) {
        return status;
    }
    return is_kept ? extend_id(sweep, name, state, until_ms) : delete_id(sweep, name, state);
}

/* Look at one id that expired at that time. */
static int sweep_id(struct sweep *sweep, struct lst_slice name, int64_t expires_ms)
{
    size_t count = sweep->changes.count;
    struct lst_ledger_state state;
    size_t open_uses;
    int status = lst_ledger_state_get(sweep->reader, name, &state);

    if (status == LST_ERR_NOT_FOUND) {
        sweep->id_count++;
        return delete_stray(sweep, name, expires_ms, NULL);
    }
    if (status == LST_OK && state.summary.expires_ms != expires_ms) {
        sweep->id_count++;
        return delete_stray(sweep, name, expires_ms, &state);
    }
    if (status == LST_OK && sweep->life_ms == 0 && is_counted_or_revoked(&state)) {
        return LST_OK; /* how long it is to be kept is not known here */
    }
    if (status == LST_OK) {
        status = delete_rows(sweep, LST_LEDGER_ROW_OPEN, name, &open_uses);
    }
    if (status == LST_OK && open_uses > 0 && expires_ms > sweep->now_ms - abandoned_ms) {
        lst_ledger_changes_cut(&sweep->changes, count);
        return LST_OK;
    }
    sweep->id_count++;
    return status == LST_OK ? remove_id(sweep, name, &state) : status;
}

/* The row behind this one: its key and a byte 0 is the smallest that is larger. Behind a key that
 * is too long for the position: the smallest that does not begin as that one does. */
static void go_behind(struct sweep *sweep, struct lst_slice key)
{
    size_t length = key.length < LST_LEDGER_KEY_MAX ? key.length : LST_LEDGER_KEY_MAX;
    char *bytes = sweep->position.bytes;

    memcpy(bytes, key.bytes, length);
    if (length < LST_LEDGER_KEY_MAX) {
        bytes[length++] = '\0';
    } else {
        while ((uint8_t)bytes[length - 1] == 0xFF) { /* the first, the row's kind, is none */
            length--;
        }
        bytes[length - 1]++;
    }
    sweep->position.length = length;
}

/* Find the next expiry row. LST_ERR_NOT_FOUND: there is none that is old enough. LST_ERR_MALFORMED:
 * it names nothing; the next call goes on behind it. */
static int next_expired(struct sweep *sweep, struct lst_ledger_key *ret_name,
                        int64_t *ret_expires_ms)
{
    struct lst_slice key;
    struct lst_slice row;
    uint64_t expires_ms;
    int status = lst_index_seek(sweep->reader, LST_LEDGER_PARTITION,
                                lst_ledger_key_slice(&sweep->position), &key, &row);

    if (status != LST_OK && !lst_index_is_damaged_row(status, key)) {
        return status;
    }
    if (key.bytes[0] != LST_LEDGER_ROW_EXPIRY) {
        return LST_ERR_NOT_FOUND;
    }
    go_behind(sweep, key);
    if (status != LST_OK || key.length <= 1 + 8 || key.length > 1 + 8 + LST_LEDGER_NAME_MAX) {
        return LST_ERR_MALFORMED;
    }
    expires_ms = lst_ledger_number_read(key.bytes + 1);
    if (sweep->now_ms < LST_LEDGER_GRACE_MS ||
        expires_ms > (uint64_t)(sweep->now_ms - LST_LEDGER_GRACE_MS)) {
        return LST_ERR_NOT_FOUND;
    }
    ret_name->length = key.length - 9;
    memcpy(ret_name->bytes, key.bytes + 9, ret_name->length);
    *ret_expires_ms = (int64_t)expires_ms;
    return LST_OK;
}

static int collect(struct sweep *sweep)
{
    struct lst_ledger_key name;
    int64_t expires_ms;
    int status = LST_OK;

    sweep->id_count = 0;
    while (status == LST_OK && sweep->id_count < IDS_MAX) {
        size_t count = sweep->changes.count;

        status = next_expired(sweep, &name, &expires_ms);
        if (status == LST_OK) {
            status = sweep_id(sweep, lst_ledger_key_slice(&name), expires_ms);
            status = status == LST_ERR_CORRUPT ? LST_ERR_MALFORMED : status;
        }
        /* One bad row must not keep all others for ever. (Of a damaged page, where there is no next
         * row to be found, the sweep ends.) */
        if (status == LST_ERR_MALFORMED) {
            lst_ledger_changes_cut(&sweep->changes, count);
            sweep->found_corrupt = true;
            sweep->id_count++;
            status = LST_OK;
        }
    }
    sweep->at_end = status == LST_ERR_NOT_FOUND;
    return sweep->at_end ? LST_OK : status;
}

/* Note up to when counts are forgotten, if that has changed from before_ms. */
static int note_forgotten(struct sweep *sweep, int64_t before_ms)
{
    static const char row = LST_LEDGER_ROW_FORGOTTEN;
    struct lst_slice key = lst_slice_make(&row, 1);
    char before[8];
    char after[8];
    int status;

    if (sweep->forgotten_ms == before_ms) {
        return LST_OK;
    }
    lst_ledger_number_write((uint64_t)before_ms, before);
    lst_ledger_number_write((uint64_t)sweep->forgotten_ms, after);
    status = lst_ledger_changes_add(
        &sweep->changes, before_ms == 0 ? LST_INDEX_REQUIRE_ABSENT : LST_INDEX_REQUIRE_PREFIX, key,
        lst_slice_make(before, sizeof(before)));
    if (status == LST_OK) {
        status = lst_ledger_changes_add(&sweep->changes, LST_INDEX_PUT, key,
                                        lst_slice_make(after, sizeof(after)));
    }
    return status;
}

static int apply(struct lst_ledger *ledger, struct lst_ledger_changes *changes)
{
    int status = LST_OK;

    if (changes->count > 0) {
        status =
            lst_index_apply(ledger->index, LST_LEDGER_PARTITION, changes->items, changes->count);
    }
    lst_ledger_changes_release(changes);
    /* A row of this batch changed in between: the others are found again by the next sweep. */
    return lst_ledger_must_repeat(status) ? LST_OK : status;
}

static int sweep_batch(struct lst_ledger *ledger, struct sweep *sweep)
{
    int64_t before_ms = 0;
    int status = lst_index_read_begin(ledger->index, &sweep->reader);

    if (status != LST_OK) {
        return status;
    }
    status = lst_ledger_forgotten_get(sweep->reader, &before_ms);
    sweep->forgotten_ms = before_ms;
    if (status == LST_OK) {
        status = collect(sweep);
    }
    lst_index_read_end(sweep->reader);
    if (status == LST_OK) {
        status = note_forgotten(sweep, before_ms);
    }
    if (status != LST_OK) {
        lst_ledger_changes_release(&sweep->changes);
        return status;
    }
    return apply(ledger, &sweep->changes);
}

/* What the layers above have kept. */
static int sweep_above(struct lst_ledger *ledger, int64_t now_ms)
{
    struct lst_ledger_changes changes = {.count = 0};
    bool at_end = false;
    int status = LST_OK;

    for (int i = 0; i < BATCHES_ABOVE_MAX && !at_end && status == LST_OK; i++) {
        /* The hook may be taken away between two batches. */
        pthread_mutex_lock(&ledger->hook_lock);
        if (ledger->hook.sweep != NULL) {
            status = ledger->hook.sweep(ledger->hook.context, now_ms, &changes);
        }
        pthread_mutex_unlock(&ledger->hook_lock);
        at_end = changes.count == 0;
        if (status == LST_OK) {
            status = apply(ledger, &changes);
        }
    }
    lst_ledger_changes_release(&changes);
    return status;
}

int lst_ledger_sweep(struct lst_ledger *ledger, int64_t now_ms)
{
    struct sweep sweep = {.now_ms = now_ms, .life_ms = atomic_load(&ledger->life_ms)};
    int status = LST_OK;
    int above;

    lst_ledger_row_key(LST_LEDGER_ROW_EXPIRY, LST_SLICE(""), 0, &sweep.position);
    while (status == LST_OK && !sweep.at_end) {
        status = sweep_batch(ledger, &sweep);
    }
    above = sweep_above(ledger, now_ms);
    if (status == LST_OK && sweep.found_corrupt) {
        status = LST_ERR_CORRUPT;
    }
    return status == LST_OK ? above : status;
}
