/*
 * identity.h - users as the gate keeps them in memory. Internal to this folder.
 *
 * A cache from access key id to an unchangeable snapshot of its user, with the policy compiled, and
 * the signing keys that proved right. It is filled on demand and dropped whole when the users'
 * version changes, so a change takes effect with the next request. Only access keys that exist take
 * a place in it, and at most LST_IDENTITIES_MAX of them.
 *
 * One mutex guards all of it; it is held for some ten nanoseconds to find an identity and copy a
 * signing key.
 */
#ifndef LST_GATE_IDENTITY_H
#define LST_GATE_IDENTITY_H

#include "gate/gate.h"

#include <pthread.h>
#include <stdatomic.h>

#define LST_IDENTITIES_MAX    2048
#define LST_IDENTITY_BUCKETS  4096 /* a power of 2 */
#define LST_IDENTITY_KEYS_MAX 8    /* signing keys: days and regions in use at the same time */

struct lst_identity {
    atomic_uint references;
    struct lst_identity *next; /* in its bucket */
    struct lst_user user;      /* of its keys, only the one asked for, in keys[0]; no policy text */
    struct lst_access_policy *policy;                   /* NULL if the user has none */
    struct lst_key signing_keys[LST_IDENTITY_KEYS_MAX]; /* guarded by the cache's mutex */
    unsigned signing_key_count;                         /* ever added; the oldest is replaced */
};

struct lst_identity_cache {
    struct lst_users *users;
    pthread_mutex_t mutex;
    uint64_t version; /* of the users, when the entries were made or later */
    size_t count;
    struct lst_identity *buckets[LST_IDENTITY_BUCKETS];
};

LST_MUST_CHECK int lst_identity_cache_init(struct lst_identity_cache *cache,
                                           struct lst_users *users);
void lst_identity_cache_release(struct lst_identity_cache *cache);

/*
 * The identity of auth's access key, to be released, and, if there is one already, the signing key
 * for auth's scope: *ret_has_key. LST_REFUSED_ACCESS_KEY_UNKNOWN, or a code of
 * lst_users_find_key().
 */
LST_MUST_CHECK int lst_identity_find(struct lst_identity_cache *cache, const struct lst_auth *auth,
                                     struct lst_identity **ret_identity, struct lst_key *ret_key,
                                     bool *ret_has_key);

/* Keep a signing key, once a signature has proved that the holder of the secret uses its scope. */
void lst_identity_keep_key(struct lst_identity_cache *cache, struct lst_identity *identity,
                           const struct lst_key *key);

/* NULL does nothing. */
void lst_identity_release(struct lst_identity *identity);

#endif
