"""Slow, silent and greedy clients of every kind, hundreds of them at once: everybody else is served meanwhile, all of
them are cut off, and nothing is left of them."""
import contextlib
import os
import socket
import time

import pytest
from harness import presign, target_of
from hostile import connect, signed_head
from test_hostile_slow import ESTABLISHED, GRACE, many_files, metric  # noqa: F401

BUCKET = "pictures"
LIMIT = 2  # seconds of --idle-timeout
EACH = 200 if os.environ.get("LST_FULL") else 20  # of a kind
TICK = 0.1
BODY = b"x" * 3_000_000


@pytest.fixture(name="server", scope="module")
def _server(start):
    return start("--idle-timeout", str(LIMIT), "--connections", "4000", "--buckets", BUCKET, "--anonymous-rate", "1000000")


@pytest.fixture(name="s3", scope="module")
def _s3(server):
    s3 = server.client(retries={"max_attempts": 3})
    s3.put_object(Bucket=BUCKET, Key="large", Body=BODY)
    return s3


def kinds(server, s3):
    """What a client sends at once, what byte by byte after that, and whether it reads."""
    put = f"PUT {target_of(presign(s3, 'put_object', key='slow'))} HTTP/1.1\r\nHost: {server.host}\r\n".encode()
    get = f"GET {target_of(presign(s3, 'get_object', key='large'))} HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode()
    chunked = signed_head(server, "PUT", f"/{BUCKET}/slow", {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-decoded-content-length": "5000",
        "x-amz-trailer": "x-amz-checksum-crc32"}) + b"Transfer-Encoding: chunked\r\n\r\n"
    return {
        "silent": (b"", b"", True), "silent in the head": (put, b"", True), "silent in the body": (put + b"Content-Length: 9\r\n\r\nx", b"", True),
        "silent in a chunk": (chunked + b"50\r\nx", b"", True), "waits for 100, and then for ever":
            (put + b"Content-Length: 9\r\nExpect: 100-continue\r\n\r\n", b"", True),
        "first line": (b"GET /", b"a", True), "headers": (put, b"X-Slow: a\r\n", True), "empty lines": (b"", b"\r\n", True),
        "body": (put + b"Content-Length: 1000000\r\n\r\n", b"b", True), "chunks": (chunked + b"ffff\r\n", b"b", True),
        "the line of a chunk": (chunked + b"5;", b"a", True), "a refused body": (b"PUT /pictures/x HTTP/1.1\r\nHost: h\r\nContent-Length: 9999\r\n\r\n", b"b", True),
        "never reads": (get, b"", False), "never reads a pipeline": (get * 20, b"", False),
        "never reads small answers": (b"GET /-/metrics HTTP/1.1\r\nHost: h\r\n\r\n" * 300, b"", False)}


def begin(server, first, reads):
    sock = socket.socket()
    if not reads:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(10)
    sock.connect(("127.0.0.1", server.port))
    sock.setblocking(False)
    with contextlib.suppress(BlockingIOError, ConnectionError):
        sock.send(first)
    return sock


def is_over(sock, byte, reads):
    """Send a byte more, if it is one that does; True once the server has closed."""
    try:
        if byte:
            with contextlib.suppress(BlockingIOError):
                sock.send(byte)
        if not reads:
            return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != ESTABLISHED
        while sock.recv(65536):
            pass
        return True
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_a_crowd(server, s3, many_files):
    files = len(os.listdir(f"/proc/{server.process.pid}/fd"))
    every = kinds(server, s3)
    crowd = [(name, begin(server, first, reads), rest, reads)
             for name, (first, rest, reads) in every.items() for _ in range(EACH)]
    deadline, ticks, slowest = time.monotonic() + LIMIT * 3 + GRACE, 0, 0
    while crowd:
        assert time.monotonic() < deadline, f"not cut off: { {name for name, *_ in crowd} }"
        rest = [each for each in crowd if not is_over(each[1], each[2][ticks % len(each[2]):][:1] if each[2] else b"", each[3])]
        for each in set(crowd) - set(rest):
            each[1].close()
        crowd, ticks = rest, ticks + 1
        begun = time.monotonic()
        s3.put_object(Bucket=BUCKET, Key="meanwhile", Body=b"x" * 10_000)
        assert s3.get_object(Bucket=BUCKET, Key="meanwhile")["ContentLength"] == 10_000
        slowest = max(slowest, time.monotonic() - begun)
        time.sleep(TICK)
    assert slowest < GRACE, "others are served"
    assert all(entry["Key"] != "slow" for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"])
    assert s3.get_object(Bucket=BUCKET, Key="large")["Body"].read() == BODY
    deadline = time.monotonic() + GRACE
    while metric(server, "latchstring_connections") > 3 or metric(server, "latchstring_requests_in_flight") > 1:
        assert time.monotonic() < deadline, "connections are left"
        time.sleep(0.05)
    assert len(os.listdir(f"/proc/{server.process.pid}/fd")) <= files + 4


def test_clients_that_leave_at_every_moment(server, s3):
    """In order, or with a reset: nothing is left of any of them."""
    files = len(os.listdir(f"/proc/{server.process.pid}/fd"))
    every = kinds(server, s3)
    for number, (first, _, _) in enumerate(every.values()):
        for at in sorted({0, 1, len(first) // 2, len(first) - 1, len(first)} - {-1}):
            with connect(server) as sock:
                with contextlib.suppress(ConnectionError):
                    sock.sendall(first[:at][:100_000])
                if (number + at) % 2:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    deadline = time.monotonic() + GRACE + LIMIT
    while metric(server, "latchstring_connections") > 3 or metric(server, "latchstring_requests_in_flight") > 1:
        assert time.monotonic() < deadline, "connections are left"
        time.sleep(0.05)
    assert len(os.listdir(f"/proc/{server.process.pid}/fd")) <= files + 4
