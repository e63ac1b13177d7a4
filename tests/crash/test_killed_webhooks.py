"""SIGKILL between an upload's 200 and what its webhook is told, and in the middle of telling it.

Every upload that was acknowledged is told of after the restart, exactly once; twice, with the same id, only if the receiver
had it already when the server died. What was not acknowledged is told of only if it is there.
"""
import concurrent.futures
import http.client
import json
import os
import re
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from harness import Server, sign_and_send

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "protocol"))
from test_uploads import ask, create, make_token, send  # noqa: E402

BUCKET = "crash-hooks"
SECRET = "a-secret-of-the-receiver"
ROUNDS = int(os.environ.get("CRASH_ROUNDS", "6"))


class Receiver:
    """Takes messages while it is open; what it gets otherwise it refuses. on_message: called before it answers."""

    def __init__(self):
        self.is_open, self.messages, self.on_message = True, [], None
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if receiver.is_open:
                    receiver.messages.append(json.loads(body))
                    if receiver.on_message:
                        receiver.on_message()
                self.send_response(200 if receiver.is_open else 503)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def told(self):
        """By upload: the ids of the messages that say that it is complete."""
        found = {}
        for message in self.messages:
            assert message["event"] == "upload.complete", message
            found.setdefault(message["upload"]["id"], []).append(message["id"])
        return found

    def wait_for(self, uploads, seconds=30):
        deadline = time.monotonic() + seconds
        while not uploads <= set(self.told()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert uploads <= set(self.told()), f"{len(uploads - set(self.told()))} of {len(uploads)} were never told of"


@pytest.fixture(name="receiver")
def _receiver():
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture(name="scene")
def _scene(tmp_path, receiver):
    """A folder of a server, the token of a backend and a way to start the server anew."""
    started = []

    def start():
        started.append(Server(tmp_path / "data", "--buckets", BUCKET, "--access-log", "off", "--api-rate", "0"))
        return started[-1]

    server = start()
    token = make_token(server, "backend", "--role", "backend")
    for name, more in {"hooked": {}, "again": {"replace": True, "key": "again/{uuid}"}}.items():
        text = json.dumps({"bucket": BUCKET, "key": "{uuid}", "webhook": {"url": receiver.url, "secret": SECRET}, **more})
        server.command("profile", "add", name, "--file", "-", "--data", server.data, input=text)
    yield server, token, start
    assert started[-1].stop() == 0
    assert "Sanitizer" not in started[-1].log(), started[-1].log()[-4000:]
    status, output = started[-1].fsck()
    assert status == 0, output


def kill(server):
    server.process.kill()
    server.process.wait()


def upload_until_killed(server, token, acknowledged, under_way):
    """Uploads, one after the other; whatever fails means that the server is dead."""
    try:
        while True:
            upload = create(server, token, "hooked")
            under_way.add(upload["id"])
            if send(upload, b"bytes")[0].status == 200:
                acknowledged.add(upload["id"])
    except (OSError, http.client.HTTPException, ValueError):
        pass


def test_what_was_acknowledged_is_told_of(scene, receiver):
    server, token, start = scene
    acknowledged, under_way = set(), set()
    for number in range(ROUNDS):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for _ in range(8):
                pool.submit(upload_until_killed, server, token, acknowledged, under_way)
            time.sleep(0.3 + 0.13 * number)
            receiver.is_open = number % 2 == 0
            time.sleep(0.1)
            kill(server)
        receiver.is_open = True
        server = start()
    receiver.wait_for(acknowledged)
    time.sleep(1.5)
    told = receiver.told()
    assert len(acknowledged) > 50
    assert set(told) <= under_way
    assert all(len(set(ids)) == 1 for ids in told.values()), "what is told twice has the same id"
    doubles = sum(len(ids) > 1 for ids in told.values())
    assert doubles <= 64 * ROUNDS, f"{doubles} were told twice: more than could have been under way"
    for upload in set(told) - acknowledged:
        assert ask(server, token, "GET", "uploads/" + upload)[1]["status"] == "complete"
    print(f"{len(acknowledged)} acknowledged, {len(told)} told of, {doubles} twice, {ROUNDS} kills")


def test_one_upload_right_behind_its_answer(scene, receiver):
    server, token, start = scene
    upload = create(server, token, "hooked")
    assert send(upload, b"bytes")[0].status == 200
    kill(server)
    assert not receiver.messages, "the outcome was not yet written"
    server = start()
    receiver.wait_for({upload["id"]}, seconds=3)
    assert receiver.messages[0]["upload"]["size"] == 5
    # Killed before it is written that the receiver took it, the server would tell it again, as the docs say.
    while ask(server, token, "GET", "deliveries?profile=hooked")[1]["deliveries"]:
        time.sleep(0.02)
    kill(server)
    start()
    time.sleep(2)
    assert len(receiver.messages) == 1, "it is told of once, whatever dies later"


def test_the_second_of_two_was_cut(scene, receiver):
    """Of two uploads to one URL the first was told of; that the second came to nothing is no news."""
    server, token, start = scene
    upload = create(server, token, "again")
    assert send(upload, b"bytes")[0].status == 200
    receiver.wait_for({upload["id"]})
    place = urllib.parse.urlsplit(upload["upload"]["url"])
    connection = http.client.HTTPConnection(place.netloc, timeout=20)
    connection.putrequest("PUT", f"{place.path}?{place.query}")
    connection.putheader("Content-Length", "100")
    connection.endheaders(b"half")
    time.sleep(0.3)
    kill(server)
    connection.close()
    start()
    time.sleep(1.5)
    assert len(receiver.messages) == 1


def test_in_parts(scene, receiver):
    """Its requests are many, and all of them are left open."""
    server, token, start = scene
    upload = create(server, token, "hooked")
    ticket = urllib.parse.parse_qs(urllib.parse.urlsplit(upload["upload"]["url"]).query)["x-latch-id"][0]
    path, own = f"/{BUCKET}/{upload['key']}", f"x-latch-id={ticket}"
    begun = sign_and_send(server, "POST", path, query=f"{own}&uploads=")
    number = re.search(rb"<UploadId>(.*)</UploadId>", begun.body).group(1).decode()
    part = sign_and_send(server, "PUT", path, b"bytes", f"partNumber=1&uploadId={number}&{own}")
    document = (f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{part.headers['ETag']}</ETag></Part>"
                "</CompleteMultipartUpload>").encode()
    assert sign_and_send(server, "POST", path, document, f"uploadId={number}&{own}").status == 200
    kill(server)
    server = start()
    receiver.wait_for({upload["id"]}, seconds=3)
    time.sleep(1)
    assert sign_and_send(server, "POST", path, document, f"uploadId={number}&{own}").status == 200
    time.sleep(1)
    assert len(receiver.messages) == 1


def test_the_server_dies_while_it_tells(scene, receiver):
    server, token, start = scene
    receiver.on_message = server.process.kill
    upload = create(server, token, "hooked")
    assert send(upload, b"bytes")[0].status == 200
    server.process.wait(timeout=10)
    receiver.on_message = None
    start()
    deadline = time.monotonic() + 30
    while len(receiver.messages) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1)
    assert len(receiver.messages) == 2
    assert receiver.messages[0] == receiver.messages[1], "so that the second can be dropped"
