"""x-latch-sniff: what is uploaded is what it says it is, or is refused before anybody sees it."""
import base64
import functools
import gzip
import io
import socket
import struct
import urllib.parse
import xml.etree.ElementTree as xml
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
    yield "text/html", b"\n" * 5000 + PAGE
    yield "text/markdown", b'<p align="center">A readme</p>\n'
    yield "text/plain", b"<hello>\n"
    yield "image/svg+xml", svg(b"<style>a{fill:red}</style><style><![CDATA[b{fill:url(#c)}]]></style>")
    yield "text/rdf", b'<RDF xmlns="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'
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


# ---- What a browser would make of it

XHTML = "http://www.w3.org/1999/xhtml"


@pytest.mark.parametrize("kind, content", [
    ("image/svg+xml", b'<!DOCTYPE svg PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">'
                      b'<svg xmlns="http://www.w3.org/2000/svg"><a href="javascript&colon;alert&lpar;1&rpar;"/></svg>'),
    ("application/xml", f'<r xmlns:x="{XHTML}"><x:script>alert(1)</x:script></r>'.encode()),
    *((kind, f'<r xmlns:x="{XHTML}"><x:script>alert(1)</x:script></r>'.encode()) for kind in ("text/rdf", "text/x-xml", "application/x-xml")),
    # A browser reads the style around the element, and sees an @import, or a url().
    ("image/svg+xml", svg(b"<style>@imp<g>x</g>ort 'https://example.com/a.css';</style>")),
    ("image/svg+xml", svg(b"<style>a{background:ur<style>x</style>l(https://example.com)}</style>")),
    *((kind, b"\n" * 5000 + start) for kind in ("text/plain", "text/css", "application/json") for start in (b"<html><script>1</script>", b"<p onmouseover=alert(1)>")),
    ("text/plain", b"<iframe src=//example.com>"), ("text/plain", b"\xef\xbb\xbf\r\n<body onload=alert(1)>"),
    ("text/xml", f'<html xmlns="{XHTML}"/>'.encode()), ("text/xml", svg()), ("application/rss+xml", svg()),
    ("application/xml", b'<?xml-stylesheet type="text/xsl" href="#x"?><r/>'),
    ("image/svg+xml; charset=shift_jis", svg()),
    ("application/unknown", PAGE), ("unknown/unknown", PAGE), ("*/*", PAGE), ("*/*", png()), ("multipart/x-mixed-replace", PAGE),
    ("application/x-something", b" " * 5000 + b"<b onmouseover=alert(1)>"), ("application/x-something", b"<!-- --><script>1</script>"),
])
def test_what_a_browser_would_run(server, s3, kind, content):
    answer = send(server, "runs", kind, content)
    # What is no media type may be refused as such, before anything is looked at.
    assert answer.status in (400, 403) and (answer.status == 400 or answer.error["Constraint"] == "x-latch-sniff"), answer
    assert not is_there(s3, "runs")


@pytest.mark.parametrize("coding, status", [("gzip", 403), ("br", 403), ("identity, deflate", 403), ("identity", 200)])
def test_content_behind_a_coding(server, s3, coding, status):
    url = sign(server, f"coded-{status}", x_latch_sniff="1")
    for kind, content in (("application/gzip", gzip.compress(PAGE)), ("image/png", png())):
        if status == 200 and kind == "application/gzip":
            continue
        answer = server.send("PUT", target_of(url), {"Content-Type": kind, "Content-Encoding": coding}, content)
        assert answer.status == status and (status == 200 or answer.error["Constraint"] == "x-latch-sniff"), answer
    form = s3.generate_presigned_post(BUCKET, "coded", Fields={"x-latch-sniff": "1", "Content-Encoding": coding, "Content-Type": "image/png"},
                                      Conditions=[{"x-latch-sniff": "1"}, {"Content-Encoding": coding}, {"Content-Type": "image/png"}])
    answer = requests.post(form["url"], data=form["fields"], files={"file": ("a.png", png())}, timeout=20)
    assert answer.status_code == (status if status == 403 else 204), answer.text


# ---- An upload in parts whose content is checked

def begin_checked(server, s3, **parameters):
    """Whose URL asks for the check; by any URL of its parts."""
    url = sign(server, "checked", method="POST", uploads="", x_latch_sniff="1", x_latch_type="image/*", **parameters)
    answer = server.send("POST", target_of(url), {"Content-Type": "image/png"})
    assert answer.status == 200, answer
    s3.put_object(Bucket=BUCKET, Key="source", Body=PAGE)
    return {"Bucket": BUCKET, "Key": "checked", "UploadId": xml.fromstring(answer.body)[2].text}


def refused_by_check(call, **parameters):
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    assert caught.value.response["Error"]["Code"] == "AccessDenied", caught.value
    assert caught.value.response["Error"]["Constraint"] == "x-latch-sniff"


def complete(s3, upload, *parts):
    return s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [
        {"PartNumber": number, "ETag": etag} for number, etag in parts]})


@pytest.mark.parametrize("checksum", [{}, {"x_amz_checksum_algorithm": "CRC32", "x_amz_checksum_type": "FULL_OBJECT"},
                                      {"x_amz_checksum_algorithm": "SHA256"}])
def test_a_checked_upload_in_parts(server, s3, checksum):
    upload = begin_checked(server, s3, **checksum)
    algorithm = {"ChecksumAlgorithm": checksum["x_amz_checksum_algorithm"]} if checksum else {}
    refused_by_check(s3.upload_part, **upload, **algorithm, PartNumber=1, Body=PAGE)
    refused_by_check(s3.upload_part, **upload, **algorithm, PartNumber=1, Body=GIF)
    refused_by_check(s3.upload_part_copy, **upload, PartNumber=1, CopySource=f"{BUCKET}/source")
    second = s3.upload_part(**upload, **algorithm, PartNumber=2, Body=PAGE)["ETag"]
    copied = s3.upload_part_copy(**upload, PartNumber=3, CopySource=f"{BUCKET}/source")["CopyPartResult"]["ETag"]
    for parts in ([(2, second)], [(3, copied)], [(2, second), (3, copied)]):
        refused_by_check(functools.partial(complete, s3, upload, *parts))
    assert not is_there(s3, "checked")
    first = s3.upload_part(**upload, **algorithm, PartNumber=1, Body=png())
    refused_by_check(s3.upload_part, **upload, **algorithm, PartNumber=1, Body=PAGE)
    refused_by_check(s3.upload_part_copy, **upload, PartNumber=1, CopySource=f"{BUCKET}/source")
    part = {"PartNumber": 1, "ETag": first["ETag"], **{name: value for name, value in first.items() if name.startswith("Checksum") and name != "ChecksumType"}}
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [part]})
    got = s3.get_object(Bucket=BUCKET, Key="checked")
    assert got["Body"].read() == png() and got["ContentType"] == "image/png"
    s3.delete_object(Bucket=BUCKET, Key="checked")


@pytest.mark.parametrize("kind", ["image/svg+xml", "text/xml"])
def test_a_checked_upload_in_parts_is_no_xml(server, s3, kind):
    url = sign(server, "checked", method="POST", uploads="", x_latch_sniff="1")
    answer = server.send("POST", target_of(url), {"Content-Type": kind})
    upload = {"Bucket": BUCKET, "Key": "checked", "UploadId": xml.fromstring(answer.body)[2].text}
    refused_by_check(s3.upload_part, **upload, PartNumber=1, Body=svg() if "svg" in kind else b"<a/>")
    s3.abort_multipart_upload(**upload)


def test_a_checked_upload_in_parts_has_no_coding(server):
    url = sign(server, "checked", method="POST", uploads="", x_latch_sniff="1")
    answer = server.send("POST", target_of(url), {"Content-Type": "image/png", "Content-Encoding": "gzip"})
    assert (answer.status, answer.error["Constraint"]) == (403, "x-latch-sniff")
