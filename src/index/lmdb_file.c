/*
 * lmdb_file.c - look at an index's file before it is mapped: a page that its header promises and
 * that the file does not have ends the process with SIGBUS.
 *
 * The last pages that the header counts need not be there: LMDB does not write a page that was
 * taken and given back in one transaction. So of a file that is too short every page in use is
 * looked for. What is written in the pages is not judged here.
 */
#include "index/engine.h"
#include "index/lmdb_page.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* LMDB's format, version 1, on machines of 64 bits; numbers are in the machine's own order. */
enum {
    PAGE_SIZE_MIN = 256,
    DEPTH_MAX = 32,
    PAGE_META = 0x08,
    NODE_HEADER = 8,
    META_MAGIC = (int)0xBEEFC0DE,
    META_VERSION = 1,
    TRIES = 3, /* of a file that another process writes to */
};

struct page_header {
    uint64_t number;
    uint16_t unused;
    uint16_t flags;
    uint16_t lower; /* where the offsets of nodes end */
    uint16_t upper;
};

struct file {
    int file;
    int trouble; /* errno's number, once reading failed: nothing is known of the file then */
    uint32_t page_size;
    uint64_t page_count; /* whole ones */
    uint64_t pages_left; /* to be looked at: a tree can't have more than there are */
};

static bool read_at(struct file *file, uint64_t offset, void *out, size_t length)
{
    ssize_t got = pread(file->file, out, length, (off_t)offset);

    if (got < 0) {
        file->trouble = errno;
    }
    return got == (ssize_t)length;
}

static bool read_meta(struct file *file, uint64_t offset, struct lst_meta *ret_meta)
{
    struct page_header header;

    return read_at(file, offset, &header, sizeof(header)) &&
           read_at(file, offset + LST_PAGE_HEADER, ret_meta, sizeof(*ret_meta)) &&
           (header.flags & PAGE_META) != 0 && ret_meta->magic == (uint32_t)META_MAGIC &&
           ret_meta->version == META_VERSION;
}

/* The header that counts: of two the later one. */
static bool read_header(struct file *file, struct lst_meta *ret_meta)
{
    struct lst_meta second;
    uint32_t size;

    if (!read_meta(file, 0, ret_meta)) {
        return false;
    }
    size = ret_meta->trees[0].page_size;
    if (size < PAGE_SIZE_MIN || size > LST_PAGE_SIZE_MAX || (size & (size - 1)) != 0 ||
        !read_meta(file, size, &second)) {
        return false;
    }
    /* Each commit overwrites the earlier one with the next number. If they are further apart, one
     * of the numbers has changed, and the last commit would be lost. */
    if (second.transaction > ret_meta->transaction + 1 ||
        ret_meta->transaction > second.transaction + 1) {
        return false;
    }
    if (second.transaction > ret_meta->transaction) {
        *ret_meta = second;
        ret_meta->trees[0].page_size = size;
    }
    return true;
}

static bool has_tree(struct file *file, uint64_t number, int depth);

/* Whether the file has all that the node of a page refers to. */
static bool has_node(struct file *file, const unsigned char *page, uint16_t at, int depth,
                     bool is_branch)
{
    uint16_t parts[4]; /* low, high, flags, length of the key */
    uint64_t number = 0;
    uint64_t size;

    if (at < LST_PAGE_HEADER || at > file->page_size - NODE_HEADER) {
        return true;
    }
    memcpy(parts, page + at, sizeof(parts));
    if (is_branch) {
        return has_tree(file, parts[0] | (uint64_t)parts[1] << 16 | (uint64_t)parts[2] << 32,
                        depth + 1);
    }
    if ((parts[2] & LST_NODE_BIG) == 0 ||
        (size_t)at + NODE_HEADER + parts[3] + sizeof(number) > file->page_size) {
        return true;
    }
    memcpy(&number, page + at + NODE_HEADER + parts[3], sizeof(number));
    size = parts[0] | (uint64_t)parts[1] << 16;
    size = (LST_PAGE_HEADER - 1 + size) / file->page_size + 1;
    return number < file->page_count && size <= file->page_count - number;
}

static bool has_nodes(struct file *file, const unsigned char *page, int depth)
{
    struct page_header header;
    uint16_t at;

    memcpy(&header, page, sizeof(header));
    if ((header.flags & (LST_PAGE_BRANCH | LST_PAGE_LEAF)) == 0 || header.lower > file->page_size) {
        return true;
    }
    for (size_t i = LST_PAGE_HEADER; i + sizeof(at) <= header.lower; i += sizeof(at)) {
        memcpy(&at, page + i, sizeof(at));
        if (!has_node(file, page, at, depth, (header.flags & LST_PAGE_BRANCH) != 0)) {
            return false;
        }
    }
    return true;
}

static bool has_tree(struct file *file, uint64_t number, int depth)
{
    unsigned char *page;
    bool has;

    if (number == LST_PAGE_NONE || depth > DEPTH_MAX) {
        return true;
    }
    if (number >= file->page_count || file->pages_left == 0) {
        return false;
    }
    file->pages_left--;
    page = malloc(file->page_size);
    if (page == NULL) {
        file->trouble = ENOMEM;
    }
    has = page != NULL && read_at(file, number * file->page_size, page, file->page_size) &&
          has_nodes(file, page, depth);
    free(page);
    return has;
}

/* Whether the file has all pages of both trees. */
static bool has_trees(struct file *file, const struct lst_meta *meta)
{
    file->pages_left = file->page_count;
    return has_tree(file, meta->trees[0].root, 0) && has_tree(file, meta->trees[1].root, 0);
}

/* LST_ERR_CORRUPT, with what is wrong in words that go on after the file's name. */
static int find_damage(struct file *file, char ret_text[LST_INDEX_DAMAGE_MAX])
{
    struct lst_meta meta;
    struct stat state;
    uint64_t size = 0;

    for (int i = 0; i < TRIES; i++) {
        bool has_header = read_header(file, &meta);
        /* After the header: a file only grows. */
        if (file->trouble == 0 && fstat(file->file, &state) != 0) {
            file->trouble = errno;
        }
        if (file->trouble != 0) {
            return lst_error_from_errno(file->trouble);
        }
        size = (uint64_t)state.st_size;
        if (size == 0) {
            (void)snprintf(ret_text, LST_INDEX_DAMAGE_MAX, "is empty");
            return LST_ERR_CORRUPT;
        }
        if (!has_header && i + 1 < TRIES) {
            continue; /* another process may have committed twice meanwhile */
        }
        if (!has_header) {
            (void)snprintf(ret_text, LST_INDEX_DAMAGE_MAX,
                           "has %" PRIu64 " bytes, and does not have the header of an index", size);
            return LST_ERR_CORRUPT;
        }
        file->page_size = meta.trees[0].page_size;
        file->page_count = size / file->page_size;
        if (meta.last_page < file->page_count || has_trees(file, &meta)) {
            return LST_OK;
        }
        if (file->trouble != 0) {
            return lst_error_from_errno(file->trouble);
        }
    }
    if (file->pages_left == 0) {
        (void)snprintf(ret_text, LST_INDEX_DAMAGE_MAX,
                       "was cut short, and its pages refer to each other in a circle");
        return LST_ERR_CORRUPT;
    }
    (void)snprintf(ret_text, LST_INDEX_DAMAGE_MAX,
                   "has %" PRIu64 " bytes, and its header says %" PRIu64 ": it was cut short", size,
                   (meta.last_page + 1) * file->page_size);
    return LST_ERR_CORRUPT;
}

int lst_index_examine(const char *path, char ret_text[LST_INDEX_DAMAGE_MAX])
{
    struct file file = {0};
    int status;

    if (sizeof(void *) != sizeof(uint64_t)) {
        return LST_OK; /* another format, which LMDB itself judges */
    }
    file.file = open(path, O_RDONLY | O_CLOEXEC);
    if (file.file < 0) {
        return lst_error_from_errno(errno);
    }
    status = find_damage(&file, ret_text);
    close(file.file);
    return status;
}
