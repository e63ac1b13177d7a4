/* config_environment.c - settings from environment variables. */
#include "server/config_names.h"

#define SHOWN_MAX 64 /* bytes of an unknown name that are shown */

static void complain(struct lst_slice given, struct lst_buffer *message)
{
    lst_buffer_append_format(message, "there is no setting for the environment variable %s%.*s",
                             LST_CONFIG_PREFIX, (int)lst_slice_first(given, SHOWN_MAX).length,
                             given.bytes);
    lst_config_append_similar(given, true, message);
    lst_buffer_append_string(message, " Unset it, or see --help for all names");
}

/* What other commands and the examples read: nothing to complain of. */
static bool is_of_a_command(struct lst_slice given)
{
    static const char *const names[] = {"APPROVE_SECRET", "REMOTE_SECRET", "REMOTE_SESSION_TOKEN",
                                        "SHARE",          "TOKEN",         "URL",
                                        "WEBHOOK_SECRET"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (lst_slice_equal(given, lst_slice_of(names[i]))) {
            return true;
        }
    }
    return false;
}

static int set_variable(struct lst_config *config, struct lst_slice given, const char *value,
                        struct lst_buffer *message)
{
    size_t count;
    const struct lst_setting *settings = lst_settings(&count);

    for (size_t i = 0; i < count; i++) {
        char text[LST_CONFIG_NAME_MAX];

        if (lst_slice_equal(given, lst_config_variable(lst_slice_of(settings[i].name), text))) {
            return lst_config_set(config, &settings[i], value, LST_CONFIG_ENVIRONMENT, message);
        }
    }
    if (is_of_a_command(given)) {
        return LST_OK;
    }
    complain(given, message);
    return LST_ERR_MALFORMED;
}

int lst_config_read_environment(struct lst_config *config, char *const *environment,
                                struct lst_buffer *message)
{
    int status = LST_OK;

    for (; *environment != NULL && status == LST_OK; environment++) {
        struct lst_slice pair = lst_slice_of(*environment);
        struct lst_slice name = lst_slice_first(pair, lst_slice_find(pair, '='));

        if (lst_slice_starts_with(name, LST_SLICE(LST_CONFIG_PREFIX)) &&
            name.length < pair.length) {
            status = set_variable(config, lst_slice_after(name, sizeof(LST_CONFIG_PREFIX) - 1),
                                  pair.bytes + name.length + 1, message);
        }
    }
    return status;
}
