/* usage_test.c - the usage of buckets against what their listings show, after every step of random
 * work. */
#include "upload_fixture.h"

enum {
    BUCKETS = 2,
    KEYS = 5,
    UPLOADS = 6,
    DELETED_AT_ONCE = 4,
    SMALL = 9000, /* too large for a row */
    STEPS = 120,
    SEEDS = 2,
    LONG_STEPS = 400, /* with LST_FULL=1 */
    LONG_SEEDS = 100,
};

static const char *const bucket_names[BUCKETS] = {"first", "second"};
static const char *const key_names[KEYS] = {"a", "a/b", "b", "c/d/e", "z"};

struct work {
    struct fixture fixture;
    uint64_t random;
    char *bytes;
    struct upload uploads[UPLOADS];
    bool is_open[UPLOADS];
    struct lst_bucket_usage counted; /* of the bucket that is looked at */
    struct lst_bucket_usage shown;
    size_t shown_count;
    /* One of the versions that were listed, for whoever deletes one. */
    struct lst_version_id version;
    char version_key[16];
    size_t to_pick;
};

static size_t choose(struct work *work, size_t count)
{
    work->random = work->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(work->random >> 33) % count;
}

static const char *any_key(struct work *work)
{
    return key_names[choose(work, KEYS)];
}

/* ---- What the listings show */

static int count_object(void *context, const struct lst_list_entry *entry)
{
    struct work *work = context;

    (void)entry;
    work->counted.objects++;
    return 0;
}

static int count_version(void *context, const struct lst_version_entry *entry)
{
    struct work *work = context;

    if (work->counted.versions == work->to_pick) {
        work->version = entry->version;
        (void)snprintf(work->version_key, sizeof(work->version_key), "%.*s", (int)entry->key.length,
                       entry->key.bytes);
    }
    work->counted.versions++;
    work->counted.bytes += entry->size;
    return 0;
}

static int count_upload(void *context, const struct lst_upload_entry *entry)
{
    struct work *work = context;

    (void)entry;
    work->counted.uploads++;
    return 0;
}

static int count_bucket(struct work *work, const char *bucket)
{
    const struct lst_list_options objects = {.bucket = slice(bucket), .max_entries = 10000};
    const struct lst_version_list_options versions = {.bucket = slice(bucket),
                                                      .max_entries = 10000};
    const struct lst_upload_list_options uploads = {.bucket = slice(bucket), .max_entries = 10000};
    bool truncated;
    int status;

    work->counted = (struct lst_bucket_usage){.bucket = slice(bucket)};
    status = lst_store_list(work->fixture.store, &objects, count_object, work, &truncated);
    if (status == 0) {
        status = lst_store_list_versions(work->fixture.store, &versions, count_version, work,
                                         &truncated);
    }
    return status == 0 ? lst_store_list_uploads(work->fixture.store, &uploads, count_upload, work,
                                                &truncated)
                       : status;
}

static int show_usage(void *context, const struct lst_bucket_usage *usage)
{
    struct work *work = context;

    if (lst_slice_equal(usage->bucket, work->counted.bucket)) {
        work->shown = *usage;
        work->shown_count++;
    }
    return 0;
}

/* Whether the usage of a bucket is what its listings show; of one that is not there, nothing. */
static bool is_right(struct work *work, const char *bucket)
{
    const struct lst_bucket_usage *a = &work->counted;
    const struct lst_bucket_usage *b = &work->shown;
    int status = count_bucket(work, bucket);

    work->shown_count = 0;
    if (lst_store_usage(work->fixture.store, show_usage, work) != 0 ||
        work->shown_count != (status == 0 ? 1 : 0)) {
        return false;
    }
    return status != 0 || (a->objects == b->objects && a->versions == b->versions &&
                           a->bytes == b->bytes && a->uploads == b->uploads);
}

/* ---- The work: what is refused changes nothing, which is as good */

static void put(struct work *work, const char *bucket)
{
    size_t size = choose(work, 3) == 0 ? SMALL + choose(work, 9) : choose(work, 20);

    lst_ignore_status(fixture_put(&work->fixture, bucket, any_key(work), work->bytes, size));
}

/* Some keys, perhaps the same one twice, and perhaps one version. */
static void delete_some(struct work *work, const char *bucket)
{
    struct lst_deletion deletions[DELETED_AT_ONCE + 1] = {0};
    size_t count = 1 + choose(work, DELETED_AT_ONCE);
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);

    for (size_t i = 0; i < count; i++) {
        deletions[i].key = slice(any_key(work));
    }
    work->to_pick = choose(work, 10);
    work->version_key[0] = '\0';
    if (choose(work, 2) == 0 && count_bucket(work, bucket) == 0 && work->version_key[0] != '\0') {
        deletions[0].key = slice(work->version_key);
        deletions[0].version = lst_version_id_slice(&work->version);
        count = choose(work, 2) == 0 ? 1 : count;
    }
    if (lst_store_delete(work->fixture.store, slice(bucket), deletions, count, &write) == 0) {
        lst_ignore_status(waiter_wait(&waiter));
    }
}

static void set_versioning(struct work *work, const char *bucket)
{
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);

    if (lst_bucket_set_versioning(work->fixture.store, slice(bucket),
                                  choose(work, 2) == 0 ? LST_VERSIONING_ENABLED
                                                       : LST_VERSIONING_SUSPENDED,
                                  &write) == 0) {
        lst_ignore_status(waiter_wait(&waiter));
    }
}

static void set_tags(struct work *work, const char *bucket)
{
    const struct lst_object_name name = {slice(bucket), slice(any_key(work)), {NULL, 0}};
    const struct lst_field tag = {slice("colour"), slice("red")};
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);

    if (lst_object_set_tags(work->fixture.store, &name, &tag, choose(work, 2), &write) == 0) {
        lst_ignore_status(waiter_wait(&waiter));
    }
}

static void copy(struct work *work, const char *bucket)
{
    struct lst_store_write write;
    const char *from = any_key(work);

    lst_ignore_status(copy_object(&work->fixture, bucket, from, any_key(work), &write));
}

static void go_on_with_an_upload(struct work *work, const char *bucket)
{
    size_t at = choose(work, UPLOADS);
    struct upload *upload = &work->uploads[at];

    if (!work->is_open[at]) {
        work->is_open[at] = upload_begin(&work->fixture, upload, bucket, any_key(work)) == 0;
    } else if (upload->part_count == 0 || choose(work, 3) == 0) {
        upload->part_count = 0;
        lst_ignore_status(
            upload_part(&work->fixture, upload, 1, work->bytes, choose(work, 2) == 0 ? SMALL : 9));
    } else if (choose(work, 3) == 0) {
        lst_ignore_status(upload_abort(&work->fixture, upload));
        work->is_open[at] = false;
    } else {
        lst_ignore_status(upload_complete(&work->fixture, upload));
        work->is_open[at] = false;
    }
}

/* Deleting it fails mostly: it is not empty. */
static void remake_bucket(struct work *work, const char *bucket)
{
    lst_ignore_status(fixture_delete_bucket(&work->fixture, bucket));
    lst_ignore_status(fixture_make_bucket(&work->fixture, bucket));
}

static void empty_bucket(struct work *work, const char *bucket)
{
    for (int i = 0; i < 1000 && count_bucket(work, bucket) == 0 && work->counted.versions > 0;
         i++) {
        struct lst_deletion deletion = {.key = slice(work->version_key)};
        struct waiter waiter;
        struct lst_store_write write = waiter_write(&waiter);
        deletion.version = lst_version_id_slice(&work->version);
        if (lst_store_delete(work->fixture.store, slice(bucket), &deletion, 1, &write) == 0) {
            lst_ignore_status(waiter_wait(&waiter));
        }
    }
}

static void do_step(struct work *work, const char *bucket)
{
    static void (*const steps[])(struct work *, const char *) = {
        put,      put,  put, put,         put, copy, copy, delete_some,
        set_tags, copy, put, delete_some, put, put,  copy, delete_some,
    };
    size_t which = choose(work, 40);

    if (which == 0) {
        work->to_pick = 0;
        empty_bucket(work, bucket);
        remake_bucket(work, bucket);
    } else if (which == 1) {
        remake_bucket(work, bucket);
    } else if (which == 2) {
        fixture_reopen(&work->fixture);
    } else if (which < 5) {
        set_versioning(work, bucket);
    } else if (which < 15) {
        go_on_with_an_upload(work, bucket);
    } else {
        steps[choose(work, sizeof(steps) / sizeof(steps[0]))](work, bucket);
    }
}

static void test_random_work(uint64_t seed, int steps)
{
    struct work work = {
        .fixture = fixture_open(), .random = seed, .bytes = fixture_bytes(SMALL * 2, 1)};
    bool right = true;
    int step = 0;

    for (int i = 0; i < BUCKETS; i++) {
        right = right && fixture_make_bucket(&work.fixture, bucket_names[i]) == 0;
    }
    for (; right && step < steps; step++) {
        const char *bucket = bucket_names[choose(&work, BUCKETS)];
        do_step(&work, bucket);
        right = is_right(&work, bucket);
    }
    CHECK(right, "seed %llu: after each step the usage is what is listed (step %d)",
          (unsigned long long)seed, step);
    for (int i = 0; i < BUCKETS; i++) {
        right = right && is_right(&work, bucket_names[i]);
    }
    CHECK(right, "and that of the other bucket");
    fixture_close(&work.fixture);
    free(work.bytes);
}

int main(void)
{
    const bool is_long = getenv("LST_FULL") != NULL;

    for (uint64_t seed = 1; seed <= (is_long ? LONG_SEEDS : SEEDS); seed++) {
        test_random_work(seed, is_long ? LONG_STEPS : STEPS);
    }
    return tap_done();
}
