/*
 * event.h - what a receiver of webhooks is told of an upload, as JSON: docs/uploads.md, "Webhooks".
 */
#ifndef LST_API_EVENT_H
#define LST_API_EVENT_H

#include "api/job.h"
#include "api/ticket.h"

enum lst_event_kind {
    LST_EVENT_COMPLETE,
    LST_EVENT_REJECTED,
    LST_EVENT_QUESTION, /* may it become visible? See api/approval.h */
};

struct lst_event {
    enum lst_event_kind kind;
    const struct lst_ticket *ticket;
    int64_t time_ms; /* when it happened */
    /* Of what is complete, or would be. */
    uint64_t size;
    struct lst_slice etag; /* without quotes */
    struct lst_slice type;
    struct lst_slice reason; /* why it was rejected */
    json_t *note;            /* of the upload: api/upload_note.h; NULL: none. The caller's */
};

/*
 * The id under which an event is delivered: drawn from what it says, so that one that is found
 * twice (after a crash, or because a client repeats its request) has the same. A rejection has one
 * for each upload, a completion one for each object that was made.
 */
void lst_event_id(const struct lst_event *event, uint8_t ret_id[LST_JOB_ID_SIZE]);

/* As JSON; a question has an id of its own. NULL: no memory. */
json_t *lst_event_to_json(const struct lst_event *event);

/* Append the JSON. LST_ERR_NO_MEMORY, _TOO_LARGE. */
LST_MUST_CHECK int lst_event_write(const struct lst_event *event, struct lst_buffer *out);

#endif
