/* client_api.c - the API of a running Latchstring server, as a command calls it. */
#include "cli/client_api.h"

#include "access/json.h"
#include "api/api.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "cli/place.h"
#include "s3/checksum.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    ANSWER_MAX = 16 * 1024 * 1024, /* a page of links whose keys are all as long as can be */
    AUTHORIZATION_MAX = 16 * 1024,
    PARAMETERS_MAX = 4,
    HEADERS_MAX = 5,
    HASH_LENGTH = 64,
    TIME_LENGTH = 16,
};

/* ---- Opening */

static int take_token(struct lst_client_api *api)
{
    const char *token = getenv(LST_CLIENT_TOKEN);
    size_t length = token == NULL ? 0 : strlen(token);

    for (size_t i = 0; i < length; i++) {
        if (token[i] <= ' ' || token[i] > '~' || length > LST_CLIENT_TOKEN_MAX) {
            lst_report(api->usage->command,
                       LST_CLIENT_TOKEN " is no token: it should be what `latchstring token "
                                        "create` has printed, without spaces and quotes");
            return LST_EXIT_FAILED;
        }
    }
    if (length > 0) {
        memcpy(api->token, token, length + 1);
    }
    return LST_EXIT_OK;
}

static int take_endpoint(struct lst_client_api *api)
{
    struct lst_aws_settings *settings = &api->settings;
    const char *given = api->options->endpoint_url;
    struct lst_link link;
    struct lst_slice path;
    int length;

    if (given != NULL) {
        (void)snprintf(settings->endpoint_url, sizeof(settings->endpoint_url), "%s", given);
    }
    if (settings->endpoint_url[0] == '\0') {
        return LST_EXIT_OK;
    }
    if ((given != NULL && strlen(given) >= sizeof(settings->endpoint_url)) ||
        !lst_link_parse(lst_slice_of(settings->endpoint_url), &link) || link.query.length > 0) {
        return lst_usage_error(api->usage,
                               "the endpoint '%s' must begin with http:// or https:// and a host, "
                               "as in http://127.0.0.1:9000",
                               given != NULL ? given : settings->endpoint_url);
    }
    if (lst_host_is_aws(lst_slice_of(link.host))) {
        return LST_EXIT_OK;
    }
    path = link.path;
    while (path.length > 0 && path.bytes[path.length - 1] == '/') {
        path.length--;
    }
    memcpy(api->host, link.host, sizeof(api->host));
    length = snprintf(api->base, sizeof(api->base), "%s://%s",
                      link.scheme.length == 5 ? "https" : "http", link.host);
    api->path_at = (size_t)length;
    (void)snprintf(api->base + length, sizeof(api->base) - (size_t)length, "%.*s", (int)path.length,
                   path.bytes);
    return LST_EXIT_OK;
}

static bool open_client(const char *command, struct lst_client **ret_client)
{
    const char *reason = "";
    int status = lst_client_open(ret_client, &reason);

    if (status == LST_ERR_NO_LIBRARY) {
        lst_report(command, "cannot load libcurl (%s): install it (in Debian: libcurl4)", reason);
    } else if (status != LST_OK) {
        lst_report(command, "out of memory");
    }
    return status == LST_OK;
}

int lst_client_api_open(const struct lst_usage *usage, const struct lst_client_options *options,
                        struct lst_client_api *ret_api)
{
    struct lst_client_api *api = ret_api;
    bool found;
    int status;

    memset(api, 0, sizeof(*api));
    api->usage = usage;
    api->options = options;
    status = take_token(api);
    if (status != LST_EXIT_OK) {
        return status;
    }
    found = api->token[0] != '\0'
                ? lst_aws_settings_load_endpoint(usage->command, options->profile, &api->settings)
                : lst_aws_settings_load(usage->command, options->profile, &api->settings);
    if (!found && api->token[0] == '\0' && options->profile == NULL) {
        lst_report(usage->command, "or set " LST_CLIENT_TOKEN " to a token of the server, as "
                                   "`latchstring token create` prints it");
    }
    if (!found) {
        return LST_EXIT_FAILED;
    }
    if (!lst_place_region(usage, options->region, api->settings.region)) {
        return LST_EXIT_USAGE;
    }
    status = take_endpoint(api);
    if (status == LST_EXIT_OK && !open_client(usage->command, &api->client)) {
        status = LST_EXIT_FAILED;
    }
    return status;
}

void lst_client_api_close(struct lst_client_api *api)
{
    lst_client_close(api->client);
    lst_wipe(api, sizeof(*api));
}

/* Is there a server to call? */
static int require_server(const struct lst_client_api *api)
{
    if (api->host[0] != '\0') {
        return LST_EXIT_OK;
    }
    if (api->settings.endpoint_url[0] != '\0') {
        lst_report(api->usage->command,
                   "AWS keeps no links: make a presigned URL with `latchstring presign`, or give "
                   "the address of a Latchstring server with --endpoint-url");
        return LST_EXIT_FAILED;
    }
    return lst_usage_error(api->usage, "which server? Give its address with --endpoint-url or "
                                       "AWS_ENDPOINT_URL, such as http://127.0.0.1:9000");
}

int lst_client_api_connect(const struct lst_usage *usage, const struct lst_client_options *options,
                           struct lst_client_api *ret_api)
{
    int status = lst_client_api_open(usage, options, ret_api);

    return status == LST_EXIT_OK ? require_server(ret_api) : status;
}

int lst_client_api_take_keys(struct lst_client_api *api)
{
    struct lst_aws_settings settings;

    if (api->token[0] == '\0') {
        return LST_EXIT_OK;
    }
    lst_wipe(api->token, sizeof(api->token));
    if (!lst_aws_settings_load(api->usage->command, api->options->profile, &settings)) {
        return LST_EXIT_FAILED;
    }
    api->settings.credentials = settings.credentials;
    lst_wipe(&settings, sizeof(settings));
    return LST_EXIT_OK;
}

/* ---- Calling */

/* What a call's headers are made of. */
struct call {
    const char *method;
    const char *path; /* of the URL, with the query, raw: nothing in it needs encoding */
    struct lst_slice body;
    char url[LST_URL_MAX + LST_CLIENT_API_PATH_MAX + 32];
    char time[TIME_LENGTH];
    char hash[HASH_LENGTH];
    char authorization[AUTHORIZATION_MAX];
    struct lst_field headers[HEADERS_MAX];
    size_t header_count;
};

static void add_header(struct call *call, struct lst_slice name, struct lst_slice value)
{
    call->headers[call->header_count++] = (struct lst_field){name, value};
}

static void hash_body(struct call *call)
{
    struct lst_checksum checksum;
    uint8_t digest[LST_CHECKSUM_SIZE_MAX];

    lst_checksum_init(&checksum, LST_CHECKSUM_SHA256);
    lst_checksum_update(&checksum, call->body);
    lst_checksum_digest(&checksum, digest);
    lst_hex_encode(digest, sizeof(digest), call->hash);
}

static int sign(const struct lst_client_api *api, struct call *call)
{
    const struct lst_credentials *credentials = &api->settings.credentials;
    struct lst_slice rest = lst_slice_of(call->path);
    struct lst_field query[PARAMETERS_MAX];
    struct lst_signing signing = {.method = lst_slice_of(call->method),
                                  .host = lst_slice_of(api->host),
                                  .query = query,
                                  .access_key_id = lst_slice_of(credentials->access_key_id),
                                  .session_token = lst_slice_of(credentials->session_token),
                                  .payload_hash = lst_slice_make(call->hash, HASH_LENGTH),
                                  .time = lst_clock_now_ms() / 1000};
    struct lst_slice part;
    struct lst_key key;
    size_t length;
    int status;

    (void)lst_slice_split(&rest, '?', &part);
    signing.key = lst_slice_after(part, 1);
    while (signing.query_count < PARAMETERS_MAX && lst_slice_split(&rest, '&', &part)) {
        (void)lst_slice_split(&part, '=', &query[signing.query_count].name);
        query[signing.query_count++].value = part;
    }
    hash_body(call);
    status = lst_key_init(&key, lst_slice_of(credentials->secret), signing.time,
                          lst_slice_of(api->settings.region), LST_SLICE("s3"));
    if (status == LST_OK) {
        status = lst_format_time(signing.time, call->time);
    }
    if (status == LST_OK) {
        status = lst_sign_header(&signing, &key, call->authorization, AUTHORIZATION_MAX, &length);
    }
    lst_wipe(&key, sizeof(key));
    if (status != LST_OK) {
        return status;
    }
    add_header(call, LST_SLICE("Authorization"), lst_slice_make(call->authorization, length));
    add_header(call, LST_SLICE("X-Amz-Date"), lst_slice_make(call->time, TIME_LENGTH));
    add_header(call, LST_SLICE("X-Amz-Content-Sha256"), lst_slice_make(call->hash, HASH_LENGTH));
    if (signing.session_token.length > 0) {
        add_header(call, LST_SLICE("X-Amz-Security-Token"), signing.session_token);
    }
    return LST_OK;
}

static int authenticate(const struct lst_client_api *api, struct call *call)
{
    int length;

    if (api->token[0] == '\0') {
        return sign(api, call);
    }
    length = snprintf(call->authorization, AUTHORIZATION_MAX, "Bearer %s", api->token);
    add_header(call, LST_SLICE("Authorization"),
               lst_slice_make(call->authorization, (size_t)length));
    return LST_OK;
}

/* ---- Understanding the answer */

const char *lst_client_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

static void say_foreign(const struct lst_client_api *api, long status,
                        struct lst_client_api_answer *answer)
{
    const char *why = "check the endpoint";

    if (status >= 300 && status < 400) {
        why = "it redirects, which is not followed: give the address that it leads to as the "
              "endpoint";
    } else if (status >= 502 && status <= 504) {
        why = "if it is a proxy, the server behind it may be down";
    } else if (status == 400 &&
               lst_slice_starts_with(lst_slice_of(api->base), LST_SLICE("http:"))) {
        why = "if it speaks HTTPS, write https:// for http://";
    }
    answer->outcome = LST_CLIENT_API_FOREIGN;
    (void)lst_problem(answer->problem,
                      "%s does not answer as a Latchstring server does (HTTP status %ld): %s",
                      api->base, status, why);
}

static void say_refused(const struct lst_client_api *api, const json_t *error,
                        struct lst_client_api_answer *answer)
{
    const char *message = lst_client_text(error, "message");

    answer->outcome = LST_CLIENT_API_REFUSED;
    (void)snprintf(answer->code, sizeof(answer->code), "%s", lst_client_text(error, "code"));
    (void)lst_problem(answer->problem, "%s refuses: %s%s", api->base,
                      message[0] != '\0' ? message : answer->code,
                      strcmp(answer->code, "InvalidToken") == 0 && api->token[0] != '\0'
                          ? " (the token is the one in " LST_CLIENT_TOKEN ")"
                          : "");
}

static void understand(const struct lst_client_api *api, const struct lst_client_answer *said,
                       struct lst_client_api_answer *answer)
{
    bool is_good = said->status >= 200 && said->status < 300;
    json_t *json =
        said->body.length == 0 ? NULL : json_loadb(said->body.bytes, said->body.length, 0, NULL);
    const json_t *error = json_object_get(json, "error");

    answer->status = said->status;
    if (is_good && (json_is_object(json) || said->status == 204)) {
        answer->outcome = LST_CLIENT_API_DONE;
        answer->json = json;
        return;
    }
    if (!is_good && lst_client_text(error, "code")[0] != '\0') {
        say_refused(api, error, answer);
    } else {
        say_foreign(api, said->status, answer);
    }
    json_decref(json);
}

static void send_call(struct lst_client_api *api, struct call *call,
                      struct lst_client_api_answer *answer)
{
    struct lst_client_answer said;
    struct lst_client_request request = {.method = call->method,
                                         .url = call->url,
                                         .headers = call->headers,
                                         .header_count = call->header_count,
                                         .body = call->body,
                                         .file = -1,
                                         .answer_max = ANSWER_MAX};

    if (lst_client_send(api->client, &request, &said) == LST_CLIENT_ANSWERED) {
        understand(api, &said, answer);
    } else {
        memcpy(answer->problem, said.problem, sizeof(answer->problem));
    }
    lst_buffer_release(&said.body);
}

void lst_client_api_call(struct lst_client_api *api, const char *method, const char *path,
                         json_t *body, struct lst_client_api_answer *ret_answer)
{
    char *text = lst_json_dump(body, JSON_COMPACT);
    struct call call = {.method = method, .body = lst_slice_of(text)};

    *ret_answer = (struct lst_client_api_answer){.outcome = LST_CLIENT_API_FAILED};
    (void)snprintf(call.url, sizeof(call.url), "%s" LST_API_PATH "%s", api->base, path);
    call.path = call.url + api->path_at;
    if (body != NULL) {
        add_header(&call, LST_SLICE("Content-Type"), LST_SLICE("application/json"));
    }
    if ((body != NULL && text == NULL) || authenticate(api, &call) != LST_OK) {
        (void)lst_problem(ret_answer->problem, "the request could not be made: out of memory, or "
                                               "the clock is before 1970");
    } else {
        send_call(api, &call, ret_answer);
    }
    lst_wipe(&call, sizeof(call));
    if (text != NULL) {
        lst_wipe(text, strlen(text)); /* there may be a password in it */
    }
    free(text);
    json_decref(body);
}

int lst_client_api_report(const struct lst_client_api *api,
                          const struct lst_client_api_answer *answer)
{
    lst_report(api->usage->command, "%s", answer->problem);
    return LST_EXIT_FAILED;
}

size_t lst_client_print(const char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        bool is_c1 = byte == 0xc2 && (unsigned char)text[i + 1] < 0xa0; /* U+0080 to U+009F */

        if (is_c1) {
            i++;
        }
        (void)putchar(byte < ' ' || byte == 0x7f || is_c1 ? '?' : byte);
    }
    return length;
}
