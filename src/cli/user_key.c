/* user_key.c - `latchstring user key`: the access keys of a user, one by one. */
#include "cli/command.h"
#include "cli/directory.h"
#include "cli/user_internal.h"

#include <stdio.h>

/* What is done to one key of one user. */
struct action {
    const struct lst_usage *usage;
    const char *data; /* may be NULL */
    const char *name;
    const char *key_id;
    void (*act)(struct lst_user *user, size_t number);
};

static void disable(struct lst_user *user, size_t number)
{
    user->keys[number].active = false;
}

static void enable(struct lst_user *user, size_t number)
{
    user->keys[number].active = true;
}

static void remove_one(struct lst_user *user, size_t number)
{
    for (size_t i = number; i + 1 < user->key_count; i++) {
        user->keys[i] = user->keys[i + 1];
    }
    user->key_count--;
    lst_wipe(&user->keys[user->key_count], sizeof(user->keys[user->key_count]));
}

static int change_key(void *context, struct lst_user *user)
{
    const struct action *action = context;

    for (size_t i = 0; i < user->key_count; i++) {
        if (strcmp(user->keys[i].access_key_id, action->key_id) == 0) {
            action->act(user, i);
            return LST_EXIT_OK;
        }
    }
    lst_report(action->usage->command,
               "user '%s' has no access key '%s'; 'latchstring user key list %s' shows all",
               user->name, action->key_id, user->name);
    return LST_EXIT_FAILED;
}

/* The operands of such a command. False, with *ret_status set, if the command is over. */
static bool take_operands(const struct lst_usage *usage, int argument_count, char **arguments,
                          struct action *action, int *ret_status)
{
    struct lst_operands operands;

    if (!lst_options_parse(usage, argument_count, arguments, &operands, ret_status)) {
        return false;
    }
    if (operands.count != 2) {
        *ret_status = lst_usage_error(usage, "give a user's name and the id of one of its keys");
        return false;
    }
    action->usage = usage;
    action->name = operands.values[0];
    action->key_id = operands.values[1];
    if (strcmp(action->name, LST_ROOT_USER) == 0) {
        lst_report(usage->command,
                   "the root user has one key, set when the server starts: change "
                   "LATCHSTRING_ACCESS_KEY and LATCHSTRING_SECRET_KEY, or remove root-credentials "
                   "from the data directory to have a new key made, and start it again");
        *ret_status = LST_EXIT_FAILED;
        return false;
    }
    return true;
}

/* past: "removed"; effect ends the sentence. */
static int run(const char *command, const char *summary,
               void (*act)(struct lst_user *user, size_t number), const char *past,
               const char *effect, int argument_count, char **arguments)
{
    struct action action = {.act = act};
    bool json = false;
    const struct lst_option options[] = {
        {"data", "DIR", LST_DATA_HELP, .text = &action.data},
        {"json", NULL, "print JSON", .flag = &json},
    };
    const struct lst_usage usage = {.command = command,
                                    .synopsis = "[OPTION]... NAME KEY-ID",
                                    .summary = summary,
                                    LST_OPTIONS(options)};
    int status;

    if (!take_operands(&usage, argument_count, arguments, &action, &status)) {
        return status;
    }
    status = lst_directory_change(&usage, action.data, action.name, change_key, &action);
    if (status == LST_EXIT_OK && json) {
        return lst_directory_print(&usage, json_pack("{s:s, s:s, s:b}", "name", action.name,
                                                     "access_key_id", action.key_id, past, 1));
    }
    if (status == LST_EXIT_OK) {
        printf("Key %s of user %s is %s%s\n", action.key_id, action.name, past, effect);
    }
    return status;
}

static int command_disable(int argument_count, char **arguments)
{
    return run("user key disable",
               "Disable one of a user's keys: from the next request on, everything signed with it "
               "is refused. 'latchstring user key enable' reverses this.",
               disable, "disabled", ": every URL signed with it is refused from now on.",
               argument_count, arguments);
}

static int command_enable(int argument_count, char **arguments)
{
    return run(
        "user key enable",
        "Enable a disabled key again. URLs signed with it that have not expired work again too.",
        enable, "enabled", ".", argument_count, arguments);
}

static int command_remove(int argument_count, char **arguments)
{
    return run("user key remove",
               "Remove one of a user's keys for good; the others keep working. This is the last "
               "step after 'user rotate-key --keep-old'.",
               remove_one, "removed", ": every URL signed with it is refused from now on.",
               argument_count, arguments);
}

static int print_keys(const struct lst_usage *usage, const struct lst_user *user, bool json)
{
    json_t *list = json_array();
    char created[21];

    if (!json) {
        printf("%-24s %-10s %s\n", "ACCESS KEY ID", "STATE", "CREATED");
    }
    for (size_t i = 0; i < user->key_count; i++) {
        const struct lst_user_key *key = &user->keys[i];

        lst_directory_time(key->created_ms, created);
        if (json) {
            (void)json_array_append_new(list, json_pack("{s:s, s:b, s:s}", "access_key_id",
                                                        key->access_key_id, "active",
                                                        key->active ? 1 : 0, "created", created));
        } else {
            printf("%-24s %-10s %s\n", key->access_key_id, key->active ? "active" : "disabled",
                   created);
        }
    }
    if (json) {
        return lst_directory_print(usage, list);
    }
    json_decref(list);
    return LST_EXIT_OK;
}

static int command_list(int argument_count, char **arguments)
{
    const char *data = NULL;
    bool json = false;
    const struct lst_option options[] = {
        {"data", "DIR", LST_DATA_HELP, .text = &data},
        {"json", NULL, "print JSON", .flag = &json},
    };
    const struct lst_usage usage = {.command = "user key list",
                                    .synopsis = "[OPTION]... NAME",
                                    .summary = "List a user's access keys. Secrets are never "
                                               "shown.",
                                    LST_OPTIONS(options)};
    struct lst_user user;
    const char *name;
    int status;

    name = lst_directory_name(&usage, argument_count, arguments, &status);
    if (name == NULL) {
        return status;
    }
    status = lst_directory_find(&usage, data, name, &user);
    if (status == LST_EXIT_OK) {
        status = print_keys(&usage, &user, json);
        lst_user_release(&user);
    }
    return status;
}

int lst_user_command_key(int argument_count, char **arguments)
{
    static const struct lst_command commands[] = {
        {"list", "list a user's keys", command_list},
        {"disable", "refuse everything signed with a key, until enabled again", command_disable},
        {"enable", "the reverse of disable", command_enable},
        {"remove", "remove a key for good", command_remove},
    };
    static const struct lst_usage usage = {
        .command = "user key",
        .synopsis = "COMMAND [OPTION]... NAME [KEY-ID]",
        .summary = "Manage the access keys of a user. 'latchstring user rotate-key --keep-old' "
                   "adds a key. When every client uses it, remove the old key here.",
        .examples =
            "  latchstring user rotate-key --keep-old alice\n"
            "  latchstring user key list alice\n"
            "  latchstring user key disable alice LSTOLDKEY...    # does anything still use it?\n"
            "  latchstring user key remove alice LSTOLDKEY...\n",
    };

    return lst_command_run(&usage, commands, sizeof(commands) / sizeof(commands[0]), argument_count,
                           arguments);
}
