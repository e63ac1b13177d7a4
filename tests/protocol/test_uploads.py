"""Uploads: a backend asks, a client sends one file to the URL that it was given, a link comes back."""
import http.client
import io
import json
import time
import urllib.parse

import pytest
from PIL import Image

BUCKET = "upload-bucket"
PROFILES = {
    "avatars": {"bucket": BUCKET, "key": "avatars/{user}/{uuid}.{ext}", "types": ["image/*"], "max_size": 100_000,
                "check_content": True},
    "fixed": {"bucket": BUCKET, "key": "fixed.txt"},
    "again": {"bucket": BUCKET, "key": "again.txt", "replace": True},
    "short": {"bucket": BUCKET, "key": "{uuid}", "upload_expires": 1},
    "hooked": {"bucket": BUCKET, "key": "{uuid}", "webhook": {"url": "https://app.example/", "secret": "s" * 20}},
}


@pytest.fixture(name="server", scope="module")
def _server(start, tmp_path_factory):
    folder = tmp_path_factory.mktemp("profiles")
    for name, profile in PROFILES.items():
        (folder / f"{name}.json").write_text(json.dumps(profile))
    return start("--api-rate", "0", "--profiles", str(folder), environment={"LATCHSTRING_BUCKETS": BUCKET})


@pytest.fixture(name="token", scope="module")
def _token(server):
    return make_token(server, "backend", "--role", "backend")


def make_token(server, *arguments):
    return server.command("token", "create", *arguments, "--data", server.data).stdout.strip()


def call(method, url, body=None, headers=None):
    place = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(place.netloc, timeout=20)
    connection.request(method, place.path + ("?" + place.query if place.query else ""), body, headers or {})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def ask(server, token, method, path, body=None):
    answer, content = call(method, server.endpoint + "/-/api/" + path, None if body is None else json.dumps(body),
                           {"Authorization": "Bearer " + token})
    return answer.status, json.loads(content)


def create(server, token, profile, **fields):
    status, upload = ask(server, token, "POST", "uploads", {"profile": profile, **fields})
    assert status == 201, upload
    return upload


def send(upload, body, **headers):
    return call(upload["upload"]["method"], upload["upload"]["url"], body, {**upload["upload"]["headers"], **headers})


def show(server, token, upload):
    status, shown = ask(server, token, "GET", "uploads/" + upload["id"])
    assert status == 200
    return shown


def picture(kind="JPEG"):
    file = io.BytesIO()
    Image.effect_noise((64, 64), 50).convert("RGB").save(file, kind)
    return file.getvalue()


def test_ask_send_fetch(server, token):
    body = picture()
    upload = create(server, token, "avatars", filename="Me.JPG", type="image/jpeg", size=len(body), vars={"user": "42"})
    assert upload["status"] == "pending"
    assert upload["bucket"] == BUCKET
    assert upload["key"].startswith("avatars/42/")
    assert upload["key"].endswith(".jpg")
    assert upload["upload"]["headers"] == {"Content-Type": "image/jpeg", "If-None-Match": "*"}
    assert show(server, token, upload)["status"] == "pending"
    answer, text = send(upload, body)
    assert answer.status == 200, text
    shown = show(server, token, upload)
    assert shown["status"] == "complete"
    assert (shown["size"], shown["type"]) == (len(body), "image/jpeg")
    assert f'"{shown["etag"]}"' == answer.headers["ETag"]
    for url in (upload["object"]["url"], shown["object"]["url"]):
        answer, content = call("GET", url)
        assert (answer.status, content) == (200, body)


def test_one_url_is_for_one_object(server, token):
    upload = create(server, token, "fixed", size=5)
    assert send(upload, b"first")[0].status == 200
    assert send(upload, b"other")[0].status == 412
    assert create(server, token, "fixed", size=5)["id"] != upload["id"]
    for _ in range(2):
        replaced = create(server, token, "again", size=5)
        assert "If-None-Match" not in replaced["upload"]["headers"]
        assert send(replaced, b"first")[0].status == 200
        assert show(server, token, replaced)["status"] == "complete"


def test_a_client_sends_what_was_agreed(server, token):
    upload = create(server, token, "avatars", filename="a.png", type="image/png", size=100, vars={"user": "1"})
    assert send(upload, b"x" * 101)[0].status == 400
    assert send(upload, b"x" * 100, **{"Content-Type": "text/html"})[0].status == 403
    assert call("PUT", upload["upload"]["url"], b"x" * 100, {"Content-Type": "image/png"})[0].status == 403


@pytest.mark.parametrize("body", [b"<html><script>alert(1)</script></html>" + b" " * 400, b"\x7fELF\x02\x01\x01" + b"\0" * 400,
                                  b"PK\x03\x04" + b"\0" * 400])
def test_what_is_no_picture_is_rejected_and_the_status_says_so(server, token, body):
    upload = create(server, token, "avatars", filename="a.jpg", type="image/jpeg", size=len(body), vars={"user": "1"})
    assert send(upload, body)[0].status == 403
    for _ in range(100):
        shown = show(server, token, upload)
        if shown["status"] == "rejected":
            break
        time.sleep(0.05)
    assert shown["status"] == "rejected"
    assert "not the declared type image/jpeg" in shown["reason"]
    assert call("GET", upload["object"]["url"])[0].status == 404


def test_it_expires(server, token):
    upload = create(server, token, "short", size=1)
    time.sleep(2.1)
    assert send(upload, b"x")[0].status == 403
    assert show(server, token, upload)["status"] in ("expired", "rejected")


@pytest.mark.parametrize(("fields", "status", "word"), [
    ({"profile": "nobody"}, 404, "profile"), ({"profile": "avatars", "vars": {"user": "1"}}, 400, "type"),
    ({"profile": "avatars", "type": "text/html", "vars": {"user": "1"}}, 400, "type"),
    ({"profile": "avatars", "type": "image/png"}, 400, "user"),
    ({"profile": "avatars", "type": "image/png", "vars": {"user": "../x"}}, 400, "user"),
    ({"profile": "avatars", "type": "image/png", "size": 100_001, "vars": {"user": "1"}}, 400, "size"),
    ({"profile": "fixed", "size": "5"}, 400, "size"), ({"profile": "fixed", "sise": 5}, 400, "sise"), ({}, 400, "profile"),
    ({"profile": "fixed", "method": "DELETE"}, 400, "method"), ({"profile": "fixed", "vars": {"a": "b"}}, 400, "a"),
    ({"profile": "hooked"}, 501, "webhook"),
])
def test_what_is_refused(server, token, fields, status, word):
    given, answer = ask(server, token, "POST", "uploads", fields)
    assert given == status, answer
    assert word in answer["error"]["message"]


def test_a_token_for_some_profiles(server, token):
    limited = make_token(server, "limited", "--role", "upload", "--profile", "fixed", "--profile", "again")
    mine = create(server, limited, "again", size=1)
    assert show(server, limited, mine)["status"] == "pending"
    assert ask(server, limited, "POST", "uploads", {"profile": "avatars", "type": "image/png", "vars": {"user": "1"}})[0] == 404
    other = create(server, token, "avatars", type="image/png", vars={"user": "1"})
    assert ask(server, limited, "GET", "uploads/" + other["id"])[0] == 404


def test_an_id_that_was_made_up(server, token):
    upload = create(server, token, "fixed", size=1)
    first = upload["id"]
    for forged in (first[:-4], first.replace("fixed", "again", 1), "x", first + "a", "a~1~2~b~c~" + first.rsplit("~", 1)[1]):
        assert ask(server, token, "GET", "uploads/" + forged)[0] == 404, forged


def test_profiles_of_the_command_line(server, token):
    server.command("profile", "add", "notes", "--bucket", BUCKET, "--key", "notes/{uuid}", "--data", server.data)
    upload = create(server, token, "notes", size=2)
    assert send(upload, b"hi")[0].status == 200
    assert "notes" in server.command("profile", "list", "--data", server.data).stdout
    assert "notes/{uuid}" in server.command("profile", "show", "notes", "--data", server.data).stdout
    server.command("profile", "remove", "notes", "--data", server.data)
    assert ask(server, token, "POST", "uploads", {"profile": "notes"})[0] == 404
    assert show(server, token, upload)["status"] == "complete"


def test_a_wrong_profile_stops_the_start(start, tmp_path):
    (tmp_path / "bad.json").write_text('{"bucket": "b"}')
    with pytest.raises(AssertionError, match=r"bad\.json"):
        start("--profiles", str(tmp_path))


def test_uploads_survive_a_restart(server, token, start, tmp_path):
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "p.json").write_text(json.dumps({"bucket": BUCKET, "key": "{uuid}"}))
    first = start("--profiles", str(folder), environment={"LATCHSTRING_BUCKETS": BUCKET})
    mine = make_token(first, "t", "--role", "upload")
    upload = create(first, mine, "p", size=2)
    assert send(upload, b"ok")[0].status == 200
    first.stop()
    second = start("--profiles", str(folder), data=first.data)
    assert show(second, mine, upload)["status"] == "complete"
