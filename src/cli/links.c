/* links.c - `latchstring link`: links that a running server keeps. */
#include "cli/command.h"
#include "cli/links_internal.h"
#include "cli/options.h"

int lst_command_link(int argument_count, char **arguments)
{
    static const struct lst_command commands[] = {
        {"create", "make a link to an object", lst_links_command_create},
        {"list", "list your links", lst_links_command_list},
        {"show", "show a link, and each of its uses", lst_links_command_show},
        {"revoke", "refuse a link from now on", lst_links_command_revoke},
    };
    static const struct lst_usage usage = {
        .command = "link",
        .synopsis = "COMMAND [OPTION]...",
        .summary = "Links to objects of a running Latchstring server: each opens one object, for a "
                   "limited time; can be limited in the number of its uses, which are recorded; "
                   "and can be revoked. Authenticates with the token in LATCHSTRING_TOKEN, or else "
                   "with AWS keys.",
        .examples = "  latchstring link create s3://photos/cat.jpg --max-uses 1 --expires 2d\n"
                    "  latchstring link list\n"
                    "  latchstring link revoke mo3f0c2a9d8e7b6a5c4d3e2f\n",
    };

    return lst_command_run(&usage, commands, sizeof(commands) / sizeof(commands[0]), argument_count,
                           arguments);
}
