/*
 * verify_test.c - each thing that can be wrong with the pages of a file is found, and told for what
 * it is.
 *
 * An index of two levels is made once. Each case changes some bytes of its file, looks, and puts
 * them back.
 */
#include "crafted_pages.h"
#include "index_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { PARTITION = 7, ROWS = 200, BIG = 3, BIG_SIZE = 9000, SPACE = 8 };

static struct fixture fixture;
static int file;
static uint64_t meta_at; /* where the last header is */
static struct lst_meta meta;

/* ---- The file */

static void read_page(uint64_t number, unsigned char page[PAGE])
{
    if (pread(file, page, PAGE, (off_t)(number * PAGE)) != PAGE) {
        abort();
    }
}

static void write_at(uint64_t at, const void *bytes, size_t length)
{
    if (pwrite(file, bytes, length, (off_t)at) != (ssize_t)length) {
        abort();
    }
}

static void find_meta(void)
{
    struct lst_meta other;

    if (pread(file, &meta, sizeof(meta), LST_PAGE_HEADER) != (ssize_t)sizeof(meta) ||
        pread(file, &other, sizeof(other), PAGE + LST_PAGE_HEADER) != (ssize_t)sizeof(other)) {
        abort();
    }
    meta_at = LST_PAGE_HEADER;
    if (other.transaction > meta.transaction) {
        meta = other;
        meta_at = PAGE + LST_PAGE_HEADER;
    }
}

static void make_index(void)
{
    char key[32];
    char *big = malloc(BIG_SIZE);
    int status = LST_OK;

    fixture = fixture_open(0);
    for (int i = 0; i < ROWS && status == LST_OK; i++) {
        (void)snprintf(key, sizeof(key), "key-%03d", i);
        status = fixture_put(&fixture, PARTITION, slice(key), slice("a value that is whole"));
    }
    memset(big, 'B', BIG_SIZE);
    for (int i = 0; i < BIG && status == LST_OK; i++) {
        (void)snprintf(key, sizeof(key), "key-%03d-big", i);
        status = fixture_put(&fixture, PARTITION, slice(key), lst_slice_make(big, BIG_SIZE));
    }
    free(big);
    CHECK(status == LST_OK, "an index is made");
    file = open(fixture.path, O_RDWR | O_CLOEXEC);
    find_meta();
    CHECK(meta.trees[1].depth == 2 && meta.trees[1].overflow_pages > 0 && meta.trees[0].entries > 0,
          "it has two levels, big rows and free pages");
}

/* ---- What is found */

struct found {
    size_t count;
    size_t rows;
    size_t cuts;    /* pages that are not there */
    char text[200]; /* of the first */
    struct lst_index_fault first;
    char key[64];
    char end[64];
};

static void take(void *context, const struct lst_index_fault *fault)
{
    struct found *found = context;

    if (found->count++ == 0) {
        found->first = *fault;
        (void)snprintf(found->text, sizeof(found->text), "%s", fault->text);
        (void)snprintf(found->key, sizeof(found->key), "%.*s", (int)fault->key.length,
                       fault->key.bytes);
        (void)snprintf(found->end, sizeof(found->end), "%.*s", (int)fault->end.length,
                       fault->end.bytes);
    }
    found->rows += fault->is_row;
    found->cuts += strstr(fault->text, "cut off the file") != NULL;
}

static struct found look(bool with_rows)
{
    struct found found = {0};
    struct lst_index_verify verify = {.with_rows = with_rows, .report = take, .context = &found};

    CHECK(lst_index_verify(fixture.index, &verify) == LST_OK, "the file is looked at");
    CHECK(verify.faults == found.count, "all faults are told");
    return found;
}

/* Change bytes, look, and put them back. */
static struct found look_with(uint64_t at, const void *bytes, size_t length)
{
    char before[PAGE];
    struct found found;

    if (pread(file, before, length, (off_t)at) != (ssize_t)length) {
        abort();
    }
    write_at(at, bytes, length);
    found = look(true);
    write_at(at, before, length);
    return found;
}

static void expect(struct found found, const char *text, const char *what)
{
    CHECK(found.count > 0 && strstr(found.text, text) != NULL, "%s: '%s', not '%s'", what, text,
          found.text);
}

static struct found look_with_page(uint64_t number, const unsigned char page[PAGE])
{
    return look_with(number * PAGE, page, PAGE);
}

/* ---- Trees */

static void set_child(unsigned char *page, size_t i, uint64_t number)
{
    page_set(page, page_node_at(page, i), (uint16_t)number);
    page_set(page, page_node_at(page, i) + 2, (uint16_t)(number >> 16));
}

static uint64_t child_of(const unsigned char *page, size_t i)
{
    return page_get(page, page_node_at(page, i));
}

static void test_children(void)
{
    unsigned char page[PAGE];
    uint64_t root = meta.trees[1].root;
    struct found found;
    uint64_t first;
    uint64_t second;

    read_page(root, page);
    first = child_of(page, 0);
    second = child_of(page, 1);
    set_child(page, 0, 1);
    found = look_with_page(root, page);
    expect(found, "it is said to be where nothing can be", "a child in the header");
    CHECK(found.first.has_place && !found.first.is_row && found.first.partition == 0 &&
              found.key[0] == '\0' && found.first.end_partition == PARTITION &&
              strncmp(found.end, "key-", 4) == 0,
          "all before the next child is lost: up to %s", found.end);
    set_child(page, 0, meta.last_page + 1);
    expect(look_with_page(root, page), "it is said to be where nothing can be",
           "a child behind the last page");
    set_child(page, 0, second);
    expect(look_with_page(root, page), "its rows belong elsewhere", "a child that is another's");
    set_child(page, 0, first);
    set_child(page, 1, first);
    found = look_with_page(root, page);
    expect(found, "it has two uses", "a child twice");
    CHECK(found.first.partition == PARTITION && strncmp(found.key, "key-", 4) == 0,
          "what is lost begins with its first key: %s", found.key);
    set_child(page, 1, second);
    set_child(page, (size_t)(page_get(page, AT_LOWER) - LST_PAGE_HEADER) / 2 - 1, 0);
    found = look_with_page(root, page);
    CHECK(found.count == 1 && found.first.end_partition == UINT64_MAX && found.end[0] == '\0',
          "behind the last child all is lost");
}

static void test_leaf(void)
{
    unsigned char page[PAGE];
    unsigned char root[PAGE];
    uint64_t number;
    uint16_t places[2];
    struct found found;
    uint16_t last;

    read_page(meta.trees[1].root, root);
    number = child_of(root, 0);
    read_page(number, page);
    places[0] = page_get(page, LST_PAGE_HEADER);
    places[1] = page_get(page, LST_PAGE_HEADER + 2);
    page_set(page, LST_PAGE_HEADER, places[1]);
    page_set(page, LST_PAGE_HEADER + 2, places[0]);
    expect(look_with_page(number, page), "its rows are not in order", "two rows are exchanged");
    read_page(number, page);
    page_set(page, AT_FLAGS, 0);
    expect(look_with_page(number, page), "its kind is wrong", "a page of no kind");

    /* The last row of the page becomes one of a page behind. */
    read_page(number, page);
    last = page_get(page, page_get(page, AT_LOWER) - 2U);
    page[last + 8 + SPACE] = 'z'; /* behind the space */
    expect(look_with_page(number, page), "its rows belong elsewhere", "a row that is too large");

    /* A byte of a value. */
    read_page(number, page);
    last = page_get(page, page_get(page, AT_LOWER) - 2U);
    page[last + 8 + page_get(page, last + 6U) + 3] ^= 1;
    found = look_with_page(number, page);
    expect(found, "the row is damaged", "a value that changed");
    CHECK(found.count == 1 && found.first.is_row && strncmp(found.key, "key-", 4) == 0,
          "its row is named: %s", found.key);
    write_at(number * PAGE, page, PAGE);
    CHECK(look(false).count == 0, "which nobody asked for");
    page[last + 8 + page_get(page, last + 6U) + 3] ^= 1;
    write_at(number * PAGE, page, PAGE);
}

/* ---- Rows with pages of their own */

/* The first big row: its leaf, and where its node is. */
static uint64_t find_big(unsigned char page[PAGE], size_t *ret_node)
{
    unsigned char root[PAGE];

    read_page(meta.trees[1].root, root);
    for (size_t i = 0; i < (size_t)(page_get(root, AT_LOWER) - LST_PAGE_HEADER) / 2; i++) {
        read_page(child_of(root, i), page);
        for (size_t j = 0; j < (size_t)(page_get(page, AT_LOWER) - LST_PAGE_HEADER) / 2; j++) {
            *ret_node = page_node_at(page, j);
            if (page_get(page, *ret_node + 4) == LST_NODE_BIG) {
                return child_of(root, i);
            }
        }
    }
    abort();
}

static void expect_row(struct found found, const char *what)
{
    CHECK(found.rows >= 1 && found.first.is_row && strcmp(found.key, "key-000-big") == 0,
          "%s: the row is named: %s", what, found.key);
}

static void test_big(void)
{
    unsigned char page[PAGE];
    unsigned char run[PAGE];
    size_t node;
    uint64_t number = find_big(page, &node);
    size_t at = node + 8 + page_get(page, node + 6);
    uint64_t first;
    uint64_t wrong[] = {1, meta.last_page + 1, meta.last_page, meta.trees[1].root};

    memcpy(&first, page + at, sizeof(first));
    for (size_t i = 0; i < 4; i++) {
        memcpy(page + at, &wrong[i], sizeof(first));
        expect_row(look_with_page(number, page), i == 0   ? "its data in the header"
                                                 : i == 1 ? "behind the last page"
                                                 : i == 2 ? "half behind the last page"
                                                          : "in the root");
    }
    memcpy(page + at, &first, sizeof(first));
    page_set(page, node + 2, 0x7fff);
    expect_row(look_with_page(number, page), "longer than the file");
    page_set(page, node + 2, 0);
    CHECK(look(true).count == 0, "all is as before");

    read_page(first, run);
    run[PAGE - 1] ^= 1;
    expect_row(look_with_page(first, run), "a byte of it");
    run[PAGE - 1] ^= 1;
    run[AT_PAGES]++;
    expect_row(look_with_page(first, run), "another number of pages");
    write_at(first * PAGE, run, PAGE);
    CHECK(look(false).rows == 1, "which is seen without looking at rows");
    run[AT_PAGES]--;
    write_at(first * PAGE, run, PAGE);
}

/* ---- The header */

static struct found look_with_meta(const struct lst_meta *changed)
{
    return look_with(meta_at, changed, sizeof(*changed));
}

static void test_counts(void)
{
    static const char rows[] = "it does not have as many rows and pages as its header says";
    static const char free_pages[] = "the list of its free pages is damaged";

    for (unsigned tree = 0; tree < 2; tree++) {
        const char *text = tree == 1 ? rows : free_pages;
        struct lst_meta changed = meta;
        changed.trees[tree].entries++;
        expect(look_with_meta(&changed), text, "another number of rows");
        changed = meta;
        changed.trees[tree].branch_pages++;
        expect(look_with_meta(&changed), text, "another number of branches");
        changed = meta;
        changed.trees[tree].leaf_pages++;
        expect(look_with_meta(&changed), text, "another number of leaves");
        changed = meta;
        changed.trees[tree].overflow_pages++;
        expect(look_with_meta(&changed), text, "another number of pages of big rows");
        changed = meta;
        changed.trees[tree].depth = 0;
        expect(look_with_meta(&changed), tree == 1 ? "its header makes no sense" : free_pages,
               "no level");
        changed.trees[tree].depth = 33;
        expect(look_with_meta(&changed), tree == 1 ? "its header makes no sense" : free_pages,
               "too many levels");
        changed.trees[tree].depth = (uint16_t)(meta.trees[tree].depth + 1);
        expect(look_with_meta(&changed), tree == 1 ? "its kind is wrong" : free_pages,
               "one level more");
    }
}

/* ---- Free pages */

static void test_free(void)
{
    static const char text[] = "the list of its free pages is damaged";
    static const char used[] = "a page that is in use is listed as a free one";
    unsigned char page[PAGE];
    uint64_t root = meta.trees[0].root;
    uint64_t numbers[] = {0, 1000, meta.trees[1].root, 1};
    size_t node;
    size_t at;
    uint64_t count;
    uint64_t number;

    read_page(root, page);
    node = page_node_at(page, 0);
    at = node + 8 + page_get(page, node + 6);
    CHECK(meta.trees[0].depth == 1 && page_get(page, node + 6) == 8, "the list is in one page");
    memcpy(&count, page + at, sizeof(count));
    memcpy(&number, page + at + 8, sizeof(number));
    memcpy(page + at, &numbers[0], 8);
    expect(look_with_page(root, page), text, "a list of no pages");
    memcpy(page + at, &numbers[1], 8);
    expect(look_with_page(root, page), text, "a list that is shorter than it says");
    memcpy(page + at, &count, 8);
    memcpy(page + at + 8, &numbers[2], 8);
    expect(look_with_page(root, page), used, "a page that is in use");
    memcpy(page + at + 8, &numbers[3], 8);
    expect(look_with_page(root, page), used, "a page of the header");
    memcpy(page + at + 8, &number, 8);
    page_set(page, AT_FLAGS, 0);
    expect(look_with_page(root, page), text, "a page of it that makes no sense");
}

/* ---- Pages that are not there: the last thing that is done to the file */

static void test_cut(void)
{
    unsigned char root[PAGE];
    struct found found;
    uint64_t number = 0;

    read_page(meta.trees[1].root, root);
    for (size_t i = 0; i < (size_t)(page_get(root, AT_LOWER) - LST_PAGE_HEADER) / 2; i++) {
        number = child_of(root, i) > number ? child_of(root, i) : number;
    }
    if (number < meta.trees[1].root || ftruncate(file, (off_t)(number * PAGE + 100)) != 0) {
        CHECK(true, "# the root stands behind all leaves");
        return;
    }
    found = look(true);
    CHECK(found.cuts == 1, "a page that is half there");
}

int main(void)
{
    struct found found;

    make_index();
    found = look(true);
    CHECK(found.count == 0, "nothing is wrong with it: %s", found.text);
    test_children();
    test_leaf();
    test_big();
    test_counts();
    test_free();
    test_cut();
    close(file);
    fixture_close(&fixture);
    return tap_done();
}
