/* budget.c - one bound for the memory that requests hold. */
#include "base/budget.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

enum {
    BURST = 8 * 1024 * 1024, /* bytes: the allocator is asked to give back after that much use */
    CALM = 1024 * 1024,      /* bytes: the burst is over */
};

static atomic_size_t limit = LST_BUDGET_DEFAULT;
static atomic_size_t used;
static atomic_bool had_burst;

void lst_budget_set(size_t bytes)
{
    atomic_store(&limit, bytes);
}

bool lst_budget_take(size_t bytes)
{
    size_t most = atomic_load(&limit);
    size_t before = atomic_load(&used);

    do {
        if (before > most || bytes > most - before) {
            return false;
        }
    } while (!atomic_compare_exchange_weak(&used, &before, before + bytes));
    if (before + bytes >= BURST) {
        atomic_store(&had_burst, true);
    }
    return true;
}

void lst_budget_give(size_t bytes)
{
    size_t left = atomic_fetch_sub(&used, bytes) - bytes;

    if (left < CALM && atomic_load_explicit(&had_burst, memory_order_relaxed) &&
        atomic_exchange(&had_burst, false)) {
        (void)malloc_trim(0);
    }
}

size_t lst_budget_used(void)
{
    return atomic_load(&used);
}

/* ---- Memory with its size in front */

union head {
    size_t size;
    max_align_t alignment;
};

void *lst_budget_malloc(size_t size)
{
    return lst_budget_realloc(NULL, size);
}

void *lst_budget_realloc(void *memory, size_t size)
{
    union head *head = memory == NULL ? NULL : (union head *)memory - 1;
    size_t before = head == NULL ? 0 : head->size;
    union head *made;

    if (size > SIZE_MAX - sizeof(*head) || (size > before && !lst_budget_take(size - before))) {
        return NULL;
    }
    made = realloc(head, sizeof(*head) + size);
    if (made == NULL) {
        lst_budget_give(size > before ? size - before : 0);
        return NULL;
    }
    made->size = size;
    if (size < before) {
        lst_budget_give(before - size);
    }
    return made + 1;
}

void lst_budget_free(void *memory)
{
    union head *head;
    size_t size;

    if (memory != NULL) {
        head = (union head *)memory - 1;
        size = head->size;
        free(head);
        lst_budget_give(size);
    }
}
