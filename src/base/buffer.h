/*
 * buffer.h - a growable byte buffer with a limit.
 *
 * Every buffer has a maximum, set when it is made. Appending never fails on the spot: a buffer that
 * ran out of memory or would pass its limit remembers that, ignores what follows, and says so in
 * lst_buffer_status(). Check once, at the end.
 */
#ifndef LST_BASE_BUFFER_H
#define LST_BASE_BUFFER_H

#include "base/slice.h"

struct lst_buffer {
    char *bytes; /* owned; not NUL-terminated */
    size_t length;
    size_t capacity;
    size_t limit;    /* bytes */
    int status;      /* 0, or the first failure */
    bool is_charged; /* what it takes is charged to the budget of all requests */
};

/* Allocates nothing yet. */
void lst_buffer_init(struct lst_buffer *buffer, size_t limit);

/* The same for what a request makes the process hold: memory beyond LST_BUDGET_SMALL is charged to
 * the budget (budget.h), and LST_ERR_NO_MEMORY when that is spent. Who takes the bytes out of the
 * buffer and frees them elsewhere gives lst_buffer_charge() back. */
void lst_buffer_init_charged(struct lst_buffer *buffer, size_t limit);

/* Bytes that are charged for it. */
size_t lst_buffer_charge(const struct lst_buffer *buffer);

/* Free the memory; the buffer can be used again, empty, with the same limit. */
void lst_buffer_release(struct lst_buffer *buffer);

/* Forget the content and any failure, keep the memory. */
void lst_buffer_clear(struct lst_buffer *buffer);

void lst_buffer_append(struct lst_buffer *buffer, struct lst_slice slice);
void lst_buffer_append_string(struct lst_buffer *buffer, const char *string);
void lst_buffer_append_byte(struct lst_buffer *buffer, char byte);
void lst_buffer_append_number(struct lst_buffer *buffer, uint64_t number);
void lst_buffer_append_format(struct lst_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Room for length more bytes, to be filled and then counted by the caller in buffer->length; NULL
 * on failure. */
char *lst_buffer_reserve(struct lst_buffer *buffer, size_t length);

/* 0, LST_ERR_NO_MEMORY or LST_ERR_TOO_LARGE. */
LST_MUST_CHECK int lst_buffer_status(const struct lst_buffer *buffer);

/* The content; valid until the next append. */
static inline struct lst_slice lst_buffer_slice(const struct lst_buffer *buffer)
{
    return lst_slice_make(buffer->bytes, buffer->length);
}

#endif
