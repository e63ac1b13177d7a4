/* post_answer.c - the answer to a form: what its success_action_ fields ask for. */
#include "s3/location.h"
#include "s3/post_form.h"
#include "s3/xml.h"

enum { URL_MAX = 4 * LST_POST_FORM_MAX };

/* Where the browser shall go; empty unless it is a web address, which is then passed over, as S3
 * does. "redirect" is the old name. */
static struct lst_slice redirect_of(const struct lst_post *post)
{
    struct lst_slice url = lst_post_field(post, "success_action_redirect");

    url = lst_slice_trim(url.bytes != NULL ? url : lst_post_field(post, "redirect"));
    if (!lst_slice_starts_with_ignoring_case(url, LST_SLICE("http://")) &&
        !lst_slice_starts_with_ignoring_case(url, LST_SLICE("https://"))) {
        return lst_slice_make(NULL, 0);
    }
    for (size_t i = 0; i < url.length; i++) {
        if (url.bytes[i] <= ' ' || url.bytes[i] == 0x7F) {
            return lst_slice_make(NULL, 0);
        }
    }
    return url;
}

/* The address, and in its query what was stored. */
static void write_redirect(struct lst_buffer *out, struct lst_slice url,
                           const struct lst_s3_exchange *exchange, struct lst_slice etag)
{
    struct lst_slice page = lst_slice_first(url, lst_slice_find(url, '#'));

    lst_buffer_append(out, page);
    lst_buffer_append_string(out,
                             lst_slice_find(page, '?') < page.length ? "&bucket=" : "?bucket=");
    lst_location_encode(out, exchange->target.bucket);
    lst_buffer_append_string(out, "&key=");
    lst_location_encode(out, exchange->target.key);
    lst_buffer_append_string(out, "&etag=");
    lst_location_encode(out, etag);
    lst_buffer_append(out, lst_slice_after(url, page.length));
}

static void write_document(struct lst_buffer *body, const struct lst_s3_exchange *exchange,
                           struct lst_slice location, struct lst_slice etag)
{
    lst_buffer_append_string(body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse>");
    lst_xml_text(body, "Location", location);
    lst_xml_text(body, "Bucket", exchange->target.bucket);
    lst_xml_text(body, "Key", exchange->target.key);
    lst_xml_text(body, "ETag", etag);
    lst_xml_close(body, "PostResponse");
}

void lst_post_answer(struct lst_s3_exchange *exchange, struct lst_slice etag)
{
    struct lst_http_response *response = &exchange->response;
    struct lst_slice redirect = redirect_of(exchange->post);
    struct lst_slice status = lst_post_field(exchange->post, "success_action_status");
    struct lst_buffer location;

    lst_buffer_init(&location, URL_MAX);
    response->kind = LST_BODY_BYTES;
    if (redirect.length > 0) {
        response->status = 303;
        write_redirect(&location, redirect, exchange, etag);
    } else {
        lst_location_write(&location, exchange);
        if (lst_slice_equal(status, LST_SLICE("200"))) {
            response->status = 200;
        } else if (lst_slice_equal(status, LST_SLICE("201"))) {
            response->status = 201;
            write_document(&response->body, exchange, lst_buffer_slice(&location), etag);
            lst_http_response_add(response, "Content-Type", LST_SLICE("application/xml"));
        } else {
            response->status = 204;
            response->kind = LST_BODY_NONE;
        }
    }
    if (lst_buffer_status(&location) == LST_OK) {
        lst_http_response_add(response, "Location", lst_buffer_slice(&location));
    }
    lst_buffer_release(&location);
}
