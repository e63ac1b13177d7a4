/* upload_events.c - from what the ledger records of uploads to jobs for their webhooks. */
#include "api/upload_events.h"

#include "api/delivery.h"
#include "api/event.h"
#include "api/idempotency.h"
#include "api/jobs.h"
#include "api/link.h"
#include "api/profiles.h"
#include "api/upload_note.h"

enum { CLIENT_GONE = 499 };

/* A settled use of an upload's URL. */
struct use {
    const struct lst_api *api;
    const struct lst_use_outcome *outcome;
    struct lst_ticket ticket;
};

/* An object was made: what is a step on the way to one, such as a part, has no ETag. */
static bool is_success(const struct lst_use_outcome *outcome)
{
    return outcome->http_status >= 200 && outcome->http_status <= 299 && outcome->etag.length > 0;
}

/* What came was refused. A client who hung up may come again. */
static bool is_refusal(const struct lst_use_outcome *outcome)
{
    return outcome->http_status >= 400 && outcome->http_status < CLIENT_GONE;
}

/* Is its x-latch-id a ticket of ours, for this very key? */
static bool read_use(const struct lst_api *api, const struct lst_use_outcome *outcome,
                     struct use *ret_use)
{
    ret_use->api = api;
    ret_use->outcome = outcome;
    return lst_ticket_read_at(api->secret, outcome->use.user, outcome->use.id, outcome->use.bucket,
                              outcome->use.key, &ret_use->ticket) == LST_OK;
}

/* ---- Was it told before? */

struct history {
    const struct lst_event *event;
    bool has_object; /* the event's time is that of the object */
    bool is_told;
};

static int look_back(void *context, const struct lst_use_outcome *earlier)
{
    struct history *history = context;
    const struct lst_event *event = history->event;

    if (event->kind == LST_EVENT_COMPLETE) {
        /* A request that was repeated, and found its work done. */
        history->is_told |= history->has_object && is_success(earlier) &&
                            earlier->ended_ms >= event->time_ms &&
                            lst_slice_find_slice(earlier->etag, event->etag) < earlier->etag.length;
    } else {
        history->is_told |= is_success(earlier) || is_refusal(earlier);
    }
    return LST_OK;
}

static int find_history(const struct use *use, struct history *history)
{
    return lst_ledger_uses(use->api->options.ledger, use->outcome->use.user, use->outcome->use.id,
                           look_back, history);
}

/* ---- The event */

static int add_job(const struct use *use, const struct lst_event *event,
                   struct lst_ledger_changes *more)
{
    struct lst_job job = {
        .profile = use->ticket.profile, .due_ms = event->time_ms, .created_ms = event->time_ms};
    struct lst_buffer value;
    char key[LST_JOB_KEY_MAX];
    char head[LST_JOB_HEAD_LENGTH];
    int status;

    lst_event_id(event, job.id);
    lst_job_head(&job, head);
    lst_buffer_init(&value, LST_JOB_BODY_MAX);
    lst_buffer_append(&value, lst_slice_make(head, sizeof(head)));
    status = lst_event_write(event, &value);
    if (status == LST_OK) {
        status = lst_ledger_changes_put(more, lst_slice_make(key, lst_job_key(&job, key)),
                                        lst_buffer_slice(&value));
    }
    lst_buffer_release(&value);
    return status;
}

static int tell(const struct use *use, struct lst_event *event, bool has_object,
                struct lst_ledger_changes *more)
{
    struct history history = {.event = event, .has_object = has_object};
    int status = find_history(use, &history);

    if (status != LST_OK || history.is_told) {
        return status;
    }
    status = lst_upload_note_find(lst_ledger_index(use->api->options.ledger), use->ticket.text,
                                  &event->note);
    if (status == LST_OK) {
        status = add_job(use, event, more);
        json_decref(event->note);
        event->note = NULL;
    }
    return status;
}

/* The object knows best what it is; but somebody may have replaced it already. */
static int tell_of_it(const struct use *use, struct lst_ledger_changes *more)
{
    const struct lst_use_outcome *outcome = use->outcome;
    struct lst_event event = {
        .kind = is_success(outcome) ? LST_EVENT_COMPLETE : LST_EVENT_REJECTED,
        .ticket = &use->ticket,
        .time_ms = outcome->ended_ms,
        .size = outcome->size,
        .etag = outcome->etag,
        .type = outcome->type,
        .reason = outcome->reason,
    };
    struct lst_uploaded uploaded;
    int status = lst_uploaded_find(use->api->options.store, &use->ticket, &uploaded);

    if (status == LST_ERR_NOT_FOUND) {
        return tell(use, &event, false, more);
    }
    if (status != LST_OK || event.kind == LST_EVENT_REJECTED) {
        return status; /* refused because it is complete: that is no news */
    }
    event.time_ms = uploaded.modified_ms;
    event.size = uploaded.size;
    event.etag = lst_slice_of(uploaded.etag);
    event.type = lst_slice_of(uploaded.type);
    return tell(use, &event, true, more);
}

static int has_webhook(const struct use *use, bool *ret_has)
{
    const struct lst_profile *profile;
    int status = lst_profiles_find(use->api->profiles, use->ticket.profile, &profile);

    *ret_has = false;
    if (status == LST_OK) {
        *ret_has = profile->webhook_url[0] != '\0';
        lst_profile_unref(profile);
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

/* On the ledger's thread. */
static int settled(void *context, const struct lst_use_outcome *outcome,
                   struct lst_ledger_changes *more)
{
    struct use use;
    bool has = false;
    int status;

    if (!outcome->use.is_write || (!is_success(outcome) && !is_refusal(outcome)) ||
        !read_use(context, outcome, &use)) {
        return LST_OK;
    }
    status = has_webhook(&use, &has);
    return status == LST_OK && has ? tell_of_it(&use, more) : status;
}

/* An id that is an upload's ticket names what came of it, to its status and to webhooks. So no
 * other user signs for it. */
static bool admits(void *context, const struct lst_use *use)
{
    const struct lst_api *api = context;
    struct lst_ticket ticket;

    return lst_ticket_read_at(api->secret, use->user, use->id, use->bucket, use->key, &ticket) !=
           LST_ERR_PERMISSION;
}

static void written(void *context)
{
    const struct lst_api *api = context;

    lst_jobs_wake(api->jobs);
}

/* ---- After a crash */

/* A use of which nobody knows what came of it: but the object may. */
static int settle_open(void *context, const struct lst_use_outcome *open_use)
{
    const struct lst_api *api = context;
    struct lst_use_outcome outcome = *open_use;
    struct lst_uploaded uploaded;
    struct use use;
    int status;

    if (!read_use(api, open_use, &use)) {
        return LST_OK;
    }
    status = lst_uploaded_find(api->options.store, &use.ticket, &uploaded);
    if (status == LST_OK) {
        outcome.http_status = 200;
        outcome.size = uploaded.size;
        outcome.ended_ms = uploaded.modified_ms;
        outcome.etag = lst_slice_of(uploaded.etag);
        outcome.type = lst_slice_of(uploaded.type);
    } else if (status == LST_ERR_NOT_FOUND) {
        outcome.reason = LST_SLICE("the server stopped in between");
    } else {
        return status;
    }
    lst_ledger_settle(api->options.ledger, &outcome);
    return LST_OK;
}

static int sweep(void *context, int64_t now_ms, struct lst_ledger_changes *more)
{
    struct lst_api *api = context;
    struct lst_index *index = lst_ledger_index(api->options.ledger);
    int status = lst_idempotency_sweep(index, now_ms / 1000, more);

    if (status == LST_OK) {
        status = lst_upload_note_sweep(index, api->options.store, now_ms / 1000,
                                       &api->note_position, more);
    }
    if (status == LST_OK) {
        status = lst_delivery_sweep(index, now_ms, more);
    }
    return status == LST_OK ? lst_link_sweep(index, now_ms / 1000, api->sweep_position, more)
                            : status;
}

int lst_upload_events_begin(struct lst_api *api)
{
    const struct lst_ledger_hook hook = {
        .admits = admits, .settled = settled, .written = written, .sweep = sweep, .context = api};

    lst_ledger_on_settled(api->options.ledger, &hook);
    return lst_ledger_open_uses(api->options.ledger, settle_open, api);
}

void lst_upload_events_end(struct lst_api *api)
{
    lst_ledger_end_hook(api->options.ledger);
}
