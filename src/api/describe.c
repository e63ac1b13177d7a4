/* describe.c - GET /-/api/openapi.json: what the API can do, for programs. */
#include "api/exchange.h"
#include "api/openapi.h"

void lst_api_describe(struct lst_api_exchange *exchange)
{
    struct lst_http_response *response = &exchange->response;

    response->status = 200;
    response->kind = LST_BODY_BYTES;
    lst_buffer_append(&response->body, lst_slice_make(lst_openapi_text, lst_openapi_length));
    lst_http_response_add(response, "Content-Type", LST_SLICE("application/json"));
    lst_api_answer_end(exchange);
}
