/*
 * row_form.h - inside the rows of objects: where what stands.
 *
 * stamp (16), format (1), length of the head (4), size (8), modified (8), order (8), random (8),
 * then sections, each a tag (1), a length (4) and so many bytes. The first ones, up to the length
 * of the head, are what a listing needs; the rest is behind them, so that it need not be read. In
 * either part they stand in ascending order of their tags.
 *
 * A tag says what one is to do who does not know it, a version before the one that wrote it:
 * refuse the row, leave it as it is, or pass the section over (is_known(), row_object.c).
 */
#ifndef LST_STORE_ROW_FORM_H
#define LST_STORE_ROW_FORM_H

#include "store/row.h"

enum {
    LST_ROW_FORMAT = 3,

    LST_ROW_FORMAT_AT = LST_ROW_STAMP_SIZE,
    LST_ROW_HEAD_AT = LST_ROW_FORMAT_AT + 1,
    LST_ROW_SIZE_AT = LST_ROW_HEAD_AT + 4,
    LST_ROW_MODIFIED_AT = LST_ROW_SIZE_AT + 8,
    LST_ROW_ORDER_AT = LST_ROW_MODIFIED_AT + 8,
    LST_ROW_RANDOM_AT = LST_ROW_ORDER_AT + 8,
    LST_ROW_HEADER_SIZE = LST_ROW_RANDOM_AT + 8,

    LST_SECTION_HEADER_SIZE = 1 + 4,
    LST_SECTION_ETAG = 1,        /* an MD5 in hex; of an object in parts also "-", their number */
    LST_SECTION_FIELDS = 2,      /* for each: length of name (2), of value (2), name, value */
    LST_SECTION_INLINE = 3,      /* behind the head: the body */
    LST_SECTION_BLOB = 4,        /* the id of the body's blob */
    LST_SECTION_LATE_FIELDS = 5, /* as fields, which they are added to */
    LST_SECTION_TAGS = 6,        /* behind the head: as fields */
    LST_SECTION_PARTS = 7,       /* behind the head: upload id, then for each part: number (2), end
                                  * (8) */
    LST_SECTION_MARKER = 8,      /* empty: a delete marker */
    LST_SECTION_NOTE = 9,        /* of an upload: its caller's */

    /* Tags from here on are of versions to come. Who does not know one */
    LST_SECTION_STAYS = 64,     /* may read the row, and does not change, replace or delete it; */
    LST_SECTION_OPTIONAL = 128, /* passes it over, and keeps it. Others: refuses the row. */

    LST_ROW_MD5_LENGTH = 32, /* hex digits */
    LST_PARTS_NUMBER_SIZE = 2,
    LST_PARTS_END_SIZE = 8,
    LST_PARTS_ENTRY_SIZE = LST_PARTS_NUMBER_SIZE + LST_PARTS_END_SIZE,
    LST_PARTS_COUNT_MAX = 10000,
};

#endif
