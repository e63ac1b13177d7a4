/* delete_test.c - DeleteObjects. */
#include "fixture.h"

#include <nettle/md5.h>

#include "base/encoding.h"

/* Post a document with its Content-MD5. */
static struct reply post(struct world *world, const char *user, struct lst_slice document,
                         int status, const char *error, const char *what)
{
    struct call call = {.method = "POST",
                        .bucket = "photos",
                        .user = user,
                        .query = {{LST_SLICE("delete"), {NULL, 0}}},
                        .body = document,
                        .has_body = true,
                        .piece = 1000};
    struct md5_ctx context;
    uint8_t digest[MD5_DIGEST_SIZE];
    char text[LST_BASE64_LENGTH(MD5_DIGEST_SIZE)];

    md5_init(&context);
    md5_update(&context, document.length, (const uint8_t *)document.bytes);
    md5_digest(&context, sizeof(digest), digest);
    lst_base64_encode(digest, sizeof(digest), text);
    call.headers[0] =
        (struct lst_field){LST_SLICE("Content-MD5"), lst_slice_make(text, sizeof(text))};
    return expect(world, &call, status, error, what);
}

static void test_delete(struct world *world)
{
    put_text(world, "photos", "a&b", "1");
    put_text(world, "photos", "private/c", "2");
    struct reply reply =
        post(world, "deleter",
             LST_SLICE("<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                       "<Object><Key>a&amp;b</Key></Object><Object><Key>private/c</Key></Object>"
                       "<Object><Key>missing</Key></Object>"
                       "<Object><Key>null</Key><VersionId>null</VersionId></Object>"
                       "<Object><Key>old</Key><Size>7</Size></Object>"
                       "<Object><Key>if</Key><ETag>x</ETag></Object></Delete>"),
             200, "", "several keys at once");
    CHECK(reply_has(&reply, "<Deleted><Key>a&amp;b</Key></Deleted>"), "what may be deleted is");
    CHECK(reply_has(&reply, "<Deleted><Key>missing</Key></Deleted>"), "also if it was not there");
    CHECK(reply_has(&reply, "<Error><Key>null</Key><VersionId>null</VersionId>"
                            "<Code>AccessDenied</Code>"),
          "but a version needs another permission");
    CHECK(reply_has(&reply, "<Error><Key>private/c</Key><Code>AccessDenied</Code>"),
          "what may not be is not");
    CHECK(reply_has(&reply, "<Error><Key>old</Key><Code>NotImplemented</Code>"),
          "nor on condition of a size");
    CHECK(reply_has(&reply, "<Error><Key>if</Key><Code>AccessDenied</Code>"),
          "nor on condition of an ETag, by who may not read");
    reply_release(&reply);
    struct call head = {.method = "HEAD", .bucket = "photos", .key = "a&b"};
    expect_only(world, &head, 404, "NoSuchKey", "the one is gone");
    head.key = "private/c";
    expect_only(world, &head, 200, "", "the other is there");
    reply = post(world, NULL,
                 LST_SLICE("<Delete><Quiet>true</Quiet><Object><Key>private/c</Key></Object>"
                           "</Delete>"),
                 200, "", "quietly");
    CHECK(strstr(reply.body, "<Deleted>") == NULL, "nothing is said of what went well");
    reply_release(&reply);
    expect_only(world, &head, 404, "NoSuchKey", "and it is gone");
}

static void test_many(struct world *world)
{
    char *document = malloc(200000);
    size_t length = 0;

    length += (size_t)sprintf(document, "<Delete><Quiet>false</Quiet>");
    for (int i = 0; i < 1000; i++) {
        length += (size_t)sprintf(document + length, "<Object><Key>k%d</Key></Object>", i);
    }
    size_t end = length;
    length += (size_t)sprintf(document + length, "</Delete>");
    struct reply reply =
        post(world, NULL, lst_slice_make(document, length), 200, "", "a thousand keys");
    CHECK(reply_has(&reply, "<Key>k0</Key>") && reply_has(&reply, "<Key>k999</Key>"),
          "all of them");
    reply_release(&reply);
    length = end + (size_t)sprintf(document + end, "<Object><Key>k</Key></Object></Delete>");
    reply =
        post(world, NULL, lst_slice_make(document, length), 400, "MalformedXML", "not one more");
    reply_release(&reply);
    free(document);
}

static void test_bad_documents(struct world *world)
{
    static const char *const documents[] = {
        "<Delete/>",
        "<Delete><Object/></Delete>",
        "<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>",
        "<Delete><Object><Key>a</Key></Object>",
        "<Delete><Object><Key>&a;</Key></Object></Delete>",
        "<!DOCTYPE d [<!ENTITY a \"x\">]><Delete><Object><Key>&a;</Key></Object></Delete>",
        "<Delete><Object><Key>\xFF</Key></Object></Delete>",
        "<a><b><c><d><e><f><g><h><i/></h></g></f></e></d></c></b></a>",
    };
    struct call call = {.method = "POST",
                        .bucket = "photos",
                        .query = {{LST_SLICE("delete"), {NULL, 0}}},
                        .body = LST_SLICE("<Delete><Object><Key>a</Key></Object></Delete>"),
                        .has_body = true};

    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        struct reply reply =
            post(world, NULL, lst_slice_of(documents[i]), 400, "MalformedXML", documents[i]);
        reply_release(&reply);
    }
    struct reply none =
        post(world, NULL, lst_slice_of(""), 400, "MissingRequestBodyError", "empty");
    reply_release(&none);
    none = post(world, NULL, lst_slice_of("<Delete><Object><Key></Key></Object></Delete>"), 400,
                "UserKeyMustBeSpecified", "an empty key");
    reply_release(&none);
    expect_only(world, &call, 400, "InvalidRequest", "a digest must be declared");
    call.headers[0] = (struct lst_field)FIELD("Content-MD5", "XUFAKrxLKna5cZ2REBfFkg==");
    expect_only(world, &call, 400, "BadDigest", "and be right");
    call.headers[0] = (struct lst_field)FIELD("x-amz-checksum-crc32", "AAAAAA==");
    expect_only(world, &call, 400, "BadDigest", "a checksum too");
}

int main(void)
{
    struct world world;

    world_open(&world, NULL, 0);
    world_add_user(&world, "deleter",
                   "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                   "\"Action\":\"s3:DeleteObject\",\"Resource\":\"arn:aws:s3:::photos/*\"},"
                   "{\"Effect\":\"Deny\",\"Action\":\"s3:DeleteObject\","
                   "\"Resource\":\"arn:aws:s3:::photos/private/*\"}]}");
    make_bucket(&world, "photos");
    test_delete(&world);
    test_many(&world);
    test_bad_documents(&world);
    world_close(&world);
    return tap_done();
}
