"""Every operation, with boto3's client and resource as people use them."""
import base64
import datetime
import hashlib
import re

import pytest
import requests
from botocore.exceptions import ClientError
from harness import code_of, presign, sign_and_send, target_of

BUCKET = "pictures"


# ---- Buckets

def test_the_life_of_a_bucket(s3):
    made = s3.create_bucket(Bucket="life-of-a-bucket")
    assert made["Location"] == "/life-of-a-bucket"
    assert s3.head_bucket(Bucket="life-of-a-bucket")["BucketRegion"] == "us-east-1"
    assert s3.get_bucket_location(Bucket="life-of-a-bucket")["LocationConstraint"] is None
    listed = s3.list_buckets()
    entry = next(one for one in listed["Buckets"] if one["Name"] == "life-of-a-bucket")
    assert abs((datetime.datetime.now(datetime.timezone.utc) - entry["CreationDate"]).total_seconds()) < 60
    assert re.fullmatch("[0-9a-f]{64}", listed["Owner"]["ID"])
    s3.put_object(Bucket="life-of-a-bucket", Key="k", Body=b"x")
    assert code_of(s3.delete_bucket, Bucket="life-of-a-bucket") == "BucketNotEmpty"
    s3.delete_object(Bucket="life-of-a-bucket", Key="k")
    s3.delete_bucket(Bucket="life-of-a-bucket")
    assert code_of(s3.head_bucket, Bucket="life-of-a-bucket") == "404"
    assert code_of(s3.delete_bucket, Bucket="life-of-a-bucket") == "NoSuchBucket"
    assert code_of(s3.get_object, Bucket="life-of-a-bucket", Key="k") == "NoSuchBucket"
    assert code_of(s3.list_objects_v2, Bucket="life-of-a-bucket") == "NoSuchBucket"
    assert code_of(s3.put_object, Bucket="life-of-a-bucket", Key="k", Body=b"") == "NoSuchBucket"


def test_a_bucket_in_a_region(server):
    s3 = server.client(region="eu-west-3")
    s3.create_bucket(Bucket="in-paris", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    assert s3.get_bucket_location(Bucket="in-paris")["LocationConstraint"] == "eu-west-3"


def test_a_bucket_that_is_there_already(server, s3):
    """As S3: in us-east-1 one may make one's own bucket twice; elsewhere it is an error."""
    s3.create_bucket(Bucket=BUCKET)
    other = server.client(region="eu-west-1")
    constraint = {"LocationConstraint": "eu-west-1"}
    other.create_bucket(Bucket="twice-made", CreateBucketConfiguration=constraint)
    assert code_of(other.create_bucket, Bucket="twice-made",
                   CreateBucketConfiguration=constraint) == "BucketAlreadyOwnedByYou"


@pytest.mark.parametrize("name", ["ab", "a" * 64, "Upper", "under_score", "-dash", "dash-", "two..dots",
                                  "192.168.1.1", "xn--punycode", "name-s3alias"])
def test_names_that_no_bucket_can_have(server, name):
    answer = sign_and_send(server, "PUT", "/" + name)
    assert (answer.status, answer.code) == (400, "InvalidBucketName"), answer


def test_many_buckets_are_listed_in_order(s3):
    names = sorted(f"many-{number:02d}" for number in range(30))
    for name in reversed(names):
        s3.create_bucket(Bucket=name)
    listed = [entry["Name"] for entry in s3.list_buckets(Prefix="many-")["Buckets"]]
    assert listed == names
    paged = s3.get_paginator("list_buckets").paginate(Prefix="many-", PaginationConfig={"PageSize": 7})
    assert [entry["Name"] for page in paged for entry in page["Buckets"]] == names


# ---- Objects

@pytest.mark.parametrize("size", [0, 1, 100, 8191, 8192, 8193, 16384, 100_000, 5_000_000])
def test_sizes(s3, size):
    body = bytes(i * 7 % 251 for i in range(size % 5000)) + bytes(max(size - size % 5000, 0))
    put = s3.put_object(Bucket=BUCKET, Key=f"size-{size}", Body=body)
    assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    got = s3.get_object(Bucket=BUCKET, Key=f"size-{size}")
    assert got["Body"].read() == body and got["ContentLength"] == size and got["ETag"] == put["ETag"]
    assert got["AcceptRanges"] == "bytes"
    head = s3.head_object(Bucket=BUCKET, Key=f"size-{size}")
    assert head["ContentLength"] == size and head["ETag"] == put["ETag"]
    assert head["LastModified"] == got["LastModified"]


def test_overwriting_and_deleting(s3):
    for body in (b"small", b"x" * 100_000, b"small again", b"y" * 50_000):
        s3.put_object(Bucket=BUCKET, Key="again", Body=body)
        assert s3.get_object(Bucket=BUCKET, Key="again")["Body"].read() == body
    assert s3.delete_object(Bucket=BUCKET, Key="again")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert code_of(s3.get_object, Bucket=BUCKET, Key="again") == "NoSuchKey"
    assert s3.delete_object(Bucket=BUCKET, Key="again")["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_headers_that_an_object_keeps(s3):
    kept = {"ContentType": "image/jpeg", "CacheControl": "max-age=3600, immutable",
            "ContentDisposition": "attachment; filename*=UTF-8''%E2%82%AC.jpg",
            "ContentEncoding": "gzip", "ContentLanguage": "de, en",
            "Metadata": {"owner": "Ada", "long": "x" * 1500, "spaces": "a  b"}}
    s3.put_object(Bucket=BUCKET, Key="headers", Body=b"x", Expires=datetime.datetime(2030, 1, 1), **kept)
    for answer in (s3.head_object(Bucket=BUCKET, Key="headers"), s3.get_object(Bucket=BUCKET, Key="headers")):
        for name, value in kept.items():
            if name == "Metadata":
                value = {**value, "spaces": answer[name]["spaces"]}
                assert answer[name]["spaces"].replace("  ", " ") == "a b"
            assert answer[name] == value
        assert answer["ExpiresString"] == "Tue, 01 Jan 2030 00:00:00 GMT"
    s3.put_object(Bucket=BUCKET, Key="headers", Body=b"y")
    assert s3.head_object(Bucket=BUCKET, Key="headers")["Metadata"] == {}, "nothing is left of the former"


def test_without_a_content_type(s3):
    s3.put_object(Bucket=BUCKET, Key="untyped", Body=b"x")
    assert s3.head_object(Bucket=BUCKET, Key="untyped")["ContentType"] == "binary/octet-stream"


def test_too_much_metadata(s3):
    assert code_of(s3.put_object, Bucket=BUCKET, Key="k", Body=b"x",
                   Metadata={"a": "x" * 2100}) == "MetadataTooLarge"


def test_deleting_many_at_once(s3):
    keys = [f"many/{number} & <ü>" for number in range(1000)]
    for key in keys[:20]:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in keys]})
    assert sorted(entry["Key"] for entry in answer["Deleted"]) == sorted(keys)
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix="many/")
    quiet = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "many/0"}], "Quiet": True})
    assert "Deleted" not in quiet and "Errors" not in quiet
    too_many = [{"Key": str(number)} for number in range(1001)]
    assert code_of(s3.delete_objects, Bucket=BUCKET, Delete={"Objects": too_many}) == "MalformedXML"


@pytest.mark.parametrize("body", [b"<Delete>", b"<Delete/>", b"not xml at all",
                                  b'<!DOCTYPE a [<!ENTITY b "c">]><Delete><Object><Key>&b;</Key></Object></Delete>',
                                  b"<Other><Object><Key>a</Key></Object></Other>"])
def test_a_malformed_list_to_delete(server, body):
    digest = base64.b64encode(hashlib.md5(body).digest()).decode()
    answer = sign_and_send(server, "POST", "/" + BUCKET, body, "delete=", {"Content-MD5": digest})
    assert (answer.status, answer.code) == (400, "MalformedXML"), answer


def test_the_resource_interface(server):
    s3 = server.client(service="resource")
    bucket = s3.create_bucket(Bucket="by-resource")
    for number in range(5):
        bucket.put_object(Key=f"key/{number}", Body=str(number).encode())
    assert [one.key for one in bucket.objects.filter(Prefix="key/")] == [f"key/{n}" for n in range(5)]
    assert s3.Object("by-resource", "key/3").get()["Body"].read() == b"3"
    assert bucket in list(s3.buckets.all())
    bucket.objects.all().delete()
    bucket.delete()


def test_files_up_and_down(s3, tmp_path):
    (tmp_path / "file").write_bytes(b"z" * 1_000_000)
    s3.upload_file(str(tmp_path / "file"), BUCKET, "file", ExtraArgs={"ContentType": "text/plain"})
    s3.download_file(BUCKET, "file", str(tmp_path / "copy"))
    assert (tmp_path / "copy").read_bytes() == (tmp_path / "file").read_bytes()


def test_waiters(s3):
    s3.put_object(Bucket=BUCKET, Key="awaited", Body=b"x")
    s3.get_waiter("object_exists").wait(Bucket=BUCKET, Key="awaited")
    s3.get_waiter("bucket_exists").wait(Bucket=BUCKET)


# ---- Keys

ODD_KEYS = ["a b", "a+b", "a%20b", "a//b", "//a", "a/./b", "a/../b", "../up", ".", "..", "a/", "a&b=c", "a?b",
            "a#b", "é", "日本語/キー", "😀", "[1]{2}", "a\"b'c", "<xml>&amp;", "a\\b", "a|b^c`d", "~tilde*!()",
            "tab\tnew\nline", "=;,:@$", "x" * 1024, "é" * 512, "y" * 600 + "/1", "y" * 600 + "/2", "\x7f",
            "%", "%zz", "+", "a\u0301", "a/b/c/" * 100]


@pytest.mark.parametrize("key", ODD_KEYS, ids=lambda key: ascii(key[:20]))
def test_odd_keys(server, s3, key):
    body = key.encode()
    s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == body
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=key)["Contents"]
    assert listed[0]["Key"] == key and listed[0]["Size"] == len(body)
    assert server.send("GET", target_of(presign(s3, "get_object", key=key))).body == body
    s3.delete_object(Bucket=BUCKET, Key=key)
    assert code_of(s3.head_object, Bucket=BUCKET, Key=key) == "404"


def test_a_key_that_is_too_long(s3):
    assert code_of(s3.put_object, Bucket=BUCKET, Key="x" * 1025, Body=b"") == "KeyTooLongError"


def test_a_key_that_is_not_utf8(server):
    answer = sign_and_send(server, "PUT", f"/{BUCKET}/%FF%FE", b"x")
    assert answer.status == 400 and answer.code in ("InvalidURI", "InvalidArgument"), answer


# ---- What is not there yet

NOT_IMPLEMENTED = [
    ("get_object_torrent", {"Key": "k"}), ("restore_object", {"Key": "k", "RestoreRequest": {"Days": 1}}),
    ("select_object_content", {"Key": "k", "Expression": "x", "ExpressionType": "SQL",
                               "InputSerialization": {}, "OutputSerialization": {}}),
    ("put_bucket_policy", {"Policy": "{}"}),
    ("put_bucket_accelerate_configuration", {"AccelerateConfiguration": {"Status": "Enabled"}}),
    ("put_object_legal_hold", {"Key": "k", "LegalHold": {"Status": "ON"}}),
    ("list_bucket_analytics_configurations", {}), ("list_bucket_inventory_configurations", {}),
    ("list_bucket_metrics_configurations", {}), ("list_bucket_intelligent_tiering_configurations", {}),
]


@pytest.mark.parametrize("operation,parameters", NOT_IMPLEMENTED, ids=[one[0] for one in NOT_IMPLEMENTED])
def test_not_implemented_says_so_with_its_name(s3, operation, parameters):
    with pytest.raises(ClientError) as caught:
        getattr(s3, operation)(Bucket=BUCKET, **parameters)
    error = caught.value.response["Error"]
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501, error
    assert error["Code"] == "NotImplemented"
    name = "".join(word.capitalize() for word in operation.split("_"))
    assert name in error["Message"], error


@pytest.mark.parametrize("parameters", [
    {"ServerSideEncryption": "AES256"}, {"StorageClass": "GLACIER"},
    {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": datetime.datetime(2040, 1, 1)},
    {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": b"x" * 32},
    {"WebsiteRedirectLocation": "/elsewhere"}, {"GrantRead": "id=abc"}, {"ACL": "public-read"}])
def test_a_promise_that_cannot_be_kept_is_refused(server, s3, parameters):
    if "SSECustomerKey" in parameters:
        s3 = server.client(endpoint=server.endpoint)
        s3.meta.events.unregister("before-parameter-build.s3.PutObject")
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=BUCKET, Key="promise", Body=b"x", **parameters)
    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] in (400, 501), answer
    assert code_of(s3.head_object, Bucket=BUCKET, Key="promise") == "404"


def test_an_unknown_method(server):
    answer = sign_and_send(server, "PATCH", f"/{BUCKET}/k")
    assert answer.status in (405, 501) and answer.code in ("MethodNotAllowed", "NotImplemented"), answer


# ---- The same owner everywhere

def test_the_owner_is_the_same_everywhere(s3):
    s3.put_object(Bucket=BUCKET, Key="owned", Body=b"x")
    owner = {"ID": s3.list_buckets()["Owner"]["ID"]}
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="owned", FetchOwner=True)["Contents"][0]["Owner"] == owner
    assert s3.list_objects(Bucket=BUCKET, Prefix="owned")["Contents"][0]["Owner"] == owner
    assert "Owner" not in s3.list_objects_v2(Bucket=BUCKET, Prefix="owned")["Contents"][0]


# ---- Reading parts, conditions, overrides

@pytest.fixture(scope="module")
def ranged(s3):
    body = bytes(range(256)) * 100
    s3.put_object(Bucket=BUCKET, Key="ranged", Body=body, ContentType="image/png")
    s3.put_object(Bucket=BUCKET, Key="ranged-small", Body=body[:100])
    return body


@pytest.mark.parametrize("header,first,last", [
    ("bytes=0-0", 0, 0), ("bytes=0-99", 0, 99), ("bytes=100-", 100, 25599), ("bytes=-1", 25599, 25599),
    ("bytes=-99999", 0, 25599), ("bytes=25599-", 25599, 25599), ("bytes=5-999999", 5, 25599)])
def test_ranges(s3, ranged, header, first, last):
    got = s3.get_object(Bucket=BUCKET, Key="ranged", Range=header)
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert got["ContentRange"] == f"bytes {first}-{last}/25600"
    assert got["Body"].read() == ranged[first:last + 1] and got["ContentLength"] == last - first + 1


def test_a_range_of_a_small_object(s3, ranged):
    assert s3.get_object(Bucket=BUCKET, Key="ranged-small", Range="bytes=10-19")["Body"].read() == ranged[10:20]


def test_a_range_of_head(s3, ranged):
    head = s3.head_object(Bucket=BUCKET, Key="ranged", Range="bytes=0-9")
    assert head["ContentLength"] == 10 and head["ResponseMetadata"]["HTTPStatusCode"] == 206


@pytest.mark.parametrize("header", ["bytes=25600-", "bytes=99999-100000", "bytes=-0"])
def test_a_range_that_is_not_there(s3, ranged, header):
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket=BUCKET, Key="ranged", Range=header)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 416
    assert caught.value.response["Error"]["Code"] == "InvalidRange"
    assert caught.value.response["Error"]["ActualObjectSize"] == "25600"


@pytest.mark.parametrize("header", ["bytes=5-1", "bytes=abc", "lines=1-2", "bytes=", "bytes=1-2,4-5"])
def test_a_range_that_makes_no_sense_is_ignored(s3, ranged, header):
    got = s3.get_object(Bucket=BUCKET, Key="ranged", Range=header)
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 200 and got["Body"].read() == ranged


LONG_AGO, IN_FUTURE = datetime.datetime(2001, 1, 1), datetime.datetime(2040, 1, 1)


def test_conditions(s3, ranged):
    etag = s3.head_object(Bucket=BUCKET, Key="ranged")["ETag"]

    def status(**conditions):
        try:
            return s3.get_object(Bucket=BUCKET, Key="ranged", **conditions)["ResponseMetadata"]["HTTPStatusCode"]
        except ClientError as error:
            return error.response["ResponseMetadata"]["HTTPStatusCode"]
    assert status(IfMatch=etag) == 200
    assert status(IfMatch=etag.strip('"')) == 200
    assert status(IfMatch="*") == 200
    assert status(IfMatch='"another"') == 412
    assert status(IfMatch=f'"another", {etag}') == 200
    assert status(IfNoneMatch=etag) == 304
    assert status(IfNoneMatch='"another"') == 200
    assert status(IfModifiedSince=LONG_AGO) == 200
    assert status(IfModifiedSince=s3.head_object(Bucket=BUCKET, Key="ranged")["LastModified"]) == 304
    assert status(IfUnmodifiedSince=LONG_AGO) == 412
    assert status(IfUnmodifiedSince=IN_FUTURE) == 200
    assert status(IfMatch=etag, IfUnmodifiedSince=LONG_AGO) == 200, "If-Match wins"
    assert status(IfNoneMatch='"another"', IfModifiedSince=IN_FUTURE) == 200, "If-None-Match wins"
    assert status(IfNoneMatch=etag, IfModifiedSince=LONG_AGO) == 304


def test_not_modified_has_its_headers_and_no_body(server, s3, ranged):
    head = s3.head_object(Bucket=BUCKET, Key="ranged")
    target = target_of(presign(s3, "get_object", key="ranged"))
    answer = server.send("GET", target, {"If-None-Match": head["ETag"]})
    assert (answer.status, answer.body) == (304, b"") and answer.headers["ETag"] == head["ETag"]
    assert "Cache-Control" not in answer.headers and "Expires" not in answer.headers
    kept = {"CacheControl": "max-age=60", "Expires": datetime.datetime(2030, 1, 1)}
    s3.put_object(Bucket=BUCKET, Key="fresh", Body=b"x", ContentType="text/plain", **kept)
    for method in ("get_object", "head_object"):
        answer = server.send(method[:-7].upper(), target_of(presign(s3, method, key="fresh")), {"If-None-Match": "*"})
        assert answer.status == 304 and "Content-Type" not in answer.headers
        assert answer.headers["Cache-Control"] == "max-age=60"
        assert answer.headers["Expires"] == "Tue, 01 Jan 2030 00:00:00 GMT"
    target = target_of(presign(s3, "get_object", key="fresh", ResponseCacheControl="no-store"))
    assert server.send("GET", target, {"If-None-Match": "*"}).headers["Cache-Control"] == "no-store"


OVERRIDES = {"ResponseContentType": ("Content-Type", "text/plain; charset=utf-8"),
             "ResponseContentLanguage": ("Content-Language", "mi"),
             "ResponseContentDisposition": ("Content-Disposition",
                                            "attachment; filename=\"a'b!.jpg\"; filename*=UTF-8''%e2%82%ac*.jpg"),
             "ResponseContentEncoding": ("Content-Encoding", "identity"),
             "ResponseCacheControl": ("Cache-Control", "no-store"),
             "ResponseExpires": ("Expires", "Tue, 01 Jan 2030 00:00:00 GMT")}


def test_overrides_of_a_signed_get(server, s3, ranged):
    url = presign(s3, "get_object", key="ranged", **{
        name: datetime.datetime(2030, 1, 1) if name == "ResponseExpires" else value
        for name, (_, value) in OVERRIDES.items()})
    answer = server.send("GET", target_of(url))
    assert answer.status == 200, answer
    for header, value in OVERRIDES.values():
        assert answer.headers[header] == value
    assert server.send("HEAD", target_of(presign(s3, "head_object", key="ranged"))).headers["Content-Type"] == "image/png"


def test_an_override_cannot_split_the_response(server, s3, ranged):
    url = presign(s3, "get_object", key="ranged", ResponseContentType="text/plain\r\nX-Evil: 1")
    answer = server.send("GET", target_of(url))
    assert "X-Evil" not in answer.headers and answer.status in (200, 400)


# ---- Writing on a condition

def test_if_none_match_keeps_the_first(s3):
    s3.put_object(Bucket=BUCKET, Key="first", Body=b"first", IfNoneMatch="*")
    assert code_of(s3.put_object, Bucket=BUCKET, Key="first", Body=b"second", IfNoneMatch="*") == "PreconditionFailed"
    assert s3.get_object(Bucket=BUCKET, Key="first")["Body"].read() == b"first"


def test_if_none_match_can_be_signed_into_a_url(server, s3):
    url = presign(s3, "put_object", key="signed-once", IfNoneMatch="*")
    assert requests.put(url, data=b"1", headers={"If-None-Match": "*"}, timeout=10).status_code == 200
    assert requests.put(url, data=b"2", headers={"If-None-Match": "*"}, timeout=10).status_code == 412
    assert requests.put(url, data=b"3", timeout=10).status_code == 403, "it can't be left out"


def test_if_match_on_a_write(s3):
    s3.put_object(Bucket=BUCKET, Key="match", Body=b"first")
    code = code_of(s3.put_object, Bucket=BUCKET, Key="match", Body=b"second", IfMatch='"other"')
    assert code == "PreconditionFailed"
    assert s3.get_object(Bucket=BUCKET, Key="match")["Body"].read() == b"first"
