/* uppy_wish.c - Uppy asks for a new upload: what it tells, and the form for a single request. */
#include "api/uppy.h"

#include <stdio.h>
#include <stdlib.h>

enum { NAME_MAX_BYTES = 256 /* of a parameter */ };

/* ---- The query */

/* "a[b]": a, and b in *ret_inner; without brackets *ret_inner is NULL. Writes into the name. */
static char *split_name(char *name, char **ret_inner)
{
    size_t length = strlen(name);
    char *bracket = strchr(name, '[');

    *ret_inner = NULL;
    if (bracket != NULL && name[length - 1] == ']') {
        name[length - 1] = '\0';
        *bracket = '\0';
        *ret_inner = bracket + 1;
    }
    return name;
}

/* The object that a parameter belongs into, made if need be. NULL: it can't be. */
static json_t *find_object(json_t *query, const char *outer)
{
    json_t *object = json_object_get(query, outer);

    if (object == NULL) {
        object = json_object();
        return json_object_set_new(query, outer, object) == 0 ? object : NULL;
    }
    return json_is_object(object) ? object : NULL;
}

static bool add_parameter(json_t *query, const struct lst_field *raw)
{
    char name[NAME_MAX_BYTES + 1];
    char *value = malloc(raw->value.length + 1);
    char *inner;
    char *outer;
    size_t length;
    json_t *object = NULL;
    bool is_well = value != NULL &&
                   lst_percent_decode(raw->name, true, name, NAME_MAX_BYTES, &length) == LST_OK;

    if (is_well) {
        name[length] = '\0';
        is_well = strlen(name) == length;
        outer = split_name(name, &inner);
        object = inner == NULL ? query : find_object(query, outer);
        inner = inner == NULL ? outer : inner;
        is_well =
            is_well && object != NULL && json_object_get(object, inner) == NULL &&
            lst_percent_decode(raw->value, true, value, raw->value.length, &length) == LST_OK &&
            json_object_set_new(object, inner, json_stringn(value, length)) == 0;
    }
    free(value);
    return is_well;
}

json_t *lst_uppy_query(struct lst_api_exchange *exchange)
{
    struct lst_slice rest = exchange->request->query;
    struct lst_field raw;
    json_t *query = json_object();

    while (lst_http_next_parameter(&rest, &raw)) {
        if (!add_parameter(query, &raw)) {
            json_decref(query);
            lst_api_fail(exchange, 400, "InvalidArgument",
                         "The query is malformed, or says something twice");
            return NULL;
        }
    }
    return query;
}

/* ---- The profile */

struct lst_slice lst_uppy_profile(struct lst_api_exchange *exchange, struct lst_slice told)
{
    struct lst_slice only = lst_slice_of(exchange->bearer.profiles);

    if (told.length > 0) {
        return told;
    }
    if (only.length == 0 || lst_slice_find(only, ',') < only.length) {
        lst_api_fail(exchange, 400, "InvalidArgument",
                     "Which profile? A client token (POST /-/api/tokens) says so; with another "
                     "token metadata[profile] has to");
        return LST_SLICE("");
    }
    return only;
}

/* Does the template of a key have this variable? A brace can't be in it otherwise. */
static bool has_variable(const struct lst_profile *profile, const char *name)
{
    char text[LST_TEMPLATE_MAX + 1];
    struct lst_slice template = lst_slice_of(profile->key);
    int length = snprintf(text, sizeof(text), "{%s}", name);

    return length > 0 && (size_t)length < sizeof(text) &&
           lst_slice_find_slice(template, lst_slice_of(text)) < template.length;
}

/* Uppy sends all that it knows of a file; what the key needs of it is taken. */
static json_t *pick_variables(const struct lst_api_exchange *exchange, struct lst_slice name,
                              json_t *metadata)
{
    const struct lst_profile *profile;
    json_t *variables = json_object();
    const char *key;
    json_t *value;

    if (lst_profiles_find(exchange->api->profiles, name, &profile) != LST_OK) {
        return variables; /* lst_upload_prepare() will say so */
    }
    json_object_foreach(metadata, key, value)
    {
        if (has_variable(profile, key)) {
            (void)json_object_set(variables, key, value);
        }
    }
    lst_profile_unref(profile);
    return variables;
}

bool lst_uppy_prepare(struct lst_api_exchange *exchange, const struct lst_uppy_wish *wish,
                      struct lst_upload *upload)
{
    json_t *named = json_object_get(wish->metadata, "profile");
    struct lst_slice told = wish->profile;
    json_t *variables;
    bool is_well;

    if (told.length == 0 && json_is_string(named) && !exchange->bearer.is_client) {
        told = lst_slice_of(json_string_value(named));
    }
    upload->profile_name = lst_uppy_profile(exchange, told);
    if (upload->profile_name.length == 0) {
        return false;
    }
    variables = pick_variables(exchange, upload->profile_name, wish->metadata);
    upload->filename = wish->filename;
    upload->type = wish->type;
    upload->variables = variables;
    is_well = lst_upload_prepare(exchange, upload);
    upload->variables = NULL;
    json_decref(variables);
    return is_well;
}

bool lst_uppy_has_parts(struct lst_api_exchange *exchange, const struct lst_upload *upload)
{
    if (upload->remote != NULL) {
        lst_api_fail(exchange, 501, "NotImplemented",
                     "The profile has a remote, to which files can be sent in one request only: "
                     "shouldUseMultipart must be false");
    }
    return upload->remote == NULL;
}

/* ---- In a single request */

void lst_uppy_tell_not_enforced(const struct lst_upload *upload, bool is_form, json_t *json)
{
    json_t *list = lst_upload_not_enforced(upload, is_form);

    if (list != NULL) {
        (void)json_object_set_new(json, "not_enforced", list);
    }
}

/* The form as Uppy wants to be told of it. */
static json_t *make_params(const struct lst_api_exchange *exchange, const struct lst_upload *upload)
{
    json_t *json = lst_upload_form(exchange, upload);

    if (json != NULL) {
        (void)json_object_del(json, "expires_at");
        (void)json_object_set_new(json, "expires", json_integer(upload->expires - upload->created));
        (void)json_object_set_new(json, "id", lst_api_json_slice(lst_buffer_slice(&upload->id)));
        lst_uppy_tell_not_enforced(upload, true, json);
    }
    return json;
}

void lst_uppy_params(struct lst_api_exchange *exchange)
{
    json_t *query = lst_uppy_query(exchange);
    struct lst_uppy_wish wish = {0};
    struct lst_fields fields;
    struct lst_upload upload;

    if (query == NULL) {
        return;
    }
    lst_upload_init(&upload, lst_api_now(exchange));
    lst_fields_begin(&fields, query, NULL);
    lst_fields_text(&fields, "filename", LST_FIELD_OPTIONAL, 0, LST_UPLOAD_FILENAME_MAX,
                    &wish.filename);
    lst_fields_text(&fields, "type", LST_FIELD_OPTIONAL, 0, LST_UPLOAD_TYPE_MAX, &wish.type);
    lst_fields_object(&fields, "metadata", LST_FIELD_OPTIONAL, &wish.metadata);
    if (lst_fields_end(&fields) != LST_OK) {
        lst_api_fail(exchange, 400, "InvalidArgument", "%s", fields.problem);
    } else if (lst_uppy_prepare(exchange, &wish, &upload)) {
        lst_api_answer(exchange, 200, make_params(exchange, &upload));
    }
    lst_upload_release(&upload);
    json_decref(query);
}

void lst_uppy_sts(struct lst_api_exchange *exchange)
{
    lst_api_fail(exchange, 400, "NotSupported",
                 "There are no temporary credentials here, since they would open more than one "
                 "upload: leave getTemporarySecurityCredentials out");
}
