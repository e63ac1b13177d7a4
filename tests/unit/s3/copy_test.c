/* copy_test.c - CopyObject and UploadPartCopy, below the server. */
#include "fixture.h"

static struct call copy_call(const char *source, const char *key)
{
    return (struct call){
        .method = "PUT",
        .bucket = "photos",
        .key = key,
        .headers = {{LST_SLICE("x-amz-copy-source"), lst_slice_of(source)}},
    };
}

static void expect_text(struct world *world, const char *key, const char *text)
{
    struct call get = {.method = "GET", .bucket = "photos", .key = key};
    struct reply reply = expect(world, &get, 200, "", key);

    CHECK_TEXT(reply.body, reply.body_length, text, "has the text");
    reply_release(&reply);
}

static void test_copies(struct world *world)
{
    struct call put = {.method = "PUT",
                       .bucket = "photos",
                       .key = "source",
                       .headers = {FIELD("Content-Type", "image/x"), FIELD("x-amz-meta-a", "1"),
                                   FIELD("x-amz-tagging", "t=1")},
                       .body = LST_SLICE("bytes"),
                       .has_body = true};
    struct call copy = copy_call("/photos/source", "copy");
    struct call head = {.method = "HEAD", .bucket = "photos", .key = "copy"};

    expect_only(world, &put, 200, "", "the source is put");
    struct reply reply = expect(world, &copy, 200, "", "it is copied");
    CHECK(reply_has(&reply, "<CopyObjectResult") &&
              reply_has(&reply, "<ETag>&quot;4b3a6218bb3e3a7303e8a171a60fcf92&quot;</ETag>") &&
              reply_has(&reply, "<LastModified>") && reply_has(&reply, "<ChecksumCRC64NVME>"),
          "with what the copy is");
    reply_release(&reply);
    expect_text(world, "copy", "bytes");
    reply = expect(world, &head, 200, "", "the copy has");
    CHECK(reply_has(&reply, "Content-Type: image/x\n") && reply_has(&reply, "x-amz-meta-a: 1\n") &&
              reply_has(&reply, "x-amz-tagging-count: 1\n"),
          "the source's fields and tags");
    reply_release(&reply);
    copy.headers[1] = (struct lst_field)FIELD("x-amz-metadata-directive", "REPLACE");
    copy.headers[2] = (struct lst_field)FIELD("x-amz-tagging-directive", "REPLACE");
    copy.headers[3] = (struct lst_field)FIELD("x-amz-meta-b", "2");
    expect_only(world, &copy, 200, "", "it is copied with other metadata");
    reply = expect(world, &head, 200, "", "the copy then has");
    CHECK(reply_has(&reply, "Content-Type: binary/octet-stream\n") &&
              reply_has(&reply, "x-amz-meta-b: 2\n") &&
              strstr(reply.headers, "x-amz-meta-a") == NULL &&
              strstr(reply.headers, "x-amz-tagging-count") == NULL,
          "its own, and none of the source's");
    reply_release(&reply);
}

static void test_refused(struct world *world)
{
    static const struct {
        const char *source;
        struct lst_field header;
        int status;
        const char *error;
        const char *says;
    } cases[] = {
        {"photos/none", {{NULL, 0}, {NULL, 0}}, 404, "NoSuchKey", "<Key>none</Key>"},
        {"nowhere/x", {{NULL, 0}, {NULL, 0}}, 404, "NoSuchBucket", "<BucketName>nowhere<"},
        {"photos", {{NULL, 0}, {NULL, 0}}, 400, "InvalidArgument", "sourcebucket/sourcekey"},
        {"photos/source?versionId=",
         {{NULL, 0}, {NULL, 0}},
         400,
         "InvalidArgument",
         "<ArgumentName>versionId</ArgumentName>"},
        {"photos/source", FIELD("x-amz-metadata-directive", "copy"), 400, "InvalidArgument",
         "Unknown metadata directive."},
        {"photos/source", FIELD("x-amz-copy-source-if-match", "\"0\""), 412, "PreconditionFailed",
         "<Condition>x-amz-copy-source-If-Match</Condition>"},
        {"photos/source", FIELD("x-amz-checksum-algorithm", "CRC16"), 400, "InvalidRequest",
         "Checksum algorithm provided is unsupported"},
        {"photos/source", FIELD("If-None-Match", "*"), 412, "PreconditionFailed",
         "<Condition>If-None-Match</Condition>"},
        {"photos/source", FIELD("x-amz-copy-source-server-side-encryption-customer-key", "a"), 501,
         "NotImplemented",
         "<Header>x-amz-copy-source-server-side-encryption-customer-key</Header>"},
    };

    put_text(world, "photos", "target", "untouched");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct call copy = copy_call(cases[i].source, "target");
        copy.headers[1] = cases[i].header;
        struct reply reply = expect(world, &copy, cases[i].status, cases[i].error, cases[i].source);
        CHECK(reply_has(&reply, cases[i].says), "and says %s", cases[i].says);
        reply_release(&reply);
    }
    expect_text(world, "target", "untouched");
    struct call self = copy_call("photos/target", "target");
    expect_only(world, &self, 400, "InvalidRequest", "onto itself, without a change");
    self.headers[1] = (struct lst_field)FIELD("x-amz-storage-class", "STANDARD");
    expect_only(world, &self, 200, "", "with one");
    expect_text(world, "target", "untouched");
}

static void test_parts(struct world *world)
{
    struct call begin = {.method = "POST",
                         .bucket = "photos",
                         .key = "parts",
                         .query = {FIELD("uploads", "")},
                         .has_body = true};
    struct reply reply = expect(world, &begin, 200, "", "an upload begins");
    const char *at = strstr(reply.body, "<UploadId>");
    char id[33];

    snprintf(id, sizeof(id), "%s", at == NULL ? "" : at + strlen("<UploadId>"));
    reply_release(&reply);
    struct call copy = copy_call("photos/source", "parts");
    copy.query[0] = (struct lst_field)FIELD("partNumber", "1");
    copy.query[1] = (struct lst_field){LST_SLICE("uploadId"), lst_slice_of(id)};
    copy.headers[1] = (struct lst_field)FIELD("x-amz-copy-source-range", "bytes=1-3");
    reply = expect(world, &copy, 200, "", "a range becomes a part");
    CHECK(reply_has(&reply, "<CopyPartResult") &&
              reply_has(&reply, "<ETag>&quot;485b5ce881936c6a2fe268810b168cc0&quot;</ETag>"),
          "with the MD5 of its bytes");
    reply_release(&reply);
    copy.headers[1] = (struct lst_field)FIELD("x-amz-copy-source-range", "bytes=1-5");
    reply = expect(world, &copy, 400, "InvalidArgument", "of bytes that are there");
    CHECK(reply_has(&reply, "Range specified is not valid for source object of size: 5"),
          "the size is told");
    reply_release(&reply);
    copy.headers[1] = (struct lst_field)FIELD("x-amz-copy-source-range", "bytes=1-");
    expect_only(world, &copy, 400, "InvalidArgument", "both ends are needed");
}

int main(void)
{
    struct world world;

    world_open(&world, NULL, 0);
    make_bucket(&world, "photos");
    test_copies(&world);
    test_refused(&world);
    test_parts(&world);
    world_close(&world);
    return tap_done();
}
