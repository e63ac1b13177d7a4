/* percent.c - the public percent-encoding and decoding. */
#include "writer.h"

LST_PUBLIC int lst_percent_encode(struct lst_slice text, bool keep_slash, char *out,
                                  size_t capacity, size_t *ret_length)
{
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity);

    lst_internal_put_encoded(&writer, text, LST_INTERNAL_RAW, keep_slash);
    return lst_internal_writer_finish(&writer, ret_length);
}

LST_PUBLIC int lst_percent_decode(struct lst_slice text, bool plus_is_space, char *out,
                                  size_t capacity, size_t *ret_length)
{
    struct lst_internal_writer writer = lst_internal_writer_to(out, capacity);

    if (!lst_internal_escapes_are_valid(text)) {
        return LST_REFUSED_TARGET_MALFORMED;
    }
    lst_internal_put_decoded(&writer, text,
                             plus_is_space ? LST_INTERNAL_WIRE_QUERY : LST_INTERNAL_WIRE);
    return lst_internal_writer_finish(&writer, ret_length);
}
