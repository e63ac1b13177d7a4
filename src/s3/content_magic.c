/* content_magic.c - libmagic's handles, and what they say. */
#include "s3/content_magic.h"

#include <magic.h>
#include <pthread.h>
#include <stdlib.h>

/* Handles kept for the next look. One look is short, so that few are ever in use at once; what more
 * is needed for a moment is made and closed again. */
enum { KEPT_MAX = 4 };

/* How far a regular expression of the database searches: with libmagic's own limit, 8192 bytes of
 * newlines take 380 ms instead of 30. No type that matters here needs more. */
enum { REGEX_REACH = 1024 };

/*
 * MAGIC_CONTINUE gives all that fits and not only the first. What is left out is either not asked
 * for (text encodings, the details of ELF files and OLE documents) or decided in content_judge.c
 * (text), or would decompress what a stranger sent.
 */
static const int flags = MAGIC_MIME_TYPE | MAGIC_CONTINUE | MAGIC_RAW | MAGIC_NO_CHECK_COMPRESS |
                         MAGIC_NO_CHECK_CDF | MAGIC_NO_CHECK_CSV | MAGIC_NO_CHECK_ELF |
                         MAGIC_NO_CHECK_JSON | MAGIC_NO_CHECK_TOKENS;

struct lst_content_pool {
    pthread_mutex_t mutex;
    size_t count;
    magic_t kept[KEPT_MAX]; /* not in use */
};

int lst_content_pool_open(struct lst_content_pool **ret_pool)
{
    struct lst_content_pool *pool = calloc(1, sizeof(*pool));

    if (pool == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    if (pthread_mutex_init(&pool->mutex, NULL) != 0) {
        free(pool);
        return LST_ERR_NO_MEMORY;
    }
    *ret_pool = pool;
    return LST_OK;
}

void lst_content_pool_close(struct lst_content_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    for (size_t i = 0; i < pool->count; i++) {
        magic_close(pool->kept[i]);
    }
    (void)pthread_mutex_destroy(&pool->mutex);
    free(pool);
}

static int make_handle(magic_t *ret_handle)
{
    size_t reach = REGEX_REACH;
    magic_t handle;
    int status = lst_content_load(NULL);

    if (status != LST_OK) {
        return status;
    }
    handle = magic_open(flags);
    if (handle == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    if (magic_load(handle, NULL) != 0 ||
        magic_setparam(handle, MAGIC_PARAM_REGEX_MAX, &reach) != 0) {
        magic_close(handle);
        return LST_ERR_IO;
    }
    *ret_handle = handle;
    return LST_OK;
}

static int borrow(struct lst_content_pool *pool, magic_t *ret_handle)
{
    magic_t handle = NULL;

    (void)pthread_mutex_lock(&pool->mutex);
    if (pool->count > 0) {
        handle = pool->kept[--pool->count];
    }
    (void)pthread_mutex_unlock(&pool->mutex);
    if (handle == NULL) {
        return make_handle(ret_handle);
    }
    *ret_handle = handle;
    return LST_OK;
}

static void give_back(struct lst_content_pool *pool, magic_t handle)
{
    (void)pthread_mutex_lock(&pool->mutex);
    if (pool->count < KEPT_MAX) {
        pool->kept[pool->count++] = handle;
        handle = NULL;
    }
    (void)pthread_mutex_unlock(&pool->mutex);
    if (handle != NULL) {
        magic_close(handle);
    }
}

/* said: "image/gif\n- application/pdf\n- application/octet-stream". */
static void read_reports(struct lst_slice said, struct lst_content_reports *reports)
{
    struct lst_slice rest;
    struct lst_slice line;

    reports->count = 0;
    said = lst_slice_first(said, sizeof(reports->text));
    memcpy(reports->text, said.bytes, said.length);
    rest = lst_slice_make(reports->text, said.length);
    while (lst_slice_split(&rest, '\n', &line) && reports->count < LST_CONTENT_REPORTS_MAX) {
        if (lst_slice_starts_with(line, LST_SLICE("- "))) {
            line = lst_slice_after(line, 2);
        }
        line = lst_slice_trim(line);
        if (lst_slice_find(line, '/') < line.length &&
            !lst_slice_equal(line, LST_SLICE("application/x-empty")) &&
            !lst_slice_equal(line, LST_SLICE("application/octet-stream"))) {
            reports->types[reports->count++] = line;
        }
    }
}

int lst_content_pool_look(struct lst_content_pool *pool, struct lst_slice bytes,
                          struct lst_content_reports *ret_reports)
{
    magic_t handle;
    const char *said;
    int status = borrow(pool, &handle);

    if (status != LST_OK) {
        return status;
    }
    said = magic_buffer(handle, bytes.bytes, bytes.length);
    if (said == NULL) {
        status = LST_ERR_NO_MEMORY;
    } else {
        read_reports(lst_slice_of(said), ret_reports);
    }
    give_back(pool, handle);
    return status;
}
