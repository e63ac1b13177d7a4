/*
 * lmdb_path.c - before a change: whether the pages that it goes through make sense.
 *
 * LMDB believes what a page says of itself. A wrong offset in one makes it write outside of the
 * memory that it took, so a change does not go near such a page. What is looked at is the last
 * committed tree, in the map: pages of the change itself are LMDB's own, in memory.
 */
#include "index/engine.h"
#include "index/lmdb_page.h"

enum {
    DEPTH_MAX = 32,
    /* Pages of the tree of free pages that are looked at: those that LMDB begins with. */
    FREE_PAGES_MAX = 64,
    /* Of a longer list of free pages only the length is looked at. */
    FREE_LIST_MAX = 512,
};

static const unsigned char *page_at(const struct lst_index *index, uint64_t number)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): guard.c found the address */
    return (const unsigned char *)index->map_start + number * index->page_size;
}

/* The header that was committed last. */
static struct lst_meta read_meta(const struct lst_index *index)
{
    struct lst_meta metas[2];

    for (unsigned i = 0; i < 2; i++) {
        memcpy(&metas[i], page_at(index, i) + LST_PAGE_HEADER, sizeof(metas[i]));
    }
    return metas[metas[1].transaction > metas[0].transaction];
}

static bool read_page(const struct lst_index *index, struct lst_path_check *check, uint64_t number,
                      struct lst_page *ret_page)
{
    return number >= 2 && number <= check->last_page &&
           number < (index->map_end - index->map_start) / index->page_size &&
           lst_page_read(page_at(index, number), index->page_size, number, ret_page) == NULL;
}

/* A page beside the path, which a deletion may merge with one of it. */
static bool is_whole(const struct lst_index *index, struct lst_path_check *check, uint64_t number)
{
    uint64_t *known = &check->known[number % LST_PATH_KNOWN];
    struct lst_page page;

    if (*known != number) {
        if (!read_page(index, check, number, &page)) {
            return false;
        }
        *known = number;
    }
    return true;
}

/* The last node of a branch whose key is not greater; the first one's key is none. */
static size_t find_child(const struct lst_page *page, struct lst_slice key)
{
    size_t low = 0;
    size_t high = page->count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (lst_slice_compare(lst_page_node(page, middle).key, key) <= 0) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* If the row is there and its data stands in pages of its own: whether they say how many they are.
 */
static bool is_big_whole(const struct lst_index *index, const struct lst_path_check *check,
                         const struct lst_page *page, struct lst_slice key)
{
    struct lst_node node = lst_page_node(page, find_child(page, key));
    uint64_t count = lst_page_count(index->page_size, node.data.length);

    if (node.child == 0 || !lst_slice_equal(node.key, key)) {
        return true;
    }
    if (node.child < 2 || node.child > check->last_page ||
        count > check->last_page - node.child + 1) {
        return false;
    }
    return lst_page_begins_run(page_at(index, node.child), node.child, count);
}

bool lst_path_is_whole(struct lst_index *index, MDB_val row_key)
{
    struct lst_path_check *check = &index->path_check;
    struct lst_slice key = lst_slice_make(row_key.mv_data, row_key.mv_size);
    uint64_t number = check->root;

    if (index->map_start == 0 || number == LST_PAGE_NONE) {
        return true;
    }
    for (int depth = 0; depth < DEPTH_MAX; depth++) {
        struct lst_page page;
        size_t i;
        if (!read_page(index, check, number, &page)) {
            return false;
        }
        if (!page.is_branch) {
            return page.count == 0 || is_big_whole(index, check, &page, key);
        }
        if (page.count < 2) {
            return false; /* LMDB ends the process */
        }
        i = find_child(&page, key);
        if ((i > 0 && !is_whole(index, check, lst_page_node(&page, i - 1).child)) ||
            (i + 1 < page.count && !is_whole(index, check, lst_page_node(&page, i + 1).child))) {
            return false;
        }
        number = lst_page_node(&page, i).child;
    }
    return false;
}

/* ---- Free pages */

/* Numbers, the largest first, behind their count. */
static bool is_list(const struct lst_path_check *check, const char *bytes, size_t length)
{
    uint64_t count;
    uint64_t last = check->last_page + 1;

    if (length < sizeof(count)) {
        return false;
    }
    memcpy(&count, bytes, sizeof(count));
    if (count > length / sizeof(count) - 1) {
        return false;
    }
    for (uint64_t i = 1; i <= count && count <= FREE_LIST_MAX; i++) {
        uint64_t number;
        memcpy(&number, bytes + i * sizeof(number), sizeof(number));
        if (number < 2 || number >= last) {
            return false;
        }
        last = number;
    }
    return true;
}

static bool is_free_node(const struct lst_index *index, const struct lst_path_check *check,
                         const struct lst_node *node)
{
    uint64_t pages = lst_page_count(index->page_size, node->data.length);

    if (node->key.length != sizeof(uint64_t)) {
        return false;
    }
    if (node->child == 0) {
        return is_list(check, node->data.bytes, node->data.length);
    }
    /* LMDB gives as many pages back as stands in the first one. */
    return node->child >= 2 && node->child <= check->last_page &&
           pages <= check->last_page - node->child + 1 &&
           lst_page_begins_run(page_at(index, node->child), node->child, pages) &&
           is_list(check, (const char *)page_at(index, node->child) + LST_PAGE_HEADER,
                   node->data.length);
}

static bool is_free_tree(const struct lst_index *index, struct lst_path_check *check,
                         uint64_t number, int depth, size_t *left)
{
    struct lst_page page;

    if (*left == 0) {
        return true;
    }
    (*left)--;
    if (depth == DEPTH_MAX || !read_page(index, check, number, &page)) {
        return false;
    }
    for (size_t i = 0; i < page.count; i++) {
        struct lst_node node = lst_page_node(&page, i);
        if (page.is_branch ? !is_free_tree(index, check, node.child, depth + 1, left)
                           : !is_free_node(index, check, &node)) {
            return false;
        }
    }
    return true;
}

bool lst_path_begin(struct lst_index *index)
{
    struct lst_path_check *check = &index->path_check;
    size_t left = FREE_PAGES_MAX;
    struct lst_meta meta;

    memset(check, 0, sizeof(*check));
    check->root = LST_PAGE_NONE;
    if (index->map_start == 0 || sizeof(void *) != sizeof(uint64_t)) {
        return true;
    }
    meta = read_meta(index);
    check->root = meta.trees[1].root;
    check->last_page = meta.last_page;
    return meta.trees[0].root == LST_PAGE_NONE ||
           is_free_tree(index, check, meta.trees[0].root, 0, &left);
}
