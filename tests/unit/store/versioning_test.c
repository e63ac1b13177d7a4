/* versioning_test.c - conditions, ids of versions, late fields, settings, and what was there before
 * versioning. */
#include "store_fixture.h"

static const char etag_of_x[] = "9dd4e461268c8034f5c8564e155c67a6"; /* MD5 of "x" */

static int put_if(struct fixture *fixture, const char *key, struct lst_write_condition condition)
{
    struct lst_put_options options = {
        .bucket = slice("bucket"), .key = slice(key), .condition = condition};

    return fixture_put_options(fixture, &options, "x", 1);
}

static int delete_if(struct fixture *fixture, const char *key, const char *version,
                     const char *etag, struct lst_deletion *ret_deletion)
{
    struct lst_deletion deletion = {
        .key = slice(key), .version = slice(version), .if_match = slice(etag)};
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    int status = lst_store_delete(fixture->store, slice("bucket"), &deletion, 1, &write);

    status = status == 0 ? waiter_wait(&waiter) : status;
    *ret_deletion = deletion;
    return status == 0 ? deletion.status : status;
}

static int set_versioning(struct fixture *fixture, enum lst_versioning versioning)
{
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    int status = lst_bucket_set_versioning(fixture->store, slice("bucket"), versioning, &write);

    return status == 0 ? waiter_wait(&waiter) : status;
}

static int open_version(struct fixture *fixture, const char *key, const char *version)
{
    struct lst_object_name name = {slice("bucket"), slice(key), slice(version)};
    struct lst_object object;
    int status = lst_object_open(fixture->store, &name, false, &object);

    if (status == 0) {
        lst_object_close(&object);
    }
    return status;
}

static void test_conditions(struct fixture *fixture)
{
    struct lst_write_condition same = {.if_match = slice(etag_of_x)};
    struct lst_write_condition other = {.if_match = slice("0dd4e461268c8034f5c8564e155c67a6")};
    struct lst_write_condition any = {.if_match = slice("*")};
    struct lst_deletion deletion;

    CHECK(put_if(fixture, "if", any) == LST_ERR_KEY_NOT_FOUND &&
              put_if(fixture, "if", same) == LST_ERR_KEY_NOT_FOUND,
          "nothing matches where nothing is");
    CHECK(put_if(fixture, "if", (struct lst_write_condition){0}) == 0 &&
              put_if(fixture, "if", same) == 0 && put_if(fixture, "if", any) == 0,
          "an object is replaced if its ETag is the one that was meant, or any is");
    CHECK(put_if(fixture, "if", other) == LST_ERR_PRECONDITION, "and is not if it is another");
    CHECK(delete_if(fixture, "if", "", other.if_match.bytes, &deletion) == LST_ERR_PRECONDITION &&
              fixture_holds(fixture, "bucket", "if", "x", 1),
          "nor is it deleted");
    CHECK(delete_if(fixture, "if", "", etag_of_x, &deletion) == 0 &&
              delete_if(fixture, "if", "", "*", &deletion) == LST_ERR_KEY_NOT_FOUND &&
              delete_if(fixture, "if", "", "", &deletion) == 0,
          "it is if that matches; then nothing is left to match");
}

static void test_ids(struct fixture *fixture)
{
    static const char *const malformed[] = {"nul", "NULL", "0123456789ABCDEF0123456789ABCDEF",
                                            "00060a1b2c3d4e5f0000000000000000", "../x"};
    struct lst_deletion deletion;
    bool ok = true;

    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        ok = ok && open_version(fixture, "none", malformed[i]) == LST_ERR_VERSION_MALFORMED &&
             delete_if(fixture, "none", malformed[i], "", &deletion) == LST_ERR_VERSION_MALFORMED;
    }
    CHECK(ok, "what can be no version's id is refused");
    CHECK(open_version(fixture, "none", "null") == LST_ERR_VERSION_NOT_FOUND &&
              open_version(fixture, "none", "00060a1b2c3d4e5f0000000000000001") ==
                  LST_ERR_VERSION_NOT_FOUND,
          "what is none is not found");
    CHECK(delete_if(fixture, "none", "null", "", &deletion) == 0 && !deletion.is_marker,
          "to delete it is no error");
}

/* ---- Fields that come after the body */

static int take_fields(void *context, const struct lst_list_entry *entry)
{
    size_t *count = context;

    *count = entry->field_count;
    return entry->field_count == 2 && lst_slice_equal(entry->fields[1].value, slice("late")) ? 0
                                                                                             : 1;
}

static void test_late_fields(struct fixture *fixture)
{
    struct lst_field field = {slice("early"), slice("1")};
    struct lst_put_options options = {
        .bucket = slice("bucket"), .key = slice("late"), .fields = &field, .field_count = 1};
    struct lst_list_options list = {
        .bucket = slice("bucket"), .prefix = slice("late"), .max_entries = 1};
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    char large[LST_STORE_FIELD_BYTES_MAX] = {0};
    struct lst_put *put;
    bool truncated = false;
    size_t count = 0;

    CHECK(lst_put_begin(fixture->store, &options, &put) == 0 &&
              lst_put_write(put, slice("x")) == 0 &&
              lst_put_add_field(put, slice("more"), lst_slice_make(large, sizeof(large))) ==
                  LST_ERR_TOO_LARGE,
          "no more fields are added behind the body than an object can have");
    lst_put_commit(put, &write);
    CHECK(waiter_wait(&waiter) == LST_ERR_TOO_LARGE, "and what lacks one is not written");
    write = waiter_write(&waiter);
    CHECK(lst_put_begin(fixture->store, &options, &put) == 0 &&
              lst_put_write(put, slice("x")) == 0 &&
              lst_put_add_field(put, slice("sum"), slice("late")) == 0,
          "a field is added behind the body");
    lst_put_commit(put, &write);
    CHECK(waiter_wait(&waiter) == 0 && write.etag_length == 32 &&
              memcmp(write.etag, etag_of_x, 32) == 0 && write.modified_ms > 0 &&
              write.version.length == 0,
          "the write tells ETag and time");
    CHECK(lst_store_list(fixture->store, &list, take_fields, &count, &truncated) == 0 && count == 2,
          "a listing has all fields");
}

/* ---- Settings */

static int set(struct fixture *fixture, const char *name, const struct lst_slice *value)
{
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    int status =
        lst_bucket_set_setting(fixture->store, slice("bucket"), slice(name), value, &write);

    return status == 0 ? waiter_wait(&waiter) : status;
}

static bool is_set(struct fixture *fixture, const char *name, const char *value)
{
    struct lst_buffer got;
    int status;
    bool is;

    lst_buffer_init(&got, LST_STORE_SETTING_MAX);
    status = lst_bucket_setting(fixture->store, slice("bucket"), slice(name), &got);
    is = value == NULL ? status == LST_ERR_NOT_FOUND
                       : status == 0 && lst_slice_equal(lst_buffer_slice(&got), slice(value));
    lst_buffer_release(&got);
    return is;
}

static void test_settings(struct fixture *fixture)
{
    struct lst_slice value = slice("<CORS/>");
    struct lst_slice empty = slice("");
    char *large = fixture_bytes(LST_STORE_SETTING_MAX + 1, 3);
    struct lst_slice largest = lst_slice_make(large, LST_STORE_SETTING_MAX);
    struct lst_slice too_large = lst_slice_make(large, LST_STORE_SETTING_MAX + 1);

    CHECK(is_set(fixture, "cors", NULL) && set(fixture, "cors", NULL) == 0, "nothing is set");
    CHECK(set(fixture, "cors", &value) == 0 && set(fixture, "tagging", &empty) == 0,
          "something is");
    fixture_reopen(fixture);
    CHECK(is_set(fixture, "cors", "<CORS/>") && is_set(fixture, "tagging", ""), "and stays");
    CHECK(set(fixture, "cors", NULL) == 0 && is_set(fixture, "cors", NULL), "until it is removed");
    CHECK(set(fixture, "large", &largest) == 0 &&
              set(fixture, "large", &too_large) == LST_ERR_TOO_LARGE,
          "it has a limit");
    free(large);
}

/* ---- What was there before versioning */

static void test_null_version(struct fixture *fixture)
{
    struct lst_deletion deletion;

    CHECK(fixture_put(fixture, "bucket", "old", "x", 1) == 0 &&
              fixture_holds(fixture, "bucket", "old", "x", 1),
          "there is an object");
    CHECK(open_version(fixture, "old", "null") == 0, "as the null version");
    CHECK(set_versioning(fixture, LST_VERSIONING_NEVER) == LST_ERR_INVALID_ARGUMENT &&
              set_versioning(fixture, LST_VERSIONING_ENABLED) == 0,
          "the bucket gets versioning, and can't be without again");
    CHECK(fixture_put(fixture, "bucket", "old", "new", 3) == 0 &&
              fixture_holds(fixture, "bucket", "old", "new", 3) &&
              open_version(fixture, "old", "null") == 0,
          "it stays when another comes");
    CHECK(fixture_delete(fixture, "bucket", "old") == 0 &&
              open_version(fixture, "old", "") == LST_ERR_KEY_NOT_FOUND &&
              delete_if(fixture, "old", "null", etag_of_x, &deletion) == 0 &&
              open_version(fixture, "old", "null") == LST_ERR_VERSION_NOT_FOUND,
          "until it is deleted");
}

int main(void)
{
    struct fixture fixture = fixture_open();

    CHECK(fixture_make_bucket(&fixture, "bucket") == 0, "a bucket is made");
    test_conditions(&fixture);
    test_ids(&fixture);
    test_late_fields(&fixture);
    test_settings(&fixture);
    test_null_version(&fixture);
    fixture_close(&fixture);
    return tap_done();
}
