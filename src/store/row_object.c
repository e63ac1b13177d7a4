/* row_object.c - the rows of objects, markers, uploads and parts: reading them. */
#include "store/row_form.h"

#include "store/upload.h"

#include <endian.h>

/* Inlined: with a size that is known it is one load. */
static inline uint64_t get_number(const char *bytes, size_t size)
{
    uint64_t number = 0;
    uint32_t half;

    if (size == sizeof(number)) {
        memcpy(&number, bytes, sizeof(number));
        return be64toh(number);
    }
    if (size == sizeof(half)) {
        memcpy(&half, bytes, sizeof(half));
        return be32toh(half);
    }
    for (size_t i = 0; i < size; i++) {
        number = number << 8 | (uint8_t)bytes[i];
    }
    return number;
}

/* ---- Sections */

/* "-" and how many parts there are. */
static bool is_etag_of_parts(struct lst_slice suffix)
{
    uint64_t count;

    return suffix.length >= 2 && suffix.bytes[0] == '-' && suffix.bytes[1] != '0' &&
           lst_slice_to_number(lst_slice_after(suffix, 1), LST_PARTS_COUNT_MAX, &count);
}

static bool is_etag(struct lst_slice text)
{
    unsigned wrong = 0;

    if (text.length < LST_ROW_MD5_LENGTH) {
        return false;
    }
    /* All of them, without a branch: the compiler looks at many at once. */
    for (size_t i = 0; i < LST_ROW_MD5_LENGTH; i++) {
        uint8_t digit = (uint8_t)text.bytes[i];
        wrong |= (unsigned)((uint8_t)(digit - '0') > 9) & (unsigned)((uint8_t)(digit - 'a') > 5);
    }
    return wrong == 0 && (text.length == LST_ROW_MD5_LENGTH ||
                          is_etag_of_parts(lst_slice_after(text, LST_ROW_MD5_LENGTH)));
}

/* Add them to those that are there. */
static bool decode_fields(struct lst_slice content, struct lst_field *fields, size_t capacity,
                          size_t *count)
{
    bool any = false;

    while (content.length > 0) {
        size_t name_length;
        size_t value_length;
        if (content.length < 4 || *count == capacity) {
            return false;
        }
        name_length = (size_t)get_number(content.bytes, 2);
        value_length = (size_t)get_number(content.bytes + 2, 2);
        content = lst_slice_after(content, 4);
        if (name_length == 0 || name_length + value_length > content.length) {
            return false;
        }
        fields[(*count)++] =
            (struct lst_field){lst_slice_make(content.bytes, name_length),
                               lst_slice_make(content.bytes + name_length, value_length)};
        content = lst_slice_after(content, name_length + value_length);
        any = true;
    }
    return any;
}

/* The last part ends where the object does. The others are looked at when they are needed: a
 * listing can't read the 100 KB that they may take. */
static bool are_parts(struct lst_slice content, uint64_t size)
{
    size_t list = content.length - LST_ROW_UPLOAD_ID_SIZE;

    return content.length > LST_ROW_UPLOAD_ID_SIZE && list % LST_PARTS_ENTRY_SIZE == 0 &&
           list / LST_PARTS_ENTRY_SIZE <= LST_PARTS_COUNT_MAX &&
           lst_row_parts_at(content, lst_row_parts_count(content) - 1).end == size;
}

static bool decode_blob(struct lst_slice content, struct lst_blob_id *ret_blob)
{
    if (content.length != LST_ROW_BLOB_ID_SIZE) {
        return false;
    }
    ret_blob->generation = get_number(content.bytes, 8);
    ret_blob->number = get_number(content.bytes + 8, 8);
    return ret_blob->generation != 0;
}

/* Of a tag that is known, whether the section is what it should be. */
static bool decode_section(uint8_t tag, struct lst_slice content, struct lst_object_row *row)
{
    size_t early_count;

    switch (tag) {
    case LST_SECTION_ETAG:
        row->etag = content;
        return is_etag(content);
    case LST_SECTION_FIELDS:
        return decode_fields(content, row->fields, LST_STORE_FIELDS_MAX, &row->field_count);
    case LST_SECTION_INLINE:
        row->is_inline = true;
        row->body = content;
        return content.length == row->size && content.length <= LST_STORE_INLINE_MAX;
    case LST_SECTION_BLOB:
        return decode_blob(content, &row->blob);
    case LST_SECTION_LATE_FIELDS:
        early_count = row->field_count;
        if (!decode_fields(content, row->fields, LST_STORE_FIELDS_MAX, &row->field_count)) {
            return false;
        }
        row->late_field_count = row->field_count - early_count;
        return true;
    case LST_SECTION_TAGS:
        return decode_fields(content, row->tags, LST_STORE_TAGS_MAX, &row->tag_count);
    case LST_SECTION_PARTS:
        row->parts = content;
        return are_parts(content, row->size);
    case LST_SECTION_MARKER:
        row->form = LST_FORM_MARKER;
        return content.length == 0;
    default:
        row->note = content;
        return content.length > 0 && content.length <= LST_UPLOAD_NOTE_MAX;
    }
}

static bool is_known(uint8_t tag)
{
    return tag >= LST_SECTION_ETAG && tag <= LST_SECTION_NOTE;
}

static bool is_of_head(uint8_t tag)
{
    return tag != LST_SECTION_INLINE && tag != LST_SECTION_TAGS && tag != LST_SECTION_PARTS;
}

static inline bool take_section(struct lst_slice *rest, uint8_t *tag, struct lst_slice *ret_content)
{
    uint8_t last_tag = *tag;
    size_t length;

    if (rest->bytes == NULL || rest->length < LST_SECTION_HEADER_SIZE) {
        return false;
    }
    *tag = (uint8_t)rest->bytes[0];
    length = (size_t)get_number(rest->bytes + 1, 4);
    *rest = lst_slice_after(*rest, LST_SECTION_HEADER_SIZE);
    if (*tag <= last_tag || length > rest->length) {
        return false;
    }
    *ret_content = lst_slice_first(*rest, length);
    *rest = lst_slice_after(*rest, length);
    return true;
}

bool lst_section_take(struct lst_slice *rest, uint8_t *tag, struct lst_slice *ret_content)
{
    return take_section(rest, tag, ret_content);
}

/* *ret_unknown: the sections whose tags are not known, which are the last ones. LST_ERR_FORMAT: the
 * row can't be read without knowing them. */
static int decode_sections(struct lst_slice rest, bool are_of_head, struct lst_object_row *row,
                           struct lst_slice *ret_unknown)
{
    uint8_t tag = 0;
    int status = LST_OK;

    while (rest.length > 0) {
        struct lst_slice all = rest;
        struct lst_slice content;
        if (!take_section(&rest, &tag, &content)) {
            return LST_ERR_CORRUPT;
        }
        if (is_known(tag)) {
            if (is_of_head(tag) != are_of_head || !decode_section(tag, content, row)) {
                return LST_ERR_CORRUPT;
            }
            continue;
        }
        if (ret_unknown->length == 0) {
            *ret_unknown = all;
        }
        status = tag < LST_SECTION_STAYS ? LST_ERR_FORMAT : status;
        row->must_stay = row->must_stay || tag < LST_SECTION_OPTIONAL;
    }
    return status;
}

/* ---- Rows */

/* Whether the sections are those of one of the forms. Of a head nobody knows what is behind it. */
static bool has_form(struct lst_object_row *row, bool is_head)
{
    int bodies =
        (row->is_inline ? 1 : 0) + (row->blob.generation != 0) + (row->parts.length > 0 ? 1 : 0);

    if (row->form == LST_FORM_MARKER) {
        return bodies == 0 && row->size == 0 && row->etag.length == 0 && row->field_count == 0 &&
               row->tag_count == 0 && row->note.length == 0;
    }
    if (row->etag.length > 0) {
        return (is_head || bodies == 1) && row->note.length == 0;
    }
    row->form = LST_FORM_UPLOAD;
    return bodies == 0;
}

static bool has_header(struct lst_slice value)
{
    return value.length >= LST_ROW_HEADER_SIZE && value.bytes[LST_ROW_FORMAT_AT] == LST_ROW_FORMAT;
}

int lst_object_row_check_format(struct lst_slice value)
{
    return value.length <= LST_ROW_FORMAT_AT || value.bytes[LST_ROW_FORMAT_AT] == LST_ROW_FORMAT
               ? LST_OK
               : LST_ERR_FORMAT;
}

size_t lst_object_row_head_length(struct lst_slice value)
{
    size_t length = has_header(value) ? (size_t)get_number(value.bytes + LST_ROW_HEAD_AT, 4) : 0;

    return length <= value.length ? length : 0;
}

static struct lst_version get_version(struct lst_slice value)
{
    return (struct lst_version){get_number(value.bytes + LST_ROW_ORDER_AT, 8),
                                get_number(value.bytes + LST_ROW_RANDOM_AT, 8)};
}

struct lst_version lst_object_row_peek(struct lst_slice value)
{
    return has_header(value) ? get_version(value) : (struct lst_version){0};
}

uint64_t lst_object_row_size(struct lst_slice value)
{
    return has_header(value) ? get_number(value.bytes + LST_ROW_SIZE_AT, 8) : 0;
}

/* All but the arrays, of which only what is counted is ever looked at. */
static void clear(struct lst_object_row *row)
{
    row->form = LST_FORM_OBJECT;
    row->etag = lst_slice_make(NULL, 0);
    row->field_count = 0;
    row->late_field_count = 0;
    row->tag_count = 0;
    row->is_inline = false;
    row->body = lst_slice_make(NULL, 0);
    row->blob = (struct lst_blob_id){0};
    row->parts = lst_slice_make(NULL, 0);
    row->note = lst_slice_make(NULL, 0);
    row->must_stay = false;
    row->unknown_head = lst_slice_make(NULL, 0);
    row->unknown_rest = lst_slice_make(NULL, 0);
}

/* The head, which has no other length than this. */
static int decode_head(struct lst_slice head, size_t length, struct lst_object_row *row)
{
    memcpy(row->stamp, head.bytes, LST_ROW_STAMP_SIZE);
    row->size = get_number(head.bytes + LST_ROW_SIZE_AT, 8);
    row->modified_ms = (int64_t)get_number(head.bytes + LST_ROW_MODIFIED_AT, 8);
    row->version = get_version(head);
    if (get_number(head.bytes + LST_ROW_HEAD_AT, 4) != length || length < LST_ROW_HEADER_SIZE ||
        row->size > INT64_MAX || row->modified_ms < 0) {
        return LST_ERR_CORRUPT;
    }
    return decode_sections(lst_slice_after(head, LST_ROW_HEADER_SIZE), true, row,
                           &row->unknown_head);
}

int lst_object_row_decode_head(struct lst_slice head, struct lst_object_row *ret_row)
{
    int status = lst_object_row_check_format(head);

    clear(ret_row);
    if (status != LST_OK || !has_header(head)) {
        return status != LST_OK ? status : LST_ERR_CORRUPT;
    }
    status = decode_head(head, head.length, ret_row);
    return status == LST_OK && !has_form(ret_row, true) ? LST_ERR_CORRUPT : status;
}

int lst_object_row_decode(struct lst_slice value, struct lst_object_row *ret_row)
{
    size_t head_length = lst_object_row_head_length(value);
    int status = lst_object_row_check_format(value);
    int rest;

    clear(ret_row);
    if (status != LST_OK || head_length == 0) {
        return status != LST_OK ? status : LST_ERR_CORRUPT;
    }
    status = decode_head(lst_slice_first(value, head_length), head_length, ret_row);
    if (status != LST_OK && status != LST_ERR_FORMAT) {
        return status;
    }
    rest = decode_sections(lst_slice_after(value, head_length), false, ret_row,
                           &ret_row->unknown_rest);
    status = rest != LST_OK ? rest : status;
    return status == LST_OK && !has_form(ret_row, false) ? LST_ERR_CORRUPT : status;
}

/* ---- Parts */

bool lst_object_row_is_in_parts(const struct lst_object_row *row)
{
    return row->parts.length > 0 && lst_slice_find(row->etag, '-') < row->etag.length;
}

uint32_t lst_row_parts_count(struct lst_slice parts)
{
    return parts.length <= LST_ROW_UPLOAD_ID_SIZE
               ? 0
               : (uint32_t)((parts.length - LST_ROW_UPLOAD_ID_SIZE) / LST_PARTS_ENTRY_SIZE);
}

struct lst_row_part lst_row_parts_at(struct lst_slice parts, uint32_t position)
{
    const char *entry =
        parts.bytes + LST_ROW_UPLOAD_ID_SIZE + (size_t)position * LST_PARTS_ENTRY_SIZE;
    struct lst_row_part part = {.number = (uint32_t)get_number(entry, LST_PARTS_NUMBER_SIZE),
                                .end =
                                    get_number(entry + LST_PARTS_NUMBER_SIZE, LST_PARTS_END_SIZE)};

    if (position > 0) {
        part.first = get_number(entry - LST_PARTS_END_SIZE, LST_PARTS_END_SIZE);
    }
    return part;
}

uint32_t lst_row_parts_find(struct lst_slice parts, uint64_t offset)
{
    uint32_t low = 0;
    uint32_t high = lst_row_parts_count(parts);

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (lst_row_parts_at(parts, middle).end <= offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}
