"""Memory and processor time that a client can make the server spend: bounded for each request, and for all of them.

Measured at the release build, because the sanitizers keep freed memory. The bounds are wide: what they are there for
costs ten times as much or more.
"""
import base64
import concurrent.futures
import contextlib
import hashlib
import json
import os
import re
import select
import socket
import threading
import time

import pytest
from botocore.awsrequest import AWSRequest
from harness import ROOT, HeaderSigner, code_of, presign, send_on, sign_and_send, target_of
from hostile import connect, costs_less, read_answers, signed_head, statuses
from test_remotes import add_remote
from test_uploads import create, make_token

BUCKET = "pictures"
RELEASE = os.environ.get("LST_RELEASE", os.path.join(ROOT, "build", "latchstring"))
MB = 1_000_000
SPENT_MAX = 150 * MB  # the budget of 64 MiB, what connections have, and room for noise
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><a b="'


def memory(server):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+) kB", file.read()).group(1)) * 1024


class Peak:
    """The most memory that the server had meanwhile, above what it had before: `with Peak(server) as peak`."""

    def __init__(self, server):
        self.server, self.before, self.most, self.is_over = server, memory(server), 0, threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def watch(self):
        while not self.is_over.wait(0.02):
            with contextlib.suppress(OSError):
                self.most = max(self.most, memory(self.server) - self.before)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()


def wait_for_memory(server, most):
    deadline = time.monotonic() + 20
    while memory(server) > most and time.monotonic() < deadline:
        time.sleep(0.1)
    assert memory(server) <= most, "memory is kept when the burst is over"


@pytest.fixture(name="server", scope="module")
def _server(start, tmp_path_factory):
    folder = tmp_path_factory.mktemp("profiles")
    (folder / "files.json").write_text(json.dumps({"bucket": BUCKET, "key": "files/{uuid}/{filename}"}))
    return start("--api-rate", "0", "--profiles", str(folder), "--buckets", BUCKET, binary=RELEASE)


@pytest.fixture(name="s3", scope="module")
def _s3(server):
    return server.client()


@pytest.fixture(name="client", scope="module")
def _client(server):
    """A token that a backend would give to a browser."""
    backend = make_token(server, "backend", "--role", "backend")
    answer = server.send("POST", "/-/api/tokens", {"Authorization": f"Bearer {backend}"},
                         json.dumps({"profile": "files"}).encode())
    return json.loads(answer.body)["token"]


def complete(server, client, body):
    return server.send("POST", "/-/api/uppy/s3/multipart/none/complete?key=a", {"Authorization": f"Bearer {client}"}, body)


# ---- JSON

@pytest.mark.parametrize("value", [b"{}", b"[]", b'{"a":1}', b"1", b'""', b"{" * 20 + b"}" * 20])
def test_a_body_of_many_small_values(server, client, value):
    body = b'{"parts":[' + b",".join([value] * (990_000 // (len(value) + 1))) + b"]}"
    before = memory(server)
    with Peak(server) as peak, concurrent.futures.ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(lambda _: complete(server, client, body), range(30)))
    assert {answer.status for answer in answers} <= {400, 413, 503}
    assert peak.most < SPENT_MAX
    wait_for_memory(server, before + SPENT_MAX / 2)


def test_other_calls_take_no_large_body(server, client):
    body = json.dumps({"filename": "a", "type": "image/png", "metadata": {"a": "b" * 100_000}}).encode()
    answer = server.send("POST", "/-/api/uppy/s3/multipart", {"Authorization": f"Bearer {client}"}, body)
    assert answer.status == 413
    answer = server.send("POST", "/-/api/uppy/s3/multipart", {"Authorization": f"Bearer {client}"},
                         b'{"a":[' + b"1," * 20_000 + b"1]}")
    assert answer.status == 413 and b"too many values" in answer.body


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_a_body_that_is_nested_deeply(server, client, opening):
    answer = complete(server, client, b'{"parts":' + opening * 10_000)
    assert answer.status == 400 and b"nested too deeply" in answer.body
    answer = complete(server, client, b'{"parts":' + opening * 20 + b"1")
    assert answer.status == 400 and b"nested" not in answer.body, "brackets in few levels are only malformed"


def test_brackets_in_texts_are_no_values(server, client):
    body = json.dumps({"parts": [{"PartNumber": 1, "ETag": '"\\[{' * 10_000}]}).encode()
    assert complete(server, client, body).status == 404, "there is no such upload"


def test_ten_thousand_parts_have_room(server, client):
    parts = [{"PartNumber": number, "ETag": f'"{number:032x}"', "ChecksumCRC32": "AAAAAA=="} for number in range(1, 10_001)]
    assert complete(server, client, json.dumps({"parts": parts}).encode()).status == 404


# ---- Documents

def delete_document(keys=1000, length=1024):
    return b"<Delete>" + b"".join(b"<Object><Key>%0*d</Key></Object>" % (length, key) for key in range(keys)) + b"</Delete>"


def delete_head(server, client, length):
    """Of a DeleteObjects by the user of a client. The digest is wrong, which shows at the end only."""
    request = AWSRequest("POST", f"{server.endpoint}/{BUCKET}?delete=", headers={
        "x-amz-content-sha256": "UNSIGNED-PAYLOAD", "Content-MD5": base64.b64encode(bytes(16)).decode()})
    HeaderSigner(client._request_signer._credentials, "s3", "us-east-1").add_auth(request)
    lines = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items() if name != "Content-Length")
    return (f"POST /{BUCKET}?delete= HTTP/1.1\r\nHost: {server.host}\r\n{lines}"
            f"Content-Length: {length}\r\n\r\n").encode()


def add_user(server, name, *statements):
    made = server.command("user", "add", name, "--data", server.data).stdout
    if statements:
        server.command("policy", "set", name, "-", "--data", server.data,
                       input=json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))
    keys = re.findall(r"(?m)^  (?:Access key id|Secret access key) +(\S+)$", made)
    return server.client(access_key=keys[0], secret_key=keys[1])


def allow(action, resource, effect="Allow"):
    return {"Effect": effect, "Action": action, "Resource": resource}


def test_who_may_delete_nothing_sends_no_document(server):
    may_not = [add_user(server, "nobody"),
               add_user(server, "reader", allow("s3:GetObject", "*")),
               add_user(server, "other", allow("s3:*", "arn:aws:s3:::elsewhere/*"), allow("s3:*", f"arn:aws:s3:::{BUCKET}"))]
    for client in may_not:
        with connect(server) as sock:
            sock.sendall(delete_head(server, client, 2_000_000))
            status, body = read_answers(sock, 1)[0]
            assert status == 403 and b"<Code>AccessDenied</Code>" in body, "before any of it was sent"
        assert code_of(client.delete_objects, Bucket=BUCKET, Delete={"Objects": [{"Key": "a"}]}) == "AccessDenied"


def test_who_may_delete_something_is_asked_for_each_key(server, s3):
    users = [add_user(server, "one", allow("s3:DeleteObject", f"arn:aws:s3:::{BUCKET}/mine/*")),
             add_user(server, "named", allow("s3:DeleteObject", f"arn:aws:s3:::{BUCKET}/${{aws:username}}/*"),
                      allow("s3:DeleteObject", f"arn:aws:s3:::{BUCKET}/mine/*")),
             add_user(server, "denied", allow("s3:*", "*"), allow("s3:*", f"arn:aws:s3:::{BUCKET}/theirs/*", "Deny"))]
    for client in users:
        for key in ("mine/a", "theirs/b"):
            s3.put_object(Bucket=BUCKET, Key=key)
        answer = client.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "mine/a"}, {"Key": "theirs/b"}]})
        assert [deleted["Key"] for deleted in answer["Deleted"]] == ["mine/a"]
        assert [error["Key"] for error in answer["Errors"]] == ["theirs/b"]


def hold(server, count, request):
    """Connections that have sent so much and send no more."""
    held = []
    for _ in range(count):
        sock = connect(server, 20)
        held.append(sock)
        sock.setblocking(False)
        left = memoryview(request)
        deadline = time.monotonic() + 20
        while left and time.monotonic() < deadline:
            try:
                left = left[sock.send(left):]
            except BlockingIOError:
                time.sleep(0.001)
            except OSError:
                break  # refused
    return held


def answers_of(held, least):
    """The statuses that came, once there are so many."""
    answered, waiting = [], list(held)
    deadline = time.monotonic() + 30
    while len(answered) < least and waiting and time.monotonic() < deadline:
        for sock in select.select(waiting, [], [], 1)[0]:
            waiting.remove(sock)
            with contextlib.suppress(OSError):
                answered += statuses(sock.recv(4096))
    return answered


def test_documents_that_never_end(server, s3):
    """Held by 120 connections: 240 MB. Those for whom there is no room are told so; what is small goes on."""
    document = delete_document(1000, 1900)[:-100]
    before = memory(server)
    with Peak(server) as peak:
        held = hold(server, 120, delete_head(server, s3, len(document) + 100) + document)
        answered = answers_of(held, 50)
        assert s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "small"}]})["Deleted"]
        assert s3.put_object(Bucket=BUCKET, Key="goes-on", Body=b"x" * 100_000)
    for sock in held:
        sock.close()
    assert peak.most < SPENT_MAX
    assert len(answered) >= 50 and set(answered) == {503}
    wait_for_memory(server, before + SPENT_MAX / 2)
    deadline = time.monotonic() + 20
    while True:
        document = delete_document()
        answer = sign_and_send(server, "POST", f"/{BUCKET}", document, "delete=",
                               {"Content-MD5": base64.b64encode(hashlib.md5(document).digest()).decode()})
        if answer.status != 503 or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    assert answer.status == 200, "there is room again"


def test_the_budget_is_a_setting(start):
    server = start("--buckets", BUCKET, "--request-memory", "8388608", binary=RELEASE)
    held = hold(server, 8, delete_head(server, server.client(), 2_000_000) + delete_document(1000, 1900)[:1_900_000])
    answered = answers_of(held, 1)
    for sock in held:
        sock.close()
    assert answered and set(answered) == {503}


def test_answers_that_nobody_reads(server, s3):
    """A listing of 2 MB, asked for by 100 clients."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: s3.put_object(Bucket=BUCKET, Key=f"{number:04d}" + "&" * 1000), range(1000)))
    url = s3.generate_presigned_url("list_objects_v2", Params={"Bucket": BUCKET}, ExpiresIn=600)
    request = f"GET {target_of(url)} HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode()
    before = memory(server)
    with contextlib.ExitStack() as held, Peak(server) as peak:
        readers = []
        for _ in range(100):
            sock = held.enter_context(socket.socket())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.settimeout(60)
            sock.connect(("127.0.0.1", server.port))
            sock.sendall(request)
            readers.append(sock)
        first = [sock.recv(12, socket.MSG_WAITALL) for sock in readers]
        assert s3.put_object(Bucket=BUCKET, Key="goes-on", Body=b"x" * 100_000)
    assert peak.most < SPENT_MAX
    assert set(first) == {b"HTTP/1.1 200", b"HTTP/1.1 503"}
    wait_for_memory(server, before + SPENT_MAX / 2)
    deadline = time.monotonic() + 20
    while server.send("GET", target_of(url)).status != 200:
        assert time.monotonic() < deadline, "there is room again"


@pytest.mark.parametrize("document", [
    b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><Delete>&b;</Delete>',
    b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/">' + b"<Delete><Object><Key>a</Key></Object></Delete>",
    b"<Delete>" + b"<a>" * 100_000, b"<Delete" + b" a='b'" * 100_000 + b"/>"])
def test_documents_that_would_grow(server, document):
    def send():
        answer = sign_and_send(server, "POST", f"/{BUCKET}", document, "delete=",
                               {"Content-MD5": base64.b64encode(hashlib.md5(document).digest()).decode()})
        assert answer.code == "MalformedXML"
    assert costs_less(server, 1, send)


# ---- Content that is looked at while it comes in

def svg_head(server, key, length):
    return signed_head(server, "PUT", f"/{BUCKET}/{key}?x-latch-sniff=1",
                       {"Content-Type": "image/svg+xml", "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}) + \
        b"Content-Length: %d\r\n\r\n" % length


def test_an_svg_in_one_byte_segments(server):
    """A long tag that is not yet complete must not be read anew with every byte."""
    def drip():
        with connect(server, 60) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.sendall(svg_head(server, "drip.svg", 1_100_000) + SVG + b"x" * 900_000)
            for _ in range(20_000):
                sock.sendall(b"x")
                time.sleep(0.0001)
    assert costs_less(server, 1.2, drip)


def test_svgs_that_never_end(server):
    """Each holds half a megabyte. Those for whom there is no room are told so."""
    before = memory(server)
    with Peak(server) as peak:
        held = hold(server, 400, svg_head(server, "held.svg", 90 * MB) + SVG + b"x" * 1_000_000)
        answered = answers_of(held, 10)
    for sock in held:
        sock.close()
    assert peak.most < SPENT_MAX
    assert len(answered) >= 10 and set(answered) == {503}
    wait_for_memory(server, before + SPENT_MAX / 2)


def test_svgs_in_any_pieces(server):
    svg = b'<svg xmlns="http://www.w3.org/2000/svg">' + b'<rect width="1"/>' * 5000 + b"%s</svg>"
    for inner, status in ((b"", 200), (b"<script/>", 403)):
        for size in (100, 4096, 32768, 1_000_000):
            body = svg % inner
            with connect(server, 20) as sock:
                sock.sendall(svg_head(server, "pieces.svg", len(body)))
                for at in range(0, len(body), size):
                    sock.sendall(body[at:at + size])
                assert read_answers(sock, 1)[0][0] == status


# ---- CORS

def test_preflights_of_a_bucket_with_many_rules(server, s3):
    """Anybody may send them, with many headers. That rules are not parsed for each: test_faults.py."""
    s3.create_bucket(Bucket="cors")
    s3.put_bucket_cors(Bucket="cors", CORSConfiguration={"CORSRules": [
        {"AllowedOrigins": [f"https://a{rule}.example{number}" for number in range(3)], "AllowedMethods": ["PUT"],
         "AllowedHeaders": [f"x-{rule}-{number}" for number in range(6)]} for rule in range(100)]})
    headers = {"Origin": "https://nowhere.example", "Access-Control-Request-Method": "PUT",
               "Access-Control-Request-Headers": ",".join(f"x-h{number}" for number in range(60))}
    with contextlib.closing(server.connection()) as connection:
        assert send_on(connection, "OPTIONS", f"/{BUCKET}/x", headers).status == 200
        assert send_on(connection, "OPTIONS", "/cors/x", headers).status == 403
        headers |= {"Origin": "https://a99.example2", "Access-Control-Request-Headers": "x-99-5,X-99-0"}
        assert send_on(connection, "OPTIONS", "/cors/x", headers).status == 200
        s3.put_bucket_cors(Bucket="cors", CORSConfiguration={"CORSRules": [
            {"AllowedOrigins": ["https://other.example"], "AllowedMethods": ["PUT"]}]})
        assert send_on(connection, "OPTIONS", "/cors/x", headers).status == 403, "a change is seen at once"


# ---- Requests that are refused, or odd

LONG = 7000


@pytest.mark.parametrize("name, headers, query", [
    ("signature", {}, "&x=0"), ("query", {}, "&" + "&".join(f"a{number}=b" for number in range(90))),
    ("forwarded", {"X-Forwarded-For": ",".join(["1.2.3.4"] * (LONG // 8))}, ""),
    ("ranges", {"Range": "bytes=" + ",".join(f"{at}-{at}" for at in range(900))}, ""),
    ("etags", {"If-None-Match": ",".join(f'"{tag:08x}"' for tag in range(600))}, ""),
    ("codings", {"Accept-Encoding": ",".join(["gzip"] * (LONG // 5))}, ""),
    ("origin", {"Origin": "https://" + "a" * LONG}, ""),
    ("token", {"Authorization": "Bearer lst_" + "a" * LONG}, ""),
    ("header", {"Authorization": "AWS4-HMAC-SHA256 " + "Credential=a," * (LONG // 13)}, "")])
def test_odd_requests_cost_no_more_than_a_millisecond(server, s3, name, headers, query):
    s3.put_object(Bucket=BUCKET, Key="cat.jpg", Body=b"x" * 10_000)
    target = target_of(presign(s3, "get_object")) + query
    def send():
        with contextlib.closing(server.connection()) as connection:
            for _ in range(500):
                assert send_on(connection, "GET", target, headers).status < 500, name
    assert costs_less(server, 1, send)


@pytest.mark.parametrize("pattern", ["*a" * 200, "a*" * 200 + "b"])
def test_wildcards_of_policies_do_not_explode(server, pattern):
    client = add_user(server, f"wild{pattern[0] == 'a'}".lower(), allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/{pattern}"))
    def ask():
        for _ in range(10):
            code_of(client.get_object, Bucket=BUCKET, Key="a" * 1000 + "c")
    assert costs_less(server, 1, ask)


def test_chunks_of_one_byte(server):
    count = 100_000
    head = signed_head(server, "PUT", f"/{BUCKET}/chunks", {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-decoded-content-length": str(count)})
    body = b"1\r\nX\r\n" * count + b"0\r\n\r\n"
    def send():
        with connect(server, 30) as sock:
            sock.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            assert read_answers(sock, 1)[0][0] == 403, "chunks amid a body have 8 KiB at least"
    assert costs_less(server, 1, send)


# ---- Stopping

def stop_in(server, most):
    began = time.monotonic()
    assert server.stop() == 0, server.log()[-2000:]
    assert time.monotonic() - began < most


@pytest.fixture(name="silence")
def _silence():
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as sock:
        sock.settimeout(20)
        yield sock


def url_of(sock):
    return f"http://127.0.0.1:{sock.getsockname()[1]}/"


def test_stopping_does_not_wait_for_remotes(start, silence, tmp_path):
    (tmp_path / "far.json").write_text(json.dumps({"remote": "far", "bucket": "far", "key": "{uuid}"}))
    server = start("--profiles", str(tmp_path), "--drain-timeout", "1", binary=RELEASE)
    add_remote(server, "far", url_of(silence))
    token = make_token(server, "backend", "--role", "backend")
    upload = create(server, token, "far", filename="a.bin")
    request = f"GET /-/api/uploads/{upload['id']} HTTP/1.1\r\nHost: {server.host}\r\nAuthorization: Bearer {token}\r\n\r\n"
    held = hold(server, 5, request.encode())
    connection, _ = silence.accept()
    assert connection.recv(4) == b"HEAD"
    stop_in(server, 9)
    for sock in held:
        sock.close()


def test_stopping_does_not_wait_for_clients(start):
    server = start("--buckets", BUCKET, "--drain-timeout", "1", binary=RELEASE)
    s3 = server.client()
    s3.put_object(Bucket=BUCKET, Key="large", Body=b"x" * 20 * MB)
    get = f"GET {target_of(presign(s3, 'get_object', key='large'))} HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode()
    put = f"PUT {target_of(presign(s3, 'put_object', key='half'))} HTTP/1.1\r\nHost: {server.host}\r\n".encode()
    held = [sock for request in (b"", b"GET / HT", put, put + b"Content-Length: 999999\r\n\r\nabc", get,
                                 put + b"Expect: 100-continue\r\nContent-Length: 999\r\n\r\n",
                                 delete_head(server, s3, 5000))
            for sock in hold(server, 5, request)]
    time.sleep(0.5)
    stop_in(server, 9)
    for sock in held:
        sock.close()


def test_stopping_does_not_wait_for_webhooks(start, silence, tmp_path):
    (tmp_path / "hook.json").write_text(json.dumps({
        "bucket": BUCKET, "key": "{uuid}", "webhook": {"url": url_of(silence), "secret": "s" * 32}}))
    server = start("--buckets", BUCKET, "--profiles", str(tmp_path), "--drain-timeout", "1", binary=RELEASE)
    token = make_token(server, "backend", "--role", "backend")
    upload = create(server, token, "hook", filename="a.bin")["upload"]
    assert server.send(upload["method"], target_of(upload["url"]), upload.get("headers", {}), b"x" * 10).status == 200
    connection, _ = silence.accept()
    assert connection.recv(4) == b"POST"
    stop_in(server, 9)
    connection.close()


def test_stopping_does_not_wait_for_the_reader_of_the_log(start, tmp_path):
    pipe = tmp_path / "log"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    server = start("--access-log", str(pipe), "--drain-timeout", "1", binary=RELEASE)
    with contextlib.closing(server.connection()) as connection:
        for _ in range(800):  # more than the pipe holds
            send_on(connection, "GET", "/-/health?" + "a" * 100)
            send_on(connection, "GET", f"/{BUCKET}/" + "a" * 500)
    stop_in(server, 9)
    os.close(reader)
