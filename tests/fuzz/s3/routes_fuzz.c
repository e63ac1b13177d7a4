/* routes_fuzz.c - whole request targets through routing. Lines: method, host, a header's name,
 * target. */
#include "base/error.h"
#include "s3/routes.h"
#include "s3/token.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct lst_slice take_line(struct lst_slice *rest)
{
    struct lst_slice line = lst_slice_first(*rest, lst_slice_find(*rest, '\n'));

    *rest = lst_slice_after(*rest, line.length + 1);
    return line;
}

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_route(const struct lst_http_request *request, const struct lst_target *target)
{
    struct lst_route route = lst_route_find(request, target->level);

    must((route.operation != NULL) == (route.kind == LST_ROUTE_FOUND));
    if (route.operation != NULL) {
        must(route.operation->level == target->level);
        must(lst_slice_equal(request->message.method, lst_slice_of(route.operation->method)));
    }
    /* Nothing but a plain request may lead to an operation on plain data. */
    if (route.kind == LST_ROUTE_FOUND && route.operation->parameter == LST_PARAMETER_OTHER) {
        must(lst_http_parameter(request, LST_PARAMETER_ACL) == NULL &&
             lst_http_parameter(request, LST_PARAMETER_UPLOAD_ID) == NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const struct lst_slice domains[] = {LST_SLICE("s3.test"), LST_SLICE("test")};
    struct lst_slice rest = lst_slice_make(bytes, size);
    struct lst_slice method = take_line(&rest);
    struct lst_slice host = take_line(&rest);
    struct lst_field header = {take_line(&rest), LST_SLICE("/a/b")};
    size_t path = lst_slice_find(rest, '?');
    struct lst_http_request request = {
        .message = {.method = method, .target = rest, .headers = &header, .header_count = 1},
        .path = lst_slice_first(rest, path),
        .query = lst_slice_after(rest, path + 1),
        .host = host,
    };
    static struct lst_http_room room;
    char *scratch = malloc(request.path.length + 1);
    char *text = malloc(request.query.length + 1);
    char place[LST_TOKEN_PLACE_MAX];
    struct lst_target target;
    size_t length = 0;

    must(text != NULL);
    lst_http_request_read(&request, &room, text, false);
    if (scratch != NULL &&
        lst_target_decode(request.path, host, domains, 2, scratch, &target) == LST_OK) {
        must(target.key.length <= 1024 && lst_slice_is_utf8(target.key));
        must(target.level != LST_LEVEL_OBJECT || target.key.length > 0);
        check_route(&request, &target);
    }
    if (lst_token_read(request.query, place, &length)) {
        must(length > 0 && length <= sizeof(place));
    }
    free(scratch);
    free(text);
    return 0;
}
