/* profile_options.c - what `profile add` and `profile set` have in common. */
#include "cli/profile_options.h"

#include "api/remote.h"
#include "base/random.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>

enum { SECRET_LENGTH = 43 }; /* letters and digits: 256 bits */

bool lst_profile_options_given(const struct lst_profile_options *given)
{
    return given->bucket != NULL || given->key != NULL || given->types.count > 0 ||
           given->min_size != NULL || given->max_size != NULL || given->upload_expires != NULL ||
           given->link_expires != NULL || given->remote != NULL || given->webhook != NULL ||
           given->approve != NULL || given->approve_timeout != NULL || given->replace ||
           given->check_content;
}

bool lst_profile_set_field(const struct lst_usage *usage, json_t *document, const char *name,
                           json_t *value)
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
    return lst_profile_set_field(usage, document, name, json_string(value));
}

/* How an option's text is read as a number. */
typedef bool (*lst_quantity_reader)(const struct lst_usage *usage, const char *name,
                                    const char *text, uint64_t minimum, uint64_t maximum,
                                    uint64_t *ret_number);

static bool set_quantity(const struct lst_usage *usage, json_t *document, const char *field,
                         const char *option, const char *value, uint64_t minimum, uint64_t maximum,
                         lst_quantity_reader read)
{
    uint64_t number;

    if (value == NULL) {
        return true;
    }
    if (!read(usage, option, value, minimum, maximum, &number)) {
        return false;
    }
    return lst_profile_set_field(usage, document, field, json_integer((json_int_t)number));
}

static bool set_types(const struct lst_usage *usage, json_t *document,
                      const struct lst_option_list *types)
{
    json_t *list;

    if (types->count == 0) {
        return true;
    }
    list = json_array();
    for (size_t i = 0; i < types->count; i++) {
        if (!lst_slice_is_utf8(lst_slice_of(types->values[i]))) {
            lst_usage_error(usage, "--type: it is not UTF-8");
            json_decref(list);
            return false;
        }
        if (json_array_append_new(list, json_string(types->values[i])) != 0) {
            json_decref(list);
            return lst_profile_set_field(usage, document, "types", NULL); /* reports */
        }
    }
    return lst_profile_set_field(usage, document, "types", list);
}

/* The address alone changes: the secret that the receiver knows stays. */
static bool set_receiver(const struct lst_usage *usage, json_t *document, const char *name,
                         const char *url)
{
    if (url == NULL) {
        return true;
    }
    if (!lst_slice_is_utf8(lst_slice_of(url))) {
        lst_usage_error(usage, "--%s: it is not UTF-8", name);
        return false;
    }
    if (!json_is_object(json_object_get(document, name)) &&
        !lst_profile_set_field(usage, document, name, json_object())) {
        return false;
    }
    return set_text(usage, json_object_get(document, name), "url", url);
}

static bool set_timeout(const struct lst_usage *usage, json_t *document, const char *value)
{
    json_t *approve = json_object_get(document, "approve");

    if (value != NULL && !json_is_object(approve)) {
        lst_usage_error(usage, "--approve-timeout: the profile asks nobody; add --approve");
        return false;
    }
    return set_quantity(usage, approve, "seconds", "approve-timeout", value, 1,
                        LST_PROFILE_APPROVE_MAX, lst_option_duration);
}

static bool set_flag(const struct lst_usage *usage, json_t *document, const char *name, bool is_on)
{
    return !is_on || lst_profile_set_field(usage, document, name, json_true());
}

int lst_profile_options_apply(const struct lst_usage *usage,
                              const struct lst_profile_options *given, json_t *document)
{
    bool ok =
        set_text(usage, document, "remote", given->remote) &&
        set_text(usage, document, "bucket", given->bucket) &&
        set_text(usage, document, "key", given->key) && set_types(usage, document, &given->types) &&
        set_quantity(usage, document, "min_size", "min-size", given->min_size, 0,
                     LST_PROFILE_SIZE_MAX, lst_option_size) &&
        set_quantity(usage, document, "max_size", "max-size", given->max_size, 0,
                     LST_PROFILE_SIZE_MAX, lst_option_size) &&
        set_quantity(usage, document, "upload_expires", "upload-expires", given->upload_expires, 1,
                     LST_PROFILE_EXPIRES_MAX, lst_option_duration) &&
        set_quantity(usage, document, "link_expires", "link-expires", given->link_expires, 1,
                     LST_PROFILE_EXPIRES_MAX, lst_option_duration) &&
        set_receiver(usage, document, "webhook", given->webhook) &&
        set_receiver(usage, document, "approve", given->approve) &&
        set_timeout(usage, document, given->approve_timeout) &&
        set_flag(usage, document, "replace", given->replace) &&
        set_flag(usage, document, "check_content", given->check_content);

    return ok ? LST_EXIT_OK : LST_EXIT_USAGE;
}

/* The same of one of them, whose secret the environment may have in this variable. */
static int set_secret(const struct lst_usage *usage, json_t *receiver, const char *variable,
                      bool *ret_is_made)
{
    static const struct lst_slice alphabet = {
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 62};
    const char *given = getenv(variable);
    char made[SECRET_LENGTH + 1];
    bool is_set;

    *ret_is_made = false;
    if (!json_is_object(receiver) || json_object_get(receiver, "secret") != NULL) {
        return LST_EXIT_OK;
    }
    if (given != NULL && !lst_slice_is_utf8(lst_slice_of(given))) {
        lst_report(usage->command, "%s: it is not UTF-8", variable);
        return LST_EXIT_FAILED;
    }
    if (given == NULL || given[0] == '\0') {
        lst_random_text(alphabet, made, SECRET_LENGTH);
        made[SECRET_LENGTH] = '\0';
        given = made;
        *ret_is_made = true;
    }
    is_set = lst_profile_set_field(usage, receiver, "secret", json_string(given));
    lst_wipe(made, sizeof(made));
    return is_set ? LST_EXIT_OK : LST_EXIT_FAILED;
}

int lst_profile_options_secrets(const struct lst_usage *usage, json_t *document,
                                struct lst_profile_made *ret_made)
{
    int status = set_secret(usage, json_object_get(document, "webhook"),
                            LST_PROFILE_SECRET_VARIABLE, &ret_made->webhook);

    return status == LST_EXIT_OK ? set_secret(usage, json_object_get(document, "approve"),
                                              LST_PROFILE_APPROVE_VARIABLE, &ret_made->approve)
                                 : status;
}

/* Without the secrets, but for those that were made here. */
static int print_json(const struct lst_usage *usage, const struct lst_profile *profile,
                      const struct lst_profile_made *made)
{
    json_t *json = lst_profile_to_json(profile, true);

    if (!made->webhook) {
        (void)json_object_del(json_object_get(json, "webhook"), "secret");
    }
    if (!made->approve) {
        (void)json_object_del(json_object_get(json, "approve"), "secret");
    }
    return lst_directory_print(usage, json);
}

int lst_profile_options_print(const struct lst_usage *usage, const struct lst_profile *profile,
                              const char *what, const struct lst_profile_made *made, bool json)
{
    if (json) {
        return print_json(usage, profile, made);
    }
    printf("Profile %s is %s.\n", profile->name, what);
    if (made->webhook) {
        printf("  Webhook secret  %s\n", profile->webhook_secret);
    }
    if (made->approve) {
        printf("  Approve secret  %s\n", profile->approve_secret);
    }
    if (made->webhook || made->approve) {
        printf("%s shown now and never again.\n",
               made->webhook && made->approve ? "The secrets are" : "The secret is");
    }
    return LST_EXIT_OK;
}

int lst_profile_options_check(const struct lst_usage *usage, const struct lst_profile_rows *rows,
                              const struct lst_profile *profile)
{
    struct lst_remote remote;
    int status;

    if (profile->remote[0] == '\0') {
        lst_directory_warn_of_bucket(usage, rows->folder, profile->bucket,
                                     "uploads are refused until it is made");
        return LST_EXIT_OK;
    }
    status =
        lst_remotes_find(lst_ledger_index(rows->ledger), lst_slice_of(profile->remote), &remote);
    if (status == LST_OK) {
        lst_remote_release(&remote);
        return LST_EXIT_OK;
    }
    if (status == LST_ERR_NOT_FOUND) {
        lst_report(usage->command,
                   "there is no remote '%s'; add it first with 'latchstring remote add %s'",
                   profile->remote, profile->remote);
    } else {
        lst_report(usage->command, "remote '%s': %s", profile->remote, lst_error_text(status));
    }
    return LST_EXIT_FAILED;
}
