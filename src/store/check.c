/* check.c - hold the rows of a store against each other and against the blobs. */
#include "store/check.h"

#include <stdlib.h>

/* What a visit gives to end a walk early. */
enum { ENOUGH = 1 };

void lst_check_report(struct lst_check *check, struct lst_slice key, const char *text)
{
    struct lst_store_fault fault = {check->bucket, key, text};

    check->census.faults++;
    check->report(check->context, &fault);
}

/* ---- Rows */

static int get_row(struct lst_check *check, struct lst_index_reader *reader, char kind,
                   struct lst_slice rest, struct lst_slice *ret_value)
{
    struct lst_row_name name;

    lst_row_name_make(&name, kind, rest);
    return lst_index_get(reader, check->partition, lst_row_name_slice(&name), ret_value);
}

/* Whether the object's blob has its own row, which names the object. */
static int has_blob_row(struct lst_check *check, struct lst_index_reader *reader,
                        struct lst_slice key, struct lst_blob_id blob, bool *ret_has)
{
    char id[LST_ROW_BLOB_ID_SIZE];
    struct lst_slice owner;
    int status;

    lst_row_blob_id_encode(blob, id);
    status = get_row(check, reader, LST_ROW_BLOB, lst_slice_make(id, sizeof(id)), &owner);
    *ret_has = status == LST_OK && lst_slice_equal(owner, key);
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
}

static int check_object(struct lst_check *check, struct lst_index_reader *reader,
                        struct lst_slice key, struct lst_slice value)
{
    struct lst_object_row row;
    bool has_row = true;
    int status = LST_OK;

    check->census.objects++;
    if (lst_object_row_decode(value, &row) != LST_OK) {
        lst_check_report(check, key, "the object's row is damaged");
        return LST_OK;
    }
    check->census.bytes += row.size;
    if (!row.is_inline) {
        status = has_blob_row(check, reader, key, row.blob, &has_row);
    }
    if (status == LST_OK && !has_row) {
        lst_check_report(check, key, "the object's blob has no row");
    }
    return status;
}

static int check_blob(struct lst_check *check, struct lst_index_reader *reader,
                      struct lst_slice name, struct lst_slice key)
{
    struct lst_object_row row;
    struct lst_blob_id blob;
    struct lst_slice value;
    int status;

    if (lst_row_blob_id_decode(name, &blob) != LST_OK) {
        lst_check_report(check, key, "a blob's row is damaged");
        return LST_OK;
    }
    status = get_row(check, reader, LST_ROW_OBJECT, key, &value);
    if (status != LST_OK && status != LST_ERR_NOT_FOUND) {
        return status;
    }
    if (status == LST_ERR_NOT_FOUND || lst_object_row_decode(value, &row) != LST_OK ||
        row.is_inline || row.blob.generation != blob.generation || row.blob.number != blob.number) {
        lst_check_report(check, key, "a blob's row names an object that does not have it");
    }
    return lst_blob_list_add(&check->known, blob);
}

static int check_garbage(struct lst_check *check, struct lst_slice name)
{
    struct lst_blob_id blob;

    if (lst_row_blob_id_decode(name, &blob) != LST_OK) {
        lst_check_report(check, lst_slice_make(NULL, 0), "a garbage row is damaged");
        return LST_OK;
    }
    return lst_blob_list_add(&check->known, blob);
}

/* Hold one row against the others of its snapshot. */
static int check_row(struct lst_check *check, struct lst_index_reader *reader,
                     struct lst_slice name, struct lst_slice value)
{
    switch (name.bytes[0]) {
    case LST_ROW_OBJECT:
        return check_object(check, reader, lst_slice_after(name, 1), value);
    case LST_ROW_BLOB:
        return check_blob(check, reader, name, value);
    case LST_ROW_GARBAGE:
        return check_garbage(check, name);
    case LST_ROW_STATE:
        return LST_OK;
    default:
        lst_check_report(check, name, "a row of an unknown kind");
        return LST_OK;
    }
}

/* Find the first row from row_name on, check it, and copy it. */
static int take_row(struct lst_check *check)
{
    struct lst_index_reader *reader;
    struct lst_slice name;
    struct lst_slice value;
    int status = lst_index_read_begin(check->store->index, &reader);

    if (status != LST_OK) {
        return status;
    }
    status =
        lst_index_seek(reader, check->partition, lst_buffer_slice(&check->row_name), &name, &value);
    if (status == LST_OK) {
        lst_buffer_clear(&check->row_name);
        lst_buffer_clear(&check->row_value);
        lst_buffer_append(&check->row_name, name);
        lst_buffer_append(&check->row_value, value);
        status = lst_buffer_status(&check->row_name);
    }
    if (status == LST_OK) {
        status = lst_buffer_status(&check->row_value);
    }
    if (status == LST_OK) {
        status = check_row(check, reader, lst_buffer_slice(&check->row_name), value);
    }
    lst_index_read_end(reader);
    return status;
}

/* The body of the row that was taken, if it is an object's. Its blob may take long to read, so no
 * snapshot is kept meanwhile. */
static int check_taken_body(struct lst_check *check)
{
    struct lst_slice name = lst_buffer_slice(&check->row_name);
    struct lst_object_row row;

    if (name.bytes[0] != LST_ROW_OBJECT ||
        lst_object_row_decode(lst_buffer_slice(&check->row_value), &row) != LST_OK) {
        return LST_OK;
    }
    return lst_check_body(check, lst_slice_after(name, 1), &row);
}

static int check_bucket(struct lst_check *check)
{
    int status = LST_OK;

    lst_buffer_clear(&check->row_name);
    while (status == LST_OK) {
        status = take_row(check);
        if (status == LST_OK) {
            status = check_taken_body(check);
        }
        lst_buffer_append_byte(&check->row_name, '\0');
    }
    return status == LST_ERR_NOT_FOUND ? LST_OK : status;
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
    return ENOUGH;
}

/* Go on to the bucket behind the one that was last. ENOUGH: there is one. */
static int next_bucket(struct lst_check *check)
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
    return status;
}

static int run(struct lst_check *check)
{
    int status;

    while ((status = next_bucket(check)) == ENOUGH) {
        check->census.buckets++;
        status = check_bucket(check);
        if (status != LST_OK) {
            return status;
        }
    }
    return status == LST_OK ? lst_check_orphans(check) : status;
}

int lst_store_check(struct lst_store *store,
                    void (*report)(void *context, const struct lst_store_fault *fault),
                    void *context, struct lst_store_census *ret_census)
{
    struct lst_check check = {.store = store, .report = report, .context = context};
    int status;

    lst_buffer_init(&check.row_name, LST_INDEX_KEY_MAX + 1);
    lst_buffer_init(&check.row_value, LST_INDEX_VALUE_MAX);
    status = run(&check);
    lst_buffer_release(&check.row_name);
    lst_buffer_release(&check.row_value);
    free(check.known.ids);
    if (status == LST_OK) {
        *ret_census = check.census;
    }
    return status;
}
