/* stream_test.c - aws-chunked uploads, as SDKs send them. */
#include "fixture.h"

#define TRAILER_HEADERS                                                                            \
    {                                                                                              \
        FIELD("Content-Encoding", "aws-chunked"), FIELD("x-amz-trailer", "x-amz-checksum-crc32"),  \
            FIELD("x-amz-decoded-content-length", "5")                                             \
    }

static const struct call trailing = {.method = "PUT",
                                     .bucket = "photos",
                                     .key = "a",
                                     .headers = TRAILER_HEADERS,
                                     .how = SIGNED_HEADER,
                                     .payload_hash = "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                                     .has_body = true};

static void check_object(struct world *world, const char *want, const char *what)
{
    struct call get = {.method = "GET", .bucket = "photos", .key = "a"};
    struct reply reply = expect(world, &get, 200, "", what);

    CHECK_TEXT(reply.body, reply.body_length, want, "without the framing");
    CHECK(strstr(reply.headers, "aws-chunked") == NULL, "nor its name");
    reply_release(&reply);
}

static void test_unsigned_trailer(struct world *world)
{
    struct call put = trailing;

    put.body = LST_SLICE("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n");
    for (put.piece = 1; put.piece < 4; put.piece++) {
        struct reply reply = expect(world, &put, 200, "", "a body with a checksum in its trailer");
        CHECK(reply_has(&reply, "x-amz-checksum-crc32: NhCmhg==\n"), "which is echoed");
        reply_release(&reply);
    }
    check_object(world, "hello", "is stored");
    put.body = LST_SLICE("5\r\nhellO\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n");
    expect_only(world, &put, 400, "BadDigest", "one that is not of the body is refused");
    put.body = LST_SLICE("5\r\nhello\r\n0\r\n\r\n");
    expect_only(world, &put, 400, "MalformedTrailerError", "one that does not come is refused");
    put.body = LST_SLICE("4\r\nhell\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n");
    expect_only(world, &put, 400, "IncompleteBody", "as is a body that is too short");
    put.body = LST_SLICE("5\r\nhello\r\n");
    expect_only(world, &put, 400, "IncompleteBody", "or that ends early");
    check_object(world, "hello", "nothing of it was stored");
    put.headers[2] = (struct lst_field)FIELD("x-amz-meta-a", "b");
    expect_only(world, &put, 411, "MissingContentLength", "the length must be told");
    put = trailing;
    put.headers[1] = (struct lst_field)FIELD("x-amz-trailer", "x-amz-meta-colour");
    expect_only(world, &put, 400, "InvalidRequest", "other trailers are refused");
    put = trailing;
    put.payload_hash = NULL;
    put.body = LST_SLICE("hello");
    put.headers[0] = (struct lst_field)FIELD("x-amz-meta-a", "b");
    expect_only(world, &put, 400, "InvalidRequest", "as is a trailer where there can be none");
}

static void test_signed_chunks(struct world *world)
{
    struct call put = {.method = "PUT",
                       .bucket = "photos",
                       .key = "a",
                       .headers = {FIELD("Content-Encoding", "gzip,aws-chunked"),
                                   FIELD("x-amz-decoded-content-length", "11")},
                       .how = SIGNED_HEADER,
                       .payload_hash = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
                       .body = LST_SLICE("hello world"),
                       .has_body = true,
                       .sign_chunks = true,
                       .piece = 7};
    struct call get = {.method = "GET", .bucket = "photos", .key = "a"};

    expect_only(world, &put, 200, "", "signed chunks");
    check_object(world, "hello world", "are stored");
    struct reply reply = expect(world, &get, 200, "", "and");
    CHECK(reply_has(&reply, "Content-Encoding: gzip\n"), "keep the encoding of the object");
    reply_release(&reply);
    put.spoil_chunk = true;
    expect_only(world, &put, 403, "SignatureDoesNotMatch", "a chunk that was changed is refused");
    check_object(world, "hello world", "the old object stays");
}

static void test_limit(struct world *world)
{
    struct call put = trailing;

    put.headers[2] = (struct lst_field)FIELD("x-amz-decoded-content-length", "5368709121");
    struct reply reply = expect(world, &put, 400, "EntityTooLarge", "more than 5 GiB");
    CHECK(!reply.body_wanted && reply_has(&reply, "<ProposedSize>5368709121</ProposedSize>") &&
              reply_has(&reply, "<MaxSizeAllowed>5368709120</MaxSizeAllowed>"),
          "are refused before they are sent");
    reply_release(&reply);
}

int main(void)
{
    struct world world;

    world_open(&world, NULL, 0);
    make_bucket(&world, "photos");
    test_unsigned_trailer(&world);
    test_signed_chunks(&world);
    test_limit(&world);
    world_close(&world);
    return tap_done();
}
