/*
 * link_unlock.c - the password of a short link.
 *
 * A try is counted in the ledger before the password is looked at, and given back if it was the
 * right one: so neither many tries at the same time nor a restart give more tries than there are.
 */
#include "access/network.h"
#include "api/link_form.h"
#include "api/link_input.h"
#include "api/link_page.h"
#include "api/password.h"

#include <pthread.h>
#include <stdio.h>

enum {
    WINDOW = 900,    /* seconds */
    WRONG_MAX = 10,  /* for a link, from one address, in a window */
    WRONG_ALL = 100, /* for a link, from everywhere */
    GIVEN_BACK = 403,
    STAYS = 200,
};

/* ---- What was sent */

bool lst_link_read_password(struct lst_link_opening *opening)
{
    struct lst_api_exchange *exchange = opening->exchange;
    struct lst_slice body = lst_buffer_slice(&exchange->body);
    int status = LST_OK;

    if (body.length > 0) {
        status = lst_link_form_read(lst_http_header(exchange->request, LST_SLICE("Content-Type")),
                                    body, opening->password, sizeof(opening->password) - 1,
                                    &opening->password_length);
    }
    if (status == LST_ERR_NO_MEMORY) {
        lst_api_fail_code(exchange, status);
        return false;
    }
    if (status != LST_OK) {
        lst_link_refuse(exchange, 400, "InvalidArgument",
                        "The password must come as the form field password, or as JSON.");
        return false;
    }
    return true;
}

/* ---- Refused */

static void refuse(struct lst_link_opening *opening, const char *code, const char *text)
{
    if (opening->reader == LST_LINK_PERSON) {
        opening->exchange->error = code;
        lst_link_page_ask(opening, 403, text);
    } else {
        lst_link_refuse(opening->exchange, 403, code, text);
    }
}

static void refuse_for_now(struct lst_link_opening *opening)
{
    struct lst_api_exchange *exchange = opening->exchange;
    int64_t seconds = WINDOW - lst_api_now(exchange) % WINDOW;
    char text[128];

    (void)snprintf(text, sizeof(text), "Too many wrong passwords. Try again in %d minutes.",
                   (int)(seconds + 59) / 60);
    lst_http_response_add_number(&exchange->response, "Retry-After", (uint64_t)seconds);
    lst_link_refuse(exchange, 429, "TooManyRequests", text);
}

/* ---- Checked */

static void settle_attempts(struct lst_link_opening *opening, int http_status)
{
    for (size_t i = 0; i < LST_LINK_ATTEMPTS; i++) {
        struct lst_link_attempt *attempt = &opening->attempts[i];

        if (attempt->is_reserved) {
            attempt->is_reserved = false;
            lst_ledger_settle(opening->exchange->api->options.ledger,
                              &(struct lst_use_outcome){.use = attempt->reservation.use,
                                                        .sequence = attempt->reservation.sequence,
                                                        .http_status = http_status});
        }
    }
}

static void is_checked(void *owner)
{
    struct lst_api_exchange *exchange = owner;
    struct lst_link_opening *opening = exchange->work;

    switch (opening->status) {
    case LST_OK:
        settle_attempts(opening, GIVEN_BACK);
        if (lst_link_check_object(opening)) {
            lst_link_enter(opening);
        }
        break;
    case LST_REFUSED_SIGNATURE:
        settle_attempts(opening, STAYS);
        refuse(opening, "WrongPassword", "This password is wrong.");
        break;
    default:
        settle_attempts(opening, GIVEN_BACK);
        lst_api_fail_code(exchange, opening->status);
        break;
    }
}

/* On a thread of its own. */
static void *check(void *context)
{
    struct lst_link_opening *opening = context;

    opening->status = lst_password_check(
        lst_slice_make(opening->password, opening->password_length), opening->link.password);
    lst_wipe(opening->password, sizeof(opening->password));
    lst_password_leave();
    lst_waiting_end(&opening->exchange->waiting, is_checked);
    return NULL;
}

static void begin_check(struct lst_link_opening *opening)
{
    struct lst_api_exchange *exchange = opening->exchange;
    pthread_t thread;

    if (!lst_password_enter(LST_PASSWORD_WAITING_MAX)) {
        settle_attempts(opening, GIVEN_BACK);
        lst_http_response_add(&exchange->response, "Retry-After", LST_SLICE("1"));
        lst_link_refuse(exchange, 503, "SlowDown",
                        "Too many passwords are being checked now. Try again.");
        return;
    }
    lst_waiting_begin(&exchange->waiting);
    if (pthread_create(&thread, NULL, check, opening) != 0) {
        lst_password_leave();
        lst_waiting_cancel(&exchange->waiting);
        settle_attempts(opening, GIVEN_BACK);
        lst_api_fail_code(exchange, LST_ERR_NO_MEMORY);
        return;
    }
    (void)pthread_detach(thread);
}

/* ---- Counted */

static void reserve(struct lst_link_opening *opening);

static void is_counted(void *owner)
{
    struct lst_api_exchange *exchange = owner;
    struct lst_link_opening *opening = exchange->work;

    if (opening->status != LST_OK) {
        settle_attempts(opening, GIVEN_BACK);
    }
    if (opening->status == LST_ERR_TOO_LARGE) {
        refuse_for_now(opening);
    } else if (opening->status != LST_OK) {
        lst_api_fail_code(exchange, opening->status);
    } else if (++opening->attempt < LST_LINK_ATTEMPTS) {
        reserve(opening);
    } else {
        begin_check(opening);
    }
}

static void is_reserved(struct lst_reservation *reservation, int status)
{
    struct lst_link_opening *opening = reservation->context;

    opening->status = status;
    opening->attempts[opening->attempt].is_reserved = status == LST_OK;
    lst_waiting_end(&opening->exchange->waiting, is_counted);
}

static void reserve(struct lst_link_opening *opening)
{
    struct lst_api_exchange *exchange = opening->exchange;
    struct lst_link_attempt *attempt = &opening->attempts[opening->attempt];

    lst_waiting_begin(&exchange->waiting);
    lst_ledger_reserve(exchange->api->options.ledger, &attempt->reservation);
}

/* Who tries: an IPv4 address, or the half of an IPv6 address that names a network, since whoever
 * has one address of that has them all. Of those that are not known there is one. */
static void name_address(struct lst_slice peer, char ret_text[2 * sizeof(struct lst_address) + 1])
{
    struct lst_address address = {{0}};
    bool is_ipv4 = false;
    size_t length = 0;

    if (lst_address_parse(peer, &address)) {
        static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

        is_ipv4 = memcmp(address.bytes, mapped, sizeof(mapped)) == 0;
    }
    for (size_t i = 0; i < (is_ipv4 ? sizeof(address.bytes) : sizeof(address.bytes) / 2); i++) {
        length += (size_t)snprintf(ret_text + length, 3, "%02x", address.bytes[i]);
    }
}

/* No x-latch-id has a colon in it, so these accounts are nobody else's. */
static void set_attempt(struct lst_link_opening *opening, size_t i, const char *address,
                        uint64_t limit)
{
    struct lst_link_attempt *attempt = &opening->attempts[i];
    int64_t now = lst_api_now(opening->exchange);

    (void)snprintf(attempt->id, sizeof(attempt->id), "password:%s:%s:%lld", opening->link.id,
                   address, (long long)(now / WINDOW));
    attempt->reservation = (struct lst_reservation){
        .use = lst_link_use_of(opening), .done = is_reserved, .context = opening};
    attempt->reservation.use.id = lst_slice_of(attempt->id);
    attempt->reservation.use.limit = limit;
    attempt->reservation.use.expires_ms = (now + WINDOW) * 1000;
}

void lst_link_unlock(struct lst_link_opening *opening)
{
    char address[2 * sizeof(struct lst_address) + 1];

    if (opening->password_length == 0) {
        refuse(opening, "PasswordNeeded", "This link needs a password.");
        return;
    }
    if (opening->password_length < LST_LINK_PASSWORD_MIN ||
        opening->password_length > LST_LINK_PASSWORD_MAX ||
        memchr(opening->password, '\0', opening->password_length) != NULL) {
        opening->password_length = 1; /* it can't be the right one: counted and refused as such */
        opening->password[0] = ' ';
    }
    name_address(opening->exchange->request->peer, address);
    set_attempt(opening, 0, address, WRONG_MAX);
    set_attempt(opening, 1, "all", WRONG_ALL);
    reserve(opening);
}
