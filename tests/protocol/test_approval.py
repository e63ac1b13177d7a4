"""The application approves uploads before they become visible: only a plain yes lets one through."""
import concurrent.futures
import glob
import http.client
import json
import os
import re
import signal
import socket
import threading
import time
import urllib.parse
import xml.etree.ElementTree as xml
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jsonschema
import pytest
import test_uppy
from receiver import Receiver
from test_upload_parts import begin, complete, request, send_parts
from test_uploads import ask, call, create, make_client_token, make_token, picture, send, send_form, show
from test_webhooks import verify

BUCKET = "approved-bucket"
SECRET = "a-secret-of-the-application-0123"
PART = 8 << 20


class Application:
    """Answers as it is told: with JSON, bytes, (status, JSON), None for a closed connection, or what a function gives."""

    def __init__(self):
        self.answers, self.questions, self.otherwise = [], [], {"approve": True}
        application = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                question = json.loads(body)
                application.questions.append((dict(self.headers), body, question))
                answer = application.answers.pop(0) if application.answers else application.otherwise
                answer = answer(question) if callable(answer) else answer
                if answer is None:
                    self.close_connection = True
                    return
                status, content = answer if isinstance(answer, tuple) else (200, answer)
                content = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Location", application.url + "elsewhere")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/ask"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def wait(self, count):
        deadline = time.monotonic() + 20
        while len(self.questions) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(self.questions) == count

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(name="app")
def _app():
    application = Application()
    yield application
    application.close()


@pytest.fixture(name="server", scope="module")
def _server(start):
    return start("--api-rate", "0", environment={"LATCHSTRING_BUCKETS": BUCKET})


@pytest.fixture(name="token", scope="module")
def _token(server):
    return make_token(server, "backend", "--role", "backend")


@pytest.fixture(name="s3", scope="module")
def _s3(server):
    return server.client()


def add_profile(server, name, app, folder, seconds=10, **fields):
    url = app if isinstance(app, str) else app.url
    file = folder / f"{name}.json"
    file.write_text(json.dumps({"bucket": BUCKET, "key": name + "/{uuid}", **fields,
                                "approve": {"url": url, "secret": SECRET, "seconds": seconds}}))
    server.command("profile", "add", name, "--file", file, "--overwrite", "--data", server.data)


def keys(s3, prefix=""):
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]


def under_way(s3, key):
    return [upload for upload in s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) if upload["Key"] == key]


def bodies(server):
    """The files of bodies that are on the disk."""
    found = glob.glob(os.path.join(server.data, "blobs", "**"), recursive=True)
    return {name for name in found if os.path.isfile(name) and os.path.getsize(name) > 1000}


def in_one(server, token, profile, body, **fields):
    upload = create(server, token, profile, size=len(body), **fields)
    return upload, lambda: send(upload, body)


def by_form(server, token, profile, body, **fields):
    upload = create(server, token, profile, size=len(body), method="POST", **fields)
    return upload, lambda: send_form(upload, body)


def in_parts(server, token, profile, body, **fields):
    upload = begin(server, token, profile, size=len(body), **fields)
    parts = send_parts(token, upload, [body[at:at + PART] for at in range(0, len(body), PART)])
    return upload, lambda: call("POST", upload["upload"]["complete_url"], json.dumps({"parts": parts}),
                                {"Authorization": "Bearer " + token})


def by_signed_parts(server, token, profile, body, **_):
    """As Uppy does with signRequest: the page completes the upload itself, by a URL of S3."""
    def sign(**fields):
        status, answer = test_uppy.ask(server, token, "POST", "s3/sign", {**fields, "profile": profile})
        assert status == 200, answer
        return answer

    new = sign(method="POST", key="a.bin", contentType="image/jpeg")
    upload_id = re.search(rb"<UploadId>(.+)</UploadId>", call("POST", new["url"], b"", {"Content-Type": "image/jpeg"})[1])[1].decode()
    where = {"key": new["key"], "uploadId": upload_id}
    answer, _ = call("PUT", sign(method="PUT", partNumber=1, **where)["url"], body)
    document = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{answer.headers['ETag']}</ETag></Part></CompleteMultipartUpload>"
    url = sign(method="POST", **where)["url"]
    return new, lambda: call("POST", url, document)


WAYS = [(in_one, 500), (in_one, 300_000), (by_form, 500), (by_form, 300_000), (in_parts, 600), (in_parts, PART + 100_000),
        (by_signed_parts, 300_000)]
every_way = pytest.mark.parametrize(("way", "size"), WAYS, ids=[f"{way.__name__}-{size}" for way, size in WAYS])


def make_bytes(size):
    return picture().ljust(300, b"\0")[:300] + os.urandom(1000) + bytes(size) if size > 5000 else os.urandom(size)


# ---- Yes and no

@every_way
def test_yes_makes_it_visible(server, token, s3, app, tmp_path, way, size):
    add_profile(server, "yes", app, tmp_path)
    body = make_bytes(size)
    upload, finish = way(server, token, "yes", body, type="image/jpeg", metadata={"album": "17"})
    seen = {}

    def look(question):
        """All this while nobody sees it but who was asked."""
        answer, seen["bytes"] = call("GET", question["url"])
        seen["headers"] = answer.headers
        seen["head"] = call("HEAD", question["url"])[0].headers["Content-Length"]
        seen["keys"] = keys(s3, upload["key"])
        seen["status"] = show(server, token, upload)["status"]
        return {"approve": True}

    app.answers = [look]
    answer, text = finish()
    assert answer.status in (200, 201), text
    [(headers, raw, question)] = app.questions
    assert verify(headers, raw, SECRET)
    assert seen["bytes"] == body and (seen["keys"], seen["status"]) == ([], "pending")
    assert (seen["headers"]["Content-Length"], seen["head"]) == (str(len(body)), str(len(body)))
    assert seen["headers"]["Content-Disposition"] == "attachment" and seen["headers"]["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in seen["headers"]["Cache-Control"]
    told, shown = question["upload"], show(server, token, upload)
    assert question["event"] == "upload.approve" and told["status"] == "pending"
    assert (told["id"], told["key"], told["size"], told["etag"], told["type"]) == \
        (upload["id"], upload["key"], len(body), shown["etag"], "image/jpeg")
    assert told.get("metadata") == shown.get("metadata")
    assert s3.get_object(Bucket=BUCKET, Key=upload["key"])["Body"].read() == body
    assert shown["status"] == "complete" and call("GET", shown["object"]["url"])[1] == body
    assert call("GET", question["url"])[0].status == 404, "the address ends with the answer"
    if way in (in_parts, by_signed_parts):
        assert finish()[0].status == 200 and len(app.questions) == 1, "what is complete is not asked about again"
    description = json.loads(call("GET", server.endpoint + "/-/api/openapi.json")[1])
    schema = description["webhooks"]["uploadToApprove"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    jsonschema.validate(question, {**schema, "components": description["components"]}, format_checker=jsonschema.FormatChecker())


@every_way
def test_no_refuses_with_its_reason(server, token, s3, app, tmp_path, way, size):
    add_profile(server, "no", app, tmp_path)
    before = bodies(server)
    upload, finish = way(server, token, "no", make_bytes(size), type="image/jpeg")
    staged = []
    app.answers = [lambda _: staged.append(bodies(server) - before) or {"approve": False, "reason": "EICAR & <friends>"}]
    answer, text = finish()
    assert len(staged[0]) == (0 if size < 8192 else 1 + size // PART)
    deadline = time.monotonic() + 20
    while bodies(server) - before and time.monotonic() < deadline:
        time.sleep(0.02)  # those of parts go a moment later
    assert bodies(server) - before == set(), "nothing is left behind"
    assert answer.status == 403
    assert b"EICAR &amp; &lt;friends&gt;" in text or b"EICAR & <friends>" in text
    assert keys(s3, upload["key"]) == [] and under_way(s3, upload["key"]) == []
    shown = show(server, token, upload)
    assert (shown["status"], shown["reason"]) == ("rejected", "The upload was not approved: EICAR & <friends>")
    assert call("GET", app.questions[0][2]["url"])[0].status == 404
    if way in (in_one, by_form):
        assert finish()[0].status in (200, 201), "the client may try again, and is asked about again"
        assert len(app.questions) == 2
    else:
        assert finish()[0].status == 404, "the parts are gone"


NO_ANSWERS = {
    "an error": (500, {"approve": True}), "a redirect": (302, {"approve": True}), "nothing": b"", "no JSON": b"yes",
    "a number": {"approve": 1}, "a text": {"approve": "true"}, "null": {"approve": None}, "another field": {"approved": True},
    "a list": [{"approve": True}], "true": b"true", "twice": b'{"approve":false,"approve":true}', "cut": b'{"approve":true',
    "too long": b'{"approve":true, "x":"' + b"x" * 70_000 + b'"}', "a yes that does not end": b'{"approve":true}' + b" " * 70_000, "more behind it": b'{"approve":true} no',
    "a closed connection": None, "not UTF-8": b'{"approve":true,"reason":"\xff"}',
}


@pytest.mark.parametrize("answer", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_whatever_is_not_a_plain_yes_refuses(server, token, s3, app, tmp_path, answer):
    add_profile(server, "plain", app, tmp_path)
    upload, finish = in_one(server, token, "plain", b"hello")
    app.answers = [answer]
    got, text = finish()
    assert got.status == 403 and b"gave no answer" in text and b"Constraint" in text
    shown = show(server, token, upload)
    assert shown["status"] == "rejected" and "gave no answer" in shown["reason"]
    assert keys(s3, upload["key"]) == []


@pytest.mark.parametrize("way", [in_one, in_parts])
def test_too_late_is_no_answer(server, token, s3, app, tmp_path, way):
    add_profile(server, "late", app, tmp_path, seconds=1)
    upload, finish = way(server, token, "late", b"x" * 20_000)
    stop = threading.Event()
    app.answers = [lambda _: stop.wait(20) and {"approve": True}]
    began = time.monotonic()
    answer, text = finish()
    assert answer.status == 403 and b"gave no answer" in text, text
    assert 0.9 < time.monotonic() - began < 15
    stop.set()
    time.sleep(0.3)
    assert keys(s3, upload["key"]) == [] and show(server, token, upload)["status"] == "rejected"
    assert call("GET", app.questions[0][2]["url"])[0].status == 404
    answer, text = finish()
    assert answer.status == 200, "it may be tried again, and its parts are still there"


def test_nobody_there_is_no_answer(server, token, s3, tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        add_profile(server, "nobody", f"http://127.0.0.1:{closed.getsockname()[1]}/", tmp_path)
        upload, finish = in_one(server, token, "nobody", b"hello")
        answer, text = finish()
    assert answer.status == 403 and b"gave no answer" in text and b"127.0.0.1" not in text.split(b"<Resource>")[0]
    assert keys(s3, upload["key"]) == []


@pytest.mark.parametrize(("reason", "shown"), [
    ("a\nb\r\x00\x1b[31m", "a b"), ("a\ufffeb\uffff", "a\ufffdb\ufffd"), ("\u00e4" * 500, "\u00e4"), ("", None), (None, None), ({"a": 1}, None), ("</Message>", "</Message>")])
def test_a_reason_is_one_short_line_of_text(server, token, app, tmp_path, reason, shown):
    add_profile(server, "reason", app, tmp_path)
    upload, finish = in_one(server, token, "reason", b"hello")
    body = {"approve": False} if reason is None else {"approve": False, "reason": reason}
    if reason is not None and "\0" in reason:
        body = {**body, "reason": reason.replace("\0", "")}
    app.answers = [body]
    answer, text = finish()
    assert answer.status == 403
    assert xml.fromstring(text).findtext("Code") == "AccessDenied", "it is XML"
    status = show(server, token, upload)["reason"]
    assert status.startswith("The upload was not approved") and len(status.encode()) < 512
    assert all(ord(letter) >= 0x20 for letter in status)
    assert shown is None or shown in status
    assert (shown is None) == (status == "The upload was not approved")


# ---- What was there stays

def test_what_is_there_stays_until_the_yes(server, token, s3, app, tmp_path):
    add_profile(server, "again", app, tmp_path, key="again.txt", replace=True)
    s3.put_object(Bucket=BUCKET, Key="again.txt", Body=b"before")
    read = lambda *_: s3.get_object(Bucket=BUCKET, Key="again.txt")["Body"].read()
    seen = []
    app.answers = [lambda _: seen.append(read()) or {"approve": False}, lambda _: seen.append(read()) or {"approve": True}]
    assert in_one(server, token, "again", b"after")[1]()[0].status == 403
    assert read() == b"before"
    assert in_one(server, token, "again", b"after")[1]()[0].status == 200
    assert seen == [b"before", b"before"] and read() == b"after"


def test_a_key_that_was_taken_meanwhile(server, token, s3, app, tmp_path):
    add_profile(server, "taken", app, tmp_path, key="taken.txt")
    app.answers = [lambda _: s3.put_object(Bucket=BUCKET, Key="taken.txt", Body=b"first") and {"approve": True}]
    assert in_one(server, token, "taken", b"second")[1]()[0].status == 412
    assert s3.get_object(Bucket=BUCKET, Key="taken.txt")["Body"].read() == b"first"


def test_what_was_looked_at_is_what_becomes_visible(server, token, s3, app, tmp_path):
    """A part that is sent again while the application looks: even the same bytes are not those that it saw."""
    add_profile(server, "swap", app, tmp_path)
    for later in (b"y" * 20_000, b"x" * 20_000):
        upload = begin(server, token, "swap", size=20_000)
        parts = send_parts(token, upload, [b"x" * 20_000])
        app.answers = [lambda _, upload=upload, later=later: send_parts(token, upload, [later]) and {"approve": True}]
        status, refused = complete(token, upload, parts)
        assert (status, refused["error"]["code"]) == (400, "InvalidPart")
        assert keys(s3, upload["key"]) == []
    status, done = complete(token, upload, parts)
    assert status == 200 and call("GET", done["object"]["url"])[1] == b"x" * 20_000, "it may be completed anew"


def test_given_up_while_it_is_asked_about(server, token, s3, app, tmp_path):
    add_profile(server, "abort", app, tmp_path)
    upload = begin(server, token, "abort", size=20_000)
    parts = send_parts(token, upload, [b"x" * 20_000])
    app.answers = [lambda _: request(token, "DELETE", upload["upload"]["abort_url"]) and {"approve": True}]
    assert complete(token, upload, parts)[0] == 404
    assert keys(s3, upload["key"]) == []


@pytest.mark.parametrize("later", [True, False, None])
def test_completed_again_while_it_is_asked_about(server, token, s3, app, tmp_path, later):
    """A client that did not wait for the answer calls again: what the first call made is the answer to both."""
    add_profile(server, "twice", app, tmp_path, seconds=30)
    upload, finish = in_parts(server, token, "twice", b"x" * 20_000)
    first, second = threading.Event(), threading.Event()
    app.answers = [lambda _: first.wait(20) and {"approve": True}, lambda _: second.wait(20) and {"approve": later}]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        one = pool.submit(finish)
        app.wait(1)
        two = pool.submit(finish)
        app.wait(2)
        first.set()
        assert one.result()[0].status == 200
        second.set()
        answer, text = two.result()
    assert answer.status == 200 and json.loads(text)["status"] == "complete", text
    assert s3.get_object(Bucket=BUCKET, Key=upload["key"])["Body"].read() == b"x" * 20_000


@pytest.mark.parametrize("way", [in_one, by_form, in_parts])
def test_revoked_while_it_is_asked_about(server, token, s3, app, tmp_path, way):
    add_profile(server, "revoked", app, tmp_path)
    upload, finish = way(server, token, "revoked", b"x" * 20_000)

    def revoke(question):
        ticket = question["upload"]["id"].rsplit("~", 1)[0]
        answer, text = call("DELETE", f"{server.endpoint}/-/api/ids/{ticket}", None, {"Authorization": "Bearer " + token})
        assert answer.status == 204, text
        return {"approve": True}

    app.answers = [revoke]
    answer, text = finish()
    assert answer.status == 403 and b"revoked while it waited" in text, text
    assert keys(s3, upload["key"]) == [] and show(server, token, upload)["status"] == "rejected"


def test_its_outcome_is_told_once(server, token, app, tmp_path):
    receiver = Receiver()
    add_profile(server, "told", app, tmp_path, webhook={"url": receiver.url, "secret": "0123456789abcdef"})
    upload, finish = in_one(server, token, "told", b"hello")
    app.answers = [{"approve": False, "reason": "no"}, {"approve": True}]
    assert [finish()[0].status for _ in range(2)] == [403, 200]
    events = [(message["event"], message["upload"].get("reason")) for message in receiver.wait(2)]
    assert events == [("upload.rejected", "The upload was not approved: no"), ("upload.complete", None)]
    receiver.check(server)
    receiver.close()


# ---- Who might get around it

def test_a_change_of_the_profile_holds_at_once(server, token, s3, app, tmp_path):
    add_profile(server, "change", app, tmp_path)
    server.command("profile", "set", "change", "--no-approve", "--data", server.data)
    before, finish = in_one(server, token, "change", b"hello")
    server.command("profile", "set", "change", "--approve", app.url, "--data", server.data)
    app.otherwise = {"approve": False}
    assert finish()[0].status == 403, "of URLs that were given out before, too"
    server.command("profile", "set", "change", "--no-approve", "--data", server.data)
    assert finish()[0].status == 200 and keys(s3, before["key"])


def test_a_profile_that_is_gone_approves_nothing(server, token, s3, app, tmp_path):
    add_profile(server, "gone", app, tmp_path)
    ways = [way(server, token, "gone", b"x" * 100) for way in (in_one, by_form)]
    server.command("profile", "remove", "gone", "--data", server.data)
    for upload, finish in ways:
        answer, text = finish()
        assert answer.status == 403 and b"profile has been removed" in text
        assert keys(s3, upload["key"]) == []
    assert app.questions == []


def test_clients_get_nothing_out_of_it(server, token, app, tmp_path):
    add_profile(server, "client", app, tmp_path, key="client/{user}/{uuid}")
    client = make_client_token(server, token, profile="client", vars={"user": "7"})
    app.otherwise = {"approve": False, "reason": "no"}
    upload, finish = in_one(server, client, "client", b"hello", metadata={"approve": "true"})
    assert finish()[0].status == 403
    assert app.questions[0][2]["upload"]["vars"] == {"user": "7"}
    assert "staged" not in json.dumps(upload) + json.dumps(show(server, client, upload))
    assert "/staged/" not in server.log(), "nor does the log tell the address"
    url = app.questions[0][2]["url"]
    for forged in (url, url[:-1], url + "a", url.rsplit("/", 1)[0] + "/", url.rsplit("/", 1)[0] + "/" + "A" * 43,
                   url.rsplit("/", 1)[0] + "/%00", url.rsplit("/", 1)[0]):
        assert call("GET", forged)[0].status == 404
    for method in ("PUT", "POST", "DELETE"):
        assert call(method, url)[0].status == 405
    assert ask(server, client, "POST", "uploads", {"profile": "client", "approve": False})[0] == 400


def test_the_address_is_for_one_upload(server, token, app, tmp_path):
    add_profile(server, "address", app, tmp_path)
    seen = {}

    def look(question):
        seen[question["upload"]["id"]] = call("GET", question["url"])[1]
        return {"approve": True}

    app.otherwise = look
    uploads = [in_one(server, token, "address", str(number).encode() * 9000) for number in range(1, 7)]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        assert {answer.status for answer, _ in pool.map(lambda one: one[1](), uploads)} == {200}
    assert [seen[upload["id"]] for upload, _ in uploads] == [str(number).encode() * 9000 for number in range(1, 7)]


@pytest.mark.parametrize("method", ["PUT", "POST", "MULTIPART"])
def test_the_address_is_the_servers_whatever_a_client_calls_it(server, token, s3, app, tmp_path, method):
    """Else a client could have the application look at harmless bytes of another server."""
    add_profile(server, "called", app, tmp_path)
    client, there = make_client_token(server, token, profile="called"), {"Host": "elsewhere.example"}
    api = {"Authorization": "Bearer " + client, **there}
    app.otherwise = {"approve": False}
    answer, made = call("POST", server.endpoint + "/-/api/uploads",
                        json.dumps({"profile": "called", "method": method, "size": 5}), api)
    assert answer.status == 201
    made = json.loads(made.replace(b"http://elsewhere.example", server.endpoint.encode()))
    upload = made["upload"]
    if method == "PUT":
        answer, _ = call("PUT", upload["url"], b"hello", {**upload["headers"], **there})
    elif method == "POST":
        answer, _ = send_form(made, b"hello", headers=there)
    else:
        answer, _ = call("PUT", upload["parts"][0]["url"], b"hello", there)
        parts = {"parts": [{"number": 1, "etag": answer.headers["ETag"]}]}
        answer, _ = call("POST", upload["complete_url"], json.dumps(parts), api)
    assert answer.status == 403
    assert [question["url"].split("/-/")[0] for _, _, question in app.questions] == [server.endpoint]
    assert keys(s3, made["key"]) == []


# ---- Bounds, stops and crashes

def test_many_wait_and_nobody_else_does(server, token, s3, app, tmp_path):
    """No thread waits with them; of one profile 16 may, and others are not refused for that."""
    other = Application()
    add_profile(server, "crowd", app, tmp_path, seconds=30)
    add_profile(server, "other", other, tmp_path)
    go = threading.Event()
    app.otherwise = lambda _: go.wait(30) and {"approve": True}
    uploads = [in_one(server, token, "crowd", b"hello") for _ in range(16)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        waiting = [pool.submit(finish) for _, finish in uploads]
        app.wait(16)
        one_more, finish = in_one(server, token, "crowd", b"hello")
        answer, text = finish()
        assert answer.status == 503 and b"SlowDown" in text
        assert show(server, token, one_more)["status"] == "pending", "that is no refusal"
        assert in_one(server, token, "other", b"hello")[1]()[0].status == 200
        assert keys(s3, "crowd/") == [] and not any(one.done() for one in waiting)
        go.set()
        assert {one.result()[0].status for one in waiting} == {200}
    assert finish()[0].status == 200
    assert len(keys(s3, "crowd/")) == 17
    other.close()


def test_a_client_that_hangs_up_meanwhile(server, token, s3, app, tmp_path):
    add_profile(server, "hangs", app, tmp_path)
    upload = create(server, token, "hangs", size=5)
    go = threading.Event()
    app.answers = [lambda _: go.wait(20) and {"approve": True}]
    place = urllib.parse.urlsplit(upload["upload"]["url"])
    connection = http.client.HTTPConnection(place.netloc)
    connection.request("PUT", f"{place.path}?{place.query}", b"hello", upload["upload"]["headers"])
    app.wait(1)
    connection.close()
    go.set()
    deadline = time.monotonic() + 10
    while keys(s3, upload["key"]) == [] and time.monotonic() < deadline:
        time.sleep(0.02)
    assert show(server, token, upload)["status"] == "complete", "the whole of it had come"


@pytest.mark.parametrize(("way", "size", "number"), [
    (in_one, 500, signal.SIGKILL), (in_one, 300_000, signal.SIGKILL), (in_parts, 300_000, signal.SIGKILL),
    (in_one, 300_000, signal.SIGTERM)])
def test_the_server_ends_while_one_waits(start, app, tmp_path, way, size, number):
    server = start("--drain-timeout", "1", environment={"LATCHSTRING_BUCKETS": BUCKET})
    token = make_token(server, "backend", "--role", "backend")
    add_profile(server, "crash", app, tmp_path, seconds=60, replace=True, key="the.bin")
    client = server.client()
    client.put_object(Bucket=BUCKET, Key="the.bin", Body=b"before")
    upload, finish = way(server, token, "crash", b"x" * size)
    never = threading.Event()
    app.answers = [lambda _: never.wait(30) and {"approve": True}]

    def finish_or_fail():
        try:
            return finish()[0].status
        except (http.client.HTTPException, OSError):
            return None

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(finish_or_fail)
        app.wait(1)
        status = server.stop(number)
        assert answer.result() in ((None,) if number == signal.SIGKILL else (503, None))
        assert number == signal.SIGKILL or status == 0
    never.set()
    again = start(data=server.data)
    s3 = again.client()
    assert s3.get_object(Bucket=BUCKET, Key="the.bin")["Body"].read() == b"before"
    assert show(again, token, upload)["status"] != "complete"
    parts = 1 if way is in_parts else 0
    assert len(under_way(s3, "the.bin")) == parts, "what the client may complete anew"
    again.stop()
    assert len(bodies(again)) == parts
    status, output = again.fsck()
    assert status == 0, output


# ---- Setting it up

def test_it_is_set_up_on_the_command_line(server):
    data = ("--data", server.data)
    shown = server.command("profile", "add", "cli", "--bucket", BUCKET, "--key", "{uuid}", "--approve", "https://app.example/ask",
                           "--webhook", "https://app.example/hook", *data).stdout
    assert re.search(r"Webhook secret  \w{43}\n  Approve secret  (\w{43})\n", shown)
    profile = json.loads(server.command("profile", "show", "cli", "--json", *data).stdout)
    assert profile["approve"] == {"url": "https://app.example/ask", "seconds": 10}
    assert "https://app.example/ask, within 10 seconds" in server.command("profile", "show", "cli", *data).stdout
    server.command("profile", "set", "cli", "--approve-timeout", "30s", *data)
    changed = server.command("profile", "set", "cli", "--new-approve-secret", *data,
                             environment={"LATCHSTRING_APPROVE_SECRET": "known-to-the-application"}).stdout
    assert "secret" not in changed.lower()
    stored = json.loads(server.command("profile", "set", "cli", "--max-size", "5MB", "--json", *data).stdout)
    assert stored["approve"] == {"url": "https://app.example/ask", "seconds": 30} and "secret" not in stored["webhook"]
    server.command("profile", "add", "cli", "--bucket", BUCKET, "--key", "{uuid}", "--approve", "https://app.example/2",
                   "--overwrite", *data)
    with open(os.path.join(server.data, "ledger.mdb"), "rb") as file:
        secrets = re.findall(rb'"approve":\{"url":"https://app.example/2","secret":"([^"]+)"', file.read())
    assert set(secrets) == {b"known-to-the-application"}
    server.command("profile", "set", "cli", "--no-approve", *data)
    assert "approve" not in json.loads(server.command("profile", "show", "cli", "--json", *data).stdout)


@pytest.mark.parametrize(("arguments", "word"), [
    (("set", "clip", "--approve-timeout", "5s"), "--approve"), (("set", "clip", "--new-approve-secret"), "asks nobody"),
    (("set", "clip", "--approve", "https://a/", "--no-approve"), "contradict"), (("set", "clip", "--approve", "ftp://a/"), "approve.url"),
    (("set", "clip", "--approve", "https://a/", "--approve-timeout", "61s"), "--approve-timeout"),
    (("set", "clip", "--approve", "https://user:secret@a/"), "approve.url")])
def test_mistakes_are_named(server, arguments, word):
    server.command("profile", "add", "clip", "--bucket", BUCKET, "--key", "{uuid}", "--data", server.data, check=False)
    done = server.command("profile", *arguments, "--data", server.data, check=False)
    assert done.returncode == 2 and word in done.stderr, done.stderr


@pytest.mark.parametrize(("approve", "word"), [
    ({"url": "https://a/", "secret": 5}, "approve.secret"), ({"secret": SECRET}, "approve.url"), ("https://a/", "approve"),
    ({"url": "https://a/", "secret": "short"}, "approve.secret"), ({"url": "https://a/", "secret": SECRET, "seconds": 0}, "approve.seconds"),
    ({"url": "https://a/", "secret": SECRET, "seconds": 61}, "approve.seconds"), ({"url": "https://a/", "secret": SECRET, "x": 1}, "approve.x")])
def test_a_profiles_file_is_read_strictly(server, tmp_path, approve, word):
    (tmp_path / "p.json").write_text(json.dumps({"bucket": BUCKET, "key": "{uuid}", "approve": approve}))
    done = server.command("profile", "add", "strict", "--file", tmp_path / "p.json", "--data", server.data, check=False)
    assert done.returncode == 1 and word in done.stderr and SECRET not in done.stderr


def test_a_remote_has_none(server, tmp_path):
    (tmp_path / "p.json").write_text(json.dumps({"bucket": BUCKET, "key": "{uuid}", "remote": "elsewhere",
                                                 "approve": {"url": "https://a/", "secret": SECRET}}))
    done = server.command("profile", "add", "far", "--file", tmp_path / "p.json", "--data", server.data, check=False)
    assert done.returncode == 1 and "approve" in done.stderr
