/* stream_test.c - streamed bodies: AWS's examples, every way to cut them, every byte altered. */
#include "stream_decoding.h"

#define DATA_LENGTH 66560

static const char trailer_seed[] =
    "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
static char body[DATA_LENGTH + 1024];

/* The body of AWS's examples: 64 KiB, 1 KiB and 0 bytes, then the given end. */
static struct lst_slice example(const char *first, const char *second, const char *last,
                                const char *end)
{
    size_t length = 0;

    length += (size_t)sprintf(body, "10000;chunk-signature=%s\r\n", first);
    memset(body + length, 'a', 65536);
    length += 65536;
    length += (size_t)sprintf(body + length, "\r\n400;chunk-signature=%s\r\n", second);
    memset(body + length, 'a', 1024);
    length += 1024;
    length += (size_t)sprintf(body + length, "\r\n0;chunk-signature=%s\r\n%s", last, end);
    return (struct lst_slice){body, length};
}

static struct lst_slice signed_example(const char *end)
{
    return example("ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
                   "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
                   "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9", end);
}

static struct lst_slice trailer_example(const char *end)
{
    return example("b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
                   "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
                   "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992", end);
}

static struct lst_stream begin_signed(void)
{
    return begin(LST_PAYLOAD_STREAM_SIGNED, seed, DATA_LENGTH, "");
}

static struct lst_stream begin_trailer(void)
{
    return begin(LST_PAYLOAD_STREAM_SIGNED_TRAILER, trailer_seed, DATA_LENGTH,
                 "x-amz-checksum-crc32c");
}

/* Cut at every place that is not deep inside the data, copying the decoder at the cut. */
static bool any_split_is_whole(struct lst_stream stream, struct lst_slice input)
{
    struct lst_stream first = stream;
    struct outcome before = {.same = true};

    for (size_t at = 0; at <= input.length; at++) {
        bool deep = at > 300 && at < 65536;

        if (!deep) {
            struct lst_stream second = first;
            struct outcome after = before;

            feed(&second, (struct lst_slice){input.bytes + at, input.length - at}, &after);
            if (!is_whole(finish(&second, after), DATA_LENGTH)) {
                printf("# split at %zu\n", at);
                return false;
            }
        }
        if (at < input.length) {
            feed(&first, (struct lst_slice){input.bytes + at, 1}, &before);
        }
    }
    return true;
}

/* Every byte of framing and some of the data, with one bit changed. */
static bool every_change_is_refused(struct lst_stream stream, struct lst_slice input)
{
    struct lst_stream first = stream;
    struct outcome before = {.same = true};

    for (size_t at = 0; at < input.length; at++) {
        bool deep = at > 200 && at < 65536 && at % 8192 != 0;
        char *byte = body + at;

        for (int bit = 0; !deep && bit < 8; bit++) {
            struct lst_stream second = first;
            struct outcome after = before;

            *byte = (char)(*byte ^ (1 << bit));
            feed(&second, (struct lst_slice){input.bytes + at, input.length - at}, &after);
            *byte = (char)(*byte ^ (1 << bit));
            if (finish(&second, after).error == LST_OK) {
                printf("# byte %zu, bit %d\n", at, bit);
                return false;
            }
        }
        feed(&first, (struct lst_slice){input.bytes + at, 1}, &before);
    }
    return true;
}

/* Every body that ends early, but for the last CR LF. */
static bool every_prefix_is_too_short(struct lst_stream stream, struct lst_slice input)
{
    struct outcome outcome = {.same = true};

    for (size_t at = 0; at + 2 < input.length; at++) {
        if (lst_stream_finish(&stream) != LST_REFUSED_BODY_TOO_SHORT) {
            printf("# prefix of %zu\n", at);
            return false;
        }
        feed(&stream, (struct lst_slice){input.bytes + at, 1}, &outcome);
    }
    return outcome.error == LST_OK;
}

static void test_signed(void)
{
    struct lst_slice input = signed_example("\r\n");

    CHECK(is_whole(decode(begin_signed(), input, input.length), DATA_LENGTH),
          "AWS's example of a signed stream is whole, fed in one piece");
    CHECK(is_whole(decode(begin_signed(), input, 1), DATA_LENGTH), "byte by byte");
    CHECK(is_whole(decode(begin_signed(), input, 7), DATA_LENGTH), "seven bytes at a time");
    CHECK(any_split_is_whole(begin_signed(), input), "cut in two anywhere");
    CHECK(every_change_is_refused(begin_signed(), input), "any changed bit is refused");
    CHECK(every_prefix_is_too_short(begin_signed(), input), "any early end is refused");
    input = signed_example("");
    CHECK(is_whole(decode(begin_signed(), input, input.length), DATA_LENGTH),
          "the CR LF after the last chunk may be missing");
    input = signed_example("\r\nx");
    CHECK(decode(begin_signed(), input, 100).error == LST_REFUSED_BODY_TOO_LONG,
          "nothing may follow the end");
    input = signed_example("x");
    CHECK(decode(begin_signed(), input, 100).error == LST_REFUSED_CHUNK_MALFORMED,
          "nothing but CR LF may follow the last chunk");
}

static void test_lengths(void)
{
    struct lst_slice input = signed_example("\r\n");

    CHECK(decode(begin(LST_PAYLOAD_STREAM_SIGNED, seed, DATA_LENGTH - 1, ""), input, 100).error ==
              LST_REFUSED_BODY_TOO_LONG,
          "a body longer than its declared length is refused");
    CHECK(decode(begin(LST_PAYLOAD_STREAM_SIGNED, seed, DATA_LENGTH + 1, ""), input, 100).error ==
              LST_REFUSED_BODY_TOO_SHORT,
          "a body shorter than its declared length is refused");
    CHECK(
        decode(begin(LST_PAYLOAD_STREAM_SIGNED, trailer_seed, DATA_LENGTH, ""), input, 100).error ==
            LST_REFUSED_CHUNK_SIGNATURE,
        "chunks signed after another request's signature are refused");
}

static void test_signed_trailer(void)
{
    static const char *const ends[] = {
        "x-amz-checksum-crc32c:sOO8/Q==\n\r\nx-amz-trailer-signature:" TRAILER_SIGNATURE "\r\n\r\n",
        "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:" TRAILER_SIGNATURE "\r\n\r\n",
        "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:" TRAILER_SIGNATURE "\r\n",
    };

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct lst_slice input = trailer_example(ends[i]);

        CHECK(is_whole(decode(begin_trailer(), input, input.length), DATA_LENGTH),
              "AWS's example with a trailer is whole, line ends %zu", i);
        CHECK(is_whole(decode(begin_trailer(), input, 1), DATA_LENGTH), "byte by byte");
        CHECK(any_split_is_whole(begin_trailer(), input), "cut in two anywhere");
    }
}

/* Values may be padded and names in any case without a change of meaning; all else is refused. */
static void test_trailer_changes(void)
{
    struct lst_slice input = trailer_example(
        "X-Amz-Checksum-CRC32C:  sOO8/Q== \r\nX-Amz-Trailer-Signature:" TRAILER_SIGNATURE
        "\r\n\r\n");
    struct lst_stream stream = begin_trailer();
    struct outcome outcome = {.same = true};
    struct lst_field field;

    feed(&stream, input, &outcome);
    CHECK(is_whole(finish(&stream, outcome), DATA_LENGTH), "names in any case, values padded");
    CHECK(lst_stream_trailer_count(&stream) == 1, "the signature is not counted as a trailer");
    field = lst_stream_trailer(&stream, 0);
    CHECK_TEXT(field.name.bytes, field.name.length, "x-amz-checksum-crc32c", "its name");
    CHECK_TEXT(field.value.bytes, field.value.length, "sOO8/Q==", "its value");
    CHECK(lst_stream_trailer(&stream, 1).name.length == 0, "there is no second");

    static const struct {
        const char *end;
        int error;
    } cases[] = {
        {"x-amz-checksum-crc32c:sOO9/Q==\r\nx-amz-trailer-signature:" TRAILER_SIGNATURE "\r\n",
         LST_REFUSED_TRAILER_SIGNATURE},
        {"x-amz-checksum-crc32c:sOO8/Q==\r\n\r\n", LST_REFUSED_TRAILER_SIGNATURE},
        {"x-amz-trailer-signature:" TRAILER_SIGNATURE "\r\n", LST_REFUSED_TRAILER_SIGNATURE},
        {"x-amz-checksum-crc32:sOO8/Q==\r\n", LST_REFUSED_TRAILER_UNEXPECTED},
        {"x-amz-checksum-crc32c:a\r\nx-amz-checksum-crc32c:a\r\n", LST_REFUSED_TRAILER_UNEXPECTED},
        {"\n\r\n", LST_REFUSED_TRAILER_MALFORMED},
        {"x-amz-checksum-crc32c\r\n", LST_REFUSED_TRAILER_MALFORMED},
        {":x\r\n", LST_REFUSED_TRAILER_MALFORMED},
        {"x-amz-checksum-crc32c:a\rb\r\n", LST_REFUSED_TRAILER_MALFORMED},
        {"x-amz-checksum-crc32c:sOO8/Q==\nx", LST_REFUSED_TRAILER_MALFORMED},
        {"x-amz-checksum-crc32c:sOO8/Q==\n\rx", LST_REFUSED_TRAILER_MALFORMED},
        {"x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:" TRAILER_SIGNATURE "\r\nx",
         LST_REFUSED_TRAILER_MALFORMED},
        {"x-amz-checksum-crc32c:sOO8/Q==\r\n", LST_REFUSED_BODY_TOO_SHORT},
        {"", LST_REFUSED_BODY_TOO_SHORT},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int error = decode(begin_trailer(), trailer_example(cases[i].end), 1000).error;

        CHECK(error == cases[i].error, "trailer %zu is refused with %d: %d", i, cases[i].error,
              error);
    }
    input = trailer_example(
        "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:" TRAILER_SIGNATURE "\r\n\r\n");
    CHECK(every_prefix_is_too_short(begin_trailer(), input), "any early end is refused");
}

/* Letter case in the names of trailers is of no meaning; every other bit is. */
static void test_trailer_bits(void)
{
    struct lst_slice input = trailer_example(
        "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:" TRAILER_SIGNATURE "\r\n\r\n");
    size_t names = input.length -
                   strlen("x-amz-checksum-crc32c:sOO8/Q==\r\n"
                          "x-amz-trailer-signature:\r\n\r\n") -
                   64;
    bool right = true;

    for (size_t at = names; at < input.length; at++) {
        for (int bit = 0; bit < 8; bit++) {
            char old = body[at];
            bool letter = (old >= 'a' && old <= 'z') && body[at - 1] != '8';

            body[at] = (char)(old ^ (1 << bit));
            int error = decode(begin_trailer(), input, input.length).error;
            body[at] = old;
            bool in_name = at < names + 21 || (at > names + 31 && at < names + 32 + 24);
            if (error == LST_OK && !(bit == 5 && letter && in_name)) {
                printf("# byte %zu ('%c'), bit %d\n", at - names, old, bit);
                right = false;
            }
        }
    }
    CHECK(right, "any changed bit of the trailers is refused, but for the case of a name");
}

static void test_sign_chunk(void)
{
    /* SHA-256 of 65536 times 'a', as AWS's example has it. */
    static const uint8_t sha256[32] = {0xbf, 0x71, 0x8b, 0x6f, 0x65, 0x3b, 0xeb, 0xc1,
                                       0x84, 0xe1, 0x47, 0x9f, 0x19, 0x35, 0xb8, 0xda,
                                       0x97, 0x4d, 0x70, 0x1b, 0x89, 0x3a, 0xfc, 0xf4,
                                       0x9e, 0x70, 0x1f, 0x3e, 0x2f, 0x9f, 0x9c, 0x5a};
    char signature[LST_SIGNATURE_LENGTH];

    CHECK(lst_stream_sign_chunk(&key, when, lst_slice_of(seed), sha256, signature) == LST_OK,
          "a chunk can be signed");
    CHECK_TEXT(signature, sizeof(signature),
               "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
               "and has the signature of AWS's example");
}

int main(void)
{
    set_up();
    test_signed();
    test_lengths();
    test_signed_trailer();
    test_trailer_changes();
    test_trailer_bits();
    test_sign_chunk();
    return tap_done();
}
