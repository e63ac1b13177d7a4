/* store_test.c - buckets and objects: what is put is there, and what is deleted is gone. */
#include "store_fixture.h"

static int show_bucket(void *context, const struct lst_bucket *bucket)
{
    struct lst_buffer *text = context;

    lst_buffer_append(text, bucket->name);
    lst_buffer_append_byte(text, ':');
    lst_buffer_append(text, bucket->region);
    lst_buffer_append_byte(text, ':');
    lst_buffer_append(text, bucket->owner);
    lst_buffer_append_byte(text, ' ');
    return 0;
}

static void test_buckets(void)
{
    struct fixture fixture = fixture_open();
    struct lst_buffer text;
    struct lst_slice nothing = {NULL, 0};

    lst_buffer_init(&text, 1000);
    CHECK(fixture_make_bucket(&fixture, "photos") == 0, "a bucket is made");
    CHECK(fixture_make_bucket(&fixture, "photos") == LST_ERR_BUCKET_EXISTS, "but not twice");
    CHECK(fixture_make_bucket(&fixture, "Photos") == LST_ERR_BUCKET_NAME, "nor with a bad name");
    CHECK(fixture_make_bucket(&fixture, "music") == 0, "another bucket is made");
    CHECK(lst_store_buckets(fixture.store, nothing, nothing, show_bucket, &text) == 0,
          "buckets are listed");
    CHECK_TEXT(text.bytes, text.length, "music:eu-west-1:me photos:eu-west-1:me ",
               "in order, with region and owner");
    lst_buffer_clear(&text);
    CHECK(lst_store_buckets(fixture.store, slice("p"), slice("music"), show_bucket, &text) == 0,
          "buckets are listed by prefix");
    CHECK_TEXT(text.bytes, text.length, "photos:eu-west-1:me ", "only those with the prefix");
    CHECK(fixture_put(&fixture, "photos", "a", "x", 1) == 0, "an object is put");
    CHECK(fixture_delete_bucket(&fixture, "photos") == LST_ERR_BUCKET_NOT_EMPTY,
          "a bucket with an object stays");
    CHECK(fixture_delete(&fixture, "photos", "a") == 0, "the object is deleted");
    CHECK(fixture_delete_bucket(&fixture, "photos") == 0, "the empty bucket is deleted");
    CHECK(fixture_delete_bucket(&fixture, "photos") == LST_ERR_BUCKET_NOT_FOUND, "once");
    CHECK(fixture_put(&fixture, "photos", "a", "x", 1) == LST_ERR_BUCKET_NOT_FOUND,
          "nothing can be put into it");
    CHECK(lst_store_bucket(fixture.store, slice("photos"), show_bucket, &text) ==
              LST_ERR_BUCKET_NOT_FOUND,
          "nor can it be seen");
    CHECK(fixture_make_bucket(&fixture, "photos") == 0, "its name is free again");
    lst_buffer_release(&text);
    fixture_close(&fixture);
}

static void test_sizes(void)
{
    static const size_t sizes[] = {0,    1,    100,   4096,   LST_STORE_INLINE_MAX,
                                   8193, 9000, 32768, 100000, 3000000};
    struct fixture fixture = fixture_open();
    char *bytes = fixture_bytes(3000000, 7);
    bool all_put = true;
    bool all_whole = true;

    CHECK(fixture_make_bucket(&fixture, "sizes") == 0, "a bucket is made");
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char key[32];
        (void)snprintf(key, sizeof(key), "key-%zu", sizes[i]);
        all_put = all_put && fixture_put(&fixture, "sizes", key, bytes, sizes[i]) == 0;
        all_whole = all_whole && fixture_holds(&fixture, "sizes", key, bytes, sizes[i]);
    }
    CHECK(all_put, "objects of all sizes are put");
    CHECK(all_whole, "and read back whole");
    fixture_reopen(&fixture);
    CHECK(!fixture.recovery.was_unclean && fixture.recovery.blobs_removed == 0,
          "a closed store opens clean");
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char key[32];
        (void)snprintf(key, sizeof(key), "key-%zu", sizes[i]);
        all_whole = all_whole && fixture_holds(&fixture, "sizes", key, bytes, sizes[i]);
    }
    CHECK(all_whole, "and has them all");
    CHECK(fixture_is_clean(&fixture, 10), "the check finds nothing wrong");
    free(bytes);
    fixture_close(&fixture);
}

static void test_object(void)
{
    struct lst_field fields[] = {{LST_SLICE("content-type"), LST_SLICE("image/png")},
                                 {LST_SLICE("x-amz-meta-empty"), LST_SLICE("")}};
    struct fixture fixture = fixture_open();
    struct lst_object object;

    CHECK(fixture_make_bucket(&fixture, "one") == 0, "a bucket is made");
    struct lst_put_options options = {.bucket = slice("one"),
                                      .key = slice("k"),
                                      .fields = fields,
                                      .field_count = 2,
                                      .size_known = true,
                                      .size = 3};
    CHECK(fixture_put_options(&fixture, &options, "abc", 3) == 0, "an object is put");
    CHECK(lst_object_open(fixture.store,
                          &(struct lst_object_name){slice("one"), slice("k"), {NULL, 0}}, false,
                          &object) == 0,
          "it is opened");
    CHECK_TEXT(object.etag.bytes, object.etag.length, "900150983cd24fb0d6963f7d28e17f72",
               "its ETag is its MD5");
    CHECK(object.field_count == 2 && lst_slice_equal(object.fields[0].name, fields[0].name) &&
              lst_slice_equal(object.fields[0].value, fields[0].value) &&
              lst_slice_equal(object.fields[1].name, fields[1].name) &&
              object.fields[1].value.length == 0,
          "its fields are as they were given, in their order");
    CHECK(object.modified_ms > 1600000000000, "it knows when it was written");
    lst_object_close(&object);
    CHECK(lst_object_open(fixture.store,
                          &(struct lst_object_name){slice("one"), slice("kk"), {NULL, 0}}, false,
                          &object) == LST_ERR_KEY_NOT_FOUND,
          "another key is not there");
    CHECK(lst_object_open(fixture.store,
                          &(struct lst_object_name){slice("two"), slice("k"), {NULL, 0}}, false,
                          &object) == LST_ERR_BUCKET_NOT_FOUND,
          "nor is another bucket");
    options.condition.only_if_absent = true;
    CHECK(fixture_put_options(&fixture, &options, "xyz", 3) == LST_ERR_PRECONDITION,
          "only-if-absent does not overwrite");
    options.condition.only_if_absent = false;
    CHECK(fixture_put_options(&fixture, &options, "xy", 2) == LST_ERR_MALFORMED,
          "a body that is too short is refused");
    CHECK(fixture_put_options(&fixture, &options, "wxyz", 4) == LST_ERR_MALFORMED,
          "and one that is too long");
    CHECK(fixture_holds(&fixture, "one", "k", "abc", 3), "what was there is still there");
    fixture_close(&fixture);
}

static void test_refusals(void)
{
    struct fixture fixture = fixture_open();
    struct lst_put *put;
    char long_key[1025];
    struct lst_put_options options = {.bucket = slice("keys")};

    memset(long_key, 'k', sizeof(long_key));
    CHECK(fixture_make_bucket(&fixture, "keys") == 0, "a bucket is made");
    options.key = lst_slice_make(long_key, 1025);
    CHECK(lst_put_begin(fixture.store, &options, &put) == LST_ERR_KEY_TOO_LONG,
          "a key of 1,025 bytes is too long");
    options.key = slice("caf\xe9");
    CHECK(lst_put_begin(fixture.store, &options, &put) == LST_ERR_KEY_NOT_UTF8,
          "a key must be UTF-8");
    options.key = slice("k");
    options.size_known = true;
    options.size = (uint64_t)LST_STORE_SIZE_MAX + 1;
    CHECK(lst_put_begin(fixture.store, &options, &put) == LST_ERR_TOO_LARGE,
          "a body over 5 GiB is too large");
    options.size = 100;
    options.field_count = LST_STORE_FIELDS_MAX + 1;
    CHECK(lst_put_begin(fixture.store, &options, &put) == LST_ERR_TOO_LARGE,
          "65 fields are too many");
    options.field_count = 0;
    CHECK(lst_put_begin(fixture.store, &options, &put) == 0, "a put is begun");
    CHECK(lst_put_write(put, slice("half")) == 0, "and written");
    lst_put_abort(put);
    options.size = 100000;
    CHECK(lst_put_begin(fixture.store, &options, &put) == 0, "a large put is begun");
    CHECK(lst_put_write(put, slice("half")) == 0, "and written");
    lst_put_abort(put);
    CHECK(fixture_blob_files(&fixture) == 0, "nothing is left of it");
    CHECK(fixture_put(&fixture, "keys", "k", "", 0) == 0, "an empty object is put");
    options.key = lst_slice_make(long_key, 1024);
    options.size = 1;
    CHECK(fixture_put_options(&fixture, &options, "1", 1) == 0, "and one with the longest key");
    long_key[1024] = '\0';
    long_key[1023] = 'l';
    CHECK(fixture_put(&fixture, "keys", long_key, "2", 1) == 0, "and its neighbour");
    CHECK(fixture_holds(&fixture, "keys", long_key, "2", 1), "each with its own body");
    long_key[1023] = 'k';
    CHECK(fixture_holds(&fixture, "keys", long_key, "1", 1), "all 1,024 bytes count");
    fixture_close(&fixture);
}

static void test_overwrite(void)
{
    struct fixture fixture = fixture_open();
    char *bytes = fixture_bytes(60000, 1);
    struct lst_deletion deletions[3] = {
        {.key = slice("a")}, {.key = slice("b")}, {.key = slice("none")}};
    struct waiter waiter = {0};
    bool all = true;

    CHECK(fixture_make_bucket(&fixture, "over") == 0, "a bucket is made");
    for (size_t i = 0; i < 20; i++) {
        all = all && fixture_put(&fixture, "over", "a", bytes + i, 20000 + i) == 0;
        all = all && fixture_holds(&fixture, "over", "a", bytes + i, 20000 + i);
    }
    CHECK(all, "an object is overwritten, again and again");
    CHECK(fixture_put(&fixture, "over", "b", bytes, 50000) == 0, "another is put");
    CHECK(fixture_wait_blob_files(&fixture, 2), "one blob file is left for each");
    CHECK(fixture_is_clean(&fixture, 2), "the check finds nothing wrong");

    struct lst_store_write write = waiter_write(&waiter);
    CHECK(lst_store_delete(fixture.store, slice("over"), deletions, 3, &write) == 0 &&
              waiter_wait(&waiter) == 0,
          "three keys are deleted, one of which is not there");
    CHECK(!fixture_holds(&fixture, "over", "a", bytes + 19, 20019), "the object is gone");
    CHECK(fixture_wait_blob_files(&fixture, 0), "and so are the blobs");
    CHECK(fixture_is_clean(&fixture, 0), "the check finds nothing wrong");
    free(bytes);
    fixture_close(&fixture);
}

int main(void)
{
    test_buckets();
    test_sizes();
    test_object();
    test_refusals();
    test_overwrite();
    return tap_done();
}
