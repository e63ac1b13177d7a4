/* buffer.c - a growable byte buffer with a limit. */
#include "base/buffer.h"

#include "base/budget.h"
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 256 };

void lst_buffer_init(struct lst_buffer *buffer, size_t limit)
{
    *buffer = (struct lst_buffer){.limit = limit};
}

void lst_buffer_init_charged(struct lst_buffer *buffer, size_t limit)
{
    *buffer = (struct lst_buffer){.limit = limit, .is_charged = true};
}

static size_t charge_for(const struct lst_buffer *buffer, size_t capacity)
{
    return buffer->is_charged && capacity > LST_BUDGET_SMALL ? capacity : 0;
}

size_t lst_buffer_charge(const struct lst_buffer *buffer)
{
    return charge_for(buffer, buffer->capacity);
}

void lst_buffer_release(struct lst_buffer *buffer)
{
    size_t charged = lst_buffer_charge(buffer);

    free(buffer->bytes);
    *buffer = (struct lst_buffer){.limit = buffer->limit, .is_charged = buffer->is_charged};
    if (charged > 0) {
        lst_budget_give(charged);
    }
}

void lst_buffer_clear(struct lst_buffer *buffer)
{
    buffer->length = 0;
    buffer->status = LST_OK;
}

static bool grow(struct lst_buffer *buffer, size_t capacity)
{
    size_t more = charge_for(buffer, capacity) - lst_buffer_charge(buffer);
    char *bytes = NULL;

    if (more == 0 || lst_budget_take(more)) {
        bytes = realloc(buffer->bytes, capacity);
        if (bytes == NULL && more > 0) {
            lst_budget_give(more);
        }
    }
    if (bytes == NULL) {
        buffer->status = LST_ERR_NO_MEMORY;
        return false;
    }
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return true;
}

char *lst_buffer_reserve(struct lst_buffer *buffer, size_t length)
{
    size_t capacity = buffer->capacity == 0 ? FIRST_CAPACITY : buffer->capacity;

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
    return grow(buffer, capacity) ? buffer->bytes + buffer->length : NULL;
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
