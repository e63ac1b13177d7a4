/* config_file.c - settings from a file, in inih's dialect. */
#include "server/config_names.h"

#include "base/file.h"
#include "server/settings_file.h"

struct reading {
    struct lst_config *config;
    struct lst_buffer *message;
    int status;
};

/* An indented line is one like the others. */
static struct lst_slice trim(void *user, struct lst_slice line)
{
    (void)user;
    return lst_slice_trim(line);
}

static bool take_line(void *user, const char *section, const char *name, const char *value)
{
    struct reading *reading = user;
    size_t count;
    const struct lst_setting *settings = lst_settings(&count);

    if (reading->status != LST_OK) {
        return true; /* the first mistake is the one that is told */
    }
    for (size_t i = 0; section[0] == '\0' && i < count; i++) {
        if (strcmp(settings[i].name, name) == 0 && strcmp(name, "config") != 0) {
            reading->status = lst_config_set(reading->config, &settings[i], value, LST_CONFIG_FILE,
                                             reading->message);
            return reading->status == LST_OK;
        }
    }
    if (section[0] != '\0') {
        lst_buffer_append_format(
            reading->message, "there are no [sections] here: remove [%s] above this line", section);
    } else {
        lst_buffer_append_format(reading->message, "there is no setting '%s'", name);
        lst_config_append_similar(lst_slice_of(name), false, reading->message);
        lst_buffer_append_string(reading->message, " `latchstring serve --help` lists them all");
    }
    reading->status = LST_ERR_MALFORMED;
    return false;
}

int lst_config_read_file(struct lst_config *config, const char *path, struct lst_buffer *message)
{
    struct lst_buffer content;
    struct reading reading = {.config = config, .message = message, .status = LST_OK};
    int status;
    int line = 0;

    lst_buffer_init(&content, LST_CONFIG_FILE_MAX);
    status = lst_file_read(path, &content);
    if (status != LST_OK) {
        lst_buffer_append_format(message, "%s: %s", path, lst_error_text(status));
        lst_buffer_release(&content);
        return status;
    }
    status = lst_settings_read(lst_buffer_slice(&content), trim, take_line, &reading, &line);
    if (content.bytes != NULL) {
        explicit_bzero(content.bytes, content.length);
    }
    lst_buffer_release(&content);
    if (status != LST_ERR_MALFORMED) {
        return status;
    }
    if (reading.status == LST_OK) {
        lst_buffer_append_string(message, "this is not a line of the form name = value");
    }
    lst_buffer_append_format(message, " (%s, line %d)", path, line);
    return LST_ERR_MALFORMED;
}
