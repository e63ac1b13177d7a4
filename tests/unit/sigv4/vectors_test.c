/* vectors_test.c - the published test suite of Signature Version 4, every stage, both forms, signed
 * and checked. Read in place from ../shared/vectors of the project's root; skips without it. */
#include "hash.h"
#include "latchstring.h"
#include "tap.h"

#include <dirent.h>
#include <stdlib.h>

#define TEXT_MAX    8192
#define HEADERS_MAX 16
#define EXPIRES     3600

struct vector {
    char folder[1024];
    const char *name;
    char request[TEXT_MAX]; /* the slices point into this */
    struct lst_slice method;
    struct lst_slice target;
    struct lst_field headers[HEADERS_MAX];
    size_t header_count;
    char path[TEXT_MAX]; /* decoded */
    size_t path_length;
    struct lst_field query[HEADERS_MAX];
    size_t query_count;
    char query_text[TEXT_MAX];
    char body_hash[64];
    bool signs_body;
    bool omits_token;
};

static const struct lst_slice region = {"us-east-1", 9};
static const struct lst_slice service = {"service", 7};
static int64_t now;
static struct lst_key key;
static int skipped;

static size_t read_text(const struct vector *vector, const char *file, char text[TEXT_MAX])
{
    char path[1280];
    FILE *stream;
    size_t length = 0;

    snprintf(path, sizeof(path), "%s/%s", vector->folder, file);
    stream = fopen(path, "rb");
    if (stream != NULL) {
        length = fread(text, 1, TEXT_MAX - 1, stream);
        fclose(stream);
    }
    text[length] = '\0';
    return length;
}

/* A header's continuation lines are one line with spaces in it. */
static void unfold(char *text)
{
    for (char *newline = strchr(text, '\n'); newline != NULL; newline = strchr(newline + 1, '\n')) {
        if (newline[1] == ' ') {
            *newline = ' ';
        }
    }
}

/* Take apart "GET /path HTTP/1.1", headers and a body; the path may have spaces. */
static struct lst_slice parse_request(struct vector *vector, const char *file)
{
    char *line = vector->request;
    char *end;

    vector->request[read_text(vector, file, vector->request)] = '\0';
    unfold(vector->request);
    vector->header_count = 0;
    end = strstr(line, " HTTP/1.1");
    vector->method = (struct lst_slice){line, strcspn(line, " ")};
    line += vector->method.length + 1;
    vector->target = (struct lst_slice){line, (size_t)(end - line)};
    line = end + strcspn(end, "\n");
    while (line[0] == '\n' && line[1] != '\n' && line[1] != '\0') {
        size_t name = strcspn(++line, ":");
        size_t length = strcspn(line, "\n");

        vector->headers[vector->header_count++] =
            (struct lst_field){{line, name}, {line + name + 1, length - name - 1}};
        line += length;
    }
    line += line[0] == '\n' ? 1 : 0;
    line += line[0] == '\n' ? 1 : 0;
    return lst_slice_of(line);
}

static struct lst_slice decode(struct lst_slice text, char *out, size_t *ret_length)
{
    size_t length = 0;
    int error = lst_percent_decode(text, false, out, TEXT_MAX, &length);

    CHECK(error == LST_OK, "a vector's target can be decoded");
    *ret_length = length;
    return (struct lst_slice){out, length};
}

/* To sign, path and query must be raw. */
static void decode_target(struct vector *vector)
{
    const char *mark = memchr(vector->target.bytes, '?', vector->target.length);
    size_t path = mark == NULL ? vector->target.length : (size_t)(mark - vector->target.bytes);
    size_t used = 0;

    decode((struct lst_slice){vector->target.bytes, path}, vector->path, &vector->path_length);
    vector->query_count = 0;
    for (size_t at = path + 1; at < vector->target.length;) {
        const char *start = vector->target.bytes + at;
        size_t length = strcspn(start, "& \n");
        size_t name = strcspn(start, "=& ");
        struct lst_field *field = &vector->query[vector->query_count++];
        size_t decoded;

        length = length < vector->target.length - at ? length : vector->target.length - at;
        name = name < length ? name : length;
        field->name = decode((struct lst_slice){start, name}, vector->query_text + used, &decoded);
        used += decoded;
        name += name < length ? 1 : 0;
        field->value = decode((struct lst_slice){start + name, length - name},
                              vector->query_text + used, &decoded);
        used += decoded;
        at += length + 1;
    }
}

static void read_vector(struct vector *vector)
{
    char context[TEXT_MAX];
    struct lst_slice body;
    uint8_t digest[32];

    read_text(vector, "context.json", context);
    vector->signs_body = strstr(context, "\"sign_body\": true") != NULL;
    vector->omits_token = strstr(context, "\"omit_session_token\": true") != NULL;
    body = parse_request(vector, "request.txt");
    lst_internal_sha256(body, digest);
    for (size_t i = 0; i < sizeof(digest); i++) {
        char digits[3];

        snprintf(digits, sizeof(digits), "%02x", digest[i]);
        memcpy(vector->body_hash + 2 * i, digits, 2);
    }
    decode_target(vector);
}

static void compare(const struct vector *vector, const char *form, const char *stage,
                    const char *text, size_t length)
{
    char want[TEXT_MAX];
    char file[128];
    char what[256];

    snprintf(file, sizeof(file), "%s-%s.txt", form, stage);
    snprintf(what, sizeof(what), "%s: %s, %s", vector->name, form, stage);
    read_text(vector, file, want);
    CHECK_TEXT(text, length, want, what);
}

static void check_signing(const struct vector *vector, enum lst_auth_kind kind)
{
    const char *form = kind == LST_AUTH_QUERY ? "query" : "header";
    struct lst_field headers[HEADERS_MAX];
    size_t header_count = 0;
    char text[TEXT_MAX];
    size_t length = 0;
    struct lst_signing signing = {
        .method = vector->method,
        .key = {vector->path + 1, vector->path_length - 1},
        .query = vector->query,
        .query_count = vector->query_count,
        .headers = headers,
        .access_key_id = LST_SLICE("AKIDEXAMPLE"),
        .payload_hash = {vector->body_hash, 64},
        .time = now,
        .expires = EXPIRES,
    };

    for (size_t i = 0; i < vector->header_count; i++) {
        if (vector->headers[i].name.length == 4) {
            signing.host = vector->headers[i].value;
        } else {
            headers[header_count++] = vector->headers[i];
        }
    }
    if (vector->signs_body && kind == LST_AUTH_HEADER) {
        headers[header_count++] =
            (struct lst_field){LST_SLICE("x-amz-content-sha256"), signing.payload_hash};
    }
    signing.header_count = header_count;
    CHECK(lst_signing_canonical_request(&signing, &key, kind, text, sizeof(text), &length) ==
              LST_OK,
          "%s: %s, can be signed", vector->name, form);
    compare(vector, form, "canonical-request", text, length);
    CHECK(lst_signing_string_to_sign(&signing, &key, kind, text, sizeof(text), &length) == LST_OK,
          "%s: %s, has a string to sign", vector->name, form);
    compare(vector, form, "string-to-sign", text, length);
    CHECK((kind == LST_AUTH_QUERY
               ? lst_presign(&signing, &key, text, sizeof(text), &length)
               : lst_sign_header(&signing, &key, text, sizeof(text), &length)) == LST_OK,
          "%s: %s, gives a signature", vector->name, form);
    compare(vector, form, "signature", text + length - 64, 64);
}

static void check_received(struct vector *vector, enum lst_auth_kind kind)
{
    const char *form = kind == LST_AUTH_QUERY ? "query" : "header";
    struct lst_rules rules = {.service = service, .region = region};
    struct lst_request request;
    struct lst_auth auth;
    char text[TEXT_MAX];
    size_t length = 0;
    int error;

    parse_request(vector, kind == LST_AUTH_QUERY ? "query-signed-request.txt"
                                                 : "header-signed-request.txt");
    request = (struct lst_request){.method = vector->method,
                                   .target = vector->target,
                                   .headers = vector->headers,
                                   .header_count = vector->header_count};
    error = lst_parse(&request, &rules, now + 1, &auth);
    if (vector->omits_token && kind == LST_AUTH_HEADER) {
        CHECK(error == LST_REFUSED_HEADERS_NOT_SIGNED,
              "%s: header, a token added after signing "
              "is refused, as S3 does",
              vector->name);
        return;
    }
    CHECK(error == LST_OK, "%s: %s, is well formed", vector->name, form);
    /* The suite signs the body's hash without sending it, as other services than S3 do. */
    auth.payload_hash = (struct lst_slice){vector->body_hash, 64};
    error = lst_verify(&request, &auth, &key);
    if (vector->omits_token) {
        CHECK(error == LST_REFUSED_SIGNATURE,
              "%s: query, a token added after signing is refused, "
              "as S3 does",
              vector->name);
        return;
    }
    CHECK(error == LST_OK, "%s: %s, the signature is accepted", vector->name, form);
    CHECK(lst_canonical_request(&request, &auth, text, sizeof(text), &length) == LST_OK,
          "%s: %s, the checker has a canonical request", vector->name, form);
    compare(vector, form, "canonical-request", text, length);
    CHECK(lst_canonical_request_bound(&request) >= length, "%s: %s, the bound holds", vector->name,
          form);
}

/* Cases that S3's own rule excludes: a path with something to normalise, and the wish to do it. */
static bool is_excluded(const struct vector *vector)
{
    const char *end = strstr(vector->name, "-normalized");

    return end != NULL && strlen(end) == strlen("-normalized") &&
           (memmem(vector->path, vector->path_length, "//", 2) != NULL ||
            memmem(vector->path, vector->path_length, "/.", 2) != NULL);
}

static void check_vector(const char *folder, const char *name)
{
    static struct vector vector;

    memset(&vector, 0, sizeof(vector));
    vector.name = name;
    snprintf(vector.folder, sizeof(vector.folder), "%s/%s", folder, name);
    read_vector(&vector);
    if (is_excluded(&vector)) {
        skipped++;
        tap_skip(name, "asks to normalise the path, which S3 never does");
        return;
    }
    check_signing(&vector, LST_AUTH_HEADER);
    check_signing(&vector, LST_AUTH_QUERY);
    check_received(&vector, LST_AUTH_HEADER);
    check_received(&vector, LST_AUTH_QUERY);
}

static DIR *open_vectors(char folder[512])
{
    const char *root = getenv("LST_ROOT");
    const char *source = strstr(__FILE__, "tests/unit/");

    if (root != NULL) {
        snprintf(folder, 512, "%s/../shared/vectors/aws-sigv4", root);
    } else {
        snprintf(folder, 512, "%.*s../shared/vectors/aws-sigv4", (int)(source - __FILE__),
                 __FILE__);
    }
    return opendir(folder);
}

int main(void)
{
    char folder[512];
    DIR *vectors = open_vectors(folder);
    struct dirent *entry;
    int count = 0;

    if (vectors == NULL) {
        tap_skip("the vectors of the signing test suite", "../shared/vectors is not here");
        return tap_done();
    }
    if (lst_parse_time(LST_SLICE("20150830T123600Z"), &now) != LST_OK ||
        lst_key_init(&key, LST_SLICE("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), now, region,
                     service) != LST_OK) {
        CHECK(false, "the suite's key can be made");
    }
    while ((entry = readdir(vectors)) != NULL) {
        if (entry->d_name[0] != '.') {
            check_vector(folder, entry->d_name);
            count++;
        }
    }
    closedir(vectors);
    CHECK(count >= 30 && skipped <= 6, "%d cases, %d of them skipped", count, skipped);
    return tap_done();
}
