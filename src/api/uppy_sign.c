/*
 * uppy_sign.c - POST s3/sign: a URL for one request of S3, whichever Uppy is about to make.
 *
 * Uppy proposes a key. Where the object goes is not the client's decision: for a new object the
 * proposal is taken for the name of the file, and the answer says the key that the profile gives.
 * From then on Uppy names that one, and the id that the store gave the upload in parts.
 */
#include "api/sign.h"
#include "api/uppy.h"

#include <stdio.h>

enum { METHOD_MAX = 8, LIMITS_MAX = LST_UPLOAD_LIMITS_MAX + 2, SIZE_TEXT = 24 };

struct wish {
    struct lst_slice method;
    struct lst_slice key;
    struct lst_slice upload_id; /* empty: a new object */
    struct lst_slice type;
    struct lst_slice profile;
    int64_t part;    /* 0: none */
    int64_t expires; /* 0: not told */
};

static bool is(const struct wish *wish, const char *method)
{
    return lst_slice_equal(wish->method, lst_slice_of(method));
}

/* ---- A new object */

static json_t *make_answer(json_t *url, const struct lst_upload *upload)
{
    return json_pack("{s:o, s:s%, s:s%}", "url", url, "key", upload->key.bytes, upload->key.length,
                     "id", upload->id.bytes, upload->id.length);
}

static json_t *sign_object(const struct lst_api_exchange *exchange, const struct lst_upload *upload,
                           int64_t life)
{
    struct lst_upload_limits limits;
    struct lst_field query[LIMITS_MAX];

    lst_upload_limit(upload, &limits);
    memcpy(query, limits.fields, limits.count * sizeof(query[0]));
    query[limits.count] = (struct lst_field){LST_SLICE("x-latch-new"), LST_SLICE("1")};
    return lst_uppy_url(
        exchange,
        (struct lst_signing){.method = LST_SLICE("PUT"),
                             .bucket = lst_slice_of(upload->profile->bucket),
                             .key = lst_buffer_slice(&upload->key),
                             .query = query,
                             .query_count = limits.count + (upload->profile->replace ? 0 : 1),
                             .expires = life});
}

static json_t *sign_creation(const struct lst_api_exchange *exchange,
                             const struct lst_upload *upload, int64_t life)
{
    struct lst_upload_limits limits;
    char total[LST_UPPY_TOTAL_TEXT];
    struct lst_field query[LIMITS_MAX] = {
        {LST_SLICE("uploads"), LST_SLICE("")},
        {LST_SLICE("x-latch-total"), lst_uppy_total(upload, total)},
    };
    size_t count = 2;

    lst_upload_limit(upload, &limits);
    for (size_t i = 0; i < limits.count; i++) {
        struct lst_slice name = limits.fields[i].name;

        /* The others are said of the parts. */
        if (lst_slice_equal(name, LST_SLICE("x-latch-id")) ||
            lst_slice_equal(name, LST_SLICE("x-latch-sniff")) ||
            lst_slice_equal(name, LST_SLICE("x-latch-type"))) {
            query[count++] = limits.fields[i];
        }
    }
    return lst_uppy_url(exchange,
                        (struct lst_signing){.method = LST_SLICE("POST"),
                                             .bucket = lst_slice_of(upload->profile->bucket),
                                             .key = lst_buffer_slice(&upload->key),
                                             .query = query,
                                             .query_count = count,
                                             .expires = life});
}

/* At a remote: what it enforces of the profile is in headers, which Uppy sends along. */
static json_t *sign_elsewhere(const struct lst_api_exchange *exchange,
                              const struct lst_upload *upload)
{
    json_t *put = lst_upload_put(exchange, upload);
    json_t *json = make_answer(json_incref(json_object_get(put, "url")), upload);

    lst_api_json_set(&json, "headers", json_incref(json_object_get(put, "headers")));
    lst_upload_tell_not_enforced(upload, false, &json);
    json_decref(put);
    return json;
}

static void sign_whole(struct lst_api_exchange *exchange, struct lst_upload *upload, int64_t life)
{
    upload->expires = upload->created + life;
    if (upload->remote == NULL) {
        lst_upload_answer(exchange, upload, 200,
                          make_answer(sign_object(exchange, upload, life), upload));
    } else if (upload->type.length == 0 && upload->profile->types[0] != '\0') {
        lst_api_fail(exchange, 400, "InvalidArgument",
                     "contentType: it is missing, and the remote can't see to it");
    } else {
        lst_upload_answer(exchange, upload, 200, sign_elsewhere(exchange, upload));
    }
}

static void sign_new(struct lst_api_exchange *exchange, const struct wish *wish)
{
    const struct lst_uppy_wish file = {
        .filename = wish->key,
        .type = wish->type,
        .profile = exchange->bearer.is_client ? LST_SLICE("") : wish->profile,
    };
    bool is_whole = is(wish, "PUT");
    struct lst_upload upload;
    int64_t life;

    lst_upload_init(&upload, lst_api_now(exchange));
    upload.type_comes_later = true;
    upload.life = is_whole ? 0 : LST_UPPY_LIFE;
    upload.is_in_parts = !is_whole;
    if (lst_uppy_prepare(exchange, &file, &upload)) {
        life = lst_upload_url_life(exchange, upload.profile);
        if (wish->expires > 0 && wish->expires < life) {
            life = wish->expires;
        }
        if (is_whole) {
            sign_whole(exchange, &upload, life);
        } else if (lst_uppy_has_parts(exchange, &upload)) {
            lst_upload_answer(exchange, &upload, 200,
                              make_answer(sign_creation(exchange, &upload, life), &upload));
        }
    }
    lst_upload_release(&upload);
}

/* ---- An upload in parts that is under way */

/* The whole must have as many bytes as its parts have now, so that what is put in their place
 * later is not let through. */
static void sign_completion(struct lst_api_exchange *exchange, struct lst_uppy_upload *upload,
                            int64_t life)
{
    char text[SIZE_TEXT];
    uint64_t size = 0;
    struct lst_field query[] = {
        {LST_SLICE("uploadId"), upload->name.upload},
        {LST_SLICE("x-amz-mp-object-size"), {text, 0}},
        {LST_SLICE("x-latch-id"), upload->ticket.text},
        {LST_SLICE("x-latch-new"), LST_SLICE("1")},
    };
    int status = lst_uppy_size(exchange, upload, 0, &size);

    if (status != LST_OK) {
        lst_uppy_fail_code(exchange, status);
        return;
    }
    if (!lst_uppy_check_size(exchange, upload, size)) {
        return;
    }
    query[1].value.length = (size_t)snprintf(text, sizeof(text), "%llu", (unsigned long long)size);
    lst_api_answer(
        exchange, 200,
        json_pack("{s:o}", "url",
                  lst_uppy_url(exchange,
                               (struct lst_signing){.method = LST_SLICE("POST"),
                                                    .bucket = upload->name.bucket,
                                                    .key = upload->name.key,
                                                    .query = query,
                                                    .query_count = upload->profile->replace ? 3 : 4,
                                                    .expires = life})));
}

/* ListParts and AbortMultipartUpload. */
static void sign_plain(struct lst_api_exchange *exchange, const struct lst_uppy_upload *upload,
                       struct lst_slice method, int64_t life)
{
    const struct lst_field query = {LST_SLICE("uploadId"), upload->name.upload};

    lst_api_answer(
        exchange, 200,
        json_pack("{s:o}", "url",
                  lst_uppy_url(exchange, (struct lst_signing){.method = method,
                                                              .bucket = upload->name.bucket,
                                                              .key = upload->name.key,
                                                              .query = &query,
                                                              .query_count = 1,
                                                              .expires = life})));
}

static void sign_part(struct lst_api_exchange *exchange, struct lst_uppy_upload *upload,
                      uint32_t number, int64_t life)
{
    uint64_t left;

    if (lst_uppy_check_number(exchange, upload, number) &&
        lst_uppy_part_left(exchange, upload, number, &left)) {
        lst_api_answer(
            exchange, 200,
            json_pack("{s:o}", "url", lst_uppy_part_url(exchange, upload, number, left, life)));
    }
}

/* The bucket is that of the profile: the store's id alone does not say it. */
static bool find_upload(struct lst_api_exchange *exchange, const struct wish *wish,
                        struct lst_uppy_upload *upload)
{
    struct lst_slice name =
        lst_uppy_profile(exchange, exchange->bearer.is_client ? LST_SLICE("") : wish->profile);
    const struct lst_profile *profile;
    int status = LST_ERR_NOT_FOUND;
    bool is_found;

    if (name.length == 0) {
        return false;
    }
    if (lst_bearer_may_use(&exchange->bearer, name)) {
        status = lst_profiles_find(exchange->api->profiles, name, &profile);
    }
    if (status == LST_ERR_NOT_FOUND) {
        lst_api_fail(exchange, 404, "NoSuchProfile",
                     "profile: no such profile, or this token may not use it: see "
                     "`latchstring profile list`");
        return false;
    }
    if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
        return false;
    }
    upload->name = (struct lst_upload_name){
        .bucket = lst_slice_of(profile->bucket), .key = wish->key, .upload = wish->upload_id};
    is_found = lst_uppy_find(exchange, upload);
    upload->name.bucket = upload->ticket.bucket; /* which is the upload's own memory */
    lst_profile_unref(profile);
    return is_found;
}

static void sign_step(struct lst_api_exchange *exchange, const struct wish *wish)
{
    struct lst_uppy_upload *upload = lst_uppy_begin(exchange);
    int64_t life;

    if (upload == NULL || !find_upload(exchange, wish, upload)) {
        return;
    }
    life = lst_uppy_url_life(exchange, upload, wish->expires);
    if (is(wish, "POST")) {
        sign_completion(exchange, upload, life);
    } else if (is(wish, "PUT")) {
        sign_part(exchange, upload, (uint32_t)wish->part, life);
    } else {
        sign_plain(exchange, upload, wish->method, life);
    }
}

/* ---- What is asked for */

/* Which of its fields belong to which request. */
static void check_wish(struct lst_fields *fields, const struct wish *wish)
{
    bool has_upload = wish->upload_id.length > 0;

    if (!is(wish, "GET") && !is(wish, "PUT") && !is(wish, "POST") && !is(wish, "DELETE")) {
        lst_fields_refuse(fields, "method", "it must be PUT, POST, GET or DELETE");
    } else if (!has_upload && !is(wish, "PUT") && !is(wish, "POST")) {
        lst_fields_refuse(fields, "method",
                          "without an uploadId it must be PUT or POST: objects "
                          "are neither read nor deleted here");
    } else if (has_upload && is(wish, "PUT") && wish->part == 0) {
        lst_fields_refuse(fields, "partNumber", "it is missing");
    } else if (wish->part != 0 && !(has_upload && is(wish, "PUT"))) {
        lst_fields_refuse(fields, "partNumber", "it belongs to a PUT with an uploadId");
    }
}

void lst_uppy_sign(struct lst_api_exchange *exchange)
{
    struct wish wish = {.part = 0};
    struct lst_fields fields;

    lst_fields_begin(&fields, exchange->input, NULL);
    lst_fields_text(&fields, "method", LST_FIELD_REQUIRED, 1, METHOD_MAX, &wish.method);
    lst_fields_text(&fields, "key", LST_FIELD_REQUIRED, 1, LST_UPLOAD_FILENAME_MAX, &wish.key);
    lst_fields_text(&fields, "uploadId", LST_FIELD_OPTIONAL, 1, LST_UPLOAD_ID_MAX, &wish.upload_id);
    lst_fields_integer(&fields, "partNumber", LST_FIELD_OPTIONAL, 1, LST_PART_NUMBER_MAX,
                       &wish.part);
    lst_fields_integer(&fields, "expiresIn", LST_FIELD_OPTIONAL, 1, LST_PROFILE_EXPIRES_MAX,
                       &wish.expires);
    lst_fields_text(&fields, "contentType", LST_FIELD_OPTIONAL, 0, LST_UPLOAD_TYPE_MAX, &wish.type);
    lst_fields_text(&fields, "profile", LST_FIELD_OPTIONAL, 1, LST_PROFILE_NAME_MAX, &wish.profile);
    check_wish(&fields, &wish);
    if (lst_fields_end(&fields) != LST_OK) {
        lst_api_fail(exchange, 400, "InvalidArgument", "%s", fields.problem);
    } else if (wish.upload_id.length == 0) {
        sign_new(exchange, &wish);
    } else {
        sign_step(exchange, &wish);
    }
}
