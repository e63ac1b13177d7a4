/* links_internal.h - what the files of `latchstring link` share. */
#ifndef LST_CLI_LINKS_INTERNAL_H
#define LST_CLI_LINKS_INTERNAL_H

#include "latchstring.h"

/* links_create.c, links_show.c: the commands, as in command.h */
LST_MUST_CHECK int lst_links_command_create(int argument_count, char **arguments);
LST_MUST_CHECK int lst_links_command_list(int argument_count, char **arguments);
LST_MUST_CHECK int lst_links_command_show(int argument_count, char **arguments);
LST_MUST_CHECK int lst_links_command_revoke(int argument_count, char **arguments);

#endif
