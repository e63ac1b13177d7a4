"""Uploads: a backend asks, a client sends one file to the URL that it was given, a link comes back."""
import concurrent.futures
import http.client
import io
import json
import signal
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
    "wide": {"bucket": BUCKET, "key": "{uuid}/{a}/{b}/{c}/{d}/{e}/{f}"},
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
    answer, content = call("GET", shown["object"]["url"])
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
    shown = show(server, token, upload)
    assert shown["status"] == "rejected", "at once: a client asks as soon as it was refused"
    assert "not the declared type image/jpeg" in shown["reason"]
    assert "object" not in shown


def test_it_expires(server, token):
    upload = create(server, token, "short", size=1)
    time.sleep(2.1)
    assert send(upload, b"x")[0].status == 403
    assert show(server, token, upload)["status"] == "expired"


@pytest.mark.parametrize(("fields", "status", "word"), [
    ({"profile": "nobody"}, 404, "profile"), ({"profile": "avatars", "vars": {"user": "1"}}, 400, "type"),
    ({"profile": "avatars", "type": "text/html", "vars": {"user": "1"}}, 400, "type"),
    ({"profile": "avatars", "type": "image/png"}, 400, "user"),
    ({"profile": "avatars", "type": "image/png", "vars": {"user": "../x"}}, 400, "user"),
    ({"profile": "avatars", "type": "image/png", "size": 100_001, "vars": {"user": "1"}}, 400, "size"),
    ({"profile": "fixed", "size": "5"}, 400, "size"), ({"profile": "fixed", "sise": 5}, 400, "sise"), ({}, 400, "profile"),
    ({"profile": "fixed", "method": "DELETE"}, 400, "method"), ({"profile": "fixed", "vars": {"a": "b"}}, 400, "a"),
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


# ---- Forms

def send_form(upload, body, extra=(), headers=None, **changes):
    fields = {**upload["upload"]["fields"], **changes}
    boundary = "----a-boundary"
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
             for name, value in [*fields.items(), *extra]]
    parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n'
                 'Content-Type: application/octet-stream\r\n\r\n'.encode() + body + f"\r\n--{boundary}--\r\n".encode())
    return call("POST", upload["upload"]["url"], b"".join(parts),
                {"Content-Type": f"multipart/form-data; boundary={boundary}", **(headers or {})})


def test_a_form(server, token):
    body = picture()
    upload = create(server, token, "avatars", filename="Me.JPG", type="image/jpeg", size=len(body), vars={"user": "42"},
                    method="POST")
    assert upload["upload"]["method"] == "POST"
    assert upload["upload"]["url"].endswith(f"/{BUCKET}/")
    answer, text = send_form(upload, body)
    assert answer.status == 201, text
    assert b"<Key>avatars/42/" in text
    shown = show(server, token, upload)
    assert (shown["status"], shown["size"], shown["type"]) == ("complete", len(body), "image/jpeg")
    assert call("GET", shown["object"]["url"])[1] == body
    assert send_form(upload, body)[0].status == 412, "it is for one object"


def test_a_form_says_what_may_be_sent(server, token):
    body = picture()
    upload = create(server, token, "avatars", filename="Me.JPG", type="image/jpeg", size=len(body), vars={"user": "42"},
                    method="POST")
    assert send_form(upload, body + b"x")[0].status == 400
    assert send_form(upload, body[:-1])[0].status == 400
    for name in upload["upload"]["fields"]:
        assert send_form(upload, body, **{name: "else"})[0].status in (400, 403), name
    assert send_form(upload, body, extra=[("x-amz-meta-a", "b")])[0].status == 403
    assert show(server, token, upload)["status"] != "complete"
    html = b"<html><script>alert(1)</script></html>" + b" " * (len(body) - 38)
    answer, text = send_form(upload, html)
    assert answer.status == 403
    assert b"x-latch-sniff" in text
    assert show(server, token, upload)["status"] == "rejected"
    assert send_form(upload, body)[0].status == 201


# ---- The same call again

def ask_with_key(server, token, key, body):
    answer, content = call("POST", server.endpoint + "/-/api/uploads", json.dumps(body),
                           {"Authorization": "Bearer " + token, "Idempotency-Key": key})
    return answer, json.loads(content)


@pytest.mark.parametrize(("type_", "shown"), [
    ('image/png; a="\u00e2\u0082"', 'image/png; a="??"'),  # as bytes of ISO-8859-1
    ('image/png; ab="' + "\u00c3\u00bc" * 200 + '"', 'image/png; ab="' + "?" * 241)])  # cut amid a character
def test_a_type_that_is_no_utf8_is_shown(server, token, type_, shown):
    """What a client sends never takes the upload's status away from the backend."""
    upload = create(server, token, "again")
    answer, text = send(upload, b"hello", **{"Content-Type": type_})
    assert answer.status == 200, text
    told = show(server, token, upload)
    assert (told["status"], told["size"], told["type"]) == ("complete", 5, shown)


def test_a_call_that_is_made_again_has_the_same_answer(server, token):
    wish = {"profile": "avatars", "filename": "a.png", "type": "image/png", "vars": {"user": "1"}}
    first, upload = ask_with_key(server, token, "key-1", wish)
    assert (first.status, first.headers["Idempotent-Replayed"]) == (201, None)
    again, same = ask_with_key(server, token, "key-1", wish)
    assert (again.status, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert same == upload
    assert ask_with_key(server, token, "key-2", wish)[1]["key"] != upload["key"]
    answer, refused = ask_with_key(server, token, "key-1", {**wish, "filename": "b.png"})
    assert (answer.status, refused["error"]["code"]) == (422, "IdempotencyKeyReused")
    other = make_token(server, "another", "--role", "upload")
    assert ask_with_key(server, other, "key-1", wish)[1]["key"] != upload["key"], "keys are each caller's own"


def test_a_call_that_was_refused_is_not_remembered(server, token):
    assert ask_with_key(server, token, "key-3", {"profile": "nothing"})[0].status == 404
    assert ask_with_key(server, token, "key-3", {"profile": "short"})[0].status == 201


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
def test_a_key_has_a_form(server, token, key):
    answer, refused = ask_with_key(server, token, key, {"profile": "short"})
    assert (answer.status, refused["error"]["code"]) == (400, "InvalidArgument")
    assert "Idempotency-Key" in refused["error"]["message"]


def test_the_same_call_many_times_at_once(server, token):
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: ask_with_key(server, token, "key-4", {"profile": "short"}), range(40)))
    assert {answer.status for answer, _ in answers} == {201}
    assert len({upload["id"] for _, upload in answers}) == 1


def test_a_key_outlives_the_server(start, tmp_path):
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "short.json").write_text(json.dumps(PROFILES["short"]))
    server = start("--profiles", str(folder), environment={"LATCHSTRING_BUCKETS": BUCKET})
    token = make_token(server, "backend", "--role", "upload")
    _, upload = ask_with_key(server, token, "key", {"profile": "short"})
    server.stop()
    again = start("--profiles", str(folder), data=server.data)
    assert ask_with_key(again, token, "key", {"profile": "short"})[1] == upload


# ---- Many in one call

@pytest.mark.parametrize(("fields", "message"), [
    ({"type": "text/html"}, "type: it must be image/*"), ({}, "type: it is missing, and it must be image/*"),
    ({"type": "image/png", "size": 10 ** 12}, "size: it must be at most ")])
def test_what_the_profile_takes_is_said(server, token, fields, message):
    status, answer = ask(server, token, "POST", "uploads", {"profile": "avatars", "vars": {"user": "1"}, **fields})
    assert status == 400 and answer["error"]["message"].startswith(message)


def test_a_profile_without_its_bucket_is_named_at_start(start, tmp_path):
    (tmp_path / "lost.json").write_text(json.dumps({"bucket": "not-there", "key": "{uuid}"}))
    (tmp_path / "found.json").write_text(json.dumps({"bucket": "is-there", "key": "{uuid}"}))
    (tmp_path / "far.json").write_text(json.dumps({"bucket": "not-here", "remote": "far", "key": "{uuid}"}))
    said = start("--buckets", "is-there", "--profiles", tmp_path).log()
    assert "warning: the profile 'lost' puts its uploads into the bucket 'not-there', which does not exist" in said
    assert said.count("warning: the profile") == 1


def test_many_uploads_in_one_call(server, token):
    body = picture()
    good = {"profile": "avatars", "filename": "a.jpg", "type": "image/jpeg", "size": len(body), "vars": {"user": "1"}}
    status, answer = ask(server, token, "POST", "uploads", {"uploads": [
        good, {**good, "type": "text/html"}, {**good, "method": "POST"}, {"profile": "nothing"}, 5, {**good, "uploads": [good]}]})
    assert status == 200
    results = answer["results"]
    assert [result["status"] for result in results] == [201, 400, 201, 404, 400, 400]
    assert all(("result" in result) != ("error" in result) for result in results)
    assert results[1]["error"]["code"] == "TypeNotAllowed" and "uploads" in results[5]["error"]["message"]
    put, form = results[0]["result"], results[2]["result"]
    assert send(put, body)[0].status == 200
    assert send_form(form, body)[0].status == 201
    assert show(server, token, put)["status"] == show(server, token, form)["status"] == "complete"


@pytest.mark.parametrize("body", [{"uploads": []}, {"uploads": {}}, {"uploads": [{"profile": "short"}] * 101},
                                  {"uploads": [{"profile": "short"}], "profile": "short"}])
def test_a_call_for_many_uploads_that_is_wrong(server, token, body):
    status, answer = ask(server, token, "POST", "uploads", body)
    assert (status, answer["error"]["code"]) == (400, "InvalidArgument")


def test_a_call_for_many_that_is_made_again_has_the_same_answer(server, token):
    body = {"uploads": [{"profile": "short", "metadata": {"n": str(number)}} for number in range(50)] + [{"profile": "nothing"}]}
    first, answer = ask_with_key(server, token, "many", body)
    assert first.status == 200 and len({result["result"]["id"] for result in answer["results"][:-1]}) == 50
    again, same = ask_with_key(server, token, "many", body)
    assert (again.status, again.headers["Idempotent-Replayed"], same) == (200, "true", answer)
    assert show(server, token, same["results"][7]["result"])["metadata"] == {"n": "7"}
    assert ask_with_key(server, token, "many", {"uploads": body["uploads"][1:]})[0].status == 422


def test_an_answer_that_is_too_large_to_be_kept_is_refused(server, token):
    """And so, the same call is not made twice unawares: without the key it is answered."""
    body = {"uploads": [{"profile": "wide", "vars": {name: name * 128 for name in "abcdef"}, "metadata": {"n": str(number)}}
                        for number in range(100)]}
    answer, refused = ask_with_key(server, token, "wide", body)
    assert (answer.status, refused["error"]["code"]) == (413, "TooLarge")
    assert "Idempotency-Key" in refused["error"]["message"] and "256 KiB" in refused["error"]["message"]
    assert ask_with_key(server, token, "wide", {"uploads": body["uploads"][:20]})[0].status == 200, "nothing was kept of it"
    status, answer = ask(server, token, "POST", "uploads", body)
    assert status == 200 and {result["status"] for result in answer["results"]} == {201}


def test_each_upload_of_a_call_counts(start, tmp_path):
    (tmp_path / "short.json").write_text(json.dumps(PROFILES["short"]))
    server = start("--api-rate", "5", "--profiles", str(tmp_path), environment={"LATCHSTRING_BUCKETS": BUCKET})
    client = make_client_token(server, make_token(server, "backend", "--role", "backend"), profile="short")
    status, answer = ask(server, client, "POST", "uploads", {"uploads": [{"profile": "short"}] * 60})
    assert status == 200
    given = [result["status"] for result in answer["results"]]
    assert set(given) == {201, 429} and given.count(201) < 20


def test_a_client_gets_no_more_out_of_many(server, token):
    client = make_client_token(server, token, profile="avatars", vars={"user": "7"})
    wish = {"profile": "avatars", "type": "image/png"}
    status, answer = ask(server, client, "POST", "uploads", {"uploads": [
        {**wish, "vars": {"user": "8"}}, {"profile": "fixed"}, {**wish, "vars": {"other": "8"}}]})
    assert status == 200
    assert [result["status"] for result in answer["results"]] == [201, 404, 400]
    assert answer["results"][0]["result"]["key"].startswith("avatars/7/")


# ---- What a caller says of an upload comes back

def test_variables_and_metadata_come_back_in_the_status(server, token):
    said = {"album": "Sommer \u2600", "order": "17"}
    upload = create(server, token, "avatars", type="image/png", vars={"user": "42"}, metadata=said)
    shown = show(server, token, upload)
    assert (shown["vars"], shown["metadata"]) == ({"user": "42"}, said)
    plain = show(server, token, create(server, token, "fixed"))
    assert "vars" not in plain and "metadata" not in plain
    client = make_client_token(server, token, profile="avatars", vars={"user": "7"})
    mine = create(server, client, "avatars", type="image/png", vars={"user": "8"}, metadata={"user": "9"})
    assert show(server, token, mine)["vars"] == {"user": "7"}, "what the backend fixed wins, and metadata are apart"
    assert show(server, client, mine)["metadata"] == {"user": "9"}


def test_what_is_said_of_an_upload_outlives_the_server(start, tmp_path):
    (tmp_path / "again.json").write_text(json.dumps(PROFILES["again"]))
    server = start("--profiles", str(tmp_path), environment={"LATCHSTRING_BUCKETS": BUCKET})
    token = make_token(server, "backend", "--role", "upload")
    upload = create(server, token, "again", metadata={"a": "b"})
    server.stop(signal.SIGKILL)
    server = start("--profiles", str(tmp_path), data=server.data)
    assert show(server, token, upload)["metadata"] == {"a": "b"}


@pytest.mark.parametrize("metadata", [{"a": 1}, {"a": None}, {"a": {}}, ["a"], "a", {"a": "x" * 4100}, {"x" * 4100: "a"},
                                      {str(number): "" for number in range(1000)}])
def test_metadata_are_texts_and_few(server, token, metadata):
    status, refused = ask(server, token, "POST", "uploads", {"profile": "fixed", "metadata": metadata})
    assert (status, refused["error"]["code"]) == (400, "InvalidArgument")
    assert "metadata" in refused["error"]["message"]


# ---- Tokens for clients

def make_client_token(server, token, **fields):
    status, made = ask(server, token, "POST", "tokens", fields)
    assert status == 201, made
    return made["token"]


def test_a_client_asks_for_itself_within_what_its_token_fixes(server, token):
    client = make_client_token(server, token, profile="avatars", vars={"user": "7"}, expires=60)
    assert client.startswith("lsc_")
    body = picture()
    upload = create(server, client, "avatars", filename="a.jpg", type="image/jpeg", size=len(body), vars={"user": "8"})
    assert upload["key"].startswith("avatars/7/"), "what the backend fixed wins"
    assert send(upload, body)[0].status == 200
    assert show(server, client, upload)["status"] == "complete"
    status, refused = ask(server, client, "POST", "uploads", {"profile": "short"})
    assert (status, refused["error"]["code"]) == (404, "NoSuchProfile")
    assert ask(server, client, "POST", "links", {"bucket": BUCKET, "key": upload["key"]})[0] == 403
    assert ask(server, client, "POST", "tokens", {"profile": "avatars"})[0] == 403


def test_clients_of_one_backend_do_not_get_each_others_answers(server, token):
    wish = {"profile": "avatars", "filename": "a.png", "type": "image/png"}
    clients = [make_client_token(server, token, profile="avatars", vars={"user": user}) for user in ("7", "8")]
    answers = [ask_with_key(server, client, "the-same-key", wish) for client in clients]
    assert [answer.status for answer, _ in answers] == [201, 201]
    assert [upload["key"].split("/")[1] for _, upload in answers] == ["7", "8"]
    again, upload = ask_with_key(server, clients[0], "the-same-key", wish)
    assert upload == answers[0][1] and again.headers["Idempotent-Replayed"] == "true"


def test_a_client_token_ends(server, token):
    client = make_client_token(server, token, profile="short", expires=1)
    assert ask(server, client, "POST", "uploads", {"profile": "short"})[0] == 201
    time.sleep(2)
    status, refused = ask(server, client, "POST", "uploads", {"profile": "short"})
    assert (status, refused["error"]["code"]) == (401, "ExpiredToken")
    parent = make_token(server, "parent", "--role", "backend")
    child = make_client_token(server, parent, profile="short")
    server.command("token", "revoke", "parent", "--data", server.data)
    status, refused = ask(server, child, "POST", "uploads", {"profile": "short"})
    assert (status, refused["error"]["code"]) == (401, "InvalidToken")


@pytest.mark.parametrize("fields, named", [({}, "profile"), ({"profile": "short", "vars": {"a": 1}}, "vars"),
                                           ({"profile": "short", "expires": 0}, "expires"),
                                           ({"profile": "short", "role": "admin"}, "role"),
                                           ({"profile": "short", "vars": {"a": "x" * 3000}}, "vars")])
def test_a_client_token_is_asked_for_rightly(server, token, fields, named):
    status, refused = ask(server, token, "POST", "tokens", fields)
    assert status == 400
    assert named in refused["error"]["message"]


def test_who_may_hand_out_client_tokens(server):
    upload_only = make_token(server, "upload-only", "--role", "upload")
    assert ask(server, upload_only, "POST", "tokens", {"profile": "short"})[0] == 403
    limited = make_token(server, "limited-to-one", "--role", "backend", "--profile", "avatars")
    assert ask(server, limited, "POST", "tokens", {"profile": "short"})[0] == 404


# ---- What may be read by who may only upload

def urls_in(answer):
    """The texts in an answer that could be fetched by GET: all but that of `upload`."""
    if isinstance(answer, dict):
        return [url for name, value in answer.items() if name != "upload" for url in urls_in(value)]
    return [answer] if isinstance(answer, str) and answer.startswith("http") else []


@pytest.mark.parametrize("profile", ["fixed", "again"])
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_no_url_to_read_before_the_uploads_own_object_is_there(server, token, profile, method):
    before = create(server, token, profile, size=6, method=method)
    server.client().put_object(Bucket=BUCKET, Key=before["key"], Body=b"secret")
    upload = create(server, token, profile, size=6, method=method)
    assert upload["key"] == before["key"]
    assert urls_in(upload) == [] and urls_in(show(server, token, upload)) == []
    if method == "PUT":
        assert call("GET", upload["upload"]["url"])[0].status == 403


def test_a_url_to_read_is_for_the_uploads_own_object_alone(server, token):
    mine = create(server, token, "again", size=4)
    assert send(mine, b"mine")[0].status == 200
    shown = show(server, token, mine)
    assert call("GET", shown["object"]["url"])[1] == b"mine"
    theirs = create(server, token, "again", size=6)
    assert theirs["key"] == mine["key"] and send(theirs, b"theirs")[0].status == 200
    answer, body = call("GET", shown["object"]["url"])
    assert answer.status == 412 and b"x-latch-etag" in body and b"theirs" not in body
    now = show(server, token, mine)
    assert now["status"] == "complete" and urls_in(now) == []
    assert call("GET", show(server, token, theirs)["object"]["url"])[1] == b"theirs"
