/* crafted_pages.h - pages as LMDB writes them, made by hand, so that each can be wrong in one way.
 */
#ifndef LST_TESTS_CRAFTED_PAGES_H
#define LST_TESTS_CRAFTED_PAGES_H

#include "index/lmdb_page.h"

#include <stdint.h>
#include <string.h>

enum { PAGE = 4096 };

/* Places in a page's header: its number, two bytes for nothing, its kind, where the places of its
 * rows end, where its rows begin; of big data, in place of both: how many pages it has. */
enum { AT_FLAGS = 10, AT_LOWER = 12, AT_UPPER = 14, AT_PAGES = 12 };

static inline void page_set(unsigned char *page, size_t at, uint16_t value)
{
    memcpy(page + at, &value, sizeof(value));
}

static inline uint16_t page_get(const unsigned char *page, size_t at)
{
    uint16_t value;

    memcpy(&value, page + at, sizeof(value));
    return value;
}

static inline void page_begin(unsigned char *page, uint64_t number, uint16_t kind)
{
    memset(page, 0, PAGE);
    memcpy(page, &number, sizeof(number));
    page_set(page, AT_FLAGS, kind);
    page_set(page, AT_LOWER, LST_PAGE_HEADER);
    page_set(page, AT_UPPER, PAGE);
}

static inline void run_begin(unsigned char *page, uint64_t number, uint16_t kind, uint32_t pages)
{
    page_begin(page, number, kind);
    memcpy(page + AT_PAGES, &pages, sizeof(pages));
}

/* Add a node, behind those that are there: its header's three numbers, its key, its data. */
static inline void page_add(unsigned char *page, uint32_t length, uint16_t flags,
                            struct lst_slice key, struct lst_slice data)
{
    uint16_t lower = page_get(page, AT_LOWER);
    size_t size = (8 + key.length + data.length + 1) / 2 * 2;
    uint16_t upper = (uint16_t)(page_get(page, AT_UPPER) - size);

    page_set(page, AT_UPPER, upper);
    page_set(page, AT_LOWER, (uint16_t)(lower + 2));
    page_set(page, lower, upper);
    page_set(page, upper, (uint16_t)length);
    page_set(page, upper + 2U, (uint16_t)(length >> 16));
    page_set(page, upper + 4U, flags);
    page_set(page, upper + 6U, (uint16_t)key.length);
    memcpy(page + upper + 8, key.bytes, key.length);
    if (data.length > 0) {
        memcpy(page + upper + 8 + key.length, data.bytes, data.length);
    }
}

static inline void page_add_row(unsigned char *page, struct lst_slice key, struct lst_slice value)
{
    page_add(page, (uint32_t)value.length, 0, key, value);
}

/* A row whose data, of this length, begins at a page of its own. */
static inline void page_add_big(unsigned char *page, struct lst_slice key, uint32_t length,
                                uint64_t first)
{
    page_add(page, length, LST_NODE_BIG, key, lst_slice_make((const char *)&first, sizeof(first)));
}

static inline void page_add_child(unsigned char *page, struct lst_slice key, uint64_t number)
{
    page_add(page, (uint32_t)number, (uint16_t)(number >> 32), key, lst_slice_make(NULL, 0));
}

/* Where the i-th node begins. */
static inline size_t page_node_at(const unsigned char *page, size_t i)
{
    return page_get(page, LST_PAGE_HEADER + 2 * i);
}

#endif
