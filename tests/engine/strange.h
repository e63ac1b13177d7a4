/*
 * strange.h - an engine for tests, in place of LMDB: all of index.h, in memory, doing whatever the
 * interface allows an index to do and LMDB does not. A program that is linked with strange.c has
 * it.
 *
 * - What was read is memory of its own for exactly as long as the interface says.
 * - No two readings see the same moment: others go on between them. A test may change something
 *   itself between any two of its own (between()).
 * - A scan reads row by row, as if a range of keys ended before each.
 * - A batch's outcome may be unknown, whether it was applied or not, and the index goes on.
 * - Whether something has changed may be unknown (lst_index_version()).
 * - Batches on different partitions are applied in any order.
 * - Partitions are cut into ranges, at the key of any row, while others read and write. A batch
 *   that is not within one range ends the process, unless a border has moved meanwhile: then it
 *   gets LST_ERR_CONFLICT. (An index that keeps a log is not cut.)
 *
 * It knows no damage. What is in an index stays in the process, unless it keeps logs: then its
 * file is a log of all batches, other processes see them, and a later one finds them.
 *
 * strange_server.c makes of it the program latchstring-strange, which is latchstring on this
 * engine.
 */
#ifndef LST_TESTS_STRANGE_H
#define LST_TESTS_STRANGE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Each "one in so many"; 0: never. */
struct strange {
    unsigned yields;              /* readings that let other threads go first */
    unsigned delays;              /* readings that take a millisecond */
    unsigned unknown_outcomes;    /* batches, while it is armed */
    unsigned loses_notifications; /* askings for the version */
    unsigned reorders;            /* batches that could be overtaken */
    unsigned splits;              /* batches, after which a range is cut in two */
    bool keeps_logs;              /* set before the first index is opened */
    atomic_bool is_armed;
    const char *armed_by; /* a file, while which is there it is armed; NULL: there is none */
    atomic_uint unknown_count;
    atomic_uint split_count;
    atomic_uint moved_count; /* batches that were refused since borders had moved */

    /* Called before each reading of this thread, but not within itself. */
    void (*between)(void *context);
    void *context;
    pthread_t thread;
};

extern struct strange strange;

void strange_seed(uint64_t seed);

/* Cut a range of the partition in two, at this border, which is a key without its end (no two bytes
 * 00 behind each other). False: there is one. */
struct lst_index;
bool strange_split(struct lst_index *index, uint64_t partition, const char *border);

/* Free all that indexes contain. None may be open. */
void strange_forget(void);

#endif
