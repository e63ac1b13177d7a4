"""What S3 answers to writes, uploads in parts, copies and buckets: held against recordings of AWS."""
import base64
import time
import zlib

import pytest
from botocore.exceptions import ClientError
from harness import code_of, presign, sign_and_send, target_of

BUCKET = "pictures"


def error_of(call, **parameters):
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    answer = raised.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]


def crc32(body):
    return base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()


# ---- Conditions in a signed query

def signed_put(server, key, query, body=b"new"):
    """boto3 moves the headers of a URL that it presigns into the query: a PUT with them there."""
    from botocore.auth import S3SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    from harness import ACCESS_KEY, SECRET_KEY
    request = AWSRequest("PUT", f"{server.endpoint}/{BUCKET}/{key}?{query}")
    S3SigV4QueryAuth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", "us-east-1", expires=300).add_auth(request)
    return server.send("PUT", target_of(request.url), {}, body)


def test_conditions_in_the_query_of_a_url_count(server, s3):
    etag = s3.put_object(Bucket=BUCKET, Key="kept", Body=b"old")["ETag"].strip('"')
    answer = signed_put(server, "kept", "If-None-Match=%2A")
    assert answer.status == 412 and answer.error["Condition"] == "If-None-Match"
    answer = signed_put(server, "kept", "If-Match=%22" + "0" * 32 + "%22")
    assert answer.status == 412 and answer.error["Condition"] == "If-Match"
    assert s3.get_object(Bucket=BUCKET, Key="kept")["Body"].read() == b"old"
    assert signed_put(server, "kept", f"If-Match={etag}").status == 200
    assert signed_put(server, "fresh", "If-None-Match=%2A").status == 200
    answer = server.send("PUT", target_of(presign(s3, "put_object", key="kept", IfNoneMatch="*")), {}, b"x")
    assert answer.status in (403, 412)
    assert s3.get_object(Bucket=BUCKET, Key="kept")["Body"].read() == b"new"


# ---- Buckets

@pytest.mark.parametrize("region,constraint,code", [
    ("us-east-1", "us-east-1", "InvalidLocationConstraint"), ("us-east-1", "nonsense", "InvalidLocationConstraint"),
    ("us-east-1", "us-1", "InvalidLocationConstraint"), ("eu-west-1", "us-west-2", "IllegalLocationConstraintException"),
    ("us-west-2", "EU", "IllegalLocationConstraintException"), ("eu-west-1", "nonsense", "IllegalLocationConstraintException")])
def test_locations_that_may_not_be(server, region, constraint, code):
    status, error = error_of(server.client(region=region).create_bucket, Bucket="not-made",
                             CreateBucketConfiguration={"LocationConstraint": constraint})
    assert (status, error["Code"]) == (400, code), error
    if code == "InvalidLocationConstraint":
        assert error["Message"] == "The specified location-constraint is not valid"
        assert error["LocationConstraint"] == constraint
    else:
        assert error["Message"] == (f"The {constraint} location constraint is incompatible for the region specific "
                                    "endpoint this request was sent to.")


def test_locations(server, s3):
    for name, region, constraint, location in (("in-eu", "us-east-1", "EU", "EU"), ("in-west", "us-east-1", "us-west-2", "us-west-2"),
                                               ("at-home", "home", "home", "home"), ("in-ireland", "eu-west-1", "EU", "EU")):
        server.client(region=region).create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": constraint})
        assert s3.get_bucket_location(Bucket=name)["LocationConstraint"] == location
    head = s3.head_bucket(Bucket="in-eu")["ResponseMetadata"]["HTTPHeaders"]
    assert head["x-amz-bucket-region"] == "eu-west-1"
    listed = [b["Name"] for b in s3.list_buckets(BucketRegion="eu-west-1")["Buckets"]]
    assert {"in-eu", "in-ireland"} <= set(listed) and "in-west" not in listed
    # From us-east-1 one's own bucket may be made again, but only there.
    assert code_of(s3.create_bucket, Bucket="in-west") == "BucketAlreadyOwnedByYou"
    s3.create_bucket(Bucket=BUCKET)


def test_an_impossible_region_of_a_listing(s3):
    status, error = error_of(s3.list_buckets, BucketRegion="not a region")
    assert (status, error["Code"], error["ArgumentName"]) == (400, "InvalidArgument", "bucket-region")
    assert error["Message"] == "Argument value not a region is not a valid AWS Region"


def test_owners_have_no_display_name(s3):
    assert set(s3.list_buckets()["Owner"]) == {"ID"}


@pytest.mark.parametrize("sub_resource", ["policy", "lifecycle", "encryption", "publicAccessBlock", "website", "replication"])
def test_deleting_what_is_not_set(server, sub_resource):
    assert sign_and_send(server, "DELETE", f"/{BUCKET}", query=sub_resource + "=").status == 204
    answer = sign_and_send(server, "DELETE", "/no-such-bucket", query=sub_resource + "=")
    assert answer.status == 404 and answer.error["Code"] == "NoSuchBucket"


def test_an_unsigned_request_for_no_bucket(server):
    for method, target in (("GET", "/no-such-bucket"), ("GET", "/no-such-bucket/key"), ("PUT", "/no-such-bucket/key"),
                           ("GET", "/no-such-bucket?cors"), ("DELETE", "/no-such-bucket")):
        answer = server.send(method, target)
        assert answer.status == 404 and answer.error["Code"] == "NoSuchBucket", answer
        assert answer.error["BucketName"] == "no-such-bucket"
    assert server.send("HEAD", "/no-such-bucket/key").status == 404
    for method, target in (("GET", "/pictures"), ("GET", "/pictures/key"), ("PUT", "/no-such-bucket"), ("GET", "/")):
        assert server.send(method, target).status == 403


# ---- Objects

def test_bypassing_retention_where_there_is_none(server, s3):
    s3.put_object(Bucket=BUCKET, Key="bypass", Body=b"x")
    status, error = error_of(s3.delete_object, Bucket=BUCKET, Key="bypass", BypassGovernanceRetention=True)
    assert (status, error["Code"]) == (400, "InvalidArgument")
    assert error["Message"] == ("x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.")
    assert error["ArgumentName"] == "x-amz-bypass-governance-retention"
    assert error_of(s3.delete_objects, Bucket=BUCKET, Delete={"Objects": [{"Key": "bypass"}]},
                    BypassGovernanceRetention=True)[1]["Code"] == "InvalidArgument"
    s3.head_object(Bucket=BUCKET, Key="bypass")


def test_tagging_without_a_set_empties(server, s3):
    s3.put_object(Bucket=BUCKET, Key="tagged", Body=b"x", Tagging="a=1")
    assert sign_and_send(server, "PUT", "/pictures/tagged", b"<Tagging/>", query="tagging=").status == 200
    assert s3.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"] == []
    assert sign_and_send(server, "PUT", "/pictures/tagged", b"<Other/>", query="tagging=").code == "MalformedXML"


def test_a_nonsense_acl(server):
    for method, target in (("PUT", "/pictures/acl"), ("PUT", "/pictures/acl?acl="), ("PUT", "/new-bucket"),
                           ("PUT", "/pictures?acl="), ("POST", "/pictures/acl?uploads=")):
        path, _, query = target.partition("?")
        answer = sign_and_send(server, method, path, b"", query=query, headers={"x-amz-acl": "nonsense"})
        assert answer.status == 400 and answer.error["Code"] == "InvalidArgument", answer
        assert answer.error["ArgumentName"] == "x-amz-acl" and answer.error["ArgumentValue"] == "nonsense"


def test_the_acl_of_a_delete_marker(server, s3):
    s3.create_bucket(Bucket="versioned")
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="versioned", Key="gone", Body=b"x")
    marker = s3.delete_object(Bucket="versioned", Key="gone")["VersionId"]
    status, error = error_of(s3.put_object_acl, Bucket="versioned", Key="gone", ACL="private")
    assert (status, error["Code"], error["ResourceType"]) == (405, "MethodNotAllowed", "DeleteMarker")
    answer = sign_and_send(server, "GET", "/versioned/gone", query="versionId=" + marker)
    assert answer.status == 405 and answer.headers["Allow"] == "DELETE"


@pytest.mark.parametrize("value,refused", [
    ("attachment%3B%20filename%3D%22%D1%82%22", True), ("a%E2%80%94b", True), ("attachment%3B%20filename%3D%22a.jpg%22", False)])
def test_overrides_that_no_header_can_carry(server, s3, value, refused):
    s3.put_object(Bucket=BUCKET, Key="override", Body=b"x")
    answer = sign_and_send(server, "GET", "/pictures/override", query="response-content-disposition=" + value)
    assert answer.status == (400 if refused else 200), answer
    if refused:
        assert answer.error["Message"] == "Header value cannot be represented using ISO-8859-1."
        assert answer.error["ArgumentName"] == "response-content-disposition"


def test_start_after_beside_a_token(s3):
    for key in ("page/a", "page/b", "page/c"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    first = s3.list_objects_v2(Bucket=BUCKET, Prefix="page/", StartAfter="page/a", MaxKeys=1)
    assert first["StartAfter"] == "page/a"
    second = s3.list_objects_v2(Bucket=BUCKET, Prefix="page/", StartAfter="page/a", ContinuationToken=first["NextContinuationToken"])
    assert "StartAfter" not in second and [o["Key"] for o in second["Contents"]] == ["page/c"]


# ---- Sub-resources with other methods

def test_half_an_upload_of_a_part(server):
    answer = sign_and_send(server, "PUT", "/pictures/part", b"x", query="partNumber=7")
    assert answer.status == 400 and answer.error["Code"] == "InvalidArgument"
    assert answer.error["Message"] == "This operation does not accept partNumber without uploadId"
    assert (answer.error["ArgumentName"], answer.error["ArgumentValue"]) == ("partNumber", "7")
    answer = sign_and_send(server, "PUT", "/pictures/part", b"x", query="uploadId=x")
    assert answer.status == 405 and answer.error["Code"] == "MethodNotAllowed"
    assert (answer.error["Method"], answer.error["ResourceType"]) == ("PUT", "UPLOAD")
    assert {"DELETE", "GET", "POST"} <= set(answer.headers["Allow"].split(", "))


@pytest.mark.parametrize("sub_resource", ["uploads", "versions"])
def test_sub_resources_of_buckets_asked_of_a_key(server, sub_resource):
    answer = sign_and_send(server, "GET", "/pictures/key", query=sub_resource + "=")
    assert answer.status == 400 and answer.error["Code"] == "InvalidRequest"
    assert answer.error["Message"] == f"There is no such thing as the ?{sub_resource} sub-resource for a key"


def test_methods_that_a_resource_lacks(server):
    answer = sign_and_send(server, "POST", "/pictures/key", b"")
    assert answer.status == 405 and answer.error["ResourceType"] == "OBJECT"
    assert set(answer.headers["Allow"].split(", ")) == {"PUT", "DELETE", "GET", "HEAD"}


# ---- Uploads in parts

def create(s3, key, **options):
    return s3.create_multipart_upload(Bucket=BUCKET, Key=key, **options)["UploadId"]


def complete(server, key, upload, body, headers=None):
    return sign_and_send(server, "POST", f"/pictures/{key}", body, query=f"uploadId={upload}", headers=headers)


def listed(*parts):
    return ("<CompleteMultipartUpload>" + "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag>{more}</Part>" for number, etag, more in parts)
        + "</CompleteMultipartUpload>").encode()


@pytest.fixture(scope="module")
def plain(server):
    """boto3 without checksums of its own."""
    return server.client(request_checksum_calculation="when_required")


def put_part(plain, key, upload, body=b"part", number=1, **options):
    return plain.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=body, **options)["ETag"]


@pytest.mark.parametrize("body", [b"", b"<CompleteMultipartUpload></CompleteMultipartUpload>", b"<CompleteMultipartUpload/>"])
def test_completing_without_a_part(server, plain, body):
    answer = complete(server, "none", create(plain, "none"), body)
    assert answer.status == 400 and answer.error["Code"] == "InvalidRequest"
    assert answer.error["Message"] == "You must specify at least one part"
    for document in (body, b"nonsense", listed((0, "x", ""))):
        answer = complete(server, "none", "0" * 32, document)
        assert answer.status == 404 and answer.error["Code"] == "NoSuchUpload", answer
        assert answer.error["Message"] == ("The specified upload does not exist. The upload ID may be invalid, or the "
                                           "upload may have been aborted or completed.")


def test_the_final_checksum(server, plain):
    upload = create(plain, "final", ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    etag = put_part(plain, "final", upload, ChecksumCRC32=crc32(b"part"))
    document = listed((1, etag, f"<ChecksumCRC32>{crc32(b'part')}</ChecksumCRC32>"))
    answer = complete(server, "final", upload, document, {"x-amz-checksum-crc32": "nonsense"})
    assert answer.error["Code"] == "InvalidRequest" and answer.error["Message"] == "Value for x-amz-checksum-crc32 header is invalid."
    full = {"x-amz-checksum-type": "FULL_OBJECT"}
    for headers in ({"x-amz-checksum-crc32": crc32(b"other"), **full}, {"x-amz-checksum-crc32": crc32(b"part")},
                    {"x-amz-checksum-crc32c": "AAAAAA=="}, {"x-amz-checksum-sha1": "A" * 27 + "=", **full}):
        answer = complete(server, "final", upload, document, headers)
        assert answer.status == 400 and answer.error["Code"] == "BadDigest", answer
        assert answer.error["Message"] == "The crc32 you specified did not match the calculated checksum."
    assert complete(server, "final", upload, document, {"x-amz-checksum-crc32": crc32(b"part"), **full}).status == 200


@pytest.mark.parametrize("more,code", [
    ("<ChecksumCRC32>AAAAAA==</ChecksumCRC32>", "InvalidPart"), ("<ChecksumCRC32>nonsense</ChecksumCRC32>", "InvalidArgument"),
    ("<ChecksumCRC32C>AAAAAA==</ChecksumCRC32C>", "BadDigest"), ("", "InvalidRequest"),
    ("<ChecksumCRC32>AAAAAA==</ChecksumCRC32><ChecksumSHA1>AAAA</ChecksumSHA1>", "InvalidArgument")])
def test_checksums_of_listed_parts(server, plain, more, code):
    upload = create(plain, "listed", ChecksumAlgorithm="CRC32")
    etag = put_part(plain, "listed", upload, ChecksumCRC32=crc32(b"part"))
    assert complete(server, "listed", upload, listed((1, etag, more))).error["Code"] == code


def test_a_checksum_of_another_kind_in_the_list_of_a_composite(server, plain):
    upload = create(plain, "kinds", ChecksumAlgorithm="CRC32")
    etag = put_part(plain, "kinds", upload, ChecksumCRC32=crc32(b"part"))
    other = "<ChecksumSHA256>" + "A" * 43 + "=</ChecksumSHA256>"
    answer = complete(server, "kinds", upload, listed((1, etag, other)))
    assert answer.status == 400 and answer.error["Code"] == "BadDigest"
    assert answer.error["Message"] == "The sha256 you specified for part 1 did not match what we received."
    # The mode is looked at before the list.
    answer = complete(server, "kinds", upload, listed((1, etag, "")), {"x-amz-checksum-type": "FULL_OBJECT"})
    assert answer.error["Message"] == ("The upload was created using the COMPOSITE checksum mode. The complete request "
                                       "must use the same checksum mode.")


@pytest.mark.parametrize("headers,code", [
    ({"x-amz-checksum-crc32": "AAAAAA=="}, ""), ({"x-amz-checksum-crc32c": "AAAAAA=="}, ""),
    ({"x-amz-checksum-sha1": "A" * 27 + "="}, ""), ({"x-amz-checksum-sha256": "A" * 43 + "="}, ""),
    ({"x-amz-checksum-crc32": "nonsense"}, "InvalidRequest"), ({"x-amz-checksum-crc64nvme": "A" * 11 + "="}, "BadDigest"),
    ({"x-amz-checksum-type": "FULL_OBJECT"}, "InvalidRequest"), ({"x-amz-checksum-type": "COMPOSITE"}, "InvalidRequest")])
def test_the_final_checksum_of_an_upload_without_an_algorithm(server, plain, headers, code):
    """S3 ignores those of other kinds, and keeps the CRC64NVME that it computes."""
    upload = create(plain, "usual")
    etag = put_part(plain, "usual", upload)
    answer = complete(server, "usual", upload, listed((1, etag, "")), headers)
    assert answer.code == code, answer
    if "x-amz-checksum-type" in headers:
        assert answer.error["Message"].startswith("The upload was created using the null checksum mode.")
    if not code:
        head = plain.head_object(Bucket=BUCKET, Key="usual", ChecksumMode="ENABLED")
        assert head["ChecksumType"] == "FULL_OBJECT" and head["ChecksumCRC64NVME"], head


def test_another_checksum_in_the_list(server, plain):
    upload = create(plain, "default")
    etag = put_part(plain, "default", upload)
    answer = complete(server, "default", upload, listed((1, etag, "<ChecksumCRC32C>AAAAAA==</ChecksumCRC32C>")))
    assert answer.error["Code"] == "InvalidPart" and answer.error["PartNumber"] == "1"


def test_parts_of_an_upload_without_an_algorithm_show_no_checksums(server, plain):
    upload = create(plain, "default")
    put_part(plain, "default", upload)
    parts = plain.list_parts(Bucket=BUCKET, Key="default", UploadId=upload)["Parts"]
    assert not [name for part in parts for name in part if name.startswith("Checksum")]


def test_a_key_that_changed_meanwhile(server, plain):
    plain.put_object(Bucket=BUCKET, Key="changed", Body=b"old")
    upload = create(plain, "changed")
    etag = put_part(plain, "changed", upload)
    time.sleep(0.02)
    now = plain.put_object(Bucket=BUCKET, Key="changed", Body=b"newer")["ETag"]
    answer = complete(server, "changed", upload, listed((1, etag, "")), {"If-Match": now})
    assert answer.status == 409 and answer.error["Code"] == "ConditionalRequestConflict"
    assert (answer.error["Condition"], answer.error["Key"]) == ("If-Match", "changed")
    plain.delete_object(Bucket=BUCKET, Key="changed")
    answer = complete(server, "changed", upload, listed((1, etag, "")), {"If-None-Match": "*"})
    assert answer.status == 409 and answer.error["Condition"] == "If-None-Match"
    again = create(plain, "changed")
    etag = put_part(plain, "changed", again)
    assert complete(server, "changed", again, listed((1, etag, "")), {"If-None-Match": "*"}).status == 200


def test_uploads_are_listed_without_what_was_not_asked(server, plain):
    create(plain, "asked/a")
    answer = sign_and_send(server, "GET", "/pictures", query="uploads=")
    assert answer.status == 200 and b"<Prefix>" not in answer.body and b"<DisplayName>root" in answer.body
    assert b"<Prefix>asked/</Prefix>" in sign_and_send(server, "GET", "/pictures", query="prefix=asked%2F&uploads=").body


def test_a_marker_of_another_key(plain):
    one, other = create(plain, "marker/a"), create(plain, "marker/b")
    status, error = error_of(plain.list_multipart_uploads, Bucket=BUCKET, KeyMarker="marker/a", UploadIdMarker=other)
    assert (status, error["Message"], error["ArgumentName"]) == (400, "Invalid uploadId marker", "upload-id-marker")
    plain.abort_multipart_upload(Bucket=BUCKET, Key="marker/a", UploadId=one)
    # An upload that ended while its page was read is no mistake.
    page = plain.list_multipart_uploads(Bucket=BUCKET, Prefix="marker/", KeyMarker="marker/a", UploadIdMarker=one)
    assert [u["UploadId"] for u in page["Uploads"]] == [other]


# ---- Copies

def test_a_source_that_is_a_url(server, s3):
    s3.put_object(Bucket=BUCKET, Key="a source", Body=b"from here")
    for source in (f"{server.endpoint}/pictures/a%20source", "https://s3.amazonaws.com/pictures/a%20source"):
        answer = sign_and_send(server, "PUT", "/pictures/copied", headers={"x-amz-copy-source": source})
        assert answer.status == 200, answer
        assert s3.get_object(Bucket=BUCKET, Key="copied")["Body"].read() == b"from here"
    answer = sign_and_send(server, "PUT", "/pictures/copied", headers={"x-amz-copy-source": "https://s3.amazonaws.com"})
    assert answer.code == "InvalidArgument"


@pytest.mark.parametrize("text", ["bytes=0-9999", "bytes=1000-9999"])
def test_ranges_beyond_a_source(server, plain, text):
    plain.put_object(Bucket=BUCKET, Key="short", Body=b"x" * 1000)
    upload = create(plain, "beyond")
    status, error = error_of(plain.upload_part_copy, Bucket=BUCKET, Key="beyond", UploadId=upload, PartNumber=1,
                             CopySource=f"{BUCKET}/short", CopySourceRange=text)
    assert (status, error["Code"]) == (400, "InvalidArgument")
    assert error["Message"] == "Range specified is not valid for source object of size: 1000"
    assert (error["ArgumentName"], error["ArgumentValue"]) == ("x-amz-copy-source-range", text)
    status, error = error_of(plain.upload_part_copy, Bucket=BUCKET, Key="beyond", UploadId=upload, PartNumber=1,
                             CopySource=f"{BUCKET}/short", CopySourceRange="bytes=1001-9999")
    assert (status, error["Code"], error.get("ArgumentName")) == (400, "InvalidRequest", None)
    assert error["Message"] == "The specified copy range is invalid for the source object size"
