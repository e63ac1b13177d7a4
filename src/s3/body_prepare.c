/* body_prepare.c - what the head of a request says of its body. */
#include "s3/body_state.h"

#include <stdio.h>
#include <stdlib.h>

static struct lst_slice header(const struct lst_s3_exchange *exchange, enum lst_header number)
{
    return lst_slice_trim(lst_http_header(exchange->request, number));
}

/* ---- Length */

void lst_body_fail_length(struct lst_s3_exchange *exchange)
{
    if (exchange->request->is_chunked) {
        lst_s3_fail_about(exchange, LST_S3_NOT_IMPLEMENTED, NULL, "Header",
                          LST_SLICE("Transfer-Encoding"));
    } else {
        lst_s3_fail(exchange, LST_S3_MISSING_CONTENT_LENGTH);
    }
}

static bool read_length(struct lst_s3_exchange *exchange)
{
    const struct lst_http_request *request = exchange->request;
    struct lst_body *body = exchange->body;

    if (body->is_stream) {
        struct lst_slice decoded = header(exchange, LST_HEADER_AMZ_DECODED_CONTENT_LENGTH);
        body->length_known = lst_slice_to_number(decoded, UINT64_MAX, &body->length);
    } else {
        body->length_known = request->has_content_length || !body->plan.length_required;
        body->length = request->has_content_length ? request->content_length : 0;
        body->length_known = body->length_known && !request->is_chunked;
    }
    if (request->is_chunked && body->plan.takes_chunks && !body->is_stream) {
        return true;
    }
    if (!body->length_known && (body->plan.length_required || body->is_stream)) {
        lst_body_fail_length(exchange);
        return false;
    }
    return true;
}

static bool check_limit(struct lst_s3_exchange *exchange)
{
    struct lst_body *body = exchange->body;
    char proposed[24];
    char allowed[24];

    if (!body->length_known || body->length <= body->plan.limit) {
        return true;
    }
    (void)snprintf(proposed, sizeof(proposed), "%llu", (unsigned long long)body->length);
    (void)snprintf(allowed, sizeof(allowed), "%llu", (unsigned long long)body->plan.limit);
    struct lst_field details[] = {
        {LST_SLICE("ProposedSize"), lst_slice_of(proposed)},
        {LST_SLICE("MaxSizeAllowed"), lst_slice_of(allowed)},
    };
    lst_s3_fail_with(exchange, body->plan.too_long, NULL, details, 2);
    return false;
}

/* ---- Framing and the payload's hash */

/* True if a list of content codings has this one (RFC 9110 section 8.4). */
static bool has_coding(struct lst_slice codings, struct lst_slice coding)
{
    struct lst_slice part;

    while (lst_slice_split(&codings, ',', &part)) {
        if (lst_slice_equal_ignoring_case(lst_slice_trim(part), coding)) {
            return true;
        }
    }
    return false;
}

static bool prepare_payload(struct lst_s3_exchange *exchange)
{
    const struct lst_auth *auth = &exchange->passage.auth;
    struct lst_body *body = exchange->body;

    if (body->is_stream) {
        int status = lst_stream_init(&body->stream, auth, &exchange->passage.key, body->length,
                                     header(exchange, LST_HEADER_AMZ_TRAILER));
        if (status != LST_OK) {
            lst_s3_fail_code(exchange, status);
        }
        return status == LST_OK;
    }
    if (has_coding(header(exchange, LST_HEADER_CONTENT_ENCODING), LST_SLICE("aws-chunked"))) {
        /* Without a STREAMING- word nobody knows how it is framed; the framing must not be stored
         * as if it were the object. */
        lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST,
                         "Content-Encoding says aws-chunked, but x-amz-content-sha256 is none of "
                         "the STREAMING- forms: sign one of them, or send the body unframed",
                         NULL, 0);
        return false;
    }
    body->check_sha256 = auth->payload == LST_PAYLOAD_SHA256;
    if (body->check_sha256) {
        sha256_init(&body->sha256);
    }
    return true;
}

static bool read_md5(struct lst_s3_exchange *exchange)
{
    struct lst_slice value = lst_http_header(exchange->request, LST_HEADER_CONTENT_MD5);
    struct lst_body *body = exchange->body;

    if (value.bytes == NULL) {
        return true;
    }
    body->has_md5 = true;
    if (!lst_base64_decode(lst_slice_trim(value), body->expected_md5, MD5_DIGEST_SIZE)) {
        lst_s3_fail_about(exchange, LST_S3_INVALID_DIGEST, NULL, "Content-MD5", value);
        return false;
    }
    md5_init(&body->md5);
    return true;
}

/* ---- Checksums */

bool lst_body_expect_checksum(struct lst_s3_exchange *exchange, struct lst_slice text)
{
    struct lst_body *body = exchange->body;
    char message[96];

    if (lst_base64_decode(text, body->expected_checksum, lst_checksum_size(body->checksum.kind))) {
        return true;
    }
    (void)snprintf(message, sizeof(message), "Value for %s %s is invalid.",
                   lst_checksum_header(body->checksum.kind),
                   body->checksum_in_trailer ? "trailing header" : "header");
    lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST, message, NULL, 0);
    return false;
}

/* The checksum headers. Only headers: S3 signs a checksum in the query of a presigned URL, where
 * some SDKs put that of an empty body, and does not hold the body against it. */
static bool read_checksum_header(struct lst_s3_exchange *exchange)
{
    struct lst_body *body = exchange->body;
    struct lst_slice value = {NULL, 0};
    enum lst_checksum_kind kind = LST_CHECKSUM_NONE;

    for (unsigned i = LST_CHECKSUM_CRC32; i < LST_CHECKSUM_KINDS; i++) {
        struct lst_slice found = lst_http_header(exchange->request, lst_checksum_header_number(i));

        if (found.bytes == NULL) {
            continue;
        }
        if (kind != LST_CHECKSUM_NONE) {
            lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST,
                             "Expecting a single x-amz-checksum- header. Multiple checksum Types "
                             "are not allowed.",
                             NULL, 0);
            return false;
        }
        kind = i;
        value = found;
    }
    lst_checksum_init(&body->checksum, kind);
    body->checksum_declared = kind != LST_CHECKSUM_NONE;
    return kind == LST_CHECKSUM_NONE || lst_body_expect_checksum(exchange, lst_slice_trim(value));
}

static bool read_checksum_trailer(struct lst_s3_exchange *exchange)
{
    struct lst_body *body = exchange->body;
    struct lst_slice trailer = header(exchange, LST_HEADER_AMZ_TRAILER);
    enum lst_checksum_kind kind = lst_checksum_of_header(trailer);
    enum lst_payload payload = exchange->passage.auth.payload;

    if (trailer.length == 0) {
        return true;
    }
    if (kind == LST_CHECKSUM_NONE || (payload != LST_PAYLOAD_STREAM_SIGNED_TRAILER &&
                                      payload != LST_PAYLOAD_STREAM_UNSIGNED_TRAILER)) {
        lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST,
                         "The value specified in the x-amz-trailer header is not supported", NULL,
                         0);
        return false;
    }
    if (body->checksum.kind != LST_CHECKSUM_NONE) {
        lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST,
                         "Expecting a single x-amz-checksum- header", NULL, 0);
        return false;
    }
    lst_checksum_init(&body->checksum, kind);
    body->checksum_declared = true;
    body->checksum_in_trailer = true;
    return true;
}

static bool check_algorithm(struct lst_s3_exchange *exchange)
{
    struct lst_slice algorithm = header(exchange, LST_HEADER_AMZ_SDK_CHECKSUM_ALGORITHM);
    enum lst_checksum_kind kind = exchange->body->checksum.kind;

    if (algorithm.length == 0) {
        return true;
    }
    if (kind == LST_CHECKSUM_NONE) {
        lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST,
                         "x-amz-sdk-checksum-algorithm specified, but no corresponding "
                         "x-amz-checksum-* or x-amz-trailer headers were found.",
                         NULL, 0);
        return false;
    }
    if (lst_checksum_of_name(algorithm) != kind) {
        lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST,
                         "Value for x-amz-sdk-checksum-algorithm header is invalid.", NULL, 0);
        return false;
    }
    return true;
}

static bool read_checksum(struct lst_s3_exchange *exchange)
{
    return read_checksum_header(exchange) && read_checksum_trailer(exchange) &&
           check_algorithm(exchange);
}

static bool check_digest_declared(struct lst_s3_exchange *exchange)
{
    const struct lst_body *body = exchange->body;

    if (!body->plan.digest_required || body->has_md5 || body->checksum.kind != LST_CHECKSUM_NONE) {
        return true;
    }
    lst_s3_fail_with(exchange, LST_S3_INVALID_REQUEST,
                     "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
                     NULL, 0);
    return false;
}

/* What is to be computed of the body for its own sake. */
static bool compute_checksum(struct lst_body *body)
{
    if (!body->checksum_declared) {
        lst_checksum_init(&body->checksum, body->plan.checksum);
    } else if (body->plan.checksum_besides && body->checksum.kind != body->plan.checksum) {
        lst_checksum_init(&body->second, body->plan.checksum);
    }
    return true;
}

bool lst_body_prepare(struct lst_s3_exchange *exchange, const struct lst_body_plan *plan)
{
    struct lst_body *body = malloc(sizeof(*body));

    if (body == NULL) {
        lst_s3_fail(exchange, LST_S3_SLOW_DOWN);
        return false;
    }
    memset(body, 0, offsetof(struct lst_body, stream));
    body->plan = *plan;
    body->is_stream = exchange->passage.auth.payload >= LST_PAYLOAD_STREAM_SIGNED;
    exchange->body = body;
    return read_length(exchange) && check_limit(exchange) && read_md5(exchange) &&
           (plan->checksum_is_of_object || read_checksum(exchange)) &&
           check_digest_declared(exchange) && prepare_payload(exchange) && compute_checksum(body);
}
