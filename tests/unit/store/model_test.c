/*
 * model_test.c - random operations on objects, versions, uploads and copies, held against a model,
 * seed by seed. LST_FULL=1: 10,000 seeds; LST_SEED=N: that one alone.
 *
 * With STRANGE_ENGINE (tests/engine/), a rival changes something between any two readings of an
 * operation, and whether a batch was applied is not always known. Then an answer is right if it was
 * right at some time of the operation, and what is not known is looked up.
 */
#include "upload_fixture.h"

#ifdef STRANGE_ENGINE
#include "../../engine/strange.h"
#endif

enum {
    KEYS = 4,
    STEPS = 25,
    VERSIONS_MAX = 4096, /* of a bucket, from its beginning */
    SEEDS_A_STORE = 25,
    SMALL = 300,
    LARGE = LST_STORE_INLINE_MAX + 1000,
};

/* One version or delete marker, from its birth to its death. */
struct life {
    size_t key;
    bool is_marker;
    size_t size;
    uint64_t born;
    uint64_t died; /* 0: it is there */
    struct lst_version_id id;
    size_t etag_length;
    char etag[LST_ETAG_MAX];
};

struct model {
    struct fixture *fixture;
    uint64_t random;
    char bucket[32];
    enum lst_versioning versioning;
    uint64_t now; /* changes so far */
    size_t sizes; /* that were given out */
    size_t count;
    struct life lives[VERSIONS_MAX];
    struct upload upload;
    bool has_upload;
    bool is_at_it;   /* an operation is: a rival may act */
    bool has_failed; /* and said so */
    uint64_t seed;
    char log[4096]; /* what was done */
    size_t log_length;
};

static char keys[KEYS][700] = {"a", "a/b", "b"}; /* and a long one */

static uint64_t chance(struct model *model, uint64_t below)
{
    model->random = model->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (model->random >> 33) % below;
}

static void note(struct model *model, const char *what, size_t key, int status)
{
    int length = snprintf(model->log + model->log_length, sizeof(model->log) - model->log_length,
                          " %s%zu=%d", what, key, status);

    if (length > 0 && model->log_length + (size_t)length < sizeof(model->log)) {
        model->log_length += (size_t)length;
    }
}

static void fail(struct model *model, const char *what)
{
    if (!model->has_failed) {
        CHECK(false, "seed %d: %s", (int)model->seed, what);
        printf("#%s\n", model->log);
    }
    model->has_failed = true;
}

/* ---- The model */

static bool is_null(const struct life *life)
{
    return lst_slice_equal(lst_version_id_slice(&life->id), slice("null"));
}

static struct life *head_of(struct model *model, size_t key)
{
    struct life *head = NULL;

    for (size_t i = 0; i < model->count; i++) {
        if (model->lives[i].key == key && model->lives[i].died == 0) {
            head = &model->lives[i];
        }
    }
    return head;
}

static struct life *object_of(struct model *model, size_t key)
{
    struct life *head = head_of(model, key);

    return head == NULL || head->is_marker ? NULL : head;
}

static void kill_life(struct model *model, struct life *life)
{
    if (life != NULL && life->died == 0) {
        life->died = ++model->now;
    }
}

static void kill_null(struct model *model, size_t key)
{
    for (size_t i = 0; i < model->count; i++) {
        if (model->lives[i].key == key && is_null(&model->lives[i])) {
            kill_life(model, &model->lives[i]);
        }
    }
}

/* "Working with objects in a versioning-enabled bucket", and "-suspended", of the User Guide. What
 * goes and what comes do so at once. */
static void push(struct model *model, size_t key, bool is_marker, size_t size,
                 const struct lst_store_write *write)
{
    struct life *life = &model->lives[model->count];

    if (model->versioning != LST_VERSIONING_ENABLED) {
        kill_null(model, key);
    }
    if (is_marker && model->versioning == LST_VERSIONING_NEVER) {
        return;
    }
    *life = (struct life){.key = key, .is_marker = is_marker, .size = size, .born = ++model->now};
    model->count++;
    life->id = write->version;
    if (model->versioning != LST_VERSIONING_ENABLED) {
        life->id.length = 4;
        memcpy(life->id.text, "null", 4);
    }
    life->etag_length = is_marker ? 0 : write->etag_length;
    memcpy(life->etag, write->etag, sizeof(life->etag));
}

/* ---- What is stored */

struct seen {
    struct model *model;
    uint64_t from; /* the time when the reading began */
    size_t count;
    size_t key_before;
    const struct life *found[VERSIONS_MAX];
};

static size_t key_number(struct lst_slice key)
{
    for (size_t i = 0; i < KEYS; i++) {
        if (lst_slice_equal(key, slice(keys[i]))) {
            return i;
        }
    }
    return KEYS;
}

static bool was_there(const struct life *life, uint64_t from)
{
    return life->died == 0 || life->died > from;
}

static int see_version(void *context, const struct lst_version_entry *entry)
{
    struct seen *seen = context;
    struct model *model = seen->model;
    size_t key = key_number(entry->key);

    for (size_t i = 0; i < model->count; i++) {
        const struct life *life = &model->lives[i];
        if (life->key == key && was_there(life, seen->from) &&
            life->is_marker == entry->is_marker && life->size == entry->size &&
            lst_slice_equal(lst_version_id_slice(&life->id),
                            lst_version_id_slice(&entry->version)) &&
            (life->is_marker ||
             lst_slice_equal(entry->etag, lst_slice_make(life->etag, life->etag_length)))) {
            seen->found[seen->count++] = life;
            return LST_OK;
        }
    }
    fail(model, "a version is listed that was not there");
    return LST_OK;
}

static void check_seen(struct model *model, const struct seen *seen)
{
    for (size_t i = 0; i < model->count && !model->has_failed; i++) {
        const struct life *life = &model->lives[i];
        size_t times = 0;
        for (size_t j = 0; j < seen->count; j++) {
            times += seen->found[j] == life;
        }
        if (times > 1) {
            fail(model, "a version is listed twice");
        } else if (times == 0 && life->born <= seen->from && life->died == 0) {
            fail(model, "a version that stayed is not listed");
        }
    }
    for (size_t j = 1; j < seen->count && !model->has_failed; j++) {
        const struct life *before = seen->found[j - 1];
        const struct life *life = seen->found[j];
        int order = strcmp(keys[before->key], keys[life->key]);
        /* One null marker in place of another can't be told from it. */
        bool is_one =
            !(before->is_marker && is_null(before)) && !(life->is_marker && is_null(life));
        if (order > 0 || (order == 0 && is_one && before->born < life->born)) {
            fail(model, "the versions are listed in another order");
        }
    }
}

static void list_versions(struct model *model)
{
    static struct seen seen;
    struct lst_version_list_options options = {.bucket = slice(model->bucket),
                                               .max_entries = VERSIONS_MAX};
    bool truncated = false;

    seen = (struct seen){.model = model, .from = model->now};
    if (lst_store_list_versions(model->fixture->store, &options, see_version, &seen, &truncated) !=
        LST_OK) {
        fail(model, "the versions can't be listed");
    }
    check_seen(model, &seen);
}

/* A listing of objects: whether each key is there, and as what. */
struct objects {
    bool is_listed[KEYS];
    size_t size[KEYS];
    size_t count;
};

static int see_object(void *context, const struct lst_list_entry *entry)
{
    struct objects *objects = context;
    size_t key = key_number(entry->key);

    objects->count++;
    if (key < KEYS) {
        objects->is_listed[key] = true;
        objects->size[key] = (size_t)entry->size;
    }
    return LST_OK;
}

static bool has_changed_since(const struct model *model, size_t key, uint64_t from)
{
    for (size_t i = 0; i < model->count; i++) {
        if (model->lives[i].key == key &&
            (model->lives[i].born > from || model->lives[i].died > from)) {
            return true;
        }
    }
    return false;
}

static void list_objects(struct model *model)
{
    struct lst_list_options options = {.bucket = slice(model->bucket), .max_entries = 100};
    struct objects objects = {.count = 0};
    uint64_t from = model->now;
    size_t listed = 0;
    bool truncated;

    if (lst_store_list(model->fixture->store, &options, see_object, &objects, &truncated) !=
        LST_OK) {
        fail(model, "the objects can't be listed");
    }
    for (size_t key = 0; key < KEYS; key++) {
        const struct life *object = object_of(model, key);
        listed += objects.is_listed[key];
        if (!has_changed_since(model, key, from) &&
            (objects.is_listed[key] != (object != NULL) ||
             (object != NULL && object->size != objects.size[key]))) {
            fail(model, "an object is not listed as it is");
        }
    }
    if (listed != objects.count) {
        fail(model, "an object is listed twice");
    }
}

/* Read an object, or one of its versions: any that was there meanwhile. */
static void get(struct model *model, size_t key, const struct life *wanted)
{
    struct lst_version_id id = {.length = 0};
    struct lst_object_name name = {slice(model->bucket), slice(keys[key]), {NULL, 0}};
    uint64_t from = model->now;
    struct lst_object object;
    bool is_right = false;
    int status;

    if (wanted != NULL) {
        id = wanted->id;
        name.version = lst_version_id_slice(&id);
    }
    status = lst_object_open(model->fixture->store, &name, true, &object);
    note(model, wanted != NULL ? "getv" : "get", key, status);
    for (size_t i = 0; i < model->count && status == LST_OK; i++) {
        const struct life *life = &model->lives[i];
        is_right = is_right ||
                   (life->key == key && was_there(life, from) && !life->is_marker &&
                    life->size == object.size &&
                    lst_slice_equal(object.etag, lst_slice_make(life->etag, life->etag_length)));
    }
    if (status == LST_OK) {
        lst_object_close(&object);
    } else if (wanted != NULL) {
        is_right = wanted->died != 0 || (wanted->is_marker && status == LST_ERR_DELETE_MARKER);
    } else {
        is_right = status == LST_ERR_KEY_NOT_FOUND &&
                   (object_of(model, key) == NULL || has_changed_since(model, key, from));
    }
    if (!is_right) {
        fail(model, "what is read was not there at any time, or is there and is not read");
    }
}

/* ---- What is not known is looked up: nothing else goes on meanwhile */

struct look {
    struct model *model;
    size_t key;
    struct lst_version_entry first; /* without its slices */
    size_t etag_length;             /* its ETag */
    char etag[LST_ETAG_MAX];
    bool has_first;
    size_t count;
};

static int look_at(void *context, const struct lst_version_entry *entry)
{
    struct look *look = context;

    if (key_number(entry->key) == look->key) {
        if (look->count++ == 0) {
            struct lst_slice etag = lst_slice_first(entry->etag, sizeof(look->etag));
            look->first = *entry;
            look->etag_length = etag.length;
            if (etag.length > 0) {
                memcpy(look->etag, etag.bytes, etag.length);
            }
            look->has_first = true;
        }
    }
    return LST_OK;
}

static size_t alive(const struct model *model, size_t key)
{
    size_t count = 0;

    for (size_t i = 0; i < model->count; i++) {
        count += model->lives[i].key == key && model->lives[i].died == 0;
    }
    return count;
}

static struct look look_up(struct model *model, size_t key)
{
    struct lst_version_list_options options = {
        .bucket = slice(model->bucket), .prefix = slice(keys[key]), .max_entries = VERSIONS_MAX};
    struct look look = {.model = model, .key = key};
    bool truncated;
    bool was_at_it = model->is_at_it;

    model->is_at_it = false;
    if (lst_store_list_versions(model->fixture->store, &options, look_at, &look, &truncated) !=
        LST_OK) {
        fail(model, "a key can't be looked up");
    }
    model->is_at_it = was_at_it;
    return look;
}

/* Whether the newest version of the key is one that the model does not know. A copy of a null
 * version onto itself is told by its ETag alone, if that was one of an upload in parts. */
static bool is_new(const struct model *model, const struct look *look)
{
    for (size_t i = 0; i < model->count && look->has_first; i++) {
        const struct life *life = &model->lives[i];
        if (life->key == look->key && life->died == 0 &&
            lst_slice_equal(lst_version_id_slice(&life->id),
                            lst_version_id_slice(&look->first.version)) &&
            life->is_marker == look->first.is_marker && life->size == look->first.size &&
            lst_slice_equal(lst_slice_make(look->etag, look->etag_length),
                            lst_slice_make(life->etag, life->etag_length))) {
            return false;
        }
    }
    return look->has_first;
}

/* ---- Operations */

static bool happened(struct model *model, int status, const char *what, size_t key)
{
    note(model, what, key, status);
    if (status != LST_OK && status != LST_ERR_UNKNOWN) {
        fail(model, "an operation fails");
    }
    return status == LST_OK;
}

/* Sizes differ from each other, so that what is stored tells what was put. */
static size_t new_size(struct model *model)
{
    return (chance(model, 10) == 0 ? LARGE : SMALL) + ++model->sizes;
}

/* A write of an object has ended. */
static void written(struct model *model, size_t key, size_t size, int status,
                    struct lst_store_write *write, const char *what)
{
    if (happened(model, status, what, key)) {
        push(model, key, false, size, write);
    } else if (status == LST_ERR_UNKNOWN) {
        struct look look = look_up(model, key);
        if (look.has_first && !look.first.is_marker && look.first.size == size &&
            is_new(model, &look)) {
            struct lst_object object;
            struct lst_object_name name = {slice(model->bucket), slice(keys[key]), {NULL, 0}};
            write->version = look.first.version;
            write->etag_length = 0;
            model->is_at_it = false;
            if (lst_object_open(model->fixture->store, &name, true, &object) == LST_OK) {
                write->etag_length = object.etag.length;
                memcpy(write->etag, object.etag.bytes, object.etag.length);
                lst_object_close(&object);
            } else {
                fail(model, "what was written perhaps is there, and can't be read");
            }
            model->is_at_it = true;
            push(model, key, false, size, write);
        }
    }
}

static void put(struct model *model, size_t key)
{
    size_t size = new_size(model);
    char *bytes = fixture_bytes(size, model->random);
    struct lst_put_options options = {
        .bucket = slice(model->bucket), .key = slice(keys[key]), .size_known = true, .size = size};
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    struct lst_put *one;
    int status = lst_put_begin(model->fixture->store, &options, &one);

    if (status == LST_OK) {
        status = lst_put_write(one, lst_slice_make(bytes, size));
        lst_put_commit(one, &write);
        status = status == LST_OK ? waiter_wait(&waiter) : status;
    }
    written(model, key, size, status, &write, "put");
    free(bytes);
}

static void copy(struct model *model, size_t key)
{
    struct lst_object_name name = {
        slice(model->bucket), slice(keys[chance(model, KEYS)]), {NULL, 0}};
    struct lst_put_options options = {.bucket = slice(model->bucket), .key = slice(keys[key])};
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    struct lst_copy copying = {.first = 0};
    struct lst_object source;
    struct lst_put *one;
    size_t size;
    int status = lst_object_open(model->fixture->store, &name, true, &source);

    if (status != LST_OK) {
        return;
    }
    size = (size_t)source.size;
    options.size_known = true;
    options.size = size;
    copying.source = &source;
    copying.length = size;
    status = lst_put_begin(model->fixture->store, &options, &one);
    if (status == LST_OK) {
        lst_put_copy(one, &copying, &write);
        status = waiter_wait(&waiter);
    } else {
        lst_object_close(&source);
    }
    if (status == LST_ERR_CONFLICT) {
        return; /* the source was overwritten meanwhile */
    }
    written(model, key, size, status, &write, "copy");
}

static int delete_now(struct model *model, struct lst_deletion *deletion)
{
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    int status = lst_store_delete(model->fixture->store, slice(model->bucket), deletion, 1, &write);

    return status == LST_OK ? waiter_wait(&waiter) : status;
}

static void delete_object(struct model *model, size_t key)
{
    struct lst_deletion deletion = {.key = slice(keys[key])};
    struct lst_store_write write = {.etag_length = 0};
    uint64_t from = model->now;
    int status = delete_now(model, &deletion);
    bool is_certain = happened(model, status, "delete", key);
    struct look look;

    /* Without versioning it may have come before what a rival put. */
    if (is_certain && (model->versioning != LST_VERSIONING_NEVER || model->now == from)) {
        write.version = deletion.version_id;
        push(model, key, true, 0, &write);
        return;
    }
    look = look_up(model, key);
    if (model->versioning == LST_VERSIONING_NEVER) {
        if (look.count == 0) {
            kill_life(model, head_of(model, key));
        }
    } else if (look.has_first && look.first.is_marker && is_new(model, &look)) {
        write.version = look.first.version;
        push(model, key, true, 0, &write);
    } else if (look.count < alive(model, key)) {
        fail(model, "a delete that perhaps happened took a version away");
    }
}

static struct life *any_life(struct model *model)
{
    return model->count == 0 ? NULL : &model->lives[chance(model, model->count)];
}

static void delete_version(struct model *model)
{
    struct life *life = any_life(model);
    struct lst_deletion deletion;
    struct lst_version_id id;
    size_t before;
    int status;

    if (life == NULL || is_null(life)) {
        return;
    }
    id = life->id;
    deletion =
        (struct lst_deletion){.key = slice(keys[life->key]), .version = lst_version_id_slice(&id)};
    status = delete_now(model, &deletion);
    before = alive(model, life->key);
    if (happened(model, status, "deletev", life->key) || look_up(model, life->key).count < before) {
        kill_life(model, life);
    }
}

static void set_versioning(struct model *model)
{
    enum lst_versioning versioning =
        chance(model, 2) == 0 ? LST_VERSIONING_ENABLED : LST_VERSIONING_SUSPENDED;
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    int status =
        lst_bucket_set_versioning(model->fixture->store, slice(model->bucket), versioning, &write);

    status = status == LST_OK ? waiter_wait(&waiter) : status;
    if (happened(model, status, "versioning", versioning)) {
        model->versioning = versioning;
        return;
    }
    model->is_at_it = false;
    if (lst_bucket_versioning(model->fixture->store, slice(model->bucket), &model->versioning) !=
        LST_OK) {
        fail(model, "the versioning can't be read");
    }
    model->is_at_it = true;
}

static void set_tags(struct model *model, size_t key)
{
    struct lst_field tag = {slice("kind"), slice("film")};
    struct lst_object_name name = {slice(model->bucket), slice(keys[key]), {NULL, 0}};
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    int status = lst_object_set_tags(model->fixture->store, &name, &tag, 1, &write);

    status = status == LST_OK ? waiter_wait(&waiter) : status;
    if (status != LST_ERR_KEY_NOT_FOUND && status != LST_ERR_DELETE_MARKER) {
        (void)happened(model, status, "tags", key);
    }
}

/* Begin one with a part, or go on with the one that is there. */
static void upload(struct model *model, size_t key)
{
    struct upload *one = &model->upload;
    size_t size = new_size(model);
    char *bytes = fixture_bytes(size, model->random);
    int status;

    if (!model->has_upload) {
        status = upload_begin(model->fixture, one, model->bucket, keys[key]);
        note(model, "begin", key, status);
        if (status == LST_OK) {
            status = upload_part(model->fixture, one, 1 + (uint32_t)chance(model, 5), bytes, size);
            note(model, "part", key, status);
            if (status == LST_ERR_UPLOAD_NOT_FOUND) {
                fail(model, "an upload that was just begun is not there");
            }
        }
        model->has_upload = status == LST_OK;
        one->total_max = 0;
        one->culprit = (uint32_t)size;
    } else if (chance(model, 4) == 0) {
        status = upload_abort(model->fixture, one);
        (void)happened(model, status, "abort", key);
        model->has_upload = false;
    } else {
        size_t length = one->culprit;
        uint64_t from;
        key = key_number(slice(one->key));
        status = upload_complete(model->fixture, one);
        written(model, key, length, status, &one->write, "complete");
        /* Again: it is the same object, if it is still there. */
        if (status == LST_OK) {
            from = model->now;
            status = upload_complete(model->fixture, one);
            note(model, "again", key, status);
            if (status != LST_OK && status != LST_ERR_UNKNOWN &&
                !has_changed_since(model, key, from)) {
                fail(model, "an upload that was completed can't be completed again");
            }
        }
        model->has_upload = false;
    }
    free(bytes);
}

static void write_something(struct model *model)
{
    size_t key = chance(model, KEYS);

    switch (chance(model, 9)) {
    case 0:
    case 1:
    case 2:
        put(model, key);
        break;
    case 3:
    case 4:
        delete_object(model, key);
        break;
    case 5:
        copy(model, key);
        break;
    case 6:
        set_tags(model, key);
        break;
    default:
        delete_version(model);
        break;
    }
}

static void step(struct model *model)
{
    struct life *life;
    size_t key = chance(model, KEYS);

    switch (chance(model, 12)) {
    case 0:
        list_versions(model);
        break;
    case 1:
        list_objects(model);
        break;
    case 2:
        get(model, key, NULL);
        break;
    case 3:
        life = any_life(model);
        if (life != NULL && !is_null(life)) {
            get(model, life->key, life);
        }
        break;
    case 4:
    case 5:
        upload(model, key);
        break;
    case 6:
        set_versioning(model);
        break;
    default:
        write_something(model);
        break;
    }
}

/* ---- Rivals */

#ifdef STRANGE_ENGINE
/* Does little at a time, and its outcomes are known. */
static void act_as_rival(void *context)
{
    struct model *model = context;
    bool was_armed = atomic_exchange(&strange.is_armed, false);

    if (model->is_at_it && !model->has_failed && chance(model, 12) == 0) {
        size_t key = chance(model, KEYS);
        model->is_at_it = false;
        note(model, "(", key, 0);
        if (chance(model, 3) == 0) {
            delete_version(model);
        } else if (chance(model, 2) == 0) {
            put(model, key);
        } else {
            delete_object(model, key);
        }
        note(model, ")", key, 0);
        model->is_at_it = true;
    }
    atomic_store(&strange.is_armed, was_armed);
}
#endif

static void begin_at_random(struct model *model)
{
#ifdef STRANGE_ENGINE
    strange_seed(model->seed);
    strange.between = act_as_rival;
    strange.context = model;
    strange.thread = pthread_self();
    strange.unknown_outcomes = model->seed % 2 == 0 ? 12 : 0;
    atomic_store(&strange.is_armed, true);
#endif
    model->is_at_it = true;
}

static void end_at_random(struct model *model)
{
    model->is_at_it = false;
#ifdef STRANGE_ENGINE
    atomic_store(&strange.is_armed, false);
    strange.between = NULL;
#endif
}

/* ---- Seeds */

static size_t run_seed(struct model *model, struct fixture *fixture, uint64_t seed)
{
    size_t objects = 0;

    memset(model, 0, offsetof(struct model, lives));
    model->has_upload = model->has_failed = model->is_at_it = false;
    model->log_length = 0;
    model->fixture = fixture;
    model->seed = model->random = seed;
    (void)snprintf(model->bucket, sizeof(model->bucket), "seed-%d", (int)seed);
    if (fixture_make_bucket(fixture, model->bucket) != LST_OK) {
        fail(model, "a bucket can't be made");
    }
    if (chance(model, 3) > 0) {
        set_versioning(model);
    }
    begin_at_random(model);
    for (int i = 0; i < STEPS && !model->has_failed; i++) {
        step(model);
    }
    end_at_random(model);
    list_versions(model);
    list_objects(model);
    for (size_t i = 0; i < model->count; i++) {
        objects += model->lives[i].died == 0 && !model->lives[i].is_marker;
    }
    return objects;
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text == NULL || *text == '\0' ? otherwise : strtoull(text, NULL, 10);
}

/* These seeds, some in one store. */
static void run_seeds(struct model *model, uint64_t seed, uint64_t end)
{
    while (seed < end && !model->has_failed) {
        struct fixture fixture = fixture_open();
        size_t objects = 0;
        for (int i = 0; i < SEEDS_A_STORE && seed < end && !model->has_failed; i++) {
            objects += run_seed(model, &fixture, seed++);
        }
        fixture_reopen(&fixture);
        if (!model->has_failed && !fixture_is_clean(&fixture, objects)) {
            fail(model, "the check finds faults, up to this seed");
        }
        fixture_close(&fixture);
    }
    CHECK(!model->has_failed, "seeds up to %d", (int)(end - 1));
}

int main(void)
{
    static struct model model;
    bool is_full = number_of("LST_FULL", 0) != 0;
    uint64_t seed = number_of("LST_SEED", 0);
#ifdef STRANGE_ENGINE
    uint64_t count = is_full ? 10000 : 250;
#else
    uint64_t count = is_full ? 10000 : 12; /* each step is a sync */
#endif

    memset(keys[KEYS - 1], 'k', sizeof(keys[0]) - 1);
    if (seed != 0) {
        run_seeds(&model, seed, seed + 1);
    } else {
        run_seeds(&model, 1, count + 1);
        /* A copy onto itself, of which it was not known whether it had happened. */
        run_seeds(&model, 4224, 4225);
        /* A key whose head was an object, and a marker again, while a listing looked for it. */
        run_seeds(&model, 4495, 4496);
    }
#ifdef STRANGE_ENGINE
    CHECK(seed != 0 || atomic_load(&strange.unknown_count) > 0, "%u outcomes were unknown",
          atomic_load(&strange.unknown_count));
    strange_forget();
#endif
    return tap_done();
}
