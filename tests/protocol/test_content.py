"""x-latch-sniff: what is uploaded is what it says it is, or is refused before anybody sees it."""
import base64
import io
import socket
import struct
import urllib.parse
import zipfile
import zlib

import pytest
import requests
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from harness import ACCESS_KEY, SECRET_KEY, Answer, target_of

BUCKET = "pictures"
PAGE = b"<!DOCTYPE html><html><body><script>alert(1)</script></body></html>"
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
ELF = b"\x7fELF\2\1\1" + bytes(9) + b"\2\0\x3e\0\1\0\0\0" + bytes(200)
JPEG_START = bytes.fromhex("ffd8ffe000104a46494600010100000100010000")
GIF = base64.b64decode("R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
WEBP = base64.b64decode("UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoBAAEAAgA0JaQAA3AA/vuUAAA=")


def svg(inside=b'<rect width="1" height="1"/>'):
    return b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">' + inside + b"</svg>"


def png():
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(bytes(4))) + chunk(b"IEND", b""))


def archive():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("a.txt", "hello")
    return file.getvalue()


def jpeg_with(comment):
    return JPEG_START + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + b"\xff\xd9"


def sign(server, key, kind=None, method="PUT", **parameters):
    """A presigned URL with these parameters: x_latch_sniff="1"."""
    query = urllib.parse.urlencode({name.replace("_", "-") if name.startswith("x_") else name: value
                                    for name, value in parameters.items()}, quote_via=urllib.parse.quote)
    url = f"{server.endpoint}/{BUCKET}/{urllib.parse.quote(key)}" + ("?" + query if query else "")
    request = AWSRequest(method, url, headers={"Content-Type": kind} if kind else {})
    S3SigV4QueryAuth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", "us-east-1", expires=300).add_auth(request)
    return request.url


def send(server, key, kind, content, **parameters):
    url = sign(server, key, kind, **{"x_latch_sniff": "1", **parameters})
    return server.send("PUT", target_of(url), {"Content-Type": kind}, content)


def is_there(s3, key):
    try:
        s3.head_object(Bucket=BUCKET, Key=key)
    except ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 404
        return False
    return True


def good():
    yield "image/png", png()
    yield "image/gif", GIF
    yield "image/webp", WEBP
    yield "image/jpg", JPEG_START + b"\xff\xdb\0\x43\0" + bytes(64)
    yield "application/pdf", PDF
    yield "image/svg+xml", svg()
    yield "image/svg+xml", svg(b"<g/>" * 500_000)
    yield "application/zip", archive()
    yield "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", archive()
    yield "text/plain; charset=utf-8", "Größe\n".encode() * 5000
    yield "application/json", b'{"a": [1, 2]}'
    yield "text/html", PAGE
    yield "application/octet-stream", ELF


def bad():
    yield "image/jpeg", PAGE, "text/html"
    yield "image/jpeg", svg(b"<script>alert(1)</script>"), "image/svg+xml"
    yield "image/jpeg", archive(), "application/zip"
    yield "image/jpeg", ELF, "application/x-executable"
    yield "image/jpeg", png(), "image/png"
    yield "image/png", JPEG_START, "image/jpeg"
    yield "image/jpeg", b"", "application/x-empty"
    yield "image/jpeg", jpeg_with(PAGE), "text/html"
    yield "image/jpeg", jpeg_with(PDF), "application/pdf"
    yield "image/jpeg", b"\xff\xd8\xff\xe0/*JFIF\0" + bytes(0x2F2A) + b"*/=1;alert(1)", "application/javascript"
    yield "image/gif", b"GIF89a/*" + GIF[8:] + b"*/=1;alert(1)", "application/javascript"
    yield "image/gif", GIF[:6] + PDF, "application/pdf"
    yield "image/gif", GIF + PAGE, "text/html"
    yield "text/plain", PAGE, "text/html"
    yield "application/xml", svg(b"<script/>"), "image/svg+xml"
    yield "application/pdf", PAGE, "text/html"
    yield "image/svg+xml", PAGE, "application/octet-stream"
    for inside in (b"<script/>", b"<foreignObject/>", b'<rect onload="a()"/>', b'<a href="java&#10;script:a()"/>',
                   b'<image href="https://example.com/a.png"/>', b"<style>@import 'a';</style>",
                   b"<g/>" * 500_000 + b"<script/>"):
        yield "image/svg+xml", svg(inside), "image/svg+xml"
    yield "image/svg+xml", b'<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>', "application/octet-stream"


@pytest.mark.parametrize("kind, content", list(good()))
def test_good(server, s3, kind, content):
    answer = send(server, "good", kind, content)
    assert answer.status == 200, answer
    got = s3.get_object(Bucket=BUCKET, Key="good")
    assert got["Body"].read() == content and got["ContentType"] == kind


def test_photographs(server, pictures):
    for name, kind in (("cat.jpg", "image/jpeg"), ("cat.png", "image/png")):
        assert send(server, name, kind, pictures[name], x_latch_type="image/*").status == 200


@pytest.mark.parametrize("kind, content, detected", list(bad()))
def test_bad(server, s3, kind, content, detected):
    answer = send(server, "bad", kind, content)
    assert answer.status == 403, answer
    error = answer.error
    assert error["Code"] == "AccessDenied" and error["Constraint"] == "x-latch-sniff"
    assert error["Detected"] == detected, error
    assert kind in error["Message"], error
    assert not is_there(s3, "bad")


def test_what_was_there_stays(server, s3):
    assert send(server, "kept", "image/png", png()).status == 200
    assert send(server, "kept", "image/png", PAGE).status == 403
    assert s3.get_object(Bucket=BUCKET, Key="kept")["Body"].read() == png()


def test_not_asked(server, s3):
    url = sign(server, "unasked", "image/png")
    assert server.send("PUT", target_of(url), {"Content-Type": "image/png"}, PAGE).status == 200


def test_refused_early(server, s3):
    """Of 30 MB, a small part is enough: the answer comes while the rest is still to be sent."""
    size = 30_000_000
    url = sign(server, "early", "image/jpeg", x_latch_sniff="1")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(f"PUT {target_of(url)} HTTP/1.1\r\nHost: {server.host}\r\n"
                           f"Content-Type: image/jpeg\r\nContent-Length: {size}\r\n\r\n".encode())
        connection.sendall(PAGE.ljust(64 * 1024))
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 403 "), answer
    assert b"<Detected>text/html</Detected>" in answer
    assert not is_there(s3, "early")


def test_parts(server, s3):
    """Part 1 is held against x-latch-type; what comes after it is of no type of its own."""
    where = {"Bucket": BUCKET, "Key": "parts"}
    upload = s3.create_multipart_upload(**where)["UploadId"]

    def part(number, content):
        url = sign(server, "parts", partNumber=str(number), uploadId=upload, x_latch_sniff="1",
                   x_latch_type="image/*,application/pdf")
        return server.send("PUT", target_of(url), {}, content)

    for content in (PAGE, archive(), svg(), GIF + PAGE):
        answer = part(1, content)
        assert (answer.status, answer.error["Constraint"]) == (403, "x-latch-sniff"), answer
    assert "Parts" not in s3.list_parts(**where, UploadId=upload)
    for content in (PDF, png()):
        assert part(1, content).status == 200
    assert part(2, b"the rest of it").status == 200
    s3.abort_multipart_upload(**where, UploadId=upload)


def test_part_without_a_list(server, s3):
    where = {"Bucket": BUCKET, "Key": "unlisted"}
    upload = s3.create_multipart_upload(**where)["UploadId"]
    url = sign(server, "unlisted", partNumber="1", uploadId=upload, x_latch_sniff="1")
    answer = server.send("PUT", target_of(url), {}, png())
    assert (answer.status, answer.code) == (400, "InvalidArgument"), answer
    s3.abort_multipart_upload(**where, UploadId=upload)


@pytest.mark.parametrize("content, status", [(png(), 204), (PAGE, 403)])
def test_form(server, s3, content, status):
    key = f"form-{status}"
    form = s3.generate_presigned_post(BUCKET, key, Fields={"x-latch-sniff": "1", "Content-Type": "image/png"},
                                      Conditions=[{"x-latch-sniff": "1"}, {"Content-Type": "image/png"}])
    answer = requests.post(form["url"], data=form["fields"], files={"file": ("a.png", content)}, timeout=20)
    assert answer.status_code == status, answer.text
    if status == 403:
        assert Answer(403, answer.headers, answer.content).error["Constraint"] == "x-latch-sniff"
    assert is_there(s3, key) == (status == 204)
