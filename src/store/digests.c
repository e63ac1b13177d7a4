/* digests.c - the MD5 of bodies that come in at the same time, side by side. */
#include "store/digests.h"

#include <stdatomic.h>
#include <stdlib.h>

void lst_digests_init(struct lst_digests *digests)
{
    for (size_t i = 0; i < LST_DIGEST_QUEUES; i++) {
        pthread_mutex_init(&digests->queues[i].mutex, NULL);
    }
}

void lst_digests_release(struct lst_digests *digests)
{
    for (size_t i = 0; i < LST_DIGEST_QUEUES; i++) {
        pthread_mutex_destroy(&digests->queues[i].mutex);
    }
}

void lst_digest_init(struct lst_digest *digest)
{
    *digest = (struct lst_digest){.queue = NULL};
    lst_md5_init(&digest->md5);
}

/* This thread's. */
static struct lst_digest_queue *find_queue(struct lst_digests *digests)
{
    static atomic_uint threads;
    static _Thread_local unsigned number; /* from 1 on */

    if (number == 0) {
        number = atomic_fetch_add(&threads, 1) + 1;
    }
    return &digests->queues[number % LST_DIGEST_QUEUES];
}

void lst_digest_join(struct lst_digest *digest, struct lst_digests *digests)
{
    digest->queue = find_queue(digests);
    pthread_mutex_lock(&digest->queue->mutex);
    digest->queue->bodies++;
    pthread_mutex_unlock(&digest->queue->mutex);
}

/* ---- Pieces, under the lock */

static void hash_waiting(struct lst_digest_queue *queue)
{
    struct lst_md5_piece pieces[LST_MD5_LANES];

    for (size_t i = 0; i < queue->waiting_count; i++) {
        struct lst_digest *digest = queue->waiting[i];

        pieces[i] =
            (struct lst_md5_piece){&digest->md5, lst_slice_make(digest->piece, digest->length)};
        queue->spare[queue->spare_count++] = digest->piece;
        digest->piece = NULL;
        digest->length = 0;
    }
    lst_md5_update_many(pieces, queue->waiting_count);
    queue->waiting_count = 0;
}

/* A piece of its own; none without memory. */
static void take_piece(struct lst_digest_queue *queue, struct lst_digest *digest)
{
    if (queue->waiting_count == LST_MD5_LANES) {
        hash_waiting(queue);
    }
    digest->piece = queue->spare_count > 0 ? queue->spare[--queue->spare_count]
                                           : (char *)malloc(LST_DIGEST_PIECE);
    if (digest->piece != NULL) {
        queue->waiting[queue->waiting_count++] = digest;
    }
}

static void keep_or_hash(struct lst_digest_queue *queue, struct lst_digest *digest,
                         struct lst_slice bytes)
{
    if (digest->piece != NULL && digest->length + bytes.length > LST_DIGEST_GATHER) {
        hash_waiting(queue);
    }
    if (digest->piece == NULL && queue->bodies > 1 && bytes.length <= LST_DIGEST_PIECE) {
        take_piece(queue, digest);
    }
    if (digest->piece == NULL) {
        lst_md5_update(&digest->md5, bytes);
        return;
    }
    memcpy(digest->piece + digest->length, bytes.bytes, bytes.length);
    digest->length += bytes.length;
}

void lst_digest_update(struct lst_digest *digest, struct lst_slice bytes)
{
    struct lst_digest_queue *queue = digest->queue;

    if (queue == NULL) {
        lst_md5_update(&digest->md5, bytes);
        return;
    }
    pthread_mutex_lock(&queue->mutex);
    keep_or_hash(queue, digest, bytes);
    pthread_mutex_unlock(&queue->mutex);
}

/* ---- The end */

static void forget_piece(struct lst_digest_queue *queue, struct lst_digest *digest)
{
    for (size_t i = 0; i < queue->waiting_count; i++) {
        if (queue->waiting[i] == digest) {
            queue->waiting[i] = queue->waiting[--queue->waiting_count];
            queue->spare[queue->spare_count++] = digest->piece;
            digest->piece = NULL;
            return;
        }
    }
}

static void leave(struct lst_digest_queue *queue, struct lst_digest *digest)
{
    digest->queue = NULL;
    queue->bodies--;
    if (queue->bodies == 0) {
        while (queue->spare_count > 0) {
            free(queue->spare[--queue->spare_count]);
        }
    }
}

void lst_digest_end(struct lst_digest *digest, uint8_t ret_digest[LST_MD5_SIZE])
{
    struct lst_digest_queue *queue = digest->queue;

    if (queue != NULL) {
        pthread_mutex_lock(&queue->mutex);
        if (digest->piece != NULL) {
            hash_waiting(queue);
        }
        leave(queue, digest);
        pthread_mutex_unlock(&queue->mutex);
    }
    lst_md5_digest(&digest->md5, ret_digest);
}

void lst_digest_drop(struct lst_digest *digest)
{
    struct lst_digest_queue *queue = digest->queue;

    if (queue != NULL) {
        pthread_mutex_lock(&queue->mutex);
        forget_piece(queue, digest);
        leave(queue, digest);
        pthread_mutex_unlock(&queue->mutex);
    }
}
