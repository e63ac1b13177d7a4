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

/* The answer's headers and body: counted, and not kept. */
// NOLINTNEXTLINE(readability-non-const-parameter): the library's type has it so
static size_t receive(char *bytes, size_t size, size_t count, void *context)
{
    struct lst_delivery *delivery = context;

    (void)bytes;
    delivery->received += size * count;
    delivery->is_cut = delivery->received > LST_JOBS_ANSWER_MAX;
    return delivery->is_cut ? 0 : size * count;
}

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
    delivery->transfer = curl_easy_init();
    return delivery;
}

static void free_delivery(struct lst_delivery *delivery)
{
    curl_easy_cleanup(delivery->transfer);
    curl_slist_free_all(delivery->headers);
    free(delivery->value);
    free(delivery);
}

static bool add_header(struct lst_delivery *delivery, const char *text)
{
    struct curl_slist *headers = curl_slist_append(delivery->headers, text);

    if (headers != NULL) {
        delivery->headers = headers;
    }
    return headers != NULL;
}

static bool add_headers(struct lst_delivery *delivery, const struct lst_profile *profile,
                        int64_t now_ms)
{
    char signature[LST_WEBHOOK_SIGNATURE_MAX];
    char header[LST_WEBHOOK_SIGNATURE_MAX + 32];

    lst_webhook_sign(lst_slice_of(profile->webhook_secret), now_ms / 1000, delivery->job.body,
                     signature);
    (void)snprintf(header, sizeof(header), "Latchstring-Signature: %s", signature);
    return add_header(delivery, header) && add_header(delivery, "Content-Type: application/json");
}

/* libcurl copies the URL; the body and the headers stay the delivery's. */
static bool set_options(struct lst_delivery *delivery, const char *url)
{
    CURL *transfer = delivery->transfer;
    CURLcode codes[] = {
        curl_easy_setopt(transfer, CURLOPT_URL, url),
        curl_easy_setopt(transfer, CURLOPT_PROTOCOLS_STR, "http,https"),
        curl_easy_setopt(transfer, CURLOPT_FOLLOWLOCATION, 0L),
        curl_easy_setopt(transfer, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1),
        curl_easy_setopt(transfer, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)delivery->job.body.length),
        curl_easy_setopt(transfer, CURLOPT_POSTFIELDS, delivery->job.body.bytes),
        curl_easy_setopt(transfer, CURLOPT_HTTPHEADER, delivery->headers),
        curl_easy_setopt(transfer, CURLOPT_USERAGENT, "Latchstring/" LST_VERSION),
        curl_easy_setopt(transfer, CURLOPT_CONNECTTIMEOUT, (long)LST_JOBS_CONNECT_SECONDS),
        curl_easy_setopt(transfer, CURLOPT_TIMEOUT, (long)LST_JOBS_SECONDS),
        curl_easy_setopt(transfer, CURLOPT_WRITEFUNCTION, receive),
        curl_easy_setopt(transfer, CURLOPT_WRITEDATA, delivery),
        curl_easy_setopt(transfer, CURLOPT_HEADERFUNCTION, receive),
        curl_easy_setopt(transfer, CURLOPT_HEADERDATA, delivery),
        curl_easy_setopt(transfer, CURLOPT_NOSIGNAL, 1L),
        /* A name that is looked up too slowly must not hold up the thread. */
        curl_easy_setopt(transfer, CURLOPT_QUICK_EXIT, 1L),
        curl_easy_setopt(transfer, CURLOPT_PRIVATE, delivery),
    };
    bool done = true;

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        done = done && codes[i] == CURLE_OK;
    }
    return done;
}

int lst_jobs_send(struct lst_jobs *jobs, const struct lst_job *job,
                  const struct lst_profile *profile, int64_t now_ms)
{
    struct lst_delivery *delivery = make_delivery(job, profile);

    if (delivery == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    if (delivery->value == NULL || delivery->transfer == NULL ||
        !add_headers(delivery, profile, now_ms) || !set_options(delivery, profile->webhook_url) ||
        curl_multi_add_handle(jobs->transfers, delivery->transfer) != CURLM_OK) {
        free_delivery(delivery);
        return LST_ERR_NO_MEMORY;
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
    (void)curl_multi_remove_handle(jobs->transfers, delivery->transfer);
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
    round->changes[round->change_count++] = (struct lst_index_change){kind, key, value};
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

/* Put it off, or give it up. */
static void fail(struct lst_jobs *jobs, struct round *round, struct lst_delivery *delivery,
                 long status, CURLcode code)
{
    struct lst_job *job = &delivery->job;
    int64_t now_ms = lst_clock_now_ms();
    int64_t next_ms;

    job->attempts++;
    next_ms = lst_webhook_next_ms(job->created_ms, now_ms, job->attempts);
    if (next_ms < 0) {
        report(jobs, delivery, "is given up after three days", status, code);
        round->given_up++;
        return;
    }
    if (job->attempts == 1 && now_ms >= jobs->quiet_until_ms) {
        report(jobs, delivery, "will be tried again", status, code);
        jobs->quiet_until_ms = now_ms + QUIET_MS; /* thousands may wait for the same receiver */
    }
    job->due_ms = next_ms;
    lst_job_head(job, delivery->value);
    add_change(round, LST_INDEX_PUT,
               lst_slice_make(delivery->next_key, lst_job_key(job, delivery->next_key)),
               lst_slice_make(delivery->value, delivery->value_length));
}

static void end(struct lst_jobs *jobs, struct round *round, const CURLMsg *message)
{
    struct lst_delivery *delivery = NULL;
    long status = 0;
    bool is_whole;

    (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&delivery);
    (void)curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
    is_whole = message->data.result == CURLE_OK || delivery->is_cut;
    round->deliveries[round->count++] = delivery;
    add_change(round, LST_INDEX_DELETE, lst_slice_make(delivery->key, delivery->key_length),
               LST_SLICE(""));
    if (is_whole && status >= 200 && status <= 299) {
        round->delivered++;
    } else {
        fail(jobs, round, delivery, status, is_whole ? CURLE_OK : message->data.result);
    }
}

bool lst_jobs_finish(struct lst_jobs *jobs)
{
    struct round round = {.count = 0};
    const CURLMsg *message;
    int left;

    while (round.count < LST_JOBS_AT_ONCE &&
           (message = curl_multi_info_read(jobs->transfers, &left)) != NULL) {
        if (message->msg == CURLMSG_DONE) {
            end(jobs, &round, message);
        }
    }
    if (round.count == 0) {
        return false;
    }
    if (lst_index_apply(jobs->options.index, LST_LEDGER_PARTITION, round.changes,
                        round.change_count) != LST_OK) {
        /* All are sent again: not at once. */
        jobs->not_before_ms = lst_clock_now_ms() + LST_JOBS_REST_MS;
    }
    atomic_fetch_add(&jobs->delivered, round.delivered);
    atomic_fetch_add(&jobs->failed, round.count - round.delivered);
    atomic_fetch_add(&jobs->given_up, round.given_up);
    for (size_t i = 0; i < round.count; i++) {
        remove_delivery(jobs, round.deliveries[i]);
    }
    return true;
}
