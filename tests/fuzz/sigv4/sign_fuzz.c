/*
 * sign_fuzz.c - any bytes as a request to sign: what can be signed is accepted by the check, in
 * both forms, within the bounds; after any parameter is moved it is still accepted.
 *
 * Input: a byte of switches; then host, bucket, key, token and lines "name=value" of parameters or
 * "name:value" of headers, parted by newlines.
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

struct lines {
    struct lst_field query[140];
    struct lst_field headers[80];
};

static void take_lines(struct lst_signing *signing, struct lines *lines, struct lst_slice rest)
{
    while (rest.length > 0 && signing->query_count < 140 && signing->header_count < 78) {
        struct lst_slice line = take(&rest, '\n');

        if (line.length > 0 && memchr(line.bytes, ':', line.length) != NULL) {
            lines->headers[signing->header_count].name = take(&line, ':');
            lines->headers[signing->header_count++].value = line;
        } else {
            lines->query[signing->query_count].name = take(&line, '=');
            lines->query[signing->query_count++].value = line;
        }
    }
    signing->query = lines->query;
    signing->headers = lines->headers;
}

/* Whether a signed URL passes every rule depends on what was signed; its signature must be right.
 */
static void check_url(const struct lst_signing *signing, struct lines *lines,
                      const struct lst_key *key, struct lst_slice url)
{
    static const struct lst_rules rules;
    const char *authority = memmem(url.bytes, url.length, "://", 3);
    const char *path;
    struct lst_request request = {.method = signing->method, .headers = lines->headers};
    struct lst_auth auth;
    int code;

    require(authority != NULL);
    path = memchr(authority + 3, '/', url.length - (size_t)(authority + 3 - url.bytes));
    require(path != NULL);
    request.target = (struct lst_slice){path, url.length - (size_t)(path - url.bytes)};
    lines->headers[signing->header_count] =
        (struct lst_field){LST_SLICE("Host"), {authority + 3, (size_t)(path - authority - 3)}};
    request.header_count = signing->header_count + 1;
    code = lst_parse(&request, &rules, NOW, &auth);
    require(code == LST_OK || code == LST_REFUSED_TARGET_TOO_LONG ||
            code == LST_REFUSED_SIGNED_HEADERS || code == LST_REFUSED_SIGNED_TWICE ||
            code == LST_REFUSED_PAYLOAD_HASH || code == LST_REFUSED_PARAMETER_REPEATED);
    if (code == LST_OK) {
        require(lst_auth_token_equals(&auth, signing->session_token));
        require(lst_verify(&request, &auth, key) == LST_OK);
        /* Without the note that the query is canonical as it was sent: the same verdict. */
        auth.canonical_query_length = 0;
        require(lst_verify(&request, &auth, key) == LST_OK);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct lst_key key;
    struct lst_slice rest = {(const char *)bytes, size};
    struct lst_signing signing = {
        .method = LST_SLICE("PUT"), .access_key_id = LST_SLICE("AKID"), .time = NOW, .expires = 60};
    struct lines lines;
    size_t length = 0;
    size_t bound;
    char *out;

    if (size == 0) {
        return 0;
    }
    require(lst_key_init(&key, LST_SLICE("secret"), NOW, LST_SLICE("us-east-1"), LST_SLICE("s3")) ==
            LST_OK);
    signing.style = (bytes[0] & 1) != 0 ? LST_VIRTUAL_HOST : LST_PATH_STYLE;
    rest.bytes++;
    rest.length--;
    signing.host = take(&rest, '\n');
    signing.bucket = take(&rest, '\n');
    signing.key = take(&rest, '\n');
    signing.session_token = take(&rest, '\n');
    take_lines(&signing, &lines, rest);
    bound = lst_presign_bound(&signing, &key);
    out = malloc(bound);
    require(out != NULL);
    int error = lst_presign(&signing, &key, out, bound, &length);
    require(error == LST_OK || error == LST_ERR_INVALID_ARGUMENT);
    if (error == LST_OK) {
        check_url(&signing, &lines, &key, (struct lst_slice){out, length});
    }
    error = lst_sign_header(&signing, &key, out, bound, &length);
    require(error == LST_OK || error == LST_ERR_INVALID_ARGUMENT);
    free(out);
    return 0;
}
