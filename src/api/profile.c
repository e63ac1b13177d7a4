/* profile.c - profiles of uploads, read from JSON and written to it. */
#include "api/profile.h"

#include "access/constraints.h"
#include "access/json.h"
#include "http/media_type.h"
#include "store/store.h"

#include <stdio.h>

enum {
    UPLOAD_EXPIRES = 900, /* seconds, if a profile does not say */
    LINK_EXPIRES = 3600,
    APPROVE_SECONDS = 10,
    BUCKET_MIN = 3, /* bytes */
};
#define MAX_SIZE (INT64_C(5) << 30)

static bool is_name_character(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte == '-' || byte == '.';
}

static bool has_name_characters(struct lst_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (!is_name_character(text.bytes[i])) {
            return false;
        }
    }
    return true;
}

bool lst_profile_name_is_valid(struct lst_slice name)
{
    return name.length > 0 && name.length <= LST_PROFILE_NAME_MAX && name.bytes[0] != '.' &&
           has_name_characters(name);
}

/* The caller has seen to it that it fits. */
static void copy(char *ret_text, struct lst_slice text)
{
    memcpy(ret_text, text.bytes, text.length);
    ret_text[text.length] = '\0';
}

static void read_name(struct lst_fields *fields, struct lst_slice wanted,
                      struct lst_profile *profile)
{
    struct lst_slice name = wanted;
    enum lst_field_need need = wanted.length == 0 ? LST_FIELD_REQUIRED : LST_FIELD_OPTIONAL;

    (void)lst_fields_text(fields, "name", need, 1, LST_PROFILE_NAME_MAX, &name);
    if (!lst_profile_name_is_valid(name)) {
        lst_fields_refuse(fields, "name",
                          "1 to %d letters, digits, '_', '-' and '.' are allowed, no '.' first",
                          LST_PROFILE_NAME_MAX);
    } else if (wanted.length > 0 && !lst_slice_equal(name, wanted)) {
        lst_fields_refuse(fields, "name", "it is '%.*s' here, and must be '%.*s'", (int)name.length,
                          name.bytes, (int)wanted.length, wanted.bytes);
    } else {
        copy(profile->name, name);
    }
}

static void read_place(struct lst_fields *fields, struct lst_profile *profile)
{
    struct lst_slice text;

    if (lst_fields_text(fields, "remote", LST_FIELD_OPTIONAL, 0, LST_PROFILE_NAME_MAX, &text)) {
        if (text.length > 0 && !lst_profile_name_is_valid(text)) {
            lst_fields_refuse(fields, "remote", "it is not the name of a remote");
        }
        copy(profile->remote, text);
    }
    if (lst_fields_text(fields, "bucket", LST_FIELD_REQUIRED, BUCKET_MIN, LST_PROFILE_BUCKET_MAX,
                        &text)) {
        if (profile->remote[0] == '\0' ? lst_bucket_name_check(text) != LST_OK
                                       : !has_name_characters(text)) {
            lst_fields_refuse(fields, "bucket", "it is not a bucket's name");
        }
        copy(profile->bucket, text);
    }
    if (lst_fields_text(fields, "key", LST_FIELD_REQUIRED, 1, LST_TEMPLATE_MAX, &text)) {
        char problem[LST_PROBLEM_MAX];

        if (lst_template_check(text, problem) != LST_OK) {
            lst_fields_refuse(fields, "key", "%s", problem + strlen("key: "));
        }
        copy(profile->key, text);
    }
}

static void read_types(struct lst_fields *fields, struct lst_profile *profile)
{
    size_t length = 0;
    json_t *list = NULL;
    json_t *entry;
    size_t i;

    (void)lst_fields_list(fields, "types", LST_FIELD_OPTIONAL, LST_PROFILE_TYPES_MAX, &list);
    json_array_foreach(list, i, entry)
    {
        struct lst_slice type = lst_slice_make(json_string_value(entry), json_string_length(entry));

        if (type.length > LST_PROFILE_TYPE_MAX || !lst_media_range_is_valid(type)) {
            lst_fields_refuse(fields, "types",
                              "entry %zu is no media type, such as image/png or image/*", i + 1);
            break;
        }
        /* The array has room for as many as the list may have. */
        if (i > 0) {
            profile->types[length++] = ',';
        }
        copy(profile->types + length, type);
        length += type.length;
    }
}

static void read_limits(struct lst_fields *fields, struct lst_profile *profile)
{
    (void)lst_fields_integer(fields, "min_size", LST_FIELD_OPTIONAL, 0, LST_PROFILE_SIZE_MAX,
                             &profile->min_size);
    (void)lst_fields_integer(fields, "max_size", LST_FIELD_OPTIONAL, 0, LST_PROFILE_SIZE_MAX,
                             &profile->max_size);
    if (profile->min_size > profile->max_size) {
        lst_fields_refuse(fields, "min_size", "it is larger than max_size");
    }
    (void)lst_fields_integer(fields, "upload_expires", LST_FIELD_OPTIONAL, 1,
                             LST_PROFILE_EXPIRES_MAX, &profile->upload_expires);
    (void)lst_fields_integer(fields, "link_expires", LST_FIELD_OPTIONAL, 1, LST_PROFILE_EXPIRES_MAX,
                             &profile->link_expires);
    (void)lst_fields_boolean(fields, "replace", LST_FIELD_OPTIONAL, &profile->replace);
    (void)lst_fields_boolean(fields, "check_content", LST_FIELD_OPTIONAL, &profile->check_content);
}

/* http or https, a host, no user and password (they would be shown with it), no fragment. */
static bool is_webhook_url(struct lst_slice url)
{
    struct lst_slice rest;
    size_t end = 0;

    if (url.bytes == NULL) {
        return false;
    }
    if (lst_slice_starts_with_ignoring_case(url, LST_SLICE("https://"))) {
        rest = lst_slice_after(url, strlen("https://"));
    } else if (lst_slice_starts_with_ignoring_case(url, LST_SLICE("http://"))) {
        rest = lst_slice_after(url, strlen("http://"));
    } else {
        return false;
    }
    for (size_t i = 0; i < rest.length; i++) {
        if (rest.bytes[i] <= ' ' || rest.bytes[i] > '~' || rest.bytes[i] == '#') {
            return false;
        }
    }
    while (end < rest.length && rest.bytes[end] != '/' && rest.bytes[end] != '?') {
        if (rest.bytes[end] == '@' || rest.bytes[end] == '\\') {
            return false;
        }
        end++;
    }
    return end > 0 && rest.bytes[0] != ':';
}

/* Who is told, or asked: {"url", "secret"} and, if it is asked for, "seconds". */
static void read_receiver(struct lst_fields *fields, const char *name,
                          const struct lst_profile *profile, char *ret_url, char *ret_secret,
                          int64_t *ret_seconds)
{
    struct lst_fields inside;
    struct lst_slice text;
    json_t *object;

    if (!lst_fields_object(fields, name, LST_FIELD_OPTIONAL, &object)) {
        return;
    }
    lst_fields_begin(&inside, object, name);
    if (lst_fields_text(&inside, "url", LST_FIELD_REQUIRED, 1, LST_PROFILE_URL_MAX, &text)) {
        if (!is_webhook_url(text)) {
            lst_fields_refuse(&inside, "url",
                              "an http or https URL is needed, with a host and "
                              "without a user, a fragment or spaces");
        }
        copy(ret_url, text);
    }
    if (lst_fields_text(&inside, "secret", LST_FIELD_REQUIRED, LST_PROFILE_SECRET_MIN,
                        LST_PROFILE_SECRET_MAX, &text)) {
        copy(ret_secret, text);
    }
    if (ret_seconds != NULL) {
        (void)lst_fields_integer(&inside, "seconds", LST_FIELD_OPTIONAL, 1, LST_PROFILE_APPROVE_MAX,
                                 ret_seconds);
    }
    if (lst_fields_end(&inside) != LST_OK) {
        snprintf(fields->problem, sizeof(fields->problem), "%s", inside.problem);
    }
    if (profile->remote[0] != '\0') {
        lst_fields_refuse(fields, name, "what comes to a remote is not seen here");
    }
}

int lst_profile_from_json(json_t *object, struct lst_slice name, char problem[LST_PROBLEM_MAX],
                          struct lst_profile *ret_profile)
{
    struct lst_profile profile = {
        .max_size = MAX_SIZE,
        .upload_expires = UPLOAD_EXPIRES,
        .link_expires = LINK_EXPIRES,
        .approve_seconds = APPROVE_SECONDS,
    };
    struct lst_fields fields;
    int status;

    lst_fields_begin(&fields, object, NULL);
    read_name(&fields, name, &profile);
    read_place(&fields, &profile);
    read_types(&fields, &profile);
    read_limits(&fields, &profile);
    read_receiver(&fields, "webhook", &profile, profile.webhook_url, profile.webhook_secret, NULL);
    read_receiver(&fields, "approve", &profile, profile.approve_url, profile.approve_secret,
                  &profile.approve_seconds);
    status = lst_fields_end(&fields);
    if (status == LST_OK) {
        *ret_profile = profile;
    } else {
        memcpy(problem, fields.problem, sizeof(fields.problem));
    }
    lst_profile_release(&profile);
    return status;
}

int lst_profile_parse(struct lst_slice text, struct lst_slice name, char problem[LST_PROBLEM_MAX],
                      struct lst_profile *ret_profile)
{
    json_error_t error;
    json_t *object;
    int status;

    if (text.length > LST_PROFILE_DOCUMENT_MAX) {
        return lst_problem(problem, "it is larger than %d bytes", LST_PROFILE_DOCUMENT_MAX);
    }
    if (text.length == 0) {
        return lst_problem(problem, "it is empty: a JSON object is needed");
    }
    status = lst_json_load(text, JSON_REJECT_DUPLICATES, &object, &error);
    if (status == LST_ERR_NO_MEMORY) {
        return status;
    }
    if (status != LST_OK) {
        /* Not the parser's own text, which may quote a secret. */
        return lst_problem(problem, "line %d, column %d: %s", error.line, error.column,
                           json_error_code(&error) == json_error_duplicate_key
                               ? "there is a field of this name already"
                               : "it is not JSON");
    }
    status = lst_profile_from_json(object, name, problem, ret_profile);
    json_decref(object);
    return status;
}

static json_t *types_to_json(const struct lst_profile *profile)
{
    json_t *list = json_array();
    struct lst_slice rest = lst_slice_of(profile->types);
    struct lst_slice type;

    while (rest.length > 0 && lst_slice_split(&rest, ',', &type)) {
        if (json_array_append_new(list, json_stringn(type.bytes, type.length)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* False: no memory. */
static bool receiver_to_json(const char *url, const char *secret, bool with_secret,
                             json_t **ret_receiver)
{
    *ret_receiver = NULL;
    if (url[0] == '\0') {
        return true;
    }
    /* Not "s:s*", which leaves out what there is no memory for. */
    *ret_receiver = with_secret ? json_pack("{s:s, s:s}", "url", url, "secret", secret)
                                : json_pack("{s:s}", "url", url);
    return *ret_receiver != NULL;
}

json_t *lst_profile_to_json(const struct lst_profile *profile, bool with_secret)
{
    json_t *webhook;
    json_t *approve;

    if (!receiver_to_json(profile->webhook_url, profile->webhook_secret, with_secret, &webhook)) {
        return NULL;
    }
    if (!receiver_to_json(profile->approve_url, profile->approve_secret, with_secret, &approve) ||
        (approve != NULL &&
         json_object_set_new(approve, "seconds", json_integer(profile->approve_seconds)) != 0)) {
        json_decref(webhook);
        json_decref(approve);
        return NULL;
    }
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:o, s:I, s:I, s:I, s:I, s:b, s:b, s:o*, s:o*}", "name",
        profile->name, "remote", profile->remote, "bucket", profile->bucket, "key", profile->key,
        "types", types_to_json(profile), "min_size", (json_int_t)profile->min_size, "max_size",
        (json_int_t)profile->max_size, "upload_expires", (json_int_t)profile->upload_expires,
        "link_expires", (json_int_t)profile->link_expires, "replace", profile->replace ? 1 : 0,
        "check_content", profile->check_content ? 1 : 0, "webhook", webhook, "approve", approve);
}

void lst_profile_release(struct lst_profile *profile)
{
    lst_wipe(profile->webhook_secret, sizeof(profile->webhook_secret));
    lst_wipe(profile->approve_secret, sizeof(profile->approve_secret));
}

bool lst_profile_allows_type(const struct lst_profile *profile, struct lst_slice type)
{
    struct lst_constraints constraints = {.types = lst_slice_of(profile->types)};

    return lst_constraints_allow_type(&constraints, type);
}
