/*
 * stream.h - the state of a decoder of aws-chunked bodies, and what its parts do for one another.
 *
 * Amazon S3 API Reference, "Transferring Payload in Multiple Chunks (Chunked Upload)" and
 * "Including Trailing Headers (Chunked Upload)".
 */
#ifndef LST_SIGV4_STREAM_H
#define LST_SIGV4_STREAM_H

#include "text.h"

#include <nettle/sha2.h>

/* Bytes of a chunk's header line, its extensions included; a signed one has at most 99. */
#define LST_INTERNAL_CHUNK_HEADER_MAX 256

/* Bytes of all trailing headers together. */
#define LST_INTERNAL_TRAILERS_SIZE 1024

enum lst_internal_stream_state {
    LST_INTERNAL_STREAM_HEADER = 0,  /* in the header line of a chunk */
    LST_INTERNAL_STREAM_DATA,        /* in a chunk's data */
    LST_INTERNAL_STREAM_DATA_CR,     /* all data of a chunk was seen: check it, then CR LF */
    LST_INTERNAL_STREAM_DATA_LF,     /* the LF is missing */
    LST_INTERNAL_STREAM_TRAILER,     /* in a trailing header */
    LST_INTERNAL_STREAM_TRAILER_CR,  /* after a trailing header that ended in a bare LF: CR LF */
    LST_INTERNAL_STREAM_TRAILER_LF,  /* the LF is missing */
    LST_INTERNAL_STREAM_OPTIONAL_CR, /* ended, but a CR LF may follow */
    LST_INTERNAL_STREAM_OPTIONAL_LF, /* ended, but the LF must follow */
    LST_INTERNAL_STREAM_ENDED,       /* not a byte more */
};

/* A trailing header, as places in lst_internal_stream.text. */
struct lst_internal_trailer {
    uint16_t name_start;
    uint16_t name_length;
    uint16_t value_start;
    uint16_t value_length;
};

/*
 * What a struct lst_stream really is. It has no pointer into itself, so that it may be copied. The
 * attribute lets it share memory with the public struct's uint64_t.
 */
struct __attribute__((may_alias)) lst_internal_stream {
    struct lst_key key;         /* of the signed kinds only */
    struct sha256_ctx hash;     /* of the chunk's data so far */
    struct lst_slice announced; /* the value of x-amz-trailer */
    uint64_t body_left;         /* bytes of the decoded body that have not come yet */
    uint64_t chunk_left;        /* bytes of this chunk that have not come yet */
    uint64_t chunk_size;        /* bytes of the last chunk that had any */
    uint64_t chunk_count;       /* headers of chunks that have come */
    bool chunk_is_small;        /* that one is smaller than any but the last may be */
    enum lst_payload payload;
    enum lst_internal_stream_state state;
    int refusal;                           /* LST_OK, or what every call answers from now on */
    char time[16];                         /* X-Amz-Date */
    char previous[LST_SIGNATURE_LENGTH];   /* the signature before that of this chunk */
    char claimed[LST_SIGNATURE_LENGTH];    /* the signature in this chunk's header */
    char text[LST_INTERNAL_TRAILERS_SIZE]; /* "name:value\n" of each trailer, then the line */
    size_t text_length;                    /* bytes of whole trailers in text */
    size_t line_length;                    /* bytes of the unfinished line after them */
    struct lst_internal_trailer trailers[LST_TRAILERS_MAX];
    size_t trailer_count;
};

_Static_assert(sizeof(struct lst_internal_stream) <= sizeof(struct lst_stream),
               "the state of a stream fits into the public struct");

/* Whether chunks carry signatures, and whether trailing headers follow the last one. */
static inline bool lst_internal_stream_is_signed(const struct lst_internal_stream *stream)
{
    return stream->payload != LST_PAYLOAD_STREAM_UNSIGNED_TRAILER;
}

static inline bool lst_internal_stream_has_trailer(const struct lst_internal_stream *stream)
{
    return stream->payload != LST_PAYLOAD_STREAM_SIGNED;
}

/* The line that is being collected. */
static inline struct lst_slice lst_internal_stream_line(const struct lst_internal_stream *stream)
{
    return (struct lst_slice){stream->text + stream->text_length, stream->line_length};
}

/*
 * The signature of a chunk, or of the trailing headers, and whether it is the one claimed. When it
 * is, it becomes the previous signature. LST_REFUSED_CHUNK_SIGNATURE, _TRAILER_SIGNATURE.
 */
LST_MUST_CHECK int lst_internal_stream_check_chunk(struct lst_internal_stream *stream);
LST_MUST_CHECK int lst_internal_stream_check_trailers(const struct lst_internal_stream *stream,
                                                      struct lst_slice claimed);

/*
 * A line of the trailer part, without its line end: keeps a trailing header, or checks the
 * signature over all. *ret_last: nothing more is to come. LST_REFUSED_TRAILER_*.
 */
LST_MUST_CHECK int lst_internal_stream_take_trailer(struct lst_internal_stream *stream,
                                                    struct lst_slice line, bool *ret_last);

#endif
