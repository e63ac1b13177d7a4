"""Errors as S3 shapes them, and the explanation that S3 does not give."""
import re

import pytest
from harness import ACCESS_KEY, SECRET_KEY, presign, target_of

BUCKET = "pictures"


def test_the_shape_of_an_error(s3, server):
    answer = server.send("GET", target_of(presign(s3, "get_object", key="no such key.jpg")))
    assert (answer.status, answer.code) == (404, "NoSuchKey")
    error = answer.error
    assert error["Key"] == "no such key.jpg"
    assert list(error) == ["Code", "Message", "Key", "RequestId", "HostId"]
    assert error["Message"] == "The specified key does not exist."
    assert re.fullmatch(r"[0-9A-F]{16}", error["RequestId"])
    assert error["HostId"] and answer.headers["x-amz-id-2"]
    assert answer.headers["Server"]


def test_a_head_has_no_body_but_the_status(s3, server):
    answer = server.send("HEAD", target_of(presign(s3, "head_object", key="nothing")))
    assert (answer.status, answer.body) == (404, b"")


def test_no_such_bucket(s3, server):
    answer = server.send("GET", target_of(presign(s3, "get_object", bucket="no-such-bucket")))
    assert (answer.status, answer.code) == (404, "NoSuchBucket")
    assert answer.error["BucketName"] == "no-such-bucket"


def test_text_in_errors_is_escaped(s3, server):
    key = "<script>&\"' ü.jpg"
    answer = server.send("GET", target_of(presign(s3, "get_object", key=key)))
    assert answer.status == 404 and b"<script>" not in answer.body
    assert answer.error["Key"] == key


def test_what_aws_gives_with_a_wrong_signature(s3, server):
    target = target_of(presign(s3, "get_object"))
    answer = server.send("GET", target.replace("cat", "dog"))
    error = answer.error
    signature = re.search("X-Amz-Signature=([0-9a-f]{64})", target).group(1)
    assert error["Code"] == "SignatureDoesNotMatch" and error["AWSAccessKeyId"] == ACCESS_KEY
    assert error["SignatureProvided"] == signature
    assert error["StringToSign"].startswith("AWS4-HMAC-SHA256\n")
    assert error["CanonicalRequest"].startswith("GET\n/pictures/dog.jpg\nX-Amz-Algorithm=")
    assert error["CanonicalRequest"].endswith("\nhost\nUNSIGNED-PAYLOAD")
    assert bytes.fromhex(error["StringToSignBytes"].replace(" ", "")).decode() == error["StringToSign"]
    assert bytes.fromhex(error["CanonicalRequestBytes"].replace(" ", "")).decode() == error["CanonicalRequest"]


def explained(server, answer, *words):
    """The explanation is in the error, in the log, and holds these words."""
    assert answer.code == "SignatureDoesNotMatch", answer
    explanation = answer.error["Explanation"]
    for word in words:
        assert word in explanation, explanation
    request_id = answer.error["RequestId"]
    line = server.wait_for_log(rf".*{request_id}.*")
    assert line, "the log names the request"
    assert words[0] in line.group(), line.group()
    return explanation


def test_explained_another_method(s3, server):
    explained(server, server.send("GET", target_of(presign(s3, "put_object"))), "PUT")


def test_explained_head_for_get(s3, server):
    assert server.send("HEAD", target_of(presign(s3, "get_object"))).status == 403


def test_explained_another_host(server):
    """Signed for the name without the port, as behind a proxy, and sent to the port itself."""
    elsewhere = server.client(endpoint="http://127.0.0.1")
    explained(server, server.send("GET", target_of(presign(elsewhere, "get_object"))), "host", "127.0.0.1")


def test_explained_content_type_absent(s3, server):
    target = target_of(presign(s3, "put_object", ContentType="image/jpeg"))
    explained(server, server.send("PUT", target, body=b"x"), "content-type")


def test_explained_path_encoded_twice(s3, server):
    target = target_of(presign(s3, "get_object", key="a b.jpg"))
    twice = target_of(presign(s3, "get_object", key="a%20b.jpg"))  # signed for %2520
    signature = re.search("X-Amz-.*", twice).group()
    explained(server, server.send("GET", target.split("?")[0] + "?" + signature), "a second time")


def test_explained_secret_with_white_space(server):
    client = server.client(secret_key=SECRET_KEY + "\n")
    explained(server, server.send("GET", target_of(presign(client, "get_object"))), "white space")


def test_explained_expiry_changed(s3, server):
    target = target_of(presign(s3, "get_object", expires=3600))
    explained(server, server.send("GET", target.replace("Expires=3600", "Expires=604800")), "Expires")


def test_explained_parameter_added(s3, server):
    target = target_of(presign(s3, "get_object"))
    explained(server, server.send("GET", target + "&fbclid=x"), "fbclid=x", "added")
    explained(server, server.send("GET", target.replace("?", "?utm_source=mail&")), "utm_source", "added")


def test_explained_virtual_host_against_path(server):
    client = server.client(endpoint="http://files.example.com", s3={"addressing_style": "virtual"})
    url = presign(client, "get_object")
    assert "//pictures.files.example.com/cat.jpg" in url
    answer = server.send("GET", "/pictures" + target_of(url), {"Host": "files.example.com"})
    explained(server, answer, "host")


def test_no_secret_in_an_explanation(s3, server):
    answer = server.send("GET", target_of(presign(s3, "put_object")))
    assert SECRET_KEY.encode() not in answer.body
    assert SECRET_KEY not in server.log()


@pytest.mark.parametrize("request_bytes", [
    b"GET / HTTP/1.1\r\n\r\n", b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", b"BREW /pictures/pot HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://elsewhere/pictures/cat HTTP/1.1\r\nHost: x\r\n\r\n", b"GET * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PUT /pictures/x HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"PUT /pictures/x HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"\x00\x01\x02\r\n\r\n"])
def test_nonsense_does_no_harm(server, request_bytes):
    connection = server.connection(timeout=5)
    connection.connect()
    connection.sock.sendall(request_bytes)
    connection.sock.settimeout(3)
    try:
        answer = connection.sock.recv(65536)
    except (TimeoutError, ConnectionError):
        answer = b""
    connection.close()
    assert not re.match(rb"HTTP/1\.[01] (2|5)\d\d", answer), answer
    assert server.send("GET", "/-/health").status == 200
