/* check_pages.c - what is lost with damaged pages of the index: in which bucket, and from which key
 * to which. */
#include "store/check.h"

#include <stdio.h>
#include <stdlib.h>

/* Faults that are kept. Of more than that, nobody wants to know each. */
enum {
    LOST_MAX = 10000,
    SHOWN_MAX = 100,
    ROW_LENGTH = 480, /* of a key that is longer a row has the beginning alone */
};

/* Rows of long keys stand in partitions of their own. */
#define FIRST_CONTINUATION (UINT64_C(1) << 63)

struct lst_lost {
    bool is_row;
    bool is_order;
    bool is_reported;
    const char *text;
    uint64_t partition;
    uint64_t end_partition;
    struct lst_slice key;
    struct lst_slice end;
    char bytes[]; /* what they point to */
};

static const struct lst_slice nothing = {NULL, 0};

static void keep(void *context, const struct lst_index_fault *fault)
{
    struct lst_check *check = context;
    size_t size = sizeof(struct lst_lost) + fault->key.length + fault->end.length;
    struct lst_lost *lost;

    if (!fault->has_place) {
        lst_check_report_file(check, fault->text);
        return;
    }
    if (check->lost_count == LOST_MAX || (lost = malloc(size)) == NULL) {
        lst_check_report_file(check, "more of its pages are damaged than can be told");
        return;
    }
    *lost = (struct lst_lost){.is_row = fault->is_row,
                              .is_order = fault->is_order,
                              .text = fault->text,
                              .partition = fault->partition,
                              .end_partition = fault->end_partition};
    lost->key = lst_slice_make(lost->bytes, fault->key.length);
    lost->end = lst_slice_make(lost->bytes + fault->key.length, fault->end.length);
    if (fault->key.length > 0) {
        memcpy(lost->bytes, fault->key.bytes, fault->key.length);
    }
    if (fault->end.length > 0) {
        memcpy(lost->bytes + fault->key.length, fault->end.bytes, fault->end.length);
    }
    check->lost[check->lost_count++] = lost;
}

int lst_check_pages(struct lst_check *check)
{
    struct lst_index_verify verify = {.with_rows = true, .report = keep, .context = check};

    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
    check->lost = calloc(LOST_MAX, sizeof(*check->lost));
    return check->lost == NULL ? LST_ERR_NO_MEMORY : lst_index_verify(check->store->index, &verify);
}

void lst_check_free_pages(struct lst_check *check)
{
    for (size_t i = 0; i < check->lost_count; i++) {
        free(check->lost[i]);
    }
    free((void *)check->lost);
}

/* ---- What is said */

/* What stands in rows of this kind. */
static const char *kind_text(struct lst_slice name)
{
    switch (name.length == 0 ? 0 : name.bytes[0]) {
    case LST_ROW_OBJECT:
        return "objects";
    case LST_ROW_MARKER:
        return "delete markers";
    case LST_ROW_VERSION:
    case LST_ROW_NULL:
        return "older versions";
    case LST_ROW_UPLOAD:
        return "uploads in progress";
    case LST_ROW_PART:
        return "parts of objects and of uploads";
    default:
        return "rows";
    }
}

/* As text for people: what can't be shown is a question mark. */
static void show(struct lst_slice key, char out[SHOWN_MAX + 1])
{
    size_t length = key.length < SHOWN_MAX ? key.length : SHOWN_MAX;

    for (size_t i = 0; i < length; i++) {
        out[i] = key.bytes[i] >= ' ' && key.bytes[i] <= '~' ? key.bytes[i] : '?';
    }
    out[length] = '\0';
}

static void report_range(struct lst_check *check, const struct lst_lost *lost)
{
    struct lst_slice from = lost->partition == check->partition ? lost->key : nothing;
    struct lst_slice to = lost->end_partition == check->partition ? lost->end : nothing;
    struct lst_key_room rooms[2];
    struct lst_slice key = from.length > 0 ? lst_check_key_of(from, &rooms[0]) : nothing;
    struct lst_slice end = to.length > 0 ? lst_check_key_of(to, &rooms[1]) : nothing;
    char shown[SHOWN_MAX + 1];
    char text[4 * SHOWN_MAX];

    show(end, shown);
    (void)snprintf(
        text, sizeof(text), "a page of the index is damaged (%s): %s from this key%s%s%s %s",
        lost->text, kind_text(from), end.length > 0 ? " up to, but not including, '" : " on", shown,
        end.length > 0 ? "'" : "",
        lost->is_order ? "are there, but can't be listed, and some not written. The damaged names "
                         "among them do that: do what is said of those"
                       : "may be lost. They can't be listed or written: restore the data folder "
                         "from a backup, or copy what can be read to a new server (\"A damaged "
                         "page\" in the manual of operations)");
    lst_check_report(check, key, text);
}

void lst_check_report_pages(struct lst_check *check)
{
    for (size_t i = 0; i < check->lost_count; i++) {
        struct lst_lost *lost = check->lost[i];
        if (!lost->is_row && lost->partition <= check->partition &&
            lost->end_partition >= check->partition &&
            (lost->end_partition != check->partition || lost->end.length > 0)) {
            report_range(check, lost);
            lost->is_reported = true;
        }
    }
}

void lst_check_see_damaged(struct lst_check *check, struct lst_slice name)
{
    check->damaged_long_count += name.length > ROW_LENGTH;
    for (size_t i = 0; i < check->lost_count; i++) {
        struct lst_lost *lost = check->lost[i];
        if (lost->is_row && lost->partition == check->partition &&
            lst_slice_equal(lost->key, name)) {
            lost->is_reported = true;
        }
    }
}

void lst_check_report_unseen(struct lst_check *check)
{
    for (size_t i = 0; i < check->lost_count; i++) {
        struct lst_lost *lost = check->lost[i];
        struct lst_key_room room;
        if (!lost->is_row || lost->is_reported || lost->partition != check->partition ||
            lost->key.length == 0) {
            continue;
        }
        lost->is_reported = true;
        if (!lst_check_report_meant(check, lost->key)) {
            lst_check_report(check, lst_check_key_of(lost->key, &room), lst_check_misplaced_text);
        }
    }
}

/* A page that was reported as one of a bucket's, and also had what long keys go on with. */
static bool has_continuations(const struct lst_lost *lost)
{
    return !lost->is_row && lost->end_partition >= FIRST_CONTINUATION;
}

static const char *other_text(const struct lst_lost *lost)
{
    if (lost->partition == LST_STORE_PARTITION) {
        return "buckets may not be found";
    }
    return lost->partition >= FIRST_CONTINUATION || has_continuations(lost)
               ? "objects with long keys may not be found"
               : "what it belonged to is not known";
}

void lst_check_report_other_pages(struct lst_check *check)
{
    char text[4 * SHOWN_MAX];

    for (size_t i = 0; i < check->lost_count; i++) {
        struct lst_lost *lost = check->lost[i];
        if (lost->is_reported && !has_continuations(lost)) {
            continue;
        }
        if (lost->is_row && lost->partition >= FIRST_CONTINUATION &&
            check->damaged_long_count > 0) {
            check->damaged_long_count--; /* it was reported with its whole key */
            continue;
        }
        (void)snprintf(text, sizeof(text), "%s is damaged (%s): %s. %s",
                       lost->is_row ? "a row" : "a page", lost->text, other_text(lost),
                       "Restore the data folder from a backup");
        lst_check_report_file(check, text);
    }
}

/* ---- Behind them */

/* Whether the place is in what was lost, or right at its end. */
static bool is_in(const struct lst_lost *lost, uint64_t partition, struct lst_slice place)
{
    if (partition < lost->partition ||
        (partition == lost->partition && lst_slice_compare(place, lost->key) < 0)) {
        return false;
    }
    if (lost->is_row) {
        return partition == lost->partition && lst_slice_equal(place, lost->key);
    }
    return partition < lost->end_partition ||
           (partition == lost->end_partition && lst_slice_compare(place, lost->end) < 0);
}

/* Whether it begins behind the place, in the same partition. */
static bool is_behind(const struct lst_lost *lost, uint64_t partition, struct lst_slice place)
{
    return lost->partition == partition && lst_slice_compare(place, lost->key) <= 0;
}

int lst_check_pass_pages(struct lst_check *check)
{
    struct lst_slice place = lst_buffer_slice(&check->row_name);
    struct lst_lost *next = NULL;

    for (size_t i = 0; i < check->lost_count; i++) {
        struct lst_lost *lost = check->lost[i];
        if (is_in(lost, check->partition, place)) {
            next = lost;
            break;
        }
        if (is_behind(lost, check->partition, place) &&
            (next == NULL || lst_slice_compare(lost->key, next->key) < 0)) {
            next = lost;
        }
    }
    if (next == NULL) {
        lst_check_report(check, nothing,
                         "the index is damaged, and the rest of the bucket can't be found: restore "
                         "the data folder from a backup");
        return LST_ERR_NOT_FOUND;
    }
    if (next->is_row) {
        struct lst_key_room room;
        lst_check_report(check, lst_check_key_of(next->key, &room),
                         "its row is damaged, or those of keys that begin so can't be found: write "
                         "the object again, or restore the data folder from a backup");
        next->is_reported = true;
    } else if (next->end_partition != check->partition) {
        return LST_ERR_NOT_FOUND;
    }
    lst_buffer_clear(&check->row_name);
    lst_buffer_append(&check->row_name, next->is_row ? next->key : next->end);
    if (next->is_row) {
        lst_buffer_append_byte(&check->row_name, '\0');
    }
    return lst_buffer_status(&check->row_name);
}
