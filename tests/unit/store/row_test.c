/* row_test.c - rows that a later version of Latchstring wrote: what this one does not know is kept,
 * left alone or refused, as its tag says. */
#include "store_fixture.h"

#include "index/index.h"
#include "store/row_form.h"

#include <limits.h>

enum { PARTITION = 1 }; /* of the first bucket */

static const struct lst_slice nothing = {NULL, 0};

/* ---- Encoding */

static struct lst_object_row make_row(void)
{
    struct lst_object_row row = {.stamp = "0123456789abcde",
                                 .size = 5,
                                 .modified_ms = 1234,
                                 .version = {77, 88},
                                 .etag = slice("9dd4e461268c8034f5c8564e155c67a6"),
                                 .field_count = 2,
                                 .late_field_count = 1,
                                 .tag_count = 1,
                                 .is_inline = true,
                                 .body = slice("hello")};

    row.fields[0] = (struct lst_field){slice("content-type"), slice("text/plain")};
    row.fields[1] = (struct lst_field){slice("late"), slice("x")};
    row.tags[0] = (struct lst_field){slice("colour"), slice("red")};
    return row;
}

static void test_encoding(void)
{
    struct lst_object_row row = make_row();
    struct lst_object_row found;
    struct lst_buffer value;
    struct lst_slice head;

    lst_buffer_init(&value, 1000);
    lst_object_row_encode(&value, &row);
    CHECK(lst_object_row_decode(lst_buffer_slice(&value), &found) == LST_OK &&
              found.form == LST_FORM_OBJECT && found.size == 5 && found.version.order == 77 &&
              lst_slice_equal(found.body, row.body) && lst_slice_equal(found.etag, row.etag) &&
              found.field_count == 2 && found.late_field_count == 1 && found.tag_count == 1 &&
              !found.must_stay,
          "a row is read as it was written");
    head = lst_slice_first(lst_buffer_slice(&value),
                           lst_object_row_head_length(lst_buffer_slice(&value)));
    CHECK(lst_slice_find_slice(head, row.body) == head.length &&
              lst_slice_find_slice(head, slice("colour")) == head.length &&
              lst_slice_find_slice(head, slice("late")) < head.length,
          "body and tags stand behind its head");
    CHECK(lst_object_row_decode_head(head, &found) == LST_OK && found.form == LST_FORM_OBJECT &&
              found.size == 5 && found.field_count == 2 && found.version.random == 88 &&
              lst_slice_equal(found.etag, row.etag) && found.body.length == 0,
          "which is read alone");
    CHECK(lst_object_row_decode_head(lst_buffer_slice(&value), &found) == LST_ERR_CORRUPT &&
              lst_object_row_decode_head(lst_slice_first(head, head.length - 1), &found) ==
                  LST_ERR_CORRUPT &&
              lst_object_row_decode(head, &found) == LST_ERR_CORRUPT,
          "and is taken for nothing else");
    lst_buffer_release(&value);
}

/* ---- Sections that are not known */

static void append_section(char *bytes, size_t *length, uint8_t tag, const char *content)
{
    bytes[(*length)++] = (char)tag;
    memset(bytes + *length, 0, 3);
    *length += 3;
    bytes[(*length)++] = (char)strlen(content);
    memcpy(bytes + *length, content, strlen(content));
    *length += strlen(content);
}

struct unknown {
    char bytes[100];
    size_t length;
};

static struct unknown make_unknown(uint8_t tag)
{
    struct unknown unknown = {.length = 0};

    append_section(unknown.bytes, &unknown.length, tag, "of a later version");
    return unknown;
}

/* How a row is decoded that has such a section, in its head or behind it. */
static int decode_with(uint8_t tag, bool in_head, struct lst_object_row *ret_row)
{
    static char bytes[1000];
    struct unknown unknown = make_unknown(tag);
    struct lst_slice section = lst_slice_make(unknown.bytes, unknown.length);
    struct lst_object_row row = make_row();
    struct lst_buffer value;

    row.unknown_head = in_head ? section : nothing;
    row.unknown_rest = in_head ? nothing : section;
    lst_buffer_init(&value, sizeof(bytes));
    lst_object_row_encode(&value, &row);
    memcpy(bytes, value.bytes, value.length);
    section = lst_slice_make(bytes, value.length);
    lst_buffer_release(&value);
    return lst_object_row_decode(section, ret_row);
}

static void test_tags(void)
{
    struct lst_object_row row;

    for (int in_head = 0; in_head < 2; in_head++) {
        CHECK(decode_with(10, in_head, &row) == LST_ERR_FORMAT &&
                  decode_with(63, in_head, &row) == LST_ERR_FORMAT && row.size == 5,
              "tags up to 63 must be known");
        CHECK(decode_with(64, in_head, &row) == LST_OK && row.must_stay &&
                  decode_with(127, in_head, &row) == LST_OK && row.must_stay,
              "for tags up to 127 a row may be read, and must stay");
        CHECK(decode_with(128, in_head, &row) == LST_OK && !row.must_stay &&
                  decode_with(255, in_head, &row) == LST_OK && !row.must_stay &&
                  (in_head ? row.unknown_head : row.unknown_rest).length > 0,
              "others are passed over, and kept");
        CHECK(decode_with(1, in_head, &row) == LST_ERR_CORRUPT &&
                  decode_with(0, in_head, &row) == LST_ERR_CORRUPT,
              "order counts");
    }
}

static void test_buckets(void)
{
    struct lst_bucket_row row = {.partition = 5,
                                 .bucket = {.region = slice("here"), .owner = slice("me")}};
    struct lst_bucket_row found;
    const struct {
        uint8_t tag;
        int status;
    } cases[] = {{1, LST_ERR_FORMAT}, {64, LST_ERR_FORMAT}, {127, LST_ERR_FORMAT}, {128, LST_OK}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct unknown unknown = make_unknown(cases[i].tag);
        struct lst_buffer value;
        lst_buffer_init(&value, 1000);
        row.unknown = lst_slice_make(unknown.bytes, unknown.length);
        lst_bucket_row_encode(&row, &value);
        CHECK(lst_bucket_row_decode(lst_buffer_slice(&value), &found) == cases[i].status,
              "a bucket's row with tag %d", cases[i].tag);
        CHECK(cases[i].status != LST_OK || lst_slice_equal(found.unknown, row.unknown),
              "is kept as it is");
        value.bytes[value.length - 1]++;
        value.length--;
        CHECK(lst_bucket_row_decode(lst_buffer_slice(&value), &found) == LST_ERR_CORRUPT,
              "one that was cut is damaged");
        lst_buffer_release(&value);
    }
}

/* ---- In a store */

static size_t unknown_before; /* bytes that it had already */

/* Add a section to the head of the row that stands at the object's key, as a later version would
 * have written it. */
static int add_to_row(struct fixture *fixture, const char *key, uint8_t tag)
{
    struct unknown unknown = make_unknown(tag);
    char path[100];
    struct lst_index_options options = {.path = path};
    struct lst_index_change change = {.kind = LST_INDEX_PUT};
    struct lst_object_row row = {.form = LST_FORM_OBJECT};
    struct lst_index_reader *reader;
    struct lst_row_name name;
    struct lst_buffer value;
    struct lst_index *index;
    struct lst_slice found;
    int status;

    lst_store_close(fixture->store);
    (void)snprintf(path, sizeof(path), "%s/index.mdb", fixture->folder);
    lst_row_name_make_escaped(&name, LST_ROW_OBJECT, slice(key));
    change.key = lst_row_name_slice(&name);
    lst_buffer_init(&value, LST_INDEX_VALUE_MAX);
    status = lst_index_open(&options, &index);
    if (status == LST_OK) {
        status = lst_index_read_begin(index, &reader);
    }
    if (status == LST_OK) {
        status = lst_index_get(reader, PARTITION, change.key, &found);
    }
    if (status == LST_OK) {
        status = lst_object_row_decode(found, &row);
    }
    unknown_before = row.unknown_head.length;
    row.unknown_head = lst_slice_make(unknown.bytes, unknown.length);
    lst_object_row_encode(&value, &row);
    change.value = lst_buffer_slice(&value);
    change.head_length = lst_object_row_head_length(change.value);
    if (status == LST_OK) {
        lst_index_read_end(reader);
        status = lst_index_apply(index, PARTITION, &change, 1);
        lst_index_close(index);
    }
    lst_buffer_release(&value);
    return status == LST_OK ? fixture_start(fixture) : status;
}

static int set_tag(struct fixture *fixture, const char *key)
{
    struct lst_object_name name = {slice("bucket"), slice(key), {NULL, 0}};
    struct lst_field tag = {slice("colour"), slice("blue")};
    struct waiter waiter;
    struct lst_store_write write = waiter_write(&waiter);
    int status = lst_object_set_tags(fixture->store, &name, &tag, 1, &write);

    return status == LST_OK ? waiter_wait(&waiter) : status;
}

static int count_one(void *context, const struct lst_list_entry *entry)
{
    (void)entry;
    ++*(int *)context;
    return LST_OK;
}

static int list(struct fixture *fixture, int *ret_count)
{
    struct lst_list_options options = {.bucket = slice("bucket"), .max_entries = 10};
    bool is_truncated;

    *ret_count = 0;
    return lst_store_list(fixture->store, &options, count_one, ret_count, &is_truncated);
}

static const char *fault_text;

static void report(void *context, const struct lst_store_fault *fault)
{
    (void)context;
    fault_text = strstr(fault->text, "a later version") != NULL ? "later" : "other";
}

/* What the check says: NULL, that a later version wrote it, or something else. */
static const char *check(struct fixture *fixture)
{
    struct lst_store_census census;

    fault_text = NULL;
    CHECK(lst_store_check(fixture->store, report, NULL, &census) == LST_OK, "the check ends");
    return fault_text;
}

static void test_refused(struct fixture *fixture)
{
    int count;

    CHECK(fixture_put(fixture, "bucket", "new", "12", 2) == 0 &&
              add_to_row(fixture, "new", 10) == 0,
          "there is a row that can't be read");
    CHECK(!fixture_holds(fixture, "bucket", "new", "12", 2), "it is not given out");
    CHECK(list(fixture, &count) == LST_ERR_FORMAT, "nor listed, nor left out of a list");
    CHECK(fixture_put(fixture, "bucket", "new", "3", 1) == LST_ERR_FORMAT &&
              fixture_delete(fixture, "bucket", "new") == LST_ERR_FORMAT &&
              set_tag(fixture, "new") == LST_ERR_FORMAT,
          "nobody changes it");
    CHECK(check(fixture) != NULL && strcmp(fault_text, "later") == 0, "the check says why");
}

static void test_left_alone(struct fixture *fixture)
{
    int count;

    CHECK(fixture_put(fixture, "bucket", "locked", "12", 2) == 0 &&
              add_to_row(fixture, "locked", 64) == 0,
          "there is a row that must stay");
    CHECK(fixture_holds(fixture, "bucket", "locked", "12", 2) && list(fixture, &count) == LST_OK &&
              count == 1,
          "it is read and listed");
    CHECK(fixture_put(fixture, "bucket", "locked", "3", 1) == LST_ERR_FORMAT &&
              fixture_delete(fixture, "bucket", "locked") == LST_ERR_FORMAT &&
              set_tag(fixture, "locked") == LST_ERR_FORMAT,
          "nobody changes it");
    CHECK(fixture_holds(fixture, "bucket", "locked", "12", 2) && check(fixture) == NULL,
          "and all is well");
}

static void test_kept(struct fixture *fixture)
{
    int count;

    CHECK(fixture_put(fixture, "bucket", "owned", "12", 2) == 0 &&
              add_to_row(fixture, "owned", 200) == 0 && set_tag(fixture, "owned") == 0,
          "a row gets other tags, and has a section that is not known");
    CHECK(fixture_holds(fixture, "bucket", "owned", "12", 2) && list(fixture, &count) == LST_OK &&
              check(fixture) == NULL,
          "it is as any other");
    CHECK(add_to_row(fixture, "owned", 201) == 0 && unknown_before > 0, "and keeps the section");
    CHECK(fixture_put(fixture, "bucket", "owned", "3", 1) == LST_OK &&
              fixture_delete(fixture, "bucket", "owned") == LST_OK,
          "it is replaced and deleted as any other");
}

int main(void)
{
    struct fixture fixture;

    test_encoding();
    test_tags();
    test_buckets();
    for (int i = 0; i < 3; i++) {
        fixture = fixture_open();
        CHECK(fixture_make_bucket(&fixture, "bucket") == 0, "a bucket is made");
        if (i == 0) {
            test_refused(&fixture);
        } else if (i == 1) {
            test_left_alone(&fixture);
        } else {
            test_kept(&fixture);
        }
        fixture_close(&fixture);
    }
    return tap_done();
}
