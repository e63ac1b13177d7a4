/*
 * head.h - the head of a request: from bytes on the wire to plain data. RFC 9112 sections 2 to 6.
 *
 * Pure: no allocation, no I/O, no clock. One pass over one contiguous buffer. It may be called
 * again each time more bytes have arrived, goes on where it stopped, and gives the same verdict
 * however the bytes were cut.
 *
 * Strict: whatever two servers in a row could understand differently is refused (RFC 9112 section
 * 11.2). Lines end in CR LF and nothing else; no line is folded; there is no white space before a
 * colon; names are tokens; values have no control characters but HTAB; there is one Host, and one
 * way of framing the body. No refusal leaves a connection that may be used again: where the next
 * request begins is not certain.
 */
#ifndef LST_HTTP_HEAD_H
#define LST_HTTP_HEAD_H

#include "http/names.h"

#define LST_HEAD_METHOD_MAX      32              /* bytes */
#define LST_HEAD_TARGET_MAX      LST_TARGET_MAX  /* bytes */
#define LST_HEAD_FIELDS_MAX      LST_HEADERS_MAX /* header lines */
#define LST_HEAD_SECTION_MAX     8192            /* bytes of all header lines, as S3 has it */
#define LST_HEAD_EMPTY_LINES_MAX 4               /* before the request line; they are passed over */

/* Bytes that a whole head may have: a buffer of that size holds every head that is not refused. */
#define LST_HEAD_MAX                                                                               \
    (2 * LST_HEAD_EMPTY_LINES_MAX + LST_HEAD_METHOD_MAX + LST_HEAD_TARGET_MAX +                    \
     (int)sizeof("  HTTP/1.1\r\n") - 1 + LST_HEAD_SECTION_MAX + 2)

/* What lst_http_head_read() says. The text, status and section of each refusal:
 * lst_http_head_refusal(). */
enum lst_http_head_verdict {
    LST_HEAD_COMPLETE,
    LST_HEAD_MORE, /* it is in order so far, and not complete */
    /* The request line. */
    LST_HEAD_BAD_LINE,        /* no "method SP target SP version CR LF" */
    LST_HEAD_METHOD_TOO_LONG, /* 501 */
    LST_HEAD_TARGET_TOO_LONG, /* 414 */
    LST_HEAD_BAD_TARGET,      /* none of the forms of RFC 9112 section 3.2, or not of this method */
    LST_HEAD_BAD_VERSION,     /* 505: HTTP, but of another major version */
    /* The headers. */
    LST_HEAD_BARE_LF,
    LST_HEAD_BARE_CR,
    LST_HEAD_FOLDED,
    LST_HEAD_SPACE_BEFORE_COLON,
    LST_HEAD_NO_COLON,
    LST_HEAD_BAD_NAME,
    LST_HEAD_BAD_VALUE, /* a control character */
    LST_HEAD_TOO_LARGE, /* more than LST_HEAD_SECTION_MAX, or than LST_HEAD_FIELDS_MAX */
    /* What they mean. */
    LST_HEAD_NO_HOST,
    LST_HEAD_TWO_HOSTS,
    LST_HEAD_BAD_HOST,
    LST_HEAD_OTHER_HOST, /* of a target in absolute form, against the Host header */
    LST_HEAD_BAD_LENGTH,
    LST_HEAD_TWO_LENGTHS, /* equal ones too */
    LST_HEAD_TWO_FRAMINGS,
    LST_HEAD_BAD_CODING,     /* Transfer-Encoding that does not end in one "chunked" */
    LST_HEAD_UNKNOWN_CODING, /* 501: a coding beside chunked */
    LST_HEAD_OLD_CODING,     /* Transfer-Encoding in HTTP/1.0 */
    LST_HEAD_VERDICTS,       /* their number */
};

enum lst_http_head_form {
    LST_HEAD_ORIGIN,   /* "/path?query" */
    LST_HEAD_ABSOLUTE, /* "http://host/path?query": target, path and query are those of the rest */
    LST_HEAD_ASTERISK, /* "*": of OPTIONS alone; path is "*" */
};

/*
 * A head, and how far it was read. Slices point into the bytes that were handed in. After a refusal
 * method and target are set if the request line was in order, and empty if not; nothing else
 * counts.
 */
struct lst_http_head {
    struct lst_slice method;
    struct lst_slice target; /* path and query, as they arrived */
    struct lst_slice path;
    struct lst_slice query;   /* after the '?'; NULL if there is none */
    struct lst_slice host;    /* the value of Host; empty if there is none (HTTP/1.0) */
    struct lst_field *fields; /* the caller's: each line, in order; values without blanks around */
    uint8_t *numbers;         /* the caller's: enum lst_header, of each line */
    size_t field_count;
    bool may_repeat;         /* a name may stand twice; if not, none does */
    uint64_t content_length; /* 0 unless has_content_length */
    enum lst_http_head_form form;
    bool is_old; /* HTTP/1.0 */
    bool has_content_length;
    bool is_chunked;       /* the body is framed in chunks: chunked.h */
    bool keeps_connection; /* the client wants it, by its version and Connection */
    bool expects_continue; /* Expect: 100-continue, of HTTP/1.1 */
    size_t length;         /* bytes of the whole head, once it is complete */
    /* Private. */
    enum lst_http_head_verdict verdict;
    struct lst_slice authority; /* of a target in absolute form */
    bool has_host;
    bool has_coding;
    bool says_close;
    bool says_keep_alive;
    bool has_seen[LST_HEADERS_KNOWN]; /* by number */
    uint64_t has_seen_others;         /* a bit for each name that has none, of 64 */
    uint8_t empty_lines;
    uint32_t line;    /* where the line begins that is not complete */
    uint32_t section; /* where the headers begin; 0: the request line is not complete */
};

/* Begin a head. fields, numbers: room for LST_HEAD_FIELDS_MAX lines, which stays the same until it
 * is complete and is the caller's after that. */
void lst_http_head_begin(struct lst_http_head *head, struct lst_field *fields, uint8_t *numbers);

/*
 * Read on. bytes: from the first of this head on, all that has arrived; what is behind its end is
 * not looked at. They are written to in one case: a target in absolute form without a path gets
 * one. After a refusal every later call gives the same verdict.
 */
LST_MUST_CHECK enum lst_http_head_verdict lst_http_head_read(struct lst_http_head *head,
                                                             char *bytes, size_t length);

/* The bytes have moved: all slices now point into the same places of the copy. */
void lst_http_head_move(struct lst_http_head *head, const char *from, const char *to);

/* What the server answers to a refusal. All pointers are to constants. */
struct lst_http_head_refusal {
    int status;
    const char *code;    /* of S3's error document */
    const char *message; /* what is wrong, without a full stop; NULL: S3's own text */
    const char *section; /* of the RFC that wants it so, such as "RFC 9112, 5.1" */
};

/* verdict: not COMPLETE and not MORE. */
const struct lst_http_head_refusal *lst_http_head_refusal(enum lst_http_head_verdict verdict);

#endif
