/* route.c - who answers a request: this server itself, CORS, or S3. */
#include "server/exchange.h"

#include "api/api.h"
#include "http/host.h"
#include "s3/errors.h"
#include "server/inert.h"
#include "server/tls.h"

#include <stdio.h>

#define OWN_PATH "/-/"

/* True if the host name is a bucket's own, where every path is a key: BUCKET.DOMAIN. */
static bool is_virtual_host(const struct lst_exchange *exchange)
{
    const struct lst_config_list *domains = &exchange->server->config->domains;

    return lst_host_bucket(exchange->request.host, domains->values, domains->count).length > 0;
}

/* True if the host name serves objects alone. */
static bool is_apart(const struct lst_exchange *exchange)
{
    const struct lst_config_list *apart = &exchange->server->config->content_domains;

    return lst_inert_is_apart(exchange->request.host, apart->values, apart->count);
}

static bool is_at_api(const struct lst_exchange *exchange)
{
    return lst_api_handles(exchange->request.path) && !is_virtual_host(exchange) &&
           !is_apart(exchange);
}

static void refuse_with(struct lst_exchange *exchange, int status, const char *code,
                        const char *message)
{
    struct lst_http_response *response = &exchange->own_response;

    if (is_at_api(exchange)) {
        lst_api_error_response(&exchange->request, status, code, message, response);
    } else {
        lst_s3_error_response(&exchange->request, code, message, response);
    }
    if (message == NULL) {
        message = lst_s3_error_row(lst_s3_error_named(code))->text;
    }
    (void)snprintf(exchange->own_reason, sizeof(exchange->own_reason), "%s", message);
    exchange->error = code;
    exchange->has_own = true;
}

void lst_exchange_refuse(struct lst_exchange *exchange, const char *code, const char *message)
{
    refuse_with(exchange, 0, code, message);
}

static void answer_text(struct lst_exchange *exchange, int status, const char *type)
{
    struct lst_http_response *response = &exchange->own_response;

    response->status = status;
    response->kind = LST_BODY_BYTES;
    lst_http_response_add(response, "Content-Type", lst_slice_of(type));
    lst_http_response_add(response, "Cache-Control", LST_SLICE("no-store"));
    exchange->has_own = true;
}

/* Is it alive? A supervisor may end a process that does not answer; one that drains is alive. */
static void answer_health(struct lst_exchange *exchange)
{
    bool draining = exchange->server->is_draining;

    exchange->operation = "Health";
    answer_text(exchange, 200, "application/json");
    lst_buffer_append_string(&exchange->own_response.body,
                             draining ? "{\"status\":\"draining\"}\n" : "{\"status\":\"ok\"}\n");
}

/* Should requests be sent here? If not, a load balancer sends them elsewhere. */
static void answer_ready(struct lst_exchange *exchange)
{
    const char *why = exchange->server->is_draining ? "draining" : NULL;

    if (why == NULL && lst_server_failed_part(exchange->server) != NULL) {
        why = "a sync of the data failed";
    }
    if (why == NULL && lst_store_check_readable(exchange->server->store) != LST_OK) {
        why = "the index can't be read";
    }
    exchange->operation = "Ready";
    answer_text(exchange, why != NULL ? 503 : 200, "application/json");
    if (why != NULL) {
        lst_buffer_append_format(&exchange->own_response.body,
                                 "{\"status\":\"not ready\",\"reason\":\"%s\"}\n", why);
    } else {
        lst_buffer_append_string(&exchange->own_response.body, "{\"status\":\"ready\"}\n");
    }
}

static void answer_metrics(struct lst_exchange *exchange)
{
    struct lst_store_statistics statistics;
    struct lst_jobs_statistics webhooks;

    lst_store_statistics(exchange->server->store, &statistics);
    lst_api_statistics(exchange->server->api, &webhooks);
    exchange->operation = "Metrics";
    answer_text(exchange, 200, "text/plain; version=0.0.4; charset=utf-8");
    lst_metrics_format(&exchange->server->metrics, &statistics,
                       lst_log_dropped(exchange->server->log), &exchange->own_response.body);
    if (exchange->server->tls != NULL) {
        lst_metrics_format_tls(&exchange->server->metrics, lst_tls_expires(exchange->server->tls),
                               &exchange->own_response.body);
    }
    lst_metrics_format_webhooks(&webhooks, &exchange->own_response.body);
    lst_metrics_format_usage(exchange->server->store, &exchange->own_response.body);
}

static void answer_own(struct lst_exchange *exchange)
{
    struct lst_slice path = lst_slice_after(exchange->request.path, sizeof(OWN_PATH) - 1);
    struct lst_slice method = exchange->request.message.method;

    exchange->is_operators = true;
    if (!lst_slice_equal(method, LST_SLICE("GET")) && !lst_slice_equal(method, LST_SLICE("HEAD"))) {
        lst_exchange_refuse(exchange, "MethodNotAllowed", NULL);
        lst_http_response_add(&exchange->own_response, "Allow", LST_SLICE("GET, HEAD"));
    } else if (lst_slice_equal(path, LST_SLICE("health"))) {
        answer_health(exchange);
    } else if (lst_slice_equal(path, LST_SLICE("ready"))) {
        answer_ready(exchange);
    } else if (lst_slice_equal(path, LST_SLICE("metrics"))) {
        answer_metrics(exchange);
    } else {
        lst_exchange_refuse(exchange, "NotFound", NULL);
    }
}

/* "OPTIONS *" asks about the server and not about a resource: RFC 9110, 9.3.7. */
static bool is_about_server(const struct lst_http_request *request)
{
    return lst_slice_equal(request->path, LST_SLICE("*")) &&
           lst_slice_equal(request->message.method, LST_SLICE("OPTIONS"));
}

static void answer_about_server(struct lst_exchange *exchange)
{
    exchange->operation = "Options";
    exchange->is_operators = true;
    exchange->own_response.status = 200;
    exchange->own_response.kind = LST_BODY_BYTES;
    exchange->has_own = true;
    lst_http_response_add(&exchange->own_response, "Allow",
                          LST_SLICE("GET, HEAD, PUT, POST, DELETE, OPTIONS"));
}

static void refuse_stranger(struct lst_exchange *exchange, bool is_api)
{
    refuse_with(exchange, is_api ? 429 : 0, is_api ? "TooManyRequests" : "SlowDown",
                "This address sends too many requests without a signature; wait a second.");
    lst_http_response_add_number(&exchange->own_response, "Retry-After", 1);
}

/* Hand the request on. False if there is no memory. */
static bool hand_to(struct lst_exchange *exchange, const struct lst_handler *handler, void *handled)
{
    if (handled == NULL) {
        return false;
    }
    exchange->handler = handler;
    exchange->handled = handled;
    return true;
}

/* A signature counts where somebody looks at it: not of a short link, nor of a preflight. */
static bool is_stranger(const struct lst_exchange *exchange, bool is_own)
{
    const struct lst_http_request *request = &exchange->request;

    bool is_signed = lst_strangers_is_signed(request) ||
                     (is_own ? lst_api_has_token(request->path) : lst_strangers_is_form(request));

    return !is_signed || lst_cors_is_preflight(request) ||
           (is_own && lst_slice_starts_with(request->path, LST_SLICE(LST_LINKS_PATH)));
}

bool lst_exchange_route(struct lst_exchange *exchange)
{
    struct lst_server *server = exchange->server;
    struct lst_slice path = exchange->request.path;
    bool is_own = lst_slice_starts_with(path, LST_SLICE(OWN_PATH)) && !is_virtual_host(exchange);
    bool is_api = is_own && lst_api_handles(path);

    if (exchange->is_bad_head) {
        return true;
    }
    if (exchange->peer->is_over_limit) {
        lst_exchange_refuse(exchange, "SlowDown",
                            "The server has as many connections as it may (the setting "
                            "connections): try again later.");
        exchange->own_response.close = true;
    } else if (is_about_server(&exchange->request)) {
        answer_about_server(exchange);
    } else if (is_own && is_apart(exchange)) {
        lst_exchange_refuse(exchange, "NotFound",
                            "This host name serves objects alone (the setting content-domain).");
    } else if (is_own && !is_api) {
        answer_own(exchange);
    } else if (is_stranger(exchange, is_own) &&
               !lst_strangers_take(server->strangers, exchange->request.peer,
                                   exchange->request.received_ms)) {
        refuse_stranger(exchange, is_api);
    } else if (lst_cors_is_preflight(&exchange->request)) {
        exchange->operation = "Preflight";
        /* The API's paths name no bucket, so no bucket's rules hold for them. */
        lst_cors_preflight(&server->cors, is_api ? NULL : server->s3, &exchange->request,
                           &exchange->own_response, &exchange->error);
        exchange->has_own = true;
    } else if (is_api) {
        return hand_to(exchange, &lst_handler_api,
                       lst_api_begin(server->api, &exchange->request, lst_exchange_wake, exchange));
    } else {
        return hand_to(exchange, &lst_handler_s3,
                       lst_s3_begin(server->s3, &exchange->request, lst_exchange_wake, exchange));
    }
    return true;
}
