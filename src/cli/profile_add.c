/* profile_add.c - `latchstring profile add`: a profile from a file, or from options. */
#include "base/file.h"
#include "cli/profile_options.h"

#include <stdlib.h>

struct addition {
    struct lst_profile_options given;
    const char *data;
    const char *file;
    bool overwrite;
    bool make;
    bool json;
    struct lst_profile_made made;
};

/* ---- From a file */

static int read_document(const struct lst_usage *usage, const char *file, json_t **ret_document)
{
    json_error_t error;
    struct lst_buffer text;
    bool is_empty;
    int status;

    lst_buffer_init(&text, LST_PROFILE_DOCUMENT_MAX);
    status = strcmp(file, "-") == 0 ? lst_directory_read_input(&text) : lst_file_read(file, &text);
    if (status == LST_OK) {
        *ret_document = json_loadb(text.length == 0 ? "" : text.bytes, text.length,
                                   JSON_REJECT_DUPLICATES, &error);
    }
    is_empty = status == LST_OK && text.length == 0;
    if (text.bytes != NULL) {
        lst_wipe(text.bytes, text.capacity);
    }
    lst_buffer_release(&text);
    if (status != LST_OK) {
        lst_report(usage->command, "cannot read '%s': %s", file, lst_error_text(status));
        return LST_EXIT_FAILED;
    }
    if (is_empty) {
        lst_report(usage->command, "'%s' is empty: a JSON object is needed", file);
        return LST_EXIT_FAILED;
    }
    if (*ret_document == NULL) {
        /* Not the parser's own text, which may quote a secret. */
        lst_report(usage->command, "'%s', line %d, column %d: %s", file, error.line, error.column,
                   json_error_code(&error) == json_error_duplicate_key
                       ? "there is a field of this name already"
                       : "it is not JSON");
        return LST_EXIT_FAILED;
    }
    return LST_EXIT_OK;
}

/* ---- All together */

/* A profile that is stored over another keeps its secrets, unless it brings others. */
static int keep_secret(const struct lst_usage *usage, json_t *receiver, const char *variable,
                       const char *old)
{
    const char *given = getenv(variable);

    if (!json_is_object(receiver) || json_object_get(receiver, "secret") != NULL ||
        (given != NULL && given[0] != '\0') || old[0] == '\0') {
        return LST_EXIT_OK;
    }
    return lst_profile_set_field(usage, receiver, "secret", json_string(old)) ? LST_EXIT_OK
                                                                              : LST_EXIT_FAILED;
}

static int keep_secrets(const struct lst_usage *usage, const struct lst_profile_rows *rows,
                        const char *name, json_t *document)
{
    const struct lst_profile *old;
    int status;

    if (lst_profiles_find(rows->profiles, lst_slice_of(name), &old) != LST_OK) {
        return LST_EXIT_OK;
    }
    status = keep_secret(usage, json_object_get(document, "webhook"), LST_PROFILE_SECRET_VARIABLE,
                         old->webhook_secret);
    if (status == LST_EXIT_OK) {
        status = keep_secret(usage, json_object_get(document, "approve"),
                             LST_PROFILE_APPROVE_VARIABLE, old->approve_secret);
    }
    lst_profile_unref(old);
    return status;
}

/* The document, whole. Takes it. */
static int add_document(const struct lst_usage *usage, struct addition *addition,
                        const struct lst_profile_rows *rows, const char *name, json_t *document)
{
    char problem[LST_PROBLEM_MAX];
    struct lst_profile profile;
    int exit_status = LST_EXIT_OK;
    int status;

    if (addition->overwrite) {
        exit_status = keep_secrets(usage, rows, name, document);
    }
    if (exit_status == LST_EXIT_OK) {
        exit_status = lst_profile_options_secrets(usage, document, &addition->made);
    }
    if (exit_status != LST_EXIT_OK) {
        json_decref(document);
        return exit_status;
    }
    status = lst_profile_from_json(document, lst_slice_of(name), problem, &profile);
    json_decref(document);
    if (status != LST_OK && addition->file == NULL) {
        return lst_usage_error(usage, "%s", problem);
    }
    if (status != LST_OK) {
        lst_report(usage->command, "'%s': %s", addition->file, problem);
        return LST_EXIT_FAILED;
    }
    exit_status = lst_profile_options_check(usage, rows, &profile);
    if (exit_status == LST_EXIT_OK) {
        status = lst_profiles_add(rows->profiles, &profile, addition->overwrite);
        exit_status = status != LST_OK
                          ? lst_profile_command_report(usage, name, status)
                          : lst_profile_options_print(usage, &profile,
                                                      addition->overwrite ? "stored" : "added",
                                                      &addition->made, addition->json);
    }
    lst_profile_release(&profile);
    return exit_status;
}

static int add_profile(const struct lst_usage *usage, struct addition *addition, const char *name)
{
    struct lst_profile_rows rows = {0};
    json_t *document = NULL;
    int status;

    if (addition->file != NULL) {
        status = read_document(usage, addition->file, &document);
    } else {
        document = json_object();
        status = lst_profile_options_apply(usage, &addition->given, document);
    }
    if (status == LST_EXIT_OK) {
        status = lst_profile_command_open(
            usage, addition->data, addition->make ? LST_DIRECTORY_MAKE : LST_DIRECTORY_ASK, &rows);
    }
    if (status != LST_EXIT_OK) {
        json_decref(document);
        return status;
    }
    status = add_document(usage, addition, &rows, name, document);
    lst_profile_command_close(&rows);
    return status;
}

static int check_addition(const struct lst_usage *usage, const struct addition *addition,
                          const char *name)
{
    if (!lst_profile_name_is_valid(lst_slice_of(name))) {
        return lst_usage_error(usage,
                               "'%s' can't be a name: it must have 1 to %d letters, digits, '_', "
                               "'-' and '.', and not begin with a '.'",
                               name, LST_PROFILE_NAME_MAX);
    }
    if (addition->file != NULL && lst_profile_options_given(&addition->given)) {
        return lst_usage_error(usage, "--file says all of it: change the file instead");
    }
    if (addition->file == NULL && (addition->given.bucket == NULL || addition->given.key == NULL)) {
        return lst_usage_error(usage, "--bucket and --key are needed, or --file");
    }
    return LST_EXIT_OK;
}

int lst_profile_command_add(int argument_count, char **arguments)
{
    struct addition addition = {0};
    const struct lst_option options[] = {
        LST_PROFILE_OPTIONS(addition.given),
        {.help = "Other"},
        {"file", "FILE",
         "read the profile as JSON from FILE instead of the options above; '-' is standard input",
         .text = &addition.file},
        {"overwrite", NULL,
         "replace an existing profile completely; its secrets stay unless you give "
         "others. Use 'profile set' to change single settings",
         .flag = &addition.overwrite},
        {"data", "DIR", LST_DATA_HELP, .text = &addition.data},
        {"make", NULL, LST_MAKE_HELP, .flag = &addition.make},
        {"json", NULL, "print JSON", .flag = &addition.json},
    };
    const struct lst_usage usage = {
        .command = "profile add",
        .synopsis = "[OPTION]... NAME",
        .summary =
            "Add an upload profile, which defines what callers of the upload API may upload when "
            "they name it. The secrets of webhook and approve are read from "
            "$" LST_PROFILE_SECRET_VARIABLE " and $" LST_PROFILE_APPROVE_VARIABLE
            "; without them, secrets are generated and shown.",
        .examples = "  latchstring profile add avatars --bucket photos --key "
                    "'avatars/{user}/{uuid}.{ext}' \\\n"
                    "      --type image/jpeg --type image/png --max-size 5000000 --check-content\n"
                    "  latchstring profile add avatars --file avatars.json --overwrite\n",
        LST_OPTIONS(options)};
    const char *name;
    int status;

    name = lst_profile_command_name(&usage, argument_count, arguments, &status);
    if (name == NULL) {
        return status;
    }
    status = check_addition(&usage, &addition, name);
    return status == LST_EXIT_OK ? add_profile(&usage, &addition, name) : status;
}
