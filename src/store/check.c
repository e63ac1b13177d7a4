/* check.c - hold the rows of a store against each other and against the blobs. */
#include "store/check.h"
#include "store/head.h"
#include "store/reclaim.h"
#include "store/usage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* What a visit gives to end a walk early. */
enum { ENOUGH = 1 };

/* Keep what is found at a row until it is certain. There is no room for more than are possible. */
static void hold(struct lst_check *check, struct lst_slice key, const char *text)
{
    struct lst_held_fault *held = &check->held[check->held_count];

    if (check->held_count < LST_HELD_MAX) {
        lst_row_name_make(&held->key, LST_ROW_OBJECT, key);
        held->text = text;
        check->held_count++;
    }
}

void lst_check_report(struct lst_check *check, struct lst_slice key, const char *text)
{
    struct lst_store_fault fault = {check->bucket, key, text};

    if (check->is_quiet) {
        return;
    }
    if (check->is_holding) {
        hold(check, key, text);
        return;
    }
    check->census.faults++;
    check->report(check->context, &fault);
}

void lst_check_report_row(struct lst_check *check, struct lst_slice key, int status,
                          const char *text)
{
    lst_check_report(check, key, status == LST_ERR_FORMAT ? LST_CHECK_LATER : text);
}

void lst_check_report_file(struct lst_check *check, const char *text)
{
    struct lst_slice bucket = check->bucket;

    check->bucket = lst_slice_make(NULL, 0);
    lst_check_report(check, check->bucket, text);
    check->bucket = bucket;
}

/* ---- Rows */

int lst_check_get(const struct lst_check *check, struct lst_index_reader *reader,
                  const struct lst_row_name *name, struct lst_slice *ret_value)
{
    int status = lst_index_get(reader, check->partition, lst_row_name_slice(name), ret_value);

    return status == LST_ERR_CORRUPT && ret_value->bytes != NULL ? LST_OK : status;
}

/* What is to be done about a damaged row of this kind. */
static const char *advice(char kind)
{
    switch (kind) {
    case LST_ROW_OBJECT:
    case LST_ROW_MARKER:
        return "its row is damaged: write the object again, or delete it";
    case LST_ROW_VERSION:
        return "the row of an older version is damaged: delete that version";
    case LST_ROW_UPLOAD:
        return "the row of an upload in progress is damaged: abort the upload";
    case LST_ROW_PART:
        return "the row of a part is damaged: write the object again, or abort the upload";
    case LST_ROW_SETTING:
        return "a setting of the bucket is damaged: set it again";
    case LST_ROW_USAGE:
        return "the bucket's counts are damaged: stop the server and run 'latchstring fsck "
               "--recount'";
    case LST_ROW_STATE:
        return "the bucket's state is damaged: restore the data folder from a backup";
    case LST_ROW_GARBAGE:
    case LST_ROW_LEFT:
        return "a row that says what can be deleted is damaged: stop the server and run "
               "'latchstring fsck --reclaim' when all else is mended";
    default:
        return "a row that says whose a body is is damaged: write its object again";
    }
}

/* How much stands behind the key in the name of a row; -1: its kind has no key. */
static int suffix_size(char kind)
{
    switch (kind) {
    case LST_ROW_OBJECT:
    case LST_ROW_MARKER:
    case LST_ROW_NULL:
        return 0;
    case LST_ROW_VERSION:
        return 8;
    case LST_ROW_UPLOAD:
    case LST_ROW_LEFT:
        return LST_ROW_UPLOAD_ID_SIZE;
    case LST_ROW_PART:
        return LST_ROW_UPLOAD_ID_SIZE + LST_ROW_PART_NUMBER_SIZE;
    case LST_ROW_BLOB:
    case LST_ROW_GARBAGE:
        return LST_ROW_BLOB_ID_SIZE;
    default:
        return -1;
    }
}

struct lst_slice lst_check_key_of(struct lst_slice name, struct lst_key_room *room)
{
    struct lst_slice key = lst_slice_after(name, 1);
    int size = suffix_size(name.bytes[0]);
    struct lst_slice suffix;

    if (size < 0) {
        return lst_slice_make(NULL, 0);
    }
    /* The beginning of a name, or one that is damaged, shows what can be the beginning of a key. */
    return lst_row_name_split(name, (size_t)size, room, &key, &suffix) == LST_OK
               ? key
               : lst_slice_first(key, lst_slice_find(key, '\0'));
}

const char lst_check_misplaced_text[] =
    "a row is damaged, its name too, and which object it was of is not known; the object of this "
    "name is whole. Do not delete it: look for one that should be there and is not, and write it "
    "again, or restore the data folder from a backup";

/*
 * Which name a damaged row had before a bit of it changed. Whoever asks for that name is given the
 * row, as damaged; whoever asks for another is not. The value (NULL: not known) tells it from other
 * damaged rows.
 */
static bool find_meant(const struct lst_check *check, struct lst_index_reader *reader,
                       struct lst_slice name, const struct lst_slice *row_value,
                       struct lst_row_name *ret_name)
{
    if (name.length > LST_ROW_NAME_MAX) {
        return false;
    }
    lst_row_name_make(ret_name, name.bytes[0], lst_slice_after(name, 1));
    for (size_t bit = 0; bit < 8 * name.length; bit++) {
        char mask = (char)(uint8_t)(1U << bit % 8);
        struct lst_slice value = {NULL, 0};
        ret_name->bytes[bit / 8] ^= mask;
        if (lst_index_get(reader, check->partition, lst_row_name_slice(ret_name), &value) ==
                LST_ERR_CORRUPT &&
            value.bytes != NULL && (row_value == NULL || lst_slice_equal(value, *row_value))) {
            return true;
        }
        ret_name->bytes[bit / 8] ^= mask;
    }
    return false;
}

/* Whether the row that stands under this name is damaged. */
static bool is_damaged_here(const struct lst_check *check, struct lst_index_reader *reader,
                            struct lst_slice name)
{
    struct lst_slice value = {NULL, 0};

    return lst_index_get(reader, check->partition, name, &value) == LST_ERR_CORRUPT;
}

bool lst_check_report_meant(struct lst_check *check, struct lst_slice name)
{
    struct lst_index_reader *reader;
    struct lst_row_name meant;
    struct lst_key_room room;
    bool is_known;

    if (lst_index_read_begin(check->store->index, &reader) != LST_OK) {
        return false;
    }
    is_known = find_meant(check, reader, name, NULL, &meant);
    lst_index_read_end(reader);
    if (is_known) {
        lst_check_report(check, lst_check_key_of(lst_row_name_slice(&meant), &room),
                         advice(meant.bytes[0]));
    }
    return is_known;
}

/* One whose checksum is wrong. What it seems to say is taken in, so that nothing is reported for
 * the lack of it; its body is not looked at. */
static int take_damaged_row(struct lst_check *check, struct lst_index_reader *reader)
{
    struct lst_slice name = lst_buffer_slice(&check->row_name);
    struct lst_slice value = lst_buffer_slice(&check->row_value);
    struct lst_key_room room;
    int status;

    lst_check_see_damaged(check, name);
    if (check->reclaim != NULL &&
        (name.bytes[0] == LST_ROW_GARBAGE || name.bytes[0] == LST_ROW_LEFT)) {
        /* What it seems to name is not believed. */
        lst_buffer_clear(&check->row_value);
        return lst_reclaim_add_row(check->reclaim, LST_RECLAIM_ROW, check->partition, name);
    }
    lst_check_report(check, lst_check_key_of(name, &room), advice(name.bytes[0]));
    check->is_quiet = true;
    status = lst_check_row(check, reader, name, value);
    check->is_quiet = false;
    lst_buffer_clear(&check->row_value);
    return status;
}

/* The name of this damaged row has changed. */
static int take_misplaced_row(struct lst_check *check, struct lst_index_reader *reader,
                              struct lst_slice name, struct lst_slice value,
                              const struct lst_row_name *meant)
{
    struct lst_slice found = lst_row_name_slice(meant);
    struct lst_key_room room;
    int status = LST_OK;

    if (lst_slice_equal(name, lst_row_name_slice(&check->misplaced))) {
        return LST_OK; /* where names are not in order one may come by it again */
    }
    lst_row_name_make(&check->misplaced, name.bytes[0], lst_slice_after(name, 1));
    lst_check_see_damaged(check, name);
    if (found.length == 0) {
        lst_check_report(check, lst_check_key_of(name, &room), lst_check_misplaced_text);
        return LST_OK;
    }
    lst_check_report(check, lst_check_key_of(found, &room), advice(found.bytes[0]));
    check->is_quiet = true;
    status = lst_check_row(check, reader, found, value);
    check->is_quiet = false;
    return status;
}

/* Go on behind damaged rows whose names have changed: what comes next is not behind their names. */
static int pass_misplaced(struct lst_check *check, struct lst_index_reader *reader, int status,
                          struct lst_slice *name, struct lst_slice *value)
{
    bool has_passed = false;

    while (lst_index_is_damaged_row(status, *name)) {
        struct lst_row_name meant;
        if (!find_meant(check, reader, *name, value, &meant)) {
            if (is_damaged_here(check, reader, *name)) {
                break; /* it is the row of its name */
            }
            meant.length = 0;
        }
        status = take_misplaced_row(check, reader, *name, *value, &meant);
        status = status == LST_OK ? lst_index_next(reader, name, value) : status;
        has_passed = true;
    }
    if (has_passed && (status == LST_OK || lst_index_is_damaged_row(status, *name)) &&
        lst_slice_compare(*name, lst_buffer_slice(&check->row_name)) < 0) {
        *name = lst_slice_make(NULL, 0);
        return LST_ERR_CORRUPT; /* it led back */
    }
    return status;
}

/*
 * Hold the row that was taken against others. They are read after it: what they lack is a fault if
 * the row is still the same afterwards. If it is not, it was written anew meanwhile, with them.
 */
static int check_taken_row(struct lst_check *check, struct lst_index_reader *reader)
{
    struct lst_slice name = lst_buffer_slice(&check->row_name);
    struct lst_slice now;
    int status;

    check->is_holding = true;
    check->held_count = 0;
    status = lst_check_row(check, reader, name, lst_buffer_slice(&check->row_value));
    check->is_holding = false;
    if (status != LST_OK || check->held_count == 0) {
        return status;
    }
    status = lst_index_get(reader, check->partition, name, &now);
    if (status == LST_OK && lst_slice_equal(now, lst_buffer_slice(&check->row_value))) {
        for (size_t i = 0; i < check->held_count; i++) {
            lst_check_report(check, lst_slice_after(lst_row_name_slice(&check->held[i].key), 1),
                             check->held[i].text);
        }
    }
    return status == LST_ERR_NOT_FOUND || status == LST_ERR_CORRUPT ? LST_OK : status;
}

/* Find the first row from row_name on, check it, and copy it. */
static int take_row(struct lst_check *check)
{
    struct lst_index_reader *reader;
    struct lst_slice name;
    struct lst_slice value;
    bool is_damaged;
    int status = lst_index_read_begin(check->store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status =
        lst_index_seek(reader, check->partition, lst_buffer_slice(&check->row_name), &name, &value);
    status = pass_misplaced(check, reader, status, &name, &value);
    is_damaged = lst_index_is_damaged_row(status, name);
    check->is_astray = status == LST_ERR_CORRUPT && !is_damaged;
    if (status == LST_OK || is_damaged) {
        lst_buffer_clear(&check->row_name);
        lst_buffer_clear(&check->row_value);
        lst_buffer_append(&check->row_name, name);
        lst_buffer_append(&check->row_value, value);
        status = lst_buffer_status(&check->row_name);
    }
    if (status == LST_OK) {
        status = lst_buffer_status(&check->row_value);
    }
    if (status == LST_OK && is_damaged) {
        status = take_damaged_row(check, reader);
    } else if (status == LST_OK) {
        status = check_taken_row(check, reader);
    }
    lst_index_read_end(reader);
    return status;
}

/* The bodies of the row that was taken, if it is of an object or an upload. */
static int check_taken_body(struct lst_check *check)
{
    struct lst_slice name = lst_buffer_slice(&check->row_name);
    struct lst_slice suffix = {NULL, 0};
    struct lst_slice key = suffix;
    struct lst_key_room room;
    struct lst_object_row row;
    char kind = name.bytes[0];

    if ((kind != LST_ROW_OBJECT && kind != LST_ROW_VERSION && kind != LST_ROW_UPLOAD) ||
        lst_row_name_split(name, (size_t)suffix_size(kind), &room, &key, &suffix) != LST_OK) {
        return LST_OK;
    }
    if (kind == LST_ROW_UPLOAD) {
        return lst_check_part_bodies(check, key, suffix);
    }
    if (lst_object_row_decode(lst_buffer_slice(&check->row_value), &row) != LST_OK ||
        row.form != LST_FORM_OBJECT) {
        return LST_OK; /* it was reported */
    }
    return row.parts.length > 0 ? lst_check_part_bodies(check, key, lst_row_parts_upload(row.parts))
                                : lst_check_body(check, key, name, &row);
}

/* The row that was taken can't be held against those that belong to it, or the next one can't be
 * found. Goes on behind that. */
static int pass_damage(struct lst_check *check)
{
    struct lst_key_room room;

    if (check->is_astray) {
        return lst_check_pass_pages(check);
    }
    lst_check_report(check, lst_check_key_of(lst_buffer_slice(&check->row_name), &room),
                     "what belongs to it can't be found in the index: restore the data folder from "
                     "a backup, or write the object again");
    lst_buffer_append_byte(&check->row_name, '\0');
    return LST_OK;
}

int lst_check_step(struct lst_check *check)
{
    int status = take_row(check);

    if (status == LST_OK) {
        status = check_taken_body(check);
    }
    if (status == LST_ERR_CORRUPT) {
        return pass_damage(check);
    }
    lst_buffer_append_byte(&check->row_name, '\0');
    return status;
}

/* ---- Counts */

static void format_usage(const struct lst_usage *usage, char *out, size_t size)
{
    (void)snprintf(out, size,
                   "%" PRId64 " objects, %" PRId64 " versions, %" PRId64 " bytes, %" PRId64
                   " uploads",
                   usage->numbers[LST_USAGE_OBJECTS], usage->numbers[LST_USAGE_VERSIONS],
                   usage->numbers[LST_USAGE_BYTES], usage->numbers[LST_USAGE_UPLOADS]);
}

static void report_usage(struct lst_check *check, const struct lst_usage *said,
                         const struct lst_usage *counted)
{
    char text[400];
    char first[120];
    char second[120];

    format_usage(said, first, sizeof(first));
    format_usage(counted, second, sizeof(second));
    (void)snprintf(text, sizeof(text),
                   "the bucket's counts say %s, and there are %s: stop the server and run "
                   "'latchstring fsck --recount'",
                   first, second);
    lst_check_report(check, lst_slice_make(NULL, 0), text);
}

/* What the row says, before and after the count. */
static int count_once(struct lst_check *check, struct lst_usage *ret_before,
                      struct lst_usage *ret_counted, struct lst_usage *ret_after)
{
    struct lst_index_reader *reader;
    int status = lst_index_read_begin(check->store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = lst_usage_read(reader, check->partition, ret_before);
    if (status == LST_OK) {
        status =
            lst_usage_count(reader, check->partition, lst_slice_make(NULL, 0), NULL, ret_counted);
    }
    lst_index_read_end(reader);
    if (status == LST_OK) {
        status = lst_index_read_begin(check->store->index, &reader);
    }
    if (status == LST_OK) {
        status = lst_usage_read(reader, check->partition, ret_after);
        lst_index_read_end(reader);
    }
    return status;
}

/* A bucket that is written all the time can't be counted. */
static int check_usage(struct lst_check *check)
{
    enum { TRIES = 3 };
    struct lst_usage before;
    struct lst_usage counted;
    struct lst_usage after;

    for (int i = 0; i < TRIES; i++) {
        int status = count_once(check, &before, &counted, &after);
        if (status != LST_OK) {
            return status == LST_ERR_CORRUPT ? LST_OK : status; /* it was reported */
        }
        if (memcmp(&before, &after, sizeof(before)) == 0) {
            counted.numbers[LST_USAGE_CHANGES] = before.numbers[LST_USAGE_CHANGES];
            if (memcmp(&before, &counted, sizeof(before)) != 0) {
                report_usage(check, &before, &counted);
            }
            return LST_OK;
        }
    }
    return LST_OK;
}

/* The row of the bucket's state may have been on a damaged page: who reads any object needs it. */
static int check_state(struct lst_check *check)
{
    struct lst_index_reader *reader;
    struct lst_bucket_state state;
    int status;

    if (check->lost_count == 0) {
        return LST_OK;
    }
    status = lst_index_read_begin(check->store->index, &reader);
    if (status != LST_OK) {
        return status;
    }
    status = lst_head_read_any_state(reader, check->partition, lst_slice_make(NULL, 0), &state);
    lst_index_read_end(reader);
    if (status == LST_ERR_CORRUPT) {
        lst_check_report(
            check, lst_slice_make(NULL, 0),
            "the bucket's state can't be found in the index: nothing in the bucket can "
            "be read or written. Restore the data folder from a backup");
        return LST_OK;
    }
    return status == LST_ERR_BUCKET_NOT_FOUND ? LST_OK : status; /* deleted meanwhile */
}

static int check_bucket(struct lst_check *check)
{
    uint64_t faults = check->census.faults;
    int status;

    check->uploads.count = 0;
    check->parts.count = 0;
    check->unfinished.count = 0;
    check->blobs.count = 0;
    check->used.count = 0;
    lst_buffer_clear(&check->row_name);
    lst_check_report_pages(check);
    status = check_state(check);
    while (status == LST_OK) {
        status = lst_check_step(check);
    }
    lst_check_report_unseen(check);
    if (status == LST_ERR_NOT_FOUND) {
        status = lst_check_unused_blobs(check);
    }
    if (status == LST_OK) {
        status = lst_check_stray_parts(check);
    }
    if (status == LST_OK) {
        status = check_usage(check);
    }
    /* What damage hides was reported. */
    return status == LST_ERR_CORRUPT && check->census.faults > faults ? LST_OK : status;
}

/* ---- Buckets */

static int take_bucket(void *context, const struct lst_bucket_row *row)
{
    struct lst_check *check = context;
    size_t length = row->bucket.name.length;

    if (length == 0 || length > sizeof(check->bucket_name)) {
        return LST_ERR_CORRUPT;
    }
    memcpy(check->bucket_name, row->bucket.name.bytes, length);
    check->bucket = lst_slice_make(check->bucket_name, length);
    check->partition = row->partition;
    check->has_partition = row->status == LST_OK;
    check->is_of_later = row->status == LST_ERR_FORMAT;
    return ENOUGH;
}

int lst_check_next_bucket(struct lst_check *check, bool *ret_is_there)
{
    char last[LST_BUCKET_NAME_MAX] = {0};
    struct lst_slice after = lst_slice_make(last, check->bucket.length);
    struct lst_index_reader *reader;
    int status = lst_index_read_begin(check->store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    memcpy(last, check->bucket_name, check->bucket.length);
    status = lst_store_each_bucket(reader, lst_slice_make(NULL, 0), after, take_bucket, check);
    lst_index_read_end(reader);
    *ret_is_there = status == ENOUGH;
    return status == ENOUGH ? LST_OK : status;
}

int lst_check_run(struct lst_check *check)
{
    int status = lst_check_pages(check);
    bool is_there = true;

    if (status != LST_OK) {
        return status;
    }
    for (;;) {
        status = lst_check_next_bucket(check, &is_there);
        if (status != LST_OK || !is_there) {
            break;
        }
        check->census.buckets++;
        if (check->has_partition) {
            status = check_bucket(check);
        } else {
            lst_check_report(check, lst_slice_make(NULL, 0),
                             check->is_of_later
                                 ? LST_CHECK_LATER
                                 : "the bucket's own row is damaged, and nothing in it can be "
                                   "found: restore the data folder from a backup");
            status = LST_OK;
        }
        if (status != LST_OK) {
            return status;
        }
    }
    check->bucket = lst_slice_make(NULL, 0);
    lst_check_report_other_pages(check);
    if (status == LST_ERR_CORRUPT) {
        lst_check_report_file(check, "the index is damaged where its buckets are named, and the "
                                     "rest of them can't be found: restore the data folder from a "
                                     "backup");
        return LST_OK;
    }
    if (status == LST_OK) {
        status = lst_check_orphans(check);
    }
    return status == LST_ERR_CORRUPT && check->census.faults > 0 ? LST_OK : status;
}

void lst_check_init(struct lst_check *check, struct lst_store *store,
                    void (*report)(void *context, const struct lst_store_fault *fault),
                    void *context)
{
    *check = (struct lst_check){.store = store, .report = report, .context = context};
    lst_buffer_init(&check->row_name, LST_INDEX_KEY_MAX + 1);
    lst_buffer_init(&check->row_value, LST_INDEX_VALUE_MAX);
    lst_buffer_init(&check->part_value, LST_INDEX_VALUE_MAX);
}

void lst_check_release(struct lst_check *check)
{
    lst_buffer_release(&check->row_name);
    lst_buffer_release(&check->row_value);
    lst_buffer_release(&check->part_value);
    free(check->known.ids);
    free(check->uploads.ids);
    free(check->parts.ids);
    free(check->totals);
    free(check->unfinished.ids);
    free(check->blobs.ids);
    free(check->used.ids);
    lst_check_free_pages(check);
}

int lst_store_check(struct lst_store *store,
                    void (*report)(void *context, const struct lst_store_fault *fault),
                    void *context, struct lst_store_census *ret_census)
{
    struct lst_check check;
    int status;

    lst_check_init(&check, store, report, context);
    status = lst_check_run(&check);
    lst_check_release(&check);
    if (status == LST_OK) {
        *ret_census = check.census;
    }
    return status;
}
