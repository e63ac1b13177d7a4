/* reply.c - the head of an answer. */
#include "server/reply.h"

static const struct {
    int status;
    const char *phrase;
} phrases[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

const char *lst_reply_phrase(int status)
{
    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
        if (phrases[i].status == status) {
            return phrases[i].phrase;
        }
    }
    return "Unknown";
}

/* All headers at once: each NUL becomes two bytes. */
static void append_headers(struct lst_buffer *out, const struct lst_http_response *response)
{
    const char *from = response->headers.bytes;
    const char *end = from + response->headers.length;
    char *to = lst_buffer_reserve(out, 2 * response->headers.length);
    const char *begin = to;
    bool is_name = true;

    while (to != NULL && from < end) {
        size_t length = strlen(from);

        memcpy(to, from, length);
        memcpy(to + length, is_name ? ": " : "\r\n", 2);
        to += length + 2;
        from += length + 1;
        is_name = !is_name;
    }
    if (to != NULL) {
        out->length += (size_t)(to - begin);
    }
}

static void append_length(struct lst_buffer *out, const struct lst_http_response *response,
                          bool is_head)
{
    uint64_t length = response->kind == LST_BODY_BYTES  ? response->body.length
                      : response->kind == LST_BODY_NONE ? 0
                                                        : response->length;

    if (response->status == 204 ||
        (response->kind == LST_BODY_NONE && (is_head || response->status == 304))) {
        return;
    }
    lst_buffer_append(out, LST_SLICE("Content-Length: "));
    lst_buffer_append_number(out, length);
    lst_buffer_append(out, LST_SLICE("\r\n"));
}

void lst_reply_format(const struct lst_http_response *response, bool is_head, bool is_old,
                      const char *date, struct lst_buffer *out)
{
    lst_buffer_append(out, LST_SLICE("HTTP/1.1 "));
    lst_buffer_append_number(out, (uint64_t)response->status);
    lst_buffer_append_byte(out, ' ');
    lst_buffer_append_string(out, lst_reply_phrase(response->status));
    lst_buffer_append(out, LST_SLICE("\r\nDate: "));
    lst_buffer_append(out, lst_slice_make(date, LST_HTTP_DATE_LENGTH));
    lst_buffer_append(out, LST_SLICE("\r\n"));
    if (response->close) {
        lst_buffer_append(out, LST_SLICE("Connection: close\r\n"));
    } else if (is_old) {
        lst_buffer_append(out, LST_SLICE("Connection: keep-alive\r\n"));
    }
    if (response->headers.length > 0) {
        append_headers(out, response);
    }
    lst_buffer_append(out, LST_SLICE("Server: Latchstring\r\n"));
    append_length(out, response, is_head);
    lst_buffer_append(out, LST_SLICE("\r\n"));
}
