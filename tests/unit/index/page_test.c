/* page_test.c - pages of LMDB's file, looked at without LMDB. */
#include "crafted_pages.h"
#include "tap.h"

static unsigned char page[2 * PAGE];

static bool says(const char *text)
{
    struct lst_page read;
    const char *found = lst_page_read(page, PAGE, 7, &read);

    return found != NULL && strcmp(found, text) == 0;
}

static struct lst_page make_leaf(void)
{
    struct lst_page read = {0};

    page_begin(page, 7, LST_PAGE_LEAF);
    page_add_row(page, LST_SLICE("apple"), LST_SLICE("green"));
    page_add_row(page, LST_SLICE("pear"), LST_SLICE(""));
    page_add_big(page, LST_SLICE("plum"), 10000, 12);
    if (lst_page_read(page, PAGE, 7, &read) != NULL) {
        read.count = 0;
    }
    return read;
}

static void test_rows(void)
{
    struct lst_page leaf = make_leaf();
    struct lst_node node;

    CHECK(leaf.count == 3 && !leaf.is_branch, "a leaf of three rows");
    if (leaf.count != 3) {
        return;
    }
    node = lst_page_node(&leaf, 0);
    CHECK(lst_slice_equal(node.key, LST_SLICE("apple")) &&
              lst_slice_equal(node.data, LST_SLICE("green")) && node.child == 0,
          "a row with its value");
    node = lst_page_node(&leaf, 2);
    CHECK(node.child == 12 && node.data.bytes == NULL && node.data.length == 10000,
          "a row whose value has pages of its own");
    page_begin(page, 7, LST_PAGE_BRANCH);
    page_add_child(page, LST_SLICE(""), 3);
    page_add_child(page, LST_SLICE("m"), UINT64_C(0x123456789));
    CHECK(lst_page_read(page, PAGE, 7, &leaf) == NULL && leaf.is_branch && leaf.count == 2,
          "a branch");
    CHECK(lst_page_node(&leaf, 1).child == UINT64_C(0x123456789),
          "the number of a page has 48 bits");
}

static void test_header(void)
{
    struct lst_page read;

    (void)make_leaf();
    CHECK(lst_page_read(page, PAGE, 8, &read) != NULL, "a page is not another");
    page_set(page, AT_FLAGS, LST_PAGE_LEAF | 0x10);
    CHECK(lst_page_read(page, PAGE, 7, &read) == NULL, "what LMDB notes in memory is no damage");
    page_set(page, AT_FLAGS, LST_PAGE_LEAF | LST_PAGE_BRANCH);
    CHECK(says("its kind is wrong"), "no page is a leaf and a branch");
    page_set(page, AT_FLAGS, LST_PAGE_OVERFLOW);
    CHECK(says("its kind is wrong"), "big data is no page of rows");

    /* An empty one: nothing but its header can be wrong. */
    page_begin(page, 7, LST_PAGE_LEAF);
    CHECK(lst_page_read(page, PAGE, 7, &read) == NULL && read.count == 0, "a page can be empty");
    page_set(page, AT_LOWER, LST_PAGE_HEADER - 2);
    CHECK(says("its header makes no sense"), "places of rows can't end within the header");
    page_set(page, AT_LOWER, LST_PAGE_HEADER + 1);
    CHECK(says("its header makes no sense"), "nor at an odd place");
    (void)make_leaf();
    page_set(page, AT_UPPER, LST_PAGE_HEADER + 4);
    CHECK(says("its header makes no sense"), "nor behind the first row");
    page_begin(page, 7, LST_PAGE_LEAF);
    page_set(page, AT_UPPER, PAGE + 2);
    CHECK(says("its header makes no sense"), "rows can't begin behind the page");
}

static void test_nodes(void)
{
    static const char nonsense[] = "a row of it makes no sense";
    struct lst_page read;
    uint16_t upper;
    size_t last;

    /* One that is before the others is not counted among the bytes that rows take. */
    page_begin(page, 7, LST_PAGE_LEAF);
    page_add_row(page, LST_SLICE("ab"), LST_SLICE(""));
    upper = page_get(page, AT_UPPER);
    memcpy(page + 100, page + upper, PAGE - upper);
    page_set(page, LST_PAGE_HEADER, 100);
    CHECK(says(nonsense), "a row can't stand before where rows begin");

    page_begin(page, 7, LST_PAGE_LEAF);
    page_set(page, AT_LOWER, LST_PAGE_HEADER + 2);
    page_set(page, AT_UPPER, PAGE - 8);
    page_set(page, LST_PAGE_HEADER, PAGE - 6);
    CHECK(says(nonsense), "a row's header can't stand half behind the page");
    page_set(page, LST_PAGE_HEADER, PAGE - 8);
    page_set(page, PAGE - 2, 2);
    CHECK(says(nonsense), "nor can its key");
    page_set(page, PAGE - 2, 0);
    page_set(page, PAGE - 8, 2);
    CHECK(says(nonsense), "nor its value");
    page_set(page, PAGE - 8, 0);
    page_set(page, PAGE - 6, 1);
    CHECK(says(nonsense), "nor one of 64 KiB");
    page_set(page, PAGE - 6, 0);
    CHECK(lst_page_read(page, PAGE, 7, &read) == NULL, "else it is one of no bytes");

    (void)make_leaf();
    last = page_node_at(page, 2);
    page_set(page, last + 4, LST_NODE_BIG | 2);
    CHECK(says(nonsense), "rows of kinds that are not used");
    (void)make_leaf();
    page_set(page, page_node_at(page, 0) + 4, 4);
    CHECK(says(nonsense), "nor small ones");
    (void)make_leaf();
    page_set(page, last, 10001);
    page_set(page, last + 4, 0);
    CHECK(says(nonsense), "a value that is not big, and longer than the page");
    (void)make_leaf();
    page_set(page, AT_LOWER, LST_PAGE_HEADER + 4);
    CHECK(says("rows of it are lost"), "a row to which no place leads");
}

static bool is_ordered(uint16_t kind, struct lst_slice a, struct lst_slice b, struct lst_slice c,
                       bool are_numbers)
{
    struct lst_page read;

    page_begin(page, 7, kind);
    page_add(page, 0, 0, a, lst_slice_make(NULL, 0));
    page_add(page, 0, 0, b, lst_slice_make(NULL, 0));
    page_add(page, 0, 0, c, lst_slice_make(NULL, 0));
    return lst_page_read(page, PAGE, 7, &read) == NULL && lst_page_is_ordered(&read, are_numbers);
}

static struct lst_slice number_key(const uint64_t *number)
{
    return lst_slice_make((const char *)number, sizeof(*number));
}

static void test_order(void)
{
    const uint64_t numbers[] = {1, 255, 256};
    struct lst_slice a = LST_SLICE("a");
    struct lst_slice b = LST_SLICE("b");
    struct lst_slice none = LST_SLICE("");
    struct lst_slice first = number_key(&numbers[0]);
    struct lst_slice middle = number_key(&numbers[1]);
    struct lst_slice last = number_key(&numbers[2]);

    CHECK(is_ordered(LST_PAGE_LEAF, a, b, LST_SLICE("ba"), false), "keys ascend");
    CHECK(!is_ordered(LST_PAGE_LEAF, a, a, b, false), "none stands twice");
    CHECK(!is_ordered(LST_PAGE_LEAF, b, a, LST_SLICE("c"), false), "none before a smaller one");
    CHECK(!is_ordered(LST_PAGE_LEAF, none, a, b, false), "a row has a key");
    CHECK(is_ordered(LST_PAGE_BRANCH, none, a, b, false), "the first child of a branch has none");
    CHECK(is_ordered(LST_PAGE_BRANCH, b, a, b, false), "what stands there is not looked at");
    CHECK(!is_ordered(LST_PAGE_BRANCH, none, none, b, false), "the second one has one");
    CHECK(is_ordered(LST_PAGE_LEAF, first, middle, last, true), "numbers ascend");
    CHECK(!is_ordered(LST_PAGE_LEAF, first, middle, last, false), "which bytes of theirs do not");
    CHECK(lst_page_is_less(LST_SLICE("1234567"), LST_SLICE("2"), true) &&
              !lst_page_is_less(LST_SLICE("2"), LST_SLICE("12345678"), true) &&
              !lst_page_is_less(LST_SLICE("22345678"), lst_slice_make("2~~~~~~~", 1), true),
          "what can't be numbers is compared as bytes");
}

static void test_run(void)
{
    run_begin(page, 7, LST_PAGE_OVERFLOW, 3);
    CHECK(lst_page_begins_run(page, 7, 3), "three pages of big data begin with page 7");
    CHECK(!lst_page_begins_run(page, 8, 3), "page 8 is another");
    CHECK(!lst_page_begins_run(page, 7, 2), "they are not two");
    CHECK(!lst_page_begins_run(page, 7, 4), "nor four");
    run_begin(page, 7, LST_PAGE_LEAF, 3);
    CHECK(!lst_page_begins_run(page, 7, 3), "a leaf is no big data");
    CHECK(lst_page_count(PAGE, PAGE - LST_PAGE_HEADER) == 1 &&
              lst_page_count(PAGE, PAGE - LST_PAGE_HEADER + 1) == 2,
          "the header takes a part of the first page");
}

int main(void)
{
    test_rows();
    test_header();
    test_nodes();
    test_order();
    test_run();
    return tap_done();
}
