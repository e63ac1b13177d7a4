/* cors.c - Cross-Origin Resource Sharing. */
#include "server/cors.h"

#include "s3/cors.h"

#include <stdio.h>

#define EXPOSED_MAX 4096 /* bytes of Access-Control-Expose-Headers */

static const char *const always_exposed =
    "ETag, Location, Content-Length, Content-Range, Accept-Ranges, Content-Disposition, "
    "Content-Encoding, Content-Language, Last-Modified, x-amz-request-id, x-amz-id-2, "
    "x-amz-version-id";

static bool allows_any(const struct lst_cors *cors)
{
    for (size_t i = 0; i < cors->origin_count; i++) {
        if (lst_slice_equal(cors->origins[i], LST_SLICE("*"))) {
            return true;
        }
    }
    return false;
}

bool lst_cors_allows(const struct lst_cors *cors, struct lst_slice origin)
{
    for (size_t i = 0; i < cors->origin_count; i++) {
        if (lst_slice_equal_ignoring_case(cors->origins[i], origin)) {
            return true;
        }
    }
    return allows_any(cors);
}

bool lst_cors_is_preflight(const struct lst_http_request *request)
{
    return lst_slice_equal(request->message.method, LST_SLICE("OPTIONS"));
}

static void add_origin(const struct lst_cors *cors, struct lst_slice origin,
                       struct lst_http_response *response)
{
    lst_http_response_add(response, "Access-Control-Allow-Origin",
                          allows_any(cors) ? LST_SLICE("*") : origin);
}

static bool is_known_method(struct lst_slice method)
{
    static const struct lst_slice methods[] = {
        {"GET", 3}, {"PUT", 3}, {"HEAD", 4}, {"POST", 4}, {"DELETE", 6}};

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (lst_slice_equal(method, methods[i])) {
            return true;
        }
    }
    return false;
}

static const struct lst_slice vary = {
    "Origin, Access-Control-Request-Headers, Access-Control-Request-Method", 69};

/* What a preflight asks, and where its refusal goes. */
struct preflight {
    const struct lst_http_request *request;
    const struct lst_s3 *s3;
    struct lst_slice method;
    struct lst_http_response *response;
    const char **error;
};

/* type: "BUCKET", or "OBJECT" where rules were asked about one. */
static void forbid(const struct preflight *preflight, const char *message, const char *type)
{
    struct lst_field details[] = {
        {LST_SLICE("Method"),
         preflight->method.length > 0 ? preflight->method : LST_SLICE("OPTIONS")},
        {LST_SLICE("ResourceType"), lst_slice_of(type)},
    };

    *preflight->error = "AccessForbidden";
    lst_s3_error_response_with(preflight->request, *preflight->error, message, details, 2,
                               preflight->response);
}

static void refuse(const struct preflight *preflight, const char *before, struct lst_slice culprit,
                   const char *after)
{
    char message[512];

    (void)snprintf(message, sizeof(message), "%s%.*s%s", before,
                   culprit.length < 200 ? (int)culprit.length : 200,
                   culprit.bytes == NULL ? "" : culprit.bytes, after);
    *preflight->error = "BadRequest";
    lst_s3_error_response(preflight->request, *preflight->error, message, preflight->response);
}

/* False, having answered, if one of the names is none that a header can have. */
static bool check_header_names(const struct preflight *preflight, struct lst_slice headers)
{
    struct lst_slice name;

    while (lst_slice_split(&headers, ',', &name)) {
        name = lst_slice_trim(name);
        if (name.length > 0 && !lst_cors_is_header_name(name, true)) {
            refuse(preflight, "Access-Control-Request-Headers \"", name,
                   "\" contains invalid character.");
            return false;
        }
    }
    return true;
}

/* False, having answered, if the bucket is not there, if its rules can't be told at the moment, or
 * if neither it nor the server's setting has rules that could allow anything. */
static bool check_bucket(const struct preflight *preflight, const struct lst_cors *cors,
                         struct lst_slice origin, enum lst_cors_verdict verdict)
{
    if (verdict == LST_CORS_NO_BUCKET) {
        forbid(preflight, "CORSResponse: Bucket not found", "BUCKET");
        return false;
    }
    if (verdict == LST_CORS_UNKNOWN) {
        *preflight->error = "SlowDown";
        lst_s3_error_response(preflight->request, *preflight->error, NULL, preflight->response);
        return false;
    }
    if (verdict == LST_CORS_NO_RULES && !lst_cors_allows(cors, origin)) {
        forbid(preflight,
               "CORSResponse: CORS is not enabled for this bucket. It has no CORS "
               "configuration, and the server's setting cors-origin does not name "
               "this Origin.",
               "BUCKET");
        return false;
    }
    return true;
}

/* False, having answered, if it asks for nothing that there is. PATCH and OPTIONS are methods to
 * S3, though no rule can allow them. */
static bool check_method(const struct preflight *preflight, enum lst_cors_verdict verdict)
{
    bool is_forbidden =
        verdict == LST_CORS_FORBIDDEN && (lst_slice_equal(preflight->method, LST_SLICE("PATCH")) ||
                                          lst_slice_equal(preflight->method, LST_SLICE("OPTIONS")));

    if (!is_forbidden && !is_known_method(preflight->method)) {
        refuse(preflight, "Invalid Access-Control-Request-Method: ",
               preflight->method.bytes == NULL ? LST_SLICE("null") : preflight->method,
               ". It must be one of GET, PUT, HEAD, POST and DELETE.");
        return false;
    }
    return true;
}

/* Answer what may not be asked, in S3's order. False: it may. */
static bool is_refused(const struct preflight *preflight, const struct lst_cors *cors,
                       enum lst_cors_verdict *ret_verdict)
{
    struct lst_slice origin = lst_http_header(preflight->request, LST_HEADER_ORIGIN);
    struct lst_slice headers =
        lst_http_header(preflight->request, LST_HEADER_ACCESS_CONTROL_REQUEST_HEADERS);

    if (origin.length == 0) {
        refuse(preflight, "Insufficient information. Origin request header needed.", LST_SLICE(""),
               "");
        return true;
    }
    if (!check_header_names(preflight, headers)) {
        return true;
    }
    *ret_verdict = lst_s3_cors(preflight->s3, preflight->request, preflight->response);
    if (!check_bucket(preflight, cors, origin, *ret_verdict) ||
        !check_method(preflight, *ret_verdict)) {
        return true;
    }
    if (*ret_verdict == LST_CORS_FORBIDDEN) {
        forbid(preflight,
               "CORSResponse: This CORS request is not allowed. This is usually because the "
               "evalution of Origin, request method / Access-Control-Request-Method or "
               "Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
               lst_s3_cors_resource(preflight->s3, preflight->request));
        return true;
    }
    return false;
}

void lst_cors_preflight(const struct lst_cors *cors, const struct lst_s3 *s3,
                        const struct lst_http_request *request,
                        struct lst_http_response *ret_response, const char **ret_error)
{
    struct lst_slice origin = lst_http_header(request, LST_HEADER_ORIGIN);
    struct lst_slice headers = lst_http_header(request, LST_HEADER_ACCESS_CONTROL_REQUEST_HEADERS);
    struct preflight preflight = {
        .request = request,
        .s3 = s3,
        .method = lst_http_header(request, LST_HEADER_ACCESS_CONTROL_REQUEST_METHOD),
        .response = ret_response,
        .error = ret_error,
    };
    enum lst_cors_verdict verdict = LST_CORS_NO_RULES;

    *ret_error = "";
    if (is_refused(&preflight, cors, &verdict)) {
        return;
    }
    ret_response->status = 200;
    ret_response->kind = LST_BODY_BYTES;
    lst_http_response_add(ret_response, "x-amz-id-2",
                          lst_slice_make(request->id, LST_REQUEST_ID_LENGTH));
    lst_http_response_add(ret_response, "x-amz-request-id",
                          lst_slice_make(request->id, LST_REQUEST_ID_LENGTH));
    lst_http_response_add(ret_response, "Vary", vary);
    if (verdict == LST_CORS_ALLOWED) {
        return;
    }
    add_origin(cors, origin, ret_response);
    lst_http_response_add(ret_response, "Access-Control-Allow-Methods",
                          LST_SLICE("GET, PUT, HEAD, POST, DELETE"));
    if (headers.length > 0) {
        lst_http_response_add(ret_response, "Access-Control-Allow-Headers", headers);
    }
    lst_http_response_add(ret_response, "Access-Control-Max-Age", LST_SLICE("3600"));
}

/* The response's own x-amz-* headers, the user's metadata most of all, besides those always
 * listed. */
static void append_own_headers(const struct lst_http_response *response, struct lst_buffer *out)
{
    size_t at = 0;
    const char *name;
    const char *value;

    while (lst_http_response_next(response, &at, &name, &value)) {
        struct lst_slice slice = lst_slice_of(name);

        if (lst_slice_starts_with_ignoring_case(slice, LST_SLICE("x-amz-")) &&
            !lst_slice_equal_ignoring_case(slice, LST_SLICE("x-amz-request-id")) &&
            !lst_slice_equal_ignoring_case(slice, LST_SLICE("x-amz-id-2")) &&
            !lst_slice_equal_ignoring_case(slice, LST_SLICE("x-amz-version-id"))) {
            lst_buffer_append_string(out, ", ");
            lst_buffer_append(out, slice);
        }
    }
}

void lst_cors_decorate(const struct lst_cors *cors, const struct lst_s3 *s3,
                       const struct lst_http_request *request, struct lst_http_response *response)
{
    struct lst_slice origin = lst_http_header(request, LST_HEADER_ORIGIN);
    struct lst_buffer exposed;
    enum lst_cors_verdict verdict;

    /* Also without an Origin: a cache that keeps the answer to a plain <img> must not give it to a
     * page's fetch() later. */
    lst_http_response_add(response, "Vary", vary);
    if (origin.length == 0) {
        return;
    }
    verdict = lst_s3_cors(s3, request, response);
    if (verdict == LST_CORS_FORBIDDEN || verdict == LST_CORS_ALLOWED ||
        verdict == LST_CORS_UNKNOWN || !lst_cors_allows(cors, origin)) {
        return;
    }
    add_origin(cors, origin, response);
    lst_buffer_init(&exposed, EXPOSED_MAX);
    lst_buffer_append_string(&exposed, always_exposed);
    append_own_headers(response, &exposed);
    lst_http_response_add(response, "Access-Control-Expose-Headers", lst_buffer_slice(&exposed));
    lst_buffer_release(&exposed);
}
