/* profile_add.c - `latchstring profile add`: a profile from a file, or from options. */
#include "base/file.h"
#include "base/random.h"
#include "cli/profile_internal.h"

#include <stdio.h>
#include <stdlib.h>

#define SECRET_VARIABLE "LATCHSTRING_WEBHOOK_SECRET"

enum { SECRET_LENGTH = 43 }; /* letters and digits: 256 bits */

struct addition {
    const char *data;
    const char *file;
    const char *bucket;
    const char *key;
    struct lst_option_list types;
    const char *min_size;
    const char *max_size;
    const char *upload_expires;
    const char *link_expires;
    const char *remote;
    const char *webhook;
    bool replace;
    bool check_content;
    bool overwrite;
    bool json;
    bool made_secret; /* not given: it is shown */
};

static bool has_profile_options(const struct addition *addition)
{
    return addition->bucket != NULL || addition->key != NULL || addition->types.count > 0 ||
           addition->min_size != NULL || addition->max_size != NULL ||
           addition->upload_expires != NULL || addition->link_expires != NULL ||
           addition->remote != NULL || addition->webhook != NULL || addition->replace ||
           addition->check_content;
}

/* ---- From a file */

static int read_document(const struct lst_usage *usage, const char *file, json_t **ret_document)
{
    json_error_t error;
    struct lst_buffer text;
    int status;

    lst_buffer_init(&text, LST_PROFILE_DOCUMENT_MAX);
    status = strcmp(file, "-") == 0 ? lst_directory_read_input(&text) : lst_file_read(file, &text);
    if (status == LST_OK) {
        *ret_document = json_loadb(text.length == 0 ? "" : text.bytes, text.length,
                                   JSON_REJECT_DUPLICATES, &error);
    }
    if (text.bytes != NULL) {
        lst_wipe(text.bytes, text.capacity);
    }
    lst_buffer_release(&text);
    if (status != LST_OK) {
        lst_report(usage->command, "cannot read '%s': %s", file, lst_error_text(status));
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

/* ---- From options */

/* Takes the value. False, reported, if there is no memory: nothing that limits may get lost. */
static bool set(const struct lst_usage *usage, json_t *document, const char *name, json_t *value)
{
    if (json_object_set_new(document, name, value) != 0) {
        lst_report(usage->command, "out of memory");
        return false;
    }
    return true;
}

/* False, with the mistake reported, if the option's value is not UTF-8. */
static bool set_text(const struct lst_usage *usage, json_t *document, const char *name,
                     const char *value)
{
    if (value == NULL) {
        return true;
    }
    if (!lst_slice_is_utf8(lst_slice_of(value))) {
        lst_usage_error(usage, "--%s: it is not UTF-8", name);
        return false;
    }
    return set(usage, document, name, json_string(value));
}

static bool set_number(const struct lst_usage *usage, json_t *document, const char *field,
                       const char *option, const char *value, uint64_t minimum, uint64_t maximum)
{
    uint64_t number;

    if (value == NULL) {
        return true;
    }
    if (!lst_option_number(usage, option, value, minimum, maximum, &number)) {
        return false;
    }
    return set(usage, document, field, json_integer((json_int_t)number));
}

static bool set_types(const struct lst_usage *usage, json_t *document,
                      const struct lst_option_list *types)
{
    json_t *list = json_array();

    for (size_t i = 0; i < types->count; i++) {
        if (!lst_slice_is_utf8(lst_slice_of(types->values[i]))) {
            lst_usage_error(usage, "--type: it is not UTF-8");
            json_decref(list);
            return false;
        }
        if (json_array_append_new(list, json_string(types->values[i])) != 0) {
            lst_report(usage->command, "out of memory");
            json_decref(list);
            return false;
        }
    }
    return set(usage, document, "types", list);
}

static bool set_webhook(const struct lst_usage *usage, json_t *document, const char *url)
{
    json_t *webhook;

    if (url == NULL) {
        return true;
    }
    webhook = json_object();
    if (!set_text(usage, webhook, "url", url)) {
        json_decref(webhook);
        return false;
    }
    return set(usage, document, "webhook", webhook);
}

/* What the options say, as a document; what is wrong with it is found when it is read as one. */
static int make_document(const struct lst_usage *usage, const struct addition *addition,
                         json_t *document)
{
    bool ok = set_text(usage, document, "remote", addition->remote) &&
              set_text(usage, document, "bucket", addition->bucket) &&
              set_text(usage, document, "key", addition->key) &&
              set_types(usage, document, &addition->types) &&
              set_number(usage, document, "min_size", "min-size", addition->min_size, 0,
                         LST_PROFILE_SIZE_MAX) &&
              set_number(usage, document, "max_size", "max-size", addition->max_size, 0,
                         LST_PROFILE_SIZE_MAX) &&
              set_number(usage, document, "upload_expires", "upload-expires",
                         addition->upload_expires, 1, LST_PROFILE_EXPIRES_MAX) &&
              set_number(usage, document, "link_expires", "link-expires", addition->link_expires, 1,
                         LST_PROFILE_EXPIRES_MAX) &&
              set_webhook(usage, document, addition->webhook) &&
              set(usage, document, "replace", json_boolean(addition->replace)) &&
              set(usage, document, "check_content", json_boolean(addition->check_content));

    return ok ? LST_EXIT_OK : LST_EXIT_USAGE;
}

/* ---- All together */

/* A webhook without a secret gets one: of the environment, or a new one. */
static int add_secret(const struct lst_usage *usage, json_t *document, struct addition *addition)
{
    static const struct lst_slice alphabet = {
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 62};
    json_t *webhook = json_object_get(document, "webhook");
    const char *given = getenv(SECRET_VARIABLE);
    char made[SECRET_LENGTH + 1];
    bool is_set;

    if (!json_is_object(webhook) || json_object_get(webhook, "secret") != NULL) {
        return LST_EXIT_OK;
    }
    if (given != NULL && !lst_slice_is_utf8(lst_slice_of(given))) {
        lst_report(usage->command, SECRET_VARIABLE ": it is not UTF-8");
        return LST_EXIT_FAILED;
    }
    if (given == NULL || given[0] == '\0') {
        lst_random_text(alphabet, made, SECRET_LENGTH);
        made[SECRET_LENGTH] = '\0';
        given = made;
        addition->made_secret = true;
    }
    is_set = set(usage, webhook, "secret", json_string(given));
    lst_wipe(made, sizeof(made));
    return is_set ? LST_EXIT_OK : LST_EXIT_FAILED;
}

static int store(const struct lst_usage *usage, const struct addition *addition,
                 const struct lst_profile *profile)
{
    struct lst_profile_rows rows = {0};
    int status = lst_profile_command_open(usage, addition->data, LST_DIRECTORY_MAKE, &rows);

    if (status != LST_EXIT_OK) {
        return status;
    }
    status = lst_profiles_add(rows.profiles, profile, addition->overwrite);
    lst_profile_command_close(&rows);
    if (status != LST_OK) {
        return lst_profile_command_report(usage, profile->name, status);
    }
    if (addition->json) {
        return lst_directory_print(usage, lst_profile_to_json(profile, addition->made_secret));
    }
    printf("Profile %s is %s.\n", profile->name, addition->overwrite ? "stored" : "added");
    if (addition->made_secret) {
        printf("  Webhook secret  %s\n"
               "The secret is shown now and never again.\n",
               profile->webhook_secret);
    }
    return LST_EXIT_OK;
}

static int add_profile(const struct lst_usage *usage, struct addition *addition, const char *name)
{
    char problem[LST_PROBLEM_MAX];
    struct lst_profile profile;
    json_t *document = NULL;
    int exit_status;
    int status;

    if (addition->file != NULL) {
        exit_status = read_document(usage, addition->file, &document);
    } else {
        document = json_object();
        exit_status = make_document(usage, addition, document);
    }
    if (exit_status == LST_EXIT_OK) {
        exit_status = add_secret(usage, document, addition);
    }
    if (exit_status != LST_EXIT_OK) {
        json_decref(document);
        return exit_status;
    }
    status = lst_profile_from_json(document, lst_slice_of(name), problem, &profile);
    json_decref(document);
    if (status != LST_OK) {
        if (addition->file == NULL) {
            return lst_usage_error(usage, "%s", problem);
        }
        lst_report(usage->command, "'%s': %s", addition->file, problem);
        return LST_EXIT_FAILED;
    }
    exit_status = store(usage, addition, &profile);
    lst_profile_release(&profile);
    return exit_status;
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
    if (addition->file != NULL && has_profile_options(addition)) {
        return lst_usage_error(usage, "--file says all of it: change the file instead");
    }
    if (addition->file == NULL && (addition->bucket == NULL || addition->key == NULL)) {
        return lst_usage_error(usage, "--bucket and --key are needed, or --file");
    }
    return LST_EXIT_OK;
}

int lst_profile_command_add(int argument_count, char **arguments)
{
    struct addition addition = {0};
    const struct lst_option options[] = {
        {.help = "Where uploads go"},
        {"bucket", "BUCKET", "bucket of the objects", .text = &addition.bucket},
        {"key", "TEMPLATE",
         "how keys are made: text with {uuid}, {ext}, {filename}, {date}, {type}, and {NAME} for "
         "what the caller gives in vars",
         .text = &addition.key},
        {"remote", "NAME", "the remote that has the bucket; default: this server",
         .text = &addition.remote},
        {"replace", NULL, "let an upload replace an object that is there",
         .flag = &addition.replace},
        {.help = "What may be uploaded"},
        {"type", "TYPE", "media type, or all of a kind: 'image/*'; may be repeated; default: any",
         .list = &addition.types},
        {"min-size", "BYTES", "default: 0", .text = &addition.min_size},
        {"max-size", "BYTES", "default: 5368709120 (5 GiB)", .text = &addition.max_size},
        {"check-content", NULL, "refuse content that is not of the type that was declared",
         .flag = &addition.check_content},
        {.help = "How long"},
        {"upload-expires", "SECONDS", "life of an upload URL, to 604800; default: 900",
         .text = &addition.upload_expires},
        {"link-expires", "SECONDS", "life of a link to the object, to 604800; default: 3600",
         .text = &addition.link_expires},
        {.help = "And then"},
        {"webhook", "URL",
         "tell this URL of every upload that completes. What is sent is signed with the secret in "
         "$" SECRET_VARIABLE "; without it one is made up and shown",
         .text = &addition.webhook},
        {.help = "This command"},
        {"file", "FILE", "all of it as JSON, instead of the options above; '-' for standard input",
         .text = &addition.file},
        {"overwrite", NULL, "put it into the place of the profile of this name",
         .flag = &addition.overwrite},
        {"data", "DIR", LST_DATA_HELP, .text = &addition.data},
        {"json", NULL, "print JSON", .flag = &addition.json},
    };
    const struct lst_usage usage = {
        .command = "profile add",
        .synopsis = "[OPTION]... NAME",
        .summary = "Add a profile: what callers of the upload API may upload when they name it.",
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
