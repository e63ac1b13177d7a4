"""What the HTTP engine does with connections: requests in a row, ends from either side, stopping, handed sockets, cold files."""
import concurrent.futures
import contextlib
import os
import random
import re
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest
from harness import ACCESS_KEY, BINARY, SECRET_KEY, clean_environment, presign, send_on, target_of
from hostile import connect, exchange, hold, read_answers, signed_head, statuses

BUCKET = "pictures"
HEALTH = b"GET /-/health HTTP/1.1\r\nHost: x\r\n\r\n"


def assert_health(sock):
    sock.sendall(HEALTH)
    assert read_answers(sock, 1)[0][0] == 200


def request(server, s3, operation, body=b"", **parameters):
    method = {"get_object": "GET", "put_object": "PUT", "head_object": "HEAD", "upload_part": "PUT"}[operation]
    length = f"Content-Length: {len(body)}\r\n" if method == "PUT" else ""
    return f"{method} {target_of(presign(s3, operation, **parameters))} HTTP/1.1\r\nHost: {server.host}\r\n{length}\r\n".encode() + body


# ---- Requests in a row

def test_requests_in_one_piece_are_answered_in_order(server, s3):
    """Small and large, written and read; and more than one turn of a connection takes."""
    bodies = [random.Random(n).randbytes(size) for n, size in enumerate((0, 10, 9000, 300_000, 8193))]
    with connect(server, 30) as sock:
        sock.sendall(b"".join(request(server, s3, "put_object", body, key="row") + request(server, s3, "get_object", key="row")
                              for body in bodies))
        answers = read_answers(sock, 10)
        assert [status for status, _ in answers] == [200] * 10
        assert [body for _, body in answers[1::2]] == bodies
        sock.sendall(HEALTH * 1000)
        assert [status for status, _ in read_answers(sock, 1000)] == [200] * 1000


@pytest.mark.parametrize("cut", [1, 2, 7])
def test_requests_in_small_pieces(server, s3, cut):
    text = request(server, s3, "put_object", b"x" * 40, key="small") + HEALTH
    with connect(server) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(text), cut):
            sock.sendall(text[at:at + cut])
            if at % 5 == 0:
                time.sleep(0.001)
        assert [status for status, _ in read_answers(sock, 2)] == [200, 200]


def test_a_head_that_outgrows_its_first_buffer(server, s3):
    """8 KiB are read at first. What was understood before there was more is still there after that."""
    key = "long/" + "k" * 900
    text = signed_head(server, "PUT", f"/{BUCKET}/{key}", {"x-amz-content-sha256": "UNSIGNED-PAYLOAD", "x-amz-meta-a": "b" * 1500,
                                                           "Accept-Language": "c" * 6000}) + b"Content-Length: 5\r\n\r\nhello"
    assert text.index(b"\r\n\r\n") > 8200
    with connect(server) as sock:
        for cut in (100, 2000, 8191, 8192, 8193, len(text)):
            sock.sendall(text[:cut])
            time.sleep(0.01)
            sock.sendall(text[cut:] + HEALTH)
            assert [status for status, _ in read_answers(sock, 2)] == [200, 200], cut
    assert s3.head_object(Bucket=BUCKET, Key=key)["Metadata"] == {"a": "b" * 1500}


def test_a_chunked_body_and_what_follows_it(server, s3):
    """In pieces of any size; what is read behind the last chunk is the next request."""
    payload = random.Random(3).randbytes(300_000)
    inner = b"%x\r\n" % len(payload) + payload + b"\r\n0\r\n\r\n"
    head = signed_head(server, "PUT", f"/{BUCKET}/chunked", {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "Content-Encoding": "aws-chunked",
        "x-amz-decoded-content-length": str(len(payload))}) + b"Transfer-Encoding: chunked\r\n\r\n"
    with connect(server, 30) as sock:
        for size in (1000, 8192, 65_536, 1_000_000):
            chunks = b"".join(b"%x\r\n" % len(inner[at:at + size]) + inner[at:at + size] + b"\r\n"
                              for at in range(0, len(inner), size))
            sock.sendall(head + chunks + b"0\r\n\r\n" + HEALTH * 30)
            answers = read_answers(sock, 31)
            assert [status for status, _ in answers] == [200] * 31, answers[0]
            assert s3.get_object(Bucket=BUCKET, Key="chunked")["Body"].read() == payload


def test_a_document_in_chunks_needs_no_length(server, s3):
    document = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
    s3.put_object(Bucket=BUCKET, Key="tagged", Body=b"x")
    head = signed_head(server, "PUT", f"/{BUCKET}/tagged?tagging=", {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    with connect(server) as sock:
        sock.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(document), document))
        assert read_answers(sock, 1)[0][0] == 200
    assert s3.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"] == [{"Key": "a", "Value": "b"}]


def test_an_object_in_chunks_without_a_length_is_not_implemented(server):
    head = signed_head(server, "PUT", f"/{BUCKET}/endless", {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    with connect(server) as sock:
        sock.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + HEALTH)
        answers = read_answers(sock, 2)
    assert [status for status, _ in answers] == [501, 200] and b"<Code>NotImplemented</Code>" in answers[0][1], answers


# ---- Shares


def test_a_flood_on_one_connection_keeps_no_other_waiting(start):
    """The log says in which order they were answered."""
    server = start("--threads", "1")
    with connect(server, 30) as flood, connect(server, 30) as other:
        for sock in (flood, other):
            sock.sendall(HEALTH)
            assert read_answers(sock, 1)[0][0] == 200
        hold(server)
        flood.sendall(HEALTH * 1000)
        other.sendall(HEALTH.replace(b"health", b"ready"))
        server.process.send_signal(signal.SIGCONT)
        assert read_answers(other, 1)[0][0] == 200
        assert len(read_answers(flood, 1000)) == 1000
    assert server.stop() == 0
    order = re.findall(r" (Health|Ready) ", server.log())
    assert len(order) == 1003 and order.index("Ready") <= 2 + 64, order.index("Ready")


def test_each_thread_gets_as_many_connections(start):
    server = start("--threads", "3")

    def watched():
        """How many descriptors each epoll of the server watches."""
        folder = f"/proc/{server.process.pid}"
        files = [name for name in os.listdir(f"{folder}/fd") if os.readlink(f"{folder}/fd/{name}") == "anon_inode:[eventpoll]"]
        counts = []
        for name in files:
            with open(f"{folder}/fdinfo/{name}", encoding="ascii") as file:
                counts.append(file.read().count("tfd:"))
        return sorted(counts)
    with contextlib.ExitStack() as held:
        for _ in range(60):
            sock = held.enter_context(connect(server, 30))
            sock.sendall(HEALTH)
            assert read_answers(sock, 1)[0][0] == 200
        counts = watched()
    assert len(counts) == 3 and counts[-1] - counts[0] <= 2, counts


# ---- Ends

def test_a_client_that_ends_its_side_is_answered_all_the_same(server, s3):
    """Also while its write is being committed."""
    received = exchange(server, request(server, s3, "put_object", b"x" * 20_000, key="half") + HEALTH * 3)
    assert statuses(received) == [200] * 4
    assert s3.head_object(Bucket=BUCKET, Key="half")["ContentLength"] == 20_000


def test_connections_that_the_client_does_not_want_to_keep(server):
    for head in (b"GET /-/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"GET /-/health HTTP/1.0\r\n\r\n"):
        received = exchange(server, head + HEALTH, ends=False)
        assert statuses(received) == [200] and b"\r\nConnection: close\r\n" in received
    with connect(server) as sock:
        sock.sendall(b"GET /-/health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" * 2)
        assert [status for status, _ in read_answers(sock, 2)] == [200, 200]


def test_a_refusal_amid_a_large_body_is_read_by_the_client(server, s3):
    """It is still sending, and reads only when that fails or ends."""
    target = target_of(presign(s3, "put_object")).replace("cat", "dog")
    for size in (300_000, 20_000_000, 300_000_000):
        with connect(server, 30) as sock:
            sock.sendall(f"PUT {target} HTTP/1.1\r\nHost: {server.host}\r\nContent-Length: {size}\r\n\r\n".encode())
            for _ in range(100):
                sock.sendall(bytes(size // 100))
            status, document = read_answers(sock, 1)[0]
            assert status == 403 and b"SignatureDoesNotMatch" in document


def test_a_failure_in_the_middle_of_a_body_is_read_by_the_client(server):
    """A chunk that is none, with megabytes behind it."""
    head = signed_head(server, "PUT", f"/{BUCKET}/bad", {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-decoded-content-length": "9000000"})
    with connect(server, 30) as sock:
        sock.sendall(head + b"Content-Length: 9000100\r\n\r\nzz\r\n" + bytes(9_000_096))
        status, document = read_answers(sock, 1)[0]
        assert status == 400 and b"<Code>IncompleteBody</Code>" in document


def test_urgent_data_holds_nothing_up(server):
    """A recv() stops before it, however much is behind it."""
    with connect(server) as sock:
        assert_health(sock)
        server.process.send_signal(signal.SIGSTOP)  # so that all of it is there when it is read
        sock.sendall(HEALTH[:5])
        sock.send(b"!", socket.MSG_OOB)
        sock.sendall(HEALTH[5:])
        server.process.send_signal(signal.SIGCONT)
        assert read_answers(sock, 1)[0][0] == 200
        assert_health(sock)


# ---- Stopping

def test_a_stop_loses_no_request(start):
    """What has connected and sent its request before is answered, however many."""
    server = start("--buckets", BUCKET)
    put = target_of(presign(server.client(), "put_object", key="last"))
    head = f"PUT {put} HTTP/1.1\r\nHost: {server.host}\r\nContent-Length: 5\r\n\r\nhello".encode()
    with contextlib.ExitStack() as held:
        kept = [held.enter_context(connect(server, 30)) for _ in range(20)]
        for sock in kept:
            sock.sendall(HEALTH)
            assert read_answers(sock, 1)[0][0] == 200
        hold(server)
        late = [held.enter_context(connect(server, 30)) for _ in range(100)]
        for sock in [*kept, *late]:
            sock.sendall(head)
        server.process.send_signal(signal.SIGTERM)
        server.process.send_signal(signal.SIGCONT)
        answers = [read_answers(sock, 1) for sock in [*kept, *late]]
    assert [answer[0][0] for answer in answers if answer] == [200] * 120
    assert server.process.wait(30) == 0


def test_requests_go_on_while_it_stops(start):
    """Clients that keep asking are told to close, and miss no answer: every request that was answered was whole."""
    server = start("--buckets", BUCKET)
    s3 = server.client()
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"x" * 100_000)
    get = target_of(presign(s3, "get_object", key="k"))
    is_stopping = threading.Event()

    def ask(_):
        with contextlib.closing(server.connection()) as connection:
            while True:
                try:
                    answer = send_on(connection, "GET", get)
                except OSError:
                    return is_stopping.is_set()
                assert (answer.status, len(answer.body)) == (200, 100_000)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask, number) for number in range(4)]
        time.sleep(0.3)
        is_stopping.set()
        begun = time.monotonic()
        assert server.stop() == 0 and time.monotonic() - begun < 10
        assert all(one.result(30) for one in asking)


def test_a_stop_does_not_wait_for_half_a_head_or_handshake(start, authority):
    """Of clients that are silent. Others have sent all that they have to, and are answered."""
    server = start("--tls-cert", str(authority / "cert.pem"), "--tls-key", str(authority / "key.pem"))
    context = ssl.create_default_context(cafile=authority / "ca.pem")
    with contextlib.ExitStack() as held:
        silent = [held.enter_context(connect(server, 30)) for _ in range(2)]
        silent[1].sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        for sent in b"", HEALTH[:10], HEALTH:
            silent.append(held.enter_context(context.wrap_socket(connect(server, 30), server_hostname="127.0.0.1")))
            assert_health(silent[-1])
            silent[-1].sendall(sent)
        server.process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        assert read_answers(silent[-1], 1)[0][0] == 200
        for sock in silent:
            with contextlib.suppress(ConnectionError):
                assert sock.recv(1) == b""
        assert time.monotonic() - begun < 8, "a handshake would have 10 seconds, and half a head --drain-timeout"
    assert server.process.wait(60) == 0


# ---- A socket that was handed over

def start_on(listener, data, *arguments):
    """As systemd starts it: the socket is descriptor 3, and the environment names the process."""
    number = listener.fileno()
    script = f'exec 3<&{number}; [ {number} = 3 ] || exec {number}<&-; LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "$@"'
    return subprocess.Popen(
        ["bash", "-c", script, BINARY, "serve", "--data", data, "--listen", "127.0.0.1:1", "--buckets", BUCKET, *arguments],
        env={**clean_environment(), "LATCHSTRING_ACCESS_KEY": ACCESS_KEY, "LATCHSTRING_SECRET_KEY": SECRET_KEY},
        pass_fds=[number], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_a_handed_socket_keeps_what_connects_between_two_servers(tmp_path):
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        port = listener.getsockname()[1]
        for _ in range(2):
            with contextlib.ExitStack() as held:
                waiting = [held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30)) for _ in range(10)]
                for sock in waiting:
                    sock.sendall(HEALTH)
                process = start_on(listener, tmp_path / "data")
                assert [read_answers(sock, 1)[0][0] for sock in waiting] == [200] * 10
            process.terminate()
            output = process.communicate(timeout=30)[0]
            assert process.returncode == 0 and f"Listening   127.0.0.1:{port}" in output, output


def test_a_handed_socket_that_cant_be_served_is_named(tmp_path):
    with socket.socket() as sock:
        process = start_on(sock, tmp_path / "data")
        output = process.communicate(timeout=30)[0]
    assert process.returncode != 0 and "ListenStream=" in output


def test_a_handed_unix_socket_is_refused(tmp_path):
    """Clients of it have no address, and how fast they read can't be told: slow ones would be cut off."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.listen()
        process = start_on(listener, tmp_path / "data")
        output = process.communicate(timeout=30)[0]
    assert process.returncode == 1 and "ListenStream=127.0.0.1:9000" in output


def test_every_interface_is_ipv4_too_where_ipv6_is_alone_by_default(tmp_path):
    script = """ip link set lo up && sysctl -qw net.ipv6.bindv6only=1 || exit 77
        "$0" serve --data "$1" --listen :9000 >"$1.log" 2>&1 &
        until grep -q Listening "$1.log"; do kill -0 $! || exit 1; sleep 0.02; done
        for host in 127.0.0.1 '[::1]'; do curl -sf "http://$host:9000/-/health" || echo "$host: $?"; done
        kill $!; wait $!"""
    done = subprocess.run(["unshare", "-n", "sh", "-c", script, BINARY, tmp_path / "data"], env=clean_environment(),
                          text=True, capture_output=True, check=False, timeout=60)
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("there is no network of its own to be had, or no IPv6: not root?")
    assert (done.returncode, done.stdout) == (0, '{"status":"ok"}\n' * 2), done


# ---- Files that are not in memory

def forget(server):
    """Have the kernel drop what it keeps of the blobs."""
    for folder, _, names in os.walk(f"{server.data}/blobs"):
        for name in names:
            file = os.open(os.path.join(folder, name), os.O_RDONLY)
            os.fsync(file)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(file)


def test_cold_files_come_whole(server, s3):
    """Alone and in parts, whole and in ranges."""
    body = random.Random(8).randbytes(12_000_000)
    s3.put_object(Bucket=BUCKET, Key="cold", Body=body)
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
    where = {"Bucket": BUCKET, "Key": "parts", "UploadId": upload}
    pieces = [body[:5_300_000], body[5_300_000:10_700_001], body[10_700_001:]]
    parts = [{"PartNumber": number, "ETag": s3.upload_part(PartNumber=number, Body=piece, **where)["ETag"]}
             for number, piece in enumerate(pieces, 1)]
    s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **where)
    for key in ("cold", "parts"):
        for first, last in ((0, len(body) - 1), (5_299_000, 5_301_000), (4096, 4096), (3, 11_999_999)):
            forget(server)
            got = s3.get_object(Bucket=BUCKET, Key=key, Range=f"bytes={first}-{last}")["Body"].read()
            assert got == body[first:last + 1], (key, first, last)


def queued(server, sock):
    """Bytes that the kernel has taken of the server's answer, and that the client's has not got."""
    ends = f":{server.port:04X} ", f":{sock.getsockname()[1]:04X} "
    with open("/proc/net/tcp", encoding="ascii") as file:
        lines = [line for line in file if ends[0] in line[:28] and ends[1] in line[14:42]]
    return int(lines[0].split()[4].split(":")[0], 16)


def test_the_kernel_takes_little_of_an_answer_at_once(server, s3):
    """What it has taken it sends in one go, as soon as it may, and nobody else is answered meanwhile."""
    s3.put_object(Bucket=BUCKET, Key="large", Body=bytes(16 << 20))
    with connect(server) as sock:
        sock.sendall(request(server, s3, "get_object", key="large"))
        got = 0
        while got < 8 << 20:  # so that the queue grows as large as it may
            got += len(sock.recv(1 << 20))
        before, now = -1, queued(server, sock)
        while now != before:
            time.sleep(0.1)
            before, now = now, queued(server, sock)
        assert now <= 1 << 20


def test_many_readers_of_cold_files_and_others_at_once(server, s3):
    body = random.Random(9).randbytes(3_000_000)
    for number in range(8):
        s3.put_object(Bucket=BUCKET, Key=f"cold{number}", Body=body)
    forget(server)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        cold = [pool.submit(lambda n=number: s3.get_object(Bucket=BUCKET, Key=f"cold{n % 8}")["Body"].read()) for number in range(32)]
        small = [pool.submit(server.send, "GET", "/-/health") for _ in range(50)]
        assert all(one.result(60) == body for one in cold)
        assert all(one.result(60).status == 200 for one in small)


# ---- Memory of a connection

def resident(server):
    """KiB."""
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))


def test_a_refused_body_is_not_kept(start):
    """Chunks of a large size, whose line then ends wrongly: what has come behind it is no request, and the clients stay."""
    server = start("--threads", "1", binary=os.environ.get("LST_RELEASE", BINARY))
    with contextlib.ExitStack() as held:
        before = resident(server)
        for _ in range(100):
            sock = held.enter_context(connect(server, 30))
            sock.sendall(b"GET /-/health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3ffff")
            server.process.send_signal(signal.SIGSTOP)  # so that the rest is read at once
            sock.sendall(b"z" * 100_000)
            server.process.send_signal(signal.SIGCONT)
            assert read_answers(sock, 1)[0][0] == 200
        each = (resident(server) - before) / 100
    assert each < 12, f"{each:.1f} KiB for each connection"


def test_an_idle_connection_keeps_nothing(start):
    server = start("--connections", "2100", "--threads", "1", binary=os.environ.get("LST_RELEASE", BINARY))
    with contextlib.ExitStack() as held:
        before = resident(server)
        for _ in range(800):
            sock = held.enter_context(connect(server, 30))
            sock.sendall(HEALTH)
            assert read_answers(sock, 1)[0][0] == 200
        each = (resident(server) - before) / 800
    assert each < 3, f"{each:.1f} KiB for each"
