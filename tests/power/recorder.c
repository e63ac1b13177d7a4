/*
 * recorder.c - a file system in memory that records what is done to it, in order.
 *
 *     recorder MOUNTPOINT RECORDING [DELAY_US [SEED]]
 *
 * Runs in the foreground until SIGTERM or SIGINT. Names and bytes are in memory alone: what they
 * would be after a power cut is worked out from the recording, by images.py. What is written to the
 * file .marks in the root becomes a mark in the recording; a sync of that file counts as a sync of
 * everything (the kernel does not pass syncfs() on to FUSE: see syncfs.c).
 *
 * One thread handles requests, so that the recording's order is the order in which they took
 * effect.
 */
#define FUSE_USE_VERSION 34
#include <fuse_lowlevel.h>

#include "log.h"
#include "syncs.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>

#define NAMES_STAY 3600.0 /* seconds: nobody but the kernel changes anything */

enum { DELAY_US = 2000, DELAY_US_MAX = 1000000, NUMBER_BASE = 10 };

static void record(enum power_event_kind kind, const char *name, uint64_t a, uint64_t b)
{
    power_log_add(&(struct power_event){.kind = kind, .name = name, .numbers = {a, b}});
}

static void reply_entry(fuse_req_t request, struct power_node *node, struct fuse_file_info *file)
{
    struct fuse_entry_param entry = {.attr_timeout = NAMES_STAY, .entry_timeout = NAMES_STAY};

    entry.ino = node->number;
    power_node_stat(node, &entry.attr);
    node->lookups++;
    if (file == NULL) {
        (void)fuse_reply_entry(request, &entry);
    } else {
        (void)fuse_reply_create(request, &entry, file);
    }
}

static void reply_attributes(fuse_req_t request, const struct power_node *node)
{
    struct stat state;

    power_node_stat(node, &state);
    (void)fuse_reply_attr(request, &state, NAMES_STAY);
}

/* ---- Names */

static void look_up(fuse_req_t request, fuse_ino_t folder, const char *name)
{
    struct power_entry *entry = power_entry_find(power_node_find(folder), name);

    if (entry != NULL) {
        reply_entry(request, power_node_find(entry->node), NULL);
    } else if (folder == POWER_ROOT && strcmp(name, POWER_MARKS_NAME) == 0) {
        reply_entry(request, power_node_find(POWER_MARKS), NULL);
    } else {
        (void)fuse_reply_err(request, ENOENT);
    }
}

static void forget(fuse_req_t request, fuse_ino_t number, uint64_t lookups)
{
    struct power_node *node = power_node_find(number);

    if (node != NULL) {
        power_node_forget(node, lookups);
    }
    fuse_reply_none(request);
}

static void create_file(fuse_req_t request, fuse_ino_t folder, const char *name, mode_t mode,
                        struct fuse_file_info *file)
{
    struct power_node *node;
    int code = power_node_create(power_node_find(folder), name, S_IFREG | (mode & 07777), &node);

    if (code != 0) {
        (void)fuse_reply_err(request, code);
        return;
    }
    record(POWER_CREATE, name, folder, node->number);
    file->keep_cache = 1;
    reply_entry(request, node, file);
}

static void make_folder(fuse_req_t request, fuse_ino_t folder, const char *name, mode_t mode)
{
    struct power_node *node;
    int code = power_node_create(power_node_find(folder), name, S_IFDIR | (mode & 07777), &node);

    if (code != 0) {
        (void)fuse_reply_err(request, code);
        return;
    }
    record(POWER_MAKE_FOLDER, name, folder, node->number);
    reply_entry(request, node, NULL);
}

static void make_link(fuse_req_t request, fuse_ino_t number, fuse_ino_t folder, const char *name)
{
    struct power_node *node = power_node_find(number);
    int code = power_node_link(power_node_find(folder), name, node);

    if (code != 0) {
        (void)fuse_reply_err(request, code);
        return;
    }
    record(POWER_LINK, name, folder, number);
    reply_entry(request, node, NULL);
}

static void remove_name(fuse_req_t request, fuse_ino_t folder, const char *name)
{
    uint64_t number;
    int code = power_node_unlink(power_node_find(folder), name, &number);

    if (code == 0) {
        record(POWER_UNLINK, name, folder, number);
    }
    (void)fuse_reply_err(request, code);
}

static void remove_folder(fuse_req_t request, fuse_ino_t folder, const char *name)
{
    uint64_t number;
    int code = power_node_unlink(power_node_find(folder), name, &number);

    if (code == 0) {
        record(POWER_REMOVE, name, folder, number);
    }
    (void)fuse_reply_err(request, code);
}

static void rename_node(fuse_req_t request, fuse_ino_t folder, const char *name,
                        fuse_ino_t new_folder, const char *new_name, unsigned flags)
{
    uint64_t number;
    int code = EINVAL;

    if ((flags & ~(unsigned)RENAME_NOREPLACE) == 0) {
        code = power_node_rename(power_node_find(folder), name, power_node_find(new_folder),
                                 new_name, flags == 0, &number);
    }
    if (code == 0) {
        power_log_add(&(struct power_event){.kind = POWER_RENAME,
                                            .name = name,
                                            .other_name = new_name,
                                            .numbers = {folder, new_folder, number}});
    }
    (void)fuse_reply_err(request, code);
}

static void list_folder(fuse_req_t request, fuse_ino_t folder, size_t size, off_t offset,
                        struct fuse_file_info *file)
{
    const struct power_entry *entry = power_node_find(folder)->first;
    char *listing = malloc(size);
    size_t length = 0;

    (void)file;
    for (; entry != NULL && listing != NULL; entry = entry->next) {
        struct stat state;
        size_t taken;
        if (entry->number <= (uint64_t)offset) {
            continue;
        }
        power_node_stat(power_node_find(entry->node), &state);
        taken = fuse_add_direntry(request, listing + length, size - length, entry->name, &state,
                                  (off_t)entry->number);
        if (taken > size - length) {
            break;
        }
        length += taken;
    }
    (void)fuse_reply_buf(request, listing, length);
    free(listing);
}

/* ---- Files */

static void get_attributes(fuse_req_t request, fuse_ino_t number, struct fuse_file_info *file)
{
    (void)file;
    reply_attributes(request, power_node_find(number));
}

static void set_attributes(fuse_req_t request, fuse_ino_t number, struct stat *state, int which,
                           struct fuse_file_info *file)
{
    struct power_node *node = power_node_find(number);

    (void)file;
    if ((which & FUSE_SET_ATTR_SIZE) != 0 && number != POWER_MARKS) {
        int code = power_node_resize(node, (uint64_t)state->st_size);
        if (code != 0) {
            (void)fuse_reply_err(request, code);
            return;
        }
        record(POWER_TRUNCATE, NULL, number, (uint64_t)state->st_size);
    }
    if ((which & FUSE_SET_ATTR_MODE) != 0) {
        node->mode = (node->mode & S_IFMT) | (state->st_mode & 07777);
    }
    reply_attributes(request, node);
}

static void open_file(fuse_req_t request, fuse_ino_t number, struct fuse_file_info *file)
{
    file->direct_io = number == POWER_MARKS; /* one write is one mark */
    file->keep_cache = number != POWER_MARKS;
    (void)fuse_reply_open(request, file);
}

static void read_file(fuse_req_t request, fuse_ino_t number, size_t size, off_t offset,
                      struct fuse_file_info *file)
{
    const struct power_node *node = power_node_find(number);
    uint64_t start = (uint64_t)offset < node->size ? (uint64_t)offset : node->size;
    uint64_t length = node->size - start < size ? node->size - start : size;

    (void)file;
    (void)fuse_reply_buf(request, length == 0 ? NULL : node->bytes + start, length);
}

static void write_file(fuse_req_t request, fuse_ino_t number, const char *bytes, size_t length,
                       off_t offset, struct fuse_file_info *file)
{
    struct power_event event = {.kind = POWER_WRITE,
                                .data = bytes,
                                .data_length = length,
                                .numbers = {number, (uint64_t)offset}};
    int code = 0;

    (void)file;
    if (number == POWER_MARKS) {
        event.kind = POWER_MARK;
    } else {
        code = power_node_write(power_node_find(number), (uint64_t)offset, bytes, length);
    }
    if (code != 0) {
        (void)fuse_reply_err(request, code);
        return;
    }
    power_log_add(&event);
    (void)fuse_reply_write(request, length);
}

/* Room that is given beforehand is not seen by anybody, unless the size changes. */
static void allocate(fuse_req_t request, fuse_ino_t number, int mode, off_t offset, off_t length,
                     struct fuse_file_info *file)
{
    struct power_node *node = power_node_find(number);
    uint64_t end = (uint64_t)(offset + length);
    int code = (mode & ~FALLOC_FL_KEEP_SIZE) == 0 ? 0 : EOPNOTSUPP;

    (void)file;
    if (code == 0 && mode == 0 && end > node->size) {
        code = power_node_resize(node, end);
    }
    if (code == 0) {
        power_log_add(&(struct power_event){
            .kind = POWER_ALLOCATE,
            .numbers = {number, (uint64_t)offset, (uint64_t)length, (uint64_t)mode}});
    }
    (void)fuse_reply_err(request, code);
}

static void sync_node(fuse_req_t request, fuse_ino_t number, int data_only,
                      struct fuse_file_info *file)
{
    (void)data_only; /* fdatasync() too makes a size durable without which data can't be read */
    (void)file;
    power_sync(request, number == POWER_MARKS ? 0 : number);
}

static void tell_space(fuse_req_t request, fuse_ino_t number)
{
    const struct statvfs space = {.f_bsize = 4096,
                                  .f_frsize = 4096,
                                  .f_blocks = 1 << 28,
                                  .f_bfree = 1 << 28,
                                  .f_bavail = 1 << 28,
                                  .f_namemax = 255};

    (void)number;
    (void)fuse_reply_statfs(request, &space);
}

/* ---- The process */

static const struct fuse_lowlevel_ops operations = {
    .lookup = look_up,
    .forget = forget,
    .getattr = get_attributes,
    .setattr = set_attributes,
    .mkdir = make_folder,
    .unlink = remove_name,
    .rmdir = remove_folder,
    .rename = rename_node,
    .link = make_link,
    .open = open_file,
    .create = create_file,
    .read = read_file,
    .write = write_file,
    .fallocate = allocate,
    .fsync = sync_node,
    .fsyncdir = sync_node,
    .readdir = list_folder,
    .statfs = tell_space,
};

static int serve(struct fuse_session *session, const char *mountpoint)
{
    int result;

    if (fuse_session_mount(session, mountpoint) != 0) {
        return 1;
    }
    if (fuse_set_signal_handlers(session) != 0) {
        fuse_session_unmount(session);
        return 1;
    }
    result = fuse_session_loop(session);
    power_syncs_stop();
    fuse_remove_signal_handlers(session);
    fuse_session_unmount(session);
    power_log_flush();
    return result < 0;
}

int main(int argument_count, char **arguments)
{
    char *options[] = {arguments[0], (char *)"-o", (char *)"fsname=recorder", NULL};
    struct fuse_args args = FUSE_ARGS_INIT(3, options);
    unsigned long delay_us = DELAY_US;
    unsigned long seed = 1;
    struct fuse_session *session;
    int result = 1;

    if (argument_count < 3 || argument_count > 5) {
        (void)fprintf(stderr, "usage: recorder MOUNTPOINT RECORDING [DELAY_US [SEED]]\n");
        return 2;
    }
    if (argument_count > 3) {
        delay_us = strtoul(arguments[3], NULL, NUMBER_BASE);
    }
    if (argument_count > 4) {
        seed = strtoul(arguments[4], NULL, NUMBER_BASE);
    }
    /* A test that was killed leaves no mount behind. */
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (delay_us > DELAY_US_MAX || power_log_open(arguments[2]) != 0 ||
        power_syncs_start((unsigned)delay_us, (unsigned)seed) != 0) {
        perror(arguments[2]);
        return 1;
    }
    power_tree_init();
    session = fuse_session_new(&args, &operations, sizeof(operations), NULL);
    if (session != NULL) {
        result = serve(session, arguments[1]);
        fuse_session_destroy(session);
    }
    fuse_opt_free_args(&args);
    return result;
}
