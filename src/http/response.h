/*
 * response.h - an HTTP response as plain data: decided below, sent by the server.
 */
#ifndef LST_HTTP_RESPONSE_H
#define LST_HTTP_RESPONSE_H

#include "base/buffer.h"

#define LST_RESPONSE_HEADERS_MAX (64 * 1024)        /* bytes, names and values */
#define LST_RESPONSE_BODY_MAX    (16 * 1024 * 1024) /* bytes in memory; objects come as files */

enum lst_body_kind {
    LST_BODY_NONE = 0,   /* no body, no Content-Length (204, 304) */
    LST_BODY_BYTES = 1,  /* the buffer */
    LST_BODY_FILE = 2,   /* a part of a file */
    LST_BODY_LENGTH = 3, /* the answer to HEAD: only the length is told */
    LST_BODY_STREAM = 4, /* so many bytes, read while they are sent */
};

/* Bytes that are not in one place. */
struct lst_http_stream {
    /* The next bytes, at most so many; *ret_length is 0 only at the end. A code other than 0 cuts
     * the answer off. May block for the time of a disk read. */
    int (*read)(void *context, char *out, size_t capacity, size_t *ret_length);
    void (*close)(void *context);
    void *context;
    /*
     * The file that the next bytes are in, which stays the stream's: *ret_length bytes of it, at
     * most so many, from *ret_offset on. The stream goes on behind them, and the file is there
     * until its next call. LST_ERR_NOT_FOUND: they are in no file; read() gives them. NULL: they
     * never are.
     */
    int (*file)(void *context, uint64_t most, int *ret_file, uint64_t *ret_offset,
                uint64_t *ret_length);
};

struct lst_http_response {
    int status;                /* 200 */
    struct lst_buffer headers; /* name NUL value NUL, in order */
    enum lst_body_kind kind;
    struct lst_buffer body; /* of BYTES */
    int file;               /* of FILE, -1 if none */
    void (*give_file)(
        void *owner); /* gives it back to whom it belongs; NULL: there is nothing to do */
    void *file_owner;
    uint64_t offset;               /* of FILE */
    uint64_t length;               /* bytes, of FILE, LENGTH and STREAM */
    struct lst_http_stream stream; /* of STREAM: owned; all NULL if none */
    bool close;                    /* close the connection after it */
};

void lst_http_response_init(struct lst_http_response *response);

/* Free all it owns and give back its file; it is as after init. */
void lst_http_response_release(struct lst_http_response *response);

/*
 * Add a header, after those that are there. In the value control characters become spaces, so that
 * stored text can't split a response or make it impossible to send; a header whose name is no token
 * is left out. Running out of memory is kept in headers.status.
 */
void lst_http_response_add(struct lst_http_response *response, const char *name,
                           struct lst_slice value);
void lst_http_response_add_field(struct lst_http_response *response, struct lst_slice name,
                                 struct lst_slice value);
void lst_http_response_add_number(struct lst_http_response *response, const char *name,
                                  uint64_t number);

/* Remove every header of that name, in any case. */
void lst_http_response_remove(struct lst_http_response *response, const char *name);

/* Walk the headers: `size_t at = 0; while (lst_http_response_next(response, &at, &name, &value))`;
 * both end in NUL. */
bool lst_http_response_next(const struct lst_http_response *response, size_t *at,
                            const char **ret_name, const char **ret_value);

#endif
