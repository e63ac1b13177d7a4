/*
 * call.h - an operation of the store that the API carries out itself, for a caller.
 *
 * The API changes objects as everybody does: by S3's operations, which the same gate, policies,
 * constraints and ledger let through or refuse. A call is no URL, though: it is handed to the S3
 * protocol (s3/s3.h) with the caller's passage, and nothing of it is signed or taken apart. Nobody
 * waits for it.
 *
 * One call at a time for each exchange; the next can be made when done() is told of the last. The
 * exchange must not have been answered, and is not to be answered until then.
 */
#ifndef LST_API_CALL_H
#define LST_API_CALL_H

#include "api/exchange.h"

#define LST_CALL_HEADERS_MAX 4

/* Everything is decoded, and copied. */
struct lst_call_request {
    struct lst_slice method; /* a constant */
    struct lst_slice bucket;
    struct lst_slice key;
    const struct lst_field *query; /* subresources and x-latch- parameters */
    size_t query_count;
    const struct lst_field *headers;
    size_t header_count;
    struct lst_slice body;
};

/* Valid during done(). */
struct lst_call_answer {
    int status;                 /* of HTTP */
    struct lst_slice upload_id; /* of CreateMultipartUpload, when the status is 200 */
    const char *code;           /* of an error, a constant: "NoSuchUpload"; else "" */
    const char *message;        /* of an error; else "" */
};

/*
 * Make a call. done() is called once, on the exchange's thread: before this returns, or when the
 * call is over. It answers the exchange, or makes another call. False: the call can't be made, the
 * exchange has been answered, and done() will not be called.
 */
bool lst_call(struct lst_api_exchange *exchange, const struct lst_call_request *request,
              void (*done)(struct lst_api_exchange *exchange,
                           const struct lst_call_answer *answer));

/* Answer the exchange as the store answered: with the status of its error, its code and message.
 * One that nobody can do anything about becomes a 500. */
void lst_call_fail(struct lst_api_exchange *exchange, const struct lst_call_answer *answer);

/* NULL does nothing. Not while it is under way. */
void lst_call_free(struct lst_call *call);

#endif
