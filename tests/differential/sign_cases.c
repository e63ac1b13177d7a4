/*
 * sign_cases.c - sign and check what a script asks for, one case a line, so that it can be compared
 * with another implementation.
 *
 * A line is a verb and fields, parted by tabs; a field is name=value with the value in hexadecimal.
 * "query" and "header" may come again and again and hold "name:value", each in hexadecimal.
 *
 *   presign   method scheme host bucket key style region secret access_key token payload time
 *             expires query* header*           prints the URL
 *   header    the same, without expires        prints the value of the Authorization header
 *   check     method target region secret token time header*
 *             prints "ok", or the name of the refusal
 *   check-v2  method target secret time bucket (of a virtual host) header*: Signature Version 2;
 * the same, without token time      method ... as presign, and prints the nanoseconds that one
 * presigned URL takes
 */
#include "latchstring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIELDS_MAX 128
#define LINE_MAX   262144

enum {
    METHOD,
    SCHEME,
    HOST,
    BUCKET,
    KEY,
    STYLE,
    REGION,
    SECRET,
    ACCESS_KEY,
    TOKEN,
    PAYLOAD,
    TIME,
    EXPIRES,
    TARGET,
    VALUES
};

static const char *const value_names[VALUES] = {
    "method", "scheme",     "host",  "bucket",  "key",  "style",   "region",
    "secret", "access_key", "token", "payload", "time", "expires", "target"};

struct request_case {
    struct lst_slice values[VALUES];
    struct lst_field query[FIELDS_MAX];
    size_t query_count;
    struct lst_field headers[FIELDS_MAX];
    size_t header_count;
};

static int digit(char character)
{
    return character <= '9' ? character - '0' : (character | 32) - 'a' + 10;
}

/* Decode hexadecimal in place. */
static struct lst_slice decode(char *text, size_t length)
{
    for (size_t i = 0; i + 1 < length; i += 2) {
        text[i / 2] = (char)(digit(text[i]) * 16 + digit(text[i + 1]));
    }
    return (struct lst_slice){text, length / 2};
}

static struct lst_field decode_field(char *text)
{
    size_t name_length = strcspn(text, ":");
    char *value = text + name_length + 1;
    struct lst_field field = {decode(text, name_length), decode(value, strlen(value))};

    return field;
}

static void take_field(struct request_case *request, char *field)
{
    size_t name_length = strcspn(field, "=");
    char *value = field + name_length + 1;

    field[name_length] = '\0';
    if (strcmp(field, "query") == 0 && request->query_count < FIELDS_MAX) {
        request->query[request->query_count++] = decode_field(value);
    } else if (strcmp(field, "header") == 0 && request->header_count < FIELDS_MAX) {
        request->headers[request->header_count++] = decode_field(value);
    }
    for (int i = 0; i < VALUES; i++) {
        if (strcmp(field, value_names[i]) == 0) {
            request->values[i] = decode(value, strlen(value));
        }
    }
}

static int64_t number(struct lst_slice text)
{
    int64_t value = 0;

    for (size_t i = 0; i < text.length; i++) {
        value = value * 10 + (text.bytes[i] - '0');
    }
    return value;
}

static struct lst_signing signing_of(const struct request_case *request)
{
    struct lst_signing signing = {
        .method = request->values[METHOD],
        .scheme = request->values[SCHEME],
        .host = request->values[HOST],
        .bucket = request->values[BUCKET],
        .key = request->values[KEY],
        .style = request->values[STYLE].length > 0 ? LST_VIRTUAL_HOST : LST_PATH_STYLE,
        .query = request->query,
        .query_count = request->query_count,
        .headers = request->headers,
        .header_count = request->header_count,
        .access_key_id = request->values[ACCESS_KEY],
        .session_token = request->values[TOKEN],
        .payload_hash = request->values[PAYLOAD],
        .time = number(request->values[TIME]),
        .expires = number(request->values[EXPIRES]),
    };

    return signing;
}

static void print_signed(const struct request_case *request, bool in_header)
{
    struct lst_signing signing = signing_of(request);
    struct lst_key key;
    size_t length = 0;
    int error = lst_key_init(&key, request->values[SECRET], signing.time, request->values[REGION],
                             LST_SLICE("s3"));
    size_t capacity = error == LST_OK ? lst_presign_bound(&signing, &key) : 0;
    char *out = malloc(capacity + 1);

    if (error == LST_OK && out != NULL) {
        error = in_header ? lst_sign_header(&signing, &key, out, capacity, &length)
                          : lst_presign(&signing, &key, out, capacity, &length);
    }
    if (error != LST_OK || out == NULL) {
        printf("error %s\n", lst_refusal(error, LST_AUTH_NONE)->name);
    } else {
        printf("%.*s\n", (int)length, out);
    }
    free(out);
}

static void print_checked(const struct request_case *request)
{
    struct lst_request received = {
        .method = request->values[METHOD],
        .target = request->values[TARGET],
        .headers = request->headers,
        .header_count = request->header_count,
    };
    struct lst_rules rules = {.region = request->values[REGION]};
    struct lst_auth auth;
    struct lst_key key;
    int error = lst_parse(&received, &rules, number(request->values[TIME]), &auth);

    if (error == LST_OK) {
        error = lst_key_init(&key, request->values[SECRET], auth.time, lst_slice_of(auth.region),
                             lst_slice_of(auth.service));
    }
    if (error == LST_OK && !lst_auth_token_equals(&auth, request->values[TOKEN])) {
        error = LST_REFUSED_TOKEN_INVALID;
    }
    if (error == LST_OK) {
        error = lst_verify(&received, &auth, &key);
    }
    printf("%s\n", lst_refusal(error, auth.kind)->name);
}

static void print_checked_v2(const struct request_case *request)
{
    struct lst_request received = {
        .method = request->values[METHOD],
        .target = request->values[TARGET],
        .headers = request->headers,
        .header_count = request->header_count,
    };
    struct lst_rules rules = {.allow_v2 = true};
    struct lst_auth auth;
    int error = lst_parse(&received, &rules, number(request->values[TIME]), &auth);

    if (error == LST_OK) {
        error = lst_verify_v2(&received, &auth, request->values[BUCKET], request->values[SECRET]);
    }
    printf("%s\n", lst_refusal(error, auth.kind)->name);
}

static void print_time(const struct request_case *request)
{
    struct lst_signing signing = signing_of(request);
    const int rounds = 20000;
    struct timespec start;
    struct timespec end;
    struct lst_key key;
    char url[8192];
    size_t length = 0;
    int error = lst_key_init(&key, request->values[SECRET], signing.time, request->values[REGION],
                             LST_SLICE("s3"));

    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < rounds && error == LST_OK; i++) {
        error = lst_presign(&signing, &key, url, sizeof(url), &length);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    if (error != LST_OK) {
        printf("error %s\n", lst_refusal(error, LST_AUTH_NONE)->name);
        return;
    }
    printf("%.1f\n",
           ((double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec)) /
               rounds);
}

static void run(char *line)
{
    static struct request_case request;
    char *rest = line;
    const char *verb = strsep(&rest, "\t");
    char *field;

    memset(&request, 0, sizeof(request));
    while ((field = strsep(&rest, "\t")) != NULL) {
        if (strchr(field, '=') != NULL) {
            take_field(&request, field);
        }
    }
    if (strcmp(verb, "check") == 0) {
        print_checked(&request);
    } else if (strcmp(verb, "check-v2") == 0) {
        print_checked_v2(&request);
    } else if (strcmp(verb, "time") == 0) {
        print_time(&request);
    } else {
        print_signed(&request, strcmp(verb, "header") == 0);
    }
    fflush(stdout);
}

int main(void)
{
    static char line[LINE_MAX];

    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        run(line);
    }
    return 0;
}
