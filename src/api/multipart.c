/* multipart.c - uploads in parts by a plan, for clients that are not Uppy. */
#include "api/multipart.h"

#include "api/upload_note.h"
#include "api/uppy.h"

#include <stdlib.h>

enum { MIB = 1024 * 1024 };

/* ---- Beginning */

void lst_multipart_plan(struct lst_upload *upload)
{
    int64_t most = upload->size < 0 ? upload->profile->max_size : upload->size;
    int64_t part = (most + LST_PART_NUMBER_MAX - 1) / LST_PART_NUMBER_MAX;

    part = (part + MIB - 1) / MIB * MIB;
    upload->part_size = part < LST_MULTIPART_PART_MIN ? LST_MULTIPART_PART_MIN : part;
    upload->part_count =
        most == 0 ? 1 : (most + upload->part_size - 1) / upload->part_size; /* empty has one too */
}

/* {"number": 1, "url": ...} */
static json_t *make_part(const struct lst_api_exchange *exchange,
                         const struct lst_uppy_upload *upload, uint32_t number, int64_t life)
{
    return json_pack("{s:i, s:o}", "number", (int)number, "url",
                     lst_uppy_part_url(exchange, upload, number, lst_uppy_size_max(upload), life));
}

/* The address of an operation on it. */
static json_t *make_address(const struct lst_api_exchange *exchange, struct lst_slice id,
                            const char *rest)
{
    struct lst_buffer url;
    json_t *json = NULL;

    lst_buffer_init(&url, LST_API_URL_MAX);
    lst_api_base_url(exchange, &url);
    lst_buffer_append_string(&url, LST_API_PATH "uploads/");
    lst_buffer_append(&url, id); /* of characters that stand for themselves in a URL */
    lst_buffer_append_string(&url, rest);
    if (lst_buffer_status(&url) == LST_OK) {
        json = lst_api_json_slice(lst_buffer_slice(&url));
    }
    lst_buffer_release(&url);
    return json;
}

/* The upload under way that has just been created, for the URLs of its parts. */
static void look_at(const struct lst_uppy_creation *creation, struct lst_uppy_upload *ret_upload)
{
    const struct lst_upload *upload = &creation->upload;

    memset(ret_upload, 0, sizeof(*ret_upload));
    ret_upload->name =
        (struct lst_upload_name){.bucket = lst_slice_of(upload->profile->bucket),
                                 .key = lst_buffer_slice(&upload->key),
                                 .upload = lst_slice_make(creation->id, sizeof(creation->id))};
    ret_upload->ticket.text = lst_slice_first(lst_buffer_slice(&upload->id), upload->ticket_length);
    ret_upload->ticket.expires = upload->expires;
    ret_upload->profile = upload->profile;
    ret_upload->size = upload->size;
    ret_upload->part_size = upload->part_size;
    if (upload->type.length > 0) {
        memcpy(ret_upload->type, upload->type.bytes, upload->type.length);
    }
}

static json_t *make_first_parts(const struct lst_api_exchange *exchange,
                                const struct lst_uppy_creation *creation, int64_t *ret_life)
{
    struct lst_uppy_upload upload;
    int64_t count = creation->upload.part_count;
    json_t *parts = json_array();

    look_at(creation, &upload);
    *ret_life = lst_uppy_url_life(exchange, &upload, 0);
    for (int64_t i = 0; i < count && i < LST_MULTIPART_FIRST; i++) {
        lst_api_json_append(&parts, make_part(exchange, &upload, (uint32_t)(i + 1), *ret_life));
    }
    return parts;
}

static json_t *make_how(const struct lst_api_exchange *exchange,
                        const struct lst_uppy_creation *creation, struct lst_slice id)
{
    const struct lst_upload *upload = &creation->upload;
    int64_t life;
    json_t *parts = make_first_parts(exchange, creation, &life);
    json_t *how =
        json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "method", "MULTIPART", "part_size",
                  (json_int_t)upload->part_size, "parts", parts, "parts_expire_at",
                  lst_api_json_time(upload->created + life), "parts_url",
                  make_address(exchange, id, "/parts"), "complete_url",
                  make_address(exchange, id, "/complete"), "abort_url",
                  make_address(exchange, id, ""), "expires_at", lst_api_json_time(upload->expires));

    if (upload->size >= 0) {
        lst_api_json_set(&how, "part_count", json_integer(upload->part_count));
    }
    return how;
}

json_t *lst_multipart_answer(const struct lst_api_exchange *exchange,
                             const struct lst_uppy_creation *creation)
{
    const struct lst_upload *upload = &creation->upload;
    struct lst_buffer id;
    json_t *json = NULL;

    lst_buffer_init(&id, LST_UPLOAD_ID_MAX + 1 + LST_UPLOAD_ID_LENGTH);
    lst_uppy_creation_append_id(creation, &id);
    if (lst_buffer_status(&id) == LST_OK) {
        json = json_pack("{s:s%, s:s, s:s, s:o, s:o}", "id", upload->id.bytes, upload->id.length,
                         "status", "pending", "bucket", upload->profile->bucket, "key",
                         lst_api_json_slice(lst_buffer_slice(&upload->key)), "upload",
                         make_how(exchange, creation, lst_buffer_slice(&id)));
    }
    lst_buffer_release(&id);
    return json;
}

static void created(struct lst_api_exchange *exchange, struct lst_uppy_creation *creation)
{
    lst_upload_answer(exchange, &creation->upload, 201, lst_multipart_answer(exchange, creation));
}

bool lst_multipart_prepare(struct lst_api_exchange *exchange, const struct lst_upload *wanted,
                           struct lst_uppy_creation *creation)
{
    struct lst_upload *upload = &creation->upload;

    *upload = *wanted;
    upload->life = LST_UPPY_LIFE;
    upload->is_in_parts = true;
    if (!lst_upload_prepare(exchange, upload) || !lst_uppy_has_parts(exchange, upload)) {
        return false;
    }
    lst_multipart_plan(upload);
    return true;
}

void lst_multipart_create(struct lst_api_exchange *exchange, const struct lst_upload *wanted)
{
    struct lst_uppy_creation *creation = lst_uppy_creation_begin(exchange);

    if (creation == NULL) {
        return;
    }
    creation->created = created;
    if (lst_multipart_prepare(exchange, wanted, creation)) {
        lst_uppy_creation_send(exchange, creation);
    }
}

/* ---- Going on */

/* False, having answered, if it is not there, or follows no plan: then Uppy began it. */
static bool find_planned(struct lst_api_exchange *exchange, struct lst_uppy_upload *upload)
{
    return lst_uppy_find_read(exchange, upload) &&
           (upload->part_size > 0 || lst_uppy_fail_unknown(exchange));
}

/* The one that the path names. NULL, having answered, if it is none. */
static struct lst_uppy_upload *find(struct lst_api_exchange *exchange)
{
    struct lst_uppy_upload *upload = lst_uppy_begin(exchange);

    if (upload == NULL) {
        return NULL;
    }
    if (!lst_uppy_read_id(exchange, upload)) {
        (void)lst_uppy_fail_unknown(exchange);
        return NULL;
    }
    return find_planned(exchange, upload) ? upload : NULL;
}

static int list_part(void *context, const struct lst_part *part)
{
    json_t *list = context;

    return json_array_append_new(list,
                                 json_pack("{s:I, s:s%, s:I}", "number", (json_int_t)part->number,
                                           "etag", part->etag.bytes, part->etag.length, "size",
                                           (json_int_t)part->size)) == 0
               ? LST_OK
               : LST_ERR_NO_MEMORY;
}

void lst_multipart_list(struct lst_api_exchange *exchange)
{
    const struct lst_uppy_upload *upload = find(exchange);
    json_t *list = upload == NULL ? NULL : lst_uppy_parts(exchange, upload, list_part);

    if (list != NULL) {
        lst_api_answer(
            exchange, 200,
            json_pack("{s:I, s:o}", "part_size", (json_int_t)upload->part_size, "parts", list));
    }
}

/* The parts of these numbers. NULL, having answered, if they are none of the upload's. */
static json_t *sign_parts(struct lst_api_exchange *exchange, const struct lst_uppy_upload *upload,
                          const json_t *numbers, int64_t life)
{
    json_t *parts = json_array();

    for (size_t i = 0; i < json_array_size(numbers); i++) {
        const json_t *number = json_array_get(numbers, i);
        json_int_t value = json_integer_value(number); /* 0 of what is no number */

        if (value < 1 || value > upload->part_count) {
            lst_api_fail(exchange, 400, "InvalidArgument",
                         "numbers: the numbers of this upload's parts are 1 to %lld",
                         (long long)upload->part_count);
            json_decref(parts);
            return NULL;
        }
        lst_api_json_append(&parts, make_part(exchange, upload, (uint32_t)value, life));
    }
    if (parts == NULL) {
        lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
    }
    return parts;
}

void lst_multipart_sign(struct lst_api_exchange *exchange)
{
    struct lst_uppy_upload *upload;
    struct lst_fields fields;
    json_t *numbers = NULL;
    json_t *parts;
    int64_t life;

    lst_fields_begin(&fields, exchange->input, NULL);
    lst_fields_list(&fields, "numbers", LST_FIELD_REQUIRED, LST_MULTIPART_SIGN_MAX, &numbers);
    if (numbers != NULL && json_array_size(numbers) == 0) {
        lst_fields_refuse(&fields, "numbers", "at least one is needed");
    }
    if (lst_fields_end(&fields) != LST_OK) {
        lst_api_fail(exchange, 400, "InvalidArgument", "%s", fields.problem);
        return;
    }
    upload = find(exchange);
    if (upload == NULL) {
        return;
    }
    life = lst_uppy_url_life(exchange, upload, 0);
    parts = sign_parts(exchange, upload, numbers, life);
    if (parts != NULL) {
        lst_api_answer(exchange, 200,
                       json_pack("{s:o, s:o}", "parts", parts, "parts_expire_at",
                                 lst_api_json_time(lst_api_now(exchange) + life)));
    }
}

/* ---- The end */

/* What GET /-/api/uploads/ID says of it: exchange->name becomes the upload's id. */
static void show(struct lst_api_exchange *exchange)
{
    exchange->name =
        lst_slice_first(exchange->name, exchange->name.length - LST_UPLOAD_ID_LENGTH - 1);
    lst_uploads_show(exchange);
}

static void completed(struct lst_api_exchange *exchange, const struct lst_uppy_upload *upload)
{
    (void)upload;
    show(exchange);
}

void lst_multipart_complete(struct lst_api_exchange *exchange)
{
    struct lst_uppy_upload *upload = lst_uppy_begin(exchange);

    if (upload == NULL) {
        return;
    }
    upload->completed = completed;
    if (!lst_uppy_read_id(exchange, upload)) {
        (void)lst_uppy_fail_unknown(exchange);
    } else if (find_planned(exchange, upload)) {
        lst_uppy_complete_parts(exchange, upload);
    }
}

void lst_multipart_abort(struct lst_api_exchange *exchange)
{
    const struct lst_uppy_upload *upload = find(exchange);

    if (upload != NULL) {
        lst_uppy_give_up(exchange, upload);
    }
}
