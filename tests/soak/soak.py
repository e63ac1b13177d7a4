#!/usr/bin/env python3
"""A mixed load on one server for some minutes, with slow, broken and hostile clients among it.

    tests/soak/soak.py                 ten minutes
    tests/soak/soak.py --minutes 60    an hour; --binary FILE for another build, --tls for HTTPS

Honest clients put, read, list and delete objects of all sizes, and check every byte. Beside them others send byte by
byte, do not read, leave in the middle, reset, and send whatever tests/protocol/conformance.py has, cut and mixed.

At the end the load stops. Then no honest request may have been left without its right answer; descriptors must be as many
as at the start, and threads too, but for those that read from the disk; memory no more than after the first fifth of the
time. The last line says so, and the exit status is 0 only then.
"""
import argparse
import base64
import contextlib
import http.client
import math
import os
import random
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import warnings
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tests"), os.path.join(ROOT, "tests", "protocol")]

from harness import Server, presign, target_of  # noqa: E402
from hostile import signed_head  # noqa: E402
import test_hostile_streams  # noqa: E402
from conformance import ROWS  # noqa: E402

BUCKET = "pictures"
SIZES = [0, 1, 700, 5_000, 70_000, 300_000, 2_000_000]
IDLE = 5  # seconds that the server keeps an idle connection
PATIENCE = 30  # seconds for an answer to an honest client
SAMPLE = 5  # seconds
DISK_THREADS = 4  # that the server starts when it first has to read from the disk
MEMORY_MORE = 1.15  # times what it was after the first fifth
MEMORY_SLACK = 6 << 20


class Soak:
    def __init__(self, server, context):
        self.server, self.context = server, context
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.counts, self.failures = {}, []
        self.s3 = server.client(verify=False)

    def count(self, name, number=1):
        with self.lock:
            self.counts[name] = self.counts.get(name, 0) + number

    def fail(self, text):
        print("FAILURE", time.strftime("%X"), text, flush=True)
        with self.lock:
            self.failures.append(text)

    def target(self, operation, key, **parameters):
        return target_of(presign(self.s3, f"{operation}_object", key=key, expires=3600, **parameters))

    def socket(self, timeout=PATIENCE, small=False):
        sock = socket.socket()
        if small:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(timeout)
        sock.connect(("127.0.0.1", self.server.port))
        return self.context.wrap_socket(sock) if self.context else sock

    def connection(self):
        if self.context:
            return http.client.HTTPSConnection("127.0.0.1", self.server.port, timeout=PATIENCE, context=self.context)
        return http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)


# ---- Honest clients

def ask(connection, method, target, body=None, headers=None):
    """On a machine so busy that this client had no turn for as long as the server keeps an idle connection, it opens another, as
    any client has to (RFC 9112, section 9.3.1)."""
    if time.monotonic() - getattr(connection, "answered", math.inf) > IDLE * 0.8:
        connection.close()
    connection.request(method, target, body=body, headers=headers or {})
    answer = connection.getresponse()
    text = answer.read()
    connection.answered = time.monotonic()
    return answer, text


def honest(soak, number):
    """One after another on a kept connection, each answer checked to the last byte."""
    chance, connection = random.Random(number), soak.connection()
    while not soak.stop.is_set():
        key, body = f"honest-{number}-{chance.randrange(20)}", chance.randbytes(chance.choice(SIZES))
        try:
            answer, text = ask(connection, "PUT", soak.target("put", key), body)
            assert answer.status == 200, (answer.status, text[:200])
            answer, text = ask(connection, "GET", soak.target("get", key))
            assert (answer.status, text) == (200, body), (answer.status, len(text), len(body))
            answer, text = ask(connection, "HEAD", soak.target("head", key))
            assert (answer.status, int(answer.headers["Content-Length"])) == (200, len(body)), answer.status
            if len(body) > 10:
                answer, text = ask(connection, "GET", soak.target("get", key), headers={"Range": "bytes=3-9"})
                assert (answer.status, text) == (206, body[3:10]), answer.status
            answer, text = ask(connection, "GET", "/-/health")
            assert answer.status == 200, answer.status
            if chance.randrange(4) == 0:
                answer, text = ask(connection, "DELETE", soak.target("delete", key))
                assert answer.status == 204, answer.status
            soak.count("honest requests", 5)
        except (OSError, http.client.HTTPException, AssertionError) as error:
            soak.fail(f"honest {number}: {error!r}")
            connection.close()
            connection = soak.connection()
            time.sleep(0.2)
        if chance.randrange(50) == 0:
            connection.close()  # the next request opens another
    connection.close()


def chunked(soak, number):
    """Uploads as boto3 makes them over https: aws-chunked, with a trailer, in chunks, on one connection."""
    chance, sock = random.Random(number), None
    while not soak.stop.is_set():
        body = chance.randbytes(chance.choice(SIZES[1:]))
        headers = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-trailer": "x-amz-checksum-crc32",
                   "x-amz-decoded-content-length": str(len(body))}
        checksum = base64.b64encode(zlib.crc32(body).to_bytes(4, "big"))
        inner = b"%x\r\n%s\r\n0\r\nx-amz-checksum-crc32:%s\r\n\r\n" % (len(body), body, checksum)
        size = chance.choice((5_000, 65_536, 1 << 20))
        framed = b"".join(b"%x\r\n%s\r\n" % (len(inner[at:at + size]), inner[at:at + size]) for at in range(0, len(inner), size))
        head = signed_head(soak.server, "PUT", f"/{BUCKET}/chunked-{number}", headers)
        try:
            sock = sock or soak.socket()
            sock.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n")
            received = sock.recv(65536)
            assert received.startswith(b"HTTP/1.1 200 ") and received.endswith(b"\r\n\r\n"), received[:300]
            assert b"connection: close" not in received.lower(), "the connection is kept"
            soak.count("uploads in chunks")
        except (OSError, AssertionError) as error:
            soak.fail(f"chunked {number}: {error!r}")
            sock = None
            time.sleep(0.2)


def lists(soak):
    while not soak.stop.is_set():
        try:
            soak.s3.list_objects_v2(Bucket=BUCKET, MaxKeys=100)
            soak.count("lists")
        except Exception as error:  # pylint: disable=broad-exception-caught
            soak.fail(f"list: {error!r}")
        time.sleep(0.3)


# ---- The others

def leave(sock, chance):
    """In order, or with a reset."""
    if chance.randrange(2):
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()


def broken(soak, number):
    """They leave in the middle of uploads and downloads."""
    chance = random.Random(number)
    while not soak.stop.is_set():
        with contextlib.suppress(OSError):
            sock = soak.socket()
            if chance.randrange(2):
                request = f"GET {soak.target('get', 'large')} HTTP/1.1\r\nHost: {soak.server.host}\r\n\r\n".encode()
                sock.sendall(request)
                sock.recv(chance.choice((1, 1000, 65536)))
            else:
                request = (f"PUT {soak.target('put', 'broken')} HTTP/1.1\r\nHost: {soak.server.host}\r\n"
                           "Content-Length: 500000\r\n\r\n").encode() + b"x" * chance.choice((0, 1, 10_000, 499_999))
                sock.sendall(request[:chance.randrange(1, len(request))])
            leave(sock, chance)
        soak.count("broken connections")
        time.sleep(0.02)


def hostile(soak, number):
    """Streams as in test_hostile_streams.py."""
    chance = random.Random(number)
    requests = [row.request for row in ROWS if len(row.request) < 2000]
    while not soak.stop.is_set():
        with contextlib.suppress(OSError):
            sock = soak.socket(10)
            for piece in test_hostile_streams.make(chance.randrange(1 << 40), requests):
                sock.sendall(piece)
            if chance.randrange(3):
                if not soak.context:
                    sock.shutdown(socket.SHUT_WR)
                while sock.recv(65536):
                    pass
            leave(sock, chance)
        soak.count("hostile streams")
        time.sleep(0.01)


def slow(soak, number):
    """A crowd that sends a byte now and then, or reads nothing; those that are cut off are replaced."""
    chance, crowd = random.Random(number), []
    get = f"GET {soak.target('get', 'large')} HTTP/1.1\r\nHost: {soak.server.host}\r\n\r\n".encode()
    put = (f"PUT {soak.target('put', 'slow')} HTTP/1.1\r\nHost: {soak.server.host}\r\n").encode()
    while not soak.stop.is_set():
        while len(crowd) < 100:
            with contextlib.suppress(OSError):
                first = chance.choice((b"", b"GET /", put, put + b"Content-Length: 100000\r\n\r\n", get, get * 5,
                                       b"GET /-/health HTTP/1.1\r\nHost: h\r\n\r\n"))
                sock = soak.socket(10, small=first.startswith(get))
                sock.sendall(first)
                sock.setblocking(False)
                crowd.append((sock, first.startswith(get)))
                soak.count("slow connections")
        for each in list(crowd):
            try:
                if not each[1]:
                    if chance.randrange(2):
                        each[0].send(b"a")
                    if not each[0].recv(65536):
                        raise ConnectionError
                elif each[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != 1:
                    raise ConnectionError
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                pass
            except OSError:
                each[0].close()
                crowd.remove(each)
        time.sleep(0.2)
    for sock, _ in crowd:
        sock.close()


# ---- What it costs

def descriptors(server):
    """How many are open, but for the bodies that stay open for the next reader, at most 1,024 of them. Of these none may
    be of a body that was deleted."""
    folder = f"/proc/{server.process.pid}/fd"
    count = 0
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            file = os.readlink(f"{folder}/{name}")
            count += "/blobs/" not in file or file.endswith(" (deleted)")
    return count


def sample(server):
    """Descriptors, threads, and bytes of memory: its own, without the pages of the index, which are the kernel's."""
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
        fields = dict(line.split(":", 1) for line in file)
    return (descriptors(server), int(fields["Threads"]), int(fields["RssAnon"].split()[0]) * 1024)


def say(begun, what, soak):
    counts = ", ".join(f"{name} {number:,}" for name, number in sorted(soak.counts.items()))
    print(f"{time.monotonic() - begun:6.0f} s  descriptors {what[0]:5}  threads {what[1]:3}  memory {what[2] / 1e6:7.1f} MB  {counts}"
          f"  failures {len(soak.failures)}", flush=True)


def run(soak, seconds):
    begun, early = time.monotonic(), None
    threads = [threading.Thread(target=function, args=arguments) for function, *arguments in
               [*((honest, soak, number) for number in range(4)), (chunked, soak, 10), (chunked, soak, 11), (lists, soak),
                (broken, soak, 20), (hostile, soak, 30), (hostile, soak, 31), (slow, soak, 40)]]
    for thread in threads:
        thread.start()
    while time.monotonic() - begun < seconds:
        time.sleep(min(SAMPLE, max(0.0, seconds - (time.monotonic() - begun))))
        if soak.server.process.poll() is not None:
            soak.fail(f"the server has ended: {soak.server.log()[-2000:]}")
            break
        now = sample(soak.server)
        say(begun, now, soak)
        if time.monotonic() - begun > seconds / 5:
            early = max(early or 0, now[2]) if time.monotonic() - begun < seconds / 3 else early or now[2]
    soak.stop.set()
    for thread in threads:
        thread.join()
    return early


def settle(server, first, seconds):
    """Until descriptors and threads are as at the start, or that long."""
    deadline = time.monotonic() + seconds
    while (now := sample(server))[0] > first[0] + 2 or now[1] > first[1] + DISK_THREADS:
        if time.monotonic() > deadline:
            break
        time.sleep(0.5)
    return now


def certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                    f"{folder}/key.pem", "-out", f"{folder}/cert.pem", "-days", "2", "-subj", "/CN=localhost"],
                   check=True, capture_output=True)
    return ["--tls-cert", f"{folder}/cert.pem", "--tls-key", f"{folder}/key.pem"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--binary", default=os.path.join(ROOT, "build", "release", "src", "cli", "latchstring"))
    parser.add_argument("--tls", action="store_true")
    options = parser.parse_args()
    context = None
    if options.tls:
        warnings.simplefilter("ignore")  # of a certificate that nobody has signed
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with tempfile.TemporaryDirectory() as folder:
        more = certificate(folder) if options.tls else []
        server = Server(f"{folder}/data", "--buckets", BUCKET, "--idle-timeout", str(IDLE), "--anonymous-rate", "1000000",
                        "--access-log", "off", *more, binary=options.binary)
        soak = Soak(server, context)
        soak.s3.put_object(Bucket=BUCKET, Key="large", Body=os.urandom(5_000_000))
        soak.s3.list_objects_v2(Bucket=BUCKET)
        first = sample(server)
        early = run(soak, options.minutes * 60)
        last = settle(server, first, 60)
        print(f"at the start: descriptors {first[0]}, threads {first[1]}, memory {first[2] / 1e6:.1f} MB; in the first third: "
              f"memory {(early or 0) / 1e6:.1f} MB; at the end: descriptors {last[0]}, threads {last[1]}, memory {last[2] / 1e6:.1f} MB")
        if last[0] > first[0] + 2:
            soak.fail(f"{last[0] - first[0]} descriptors are left open")
        if last[1] > first[1] + DISK_THREADS:
            soak.fail(f"{last[1] - first[1]} threads are left")
        if early and last[2] > early * MEMORY_MORE + MEMORY_SLACK:
            soak.fail("memory grows")
        if server.stop() != 0:
            soak.fail(f"it ends with another status than 0: {server.log()[-2000:]}")
        status, output = server.fsck()
        if status != 0:
            soak.fail(f"fsck: {output}")
    for failure in soak.failures[:20]:
        print(failure)
    print("PASSED" if not soak.failures else f"FAILED: {len(soak.failures)}")
    return 1 if soak.failures else 0


if __name__ == "__main__":
    sys.exit(main())
