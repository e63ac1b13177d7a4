/* answer.c - putting the answer of an exchange together: headers, XML, errors. */
#include "s3/approval.h"
#include "s3/refusal_advice.h"
#include "s3/xml.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    HEADERS_USUAL = 1024, /* bytes: the headers of an answer seldom need more */
    ADVICE_MAX = 1024,
};

struct lst_http_response *lst_s3_answer_begin(struct lst_s3_exchange *exchange, int status)
{
    struct lst_http_response *response = &exchange->response;

    lst_http_response_release(response);
    response->status = status;
    (void)lst_buffer_reserve(&response->headers, HEADERS_USUAL);
    lst_http_response_add(response, "x-amz-id-2",
                          lst_slice_make(exchange->s3->host_id, LST_S3_HOST_ID_LENGTH));
    lst_http_response_add(response, "x-amz-request-id",
                          lst_slice_make(exchange->request->id, LST_REQUEST_ID_LENGTH));
    return response;
}

void lst_s3_answer_version(struct lst_s3_exchange *exchange, const struct lst_version_id *version)
{
    if (version->length > 0) {
        lst_http_response_add(&exchange->response, "x-amz-version-id",
                              lst_version_id_slice(version));
    }
}

void lst_s3_answer_etag(struct lst_s3_exchange *exchange, struct lst_slice etag)
{
    char quoted[LST_ETAG_MAX + 2];
    struct lst_slice tag = lst_slice_first(etag, LST_ETAG_MAX);

    quoted[0] = '"';
    memcpy(quoted + 1, tag.bytes == NULL ? "" : tag.bytes, tag.length);
    quoted[tag.length + 1] = '"';
    lst_http_response_add(&exchange->response, "ETag", lst_slice_make(quoted, tag.length + 2));
}

/* An answer that memory did not suffice for becomes a bare 503. What was written stays written: the
 * client does not know of it, so a use of a link for it is not given back. */
static void drop_incomplete(struct lst_s3_exchange *exchange)
{
    struct lst_http_response *response = &exchange->response;

    if (lst_buffer_status(&response->headers) != LST_OK ||
        lst_buffer_status(&response->body) != LST_OK) {
        exchange->is_unknown |= exchange->has_written && response->status < 300;
        lst_http_response_release(response);
        response->status = lst_s3_error_row(LST_S3_SLOW_DOWN)->status;
        response->kind = LST_BODY_BYTES;
    }
}

void lst_s3_answer_end(struct lst_s3_exchange *exchange)
{
    drop_incomplete(exchange);
    lst_waiting_answer(&exchange->waiting);
}

void lst_s3_answer_xml(struct lst_s3_exchange *exchange)
{
    lst_http_response_add(&exchange->response, "Content-Type", LST_SLICE("application/xml"));
    exchange->response.kind = LST_BODY_BYTES;
    lst_s3_answer_end(exchange);
}

void lst_s3_answer_done(struct lst_s3_exchange *exchange)
{
    lst_s3_answer_begin(exchange, 200)->kind = LST_BODY_BYTES;
    lst_s3_answer_version(exchange, &exchange->write.version);
    lst_s3_answer_end(exchange);
}

void lst_s3_answer_gone(struct lst_s3_exchange *exchange)
{
    (void)lst_s3_answer_begin(exchange, 204);
    lst_s3_answer_version(exchange, &exchange->write.version);
    lst_s3_answer_end(exchange);
}

void lst_s3_set_reason(struct lst_s3_exchange *exchange, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (length < 0) {
        return;
    }
    for (char *at = text; *at != '\0'; at++) {
        *at = (unsigned char)*at < 0x20 || *at == 0x7F ? ' ' : *at;
    }
    lst_buffer_clear(&exchange->reason);
    lst_buffer_append(&exchange->reason, lst_slice_make(text, strlen(text) + 1));
}

/* ---- Errors */

struct lst_buffer *lst_s3_error_begin(struct lst_s3_exchange *exchange, int status,
                                      const char *code, struct lst_slice message)
{
    struct lst_buffer *body = &lst_s3_answer_begin(exchange, status)->body;

    exchange->error = code;
    if (exchange->result != NULL) {
        (void)snprintf(exchange->result->message, sizeof(exchange->result->message), "%.*s",
                       (int)message.length, message.length > 0 ? message.bytes : "");
    }
    lst_buffer_append(body, LST_SLICE("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>"));
    lst_xml_string(body, "Code", code);
    lst_xml_text(body, "Message", message);
    return body;
}

void lst_s3_error_end(struct lst_s3_exchange *exchange)
{
    struct lst_buffer *body = &exchange->response.body;

    lst_xml_text(body, "RequestId", lst_slice_make(exchange->request->id, LST_REQUEST_ID_LENGTH));
    lst_xml_text(body, "HostId", lst_slice_make(exchange->s3->host_id, LST_S3_HOST_ID_LENGTH));
    lst_xml_close(body, "Error");
    lst_s3_answer_xml(exchange);
    if (lst_s3_is_head(exchange)) {
        lst_buffer_release(body);
        exchange->response.kind = LST_BODY_NONE;
    }
}

void lst_s3_fail_with(struct lst_s3_exchange *exchange, enum lst_s3_error error,
                      const char *message, const struct lst_field *details, size_t detail_count)
{
    const struct lst_s3_error_row *row = lst_s3_error_row(error);
    const char *text = message != NULL ? message : row->text;
    struct lst_buffer *body =
        lst_s3_error_begin(exchange, row->status, row->code, lst_slice_of(text));

    if (exchange->reason.length == 0) {
        lst_s3_set_reason(exchange, "%s", text);
    }
    for (size_t i = 0; i < detail_count; i++) {
        lst_xml_field(body, &details[i]);
    }
    lst_s3_error_end(exchange);
}

void lst_s3_fail(struct lst_s3_exchange *exchange, enum lst_s3_error error)
{
    lst_s3_fail_with(exchange, error, NULL, NULL, 0);
}

void lst_s3_fail_about(struct lst_s3_exchange *exchange, enum lst_s3_error error,
                       const char *message, const char *element, struct lst_slice text)
{
    struct lst_field detail = {lst_slice_of(element), text};

    lst_s3_fail_with(exchange, error, message, &detail, 1);
}

void lst_s3_fail_token(struct lst_s3_exchange *exchange)
{
    lst_s3_fail_about(exchange, LST_S3_INVALID_ARGUMENT,
                      "The continuation token provided is incorrect", "ArgumentName",
                      LST_SLICE("continuation-token"));
}

void lst_s3_fail_field(struct lst_s3_exchange *exchange, const char *message,
                       const struct lst_field *argument)
{
    struct lst_field details[] = {
        {LST_SLICE("ArgumentName"), argument->name},
        {LST_SLICE("ArgumentValue"), argument->value},
    };

    lst_s3_fail_with(exchange, LST_S3_INVALID_ARGUMENT, message, details, 2);
}

void lst_s3_fail_size(struct lst_s3_exchange *exchange, enum lst_s3_error error, uint64_t size,
                      uint64_t allowed)
{
    char size_text[24];
    char allowed_text[24];

    (void)snprintf(size_text, sizeof(size_text), "%llu", (unsigned long long)size);
    (void)snprintf(allowed_text, sizeof(allowed_text), "%llu", (unsigned long long)allowed);
    struct lst_field details[] = {
        {LST_SLICE("Size"), lst_slice_of(size_text)},
        {LST_SLICE("MaxSizeAllowed"), lst_slice_of(allowed_text)},
    };
    lst_s3_fail_with(exchange, error, NULL, details, 2);
}

void lst_s3_fail_argument(struct lst_s3_exchange *exchange, const char *message, const char *name,
                          struct lst_slice value)
{
    struct lst_field argument = {lst_slice_of(name), value};

    lst_s3_fail_field(exchange, message, &argument);
}

void lst_s3_fail_not_implemented(struct lst_s3_exchange *exchange, const char *what,
                                 struct lst_slice name)
{
    char message[256];

    (void)snprintf(message, sizeof(message), "The %s %.*s is not implemented by Latchstring yet",
                   what, name.length < 100 ? (int)name.length : 100, name.bytes);
    if (strcmp(what, "header") == 0) {
        lst_s3_fail_about(exchange, LST_S3_NOT_IMPLEMENTED, message, "Header", name);
    } else {
        lst_s3_fail_with(exchange, LST_S3_NOT_IMPLEMENTED, message, NULL, 0);
    }
}

static void fail_no_upload(struct lst_s3_exchange *exchange)
{
    struct lst_slice upload;

    (void)lst_s3_parameter(exchange, LST_PARAMETER_UPLOAD_ID, &upload);
    lst_s3_fail_about(exchange, LST_S3_NO_SUCH_UPLOAD, NULL, "UploadId", upload);
}

static void fail_marker(struct lst_s3_exchange *exchange)
{
    struct lst_field details[] = {
        {LST_SLICE("Method"), exchange->request->message.method},
        {LST_SLICE("ResourceType"), LST_SLICE("DeleteMarker")},
    };

    lst_s3_fail_with(exchange, LST_S3_METHOD_NOT_ALLOWED, NULL, details, 2);
}

static void fail_no_version(struct lst_s3_exchange *exchange)
{
    struct lst_field details[] = {
        {LST_SLICE("Key"), exchange->target.key},
        {LST_SLICE("VersionId"), exchange->version},
    };

    lst_s3_fail_with(exchange, LST_S3_NO_SUCH_VERSION, NULL, details, 2);
}

static void fail_no_bucket(struct lst_s3_exchange *exchange, enum lst_s3_error error)
{
    struct lst_field details[] = {{LST_SLICE("BucketName"), exchange->target.bucket},
                                  {LST_SLICE("Explanation"), {NULL, 0}}};
    struct lst_buffer advice;

    lst_buffer_init(&advice, ADVICE_MAX);
    lst_s3_style_advice(exchange, &advice);
    details[1].value = lst_buffer_slice(&advice);
    if (advice.length > 0) {
        lst_s3_set_reason(exchange, "%.*s", (int)advice.length, advice.bytes);
    }
    lst_s3_fail_with(exchange, error, NULL, details, advice.length > 0 ? 2 : 1);
    lst_buffer_release(&advice);
}

/* A write has one condition at most. */
static void fail_condition(struct lst_s3_exchange *exchange, enum lst_s3_error error)
{
    struct lst_slice match;
    bool is_match = lst_s3_option(exchange, LST_HEADER_IF_MATCH, &match);

    lst_s3_set_reason(exchange, is_match ? "If-Match: the object is another, or is not there"
                                         : "If-None-Match: there is an object of this key already");
    lst_s3_fail_about(exchange, error, NULL, "Condition",
                      is_match ? LST_SLICE("If-Match") : LST_SLICE("If-None-Match"));
}

void lst_s3_fail_code(struct lst_s3_exchange *exchange, int code)
{
    enum lst_s3_error error = lst_s3_error_of(code);

    if (code > LST_ERR_NO_MEMORY) {
        lst_s3_refuse(exchange, code);
        return;
    }
    lst_s3_set_reason(exchange, "%s", lst_error_text(code));
    exchange->is_unknown = exchange->is_unknown || code == LST_ERR_UNKNOWN;

    switch (code) {
    case LST_ERR_KEY_NOT_FOUND:
        lst_s3_fail_about(exchange, error, NULL, "Key", exchange->target.key);
        break;
    case LST_ERR_PRECONDITION:
        fail_condition(exchange, error);
        break;
    case LST_ERR_UPLOAD_NOT_FOUND:
        fail_no_upload(exchange);
        break;
    case LST_ERR_NOT_APPROVED:
        lst_approval_fail(exchange);
        break;
    case LST_ERR_DELETE_MARKER:
        fail_marker(exchange);
        break;
    case LST_ERR_BUCKET_NOT_FOUND:
    case LST_ERR_BUCKET_NAME:
        fail_no_bucket(exchange, error);
        break;
    case LST_ERR_BUCKET_NOT_EMPTY:
    case LST_ERR_BUCKET_EXISTS:
        lst_s3_fail_about(exchange, error, NULL, "BucketName", exchange->target.bucket);
        break;
    case LST_ERR_KEY_TOO_LONG:
        lst_s3_fail_size(exchange, error, exchange->target.key.length, LST_STORE_KEY_MAX);
        break;
    case LST_ERR_VERSION_MALFORMED:
        lst_s3_fail_argument(exchange, "Invalid version id specified", "versionId",
                             exchange->version);
        break;
    case LST_ERR_VERSION_NOT_FOUND:
        fail_no_version(exchange);
        break;
    default:
        lst_s3_fail(exchange, error);
        break;
    }
}
