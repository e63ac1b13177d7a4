/* answer.c - the answers of the API. */
#include "api/exchange.h"
#include "api/link_opening.h"
#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void lst_api_answer_end(struct lst_api_exchange *exchange)
{
    lst_http_response_add(&exchange->response, "Cache-Control", LST_SLICE("private, no-store"));
    if (lst_buffer_status(&exchange->response.headers) != LST_OK ||
        lst_buffer_status(&exchange->response.body) != LST_OK) {
        lst_http_response_release(&exchange->response);
        exchange->response.status = 503;
        exchange->response.kind = LST_BODY_BYTES;
    }
    lst_waiting_answer(&exchange->waiting);
}

static int append(const char *bytes, size_t length, void *buffer)
{
    lst_buffer_append(buffer, lst_slice_make(bytes, length));
    return lst_buffer_status(buffer) == LST_OK ? 0 : -1;
}

void lst_api_answer(struct lst_api_exchange *exchange, int status, json_t *json)
{
    struct lst_http_response *response = &exchange->response;

    if (json == NULL || json_dump_callback(json, append, &response->body, JSON_COMPACT) != 0) {
        json_decref(json);
        lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
        return;
    }
    json_decref(json);
    lst_buffer_append_byte(&response->body, '\n');
    response->status = status;
    response->kind = LST_BODY_BYTES;
    lst_http_response_add(response, "Content-Type", LST_SLICE("application/json"));
    lst_api_answer_end(exchange);
}

void lst_api_answer_nothing(struct lst_api_exchange *exchange)
{
    exchange->response.status = 204;
    exchange->response.kind = LST_BODY_NONE;
    lst_api_answer_end(exchange);
}

/* The first failure is the one that counts. */
static void fail_entry(json_t **ret_failure, int status, const char *code, const char *message)
{
    if (*ret_failure == NULL) {
        *ret_failure = json_pack("{s:i, s:{s:s, s:s}}", "status", status, "error", "code", code,
                                 "message", message);
    }
    if (*ret_failure == NULL) { /* no memory, or text that is not UTF-8 */
        *ret_failure = json_pack("{s:i, s:{s:s, s:s}}", "status", status, "error", "code", code,
                                 "message", code);
    }
}

/* Who opens a link reads it in a browser, unless he asks for JSON. */
static bool is_for_a_person(const struct lst_api_exchange *exchange)
{
    return exchange->place == LST_API_LINKS &&
           lst_link_reader(lst_http_header(exchange->request, LST_HEADER_ACCEPT)) !=
               LST_LINK_PROGRAM;
}

void lst_api_note_error(struct lst_api_exchange *exchange, const char *code, const char *message)
{
    exchange->error = code;
    lst_buffer_clear(&exchange->reason);
    lst_buffer_append_string(&exchange->reason, message);
    lst_buffer_append_byte(&exchange->reason, '\0');
}

void lst_api_fail(struct lst_api_exchange *exchange, int status, const char *code,
                  const char *format, ...)
{
    char message[1024];
    va_list arguments;
    json_t *json;

    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    if (exchange->entry_failure != NULL) {
        fail_entry(exchange->entry_failure, status, code, message);
        return;
    }
    lst_api_note_error(exchange, code, message);
    lst_buffer_clear(&exchange->response.body);
    if (is_for_a_person(exchange)) {
        lst_link_refuse(exchange, status, code, message);
        return;
    }
    /* Uppy shows the one or the other. */
    json = exchange->place == LST_API_UPPY
               ? json_pack("{s:s,s:s}", "error", message, "message", message)
               : json_pack("{s:{s:s,s:s}}", "error", "code", code, "message", message);
    if (json == NULL) { /* no memory, or text that is not UTF-8 */
        json = exchange->place == LST_API_UPPY ? json_pack("{s:s}", "error", code)
                                               : json_pack("{s:{s:s}}", "error", "code", code);
    }
    if (json == NULL) {
        exchange->response.status = status;
        exchange->response.kind = LST_BODY_BYTES;
        lst_api_answer_end(exchange);
        return;
    }
    lst_api_answer(exchange, status, json);
}

void lst_api_fail_busy(struct lst_api_exchange *exchange)
{
    lst_http_response_add(&exchange->response, "Retry-After", LST_SLICE("1"));
    lst_api_fail(exchange, 503, "SlowDown", "Too many passwords are being checked: try again");
}

void lst_api_fail_code(struct lst_api_exchange *exchange, int code)
{
    if (code == LST_ERR_NO_MEMORY || code == LST_ERR_NO_SPACE || code == LST_ERR_TOO_MANY_FILES) {
        lst_api_fail(exchange, 503, "SlowDown", "The server is short of %s: try again later",
                     code == LST_ERR_NO_SPACE    ? "space"
                     : code == LST_ERR_NO_MEMORY ? "memory"
                                                 : "open files");
    } else if (code == LST_ERR_UNKNOWN) {
        lst_api_fail(exchange, 503, "ServiceUnavailable",
                     "The disk failed while the change was synced. The change may or may not have "
                     "happened: call again in a moment, with the same Idempotency-Key if the call "
                     "has one");
    } else if (code == LST_ERR_ENDING) {
        lst_api_fail(exchange, 503, "ServiceUnavailable",
                     "The disk failed, and the server is about to end. Nothing was done: call "
                     "again in a moment");
    } else {
        lst_api_fail(exchange, 500, "InternalError", "Something went wrong here: %s",
                     lst_error_text(code));
    }
}

json_t *lst_api_json_time(int64_t seconds)
{
    char text[LST_ISO8601_LENGTH + 1];

    lst_clock_format_iso8601(seconds * 1000, text);
    /* Whole seconds are all that anybody counts in here. */
    text[19] = 'Z';
    text[20] = '\0';
    return json_string(text);
}

json_t *lst_api_json_slice(struct lst_slice text)
{
    json_t *json;
    char *copy;

    if (lst_slice_is_utf8(text)) {
        return json_stringn(text.length == 0 ? "" : text.bytes, text.length);
    }
    copy = lst_slice_to_string(text);
    for (size_t i = 0; copy != NULL && i < text.length; i++) {
        copy[i] = (copy[i] & '\x80') != 0 || copy[i] == '\0' ? '?' : copy[i];
    }
    json = copy == NULL ? NULL : json_stringn(copy, text.length);
    free(copy);
    return json;
}

static void keep_whole(json_t **json, int failed)
{
    if (failed != 0) {
        json_decref(*json);
        *json = NULL;
    }
}

void lst_api_json_set(json_t **json, const char *name, json_t *value)
{
    keep_whole(json, json_object_set_new(*json, name, value));
}

void lst_api_json_append(json_t **json, json_t *value)
{
    keep_whole(json, json_array_append_new(*json, value));
}

void lst_api_base_url(const struct lst_api_exchange *exchange, struct lst_buffer *out)
{
    const struct lst_http_request *request = exchange->request;

    if (exchange->api->options.public_url.length > 0) {
        lst_buffer_append(out, exchange->api->options.public_url);
        return;
    }
    lst_buffer_append_string(out, request->secure ? "https://" : "http://");
    lst_buffer_append(out,
                      request->forwarded_host.length > 0 ? request->forwarded_host : request->host);
}

int lst_api_parameter_read(const struct lst_api_exchange *exchange, enum lst_parameter number,
                           char **ret_text)
{
    const struct lst_http_parameter *parameter = lst_http_parameter(exchange->request, number);
    struct lst_slice value;

    *ret_text = NULL;
    if (parameter == NULL) {
        return LST_OK;
    }
    value = parameter->text.value;
    if (parameter->is_malformed || lst_slice_find(value, '\0') < value.length) {
        return LST_ERR_MALFORMED;
    }
    *ret_text = lst_slice_to_string(value);
    return *ret_text == NULL ? LST_ERR_NO_MEMORY : LST_OK;
}

bool lst_api_parameter(struct lst_api_exchange *exchange, enum lst_parameter number,
                       char **ret_text)
{
    int status = lst_api_parameter_read(exchange, number, ret_text);

    if (status == LST_ERR_MALFORMED) {
        lst_api_fail(exchange, 400, "InvalidArgument", "%s: it is malformed",
                     lst_parameter_name(number).bytes);
    } else if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
    }
    return status == LST_OK;
}
