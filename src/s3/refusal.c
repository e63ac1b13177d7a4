/* refusal.c - the answer to a request whose signature is refused: S3's error, and why. */
#include "base/clock.h"
#include "base/encoding.h"
#include "s3/post_form.h"
#include "s3/refusal_advice.h"
#include "s3/xml.h"

#include <stdlib.h>

enum { REFUSAL_TEXT_MAX = 512, ADVICE_MAX = 1024, ISO8601_SECONDS_LENGTH = 20 };

/* "2026-11-23T19:18:00Z": these elements have no fractions in S3. */
static void write_time(struct lst_buffer *body, const char *name, int64_t time)
{
    char text[LST_ISO8601_LENGTH];

    lst_clock_format_iso8601(time * 1000, text);
    text[ISO8601_SECONDS_LENGTH - 1] = 'Z';
    lst_xml_text(body, name, lst_slice_make(text, ISO8601_SECONDS_LENGTH));
}

/* As S3 writes bytes: two hex digits each, a space between. */
static void write_bytes(struct lst_buffer *body, const char *name, struct lst_slice bytes)
{
    lst_xml_open(body, name);
    for (size_t i = 0; i < bytes.length; i++) {
        char *room = lst_buffer_reserve(body, 3);
        if (room == NULL) {
            return;
        }
        lst_hex_encode(bytes.bytes + i, 1, room);
        room[2] = ' ';
        body->length += i + 1 < bytes.length ? 3 : 2;
    }
    lst_xml_close(body, name);
}

/*
 * Blank a session token out of a canonical request or an explanation, where it stands after
 * "x-amz-security-token" and '=' (in the query, up to '&' or a quote) or ':' (among the headers),
 * up to the end of the line. Gives the length that is left.
 */
static size_t mask_tokens(char *text, size_t length)
{
    struct lst_slice name = LST_SLICE("x-amz-security-token");
    struct lst_slice mask = LST_SLICE("***");
    size_t written = 0;

    for (size_t i = 0; i < length;) {
        struct lst_slice rest = lst_slice_make(text + i, length - i);
        if (!lst_slice_starts_with_ignoring_case(rest, name) || rest.length == name.length ||
            (rest.bytes[name.length] != '=' && rest.bytes[name.length] != ':')) {
            text[written++] = text[i++];
            continue;
        }
        bool in_query = rest.bytes[name.length] == '=';
        size_t end = name.length + 1;
        while (end < rest.length && rest.bytes[end] != '\n' &&
               !(in_query && (rest.bytes[end] == '&' || rest.bytes[end] == '\''))) {
            end++;
        }
        size_t masked = end - name.length - 1 < mask.length ? end - name.length - 1 : mask.length;
        memmove(text + written, text + i, name.length + 1);
        memcpy(text + written + name.length + 1, mask.bytes, masked);
        written += name.length + 1 + masked;
        i += end;
    }
    return written;
}

static void write_string_to_sign(struct lst_buffer *body, struct lst_slice text,
                                 struct lst_slice signature)
{
    lst_xml_text(body, "StringToSign", text);
    lst_xml_text(body, "SignatureProvided", signature);
    write_bytes(body, "StringToSignBytes", text);
}

/* What a request of Signature Version 2 should have signed. */
static void write_stage_of_v2(struct lst_s3_exchange *exchange, struct lst_buffer *body)
{
    const struct lst_request *message = &exchange->request->message;
    struct lst_slice bucket =
        exchange->target.is_virtual_host ? exchange->target.bucket : lst_slice_make(NULL, 0);
    size_t capacity = lst_canonical_request_bound(message) + bucket.length;
    char *text = malloc(capacity);
    size_t length;

    if (text != NULL && lst_string_to_sign_v2(message, &exchange->passage.auth, bucket, text,
                                              capacity, &length) == LST_OK) {
        length = mask_tokens(text, length);
        write_string_to_sign(body, lst_slice_make(text, length), exchange->passage.auth.signature);
    }
    free(text);
}

/* What was signed, as this server understood it. */
static void write_stages(struct lst_s3_exchange *exchange, struct lst_buffer *body)
{
    const struct lst_request *message = &exchange->request->message;
    const struct lst_auth *auth = &exchange->passage.auth;
    size_t capacity = lst_canonical_request_bound(message);
    char *canonical = malloc(capacity);
    char text[256];
    size_t length;

    if (lst_string_to_sign(message, auth, text, sizeof(text), &length) == LST_OK) {
        write_string_to_sign(body, lst_slice_make(text, length), auth->signature);
    }
    if (canonical != NULL &&
        lst_canonical_request(message, auth, canonical, capacity, &length) == LST_OK) {
        length = mask_tokens(canonical, length);
        lst_xml_text(body, "CanonicalRequest", lst_slice_make(canonical, length));
        write_bytes(body, "CanonicalRequestBytes", lst_slice_make(canonical, length));
    }
    free(canonical);
}

/* The answer to HEAD has no body to say it in. */
static void write_explained(struct lst_s3_exchange *exchange, struct lst_buffer *body,
                            struct lst_slice text)
{
    lst_xml_text(body, "Explanation", text);
    if (lst_s3_is_head(exchange)) {
        lst_http_response_add(&exchange->response, "x-latch-explanation", text);
    }
    lst_s3_set_reason(exchange, "%.*s", (int)text.length, text.bytes);
}

static void write_searched(struct lst_s3_exchange *exchange, struct lst_buffer *body,
                           struct lst_explanation *explanation)
{
    size_t length = mask_tokens(explanation->text, explanation->length);

    write_explained(exchange, body, lst_slice_make(explanation->text, length));
}

/* Which change would have made the signature right. */
static void write_explanation(struct lst_s3_exchange *exchange, struct lst_buffer *body)
{
    struct lst_explanation explanation = {.length = 0};
    int status = lst_gate_explain(exchange->s3->options.gate, &exchange->passage,
                                  exchange->target.bucket, &explanation);

    if ((status == LST_OK || status == LST_ERR_NO_NEAR_MISS) && explanation.length > 0) {
        write_searched(exchange, body, &explanation);
    }
}

/* What spoilt a URL that is refused before its signature is looked at, if that is to be seen; else
 * what else there is to say. */
static void write_advice(struct lst_s3_exchange *exchange, struct lst_buffer *body, int code)
{
    struct lst_explanation explanation;
    struct lst_buffer advice;

    lst_buffer_init(&advice, ADVICE_MAX);
    lst_s3_refusal_advice(exchange, code, &advice);
    if ((advice.length == 0 || code == LST_REFUSED_NOT_SIGNED) &&
        lst_explain_refusal(&exchange->request->message, exchange->s3->rules, exchange->passage.now,
                            code, &exchange->passage.auth, &explanation) == LST_OK) {
        write_searched(exchange, body, &explanation);
    } else if (lst_buffer_status(&advice) == LST_OK && advice.length > 0) {
        write_explained(exchange, body, lst_buffer_slice(&advice));
    }
    lst_buffer_release(&advice);
}

static void write_headers_not_signed(struct lst_s3_exchange *exchange, struct lst_buffer *body)
{
    char names[1024];
    size_t length = 0;

    lst_headers_not_signed(&exchange->request->message, &exchange->passage.auth, names,
                           sizeof(names), &length);
    lst_xml_text(body, "HeadersNotSigned", lst_slice_make(names, length));
}

static void write_skew(struct lst_s3_exchange *exchange, struct lst_buffer *body)
{
    char request_time[16];
    int64_t skew = exchange->s3->rules->clock_skew;

    if (lst_format_time(exchange->passage.auth.time, request_time) == LST_OK) {
        lst_xml_text(body, "RequestTime", lst_slice_make(request_time, sizeof(request_time)));
    }
    write_time(body, "ServerTime", exchange->passage.now);
    lst_xml_number(body, "MaxAllowedSkewMilliseconds",
                   (uint64_t)(skew > 0 ? skew : LST_CLOCK_SKEW) * 1000);
}

/* Which field of a form is wrong. */
static void write_field(struct lst_s3_exchange *exchange, struct lst_buffer *body, int code)
{
    const char *name = code == LST_REFUSED_DATE        ? "X-Amz-Date"
                       : code == LST_REFUSED_ALGORITHM ? "X-Amz-Algorithm"
                                                       : "X-Amz-Credential";

    if (code == LST_REFUSED_PARAMETER_REPEATED) {
        lst_xml_text(body, "ArgumentName", exchange->passage.auth.culprit);
        return;
    }
    lst_xml_string(body, "ArgumentName", name);
    lst_xml_text(body, "ArgumentValue", lst_post_field(exchange->post, name));
}

static bool is_field_refused(const struct lst_s3_exchange *exchange, int code)
{
    return exchange->post != NULL && exchange->passage.auth.kind == LST_AUTH_FORM &&
           strcmp(lst_refusal(code, LST_AUTH_FORM)->s3_code, "InvalidArgument") == 0 &&
           code != LST_REFUSED_FORM_FIELD_MISSING;
}

/* The elements that S3 adds to the error by its kind. */
static void write_details(struct lst_s3_exchange *exchange, struct lst_buffer *body, int code)
{
    const struct lst_auth *auth = &exchange->passage.auth;

    if (is_field_refused(exchange, code)) {
        write_field(exchange, body, code);
    }
    switch (code) {
    case LST_REFUSED_SIGNATURE:
        lst_xml_string(body, "AWSAccessKeyId", auth->access_key_id);
        if (auth->kind == LST_AUTH_FORM || auth->kind == LST_AUTH_V2_FORM) {
            write_string_to_sign(body, auth->policy, auth->signature);
        } else if (auth->kind == LST_AUTH_V2_QUERY || auth->kind == LST_AUTH_V2_HEADER) {
            write_stage_of_v2(exchange, body);
        } else {
            write_stages(exchange, body);
            write_explanation(exchange, body);
        }
        break;
    case LST_REFUSED_ACCESS_KEY_UNKNOWN:
    case LST_REFUSED_ACCESS_KEY_INACTIVE:
        lst_xml_string(body, "AWSAccessKeyId", lst_s3_shown_key_id(&exchange->passage));
        break;
    case LST_REFUSED_EXPIRED:
    case LST_REFUSED_NOT_YET_VALID:
        if (auth->kind == LST_AUTH_V2_QUERY) {
            /* It has no more than its end. */
        } else if (code == LST_REFUSED_EXPIRED) {
            lst_xml_number(body, "X-Amz-Expires", (uint64_t)auth->expires);
        } else { /* in milliseconds, as S3 has it here alone */
            lst_xml_number(body, "X-Amz-Date", (uint64_t)auth->time * 1000);
        }
        write_time(body, "Expires", auth->time + auth->expires);
        write_time(body, "ServerTime", exchange->passage.now);
        break;
    case LST_REFUSED_TIME_TOO_SKEWED:
        write_skew(exchange, body);
        break;
    case LST_REFUSED_HEADERS_NOT_SIGNED:
        write_headers_not_signed(exchange, body);
        break;
    case LST_REFUSED_SCOPE_REGION:
        lst_xml_text(body, "Region", exchange->s3->rules->region);
        break;
    case LST_REFUSED_SIGNED_TWICE:
    case LST_REFUSED_UNKNOWN_SCHEME:
        /* S3 shows the value too; it holds a signature or a password. */
        lst_xml_string(body, "ArgumentName", "Authorization");
        break;
    case LST_REFUSED_FORM_FIELD_MISSING:
        lst_xml_text(body, "ArgumentName", auth->culprit);
        lst_xml_string(body, "ArgumentValue", "");
        break;
    case LST_REFUSED_PAYLOAD_HASH:
        lst_xml_string(body, "ArgumentName", "x-amz-content-sha256");
        lst_xml_text(body, "ArgumentValue",
                     lst_http_header(exchange->request, LST_HEADER_AMZ_CONTENT_SHA256));
        break;
    default:
        break;
    }
}

/* What else than Version 4 would help. text: where the message may stand, of that capacity. */
static struct lst_slice add_v2_advice(struct lst_slice message, char *text, size_t capacity)
{
    struct lst_slice advice =
        LST_SLICE(" The administrator of this server can allow Signature Version 2 with "
                  "--allow-signature-v2 (LATCHSTRING_ALLOW_SIGNATURE_V2=yes).");

    if (message.bytes != text || advice.length > capacity - message.length) {
        return message;
    }
    memcpy(text + message.length, advice.bytes, advice.length);
    return lst_slice_make(text, message.length + advice.length);
}

void lst_s3_refuse(struct lst_s3_exchange *exchange, int code)
{
    const struct lst_refusal *refusal = lst_refusal(code, exchange->passage.auth.kind);
    char text[REFUSAL_TEXT_MAX];
    struct lst_slice message = lst_slice_of(refusal->text);
    struct lst_buffer *body;
    size_t length;

    if (lst_refusal_text(code, &exchange->passage.auth, exchange->s3->rules, text, sizeof(text),
                         &length) == LST_OK) {
        message = lst_slice_make(text, length);
    }
    if (code == LST_REFUSED_SIGNATURE_V2) {
        message = add_v2_advice(message, text, sizeof(text));
    }
    if (exchange->reason.length == 0) {
        lst_s3_set_reason(exchange, "%.*s", (int)message.length, message.bytes);
    }
    body = lst_s3_error_begin(exchange, refusal->http_status, refusal->s3_code, message);
    write_details(exchange, body, code);
    if (code != LST_REFUSED_SIGNATURE) {
        write_advice(exchange, body, code);
    }
    lst_s3_error_end(exchange);
}
