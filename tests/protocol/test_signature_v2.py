"""Signature Version 2, which old clients send: off unless the administrator allows it, and then no more than it says."""
import base64
import datetime
import hashlib
import hmac
import json
import time
import urllib.parse

import pytest
import requests
from botocore.exceptions import ClientError
from harness import ACCESS_KEY, SECRET_KEY, presign, target_of

BUCKET = "pictures"
BODY = b"signed the old way"


@pytest.fixture(scope="module")
def old(start):
    server = start("--allow-signature-v2", "--domain", "localhost",
                   environment={"LATCHSTRING_BUCKETS": BUCKET})
    server.client().put_object(Bucket=BUCKET, Key="cat.jpg", Body=BODY)
    return server


@pytest.fixture(scope="module")
def client(old):
    return old.client(signature_version="s3")


def refused(answer, status, code, *words):
    assert (answer.status, answer.code) == (status, code), answer
    for word in words:
        assert word in answer.error["Message"], answer


def sign(text):
    return base64.b64encode(hmac.new(SECRET_KEY.encode(), text.encode(), hashlib.sha1).digest()).decode()


def signed_url(path, expires=None, text=None, bucket=f"/{BUCKET}", method="GET"):
    expires = str(expires if expires is not None else int(time.time()) + 60)
    signature = sign(text or f"{method}\n\n\n{expires}\n{bucket}{path}")
    return path + ("&" if "?" in path else "?") + urllib.parse.urlencode(
        {"AWSAccessKeyId": ACCESS_KEY, "Expires": expires, "Signature": signature})


def test_off_unless_allowed(server):
    words = ("Please use AWS4-HMAC-SHA256", "--allow-signature-v2", "LATCHSTRING_ALLOW_SIGNATURE_V2")
    client = server.client(signature_version="s3")
    refused(server.send("GET", target_of(presign(client, "get_object"))), 400, "InvalidRequest", *words)
    refused(server.send("GET", f"/{BUCKET}/cat.jpg", {"Authorization": f"AWS {ACCESS_KEY}:xx"}), 400, "InvalidRequest", *words)
    answer = requests.post(f"{server.endpoint}/{BUCKET}", timeout=10, files={"file": BODY},
                           data={"key": "k", "AWSAccessKeyId": ACCESS_KEY, "policy": "e30=", "signature": "xx"})
    assert answer.status_code == 400 and all(word in answer.text for word in ("InvalidRequest", *words))


@pytest.mark.parametrize("how", [["--allow-signature-v2"], {"LATCHSTRING_ALLOW_SIGNATURE_V2": "yes"},
                                 {"LATCHSTRING_ALLOW_SIGNATURE_V2": "no"}, "allow-signature-v2 = true"])
def test_each_way_of_allowing_it(start, tmp_path, how):
    if isinstance(how, str):
        (tmp_path / "settings").write_text(how + "\n", encoding="ascii")
        server = start("--config", tmp_path / "settings")
    else:
        server = start(*(how if isinstance(how, list) else []), environment=how if isinstance(how, dict) else {})
    answer = server.send("GET", target_of(presign(server.client(signature_version="s3"), "get_object")))
    assert answer.code == ("InvalidRequest" if isinstance(how, dict) and "no" in how.values() else "NoSuchBucket")


def test_boto3_with_headers(old, client):
    client.put_object(Bucket=BUCKET, Key="a b/ü+&.txt", Body=BODY, ContentType="text/plain", Metadata={"colour": "green"})
    answer = client.get_object(Bucket=BUCKET, Key="a b/ü+&.txt", ResponseContentType="text/x-other")
    assert (answer["Body"].read(), answer["ContentType"], answer["Metadata"]) == (BODY, "text/x-other", {"colour": "green"})
    assert "a b/ü+&.txt" in [entry["Key"] for entry in client.list_objects_v2(Bucket=BUCKET, Prefix="a")["Contents"]]
    assert old.wait_for_log(rf"root {ACCESS_KEY} v2-header GetObject ")
    client.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "a b/ü+&.txt"}]})
    with pytest.raises(ClientError, match="NoSuchKey"):
        client.get_object(Bucket=BUCKET, Key="a b/ü+&.txt")


@pytest.mark.parametrize("style", ["path", "virtual"])
def test_boto3_with_urls(old, style):
    client = old.client(signature_version="s3", s3={"addressing_style": style},
                        endpoint=f"http://localhost:{old.port}")
    get = presign(client, "get_object", ResponseContentDisposition='attachment; filename="a b.jpg"')
    put = presign(client, "put_object", key="put.jpg", ContentType="image/jpeg", Metadata={"colour": "green"})
    host = urllib.parse.urlsplit(get).netloc
    answer = old.send("GET", target_of(get), {"Host": host})
    assert (answer.status, answer.body) == (200, BODY)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="a b.jpg"'
    assert old.send("PUT", target_of(put), {"Host": host, "Content-Type": "image/jpeg"}, BODY).status == 200
    head = old.client().head_object(Bucket=BUCKET, Key="put.jpg")
    assert (head["ContentType"], head["Metadata"]) == ("image/jpeg", {"colour": "green"})
    refused(old.send("PUT", target_of(put), {"Host": host, "Content-Type": "text/html"}, BODY), 403,
            "SignatureDoesNotMatch")
    assert old.wait_for_log(rf"root {ACCESS_KEY} v2-query PutObject {BUCKET}/put.jpg 200 ")


def test_behind_a_proxy(start):
    server = start("--allow-signature-v2", "--domain", "s3.example.com", "--trusted-proxy", "127.0.0.0/8",
                   "--buckets", BUCKET)
    server.client().put_object(Bucket=BUCKET, Key="cat.jpg", Body=BODY)
    answer = server.send("GET", signed_url("/cat.jpg"), {"X-Forwarded-Host": f"{BUCKET}.s3.example.com"})
    assert (answer.status, answer.body) == (200, BODY)


@pytest.mark.parametrize("addition", ["&acl", "&versionId=1", "&x-amz-acl=public-read", "&x-amz-meta-a=b",
                                      "&attributes", "&tagging", "&response-content-type=text/html",
                                      "&x-latch-max=1", "&unknown=1", "&%74agging", "&torrent"])
def test_additions_to_a_url(old, addition):
    url = signed_url(f"/{BUCKET}/cat.jpg", bucket="")
    assert old.send("GET", url).status == 200
    refused(old.send("GET", url + addition), 403, "SignatureDoesNotMatch")


def test_tampering(old):
    url = signed_url(f"/{BUCKET}/cat.jpg", bucket="")
    for spoilt in (url.replace("cat.jpg", "dog.jpg"), url.replace("Expires=1", "Expires=2"),
                   url[:-6] + "AAAAA%3D", url.replace("cat", "%63at")):
        answer = old.send("GET", spoilt)
        assert answer.status == 403, answer
    refused(old.send("DELETE", url), 403, "SignatureDoesNotMatch")
    refused(old.send("GET", url, {"x-amz-copy-source": "/a/b"}), 403, "SignatureDoesNotMatch")
    answer = old.send("GET", url.replace("cat.jpg", "dog.jpg"))
    assert answer.error["StringToSign"].startswith("GET\n\n\n1") and SECRET_KEY.encode() not in answer.body
    assert "CanonicalRequest" not in answer.error and answer.error["AWSAccessKeyId"] == ACCESS_KEY


def test_one_parameter_can_not_pass_for_two(old):
    """What is signed has decoded values: GET ?acl&versionId=1 must not be usable as GET ?acl%26versionId=1."""
    text = f"/{BUCKET}/cat.jpg?acl&versionId=1"
    url = signed_url(text, bucket="")
    refused(old.send("GET", url.replace("acl&versionId", "acl%26versionId")), 403, "SignatureDoesNotMatch")
    expires = str(int(time.time()) + 60)
    put = signed_url(f"/{BUCKET}/k", expires, f"PUT\n\n\n{expires}\nx-amz-acl:private\nx-amz-meta-a:b\n/{BUCKET}/k")
    assert old.send("PUT", put + "&x-amz-acl=private&x-amz-meta-a=b", None, BODY).status == 200
    refused(old.send("PUT", put + "&x-amz-acl=private%0Ax-amz-meta-a:b", None, BODY), 400, "InvalidArgument", "Version 4")


def test_time(old):
    now = int(time.time())
    answer = old.send("GET", signed_url(f"/{BUCKET}/cat.jpg", now - 1, bucket=""))
    refused(answer, 403, "AccessDenied", "Request has expired")
    assert answer.error["Expires"] == f"{datetime.datetime.fromtimestamp(now - 1, datetime.timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    assert "X-Amz-Expires" not in answer.error
    refused(old.send("GET", signed_url(f"/{BUCKET}/cat.jpg", now + 8 * 86400, bucket="")), 403, "AccessDenied")
    for date, code in (("Tue, 27 Mar 2007 19:36:42 +0000", "RequestTimeTooSkewed"), ("yesterday", "AccessDenied")):
        signature = sign(f"GET\n\n\n{date}\n/{BUCKET}/cat.jpg")
        refused(old.send("GET", f"/{BUCKET}/cat.jpg", {"Date": date, "Authorization": f"AWS {ACCESS_KEY}:{signature}"}), 403, code)


def test_who_it_is(old):
    refused(old.send("GET", signed_url(f"/{BUCKET}/cat.jpg", bucket="").replace(ACCESS_KEY, "AKIAUNKNOWN")), 403,
            "InvalidAccessKeyId")
    refused(old.send("GET", signed_url(f"/{BUCKET}/cat.jpg", bucket="") + "&x-amz-security-token=t"), 400, "InvalidToken")
    refused(old.send("GET", f"/{BUCKET}/cat.jpg", {"Authorization": "AWS nonsense"}), 400, "InvalidArgument")


def test_forms(old):
    ends = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=60)
    policy = base64.b64encode(json.dumps({
        "expiration": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "conditions": [{"bucket": BUCKET}, ["starts-with", "$key", "up/"]]}).encode()).decode()
    fields = {"key": "up/${filename}", "AWSAccessKeyId": ACCESS_KEY, "policy": policy, "signature": sign(policy)}

    def post(**changes):
        return requests.post(f"{old.endpoint}/{BUCKET}", data={**fields, **changes}, files={"file": ("a.jpg", BODY)}, timeout=10)

    assert post().status_code == 204
    assert old.client().get_object(Bucket=BUCKET, Key="up/a.jpg")["Body"].read() == BODY
    assert old.wait_for_log(rf"root {ACCESS_KEY} v2-form PostObject {BUCKET}/up/a.jpg 204 ")
    assert "SignatureDoesNotMatch" in post(signature=sign("other")).text
    assert "Extra input fields: acl" in post(acl="private").text
    boto = old.client(signature_version="s3").generate_presigned_post(BUCKET, "boto")
    assert requests.post(boto["url"], data=boto["fields"], files={"file": BODY}, timeout=10).status_code == 204


def test_a_user_may_do_no_more_than_its_policy(old):
    made = json.loads(old.command("user", "add", "reader", "--data", old.data, "--policy", "-", "--json", input=json.dumps({
        "Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/cat.jpg"},
            {"Effect": "Deny", "Action": "s3:*", "Resource": "*",
             "Condition": {"StringEquals": {"s3:signatureversion": "AWS"}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}]})).stdout)
    client = old.client(access_key=made["access_key_id"], secret_key=made["secret_access_key"], signature_version="s3")
    assert client.get_object(Bucket=BUCKET, Key="cat.jpg")["Body"].read() == BODY
    with pytest.raises(ClientError, match="AccessDenied"):
        client.put_object(Bucket=BUCKET, Key="cat.jpg", Body=b"")
