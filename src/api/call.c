/* call.c - a request to the store that the API makes itself, for a caller. */
#include "api/call.h"

#include <stdlib.h>

/* Seconds for which it counts as signed. It is made at once. */
enum { LIFE = 60 };

struct lst_call {
    struct lst_http_request request;
    struct lst_http_room room;
    struct lst_field headers[LST_CALL_HEADERS_MAX];
    struct lst_slice bucket;
    struct lst_slice key;
    struct lst_buffer texts; /* all that the slices point into */
    struct lst_buffer body;
    bool is_fed; /* the body was handed over */
    bool is_ended;
    struct lst_s3_exchange *inner;
    void (*done)(struct lst_api_exchange *exchange, const struct lst_call_answer *answer);
    struct lst_s3_result result;
};

void lst_call_free(struct lst_call *call)
{
    if (call != NULL) {
        lst_s3_free(call->inner);
        lst_buffer_release(&call->texts);
        lst_buffer_release(&call->body);
        free(call);
    }
}

/* ---- The request */

/* A copy of the text, which stays where it is: room for all has been reserved. */
static struct lst_slice keep(struct lst_buffer *texts, struct lst_slice text)
{
    size_t at = texts->length;

    lst_buffer_append(texts, text);
    return lst_slice_make(texts->bytes + at, text.length);
}

static struct lst_field keep_field(struct lst_buffer *texts, const struct lst_field *field)
{
    return (struct lst_field){keep(texts, field->name), keep(texts, field->value)};
}

static size_t size_of(const struct lst_field *fields, size_t count)
{
    size_t size = 0;

    for (size_t i = 0; i < count; i++) {
        size += fields[i].name.length + fields[i].value.length;
    }
    return size;
}

/* Keep all texts, and set the headers and parameters. */
static int set_texts(struct lst_call *call, const struct lst_call_request *wanted)
{
    struct lst_http_request *request = &call->request;
    size_t size = 1 + wanted->bucket.length + wanted->key.length +
                  size_of(wanted->headers, wanted->header_count) +
                  size_of(wanted->query, wanted->query_count);

    if (lst_buffer_reserve(&call->texts, size) == NULL) {
        return lst_buffer_status(&call->texts);
    }
    call->bucket = keep(&call->texts, wanted->bucket);
    call->key = keep(&call->texts, wanted->key);
    for (size_t i = 0; i < wanted->header_count; i++) {
        call->headers[i] = keep_field(&call->texts, &wanted->headers[i]);
    }
    request->message.headers = call->headers;
    request->message.header_count = wanted->header_count;
    lst_http_request_read(request, &call->room, NULL, false);
    for (size_t i = 0; i < wanted->query_count; i++) {
        struct lst_field parameter = keep_field(&call->texts, &wanted->query[i]);

        if (!lst_http_request_add_parameter(request, &call->room, parameter)) {
            return LST_ERR_TOO_LARGE;
        }
    }
    return LST_OK;
}

static int make_request(const struct lst_api_exchange *exchange,
                        const struct lst_call_request *wanted, struct lst_call *call)
{
    struct lst_http_request *request = &call->request;
    int status;

    *request = *exchange->request; /* from there, at that time */
    request->message = (struct lst_request){.method = wanted->method};
    request->path = LST_SLICE("");
    request->query = LST_SLICE("");
    request->forwarded_host = LST_SLICE("");
    request->has_content_length = true;
    request->content_length = wanted->body.length;
    request->is_chunked = false;
    status = set_texts(call, wanted);
    lst_buffer_append(&call->body, wanted->body);
    return status == LST_OK ? lst_buffer_status(&call->body) : status;
}

/* ---- The answer */

/* The call is put aside first, so that done() can make another. */
static void finish(struct lst_api_exchange *exchange)
{
    struct lst_call *call = exchange->call;
    const struct lst_http_response *response = lst_s3_response(call->inner);
    struct lst_s3_record record;
    struct lst_call_answer answer = {
        .status = response->status,
        .upload_id = lst_slice_make(call->result.upload_id, sizeof(call->result.upload_id)),
        .message = call->result.message,
    };

    lst_s3_record(call->inner, &record);
    answer.code = record.error;
    exchange->call = NULL;
    call->done(exchange, &answer);
    lst_call_free(call);
}

/* ---- The way there */

static void drive(struct lst_api_exchange *exchange);

static void go_on(void *owner)
{
    drive(owner);
}

static void wake(void *context)
{
    struct lst_api_exchange *exchange = context;

    lst_waiting_end(&exchange->waiting, go_on);
}

/* Up to where it waits for another thread, or to its end. That thread may be faster than this one,
 * so the exchange waits before it is asked whether it has to. */
static void drive(struct lst_api_exchange *exchange)
{
    struct lst_call *call = exchange->call;

    for (;;) {
        enum lst_s3_state state;

        lst_waiting_begin(&exchange->waiting);
        state = lst_s3_state(call->inner);
        if (state == LST_S3_PENDING) {
            return;
        }
        lst_waiting_cancel(&exchange->waiting);
        if (state == LST_S3_RESPOND || call->is_ended) {
            finish(exchange);
            return;
        }
        if (!call->is_fed && call->body.length > 0) {
            lst_s3_body(call->inner, lst_buffer_slice(&call->body));
        } else {
            lst_s3_end(call->inner);
            call->is_ended = true;
        }
        call->is_fed = true;
    }
}

bool lst_call(struct lst_api_exchange *exchange, const struct lst_call_request *request,
              void (*done)(struct lst_api_exchange *exchange, const struct lst_call_answer *answer))
{
    struct lst_call *call = calloc(1, sizeof(*call));
    int status = LST_ERR_NO_MEMORY;

    if (call != NULL) {
        lst_buffer_init(&call->texts, LST_API_URL_MAX);
        lst_buffer_init_charged(&call->body, LST_RESPONSE_BODY_MAX);
        call->done = done;
        status = request->header_count > LST_CALL_HEADERS_MAX
                     ? LST_ERR_INVALID_ARGUMENT
                     : make_request(exchange, request, call);
    }
    if (status == LST_OK) {
        call->inner = lst_s3_begin_call(exchange->api->options.s3, &call->request,
                                        &(struct lst_s3_call){.caller = &exchange->bearer.passage,
                                                              .bucket = call->bucket,
                                                              .key = call->key,
                                                              .expires = LIFE},
                                        &call->result, wake, exchange);
        status = call->inner == NULL ? LST_ERR_NO_MEMORY : LST_OK;
    }
    if (status != LST_OK) {
        lst_call_free(call);
        lst_api_fail_code(exchange, status);
        return false;
    }
    exchange->call = call;
    drive(exchange);
    return true;
}

void lst_call_fail(struct lst_api_exchange *exchange, const struct lst_call_answer *answer)
{
    bool is_told = (answer->status >= 400 && answer->status < 500) || answer->status == 503;

    if (is_told) { /* a 503 may say that it is not known what happened */
        lst_api_fail(exchange, answer->status, answer->code, "%s",
                     answer->message[0] != '\0' ? answer->message : answer->code);
    } else if (answer->status == 507) {
        lst_api_fail_code(exchange, LST_ERR_NO_SPACE);
    } else {
        lst_api_fail(exchange, 500, "InternalError", "The store answered %s", answer->code);
    }
}
