/* stream_format_test.c - streamed bodies: the forms that chunks and trailers may have. */
#include "guard_page.h"
#include "stream_decoding.h"

static int decode_text(enum lst_payload payload, const char *signature, uint64_t length,
                       const char *trailers, const char *text)
{
    struct outcome whole =
        decode(begin(payload, signature, length, trailers), lst_slice_of(text), 1 << 20);
    struct outcome bytes =
        decode(begin(payload, signature, length, trailers), lst_slice_of(text), 1);

    if (whole.error != bytes.error || whole.ended != bytes.ended || whole.total != bytes.total) {
        abort();
    }
    return whole.error;
}

static int unsigned_text(uint64_t length, const char *trailers, const char *text)
{
    return decode_text(LST_PAYLOAD_STREAM_UNSIGNED_TRAILER, seed, length, trailers, text);
}

static void test_unsigned(void)
{
    static const struct {
        const char *what;
        uint64_t length;
        const char *trailers;
        const char *text;
        int error;
    } cases[] = {
        {"botocore's stream", 3, "x-amz-checksum-crc32",
         "3\r\naaa\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", LST_OK},
        {"minio-go's stream", 3, "x-amz-checksum-crc32",
         "3\r\naaa\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\n\r\n\r\n", LST_OK},
        {"a stream without trailers", 3, "", "3\r\naaa\r\n0\r\n\r\n", LST_OK},
        {"an empty body", 0, "", "0\r\n\r\n", LST_OK},
        {"chunk extensions", 3, "", "3;a=b;c\r\naaa\r\n0;x\r\n\r\n", LST_OK},
        {"zeros in front", 16, "", "0000000000000010\r\naaaaaaaaaaaaaaaa\r\n0\r\n\r\n", LST_OK},
        {"hexadecimal digits", 10, "", "00a\r\naaaaaaaaaa\r\n0\r\n\r\n", LST_OK},
        {"in both cases", 10, "", "A\r\naaaaaaaaaa\r\n0\r\n\r\n", LST_OK},
        {"a small chunk before another", 26, "", "a\r\naaaaaaaaaa\r\n10\r\naaaaaaaaaaaaaaaa\r\n",
         LST_REFUSED_CHUNK_TOO_SMALL},
        {"two trailers", 1, " x-amz-a , x-amz-b", "1\r\na\r\n0\r\nx-amz-b:1\r\nX-Amz-A:2\r\n\r\n",
         LST_OK},
        {"a missing trailer", 1, "x-amz-a,x-amz-b", "1\r\na\r\n0\r\nx-amz-b:1\r\n\r\n",
         LST_REFUSED_TRAILER_UNEXPECTED},
        {"a trailer that was not announced", 1, "", "1\r\na\r\n0\r\nx-amz-b:1\r\n\r\n",
         LST_REFUSED_TRAILER_UNEXPECTED},
        {"a signature among unsigned trailers", 1, "",
         "1\r\na\r\n0\r\nx-amz-trailer-signature:" TRAILER_SIGNATURE "\r\n\r\n",
         LST_REFUSED_TRAILER_UNEXPECTED},
        {"bytes after the end", 0, "", "0\r\n\r\n\r\n", LST_REFUSED_BODY_TOO_LONG},
        {"no end", 0, "", "0\r\n", LST_REFUSED_BODY_TOO_SHORT},
        {"no bytes", 0, "", "", LST_REFUSED_BODY_TOO_SHORT},
        {"a chunk too long", 2, "", "3\r\n", LST_REFUSED_BODY_TOO_LONG},
        {"an end too early", 2, "", "1\r\na\r\n0\r\n", LST_REFUSED_BODY_TOO_SHORT},
        {"a chunk of 2^64 bytes and more", 2, "", "10000000000000001\r\n",
         LST_REFUSED_CHUNK_MALFORMED},
        {"the largest chunk", 2, "", "ffffffffffffffff\r\n", LST_REFUSED_BODY_TOO_LONG},
        {"no size", 2, "", "\r\n", LST_REFUSED_CHUNK_MALFORMED},
        {"a sign", 2, "", "+2\r\n", LST_REFUSED_CHUNK_MALFORMED},
        {"a space before the size", 2, "", " 2\r\n", LST_REFUSED_CHUNK_MALFORMED},
        {"a prefix", 2, "", "0x2\r\n", LST_REFUSED_CHUNK_MALFORMED},
        {"a bare LF", 2, "", "2\naa", LST_REFUSED_CHUNK_MALFORMED},
        {"no CR LF after the data", 2, "", "2\r\naaa", LST_REFUSED_CHUNK_MALFORMED},
        {"no LF after the data", 2, "", "2\r\naa\ra", LST_REFUSED_CHUNK_MALFORMED},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int error = unsigned_text(cases[i].length, cases[i].trailers, cases[i].text);

        CHECK(error == cases[i].error, "%s: %d (%d)", cases[i].what, cases[i].error, error);
    }
}

static void test_limits(void)
{
    char text[4096];
    size_t length = (size_t)sprintf(text, "1;");

    memset(text + length, 'x', 1000);
    sprintf(text + length + 1000, "\r\na\r\n0\r\n\r\n");
    CHECK(unsigned_text(1, "", text) == LST_REFUSED_CHUNK_MALFORMED,
          "a chunk header that is too long");
    length = (size_t)sprintf(text, "0\r\nx-amz-a:");
    memset(text + length, 'x', 2000);
    sprintf(text + length + 2000, "\r\n\r\n");
    CHECK(unsigned_text(0, "x-amz-a", text) == LST_REFUSED_TRAILER_MALFORMED,
          "a trailer that is too long");
    CHECK(
        unsigned_text(0, "a,b,c,d,e,f,g,h,i",
                      "0\r\na:1\r\nb:1\r\nc:1\r\nd:1\r\ne:1\r\nf:1\r\ng:1\r\nh:1\r\ni:1\r\n\r\n") ==
            LST_REFUSED_TRAILER_UNEXPECTED,
        "more than LST_TRAILERS_MAX trailers");
}

static void test_refused_for_good(void)
{
    struct lst_stream stream = begin(LST_PAYLOAD_STREAM_UNSIGNED_TRAILER, seed, 3, "");
    enum lst_stream_event event;
    struct lst_slice data;
    size_t consumed;

    CHECK(lst_stream_decode(&stream, LST_SLICE("x"), &consumed, &event, &data) == LST_OK &&
              consumed == 1 && event == LST_STREAM_NEED_MORE,
          "half a line is taken");
    CHECK(lst_stream_decode(&stream, LST_SLICE("\r\n"), &consumed, &event, &data) ==
              LST_REFUSED_CHUNK_MALFORMED,
          "a malformed chunk is refused");
    CHECK(lst_stream_decode(&stream, LST_SLICE("3\r\n"), &consumed, &event, &data) ==
              LST_REFUSED_CHUNK_MALFORMED,
          "and stays refused");
    CHECK(lst_stream_finish(&stream) == LST_REFUSED_CHUNK_MALFORMED, "also at the end");
}

static void test_arguments(void)
{
    struct lst_stream stream;
    struct lst_auth auth;
    char signature[LST_SIGNATURE_LENGTH];
    uint8_t sha256[32] = {0};

    memset(&auth, 0, sizeof(auth));
    auth.payload = LST_PAYLOAD_SHA256;
    auth.signature = lst_slice_of(seed);
    CHECK(lst_stream_init(&stream, &auth, &key, 0, lst_slice_of("")) == LST_ERR_INVALID_ARGUMENT,
          "a body with one hash is no stream");
    CHECK(lst_stream_sign_chunk(&key, when, LST_SLICE("abc"), sha256, signature) ==
              LST_ERR_INVALID_ARGUMENT,
          "a chunk is signed after a whole signature only");
}

/* Cut in two anywhere, both pieces laid against a page that can't be read. */
static void test_guard_page(void)
{
    static const char text[] = "3;a=b\r\naaa\r\n0\r\nx-amz-a:1\n\r\n\r\n";
    size_t length = sizeof(text) - 1;
    struct guard guard = guard_open();
    bool right = true;

    for (size_t cut = 0; cut <= length; cut++) {
        struct lst_stream stream = begin(LST_PAYLOAD_STREAM_UNSIGNED_TRAILER, seed, 3, "x-amz-a");
        struct outcome outcome = {.same = true};

        feed(&stream, guard_text(guard, (struct lst_slice){text, cut}), &outcome);
        feed(&stream, guard_text(guard, (struct lst_slice){text + cut, length - cut}), &outcome);
        right = right && is_whole(finish(&stream, outcome), 3);
    }
    CHECK(right, "a body cut anywhere is whole, and nothing is read past a piece");
    guard_close(guard);
}

int main(void)
{
    set_up();
    test_unsigned();
    test_limits();
    test_refused_for_good();
    test_arguments();
    test_guard_page();
    return tap_done();
}
