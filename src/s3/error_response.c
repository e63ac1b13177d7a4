/* error_response.c - an error outside any exchange. */
#include "s3/errors.h"
#include "s3/s3.h"
#include "s3/xml.h"

void lst_s3_error_response(const struct lst_http_request *request, const char *code,
                           const char *message, struct lst_http_response *ret_response)
{
    lst_s3_error_response_with(request, code, message, NULL, 0, ret_response);
}

void lst_s3_error_response_with(const struct lst_http_request *request, const char *code,
                                const char *message, const struct lst_field *details,
                                size_t detail_count, struct lst_http_response *ret_response)
{
    const struct lst_s3_error_row *row = lst_s3_error_row(lst_s3_error_named(code));
    struct lst_slice id = lst_slice_make(request->id, LST_REQUEST_ID_LENGTH);
    struct lst_buffer *body = &ret_response->body;

    lst_http_response_init(ret_response);
    ret_response->status = row->status;
    lst_http_response_add(ret_response, "x-amz-id-2", id);
    lst_http_response_add(ret_response, "x-amz-request-id", id);
    lst_http_response_add(ret_response, "Content-Type", LST_SLICE("application/xml"));
    if (lst_slice_equal(request->message.method, LST_SLICE("HEAD"))) {
        return;
    }
    lst_buffer_append(body, LST_SLICE("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>"));
    lst_xml_string(body, "Code", row->code);
    lst_xml_string(body, "Message", message != NULL ? message : row->text);
    for (size_t i = 0; i < detail_count; i++) {
        lst_xml_field(body, &details[i]);
    }
    lst_xml_text(body, "RequestId", id);
    lst_xml_text(body, "HostId", id);
    lst_xml_close(body, "Error");
    ret_response->kind = LST_BODY_BYTES;
}
