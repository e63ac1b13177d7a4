/*
 * link_open.c - GET /-/l/ID: a redirect to a URL of a minute's life.
 *
 * The URL carries the same id and limits as the link, and the store that it leads to enforces and
 * counts them: what is refused here is refused early, for the sake of a text that a person reads.
 */
#include "access/constraints.h"
#include "api/link.h"
#include "api/links.h"

#include <stdlib.h>

enum { LIFE = 60, GONE = 499 };

static void answer_person(struct lst_api_exchange *exchange, int status, const char *code,
                          const char *text)
{
    struct lst_http_response *response = &exchange->response;

    exchange->error = code;
    response->status = status;
    response->kind = LST_BODY_BYTES;
    lst_buffer_append_string(&response->body, text);
    lst_http_response_add(response, "Content-Type", LST_SLICE("text/plain; charset=utf-8"));
    lst_http_response_add(response, "Cache-Control", LST_SLICE("private, no-store"));
    lst_http_response_add(response, "Referrer-Policy", LST_SLICE("no-referrer"));
    lst_waiting_answer(&exchange->waiting);
}

static bool is_from_elsewhere(const struct lst_api_exchange *exchange, const struct lst_link *link)
{
    struct lst_constraints constraints = {0};
    const char *problem;

    return link->ip.length > 0 &&
           (lst_constraints_read(&constraints, LST_SLICE("ip"), link->ip, &problem) != LST_OK ||
            !lst_constraints_allow_address(&constraints, exchange->request->peer));
}

/* Whether it may be opened; refused if not. */
static bool check(struct lst_api_exchange *exchange, const struct lst_link *link)
{
    struct lst_ledger_summary summary;
    const char *state = lst_link_state(exchange->api, link, lst_api_now(exchange), &summary);

    if (strcmp(state, "revoked") == 0) {
        answer_person(exchange, 410, "LinkRevoked", "This link was revoked.\n");
    } else if (strcmp(state, "expired") == 0) {
        answer_person(exchange, 410, "LinkExpired", "This link has expired.\n");
    } else if (strcmp(state, "used") == 0) {
        answer_person(exchange, 410, "LinkUsed",
                      "This link has been used as often as it may be.\n");
    } else if (strcmp(state, "not_yet") == 0) {
        answer_person(exchange, 403, "LinkNotYet", "This link can't be used yet.\n");
    } else if (is_from_elsewhere(exchange, link)) {
        answer_person(exchange, 403, "LinkNotHere", "This link can't be used from your address.\n");
    } else {
        return true;
    }
    return false;
}

static void redirect(struct lst_api_exchange *exchange, const struct lst_link *link)
{
    int64_t now = lst_api_now(exchange);
    int64_t life = link->expires - now < LIFE ? link->expires - now : LIFE;
    struct lst_buffer url;
    int status = lst_gate_bearer_of_user(exchange->api->options.gate, link->user, exchange->request,
                                         now, &exchange->bearer);

    if (status != LST_OK) {
        answer_person(exchange, 410, "LinkClosed", "Whoever made this link may not do so now.\n");
        return;
    }
    exchange->is_known = true;
    lst_buffer_init(&url, LST_API_URL_MAX);
    status = lst_link_sign(exchange, &exchange->bearer, link, now, life, &url);
    if (status == LST_OK) {
        lst_http_response_add(&exchange->response, "Location", lst_buffer_slice(&url));
        answer_person(exchange, 302, "", "");
    } else {
        lst_api_fail_code(exchange, status);
    }
    lst_buffer_release(&url);
}

static struct lst_use use_of(const struct lst_api_exchange *exchange, const struct lst_link *link)
{
    return (struct lst_use){.user = link->user,
                            .id = lst_slice_of(link->id),
                            .method = LST_SLICE("GET"),
                            .bucket = link->bucket,
                            .key = link->key,
                            .peer = exchange->request->peer,
                            .limit = (uint64_t)link->max_uses,
                            .now_ms = exchange->request->received_ms,
                            .expires_ms = link->expires * 1000};
}

/* The rows of the ledger live as long as the URLs that it was shown: without this the count of a
 * link that lives for a week would be forgotten an hour after its last redirect. */
static void record(struct lst_api_exchange *exchange, const struct lst_link *link)
{
    const struct lst_use_outcome outcome = {
        .use = use_of(exchange, link),
        .http_status = exchange->response.status,
        .reason = LST_SLICE("short link"),
    };

    lst_ledger_settle(exchange->api->options.ledger, &outcome);
}

/* ---- Counted here, for a remote that can't */

struct opening {
    struct lst_link link;
    struct lst_reservation reservation;
    struct lst_ledger *ledger; /* while the use is to be settled there */
    int status;
};

static void free_opening(void *work)
{
    struct opening *opening = work;

    if (opening->ledger != NULL) { /* the client was gone before it was redirected */
        lst_ledger_settle(opening->ledger,
                          &(struct lst_use_outcome){.use = opening->reservation.use,
                                                    .sequence = opening->reservation.sequence,
                                                    .http_status = GONE,
                                                    .reason = LST_SLICE("short link")});
    }
    lst_link_release(&opening->link);
    free(opening);
}

static void is_counted(void *owner)
{
    struct lst_api_exchange *exchange = owner;
    struct opening *opening = exchange->work;
    struct lst_use_outcome outcome = {.use = opening->reservation.use,
                                      .sequence = opening->reservation.sequence,
                                      .reason = LST_SLICE("short link")};

    if (opening->status == LST_ERR_TOO_LARGE) {
        answer_person(exchange, 410, "LinkUsed",
                      "This link has been used as often as it may be.\n");
    } else if (opening->status == LST_ERR_CLOSED) {
        answer_person(exchange, 410, "LinkRevoked", "This link was revoked.\n");
    } else if (opening->status != LST_OK) {
        lst_api_fail_code(exchange, opening->status);
    } else {
        redirect(exchange, &opening->link);
        /* Whether the remote serves it nobody hears of: the redirect is the use. */
        outcome.http_status = exchange->response.status == 302 ? 200 : exchange->response.status;
        opening->ledger = NULL;
        lst_ledger_settle(exchange->api->options.ledger, &outcome);
    }
}

static void is_reserved(struct lst_reservation *reservation, int status)
{
    struct lst_api_exchange *exchange = reservation->context;
    struct opening *opening = exchange->work;

    opening->status = status;
    opening->ledger = status == LST_OK ? exchange->api->options.ledger : NULL;
    lst_waiting_end(&exchange->waiting, is_counted);
}

/* Takes the link. */
static void open_counted(struct lst_api_exchange *exchange, struct lst_link *link)
{
    struct opening *opening = calloc(1, sizeof(*opening));

    if (opening == NULL) {
        lst_link_release(link);
        lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
        return;
    }
    opening->link = *link;
    exchange->work = opening;
    exchange->free_work = free_opening;
    opening->reservation = (struct lst_reservation){
        .use = use_of(exchange, &opening->link), .done = is_reserved, .context = exchange};
    lst_waiting_begin(&exchange->waiting);
    lst_ledger_reserve(exchange->api->options.ledger, &opening->reservation);
}

/* ---- The operation */

void lst_links_open(struct lst_api_exchange *exchange)
{
    struct lst_link link;
    bool is_kept_here = false;
    int status = lst_link_find(exchange->api, exchange->name, &link);

    if (status == LST_ERR_NOT_FOUND) {
        answer_person(exchange, 404, "NoSuchLink", "There is no such link.\n");
        return;
    }
    if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
        return;
    }
    if (lst_slice_equal(link.method, LST_SLICE("PUT"))) {
        answer_person(exchange, 404, "NoSuchLink", "This link is not for fetching.\n");
    } else if (lst_link_is_kept_here(exchange->api, &link, &is_kept_here) != LST_OK) {
        answer_person(exchange, 410, "LinkClosed",
                      "Where this link led to is not known any more.\n");
    } else if (!check(exchange, &link)) {
        /* answered */
    } else if (is_kept_here && link.max_uses > 0) {
        open_counted(exchange, &link);
        return;
    } else {
        redirect(exchange, &link);
        record(exchange, &link);
    }
    lst_link_release(&link);
}
