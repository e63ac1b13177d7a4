/* head.c - the head of a request: from what was read to what is handed down. */
#include "server/exchange.h"

#include "api/api.h"
#include "base/clock.h"
#include "http/headers.h"
#include "server/forwarded.h"

#include <stdio.h>

static const char id_digits[] = "0123456789ABCDEF";

/* What a configured proxy says of the client. */
static void believe_proxy(struct lst_exchange *exchange)
{
    struct lst_http_request *request = &exchange->request;
    struct lst_forwarded forwarded;

    lst_forwarded_read(request, exchange->server->proxies,
                       exchange->server->config->trusted_proxies.count, &forwarded);
    if (forwarded.client.length > 0) {
        request->peer = forwarded.client;
    }
    if (forwarded.proto != LST_PROTO_NOT_SAID) {
        request->secure = forwarded.proto == LST_PROTO_TLS;
    }
    request->forwarded_host = forwarded.host;
}

static void make_id(struct lst_server *server, char ret_id[LST_REQUEST_ID_LENGTH])
{
    uint64_t number =
        server->id_base + atomic_fetch_add_explicit(&server->id_count, 1, memory_order_relaxed);

    for (size_t i = LST_REQUEST_ID_LENGTH; i > 0; i--) {
        ret_id[i - 1] = id_digits[number & 15];
        number >>= 4;
    }
}

static void refuse_head(struct lst_exchange *exchange, const char *code, const char *message)
{
    lst_exchange_refuse(exchange, code, message);
    exchange->is_bad_head = true;
    exchange->own_response.close = true;
}

/* From here on every name stands once among the headers. */
static void join_headers(struct lst_exchange *exchange)
{
    struct lst_slice repeated;
    char text[160];
    int status = lst_headers_join(exchange->fields, &exchange->request.message.header_count,
                                  &exchange->joined, &repeated);

    if (status == LST_ERR_EXISTS) {
        repeated = lst_slice_first(repeated, 100);
        (void)snprintf(text, sizeof(text), "There is more than one %.*s header.",
                       (int)repeated.length, repeated.bytes);
        refuse_head(exchange, "BadRequest", text);
    } else if (status != LST_OK) {
        refuse_head(exchange, "SlowDown", NULL);
    }
}

static void refuse_large_head(struct lst_exchange *exchange)
{
    const char *code = "RequestHeaderSectionTooLarge";
    char text[64];
    char allowed[24];
    struct lst_field detail = {LST_SLICE("MaxSizeAllowed"), {allowed, 0}};

    if (exchange->head.field_count >= LST_HEAD_FIELDS_MAX) {
        (void)snprintf(text, sizeof(text), "The request has more than %d headers.",
                       LST_HEAD_FIELDS_MAX);
        refuse_head(exchange, code, text);
        return;
    }
    detail.value.length = (size_t)snprintf(allowed, sizeof(allowed), "%d", LST_HEAD_SECTION_MAX);
    refuse_head(exchange, code, NULL);
    if (lst_api_handles(exchange->request.path)) {
        return; /* it has no details */
    }
    lst_http_response_release(&exchange->own_response);
    lst_s3_error_response_with(&exchange->request, code, NULL, &detail, 1, &exchange->own_response);
    exchange->own_response.close = true;
}

static void refuse_verdict(struct lst_exchange *exchange, enum lst_http_head_verdict verdict)
{
    const struct lst_http_head_refusal *refusal = lst_http_head_refusal(verdict);
    char text[256];

    if (verdict == LST_HEAD_TOO_LARGE) {
        refuse_large_head(exchange);
        return;
    }
    (void)snprintf(text, sizeof(text), "%s (%s).", refusal->message, refusal->section);
    refuse_head(exchange, refusal->code, text);
    exchange->own_response.status = refusal->status;
}

void lst_exchange_read_head(struct lst_exchange *exchange, enum lst_http_head_verdict verdict)
{
    const struct lst_http_head *head = &exchange->head;
    struct lst_http_request *request = &exchange->request;

    request->message.method = head->method;
    request->message.target = head->target;
    request->path = lst_slice_first(head->target, lst_slice_find(head->target, '?'));
    request->peer = lst_slice_of(exchange->peer->address);
    request->secure = exchange->server->tls != NULL;
    request->received_ms = lst_clock_now_ms();
    make_id(exchange->server, request->id);
    if (verdict != LST_HEAD_COMPLETE) {
        refuse_verdict(exchange, verdict);
        return;
    }
    request->path = head->path;
    request->query = head->query;
    request->host = head->host;
    request->message.headers = exchange->fields;
    request->message.header_count = head->field_count;
    request->has_content_length = head->has_content_length;
    request->content_length = head->content_length;
    request->is_chunked = head->is_chunked;
    if (head->may_repeat) {
        join_headers(exchange);
    }
    lst_http_request_read(request, &exchange->room, exchange->decoded, !head->may_repeat);
    if (!exchange->is_bad_head && exchange->peer->is_proxy) {
        believe_proxy(exchange);
    }
}
