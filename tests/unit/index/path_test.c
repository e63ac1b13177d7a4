/*
 * path_test.c - a change is refused if a page that it would go through makes no sense, and only
 * then.
 *
 * The file is a piece of memory with pages made by hand, each test with one of them wrong. Behind
 * it, as behind a file's map, nothing can be read.
 *
 *     page 2: branch of the rows     page 7: branch of the free pages
 *     page 3: leaf, a..b             page 8: leaf: 10 and 11 are free
 *     page 4: leaf, m..n             page 9: leaf: a list that begins in page 12
 *     page 5: leaf, t..u             pages 12, 13: that list
 *     page 6, 14: the value of n     pages 15 to 31: not of the index
 */
#include "crafted_pages.h"
#include "tap.h"

#include "index/engine.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { PAGES = 32, LAST = 14, OUTSIDE = 16, BIG = 5000 };

static unsigned char (*pages)[PAGE];
static struct lst_index file;

static struct lst_slice key_of(const char *text)
{
    return lst_slice_make(text, strlen(text));
}

static void make_leaf(uint64_t number, const char *first, const char *last)
{
    page_begin(pages[number], number, LST_PAGE_LEAF);
    page_add_row(pages[number], key_of(first), LST_SLICE("value"));
    page_add_row(pages[number], key_of(last), LST_SLICE("value"));
}

static void make_meta(unsigned page, uint64_t transaction, uint64_t free_root, uint64_t root)
{
    struct lst_meta meta = {.last_page = LAST, .transaction = transaction};

    meta.trees[0].root = free_root;
    meta.trees[1].root = root;
    memcpy(pages[page] + LST_PAGE_HEADER, &meta, sizeof(meta));
}

/* A list of free pages for the row of a transaction. */
static void add_list(unsigned char *page, uint64_t transaction, const uint64_t *numbers,
                     size_t count)
{
    page_add_row(page, lst_slice_make((const char *)&transaction, sizeof(transaction)),
                 lst_slice_make((const char *)numbers, count * sizeof(*numbers)));
}

static void add_big_list(unsigned char *page, uint32_t length, uint64_t first)
{
    uint64_t transaction = 6;

    page_add_big(page, lst_slice_make((const char *)&transaction, sizeof(transaction)), length,
                 first);
}

static void make_free_leaf(const uint64_t *numbers, size_t count)
{
    page_begin(pages[8], 8, LST_PAGE_LEAF);
    add_list(pages[8], 5, numbers, count);
}

static void make_big_list(uint64_t first, uint32_t run, uint32_t length)
{
    uint64_t list[] = {1, 11};

    page_begin(pages[9], 9, LST_PAGE_LEAF);
    add_big_list(pages[9], length, first);
    run_begin(pages[first], first, LST_PAGE_OVERFLOW, run);
    memcpy(pages[first] + LST_PAGE_HEADER, list, sizeof(list));
}

/* All of it as it should be. */
static void make(void)
{
    uint64_t list[] = {2, 11, 10};
    uint64_t six = 6;

    memset(pages, 0, (size_t)PAGES * PAGE);
    page_begin(pages[2], 2, LST_PAGE_BRANCH);
    page_add_child(pages[2], key_of(""), 3);
    page_add_child(pages[2], key_of("m"), 4);
    page_add_child(pages[2], key_of("t"), 5);
    make_leaf(3, "a", "b");
    page_begin(pages[4], 4, LST_PAGE_LEAF);
    page_add_row(pages[4], key_of("m"), LST_SLICE("value"));
    page_add_big(pages[4], key_of("n"), 100, 6);
    run_begin(pages[6], 6, LST_PAGE_OVERFLOW, 1);
    make_leaf(5, "t", "u");
    page_begin(pages[7], 7, LST_PAGE_BRANCH);
    page_add_child(pages[7], key_of(""), 8);
    page_add_child(pages[7], lst_slice_make((const char *)&six, sizeof(six)), 9);
    make_free_leaf(list, 3);
    make_big_list(12, 2, BIG);
    make_meta(0, 10, 7, 2);
    make_meta(1, 9, 7, 2);
    file.map_start = (uintptr_t)pages;
    file.map_end = file.map_start + (size_t)OUTSIDE * PAGE;
    file.page_size = PAGE;
    memset(&file.path_check, 0, sizeof(file.path_check));
    file.path_check.root = 2;
    file.path_check.last_page = LAST;
}

static bool may_change(const char *key)
{
    MDB_val row = {strlen(key), (void *)key};

    /* What was looked at before counts within one transaction. */
    memset(file.path_check.known, 0, sizeof(file.path_check.known));
    return lst_path_is_whole(&file, row);
}

/* In which leaves something can be changed, as in "a-t". */
static const char *changeable(void)
{
    static char seen[4];

    seen[0] = may_change("ab") ? 'a' : '-';
    seen[1] = may_change("m") ? 'm' : '-';
    seen[2] = may_change("tz") ? 't' : '-';
    return seen;
}

static void spoil(uint64_t number)
{
    page_set(pages[number], AT_FLAGS, 0);
}

static void check(const char *expected, const char *what)
{
    const char *seen = changeable();

    CHECK(strcmp(seen, expected) == 0, "%s: %s, not %s", what, expected, seen);
    make();
}

static void test_path(void)
{
    check("amt", "a whole tree");
    spoil(2);
    check("---", "the root is nonsense");
    spoil(3);
    check("--t", "a leaf is, with which that beside it could be merged");
    spoil(4);
    check("---", "the leaf in the middle");
    spoil(5);
    check("a--", "the last one");
    /* Behind the places of children, and before them, stands what is none. */
    page_set(pages[2], LST_PAGE_HEADER + 6, (uint16_t)page_node_at(pages[2], 0));
    spoil(3);
    check("--t", "the last leaf has none behind it");
    page_set(pages[2], AT_LOWER, LST_PAGE_HEADER + 2);
    page_set(pages[2], AT_UPPER, (uint16_t)page_node_at(pages[2], 0));
    check("---", "a branch of one child, at which LMDB ends the process");
    page_begin(pages[2], 2, LST_PAGE_BRANCH);
    page_add_child(pages[2], key_of(""), 2);
    page_add_child(pages[2], key_of("m"), 2);
    check("---", "a tree that leads to itself");
}

/* Leaves that are whole, and stand where none can. */
static void test_places(void)
{
    const uint64_t places[] = {1, LAST + 1, OUTSIDE + 1};

    for (size_t i = 0; i < 3; i++) {
        uint64_t place = places[i];
        page_begin(pages[2], 2, LST_PAGE_BRANCH);
        page_add_child(pages[2], key_of(""), 3);
        page_add_child(pages[2], key_of("m"), 4);
        page_add_child(pages[2], key_of("t"), place);
        make_leaf(place, "t", "u");
        file.path_check.last_page = place > OUTSIDE ? PAGES : LAST;
        check("a--", i == 0   ? "a page of the header"
                     : i == 1 ? "behind the last page"
                              : "behind the map");
    }
}

static void test_ends(void)
{
    file.path_check.root = LST_PAGE_NONE;
    check("amt", "an empty tree");
    file.map_start = 0;
    file.path_check.root = 1;
    check("amt", "no map");
    /* The very last page before what can't be read. */
    file.map_end = file.map_start + (size_t)PAGES * PAGE;
    file.path_check.root = file.path_check.last_page = PAGES - 1;
    page_begin(pages[PAGES - 1], PAGES - 1, LST_PAGE_LEAF);
    page_set(pages[PAGES - 1], LST_PAGE_HEADER, UINT16_MAX);
    check("amt", "a leaf of no rows");
}

static void set_big(uint32_t length, uint64_t first, uint32_t run)
{
    page_begin(pages[4], 4, LST_PAGE_LEAF);
    page_add_row(pages[4], key_of("m"), LST_SLICE("value"));
    page_add_big(pages[4], key_of("n"), length, first);
    run_begin(pages[first], first, LST_PAGE_OVERFLOW, run);
}

static void check_big(bool expected, const char *what)
{
    bool may = may_change("n");

    CHECK(may == expected, "%s: %d", what, may);
    CHECK(may_change("m") && may_change("nn"), "%s: its neighbours can be changed", what);
    make();
}

static void test_big(void)
{
    check_big(true, "big data");
    spoil(6);
    check_big(false, "big data in whose place something else stands");
    set_big(100, 1, 1);
    check_big(false, "big data in the header");
    set_big(100, LAST + 1, 1);
    check_big(false, "big data behind the last page");
    set_big(100, LAST + 2, 1);
    check_big(false, "big data further behind it");
    set_big(BIG, LAST, 2);
    check_big(false, "big data that goes on behind the last page");
    set_big(BIG, LAST - 1, 2);
    check_big(true, "big data that ends with the last page");
}

/* ---- Free pages */

static void check_free(bool expected, const char *what)
{
    bool may = lst_path_begin(&file);

    CHECK(may == expected, "free pages: %s: %d", what, may);
    make();
}

static void test_free_lists(void)
{
    const uint64_t empty[] = {0};
    const uint64_t longer[] = {3, 11, 10};
    const uint64_t header[] = {2, 11, 1};
    const uint64_t behind[] = {1, LAST + 1};
    const uint64_t twice[] = {2, 10, 10};
    const uint64_t last[] = {1, LAST};

    check_free(true, "whole");
    make_free_leaf(empty, 1);
    check_free(true, "an empty list");
    make_free_leaf(last, 2);
    add_list(pages[8], 6, empty, 0);
    check_free(false, "a list that does not say how long it is");
    make_free_leaf(longer, 3);
    check_free(false, "a list that is shorter than it says");
    make_free_leaf(header, 3);
    check_free(false, "the header is none");
    make_free_leaf(behind, 2);
    check_free(false, "one behind the last page");
    make_free_leaf(twice, 3);
    check_free(false, "one stands twice");
    make_free_leaf(last, 2);
    check_free(true, "the last page");
    page_begin(pages[8], 8, LST_PAGE_LEAF);
    page_add_row(pages[8], key_of("seven77"), lst_slice_make((const char *)empty, sizeof(empty)));
    check_free(false, "a list of no transaction");
}

static void test_big_lists(void)
{
    const uint64_t wrong[] = {1, 1};

    make_big_list(1, 2, BIG);
    make_meta(0, 10, 7, 2);
    check_free(false, "a big list in the header");
    make_big_list(LAST + 1, 1, 100);
    check_free(false, "a big list behind the last page");
    make_big_list(LAST + 2, 1, 100);
    check_free(false, "a big list further behind it");
    make_big_list(LAST, 2, BIG);
    check_free(false, "a big list that goes on behind it");
    make_big_list(LAST - 1, 2, BIG);
    check_free(true, "a big list that ends with it");
    make_big_list(12, 3, BIG);
    check_free(false, "a big list whose pages say that they are more");
    memcpy(pages[12] + LST_PAGE_HEADER, wrong, sizeof(wrong));
    check_free(false, "a big list of nonsense");
}

static void test_free_tree(void)
{
    spoil(7);
    check_free(false, "the root is nonsense");
    spoil(9);
    check_free(false, "a leaf is");
    page_begin(pages[7], 7, LST_PAGE_BRANCH);
    page_add_child(pages[7], key_of(""), 7);
    check_free(false, "a tree that leads to itself");
    page_begin(pages[7], 7, LST_PAGE_BRANCH);
    for (int i = 0; i < 63; i++) {
        page_add_child(pages[7], key_of("k"), 8);
    }
    page_add_child(pages[7], key_of("k"), 15);
    check_free(true, "no more than 64 pages are looked at");
    page_begin(pages[7], 7, LST_PAGE_BRANCH);
    for (int i = 0; i < 62; i++) {
        page_add_child(pages[7], key_of("k"), 8);
    }
    page_add_child(pages[7], key_of("k"), 15);
    check_free(false, "so many are");
}

static void test_header(void)
{
    make_meta(1, 11, LST_PAGE_NONE, 5);
    spoil(7);
    CHECK(lst_path_begin(&file) && file.path_check.root == 5, "the later header counts");
    make();
    make_meta(1, 9, 3, 5);
    CHECK(lst_path_begin(&file) && file.path_check.root == 2 && file.path_check.last_page == LAST,
          "the earlier one does not");
    file.map_start = 0;
    CHECK(lst_path_begin(&file) && file.path_check.root == LST_PAGE_NONE,
          "without a map nothing is looked at");
    make();
}

int main(void)
{
    unsigned char *memory =
        mmap(NULL, (size_t)(PAGES + 16) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED ||
        mprotect(memory, (size_t)PAGES * PAGE, PROT_READ | PROT_WRITE) != 0) {
        return 1;
    }
    pages = (unsigned char(*)[PAGE])memory;
    make();
    test_path();
    test_places();
    test_ends();
    test_big();
    test_free_lists();
    test_big_lists();
    test_free_tree();
    test_header();
    return tap_done();
}
