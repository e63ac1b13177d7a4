/* row_usage.c - the row that says how much is in a bucket. */
#include "store/row.h"

void lst_usage_encode(const struct lst_usage *usage, char ret_bytes[8 * LST_USAGE_COUNT])
{
    for (size_t i = 0; i < LST_USAGE_COUNT; i++) {
        lst_row_number_encode((uint64_t)usage->numbers[i], ret_bytes + 8 * i);
    }
}

int lst_usage_decode(struct lst_slice value, struct lst_usage *ret_usage)
{
    int status = value.length % 8 == 0 && value.length >= 8 * (size_t)LST_USAGE_COUNT
                     ? LST_OK
                     : LST_ERR_CORRUPT;

    for (size_t i = 0; i < LST_USAGE_COUNT && status == LST_OK; i++) {
        uint64_t number;
        status = lst_row_number_decode(lst_slice_make(value.bytes + 8 * i, 8), &number);
        ret_usage->numbers[i] = (int64_t)number;
    }
    return status;
}

void lst_usage_add_row(struct lst_usage *usage, char kind, uint64_t size, int64_t times)
{
    if (kind == LST_ROW_UPLOAD) {
        usage->numbers[LST_USAGE_UPLOADS] += times;
        return;
    }
    if (kind == LST_ROW_OBJECT) {
        usage->numbers[LST_USAGE_OBJECTS] += times;
    }
    usage->numbers[LST_USAGE_VERSIONS] += times;
    usage->numbers[LST_USAGE_BYTES] += times * (int64_t)size;
}
