"""Webhooks: when an upload comes to its end, the application is told: signed, again and again, and after a crash too."""
import hashlib
import hmac
import http.server
import json
import threading
import time

import pytest
from test_uploads import call, create, make_token, picture, send, send_form, show

BUCKET = "hooked-bucket"
SECRET = "a secret of the application"


class Receiver:
    """An application that hears. answers: the statuses to give, the last one for all that follow."""

    def __init__(self, *answers, delay=0, location=None, port=0):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(receiver.delay)
                with receiver.changed:
                    status = receiver.answers[min(len(receiver.heard), len(receiver.answers) - 1)]
                    receiver.heard.append((self.path, dict(self.headers), body, time.time()))
                    receiver.changed.notify_all()
                self.send_response(status)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.answers, self.delay, self.heard = answers or (204,), delay, []
        self.changed = threading.Condition()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, count, seconds=20):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.heard) >= count, seconds), f"{len(self.heard)} messages"
        return [json.loads(body) for _, _, body, _ in self.heard]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(name="receiver")
def _receiver():
    made = []

    def make(*answers, **options):
        made.append(Receiver(*answers, **options))
        return made[-1]

    yield make
    for receiver in made:
        receiver.stop()


@pytest.fixture(name="server", scope="module")
def _server(start):
    return start("--api-rate", "0", environment={"LATCHSTRING_BUCKETS": BUCKET})


@pytest.fixture(name="token", scope="module")
def _token(server):
    return make_token(server, "backend", "--role", "backend")


@pytest.fixture(name="profile")
def _profile(server, request):
    def make(url, name=None, **more):
        name = name or "p" + hashlib.sha256(request.node.name.encode()).hexdigest()[:16]
        text = json.dumps({"bucket": BUCKET, "key": "{uuid}", "webhook": {"url": url, "secret": SECRET}, **more})
        server.command("profile", "add", name, "--overwrite", "--data", server.data, "--file", "-", input=text)
        return name
    return make


def is_from_the_server(headers, body, secret=SECRET, tolerance=300):
    """As docs/uploads.md says it."""
    parts = dict(part.split("=", 1) for part in headers["Latchstring-Signature"].split(","))
    wanted = hmac.new(secret.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, parts["v1"]) and abs(time.time() - int(parts["t"])) < tolerance


def test_an_upload_is_told(server, token, profile, receiver):
    app = receiver()
    body = picture()
    upload = create(server, token, profile(app.url, types=["image/jpeg"]), type="image/jpeg", size=len(body))
    started = time.time()
    assert send(upload, body)[0].status == 200
    message, = app.wait(1)
    path, headers, raw, heard_at = app.heard[0]
    assert heard_at - started < 10
    assert path == "/hook"
    assert headers["Content-Type"] == "application/json"
    assert is_from_the_server(headers, raw)
    assert not is_from_the_server(headers, raw + b" ")
    assert not is_from_the_server(headers, raw, secret="another")
    assert message["event"] == "upload.complete"
    told = message["upload"]
    assert told["id"] == upload["id"]
    shown = show(server, token, upload)
    for name in ("bucket", "key", "size", "etag", "type", "status", "created_at"):
        assert told[name] == shown[name], name
    time.sleep(1)
    assert len(app.heard) == 1, "once"


def test_a_form_is_told_too(server, token, profile, receiver):
    app = receiver()
    body = picture()
    upload = create(server, token, profile(app.url), type="image/jpeg", size=len(body), method="POST")
    assert send_form(upload, body)[0].status == 201
    message, = app.wait(1)
    assert message["upload"]["id"] == upload["id"]
    assert (message["upload"]["size"], message["upload"]["type"]) == (len(body), "image/jpeg")


def test_what_was_refused_is_told_with_the_reason(server, token, profile, receiver):
    app = receiver()
    name = profile(app.url, types=["image/jpeg"], check_content=True)
    body = b"<html><script>alert(1)</script></html>" * 20
    upload = create(server, token, name, type="image/jpeg", size=len(body))
    assert send(upload, body)[0].status == 403
    message, = app.wait(1)
    assert message["event"] == "upload.rejected"
    assert message["upload"]["status"] == "rejected"
    assert message["upload"]["id"] == upload["id"]
    assert "text/html" in message["upload"]["reason"]


def test_a_url_that_was_made_up_is_told_to_nobody(server, token, profile, receiver):
    app = receiver()
    upload = create(server, token, profile(app.url))
    assert call("PUT", upload["upload"]["url"].replace("x-latch-id=", "x-latch-id=a"), b"x")[0].status == 403
    s3 = server.client()
    url = s3.generate_presigned_url("put_object", {"Bucket": BUCKET, "Key": "else"})
    assert call("PUT", url, b"x")[0].status == 200
    time.sleep(1)
    assert not app.heard


def test_it_is_tried_again_until_it_is_taken(server, token, profile, receiver):
    app = receiver(500, 302, 200, location="http://127.0.0.1:9/else")
    upload = create(server, token, profile(app.url))
    assert send(upload, b"x")[0].status == 200
    messages = app.wait(3)
    assert len({json.dumps(message) for message in messages}) == 1, "the same message, so that doubles can be dropped"
    times = [heard[3] for heard in app.heard]
    assert times[1] - times[0] >= 0.9
    assert times[2] - times[1] >= 1.9
    assert [heard[0] for heard in app.heard] == ["/hook"] * 3, "redirects are not followed"
    time.sleep(1)
    assert len(app.heard) == 3


def test_a_receiver_that_is_not_there_yet(server, token, profile, receiver):
    app = receiver()
    app.stop()
    upload = create(server, token, profile(app.url))
    assert send(upload, b"x")[0].status == 200
    assert server.wait_for_log("will be tried again")
    again = receiver(port=app.port)
    assert again.wait(1)[0]["upload"]["id"] == upload["id"]
    assert SECRET not in server.log()


def test_a_slow_receiver_holds_up_nobody_else(server, token, profile, receiver):
    slow, quick = receiver(delay=3), receiver()
    slow_name, quick_name = profile(slow.url, name="slow"), profile(quick.url, name="quick")
    for _ in range(20):
        assert send(create(server, token, slow_name), b"x")[0].status == 200
    started = time.monotonic()
    assert send(create(server, token, quick_name), b"x")[0].status == 200
    quick.wait(1)
    assert time.monotonic() - started < 3
    slow.wait(20, seconds=60)
    assert len({message["upload"]["id"] for message in slow.wait(20)}) == 20


def test_a_new_secret_holds_at_once_and_a_removed_webhook_ends_it(server, token, profile, receiver):
    app = receiver(500)
    name = profile(app.url)
    assert send(create(server, token, name), b"x")[0].status == 200
    app.wait(1)
    text = json.dumps({"bucket": BUCKET, "key": "{uuid}", "webhook": {"url": app.url, "secret": "x" * 20}})
    server.command("profile", "add", name, "--overwrite", "--data", server.data, "--file", "-", input=text)
    app.wait(2)
    assert is_from_the_server(app.heard[1][1], app.heard[1][2], secret="x" * 20)
    server.command("profile", "remove", name, "--data", server.data)
    assert server.wait_for_log("there is no webhook any more")


def test_nothing_is_lost_when_the_server_ends(start, receiver, tmp_path):
    app = receiver()
    app.stop()
    server = start("--api-rate", "0", environment={"LATCHSTRING_BUCKETS": BUCKET}, check=False)
    token = make_token(server, "backend", "--role", "backend")
    text = json.dumps({"bucket": BUCKET, "key": "{uuid}", "webhook": {"url": app.url, "secret": SECRET}})
    server.command("profile", "add", "hooked", "--data", server.data, "--file", "-", input=text)
    uploads = [create(server, token, "hooked") for _ in range(20)]
    for upload in uploads[:10]:
        assert send(upload, b"x")[0].status == 200
    server.stop()
    server = start("--api-rate", "0", data=server.data, check=False)
    for upload in uploads[10:]:
        assert call("PUT", server.endpoint + upload["upload"]["url"].split(":", 2)[2].lstrip("0123456789"), b"x",
                    {**upload["upload"]["headers"], "Host": upload["upload"]["url"].split("/")[2]})[0].status == 200
    server.process.kill()  # right behind the last answer: nothing of its outcome may have been written
    server.process.wait()
    again = receiver(port=app.port)
    server = start("--api-rate", "0", data=server.data)
    again.wait(20, seconds=60)
    deadline = time.monotonic() + 60
    while {message["upload"]["id"] for message in again.wait(20)} != {upload["id"] for upload in uploads}:
        assert time.monotonic() < deadline
        time.sleep(0.2)
