/* ledger_row.c - the rows of the ledger as bytes, and back. */
#include "gate/ledger_row.h"

enum { FORMAT = 1, TEXTS = 7, STATUS_MAX = 999 };

bool lst_ledger_name_is_valid(struct lst_slice user, struct lst_slice id)
{
    if (id.bytes == NULL || id.length == 0 || id.length > LST_LEDGER_ID_MAX ||
        !lst_user_name_is_valid(user)) {
        return false;
    }
    for (size_t i = 0; i < id.length; i++) {
        if (id.bytes[i] <= ' ' || id.bytes[i] > '~') {
            return false;
        }
    }
    return true;
}

static void append(struct lst_ledger_key *key, struct lst_slice slice)
{
    if (slice.length > 0) {
        memcpy(key->bytes + key->length, slice.bytes, slice.length);
        key->length += slice.length;
    }
}

void lst_ledger_name(struct lst_slice user, struct lst_slice id, struct lst_ledger_key *ret_name)
{
    ret_name->length = 0;
    append(ret_name, user);
    append(ret_name, lst_slice_make("", 1));
    append(ret_name, id);
}

bool lst_ledger_name_split(struct lst_slice name, struct lst_slice *ret_user,
                           struct lst_slice *ret_id)
{
    size_t user_length = lst_slice_find(name, '\0');
    struct lst_slice user = lst_slice_first(name, user_length);
    struct lst_slice id = lst_slice_after(name, user_length + 1);

    if (!lst_ledger_name_is_valid(user, id)) {
        return false;
    }
    *ret_user = user;
    *ret_id = id;
    return true;
}

void lst_ledger_row_key(enum lst_ledger_row_kind kind, struct lst_slice name, uint64_t number,
                        struct lst_ledger_key *ret_key)
{
    char first = (char)kind;
    char bytes[8];

    lst_ledger_number_write(number, bytes);
    ret_key->length = 0;
    append(ret_key, lst_slice_make(&first, 1));
    if (kind == LST_LEDGER_ROW_EXPIRY || kind == LST_LEDGER_ROW_REVOKED) {
        append(ret_key, lst_slice_make(bytes, sizeof(bytes)));
    }
    append(ret_key, name);
    if (kind == LST_LEDGER_ROW_USE) {
        const char slot[2] = {'\0', (char)number};
        append(ret_key, lst_slice_make(slot, sizeof(slot)));
    } else if (kind == LST_LEDGER_ROW_OPEN) {
        append(ret_key, lst_slice_make("", 1));
        append(ret_key, lst_slice_make(bytes, sizeof(bytes)));
    }
}

void lst_ledger_number_write(uint64_t number, char ret_bytes[8])
{
    for (size_t i = 0; i < 8; i++) {
        ret_bytes[i] = (char)(number >> (8 * (7 - i)));
    }
}

uint64_t lst_ledger_number_read(const char bytes[8])
{
    uint64_t number = 0;

    for (size_t i = 0; i < 8; i++) {
        number = number << 8 | (uint8_t)bytes[i];
    }
    return number;
}

/* The numbers of a state behind its revision and format, in their order. */
static void state_numbers(const struct lst_ledger_state *state, uint64_t ret_numbers[12])
{
    const struct lst_ledger_summary *summary = &state->summary;

    ret_numbers[0] = summary->limit;
    ret_numbers[1] = summary->used;
    ret_numbers[2] = summary->succeeded;
    ret_numbers[3] = summary->failed;
    ret_numbers[4] = summary->bytes;
    ret_numbers[5] = (uint64_t)summary->first_ms;
    ret_numbers[6] = (uint64_t)summary->last_ms;
    ret_numbers[7] = (uint64_t)summary->revoked_ms;
    ret_numbers[8] = (uint64_t)summary->expires_ms;
    ret_numbers[9] = state->sequence;
    ret_numbers[10] = state->recorded;
    ret_numbers[11] = state->generation;
}

void lst_ledger_state_write(const struct lst_ledger_state *state,
                            char ret_bytes[LST_LEDGER_STATE_LENGTH])
{
    uint64_t numbers[12];

    state_numbers(state, numbers);
    lst_ledger_number_write(state->revision, ret_bytes);
    ret_bytes[8] = FORMAT;
    for (size_t i = 0; i < 12; i++) {
        lst_ledger_number_write(numbers[i], ret_bytes + 9 + 8 * i);
    }
}

int lst_ledger_state_read(struct lst_slice row, struct lst_ledger_state *ret_state)
{
    uint64_t numbers[12];

    if (row.length != LST_LEDGER_STATE_LENGTH || row.bytes[8] != FORMAT) {
        return LST_ERR_CORRUPT;
    }
    for (size_t i = 0; i < 12; i++) {
        numbers[i] = lst_ledger_number_read(row.bytes + 9 + 8 * i);
    }
    for (size_t i = 5; i <= 8; i++) {
        if (numbers[i] > INT64_MAX) {
            return LST_ERR_CORRUPT;
        }
    }
    if ((numbers[7] == 0) != (numbers[11] == 0)) { /* revoked has a time and a generation */
        return LST_ERR_CORRUPT;
    }
    *ret_state = (struct lst_ledger_state){
        .revision = lst_ledger_number_read(row.bytes),
        .summary = {.limit = numbers[0],
                    .used = numbers[1],
                    .succeeded = numbers[2],
                    .failed = numbers[3],
                    .bytes = numbers[4],
                    .first_ms = (int64_t)numbers[5],
                    .last_ms = (int64_t)numbers[6],
                    .revoked_ms = (int64_t)numbers[7],
                    .expires_ms = (int64_t)numbers[8]},
        .sequence = numbers[9],
        .recorded = numbers[10],
        .generation = numbers[11],
    };
    return LST_OK;
}

/* The texts of a use in the order of the row, and the most bytes of each. */
static void list_texts(struct lst_use_outcome *outcome, struct lst_slice *ret_texts[TEXTS])
{
    ret_texts[0] = &outcome->use.method;
    ret_texts[1] = &outcome->use.bucket;
    ret_texts[2] = &outcome->use.key;
    ret_texts[3] = &outcome->use.peer;
    ret_texts[4] = &outcome->etag;
    ret_texts[5] = &outcome->type;
    ret_texts[6] = &outcome->reason;
}

static const size_t text_limits[TEXTS] = {16, 255, 1024, 64, 128, 256, 512};

static int64_t not_negative(int64_t number)
{
    return number < 0 ? 0 : number;
}

void lst_ledger_use_cut(struct lst_use_outcome *outcome)
{
    struct lst_slice *texts[TEXTS];

    outcome->use.now_ms = not_negative(outcome->use.now_ms);
    outcome->use.expires_ms = not_negative(outcome->use.expires_ms);
    outcome->ended_ms = not_negative(outcome->ended_ms);
    if (outcome->http_status < 0 || outcome->http_status > STATUS_MAX) {
        outcome->http_status = 0;
    }
    list_texts(outcome, texts);
    for (size_t i = 0; i < TEXTS; i++) {
        *texts[i] = lst_slice_first(*texts[i], text_limits[i]);
    }
}

static void use_numbers(const struct lst_use_outcome *outcome, uint64_t order,
                        uint64_t ret_numbers[7])
{
    ret_numbers[0] = order;
    ret_numbers[1] = outcome->sequence;
    ret_numbers[2] = (uint64_t)outcome->use.now_ms;
    ret_numbers[3] = (uint64_t)outcome->ended_ms;
    ret_numbers[4] = outcome->use.limit;
    ret_numbers[5] = (uint64_t)outcome->use.expires_ms;
    ret_numbers[6] = outcome->size;
}

size_t lst_ledger_use_write(const struct lst_use_outcome *outcome, uint64_t order,
                            char ret_bytes[LST_LEDGER_USE_MAX])
{
    struct lst_use_outcome cut = *outcome;
    struct lst_slice *texts[TEXTS];
    uint64_t numbers[7];
    char *end = ret_bytes;

    lst_ledger_use_cut(&cut);
    list_texts(&cut, texts);
    use_numbers(&cut, order, numbers);
    *end++ = FORMAT;
    for (size_t i = 0; i < 7; i++, end += 8) {
        lst_ledger_number_write(numbers[i], end);
    }
    *end++ = (char)(cut.http_status >> 8);
    *end++ = (char)cut.http_status;
    *end++ = (char)cut.use.is_write;
    for (size_t i = 0; i < TEXTS; i++) {
        *end++ = (char)(texts[i]->length >> 8);
        *end++ = (char)texts[i]->length;
        if (texts[i]->length > 0) {
            memcpy(end, texts[i]->bytes, texts[i]->length);
            end += texts[i]->length;
        }
    }
    return (size_t)(end - ret_bytes);
}

static bool read_texts(struct lst_slice rest, struct lst_use_outcome *outcome)
{
    struct lst_slice *texts[TEXTS];

    list_texts(outcome, texts);
    for (size_t i = 0; i < TEXTS; i++) {
        size_t length;
        if (rest.length < 2) {
            return false;
        }
        length = (size_t)((uint8_t)rest.bytes[0] << 8 | (uint8_t)rest.bytes[1]);
        rest = lst_slice_after(rest, 2);
        if (length > text_limits[i] || length > rest.length) {
            return false;
        }
        *texts[i] = lst_slice_first(rest, length);
        rest = lst_slice_after(rest, length);
    }
    return rest.length == 0;
}

int lst_ledger_use_read(struct lst_slice row, struct lst_use_outcome *ret_outcome,
                        uint64_t *ret_order)
{
    struct lst_use_outcome outcome = {.http_status = 0};
    uint64_t numbers[7];
    const char *flags;

    if (row.length < 1 + 7 * 8 + 3 || row.bytes[0] != FORMAT) {
        return LST_ERR_CORRUPT;
    }
    for (size_t i = 0; i < 7; i++) {
        numbers[i] = lst_ledger_number_read(row.bytes + 1 + 8 * i);
    }
    flags = row.bytes + 1 + 7 * 8;
    outcome.http_status = (uint8_t)flags[0] << 8 | (uint8_t)flags[1];
    if (numbers[2] > INT64_MAX || numbers[3] > INT64_MAX || numbers[5] > INT64_MAX ||
        outcome.http_status > STATUS_MAX || (flags[2] != 0 && flags[2] != 1) ||
        !read_texts(lst_slice_after(row, 1 + 7 * 8 + 3), &outcome)) {
        return LST_ERR_CORRUPT;
    }
    outcome.sequence = numbers[1];
    outcome.use.now_ms = (int64_t)numbers[2];
    outcome.ended_ms = (int64_t)numbers[3];
    outcome.use.limit = numbers[4];
    outcome.use.expires_ms = (int64_t)numbers[5];
    outcome.size = numbers[6];
    outcome.use.is_write = flags[2] == 1;
    *ret_outcome = outcome;
    *ret_order = numbers[0];
    return LST_OK;
}
