/* range.c - the Range header. */
#include "http/range.h"

/* Decimal digits. A number that 64 bits can't hold lies beyond the end of every object, as the
 * largest that they can. */
static bool parse_position(struct lst_slice digits, uint64_t *ret_position)
{
    if (digits.bytes == NULL || digits.length == 0) {
        return false;
    }
    for (size_t i = 0; i < digits.length; i++) {
        if (digits.bytes[i] < '0' || digits.bytes[i] > '9') {
            return false;
        }
    }
    if (!lst_slice_to_number(digits, UINT64_MAX, ret_position)) {
        *ret_position = UINT64_MAX;
    }
    return true;
}

/* "-3": the last three bytes. */
static enum lst_range parse_suffix(struct lst_slice digits, uint64_t size, uint64_t *ret_first,
                                   uint64_t *ret_last)
{
    uint64_t length;

    if (!parse_position(digits, &length)) {
        return LST_RANGE_WHOLE;
    }
    if (length == 0) {
        return LST_RANGE_UNSATISFIABLE;
    }
    if (size == 0) { /* the last bytes of nothing are all there is */
        return LST_RANGE_WHOLE;
    }
    *ret_first = length < size ? size - length : 0;
    *ret_last = size - 1;
    return LST_RANGE_PART;
}

enum lst_range lst_range_parse(struct lst_slice header, uint64_t size, uint64_t *ret_first,
                               uint64_t *ret_last)
{
    struct lst_slice unit = LST_SLICE("bytes=");
    struct lst_slice set;
    struct lst_slice after;
    size_t dash;
    uint64_t first;
    uint64_t last = UINT64_MAX;

    if (!lst_slice_starts_with_ignoring_case(header, unit)) {
        return LST_RANGE_WHOLE;
    }
    set = lst_slice_after(lst_slice_trim(header), unit.length);
    dash = lst_slice_find(set, '-');
    if (dash == set.length) {
        return LST_RANGE_WHOLE;
    }
    after = lst_slice_make(set.bytes + dash + 1, set.length - dash - 1);
    if (dash == 0) {
        return parse_suffix(after, size, ret_first, ret_last);
    }
    if (!parse_position(lst_slice_first(set, dash), &first) ||
        (after.length > 0 && !parse_position(after, &last)) || last < first) {
        return LST_RANGE_WHOLE;
    }
    if (first >= size) {
        return LST_RANGE_UNSATISFIABLE;
    }
    *ret_first = first;
    *ret_last = last < size ? last : size - 1;
    return LST_RANGE_PART;
}
