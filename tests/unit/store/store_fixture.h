/* store_fixture.h - a store in a folder of its own, and the plain verbs that its tests need. */
#ifndef LST_TESTS_STORE_FIXTURE_H
#define LST_TESTS_STORE_FIXTURE_H

#include "tap.h"

#include "store/store.h"

#include "blob/blob.h"

#include <ftw.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static inline struct lst_slice slice(const char *text)
{
    return lst_slice_make(text, strlen(text));
}

/* ---- Waiting for a write */

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_done;
    int status;
};

static inline void waiter_done(struct lst_store_write *write, int status)
{
    struct waiter *waiter = write->context;

    pthread_mutex_lock(&waiter->lock);
    waiter->is_done = true;
    waiter->status = status;
    pthread_cond_signal(&waiter->wake);
    pthread_mutex_unlock(&waiter->lock);
}

static inline struct lst_store_write waiter_write(struct waiter *waiter)
{
    struct lst_store_write write = {.done = waiter_done, .context = waiter};

    pthread_mutex_init(&waiter->lock, NULL);
    pthread_cond_init(&waiter->wake, NULL);
    waiter->is_done = false;
    return write;
}

static inline int waiter_wait(struct waiter *waiter)
{
    pthread_mutex_lock(&waiter->lock);
    while (!waiter->is_done) {
        pthread_cond_wait(&waiter->wake, &waiter->lock);
    }
    pthread_mutex_unlock(&waiter->lock);
    return waiter->status;
}

/* ---- The store */

struct fixture {
    char folder[64];
    uint64_t index_size_max;
    struct lst_store *store;
    struct lst_store_recovery recovery;
};

static inline int fixture_start(struct fixture *fixture)
{
    struct lst_store_options options = {.path = fixture->folder,
                                        .index_size_max = fixture->index_size_max};

    return lst_store_open(&options, &fixture->recovery, &fixture->store);
}

static inline struct fixture fixture_open_sized(uint64_t index_size_max)
{
    struct fixture fixture = {.folder = "store-test-XXXXXX", .index_size_max = index_size_max};

    if (mkdtemp(fixture.folder) == NULL || fixture_start(&fixture) != 0) {
        CHECK(false, "a store is opened in a new folder");
        exit(tap_done());
    }
    return fixture;
}

static inline struct fixture fixture_open(void)
{
    return fixture_open_sized(0);
}

static inline void fixture_reopen(struct fixture *fixture)
{
    lst_store_close(fixture->store);
    if (fixture_start(fixture) != 0) {
        CHECK(false, "the store is opened again");
        exit(tap_done());
    }
}

static inline int fixture_remove_one(const char *path, const struct stat *state, int kind,
                                     struct FTW *where)
{
    (void)state;
    (void)kind;
    (void)where;
    return remove(path);
}

static inline void fixture_remove(struct fixture *fixture)
{
    (void)nftw(fixture->folder, fixture_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void fixture_close(struct fixture *fixture)
{
    lst_store_close(fixture->store);
    fixture_remove(fixture);
}

static inline int fixture_make_bucket(struct fixture *fixture, const char *name)
{
    struct lst_bucket bucket = {slice(name), 1234, slice("eu-west-1"), slice("me")};
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    int status = lst_store_bucket_create(fixture->store, &bucket, &write);

    return status == 0 ? waiter_wait(&waiter) : status;
}

static inline int fixture_delete_bucket(struct fixture *fixture, const char *name)
{
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    int status = lst_store_bucket_delete(fixture->store, slice(name), &write);

    return status == 0 ? waiter_wait(&waiter) : status;
}

/* The body is written in pieces of up to 10,000 bytes. */
static inline int fixture_put_options(struct fixture *fixture,
                                      const struct lst_put_options *options, const char *bytes,
                                      size_t size)
{
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    struct lst_put *put;
    int status = lst_put_begin(fixture->store, options, &put);

    if (status != 0) {
        return status;
    }
    for (size_t at = 0; at < size && status == 0; at += 10000) {
        status =
            lst_put_write(put, lst_slice_make(bytes + at, size - at < 10000 ? size - at : 10000));
    }
    if (status != 0) {
        lst_put_abort(put);
        return status;
    }
    lst_put_commit(put, &write);
    return waiter_wait(&waiter);
}

/* The size is known beforehand if it is even. */
static inline int fixture_put(struct fixture *fixture, const char *bucket, const char *key,
                              const char *bytes, size_t size)
{
    struct lst_put_options options = {
        .bucket = slice(bucket), .key = slice(key), .size_known = size % 2 == 0, .size = size};

    return fixture_put_options(fixture, &options, bytes, size);
}

static inline int fixture_delete(struct fixture *fixture, const char *bucket, const char *key)
{
    struct lst_deletion deletion = {.key = slice(key)};
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    int status = lst_store_delete(fixture->store, slice(bucket), &deletion, 1, &write);

    return status == 0 ? waiter_wait(&waiter) : status;
}

static inline bool fixture_blob_holds(struct lst_blob_reader *blob, const char *bytes, size_t size)
{
    char *content = malloc(size + 1);
    size_t total = 0;
    size_t length = 1;
    bool holds;

    while (length > 0 && total <= size &&
           lst_blob_read(blob, total, content + total, size + 1 - total, &length) == 0) {
        total += length;
    }
    holds = total == size && memcmp(content, bytes, size) == 0;
    free(content);
    return holds;
}

/* Whether the object is there, with this body. */
static inline bool fixture_holds(struct fixture *fixture, const char *bucket, const char *key,
                                 const char *bytes, size_t size)
{
    struct lst_object object;
    bool holds;

    if (lst_object_open(fixture->store,
                        &(struct lst_object_name){slice(bucket), slice(key), {NULL, 0}}, true,
                        &object) != 0) {
        return false;
    }
    holds = object.size == size &&
            (object.is_inline ? lst_slice_equal(object.body, lst_slice_make(bytes, size))
                              : fixture_blob_holds(object.blob, bytes, size));
    lst_object_close(&object);
    return holds;
}

/* ---- What is in the folder */

static int fixture_file_count;

static inline int fixture_count_one(const char *path, const struct stat *state, int kind,
                                    struct FTW *where)
{
    (void)state;
    /* blobs/<generation>/<folder>/<file> */
    if (kind == FTW_F && where->level == 4 && strstr(path, "/blobs/") != NULL) {
        fixture_file_count++;
    }
    return 0;
}

static inline int fixture_blob_files(const struct fixture *fixture)
{
    fixture_file_count = 0;
    (void)nftw(fixture->folder, fixture_count_one, 16, FTW_PHYS);
    return fixture_file_count;
}

static bool fixture_found_unfinished;

static inline int fixture_find_unfinished(const char *path, const struct stat *state, int kind,
                                          struct FTW *where)
{
    (void)state;
    (void)kind;
    (void)where;
    fixture_found_unfinished = fixture_found_unfinished || strstr(path, ".part") != NULL;
    return 0;
}

/* Whether the file of a blob that was never sealed lies about. */
static inline bool fixture_has_unfinished(const struct fixture *fixture)
{
    fixture_found_unfinished = false;
    (void)nftw(fixture->folder, fixture_find_unfinished, 16, FTW_PHYS);
    return fixture_found_unfinished;
}

/* Garbage is deleted soon, not at once: wait until so many blobs are left, 5 seconds at most. */
static inline bool fixture_wait_blob_files(const struct fixture *fixture, int count)
{
    for (int i = 0; i < 500 && fixture_blob_files(fixture) != count; i++) {
        (void)usleep(10000);
    }
    return fixture_blob_files(fixture) == count;
}

static inline void fixture_show_fault(void *context, const struct lst_store_fault *fault)
{
    (void)context;
    printf("# fault: %.*s/%.*s: %s\n", (int)fault->bucket.length, fault->bucket.bytes,
           (int)fault->key.length, fault->key.bytes, fault->text);
}

/* Whether the check finds no fault, no orphan, and so many objects. */
static inline bool fixture_is_clean(struct fixture *fixture, uint64_t objects)
{
    struct lst_store_census census;

    if (lst_store_check(fixture->store, fixture_show_fault, NULL, &census) != 0) {
        return false;
    }
    if (census.faults != 0 || census.orphan_blobs != 0 || census.objects != objects) {
        printf("# faults %d, orphans %d, objects %d\n", (int)census.faults,
               (int)census.orphan_blobs, (int)census.objects);
    }
    return census.faults == 0 && census.orphan_blobs == 0 && census.objects == objects;
}

/* So many bytes, other ones for each seed; to be freed. */
static inline char *fixture_bytes(size_t size, uint64_t seed)
{
    char *bytes = malloc(size + 1);
    uint64_t state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;

    for (size_t i = 0; i < size; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bytes[i] = (char)(uint8_t)(state >> 56);
    }
    return bytes;
}

#endif
