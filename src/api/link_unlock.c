/*
 * link_unlock.c - the password of a short link.
 *
 * A try is counted in the ledger before the password is looked at, and given back if it was the
 * right one: so neither many tries at the same time nor a restart give more tries than there are.
 *
 * A try is counted for the address, for two networks around it, and for the link. Without the
 * networks, somebody with a hundred addresses, which one IPv6 line has, could spend all tries of a
 * link and so shut out everybody else; with them it takes many networks of different owners. They
 * are counted one after the other, the narrow ones first: what an address may not do is never even
 * for a moment counted for the others.
 */
#include "access/network.h"
#include "api/link_form.h"
#include "api/link_input.h"
#include "api/link_page.h"
#include "api/password.h"
#include "base/encoding.h"

#include <pthread.h>
#include <stdio.h>

enum {
    WINDOW = 900, /* seconds */
    GIVEN_BACK = 403,
    STAYS = 200,
};

/* Wrong passwords for a link in a window, from each network. Of IPv6 the least network is the half
 * of an address: whoever has one address of that has them all. */
static const struct {
    uint64_t limit;
    size_t ipv4; /* bytes of an IPv4-mapped address that name the network */
    size_t ipv6;
} levels[LST_LINK_ATTEMPTS] = {
    {10, 16, 8}, /* one address; a /64 */
    {20, 15, 6}, /* a /24; a /48: a site */
    {40, 14, 4}, /* a /16; a /32: a provider */
    {400, 0, 0}, /* everywhere */
};

/* ---- What was sent */

bool lst_link_read_password(struct lst_link_opening *opening)
{
    struct lst_api_exchange *exchange = opening->exchange;
    struct lst_slice body = lst_buffer_slice(&exchange->body);
    int status = LST_OK;

    if (body.length > 0) {
        status = lst_link_form_read(lst_http_header(exchange->request, LST_HEADER_CONTENT_TYPE),
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
        lst_api_note_error(opening->exchange, code, text);
        lst_link_page_ask(opening, 403, text);
    } else {
        lst_link_refuse(opening->exchange, 403, code, text);
    }
}

/* Are there as many wrong passwords as there may be? Else some of those that are counted are not
 * checked yet, or were right and are given back in a moment. */
static bool is_spent(const struct lst_link_opening *opening)
{
    const struct lst_use *use = &opening->attempts[opening->attempt].reservation.use;
    struct lst_ledger_summary summary;
    int status =
        lst_ledger_find(opening->exchange->api->options.ledger, use->user, use->id, &summary);

    return status != LST_OK || summary.succeeded >= use->limit;
}

static void refuse_for_now(struct lst_link_opening *opening)
{
    struct lst_api_exchange *exchange = opening->exchange;
    int64_t seconds = WINDOW - lst_api_now(exchange) % WINDOW;
    char text[128];

    if (is_spent(opening)) {
        int minutes = (int)(seconds + 59) / 60;
        (void)snprintf(text, sizeof(text), "Too many wrong passwords. Try again in %d minute%s.",
                       minutes, minutes == 1 ? "" : "s");
    } else {
        seconds = 1;
        (void)snprintf(text, sizeof(text),
                       "Too many passwords are being checked now. Try again in a moment.");
    }
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

/* Of addresses that are not known there is one. */
static bool read_peer(struct lst_slice peer, struct lst_address *ret_address)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    if (!lst_address_parse(peer, ret_address)) {
        memset(ret_address, 0, sizeof(*ret_address));
    }
    return memcmp(ret_address->bytes, mapped, sizeof(mapped)) == 0;
}

/* No x-latch-id has a colon in it, so these accounts are nobody else's. Networks of different sizes
 * have names of different lengths. */
static void set_attempt(struct lst_link_opening *opening, size_t level,
                        const struct lst_address *address, bool is_ipv4)
{
    struct lst_link_attempt *attempt = &opening->attempts[level];
    size_t length = is_ipv4 ? levels[level].ipv4 : levels[level].ipv6;
    char network[2 * sizeof(address->bytes)];
    int64_t now = lst_api_now(opening->exchange);

    lst_hex_encode(address->bytes, length, network);
    (void)snprintf(attempt->id, sizeof(attempt->id), "password:%s:%.*s:%lld", opening->link.id,
                   (int)(2 * length), network, (long long)(now / WINDOW));
    attempt->reservation = (struct lst_reservation){
        .use = lst_link_use_of(opening), .done = is_reserved, .context = opening};
    attempt->reservation.use.id = lst_slice_of(attempt->id);
    attempt->reservation.use.limit = levels[level].limit;
    attempt->reservation.use.expires_ms = (now + WINDOW) * 1000;
}

void lst_link_unlock(struct lst_link_opening *opening)
{
    struct lst_address address;
    bool is_ipv4;

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
    is_ipv4 = read_peer(opening->exchange->request->peer, &address);
    for (size_t level = 0; level < LST_LINK_ATTEMPTS; level++) {
        set_attempt(opening, level, &address, is_ipv4);
    }
    reserve(opening);
}
