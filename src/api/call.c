/* call.c - a request to the store that the API makes itself, for a caller. */
#include "api/call.h"

#include "api/sign.h"
#include "s3/xml_read.h"

#include <stdio.h>
#include <stdlib.h>

/* It is used at once, so a URL that lives longer than that would be good for nothing. */
enum { LIFE = 60, TEXT_MAX = 4096 };

struct lst_call {
    struct lst_http_request request;
    struct lst_http_room room;
    struct lst_field headers[LST_CALL_HEADERS_MAX + 1];
    struct lst_buffer url;   /* the request's slices point into it */
    struct lst_buffer texts; /* the headers' likewise, and what is decoded of the query */
    struct lst_buffer body;
    bool is_fed; /* the body was handed over */
    bool is_ended;
    struct lst_s3_exchange *inner;
    void (*done)(struct lst_api_exchange *exchange, const struct lst_call_answer *answer);
    char message[LST_CALL_MESSAGE_MAX];
};

void lst_call_free(struct lst_call *call)
{
    if (call != NULL) {
        lst_s3_free(call->inner);
        lst_buffer_release(&call->url);
        lst_buffer_release(&call->texts);
        lst_buffer_release(&call->body);
        free(call);
    }
}

/* ---- The request */

static int sign(const struct lst_api_exchange *exchange, const struct lst_call_request *request,
                struct lst_buffer *url)
{
    return lst_api_sign(exchange, &exchange->bearer,
                        (struct lst_signing){.method = request->method,
                                             .bucket = request->bucket,
                                             .key = request->key,
                                             .query = request->query,
                                             .query_count = request->query_count,
                                             .headers = request->headers,
                                             .header_count = request->header_count,
                                             .time = lst_api_now(exchange),
                                             .expires = LIFE},
                        url);
}

/* Take the signed URL apart: https://HOST/PATH?QUERY */
static void set_target(struct lst_http_request *request, struct lst_slice url)
{
    size_t scheme = lst_slice_find_slice(url, LST_SLICE("://"));
    struct lst_slice rest = lst_slice_after(url, scheme + 3);
    size_t slash = lst_slice_find(rest, '/');

    request->host = lst_slice_first(rest, slash);
    request->message.target = lst_slice_after(rest, slash);
    request->path =
        lst_slice_first(request->message.target, lst_slice_find(request->message.target, '?'));
    request->query = lst_slice_after(request->message.target, request->path.length + 1);
}

/* A copy of the text, which stays where it is: room for all has been reserved. */
static struct lst_slice keep(struct lst_buffer *texts, struct lst_slice text)
{
    size_t at = texts->length;

    lst_buffer_append(texts, text);
    return lst_slice_make(texts->bytes + at, text.length);
}

static int set_headers(struct lst_call *call, const struct lst_call_request *request)
{
    size_t size = call->request.host.length + sizeof("Host") + call->request.query.length;

    for (size_t i = 0; i < request->header_count; i++) {
        size += request->headers[i].name.length + request->headers[i].value.length;
    }
    if (lst_buffer_reserve(&call->texts, size) == NULL) {
        return lst_buffer_status(&call->texts);
    }
    for (size_t i = 0; i < request->header_count; i++) {
        call->headers[i].name = keep(&call->texts, request->headers[i].name);
        call->headers[i].value = keep(&call->texts, request->headers[i].value);
    }
    call->headers[request->header_count] =
        (struct lst_field){LST_SLICE("Host"), call->request.host};
    call->request.message.headers = call->headers;
    call->request.message.header_count = request->header_count + 1;
    lst_http_request_read(&call->request, &call->room, call->texts.bytes + call->texts.length,
                          false);
    return LST_OK;
}

static int make_request(const struct lst_api_exchange *exchange,
                        const struct lst_call_request *wanted, struct lst_call *call)
{
    struct lst_http_request *request = &call->request;
    int status = sign(exchange, wanted, &call->url);

    if (status != LST_OK) {
        return status;
    }
    *request = *exchange->request; /* from there, at that time */
    request->message = (struct lst_request){.method = wanted->method};
    request->forwarded_host = LST_SLICE("");
    set_target(request, lst_buffer_slice(&call->url));
    lst_buffer_append(&call->body, wanted->body);
    request->has_content_length = true;
    request->content_length = wanted->body.length;
    request->is_chunked = false;
    status = set_headers(call, wanted);
    return status == LST_OK ? lst_buffer_status(&call->body) : status;
}

/* ---- The answer */

static int read_error(void *context, const char *path, struct lst_slice text)
{
    struct lst_call *call = context;

    if (strcmp(path, "Error/Message") == 0) {
        (void)snprintf(call->message, sizeof(call->message), "%.*s", (int)text.length, text.bytes);
    }
    return LST_OK;
}

/* The call is put aside first, so that done() can make another. */
static void finish(struct lst_api_exchange *exchange)
{
    struct lst_call *call = exchange->call;
    const struct lst_http_response *response = lst_s3_response(call->inner);
    struct lst_s3_record record;
    struct lst_call_answer answer = {
        .status = response->status,
        .body = lst_buffer_slice(&response->body),
        .message = call->message,
    };

    lst_s3_record(call->inner, &record);
    answer.code = record.error;
    if (response->status >= 300 &&
        lst_xml_read(answer.body, TEXT_MAX, read_error, call) != LST_OK) {
        call->message[0] = '\0';
    }
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
        lst_buffer_init(&call->url, LST_API_URL_MAX);
        lst_buffer_init(&call->texts, LST_API_URL_MAX);
        lst_buffer_init_charged(&call->body, LST_RESPONSE_BODY_MAX);
        call->done = done;
        status = request->header_count > LST_CALL_HEADERS_MAX
                     ? LST_ERR_INVALID_ARGUMENT
                     : make_request(exchange, request, call);
    }
    if (status == LST_OK) {
        call->inner = lst_s3_begin(exchange->api->options.s3, &call->request, wake, exchange);
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
