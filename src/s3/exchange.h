/*
 * exchange.h - one exchange as the files of this folder see it.
 *
 * An operation is one function, which its row of the table names (operations.h). It runs on a fiber
 * (running.h) when the head of the request was read and its signer may do this. It reads the body,
 * if there is one (lst_body_next(), lst_document_read()), writes to the store and waits for that
 * (lst_s3_write_wait()), and answers (lst_s3_answer_*(), lst_s3_fail*()).
 */
#ifndef LST_S3_EXCHANGE_H
#define LST_S3_EXCHANGE_H

#include "s3/errors.h"
#include "s3/operations.h"
#include "s3/routes.h"
#include "s3/running.h"
#include "s3/s3.h"

#define LST_S3_HOST_ID_LENGTH 44 /* base64 of 32 bytes: x-amz-id-2 */

struct lst_approval;
struct lst_approver;
struct lst_body;
struct lst_constraints;
struct lst_content_pool;
struct lst_cors_cache;
struct lst_counted_use;
struct lst_post;

struct lst_s3 {
    struct lst_s3_options options;
    const struct lst_rules *rules;    /* the gate's, for the texts of refusals */
    struct lst_content_pool *content; /* for what x-latch-sniff asks */
    struct lst_cors_cache *cors;
    const struct lst_approver *approver; /* approval.h; NULL: nobody is asked */
    char host_id[LST_S3_HOST_ID_LENGTH]; /* of this process: x-amz-id-2, HostId */
};

struct lst_s3_exchange {
    struct lst_s3 *s3;
    const struct lst_http_request *request;
    struct lst_waiting waiting;
    struct lst_running running; /* the operation, on its fiber */

    struct lst_passage passage;
    struct lst_target target;
    bool has_version;
    struct lst_slice version;              /* versionId; empty if there is none */
    const struct lst_operation *operation; /* NULL until routed, or if there is none */
    struct lst_http_response response;
    struct lst_s3_result *result; /* of a call; NULL: it is none */
    const char *error;            /* S3's code, "" on success */
    bool is_final;                /* nothing is added to the response any more */
    bool is_unknown;              /* what it was to change may have changed, and nobody was told */
    struct lst_buffer reason;     /* ends in NUL when it is not empty */
    uint64_t bytes_in;

    struct lst_constraints *constraints; /* its x-latch- parameters; NULL if there are none */
    struct lst_counted_use *use;         /* of its x-latch-id; NULL if there is none */
    struct lst_approval *approval;       /* of the object that it makes; NULL: none is needed */
    int64_t form_expires;                /* seconds; of a form, when its policy ends */
    struct lst_body *body;               /* of operations that take one */
    struct lst_post *post;               /* of PostObject: the form that the body is in */
    struct lst_store_write write;        /* the last one */
    bool has_written;                    /* it went well */
    void *work;                          /* the operation's own, freed by free_work() */
    void (*free_work)(void *work);

    char room[]; /* for the decoded path: as many bytes as it has */
};

/* ---- Looking at the request */

static inline bool lst_s3_is_head(const struct lst_s3_exchange *exchange)
{
    return lst_slice_equal(exchange->request->message.method, LST_SLICE("HEAD"));
}

/* A query parameter, decoded. False, with *ret_value empty, if there is none. */
bool lst_s3_parameter(const struct lst_s3_exchange *exchange, enum lst_parameter number,
                      struct lst_slice *ret_value);

/* The same for what may be a header or a parameter: see lst_http_option(). */
bool lst_s3_option(const struct lst_s3_exchange *exchange, enum lst_header number,
                   struct lst_slice *ret_value);

/* May the signer do what the operation needs permission for, to the target? False if not: it has
 * been answered. */
bool lst_s3_authorise(struct lst_s3_exchange *exchange);

/* The same once the body has arrived, which can take hours: is the key still active, the policy
 * still so, and the id of the URL not revoked? False if not: it has been answered. */
bool lst_s3_confirm(struct lst_s3_exchange *exchange);

/* An ETag without spaces around it and its quotes, if it has them. */
struct lst_slice lst_s3_unquote(struct lst_slice etag);

/* May the signer do this, to the bucket and key, now? */
bool lst_s3_is_allowed(struct lst_s3_exchange *exchange, const char *action, struct lst_slice key);

/* Could the signer do this to some key of the bucket, now? Before the body says which keys are
 * meant. */
bool lst_s3_could_be_allowed(struct lst_s3_exchange *exchange, const char *action);

/* False, having answered, if a header or parameter asks for something that may not be ignored: 501
 * for what is not implemented, 400 for what this operation does not heed, for a checksum of an
 * unknown kind, and for an option that is given as a header and in the query. */
bool lst_s3_check_options(struct lst_s3_exchange *exchange);

/* False, having answered, if the request names a version by an empty id, which would be none. */
bool lst_s3_check_version(struct lst_s3_exchange *exchange);

/* False, having answered, if x-amz-acl is none of S3's canned ACLs. */
bool lst_s3_check_acl_name(struct lst_s3_exchange *exchange);

/* False, having answered, if retention is to be bypassed: no bucket here has a lock. */
bool lst_s3_check_bypass(struct lst_s3_exchange *exchange);

/* ---- Answering */

/* Begin an answer: the status and the headers that every answer has. */
struct lst_http_response *lst_s3_answer_begin(struct lst_s3_exchange *exchange, int status);

/* Add x-amz-version-id, if there is one to be shown. */
void lst_s3_answer_version(struct lst_s3_exchange *exchange, const struct lst_version_id *version);

/* Add ETag; etag: without quotes. */
void lst_s3_answer_etag(struct lst_s3_exchange *exchange, struct lst_slice etag);

/* The answer is complete. */
void lst_s3_answer_end(struct lst_s3_exchange *exchange);

/* The answer is complete, and its body, in response.body, is XML. */
void lst_s3_answer_xml(struct lst_s3_exchange *exchange);

/* The whole answer to a write that says no more than the version it made, if it made one: 200, and
 * 204. */
void lst_s3_answer_done(struct lst_s3_exchange *exchange);
void lst_s3_answer_gone(struct lst_s3_exchange *exchange);

/* Answer with an error, in the table's words. */
void lst_s3_fail(struct lst_s3_exchange *exchange, enum lst_s3_error error);

/* In other words, and with further elements of the error's XML. message: NULL for the table's. */
void lst_s3_fail_with(struct lst_s3_exchange *exchange, enum lst_s3_error error,
                      const char *message, const struct lst_field *details, size_t detail_count);

/* The same with one element: InvalidArgument and others that say which. */
void lst_s3_fail_about(struct lst_s3_exchange *exchange, enum lst_s3_error error,
                       const char *message, const char *element, struct lst_slice text);

/* InvalidArgument, with the argument's name and value. */
void lst_s3_fail_argument(struct lst_s3_exchange *exchange, const char *message, const char *name,
                          struct lst_slice value);

/* That a continuation token was not given out. S3 does not show it. */
void lst_s3_fail_token(struct lst_s3_exchange *exchange);

/* The same, of a header, parameter or form field that was read. */
void lst_s3_fail_field(struct lst_s3_exchange *exchange, const char *message,
                       const struct lst_field *argument);

/* With how large it is, and how large it may be: Size, MaxSizeAllowed. */
void lst_s3_fail_size(struct lst_s3_exchange *exchange, enum lst_s3_error error, uint64_t size,
                      uint64_t allowed);

/* NotImplemented: "The <what> <name> is not implemented by Latchstring yet". */
void lst_s3_fail_not_implemented(struct lst_s3_exchange *exchange, const char *what,
                                 struct lst_slice name);

/* Answer for a code: of base/error.h, with the elements that belong to it (BucketName, Key,
 * Condition), or one of latchstring.h's refusals. */
void lst_s3_fail_code(struct lst_s3_exchange *exchange, int code);

/* Answer to a refused signature; in refusal.c. */
void lst_s3_refuse(struct lst_s3_exchange *exchange, int code);

/* The XML of an error, but for the elements that end it: see lst_s3_error_end(). */
struct lst_buffer *lst_s3_error_begin(struct lst_s3_exchange *exchange, int status,
                                      const char *code, struct lst_slice message);
void lst_s3_error_end(struct lst_s3_exchange *exchange);

/* Say why, for the log: one line, no secrets. */
void lst_s3_set_reason(struct lst_s3_exchange *exchange, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- Writing */

/* exchange->write, all new: for a call of the store. */
struct lst_store_write *lst_s3_write(struct lst_s3_exchange *exchange);

/* Wait for such a write: begun is what the call gave, and what comes of it what this gives. */
LST_MUST_CHECK int lst_s3_write_wait(struct lst_s3_exchange *exchange, int begun);

/* The same. False, having answered for its code, if the write has failed. */
bool lst_s3_has_written(struct lst_s3_exchange *exchange, int begun);

#endif
