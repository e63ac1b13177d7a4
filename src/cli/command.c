/* command.c - find the command that is named, among the program's or among another command's. */
#include "cli/command.h"
#include "cli/options.h"

#include <stdio.h>
#include <string.h>

enum { COMMANDS_MAX = 16 };

static void print_help(const struct lst_usage *usage, const struct lst_command *commands,
                       size_t count)
{
    const char *space = usage->command[0] == '\0' ? "" : " ";

    lst_usage_print(usage);
    printf("\nCommands:\n");
    for (size_t i = 0; i < count; i++) {
        printf("  %-12s %s\n", commands[i].name, commands[i].summary);
    }
    printf("\nFor details: latchstring%s%s COMMAND --help.\n", space, usage->command);
}

static const struct lst_command *find(const struct lst_usage *usage,
                                      const struct lst_command *commands, size_t count,
                                      const char *name, int *ret_status)
{
    const char *names[COMMANDS_MAX];
    const char *nearest;

    for (size_t i = 0; i < count; i++) {
        names[i] = commands[i].name;
        if (strcmp(names[i], name) == 0) {
            return &commands[i];
        }
    }
    if (name[0] == '-') {
        *ret_status = lst_usage_error(usage, "unknown option '%s'", name);
        return NULL;
    }
    nearest = lst_nearest(name, names, count);
    *ret_status =
        nearest == NULL
            ? lst_usage_error(usage, "there is no command '%s'", name)
            : lst_usage_error(usage, "there is no command '%s'; did you mean '%s'?", name, nearest);
    return NULL;
}

int lst_command_run(const struct lst_usage *usage, const struct lst_command *commands, size_t count,
                    int argument_count, char **arguments)
{
    const struct lst_command *command;
    bool asked_for_help;
    int status = LST_EXIT_USAGE;

    if (argument_count < 2) {
        return lst_usage_error(usage, "which command?");
    }
    if (strcmp(arguments[1], "--version") == 0) {
        printf("latchstring %s\n", LST_VERSION);
        return LST_EXIT_OK;
    }
    asked_for_help = strcmp(arguments[1], "help") == 0;
    if (strcmp(arguments[1], "--help") == 0 || strcmp(arguments[1], "-h") == 0 ||
        (asked_for_help && argument_count == 2)) {
        print_help(usage, commands, count);
        return LST_EXIT_OK;
    }
    command = find(usage, commands, count, arguments[asked_for_help ? 2 : 1], &status);
    if (command == NULL) {
        return status;
    }
    if (asked_for_help) {
        char help[] = "--help";
        char *help_arguments[] = {arguments[2], help, NULL};

        return command->run(2, help_arguments);
    }
    return command->run(argument_count - 1, arguments + 1);
}
