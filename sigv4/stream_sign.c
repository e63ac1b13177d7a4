/* stream_sign.c - the signatures of a streamed body: of its chunks and of its trailing headers. */
#include "hash.h"
#include "key.h"
#include "stream.h"
#include "writer.h"

/* Two words of 24 bytes, a time, a scope, a signature, two hashes, and the line ends. */
#define STRING_TO_SIGN_MAX 512

static const char empty_body_sha256[] =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/* "Chunk string to sign" and "trailing chunk string to sign"; the latter has no empty hash. */
static void sign(const struct lst_key *key, const char time[16], struct lst_slice previous,
                 const uint8_t sha256[32], bool trailer, char out[LST_SIGNATURE_LENGTH])
{
    char text[STRING_TO_SIGN_MAX];
    char hex[2 * LST_INTERNAL_SHA256_SIZE];
    struct lst_internal_writer writer = lst_internal_writer_to(text, sizeof(text));

    lst_internal_put(&writer, trailer ? LST_SLICE("AWS4-HMAC-SHA256-TRAILER\n")
                                      : LST_SLICE("AWS4-HMAC-SHA256-PAYLOAD\n"));
    lst_internal_put(&writer, (struct lst_slice){time, 16});
    lst_internal_put_char(&writer, '\n');
    lst_internal_put(&writer, lst_internal_key_scope(key));
    lst_internal_put_char(&writer, '\n');
    lst_internal_put(&writer, previous);
    lst_internal_put_char(&writer, '\n');
    if (!trailer) {
        lst_internal_put(&writer, LST_SLICE(empty_body_sha256));
        lst_internal_put_char(&writer, '\n');
    }
    lst_internal_hex_encode(sha256, LST_INTERNAL_SHA256_SIZE, hex);
    lst_internal_put(&writer, (struct lst_slice){hex, sizeof(hex)});
    lst_internal_hmac_hex(key, (struct lst_slice){text, writer.length}, out);
}

int lst_internal_stream_check_chunk(struct lst_internal_stream *stream)
{
    uint8_t sha256[LST_INTERNAL_SHA256_SIZE];
    char expected[LST_SIGNATURE_LENGTH];
    struct lst_slice previous = {stream->previous, sizeof(stream->previous)};
    bool right;

    if (!lst_internal_stream_is_signed(stream)) {
        return LST_OK;
    }
    sha256_digest(&stream->hash, sizeof(sha256), sha256);
    sign(&stream->key, stream->time, previous, sha256, false, expected);
    right = lst_equal_secret((struct lst_slice){expected, sizeof(expected)},
                             (struct lst_slice){stream->claimed, sizeof(stream->claimed)});
    lst_wipe(expected, sizeof(expected));
    if (!right) {
        return LST_REFUSED_CHUNK_SIGNATURE;
    }
    memcpy(stream->previous, stream->claimed, sizeof(stream->previous));
    return LST_OK;
}

int lst_internal_stream_check_trailers(const struct lst_internal_stream *stream,
                                       struct lst_slice claimed)
{
    uint8_t sha256[LST_INTERNAL_SHA256_SIZE];
    char expected[LST_SIGNATURE_LENGTH];
    struct lst_slice previous = {stream->previous, sizeof(stream->previous)};
    bool right;

    lst_internal_sha256((struct lst_slice){stream->text, stream->text_length}, sha256);
    sign(&stream->key, stream->time, previous, sha256, true, expected);
    right = lst_equal_secret((struct lst_slice){expected, sizeof(expected)}, claimed);
    lst_wipe(expected, sizeof(expected));
    return right ? LST_OK : LST_REFUSED_TRAILER_SIGNATURE;
}

LST_PUBLIC int lst_stream_sign_chunk(const struct lst_key *key, int64_t time,
                                     struct lst_slice previous_signature, const uint8_t sha256[32],
                                     char ret_signature[LST_SIGNATURE_LENGTH])
{
    char text[16];
    int error = lst_format_time(time, text);

    if (error != LST_OK) {
        return error;
    }
    if (previous_signature.length != LST_SIGNATURE_LENGTH) {
        return LST_ERR_INVALID_ARGUMENT;
    }
    sign(key, text, previous_signature, sha256, false, ret_signature);
    return LST_OK;
}
