/* index_fixture.h - an index in a file of its own, and the plain verbs that its tests need. */
#ifndef LST_TESTS_INDEX_FIXTURE_H
#define LST_TESTS_INDEX_FIXTURE_H

#include "tap.h"

#include "index/index.h"

#include "base/buffer.h"

#include <stdlib.h>
#include <unistd.h>

static inline struct lst_slice slice(const char *text)
{
    return lst_slice_make(text, strlen(text));
}

struct fixture {
    char path[64];
    struct lst_index *index;
};

static inline int fixture_start(struct fixture *fixture, uint64_t size_max)
{
    struct lst_index_options options = {.path = fixture->path, .size_max = size_max};

    return lst_index_open(&options, &fixture->index);
}

static inline struct fixture fixture_open(uint64_t size_max)
{
    struct fixture fixture = {.path = "index-test-XXXXXX"};
    int file = mkstemp(fixture.path);

    if (file < 0 || unlink(fixture.path) != 0 || fixture_start(&fixture, size_max) != 0) {
        CHECK(false, "an index is opened in a new file");
        exit(tap_done());
    }
    close(file);
    return fixture;
}

static inline void fixture_close(struct fixture *fixture)
{
    char lock[80];

    lst_index_close(fixture->index);
    (void)snprintf(lock, sizeof(lock), "%s-lock", fixture->path);
    (void)unlink(fixture->path);
    (void)unlink(lock);
}

static inline int fixture_put(struct fixture *fixture, uint64_t partition, struct lst_slice key,
                              struct lst_slice value)
{
    struct lst_index_change change = {.kind = LST_INDEX_PUT, .key = key, .value = value};

    return lst_index_apply(fixture->index, partition, &change, 1);
}

static inline int fixture_delete(struct fixture *fixture, uint64_t partition, struct lst_slice key)
{
    struct lst_index_change change = {.kind = LST_INDEX_DELETE, .key = key};

    return lst_index_apply(fixture->index, partition, &change, 1);
}

/* Whether the key has this value; NULL: whether it is absent. */
static inline bool fixture_has(struct fixture *fixture, uint64_t partition, const char *key,
                               const char *value)
{
    struct lst_index_reader *reader;
    struct lst_slice found;
    int status;
    bool has;

    if (lst_index_read_begin(fixture->index, &reader) != 0) {
        return false;
    }
    status = lst_index_get(reader, partition, slice(key), &found);
    has = value == NULL ? status == LST_ERR_NOT_FOUND
                        : status == 0 && lst_slice_equal(found, slice(value));
    lst_index_read_end(reader);
    return has;
}

/* A small random number generator, the same sequence each time. */
static inline uint32_t fixture_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

#endif
