/* buffer.c - a growable byte buffer with a limit. */
#include "base/buffer.h"

#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 256 };

void lst_buffer_init(struct lst_buffer *buffer, size_t limit)
{
    *buffer = (struct lst_buffer){.limit = limit};
}

void lst_buffer_release(struct lst_buffer *buffer)
{
    free(buffer->bytes);
    lst_buffer_init(buffer, buffer->limit);
}

void lst_buffer_clear(struct lst_buffer *buffer)
{
    buffer->length = 0;
    buffer->status = LST_OK;
}

char *lst_buffer_reserve(struct lst_buffer *buffer, size_t length)
{
    size_t capacity = buffer->capacity == 0 ? FIRST_CAPACITY : buffer->capacity;
    char *bytes;

    if (buffer->status != LST_OK) {
        return NULL;
    }
    if (length > buffer->limit - buffer->length) {
        buffer->status = LST_ERR_TOO_LARGE;
        return NULL;
    }
    if (buffer->bytes != NULL && length <= buffer->capacity - buffer->length) {
        return buffer->bytes + buffer->length;
    }
    while (capacity - buffer->length < length) {
        capacity = capacity > buffer->limit / 2 ? buffer->limit : capacity * 2;
    }
    bytes = realloc(buffer->bytes, capacity);
    if (bytes == NULL) {
        buffer->status = LST_ERR_NO_MEMORY;
        return NULL;
    }
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return bytes + buffer->length;
}

void lst_buffer_append(struct lst_buffer *buffer, struct lst_slice slice)
{
    char *room = slice.length == 0 ? NULL : lst_buffer_reserve(buffer, slice.length);

    if (room != NULL) {
        memcpy(room, slice.bytes, slice.length);
        buffer->length += slice.length;
    }
}

void lst_buffer_append_string(struct lst_buffer *buffer, const char *string)
{
    lst_buffer_append(buffer, lst_slice_make(string, strlen(string)));
}

void lst_buffer_append_byte(struct lst_buffer *buffer, char byte)
{
    lst_buffer_append(buffer, lst_slice_make(&byte, 1));
}

void lst_buffer_append_number(struct lst_buffer *buffer, uint64_t number)
{
    char digits[20];
    size_t first = sizeof(digits);

    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    lst_buffer_append(buffer, lst_slice_make(digits + first, sizeof(digits) - first));
}

void lst_buffer_append_format(struct lst_buffer *buffer, const char *format, ...)
{
    va_list arguments;
    char *room;
    int length;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    /* vsnprintf writes a NUL as well: reserve room for it, but do not count it. */
    room = length < 0 ? NULL : lst_buffer_reserve(buffer, (size_t)length + 1);
    if (room == NULL) {
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(room, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buffer->length += (size_t)length;
}

int lst_buffer_status(const struct lst_buffer *buffer)
{
    return buffer->status;
}
