"""Every call to the network fails, one after another, while requests of every kind are answered; and every call sends
a few bytes only. A client is answered rightly or sees its connection end: nobody waits for ever, nothing wrong is sent,
what was acknowledged is there, and afterwards the server is as before, down to its descriptors."""
import contextlib
import mmap
import os
import random
import ssl
import struct
import time

import pytest
from harness import ROOT, presign, target_of
from hostile import connect, costs_less, signed_head
from test_hostile_slow import metric
from test_hostile_smuggling import BODY, SIZE
from test_http_conformance import read_answer

BUCKET = "pictures"
FAULTY = os.path.join(os.environ.get("LST_BUILD", os.path.join(ROOT, "build", "sanitized")), "tests", "fault",
                      "latchstring-network-faults")
CALLS = ("accept4", "recv", "send", "sendmsg", "sendfile64", "epoll_ctl", "epoll_wait", "epoll_create1", "eventfd",
         "setsockopt", "getsockopt", "shutdown", "preadv64v2")
LAYOUT = "=7I"  # struct network_control: armed, number, stays, which, most, count, fired
IS_LONG = os.environ.get("LST_FULL") == "1"
LARGE = random.Random(3).randbytes(300_000)
GRACE = 20  # seconds, on a busy machine


class Faults:
    """The control of a running server."""

    def __init__(self, path):
        self.path = path
        path.write_bytes(bytes(mmap.PAGESIZE))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), mmap.PAGESIZE)

    def arm(self, call, number, stays=False, which=0, most=0):
        struct.pack_into(LAYOUT, self.map, 0, 0, number, stays, which, most, 0, 0)
        struct.pack_into("=I", self.map, 0, 1 << CALLS.index(call) if call else 0)

    def disarm(self):
        """How often the call was made, and how often it failed."""
        struct.pack_into("=5I", self.map, 0, 0, 0, 0, 0, 0)
        return struct.unpack_from(LAYOUT, self.map)[5:]

    def fired(self):
        return struct.unpack_from(LAYOUT, self.map)[6]


@pytest.fixture(name="faults", scope="module")
def _faults(tmp_path_factory):
    return Faults(tmp_path_factory.mktemp("faults") / "control")


def start_faulty(start, faults, *arguments):
    return start("--buckets", BUCKET, "--threads", "2", "--anonymous-rate", "1000000", *arguments, binary=FAULTY,
                 environment={"LST_NETWORK_FAULT_FILE": str(faults.path)})


@pytest.fixture(name="server", scope="module")
def _server(start, faults):
    return start_faulty(start, faults)


@pytest.fixture(name="requests", scope="module")
def _requests(server):
    return make_requests(server)


def make_requests(server, verify=None):
    """What a client sends on one connection: the bytes, whether it is HEAD, and the answer: status and body."""
    s3 = server.client(verify=verify)
    s3.put_object(Bucket=BUCKET, Key="large", Body=LARGE)
    s3.put_object(Bucket=BUCKET, Key="small", Body=b"small")

    def request(method, key, headers="", body=b"", operation=None):
        target = target_of(presign(s3, f"{operation or method.lower()}_object", key=key, expires=3000))
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        return f"{method} {target} HTTP/1.1\r\nHost: {server.host}\r\n{length}{headers}\r\n".encode() + body
    chunked = signed_head(server, "PUT", f"/{BUCKET}/chunked", {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-decoded-content-length": "5",
        "x-amz-trailer": "x-amz-checksum-crc32"}) + (
            b"Transfer-Encoding: chunked\r\n\r\n" + SIZE + b"\r\n" + BODY + b"\r\n0\r\n\r\n")
    return [(b"GET /-/health HTTP/1.1\r\nHost: h\r\n\r\n", False, 200, b'{"status":"ok"}\n'),
            (request("PUT", "put", body=b"hello"), False, 200, b""),
            (request("GET", "small"), False, 200, b"small"),
            (request("PUT", "put-large", body=LARGE), False, 200, b""),
            (request("GET", "large"), False, 200, LARGE),
            (request("GET", "large", "Range: bytes=1000-200999\r\n"), False, 206, LARGE[1000:201000]),
            (request("HEAD", "large"), True, 200, b""),
            (chunked, False, 200, b""),
            (request("GET", "small", "Expect: 100-continue\r\n"), False, 200, b"small"),
            (request("DELETE", "put", operation="delete"), True, 204, b""),
            (b"GET /-/nothing HTTP/1.1\r\nHost: h\r\n\r\n", False, 404, None),
            (b"GET /-/health HTTP/1.1\r\nHost: h\r\nX : y\r\n\r\n", False, 400, None)]


def exchange(sock, request):
    """True if it was answered, and rightly; False if the connection ended. Nothing else may happen."""
    sent, is_head, status, body = request
    received = b""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        sock.sendall(sent)
    while True:
        try:
            answer, rest = read_answer(received, is_head)
            assert rest == b"", rest[:100]
            assert answer.status == status and body in (None, answer.body), (answer.status, answer.body[:300])
            return True
        except AssertionError as error:
            if not str(error).startswith(("no whole head", "a short body")):
                raise
        try:
            piece = sock.recv(1 << 20)
        except (ConnectionError, ssl.SSLError):
            return False
        if not piece:
            return False
        received += piece


def connect_again(server, context=None):
    """A connection; one that ends while it begins is replaced. context: for TLS."""
    for _ in range(5):
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            sock = connect(server, GRACE)
            return context.wrap_socket(sock, server_hostname="127.0.0.1") if context else sock
    raise AssertionError("every connection is reset")


def run(server, requests, context=None):
    """All requests, on as few connections as it takes; how many were answered. A connection that ends is replaced."""
    answered, sock = 0, None
    for request in requests:
        sock = sock or connect_again(server, context)
        was_answered = exchange(sock, request)
        answered += was_answered
        if not was_answered or request[2] == 400:
            sock.close()
            sock = None
    if sock:
        sock.close()
    return answered


def settle(server):
    """Wait until nothing is left of what was asked; the number of descriptors then."""
    deadline = time.monotonic() + GRACE
    while True:
        with contextlib.suppress(OSError):
            open_files = len(os.listdir(f"/proc/{server.process.pid}/fd"))
            left = metric(server, "latchstring_connections"), metric(server, "latchstring_requests_in_flight")
            if left == (1, 1):
                return open_files
        assert time.monotonic() < deadline, f"connections and requests are left: {left}"
        time.sleep(0.01)


def spread(count, most):
    """Numbers from 1 to count: all, or that many."""
    return range(1, count + 1) if count <= most else sorted({1 + at * (count - 1) // (most - 1) for at in range(most)})


@pytest.mark.parametrize("call", ["accept4", "recv", "send", "sendmsg", "sendfile64", "epoll_ctl", "epoll_wait",
                                  "setsockopt", "getsockopt", "shutdown", "preadv64v2"])
def test_each_call_fails(server, faults, requests, call):
    run(server, requests)
    open_files = settle(server)
    faults.arm(call, 0)
    assert run(server, requests) == len(requests)
    count, _ = faults.disarm()
    for at, number in enumerate(spread(count, 200 if IS_LONG else 6)):
        faults.arm(call, number, which=at)
        answered = run(server, requests)
        _, fired = faults.disarm()
        assert answered >= len(requests) - 2 * fired, f"call {number}: {answered} answered"
    assert run(server, requests) == len(requests), "as before"
    assert server.client().get_object(Bucket=BUCKET, Key="put-large")["Body"].read() == LARGE
    assert settle(server) <= open_files + 2, "descriptors are left open"


def test_each_call_fails_under_tls(start, faults, authority):
    """Handshakes and records too: what is read is what was sent, or the connection ends."""
    server = start_faulty(start, faults, "--tls-cert", str(authority / "cert.pem"), "--tls-key", str(authority / "key.pem"))
    context = ssl.create_default_context(cafile=authority / "ca.pem")
    requests = make_requests(server, str(authority / "ca.pem"))
    for call in "recv", "send", "sendmsg", "epoll_ctl":
        faults.arm(call, 0)
        assert run(server, requests, context) == len(requests)
        count, _ = faults.disarm()
        for at, number in enumerate(spread(count, 100 if IS_LONG else 5)):
            faults.arm(call, number, which=at)
            answered = run(server, requests, context)
            _, fired = faults.disarm()
            assert answered >= len(requests) - 2 * fired, f"{call}, number {number}: {answered} answered"
    faults.arm(None, 0, most=700)
    assert run(server, requests, context) == len(requests), "a few bytes at once"
    faults.disarm()
    with connect_again(server, context) as sock:  # an answer behind bytes that wait: not even its head goes out as it is
        assert exchange(sock, requests[0])
        faults.arm("send", 1, most=10)
        sent = requests[1][0].replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n", 1)
        sock.sendall(sent.removesuffix(b"hello"))
        deadline = time.monotonic() + GRACE
        while not faults.fired():
            assert time.monotonic() < deadline
            time.sleep(0.001)
        sock.sendall(b"hello")
        received = b""
        while b"\r\n\r\n" not in received.partition(b"HTTP/1.1 200 ")[2]:
            piece = sock.recv(65536)
            assert piece, received
            received += piece
    faults.disarm()
    assert run(server, requests, context) == len(requests), "as before"


@pytest.mark.parametrize("most", [1, 1000])
def test_each_call_sends_a_little(server, faults, requests, most):
    """Every answer is sent in pieces of that size, and is the same."""
    few = [request for request in requests if most > 1 or len(request[3] or b"") < 1000]
    faults.arm(None, 0, most=most)
    try:
        assert run(server, few) == len(few)
    finally:
        faults.disarm()


@pytest.mark.parametrize("which", range(4))  # EMFILE, ENFILE, ENOBUFS, ENOMEM
def test_no_connection_can_be_taken_for_a_while(server, faults, which):
    """Clients wait, and are served as soon as that is over; meanwhile no processor is burnt, and kept connections go on."""
    with connect(server, GRACE) as kept:
        kept.sendall(b"GET /-/health HTTP/1.1\r\nHost: h\r\n\r\n")
        assert kept.recv(65536).startswith(b"HTTP/1.1 200")
        faults.arm("accept4", 1, stays=True, which=which)
        try:
            waiting = [connect(server, GRACE) for _ in range(5)]
            for sock in waiting:
                sock.sendall(b"GET /-/health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            assert costs_less(server, 0.1, lambda: time.sleep(0.2)), "it tries without end"
            kept.sendall(b"GET /-/health HTTP/1.1\r\nHost: h\r\n\r\n")
            assert kept.recv(65536).startswith(b"HTTP/1.1 200")
        finally:
            _, fired = faults.disarm()
        assert fired > 0
        for sock in waiting:
            assert sock.recv(65536).startswith(b"HTTP/1.1 200")
            sock.close()


def test_connections_can_not_be_watched_for_a_while(server, faults, requests):
    """epoll_ctl fails for all of them: they end. Afterwards new ones are taken, by every thread."""
    faults.arm("epoll_ctl", 1, stays=True)
    try:
        for _ in range(10):
            with contextlib.suppress(ConnectionError), connect(server, GRACE) as sock:
                sock.settimeout(0.2)
                with contextlib.suppress(TimeoutError):
                    exchange(sock, requests[0])
    finally:
        faults.disarm()
    deadline = time.monotonic() + GRACE
    while True:
        with contextlib.suppress(OSError), connect(server, 1) as sock:
            if exchange(sock, requests[0]):
                break
        assert time.monotonic() < deadline, "it takes no connections any more"
    for _ in range(4):
        assert run(server, requests) == len(requests)


@pytest.mark.parametrize("call", ["epoll_create1", "eventfd", "epoll_ctl"])
def test_it_does_not_start_with_half_of_what_it_needs(start, tmp_path, call):
    """Or it starts and works: it never seems to."""
    for number in range(1, 4):
        path = tmp_path / f"control-{number}"
        faults = Faults(path)
        faults.arm(call, number)
        try:
            server = start("--threads", "2", binary=FAULTY, data=tmp_path / f"data-{number}",
                           environment={"LST_NETWORK_FAULT_FILE": str(path)})
        except AssertionError as error:
            assert "did not start (status 1)" in str(error) and "Sanitizer" not in str(error), error
            assert "can't" in str(error), f"it says why: {error}"
            continue
        faults.disarm()
        s3 = server.client(read_timeout=GRACE)
        for _ in range(6):
            s3.create_bucket(Bucket=BUCKET)
        assert server.stop() == 0
