/* user_internal.h - the commands of `latchstring user`, by file. */
#ifndef LST_CLI_USER_INTERNAL_H
#define LST_CLI_USER_INTERNAL_H

#include "latchstring.h"

/* user_keys.c */
LST_MUST_CHECK int lst_user_command_add(int argument_count, char **arguments);
LST_MUST_CHECK int lst_user_command_rotate_key(int argument_count, char **arguments);

/* user_key.c */
LST_MUST_CHECK int lst_user_command_key(int argument_count, char **arguments);

/* user_state.c */
LST_MUST_CHECK int lst_user_command_disable(int argument_count, char **arguments);
LST_MUST_CHECK int lst_user_command_enable(int argument_count, char **arguments);
LST_MUST_CHECK int lst_user_command_remove(int argument_count, char **arguments);

#endif
