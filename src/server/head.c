/* head.c - the head of a request: from the library's lists to plain data. */
#include "server/exchange.h"

#include "base/clock.h"
#include "http/headers.h"
#include "http/media_type.h"
#include "server/forwarded.h"
#include "server/lines.h"

#include <stdio.h>
#include <stdlib.h>

static const char id_digits[] = "0123456789ABCDEF";

/* Where the walk over the headers is. */
struct gathering {
    struct lst_field *fields;
    size_t count;
    size_t capacity;
    size_t bytes;
    bool is_malformed;
    struct lst_lines lines;
};

static enum MHD_Result gather(void *context, enum MHD_ValueKind kind, const char *name,
                              size_t name_length, const char *value, size_t value_length)
{
    struct gathering *gathering = context;
    struct lst_field field = {lst_slice_make(name, name_length),
                              lst_slice_make(value, value == NULL ? 0 : value_length)};

    (void)kind;
    gathering->bytes += name_length + value_length + sizeof(": \r\n") - 1;
    /* A space before the colon would hide a header from one of two servers in a row. */
    gathering->is_malformed |= !lst_http_is_token(field.name);
    lst_lines_take(&gathering->lines, field.name, field.value);
    if (gathering->count < gathering->capacity) {
        field.value = lst_slice_trim(field.value);
        gathering->fields[gathering->count] = field;
    }
    gathering->count++;
    return MHD_YES;
}

static size_t head_size(const struct lst_exchange *exchange)
{
    const union MHD_ConnectionInfo *information =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    return information == NULL ? 0 : information->header_size;
}

static void gather_headers(struct lst_exchange *exchange, const struct lst_request_line *line,
                           struct gathering *gathering)
{
    int count = MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, NULL, NULL);

    *gathering = (struct gathering){.fields = exchange->fields, .capacity = LST_EXCHANGE_FIELDS};
    if (count > LST_EXCHANGE_FIELDS && count <= LST_HEADERS_MAX) {
        exchange->more_fields = calloc((size_t)count, sizeof(struct lst_field));
        if (exchange->more_fields != NULL) {
            gathering->fields = exchange->more_fields;
            gathering->capacity = (size_t)count;
        }
    }
    lst_lines_begin(&gathering->lines, line, exchange->target_length);
    (void)MHD_get_connection_values_n(exchange->connection, MHD_HEADER_KIND, gather, gathering);
    gathering->is_malformed |= !lst_lines_end(&gathering->lines, head_size(exchange));
    exchange->request.message.headers = gathering->fields;
    exchange->request.message.header_count =
        gathering->count < gathering->capacity ? gathering->count : gathering->capacity;
}

/* How many headers have that name; *ret_value is the first one's. */
static size_t count_headers(const struct lst_http_request *request, struct lst_slice name,
                            struct lst_slice *ret_value)
{
    size_t count = 0;

    for (size_t i = 0; i < request->message.header_count; i++) {
        const struct lst_field *header = &request->message.headers[i];

        if (lst_slice_equal_ignoring_case(header->name, name) && count++ == 0) {
            *ret_value = header->value;
        }
    }
    return count;
}

/*
 * How the body is framed. Whatever two servers in a row could understand differently is refused
 * (RFC 9112, section 6.3, and 11.2 on request smuggling): the library itself would take the first
 * of two lengths, and prefer Transfer-Encoding to any. NULL, or what is wrong.
 */
static const char *read_framing(struct lst_http_request *request)
{
    struct lst_slice length = {NULL, 0};
    struct lst_slice encoding = {NULL, 0};
    struct lst_slice host = {NULL, 0};
    size_t lengths = count_headers(request, LST_SLICE("Content-Length"), &length);
    size_t encodings = count_headers(request, LST_SLICE("Transfer-Encoding"), &encoding);

    if (count_headers(request, LST_SLICE("Host"), &host) > 1) {
        return "There is more than one Host header.";
    }
    request->host = host;
    if (lengths > 1 || encodings > 1 || (lengths > 0 && encodings > 0)) {
        return "There is more than one of the headers Content-Length and Transfer-Encoding.";
    }
    if (encodings > 0 && !lst_slice_equal_ignoring_case(encoding, LST_SLICE("chunked"))) {
        return "The only Transfer-Encoding that is understood is chunked.";
    }
    if (lengths > 0 && !lst_slice_to_number(length, INT64_MAX, &request->content_length)) {
        return "Content-Length is not a number.";
    }
    request->has_content_length = lengths > 0;
    request->is_chunked = encodings > 0;
    return NULL;
}

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
static void join_headers(struct lst_exchange *exchange, struct gathering *gathering)
{
    struct lst_slice repeated;
    char text[160];
    int status = lst_headers_join(gathering->fields, &exchange->request.message.header_count,
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
    char allowed[24];
    struct lst_field detail = {LST_SLICE("MaxSizeAllowed"), {allowed, 0}};

    detail.value.length = (size_t)snprintf(allowed, sizeof(allowed), "%d", LST_HEADER_SECTION_MAX);
    refuse_head(exchange, code, NULL);
    lst_http_response_release(&exchange->own_response);
    lst_s3_error_response_with(&exchange->request, code, NULL, &detail, 1, &exchange->own_response);
    exchange->own_response.close = true;
}

void lst_exchange_read_head(struct lst_exchange *exchange, const struct lst_request_line *line)
{
    struct lst_http_request *request = &exchange->request;
    struct lst_slice target = lst_slice_make(exchange->target, exchange->target_length);
    size_t question = lst_slice_find(target, '?');
    struct gathering gathering;
    bool is_old = strcmp(line->version, "HTTP/1.0") == 0;
    const char *problem;

    request->message.method = lst_slice_of(exchange->method);
    request->message.target = target;
    request->path = lst_slice_first(target, question);
    request->query = lst_slice_after(target, question + 1);
    request->peer = lst_slice_of(exchange->peer->address);
    request->secure = exchange->server->tls_certificate != NULL;
    request->received_ms = lst_clock_now_ms();
    make_id(exchange->server, request->id);
    gather_headers(exchange, line, &gathering);
    problem = read_framing(request);
    if (gathering.count > gathering.capacity || gathering.bytes > LST_HEADER_SECTION_MAX) {
        refuse_large_head(exchange);
    } else if (gathering.is_malformed) {
        refuse_head(exchange, "BadRequest",
                    "The head is not as HTTP wants it: one space on either side of the target, "
                    "lines that end in CR LF and are not folded, and no white space, control or "
                    "other odd character in the target and in the names of headers.");
    } else if (problem != NULL) {
        refuse_head(exchange, "BadRequest", problem);
    } else if (is_old && request->is_chunked) {
        refuse_head(exchange, "BadRequest", "HTTP/1.0 has no Transfer-Encoding.");
    } else if (request->host.length == 0 && !is_old) {
        refuse_head(exchange, "BadRequest", "There is no Host header.");
    }
    if (!exchange->is_bad_head) {
        join_headers(exchange, &gathering);
    }
    if (!exchange->is_bad_head && exchange->peer->is_proxy) {
        believe_proxy(exchange);
    }
    exchange->expects_100 = lst_slice_equal_ignoring_case(
        lst_http_header(request, LST_SLICE("Expect")), LST_SLICE("100-continue"));
}
