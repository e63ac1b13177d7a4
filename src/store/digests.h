/*
 * digests.h - inside the store: the MD5 of bodies that come in at the same time, side by side.
 *
 * To hash several messages side by side takes little longer than to hash one (base/md5.h). So where
 * a thread receives several bodies, a piece of each is kept back until every one of them has some,
 * and then all are hashed together. A body that comes alone is hashed as it comes.
 *
 * Not all that is kept back is hashed at once: a call takes as many slices as make up for what it
 * brought, rounded up to one. So it takes some 0.1 ms for 64 KiB, however many bodies there are.
 *
 * Bodies that one thread receives share a queue, which has a lock: a body may be dropped by another
 * thread. The memory is bounded: LST_MD5_LANES pieces for a queue, none while fewer than two bodies
 * come in.
 */
#ifndef LST_STORE_DIGESTS_H
#define LST_STORE_DIGESTS_H

#include "base/md5.h"

#include <pthread.h>
#include <stdbool.h>

#define LST_DIGEST_QUEUES 16           /* threads beyond that share */
#define LST_DIGEST_PIECE  (256 * 1024) /* bytes that are kept back of a body at most */
#define LST_DIGEST_SLICE  (16 * 1024)  /* bytes of each that are hashed together */

struct lst_digest_queue {
    pthread_mutex_t mutex;
    size_t bodies;                             /* that come in */
    struct lst_digest *waiting[LST_MD5_LANES]; /* those that have a piece */
    size_t waiting_count;
    char *spare[LST_MD5_LANES]; /* pieces' memory: LST_DIGEST_PIECE bytes each */
    size_t spare_count;
};

struct lst_digests {
    struct lst_digest_queue queues[LST_DIGEST_QUEUES];
};

/* Of one body. */
struct lst_digest {
    struct lst_md5 md5;             /* of all but the piece */
    struct lst_digest_queue *queue; /* NULL: it is hashed alone */
    char *piece;                    /* NULL: nothing was kept back */
    size_t begin;                   /* what was kept back: these bytes of the piece */
    size_t length;
};

void lst_digests_init(struct lst_digests *digests);
void lst_digests_release(struct lst_digests *digests);

void lst_digest_init(struct lst_digest *digest);

/* It is worth while: a body of some size, which this thread receives, with others. At most once,
 * and then it must be ended or dropped; until then it must not move. */
void lst_digest_join(struct lst_digest *digest, struct lst_digests *digests);

void lst_digest_update(struct lst_digest *digest, struct lst_slice bytes);

/* The digest of all that came. No more may come. */
void lst_digest_end(struct lst_digest *digest, uint8_t ret_digest[LST_MD5_SIZE]);

/* It is not wanted any more. Does nothing when it was ended, or has not joined. */
void lst_digest_drop(struct lst_digest *digest);

#endif
