/* webhook_message.c - messages: from the outcome of a use to what is sent. */
#include "api/profiles.h"
#include "api/ticket.h"
#include "api/upload_object.h"
#include "api/webhooks_state.h"
#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>

static const struct lst_slice alphabet = {"0123456789abcdefghijklmnopqrstuvwxyz", 36};

void lst_message_key(int64_t due_ms, const char *id, char ret_key[LST_MESSAGE_KEY_LENGTH])
{
    char digits[LST_MESSAGE_DUE_LENGTH + 8];

    (void)snprintf(digits, sizeof(digits), "%0*lld", LST_MESSAGE_DUE_LENGTH, (long long)due_ms);
    ret_key[0] = 'j';
    memcpy(ret_key + 1, digits, LST_MESSAGE_DUE_LENGTH);
    memcpy(ret_key + 1 + LST_MESSAGE_DUE_LENGTH, id, LST_MESSAGE_ID_LENGTH);
}

/* ---- Made */

/* What is there to say? NULL: nothing. A client that went away, or found the object there already,
 * has not been refused for what it sent. */
static const char *event_of(const struct lst_use_outcome *outcome)
{
    int status = outcome->http_status;

    if (!outcome->use.is_write) {
        return NULL;
    }
    if (status >= 200 && status < 300) {
        return outcome->etag.length > 0 ? "upload.complete" : NULL;
    }
    return status == 400 || status == 403 || status == 413 ? "upload.rejected" : NULL;
}

static bool has_webhook(const struct lst_api *api, struct lst_slice name)
{
    const struct lst_profile *profile;
    bool has;

    if (lst_profiles_find(api->profiles, name, &profile) != LST_OK) {
        return false;
    }
    has = profile->webhook_url[0] != '\0';
    lst_profile_unref(profile);
    return has;
}

static char *make_row(const struct lst_ticket *ticket, const struct lst_use_outcome *outcome,
                      const char *event)
{
    json_t *json = json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:I, s:i, s:I, s:o, s:o, s:o}", "event", event, "profile",
        lst_api_json_slice(ticket->profile), "ticket", lst_api_json_slice(ticket->text), "bucket",
        lst_api_json_slice(ticket->bucket), "key", lst_api_json_slice(ticket->key), "created",
        (json_int_t)outcome->ended_ms, "attempts", 0, "size", (json_int_t)outcome->size, "etag",
        lst_api_json_slice(outcome->etag), "type", lst_api_json_slice(outcome->type), "reason",
        lst_api_json_slice(outcome->reason));
    char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);

    json_decref(json);
    return text;
}

int lst_message_settled(void *context, const struct lst_use_outcome *outcome,
                        struct lst_ledger_changes *more)
{
    const struct lst_webhooks *webhooks = context;
    const char *event = event_of(outcome);
    struct lst_ticket ticket;
    char id[LST_MESSAGE_ID_LENGTH];
    char key[LST_MESSAGE_KEY_LENGTH];
    char *row;
    int status;

    if (event == NULL ||
        lst_ticket_read_at(webhooks->api->secret, outcome->use.id, outcome->use.bucket,
                           outcome->use.key, &ticket) != LST_OK ||
        !has_webhook(webhooks->api, ticket.profile)) {
        return LST_OK;
    }
    lst_random_text(alphabet, id, sizeof(id));
    lst_message_key(outcome->ended_ms, id, key);
    row = make_row(&ticket, outcome, event);
    if (row == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    status = lst_ledger_changes_put(more, lst_slice_make(key, sizeof(key)), lst_slice_of(row));
    free(row);
    return status;
}

/* ---- Left open */

static int recover(void *context, const struct lst_use_outcome *left)
{
    struct lst_webhooks *webhooks = context;
    struct lst_use_outcome outcome = *left;
    struct lst_ticket ticket;
    struct lst_uploaded uploaded = {0};

    if (lst_ticket_read_at(webhooks->api->secret, left->use.id, left->use.bucket, left->use.key,
                           &ticket) != LST_OK) {
        return LST_OK;
    }
    if (lst_uploaded_find(webhooks->api->options.store, &ticket, &uploaded) == LST_OK) {
        outcome.http_status = 200;
        outcome.size = uploaded.size;
        outcome.etag = lst_slice_of(uploaded.etag);
        outcome.type = lst_slice_of(uploaded.type);
        outcome.reason = LST_SLICE("found after a crash");
    }
    lst_ledger_settle(webhooks->api->options.ledger, &outcome);
    return LST_OK;
}

int lst_messages_recover(struct lst_webhooks *webhooks)
{
    return lst_ledger_open_uses(webhooks->api->options.ledger, recover, webhooks);
}

/* ---- Sent */

static json_t *text_of(json_t *row, const char *name)
{
    return json_incref(json_object_get(row, name));
}

static json_t *describe(const struct lst_api *api, json_t *row, const struct lst_ticket *ticket)
{
    bool is_complete =
        strcmp(json_string_value(json_object_get(row, "event")), "upload.complete") == 0;
    struct lst_uploaded uploaded = {0};
    struct lst_buffer id;
    json_t *json;

    lst_buffer_init(&id, LST_UPLOAD_ID_MAX);
    lst_ticket_append_id(ticket, &id);
    json =
        json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "id", lst_api_json_slice(lst_buffer_slice(&id)),
                  "status", is_complete ? "complete" : "rejected", "profile",
                  text_of(row, "profile"), "bucket", text_of(row, "bucket"), "key",
                  text_of(row, "key"), "created_at", lst_api_json_time(ticket->created));
    lst_buffer_release(&id);
    if (!is_complete) {
        (void)json_object_set(json, "reason", json_object_get(row, "reason"));
    } else if (lst_uploaded_find(api->options.store, ticket, &uploaded) == LST_OK) {
        (void)json_object_set_new(json, "size", json_integer((json_int_t)uploaded.size));
        (void)json_object_set_new(json, "etag", json_string(uploaded.etag));
        (void)json_object_set_new(json, "type", json_string(uploaded.type));
    } else { /* it has been replaced or deleted since */
        (void)json_object_set(json, "size", json_object_get(row, "size"));
        (void)json_object_set(json, "etag", json_object_get(row, "etag"));
        (void)json_object_set(json, "type", json_object_get(row, "type"));
    }
    return json;
}

static struct lst_slice slice_of(json_t *row, const char *name)
{
    const json_t *value = json_object_get(row, name);

    return lst_slice_make(json_string_value(value), json_string_length(value));
}

int lst_message_write(const struct lst_api *api, const char *id, json_t *row,
                      struct lst_buffer *out)
{
    struct lst_ticket ticket;
    json_t *json;
    char *text;
    int status = lst_ticket_read_at(api->secret, slice_of(row, "ticket"), slice_of(row, "bucket"),
                                    slice_of(row, "key"), &ticket);

    if (status != LST_OK || !json_is_string(json_object_get(row, "event"))) {
        return LST_ERR_CORRUPT;
    }
    json = json_pack("{s:s%, s:o, s:o, s:o}", "id", id, (size_t)LST_MESSAGE_ID_LENGTH, "event",
                     text_of(row, "event"), "at",
                     lst_api_json_time(json_integer_value(json_object_get(row, "created")) / 1000),
                     "upload", describe(api, row, &ticket));
    text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (text == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    lst_buffer_append_string(out, text);
    free(text);
    return lst_buffer_status(out);
}
