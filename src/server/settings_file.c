/* settings_file.c - lines of a settings file, handed to inih. */
#include "server/settings_file.h"

#include "base/error.h"
#include "base/slice.h"

#include <ini.h>
#include <string.h>

struct reading {
    struct lst_slice rest;
    lst_settings_line *prepare;
    lst_settings_take *take;
    void *user;
};

/* fgets() over the content. */
static char *read_line(char *text, int capacity, void *stream)
{
    struct reading *reading = stream;
    struct lst_slice line;

    if (!lst_slice_split(&reading->rest, '\n', &line)) {
        return NULL;
    }
    if (reading->prepare != NULL) {
        line = reading->prepare(reading->user, line);
    }
    line = lst_slice_first(line, (size_t)capacity - 2);
    memcpy(text, line.bytes, line.length);
    memcpy(text + line.length, "\n", 2);
    return text;
}

static int take_line(void *user, const char *section, const char *name, const char *value)
{
    const struct reading *reading = user;

    return reading->take(reading->user, section, name, value) ? 1 : 0;
}

int lst_settings_read(struct lst_slice content, lst_settings_line *prepare, lst_settings_take *take,
                      void *user, int *ret_line)
{
    struct reading reading = {content, prepare, take, user};
    int line;

    ini_allow_inline_comments = false;
    ini_use_stack = false;
    ini_allow_realloc = false;
    ini_initial_alloc = LST_SETTINGS_LINE_MAX;
    line = ini_parse_stream(read_line, &reading, take_line, &reading);
    if (line > 0) {
        *ret_line = line;
        return LST_ERR_MALFORMED;
    }
    return line < 0 ? LST_ERR_NO_MEMORY : LST_OK;
}
