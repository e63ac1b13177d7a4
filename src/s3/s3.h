/*
 * s3.h - the S3 protocol: a request in, a response out, on a store and behind a gate.
 *
 * Follows the "Amazon S3 API Reference"; docs/s3-compatibility.md says how far. The caller (the
 * server) drives one exchange for each request:
 *
 *   lst_s3_begin()     with the head. Nothing of the body is read before the signer is known and
 *                      allowed.
 *   lst_s3_body()      for each piece of the body, while the state is LST_S3_BODY.
 *   lst_s3_end()       when the body is complete (at once if there is none).
 *   lst_s3_response()  when the state is LST_S3_RESPOND.
 *   lst_s3_free()      in the end, also when the client is gone: an upload that was not finished
 *                      leaves nothing.
 *
 * An exchange is used by one thread at a time. Ask for its state after begin, body and end. If that
 * is LST_S3_PENDING it waits for another thread: the exchange is not to be touched, nor freed,
 * until it calls wake(), once, on another thread; then ask again. The operation goes on in
 * lst_s3_state(), on the thread that asks, so the answer may be any of the three. wake() is called
 * once for each time that lst_s3_state() has said LST_S3_PENDING.
 */
#ifndef LST_S3_S3_H
#define LST_S3_S3_H

#include "gate/gate.h"
#include "gate/ledger.h"
#include "http/request.h"
#include "http/response.h"
#include "s3/waiting.h"
#include "store/store.h"
#include "store/upload.h"

struct lst_s3;
struct lst_s3_exchange;

struct lst_s3_options {
    struct lst_store *store; /* all kept by the caller until lst_s3_close() */
    struct lst_gate *gate;
    struct lst_ledger *ledger; /* of x-latch-id and x-latch-uses; NULL: these are refused */
    struct lst_slice
        region; /* what GetBucketLocation and x-amz-bucket-region say; "us-east-1" if empty */
    const struct lst_slice *domains; /* virtual-host style: bucket.<domain>, without port */
    size_t domain_count;
    uint64_t body_max; /* bytes of one PUT; LST_STORE_SIZE_MAX if 0 */
};

LST_MUST_CHECK int lst_s3_open(const struct lst_s3_options *options, struct lst_s3 **ret_s3);
void lst_s3_close(struct lst_s3 *s3);

/*
 * Begin. request and all it points to must stay until lst_s3_free(). NULL if there is no memory. In
 * state LST_S3_RESPOND right after it, the body (if any) is not wanted: answer without reading it.
 */
struct lst_s3_exchange *lst_s3_begin(struct lst_s3 *s3, const struct lst_http_request *request,
                                     void (*wake)(void *context), void *context);

/* What a part of this server asks of S3 for somebody who has passed the gate. */
struct lst_s3_call {
    const struct lst_passage *caller; /* needed until lst_s3_begin_call() returns */
    struct lst_slice bucket;          /* both decoded, and valid until lst_s3_free() */
    struct lst_slice key;
    int64_t expires; /* seconds for which it counts as signed; its uses are remembered as long */
};

/* The answer to a call, as far as it is more than a status and a code. */
struct lst_s3_result {
    char upload_id[LST_UPLOAD_ID_LENGTH]; /* of CreateMultipartUpload, when that has gone well */
    char message[512];                    /* of an error; ends in NUL, cut there if need be */
};

/*
 * The same for a call: nothing is signed, taken apart or written as text for it. request: the
 * method, headers, parameters, and from where and when; its path and query are not looked at.
 * ret_result stays until lst_s3_free(), and is set when the state is LST_S3_RESPOND.
 */
struct lst_s3_exchange *lst_s3_begin_call(struct lst_s3 *s3, const struct lst_http_request *request,
                                          const struct lst_s3_call *call,
                                          struct lst_s3_result *ret_result,
                                          void (*wake)(void *context), void *context);
enum lst_s3_state lst_s3_state(struct lst_s3_exchange *exchange);
void lst_s3_body(struct lst_s3_exchange *exchange, struct lst_slice bytes);
void lst_s3_end(struct lst_s3_exchange *exchange);

/* The exchange's own; the server may take its file or body out of it, and add headers. */
struct lst_http_response *lst_s3_response(struct lst_s3_exchange *exchange);

/* What the access log and the metrics tell of it. Strings are constants or valid until
 * lst_s3_free(). */
struct lst_s3_record {
    const char *operation;     /* "PutObject"; "-" if it was not understood */
    const char *user;          /* "" if unknown */
    const char *signed_by;     /* "query", "header", "form", "v2-query" ..., "none" */
    const char *access_key_id; /* "" if unknown */
    const char *error;         /* S3's code, "" on success */
    const char
        *reason; /* why it was refused, one line, no secrets; "" if there is nothing more to say */
    struct lst_slice bucket; /* decoded */
    struct lst_slice key;
    uint64_t bytes_in; /* of the body, on the wire */
};
void lst_s3_record(const struct lst_s3_exchange *exchange, struct lst_s3_record *ret_record);

void lst_s3_free(struct lst_s3_exchange *exchange);

/*
 * An error outside any exchange (the server is full, the header section is too large), in S3's
 * shape. code: an S3 error code of the table in errors.c, "SlowDown". An unknown code is answered
 * as InternalError.
 */
void lst_s3_error_response(const struct lst_http_request *request, const char *code,
                           const char *message, struct lst_http_response *ret_response);

/* The same with further elements of the error's XML. message: NULL for the table's. */
void lst_s3_error_response_with(const struct lst_http_request *request, const char *code,
                                const char *message, const struct lst_field *details,
                                size_t detail_count, struct lst_http_response *ret_response);

#endif
