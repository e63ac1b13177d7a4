/* exchange.c - the life of one exchange: from its head to its answer. */
#include "s3/exchange.h"

#include "base/encoding.h"
#include "base/random.h"
#include "s3/body.h"
#include "s3/bucket.h"
#include "s3/constraints.h"
#include "s3/content.h"
#include "s3/cors_cache.h"
#include "s3/post.h"
#include "s3/refusal_advice.h"
#include "s3/use.h"

#include <stdio.h>
#include <stdlib.h>

enum { REASON_MAX = 2048, RESOURCE_TYPE_MAX = 64 /* bytes of the name of a sub-resource */ };

int lst_s3_open(const struct lst_s3_options *options, struct lst_s3 **ret_s3)
{
    struct lst_s3 *s3 = calloc(1, sizeof(*s3));
    uint8_t host_id[32];
    int status;

    if (s3 == NULL) {
        return LST_ERR_NO_MEMORY;
    }
    status = lst_content_pool_open(&s3->content);
    if (status == LST_OK) {
        status = lst_cors_cache_open(&s3->cors);
    }
    if (status != LST_OK) {
        lst_s3_close(s3);
        return status;
    }
    s3->options = *options;
    s3->rules = lst_gate_rules(options->gate);
    if (s3->options.body_max == 0) {
        s3->options.body_max = LST_STORE_SIZE_MAX;
    }
    lst_random_bytes(host_id, sizeof(host_id));
    lst_base64_encode(host_id, sizeof(host_id), s3->host_id);
    *ret_s3 = s3;
    return LST_OK;
}

void lst_s3_close(struct lst_s3 *s3)
{
    if (s3 != NULL) {
        lst_content_pool_close(s3->content);
        lst_cors_cache_close(s3->cors);
        free(s3);
    }
}

/* ---- Beginning */

static struct lst_s3_exchange *make_exchange(struct lst_s3 *s3,
                                             const struct lst_http_request *request)
{
    size_t room = request->path.length;
    struct lst_s3_exchange *exchange = malloc(sizeof(*exchange) + room);

    if (exchange == NULL) {
        return NULL;
    }
    memset(exchange, 0, sizeof(*exchange));
    exchange->s3 = s3;
    exchange->request = request;
    exchange->error = "";
    lst_http_response_init(&exchange->response);
    lst_buffer_init(&exchange->reason, REASON_MAX);
    return exchange;
}

/* The host name that the client meant: the one that the signature fits, where that is known. */
static struct lst_slice meant_host(const struct lst_s3_exchange *exchange)
{
    if (exchange->passage.auth.kind != LST_AUTH_NONE && exchange->passage.host.length > 0) {
        return exchange->passage.host;
    }
    return exchange->request->forwarded_host.length > 0 ? exchange->request->forwarded_host
                                                        : exchange->request->host;
}

static int decode_target(struct lst_s3_exchange *exchange)
{
    const struct lst_s3_options *options = &exchange->s3->options;

    return lst_target_decode(exchange->request->path, meant_host(exchange), options->domains,
                             options->domain_count, exchange->room, &exchange->target);
}

/* A form posted by a browser carries its signature in its body. To post it elsewhere than to a
 * bucket is a mistake that may be told to anybody. */
static bool is_form(const struct lst_s3_exchange *exchange, const struct lst_route *route)
{
    return exchange->passage.auth.kind == LST_AUTH_NONE &&
           ((route->kind == LST_ROUTE_FOUND && route->operation->body == LST_TAKES_FORM) ||
            (route->kind == LST_ROUTE_METHOD &&
             lst_slice_starts_with_ignoring_case(
                 lst_http_header(exchange->request, LST_HEADER_CONTENT_TYPE),
                 LST_SLICE("multipart/form-data"))));
}

static void fail_conflict(struct lst_s3_exchange *exchange, const struct lst_route *route)
{
    struct lst_slice first = lst_parameter_name(route->sub_resources[0]);
    struct lst_slice second = lst_parameter_name(route->sub_resources[1]);
    char message[128];

    (void)snprintf(message, sizeof(message), "Conflicting query string parameters: %s, %s",
                   first.bytes, second.bytes);
    lst_s3_fail_argument(exchange, message, "ResourceType", first);
}

/* The methods that the resource has, as Allow lists them. */
static void add_allowed(struct lst_s3_exchange *exchange, enum lst_parameter sub_resource)
{
    char text[64];
    size_t length = 0;

    for (size_t i = 0; i < lst_operation_count; i++) {
        const struct lst_operation *row = &lst_operations[i];
        struct lst_slice method = lst_slice_of(row->method);
        struct lst_slice known = lst_slice_make(text, length);

        if (row->level == exchange->target.level && row->parameter == sub_resource &&
            lst_slice_find_slice(known, method) == length &&
            length + method.length + 2 < sizeof(text)) {
            length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s",
                                       length > 0 ? ", " : "", row->method);
        }
    }
    if (length > 0) {
        lst_http_response_add(&exchange->response, "Allow", lst_slice_make(text, length));
    }
}

/* Does the method of the request make sense with a sub-resource of objects? */
static bool has_operation(const struct lst_s3_exchange *exchange, enum lst_parameter sub_resource)
{
    for (size_t i = 0; i < lst_operation_count; i++) {
        if (lst_operations[i].level == LST_LEVEL_OBJECT &&
            lst_operations[i].parameter == sub_resource &&
            lst_slice_equal(lst_slice_of(lst_operations[i].method),
                            exchange->request->message.method)) {
            return true;
        }
    }
    return false;
}

/* Of a bucket: what only an object has. True if it has been answered. */
static bool fail_without_key(struct lst_s3_exchange *exchange, const struct lst_route *route)
{
    enum lst_parameter sub_resource = route->sub_resources[0];

    if (exchange->target.level != LST_LEVEL_BUCKET ||
        route->sub_resources[1] != LST_PARAMETER_OTHER ||
        (sub_resource != LST_PARAMETER_PART_NUMBER &&
         (sub_resource != LST_PARAMETER_UPLOAD_ID || !has_operation(exchange, sub_resource)))) {
        return false;
    }
    lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST, "Object must have a valid key name.", NULL,
                     0);
    return true;
}

/* Sub-resources that a bucket has, asked of a key; and half of an UploadPart. True if it has been
 * answered. */
static bool fail_misplaced(struct lst_s3_exchange *exchange, const struct lst_route *route)
{
    enum lst_parameter sub_resource = route->sub_resources[0];
    bool is_put = lst_slice_equal(exchange->request->message.method, LST_SLICE("PUT"));
    struct lst_slice value;
    char message[96];

    if (exchange->target.level != LST_LEVEL_OBJECT ||
        route->sub_resources[1] != LST_PARAMETER_OTHER) {
        return fail_without_key(exchange, route);
    }
    if (is_put && sub_resource == LST_PARAMETER_PART_NUMBER) {
        (void)lst_s3_parameter(exchange, LST_PARAMETER_PART_NUMBER, &value);
        lst_s3_fail_argument(exchange, "This operation does not accept partNumber without uploadId",
                             "partNumber", value);
        return true;
    }
    if (lst_slice_equal(exchange->request->message.method, LST_SLICE("GET")) &&
        (sub_resource == LST_PARAMETER_UPLOADS || sub_resource == LST_PARAMETER_VERSIONS)) {
        (void)snprintf(message, sizeof(message),
                       "There is no such thing as the ?%s sub-resource for a key",
                       lst_parameter_name(sub_resource).bytes);
        lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST, message, NULL, 0);
        return true;
    }
    return false;
}

/* The type of a resource, as AWS names it in its errors and access logs: in capitals, some by other
 * names than their sub-resource has. text: where it may stand. */
static struct lst_slice resource_type(enum lst_level level, enum lst_parameter sub_resource,
                                      char text[RESOURCE_TYPE_MAX])
{
    static const char *const levels[] = {"SERVICE", "BUCKET", "OBJECT"};
    static const struct {
        enum lst_parameter sub_resource;
        const char *of_bucket;
        const char *of_object;
    } names[] = {
        {LST_PARAMETER_DELETE, "MULTI_OBJECT_DELETE", "MULTI_OBJECT_DELETE"},
        {LST_PARAMETER_ENCRYPTION, "ENCRYPTION", "OBJECT_ENCRYPTION"},
        {LST_PARAMETER_METADATA_INVENTORY_TABLE, "BUCKET_METADATA_INVENTORY_TABLE_CONFIGURATION",
         "OBJECT"},
        {LST_PARAMETER_METADATA_JOURNAL_TABLE, "BUCKET_METADATA_JOURNAL_TABLE_CONFIGURATION",
         "OBJECT"},
        {LST_PARAMETER_PART_NUMBER, "PART", "PART"},
        {LST_PARAMETER_POLICY, "BUCKETPOLICY", "BUCKETPOLICY"},
        {LST_PARAMETER_TAGGING, "TAGGING", "OBJECT_TAGGING"},
        {LST_PARAMETER_UPLOAD_ID, "UPLOAD", "UPLOAD"},
        {LST_PARAMETER_VERSIONS, "BUCKETVERSIONS", "BUCKETVERSIONS"},
    };
    struct lst_slice name = lst_slice_first(lst_parameter_name(sub_resource), RESOURCE_TYPE_MAX);

    if (name.length == 0 || level == LST_LEVEL_SERVICE) {
        return lst_slice_of(levels[level]);
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].sub_resource == sub_resource) {
            return lst_slice_of(level == LST_LEVEL_OBJECT ? names[i].of_object
                                                          : names[i].of_bucket);
        }
    }
    for (size_t i = 0; i < name.length; i++) {
        char byte = name.bytes[i];
        text[i] = (char)(byte >= 'a' && byte <= 'z' ? byte - ('a' - 'A') : byte);
    }
    return lst_slice_make(text, name.length);
}

static void fail_method(struct lst_s3_exchange *exchange, const struct lst_route *route)
{
    char text[RESOURCE_TYPE_MAX];
    struct lst_field details[] = {
        {LST_SLICE("Method"), exchange->request->message.method},
        {LST_SLICE("ResourceType"),
         resource_type(exchange->target.level, route->sub_resources[0], text)},
    };

    if (fail_misplaced(exchange, route)) {
        return;
    }
    lst_s3_fail_with(exchange, LST_S3_METHOD_NOT_ALLOWED, NULL, details, 2);
    if (route->sub_resources[1] != LST_PARAMETER_OTHER) {
        lst_http_response_add(&exchange->response, "Allow", LST_SLICE("PUT"));
    } else {
        add_allowed(exchange, route->sub_resources[0]);
    }
}

static void fail_repeated(struct lst_s3_exchange *exchange)
{
    struct lst_field parameter = exchange->request->repeated;

    lst_s3_fail_field(exchange, "A query parameter is given more than once.", &parameter);
}

/* False, having answered, if a version is named where there is none to be named: of a bucket, of an
 * upload, and of what is about to be written. */
static bool check_versionless(struct lst_s3_exchange *exchange, const struct lst_operation *row)
{
    struct lst_slice version;

    if (row->level == LST_LEVEL_SERVICE || (row->heeds & LST_HEEDS_VERSION) != 0 ||
        !lst_s3_parameter(exchange, LST_PARAMETER_VERSION_ID, &version)) {
        return true;
    }
    lst_s3_fail_argument(exchange, "This operation does not accept a version-id.", "versionId",
                         version);
    return false;
}

/* True if the route leads to an operation that can be carried out; else it has been answered. */
static bool follow_route(struct lst_s3_exchange *exchange, const struct lst_route *route)
{
    switch (route->kind) {
    case LST_ROUTE_CONFLICT:
        fail_conflict(exchange, route);
        return false;
    case LST_ROUTE_METHOD:
        fail_method(exchange, route);
        return false;
    case LST_ROUTE_REPEATED:
        fail_repeated(exchange);
        return false;
    case LST_ROUTE_UNKNOWN:
        lst_s3_fail_not_implemented(exchange, "query parameter", route->unknown);
        return false;
    case LST_ROUTE_FOUND:
        break;
    }
    if (route->operation->run == NULL) {
        lst_s3_fail_not_implemented(exchange, "operation", lst_slice_of(route->operation->name));
        return false;
    }
    return check_versionless(exchange, route->operation);
}

static struct lst_slice action_of(const struct lst_s3_exchange *exchange,
                                  char ret_text[LST_ACTION_MAX + 1])
{
    const char *action = exchange->operation->action;

    if (action == NULL || !exchange->has_version) {
        return lst_slice_of(action == NULL ? "" : action);
    }
    return lst_operation_version_action(action, ret_text);
}

bool lst_s3_authorise(struct lst_s3_exchange *exchange)
{
    char action[LST_ACTION_MAX + 1];
    struct lst_access_question question = {
        .action = action_of(exchange, action),
        .bucket = exchange->target.bucket,
        .key = exchange->target.key,
    };
    int status;

    if (exchange->operation->action == NULL) {
        return true;
    }
    if (exchange->operation->ask != NULL) {
        exchange->operation->ask(exchange, &question);
    }
    status = lst_gate_authorise(exchange->s3->options.gate, &exchange->passage, &question);
    if (status == LST_OK) {
        return true;
    }
    if (status == LST_REFUSED_NOT_ALLOWED) {
        lst_s3_set_reason(exchange, "the policies of user %s do not allow %.*s here",
                          lst_passage_user_name(&exchange->passage), (int)question.action.length,
                          question.action.bytes);
    }
    lst_s3_fail_code(exchange, status);
    return false;
}

bool lst_s3_confirm(struct lst_s3_exchange *exchange)
{
    bool is_changed = false;
    int status = lst_gate_renew(exchange->s3->options.gate, &exchange->passage, &is_changed);

    if (status != LST_OK) {
        lst_s3_set_reason(exchange, "the key or its user was stopped while the body was sent");
        lst_s3_fail_code(exchange, status);
        return false;
    }
    return (!is_changed || lst_s3_authorise(exchange)) && lst_s3_use_check(exchange);
}

/* Is the bucket that an operation needs not there? S3 tells that to anybody. */
static bool lacks_bucket(struct lst_s3_exchange *exchange)
{
    struct lst_bucket_sight sight;

    return exchange->operation != NULL && !exchange->operation->makes_bucket &&
           exchange->target.bucket.length > 0 &&
           lst_bucket_see(exchange, &sight) == LST_ERR_BUCKET_NOT_FOUND;
}

/* The path names nothing. */
static void fail_target(struct lst_s3_exchange *exchange, int status)
{
    if (status == LST_ERR_KEY_TOO_LONG) {
        lst_s3_fail_code(exchange, status);
    } else {
        lst_s3_fail(exchange, LST_S3_INVALID_URI);
    }
}

/* PATCH is a method that S3 knows, and allows nowhere. */
static bool is_method(struct lst_slice method)
{
    static const char *const methods[] = {"GET",    "HEAD",  "PUT",    "POST",
                                          "DELETE", "PATCH", "OPTIONS"};

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (lst_slice_equal(method, lst_slice_of(methods[i]))) {
            return true;
        }
    }
    return false;
}

/* All of an operation, on its fiber. Nothing is begun for a client that went away meanwhile: nobody
 * would be told of it, and the use is given back. */
static void operate(struct lst_s3_exchange *exchange)
{
    if (lst_s3_use_reserve(exchange) && !exchange->running.is_gone) {
        exchange->operation->run(exchange);
    }
}

/* It is known what the request asks about, or why not: status, of who asks, and target_status. */
static void begin(struct lst_s3_exchange *exchange, int status, int target_status)
{
    struct lst_route route = {.kind = LST_ROUTE_METHOD};

    if (target_status == LST_OK) {
        route = lst_route_find(exchange->request, exchange->target.level);
        exchange->operation = route.operation;
    }
    exchange->has_version =
        target_status == LST_OK && exchange->target.level == LST_LEVEL_OBJECT &&
        lst_s3_parameter(exchange, LST_PARAMETER_VERSION_ID, &exchange->version);
    bool is_unsigned_form = status == LST_REFUSED_NOT_SIGNED && is_form(exchange, &route);
    if (!is_method(exchange->request->message.method)) {
        lst_s3_fail_with(exchange, LST_S3_BAD_REQUEST,
                         "An error occurred when parsing the HTTP request.", NULL, 0);
    } else if (status != LST_OK && !is_unsigned_form) {
        lst_s3_fail_code(exchange, status == LST_REFUSED_NOT_SIGNED && target_status == LST_OK &&
                                           lacks_bucket(exchange)
                                       ? LST_ERR_BUCKET_NOT_FOUND
                                       : status);
    } else if (target_status != LST_OK) {
        fail_target(exchange, target_status);
    } else if (exchange->target.level != LST_LEVEL_SERVICE && exchange->target.bucket.length == 0) {
        lst_s3_fail_code(exchange, LST_ERR_BUCKET_NAME);
    } else if (follow_route(exchange, &route) && lst_s3_constrain(exchange) &&
               (is_unsigned_form || lst_s3_authorise(exchange)) && lst_s3_check_options(exchange)) {
        /* A form is read as it comes; what is in it has a fiber when that begins. */
        if (exchange->operation->body == LST_TAKES_FORM) {
            exchange->operation->run(exchange);
        } else {
            lst_running_begin(exchange, operate);
        }
    }
}

struct lst_s3_exchange *lst_s3_begin(struct lst_s3 *s3, const struct lst_http_request *request,
                                     void (*wake)(void *context), void *context)
{
    struct lst_s3_exchange *exchange = make_exchange(s3, request);
    int status;

    if (exchange != NULL) {
        lst_waiting_init(&exchange->waiting, wake, context);
        status = lst_gate_authenticate(s3->options.gate, request, request->received_ms / 1000,
                                       &exchange->passage);
        begin(exchange, status, decode_target(exchange));
    }
    return exchange;
}

struct lst_s3_exchange *lst_s3_begin_call(struct lst_s3 *s3, const struct lst_http_request *request,
                                          const struct lst_s3_call *call,
                                          struct lst_s3_result *ret_result,
                                          void (*wake)(void *context), void *context)
{
    struct lst_s3_exchange *exchange = make_exchange(s3, request);
    int status;

    if (exchange != NULL) {
        lst_waiting_init(&exchange->waiting, wake, context);
        exchange->result = ret_result;
        memset(ret_result, 0, sizeof(*ret_result));
        status = lst_gate_pass(s3->options.gate, call->caller, request, request->received_ms / 1000,
                               call->expires, &exchange->passage);
        begin(exchange, status, lst_target_of(call->bucket, call->key, &exchange->target));
    }
    return exchange;
}

/* ---- Going on */

enum lst_s3_state lst_s3_state(struct lst_s3_exchange *exchange)
{
    return lst_waiting_state(&exchange->waiting, exchange);
}

void lst_s3_body(struct lst_s3_exchange *exchange, struct lst_slice bytes)
{
    exchange->bytes_in += bytes.length;
    if (lst_waiting_is_answered(&exchange->waiting)) {
        return;
    }
    if (exchange->post != NULL) {
        lst_post_take(exchange, bytes);
    } else {
        lst_running_feed(exchange, bytes);
    }
}

void lst_s3_end(struct lst_s3_exchange *exchange)
{
    if (lst_waiting_is_answered(&exchange->waiting)) {
        return;
    }
    if (exchange->post != NULL) {
        lst_post_end(exchange);
    } else {
        lst_running_end(exchange);
    }
}

/* ---- Writing */

struct lst_store_write *lst_s3_write(struct lst_s3_exchange *exchange)
{
    exchange->write = (struct lst_store_write){.done = NULL};
    return &exchange->write;
}

int lst_s3_write_wait(struct lst_s3_exchange *exchange, int begun)
{
    int status = begun == LST_OK ? lst_store_wait(&exchange->write) : begun;

    exchange->has_written = status == LST_OK;
    return status;
}

bool lst_s3_has_written(struct lst_s3_exchange *exchange, int begun)
{
    int status = lst_s3_write_wait(exchange, begun);

    if (status != LST_OK) {
        lst_s3_fail_code(exchange, status);
    }
    return status == LST_OK;
}

/* ---- Ending */

struct lst_http_response *lst_s3_response(struct lst_s3_exchange *exchange)
{
    if (!exchange->is_final) { /* it is asked for several times */
        lst_s3_use_settle(exchange);
        lst_s3_use_forbid_caching(exchange);
        exchange->is_final = true;
    }
    return &exchange->response;
}

void lst_s3_record(const struct lst_s3_exchange *exchange, struct lst_s3_record *ret_record)
{
    static const char *const kinds[] = {"none",     "query",     "header", "form",
                                        "v2-query", "v2-header", "v2-form"};
    const struct lst_passage *passage = &exchange->passage;

    *ret_record = (struct lst_s3_record){
        .operation = exchange->operation == NULL ? "-" : exchange->operation->name,
        .user = lst_passage_user_name(passage),
        .signed_by = kinds[passage->auth.kind],
        .access_key_id = lst_s3_shown_key_id(passage),
        .error = exchange->error,
        .reason = exchange->reason.length == 0 ? "" : exchange->reason.bytes,
        .bucket = exchange->target.bucket,
        .key = exchange->target.key,
        .bytes_in = exchange->bytes_in,
    };
}

void lst_s3_free(struct lst_s3_exchange *exchange)
{
    if (exchange == NULL) {
        return;
    }
    lst_running_stop(exchange);
    lst_s3_use_settle(exchange);
    lst_s3_use_free(exchange->use);
    free(exchange->approval);
    if (exchange->free_work != NULL) {
        exchange->free_work(exchange->work);
    }
    lst_body_free(exchange->body);
    lst_post_free(exchange->post);
    free(exchange->constraints);
    lst_passage_release(&exchange->passage);
    lst_http_response_release(&exchange->response);
    lst_buffer_release(&exchange->reason);
    free(exchange);
}
