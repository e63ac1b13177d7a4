/* copy_source_test.c - taking x-amz-copy-source apart. */
#include "s3/copy_source.h"
#include "tap.h"

#include <stdlib.h>

static struct lst_copy_source source;

static void expect(const char *header, const char *bucket, const char *key, const char *version)
{
    int status = lst_copy_source_parse(lst_slice_of(header), &source);

    CHECK(status == LST_OK && lst_slice_equal(source.name.bucket, lst_slice_of(bucket)) &&
              lst_slice_equal(source.name.key, lst_slice_of(key)) &&
              lst_slice_equal(source.name.version, lst_slice_of(version)),
          "%s", header);
}

static void expect_code(const char *header, int code)
{
    int status = lst_copy_source_parse(lst_slice_of(header), &source);

    CHECK(status == code, "%.60s is refused", header);
    if (status != code) {
        printf("#  got: %d\n# want: %d\n", status, code);
    }
}

int main(void)
{
    char long_key[8 + 1025 + 1] = "/bucket/";

    expect("bucket/key", "bucket", "key", "");
    expect("/bucket/key", "bucket", "key", "");
    expect(" /bucket/key ", "bucket", "key", "");
    expect("bucket%2Fkey", "bucket", "key", "");
    expect("%2Fbucket%2Fkey", "bucket", "key", "");
    expect("bucket/a/b//c/", "bucket", "a/b//c/", "");
    expect("bucket//key", "bucket", "/key", "");
    expect("bucket/caf%C3%A9+au%20lait%2B", "bucket", "caf\xC3\xA9 au lait+", "");
    expect("bucket/what%3FversionId=7", "bucket", "what?versionId=7", "");
    expect("bucket/key?versionId=null", "bucket", "key", "null");
    expect("bucket/key?versionId=0123%34", "bucket", "key", "01234");
    expect("bucket/key?other=1", "bucket", "key?other=1", "");
    expect_code("", LST_ERR_MALFORMED);
    expect_code("/", LST_ERR_MALFORMED);
    expect_code("bucket", LST_ERR_MALFORMED);
    expect_code("bucket/", LST_ERR_MALFORMED);
    expect_code("/bucket/?versionId=x", LST_ERR_MALFORMED);
    expect_code("bucket/key?versionId=", LST_ERR_VERSION_MALFORMED);
    expect_code("bucket/%zz", LST_ERR_INVALID_ARGUMENT);
    expect_code("bucket/%", LST_ERR_INVALID_ARGUMENT);
    expect_code("bucket/%FF", LST_ERR_KEY_NOT_UTF8);
    expect_code("//key", LST_ERR_BUCKET_NAME);
    expect_code("../key", LST_ERR_BUCKET_NAME);
    expect_code("Not A Bucket/key", LST_ERR_BUCKET_NAME);
    expect_code("arn:aws:s3:us-east-1:1:accesspoint/x/object/key", LST_ERR_BUCKET_NAME);
    memset(long_key + 8, 'k', 1025);
    expect_code(long_key, LST_ERR_KEY_TOO_LONG);
    long_key[8 + 1024] = '\0';
    expect(long_key, "bucket", long_key + 8, "");
    return tap_done();
}
