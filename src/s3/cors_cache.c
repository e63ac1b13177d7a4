/* cors_cache.c - the rules of buckets that were parsed lately. */
#include "s3/cors_cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { ENTRIES = 32 };

struct entry {
    atomic_uint users; /* the cache is one */
    struct lst_cors_rules *rules;
    size_t length;
    char document[];
};

struct lst_cors_cache {
    pthread_mutex_t mutex;
    struct entry *entries[ENTRIES]; /* the latest that was asked for first; NULL behind the last */
};

static void let_go(struct entry *entry)
{
    if (entry != NULL && atomic_fetch_sub(&entry->users, 1) == 1) {
        lst_cors_rules_free(entry->rules);
        free(entry);
    }
}

int lst_cors_cache_open(struct lst_cors_cache **ret_cache)
{
    struct lst_cors_cache *cache = calloc(1, sizeof(*cache));

    if (cache == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    pthread_mutex_init(&cache->mutex, NULL);
    *ret_cache = cache;
    return LST_OK;
}

void lst_cors_cache_close(struct lst_cors_cache *cache)
{
    if (cache != NULL) {
        for (size_t i = 0; i < ENTRIES; i++) {
            let_go(cache->entries[i]);
        }
        pthread_mutex_destroy(&cache->mutex);
        free(cache);
    }
}

/* Put it first; what was there moves down to the place at, whose entry is given up. */
static void put_first(struct lst_cors_cache *cache, size_t at, struct entry *entry)
{
    for (size_t i = at; i > 0; i--) {
        cache->entries[i] = cache->entries[i - 1];
    }
    cache->entries[0] = entry;
}

static struct entry *find(struct lst_cors_cache *cache, struct lst_slice document)
{
    struct entry *found = NULL;

    pthread_mutex_lock(&cache->mutex);
    for (size_t i = 0; i < ENTRIES && cache->entries[i] != NULL && found == NULL; i++) {
        struct entry *entry = cache->entries[i];

        if (lst_slice_equal(lst_slice_make(entry->document, entry->length), document)) {
            found = entry;
            atomic_fetch_add(&found->users, 1);
            put_first(cache, i, found);
        }
    }
    pthread_mutex_unlock(&cache->mutex);
    return found;
}

/* Parse it, and keep it. */
static int add(struct lst_cors_cache *cache, struct lst_slice document, struct entry **ret_entry)
{
    struct entry *entry = malloc(sizeof(*entry) + document.length);
    struct entry *last;
    int status;

    if (entry == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    status = lst_cors_rules_parse(document, &entry->rules);
    if (status != LST_OK) {
        free(entry);
        return status;
    }
    atomic_init(&entry->users, 2);
    entry->length = document.length;
    memcpy(entry->document, document.bytes, document.length);
    pthread_mutex_lock(&cache->mutex);
    last = cache->entries[ENTRIES - 1];
    put_first(cache, ENTRIES - 1, entry);
    pthread_mutex_unlock(&cache->mutex);
    let_go(last);
    *ret_entry = entry;
    return LST_OK;
}

int lst_cors_cache_match(struct lst_cors_cache *cache, struct lst_slice document,
                         const struct lst_cors_question *question, struct lst_cors_rule *ret_rule)
{
    struct entry *entry = find(cache, document);
    int status = LST_OK;

    *ret_rule = (struct lst_cors_rule){.any_origin = false};
    if (entry == NULL) {
        status = add(cache, document, &entry);
    }
    if (status == LST_OK) {
        status = lst_cors_rules_match(entry->rules, question, ret_rule);
        let_go(entry);
    }
    return status;
}
