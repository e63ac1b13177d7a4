/*
 * upload_show.c - GET /-/api/uploads/ID: what came of an upload.
 *
 * Nothing was written when it was created. The object knows the ticket with which it was uploaded,
 * and the ledger what came of each request with it.
 */
#include "api/upload.h"
#include "api/upload_object.h"

#include <stdio.h>

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

static const char *status_of(const struct history *history, bool is_over)
{
    if (history->is_complete) {
        return "complete";
    }
    if (history->is_rejected) {
        return "rejected";
    }
    return is_over ? "expired" : "pending";
}

static void answer(struct lst_api_exchange *exchange, const struct lst_ticket *ticket,
                   const struct history *history)
{
    const struct lst_profile *profile;
    json_t *json = json_pack(
        "{s:o, s:s, s:o, s:o, s:o, s:o}", "id", lst_api_json_slice(exchange->name), "status",
        status_of(history, lst_api_now(exchange) >= ticket->expires), "bucket",
        lst_api_json_slice(ticket->bucket), "key", lst_api_json_slice(ticket->key), "created_at",
        lst_api_json_time(ticket->created), "expires_at", lst_api_json_time(ticket->expires));

    if (history->is_complete) {
        int64_t life = 3600;

        if (lst_profiles_find(exchange->api->profiles, ticket->profile, &profile) == LST_OK) {
            life = profile->link_expires;
            lst_profile_unref(profile);
        }
        (void)json_object_set_new(json, "size", json_integer((json_int_t)history->uploaded.size));
        (void)json_object_set_new(json, "etag", json_string(history->uploaded.etag));
        (void)json_object_set_new(json, "type", json_string(history->uploaded.type));
        (void)json_object_set_new(json, "object",
                                  lst_uploads_object(exchange, ticket->bucket, ticket->key, life));
    } else if (history->is_rejected) {
        (void)json_object_set_new(json, "reason", json_string(history->reason));
    }
    lst_api_answer(exchange, 200, json);
}

void lst_uploads_show(struct lst_api_exchange *exchange)
{
    struct history history = {0};
    struct lst_ticket ticket;
    int status = lst_ticket_read(exchange->api->secret, exchange->name, &ticket);

    if (status != LST_OK || !lst_upload_is_own(exchange, &ticket)) {
        lst_api_fail(exchange, 404, "NoSuchUpload", "You have no upload of this id");
        return;
    }
    status = lst_ledger_uses(exchange->api->options.ledger,
                             lst_slice_of(lst_passage_user_name(&exchange->bearer.passage)),
                             ticket.text, visit, &history);
    if (status == LST_OK) {
        status = lst_uploaded_find(exchange->api->options.store, &ticket, &history.uploaded);
        history.is_complete = history.is_complete || status == LST_OK;
    }
    if (status != LST_OK && status != LST_ERR_NOT_FOUND) {
        lst_api_fail_code(exchange, status);
        return;
    }
    answer(exchange, &ticket, &history);
}
