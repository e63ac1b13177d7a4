/* config_names.c - the names of settings, and which of them somebody may have meant. */
#include "server/config_names.h"

#include <ctype.h>

#define DISTANCE_MAX 3 /* changes after which a name is not similar any more */

struct lst_slice lst_config_variable(struct lst_slice name, char ret_text[LST_CONFIG_NAME_MAX])
{
    name = lst_slice_first(name, LST_CONFIG_NAME_MAX);
    for (size_t i = 0; i < name.length; i++) {
        char byte = name.bytes[i];

        ret_text[i] = byte == '-' ? '_' : (char)toupper((unsigned char)byte);
    }
    return lst_slice_make(ret_text, name.length);
}

static size_t least(size_t a, size_t b, size_t c)
{
    size_t less = a < b ? a : b;

    return less < c ? less : c;
}

/* How many bytes must be changed, put in or taken out to make one of the other (Levenshtein). */
static size_t distance(struct lst_slice one, struct lst_slice other)
{
    size_t row[LST_CONFIG_NAME_MAX + 1];

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

void lst_config_append_similar(struct lst_slice given, bool is_variable, struct lst_buffer *message)
{
    size_t count;
    const struct lst_setting *settings = lst_settings(&count);
    const char *before = "; is it ";
    char given_text[LST_CONFIG_NAME_MAX];

    given = lst_config_variable(given, given_text);
    for (size_t i = 0; i < count; i++) {
        char text[LST_CONFIG_NAME_MAX];
        struct lst_slice name = lst_config_variable(lst_slice_of(settings[i].name), text);

        if (!is_similar(given, name)) {
            continue;
        }
        if (is_variable) {
            lst_buffer_append_format(message, "%s%s%.*s", before, LST_CONFIG_PREFIX,
                                     (int)name.length, name.bytes);
        } else {
            lst_buffer_append_format(message, "%s%s", before, settings[i].name);
        }
        before = " or ";
    }
    lst_buffer_append_string(message, before[0] == ';' ? "." : "?");
}
