/*
 * budget.h - one bound for the memory that requests hold, whoever sends them.
 *
 * What a request makes the process keep in large pieces (a body that is read whole, the values
 * parsed from it, an answer that waits for a slow reader) is charged here. When the budget is
 * spent, nothing more is charged: the request is refused with 503 SlowDown, and those under way go
 * on. Small pieces (LST_BUDGET_SMALL) are free of charge, so that errors and small requests always
 * have room; the number of connections bounds them.
 *
 * All functions may be called from any thread.
 */
#ifndef LST_BASE_BUDGET_H
#define LST_BASE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

#define LST_BUDGET_SMALL   ((size_t)16 * 1024)        /* bytes: the largest piece that is free */
#define LST_BUDGET_DEFAULT ((size_t)64 * 1024 * 1024) /* bytes */

/* Set the budget, in bytes. What is charged already stays charged. */
void lst_budget_set(size_t bytes);

/* Charge. False, charging nothing, if it would go past the budget. */
bool lst_budget_take(size_t bytes);

/*
 * Give back what was charged, after the memory was freed. When a burst is over, what the allocator
 * has kept of it goes back to the system.
 */
void lst_budget_give(size_t bytes);

/* Bytes charged at the moment. */
size_t lst_budget_used(void);

/* malloc(), realloc() and free() that charge what a piece takes of the heap, however small it is,
 * for libraries that take an allocator of one's own. NULL if there is no memory or no budget. */
void *lst_budget_malloc(size_t size);
void *lst_budget_realloc(void *memory, size_t size);
void lst_budget_free(void *memory);

#endif
