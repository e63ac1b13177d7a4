/* ledger_round.c - what waits at the ledger, decided and written as one batch. */
#include "gate/ledger_state.h"

#include "base/clock.h"

#include <stdlib.h>

/* An id that this batch is about: its row as it was read, and as it will be. */
struct entry {
    struct lst_ledger_key name;
    int status; /* LST_ERR_NOT_FOUND: there is no row yet */
    bool is_changed;
    struct lst_ledger_state old_state;
    struct lst_ledger_state state;
};

enum { SLOTS = 4 * LST_LEDGER_ROUND_MAX }; /* twice the entries that there can be */

struct work {
    struct lst_ledger *ledger;
    struct lst_ledger_round *round;
    struct lst_index_reader *reader;
    struct lst_ledger_changes changes;
    struct entry *entries; /* 2 * LST_LEDGER_ROUND_MAX */
    size_t entry_count;
    uint16_t slots[SLOTS]; /* numbers of entries, from 1 on, by the hash of their names; 0: free */
    bool has_more;         /* the hook added something */
    int64_t forgotten_ms;
};

/* Where an id's entry is noted, or is to be (FNV-1a). Whoever chooses ids so that they meet in one
 * slot gains no more than a batch in which each is compared with all. */
static uint16_t *find_slot(struct work *work, struct lst_slice name)
{
    uint64_t hash = 14695981039346656037U;
    size_t at;

    for (size_t i = 0; i < name.length; i++) {
        hash = (hash ^ (uint8_t)name.bytes[i]) * 1099511628211U;
    }
    at = (size_t)(hash >> 32) % SLOTS;
    while (work->slots[at] != 0 &&
           !lst_slice_equal(lst_ledger_key_slice(&work->entries[work->slots[at] - 1].name), name)) {
        at = (at + 1) % SLOTS;
    }
    return &work->slots[at];
}

static struct entry *find_entry(struct work *work, const struct lst_use *use)
{
    struct lst_ledger_key name;
    struct entry *entry;
    uint16_t *slot;

    lst_ledger_name(use->user, use->id, &name);
    slot = find_slot(work, lst_ledger_key_slice(&name));
    if (*slot != 0) {
        return &work->entries[*slot - 1];
    }
    entry = &work->entries[work->entry_count++];
    *slot = (uint16_t)work->entry_count;
    *entry = (struct entry){.name = name};
    entry->status =
        lst_ledger_state_get(work->reader, lst_ledger_key_slice(&name), &entry->old_state);
    if (entry->status == LST_OK) {
        entry->state = entry->old_state;
    }
    return entry;
}

static bool is_usable(const struct entry *entry)
{
    return entry->status == LST_OK || entry->status == LST_ERR_NOT_FOUND;
}

/* Note in an id's state that it is used. */
static void touch(struct entry *entry, const struct lst_use *use)
{
    struct lst_ledger_summary *summary = &entry->state.summary;
    bool is_new = entry->status == LST_ERR_NOT_FOUND && !entry->is_changed;

    summary->expires_ms =
        is_new ? use->expires_ms : lst_ledger_later(summary->expires_ms, use->expires_ms);
    if (summary->first_ms == 0) {
        summary->first_ms = use->now_ms;
    }
    if (summary->last_ms < use->now_ms) {
        summary->last_ms = use->now_ms;
    }
    if (use->limit > 0) {
        summary->limit = use->limit;
    }
    entry->is_changed = true;
}

static int add_use_row(struct work *work, enum lst_ledger_row_kind kind, const struct entry *entry,
                       uint64_t number, const struct lst_use_outcome *outcome, uint64_t order)
{
    char row[LST_LEDGER_USE_MAX];
    size_t length = lst_ledger_use_write(outcome, order, row);
    struct lst_ledger_key key;

    lst_ledger_row_key(kind, lst_ledger_key_slice(&entry->name), number, &key);
    return lst_ledger_changes_add(&work->changes, LST_INDEX_PUT, lst_ledger_key_slice(&key),
                                  lst_slice_make(row, length));
}

/* ---- Reservations */

static int reserve(struct work *work, struct lst_reservation *reservation)
{
    struct entry *entry = find_entry(work, &reservation->use);
    struct lst_use_outcome outcome = {.use = reservation->use};
    uint64_t used = entry->state.summary.used;
    int status = LST_OK;

    reservation->used = 0;
    if (!is_usable(entry)) {
        return entry->status;
    }
    if (entry->state.summary.revoked_ms != 0) {
        return LST_ERR_CLOSED;
    }
    if (reservation->use.signed_ms != 0 && reservation->use.signed_ms <= work->forgotten_ms) {
        return LST_REFUSED_EXPIRED;
    }
    if (reservation->use.limit > 0 && used >= reservation->use.limit) {
        reservation->used = used;
        return LST_ERR_TOO_LARGE;
    }
    outcome.sequence = entry->state.sequence + 1;
    lst_ledger_use_cut(&outcome);
    if (reservation->use.is_write) {
        status = add_use_row(work, LST_LEDGER_ROW_OPEN, entry, outcome.sequence, &outcome, 0);
    }
    if (status != LST_OK) {
        return status;
    }
    touch(entry, &outcome.use);
    entry->state.sequence = outcome.sequence;
    if (reservation->use.limit > 0) {
        reservation->used = ++entry->state.summary.used;
    }
    reservation->sequence = outcome.sequence;
    return LST_OK;
}

/* ---- Settlements */

static bool is_success(int http_status)
{
    return http_status >= 200 && http_status <= 299;
}

/* Whether an earlier settlement of this batch is of the same reservation. */
static bool is_settled_before(const struct work *work, const struct lst_settlement *settlement)
{
    const struct lst_settlement *other = work->round->settlements;

    while (other != settlement &&
           !(other->outcome.sequence == settlement->outcome.sequence && other->is_written &&
             lst_slice_equal(other->outcome.use.id, settlement->outcome.use.id) &&
             lst_slice_equal(other->outcome.use.user, settlement->outcome.use.user))) {
        other = other->next;
    }
    return other != settlement;
}

/* Remove the open row of a reserved write. LST_ERR_NOT_FOUND: it is settled already. */
static int close_use(struct work *work, const struct entry *entry,
                     const struct lst_settlement *settlement)
{
    struct lst_ledger_key key;
    struct lst_slice row;
    int status;

    lst_ledger_row_key(LST_LEDGER_ROW_OPEN, lst_ledger_key_slice(&entry->name),
                       settlement->outcome.sequence, &key);
    status = lst_index_get(work->reader, LST_LEDGER_PARTITION, lst_ledger_key_slice(&key), &row);
    if (status == LST_OK && is_settled_before(work, settlement)) {
        status = LST_ERR_NOT_FOUND;
    }
    if (status != LST_OK) {
        return status;
    }
    return lst_ledger_changes_add(&work->changes, LST_INDEX_DELETE, lst_ledger_key_slice(&key),
                                  LST_SLICE(""));
}

static void count_outcome(struct entry *entry, const struct lst_use_outcome *outcome)
{
    struct lst_ledger_summary *summary = &entry->state.summary;
    bool is_counted = outcome->sequence != 0 && outcome->use.limit > 0;

    touch(entry, &outcome->use);
    entry->state.recorded++;
    if (is_success(outcome->http_status)) {
        summary->succeeded++;
        summary->bytes += outcome->size;
    } else {
        summary->failed++;
        if (is_counted && outcome->http_status != 0 && summary->used > 0) {
            summary->used--;
        }
    }
}

static int settle(struct work *work, struct lst_settlement *settlement)
{
    const struct lst_use_outcome *outcome = &settlement->outcome;
    const struct lst_ledger_hook *hook = &work->ledger->hook;
    struct entry *entry = find_entry(work, &outcome->use);
    uint64_t order = entry->state.recorded;
    size_t count;
    int status = LST_OK;

    if (!is_usable(entry) || (outcome->sequence != 0 && entry->status != LST_OK)) {
        return entry->status;
    }
    if (outcome->sequence != 0 && outcome->use.is_write) {
        status = close_use(work, entry, settlement);
    }
    if (status == LST_OK) {
        status = add_use_row(work, LST_LEDGER_ROW_USE, entry, order % LST_LEDGER_USES_MAX, outcome,
                             order);
    }
    count = work->changes.count;
    if (status == LST_OK && hook->settled != NULL) {
        status = hook->settled(hook->context, outcome, &work->changes);
    }
    if (status == LST_OK) {
        work->has_more = work->has_more || work->changes.count > count;
        count_outcome(entry, outcome);
    }
    return status;
}

/* ---- The batch */

static void decide(struct work *work)
{
    struct lst_settlement *settlement = work->round->settlements;
    struct lst_reservation *reservation = work->round->reservations;

    /* First what may give uses back. */
    for (; settlement != NULL; settlement = settlement->next) {
        size_t count = work->changes.count;
        settlement->status = settle(work, settlement);
        settlement->is_written = settlement->status == LST_OK;
        if (!settlement->is_written) {
            lst_ledger_changes_cut(&work->changes, count);
        }
    }
    for (size_t i = 0; reservation != NULL; i++, reservation = reservation->next) {
        work->round->statuses[i] = reserve(work, reservation);
    }
}

/*
 * Decide, on rows that were read one after another. A sweep that came between them took rows away
 * and said up to when: whoever finds no row then must know, or a use that was spent would count
 * from none again. LST_ERR_CONFLICT: it has come between.
 */
static int decide_as_of_now(struct work *work)
{
    int64_t after_ms;
    int status = lst_ledger_forgotten_get(work->reader, &work->forgotten_ms);

    if (status != LST_OK) {
        return status;
    }
    decide(work);
    status = lst_ledger_forgotten_get(work->reader, &after_ms);
    return status == LST_OK && after_ms != work->forgotten_ms ? LST_ERR_CONFLICT : status;
}

static int write_once(struct work *work)
{
    int status = lst_index_read_begin(work->ledger->index, &work->reader);

    if (status != LST_OK) {
        return status;
    }
    lst_index_read_strictly(work->reader); /* what is not found has not been used */
    work->entry_count = 0;
    memset(work->slots, 0, sizeof(work->slots));
    work->has_more = false;
    status = decide_as_of_now(work);
    lst_index_read_end(work->reader);
    for (size_t i = 0; i < work->entry_count && status == LST_OK; i++) {
        struct entry *entry = &work->entries[i];
        if (entry->is_changed) {
            status = lst_ledger_changes_state(&work->changes, lst_ledger_key_slice(&entry->name),
                                              entry->status == LST_OK ? &entry->old_state : NULL,
                                              &entry->state);
        }
    }
    if (status == LST_OK && work->changes.count > 0) {
        status = lst_index_apply(work->ledger->index, LST_LEDGER_PARTITION, work->changes.items,
                                 work->changes.count);
    }
    return status;
}

/* The batch as a whole has failed: nothing that it was to write has happened, or, with
 * LST_ERR_UNKNOWN, perhaps all of it. A reservation is then refused and stays as it is: spent, if
 * it was written. What becomes of a settlement see lst_ledger_settle(). */
static void fail_all(struct lst_ledger_round *round, int status)
{
    for (size_t i = 0; i < round->reservation_count; i++) {
        round->statuses[i] = status;
    }
    for (struct lst_settlement *settlement = round->settlements; settlement != NULL;
         settlement = settlement->next) {
        settlement->is_written = false;
        settlement->status = status;
    }
}

void lst_ledger_round_write(struct lst_ledger *ledger, struct lst_ledger_round *round)
{
    struct work work = {.ledger = ledger, .round = round};
    int status = LST_ERR_CONFLICT;

    work.entries =
        calloc(round->reservation_count + round->settlement_count, sizeof(*work.entries));
    if (work.entries == NULL) {
        fail_all(round, LST_ERR_NO_MEMORY);
        return;
    }
    pthread_mutex_lock(&ledger->hook_lock);
    for (int i = 0; i < LST_LEDGER_REPEATS_MAX && lst_ledger_must_repeat(status); i++) {
        lst_ledger_changes_cut(&work.changes, 0);
        status = write_once(&work);
    }
    if (status != LST_OK) {
        /* Others were always faster: whichever row it was, another try may do. */
        fail_all(round, lst_ledger_must_repeat(status) ? LST_ERR_CONFLICT : status);
    } else if (work.has_more && ledger->hook.written != NULL) {
        ledger->hook.written(ledger->hook.context);
    }
    pthread_mutex_unlock(&ledger->hook_lock);
    lst_ledger_changes_release(&work.changes);
    free(work.entries);
}
