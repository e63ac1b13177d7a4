/* body.c - the body of a request on its way in. */
#include "s3/body_state.h"

#include <stdio.h>
#include <stdlib.h>

bool lst_body_length(const struct lst_body *body, uint64_t *ret_length)
{
    if (body->length_known) {
        *ret_length = body->length;
    }
    return body->length_known;
}

enum lst_checksum_kind lst_body_checksum(const struct lst_body *body, struct lst_slice *ret_text)
{
    *ret_text = lst_slice_make(body->checksum_text, body->checksum_length);
    return body->checksum_length == 0 ? LST_CHECKSUM_NONE : body->checksum.kind;
}

enum lst_checksum_kind lst_body_second_checksum(const struct lst_body *body,
                                                struct lst_slice *ret_text)
{
    size_t size = lst_checksum_size(body->second.kind);

    *ret_text = lst_slice_make(body->second_text, LST_BASE64_LENGTH(size));
    return body->second.kind;
}

enum lst_checksum_kind lst_body_declared(const struct lst_body *body)
{
    return body->checksum_declared ? body->checksum.kind : LST_CHECKSUM_NONE;
}

void lst_body_free(struct lst_body *body)
{
    if (body != NULL && body->is_stream) {
        /* It holds the signing key. */
        lst_wipe(&body->stream, sizeof(body->stream));
    }
    free(body);
}

/* Count and digest a piece of the body itself. */
static bool count_data(struct lst_s3_exchange *exchange, struct lst_slice bytes)
{
    struct lst_body *body = exchange->body;

    if (bytes.length > body->plan.limit - body->received) {
        lst_s3_fail(exchange, body->plan.too_long);
        return false;
    }
    body->received += bytes.length;
    if (body->check_sha256) {
        sha256_update(&body->sha256, bytes.length, (const uint8_t *)bytes.bytes);
    }
    if (body->plan.wants_md5 && body->has_md5) {
        md5_update(&body->md5, bytes.length, (const uint8_t *)bytes.bytes);
    }
    lst_checksum_update(&body->checksum, bytes);
    lst_checksum_update(&body->second, bytes);
    return true;
}

static void fail_small_chunk(struct lst_s3_exchange *exchange)
{
    uint64_t chunk;
    uint64_t size;
    char number_text[24];
    char size_text[24];

    lst_stream_small_chunk(&exchange->body->stream, &chunk, &size);
    (void)snprintf(number_text, sizeof(number_text), "%llu", (unsigned long long)chunk);
    (void)snprintf(size_text, sizeof(size_text), "%llu", (unsigned long long)size);
    struct lst_field details[] = {
        {LST_SLICE("Chunk"), lst_slice_of(number_text)},
        {LST_SLICE("BadChunkSize"), lst_slice_of(size_text)},
    };
    lst_s3_fail_with(exchange, LST_S3_INVALID_CHUNK_SIZE, NULL, details, 2);
}

/* The next data of an aws-chunked body, if there is any in the input, of which it takes what it has
 * dealt with. False if the exchange has been answered. */
static bool decode(struct lst_s3_exchange *exchange, struct lst_slice *input,
                   struct lst_slice *ret_data)
{
    struct lst_body *body = exchange->body;
    enum lst_stream_event event = LST_STREAM_NEED_MORE;
    size_t consumed = 1;

    *ret_data = lst_slice_make(input->bytes, 0);
    while (input->length > 0 && (consumed > 0 || event == LST_STREAM_DATA)) {
        int status = lst_stream_decode(&body->stream, *input, &consumed, &event, ret_data);
        if (status == LST_REFUSED_CHUNK_TOO_SMALL) {
            fail_small_chunk(exchange);
            return false;
        }
        if (status != LST_OK) {
            lst_s3_fail_code(exchange, status);
            return false;
        }
        *input = lst_slice_after(*input, consumed);
        if (event == LST_STREAM_DATA) {
            return true;
        }
        *ret_data = lst_slice_make(input->bytes, 0);
    }
    *input = lst_slice_make(input->bytes, 0);
    return true;
}

bool lst_body_next(struct lst_s3_exchange *exchange, struct lst_slice *ret_piece)
{
    struct lst_body *body = exchange->body;

    ret_piece->length = 0;
    while (ret_piece->length == 0) {
        if (body->is_refused ||
            (body->input.length == 0 && !lst_running_next(exchange, &body->input))) {
            return false;
        }
        if (body->is_stream) {
            body->is_refused = !decode(exchange, &body->input, ret_piece);
        } else {
            *ret_piece = body->input;
            body->input.length = 0;
        }
        if (body->is_refused || !count_data(exchange, *ret_piece)) {
            body->is_refused = true;
            return false;
        }
    }
    return true;
}

/* ---- The end */

/* Take the checksum out of the trailers. False, having answered, if the one announced is not
 * there. */
static bool take_trailer(struct lst_s3_exchange *exchange)
{
    struct lst_body *body = exchange->body;

    for (size_t i = 0; i < lst_stream_trailer_count(&body->stream); i++) {
        struct lst_field trailer = lst_stream_trailer(&body->stream, i);
        if (lst_checksum_of_header(trailer.name) == body->checksum.kind) {
            return lst_body_expect_checksum(exchange, lst_slice_trim(trailer.value));
        }
    }
    lst_s3_fail(exchange, LST_S3_MALFORMED_TRAILER);
    return false;
}

static bool check_length(struct lst_s3_exchange *exchange)
{
    struct lst_body *body = exchange->body;
    int status;

    if (body->is_stream) {
        status = lst_stream_finish(&body->stream);
        if (status != LST_OK) {
            lst_s3_fail_code(exchange, status);
            return false;
        }
        return !body->checksum_in_trailer || take_trailer(exchange);
    }
    if (body->length_known && body->received != body->length) {
        lst_s3_fail(exchange, LST_S3_INCOMPLETE_BODY);
        return false;
    }
    return true;
}

static bool check_sha256(struct lst_s3_exchange *exchange)
{
    struct lst_body *body = exchange->body;
    struct lst_slice declared = exchange->passage.auth.body_sha256;
    uint8_t digest[SHA256_DIGEST_SIZE];
    char text[2 * SHA256_DIGEST_SIZE];

    if (!body->check_sha256) {
        return true;
    }
    sha256_digest(&body->sha256, sizeof(digest), digest);
    lst_hex_encode(digest, sizeof(digest), text);
    if (lst_slice_equal_ignoring_case(declared, lst_slice_make(text, sizeof(text)))) {
        return true;
    }
    struct lst_field details[] = {
        {LST_SLICE("ClientComputedContentSHA256"), declared},
        {LST_SLICE("S3ComputedContentSHA256"), lst_slice_make(text, sizeof(text))},
    };
    lst_s3_fail_with(exchange, LST_S3_SHA256_MISMATCH, NULL, details, 2);
    return false;
}

static bool check_checksum(struct lst_s3_exchange *exchange)
{
    struct lst_body *body = exchange->body;
    size_t size = lst_checksum_size(body->checksum.kind);
    uint8_t digest[LST_CHECKSUM_SIZE_MAX];
    char message[96];

    lst_checksum_digest(&body->second, digest);
    lst_base64_encode(digest, lst_checksum_size(body->second.kind), body->second_text);
    lst_checksum_digest(&body->checksum, digest);
    lst_base64_encode(digest, size, body->checksum_text);
    body->checksum_length = LST_BASE64_LENGTH(size);
    if (!body->checksum_declared || memcmp(digest, body->expected_checksum, size) == 0) {
        return true;
    }
    (void)snprintf(message, sizeof(message),
                   "The %s you specified did not match the calculated checksum.",
                   lst_checksum_name(body->checksum.kind));
    lst_s3_fail_with(exchange, LST_S3_BAD_DIGEST, message, NULL, 0);
    return false;
}

bool lst_body_check_md5(struct lst_s3_exchange *exchange, const uint8_t md5[16])
{
    struct lst_body *body = exchange->body;
    bool in_hex = exchange->operation->use == LST_CONSTRAINT_USE_OBJECT;
    char expected[2 * MD5_DIGEST_SIZE];
    char calculated[LST_BASE64_LENGTH(MD5_DIGEST_SIZE)];
    size_t length = in_hex ? sizeof(expected) : LST_BASE64_LENGTH(MD5_DIGEST_SIZE);

    if (!body->has_md5 || memcmp(md5, body->expected_md5, MD5_DIGEST_SIZE) == 0) {
        return true;
    }
    if (in_hex) { /* S3 shows it so of PutObject alone, and elsewhere as it was sent */
        lst_hex_encode(body->expected_md5, MD5_DIGEST_SIZE, expected);
    } else {
        lst_base64_encode(body->expected_md5, MD5_DIGEST_SIZE, expected);
    }
    lst_base64_encode(md5, MD5_DIGEST_SIZE, calculated);
    struct lst_field details[] = {
        {LST_SLICE("CalculatedDigest"), lst_slice_make(calculated, sizeof(calculated))},
        {LST_SLICE("ExpectedDigest"), lst_slice_make(expected, length)},
    };
    lst_s3_fail_with(exchange, LST_S3_BAD_DIGEST, NULL, details, 2);
    return false;
}

static bool check_md5(struct lst_s3_exchange *exchange)
{
    struct lst_body *body = exchange->body;
    uint8_t md5[MD5_DIGEST_SIZE];

    if (!body->plan.wants_md5 || !body->has_md5) {
        return true;
    }
    md5_digest(&body->md5, sizeof(md5), md5);
    return lst_body_check_md5(exchange, md5);
}

bool lst_body_is_whole(struct lst_s3_exchange *exchange)
{
    return !exchange->body->is_refused && !exchange->running.is_gone && check_length(exchange) &&
           check_sha256(exchange) && check_checksum(exchange) && check_md5(exchange) &&
           lst_s3_confirm(exchange);
}
