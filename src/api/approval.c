/* approval.c - asking the application whether an upload may become visible. */
#include "api/approval.h"

#include "access/json.h"
#include "api/event.h"
#include "api/jobs.h"
#include "api/profiles.h"
#include "api/upload_note.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "base/random.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { TOKEN_BYTES = 32, TOKEN = LST_BASE64URL_LENGTH(TOKEN_BYTES) };

/* One that waits. */
struct pending {
    struct lst_approvals *approvals;
    struct lst_approval *approval;
    const struct lst_profile *profile;
    struct lst_question question;
    char *body;
    char token[TOKEN]; /* of the address of its bytes */
    struct pending *next;
};

struct lst_approvals {
    struct lst_api *api;
    struct lst_approver approver;
    pthread_mutex_t lock; /* of all that follows. What is in the list is staged */
    struct pending *first;
    size_t count;
};

/* ---- Has it to be approved? */

/* The profile is gone, and so is who could approve: was it to be asked? */
static int was_wanted(const struct lst_api *api, struct lst_slice ticket, bool *ret_wants)
{
    json_t *note;
    int status = lst_upload_note_find(lst_ledger_index(api->options.ledger), ticket, &note);

    if (status == LST_OK) {
        *ret_wants = json_is_true(json_object_get(note, "approve"));
        json_decref(note);
    }
    return status;
}

static int wants(void *context, const struct lst_use *use, bool *ret_wants)
{
    const struct lst_approvals *approvals = context;
    const struct lst_api *api = approvals->api;
    const struct lst_profile *profile;
    struct lst_ticket ticket;
    int status;

    *ret_wants = false;
    status = lst_ticket_read_at(api->secret, use->user, use->id, use->bucket, use->key, &ticket);
    if (status == LST_ERR_NOT_FOUND) {
        return LST_OK; /* no upload of a profile */
    }
    if (status != LST_OK) {
        return status; /* nobody can say that it needs no approval */
    }
    status = lst_profiles_find(api->profiles, ticket.profile, &profile);
    if (status == LST_ERR_NOT_FOUND) {
        return was_wanted(api, ticket.text, ret_wants);
    }
    if (status == LST_OK) {
        *ret_wants = profile->approve_url[0] != '\0';
        lst_profile_unref(profile);
    }
    return status;
}

/* ---- The list */

static void free_pending(struct pending *pending)
{
    lst_profile_unref(pending->profile);
    lst_buffer_release(&pending->question.answer);
    free(pending->body);
    lst_wipe(pending->token, sizeof(pending->token));
    free(pending);
}

/* False: too many wait already. */
static bool add(struct lst_approvals *approvals, struct pending *pending)
{
    size_t same = 0;
    bool has_room;

    pthread_mutex_lock(&approvals->lock);
    for (const struct pending *other = approvals->first; other != NULL; other = other->next) {
        same += strcmp(other->profile->name, pending->profile->name) == 0;
    }
    has_room = approvals->count < LST_APPROVALS_MAX && same < LST_APPROVALS_PROFILE_MAX;
    if (has_room) {
        pending->next = approvals->first;
        approvals->first = pending;
        approvals->count++;
    }
    pthread_mutex_unlock(&approvals->lock);
    return has_room;
}

static void take_off(struct lst_approvals *approvals, const struct pending *pending)
{
    struct pending **link = &approvals->first;

    pthread_mutex_lock(&approvals->lock);
    while (*link != NULL && *link != pending) {
        link = &(*link)->next;
    }
    if (*link != NULL) {
        *link = pending->next;
        approvals->count--;
    }
    pthread_mutex_unlock(&approvals->lock);
}

/* Nobody can fetch the bytes any more when the write goes on. */
static void end(struct pending *pending, enum lst_verdict verdict, const char *reason)
{
    struct lst_approval *approval = pending->approval;

    take_off(pending->approvals, pending);
    lst_approval_end(approval, verdict, reason);
    free_pending(pending);
}

static void end_failed(struct pending *pending, int code)
{
    struct lst_approval *approval = pending->approval;

    take_off(pending->approvals, pending);
    lst_approval_end_failed(approval, code);
    free_pending(pending);
}

/* ---- The answer */

/* A text of the application's, which the client is shown: on one line, not cut amid a character,
 * and without the two characters of UTF-8 that XML does not have, U+FFFE and U+FFFF. */
static void copy_reason(const char *text, char ret_reason[LST_APPROVAL_REASON_MAX])
{
    size_t length = strlen(text);

    if (length >= LST_APPROVAL_REASON_MAX) {
        length = LST_APPROVAL_REASON_MAX - 1;
        while (length > 0 && (text[length] & '\xC0') == '\x80') {
            length--;
        }
    }
    memcpy(ret_reason, text, length);
    ret_reason[length] = '\0';
    for (char *at = ret_reason; *at != '\0'; at++) {
        *at = (unsigned char)*at < ' ' || *at == '\x7F' ? ' ' : *at;
        if (strncmp(at, "\xEF\xBF\xBE", 3) == 0 || strncmp(at, "\xEF\xBF\xBF", 3) == 0) {
            at[2] = '\xBD'; /* U+FFFD */
        }
    }
}

/* Only a plain yes or no is one: {"approve": true}, {"approve": false, "reason": "..."}. */
static enum lst_verdict read_answer(const struct lst_buffer *answer,
                                    char ret_reason[LST_APPROVAL_REASON_MAX])
{
    json_error_t error;
    json_t *json = NULL;
    const json_t *approve = NULL;
    const char *reason;
    enum lst_verdict verdict = LST_VERDICT_NONE;
    int status = lst_buffer_status(answer);

    if (status == LST_OK && answer->length > 0) {
        status = lst_json_load(lst_buffer_slice(answer), JSON_REJECT_DUPLICATES, &json, &error);
        approve = json_object_get(json, "approve");
    }
    if (status == LST_ERR_NO_MEMORY) {
        return LST_VERDICT_BUSY;
    }
    (void)snprintf(ret_reason, LST_APPROVAL_REASON_MAX, "it answered with neither a yes nor a no");
    if (json_is_true(approve)) {
        verdict = LST_VERDICT_YES;
    } else if (json_is_false(approve)) {
        reason = json_string_value(json_object_get(json, "reason"));
        verdict = LST_VERDICT_NO;
        copy_reason(reason == NULL ? "" : reason, ret_reason);
    }
    json_decref(json);
    return verdict;
}

/* Nothing becomes visible for an id after it was revoked: that may have happened meanwhile. */
static void end_approved(struct pending *pending)
{
    const struct lst_use *use = &pending->approval->use;
    int status = lst_ledger_check(pending->approvals->api->options.ledger, use->user, use->id, 0);

    if (status == LST_OK) {
        end(pending, LST_VERDICT_YES, "");
    } else if (status == LST_ERR_CLOSED) {
        end(pending, LST_VERDICT_NO, "it was revoked while it waited for approval");
    } else {
        end_failed(pending, status);
    }
}

/* On the thread of the jobs. */
static void is_answered(struct lst_question *question)
{
    struct pending *pending = question->context;
    char reason[LST_APPROVAL_REASON_MAX] = "";
    enum lst_verdict verdict = LST_VERDICT_NONE;

    if (question->failure != LST_OK) {
        end_failed(pending, question->failure);
        return;
    }
    if (question->is_cancelled) {
        verdict = LST_VERDICT_STOPPED;
    } else if (question->http_status == 0) {
        (void)snprintf(reason, sizeof(reason), "%s", question->problem);
    } else if (question->http_status < 200 || question->http_status > 299) {
        (void)snprintf(reason, sizeof(reason), "it answered with status %d", question->http_status);
    } else {
        verdict = read_answer(&question->answer, reason);
    }
    if (verdict == LST_VERDICT_YES) {
        end_approved(pending);
    } else {
        end(pending, verdict, reason);
    }
}

/* ---- The question */

static void make_token(char ret_token[TOKEN])
{
    uint8_t bytes[TOKEN_BYTES];

    lst_random_bytes(bytes, sizeof(bytes));
    (void)lst_base64url_encode(bytes, sizeof(bytes), ret_token);
    lst_wipe(bytes, sizeof(bytes));
}

/* Of the host nothing is taken from the request: with a Host of his own a client would have the
 * application look at another server's bytes. */
static json_t *make_url(const struct pending *pending)
{
    const struct lst_api_options *options = &pending->approvals->api->options;
    struct lst_buffer url;
    json_t *json = NULL;

    lst_buffer_init(&url, LST_API_URL_MAX);
    lst_buffer_append(&url,
                      options->public_url.length > 0 ? options->public_url : options->own_url);
    lst_buffer_append_string(&url, LST_STAGED_PATH);
    lst_buffer_append(&url, lst_slice_make(pending->token, sizeof(pending->token)));
    if (lst_buffer_status(&url) == LST_OK) {
        json = lst_api_json_slice(lst_buffer_slice(&url));
    }
    lst_buffer_release(&url);
    return json;
}

/* The message, and the profile that is asked. */
static int make_body(struct pending *pending)
{
    const struct lst_api *api = pending->approvals->api;
    const struct lst_use *use = &pending->approval->use;
    int64_t now = lst_clock_now_ms() / 1000;
    struct lst_event event = {.kind = LST_EVENT_QUESTION, .time_ms = now * 1000};
    struct lst_object object;
    struct lst_ticket ticket;
    json_t *json;
    int status =
        lst_ticket_read_at(api->secret, use->user, use->id, use->bucket, use->key, &ticket);

    if (status == LST_OK) {
        status = lst_profiles_find(api->profiles, ticket.profile, &pending->profile);
    }
    if (status == LST_OK) {
        status = lst_staged_look(pending->approval->staged, &object);
    }
    if (status == LST_OK) {
        status =
            lst_upload_note_find(lst_ledger_index(api->options.ledger), ticket.text, &event.note);
    }
    if (status != LST_OK) {
        return status;
    }
    event.ticket = &ticket;
    event.size = object.size;
    event.etag = object.etag;
    event.type = lst_field_value(object.fields, object.field_count, LST_SLICE("content-type"));
    json = lst_event_to_json(&event);
    json_decref(event.note);
    lst_api_json_set(&json, "url", make_url(pending));
    lst_api_json_set(&json, "answer_by",
                     lst_api_json_time(now + pending->profile->approve_seconds));
    pending->body = lst_json_dump(json, JSON_COMPACT);
    json_decref(json);
    return pending->body == NULL ? LST_ERR_NO_MEMORY : LST_OK;
}

static void send(struct pending *pending)
{
    const struct lst_profile *profile = pending->profile;
    int status;

    if (profile->approve_url[0] == '\0') { /* nobody has to be asked any more */
        end(pending, LST_VERDICT_YES, "");
        return;
    }
    if (!add(pending->approvals, pending)) {
        end(pending, LST_VERDICT_BUSY, "");
        return;
    }
    pending->question = (struct lst_question){.url = profile->approve_url,
                                              .secret = profile->approve_secret,
                                              .body = lst_slice_of(pending->body),
                                              .seconds = (long)profile->approve_seconds,
                                              .done = is_answered,
                                              .context = pending};
    status = lst_jobs_ask(pending->approvals->api->jobs, &pending->question);
    if (status != LST_OK) {
        end(pending, LST_VERDICT_BUSY, "");
    }
}

static void ask(void *context, struct lst_approval *approval)
{
    struct pending *pending = calloc(1, sizeof(*pending));
    int status;

    if (pending == NULL) {
        lst_approval_end(approval, LST_VERDICT_BUSY, "");
        return;
    }
    pending->approvals = context;
    pending->approval = approval;
    make_token(pending->token);
    status = make_body(pending);
    if (status == LST_OK) {
        send(pending);
    } else if (status == LST_ERR_NOT_FOUND) {
        end(pending, LST_VERDICT_NONE, "the upload's profile has been removed");
    } else {
        end_failed(pending, status);
    }
}

/* ---- The staged bytes */

static int read_stream(void *context, char *out, size_t capacity, size_t *ret_length)
{
    return lst_object_stream_read(context, out, capacity, ret_length);
}

static void close_stream(void *context)
{
    lst_object_stream_close(context);
}

/* All are compared, so that the time tells nothing. */
static struct pending *find(struct lst_approvals *approvals, struct lst_slice token)
{
    struct pending *found = NULL;

    for (struct pending *pending = approvals->first; pending != NULL; pending = pending->next) {
        if (lst_equal_secret(lst_slice_make(pending->token, sizeof(pending->token)), token)) {
            found = pending;
        }
    }
    return found;
}

/* LST_ERR_NOT_FOUND. */
static int open_staged(struct lst_approvals *approvals, struct lst_slice token, uint64_t *ret_size,
                       struct lst_object_stream **ret_stream)
{
    struct lst_object object = {.size = 0};
    struct pending *pending;
    int status = LST_ERR_NOT_FOUND;

    pthread_mutex_lock(&approvals->lock);
    pending = find(approvals, token);
    if (pending != NULL) {
        status = lst_staged_look(pending->approval->staged, &object);
    }
    if (status == LST_OK) {
        *ret_size = object.size;
        status = lst_object_stream_open(&object, 0, object.size, ret_stream);
    }
    pthread_mutex_unlock(&approvals->lock);
    return status;
}

void lst_approval_fetch(struct lst_api_exchange *exchange)
{
    struct lst_http_response *response = &exchange->response;
    struct lst_object_stream *stream;
    uint64_t size;
    int status = open_staged(exchange->api->approvals, exchange->name, &size, &stream);

    if (status == LST_ERR_NOT_FOUND) {
        lst_api_fail(exchange, 404, "NoSuchUpload",
                     "No upload waits under this address: it has been answered for, or the time to "
                     "answer is over");
        return;
    }
    if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
        return;
    }
    response->status = 200;
    response->length = size;
    if (lst_slice_equal(exchange->request->message.method, LST_SLICE("HEAD"))) {
        lst_object_stream_close(stream);
        response->kind = LST_BODY_LENGTH;
    } else {
        response->kind = LST_BODY_STREAM;
        response->stream =
            (struct lst_http_stream){.read = read_stream, .close = close_stream, .context = stream};
    }
    lst_http_response_add(response, "Content-Type", LST_SLICE("application/octet-stream"));
    lst_http_response_add(response, "Content-Disposition", LST_SLICE("attachment"));
    lst_api_answer_end(exchange);
}

/* ---- Opening */

int lst_approvals_open(struct lst_api *api, struct lst_approvals **ret_approvals)
{
    struct lst_approvals *approvals = calloc(1, sizeof(*approvals));

    if (approvals == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    approvals->api = api;
    approvals->approver = (struct lst_approver){.wants = wants, .ask = ask, .context = approvals};
    pthread_mutex_init(&approvals->lock, NULL);
    lst_s3_set_approver(api->options.s3, &approvals->approver);
    *ret_approvals = approvals;
    return LST_OK;
}

void lst_approvals_close(struct lst_approvals *approvals)
{
    if (approvals != NULL) {
        lst_s3_set_approver(approvals->api->options.s3, NULL);
        pthread_mutex_destroy(&approvals->lock);
        free(approvals);
    }
}
