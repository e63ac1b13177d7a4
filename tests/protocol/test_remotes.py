"""Remotes: the same API in front of a store elsewhere, for which this server signs and does nothing else."""
import concurrent.futures
import json
import time
import urllib.parse

import pytest
from harness import ACCESS_KEY, SECRET_KEY
from test_uploads import ask, call, create, make_token, picture, send, send_form, show

BUCKET = "remote-bucket"


def add_remote(server, name, endpoint, *arguments, secret=SECRET_KEY, check=True):
    return server.command("remote", "add", name, "--endpoint-url", endpoint, "--access-key-id", ACCESS_KEY, *arguments,
                          "--data", server.data, environment={"LATCHSTRING_REMOTE_SECRET": secret}, check=check)


@pytest.fixture(name="elsewhere", scope="module")
def _elsewhere(start):
    return start(environment={"LATCHSTRING_BUCKETS": BUCKET})


@pytest.fixture(name="server", scope="module")
def _server(start, elsewhere, tmp_path_factory):
    folder = tmp_path_factory.mktemp("profiles")
    for name in ("plain", "latch", "down", "gone"):
        profile = {"remote": name, "bucket": BUCKET, "key": name + "/{uuid}.{ext}", "types": ["image/*"],
                   "max_size": 100_000, "check_content": True, "link_expires": 60}
        (folder / f"{name}.json").write_text(json.dumps(profile))
    (folder / "short.json").write_text(json.dumps({"remote": "plain", "bucket": BUCKET, "key": "{uuid}",
                                                   "upload_expires": 1, "link_expires": 1}))
    server = start("--api-rate", "0", "--profiles", str(folder))
    add_remote(server, "plain", elsewhere.endpoint)
    add_remote(server, "latch", elsewhere.endpoint + "/", "--latchstring")
    add_remote(server, "down", "http://127.0.0.1:9")
    return server


@pytest.fixture(name="token", scope="module")
def _token(server):
    return make_token(server, "backend", "--role", "backend")


@pytest.mark.parametrize("kind", ["plain", "latch"])
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_ask_send_fetch(server, elsewhere, token, kind, method):
    body = picture()
    upload = create(server, token, kind, filename="Me.JPG", type="image/jpeg", size=len(body), method=method)
    assert upload["upload"]["url"].startswith(elsewhere.endpoint + "/" + BUCKET)
    assert show(server, token, upload)["status"] == "pending"
    if kind == "plain":
        assert "x-latch" not in json.dumps(upload["upload"])
        assert upload["not_enforced"] == ["check_content"] + (["replace"] if method == "POST" else [])
    else:
        assert "not_enforced" not in upload
    answer, text = send(upload, body) if method == "PUT" else send_form(upload, body)
    assert answer.status == (200 if method == "PUT" else 201), text
    shown = show(server, token, upload)
    assert (shown["status"], shown["size"], shown["type"]) == ("complete", len(body), "image/jpeg")
    assert f'"{shown["etag"]}"' == answer.headers["ETag"]
    answer, content = call("GET", shown["object"]["url"])
    assert "object" not in upload and (answer.status, content) == (200, body)


def test_what_a_plain_store_sees_to(server, token):
    body = picture()
    upload = create(server, token, "plain", filename="a.jpg", type="image/jpeg", size=len(body))
    assert send(upload, body + b"x")[0].status == 403, "the size is signed"
    assert send(upload, body, **{"Content-Type": "text/html"})[0].status == 403
    assert send(upload, body, **{"x-amz-meta-latch-upload": "else"})[0].status == 403
    assert send(upload, body)[0].status == 200
    assert send(upload, body)[0].status == 412, "it is for one object"
    form = create(server, token, "plain", filename="a.jpg", type="image/jpeg", method="POST")
    assert send_form(form, b"x" * 100_001)[0].status == 400
    without = create(server, token, "plain", filename="a.jpg", type="image/jpeg")
    assert without["not_enforced"] == ["min_size", "max_size", "check_content"]


def test_an_object_that_somebody_else_put_there_is_not_the_upload(server, elsewhere, token):
    upload = create(server, token, "plain", filename="a.jpg", type="image/jpeg")
    elsewhere.client().put_object(Bucket=BUCKET, Key=upload["key"], Body=b"else")
    assert show(server, token, upload)["status"] == "pending"


def test_what_expires(server, token):
    upload = create(server, token, "short")
    assert send(upload, b"x")[0].status == 200
    late = create(server, token, "short")
    time.sleep(2.1)
    assert send(late, b"x")[0].status == 403
    assert show(server, token, late)["status"] == "expired"
    assert show(server, token, upload)["status"] == "complete"


def test_a_remote_that_is_down_or_gone(server, token):
    upload = create(server, token, "down", filename="a.jpg", type="image/jpeg")
    status, refused = ask(server, token, "GET", "uploads/" + upload["id"])
    assert (status, refused["error"]["code"]) == (502, "RemoteNotReached")
    assert "'down'" in refused["error"]["message"]
    status, refused = ask(server, token, "POST", "uploads", {"profile": "gone", "type": "image/png"})
    assert (status, refused["error"]["code"]) == (503, "NoSuchRemote")
    status, refused = ask(server, token, "POST", "links", {"remote": "gone", "bucket": BUCKET, "key": "k"})
    assert (status, refused["error"]["code"]) == (404, "NoSuchRemote")


def test_a_remote_with_other_keys(server, elsewhere, token):
    add_remote(server, "gone", elsewhere.endpoint, secret="another secret".replace(" ", "-"))
    upload = create(server, token, "gone", filename="a.jpg", type="image/jpeg")
    assert send(upload, b"x")[0].status == 403
    status, refused = ask(server, token, "GET", "uploads/" + upload["id"])
    assert (status, refused["error"]["code"]) == (502, "RemoteRefused")
    server.command("remote", "remove", "gone", "--data", server.data)


# ---- Links

def link_to(server, token, remote, key="linked.txt", **fields):
    status, link = ask(server, token, "POST", "links", {"remote": remote, "bucket": BUCKET, "key": key, **fields})
    assert status == 201, link
    return link


@pytest.fixture(name="linked", scope="module")
def _linked(elsewhere):
    elsewhere.client().put_object(Bucket=BUCKET, Key="linked.txt", Body=b"content")


def test_a_link(server, token, linked):
    link = link_to(server, token, "plain", filename="a b.txt")
    assert "x-latch" not in link["url"]
    assert link["not_enforced"] == ["revocation"]
    answer, content = call("GET", link["url"])
    assert (answer.status, content) == (200, b"content")
    assert "a b.txt" in answer.headers["Content-Disposition"]
    answer, _ = call("GET", link["short_url"])
    assert answer.status == 302
    assert call("GET", answer.headers["Location"])[1] == b"content"
    assert ask(server, token, "GET", "links/" + link["id"])[1]["remote"] == "plain"
    assert call("DELETE", server.endpoint + "/-/api/links/" + link["id"], None,
                {"Authorization": "Bearer " + token})[0].status == 204
    assert call("GET", link["short_url"])[0].status == 410


def test_what_the_remote_can_not_count_the_short_link_counts(server, token, linked):
    link = link_to(server, token, "plain", max_uses=1)
    assert "url" not in link
    page, _ = call("GET", link["short_url"])
    assert page.status == 200
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: call("POST", link["short_url"])[0], range(50)))
    served = [answer for answer in answers if answer.status == 303]
    assert len(served) == 1
    assert {answer.status for answer in answers} == {303, 410}
    target = urllib.parse.urlsplit(served[0].headers["Location"])
    assert f"form-action 'self' {target.scheme}://{target.netloc};" in page.headers["Content-Security-Policy"]
    assert call("GET", served[0].headers["Location"])[1] == b"content"
    shown = ask(server, token, "GET", "links/" + link["id"])[1]
    assert (shown["state"], shown["used"]) == ("used", 1)


def test_limits_that_the_short_link_keeps(server, token, linked):
    assert call("GET", link_to(server, token, "plain", ip="203.0.113.0/24")["short_url"])[0].status == 403
    assert call("GET", link_to(server, token, "plain", ip="127.0.0.1")["short_url"])[0].status == 302
    later = link_to(server, token, "plain", not_before="2099-01-01T00:00:00Z")
    assert "url" not in later
    assert call("GET", later["short_url"])[0].status == 403
    for fields in ({"head": True}, {"max_uses": 1, "method": "HEAD"}):
        assert ask(server, token, "POST", "links", {"remote": "plain", "bucket": BUCKET, "key": "k", **fields})[0] == 400


def test_a_latchstring_counts_by_itself(server, token, linked):
    link = link_to(server, token, "latch", max_uses=1)
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        statuses = sorted(answer.status for answer, _ in pool.map(lambda _: call("GET", link["url"]), range(20)))
    assert statuses == [200] + [403] * 19


# ---- The command

def test_the_command(server, elsewhere):
    listed = server.command("remote", "list", "--data", server.data).stdout
    assert "plain" in listed and elsewhere.endpoint in listed
    shown = json.loads(server.command("remote", "show", "latch", "--data", server.data).stdout)
    assert shown == {"name": "latch", "endpoint": elsewhere.endpoint, "region": "us-east-1", "style": "path",
                     "access_key_id": ACCESS_KEY, "is_latchstring": True}
    assert "already" in add_remote(server, "plain", elsewhere.endpoint, check=False).stderr
    add_remote(server, "plain", elsewhere.endpoint, "--overwrite")
    for endpoint in ("ftp://host", "https://host/path", "host", "https://"):
        assert "endpoint" in add_remote(server, "wrong", endpoint, check=False).stderr
    done = server.command("remote", "add", "piped", "--endpoint-url", "https://s3.example.com", "--access-key-id", "A",
                          "--data", server.data, input="a-secret\n")
    assert done.returncode == 0
    server.command("remote", "remove", "piped", "--data", server.data)
    assert server.command("remote", "show", "piped", "--data", server.data, check=False).returncode == 1
    assert SECRET_KEY not in listed + json.dumps(shown) + server.log()


def test_a_profile_with_a_remote_has_no_webhook(server):
    text = json.dumps({"remote": "plain", "bucket": BUCKET, "key": "{uuid}",
                       "webhook": {"url": "https://app.example/", "secret": "s" * 20}})
    done = server.command("profile", "add", "both", "--file", "-", "--data", server.data, input=text, check=False)
    assert done.returncode != 0 and "webhook" in done.stderr
