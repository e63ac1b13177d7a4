/*
 * request.h - an HTTP request as plain data: what the server hands down, before any of it is
 * believed.
 *
 * Slices point into memory of the server and are valid until the request has been answered.
 */
#ifndef LST_HTTP_REQUEST_H
#define LST_HTTP_REQUEST_H

#include "base/slice.h"

#define LST_REQUEST_ID_LENGTH 16

struct lst_http_request {
    struct lst_request message;      /* method, raw target, headers: what a signature covers. Every
                                      * name stands once: see http/headers.h */
    struct lst_slice path;           /* the raw target before '?' */
    struct lst_slice query;          /* the raw target after '?'; empty if there is none */
    struct lst_slice host;           /* the Host header's value; empty if there is none */
    struct lst_slice forwarded_host; /* by a configured proxy's word, else empty */
    struct lst_slice peer;           /* the client's address as text, without port; a configured
                                      * proxy's word is taken for it. Not an address if it is not
                                      * known */
    bool secure;                     /* TLS, here or, by a configured proxy's word, before it */
    bool has_content_length;
    uint64_t content_length;        /* bytes on the wire */
    bool is_chunked;                /* Transfer-Encoding: chunked */
    int64_t received_ms;            /* when the head was complete */
    char id[LST_REQUEST_ID_LENGTH]; /* upper-case hex, unique: x-amz-request-id */
};

/* The value of the header of that name, in any case; empty with a NULL pointer if there is
 * none, empty with a pointer if it is there and says nothing. */
struct lst_slice lst_http_header(const struct lst_http_request *request, struct lst_slice name);

/*
 * Query parameters, one at a time, in order: `struct lst_slice rest = request->query;
 * while (lst_http_next_parameter(&rest, &raw))`. Name and value are still encoded; "k" has an empty
 * value with a NULL pointer, "k=" one with a pointer. Empty pairs ("a&&b") are passed over.
 */
bool lst_http_next_parameter(struct lst_slice *rest, struct lst_field *ret_raw);

/*
 * True if the encoded name of a parameter stands for this plain ASCII name, however it is written:
 * "upl%6Fads" is "uploads". Case counts, as it does in S3.
 */
bool lst_http_name_is(struct lst_slice raw, struct lst_slice name);

/* True if the encoded name, decoded, begins with these bytes in any case; *ret_rest is then what
 * follows them, still encoded. */
bool lst_http_name_starts_with(struct lst_slice raw, struct lst_slice prefix,
                               struct lst_slice *ret_rest);

/*
 * True if a parameter stands twice in the query, however its name is written, in any case; or if
 * there are more than LST_PARAMETERS_MAX. *ret_raw_name is the second one's, still encoded. One
 * reader would take the first value and another the last.
 */
bool lst_http_find_repeated_parameter(const struct lst_http_request *request,
                                      struct lst_slice *ret_raw_name);

/*
 * True if the query has a parameter of that name (plain ASCII, see lst_http_name_is()). The value,
 * still encoded, is that of the first one; ret_raw_value may be NULL.
 */
bool lst_http_find_parameter(const struct lst_http_request *request, struct lst_slice name,
                             struct lst_slice *ret_raw_value);

#endif
