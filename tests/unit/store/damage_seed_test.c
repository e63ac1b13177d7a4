/*
 * damage_seed_test.c - whatever a disk does to a store, nobody is given other bytes than were
 * stored, nothing crashes or hangs, and the check names what is wrong.
 *
 * A store with rows of every kind is made once. Each seed damages a copy of it, in a process of its
 * own: bits flip, pieces are overwritten, pages stand elsewhere or are cut away, bodies likewise.
 * Then everything is read and listed, the check runs, and the store is opened to be written to.
 * LST_SEED=N runs one seed alone, and shows what it finds. LST_FULL=1: 1,000 seeds.
 */
#include "damage.h"
#include "upload_fixture.h"

#include "index/index.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

enum {
    SEEDS = 40,
    SEEDS_FULL = 1000,
    AT_ONCE = 4,
    SECONDS = 120, /* nothing takes so long but what hangs */
    SMALL = 60,
    LARGE = 6,
    VERSIONS = 4,
    OBJECTS = SMALL + LARGE + 2 * VERSIONS + 2 + 1,
};

/* The check waits for a server that may be beside it: not here. */
unsigned int sleep(unsigned int seconds)
{
    (void)seconds;
    return 0;
}

struct expected {
    char bucket[16];
    char key[1001];
    struct lst_version_id version;
    size_t size;
    char *bytes;
    bool is_read;  /* as it was stored */
    bool is_named; /* by the check, with its key or a range of keys */
};

static struct expected objects[OBJECTS];
static size_t object_count;

/* ---- The store */

static struct expected *add(const char *bucket, const char *key, size_t size)
{
    struct expected *object = &objects[object_count++];

    (void)snprintf(object->bucket, sizeof(object->bucket), "%s", bucket);
    (void)snprintf(object->key, sizeof(object->key), "%s", key);
    object->size = size;
    object->bytes = fixture_bytes(size, object_count);
    return object;
}

static bool put(struct fixture *fixture, const char *bucket, const char *key, size_t size)
{
    struct expected *object = add(bucket, key, size);
    struct lst_put_options options = {.bucket = slice(bucket), .key = slice(key)};
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    struct lst_put *put;
    bool ok = lst_put_begin(fixture->store, &options, &put) == 0 &&
              lst_put_write(put, lst_slice_make(object->bytes, size)) == 0;

    if (ok) {
        lst_put_commit(put, &write);
        ok = waiter_wait(&waiter) == 0;
        object->version = write.version;
    }
    return ok;
}

static bool enable_versions(struct fixture *fixture, const char *bucket)
{
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);

    return lst_bucket_set_versioning(fixture->store, slice(bucket), LST_VERSIONING_ENABLED,
                                     &write) == 0 &&
           waiter_wait(&waiter) == 0;
}

static bool put_parts(struct fixture *fixture)
{
    struct expected *object = add("parts", "whole", 30000);
    struct upload upload;
    struct upload unfinished;
    char *bytes = object->bytes;

    return upload_begin(fixture, &upload, "parts", "whole") == 0 &&
           upload_part(fixture, &upload, 1, bytes, 30000) == 0 &&
           upload_complete(fixture, &upload) == 0 &&
           upload_begin(fixture, &unfinished, "parts", "unfinished") == 0 &&
           upload_part(fixture, &unfinished, 1, bytes, 20000) == 0 &&
           upload_part(fixture, &unfinished, 2, bytes, 2000) == 0;
}

static bool fill(struct fixture *fixture)
{
    char key[1001];
    bool ok = fixture_make_bucket(fixture, "bucket") == 0 &&
              fixture_make_bucket(fixture, "versions") == 0 &&
              fixture_make_bucket(fixture, "parts") == 0 && enable_versions(fixture, "versions");

    for (int i = 0; i < SMALL && ok; i++) {
        (void)snprintf(key, sizeof(key), "photo-%03d.jpg", i);
        ok = put(fixture, "bucket", key, (size_t)(i * 97 % 3000));
    }
    for (int i = 0; i < LARGE && ok; i++) {
        (void)snprintf(key, sizeof(key), "film-%03d.mp4", i);
        ok = put(fixture, "bucket", key, (size_t)(9000 + i * 3001));
    }
    for (int i = 0; i < 2 && ok; i++) {
        memset(key, 'l', 1000);
        key[1000] = '\0';
        key[999] = (char)('a' + i);
        ok = put(fixture, "bucket", key, 100);
    }
    for (int i = 0; i < VERSIONS && ok; i++) {
        ok = put(fixture, "versions", "small", (size_t)(200 + i)) &&
             put(fixture, "versions", "large", (size_t)(9000 + i));
    }
    return ok && put_parts(fixture);
}

/* ---- Damage */

static char bodies[LARGE + VERSIONS + 8][200];
static size_t body_count;

static int find_body(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about;
    if (kind == FTW_F && where->level == 4 && strstr(path, "/blobs/") != NULL &&
        body_count < sizeof(bodies) / sizeof(bodies[0])) {
        (void)snprintf(bodies[body_count++], sizeof(bodies[0]), "%s", path);
    }
    return 0;
}

static void damage_body(const char *folder)
{
    size_t size;
    char *bytes;
    const char *path;

    (void)nftw(folder, find_body, 16, FTW_PHYS);
    path = bodies[random_below((uint32_t)body_count)];
    bytes = damage_read(path, &size);
    switch (random_below(4)) {
    case 0:
        (void)unlink(path);
        break;
    case 1:
        damage_write(path, bytes, random_below((uint32_t)size));
        break;
    default:
        bytes[random_below((uint32_t)size)] ^= (char)(1 << random_below(8));
        damage_write(path, bytes, size);
    }
    free(bytes);
}

static void damage(const char *folder, uint64_t seed)
{
    char path[100];

    damage_seed(seed);
    if (random_below(6) == 0) {
        damage_body(folder);
        return;
    }
    (void)snprintf(path, sizeof(path), "%s/index.mdb", folder);
    damage_file(path);
}

/* ---- What is read */

static bool show;
static uint64_t fault_count;
static bool is_all_named; /* a whole bucket, or the file as a whole */

/* Of a key that changed itself, its end perhaps too, nobody knows what it was. */
static bool is_nearly(struct lst_slice key, struct lst_slice named)
{
    size_t shorter = key.length < named.length ? key.length : named.length;
    size_t others = key.length + named.length - 2 * shorter;

    for (size_t i = 0; i < shorter; i++) {
        others += key.bytes[i] != named.bytes[i];
    }
    return others <= 4;
}

static bool is_of_key(const struct expected *object, const struct lst_store_fault *fault)
{
    size_t shown = fault->key.length;

    /* A range begins with its key; of a long one the beginning is all that is known. */
    if (strstr(fault->text, "from this key") != NULL || shown > 400) {
        return lst_slice_compare(slice(object->key), fault->key) >= 0 || shown > 400;
    }
    return is_nearly(slice(object->key), fault->key);
}

static void take_fault(void *context, const struct lst_store_fault *fault)
{
    (void)context;
    fault_count++;
    if (show) {
        fixture_show_fault(NULL, fault);
    }
    for (size_t i = 0; i < object_count; i++) {
        if (fault->bucket.length == 0) {
            objects[i].is_named = true;
        } else if (lst_slice_equal(fault->bucket, slice(objects[i].bucket)) &&
                   (fault->key.length == 0 || is_of_key(&objects[i], fault))) {
            objects[i].is_named = true;
        }
    }
    is_all_named = is_all_named || fault->bucket.length == 0;
}

enum outcome { SAME, REFUSED, WRONG };

static enum outcome read_one(struct fixture *fixture, const struct expected *expected)
{
    struct lst_slice version = lst_version_id_slice(&expected->version);
    struct lst_object_name name = {slice(expected->bucket), slice(expected->key), version};
    struct lst_object object;
    char *content = malloc(expected->size + 1);
    size_t total = 0;
    size_t length = 1;
    int opened = lst_object_open(fixture->store, &name, true, &object);
    bool is_refused = opened != 0;
    enum outcome outcome = WRONG;

    if (show && opened != 0) {
        printf("# opening gives %d\n", opened);
    }

    if (is_refused) {
        free(content);
        return REFUSED;
    }
    if (object.is_inline) {
        outcome = lst_slice_equal(object.body, lst_slice_make(expected->bytes, expected->size))
                      ? SAME
                      : WRONG;
    } else {
        struct lst_object_stream *stream;
        int status = lst_object_stream_open(&object, 0, object.size, &stream);
        bool is_open = status == 0;
        while (status == 0 && length > 0 && total <= expected->size) {
            status = lst_object_stream_read(stream, content + total, expected->size + 1 - total,
                                            &length);
            total += status == 0 ? length : 0;
        }
        if (is_open) {
            lst_object_stream_close(stream);
        }
        if (status == 0) {
            outcome = total == expected->size && memcmp(content, expected->bytes, total) == 0
                          ? SAME
                          : WRONG;
        } else {
            outcome = REFUSED;
        }
    }
    lst_object_close(&object);
    free(content);
    return outcome;
}

/* ---- Listings */

struct listing {
    size_t count;
    char last[1001];
};

static int take_entry(void *context, const struct lst_list_entry *entry)
{
    struct listing *listing = context;
    bool is_known = false;

    for (size_t i = 0; i < object_count && !is_known; i++) {
        is_known = strcmp(objects[i].bucket, "bucket") == 0 &&
                   lst_slice_equal(entry->key, slice(objects[i].key)) &&
                   entry->size == objects[i].size;
    }
    listing->count += is_known ? 1 : 1000;
    (void)snprintf(listing->last, sizeof(listing->last), "%.*s", (int)entry->key.length,
                   entry->key.bytes);
    return LST_OK;
}

/* Whether the whole bucket is listed, or the list is an error. */
static bool list_is_whole(struct fixture *fixture)
{
    struct listing listing = {0};
    struct lst_list_options options = {.bucket = slice("bucket"), .max_entries = 7};
    bool is_truncated = true;
    int status = LST_OK;

    for (int i = 0; i < OBJECTS && is_truncated && status == LST_OK; i++) {
        char after[1001];
        (void)snprintf(after, sizeof(after), "%s", listing.last);
        options.after = slice(after);
        status = lst_store_list(fixture->store, &options, take_entry, &listing, &is_truncated);
    }
    return status != LST_OK || (!is_truncated && listing.count == SMALL + LARGE + 2);
}

/* ---- One seed */

/* How the process of a seed ends. */
enum end { WELL = 10, NOT_OPENED, NOT_CHECKED, LOUD, BAD };

static enum end fail(uint64_t seed, const char *what, const struct expected *object)
{
    printf("# LST_SEED=%llu: %s: %s/%.40s\n", (unsigned long long)seed, what,
           object == NULL ? "" : object->bucket, object == NULL ? "" : object->key);
    (void)fflush(stdout);
    return BAD;
}

static enum end judge(struct fixture *fixture, uint64_t seed)
{
    struct lst_store_census census;
    int status = lst_store_check(fixture->store, take_fault, NULL, &census);

    if (status != LST_OK && status != LST_ERR_CORRUPT) {
        return fail(seed, lst_error_text(status), NULL);
    }
    if (show) {
        printf("# the check gives %d, %d faults\n", status, (int)fault_count);
    }
    for (size_t i = 0; i < object_count; i++) {
        enum outcome outcome = read_one(fixture, &objects[i]);
        bool is_in_file = objects[i].size > LST_STORE_INLINE_MAX;
        if (show && outcome != SAME) {
            printf("# %s/%.40s is %s\n", objects[i].bucket, objects[i].key,
                   outcome == WRONG ? "wrong" : "refused");
        }
        if (outcome == WRONG && !is_in_file) {
            return fail(seed, "other bytes than were stored", &objects[i]);
        }
        if (outcome != SAME && !objects[i].is_named && status == LST_OK) {
            return fail(seed, "the check does not name it", &objects[i]);
        }
    }
    if (!list_is_whole(fixture) && status == LST_OK && fault_count == 0) {
        return fail(seed, "a list lacks objects, and the check finds nothing", NULL);
    }
    return status == LST_OK ? WELL : NOT_CHECKED;
}

static void on_bus_error(int number)
{
    (void)number;
    _exit(LOUD);
}

static void say_last_words(const char *path)
{
    (void)path;
    _exit(LOUD);
}

/* A server on it: what it deletes by itself, and what is asked of it. It may end loudly. What could
 * be read before can be read then. */
static enum end write_to(struct fixture *fixture, uint64_t seed, enum end end)
{
    bool was_read[OBJECTS];

    for (size_t i = 0; i < object_count; i++) {
        was_read[i] = read_one(fixture, &objects[i]) == SAME;
    }
    lst_store_close(fixture->store);
    fixture->store = NULL;
    (void)signal(SIGALRM, SIG_DFL);
    if (fixture_start(fixture) != LST_OK) {
        return end;
    }
    for (int i = 0; i < 3; i++) {
        char key[32];
        (void)snprintf(key, sizeof(key), "photo-%03d.new", (int)random_below(SMALL));
        (void)fixture_put(fixture, "bucket", key, "new", 3);
        (void)fixture_delete(fixture, "bucket", key);
    }
    for (size_t i = 0; i < object_count; i++) {
        if (was_read[i] && read_one(fixture, &objects[i]) == WRONG) {
            end = fail(seed, "it was changed by opening the store", &objects[i]);
        }
    }
    lst_store_close(fixture->store);
    return end;
}

static enum end run_seed(const char *folder, uint64_t seed)
{
    struct fixture fixture = {0};
    struct lst_store_options options = {.path = folder, .read_only = true};
    enum end end;

    (void)signal(SIGBUS, on_bus_error);
    lst_index_at_end(say_last_words);
    (void)alarm(SECONDS);
    damage(folder, seed);
    (void)snprintf(fixture.folder, sizeof(fixture.folder), "%s", folder);
    if (lst_store_open(&options, NULL, &fixture.store) != LST_OK) {
        return NOT_OPENED;
    }
    end = judge(&fixture, seed);
    return end == BAD ? end : write_to(&fixture, seed, end);
}

/* ---- All */

static char copies[AT_ONCE][64];
static pid_t children[AT_ONCE];
static uint64_t seeds[AT_ONCE];
static size_t ends[BAD + 1];

static void begin_seed(const char *folder, int place, uint64_t seed)
{
    char command[200];

    (void)snprintf(copies[place], sizeof(copies[place]), "store-test-seed%d-%d", (int)getpid(),
                   place);
    (void)snprintf(command, sizeof(command), "rm -rf %.60s && cp -r %.60s %.60s", copies[place],
                   folder, copies[place]);
    CHECK(system(command) == 0, "the store is copied"); /* NOLINT(cert-env33-c) */
    seeds[place] = seed;
    (void)fflush(stdout);
    children[place] = fork();
    if (children[place] == 0) {
        _exit((int)run_seed(copies[place], seed));
    }
}

static void end_seed(int place)
{
    int end = 0;
    int status = -1;

    if (children[place] <= 0) {
        return;
    }
    (void)waitpid(children[place], &status, 0);
    children[place] = 0;
    end = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (end < WELL || end > BAD) {
        printf("# LST_SEED=%llu: ended with %#x\n", (unsigned long long)seeds[place],
               (unsigned)status);
        end = BAD;
    }
    ends[end]++;
}

int main(void)
{
    struct fixture fixture = fixture_open();
    const char *one = getenv("LST_SEED");
    uint64_t first = one == NULL ? 1 : strtoull(one, NULL, 10);
    uint64_t count = one != NULL ? 1 : getenv("LST_FULL") != NULL ? SEEDS_FULL : SEEDS;

    show = one != NULL;
    CHECK(fill(&fixture), "a store is filled with all kinds of rows");
    lst_store_close(fixture.store);
    for (uint64_t seed = first; seed < first + count; seed++) {
        int place = (int)(seed % AT_ONCE);
        end_seed(place);
        begin_seed(fixture.folder, place, seed);
    }
    for (int i = 0; i < AT_ONCE; i++) {
        char command[200];
        end_seed(i);
        (void)snprintf(command, sizeof(command), "rm -rf %.60s", copies[i]);
        CHECK(system(command) == 0, "a copy is removed"); /* NOLINT(cert-env33-c) */
    }
    printf("# %zu read and checked, %zu not opened, %zu not checked to the end, %zu ended loudly\n",
           ends[WELL], ends[NOT_OPENED], ends[NOT_CHECKED], ends[LOUD]);
    CHECK(ends[BAD] == 0,
          "after each of %d damages what is read is what was stored, or is named by the check",
          (int)count);
    fixture_remove(&fixture);
    for (size_t i = 0; i < object_count; i++) {
        free(objects[i].bytes);
    }
    return tap_done();
}
