"""What is checked is what is stored and served: headers, fields and parameters that come twice or that no header
can carry, types that are two, options that an operation would pass over, and what proxies say."""
import contextlib
import datetime
import hashlib
import hmac
import json
import time
import urllib.parse

import pytest
from harness import ACCESS_KEY, SECRET_KEY, Answer, presign, sign_and_send, target_of
from hostile import connect, read_answers, signed_head
from test_signature_v2 import signed_url
from test_uploads import ask, make_token

BUCKET = "pictures"
LISTS = ["image/png,text/html", "image/png, text/html", "image/png;,text/html", "image/png;a=b,text/html"]
NO_TYPES = [*LISTS, "image/png;text/html", "image", "image/", "*/*", "image/*", "text/html image/png", '"image/png"',
            'image/png;a="b']
TYPES = ["image/png", "text/plain; charset=utf-8", 'video/mp4; codecs="avc1.42E01E, mp4a.40.2"', "image/png;"]


def hmac256(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def v4(secret, scope, now, canonical):
    """The signature of a canonical request."""
    key = b"AWS4" + secret.encode()
    for part in scope.split("/"):
        key = hmac256(key, part)
    return hmac256(key, f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{sha256(canonical.encode())}").hex()


def sha256(body):
    return hashlib.sha256(body).hexdigest()


def signed(server, method, key="hostile", query="", keys=(ACCESS_KEY, SECRET_KEY), headers=None):
    """The target of a presigned URL with this query as it stands: botocore signs no name twice."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{now[:8]}/us-east-1/s3/aws4_request"
    headers = {"host": server.host, **(headers or {})}
    own = {"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"{keys[0]}/{scope}", "X-Amz-Date": now,
           "X-Amz-Expires": "300", "X-Amz-SignedHeaders": ";".join(sorted(headers))}
    pairs = [tuple(map(urllib.parse.unquote_plus, pair.partition("=")[::2])) for pair in query.split("&") if pair]
    encoded = sorted((urllib.parse.quote(name, ""), urllib.parse.quote(value, ""))
                     for name, value in [*pairs, *own.items()])
    payload = dict(pairs).get("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
    canonical = "\n".join([method, f"/{BUCKET}/{key}", "&".join(f"{name}={value}" for name, value in encoded),
                           *(f"{name}:{headers[name]}" for name in sorted(headers)), "", own["X-Amz-SignedHeaders"],
                           payload])
    return f"/{BUCKET}/{key}?{query}&{urllib.parse.urlencode(own)}&X-Amz-Signature={v4(keys[1], scope, now, canonical)}"


def send(server, method, target, headers=(), body=b""):
    """headers: pairs, so that a name can stand twice."""
    with contextlib.closing(server.connection()) as connection:
        connection.putrequest(method, target, skip_accept_encoding=True,
                              skip_host=any(name.lower() == "host" for name, _ in headers))
        if method in ("PUT", "POST"):
            connection.putheader("Content-Length", str(len(body)))
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())


def exists(s3, key):
    return any(entry["Key"] == key for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=key).get("Contents", []))


# ---- One media type

@pytest.mark.parametrize("value", NO_TYPES)
@pytest.mark.parametrize("query", ["", "x-latch-type=image/*", "x-latch-type=image/png&x-latch-sniff=1"])
def test_a_type_that_is_not_one(server, s3, value, query):
    target = signed(server, "PUT", "typed", query)
    answer = send(server, "PUT", target, [("Content-Type", value)], b"x")
    assert (answer.status, answer.code) == (400, "InvalidArgument"), answer
    assert "one media type" in answer.error["Message"]
    assert not exists(s3, "typed")


@pytest.mark.parametrize("value", TYPES)
def test_a_type_that_is_one_comes_back_as_it_was(server, s3, value):
    assert send(server, "PUT", signed(server, "PUT"), [("Content-Type", value)], b"x").status == 200
    assert s3.head_object(Bucket=BUCKET, Key="hostile")["ContentType"] == value


@pytest.mark.parametrize("value", LISTS)
def test_types_of_other_ways_to_store(server, s3, value):
    s3.put_object(Bucket=BUCKET, Key="cat.jpg", Body=b"a cat")
    answers = [
        sign_and_send(server, "POST", f"/{BUCKET}/typed", query="uploads=", headers={"Content-Type": value}),
        sign_and_send(server, "PUT", f"/{BUCKET}/typed", headers={
            "Content-Type": value, "x-amz-copy-source": f"{BUCKET}/cat.jpg", "x-amz-metadata-directive": "REPLACE"}),
        send_form(server, s3, [("Content-Type", value)]),
        send(server, "GET", signed(server, "GET", "cat.jpg", "response-content-type=" + urllib.parse.quote(value))),
    ]
    for answer in answers:
        assert (answer.status, answer.code) == (400, "InvalidArgument"), answer
    assert not exists(s3, "typed")


def send_form(server, s3, fields, key="typed"):
    conditions = [["starts-with", "$" + name, ""] for name, _ in fields]
    form = s3.generate_presigned_post(BUCKET, key, Conditions=conditions)
    parts = [*form["fields"].items(), *fields]
    body = "".join(f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                   for name, value in parts)
    body += '--edge\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n--edge--\r\n'
    return send(server, "POST", f"/{BUCKET}", [("Content-Type", "multipart/form-data; boundary=edge")], body.encode())


def test_an_empty_response_type_would_leave_it_to_the_browser(server, s3):
    s3.put_object(Bucket=BUCKET, Key="cat.jpg", Body=b"a cat")
    assert send(server, "GET", signed(server, "GET", "cat.jpg", "response-content-type=")).code == "InvalidArgument"


# ---- Headers that stand twice

@pytest.mark.parametrize("first, second", [
    (("Content-Type", "image/png"), ("content-type", "text/html")), (("Content-Type", "image/png"), ("Content-Type", "")),
    (("Content-Disposition", "attachment"), ("Content-Disposition", "inline")), (("Expires", "0"), ("Expires", "1")),
    (("Content-MD5", "nZTgdHx3Xq7tYhzlYaEwWw=="), ("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg==")),
    (("If-None-Match", "*"), ("If-None-Match", "*")), (("If-Match", '"a"'), ("If-Match", '"b"')),
    (("Expect", "x"), ("Expect", "x")), (("Origin", "https://a"), ("Origin", "https://b")),
    (("x-amz-content-sha256", "UNSIGNED-PAYLOAD"), ("x-amz-content-sha256", "UNSIGNED-PAYLOAD")),
    (("x-amz-acl", "private"), ("x-amz-acl", "private")),
])
def test_a_header_of_one_value_twice(server, s3, first, second):
    answer = send(server, "PUT", signed(server, "PUT", "double"), [first, second], b"x")
    assert (answer.status, answer.code) == (400, "BadRequest"), answer
    assert second[0].lower() in answer.error["Message"].lower()
    assert not exists(s3, "double")


@pytest.mark.parametrize("name", ["Range", "If-Modified-Since", "If-Range", "Authorization", "Date"])
def test_a_header_of_one_value_twice_when_reading(server, s3, name):
    s3.put_object(Bucket=BUCKET, Key="cat.jpg", Body=b"a cat")
    answer = send(server, "GET", signed(server, "GET", "cat.jpg"), [(name, "bytes=0-0"), (name, "bytes=1-1")])
    assert (answer.status, answer.code) == (400, "BadRequest"), answer


def test_metadata_twice_is_joined(server, s3):
    """As AWS does, and as it is signed: one entry, in the order of its lines."""
    head = signed_head(server, "PUT", f"/{BUCKET}/joined", {"x-amz-meta-k": "one,two"}, b"x")
    head = head.replace(b"x-amz-meta-k: one,two\r\n", b"x-amz-meta-k: one\r\nX-Amz-Meta-K: two\r\n")
    with connect(server) as sock:
        sock.sendall(head + b"Cache-Control: private\r\nCache-Control: max-age=5\r\nContent-Length: 1\r\n\r\nx")
        assert [status for status, _ in read_answers(sock, 1)] == [200]
    answer = send(server, "GET", signed(server, "GET", "joined"))
    assert answer.headers.get_all("x-amz-meta-k") == ["one,two"]
    assert s3.head_object(Bucket=BUCKET, Key="joined")["Metadata"] == {"k": "one,two"}


# ---- Parameters and fields that stand twice

@pytest.mark.parametrize("query", ["versionId=null&versionId=x", "response-content-type=image/png&response-content-type=text/html",
                                   "partNumber=1&part%4eumber=2", "x-amz-checksum-mode=a&X-Amz-Checksum-Mode=b",
                                   "x-latch-id=a&x-latch-id=b", "anything=1&anything=1"])
def test_a_parameter_twice(server, s3, query):
    s3.put_object(Bucket=BUCKET, Key="cat.jpg", Body=b"a cat")
    answer = send(server, "GET", signed(server, "GET", "cat.jpg", query))
    assert (answer.status, answer.code) == (400, "InvalidArgument"), answer
    assert "more than once" in answer.error["Message"]


def test_an_upload_id_twice(server, s3):
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
    for query in (f"uploadId={upload}&partNumber=1&partNumber=2", f"uploadId={upload}&partNumber=1&uploadId=x"):
        assert send(server, "PUT", signed(server, "PUT", "parts", query), body=b"x").code == "InvalidArgument"
    s3.abort_multipart_upload(Bucket=BUCKET, Key="parts", UploadId=upload)


def test_an_option_as_header_and_as_parameter(server, s3):
    target = signed(server, "PUT", "double", "x-amz-meta-k=a", headers={"x-amz-meta-k": "b"})
    answer = send(server, "PUT", target, [("x-amz-meta-k", "b")], b"x")
    assert (answer.status, answer.code) == (400, "InvalidArgument"), answer
    assert not exists(s3, "double")


@pytest.mark.parametrize("fields", [[("acl", "private"), ("x-amz-acl", "private")], [("Content-Type", "image/png"),
                                                                                    ("content-type", "text/html")],
                                    [("tagging", "<Tagging><TagSet/></Tagging>"), ("x-amz-tagging", "a=b")]])
def test_a_field_twice(server, s3, fields):
    answer = send_form(server, s3, fields, "double")
    assert (answer.status, answer.code) == (400, "InvalidArgument"), answer
    assert not exists(s3, "double")


# ---- What no header can carry

@pytest.mark.parametrize("name, value", [("a%20b", "x"), ("a%0Ab", "x"), ("a%3Ab", "x"), ("%C3%A4", "x"), ("a", "x%0D%0Ay"),
                                         ("a", "%00")])
def test_metadata_that_cannot_be_sent(server, s3, name, value):
    answer = send(server, "PUT", signed(server, "PUT", "meta", f"x-amz-meta-{name}={value}"), body=b"x")
    assert (answer.status, answer.code) == (400, "InvalidArgument"), answer
    assert not exists(s3, "meta")


def test_a_form_with_metadata_that_cannot_be_sent(server, s3):
    answer = send_form(server, s3, [("x-amz-meta-a b", "x")], "meta")
    assert (answer.status, answer.code) == (400, "InvalidArgument"), answer


def test_a_tab_in_metadata_can_be_sent(server, s3):
    target = signed(server, "PUT", "tab", "x-amz-meta-a=x%09y")
    assert send(server, "PUT", target, body=b"x").status == 200
    assert s3.head_object(Bucket=BUCKET, Key="tab")["Metadata"] == {"a": "x y"}


# ---- Options of other operations

@pytest.mark.parametrize("method, query, header", [
    ("GET", "", "x-amz-copy-source"), ("HEAD", "", "x-amz-copy-source"), ("DELETE", "", "x-amz-copy-source"),
    ("GET", "attributes=", "x-amz-copy-source"), ("POST", "uploads=", "x-amz-copy-source"),
    ("PUT", "tagging=", "x-amz-copy-source"), ("DELETE", "", "x-amz-copy-source-range"),
    ("PUT", "", "x-amz-copy-source-range"), ("DELETE", "", "x-amz-copy-source-if-match"), ("PUT", "", "x-amz-copy-sourcer"),
    ("DELETE", "", "x-amz-tagging"), ("PUT", "", "x-amz-mp-object-size"),
])
@pytest.mark.parametrize("in_query", [False, True])
def test_an_option_of_another_operation(server, s3, method, query, header, in_query):
    s3.put_object(Bucket=BUCKET, Key="kept", Body=b"kept")
    value = "pictures/kept"
    if in_query:
        answer = send(server, method, signed(server, method, "kept", f"{query}&{header}={value}".lstrip("&")), body=b"")
    else:
        answer = sign_and_send(server, method, f"/{BUCKET}/kept", query=query, headers={header: value})
    assert answer.status == 400, answer
    assert method == "HEAD" or (answer.code == "InvalidRequest" and header in answer.error["Message"]), answer
    assert s3.get_object(Bucket=BUCKET, Key="kept")["Body"].read() == b"kept"


@pytest.mark.parametrize("method, header", [("DELETE", "If-None-Match"), ("DELETE", "If-Modified-Since"),
                                            ("DELETE", "If-Unmodified-Since"), ("PUT", "If-Modified-Since"),
                                            ("PUT", "If-Unmodified-Since")])
def test_a_condition_that_an_operation_does_not_heed(server, s3, method, header):
    """Passed over, it would delete or replace what the client wanted kept."""
    s3.put_object(Bucket=BUCKET, Key="kept", Body=b"kept")
    value = "*" if header == "If-None-Match" else "Sat, 01 Jan 2000 00:00:00 GMT"
    answer = send(server, method, signed(server, method, "kept"), [(header, value)])
    assert (answer.status, answer.code, answer.error["Header"]) == (501, "NotImplemented", header), answer
    assert s3.get_object(Bucket=BUCKET, Key="kept")["Body"].read() == b"kept"


def test_a_copy_by_a_form(server, s3):
    answer = send_form(server, s3, [("x-amz-copy-source", "pictures/kept")])
    assert (answer.status, answer.code) == (400, "InvalidRequest"), answer


@pytest.mark.parametrize("header", ["x-amz-checksum-crc16", "x-amz-checksum-", "x-amz-checksum-sha2567", "x-amz-checksum-crc"])
def test_an_unknown_checksum(server, s3, header):
    for answer in (sign_and_send(server, "PUT", f"/{BUCKET}/sum", b"x", headers={header: "AAAAAA=="}),
                   send(server, "PUT", signed(server, "PUT", "sum", header + "=AAAAAA%3D%3D"), body=b"x")):
        assert (answer.status, answer.code) == (400, "InvalidRequest"), answer
    assert not exists(s3, "sum")


# ---- The hash of the body

def test_a_hash_that_is_not_signed_is_checked_all_the_same(server, s3):
    target = signed(server, "PUT", "hashed")
    answer = send(server, "PUT", target, [("x-amz-content-sha256", sha256(b"other"))], b"body")
    assert (answer.status, answer.code) == (400, "XAmzContentSHA256Mismatch"), answer
    assert answer.error["ClientComputedContentSHA256"] == sha256(b"other")
    for value in ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", "nonsense"):
        assert send(server, "PUT", target, [("x-amz-content-sha256", value)], b"body").code == "InvalidArgument"
    assert not exists(s3, "hashed")
    for value in (sha256(b"body"), "UNSIGNED-PAYLOAD"):
        assert send(server, "PUT", target, [("x-amz-content-sha256", value)], b"body").status == 200


def test_a_hash_in_the_query_and_another_in_a_header(server, s3):
    target = signed(server, "PUT", "hashed-twice", "X-Amz-Content-Sha256=" + sha256(b"body"))
    for body, header in ((b"other", b"other"), (b"body", b"other")):
        answer = send(server, "PUT", target, [("x-amz-content-sha256", sha256(header))], body)
        assert (answer.status, answer.code) == (400, "InvalidArgument"), answer
    assert not exists(s3, "hashed-twice")
    assert send(server, "PUT", target, [("x-amz-content-sha256", sha256(b"body"))], b"body").status == 200


def test_a_signed_request_whose_hash_is_not_among_the_signed_headers(server, s3):
    """AWS takes it: the hash is the last line of what is signed."""
    body = b"signed by its last line"
    assert send(server, "PUT", f"/{BUCKET}/last-line", header_auth(server, body), body).status == 200
    answer = send(server, "PUT", f"/{BUCKET}/last-line", header_auth(server, body), b"signed by some other line")
    assert (answer.status, answer.code) == (400, "XAmzContentSHA256Mismatch"), answer
    assert s3.get_object(Bucket=BUCKET, Key="last-line")["Body"].read() == body


def header_auth(server, body):
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{now[:8]}/us-east-1/s3/aws4_request"
    canonical = f"PUT\n/{BUCKET}/last-line\n\nhost:{server.host}\nx-amz-date:{now}\n\nhost;x-amz-date\n{sha256(body)}"
    return [("x-amz-date", now), ("x-amz-content-sha256", sha256(body)),
            ("Authorization", f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope}, SignedHeaders=host;x-amz-date, "
                              f"Signature={v4(SECRET_KEY, scope, now, canonical)}")]


def test_what_proxies_of_aws_add_to_a_presigned_request(server, s3):
    s3.put_object(Bucket=BUCKET, Key="cat.jpg", Body=b"a cat")
    added = [("X-Amz-Cf-Id", "a"), ("X-Amz-Cf-Pop", "b"), ("X-Amzn-Trace-Id", "c"), ("x-amz-apigw-id", "d")]
    assert send(server, "GET", signed(server, "GET", "cat.jpg"), added).body == b"a cat"
    assert send(server, "GET", signed(server, "GET", "cat.jpg"), [("x-amz-cf-idx", "a")]).code == "AccessDenied"
    # Whoever signs by header signs what he sends: nothing is added in between.
    for name, _ in added[:2]:
        answer = send(server, "PUT", f"/{BUCKET}/last-line", [*header_auth(server, b"x"), (name, "a")], b"x")
        assert (answer.code, answer.error["HeadersNotSigned"]) == ("AccessDenied", name.lower())


# ---- Signature Version 2

def test_two_response_headers_in_one(start):
    """Decoded they are signed alike, so who holds the URL of one could make it two."""
    old = start("--allow-signature-v2", environment={"LATCHSTRING_BUCKETS": BUCKET})
    old.client().put_object(Bucket=BUCKET, Key="cat.jpg", Body=b"<script>", ContentType="image/png")
    text = "GET\n\n\n{}\n/pictures/cat.jpg?response-content-disposition=inline&response-content-type=text/html"
    expires = int(time.time()) + 60
    sign = text.format(expires)
    one = "/pictures/cat.jpg?response-content-disposition=inline%26response-content-type%3Dtext/html"
    answer = old.send("GET", signed_url(one, expires, sign, bucket=""))
    assert (answer.status, answer.code) == (400, "InvalidArgument") and "Version 4" in answer.error["Message"], answer


# ---- A client's own limits

@pytest.fixture(name="uploads", scope="module")
def _uploads(start, tmp_path_factory):
    folder = tmp_path_factory.mktemp("profiles")
    (folder / "pictures.json").write_text(json.dumps({"bucket": BUCKET, "key": "{uuid}", "types": ["image/*"]}))
    server = start("--api-rate", "0", "--profiles", str(folder), environment={"LATCHSTRING_BUCKETS": BUCKET})
    return server, make_token(server, "backend", "--role", "backend")


@pytest.mark.parametrize("value", [*LISTS, "image/*", "*/*", "image/png;text/html"])
def test_a_client_does_not_choose_what_is_allowed(uploads, value):
    server, backend = uploads
    status, made = ask(server, backend, "POST", "tokens", {"profile": "pictures"})
    assert status == 201
    quoted = urllib.parse.quote(value)
    for status, answer in (
            ask(server, backend, "POST", "uploads", {"profile": "pictures", "type": value}),
            ask(server, made["token"], "POST", "uploads", {"profile": "pictures", "type": value}),
            ask(server, made["token"], "POST", "uppy/s3/sign", {"method": "PUT", "key": "a.png", "contentType": value}),
            ask(server, made["token"], "POST", "uppy/s3/sign", {"method": "POST", "key": "a.png", "contentType": value}),
            ask(server, made["token"], "GET", f"uppy/s3/params?filename=a.png&type={quoted}"),
            ask(server, made["token"], "POST", "uppy/s3/multipart", {"filename": "a.png", "type": value})):
        assert status == 400, (value, answer)
        assert "media type" in json.dumps(answer), answer


def test_a_parameter_of_the_api_twice(uploads):
    server, backend = uploads
    status, answer = ask(server, backend, "GET", "links?limit=1&limit=2")
    assert status == 400 and "twice" in json.dumps(answer), answer


@pytest.mark.parametrize("method, headers, body, code", [
    ("POST", [("Idempotency-Key", "a"), ("Idempotency-Key", "b")], b"{}", "BadRequest"),
    ("GET", [("Authorization", "Bearer a"), ("Authorization", "Bearer b")], b"", "BadRequest"),
    ("GET", [("x-padding", "p" * 9000)], b"", "RequestHeaderSectionTooLarge"),
    ("GET", [("x-bad", b"a\x01b")], b"", "BadRequest")])
def test_what_the_server_refuses_for_the_api_has_the_apis_shape(uploads, method, headers, body, code):
    """Before any operation begins. A program reads JSON there, Uppy its own, and a person no XML."""
    server, _ = uploads

    def refused(path, *more):
        with contextlib.closing(server.connection()) as connection:
            connection.putrequest(method, path)
            for name, value in [*headers, *more]:
                connection.putheader(name, value)
            if method == "POST":
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            response = connection.getresponse()
            assert response.status == 400
            return response.headers["Content-Type"], response.read().decode()
    kind, text = refused("/-/api/uploads")
    assert kind == "application/json" and json.loads(text)["error"]["code"] == code and json.loads(text)["error"]["message"]
    kind, text = refused("/-/api/uppy/s3/sign")
    assert kind == "application/json" and json.loads(text)["error"] == json.loads(text)["message"] != ""
    kind, text = refused("/-/l/x")
    assert kind.startswith("text/plain") and "<" not in text and text.endswith("\n")
    kind, text = refused(f"/{BUCKET}/x")
    assert kind == "application/xml" and f"<Code>{code}</Code>" in text


# ---- Whose address?

PROXIED = "proxied"


@pytest.fixture(name="proxied", scope="module")
def _proxied(start):
    server = start("--trusted-proxy", "127.0.0.0/8", environment={"LATCHSTRING_BUCKETS": BUCKET})
    server.client().put_object(Bucket=BUCKET, Key="cat.jpg", Body=b"a cat")
    return server


@pytest.mark.parametrize("lines, is_known", [
    ([("X-Forwarded-For", "203.0.113.9")], True), ([("X-Forwarded-For", "1.1.1.1, 203.0.113.9")], True),
    ([("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "203.0.113.9")], True),
    ([("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-For", "1.1.1.1")], False),
    ([("X-Forwarded-For", "203.0.113.9, unknown")], False), ([("X-Forwarded-For", "203.0.113.9, unknown, 127.0.0.1")], False),
    ([("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-For", "127.0.0.1")], True),
    ([("X-Forwarded-For", "unknown")], False), ([("X-Forwarded-For", "203.0.113.9,")], False),
    ([("Forwarded", "for=1.1.1.1, for=203.0.113.9")], True), ([("Forwarded", 'for="203.0.113.9:80";proto=https')], True),
    ([("Forwarded", "for=203.0.113.9"), ("Forwarded", "for=1.1.1.1")], False),
    ([("Forwarded", "for=203.0.113.9, for=_hidden")], False), ([("Forwarded", 'for="203.0.113.9')], False),
    ([("X-Forwarded-For", "1.1.1.1"), ("Forwarded", "for=203.0.113.9")], False),
    ([("X-Forwarded-For", "203.0.113.9"), ("Forwarded", "for=203.0.113.9")], True),
])
def test_a_clients_address(proxied, lines, is_known):
    target = signed(proxied, "GET", "cat.jpg", "x-latch-ip=203.0.113.9")
    answer = send(proxied, "GET", target, lines)
    assert answer.status == (200 if is_known else 403), answer
    assert is_known or answer.error["Constraint"] == "x-latch-ip"


def test_the_proxys_own_address_is_not_a_clients(proxied):
    """What can't be read is nobody's: it does not fall back to the proxy's."""
    target = signed(proxied, "GET", "cat.jpg", "x-latch-ip=127.0.0.1")
    assert send(proxied, "GET", target, [("X-Forwarded-For", "unknown")]).status == 403
    assert send(proxied, "GET", target).status == 200


def user(server, name, *statements):
    made = json.loads(server.command("user", "add", name, "--data", server.data, "--json").stdout)
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    server.command("policy", "set", name, "-", "--data", server.data, input=policy)
    return made["access_key_id"], made["secret_access_key"]


def allow(action, condition=None, effect="Allow"):
    return {"Effect": effect, "Action": action, "Resource": ["arn:aws:s3:::*"],
            **({"Condition": condition} if condition else {})}


@pytest.mark.parametrize("name, statements", [
    ("only", [allow("s3:*", {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})]),
    ("not", [allow("s3:*", {"NotIpAddress": {"aws:SourceIp": "198.51.100.0/24"}})]),
    ("if-exists", [allow("s3:*", {"IpAddressIfExists": {"aws:SourceIp": "203.0.113.0/24"}})]),
    ("denied", [allow("s3:*"), allow("s3:*", {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}, "Deny")]),
    ("denied-not", [allow("s3:*"), allow("s3:*", {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, "Deny")]),
])
def test_an_address_that_is_not_known_and_a_policy_about_it(proxied, name, statements):
    keys = user(proxied, name, *statements)
    target = signed(proxied, "GET", "cat.jpg", keys=keys)
    assert send(proxied, "GET", target, [("X-Forwarded-For", "203.0.113.9")]).status == 200
    answer = send(proxied, "GET", target, [("X-Forwarded-For", "203.0.113.9, unknown")])
    assert (answer.status, answer.code) == (403, "AccessDenied"), answer


@pytest.mark.parametrize("lines, is_secure", [
    ([("X-Forwarded-Proto", "https")], True), ([("X-Forwarded-Proto", "https"), ("X-Forwarded-Proto", "http")], False),
    ([("X-Forwarded-Proto", "http"), ("X-Forwarded-Proto", "https")], True), ([("X-Forwarded-Proto", "https, http")], False),
    ([("Forwarded", "proto=https")], True), ([("Forwarded", "proto=https, proto=http")], False),
    ([("X-Forwarded-Proto", "http"), ("Forwarded", "proto=https")], False), ([], False),
])
def test_a_clients_protocol(proxied, secure_keys, lines, is_secure):
    answer = send(proxied, "GET", signed(proxied, "GET", "cat.jpg", keys=secure_keys), lines)
    assert answer.status == (200 if is_secure else 403), answer


@pytest.fixture(name="secure_keys", scope="module")
def _secure_keys(proxied):
    return user(proxied, "secure", allow("s3:*", {"Bool": {"aws:SecureTransport": "true"}}))


@pytest.mark.parametrize("lines, fits", [
    ([("X-Forwarded-Host", "files.example.com")], True),
    ([("X-Forwarded-Host", "evil.example.com"), ("X-Forwarded-Host", "files.example.com")], True),
    ([("X-Forwarded-Host", "files.example.com"), ("X-Forwarded-Host", "evil.example.com")], False),
    ([("Forwarded", "host=files.example.com")], True),
    ([("Forwarded", "host=files.example.com"), ("X-Forwarded-Host", "evil.example.com")], False),
])
def test_a_clients_host(proxied, lines, fits):
    url = presign(proxied.client(endpoint="https://files.example.com"), "get_object")
    answer = send(proxied, "GET", target_of(url), [("Host", "inner:9000"), *lines])
    assert answer.status == (200 if fits else 403), answer


# ---- Rights

def test_attributes_need_the_right_to_read(proxied):
    ask_attributes = {"x-amz-object-attributes": "ETag"}
    for name, actions, status in (("attributes", ["s3:GetObjectAttributes"], 403), ("reader", ["s3:GetObject"], 403),
                                  ("both", ["s3:GetObjectAttributes", "s3:GetObject"], 200)):
        keys = user(proxied, name, allow(actions))
        target = signed(proxied, "GET", "cat.jpg", "attributes=", keys=keys, headers=ask_attributes)
        answer = send(proxied, "GET", target, list(ask_attributes.items()))
        assert answer.status == status, (name, answer)
    target = signed(proxied, "GET", "cat.jpg", "attributes=&versionId=null", keys=keys, headers=ask_attributes)
    assert send(proxied, "GET", target, list(ask_attributes.items())).code == "AccessDenied"


def test_the_number_of_tags_is_for_who_may_read_them(proxied):
    proxied.client().put_object(Bucket=BUCKET, Key="tagged", Body=b"x", Tagging="a=b")
    for name, actions, count in (("tag-less", ["s3:GetObject"], None),
                                 ("tag-reader", ["s3:GetObject", "s3:GetObjectTagging"], "1")):
        keys = user(proxied, name, allow(actions))
        assert send(proxied, "GET", signed(proxied, "GET", "tagged", keys=keys)).headers["x-amz-tagging-count"] == count


# ---- Other origins

@pytest.mark.parametrize("path", ["metrics", "health", "nothing"])
def test_what_is_for_operators_answers_no_web_page(server, path):
    answer = send(server, "GET", "/-/" + path, [("Origin", "https://evil.example")])
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")], answer.headers.items()
    answer = send(server, "OPTIONS", "/-/" + path, [("Origin", "https://evil.example"),
                                                    ("Access-Control-Request-Method", "GET")])
    assert answer.status == 405
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
