/*
 * tree.h - the files and folders of the recorder, in memory.
 *
 * What the program under test sees of its file system: everything that it did, whether synced or
 * not. One thread at a time. Functions that can fail give 0 or an errno.
 */
#ifndef LST_POWER_TREE_H
#define LST_POWER_TREE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum {
    POWER_ROOT = 1, /* FUSE's number of the root */
    POWER_MARKS = 2 /* the file for marks, in the root, in no listing */
};
#define POWER_MARKS_NAME ".marks"

/* A name in a folder. Numbers grow, so that a listing can go on after what was removed. */
struct power_entry {
    uint64_t number;
    uint64_t node;
    struct power_entry *next;
    char name[];
};

struct power_node {
    uint64_t number;
    mode_t mode;
    uint64_t links;   /* names that it has */
    uint64_t lookups; /* that the kernel holds */
    uint64_t size;
    size_t capacity;
    char *bytes;
    struct timespec modified;
    struct power_entry *first; /* of a folder; ascending numbers */
};

void power_tree_init(void);
/* NULL: there is none. */
struct power_node *power_node_find(uint64_t number);
void power_node_stat(const struct power_node *node, struct stat *ret_state);
/* The kernel forgets so many lookups; a node without names and lookups gives up its bytes. */
void power_node_forget(struct power_node *node, uint64_t lookups);

/* NULL: there is none of this name. */
struct power_entry *power_entry_find(const struct power_node *folder, const char *name);

int power_node_create(struct power_node *folder, const char *name, mode_t mode,
                      struct power_node **ret_node);
int power_node_link(struct power_node *folder, const char *name, struct power_node *node);
int power_node_unlink(struct power_node *folder, const char *name, uint64_t *ret_node);
/* may_replace: else EEXIST where the new name is taken. */
int power_node_rename(struct power_node *folder, const char *name, struct power_node *new_folder,
                      const char *new_name, int may_replace, uint64_t *ret_node);

int power_node_resize(struct power_node *node, uint64_t size);
int power_node_write(struct power_node *node, uint64_t offset, const char *bytes, size_t length);

#endif
