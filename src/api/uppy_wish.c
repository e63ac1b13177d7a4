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

/* The object that a parameter belongs into, made if need be. */
static int find_object(json_t *query, const char *outer, json_t **ret_object)
{
    *ret_object = json_object_get(query, outer);
    if (*ret_object == NULL) {
        *ret_object = json_object();
        return json_object_set_new(query, outer, *ret_object) == 0 ? LST_OK : LST_ERR_NO_MEMORY;
    }
    return json_is_object(*ret_object) ? LST_OK : LST_ERR_MALFORMED;
}

static int set_value(json_t *object, const char *name, struct lst_slice value)
{
    if (json_object_get(object, name) != NULL || !lst_slice_is_utf8(value)) {
        return LST_ERR_MALFORMED;
    }
    return json_object_set_new(object, name, json_stringn(value.bytes, value.length)) == 0
               ? LST_OK
               : LST_ERR_NO_MEMORY;
}

/* LST_ERR_MALFORMED, _NO_MEMORY. */
static int add_parameter(json_t *query, const struct lst_http_parameter *parameter)
{
    struct lst_slice text = parameter->text.name;
    char name[NAME_MAX_BYTES + 1];
    char *inner;
    char *outer;
    json_t *object = query;
    int status = LST_OK;

    if (parameter->is_malformed || text.length > NAME_MAX_BYTES ||
        lst_slice_find(text, '\0') < text.length || !lst_slice_is_utf8(text)) {
        return LST_ERR_MALFORMED;
    }
    memcpy(name, text.bytes, text.length);
    name[text.length] = '\0';
    outer = split_name(name, &inner);
    if (inner != NULL) {
        status = find_object(query, outer, &object);
    }
    return status == LST_OK
               ? set_value(object, inner == NULL ? outer : inner, parameter->text.value)
               : status;
}

json_t *lst_uppy_query(struct lst_api_exchange *exchange)
{
    const struct lst_http_request *request = exchange->request;
    json_t *query = json_object();
    int status = query == NULL ? LST_ERR_NO_MEMORY : LST_OK;

    for (size_t i = 0; status == LST_OK && i < request->parameter_count; i++) {
        status = add_parameter(query, &request->room->parameters[i]);
    }
    if (status == LST_OK) {
        return query;
    }
    json_decref(query);
    if (status == LST_ERR_MALFORMED) {
        lst_api_fail(exchange, 400, "InvalidArgument",
                     "The query is malformed, or says something twice");
    } else {
        lst_api_fail_code(exchange, status);
    }
    return NULL;
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

/* Uppy sends all that it knows of a file; what the key needs of it is taken. */
static int pick_variables(const struct lst_api_exchange *exchange, struct lst_slice name,
                          json_t *metadata, json_t **ret_variables)
{
    const struct lst_profile *profile;
    const char *key;
    json_t *value;
    int status = lst_profiles_find(exchange->api->profiles, name, &profile);

    *ret_variables = json_object();
    if (status != LST_OK) { /* that it is not there lst_upload_prepare() will say */
        return status == LST_ERR_NOT_FOUND ? LST_OK : status;
    }
    json_object_foreach(metadata, key, value)
    {
        if (lst_template_has_variable(lst_slice_of(profile->key), lst_slice_of(key))) {
            lst_api_json_set(ret_variables, key, json_incref(value));
        }
    }
    lst_profile_unref(profile);
    return *ret_variables == NULL ? LST_ERR_NO_MEMORY : LST_OK;
}

bool lst_uppy_prepare(struct lst_api_exchange *exchange, const struct lst_uppy_wish *wish,
                      struct lst_upload *upload)
{
    json_t *named = json_object_get(wish->metadata, "profile");
    struct lst_slice told = wish->profile;
    json_t *variables;
    bool is_well = false;
    int status;

    if (told.length == 0 && json_is_string(named) && !exchange->bearer.is_client) {
        told = lst_slice_of(json_string_value(named));
    }
    upload->profile_name = lst_uppy_profile(exchange, told);
    if (upload->profile_name.length == 0) {
        return false;
    }
    status = pick_variables(exchange, upload->profile_name, wish->metadata, &variables);
    if (status == LST_OK) {
        upload->filename = wish->filename;
        upload->type = wish->type;
        upload->variables = variables;
        is_well = lst_upload_prepare(exchange, upload);
        if (upload->merged == NULL) {
            upload->merged = json_incref(variables);
            upload->variables = upload->merged;
        }
    } else {
        lst_api_fail_code(exchange, status);
    }
    json_decref(variables);
    return is_well;
}

struct lst_slice lst_uppy_total(const struct lst_upload *upload, char ret_text[LST_UPPY_TOTAL_TEXT])
{
    int64_t most = upload->size < 0 ? upload->profile->max_size : upload->size;
    /* Nothing at all is said by x-latch-length of its only part. */
    int length = snprintf(ret_text, LST_UPPY_TOTAL_TEXT, "%lld", most > 0 ? (long long)most : 1LL);

    return lst_slice_make(ret_text, (size_t)length);
}

bool lst_uppy_has_parts(struct lst_api_exchange *exchange, const struct lst_upload *upload)
{
    if (upload->remote != NULL) {
        lst_api_fail(exchange, 501, "NotImplemented",
                     "The profile has a remote, to which files can be sent in one request only: %s",
                     exchange->place == LST_API_UPPY ? "shouldUseMultipart must be false"
                                                     : "method must be PUT or POST");
    }
    return upload->remote == NULL;
}

/* ---- In a single request */

/* The form as Uppy wants to be told of it. */
static json_t *make_params(const struct lst_api_exchange *exchange, const struct lst_upload *upload)
{
    json_t *json = lst_upload_form(exchange, upload);

    if (json != NULL) {
        (void)json_object_del(json, "expires_at");
        lst_api_json_set(&json, "expires", json_integer(upload->expires - upload->created));
        lst_api_json_set(&json, "id", lst_api_json_slice(lst_buffer_slice(&upload->id)));
        lst_upload_tell_not_enforced(upload, true, &json);
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
        lst_upload_answer(exchange, &upload, 200, make_params(exchange, &upload));
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
