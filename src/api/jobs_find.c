/*
 * jobs_find.c - which jobs are due, and may be started.
 *
 * The rows of each profile are a queue of their own, so that many that wait for one receiver are
 * not in the way of others. Every look begins behind the profile that was served last.
 */
#include "api/jobs_state.h"

#include "api/webhook.h"
#include "gate/ledger.h"

enum { CLOCK_SLACK_MS = 60000, POSITION_MAX = 1 + LST_PROFILE_NAME_MAX + 1 };

/* A key, or the beginning of one. */
struct position {
    size_t length;
    char bytes[POSITION_MAX];
};

struct look {
    struct lst_jobs *jobs;
    struct lst_index_reader *reader;
    int64_t now_ms;
    int64_t next_ms; /* when there will be more to do */
    /* Rows of which nothing will come. */
    struct lst_index_change drops[LST_JOBS_BATCH_MAX];
    char keys[LST_JOBS_BATCH_MAX][LST_JOB_KEY_MAX];
    size_t drop_count;
};

static void look_again(struct look *look, int64_t time_ms)
{
    if (time_ms < look->next_ms) {
        look->next_ms = time_ms;
    }
}

/* What could not be read may hide jobs that are due. */
static void see_to(struct look *look, int status)
{
    if (status != LST_OK && status != LST_ERR_NOT_FOUND) {
        look_again(look, look->now_ms + look->jobs->options.rest_ms);
    }
}

/* False: no more of them this time. */
static bool drop(struct look *look, struct lst_slice key)
{
    char *copy = look->keys[look->drop_count];

    memcpy(copy, key.bytes, key.length);
    look->drops[look->drop_count++] = (struct lst_index_change){
        .kind = LST_INDEX_DELETE, .key = lst_slice_make(copy, key.length), .value = LST_SLICE("")};
    if (look->drop_count == LST_JOBS_BATCH_MAX) {
        look_again(look, look->now_ms);
    }
    return look->drop_count < LST_JOBS_BATCH_MAX;
}

/* ---- One row */

static bool is_under_way(const struct lst_jobs *jobs, struct lst_slice key)
{
    const struct lst_delivery *delivery = jobs->first;

    while (delivery != NULL &&
           !lst_slice_equal(lst_slice_make(delivery->key, delivery->key_length), key)) {
        delivery = delivery->next;
    }
    return delivery != NULL;
}

static bool is_receiver_busy(const struct lst_jobs *jobs, struct lst_slice origin)
{
    size_t count = 0;

    for (const struct lst_delivery *delivery = jobs->first; delivery != NULL;
         delivery = delivery->next) {
        count += lst_slice_equal_ignoring_case(lst_slice_of(delivery->origin), origin);
    }
    return count >= LST_JOBS_RECEIVER_MAX;
}

/* What is further away than any pause was put off before the clock was set back. */
static bool is_due(const struct look *look, const struct lst_job *job)
{
    return job->due_ms <= look->now_ms ||
           job->due_ms > look->now_ms + LST_WEBHOOK_PAUSE_MAX_MS + CLOCK_SLACK_MS;
}

/* False: no more of this queue for now. */
static bool start(struct look *look, const struct lst_job *job, const struct lst_profile *profile)
{
    struct lst_jobs *jobs = look->jobs;

    if (!is_due(look, job)) {
        look_again(look, job->due_ms);
        return false;
    }
    if (jobs->count >= LST_JOBS_AT_ONCE ||
        is_receiver_busy(jobs, lst_webhook_origin(lst_slice_of(profile->webhook_url)))) {
        return false; /* one that ends makes the thread look again */
    }
    if (lst_jobs_send(jobs, job, profile, look->now_ms) != LST_OK) {
        look_again(look, look->now_ms + look->jobs->options.rest_ms);
        return false;
    }
    memcpy(jobs->served, profile->name, sizeof(jobs->served));
    return true;
}

/* The same. profile: NULL if there is no webhook any more. */
static bool take(struct look *look, struct lst_slice key, struct lst_slice value,
                 const struct lst_profile *profile)
{
    struct lst_job job;

    if (key.length > LST_JOB_KEY_MAX || is_under_way(look->jobs, key)) {
        return true;
    }
    if (profile == NULL || lst_job_read(key, value, &job) != LST_OK) {
        return drop(look, key);
    }
    return start(look, &job, profile);
}

/* ---- One queue */

static void take_rows(struct look *look, const struct position *prefix,
                      const struct lst_profile *profile)
{
    struct lst_slice start = lst_slice_make(prefix->bytes, prefix->length);
    size_t before = look->drop_count;
    struct lst_slice key;
    struct lst_slice value;
    int status = lst_index_seek(look->reader, LST_LEDGER_PARTITION, start, &key, &value);

    while ((status == LST_OK || lst_index_is_damaged_row(status, key)) &&
           lst_slice_starts_with(key, start)) {
        if (!take(look, key, status == LST_OK ? value : LST_SLICE(""), profile)) {
            status = LST_OK;
            break;
        }
        status = lst_index_next(look->reader, &key, &value);
    }
    see_to(look, status);
    if (look->drop_count > before) {
        lst_jobs_report(look->jobs, "webhook of the profile '%.*s': %zu messages are dropped: %s",
                        (int)prefix->length - 2, prefix->bytes + 1, look->drop_count - before,
                        profile == NULL ? "there is no webhook any more" : "they are damaged");
    }
}

static void look_at_queue(struct look *look, const struct position *prefix)
{
    const struct lst_profile *profile = NULL;
    int status = lst_profiles_find(look->jobs->options.profiles,
                                   lst_slice_make(prefix->bytes + 1, prefix->length - 2), &profile);

    if (status == LST_OK && profile->webhook_url[0] != '\0') {
        take_rows(look, prefix, profile);
    } else if (status == LST_OK || status == LST_ERR_NOT_FOUND) {
        take_rows(look, prefix, NULL);
    } else {
        look_again(look, look->now_ms + look->jobs->options.rest_ms);
    }
    lst_profile_unref(profile);
}

/* ---- All */

static struct lst_slice position_slice(const struct position *position)
{
    return lst_slice_make(position->bytes, position->length);
}

/* A position behind all rows of a profile. */
static void pass_over(struct position *position, struct lst_slice profile)
{
    position->bytes[0] = LST_JOB_ROW[0];
    memcpy(position->bytes + 1, profile.bytes, profile.length);
    position->bytes[1 + profile.length] = '\1'; /* no name has bytes like this */
    position->length = 1 + profile.length + 1;
}

/* What all keys of this one's queue begin with. False: it is no key of a message. */
static bool read_queue(struct lst_slice key, struct position *ret_prefix)
{
    size_t length = lst_slice_find(key, '\0') + 1;

    if (length > key.length || length > POSITION_MAX) {
        return false;
    }
    memcpy(ret_prefix->bytes, key.bytes, length);
    ret_prefix->length = length;
    return true;
}

static void report_stray(struct lst_jobs *jobs)
{
    if (!jobs->saw_stray) {
        jobs->saw_stray = true;
        lst_jobs_report(jobs, "a row among the messages for webhooks names no profile: it is "
                              "passed over, and stays");
    }
}

/* What all keys of the next queue begin with. False: there is none from the position on. A row that
 * is no message does not hide what is behind it. */
static bool find_queue(struct look *look, const struct position *position,
                       struct position *ret_prefix)
{
    struct lst_slice key;
    struct lst_slice value;
    int status =
        lst_index_seek(look->reader, LST_LEDGER_PARTITION, position_slice(position), &key, &value);

    /* Of a damaged row the queue sees to it. */
    while ((status == LST_OK || lst_index_is_damaged_row(status, key)) &&
           lst_slice_starts_with(key, LST_SLICE(LST_JOB_ROW))) {
        if (read_queue(key, ret_prefix)) {
            return true;
        }
        report_stray(look->jobs);
        status = lst_index_next(look->reader, &key, &value);
    }
    see_to(look, lst_index_is_damaged_row(status, key) ? LST_OK : status);
    return false;
}

/* From a position on, up to one; behind it comes what was seen before. */
static void look_at_queues(struct look *look, struct position from, const struct position *to)
{
    struct position prefix;

    while (look->drop_count < LST_JOBS_BATCH_MAX && find_queue(look, &from, &prefix) &&
           (to == NULL || lst_slice_compare(position_slice(&prefix), position_slice(to)) < 0)) {
        look_at_queue(look, &prefix);
        pass_over(&from, lst_slice_make(prefix.bytes + 1, prefix.length - 2));
    }
}

static int apply_drops(struct look *look)
{
    int status;

    if (look->drop_count == 0) {
        return LST_OK;
    }
    status = lst_index_apply(look->jobs->options.index, LST_LEDGER_PARTITION, look->drops,
                             look->drop_count);
    if (status == LST_OK) {
        atomic_fetch_add(&look->jobs->given_up, look->drop_count);
    }
    return status;
}

int64_t lst_jobs_look(struct lst_jobs *jobs, int64_t now_ms)
{
    static const struct position first = {.length = 1, .bytes = LST_JOB_ROW};
    struct look look = {.jobs = jobs, .now_ms = now_ms, .next_ms = INT64_MAX};
    struct position middle;

    if (now_ms < jobs->not_before_ms) {
        return jobs->not_before_ms;
    }
    if (lst_index_read_begin(jobs->options.index, &look.reader) != LST_OK) {
        return now_ms + jobs->options.rest_ms;
    }
    pass_over(&middle, lst_slice_of(jobs->served));
    look_at_queues(&look, middle, NULL);
    look_at_queues(&look, first, &middle);
    lst_index_read_end(look.reader);
    if (apply_drops(&look) != LST_OK) {
        jobs->not_before_ms = now_ms + jobs->options.rest_ms;
        return jobs->not_before_ms;
    }
    return look.next_ms;
}
