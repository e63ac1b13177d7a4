/* identity.c - users as the gate keeps them in memory. */
#include "gate/identity.h"

#include <stdlib.h>

/* FNV-1a. Only keys that exist are in the table, so nobody can choose what collides. */
static size_t bucket_of(struct lst_slice access_key_id)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < access_key_id.length; i++) {
        hash = (hash ^ (uint8_t)access_key_id.bytes[i]) * UINT64_C(1099511628211);
    }
    return (hash ^ hash >> 32) & (LST_IDENTITY_BUCKETS - 1);
}

int lst_identity_cache_init(struct lst_identity_cache *cache, struct lst_users *users)
{
    cache->users = users;
    cache->version = lst_users_version(users);
    return pthread_mutex_init(&cache->mutex, NULL) == 0 ? LST_OK : LST_ERR_NO_MEMORY;
}

void lst_identity_release(struct lst_identity *identity)
{
    if (identity == NULL ||
        atomic_fetch_sub_explicit(&identity->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    lst_user_release(&identity->user);
    lst_access_policy_free(identity->policy);
    lst_wipe(identity->signing_keys, sizeof(identity->signing_keys));
    free(identity);
}

static void drop_all(struct lst_identity_cache *cache)
{
    for (size_t i = 0; i < LST_IDENTITY_BUCKETS && cache->count > 0; i++) {
        while (cache->buckets[i] != NULL) {
            struct lst_identity *identity = cache->buckets[i];
            cache->buckets[i] = identity->next;
            cache->count--;
            lst_identity_release(identity);
        }
    }
}

void lst_identity_cache_release(struct lst_identity_cache *cache)
{
    drop_all(cache);
    pthread_mutex_destroy(&cache->mutex);
}

static struct lst_identity *find_cached(struct lst_identity_cache *cache, size_t bucket,
                                        const char *access_key_id)
{
    struct lst_identity *identity = cache->buckets[bucket];

    while (identity != NULL && strcmp(identity->user.keys[0].access_key_id, access_key_id) != 0) {
        identity = identity->next;
    }
    return identity;
}

/* The user's keys but the one asked for are dropped: what is not needed should not be in memory. */
static void keep_one_key(struct lst_user *user, const char *access_key_id)
{
    struct lst_user_key key = {0};

    for (size_t i = 0; i < user->key_count; i++) {
        if (strcmp(user->keys[i].access_key_id, access_key_id) == 0) {
            key = user->keys[i];
        }
    }
    lst_wipe(user->keys, sizeof(user->keys));
    user->keys[0] = key;
    user->key_count = 1;
    lst_wipe(&key, sizeof(key));
}

/* Make an identity from what is stored now; the caller holds its only reference. */
static int load(struct lst_users *users, const char *access_key_id,
                struct lst_identity **ret_identity)
{
    struct lst_identity *identity = calloc(1, sizeof(*identity));
    int status;

    if (identity == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    atomic_init(&identity->references, 1);
    status = lst_users_find_key(users, lst_slice_of(access_key_id), &identity->user);
    if (status == LST_OK) {
        keep_one_key(&identity->user, access_key_id);
        if (identity->user.policy != NULL) {
            status = lst_access_policy_parse(lst_slice_of(identity->user.policy), &identity->policy,
                                             NULL);
            /* It was checked when it was set, so it is the record that is damaged. */
            status = status == LST_ERR_POLICY ? LST_ERR_CORRUPT : status;
        }
        free(identity->user.policy);
        identity->user.policy = NULL;
    }
    if (status != LST_OK) {
        lst_identity_release(identity);
        return status == LST_ERR_USER_NOT_FOUND ? LST_REFUSED_ACCESS_KEY_UNKNOWN : status;
    }
    *ret_identity = identity;
    return LST_OK;
}

/*
 * Put a fresh identity into the cache, unless the cache has moved on to another version of the
 * users than the one it was read under (or later than), or another thread was faster.
 */
static void insert(struct lst_identity_cache *cache, size_t bucket, uint64_t version,
                   struct lst_identity *identity)
{
    pthread_mutex_lock(&cache->mutex);
    if (cache->version == version &&
        find_cached(cache, bucket, identity->user.keys[0].access_key_id) == NULL) {
        /* Full: begin afresh, which is rare, and cheaper on the whole than to keep account of use.
         */
        if (cache->count >= LST_IDENTITIES_MAX) {
            drop_all(cache);
        }
        atomic_fetch_add_explicit(&identity->references, 1, memory_order_relaxed);
        identity->next = cache->buckets[bucket];
        cache->buckets[bucket] = identity;
        cache->count++;
    }
    pthread_mutex_unlock(&cache->mutex);
}

/* Copy the signing key of that scope, if it is kept. */
static bool find_signing_key(const struct lst_identity *identity, const struct lst_auth *auth,
                             struct lst_key *ret_key)
{
    struct lst_slice day = lst_slice_of(auth->day);
    struct lst_slice region = lst_slice_of(auth->region);
    struct lst_slice service = lst_slice_of(auth->service);

    for (unsigned i = 0; i < identity->signing_key_count && i < LST_IDENTITY_KEYS_MAX; i++) {
        if (lst_key_fits(&identity->signing_keys[i], day, region, service)) {
            *ret_key = identity->signing_keys[i];
            return true;
        }
    }
    return false;
}

int lst_identity_find(struct lst_identity_cache *cache, const struct lst_auth *auth,
                      struct lst_identity **ret_identity, struct lst_key *ret_key,
                      bool *ret_has_key)
{
    size_t bucket = bucket_of(lst_slice_of(auth->access_key_id));
    /* Read before anything else: what is found or read afterwards is at least as new. */
    uint64_t version = lst_users_version(cache->users);
    struct lst_identity *identity;
    int status;

    pthread_mutex_lock(&cache->mutex);
    if (cache->version != version) {
        drop_all(cache);
        cache->version = version;
    }
    identity = find_cached(cache, bucket, auth->access_key_id);
    if (identity != NULL) {
        atomic_fetch_add_explicit(&identity->references, 1, memory_order_relaxed);
        *ret_has_key = find_signing_key(identity, auth, ret_key);
        *ret_identity = identity;
    }
    pthread_mutex_unlock(&cache->mutex);
    if (identity != NULL) {
        return LST_OK;
    }
    status = load(cache->users, auth->access_key_id, &identity);
    if (status != LST_OK) {
        return status;
    }
    insert(cache, bucket, version, identity);
    *ret_has_key = false;
    *ret_identity = identity;
    return LST_OK;
}

void lst_identity_keep_key(struct lst_identity_cache *cache, struct lst_identity *identity,
                           const struct lst_key *key)
{
    pthread_mutex_lock(&cache->mutex);
    identity->signing_keys[identity->signing_key_count % LST_IDENTITY_KEYS_MAX] = *key;
    identity->signing_key_count++;
    pthread_mutex_unlock(&cache->mutex);
}
