/*
 * disk.h - a few threads that wait for the disk, so that no worker does.
 *
 * A file that is in the page cache is sent by the worker itself. What has to come from the disk
 * first is read by one of these threads, which puts it into the page cache; and so are bytes that
 * are made while they are sent. The threads are started when they are needed first. There is no
 * limit on what waits, because a connection waits for one thing at a time.
 */
#ifndef LST_SERVER_DISK_H
#define LST_SERVER_DISK_H

#include "base/error.h"

#include <stdbool.h>

#define LST_DISK_THREADS 4

struct lst_disk;

/* Inside of what waits. */
struct lst_disk_job {
    struct lst_disk_job *next;
    void (*run)(void *owner); /* on one of the threads; says itself that it is over */
    void *owner;
};

/* NULL without memory. */
struct lst_disk *lst_disk_open(void);

/* Waits until every job is done. NULL does nothing. */
void lst_disk_close(struct lst_disk *disk);

/* False if there is no thread, and none can be started: do it yourself. */
LST_MUST_CHECK bool lst_disk_submit(struct lst_disk *disk, struct lst_disk_job *job);

#endif
