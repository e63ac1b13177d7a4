/* upload_create.c - POST /-/api/uploads: a URL or a form with which a client may send one file, or
 * many of them. */
#include "api/batch.h"
#include "api/idempotency.h"
#include "api/multipart.h"
#include "api/sign.h"
#include "api/upload_note.h"

#include <stdlib.h>

enum { METHOD_MAX = 16 };

static const struct lst_slice in_parts = {"MULTIPART", 9};

static void check_method(struct lst_fields *fields, struct lst_slice method)
{
    if (!lst_slice_equal(method, LST_SLICE("PUT")) && !lst_slice_equal(method, LST_SLICE("POST")) &&
        !lst_slice_equal(method, in_parts)) {
        lst_fields_refuse(fields, "method", "it must be PUT, POST for a form, or MULTIPART");
    }
}

static bool read_input(struct lst_api_exchange *exchange, struct lst_upload *upload,
                       struct lst_slice *ret_method)
{
    struct lst_fields fields;
    json_t *variables = NULL;

    *ret_method = LST_SLICE("PUT");
    lst_fields_begin(&fields, exchange->input, NULL);
    lst_fields_text(&fields, "profile", LST_FIELD_REQUIRED, 1, LST_PROFILE_NAME_MAX,
                    &upload->profile_name);
    lst_fields_text(&fields, "filename", LST_FIELD_OPTIONAL, 1, LST_UPLOAD_FILENAME_MAX,
                    &upload->filename);
    lst_fields_text(&fields, "type", LST_FIELD_OPTIONAL, 1, LST_UPLOAD_TYPE_MAX, &upload->type);
    lst_fields_integer(&fields, "size", LST_FIELD_OPTIONAL, 0, LST_PROFILE_SIZE_MAX, &upload->size);
    lst_fields_object(&fields, "vars", LST_FIELD_OPTIONAL, &variables);
    if (lst_fields_object(&fields, "metadata", LST_FIELD_OPTIONAL, &upload->metadata)) {
        lst_upload_note_check(&fields, upload->metadata);
    }
    lst_fields_text(&fields, "method", LST_FIELD_OPTIONAL, 1, METHOD_MAX, ret_method);
    check_method(&fields, *ret_method);
    upload->variables = variables;
    if (lst_fields_end(&fields) != LST_OK) {
        lst_api_fail(exchange, 400, "InvalidArgument", "%s", fields.problem);
        return false;
    }
    return true;
}

json_t *lst_uploads_object(const struct lst_api_exchange *exchange, const struct lst_remote *remote,
                           struct lst_slice bucket, struct lst_slice key, struct lst_slice etag,
                           int64_t life)
{
    const struct lst_field query = {LST_SLICE("x-latch-etag"), etag};
    int64_t now = lst_api_now(exchange);
    int64_t most = exchange->api->options.expires_max;
    struct lst_buffer url;
    json_t *json = NULL;

    life = life < most ? life : most;
    lst_buffer_init(&url, LST_API_URL_MAX);
    if (lst_api_sign_for(exchange, &exchange->bearer, remote,
                         (struct lst_signing){.method = LST_SLICE("GET"),
                                              .bucket = bucket,
                                              .key = key,
                                              .query = &query,
                                              .query_count = remote == NULL ? 1 : 0,
                                              .time = now,
                                              .expires = life},
                         &url) == LST_OK) {
        json = json_pack("{s:s%, s:o}", "url", url.bytes, url.length, "expires_at",
                         lst_api_json_time(now + life));
    }
    lst_buffer_release(&url);
    return json;
}

static json_t *make_answer(const struct lst_api_exchange *exchange, const struct lst_upload *upload,
                           struct lst_slice method)
{
    bool is_form = lst_slice_equal(method, LST_SLICE("POST"));
    json_t *how = is_form ? lst_upload_form(exchange, upload) : lst_upload_put(exchange, upload);
    json_t *json =
        json_pack("{s:s%, s:s, s:s, s:o, s:o}", "id", upload->id.bytes, upload->id.length, "status",
                  "pending", "bucket", upload->profile->bucket, "key",
                  lst_api_json_slice(lst_buffer_slice(&upload->key)), "upload", how);

    lst_upload_tell_not_enforced(upload, is_form, &json);
    return json;
}

void lst_upload_answer(struct lst_api_exchange *exchange, const struct lst_upload *upload,
                       int status, json_t *json)
{
    struct lst_changes changes = {.count = 0};
    int noted = lst_upload_note_add(upload, &changes);

    if (noted == LST_OK) {
        lst_idempotency_answer(exchange, status, json, &changes);
    } else {
        lst_changes_release(&changes);
        json_decref(json);
        lst_api_fail_code(exchange, noted);
    }
}

/* ---- Many */

/*
 * A call for many. Uploads in parts are begun at the store one after the other, when all entries
 * have been read: until then the result of each is an empty object.
 */
struct many {
    struct lst_changes changes; /* the rows that are to be written */
    json_t *answer;
    struct {
        struct lst_uppy_creation *creation;
        json_t *result; /* the answer's */
    } in_parts[LST_BATCH_MAX];
    size_t count;
    size_t at;
    json_t *failure; /* of the one that is begun now */
};

static void release_many(void *work)
{
    struct many *many = work;

    for (size_t i = 0; i < many->count; i++) {
        lst_uppy_creation_free(many->in_parts[i].creation);
    }
    lst_changes_release(&many->changes);
    json_decref(many->answer);
    json_decref(many->failure);
    free(many);
}

static void release_owner(void *work)
{
    const struct lst_uppy_creation *creation = work;

    release_many(creation->owner);
}

/* Ask for it later. NULL if it is refused. */
static json_t *make_in_parts(struct lst_api_exchange *exchange, struct many *many,
                             struct lst_upload *upload)
{
    struct lst_uppy_creation *creation = lst_uppy_creation_new(exchange);
    json_t *result = NULL;

    if (creation == NULL) {
        lst_upload_release(upload);
        return NULL;
    }
    if (lst_multipart_prepare(exchange, upload, creation)) {
        result = json_object();
    }
    if (result == NULL) {
        lst_uppy_creation_free(creation);
        return NULL;
    }
    creation->owner = many;
    many->in_parts[many->count].creation = creation;
    many->in_parts[many->count++].result = result;
    return result;
}

/* An lst_batch_make. context: struct many. */
static json_t *make_upload(struct lst_api_exchange *exchange, void *context, int *ret_status)
{
    struct many *many = context;
    struct lst_upload upload;
    struct lst_slice method;
    json_t *made = NULL;
    int status = LST_OK;

    *ret_status = 201;
    lst_upload_init(&upload, lst_api_now(exchange));
    if (!read_input(exchange, &upload, &method)) {
        return NULL;
    }
    if (lst_slice_equal(method, in_parts)) {
        return make_in_parts(exchange, many, &upload);
    }
    if (lst_upload_prepare(exchange, &upload)) {
        made = make_answer(exchange, &upload, method);
        status = made == NULL ? LST_ERR_NO_MEMORY : lst_upload_note_add(&upload, &many->changes);
    }
    if (status != LST_OK) {
        json_decref(made);
        made = NULL;
        lst_api_fail_code(exchange, status);
    }
    lst_upload_release(&upload);
    return made;
}

/* All are begun. */
static void answer_many(struct lst_api_exchange *exchange, struct many *many)
{
    struct lst_changes changes = many->changes;
    json_t *answer = many->answer;

    many->changes = (struct lst_changes){.count = 0};
    many->answer = NULL;
    lst_idempotency_answer(exchange, 200, answer, &changes);
}

/* The next upload in parts; its creation is the exchange's work. */
static void begin_next(struct lst_api_exchange *exchange, struct many *many)
{
    exchange->entry_failure = NULL;
    if (many->at == many->count) {
        answer_many(exchange, many);
        return;
    }
    exchange->work = many->in_parts[many->at].creation;
    exchange->free_work = release_owner;
    exchange->entry_failure = &many->failure;
    lst_uppy_creation_send(exchange, many->in_parts[many->at].creation);
}

/* Put the failure where the result would be. */
static bool replace_result(struct many *many, const json_t *result)
{
    json_t *results = json_object_get(many->answer, "results");
    json_t *failure = many->failure;
    size_t i = 0;

    while (json_object_get(json_array_get(results, i), "result") != result) {
        i++;
    }
    many->failure = NULL;
    return json_array_set_new(results, i, failure) == 0;
}

static void failed_one(struct lst_api_exchange *exchange, struct lst_uppy_creation *creation)
{
    struct many *many = creation->owner;

    if (replace_result(many, many->in_parts[many->at].result)) {
        many->at++;
        begin_next(exchange, many);
    } else {
        exchange->entry_failure = NULL;
        lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
    }
}

static void created_one(struct lst_api_exchange *exchange, struct lst_uppy_creation *creation)
{
    struct many *many = creation->owner;
    json_t *made = lst_multipart_answer(exchange, creation);
    int status = made == NULL || json_object_update(many->in_parts[many->at].result, made) != 0
                     ? LST_ERR_NO_MEMORY
                     : lst_upload_note_add(&creation->upload, &many->changes);

    json_decref(made);
    if (status == LST_OK) {
        many->at++;
        begin_next(exchange, many);
    } else { /* then none is made, and those that are begun are taken back */
        exchange->entry_failure = NULL;
        lst_api_fail_code(exchange, status);
    }
}

static void create_many(struct lst_api_exchange *exchange)
{
    struct many *many = calloc(1, sizeof(*many));

    if (many == NULL) {
        lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
        return;
    }
    lst_api_set_work(exchange, many, release_many);
    many->answer = lst_batch_run(exchange, "uploads", make_upload, many);
    if (many->answer != NULL) {
        for (size_t i = 0; i < many->count; i++) {
            many->in_parts[i].creation->created = created_one;
            many->in_parts[i].creation->failed = failed_one;
        }
        begin_next(exchange, many);
    } else if (!lst_waiting_is_answered(&exchange->waiting)) { /* else it was refused */
        lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
    }
}

/* ---- One */

static void create_one(struct lst_api_exchange *exchange)
{
    struct lst_upload upload;
    struct lst_slice method;

    lst_upload_init(&upload, lst_api_now(exchange));
    if (!read_input(exchange, &upload, &method)) {
        return;
    }
    if (lst_slice_equal(method, in_parts)) {
        lst_multipart_create(exchange, &upload);
        return;
    }
    if (lst_upload_prepare(exchange, &upload)) {
        lst_upload_answer(exchange, &upload, 201, make_answer(exchange, &upload, method));
    }
    lst_upload_release(&upload);
}

void lst_uploads_create(struct lst_api_exchange *exchange)
{
    if (lst_idempotency_replay(exchange)) {
        return;
    }
    if (lst_batch_is_wanted(exchange, "uploads")) {
        create_many(exchange);
    } else {
        create_one(exchange);
    }
}
