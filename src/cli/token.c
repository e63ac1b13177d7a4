/* token.c - `latchstring token`: the tokens with which backends call the API. */
#include "cli/command.h"
#include "cli/json.h"
#include "cli/profile_internal.h"
#include "gate/tokens.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define TOKEN_LIFE_MAX (100ULL * 366 * 86400) /* seconds */

static void time_text(int64_t seconds, char ret_text[21])
{
    if (seconds == 0) {
        (void)snprintf(ret_text, 21, "never");
    } else {
        lst_directory_time(seconds * 1000, ret_text);
    }
}

static const char *state_of(const struct lst_token *token)
{
    if (token->revoked != 0) {
        return "revoked";
    }
    return token->expires != 0 && time(NULL) >= token->expires ? "expired" : "active";
}

/* "a,b" as a list of texts. */
static json_t *json_list(const char *names)
{
    struct lst_slice rest = lst_slice_of(names);
    struct lst_slice name;
    json_t *list = json_array();

    while (lst_slice_split(&rest, ',', &name)) {
        if (name.length > 0) {
            (void)json_array_append_new(list, lst_json_text(name));
        }
    }
    return list;
}

static json_t *to_json(const struct lst_token *token)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s}", "id", token->id, "name",
                     token->name, "role", lst_token_role_name(token->may), "user", token->user,
                     "profiles", json_list(token->profiles), "created",
                     lst_json_time(token->created), "expires",
                     token->expires == 0 ? json_null() : lst_json_time(token->expires), "state",
                     state_of(token));
}

/* ---- create */

static bool take_profiles(const struct lst_usage *usage, const struct lst_option_list *list,
                          struct lst_token *token)
{
    size_t length = 0;

    for (size_t i = 0; i < list->count; i++) {
        const char *name = list->values[i];
        int written;

        if (name[0] == '\0' || strchr(name, ',') != NULL) {
            (void)lst_usage_error(usage, "--profile: '%s' is no profile's name", name);
            return false;
        }
        written = snprintf(token->profiles + length, sizeof(token->profiles) - length, "%s%s",
                           i == 0 ? "" : ",", name);
        if (written < 0 || (size_t)written >= sizeof(token->profiles) - length) {
            (void)lst_usage_error(usage, "--profile: their names may have %d bytes together",
                                  LST_TOKEN_PROFILES_MAX);
            return false;
        }
        length += (size_t)written;
    }
    return true;
}

/* All but what is drawn. False, reported, if it is not valid. */
static bool fill(const struct lst_usage *usage, const char *name, const char *role,
                 const char *user, const char *life, struct lst_token *token)
{
    uint64_t seconds = 0;

    if (!lst_user_name_is_valid(lst_slice_of(name))) {
        (void)lst_usage_error(usage,
                              "'%s' can't be a token's name: 1 to %d letters, digits and + = , . @ "
                              "_ -",
                              name, LST_TOKEN_NAME_MAX);
        return false;
    }
    token->may = role == NULL ? 0 : lst_token_role(lst_slice_of(role));
    if (token->may == 0) {
        (void)lst_usage_error(usage, role == NULL
                                         ? "which role? Give --role upload, link, backend or admin"
                                         : "--role must be upload, link, backend or admin");
        return false;
    }
    if (strlen(user) > LST_USER_NAME_MAX) {
        (void)lst_usage_error(usage, "--user: there is no user of so long a name");
        return false;
    }
    if (life != NULL && !lst_option_duration(usage, "expires", life, 1, TOKEN_LIFE_MAX, &seconds)) {
        return false;
    }
    memcpy(token->name, name, strlen(name) + 1);
    memcpy(token->user, user, strlen(user) + 1);
    token->created = time(NULL);
    token->expires = life == NULL ? 0 : token->created + (int64_t)seconds;
    return true;
}

static int report(const struct lst_usage *usage, const struct lst_token *token, int code)
{
    if (code == LST_ERR_EXISTS) {
        lst_report(usage->command,
                   "there is a token '%s' already: choose another name, or revoke "
                   "it with `latchstring token revoke %s`",
                   token->name, token->name);
    } else if (code == LST_ERR_USER_NOT_FOUND) {
        lst_report(usage->command, "there is no user '%s': see `latchstring user list`",
                   token->user);
    } else {
        lst_report(usage->command, "%s", lst_error_text(code));
    }
    return LST_EXIT_FAILED;
}

/* A slip of the pen, often; but a profile may be added later, and those of files are not looked at.
 */
static void warn_of_profiles(const struct lst_usage *usage, const char *data,
                             const struct lst_option_list *names)
{
    struct lst_profile_rows rows;
    const struct lst_profile *profile;

    if (names->count == 0 ||
        lst_profile_command_open(usage, data, LST_DIRECTORY_READ, &rows) != LST_EXIT_OK) {
        return;
    }
    for (size_t i = 0; i < names->count; i++) {
        int status = lst_profiles_find(rows.profiles, lst_slice_of(names->values[i]), &profile);

        if (status == LST_OK) {
            lst_profile_unref(profile);
        } else if (status == LST_ERR_NOT_FOUND) {
            lst_report(usage->command,
                       "warning: '%s' has no profile '%s' yet; until it is added, or read from a "
                       "file by 'serve --profiles', the token can't use it",
                       rows.folder, names->values[i]);
        }
    }
    lst_profile_command_close(&rows);
}

static int make(const struct lst_usage *usage, const char *data, bool json, struct lst_token *token)
{
    char text[LST_TOKEN_TEXT_LENGTH + 1] = "";
    struct lst_users *users;
    json_t *document;
    int status = lst_directory_open(usage, data, LST_DIRECTORY_CHANGE, &users);

    if (status != LST_EXIT_OK) {
        return status;
    }
    status = lst_tokens_create(users, token, text);
    lst_users_close(users);
    if (status != LST_OK) {
        return report(usage, token, status);
    }
    if (json) {
        document = to_json(token);
        (void)json_object_set_new(document, "token", json_string(text));
        status = lst_directory_print(usage, document);
    } else {
        printf("%s\n", text);
        (void)fprintf(stderr, "This is the token: it is not stored, and not shown again.\n");
        status = LST_EXIT_OK;
    }
    explicit_bzero(text, sizeof(text));
    return status;
}

static int command_create(int argument_count, char **arguments)
{
    struct lst_option_list profiles = {0};
    const char *data = NULL;
    const char *role = NULL;
    const char *user = LST_ROOT_USER;
    const char *life = NULL;
    bool json = false;
    const struct lst_option options[] = {
        {"role", "ROLE", "upload, link, backend (both, and tokens for clients), or admin",
         .text = &role},
        {"profile", "NAME", "upload profile that the token may use; may be repeated; default: all",
         .list = &profiles},
        {"user", "NAME", "user who signs the URLs that the token asks for; default: root",
         .text = &user},
        {"expires", "DURATION", "lifetime of the token, such as 12h or 30d; default: no limit",
         .text = &life},
        {"data", "DIR", LST_DATA_HELP, .text = &data},
        {"json", NULL, "print JSON", .flag = &json},
    };
    const struct lst_usage usage = {
        .command = "token create",
        .synopsis = "--role ROLE [OPTION]... NAME",
        .summary = "Create a token for calling the API, and print it. It can't be shown again.",
        .examples = "  latchstring token create --role backend --expires 365d website\n",
        LST_OPTIONS(options)};
    struct lst_operands operands;
    struct lst_token token = {0};
    int status;

    if (!lst_options_parse(&usage, argument_count, arguments, &operands, &status)) {
        return status;
    }
    if (operands.count != 1) {
        return lst_usage_error(&usage, "give one name for the token");
    }
    if (!fill(&usage, operands.values[0], role, user, life, &token) ||
        !take_profiles(&usage, &profiles, &token)) {
        return LST_EXIT_USAGE;
    }
    status = make(&usage, data, json, &token);
    if (status == LST_EXIT_OK) {
        warn_of_profiles(&usage, data, &profiles);
    }
    explicit_bzero(&token, sizeof(token));
    return status;
}

/* ---- list, revoke */

static int list_token(void *context, const struct lst_token *token)
{
    struct lst_directory_list *list = context;
    char expires[21];

    if (token->is_damaged) {
        if (list->json == NULL) {
            printf("%-24s %-16s damaged\n", "?", token->id);
        }
        return lst_directory_list_damaged(list, "id", token->id);
    }
    if (list->json != NULL) {
        return json_array_append_new(list->json, to_json(token)) == 0 ? LST_OK : LST_ERR_NO_MEMORY;
    }
    time_text(token->expires, expires);
    printf("%-24s %-16s %-8s %-8s %-16s %-20s %s\n", token->name, token->id, state_of(token),
           lst_token_role_name(token->may), token->user, expires,
           token->profiles[0] == '\0' ? "all profiles" : token->profiles);
    return LST_OK;
}

static int command_list(int argument_count, char **arguments)
{
    const char *data = NULL;
    bool json = false;
    const struct lst_option options[] = {
        {"data", "DIR", LST_DATA_HELP, .text = &data},
        {"json", NULL, "print JSON", .flag = &json},
    };
    const struct lst_usage usage = {
        .command = "token list",
        .synopsis = "[OPTION]...",
        .summary =
            "List all tokens, including revoked ones. The tokens themselves are never shown.",
        LST_OPTIONS(options)};
    struct lst_operands operands;
    struct lst_users *users;
    struct lst_directory_list list = {.json = NULL};
    int status;

    if (!lst_options_parse(&usage, argument_count, arguments, &operands, &status)) {
        return status;
    }
    if (operands.count > 0) {
        return lst_usage_error(&usage, "unexpected '%s'", operands.values[0]);
    }
    status = lst_directory_open(&usage, data, LST_DIRECTORY_READ, &users);
    if (status != LST_EXIT_OK) {
        return status;
    }
    if (json) {
        list.json = json_array();
    } else {
        printf("%-24s %-16s %-8s %-8s %-16s %-20s %s\n", "NAME", "ID", "STATE", "ROLE", "SIGNS AS",
               "EXPIRES", "FOR");
    }
    status = lst_tokens_list(users, list_token, &list);
    lst_users_close(users);
    return lst_directory_list_end(&usage, &list, status,
                                  "tokens are damaged: they are refused. Revoke each by its id "
                                  "('latchstring token revoke') and make another");
}

static int command_revoke(int argument_count, char **arguments)
{
    const char *data = NULL;
    const struct lst_option options[] = {
        {"data", "DIR", LST_DATA_HELP, .text = &data},
    };
    const struct lst_usage usage = {
        .command = "token revoke",
        .synopsis = "[OPTION]... NAME",
        .summary = "Revoke a token, given by its name or ID. It is refused from the next request "
                   "on. Links made with it keep working.",
        LST_OPTIONS(options)};
    struct lst_operands operands;
    struct lst_users *users;
    int status;

    if (!lst_options_parse(&usage, argument_count, arguments, &operands, &status)) {
        return status;
    }
    if (operands.count != 1) {
        return lst_usage_error(&usage, "give the name of one token");
    }
    status = lst_directory_open(&usage, data, LST_DIRECTORY_CHANGE, &users);
    if (status != LST_EXIT_OK) {
        return status;
    }
    status = lst_tokens_revoke(users, lst_slice_of(operands.values[0]), time(NULL));
    lst_users_close(users);
    if (status == LST_ERR_NOT_FOUND) {
        lst_report(usage.command, "there is no token '%s': see `latchstring token list`",
                   operands.values[0]);
    } else if (status != LST_OK) {
        lst_report(usage.command, "%s", lst_error_text(status));
    } else {
        printf("Token %s is revoked. Links made with it keep working.\n", operands.values[0]);
    }
    return status == LST_OK ? LST_EXIT_OK : LST_EXIT_FAILED;
}

int lst_command_token(int argument_count, char **arguments)
{
    static const struct lst_command commands[] = {
        {"create", "create a token, which is shown once", command_create},
        {"list", "list all tokens", command_list},
        {"revoke", "revoke a token", command_revoke},
    };
    static const struct lst_usage usage = {
        .command = "token",
        .synopsis = "COMMAND [OPTION]...",
        .summary = "Manage the tokens that let an application's backend call the API "
                   "(`Authorization: Bearer lst_...`). Works on the data directory, whether or not "
                   "the server is running. Changes apply from the next request.",
        .examples = "  latchstring token create --role backend --expires 365d website\n"
                    "  latchstring token revoke website\n",
    };

    return lst_command_run(&usage, commands, sizeof(commands) / sizeof(commands[0]), argument_count,
                           arguments);
}
