/* error_response.c - an error outside any exchange: what the server itself refuses. */
#include "api/api.h"
#include "api/link_opening.h"
#include "s3/errors.h"

static void add_text(struct lst_http_response *response, const char *message)
{
    lst_http_response_add(response, "Content-Type", LST_SLICE("text/plain; charset=utf-8"));
    lst_buffer_append_string(&response->body, message);
    lst_buffer_append_byte(&response->body, '\n');
}

/* In quotes. It is the server's own text, which needs no escapes but for what a request puts into
 * it. */
static void append_quoted(struct lst_buffer *body, const char *text)
{
    lst_buffer_append_byte(body, '"');
    for (; *text != '\0'; text++) {
        bool is_plain = *text >= ' ' && *text <= '~' && *text != '"' && *text != '\\';

        lst_buffer_append_byte(body, is_plain ? *text : '?');
    }
    lst_buffer_append_byte(body, '"');
}

/* {"error":{"code":CODE,"message":MESSAGE}}; for Uppy, which shows the one or the other,
 * {"error":MESSAGE,"message":MESSAGE}. */
static void add_json(struct lst_http_response *response, bool is_uppy, const char *code,
                     const char *message)
{
    struct lst_buffer *body = &response->body;

    lst_http_response_add(response, "Content-Type", LST_SLICE("application/json"));
    lst_buffer_append_string(body, is_uppy ? "{\"error\":" : "{\"error\":{\"code\":");
    append_quoted(body, is_uppy ? message : code);
    lst_buffer_append_string(body, ",\"message\":");
    append_quoted(body, message);
    lst_buffer_append_string(body, is_uppy ? "}\n" : "}}\n");
}

void lst_api_error_response(const struct lst_http_request *request, int status, const char *code,
                            const char *message, struct lst_http_response *ret_response)
{
    const struct lst_s3_error_row *row = lst_s3_error_row(lst_s3_error_named(code));
    struct lst_slice accept = lst_http_header(request, LST_HEADER_ACCEPT);

    message = message != NULL ? message : row->text;
    lst_http_response_init(ret_response);
    ret_response->status = status != 0 ? status : row->status;
    lst_http_response_add(ret_response, "Cache-Control", LST_SLICE("no-store"));
    if (lst_slice_equal(request->message.method, LST_SLICE("HEAD"))) {
        return;
    }
    ret_response->kind = LST_BODY_BYTES;
    if (lst_slice_starts_with(request->path, LST_SLICE(LST_LINKS_PATH)) &&
        lst_link_reader(accept) != LST_LINK_PROGRAM) {
        add_text(ret_response, message);
    } else {
        add_json(ret_response,
                 lst_slice_starts_with(request->path, LST_SLICE(LST_API_PATH "uppy/")), code,
                 message);
    }
}
