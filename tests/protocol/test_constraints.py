"""Constraints that travel in the URL: whoever signs adds x-latch- parameters, and the server enforces them."""
import datetime
import urllib.parse

import pytest
import requests
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from harness import ACCESS_KEY, SECRET_KEY, Answer

BUCKET = "pictures"
HOUR = datetime.timedelta(hours=1)


@pytest.fixture(scope="module", autouse=True)
def cat(s3):
    s3.put_object(Bucket=BUCKET, Key="cat.jpg", Body=b"a cat", ContentType="image/jpeg")


def sign(server, method="GET", key="cat.jpg", more="", **constraints):
    """A presigned URL with these constraints: length="1-5" becomes x-latch-length=1-5."""
    query = urllib.parse.urlencode({"x-latch-" + name.replace("_", "-"): value
                                    for name, value in constraints.items()}, quote_via=urllib.parse.quote)
    request = AWSRequest(method, f"{server.endpoint}/{BUCKET}/{key}?{query}{more}")
    S3SigV4QueryAuth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", "us-east-1", expires=300).add_auth(request)
    return request.url


def send(method, url, **options):
    answer = requests.request(method, url, timeout=20, **options)
    return Answer(answer.status_code, answer.headers, answer.content)


def refused(answer, status, code, constraint=None, *words):
    assert (answer.status, answer.code) == (status, code), answer
    if constraint:
        assert answer.error["Constraint"] == constraint
    for word in words:
        assert word in answer.error["Message"], answer


def time_of(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def now():
    return datetime.datetime.now(datetime.timezone.utc)


# ---- When and from where

def test_not_before(server):
    later = time_of(now() + HOUR)
    refused(send("GET", sign(server, not_before=later)), 403, "AccessDenied", "x-latch-not-before", later[:19])
    assert send("GET", sign(server, not_before=time_of(now() - HOUR))).body == b"a cat"


@pytest.mark.parametrize("networks, allowed", [("127.0.0.1", True), ("127.0.0.0/8", True), ("::ffff:127.0.0.1", True),
                                               ("203.0.113.0/24,127.0.0.1", True), ("203.0.113.0/24", False),
                                               ("2001:db8::/32", False)])
def test_addresses(server, networks, allowed):
    answer = send("GET", sign(server, ip=networks))
    if allowed:
        assert answer.body == b"a cat"
    else:
        refused(answer, 403, "AccessDenied", "x-latch-ip", "address")


# ---- A new object

def test_only_a_new_object(server, s3):
    put = sign(server, "PUT", "new.txt", new="1")
    assert send("PUT", put, data=b"first").status == 200
    refused(send("PUT", put, data=b"other"), 412, "PreconditionFailed")
    assert s3.get_object(Bucket=BUCKET, Key="new.txt")["Body"].read() == b"first"
    upload_id = s3.create_multipart_upload(Bucket=BUCKET, Key="new.txt")["UploadId"]
    etag = s3.upload_part(Bucket=BUCKET, Key="new.txt", UploadId=upload_id, PartNumber=1, Body=b"other")["ETag"]
    complete = sign(server, "POST", "new.txt", f"&uploadId={upload_id}", new="1")
    part = f"<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>"
    parts = f"<CompleteMultipartUpload>{part}</CompleteMultipartUpload>"
    refused(send("POST", complete, data=parts), 412, "PreconditionFailed")
    s3.delete_object(Bucket=BUCKET, Key="new.txt")
    refused(send("POST", complete, data=parts), 409, "ConditionalRequestConflict")  # changed since the upload began
    upload_id = s3.create_multipart_upload(Bucket=BUCKET, Key="new.txt")["UploadId"]
    s3.upload_part(Bucket=BUCKET, Key="new.txt", UploadId=upload_id, PartNumber=1, Body=b"other")
    complete = sign(server, "POST", "new.txt", f"&uploadId={upload_id}", new="1")
    assert send("POST", complete, data=parts).status == 200


# ---- HEAD

def test_head_on_a_url_for_get(server):
    assert send("HEAD", sign(server)).status == 403
    answer = send("HEAD", sign(server, head="1"))
    assert answer.status == 200 and answer.headers["Content-Length"] == "5"
    assert send("GET", sign(server, head="1")).body == b"a cat"
    assert send("HEAD", sign(server) + "&x-latch-head=1").status == 403, "it has to be signed"
    assert send("DELETE", sign(server, head="1")).status == 403


# ---- Uploads

@pytest.mark.parametrize("size, code", [(2, "EntityTooSmall"), (3, ""), (5, ""), (6, "EntityTooLarge")])
def test_length(server, s3, size, code):
    key = f"sized-{size}"
    answer = send("PUT", sign(server, "PUT", key, length="3-5"), data=b"x" * size)
    if not code:
        assert answer.status == 200, answer
        return
    refused(answer, 400, code, "x-latch-length")
    assert answer.error["ProposedSize"] == str(size)
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix=key)


def test_length_of_a_part(server, s3):
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
    for number, size, status in ((1, 5, 200), (2, 6, 400)):
        url = sign(server, "PUT", "parts", f"&partNumber={number}&uploadId={upload}", length="1-5")
        assert send("PUT", url, data=b"x" * size).status == status
    s3.abort_multipart_upload(Bucket=BUCKET, Key="parts", UploadId=upload)


@pytest.mark.parametrize("declared, allowed", [("image/png", True), ("IMAGE/JPEG; q=1", True), ("text/html", False),
                                               (None, False)])
def test_type(server, declared, allowed):
    answer = send("PUT", sign(server, "PUT", "typed", type="image/*"), data=b"x",
                  headers={"Content-Type": declared} if declared else {})
    if allowed:
        assert answer.status == 200, answer
    else:
        refused(answer, 403, "AccessDenied", "x-latch-type", "image/*")


def test_type_of_a_multipart_upload(server):
    url = sign(server, "POST", "many", "&uploads=", type="image/png")
    refused(send("POST", url, headers={"Content-Type": "text/html"}), 403, "AccessDenied", "x-latch-type")
    assert send("POST", url, headers={"Content-Type": "image/png"}).status == 200


def form(s3, constraints, conditions=True):
    fields = {"Content-Type": "image/png", **constraints}
    return s3.generate_presigned_post(BUCKET, "posted", Fields=dict(fields),
                                      Conditions=[{name: value} for name, value in fields.items()]
                                      if conditions else [{"Content-Type": "image/png"}])


@pytest.mark.parametrize("constraints, size, code", [
    ({"x-latch-length": "3-5"}, 4, ""), ({"x-latch-length": "3-5"}, 6, "EntityTooLarge"),
    ({"x-latch-length": "3-5"}, 2, "EntityTooSmall"), ({"x-latch-type": "image/*"}, 4, ""),
    ({"x-latch-type": "video/*"}, 4, "AccessDenied"), ({"x-latch-ip": "203.0.113.7"}, 4, "AccessDenied"),
    ({"x-latch-color": "red"}, 4, "InvalidArgument")])
def test_forms(s3, constraints, size, code):
    made = form(s3, constraints)
    answer = send("POST", made["url"], data=made["fields"], files={"file": b"x" * size})
    assert answer.code == code, answer


def test_the_policy_of_a_form_must_name_them(s3):
    made = form(s3, {"x-latch-length": "1-9"}, conditions=False)
    refused(send("POST", made["url"], data=made["fields"], files={"file": b"x"}), 403, "AccessDenied", None,
            "x-latch-length")


# ---- What can't be enforced is refused

@pytest.mark.parametrize("name, value, word", [
    ("color", "red", "x-latch-color"), ("length", "5", "MIN-MAX"), ("ip", "home", "203.0.113.0/24"),
    ("head", "yes", "must be 1"), ("new", "0", "must be 1"),
    ("not_before", "noon", "UTC"), ("type", "picture", "image/*")])
def test_unknown_and_malformed(server, name, value, word):
    refused(send("GET", sign(server, **{name: value})), 400, "InvalidArgument", None, word)


def test_repeated(server):
    refused(send("GET", sign(server, "GET", "cat.jpg", "&X-Latch-Ip=127.0.0.1", ip="127.0.0.1")), 400,
            "InvalidArgument", None, "more than once")


@pytest.mark.parametrize("method, constraints", [
    ("GET", {"length": "1-5"}), ("GET", {"type": "image/*"}), ("GET", {"sniff": "1"}), ("PUT", {"head": "1"}),
    ("GET", {"new": "1"}), ("DELETE", {"new": "1"}),
    ("DELETE", {"length": "1-5"})])
def test_those_that_do_not_apply(server, s3, method, constraints):
    refused(send(method, sign(server, method, **constraints)), 400, "InvalidArgument", None, "does not apply")
    assert s3.get_object(Bucket=BUCKET, Key="cat.jpg")["Body"].read() == b"a cat"


def test_nobody_can_change_them(server):
    url = sign(server, "PUT", "typed", length="1-2")
    for changed in (url.replace("length=1-2", "length=1-9"), url.replace("x-latch-length=1-2&", ""),
                    url + "&x-latch-sniff=1"):
        refused(send("PUT", changed, data=b"x" * 5), 403, "SignatureDoesNotMatch")


# ---- All parts of an upload together

def test_all_parts_together(server, s3):
    answer = send("POST", sign(server, "POST", "whole", "&uploads=", total="100"))
    assert answer.status == 200, answer
    upload = answer.body.split(b"<UploadId>")[1].split(b"<")[0].decode()

    def put(number, body):
        return send("PUT", sign(server, "PUT", "whole", f"&partNumber={number}&uploadId={upload}"), data=body)
    assert put(1, b"x" * 60).status == put(2, b"x" * 40).status == 200
    refused(put(3, b"x"), 400, "EntityTooLarge", "x-latch-total", "together")
    assert put(3, b"x").error["MaxSizeAllowed"] == "100"
    with pytest.raises(s3.exceptions.ClientError, match="EntityTooLarge"):
        s3.upload_part_copy(Bucket=BUCKET, Key="whole", UploadId=upload, PartNumber=3, CopySource=f"{BUCKET}/cat.jpg")
    assert put(2, b"x" * 35).status == 200, "in place of what is there"
    s3.upload_part_copy(Bucket=BUCKET, Key="whole", UploadId=upload, PartNumber=3, CopySource=f"{BUCKET}/cat.jpg")
    refused(put(2, b"x" * 36), 400, "EntityTooLarge", "x-latch-total")
    listed = s3.list_parts(Bucket=BUCKET, Key="whole", UploadId=upload)["Parts"]
    assert [part["Size"] for part in listed] == [60, 35, 5]
    s3.abort_multipart_upload(Bucket=BUCKET, Key="whole", UploadId=upload)
    for method, more in (("PUT", ""), ("PUT", f"&partNumber=1&uploadId={upload}"), ("GET", "")):
        refused(send(method, sign(server, method, "whole", more, total="100"), data=b"x" if method == "PUT" else None), 400, "InvalidArgument")
    refused(send("POST", sign(server, "POST", "whole", "&uploads=", total="0")), 400, "InvalidArgument", None, "number of bytes")
