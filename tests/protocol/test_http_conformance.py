"""HTTP/1.1, as RFC 9110 and RFC 9112 have it: bytes and their answers, from conformance.py. Each row is sent whole,
and again byte by byte; what the RFCs ask of every answer is asked of each."""
import base64
import collections
import contextlib
import email.utils
import json
import os
import re
import selectors
import shutil
import socket
import ssl
import subprocess
import threading
import time
import typing
import zlib

import pytest
from conformance import CLOSE, CUT, KEEP, ROWS
from harness import presign, target_of
from hostile import connect, signed_head
from test_hostile_smuggling import BODY

BUCKET = "pictures"
NEXT = b"GET /-/ready HTTP/1.1\r\nHost: next\r\nConnection: close\r\n\r\n"  # behind each row
READY = b'{"status":"ready"}\n'
SECONDS = 30  # for all of them, and some more for very many: a table takes one or two
AT_ONCE = 200  # connections
TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")


class Answer(typing.NamedTuple):
    version: bytes
    status: int
    reason: bytes
    headers: list  # of (name in small letters, value)
    body: bytes

    def get(self, name):
        return [value for each, value in self.headers if each == name]


# ---- Many connections at once

class Conversation:
    """One connection: pieces to send, one each time it is its turn, and what comes back until the end."""

    def __init__(self, pieces, ends=False):
        self.pieces, self.ends, self.received, self.ended, self.sock = list(pieces), ends, b"", None, None


def connect_to(place):
    """place: a port of this machine, or the path of a socket."""
    if isinstance(place, int):
        sock = socket.create_connection(("127.0.0.1", place), timeout=10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    else:
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(place)
    sock.setblocking(False)
    return sock


def converse(place, conversations):
    """Run them all, AT_ONCE at once, each in its own time: a piece is sent after the others have had their turn."""
    waiting, deadline = list(conversations), time.monotonic() + SECONDS + len(conversations) / 50
    with selectors.DefaultSelector() as selector:
        while waiting or selector.get_map():
            while waiting and len(selector.get_map()) < AT_ONCE:
                each = waiting.pop()
                each.sock = connect_to(place)
                if not each.pieces:
                    each.sock.shutdown(socket.SHUT_WR)
                selector.register(each.sock, selectors.EVENT_READ | selectors.EVENT_WRITE, each)
            for key, events in selector.select(1):
                if turn(key.data, events):
                    selector.unregister(key.data.sock)
                    key.data.sock.close()
                elif events & selectors.EVENT_WRITE and not key.data.pieces:
                    selector.modify(key.data.sock, selectors.EVENT_READ, key.data)
            if time.monotonic() > deadline:
                for key in list(selector.get_map().values()):
                    key.data.ended = "never"
                    key.data.sock.close()
                break


def turn(each, events):
    """True at the end."""
    if events & selectors.EVENT_READ:
        try:
            piece = each.sock.recv(1 << 20)
        except ConnectionError:
            each.ended = "reset"
            return True
        if not piece:
            each.ended = "closed"
            return True
        each.received += piece
    elif each.pieces:
        with contextlib.suppress(OSError):  # closed by the server: the next read says so
            sent = each.sock.send(each.pieces[0])
            each.pieces[0] = each.pieces[0][sent:]
        if not each.pieces[0]:
            each.pieces.pop(0)
        if not each.pieces and each.ends:
            with contextlib.suppress(OSError):
                each.sock.shutdown(socket.SHUT_WR)
    return False


# ---- Answers

def read_head(received):
    """(answer without its body, what is behind its head); strict."""
    head, separator, rest = received.partition(b"\r\n\r\n")
    assert separator, f"no whole head: {received[:300]}"
    lines = head.split(b"\r\n")
    assert b"\r" not in b"".join(lines) and b"\n" not in b"".join(lines) and b"\0" not in head, head
    line = re.fullmatch(rb"(HTTP/1\.1) (\d\d\d) (.*)", lines[0])
    assert line, f"RFC 9112, 4: {lines[0]}"
    headers = []
    for each in lines[1:]:
        name, colon, value = each.partition(b":")
        assert colon and TOKEN.match(name), f"RFC 9112, 5: {each}"
        headers.append((name.lower(), value.strip(b" \t")))
    return Answer(line[1], int(line[2]), line[3], headers, b""), rest


def read_answer(received, is_head):
    answer, rest = read_head(received)
    lengths = answer.get(b"content-length")
    if answer.status < 200 or answer.status in (204, 304) or is_head:
        return answer, rest
    assert len(lengths) == 1, f"RFC 9112, 6.3: {answer.headers}"
    length = int(lengths[0])
    assert len(rest) >= length, f"a short body: {len(rest)} of {length}"
    return answer._replace(body=rest[:length]), rest[length:]


def check_answer(answer, is_old):
    """What holds for every answer, whatever was asked."""
    where = (answer.status, answer.headers)
    assert all(len(answer.get(name)) <= 1 for name in (b"content-length", b"content-type", b"date", b"etag")), where
    if answer.status < 200:
        assert not is_old, f"RFC 9110, 15.2: {where}"
        assert not answer.get(b"content-length") and not answer.get(b"transfer-encoding"), f"RFC 9110, 8.6: {where}"
        return
    date = answer.get(b"date")
    assert len(date) == 1, f"RFC 9110, 6.6.1: {where}"
    moment = email.utils.parsedate_to_datetime(date[0].decode())
    assert email.utils.format_datetime(moment, usegmt=True) == date[0].decode(), f"RFC 9110, 5.6.7: {date}"
    assert abs(moment.timestamp() - time.time()) < 600, date
    assert not answer.get(b"transfer-encoding"), f"nothing here needs chunks: {where}"
    if answer.status in (204, 304):
        assert not (answer.status == 204 and answer.get(b"content-length")), f"RFC 9110, 8.6: {where}"
    if answer.status == 304:
        assert answer.get(b"etag") and answer.get(b"cache-control") == [b"max-age=5"], f"RFC 9110, 15.4.5: {where}"
    if answer.status == 401:
        assert answer.get(b"www-authenticate"), f"RFC 9110, 15.5.2: {where}"
    if answer.status == 405:
        allowed = b", ".join(answer.get(b"allow")).split(b", ")
        assert allowed != [b""] and (b"GET" in allowed) == (b"HEAD" in allowed), f"RFC 9110, 15.5.6: {where}"
    if answer.status in (206, 416):
        assert answer.get(b"content-range"), f"RFC 9110, 14.4: {where}"
    if answer.body:
        assert answer.get(b"content-type"), f"RFC 9110, 8.3: {where}"


def check(row, request, received, ended):
    """The answers of a row, and then the end."""
    assert ended == "closed", f"{ended}: {received[:400]}"
    is_old = b"HTTP/1.0\r\n" in request
    for wanted in row.answers:
        status, _, code = wanted.partition(" ")
        answer, received = read_answer(received, code == "HEAD")
        check_answer(answer, is_old)
        assert answer.status == int(status), (wanted, answer)
        if code not in ("", "HEAD"):
            assert f"<Code>{code}</Code>".encode() in answer.body, (wanted, answer)
        if code == "BadRequest" and row.keeps == CLOSE:
            assert re.search(rb"<Message>[^<]+RFC 911[02], \d", answer.body), f"it names the rule: {answer.body}"
        last = answer
    if row.keeps == CUT:
        assert not re.search(rb"HTTP/1\.1 2", received), received
        return
    closes = [value for value in last.get(b"connection") if b"close" in value.lower()]
    if row.keeps == KEEP:
        assert not closes, last
        assert not is_old or last.get(b"connection"), f"RFC 9112, 9.3: {last}"
        answer, received = read_answer(received, False)
        assert (answer.status, answer.body) == (200, READY), f"the next request: {answer}"
    else:
        assert closes, f"RFC 9112, 9.6: {last}"
    assert received == b"", f"an answer too many: {received[:400]}"


# ---- The tables

@pytest.fixture(scope="module")
def server(start):
    return start("--buckets", BUCKET, "--anonymous-rate", "1000000")


@pytest.fixture(scope="module")
def places(server):
    """What stands for the words in braces."""
    s3 = server.client()
    made = s3.put_object(Bucket=BUCKET, Key="row", Body=b"0123456789", CacheControl="max-age=5")
    modified = s3.head_object(Bucket=BUCKET, Key="row")["LastModified"]
    chunked = signed_head(server, "PUT", f"/{BUCKET}/chunked", {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-decoded-content-length": "5",
        "x-amz-trailer": "x-amz-checksum-crc32"})
    targets = {name: target_of(presign(s3, f"{name}_object", key="row", expires=3000)) for name in ("get", "head", "put")}
    return {**{name: target.encode() for name, target in targets.items()}, "host": server.host.encode(), "chunked": chunked,
            "delete": target_of(presign(s3, "delete_object", key="gone", expires=3000)).encode(), "body": BODY,
            "other": target_of(presign(s3, "put_object", key="other", expires=3000)).encode(),
            "size": b"%x" % len(BODY), "etag": made["ETag"].encode(),
            "modified": email.utils.formatdate(modified.timestamp(), usegmt=True).encode()}


def fill_in(request, places):
    for name, value in places.items():
        request = request.replace(b"{" + name.encode() + b"}", value)
    return request


def failures_of(server, conversations):
    """conversations: of (row, request, conversation)."""
    converse(server.port, [each for _, _, each in conversations])
    failures = []
    for row, request, each in conversations:
        try:
            check(row, request, each.received, each.ended)
        except AssertionError as error:
            failures.append(f"{row.name} ({row.section}): {str(error).splitlines()[0]}")
    return failures


def begin(row, places, cut):
    """cut: the pieces of the row's bytes."""
    request = fill_in(row.request, places)
    is_cut_off = row.keeps == CUT
    pieces = [piece for piece in cut(request) if piece] + ([] if is_cut_off else [NEXT])
    return row, request, Conversation(pieces, ends=is_cut_off)


def report(failures, count):
    assert not failures, f"{len(failures)} of {count}:\n" + "\n".join(failures)


def test_whole(server, places):
    conversations = [begin(row, places, lambda request: [request]) for row in ROWS]
    for _, _, each in conversations:
        each.pieces = [b"".join(each.pieces)]  # the next request comes with it
    report(failures_of(server, conversations), len(ROWS))


def test_byte_by_byte(server, places):
    """Every row at once, each a byte in its turn: large ones have their bulk in one piece."""
    def bytewise(request):
        edge = len(request) if len(request) < 2000 else 200
        middle = request[edge:len(request) - edge] if edge == 200 else b""
        tail = request[-edge:] if edge == 200 else b""
        return [*(request[at:at + 1] for at in range(edge)), middle, *(tail[at:at + 1] for at in range(len(tail)))]
    report(failures_of(server, [begin(row, places, bytewise) for row in ROWS]), len(ROWS))


def test_split(server, places):
    """In two pieces: at every byte if LST_FULL says so, else at some of each row."""
    step, conversations = 1 if os.environ.get("LST_FULL") else 29, []
    for number, row in enumerate(ROWS):
        size = len(fill_in(row.request, places))
        conversations += [begin(row, places, lambda request, at=at: [request[:at], request[at:]])
                          for at in range(1 + number % step, size, step if size < 2000 else size // 10)]
    report(failures_of(server, conversations), len(conversations))


def test_over_tls(start, authority):
    """Some of the rows, each byte a record of its own."""
    server = start("--buckets", BUCKET, "--anonymous-rate", "1000000", "--tls-cert", str(authority / "cert.pem"),
                   "--tls-key", str(authority / "key.pem"))
    context, failures = ssl.create_default_context(cafile=authority / "ca.pem"), []
    rows = [row for row in ROWS if b"{" not in row.request and len(row.request) < 1000 and row.keeps != CUT][::6]
    for row in rows:
        received = b""
        with context.wrap_socket(connect(server), server_hostname="127.0.0.1") as sock:
            with contextlib.suppress(OSError):
                for at in range(len(row.request)):
                    sock.send(row.request[at:at + 1])
                sock.sendall(NEXT)
            while piece := sock.recv(65536):
                received += piece
        try:
            check(row, row.request, received, "closed")
        except AssertionError as error:
            failures.append(f"{row.name} ({row.section}): {str(error).splitlines()[0]}")
    report(failures, len(rows))


@pytest.mark.parametrize("secure", [False, True])
def test_what_comes_with_the_end_of_a_body(start, authority, secure):
    """Two requests in two pieces, cut everywhere: the second request arrives with the last bytes of the first one's body,
    and is read as it was sent."""
    more = ["--tls-cert", str(authority / "cert.pem"), "--tls-key", str(authority / "key.pem")] if secure else []
    server = start("--buckets", BUCKET, *more)
    follows = b"GET /-/ready HTTP/1.1\r\nHost: h\r\n\r\n"
    bodies = [b"Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nA: b\r\n\r\n", b"Content-Length: 5\r\n\r\nhello"]
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(connect(server))
        if secure:
            context = ssl.create_default_context(cafile=authority / "ca.pem")
            sock = stack.enter_context(context.wrap_socket(sock, server_hostname="127.0.0.1"))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for body in bodies:
            stream = b"GET /-/health HTTP/1.1\r\nHost: h\r\n" + body + follows
            for at in range(1, len(stream)):
                sock.sendall(stream[:at])
                time.sleep(0.002)  # so that the server mostly reads it alone
                sock.sendall(stream[at:])
                health, ready = receive(sock, 2)
                assert (health.status, ready.body) == (200, READY), (at, body, ready)


@pytest.mark.parametrize("secure", [False, True])
def test_an_answer_with_a_large_head(start, authority, secure):
    """More than a TLS record holds, head and body both arrive whole."""
    more = ["--tls-cert", str(authority / "cert.pem"), "--tls-key", str(authority / "key.pem")] if secure else []
    server = start("--buckets", BUCKET, *more)
    s3 = server.client(verify=str(authority / "ca.pem"))
    names = [f"x-{number:04}-{'a' * 90}" for number in range(300)]
    s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [
        {"AllowedOrigins": ["*"], "AllowedMethods": ["GET"], "ExposeHeaders": names}]})
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"hello")
    request = (f"GET {target_of(presign(s3, 'get_object', key='k'))} HTTP/1.1\r\nHost: {server.host}\r\n"
               "Origin: https://a.example\r\n\r\n").encode()
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(connect(server))
        if secure:
            context = ssl.create_default_context(cafile=authority / "ca.pem")
            sock = stack.enter_context(context.wrap_socket(sock, server_hostname="127.0.0.1"))
        for _ in range(3):
            sock.sendall(request)
            answer, = receive(sock, 1)
            assert answer.body == b"hello" and len(answer.get(b"access-control-expose-headers")[0]) > 25_000


# ---- The same bytes through a proxy

NGINX = """
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    log_format forwarded escape=json '{{"target":"$request_uri","upstream":"$upstream_status"}}';
    access_log {folder}/access.log forwarded;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    ignore_invalid_headers off; underscores_in_headers on; merge_slashes off; large_client_header_buffers 8 64k;
    lingering_close off;
    upstream behind {{ server 127.0.0.1:{port}; keepalive 4; }}
    server {{
        listen unix:{folder}/socket;
        location / {{
            proxy_pass http://behind; proxy_http_version 1.1; proxy_request_buffering {buffering};
            proxy_set_header Connection ""; proxy_set_header Host $http_host;
        }}
    }}
}}
"""


@contextlib.contextmanager
def nginx(port, folder, buffering):
    """nginx in front of a server, as lenient as it can be made; it listens on folder/socket."""
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed (tools/packages.sh test)")
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, buffering=buffering))
    process = subprocess.Popen([program, "-c", folder / "nginx.conf", "-p", folder, "-e", folder / "error.log"])
    try:
        deadline = time.monotonic() + 10
        while not (folder / "socket").exists():
            assert process.poll() is None and time.monotonic() < deadline, (folder / "error.log").read_text()
            time.sleep(0.01)
        yield str(folder / "socket")
    finally:
        process.terminate()
        process.wait(10)


def told_apart(row, name):
    """The row, its requests with targets that tell them from those of every other."""
    request = row.request.replace(b"/-/health", b"/%s/first" % name.encode())
    follows = b"" if row.keeps == CUT else NEXT.replace(b"/-/ready", b"/%s/next" % name.encode())
    return Conversation([request + follows], ends=row.keeps == CUT)


def seen_by(server):
    """For each name, the keys that were asked for, in no order: the server's own account of it."""
    assert server.send("GET", "/the-end/of-it").status == 404
    assert server.wait_for_log('"key":"of-it"')
    seen = collections.defaultdict(list)
    for line in server.log().split("\n"):
        if line.startswith("{"):
            entry = json.loads(line)
            seen[entry.get("bucket", "")].append(entry.get("key", ""))
    return seen


def forwarded_by(folder):
    """The same, as nginx understood what it has passed on, with the status that came back."""
    forwarded = collections.defaultdict(list)
    for line in (folder / "access.log").read_text(errors="replace").splitlines():
        entry = json.loads(line)
        match = re.match(r"/([a-z]+-\d+)/([^?]*)", re.sub(r"\Ahttps?://[^/]*", "", entry["target"], flags=re.I))
        if match and entry["upstream"] not in ("", "-"):
            forwarded[match[1]].append((match[2], entry["upstream"]))
    return forwarded


def test_through_nginx(start, tmp_path):
    """What nginx takes for a request is one here, and nothing else is: of no row do the two understand a different
    number of requests. What both accept, both read alike."""
    server = start("--anonymous-rate", "1000000", "--log-format", "json")
    rows = [row for row in ROWS if b"{" not in row.request and len(row.request) < 4000]
    asked = {place: [told_apart(row, f"{place}-{number}") for number, row in enumerate(rows)]
             for place in ("direct", "whole", "streamed")}
    forwarded = {}
    converse(server.port, asked["direct"])
    for place, buffering in ("whole", "on"), ("streamed", "off"):
        (tmp_path / place).mkdir()
        with nginx(server.port, tmp_path / place, buffering) as path:
            converse(path, asked[place])
        forwarded.update(forwarded_by(tmp_path / place))
    seen, alike = seen_by(server), 0
    for number, row in enumerate(rows):
        for place in "whole", "streamed":
            name = f"{place}-{number}"
            ours, theirs = collections.Counter(seen[name]), forwarded.get(name, [])
            # Of a head that was refused the log does not say what it asked for.
            certain = collections.Counter(key for key, status in theirs if status not in ("400", "501"))
            assert certain <= ours <= collections.Counter(key for key, _ in theirs), (row, asked[place][number].received)
            assert asked[place][number].ended == "closed", (row, place, asked[place][number].received)
            if row.keeps == KEEP and certain.total() == len(row.answers) + 1:
                assert collections.Counter(seen[f"direct-{number}"]) == ours, (row, asked["direct"][number].received)
                alike += 1
    assert alike > 100, "rows that both accept"


# ---- Conversations

def receive(sock, count, heads=()):
    """So many answers; heads: numbers of those that have no body."""
    received, answers = b"", []
    while len(answers) < count:
        try:
            answer, received = read_answer(received, len(answers) in heads)
            answers.append(answer)
        except AssertionError:
            piece = sock.recv(1 << 20)
            assert piece, (answers, received)
            received += piece
    assert not received, received
    for answer in answers:
        check_answer(answer, False)
    return answers


def test_head_tells_the_length_of_get_or_nothing(server, places):
    """RFC 9110, 8.6: of a refusal, too."""
    targets = [b"/-/health", b"/-/nothing", b"/", b"/pictures/row", b"/nobody/here", places["get"], places["get"] + b"0"]
    for target in targets:
        with connect(server) as sock:
            get, = ask_on(sock, b"GET " + target, places)
            head, = ask_on(sock, b"HEAD " + target.replace(places["get"], places["head"]), places, (0,))
        assert head.status == get.status, (target, head, get)
        lengths = get.get(b"content-length")
        assert head.get(b"content-length") in ([], lengths), (target, head.headers, lengths)


def ask_on(sock, line, places, heads=()):
    sock.sendall(line + b" HTTP/1.1\r\nHost: " + places["host"] + b"\r\n\r\n")
    return receive(sock, 1, heads)


def test_a_long_pipeline_is_answered_in_order(server, places):
    """RFC 9112, 9.3.2: uploads, which wait for the disk, among reads, which do not."""
    request, wanted = b"", []
    for number in range(60):
        request += fill_in(b"PUT {other} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\n\r\nhello"
                           b"GET {get} HTTP/1.1\r\nHost: {host}\r\nRange: bytes=%d-9\r\n\r\n"
                           b"GET /-/nothing/%d HTTP/1.1\r\nHost: h\r\n\r\n" % (number % 10, number), places)
        wanted += [(200, b""), (206, b"0123456789"[number % 10:]), (404, b"<Code>NotFound</Code>")]
    with connect(server, 30) as sock:
        sender = threading.Thread(target=sock.sendall, args=(request,))
        sender.start()
        answers = receive(sock, len(wanted))
        sender.join()
    for answer, (status, part) in zip(answers, wanted):
        assert answer.status == status and part in answer.body, answer


@pytest.mark.parametrize("chunk", [1, 7, 1000, 70_000])
def test_uploads_in_chunks_keep_their_connection(server, chunk):
    """RFC 9112, 9.3: and each is the object that was sent, however large the chunks and the writes are."""
    body = bytes(range(256)) * (1 if chunk < 100 else 400)
    headers = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-trailer": "x-amz-checksum-crc32",
               "x-amz-decoded-content-length": str(len(body))}
    checksum = base64.b64encode(zlib.crc32(body).to_bytes(4, "big"))
    inner = b"%x\r\n%s\r\n0\r\nx-amz-checksum-crc32:%s\r\n\r\n" % (len(body), body, checksum)
    framed = b"".join(b"%x;n=%d\r\n%s\r\n" % (len(inner[at:at + chunk]), at % 2, inner[at:at + chunk])
                      for at in range(0, len(inner), chunk)) + b"0\r\nX-Trailer: a\r\n\r\n"
    with connect(server, 30) as sock:
        for number in range(3):
            head = signed_head(server, "PUT", f"/{BUCKET}/chunks-{number}", headers)
            request = head + b"Transfer-Encoding: chunked\r\n\r\n" + framed
            for at in range(0, len(request), 50_000 + number):
                sock.sendall(request[at:at + 50_000 + number])
            answer, = receive(sock, 1)
            assert answer.status == 200 and not answer.get(b"connection"), answer
    s3 = server.client()
    for number in range(3):
        assert s3.get_object(Bucket=BUCKET, Key=f"chunks-{number}")["Body"].read() == body


CONTINUE = b"PUT {other} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"


def test_a_body_is_asked_for_and_the_connection_goes_on(server, places):
    """RFC 9110, 10.1.1."""
    with connect(server) as sock:
        for _ in range(3):
            sock.sendall(fill_in(CONTINUE, places))
            go_on, = receive(sock, 1)
            assert go_on.status == 100, go_on
            sock.sendall(b"hello")
            assert receive(sock, 1)[0].status == 200


def test_an_empty_body_is_asked_for(server, places):
    """Before it is answered, or the connection ends. Else the AWS CLI (1.46 and 2.9) waits 60 s for the upload that follows."""
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(connect(server))
        for _ in range(2):
            sock.sendall(fill_in(CONTINUE.replace(b": 5", b": 0"), places))
            received = b""
            while not (received := received + sock.recv(65536)).partition(b"HTTP/1.1 200 ")[2].endswith(b"\r\n\r\n"):
                assert received
            answer, rest = read_answer(received, False)
            if answer.status == 100:
                answer, rest = read_answer(rest, False)
                assert not answer.get(b"connection"), answer
            else:  # it was written before that was looked at
                assert answer.get(b"connection") == [b"close"], answer
                sock.close()
                sock = stack.enter_context(connect(server))
            assert (answer.status, rest) == (200, b""), answer


def test_an_empty_body_that_is_not_wanted_is_not_asked_for(server, places):
    """100 Continue and an answer in one piece: Java's HttpURLConnection would lose the answer. So the connection ends."""
    with connect(server) as sock:
        sock.sendall(fill_in(CONTINUE.replace(b"{other}", b"/pictures/unsigned").replace(b": 5", b": 0"), places))
        answer, = receive(sock, 1)
        assert answer.status == 403 and answer.get(b"connection") == [b"close"], answer


def test_a_body_that_does_not_wait_to_be_asked_for(server, places):
    with connect(server) as sock:
        for _ in range(3):
            sock.sendall(fill_in(CONTINUE, places) + b"hello")
            answer, = receive(sock, 1)
            if answer.status == 100:  # may be left out, as some of the body has come
                answer, = receive(sock, 1)
            assert answer.status == 200, answer


def test_a_body_in_chunks_is_asked_for(server, places):
    with connect(server) as sock:
        sock.sendall(fill_in(b"{chunked}Transfer-Encoding: chunked\r\nExpect: 100-Continue\r\n\r\n", places))
        assert receive(sock, 1)[0].status == 100
        sock.sendall(fill_in(b"{size}\r\n{body}\r\n0\r\n\r\n", places))
        assert receive(sock, 1)[0].status == 200


def test_a_body_that_is_not_wanted_is_not_asked_for(server, places):
    """The client may send it or not, so the connection ends."""
    with connect(server) as sock:
        sock.sendall(fill_in(CONTINUE.replace(b"{other}", b"{get}"), places))
        answer, = receive(sock, 1)
        assert answer.status == 403 and answer.get(b"connection") == [b"close"], answer
        sock.sendall(NEXT)
        with contextlib.suppress(ConnectionError):
            assert sock.recv(1) == b""
