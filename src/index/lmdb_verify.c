/*
 * lmdb_verify.c - read the whole file of an index, and hold its pages against each other.
 *
 * LMDB trusts its pages. One that the disk changed can leave out rows, or show those of an older
 * time, and each row that is read is whole. But all pages together say how many rows and pages
 * there are, which are free, and between which keys each stands. The file is read with read(), in
 * which a bad sector is an error; a reading holds the snapshot, so that a writer leaves it as it
 * is.
 */
#include "index/engine.h"
#include "index/lmdb_page.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    DEPTH_MAX = 32,
    HEADER_TRIES = 100,
    /* The longest that big data can be: lists of free pages are longer than values. */
    BIG_MAX = 16 * 1024 * 1024,
};

struct verify {
    struct lst_index_verify *asked;
    int file;
    size_t page_size;
    struct lst_meta meta;
    uint8_t *used; /* a bit for each page */
    int trouble;   /* an error code: it can't go on */

    /* Of the tree that is looked at. */
    bool is_free_list;
    struct lst_meta_tree found;
    bool has_lost; /* part of it, which was reported */
    unsigned char *pages[DEPTH_MAX];
    char *big; /* big data with its page's header */
    size_t big_size;
};

/* Row keys between which a page's rows are: from low, and before high. Empty: there is no such
 * border. */
struct range {
    struct lst_slice low;
    struct lst_slice high;
};

/* ---- What is said */

static void set_place(struct lst_slice row_key, uint64_t *ret_partition, struct lst_slice *ret_key)
{
    uint64_t space = 0;

    if (row_key.length < LST_SPACE_LENGTH) {
        *ret_partition = row_key.length == 0 ? 0 : UINT64_MAX;
        *ret_key = lst_slice_make(NULL, 0);
        return;
    }
    for (int i = 0; i < LST_SPACE_LENGTH; i++) {
        space = space << 8 | (uint8_t)row_key.bytes[i];
    }
    *ret_partition = space;
    *ret_key = lst_slice_after(row_key, LST_SPACE_LENGTH);
}

static void report(struct verify *verify, const char *text)
{
    struct lst_index_fault fault = {.text = text, .partition = UINT64_MAX};

    verify->asked->faults++;
    verify->asked->report(verify->asked->context, &fault);
}

/* Of the page, or of what is under it, nothing is known; or, is_order, its rows are only not found.
 */
static void lose(struct verify *verify, struct range range, bool is_order, const char *text)
{
    struct lst_index_fault fault = {.text = text, .has_place = true, .is_order = is_order};

    verify->has_lost = true;
    if (verify->is_free_list) {
        report(verify, "the list of its free pages is damaged");
        return;
    }
    set_place(range.low, &fault.partition, &fault.key);
    set_place(range.high, &fault.end_partition, &fault.end);
    if (range.high.length == 0) {
        fault.end_partition = UINT64_MAX;
    }
    verify->asked->faults++;
    verify->asked->report(verify->asked->context, &fault);
}

static void report_row(struct verify *verify, struct lst_slice row_key)
{
    struct lst_index_fault fault = {
        .text = "the row is damaged", .has_place = true, .is_row = true};

    set_place(row_key, &fault.partition, &fault.key);
    verify->asked->faults++;
    verify->asked->report(verify->asked->context, &fault);
}

/* ---- Reading */

/* NULL, or what is wrong. */
static const char *read_at(struct verify *verify, uint64_t page, void *out, size_t length)
{
    ssize_t got = pread(verify->file, out, length, (off_t)(page * verify->page_size));

    if (got < 0) {
        return "the disk can't read it";
    }
    return (size_t)got == length ? NULL : "it was cut off the file";
}

/* Take pages for the tree. NULL, or what is wrong. */
static const char *take_pages(struct verify *verify, uint64_t first, uint64_t count)
{
    if (first < 2 || count > verify->meta.last_page || first > verify->meta.last_page + 1 - count) {
        return "it is said to be where nothing can be";
    }
    for (uint64_t i = first; i < first + count; i++) {
        if ((verify->used[i / 8] & 1 << i % 8) != 0) {
            return "it has two uses";
        }
        verify->used[i / 8] |= (uint8_t)(1 << i % 8);
    }
    return NULL;
}

static bool make_room(struct verify *verify, size_t length)
{
    if (verify->big_size < length) {
        free(verify->big);
        verify->big = malloc(length);
        verify->big_size = verify->big == NULL ? 0 : length;
        verify->trouble = verify->big == NULL ? LST_ERR_NO_MEMORY : verify->trouble;
    }
    return verify->big_size >= length;
}

static const char *read_big(struct verify *verify, const struct lst_node *node)
{
    uint64_t count = lst_page_count(verify->page_size, node->data.length);
    const char *text = take_pages(verify, node->child, count);
    size_t length = (size_t)count * verify->page_size;

    verify->found.overflow_pages += count;
    if (text == NULL && length > BIG_MAX) {
        text = "a row says that it is longer than any can be";
    }
    if (text == NULL && !make_room(verify, length)) {
        text = "there is no memory";
    }
    if (text == NULL) {
        text = read_at(verify, node->child, verify->big, length);
    }
    if (text != NULL) {
        return text;
    }
    return lst_page_begins_run((const unsigned char *)verify->big, node->child, count)
               ? NULL
               : "another page stands in its place";
}

/* ---- Rows */

static bool is_engines(struct lst_slice key)
{
    char space[LST_SPACE_LENGTH];

    lst_space_encode(LST_SPACE_ENGINE, space);
    return lst_slice_starts_with(key, lst_slice_make(space, sizeof(space)));
}

static void check_row(struct verify *verify, struct lst_node node)
{
    MDB_val key = {node.key.length, (void *)node.key.bytes};
    MDB_val value = {node.data.length, (void *)node.data.bytes};
    const char *text = NULL;

    verify->asked->rows++;
    if (node.child != 0) {
        text = read_big(verify, &node);
        value.mv_data = verify->big == NULL ? NULL : verify->big + LST_PAGE_HEADER;
    }
    if (verify->trouble == LST_OK && !is_engines(node.key) &&
        (text != NULL ||
         (verify->asked->with_rows && lst_row_check(key, LST_STORED_ALL, &value) != LST_OK))) {
        report_row(verify, node.key);
    }
}

/* A list of free pages: how many, and their numbers. */
static void check_free(struct verify *verify, struct lst_node node)
{
    const char *text = NULL;
    const char *bytes = node.data.bytes;
    uint64_t count = 0;

    if (node.child != 0) {
        text = read_big(verify, &node);
        bytes = text == NULL ? verify->big + LST_PAGE_HEADER : NULL;
    }
    if (text == NULL && node.data.length >= sizeof(count) && bytes != NULL) {
        memcpy(&count, bytes, sizeof(count));
    }
    if (text != NULL || node.key.length != sizeof(uint64_t) || count == 0 ||
        count > node.data.length / sizeof(count) - 1) {
        report(verify, "the list of its free pages is damaged");
        return;
    }
    for (uint64_t i = 1; i <= count; i++) {
        uint64_t page;
        memcpy(&page, bytes + i * sizeof(page), sizeof(page));
        text = take_pages(verify, page, 1);
        if (text != NULL) {
            report(verify, "a page that is in use is listed as a free one, so the next change may "
                           "overwrite it; or it is of an older time");
            return;
        }
    }
}

/* ---- Trees */

static bool is_in_range(const struct lst_page *page, struct range range, bool are_numbers)
{
    size_t first = page->is_branch ? 1 : 0;
    struct lst_node node;

    if (page->count <= first) {
        return page->count > 0;
    }
    node = lst_page_node(page, first);
    if (range.low.length > 0 && lst_page_is_less(node.key, range.low, are_numbers)) {
        return false;
    }
    node = lst_page_node(page, page->count - 1);
    return range.high.length == 0 || lst_page_is_less(node.key, range.high, are_numbers);
}

static void check_page(struct verify *verify, uint64_t number, int depth, struct range range);

static void check_nodes(struct verify *verify, const struct lst_page *page, int depth,
                        struct range range)
{
    for (size_t i = 0; i < page->count && verify->trouble == LST_OK; i++) {
        struct lst_node node = lst_page_node(page, i);
        if (!page->is_branch) {
            verify->found.entries++;
            if (verify->is_free_list) {
                check_free(verify, node);
            } else {
                check_row(verify, node);
            }
            continue;
        }
        check_page(verify, node.child, depth + 1,
                   (struct range){i > 0 ? node.key : range.low, i + 1 < page->count
                                                                    ? lst_page_node(page, i + 1).key
                                                                    : range.high});
    }
}

static const char *read_page(struct verify *verify, uint64_t number, int depth,
                             struct lst_page *ret_page)
{
    unsigned char **buffer = &verify->pages[depth];
    const char *text = take_pages(verify, number, 1);

    if (text != NULL) {
        return text;
    }
    if (*buffer == NULL) {
        *buffer = malloc(verify->page_size);
    }
    if (*buffer == NULL) {
        verify->trouble = LST_ERR_NO_MEMORY;
        return "there is no memory";
    }
    text = read_at(verify, number, *buffer, verify->page_size);
    if (text == NULL) {
        text = lst_page_read(*buffer, verify->page_size, number, ret_page);
    }
    if (text == NULL && ret_page->is_branch != (depth + 1 < verify->found.depth)) {
        text = "its kind is wrong";
    }
    return text;
}

/* NULL, or what is wrong. */
static const char *see_order(const struct verify *verify, const struct lst_page *page,
                             struct range range)
{
    if (!lst_page_is_ordered(page, verify->is_free_list)) {
        return "its rows are not in order";
    }
    return is_in_range(page, range, verify->is_free_list) ? NULL : "its rows belong elsewhere";
}

/* Whether the rows of a leaf are in order, and belong there, but for those that are damaged. Data
 * in pages of its own is not looked at: then the row counts as whole. */
static bool are_whole_in_order(const struct lst_page *page, struct range range)
{
    struct lst_slice last = range.low;
    bool is_first = true;

    for (size_t i = 0; i < page->count; i++) {
        struct lst_node node = lst_page_node(page, i);
        MDB_val key = {node.key.length, (void *)node.key.bytes};
        MDB_val value = {node.data.length, (void *)node.data.bytes};
        if (node.child == 0 && !is_engines(node.key) &&
            lst_row_check(key, LST_STORED_HEAD, &value) != LST_OK) {
            continue;
        }
        if (lst_page_is_less(node.key, last, false) ||
            (!is_first && lst_slice_equal(node.key, last)) ||
            (range.high.length > 0 && !lst_page_is_less(node.key, range.high, false))) {
            return false;
        }
        last = node.key;
        is_first = false;
    }
    return true;
}

static void check_page(struct verify *verify, uint64_t number, int depth, struct range range)
{
    struct lst_page page;
    const char *text = read_page(verify, number, depth, &page);

    verify->asked->pages++;
    if (text != NULL) {
        lose(verify, range, false, text);
        return;
    }
    text = see_order(verify, &page, range);
    if (text != NULL) {
        bool is_order = !page.is_branch && verify->asked->with_rows && !verify->is_free_list &&
                        are_whole_in_order(&page, range);
        lose(verify, range, is_order, text);
        if (!is_order) {
            return;
        }
    }
    verify->found.branch_pages += page.is_branch;
    verify->found.leaf_pages += !page.is_branch;
    check_nodes(verify, &page, depth, range);
}

static void check_tree(struct verify *verify, const struct lst_meta_tree *tree)
{
    const struct range all = {{NULL, 0}, {NULL, 0}};

    verify->found = (struct lst_meta_tree){.depth = tree->depth};
    verify->has_lost = false;
    if (tree->root == LST_PAGE_NONE) {
        return;
    }
    if (tree->depth == 0 || tree->depth > DEPTH_MAX) {
        lose(verify, all, false, "its header makes no sense");
        return;
    }
    check_page(verify, tree->root, 0, all);
    if (verify->trouble == LST_OK && !verify->has_lost &&
        (verify->found.entries != tree->entries ||
         verify->found.branch_pages != tree->branch_pages ||
         verify->found.leaf_pages != tree->leaf_pages ||
         verify->found.overflow_pages != tree->overflow_pages)) {
        report(verify, verify->is_free_list
                           ? "the list of its free pages is damaged"
                           : "it does not have as many rows and pages as its header says: some are "
                             "lost, or are of an older time");
    }
}

/* ---- The header */

static bool read_header(struct verify *verify, uint64_t transaction)
{
    for (unsigned i = 0; i < 2; i++) {
        if (pread(verify->file, &verify->meta, sizeof(verify->meta),
                  (off_t)(i * verify->page_size) + LST_PAGE_HEADER) ==
                (ssize_t)sizeof(verify->meta) &&
            verify->meta.transaction == transaction) {
            return true;
        }
    }
    return false;
}

/* Begin a reading, and find the header of its snapshot. That of one which is two commits old is
 * overwritten. */
static int begin(struct verify *verify, struct lst_index *index, struct lst_view **ret_view)
{
    MDB_stat state;

    for (int i = 0; i < HEADER_TRIES; i++) {
        int status = lst_view_take(index, ret_view);
        if (status != LST_OK) {
            return status;
        }
        if (mdb_stat((*ret_view)->transaction, index->table, &state) == 0) {
            verify->page_size = state.ms_psize;
            if (read_header(verify, mdb_txn_id((*ret_view)->transaction))) {
                return LST_OK;
            }
        }
        lst_view_give_back(index, *ret_view);
    }
    return LST_ERR_CORRUPT;
}

static int run(struct verify *verify)
{
    if (verify->page_size > LST_PAGE_SIZE_MAX || verify->meta.last_page > UINT64_MAX / 2) {
        return LST_ERR_CORRUPT;
    }
    verify->used = calloc((size_t)(verify->meta.last_page / 8 + 1), 1);
    if (verify->used == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    check_tree(verify, &verify->meta.trees[1]);
    verify->is_free_list = true;
    if (verify->trouble == LST_OK) {
        check_tree(verify, &verify->meta.trees[0]);
    }
    return verify->trouble;
}

int lst_index_verify(struct lst_index *index, struct lst_index_verify *asked)
{
    struct verify verify = {.asked = asked};
    struct lst_view *view;
    int status;

    if (sizeof(void *) != sizeof(uint64_t)) {
        return LST_OK; /* another format */
    }
    verify.file = open(index->path, O_RDONLY | O_CLOEXEC);
    if (verify.file < 0) {
        return lst_error_from_errno(errno);
    }
    status = begin(&verify, index, &view);
    if (status == LST_OK) {
        status = run(&verify);
        lst_view_give_back(index, view);
    }
    free(verify.big);
    for (size_t i = 0; i < DEPTH_MAX; i++) {
        free(verify.pages[i]);
    }
    free(verify.used);
    close(verify.file);
    return status;
}
