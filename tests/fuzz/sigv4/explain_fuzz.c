/*
 * explain_fuzz.c - any request whose signature is wrong, or that is refused for its form: the
 * search ends, and says something that is short and printable, or nothing.
 *
 * Input: lines; the method, the target, then "name:value" for each header.
 */
#include "latchstring.h"
#include "text.h"

#include <stdlib.h>

#define HEADERS_MAX 16
#define WHEN        1369353600 /* 20130524T000000Z */

static struct lst_slice take_line(struct lst_slice *text)
{
    struct lst_slice line = lst_internal_first(*text, lst_internal_find(*text, '\n'));

    *text = lst_internal_skip(*text, line.length + (line.length < text->length ? 1 : 0));
    return line;
}

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void require_shown(const struct lst_explanation *why)
{
    require(why->length > 0 && why->length < sizeof(why->text));
    for (size_t i = 0; i < why->length; i++) {
        require(why->text[i] >= ' ' && why->text[i] <= '~');
    }
}

static void explain(const struct lst_request *request, const struct lst_auth *auth)
{
    static const struct lst_slice hosts[] = {{"minio:9000", 10}, {"", 0}};
    static const struct lst_hints hints = {hosts, 2, {"bucket", 6}, hosts, 2, false};
    struct lst_explanation why;
    int error;

    memset(&why, 0, sizeof(why));
    error = lst_explain(request, auth, LST_SLICE("secret "), &hints, &why);
    require(error == LST_OK || error == LST_ERR_NO_NEAR_MISS);
    require((error == LST_OK) == (why.miss != LST_MISS_NONE));
    require_shown(&why);
}

static void explain_form(const struct lst_request *request, const struct lst_rules *rules, int code,
                         const struct lst_auth *auth)
{
    struct lst_explanation why;
    int error = lst_explain_refusal(request, rules, WHEN, code, auth, &why);

    require(error == LST_OK || error == LST_ERR_NO_NEAR_MISS);
    if (error == LST_OK) {
        require(why.miss != LST_MISS_NONE);
        require_shown(&why);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct lst_rules rules;
    struct lst_slice text = {(const char *)bytes, size};
    struct lst_field headers[HEADERS_MAX];
    struct lst_request request;
    struct lst_auth auth;
    int code;

    memset(&request, 0, sizeof(request));
    request.method = take_line(&text);
    request.target = take_line(&text);
    request.headers = headers;
    while (text.length > 0 && request.header_count < HEADERS_MAX) {
        struct lst_slice line = take_line(&text);
        size_t colon = lst_internal_find(line, ':');

        headers[request.header_count].name = lst_internal_first(line, colon);
        headers[request.header_count++].value =
            lst_internal_skip(line, colon + (colon < line.length ? 1 : 0));
    }
    code = lst_parse(&request, &rules, WHEN, &auth);
    if (code == LST_OK) {
        explain(&request, &auth);
    } else {
        explain_form(&request, &rules, code, &auth);
    }
    return 0;
}
