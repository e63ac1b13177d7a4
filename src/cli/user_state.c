/* user_state.c - `latchstring user disable|enable|remove`. */
#include "cli/directory.h"
#include "cli/user_internal.h"

#include <stdio.h>

/* The three commands differ in what they do to the user, and in what they say. */
struct action {
    const struct lst_usage *usage;
    const char *data; /* may be NULL */
    const char *name;
    bool enabled; /* what to set it to; of disable and enable */
};

static int set_enabled(void *context, struct lst_user *user)
{
    const struct action *action = context;

    user->enabled = action->enabled;
    return LST_EXIT_OK;
}

static int switch_user(const struct action *action)
{
    return lst_directory_change(action->usage, action->data, action->name, set_enabled,
                                (void *)action);
}

static int remove_user(const struct action *action)
{
    struct lst_users *users;
    int status = lst_directory_open(action->usage, action->data, LST_DIRECTORY_CHANGE, &users);

    if (status != LST_EXIT_OK) {
        return status;
    }
    status = lst_users_remove(users, lst_slice_of(action->name));
    lst_users_close(users);
    return status == LST_OK ? LST_EXIT_OK
                            : lst_directory_report(action->usage, action->name, status);
}

/* word: of the JSON, past: of the sentence. */
static int run(const char *command, const char *summary, int (*act)(const struct action *),
               bool enabled, const char *past, const char *effect, int argument_count,
               char **arguments)
{
    struct action action = {.enabled = enabled};
    bool json = false;
    const struct lst_option options[] = {
        {"data", "DIR", LST_DATA_HELP, .text = &action.data},
        {"json", NULL, "print JSON", .flag = &json},
    };
    const struct lst_usage usage = {.command = command,
                                    .synopsis = "[OPTION]... NAME",
                                    .summary = summary,
                                    LST_OPTIONS(options)};
    int status;

    action.usage = &usage;
    action.name = lst_directory_name(&usage, argument_count, arguments, &status);
    if (action.name == NULL) {
        return status;
    }
    if (strcmp(action.name, LST_ROOT_USER) == 0) {
        lst_report(usage.command,
                   "the root user can't be disabled or removed, because nobody could "
                   "manage the server without it; give applications users of their own");
        return LST_EXIT_FAILED;
    }
    status = act(&action);
    if (status == LST_EXIT_OK && json) {
        return lst_directory_print(&usage, json_pack("{s:s, s:b}", "name", action.name, past, 1));
    }
    if (status == LST_EXIT_OK) {
        printf("User %s is %s%s\n", action.name, past, effect);
    }
    return status;
}

int lst_user_command_disable(int argument_count, char **arguments)
{
    return run("user disable",
               "Disable a user: from the next request on, everything that the user signs or has "
               "signed is refused. 'latchstring user enable' reverses this.",
               switch_user, false, "disabled", ": every URL that it signed is refused from now on.",
               argument_count, arguments);
}

int lst_user_command_enable(int argument_count, char **arguments)
{
    return run("user enable",
               "Enable a disabled user again. Its URLs that have not expired work again too.",
               switch_user, true, "enabled", ".", argument_count, arguments);
}

int lst_user_command_remove(int argument_count, char **arguments)
{
    return run(
        "user remove",
        "Remove a user, its access keys, its policy and its tokens. Every URL that it signed is "
        "refused from the next request on, and so are its links, also if another user gets "
        "the name. Objects stay.",
        remove_user, false, "removed", ": every URL that it signed is refused from now on.",
        argument_count, arguments);
}
