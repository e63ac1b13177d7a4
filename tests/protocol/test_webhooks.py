"""Webhooks: a receiver is told, once it is true, signed, again and again until it has understood."""
import concurrent.futures
import json
import re
import shutil
import socket
import subprocess
import time
import urllib.parse

import pytest
import test_uppy
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from harness import ACCESS_KEY, ROOT, SECRET_KEY, sign_and_send
from test_uploads import ask, call, create, make_token, picture, send, send_form, show

BUCKET = "hook-bucket"
SECRET = "a-secret-of-the-receiver-0123456789"


@pytest.fixture(name="server", scope="module")
def _server(start):
    return start("--api-rate", "0", environment={"LATCHSTRING_BUCKETS": BUCKET})


@pytest.fixture(name="token", scope="module")
def _token(server):
    return make_token(server, "backend", "--role", "backend")


def add_profile(server, name, url, folder, secret=SECRET, replace=False, **fields):
    file = folder / f"{name}.json"
    file.write_text(json.dumps({"bucket": BUCKET, "key": name + "/{uuid}", **fields,
                                **({"webhook": {"url": url, "secret": secret}} if url else {})}))
    server.command("profile", "add", name, "--file", file, *(["--overwrite"] if replace else []), "--data", server.data)


def metric(server, name):
    text = call("GET", server.endpoint + "/-/metrics")[1].decode()
    return int(re.search(rf"(?m)^latchstring_{name} (\d+)$", text).group(1))


def documented(language):
    """The example of the manual."""
    with open(f"{ROOT}/docs/uploads.md", encoding="utf-8") as file:
        return re.search(rf"```{language}\n(.*?)```", file.read(), re.S).group(1)


def verify(headers, body, secret=SECRET, now=None):
    names = {}
    exec(documented("python"), names)  # pylint: disable=exec-used
    return names["verify"](headers["Latchstring-Signature"], body, secret, **({} if now is None else {"now": now}))


# ---- What is told

def test_an_upload_is_told_of_at_once_and_once(server, token, receive, tmp_path):
    receiver = receive()
    add_profile(server, "told", receiver.url + "hook?key=in-the-url", tmp_path)
    upload = create(server, token, "told", filename="a.txt", type="text/plain", size=5)
    began = time.time()
    assert send(upload, b"hello")[0].status == 200
    [message] = receiver.wait()
    when, headers, body, path = receiver.messages[0]
    assert when - began < 1
    assert path == "/hook?key=in-the-url"
    assert headers["Content-Type"] == "application/json"
    assert verify(headers, body)
    assert set(message) == {"id", "event", "at", "upload"}
    assert message["event"] == "upload.complete"
    shown = show(server, token, upload)
    assert shown.pop("object")
    assert message["upload"] == {**shown, "profile": "told"}
    assert message["upload"]["size"] == 5
    receiver.check(server)
    time.sleep(1.5)
    receiver.wait(1)
    delivered = metric(server, "webhooks_delivered_total")
    assert delivered >= 1
    assert metric(server, "webhooks_in_flight") == 0


def test_what_was_said_of_an_upload_is_told_again(server, token, receive, tmp_path):
    receiver = receive()
    add_profile(server, "said", receiver.url, tmp_path, key="said/{user}/{uuid}", max_size=10)
    said = {"album": "Sommer \u2600", "quote": "\"\n\u0001", "wide": "\u0001" * 600}
    upload = create(server, token, "said", vars={"user": "42"}, metadata=said)
    assert send(upload, b"hello world")[0].status == 400
    [rejected] = receiver.wait()
    assert send(upload, b"hello")[0].status == 200
    [_, complete] = receiver.wait(2)
    for message, event in ((rejected, "upload.rejected"), (complete, "upload.complete")):
        assert (message["event"], message["upload"]["vars"], message["upload"]["metadata"]) == (event, {"user": "42"}, said)
    receiver.check(server)


def test_what_a_client_says_is_told_apart_from_what_its_token_says(server, token, receive, tmp_path):
    """By Uppy's calls too."""
    receiver = receive()
    add_profile(server, "apart", receiver.url, tmp_path, key="apart/{user}/{uuid}")
    client = test_uppy.client_of(server, token, "apart", vars={"user": "7"})
    upload = create(server, client, "apart", vars={"user": "8"}, metadata={"vars": "x", "user": "9"})
    assert send(upload, b"hello")[0].status == 200
    [message] = receiver.wait()
    assert (message["upload"]["vars"], message["upload"]["metadata"]) == ({"user": "7"}, {"vars": "x", "user": "9"})
    for asked in (test_uppy.ask(server, client, "POST", "s3/sign", {"method": "PUT", "key": "a.txt"}),
                  test_uppy.ask(server, client, "GET", "s3/params?filename=a&metadata%5Buser%5D=8")):
        assert asked[0] == 200
        answer = send_form({"upload": asked[1]}, b"hello") if "fields" in asked[1] else call("PUT", asked[1]["url"], b"hello")
        assert answer[0].status in (200, 201), answer[1]
    for message in receiver.wait(3)[1:]:
        assert message["upload"]["vars"] == {"user": "7"} and "metadata" not in message["upload"]


def test_a_form_is_told_of(server, token, receive, tmp_path):
    receiver = receive()
    add_profile(server, "form", receiver.url, tmp_path, check_content=True)
    body = picture()
    upload = create(server, token, "form", filename="a.jpg", type="image/jpeg", size=len(body), method="POST")
    assert send_form(upload, body)[0].status == 201
    [message] = receiver.wait()
    told = message["upload"]
    assert (told["size"], told["type"], told["id"]) == (len(body), "image/jpeg", upload["id"])


def multipart(server, upload, parts):
    """Create, send and complete, twice, as a client who lost the answer: the answers to the last two."""
    ticket = urllib.parse.parse_qs(urllib.parse.urlsplit(upload["upload"]["url"]).query)["x-latch-id"][0]
    path, own = f"/{BUCKET}/{upload['key']}", f"x-latch-id={ticket}"
    begun = sign_and_send(server, "POST", path, query=f"{own}&uploads=", headers={"Content-Type": "text/plain"})
    number = re.search(rb"<UploadId>(.*)</UploadId>", begun.body).group(1).decode()
    document = "<CompleteMultipartUpload>"
    for index, part in enumerate(parts, 1):
        sent = sign_and_send(server, "PUT", path, part, f"partNumber={index}&uploadId={number}&{own}")
        assert sent.status == 200, sent
        document += f"<Part><PartNumber>{index}</PartNumber><ETag>{sent.headers['ETag']}</ETag></Part>"
    document = (document + "</CompleteMultipartUpload>").encode()
    return [sign_and_send(server, "POST", path, document, f"uploadId={number}&{own}") for _ in range(2)]


def test_an_upload_in_parts_is_told_of_once(server, token, receive, tmp_path):
    receiver = receive()
    add_profile(server, "parts", receiver.url, tmp_path)
    upload = create(server, token, "parts", type="text/plain")
    parts = [b"x" * (5 << 20), b"y" * 100]
    first, again = multipart(server, upload, parts)
    assert (first.status, again.status) == (200, 200)
    [message] = receiver.wait()
    told = message["upload"]
    assert (told["status"], told["size"], told["type"]) == ("complete", (5 << 20) + 100, "text/plain")
    assert told["etag"].encode() + b"&quot;" in first.body
    assert told["etag"].endswith("-2")
    time.sleep(1)
    receiver.wait(1)
    later = sign_and_send(server, "GET", f"/{BUCKET}/{upload['key']}")
    assert later.headers["ETag"] == f'"{told["etag"]}"'


def test_what_uppy_sends_in_parts_is_told_of_once(server, token, receive, tmp_path):
    receiver = receive()
    add_profile(server, "uppy", receiver.url, tmp_path)
    client = test_uppy.client_of(server, token, "uppy")
    made = test_uppy.create(server, client)
    parts = []
    for number, body in enumerate([b"x" * (5 << 20), b"y" * 100], 1):
        answer, text = test_uppy.send_part(server, client, made, number, body)
        assert answer.status == 200, text
        parts.append({"PartNumber": number, "ETag": answer.headers["ETag"]})
    status, answer = test_uppy.ask(server, client, "POST", test_uppy.of(made, "/complete"), {"parts": parts})
    assert status == 200, answer
    [message] = receiver.wait()
    told = message["upload"]
    assert (told["status"], told["size"], told["type"], told["key"]) == ("complete", (5 << 20) + 100, "image/jpeg",
                                                                         made["key"])
    shown = test_uppy.show(server, token, made)
    assert {name: told[name] for name in ("id", "etag", "size")} == {name: shown[name] for name in ("id", "etag", "size")}
    time.sleep(1)
    receiver.wait(1)


@pytest.mark.parametrize("kind", [b"caf\xe9/x", b"text/\xff\xfe"])
def test_a_type_that_is_no_text_is_refused(server, token, receive, tmp_path, kind):
    receiver = receive()
    add_profile(server, f"odd-{len(kind)}", receiver.url, tmp_path)
    upload = create(server, token, f"odd-{len(kind)}")
    assert send(upload, b"x", **{"Content-Type": kind})[0].status == 400
    assert send(upload, b"x", **{"Content-Type": "image/png"})[0].status == 200
    receiver.wait()


def test_a_client_who_hangs_up_is_not_refused(server, token, receive, tmp_path):
    receiver = receive()
    add_profile(server, "hung-up", receiver.url, tmp_path)
    upload = create(server, token, "hung-up")
    place = urllib.parse.urlsplit(upload["upload"]["url"])
    with socket.create_connection((place.hostname, place.port)) as connection:
        connection.sendall(f"PUT {place.path}?{place.query} HTTP/1.1\r\nHost: {place.netloc}\r\nIf-None-Match: *\r\n"
                           "Content-Length: 100\r\n\r\nhalf".encode())
        time.sleep(0.2)
    time.sleep(1)
    receiver.wait(0)
    assert show(server, token, upload)["status"] == "pending"
    assert send(upload, b"x" * 100)[0].status == 200
    assert receiver.wait()[0]["event"] == "upload.complete"


def test_what_is_refused_is_told_of_once(server, token, receive, tmp_path):
    receiver = receive()
    add_profile(server, "refused", receiver.url, tmp_path, check_content=True)
    body = picture()
    html = b"<html><script>alert(1)</script></html>" + b" " * (len(body) - 38)
    upload = create(server, token, "refused", filename="a.jpg", type="image/jpeg", size=len(body))
    assert send(upload, html)[0].status == 403
    [message] = receiver.wait()
    assert message["event"] == "upload.rejected"
    assert message["upload"]["status"] == "rejected"
    assert message["upload"]["reason"] == show(server, token, upload)["reason"]
    assert "size" not in message["upload"]
    assert send(upload, html)[0].status == 403
    time.sleep(1)
    receiver.wait(1)
    assert send(upload, body)[0].status == 200
    assert [told["event"] for told in receiver.wait(2)] == ["upload.rejected", "upload.complete"]
    receiver.check(server)
    assert send(upload, body)[0].status == 412, "that it is there already"
    time.sleep(1)
    receiver.wait(2)


def test_a_form_that_is_refused_by_its_first_bytes_is_told_of(server, token, receive, tmp_path):
    receiver = receive()
    add_profile(server, "form-refused", receiver.url, tmp_path, check_content=True)
    upload = create(server, token, "form-refused", filename="a.jpg", type="image/jpeg", size=100_000, method="POST")
    assert send_form(upload, b"<html>" + b" " * 99_994)[0].status == 403
    [message] = receiver.wait()
    assert message["event"] == "upload.rejected"
    assert "x-latch-sniff" in message["upload"]["reason"] or "declared" in message["upload"]["reason"]


def test_what_is_replaced_is_told_of_again(server, token, receive, tmp_path):
    receiver = receive()
    add_profile(server, "replaced", receiver.url, tmp_path, key="one-key")
    file = tmp_path / "replaced.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "replace": True}))
    server.command("profile", "add", "replaced", "--file", file, "--overwrite", "--data", server.data)
    upload = create(server, token, "replaced")
    assert send(upload, b"one")[0].status == 200
    receiver.wait(1)
    time.sleep(0.3)
    assert send(upload, b"three")[0].status == 200
    first, second = receiver.wait(2)
    assert (first["upload"]["size"], second["upload"]["size"]) == (3, 5)
    assert first["id"] != second["id"]


def test_without_a_webhook_nothing_is_told(server, token, receive, tmp_path):
    receiver = receive()
    add_profile(server, "silent", None, tmp_path)
    assert send(create(server, token, "silent"), b"x")[0].status == 200
    time.sleep(0.6)
    receiver.wait(0)
    assert server.command("profile", "list", "--data", server.data).stdout


# ---- Until it is understood

def test_it_is_tried_again_after_an_error(server, token, receive, tmp_path):
    receiver = receive(500, 404, 302)
    add_profile(server, "again", receiver.url, tmp_path)
    assert send(create(server, token, "again"), b"x")[0].status == 200
    messages = receiver.wait(4, seconds=20)
    assert len({message["id"] for message in messages}) == 1
    assert len({body for _, _, body, _ in receiver.messages}) == 1
    assert {path for _, _, _, path in receiver.messages} == {"/"}, "a redirect is not followed"
    times = [when for when, _, _, _ in receiver.messages]
    pauses = [later - earlier for earlier, later in zip(times, times[1:])]
    for pause, least in zip(pauses, (1, 2, 4)):
        assert least - 0.1 < pause < least + 1.5, pauses
    for when, headers, body, _ in receiver.messages:
        assert verify(headers, body, now=when)
    assert metric(server, "webhook_failures_total") >= 3


def test_a_receiver_that_was_not_there(server, token, receive, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    add_profile(server, "absent", f"http://127.0.0.1:{port}/", tmp_path)
    assert send(create(server, token, "absent"), b"x")[0].status == 200
    time.sleep(1.5)
    receive(port=port).wait(1, seconds=10)


def test_long_and_broken_answers(server, token, receive, tmp_path):
    def endless(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                handler.wfile.write(b"x" * 65536)
        except OSError:
            handler.close_connection = True

    def nonsense(handler):
        handler.wfile.write(b"what?\r\n\r\n")
        handler.close_connection = True

    receiver = receive(nonsense, endless)
    add_profile(server, "broken", receiver.url, tmp_path)
    assert send(create(server, token, "broken"), b"x")[0].status == 200
    receiver.wait(2)
    time.sleep(3)
    receiver.wait(2)


def test_a_slow_receiver_holds_up_nobody_else(server, token, receive, tmp_path):
    def late(_handler):
        time.sleep(12)
        return 200

    slow, quick = receive(*[late] * 20), receive()
    add_profile(server, "slow", slow.url, tmp_path)
    add_profile(server, "quick", quick.url, tmp_path)
    for _ in range(20):
        assert send(create(server, token, "slow"), b"x")[0].status == 200
    deadline = time.monotonic() + 30
    while len(slow.messages) < 8 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert send(create(server, token, "quick"), b"x")[0].status == 200
    quick.wait(seconds=40)
    assert len(slow.messages) < 17, "of the slow ones two rounds of ten seconds are not over yet"
    deadline = time.monotonic() + 60
    while len(slow.messages) < 9 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(slow.messages) > 8, "none is waited for longer than ten seconds"
    assert slow.messages[8][0] - slow.messages[0][0] > 5, "eight at a time: the ninth waits for one of them"


def test_many_at_once(server, token, receive, tmp_path):
    receiver = receive()
    add_profile(server, "many", receiver.url, tmp_path)
    uploads = [create(server, token, "many") for _ in range(200)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert {answer[0].status for answer in pool.map(lambda upload: send(upload, b"x"), uploads)} == {200}
    messages = receiver.wait(200, seconds=20)
    assert {message["upload"]["id"] for message in messages} == {upload["id"] for upload in uploads}


# ---- Whose it is

def test_the_signature(server, token, receive, tmp_path):
    receiver = receive()
    add_profile(server, "signed", receiver.url, tmp_path)
    assert send(create(server, token, "signed"), b"x")[0].status == 200
    receiver.wait()
    when, headers, body, _ = receiver.messages[0]
    assert verify(headers, body)
    assert not verify(headers, body + b" ")
    assert not verify(headers, body, secret=SECRET + "x")
    assert not verify(headers, body, now=when + 301)
    assert not verify(headers, body, now=when - 302)
    later = {"Latchstring-Signature": re.sub(r"t=\d+", f"t={int(when) + 400}", headers["Latchstring-Signature"])}
    assert not verify(later, body, now=when + 400), "the time is signed"
    for text in ("", "t=1", "v1=00", "t=x,v1=00", "nonsense", f"t={int(when)},v1=é"):
        assert not verify({"Latchstring-Signature": text}, body)


def test_the_other_example_of_the_manual(server, token, receive, tmp_path):
    if shutil.which("node") is None:
        pytest.skip("node is not there")
    receiver = receive()
    add_profile(server, "node", receiver.url, tmp_path)
    assert send(create(server, token, "node"), b"x")[0].status == 200
    receiver.wait()
    _, headers, body, _ = receiver.messages[0]
    signature = headers["Latchstring-Signature"]
    cases = [(signature, body.decode(), SECRET, True), (signature, body.decode() + " ", SECRET, False),
             (signature, body.decode(), "another", False), ("", body.decode(), SECRET, False),
             (signature.replace("t=", "t=1"), body.decode(), SECRET, False), ("t=1,v1=00", body.decode(), SECRET, False)]
    script = documented("javascript") + """
for (const [signature, body, secret, wanted] of JSON.parse(process.argv[2])) {
  if (verify(signature, Buffer.from(body), secret) !== wanted) throw new Error(signature);
}
if (verify(undefined, Buffer.from(''), 'x')) throw new Error('none');
"""
    file = tmp_path / "verify.cjs"
    file.write_text(script)
    done = subprocess.run(["node", file, json.dumps(cases)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_secret_that_is_changed_holds_at_once(server, token, receive, tmp_path):
    receiver = receive(500, 500)
    other = receive()
    add_profile(server, "rotated", receiver.url, tmp_path)
    assert send(create(server, token, "rotated"), b"x")[0].status == 200
    receiver.wait(1)
    add_profile(server, "rotated", other.url, tmp_path, secret="another-secret-0123456789", replace=True)
    other.wait(1)
    _, headers, body, _ = other.messages[0]
    assert verify(headers, body, secret="another-secret-0123456789")
    receiver.wait(1)


def test_a_profile_that_is_removed_takes_its_messages_along(server, token, receive, tmp_path):
    receiver = receive(*[500] * 9)
    add_profile(server, "removed", receiver.url, tmp_path)
    assert send(create(server, token, "removed"), b"x")[0].status == 200
    receiver.wait(1)
    before = metric(server, "webhooks_given_up_total")
    server.command("profile", "remove", "removed", "--data", server.data)
    assert server.wait_for_log(r"profile 'removed': 1 messages are dropped: there is no webhook any more", seconds=10)
    deadline = time.monotonic() + 30
    while metric(server, "webhooks_given_up_total") <= before:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert len(receiver.messages) <= 2


def test_ids_that_are_no_uploads_tell_nothing(server, receive, tmp_path):
    """Somebody with keys of his own signs what looks like a ticket."""
    receiver = receive()
    add_profile(server, "forged", receiver.url, tmp_path)
    ticket = "forged~1700000000~1900000000~AAAAAAAAAAAAAAAA~AAAAAAAAAAAAAAAAAAAAAA"
    request = AWSRequest("PUT", f"{server.endpoint}/{BUCKET}/forged/x?x-latch-id={ticket}")
    S3SigV4QueryAuth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", "us-east-1", expires=300).add_auth(request)
    assert call("PUT", request.url, b"x")[0].status == 200
    time.sleep(0.7)
    receiver.wait(0)


def test_nobody_else_completes_an_upload_by_its_id(server, token, receive, tmp_path):
    """Another user, who may write to the bucket, signs a URL of his own with the id of somebody's upload."""
    receiver = receive()
    add_profile(server, "bound", receiver.url, tmp_path, check_content=True, types=["image/*"])
    upload = create(server, token, "bound", type="image/png")
    ticket = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(upload["upload"]["url"]).query))["x-latch-id"]
    mallory = json.loads(server.command("user", "add", "mallory", "--policy", "full", "--data", server.data, "--json").stdout)
    keys = Credentials(mallory["access_key_id"], mallory["secret_access_key"])
    for query in (f"x-latch-id={ticket}", f"x-latch-id={ticket}&x-latch-uses=5"):
        request = AWSRequest("PUT", f"{server.endpoint}/{BUCKET}/{upload['key']}?{query}")
        S3SigV4QueryAuth(keys, "s3", "us-east-1", expires=300).add_auth(request)
        answer, text = call("PUT", request.url, b"<script>alert(1)</script>", {"Content-Type": "text/html"})
        assert answer.status == 403 and b"<Constraint>x-latch-id</Constraint>" in text, text
    form = server.client(access_key=keys.access_key, secret_key=keys.secret_key).generate_presigned_post(
        BUCKET, upload["key"], Fields={"x-latch-id": ticket}, Conditions=[{"x-latch-id": ticket}])
    answer, text = send_form({"upload": {"method": "POST", **form}}, b"<script>")
    assert answer.status == 403, text
    other = make_token(server, "mallorys", "--role", "backend", "--user", "mallory")
    assert ask(server, other, "GET", "uploads/" + upload["id"])[0] == 404
    time.sleep(0.7)
    receiver.wait(0)
    assert show(server, token, upload)["status"] == "pending"
    server.command("user", "remove", "mallory", "--data", server.data)


# ---- Through an end of the server

def test_messages_outlive_the_server(start, receive, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    first = start(environment={"LATCHSTRING_BUCKETS": BUCKET})
    token = make_token(first, "backend", "--role", "backend")
    add_profile(first, "outlive", f"http://127.0.0.1:{port}/", tmp_path)
    upload = create(first, token, "outlive")
    assert send(upload, b"x")[0].status == 200
    assert first.stop() == 0
    receiver = receive(port=port)
    second = start(data=first.data)
    [message] = receiver.wait()
    assert message["upload"]["id"] == upload["id"]
    assert second.stop() == 0


def test_the_secret_is_nowhere(server, token, receive, tmp_path):
    receiver = receive(500)
    add_profile(server, "secret", receiver.url + "path-is-secret-too", tmp_path)
    upload = create(server, token, "secret")
    assert SECRET not in json.dumps(upload)
    assert send(upload, b"x")[0].status == 200
    receiver.wait(2)
    for _, headers, body, _ in receiver.messages:
        assert SECRET not in str(headers) + body.decode()
        assert SECRET_KEY not in str(headers) + body.decode()
    time.sleep(1.2)
    assert SECRET not in server.log()
    assert "path-is-secret-too" not in server.log()
