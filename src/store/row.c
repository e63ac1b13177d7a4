/* row.c - keys of rows, small values, and the rows of buckets. */
#include "store/row_form.h"

enum { BUCKET_VERSION = 2 };

void lst_row_number_encode(uint64_t number, char ret_bytes[8])
{
    for (int i = 0; i < 8; i++) {
        ret_bytes[i] = (char)(uint8_t)(number >> (56 - 8 * i));
    }
}

static uint64_t take_number(struct lst_slice *rest, size_t size)
{
    uint64_t number = 0;

    for (size_t i = 0; i < size; i++) {
        number = number << 8 | (uint8_t)rest->bytes[i];
    }
    *rest = lst_slice_after(*rest, size);
    return number;
}

int lst_row_number_decode(struct lst_slice value, uint64_t *ret_number)
{
    if (value.length != 8) {
        return LST_ERR_CORRUPT;
    }
    *ret_number = take_number(&value, 8);
    return LST_OK;
}

void lst_row_blob_id_encode(struct lst_blob_id id, char ret_bytes[LST_ROW_BLOB_ID_SIZE])
{
    lst_row_number_encode(id.generation, ret_bytes);
    lst_row_number_encode(id.number, ret_bytes + 8);
}

int lst_row_blob_id_decode(struct lst_slice bytes, struct lst_blob_id *ret_id)
{
    struct lst_slice rest = bytes;

    if (rest.length != LST_ROW_BLOB_ID_SIZE) {
        return LST_ERR_CORRUPT;
    }
    ret_id->generation = take_number(&rest, 8);
    ret_id->number = take_number(&rest, 8);
    return LST_OK;
}

static void append_text(struct lst_buffer *value, struct lst_slice text)
{
    lst_buffer_append_byte(value, (char)(uint8_t)text.length);
    lst_buffer_append(value, text);
}

void lst_bucket_row_encode(const struct lst_bucket_row *row, struct lst_buffer *value)
{
    char number[8];

    lst_buffer_append_byte(value, BUCKET_VERSION);
    lst_row_number_encode(row->partition, number);
    lst_buffer_append(value, lst_slice_make(number, sizeof(number)));
    lst_row_number_encode((uint64_t)row->bucket.created_ms, number);
    lst_buffer_append(value, lst_slice_make(number, sizeof(number)));
    append_text(value, row->bucket.region);
    append_text(value, row->bucket.owner);
    lst_buffer_append(value, row->unknown);
}

static bool take_text(struct lst_slice *rest, struct lst_slice *ret_text)
{
    size_t length;

    if (rest->length == 0) {
        return false;
    }
    length = (size_t)take_number(rest, 1);
    if (length > rest->length) {
        return false;
    }
    *ret_text = lst_slice_first(*rest, length);
    *rest = lst_slice_after(*rest, length);
    return true;
}

/* No section is known yet. What may only be read, of a bucket, nobody knows: it is refused too. */
static int check_sections(struct lst_slice rest)
{
    uint8_t tag = 0;
    int status = LST_OK;

    while (rest.length > 0) {
        struct lst_slice content;
        if (!lst_section_take(&rest, &tag, &content)) {
            return LST_ERR_CORRUPT;
        }
        status = tag < LST_SECTION_OPTIONAL ? LST_ERR_FORMAT : status;
    }
    return status;
}

int lst_bucket_row_decode(struct lst_slice value, struct lst_bucket_row *ret_row)
{
    struct lst_bucket_row row = {0};
    struct lst_slice rest = value;

    int status;

    if (rest.length < 17) {
        return LST_ERR_CORRUPT;
    }
    if (take_number(&rest, 1) != BUCKET_VERSION) {
        return LST_ERR_FORMAT;
    }
    row.partition = take_number(&rest, 8);
    row.bucket.created_ms = (int64_t)take_number(&rest, 8);
    if (!take_text(&rest, &row.bucket.region) || !take_text(&rest, &row.bucket.owner) ||
        row.partition == LST_STORE_PARTITION) {
        return LST_ERR_CORRUPT;
    }
    row.unknown = rest;
    status = check_sections(rest);
    if (status == LST_OK) {
        *ret_row = row;
    }
    return status;
}
