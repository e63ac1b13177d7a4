"""Limits and misfortune: full disks, slow clients, too many of them, bodies that never end."""
import base64
import concurrent.futures
import contextlib
import hashlib
import os
import re
import socket
import subprocess
import threading
import time

import pytest
from botocore.exceptions import ClientError
from harness import presign, send_on, sign_and_send, target_of

BUCKET = "pictures"


def read_answer(sock):
    """Status line and all else, until the end or a second of silence."""
    sock.settimeout(5)
    received = b""
    with contextlib.suppress(TimeoutError, ConnectionError):
        while piece := sock.recv(65536):
            received += piece
            if b"\r\n\r\n" in received and b"</Error>" in received:
                break
    return received


def blobs_of(server):
    """The bodies that the data folder holds, temporary ones too, once nothing changes any more."""
    found, last = None, 0.0
    while True:
        now = sorted(os.path.join(folder, name) for folder, _, names in os.walk(f"{server.data}/blobs") for name in names)
        if now != found:
            found, last = now, time.monotonic()
        elif time.monotonic() - last > 1:
            return found
        time.sleep(0.05)


# ---- Sizes

def test_a_body_that_is_too_large_is_refused_before_it_is_sent(start):
    server = start("--body-max", "1000000", "--buckets", BUCKET)
    s3 = server.client()
    target = target_of(presign(s3, "put_object", key="large"))
    connection = server.connection()
    connection.putrequest("PUT", target)
    connection.putheader("Content-Length", "1000001")
    connection.endheaders(b"")
    answer = connection.getresponse()
    assert answer.status == 400 and b"<Code>EntityTooLarge</Code>" in answer.read()
    connection.close()
    assert server.send("PUT", target, body=b"x" * 1_000_000).status == 200


def test_five_gibibytes_is_the_limit(server, s3):
    connection = server.connection()
    connection.putrequest("PUT", target_of(presign(s3, "put_object", key="large")))
    connection.putheader("Content-Length", str(5 * 2**30 + 1))
    connection.endheaders(b"")
    answer = connection.getresponse()
    assert answer.status == 400 and b"EntityTooLarge" in answer.read()
    connection.close()


@pytest.mark.parametrize("headers", [{"X-Large": "x" * 20_000}, {f"X-{n}": "y" * 100 for n in range(300)}])
def test_headers_that_are_too_large(server, s3, headers):
    target = target_of(presign(s3, "get_object"))
    with contextlib.suppress(ConnectionError):
        answer = server.send("GET", target, headers)
        assert 400 <= answer.status < 500, answer
        if answer.body.startswith(b"<?xml"):
            assert answer.code in ("RequestHeaderSectionTooLarge", "InvalidURI", "MetadataTooLarge"), answer
    assert server.send("GET", "/-/health").status == 200


def test_a_target_that_is_too_long(server):
    with contextlib.suppress(ConnectionError):
        answer = server.send("GET", "/pictures/" + "x" * 30_000)
        assert 400 <= answer.status < 500, answer


def test_the_largest_request_that_s3_allows(server, s3):
    """A key of 1,024 bytes, each three in the URL, and 2 KB of metadata."""
    key, metadata = "ü" * 512, {f"m{n}": "v" * 60 for n in range(30)}
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"x", Metadata=metadata)
    assert s3.head_object(Bucket=BUCKET, Key=key)["Metadata"] == metadata
    assert server.send("GET", target_of(presign(s3, "get_object", key=key, ResponseContentDisposition="y" * 500))).status == 200


# ---- 100-continue

@pytest.mark.parametrize("head,words", [
    (b"GET /pictures/x HTTP/2.0\r\nHost: h\r\n\r\n", "This server speaks HTTP/1.1"),
    (b"GET /pictures/x HTTP/1.1\r\n\r\n", "There is no Host header"),
    (b"GET /pictures/x HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\nRange: bytes=0-2\r\n\r\n", "There is more than one Range header"),
    (b"GET /pictures/x HTTP/1.1\r\nHost: h\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(200)) + b"\r\n", "more than 128 headers"),
    (b"GET /pictures/x HTTP/1.1\r\nHost: h\r\nX: " + b"y" * 9000 + b"\r\n\r\n", "request header"),
    (b"GET /-/nothing HTTP/1.1\r\nHost: h\r\n\r\n", "")])
def test_the_log_says_what_the_client_was_told(server, head, words):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sock:
        sock.sendall(head)
        answer = read_answer(sock).decode()
    assert words in answer
    identity = re.search(r"x-amz-request-id: (\w+)", answer).group(1)
    line = server.wait_for_log(rf".* {identity} .*").group(0)
    reason = re.search(r'"(.*)"$', line).group(1)
    assert reason and words in reason


def expect(server, target, headers=None):
    """Send a head with Expect: 100-continue and no body; what came back within a moment."""
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=5)
    head = f"PUT {target} HTTP/1.1\r\nHost: {server.host}\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    sock.sendall(head.encode() + b"\r\n")
    sock.settimeout(3)
    return sock, sock.recv(65536)


def test_a_bad_signature_is_told_before_the_body(server, s3):
    sock, answer = expect(server, target_of(presign(s3, "put_object")).replace("cat", "dog"))
    assert answer.startswith(b"HTTP/1.1 403"), answer
    sock.close()


def test_a_good_signature_is_asked_for_its_body(server, s3):
    sock, answer = expect(server, target_of(presign(s3, "put_object", key="continued")))
    assert answer.startswith(b"HTTP/1.1 100"), answer
    sock.sendall(b"x" * 1000)
    assert sock.recv(65536).startswith(b"HTTP/1.1 200")
    sock.close()
    assert s3.head_object(Bucket=BUCKET, Key="continued")["ContentLength"] == 1000


def test_a_missing_bucket_is_told_before_the_body(server, s3):
    sock, answer = expect(server, target_of(presign(s3, "put_object", bucket="no-such-bucket")))
    assert answer.startswith(b"HTTP/1.1 404"), answer
    sock.close()


# ---- Uploads that do not end well

@pytest.mark.parametrize("size", [1000, 100_000])
def test_an_upload_that_is_cut_off_leaves_the_old_object_and_nothing_else(server, s3, size):
    s3.put_object(Bucket=BUCKET, Key="kept", Body=b"old" * 5000)
    before = blobs_of(server)
    target = target_of(presign(s3, "put_object", key="kept"))
    for sent in (0, 1, size // 2, size - 1):
        connection = server.connection()
        connection.putrequest("PUT", target)
        connection.putheader("Content-Length", str(size))
        connection.endheaders(b"n" * sent)
        time.sleep(0.02)
        connection.close()
    assert s3.get_object(Bucket=BUCKET, Key="kept")["Body"].read() == b"old" * 5000
    assert blobs_of(server) == before


def test_deleting_and_overwriting_frees_the_disk(server, s3):
    before = blobs_of(server)
    for number in range(10):
        s3.put_object(Bucket=BUCKET, Key="freed", Body=os.urandom(50_000 + number))
    s3.delete_object(Bucket=BUCKET, Key="freed")
    assert blobs_of(server) == before


def test_a_reader_is_not_disturbed_by_an_overwrite_or_a_delete(server, s3):
    body = os.urandom(8_000_000)
    s3.put_object(Bucket=BUCKET, Key="read", Body=body)
    stream = s3.get_object(Bucket=BUCKET, Key="read")["Body"]
    first = stream.read(1000)
    s3.put_object(Bucket=BUCKET, Key="read", Body=os.urandom(9_000_000))
    s3.delete_object(Bucket=BUCKET, Key="read")
    assert first + stream.read() == body


# ---- Many at once

def test_of_fifty_writers_one_wins(server, s3):
    """If-None-Match: * in fifty threads at once."""
    url = target_of(presign(s3, "put_object", key="race", IfNoneMatch="*"))
    barrier = threading.Barrier(50)

    def write(number):
        connection = server.connection()
        connection.connect()
        barrier.wait()
        answer = send_on(connection, "PUT", url, {"If-None-Match": "*"}, f"writer {number}".encode() * 2000)
        connection.close()
        return number, answer
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(write, range(50)))
    winners = [number for number, answer in answers if answer.status == 200]
    assert len(winners) == 1, [answer.status for _, answer in answers]
    assert all(answer.code in ("PreconditionFailed", "ConditionalRequestConflict", "OperationAborted")
               for _, answer in answers if answer.status != 200)
    assert s3.get_object(Bucket=BUCKET, Key="race")["Body"].read() == f"writer {winners[0]}".encode() * 2000


def test_a_reader_never_sees_half_an_overwrite(server, s3):
    bodies = [bytes([number]) * size for number, size in enumerate((100, 20_000, 8192, 300_000))]
    etags = {hashlib.md5(body).hexdigest(): body for body in bodies}
    s3.put_object(Bucket=BUCKET, Key="changing", Body=bodies[0])
    put, get = (target_of(presign(s3, name, key="changing")) for name in ("put_object", "get_object"))
    stop = threading.Event()

    def write():
        with contextlib.closing(server.connection()) as connection:
            while not stop.is_set():
                for body in bodies:
                    assert send_on(connection, "PUT", put, body=body).status == 200

    def read(_):
        with contextlib.closing(server.connection()) as connection:
            for _ in range(100):
                answer = send_on(connection, "GET", get)
                assert answer.body == etags[answer.headers["ETag"].strip('"')]
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        writer = pool.submit(write)
        try:
            list(pool.map(read, range(4)))
        finally:
            stop.set()
        writer.result()


def test_too_many_connections_are_told_to_slow_down(start):
    server = start("--connections", "10", "--buckets", BUCKET)
    held = [socket.create_connection(("127.0.0.1", server.port), timeout=5) for _ in range(10)]
    time.sleep(0.3)
    extra = socket.create_connection(("127.0.0.1", server.port), timeout=5)
    with contextlib.suppress(ConnectionError):
        extra.sendall(f"GET /pictures/x HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode())
    answer = read_answer(extra)
    assert answer.startswith(b"HTTP/1.1 503") and b"<Code>SlowDown</Code>" in answer, answer
    assert b"the setting connections" in answer
    assert server.wait_for_log(r' 503 SlowDown .*the setting connections'), "the log says so too"
    for sock in [extra, *held]:
        sock.close()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if server.send("GET", "/-/health").status == 200:
                break
        time.sleep(0.05)
    assert server.send("GET", "/-/health").status == 200, "it recovers"


def test_slow_and_silent_clients_hold_nobody_up(start):
    server = start("--idle-timeout", "2", "--buckets", BUCKET)
    s3 = server.client()
    s3.put_object(Bucket=BUCKET, Key="cat.jpg", Body=b"x" * 20_000_000)
    silent = [socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(100)]
    for number, sock in enumerate(silent):
        if number % 3 == 1:
            sock.sendall(b"GET /pictures/x HT")
        elif number % 3 == 2:
            target = target_of(presign(s3, "put_object", key="slow"))
            sock.sendall(f"PUT {target} HTTP/1.1\r\nHost: {server.host}\r\nContent-Length: 100000\r\n\r\nsome".encode())
    lazy = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    lazy.sendall(f"GET {target_of(presign(s3, 'get_object'))} HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode())
    begun = time.monotonic()
    for _ in range(50):
        s3.head_object(Bucket=BUCKET, Key="cat.jpg")
    assert time.monotonic() - begun < 60, "others are served meanwhile"
    for sock in silent:
        read_answer(sock)
    assert time.monotonic() - begun < 120, "silent connections are closed"
    for sock in [lazy, *silent]:
        sock.close()


# ---- A full disk

@pytest.fixture
def small_disk(tmp_path):
    """A file system of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", folder],
                                           capture_output=True, check=False).returncode != 0:
        pytest.skip("only root can mount a small file system")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk(small_disk, start, tmp_path):
    server = start("--buckets", BUCKET, data=small_disk / "data", log=tmp_path / "log", check=False)
    s3 = server.client()
    s3.put_object(Bucket=BUCKET, Key="small", Body=b"small")
    s3.put_object(Bucket=BUCKET, Key="large", Body=b"L" * 500_000)
    failures = []
    for number in range(40):
        for size in (1_000_000, 3000):
            try:
                s3.put_object(Bucket=BUCKET, Key=f"fill-{number}-{size}", Body=b"f" * size)
            except ClientError as error:
                failures.append(error.response)
    assert failures, "the disk is full"
    for failure in failures:
        assert failure["ResponseMetadata"]["HTTPStatusCode"] in (503, 507), failure
        assert failure["Error"]["Code"] in ("InsufficientStorage", "SlowDown", "ServiceUnavailable"), failure
    with pytest.raises(ClientError):
        s3.put_object(Bucket=BUCKET, Key="large", Body=b"M" * 7_000_000)
    assert s3.get_object(Bucket=BUCKET, Key="small")["Body"].read() == b"small"
    assert s3.get_object(Bucket=BUCKET, Key="large")["Body"].read() == b"L" * 500_000, "the old object is untouched"
    for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
        assert len(s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()) == entry["Size"]
    for number in range(40):
        for size in (1_000_000, 3000):
            with contextlib.suppress(ClientError):
                s3.delete_object(Bucket=BUCKET, Key=f"fill-{number}-{size}")
    time.sleep(0.5)
    s3.put_object(Bucket=BUCKET, Key="again", Body=b"a" * 500_000)
    assert server.stop() == 0
    status, output = server.fsck()
    assert status == 0, output


def test_the_largest_list_to_delete(server):
    """1,000 keys of 1,024 bytes each fit; what is larger than any honest list is refused."""
    keys = "".join(f"<Object><Key>{'k' * 1020}{number:04d}</Key></Object>" for number in range(1000))
    body = f"<Delete>{keys}</Delete>".encode()
    headers = {"x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(body).digest()).decode()}
    assert sign_and_send(server, "POST", f"/{BUCKET}", body, "delete=", headers).status == 200
    body = b"<Delete>" + b" " * (8 << 20) + b"</Delete>"
    headers = {"x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(body).digest()).decode()}
    answer = sign_and_send(server, "POST", f"/{BUCKET}", body, "delete=", headers)
    assert answer.status == 400, answer
