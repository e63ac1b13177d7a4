/*
 * stream_fuzz.c - any bytes as a streamed body, cut anywhere: the verdict does not depend on the
 * cuts, and the data never exceeds the declared length.
 *
 * Input: a byte for the kind, a byte for the declared length, a byte that seeds the cuts; the body.
 */
#include "latchstring.h"

#include <stdlib.h>
#include <string.h>

struct outcome {
    int error;
    size_t total;
    size_t trailers;
    bool ended;
};

static const char seed[] = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* Feed one piece, copied so that a sanitizer sees a read past its end. */
static void feed(struct lst_stream *stream, const uint8_t *bytes, size_t size,
                 struct outcome *outcome)
{
    char *piece = malloc(size == 0 ? 1 : size);
    struct lst_slice input = {piece, size};

    require(piece != NULL);
    memcpy(piece, bytes, size);
    while (outcome->error == LST_OK && input.length > 0) {
        enum lst_stream_event event = LST_STREAM_NEED_MORE;
        struct lst_slice data = {NULL, 0};
        size_t consumed = 0;

        outcome->error = lst_stream_decode(stream, input, &consumed, &event, &data);
        if (outcome->error == LST_OK) {
            require(consumed > 0 && consumed <= input.length && data.length <= consumed);
            require(!outcome->ended || data.length == 0);
            outcome->total += data.length;
            outcome->ended = outcome->ended || event == LST_STREAM_END;
            input.bytes += consumed;
            input.length -= consumed;
        }
    }
    free(piece);
}

static struct outcome decode(enum lst_payload payload, uint64_t length, unsigned cuts,
                             const uint8_t *bytes, size_t size)
{
    struct outcome outcome = {LST_OK, 0, 0, false};
    struct lst_stream stream;
    struct lst_auth auth;
    struct lst_key key;
    size_t at = 0;

    memset(&auth, 0, sizeof(auth));
    auth.payload = payload;
    auth.time = 1369353600;
    auth.signature = LST_SLICE(seed);
    require(lst_key_init(&key, LST_SLICE("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), auth.time,
                         LST_SLICE("us-east-1"), LST_SLICE("s3")) == LST_OK);
    require(lst_stream_init(&stream, &auth, &key, length, LST_SLICE("x-amz-a, x-amz-b")) == LST_OK);
    while (at < size) {
        size_t piece = cuts == 0 ? size : 1 + cuts % 31;

        cuts = cuts * 1103515245U + 12345U;
        piece = piece < size - at ? piece : size - at;
        feed(&stream, bytes + at, piece, &outcome);
        at += piece;
    }
    if (outcome.error == LST_OK) {
        outcome.error = lst_stream_finish(&stream);
    }
    outcome.trailers = lst_stream_trailer_count(&stream);
    for (size_t i = 0; i < outcome.trailers; i++) {
        require(lst_stream_trailer(&stream, i).name.length > 0);
    }
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const enum lst_payload payloads[] = {LST_PAYLOAD_STREAM_SIGNED,
                                                LST_PAYLOAD_STREAM_SIGNED_TRAILER,
                                                LST_PAYLOAD_STREAM_UNSIGNED_TRAILER};
    struct outcome whole;
    struct outcome cut;
    enum lst_payload payload;

    if (size < 3) {
        return 0;
    }
    payload = payloads[bytes[0] % 3];
    whole = decode(payload, bytes[1], 0, bytes + 3, size - 3);
    cut = decode(payload, bytes[1], bytes[2] | 1U, bytes + 3, size - 3);
    require(whole.error == cut.error && whole.ended == cut.ended && whole.total == cut.total);
    require(whole.trailers == cut.trailers && whole.total <= bytes[1]);
    require(whole.error != LST_OK || (whole.ended && whole.total == bytes[1]));
    return 0;
}
