/* v2.c - step two of a check of Signature Version 2: the string to sign, and its HMAC-SHA1. */
#include "v2.h"

#include <nettle/hmac.h>

#define AMZ_MAX (LST_HEADERS_MAX + LST_PARAMETERS_MAX)

/* Where the string to sign goes: into a buffer or into an HMAC. */
struct sink {
    struct lst_internal_writer *writer;
    struct hmac_sha1_ctx *hmac;
    bool adds_slash; /* behind a path that is a bucket alone: "/photos" is signed as "/photos/" */
};

static void put(const struct sink *sink, struct lst_slice text)
{
    if (sink->writer != NULL) {
        lst_internal_put(sink->writer, text);
    } else if (text.length > 0) {
        hmac_sha1_update(sink->hmac, text.length, (const uint8_t *)text.bytes);
    }
}

static void put_byte(const struct sink *sink, char byte)
{
    put(sink, (struct lst_slice){&byte, 1});
}

static void put_decoded(const struct sink *sink, struct lst_slice text,
                        enum lst_internal_origin origin)
{
    while (text.length > 0) {
        put_byte(sink, (char)lst_internal_next_byte(&text, origin));
    }
}

/* Trimmed, with no more folding than HTTP has left of it. */
static void put_header_value(const struct sink *sink, const struct lst_field *field,
                             enum lst_internal_origin origin)
{
    put_decoded(sink, lst_internal_trim(field->value), origin);
}

/* ---- Headers */

/* An x-amz- header, or the parameter that stands for one. */
struct amz {
    struct lst_field field;
    enum lst_internal_origin origin;
};

struct amz_list {
    struct amz items[AMZ_MAX];
    size_t count;
};

/* Keep them in the order of their names; those of one name in that of their coming. */
static void add_amz(struct amz_list *list, struct lst_slice name, struct lst_slice value,
                    enum lst_internal_origin origin)
{
    const struct lst_slice prefix = LST_SLICE("x-amz-");
    size_t place = list->count;

    if (name.length <= prefix.length || list->count == AMZ_MAX ||
        !lst_internal_equal_ignoring_case(lst_internal_first(name, prefix.length), prefix)) {
        return;
    }
    while (place > 0 && lst_internal_compare_names(list->items[place - 1].field.name, name) > 0) {
        list->items[place] = list->items[place - 1];
        place--;
    }
    list->items[place] = (struct amz){{name, value}, origin};
    list->count++;
}

static void put_amz(const struct sink *sink, const struct amz_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct amz *item = &list->items[i];
        bool continues = i > 0 && lst_internal_compare_names(list->items[i - 1].field.name,
                                                             item->field.name) == 0;

        if (continues) {
            put_byte(sink, ',');
        } else {
            if (i > 0) {
                put_byte(sink, '\n');
            }
            for (size_t j = 0; j < item->field.name.length; j++) {
                put_byte(sink, lst_internal_lower(item->field.name.bytes[j]));
            }
            put_byte(sink, ':');
        }
        put_header_value(sink, &item->field, item->origin);
    }
    if (list->count > 0) {
        put_byte(sink, '\n');
    }
}

/* A header that stands in a line of its own; else, in a presigned URL, the parameter. */
static void put_positional(const struct sink *sink, const struct lst_request *request,
                           const struct lst_internal_parameter *parameters, size_t count,
                           struct lst_slice name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (lst_internal_equal_ignoring_case(request->headers[i].name, name)) {
            put_header_value(sink, &request->headers[i], LST_INTERNAL_RAW);
            return;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (lst_internal_equal(parameters[i].name, name)) {
            put_decoded(sink, parameters[i].value, LST_INTERNAL_WIRE_QUERY);
            return;
        }
    }
}

/* ---- Resource */

static void put_resource(const struct sink *sink, struct lst_slice path, struct lst_slice bucket,
                         const struct lst_internal_parameter *parameters, size_t count,
                         enum lst_auth_kind kind)
{
    uint8_t order[LST_PARAMETERS_MAX];
    char separator = '?';

    if (bucket.length > 0) {
        put_byte(sink, '/');
        put(sink, bucket);
    }
    put(sink, path);
    if (sink->adds_slash) {
        put_byte(sink, '/');
    }
    lst_internal_sort_query(parameters, count, 0, LST_INTERNAL_WIRE_QUERY, order);
    for (size_t i = 0; i < count; i++) {
        const struct lst_internal_parameter *parameter = &parameters[order[i]];

        if (lst_internal_v2_role(parameter, kind) != LST_INTERNAL_V2_RESOURCE) {
            continue;
        }
        put_byte(sink, separator);
        separator = '&';
        put(sink, parameter->name); /* as sent: decoded, "acl%26a" would be two */
        if (parameter->name.length < parameter->text.length) {
            put_byte(sink, '=');
            put_decoded(sink, parameter->value, LST_INTERNAL_WIRE_QUERY);
        }
    }
}

/*
 * What is signed has values decoded, so one with a line's end or an '&' in it could pass for
 * several: "response-content-disposition=a&response-content-type=text/html" for one or for two.
 */
static bool is_unambiguous(const struct lst_internal_parameter *parameter, enum lst_auth_kind kind)
{
    bool is_resource = lst_internal_v2_role(parameter, kind) == LST_INTERNAL_V2_RESOURCE;
    struct lst_slice rest = parameter->value;

    while (rest.length > 0) {
        unsigned char byte = lst_internal_next_byte(&rest, LST_INTERNAL_WIRE_QUERY);
        if (byte == '\n' || (byte == '&' && is_resource)) {
            return false;
        }
    }
    return true;
}

/* ---- All of it */

/* Date, or in its place Expires; nothing if there is an x-amz-date, which is signed as such. */
static void put_time(const struct sink *sink, const struct lst_request *request,
                     const struct lst_auth *auth, const struct amz_list *list,
                     const struct lst_internal_parameter *parameters, size_t count)
{
    if (auth->kind == LST_AUTH_V2_QUERY) {
        for (size_t i = 0; i < count; i++) {
            if (lst_internal_equal(parameters[i].name, LST_SLICE("Expires"))) {
                put_decoded(sink, parameters[i].value, LST_INTERNAL_WIRE_QUERY);
            }
        }
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (lst_internal_compare_names(list->items[i].field.name, LST_SLICE("x-amz-date")) == 0) {
            return;
        }
    }
    put_positional(sink, request, NULL, 0, LST_SLICE("Date"));
}

static int put_string_to_sign(const struct sink *sink, const struct lst_request *request,
                              const struct lst_auth *auth, struct lst_slice bucket)
{
    struct lst_internal_parameter parameters[LST_PARAMETERS_MAX];
    bool is_query = auth->kind == LST_AUTH_V2_QUERY;
    struct amz_list list;
    struct lst_slice path;
    struct lst_slice query;
    size_t count = 0;
    size_t carried;
    int error;

    lst_internal_split_target(request->target, &path, &query);
    error = lst_internal_split_query(query, parameters, &count);
    if (error != LST_OK || request->header_count > LST_HEADERS_MAX) {
        return error != LST_OK ? error : LST_REFUSED_TOO_MANY_HEADERS;
    }
    carried = is_query ? count : 0; /* parameters that may stand for headers */
    list.count = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        add_amz(&list, request->headers[i].name, request->headers[i].value, LST_INTERNAL_RAW);
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_unambiguous(&parameters[i], auth->kind)) {
            return LST_REFUSED_V2_AMBIGUOUS;
        }
        if (i < carried && parameters[i].name_is_bare) {
            add_amz(&list, parameters[i].name, parameters[i].value, LST_INTERNAL_WIRE_QUERY);
        }
    }
    put(sink, request->method);
    put_byte(sink, '\n');
    put_positional(sink, request, parameters, carried, LST_SLICE("content-md5"));
    put_byte(sink, '\n');
    put_positional(sink, request, parameters, carried, LST_SLICE("content-type"));
    put_byte(sink, '\n');
    put_time(sink, request, auth, &list, parameters, count);
    put_byte(sink, '\n');
    put_amz(sink, &list);
    put_resource(sink, path, bucket, parameters, count, auth->kind);
    return LST_OK;
}

/* ---- The signature */

/* In path style, without a slash at the end. SDKs sign it with one, others as it is sent. */
static bool is_bare_bucket(const struct lst_request *request, struct lst_slice bucket)
{
    struct lst_slice path;
    struct lst_slice query;

    lst_internal_split_target(request->target, &path, &query);
    return bucket.length == 0 && path.length > 1 &&
           lst_internal_find(lst_internal_skip(path, 1), '/') == path.length - 1;
}

static bool key_is_valid(struct lst_slice secret)
{
    return secret.length > 0 && secret.length <= LST_SECRET_MAX;
}

static void set_key(struct hmac_sha1_ctx *hmac, struct lst_slice secret)
{
    hmac_sha1_set_key(hmac, secret.length, (const uint8_t *)secret.bytes);
}

/* Hold the signature as it was sent against the right one. Wipes the HMAC. */
static int check_signature(struct hmac_sha1_ctx *hmac, struct lst_slice sent,
                           enum lst_internal_origin origin)
{
    uint8_t digest[LST_INTERNAL_SHA1_SIZE];
    char expected[LST_INTERNAL_V2_SIGNATURE_LENGTH];
    char scratch[LST_INTERNAL_V2_SIGNATURE_LENGTH];
    struct lst_internal_writer writer = lst_internal_writer_to(scratch, sizeof(scratch));
    bool is_right;

    lst_internal_put_decoded(&writer, sent, origin);
    hmac_sha1_digest(hmac, sizeof(digest), digest);
    lst_internal_base64_encode(digest, sizeof(digest), expected);
    is_right = !writer.overflow && lst_equal_secret((struct lst_slice){expected, sizeof(expected)},
                                                    (struct lst_slice){scratch, writer.length});
    lst_wipe(hmac, sizeof(*hmac));
    lst_wipe(digest, sizeof(digest));
    lst_wipe(expected, sizeof(expected));
    return is_right ? LST_OK : LST_REFUSED_SIGNATURE;
}

static int verify_once(const struct lst_request *request, const struct lst_auth *auth,
                       struct lst_slice bucket, struct lst_slice secret, bool adds_slash)
{
    struct hmac_sha1_ctx hmac;
    struct sink sink = {.hmac = &hmac, .adds_slash = adds_slash};
    int error;

    set_key(&hmac, secret);
    error = put_string_to_sign(&sink, request, auth, bucket);
    if (error != LST_OK) {
        lst_wipe(&hmac, sizeof(hmac));
        return error;
    }
    return check_signature(&hmac, auth->signature,
                           auth->kind == LST_AUTH_V2_QUERY ? LST_INTERNAL_WIRE : LST_INTERNAL_RAW);
}

LST_PUBLIC int lst_verify_v2(const struct lst_request *request, const struct lst_auth *auth,
                             struct lst_slice bucket, struct lst_slice secret)
{
    int error;

    if ((auth->kind != LST_AUTH_V2_QUERY && auth->kind != LST_AUTH_V2_HEADER) ||
        !key_is_valid(secret)) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    error = verify_once(request, auth, bucket, secret, false);
    if (error == LST_REFUSED_SIGNATURE && is_bare_bucket(request, bucket)) {
        error = verify_once(request, auth, bucket, secret, true);
    }
    return error;
}

LST_PUBLIC int lst_verify_form_v2(const struct lst_auth *auth, struct lst_slice secret)
{
    struct hmac_sha1_ctx hmac;

    if (auth->kind != LST_AUTH_V2_FORM || !key_is_valid(secret)) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    set_key(&hmac, secret);
    put(&(struct sink){.hmac = &hmac}, auth->policy);
    return check_signature(&hmac, auth->signature, LST_INTERNAL_RAW);
}

LST_PUBLIC int lst_string_to_sign_v2(const struct lst_request *request, const struct lst_auth *auth,
                                     struct lst_slice bucket, char *out, size_t capacity,
                                     size_t *ret_length)
{
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity);
    int error;

    if (auth->kind != LST_AUTH_V2_QUERY && auth->kind != LST_AUTH_V2_HEADER) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    error = put_string_to_sign(
        &(struct sink){.writer = &writer, .adds_slash = is_bare_bucket(request, bucket)}, request,
        auth, bucket);
    return error != LST_OK ? error : lst_internal_writer_finish(&writer, ret_length);
}
