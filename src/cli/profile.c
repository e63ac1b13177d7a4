/* profile.c - `latchstring profile`: profiles of uploads, in the data directory. */
#include "api/profiles.h"
#include "cli/command.h"
#include "cli/directory.h"
#include "cli/profile_internal.h"
#include "server/damage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool is_there(const char *folder, const char *file)
{
    char *path;
    bool found;

    if (asprintf(&path, "%s/%s", folder, file) < 0) {
        return false;
    }
    found = access(path, F_OK) == 0 || errno != ENOENT;
    free(path);
    return found;
}

int lst_profile_command_open(const struct lst_usage *usage, const char *data,
                             enum lst_directory_mode mode, struct lst_profile_rows *ret_rows)
{
    const char *folder;
    char problem[LST_PROBLEM_MAX];
    int status;

    if (!lst_directory_named(usage, data, &folder)) {
        return LST_EXIT_USAGE;
    }
    if (!is_there(folder, "ledger.mdb") && lst_damage_is_there(folder, "ledger.mdb")) {
        return lst_directory_damaged(usage->command, folder, "ledger.mdb", LST_ERR_CORRUPT);
    }
    if (!is_there(folder, "ledger.mdb") && !is_there(folder, "users.mdb") &&
        !lst_directory_may_make(usage, folder, mode)) {
        return LST_EXIT_FAILED;
    }
    if (mode <= LST_DIRECTORY_CHANGE && !is_there(folder, "ledger.mdb")) {
        lst_report(usage->command,
                   "there are no profiles in '%s'; add the first one with 'latchstring profile add "
                   "NAME'",
                   folder);
        return LST_EXIT_FAILED;
    }
    ret_rows->folder = folder;
    status = lst_ledger_open(folder, mode == LST_DIRECTORY_READ, &ret_rows->ledger);
    if (status == LST_OK) {
        status = lst_profiles_open(lst_ledger_index(ret_rows->ledger), NULL, problem,
                                   &ret_rows->profiles);
        if (status != LST_OK) {
            lst_ledger_close(ret_rows->ledger);
        }
    }
    if (lst_damage_is_meant(status)) {
        return lst_directory_damaged(usage->command, folder, "ledger.mdb", status);
    }
    if (status != LST_OK) {
        lst_report(usage->command, "cannot open the profiles in '%s': %s", folder,
                   lst_directory_error_text(status));
        return LST_EXIT_FAILED;
    }
    return LST_EXIT_OK;
}

void lst_profile_command_close(struct lst_profile_rows *rows)
{
    lst_profiles_close(rows->profiles);
    lst_ledger_close(rows->ledger);
}

const char *lst_profile_command_name(const struct lst_usage *usage, int argument_count,
                                     char **arguments, int *ret_status)
{
    struct lst_operands operands;

    if (!lst_options_parse(usage, argument_count, arguments, &operands, ret_status)) {
        return NULL;
    }
    if (operands.count == 1) {
        return operands.values[0];
    }
    *ret_status =
        operands.count == 0
            ? lst_usage_error(usage, "which profile?")
            : lst_usage_error(usage, "unexpected '%s': one profile at a time", operands.values[1]);
    return NULL;
}

int lst_profile_command_report(const struct lst_usage *usage, const char *name, int code)
{
    switch (code) {
    case LST_ERR_NOT_FOUND:
        lst_report(usage->command, "there is no profile '%s'; 'latchstring profile list' shows all",
                   name);
        break;
    case LST_ERR_EXISTS:
        lst_report(usage->command,
                   "there is a profile '%s' already; choose another name, or change that one with "
                   "'latchstring profile set %s'",
                   name, name);
        break;
    default:
        lst_report(usage->command, "profile '%s': %s", name, lst_error_text(code));
    }
    return LST_EXIT_FAILED;
}

/* ---- list */

/* "photos/avatars/{uuid}.{ext}", with the remote before it if there is one. */
static void print_place(const struct lst_profile *profile)
{
    printf("%s%s%s/%s", profile->remote, profile->remote[0] == '\0' ? "" : ":", profile->bucket,
           profile->key);
}

/* context: an array to append to, or NULL to print a line. */
static int list_profile(void *context, const struct lst_profile *profile, bool is_file)
{
    json_t *list = context;

    (void)is_file;
    if (list != NULL) {
        return json_array_append_new(list, lst_profile_to_json(profile, false)) == 0
                   ? LST_OK
                   : LST_ERR_NO_MEMORY;
    }
    printf("%-20s %-24s ", profile->name, profile->types[0] == '\0' ? "any" : profile->types);
    print_place(profile);
    putchar('\n');
    return LST_OK;
}

static int command_list(int argument_count, char **arguments)
{
    const char *data = NULL;
    bool json = false;
    const struct lst_option options[] = {
        {"data", "DIR", LST_DATA_HELP, .text = &data},
        {"json", NULL, "print JSON: an array of what 'profile show --json' prints", .flag = &json},
    };
    const struct lst_usage usage = {.command = "profile list",
                                    .synopsis = "[OPTION]...",
                                    .summary = "List the profiles in the data directory, without "
                                               "those that 'serve --profiles' reads from files.",
                                    LST_OPTIONS(options)};
    struct lst_profile_rows rows = {0};
    struct lst_operands operands;
    json_t *list = NULL;
    int exit_status;
    int status;

    if (!lst_options_parse(&usage, argument_count, arguments, &operands, &exit_status)) {
        return exit_status;
    }
    if (operands.count > 0) {
        return lst_usage_error(&usage, "unexpected '%s'", operands.values[0]);
    }
    exit_status = lst_profile_command_open(&usage, data, LST_DIRECTORY_READ, &rows);
    if (exit_status != LST_EXIT_OK) {
        return exit_status;
    }
    if (json) {
        list = json_array();
    } else {
        printf("%-20s %-24s %s\n", "NAME", "TYPES", "BUCKET AND KEY");
    }
    status = lst_profiles_list(rows.profiles, list_profile, list);
    lst_profile_command_close(&rows);
    if (status != LST_OK) {
        json_decref(list);
        lst_report(usage.command, "%s", lst_error_text(status));
        return LST_EXIT_FAILED;
    }
    return json ? lst_directory_print(&usage, list) : LST_EXIT_OK;
}

/* ---- show, remove */

static void print_profile(const struct lst_profile *profile)
{
    printf("Name            %s\n", profile->name);
    if (profile->remote[0] != '\0') {
        printf("Remote          %s\n", profile->remote);
    }
    printf("Bucket          %s\n", profile->bucket);
    printf("Key             %s\n", profile->key);
    printf("Types           %s\n", profile->types[0] == '\0' ? "any" : profile->types);
    printf("Size            %" PRId64 " to %" PRId64 " bytes\n", profile->min_size,
           profile->max_size);
    printf("Upload expires  after %" PRId64 " seconds\n", profile->upload_expires);
    printf("Link expires    after %" PRId64 " seconds\n", profile->link_expires);
    printf("Replace         %s\n",
           profile->replace ? "objects that are there may be replaced" : "no");
    printf("Check content   %s\n",
           profile->check_content ? "yes: it must be of the declared type" : "no");
    printf("Webhook         %s\n", profile->webhook_url[0] == '\0' ? "none" : profile->webhook_url);
    if (profile->approve_url[0] != '\0') {
        printf("Approve         %s, within %" PRId64 " seconds\n", profile->approve_url,
               profile->approve_seconds);
    }
}

static int command_show(int argument_count, char **arguments)
{
    const char *data = NULL;
    bool json = false;
    const struct lst_option options[] = {
        {"data", "DIR", LST_DATA_HELP, .text = &data},
        {"json", NULL, "print JSON that 'profile add --file' accepts", .flag = &json},
    };
    const struct lst_usage usage = {.command = "profile show",
                                    .synopsis = "[OPTION]... NAME",
                                    .summary = "Show a profile. Secrets are never shown.",
                                    LST_OPTIONS(options)};
    const struct lst_profile *profile;
    struct lst_profile_rows rows = {0};
    const char *name;
    int status;

    name = lst_profile_command_name(&usage, argument_count, arguments, &status);
    if (name == NULL) {
        return status;
    }
    status = lst_profile_command_open(&usage, data, LST_DIRECTORY_READ, &rows);
    if (status != LST_EXIT_OK) {
        return status;
    }
    status = lst_profiles_find(rows.profiles, lst_slice_of(name), &profile);
    lst_profile_command_close(&rows);
    if (status != LST_OK) {
        return lst_profile_command_report(&usage, name, status);
    }
    if (json) {
        status = lst_directory_print(&usage, lst_profile_to_json(profile, false));
    } else {
        print_profile(profile);
        status = LST_EXIT_OK;
    }
    lst_profile_unref(profile);
    return status;
}

static int command_remove(int argument_count, char **arguments)
{
    const char *data = NULL;
    bool json = false;
    const struct lst_option options[] = {
        {"data", "DIR", LST_DATA_HELP, .text = &data},
        {"json", NULL, "print JSON", .flag = &json},
    };
    const struct lst_usage usage = {
        .command = "profile remove",
        .synopsis = "[OPTION]... NAME",
        .summary = "Remove a profile. From the next request on, nobody gets an upload URL for it. "
                   "URLs already given out work until they expire, and objects stay.",
        LST_OPTIONS(options)};
    struct lst_profile_rows rows = {0};
    const char *name;
    int status;

    name = lst_profile_command_name(&usage, argument_count, arguments, &status);
    if (name == NULL) {
        return status;
    }
    status = lst_profile_command_open(&usage, data, LST_DIRECTORY_CHANGE, &rows);
    if (status != LST_EXIT_OK) {
        return status;
    }
    status = lst_profiles_remove(rows.profiles, lst_slice_of(name));
    lst_profile_command_close(&rows);
    if (status != LST_OK) {
        return lst_profile_command_report(&usage, name, status);
    }
    if (json) {
        return lst_directory_print(&usage, json_pack("{s:s, s:b}", "name", name, "removed", 1));
    }
    printf("Profile %s is removed.\n", name);
    return LST_EXIT_OK;
}

int lst_command_profile(int argument_count, char **arguments)
{
    static const struct lst_command commands[] = {
        {"add", "add a profile", lst_profile_command_add},
        {"set", "change a profile", lst_profile_command_set},
        {"list", "list all profiles", command_list},
        {"show", "show one profile", command_show},
        {"remove", "remove a profile", command_remove},
    };
    static const struct lst_usage usage = {
        .command = "profile",
        .synopsis = "COMMAND [OPTION]...",
        .summary = "Manage upload profiles, which define what clients may upload through the API, "
                   "where, and for how long. Works on the data directory, whether or not the "
                   "server is running. Changes apply from the next request.",
        .examples = "  latchstring profile add avatars --bucket photos --key "
                    "'avatars/{user}/{uuid}.{ext}' --type 'image/*' --max-size 5000000\n"
                    "  latchstring profile show avatars\n",
    };

    return lst_command_run(&usage, commands, sizeof(commands) / sizeof(commands[0]), argument_count,
                           arguments);
}
