/*
 * guard_page.h - memory that ends where a page that can't be read begins: one byte too far and the
 * test dies, with or without a sanitizer.
 */
#ifndef LST_TESTS_GUARD_PAGE_H
#define LST_TESTS_GUARD_PAGE_H

#include "latchstring.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define GUARDED_SIZE 65536

struct guard {
    char *end; /* the first byte that can't be read */
};

static inline struct guard guard_open(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *start =
        mmap(NULL, GUARDED_SIZE + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (start == MAP_FAILED || mprotect(start + GUARDED_SIZE, page, PROT_NONE) != 0) {
        abort();
    }
    return (struct guard){start + GUARDED_SIZE};
}

static inline void guard_close(struct guard guard)
{
    munmap(guard.end - GUARDED_SIZE, GUARDED_SIZE + (size_t)sysconf(_SC_PAGESIZE));
}

/* Room for that many bytes, right before the end. */
static inline char *guard_room(struct guard guard, size_t size)
{
    return guard.end - size;
}

/* A copy of the text, right before the end; it stays until the next one. */
static inline struct lst_slice guard_text(struct guard guard, struct lst_slice text)
{
    char *copy = guard_room(guard, text.length);

    memcpy(copy, text.bytes, text.length);
    return (struct lst_slice){copy, text.length};
}

#endif
