/* stream_decoding.h - what the tests of streamed bodies share: decode a body, piece by piece. */
#ifndef LST_TESTS_STREAM_DECODING_H
#define LST_TESTS_STREAM_DECODING_H

#include "latchstring.h"
#include "tap.h"

#include <stdlib.h>

static const char seed[] = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";

/* What a whole decoding gave. */
struct outcome {
    int error;    /* of decode or, if that took everything, of finish */
    bool ended;   /* LST_STREAM_END came */
    size_t total; /* bytes of data */
    bool same;    /* all data was 'a' */
};

static struct lst_key key;
static int64_t when;

static inline struct lst_stream begin(enum lst_payload payload, const char *signature,
                                      uint64_t length, const char *trailers)
{
    struct lst_stream stream;
    struct lst_auth auth;

    memset(&auth, 0, sizeof(auth));
    auth.payload = payload;
    auth.time = when;
    auth.signature = lst_slice_of(signature);
    if (lst_stream_init(&stream, &auth, &key, length, lst_slice_of(trailers)) != LST_OK) {
        abort();
    }
    return stream;
}

/* Feed one piece; the events add up in the outcome. */
static inline void feed(struct lst_stream *stream, struct lst_slice input, struct outcome *outcome)
{
    while (outcome->error == LST_OK && input.length > 0) {
        enum lst_stream_event event;
        struct lst_slice data;
        size_t consumed;

        outcome->error = lst_stream_decode(stream, input, &consumed, &event, &data);
        if (outcome->error != LST_OK) {
            return;
        }
        input.bytes += consumed;
        input.length -= consumed;
        outcome->total += data.length;
        outcome->ended = outcome->ended || event == LST_STREAM_END;
        /* All bytes are 'a' if the first is, and each is as the one after it. */
        outcome->same =
            outcome->same &&
            (data.length == 0 ||
             (data.bytes[0] == 'a' && memcmp(data.bytes, data.bytes + 1, data.length - 1) == 0));
        if (event == LST_STREAM_NEED_MORE && input.length > 0) {
            abort();
        }
    }
}

static inline struct outcome finish(const struct lst_stream *stream, struct outcome outcome)
{
    if (outcome.error == LST_OK) {
        outcome.error = lst_stream_finish(stream);
    } else if (lst_stream_finish(stream) != outcome.error) {
        abort();
    }
    return outcome;
}

/* Decode pieces of the given size. */
static inline struct outcome decode(struct lst_stream stream, struct lst_slice input, size_t piece)
{
    struct outcome outcome = {.same = true};

    for (size_t at = 0; at < input.length; at += piece) {
        size_t length = input.length - at < piece ? input.length - at : piece;

        feed(&stream, (struct lst_slice){input.bytes + at, length}, &outcome);
    }
    return finish(&stream, outcome);
}

static inline bool is_whole(struct outcome outcome, size_t total)
{
    return outcome.error == LST_OK && outcome.ended && outcome.same && outcome.total == total;
}

/* The key and the time of AWS's examples. */
static inline void set_up(void)
{
    if (lst_parse_time(LST_SLICE("20130524T000000Z"), &when) != LST_OK ||
        lst_key_init(&key, LST_SLICE("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), when,
                     LST_SLICE("us-east-1"), LST_SLICE("s3")) != LST_OK) {
        abort();
    }
}

#define TRAILER_SIGNATURE "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"

#endif
