/* upload_create.c - POST /-/api/uploads: a URL to which a client may send one file. */
#include "api/profiles.h"
#include "api/sign.h"
#include "api/ticket.h"
#include "api/uploads.h"

#include <stdio.h>

enum { FILENAME_MAX_BYTES = 1024, TYPE_MAX = 255, LENGTH_TEXT = 48, LIMITS_MAX = 4 };

/* An upload on its way: what was asked for, and what comes of it. */
struct upload {
    const struct lst_profile *profile;
    struct lst_slice profile_name;
    struct lst_slice filename;
    struct lst_slice type; /* empty: not told */
    struct lst_slice method;
    int64_t size; /* -1: not told */
    json_t *variables;
    struct lst_buffer key;
    struct lst_buffer id;
    size_t ticket_length;
    int64_t created;
    int64_t expires;
};

/* ---- What is asked for */

static bool read_input(struct lst_api_exchange *exchange, struct upload *upload)
{
    struct lst_fields fields;

    upload->size = -1;
    upload->method = LST_SLICE("PUT");
    lst_fields_begin(&fields, exchange->input, NULL);
    lst_fields_text(&fields, "profile", LST_FIELD_REQUIRED, 1, LST_PROFILE_NAME_MAX,
                    &upload->profile_name);
    lst_fields_text(&fields, "filename", LST_FIELD_OPTIONAL, 1, FILENAME_MAX_BYTES,
                    &upload->filename);
    lst_fields_text(&fields, "type", LST_FIELD_OPTIONAL, 1, TYPE_MAX, &upload->type);
    lst_fields_integer(&fields, "size", LST_FIELD_OPTIONAL, 0, LST_PROFILE_SIZE_MAX, &upload->size);
    lst_fields_object(&fields, "vars", LST_FIELD_OPTIONAL, &upload->variables);
    lst_fields_text(&fields, "method", LST_FIELD_OPTIONAL, 1, 8, &upload->method);
    if (!lst_slice_equal(upload->method, LST_SLICE("PUT"))) {
        lst_fields_refuse(&fields, "method", "it must be PUT");
    }
    if (lst_fields_end(&fields) != LST_OK) {
        lst_api_fail(exchange, 400, "InvalidArgument", "%s", fields.problem);
        return false;
    }
    return true;
}

static bool find_profile(struct lst_api_exchange *exchange, struct upload *upload)
{
    int status = LST_ERR_NOT_FOUND;

    if (lst_bearer_may_use(&exchange->bearer, upload->profile_name)) {
        status = lst_profiles_find(exchange->api->profiles, upload->profile_name, &upload->profile);
    }
    if (status == LST_ERR_NOT_FOUND) {
        lst_api_fail(exchange, 404, "NoSuchProfile",
                     "profile: there is none of this name for you: see `latchstring profile list`");
    } else if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
    } else if (upload->profile->remote[0] != '\0' || upload->profile->webhook_url[0] != '\0') {
        lst_api_fail(exchange, 501, "NotImplemented",
                     "The profile has a %s, for which this version can't do what it says: nothing "
                     "was created",
                     upload->profile->remote[0] != '\0' ? "remote" : "webhook");
        status = LST_ERR_NOT_FOUND;
    }
    return status == LST_OK;
}

static bool fits_profile(struct lst_api_exchange *exchange, const struct upload *upload)
{
    const struct lst_profile *profile = upload->profile;

    if (!lst_profile_allows_type(profile, upload->type)) {
        lst_api_fail(exchange, 400, "TypeNotAllowed", "type: it must be one of %s", profile->types);
    } else if (upload->size > profile->max_size) {
        lst_api_fail(exchange, 400, "EntityTooLarge", "size: it may be %lld bytes at most",
                     (long long)profile->max_size);
    } else if (upload->size >= 0 && upload->size < profile->min_size) {
        lst_api_fail(exchange, 400, "EntityTooSmall", "size: it must be %lld bytes at least",
                     (long long)profile->min_size);
    } else {
        return true;
    }
    return false;
}

/* ---- What comes of it */

static bool make_key(struct lst_api_exchange *exchange, struct upload *upload)
{
    const struct lst_template_facts facts = {
        .filename = upload->filename,
        .type = upload->type,
        .variables = upload->variables,
        .now = upload->created,
    };
    char problem[LST_PROBLEM_MAX];
    int status =
        lst_template_expand(lst_slice_of(upload->profile->key), &facts, &upload->key, problem);

    if (status == LST_ERR_MALFORMED) {
        lst_api_fail(exchange, 400, "InvalidArgument", "%s", problem);
    } else if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
    }
    return status == LST_OK;
}

static bool is_allowed(struct lst_api_exchange *exchange, const struct upload *upload)
{
    const struct lst_access_question question = {
        .action = LST_SLICE("s3:PutObject"),
        .bucket = lst_slice_of(upload->profile->bucket),
        .key = lst_buffer_slice(&upload->key),
    };
    int status =
        lst_gate_authorise(exchange->api->options.gate, &exchange->bearer.passage, &question);

    if (status != LST_OK) {
        lst_api_fail(exchange, 403, "AccessDenied",
                     "The user '%s', who would sign this upload, may not do s3:PutObject there",
                     lst_passage_user_name(&exchange->bearer.passage));
    }
    return status == LST_OK;
}

static int sign(const struct lst_api_exchange *exchange, const struct upload *upload,
                struct lst_buffer *url)
{
    static const struct lst_field new_only = {{"If-None-Match", 13}, {"*", 1}};
    const struct lst_profile *profile = upload->profile;
    char length[LENGTH_TEXT];
    struct lst_field limits[LIMITS_MAX];
    size_t count = 0;

    (void)snprintf(length, sizeof(length), "%lld-%lld",
                   (long long)(upload->size < 0 ? profile->min_size : upload->size),
                   (long long)(upload->size < 0 ? profile->max_size : upload->size));
    limits[count++] =
        (struct lst_field){LST_SLICE("x-latch-id"),
                           lst_slice_first(lst_buffer_slice(&upload->id), upload->ticket_length)};
    limits[count++] = (struct lst_field){LST_SLICE("x-latch-length"), lst_slice_of(length)};
    if (upload->type.length > 0) {
        limits[count++] = (struct lst_field){LST_SLICE("x-latch-type"), upload->type};
    }
    if (profile->check_content) {
        limits[count++] = (struct lst_field){LST_SLICE("x-latch-sniff"), LST_SLICE("1")};
    }
    return lst_api_sign(exchange, &exchange->bearer,
                        (struct lst_signing){.method = LST_SLICE("PUT"),
                                             .bucket = lst_slice_of(profile->bucket),
                                             .key = lst_buffer_slice(&upload->key),
                                             .query = limits,
                                             .query_count = count,
                                             .headers = &new_only,
                                             .header_count = profile->replace ? 0 : 1,
                                             .time = upload->created,
                                             .expires = upload->expires - upload->created},
                        url);
}

json_t *lst_uploads_object(const struct lst_api_exchange *exchange, struct lst_slice bucket,
                           struct lst_slice key, int64_t life)
{
    int64_t now = lst_api_now(exchange);
    int64_t most = exchange->api->options.expires_max;
    struct lst_buffer url;
    json_t *json = NULL;

    life = life < most ? life : most;
    lst_buffer_init(&url, LST_API_URL_MAX);
    if (lst_api_sign(exchange, &exchange->bearer,
                     (struct lst_signing){.method = LST_SLICE("GET"),
                                          .bucket = bucket,
                                          .key = key,
                                          .time = now,
                                          .expires = life},
                     &url) == LST_OK) {
        json = json_pack("{s:s%, s:o}", "url", url.bytes, url.length, "expires_at",
                         lst_api_json_time(now + life));
    }
    lst_buffer_release(&url);
    return json;
}

static json_t *make_answer(const struct lst_api_exchange *exchange, const struct upload *upload)
{
    struct lst_buffer url;
    json_t *headers = json_object();
    json_t *json = NULL;

    if (upload->type.length > 0) {
        (void)json_object_set_new(headers, "Content-Type", lst_api_json_slice(upload->type));
    }
    if (!upload->profile->replace) {
        (void)json_object_set_new(headers, "If-None-Match", json_string("*"));
    }
    lst_buffer_init(&url, LST_API_URL_MAX);
    if (sign(exchange, upload, &url) == LST_OK) {
        json = json_pack(
            "{s:s%, s:s, s:s, s:o, s:{s:s, s:s%, s:O, s:o}, s:o}", "id", upload->id.bytes,
            upload->id.length, "status", "pending", "bucket", upload->profile->bucket, "key",
            lst_api_json_slice(lst_buffer_slice(&upload->key)), "upload", "method", "PUT", "url",
            url.bytes, url.length, "headers", headers, "expires_at",
            lst_api_json_time(upload->expires), "object",
            lst_uploads_object(exchange, lst_slice_of(upload->profile->bucket),
                               lst_buffer_slice(&upload->key), upload->profile->link_expires));
    }
    json_decref(headers);
    lst_buffer_release(&url);
    return json;
}

static void answer(struct lst_api_exchange *exchange, struct upload *upload)
{
    int64_t life = upload->profile->upload_expires;
    int status;

    if (life > exchange->api->options.expires_max) {
        life = exchange->api->options.expires_max;
    }
    upload->expires = upload->created + life;
    status = lst_ticket_make(exchange->api->secret, upload->profile_name,
                             lst_slice_of(upload->profile->bucket), lst_buffer_slice(&upload->key),
                             upload->created, upload->expires, &upload->id, &upload->ticket_length);
    if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
    } else {
        lst_api_answer(exchange, 201, make_answer(exchange, upload));
    }
}

void lst_uploads_create(struct lst_api_exchange *exchange)
{
    struct upload upload = {.created = lst_api_now(exchange)};

    lst_buffer_init(&upload.key, LST_TEMPLATE_MAX);
    lst_buffer_init(&upload.id, LST_UPLOAD_ID_MAX);
    if (read_input(exchange, &upload) && find_profile(exchange, &upload) &&
        fits_profile(exchange, &upload) && make_key(exchange, &upload) &&
        is_allowed(exchange, &upload)) {
        answer(exchange, &upload);
    }
    lst_profile_unref(upload.profile);
    lst_buffer_release(&upload.key);
    lst_buffer_release(&upload.id);
}
