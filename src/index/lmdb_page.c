/* lmdb_page.c - pages of LMDB's file, looked at without LMDB. */
#include "index/lmdb_page.h"

#include <string.h>

enum {
    NODE_HEADER = 8,
    /* What LMDB keeps in memory alone, and may have written with a page. */
    FLAGS_IN_MEMORY = 0xC010,
};

struct header {
    uint64_t number;
    uint16_t unused;
    uint16_t flags;
    uint16_t lower; /* where the places of nodes end */
    uint16_t upper; /* where the nodes begin */
};

struct node_header {
    uint16_t low;
    uint16_t high;
    uint16_t flags;
    uint16_t key_length;
};

static size_t node_at(const unsigned char *bytes, size_t i)
{
    uint16_t at;

    memcpy(&at, bytes + LST_PAGE_HEADER + i * sizeof(at), sizeof(at));
    return at;
}

/* The bytes that a node takes; 0: it can't be one. */
static size_t node_size(const struct lst_page *page, size_t at)
{
    struct node_header node;
    size_t size;

    memcpy(&node, page->bytes + at, sizeof(node));
    size = NODE_HEADER + (size_t)node.key_length;
    if (!page->is_branch) {
        if ((node.flags & ~LST_NODE_BIG) != 0) {
            return 0;
        }
        size += node.flags == LST_NODE_BIG ? sizeof(uint64_t)
                                           : (size_t)node.low | (size_t)node.high << 16;
    }
    size += size & 1;
    return size <= page->size - at ? size : 0;
}

struct lst_node lst_page_node(const struct lst_page *page, size_t i)
{
    const unsigned char *start = page->bytes + node_at(page->bytes, i);
    const unsigned char *key = start + NODE_HEADER;
    struct node_header header;
    struct lst_node node = {0};
    size_t length;

    memcpy(&header, start, sizeof(header));
    node.key = lst_slice_make((const char *)key, header.key_length);
    length = (size_t)header.low | (size_t)header.high << 16;
    if (page->is_branch) {
        node.child = length | (uint64_t)header.flags << 32;
    } else if (header.flags == LST_NODE_BIG) {
        memcpy(&node.child, key + header.key_length, sizeof(node.child));
        node.data = lst_slice_make(NULL, length);
    } else {
        node.data = lst_slice_make((const char *)key + header.key_length, length);
    }
    return node;
}

bool lst_page_is_less(struct lst_slice left, struct lst_slice right, bool are_numbers)
{
    uint64_t numbers[2];

    if (!are_numbers || left.length != sizeof(uint64_t) || right.length != sizeof(uint64_t)) {
        return lst_slice_compare(left, right) < 0;
    }
    memcpy(&numbers[0], left.bytes, sizeof(uint64_t));
    memcpy(&numbers[1], right.bytes, sizeof(uint64_t));
    return numbers[0] < numbers[1];
}

bool lst_page_is_ordered(const struct lst_page *page, bool are_numbers)
{
    struct lst_slice last = {NULL, 0};

    for (size_t i = page->is_branch ? 1 : 0; i < page->count; i++) {
        struct lst_slice key = lst_page_node(page, i).key;
        if (!lst_page_is_less(last, key, are_numbers)) { /* nor is an empty one more than none */
            return false;
        }
        last = key;
    }
    return true;
}

const char *lst_page_read(const unsigned char *bytes, size_t size, uint64_t number,
                          struct lst_page *ret_page)
{
    struct lst_page page = {.bytes = bytes, .size = size};
    struct header header;
    size_t filled = 0;
    int kind;

    memcpy(&header, bytes, sizeof(header));
    kind = header.flags & ~FLAGS_IN_MEMORY;
    if (header.number != number) {
        return "another page stands in its place";
    }
    if (kind != LST_PAGE_BRANCH && kind != LST_PAGE_LEAF) {
        return "its kind is wrong";
    }
    if (header.lower < LST_PAGE_HEADER || header.lower % 2 != 0 || header.upper > size ||
        header.lower > header.upper) {
        return "its header makes no sense";
    }
    page.is_branch = kind == LST_PAGE_BRANCH;
    page.count = (header.lower - LST_PAGE_HEADER) / sizeof(uint16_t);
    for (size_t i = 0; i < page.count; i++) {
        size_t at = node_at(bytes, i);
        size_t length = at >= header.upper && at + NODE_HEADER <= size ? node_size(&page, at) : 0;
        if (length == 0) {
            return "a row of it makes no sense";
        }
        filled += length;
    }
    if (filled != size - header.upper) {
        return "rows of it are lost";
    }
    *ret_page = page;
    return NULL;
}

bool lst_page_begins_run(const unsigned char *bytes, uint64_t number, uint64_t count)
{
    struct {
        uint64_t number;
        uint16_t unused;
        uint16_t flags;
        uint32_t pages;
    } header;

    memcpy(&header, bytes, sizeof(header));
    return header.number == number && (header.flags & LST_PAGE_OVERFLOW) != 0 &&
           header.pages == count;
}
