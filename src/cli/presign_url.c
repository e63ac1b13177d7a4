/* presign_url.c - print presigned URLs. */
#include "base/buffer.h"
#include "base/error.h"
#include "cli/json.h"
#include "cli/presign.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum {
    METHOD_MAX = 32,
    OUTPUT_BUFFER = 64 * 1024,
    BUFFER_MAX = 1024 * 1024,
};

/* What stays the same from URL to URL, and room for one. */
struct url_maker {
    const struct lst_presign *presign;
    struct lst_signing signing; /* all but the key */
    struct lst_field headers[LST_PRESIGN_FIELDS_MAX];
    struct lst_field query[LST_OPTION_REPEATS_MAX];
    char method[METHOD_MAX];
    struct lst_buffer path;
    struct lst_buffer url;
};

static bool set_method(struct url_maker *maker)
{
    const char *method = maker->presign->options->method;
    size_t length;

    method = method != NULL ? method : "GET";
    length = strlen(method);
    for (size_t i = 0; i < length && length < METHOD_MAX; i++) {
        maker->method[i] = (char)toupper((unsigned char)method[i]);
    }
    if (length == 0 || length >= METHOD_MAX ||
        strspn(maker->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != length) {
        (void)lst_usage_error(maker->presign->usage, "'%s' is not an HTTP method", method);
        return false;
    }
    maker->signing.method = lst_slice_of(maker->method);
    return true;
}

static bool add_header(struct url_maker *maker, const char *given)
{
    const struct lst_usage *usage = maker->presign->usage;
    struct lst_field *header = &maker->headers[maker->signing.header_count];

    if (!lst_presign_split(usage, "header", given, ':', header)) {
        return false;
    }
    if (lst_slice_equal_ignoring_case(header->name, LST_SLICE("host"))) {
        (void)lst_usage_error(usage, "the host is signed anyway; to change it use --endpoint-url");
        return false;
    }
    if (lst_slice_equal_ignoring_case(header->name, LST_SLICE("x-amz-content-sha256"))) {
        maker->signing.payload_hash = header->value;
    }
    maker->signing.header_count++;
    return true;
}

static bool set_headers(struct url_maker *maker)
{
    const struct lst_presign_options *options = maker->presign->options;

    for (size_t i = 0; i < options->headers.count; i++) {
        if (!add_header(maker, options->headers.values[i])) {
            return false;
        }
    }
    if (options->content_type != NULL) {
        maker->headers[maker->signing.header_count++] =
            (struct lst_field){LST_SLICE("Content-Type"), lst_slice_of(options->content_type)};
    }
    maker->signing.headers = maker->headers;
    return true;
}

static bool set_query(struct url_maker *maker)
{
    const struct lst_option_list *given = &maker->presign->options->query;

    for (size_t i = 0; i < given->count; i++) {
        if (!lst_presign_split(maker->presign->usage, "query", given->values[i], '=',
                               &maker->query[i])) {
            return false;
        }
    }
    maker->signing.query = maker->query;
    maker->signing.query_count = given->count;
    return true;
}

static bool prepare(struct url_maker *maker)
{
    const struct lst_presign *presign = maker->presign;

    lst_buffer_init(&maker->path, BUFFER_MAX);
    lst_buffer_init(&maker->url, BUFFER_MAX);
    maker->signing = (struct lst_signing){
        .scheme = lst_slice_of(presign->place.scheme),
        .host = lst_slice_of(presign->place.host),
        .access_key_id = lst_slice_of(presign->settings.credentials.access_key_id),
        .session_token = lst_slice_of(presign->settings.credentials.session_token),
        .time = presign->time,
        .expires = presign->expires,
    };
    return set_method(maker) && set_headers(maker) && set_query(maker);
}

/* Make the URL of one key: the concatenation of the two parts. */
static int make_url(struct url_maker *maker, struct lst_slice prefix, struct lst_slice rest)
{
    const struct lst_place *place = &maker->presign->place;
    size_t bound;
    char *text;
    int status;

    lst_buffer_clear(&maker->path);
    lst_buffer_clear(&maker->url);
    lst_buffer_append_string(&maker->path, place->root);
    lst_buffer_append(&maker->path, prefix);
    lst_buffer_append(&maker->path, rest);
    status = lst_buffer_status(&maker->path);
    if (status != LST_OK) {
        return status;
    }
    maker->signing.key = lst_buffer_slice(&maker->path);
    if (prefix.length + rest.length == 0 && maker->path.length > 0) {
        maker->signing.key.length--; /* "/bucket", not "/bucket/" */
    }
    bound = lst_presign_bound(&maker->signing, &maker->presign->key);
    text = lst_buffer_reserve(&maker->url, bound);
    if (text == NULL) {
        return lst_buffer_status(&maker->url);
    }
    return lst_presign(&maker->signing, &maker->presign->key, text, bound, &maker->url.length);
}

static json_t *fields_json(const struct lst_field *fields, size_t count)
{
    json_t *object = json_object();

    for (size_t i = 0; i < count; i++) {
        json_object_setn_new(object, fields[i].name.bytes, fields[i].name.length,
                             lst_json_text(fields[i].value));
    }
    return object;
}

static bool print_url(const struct url_maker *maker, struct lst_slice prefix, struct lst_slice rest)
{
    const struct lst_presign *presign = maker->presign;
    json_t *value;

    if (!presign->options->json) {
        fwrite(maker->url.bytes, 1, maker->url.length, stdout);
        fputc('\n', stdout);
        return true;
    }
    value = json_pack(
        "{so so so so so so}", "bucket", lst_json_text(presign->place.bucket), "key",
        json_sprintf("%.*s%.*s", (int)prefix.length, prefix.bytes, (int)rest.length, rest.bytes),
        "method", lst_json_text(maker->signing.method), "url",
        lst_json_text(lst_buffer_slice(&maker->url)), "headers",
        fields_json(maker->headers, maker->signing.header_count), "expires_at",
        lst_json_time(presign->time + presign->expires));
    return lst_json_print(value, presign->options->batch);
}

/* Sign and print one. Gives what is wrong with it, or NULL. */
static const char *sign_one(struct url_maker *maker, struct lst_slice prefix, struct lst_slice rest)
{
    int status;

    if (prefix.length + rest.length > LST_KEY_MAX) {
        return "the key is longer than S3's 1024 bytes";
    }
    if (!lst_slice_is_utf8(prefix) || !lst_slice_is_utf8(rest)) {
        return "the key is not UTF-8, as S3 asks for";
    }
    status = make_url(maker, prefix, rest);
    if (status == LST_ERR_INVALID_ARGUMENT) {
        return "a --header or --query can't be signed: parameters named X-Amz-... belong to the "
               "signature, header names are letters, digits and hyphens, and there may be at most "
               "63 headers";
    }
    if (status != LST_OK) {
        return lst_error_text(status);
    }
    return print_url(maker, prefix, rest) ? NULL : lst_error_text(LST_ERR_NO_MEMORY);
}

/* One URL for each line of standard input. */
static int sign_lines(struct url_maker *maker)
{
    const char *command = maker->presign->usage->command;
    struct lst_slice prefix = maker->presign->place.key;
    unsigned long long number = 0;
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    const char *problem = NULL;

    setvbuf(stdout, NULL, _IOFBF, OUTPUT_BUFFER);
    while (problem == NULL && (length = getline(&line, &capacity, stdin)) >= 0) {
        struct lst_slice key = lst_slice_make(line, (size_t)length);

        number++;
        if (key.length > 0 && key.bytes[key.length - 1] == '\n') {
            key.length--;
        }
        problem = key.length == 0 ? "there is no key on it" : sign_one(maker, prefix, key);
    }
    free(line);
    if (problem != NULL) {
        lst_report(command, "line %llu of standard input: %s", number, problem);
        return LST_EXIT_FAILED;
    }
    if (ferror(stdin)) {
        lst_report(command, "cannot read standard input: %s", strerror(errno));
        return LST_EXIT_FAILED;
    }
    return LST_EXIT_OK;
}

static int sign_urls(struct url_maker *maker)
{
    const char *problem;

    if (!prepare(maker)) {
        return LST_EXIT_USAGE;
    }
    if (maker->presign->options->batch) {
        return sign_lines(maker);
    }
    problem = sign_one(maker, maker->presign->place.key, (struct lst_slice){0});
    if (problem != NULL) {
        return lst_usage_error(maker->presign->usage, "%s", problem);
    }
    return LST_EXIT_OK;
}

int lst_presign_urls(const struct lst_presign *presign)
{
    struct url_maker maker = {.presign = presign};
    int status = sign_urls(&maker);

    lst_buffer_release(&maker.path);
    lst_buffer_release(&maker.url);
    return status;
}
