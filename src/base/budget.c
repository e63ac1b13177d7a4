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

/* After a burst the allocator is asked twice: when it is over, and when nothing is left of it. The
 * last of a million small pieces may each keep a page until then. */
static atomic_int trims_due;

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
        atomic_store(&trims_due, 2);
    }
    return true;
}

void lst_budget_give(size_t bytes)
{
    size_t left = atomic_fetch_sub(&used, bytes) - bytes;
    int due = atomic_load_explicit(&trims_due, memory_order_relaxed);

    if (due != 0 && (due == 2 ? left < CALM : left == 0) &&
        atomic_compare_exchange_strong(&trims_due, &due, due - 1)) {
        (void)malloc_trim(0);
    }
}

size_t lst_budget_used(void)
{
    return atomic_load(&used);
}

/* ---- Memory with its size in front */

/* Sixteen bytes, so that what follows is aligned for everything. */
union head {
    size_t size;
    _Alignas(max_align_t) char alignment[1];
};

/* What a piece takes of the heap: with its head, the allocator's own word, and rounded as the
 * allocator rounds. A library that keeps a million names of ten bytes each holds several times as
 * much as it asked for. */
static size_t cost_of(size_t size)
{
    const size_t unit = 16;

    return (sizeof(union head) + size + sizeof(size_t) + unit - 1) / unit * unit;
}

void *lst_budget_malloc(size_t size)
{
    return lst_budget_realloc(NULL, size);
}

void *lst_budget_realloc(void *memory, size_t size)
{
    union head *head = memory == NULL ? NULL : (union head *)memory - 1;
    size_t before = head == NULL ? 0 : cost_of(head->size);
    union head *made;
    size_t cost;

    if (size > SIZE_MAX / 2) {
        return NULL;
    }
    cost = cost_of(size);
    if (cost > before && !lst_budget_take(cost - before)) {
        return NULL;
    }
    made = realloc(head, sizeof(*head) + size);
    if (made == NULL) {
        lst_budget_give(cost > before ? cost - before : 0);
        return NULL;
    }
    made->size = size;
    if (cost < before) {
        lst_budget_give(before - cost);
    }
    return made + 1;
}

void lst_budget_free(void *memory)
{
    union head *head;
    size_t size;

    if (memory != NULL) {
        head = (union head *)memory - 1;
        size = cost_of(head->size);
        free(head);
        lst_budget_give(size);
    }
}
