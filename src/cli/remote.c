/* remote.c - `latchstring remote`: the S3 endpoints elsewhere that the upload API signs for. */
#include "api/remote.h"
#include "cli/command.h"
#include "cli/directory.h"
#include "gate/ledger.h"
#include "server/damage.h"

#include <stdio.h>
#include <stdlib.h>

#define SECRET_VARIABLE "LATCHSTRING_REMOTE_SECRET"
#define TOKEN_VARIABLE  "LATCHSTRING_REMOTE_SESSION_TOKEN"

/* ---- The data directory */

static int open_rows(const struct lst_usage *usage, const char *data, bool read_only,
                     struct lst_ledger **ret_ledger)
{
    const char *folder;
    int status;

    if (!lst_directory_named(usage, data, &folder)) {
        return LST_EXIT_USAGE;
    }
    if (lst_damage_is_there(folder, "ledger.mdb")) {
        return lst_directory_damaged(usage->command, folder, "ledger.mdb", LST_ERR_CORRUPT);
    }
    status = lst_ledger_open(folder, read_only, ret_ledger);
    if (status == LST_OK) {
        return LST_EXIT_OK;
    }
    if (lst_damage_is_meant(status)) {
        return lst_directory_damaged(usage->command, folder, "ledger.mdb", status);
    }
    lst_report(usage->command, "cannot open the remotes in '%s': %s", folder,
               status == LST_ERR_NOT_FOUND ? "there are none: see 'latchstring remote add'"
                                           : lst_directory_error_text(status));
    return LST_EXIT_FAILED;
}

static int report(const struct lst_usage *usage, const char *name, int code)
{
    if (code == LST_ERR_NOT_FOUND) {
        lst_report(usage->command, "there is no remote '%s'; 'latchstring remote list' shows all",
                   name);
    } else if (code == LST_ERR_EXISTS) {
        lst_report(usage->command,
                   "there is a remote '%s' already; choose another name, or give --overwrite",
                   name);
    } else {
        lst_report(usage->command, "remote '%s': %s", name, lst_error_text(code));
    }
    return LST_EXIT_FAILED;
}

/* The only operand. NULL, with *ret_status set, if the command is over. */
static const char *parse_name(const struct lst_usage *usage, int argument_count, char **arguments,
                              int *ret_status)
{
    struct lst_operands operands;

    if (!lst_options_parse(usage, argument_count, arguments, &operands, ret_status)) {
        return NULL;
    }
    if (operands.count == 1) {
        return operands.values[0];
    }
    *ret_status =
        lst_usage_error(usage, operands.count == 0 ? "which remote?" : "one remote at a time");
    return NULL;
}

/* ---- add */

struct addition {
    const char *endpoint;
    const char *region;
    const char *style;
    const char *access_key_id;
    const char *data;
    bool is_latchstring;
    bool overwrite;
};

/* From the variable, or the first line of standard input; never from the command line, which
 * others can see. */
static int read_secret(const struct lst_usage *usage, char ret_secret[LST_REMOTE_SECRET_MAX + 1])
{
    const char *variable = getenv(SECRET_VARIABLE);
    struct lst_buffer input;
    struct lst_slice line;
    int status = LST_EXIT_OK;

    lst_buffer_init(&input, 64 * 1024);
    if (variable != NULL) {
        line = lst_slice_of(variable);
    } else if (lst_directory_read_input(&input) == LST_OK) {
        line = lst_slice_first(lst_buffer_slice(&input),
                               lst_slice_find(lst_buffer_slice(&input), '\n'));
    } else {
        line = LST_SLICE("");
    }
    line = lst_slice_trim(line);
    if (line.length == 0 || line.length > LST_REMOTE_SECRET_MAX) {
        lst_report(usage->command, "the secret access key is wanted in $" SECRET_VARIABLE
                                   ", or as a line of standard input");
        status = LST_EXIT_FAILED;
    } else {
        memcpy(ret_secret, line.bytes, line.length);
        ret_secret[line.length] = '\0';
    }
    if (input.bytes != NULL) {
        lst_wipe(input.bytes, input.capacity);
    }
    lst_buffer_release(&input);
    return status;
}

static int make_remote(const struct lst_usage *usage, const char *name,
                       const struct addition *addition, struct lst_remote *ret_remote)
{
    char secret[LST_REMOTE_SECRET_MAX + 1];
    char problem[LST_PROBLEM_MAX] = "out of memory, or a text that is not UTF-8";
    json_t *json;
    int status = read_secret(usage, secret);

    if (status != LST_EXIT_OK) {
        return status;
    }
    json = json_pack("{s:s, s:s, s:s, s:s*, s:s*, s:s*, s:s*, s:b}", "name", name, "endpoint",
                     addition->endpoint, "secret", secret, "region", addition->region, "style",
                     addition->style, "access_key_id", addition->access_key_id, "session_token",
                     getenv(TOKEN_VARIABLE), "is_latchstring", addition->is_latchstring ? 1 : 0);
    lst_wipe(secret, sizeof(secret));
    if (json == NULL || lst_remote_from_json(json, problem, ret_remote) != LST_OK) {
        json_decref(json);
        return lst_usage_error(usage, "%s", problem);
    }
    json_decref(json);
    return LST_EXIT_OK;
}

static int command_add(int argument_count, char **arguments)
{
    struct addition addition = {0};
    const struct lst_option options[] = {
        {"endpoint-url", "URL", "its URL, such as https://s3.eu-west-1.amazonaws.com",
         .text = &addition.endpoint},
        {"region", "REGION", "default: us-east-1", .text = &addition.region},
        {"style", "STYLE", "path, or virtual for BUCKET.host; default: path",
         .text = &addition.style},
        {"access-key-id", "ID",
         "access key ID to sign with; the secret is read from $" SECRET_VARIABLE
         ", or from standard input",
         .text = &addition.access_key_id},
        {"latchstring", NULL,
         "the remote is a Latchstring server, which enforces the x-latch- limits",
         .flag = &addition.is_latchstring},
        {"overwrite", NULL, "replace an existing remote of this name", .flag = &addition.overwrite},
        {"data", "DIR", LST_DATA_HELP, .text = &addition.data},
    };
    const struct lst_usage usage = {
        .command = "remote add",
        .synopsis = "--endpoint-url URL --access-key-id ID [OPTION]... NAME",
        .summary =
            "Add a remote, an S3 store that profiles and links can use. Nothing is sent to it now.",
        LST_OPTIONS(options)};
    struct lst_remote remote;
    struct lst_ledger *ledger = NULL;
    int status;
    const char *name = parse_name(&usage, argument_count, arguments, &status);

    if (name == NULL) {
        return status;
    }
    if (addition.endpoint == NULL || addition.access_key_id == NULL) {
        return lst_usage_error(&usage, "--endpoint-url and --access-key-id are needed");
    }
    if (!lst_profile_name_is_valid(lst_slice_of(name))) { /* before a secret is asked for */
        return lst_usage_error(&usage,
                               "'%s' can't be a name: it must have 1 to %d letters, digits, '_', "
                               "'-' and '.', and not begin with a '.'",
                               name, LST_PROFILE_NAME_MAX);
    }
    status = make_remote(&usage, name, &addition, &remote);
    if (status != LST_EXIT_OK) {
        return status;
    }
    status = open_rows(&usage, addition.data, false, &ledger);
    if (status == LST_EXIT_OK) {
        int code = lst_remotes_add(lst_ledger_index(ledger), &remote, addition.overwrite);

        lst_ledger_close(ledger);
        if (code == LST_OK) {
            printf("Remote %s is added.\n", name);
        } else {
            status = report(&usage, name, code);
        }
    }
    lst_remote_release(&remote);
    return status;
}

/* ---- list, show, remove */

/* context: an array to append to, or NULL to print a line. */
static int list_remote(void *context, const struct lst_remote *remote)
{
    if (context != NULL) {
        return json_array_append_new(context, lst_remote_to_json(remote, false)) == 0
                   ? LST_OK
                   : LST_ERR_NO_MEMORY;
    }
    printf("%-20s %-16s %s\n", remote->name, remote->region, remote->endpoint);
    return LST_OK;
}

static int command_list(int argument_count, char **arguments)
{
    const char *data = NULL;
    bool json = false;
    const struct lst_option options[] = {
        {"data", "DIR", LST_DATA_HELP, .text = &data},
        {"json", NULL, "print JSON: an array of what 'remote show' prints", .flag = &json},
    };
    const struct lst_usage usage = {.command = "remote list",
                                    .synopsis = "[OPTION]...",
                                    .summary = "List all remotes.",
                                    LST_OPTIONS(options)};
    struct lst_operands operands;
    struct lst_ledger *ledger = NULL;
    json_t *list = NULL;
    int status;

    if (!lst_options_parse(&usage, argument_count, arguments, &operands, &status)) {
        return status;
    }
    if (operands.count > 0) {
        return lst_usage_error(&usage, "unexpected '%s'", operands.values[0]);
    }
    status = open_rows(&usage, data, true, &ledger);
    if (status != LST_EXIT_OK) {
        return status;
    }
    if (json) {
        list = json_array();
    } else {
        printf("%-20s %-16s %s\n", "NAME", "REGION", "ENDPOINT");
    }
    status = lst_remotes_list(lst_ledger_index(ledger), list_remote, list);
    lst_ledger_close(ledger);
    if (status != LST_OK) {
        json_decref(list);
        lst_report(usage.command, "%s", lst_error_text(status));
        return LST_EXIT_FAILED;
    }
    return json ? lst_directory_print(&usage, list) : LST_EXIT_OK;
}

static int command_show(int argument_count, char **arguments)
{
    const char *data = NULL;
    const struct lst_option options[] = {{"data", "DIR", LST_DATA_HELP, .text = &data}};
    const struct lst_usage usage = {.command = "remote show",
                                    .synopsis = "[OPTION]... NAME",
                                    .summary = "Show a remote, as JSON. Its secret is never shown.",
                                    LST_OPTIONS(options)};
    struct lst_remote remote;
    struct lst_ledger *ledger = NULL;
    int status;
    const char *name = parse_name(&usage, argument_count, arguments, &status);

    if (name == NULL) {
        return status;
    }
    status = open_rows(&usage, data, true, &ledger);
    if (status != LST_EXIT_OK) {
        return status;
    }
    status = lst_remotes_find(lst_ledger_index(ledger), lst_slice_of(name), &remote);
    lst_ledger_close(ledger);
    if (status != LST_OK) {
        return report(&usage, name, status);
    }
    status = lst_directory_print(&usage, lst_remote_to_json(&remote, false));
    lst_remote_release(&remote);
    return status;
}

static int command_remove(int argument_count, char **arguments)
{
    const char *data = NULL;
    const struct lst_option options[] = {{"data", "DIR", LST_DATA_HELP, .text = &data}};
    const struct lst_usage usage = {
        .command = "remote remove",
        .synopsis = "[OPTION]... NAME",
        .summary =
            "Remove a remote and its keys. Profiles that name it accept no more uploads, and its "
            "links stop working. Presigned URLs already given out work until they expire.",
        LST_OPTIONS(options)};
    struct lst_ledger *ledger = NULL;
    int status;
    const char *name = parse_name(&usage, argument_count, arguments, &status);

    if (name == NULL) {
        return status;
    }
    status = open_rows(&usage, data, false, &ledger);
    if (status != LST_EXIT_OK) {
        return status;
    }
    status = lst_remotes_remove(lst_ledger_index(ledger), lst_slice_of(name));
    lst_ledger_close(ledger);
    if (status != LST_OK) {
        return report(&usage, name, status);
    }
    printf("Remote %s is removed.\n", name);
    return LST_EXIT_OK;
}

int lst_command_remote(int argument_count, char **arguments)
{
    static const struct lst_command commands[] = {
        {"add", "add a remote, or change one", command_add},
        {"list", "list all remotes", command_list},
        {"show", "show one remote", command_show},
        {"remove", "remove a remote", command_remove},
    };
    static const struct lst_usage usage = {
        .command = "remote",
        .synopsis = "COMMAND [OPTION]...",
        .summary = "Manage remotes: S3 stores elsewhere (AWS, Ceph, another Latchstring) that the "
                   "upload API signs URLs for. Works on the data directory, whether or not the "
                   "server is running. Changes apply from the next request.",
        .examples =
            "  LATCHSTRING_REMOTE_SECRET=... latchstring remote add aws --endpoint-url "
            "https://s3.eu-west-1.amazonaws.com --region eu-west-1 --access-key-id AKIA...\n"
            "  latchstring profile add avatars --remote aws --bucket photos --key "
            "'avatars/{uuid}.{ext}'\n",
    };

    return lst_command_run(&usage, commands, sizeof(commands) / sizeof(commands[0]), argument_count,
                           arguments);
}
