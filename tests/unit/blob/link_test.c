/* link_test.c - two blobs with the same content live and die each on its own. */
#include "tap.h"

#include "blob/blob.h"

#include <ftw.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "link-test-XXXXXX";

static struct lst_slice slice(const char *text)
{
    return lst_slice_make(text, strlen(text));
}

/* ---- Waiting for one seal */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static bool is_done;
static int done_status;

static void note_done(struct lst_blob_seal *seal, int status)
{
    (void)seal;
    pthread_mutex_lock(&lock);
    is_done = true;
    done_status = status;
    pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
}

static int seal(struct lst_blob_writer *writer, struct lst_blob_id *ret_id)
{
    struct lst_blob_seal one = {.done = note_done};

    *ret_id = lst_blob_writer_id(writer);
    is_done = false;
    lst_blob_seal_submit(writer, &one);
    pthread_mutex_lock(&lock);
    while (!is_done) {
        pthread_cond_wait(&wake, &lock);
    }
    pthread_mutex_unlock(&lock);
    return done_status;
}

static int make(struct lst_blobs *blobs, const char *content, struct lst_blob_id *ret_id)
{
    struct lst_blob_writer *writer;

    return lst_blob_create(blobs, 0, &writer) == 0 && lst_blob_append(writer, slice(content)) == 0
               ? seal(writer, ret_id)
               : LST_ERR_IO;
}

static int make_link(struct lst_blobs *blobs, struct lst_blob_id source, struct lst_blob_id *ret_id)
{
    struct lst_blob_writer *writer;
    int status = lst_blob_link(blobs, source, &writer);

    return status == 0 ? seal(writer, ret_id) : status;
}

static bool holds(struct lst_blobs *blobs, struct lst_blob_id id, const char *content)
{
    struct lst_blob_reader *reader;
    char bytes[100];
    size_t length = 0;
    bool is_same;

    if (lst_blob_open(blobs, id, &reader) != 0) {
        return false;
    }
    is_same = lst_blob_size(reader) == strlen(content) &&
              lst_blob_read(reader, 0, bytes, sizeof(bytes), &length) == 0 &&
              lst_slice_equal(lst_slice_make(bytes, length), slice(content));
    lst_blob_close(reader);
    return is_same;
}

static int remove_one(const char *path, const struct stat *state, int kind, struct FTW *where)
{
    (void)state;
    (void)kind;
    (void)where;
    return remove(path);
}

static int count_one(void *context, struct lst_blob_id id, uint64_t size)
{
    (void)id;
    (void)size;
    ++*(int *)context;
    return 0;
}

static int count(struct lst_blobs *blobs)
{
    int number = 0;

    return lst_blobs_walk(blobs, count_one, &number) == 0 ? number : -1;
}

static int nobody(void *context, struct lst_blob_id id, bool *ret_is_live)
{
    (void)context;
    (void)id;
    *ret_is_live = false;
    return 0;
}

/* The folder of a source from an earlier run may go while a link to it is made in another. */
static void test_generations(void)
{
    struct lst_blob_writer *writer;
    struct lst_blobs *blobs;
    struct lst_blob_id first = {0};
    struct lst_blob_id second;
    uint64_t removed;
    bool ok;

    ok = lst_blobs_open(folder, false, &blobs) == 0 && make(blobs, "old", &first) == 0;
    lst_blobs_close(blobs);
    CHECK(ok && lst_blobs_open(folder, false, &blobs) == 0, "a blob, and then a new run");
    CHECK(make_link(blobs, first, &second) == 0 && second.generation > first.generation,
          "a link is one of the new run");
    CHECK(lst_blob_delete(blobs, first) == 0 && holds(blobs, second, "old"),
          "the first is deleted, the second stays");
    CHECK(make_link(blobs, first, &first) == LST_ERR_NOT_FOUND,
          "there is no link to one that is gone");
    CHECK(lst_blob_link(blobs, second, &writer) == 0, "a link is made");
    lst_blob_discard(writer);
    CHECK(count(blobs) == 1 && holds(blobs, second, "old"), "and given up: nothing is left of it");
    CHECK(make_link(blobs, second, &first) == 0 && make_link(blobs, first, &first) == 0 &&
              count(blobs) == 3,
          "links to links");
    lst_blobs_close(blobs);
    CHECK(lst_blobs_open(folder, true, &blobs) == 0 &&
              lst_blob_link(blobs, second, &writer) == LST_ERR_PERMISSION,
          "no links by who may only look");
    lst_blobs_close(blobs);
    CHECK(lst_blobs_open(folder, false, &blobs) == 0 &&
              lst_blobs_recover(blobs, nobody, NULL, &removed) == 0 && removed == 0,
          "after a close there is nothing to recover");
    lst_blobs_close(blobs);
}

int main(void)
{
    if (mkdtemp(folder) == NULL) {
        CHECK(false, "a folder is made");
        return tap_done();
    }
    test_generations();
    (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return tap_done();
}
