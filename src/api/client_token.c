/* client_token.c - POST /-/api/tokens: a token for one client, to be handed to a browser. */
#include "access/json.h"
#include "api/fields.h"
#include "api/profiles.h"
#include "api/uploads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXPIRES_DEFAULT = 3600, EXPIRES_MAX = 7 * 24 * 60 * 60 };

struct wish {
    struct lst_slice profile;
    json_t *variables;
    int64_t expires; /* seconds from now */
};

/* Variables become part of a key: texts, as the template will want them. */
static void check_variables(struct lst_fields *fields, json_t *variables)
{
    char where[sizeof("vars.") + 64];
    const char *name;
    json_t *value;

    json_object_foreach(variables, name, value)
    {
        if (!json_is_string(value)) {
            (void)snprintf(where, sizeof(where), "vars.%.64s", name);
            lst_fields_refuse(fields, where, "a string is needed");
        }
    }
}

static bool read_input(struct lst_api_exchange *exchange, struct wish *wish)
{
    struct lst_fields fields;

    wish->expires = EXPIRES_DEFAULT;
    lst_fields_begin(&fields, exchange->input, NULL);
    lst_fields_text(&fields, "profile", LST_FIELD_REQUIRED, 1, LST_PROFILE_NAME_MAX,
                    &wish->profile);
    lst_fields_object(&fields, "vars", LST_FIELD_OPTIONAL, &wish->variables);
    lst_fields_integer(&fields, "expires", LST_FIELD_OPTIONAL, 1, EXPIRES_MAX, &wish->expires);
    check_variables(&fields, wish->variables);
    if (lst_fields_end(&fields) != LST_OK) {
        lst_api_fail(exchange, 400, "InvalidArgument", "%s", fields.problem);
        return false;
    }
    return true;
}

/* False, having answered: there is no such profile for this caller, or it has no such variables. */
static bool fits_profile(struct lst_api_exchange *exchange, const struct wish *wish)
{
    const struct lst_profile *profile;
    char problem[LST_PROBLEM_MAX];
    int status = LST_ERR_NOT_FOUND;

    if (lst_bearer_may_use(&exchange->bearer, wish->profile)) {
        status = lst_profiles_find(exchange->api->profiles, wish->profile, &profile);
    }
    if (status == LST_OK) {
        status = lst_template_check_variables(lst_slice_of(profile->key), wish->variables, problem);
        lst_profile_unref(profile);
    }
    if (status == LST_ERR_MALFORMED) {
        lst_api_fail(exchange, 400, "InvalidArgument", "%s", problem);
    } else if (status == LST_ERR_NOT_FOUND) {
        lst_api_fail(exchange, 404, "NoSuchProfile",
                     "profile: no such profile, or this token may not use it: see "
                     "`latchstring profile list`");
    } else if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
    }
    return status == LST_OK;
}

static void answer(struct lst_api_exchange *exchange, const struct wish *wish,
                   const char *variables)
{
    int64_t parent_expires = exchange->bearer.token.expires;
    int64_t expires = lst_api_now(exchange) + wish->expires;
    struct lst_buffer text;
    int status;

    if (parent_expires != 0 && expires > parent_expires) {
        expires = parent_expires;
    }
    lst_buffer_init(&text, 2 * LST_CLIENT_TOKEN_MAX);
    status = lst_bearer_delegate(&exchange->bearer, wish->profile, variables, expires, &text);
    if (status == LST_ERR_INVALID_ARGUMENT) {
        lst_api_fail(exchange, 403, "AccessDenied",
                     "Client tokens are made with a token, not with a signed request: see "
                     "`latchstring token create --role backend`");
    } else if (status == LST_ERR_TOO_LARGE) {
        lst_api_fail(exchange, 400, "InvalidArgument", "vars: they may have %d bytes in all",
                     LST_CLIENT_VARIABLES_MAX);
    } else if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
    } else {
        lst_api_answer(exchange, 201,
                       json_pack("{s:s%, s:s%, s:o}", "token", text.bytes, text.length, "profile",
                                 wish->profile.bytes, wish->profile.length, "expires_at",
                                 lst_api_json_time(expires)));
    }
    lst_buffer_release(&text);
}

void lst_client_tokens_create(struct lst_api_exchange *exchange)
{
    struct wish wish = {0};
    char *variables;

    if (!read_input(exchange, &wish) || !fits_profile(exchange, &wish)) {
        return;
    }
    variables = wish.variables == NULL ? strdup("{}") : lst_json_dump(wish.variables, JSON_COMPACT);
    if (variables == NULL) {
        lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
        return;
    }
    answer(exchange, &wish, variables);
    free(variables);
}
