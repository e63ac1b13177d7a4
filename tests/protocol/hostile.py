"""Raw bytes to a server, and what comes back: for the tests of hostile input."""
import contextlib
import glob
import os
import re
import signal
import socket
import time

from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from harness import ACCESS_KEY, SECRET_KEY, HeaderSigner


def connect(server, timeout=10):
    return socket.create_connection(("127.0.0.1", server.port), timeout=timeout)


def exchange(server, request, timeout=15, ends=True):
    """Send bytes and say no more; all that comes back until the server closes, which it must. ends: say
    that there is no more."""
    received = b""
    with connect(server, timeout) as sock:
        with contextlib.suppress(OSError):  # a reset may overtake the answer
            sock.sendall(request)
            if ends:
                sock.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while piece := sock.recv(65536):
                received += piece
    return received


def read_answers(sock, count):
    """Answers with a Content-Length, as (status, body), until count of them or the end."""
    received, answers = b"", []
    while len(answers) < count:
        match = re.search(rb"\AHTTP/1\.1 (\d+)[^\r\n]*\r\n(.*?)\r\n\r\n", received, re.DOTALL)
        if match:
            length = int(re.search(rb"(?im)^Content-Length: *(\d+)", match.group(2)).group(1))
            if len(received) >= match.end() + length:
                answers.append((int(match.group(1)), received[match.end():match.end() + length]))
                received = received[match.end() + length:]
                continue
        piece = sock.recv(65536)
        if not piece:
            break
        received += piece
    return answers


def statuses(received):
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


def signed_head(server, method, target, headers, body=b""):
    """Request line and headers without the empty line, signed with a header; Content-Length is left out."""
    request = AWSRequest(method, server.endpoint + target, data=body, headers=headers)
    HeaderSigner(Credentials(ACCESS_KEY, SECRET_KEY), "s3", "us-east-1").add_auth(request)
    lines = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items()
                    if name.lower() != "content-length")
    return f"{method} {target} HTTP/1.1\r\nHost: {server.host}\r\n{lines}".encode()


def hold(server):
    """Stop it, until SIGCONT; what is sent from now on waits in the kernel."""
    server.process.send_signal(signal.SIGSTOP)
    deadline = time.monotonic() + 20
    while True:
        states = set()
        for task in os.listdir(f"/proc/{server.process.pid}/task"):
            with open(f"/proc/{server.process.pid}/task/{task}/stat", encoding="ascii") as file:
                states.add(file.read().rpartition(")")[2].split()[0])
        if states == {"T"}:
            return
        assert time.monotonic() < deadline, states
        time.sleep(0.001)


def processor(server):
    """Seconds, of all its threads. The process's own sum goes by ticks, which short turns can miss."""
    total = 0
    for path in glob.glob(f"/proc/{server.process.pid}/task/*/schedstat"):
        with contextlib.suppress(FileNotFoundError), open(path, encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9


def costs_less(server, most, work):
    """Whether the work takes less than so many seconds of the processor, once in five tries: what a machine shared with
    others is kept from doing is counted, too, and comes in bursts."""
    def spend():
        before = processor(server)
        work()
        return processor(server) - before
    return any(spend() < most for _ in range(5))
