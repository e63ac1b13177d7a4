/* link_check.c - whether a short link can be opened now. */
#include "access/constraints.h"
#include "api/link_page.h"

#include <stdlib.h>

enum { GONE = 499 };

/* ---- Who reads the answer */

static bool accepts(struct lst_slice header, struct lst_slice type)
{
    struct lst_slice range;

    while (lst_slice_split(&header, ',', &range)) {
        range = lst_slice_trim(lst_slice_first(range, lst_slice_find(range, ';')));
        if (lst_slice_equal_ignoring_case(range, type)) {
            return true;
        }
    }
    return false;
}

enum lst_link_reader lst_link_reader(struct lst_slice accept)
{
    if (accepts(accept, LST_SLICE("text/html"))) {
        return LST_LINK_PERSON;
    }
    return accepts(accept, LST_SLICE("application/json")) ? LST_LINK_PROGRAM : LST_LINK_ANY;
}

void lst_link_refuse(struct lst_api_exchange *exchange, int status, const char *code,
                     const char *text)
{
    struct lst_http_response *response = &exchange->response;

    switch (lst_link_reader(lst_http_header(exchange->request, LST_HEADER_ACCEPT))) {
    case LST_LINK_PERSON:
        lst_api_note_error(exchange, code, text);
        lst_link_page_say(exchange, status, text);
        break;
    case LST_LINK_PROGRAM:
        lst_link_page_headers(exchange);
        lst_api_fail(exchange, status, code, "%s", text);
        break;
    case LST_LINK_ANY:
        lst_api_note_error(exchange, code, text);
        lst_link_page_headers(exchange);
        response->status = status;
        response->kind = LST_BODY_BYTES;
        lst_buffer_append_string(&response->body, text);
        lst_buffer_append_byte(&response->body, '\n');
        lst_http_response_add(response, "Content-Type", LST_SLICE("text/plain; charset=utf-8"));
        lst_api_answer_end(exchange);
        break;
    }
}

/* ---- What may stand in the way */

static bool is_from_elsewhere(const struct lst_link_opening *opening)
{
    struct lst_slice ip = opening->link.ip;
    struct lst_constraints constraints = {0};
    const char *problem;

    return ip.length > 0 &&
           (lst_constraints_read(&constraints, LST_SLICE("ip"), ip, &problem) != LST_OK ||
            !lst_constraints_allow_address(&constraints, opening->exchange->request->peer));
}

static bool check_state(struct lst_link_opening *opening)
{
    struct lst_api_exchange *exchange = opening->exchange;
    struct lst_ledger_summary summary;
    const char *state;
    int status =
        lst_link_state(exchange->api, &opening->link, lst_api_now(exchange), &summary, &state);

    if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
        return false;
    }
    opening->used = summary.used;
    if (strcmp(state, "revoked") == 0) {
        lst_link_refuse(exchange, 410, "LinkRevoked", "This link was revoked.");
    } else if (strcmp(state, "expired") == 0) {
        lst_link_refuse(exchange, 410, "LinkExpired", "This link has expired.");
    } else if (strcmp(state, "used") == 0) {
        lst_link_refuse(exchange, 410, "LinkUsed",
                        "This link has been used as often as it may be.");
    } else if (strcmp(state, "not_yet") == 0) {
        lst_link_refuse(exchange, 403, "LinkNotYet", "This link can't be used yet.");
    } else if (is_from_elsewhere(opening)) {
        lst_link_refuse(exchange, 403, "LinkNotHere", "This link can't be used from your address.");
    } else {
        return true;
    }
    return false;
}

/* Whoever made the link signs the URL that it leads to, and must still be allowed to. */
static bool check_signer(struct lst_link_opening *opening)
{
    struct lst_api_exchange *exchange = opening->exchange;
    struct lst_gate *gate = exchange->api->options.gate;
    const struct lst_link *link = &opening->link;
    struct lst_access_question question = {
        .action = LST_SLICE("s3:GetObject"), .bucket = link->bucket, .key = link->key};
    int status = lst_gate_bearer_of_user(gate, link->user, exchange->request, lst_api_now(exchange),
                                         &exchange->bearer);

    if (status == LST_OK) {
        exchange->is_known = true;
        status = lst_link_is_signed_by(link, &exchange->bearer.passage)
                     ? lst_gate_authorise(gate, &exchange->bearer.passage, &question)
                     : LST_REFUSED_NOT_ALLOWED;
    }
    if (status == LST_OK && link->folder) {
        question = lst_link_listing_question(link);
        status = lst_gate_authorise(gate, &exchange->bearer.passage, &question);
    }
    if (status != LST_OK && status != LST_REFUSED_ACCESS_KEY_INACTIVE &&
        status != LST_REFUSED_NOT_ALLOWED) {
        lst_api_fail_code(exchange, status);
    } else if (status != LST_OK) {
        lst_link_refuse(exchange, 410, "LinkClosed",
                        "The person who made this link may not share the file any more.");
    }
    return status == LST_OK;
}

/* Programs hear of a missing object from the store. */
bool lst_link_check_object(struct lst_link_opening *opening)
{
    struct lst_api_exchange *exchange = opening->exchange;
    const struct lst_object_name name = {.bucket = opening->link.bucket, .key = opening->link.key};
    struct lst_object object;
    int status;

    if (opening->link.remote.length > 0 || opening->link.folder) {
        return true;
    }
    status = lst_object_open(exchange->api->options.store, &name, false, &object);
    if (status == LST_OK) {
        opening->has_size = true;
        opening->size = object.size;
        lst_object_close(&object);
    } else if (status != LST_ERR_KEY_NOT_FOUND && status != LST_ERR_BUCKET_NOT_FOUND &&
               status != LST_ERR_DELETE_MARKER) {
        lst_api_fail_code(exchange, status);
        return false;
    } else if (opening->reader == LST_LINK_PERSON) {
        lst_link_refuse(exchange, 404, "NoSuchKey", "The file is not there.");
        return false;
    }
    return true;
}

static bool check(struct lst_link_opening *opening)
{
    struct lst_api_exchange *exchange = opening->exchange;
    int status;

    if (lst_slice_equal(opening->link.method, LST_SLICE("PUT"))) {
        lst_link_refuse(exchange, 404, "NoSuchLink", "This link is not for fetching.");
        return false;
    }
    status = lst_link_is_kept_here(exchange->api, &opening->link, &opening->is_kept_here);
    if (status != LST_OK && status != LST_ERR_NOT_FOUND) {
        lst_api_fail_code(exchange, status);
        return false;
    }
    if (status != LST_OK) {
        lst_link_refuse(exchange, 410, "LinkClosed",
                        "The server does not know any more where this link leads to.");
        return false;
    }
    return check_state(opening) && check_signer(opening) &&
           (opening->link.password.length > 0 || lst_link_check_object(opening));
}

/* ---- The opening */

static void settle(struct lst_ledger *ledger, const struct lst_reservation *reservation, int status)
{
    lst_ledger_settle(ledger, &(struct lst_use_outcome){.use = reservation->use,
                                                        .sequence = reservation->sequence,
                                                        .http_status = status,
                                                        .reason = LST_SLICE("short link")});
}

/* If the client was gone in the middle, its use is given back, and its try at a password is not. */
static void free_opening(void *work)
{
    struct lst_link_opening *opening = work;

    if (opening->use_ledger != NULL) {
        settle(opening->use_ledger, &opening->use, GONE);
    }
    for (size_t i = 0; i < LST_LINK_ATTEMPTS; i++) {
        if (opening->attempts[i].is_reserved) {
            settle(opening->exchange->api->options.ledger, &opening->attempts[i].reservation, 200);
        }
    }
    lst_wipe(opening->password, sizeof(opening->password));
    lst_link_release(&opening->link);
    free(opening);
}

struct lst_link_opening *lst_link_open(struct lst_api_exchange *exchange)
{
    struct lst_link_opening *opening = calloc(1, sizeof(*opening));
    int status = opening == NULL ? LST_ERR_NO_MEMORY
                                 : lst_link_find(exchange->api, exchange->name, &opening->link);

    if (opening != NULL) {
        opening->exchange = exchange;
        opening->reader = lst_link_reader(lst_http_header(exchange->request, LST_HEADER_ACCEPT));
        exchange->work = opening;
        exchange->free_work = free_opening;
    }
    if (status == LST_OK) {
        lst_api_about(exchange, opening->link.bucket, opening->link.key);
    }
    if (status == LST_ERR_NOT_FOUND) {
        lst_link_refuse(exchange, 404, "NoSuchLink", "There is no such link.");
    } else if (status != LST_OK) {
        lst_api_fail_code(exchange, status);
    } else if (check(opening)) {
        return opening;
    }
    return NULL;
}
