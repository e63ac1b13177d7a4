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

/* It is not among those that wait any more. */
static void give_piece(struct lst_digest_queue *queue, size_t i)
{
    struct lst_digest *digest = queue->waiting[i];

    queue->waiting[i] = queue->waiting[--queue->waiting_count];
    queue->spare[queue->spare_count++] = digest->piece;
    digest->piece = NULL;
    digest->begin = 0;
    digest->length = 0;
}

/* A slice of each that waits, or what it has. */
static void hash_slice(struct lst_digest_queue *queue)
{
    struct lst_md5_piece pieces[LST_MD5_LANES];
    size_t count = queue->waiting_count;

    for (size_t i = 0; i < count; i++) {
        struct lst_digest *digest = queue->waiting[i];
        size_t length = digest->length < LST_DIGEST_SLICE ? digest->length : LST_DIGEST_SLICE;

        pieces[i] = (struct lst_md5_piece){&digest->md5,
                                           lst_slice_make(digest->piece + digest->begin, length)};
        digest->begin += length;
        digest->length -= length;
    }
    lst_md5_update_many(pieces, count);
    for (size_t i = count; i-- > 0;) {
        if (queue->waiting[i]->length == 0) {
            give_piece(queue, i);
        }
    }
}

/* All of its own; of the others no more than goes with it. */
static void hash_piece(struct lst_digest_queue *queue, struct lst_digest *digest)
{
    while (digest->piece != NULL) {
        hash_slice(queue);
    }
}

/* A piece of its own; none without memory. */
static void take_piece(struct lst_digest_queue *queue, struct lst_digest *digest)
{
    while (queue->waiting_count == LST_MD5_LANES) {
        hash_slice(queue);
    }
    digest->piece = queue->spare_count > 0 ? queue->spare[--queue->spare_count]
                                           : (char *)malloc(LST_DIGEST_PIECE);
    if (digest->piece != NULL) {
        queue->waiting[queue->waiting_count++] = digest;
    }
}

static void keep(struct lst_digest *digest, struct lst_slice bytes)
{
    if (digest->begin + digest->length + bytes.length > LST_DIGEST_PIECE) {
        memmove(digest->piece, digest->piece + digest->begin, digest->length);
        digest->begin = 0;
    }
    memcpy(digest->piece + digest->begin + digest->length, bytes.bytes, bytes.length);
    digest->length += bytes.length;
}

/* As many lanes as can be filled have a slice. */
static bool are_lanes_full(const struct lst_digest_queue *queue)
{
    size_t lanes = queue->bodies < LST_MD5_LANES ? queue->bodies : LST_MD5_LANES;

    if (queue->waiting_count < lanes) {
        return false;
    }
    for (size_t i = 0; i < queue->waiting_count; i++) {
        if (queue->waiting[i]->length < LST_DIGEST_SLICE) {
            return false;
        }
    }
    return true;
}

static void keep_or_hash(struct lst_digest_queue *queue, struct lst_digest *digest,
                         struct lst_slice bytes)
{
    size_t hashed = 0;

    if (queue->bodies == 1 || bytes.length > LST_DIGEST_PIECE) {
        hash_piece(queue, digest);
        lst_md5_update(&digest->md5, bytes);
        return;
    }
    while (digest->piece != NULL && digest->length + bytes.length > LST_DIGEST_PIECE) {
        hash_slice(queue);
    }
    if (digest->piece == NULL) {
        take_piece(queue, digest);
    }
    if (digest->piece == NULL) {
        lst_md5_update(&digest->md5, bytes);
        return;
    }
    keep(digest, bytes);
    while (hashed < bytes.length && are_lanes_full(queue)) {
        hashed += queue->waiting_count * LST_DIGEST_SLICE;
        hash_slice(queue);
    }
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
            give_piece(queue, i);
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
        hash_piece(queue, digest);
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
