/* main.c - the program `latchstring`: finds the subcommand and runs it. */
#include "cli/bus.h"
#include "cli/command.h"
#include "cli/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct lst_command commands[] = {
    {"serve", "run the private store", lst_command_serve},
    {"presign", "make a presigned URL, or an upload form", lst_command_presign},
    {"explain", "show what a presigned URL allows, and whether it would be accepted",
     lst_command_explain},
    {"user", "add, list, show, disable and remove users; rotate their keys", lst_command_user},
    {"policy", "set and show what a user may do", lst_command_policy},
    {"profile", "define what clients may upload, where, and for how long", lst_command_profile},
    {"remote", "S3 stores elsewhere that the upload API signs URLs for", lst_command_remote},
    {"token", "tokens that let backends call the API", lst_command_token},
    {"link", "create, list and revoke links on a running server", lst_command_link},
    {"webhook", "list, resend and test webhook messages", lst_command_webhook},
    {"share", "upload a file and print a link to it", lst_command_share},
    {"usage", "show how much is in each bucket", lst_command_usage},
    {"fsck", "check the stored data", lst_command_fsck},
};
enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static const struct lst_usage usage = {
    .command = "",
    .synopsis = "COMMAND [OPTION]...",
    .summary = "Make, check and explain presigned URLs: each opens one private object, for one "
               "action, for a limited time. Works with AWS S3 and every compatible store, and is "
               "such a store itself.",
    .examples =
        "  latchstring serve\n"
        "  latchstring presign s3://photos/cat.jpg --expires-in 600\n"
        "  latchstring explain 'https://photos.s3.eu-west-1.amazonaws.com/cat.jpg?X-Amz-...'\n",
};

int main(int argument_count, char **arguments)
{
    int status;

    lst_bus_errors_report();
    status = lst_command_run(&usage, commands, COMMAND_COUNT, argument_count, arguments);

    if (fflush(stdout) != 0 || ferror(stdout)) {
        lst_report("", "cannot write to standard output: %s", strerror(errno));
        return LST_EXIT_FAILED;
    }
    return status;
}
