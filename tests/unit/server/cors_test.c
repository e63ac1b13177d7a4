/* cors_test.c - what a browser is told. */
#include "server/cors.h"

#include "request.h"
#include "tap.h"

static const struct lst_slice any[] = {{"*", 1}};
static const struct lst_slice two[] = {{"https://a.example", 17}, {"https://b.example:8443", 22}};
static const struct lst_slice none[] = {{"none", 4}};

static const struct lst_field origin_a = {{"Origin", 6}, {"https://a.example", 17}};

static struct lst_slice header(const struct lst_http_response *response, const char *wanted)
{
    size_t at = 0;
    const char *name;
    const char *value;

    while (lst_http_response_next(response, &at, &name, &value)) {
        if (strcmp(name, wanted) == 0) {
            return lst_slice_of(value);
        }
    }
    return lst_slice_make(NULL, 0);
}

static void check_header(const struct lst_http_response *response, const char *name,
                         const char *value)
{
    struct lst_slice got = header(response, name);

    CHECK_TEXT(got.bytes, got.length, value, name);
}

static void check_preflight(const struct lst_cors *cors, const struct lst_field *fields,
                            size_t count, int status, const char *error, const char *what)
{
    struct lst_http_request request = {.message = {.method = {"OPTIONS", 7},
                                                   .target = {"/b/k", 4},
                                                   .headers = fields,
                                                   .header_count = count},
                                       .path = {"/b/k", 4}};
    struct lst_http_response response;
    const char *got = NULL;

    lst_http_response_init(&response);
    request_read(&request);
    lst_cors_preflight(cors, NULL, &request, &response, &got);
    CHECK(response.status == status && strcmp(got, error) == 0, "%s: %d %s (got %d %s)", what,
          status, error, response.status, got);
    if (status != 200) {
        check_header(&response, "Access-Control-Allow-Origin", "");
    } else {
        check_header(&response, "Access-Control-Allow-Methods", "GET, PUT, HEAD, POST, DELETE");
        check_header(&response, "Access-Control-Allow-Headers",
                     count > 2 ? "content-type, x-amz-meta-a" : "");
        check_header(&response, "Access-Control-Allow-Origin",
                     cors->origins == any ? "*" : "https://a.example");
    }
    lst_http_response_release(&response);
}

static void test_preflight(void)
{
    const struct lst_cors open = {.origins = any, .origin_count = 1};
    const struct lst_cors some = {.origins = two, .origin_count = 2};
    const struct lst_cors closed = {.origins = none, .origin_count = 1};
    const struct lst_field full[] = {
        origin_a,
        {{"Access-Control-Request-Method", 29}, {"PUT", 3}},
        {{"access-control-request-headers", 30}, {"content-type, x-amz-meta-a", 26}},
    };
    const struct lst_field stranger[] = {
        {{"Origin", 6}, {"https://c.example", 17}},
        {{"Access-Control-Request-Method", 29}, {"PUT", 3}},
    };
    const struct lst_field bad_method[] = {origin_a,
                                           {{"Access-Control-Request-Method", 29}, {"PATCH", 5}}};

    check_preflight(&open, full, 3, 200, "", "any origin, with headers");
    check_preflight(&some, full, 2, 200, "", "an origin of the list");
    check_preflight(&some, stranger, 2, 403, "AccessForbidden", "an origin that is not");
    check_preflight(&closed, full, 3, 403, "AccessForbidden", "no origin is allowed");
    check_preflight(&open, bad_method, 2, 400, "BadRequest", "a method that S3 does not have");
    check_preflight(&open, full, 1, 400, "BadRequest", "no method");
    check_preflight(&open, full + 1, 2, 400, "BadRequest", "no origin");
}

static void check_answer(const struct lst_cors *cors, size_t field_count, const char *allowed,
                         const char *exposed)
{
    struct lst_http_request request = {
        .message = {.method = {"GET", 3}, .headers = &origin_a, .header_count = field_count}};
    struct lst_http_response response;

    lst_http_response_init(&response);
    lst_http_response_add(&response, "x-amz-meta-colour", LST_SLICE("red"));
    lst_http_response_add(&response, "x-amz-request-id", LST_SLICE("1"));
    request_read(&request);
    lst_cors_decorate(cors, NULL, &request, &response);
    check_header(&response, "Access-Control-Allow-Origin", allowed);
    check_header(&response, "Access-Control-Expose-Headers", exposed);
    check_header(&response, "Access-Control-Allow-Credentials", "");
    check_header(&response, "Vary",
                 "Origin, Access-Control-Request-Headers, Access-Control-Request-Method");
    lst_http_response_release(&response);
}

int main(void)
{
    static const char exposed[] =
        "ETag, Location, Content-Length, Content-Range, Accept-Ranges, Content-Disposition, "
        "Content-Encoding, Content-Language, Last-Modified, x-amz-request-id, "
        "x-amz-id-2, x-amz-version-id, x-amz-meta-colour";
    const struct lst_cors open = {.origins = any, .origin_count = 1};
    const struct lst_cors some = {.origins = two, .origin_count = 2};
    const struct lst_cors closed = {.origins = none, .origin_count = 1};

    test_preflight();
    check_answer(&open, 1, "*", exposed);
    check_answer(&some, 1, "https://a.example", exposed);
    check_answer(&closed, 1, "", "");
    check_answer(&open, 0, "", "");
    return tap_done();
}
