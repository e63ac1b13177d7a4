/*
 * row_object.c - the rows of objects.
 *
 * stamp (16), version (1), size (8), modified (8), then sections in ascending order of their tags,
 * each a tag (1), a length (4) and so many bytes. A later version adds sections.
 */
#include "store/row.h"

enum {
    OBJECT_VERSION = 1,
    HEADER_SIZE = LST_ROW_STAMP_SIZE + 1 + 8 + 8,
    SECTION_HEADER_SIZE = 1 + 4,

    SECTION_ETAG = 1,
    SECTION_FIELDS = 2, /* for each: length of name (2), of value (2), name, value */
    SECTION_INLINE = 3,
    SECTION_BLOB = 4,
};

static void put_number(char *out, uint64_t number, size_t size)
{
    for (size_t i = size; i-- > 0;) {
        out[i] = (char)(uint8_t)number;
        number >>= 8;
    }
}

static uint64_t get_number(const char *bytes, size_t size)
{
    uint64_t number = 0;

    for (size_t i = 0; i < size; i++) {
        number = number << 8 | (uint8_t)bytes[i];
    }
    return number;
}

/* ---- Encoding */

static void append_number(struct lst_buffer *value, uint64_t number, size_t size)
{
    char *room = lst_buffer_reserve(value, size);

    if (room != NULL) {
        put_number(room, number, size);
        value->length += size;
    }
}

static void append_section(struct lst_buffer *value, uint8_t tag, size_t length)
{
    append_number(value, tag, 1);
    append_number(value, length, 4);
}

/* The length of the section that ends the value and whose content begins here. */
static void close_section(struct lst_buffer *value, size_t content_start)
{
    if (lst_buffer_status(value) == LST_OK) {
        put_number(value->bytes + content_start - 4, value->length - content_start, 4);
    }
}

void lst_object_row_begin(struct lst_buffer *value, const struct lst_field *fields,
                          size_t field_count)
{
    static const char zeros[HEADER_SIZE];
    size_t start;

    lst_buffer_append(value, lst_slice_make(zeros, HEADER_SIZE));
    append_section(value, SECTION_ETAG, LST_ROW_ETAG_LENGTH);
    lst_buffer_append(value, lst_slice_make(zeros, LST_ROW_ETAG_LENGTH));
    if (field_count == 0) {
        return;
    }
    append_section(value, SECTION_FIELDS, 0);
    start = value->length;
    for (size_t i = 0; i < field_count; i++) {
        append_number(value, fields[i].name.length, 2);
        append_number(value, fields[i].value.length, 2);
        lst_buffer_append(value, fields[i].name);
        lst_buffer_append(value, fields[i].value);
    }
    close_section(value, start);
}

size_t lst_object_row_begin_body(struct lst_buffer *value)
{
    append_section(value, SECTION_INLINE, 0);
    return value->length;
}

void lst_object_row_end_body(struct lst_buffer *value, size_t body_start)
{
    close_section(value, body_start);
}

void lst_object_row_drop_body(struct lst_buffer *value, size_t body_start)
{
    value->length = body_start - SECTION_HEADER_SIZE;
}

void lst_object_row_append_blob(struct lst_buffer *value, struct lst_blob_id id)
{
    char bytes[LST_ROW_BLOB_ID_SIZE];

    lst_row_blob_id_encode(id, bytes);
    append_section(value, SECTION_BLOB, sizeof(bytes));
    lst_buffer_append(value, lst_slice_make(bytes, sizeof(bytes)));
}

void lst_object_row_seal(struct lst_buffer *value, const struct lst_object_row *row)
{
    char *header = value->bytes;

    if (lst_buffer_status(value) != LST_OK) {
        return;
    }
    memcpy(header, row->stamp, LST_ROW_STAMP_SIZE);
    header += LST_ROW_STAMP_SIZE;
    *header++ = OBJECT_VERSION;
    put_number(header, row->size, 8);
    put_number(header + 8, (uint64_t)row->modified_ms, 8);
    memcpy(header + 16 + SECTION_HEADER_SIZE, row->etag.bytes, LST_ROW_ETAG_LENGTH);
}

/* ---- Decoding */

static bool is_etag(struct lst_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        char digit = text.bytes[i];
        if (!(digit >= '0' && digit <= '9') && !(digit >= 'a' && digit <= 'f')) {
            return false;
        }
    }
    return text.length == LST_ROW_ETAG_LENGTH;
}

static bool decode_fields(struct lst_slice content, struct lst_object_row *row)
{
    while (content.length > 0) {
        size_t name_length;
        size_t value_length;
        if (content.length < 4 || row->field_count == LST_STORE_FIELDS_MAX) {
            return false;
        }
        name_length = (size_t)get_number(content.bytes, 2);
        value_length = (size_t)get_number(content.bytes + 2, 2);
        content = lst_slice_after(content, 4);
        if (name_length == 0 || name_length + value_length > content.length) {
            return false;
        }
        row->fields[row->field_count++] =
            (struct lst_field){lst_slice_make(content.bytes, name_length),
                               lst_slice_make(content.bytes + name_length, value_length)};
        content = lst_slice_after(content, name_length + value_length);
    }
    return row->field_count > 0;
}

static bool decode_section(uint8_t tag, struct lst_slice content, struct lst_object_row *row)
{
    switch (tag) {
    case SECTION_ETAG:
        row->etag = content;
        return is_etag(content);
    case SECTION_FIELDS:
        return decode_fields(content, row);
    case SECTION_INLINE:
        row->is_inline = true;
        row->body = content;
        return content.length == row->size && content.length <= LST_STORE_INLINE_MAX;
    case SECTION_BLOB:
        if (content.length != LST_ROW_BLOB_ID_SIZE || row->is_inline) {
            return false;
        }
        row->blob.generation = get_number(content.bytes, 8);
        row->blob.number = get_number(content.bytes + 8, 8);
        return row->blob.generation != 0;
    default:
        return false;
    }
}

static bool decode_sections(struct lst_slice rest, struct lst_object_row *row)
{
    uint8_t last_tag = 0;

    while (rest.length > 0) {
        uint8_t tag;
        size_t length;
        if (rest.bytes == NULL || rest.length < SECTION_HEADER_SIZE) {
            return false;
        }
        tag = (uint8_t)rest.bytes[0];
        length = (size_t)get_number(rest.bytes + 1, 4);
        rest = lst_slice_after(rest, SECTION_HEADER_SIZE);
        if (tag <= last_tag || length > rest.length ||
            !decode_section(tag, lst_slice_first(rest, length), row)) {
            return false;
        }
        last_tag = tag;
        rest = lst_slice_after(rest, length);
    }
    return row->etag.length > 0 && (row->is_inline || row->blob.generation != 0);
}

int lst_object_row_decode(struct lst_slice value, struct lst_object_row *ret_row)
{
    const char *header = value.bytes;

    if (value.length < HEADER_SIZE || header[LST_ROW_STAMP_SIZE] != OBJECT_VERSION) {
        return LST_ERR_CORRUPT;
    }
    memcpy(ret_row->stamp, header, LST_ROW_STAMP_SIZE);
    header += LST_ROW_STAMP_SIZE + 1;
    ret_row->size = get_number(header, 8);
    ret_row->modified_ms = (int64_t)get_number(header + 8, 8);
    ret_row->etag = lst_slice_make(NULL, 0);
    ret_row->field_count = 0;
    ret_row->is_inline = false;
    ret_row->body = lst_slice_make(NULL, 0);
    ret_row->blob = (struct lst_blob_id){0};
    if (ret_row->size > INT64_MAX || ret_row->modified_ms < 0 ||
        !decode_sections(lst_slice_after(value, HEADER_SIZE), ret_row)) {
        return LST_ERR_CORRUPT;
    }
    return LST_OK;
}
