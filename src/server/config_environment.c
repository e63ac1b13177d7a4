/* config_environment.c - settings from environment variables. */
#include "server/config.h"

#include <ctype.h>

#define PREFIX          "LATCHSTRING_"
#define SHOWN_MAX       64 /* bytes of an unknown name that are shown */
#define NAME_MAX_LENGTH 32 /* bytes of a setting's name, and of what is compared with it */
#define DISTANCE_MAX    3  /* changes after which a name is not similar any more */

/* "trusted-proxy" as "TRUSTED_PROXY". */
static struct lst_slice variable_name(const char *name, char ret_text[NAME_MAX_LENGTH])
{
    size_t length = 0;

    for (; length < NAME_MAX_LENGTH && name[length] != '\0'; length++) {
        ret_text[length] = name[length] == '-' ? '_' : (char)toupper((unsigned char)name[length]);
    }
    return lst_slice_make(ret_text, length);
}

static size_t least(size_t a, size_t b, size_t c)
{
    size_t less = a < b ? a : b;

    return less < c ? less : c;
}

/* How many bytes must be changed, put in or taken out to make one of the other (Levenshtein). */
static size_t distance(struct lst_slice one, struct lst_slice other)
{
    size_t row[NAME_MAX_LENGTH + 1];

    for (size_t j = 0; j <= other.length; j++) {
        row[j] = j;
    }
    for (size_t i = 0; i < one.length; i++) {
        size_t diagonal = row[0];

        row[0] = i + 1;
        for (size_t j = 0; j < other.length; j++) {
            size_t above = row[j + 1];
            size_t changed = diagonal + (one.bytes[i] == other.bytes[j] ? 0 : 1);

            row[j + 1] = least(above + 1, row[j] + 1, changed);
            diagonal = above;
        }
    }
    return row[other.length];
}

static bool is_similar(struct lst_slice given, struct lst_slice name)
{
    return distance(given, name) <= DISTANCE_MAX ||
           (given.length > 2 && lst_slice_find_slice(name, given) < name.length) ||
           lst_slice_find_slice(given, name) < given.length;
}

static void complain(struct lst_slice given, struct lst_buffer *message)
{
    size_t count;
    const struct lst_setting *settings = lst_settings(&count);
    const char *before = "; is it ";

    lst_buffer_append_format(message,
                             "there is no setting for the environment variable " PREFIX "%.*s",
                             (int)lst_slice_first(given, SHOWN_MAX).length, given.bytes);
    given = lst_slice_first(given, NAME_MAX_LENGTH);
    for (size_t i = 0; i < count; i++) {
        char text[NAME_MAX_LENGTH];
        struct lst_slice name = variable_name(settings[i].name, text);

        if (is_similar(given, name)) {
            lst_buffer_append_format(message, "%s" PREFIX "%.*s", before, (int)name.length,
                                     name.bytes);
            before = " or ";
        }
    }
    lst_buffer_append_format(message, "%s Unset it, or see --help for all names",
                             before[0] == ';' ? "." : "?");
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
        char text[NAME_MAX_LENGTH];

        if (lst_slice_equal(given, variable_name(settings[i].name, text))) {
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

        if (lst_slice_starts_with(name, LST_SLICE(PREFIX)) && name.length < pair.length) {
            status = set_variable(config, lst_slice_after(name, sizeof(PREFIX) - 1),
                                  pair.bytes + name.length + 1, message);
        }
    }
    return status;
}
