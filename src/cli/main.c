/* main.c - the program `latchstring`: finds the subcommand and runs it. */
#include "cli/command.h"
#include "cli/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct lst_command commands[] = {
    {"serve", "run the private store", lst_command_serve},
    {"presign", "make a presigned URL, or an upload form", lst_command_presign},
    {"explain", "take a presigned URL apart, and say whether it would be accepted",
     lst_command_explain},
    {"user", "add, list, show, disable and remove users; rotate their keys", lst_command_user},
    {"policy", "set and show what a user may do", lst_command_policy},
    {"fsck", "check the stored data", lst_command_fsck},
};
enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static const struct lst_usage usage = {
    .command = "",
    .synopsis = "COMMAND [OPTION]...",
    .summary = "A latchstring opens one private object, for one action, for a limited time: a "
               "presigned URL. This program makes and explains them, for AWS S3 and every store "
               "that speaks its protocol, and is such a store itself.",
    .examples =
        "  latchstring serve\n"
        "  latchstring presign s3://photos/cat.jpg --expires-in 600\n"
        "  latchstring explain 'https://photos.s3.eu-west-1.amazonaws.com/cat.jpg?X-Amz-...'\n",
};

static void print_help(void)
{
    lst_usage_print(&usage);
    printf("\nCommands:\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        printf("  %-10s %s\n", commands[i].name, commands[i].summary);
    }
    printf("\nTo learn about one: latchstring COMMAND --help, or man latchstring-COMMAND.\n");
}

static const struct lst_command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

static int report_unknown(const char *name)
{
    const char *names[COMMAND_COUNT];
    const char *nearest;

    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        names[i] = commands[i].name;
    }
    nearest = lst_nearest(name, names, COMMAND_COUNT);
    if (nearest == NULL) {
        return lst_usage_error(&usage, "there is no command '%s'", name);
    }
    return lst_usage_error(&usage, "there is no command '%s'; did you mean '%s'?", name, nearest);
}

static int run(int argument_count, char **arguments)
{
    const struct lst_command *command;
    bool asked_for_help;

    if (argument_count < 2) {
        return lst_usage_error(&usage, "which command?");
    }
    if (strcmp(arguments[1], "--version") == 0) {
        printf("latchstring %s\n", LST_VERSION);
        return LST_EXIT_OK;
    }
    asked_for_help = strcmp(arguments[1], "help") == 0;
    if (strcmp(arguments[1], "--help") == 0 || (asked_for_help && argument_count == 2)) {
        print_help();
        return LST_EXIT_OK;
    }
    command = find_command(arguments[asked_for_help ? 2 : 1]);
    if (command == NULL) {
        return report_unknown(arguments[asked_for_help ? 2 : 1]);
    }
    if (asked_for_help) {
        char help[] = "--help";
        char *help_arguments[] = {arguments[2], help, NULL};

        return command->run(2, help_arguments);
    }
    return command->run(argument_count - 1, arguments + 1);
}

int main(int argument_count, char **arguments)
{
    int status = run(argument_count, arguments);

    if (fflush(stdout) != 0 || ferror(stdout)) {
        lst_report("", "cannot write to standard output: %s", strerror(errno));
        return LST_EXIT_FAILED;
    }
    return status;
}
