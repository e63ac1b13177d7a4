/*
 * command.h - the subcommands of `latchstring`, one file each.
 *
 * A command gets its own arguments: arguments[0] is its name ("presign"), arguments[argument_count]
 * is NULL. It gives the exit status of the program: LST_EXIT_OK, LST_EXIT_FAILED or LST_EXIT_USAGE
 * (options.h), or one of its own that its man page names. It prints results on standard output and
 * all else on standard error; main() flushes standard output and reports when that fails.
 */
#ifndef LST_CLI_COMMAND_H
#define LST_CLI_COMMAND_H

struct lst_command {
    const char *name;
    const char *summary; /* one line, for `latchstring --help` */
    int (*run)(int argument_count, char **arguments);
};

int lst_command_serve(int argument_count, char **arguments);
int lst_command_presign(int argument_count, char **arguments);
int lst_command_explain(int argument_count, char **arguments);
int lst_command_user(int argument_count, char **arguments);
int lst_command_policy(int argument_count, char **arguments);
int lst_command_fsck(int argument_count, char **arguments);

#endif
