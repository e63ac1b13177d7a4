/* policy.c - `latchstring policy set|get`: what a user may do. */
#include "cli/command.h"
#include "cli/directory.h"

#include <stdio.h>
#include <stdlib.h>

/* edit() of lst_directory_change(): takes the text over, a copy for each time it is called. */
static int set_policy(void *context, struct lst_user *user)
{
    free(user->policy);
    user->policy = lst_slice_to_string(lst_slice_of(context));
    return user->policy != NULL ? LST_EXIT_OK : LST_EXIT_FAILED;
}

static int store_policy(const struct lst_usage *usage, const char *data, const char *name,
                        char *policy, bool json)
{
    int status = lst_directory_change(usage, data, name, set_policy, policy);

    if (status == LST_EXIT_OK && json) {
        return lst_directory_print(
            usage, json_pack("{s:s, s:o}", "name", name, "policy", json_loads(policy, 0, NULL)));
    }
    if (status == LST_EXIT_OK) {
        printf("The policy of user %s is set; it holds from the next request on, also for URLs "
               "signed before.\n",
               name);
    }
    return status;
}

static int command_set(int argument_count, char **arguments)
{
    const char *data = NULL;
    const char *bucket = NULL;
    char *policy = NULL;
    bool json = false;
    const struct lst_option options[] = {
        {"bucket", "BUCKET", "limit a ready-made policy to this bucket", .text = &bucket},
        {"data", "DIR", LST_DATA_HELP, .text = &data},
        {"json", NULL, "print JSON: what was set", .flag = &json},
    };
    const struct lst_usage usage = {
        .command = "policy set",
        .synopsis = "[OPTION]... NAME POLICY",
        .summary =
            "Set what a user may do, replacing the present policy. POLICY is a file with an IAM "
            "policy in JSON, '-' for standard input, or a ready-made policy: readonly, writeonly, "
            "readwrite or full. It applies from the next request, also to URLs signed earlier.",
        .examples = "  latchstring policy set alice readonly --bucket photos\n"
                    "  latchstring policy set alice alice.json\n",
        LST_OPTIONS(options)};
    struct lst_operands operands;
    int status;

    if (!lst_options_parse(&usage, argument_count, arguments, &operands, &status)) {
        return status;
    }
    if (operands.count != 2) {
        return lst_usage_error(&usage, "a user's name and a policy are needed");
    }
    if (strcmp(operands.values[0], LST_ROOT_USER) == 0) {
        lst_report(usage.command, "the root user may do everything, whatever a policy says; make a "
                                  "user with 'latchstring user add' and limit that one");
        return LST_EXIT_FAILED;
    }
    status = lst_directory_policy(&usage, operands.values[1], bucket, &policy);
    if (status == LST_EXIT_OK) {
        status = store_policy(&usage, data, operands.values[0], policy, json);
    }
    if (status == LST_EXIT_OK) {
        lst_directory_warn_of_bucket(&usage, lst_directory_folder(data), bucket,
                                     "until it is made, the policy allows nothing");
        lst_directory_warn_of_policy(&usage, policy);
    }
    free(policy);
    return status;
}

static int print_policy(const struct lst_usage *usage, const struct lst_user *user, bool json)
{
    if (json) {
        json_t *policy = user->policy == NULL ? json_null() : json_loads(user->policy, 0, NULL);
        return lst_directory_print(usage,
                                   json_pack("{s:s, s:o}", "name", user->name, "policy", policy));
    }
    if (user->is_root) {
        lst_report(usage->command, "the root user has no policy: it may do everything");
        return LST_EXIT_FAILED;
    }
    if (user->policy == NULL) {
        lst_report(usage->command,
                   "user '%s' has no policy, so it may do nothing; set one with 'latchstring "
                   "policy set %s POLICY'",
                   user->name, user->name);
        return LST_EXIT_FAILED;
    }
    printf("%s%s", user->policy, user->policy[strlen(user->policy) - 1] == '\n' ? "" : "\n");
    return LST_EXIT_OK;
}

static int command_get(int argument_count, char **arguments)
{
    const char *data = NULL;
    bool json = false;
    const struct lst_option options[] = {
        {"data", "DIR", LST_DATA_HELP, .text = &data},
        {"json", NULL, "print a JSON object with the user's name and its policy, or null",
         .flag = &json},
    };
    const struct lst_usage usage = {.command = "policy get",
                                    .synopsis = "[OPTION]... NAME",
                                    .summary = "Print the policy of a user, as it was set.",
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
        status = print_policy(&usage, &user, json);
        lst_user_release(&user);
    }
    return status;
}

int lst_command_policy(int argument_count, char **arguments)
{
    static const struct lst_command commands[] = {
        {"set", "set what a user may do", command_set},
        {"get", "print what a user may do", command_get},
    };
    static const struct lst_usage usage = {
        .command = "policy",
        .synopsis = "COMMAND [OPTION]...",
        .summary = "Set and show what a user may do, as an AWS IAM policy. Works on the data "
                   "directory, whether or not the server is running.",
        .examples = "  latchstring policy set alice readonly --bucket photos\n"
                    "  latchstring policy get alice\n",
    };

    return lst_command_run(&usage, commands, sizeof(commands) / sizeof(commands[0]), argument_count,
                           arguments);
}
