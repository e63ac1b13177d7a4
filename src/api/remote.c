/* remote.c - a remote, from JSON and to it. */
#include "api/remote.h"

#include "api/fields.h"

#include <stdio.h>

/* The texts of a remote, one for each field. */
struct texts {
    struct lst_slice name;
    struct lst_slice endpoint;
    struct lst_slice region;
    struct lst_slice style;
    struct lst_slice access_key_id;
    struct lst_slice secret;
    struct lst_slice session_token;
};

static void copy(struct lst_slice text, char *out)
{
    if (text.length > 0) {
        memcpy(out, text.bytes, text.length);
    }
    out[text.length] = '\0';
}

static bool is_visible(struct lst_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.bytes[i] <= ' ' || text.bytes[i] > '~') {
            return false;
        }
    }
    return true;
}

/* "https://host" or "http://host:9000", perhaps with a '/' at its end. */
static bool is_endpoint(struct lst_slice text)
{
    size_t colon = lst_slice_find_slice(text, LST_SLICE("://"));
    struct lst_slice scheme = lst_slice_first(text, colon);
    struct lst_slice host = lst_slice_after(text, colon + 3);

    if (!lst_slice_equal(scheme, LST_SLICE("http")) &&
        !lst_slice_equal(scheme, LST_SLICE("https"))) {
        return false;
    }
    for (size_t i = 0; i < host.length; i++) {
        char byte = host.bytes[i];

        if (!(byte >= 'a' && byte <= 'z') && !(byte >= 'A' && byte <= 'Z') &&
            !(byte >= '0' && byte <= '9') && strchr(".-:[]_", byte) == NULL) {
            return false;
        }
    }
    return host.length > 0;
}

static void check(struct lst_fields *fields, struct texts *texts)
{
    if (texts->endpoint.length > 0 && texts->endpoint.bytes[texts->endpoint.length - 1] == '/') {
        texts->endpoint.length--;
    }
    if (!lst_profile_name_is_valid(texts->name)) {
        lst_fields_refuse(fields, "name", "it must be of 1 to %d letters, digits, '_', '-' and '.'",
                          LST_PROFILE_NAME_MAX);
    }
    if (!is_endpoint(texts->endpoint)) {
        lst_fields_refuse(fields, "endpoint", "it must be https:// or http:// and a host, no path");
    }
    if (!lst_slice_equal(texts->style, LST_SLICE("path")) &&
        !lst_slice_equal(texts->style, LST_SLICE("virtual"))) {
        lst_fields_refuse(fields, "style", "it must be path or virtual");
    }
    if (!is_visible(texts->region)) {
        lst_fields_refuse(fields, "region", "it has characters that no region has");
    }
    if (!is_visible(texts->access_key_id)) {
        lst_fields_refuse(fields, "access_key_id", "it has characters that no key id has");
    }
    if (!is_visible(texts->secret)) {
        lst_fields_refuse(fields, "secret", "it has characters that no secret key has");
    }
    if (!is_visible(texts->session_token)) {
        lst_fields_refuse(fields, "session_token", "it has characters that no token has");
    }
}

int lst_remote_from_json(json_t *object, char problem[LST_PROBLEM_MAX],
                         struct lst_remote *ret_remote)
{
    struct texts texts = {.region = LST_SLICE("us-east-1"), .style = LST_SLICE("path")};
    struct lst_fields fields;
    bool is_latchstring = false;

    lst_fields_begin(&fields, object, NULL);
    lst_fields_text(&fields, "name", LST_FIELD_REQUIRED, 1, LST_PROFILE_NAME_MAX, &texts.name);
    lst_fields_text(&fields, "endpoint", LST_FIELD_REQUIRED, 1, LST_REMOTE_ENDPOINT_MAX,
                    &texts.endpoint);
    lst_fields_text(&fields, "region", LST_FIELD_OPTIONAL, 1, LST_REGION_MAX, &texts.region);
    lst_fields_text(&fields, "style", LST_FIELD_OPTIONAL, 1, 16, &texts.style);
    lst_fields_text(&fields, "access_key_id", LST_FIELD_REQUIRED, 1, LST_REMOTE_KEY_MAX,
                    &texts.access_key_id);
    lst_fields_text(&fields, "secret", LST_FIELD_REQUIRED, 1, LST_REMOTE_SECRET_MAX, &texts.secret);
    lst_fields_text(&fields, "session_token", LST_FIELD_OPTIONAL, 0, LST_REMOTE_TOKEN_MAX,
                    &texts.session_token);
    lst_fields_boolean(&fields, "is_latchstring", LST_FIELD_OPTIONAL, &is_latchstring);
    check(&fields, &texts);
    if (lst_fields_end(&fields) != LST_OK) {
        memcpy(problem, fields.problem, LST_PROBLEM_MAX);
        return LST_ERR_MALFORMED;
    }
    copy(texts.name, ret_remote->name);
    copy(texts.endpoint, ret_remote->endpoint);
    copy(texts.region, ret_remote->region);
    copy(texts.access_key_id, ret_remote->access_key_id);
    copy(texts.secret, ret_remote->secret);
    copy(texts.session_token, ret_remote->session_token);
    ret_remote->is_virtual = lst_slice_equal(texts.style, LST_SLICE("virtual"));
    ret_remote->is_latchstring = is_latchstring;
    return LST_OK;
}

json_t *lst_remote_to_json(const struct lst_remote *remote, bool with_secret)
{
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:b}", "name", remote->name, "endpoint", remote->endpoint,
        "region", remote->region, "style", remote->is_virtual ? "virtual" : "path", "access_key_id",
        remote->access_key_id, "is_latchstring", remote->is_latchstring ? 1 : 0);

    if (json != NULL && with_secret &&
        (json_object_set_new(json, "secret", json_string(remote->secret)) != 0 ||
         json_object_set_new(json, "session_token", json_string(remote->session_token)) != 0)) {
        json_decref(json);
        return NULL;
    }
    return json;
}

void lst_remote_release(struct lst_remote *remote)
{
    lst_wipe(remote, sizeof(*remote));
}
