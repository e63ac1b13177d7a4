/* uppy_parts.c - an upload in parts, step by step: beginning it, its parts, their URLs. */
#include "api/call.h"
#include "api/upload_note.h"
#include "api/uppy.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    QUOTED_ETAG = LST_ETAG_MAX + 2,
};

/* ---- Beginning */

/* An upload whose id nobody was given would stay in the store for ever. */
static void take_back(const struct lst_uppy_creation *creation)
{
    const struct lst_upload *upload = &creation->upload;
    const struct lst_upload_name name = {.bucket = lst_slice_of(upload->profile->bucket),
                                         .key = lst_buffer_slice(&upload->key),
                                         .upload =
                                             lst_slice_make(creation->id, sizeof(creation->id))};

    /* More can't be done: it is empty, and the lists of the bucket show it. */
    lst_ignore_status(lst_upload_note_give_up(creation->exchange->api->options.store, &name));
}

void lst_uppy_creation_free(struct lst_uppy_creation *creation)
{
    if (creation->has_id && !creation->exchange->is_kept) {
        take_back(creation);
    }
    lst_upload_release(&creation->upload);
    free(creation);
}

static void release_creation(void *work)
{
    lst_uppy_creation_free(work);
}

struct lst_uppy_creation *lst_uppy_creation_new(struct lst_api_exchange *exchange)
{
    struct lst_uppy_creation *creation = calloc(1, sizeof(*creation));

    if (creation == NULL) {
        lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
        return NULL;
    }
    creation->exchange = exchange;
    lst_upload_init(&creation->upload, lst_api_now(exchange));
    creation->upload.life = LST_UPPY_LIFE;
    creation->upload.is_in_parts = true;
    return creation;
}

struct lst_uppy_creation *lst_uppy_creation_begin(struct lst_api_exchange *exchange)
{
    struct lst_uppy_creation *creation = lst_uppy_creation_new(exchange);

    if (creation != NULL) {
        lst_api_set_work(exchange, creation, release_creation);
    }
    return creation;
}

void lst_uppy_creation_append_id(const struct lst_uppy_creation *creation, struct lst_buffer *out)
{
    lst_buffer_append(out, lst_buffer_slice(&creation->upload.id));
    lst_buffer_append_byte(out, '~');
    lst_buffer_append(out, lst_slice_make(creation->id, sizeof(creation->id)));
}

/* False, having called lst_api_fail(), if it was not created. */
static bool read_created(struct lst_api_exchange *exchange, struct lst_uppy_creation *creation,
                         const struct lst_call_answer *answer)
{
    if (answer->status != 200) {
        lst_call_fail(exchange, answer);
        return false;
    }
    memcpy(creation->id, answer->upload_id.bytes, sizeof(creation->id));
    creation->has_id = true;
    creation->upload.store_id = lst_slice_make(creation->id, sizeof(creation->id));
    return true;
}

static void is_created(struct lst_api_exchange *exchange, const struct lst_call_answer *answer)
{
    struct lst_uppy_creation *creation = exchange->work;

    if (read_created(exchange, creation, answer)) {
        creation->created(exchange, creation);
    } else if (creation->failed != NULL) {
        creation->failed(exchange, creation);
    }
}

void lst_uppy_creation_send(struct lst_api_exchange *exchange, struct lst_uppy_creation *creation)
{
    const struct lst_upload *upload = &creation->upload;
    char total[LST_UPPY_TOTAL_TEXT];
    const struct lst_field query[] = {
        {LST_SLICE("uploads"), LST_SLICE("")},
        {LST_SLICE("x-latch-id"),
         lst_slice_first(lst_buffer_slice(&upload->id), upload->ticket_length)},
        {LST_SLICE("x-latch-total"), lst_uppy_total(upload, total)},
        {LST_SLICE("x-latch-sniff"), LST_SLICE("1")},
    };
    const struct lst_field type = {LST_SLICE("Content-Type"), upload->type};
    const struct lst_call_request request = {.method = LST_SLICE("POST"),
                                             .bucket = lst_slice_of(upload->profile->bucket),
                                             .key = lst_buffer_slice(&upload->key),
                                             .query = query,
                                             .query_count = upload->profile->check_content ? 4 : 3,
                                             .headers = &type,
                                             .header_count = upload->type.length > 0 ? 1 : 0};

    if (!lst_call(exchange, &request, is_created) && creation->failed != NULL) {
        creation->failed(exchange, creation);
    }
}

/* As Uppy wants to be told of it. */
static void answer_created(struct lst_api_exchange *exchange, struct lst_uppy_creation *creation)
{
    const struct lst_upload *upload = &creation->upload;
    struct lst_buffer id;
    json_t *json = NULL;

    lst_buffer_init(&id, LST_UPLOAD_ID_MAX + 1 + LST_UPLOAD_ID_LENGTH);
    lst_uppy_creation_append_id(creation, &id);
    if (lst_buffer_status(&id) == LST_OK) {
        json = json_pack("{s:s%, s:o, s:s, s:s%}", "key", upload->key.bytes, upload->key.length,
                         "uploadId", lst_api_json_slice(lst_buffer_slice(&id)), "bucket",
                         upload->profile->bucket, "id", upload->id.bytes, upload->id.length);
    }
    lst_buffer_release(&id);
    lst_upload_answer(exchange, upload, 200, json);
}

void lst_uppy_create(struct lst_api_exchange *exchange)
{
    struct lst_uppy_wish wish = {0};
    struct lst_uppy_creation *creation;
    struct lst_fields fields;

    lst_fields_begin(&fields, exchange->input, NULL);
    lst_fields_text(&fields, "filename", LST_FIELD_OPTIONAL, 0, LST_UPLOAD_FILENAME_MAX,
                    &wish.filename);
    lst_fields_text(&fields, "type", LST_FIELD_OPTIONAL, 0, LST_UPLOAD_TYPE_MAX, &wish.type);
    lst_fields_object(&fields, "metadata", LST_FIELD_OPTIONAL, &wish.metadata);
    if (lst_fields_end(&fields) != LST_OK) {
        lst_api_fail(exchange, 400, "InvalidArgument", "%s", fields.problem);
        return;
    }
    creation = lst_uppy_creation_begin(exchange);
    if (creation == NULL) {
        return;
    }
    creation->created = answer_created;
    if (lst_uppy_prepare(exchange, &wish, &creation->upload) &&
        lst_uppy_has_parts(exchange, &creation->upload)) {
        lst_uppy_creation_send(exchange, creation);
    }
}

/* ---- Listing */

static int list_part(void *context, const struct lst_part *part)
{
    json_t *list = context;
    char etag[QUOTED_ETAG + 1];

    (void)snprintf(etag, sizeof(etag), "\"%.*s\"", (int)part->etag.length, part->etag.bytes);
    return json_array_append_new(list, json_pack("{s:I, s:s, s:I}", "PartNumber",
                                                 (json_int_t)part->number, "ETag", etag, "Size",
                                                 (json_int_t)part->size)) == 0
               ? LST_OK
               : LST_ERR_NO_MEMORY;
}

json_t *lst_uppy_parts(struct lst_api_exchange *exchange, const struct lst_uppy_upload *upload,
                       int (*add)(void *list, const struct lst_part *part))
{
    json_t *list = json_array();
    bool is_truncated;
    int status = list == NULL ? LST_ERR_NO_MEMORY
                              : lst_upload_parts(exchange->api->options.store, &upload->name, 0,
                                                 LST_PART_NUMBER_MAX, add, list, &is_truncated);

    if (status != LST_OK) {
        json_decref(list);
        lst_uppy_fail_code(exchange, status);
        return NULL;
    }
    return list;
}

void lst_uppy_list(struct lst_api_exchange *exchange)
{
    const struct lst_uppy_upload *upload = lst_uppy_find_named(exchange, NULL, NULL);
    json_t *list = upload == NULL ? NULL : lst_uppy_parts(exchange, upload, list_part);

    if (list != NULL) {
        lst_api_answer(exchange, 200, list);
    }
}

/* ---- URLs */

/* False, having answered, if it is no number of a part. */
static bool read_number(struct lst_api_exchange *exchange, struct lst_slice text,
                        uint32_t *ret_number)
{
    uint64_t number = 0;

    if (!lst_slice_to_number(text, LST_PART_NUMBER_MAX, &number) || number == 0) {
        lst_api_fail(exchange, 400, "InvalidArgument", "The number of a part must be from 1 to %d",
                     LST_PART_NUMBER_MAX);
        return false;
    }
    *ret_number = (uint32_t)number;
    return true;
}

void lst_uppy_part(struct lst_api_exchange *exchange)
{
    struct lst_uppy_upload *upload;
    uint32_t number;
    uint64_t left;
    int64_t life;

    if (!read_number(exchange, exchange->part, &number)) {
        return;
    }
    upload = lst_uppy_find_named(exchange, NULL, NULL);
    if (upload != NULL && lst_uppy_check_number(exchange, upload, number) &&
        lst_uppy_part_left(exchange, upload, number, &left)) {
        life = lst_uppy_url_life(exchange, upload, 0);
        lst_api_answer(exchange, 200,
                       json_pack("{s:o, s:I}", "url",
                                 lst_uppy_part_url(exchange, upload, number, left, life), "expires",
                                 (json_int_t)life));
    }
}

/* Add the URLs of these numbers. False, having answered, if that can't be done. */
static bool add_urls(struct lst_api_exchange *exchange, struct lst_uppy_upload *upload,
                     struct lst_slice numbers, json_t *urls)
{
    int64_t life = lst_uppy_url_life(exchange, upload, 0);
    uint64_t most = lst_uppy_size_max(upload); /* the store sees to what they are together */
    struct lst_slice text;
    char name[16];

    for (size_t count = 0; lst_slice_split(&numbers, ',', &text); count++) {
        uint32_t number;

        if (count == LST_UPPY_BATCH_MAX) {
            lst_api_fail(exchange, 400, "InvalidArgument", "partNumbers: there may be %d at most",
                         LST_UPPY_BATCH_MAX);
            return false;
        }
        if (!read_number(exchange, text, &number) ||
            !lst_uppy_check_number(exchange, upload, number)) {
            return false;
        }
        (void)snprintf(name, sizeof(name), "%u", number);
        if (json_object_set_new(urls, name,
                                lst_uppy_part_url(exchange, upload, number, most, life)) != 0) {
            lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
            return false;
        }
    }
    return true;
}

void lst_uppy_batch(struct lst_api_exchange *exchange)
{
    struct lst_slice numbers;
    struct lst_uppy_upload *upload = lst_uppy_find_named(exchange, "partNumbers", &numbers);
    json_t *urls;

    if (upload == NULL) {
        return;
    }
    urls = json_object();
    if (add_urls(exchange, upload, numbers, urls)) {
        lst_api_answer(exchange, 200, json_pack("{s:O}", "presignedUrls", urls));
    }
    json_decref(urls);
}
