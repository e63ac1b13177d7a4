/* row_encode.c - the rows of objects, markers, uploads and parts: writing them. */
#include "store/row_form.h"

static void put_number(char *out, uint64_t number, size_t size)
{
    for (size_t i = size; i-- > 0;) {
        out[i] = (char)(uint8_t)number;
        number >>= 8;
    }
}

static void append_number(struct lst_buffer *value, uint64_t number, size_t size)
{
    char *room = lst_buffer_reserve(value, size);

    if (room != NULL) {
        put_number(room, number, size);
        value->length += size;
    }
}

static void append_section_header(struct lst_buffer *value, uint8_t tag, size_t length)
{
    append_number(value, tag, 1);
    append_number(value, length, 4);
}

/* Nothing if there is no content. */
static void append_section(struct lst_buffer *value, uint8_t tag, struct lst_slice content)
{
    if (content.length > 0) {
        append_section_header(value, tag, content.length);
        lst_buffer_append(value, content);
    }
}

/* The length of the section that ends the value and whose content begins here. */
static void close_section(struct lst_buffer *value, size_t content_start)
{
    if (lst_buffer_status(value) == LST_OK) {
        put_number(value->bytes + content_start - 4, value->length - content_start, 4);
    }
}

static void append_fields(struct lst_buffer *value, uint8_t tag, const struct lst_field *fields,
                          size_t field_count)
{
    size_t start;

    if (field_count == 0) {
        return;
    }
    append_section_header(value, tag, 0);
    start = value->length;
    for (size_t i = 0; i < field_count; i++) {
        append_number(value, fields[i].name.length, 2);
        append_number(value, fields[i].value.length, 2);
        lst_buffer_append(value, fields[i].name);
        lst_buffer_append(value, fields[i].value);
    }
    close_section(value, start);
}

void lst_object_row_begin(struct lst_buffer *value, const struct lst_field *fields,
                          size_t field_count)
{
    static const char zeros[LST_ROW_HEADER_SIZE];

    lst_buffer_append(value, lst_slice_make(zeros, LST_ROW_HEADER_SIZE));
    append_section_header(value, LST_SECTION_ETAG, LST_ROW_MD5_LENGTH);
    lst_buffer_append(value, lst_slice_make(zeros, LST_ROW_MD5_LENGTH));
    append_fields(value, LST_SECTION_FIELDS, fields, field_count);
}

/* Make room for an ETag of another length than begin() left room for. */
static void fit_etag(struct lst_buffer *value, size_t length)
{
    size_t old_size = LST_SECTION_HEADER_SIZE + LST_ROW_MD5_LENGTH;
    size_t size = length == 0 ? 0 : LST_SECTION_HEADER_SIZE + length;
    size_t rest = LST_ROW_HEADER_SIZE + old_size;

    if (lst_buffer_status(value) != LST_OK || size == old_size ||
        (size > old_size && lst_buffer_reserve(value, size - old_size) == NULL)) {
        return;
    }
    memmove(value->bytes + LST_ROW_HEADER_SIZE + size, value->bytes + rest, value->length - rest);
    value->length = value->length - old_size + size;
}

static void append_blob(struct lst_buffer *value, struct lst_blob_id id)
{
    char bytes[LST_ROW_BLOB_ID_SIZE];

    if (id.generation != 0) {
        lst_row_blob_id_encode(id, bytes);
        append_section(value, LST_SECTION_BLOB, lst_slice_make(bytes, sizeof(bytes)));
    }
}

static void end_head(struct lst_buffer *value, const struct lst_object_row *row)
{
    fit_etag(value, row->etag.length);
    append_blob(value, row->blob);
    append_fields(value, LST_SECTION_LATE_FIELDS,
                  row->fields + row->field_count - row->late_field_count, row->late_field_count);
    if (row->form == LST_FORM_MARKER) {
        append_section_header(value, LST_SECTION_MARKER, 0);
    }
    append_section(value, LST_SECTION_NOTE, row->note);
    lst_buffer_append(value, row->unknown_head);
}

static void append_rest(struct lst_buffer *value, const struct lst_object_row *row)
{
    if (row->is_inline) {
        append_section_header(value, LST_SECTION_INLINE, row->body.length);
        lst_buffer_append(value, row->body);
    }
    append_fields(value, LST_SECTION_TAGS, row->tags, row->tag_count);
    append_section(value, LST_SECTION_PARTS, row->parts);
    lst_buffer_append(value, row->unknown_rest);
}

void lst_object_row_end(struct lst_buffer *value, const struct lst_object_row *row)
{
    size_t head_length;
    char *header;

    end_head(value, row);
    head_length = value->length;
    append_rest(value, row);
    if (lst_buffer_status(value) != LST_OK) {
        return;
    }
    header = value->bytes;
    memcpy(header, row->stamp, LST_ROW_STAMP_SIZE);
    header[LST_ROW_FORMAT_AT] = LST_ROW_FORMAT;
    put_number(header + LST_ROW_HEAD_AT, head_length, 4);
    put_number(header + LST_ROW_SIZE_AT, row->size, 8);
    put_number(header + LST_ROW_MODIFIED_AT, (uint64_t)row->modified_ms, 8);
    if (row->etag.length > 0) {
        put_number(header + LST_ROW_HEADER_SIZE + 1, row->etag.length, 4);
        memcpy(header + LST_ROW_HEADER_SIZE + LST_SECTION_HEADER_SIZE, row->etag.bytes,
               row->etag.length);
    }
    lst_object_row_set_version(value, row->version);
}

void lst_object_row_set_version(struct lst_buffer *value, struct lst_version version)
{
    put_number(value->bytes + LST_ROW_ORDER_AT, version.order, 8);
    put_number(value->bytes + LST_ROW_RANDOM_AT, version.random, 8);
}

void lst_object_row_encode(struct lst_buffer *value, const struct lst_object_row *row)
{
    lst_object_row_begin(value, row->fields, row->field_count - row->late_field_count);
    lst_object_row_end(value, row);
}

/* ---- Parts */

void lst_row_parts_begin(struct lst_buffer *parts, struct lst_slice upload_id)
{
    lst_buffer_append(parts, upload_id);
}

void lst_row_parts_add(struct lst_buffer *parts, uint32_t number, uint64_t end)
{
    append_number(parts, number, LST_PARTS_NUMBER_SIZE);
    append_number(parts, end, LST_PARTS_END_SIZE);
}
