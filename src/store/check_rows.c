/* check_rows.c - hold the rows of a bucket against each other. */
#include "store/check.h"
#include "store/reclaim.h"

#include <stdlib.h>

static const struct lst_slice nothing = {NULL, 0};

/* ---- Blobs */

int lst_check_blob_row(const struct lst_check *check, struct lst_index_reader *reader,
                       struct lst_slice key, struct lst_slice name, struct lst_blob_id blob,
                       bool *ret_has)
{
    char owner[LST_ROW_OWNER_MAX];
    struct lst_row_name row;
    struct lst_slice value;
    int status;

    lst_row_name_make_blob(&row, LST_ROW_BLOB, key, blob);
    status = lst_check_get(check, reader, &row, &value);
    *ret_has = status == LST_OK && lst_slice_equal(value, lst_row_owner_make(name, owner));
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

static bool has_blob(struct lst_slice value, struct lst_blob_id blob)
{
    struct lst_object_row row;

    /* One that can't be read has none. */
    lst_ignore_status(lst_object_row_decode(value, &row));
    return row.blob.generation == blob.generation && row.blob.number == blob.number;
}

static int current_has_blob(const struct lst_check *check, struct lst_index_reader *reader,
                            struct lst_slice key, struct lst_blob_id blob, bool *ret_has)
{
    struct lst_row_name name;
    struct lst_slice value;
    int status;

    lst_row_name_make_escaped(&name, LST_ROW_OBJECT, key);
    status = lst_check_get(check, reader, &name, &value);
    *ret_has = status == LST_OK && has_blob(value, blob);
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

static int older_has_blob(const struct lst_check *check, struct lst_index_reader *reader,
                          struct lst_slice key, struct lst_blob_id blob, bool *ret_has)
{
    struct lst_row_name start;
    struct lst_slice name;
    struct lst_slice value;
    int status;

    lst_row_name_make_escaped(&start, LST_ROW_VERSION, key);
    status = lst_index_seek(reader, check->partition, lst_row_name_slice(&start), &name, &value);
    while ((status == LST_OK || lst_index_is_damaged_row(status, name)) &&
           lst_slice_starts_with(name, lst_row_name_slice(&start))) {
        if (has_blob(value, blob)) {
            *ret_has = true;
            return LST_OK;
        }
        status = lst_index_next(reader, &name, &value);
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

/* Whether a version of the key has the blob: the current one first and last, since one that was not
 * may become it meanwhile. */
static int key_has_blob(const struct lst_check *check, struct lst_index_reader *reader,
                        struct lst_slice key, struct lst_blob_id blob, bool *ret_has)
{
    int status = current_has_blob(check, reader, key, blob, ret_has);

    if (status == LST_OK && !*ret_has) {
        status = older_has_blob(check, reader, key, blob, ret_has);
    }
    return status == LST_OK && !*ret_has ? current_has_blob(check, reader, key, blob, ret_has)
                                         : status;
}

/* Whether the row of the key that is named as the blob's owner has it. */
static int owner_has_blob(const struct lst_check *check, struct lst_index_reader *reader,
                          struct lst_slice key, struct lst_slice owner, struct lst_blob_id blob,
                          bool *ret_has)
{
    struct lst_row_name name;
    struct lst_slice value;
    int status = LST_OK;

    *ret_has = false;
    if (owner.length == 1 && owner.bytes[0] == LST_ROW_OBJECT) {
        status = key_has_blob(check, reader, key, blob, ret_has);
    } else if (owner.length == LST_ROW_OWNER_MAX && owner.bytes[0] == LST_ROW_PART) {
        lst_row_name_make_escaped(&name, LST_ROW_PART, key);
        lst_row_name_append(&name, lst_slice_after(owner, 1));
        status = lst_check_get(check, reader, &name, &value);
        *ret_has = status == LST_OK && has_blob(value, blob);
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

static int check_blob(struct lst_check *check, struct lst_slice name)
{
    struct lst_key_room room;
    struct lst_slice key;
    struct lst_blob_id blob;
    int status;

    if (lst_row_name_split_blob(name, &room, &key, &blob) != LST_OK) {
        lst_check_report(check, lst_check_key_of(name, &room), "a blob's row is damaged");
        return LST_OK;
    }
    status = lst_blob_list_add(&check->known, blob);
    return status == LST_OK ? lst_blob_list_add(&check->blobs, blob) : status;
}

/* A blob that no row was seen to have: things may have changed meanwhile, so all of it is read
 * again, and the blob's own row, which goes when its owner lets go of it, last. */
static int check_unused(struct lst_check *check, struct lst_index_reader *reader,
                        const struct lst_row_name *name, struct lst_slice key,
                        struct lst_blob_id blob)
{
    struct lst_slice owner;
    struct lst_slice now;
    bool has = false;
    int status = lst_check_get(check, reader, name, &owner);

    if (status == LST_OK) {
        status = owner_has_blob(check, reader, key, owner, blob, &has);
    }
    if (status == LST_OK && !has) {
        status = lst_check_get(check, reader, name, &now);
        if (status == LST_OK && lst_slice_equal(owner, now) && check->reclaim != NULL) {
            return lst_reclaim_add_row(check->reclaim, LST_RECLAIM_BLOB, check->partition,
                                       lst_row_name_slice(name));
        }
        if (status == LST_OK && lst_slice_equal(owner, now)) {
            lst_check_report(check, key,
                             "a blob's row names an object that does not have it: when all else is "
                             "mended, stop the server and run 'latchstring fsck --reclaim'");
        }
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

/* The row of a blob, from this name on: if it is one of these, look at it. LST_ERR_NOT_FOUND: there
 * is none. */
static int check_next_unused(struct lst_check *check, const struct lst_blob_list *unused,
                             struct lst_row_name *name)
{
    struct lst_index_reader *reader;
    struct lst_key_room room;
    struct lst_blob_id blob;
    struct lst_slice found;
    struct lst_slice value;
    struct lst_slice key;
    bool is_unused = false;
    int status = lst_index_read_begin(check->store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status = lst_index_seek(reader, check->partition, lst_row_name_slice(name), &found, &value);
    while ((status == LST_OK || lst_index_is_damaged_row(status, found)) && !is_unused) {
        if (found.bytes[0] != LST_ROW_BLOB) {
            status = LST_ERR_NOT_FOUND;
            break;
        }
        is_unused = lst_row_name_split_blob(found, &room, &key, &blob) == LST_OK &&
                    lst_blob_list_has(unused, blob);
        if (is_unused) {
            lst_row_name_make(name, LST_ROW_BLOB, lst_slice_after(found, 1));
            status = lst_row_name_split_blob(lst_row_name_slice(name), &room, &key, &blob);
        } else {
            status = lst_index_next(reader, &found, &value);
        }
    }
    if (status == LST_OK) {
        status = check_unused(check, reader, name, key, blob);
        lst_row_name_append(name, lst_slice_make("", 1));
    }
    lst_index_read_end(reader);
    return status;
}

int lst_check_unused_blobs(struct lst_check *check)
{
    struct lst_blob_list unused = {.ids = NULL};
    struct lst_row_name name;
    int status = LST_OK;

    lst_blob_list_sort(&check->used);
    for (size_t i = 0; i < check->blobs.count && status == LST_OK; i++) {
        if (!lst_blob_list_has(&check->used, check->blobs.ids[i])) {
            status = lst_blob_list_add(&unused, check->blobs.ids[i]);
        }
    }
    /* Of which keys they are, only their rows say. As a rule there are none. */
    lst_blob_list_sort(&unused);
    lst_row_name_make(&name, LST_ROW_BLOB, nothing);
    while (status == LST_OK && unused.count > 0) {
        status = check_next_unused(check, &unused, &name);
    }
    free(unused.ids);
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

static int check_garbage(struct lst_check *check, struct lst_slice name)
{
    struct lst_key_room room;
    struct lst_slice key;
    struct lst_blob_id blob;

    if (lst_row_name_split_blob(name, &room, &key, &blob) != LST_OK) {
        lst_check_report(check, lst_check_key_of(name, &room), "a garbage row is damaged");
        return LST_OK;
    }
    return lst_blob_list_add(&check->known, blob);
}

/* ---- Versions */

/* An object, current or not: its body. */
static int check_object(struct lst_check *check, struct lst_index_reader *reader,
                        struct lst_slice key, const struct lst_object_row *row)
{
    static const char owner = LST_ROW_OBJECT; /* whichever version has it */
    bool has_row = true;
    int status = LST_OK;

    check->census.objects++;
    check->census.bytes += row->size;
    if (row->parts.length > 0) {
        return lst_check_object_parts(check, reader, key, row);
    }
    if (!row->is_inline) {
        status =
            lst_check_blob_row(check, reader, key, lst_slice_make(&owner, 1), row->blob, &has_row);
        if (status == LST_OK) {
            status = lst_blob_list_add(&check->used, row->blob);
        }
    }
    if (status == LST_OK && !has_row) {
        lst_check_report(check, key, "the object's blob has no row");
    }
    return status;
}

static int check_current(struct lst_check *check, struct lst_index_reader *reader,
                         struct lst_slice name, struct lst_slice value)
{
    bool is_marker = name.bytes[0] == LST_ROW_MARKER;
    struct lst_object_row row;
    struct lst_key_room room;
    struct lst_row_name other;
    struct lst_slice key;
    struct lst_slice ignored;
    int status = lst_object_row_decode(value, &row);

    if (lst_row_name_split_key(name, &room, &key) != LST_OK || status != LST_OK ||
        row.form != (is_marker ? LST_FORM_MARKER : LST_FORM_OBJECT)) {
        check->census.objects += is_marker ? 0 : 1;
        lst_check_report_row(check, lst_check_key_of(name, &room), status,
                             "the object's row is damaged");
        return LST_OK;
    }
    if (!is_marker) {
        return check_object(check, reader, key, &row);
    }
    lst_row_name_make_escaped(&other, LST_ROW_OBJECT, key);
    status = lst_check_get(check, reader, &other, &ignored);
    if (status == LST_OK) {
        lst_check_report(check, key, "the key has both an object and a delete marker");
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

/* The version of a key that is current. LST_ERR_NOT_FOUND: it has none. */
static int read_current(const struct lst_check *check, struct lst_index_reader *reader,
                        struct lst_slice key, struct lst_version *ret_version)
{
    /* In place of a marker there may be an object by the time that the marker is looked for. */
    static const char kinds[] = {LST_ROW_OBJECT, LST_ROW_MARKER, LST_ROW_OBJECT};
    struct lst_row_name name;
    struct lst_slice value;
    int status = LST_ERR_NOT_FOUND;

    for (size_t i = 0; i < sizeof(kinds) && status == LST_ERR_NOT_FOUND; i++) {
        lst_row_name_make_escaped(&name, kinds[i], key);
        status = lst_check_get(check, reader, &name, &value);
    }
    if (status == LST_OK) {
        *ret_version = lst_object_row_peek(value);
    }
    return status;
}

/* Where the null version of the key is said to be; 0: nowhere. */
static int read_null_order(const struct lst_check *check, struct lst_index_reader *reader,
                           struct lst_slice key, uint64_t *ret_order)
{
    struct lst_row_name name;
    struct lst_slice value;
    int status;

    *ret_order = 0;
    lst_row_name_make_escaped(&name, LST_ROW_NULL, key);
    status = lst_check_get(check, reader, &name, &value);
    if (status == LST_OK && lst_row_number_decode(value, ret_order) != LST_OK) {
        *ret_order = 0;
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

static int check_version(struct lst_check *check, struct lst_index_reader *reader,
                         struct lst_slice name, struct lst_slice value)
{
    struct lst_version current = {0};
    struct lst_object_row row;
    struct lst_key_room room;
    struct lst_slice key;
    uint64_t order;
    uint64_t null_order = 0;
    int status = lst_object_row_decode(value, &row);

    if (lst_row_name_split_version(name, &room, &key, &order) != LST_OK || status != LST_OK ||
        row.form == LST_FORM_UPLOAD || row.version.order != order) {
        lst_check_report_row(check, lst_check_key_of(name, &room), status,
                             "the row of a version is damaged");
        return LST_OK;
    }
    status = read_current(check, reader, key, &current);
    if (status != LST_OK && status != LST_ERR_NOT_FOUND) {
        return status;
    }
    if (status == LST_ERR_NOT_FOUND || current.order <= order) {
        lst_check_report(check, key, "a version is newer than the current one");
    }
    status = read_null_order(check, reader, key, &null_order);
    if (status != LST_OK) {
        return status;
    }
    if (lst_version_is_null(row.version) && null_order != order) {
        lst_check_report(check, key, "the null version can't be found");
    }
    return row.form == LST_FORM_OBJECT ? check_object(check, reader, key, &row) : LST_OK;
}

static int check_null(struct lst_check *check, struct lst_index_reader *reader,
                      struct lst_slice null_name, struct lst_slice value)
{
    struct lst_key_room room;
    struct lst_slice key = lst_check_key_of(null_name, &room);
    struct lst_row_name name;
    struct lst_slice version;
    uint64_t order;
    int status = lst_row_number_decode(value, &order);

    if (status == LST_OK) {
        lst_row_name_make_version(&name, key, order);
        status = lst_check_get(check, reader, &name, &version);
    }
    if (status == LST_ERR_NOT_FOUND || status == LST_ERR_CORRUPT ||
        (status == LST_OK && !lst_version_is_null(lst_object_row_peek(version)))) {
        lst_check_report(check, key, "the null version is not where it should be");
        return LST_OK;
    }
    return status;
}

/* ---- Uploads */

static int add_unfinished(struct lst_check *check, struct lst_slice upload_id)
{
    int status = lst_check_add_id(&check->uploads, upload_id);

    return status == LST_OK ? lst_check_add_id(&check->unfinished, upload_id) : status;
}

static int check_upload(struct lst_check *check, struct lst_slice name, struct lst_slice value)
{
    struct lst_object_row row;
    struct lst_key_room room;
    struct lst_slice suffix;
    struct lst_slice key;
    int status = lst_object_row_decode(value, &row);

    if (lst_row_name_split(name, LST_ROW_UPLOAD_ID_SIZE, &room, &key, &suffix) != LST_OK) {
        lst_check_report(check, lst_check_key_of(name, &room), "the row of an upload is damaged");
        return LST_OK;
    }
    if (status != LST_OK || row.form != LST_FORM_UPLOAD) {
        lst_check_report_row(check, key, status, "the row of an upload is damaged");
    }
    check->census.unfinished_uploads++;
    return add_unfinished(check, suffix);
}

static int check_left(struct lst_check *check, struct lst_slice name)
{
    struct lst_key_room room;
    struct lst_slice upload_id;
    struct lst_slice key;

    if (lst_row_name_split(name, LST_ROW_UPLOAD_ID_SIZE, &room, &key, &upload_id) != LST_OK) {
        lst_check_report(check, lst_check_key_of(name, &room),
                         "the row of an upload that was left is damaged");
        return LST_OK;
    }
    return add_unfinished(check, upload_id);
}

/* ---- Any */

int lst_check_row(struct lst_check *check, struct lst_index_reader *reader, struct lst_slice name,
                  struct lst_slice value)
{
    struct lst_bucket_state state;

    switch (name.bytes[0]) {
    case LST_ROW_OBJECT:
    case LST_ROW_MARKER:
        return check_current(check, reader, name, value);
    case LST_ROW_VERSION:
        return check_version(check, reader, name, value);
    case LST_ROW_NULL:
        return check_null(check, reader, name, value);
    case LST_ROW_UPLOAD:
        return check_upload(check, name, value);
    case LST_ROW_PART:
        return lst_check_part_row(check, reader, name, value);
    case LST_ROW_LEFT:
        return check_left(check, name);
    case LST_ROW_BLOB:
        return check_blob(check, name);
    case LST_ROW_GARBAGE:
        return check_garbage(check, name);
    case LST_ROW_STATE:
        if (lst_bucket_state_decode(value, &state) != LST_OK) {
            lst_check_report(check, nothing, "the bucket's state is damaged");
        }
        return LST_OK;
    case LST_ROW_SETTING:
    case LST_ROW_USAGE:
        return LST_OK;
    default:
        lst_check_report(check, name, "a row of an unknown kind");
        return LST_OK;
    }
}
