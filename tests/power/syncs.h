/*
 * syncs.h - syncs that take their time.
 *
 * A sync covers what was done before it began, and its caller knows so only once it has returned.
 * In between others write. So each is answered a moment later, by a thread, and the recording has
 * its beginning and its end.
 */
#ifndef LST_POWER_SYNCS_H
#define LST_POWER_SYNCS_H

#include <fuse_lowlevel.h>

/* delay_us: the longest that one takes. 0, or an errno. */
int power_syncs_start(unsigned delay_us, unsigned seed);

/* Record the beginning, answer later. node 0: everything. */
void power_sync(fuse_req_t request, uint64_t node);

/* Answer all that wait, and end the thread. */
void power_syncs_stop(void);

#endif
