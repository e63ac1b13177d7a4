/* store_fault.c - every operation of the store, with each of its calls failing in turn: the object
 * is the old one or the new one, nothing is left over, and the store goes on.
 */
#include "turn.h"

#include "../unit/store/upload_fixture.h"

#include "store/row.h"
#include "store/state.h"

#include <errno.h>
#include <fcntl.h>

/* Large: in a blob. Its size is known or not. */
enum { SMALL = 500, LARGE = 30000, LONG = 1500000 };

static char *old_bytes;
static char *new_bytes;
static struct upload upload;

/* ---- Operations */

struct scene {
    const char *name;
    size_t old_size;
    size_t new_size;
    bool is_versioned;
    bool is_plain; /* what it does can't be seen in the object: it must be as it was */
    int (*prepare)(struct fixture *fixture);
    int (*run)(struct fixture *fixture, const struct scene *scene);
};

static int put(struct fixture *fixture, const struct scene *scene)
{
    struct lst_put_options options = {
        .bucket = slice("b-b"), .key = slice("k"), .size_known = true, .size = scene->new_size};

    return fixture_put_options(fixture, &options, new_bytes, scene->new_size);
}

static int put_unknown(struct fixture *fixture, const struct scene *scene)
{
    struct lst_put_options options = {.bucket = slice("b-b"), .key = slice("k")};

    return fixture_put_options(fixture, &options, new_bytes, scene->new_size);
}

static int prepare_source(struct fixture *fixture)
{
    struct lst_put_options options = {.bucket = slice("b-b"), .key = slice("source")};

    return fixture_put_options(fixture, &options, new_bytes, LARGE);
}

static int prepare_parts(struct fixture *fixture)
{
    struct upload source;

    return upload_whole(fixture, &source, "b-b", "source", new_bytes, PART + 10);
}

/* In a new run the folder of the blob that is linked is not there yet. */
static int prepare_source_of_before(struct fixture *fixture)
{
    int status = prepare_source(fixture);

    fixture_reopen(fixture);
    return status;
}

static int copy(struct fixture *fixture, const struct scene *scene)
{
    struct lst_store_write write;

    (void)scene;
    return copy_object(fixture, "b-b", "source", "k", &write);
}

/* A part of the source, so that bytes are read and written. */
static int copy_range(struct fixture *fixture, const struct scene *scene)
{
    struct lst_put_options options = {.bucket = slice("b-b"), .key = slice("k")};
    struct lst_store_write write;
    struct lst_put *into;
    int status = lst_put_begin(fixture->store, &options, &into);

    return status == 0 ? copy_into(fixture, into, "b-b", "source", 0, scene->new_size, &write)
                       : status;
}

static int delete (struct fixture *fixture, const struct scene *scene)
{
    (void)scene;
    return fixture_delete(fixture, "b-b", "k");
}

static int create_upload(struct fixture *fixture, const struct scene *scene)
{
    (void)scene;
    return upload_begin(fixture, &upload, "b-b", "k");
}

static int prepare_upload(struct fixture *fixture)
{
    return upload_begin(fixture, &upload, "b-b", "k");
}

static int prepare_limited_upload(struct fixture *fixture)
{
    int status = prepare_upload(fixture);

    upload.total_max = LARGE;
    return status;
}

static int prepare_one_part(struct fixture *fixture)
{
    int status = prepare_upload(fixture);

    return status == 0 ? upload_part(fixture, &upload, 1, new_bytes, LARGE) : status;
}

static int prepare_one_limited_part(struct fixture *fixture)
{
    int status = prepare_limited_upload(fixture);

    return status == 0 ? upload_part(fixture, &upload, 1, new_bytes, LARGE) : status;
}

static int put_part(struct fixture *fixture, const struct scene *scene)
{
    (void)scene;
    upload.part_count = 0;
    return upload_part(fixture, &upload, 1, old_bytes, LARGE);
}

static int complete(struct fixture *fixture, const struct scene *scene)
{
    (void)scene;
    return upload_complete(fixture, &upload);
}

static int abort_upload(struct fixture *fixture, const struct scene *scene)
{
    (void)scene;
    return upload_abort(fixture, &upload);
}

static int set_tags(struct fixture *fixture, const struct scene *scene)
{
    struct lst_object_name name = {slice("b-b"), slice("k"), {NULL, 0}};
    struct lst_field tag = {slice("kind"), slice("film")};
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    int status = lst_object_set_tags(fixture->store, &name, &tag, 1, &write);

    (void)scene;
    return status == 0 ? waiter_wait(&waiter) : status;
}

static int set_setting(struct fixture *fixture, const struct scene *scene)
{
    struct lst_slice value = slice("a value");
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    int status =
        lst_bucket_set_setting(fixture->store, slice("b-b"), slice("cors"), &value, &write);

    (void)scene;
    return status == 0 ? waiter_wait(&waiter) : status;
}

static int set_versioning(struct fixture *fixture, const struct scene *scene)
{
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    int status = lst_bucket_set_versioning(
        fixture->store, slice("b-b"),
        scene->is_versioned ? LST_VERSIONING_ENABLED : LST_VERSIONING_SUSPENDED, &write);

    return status == 0 ? waiter_wait(&waiter) : status;
}

/* Made, and deleted again: whatever of it fails, the name can be used afterwards. */
static int make_bucket(struct fixture *fixture, const struct scene *scene)
{
    int status = fixture_make_bucket(fixture, "other");

    (void)scene;
    return status == LST_ERR_BUCKET_EXISTS ? 0 : status;
}

static int prepare_bucket(struct fixture *fixture)
{
    int status = fixture_make_bucket(fixture, "other");

    return status == LST_ERR_BUCKET_EXISTS ? 0 : status;
}

static int delete_bucket(struct fixture *fixture, const struct scene *scene)
{
    (void)scene;
    return fixture_delete_bucket(fixture, "other");
}

/* What is read is whole, or the reading fails. */
static int read_all(struct fixture *fixture, const struct scene *scene)
{
    struct lst_object_stream *stream;
    struct lst_object object;
    static char bytes[LONG];
    size_t length = 1;
    size_t total = 0;
    int status = open_object(fixture, "b-b", "k", &object);

    if (status != 0) {
        return status;
    }
    status = lst_object_stream_open(&object, 0, object.size, &stream);
    lst_object_close(&object);
    while (status == 0 && length > 0) {
        status = lst_object_stream_read(stream, bytes + total, sizeof(bytes) - total, &length);
        total += length;
        if (status == 0 && length == 0) {
            status = total == scene->old_size && memcmp(bytes, old_bytes, total) == 0
                         ? 0
                         : LST_ERR_CORRUPT;
            lst_object_stream_close(stream);
            return status;
        }
        if (status != 0) {
            lst_object_stream_close(stream);
        }
    }
    return status;
}

/* The same from the files that it is in; from an engine that has none, as above. */
static int read_files(struct fixture *fixture, const struct scene *scene)
{
    struct lst_object_stream *stream;
    struct lst_object object;
    static char bytes[LONG];
    uint64_t offset;
    uint64_t length;
    int file;
    int status = open_object(fixture, "b-b", "k", &object);

    if (status != 0) {
        return status;
    }
    status = lst_object_stream_open(&object, 0, object.size, &stream);
    lst_object_close(&object);
    if (status != 0) {
        return status;
    }
    status = lst_object_stream_file(stream, scene->old_size, &file, &offset, &length);
    if (status == 0 && pread(file, bytes, length, (off_t)offset) != (ssize_t)length) {
        status = LST_ERR_IO;
    } else if (status == 0 &&
               (length != scene->old_size || memcmp(bytes, old_bytes, length) != 0)) {
        status = LST_ERR_CORRUPT;
    }
    lst_object_stream_close(stream);
    return status == LST_ERR_NOT_FOUND ? read_all(fixture, scene) : status;
}

/* It was read before, and its file is still open. */
static int prepare_kept(struct fixture *fixture)
{
    struct lst_object object;
    int status = open_object(fixture, "b-b", "k", &object);

    if (status == 0) {
        lst_object_close(&object);
    }
    return status;
}

static int take_file(struct fixture *fixture, const struct scene *scene)
{
    struct lst_object object;
    struct lst_blob_reader *blob;
    uint64_t offset;
    int status = open_object(fixture, "b-b", "k", &object);

    (void)scene;
    if (status == 0) {
        if (lst_object_take_file(&object, 0, object.size, &blob, &offset) >= 0) {
            lst_blob_close(blob);
        }
        lst_object_close(&object);
    }
    return status;
}

/* ---- Less common ones */

static char long_key[900]; /* the index keeps it in pieces */

static int put_long_key(struct fixture *fixture)
{
    memset(long_key, 'x', sizeof(long_key) - 1);
    return fixture_put(fixture, "b-b", long_key, "1", 1);
}

static int see_entry(void *context, const struct lst_list_entry *entry)
{
    *(size_t *)context += entry->size;
    return 0;
}

/* List it, and delete it: then the pieces go, too. */
static int use_long_key(struct fixture *fixture, const struct scene *scene)
{
    struct lst_list_options options = {
        .bucket = slice("b-b"), .prefix = slice("xx"), .max_entries = 10};
    struct lst_list_options folded = {
        .bucket = slice("b-b"), .delimiter = slice("xx"), .max_entries = 10};
    bool truncated;
    size_t ignored = 0;
    size_t bytes = 0;
    int status = lst_store_list(fixture->store, &options, see_entry, &bytes, &truncated);

    (void)scene;
    if (status == 0 && bytes != 1) {
        return LST_ERR_CORRUPT;
    }
    if (status == 0) {
        status = lst_store_list(fixture->store, &folded, see_entry, &ignored, &truncated);
    }
    return status == 0 ? fixture_delete(fixture, "b-b", long_key) : status;
}

static int see_bucket(void *context, const struct lst_bucket *bucket)
{
    *(bool *)context |= lst_slice_equal(bucket->name, slice("b-b"));
    return 0;
}

static int read_buckets(struct fixture *fixture, const struct scene *scene)
{
    bool is_one = false;
    bool is_listed = false;
    struct lst_slice none = {NULL, 0};
    int status = lst_store_bucket(fixture->store, slice("b-b"), see_bucket, &is_one);

    (void)scene;
    if (status == 0) {
        status = lst_store_buckets(fixture->store, none, none, see_bucket, &is_listed);
    }
    return status == 0 && !(is_one && is_listed) ? LST_ERR_CORRUPT : status;
}

static int prepare_setting(struct fixture *fixture)
{
    return set_setting(fixture, NULL);
}

static int read_setting(struct fixture *fixture, const struct scene *scene)
{
    struct lst_buffer value;
    int status;

    (void)scene;
    lst_buffer_init(&value, 100);
    status = lst_bucket_setting(fixture->store, slice("b-b"), slice("cors"), &value);
    if (status == 0 && !lst_slice_equal(lst_buffer_slice(&value), slice("a value"))) {
        status = LST_ERR_CORRUPT;
    }
    lst_buffer_release(&value);
    return status;
}

/* A version that is not current, and then the current one, above the old one. */
static struct lst_version_id newest;
static struct lst_version_id second;

static int put_above(struct fixture *fixture)
{
    struct lst_put_options options = {.bucket = slice("b-b"), .key = slice("k")};
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    struct lst_put *above;
    int status = lst_put_begin(fixture->store, &options, &above);

    if (status != 0) {
        return status;
    }
    status = lst_put_write(above, lst_slice_make(old_bytes, SMALL));
    if (status != 0) {
        lst_put_abort(above);
        return status;
    }
    lst_put_commit(above, &write);
    status = waiter_wait(&waiter);
    newest = write.version;
    return status;
}

static int put_two_above(struct fixture *fixture)
{
    int status = put_above(fixture);

    second = newest;
    return status == 0 ? put_above(fixture) : status;
}

/* Delete the two newest versions: the one below is the current one again. */
static int uncover(struct fixture *fixture, const struct scene *scene)
{
    struct lst_deletion deletions[] = {
        {.key = slice("k"), .version = lst_version_id_slice(&newest)},
        {.key = slice("k"), .version = lst_version_id_slice(&second)},
    };
    struct lst_object_name name = {slice("b-b"), slice("k"), lst_version_id_slice(&newest)};
    struct lst_object object;
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    int status = lst_store_delete(fixture->store, slice("b-b"), deletions, 2, &write);

    (void)scene;
    if (status == 0) {
        status = waiter_wait(&waiter);
    }
    if (status == 0 && lst_object_open(fixture->store, &name, false, &object) == 0) {
        lst_object_close(&object);
        return LST_ERR_CORRUPT;
    }
    return status;
}

static int read_version(struct fixture *fixture, const struct scene *scene)
{
    struct lst_object_name name = {slice("b-b"), slice("k"), lst_version_id_slice(&newest)};
    struct lst_object object;
    int status = set_tags(fixture, scene); /* a change of the head: the version stays */

    if (status == 0) {
        status = lst_object_open(fixture->store, &name, true, &object);
    }
    if (status == 0) {
        lst_object_close(&object);
    }
    return status;
}

static int prepare_below(struct fixture *fixture)
{
    int status = put_above(fixture);

    return status == 0 ? fixture_put(fixture, "b-b", "k", old_bytes, SMALL) : status;
}

/* Completed, and covered by another version: asked for again, it is found below. */
static int prepare_completed(struct fixture *fixture)
{
    int status = prepare_one_part(fixture);

    if (status == 0) {
        status = upload_complete(fixture, &upload);
    }
    for (int i = 0; i < 2 && status == 0; i++) {
        status = fixture_put(fixture, "b-b", "k", old_bytes, SMALL);
    }
    return status;
}

static int take_part_file(struct fixture *fixture, const struct scene *scene)
{
    struct lst_object object;
    struct lst_blob_reader *blob;
    uint64_t offset;
    int status = open_object(fixture, "b-b", "source", &object);

    (void)scene;
    if (status == 0) {
        if (lst_object_take_file(&object, 0, 5, &blob, &offset) >= 0) {
            lst_blob_close(blob);
        }
        lst_object_close(&object);
    }
    return status;
}

/* Several at once: so many that the file system is synced, not each body. */
static int put_many(struct fixture *fixture, const struct scene *scene)
{
    enum { MANY = 12 };
    struct waiter waiters[MANY];
    struct lst_store_write writes[MANY];
    struct lst_put *puts[MANY];
    int status = 0;

    for (int i = 0; i < MANY; i++) {
        char key[24];
        struct lst_put_options options = {.bucket = slice("b-b"), .key = slice(key)};
        (void)snprintf(key, sizeof(key), "many-%d", i);
        options.key = slice(i == 0 ? "k" : key);
        writes[i] = waiter_write(&waiters[i]);
        if (lst_put_begin(fixture->store, &options, &puts[i]) != 0) {
            puts[i] = NULL;
        } else if (lst_put_write(puts[i], lst_slice_make(new_bytes, scene->new_size)) != 0) {
            lst_put_abort(puts[i]);
            puts[i] = NULL;
        }
    }
    for (int i = 0; i < MANY; i++) {
        if (puts[i] != NULL) {
            lst_put_commit(puts[i], &writes[i]);
        }
    }
    for (int i = 0; i < MANY; i++) {
        int one = puts[i] == NULL ? LST_ERR_IO : waiter_wait(&waiters[i]);
        status = i == 0 ? one : status;
    }
    return status;
}

static const struct scene scenes[] = {
    {"an inline put over an inline one", SMALL, SMALL + 1, false, false, NULL, put},
    {"an inline put over a large one", LARGE, SMALL, false, false, NULL, put},
    {"a large put", SMALL, LARGE, false, false, NULL, put},
    {"a put of more than a megabyte", LARGE, LONG, false, false, NULL, put},
    {"an inline put of unknown size", SMALL, SMALL + 1, false, false, NULL, put_unknown},
    {"a large put of unknown size", LARGE, LARGE + 1, false, false, NULL, put_unknown},
    {"a long put of unknown size", LARGE, LONG, false, false, NULL, put_unknown},
    {"a put in a versioned bucket", LARGE, LARGE + 1, true, false, NULL, put},
    {"a copy that shares a blob", SMALL, LARGE, false, false, prepare_source, copy},
    {"a copy that shares a blob of before", SMALL, LARGE, false, false, prepare_source_of_before,
     copy},
    {"a copy of bytes", LARGE, LARGE - 1, false, false, prepare_source, copy_range},
    {"a copy of parts", SMALL, PART + 10, false, false, prepare_parts, copy},
    {"a deletion", LARGE, 0, false, false, NULL, delete},
    {"a deletion that leaves a marker", LARGE, 0, true, false, NULL, delete},
    {"the beginning of an upload", SMALL, 0, false, true, NULL, create_upload},
    {"a part", SMALL, 0, false, true, prepare_upload, put_part},
    {"a part again", SMALL, 0, false, true, prepare_one_part, put_part},
    {"a limited part", SMALL, 0, false, true, prepare_limited_upload, put_part},
    {"a limited part again", SMALL, 0, false, true, prepare_one_limited_part, put_part},
    {"a completion", LARGE, LARGE, false, false, prepare_one_part, complete},
    {"an abort", SMALL, 0, false, true, prepare_one_part, abort_upload},
    {"tags", LARGE, 0, false, true, NULL, set_tags},
    {"a setting", SMALL, 0, false, true, NULL, set_setting},
    {"versioning", SMALL, 0, true, true, NULL, set_versioning},
    {"a new bucket", SMALL, 0, false, true, NULL, make_bucket},
    {"the end of a bucket", SMALL, 0, false, true, prepare_bucket, delete_bucket},
    {"reading an inline object", SMALL, 0, false, true, NULL, read_all},
    {"reading a large object", LONG - 1, 0, false, true, NULL, read_all},
    {"reading a large object again", LARGE, 0, false, true, prepare_kept, read_all},
    {"reading from files", LARGE, 0, false, true, prepare_kept, read_files},
    {"a file to send", LARGE, 0, false, true, NULL, take_file},
    {"a file of a part to send", SMALL, 0, false, true, prepare_parts, take_part_file},
    {"a key of many bytes", SMALL, 0, false, true, put_long_key, use_long_key},
    {"reading buckets", SMALL, 0, false, true, NULL, read_buckets},
    {"reading a setting", SMALL, 0, false, true, prepare_setting, read_setting},
    {"deleting the newest versions", SMALL, SMALL, true, true, put_two_above, uncover},
    {"reading an old version", SMALL, 0, true, true, prepare_below, read_version},
    {"a completion again", SMALL, 0, true, true, prepare_completed, complete},
    {"many puts at once", SMALL, LARGE, false, false, NULL, put_many},
};

/* ---- One failure */

static bool holds(struct fixture *fixture, const char *bytes, size_t size)
{
    return upload_holds(fixture, "b-b", "k", bytes, size);
}

static bool is_gone(struct fixture *fixture)
{
    struct lst_object object;

    return open_object(fixture, "b-b", "k", &object) == LST_ERR_KEY_NOT_FOUND;
}

static bool is_right(struct fixture *fixture, const struct scene *scene, bool worked)
{
    if (scene->is_plain || !worked) {
        return holds(fixture, old_bytes, scene->old_size);
    }
    return scene->new_size == 0 ? is_gone(fixture) : holds(fixture, new_bytes, scene->new_size);
}

/* False: no call was left to fail. */
static bool fail_one(struct fixture *fixture, const struct scene *scene, const struct turn_way *way,
                     uint32_t number, int code, bool *ok)
{
    struct scene plain_versioning = {.is_versioned = scene->is_versioned};
    struct lst_put_options old = {.bucket = slice("b-b"), .key = slice("k")};
    bool fired;
    int status;

    if (set_versioning(fixture, &plain_versioning) != 0 ||
        fixture_put_options(fixture, &old, old_bytes, scene->old_size) != 0 ||
        (scene->prepare != NULL && scene->prepare(fixture) != 0)) {
        printf("# %s, %u: it can't be prepared\n", scene->name, (unsigned)number);
        *ok = false;
        return false;
    }
    fault_arm(way->kinds, number, way->stays, code);
    status = scene->run(fixture, scene);
    fired = fault_disarm();
    if (status != 0 && (!fired || !turn_is_trouble(status))) {
        printf("# %s: call %u, %s, fails with %d: the operation gives %d\n", scene->name,
               (unsigned)number, fault_last(), code, status);
        *ok = false;
    }
    if (lst_store_has_failed(fixture->store)) { /* a sync has: nothing more is written, or read */
        fixture_reopen(fixture);
    }
    if (!is_right(fixture, scene, status == 0)) {
        printf("# %s: call %u, %s, fails with %d, the operation gives %d: the object is wrong\n",
               scene->name, (unsigned)number, fired ? fault_last() : "none", code, status);
        *ok = false;
    }
    return fired;
}

/* Threads that delete and sync may be at it for a moment yet. */
static bool no_more_are_open(int files)
{
    for (int i = 0; i < 5000 && turn_open_files() != files; i++) {
        usleep(1000);
    }
    return turn_open_files() == files;
}

/* Every call of it, one after another; in short, each with one of the codes. */
static void test_scene(const struct scene *scene, const struct turn_way *way)
{
    enum { NUMBER_MAX = 3000 };
    struct fixture fixture = fixture_open();
    size_t rounds = turn_is_long() ? TURN_CODES : 1;
    struct lst_store_census census = {0};
    uint32_t number = 1;
    bool ok = fixture_make_bucket(&fixture, "b-b") == 0;
    int files = turn_open_files();
    char what[100];
    int status;

    for (size_t i = 0; i < rounds && ok; i++) {
        for (number = 1; number < NUMBER_MAX; number++) {
            int code = turn_codes[(i + number) % (TURN_CODES)];
            if (!fail_one(&fixture, scene, way, number, code, &ok)) {
                break;
            }
        }
    }
    (void)snprintf(what, sizeof(what), way->name, (unsigned)number - 1);
    CHECK(ok && number < NUMBER_MAX, "%s, %s: old or new, and whole", scene->name, what);
    (void)lst_store_spare_files(fixture.store); /* but for what is kept for the next reader */
    CHECK(no_more_are_open(files), "%s: no file stays open", scene->name);
    fixture_reopen(&fixture);
    status = lst_store_check(fixture.store, fixture_show_fault, NULL, &census);
    CHECK(status == 0 && census.faults == 0 && census.orphan_blobs == 0 &&
              !fixture_has_unfinished(&fixture),
          "%s: after the next start the check is clean, and no blob is left over (%d faults, %d "
          "blobs)",
          scene->name, (int)census.faults, (int)census.orphan_blobs);
    fixture_close(&fixture);
}

/* Where files can have no second name, and where the kernel does not copy either. */
static void test_copies(void)
{
    static const struct scene by_kernel = {"a copy without links", SMALL, LARGE, false, false,
                                           prepare_source,         copy};
    static const struct scene by_hand = {"a copy by hand", SMALL, LARGE, false, false,
                                         prepare_source,   copy};

    fault_deny(FAULT_linkat, true);
    test_scene(&by_kernel, &turn_ways[0]);
    test_scene(&by_kernel, &turn_ways[1]);
    fault_deny(FAULT_copy_file_range, true);
    for (size_t j = 0; j < TURN_WAYS; j++) {
        test_scene(&by_hand, &turn_ways[j]);
    }
    fault_deny(FAULT_linkat, false);
    fault_deny(FAULT_copy_file_range, false);
}

/* ---- What goes on in the background */

static void test_sweep(void)
{
    struct fixture fixture = fixture_open();

    CHECK(fixture_make_bucket(&fixture, "b-b") == 0 &&
              fixture_put(&fixture, "b-b", "k", new_bytes, LARGE) == 0 &&
              fixture_blob_files(&fixture) == 1,
          "a large object is put");
    CHECK(fixture_delete(&fixture, "b-b", "k") == 0, "and deleted");
    fault_arm(FAULT_SYSTEM, 1, true, LST_ERR_IO);
    for (int i = 0; i < 500 && !fault_has_fired() && fixture_blob_files(&fixture) == 1; i++) {
        (void)usleep(10000);
    }
    (void)fault_disarm();
    CHECK(fixture_wait_blob_files(&fixture, 0),
          "its blob, which could not be deleted, is soon after, without a new start");
    fixture_close(&fixture);
}

/* Whether objects can be put into the bucket, soon; true as well if it is not there. */
static bool is_live_or_gone(struct fixture *fixture)
{
    for (int i = 0; i < 500; i++) {
        if (fixture_put(fixture, "other", "k", "x", 1) == 0) {
            return fixture_delete(fixture, "other", "k") == 0;
        }
        if (fixture_make_bucket(fixture, "other") == 0) {
            return true;
        }
        (void)usleep(10000);
    }
    return false;
}

static void test_bucket_lives(void)
{
    struct fixture fixture = fixture_open();
    bool ok = true;
    bool fired = true;

    for (uint32_t number = 1; number < 100 && fired && ok; number++) {
        int status = fixture_make_bucket(&fixture, "other");
        ok = status == 0 || status == LST_ERR_BUCKET_EXISTS;
        fault_arm(FAULT_STORE, number, true, LST_ERR_NO_SPACE);
        status = fixture_delete_bucket(&fixture, "other");
        fired = fault_disarm();
        if (!ok || !is_live_or_gone(&fixture)) {
            printf("# all from call %u on fail, the deletion gives %d\n", (unsigned)number, status);
            ok = false;
        }
    }
    CHECK(ok, "a bucket whose deletion failed, and the undoing of it, takes objects again soon");
    fixture_close(&fixture);
}

/* ---- Opening */

static struct fixture opened;

/* A blob that no row names, in a generation that was not closed cleanly. */
static bool leave_orphan(void)
{
    char path[200];
    char orphan[200];

    (void)snprintf(path, sizeof(path), "%s/blobs/00000001/clean", opened.folder);
    (void)unlink(path);
    (void)snprintf(orphan, sizeof(orphan), "%s/blobs/00000001/00000/00000fff", opened.folder);
    for (unsigned i = 0; i < 16; i++) {
        (void)snprintf(path, sizeof(path), "%s/blobs/00000001/00000/%08x", opened.folder, i);
        if (link(path, orphan) == 0 || errno == EEXIST) {
            return true;
        }
    }
    return false;
}

/* Without the folders of earlier turns, in which nothing is left: an opening looks into each, so
 * that its calls would grow by more than one from one turn to the next. */
static void remove_empty_generations(void)
{
    char path[600];
    DIR *folder;
    const struct dirent *entry;

    (void)snprintf(path, sizeof(path), "%s/blobs", opened.folder);
    folder = opendir(path);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (strlen(entry->d_name) == 8 && strcmp(entry->d_name, "00000001") != 0) {
            (void)snprintf(path, sizeof(path), "%s/blobs/%s/clean", opened.folder, entry->d_name);
            (void)unlink(path);
            *strrchr(path, '/') = '\0';
            (void)strcat(path, "/00000");
            (void)rmdir(path);
            *strrchr(path, '/') = '\0';
            (void)rmdir(path);
        }
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
}

/* A bucket whose deletion has begun. */
static bool is_half_deleted(const char *bucket)
{
    static const char state_name = LST_ROW_STATE;
    static const struct lst_bucket_state deleting = {.is_deleting = true};
    char state[LST_BUCKET_STATE_SIZE];
    struct lst_index_change change = {.kind = LST_INDEX_PUT,
                                      .key = lst_slice_make(&state_name, 1),
                                      .value = lst_slice_make(state, sizeof(state))};
    struct lst_index_reader *reader;
    uint64_t partition;
    int status = fixture_make_bucket(&opened, bucket);

    lst_bucket_state_encode(&deleting, state);
    if ((status != 0 && status != LST_ERR_BUCKET_EXISTS) ||
        lst_store_read_bucket(opened.store, slice(bucket), &reader, &partition) != 0) {
        return false;
    }
    lst_index_read_end(reader);
    return lst_index_apply(opened.store->index, partition, &change, 1) == 0;
}

/* Closed while all calls fail, as by a crash: the parts of a deleted object, which somebody was
 * still reading, are left for the next opening to delete. */
static bool is_crashed(void)
{
    struct lst_object object;
    struct upload whole;
    bool done;

    remove_empty_generations();
    done = upload_whole(&opened, &whole, "b-b", "parts", new_bytes, PART + 10) == 0 &&
           open_object(&opened, "b-b", "parts", &object) == 0;

    if (!done) {
        return false;
    }
    fault_deny(FAULT_lst_blob_delete, true);
    done = fixture_delete(&opened, "b-b", "parts") == 0 && is_half_deleted("half") &&
           fixture_put(&opened, "b-b", "gone", new_bytes, LARGE) == 0 &&
           fixture_delete(&opened, "b-b", "gone") == 0;
    fault_arm(FAULT_STORE, 1, true, LST_ERR_IO);
    lst_object_close(&object);
    lst_store_close(opened.store);
    (void)fault_disarm();
    fault_deny(FAULT_lst_blob_delete, false);
    opened.store = NULL;
    return leave_orphan() && done;
}

static int open_store(void)
{
    return fixture_start(&opened);
}

static int check_store(void)
{
    struct lst_store_census census = {0};

    return lst_store_check(opened.store, fixture_show_fault, NULL, &census);
}

/* What could not be opened can be opened next time. Nothing is lost, and nothing is left over. */
static bool is_whole(bool worked)
{
    /* While a page of the index can't be read, nobody knows which bodies its rows name: they stay,
     * until the next start after a crash. */
    int most = strcmp(fault_last(), "pread64") == 0 ? 2 : 1;
    struct lst_store_census census = {0};
    int status;

    if (!worked && opened.store == NULL && open_store() != 0) {
        return false;
    }
    fixture_reopen(&opened);
    status = lst_store_check(opened.store, fixture_show_fault, NULL, &census);
    if (status != 0 || census.faults != 0 || census.orphan_blobs != 0) {
        printf("# the check gives %d, %d faults, %d blobs left over\n", status, (int)census.faults,
               (int)census.orphan_blobs);
        return false;
    }
    return upload_holds(&opened, "b-b", "k", old_bytes, LARGE) &&
           fixture_blob_files(&opened) >= 1 && fixture_blob_files(&opened) <= most &&
           fixture_put(&opened, "half", "k", "x", 1) == 0;
}

static bool is_new(void)
{
    char path[200];
    int file;

    lst_store_close(opened.store);
    opened.store = NULL;
    fixture_remove(&opened);
    (void)snprintf(path, sizeof(path), "%s/index.mdb.making.ABCabc", opened.folder);
    if (mkdir(opened.folder, 0700) != 0) {
        return false;
    }
    file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600); /* left by a crash */
    return file >= 0 && close(file) == 0;
}

static int begin_store(void)
{
    int status = open_store();

    return status == 0 ? lst_store_mark_complete(opened.store) : status;
}

static bool is_usable(bool worked)
{
    if (opened.store != NULL && lst_store_has_failed(opened.store)) {
        fixture_reopen(&opened); /* as the next start of a server */
    }
    return (worked || opened.store != NULL || open_store() == 0) &&
           fixture_make_bucket(&opened, "b-b") == 0 &&
           fixture_put(&opened, "b-b", "k", old_bytes, LARGE) == 0;
}

/* ---- A damaged store */

static bool find_row(char kind, struct lst_slice rest, char *ret_name, size_t *ret_length)
{
    struct lst_index_reader *reader;
    uint64_t partition;
    struct lst_slice name;
    struct lst_slice value;
    bool is_found = false;
    int status = lst_store_read_bucket(opened.store, slice("b-b"), &reader, &partition);

    if (status != 0) {
        return false;
    }
    status = lst_index_seek(reader, partition, lst_slice_make(&kind, 1), &name, &value);
    for (; status == 0 && name.bytes[0] == kind && !is_found;
         status = lst_index_next(reader, &name, &value)) {
        is_found = lst_slice_starts_with(lst_slice_after(name, 1), rest);
        if (is_found) {
            memcpy(ret_name, name.bytes, name.length);
            *ret_length = name.length;
        }
    }
    lst_index_read_end(reader);
    return is_found;
}

/* Take a row away, as if it had been lost. */
static bool lose_row(char kind, const char *rest)
{
    char name[LST_ROW_NAME_MAX];
    size_t length;
    struct lst_index_change change = {.kind = LST_INDEX_DELETE};
    struct lst_index_reader *reader;
    uint64_t partition;

    if (!find_row(kind, slice(rest), name, &length) ||
        lst_store_read_bucket(opened.store, slice("b-b"), &reader, &partition) != 0) {
        return false;
    }
    lst_index_read_end(reader);
    change.key = lst_slice_make(name, length);
    return lst_index_apply(opened.store->index, partition, &change, 1) == 0;
}

static int spoil_one(const char *path, const struct stat *state, int kind, struct FTW *where)
{
    (void)where;
    if (kind == FTW_F && state->st_size == LARGE + 1 && strstr(path, "/blobs/") != NULL) {
        int file = open(path, O_WRONLY | O_CLOEXEC);
        if (file < 0 || pwrite(file, "spoilt", 6, 100) != 6) {
            return 1;
        }
        close(file);
    }
    return 0;
}

static struct lst_store_census damages;

static void ignore_fault(void *context, const struct lst_store_fault *fault)
{
    (void)context;
    (void)fault;
}

static int check_damage(void)
{
    damages = (struct lst_store_census){0};
    return lst_store_check(opened.store, ignore_fault, NULL, &damages);
}

static uint64_t damages_at_first;
static uint64_t orphans_at_first;

/* It may say that it could not look, or that a body can't be read. It may not say that less is
 * damaged. */
static bool is_found(bool worked)
{
    return !worked ||
           (damages.faults >= damages_at_first && damages.orphan_blobs == orphans_at_first);
}

static void test_damage(void)
{
    static const struct turn looking = {"checking a damaged store", NULL, check_damage, is_found};
    struct fixture before = opened;
    struct scene versioned = {.is_versioned = true};
    struct upload left;

    opened = fixture_open();
    CHECK(fixture_make_bucket(&opened, "b-b") == 0 && set_versioning(&opened, &versioned) == 0 &&
              fixture_put(&opened, "b-b", "spoilt", old_bytes, LARGE + 1) == 0 &&
              fixture_put(&opened, "b-b", "lost", old_bytes, LARGE) == 0 &&
              fixture_put(&opened, "b-b", "covered", old_bytes, LARGE) == 0 &&
              fixture_put(&opened, "b-b", "covered", old_bytes, LARGE + 10) == 0 &&
              fixture_put(&opened, "b-b", "left", old_bytes, 1) == 0 &&
              upload_begin(&opened, &left, "b-b", "left") == 0 &&
              upload_part(&opened, &left, 1, old_bytes, LARGE) == 0 &&
              upload_part(&opened, &left, 2, old_bytes, LARGE) == 0 &&
              upload_begin(&opened, &left, "b-b", "stays") == 0 &&
              upload_part(&opened, &left, 1, old_bytes, LARGE + 1) == 0 &&
              lose_row(LST_ROW_OBJECT, "lost") && lose_row(LST_ROW_OBJECT, "covered") &&
              lose_row(LST_ROW_UPLOAD, "left") && lose_row(LST_ROW_PART, "") &&
              lose_row(LST_ROW_BLOB, "") && nftw(opened.folder, spoil_one, 16, FTW_PHYS) == 0,
          "a store is damaged");
    CHECK(check_damage() == 0 && damages.faults >= 5, "%d faults are found, and %d blobs left over",
          (int)damages.faults, (int)damages.orphan_blobs);
    damages_at_first = damages.faults;
    orphans_at_first = damages.orphan_blobs;
    turn_test(&looking);
    fixture_close(&opened);
    opened = before;
}

static void spare_files(void)
{
    if (opened.store != NULL) {
        (void)lst_store_spare_files(opened.store);
    }
}

static void test_opening(void)
{
    static const struct turn beginning = {"opening a new folder", is_new, begin_store, is_usable};
    static const struct turn without_links = {"opening a new folder without links", is_new,
                                              open_store, is_usable};

    static const struct turn opening = {"opening after a crash", is_crashed, open_store, is_whole};
    static const struct turn checking = {"checking the store", NULL, check_store, is_whole};

    turn_spare = spare_files;
    opened = fixture_open();
    CHECK(fixture_make_bucket(&opened, "b-b") == 0 &&
              fixture_put(&opened, "b-b", "k", old_bytes, LARGE) == 0,
          "there is a large object");
    fixture_reopen(&opened);
    turn_test(&opening);
    turn_test(&checking);
    turn_test(&beginning);
    fault_deny(FAULT_link, true);
    turn_test(&without_links);
    fault_deny(FAULT_renameat2, true);
    turn_test(&without_links);
    fault_deny(FAULT_link, false);
    fault_deny(FAULT_renameat2, false);
    test_damage();
    fixture_close(&opened);
}

/* Not of the store. */
static const char unused[] = "reallocarray curl_easy_init curl_easy_setopt curl_slist_append "
                             "curl_multi_init curl_multi_add_handle XML_ParserCreate "
                             "XML_ParserCreate_MM XML_Parse magic_open magic_load magic_buffer "
                             "crypt_rn";

/* opendir: not of the store. mdb_stat: of an index that LMDB made and nobody filled, which is not
 * made any more. ftruncate64: of a body that is shorter than announced, which the store refuses
 * before. */
static const char unreached_calls[] = "opendir mdb_stat ftruncate64";

/*
 * src/base/file.c: whole files, which the store does not write (gate_fault.c does). check_format,
 * publish: as above. is_full, left_no_trace: after a commit that failed, see
 * tests/unit/index/failed_sync_test.c. sweep_all: after more was to be deleted than the memory
 * holds. rewrite_headers: of an index whose map is full. lst_index_is_complete: of one that can't
 * be opened, to say so. find_left and lst_store_walk go on only behind a row that is
 * damaged; look and find_whole likewise, and read_big reads only what is longer than a page.
 * find_meant, is_damaged_here, lst_check_report_meant, pass_misplaced, seek_any_space: of damaged
 * rows, too (seek_any_space: tests/unit/index/damage_test.c).
 * The scrubber runs in a server alone: what fails it tries again later.
 * count_freed: of an index that is nearly full. lst_store_recount, recount_bucket, recount_range,
 * put_usage, lst_store_usage: not of an operation (tests/protocol/test_damaged_rows.py).
 * /store/reclaim.c: not of an operation (tests/unit/store/reclaim_test.c). check_borrowed: ends the
 * process. lst_blob_free_file: frees a large file piece by piece, and what fails there the closing
 * does. lst_blobs_sync_deleted:lst_store_delete_blobs: the housekeeper's, which comes when it
 * comes, so that now and then none of the calls that fail is this one. submit_start: of bodies of
 * more than 8 MiB, see tests/unit/blob/blob_test.c; what can't be begun goes with the seal.
 */
static const char unreached[] =
    "check_state lst_file_read lst_file_write read_all /base/file.c check_format "
    "ftruncate64:publish is_full "
    "left_no_trace sweep_all rewrite_headers lst_index_is_complete submit_start "
    "lst_index_next:find_left lst_index_next:lst_store_walk "
    "mdb_cursor_get:look mdb_cursor_get:find_whole pread64:read_at /store/scrub.c "
    "find_meant is_damaged_here lst_check_report_meant pass_misplaced seek_any_space "
    "count_freed lst_store_recount recount_bucket recount_range put_usage lst_store_usage "
    "/store/reclaim.c check_borrowed lst_blob_free_file "
    "lst_blobs_sync_deleted:lst_store_delete_blobs";

int main(void)
{
    /* In memory where that can be: no sync is waited for. */
    if (access("/dev/shm", W_OK) == 0 && chdir("/dev/shm") != 0) {
        return 1;
    }
    old_bytes = fixture_bytes(LONG, 1);
    new_bytes = fixture_bytes(PART + LONG, 2);
    for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
        for (size_t j = 0; j < TURN_WAYS; j++) {
            test_scene(&scenes[i], &turn_ways[j]);
        }
    }
    test_copies();
    test_sweep();
    test_bucket_lives();
    test_opening();
    CHECK(fault_never(FAULT_STORE | FAULT_SYSTEM, unreached_calls) == 0, "every call has failed");
    CHECK(fault_never_at(FAULT_STORE | FAULT_SYSTEM, "/src/", unreached) == 0,
          "wherever it is made");
    CHECK(fault_never(FAULT_MEMORY, unused) == 0, "every call for memory has failed");
    free(old_bytes);
    free(new_bytes);
    return tap_done();
}
