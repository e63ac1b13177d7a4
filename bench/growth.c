/*
 * growth.c - how the cost of GET, PUT, LIST and DELETE grows with the number of objects.
 *
 * Usage: growth FOLDER BUCKET OBJECTS. Puts small objects under scattered keys into a new bucket of
 * the store in FOLDER (made if it is not there; it stays), and measures at 1,000 objects, 10,000
 * and so on up to OBJECTS. A bucket that is there has so many already: it is measured once.
 *
 * Reads are given in time of the processor, so that others on the machine count for little. Prints
 * lines of a word and numbers, separated by tabs:
 *
 * - grown: objects; GET: ns; LIST of 1,000 keys anywhere: us; of the first: us; PUT, 64 at once: us
 *   of the processor, us; PUT, one at a time: us; index: bytes; resident, its own: KiB; resident,
 *   of the index: KiB; seconds to fill
 * - delete: 1,000 deletions at once: us, commits; one after another: us, commits
 * - stat: a stat of each of 1,000 files: us
 */
#include "base/clock.h"
#include "store/store.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    FIRST = 1000,
    BODY = 100,
    KEY = 16,
    LISTED = 1000,
    AT_ONCE_MAX = 4096,
    GETS = 200000,
    LISTS = 500,
    PUTS = 5000,
    PUTS_ALONE = 300,
    FILES = 10000,
    STATS_ROUNDS = 50,
};

struct bench {
    struct lst_store *store;
    struct lst_slice bucket;
    uint64_t random;
    struct slot *free_slots; /* of puts; under the lock */
    pthread_mutex_t lock;
};

struct slot {
    struct lst_store_write write;
    struct bench *bench;
    struct slot *next;
    sem_t *done;
    int status;
};

static void require(int status, const char *what)
{
    if (status != 0) {
        (void)fprintf(stderr, "growth: %s: %s\n", what, lst_error_text(status));
        exit(1);
    }
}

static double microseconds_since(uint64_t start)
{
    return (double)(lst_clock_monotonic_ns() - start) / 1e3;
}

/* Of the processor's time, spent by this thread or by all (CLOCK_PROCESS_CPUTIME_ID). */
static double processor_microseconds(clockid_t clock)
{
    struct timespec time;

    (void)clock_gettime(clock, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static uint64_t next_random(struct bench *bench)
{
    bench->random = bench->random * UINT64_C(6364136223846793005) + 1;
    return bench->random >> 33;
}

/* The key of an object's number: all differ, and neighbours are far apart (splitmix64). */
static struct lst_slice make_key(uint64_t number, char key[KEY + 1])
{
    uint64_t mixed = (number + 1) * UINT64_C(0x9E3779B97F4A7C15);

    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
    (void)snprintf(key, KEY + 1, "%016" PRIx64, mixed ^ mixed >> 31);
    return lst_slice_make(key, KEY);
}

/* ---- Puts */

static void put_done(struct lst_store_write *write, int status)
{
    struct slot *slot = write->context;
    sem_t *done = slot->done;

    require(status, "a write");
    pthread_mutex_lock(&slot->bench->lock);
    slot->next = slot->bench->free_slots;
    slot->bench->free_slots = slot;
    pthread_mutex_unlock(&slot->bench->lock);
    (void)sem_post(done);
}

static struct slot *take_slot(struct bench *bench)
{
    struct slot *slot;

    pthread_mutex_lock(&bench->lock);
    slot = bench->free_slots;
    bench->free_slots = slot->next;
    pthread_mutex_unlock(&bench->lock);
    return slot;
}

static void put(struct bench *bench, struct slot *slot, uint64_t number)
{
    static const char body[BODY] = "small";
    char key[KEY + 1];
    struct lst_put_options options = {
        .bucket = bench->bucket, .key = make_key(number, key), .size_known = true, .size = BODY};
    struct lst_put *put;

    require(lst_put_begin(bench->store, &options, &put), "a put");
    require(lst_put_write(put, lst_slice_make(body, BODY)), "a body");
    lst_put_commit(put, &slot->write);
}

/* Put the objects of the numbers that pick() gives, so many at once. The time in microseconds. */
static double put_many(struct bench *bench, uint64_t count, unsigned at_once,
                       uint64_t (*pick)(struct bench *bench, uint64_t at, uint64_t base),
                       uint64_t base)
{
    static struct slot slots[AT_ONCE_MAX];
    uint64_t start = lst_clock_monotonic_ns();
    sem_t done;

    (void)sem_init(&done, 0, at_once);
    bench->free_slots = NULL;
    for (unsigned i = 0; i < at_once; i++) {
        slots[i] = (struct slot){
            .write = {.done = put_done}, .bench = bench, .done = &done, .next = bench->free_slots};
        slots[i].write.context = &slots[i];
        bench->free_slots = &slots[i];
    }
    for (uint64_t i = 0; i < count; i++) {
        (void)sem_wait(&done);
        put(bench, take_slot(bench), pick(bench, i, base));
    }
    for (unsigned i = 0; i < at_once; i++) {
        (void)sem_wait(&done);
    }
    (void)sem_destroy(&done);
    return microseconds_since(start);
}

static uint64_t pick_next(struct bench *bench, uint64_t at, uint64_t base)
{
    (void)bench;
    return base + at;
}

static uint64_t pick_any(struct bench *bench, uint64_t at, uint64_t base)
{
    (void)at;
    return next_random(bench) % base;
}

/* ---- Reads */

static double get_many(struct bench *bench, uint64_t objects)
{
    double start = processor_microseconds(CLOCK_THREAD_CPUTIME_ID);

    for (int i = 0; i < GETS; i++) {
        char key[KEY + 1];
        struct lst_object_name name = {.bucket = bench->bucket,
                                       .key = make_key(next_random(bench) % objects, key)};
        struct lst_object object;
        require(lst_object_open(bench->store, &name, true, &object), "a get");
        lst_object_close(&object);
    }
    return (processor_microseconds(CLOCK_THREAD_CPUTIME_ID) - start) / GETS * 1e3;
}

static int see_entry(void *context, const struct lst_list_entry *entry)
{
    uint64_t *bytes = context;

    *bytes += entry->size + entry->key.length;
    return LST_OK;
}

/* Lists that begin anywhere where a thousand keys are left. */
static double list_many(struct bench *bench, bool anywhere)
{
    uint64_t span = anywhere ? UINT64_C(1) << 63 : 1;
    double start = processor_microseconds(CLOCK_THREAD_CPUTIME_ID);
    uint64_t bytes = 0;

    for (int i = 0; i < LISTS; i++) {
        char after[KEY + 1];
        struct lst_list_options options = {.bucket = bench->bucket, .max_entries = LISTED};
        bool truncated;
        (void)snprintf(after, sizeof(after), "%016" PRIx64,
                       next_random(bench) * 0x100000001 % span);
        options.after = lst_slice_make(after, KEY);
        require(lst_store_list(bench->store, &options, see_entry, &bytes, &truncated), "a list");
    }
    if (bytes != (uint64_t)LISTS * LISTED * (BODY + KEY)) {
        require(LST_ERR_CORRUPT, "a list of another length");
    }
    return (processor_microseconds(CLOCK_THREAD_CPUTIME_ID) - start) / LISTS;
}

/* ---- Deletions and files */

struct waiter {
    struct lst_store_write write;
    sem_t done;
};

static void wake_up(struct lst_store_write *write, int status)
{
    struct waiter *waiter = write->context;

    require(status, "a write");
    (void)sem_post(&waiter->done);
}

/* Delete the objects `from` on, so many at once. Prints the time and the commits. */
static void delete_many(struct bench *bench, uint64_t from, size_t at_once)
{
    static struct lst_deletion deletions[LISTED];
    static char keys[LISTED][KEY + 1];
    struct lst_store_statistics before;
    struct lst_store_statistics after;
    struct waiter waiter = {.write = {.done = wake_up, .context = &waiter}};
    uint64_t start;

    (void)sem_init(&waiter.done, 0, 0);
    for (size_t i = 0; i < LISTED; i++) {
        deletions[i] = (struct lst_deletion){.key = make_key(from + i, keys[i])};
    }
    lst_store_statistics(bench->store, &before);
    start = lst_clock_monotonic_ns();
    for (size_t i = 0; i < LISTED; i += at_once) {
        require(
            lst_store_delete(bench->store, bench->bucket, &deletions[i], at_once, &waiter.write),
            "a deletion");
        (void)sem_wait(&waiter.done);
    }
    printf("\t%.0f", microseconds_since(start));
    lst_store_statistics(bench->store, &after);
    printf("\t%" PRIu64, after.index_commits - before.index_commits);
    (void)sem_destroy(&waiter.done);
}

/* What listing costs where each key is a file: a stat of each. */
static void stat_many(const char *folder)
{
    char files[4096];
    char path[KEY + 1];
    struct stat state;
    double start;
    int root;

    (void)snprintf(files, sizeof(files), "%s.files", folder);
    if (mkdir(files, 0700) != 0) {
        require(LST_ERR_IO, files);
    }
    root = open(files, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (uint64_t i = 0; i < FILES; i++) {
        (void)make_key(i, path);
        close(openat(root, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    }
    start = processor_microseconds(CLOCK_THREAD_CPUTIME_ID);
    for (uint64_t i = 0; i < (uint64_t)STATS_ROUNDS * LISTED; i++) {
        (void)make_key(i % FILES, path);
        if (fstatat(root, path, &state, 0) != 0) {
            require(LST_ERR_IO, path);
        }
    }
    printf("stat\t%.1f\n",
           (processor_microseconds(CLOCK_THREAD_CPUTIME_ID) - start) / STATS_ROUNDS);
    for (uint64_t i = 0; i < FILES; i++) {
        (void)make_key(i, path);
        (void)unlinkat(root, path, 0);
    }
    close(root);
    (void)rmdir(files);
}

/* ---- The whole */

static uint64_t resident(const char *name)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];
    uint64_t value = 0;

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0) {
            value = strtoull(line + strlen(name), NULL, 10);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return value;
}

static void measure(struct bench *bench, uint64_t objects, double seconds)
{
    struct lst_store_statistics statistics;
    double processor;
    double together;

    printf("grown\t%" PRIu64, objects);
    (void)get_many(bench, objects); /* once to warm up */
    printf("\t%.0f", get_many(bench, objects));
    (void)list_many(bench, objects > LISTED);
    printf("\t%.1f", list_many(bench, objects > LISTED));
    printf("\t%.1f", list_many(bench, false));
    processor = processor_microseconds(CLOCK_PROCESS_CPUTIME_ID);
    together = put_many(bench, PUTS, 64, pick_any, objects) / PUTS;
    processor = processor_microseconds(CLOCK_PROCESS_CPUTIME_ID) - processor;
    printf("\t%.1f\t%.1f", processor / PUTS, together);
    printf("\t%.1f", put_many(bench, PUTS_ALONE, 1, pick_any, objects) / PUTS_ALONE);
    lst_store_statistics(bench->store, &statistics);
    printf("\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%.1f\n", statistics.index_bytes,
           resident("RssAnon:"), resident("RssFile:"), seconds);
    (void)fflush(stdout);
}

static int see_bucket(void *context, const struct lst_bucket *bucket)
{
    (void)context;
    (void)bucket;
    return LST_OK;
}

/* False if it is there. */
static bool make_bucket(struct bench *bench)
{
    struct lst_bucket bucket = {.name = bench->bucket};
    struct waiter waiter = {.write = {.done = wake_up, .context = &waiter}};
    int status = lst_store_bucket(bench->store, bench->bucket, see_bucket, NULL);

    if (status == LST_OK) {
        return false;
    }
    (void)sem_init(&waiter.done, 0, 0);
    require(lst_store_bucket_create(bench->store, &bucket, &waiter.write), "a bucket");
    (void)sem_wait(&waiter.done);
    (void)sem_destroy(&waiter.done);
    return true;
}

int main(int argument_count, char **arguments)
{
    struct bench bench = {.random = 1, .lock = PTHREAD_MUTEX_INITIALIZER};
    struct lst_store_options options = {0};
    uint64_t most = argument_count == 4 ? strtoull(arguments[3], NULL, 10) : 0;
    uint64_t there = 0;
    double seconds = 0;
    bool is_new;

    if (most < FIRST) {
        (void)fprintf(stderr, "usage: growth FOLDER BUCKET OBJECTS (at least 1000)\n");
        return 2;
    }
    options.path = arguments[1];
    bench.bucket = lst_slice_make(arguments[2], strlen(arguments[2]));
    require(lst_store_open(&options, NULL, &bench.store), "opening the store");
    is_new = make_bucket(&bench);
    for (uint64_t objects = FIRST; is_new && objects <= most; objects *= 10) {
        seconds += put_many(&bench, objects - there, AT_ONCE_MAX, pick_next, there) / 1e6;
        there = objects;
        measure(&bench, objects, seconds);
    }
    if (!is_new) {
        measure(&bench, most, 0);
        there = most;
    }
    (void)put_many(&bench, 2 * (uint64_t)LISTED, AT_ONCE_MAX, pick_next, there);
    printf("delete");
    delete_many(&bench, there, LISTED);
    delete_many(&bench, there + LISTED, 1);
    printf("\n");
    lst_store_close(bench.store);
    stat_many(arguments[1]);
    return 0;
}
