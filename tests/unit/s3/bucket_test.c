/* bucket_test.c - operations on buckets, and listings, from signed request to answer. */
#include "fixture.h"

static void test_buckets(struct world *world)
{
    struct call make = {.method = "PUT", .bucket = "photos"};
    struct call get = {.method = "GET"};

    struct reply reply = expect(world, &make, 200, "", "a bucket is made");
    CHECK(reply_has(&reply, "Location: /photos\n"), "its place is told");
    reply_release(&reply);
    expect_only(world, &make, 409, "BucketAlreadyOwnedByYou", "making it again says so");
    make.region = "us-east-1";
    expect_only(world, &make, 200, "", "but for us-east-1, where it is 200, as in AWS");
    make.region = NULL;
    make.bucket = "Bad_Name";
    expect_only(world, &make, 400, "InvalidBucketName", "AWS's rules for names hold");
    make.bucket = "music";
    make.body =
        LST_SLICE("<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                  "<LocationConstraint>ap-south-1</LocationConstraint>"
                  "</CreateBucketConfiguration>");
    make.has_body = true;
    make.region = "us-east-1";
    expect_only(world, &make, 200, "", "a bucket with a location is made");
    get.bucket = "music";
    get.query[0] = (struct lst_field){LST_SLICE("location"), {NULL, 0}};
    reply = expect(world, &get, 200, "", "the location");
    CHECK(reply_has(&reply, "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                            "ap-south-1</LocationConstraint>"),
          "is given back");
    reply_release(&reply);
    get = (struct call){.method = "GET"};
    reply = expect(world, &get, 200, "", "the buckets are listed");
    CHECK(reply_has(&reply, "<Name>music</Name>") && reply_has(&reply, "<Name>photos</Name>") &&
              reply_has(&reply, "<Owner><ID>"),
          "with their owner");
    reply_release(&reply);
    get.query[0] = (struct lst_field)FIELD("max-buckets", "1");
    reply = expect(world, &get, 200, "", "one at a time");
    CHECK(strstr(reply.body, "<Name>photos</Name>") == NULL, "only the first");
    char *token = strstr(reply.body, "<ContinuationToken>") + strlen("<ContinuationToken>");
    *strchr(token, '<') = '\0';
    get.query[1] = (struct lst_field){LST_SLICE("continuation-token"), lst_slice_of(token)};
    struct reply second = expect(world, &get, 200, "", "and go on");
    CHECK(reply_has(&second, "<Name>photos</Name>") &&
              strstr(second.body, "<ContinuationToken>") == NULL,
          "with the last");
    reply_release(&second);
    reply_release(&reply);
    struct call head = {.method = "HEAD", .bucket = "music"};
    reply = expect(world, &head, 200, "", "HEAD of a bucket");
    CHECK(reply_has(&reply, "x-amz-bucket-region: ap-south-1\n"), "tells its region");
    reply_release(&reply);
    head.bucket = "nowhere";
    expect_only(world, &head, 404, "NoSuchBucket", "a bucket that is not there");
    struct call drop = {.method = "DELETE", .bucket = "music"};
    put_text(world, "music", "a", "a");
    expect_only(world, &drop, 409, "BucketNotEmpty", "a bucket with objects is kept");
    drop.key = "a";
    expect_only(world, &drop, 204, "", "without the object");
    drop.key = NULL;
    expect_only(world, &drop, 204, "", "it is deleted");
    expect_only(world, &drop, 404, "NoSuchBucket", "once");
}

static void test_bad_documents(struct world *world)
{
    static const char *const documents[] = {
        "nonsense",
        "<CreateBucketConfiguration>",
        "<!DOCTYPE x [<!ENTITY a \"b\">]><CreateBucketConfiguration/>",
        "<CreateBucketConfiguration><Tags><Tag/></Tags></CreateBucketConfiguration>",
        "<Other/>",
    };
    struct call make = {.method = "PUT", .bucket = "other", .has_body = true};

    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        make.body = lst_slice_of(documents[i]);
        expect_only(world, &make, 400, "MalformedXML", documents[i]);
    }
    make.body = LST_SLICE("<CreateBucketConfiguration><LocationConstraint>a b"
                          "</LocationConstraint></CreateBucketConfiguration>");
    expect_only(world, &make, 400, "IllegalLocationConstraintException", "a location that is none");
    static char large[20000];
    memset(large, ' ', sizeof(large));
    make.body = lst_slice_make(large, sizeof(large));
    expect_only(world, &make, 400, "MaxMessageLengthExceeded", "a document that is too large");
    struct call head = {.method = "HEAD", .bucket = "other"};
    expect_only(world, &head, 404, "NoSuchBucket", "none of them made the bucket");
}

static struct reply list(struct world *world, const struct lst_field *query, size_t count)
{
    struct call call = {.method = "GET", .bucket = "photos"};

    memcpy(call.query, query, count * sizeof(*query));
    return expect(world, &call, 200, "", "the bucket is listed");
}

static void test_list(struct world *world)
{
    static const char *const keys[] = {"a.jpg", "b/1", "b/2", "c d&e.jpg", "z"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        put_text(world, "photos", keys[i], "hello");
    }
    struct lst_field v2[] = {FIELD("list-type", "2"), FIELD("delimiter", "/")};
    struct reply reply = list(world, v2, 2);
    CHECK(reply_has(&reply, "<Name>photos</Name><Prefix></Prefix><KeyCount>4</KeyCount>"
                            "<MaxKeys>1000</MaxKeys><Delimiter>/</Delimiter>"
                            "<IsTruncated>false</IsTruncated><Contents><Key>a.jpg</Key>"),
          "version 2 has what was asked for");
    CHECK(reply_has(&reply, "<Key>c d&amp;e.jpg</Key>") &&
              reply_has(&reply, "<ETag>&quot;5d41402abc4b2a76b9719d911017c592&quot;</ETag>"
                                "<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm>"
                                "<ChecksumType>FULL_OBJECT</ChecksumType>"
                                "<Size>5</Size><StorageClass>STANDARD</StorageClass></Contents>"),
          "keys, sizes, ETags, checksums");
    CHECK(reply_has(&reply, "<CommonPrefixes><Prefix>b/</Prefix></CommonPrefixes>"
                            "</ListBucketResult>") &&
              strstr(reply.body, "<Owner>") == NULL,
          "common prefixes, and no owner unless it is fetched");
    reply_release(&reply);
    struct lst_field v1[] = {FIELD("encoding-type", "url"), FIELD("marker", "b/2")};
    reply = list(world, v1, 2);
    CHECK(reply_has(&reply, "<Key>c%20d%26e.jpg</Key>") &&
              reply_has(&reply, "<Marker>b/2</Marker>") &&
              reply_has(&reply, "<EncodingType>url</EncodingType>") &&
              reply_has(&reply, "<Owner><ID>") && strstr(reply.body, "<Key>b/2</Key>") == NULL,
          "version 1 has encoded keys after the marker, with their owner");
    reply_release(&reply);
}

/* Read everything in pages of two. */
static void test_pages(struct world *world)
{
    struct lst_field query[] = {FIELD("list-type", "2"), FIELD("max-keys", "2"),
                                FIELD("delimiter", "/"), FIELD("continuation-token", "")};
    char token[256] = "";
    char seen[256] = "";

    for (int page = 0; page < 3; page++) {
        query[3].value = lst_slice_of(token);
        struct reply reply = list(world, query, page == 0 ? 3 : 4);
        for (const char *at = reply.body; (at = strstr(at, "<Key>")) != NULL; at++) {
            strncat(seen, at + 5, strcspn(at + 5, "<"));
            strcat(seen, ";");
        }
        for (const char *at = reply.body; (at = strstr(at, "<CommonPrefixes>")) != NULL; at++) {
            strncat(seen, at + 24, strcspn(at + 24, "<"));
            strcat(seen, ";");
        }
        const char *next = strstr(reply.body, "<NextContinuationToken>");
        CHECK((next == NULL) == (page == 1), "page %d", page);
        bool is_last = next == NULL;
        if (!is_last) {
            snprintf(token, sizeof(token), "%.*s", (int)strcspn(next + 23, "<"), next + 23);
        }
        reply_release(&reply);
        if (is_last) {
            break;
        }
    }
    CHECK_TEXT(seen, strlen(seen), "a.jpg;b/;c d&amp;e.jpg;z;", "every entry, once");
    struct lst_field marker[] = {FIELD("max-keys", "2"), FIELD("delimiter", "/")};
    struct reply reply = list(world, marker, 2);
    CHECK(reply_has(&reply, "<NextMarker>b/</NextMarker>"), "version 1 says where to go on");
    reply_release(&reply);
    reply = list(world, marker, 1);
    CHECK(strstr(reply.body, "<NextMarker>") == NULL &&
              reply_has(&reply, "<IsTruncated>true</IsTruncated>"),
          "but only with a delimiter");
    reply_release(&reply);
}

static void test_bad_listings(struct world *world)
{
    static const struct {
        struct lst_field query;
        const char *name;
    } bad[] = {
        {FIELD("max-keys", "-1"), "a negative number of keys"},
        {FIELD("max-keys", "many"), "no number of keys"},
        {FIELD("encoding-type", "base64"), "another encoding"},
        {FIELD("continuation-token", "nonsense"), "a token that was not given out"},
        {FIELD("continuation-token", ""), "an empty token"},
    };
    struct call call = {.method = "GET", .bucket = "photos"};

    call.query[0] = (struct lst_field)FIELD("list-type", "2");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        call.query[1] = bad[i].query;
        expect_only(world, &call, 400, "InvalidArgument", bad[i].name);
    }
    call.query[1] = (struct lst_field)FIELD("max-keys", "0");
    struct reply reply = expect(world, &call, 200, "", "no keys at all");
    CHECK(reply_has(&reply, "<KeyCount>0</KeyCount><MaxKeys>0</MaxKeys>"
                            "<IsTruncated>false</IsTruncated></ListBucketResult>"),
          "is an empty list");
    reply_release(&reply);
    call.query[1] = (struct lst_field)FIELD("max-keys", "5000");
    reply = expect(world, &call, 200, "", "more than a thousand");
    CHECK(reply_has(&reply, "<MaxKeys>1000</MaxKeys>"), "are a thousand");
    reply_release(&reply);
    call.bucket = "nowhere";
    expect_only(world, &call, 404, "NoSuchBucket", "a bucket that is not there");
}

int main(void)
{
    struct world world;

    world_open(&world, NULL, 0);
    test_buckets(&world);
    test_bad_documents(&world);
    test_list(&world);
    test_pages(&world);
    test_bad_listings(&world);
    world_close(&world);
    return tap_done();
}
