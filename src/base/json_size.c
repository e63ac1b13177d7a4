/* json_size.c - how much a JSON text would become. */
#include "base/json_size.h"

enum {
    CONTAINER = 224, /* bytes of an object without members: its table is made at once */
    SEPARATOR = 80,  /* a member has two: a colon, and a comma or its object's brace */
};

/* The byte behind the string that begins at the offset. */
static size_t string_end(struct lst_slice text, size_t at)
{
    for (at++; at < text.length && text.bytes[at] != '"'; at++) {
        at += text.bytes[at] == '\\' ? 1 : 0;
    }
    return at + 1;
}

struct lst_json_size lst_json_measure(struct lst_slice text)
{
    struct lst_json_size size = {0, 0, 0};
    size_t depth = 0;

    for (size_t at = 0; at < text.length;) {
        char byte = text.bytes[at];

        if (byte == '"') {
            at = string_end(text, at);
            continue;
        }
        if (byte == '{' || byte == '[') {
            size.containers++;
            depth++;
            size.depth = depth > size.depth ? depth : size.depth;
        } else if ((byte == '}' || byte == ']') && depth > 0) {
            depth--;
        } else if (byte == ',' || byte == ':') {
            size.separators++;
        }
        at++;
    }
    return size;
}

size_t lst_json_memory(const struct lst_json_size *size, struct lst_slice text)
{
    return size->containers * CONTAINER + size->separators * SEPARATOR + text.length;
}
