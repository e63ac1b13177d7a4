/*
 * parse_fuzz.c - any bytes as a request: lst_parse() and all that follows it, checking that limits
 * and bounds hold, that a verdict has its texts, and that no request without the secret is
 * accepted.
 *
 * Input: method, target, the server's own name and header lines, parted by newlines.
 */
#include "latchstring.h"

#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1369353600)

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static struct lst_slice take(struct lst_slice *rest, char delimiter)
{
    const char *end = rest->length == 0 ? NULL : memchr(rest->bytes, delimiter, rest->length);
    size_t length = end == NULL ? rest->length : (size_t)(end - rest->bytes);
    struct lst_slice taken = {rest->bytes, length};

    length += end == NULL ? 0 : 1;
    if (length > 0) {
        rest->bytes += length;
        rest->length -= length;
    }
    return taken;
}

static void check_texts(const struct lst_request *request, const struct lst_auth *auth, int code)
{
    struct lst_rules rules = {.region = LST_SLICE("us-east-1")};
    char text[512];
    size_t length = 0;

    require(lst_refusal_text(code, auth, &rules, text, sizeof(text), &length) == LST_OK);
    require(strcmp(lst_refusal(code, auth->kind)->name, "unknown") != 0);
    lst_headers_not_signed(request, auth, text, sizeof(text), &length);
    require(length <= sizeof(text));
    require((code == LST_REFUSED_HOST_NOT_SIGNED || code == LST_REFUSED_HEADERS_NOT_SIGNED) ==
                (length > 0 || code == LST_REFUSED_HEADERS_NOT_SIGNED) ||
            code != LST_OK);
    require(strlen(auth->access_key_id) <= LST_ACCESS_KEY_ID_MAX);
}

static void check_stages(const struct lst_request *request, const struct lst_auth *auth)
{
    size_t bound = lst_canonical_request_bound(request);
    char *text = malloc(bound);
    char string[256];
    size_t length = 0;
    struct lst_key key;

    require(text != NULL);
    require(lst_canonical_request(request, auth, text, bound, &length) == LST_OK);
    require(length <= bound);
    require(lst_string_to_sign(request, auth, string, sizeof(string), &length) == LST_OK);
    require(lst_key_init(&key, LST_SLICE("secret"), auth->time, lst_slice_of(auth->region),
                         lst_slice_of(auth->service)) == LST_OK);
    require(lst_verify(request, auth, &key) == LST_REFUSED_SIGNATURE);
    free(text);
}

/* The same request where Signature Version 2 is allowed. */
static void check_v2(const struct lst_request *request)
{
    static const struct lst_rules rules = {.allow_v2 = true};
    size_t bound = lst_canonical_request_bound(request) + 6;
    struct lst_auth auth;
    size_t length = 0;
    char *text;

    if (lst_parse(request, &rules, NOW, &auth) != LST_OK || auth.kind < LST_AUTH_V2_QUERY) {
        return;
    }
    text = malloc(bound);
    require(text != NULL);
    require(lst_verify_v2(request, &auth, LST_SLICE("photos"), LST_SLICE("secret")) ==
            LST_REFUSED_SIGNATURE);
    if (lst_string_to_sign_v2(request, &auth, LST_SLICE("photos"), text, bound, &length) ==
        LST_OK) {
        require(length <= bound);
    } else { /* what could pass for several parameters is not signed at all */
        require(length == 0);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct lst_rules rules;
    struct lst_slice rest = {(const char *)bytes, size};
    struct lst_field headers[LST_HEADERS_MAX + 8];
    struct lst_request request = {.headers = headers};
    struct lst_auth auth;
    int code;

    request.method = take(&rest, '\n');
    request.target = take(&rest, '\n');
    request.host = take(&rest, '\n');
    while (rest.length > 0 && request.header_count < LST_HEADERS_MAX + 8) {
        struct lst_slice line = take(&rest, '\n');

        headers[request.header_count].name = take(&line, ':');
        headers[request.header_count++].value = line;
    }
    code = lst_parse(&request, &rules, NOW, &auth);
    check_texts(&request, &auth, code);
    if (code == LST_OK) {
        check_stages(&request, &auth);
    }
    check_v2(&request);
    return 0;
}
