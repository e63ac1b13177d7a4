/*
 * ledger_revoked.c - which ids are revoked, known without reading.
 *
 * Revocations are numbered rows. A filter in memory (Bloom, two bits an id) has all up to some
 * number; when the index has changed, the later ones are added. An id whose bits are not both set
 * is not revoked; else its row decides. If a revocation can't be read, nobody knows which id it
 * names: then the row of every id is asked.
 */
#include "gate/ledger_state.h"

#include "base/clock.h"

static void filter_bits(struct lst_slice name, uint32_t ret_bits[2])
{
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */

    for (size_t i = 0; i < name.length; i++) {
        hash = (hash ^ (uint8_t)name.bytes[i]) * 0x100000001b3;
    }
    ret_bits[0] = (uint32_t)(hash % LST_LEDGER_FILTER_BITS);
    ret_bits[1] = (uint32_t)((hash >> 32) % LST_LEDGER_FILTER_BITS);
}

static void filter_add(struct lst_ledger *ledger, struct lst_slice name)
{
    uint32_t bits[2];

    filter_bits(name, bits);
    for (size_t i = 0; i < 2; i++) {
        atomic_fetch_or_explicit(&ledger->filter[bits[i] / 64], 1ULL << (bits[i] % 64),
                                 memory_order_relaxed);
    }
}

static bool filter_may_have(struct lst_ledger *ledger, struct lst_slice name)
{
    uint32_t bits[2];
    bool both = true;

    filter_bits(name, bits);
    for (size_t i = 0; i < 2; i++) {
        uint64_t word = atomic_load_explicit(&ledger->filter[bits[i] / 64], memory_order_relaxed);
        both = both && (word >> (bits[i] % 64) & 1) != 0;
    }
    return both;
}

static int add_later_ones(struct lst_ledger *ledger, struct lst_index_reader *reader)
{
    struct lst_ledger_key start;
    struct lst_slice key;
    struct lst_slice name;
    int status;

    lst_ledger_row_key(LST_LEDGER_ROW_REVOKED, LST_SLICE(""), ledger->filter_generation + 1,
                       &start);
    if (ledger->filter_generation == 0) {
        /* From the row before the first: a first one whose key the disk changed is met then. */
        start = (struct lst_ledger_key){.length = 1, .bytes = {LST_LEDGER_ROW_GENERATION}};
    }
    status =
        lst_index_seek(reader, LST_LEDGER_PARTITION, lst_ledger_key_slice(&start), &key, &name);
    if (status == LST_OK && key.length == 1 && key.bytes[0] == LST_LEDGER_ROW_GENERATION) {
        status = lst_index_next(reader, &key, &name);
    }
    while ((status == LST_OK && key.bytes[0] == LST_LEDGER_ROW_REVOKED) ||
           lst_index_is_damaged_row(status, key)) {
        if (status == LST_OK && key.length == 1 + 8) {
            filter_add(ledger, name);
            ledger->filter_generation = lst_ledger_number_read(key.bytes + 1);
        } else { /* perhaps not even a revocation: its name may be damaged */
            atomic_store(&ledger->lacks_revocations, true);
        }
        status = lst_index_next(reader, &key, &name);
    }
    if (status == LST_ERR_CORRUPT) { /* a page: what is behind it is not known */
        atomic_store(&ledger->lacks_revocations, true);
    }
    return status == LST_ERR_NOT_FOUND || status == LST_ERR_CORRUPT ? LST_OK : status;
}

static int filter_update(struct lst_ledger *ledger)
{
    struct lst_index_reader *reader;
    uint64_t version;
    int64_t forgotten_ms = 0;
    int status = LST_OK;

    pthread_mutex_lock(&ledger->filter_lock);
    version = lst_index_version(ledger->index, LST_LEDGER_PARTITION);
    if (version != atomic_load(&ledger->filter_version)) {
        status = lst_index_read_begin(ledger->index, &reader);
        if (status == LST_OK) {
            status = add_later_ones(ledger, reader);
            if (status == LST_OK) {
                status = lst_ledger_forgotten_get(reader, &forgotten_ms);
            }
            lst_index_read_end(reader);
        }
        if (status == LST_OK) {
            atomic_store(&ledger->forgotten_ms, forgotten_ms);
            atomic_store(&ledger->filter_version, version);
        }
    }
    pthread_mutex_unlock(&ledger->filter_lock);
    return status;
}

int lst_ledger_check(struct lst_ledger *ledger, struct lst_slice user, struct lst_slice id,
                     int64_t signed_ms)
{
    struct lst_ledger_summary summary;
    struct lst_ledger_key name;
    int status = LST_OK;

    if (!lst_ledger_name_is_valid(user, id)) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    if (lst_index_version(ledger->index, LST_LEDGER_PARTITION) !=
        atomic_load(&ledger->filter_version)) {
        status = filter_update(ledger);
    }
    if (status == LST_OK && signed_ms != 0 && signed_ms <= atomic_load(&ledger->forgotten_ms)) {
        return LST_REFUSED_EXPIRED;
    }
    lst_ledger_name(user, id, &name);
    if (status != LST_OK || (!atomic_load(&ledger->lacks_revocations) &&
                             !filter_may_have(ledger, lst_ledger_key_slice(&name)))) {
        return status;
    }
    status = lst_ledger_find(ledger, user, id, &summary);
    if (status == LST_ERR_NOT_FOUND) {
        return LST_OK;
    }
    return status == LST_OK && summary.revoked_ms != 0 ? LST_ERR_CLOSED : status;
}

/* Read the number of the last revocation; 0 if there was none. */
static int read_generation(struct lst_index_reader *reader, uint64_t *ret_generation)
{
    static const char key = LST_LEDGER_ROW_GENERATION;
    struct lst_slice row;
    int status = lst_index_get(reader, LST_LEDGER_PARTITION, lst_slice_make(&key, 1), &row);

    if (status == LST_ERR_NOT_FOUND) {
        *ret_generation = 0;
        return LST_OK;
    }
    if (status == LST_OK && row.length != 8) {
        return LST_ERR_CORRUPT;
    }
    if (status == LST_OK) {
        *ret_generation = lst_ledger_number_read(row.bytes);
    }
    return status;
}

/* Add the row of the next revocation, which must be the next when it is written. */
static int add_revocation(struct lst_ledger_changes *changes, struct lst_slice name,
                          uint64_t generation)
{
    static const char counter = LST_LEDGER_ROW_GENERATION;
    struct lst_slice counter_key = lst_slice_make(&counter, 1);
    struct lst_ledger_key key;
    char old[8];
    char new[8];
    int status;

    lst_ledger_number_write(generation - 1, old);
    lst_ledger_number_write(generation, new);
    lst_ledger_row_key(LST_LEDGER_ROW_REVOKED, LST_SLICE(""), generation, &key);
    status = lst_ledger_changes_add(
        changes, generation == 1 ? LST_INDEX_REQUIRE_ABSENT : LST_INDEX_REQUIRE_PREFIX, counter_key,
        lst_slice_make(old, sizeof(old)));
    if (status == LST_OK) {
        status = lst_ledger_changes_add(changes, LST_INDEX_PUT, counter_key,
                                        lst_slice_make(new, sizeof(new)));
    }
    if (status == LST_OK) {
        status = lst_ledger_changes_add(changes, LST_INDEX_PUT, lst_ledger_key_slice(&key), name);
    }
    return status;
}

static int make_revocation(struct lst_index_reader *reader, struct lst_slice name,
                           int64_t expires_ms, struct lst_ledger_changes *changes)
{
    struct lst_ledger_state old_state;
    struct lst_ledger_state state = {.summary = {.expires_ms = expires_ms}};
    bool is_there;
    uint64_t generation;
    int status = lst_ledger_state_get(reader, name, &old_state);

    is_there = status == LST_OK;
    if (!is_there && status != LST_ERR_NOT_FOUND) {
        return status;
    }
    if (is_there) {
        state = old_state;
        state.summary.expires_ms = lst_ledger_later(old_state.summary.expires_ms, expires_ms);
        if (old_state.generation != 0 && state.summary.expires_ms == old_state.summary.expires_ms) {
            return LST_OK;
        }
    }
    if (state.generation == 0) {
        status = read_generation(reader, &generation);
        if (status == LST_OK) {
            state.generation = generation + 1;
            state.summary.revoked_ms = lst_clock_now_ms();
            status = add_revocation(changes, name, state.generation);
        }
    } else {
        status = LST_OK;
    }
    if (status == LST_OK) {
        status = lst_ledger_changes_state(changes, name, is_there ? &old_state : NULL, &state);
    }
    return status;
}

static int revoke_once(struct lst_ledger *ledger, struct lst_slice name, int64_t expires_ms)
{
    struct lst_ledger_changes changes = {.count = 0};
    struct lst_index_reader *reader;
    int status = lst_index_read_begin(ledger->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = make_revocation(reader, name, expires_ms, &changes);
    lst_index_read_end(reader);
    if (status == LST_OK && changes.count > 0) {
        status = lst_index_apply(ledger->index, LST_LEDGER_PARTITION, changes.items, changes.count);
    }
    lst_ledger_changes_release(&changes);
    return status;
}

int lst_ledger_revoke(struct lst_ledger *ledger, struct lst_slice user, struct lst_slice id,
                      int64_t expires_ms)
{
    struct lst_ledger_key name;
    int status = LST_ERR_CONFLICT;

    if (expires_ms < 0 || !lst_ledger_name_is_valid(user, id)) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    lst_ledger_name(user, id, &name);
    for (int i = 0; i < LST_LEDGER_REPEATS_MAX && lst_ledger_must_repeat(status); i++) {
        status = revoke_once(ledger, lst_ledger_key_slice(&name), expires_ms);
    }
    return status;
}
