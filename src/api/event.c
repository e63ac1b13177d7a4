/* event.c - what a receiver of webhooks is told of an upload. */
#include "api/event.h"

#include "api/exchange.h"
#include "api/upload_note.h"
#include "base/encoding.h"
#include "base/random.h"

#include <nettle/sha2.h>

static const char *name_of(const struct lst_event *event)
{
    static const char *const names[] = {
        [LST_EVENT_COMPLETE] = "upload.complete",
        [LST_EVENT_REJECTED] = "upload.rejected",
        [LST_EVENT_QUESTION] = "upload.approve",
    };

    return names[event->kind];
}

static void add_text(struct sha256_ctx *context, struct lst_slice text)
{
    sha256_update(context, text.length, (const uint8_t *)text.bytes);
    sha256_update(context, 1, (const uint8_t *)"");
}

void lst_event_id(const struct lst_event *event, uint8_t ret_id[LST_JOB_ID_SIZE])
{
    struct sha256_ctx context;

    sha256_init(&context);
    add_text(&context, lst_slice_of(name_of(event)));
    add_text(&context, event->ticket->text);
    if (event->kind == LST_EVENT_COMPLETE) {
        add_text(&context, event->etag);
        sha256_update(&context, sizeof(event->time_ms), (const uint8_t *)&event->time_ms);
    }
    sha256_digest(&context, LST_JOB_ID_SIZE, ret_id);
}

static json_t *id_to_json(const struct lst_ticket *ticket)
{
    struct lst_buffer id;
    json_t *json = NULL;

    lst_buffer_init(&id, LST_UPLOAD_ID_MAX);
    lst_ticket_append_id(ticket, &id);
    if (lst_buffer_status(&id) == LST_OK) {
        json = lst_api_json_slice(lst_buffer_slice(&id));
    }
    lst_buffer_release(&id);
    return json;
}

/* As GET /-/api/uploads/ID shows it, as far as that is known and stays true. */
static json_t *upload_to_json(const struct lst_event *event)
{
    static const char *const statuses[] = {
        [LST_EVENT_COMPLETE] = "complete",
        [LST_EVENT_REJECTED] = "rejected",
        [LST_EVENT_QUESTION] = "pending",
    };
    const struct lst_ticket *ticket = event->ticket;
    json_t *json = json_pack(
        "{s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "id", id_to_json(ticket), "status",
        statuses[event->kind], "profile", lst_api_json_slice(ticket->profile), "bucket",
        lst_api_json_slice(ticket->bucket), "key", lst_api_json_slice(ticket->key), "created_at",
        lst_api_json_time(ticket->created), "expires_at", lst_api_json_time(ticket->expires));
    json_t *more;

    if (event->kind != LST_EVENT_REJECTED) {
        more = json_pack("{s:I, s:o, s:o}", "size", (json_int_t)event->size, "etag",
                         lst_api_json_slice(event->etag), "type", lst_api_json_slice(event->type));
    } else {
        more = json_pack("{s:o}", "reason", lst_api_json_slice(event->reason));
    }
    if (more == NULL || json_object_update(json, more) != 0) {
        json_decref(json);
        json = NULL;
    }
    json_decref(more);
    lst_upload_note_show(event->note, &json);
    return json;
}

static int append(const char *bytes, size_t length, void *buffer)
{
    lst_buffer_append(buffer, lst_slice_make(bytes, length));
    return lst_buffer_status(buffer) == LST_OK ? 0 : -1;
}

json_t *lst_event_to_json(const struct lst_event *event)
{
    uint8_t id[LST_JOB_ID_SIZE];
    char hex[2 * LST_JOB_ID_SIZE];

    if (event->kind == LST_EVENT_QUESTION) {
        lst_random_bytes(id, sizeof(id));
    } else {
        lst_event_id(event, id);
    }
    lst_hex_encode(id, sizeof(id), hex);
    return json_pack("{s:s%, s:s, s:o, s:o}", "id", hex, sizeof(hex), "event", name_of(event), "at",
                     lst_api_json_time(event->time_ms / 1000), "upload", upload_to_json(event));
}

int lst_event_write(const struct lst_event *event, struct lst_buffer *out)
{
    json_t *json = lst_event_to_json(event);
    int status;

    if (json == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    status = json_dump_callback(json, append, out, JSON_COMPACT);
    json_decref(json);
    if (status != 0 && lst_buffer_status(out) == LST_OK) {
        return LST_ERR_NO_MEMORY;
    }
    return lst_buffer_status(out);
}
