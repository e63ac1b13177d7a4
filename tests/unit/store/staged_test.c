/* staged_test.c - writes that are durable, and wait to be made visible or dropped. */
#include "upload_fixture.h"

enum { SMALL = 500, LARGE = 300000 };

static char bytes[LARGE + 1];
static struct lst_put *staged; /* the one that waits; NULL: none */

static void note_staged(struct lst_store_write *write, struct lst_put *put)
{
    struct waiter *waiter = write->context;

    pthread_mutex_lock(&waiter->lock);
    staged = put;
    pthread_cond_signal(&waiter->wake);
    pthread_mutex_unlock(&waiter->lock);
}

/* Wait until the write is staged; or over, which is a failure. */
static bool wait_staged(struct waiter *waiter)
{
    pthread_mutex_lock(&waiter->lock);
    while (staged == NULL && !waiter->is_done) {
        pthread_cond_wait(&waiter->wake, &waiter->lock);
    }
    pthread_mutex_unlock(&waiter->lock);
    return staged != NULL;
}

static bool looks_right(size_t size)
{
    struct lst_object object;
    struct lst_object_stream *stream;

    return lst_staged_look(staged, &object) == LST_OK && object.size == size &&
           object.field_count == 1 && object.etag.length > 0 &&
           lst_object_stream_open(&object, 0, size, &stream) == LST_OK &&
           stream_gives(stream, bytes, size);
}

/* Put an object up to where it is staged. */
static bool begin(struct fixture *store, struct lst_store_write *write, size_t size)
{
    const struct lst_field type = {slice("content-type"), slice("text/plain")};
    const struct lst_put_options options = {
        .bucket = slice("photos"), .key = slice("key"), .fields = &type, .field_count = 1};
    struct lst_put *put;

    staged = NULL;
    write->staged = note_staged;
    if (lst_put_begin(store->store, &options, &put) != LST_OK) {
        return false;
    }
    if (lst_put_write(put, lst_slice_make(bytes, size)) != LST_OK) {
        lst_put_abort(put);
        return false;
    }
    lst_put_commit(put, write);
    return wait_staged(write->context);
}

static uint64_t count_orphans(struct fixture *store)
{
    struct lst_store_census census = {0};

    return lst_store_check(store->store, NULL, NULL, &census) == LST_OK ? census.orphan_blobs
                                                                        : UINT64_MAX;
}

static void test_put(struct fixture *store, size_t size)
{
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);

    CHECK(fixture_put(store, "photos", "key", "before", 6) == LST_OK, "an object is there");
    CHECK(begin(store, &write, size), "a put of %zu bytes is staged", size);
    CHECK(looks_right(size), "what it would make visible can be read");
    CHECK(fixture_holds(store, "photos", "key", "before", 6), "what is there is there still");
    lst_staged_end(staged, LST_ERR_NOT_APPROVED);
    CHECK(waiter_wait(&waiter) == LST_ERR_NOT_APPROVED, "it is dropped");
    CHECK(fixture_holds(store, "photos", "key", "before", 6) && count_orphans(store) == 0,
          "which changes nothing, and leaves nothing");

    write = waiter_write(&waiter);
    CHECK(begin(store, &write, size), "another is staged");
    CHECK(fixture_put(store, "photos", "key", "between", 7) == LST_OK, "somebody writes meanwhile");
    lst_staged_end(staged, LST_OK);
    CHECK(waiter_wait(&waiter) == LST_OK && fixture_holds(store, "photos", "key", bytes, size) &&
              count_orphans(store) == 0,
          "it is made visible");
}

/* Complete an upload up to where that is staged. */
static bool complete(struct fixture *store, struct upload *upload, struct waiter *waiter)
{
    struct lst_complete_options options = {
        .name = upload_name(upload), .parts = upload->parts, .part_count = upload->part_count};

    staged = NULL;
    upload->write = waiter_write(waiter);
    upload->write.staged = note_staged;
    return lst_upload_complete(store->store, &options, &upload->culprit, &upload->write) ==
               LST_OK &&
           wait_staged(waiter);
}

static void test_completion(struct fixture *store)
{
    struct waiter waiter;
    struct upload upload;
    struct upload again;

    CHECK(upload_begin(store, &upload, "photos", "parts") == LST_OK &&
              upload_part(store, &upload, 1, bytes, LARGE) == LST_OK,
          "an upload of a part");
    again = upload; /* to send the part again without a second entry in the list */
    CHECK(complete(store, &upload, &waiter) && looks_right(LARGE), "its completion is staged");
    CHECK(!upload_holds(store, "photos", "parts", bytes, LARGE), "and not visible");
    lst_staged_end(staged, LST_ERR_NOT_APPROVED);
    CHECK(waiter_wait(&waiter) == LST_ERR_NOT_APPROVED, "it is dropped, and the upload goes on");

    CHECK(complete(store, &upload, &waiter), "it is staged anew");
    CHECK(upload_part(store, &again, 1, bytes, LARGE) == LST_OK, "the same part is sent again");
    lst_staged_end(staged, LST_OK);
    CHECK(waiter_wait(&waiter) == LST_ERR_PART_INVALID &&
              !upload_holds(store, "photos", "parts", bytes, LARGE),
          "what was not looked at does not become visible");
    CHECK(complete(store, &upload, &waiter), "and once more");
    lst_staged_end(staged, LST_OK);
    CHECK(waiter_wait(&waiter) == LST_OK && upload_holds(store, "photos", "parts", bytes, LARGE),
          "it is made visible");
    CHECK(!complete(store, &upload, &waiter) && waiter_wait(&waiter) == LST_OK,
          "of what is complete nothing is staged");

    CHECK(upload_begin(store, &upload, "photos", "gone") == LST_OK &&
              upload_part(store, &upload, 1, bytes, LARGE) == LST_OK,
          "another upload");
    CHECK(complete(store, &upload, &waiter), "is staged");
    again = upload;
    CHECK(upload_abort(store, &again) == LST_OK, "is given up");
    lst_staged_end(staged, LST_OK);
    CHECK(waiter_wait(&waiter) == LST_ERR_UPLOAD_NOT_FOUND, "and is not made visible any more");
}

int main(void)
{
    struct fixture store = fixture_open();

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)(i % 251);
    }
    CHECK(fixture_make_bucket(&store, "photos") == LST_OK, "a bucket");
    test_put(&store, SMALL);
    test_put(&store, LARGE);
    test_completion(&store);
    fixture_reopen(&store);
    CHECK(fixture_holds(&store, "photos", "key", bytes, LARGE) &&
              upload_holds(&store, "photos", "parts", bytes, LARGE) && count_orphans(&store) == 0,
          "what was made visible is there after a restart");
    fixture_close(&store);
    return tap_done();
}
