/* upload_test.c - multipart uploads: parts in any order become an object, or nothing is left. */
#include "upload_fixture.h"

static char *bytes; /* three parts and a bit */
enum { SIZE = 3 * PART + 1234 };

/* The MD5 of the MD5s, as S3 makes it. */
static void make_etag(const size_t *sizes, size_t count, char ret_etag[LST_ETAG_MAX + 1])
{
    struct md5_ctx all;
    uint8_t digest[16];
    const char *at = bytes;

    md5_init(&all);
    for (size_t i = 0; i < count; at += sizes[i++]) {
        struct md5_ctx one;
        md5_init(&one);
        md5_update(&one, sizes[i], (const uint8_t *)at);
        md5_digest(&one, sizeof(digest), digest);
        md5_update(&all, sizeof(digest), digest);
    }
    md5_digest(&all, sizeof(digest), digest);
    for (size_t i = 0; i < sizeof(digest); i++) {
        (void)snprintf(ret_etag + 2 * i, 3, "%02x", digest[i]);
    }
    (void)snprintf(ret_etag + 32, 8, "-%zu", count);
}

static int show_object_part(void *context, const struct lst_object_part *part)
{
    lst_buffer_append_format(context, "%u:%llu+%llu ", part->number,
                             (unsigned long long)part->first, (unsigned long long)part->size);
    return 0;
}

static void check_ranges(struct fixture *fixture)
{
    static const struct {
        uint64_t first;
        uint64_t length;
        bool in_file;
    } ranges[] = {{0, SIZE, false},        {0, PART, true},          {PART - 1, 2, false},
                  {PART, 1, true},         {2 * PART + 5, 99, true}, {3 * PART - 3, 1000, false},
                  {3 * PART, 1234, false}, {SIZE - 1, 1, false},     {SIZE, 0, false}};
    bool ok = true;

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        struct lst_object_stream *stream;
        struct lst_object object;
        struct lst_blob_reader *blob;
        uint64_t offset = 0;
        char piece[2000];
        int file;
        if (open_object(fixture, "ups", "film", &object) != 0) {
            ok = false;
            break;
        }
        ok = ok && lst_object_stream_open(&object, ranges[i].first, ranges[i].length, &stream) == 0;
        file = lst_object_take_file(&object, ranges[i].first, ranges[i].length, &blob, &offset);
        lst_object_close(&object);
        ok = ok && stream_gives(stream, bytes + ranges[i].first, ranges[i].length);
        ok = ok && (file >= 0) == ranges[i].in_file;
        if (file >= 0) {
            size_t size = ranges[i].length < 2000 ? ranges[i].length : 2000;
            ok = ok && pread(file, piece, size, (off_t)offset) == (ssize_t)size &&
                 memcmp(piece, bytes + ranges[i].first, size) == 0;
            lst_blob_close(blob);
        }
        if (!ok) {
            printf("# range %zu\n", i);
        }
    }
    CHECK(ok, "every range of it can be read, from a file if it is in one");
}

static void test_complete(void)
{
    static const size_t sizes[] = {PART, PART, PART, 1234};
    struct fixture fixture = fixture_open();
    struct lst_buffer text;
    struct upload upload;
    struct lst_object object;
    char etag[LST_ETAG_MAX + 1];
    int parts_seen;

    make_etag(sizes, 4, etag);
    lst_buffer_init(&text, 1000);
    CHECK(fixture_make_bucket(&fixture, "ups") == 0 &&
              upload_begin(&fixture, &upload, "ups", "film") == 0,
          "an upload is begun");
    /* Out of order, one twice, one that will not be listed. */
    CHECK(upload_part(&fixture, &upload, 20, bytes + PART, PART) == 0, "part 20 comes first");
    CHECK(upload_part(&fixture, &upload, 3, bytes + 7, PART) == 0, "then 3, with wrong bytes");
    CHECK(fixture_wait_blob_files(&fixture, 2), "two blobs");
    upload.part_count = 1;
    CHECK(upload_part(&fixture, &upload, 3, bytes, PART) == 0, "then 3 again");
    CHECK(fixture_wait_blob_files(&fixture, 2), "what it had before is gone");
    CHECK(upload_part(&fixture, &upload, 9999, bytes, 30000) == 0, "one that is not wanted");
    upload.part_count--;
    CHECK(open_object(&fixture, "ups", "film", &object) == LST_ERR_KEY_NOT_FOUND,
          "there is no object yet");
    fixture_reopen(&fixture);
    CHECK(upload_part(&fixture, &upload, 10000, bytes + 3 * (size_t)PART, 1234) == 0 &&
              upload_part(&fixture, &upload, 21, bytes + 2 * (size_t)PART, PART) == 0,
          "after the store was closed and opened the rest comes");
    CHECK(fixture_is_clean(&fixture, 0), "the check finds nothing wrong");
    {
        struct lst_completed_part first = upload.parts[1];
        upload.parts[1] = upload.parts[0];
        upload.parts[0] = first;
        first = upload.parts[2];
        upload.parts[2] = upload.parts[3];
        upload.parts[3] = first;
    }
    CHECK(upload_complete(&fixture, &upload) == 0, "it is completed");
    CHECK_TEXT(upload.write.etag, upload.write.etag_length, etag, "its ETag is S3's");
    CHECK(upload.write.version.length == 0, "no version is shown");
    CHECK(upload_holds(&fixture, "ups", "film", bytes, SIZE), "the object is there");
    check_ranges(&fixture);
    CHECK(open_object(&fixture, "ups", "film", &object) == 0, "it is opened");
    CHECK_TEXT(object.etag.bytes, object.etag.length, etag, "with its ETag");
    CHECK(object.field_count == 2 && object.tag_count == 1 && object.part_count == 4,
          "the fields of its beginning and its end, tags, number of parts");
    parts_seen = lst_object_parts(&object, 1, show_object_part, &text);
    CHECK(parts_seen == 0, "parts are shown");
    CHECK_TEXT(text.bytes, text.length,
               "20:5242880+5242880 21:10485760+5242880 10000:15728640+1234 ", "as they are");
    lst_object_close(&object);
    CHECK(fixture_wait_blob_files(&fixture, 3), "the part that was not listed is gone");
    CHECK(upload_part(&fixture, &upload, 1, "x", 1) == LST_ERR_UPLOAD_NOT_FOUND,
          "no part can be added any more");
    CHECK(upload_abort(&fixture, &upload) == LST_ERR_UPLOAD_NOT_FOUND, "nor can it be given up");
    CHECK(upload_complete(&fixture, &upload) == 0, "it can be completed again");
    CHECK_TEXT(upload.write.etag, upload.write.etag_length, etag, "with the same ETag");
    CHECK(fixture_is_clean(&fixture, 1), "the check finds nothing wrong");
    CHECK(fixture_delete(&fixture, "ups", "film") == 0 && fixture_wait_blob_files(&fixture, 0),
          "it is deleted, and nothing is left");
    CHECK(upload_complete(&fixture, &upload) == LST_ERR_UPLOAD_NOT_FOUND,
          "and then it can't be completed");
    CHECK(fixture_is_clean(&fixture, 0), "the check finds nothing wrong");
    lst_buffer_release(&text);
    fixture_close(&fixture);
}

static void test_refusals(void)
{
    struct fixture fixture = fixture_open();
    struct upload upload;
    struct upload other;
    struct lst_completed_part part;

    CHECK(fixture_make_bucket(&fixture, "ups") == 0, "a bucket is made");
    CHECK(upload_begin(&fixture, &upload, "nope", "k") == LST_ERR_BUCKET_NOT_FOUND,
          "no upload without a bucket");
    CHECK(upload_begin(&fixture, &upload, "ups", "k") == 0, "an upload is begun");
    CHECK(upload_part(&fixture, &upload, 0, "x", 1) == LST_ERR_INVALID_ARGUMENT &&
              upload_part(&fixture, &upload, 10001, "x", 1) == LST_ERR_INVALID_ARGUMENT,
          "numbers of parts are 1 to 10,000");
    other = upload;
    other.id[0] = other.id[0] == '1' ? '2' : '1';
    CHECK(upload_part(&fixture, &other, 1, "x", 1) == LST_ERR_UPLOAD_NOT_FOUND, "another id");
    other.id[0] = 'x';
    CHECK(upload_part(&fixture, &other, 1, "x", 1) == LST_ERR_UPLOAD_NOT_FOUND &&
              upload_complete(&fixture, &other) == LST_ERR_UPLOAD_NOT_FOUND &&
              upload_abort(&fixture, &other) == LST_ERR_UPLOAD_NOT_FOUND,
          "an id that is none");
    other = upload;
    other.key[0] = 'j';
    CHECK(upload_part(&fixture, &other, 1, "x", 1) == LST_ERR_UPLOAD_NOT_FOUND, "another key");
    CHECK(upload_complete(&fixture, &upload) == LST_ERR_MALFORMED, "a list without parts");
    CHECK(upload_part(&fixture, &upload, 1, "one", 3) == 0 &&
              upload_part(&fixture, &upload, 2, "two", 3) == 0,
          "two small parts come");
    CHECK(upload_complete(&fixture, &upload) == LST_ERR_PART_TOO_SMALL && upload.culprit == 1,
          "the first is too small");
    part = upload.parts[0];
    upload.parts[0] = upload.parts[1];
    upload.parts[1] = part;
    upload.parts[0].number = 1;
    CHECK(upload_complete(&fixture, &upload) == LST_ERR_PART_INVALID && upload.culprit == 1,
          "another ETag");
    upload.parts[0] = part;
    upload.parts[0].number = 7;
    CHECK(upload_complete(&fixture, &upload) == LST_ERR_PART_INVALID && upload.culprit == 7,
          "a part that is not there");
    upload.part_count = 2;
    CHECK(upload_part(&fixture, &upload, 7, bytes, PART) == 0, "it comes");
    upload.parts[0] = upload.parts[2];
    upload.parts[1] = part;
    upload.part_count = 2;
    CHECK(upload_complete(&fixture, &upload) == LST_ERR_PART_ORDER && upload.culprit == 1,
          "parts out of order");
    upload.parts[0] = part;
    upload.part_count = 1;
    CHECK(fixture_put(&fixture, "ups", "k", "here", 4) == 0, "somebody puts an object");
    CHECK(upload_complete_if(&fixture, &upload,
                             (struct lst_write_condition){.only_if_absent = true}) ==
              LST_ERR_PRECONDITION,
          "which a condition minds");
    CHECK(upload_complete_if(&fixture, &upload,
                             (struct lst_write_condition){.if_match = slice("x")}) ==
              LST_ERR_PRECONDITION,
          "and another one");
    CHECK(fixture_holds(&fixture, "ups", "k", "here", 4), "it is still there");
    CHECK(upload_complete_if(&fixture, &upload,
                             (struct lst_write_condition){.if_match = slice("*")}) == 0 &&
              upload_holds(&fixture, "ups", "k", "one", 3),
          "after all that the upload can be completed");
    CHECK(fixture_wait_blob_files(&fixture, 0) && fixture_is_clean(&fixture, 1),
          "nothing else is left");
    fixture_close(&fixture);
}

static int count_parts(void *context, const struct lst_part *part)
{
    lst_buffer_append_format(context, "%u:%llu ", part->number, (unsigned long long)part->size);
    return 0;
}

static int show_one(void *context, const struct lst_open_upload *upload)
{
    lst_buffer_append(context, upload->key);
    lst_buffer_append_byte(context, ' ');
    lst_buffer_append(context, upload->note);
    return upload->created_ms > 0 ? 7 : 0;
}

static void test_parts_and_abort(void)
{
    struct fixture fixture = fixture_open();
    struct lst_upload_name name;
    struct lst_buffer text;
    struct upload upload;
    bool truncated = false;

    lst_buffer_init(&text, 1000);
    CHECK(fixture_make_bucket(&fixture, "ups") == 0 &&
              upload_begin(&fixture, &upload, "ups", "a\xC3\xA9") == 0 &&
              upload_part(&fixture, &upload, 300, bytes, 20000) == 0 &&
              upload_part(&fixture, &upload, 2, bytes, 100) == 0 &&
              upload_part(&fixture, &upload, 1, bytes, 0) == 0,
          "three parts");
    name = upload_name(&upload);
    CHECK(lst_upload_see(fixture.store, &name, show_one, &text) == 7, "the upload is seen");
    CHECK_TEXT(text.bytes, text.length, "a\xC3\xA9 crc32", "with what was noted");
    lst_buffer_clear(&text);
    CHECK(lst_upload_parts(fixture.store, &name, 0, 2, count_parts, &text, &truncated) == 0 &&
              truncated,
          "two are listed");
    CHECK(lst_upload_parts(fixture.store, &name, 2, 2, count_parts, &text, &truncated) == 0 &&
              !truncated,
          "and the rest");
    CHECK_TEXT(text.bytes, text.length, "1:0 2:100 300:20000 ", "in order");
    CHECK(upload_abort(&fixture, &upload) == 0, "it is given up");
    CHECK(fixture_wait_blob_files(&fixture, 0), "its parts are gone");
    CHECK(lst_upload_parts(fixture.store, &name, 0, 2, count_parts, &text, &truncated) ==
                  LST_ERR_UPLOAD_NOT_FOUND &&
              upload_abort(&fixture, &upload) == LST_ERR_UPLOAD_NOT_FOUND,
          "and so is it");
    CHECK(upload_begin(&fixture, &upload, "ups", "b") == 0 &&
              upload_part(&fixture, &upload, 1, bytes, 20000) == 0 &&
              fixture_delete_bucket(&fixture, "ups") == 0,
          "an upload in progress does not keep a bucket");
    CHECK(fixture_wait_blob_files(&fixture, 0) && fixture_is_clean(&fixture, 0),
          "and goes with it");
    lst_buffer_release(&text);
    fixture_close(&fixture);
}

static int show_entry(void *context, const struct lst_upload_entry *entry)
{
    lst_buffer_append(context, entry->upload.key);
    lst_buffer_append_string(context, entry->is_prefix ? "* " : " ");
    return 0;
}

struct page {
    struct lst_buffer text;
    struct lst_upload_list_options options;
    char key[64];
    char id[LST_UPLOAD_ID_LENGTH];
};

static int show_page(void *context, const struct lst_upload_entry *entry)
{
    struct page *page = context;

    memcpy(page->key, entry->upload.key.bytes, entry->upload.key.length);
    page->options.after_key = lst_slice_make(page->key, entry->upload.key.length);
    page->options.after_upload = lst_slice_make(NULL, 0);
    if (!entry->is_prefix) {
        memcpy(page->id, entry->upload.id.bytes, sizeof(page->id));
        page->options.after_upload = lst_slice_make(page->id, sizeof(page->id));
    }
    return show_entry(&page->text, entry);
}

static void check_list(struct fixture *fixture, struct lst_upload_list_options options,
                       const char *expected, const char *what)
{
    struct page page = {.options = options};
    bool truncated = false;

    lst_buffer_init(&page.text, 1000);
    page.options.bucket = slice("ups");
    page.options.max_entries = 100;
    CHECK(lst_store_list_uploads(fixture->store, &page.options, show_entry, &page.text,
                                 &truncated) == 0 &&
              !truncated,
          "%s: listed", what);
    CHECK_TEXT(page.text.bytes, page.text.length, expected, what);
    lst_buffer_clear(&page.text);
    page.options.max_entries = 1;
    do {
        if (lst_store_list_uploads(fixture->store, &page.options, show_page, &page, &truncated) !=
            0) {
            break;
        }
    } while (truncated);
    CHECK_TEXT(page.text.bytes, page.text.length, expected, "and one by one");
    lst_buffer_release(&page.text);
}

static void test_list(void)
{
    static const char *const keys[] = {"a/1", "a/2", "a", "b/x/y", "b/x/z", "b", "a", "a", "c"};
    struct fixture fixture = fixture_open();
    struct upload upload;
    bool ok = fixture_make_bucket(&fixture, "ups") == 0;

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        ok = ok && upload_begin(&fixture, &upload, "ups", keys[i]) == 0;
    }
    CHECK(ok, "uploads are begun");
    check_list(&fixture, (struct lst_upload_list_options){0}, "a a a a/1 a/2 b b/x/y b/x/z c ",
               "all");
    check_list(&fixture, (struct lst_upload_list_options){.delimiter = slice("/")},
               "a a a a/* b b/* c ", "with a delimiter");
    check_list(&fixture,
               (struct lst_upload_list_options){.prefix = slice("b/"), .delimiter = slice("/")},
               "b/x/* ", "with prefix and delimiter");
    check_list(&fixture, (struct lst_upload_list_options){.prefix = slice("a/")}, "a/1 a/2 ",
               "with a prefix");
    check_list(&fixture, (struct lst_upload_list_options){.after_key = slice("a")},
               "a/1 a/2 b b/x/y b/x/z c ", "behind a key");
    check_list(&fixture,
               (struct lst_upload_list_options){.prefix = slice("b"), .after_key = slice("c")}, "",
               "behind all");
    fixture_close(&fixture);
}

static void test_versions(void)
{
    struct fixture fixture = fixture_open();
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    struct upload upload;
    struct upload later;
    struct lst_version_id first;

    CHECK(fixture_make_bucket(&fixture, "ups") == 0 &&
              lst_bucket_set_versioning(fixture.store, slice("ups"), LST_VERSIONING_ENABLED,
                                        &write) == 0 &&
              waiter_wait(&waiter) == 0,
          "a bucket with versions");
    CHECK(upload_whole(&fixture, &upload, "ups", "k", bytes, PART + 10) == 0 &&
              upload.write.version.length == LST_VERSION_ID_LENGTH,
          "an upload becomes a version");
    first = upload.write.version;
    CHECK(upload_whole(&fixture, &later, "ups", "k", bytes + 5, PART + 10) == 0, "then another");
    CHECK(fixture_put(&fixture, "ups", "k", "new", 3) == 0, "then an object");
    CHECK(upload_complete(&fixture, &upload) == 0 &&
              lst_slice_equal(lst_version_id_slice(&upload.write.version),
                              lst_version_id_slice(&first)),
          "the first completed again gives the same version");
    CHECK(fixture_is_clean(&fixture, 3), "the check finds nothing wrong");
    CHECK(fixture_delete(&fixture, "ups", "k") == 0 && upload_complete(&fixture, &upload) == 0,
          "even behind a delete marker");
    fixture_close(&fixture);
}

int main(void)
{
    bytes = fixture_bytes(SIZE, 77);
    test_complete();
    test_refusals();
    test_parts_and_abort();
    test_list();
    test_versions();
    free(bytes);
    return tap_done();
}
