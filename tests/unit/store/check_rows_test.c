/*
 * check_rows_test.c - rows that are whole, and don't fit each other: the check names each fault, of
 * its key, and nothing else.
 */
#include "upload_fixture.h"

#include "store/row.h"
#include "store/state.h"

enum { PARTITION = 1, LARGE = 20000, UNDO_MAX = 4 };

static struct fixture fixture;
static struct upload whole;      /* an object in one part, under the key "parts" */
static struct upload unfinished; /* under the key "open", with one part */

static const struct lst_slice none = {NULL, 0};

/* ---- Rows, changed and changed back */

struct saved {
    struct lst_row_name name;
    struct lst_buffer value;
    bool was_there;
};
static struct saved saved[UNDO_MAX];
static size_t saved_count;

static bool read_row(const struct lst_row_name *name, struct lst_buffer *value)
{
    struct lst_index_reader *reader;
    struct lst_slice found;
    bool is_there = false;

    lst_buffer_init(value, LST_INDEX_VALUE_MAX);
    if (lst_index_read_begin(fixture.store->index, &reader) == LST_OK) {
        is_there = lst_index_get(reader, PARTITION, lst_row_name_slice(name), &found) == LST_OK;
        if (is_there) {
            lst_buffer_append(value, found);
        }
        lst_index_read_end(reader);
    }
    return is_there;
}

/* The first row whose name begins so becomes the name. */
static bool find_row(struct lst_row_name *name)
{
    struct lst_index_reader *reader;
    struct lst_slice start = lst_row_name_slice(name);
    struct lst_slice found;
    struct lst_slice value;
    bool is_there = false;

    if (lst_index_read_begin(fixture.store->index, &reader) == LST_OK) {
        is_there = lst_index_seek(reader, PARTITION, start, &found, &value) == LST_OK &&
                   lst_slice_starts_with(found, start);
        if (is_there) {
            lst_row_name_make(name, found.bytes[0], lst_slice_after(found, 1));
        }
        lst_index_read_end(reader);
    }
    return is_there;
}

static bool apply(const struct lst_row_name *name, const struct lst_slice *value)
{
    struct lst_index_change change = {.kind = value == NULL ? LST_INDEX_DELETE : LST_INDEX_PUT,
                                      .key = lst_row_name_slice(name)};
    char kind = name->bytes[0];

    if (value != NULL) {
        change.value = *value;
    }
    if (value != NULL && (kind == LST_ROW_OBJECT || kind == LST_ROW_VERSION)) {
        change.head_length = lst_object_row_head_length(*value);
    }
    return lst_index_apply(fixture.store->index, PARTITION, &change, 1) == LST_OK;
}

/* Until undo(). NULL: it is deleted. */
static bool set_row(const struct lst_row_name *name, const struct lst_slice *value)
{
    struct saved *row = &saved[saved_count++];

    row->name = *name;
    row->was_there = read_row(name, &row->value);
    return apply(name, value);
}

static bool undo(void)
{
    bool ok = true;

    while (saved_count > 0) {
        struct saved *row = &saved[--saved_count];
        struct lst_slice value = lst_buffer_slice(&row->value);
        ok = apply(&row->name, row->was_there ? &value : NULL) && ok;
        lst_buffer_release(&row->value);
    }
    return ok;
}

/* The first row of this kind and key. */
static struct lst_row_name row_of(char kind, const char *key)
{
    struct lst_row_name name;

    lst_row_name_make_escaped(&name, kind, slice(key));
    if (!find_row(&name)) {
        CHECK(false, "there is a row %c of %s", kind, key);
    }
    return name;
}

static bool delete_row(char kind, const char *key)
{
    struct lst_row_name name = row_of(kind, key);

    return set_row(&name, NULL);
}

static bool put_row(char kind, const char *key, struct lst_slice rest, struct lst_slice value)
{
    struct lst_row_name name;

    lst_row_name_make_escaped(&name, kind, slice(key));
    lst_row_name_append(&name, rest);
    return set_row(&name, &value);
}

/* Write the row again, as change() would have it. */
static bool edit_row(char kind, const char *key, void (*change)(struct lst_object_row *row))
{
    struct lst_row_name name = row_of(kind, key);
    struct lst_buffer before;
    struct lst_buffer after;
    struct lst_object_row row;
    struct lst_slice value;
    bool ok = read_row(&name, &before) &&
              lst_object_row_decode(lst_buffer_slice(&before), &row) == LST_OK;

    lst_buffer_init(&after, LST_INDEX_VALUE_MAX);
    if (ok) {
        change(&row);
        lst_object_row_encode(&after, &row);
        value = lst_buffer_slice(&after);
        ok = set_row(&name, &value);
    }
    lst_buffer_release(&before);
    lst_buffer_release(&after);
    return ok;
}

/* ---- What can be wrong */

static void grow(struct lst_object_row *row)
{
    row->size++;
}

static void give_etag(struct lst_object_row *row)
{
    row->etag = LST_SLICE("0123456789abcdef0123456789abcdef");
}

static void give_etag_of_parts(struct lst_object_row *row)
{
    row->etag = LST_SLICE("0123456789abcdef0123456789abcdef-1");
}

static void make_newer(struct lst_object_row *row)
{
    row->version.order++;
}

static void make_older(struct lst_object_row *row)
{
    row->version.order = 1;
}

static bool blob_of_another(void)
{
    struct lst_row_name name = row_of(LST_ROW_BLOB, "large");
    struct lst_slice value = LST_SLICE("p01234567890123456789");

    return set_row(&name, &value);
}

static bool blob_without_row(void)
{
    return delete_row(LST_ROW_BLOB, "large");
}

static bool blob_of_none(void)
{
    return delete_row(LST_ROW_OBJECT, "large");
}

static bool longer_than_its_blob(void)
{
    return edit_row(LST_ROW_OBJECT, "large", grow);
}

static bool other_etag_of_blob(void)
{
    return edit_row(LST_ROW_OBJECT, "large", give_etag);
}

static bool other_etag_of_small(void)
{
    return edit_row(LST_ROW_OBJECT, "small", give_etag);
}

/* The current version, as old as the first one. */
static bool current_is_old(void)
{
    return edit_row(LST_ROW_OBJECT, "versions", make_older);
}

static bool current_is_gone(void)
{
    return delete_row(LST_ROW_OBJECT, "versions");
}

static bool other_order(void)
{
    return edit_row(LST_ROW_VERSION, "versions", make_newer);
}

static bool null_elsewhere(void)
{
    char order[8];

    lst_row_number_encode(4711, order);
    return put_row(LST_ROW_NULL, "null", none, lst_slice_make(order, sizeof(order)));
}

static bool null_unknown(void)
{
    return delete_row(LST_ROW_NULL, "null");
}

static bool object_and_marker(void)
{
    struct lst_row_name marker = row_of(LST_ROW_MARKER, "marked");
    struct lst_buffer value;
    bool ok = read_row(&marker, &value) &&
              put_row(LST_ROW_MARKER, "small", none, lst_buffer_slice(&value));

    lst_buffer_release(&value);
    return ok;
}

static bool object_is_nothing(void)
{
    return put_row(LST_ROW_OBJECT, "small", none, LST_SLICE("x"));
}

static bool unknown_kind(void)
{
    return put_row('z', "small", none, LST_SLICE("x"));
}

static bool part_is_gone(void)
{
    return delete_row(LST_ROW_PART, "parts");
}

static bool part_of_other_size(void)
{
    return edit_row(LST_ROW_PART, "parts", grow);
}

static bool other_etag_of_parts(void)
{
    return edit_row(LST_ROW_OBJECT, "parts", give_etag_of_parts);
}

static bool other_etag_of_part(void)
{
    return edit_row(LST_ROW_PART, "open", give_etag);
}

static bool part_blob_without_row(void)
{
    return delete_row(LST_ROW_BLOB, "open");
}

/* Says of the upload that its parts are to be deleted. */
static bool leave(const char *key)
{
    struct lst_row_name part = row_of(LST_ROW_PART, key);
    struct lst_slice id =
        lst_slice_make(part.bytes + part.length - LST_ROW_PART_NUMBER_SIZE - LST_ROW_UPLOAD_ID_SIZE,
                       LST_ROW_UPLOAD_ID_SIZE);

    return put_row(LST_ROW_LEFT, key, id, none);
}

static bool parts_are_left(void)
{
    return leave("parts");
}

static bool parts_of_nothing(void)
{
    return delete_row(LST_ROW_OBJECT, "parts");
}

static bool parts_of_no_upload(void)
{
    return delete_row(LST_ROW_UPLOAD, "open");
}

static bool upload_is_nothing(void)
{
    struct lst_row_name name = row_of(LST_ROW_UPLOAD, "open");
    struct lst_slice value = LST_SLICE("x");

    return set_row(&name, &value);
}

static bool left_is_short(void)
{
    return put_row(LST_ROW_LEFT, "small", LST_SLICE("short"), none);
}

static bool garbage_is_short(void)
{
    return put_row(LST_ROW_GARBAGE, "small", LST_SLICE("short"), none);
}

static bool counts_are_wrong(void)
{
    struct lst_usage usage = {{1, 2, 3, 4, 5}};
    char bytes[8 * LST_USAGE_COUNT];
    struct lst_row_name name;
    struct lst_slice value = lst_slice_make(bytes, sizeof(bytes));

    lst_usage_encode(&usage, bytes);
    lst_row_name_make(&name, LST_ROW_USAGE, none);
    return set_row(&name, &value);
}

static bool state_is_nothing(void)
{
    struct lst_row_name name;
    struct lst_buffer value;
    bool ok;

    lst_row_name_make(&name, LST_ROW_STATE, none);
    ok = read_row(&name, &value) && value.length == LST_BUCKET_STATE_SIZE;
    if (ok) {
        struct lst_slice changed = lst_buffer_slice(&value);
        memset(value.bytes + LST_INDEX_EPOCH, 0x7F, value.length - LST_INDEX_EPOCH);
        ok = set_row(&name, &changed);
    }
    lst_buffer_release(&value);
    return ok;
}

/* ---- What is said */

static char said[8192]; /* "key: text", in lines; counts, which many of these change, aside */
static bool counts_were_wrong;

static void note(void *context, const struct lst_store_fault *fault)
{
    size_t length = strlen(said);

    (void)context;
    if (strncmp(fault->text, "the bucket's counts say", 23) == 0) {
        counts_were_wrong = true;
        return;
    }
    (void)snprintf(said + length, sizeof(said) - length, "%.*s: %s\n", (int)fault->key.length,
                   fault->key.bytes, fault->text);
}

static struct lst_store_census check(void)
{
    struct lst_store_census census = {0};

    said[0] = '\0';
    counts_were_wrong = false;
    CHECK(lst_store_check(fixture.store, note, NULL, &census) == LST_OK, "the check is done");
    return census;
}

/* Whether what was said are these lines, each from its beginning on, in any order. */
static bool was_said(const char *const lines[])
{
    size_t count = 0;
    size_t found = 0;
    size_t expected = 0;

    for (const char *at = said; *at != '\0'; at = strchr(at, '\n') + 1) {
        count++;
    }
    for (; lines[expected] != NULL; expected++) {
        for (const char *at = said; *at != '\0'; at = strchr(at, '\n') + 1) {
            if (strncmp(at, lines[expected], strlen(lines[expected])) == 0) {
                found++;
                break;
            }
        }
    }
    return count == expected && found == expected;
}

static const struct {
    const char *name;
    bool (*spoil)(void);
    const char *lines[4];
} cases[] = {
    {"a blob of another", blob_of_another, {"large: the object's blob has no row"}},
    {"a blob without a row", blob_without_row, {"large: the object's blob has no row"}},
    {"a blob of no object", blob_of_none, {"large: a blob's row names an object that does not"}},
    {"a blob that is too short", longer_than_its_blob, {"large: the body's blob has another size"}},
    {"a blob of other bytes", other_etag_of_blob, {"large: the body does not match its MD5"}},
    {"a small body of other bytes",
     other_etag_of_small,
     {"small: the body does not match its MD5"}},
    {"an old current version",
     current_is_old,
     {"versions: a version is newer than the current one"}},
    {"no current version",
     current_is_gone,
     {"versions: a version is newer than the current one",
      "versions: a blob's row names an object that does not"}},
    {"a version of another order", other_order, {"versions: the row of a version is damaged"}},
    {"a null version elsewhere",
     null_elsewhere,
     {"null: the null version can't be found", "null: the null version is not where it should"}},
    {"a null version that nothing names", null_unknown, {"null: the null version can't be found"}},
    {"an object and a marker",
     object_and_marker,
     {"small: the key has both an object and a delete marker"}},
    {"an object that says nothing", object_is_nothing, {"small: the object's row is damaged"}},
    {"a row of an unknown kind", unknown_kind, {"zsmall: a row of an unknown kind"}},
    {"a part that is gone",
     part_is_gone,
     {"parts: a part is missing or damaged", "parts: a blob's row names an object that does not"}},
    {"a part of another size",
     part_of_other_size,
     {"parts: a part has another size", "parts: part 1: the body's blob has another size"}},
    {"another ETag", other_etag_of_parts, {"parts: the ETag is not that of the parts"}},
    {"a part of other bytes",
     other_etag_of_part,
     {"open: part 1: the body does not match its MD5"}},
    {"a part without a blob's row", part_blob_without_row, {"open: a part's blob has no row"}},
    {"parts to be deleted", parts_are_left, {"parts: the object's parts are about to be deleted"}},
    {"parts of no object", parts_of_nothing, {"parts: there are parts of no upload and no object"}},
    {"parts of no upload", parts_of_no_upload, {"open: there are parts of no upload"}},
    {"an upload that says nothing", upload_is_nothing, {"open: the row of an upload is damaged"}},
    {"a short name of what was left",
     left_is_short,
     {"small: the row of an upload that was left is damaged"}},
    {"a state that says nothing", state_is_nothing, {": the bucket's state is damaged"}},
    {"a short name of garbage", garbage_is_short, {"small: a garbage row is damaged"}},
};

static void test_faults(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK(cases[i].spoil(), "%s", cases[i].name);
        (void)check();
        if (!CHECK(was_said(cases[i].lines), "is named, and nothing else")) {
            printf("# %s", said);
        }
        CHECK(undo(), "and is as it was");
    }
    CHECK(counts_are_wrong(), "other counts");
    (void)check();
    CHECK(counts_were_wrong && said[0] == '\0' && undo(), "are named, and nothing else");
}

static void test_census(void)
{
    struct lst_store_census census = check();

    CHECK(said[0] == '\0' && !counts_were_wrong && census.faults == 0, "all is well");
    CHECK(census.buckets == 1 && census.objects == 8 && census.bytes == 4 * LARGE + 4 * 100,
          "the objects are counted, with their bytes");
    CHECK(census.unfinished_uploads == 1 && census.unfinished_parts == 1 &&
              census.unfinished_bytes == LARGE,
          "and the upload");
    CHECK(delete_row(LST_ROW_UPLOAD, "open") && leave("open"), "it is given up");
    census = check();
    CHECK(said[0] == '\0' && census.unfinished_uploads == 0 && census.unfinished_parts == 1 &&
              census.unfinished_bytes == LARGE && undo(),
          "its parts count until they are deleted");
}

/* Of a bucket that can't be read, all bodies may be somebody's. */
static void test_bucket_row(void)
{
    static const char *const lines[] = {": the bucket's own row is damaged, and nothing in it",
                                        NULL};
    static const char name[] = {LST_ROW_BUCKET, 'b', '-', 'b'};
    struct lst_index_change change = {
        .kind = LST_INDEX_PUT, .key = lst_slice_make(name, sizeof(name)), .value = LST_SLICE("x")};
    struct lst_index *index = fixture.store->index;
    struct lst_index_reader *reader;
    struct lst_slice found = none;
    struct lst_buffer before;
    struct lst_store_census census;

    lst_buffer_init(&before, LST_INDEX_VALUE_MAX);
    if (lst_index_read_begin(index, &reader) == LST_OK) {
        if (lst_index_get(reader, LST_STORE_PARTITION, change.key, &found) == LST_OK) {
            lst_buffer_append(&before, found);
        }
        lst_index_read_end(reader);
    }
    CHECK(before.length > 0 && lst_index_apply(index, LST_STORE_PARTITION, &change, 1) == LST_OK,
          "a bucket's row says nothing");
    census = check();
    CHECK(was_said(lines) && census.orphan_blobs == 0,
          "that is said, and no body is taken for one that nobody has");
    change.value = lst_buffer_slice(&before);
    CHECK(lst_index_apply(index, LST_STORE_PARTITION, &change, 1) == LST_OK, "and is as it was");
    lst_buffer_release(&before);
}

/* ---- Rows with a wrong checksum */

/* Change the byte at this offset behind the beginning of these bytes, wherever they stand in the
 * file. How often they do. */
static size_t change_file(const char *path, const char *bytes, size_t length, size_t offset)
{
    static char content[4 << 20];
    FILE *file = fopen(path, "r+b");
    size_t size = file == NULL ? 0 : fread(content, 1, sizeof(content), file);
    size_t count = 0;

    for (size_t i = 0; i + offset < size && i + length <= size; i++) {
        if (memcmp(content + i, bytes, length) == 0) {
            count += fseek(file, (long)(i + offset), SEEK_SET) == 0 &&
                     fputc(content[i + offset] ^ 1, file) != EOF;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return count;
}

/* What a damaged row seems to say is not held against it as well. */
static void test_damaged_row(void)
{
    static const char *const lines[] = {
        "null: the row of an older version is damaged: delete that version", NULL};
    struct lst_row_name name = row_of(LST_ROW_VERSION, "null");
    struct lst_object_row row = {.size = 0};
    struct lst_buffer value;
    char order[8];
    char path[160];
    const char *found;
    bool ok =
        read_row(&name, &value) && lst_object_row_decode(lst_buffer_slice(&value), &row) == LST_OK;

    lst_row_number_encode(row.version.order, order);
    found = ok ? memmem(value.bytes, value.length, order, sizeof(order)) : NULL;
    (void)snprintf(path, sizeof(path), "%s/index.mdb", fixture.folder);
    lst_store_close(fixture.store);
    CHECK(found != NULL && change_file(path, row.stamp, sizeof(row.stamp),
                                       (size_t)(found - value.bytes) + sizeof(order) - 1) > 0,
          "the order in a version's row is another");
    lst_buffer_release(&value);
    CHECK(fixture_start(&fixture) == LST_OK, "the store is opened again");
    (void)check();
    if (!CHECK(was_said(lines), "the row is named, once")) {
        printf("# %s", said);
    }
}

static void fill(void)
{
    char *bytes = fixture_bytes(LARGE, 7);
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    bool ok = fixture_make_bucket(&fixture, "b-b") == 0 &&
              fixture_put(&fixture, "b-b", "null", bytes, 100) == 0 &&
              lst_bucket_set_versioning(fixture.store, slice("b-b"), LST_VERSIONING_ENABLED,
                                        &write) == 0 &&
              waiter_wait(&waiter) == 0;

    ok = ok && fixture_put(&fixture, "b-b", "null", bytes, 100) == 0 &&
         fixture_put(&fixture, "b-b", "small", bytes, 100) == 0 &&
         fixture_put(&fixture, "b-b", "large", bytes, LARGE) == 0 &&
         fixture_put(&fixture, "b-b", "versions", bytes, LARGE) == 0 &&
         fixture_put(&fixture, "b-b", "versions", bytes, LARGE) == 0 &&
         fixture_put(&fixture, "b-b", "marked", bytes, 100) == 0 &&
         fixture_delete(&fixture, "b-b", "marked") == 0 &&
         upload_whole(&fixture, &whole, "b-b", "parts", bytes, LARGE) == 0 &&
         upload_begin(&fixture, &unfinished, "b-b", "open") == 0 &&
         upload_part(&fixture, &unfinished, 1, bytes, LARGE) == 0;
    CHECK(ok, "a bucket with one of everything");
    free(bytes);
}

int main(void)
{
    fixture = fixture_open();
    fill();
    test_census();
    test_faults();
    test_bucket_row();
    test_census();
    test_damaged_row();
    fixture_close(&fixture);
    return tap_done();
}
