/* lines.c - were the lines of a head what every other reader takes them for? */
#include "server/lines.h"

#include <string.h>

#define LINE_END 2 /* bytes: CR LF */

void lst_lines_begin(struct lst_lines *lines, const struct lst_request_line *first,
                     size_t target_length)
{
    size_t version_length = strlen(first->version);
    const char *target = first->method + strlen(first->method) + 1;

    lines->begin = first->method;
    lines->next = first->version + version_length + LINE_END;
    /* One space on either side; a target with a NUL would end before its place. */
    lines->is_odd =
        first->target != target || first->version != target + target_length + 1 ||
        (strcmp(first->version, "HTTP/1.1") != 0 && strcmp(first->version, "HTTP/1.0") != 0);
    for (size_t i = 0; i < target_length && !lines->is_odd; i++) {
        lines->is_odd = target[i] == ' ' || target[i] == '\t' || target[i] == '\r';
    }
}

void lst_lines_take(struct lst_lines *lines, struct lst_slice name, struct lst_slice value)
{
    const char *end_of_name = name.bytes + name.length; /* the colon was here */

    lines->is_odd |= name.bytes != lines->next || name.length == 0 || value.bytes <= end_of_name ||
                     memchr(value.bytes, '\r', value.length) != NULL;
    for (const char *at = end_of_name + 1; at < value.bytes && !lines->is_odd; at++) {
        lines->is_odd = *at != ' ' && *at != '\t';
    }
    lines->next = value.bytes + value.length + LINE_END;
}

bool lst_lines_end(const struct lst_lines *lines, size_t size)
{
    return !lines->is_odd && lines->next + LINE_END == lines->begin + size;
}
