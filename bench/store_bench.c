/*
 * store_bench.c - what the store costs: point reads, durable small puts, a large put.
 *
 * Usage: store_bench [FOLDER]. The store is made in a new folder within FOLDER (or the current
 * folder), on whose disk the bench then runs, and removed at the end.
 */
#include "base/clock.h"
#include "index/index.h"
#include "store/store.h"

#include <fcntl.h>
#include <ftw.h>
#include <nettle/md5.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    INDEX_KEYS = 100000,
    INDEX_READS = 1000000,
    SMALL = 4096,
    CLIENTS = 64,
    PUTS_A_CLIENT = 150,
    SYNCS = 400,
    LARGE = 64 * 1024 * 1024,
    PIECE = 32 * 1024,
    ROUNDS = 5,
};

static struct lst_slice slice(const char *text)
{
    return lst_slice_make(text, strlen(text));
}

static void require(int status, const char *what)
{
    if (status != 0) {
        (void)fprintf(stderr, "store_bench: %s: %s\n", what, lst_error_text(status));
        exit(1);
    }
}

static double seconds_since(uint64_t start)
{
    return (double)(lst_clock_monotonic_ns() - start) / 1e9;
}

/* ---- Waiting for a write */

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_done;
    int status;
};

static void wake_up(struct lst_store_write *write, int status)
{
    struct waiter *waiter = write->context;

    pthread_mutex_lock(&waiter->lock);
    waiter->is_done = true;
    waiter->status = status;
    pthread_cond_signal(&waiter->wake);
    pthread_mutex_unlock(&waiter->lock);
}

static int wait_for(struct waiter *waiter)
{
    pthread_mutex_lock(&waiter->lock);
    while (!waiter->is_done) {
        pthread_cond_wait(&waiter->wake, &waiter->lock);
    }
    pthread_mutex_unlock(&waiter->lock);
    return waiter->status;
}

#define WAITER                                                                                     \
    {                                                                                              \
        .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER                        \
    }

static int put(struct lst_store *store, const char *key, const char *bytes, size_t size)
{
    struct waiter waiter = WAITER;
    struct lst_store_write write = {.done = wake_up, .context = &waiter};
    struct lst_put_options options = {
        .bucket = slice("bench"), .key = slice(key), .size_known = true, .size = size};
    struct lst_put *put;
    int status = lst_put_begin(store, &options, &put);

    for (size_t at = 0; status == 0 && at < size; at += PIECE) {
        status =
            lst_put_write(put, lst_slice_make(bytes + at, size - at < PIECE ? size - at : PIECE));
    }
    if (status != 0) {
        return status;
    }
    lst_put_commit(put, &write);
    return wait_for(&waiter);
}

/* ---- Point reads */

static void fill_index(struct lst_index *index)
{
    static struct lst_index_change changes[1000];
    static char keys[1000][32];
    static char value[200];

    for (int i = 0; i < INDEX_KEYS; i += 1000) {
        for (int j = 0; j < 1000; j++) {
            int length = snprintf(keys[j], sizeof(keys[j]), "photos/2026/%08d.jpg", i + j);
            changes[j] = (struct lst_index_change){.kind = LST_INDEX_PUT,
                                                   .key = lst_slice_make(keys[j], (size_t)length),
                                                   .value = lst_slice_make(value, sizeof(value))};
        }
        require(lst_index_apply(index, 1, changes, 1000), "filling the index");
    }
}

static void bench_reads(void)
{
    struct lst_index_options options = {.path = "bench.mdb"};
    struct lst_index_reader *reader;
    struct lst_index *index;
    uint64_t random = 1;
    uint64_t start;

    require(lst_index_open(&options, &index), "opening an index");
    fill_index(index);
    start = lst_clock_monotonic_ns();
    for (int i = 0; i < INDEX_READS; i++) {
        char key[32];
        struct lst_slice value;
        int length;
        random = random * UINT64_C(6364136223846793005) + 1;
        length =
            snprintf(key, sizeof(key), "photos/2026/%08d.jpg", (int)((random >> 33) % INDEX_KEYS));
        require(lst_index_read_begin(index, &reader), "a snapshot");
        require(lst_index_get(reader, 1, lst_slice_make(key, (size_t)length), &value), "a read");
        lst_index_read_end(reader);
    }
    printf("index, begin + get + end, %d keys: %.0f ns\n", INDEX_KEYS,
           seconds_since(start) / INDEX_READS * 1e9);
    start = lst_clock_monotonic_ns();
    for (int i = 0; i < INDEX_READS; i++) {
        random += lst_index_version(index, 1);
    }
    printf("index, version: %.0f ns\n", seconds_since(start) / INDEX_READS * 1e9);
    lst_index_close(index);
}

/* ---- Small puts */

static double bench_syncs(const char *bytes)
{
    uint64_t start = lst_clock_monotonic_ns();

    for (int i = 0; i < SYNCS; i++) {
        char name[32];
        int file;
        (void)snprintf(name, sizeof(name), "sync-%d", i);
        file = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (file < 0 || write(file, bytes, SMALL) != SMALL || fdatasync(file) != 0) {
            require(LST_ERR_IO, "write + fdatasync");
        }
        close(file);
    }
    return SYNCS / seconds_since(start);
}

struct client {
    struct lst_store *store;
    const char *bytes;
    size_t size;
    int number;
};

static void *put_many(void *argument)
{
    const struct client *client = argument;

    for (int i = 0; i < PUTS_A_CLIENT; i++) {
        char key[32];
        (void)snprintf(key, sizeof(key), "%zu/%d/%d", client->size, client->number, i);
        require(put(client->store, key, client->bytes, client->size), "a put");
    }
    return NULL;
}

static double bench_puts(struct lst_store *store, const char *bytes, size_t size)
{
    struct client clients[CLIENTS];
    pthread_t threads[CLIENTS];
    uint64_t start = lst_clock_monotonic_ns();

    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){store, bytes, size, i};
        if (pthread_create(&threads[i], NULL, put_many, &clients[i]) != 0) {
            require(LST_ERR_NO_MEMORY, "a thread");
        }
    }
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(threads[i], NULL);
    }
    return CLIENTS * PUTS_A_CLIENT / seconds_since(start);
}

/* ---- Large puts */

static double md5_rate(const char *bytes)
{
    uint8_t digest[MD5_DIGEST_SIZE];
    uint64_t start = lst_clock_monotonic_ns();
    struct md5_ctx md5;

    md5_init(&md5);
    for (size_t at = 0; at < LARGE; at += PIECE) {
        md5_update(&md5, PIECE, (const uint8_t *)bytes + at);
    }
    md5_digest(&md5, sizeof(digest), digest);
    return LARGE / 1e6 / seconds_since(start);
}

static void bench_large(struct lst_store *store)
{
    char *bytes = malloc(LARGE);

    if (bytes == NULL) {
        require(LST_ERR_NO_MEMORY, "64 MiB");
    }
    memset(bytes, 'l', LARGE);
    for (int i = 0; i < ROUNDS; i++) {
        double md5 = md5_rate(bytes);
        uint64_t start = lst_clock_monotonic_ns();
        double rate;
        char key[32];
        (void)snprintf(key, sizeof(key), "large-%d", i);
        require(put(store, key, bytes, LARGE), "a large put");
        rate = LARGE / 1e6 / seconds_since(start);
        printf("durable put of 64 MiB: %.0f MB/s, MD5 alone %.0f MB/s: %.2f\n", rate, md5,
               rate / md5);
    }
    free(bytes);
}

static int remove_one(const char *path, const struct stat *state, int kind, struct FTW *where)
{
    (void)state;
    (void)kind;
    (void)where;
    return remove(path);
}

int main(int argument_count, char **arguments)
{
    static char bytes[16384];
    char folder[] = "store-bench-XXXXXX";
    struct lst_store_options options = {.path = "store"};
    struct lst_bucket bucket = {.name = slice("bench")};
    struct waiter waiter = WAITER;
    struct lst_store_write write = {.done = wake_up, .context = &waiter};
    struct lst_store *store;
    double one_by_one;
    double grouped;

    if ((argument_count > 1 && chdir(arguments[1]) != 0) || mkdtemp(folder) == NULL ||
        chdir(folder) != 0) {
        require(LST_ERR_IO, "a folder for the bench");
    }
    bench_reads();
    require(lst_store_open(&options, NULL, &store), "opening a store");
    require(lst_store_bucket_create(store, &bucket, &write), "a bucket");
    require(wait_for(&waiter), "a bucket");
    one_by_one = bench_syncs(bytes);
    printf("write + fdatasync, one after another, 4 KiB: %.0f/s\n", one_by_one);
    grouped = bench_puts(store, bytes, SMALL);
    printf("durable puts, 64 clients, 4 KiB: %.0f/s: %.1f times\n", grouped, grouped / one_by_one);
    grouped = bench_puts(store, bytes, sizeof(bytes));
    printf("durable puts, 64 clients, 16 KiB: %.0f/s\n", grouped);
    bench_large(store);
    lst_store_close(store);
    if (chdir("..") != 0 || nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0) {
        require(LST_ERR_IO, "removing the bench's folder");
    }
    return 0;
}
