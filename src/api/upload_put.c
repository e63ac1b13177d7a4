/* upload_put.c - an upload by PUT: its URL, and the headers that belong to it. */
#include "api/sign.h"
#include "api/upload.h"
#include "s3/content_types.h"

#include <stdio.h>

void lst_upload_limit(const struct lst_upload *upload, struct lst_upload_limits *ret_limits)
{
    const struct lst_profile *profile = upload->profile;
    struct lst_field *fields = ret_limits->fields;
    size_t count = 0;

    (void)snprintf(ret_limits->length, sizeof(ret_limits->length), "%lld-%lld",
                   (long long)(upload->size < 0 ? profile->min_size : upload->size),
                   (long long)(upload->size < 0 ? profile->max_size : upload->size));
    fields[count++] =
        (struct lst_field){LST_SLICE("x-latch-id"),
                           lst_slice_first(lst_buffer_slice(&upload->id), upload->ticket_length)};
    fields[count++] =
        (struct lst_field){LST_SLICE("x-latch-length"), lst_slice_of(ret_limits->length)};
    if (upload->type.length > 0) {
        fields[count++] =
            (struct lst_field){LST_SLICE("x-latch-type"), lst_content_essence(upload->type)};
    } else if (profile->types[0] != '\0') {
        fields[count++] =
            (struct lst_field){LST_SLICE("x-latch-type"), lst_slice_of(profile->types)};
    }
    if (profile->check_content) {
        fields[count++] = (struct lst_field){LST_SLICE("x-latch-sniff"), LST_SLICE("1")};
    }
    ret_limits->count = count;
}

bool lst_upload_is_constrained(const struct lst_upload *upload)
{
    return upload->remote == NULL || upload->remote->is_latchstring;
}

void lst_upload_tell_not_enforced(const struct lst_upload *upload, bool is_form, json_t **json)
{
    const struct lst_profile *profile = upload->profile;
    json_t *list;

    if (lst_upload_is_constrained(upload)) {
        return;
    }
    list = json_array();
    if (upload->size < 0 && !is_form) {
        lst_api_json_append(&list, json_string("min_size"));
        lst_api_json_append(&list, json_string("max_size"));
    }
    if (upload->type.length == 0 && profile->types[0] != '\0') {
        lst_api_json_append(&list, json_string("types"));
    }
    if (profile->check_content) {
        lst_api_json_append(&list, json_string("check_content"));
    }
    if (is_form && !profile->replace) {
        lst_api_json_append(&list, json_string("replace"));
    }
    lst_api_json_set(json, "not_enforced", list);
}

/* ---- The headers */

enum { HEADERS_MAX = 4, SIZE_TEXT = 24 };

/* Those that are signed. The client is told of all but the first: that he sends by himself. */
struct headers {
    struct lst_field list[HEADERS_MAX];
    size_t count;
    size_t untold;
    char size[SIZE_TEXT];
};

static void add(struct headers *headers, const char *name, struct lst_slice value)
{
    headers->list[headers->count++] = (struct lst_field){lst_slice_of(name), value};
}

static void set_headers(struct headers *headers, const struct lst_upload *upload)
{
    bool is_constrained = lst_upload_is_constrained(upload);

    headers->count = 0;
    headers->untold = 0;
    if (!is_constrained && upload->size >= 0) {
        (void)snprintf(headers->size, sizeof(headers->size), "%lld", (long long)upload->size);
        add(headers, "Content-Length", lst_slice_of(headers->size));
        headers->untold = 1;
    }
    if (!upload->profile->replace) {
        add(headers, "If-None-Match", LST_SLICE("*"));
    }
    if (!is_constrained) {
        add(headers, "x-amz-meta-latch-upload",
            lst_slice_first(lst_buffer_slice(&upload->id), upload->ticket_length));
        if (upload->type.length > 0) {
            add(headers, "Content-Type", upload->type);
        }
    }
}

static json_t *headers_to_json(const struct headers *headers, const struct lst_upload *upload)
{
    json_t *json = json_object();

    if (upload->type.length > 0) {
        lst_api_json_set(&json, "Content-Type", lst_api_json_slice(upload->type));
    }
    for (size_t i = headers->untold; i < headers->count; i++) {
        /* The names are constants. */
        lst_api_json_set(&json, headers->list[i].name.bytes,
                         lst_api_json_slice(headers->list[i].value));
    }
    return json;
}

/* ---- The URL */

static int sign(const struct lst_api_exchange *exchange, const struct lst_upload *upload,
                const struct headers *headers, struct lst_buffer *url)
{
    struct lst_upload_limits limits;

    lst_upload_limit(upload, &limits);
    return lst_api_sign_for(
        exchange, &exchange->bearer, upload->remote,
        (struct lst_signing){.method = LST_SLICE("PUT"),
                             .bucket = lst_slice_of(upload->profile->bucket),
                             .key = lst_buffer_slice(&upload->key),
                             .query = limits.fields,
                             .query_count = lst_upload_is_constrained(upload) ? limits.count : 0,
                             .headers = headers->list,
                             .header_count = headers->count,
                             .time = upload->created,
                             .expires = upload->expires - upload->created},
        url);
}

json_t *lst_upload_put(const struct lst_api_exchange *exchange, const struct lst_upload *upload)
{
    struct headers headers;
    struct lst_buffer url;
    json_t *json = NULL;

    set_headers(&headers, upload);
    lst_buffer_init(&url, LST_API_URL_MAX);
    if (sign(exchange, upload, &headers, &url) == LST_OK) {
        json = json_pack("{s:s, s:s%, s:o, s:o}", "method", "PUT", "url", url.bytes, url.length,
                         "headers", headers_to_json(&headers, upload), "expires_at",
                         lst_api_json_time(upload->expires));
    }
    lst_buffer_release(&url);
    return json;
}
