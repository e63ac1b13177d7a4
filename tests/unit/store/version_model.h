/* version_model.h - what S3 says of versions, on plain arrays: the store is held against it. */
#ifndef LST_TESTS_VERSION_MODEL_H
#define LST_TESTS_VERSION_MODEL_H

#include "store/store.h"

enum { MODEL_KEYS = 12, MODEL_VERSIONS = 200 };

struct model_version {
    struct lst_version_id id; /* "null", or as the store gave it */
    bool is_marker;
    uint64_t seed; /* of its body */
    size_t size;
    size_t tag_count;
};

struct model_key {
    size_t length;
    char bytes[LST_STORE_KEY_MAX];
    size_t count;
    struct model_version versions[MODEL_VERSIONS]; /* newest first */
};

struct model {
    enum lst_versioning versioning;
    struct model_key keys[MODEL_KEYS]; /* in their order */
};

static inline struct lst_slice model_key_slice(const struct model_key *key)
{
    return lst_slice_make(key->bytes, key->length);
}

static inline bool model_is_null(const struct model_version *version)
{
    return lst_slice_equal(lst_version_id_slice(&version->id), lst_slice_make("null", 4));
}

static inline void model_remove_at(struct model_key *key, size_t at)
{
    key->count--;
    memmove(&key->versions[at], &key->versions[at + 1],
            (key->count - at) * sizeof(key->versions[0]));
}

static inline struct model_version *model_find(struct model_key *key, struct lst_slice id)
{
    for (size_t i = 0; i < key->count; i++) {
        if (lst_slice_equal(lst_version_id_slice(&key->versions[i].id), id)) {
            return &key->versions[i];
        }
    }
    return NULL;
}

static inline void model_remove_null(struct model_key *key)
{
    for (size_t i = 0; i < key->count; i++) {
        if (model_is_null(&key->versions[i])) {
            model_remove_at(key, i);
            return;
        }
    }
}

/* "Working with objects in a versioning-enabled bucket" and "... versioning-suspended bucket" of
 * the User Guide: a new version, object or marker, of this id in a bucket that has versioning. */
static inline void model_push(struct model *model, struct model_key *key,
                              const struct model_version *version)
{
    if (model->versioning != LST_VERSIONING_ENABLED) {
        model_remove_null(key);
    }
    memmove(&key->versions[1], &key->versions[0], key->count * sizeof(key->versions[0]));
    key->versions[0] = *version;
    key->count++;
}

static inline bool model_has_object(const struct model_key *key)
{
    return key->count > 0 && !key->versions[0].is_marker;
}

#endif
