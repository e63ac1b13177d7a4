/*
 * guard.h - inside the engine: a damaged file is an error of the read that meets it.
 *
 * LMDB reads a file that is mapped into memory. A page that was cut away, or that the disk can't
 * read, is a SIGBUS; a page whose content makes no sense is a failed assertion of LMDB, or leads to
 * an address where nothing is. A guarded read ends then with LST_ERR_CORRUPT.
 *
 * What runs in a guarded read must take no lock, allocate nothing and change nothing that outlives
 * it: it may be left at any instruction. LMDB's reads of rows are such. Its changes are not: what
 * half of one is worth, nobody knows, so a fault in one ends the process (lst_index_at_end()).
 */
#ifndef LST_INDEX_GUARD_H
#define LST_INDEX_GUARD_H

#include "index/engine.h"

/* Once an environment is open: watch for its faults. Until its place is known, each fault in a
 * guarded read is taken for one of the map. */
void lst_guard_begin(struct lst_index *index);

/* Find where the file is mapped, which this address is in. */
void lst_guard_find_map(struct lst_index *index, const void *address);

/* Gives what the call gives; LST_ERR_CORRUPT, with *ret_ended, if it did not come to its end. About
 * 10 ns. */
LST_MUST_CHECK int lst_guard_read(const struct lst_index *index, int (*call)(void *context),
                                  void *context, bool *ret_ended);

/* Around what the committer changes, on its thread. */
void lst_guard_change_begin(const struct lst_index *index);
void lst_guard_change_end(void);

#endif
