/* message_test.c - looking things up in a request, and putting a response together. */
#include "http/request.h"
#include "http/response.h"
#include "tap.h"

static void test_headers(void)
{
    struct lst_field headers[] = {
        {LST_SLICE("content-TYPE"), LST_SLICE("a")},
        {LST_SLICE("Content-Type"), LST_SLICE("b")},
        {LST_SLICE("Empty"), {NULL, 0}},
    };
    struct lst_http_request request = {.message = {.headers = headers, .header_count = 3}};
    struct lst_slice found = lst_http_header(&request, LST_SLICE("Content-Type"));

    CHECK_TEXT(found.bytes, found.length, "a", "the first header of a name, in any case");
    CHECK(lst_http_header(&request, LST_SLICE("Content-Typ")).bytes == NULL, "an absent one");
    found = lst_http_header(&request, LST_SLICE("empty"));
    CHECK(found.bytes != NULL && found.length == 0, "an empty one is not absent");
}

static void test_query(void)
{
    struct lst_http_request request = {.query = LST_SLICE("&a=1&&b&c=&d=x=y&%61cl=z&")};
    struct lst_slice rest = request.query;
    struct lst_field raw;
    char seen[128] = "";
    struct lst_slice value = {NULL, 0};

    while (lst_http_next_parameter(&rest, &raw)) {
        size_t used = strlen(seen);
        snprintf(seen + used, sizeof(seen) - used, "[%.*s%s%.*s]", (int)raw.name.length,
                 raw.name.bytes, raw.value.bytes == NULL ? "" : "=", (int)raw.value.length,
                 raw.value.length == 0 ? "" : raw.value.bytes);
    }
    CHECK_TEXT(seen, strlen(seen), "[a=1][b][c=][d=x=y][%61cl=z]", "every parameter, in order");
    CHECK(lst_http_find_parameter(&request, LST_SLICE("acl"), &value) &&
              lst_slice_equal(value, LST_SLICE("z")),
          "an encoded name is found");
    CHECK(!lst_http_find_parameter(&request, LST_SLICE("ac"), NULL) &&
              !lst_http_find_parameter(&request, LST_SLICE("A"), NULL),
          "no other is");
    CHECK(lst_http_name_starts_with(LST_SLICE("%58-Latch-uses"), LST_SLICE("x-latch-"), &rest) &&
              lst_slice_equal(rest, LST_SLICE("uses")),
          "a prefix is found in any case and encoding");
    CHECK(!lst_http_name_is(LST_SLICE("%6"), LST_SLICE("a")) &&
              lst_http_name_is(LST_SLICE("%2561"), LST_SLICE("%61")),
          "names are decoded once, and bad escapes stand for themselves");
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
    test_query();
    test_response();
    return tap_done();
}
