/*
 * link_open.c - GET and POST of /-/l/ID.
 *
 * The URL that a link leads to carries the same id and limits, and the store that it leads to
 * enforces and counts them: what is refused here is refused early, for the sake of a text that a
 * person reads.
 */
#include "api/link_page.h"
#include "api/links.h"
#include "http/disposition.h"

enum { LIFE = 60 };

/* ---- Sending on */

/*
 * A link that is opened through its page is saved, unless it is to be shown: to show a film or a
 * PDF a browser fetches it in pieces, and each piece would be a use.
 */
static struct lst_link link_to_sign(const struct lst_link_opening *opening)
{
    struct lst_link link = opening->link;

    if (link.max_uses > 0 && link.disposition.length == 0 && link.filename.length == 0 &&
        lst_filename_is_valid(lst_link_shown_name(&link))) {
        link.disposition = LST_SLICE("attachment");
        link.filename = lst_link_shown_name(&link);
    }
    return link;
}

/* For how long, and from when on, its next URL is good. A stable link has one for each window. */
static void set_life(const struct lst_link *link, int64_t now, int64_t *ret_start,
                     int64_t *ret_life)
{
    int64_t life = LIFE;

    *ret_start = now;
    if (link->stable > 0) {
        *ret_start = now - now % link->stable;
        life = 2 * link->stable;
    }
    *ret_life = link->expires - *ret_start < life ? link->expires - *ret_start : life;
}

static void answer_redirect(struct lst_link_opening *opening, struct lst_slice url, int64_t expires)
{
    struct lst_api_exchange *exchange = opening->exchange;
    struct lst_http_response *response = &exchange->response;

    lst_link_page_headers(exchange);
    if (opening->is_post && opening->reader == LST_LINK_PROGRAM) {
        lst_api_answer(exchange, 200,
                       json_pack("{s:o, s:o}", "url", lst_api_json_slice(url), "expires_at",
                                 lst_api_json_time(expires)));
        return;
    }
    lst_http_response_add(response, "Location", url);
    response->status = opening->is_post ? 303 : 302;
    response->kind = LST_BODY_BYTES;
    lst_http_response_add(response, "Content-Type", LST_SLICE("text/plain; charset=utf-8"));
    lst_api_answer_end(exchange);
}

struct lst_use lst_link_use_of(const struct lst_link_opening *opening)
{
    const struct lst_http_request *request = opening->exchange->request;
    const struct lst_link *link = &opening->link;

    return (struct lst_use){.user = link->user,
                            .id = lst_slice_of(link->id),
                            .method = request->message.method,
                            .bucket = link->bucket,
                            .key = link->key,
                            .peer = request->peer,
                            .limit = (uint64_t)link->max_uses,
                            .now_ms = request->received_ms,
                            .expires_ms = link->expires * 1000};
}

/* True if it could be signed. */
static bool redirect(struct lst_link_opening *opening)
{
    struct lst_api_exchange *exchange = opening->exchange;
    const struct lst_link link = link_to_sign(opening);
    struct lst_buffer url;
    int64_t start;
    int64_t life;
    int status;

    set_life(&link, lst_api_now(exchange), &start, &life);
    lst_buffer_init(&url, LST_API_URL_MAX);
    status = lst_link_sign(exchange, &exchange->bearer, &link, start, life, &url);
    if (status == LST_OK) {
        answer_redirect(opening, lst_buffer_slice(&url), start + life);
    } else {
        lst_api_fail_code(exchange, status);
    }
    lst_buffer_release(&url);
    return status == LST_OK;
}

/* The rows of the ledger live as long as the URLs that it was shown: without this the count of a
 * link that lives for a week would be forgotten an hour after its last redirect. */
void lst_link_redirect(struct lst_link_opening *opening)
{
    struct lst_use_outcome outcome = {.use = lst_link_use_of(opening),
                                      .reason = LST_SLICE("short link")};

    outcome.http_status = redirect(opening) ? (opening->is_post ? 303 : 302) : 500;
    lst_ledger_settle(opening->exchange->api->options.ledger, &outcome);
}

/* ---- Counted here, for a remote that can't */

static void is_counted(void *owner)
{
    struct lst_api_exchange *exchange = owner;
    struct lst_link_opening *opening = exchange->work;
    struct lst_use_outcome outcome = {.use = opening->use.use,
                                      .sequence = opening->use.sequence,
                                      .reason = LST_SLICE("short link")};

    if (opening->status == LST_ERR_TOO_LARGE) {
        lst_link_refuse(exchange, 410, "LinkUsed",
                        "This link has been used as often as it may be.");
    } else if (opening->status == LST_ERR_CLOSED) {
        lst_link_refuse(exchange, 410, "LinkRevoked", "This link was revoked.");
    } else if (opening->status != LST_OK) {
        lst_api_fail_code(exchange, opening->status);
    } else {
        /* Whether the remote serves it nobody hears of: the redirect is the use. */
        outcome.http_status = redirect(opening) ? 200 : 500;
        opening->use_ledger = NULL;
        lst_ledger_settle(exchange->api->options.ledger, &outcome);
    }
}

static void is_reserved(struct lst_reservation *reservation, int status)
{
    struct lst_link_opening *opening = reservation->context;

    opening->status = status;
    opening->use_ledger = status == LST_OK ? opening->exchange->api->options.ledger : NULL;
    lst_waiting_end(&opening->exchange->waiting, is_counted);
}

static void count(struct lst_link_opening *opening)
{
    struct lst_api_exchange *exchange = opening->exchange;

    opening->use = (struct lst_reservation){
        .use = lst_link_use_of(opening), .done = is_reserved, .context = opening};
    lst_waiting_begin(&exchange->waiting);
    lst_ledger_reserve(exchange->api->options.ledger, &opening->use);
}

/* ---- The operations */

void lst_link_enter(struct lst_link_opening *opening)
{
    if (opening->link.folder) {
        lst_link_folder(opening);
    } else if (opening->is_kept_here && opening->link.max_uses > 0) {
        count(opening);
    } else {
        lst_link_redirect(opening);
    }
}

/* What a program is told that asks first. */
static void describe(struct lst_link_opening *opening)
{
    const struct lst_link *link = &opening->link;
    bool is_locked = link->password.length > 0;
    json_t *json = json_pack(
        "{s:s, s:b, s:o, s:o, s:o, s:o}", "id", link->id, "password", is_locked ? 1 : 0,
        "expires_at", lst_api_json_time(link->expires), "uses_left",
        link->max_uses > 0 ? json_integer(link->max_uses - (json_int_t)opening->used) : json_null(),
        "filename", is_locked ? json_null() : lst_api_json_slice(lst_link_shown_name(link)), "size",
        opening->has_size && !is_locked ? json_integer((json_int_t)opening->size) : json_null());

    lst_link_page_headers(opening->exchange);
    lst_api_answer(opening->exchange, 200, json);
}

/* A link for HEAD is nothing for people. */
static bool needs_button(const struct lst_link *link)
{
    return link->max_uses > 0 && lst_slice_equal(link->method, LST_SLICE("GET"));
}

void lst_links_open(struct lst_api_exchange *exchange)
{
    struct lst_link_opening *opening = lst_link_open(exchange);

    if (opening == NULL) {
        return;
    }
    if (!needs_button(&opening->link) &&
        (opening->link.password.length == 0 || lst_link_has_pass(opening))) {
        lst_link_enter(opening);
    } else if (opening->reader == LST_LINK_PROGRAM) {
        describe(opening);
    } else {
        lst_link_page_ask(opening, 200, NULL);
    }
}

void lst_links_use(struct lst_api_exchange *exchange)
{
    struct lst_link_opening *opening = lst_link_open(exchange);

    if (opening == NULL) {
        return;
    }
    opening->is_post = true;
    if (opening->link.password.length == 0) {
        lst_link_enter(opening);
    } else if (lst_link_read_password(opening)) {
        lst_link_unlock(opening);
    }
}
