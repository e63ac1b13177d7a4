/* multipart_test.c - uploads in parts, below the server: every answer that a client can get. */
#include "fixture.h"

enum { PART = 5242880 };

static char *large; /* PART bytes */

struct upload {
    const char *key;
    char id[33];
};

/* Copy the text between two marks of a reply's body or headers. */
static void between(const struct reply *reply, const char *first, const char *last, char *ret_text,
                    size_t size)
{
    const char *at = strstr(reply->body, first);

    at = at != NULL ? at : strstr(reply->headers, first);
    const char *end = at == NULL ? NULL : strstr(at + strlen(first), last);
    snprintf(ret_text, size, "%.*s", end == NULL ? 0 : (int)(end - at - (long)strlen(first)),
             end == NULL ? "" : at + strlen(first));
}

static struct upload begin_upload(struct world *world, const char *key, const char *algorithm)
{
    struct call call = {.method = "POST",
                        .bucket = "photos",
                        .key = key,
                        .query = {FIELD("uploads", "")},
                        .has_body = true};
    struct upload upload = {.key = key};

    if (algorithm != NULL) {
        call.headers[0] =
            (struct lst_field){LST_SLICE("x-amz-checksum-algorithm"), lst_slice_of(algorithm)};
    }
    struct reply reply = expect(world, &call, 200, "", "an upload begins");
    between(&reply, "<UploadId>", "</UploadId>", upload.id, sizeof(upload.id));
    CHECK(strlen(upload.id) == 32, "and has an id");
    reply_release(&reply);
    return upload;
}

static struct call part_call(const struct upload *upload, const char *number, struct lst_slice body)
{
    return (struct call){.method = "PUT",
                         .bucket = "photos",
                         .key = upload->key,
                         .query = {{LST_SLICE("partNumber"), lst_slice_of(number)},
                                   {LST_SLICE("uploadId"), lst_slice_of(upload->id)}},
                         .body = body,
                         .has_body = true,
                         .piece = 100000};
}

static void put_part(struct world *world, const struct upload *upload, const char *number,
                     struct lst_slice body, char ret_etag[40])
{
    struct call call = part_call(upload, number, body);
    struct reply reply = expect(world, &call, 200, "", "a part is put");

    between(&reply, "ETag: \"", "\"", ret_etag, 40);
    reply_release(&reply);
}

static struct call complete_call(const struct upload *upload, char *document)
{
    return (struct call){.method = "POST",
                         .bucket = "photos",
                         .key = upload->key,
                         .query = {{LST_SLICE("uploadId"), lst_slice_of(upload->id)}},
                         .body = lst_slice_of(document),
                         .has_body = true,
                         .piece = 7};
}

static void test_life(struct world *world)
{
    struct upload upload = begin_upload(world, "life", NULL);
    char etags[2][40];
    char document[512];

    put_part(world, &upload, "1", lst_slice_make(large, PART), etags[0]);
    put_part(world, &upload, "2", LST_SLICE("end"), etags[1]);
    struct call list = {.method = "GET",
                        .bucket = "photos",
                        .key = "life",
                        .query = {{LST_SLICE("uploadId"), lst_slice_of(upload.id)}}};
    struct reply reply = expect(world, &list, 200, "", "its parts are listed");
    CHECK(reply_has(&reply, "<PartNumber>1</PartNumber>") &&
              reply_has(&reply, "<Size>5242880</Size>") &&
              reply_has(&reply, "<NextPartNumberMarker>2</NextPartNumberMarker>"),
          "with numbers and sizes");
    reply_release(&reply);
    snprintf(document, sizeof(document),
             "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"%s\"</ETag></Part>"
             "<Part><ETag>%s</ETag><PartNumber>2</PartNumber></Part></CompleteMultipartUpload>",
             etags[0], etags[1]);
    struct call complete = complete_call(&upload, document);
    for (int i = 0; i < 2; i++) {
        reply = expect(world, &complete, 200, "", "it is completed, and once more");
        CHECK(reply_has(&reply, "-2&quot;</ETag>") &&
                  reply_has(&reply, "<Location>http://127.0.0.1:9000/photos/life</Location>") &&
                  reply_has(&reply, "<ChecksumType>FULL_OBJECT</ChecksumType>"),
              "with ETag, address and checksum");
        reply_release(&reply);
    }
    struct call get = {.method = "GET", .bucket = "photos", .key = "life"};
    reply = expect(world, &get, 200, "", "it is read");
    CHECK(reply.kind == LST_BODY_STREAM && reply.body_length == PART + 3 &&
              memcmp(reply.body, large, PART) == 0 && memcmp(reply.body + PART, "end", 3) == 0,
          "all of it");
    reply_release(&reply);
    get.headers[0] = (struct lst_field)FIELD("Range", "bytes=100-199");
    reply = expect(world, &get, 206, "", "a range in one part");
    CHECK(reply.kind == LST_BODY_FILE && memcmp(reply.body, large + 100, 100) == 0,
          "comes from its file");
    reply_release(&reply);
}

static void test_refused_completions(struct world *world)
{
    struct upload upload = begin_upload(world, "refused", NULL);
    char etag[40];
    char document[512];
    struct call complete = complete_call(&upload, document);
    static const struct {
        const char *list; /* %s is the part's ETag */
        const char *error;
        const char *says;
    } cases[] = {
        {"<Part><PartNumber>1</PartNumber><ETag>0</ETag></Part>", "InvalidPart",
         "<PartNumber>1</PartNumber><ETag>0</ETag>"},
        {"<Part><PartNumber>2</PartNumber><ETag>%s</ETag></Part>", "InvalidPart", "<UploadId>"},
        {"<Part><PartNumber>2</PartNumber><ETag>%s</ETag></Part>"
         "<Part><PartNumber>1</PartNumber><ETag>0</ETag></Part>",
         "InvalidPartOrder", "<UploadId>"},
        {"<Part><PartNumber>1</PartNumber><ETag>%s</ETag></Part>"
         "<Part><PartNumber>1</PartNumber><ETag>0</ETag></Part>",
         "InvalidPartOrder", "<UploadId>"},
        {"<Part><PartNumber>1</PartNumber><ETag>%s</ETag></Part>"
         "<Part><PartNumber>2</PartNumber><ETag>900150983cd24fb0d6963f7d28e17f72</ETag></Part>",
         "EntityTooSmall", "<MinSizeAllowed>5242880</MinSizeAllowed>"},
        {"<Part><PartNumber>1</PartNumber><ETag>%s</ETag><ChecksumCRC32>AAAAAA==</ChecksumCRC32>"
         "</Part>",
         "InvalidPart", "<PartNumber>1</PartNumber>"},
        {"<Part><PartNumber>0</PartNumber><ETag>%s</ETag></Part>", "InvalidArgument",
         "PartNumber must be &gt;= 1"},
        {"", "InvalidRequest", "You must specify at least one part"},
        {"<Part><PartNumber>1</PartNumber></Part>", "MalformedXML", ""},
    };

    put_part(world, &upload, "1", LST_SLICE("first"), etag);
    struct call part = part_call(&upload, "2", LST_SLICE("abc"));
    expect_only(world, &part, 200, "", "a second part");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char list[400];
        const char *at = strstr(cases[i].list, "%s");
        snprintf(list, sizeof(list), "%.*s%s%s",
                 (int)(at == NULL ? strlen(cases[i].list) : (size_t)(at - cases[i].list)),
                 cases[i].list, at == NULL ? "" : etag, at == NULL ? "" : at + 2);
        snprintf(document, sizeof(document),
                 "<CompleteMultipartUpload>%s</CompleteMultipartUpload>", list);
        complete.body = lst_slice_of(document);
        struct reply reply = expect(world, &complete, 400, cases[i].error, cases[i].list);
        CHECK(reply_has(&reply, cases[i].says), "and says %s", cases[i].says);
        reply_release(&reply);
    }
    struct call get = {.method = "GET", .bucket = "photos", .key = "refused"};
    expect_only(world, &get, 404, "NoSuchKey", "no object came of it");
    struct call abort_call = {.method = "DELETE",
                              .bucket = "photos",
                              .key = "refused",
                              .query = {{LST_SLICE("uploadId"), lst_slice_of(upload.id)}}};
    expect_only(world, &abort_call, 204, "", "it is aborted");
    struct reply reply = expect(world, &abort_call, 404, "NoSuchUpload", "once");
    CHECK(reply_has(&reply, upload.id), "the upload is named");
    reply_release(&reply);
    expect_only(world, &part, 404, "NoSuchUpload", "a part that comes late is refused");
    reply = expect(world, &complete, 404, "NoSuchUpload", "even a bad document is not looked at");
    reply_release(&reply);
}

static void test_refused_parts(struct world *world)
{
    struct upload upload = begin_upload(world, "parts", "SHA256");
    struct call part = part_call(&upload, "0", LST_SLICE("x"));

    expect_only(world, &part, 400, "InvalidArgument", "parts are counted from 1");
    part = part_call(&upload, "10001", LST_SLICE("x"));
    expect_only(world, &part, 400, "InvalidArgument", "to 10,000");
    part = part_call(&upload, "one", LST_SLICE("x"));
    expect_only(world, &part, 400, "InvalidArgument", "in digits");
    part = part_call(&upload, "1", LST_SLICE("x"));
    expect_only(world, &part, 400, "InvalidRequest", "a composite needs its parts' checksums");
    part.headers[0] = (struct lst_field)FIELD("x-amz-checksum-crc32", "jNFIQw==");
    expect_only(world, &part, 400, "InvalidRequest", "of the kind that was agreed");
    part.headers[0] = (struct lst_field)FIELD("x-amz-checksum-sha256",
                                              "LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSBs=");
    struct reply reply = expect(world, &part, 400, "BadDigest", "and right");
    CHECK(reply.body_wanted, "which the body shows");
    reply_release(&reply);
    part.key = "other";
    reply = expect(world, &part, 404, "NoSuchUpload", "an upload is of its key alone");
    CHECK(!reply.body_wanted, "which is said before the body is read");
    reply_release(&reply);
}

int main(void)
{
    struct world world;

    large = malloc(PART);
    for (size_t i = 0; i < PART && large != NULL; i++) {
        large[i] = (char)(i * 31 + i / 1021);
    }
    world_open(&world, NULL, 0);
    make_bucket(&world, "photos");
    test_life(&world);
    test_refused_completions(&world);
    test_refused_parts(&world);
    world_close(&world);
    free(large);
    return tap_done();
}
