/*
 * log.h - the recording: what happened to the file system, in order.
 *
 * A file of records. Each is eight numbers in the machine's byte order (four of 4 bytes: kind,
 * length of the name, of the second name, of the data; four of 8 bytes, whose meaning the kind
 * gives), then the names and the data. images.py reads it.
 */
#ifndef LST_POWER_LOG_H
#define LST_POWER_LOG_H

#include <stddef.h>
#include <stdint.h>

enum power_event_kind {
    POWER_MARK = 1,    /* data: what the load driver wrote */
    POWER_MAKE_FOLDER, /* folder, node; name */
    POWER_CREATE,      /* folder, node; name */
    POWER_WRITE,       /* node, offset; data */
    POWER_TRUNCATE,    /* node, size */
    POWER_ALLOCATE,    /* node, offset, length, mode */
    POWER_RENAME,      /* folder, second folder, node; name, second name */
    POWER_LINK,        /* folder, node; name */
    POWER_UNLINK,      /* folder, node; name */
    POWER_REMOVE,      /* folder, node; name: an empty folder */
    POWER_SYNC_BEGIN,  /* node (0: everything), number of the sync */
    POWER_SYNC_END,    /* the same; from here on the caller knows that it is durable */
};

struct power_event {
    enum power_event_kind kind;
    const char *name;
    const char *other_name;
    const char *data;
    size_t data_length;
    uint64_t numbers[4];
};

/* 0, or an errno. */
int power_log_open(const char *path);

/* Add a record. Any thread may. Ends the process when it can't be written: a recording with a hole
 * proves nothing. */
void power_log_add(const struct power_event *event);

/* Write what is buffered. */
void power_log_flush(void);

#endif
