/* constraints.c - the x-latch- parameters of a request, enforced. */
#include "s3/constraints.h"

#include "base/clock.h"
#include "s3/put_fields.h"
#include "s3/use.h"

#include <stdio.h>
#include <stdlib.h>

enum { MESSAGE_MAX = 256 };

/* ---- Refusing */

/* AccessDenied, with the constraint that does not hold. Gives false. */
static bool deny(struct lst_s3_exchange *exchange, const char *constraint, const char *message)
{
    lst_s3_set_reason(exchange, "%s: %s", constraint, message);
    lst_s3_fail_about(exchange, LST_S3_ACCESS_DENIED, message, "Constraint",
                      lst_slice_of(constraint));
    return false;
}

/* The URL itself is wrong. Gives false. */
static bool refuse(struct lst_s3_exchange *exchange, struct lst_field constraint,
                   const char *problem)
{
    char name[64];
    char message[sizeof(name) + 1 + MESSAGE_MAX];

    (void)snprintf(name, sizeof(name), LST_CONSTRAINT_PREFIX "%.*s",
                   (int)(constraint.name.length < 40 ? constraint.name.length : 40),
                   constraint.name.length > 0 ? constraint.name.bytes : "");
    (void)snprintf(message, sizeof(message), "%s %s", name, problem);
    struct lst_field details[] = {
        {LST_SLICE("ArgumentName"), lst_slice_of(name)},
        {LST_SLICE("ArgumentValue"), constraint.value},
    };
    lst_s3_fail_with(exchange, LST_S3_INVALID_ARGUMENT, message, details, 2);
    return false;
}

/* The same, with what was found. Gives false. */
static bool refuse_fault(struct lst_s3_exchange *exchange, const struct lst_constraint_fault *fault)
{
    struct lst_field constraint = {fault->name, fault->value};
    char problem[MESSAGE_MAX];

    if (fault->problem != NULL) {
        return refuse(exchange, constraint, fault->problem);
    }
    (void)snprintf(problem, sizeof(problem), "does not apply to %s: leave it out when signing",
                   exchange->operation->name);
    return refuse(exchange, constraint, problem);
}

static bool refuse_length(struct lst_s3_exchange *exchange, uint64_t proposed)
{
    const struct lst_constraints *constraints = exchange->constraints;
    bool is_too_large = proposed > constraints->length_max;
    char proposed_text[24];
    char limit_text[24];

    (void)snprintf(proposed_text, sizeof(proposed_text), "%llu", (unsigned long long)proposed);
    (void)snprintf(
        limit_text, sizeof(limit_text), "%llu",
        (unsigned long long)(is_too_large ? constraints->length_max : constraints->length_min));
    struct lst_field details[] = {
        {LST_SLICE("ProposedSize"), lst_slice_of(proposed_text)},
        {is_too_large ? LST_SLICE("MaxSizeAllowed") : LST_SLICE("MinSizeAllowed"),
         lst_slice_of(limit_text)},
        {LST_SLICE("Constraint"), LST_SLICE("x-latch-length")},
    };
    lst_s3_set_reason(exchange, "x-latch-length: %s bytes, and %s %s are allowed", proposed_text,
                      is_too_large ? "at most" : "at least", limit_text);
    lst_s3_fail_with(exchange, is_too_large ? LST_S3_ENTITY_TOO_LARGE : LST_S3_ENTITY_TOO_SMALL,
                     NULL, details, 3);
    return false;
}

/* ---- Reading */

/* Room for them, made when the first is met. False if the exchange has been answered. */
static bool prepare(struct lst_s3_exchange *exchange)
{
    if (exchange->constraints == NULL) {
        exchange->constraints = calloc(1, sizeof(*exchange->constraints));
    }
    if (exchange->constraints == NULL) {
        lst_s3_fail_code(exchange, LST_ERR_NO_MEMORY);
    }
    return exchange->constraints != NULL;
}

static bool read_one(struct lst_s3_exchange *exchange, struct lst_slice name,
                     struct lst_slice value)
{
    struct lst_constraint_fault fault;

    if (!prepare(exchange)) {
        return false;
    }
    return lst_constraints_take(exchange->constraints, name, value, &fault) ||
           refuse_fault(exchange, &fault);
}

/* ---- Holding them against the request */

static bool check_time_and_place(struct lst_s3_exchange *exchange)
{
    const struct lst_constraints *constraints = exchange->constraints;
    char time[LST_ISO8601_LENGTH];
    char message[MESSAGE_MAX];

    if (constraints->has_not_before && exchange->passage.now < constraints->not_before) {
        lst_clock_format_iso8601(constraints->not_before * 1000, time);
        (void)snprintf(message, sizeof(message), "Request is not valid before %.*s",
                       LST_ISO8601_LENGTH, time);
        return deny(exchange, "x-latch-not-before", message);
    }
    if (!lst_constraints_allow_address(constraints, exchange->request->peer)) {
        return deny(exchange, "x-latch-ip",
                    "This may not be used from the address that the request came from");
    }
    return true;
}

static bool check_type(struct lst_s3_exchange *exchange)
{
    struct lst_slice type = lst_http_header(exchange->request, LST_HEADER_CONTENT_TYPE);
    char message[MESSAGE_MAX];

    if (!lst_put_check_type(exchange)) {
        return false;
    }
    if (lst_constraints_allow_type(exchange->constraints, type)) {
        return true;
    }
    (void)snprintf(message, sizeof(message), "The Content-Type must be one of %.*s",
                   (int)lst_slice_first(exchange->constraints->types, 160).length,
                   exchange->constraints->types.bytes);
    return deny(exchange, "x-latch-type", message);
}

/* What is checked must be what is shown: a browser would decode the content first. */
static bool check_encoding(struct lst_s3_exchange *exchange)
{
    struct lst_slice type = lst_http_header(exchange->request, LST_HEADER_CONTENT_TYPE);
    struct lst_slice codings = lst_http_header(exchange->request, LST_HEADER_CONTENT_ENCODING);
    struct lst_slice coding;

    while (lst_slice_split(&codings, ',', &coding)) {
        coding = lst_slice_trim(coding);
        if (coding.length > 0 && !lst_slice_equal_ignoring_case(coding, LST_SLICE("identity")) &&
            !lst_slice_equal_ignoring_case(coding, LST_SLICE("aws-chunked"))) {
            return deny(exchange, "x-latch-sniff",
                        "The content can't be checked behind a Content-Encoding: send it as it "
                        "is, without that header");
        }
    }
    return type.length <= LST_SNIFFED_TYPE_MAX ||
           deny(exchange, "x-latch-sniff", "The Content-Type is too long to be checked");
}

/*
 * A form's policy may end whenever it likes, but an id is remembered only for as long as a URL may
 * live. So a form with an id may not live longer, or be dated ahead (nor be of Signature Version 2,
 * which has no date).
 */
static bool lives_too_long(const struct lst_s3_exchange *exchange)
{
    int64_t time = exchange->passage.auth.time;

    return exchange->form_expires != 0 &&
           (time > exchange->passage.now + LST_LEDGER_SKEW_MS / 1000 ||
            exchange->form_expires - time > exchange->s3->rules->expires_max);
}

/* True if what has to be counted can be. */
static bool check_id(struct lst_s3_exchange *exchange)
{
    const struct lst_constraints *constraints = exchange->constraints;
    struct lst_field constraint = {LST_SLICE("id"), constraints->id};
    char problem[MESSAGE_MAX];

    if (constraints->id.length > 0 && exchange->s3->options.ledger == NULL) {
        return refuse(exchange, constraint, "is not kept by this server");
    }
    if (constraints->id.length > 0 && lives_too_long(exchange)) {
        (void)snprintf(problem, sizeof(problem),
                       "needs a policy that expires within %lld seconds of x-amz-date, as a URL "
                       "would: sign the form with an earlier expiration",
                       (long long)exchange->s3->rules->expires_max);
        return refuse(exchange, constraint, problem);
    }
    return lst_s3_use_check(exchange);
}

static bool check(struct lst_s3_exchange *exchange, enum lst_constraint_use use)
{
    struct lst_constraint_fault fault;
    bool has_type = use == LST_CONSTRAINT_USE_OBJECT || use == LST_CONSTRAINT_USE_UPLOAD;

    if (exchange->constraints == NULL) {
        return true;
    }
    if (!lst_constraints_fit(exchange->constraints, use, &fault)) {
        return refuse_fault(exchange, &fault);
    }
    return check_id(exchange) && check_time_and_place(exchange) &&
           (!has_type ||
            (check_type(exchange) && (!exchange->constraints->sniff || check_encoding(exchange))));
}

bool lst_s3_constrain(struct lst_s3_exchange *exchange)
{
    const struct lst_http_parameter *parameter;
    size_t at = 0;

    while ((parameter = lst_http_next_option(exchange->request, LST_FAMILY_LATCH, &at)) != NULL) {
        struct lst_field constraint = {
            lst_name_after_family(parameter->text.name, LST_FAMILY_LATCH), parameter->text.value};

        if (exchange->passage.auth.kind != LST_AUTH_QUERY &&
            exchange->passage.auth.kind != LST_AUTH_HEADER) {
            return refuse(exchange, constraint,
                          "is not covered by this signature: use Signature Version 4, or the "
                          "fields of a form");
        }
        if (!read_one(exchange, constraint.name, constraint.value)) {
            return false;
        }
    }
    return check(exchange, exchange->operation->use);
}

bool lst_s3_constrain_form(struct lst_s3_exchange *exchange, const struct lst_field *fields,
                           size_t field_count)
{
    struct lst_slice prefix = LST_SLICE(LST_CONSTRAINT_PREFIX);

    for (size_t i = 0; i < field_count; i++) {
        if (lst_slice_starts_with_ignoring_case(fields[i].name, prefix) &&
            !read_one(exchange, lst_slice_after(fields[i].name, prefix.length), fields[i].value)) {
            return false;
        }
    }
    return check(exchange, LST_CONSTRAINT_USE_OBJECT);
}

/* ---- The object */

bool lst_s3_constrain_etag(struct lst_s3_exchange *exchange, struct lst_slice etag)
{
    const struct lst_constraints *constraints = exchange->constraints;

    if (constraints == NULL || constraints->etag.length == 0 ||
        lst_slice_equal(constraints->etag, etag)) {
        return true;
    }
    lst_s3_set_reason(exchange, "x-latch-etag: the object is another by now");
    lst_s3_fail_about(exchange, LST_S3_PRECONDITION_FAILED,
                      "The object that this URL was signed for has been replaced", "Constraint",
                      LST_SLICE("x-latch-etag"));
    return false;
}

/* ---- The body */

static bool check_length(struct lst_s3_exchange *exchange)
{
    const struct lst_constraints *constraints = exchange->constraints;
    uint64_t length;

    /* A form's file has no length yet: post_object.c counts it. */
    return !constraints->has_length || !lst_body_length(exchange->body, &length) ||
           (length >= constraints->length_min && length <= constraints->length_max) ||
           refuse_length(exchange, length);
}

bool lst_s3_constrain_object(struct lst_s3_exchange *exchange, struct lst_receiving *receiving)
{
    const struct lst_constraints *constraints = exchange->constraints;

    if (constraints == NULL) {
        return true;
    }
    struct lst_content_plan plan = {
        .declared = lst_http_header(exchange->request, LST_HEADER_CONTENT_TYPE),
        .types = constraints->types,
    };
    return check_length(exchange) &&
           (!constraints->sniff || lst_receive_check_content(exchange, receiving, &plan));
}

bool lst_s3_constrain_part(struct lst_s3_exchange *exchange, uint32_t number,
                           const struct lst_upload_checksum *agreed,
                           struct lst_receiving *receiving)
{
    const struct lst_constraints *constraints = exchange->constraints;
    struct lst_content_plan plan = {.is_part = true};

    if (constraints != NULL) {
        plan.types = constraints->types;
        if (!check_length(exchange)) {
            return false;
        }
    }
    if (agreed->is_sniffed) {
        memcpy(receiving->type, agreed->type, sizeof(receiving->type));
        plan.declared = lst_slice_of(receiving->type);
    }
    return number != 1 || (!agreed->is_sniffed && (constraints == NULL || !constraints->sniff)) ||
           lst_receive_check_content(exchange, receiving, &plan);
}

bool lst_s3_constrain_copied_part(struct lst_s3_exchange *exchange, uint32_t number,
                                  const struct lst_upload_checksum *agreed)
{
    return number != 1 || !agreed->is_sniffed ||
           deny(exchange, "x-latch-sniff",
                "The content of part 1 is checked while it is sent: it can't be copied");
}

bool lst_s3_constrain_parts(struct lst_s3_exchange *exchange, uint32_t first,
                            const struct lst_upload_checksum *agreed)
{
    return first == 1 || !agreed->is_sniffed ||
           deny(exchange, "x-latch-sniff",
                "The content of this upload is checked by part 1, with which it must begin");
}
