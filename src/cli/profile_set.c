/* profile_set.c - `latchstring profile set`: change what is named; everything else stays. */
#include "cli/profile_options.h"

struct change {
    struct lst_profile_options given;
    const char *data;
    bool any_type;
    bool no_replace;
    bool no_check_content;
    bool no_remote;
    bool no_webhook;
    bool no_approve;
    bool new_secret;
    bool new_approve_secret;
    bool json;
    struct lst_profile_made made;
};

static int check_change(const struct lst_usage *usage, const struct change *change)
{
    const struct lst_profile_options *given = &change->given;

    if (!lst_profile_options_given(given) && !change->any_type && !change->no_replace &&
        !change->no_check_content && !change->no_remote && !change->no_webhook &&
        !change->no_approve && !change->new_secret && !change->new_approve_secret) {
        return lst_usage_error(usage, "what is to change? Name a setting");
    }
    if ((given->replace && change->no_replace) ||
        (given->check_content && change->no_check_content) ||
        (given->types.count > 0 && change->any_type) ||
        (given->remote != NULL && change->no_remote) ||
        ((given->webhook != NULL || change->new_secret) && change->no_webhook) ||
        ((given->approve != NULL || given->approve_timeout != NULL || change->new_approve_secret) &&
         change->no_approve)) {
        return lst_usage_error(usage, "two options contradict each other");
    }
    return LST_EXIT_OK;
}

/* What goes back to its default. */
static void remove_fields(const struct change *change, json_t *document)
{
    if (change->any_type) {
        (void)json_object_del(document, "types");
    }
    if (change->no_replace) {
        (void)json_object_del(document, "replace");
    }
    if (change->no_check_content) {
        (void)json_object_del(document, "check_content");
    }
    if (change->no_remote) {
        (void)json_object_del(document, "remote");
    }
    if (change->no_webhook) {
        (void)json_object_del(document, "webhook");
    }
    if (change->no_approve) {
        (void)json_object_del(document, "approve");
    }
    if (change->new_secret) {
        (void)json_object_del(json_object_get(document, "webhook"), "secret");
    }
    if (change->new_approve_secret) {
        (void)json_object_del(json_object_get(document, "approve"), "secret");
    }
}

static int edit(const struct lst_usage *usage, struct change *change, json_t *document)
{
    int status;

    remove_fields(change, document);
    status = lst_profile_options_apply(usage, &change->given, document);
    if (status == LST_EXIT_OK && change->new_secret &&
        !json_is_object(json_object_get(document, "webhook"))) {
        return lst_usage_error(usage, "--new-secret: the profile has no webhook");
    }
    if (status == LST_EXIT_OK && change->new_approve_secret &&
        !json_is_object(json_object_get(document, "approve"))) {
        return lst_usage_error(usage, "--new-approve-secret: the profile asks nobody");
    }
    return status == LST_EXIT_OK ? lst_profile_options_secrets(usage, document, &change->made)
                                 : status;
}

/* Store the changed profile over the old one. */
static int store(const struct lst_usage *usage, const struct change *change,
                 const struct lst_profile_rows *rows, const char *name, json_t *document)
{
    char problem[LST_PROBLEM_MAX];
    struct lst_profile profile;
    int exit_status;

    if (lst_profile_from_json(document, lst_slice_of(name), problem, &profile) != LST_OK) {
        return lst_usage_error(usage, "%s", problem);
    }
    exit_status = lst_profile_options_check(usage, rows, &profile);
    if (exit_status == LST_EXIT_OK) {
        int status = lst_profiles_add(rows->profiles, &profile, true);

        exit_status = status != LST_OK ? lst_profile_command_report(usage, name, status)
                                       : lst_profile_options_print(usage, &profile, "changed",
                                                                   &change->made, change->json);
    }
    lst_profile_release(&profile);
    return exit_status;
}

static int set_profile(const struct lst_usage *usage, struct change *change, const char *name)
{
    const struct lst_profile *old;
    struct lst_profile_rows rows = {0};
    json_t *document = NULL;
    int status = lst_profile_command_open(usage, change->data, LST_DIRECTORY_CHANGE, &rows);

    if (status != LST_EXIT_OK) {
        return status;
    }
    status = lst_profiles_find(rows.profiles, lst_slice_of(name), &old);
    if (status != LST_OK) {
        status = lst_profile_command_report(usage, name, status);
    } else {
        document = lst_profile_to_json(old, true);
        lst_profile_unref(old);
        status = edit(usage, change, document);
        if (status == LST_EXIT_OK) {
            status = store(usage, change, &rows, name, document);
        }
        json_decref(document);
    }
    lst_profile_command_close(&rows);
    return status;
}

int lst_profile_command_set(int argument_count, char **arguments)
{
    struct change change = {0};
    const struct lst_option options[] = {
        LST_PROFILE_OPTIONS(change.given),
        {"new-secret", NULL,
         "replace the webhook's secret by $" LST_PROFILE_SECRET_VARIABLE
         " or, without it, by a generated one, which is shown",
         .flag = &change.new_secret},
        {"new-approve-secret", NULL,
         "the same for the secret of --approve, and $" LST_PROFILE_APPROVE_VARIABLE,
         .flag = &change.new_approve_secret},
        {.help = "Back to the default"},
        {"any-type", NULL, "accept any type", .flag = &change.any_type},
        {"no-replace", NULL, "don't let uploads replace objects", .flag = &change.no_replace},
        {"no-check-content", NULL, "accept any content", .flag = &change.no_check_content},
        {"no-remote", NULL, "the bucket is on this server", .flag = &change.no_remote},
        {"no-webhook", NULL, "send no messages", .flag = &change.no_webhook},
        {"no-approve", NULL, "ask nobody", .flag = &change.no_approve},
        {.help = "Other"},
        {"data", "DIR", LST_DATA_HELP, .text = &change.data},
        {"json", NULL, "print JSON", .flag = &change.json},
    };
    const struct lst_usage usage = {
        .command = "profile set",
        .synopsis = "[OPTION]... NAME",
        .summary = "Change a profile. Settings that you don't name stay as they are, including "
                   "secrets. Changes apply from the next request; URLs already given out "
                   "keep the limits they were signed with.",
        .examples = "  latchstring profile set avatars --max-size 10MB\n"
                    "  latchstring profile set avatars --webhook https://app.example/hooks\n"
                    "  latchstring profile set avatars --new-secret\n",
        LST_OPTIONS(options)};
    const char *name;
    int status;

    name = lst_profile_command_name(&usage, argument_count, arguments, &status);
    if (name == NULL) {
        return status;
    }
    status = check_change(&usage, &change);
    return status == LST_EXIT_OK ? set_profile(&usage, &change, name) : status;
}
