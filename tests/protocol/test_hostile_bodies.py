"""Bodies that are not what they claim to be: XML bombs, and uploads that are cut off or too long."""
import base64
import hashlib
import zlib

import pytest
from harness import presign, sign_and_send, target_of
from hostile import connect, exchange, read_answers, signed_head, statuses

BUCKET = "pictures"


@pytest.fixture(scope="module")
def server(start):
    return start("--idle-timeout", "2", environment={"LATCHSTRING_BUCKETS": BUCKET})


@pytest.fixture(scope="module")
def s3(server):
    """It finds its idle connections closed, which the tests want, and tries again."""
    return server.client(retries={"max_attempts": 3})


def billion_laughs():
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{entities}]>'


# Where a document may stand, and its root element.
DOCUMENTS = {
    "DeleteObjects": ("POST", f"/{BUCKET}", "delete=", "Delete"),
    "CreateBucket": ("PUT", "/bombed-bucket", "", "CreateBucketConfiguration"),
    "CompleteMultipartUpload": ("POST", f"/{BUCKET}/k", "uploadId=none", "CompleteMultipartUpload"),
    "PutObjectTagging": ("PUT", f"/{BUCKET}/k", "tagging=", "Tagging"),
    "PutBucketTagging": ("PUT", f"/{BUCKET}", "tagging=", "Tagging"),
    "PutBucketCors": ("PUT", f"/{BUCKET}", "cors=", "CORSConfiguration"),
    "PutBucketVersioning": ("PUT", f"/{BUCKET}", "versioning=", "VersioningConfiguration"),
}
BOMBS = {
    "billion laughs": lambda root: f"{billion_laughs()}<{root}>&l9;</{root}>",
    "one entity often": lambda root: f'<!DOCTYPE x [<!ENTITY e "{"e" * 50_000}">]><{root}>{"&e;" * 5000}</{root}>',
    "external entity": lambda root: f'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><{root}><Key>&e;</Key></{root}>',
    "external document type": lambda root: f'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><{root}/>',
    "parameter entity": lambda root: f'<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]><{root}/>',
    "deep nesting": lambda root: f"<{root}>" + "<a>" * 100_000 + "</a>" * 100_000 + f"</{root}>",
    "never closed": lambda root: f"<{root}>" + "<a>" * 200_000,
    "2 MiB of white space": lambda root: f"<{root}>{' ' * (2 << 20)}</{root}",
    "a huge attribute": lambda root: f'<{root} a="{"a" * 1_000_000}"/',
    "100,000 attributes": lambda root: f"<{root} " + " ".join(f"a{n}=''" for n in range(100_000)) + "/",
    "a huge name": lambda root: f"<{root}><{'n' * 1_000_000}/></{root}>",
    "a huge comment": lambda root: f"<{root}><!--{'c' * 1_900_000}",
    "an unknown encoding": lambda root: f'<?xml version="1.0" encoding="x-unknown"?><{root}/>',
    "UTF-16 that is none": lambda root: f'<?xml version="1.0" encoding="UTF-16"?><{root}/>',
    "binary": lambda root: "\0\1\2\3" * 1000,
    "not UTF-8": lambda root: f"<{root}><Key>\udcff\udcfe</Key></{root}>",
}


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("operation", DOCUMENTS)
def test_xml_bombs(server, operation, bomb):
    method, path, query, root = DOCUMENTS[operation]
    body = BOMBS[bomb](root).encode("utf-8", "surrogateescape")
    headers = {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}
    answer = sign_and_send(server, method, path, body, query, headers)
    assert answer.status in (400, 404, 501), answer  # 404: no such upload; 501: an operation that is yet to come
    assert answer.code, answer
    assert b"root:" not in answer.body, "a file of this machine is in the answer"


def test_memory_is_as_it_was_after_the_bombs(server):
    """A gigabyte of laughs would be seen, even under the sanitizers."""
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
        peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
    assert peak < 700_000, f"{peak} KiB"
    assert server.send("GET", "/-/health").status == 200


# ---- Bodies that are too short or too long

PAYLOAD = b"p" * 30_000
CHECKSUM = base64.b64encode(zlib.crc32(PAYLOAD).to_bytes(4, "big")).decode()


def upload(server, kind, body, length):
    """An upload's head and body; length: what is announced."""
    if kind == "plain":
        headers = {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    elif kind == "plain, hashed":
        headers = {"x-amz-content-sha256": hashlib.sha256(PAYLOAD).hexdigest()}
    elif kind == "plain, MD5":
        headers = {"x-amz-content-sha256": "UNSIGNED-PAYLOAD",
                   "Content-MD5": base64.b64encode(hashlib.md5(PAYLOAD).digest()).decode()}
    else:
        headers = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "Content-Encoding": "aws-chunked",
                   "x-amz-decoded-content-length": str(len(PAYLOAD)), "x-amz-trailer": "x-amz-checksum-crc32"}
    return signed_head(server, "PUT", f"/{BUCKET}/cut", headers) + b"Content-Length: %d\r\n\r\n" % length + body


def encoded(payload=PAYLOAD, size=None, trailer=f"x-amz-checksum-crc32:{CHECKSUM}\r\n"):
    size = len(payload) if size is None else size
    return b"%x\r\n" % size + payload + b"\r\n0\r\n" + trailer.encode() + b"\r\n"


@pytest.fixture
def old_object(s3):
    s3.put_object(Bucket=BUCKET, Key="cut", Body=b"old")
    yield
    assert s3.get_object(Bucket=BUCKET, Key="cut")["Body"].read() == b"old", "the old object is untouched"


@pytest.mark.parametrize("kind", ["plain", "plain, hashed", "plain, MD5", "aws-chunked"])
def test_bodies_that_are_whole(server, s3, kind):
    """The same requests as below, but right."""
    body = encoded() if kind == "aws-chunked" else PAYLOAD
    with connect(server) as sock:
        sock.sendall(upload(server, kind, body, len(body)))
        assert read_answers(sock, 1)[0][0] == 200
    assert s3.get_object(Bucket=BUCKET, Key="cut")["Body"].read() == PAYLOAD


@pytest.mark.parametrize("kind", ["plain", "plain, hashed", "plain, MD5", "aws-chunked"])
@pytest.mark.parametrize("share", [0, 0.5, 0.9999])
def test_truncated_bodies(server, old_object, kind, share):
    body = encoded() if kind == "aws-chunked" else PAYLOAD
    received = exchange(server, upload(server, kind, body[:int(len(body) * share)], len(body)))
    assert 200 not in statuses(received), received


@pytest.mark.parametrize("kind", ["plain, hashed", "plain, MD5"])
@pytest.mark.parametrize("body", [PAYLOAD[:-1], PAYLOAD + b"p", b""])
def test_another_length_than_was_hashed(server, old_object, kind, body):
    with connect(server) as sock:
        sock.sendall(upload(server, kind, body, len(body)))
        status, document = read_answers(sock, 1)[0]
    assert status == 400 and (b"XAmzContentSHA256Mismatch" in document or b"BadDigest" in document), document


def test_more_than_was_announced_is_no_part_of_the_body(server, s3):
    """And no request either."""
    received = exchange(server, upload(server, "plain", PAYLOAD + b"more" * 10 + b"\r\n\r\n", len(PAYLOAD)), ends=False)
    assert statuses(received)[0] == 200 and set(statuses(received)[1:]) <= {400, 501}, received
    assert s3.get_object(Bucket=BUCKET, Key="cut")["Body"].read() == PAYLOAD


AWS_CHUNKED = {
    "a chunk less than its size": encoded(PAYLOAD[:-1], len(PAYLOAD)),
    "less than was announced": encoded(PAYLOAD[:-1]),
    "more than was announced": encoded(PAYLOAD + b"p"),
    "a chunk of 2^64 bytes": encoded(PAYLOAD, 1 << 64),
    "a negative chunk": b"-" + encoded(),
    "a chunk size of 1,000 digits": b"0" * 1000 + encoded(),
    "an extension of 64 KiB": encoded().replace(b"\r\n", b";a=" + b"x" * 65536 + b"\r\n", 1),
    "no last chunk": b"%x\r\n" % len(PAYLOAD) + PAYLOAD + b"\r\n",
    "no trailer": encoded(trailer=""),
    "another trailer": encoded(trailer="x-amz-checksum-sha1:AAAA\r\n"),
    "a wrong trailer": encoded(trailer="x-amz-checksum-crc32:AAAAAA==\r\n"),
    "a trailer that is no Base64": encoded(trailer="x-amz-checksum-crc32:????\r\n"),
    "a trailer of 64 KiB": encoded(trailer="x-amz-checksum-crc32:" + "A" * 65536 + "\r\n"),
    "10,000 trailers": encoded(trailer="x-amz-checksum-crc32:AAAAAA==\r\n" * 10_000),
    "bytes after the end": encoded() + b"5\r\nagain\r\n0\r\n\r\n",
    "not chunked at all": PAYLOAD,
}


@pytest.mark.parametrize("name", AWS_CHUNKED)
def test_bad_aws_chunked_bodies(server, old_object, name):
    body = AWS_CHUNKED[name]
    with connect(server) as sock:
        sock.sendall(upload(server, "aws-chunked", body, len(body)))
        status, document = read_answers(sock, 1)[0]
    assert status == 400, document
    code = {"a wrong trailer": b"BadDigest", "a trailer that is no Base64": b"InvalidRequest"}.get(
        name, b"MalformedTrailerError" if "trailer" in name else b"IncompleteBody")
    assert b"<Code>" + code + b"</Code>" in document, document


def test_a_presigned_upload_that_is_cut_off_again_and_again(server, s3, old_object):
    target = target_of(presign(s3, "put_object", key="cut"))
    for length in range(0, 30_000, 1500):
        with connect(server) as sock:
            sock.sendall(f"PUT {target} HTTP/1.1\r\nHost: {server.host}\r\nContent-Length: 30000\r\n\r\n".encode()
                         + PAYLOAD[:length])
