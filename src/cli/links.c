/* links.c - `latchstring link`: links that a running server keeps. */
#include "cli/command.h"
#include "cli/links_internal.h"
#include "cli/options.h"

int lst_command_link(int argument_count, char **arguments)
{
    static const struct lst_command commands[] = {
        {"create", "create a link to an object or a folder", lst_links_command_create},
        {"list", "list your links", lst_links_command_list},
        {"show", "show a link and its uses", lst_links_command_show},
        {"revoke", "revoke a link", lst_links_command_revoke},
    };
    static const struct lst_usage usage = {
        .command = "link",
        .synopsis = "COMMAND [OPTION]...",
        .summary = "Create, list and revoke links on a running Latchstring server. A link opens "
                   "one object or folder for a limited time. You can limit the number of uses, "
                   "each use is recorded, and you can revoke the link. Authenticates with the "
                   "token in LATCHSTRING_TOKEN, or else with AWS keys.",
        .examples = "  latchstring link create s3://photos/cat.jpg --max-uses 1 --expires 2d\n"
                    "  latchstring link list\n"
                    "  latchstring link revoke mo3f0c2a9d8e7b6a5c4d3e2f\n",
    };

    return lst_command_run(&usage, commands, sizeof(commands) / sizeof(commands[0]), argument_count,
                           arguments);
}
