/* user.c - `latchstring user`: its commands, and those that only look. */
#include "cli/command.h"
#include "cli/directory.h"
#include "cli/user_internal.h"

#include <stdio.h>
#include <stdlib.h>

static json_t *user_to_json(const struct lst_user *user)
{
    char created[21];
    json_t *keys = json_array();

    for (size_t i = 0; i < user->key_count; i++) {
        lst_directory_time(user->keys[i].created_ms, created);
        json_array_append_new(keys, json_pack("{s:s, s:b, s:s}", "access_key_id",
                                              user->keys[i].access_key_id, "active",
                                              user->keys[i].active ? 1 : 0, "created", created));
    }
    lst_directory_time(user->created_ms, created);
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:o, s:o}", "name", user->name, "display_name",
                     user->display_name, "canonical_id", user->canonical_id, "created", created,
                     "enabled", user->enabled ? 1 : 0, "root", user->is_root ? 1 : 0, "keys", keys,
                     "policy",
                     user->policy == NULL ? json_null() : json_loads(user->policy, 0, NULL));
}

static const char *policy_word(const struct lst_user *user)
{
    if (user->is_root) {
        return "everything";
    }
    return user->policy != NULL ? "policy" : "nothing";
}

static int list_user(void *context, const struct lst_user *user)
{
    struct lst_directory_list *list = context;
    char created[21];

    if (user->is_damaged) {
        if (list->json == NULL) {
            printf("%-24s damaged\n", user->name);
        }
        return lst_directory_list_damaged(list, "name", user->name);
    }
    if (list->json != NULL) {
        return json_array_append_new(list->json, user_to_json(user)) == 0 ? LST_OK
                                                                          : LST_ERR_NO_MEMORY;
    }
    lst_directory_time(user->created_ms, created);
    printf("%-24s %-8s %4zu  %-10s  %s\n", user->name, user->enabled ? "enabled" : "disabled",
           user->key_count, policy_word(user), created);
    return LST_OK;
}

static int command_list(int argument_count, char **arguments)
{
    const char *data = NULL;
    bool json = false;
    const struct lst_option options[] = {
        {"data", "DIR", LST_DATA_HELP, .text = &data},
        {"json", NULL, "print JSON: an array of what 'user show --json' prints", .flag = &json},
    };
    const struct lst_usage usage = {.command = "user list",
                                    .synopsis = "[OPTION]...",
                                    .summary = "List all users. Secrets are never shown.",
                                    LST_OPTIONS(options)};
    struct lst_operands operands;
    struct lst_users *users;
    struct lst_directory_list list = {.json = NULL};
    int exit_status;
    int status;

    if (!lst_options_parse(&usage, argument_count, arguments, &operands, &exit_status)) {
        return exit_status;
    }
    if (operands.count > 0) {
        return lst_usage_error(&usage, "unexpected '%s'", operands.values[0]);
    }
    exit_status = lst_directory_open(&usage, data, LST_DIRECTORY_READ, &users);
    if (exit_status != LST_EXIT_OK) {
        return exit_status;
    }
    if (json) {
        list.json = json_array();
    } else {
        printf("%-24s %-8s %4s  %-10s  %s\n", "NAME", "STATE", "KEYS", "MAY DO", "CREATED");
    }
    status = lst_users_list(users, list_user, &list);
    lst_users_close(users);
    return lst_directory_list_end(&usage, &list, status,
                                  "users are damaged: nobody gets in as one of them. Remove such a "
                                  "user ('latchstring user remove') and add it again");
}

static void print_user(const struct lst_user *user)
{
    char created[21];

    lst_directory_time(user->created_ms, created);
    printf("Name          %s\n", user->name);
    printf("Canonical id  %s\n", user->canonical_id);
    printf("Created       %s\n", created);
    printf("State         %s\n", user->enabled ? "enabled" : "disabled");
    for (size_t i = 0; i < user->key_count; i++) {
        lst_directory_time(user->keys[i].created_ms, created);
        printf("Access key    %s  %s, since %s\n", user->keys[i].access_key_id,
               user->keys[i].active ? "active" : "inactive", created);
    }
    if (user->policy != NULL) {
        printf("Policy\n%s\n", user->policy);
    } else {
        printf("Policy        none: may do %s\n", policy_word(user));
    }
}

static int command_show(int argument_count, char **arguments)
{
    const char *data = NULL;
    bool json = false;
    const struct lst_option options[] = {
        {"data", "DIR", LST_DATA_HELP, .text = &data},
        {"json", NULL, "print JSON", .flag = &json},
    };
    const struct lst_usage usage = {.command = "user show",
                                    .synopsis = "[OPTION]... NAME",
                                    .summary = "Show a user: state, access keys, policy. Secrets "
                                               "are never shown.",
                                    LST_OPTIONS(options)};
    struct lst_user user;
    const char *name;
    int status;

    name = lst_directory_name(&usage, argument_count, arguments, &status);
    if (name == NULL) {
        return status;
    }
    status = lst_directory_find(&usage, data, name, &user);
    if (status == LST_EXIT_OK && json) {
        status = lst_directory_print(&usage, user_to_json(&user));
        lst_user_release(&user);
    } else if (status == LST_EXIT_OK) {
        print_user(&user);
        lst_user_release(&user);
    }
    return status;
}

int lst_command_user(int argument_count, char **arguments)
{
    static const struct lst_command commands[] = {
        {"add", "add a user, with an access key", lst_user_command_add},
        {"list", "list all users", command_list},
        {"show", "show one user", command_show},
        {"disable", "refuse everything that a user signs or has signed, until enabled again",
         lst_user_command_disable},
        {"enable", "the reverse of disable", lst_user_command_enable},
        {"remove", "remove a user for good", lst_user_command_remove},
        {"rotate-key", "give a user a new access key", lst_user_command_rotate_key},
        {"key", "list, disable, enable or remove single access keys", lst_user_command_key},
    };
    static const struct lst_usage usage = {
        .command = "user",
        .synopsis = "COMMAND [OPTION]...",
        .summary = "Manage the users who may sign requests. Works on the data directory, whether "
                   "or not the server is running. Changes apply from the next request. Use "
                   "'latchstring policy' to set what a user may do.",
        .examples = "  latchstring user add alice --policy readwrite --bucket photos\n"
                    "  latchstring user disable alice\n",
    };

    return lst_command_run(&usage, commands, sizeof(commands) / sizeof(commands[0]), argument_count,
                           arguments);
}
