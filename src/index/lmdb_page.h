/*
 * lmdb_page.h - inside the engine: pages of LMDB's file as they stand on the disk, looked at
 * without LMDB, which believes what they say.
 *
 * LMDB's format, version 1, on machines of 64 bits; numbers are in the machine's own order. A page
 * has no checksum. But all its bytes belong together: the nodes fill it from its end to `upper`
 * without a gap, their places stand from its header to `lower`, and their keys ascend.
 */
#ifndef LST_INDEX_LMDB_PAGE_H
#define LST_INDEX_LMDB_PAGE_H

#include "base/slice.h"

enum {
    LST_PAGE_HEADER = 16,
    LST_PAGE_SIZE_MAX = 65536,
    LST_PAGE_BRANCH = 0x01,
    LST_PAGE_LEAF = 0x02,
    LST_PAGE_OVERFLOW = 0x04,
    LST_NODE_BIG = 0x01, /* the data stands in pages of its own */
};

#define LST_PAGE_NONE UINT64_MAX /* the root of an empty tree */

/* What the first two pages say, behind their page headers; the later one counts. */
struct lst_meta_tree {
    uint32_t page_size; /* of the first tree alone */
    uint16_t flags;
    uint16_t depth;
    uint64_t branch_pages;
    uint64_t leaf_pages;
    uint64_t overflow_pages;
    uint64_t entries;
    uint64_t root; /* or LST_PAGE_NONE */
};
struct lst_meta {
    uint32_t magic;
    uint32_t version;
    uint64_t address;
    uint64_t map_size;
    struct lst_meta_tree trees[2]; /* of free pages, of rows */
    uint64_t last_page;
    uint64_t transaction;
};

struct lst_page {
    const unsigned char *bytes;
    size_t size;
    bool is_branch;
    size_t count; /* nodes */
};

struct lst_node {
    struct lst_slice key;
    uint64_t child; /* of a branch: the number of its page; of a leaf whose data is big: of the
                     * first page of that; else 0 */
    struct lst_slice data; /* of a leaf. That is big: bytes is NULL */
};

/* NULL if all that stands in the page can be, but for the order of its keys; else what is wrong. */
const char *lst_page_read(const unsigned char *bytes, size_t size, uint64_t number,
                          struct lst_page *ret_page);

/* Whether the keys ascend, in the order of lst_slice_compare(), or, in the tree of free pages, as
 * numbers. The first of a branch is none. */
bool lst_page_is_ordered(const struct lst_page *page, bool are_numbers);

/* Whether a key is less than another. */
bool lst_page_is_less(struct lst_slice left, struct lst_slice right, bool are_numbers);

/* One of the nodes of a page that was read so. */
struct lst_node lst_page_node(const struct lst_page *page, size_t i);

/* The pages that big data of this length takes. */
static inline uint64_t lst_page_count(size_t size, size_t length)
{
    return (LST_PAGE_HEADER - 1 + length) / size + 1;
}

/* Whether a run of so many pages of big data begins here, with the page of this number. bytes:
 * LST_PAGE_HEADER at least. */
bool lst_page_begins_run(const unsigned char *bytes, uint64_t number, uint64_t count);

#endif
