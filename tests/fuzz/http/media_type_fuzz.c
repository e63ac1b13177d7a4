/*
 * media_type_fuzz.c - any bytes as a media type and as a range: what is taken for one type is one,
 * and reads the same again.
 *
 * Input: a line with a range, and the rest a Content-Type.
 */
#include "http/media_type.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* Whether a byte stands in the text outside of quotes. */
static bool has_bare(struct lst_slice text, char wanted)
{
    bool is_quoted = false;

    for (size_t i = 0; i < text.length; i++) {
        if (is_quoted && text.bytes[i] == '\\') {
            i++;
        } else if (text.bytes[i] == '"') {
            is_quoted = !is_quoted;
        } else if (!is_quoted && text.bytes[i] == wanted) {
            return true;
        }
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lst_slice input = lst_slice_make(data, size);
    struct lst_slice range = lst_slice_first(input, lst_slice_find(input, '\n'));
    struct lst_slice type = lst_slice_after(input, range.length + 1);
    struct lst_slice essence = LST_SLICE("untouched");
    struct lst_slice again;

    if (!lst_media_type_parse(type, &essence)) {
        require(lst_slice_equal(essence, LST_SLICE("untouched")));
        (void)lst_media_range_is_valid(range);
        (void)lst_media_range_has(range, type);
        return 0;
    }
    /* A browser that splits a list must not find another type in it. */
    require(!has_bare(type, ',') && lst_slice_find(type, '\r') == type.length &&
            lst_slice_find(type, '\n') == type.length &&
            memchr(type.bytes, '\0', type.length) == NULL);
    require(lst_media_type_parse(essence, &again) && lst_slice_equal(again, essence));
    require(lst_media_range_is_valid(essence) && lst_media_range_has(essence, essence));
    require(lst_media_range_has(LST_SLICE("*/*"), essence));
    if (lst_media_range_is_valid(range) && lst_media_range_has(range, essence)) {
        require(range.bytes[0] == '*' || (range.bytes[0] | 0x20) == (essence.bytes[0] | 0x20));
    }
    return 0;
}
