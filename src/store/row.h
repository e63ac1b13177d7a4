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
    LST_ROW_SCRUB = 'k',          /* alone; where the scrubber is, see scrub.c */
    /* In a bucket's. The two that stand alone are those of a range: each has its own. */
    LST_ROW_STATE = LST_INDEX_RANGE_ROW, /* alone */
    LST_ROW_USAGE = 't',                 /* alone; what is in the range, in numbers */
    /* All others have the escaped key of the object that they belong to behind the kind, so all
     * that belongs to a key is in one range. Settings belong to none: theirs is empty, which is
     * less than any other. */
    LST_ROW_OBJECT = 'o',  /* + key; the current version, an object */
    LST_ROW_MARKER = 'm',  /* + key; the current version, a delete marker; never beside an `o` */
    LST_ROW_VERSION = 'v', /* + key + inverted order; a version that is not current */
    LST_ROW_NULL = 'n',    /* + key; the order (8) of the null version, if that is not current */
    LST_ROW_SETTING = 'c', /* + empty key + name */
    LST_ROW_UPLOAD = 'u',  /* + key + upload id; an upload in progress */
    LST_ROW_PART = 'p',    /* + key + upload id + number (4); a part of an upload, or object */
    LST_ROW_LEFT = 'x',    /* + key + upload id; nobody refers to its parts any more */
    LST_ROW_BLOB = 'b',    /* + key + blob id; the row of the key that it belongs to, see below */
    LST_ROW_GARBAGE = 'g', /* + key + blob id; nobody refers to it any more, to be deleted */
};

enum {
    LST_ROW_BLOB_ID_SIZE = 16,
    LST_ROW_STAMP_SIZE = 16,
    LST_ROW_UPLOAD_ID_SIZE = 16,
    LST_ROW_PART_NUMBER_SIZE = 4,
    LST_BUCKET_NAME_MAX = 63,
    LST_BUCKET_TEXT_MAX = 255, /* region, owner */
    LST_SETTING_NAME_MAX = 64,
    /* Longer than the name of any row: the longest are those of parts, whose key is escaped. */
    LST_ROW_NAME_MAX =
        1 + 2 * LST_STORE_KEY_MAX + 2 + LST_ROW_UPLOAD_ID_SIZE + LST_ROW_PART_NUMBER_SIZE + 1,
    /* What a blob's row says: `o`, whichever version of the key has it; or `p` and the rest. */
    LST_ROW_OWNER_MAX = 1 + LST_ROW_UPLOAD_ID_SIZE + LST_ROW_PART_NUMBER_SIZE,
};

/* ---- The state of a bucket */

/*
 * The value of a state row. A write requires the state that it was made for, as it was read. Each
 * range has one; what the bucket is, the first range's says. Whoever changes that changes the
 * others after it (ranges.h).
 */
struct lst_bucket_state {
    uint64_t epoch; /* the engine's: of the range */
    enum lst_versioning versioning;
    bool is_deleting;
};
enum { LST_BUCKET_STATE_SIZE = LST_INDEX_EPOCH + 3 };
void lst_bucket_state_encode(const struct lst_bucket_state *state,
                             char ret_bytes[LST_BUCKET_STATE_SIZE]);
/* LST_ERR_CORRUPT. */
LST_MUST_CHECK int lst_bucket_state_decode(struct lst_slice value,
                                           struct lst_bucket_state *ret_state);

/* ---- The usage of a bucket, each range's of its own */

/* In the order of the row's numbers. Rows of later versions may have more. */
enum lst_usage_number {
    LST_USAGE_OBJECTS,  /* `o` rows */
    LST_USAGE_VERSIONS, /* `o`, `m` and `v` rows */
    LST_USAGE_BYTES,    /* of the bodies of those */
    LST_USAGE_UPLOADS,  /* `u` rows */
    LST_USAGE_CHANGES,  /* batches that put or removed such rows */
    LST_USAGE_COUNT,
};
struct lst_usage {
    int64_t numbers[LST_USAGE_COUNT];
};
void lst_usage_encode(const struct lst_usage *usage, char ret_bytes[8 * LST_USAGE_COUNT]);
/* LST_ERR_CORRUPT. */
LST_MUST_CHECK int lst_usage_decode(struct lst_slice value, struct lst_usage *ret_usage);
/* Add, or with times = -1 take away, a row of kind `o`, `m`, `v` or `u` with a body of this size.
 */
void lst_usage_add_row(struct lst_usage *usage, char kind, uint64_t size, int64_t times);

/* ---- Names */

/* A key being put together. A name that is too long is cut: no row has a name that long. */
struct lst_row_name {
    size_t length;
    char bytes[LST_ROW_NAME_MAX];
};
void lst_row_name_make(struct lst_row_name *name, char kind, struct lst_slice rest);
void lst_row_name_append(struct lst_row_name *name, struct lst_slice bytes);
/*
 * The kind and the escaped key: how all rows of that kind and key begin, and the whole name of an
 * object's. Each byte 00 becomes 00 FF, and 00 00 is the end, so that rows are in the order of
 * their keys.
 */
void lst_row_name_make_escaped(struct lst_row_name *name, char kind, struct lst_slice key);
/* The same, without the end: how the rows of all keys that begin with this one begin. */
void lst_row_name_make_escaped_prefix(struct lst_row_name *name, char kind,
                                      struct lst_slice prefix);
/* Of a version: the newest first. */
void lst_row_name_make_version(struct lst_row_name *name, struct lst_slice key, uint64_t order);
void lst_row_name_make_setting(struct lst_row_name *name, struct lst_slice setting);
void lst_row_name_make_upload(struct lst_row_name *name, char kind, struct lst_slice key,
                              struct lst_slice upload_id);
void lst_row_name_make_part(struct lst_row_name *name, struct lst_slice key,
                            struct lst_slice upload_id, uint32_t number);
void lst_row_name_make_blob(struct lst_row_name *name, char kind, struct lst_slice key,
                            struct lst_blob_id id);
static inline struct lst_slice lst_row_name_slice(const struct lst_row_name *name)
{
    return lst_slice_make(name->bytes, name->length);
}
/* To which range a row belongs. */
static inline struct lst_slice lst_row_name_route(const struct lst_row_name *name)
{
    return lst_slice_make(name->bytes + 1, name->length - 1);
}

/*
 * A name taken apart again. The key is given where it stands in the name; one that has a byte 00 is
 * put together in `room`. All of these give LST_ERR_CORRUPT, and want a key of 1 to
 * LST_STORE_KEY_MAX bytes.
 */
struct lst_key_room {
    char bytes[LST_STORE_KEY_MAX];
};
/* *ret_suffix: what stands behind the end of the key; it must have so many bytes. */
LST_MUST_CHECK int lst_row_name_split(struct lst_slice name, size_t suffix_size,
                                      struct lst_key_room *room, struct lst_slice *ret_key,
                                      struct lst_slice *ret_suffix);
/* Of a name that ends with the key. */
LST_MUST_CHECK int lst_row_name_split_key(struct lst_slice name, struct lst_key_room *room,
                                          struct lst_slice *ret_key);
LST_MUST_CHECK int lst_row_name_split_version(struct lst_slice name, struct lst_key_room *room,
                                              struct lst_slice *ret_key, uint64_t *ret_order);
LST_MUST_CHECK int lst_row_name_split_part(struct lst_slice name, struct lst_key_room *room,
                                           struct lst_slice *ret_key,
                                           struct lst_slice *ret_upload_id, uint32_t *ret_number);
/* Of LST_ROW_BLOB or LST_ROW_GARBAGE. */
LST_MUST_CHECK int lst_row_name_split_blob(struct lst_slice name, struct lst_key_room *room,
                                           struct lst_slice *ret_key, struct lst_blob_id *ret_id);
/* What a blob's row says of the row of this name, which has it: the name without the key. */
struct lst_slice lst_row_owner_make(struct lst_slice name, char ret_owner[LST_ROW_OWNER_MAX]);

void lst_row_blob_id_encode(struct lst_blob_id id, char ret_bytes[LST_ROW_BLOB_ID_SIZE]);
LST_MUST_CHECK int lst_row_blob_id_decode(struct lst_slice bytes, struct lst_blob_id *ret_id);

void lst_row_number_encode(uint64_t number, char ret_bytes[8]);
LST_MUST_CHECK int lst_row_number_decode(struct lst_slice value, uint64_t *ret_number);

/* ---- Buckets */

struct lst_bucket_row {
    int status; /* in lst_store_each_bucket(): if it is not 0 (LST_ERR_CORRUPT, _FORMAT), nothing is
                 * known but what the key says */
    uint64_t partition;
    struct lst_bucket bucket; /* without the name, which is in the key */
    struct lst_slice unknown; /* sections of later versions that may be passed over */
};
void lst_bucket_row_encode(const struct lst_bucket_row *row, struct lst_buffer *value);
/* Slices point into value. LST_ERR_CORRUPT; LST_ERR_FORMAT: a later version wrote it, and the
 * bucket can't be used without knowing what is new. */
LST_MUST_CHECK int lst_bucket_row_decode(struct lst_slice value, struct lst_bucket_row *ret_row);

/* ---- Versions */

/* What names a version among those of its key. Later versions have a larger order. */
struct lst_version {
    uint64_t order;
    uint64_t random; /* 0: a null version */
};
static inline bool lst_version_is_null(struct lst_version version)
{
    return version.random == 0;
}
/* 32 lower-case hex digits, of order and random; or "null". */
void lst_version_format(struct lst_version version, struct lst_version_id *ret_id);
/* Of "null" both are 0. LST_ERR_VERSION_MALFORMED. */
LST_MUST_CHECK int lst_version_parse(struct lst_slice text, struct lst_version *ret_version);

/* ---- Objects, delete markers, uploads and parts: all have rows of one form */

enum lst_row_form {
    LST_FORM_OBJECT, /* or a part: ETag, and a body inline, in a blob or (not a part's) in parts */
    LST_FORM_MARKER, /* none of them, and no fields */
    LST_FORM_UPLOAD, /* neither ETag nor body */
};

struct lst_object_row {
    char stamp[LST_ROW_STAMP_SIZE]; /* of this write alone: a row that begins with it is this one */
    enum lst_row_form form;
    uint64_t size; /* of an upload whose parts are limited: of those that are there */
    int64_t modified_ms;
    struct lst_version version;
    struct lst_slice etag;
    struct lst_field fields[LST_STORE_FIELDS_MAX];
    size_t field_count;
    size_t late_field_count; /* so many of them, the last, were added after the body */
    struct lst_field tags[LST_STORE_TAGS_MAX];
    size_t tag_count;
    bool is_inline;
    struct lst_slice body;   /* if inline */
    struct lst_blob_id blob; /* of generation 0: none */
    struct lst_slice parts;  /* encoded, see below; empty: none */
    struct lst_slice note;   /* of an upload */
    /* Sections of later versions that may be passed over (row_form.h). They are kept, and written
     * again with the row. */
    struct lst_slice unknown_head;
    struct lst_slice unknown_rest;
    bool must_stay; /* among them is one for which the row may be read, but not changed */
};
/* Slices point into value. LST_ERR_CORRUPT; LST_ERR_FORMAT: a later version wrote it, and it can't
 * be read without knowing what is new. */
LST_MUST_CHECK int lst_object_row_decode(struct lst_slice value, struct lst_object_row *ret_row);
/* The same of a row's head, for which it is put (lst_index_read_heads()): without an inline body,
 * parts and tags. */
LST_MUST_CHECK int lst_object_row_decode_head(struct lst_slice head,
                                              struct lst_object_row *ret_row);
/* How long the head of a whole row is; 0: it is none. */
size_t lst_object_row_head_length(struct lst_slice value);
/* LST_ERR_FORMAT: of another format, so that nothing is known of it. */
LST_MUST_CHECK int lst_object_row_check_format(struct lst_slice value);
/* Only which version it is of; cheap. All 0 if the row is damaged beyond telling. */
struct lst_version lst_object_row_peek(struct lst_slice value);

/* Only the size of its body; 0 if the row is damaged beyond telling. */
uint64_t lst_object_row_size(struct lst_slice value);

/* Write a whole row into an empty buffer. */
void lst_object_row_encode(struct lst_buffer *value, const struct lst_object_row *row);

/*
 * A row can also be begun before all of it is known, in an empty buffer: begin takes the fields;
 * end takes all else of *row, the late fields (the last late_field_count of fields) too.
 */
void lst_object_row_begin(struct lst_buffer *value, const struct lst_field *fields,
                          size_t field_count);
void lst_object_row_end(struct lst_buffer *value, const struct lst_object_row *row);
/* Whether it is an object that was uploaded in parts, and is shown so: its ETag says how many. The
 * copy of one has parts too, which share the bytes, but is one piece, with an MD5 for an ETag. */
bool lst_object_row_is_in_parts(const struct lst_object_row *row);
/* Change the version of a row that was ended. */
void lst_object_row_set_version(struct lst_buffer *value, struct lst_version version);

/* Bytes that the value takes besides the content of fields (4 more for each), tags (as fields),
 * body, parts and note. */
enum { LST_OBJECT_ROW_OVERHEAD = 160 };

/* Take the next section: *tag was that of the one before (0 at first), and becomes its own. False:
 * it is none, or stands out of order. */
bool lst_section_take(struct lst_slice *rest, uint8_t *tag, struct lst_slice *ret_content);

/*
 * The list of an object's parts: the id of the upload, under which their rows are; of each part
 * its number (2) and where it ends in the object (8), so that the one that holds an offset is found
 * without a look at the others.
 */
struct lst_row_part {
    uint32_t number;
    uint64_t first; /* where it begins in the object */
    uint64_t end;
};
void lst_row_parts_begin(struct lst_buffer *parts, struct lst_slice upload_id);
void lst_row_parts_add(struct lst_buffer *parts, uint32_t number, uint64_t end);
static inline struct lst_slice lst_row_parts_upload(struct lst_slice parts)
{
    return lst_slice_first(parts, LST_ROW_UPLOAD_ID_SIZE);
}
/* 0 if there are none. */
uint32_t lst_row_parts_count(struct lst_slice parts);
/* The position must be less than the count. */
struct lst_row_part lst_row_parts_at(struct lst_slice parts, uint32_t position);
/* The position of the part that has the byte at the offset; the count if none has. */
uint32_t lst_row_parts_find(struct lst_slice parts, uint64_t offset);

#endif
