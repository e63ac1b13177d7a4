/* store_fault.c - every operation of the store, with each of its calls failing in turn: the object
 * is the old one or the new one, nothing is left over, and the store goes on.
 */
#include "turn.h"

#include "../unit/store/upload_fixture.h"

#include <errno.h>

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

static int prepare_one_part(struct fixture *fixture)
{
    int status = prepare_upload(fixture);

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

static int take_file(struct fixture *fixture, const struct scene *scene)
{
    struct lst_object object;
    uint64_t offset;
    int status = open_object(fixture, "b-b", "k", &object);
    int file;

    (void)scene;
    if (status == 0) {
        file = lst_object_take_file(&object, 0, object.size, &offset);
        if (file >= 0) {
            close(file);
        }
        lst_object_close(&object);
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
    {"a copy of bytes", LARGE, LARGE - 1, false, false, prepare_source, copy_range},
    {"a copy of parts", SMALL, PART + 10, false, false, prepare_parts, copy},
    {"a deletion", LARGE, 0, false, false, NULL, delete},
    {"a deletion that leaves a marker", LARGE, 0, true, false, NULL, delete},
    {"the beginning of an upload", SMALL, 0, false, true, NULL, create_upload},
    {"a part", SMALL, 0, false, true, prepare_upload, put_part},
    {"a part again", SMALL, 0, false, true, prepare_one_part, put_part},
    {"a completion", LARGE, LARGE, false, false, prepare_one_part, complete},
    {"an abort", SMALL, 0, false, true, prepare_one_part, abort_upload},
    {"tags", LARGE, 0, false, true, NULL, set_tags},
    {"a setting", SMALL, 0, false, true, NULL, set_setting},
    {"versioning", SMALL, 0, true, true, NULL, set_versioning},
    {"a new bucket", SMALL, 0, false, true, NULL, make_bucket},
    {"the end of a bucket", SMALL, 0, false, true, prepare_bucket, delete_bucket},
    {"reading an inline object", SMALL, 0, false, true, NULL, read_all},
    {"reading a large object", LONG - 1, 0, false, true, NULL, read_all},
    {"a file to send", LARGE, 0, false, true, NULL, take_file},
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
    CHECK(turn_open_files() == files, "%s: no file stays open", scene->name);
    fixture_reopen(&fixture);
    status = lst_store_check(fixture.store, fixture_show_fault, NULL, &census);
    CHECK(status == 0 && census.faults == 0 && census.orphan_blobs == 0 &&
              !fixture_has_unfinished(&fixture),
          "%s: after the next start the check is clean, and no blob is left over (%d faults, %d "
          "blobs)",
          scene->name, (int)census.faults, (int)census.orphan_blobs);
    fixture_close(&fixture);
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

/* Closed while all calls fail, as by a crash: the parts of a deleted object, which somebody was
 * still reading, are left for the next opening to delete. */
static bool is_crashed(void)
{
    struct lst_object object;
    struct upload whole;
    bool done = upload_whole(&opened, &whole, "b-b", "parts", new_bytes, PART + 10) == 0 &&
                open_object(&opened, "b-b", "parts", &object) == 0;

    if (!done) {
        return false;
    }
    done = fixture_delete(&opened, "b-b", "parts") == 0;
    fault_arm(FAULT_STORE, 1, true, LST_ERR_IO);
    lst_object_close(&object);
    lst_store_close(opened.store);
    (void)fault_disarm();
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
    return upload_holds(&opened, "b-b", "k", old_bytes, LARGE) && fixture_blob_files(&opened) == 1;
}

static void test_opening(void)
{
    static const struct turn opening = {"opening after a crash", is_crashed, open_store, is_whole};
    static const struct turn checking = {"checking the store", NULL, check_store, is_whole};

    opened = fixture_open();
    CHECK(fixture_make_bucket(&opened, "b-b") == 0 &&
              fixture_put(&opened, "b-b", "k", old_bytes, LARGE) == 0,
          "there is a large object");
    fixture_reopen(&opened);
    turn_test(&opening);
    turn_test(&checking);
    fixture_close(&opened);
}

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
    test_sweep();
    test_bucket_lives();
    test_opening();
    CHECK(fault_never(FAULT_STORE) == 0, "every call of index and blob has failed");
    /* Two may: ftruncate() is for a body shorter than announced, reallocarray() for long lists. */
    CHECK(fault_never(FAULT_STORE | FAULT_SYSTEM | FAULT_MEMORY) <= 2, "every call has failed");
    free(old_bytes);
    free(new_bytes);
    return tap_done();
}
