/* chunked_test.c - bodies in chunks: each whole, in place, and cut at every two places. */
#include "http/chunked.h"

#include "tap.h"

#include <stdlib.h>

#define ROOM 256

struct outcome {
    enum lst_chunked_verdict verdict;
    char data[1024];
    size_t length;
    size_t taken;
    char trailers[512];
};

static void take(struct lst_chunked *chunked, const char *bytes, size_t length,
                 struct outcome *outcome)
{
    struct lst_slice rest = lst_slice_make(bytes, length);
    struct lst_slice data;

    while ((outcome->verdict = lst_chunked_next(chunked, &rest, &data)) == LST_CHUNKED_DATA) {
        memcpy(outcome->data + outcome->length, data.bytes, data.length);
        outcome->length += data.length;
    }
    outcome->taken += length - rest.length;
}

static void describe(const struct lst_chunked *chunked, struct outcome *outcome)
{
    struct lst_field fields[4];
    size_t count = lst_chunked_trailers(chunked, fields, 4);
    size_t used = 0;

    for (size_t i = 0; i < count && i < 4; i++) {
        used += (size_t)snprintf(outcome->trailers + used, sizeof(outcome->trailers) - used,
                                 "[%.*s=%.*s]", (int)fields[i].name.length, fields[i].name.bytes,
                                 (int)fields[i].value.length, fields[i].value.bytes);
    }
}

static void read_cut(const char *text, size_t length, size_t first, size_t second,
                     struct outcome *outcome)
{
    struct lst_chunked chunked;
    char room[ROOM];

    memset(outcome, 0, sizeof(*outcome));
    lst_chunked_begin(&chunked, room, sizeof(room));
    take(&chunked, text, first, outcome);
    take(&chunked, text + first, second - first, outcome);
    take(&chunked, text + second, length - second, outcome);
    describe(&chunked, outcome);
}

static bool is_same(const struct outcome *a, const struct outcome *b)
{
    return a->verdict == b->verdict && a->length == b->length && a->taken == b->taken &&
           memcmp(a->data, b->data, a->length) == 0 && strcmp(a->trailers, b->trailers) == 0;
}

static void check_body(const char *text, size_t length, enum lst_chunked_verdict verdict,
                       const char *data, const char *trailers)
{
    struct outcome whole;
    struct outcome cut;
    bool same = true;

    read_cut(text, length, length, length, &whole);
    CHECK(whole.verdict == verdict, "%.40s: the verdict is %d, wanted %d", text, (int)whole.verdict,
          (int)verdict);
    if (verdict != LST_CHUNKED_MALFORMED && verdict != LST_CHUNKED_TOO_LARGE) {
        CHECK_TEXT(whole.data, whole.length, data, "its data");
        CHECK_TEXT(whole.trailers, strlen(whole.trailers), trailers, "its trailers");
    }
    for (size_t first = 0; first <= length && same; first++) {
        for (size_t second = first; second <= length && same; second++) {
            read_cut(text, length, first, second, &cut);
            same = is_same(&whole, &cut);
        }
    }
    CHECK(same, "the same however it is cut");
}
#define GOOD(text, data, trailers)                                                                 \
    check_body((text), sizeof(text) - 1, LST_CHUNKED_COMPLETE, (data), (trailers))
#define BAD(text) check_body((text), sizeof(text) - 1, LST_CHUNKED_MALFORMED, "", "")

static void test_good(void)
{
    GOOD("0\r\n\r\n", "", "");
    GOOD("5\r\nhello\r\n0\r\n\r\n", "hello", "");
    GOOD("1\r\nh\r\n4\r\nello\r\n0\r\n\r\n", "hello", "");
    GOOD("0000A\r\n0123456789\r\n000\r\n\r\n", "0123456789", "");
    GOOD("a\r\n\r\n0\r\n\r\nabc\r\n0\r\n\r\n", "\r\n0\r\n\r\nabc", "");
    GOOD("5;a\r\nhello\r\n0;b=c;d=\"e;\\\" f\"\r\n\r\n", "hello", "");
    GOOD("0\r\nA: b\r\nC:\r\nd-e:\tf g \r\n\r\n", "", "[A=b][C=][d-e=f g]");
    check_body("5\r\nhel", 6, LST_CHUNKED_MORE, "hel", "");
    check_body("0\r\n\r", 4, LST_CHUNKED_MORE, "", "");
}

static void test_the_next_request_is_left_alone(void)
{
    static const char text[] = "1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n";
    struct outcome outcome;

    read_cut(text, sizeof(text) - 1, 3, 4, &outcome);
    CHECK(outcome.verdict == LST_CHUNKED_COMPLETE && outcome.taken == 11, "11 bytes were taken");
}

static void test_bad(void)
{
    BAD("\r\n");
    BAD("g\r\n");
    BAD("-5\r\nhello\r\n");
    BAD("+5\r\nhello\r\n");
    BAD("0x5\r\nhello\r\n");
    BAD(" 5\r\nhello\r\n");
    BAD("5 \r\nhello\r\n");
    BAD("5 ;a\r\nhello\r\n");
    BAD("5; a\r\nhello\r\n");
    BAD("5;a =b\r\nhello\r\n");
    BAD("5;a= b\r\nhello\r\n");
    BAD("5;\r\nhello\r\n");
    BAD("5;=b\r\nhello\r\n");
    BAD("5;a=\r\nhello\r\n");
    BAD("5;a=\"b\r\nhello\r\n");
    BAD("5;a=\"b\"c\r\nhello\r\n");
    BAD("5;a=\"\nb\"\r\nhello\r\n");
    BAD("5\nhello\r\n");
    BAD("5;a\nhello\r\n");
    BAD("5\rhello\r\n");
    BAD("5\r\r\nhello\r\n");
    BAD("5\0\r\nhello\r\n");
    BAD("5,5\r\nhello\r\n");
    BAD("5.0\r\nhello\r\n");
    BAD("5_0\r\nhello\r\n");
    BAD("5\r\nhelloX\r\n");
    BAD("5\r\nhello\n0\r\n\r\n");
    BAD("5\r\nhello\r0\r\n\r\n");
    BAD("5\r\nhello0\r\n\r\n");
    BAD("5\r\nhello\r\n0\r\n\n");
    BAD("5\r\nhello\r\n0\n\n");
    BAD("5\r\nhello\r\n0\r\n\rX");
    BAD("8000000000000000\r\n");
    BAD("fffffffffffffffff\r\n");
    BAD("10000000000000005\r\nhello\r\n");
    BAD("0\r\nno colon\r\n\r\n");
    BAD("0\r\n: b\r\n\r\n");
    BAD("0\r\nA : b\r\n\r\n");
    BAD("0\r\nA: b\n\r\n");
    BAD("0\r\nA: b\rc\r\n\r\n");
    BAD("0\r\nA: b\0c\r\n\r\n");
    BAD("0\r\n A: b\r\n\r\n");
    BAD("0\r\nA: b\r\n c\r\n\r\n");
}

/* So often the piece between two others. */
static enum lst_chunked_verdict read_repeated(const char *begin, const char *piece, size_t count,
                                              const char *last)
{
    struct lst_chunked chunked;
    enum lst_chunked_verdict verdict = LST_CHUNKED_MORE;
    struct lst_slice data;

    lst_chunked_begin(&chunked, NULL, 0);
    for (size_t i = 0; i < count + 2; i++) {
        const char *text = i == 0 ? begin : i <= count ? piece : last;
        struct lst_slice rest = lst_slice_make(text, strlen(text));

        do {
            verdict = lst_chunked_next(&chunked, &rest, &data);
        } while (verdict == LST_CHUNKED_DATA);
    }
    return verdict;
}

static void test_limits(void)
{
    CHECK(read_repeated("1;", "a", 509, "\r\nx\r\n0\r\n\r\n") == LST_CHUNKED_COMPLETE,
          "an extension that fits");
    CHECK(read_repeated("1;", "a", 510, "\r\nx\r\n0\r\n\r\n") == LST_CHUNKED_TOO_LARGE,
          "one that does not");
    CHECK(read_repeated("1", "0", 600, "\r\n") == LST_CHUNKED_MALFORMED, "a size with many digits");
    CHECK(read_repeated("0", "0", 600, "\r\n\r\n") == LST_CHUNKED_TOO_LARGE, "very many zeros");
    CHECK(read_repeated("", "1;abc\r\nx\r\n", 3000, "0\r\n\r\n") == LST_CHUNKED_COMPLETE,
          "3,000 small extensions");
    CHECK(read_repeated("", "1;abc\r\nx\r\n", 5000, "0\r\n\r\n") == LST_CHUNKED_TOO_LARGE,
          "5,000 of them");
    CHECK(read_repeated("", "1\r\nx\r\n", 100000, "0\r\n\r\n") == LST_CHUNKED_COMPLETE,
          "100,000 small chunks");
    CHECK(read_repeated("0\r\n", "A: b\r\n", 32, "\r\n") == LST_CHUNKED_COMPLETE, "32 trailers");
    CHECK(read_repeated("0\r\n", "A: b\r\n", 33, "\r\n") == LST_CHUNKED_TOO_LARGE, "33 trailers");
    CHECK(read_repeated("0\r\nA: ", "b", 9000, "\r\n\r\n") == LST_CHUNKED_TOO_LARGE,
          "a large trailer");
}

static void test_in_place(void)
{
    char block[] = "2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nA: b\r\n\r\nGET";
    struct lst_chunked chunked;
    size_t length;
    size_t taken;

    lst_chunked_begin(&chunked, NULL, 0);
    CHECK(lst_chunked_decode(&chunked, block, sizeof(block) - 1, &length, &taken) ==
              LST_CHUNKED_COMPLETE,
          "decoded in place");
    CHECK_TEXT(block, length, "hello", "what it means");
    CHECK_TEXT(block + taken, sizeof(block) - 1 - taken, "GET", "what is left");
    CHECK(lst_chunked_trailers(&chunked, NULL, 0) == 0, "no room, no trailers");
}

/* A line that does not fit is left out whole; those behind it that fit are kept. */
static void test_little_room(void)
{
    struct lst_slice rest = LST_SLICE("0\r\nA: b\r\nLong: 123456789\r\nC: d\r\n\r\n");
    struct lst_slice data;
    struct lst_chunked chunked;
    struct lst_field fields[4];
    char room[12];

    lst_chunked_begin(&chunked, room, sizeof(room));
    CHECK(lst_chunked_next(&chunked, &rest, &data) == LST_CHUNKED_COMPLETE, "complete");
    CHECK(lst_chunked_trailers(&chunked, fields, 4) == 2, "two lines fit");
    CHECK_TEXT(fields[1].name.bytes, fields[1].name.length, "C", "the second of them");
}

int main(void)
{
    test_good();
    test_the_next_request_is_left_alone();
    test_bad();
    test_limits();
    test_in_place();
    test_little_room();
    return tap_done();
}
