/*
 * row.h - the rows of a store: their keys, and how their values are encoded.
 *
 * docs/on-disk-format.md is the specification; numbers are big-endian. The decoders are strict:
 * what they accept, the encoders give back byte for byte.
 */
#ifndef LST_STORE_ROW_H
#define LST_STORE_ROW_H

#include "base/buffer.h"
#include "blob/blob.h"
#include "index/index.h"
#include "store/store.h"

/* The partition of the store itself; each bucket has one of its own, from 1 on. */
#define LST_STORE_PARTITION 0

/* The first byte of a key says what its row is. */
enum {
    /* In the store's partition. */
    LST_ROW_BUCKET = 'b',         /* + name */
    LST_ROW_NEXT_PARTITION = 'n', /* alone */
    LST_ROW_RUNNING = 'r',        /* alone; there while a process has the store open */
    /* In a bucket's. */
    LST_ROW_STATE = 's',   /* alone */
    LST_ROW_OBJECT = 'o',  /* + key */
    LST_ROW_BLOB = 'b',    /* + blob id; its value is the key of the object that it belongs to */
    LST_ROW_GARBAGE = 'g', /* + blob id; nobody refers to it any more, to be deleted */
};

enum {
    LST_ROW_BLOB_ID_SIZE = 16,
    LST_ROW_STAMP_SIZE = 16,
    LST_ROW_ETAG_LENGTH = 32,
    LST_BUCKET_NAME_MAX = 63,
    LST_BUCKET_TEXT_MAX = 255, /* region, owner */
    /* Longer than any key of an object, and room for a byte that makes it the one after. */
    LST_ROW_NAME_MAX = 1 + LST_STORE_KEY_MAX + 1,
};

/* The values of a state row: writes need it to be live. */
extern const struct lst_slice lst_row_live;
extern const struct lst_slice lst_row_deleting;

/* A key being put together. A name that is too long is cut: no row has a name that long. */
struct lst_row_name {
    size_t length;
    char bytes[LST_ROW_NAME_MAX];
};
void lst_row_name_make(struct lst_row_name *name, char kind, struct lst_slice rest);
void lst_row_name_make_blob(struct lst_row_name *name, char kind, struct lst_blob_id id);
static inline struct lst_slice lst_row_name_slice(const struct lst_row_name *name)
{
    return lst_slice_make(name->bytes, name->length);
}

void lst_row_blob_id_encode(struct lst_blob_id id, char ret_bytes[LST_ROW_BLOB_ID_SIZE]);
/* Of a key of LST_ROW_BLOB or LST_ROW_GARBAGE. */
LST_MUST_CHECK int lst_row_blob_id_decode(struct lst_slice name, struct lst_blob_id *ret_id);

void lst_row_number_encode(uint64_t number, char ret_bytes[8]);
LST_MUST_CHECK int lst_row_number_decode(struct lst_slice value, uint64_t *ret_number);

/* ---- Buckets */

struct lst_bucket_row {
    uint64_t partition;
    struct lst_bucket bucket; /* without the name, which is in the key */
};
void lst_bucket_row_encode(const struct lst_bucket_row *row, struct lst_buffer *value);
/* Slices point into value. LST_ERR_CORRUPT. */
LST_MUST_CHECK int lst_bucket_row_decode(struct lst_slice value, struct lst_bucket_row *ret_row);

/* ---- Objects */

struct lst_object_row {
    char stamp[LST_ROW_STAMP_SIZE]; /* of this write alone: a row that begins with it is this one */
    uint64_t size;
    int64_t modified_ms;
    struct lst_slice etag;
    struct lst_field fields[LST_STORE_FIELDS_MAX];
    size_t field_count;
    bool is_inline;
    struct lst_slice body;   /* if inline */
    struct lst_blob_id blob; /* if not */
};
/* Slices point into value. LST_ERR_CORRUPT. */
LST_MUST_CHECK int lst_object_row_decode(struct lst_slice value, struct lst_object_row *ret_row);

/*
 * A row is written while its body comes in: begin, then the inline body (start, append to the
 * buffer, end) or the blob, then seal with what is known only at the end.
 */
void lst_object_row_begin(struct lst_buffer *value, const struct lst_field *fields,
                          size_t field_count);
/* Gives where the body begins. */
size_t lst_object_row_begin_body(struct lst_buffer *value);
void lst_object_row_end_body(struct lst_buffer *value, size_t body_start);
/* Drop an inline body that was begun. */
void lst_object_row_drop_body(struct lst_buffer *value, size_t body_start);
void lst_object_row_append_blob(struct lst_buffer *value, struct lst_blob_id id);
void lst_object_row_seal(struct lst_buffer *value, const struct lst_object_row *row);

/* Bytes that the value takes besides fields and body. */
enum { LST_OBJECT_ROW_OVERHEAD = 128 };

#endif
