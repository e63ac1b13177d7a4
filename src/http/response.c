/* response.c - putting a response together. */
#include "http/response.h"

#include "http/media_type.h"

#include <strings.h>

void lst_http_response_init(struct lst_http_response *response)
{
    *response = (struct lst_http_response){.status = 200, .kind = LST_BODY_NONE, .file = -1};
    lst_buffer_init(&response->headers, LST_RESPONSE_HEADERS_MAX);
    lst_buffer_init_charged(&response->body, LST_RESPONSE_BODY_MAX);
}

void lst_http_response_release(struct lst_http_response *response)
{
    if (response->give_file != NULL) {
        response->give_file(response->file_owner);
    }
    if (response->stream.close != NULL) {
        response->stream.close(response->stream.context);
    }
    lst_buffer_release(&response->headers);
    lst_buffer_release(&response->body);
    lst_http_response_init(response);
}

/* Copy, with a space for each control character (RFC 9110 section 5.5), and end with NUL. */
static char *copy_clean(char *to, struct lst_slice from)
{
    for (size_t i = 0; i < from.length; i++) { /* without a branch: several bytes at once */
        unsigned char byte = (unsigned char)from.bytes[i];
        to[i] = (char)(byte < 0x20 || byte == 0x7F ? ' ' : byte);
    }
    to[from.length] = '\0';
    return to + from.length + 1;
}

static void add_clean(struct lst_http_response *response, struct lst_slice name,
                      struct lst_slice value)
{
    size_t size = name.length + 1 + value.length + 1;
    char *room = lst_buffer_reserve(&response->headers, size);

    if (room != NULL) {
        memcpy(room, name.bytes, name.length);
        room[name.length] = '\0';
        copy_clean(room + name.length + 1, value);
        response->headers.length += size;
    }
}

void lst_http_response_add_field(struct lst_http_response *response, struct lst_slice name,
                                 struct lst_slice value)
{
    if (lst_http_is_token(name)) {
        add_clean(response, name, value);
    }
}

/* The names are this program's own. */
void lst_http_response_add(struct lst_http_response *response, const char *name,
                           struct lst_slice value)
{
    add_clean(response, lst_slice_make(name, strlen(name)), value);
}

void lst_http_response_add_number(struct lst_http_response *response, const char *name,
                                  uint64_t number)
{
    char digits[20];
    size_t first = sizeof(digits);

    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    lst_http_response_add(response, name, lst_slice_make(digits + first, sizeof(digits) - first));
}

void lst_http_response_remove(struct lst_http_response *response, const char *name)
{
    struct lst_buffer *headers = &response->headers;
    const char *found;
    const char *value;
    size_t start = 0;
    size_t next = 0;

    while (lst_http_response_next(response, &next, &found, &value)) {
        if (strcasecmp(found, name) == 0) {
            memmove(headers->bytes + start, headers->bytes + next, headers->length - next);
            headers->length -= next - start;
            next = start;
        }
        start = next;
    }
}

bool lst_http_response_next(const struct lst_http_response *response, size_t *at,
                            const char **ret_name, const char **ret_value)
{
    const char *header = response->headers.bytes;

    if (*at >= response->headers.length) {
        return false;
    }
    *ret_name = header + *at;
    *ret_value = *ret_name + strlen(*ret_name) + 1;
    *at = (size_t)(*ret_value - header) + strlen(*ret_value) + 1;
    return true;
}
