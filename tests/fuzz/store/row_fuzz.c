/* row_fuzz.c - the decoders of rows: they read within bounds, and what they accept the encoders
 * give back byte for byte. */
#include "store/row.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require_equal(struct lst_buffer *encoded, struct lst_slice value)
{
    if (lst_buffer_status(encoded) != LST_OK ||
        !lst_slice_equal(lst_buffer_slice(encoded), value)) {
        abort();
    }
    lst_buffer_release(encoded);
}

static void try_object(struct lst_slice value)
{
    struct lst_object_row row;
    struct lst_buffer encoded;

    if (lst_object_row_decode(value, &row) != LST_OK) {
        return;
    }
    lst_buffer_init(&encoded, value.length + LST_OBJECT_ROW_OVERHEAD);
    lst_object_row_begin(&encoded, row.fields, row.field_count);
    if (row.is_inline) {
        size_t start = lst_object_row_begin_body(&encoded);
        lst_buffer_append(&encoded, row.body);
        lst_object_row_end_body(&encoded, start);
    } else {
        lst_object_row_append_blob(&encoded, row.blob);
    }
    lst_object_row_seal(&encoded, &row);
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

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct lst_slice value = lst_slice_make(bytes, size);

    try_object(value);
    try_bucket(value);
    return 0;
}
