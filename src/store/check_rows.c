/* check_rows.c - hold the rows of a bucket against each other. */
#include "store/check.h"

static const struct lst_slice nothing = {NULL, 0};

/* ---- Blobs */

int lst_check_blob_row(const struct lst_check *check, struct lst_index_reader *reader,
                       struct lst_slice owner, struct lst_blob_id blob, bool *ret_has)
{
    struct lst_row_name name;
    struct lst_slice value;
    int status;

    lst_row_name_make_blob(&name, LST_ROW_BLOB, blob);
    status = lst_check_get(check, reader, &name, &value);
    /* Versions before wrote an object's key alone. */
    *ret_has = status == LST_OK &&
               (lst_slice_equal(value, owner) || lst_slice_equal(value, lst_slice_after(owner, 1)));
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

static bool has_blob(struct lst_slice value, struct lst_blob_id blob)
{
    struct lst_object_row row;

    return lst_object_row_decode(value, &row) == LST_OK && row.blob.generation == blob.generation &&
           row.blob.number == blob.number;
}

static int current_has_blob(const struct lst_check *check, struct lst_index_reader *reader,
                            struct lst_slice key, struct lst_blob_id blob, bool *ret_has)
{
    struct lst_row_name name;
    struct lst_slice value;
    int status;

    lst_row_name_make(&name, LST_ROW_OBJECT, key);
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

/* Whether the row that is named as the blob's owner has it. */
static int owner_has_blob(const struct lst_check *check, struct lst_index_reader *reader,
                          struct lst_slice owner, struct lst_blob_id blob, bool *ret_has)
{
    struct lst_slice value;
    int status = LST_OK;

    *ret_has = false;
    if (owner.length > 1 && owner.bytes[0] == LST_ROW_OBJECT) {
        status = key_has_blob(check, reader, lst_slice_after(owner, 1), blob, ret_has);
    } else if (owner.length > 1 && owner.bytes[0] == LST_ROW_PART) {
        status = lst_index_get(reader, check->partition, owner, &value);
        status = status == LST_ERR_CORRUPT && value.bytes != NULL ? LST_OK : status;
        *ret_has = status == LST_OK && has_blob(value, blob);
    }
    if ((status == LST_OK || status == LST_ERR_NOT_FOUND) && !*ret_has) {
        status =
            key_has_blob(check, reader, owner, blob, ret_has); /* as versions before wrote it */
    }
    return status;
}

static int check_blob(struct lst_check *check, struct lst_slice name, struct lst_slice owner)
{
    struct lst_blob_id blob;
    int status;

    if (lst_row_blob_id_decode(name, &blob) != LST_OK) {
        lst_check_report(check, owner, "a blob's row is damaged");
        return LST_OK;
    }
    status = lst_blob_list_add(&check->known, blob);
    return status == LST_OK ? lst_blob_list_add(&check->blobs, blob) : status;
}

/* A blob that no row was seen to have: things may have changed meanwhile, so all of it is read
 * again, and the blob's own row, which goes when its owner lets go of it, last. */
static int check_unused(struct lst_check *check, struct lst_index_reader *reader,
                        struct lst_blob_id blob)
{
    struct lst_row_name name;
    struct lst_slice owner;
    struct lst_slice now;
    bool has = false;
    int status;

    lst_row_name_make_blob(&name, LST_ROW_BLOB, blob);
    status = lst_check_get(check, reader, &name, &owner);
    if (status == LST_OK) {
        status = owner_has_blob(check, reader, owner, blob, &has);
    }
    if (status == LST_OK && !has) {
        status = lst_check_get(check, reader, &name, &now);
        if (status == LST_OK && lst_slice_equal(owner, now)) {
            lst_check_report(check, lst_slice_after(owner, 1),
                             "a blob's row names an object that does not have it");
        }
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

int lst_check_unused_blobs(struct lst_check *check)
{
    int status = LST_OK;

    lst_blob_list_sort(&check->used);
    for (size_t i = 0; i < check->blobs.count && status == LST_OK; i++) {
        struct lst_index_reader *reader;
        if (lst_blob_list_has(&check->used, check->blobs.ids[i])) {
            continue;
        }
        status = lst_index_read_begin(check->store->index, &reader);
        if (status == LST_OK) {
            status = check_unused(check, reader, check->blobs.ids[i]);
            lst_index_read_end(reader);
        }
    }
    return status;
}

static int check_garbage(struct lst_check *check, struct lst_slice name)
{
    struct lst_blob_id blob;

    if (lst_row_blob_id_decode(name, &blob) != LST_OK) {
        lst_check_report(check, nothing, "a garbage row is damaged");
        return LST_OK;
    }
    return lst_blob_list_add(&check->known, blob);
}

/* ---- Versions */

/* An object, current or not: its body. */
static int check_object(struct lst_check *check, struct lst_index_reader *reader,
                        struct lst_slice key, const struct lst_object_row *row)
{
    struct lst_row_name owner;
    bool has_row = true;
    int status = LST_OK;

    check->census.objects++;
    check->census.bytes += row->size;
    if (row->parts.length > 0) {
        return lst_check_object_parts(check, reader, key, row);
    }
    if (!row->is_inline) {
        lst_row_name_make(&owner, LST_ROW_OBJECT, key);
        status = lst_check_blob_row(check, reader, lst_row_name_slice(&owner), row->blob, &has_row);
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
    struct lst_slice key = lst_slice_after(name, 1);
    struct lst_object_row row;
    struct lst_row_name other;
    struct lst_slice ignored;
    int status;

    if (lst_object_row_decode(value, &row) != LST_OK ||
        row.form != (is_marker ? LST_FORM_MARKER : LST_FORM_OBJECT)) {
        check->census.objects += is_marker ? 0 : 1;
        lst_check_report(check, key, "the object's row is damaged");
        return LST_OK;
    }
    if (!is_marker) {
        return check_object(check, reader, key, &row);
    }
    lst_row_name_make(&other, LST_ROW_OBJECT, key);
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
        lst_row_name_make(&name, kinds[i], key);
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
    lst_row_name_make(&name, LST_ROW_NULL, key);
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
    struct lst_key_copy copy;
    struct lst_slice key;
    uint64_t order;
    uint64_t null_order = 0;
    int status;

    if (lst_row_name_split_version(name, &copy, &order) != LST_OK ||
        lst_object_row_decode(value, &row) != LST_OK || row.form == LST_FORM_UPLOAD ||
        row.version.order != order) {
        lst_check_report(check, lst_slice_after(name, 1), "the row of a version is damaged");
        return LST_OK;
    }
    key = lst_key_copy_slice(&copy);
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
                      struct lst_slice key, struct lst_slice value)
{
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
    struct lst_key_copy key;
    struct lst_slice suffix;

    if (lst_row_name_split(name, LST_ROW_UPLOAD_ID_SIZE, &key, &suffix) != LST_OK) {
        lst_check_report(check, lst_slice_after(name, 1), "the row of an upload is damaged");
        return LST_OK;
    }
    if (lst_object_row_decode(value, &row) != LST_OK || row.form != LST_FORM_UPLOAD) {
        lst_check_report(check, lst_key_copy_slice(&key), "the row of an upload is damaged");
    }
    check->census.unfinished_uploads++;
    return add_unfinished(check, suffix);
}

static int check_left(struct lst_check *check, struct lst_slice upload_id)
{
    if (upload_id.length != LST_ROW_UPLOAD_ID_SIZE) {
        lst_check_report(check, nothing, "the row of an upload that was left is damaged");
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
        return check_null(check, reader, lst_slice_after(name, 1), value);
    case LST_ROW_UPLOAD:
        return check_upload(check, name, value);
    case LST_ROW_PART:
        return lst_check_part_row(check, reader, name, value);
    case LST_ROW_LEFT:
        return check_left(check, lst_slice_after(name, 1));
    case LST_ROW_BLOB:
        return check_blob(check, name, value);
    case LST_ROW_GARBAGE:
        return check_garbage(check, name);
    case LST_ROW_STATE:
        if (lst_bucket_state_parse(value, &state) != LST_OK) {
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
