"""Browser forms: POST Object as boto3 and browsers send it, every condition of a policy, and hostile forms."""
import base64
import datetime
import hashlib
import hmac
import json
import os
import random
import socket
import struct
import time
import urllib.parse
import xml.etree.ElementTree as xml

import pytest
import requests
from botocore.exceptions import ClientError
from harness import ACCESS_KEY, SECRET_KEY, sign_and_send

BUCKET = "pictures"
BODY = b"what a browser sends\r\n--not-a-boundary\r\n" + bytes(range(256))
EXTRA = "Invalid according to Policy: Extra input fields: "
FAILED = "Invalid according to Policy: Policy Condition failed: "
BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"


def sign(policy, day, secret=SECRET_KEY):
    key = f"AWS4{secret}".encode()
    for part in (day, "us-east-1", "s3", "aws4_request", policy):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()


def form(fields, conditions=None, expires=300, bucket=BUCKET, secret=SECRET_KEY, uncovered=(), document=None):
    """Fields of a signed form; conditions replaces those for the fields that are given."""
    now = datetime.datetime.now(datetime.timezone.utc)
    own = {"x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-date": now.strftime("%Y%m%dT%H%M%SZ"),
           "x-amz-credential": f"{ACCESS_KEY}/{now:%Y%m%d}/us-east-1/s3/aws4_request"}
    if conditions is None:
        conditions = [{name: value} for name, value in fields.items() if name not in uncovered]
    conditions = [{"bucket": bucket}, *conditions, *({name: value} for name, value in own.items())]
    ends = now + datetime.timedelta(seconds=expires)
    document = document or json.dumps({"expiration": ends.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                                       "conditions": conditions})
    policy = base64.b64encode(document.encode()).decode()
    return {**fields, **own, "policy": policy, "x-amz-signature": sign(policy, f"{now:%Y%m%d}", secret)}


def quote(text):
    return text.replace('"', "%22")


def multipart(parts, end=True, boundary=BOUNDARY):
    """Pairs of name and value; the file is one of them: ("file", (name, bytes))."""
    body = b""
    for name, value in parts:
        filename = ""
        if isinstance(value, tuple):
            filename = f'; filename="{quote(value[0])}"\r\nContent-Type: application/x-of-the-part'
            value = value[1]
        value = value if isinstance(value, bytes) else value.encode()
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{filename}\r\n\r\n'.encode()
        body += value + b"\r\n"
    return body + (f"--{boundary}--\r\n".encode() if end else b"")


def send(server, fields, file=("cat.jpg", BODY), after=(), path="/" + BUCKET, headers=None, end=True):
    body = multipart([*fields.items(), ("file", file), *after], end)
    return server.send("POST", path, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
                                      **(headers or {})}, body)


def refused(answer, status, code, message=None, **details):
    assert (answer.status, answer.code) == (status, code), answer
    if message is not None:
        assert answer.error["Message"] == message
    for name, value in details.items():
        assert answer.error[name] == value, answer.error


@pytest.fixture(autouse=True)
def nothing_left(s3):
    """What a test stores it takes away; what is refused leaves nothing."""
    yield
    assert s3.list_objects_v2(Bucket=BUCKET).get("Contents", []) == []


def stored(s3, key):
    answer = s3.get_object(Bucket=BUCKET, Key=key)
    body = answer["Body"].read()
    s3.delete_object(Bucket=BUCKET, Key=key)
    return answer, body


def test_boto3_presigned_post(s3):
    post = s3.generate_presigned_post(BUCKET, "uploads/${filename}", Fields={"Content-Type": "image/jpeg"},
                                      Conditions=[{"Content-Type": "image/jpeg"},
                                                  ["content-length-range", 1, 1000]])
    answer = requests.post(post["url"], data=post["fields"], files={"file": ("C:\\dir\\a cat.jpg", BODY)}, timeout=10)
    assert (answer.status_code, answer.content) == (204, b"")
    etag = f'"{hashlib.md5(BODY).hexdigest()}"'
    assert answer.headers["ETag"] == etag
    assert answer.headers["Location"] == post["url"] + "/uploads%2Fa%20cat.jpg"
    answer, body = stored(s3, "uploads/a cat.jpg")
    assert (body, answer["ContentType"], answer["ETag"]) == (BODY, "image/jpeg", etag)


def test_the_fields_become_the_object(server, s3):
    fields = {"key": "all/ü.txt", "acl": "private", "Cache-Control": "max-age=60", "Content-Type": "text/plain",
              "Content-Disposition": 'attachment; filename="ü.txt"', "Content-Encoding": "identity",
              "Expires": "Wed, 21 Oct 2037 07:28:00 GMT", "x-amz-meta-Colour": "green ${filename}",
              "x-amz-storage-class": "STANDARD",
              "x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(BODY).digest()).decode()}
    answer = send(server, form(fields, [*({name: value} for name, value in fields.items()
                                          if name != "x-amz-meta-Colour"),
                                        ["starts-with", "$x-amz-meta-colour", "green cat"]]))
    assert answer.status == 204 and answer.headers["x-amz-checksum-sha256"] == fields["x-amz-checksum-sha256"]
    answer, body = stored(s3, "all/ü.txt")
    assert body == BODY and answer["Metadata"] == {"colour": "green cat.jpg"}
    kept = {name: answer["ResponseMetadata"]["HTTPHeaders"][name.lower()]
            for name in ("Cache-Control", "Content-Type", "Content-Encoding", "Expires")}
    assert kept == {name: fields[name] for name in kept}
    assert server.wait_for_log(rf"root {ACCESS_KEY} form PostObject {BUCKET}/all/\S+ 204 ")


@pytest.mark.parametrize("fields, status", [
    ({}, 204), ({"success_action_status": "200"}, 200), ({"success_action_status": "201"}, 201),
    ({"success_action_status": "204"}, 204), ({"success_action_status": "404"}, 204),
    ({"success_action_redirect": "https://app.example.com/done"}, 303),
    ({"success_action_redirect": "http://app.example.com/done?a=b#c"}, 303),
    ({"redirect": "http://app.example.com/", "success_action_status": "200"}, 303),
    ({"success_action_redirect": "ftp://app.example.com/", "success_action_status": "201"}, 201),
    ({"success_action_redirect": "not a URL"}, 204)])
def test_success_actions(server, s3, fields, status):
    answer = send(server, form({"key": "dir/a b&c", **fields}))
    etag = f'"{hashlib.md5(BODY).hexdigest()}"'
    location = f"{server.endpoint}/{BUCKET}/dir%2Fa%20b%26c"
    assert (answer.status, answer.headers["ETag"]) == (status, etag)
    if status == 303:
        url, _, fragment = (fields.get("success_action_redirect") or fields["redirect"]).partition("#")
        query = f"bucket={BUCKET}&key=dir%2Fa%20b%26c&etag={urllib.parse.quote(etag)}"
        location = url + ("&" if "?" in url else "?") + query + ("#" + fragment if fragment else "")
    assert answer.headers["Location"] == location
    if status == 201:
        root = xml.fromstring(answer.body)
        assert root.tag == "PostResponse" and answer.headers["Content-Type"] == "application/xml"
        assert {child.tag: child.text for child in root} == {"Location": location, "Bucket": BUCKET,
                                                             "Key": "dir/a b&c", "ETag": etag}
    else:
        assert answer.body == b""
    stored(s3, "dir/a b&c")


@pytest.mark.parametrize("filename, name", [("report.pdf", "report.pdf"), ("a/b\\c.txt", "c.txt"), ("", ""),
                                            ("C:\\fakepath\\x;y.txt", "x;y.txt"), ("é.png", "é.png")])
def test_filename(server, s3, filename, name):
    assert send(server, form({"key": "in/${filename}${filename}"}, [["starts-with", "$key", "in/"]]),
                (filename, BODY)).status == 204
    stored(s3, f"in/{name}{name}")


def test_names_in_any_case_and_fields_after_the_file(server, s3):
    fields = {name.upper(): value for name, value in form({"key": "cased", "x-ignore-this": "1"},
                                                          [["StArTs-WiTh", "$KEY", "cas"]]).items()}
    after = [("key", "other"), ("acl", "nonsense"), ("submit", "Upload"), ("file", ("b", b"another file"))]
    assert send(server, fields, after=after).status == 204
    assert stored(s3, "cased")[1] == BODY


def test_a_file_field_without_a_name_is_a_file(server, s3):
    assert send(server, form({"key": "text"}), file="just text").status == 204
    assert stored(s3, "text")[1] == b"just text"
    assert send(server, form({"key": "empty"}), file=("", b"")).status == 204
    assert stored(s3, "empty")[1] == b""


def test_virtual_host(start):
    server = start("--domain", "localhost", "--buckets", BUCKET)
    host = f"{BUCKET}.localhost:{server.port}"
    answer = send(server, form({"key": "a/b", "success_action_status": "201"}), path="/", headers={"Host": host})
    assert answer.status == 201 and answer.headers["Location"] == f"http://{host}/a%2Fb"
    assert server.client().get_object(Bucket=BUCKET, Key="a/b")["Body"].read() == BODY
    proxied = start("--domain", "s3.example.com", "--trusted-proxy", "127.0.0.0/8", "--buckets", BUCKET)
    answer = send(proxied, form({"key": "c"}), path="/",
                  headers={"X-Forwarded-Host": f"{BUCKET}.s3.example.com", "X-Forwarded-Proto": "https"})
    assert answer.status == 204 and answer.headers["Location"] == f"https://{BUCKET}.s3.example.com/c"


# ---- Policies

RANGE = ["content-length-range", 5, 10]
IMAGES = ["starts-with", "$Content-Type", "image/"]


@pytest.mark.parametrize("fields, conditions, file, message", [
    ({"key": "k"}, [["eq", "$key", "k"]], BODY, None),
    ({"key": "k"}, [["starts-with", "$key", ""]], BODY, None),
    ({"key": "a/b"}, [["eq", "$key", "a/c"]], BODY, FAILED + '["eq", "$key", "a/c"]'),
    ({"key": "k"}, [{"key": "x"}], BODY, FAILED + '["eq", "$key", "x"]'),
    ({"key": "A"}, [{"key": "a"}], BODY, FAILED + '["eq", "$key", "a"]'),
    ({"key": "k"}, [["starts-with", "$key", "kk"]], BODY, FAILED + '["starts-with", "$key", "kk"]'),
    ({"key": "k"}, [{"key": "k"}, {"acl": "private"}], BODY, FAILED + '["eq", "$acl", "private"]'),
    ({"key": "k"}, [{"key": "k"}, ["starts-with", "$acl", ""]], BODY, FAILED + '["starts-with", "$acl", ""]'),
    ({"key": "k"}, [], BODY, EXTRA + "key"),
    ({"key": "k", "Expires": "0"}, [{"key": "k"}], BODY, EXTRA + "expires"),
    ({"key": "k", "Content-Type": "image/png"}, [{"key": "k"}, IMAGES], BODY, None),
    ({"key": "k", "Content-Type": "image/png,text/html"}, [{"key": "k"}, IMAGES], BODY,
     FAILED + '["starts-with", "$Content-Type", "image/"]'),
    ({"key": "in/${filename}"}, [{"key": "in/${filename}"}], BODY, FAILED + '["eq", "$key", "in/${filename}"]'),
    ({"key": "in/${filename}"}, [{"key": "in/cat.jpg"}], BODY, None),
    ({"key": "k", "x-ignore-me": "1"}, [{"key": "k"}], BODY, None),
    ({"key": "k"}, [{"key": "k"}, RANGE], b"12345", None),
    ({"key": "k"}, [{"key": "k"}, RANGE], b"1234567890", None)])
def test_conditions(server, s3, fields, conditions, file, message):
    answer = send(server, form(fields, conditions), ("cat.jpg", file))
    if message is None:
        assert answer.status == 204, answer
        stored(s3, fields["key"].replace("${filename}", "cat.jpg"))
    else:
        refused(answer, 403, "AccessDenied", message)


@pytest.mark.parametrize("size, code, limit", [(4, "EntityTooSmall", "MinSizeAllowed"), (0, "EntityTooSmall", "MinSizeAllowed"),
                                               (11, "EntityTooLarge", "MaxSizeAllowed"),
                                               (100_000, "EntityTooLarge", "MaxSizeAllowed")])
def test_content_length_range(server, size, code, limit):
    answer = send(server, form({"key": "k"}, [{"key": "k"}, RANGE]), ("cat.jpg", b"x" * size))
    refused(answer, 400, code, ProposedSize=str(size), **{limit: "5" if size < 5 else "10"})
    answer = send(server, form({"key": "k"}, [{"key": "k"}, RANGE]), ("cat.jpg", b"x" * size), after=[("submit", "Go")])
    refused(answer, 400, code)


def test_other_buckets_policy(server):
    refused(send(server, form({"key": "k"}, bucket="other")), 403, "AccessDenied",
            FAILED + '["eq", "$bucket", "other"]')
    fields = form({"key": "k"}, bucket="nowhere")
    refused(send(server, fields, path="/nowhere"), 404, "NoSuchBucket")


def test_expired_policy(server):
    refused(send(server, form({"key": "k"}, expires=-1)), 403, "AccessDenied",
            "Invalid according to Policy: Policy expired.")


@pytest.mark.parametrize("document", [
    "expiration", "[]", "{}", '{"expiration": "2999-01-01T00:00:00Z"}', '{"conditions": []}',
    '{"expiration": "tomorrow", "conditions": []}', '{"expiration": "2999-02-30T00:00:00Z", "conditions": []}',
    '{"expiration": "2999-01-01T00:00:00Z", "conditions": {}}',
    '{"expiration": "2999-01-01T00:00:00Z", "conditions": [{}]}',
    '{"expiration": "2999-01-01T00:00:00Z", "conditions": [{"a": "b", "c": "d"}]}',
    '{"expiration": "2999-01-01T00:00:00Z", "conditions": [["ends-with", "$key", "x"]]}',
    '{"expiration": "2999-01-01T00:00:00Z", "conditions": [["content-length-range", -1, 0]]}'])
def test_policies_that_are_none(server, document):
    refused(send(server, form({"key": "k"}, document=document)), 400, "InvalidPolicyDocument")


# ---- Who signed it

def test_wrong_signature(server):
    fields = form({"key": "k"}, secret="another")
    answer = send(server, fields)
    refused(answer, 403, "SignatureDoesNotMatch", AWSAccessKeyId=ACCESS_KEY, StringToSign=fields["policy"],
            SignatureProvided=fields["x-amz-signature"])
    assert SECRET_KEY.encode() not in answer.body


@pytest.mark.parametrize("name, code", [("policy", 400), ("x-amz-signature", 400), ("x-amz-credential", 400),
                                        ("x-amz-algorithm", 400), ("x-amz-date", 400)])
def test_missing_part_of_the_signature(server, name, code):
    fields = form({"key": "k"})
    del fields[name]
    answer = send(server, fields)
    refused(answer, code, "InvalidArgument",
            f"Bucket POST must contain a field named '{name.title() if '-' in name else name}'.  If it is specified, please check the order of "
            "the fields.")


def test_nobody(server):
    refused(send(server, {"key": "k"}), 403, "AccessDenied", "Access Denied")
    refused(send(server, {**form({"key": "k"}), "x-amz-security-token": "t"}), 400, "InvalidToken")
    unknown = form({"key": "k"})
    unknown["x-amz-credential"] = unknown["x-amz-credential"].replace(ACCESS_KEY, "AKIAUNKNOWN")
    refused(send(server, unknown), 403, "InvalidAccessKeyId", AWSAccessKeyId="AKIAUNKNOWN")


def test_a_signature_in_a_header_does_not_count(server):
    body = multipart([("key", "k"), ("file", ("a", BODY))])
    refused(sign_and_send(server, "POST", "/" + BUCKET, body,
                          headers={"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}),
            400, "InvalidArgument")


def test_the_signers_rights_count(server):
    made = server.command("user", "add", "uploader", "--data", server.data, "--policy", "-", "--json",
                          input=json.dumps({"Version": "2012-10-17", "Statement": [
                              {"Effect": "Allow", "Action": "s3:PutObject",
                               "Resource": f"arn:aws:s3:::{BUCKET}/mine/*",
                               "Condition": {"StringEquals": {"s3:authType": "POST"}}}]}))
    keys = json.loads(made.stdout)
    user = server.client(access_key=keys["access_key_id"], secret_key=keys["secret_access_key"])
    for key, status in (("mine/k", 204), ("theirs/k", 403)):
        post = user.generate_presigned_post(BUCKET, key)
        answer = requests.post(post["url"], data=post["fields"], files={"file": BODY}, timeout=10)
        assert answer.status_code == status, answer.text
    with pytest.raises(ClientError):
        user.put_object(Bucket=BUCKET, Key="mine/k2", Body=BODY)
    stored(server.client(), "mine/k")


def test_metadata_that_no_header_can_have_is_an_encoded_word(server, s3):
    fields = form({"key": "k", "x-amz-meta-zeros": "\0\1\2\3\4", "x-amz-meta-lines": "one\r\ntwo: \u00e4"})
    assert send(server, fields).status == 204
    assert stored(s3, "k")[0]["Metadata"] == {"zeros": "=?UTF-8?B?AAECAwQ=?=", "lines": "=?UTF-8?Q?one=0D=0Atwo:_=C3=A4?="}


def test_metadata_of_a_form_that_is_not_ascii(server, s3):
    """As AWS gave it back: text is encoded, what looks encoded is taken as it stands."""
    fields = form({"key": "k", "x-amz-meta-nonascii": "ÄMÄZÕÑ S3", "x-amz-meta-crown": "test_—_file%E2%80%94_é_2👑.pdf",
                   "x-amz-meta-q": "=?UTF-8?Q?actually-ascii?=", "x-amz-meta-b": "=?UTF-8?B?YWJj?="})
    assert send(server, fields).status == 204
    assert stored(s3, "k")[0]["Metadata"] == {
        "nonascii": "=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?=",
        "crown": "=?UTF-8?Q?test=5F=E2=80=94=5Ffile%E2%80%94=5F=C3=A9=5F2=F0=9F=91=91.pdf?=",
        "q": "=?UTF-8?Q?actually-ascii?=", "b": "=?UTF-8?B?YWJj?="}


@pytest.mark.parametrize("document", ["<InvalidXmlTagging></InvalidXmlTagging>", "<a><Tagging><TagSet/></Tagging>b</a>"])
def test_a_tagging_field_of_another_document_has_no_tags(server, s3, document):
    assert send(server, form({"key": "k", "tagging": document})).status == 204
    assert s3.get_object_tagging(Bucket=BUCKET, Key="k")["TagSet"] == []
    stored(s3, "k")


@pytest.mark.parametrize("name, value, message", [
    ("x-amz-algorithm", "AWS4", 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"'),
    ("x-amz-date", "today", "X-Amz-Date must be formated via ISO8601 Long format"),
    ("x-amz-credential", "AKIA", 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'),
    ("x-amz-credential", "/20130728/us-east-1/s3/aws4_request",
     "a non-empty Access Key (AKID) must be provided in the credential."),
    ("x-amz-credential", f"{ACCESS_KEY}/2013/us-east-1/s3/aws4_request",
     'incorrect date format "2013". This date in the credential must be in the format "yyyyMMdd".')])
def test_what_a_form_signs_with_is_an_argument(server, name, value, message):
    """Of AWS public reports show these, with its spelling."""
    named = {"x-amz-algorithm": "X-Amz-Algorithm", "x-amz-date": "X-Amz-Date", "x-amz-credential": "X-Amz-Credential"}[name]
    refused(send(server, {**form({"key": "k"}), name: value}), 400, "InvalidArgument", message,
            ArgumentName=named, ArgumentValue=value)


@pytest.mark.parametrize("signature", ["0", "X" * 64, "0" * 63, "0" * 65, "%zz", "\u00e4"])
def test_a_malformed_signature_is_a_wrong_one(server, signature):
    refused(send(server, {**form({"key": "k"}), "x-amz-signature": signature}), 403, "SignatureDoesNotMatch",
            SignatureProvided=signature)


def test_content_length_range_of_strings(server, s3):
    fields = form({"key": "k"}, [{"key": "k"}, ["content-length-range", "5", "10"]])
    assert send(server, fields, ("cat.jpg", b"x" * 7)).status == 204
    stored(s3, "k")
    refused(send(server, fields, ("cat.jpg", b"x" * 11)), 400, "EntityTooLarge", MaxSizeAllowed="10")
    refused(send(server, fields, ("cat.jpg", b"x")), 400, "EntityTooSmall", MinSizeAllowed="5")
    fields = form({"key": "k"}, [{"key": "k"}, ["content-length-range", "test", "10"]])
    refused(send(server, fields), 403, "AccessDenied", FAILED + '["content-length-range", "test", "10"]')


def test_a_condition_without_a_dollar(server):
    refused(send(server, form({"key": "k"}, [{"key": "k"}, ["eq", "key", "k"]])), 403, "AccessDenied",
            FAILED + '["eq", "key", "k"]')


def test_each_fault_of_a_policy_has_its_text(server):
    ends = '{"expiration": "2999-01-01T00:00:00Z", "conditions": '
    messages = set()
    for document in ("expiration", "[]", ends[:-16] + "}", '{"conditions": []}', ends + "{}}", ends + "[{}]}", ends + '[{"a": 1}]}',
                     '{"expiration": "tomorrow", "conditions": []}', ends + '[["ends-with", "$key", "x"]]}'):
        answer = send(server, form({"key": "k"}, document=document))
        refused(answer, 400, "InvalidPolicyDocument")
        assert answer.error["Message"].startswith("Invalid Policy: "), answer.error
        messages.add(answer.error["Message"])
    assert len(messages) >= 7, messages
    refused(send(server, {**form({"key": "k"}), "policy": ""}), 400, "InvalidPolicyDocument",
            "Invalid Policy: Expecting '{' but found End-of-Input")


def test_a_variable_without_a_file_name_stays(server, s3):
    fields = form({"key": "in/${filename}"})
    body = multipart(fields.items(), end=False) + (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--{BOUNDARY}--\r\n').encode()
    answer = server.send("POST", "/" + BUCKET, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}, body)
    assert answer.status == 204
    stored(s3, "in/${filename}")


# ---- What else PutObject refuses

@pytest.mark.parametrize("fields, status, code", [
    ({"acl": "public-read"}, 400, "AccessControlListNotSupported"),
    ({"x-amz-storage-class": "COLD"}, 400, "InvalidStorageClass"),
    ({"x-amz-server-side-encryption": "aws:kms"}, 501, "NotImplemented"),
    ({"x-amz-website-redirect-location": "/other"}, 501, "NotImplemented"),
    ({"x-amz-meta-large": "x" * 2048}, 400, "MetadataTooLarge"),
    ({"Cache-Control": "one\r\ntwo"}, 400, "InvalidArgument"),
    ({"tagging": "a=1"}, 400, "MalformedXML"),
    ({"x-amz-checksum-sha256": base64.b64encode(bytes(32)).decode()}, 400, "BadDigest"),
    ({"x-amz-checksum-sha256": "nonsense"}, 400, "InvalidRequest"),
    ({"Content-MD5": base64.b64encode(bytes(16)).decode()}, 400, "BadDigest")])
def test_properties_that_are_refused(server, fields, status, code):
    refused(send(server, form({"key": "k", **fields})), status, code)


def test_unsigned_parameters_of_the_url_do_nothing(server, s3):
    assert send(server, form({"key": "k"}), path=f"/{BUCKET}?x-amz-meta-a=b&x-amz-storage-class=COLD&x-foo").status == 204
    assert stored(s3, "k")[0]["Metadata"] == {}
    refused(send(server, form({"key": "k"}), path=f"/{BUCKET}?delete"), 403, "AccessDenied")


def test_long_keys(server):
    refused(send(server, form({"key": "x" * 1025})), 400, "KeyTooLongError")
    refused(send(server, form({"key": "x" * 1000 + "${filename}"}, [["starts-with", "$key", ""]]),
                 ("y" * 100, BODY)), 400, "KeyTooLongError")


# ---- Hostile forms

NO_KEY = "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields."


def raw(server, body, content_type=f"multipart/form-data; boundary={BOUNDARY}", **headers):
    return server.send("POST", "/" + BUCKET, {"Content-Type": content_type, **headers}, body)


def test_what_is_no_form(server):
    good = multipart([*form({"key": "k"}).items(), ("file", ("a", BODY))])
    refused(raw(server, b"key=k", "application/x-www-form-urlencoded"), 412, "PreconditionFailed",
            Condition="Bucket POST must be of the enclosure-type multipart/form-data")
    for kind in ("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 71,
                 'multipart/form-data; boundary="a', "multipart/form-data; boundary=a; boundary=b"):
        refused(raw(server, good, kind), 400, "MalformedPOSTRequest")
    for body in (b"key=k&file=x", b"", good[:-4], good.replace(b"form-data;", b"attachment;", 1),
                 good.replace(b'name="key"', b"", 1), good.replace(b"\r\n", b"\n"),
                 good.replace(f"--{BOUNDARY}\r\n".encode(), f"--{BOUNDARY}x\r\n".encode(), 3),
                 good.replace(b'"key"', b'"key"; name="acl"', 1), good[: len(good) // 2]):
        refused(raw(server, body), 400, "MalformedPOSTRequest")
    giant = good.replace(b'"key"\r\n', b'"key"\r\nX-Long: ' + b"x" * 5000 + b"\r\n", 1)
    refused(raw(server, giant), 400, "MalformedPOSTRequest")


def test_forms_that_lack_something(server):
    refused(raw(server, multipart(form({"key": "k"}).items())), 400, "InvalidArgument",
            "POST requires exactly one file upload per request.", ArgumentName="file", ArgumentValue="0")
    refused(raw(server, multipart([("file", ("a", BODY)), *form({"key": "k"}).items()])), 400, "InvalidArgument",
            NO_KEY, ArgumentName="key")
    refused(send(server, form({"key": ""})), 400, "InvalidArgument", "User key must have a length greater than 0.")


def test_a_field_twice(server):
    fields = form({"key": "k"})
    refused(raw(server, multipart([("Key", "other"), *fields.items(), ("file", ("a", BODY))])), 400, "InvalidArgument",
            ArgumentName="key", ArgumentValue="k")


def test_too_much_before_the_file_or_after_it(server):
    for padding in ("x" * 21_000, "x" * 200_000):
        refused(send(server, form({"key": "k", "x-ignore-a": padding})), 400, "MaxPostPreDataLengthExceeded",
                MaxPostPreDataLengthBytes="20480")
        refused(send(server, form({"key": "k"}), after=[("x-ignore-a", padding)]), 400,
                "MaxPostPreDataLengthExceeded")
    many = {f"x-ignore-{i}": "" for i in range(150)}
    refused(send(server, form({"key": "k", **many}, [{"key": "k"}])), 400, "MaxPostPreDataLengthExceeded")
    bomb = {"key": "k", **{f"x-ignore-{i}": "${filename}" * 10 for i in range(50)}}
    refused(send(server, form(bomb, [{"key": "k"}]), ("y" * 3000, BODY)), 400, "MaxPostPreDataLengthExceeded")


def test_without_a_length(server):
    answer = server.send("POST", "/" + BUCKET, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
                                                "Transfer-Encoding": "chunked"}, b"0\r\n\r\n")
    refused(answer, 501, "NotImplemented")


def test_elsewhere_than_a_bucket(server):
    refused(send(server, form({"key": "k"}), path=f"/{BUCKET}/k"), 405, "MethodNotAllowed", ResourceType="OBJECT")
    refused(send(server, form({"key": "k"}), path="/"), 405, "MethodNotAllowed", ResourceType="SERVICE")


def head_of(server, body):
    return (f"POST /{BUCKET} HTTP/1.1\r\nHost: {server.host}\r\nContent-Length: {len(body)}\r\n"
            f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nConnection: close\r\n\r\n").encode()


def test_in_pieces_of_one_byte(server, s3):
    body = multipart([*form({"key": "slow"}).items(), ("file", ("a", BODY))])
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(head_of(server, body))
        for i in range(len(body)):
            sock.sendall(body[i:i + 1])
        assert b" 204 " in sock.recv(65536)
    assert stored(s3, "slow")[1] == BODY


def test_a_truncated_body_leaves_nothing(server):
    body = multipart([*form({"key": "cut"}).items(), ("file", ("a", BODY * 1000))])
    for end in (len(body) - 3, len(body) // 2):
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, when it is closed
            sock.sendall(head_of(server, body) + body[:end])
            time.sleep(0.2)
    assert server.wait_for_log(rf"PostObject {BUCKET}/cut 499 ")


def resident(server):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("VmRSS")).split()[1]) // 1024


def test_64_mib_with_constant_memory(server, s3):
    size = 64 << 20
    piece = random.Random(1).randbytes(1 << 20)
    parts = multipart([*form({"key": "large"}, [{"key": "large"}, ["content-length-range", 0, size]]).items(),
                       ("file", ("a", b"@"))]).split(b"@\r\n--")
    start, end = parts[0], b"\r\n--" + parts[1]
    before = resident(server)
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as sock:
        sock.sendall(head_of(server, bytes(0)).replace(b"Content-Length: 0", b"Content-Length: %d"
                                                       % (len(start) + size + len(end))) + start)
        for _ in range(size >> 20):
            sock.sendall(piece)
        highest = resident(server)
        sock.sendall(end)
        assert b" 204 " in sock.recv(65536)
    assert highest - before < 24, f"{before} MiB before, {highest} MiB in the middle"
    answer, body = stored(s3, "large")
    assert hashlib.md5(body).hexdigest() == hashlib.md5(piece * (size >> 20)).hexdigest() == answer["ETag"].strip('"')


def test_too_large_is_told_before_it_is_sent(server):
    """With Expect: 100-continue nothing, else no more than the start of a hopeless file is read."""
    fields = form({"key": "k"}, [{"key": "k"}, ["content-length-range", 0, 1000]])
    start = multipart([*fields.items(), ("file", ("a", b""))], end=False)[:-2]
    size = 1 << 30
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as sock:
        sock.sendall(head_of(server, b"").replace(b"Content-Length: 0", b"Content-Length: %d" % size) + start
                     + os.urandom(2000))
        answer = sock.recv(65536)
    assert b" 400 " in answer and b"EntityTooLarge" in answer
