/* config_file.c - settings from a file, in inih's dialect. */
#include "server/config.h"

#include "base/file.h"

#include <ini.h>

struct reading {
    struct lst_config *config;
    struct lst_buffer *message;
    int status;
};

/* inih calls it for each line; 0 means that the line is wrong. */
static int take_line(void *user, const char *section, const char *name, const char *value)
{
    struct reading *reading = user;
    size_t count;
    const struct lst_setting *settings = lst_settings(&count);

    if (reading->status != LST_OK) {
        return 1; /* the first mistake is the one that is told */
    }
    for (size_t i = 0; section[0] == '\0' && i < count; i++) {
        if (strcmp(settings[i].name, name) == 0 && strcmp(name, "config") != 0) {
            reading->status = lst_config_set(reading->config, &settings[i], value, LST_CONFIG_FILE,
                                             reading->message);
            return reading->status == LST_OK;
        }
    }
    if (section[0] != '\0') {
        lst_buffer_append_format(reading->message, "there are no [sections] here: remove [%s]",
                                 section);
    } else {
        lst_buffer_append_format(reading->message,
                                 "there is no setting '%s'; `latchstring serve --help` lists them",
                                 name);
    }
    reading->status = LST_ERR_MALFORMED;
    return 0;
}

int lst_config_read_file(struct lst_config *config, const char *path, struct lst_buffer *message)
{
    struct lst_buffer content;
    struct reading reading = {.config = config, .message = message, .status = LST_OK};
    int status;
    int line;

    lst_buffer_init(&content, LST_CONFIG_FILE_MAX);
    status = lst_file_read(path, &content);
    if (status != LST_OK) {
        lst_buffer_append_format(message, "%s: %s", path, lst_error_text(status));
        lst_buffer_release(&content);
        return status;
    }
    lst_buffer_append_byte(&content, '\0');
    line = lst_buffer_status(&content) == LST_OK
               ? ini_parse_string(content.bytes, take_line, &reading)
               : -1;
    if (content.bytes != NULL) {
        explicit_bzero(content.bytes, content.length);
    }
    lst_buffer_release(&content);
    if (line == 0) {
        return LST_OK;
    }
    if (reading.status == LST_OK) {
        lst_buffer_append_string(message, "this is not a line of the form name = value");
    }
    lst_buffer_append_format(message, " (%s, line %d)", path, line);
    return LST_ERR_MALFORMED;
}
