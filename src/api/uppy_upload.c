/* uppy_upload.c - an upload in parts that is under way: whose it is, and what is there of it. */
#include "api/upload_note.h"
#include "api/upload_object.h"
#include "api/uppy.h"

#include <stdio.h>
#include <stdlib.h>

static void release(void *work)
{
    struct lst_uppy_upload *upload = work;

    lst_profile_unref(upload->profile);
    json_decref(upload->query);
    free(upload);
}

struct lst_uppy_upload *lst_uppy_begin(struct lst_api_exchange *exchange)
{
    struct lst_uppy_upload *upload = calloc(1, sizeof(*upload));

    if (upload == NULL) {
        lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
        return NULL;
    }
    upload->size = -1;
    exchange->work = upload;
    exchange->free_work = release;
    return upload;
}

bool lst_uppy_fail_unknown(struct lst_api_exchange *exchange)
{
    lst_api_fail(exchange, 404, "NoSuchUpload",
                 exchange->place == LST_API_UPPY
                     ? "You have no upload of this uploadId and key: it may be complete, or given "
                       "up"
                     : "You have no upload in parts of this id: it may be complete, or given up");
    return false;
}

int lst_uppy_answer_complete(struct lst_api_exchange *exchange,
                             const struct lst_uppy_upload *upload)
{
    struct lst_uploaded uploaded;
    int status;

    if (upload->completed == NULL || upload->named.text.length == 0 ||
        !lst_upload_is_own(exchange, &upload->named)) {
        return LST_ERR_NOT_FOUND;
    }
    status = lst_uploaded_find(exchange->api->options.store, &upload->named, &uploaded);
    if (status == LST_OK) {
        upload->completed(exchange, upload);
    }
    return status;
}

void lst_uppy_fail_code(struct lst_api_exchange *exchange, int status)
{
    if (status == LST_ERR_UPLOAD_NOT_FOUND || status == LST_ERR_BUCKET_NOT_FOUND) {
        (void)lst_uppy_fail_unknown(exchange);
    } else {
        lst_api_fail_code(exchange, status);
    }
}

/* The ticket that it was begun with, and its type. */
static int see(void *context, const struct lst_open_upload *open)
{
    struct lst_uppy_upload *upload = context;
    struct lst_slice ticket =
        lst_field_value(open->fields, open->field_count, LST_SLICE("x-latch-id"));
    struct lst_slice type =
        lst_field_value(open->fields, open->field_count, LST_SLICE("Content-Type"));

    if (ticket.length == 0 || ticket.length > sizeof(upload->ticket_text) ||
        type.length >= sizeof(upload->type)) {
        return LST_ERR_NOT_FOUND; /* nobody began it here */
    }
    memcpy(upload->ticket_text, ticket.bytes, ticket.length);
    upload->ticket.text = lst_slice_make(upload->ticket_text, ticket.length);
    if (type.length > 0) {
        memcpy(upload->type, type.bytes, type.length);
    }
    return LST_OK;
}

/* What was noted of it when it was begun. */
static int read_note(const struct lst_api_exchange *exchange, struct lst_uppy_upload *upload)
{
    json_t *note;
    int status = lst_upload_note_find(lst_ledger_index(exchange->api->options.ledger),
                                      upload->ticket.text, &note);

    if (status == LST_OK) {
        upload->size = lst_upload_note_number(note, "size", -1);
        upload->part_size = lst_upload_note_number(note, "part_size", 0);
        upload->part_count = lst_upload_note_number(note, "part_count", 0);
        json_decref(note);
    }
    return status;
}

static int find(const struct lst_api_exchange *exchange, struct lst_uppy_upload *upload)
{
    int status = lst_upload_see(exchange->api->options.store, &upload->name, see, upload);

    if (status == LST_ERR_BUCKET_NOT_FOUND || status == LST_ERR_UPLOAD_NOT_FOUND) {
        return LST_ERR_NOT_FOUND;
    }
    if (status == LST_OK) {
        status =
            lst_ticket_read_at(exchange->api->secret, lst_api_user(exchange), upload->ticket.text,
                               upload->name.bucket, upload->name.key, &upload->ticket);
    }
    if (status == LST_ERR_PERMISSION ||
        (status == LST_OK && !lst_upload_is_own(exchange, &upload->ticket))) {
        status = LST_ERR_NOT_FOUND;
    }
    if (status == LST_OK) {
        status = read_note(exchange, upload);
    }
    return status == LST_OK ? lst_profiles_find(exchange->api->profiles, upload->ticket.profile,
                                                &upload->profile)
                            : status;
}

bool lst_uppy_find(struct lst_api_exchange *exchange, struct lst_uppy_upload *upload)
{
    int status = find(exchange, upload);

    if (status == LST_ERR_NOT_FOUND) {
        status = lst_uppy_answer_complete(exchange, upload);
        if (status == LST_OK) {
            return false;
        }
    }
    if (status == LST_ERR_NOT_FOUND) {
        return lst_uppy_fail_unknown(exchange);
    }
    if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
        return false;
    }
    if (lst_api_now(exchange) >= upload->ticket.expires) {
        lst_api_fail(exchange, 403, "AccessDenied",
                     "This upload was begun too long ago: begin it anew");
        return false;
    }
    return true;
}

bool lst_uppy_read_id(const struct lst_api_exchange *exchange, struct lst_uppy_upload *upload)
{
    struct lst_slice id = exchange->name;
    size_t rest = id.length < LST_UPLOAD_ID_LENGTH + 1 ? 0 : id.length - LST_UPLOAD_ID_LENGTH - 1;

    if (rest == 0 || id.bytes[rest] != '~' ||
        lst_ticket_read(exchange->api->secret, lst_api_user(exchange), lst_slice_first(id, rest),
                        &upload->named) != LST_OK) {
        return false;
    }
    upload->name = (struct lst_upload_name){.bucket = upload->named.bucket,
                                            .key = upload->named.key,
                                            .upload = lst_slice_after(id, rest + 1)};
    return true;
}

bool lst_uppy_find_read(struct lst_api_exchange *exchange, struct lst_uppy_upload *upload)
{
    return lst_uppy_find(exchange, upload) &&
           (lst_slice_equal(upload->ticket.text, upload->named.text) ||
            lst_uppy_fail_unknown(exchange));
}

/* The key, the id and the extra parameter that the call names. False, having answered, if that
 * can't be read. */
static bool read_named(struct lst_api_exchange *exchange, struct lst_uppy_upload *upload,
                       const char *extra, struct lst_slice *ret_extra)
{
    struct lst_slice key = LST_SLICE("");
    struct lst_fields fields;

    upload->query = lst_uppy_query(exchange);
    if (upload->query == NULL) {
        return false;
    }
    lst_fields_begin(&fields, upload->query, NULL);
    lst_fields_text(&fields, "key", LST_FIELD_REQUIRED, 1, LST_TEMPLATE_MAX, &key);
    if (extra != NULL) {
        lst_fields_text(&fields, extra, LST_FIELD_REQUIRED, 1, LST_API_BODY_MAX, ret_extra);
    }
    if (lst_fields_end(&fields) != LST_OK) {
        lst_api_fail(exchange, 400, "InvalidArgument", "%s", fields.problem);
        return false;
    }
    return (lst_uppy_read_id(exchange, upload) && lst_slice_equal(key, upload->named.key)) ||
           lst_uppy_fail_unknown(exchange);
}

struct lst_uppy_upload *lst_uppy_find_named(struct lst_api_exchange *exchange, const char *extra,
                                            struct lst_slice *ret_extra)
{
    struct lst_uppy_upload *upload = lst_uppy_begin(exchange);

    return upload != NULL && read_named(exchange, upload, extra, ret_extra) &&
                   lst_uppy_find_read(exchange, upload)
               ? upload
               : NULL;
}

struct lst_uppy_upload *lst_uppy_find_to_complete(
    struct lst_api_exchange *exchange,
    void (*completed)(struct lst_api_exchange *exchange, const struct lst_uppy_upload *upload))
{
    struct lst_uppy_upload *upload = lst_uppy_begin(exchange);

    if (upload == NULL) {
        return NULL;
    }
    upload->completed = completed;
    return read_named(exchange, upload, NULL, NULL) && lst_uppy_find_read(exchange, upload) ? upload
                                                                                            : NULL;
}

/* ---- Its parts */

struct sum {
    uint32_t but_for;
    uint64_t size;
};

static int add(void *context, const struct lst_part *part)
{
    struct sum *sum = context;

    if (part->number != sum->but_for) {
        sum->size += part->size;
    }
    return LST_OK;
}

int lst_uppy_size(const struct lst_api_exchange *exchange, const struct lst_uppy_upload *upload,
                  uint32_t but_for, uint64_t *ret_size)
{
    struct sum sum = {.but_for = but_for};
    bool is_truncated;
    int status = lst_upload_parts(exchange->api->options.store, &upload->name, 0,
                                  LST_PART_NUMBER_MAX, add, &sum, &is_truncated);

    if (status == LST_OK) {
        *ret_size = sum.size;
    }
    return status;
}
