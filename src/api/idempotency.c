/* idempotency.c - the answers of calls that have an Idempotency-Key. */
#include "api/idempotency.h"

#include "access/json.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Two rows: 'i' and the hash of caller, operation and key, with the hash of the body and the
 * answer; and 'x', the second until which it is kept (12 digits) and the first hash, for the sweep.
 */
enum {
    HASH = SHA256_DIGEST_SIZE,
    TIME = 12,
    KEY = 1 + HASH,
    EXPIRY_KEY = 1 + TIME + HASH,
    SWEPT_MAX = 200, /* of one batch */
};

struct remembering {
    struct lst_api_exchange *exchange;
    struct lst_index_batch batch;
    struct lst_changes changes;
    struct lst_buffer row;
    json_t *answer;
    int answer_status;
    int status;
    void *before; /* the work of the operation */
    void (*free_before)(void *work);
};

static struct lst_slice header_of(const struct lst_api_exchange *exchange)
{
    return lst_http_header(exchange->request, LST_HEADER_IDEMPOTENCY_KEY);
}

static bool is_valid(struct lst_slice key)
{
    for (size_t i = 0; i < key.length; i++) {
        if (key.bytes[i] <= ' ' || key.bytes[i] > '~') {
            return false;
        }
    }
    return key.length > 0 && key.length <= LST_IDEMPOTENCY_KEY_MAX;
}

static void make_key(const struct lst_api_exchange *exchange, char ret_key[KEY])
{
    struct lst_slice header = header_of(exchange);
    struct sha256_ctx context;

    sha256_init(&context);
    sha256_update(&context, strlen(exchange->bearer.id) + 1, (const uint8_t *)exchange->bearer.id);
    sha256_update(&context, strlen(exchange->route->operation) + 1,
                  (const uint8_t *)exchange->route->operation);
    sha256_update(&context, header.length, (const uint8_t *)header.bytes);
    ret_key[0] = 'i';
    sha256_digest(&context, HASH, (uint8_t *)ret_key + 1);
}

static void hash_body(const struct lst_api_exchange *exchange, uint8_t ret_hash[HASH])
{
    struct sha256_ctx context;

    sha256_init(&context);
    sha256_update(&context, exchange->body.length, (const uint8_t *)exchange->body.bytes);
    sha256_digest(&context, HASH, ret_hash);
}

/* ---- Made before? */

static void answer_again(struct lst_api_exchange *exchange, struct lst_slice row)
{
    uint8_t hash[HASH];
    json_t *kept = NULL;
    json_t *answer = NULL;
    int status = LST_ERR_CORRUPT;
    int answer_status = 0;

    hash_body(exchange, hash);
    if (row.length > HASH && memcmp(row.bytes, hash, HASH) != 0) {
        lst_api_fail(exchange, 422, "IdempotencyKeyReused",
                     "Idempotency-Key: a call with another body had this key: use a new one");
        return;
    }
    if (row.length > HASH) {
        status = lst_json_read(lst_slice_after(row, HASH), &kept);
    }
    if (status == LST_OK && json_unpack(kept, "[i, O]", &answer_status, &answer) != 0) {
        status = lst_json_ran_out() ? LST_ERR_NO_MEMORY : LST_ERR_CORRUPT;
    }
    json_decref(kept);
    if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
        return;
    }
    lst_http_response_add(&exchange->response, "Idempotent-Replayed", LST_SLICE("true"));
    lst_api_answer(exchange, answer_status, answer);
}

bool lst_idempotency_replay(struct lst_api_exchange *exchange)
{
    struct lst_index_reader *reader;
    struct lst_slice header = header_of(exchange);
    struct lst_slice row;
    char key[KEY];
    int status;

    if (header.bytes == NULL) {
        return false;
    }
    if (!is_valid(header)) {
        lst_api_fail(exchange, 400, "InvalidArgument",
                     "Idempotency-Key: it must have 1 to %d visible ASCII characters",
                     LST_IDEMPOTENCY_KEY_MAX);
        return true;
    }
    make_key(exchange, key);
    status = lst_index_read_begin(lst_ledger_index(exchange->api->options.ledger), &reader);
    if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
        return true;
    }
    status = lst_index_get(reader, LST_LEDGER_PARTITION, lst_slice_make(key, KEY), &row);
    if (status == LST_OK) {
        answer_again(exchange, row);
    } else if (status != LST_ERR_NOT_FOUND) {
        lst_api_fail_code(exchange, status);
    }
    lst_index_read_end(reader);
    return status != LST_ERR_NOT_FOUND;
}

/* ---- To be remembered */

static void free_remembering(void *work)
{
    struct remembering *remembering = work;

    lst_changes_release(&remembering->changes);
    lst_buffer_release(&remembering->row);
    json_decref(remembering->answer);
    if (remembering->free_before != NULL) {
        remembering->free_before(remembering->before);
    }
    free(remembering);
}

static void write_time(int64_t seconds, char ret_text[TIME])
{
    char text[TIME + 12];

    (void)snprintf(text, sizeof(text), "%0*lld", TIME, (long long)seconds);
    memcpy(ret_text, text, TIME);
}

static int make_row(struct remembering *remembering)
{
    json_t *kept = json_pack("[i, O]", remembering->answer_status, remembering->answer);
    char *text = lst_json_dump(kept, JSON_COMPACT);
    uint8_t hash[HASH];

    json_decref(kept);
    if (text == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    hash_body(remembering->exchange, hash);
    lst_buffer_append(&remembering->row, lst_slice_make((const char *)hash, HASH));
    lst_buffer_append_string(&remembering->row, text);
    free(text);
    return lst_buffer_status(&remembering->row);
}

static void answer_remembered(void *owner)
{
    struct lst_api_exchange *exchange = owner;
    struct remembering *remembering = exchange->work;
    json_t *answer = remembering->answer;

    exchange->is_kept =
        remembering->status == LST_OK || remembering->status == LST_ERR_UNKNOWN; /* may be there */
    if (remembering->status == LST_ERR_EXISTS) { /* the same call at the same time was first */
        if (!lst_idempotency_replay(exchange)) {
            lst_api_fail_code(exchange, LST_ERR_CONFLICT);
        }
    } else if (remembering->status != LST_OK) {
        lst_api_fail_code(exchange, remembering->status);
    } else {
        remembering->answer = NULL;
        lst_api_answer(exchange, remembering->answer_status, answer);
    }
}

static void is_written(struct lst_index_batch *batch, int status, size_t failed_change)
{
    struct remembering *remembering = batch->context;

    (void)failed_change;
    remembering->status = status;
    lst_waiting_end(&remembering->exchange->waiting, answer_remembered);
}

/* The two rows of the call's key. LST_ERR_TOO_LARGE: the answer can't be kept. */
static int add_rows(struct remembering *remembering)
{
    struct lst_changes *changes = &remembering->changes;
    char key[KEY];
    char expiry_key[EXPIRY_KEY] = "x";
    int status = make_row(remembering);

    if (status != LST_OK) {
        return status;
    }
    make_key(remembering->exchange, key);
    write_time(lst_api_now(remembering->exchange) + LST_IDEMPOTENCY_SECONDS, expiry_key + 1);
    memcpy(expiry_key + 1 + TIME, key + 1, HASH);
    (void)lst_changes_add(changes, LST_INDEX_REQUIRE_ABSENT, lst_slice_make(key, KEY),
                          LST_SLICE(""));
    (void)lst_changes_add(changes, LST_INDEX_PUT, lst_slice_make(key, KEY),
                          lst_buffer_slice(&remembering->row));
    (void)lst_changes_add(changes, LST_INDEX_PUT, lst_slice_make(expiry_key, EXPIRY_KEY),
                          LST_SLICE(""));
    return LST_OK;
}

static void submit(struct remembering *remembering, bool has_key)
{
    struct lst_api_exchange *exchange = remembering->exchange;
    int status = has_key ? add_rows(remembering) : LST_OK;

    if (status == LST_OK) {
        status = lst_changes_status(&remembering->changes);
    }
    if (status == LST_ERR_TOO_LARGE) {
        lst_api_fail(exchange, 413, "TooLarge",
                     "Idempotency-Key: the answer to this call would have more than the %d KiB "
                     "that are kept: ask for fewer uploads in one call",
                     LST_INDEX_VALUE_MAX / 1024);
        return;
    }
    if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
        return;
    }
    remembering->batch = (struct lst_index_batch){.partition = LST_LEDGER_PARTITION,
                                                  .changes = remembering->changes.list,
                                                  .change_count = remembering->changes.count,
                                                  .done = is_written,
                                                  .context = remembering};
    lst_waiting_begin(&exchange->waiting);
    lst_index_submit(lst_ledger_index(exchange->api->options.ledger), &remembering->batch);
}

/* What Uppy calls is not made again, so its calls have no key. */
static bool has_key(const struct lst_api_exchange *exchange)
{
    return exchange->place == LST_API_ROOT && header_of(exchange).bytes != NULL;
}

void lst_idempotency_answer(struct lst_api_exchange *exchange, int status, json_t *answer,
                            struct lst_changes *changes)
{
    struct remembering *remembering;

    if (answer == NULL || (!has_key(exchange) && changes->count == 0)) {
        lst_changes_release(changes);
        exchange->is_kept = answer != NULL;
        lst_api_answer(exchange, status, answer);
        return;
    }
    remembering = calloc(1, sizeof(*remembering));
    if (remembering == NULL) {
        lst_changes_release(changes);
        json_decref(answer);
        lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
        return;
    }
    remembering->exchange = exchange;
    remembering->answer = answer;
    remembering->answer_status = status;
    remembering->changes = *changes;
    *changes = (struct lst_changes){.count = 0};
    lst_buffer_init(&remembering->row, LST_INDEX_VALUE_MAX);
    remembering->before = exchange->work;
    remembering->free_before = exchange->free_work;
    exchange->work = remembering;
    exchange->free_work = free_remembering;
    submit(remembering, has_key(exchange));
}

/* ---- Forgetting */

/* The same key may be written anew once its answer is gone: so an answer goes only with the row of
 * its own expiry, which no later answer has. */
static int forget(struct lst_slice expiry_key, struct lst_ledger_changes *more)
{
    char key[KEY] = "i";
    int status = lst_ledger_changes_require(more, expiry_key);

    memcpy(key + 1, expiry_key.bytes + 1 + TIME, HASH);
    if (status == LST_OK) {
        status = lst_ledger_changes_delete(more, expiry_key);
    }
    return status == LST_OK ? lst_ledger_changes_delete(more, lst_slice_make(key, KEY)) : status;
}

int lst_idempotency_sweep(struct lst_index *index, int64_t now, struct lst_ledger_changes *more)
{
    struct lst_index_reader *reader;
    struct lst_slice key;
    struct lst_slice value;
    char text[TIME];
    int status = lst_index_read_begin(index, &reader);

    if (status != LST_OK) {
        return status;
    }
    write_time(now, text);
    status = lst_index_seek(reader, LST_LEDGER_PARTITION, LST_SLICE("x"), &key, &value);
    status = lst_index_pass_damaged(reader, status, &key, &value);
    for (size_t count = 0;
         status == LST_OK && count < SWEPT_MAX && lst_slice_starts_with(key, LST_SLICE("x"));) {
        /* One of another length is no such row: somebody should look at it. */
        if (key.length == EXPIRY_KEY) {
            if (memcmp(key.bytes + 1, text, TIME) >= 0) {
                break;
            }
            status = forget(key, more);
            count++;
        }
        if (status == LST_OK) {
            status = lst_index_next(reader, &key, &value);
            status = lst_index_pass_damaged(reader, status, &key, &value);
        }
    }
    lst_index_read_end(reader);
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}
