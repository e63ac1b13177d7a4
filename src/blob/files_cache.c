/*
 * files_cache.c - files of blobs that stay open, so that who reads the same blob again need not
 * open it again.
 *
 * One table for all threads, under one lock that nobody holds during a call of the system. An entry
 * is the reader itself, and everybody who reads the blob has the same one: who has it is counted.
 * Those that nobody has are in a row, the last one used first, and of these so many are kept.
 */
#include "blob/files.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* A file that is open keeps some 2 KiB of the kernel's memory. */
enum { KEPT_MAX = 1024 };
/* Of the files that the process may open, the rest is for connections and uploads. They get these
 * too when they need them: lst_blobs_spare_files(). */
enum { SHARE = 8 };

static size_t find_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur / SHARE > KEPT_MAX) {
        return KEPT_MAX;
    }
    return (size_t)(limit.rlim_cur / SHARE);
}

void lst_blob_cache_init(struct lst_blob_cache *cache)
{
    pthread_mutex_init(&cache->lock, NULL);
}

void lst_blob_cache_start(struct lst_blob_cache *cache)
{
    cache->limit = find_limit();
    cache->chains = 1;
    while (cache->chains < cache->limit) {
        cache->chains *= 2;
    }
    cache->table = calloc(cache->chains, sizeof(struct lst_blob_reader *));
    /* Without the table it works, too: nothing is kept. */
}

static void close_reader(struct lst_blob_reader *reader)
{
    if (reader != NULL) {
        if (reader->file >= 0) {
            close(reader->file);
        }
        free(reader);
    }
}

/* A row of them, by next_idle. */
static void close_row(struct lst_blob_reader *first)
{
    while (first != NULL) {
        struct lst_blob_reader *next = first->next_idle;

        close_reader(first);
        first = next;
    }
}

/* ---- Under the lock */

static struct lst_blob_reader **chain_of(const struct lst_blob_cache *cache, struct lst_blob_id id)
{
    /* Numbers follow each other, so that they spread by themselves. */
    return &cache->table[(id.number ^ id.generation << 5) & (cache->chains - 1)];
}

/* Where the entry of this id is linked, or would be. */
static struct lst_blob_reader **find_locked(const struct lst_blob_cache *cache,
                                            struct lst_blob_id id)
{
    struct lst_blob_reader **link = chain_of(cache, id);

    while (*link != NULL &&
           ((*link)->id.number != id.number || (*link)->id.generation != id.generation)) {
        link = &(*link)->next;
    }
    return link;
}

static void leave_row_locked(struct lst_blob_cache *cache, struct lst_blob_reader *reader)
{
    *(reader->previous_idle == NULL ? &cache->newest : &reader->previous_idle->next_idle) =
        reader->next_idle;
    *(reader->next_idle == NULL ? &cache->oldest : &reader->next_idle->previous_idle) =
        reader->previous_idle;
    reader->previous_idle = NULL;
    reader->next_idle = NULL;
    cache->idle--;
}

static void enter_row_locked(struct lst_blob_cache *cache, struct lst_blob_reader *reader)
{
    reader->next_idle = cache->newest;
    *(cache->newest == NULL ? &cache->oldest : &cache->newest->previous_idle) = reader;
    cache->newest = reader;
    cache->idle++;
}

/* Take the entry at this link out of the table. Gives it if nobody has it: it is to be closed. */
static struct lst_blob_reader *remove_locked(struct lst_blob_cache *cache,
                                             struct lst_blob_reader **link)
{
    struct lst_blob_reader *reader = *link;

    *link = reader->next;
    reader->is_kept = false;
    if (reader->holders > 0) {
        return NULL;
    }
    leave_row_locked(cache, reader);
    return reader;
}

/* ---- From outside */

struct lst_blob_reader *lst_blob_cache_take(struct lst_blob_cache *cache, struct lst_blob_id id,
                                            uint64_t *ret_deletions)
{
    struct lst_blob_reader *reader;

    if (cache->table == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&cache->lock);
    *ret_deletions = cache->deletions;
    reader = *find_locked(cache, id);
    if (reader != NULL && reader->holders++ == 0) {
        leave_row_locked(cache, reader);
    }
    pthread_mutex_unlock(&cache->lock);
    return reader;
}

void lst_blob_cache_keep(struct lst_blob_cache *cache, struct lst_blob_reader *reader,
                         uint64_t deletions)
{
    struct lst_blob_reader **link;

    if (cache->table == NULL) {
        return;
    }
    pthread_mutex_lock(&cache->lock);
    link = find_locked(cache, reader->id);
    if (deletions == cache->deletions && *link == NULL) {
        *link = reader;
        reader->is_kept = true;
    }
    pthread_mutex_unlock(&cache->lock);
}

void lst_blob_cache_give(struct lst_blob_cache *cache, struct lst_blob_reader *reader,
                         bool is_stale)
{
    struct lst_blob_reader *to_close = NULL;

    pthread_mutex_lock(&cache->lock);
    reader->holders--;
    if (!reader->is_kept) {
        to_close = reader->holders == 0 ? reader : NULL;
    } else {
        if (reader->holders == 0) {
            enter_row_locked(cache, reader);
        }
        if (is_stale) {
            to_close = remove_locked(cache, find_locked(cache, reader->id));
        } else if (cache->idle > cache->limit) {
            to_close = remove_locked(cache, find_locked(cache, cache->oldest->id));
        }
    }
    pthread_mutex_unlock(&cache->lock);
    close_reader(to_close);
}

void lst_blob_cache_forget(struct lst_blob_cache *cache, struct lst_blob_id id)
{
    struct lst_blob_reader *to_close = NULL;
    struct lst_blob_reader **link;

    if (cache->table == NULL) {
        return;
    }
    pthread_mutex_lock(&cache->lock);
    cache->deletions++;
    link = find_locked(cache, id);
    if (*link != NULL) {
        to_close = remove_locked(cache, link);
    }
    pthread_mutex_unlock(&cache->lock);
    close_reader(to_close);
}

bool lst_blob_cache_empty(struct lst_blob_cache *cache)
{
    struct lst_blob_reader *idle;

    pthread_mutex_lock(&cache->lock);
    idle = cache->newest;
    for (struct lst_blob_reader *each = idle; each != NULL; each = each->next_idle) {
        *find_locked(cache, each->id) = each->next;
        each->is_kept = false;
    }
    cache->newest = NULL;
    cache->oldest = NULL;
    cache->idle = 0;
    pthread_mutex_unlock(&cache->lock);
    close_row(idle);
    return idle != NULL;
}

void lst_blob_cache_release(struct lst_blob_cache *cache)
{
    (void)lst_blob_cache_empty(cache);
    free(cache->table);
    pthread_mutex_destroy(&cache->lock);
}
