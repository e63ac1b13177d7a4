/* exchange.c - the life of one request to the API. */
#include "api/exchange.h"
#include "access/json.h"
#include "api/approval.h"
#include "api/call.h"
#include "base/budget.h"
#include "base/encoding.h"
#include "base/json_size.h"

#include <nettle/sha2.h>
#include <stdlib.h>

enum {
    REASON_MAX = 1024,
    ABOUT_MAX = 2048,   /* bytes of the name of a bucket and of a key */
    BYTES_OF_VALUE = 8, /* a body may have as many values as if each took so many of its bytes */
};

bool lst_api_handles(struct lst_slice path)
{
    return lst_slice_starts_with(path, LST_SLICE(LST_API_PATH)) ||
           lst_slice_starts_with(path, LST_SLICE(LST_LINKS_PATH));
}

/* Take "uppy/", and a client token behind it, off what follows LST_API_PATH. ret_token: empty if
 * there is none. False: it does not begin so. */
static bool take_uppy(struct lst_slice *path, struct lst_slice *ret_token)
{
    const struct lst_slice prefix = LST_SLICE("uppy/");

    *ret_token = lst_slice_make(NULL, 0);
    if (!lst_slice_starts_with(*path, prefix)) {
        return false;
    }
    *path = lst_slice_after(*path, prefix.length);
    if (lst_slice_starts_with(*path, LST_SLICE(LST_CLIENT_PREFIX))) {
        *ret_token = lst_slice_first(*path, lst_slice_find(*path, '/'));
        *path = lst_slice_after(*path, ret_token->length + 1);
    }
    return true;
}

bool lst_api_has_token(struct lst_slice path)
{
    struct lst_slice rest = lst_slice_after(path, sizeof(LST_API_PATH) - 1);
    struct lst_slice token;

    return lst_slice_starts_with(path, LST_SLICE(LST_STAGED_PATH)) ||
           (lst_slice_starts_with(path, LST_SLICE(LST_API_PATH)) && take_uppy(&rest, &token) &&
            token.length > 0);
}

static struct lst_api_exchange *make_exchange(struct lst_api *api,
                                              const struct lst_http_request *request)
{
    size_t room = request->path.length;
    struct lst_api_exchange *exchange = malloc(sizeof(*exchange) + room);

    if (exchange == NULL) {
        return NULL;
    }
    memset(exchange, 0, sizeof(*exchange));
    exchange->api = api;
    exchange->request = request;
    exchange->error = "";
    lst_http_response_init(&exchange->response);
    lst_buffer_init_charged(&exchange->body, LST_API_BODY_MAX);
    lst_buffer_init(&exchange->reason, REASON_MAX);
    lst_buffer_init(&exchange->about, ABOUT_MAX);
    return exchange;
}

/* ---- Who is it, and may he? */

/* A request that is signed, but not well. */
static void fail_signature(struct lst_api_exchange *exchange, int status)
{
    static const struct {
        int status;
        const char *code;
        const char *text;
    } answers[] = {
        {LST_REFUSED_SIGNATURE, "SignatureDoesNotMatch",
         "The signature does not fit the request: check the secret access key, and that what is "
         "sent is what was signed"},
        {LST_REFUSED_ACCESS_KEY_UNKNOWN, "InvalidAccessKeyId",
         "There is no such access key: see `latchstring user list`"},
        {LST_REFUSED_TIME_TOO_SKEWED, "RequestTimeTooSkewed",
         "The request was signed at another time than now: check the clock"},
    };

    if (lst_http_parameter(exchange->request, LST_PARAMETER_AMZ_SIGNATURE) != NULL) {
        lst_api_fail(exchange, 403, "AccessDenied",
                     "The API can't be called with a presigned URL: send a token, as "
                     "`Authorization: Bearer lst_...`, or sign the request with its header");
        return;
    }
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        if (answers[i].status == status) {
            lst_api_fail(exchange, 403, answers[i].code, "%s", answers[i].text);
            return;
        }
    }
    lst_api_fail(
        exchange, 403, "AccessDenied",
        "The Authorization header must be `Bearer lst_...` (see `latchstring token create`), "
        "or a signature of Version 4 for the service s3");
}

static void fail_caller(struct lst_api_exchange *exchange, int status)
{
    const char *text = "send a token, as `Authorization: Bearer lst_...` (see `latchstring token "
                       "create`), or sign the request with Signature Version 4";

    lst_http_response_add(&exchange->response, "WWW-Authenticate", LST_SLICE("Bearer"));
    switch (status) {
    case LST_REFUSED_NOT_SIGNED:
        lst_api_fail(exchange, 401, "Unauthorized", "The API has to know who asks: %s", text);
        break;
    case LST_REFUSED_TOKEN_INVALID:
        lst_api_fail(exchange, 401, "InvalidToken",
                     "The token is not known here, or was revoked: %s", text);
        break;
    case LST_REFUSED_TOKEN_EXPIRED:
        lst_api_fail(exchange, 401, "ExpiredToken", "The token has expired: %s", text);
        break;
    case LST_REFUSED_ACCESS_KEY_INACTIVE:
        lst_api_fail(exchange, 403, "AccessDenied",
                     "The user for whom the token signs is disabled, or has no active access key");
        break;
    default:
        if (status <= -200) {
            lst_api_fail_code(exchange, status);
        } else {
            fail_signature(exchange, status);
        }
        break;
    }
}

/* A signed request is one with a header; its body is held against the hash that was signed. */
static bool is_signed_well(const struct lst_api_exchange *exchange)
{
    const struct lst_auth *auth = &exchange->bearer.passage.auth;

    return exchange->bearer.token.id[0] != '\0' ||
           (auth->kind == LST_AUTH_HEADER &&
            (auth->payload == LST_PAYLOAD_SHA256 || auth->payload == LST_PAYLOAD_UNSIGNED));
}

/* On the ledger's thread. */
static void uses_are_written(struct lst_ledger_waiter *waiter)
{
    struct lst_api_exchange *exchange = waiter->context;

    lst_waiting_end(&exchange->waiting, exchange->after_uses);
}

void lst_api_after_uses(struct lst_api_exchange *exchange, void (*then)(void *exchange))
{
    exchange->after_uses = then;
    exchange->settled = (struct lst_ledger_waiter){.done = uses_are_written, .context = exchange};
    lst_waiting_begin(&exchange->waiting);
    if (!lst_ledger_flush_begin(exchange->api->options.ledger, &exchange->settled)) {
        lst_waiting_cancel(&exchange->waiting);
        then(exchange);
    }
}

bool lst_api_take(struct lst_api_exchange *exchange)
{
    unsigned seconds = 1;

    if (lst_gate_bearer_take(exchange->api->options.gate, &exchange->bearer,
                             exchange->request->received_ms, &seconds) == LST_OK) {
        return true;
    }
    if (exchange->entry_failure == NULL) {
        lst_http_response_add_number(&exchange->response, "Retry-After", seconds);
    }
    lst_api_fail(exchange, 429, "TooManyRequests",
                 "This token asks too often: try again in %u second%s", seconds,
                 seconds == 1 ? "" : "s");
    return false;
}

static int find_caller(const struct lst_api_exchange *exchange, struct lst_bearer *ret_bearer)
{
    struct lst_gate *gate = exchange->api->options.gate;
    int64_t now = lst_api_now(exchange);

    return exchange->token.length > 0
               ? lst_gate_bearer_client(gate, exchange->token, exchange->request, now, ret_bearer)
               : lst_gate_bearer(gate, exchange->request, now, ret_bearer);
}

/* The same once the body has arrived, which can take a long time: a token that was revoked
 * meanwhile does nothing more. */
static bool confirm_caller(struct lst_api_exchange *exchange)
{
    struct lst_bearer bearer;
    int status;

    if (exchange->route->needs == 0 ||
        exchange->version == lst_gate_version(exchange->api->options.gate)) {
        return true;
    }
    status = find_caller(exchange, &bearer);
    if (status != LST_OK) {
        fail_caller(exchange, status);
        return false;
    }
    lst_bearer_release(&exchange->bearer);
    exchange->bearer = bearer;
    return true;
}

static bool check_caller(struct lst_api_exchange *exchange)
{
    int status;

    if (exchange->route->needs == 0) {
        return true;
    }
    exchange->version = lst_gate_version(exchange->api->options.gate);
    status = find_caller(exchange, &exchange->bearer);
    exchange->is_known = status == LST_OK;
    if (status != LST_OK) {
        fail_caller(exchange, status);
        return false;
    }
    if (!is_signed_well(exchange)) {
        fail_signature(exchange, LST_REFUSED_UNKNOWN_SCHEME);
        return false;
    }
    if (!lst_api_take(exchange)) {
        return false;
    }
    if ((exchange->bearer.may & exchange->route->needs) == 0) {
        lst_api_fail(exchange, 403, "AccessDenied", "The role of this token does not allow %s",
                     exchange->route->operation);
        return false;
    }
    return true;
}

/* ---- Beginning */

/* What follows that which leads to the place. */
static struct lst_slice find_place(struct lst_api_exchange *exchange)
{
    struct lst_slice path = exchange->request->path;

    if (!lst_slice_starts_with(path, LST_SLICE(LST_API_PATH))) {
        exchange->place = LST_API_LINKS;
        return lst_slice_after(path, sizeof("/-/") - 1);
    }
    path = lst_slice_after(path, sizeof(LST_API_PATH) - 1);
    if (take_uppy(&path, &exchange->token)) {
        exchange->place = LST_API_UPPY;
    }
    return path;
}

static bool decode_names(struct lst_api_exchange *exchange,
                         const struct lst_slice raw[LST_API_NAMES_MAX])
{
    struct lst_slice *names[LST_API_NAMES_MAX] = {&exchange->name, &exchange->part};
    size_t used = 0;

    for (size_t i = 0; i < LST_API_NAMES_MAX; i++) {
        size_t length;

        if (lst_percent_decode(raw[i], false, exchange->room + used,
                               exchange->request->path.length - used, &length) != LST_OK) {
            return false;
        }
        *names[i] = lst_slice_make(exchange->room + used, length);
        used += length;
    }
    return true;
}

static bool find_route(struct lst_api_exchange *exchange)
{
    struct lst_slice method = exchange->request->message.method;
    struct lst_slice path = find_place(exchange);
    struct lst_slice raw[LST_API_NAMES_MAX];
    char allow[LST_API_ALLOW_MAX];

    if (lst_slice_equal(method, LST_SLICE("HEAD"))) {
        method = LST_SLICE("GET");
    }
    exchange->route = lst_api_route_find(exchange->place, method, path, raw, allow);
    if (exchange->route != NULL && decode_names(exchange, raw)) {
        return true;
    }
    if (exchange->route == NULL && allow[0] != '\0') {
        lst_http_response_add(&exchange->response, "Allow", lst_slice_of(allow));
        lst_api_fail(exchange, 405, "MethodNotAllowed", "The methods that work here: %s", allow);
    } else {
        lst_api_fail(exchange, 404, "NotFound",
                     "There is nothing here: %sopenapi.json says what there is", LST_API_PATH);
    }
    return false;
}

static bool check_query(struct lst_api_exchange *exchange)
{
    bool is_repeated = exchange->request->has_repeated;

    if (is_repeated) {
        lst_api_fail(
            exchange, 400, "InvalidArgument",
            "The query is malformed, names something twice, or has more than %d parameters",
            LST_PARAMETERS_MAX);
    }
    return !is_repeated;
}

static void fail_size(struct lst_api_exchange *exchange)
{
    lst_api_fail(exchange, 413, "TooLarge", "The body may have %zu bytes at most",
                 exchange->body.limit);
}

static void begin(struct lst_api_exchange *exchange)
{
    const struct lst_http_request *request = exchange->request;

    if (!find_route(exchange) || !check_query(exchange) || !check_caller(exchange)) {
        return;
    }
    if (exchange->route->body_max > 0) {
        exchange->body.limit = exchange->route->body_max;
    }
    if (request->has_content_length && request->content_length > exchange->body.limit) {
        fail_size(exchange);
    } else if (exchange->route->body_max == 0) {
        exchange->route->begin(exchange);
    }
}

struct lst_api_exchange *lst_api_begin(struct lst_api *api, const struct lst_http_request *request,
                                       void (*wake)(void *context), void *context)
{
    struct lst_api_exchange *exchange = make_exchange(api, request);

    if (exchange != NULL) {
        lst_waiting_init(&exchange->waiting, wake, context);
        begin(exchange);
    }
    return exchange;
}

/* ---- Going on */

enum lst_s3_state lst_api_state(struct lst_api_exchange *exchange)
{
    return lst_waiting_state(&exchange->waiting, exchange);
}

void lst_api_body(struct lst_api_exchange *exchange, struct lst_slice bytes)
{
    exchange->bytes_in += bytes.length;
    if (lst_waiting_is_answered(&exchange->waiting)) {
        return;
    }
    lst_buffer_append(&exchange->body, bytes);
    if (lst_buffer_status(&exchange->body) == LST_ERR_TOO_LARGE) {
        fail_size(exchange);
    } else if (lst_buffer_status(&exchange->body) != LST_OK) {
        lst_api_fail_code(exchange, lst_buffer_status(&exchange->body));
    }
}

/* Is the body the one that was signed? */
static bool is_signed_body(const struct lst_api_exchange *exchange)
{
    const struct lst_auth *auth = &exchange->bearer.passage.auth;
    struct lst_slice text = lst_buffer_slice(&exchange->body);
    struct sha256_ctx context;
    uint8_t digest[SHA256_DIGEST_SIZE];
    char hex[2 * SHA256_DIGEST_SIZE];

    if (exchange->bearer.token.id[0] != '\0' || auth->payload != LST_PAYLOAD_SHA256) {
        return true;
    }
    sha256_init(&context);
    sha256_update(&context, text.length, (const uint8_t *)text.bytes);
    sha256_digest(&context, sizeof(digest), digest);
    lst_hex_encode(digest, sizeof(digest), hex);
    return lst_slice_equal_ignoring_case(auth->body_sha256, lst_slice_make(hex, sizeof(hex)));
}

/* Is there room for what the text would become? Else the exchange has been answered. */
static bool make_room(struct lst_api_exchange *exchange, struct lst_slice text)
{
    struct lst_json_size size = lst_json_measure(text);
    size_t most = exchange->body.limit / BYTES_OF_VALUE;
    size_t memory = lst_json_memory(&size, text);

    if (size.depth > LST_API_DEPTH_MAX) {
        lst_api_fail(exchange, 400, "InvalidJson",
                     "The body is nested too deeply: %d objects and lists in one another are the "
                     "most",
                     LST_API_DEPTH_MAX);
        return false;
    }
    if (size.containers + size.separators > most) {
        lst_api_fail(exchange, 413, "TooLarge", "The body has too many values: %zu are the most",
                     most);
        return false;
    }
    if (memory <= LST_BUDGET_SMALL) {
        return true;
    }
    if (!lst_budget_take(memory)) {
        lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
        return false;
    }
    exchange->input_charge = memory;
    return true;
}

void lst_api_end(struct lst_api_exchange *exchange)
{
    struct lst_slice text = lst_buffer_slice(&exchange->body);
    json_error_t error;
    int status;

    if (lst_waiting_is_answered(&exchange->waiting)) {
        return;
    }
    if (exchange->place == LST_API_LINKS) {
        exchange->route->begin(exchange);
        return;
    }
    if (!is_signed_body(exchange)) {
        lst_api_fail(exchange, 400, "XAmzContentSHA256Mismatch",
                     "The body is not the one that was signed");
        return;
    }
    if (!confirm_caller(exchange) || !make_room(exchange, text)) {
        return;
    }
    status = lst_json_load(text, JSON_REJECT_DUPLICATES, &exchange->input, &error);
    if (status == LST_ERR_NO_MEMORY) {
        lst_api_fail_code(exchange, status);
        return;
    }
    if (!json_is_object(exchange->input)) {
        lst_api_fail(exchange, 400, "InvalidJson", "The body must be a JSON object: %s",
                     exchange->input != NULL ? "it is something else"
                     : text.length == 0      ? "it is empty"
                                             : error.text);
        return;
    }
    exchange->route->begin(exchange);
}

/* ---- Ending */

struct lst_http_response *lst_api_response(struct lst_api_exchange *exchange)
{
    return &exchange->response;
}

void lst_api_about(struct lst_api_exchange *exchange, struct lst_slice bucket, struct lst_slice key)
{
    if (exchange->entry_failure != NULL) {
        return;
    }
    lst_buffer_clear(&exchange->about);
    lst_buffer_append(&exchange->about, bucket);
    lst_buffer_append(&exchange->about, key);
    exchange->about_bucket = bucket.length;
    if (lst_buffer_status(&exchange->about) != LST_OK) { /* the line goes without */
        lst_buffer_release(&exchange->about);
        exchange->about_bucket = 0;
    }
}

void lst_api_record(const struct lst_api_exchange *exchange, struct lst_s3_record *ret_record)
{
    static const char *const kinds[] = {"token",    "query",     "header", "form",
                                        "v2-query", "v2-header", "v2-form"};
    const struct lst_passage *passage = &exchange->bearer.passage;
    bool is_signed = exchange->is_known && passage->auth.kind != LST_AUTH_NONE;

    *ret_record = (struct lst_s3_record){
        .operation = exchange->route == NULL ? "Api" : exchange->route->operation,
        .user = is_signed            ? lst_passage_user_name(passage)
                : exchange->is_known ? exchange->bearer.id
                                     : "",
        .signed_by = exchange->is_known ? kinds[passage->auth.kind] : "none",
        .access_key_id = is_signed ? passage->auth.access_key_id : "",
        .bucket = lst_slice_first(lst_buffer_slice(&exchange->about), exchange->about_bucket),
        .key = lst_slice_after(lst_buffer_slice(&exchange->about), exchange->about_bucket),
        .error = exchange->error,
        .reason = exchange->reason.length == 0 ? "" : exchange->reason.bytes,
        .bytes_in = exchange->bytes_in,
    };
}

void lst_api_free(struct lst_api_exchange *exchange)
{
    if (exchange == NULL) {
        return;
    }
    if (exchange->free_work != NULL) {
        exchange->free_work(exchange->work);
    }
    if (exchange->is_known) {
        lst_bearer_release(&exchange->bearer);
    }
    lst_call_free(exchange->call);
    json_decref(exchange->input);
    if (exchange->input_charge > 0) {
        lst_budget_give(exchange->input_charge);
    }
    lst_wipe(exchange->body.bytes, exchange->body.length); /* there may be a password in it */
    lst_buffer_release(&exchange->body);
    lst_buffer_release(&exchange->reason);
    lst_buffer_release(&exchange->about);
    lst_http_response_release(&exchange->response);
    free(exchange);
}
