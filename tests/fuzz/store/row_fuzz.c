/* row_fuzz.c - the decoders of rows, their names and version ids: they read within bounds, and what
 * they accept the encoders give back byte for byte. */
#include "store/row_form.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void require_equal(struct lst_buffer *encoded, struct lst_slice value)
{
    require(lst_buffer_status(encoded) == LST_OK &&
            lst_slice_equal(lst_buffer_slice(encoded), value));
    lst_buffer_release(encoded);
}

static void look_at_parts(const struct lst_object_row *row)
{
    uint32_t count = lst_row_parts_count(row->parts);

    require(lst_row_parts_find(row->parts, row->size / 2) <= count);
    require(count > 0 && lst_row_parts_at(row->parts, count - 1).end == row->size);
}

/* What is told by a head alone is what is told by the whole row. */
static void try_head(struct lst_slice value, const struct lst_object_row *row)
{
    size_t length = lst_object_row_head_length(value);
    struct lst_object_row head;

    require(length > 0 && length <= value.length);
    require(lst_object_row_decode_head(lst_slice_first(value, length), &head) == LST_OK);
    require(head.form == row->form && head.size == row->size &&
            head.modified_ms == row->modified_ms && head.field_count == row->field_count &&
            lst_slice_equal(head.etag, row->etag) && lst_slice_equal(head.note, row->note) &&
            head.version.order == row->version.order);
    require(head.tag_count == 0 && head.body.length == 0 && head.parts.length == 0);
}

static void try_object(struct lst_slice value)
{
    struct lst_object_row row;
    struct lst_version version;
    struct lst_buffer encoded;

    lst_ignore_status(lst_object_row_decode_head(value, &row));
    if (lst_object_row_decode(value, &row) != LST_OK) {
        return;
    }
    version = lst_object_row_peek(value);
    require(version.order == row.version.order && version.random == row.version.random);
    if (row.parts.length > 0) {
        look_at_parts(&row);
    }
    try_head(value, &row);
    lst_buffer_init(&encoded, value.length + LST_OBJECT_ROW_OVERHEAD);
    lst_object_row_encode(&encoded, &row);
    require_equal(&encoded, value);
}

static void try_bucket(struct lst_slice value)
{
    struct lst_bucket_row row;
    struct lst_buffer encoded;

    if (lst_bucket_row_decode(value, &row) != LST_OK) {
        return;
    }
    lst_buffer_init(&encoded, value.length + 1);
    lst_bucket_row_encode(&row, &encoded);
    require_equal(&encoded, value);
}

static void try_name(struct lst_slice value)
{
    struct lst_key_room room;
    struct lst_slice key;
    struct lst_slice upload_id;
    struct lst_row_name name;
    struct lst_blob_id blob;
    uint64_t order;
    uint32_t number;

    if (value.length == 0) {
        return;
    }
    if (lst_row_name_split_key(value, &room, &key) == LST_OK) {
        lst_row_name_make_escaped(&name, value.bytes[0], key);
        require(lst_slice_equal(lst_row_name_slice(&name), value));
    }
    if (lst_row_name_split_version(value, &room, &key, &order) == LST_OK) {
        lst_row_name_make_version(&name, key, order);
        name.bytes[0] = value.bytes[0];
        require(lst_slice_equal(lst_row_name_slice(&name), value));
    }
    if (lst_row_name_split_part(value, &room, &key, &upload_id, &number) == LST_OK) {
        lst_row_name_make_part(&name, key, upload_id, number);
        name.bytes[0] = value.bytes[0];
        require(lst_slice_equal(lst_row_name_slice(&name), value));
    }
    if (lst_row_name_split_blob(value, &room, &key, &blob) == LST_OK) {
        lst_row_name_make_blob(&name, value.bytes[0], key, blob);
        require(lst_slice_equal(lst_row_name_slice(&name), value));
    }
}

static void try_text(struct lst_slice value)
{
    struct lst_bucket_state state;
    struct lst_version_id id;
    struct lst_version version;

    if (lst_version_parse(value, &version) == LST_OK) {
        lst_version_format(version, &id);
        require(lst_slice_equal(lst_version_id_slice(&id), value));
    }
    if (lst_bucket_state_decode(value, &state) == LST_OK) {
        char bytes[LST_BUCKET_STATE_SIZE];
        lst_bucket_state_encode(&state, bytes);
        require(lst_slice_equal(lst_slice_make(bytes, sizeof(bytes)), value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct lst_slice value = lst_slice_make(bytes, size);

    try_object(value);
    try_bucket(value);
    try_name(value);
    try_text(value);
    return 0;
}
