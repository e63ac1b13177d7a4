/* object.c - open an object to read it. */
#include "store/head.h"
#include "store/parts.h"

/* An object may be overwritten between the look at its row and the opening of its blob, or the
 * pinning of its parts; then look again. */
enum { OPEN_ATTEMPTS = 16 };

/* One attempt. */
struct opening {
    struct lst_store *store;
    const struct lst_object_name *name;
    struct lst_index_reader *reader;
    uint64_t partition;
    struct lst_object_row row;
    struct lst_version_id shown;
};

static int find_row(const struct opening *opening, struct lst_found_row *ret_found)
{
    const struct lst_object_name *name = opening->name;
    struct lst_key_place place = {opening->store, opening->reader, opening->partition, name->key};
    struct lst_version version;
    struct lst_found_row head;
    bool is_key = name->key.length > 0 && name->key.length <= LST_STORE_KEY_MAX;
    unsigned repeats = 0;
    int status = LST_OK;

    if (name->version.length > 0) {
        status = lst_version_parse(name->version, &version);
    }
    if (status != LST_OK) {
        return status;
    }
    if (!is_key) {
        return name->version.length > 0 ? LST_ERR_VERSION_NOT_FOUND : LST_ERR_KEY_NOT_FOUND;
    }
    ret_found->kind = 0;
    do {
        status = lst_head_read(&place, &head);
        if (status == LST_OK && name->version.length > 0) {
            status = lst_version_read(&place, &head, version, ret_found);
        }
    } while (lst_store_reads_again(&status, &repeats));
    if (name->version.length > 0) {
        return status == LST_OK && ret_found->kind == 0 ? LST_ERR_VERSION_NOT_FOUND : status;
    }
    *ret_found = head;
    return status == LST_OK && head.kind == 0 ? LST_ERR_KEY_NOT_FOUND : status;
}

/* The id of the version, unless the bucket was never versioned. */
static int find_shown_id(struct opening *opening)
{
    struct lst_bucket_state state = {.versioning = LST_VERSIONING_ENABLED};
    int status = LST_OK;

    opening->shown.length = 0;
    if (lst_version_is_null(opening->row.version)) {
        struct lst_key_place place = {opening->store, opening->reader, opening->partition,
                                      opening->name->key};
        status = lst_head_read_key_state(&place, false, &state);
    }
    if (status == LST_OK && state.versioning != LST_VERSIONING_NEVER) {
        lst_version_format(opening->row.version, &opening->shown);
    }
    return status;
}

/* Read the row. On success, and if it is of a delete marker, opening->row is filled. */
static int read_row(struct opening *opening)
{
    struct lst_found_row found;
    int status = find_row(opening, &found);

    opening->row.form = LST_FORM_OBJECT;
    if (status == LST_OK) {
        status = lst_object_row_decode(found.value, &opening->row);
    }
    if (status == LST_OK) {
        status = find_shown_id(opening);
    }
    if (status != LST_OK || opening->row.form == LST_FORM_OBJECT) {
        return status;
    }
    if (opening->row.form != LST_FORM_MARKER) {
        return LST_ERR_CORRUPT;
    }
    return opening->name->version.length > 0 ? LST_ERR_DELETE_MARKER : LST_ERR_KEY_NOT_FOUND;
}

static int begin(struct opening *opening)
{
    int status = lst_store_read_bucket(opening->store, opening->name->bucket, &opening->reader,
                                       &opening->partition);

    opening->row.form = LST_FORM_OBJECT;
    if (status != LST_OK) {
        return status;
    }
    status = read_row(opening);
    if (status != LST_OK) {
        lst_index_read_end(opening->reader);
    }
    return status;
}

/*
 * Pin the parts of the object that was read. A pin counts for what is read after it, so then the
 * row is read again. LST_ERR_NOT_FOUND: it has other parts by now. On failure the reader is ended.
 */
static int pin_parts(struct opening *opening)
{
    char id[LST_ROW_UPLOAD_ID_SIZE];
    struct lst_slice pinned;
    int status;

    memcpy(id, opening->row.parts.bytes, sizeof(id));
    pinned = lst_slice_make(id, sizeof(id));
    lst_index_read_end(opening->reader);
    status = lst_pins_add(&opening->store->pins, pinned);
    if (status != LST_OK) {
        return status;
    }
    status = begin(opening);
    if (status == LST_OK && !lst_slice_equal(lst_row_parts_upload(opening->row.parts), pinned)) {
        lst_index_read_end(opening->reader);
        status = LST_ERR_NOT_FOUND;
    }
    if (status != LST_OK) {
        lst_store_unpin(opening->store, opening->partition, opening->name->key, pinned);
    }
    return status;
}

static void show(const struct opening *opening, struct lst_object *ret_object)
{
    const struct lst_object_row *row = &opening->row;

    ret_object->size = row->size;
    ret_object->modified_ms = row->modified_ms;
    ret_object->etag = row->etag;
    ret_object->version = opening->shown;
    ret_object->is_marker = false;
    memcpy(ret_object->fields, row->fields, row->field_count * sizeof(row->fields[0]));
    ret_object->field_count = row->field_count;
    memcpy(ret_object->tags, row->tags, row->tag_count * sizeof(row->tags[0]));
    ret_object->tag_count = row->tag_count;
    ret_object->part_count = lst_object_row_is_in_parts(row) ? lst_row_parts_count(row->parts) : 0;
    ret_object->is_inline = row->is_inline;
    ret_object->body = row->body;
    ret_object->store = opening->store;
    ret_object->partition = opening->partition;
    ret_object->reader = opening->reader;
    ret_object->blob = NULL;
    ret_object->blob_id = row->blob;
    ret_object->key = opening->name->key;
    ret_object->parts = row->parts;
    ret_object->is_pinned = false;
}

/* LST_ERR_NOT_FOUND: the row's blob is not there. */
static int open_once(struct opening *opening, bool with_body, struct lst_object *ret_object)
{
    struct lst_blob_reader *blob = NULL;
    bool is_pinned = false;
    int status = begin(opening);

    if (status == LST_OK && opening->row.parts.length > 0) {
        status = pin_parts(opening);
        is_pinned = status == LST_OK;
    } else if (status == LST_OK && with_body && !opening->row.is_inline) {
        status = lst_body_open(opening->store, opening->row.blob, opening->row.size, &blob);
        if (status != LST_OK) {
            lst_index_read_end(opening->reader);
        }
    }
    if (status == LST_OK) {
        show(opening, ret_object);
        ret_object->blob = blob;
        ret_object->is_pinned = is_pinned;
    }
    return status;
}

int lst_object_open(struct lst_store *store, const struct lst_object_name *name, bool with_body,
                    struct lst_object *ret_object)
{
    struct opening opening = {.store = store, .name = name};
    int status = LST_ERR_NOT_FOUND;

    for (int i = 0; i < OPEN_ATTEMPTS && status == LST_ERR_NOT_FOUND; i++) {
        status = open_once(&opening, with_body, ret_object);
    }
    if (status == LST_ERR_KEY_NOT_FOUND || status == LST_ERR_DELETE_MARKER) {
        ret_object->is_marker = opening.row.form == LST_FORM_MARKER;
        ret_object->version = (struct lst_version_id){0};
        ret_object->modified_ms = 0;
        if (ret_object->is_marker) {
            ret_object->version = opening.shown;
            ret_object->modified_ms = opening.row.modified_ms;
        }
    }
    return status == LST_ERR_NOT_FOUND ? LST_ERR_CORRUPT : status;
}

void lst_object_close(struct lst_object *object)
{
    lst_blob_close(object->blob);
    if (object->is_pinned) {
        lst_store_unpin(object->store, object->partition, object->key,
                        lst_row_parts_upload(object->parts));
    }
    lst_index_read_end(object->reader);
    object->blob = NULL;
    object->reader = NULL;
    object->is_pinned = false;
}
