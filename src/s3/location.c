/* location.c - the address of an object, as answers tell it. */
#include "s3/location.h"

void lst_location_encode(struct lst_buffer *url, struct lst_slice text)
{
    char *room = text.length == 0 ? NULL : lst_buffer_reserve(url, 3 * text.length);
    size_t length;

    if (room != NULL && lst_percent_encode(text, false, room, 3 * text.length, &length) == LST_OK) {
        url->length += length;
    }
}

void lst_location_write(struct lst_buffer *url, const struct lst_s3_exchange *exchange)
{
    const struct lst_http_request *request = exchange->request;

    lst_buffer_append_string(url, request->secure ? "https://" : "http://");
    lst_buffer_append(url,
                      request->forwarded_host.length > 0 ? request->forwarded_host : request->host);
    lst_buffer_append_byte(url, '/');
    if (!exchange->target.is_virtual_host) {
        lst_location_encode(url, exchange->target.bucket);
        lst_buffer_append_byte(url, '/');
    }
    lst_location_encode(url, exchange->target.key);
}
