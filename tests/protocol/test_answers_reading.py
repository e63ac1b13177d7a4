"""What S3 answers to reads, conditions, ranges and preflights: held against recordings of AWS."""
import time
import xml.etree.ElementTree as xml

import pytest
from harness import sign_and_send

BUCKET = "pictures"
FUTURE = "Fri, 01 Jan 2100 00:00:00 GMT"
NOT_LISTED = ("CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request "
              "method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the "
              "resource's CORS spec.")


def test_empty_metadata_comes_back(server, s3):
    answer = sign_and_send(server, "PUT", "/pictures/meta", b"x", headers={
        "x-amz-meta-empty": "", "x-amz-meta-full": "1", "x-amz-meta-tab": "a\tb"})
    assert answer.status == 200, answer
    for method in ("GET", "HEAD"):
        got = sign_and_send(server, method, "/pictures/meta")
        assert got.headers["x-amz-meta-empty"] is not None and got.headers["x-amz-meta-empty"].strip() == ""
        assert got.headers["x-amz-meta-full"] == "1"
    assert s3.head_object(Bucket=BUCKET, Key="meta")["Metadata"]["empty"] == ""


def test_empty_metadata_by_the_sdk_and_copied(s3):
    s3.put_object(Bucket=BUCKET, Key="meta2", Body=b"x", Metadata={"empty": "", "full": "1"})
    s3.copy_object(Bucket=BUCKET, Key="meta3", CopySource=f"{BUCKET}/meta2")
    assert s3.head_object(Bucket=BUCKET, Key="meta3")["Metadata"] == {"empty": "", "full": "1"}


@pytest.mark.parametrize("body,text,status,got", [
    (b"", "bytes=-8", 200, b""), (b"", "bytes=-0", 416, None), (b"", "bytes=0-", 416, None),
    (b"0123456789", "bytes= -1", 200, b"0123456789"), (b"0123456789", "bytes= 0-1", 200, b"0123456789"),
    (b"0123456789", "bytes=-1", 206, b"9")])
def test_ranges(server, s3, body, text, status, got):
    s3.put_object(Bucket=BUCKET, Key="range", Body=body)
    answer = sign_and_send(server, "GET", "/pictures/range", headers={"Range": text})
    assert answer.status == status, answer
    if status == 416:
        assert answer.error["ActualObjectSize"] == str(len(body)) and answer.error["RangeRequested"] == text
    else:
        assert answer.body == got


def test_modified_since_a_time_to_come_counts_for_nothing(server, s3):
    s3.put_object(Bucket=BUCKET, Key="dated", Body=b"x")
    assert sign_and_send(server, "GET", "/pictures/dated", headers={"If-Modified-Since": FUTURE}).status == 200
    assert sign_and_send(server, "HEAD", "/pictures/dated", headers={"If-Modified-Since": FUTURE}).status == 200
    now = s3.head_object(Bucket=BUCKET, Key="dated")["LastModified"]
    past = s3.head_object(Bucket=BUCKET, Key="dated")["ResponseMetadata"]["HTTPHeaders"]["last-modified"]
    assert now.tzinfo is not None
    assert sign_and_send(server, "GET", "/pictures/dated", headers={"If-Modified-Since": past}).status == 304
    source = {"x-amz-copy-source": "pictures/dated"}
    assert sign_and_send(server, "PUT", "/pictures/copy", headers={
        **source, "x-amz-copy-source-if-modified-since": FUTURE}).status == 200
    refused = sign_and_send(server, "PUT", "/pictures/copy", headers={
        **source, "x-amz-copy-source-if-modified-since": past})
    assert refused.status == 412 and refused.error["Condition"] == "x-amz-copy-source-If-Modified-Since"


def test_times_of_documents_are_whole_seconds(server, s3):
    s3.put_object(Bucket=BUCKET, Key="second", Body=b"x")
    for query in ("list-type=2", "versions=", ""):
        listed = xml.fromstring(sign_and_send(server, "GET", "/pictures", query=query).body)
        times = [element.text for element in listed.iter() if element.tag.endswith("LastModified")]
        assert times and all(text.endswith(".000Z") for text in times)
    buckets = xml.fromstring(sign_and_send(server, "GET", "/").body)
    assert all(e.text.endswith(".000Z") for e in buckets.iter() if e.tag.endswith("CreationDate"))
    head = s3.head_object(Bucket=BUCKET, Key="second")["LastModified"]
    assert [o["LastModified"] for o in s3.list_objects_v2(Bucket=BUCKET, Prefix="second")["Contents"]] == [head]


def test_an_object_is_not_older_than_the_file_it_was_made_from(server, s3):
    """Else `aws s3 sync`, which compares times, sends a file again that was written within the same second."""
    for number in range(8):
        before = time.time()
        s3.put_object(Bucket=BUCKET, Key="young", Body=b"x")
        assert s3.head_object(Bucket=BUCKET, Key="young")["LastModified"].timestamp() >= before
        assert s3.list_objects_v2(Bucket=BUCKET, Prefix="young")["Contents"][0]["LastModified"].timestamp() >= before


def test_a_body_without_a_length(server):
    """Of an object. Documents need none: test_engine.py."""
    for method, target in (("PUT", "/pictures/chunked"),):
        path, _, query = target.partition("?")
        answer = sign_and_send(server, method, path, b"", query=query, headers={
            "Transfer-Encoding": "chunked", "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}, sent=b"1\r\nx\r\n0\r\n\r\n")
        assert answer.status == 501 and answer.error["Code"] == "NotImplemented", answer
        assert answer.error["Header"] == "Transfer-Encoding"
        assert answer.error["Message"] == "A header you provided implies functionality that is not implemented"


def test_too_many_headers_say_how_many_are_allowed(server):
    answer = server.send("GET", "/pictures/x", {"x-padding": "p" * 9000})
    assert answer.status == 400 and answer.error["Code"] == "RequestHeaderSectionTooLarge"
    assert answer.error["MaxSizeAllowed"] == "8192"
    assert answer.error["Message"] == "Your request header section exceeds the maximum allowed size."


# ---- Preflights

def preflight(server, target, **headers):
    return server.send("OPTIONS", target, {"Origin": "https://a.example", **headers})


def asking(method, headers=None):
    return {"Access-Control-Request-Method": method,
            **({"Access-Control-Request-Headers": headers} if headers else {})}


@pytest.fixture(scope="module")
def ruled(s3):
    s3.create_bucket(Bucket="ruled")
    s3.put_bucket_cors(Bucket="ruled", CORSConfiguration={"CORSRules": [
        {"AllowedOrigins": ["https://a.example"], "AllowedMethods": ["GET"]}]})


@pytest.mark.parametrize("target,method,message,kind", [
    ("/no-such-bucket/key", "GET", "CORSResponse: Bucket not found", "BUCKET"),
    ("/no-such-bucket", "PUT", "CORSResponse: Bucket not found", "BUCKET"),
    ("/no-such-bucket/", "PUT", "CORSResponse: Bucket not found", "BUCKET"),
    ("/ruled/key", "PUT", NOT_LISTED, "OBJECT"), ("/ruled", "PUT", NOT_LISTED, "BUCKET"),
    ("/ruled/key", "PATCH", NOT_LISTED, "OBJECT"), ("/ruled/key", "OPTIONS", NOT_LISTED, "OBJECT")])
def test_refused_preflights(server, ruled, target, method, message, kind):
    answer = preflight(server, target, **asking(method))
    assert answer.status == 403 and answer.error["Code"] == "AccessForbidden"
    assert answer.error["Message"] == message
    assert answer.error["Method"] == method and answer.error["ResourceType"] == kind


@pytest.mark.parametrize("headers,message", [
    ({}, "Invalid Access-Control-Request-Method: null"), (asking("TRACE"), "Invalid Access-Control-Request-Method: TRACE"),
    (asking("put"), "Invalid Access-Control-Request-Method: put"),
    (asking("GET", "x-fine, x bad"), 'Access-Control-Request-Headers "x bad" contains invalid character.'),
    (asking("GET", "x-(bad)"), 'Access-Control-Request-Headers "x-(bad)" contains invalid character.')])
def test_what_is_no_preflight(server, ruled, headers, message):
    for target in ("/ruled/key", "/pictures/key"):
        answer = preflight(server, target, **headers)
        assert answer.status == 400 and answer.error["Code"] == "BadRequest" and answer.error["Message"].startswith(message)


def test_a_missing_bucket_is_told_before_a_missing_method(server):
    answer = preflight(server, "/no-such-bucket/key")
    assert answer.status == 403 and answer.error["Message"] == "CORSResponse: Bucket not found"
    assert answer.error["Method"] == "OPTIONS" and answer.error["ResourceType"] == "BUCKET"


@pytest.mark.parametrize("headers,method", [(asking("PUT"), "PUT"), ({}, "OPTIONS")])
def test_a_server_without_cors(start, headers, method):
    server = start("--cors-origin", "none", "--buckets", BUCKET)
    answer = preflight(server, "/pictures/key", **headers)
    assert answer.status == 403 and answer.error["Method"] == method and answer.error["ResourceType"] == "BUCKET"
    assert answer.error["Message"].startswith("CORSResponse: CORS is not enabled for this bucket.")


@pytest.mark.parametrize("element,text,message", [
    ("AllowedHeader", "x bad", 'AllowedHeader "x bad" contains invalid character.'),
    ("AllowedHeader", "x-*:", 'AllowedHeader "x-*:" contains invalid character.'),
    ("ExposeHeader", "x/bad", 'ExposeHeader "x/bad" contains invalid character.')])
def test_impossible_headers_of_a_configuration(server, element, text, message):
    import base64
    import hashlib
    body = ("<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
            f"<{element}>{text}</{element}></CORSRule></CORSConfiguration>").encode()
    digest = {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}
    answer = sign_and_send(server, "PUT", "/pictures", body, query="cors=", headers=digest)
    assert answer.status == 400 and answer.error["Code"] == "InvalidRequest" and answer.error["Message"] == message


def test_what_a_page_reads_of_an_answer(server, s3):
    s3.put_object(Bucket=BUCKET, Key="page", Body=b"x", ContentDisposition="attachment", ContentEncoding="gzip")
    answer = sign_and_send(server, "GET", "/pictures/page", headers={"Origin": "https://a.example"})
    exposed = {name.strip() for name in answer.headers["Access-Control-Expose-Headers"].split(",")}
    assert {"Content-Disposition", "Content-Encoding", "Content-Range", "Accept-Ranges", "Last-Modified", "ETag",
            "Location", "x-amz-request-id", "x-amz-version-id"} <= exposed
