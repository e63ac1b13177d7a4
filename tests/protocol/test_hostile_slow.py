"""Clients that are slow on purpose, and very many that do nothing: others are served meanwhile, and
they are cut off after the configured time, whatever trickle they keep up."""
import contextlib
import os
import resource
import signal
import socket
import ssl
import threading
import time

import pytest
from harness import presign, target_of
from hostile import connect, hold, read_answers, statuses

BUCKET = "pictures"
LIMIT = 2  # seconds of --idle-timeout
ESTABLISHED = 1  # of TCP_INFO
GRACE = 15  # seconds more, on a busy machine
IDLE = 10_000 if os.environ.get("LST_FULL") else 1_000


@pytest.fixture(scope="module")
def server(start):
    return start("--idle-timeout", str(LIMIT), "--buckets", BUCKET)


@pytest.fixture(scope="module")
def s3(server):
    """It finds its idle connections closed, which the tests want, and tries again."""
    return server.client(retries={"max_attempts": 3})


def trickle(sock, pieces, until):
    """Send a byte now and then; the seconds after which the server had closed, or None."""
    begun = time.monotonic()
    sock.settimeout(0.2)
    for byte in pieces:
        try:
            sock.sendall(byte)
            with contextlib.suppress(TimeoutError):
                while piece := sock.recv(65536):
                    pass
                if not piece:
                    return time.monotonic() - begun
        except ConnectionError:
            return time.monotonic() - begun
        if time.monotonic() - begun > until:
            return None
    return None


def bytewise(text):
    while True:
        for number in range(len(text)):
            yield text[number:number + 1]


def slow_clients(server, s3):
    """What each of them sends at once, and what byte by byte after that."""
    put = target_of(presign(s3, "put_object", key="slow"))
    head = f"PUT {put} HTTP/1.1\r\nHost: {server.host}\r\n".encode()
    return {
        "first line": (b"GET /", b"a"),
        "empty lines": (b"", b"\r\n"),
        "headers": (head, b"X-Slow: a\r\n"),
        "body": (head + b"Content-Length: 1000000\r\n\r\n", b"b"),
        "refused body": (head.replace(b"slow", b"fast") + b"Content-Length: 100000\r\n\r\n", b"b"),
        "after a request": (b"GET /-/health HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /-/health HTTP/1.1\r\nX-Slow: "),
    }


def test_slow_writers_are_cut_off_and_others_are_served(server, s3):
    """A byte every fifth of a second would keep any timeout of silence from ending."""
    clients = slow_clients(server, s3)
    ended = {}

    def run(name):
        with connect(server) as sock:
            first, rest = clients[name]
            sock.sendall(first)
            ended[name] = trickle(sock, bytewise(rest), LIMIT + GRACE)
    threads = [threading.Thread(target=run, args=(name,)) for name in clients]
    for thread in threads:
        thread.start()
    answered = 0
    while any(thread.is_alive() for thread in threads):
        s3.put_object(Bucket=BUCKET, Key="meanwhile", Body=b"x" * 10_000)
        assert s3.get_object(Bucket=BUCKET, Key="meanwhile")["ContentLength"] == 10_000
        answered += 1
        time.sleep(0.05)
    assert answered > 5
    assert all(seconds is not None for seconds in ended.values()), f"not cut off: {ended}"
    assert all(entry["Key"] != "slow" for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"])


def test_a_steady_client_is_not_cut_off(server, s3):
    """An upload over several times the limit, well above the least speed, and a pause within it. A machine that is too busy for
    this client to be steady proves nothing: then once more."""
    target = target_of(presign(s3, "put_object", key="steady"))
    for _ in range(5):
        longest, last = 0, time.monotonic()
        with connect(server, 30) as sock:
            try:
                sock.sendall(f"PUT {target} HTTP/1.1\r\nHost: {server.host}\r\nContent-Length: 60000\r\n\r\n".encode())
                for _ in range(30):
                    sock.sendall(b"s" * 2000)
                    time.sleep(LIMIT / 10)
                    longest, last = max(longest, time.monotonic() - last), time.monotonic()
                is_stored = read_answers(sock, 1)[0][0] == 200
            except ConnectionError:
                is_stored = False
        if is_stored or longest < LIMIT / 4:
            break
    assert is_stored
    assert s3.head_object(Bucket=BUCKET, Key="steady")["ContentLength"] == 60_000


def test_many_small_requests_on_one_connection_are_not_cut_off(server):
    with connect(server, 30) as sock:
        for _ in range(20):
            sock.sendall(b"GET /-/health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert read_answers(sock, 1)[0][0] == 200
            time.sleep(LIMIT / 8)


def test_slow_readers_are_cut_off_and_others_are_served(server, s3):
    s3.put_object(Bucket=BUCKET, Key="large", Body=b"x" * 30_000_000)
    request = f"GET {target_of(presign(s3, 'get_object', key='large'))} HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode()
    readers = []
    for _ in range(20):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", server.port))
        sock.sendall(request)
        readers.append(sock)
    deadline = time.monotonic() + LIMIT + GRACE
    open_readers = set(readers)
    while open_readers and time.monotonic() < deadline:
        for sock in list(open_readers):
            sock.setblocking(False)
            try:
                # What the kernel holds already comes in any case, so it is asked whether they are connected.
                if not sock.recv(1) or sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != ESTABLISHED:
                    open_readers.discard(sock)
            except BlockingIOError:
                pass
            except ConnectionError:
                open_readers.discard(sock)
        assert s3.head_object(Bucket=BUCKET, Key="large")["ContentLength"] == 30_000_000
        time.sleep(0.2)
    assert not open_readers, f"{len(open_readers)} of 20 were not cut off"
    assert s3.get_object(Bucket=BUCKET, Key="large")["Body"].read() == b"x" * 30_000_000
    for sock in readers:
        sock.close()


def test_a_steady_reader_gets_all_of_an_answer_that_the_kernel_has_already(server, s3):
    """The server has sent it, and nothing more comes from the client: that is not yet idle, nor gone."""
    body = bytes(range(256)) * 8000
    s3.put_object(Bucket=BUCKET, Key="slowly", Body=body)
    target = target_of(presign(s3, "get_object", key="slowly"))
    received = {}

    def read(connection):
        sock = socket.socket()
        sock.settimeout(30)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        sock.connect(("127.0.0.1", server.port))
        sock.sendall(f"GET {target} HTTP/1.1\r\nHost: {server.host}\r\nConnection: {connection}\r\n\r\n".encode())
        until = time.monotonic() + 1.7 * LIMIT
        text = b""
        with sock, contextlib.suppress(ConnectionError):
            while len(text) < len(body) and (piece := sock.recv(8192)):
                text += piece
                time.sleep(0.02 if time.monotonic() < until else 0)
            while not text.endswith(body) and (piece := sock.recv(65536)):
                text += piece
        received[connection] = text
    readers = [threading.Thread(target=read, args=(connection,)) for connection in ("keep-alive", "close")]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    for connection, text in received.items():
        is_whole = text.endswith(body)
        assert is_whole, f"{connection}: {len(text)} bytes of {len(body)} and a head"


def ask_one_that_hangs(server, targets):
    """Idle connections and uploads, of which each sends something while the server hangs for longer than the limit. What they are
    answered, the uploads last; None: this machine is too busy for them to have been in time before and after that."""
    health = b"GET /-/health HTTP/1.1\r\nHost: x\r\n\r\n"
    with contextlib.ExitStack() as held:
        begun = time.monotonic()
        idle = [held.enter_context(connect(server, 30)) for _ in range(150)]
        sending = [held.enter_context(connect(server, 30)) for _ in targets]
        for sock, target in zip(sending, targets):
            sock.sendall(f"PUT {target} HTTP/1.1\r\nHost: {server.host}\r\nContent-Length: 200000\r\n\r\n".encode() + bytes(100_000))
        with connect(server, 30) as last:  # all have been accepted before it
            last.sendall(health)
            assert read_answers(last, 1)[0][0] == 200
        hold(server)
        before = time.monotonic() - begun
        try:
            for sock in idle:
                sock.sendall(health)
            for sock in sending:
                sock.sendall(bytes(50_000))
            time.sleep(LIMIT + 0.5)
        finally:
            begun = time.monotonic()
            server.process.send_signal(signal.SIGCONT)
        with contextlib.suppress(ConnectionError):
            for sock in sending:
                sock.sendall(bytes(50_000))
        if max(before, time.monotonic() - begun) > LIMIT - 0.5:
            return None
        return [read_answers(sock, 1)[0][0] for sock in [*idle, *sending]]


def test_time_that_the_server_takes_is_not_the_clients(server, s3):
    """Nobody is cut off who sent something meanwhile, though it takes several looks to see all of it."""
    targets = [target_of(presign(s3, "put_object", key=f"hung{number}")) for number in range(5)]
    answers = next(filter(None, (ask_one_that_hangs(server, targets) for _ in range(5))), None)
    if answers is None:
        pytest.skip("this machine is too busy")
    assert answers == [200] * 155


def test_a_trickle_keeps_no_answer_that_is_not_read(start, authority):
    """It lies in the kernel. Neither bytes behind the last request nor a TLS record that never ends begin the client's time anew."""
    server = start("--idle-timeout", "1", "--buckets", BUCKET, "--tls-cert", authority / "cert.pem", "--tls-key", authority / "key.pem")
    s3 = server.client(verify=authority / "ca.pem")
    s3.put_object(Bucket=BUCKET, Key="unread", Body=bytes(600_000))
    target = target_of(presign(s3, "get_object", key="unread"))
    ended = {}

    def begin():
        for _ in range(20):
            with contextlib.suppress(OSError):  # a busy machine may not agree on TLS within the second
                sock = socket.socket()
                sock.settimeout(30)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                sock.connect(("127.0.0.1", server.port))
                return ssl.create_default_context(cafile=authority / "ca.pem").wrap_socket(sock, server_hostname="127.0.0.1")
        raise AssertionError("no handshake comes to its end")

    def run(connection):
        with begin() as secure:
            secure.sendall(f"GET {target} HTTP/1.1\r\nHost: {server.host}\r\nConnection: {connection}\r\n\r\n".encode())
            deadline = time.monotonic() + GRACE
            record = iter(b"\x17\x03\x03\x40\x00" + bytes(16384))
            ended[connection] = False
            while not ended[connection] and time.monotonic() < deadline:
                with contextlib.suppress(ConnectionError):
                    socket.socket.send(secure, bytes([next(record)]))
                ended[connection] = secure.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != ESTABLISHED
                time.sleep(0.1)
    threads = [threading.Thread(target=run, args=(connection,)) for connection in ("keep-alive", "close")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended == {"keep-alive": True, "close": True}


def test_a_client_that_leaves_in_the_middle_does_not_hold_the_server(server, s3):
    """Its last bytes and its end arrive together."""
    target = target_of(presign(s3, "put_object", key="left"))
    for _ in range(20):
        with connect(server) as sock:
            sock.sendall(f"PUT {target} HTTP/1.1\r\nHost: {server.host}\r\nContent-Length: 100\r\n\r\nsome".encode())
    deadline = time.monotonic() + LIMIT + GRACE
    while in_flight(server) > 1:
        assert time.monotonic() < deadline, "requests of clients that have left go on"
        time.sleep(0.1)


# ---- Very many

def metric(server, name):
    body = server.send("GET", "/-/metrics").body.decode()
    return next(int(float(line.split()[-1])) for line in body.split("\n") if line.startswith(name + " "))


def in_flight(server):
    return metric(server, "latchstring_requests_in_flight")


def resident_kilobytes(server):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


@pytest.fixture
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = IDLE + 2000
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"this machine allows {hard} open files only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_very_many_idle_connections(start, many_files):
    """Each costs little memory, nobody else notices, and all are closed in the end."""
    seconds = 8 if IDLE == 1_000 else 60
    server = start("--connections", str(IDLE + 100), "--idle-timeout", str(seconds), "--buckets", BUCKET)
    s3 = server.client()
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"x" * 20_000)
    before = resident_kilobytes(server)
    held = []
    for number in range(IDLE):
        sock = connect(server)
        if number % 2:  # half of them have sent a request and are kept alive
            sock.sendall(b"GET /-/health HTTP/1.1\r\nHost: x\r\n\r\n")
        held.append(sock)
    for sock in held[1::2]:
        assert read_answers(sock, 1)[0][0] == 200
    deadline = time.monotonic() + GRACE
    while metric(server, "latchstring_connections") < IDLE:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    each = (resident_kilobytes(server) - before) / IDLE
    assert each < 100, f"{each:.1f} KiB for each connection"  # under the sanitizers; a third of it without
    for _ in range(20):
        assert s3.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"x" * 20_000
    deadline = time.monotonic() + seconds + GRACE
    while metric(server, "latchstring_connections") > 20:
        assert time.monotonic() < deadline, "idle connections are closed"
        time.sleep(0.3)
    for sock in held:
        sock.close()


def test_many_more_than_the_limit(start):
    """Those above it are told to slow down, even when idle ones hold every place; nobody waits long."""
    server = start("--connections", "20", "--idle-timeout", "60", "--buckets", BUCKET)
    held = [connect(server) for _ in range(200)]
    for _ in range(3):
        begun = time.monotonic()
        with connect(server, 30) as sock:
            sock.sendall(b"GET /pictures/x HTTP/1.1\r\nHost: x\r\n\r\n")
            received = sock.recv(65536)
        assert statuses(received) == [503] and b"<Code>SlowDown</Code>" in received, received
        assert time.monotonic() - begun < 2 * GRACE
    for sock in held:
        sock.close()
    deadline = time.monotonic() + GRACE
    while True:
        with contextlib.suppress(OSError):
            if server.send("GET", "/-/health").status == 200:
                break
        assert time.monotonic() < deadline, "it recovers"
        time.sleep(0.1)
