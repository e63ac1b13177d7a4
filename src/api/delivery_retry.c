/* delivery_retry.c - POST /-/api/deliveries/ID/retry: send a message again, now. */
#include "api/delivery.h"
#include "api/jobs.h"

#include "base/encoding.h"

#include <stdlib.h>

enum { HEX = 2 * LST_JOB_ID_SIZE };

struct retry {
    struct lst_api_exchange *exchange;
    json_t *answer;
    struct lst_buffer value;
    char old_key[LST_JOB_KEY_MAX];
    char new_key[LST_JOB_KEY_MAX];
    struct lst_index_change changes[3];
    struct lst_index_batch batch;
    int status;
};

static void free_retry(void *work)
{
    struct retry *retry = work;

    json_decref(retry->answer);
    lst_buffer_release(&retry->value);
    free(retry);
}

static void answer_written(void *owner)
{
    struct lst_api_exchange *exchange = owner;
    struct retry *retry = exchange->work;

    if (retry->status == LST_ERR_NOT_FOUND) {
        lst_api_fail(exchange, 409, "Conflict",
                     "The message was sent at this very moment: look at the list again");
    } else if (retry->status != LST_OK) {
        lst_api_fail_code(exchange, retry->status);
    } else {
        lst_jobs_wake(exchange->api->jobs);
        lst_api_answer(exchange, 200, json_incref(retry->answer));
    }
}

static void is_written(struct lst_index_batch *batch, int status, size_t failed_change)
{
    struct retry *retry = batch->context;

    (void)failed_change;
    retry->status = status;
    lst_waiting_end(&retry->exchange->waiting, answer_written);
}

/* The row under its new key, if nobody has moved it since it was read. */
static int make_batch(struct retry *retry, struct lst_job *job, int64_t now_ms)
{
    char head[LST_JOB_HEAD_LENGTH];
    struct lst_slice old_key = lst_slice_make(retry->old_key, lst_job_key(job, retry->old_key));
    struct lst_slice new_key;

    lst_delivery_renew(job, now_ms);
    new_key = lst_slice_make(retry->new_key, lst_job_key(job, retry->new_key));
    lst_job_head(job, head);
    lst_buffer_append(&retry->value, lst_slice_make(head, sizeof(head)));
    lst_buffer_append(&retry->value, job->body);
    retry->answer = lst_delivery_to_json(job);
    retry->changes[0] = (struct lst_index_change){
        .kind = LST_INDEX_REQUIRE_PRESENT, .key = old_key, .value = LST_SLICE("")};
    retry->changes[1] =
        (struct lst_index_change){.kind = LST_INDEX_DELETE, .key = old_key, .value = LST_SLICE("")};
    retry->changes[2] = (struct lst_index_change){
        .kind = LST_INDEX_PUT, .key = new_key, .value = lst_buffer_slice(&retry->value)};
    retry->batch = (struct lst_index_batch){.partition = LST_LEDGER_PARTITION,
                                            .changes = retry->changes,
                                            .change_count = 3,
                                            .done = is_written,
                                            .context = retry};
    if (retry->answer == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    return lst_buffer_status(&retry->value);
}

/* Find the message and say what is to be written. */
static int prepare(struct lst_api_exchange *exchange, struct retry *retry, struct lst_slice profile,
                   const uint8_t id[LST_JOB_ID_SIZE])
{
    struct lst_index_reader *reader;
    struct lst_job job;
    int status = lst_index_read_begin(lst_ledger_index(exchange->api->options.ledger), &reader);

    if (status != LST_OK) {
        return status;
    }
    status = lst_delivery_find(reader, profile, id, &job);
    if (status == LST_OK) {
        status = make_batch(retry, &job, exchange->request->received_ms);
    }
    lst_index_read_end(reader);
    return status;
}

static void fail(struct lst_api_exchange *exchange, int status)
{
    if (status == LST_ERR_NOT_FOUND) {
        lst_api_fail(exchange, 404, "NoSuchDelivery",
                     "There is no message of this id for you: it may have been delivered");
    } else if (status == LST_ERR_TOO_LARGE) {
        lst_api_fail(exchange, 503, "SlowDown",
                     "More than %d messages wait for this receiver, and this is none of the first: "
                     "it is sent when it is its turn",
                     LST_DELIVERIES_SEEN_MAX);
    } else {
        lst_api_fail_code(exchange, status);
    }
}

void lst_deliveries_retry(struct lst_api_exchange *exchange)
{
    size_t at = lst_slice_find(exchange->name, '~');
    struct lst_slice profile = lst_slice_first(exchange->name, at);
    struct lst_slice hex = lst_slice_after(exchange->name, at + 1);
    uint8_t id[LST_JOB_ID_SIZE];
    struct retry *retry;
    int status;

    if (hex.length != HEX || !lst_hex_decode(hex, id, sizeof(id)) ||
        !lst_profile_name_is_valid(profile) || !lst_bearer_may_use(&exchange->bearer, profile)) {
        fail(exchange, LST_ERR_NOT_FOUND);
        return;
    }
    retry = calloc(1, sizeof(*retry));
    if (retry == NULL) {
        lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
        return;
    }
    retry->exchange = exchange;
    lst_buffer_init(&retry->value, LST_JOB_HEAD_LENGTH + LST_JOB_BODY_MAX);
    exchange->work = retry;
    exchange->free_work = free_retry;
    status = prepare(exchange, retry, profile, id);
    if (status != LST_OK) {
        fail(exchange, status);
        return;
    }
    lst_waiting_begin(&exchange->waiting);
    lst_index_submit(lst_ledger_index(exchange->api->options.ledger), &retry->batch);
}
