/*
 * request.h - an HTTP request as plain data: what the server hands down, before any of it is
 * believed.
 *
 * The head is read once, when it arrives: lst_http_request_read() gives each header and each query
 * parameter its number (names.h) and decodes the query. After that, asking for a header or a
 * parameter is an array access, and everybody who asks gets the same bytes: who checks the
 * signature, who decides, who stores, who answers.
 *
 * Slices point into memory of the server and are valid until the request has been answered.
 */
#ifndef LST_HTTP_REQUEST_H
#define LST_HTTP_REQUEST_H

#include "http/names.h"

#define LST_REQUEST_ID_LENGTH 16

/* A query parameter, split off and decoded once. */
struct lst_http_parameter {
    struct lst_field raw;  /* as it was sent, which is what a signature covers. Of "k" the value has
                            * a NULL pointer, of "k=" not */
    struct lst_field text; /* decoded, '+' as a space. A '%' that two hex digits do not follow
                            * stands for itself. The value's pointer is never NULL */
    uint8_t number;        /* enum lst_parameter */
    uint8_t option;        /* enum lst_header: the header that it stands for, in any case */
    uint8_t family;        /* enum lst_name_family */
    bool is_malformed;     /* there is such a '%' */
};

/* Room for what is read of one request; the caller's, and kept as long as the request. It need not
 * be initialised, but for header_numbers if lst_http_request_read() is told that they are there. */
struct lst_http_room {
    uint8_t header_numbers[LST_HEADERS_MAX]; /* enum lst_header, of each header in order */
    uint8_t header_families[LST_HEADERS_MAX];
    struct lst_http_parameter parameters[LST_PARAMETERS_MAX];
};

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

    /* By lst_http_request_read(). All zero: no header and no parameter is found. */
    const struct lst_http_room *room;
    size_t parameter_count; /* at most LST_PARAMETERS_MAX */
    /* A parameter that stands twice, however its name is written, in any case; or the first that is
     * one too many. One reader would take the first value and another the last. */
    struct lst_field repeated;  /* decoded: its name, and the value of the one that stood first */
    bool has_repeated;          /* there is one */
    uint8_t header_families;    /* bits: 1 << enum lst_name_family */
    uint8_t parameter_families; /* likewise */
    uint8_t header_places[LST_HEADERS_KNOWN];       /* place + 1 in message.headers; 0: none */
    uint8_t parameter_places[LST_PARAMETERS_KNOWN]; /* place + 1 in the room; 0: none */
    uint8_t option_places[LST_HEADERS_KNOWN];       /* likewise */
};

/*
 * Read the headers and the query, which must be set, as must be message.headers. text: room for as
 * many bytes as the query has, for what is decoded; kept as long as the request. has_numbers:
 * room->header_numbers are right already (head.h).
 */
void lst_http_request_read(struct lst_http_request *request, struct lst_http_room *room, char *text,
                           bool has_numbers);

/* Add a parameter that is known already, after lst_http_request_read(): of a request that this
 * server makes itself. What it is given is raw and decoded text in one. False: there is no room. */
LST_MUST_CHECK bool lst_http_request_add_parameter(struct lst_http_request *request,
                                                   struct lst_http_room *room,
                                                   struct lst_field parameter);

/* The value of a header; empty with a NULL pointer if there is none, empty with a pointer if it is
 * there and says nothing. */
static inline struct lst_slice lst_http_header(const struct lst_http_request *request,
                                               enum lst_header number)
{
    unsigned place = request->header_places[number];
    struct lst_slice value = {NULL, 0};

    if (place > 0) {
        value = request->message.headers[place - 1].value;
        value.bytes = value.bytes == NULL ? "" : value.bytes;
    }
    return value;
}

/* A parameter; NULL if there is none. */
static inline const struct lst_http_parameter *lst_http_parameter(
    const struct lst_http_request *request, enum lst_parameter number)
{
    unsigned place = request->parameter_places[number];

    return place == 0 ? NULL : &request->room->parameters[place - 1];
}

/*
 * An option of a request: the header, without spaces around it, or the parameter that stands for
 * it, decoded, where SDKs put the headers of a URL that they presign. False, with *ret_value empty,
 * if there is neither.
 */
bool lst_http_option(const struct lst_http_request *request, enum lst_header number,
                     struct lst_slice *ret_value);

/* The headers of a family, one at a time, in order: `size_t at = 0; while ((header =
 * lst_http_next_header(request, LST_FAMILY_META, &at)) != NULL)`. Its number is
 * room->header_numbers[at - 1]. */
const struct lst_field *lst_http_next_header(const struct lst_http_request *request,
                                             enum lst_name_family family, size_t *at);

/* The same for parameters. */
const struct lst_http_parameter *lst_http_next_option(const struct lst_http_request *request,
                                                      enum lst_name_family family, size_t *at);

/* True if there is a header of the parameter's name too. */
bool lst_http_is_header_too(const struct lst_http_request *request,
                            const struct lst_http_parameter *parameter);

/*
 * Split text that looks like a query, such as the value of x-amz-tagging: `while
 * (lst_http_next_parameter(&rest, &raw))`. Name and value are still encoded; "k" has an empty value
 * with a NULL pointer, "k=" one with a pointer. Empty pairs ("a&&b") are passed over. A request's
 * own query has been split already.
 */
bool lst_http_next_parameter(struct lst_slice *rest, struct lst_field *ret_raw);

/*
 * True if an encoded name stands for this plain ASCII name, however it is written: "upl%6Fads" is
 * "uploads". Case counts.
 */
bool lst_http_name_is(struct lst_slice raw, struct lst_slice name);

/* True if the encoded name, decoded, begins with these bytes in any case; *ret_rest is then what
 * follows them, still encoded. */
bool lst_http_name_starts_with(struct lst_slice raw, struct lst_slice prefix,
                               struct lst_slice *ret_rest);

#endif
