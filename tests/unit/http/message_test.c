/* message_test.c - looking things up in a request, and putting a response together. */
#include "http/response.h"
#include "request.h"
#include "tap.h"

static void test_headers(void)
{
    struct lst_field headers[] = {
        {LST_SLICE("content-TYPE"), LST_SLICE("a")},
        {LST_SLICE("Content-Type"), LST_SLICE("b")},
        {LST_SLICE("Content-Typ"), LST_SLICE("c")},
        {LST_SLICE("RANGE"), {NULL, 0}},
    };
    struct lst_http_request request = {.message = {.headers = headers, .header_count = 4}};
    struct lst_slice found;

    CHECK(lst_http_header(&request, LST_HEADER_CONTENT_TYPE).bytes == NULL,
          "what has not been read has no headers");
    request_read(&request);
    found = lst_http_header(&request, LST_HEADER_CONTENT_TYPE);
    CHECK_TEXT(found.bytes, found.length, "a", "the first header of a name, in any case");
    CHECK(lst_http_header(&request, LST_HEADER_HOST).bytes == NULL, "an absent one");
    found = lst_http_header(&request, LST_HEADER_RANGE);
    CHECK(found.bytes != NULL && found.length == 0, "an empty one is not absent");
    CHECK(lst_http_header(&request, LST_HEADER_OTHER).bytes == NULL, "names without a number");
}

/* Each name has its number, and no other has it. */
static void test_numbers(void)
{
    char name[128];

    for (unsigned i = 1; i < LST_HEADERS_KNOWN; i++) {
        struct lst_slice text = lst_header_name((enum lst_header)i);

        snprintf(name, sizeof(name), "%.*s", (int)text.length, text.bytes);
        CHECK(lst_header_number(text) == i, "%s is found", name);
        name[0] ^= 0x20;
        CHECK(lst_header_number(lst_slice_make(name, strlen(name))) == i, "%s too", name);
        name[0] ^= 0x01;
        CHECK(lst_header_number(lst_slice_make(name, strlen(name))) != i, "%s is another", name);
    }
    for (unsigned i = 1; i < LST_PARAMETERS_KNOWN; i++) {
        struct lst_slice text = lst_parameter_name((enum lst_parameter)i);

        snprintf(name, sizeof(name), "%.*s", (int)text.length, text.bytes);
        CHECK(lst_parameter_number(text) == i, "%s is found", name);
        name[0] ^= 0x20;
        CHECK(lst_parameter_number(lst_slice_make(name, strlen(name))) != i, "%s is another", name);
    }
    CHECK(lst_header_number(lst_slice_make(NULL, 0)) == LST_HEADER_OTHER &&
              lst_parameter_number(lst_slice_make(NULL, 0)) == LST_PARAMETER_OTHER,
          "no name has no number");
}

static void test_families(void)
{
    static const struct {
        const char *name;
        enum lst_name_family family;
    } cases[] = {
        {"", LST_FAMILY_NONE},
        {"x", LST_FAMILY_NONE},
        {"x-", LST_FAMILY_X},
        {"xx-amz-a", LST_FAMILY_NONE},
        {"X-Forwarded-For", LST_FAMILY_X},
        {"x-amz", LST_FAMILY_X},
        {"X-AMZ-", LST_FAMILY_AMZ},
        {"x-amz-meta", LST_FAMILY_AMZ},
        {"x-amz-Meta-", LST_FAMILY_META},
        {"x-Latch-uses", LST_FAMILY_LATCH},
        {"response-expires", LST_FAMILY_RESPONSE},
        {"response", LST_FAMILY_NONE},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK(lst_name_family(lst_slice_make(cases[i].name, strlen(cases[i].name))) ==
                  cases[i].family,
              "the family of '%s'", cases[i].name);
    }
}

static void test_query(void)
{
    struct lst_http_request request = {
        .query = LST_SLICE("&a=1&&b&c=&d=x=y&%61cl=z+%7a&%58-Latch-uses=2&x-latch-%=%6&")};
    struct lst_slice rest = request.query;
    const struct lst_http_parameter *parameter;
    struct lst_field raw;
    char seen[128] = "";
    size_t at = 0;

    while (lst_http_next_parameter(&rest, &raw)) {
        size_t used = strlen(seen);
        snprintf(seen + used, sizeof(seen) - used, "[%.*s%s%.*s]", (int)raw.name.length,
                 raw.name.bytes, raw.value.bytes == NULL ? "" : "=", (int)raw.value.length,
                 raw.value.length == 0 ? "" : raw.value.bytes);
    }
    CHECK_TEXT(seen, strlen(seen),
               "[a=1][b][c=][d=x=y][%61cl=z+%7a][%58-Latch-uses=2][x-latch-%=%6]",
               "every parameter, in order");
    request_read(&request);
    parameter = lst_http_parameter(&request, LST_PARAMETER_ACL);
    CHECK(request.parameter_count == 7 && parameter != NULL &&
              lst_slice_equal(parameter->text.value, LST_SLICE("z z")) &&
              lst_slice_equal(parameter->raw.value, LST_SLICE("z+%7a")),
          "an encoded name is found, and its value decoded; the raw text is still there");
    CHECK(lst_http_parameter(&request, LST_PARAMETER_UPLOADS) == NULL &&
              lst_http_parameter(&request, LST_PARAMETER_OTHER) == NULL,
          "no other is");
    parameter = lst_http_next_option(&request, LST_FAMILY_LATCH, &at);
    CHECK(parameter != NULL && lst_slice_equal(parameter->text.name, LST_SLICE("X-Latch-uses")) &&
              !parameter->is_malformed,
          "a family is found in any case and encoding");
    parameter = lst_http_next_option(&request, LST_FAMILY_LATCH, &at);
    CHECK(parameter != NULL && parameter->is_malformed &&
              lst_slice_equal(parameter->text.name, LST_SLICE("x-latch-%")) &&
              lst_slice_equal(parameter->text.value, LST_SLICE("%6")) &&
              lst_http_next_option(&request, LST_FAMILY_LATCH, &at) == NULL,
          "bad escapes stand for themselves, and are told");
    CHECK(!lst_http_name_is(LST_SLICE("%6"), LST_SLICE("a")) &&
              lst_http_name_is(LST_SLICE("%2561"), LST_SLICE("%61")),
          "names are decoded once");
}

static void test_options(void)
{
    struct lst_field headers[] = {
        {LST_SLICE("x-amz-acl"), LST_SLICE(" private ")},
        {LST_SLICE("X-AMZ-Meta-Colour"), LST_SLICE("red")},
    };
    struct lst_http_request request = {
        .message = {.headers = headers, .header_count = 2},
        .query = LST_SLICE("X-Amz-Tagging=a%3Db&x-amz-acl=other&x-amz-meta-colour=blue&if-match"),
    };
    const struct lst_http_parameter *parameter;
    struct lst_slice value;
    size_t at = 0;

    request_read(&request);
    CHECK(lst_http_option(&request, LST_HEADER_AMZ_TAGGING, &value) &&
              lst_slice_equal(value, LST_SLICE("a=b")),
          "an option may be in the query, in any case");
    CHECK(lst_http_option(&request, LST_HEADER_AMZ_ACL, &value) &&
              lst_slice_equal(value, LST_SLICE("private")),
          "the header comes first");
    CHECK(lst_http_option(&request, LST_HEADER_IF_MATCH, &value) && value.length == 0 &&
              !lst_http_option(&request, LST_HEADER_IF_NONE_MATCH, &value),
          "an empty one is not absent");
    parameter = lst_http_next_option(&request, LST_FAMILY_META, &at);
    CHECK(parameter != NULL && lst_http_is_header_too(&request, parameter) &&
              lst_http_is_header_too(&request, &request.room->parameters[1]) &&
              !lst_http_is_header_too(&request, &request.room->parameters[0]),
          "what stands twice, as a header too");
}

static void test_response(void)
{
    struct lst_http_response response;
    const char *name = NULL;
    const char *value = NULL;
    size_t at = 0;

    lst_http_response_init(&response);
    lst_http_response_add(&response, "A", LST_SLICE("one\r\nB: two"));
    lst_http_response_add(&response, "Empty", lst_slice_make(NULL, 0));
    lst_http_response_add_number(&response, "Size", UINT64_MAX);
    CHECK(lst_http_response_next(&response, &at, &name, &value) && strcmp(name, "A") == 0 &&
              strcmp(value, "one  B: two") == 0,
          "a value can't split a response");
    CHECK(lst_http_response_next(&response, &at, &name, &value) && strcmp(value, "") == 0,
          "an empty value");
    CHECK(lst_http_response_next(&response, &at, &name, &value) && strcmp(name, "Size") == 0 &&
              strcmp(value, "18446744073709551615") == 0,
          "a number");
    CHECK(!lst_http_response_next(&response, &at, &name, &value), "and no more");
    lst_http_response_release(&response);
    CHECK(response.status == 200 && response.file == -1 && response.headers.bytes == NULL,
          "released, it is as new");
}

int main(void)
{
    test_headers();
    test_numbers();
    test_families();
    test_query();
    test_options();
    test_response();
    return tap_done();
}
