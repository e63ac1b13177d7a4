/* routes_test.c - every request leads to the operation that S3 would carry out, or to none. */
#include "base/error.h"
#include "request.h"
#include "s3/routes.h"
#include "tap.h"

#include <stdlib.h>

static const struct {
    const char *method;
    const char *target; /* path style */
    const char *header; /* a name, or NULL */
    enum lst_route_kind kind;
    const char *operation;
} routes[] = {
    {"GET", "/", NULL, LST_ROUTE_FOUND, "ListBuckets"},
    {"GET", "/?x-id=ListBuckets", NULL, LST_ROUTE_FOUND, "ListBuckets"},
    {"PUT", "/bucket", NULL, LST_ROUTE_FOUND, "CreateBucket"},
    {"PUT", "/bucket/", NULL, LST_ROUTE_FOUND, "CreateBucket"},
    {"HEAD", "/bucket", NULL, LST_ROUTE_FOUND, "HeadBucket"},
    {"DELETE", "/bucket", NULL, LST_ROUTE_FOUND, "DeleteBucket"},
    {"GET", "/bucket?location", NULL, LST_ROUTE_FOUND, "GetBucketLocation"},
    {"GET", "/bucket?location=", NULL, LST_ROUTE_FOUND, "GetBucketLocation"},
    {"GET", "/bucket", NULL, LST_ROUTE_FOUND, "ListObjects"},
    {"GET", "/bucket?prefix=&delimiter=%2F&marker&encoding-type=url", NULL, LST_ROUTE_FOUND,
     "ListObjects"},
    {"GET", "/bucket?list-type=2&prefix=a", NULL, LST_ROUTE_FOUND, "ListObjectsV2"},
    {"POST", "/bucket?delete", NULL, LST_ROUTE_FOUND, "DeleteObjects"},
    {"POST", "/bucket", NULL, LST_ROUTE_FOUND, "PostObject"},
    {"PUT", "/bucket/key", NULL, LST_ROUTE_FOUND, "PutObject"},
    {"PUT", "/bucket/a/b/../c", NULL, LST_ROUTE_FOUND, "PutObject"},
    {"GET", "/bucket/key?x-id=GetObject", NULL, LST_ROUTE_FOUND, "GetObject"},
    {"GET", "/bucket/key?versionId=null&response-content-type=a&_=17", NULL, LST_ROUTE_FOUND,
     "GetObject"},
    {"HEAD", "/bucket/key", NULL, LST_ROUTE_FOUND, "HeadObject"},
    {"DELETE", "/bucket/key", NULL, LST_ROUTE_FOUND, "DeleteObject"},
    {"PUT", "/bucket/key", "X-Amz-Copy-Source", LST_ROUTE_FOUND, "CopyObject"},
    {"PUT", "/bucket/key?X-Amz-Copy-Source=%2Fa%2Fb", NULL, LST_ROUTE_FOUND, "CopyObject"},
    {"PUT", "/bucket/key?x%2damz-copy-source=%2Fa%2Fb", NULL, LST_ROUTE_FOUND, "CopyObject"},
    {"PUT", "/bucket/key?uploadId=1&partNumber=2", NULL, LST_ROUTE_FOUND, "UploadPart"},
    {"PUT", "/bucket/key?partNumber=2&uploadId=1", "x-amz-copy-source", LST_ROUTE_FOUND,
     "UploadPartCopy"},
    {"PUT", "/bucket/key?uploadId=1", NULL, LST_ROUTE_METHOD, NULL},
    {"PUT", "/bucket/key?partNumber=1", NULL, LST_ROUTE_METHOD, NULL},
    {"POST", "/bucket/key?uploads", NULL, LST_ROUTE_FOUND, "CreateMultipartUpload"},
    {"POST", "/bucket/key?uploadId=1", NULL, LST_ROUTE_FOUND, "CompleteMultipartUpload"},
    {"DELETE", "/bucket/key?uploadId=1", NULL, LST_ROUTE_FOUND, "AbortMultipartUpload"},
    {"GET", "/bucket/key?uploadId=1&max-parts=2", NULL, LST_ROUTE_FOUND, "ListParts"},
    {"GET", "/bucket?uploads", NULL, LST_ROUTE_FOUND, "ListMultipartUploads"},
    {"GET", "/bucket/key?partNumber=1", NULL, LST_ROUTE_FOUND, "GetObjectPart"},
    {"HEAD", "/bucket/key?partNumber=1", NULL, LST_ROUTE_FOUND, "HeadObjectPart"},
    {"GET", "/bucket/key?acl", NULL, LST_ROUTE_FOUND, "GetObjectAcl"},
    {"GET", "/bucket/key?ac%6C", NULL, LST_ROUTE_FOUND, "GetObjectAcl"},
    {"PUT", "/bucket/key?acl&versionId=x", NULL, LST_ROUTE_FOUND, "PutObjectAcl"},
    {"GET", "/bucket/key?attributes", NULL, LST_ROUTE_FOUND, "GetObjectAttributes"},
    {"POST", "/bucket/key?select&select-type=2", NULL, LST_ROUTE_FOUND, "SelectObjectContent"},
    {"POST", "/bucket/key?restore", NULL, LST_ROUTE_FOUND, "RestoreObject"},
    {"GET", "/bucket/key?torrent", NULL, LST_ROUTE_FOUND, "GetObjectTorrent"},
    {"PUT", "/bucket/key?legal-hold", NULL, LST_ROUTE_FOUND, "PutObjectLegalHold"},
    {"PUT", "/bucket/key?retention", NULL, LST_ROUTE_FOUND, "PutObjectRetention"},
    {"PUT", "/bucket/key?renameObject", NULL, LST_ROUTE_FOUND, "RenameObject"},
    {"PUT", "/bucket?versioning", NULL, LST_ROUTE_FOUND, "PutBucketVersioning"},
    {"PUT", "/bucket?cors=", NULL, LST_ROUTE_FOUND, "PutBucketCors"},
    {"GET", "/bucket?analytics&id=1", NULL, LST_ROUTE_FOUND, "GetBucketAnalyticsConfiguration"},
    {"GET", "/bucket?analytics", NULL, LST_ROUTE_FOUND, "ListBucketAnalyticsConfigurations"},
    {"GET", "/bucket/key?annotation&annotationName=a", NULL, LST_ROUTE_FOUND,
     "GetObjectAnnotation"},
    {"GET", "/bucket/key?annotation", NULL, LST_ROUTE_FOUND, "ListObjectAnnotations"},
    {"DELETE", "/bucket/key?acl", NULL, LST_ROUTE_METHOD, NULL},
    {"DELETE", "/bucket?location", NULL, LST_ROUTE_METHOD, NULL},
    {"GET", "/bucket/key?policy", NULL, LST_ROUTE_METHOD, NULL},
    {"HEAD", "/bucket/key?tagging", NULL, LST_ROUTE_METHOD, NULL},
    {"POST", "/bucket/key", NULL, LST_ROUTE_METHOD, NULL},
    {"PATCH", "/bucket/key", NULL, LST_ROUTE_METHOD, NULL},
    {"get", "/bucket/key", NULL, LST_ROUTE_METHOD, NULL},
    {"PUT", "/", NULL, LST_ROUTE_METHOD, NULL},
    {"GET", "/bucket?acl&versioning", NULL, LST_ROUTE_CONFLICT, NULL},
    {"PUT", "/bucket/key?uploadId=1&partNumber=1&acl", NULL, LST_ROUTE_CONFLICT, NULL},
    {"GET", "/bucket/key?acl&acl", NULL, LST_ROUTE_REPEATED, NULL},
    {"GET", "/bucket/key?versionId=1&version%49d=2", NULL, LST_ROUTE_REPEATED, NULL},
    {"PUT", "/bucket?somethingNew", NULL, LST_ROUTE_UNKNOWN, NULL},
    {"GET", "/bucket/key?somethingNew=", NULL, LST_ROUTE_UNKNOWN, NULL},
    {"GET", "/bucket/key?ACL", NULL, LST_ROUTE_UNKNOWN, NULL},
    {"PUT", "/bucket/key?x-latch-length=0-5", NULL, LST_ROUTE_FOUND, "PutObject"},
    {"PUT", "/bucket/key?X-Latch-anything", NULL, LST_ROUTE_FOUND, "PutObject"},
    {"PUT", "/bucket/key?x-%6Catch-length=0-5", NULL, LST_ROUTE_FOUND, "PutObject"},
};

static void check_route(const char *method, const char *target, const char *header,
                        enum lst_route_kind kind, const char *operation)
{
    struct lst_field headers[1];
    struct lst_slice text = lst_slice_of(target);
    size_t path = lst_slice_find(text, '?');
    struct lst_http_request request = {
        .message = {.method = lst_slice_of(method), .target = text, .headers = headers},
        .path = lst_slice_first(text, path),
        .query = lst_slice_after(text, path + 1),
    };
    char scratch[256];
    struct lst_target decoded;

    if (header != NULL) {
        headers[0] = (struct lst_field){lst_slice_of(header), LST_SLICE("/a/b")};
        request.message.header_count = 1;
    }
    if (lst_target_decode(request.path, LST_SLICE("localhost"), NULL, 0, scratch, &decoded) !=
        LST_OK) {
        CHECK(false, "%s can be decoded", target);
        return;
    }
    request_read(&request);
    struct lst_route route = lst_route_find(&request, decoded.level);
    const char *name = route.operation == NULL ? NULL : route.operation->name;
    CHECK(route.kind == kind &&
              (operation == NULL ? name == NULL : name != NULL && strcmp(name, operation) == 0),
          "%s %s%s%s: %s", method, target, header == NULL ? "" : " with ",
          header == NULL ? "" : header, name == NULL ? "-" : name);
}

/* Each row is reached by the request that it describes: no row hides another. */
static void test_rows(void)
{
    static const char *const paths[] = {"/", "/bucket", "/bucket/key"};
    char target[128];

    for (size_t i = 0; i < lst_operation_count; i++) {
        const struct lst_operation *row = &lst_operations[i];
        snprintf(target, sizeof(target), "%s%s%s%s%s", paths[row->level],
                 row->parameter == 0 ? "" : "?", lst_parameter_name(row->parameter).bytes,
                 row->second == 0 ? "" : "&", lst_parameter_name(row->second).bytes);
        if (row->second != 0) {
            strcat(target, "=1");
        }
        check_route(row->method, target,
                    row->header == 0 ? NULL : lst_header_name(row->header).bytes, LST_ROUTE_FOUND,
                    row->name);
    }
}

static const struct {
    const char *host;
    const char *path;
    int status;
    enum lst_level level;
    const char *bucket;
    const char *key;
} targets[] = {
    {"localhost:9000", "/", LST_OK, LST_LEVEL_SERVICE, "", ""},
    {"localhost", "/bucket", LST_OK, LST_LEVEL_BUCKET, "bucket", ""},
    {"localhost", "/bucket/", LST_OK, LST_LEVEL_BUCKET, "bucket", ""},
    {"localhost", "/bucket//a/./../b//", LST_OK, LST_LEVEL_OBJECT, "bucket", "/a/./../b//"},
    {"localhost", "/bucket/a%20b%2Fc+d%25", LST_OK, LST_LEVEL_OBJECT, "bucket", "a b/c+d%"},
    {"localhost", "/bucket%2Fkey", LST_OK, LST_LEVEL_BUCKET, "bucket/key", ""},
    {"localhost", "//key", LST_OK, LST_LEVEL_OBJECT, "", "key"},
    {"localhost", "//", LST_OK, LST_LEVEL_BUCKET, "", ""},
    {"s3.example.com", "/bucket/key", LST_OK, LST_LEVEL_OBJECT, "bucket", "key"},
    {"photos.s3.example.com", "/key", LST_OK, LST_LEVEL_OBJECT, "photos", "key"},
    {"photos.s3.example.com:9000", "/", LST_OK, LST_LEVEL_BUCKET, "photos", ""},
    {"my.photos.s3.example.com", "/a/b", LST_OK, LST_LEVEL_OBJECT, "my.photos", "a/b"},
    {"photos.S3.Example.COM", "/key", LST_OK, LST_LEVEL_OBJECT, "photos", "key"},
    {"photos.example.com", "/key", LST_OK, LST_LEVEL_OBJECT, "photos", "key"},
    {"photos.s3.example.com", "//key", LST_OK, LST_LEVEL_OBJECT, "photos", "/key"},
    {"photos.s3.example.org", "/bucket/key", LST_OK, LST_LEVEL_OBJECT, "bucket", "key"},
    {"[::1]:9000", "/bucket/key", LST_OK, LST_LEVEL_OBJECT, "bucket", "key"},
    {"", "/bucket/key", LST_OK, LST_LEVEL_OBJECT, "bucket", "key"},
    {"localhost", "/bucket/%zz", LST_ERR_MALFORMED, LST_LEVEL_SERVICE, "", ""},
    {"localhost", "/bucket/%4", LST_ERR_MALFORMED, LST_LEVEL_SERVICE, "", ""},
    {"localhost", "bucket", LST_ERR_MALFORMED, LST_LEVEL_SERVICE, "", ""},
    {"localhost", "", LST_ERR_MALFORMED, LST_LEVEL_SERVICE, "", ""},
    {"localhost", "/bucket/%FF", LST_ERR_KEY_NOT_UTF8, LST_LEVEL_SERVICE, "", ""},
    {"localhost", "/bucket/%C0%80", LST_ERR_KEY_NOT_UTF8, LST_LEVEL_SERVICE, "", ""},
};

static void test_targets(void)
{
    const struct lst_slice domains[] = {LST_SLICE("example.com"), LST_SLICE("s3.example.com")};

    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        struct lst_slice path = lst_slice_of(targets[i].path);
        char *scratch = malloc(path.length + 1);
        struct lst_target target = {.level = LST_LEVEL_SERVICE};
        int status =
            lst_target_decode(path, lst_slice_of(targets[i].host), domains, 2, scratch, &target);

        CHECK(status == targets[i].status && target.level == targets[i].level &&
                  lst_slice_equal(target.bucket, lst_slice_of(targets[i].bucket)) &&
                  lst_slice_equal(target.key, lst_slice_of(targets[i].key)),
              "'%s' at '%s'", targets[i].path, targets[i].host);
        free(scratch);
    }
}

static void test_long_keys(void)
{
    char path[8 + 3 * 1025 + 1] = "/bucket/";
    char scratch[sizeof(path)];
    struct lst_target target;
    size_t length = 8;

    for (size_t i = 0; i < 1024; i++, length += 3) {
        memcpy(path + length, "%61", 3);
    }
    CHECK(lst_target_decode(lst_slice_make(path, length), LST_SLICE("localhost"), NULL, 0, scratch,
                            &target) == LST_OK &&
              target.key.length == 1024,
          "a key of 1024 bytes, however long it is encoded");
    memcpy(path + length, "%61", 3);
    CHECK(lst_target_decode(lst_slice_make(path, length + 3), LST_SLICE("localhost"), NULL, 0,
                            scratch, &target) == LST_ERR_KEY_TOO_LONG,
          "one more is too long");
}

int main(void)
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        check_route(routes[i].method, routes[i].target, routes[i].header, routes[i].kind,
                    routes[i].operation);
    }
    test_rows();
    test_targets();
    test_long_keys();
    return tap_done();
}
