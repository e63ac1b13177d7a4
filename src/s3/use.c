/* use.c - the uses of a link, counted and recorded. */
#include "s3/use.h"

#include "base/wait.h"
#include "s3/constraints.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    GONE = 499,                 /* the client was, before there was an answer */
    HEADER_LIFE = 24 * 60 * 60, /* seconds; a signature in a header lives for minutes */
};

struct lst_counted_use {
    struct lst_reservation reservation;
    struct lst_wait is_reserved;
    int status;   /* of that */
    bool is_open; /* to be settled */
};

static bool has_id(const struct lst_s3_exchange *exchange)
{
    return exchange->constraints != NULL && exchange->constraints->id.length > 0;
}

/* AccessDenied, with the constraint that refused. */
static void deny(struct lst_s3_exchange *exchange, const char *constraint, const char *message)
{
    lst_s3_set_reason(exchange, "%s: %s", constraint, message);
    lst_s3_fail_about(exchange, LST_S3_ACCESS_DENIED, message, "Constraint",
                      lst_slice_of(constraint));
}

static void fail(struct lst_s3_exchange *exchange, int status, uint64_t used)
{
    char message[128];

    if (status == LST_ERR_CLOSED) {
        deny(exchange, "x-latch-id", "This link has been revoked");
    } else if (status == LST_REFUSED_EXPIRED) {
        deny(exchange, "x-latch-id",
             "This link was signed so long ago that its uses are not known any more: ask for a new "
             "one");
    } else if (status == LST_ERR_TOO_LARGE) {
        (void)snprintf(message, sizeof(message), "This link has been used %llu of %llu times",
                       (unsigned long long)used, (unsigned long long)exchange->constraints->uses);
        deny(exchange, "x-latch-uses", message);
    } else {
        lst_s3_fail_code(exchange, status);
    }
}

/* When it was signed, as it says itself. */
static int64_t signed_ms(const struct lst_s3_exchange *exchange)
{
    return exchange->passage.auth.time * 1000;
}

bool lst_s3_use_check(struct lst_s3_exchange *exchange)
{
    struct lst_slice user;
    int status;

    if (!has_id(exchange)) {
        return true;
    }
    user = lst_slice_of(lst_passage_user_name(&exchange->passage));
    if (!lst_ledger_admits(exchange->s3->options.ledger,
                           &(struct lst_use){.user = user,
                                             .id = exchange->constraints->id,
                                             .bucket = exchange->target.bucket,
                                             .key = exchange->target.key})) {
        lst_s3_set_reason(exchange, "x-latch-id: it is the ticket of another user's upload");
        lst_s3_fail_about(exchange, LST_S3_ACCESS_DENIED,
                          "The x-latch-id is that of another user's upload", "Constraint",
                          LST_SLICE("x-latch-id"));
        return false;
    }
    status = lst_ledger_check(exchange->s3->options.ledger, user, exchange->constraints->id,
                              signed_ms(exchange));
    if (status != LST_OK) {
        fail(exchange, status, 0);
    }
    return status == LST_OK;
}

/* When the last request that this signature allows is over. */
static int64_t expires_ms(const struct lst_s3_exchange *exchange)
{
    const struct lst_auth *auth = &exchange->passage.auth;

    if (exchange->form_expires != 0) {
        return exchange->form_expires * 1000;
    }
    return (auth->time + (auth->expires != 0 ? auth->expires : HEADER_LIFE)) * 1000;
}

static struct lst_use use_of(const struct lst_s3_exchange *exchange)
{
    struct lst_slice method = exchange->request->message.method;
    bool is_head = lst_s3_is_head(exchange);

    return (struct lst_use){
        .user = lst_slice_of(lst_passage_user_name(&exchange->passage)),
        .id = exchange->constraints->id,
        .method = method,
        .bucket = exchange->target.bucket,
        .key = exchange->target.key,
        .peer = exchange->request->peer,
        .limit = exchange->constraints->uses,
        .signed_ms = signed_ms(exchange),
        .now_ms = exchange->request->received_ms,
        .expires_ms = expires_ms(exchange),
        .is_write = !is_head && !lst_slice_equal(method, LST_SLICE("GET")),
    };
}

/* On the ledger's thread. */
static void reserved(struct lst_reservation *reservation, int status)
{
    struct lst_counted_use *use = reservation->context;

    use->status = status;
    lst_wait_end(&use->is_reserved);
}

bool lst_s3_use_note(struct lst_s3_exchange *exchange)
{
    struct lst_counted_use *use;

    if (!has_id(exchange)) {
        return true;
    }
    use = calloc(1, sizeof(*use));
    if (use == NULL) {
        lst_s3_fail_code(exchange, LST_ERR_NO_MEMORY);
        return false;
    }
    use->reservation =
        (struct lst_reservation){.use = use_of(exchange), .done = reserved, .context = use};
    use->is_open = true;
    exchange->use = use;
    return true;
}

bool lst_s3_use_reserve(struct lst_s3_exchange *exchange)
{
    struct lst_counted_use *use;

    if (exchange->use == NULL && !lst_s3_use_note(exchange)) {
        return false;
    }
    use = exchange->use;
    if (use == NULL || (use->reservation.use.limit == 0 && !use->reservation.use.is_write)) {
        return true;
    }
    use->is_open = false;
    use->is_reserved = LST_WAIT;
    lst_ledger_reserve(exchange->s3->options.ledger, &use->reservation);
    lst_wait_for(&use->is_reserved);
    use->is_open = use->status == LST_OK;
    if (!use->is_open) {
        fail(exchange, use->status, use->reservation.used);
    }
    return use->is_open;
}

/* Of a request that was refused before its constraints were read the URL is asked. */
static bool may_have_id(const struct lst_s3_exchange *exchange)
{
    const struct lst_http_parameter *parameter;
    size_t at = 0;

    while ((parameter = lst_http_next_option(exchange->request, LST_FAMILY_LATCH, &at)) != NULL) {
        if (lst_slice_equal_ignoring_case(parameter->text.name, LST_SLICE("x-latch-id"))) {
            return true;
        }
    }
    return false;
}

void lst_s3_use_forbid_caching(struct lst_s3_exchange *exchange)
{
    struct lst_http_response *response = &exchange->response;

    if (has_id(exchange) || may_have_id(exchange)) {
        lst_http_response_remove(response, "Cache-Control");
        lst_http_response_remove(response, "Expires");
        lst_http_response_add(response, "Cache-Control", LST_SLICE("private, no-store"));
    }
}

/* ---- Settling */

static struct lst_slice answer_header(const struct lst_s3_exchange *exchange, const char *wanted)
{
    const char *name;
    const char *value;
    size_t at = 0;

    while (lst_http_response_next(&exchange->response, &at, &name, &value)) {
        if (strcmp(name, wanted) == 0) {
            return lst_slice_of(value);
        }
    }
    return lst_slice_make(NULL, 0);
}

/* Of the object that was fetched or made: none if it was a step on the way to one, a part. */
static struct lst_slice etag_of(const struct lst_s3_exchange *exchange)
{
    if (exchange->operation->use == LST_CONSTRAINT_USE_PART) {
        return lst_slice_make(NULL, 0);
    }
    if (exchange->operation->use == LST_CONSTRAINT_USE_COMPLETION) { /* it is in the document */
        return lst_slice_make(exchange->write.etag, exchange->write.etag_length);
    }
    return lst_s3_unquote(answer_header(exchange, "ETag"));
}

static uint64_t size_of(const struct lst_s3_exchange *exchange)
{
    const struct lst_http_response *response = &exchange->response;

    if (exchange->use->reservation.use.is_write) {
        return exchange->bytes_in;
    }
    return response->kind == LST_BODY_BYTES || response->kind == LST_BODY_NONE
               ? response->body.length
               : response->length;
}

void lst_s3_use_settle(struct lst_s3_exchange *exchange)
{
    struct lst_counted_use *use = exchange->use;
    bool is_answered = lst_waiting_has_response(&exchange->waiting);
    struct lst_use_outcome outcome;

    if (use == NULL || !use->is_open) {
        return;
    }
    use->is_open = false;
    /* What may have happened is spent, as if the process had died here: the next start looks
     * whether it has. */
    if (exchange->is_unknown && use->reservation.sequence != 0) {
        return;
    }
    outcome = (struct lst_use_outcome){
        .use = use->reservation.use,
        .sequence = use->reservation.sequence,
        .http_status = is_answered ? exchange->response.status : GONE,
        .size = size_of(exchange),
        .etag = etag_of(exchange),
        .type = lst_http_header(exchange->request, LST_HEADER_CONTENT_TYPE),
        .reason = lst_slice_of(is_answered ? exchange->error : "the client was gone"),
    };
    if (exchange->error[0] != '\0' && exchange->reason.length > 0) {
        outcome.reason = lst_slice_of(exchange->reason.bytes);
    }
    lst_ledger_settle(exchange->s3->options.ledger, &outcome);
}

void lst_s3_use_free(struct lst_counted_use *use)
{
    free(use);
}
