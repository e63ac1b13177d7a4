/* check_parts.c - hold the parts of objects and uploads against them. */
#include "base/encoding.h"
#include "store/check.h"
#include "store/parts.h"
#include "store/reclaim.h"

#include <nettle/md5.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ENOUGH = 1, /* what a visit gives to end a walk early */
    STRAY_ATTEMPTS = 5,
};

/* LST_ERR_NOT_FOUND: it was not left. */
static int read_left(const struct lst_check *check, struct lst_index_reader *reader,
                     struct lst_slice key, struct lst_slice upload_id)
{
    struct lst_row_name name;
    struct lst_slice value;

    lst_row_name_make_upload(&name, LST_ROW_LEFT, key, upload_id);
    return lst_check_get(check, reader, &name, &value);
}

/* ---- Rows */

/* What is wrong with the parts of an object; NULL: nothing. */
static int find_fault(const struct lst_check *check, struct lst_index_reader *reader,
                      struct lst_slice key, const struct lst_object_row *row, const char **ret_text)
{
    uint32_t count = lst_row_parts_count(row->parts);
    uint8_t digest[MD5_DIGEST_SIZE];
    char etag[LST_ETAG_MAX + 1];
    struct md5_ctx md5;

    *ret_text = NULL;
    md5_init(&md5);
    for (uint32_t i = 0; i < count; i++) {
        struct lst_row_part part = lst_row_parts_at(row->parts, i);
        struct lst_object_row one;
        int status = lst_part_read(reader, check->partition, key, lst_row_parts_upload(row->parts),
                                   part.number, &one);
        if (status != LST_OK && status != LST_ERR_NOT_FOUND && status != LST_ERR_CORRUPT) {
            return status;
        }
        if (status != LST_OK || one.size != part.end - part.first ||
            !lst_hex_decode(one.etag, digest, sizeof(digest))) {
            *ret_text =
                status != LST_OK ? "a part is missing or damaged" : "a part has another size";
            return LST_OK;
        }
        md5_update(&md5, sizeof(digest), digest);
    }
    md5_digest(&md5, sizeof(digest), digest);
    lst_hex_encode(digest, sizeof(digest), etag);
    (void)snprintf(etag + 2 * sizeof(digest), sizeof(etag) - 2 * sizeof(digest), "-%u", count);
    /* A copy's is the MD5 of all its bytes, which the bodies of its parts are held against one by
     * one. */
    if (lst_object_row_is_in_parts(row) &&
        !lst_slice_equal(row->etag, lst_slice_make(etag, strlen(etag)))) {
        *ret_text = "the ETag is not that of the parts";
    }
    return LST_OK;
}

int lst_check_object_parts(struct lst_check *check, struct lst_index_reader *reader,
                           struct lst_slice key, const struct lst_object_row *row)
{
    struct lst_slice id = lst_row_parts_upload(row->parts);
    const char *text;
    int status = find_fault(check, reader, key, row, &text);

    if (status != LST_OK) {
        return status;
    }
    if (text != NULL) {
        lst_check_report(check, key, text);
    }
    status = read_left(check, reader, key, id);
    if (status == LST_OK) {
        lst_check_report(check, key, "the object's parts are about to be deleted");
    }
    if (status != LST_OK && status != LST_ERR_NOT_FOUND) {
        return status;
    }
    return lst_check_add_id(&check->uploads, id);
}

/* The parts of an upload stand one after the other. */
static int add_part(struct lst_check *check, struct lst_slice upload_id, uint64_t size)
{
    size_t before = check->parts.capacity;
    size_t count = check->parts.count;
    struct lst_part_total *total;
    int status = lst_check_add_id(&check->parts, upload_id);

    if (status == LST_OK && check->parts.capacity != before) {
        total = realloc(check->totals, check->parts.capacity * sizeof(*total));
        if (total == NULL) {
            return LST_ERR_NO_MEMORY;
        }
        check->totals = total;
    }
    if (status != LST_OK) {
        return status;
    }
    total = &check->totals[check->parts.count - 1];
    if (check->parts.count > count) {
        *total = (struct lst_part_total){.upload = check->parts.ids[count]};
    }
    total->count++;
    total->bytes += size;
    return LST_OK;
}

int lst_check_part_row(struct lst_check *check, struct lst_index_reader *reader,
                       struct lst_slice name, struct lst_slice value)
{
    struct lst_object_row row;
    struct lst_key_room room;
    struct lst_slice upload_id;
    struct lst_slice key;
    uint32_t number;
    bool has_row = true;
    int status = lst_object_row_decode(value, &row);

    if (lst_row_name_split_part(name, &room, &key, &upload_id, &number) != LST_OK ||
        status != LST_OK || row.form != LST_FORM_OBJECT || row.parts.length > 0) {
        lst_check_report_row(check, lst_check_key_of(name, &room), status,
                             "the row of a part is damaged");
        return LST_OK;
    }
    if (!row.is_inline) {
        status = lst_check_blob_row(check, reader, key, name, row.blob, &has_row);
        if (status == LST_OK) {
            status = lst_blob_list_add(&check->used, row.blob);
        }
    }
    if (status != LST_OK) {
        return status;
    }
    if (!has_row) {
        lst_check_report(check, key, "a part's blob has no row");
    }
    return add_part(check, upload_id, row.size);
}

/* ---- Bodies */

struct next_part {
    struct lst_check *check;
    uint32_t number;
};

static int take_part(void *context, uint32_t number, struct lst_slice value)
{
    struct next_part *next = context;
    struct lst_buffer *copy = &next->check->part_value;

    next->number = number;
    lst_buffer_clear(copy);
    lst_buffer_append(copy, value);
    return lst_buffer_status(copy) == LST_OK ? ENOUGH : lst_buffer_status(copy);
}

/* The part behind the one that was last, copied. ENOUGH: there is one. */
static int find_part(struct lst_check *check, struct lst_slice key, struct lst_slice upload_id,
                     struct next_part *next)
{
    struct lst_index_reader *reader;
    int status = lst_index_read_begin(check->store->index, &reader);

    if (status == LST_OK) {
        status =
            lst_part_each(reader, check->partition, key, upload_id, next->number, take_part, next);
        lst_index_read_end(reader);
    }
    return status;
}

/* Whether the part is still the one that the row is of, and not about to be deleted. What says that
 * it is about to be goes last of all: so it is looked at first. */
static int is_still_there(const struct lst_check *check, struct lst_slice key,
                          struct lst_slice upload_id, uint32_t number,
                          const struct lst_object_row *row, bool *ret_is)
{
    struct lst_index_reader *reader;
    struct lst_object_row now;
    int left;
    int status = lst_index_read_begin(check->store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    *ret_is = false;
    left = read_left(check, reader, key, upload_id);
    status = left == LST_ERR_NOT_FOUND
                 ? lst_part_read(reader, check->partition, key, upload_id, number, &now)
                 : left;
    *ret_is = left == LST_ERR_NOT_FOUND && status == LST_OK &&
              memcmp(now.stamp, row->stamp, sizeof(now.stamp)) == 0;
    lst_index_read_end(reader);
    return status == LST_ERR_NOT_FOUND || status == LST_ERR_CORRUPT ? LST_OK : status;
}

static int check_part_body(struct lst_check *check, struct lst_slice key,
                           struct lst_slice upload_id, uint32_t number)
{
    struct lst_object_row row;
    bool is_there = false;
    const char *text;
    char full[100];
    int status;

    if (lst_object_row_decode(lst_buffer_slice(&check->part_value), &row) != LST_OK ||
        row.form != LST_FORM_OBJECT || row.parts.length > 0) {
        return LST_OK; /* it is reported as a row */
    }
    status = lst_check_find_fault(check, &row, &text);
    if (status == LST_OK && text != NULL) {
        status = is_still_there(check, key, upload_id, number, &row, &is_there);
    }
    if (status == LST_OK && is_there) {
        (void)snprintf(full, sizeof(full), "part %u: %s", number, text);
        lst_check_report(check, key, full);
    }
    return status;
}

int lst_check_part_bodies(struct lst_check *check, struct lst_slice key, struct lst_slice upload_id)
{
    struct next_part next = {.check = check};
    int status;

    while ((status = find_part(check, key, upload_id, &next)) == ENOUGH) {
        status = check_part_body(check, key, upload_id, next.number);
        if (status != LST_OK) {
            return status;
        }
    }
    return status;
}

/* ---- Strays */

/* Whether an object, or a version of the key that is not current, is made of the upload's parts. */
static int is_made(const struct lst_check *check, struct lst_index_reader *reader, char kind,
                   struct lst_slice key, struct lst_slice upload_id, bool *ret_is)
{
    struct lst_row_name start;
    struct lst_slice name;
    struct lst_slice value;
    int status;

    lst_row_name_make_escaped(&start, kind, key);
    status = lst_index_seek(reader, check->partition, lst_row_name_slice(&start), &name, &value);
    while ((status == LST_OK || lst_index_is_damaged_row(status, name)) && !*ret_is &&
           lst_slice_starts_with(name, lst_row_name_slice(&start))) {
        struct lst_object_row row;
        /* One that can't be read has none. */
        lst_ignore_status(lst_object_row_decode(value, &row));
        *ret_is = lst_slice_equal(lst_row_parts_upload(row.parts), upload_id);
        status = lst_index_next(reader, &name, &value);
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

/* Whether any row refers to the upload's parts. */
static int is_owned(const struct lst_check *check, struct lst_index_reader *reader,
                    struct lst_slice key, struct lst_slice upload_id, bool *ret_is)
{
    static const char kinds[] = {LST_ROW_OBJECT, LST_ROW_VERSION};
    struct lst_row_name name;
    struct lst_slice value;
    int status = read_left(check, reader, key, upload_id);

    if (status == LST_ERR_NOT_FOUND) {
        lst_row_name_make_upload(&name, LST_ROW_UPLOAD, key, upload_id);
        status = lst_check_get(check, reader, &name, &value);
    }
    *ret_is = status == LST_OK;
    status = status == LST_ERR_NOT_FOUND ? LST_OK : status;
    for (size_t i = 0; i < sizeof(kinds) && status == LST_OK && !*ret_is; i++) {
        status = is_made(check, reader, kinds[i], key, upload_id, ret_is);
    }
    return status;
}

/* Whether the upload has parts, and nothing that refers to them. What refers to them may move from
 * a row that was not looked at yet to one that was: so it counts only if nothing was committed
 * meanwhile. On a server that is too busy for that, they are found another time. */
static int is_stray(const struct lst_check *check, struct lst_slice key, struct lst_slice upload_id,
                    bool *ret_is)
{
    struct lst_index *index = check->store->index;
    struct lst_index_reader *reader;
    struct next_part next = {.check = (struct lst_check *)check};
    bool has_owner = true;
    bool has_changed = true;
    int status = lst_index_read_begin(index, &reader);

    if (status != LST_OK) {
        return status;
    }
    for (int i = 0; i < STRAY_ATTEMPTS && has_changed && status == LST_OK; i++) {
        uint64_t version = lst_index_version(index, check->partition);
        status = is_owned(check, reader, key, upload_id, &has_owner);
        has_changed = !has_owner && lst_index_version(index, check->partition) != version;
    }
    if (status == LST_OK) {
        status = lst_part_each(reader, check->partition, key, upload_id, 0, take_part, &next);
    }
    lst_index_read_end(reader);
    *ret_is = status == ENOUGH && !has_owner && !has_changed;
    return status == ENOUGH ? LST_OK : status;
}

/* The first part from this name on, which becomes its name. LST_ERR_NOT_FOUND. */
static int find_any_part(const struct lst_check *check, struct lst_row_name *from)
{
    struct lst_index_reader *reader;
    struct lst_slice name;
    struct lst_slice value;
    int status = lst_index_read_begin(check->store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = lst_index_seek(reader, check->partition, lst_row_name_slice(from), &name, &value);
    if (lst_index_is_damaged_row(status, name)) {
        status = LST_OK;
    }
    if (status == LST_OK && name.bytes[0] != LST_ROW_PART) {
        status = LST_ERR_NOT_FOUND;
    }
    if (status == LST_OK) {
        lst_row_name_make(from, LST_ROW_PART, lst_slice_after(name, 1));
    }
    lst_index_read_end(reader);
    return status;
}

/* The upload that the part of this name is of, if it is among those; goes on behind its parts. */
static int check_stray(struct lst_check *check, const struct lst_blob_list *uploads,
                       struct lst_row_name *name)
{
    struct lst_blob_list one = {.ids = NULL};
    struct lst_key_room room;
    struct lst_slice key;
    struct lst_slice id;
    uint32_t number;
    bool is = false;
    int status = lst_row_name_split_part(lst_row_name_slice(name), &room, &key, &id, &number);

    if (status != LST_OK) {
        lst_row_name_append(name, lst_slice_make("", 1)); /* it was reported */
        return LST_OK;
    }
    status = lst_check_add_id(&one, id);
    if (status == LST_OK && lst_blob_list_has(uploads, one.ids[0])) {
        status = is_stray(check, key, id, &is);
    }
    if (status == LST_OK && is && check->reclaim != NULL) {
        status = lst_reclaim_add_row(
            check->reclaim, LST_RECLAIM_UPLOAD, check->partition,
            lst_slice_first(lst_row_name_slice(name), name->length - LST_ROW_PART_NUMBER_SIZE));
    } else if (status == LST_OK && is) {
        lst_check_report(check, key,
                         "there are parts of no upload and no object: when all else is mended, "
                         "stop the server and run 'latchstring fsck --reclaim'");
    }
    free(one.ids);
    name->length -= LST_ROW_PART_NUMBER_SIZE;
    lst_row_name_append(name, LST_SLICE("\xFF\xFF\xFF\xFF"));
    return status;
}

int lst_check_stray_parts(struct lst_check *check)
{
    struct lst_blob_list strays = {.ids = NULL};
    struct lst_row_name name;
    int status = LST_OK;

    lst_blob_list_sort(&check->uploads);
    lst_blob_list_sort(&check->unfinished);
    for (size_t i = 0; i < check->parts.count && status == LST_OK; i++) {
        const struct lst_part_total *total = &check->totals[i];
        if (lst_blob_list_has(&check->unfinished, total->upload)) {
            check->census.unfinished_parts += total->count;
            check->census.unfinished_bytes += total->bytes;
        }
        if (!lst_blob_list_has(&check->uploads, check->parts.ids[i])) {
            status = lst_blob_list_add(&strays, check->parts.ids[i]);
        }
    }
    /* Of which keys they are, only their rows say. As a rule there are none. */
    lst_blob_list_sort(&strays);
    lst_row_name_make(&name, LST_ROW_PART, lst_slice_make(NULL, 0));
    while (status == LST_OK && strays.count > 0) {
        status = find_any_part(check, &name);
        if (status == LST_OK) {
            status = check_stray(check, &strays, &name);
        }
    }
    free(strays.ids);
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}
