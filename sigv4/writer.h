/*
 * writer.h - write text piece by piece, either into a buffer or into a SHA-256.
 *
 * The same code that builds a canonical request writes it out or hashes it: a hashing writer
 * collects into a scratch buffer and hashes that whenever it is full, so it knows no limit of size.
 * A writer into a buffer that is too small remembers the overflow and drops all that follows.
 */
#ifndef LST_SIGV4_WRITER_H
#define LST_SIGV4_WRITER_H

#include "text.h"

struct sha256_ctx;

#define LST_INTERNAL_PADDING 72   /* what SHA-256 may add to a message */
#define LST_INTERNAL_SCRATCH 1152 /* of a hashing writer: most requests are hashed in one go */

struct lst_internal_writer {
    char *out;
    size_t capacity;
    size_t length; /* bytes now in out; at most the capacity */
    bool overflow;
    struct sha256_ctx *hash; /* NULL: into the buffer only */
};

/* What '+' and '%' mean in the text that is to be encoded. */
enum lst_internal_origin {
    LST_INTERNAL_RAW = 0,        /* nothing: every byte is itself */
    LST_INTERNAL_WIRE = 1,       /* %XX is a byte, '+' is a plus sign: a path on the wire */
    LST_INTERNAL_WIRE_QUERY = 2, /* %XX is a byte, '+' is a space: a query on the wire */
};

/* A writer into a buffer. */
static inline struct lst_internal_writer lst_internal_writer_to(char *out, size_t capacity)
{
    struct lst_internal_writer writer = {.capacity = capacity};

    writer.out = out;
    return writer;
}

/*
 * A writer into a hash that has absorbed whole blocks only, or nothing. scratch:
 * LST_INTERNAL_SCRATCH bytes, or at least 2 * LST_INTERNAL_PADDING.
 */
struct lst_internal_writer lst_internal_writer_hashing(struct sha256_ctx *hash, char *scratch,
                                                       size_t size);

/* Hash what is left and give the digest. */
void lst_internal_writer_digest(struct lst_internal_writer *writer, uint8_t out[32]);

/* LST_OK and the length, or LST_ERR_BUFFER_TOO_SMALL: the end of most public functions. */
LST_MUST_CHECK int lst_internal_writer_finish(const struct lst_internal_writer *writer,
                                              size_t *ret_length);

/* The part of lst_internal_put() that is rarely needed: the text does not fit. */
void lst_internal_put_slowly(struct lst_internal_writer *writer, struct lst_slice text);

static inline void lst_internal_put(struct lst_internal_writer *writer, struct lst_slice text)
{
    if (text.length > writer->capacity - writer->length) {
        lst_internal_put_slowly(writer, text);
    } else if (text.length > 0) {
        memcpy(writer->out + writer->length, text.bytes, text.length);
        writer->length += text.length;
    }
}

static inline void lst_internal_put_char(struct lst_internal_writer *writer, char byte)
{
    struct lst_slice text = {&byte, 1};

    lst_internal_put(writer, text);
}

/* ASCII letters lower-cased: a header's name. */
void lst_internal_put_lower(struct lst_internal_writer *writer, struct lst_slice text);

/* Trimmed, and each inner run of white space as one space: a header's value. */
void lst_internal_put_folded(struct lst_internal_writer *writer, struct lst_slice text);

/* A number in decimal digits. */
void lst_internal_put_decimal(struct lst_internal_writer *writer, uint64_t value);

/*
 * Percent-encode as SigV4 wants it (RFC 3986, upper-case). Text from the wire is decoded first; a
 * '%' that two hex digits do not follow counts as itself. keep_slash: '/' stays bare.
 */
void lst_internal_put_encoded(struct lst_internal_writer *writer, struct lst_slice text,
                              enum lst_internal_origin origin, bool keep_slash);

/* Text from the wire, decoded. */
void lst_internal_put_decoded(struct lst_internal_writer *writer, struct lst_slice text,
                              enum lst_internal_origin origin);

/*
 * Take the next byte, decoded, off the front of a text that is not empty: the one place that knows
 * what '%' and '+' mean.
 */
unsigned char lst_internal_next_byte(struct lst_slice *text, enum lst_internal_origin origin);

#endif
