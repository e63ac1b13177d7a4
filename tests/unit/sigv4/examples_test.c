/* examples_test.c - the examples that AWS documents for Signature Version 4 of S3, signed and
 * checked. "Authenticating Requests (AWS Signature Version 4)", Amazon S3 API Reference. */
#include "latchstring.h"
#include "tap.h"

#define NOW          INT64_C(1369353600) /* 2013-05-24T00:00:00Z */
#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const struct lst_slice access_key_id = {"AKIAIOSFODNN7EXAMPLE", 20};
static const struct lst_slice host = {"examplebucket.s3.amazonaws.com", 30};
static struct lst_key key;

struct example {
    const char *name;
    const char *method;
    const char *target;
    const char *key;
    struct lst_field query[2];
    size_t query_count;
    struct lst_field headers[2];
    size_t header_count;
    const char *payload_hash;
    const char *signed_headers;
    const char *signature;
};

static const struct example examples[] = {
    {.name = "GET with a range",
     .method = "GET",
     .target = "/test.txt",
     .key = "test.txt",
     .headers = {{{"Range", 5}, {"bytes=0-9", 9}}},
     .header_count = 1,
     .payload_hash = EMPTY_SHA256,
     .signed_headers = "host;range;x-amz-content-sha256;x-amz-date",
     .signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {.name = "PUT with a date and a storage class",
     .method = "PUT",
     .target = "/test%24file.text",
     .key = "test$file.text",
     .headers = {{{"Date", 4}, {"Fri, 24 May 2013 00:00:00 GMT", 29}},
                 {{"x-amz-storage-class", 19}, {"REDUCED_REDUNDANCY", 18}}},
     .header_count = 2,
     .payload_hash = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
     .signed_headers = "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
     .signature = "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
    {.name = "GET of a bucket's lifecycle",
     .method = "GET",
     .target = "/?lifecycle",
     .key = "",
     .query = {{{"lifecycle", 9}, {"", 0}}},
     .query_count = 1,
     .payload_hash = EMPTY_SHA256,
     .signed_headers = "host;x-amz-content-sha256;x-amz-date",
     .signature = "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {.name = "GET of a listing",
     .method = "GET",
     .target = "/?max-keys=2&prefix=J",
     .key = "",
     .query = {{{"max-keys", 8}, {"2", 1}}, {{"prefix", 6}, {"J", 1}}},
     .query_count = 2,
     .payload_hash = EMPTY_SHA256,
     .signed_headers = "host;x-amz-content-sha256;x-amz-date",
     .signature = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
};

static struct lst_signing signing_of(const struct example *example)
{
    struct lst_signing signing = {
        .method = lst_slice_of(example->method),
        .host = host,
        .key = lst_slice_of(example->key),
        .query = example->query,
        .query_count = example->query_count,
        .headers = example->headers,
        .header_count = example->header_count,
        .access_key_id = access_key_id,
        .payload_hash = lst_slice_of(example->payload_hash),
        .time = NOW,
    };

    return signing;
}

static void check_received(const struct example *example, struct lst_slice authorization)
{
    struct lst_field headers[6] = {
        {LST_SLICE("Host"), host},
        {LST_SLICE("x-amz-content-sha256"), lst_slice_of(example->payload_hash)},
        {LST_SLICE("x-amz-date"), LST_SLICE("20130524T000000Z")},
        {LST_SLICE("Authorization"), authorization},
    };
    struct lst_request request = {
        .method = lst_slice_of(example->method),
        .target = lst_slice_of(example->target),
        .headers = headers,
        .header_count = 4 + example->header_count,
    };
    struct lst_rules rules = {0};
    struct lst_auth auth;

    memcpy(headers + 4, example->headers, example->header_count * sizeof(headers[0]));
    CHECK(lst_parse(&request, &rules, NOW + 60, &auth) == LST_OK, "%s: is well formed",
          example->name);
    CHECK(auth.kind == LST_AUTH_HEADER && auth.payload == LST_PAYLOAD_SHA256,
          "%s: is known as signed by a header, with the body's hash", example->name);
    CHECK(lst_verify(&request, &auth, &key) == LST_OK, "%s: the signature is accepted",
          example->name);
    request.method = LST_SLICE("DELETE");
    CHECK(lst_verify(&request, &auth, &key) == LST_REFUSED_SIGNATURE,
          "%s: with another method it is refused", example->name);
}

static void check_example(const struct example *example)
{
    struct lst_signing signing = signing_of(example);
    char value[1024];
    char want[1024];
    size_t length = 0;

    snprintf(want, sizeof(want),
             "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
             "SignedHeaders=%s, Signature=%s",
             example->signed_headers, example->signature);
    CHECK(lst_sign_header(&signing, &key, value, sizeof(value), &length) == LST_OK, "%s: signs",
          example->name);
    CHECK_TEXT(value, length, want, example->name);
    check_received(example, (struct lst_slice){value, length});
    snprintf(want, sizeof(want),
             "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
             "SignedHeaders=%s,Signature=%s",
             example->signed_headers, example->signature);
    check_received(example, lst_slice_of(want));
}

static struct lst_signing presigned_get(void)
{
    return (struct lst_signing){
        .method = LST_SLICE("GET"),
        .host = LST_SLICE("s3.amazonaws.com"),
        .bucket = LST_SLICE("examplebucket"),
        .key = LST_SLICE("test.txt"),
        .style = LST_VIRTUAL_HOST,
        .access_key_id = access_key_id,
        .time = NOW,
        .expires = 86400,
    };
}

static void check_presigned_stages(void)
{
    struct lst_signing signing = presigned_get();
    char text[2048];
    size_t length = 0;

    CHECK(lst_signing_canonical_request(&signing, &key, LST_AUTH_QUERY, text, sizeof(text),
                                        &length) == LST_OK,
          "presigned GET: the canonical request can be had");
    CHECK_TEXT(text, length,
               "GET\n/test.txt\nX-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
               "AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date="
               "20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\n"
               "host:examplebucket.s3.amazonaws.com\n\nhost\nUNSIGNED-PAYLOAD",
               "presigned GET: the canonical request is AWS's");
    CHECK(lst_signing_string_to_sign(&signing, &key, LST_AUTH_QUERY, text, sizeof(text), &length) ==
              LST_OK,
          "presigned GET: the string to sign can be had");
    CHECK_TEXT(text, length,
               "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n"
               "3bfa292879f6447bbcda7001decf97f4a54dc650c8942174ae0a9121cf58ad04",
               "presigned GET: the string to sign is AWS's");
}

static void check_presigned(void)
{
    static const char url[] =
        "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&"
        "X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&"
        "X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&"
        "X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    struct lst_signing signing = presigned_get();
    struct lst_field headers[] = {{LST_SLICE("host"), host}};
    struct lst_request request = {.method = LST_SLICE("GET"),
                                  .target = lst_slice_of(strstr(url, "/test.txt")),
                                  .headers = headers,
                                  .header_count = 1};
    struct lst_rules rules = {0};
    struct lst_auth auth;
    char text[2048];
    size_t length = 0;

    CHECK(lst_presign(&signing, &key, text, sizeof(text), &length) == LST_OK,
          "presigned GET: signs");
    CHECK_TEXT(text, length, url, "presigned GET: the URL is AWS's");
    CHECK(lst_presign_bound(&signing, &key) >= length, "presigned GET: the bound holds");
    CHECK(lst_presign(&signing, &key, text, length, &length) == LST_OK,
          "presigned GET: fits a buffer of exactly its length");
    CHECK(lst_presign(&signing, &key, text, length - 1, &length) == LST_ERR_BUFFER_TOO_SMALL,
          "presigned GET: one byte less is too small");
    CHECK(lst_parse(&request, &rules, NOW + 86400, &auth) == LST_OK,
          "presigned GET: is accepted in its last second");
    CHECK(lst_verify(&request, &auth, &key) == LST_OK, "presigned GET: the signature is accepted");
    CHECK(lst_string_to_sign(&request, &auth, text, sizeof(text), &length) == LST_OK &&
              memcmp(text + length - 64,
                     "3bfa292879f6447bbcda7001decf97f4a54dc650c8942174ae0a9121cf58ad04", 64) == 0,
          "presigned GET: the checker's string to sign is AWS's");
    CHECK(auth.payload == LST_PAYLOAD_UNSIGNED && auth.expires == 86400 && auth.time == NOW &&
              strcmp(auth.access_key_id, "AKIAIOSFODNN7EXAMPLE") == 0,
          "presigned GET: the claims are taken apart");
}

int main(void)
{
    CHECK(lst_key_init(&key, LST_SLICE("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), NOW,
                       LST_SLICE("us-east-1"), LST_SLICE("s3")) == LST_OK,
          "the key can be made");
    CHECK(strcmp(key.scope, "20130524/us-east-1/s3/aws4_request") == 0, "the key knows its scope");
    check_presigned_stages();
    check_presigned();
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        check_example(&examples[i]);
    }
    return tap_done();
}
