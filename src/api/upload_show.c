/*
 * upload_show.c - GET /-/api/uploads/ID: what came of an upload.
 *
 * Nothing was written when it was created. The object knows the ticket with which it was uploaded,
 * and the ledger what came of each request with it.
 */
#include "api/upload_note.h"
#include "api/upload_object.h"

#include <stdio.h>

enum { LIFE_USUAL = 3600 };

/* What the ledger knows. */
struct history {
    bool is_complete;
    bool is_rejected;
    struct lst_uploaded uploaded;
    char reason[513];
};

static void copy(struct lst_slice text, char *out, size_t size)
{
    (void)snprintf(out, size, "%.*s", (int)text.length, text.length == 0 ? "" : text.bytes);
}

static int visit(void *context, const struct lst_use_outcome *outcome)
{
    struct history *history = context;

    /* Without an ETag it was a step on the way to an object: a part, for one. */
    if (outcome->http_status >= 200 && outcome->http_status < 300 && outcome->etag.length > 0) {
        history->is_complete = true;
        history->uploaded.size = outcome->size;
        copy(outcome->etag, history->uploaded.etag, sizeof(history->uploaded.etag));
        copy(outcome->type, history->uploaded.type, sizeof(history->uploaded.type));
    } else if (outcome->http_status >= 400 && outcome->http_status < 499) {
        /* 499: the client hung up, and may come again. */
        history->is_rejected = true;
        copy(outcome->reason, history->reason, sizeof(history->reason));
    }
    return LST_OK;
}

const char *lst_uploads_open_state(const struct lst_api_exchange *exchange,
                                   const struct lst_ticket *ticket)
{
    return lst_api_now(exchange) >= ticket->expires ? "expired" : "pending";
}

/* Seconds that a link to the object lives, and where the profile has its objects: here, if the
 * profile is gone. */
static int look_at_profile(const struct lst_api_exchange *exchange, struct lst_slice name,
                           int64_t *ret_life, char ret_remote[LST_PROFILE_NAME_MAX + 1])
{
    const struct lst_profile *profile;
    int status = lst_profiles_find(exchange->api->profiles, name, &profile);

    *ret_life = LIFE_USUAL;
    ret_remote[0] = '\0';
    if (status == LST_OK) {
        *ret_life = profile->link_expires;
        memcpy(ret_remote, profile->remote, sizeof(profile->remote));
        lst_profile_unref(profile);
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

/* Add what is known of a complete upload's object. An error of the index. */
static int add_object(const struct lst_api_exchange *exchange, const struct lst_ticket *ticket,
                      const struct lst_uploaded *uploaded, bool is_there,
                      const struct lst_remote *remote, json_t **json)
{
    char name[LST_PROFILE_NAME_MAX + 1];
    int64_t life;
    int status = look_at_profile(exchange, ticket->profile, &life, name);

    if (status != LST_OK) {
        return status;
    }
    lst_api_json_set(json, "size", json_integer((json_int_t)uploaded->size));
    lst_api_json_set(json, "etag", lst_api_json_slice(lst_slice_of(uploaded->etag)));
    lst_api_json_set(json, "type", lst_api_json_slice(lst_slice_of(uploaded->type)));
    if (is_there) {
        lst_api_json_set(json, "object",
                         lst_uploads_object(exchange, remote, ticket->bucket, ticket->key,
                                            lst_slice_of(uploaded->etag), life));
    }
    return LST_OK;
}

void lst_uploads_answer(struct lst_api_exchange *exchange, const struct lst_ticket *ticket,
                        const char *state, const struct lst_uploaded *uploaded, bool is_there,
                        const char *reason, const struct lst_remote *remote)
{
    json_t *note;
    json_t *json;
    int status =
        lst_upload_note_find(lst_ledger_index(exchange->api->options.ledger), ticket->text, &note);

    if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
        return;
    }
    json =
        json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "id", lst_api_json_slice(exchange->name),
                  "status", state, "bucket", lst_api_json_slice(ticket->bucket), "key",
                  lst_api_json_slice(ticket->key), "created_at", lst_api_json_time(ticket->created),
                  "expires_at", lst_api_json_time(ticket->expires));
    lst_upload_note_show(note, &json);
    json_decref(note);
    if (strcmp(state, "complete") == 0) {
        status = add_object(exchange, ticket, uploaded, is_there, remote, &json);
    } else if (reason[0] != '\0') {
        lst_api_json_set(&json, "reason", lst_api_json_slice(lst_slice_of(reason)));
    }
    if (status == LST_OK) {
        lst_api_answer(exchange, 200, json);
    } else {
        json_decref(json);
        lst_api_fail_code(exchange, status);
    }
}

static void show_own(struct lst_api_exchange *exchange, const struct lst_ticket *ticket)
{
    struct history history = {0};
    const char *state;
    bool is_there = false;
    int status = lst_ledger_uses(exchange->api->options.ledger,
                                 lst_slice_of(lst_passage_user_name(&exchange->bearer.passage)),
                                 ticket->text, visit, &history);

    if (status == LST_OK) {
        status = lst_uploaded_find(exchange->api->options.store, ticket, &history.uploaded);
        is_there = status == LST_OK;
        history.is_complete = history.is_complete || is_there;
    }
    if (status != LST_OK && status != LST_ERR_NOT_FOUND) {
        lst_api_fail_code(exchange, status);
        return;
    }
    state = history.is_rejected ? "rejected" : lst_uploads_open_state(exchange, ticket);
    lst_uploads_answer(exchange, ticket, history.is_complete ? "complete" : state,
                       &history.uploaded, is_there, history.reason, NULL);
}

static void show(void *owner)
{
    struct lst_api_exchange *exchange = owner;
    char remote[LST_PROFILE_NAME_MAX + 1];
    struct lst_ticket ticket;
    int64_t life;
    int status =
        lst_ticket_read(exchange->api->secret, lst_api_user(exchange), exchange->name, &ticket);

    if (status != LST_OK || !lst_upload_is_own(exchange, &ticket)) {
        lst_api_fail(exchange, 404, "NoSuchUpload", "You have no upload of this id");
        return;
    }
    status = look_at_profile(exchange, ticket.profile, &life, remote);
    if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
    } else if (remote[0] != '\0') {
        lst_uploads_ask_remote(exchange, lst_slice_of(remote));
    } else {
        show_own(exchange, &ticket);
    }
}

void lst_uploads_show(struct lst_api_exchange *exchange)
{
    lst_api_after_uses(exchange, show);
}
