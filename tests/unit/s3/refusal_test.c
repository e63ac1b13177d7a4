/* refusal_test.c - who is refused, with which error, and what it tells. */
#include "fixture.h"

static void test_signatures(struct world *world)
{
    struct call get = {.method = "GET", .bucket = "photos", .key = "a"};
    struct call bad;

    expect_only(world, &get, 200, "", "as it was signed it passes");
    bad = get;
    bad.how = UNSIGNED;
    struct reply reply = expect(world, &bad, 403, "AccessDenied", "unsigned it does not");
    CHECK(strcmp(reply.record.signed_by, "none") == 0, "the log says so");
    reply_release(&reply);
    bad = get;
    bad.wire_method = "HEAD";
    reply = expect(world, &bad, 403, "SignatureDoesNotMatch", "with another method neither");
    CHECK(reply.body_length == 0, "HEAD has no body");
    CHECK(strstr(reply.reason, "GET") != NULL, "the log says what was signed");
    reply_release(&reply);
    bad.wire_method = "DELETE";
    reply = expect(world, &bad, 403, "SignatureDoesNotMatch", "nor with a third");
    CHECK(reply_has(&reply, "<AWSAccessKeyId>KEYIDOFTHEUSERroot</AWSAccessKeyId>") &&
              reply_has(&reply, "<StringToSign>AWS4-HMAC-SHA256\n") &&
              reply_has(&reply, "<SignatureProvided>") &&
              reply_has(&reply, "<StringToSignBytes>41 57 53 34 2d 48 ") &&
              reply_has(&reply, "<CanonicalRequest>DELETE\n/photos/a\nX-Amz-Algorithm=") &&
              reply_has(&reply, "<CanonicalRequestBytes>44 45 4c 45 54 45 0a ") &&
              reply_has(&reply, "<Explanation>"),
          "S3's elements, and ours");
    reply_release(&reply);
    bad = get;
    bad.target_suffix = "&x-id=PutObject";
    expect_only(world, &bad, 403, "SignatureDoesNotMatch", "nor with another parameter");
    bad = get;
    bad.age = 3601;
    reply = expect(world, &bad, 403, "AccessDenied", "nor a second too late");
    CHECK(reply_has(&reply, "<Message>Request has expired</Message>"
                            "<X-Amz-Expires>3600</X-Amz-Expires>") &&
              reply_has(&reply, "<Expires>2026-11-18T11:06:39Z</Expires>") &&
              reply_has(&reply, "<ServerTime>2026-11-18T11:06:40Z</ServerTime>"),
          "with the times");
    reply_release(&reply);
    bad = get;
    bad.age = -1000;
    expect_only(world, &bad, 403, "AccessDenied", "nor long before it is valid");
    bad = get;
    bad.how = SIGNED_HEADER;
    bad.age = 1000;
    reply = expect(world, &bad, 403, "RequestTimeTooSkewed", "nor with another clock");
    CHECK(reply_has(&reply, "<MaxAllowedSkewMilliseconds>900000</MaxAllowedSkewMilliseconds>") &&
              reply_has(&reply, "<RequestTime>20261118T105000Z</RequestTime>"),
          "with both times");
    reply_release(&reply);
    bad = get;
    bad.user = "nobody";
    reply = expect(world, &bad, 403, "InvalidAccessKeyId", "nor by somebody unknown");
    CHECK(reply_has(&reply, "<AWSAccessKeyId>KEYIDOFTHEUSERnobody</AWSAccessKeyId>"), "by name");
    reply_release(&reply);
}

static void test_tokens_are_masked(struct world *world)
{
    struct call get = {.method = "GET",
                       .bucket = "photos",
                       .key = "a",
                       .target_suffix = "&x-amz-security-token=TOKENTOKEN&x-id=1",
                       .headers = {FIELD("x-amz-meta-a", "b")}};
    struct reply reply = send_call(world, &get);

    CHECK(reply.status == 403, "a token that was not signed");
    CHECK(strstr(reply.body, "TOKENTOKEN") == NULL &&
              strstr(reply.body, "54 4f 4b 45 4e 54 4f 4b 45 4e") == NULL &&
              strstr(reply.reason, "TOKENTOKEN") == NULL,
          "is in no error");
    CHECK(reply_has(&reply, "x-amz-security-token=***"), "but that it was there");
    reply_release(&reply);
}

static void test_policies(struct world *world)
{
    struct call call = {.method = "GET", .bucket = "photos", .key = "a", .user = "reader"};

    expect_only(world, &call, 200, "", "what the policy allows");
    call.key = "missing";
    struct reply reply =
        expect(world, &call, 403, "AccessDenied", "who may not list is not told what is missing");
    CHECK(strstr(reply.reason, "does not exist") != NULL, "but the log is");
    reply_release(&reply);
    call.user = "lister";
    expect_only(world, &call, 404, "NoSuchKey", "who may, is");
    call.user = "reader";
    call.method = "PUT";
    call.has_body = true;
    call.body = LST_SLICE("x");
    reply = expect(world, &call, 403, "AccessDenied", "what it does not allow");
    CHECK(!reply.body_wanted && strstr(reply.reason, "s3:PutObject") != NULL &&
              strcmp(reply.record.operation, "PutObject") == 0,
          "is refused before the body is read, and logged");
    reply_release(&reply);
    call = (struct call){.method = "GET",
                         .bucket = "photos",
                         .user = "prefixer",
                         .query = {FIELD("list-type", "2"), FIELD("prefix", "a")}};
    expect_only(world, &call, 200, "", "a listing of the allowed prefix");
    call.query[1] = (struct lst_field)FIELD("prefix", "b");
    expect_only(world, &call, 403, "AccessDenied", "of another");
    call.query[1] = (struct lst_field){{NULL, 0}, {NULL, 0}};
    expect_only(world, &call, 403, "AccessDenied", "of none");
}

static void test_unimplemented(struct world *world)
{
    struct call call = {.method = "PUT", .bucket = "photos"};
    struct reply reply;

    call.query[0] = (struct lst_field){LST_SLICE("policy"), {NULL, 0}};
    reply = expect(world, &call, 501, "NotImplemented", "what is not implemented says so");
    CHECK(reply_has(&reply, "<Message>The operation PutBucketPolicy is not implemented by "
                            "Latchstring yet</Message>"),
          "by name");
    reply_release(&reply);
    call.how = UNSIGNED;
    expect_only(world, &call, 403, "AccessDenied", "but only to who is known");
    call.how = PRESIGNED;
    call.query[0] = (struct lst_field){LST_SLICE("acl"), {NULL, 0}};
    call.query[1] = (struct lst_field){LST_SLICE("cors"), {NULL, 0}};
    reply = expect(world, &call, 400, "InvalidArgument", "two sub-resources contradict");
    CHECK(reply_has(&reply, "Conflicting query string parameters: acl, cors"), "by name");
    reply_release(&reply);
    call.query[1] = (struct lst_field){{NULL, 0}, {NULL, 0}};
    call.method = "DELETE";
    reply = expect(world, &call, 405, "MethodNotAllowed", "there is no DELETE of an ACL");
    CHECK(reply_has(&reply, "<Method>DELETE</Method><ResourceType>ACL</ResourceType>"), "as in S3");
    reply_release(&reply);
    call = (struct call){.method = "PUT", .bucket = "photos", .key = "a", .has_body = true};
    call.query[0] = (struct lst_field)FIELD("x-latch-lenght", "1-2");
    reply = expect(world, &call, 400, "InvalidArgument", "an unknown constraint is not ignored");
    CHECK(reply_has(&reply, "x-latch-lenght"), "by name");
    reply_release(&reply);
    call.query[0] = (struct lst_field)FIELD("X-Amz-Mfa", "a b");
    expect_only(world, &call, 501, "NotImplemented", "nor is an option in the query");
    call = (struct call){.method = "GET", .bucket = "photos", .key = "a"};
    call.query[0] = (struct lst_field)FIELD("versionId", "null");
    expect_only(world, &call, 200, "", "the null version is the object");
    call.query[0] = (struct lst_field)FIELD("versionId", "3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY");
    expect_only(world, &call, 400, "InvalidArgument", "there is no other");
    call = (struct call){.method = "POST",
                         .bucket = "photos",
                         .how = UNSIGNED,
                         .unsigned_headers = {FIELD("Content-Type", "multipart/form-data; b=1")}};
    expect_only(world, &call, 411, "MissingContentLength", "a form needs a body");
}

static void test_virtual_host(void)
{
    const struct lst_slice domains[] = {LST_SLICE("s3.test")};
    struct world world;
    struct call call = {
        .method = "PUT", .bucket = "my.photos", .host = "s3.test:9000", .style = LST_VIRTUAL_HOST};

    world_open(&world, domains, 1);
    expect_only(&world, &call, 200, "", "a bucket is made by its host name");
    call.key = "a b";
    call.body = LST_SLICE("hello");
    call.has_body = true;
    expect_only(&world, &call, 200, "", "an object is put");
    call.method = "GET";
    call.body.length = 0;
    struct reply reply = expect(&world, &call, 200, "", "and had");
    CHECK_TEXT(reply.body, reply.body_length, "hello", "whole");
    reply_release(&reply);
    call.key = "gone";
    reply = expect(&world, &call, 404, "NoSuchKey", "an error");
    CHECK(reply_has(&reply, "<Key>gone</Key><RequestId>"), "names the key");
    reply_release(&reply);
    world_close(&world);
}

int main(void)
{
    struct world world;

    world_open(&world, NULL, 0);
    world_add_user(&world, "reader",
                   "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                   "\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::photos/*\"}]}");
    world_add_user(&world, "lister",
                   "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                   "\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::photos/*\"},"
                   "{\"Effect\":\"Allow\",\"Action\":\"s3:ListBucket\","
                   "\"Resource\":\"arn:aws:s3:::photos\"}]}");
    world_add_user(&world, "prefixer",
                   "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                   "\"Action\":\"s3:ListBucket\",\"Resource\":\"arn:aws:s3:::photos\","
                   "\"Condition\":{\"StringEquals\":{\"s3:prefix\":\"a\"}}}]}");
    make_bucket(&world, "photos");
    put_text(&world, "photos", "a", "hello");
    test_signatures(&world);
    test_tokens_are_masked(&world);
    test_policies(&world);
    test_unimplemented(&world);
    world_close(&world);
    test_virtual_host();
    return tap_done();
}
