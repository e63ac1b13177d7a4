/* profile_internal.h - what the files of `latchstring profile` share. */
#ifndef LST_CLI_PROFILE_INTERNAL_H
#define LST_CLI_PROFILE_INTERNAL_H

#include "api/profiles.h"
#include "cli/directory.h"
#include "gate/ledger.h"

/* The profiles of a data directory, open. */
struct lst_profile_rows {
    const char *folder; /* points into the arguments, or the environment */
    struct lst_ledger *ledger;
    struct lst_profiles *profiles;
};

/* Open the profiles of --data (may be NULL). Reports what is wrong and gives an exit status. */
LST_MUST_CHECK int lst_profile_command_open(const struct lst_usage *usage, const char *data,
                                            enum lst_directory_mode mode,
                                            struct lst_profile_rows *ret_rows);
void lst_profile_command_close(struct lst_profile_rows *rows);

/*
 * Parse the options of a command whose only operand is a profile's name, and give that. NULL, with
 * *ret_status set, if the command is over.
 */
const char *lst_profile_command_name(const struct lst_usage *usage, int argument_count,
                                     char **arguments, int *ret_status);

/* Report that an operation on a profile failed. Gives LST_EXIT_FAILED. */
int lst_profile_command_report(const struct lst_usage *usage, const char *name, int code);

/* profile_add.c */
LST_MUST_CHECK int lst_profile_command_add(int argument_count, char **arguments);

/* profile_set.c */
LST_MUST_CHECK int lst_profile_command_set(int argument_count, char **arguments);

#endif
