/* aws_lines.c - lines of an AWS configuration file, handed to inih. */
#include "cli/aws_lines.h"

#include "base/error.h"
#include "base/file.h"
#include "server/settings_file.h"

enum {
    FILE_MAX = 1024 * 1024,
    SECTION_MAX = 49, /* inih keeps no more of a section's name */
    NAME_CAPACITY = 64,
};

struct reader {
    size_t name_indent; /* of the last line that began with a name */
    bool has_name;      /* there was one in this section */
    bool continues;     /* this line is indented deeper than it */
    bool nested;        /* its own value was empty, so the deeper lines are settings */
    lst_aws_setting *take;
    void *user;
};

static size_t indent_of(struct lst_slice line)
{
    size_t indent = 0;

    while (indent < line.length && (line.bytes[indent] == ' ' || line.bytes[indent] == '\t')) {
        indent++;
    }
    return indent;
}

/* Give the line as inih will read it rightly: without an indent unless it goes on with the last
 * name. */
static struct lst_slice even_indent(void *user, struct lst_slice line)
{
    struct reader *reader = user;
    size_t indent = indent_of(line);
    char first = indent < line.length ? line.bytes[indent] : '\r';

    if (first == '#' || first == ';' || first == '\r') {
        return line;
    }
    reader->continues = reader->has_name && indent > reader->name_indent;
    if (reader->continues) {
        return line;
    }
    reader->name_indent = indent;
    reader->has_name = first != '[';
    line = lst_slice_after(line, indent);
    if (first == '[' && lst_slice_find(line, ']') > SECTION_MAX + 1) {
        return LST_SLICE("[-]"); /* too long for inih: now a section that nobody asks for */
    }
    return line;
}

/* "name = value" as inih hands over a line that continues. */
static bool take_nested(struct reader *reader, const char *section, const char *outer,
                        const char *text)
{
    struct lst_slice value = lst_slice_of(text);
    struct lst_slice part;
    char name[NAME_CAPACITY];

    if (lst_slice_find(value, '=') == value.length) {
        return false;
    }
    (void)lst_slice_split(&value, '=', &part);
    part = lst_slice_first(lst_slice_trim(part), sizeof(name) - 1);
    memcpy(name, part.bytes, part.length);
    name[part.length] = '\0';
    reader->take(reader->user, section, outer, name, lst_slice_trim(value).bytes);
    return true;
}

static bool take_line(void *user, const char *section, const char *name, const char *value)
{
    struct reader *reader = user;

    if (reader->continues) {
        return reader->nested ? take_nested(reader, section, name, value) : true;
    }
    reader->nested = value[0] == '\0';
    reader->take(reader->user, section, NULL, name, value);
    return true;
}

int lst_aws_lines_parse(const char *path, lst_aws_setting *take, void *user, int *ret_line)
{
    struct lst_buffer content;
    struct reader reader = {.take = take, .user = user};
    int status;

    lst_buffer_init(&content, FILE_MAX);
    status = lst_file_read(path, &content);
    if (status == LST_OK) {
        status = lst_settings_read(lst_buffer_slice(&content), even_indent, take_line, &reader,
                                   ret_line);
        lst_wipe(content.bytes, content.length);
    }
    lst_buffer_release(&content);
    return status;
}
