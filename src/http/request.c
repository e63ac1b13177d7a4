/* request.c - looking things up in a request's headers. */
#include "http/request.h"

struct lst_slice lst_http_header(const struct lst_http_request *request, struct lst_slice name)
{
    for (size_t i = 0; i < request->message.header_count; i++) {
        const struct lst_field *header = &request->message.headers[i];
        if (lst_slice_equal_ignoring_case(header->name, name)) {
            /* An empty value is not an absent one. */
            return lst_slice_make(header->value.bytes == NULL ? "" : header->value.bytes,
                                  header->value.length);
        }
    }
    return lst_slice_make(NULL, 0);
}
