/* upload_form.c - an upload by a form: the fields that a browser sends before the file. */
#include "api/sign.h"
#include "api/upload.h"

#include <stdlib.h>

/* key, Content-Type, If-None-Match, success_action_status, and the limits, or the metadata */
enum { CONDITIONS_MAX = 4 + LST_UPLOAD_LIMITS_MAX, CREDENTIAL_MAX = 320, TIME_LENGTH = 16 };

struct fields {
    struct lst_condition list[CONDITIONS_MAX];
    size_t count;
};

static void add(struct fields *fields, struct lst_slice name, struct lst_slice value)
{
    fields->list[fields->count++] = (struct lst_condition){name, value, LST_MATCH_EXACT};
}

/* Every field is fixed by the policy. The size is in its content-length-range. */
static void set_fields(struct fields *fields, const struct lst_upload *upload,
                       const struct lst_upload_limits *limits)
{
    fields->count = 0;
    add(fields, LST_SLICE("key"), lst_buffer_slice(&upload->key));
    if (upload->type.length > 0) {
        add(fields, LST_SLICE("Content-Type"), upload->type);
    }
    add(fields, LST_SLICE("success_action_status"), LST_SLICE("201"));
    if (!lst_upload_is_constrained(upload)) {
        add(fields, LST_SLICE("x-amz-meta-latch-upload"),
            lst_slice_first(lst_buffer_slice(&upload->id), upload->ticket_length));
        return;
    }
    if (!upload->profile->replace) {
        add(fields, LST_SLICE("If-None-Match"), LST_SLICE("*"));
    }
    for (size_t i = 0; i < limits->count; i++) {
        if (!lst_slice_equal(limits->fields[i].name, LST_SLICE("x-latch-length"))) {
            add(fields, limits->fields[i].name, limits->fields[i].value);
        }
    }
}

/* The names are constants. */
static void put(json_t **json, struct lst_slice name, struct lst_slice value)
{
    lst_api_json_set(json, name.bytes, lst_api_json_slice(value));
}

/* Sign the form, and add what that gives to its fields. */
static int sign(const struct lst_form *form, const struct lst_key *key, json_t **json)
{
    size_t bound = lst_sign_form_bound(form, key);
    char *policy = malloc(bound);
    char signature[LST_SIGNATURE_LENGTH];
    char credential[CREDENTIAL_MAX];
    char time[TIME_LENGTH];
    size_t length = 0;
    size_t credential_length = 0;
    int status = LST_ERR_NO_MEMORY;

    if (policy != NULL) {
        status = lst_sign_form(form, key, policy, bound, &length, signature);
    }
    if (status == LST_OK) {
        status = lst_credential(form->access_key_id, key, credential, sizeof(credential),
                                &credential_length);
    }
    if (status == LST_OK) {
        status = lst_format_time(form->time, time);
    }
    if (status == LST_OK) {
        put(json, LST_SLICE("x-amz-algorithm"), LST_SLICE("AWS4-HMAC-SHA256"));
        put(json, LST_SLICE("x-amz-credential"), lst_slice_make(credential, credential_length));
        put(json, LST_SLICE("x-amz-date"), lst_slice_make(time, sizeof(time)));
        put(json, LST_SLICE("policy"), lst_slice_make(policy, length));
        put(json, LST_SLICE("x-amz-signature"), lst_slice_make(signature, sizeof(signature)));
    }
    free(policy);
    return status;
}

static json_t *make_fields(const struct lst_api_exchange *exchange, const struct lst_upload *upload)
{
    struct lst_upload_limits limits;
    struct fields fields;
    struct lst_form form = {
        .bucket = lst_slice_of(upload->profile->bucket),
        .conditions = fields.list,
        .length_min = (uint64_t)(upload->size < 0 ? upload->profile->min_size : upload->size),
        .length_max = (uint64_t)(upload->size < 0 ? upload->profile->max_size : upload->size),
        .time = upload->created,
        .expires = upload->expires - upload->created,
    };
    struct lst_key key;
    json_t *json = json_object();
    int status;

    lst_upload_limit(upload, &limits);
    set_fields(&fields, upload, &limits);
    form.condition_count = fields.count;
    for (size_t i = 0; i < fields.count; i++) {
        put(&json, fields.list[i].field, fields.list[i].value);
    }
    if (upload->remote != NULL && upload->remote->session_token[0] != '\0') {
        form.session_token = lst_slice_of(upload->remote->session_token);
        put(&json, LST_SLICE("x-amz-security-token"), form.session_token);
    }
    status = lst_api_signing_key(exchange, upload->remote, form.time, &key, &form.access_key_id);
    if (status == LST_OK) {
        status = sign(&form, &key, &json);
        lst_wipe(&key, sizeof(key));
    }
    if (status != LST_OK) {
        json_decref(json);
        return NULL;
    }
    return json;
}

json_t *lst_upload_form(const struct lst_api_exchange *exchange, const struct lst_upload *upload)
{
    struct lst_buffer url;
    json_t *fields = make_fields(exchange, upload);
    json_t *json = NULL;

    lst_buffer_init(&url, LST_API_URL_MAX);
    lst_api_bucket_url(exchange, upload->remote, lst_slice_of(upload->profile->bucket), &url);
    if (fields != NULL && lst_buffer_status(&url) == LST_OK) {
        json = json_pack("{s:s, s:s%, s:O, s:o}", "method", "POST", "url", url.bytes, url.length,
                         "fields", fields, "expires_at", lst_api_json_time(upload->expires));
    }
    json_decref(fields);
    lst_buffer_release(&url);
    return json;
}
