/* versions_test.c - thousands of random writes and deletions: after each, what can be listed and
 * read is what a plain model of S3's rules says. */
#include "store_fixture.h"
#include "version_model.h"

enum { STEPS = 700, LISTING_MAX = MODEL_KEYS * MODEL_VERSIONS };

static struct model model;
static uint64_t seed = 7;

static size_t pick(size_t count)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(seed >> 33) % count;
}

static void make_keys(void)
{
    static const char *const texts[] = {"a",  "a\\0", "a\\0\\0", "a\\0b", "a\1",
                                        "ab", "b",    "b/1",     "b/2",   "c/d/e"};
    size_t i = 0;

    for (; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct model_key *key = &model.keys[i];
        for (const char *at = texts[i]; *at != '\0'; at++) {
            bool is_nul = at[0] == '\\' && at[1] == '0';
            key->bytes[key->length++] = is_nul ? '\0' : *at;
            at += is_nul ? 1 : 0;
        }
    }
    /* As long as a key can be; of one every byte must be escaped. */
    for (; i < MODEL_KEYS; i++) {
        model.keys[i].length = LST_STORE_KEY_MAX;
        memset(model.keys[i].bytes, 'z', LST_STORE_KEY_MAX);
        memset(model.keys[i].bytes + 1, 0, LST_STORE_KEY_MAX - 1);
        model.keys[i].bytes[LST_STORE_KEY_MAX - 1] = (char)(i == MODEL_KEYS - 1);
    }
}

static struct model_key *pick_key(void)
{
    return &model.keys[pick(MODEL_KEYS)];
}

/* ---- Changes */

static bool put(struct fixture *fixture, struct model_key *key)
{
    static const size_t sizes[] = {0, 10, 100, 9000};
    struct model_version version = {.seed = pick(1000), .size = sizes[pick(4)]};
    struct lst_put_options options = {.bucket = slice("model"), .key = model_key_slice(key)};
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    struct lst_put *put = NULL;
    char *bytes = fixture_bytes(version.size, version.seed);
    int expected = 0;
    int status;

    if (pick(5) == 0) {
        options.condition.only_if_absent = true;
        expected = model_has_object(key) ? LST_ERR_PRECONDITION : 0;
    } else if (pick(5) == 0) {
        options.condition.if_match = slice("*");
        expected = model_has_object(key) ? 0 : LST_ERR_KEY_NOT_FOUND;
    }
    status = lst_put_begin(fixture->store, &options, &put);
    if (status == 0) {
        status = lst_put_write(put, lst_slice_make(bytes, version.size));
        lst_put_commit(put, &write);
        status = status == 0 ? waiter_wait(&waiter) : status;
    }
    free(bytes);
    if (status != 0) {
        return status == expected;
    }
    version.id = write.version;
    if (model.versioning != LST_VERSIONING_ENABLED) {
        if (write.version.length != (model.versioning == LST_VERSIONING_NEVER ? 0 : 4)) {
            return false;
        }
        version.id = (struct lst_version_id){4, "null"};
    }
    model_push(&model, key, &version);
    return expected == 0;
}

/* What the model says of one deletion; *ret_deletes: of the object, not of a version. */
static bool delete_in_model(struct model_key *key, const struct lst_deletion *deletion,
                            bool *ret_deletes)
{
    struct model_version *version;

    *ret_deletes = deletion->version.length == 0;
    if (*ret_deletes) {
        return deletion->status == 0 &&
               deletion->is_marker == (model.versioning != LST_VERSIONING_NEVER);
    }
    version = model_find(key, deletion->version);
    return deletion->status == 0 &&
           lst_slice_equal(lst_version_id_slice(&deletion->version_id), deletion->version) &&
           deletion->is_marker == (version != NULL && version->is_marker);
}

static void apply_deletions(struct lst_deletion *deletions, size_t count)
{
    for (size_t k = 0; k < MODEL_KEYS; k++) {
        struct model_key *key = &model.keys[k];
        const struct lst_deletion *plain = NULL;
        for (size_t i = 0; i < count; i++) {
            struct model_version *version;
            if (!lst_slice_equal(deletions[i].key, model_key_slice(key))) {
                continue;
            }
            version = model_find(key, deletions[i].version);
            if (deletions[i].version.length == 0) {
                plain = &deletions[i];
            } else if (version != NULL) {
                model_remove_at(key, (size_t)(version - key->versions));
            }
        }
        if (plain != NULL && model.versioning == LST_VERSIONING_NEVER) {
            key->count = 0;
        } else if (plain != NULL) {
            model_push(&model, key,
                       &(struct model_version){.id = plain->version_id, .is_marker = true});
        }
    }
}

static bool delete_some(struct fixture *fixture)
{
    struct lst_version_id ids[6];
    struct lst_deletion deletions[6] = {0};
    size_t count = pick(3) == 0 ? 1 + pick(6) : 1;
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    struct model_key *key = pick_key();
    bool ok;

    for (size_t i = 0; i < count; i++) {
        key = pick(2) == 0 ? key : pick_key();
        deletions[i].key = model_key_slice(key);
        if (pick(4) > 0) {
            ids[i] = (struct lst_version_id){4, "null"};
            if (key->count > 0 && pick(8) > 0) {
                ids[i] = key->versions[pick(2) == 0 ? 0 : pick(key->count)].id;
            }
            deletions[i].version = lst_version_id_slice(&ids[i]);
        }
    }
    ok = lst_store_delete(fixture->store, slice("model"), deletions, count, &write) == 0 &&
         waiter_wait(&waiter) == 0;
    for (size_t i = 0; i < count && ok; i++) {
        bool deletes;
        for (size_t k = 0; k < MODEL_KEYS; k++) {
            if (lst_slice_equal(deletions[i].key, model_key_slice(&model.keys[k]))) {
                ok = delete_in_model(&model.keys[k], &deletions[i], &deletes);
            }
        }
    }
    apply_deletions(deletions, count);
    return ok;
}

static bool set_versioning(struct fixture *fixture)
{
    enum lst_versioning versioning =
        pick(2) == 0 ? LST_VERSIONING_ENABLED : LST_VERSIONING_SUSPENDED;
    enum lst_versioning got = LST_VERSIONING_NEVER;
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);

    model.versioning = versioning;
    return lst_bucket_set_versioning(fixture->store, slice("model"), versioning, &write) == 0 &&
           waiter_wait(&waiter) == 0 &&
           lst_bucket_versioning(fixture->store, slice("model"), &got) == 0 && got == versioning;
}

static bool set_tags(struct fixture *fixture, struct model_key *key)
{
    struct lst_field tags[2] = {{slice("one"), slice("1")}, {slice("two"), slice("")}};
    struct lst_object_name name = {slice("model"), model_key_slice(key), {NULL, 0}};
    struct model_version *version = key->count == 0 ? NULL : &key->versions[pick(key->count)];
    size_t tag_count = pick(3);
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    int status;

    if (version != NULL) {
        name.version = lst_version_id_slice(&version->id);
    }
    status = lst_object_set_tags(fixture->store, &name, tags, tag_count, &write);
    status = status == 0 ? waiter_wait(&waiter) : status;
    if (version == NULL || version->is_marker) {
        return status == (version == NULL ? LST_ERR_KEY_NOT_FOUND : LST_ERR_DELETE_MARKER);
    }
    version->tag_count = tag_count;
    return status == 0;
}

static bool change(struct fixture *fixture, size_t step)
{
    size_t what = pick(40);

    if (step > 60 && what == 0) {
        return set_versioning(fixture);
    }
    if (what == 1) {
        fixture_reopen(fixture);
        return true;
    }
    if (what < 5) {
        return set_tags(fixture, pick_key());
    }
    return what < 22 ? put(fixture, pick_key()) : delete_some(fixture);
}

/* ---- Reading */

static bool holds(struct lst_object *object, const struct model_version *version)
{
    char *bytes = fixture_bytes(version->size, version->seed);
    bool ok =
        object->size == version->size && object->tag_count == version->tag_count &&
        (object->is_inline ? lst_slice_equal(object->body, lst_slice_make(bytes, version->size))
                           : fixture_blob_holds(object->blob, bytes, version->size));

    free(bytes);
    return ok;
}

/* Opened by this id (or, empty, as the current version) the object is this one. */
static bool opens(struct fixture *fixture, const struct model_key *key, struct lst_slice id,
                  const struct model_version *version)
{
    struct lst_object_name name = {slice("model"), model_key_slice(key), id};
    struct lst_object object;
    int status = lst_object_open(fixture->store, &name, true, &object);
    struct lst_slice shown = lst_version_id_slice(&object.version);
    bool is_shown = model.versioning != LST_VERSIONING_NEVER;
    bool ok;

    if (version == NULL) {
        return status == (id.length > 0 ? LST_ERR_VERSION_NOT_FOUND : LST_ERR_KEY_NOT_FOUND) &&
               (id.length > 0 || !object.is_marker);
    }
    ok = is_shown ? lst_slice_equal(shown, lst_version_id_slice(&version->id)) : shown.length == 0;
    if (version->is_marker) {
        return ok && object.is_marker && object.modified_ms > 0 &&
               status == (id.length > 0 ? LST_ERR_DELETE_MARKER : LST_ERR_KEY_NOT_FOUND);
    }
    if (status != 0) {
        return false;
    }
    ok = ok && holds(&object, version);
    lst_object_close(&object);
    return ok;
}

static bool key_reads(struct fixture *fixture, struct model_key *key)
{
    struct lst_slice null_id = slice("null");
    bool ok =
        opens(fixture, key, lst_slice_make(NULL, 0), key->count == 0 ? NULL : &key->versions[0]) &&
        opens(fixture, key, null_id, model_find(key, null_id));

    for (size_t i = 0; i < key->count && ok; i++) {
        ok = opens(fixture, key, lst_version_id_slice(&key->versions[i].id), &key->versions[i]);
    }
    return ok;
}

/* ---- Listing */

/* Where the listing is in the model. */
struct expected {
    struct lst_slice prefix;
    struct lst_slice delimiter;
    size_t key;
    size_t version;
    bool only_objects;
    bool ok;
    struct lst_slice last_key;
    struct lst_version_id last_version;
    size_t count;
};

static bool common_prefix(const struct expected *expected, struct lst_slice key,
                          struct lst_slice *ret_prefix)
{
    size_t at;

    if (expected->delimiter.length == 0) {
        return false;
    }
    at = lst_slice_find_slice(lst_slice_after(key, expected->prefix.length), expected->delimiter);
    *ret_prefix = lst_slice_first(key, expected->prefix.length + at + expected->delimiter.length);
    return expected->prefix.length + at < key.length;
}

/* The next version that must be listed; NULL: none. */
static const struct model_version *next_expected(struct expected *expected)
{
    for (; expected->key < MODEL_KEYS; expected->key++, expected->version = 0) {
        const struct model_key *key = &model.keys[expected->key];
        size_t count = expected->only_objects ? (size_t)model_has_object(key) : key->count;
        if (expected->version < count &&
            lst_slice_starts_with(model_key_slice(key), expected->prefix)) {
            return &key->versions[expected->version];
        }
    }
    return NULL;
}

/* Pass what is listed next; false if it is not this. */
static bool expect(struct expected *expected, bool is_prefix, struct lst_slice key,
                   const struct model_version **ret_version)
{
    const struct model_version *version = next_expected(expected);
    struct lst_slice common;
    struct lst_slice want;

    if (version == NULL) {
        return false;
    }
    want = model_key_slice(&model.keys[expected->key]);
    if (!common_prefix(expected, want, &common)) {
        expected->last_key = want;
        expected->version++;
        *ret_version = version;
        return !is_prefix && lst_slice_equal(key, want);
    }
    expected->last_key = common;
    while (next_expected(expected) != NULL &&
           lst_slice_starts_with(model_key_slice(&model.keys[expected->key]), common)) {
        expected->key++;
        expected->version = 0;
    }
    *ret_version = NULL;
    return is_prefix && lst_slice_equal(key, common);
}

static int visit_version(void *context, const struct lst_version_entry *entry)
{
    struct expected *expected = context;
    bool is_first = next_expected(expected) != NULL && expected->version == 0;
    const struct model_version *version = NULL;

    expected->ok = expected->ok && expect(expected, entry->is_prefix, entry->key, &version);
    expected->last_version.length = 0;
    if (expected->ok && version != NULL) {
        expected->last_version = entry->version;
        expected->ok = entry->is_latest == is_first && entry->is_marker == version->is_marker &&
                       entry->size == version->size &&
                       entry->etag.length == (version->is_marker ? 0 : 32) &&
                       lst_slice_equal(lst_version_id_slice(&entry->version),
                                       lst_version_id_slice(&version->id));
    }
    expected->count++;
    return 0;
}

static int visit_object(void *context, const struct lst_list_entry *entry)
{
    struct expected *expected = context;
    const struct model_version *version = NULL;

    expected->ok = expected->ok && expect(expected, entry->is_prefix, entry->key, &version) &&
                   (version == NULL || entry->size == version->size);
    return 0;
}

/* Page by page; each goes on where the one before ended. */
static bool lists_versions(struct fixture *fixture, struct lst_slice prefix,
                           struct lst_slice delimiter, size_t page)
{
    struct expected expected = {.prefix = prefix, .delimiter = delimiter, .ok = true};
    bool truncated = true;

    while (truncated && expected.ok) {
        struct lst_version_list_options options = {
            .bucket = slice("model"),
            .prefix = prefix,
            .delimiter = delimiter,
            .after_key = expected.last_key,
            .after_version = lst_version_id_slice(&expected.last_version),
            .max_entries = page,
        };
        expected.count = 0;
        expected.ok = lst_store_list_versions(fixture->store, &options, visit_version, &expected,
                                              &truncated) == 0 &&
                      expected.ok && (truncated ? expected.count == page : expected.count <= page);
    }
    return expected.ok && next_expected(&expected) == NULL;
}

static bool lists_objects(struct fixture *fixture, struct lst_slice prefix,
                          struct lst_slice delimiter)
{
    struct expected expected = {
        .prefix = prefix, .delimiter = delimiter, .only_objects = true, .ok = true};
    struct lst_list_options options = {.bucket = slice("model"),
                                       .prefix = prefix,
                                       .delimiter = delimiter,
                                       .max_entries = LISTING_MAX};
    bool truncated = true;

    return lst_store_list(fixture->store, &options, visit_object, &expected, &truncated) == 0 &&
           expected.ok && !truncated && next_expected(&expected) == NULL;
}

static bool agrees(struct fixture *fixture)
{
    static const char *const prefixes[] = {"", "", "a", "b/", "b", "c/d"};
    struct lst_slice prefix = slice(prefixes[pick(6)]);
    struct lst_slice delimiter = slice(pick(2) == 0 ? "/" : "");
    bool ok =
        lists_versions(fixture, prefix, delimiter, 1 + pick(7)) &&
        lists_versions(fixture, lst_slice_make(NULL, 0), lst_slice_make(NULL, 0), LISTING_MAX) &&
        lists_objects(fixture, prefix, delimiter);

    for (size_t i = 0; i < MODEL_KEYS && ok; i++) {
        ok = key_reads(fixture, &model.keys[i]);
    }
    return ok;
}

static bool delete_everything(struct fixture *fixture)
{
    struct waiter waiter;
    bool ok = true;

    for (size_t k = 0; k < MODEL_KEYS; k++) {
        struct model_key *key = &model.keys[k];
        while (key->count > 0 && ok) {
            struct model_version last = key->versions[pick(key->count)];
            struct lst_deletion deletion = {
                model_key_slice(key), lst_version_id_slice(&last.id), {NULL, 0}, 0, false, {0}};
            struct lst_store_write write = waiter_write(&waiter);
            ok = lst_store_delete(fixture->store, slice("model"), &deletion, 1, &write) == 0 &&
                 waiter_wait(&waiter) == 0;
            apply_deletions(&deletion, 1);
        }
    }
    return ok;
}

int main(void)
{
    struct fixture fixture = fixture_open();
    struct lst_store_census census = {0};
    size_t versions = 0;
    bool changed = true;
    bool ok = true;
    int step = 0;

    make_keys();
    CHECK(fixture_make_bucket(&fixture, "model") == 0, "a bucket is made");
    for (; step < STEPS && changed && ok; step++) {
        changed = change(&fixture, (size_t)step);
        ok = agrees(&fixture);
    }
    CHECK(changed, "every write and deletion tells what became of it (step %d)", step);
    CHECK(ok, "after each, all versions are listed and read as S3's rules have it (step %d)", step);
    for (size_t i = 0; i < MODEL_KEYS; i++) {
        versions += model.keys[i].count;
    }
    CHECK(versions > 20, "with %zu versions at the end", versions);
    CHECK(fixture_delete_bucket(&fixture, "model") == LST_ERR_BUCKET_NOT_EMPTY,
          "a bucket with versions is not empty");
    CHECK(lst_store_check(fixture.store, fixture_show_fault, NULL, &census) == 0 &&
              census.faults == 0 && census.orphan_blobs == 0,
          "the check finds nothing wrong");
    CHECK(delete_everything(&fixture) && agrees(&fixture), "all versions are deleted");
    CHECK(fixture_delete_bucket(&fixture, "model") == 0 && fixture_wait_blob_files(&fixture, 0),
          "then the bucket is, and no blob is left");
    fixture_close(&fixture);
    return tap_done();
}
