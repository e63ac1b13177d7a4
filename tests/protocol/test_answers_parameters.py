"""What S3 answers to parameters: which of them it refuses, in which words, and which of two faults it names.

The rows are answers of AWS, as others have recorded them.
"""
import base64
import hashlib

import pytest
from harness import sign_and_send

BUCKET, OBJECT, ABSENT, NOWHERE = "/pictures", "/pictures/o.md", "/pictures/no/such.md", "/no-such-bucket"
TEXT = b"Check dashboards, roll back, page on-call."

NO_VERSION = "This operation does not accept a version-id."
BAD_VERSION = "Invalid version id specified"
EMPTY_VERSION = "Version id cannot be the empty string"
NO_KEY_MARKER = "A version-id marker cannot be specified without a key marker."
NOT_A_NUMBER = "Provided max-keys not an integer or within integer range"
NEGATIVE = "Argument maxKeys must be an integer between 0 and 2147483647"
BAD_ENCODING = "Invalid Encoding Method specified in Request"
BAD_TOKEN = "The continuation token provided is incorrect"
PART = "Part number must be an integer between 1 and 10000, inclusive"
PART_AND_RANGE = "Cannot specify both Range header and partNumber query parameter"
NO_KEY = "Object must have a valid key name."
BUCKETS = "Argument max-buckets must be an integer between 1 and 10000"
NO_ATTRIBUTES = "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty"
NO_SUCH_BUCKET = "The specified bucket does not exist"


@pytest.fixture(scope="module")
def read(server):
    sign_and_send(server, "PUT", OBJECT, TEXT)

    def send(method, path, headers=None):
        target, _, query = path.partition("?")
        query = "&".join(part if "=" in part else part + "=" for part in query.split("&")) if query else ""
        return sign_and_send(server, method, target, query=query, headers=headers or {})
    return send


def refused(answer, status, code, message, name=None, value=None):
    error = answer.error
    assert (answer.status, error["Code"]) == (status, code) and error["Message"] == message
    assert (error.get("ArgumentName"), error.get("ArgumentValue")) == (name, value)


@pytest.mark.parametrize("query,message,name,value", [
    ("max-keys=abc", NOT_A_NUMBER, "max-keys", "abc"), ("max-keys=%205", NOT_A_NUMBER, "max-keys", " 5"),
    ("max-keys=2147483648", NOT_A_NUMBER, "max-keys", "2147483648"), ("max-keys=-1", NEGATIVE, "maxKeys", "-1"),
    ("max-keys=-01", NEGATIVE, "maxKeys", "-1"), ("list-type=2&max-keys=-1", NEGATIVE, "maxKeys", "-1"),
    ("list-type=2&marker=x", "Marker unsupported with REST.GET.BUCKET in list-type=2", "marker", None),
    ("list-type=2&marker=", "Marker unsupported with REST.GET.BUCKET in list-type=2", "marker", None),
    ("start-after=x", "startAfter only supported in REST.GET.BUCKET with list-type=2", "start-after", None),
    ("start-after=x&continuation-token=y", "continuation-token only supported in REST.GET.BUCKET with list-type=2",
     "continuation-token", None),
    ("list-type=2&continuation-token=garbage", BAD_TOKEN, "continuation-token", None),
    ("list-type=2&continuation-token=", BAD_TOKEN, "continuation-token", None),
    ("list-type=2&continuation-token=garbage&encoding-type=bogus", BAD_ENCODING, "encoding-type", "bogus"),
    ("list-type=2&continuation-token=garbage&max-keys=-1", BAD_TOKEN, "continuation-token", None),
    ("list-type=2&continuation-token=garbage&max-keys=abc", NOT_A_NUMBER, "max-keys", "abc"),
    ("encoding-type=", BAD_ENCODING, "encoding-type", ""),
    ("versions&version-id-marker=x", NO_KEY_MARKER, "version-id-marker", "x"),
    ("versions&version-id-marker=", NO_KEY_MARKER, "version-id-marker", ""),
    ("versions&key-marker=&version-id-marker=x", NO_KEY_MARKER, "version-id-marker", "x"),
    ("versions&key-marker=a&version-id-marker=", "A version-id marker cannot be empty.", "version-id-marker", ""),
    ("versions&key-marker=a&version-id-marker=NULL", BAD_VERSION, "version-id-marker", "NULL"),
    ("versions&max-keys=abc&version-id-marker=x", NOT_A_NUMBER, "max-keys", "abc"),
    ("versions&encoding-type=bogus&version-id-marker=x", NO_KEY_MARKER, "version-id-marker", "x"),
    ("versions&max-keys=-1", "max-keys cannot be negative", "max-keys", None),
    ("versions&max-keys=-1&encoding-type=bogus", BAD_ENCODING, "encoding-type", "bogus"),
    ("versions&prefix=%00", "Value must be a sequence of Unicode characters and cannot include Null.", None, None),
    ("versions&key-marker=%00", "Value must be a sequence of Unicode characters and cannot include Null.", None, None)])
def test_listings(read, query, message, name, value):
    refused(read("GET", f"{BUCKET}?{query}"), 400, "InvalidArgument", message, name, value)


@pytest.mark.parametrize("query,early", [
    ("max-keys=abc", True), ("max-keys=-1", False), ("list-type=2&marker=x", True), ("encoding-type=bogus", False),
    ("list-type=2&continuation-token=garbage", False), ("versions&version-id-marker=x", True),
    ("versions&key-marker=a&version-id-marker=", True), ("versions&key-marker=a&version-id-marker=x", False),
    ("versions&max-keys=-1", False), ("uploads&max-uploads=abc", True), ("uploads&encoding-type=bogus", False)])
def test_what_is_told_before_that_there_is_no_bucket(read, query, early):
    assert read("GET", f"{NOWHERE}?{query}").status == (400 if early else 404)


@pytest.mark.parametrize("query,element", [
    ("list-type=1", "<Marker></Marker>"), ("list-type=bogus", "<Marker></Marker>"), ("list-type=", "<Marker></Marker>"),
    ("list-type=2&encoding-type=URL", "<EncodingType>URL</EncodingType>"), ("max-keys=", "<MaxKeys>1000</MaxKeys>"),
    ("max-keys=05", "<MaxKeys>5</MaxKeys>"), ("max-keys=-0", "<MaxKeys>0</MaxKeys>"), ("foo=bar", "<Key>o.md</Key>")])
def test_listings_that_are_answered(read, query, element):
    answer = read("GET", f"{BUCKET}?{query}")
    assert answer.status == 200 and element in answer.body.decode()


def test_a_list_of_uploads_has_its_elements_in_an_order_of_its_own(read):
    body = read("GET", f"{BUCKET}?uploads&encoding-type=url&prefix=none%2F&delimiter=%2F").body.decode()
    assert ("<NextUploadIdMarker></NextUploadIdMarker><Delimiter>/</Delimiter><Prefix>none/</Prefix><MaxUploads>1000</MaxUploads>"
            "<EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>") in body
    body = read("GET", f"{BUCKET}?uploads&prefix=&delimiter=&key-marker=").body.decode()
    assert "Prefix" not in body and "Delimiter" not in body


@pytest.mark.parametrize("query,message,name,value", [
    ("max-buckets=abc", "Provided max-buckets not an integer or within integer range", "max-buckets", "abc"),
    ("max-buckets=%201", "Provided max-buckets not an integer or within integer range", "max-buckets", " 1"),
    ("max-buckets=0", BUCKETS, "max-buckets", "0"), ("max-buckets=-01", BUCKETS, "max-buckets", "-1"),
    ("max-buckets=010001", BUCKETS, "max-buckets", "10001"),
    ("max-buckets=0&bucket-region=zz", BUCKETS, "max-buckets", "0"),
    ("bucket-region=", "Argument value  is not a valid AWS Region", "bucket-region", None),
    ("continuation-token=garbage", BAD_TOKEN, "continuation-token", None)])
def test_list_buckets(read, query, message, name, value):
    refused(read("GET", f"/?{query}"), 400, "InvalidArgument", message, name, value)


@pytest.mark.parametrize("query", ["max-buckets=", "max-buckets=05", "continuation-token=", "prefix=",
                                   "bucket-region=Us-East-1"])
def test_lists_of_buckets_that_are_answered(read, query):
    answer = read("GET", f"/?{query}")
    assert answer.status == 200 and "<BucketRegion>us-east-1</BucketRegion>" in answer.body.decode()
    assert ("<Prefix></Prefix>" in answer.body.decode()) == (query == "prefix=")


@pytest.mark.parametrize("method,path", [
    ("GET", f"{BUCKET}?versionId=x"), ("GET", f"{BUCKET}?versions&versionId=x"), ("GET", f"{NOWHERE}?versioning&versionId=x"),
    ("PUT", f"{NOWHERE}?versioning&versionId=x"), ("DELETE", f"{NOWHERE}?versionId=x"), ("PUT", f"{OBJECT}?versionId=x"),
    ("POST", f"{OBJECT}?uploads&versionId=x"), ("GET", f"{OBJECT}?uploadId=u&versionId=x"),
    ("PUT", f"{OBJECT}?partNumber=1&uploadId=u&versionId=x")])
def test_where_no_version_can_be_named(read, method, path):
    refused(read(method, path), 400, "InvalidArgument", NO_VERSION, "versionId", "x")


def test_no_copy_to_a_version(read):
    answer = read("PUT", f"{OBJECT}?versionId=", {"x-amz-copy-source": OBJECT})
    refused(answer, 400, "InvalidArgument", NO_VERSION, "versionId", "")


@pytest.mark.parametrize("path,headers,status,code,message", [
    (f"{NOWHERE}/k?versionId=", {}, 400, "InvalidArgument", EMPTY_VERSION),
    (f"{NOWHERE}/k?versionId=garbage", {}, 404, "NoSuchBucket", NO_SUCH_BUCKET),
    (f"{ABSENT}?versionId=NULL", {}, 400, "InvalidArgument", BAD_VERSION),
    (f"{ABSENT}?versionId=null", {}, 404, "NoSuchVersion", "The specified version does not exist."),
    (f"{OBJECT}?partNumber=1.0", {}, 400, "InvalidArgument", PART), (f"{ABSENT}?partNumber=abc", {}, 400, "InvalidArgument", PART),
    (f"{NOWHERE}/k?partNumber=abc", {}, 404, "NoSuchBucket", NO_SUCH_BUCKET),
    (f"{OBJECT}?partNumber=abc&versionId=", {}, 400, "InvalidArgument", EMPTY_VERSION),
    (f"{OBJECT}?partNumber=abc", {"Range": "bytes=0-1"}, 400, "InvalidRequest", PART_AND_RANGE),
    (f"{ABSENT}?partNumber=1", {"Range": "bytes=0-1"}, 400, "InvalidRequest", PART_AND_RANGE),
    (f"{NOWHERE}/k?partNumber=1", {"Range": "bytes=0-1"}, 404, "NoSuchBucket", NO_SUCH_BUCKET),
    (f"{ABSENT}?retention", {}, 400, "InvalidRequest", "Bucket is missing Object Lock Configuration"),
    (f"{ABSENT}?legal-hold", {}, 400, "InvalidRequest", "Bucket is missing Object Lock Configuration"),
    (f"{NOWHERE}/k?legal-hold", {}, 404, "NoSuchBucket", NO_SUCH_BUCKET),
    (f"{OBJECT}?legal-hold&versionId=garbage", {}, 400, "InvalidArgument", BAD_VERSION)])
def test_objects(read, path, headers, status, code, message):
    answer = read("GET", path, headers)
    assert (answer.status, answer.error["Code"], answer.error["Message"]) == (status, code, message)


@pytest.mark.parametrize("path,mode,status", [
    (OBJECT, "garbage", 400), (OBJECT, "", 400), (ABSENT, "garbage", 400), (f"{NOWHERE}/k", "garbage", 404), (OBJECT, "enabled", 200)])
def test_checksum_modes(read, path, mode, status):
    answer = read("GET", path, {"x-amz-checksum-mode": mode})
    assert answer.status == status and read("HEAD", path, {"x-amz-checksum-mode": mode}).status == status
    if status == 400:
        refused(answer, 400, "InvalidRequest", "Value for x-amz-checksum-mode header is invalid.")


@pytest.mark.parametrize("path,names,value", [
    (OBJECT, "etag", "etag"), (OBJECT, "", ""), (OBJECT, ",ETag", ""), (OBJECT, "ETag,,ObjectSize", ""),
    (f"{NOWHERE}/k", "ETag, ,ObjectSize", ""), (OBJECT, "ETag, etag", "etag"), (f"{NOWHERE}/k", "garbage", "garbage")])
def test_attributes_that_there_are_none_of(read, path, names, value):
    answer = read("GET", f"{path}?attributes", {"x-amz-object-attributes": names})
    refused(answer, 400, "InvalidArgument", "Invalid attribute name specified.", "x-amz-object-attributes", value)


@pytest.mark.parametrize("path,headers,status", [
    (OBJECT, {}, 400), (ABSENT, {}, 400), (f"{NOWHERE}/k", {}, 404), (OBJECT, {"x-amz-object-attributes": ","}, 400),
    (f"{NOWHERE}/k", {"x-amz-object-attributes": ","}, 404), (OBJECT, {"x-amz-object-attributes": "ETag,"}, 200)])
def test_no_attributes(read, path, headers, status):
    answer = read("GET", f"{path}?attributes", headers)
    assert answer.status == status
    if status == 400:
        refused(answer, 400, "InvalidRequest", NO_ATTRIBUTES)


# ---- Sub-resources and methods

@pytest.mark.parametrize("method,path,first,second", [
    ("GET", f"{BUCKET}?versioning&acl", "acl", "versioning"), ("GET", f"{OBJECT}?uploads&acl", "acl", "uploads"),
    ("PUT", f"{OBJECT}?cors&acl", "acl", "cors"), ("GET", f"{BUCKET}?partNumber=1&acl", "acl", "partNumber"),
    ("GET", f"{OBJECT}?tagging&partNumber=1", "partNumber", "tagging"), ("GET", f"{NOWHERE}?uploads&location", "location", "uploads")])
def test_two_sub_resources_are_named_in_order(read, method, path, first, second):
    refused(read(method, path), 400, "InvalidArgument", f"Conflicting query string parameters: {first}, {second}",
            "ResourceType", first)


@pytest.mark.parametrize("method,path,kind", [
    ("GET", f"{OBJECT}?partNumber=1&uploadId=u", "PART"), ("PATCH", f"{OBJECT}?partNumber=1&uploadId=u", "PART"),
    ("GET", f"{BUCKET}?partNumber=1&uploadId=u", "PART"), ("PATCH", f"{BUCKET}?uploadId=x", "UPLOAD"), ("PATCH", "/?acl", "SERVICE"),
    ("GET", f"{OBJECT}?delete", "MULTI_OBJECT_DELETE"), ("PUT", f"{OBJECT}?delete", "MULTI_OBJECT_DELETE"),
    ("GET", f"{OBJECT}?encryption", "OBJECT_ENCRYPTION"), ("GET", f"{OBJECT}?select", "SELECT"),
    ("GET", f"{NOWHERE}?metadataJournalTable", "BUCKET_METADATA_JOURNAL_TABLE_CONFIGURATION"),
    ("DELETE", f"{NOWHERE}?metadataInventoryTable", "BUCKET_METADATA_INVENTORY_TABLE_CONFIGURATION")])
def test_resource_types(read, method, path, kind):
    answer = read(method, path)
    assert answer.status == 405 and (answer.error["Method"], answer.error["ResourceType"]) == (method, kind)


@pytest.mark.parametrize("method,path", [
    ("GET", f"{BUCKET}?partNumber=1"), ("PATCH", f"{BUCKET}?partNumber=1"), ("DELETE", f"{NOWHERE}?partNumber=abc"),
    ("GET", f"{BUCKET}?uploadId=x"), ("POST", f"{BUCKET}?uploadId=x")])
def test_a_bucket_has_no_parts(read, method, path):
    refused(read(method, path), 400, "InvalidRequest", NO_KEY)


def test_a_key_has_no_uploads_of_a_bucket(read):
    answer = read("GET", f"{OBJECT}?uploads")
    assert answer.status == 400 and answer.error["Code"] == "InvalidRequest" and "Key" not in answer.error


@pytest.mark.parametrize("method", ["TRACE", "LINK", "PROPFIND"])
def test_methods_that_s3_does_not_know(server, read, method):
    for answer in (server.send(method, BUCKET), read(method, OBJECT)):
        refused(answer, 400, "BadRequest", "An error occurred when parsing the HTTP request.")


def test_a_signed_post_that_is_no_form(read):
    answer = read("POST", BUCKET)
    assert answer.status == 412 and answer.error["Condition"] == "Bucket POST must be of the enclosure-type multipart/form-data"


def test_elements_in_their_order(read):
    body = read("GET", f"{OBJECT}?partNumber=2").body.decode()
    assert "<PartNumberRequested>2</PartNumberRequested><ActualPartCount>1</ActualPartCount>" in body
    body = read("GET", OBJECT, {"Range": "bytes=99-"}).body.decode()
    assert "<RangeRequested>bytes=99-</RangeRequested><ActualObjectSize>42</ActualObjectSize>" in body


# ---- Bodies

def md5(body):
    return base64.b64encode(hashlib.md5(body).digest()).decode()


def delete(server, body, headers=None, bucket=BUCKET):
    return sign_and_send(server, "POST", bucket, body, query="delete=", headers=headers or {"Content-MD5": md5(body)})


@pytest.mark.parametrize("body,code", [
    (b"", "MissingRequestBodyError"), (b"<Delete><Object><Key></Key></Object></Delete>", "UserKeyMustBeSpecified"),
    (b"<Delete><Object><Key>x</Key></Object><Object><Key></Key></Object></Delete>", "UserKeyMustBeSpecified"),
    (b"<Delete><Object/></Delete>", "MalformedXML"), (b"<Delete/>", "MalformedXML"),
    (b"<Delete><Object><Key>k</Key><Key>j</Key></Object></Delete>", "MalformedXML"),
    (b"<Delete><Object><Key></Key><Key>j</Key></Object></Delete>", "MalformedXML"),
    (b"<Delete><Object><Key>k</Key></Object><Quiet>true</Quiet><Quiet>true</Quiet></Delete>", "MalformedXML")])
def test_lists_of_what_to_delete(server, body, code):
    answer = delete(server, body)
    assert answer.status == 400 and answer.error["Code"] == code


def test_digests_are_shown_as_they_were_sent(server):
    body = b"<Delete><Object><Key>k</Key></Object></Delete>"
    answer = delete(server, body, {"Content-MD5": md5(b"other")})
    assert f"<CalculatedDigest>{md5(body)}</CalculatedDigest><ExpectedDigest>{md5(b'other')}</ExpectedDigest>" in answer.body.decode()
    answer = sign_and_send(server, "PUT", OBJECT, b"x", headers={"Content-MD5": md5(b"other")})
    assert answer.error["ExpectedDigest"] == hashlib.md5(b"other").hexdigest()


def test_a_missing_bucket_is_told_before_a_wrong_digest(server):
    assert delete(server, b"<x/>", {"Content-MD5": "garbage"}, NOWHERE).error["Code"] == "NoSuchBucket"
    answer = sign_and_send(server, "PUT", f"{NOWHERE}/k", b"<x/>", query="tagging=", headers={"x-amz-content-sha256": "0" * 64})
    assert answer.error["Code"] == "NoSuchBucket"


def test_an_algorithm_that_there_is_none_of(server):
    answer = sign_and_send(server, "PUT", OBJECT, b"x", headers={"x-amz-checksum-foo": "AAAAAA=="})
    refused(answer, 400, "InvalidRequest", "The algorithm type you specified in x-amz-checksum- header is invalid.")
    assert "Header" not in answer.error


@pytest.mark.parametrize("method,path,status", [
    ("GET", f"{BUCKET}?list-type=2", 400), ("GET", OBJECT, 400), ("GET", ABSENT, 400), ("GET", "/", 400), ("DELETE", OBJECT, 400),
    ("GET", f"{BUCKET}?versioning", 400), ("HEAD", BUCKET, 400), ("GET", f"{NOWHERE}?list-type=2", 404), ("HEAD", NOWHERE, 404)])
def test_trailers_of_what_has_none(read, method, path, status):
    answer = read(method, path, {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"})
    assert answer.status == status
    if status == 400 and method != "HEAD":
        refused(answer, 400, "InvalidRequest", "The value of x-amz-content-sha256 header is invalid.")
