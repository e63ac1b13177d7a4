/* tree.c - files and folders in memory. */
#include "tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NODES_MAX = 1 << 20, CAPACITY_LEAST = 4096 };

/* By number. A number is never used again, so that a recording names each node once. */
static struct power_node *nodes[NODES_MAX];
static uint64_t next_node;
static uint64_t next_entry = 1;

static void touch(struct power_node *node)
{
    (void)clock_gettime(CLOCK_REALTIME, &node->modified);
}

static struct power_node *node_new(mode_t mode)
{
    struct power_node *node = next_node < NODES_MAX ? calloc(1, sizeof(*node)) : NULL;

    if (node != NULL) {
        node->number = next_node++;
        node->mode = mode;
        nodes[node->number] = node;
        touch(node);
    }
    return node;
}

void power_tree_init(void)
{
    next_node = POWER_ROOT;
    if (node_new(S_IFDIR | 0700) == NULL || node_new(S_IFREG | 0600) == NULL) {
        abort();
    }
    nodes[POWER_ROOT]->links = 2;
    nodes[POWER_MARKS]->links = 1;
}

struct power_node *power_node_find(uint64_t number)
{
    return number < NODES_MAX ? nodes[number] : NULL;
}

void power_node_stat(const struct power_node *node, struct stat *ret_state)
{
    *ret_state = (struct stat){
        .st_ino = node->number,
        .st_mode = node->mode,
        .st_nlink = node->links,
        .st_size = (off_t)node->size,
        .st_blksize = CAPACITY_LEAST,
        .st_blocks = (blkcnt_t)((node->size + 511) / 512),
        .st_atim = node->modified,
        .st_mtim = node->modified,
        .st_ctim = node->modified,
    };
}

static void give_up(struct power_node *node)
{
    if (node->links == 0 && node->lookups == 0) {
        free(node->bytes);
        nodes[node->number] = NULL;
        free(node);
    }
}

void power_node_forget(struct power_node *node, uint64_t lookups)
{
    node->lookups -= lookups < node->lookups ? lookups : node->lookups;
    give_up(node);
}

struct power_entry *power_entry_find(const struct power_node *folder, const char *name)
{
    struct power_entry *entry = folder->first;

    while (entry != NULL && strcmp(entry->name, name) != 0) {
        entry = entry->next;
    }
    return entry;
}

static int entry_add(struct power_node *folder, const char *name, struct power_node *node)
{
    size_t size = strlen(name) + 1;
    struct power_entry **end = &folder->first;
    struct power_entry *entry;

    if (power_entry_find(folder, name) != NULL) {
        return EEXIST;
    }
    entry = malloc(sizeof(*entry) + size);
    if (entry == NULL) {
        return ENOMEM;
    }
    entry->number = next_entry++;
    entry->node = node->number;
    entry->next = NULL;
    memcpy(entry->name, name, size);
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = entry;
    touch(folder);
    return 0;
}

static void entry_remove(struct power_node *folder, struct power_entry *entry)
{
    struct power_entry **place = &folder->first;

    while (*place != entry) {
        place = &(*place)->next;
    }
    *place = entry->next;
    free(entry);
    touch(folder);
}

int power_node_create(struct power_node *folder, const char *name, mode_t mode,
                      struct power_node **ret_node)
{
    struct power_node *node;
    int code;

    if (power_entry_find(folder, name) != NULL) {
        return EEXIST;
    }
    node = node_new(mode);
    if (node == NULL) {
        return ENOSPC;
    }
    code = entry_add(folder, name, node);
    if (code == 0) {
        node->links = S_ISDIR(mode) ? 2 : 1;
        *ret_node = node;
    } else {
        give_up(node);
    }
    return code;
}

int power_node_link(struct power_node *folder, const char *name, struct power_node *node)
{
    int code = entry_add(folder, name, node);

    if (code == 0) {
        node->links++;
    }
    return code;
}

int power_node_unlink(struct power_node *folder, const char *name, uint64_t *ret_node)
{
    struct power_entry *entry = power_entry_find(folder, name);
    struct power_node *node;

    if (entry == NULL) {
        return ENOENT;
    }
    node = nodes[entry->node];
    if (node->first != NULL) {
        return ENOTEMPTY;
    }
    *ret_node = node->number;
    entry_remove(folder, entry);
    node->links -= S_ISDIR(node->mode) ? 2 : 1;
    give_up(node);
    return 0;
}

int power_node_rename(struct power_node *folder, const char *name, struct power_node *new_folder,
                      const char *new_name, int may_replace, uint64_t *ret_node)
{
    struct power_entry *entry = power_entry_find(folder, name);
    struct power_entry *replaced = power_entry_find(new_folder, new_name);
    struct power_node *node;
    uint64_t number;
    int code;

    if (entry == NULL) {
        return ENOENT;
    }
    if (replaced != NULL && !may_replace) {
        return EEXIST;
    }
    node = nodes[entry->node];
    *ret_node = node->number;
    if (replaced != NULL && replaced->node == node->number) {
        return 0; /* two names of one file: POSIX leaves both */
    }
    if (replaced != NULL) {
        code = power_node_unlink(new_folder, new_name, &number);
        if (code != 0) {
            return code;
        }
    }
    code = entry_add(new_folder, new_name, node);
    if (code == 0) {
        entry_remove(folder, entry);
    }
    return code;
}

/* Bytes that are gained are zero. */
static int reserve(struct power_node *node, uint64_t size)
{
    size_t capacity = node->capacity < CAPACITY_LEAST ? CAPACITY_LEAST : node->capacity;
    char *bytes;

    while (capacity < size) {
        capacity *= 2;
    }
    if (capacity == node->capacity) {
        return 0;
    }
    bytes = realloc(node->bytes, capacity);
    if (bytes == NULL) {
        return ENOSPC;
    }
    memset(bytes + node->capacity, 0, capacity - node->capacity);
    node->bytes = bytes;
    node->capacity = capacity;
    return 0;
}

int power_node_resize(struct power_node *node, uint64_t size)
{
    int code = reserve(node, size);

    if (code != 0) {
        return code;
    }
    if (size < node->size) {
        memset(node->bytes + size, 0, node->size - size);
    }
    node->size = size;
    touch(node);
    return 0;
}

int power_node_write(struct power_node *node, uint64_t offset, const char *bytes, size_t length)
{
    int code = reserve(node, offset + length);

    if (code != 0) {
        return code;
    }
    memcpy(node->bytes + offset, bytes, length);
    if (offset + length > node->size) {
        node->size = offset + length;
    }
    touch(node);
    return 0;
}
