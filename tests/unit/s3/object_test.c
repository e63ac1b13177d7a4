/* object_test.c - PutObject, GetObject, HeadObject and DeleteObject, from signed request to
 * answer. */
#include "fixture.h"

static void test_round_trip(struct world *world)
{
    struct call put = {.method = "PUT",
                       .bucket = "photos",
                       .key = "a b/\xC3\xA9+.txt",
                       .headers = {FIELD("Content-Type", "text/plain"),
                                   FIELD("X-Amz-Meta-Who", "me"),
                                   FIELD("Cache-Control", "no-store")},
                       .body = LST_SLICE("hello"),
                       .has_body = true};
    struct call get = {.method = "GET", .bucket = "photos", .key = put.key};
    struct reply reply = expect(world, &put, 200, "", "a presigned PUT is stored");

    CHECK(reply_has(&reply, "ETag: \"5d41402abc4b2a76b9719d911017c592\""), "with the MD5 as ETag");
    reply_release(&reply);
    reply = expect(world, &get, 200, "", "a presigned GET gives it back");
    CHECK_TEXT(reply.body, reply.body_length, "hello", "byte for byte");
    CHECK(reply_has(&reply, "Content-Type: text/plain\n"), "with its type");
    CHECK(reply_has(&reply, "x-amz-meta-who: me\n"), "its metadata, in lower case");
    CHECK(reply_has(&reply, "Cache-Control: no-store\n"), "and its other headers");
    CHECK(reply_has(&reply, "Accept-Ranges: bytes\n"), "it can be had in ranges");
    CHECK(reply_has(&reply, "x-amz-request-id: 0123456789ABCDEF\n"), "the request has an id");
    reply_release(&reply);
    get.method = "HEAD";
    reply = expect(world, &get, 200, "", "HEAD tells the same");
    CHECK(reply.kind == LST_BODY_LENGTH && reply.length == 5, "with the length and no body");
    reply_release(&reply);
    get.method = "DELETE";
    expect_only(world, &get, 204, "", "it is deleted");
    expect_only(world, &get, 204, "", "deleting it again is no error");
    get.method = "GET";
    reply = expect(world, &get, 404, "NoSuchKey", "it is gone");
    CHECK(reply_has(&reply, "<Key>a b/\xC3\xA9+.txt</Key>"), "the error names the key");
    CHECK(reply_has(&reply, "Content-Type: application/xml\n"), "the error is XML");
    CHECK(!reply_has(&reply, "<Resource>"), "and no path, as at AWS");
    reply_release(&reply);
    get.method = "HEAD";
    reply = expect(world, &get, 404, "NoSuchKey", "HEAD says so too");
    CHECK(reply.body_length == 0 && reply.kind == LST_BODY_NONE, "without a body");
    reply_release(&reply);
}

static void test_large(struct world *world)
{
    size_t length = 300000;
    char *bytes = malloc(length);
    for (size_t i = 0; i < length; i++) {
        bytes[i] = (char)(i * 7 + i / 251);
    }
    struct call put = {.method = "PUT",
                       .bucket = "photos",
                       .key = "large",
                       .body = lst_slice_make(bytes, length),
                       .has_body = true,
                       .piece = 10007};
    struct call get = {.method = "GET",
                       .bucket = "photos",
                       .key = "large",
                       .unsigned_headers = {FIELD("Range", "bytes=100000-199999")}};

    expect_only(world, &put, 200, "", "a large object is stored in pieces");
    struct reply reply = expect(world, &get, 206, "", "a range of it is sent");
    CHECK(reply.kind == LST_BODY_FILE && reply.body_length == 100000 &&
              memcmp(reply.body, bytes + 100000, 100000) == 0,
          "from the file, the bytes that were asked for");
    CHECK(reply_has(&reply, "Content-Range: bytes 100000-199999/300000\n"), "and says which");
    reply_release(&reply);
    free(bytes);
}

static void test_ranges_and_conditions(struct world *world)
{
    struct call get = {.method = "GET", .bucket = "photos", .key = "ten"};

    put_text(world, "photos", "ten", "0123456789");
    get.unsigned_headers[0] = (struct lst_field)FIELD("Range", "bytes=-3");
    struct reply reply = expect(world, &get, 206, "", "the last bytes are sent");
    CHECK_TEXT(reply.body, reply.body_length, "789", "those that were asked for");
    reply_release(&reply);
    get.unsigned_headers[0] = (struct lst_field)FIELD("Range", "bytes=10-");
    reply = expect(world, &get, 416, "InvalidRange", "a range past the end is refused");
    CHECK(reply_has(&reply, "<ActualObjectSize>10</ActualObjectSize>") &&
              reply_has(&reply, "<RangeRequested>bytes=10-</RangeRequested>"),
          "with what there is and what was asked for");
    reply_release(&reply);
    get.unsigned_headers[0] = (struct lst_field)FIELD("Range", "bytes=0-1,3-4");
    reply = expect(world, &get, 200, "", "of several ranges S3 sends everything");
    CHECK(reply.body_length == 10, "all of it");
    reply_release(&reply);
    get.unsigned_headers[0] =
        (struct lst_field)FIELD("If-None-Match", "\"781e5e245d69b566979b86e28d23f2c7\"");
    reply = expect(world, &get, 304, "", "an unchanged object is not sent again");
    CHECK(reply.kind == LST_BODY_LENGTH &&
              reply_has(&reply, "ETag: \"781e5e245d69b566979b86e28d23"),
          "304 has its ETag and no body");
    reply_release(&reply);
    get.unsigned_headers[0] = (struct lst_field)FIELD("If-Match", "\"other\"");
    reply = expect(world, &get, 412, "PreconditionFailed", "another ETag is refused");
    CHECK(reply_has(&reply, "<Condition>If-Match</Condition>"), "the condition is named");
    reply_release(&reply);
}

static void test_overrides(struct world *world)
{
    struct call get = {.method = "GET",
                       .bucket = "photos",
                       .key = "ten",
                       .query = {FIELD("response-content-type", "image/png"),
                                 FIELD("response-content-disposition",
                                       "attachment; filename=\"a b.png\"\r\nX-Evil: 1")}};
    struct reply reply = expect(world, &get, 200, "", "response-* parameters are honoured");

    CHECK(reply_has(&reply, "Content-Type: image/png\n") &&
              strstr(reply.headers, "binary/octet-stream") == NULL,
          "the type is replaced");
    CHECK(reply_has(&reply, "filename=\"a b.png\"  X-Evil: 1\n"),
          "a line break can't make another header");
    reply_release(&reply);
}

static void test_refused_uploads(struct world *world)
{
    struct call put = {.method = "PUT",
                       .bucket = "photos",
                       .key = "ten",
                       .body = LST_SLICE("other"),
                       .has_body = true};
    struct call again;

    again = put;
    again.headers[0] = (struct lst_field)FIELD("If-None-Match", "*");
    struct reply reply = expect(world, &again, 412, "PreconditionFailed", "If-None-Match: * holds");
    CHECK(!reply.body_wanted, "before the body is read");
    reply_release(&reply);
    again.headers[0] = (struct lst_field)FIELD("If-Match", "\"00000000000000000000000000000000\"");
    reply = expect(world, &again, 412, "PreconditionFailed", "If-Match holds too");
    CHECK(!reply.body_wanted && reply_has(&reply, "<Condition>If-Match</Condition>"),
          "by its name");
    reply_release(&reply);
    again.headers[0] = (struct lst_field)FIELD("If-None-Match", "\"0\"");
    expect_only(world, &again, 501, "NotImplemented", "as S3, not of an ETag");
    again.headers[0] = (struct lst_field)FIELD("Content-MD5", "XUFAKrxLKna5cZ2REBfFkg==");
    reply = expect(world, &again, 400, "BadDigest", "another Content-MD5 is refused");
    CHECK(reply_has(&reply, "<ExpectedDigest>5d41402abc4b2a76b9719d911017c592</ExpectedDigest>"),
          "with what was expected");
    reply_release(&reply);
    again.headers[0] = (struct lst_field)FIELD("Content-MD5", "not base64");
    expect_only(world, &again, 400, "InvalidDigest", "a Content-MD5 that is none is refused");
    again.headers[0] = (struct lst_field)FIELD("x-amz-tagging", "a=b&a=c");
    expect_only(world, &again, 400, "InvalidArgument", "no tag twice");
    again.headers[0] = (struct lst_field)FIELD("x-amz-server-side-encryption", "AES256");
    expect_only(world, &again, 501, "NotImplemented", "encryption is not claimed");
    again.headers[0] = (struct lst_field)FIELD("x-amz-acl", "public-read");
    expect_only(world, &again, 400, "AccessControlListNotSupported", "nothing becomes public");
    again.headers[0] = (struct lst_field)FIELD("x-amz-storage-class", "GLACIER");
    expect_only(world, &again, 400, "InvalidStorageClass", "there is one storage class");
    again = put;
    again.unsigned_headers[0] = (struct lst_field)FIELD("x-amz-copy-source", "/photos/large");
    reply = expect(world, &again, 403, "AccessDenied", "an unsigned copy source is refused");
    CHECK(reply_has(&reply, "<HeadersNotSigned>x-amz-copy-source</HeadersNotSigned>"), "by name");
    reply_release(&reply);
    again = put;
    again.no_length = true;
    expect_only(world, &again, 411, "MissingContentLength", "a length is needed");
    again = put;
    again.headers[0] = (struct lst_field)FIELD("Content-Encoding", "aws-chunked");
    expect_only(world, &again, 400, "InvalidRequest", "unannounced framing is not stored");
    struct call get = {.method = "GET", .bucket = "photos", .key = "ten"};
    reply = expect(world, &get, 200, "", "after all that");
    CHECK_TEXT(reply.body, reply.body_length, "0123456789", "the old object is untouched");
    reply_release(&reply);
}

static void test_checksums(struct world *world)
{
    static const struct {
        const char *header;
        const char *value;
    } checksums[] = {
        {"x-amz-checksum-crc32", "y/Q5Jg=="},
        {"x-amz-checksum-crc32c", "4waSgw=="},
        {"x-amz-checksum-crc64nvme", "rosUhgp5mIg="},
        {"x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="},
        {"x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="},
    };
    char line[160];

    for (size_t i = 0; i < sizeof(checksums) / sizeof(checksums[0]); i++) {
        struct lst_field field = {lst_slice_of(checksums[i].header),
                                  lst_slice_of(checksums[i].value)};
        struct call put = {.method = "PUT",
                           .bucket = "photos",
                           .key = "sum",
                           .headers = {field},
                           .body = LST_SLICE("123456789"),
                           .has_body = true,
                           .piece = 4};
        struct call get = {.method = "GET",
                           .bucket = "photos",
                           .key = "sum",
                           .headers = {FIELD("x-amz-checksum-mode", "ENABLED")}};
        snprintf(line, sizeof(line), "%s: %s\n", checksums[i].header, checksums[i].value);
        struct reply reply = expect(world, &put, 200, "", checksums[i].header);
        CHECK(reply_has(&reply, line), "is echoed");
        reply_release(&reply);
        reply = expect(world, &get, 200, "", "and");
        CHECK(reply_has(&reply, line) && reply_has(&reply, "x-amz-checksum-type: FULL_OBJECT\n"),
              "given back to who asks for it");
        reply_release(&reply);
        put.body = LST_SLICE("123456780");
        reply = expect(world, &put, 400, "BadDigest", "another body is refused");
        CHECK(reply_has(&reply, "you specified did not match the calculated checksum."), "and why");
        reply_release(&reply);
    }
}

static void test_checksum_rules(struct world *world)
{
    struct call put = {.method = "PUT",
                       .bucket = "photos",
                       .key = "sum",
                       .headers = {FIELD("x-amz-checksum-crc32", "AAAA")},
                       .body = LST_SLICE("123456789"),
                       .has_body = true};
    struct call query = {.method = "PUT",
                         .bucket = "photos",
                         .key = "sum",
                         .query = {FIELD("x-amz-checksum-crc32", "AAAAAA=="),
                                   FIELD("x-amz-sdk-checksum-algorithm", "CRC32"),
                                   FIELD("x-id", "PutObject")},
                         .body = LST_SLICE("123456789"),
                         .has_body = true};

    expect_only(world, &put, 400, "InvalidRequest", "a checksum of the wrong size is refused");
    put.headers[0] = (struct lst_field)FIELD("x-amz-checksum-crc32", "y/Q5Jg==");
    put.headers[1] = (struct lst_field)FIELD("x-amz-checksum-crc32c", "4waSgw==");
    expect_only(world, &put, 400, "InvalidRequest", "two checksums are refused");
    put.headers[1] = (struct lst_field)FIELD("x-amz-sdk-checksum-algorithm", "SHA1");
    expect_only(world, &put, 400, "InvalidRequest", "another algorithm is refused");
    put.headers[0] = put.headers[1];
    put.headers[1] = (struct lst_field){{NULL, 0}, {NULL, 0}};
    expect_only(world, &put, 400, "InvalidRequest", "an algorithm without a checksum is refused");
    put.headers[0] = (struct lst_field)FIELD("x-amz-checksum-xxhash64", "AAAAAAAAAAA=");
    expect_only(world, &put, 501, "NotImplemented", "a checksum that can't be checked is refused");
    expect_only(world, &query, 200, "", "an empty body's checksum in the URL is ignored, as by S3");
}

static void test_payload_hash(struct world *world)
{
    struct call put = {.method = "PUT",
                       .bucket = "photos",
                       .key = "hashed",
                       .body = LST_SLICE("hello"),
                       .has_body = true,
                       .how = SIGNED_HEADER,
                       .payload_hash =
                           "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"};

    expect_only(world, &put, 200, "", "a body with its signed hash is stored");
    put.body = LST_SLICE("hellO");
    struct reply reply = expect(world, &put, 400, "XAmzContentSHA256Mismatch", "another is not");
    CHECK(reply_has(&reply, "<ClientComputedContentSHA256>2cf24dba"), "with both hashes");
    reply_release(&reply);
}

static void test_metadata(struct world *world)
{
    static char value[2048];
    memset(value, 'x', sizeof(value));
    struct call put = {
        .method = "PUT",
        .bucket = "photos",
        .key = "meta",
        .headers = {{LST_SLICE("x-amz-meta-a"), {value, 2047}}, FIELD("Content-Encoding", "gzip")},
        .body = LST_SLICE(""),
        .has_body = true};
    struct call get = {.method = "GET", .bucket = "photos", .key = "meta"};
    struct call hoisted = {.method = "PUT",
                           .bucket = "photos",
                           .key = "meta",
                           .query = {FIELD("x-amz-meta-Colour", "deep blue")},
                           .body = LST_SLICE(""),
                           .has_body = true};

    expect_only(world, &put, 200, "", "2 KiB of metadata are kept");
    struct reply reply = expect(world, &get, 200, "", "an empty object");
    CHECK(reply_has(&reply, "Content-Encoding: gzip\n"), "has its encoding");
    CHECK(reply_has(&reply, "Content-Type: binary/octet-stream\n"), "and S3's default type");
    reply_release(&reply);
    put.headers[0].value.length = 2048;
    expect_only(world, &put, 400, "MetadataTooLarge", "one byte more is refused");
    expect_only(world, &hoisted, 200, "", "metadata in a presigned URL");
    reply = expect(world, &get, 200, "", "is kept");
    CHECK(reply_has(&reply, "x-amz-meta-colour: deep blue\n"), "as if a header had carried it");
    reply_release(&reply);
}

int main(void)
{
    struct world world;

    world_open(&world, NULL, 0);
    make_bucket(&world, "photos");
    test_round_trip(&world);
    test_large(&world);
    test_ranges_and_conditions(&world);
    test_overrides(&world);
    test_refused_uploads(&world);
    test_checksums(&world);
    test_checksum_rules(&world);
    test_payload_hash(&world);
    test_metadata(&world);
    world_close(&world);
    return tap_done();
}
