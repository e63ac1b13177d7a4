/* jobs_send.c - the attempts that are under way, and what comes of them. */
#include "api/jobs_state.h"

#include "api/webhook.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "gate/ledger.h"

#include <stdio.h>
#include <stdlib.h>

enum { QUIET_MS = 60000 };

/* ---- Beginning */

static struct lst_delivery *make_delivery(const struct lst_job *job,
                                          const struct lst_profile *profile)
{
    struct lst_slice origin = lst_webhook_origin(lst_slice_of(profile->webhook_url));
    struct lst_delivery *delivery = calloc(1, sizeof(*delivery) + origin.length + 1);

    if (delivery == NULL) {
        return NULL;
    }
    memcpy(delivery->origin, origin.bytes, origin.length);
    delivery->job = *job;
    delivery->key_length = lst_job_key(job, delivery->key);
    delivery->job.profile = lst_slice_make(delivery->key + 1, job->profile.length);
    delivery->value_length = LST_JOB_HEAD_LENGTH + job->body.length;
    delivery->value = malloc(delivery->value_length);
    if (delivery->value != NULL) {
        lst_job_head(job, delivery->value);
        memcpy(delivery->value + LST_JOB_HEAD_LENGTH, job->body.bytes, job->body.length);
        delivery->job.body =
            lst_slice_make(delivery->value + LST_JOB_HEAD_LENGTH, job->body.length);
    }
    delivery->transfer.delivery = delivery;
    return delivery;
}

static void free_delivery(struct lst_delivery *delivery)
{
    free(delivery->value);
    free(delivery);
}

int lst_jobs_send(struct lst_jobs *jobs, const struct lst_job *job,
                  const struct lst_profile *profile, int64_t now_ms)
{
    struct lst_delivery *delivery = make_delivery(job, profile);
    struct lst_message message = {.url = profile->webhook_url,
                                  .secret = profile->webhook_secret,
                                  .seconds = LST_JOBS_SECONDS};
    int status;

    if (delivery == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    message.body = delivery->job.body;
    status = delivery->value == NULL
                 ? LST_ERR_NO_MEMORY
                 : lst_transfer_begin(jobs, &delivery->transfer, &message, now_ms);
    if (status != LST_OK) {
        free_delivery(delivery);
        return status;
    }
    delivery->next = jobs->first;
    jobs->first = delivery;
    atomic_fetch_add(&jobs->count, 1);
    return LST_OK;
}

/* ---- Ending */

static void remove_delivery(struct lst_jobs *jobs, struct lst_delivery *delivery)
{
    struct lst_delivery **link = &jobs->first;

    while (*link != delivery) {
        link = &(*link)->next;
    }
    *link = delivery->next;
    atomic_fetch_sub(&jobs->count, 1);
    lst_transfer_end(jobs, &delivery->transfer);
    free_delivery(delivery);
}

void lst_jobs_abandon(struct lst_jobs *jobs)
{
    while (jobs->first != NULL) {
        remove_delivery(jobs, jobs->first);
    }
}

/* What is over, and the batch that says so. */
struct round {
    struct lst_delivery *deliveries[LST_JOBS_AT_ONCE];
    size_t count;
    struct lst_index_change changes[2 * LST_JOBS_AT_ONCE];
    size_t change_count;
    size_t delivered;
    size_t given_up;
};

static void add_change(struct round *round, enum lst_index_change_kind kind, struct lst_slice key,
                       struct lst_slice value)
{
    round->changes[round->change_count++] =
        (struct lst_index_change){.kind = kind, .key = key, .value = value};
}

/* What became of a message that was not taken. code: CURLE_OK if it was answered. */
static void report(const struct lst_jobs *jobs, const struct lst_delivery *delivery,
                   const char *what, long status, CURLcode code)
{
    const struct lst_job *job = &delivery->job;
    char id[2 * LST_JOB_ID_SIZE];
    char answer[32];

    lst_hex_encode(job->id, sizeof(job->id), id);
    (void)snprintf(answer, sizeof(answer), "it answered %ld", status);
    lst_jobs_report(jobs, "webhook of the profile '%.*s': message %.*s to %.200s %s: %s",
                    (int)job->profile.length, job->profile.bytes, (int)sizeof(id), id,
                    delivery->origin, what, code == CURLE_OK ? answer : curl_easy_strerror(code));
}

/* Put it off, or give it up: then it is kept for a while, for who wants to send it again. */
static void fail(struct lst_jobs *jobs, struct round *round, struct lst_delivery *delivery,
                 long status, CURLcode code)
{
    struct lst_job *job = &delivery->job;
    int64_t now_ms = lst_clock_now_ms();
    int64_t next_ms;

    job->attempts++;
    job->last_ms = now_ms;
    job->last_status = (uint16_t)status;
    job->last_problem = (uint16_t)code;
    next_ms = lst_webhook_next_ms(job->created_ms, now_ms, job->attempts);
    job->is_given_up = next_ms < 0;
    if (job->is_given_up) {
        report(jobs, delivery, "is given up after three days", status, code);
        round->given_up++;
    } else if (job->attempts == 1 && now_ms >= jobs->quiet_until_ms) {
        report(jobs, delivery, "will be tried again", status, code);
        jobs->quiet_until_ms = now_ms + QUIET_MS; /* thousands may wait for the same receiver */
    }
    job->due_ms = job->is_given_up ? now_ms : next_ms;
    lst_job_head(job, delivery->value);
    add_change(round, LST_INDEX_PUT,
               lst_slice_make(delivery->next_key, lst_job_key(job, delivery->next_key)),
               lst_slice_make(delivery->value, delivery->value_length));
}

static void end(struct lst_jobs *jobs, struct round *round, struct lst_delivery *delivery,
                CURLcode code)
{
    long status;

    code = lst_transfer_result(&delivery->transfer, code, &status);
    round->deliveries[round->count++] = delivery;
    add_change(round, LST_INDEX_DELETE, lst_slice_make(delivery->key, delivery->key_length),
               LST_SLICE(""));
    if (status >= 200 && status <= 299) {
        round->delivered++;
    } else {
        fail(jobs, round, delivery, status, code);
    }
}

/* Take the deliveries that are over; and answer the questions that are. */
static bool take_ended(struct lst_jobs *jobs, struct round *round)
{
    const CURLMsg *message;
    bool is_any = false;
    int left;

    while (jobs->transfers != NULL && round->count < LST_JOBS_AT_ONCE &&
           (message = curl_multi_info_read(jobs->transfers, &left)) != NULL) {
        struct lst_transfer *transfer = NULL;

        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        is_any = true;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        if (transfer->delivery != NULL) {
            end(jobs, round, transfer->delivery, message->data.result);
        } else {
            lst_jobs_answered(jobs, transfer->question, message->data.result);
        }
    }
    return is_any;
}

bool lst_jobs_finish(struct lst_jobs *jobs)
{
    struct round round = {.count = 0};
    bool is_any = take_ended(jobs, &round);

    if (round.count == 0) {
        return is_any;
    }
    if (lst_index_apply(jobs->options.index, LST_LEDGER_PARTITION, round.changes,
                        round.change_count) != LST_OK) {
        /* All are sent again: not at once. */
        jobs->not_before_ms = lst_clock_now_ms() + jobs->options.rest_ms;
    }
    atomic_fetch_add(&jobs->delivered, round.delivered);
    atomic_fetch_add(&jobs->failed, round.count - round.delivered);
    atomic_fetch_add(&jobs->given_up, round.given_up);
    for (size_t i = 0; i < round.count; i++) {
        remove_delivery(jobs, round.deliveries[i]);
    }
    return true;
}
