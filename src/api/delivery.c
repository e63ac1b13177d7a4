/* delivery.c - messages for webhooks as rows: finding, renewing and forgetting them. */
#include "api/delivery.h"

#include "access/json.h"
#include "base/encoding.h"

#include <curl/curl.h>

enum { FORGOTTEN_MAX = 200 /* in one batch */ };

size_t lst_delivery_prefix(bool is_given_up, struct lst_slice profile,
                           char ret_prefix[LST_JOB_KEY_MAX])
{
    ret_prefix[0] = is_given_up ? LST_JOB_GIVEN_UP_ROW[0] : LST_JOB_ROW[0];
    memcpy(ret_prefix + 1, profile.bytes, profile.length);
    ret_prefix[1 + profile.length] = '\0';
    return 1 + profile.length + 1;
}

/* ---- Showing */

/* A member of another object, if it has it. */
static void add_copy(json_t **json, const char *name, const json_t *from)
{
    json_t *value = json_object_get(from, name);

    if (value != NULL) {
        lst_api_json_set(json, name, json_incref(value));
    }
}

/* Of the message itself: what it tells, and of which upload. */
static void add_event(json_t **json, struct lst_slice body)
{
    static const char *const names[] = {"id", "key", "status"};
    json_t *event = NULL;
    json_t *upload;
    json_t *brief = json_object();

    /* What can't be read shows nothing of itself; the message can be sent all the same. */
    if (lst_json_read(body, &event) == LST_ERR_NO_MEMORY) {
        json_decref(brief);
        json_decref(*json);
        *json = NULL;
        return;
    }
    upload = json_object_get(event, "upload");

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        add_copy(&brief, names[i], upload);
    }
    add_copy(json, "event", event);
    add_copy(json, "at", event);
    lst_api_json_set(json, "upload", brief);
    json_decref(event);
}

static void add_last(json_t **json, const struct lst_job *job)
{
    if (job->last_ms == 0) {
        return;
    }
    lst_api_json_set(json, "last_attempt_at", lst_api_json_time(job->last_ms / 1000));
    if (job->last_status != 0) {
        lst_api_json_set(json, "last_status", json_integer(job->last_status));
    } else {
        lst_api_json_set(json, "last_problem",
                         json_string(curl_easy_strerror((CURLcode)job->last_problem)));
    }
}

json_t *lst_delivery_to_json(const struct lst_job *job)
{
    char hex[2 * LST_JOB_ID_SIZE];
    struct lst_buffer id;
    json_t *json;

    lst_buffer_init(&id, LST_PROFILE_NAME_MAX + 1 + sizeof(hex));
    lst_hex_encode(job->id, sizeof(job->id), hex);
    lst_buffer_append(&id, job->profile);
    lst_buffer_append_byte(&id, '~');
    lst_buffer_append(&id, lst_slice_make(hex, sizeof(hex)));
    json = lst_buffer_status(&id) != LST_OK
               ? NULL
               : json_pack("{s:o, s:s%, s:s, s:I, s:o}", "id",
                           lst_api_json_slice(lst_buffer_slice(&id)), "message", hex, sizeof(hex),
                           "state", job->is_given_up ? "given_up" : "waiting", "attempts",
                           (json_int_t)job->attempts,
                           job->is_given_up ? "given_up_at" : "next_attempt_at",
                           lst_api_json_time(job->due_ms / 1000));
    lst_buffer_release(&id);
    if (json != NULL) {
        add_event(&json, job->body);
        add_last(&json, job);
    }
    return json;
}

/* ---- Finding */

/* Among those that wait, or that were given up. */
static int find_among(struct lst_index_reader *reader, bool is_given_up, struct lst_slice profile,
                      const uint8_t id[LST_JOB_ID_SIZE], struct lst_job *ret_job)
{
    char bytes[LST_JOB_KEY_MAX];
    struct lst_slice prefix =
        lst_slice_make(bytes, lst_delivery_prefix(is_given_up, profile, bytes));
    struct lst_slice key;
    struct lst_slice value;
    size_t seen = 0;
    int status = lst_index_seek(reader, LST_LEDGER_PARTITION, prefix, &key, &value);

    while (status == LST_OK && lst_slice_starts_with(key, prefix)) {
        struct lst_slice tail = lst_slice_after(key, key.length - LST_JOB_ID_SIZE);

        if (tail.bytes != NULL && memcmp(tail.bytes, id, LST_JOB_ID_SIZE) == 0) {
            return lst_job_read(key, value, ret_job);
        }
        if (++seen == LST_DELIVERIES_SEEN_MAX) {
            return LST_ERR_TOO_LARGE;
        }
        status = lst_index_next(reader, &key, &value);
    }
    return status == LST_OK ? LST_ERR_NOT_FOUND : status;
}

int lst_delivery_find(struct lst_index_reader *reader, struct lst_slice profile,
                      const uint8_t id[LST_JOB_ID_SIZE], struct lst_job *ret_job)
{
    int status;

    if (profile.length > LST_PROFILE_NAME_MAX) {
        return LST_ERR_NOT_FOUND;
    }
    status = find_among(reader, true, profile, id, ret_job);
    if (status == LST_ERR_NOT_FOUND) {
        status = find_among(reader, false, profile, id, ret_job);
    }
    /* It may have been given up after the first look. */
    return status == LST_ERR_NOT_FOUND ? find_among(reader, true, profile, id, ret_job) : status;
}

void lst_delivery_renew(struct lst_job *job, int64_t now_ms)
{
    if (job->is_given_up) {
        job->is_given_up = false;
        job->created_ms = now_ms;
        job->attempts = 0;
    }
    job->due_ms = now_ms;
}

/* ---- Forgetting */

struct sweep {
    struct lst_index_reader *reader;
    struct lst_ledger_changes *more;
    int64_t before_ms; /* what was given up before then goes */
    size_t forgotten;
};

/* How many messages of a profile there are; the reader is left behind them. */
static size_t count_rows(struct lst_index_reader *reader, struct lst_slice prefix)
{
    struct lst_slice key;
    struct lst_slice value;
    size_t count = 0;
    int status = lst_index_seek(reader, LST_LEDGER_PARTITION, prefix, &key, &value);

    while ((status == LST_OK || lst_index_is_damaged_row(status, key)) &&
           lst_slice_starts_with(key, prefix)) {
        count++;
        status = lst_index_next(reader, &key, &value);
    }
    return count;
}

/* The oldest are first. What can't be read goes too. */
static int sweep_profile(struct sweep *sweep, struct lst_slice prefix)
{
    size_t count = count_rows(sweep->reader, prefix);
    struct lst_slice key;
    struct lst_slice value;
    struct lst_job job;
    int status = lst_index_seek(sweep->reader, LST_LEDGER_PARTITION, prefix, &key, &value);

    while ((status == LST_OK || lst_index_is_damaged_row(status, key)) &&
           lst_slice_starts_with(key, prefix) && sweep->forgotten < FORGOTTEN_MAX &&
           (count > LST_DELIVERIES_KEPT_MAX || status != LST_OK ||
            lst_job_read(key, value, &job) != LST_OK || job.due_ms < sweep->before_ms)) {
        status = lst_ledger_changes_delete(sweep->more, key);
        sweep->forgotten++;
        count--;
        if (status == LST_OK) {
            status = lst_index_next(sweep->reader, &key, &value);
        }
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

/* Profile by profile, as their rows stand. */
static int sweep_all(struct sweep *sweep)
{
    char next[LST_JOB_KEY_MAX] = LST_JOB_GIVEN_UP_ROW;
    size_t length = 1;
    struct lst_slice key;
    struct lst_slice value;
    int status = LST_OK;

    while (status == LST_OK && sweep->forgotten < FORGOTTEN_MAX) {
        status = lst_index_seek(sweep->reader, LST_LEDGER_PARTITION, lst_slice_make(next, length),
                                &key, &value);
        status = lst_index_is_damaged_row(status, key) ? LST_OK : status; /* it goes below */
        if (status != LST_OK || key.bytes[0] != LST_JOB_GIVEN_UP_ROW[0]) {
            break;
        }
        length = lst_slice_find(key, '\0') + 1;
        if (length > key.length || length > sizeof(next)) {
            return lst_ledger_changes_delete(sweep->more, key); /* no message */
        }
        memcpy(next, key.bytes, length);
        status = sweep_profile(sweep, lst_slice_make(next, length));
        next[length - 1] = '\1'; /* behind all that begin with the name and 00 */
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

int lst_delivery_sweep(struct lst_index *index, int64_t now_ms, struct lst_ledger_changes *more)
{
    struct sweep sweep = {.more = more, .before_ms = now_ms - LST_DELIVERIES_KEPT_MS};
    int status = lst_index_read_begin(index, &sweep.reader);

    if (status == LST_OK) {
        status = sweep_all(&sweep);
        lst_index_read_end(sweep.reader);
    }
    return status;
}
