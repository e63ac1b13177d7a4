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

#include "latchstring.h"

#include <stddef.h>

struct lst_command {
    const char *name;
    const char *summary; /* one line, for --help */
    int (*run)(int argument_count, char **arguments);
};

struct lst_usage;

/*
 * Run the one of at most 16 commands that arguments[1] names, or help with them: of the program
 * itself, and of a command that has commands of its own (`latchstring user add`).
 */
LST_MUST_CHECK int lst_command_run(const struct lst_usage *usage,
                                   const struct lst_command *commands, size_t count,
                                   int argument_count, char **arguments);

LST_MUST_CHECK int lst_command_serve(int argument_count, char **arguments);
LST_MUST_CHECK int lst_command_presign(int argument_count, char **arguments);
LST_MUST_CHECK int lst_command_explain(int argument_count, char **arguments);
LST_MUST_CHECK int lst_command_user(int argument_count, char **arguments);
LST_MUST_CHECK int lst_command_policy(int argument_count, char **arguments);
LST_MUST_CHECK int lst_command_profile(int argument_count, char **arguments);
LST_MUST_CHECK int lst_command_remote(int argument_count, char **arguments);
LST_MUST_CHECK int lst_command_token(int argument_count, char **arguments);
LST_MUST_CHECK int lst_command_link(int argument_count, char **arguments);
LST_MUST_CHECK int lst_command_webhook(int argument_count, char **arguments);
LST_MUST_CHECK int lst_command_share(int argument_count, char **arguments);
LST_MUST_CHECK int lst_command_usage(int argument_count, char **arguments);
LST_MUST_CHECK int lst_command_fsck(int argument_count, char **arguments);

#endif
