/*
 * log.h - the access log: one line for each request, as text or as JSON.
 *
 * Lines go into memory and are written by a thread of their own, once a second or when 64 KiB have
 * come together, so that a slow disk holds no worker. When the disk falls behind by 1 MiB, lines
 * are dropped and counted, as are those that can't be written: the disk is full, or nobody reads
 * the pipe. No line ever has a signature, a secret, a token or a query string.
 *
 * Threads: any for lst_log_write() and lst_log_dropped(), one for the rest.
 */
#ifndef LST_SERVER_LOG_H
#define LST_SERVER_LOG_H

#include "base/buffer.h"
#include "base/error.h"

struct lst_log;

struct lst_log_options {
    const char *path; /* a file (made 0640, appended to), "-" for standard output, "off" */
    bool json;
};

struct lst_log_line {
    int64_t time_ms;
    struct lst_slice peer;
    const char *user;          /* "" where there is none, as all strings here */
    const char *access_key_id; /* as the client sent it: it may be anything */
    const char *signed_by;     /* "query", "header", "form", "v2-query", ..., "none" */
    const char *operation;     /* "PutObject" */
    struct lst_slice bucket;   /* decoded; escaped in the line */
    struct lst_slice key;
    int status;         /* HTTP; 499 when the client was gone before there was one */
    const char *error;  /* S3's code */
    const char *reason; /* for people */
    uint64_t bytes_in;
    uint64_t bytes_out;
    uint64_t duration_us;
    struct lst_slice id;
};

/* LST_ERR_PERMISSION, _NOT_FOUND, _IO, _NO_MEMORY. */
LST_MUST_CHECK int lst_log_open(const struct lst_log_options *options, struct lst_log **ret_log);

/* Write what is left and stop. NULL does nothing. */
void lst_log_close(struct lst_log *log);

void lst_log_write(struct lst_log *log, const struct lst_log_line *line);

/* Open the file anew, after it was moved away (SIGHUP). If that fails the old file stays in use. */
LST_MUST_CHECK int lst_log_reopen(struct lst_log *log);

/* Lines that were dropped since the start. */
uint64_t lst_log_dropped(const struct lst_log *log);

/* The line itself, with its newline; for lst_log_write() and for tests. */
void lst_log_format_text(struct lst_buffer *out, const struct lst_log_line *line);
void lst_log_format_json(struct lst_buffer *out, const struct lst_log_line *line);

#endif
