"""`latchstring link`: what a user at a terminal and a script see of it, against real servers."""
import contextlib
import http.client
import http.server
import json
import re
import signal
import threading
import urllib.parse

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from harness import ACCESS_KEY, SECRET_KEY

FAILED, USAGE = 1, 2


@pytest.fixture(name="server", scope="module")
def _server(start):
    return start("--api-rate", "0", "--buckets", "photos")


@pytest.fixture(name="link")
def _link(server):
    """Run `latchstring link ...` against the server: link("list")."""
    def run(*arguments, at=server.endpoint, **environment):
        environment.setdefault("AWS_ENDPOINT_URL", at)
        done = server.command("link", *arguments, check=False, environment=environment)
        for secret in (SECRET_KEY, environment.get("LATCHSTRING_TOKEN") or SECRET_KEY):
            assert secret not in done.stdout + done.stderr
        assert "Sanitizer" not in done.stderr, done.stderr
        return done
    return run


def fetch(url, method="GET"):
    place = urllib.parse.urlsplit(url)
    with contextlib.closing(http.client.HTTPConnection(place.netloc, timeout=20)) as connection:
        connection.request(method, place.path + ("?" + place.query if place.query else ""))
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers


def token(server, name, role="link"):
    return server.command("token", "create", name, "--role", role, "--data", server.data).stdout.strip()


@contextlib.contextmanager
def answering(status, body, headers=()):
    """A server that is none of ours: it gives every request this answer."""
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.path)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        do_POST = do_GET

        def log_message(self, *_):
            pass
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{other.server_port}", seen
        other.shutdown()


def test_a_link_is_one_line_that_opens_its_object(server, link):
    server.client().put_object(Bucket="photos", Key="ein Bild ü+.jpg", Body=b"picture")
    done = link("create", "s3://photos/ein Bild ü+.jpg", "--filename", "für dich.jpg")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    status, body, headers = fetch(done.stdout.strip())
    assert (status, body) == (200, b"picture")
    assert "f%C3%BCr%20dich.jpg" in headers["Content-Disposition"]
    short = link("create", "photos/ein Bild ü+.jpg", "--short").stdout.strip()
    assert re.fullmatch(server.endpoint + "/-/l/[a-z0-9]{24}", short)
    status, _, headers = fetch(short)
    assert status == 302
    assert fetch(headers["Location"])[:2] == (200, b"picture")


def test_limits_are_those_that_were_given(link):
    done = link("create", "s3://photos/k", "--expires", "2h", "--max-uses", "3", "--ip", "203.0.113.0/24",
                "--ip", "2001:db8::7", "--not-before", "2099-01-01T00:00:00Z", "--head", "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert set(made) == {"id", "url", "file_url", "short_url", "expires_at"}
    shown = json.loads(link("show", made["id"], "--json").stdout)
    assert shown["state"] == "not_yet"
    assert (shown["max_uses"], shown["ip"], shown["head"]) == (3, "203.0.113.0/24,2001:db8::7", True)
    assert shown["not_before"] == "2099-01-01T00:00:00Z"
    assert "X-Amz-Expires=7200" in made["url"]
    text = link("show", made["id"]).stdout
    for word in ("not_yet", "203.0.113.0/24", "2099-01-01T00:00:00Z", "s3://photos/k", "0/3"):
        assert word in text


def test_a_link_to_put(link):
    made = json.loads(link("create", "s3://photos/new.txt", "--method", "put", "--json").stdout)
    assert "short_url" not in made
    assert fetch(made["url"], "PUT")[0] == 200
    assert "short" in link("create", "s3://photos/new.txt", "--method", "PUT", "--short").stderr


def test_each_use_is_shown(server, link):
    server.client().put_object(Bucket="photos", Key="seen.jpg", Body=b"picture")
    made = json.loads(link("create", "s3://photos/seen.jpg", "--max-uses", "1", "--json").stdout)
    assert [fetch(made["short_url"], "POST")[0], fetch(made["url"])[0], fetch(made["url"])[0]] == [303, 200, 403]
    for _ in range(50):  # what is recorded may lag behind the answer
        text = link("show", made["url"]).stdout
        if " 200 " in text and " 303 " in text:
            break
    assert re.search(r"\nState +used\n", text)
    assert re.search(r"\nUsed +1/1\n", text)
    assert re.search(r"\n\S+Z +127\.0\.0\.1 +GET +200 +7\n", text), text
    assert re.search(r"\n\S+Z +127\.0\.0\.1 +POST +303 .*short link\n", text), text


@pytest.mark.parametrize("by", ["id", "url", "short_url"])
def test_a_revoked_link_is_dead(link, by):
    made = json.loads(link("create", "s3://photos/seen.jpg", "--json").stdout)
    done = link("revoke", made[by])
    assert (done.returncode, done.stdout, done.stderr) == (0, f"Link {made['id']} is revoked.\n", "")
    assert fetch(made["url"])[0] == 403
    assert fetch(made["short_url"])[0] == 410
    assert re.search(r"\nState +revoked\n", link("show", made["id"]).stdout)


def test_a_token_sees_its_own_links_and_needs_no_keys(server, link):
    alone = {"LATCHSTRING_TOKEN": token(server, "alone"), "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    assert json.loads(link("list", "--json", **alone).stdout) == []
    assert link("list", **alone).stdout.startswith("ID ")
    ids = [json.loads(link("create", f"s3://photos/{i}", "--json", **alone).stdout)["id"] for i in range(3)]
    assert [one["id"] for one in json.loads(link("list", "--json", **alone).stdout)] == ids
    lines = link("list", **alone).stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ids
    assert lines[1].split()[-1] == "s3://photos/0"
    other = link("show", ids[0], **{**alone, "LATCHSTRING_TOKEN": token(server, "other")})
    assert other.returncode == FAILED
    assert ids[0] in other.stderr
    assert "link list" in other.stderr
    assert link("show", ids[0]).returncode == 0  # the root user is an administrator


def test_lists_go_on_page_after_page(server, link):
    alone = {"LATCHSTRING_TOKEN": token(server, "many")}
    headers = {"Authorization": "Bearer " + alone["LATCHSTRING_TOKEN"]}
    with contextlib.closing(server.connection()) as connection:
        for i in range(1005):
            connection.request("POST", "/-/api/links", json.dumps({"bucket": "photos", "key": f"{i:04}"}), headers)
            answer = connection.getresponse()
            assert answer.status == 201, answer.read()
            answer.read()
    listed = json.loads(link("list", "--json", **alone).stdout)
    assert sorted(one["key"] for one in listed) == [f"{i:04}" for i in range(1005)]
    assert len(link("list", **alone).stdout.splitlines()) == 1006


def test_what_a_key_could_do_to_a_terminal(link):
    name = "\x1b]0;title\x07\x9b31m"
    url = link("create", "s3://photos/" + name).stdout.strip()
    text = link("show", url).stdout + link("list").stdout
    assert "s3://photos/?]0;title??31m" in text
    assert "\x1b" not in text and "\x9b" not in text


def test_over_https_with_a_private_authority(start, server, link, authority):
    secure = start("--tls-cert", authority / "cert.pem", "--tls-key", authority / "key.pem", listen="0.0.0.0:0", environment={"LATCHSTRING_BUCKETS": "photos"})
    here = f"https://127.0.0.1:{secure.port}"
    for variable in ("AWS_CA_BUNDLE", "SSL_CERT_FILE"):
        done = link("create", "s3://photos/k", at=here, **{variable: str(authority / "ca.pem")})
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("https://")
    done = link("list", at=here)
    assert done.returncode == FAILED
    assert "AWS_CA_BUNDLE" in done.stderr
    assert "write https:// for http://" in link("list", at=f"http://127.0.0.1:{secure.port}").stderr
    assert "write http:// for https://" in link("list", at=server.endpoint.replace("http:", "https:")).stderr
    elsewhere = f"https://127.0.0.2:{secure.port}"  # not in the certificate
    done = link("list", at=elsewhere, AWS_CA_BUNDLE=str(authority / "ca.pem"))
    assert done.returncode == FAILED
    assert "the certificate of " + elsewhere in done.stderr
    done = link("list", at=here, AWS_CA_BUNDLE="/nonexistent")
    assert done.returncode == FAILED
    assert "/nonexistent" in done.stderr


@pytest.mark.parametrize(("arguments", "word"), [
    (["create"], "one object"), (["create", "s3://photos"], "s3://BUCKET/KEY"), (["create", "http://a/b"], "s3://BUCKET/KEY"),
    (["create", "s3://photos/k", "--expires", "soon"], "--expires"), (["create", "s3://photos/k", "--expires", "0"], "--expires"),
    (["create", "s3://photos/k", "--max-uses", "0"], "--max-uses"), (["create", "s3://photos/k", "--ip", "here"], "--ip"),
    (["create", "s3://photos/k", "--not-before", "soon"], "--not-before"), (["create", "s3://photos/k", "--filename", "a/b"], "--filename"),
    (["create", "s3://photos/k", "--method", "DELETE"], "--method"), (["create", "s3://photos/k", "--method", "PUT", "--head"], "--head"),
    (["show"], "one link"), (["show", "../../x"], "link list"), (["revoke", "a", "b"], "one link"),
    (["revoke", "http://127.0.0.1/photos/k?X-Amz-Signature=abc"], "link list"), (["list", "x"], "'x'"), (["lits"], "list"),
])
def test_mistakes_are_named(link, arguments, word):
    done = link(*arguments)
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert word in done.stderr
    assert "X-Amz-Signature" not in done.stderr


def test_where_the_server_is(server, link):
    done = link("list", AWS_ENDPOINT_URL="")
    assert done.returncode == USAGE
    assert "--endpoint-url" in done.stderr
    assert link("list", "--endpoint-url", server.endpoint + "/", AWS_ENDPOINT_URL="http://127.0.0.1:1").returncode == 0
    done = link("list", at="http://127.0.0.1:1")
    assert done.returncode == FAILED
    assert "cannot connect to http://127.0.0.1:1" in done.stderr
    assert "presign" in link("list", at="https://s3.eu-west-1.amazonaws.com").stderr
    assert "no host" in link("list", at="http://nowhere.invalid").stderr
    assert link("list", at="ftp://127.0.0.1").returncode == USAGE


def test_what_the_server_refuses_is_a_sentence(server, link):
    done = link("list", LATCHSTRING_TOKEN="lst_" + "x" * 40)
    assert done.returncode == FAILED
    assert "LATCHSTRING_TOKEN" in done.stderr
    done = link("list", LATCHSTRING_TOKEN="two words")
    assert "LATCHSTRING_TOKEN" in done.stderr
    done = link("list", AWS_SECRET_ACCESS_KEY="x" * 40)
    assert "secret access key" in done.stderr
    assert "access key" in link("list", AWS_ACCESS_KEY_ID="AKIANOBODYNOBODYNOBO").stderr
    assert "role" in link("list", LATCHSTRING_TOKEN=token(server, "uploader", "upload")).stderr
    assert "expires" in link("create", "s3://photos/k", "--expires", "900d").stderr
    assert link("list", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="").returncode == FAILED


@pytest.mark.parametrize(("status", "body"), [(404, b"<html>"), (200, b"[]"), (200, b"hello"), (500, b""), (503, b"{}"),
                                              (200, b"\x1b[31m"), (403, b'<?xml version="1.0"?><Error><Code>X</Code></Error>')])
def test_what_is_no_server_of_ours(link, status, body):
    with answering(status, body) as (address, _):
        done = link("list", at=address)
    assert (done.returncode, done.stdout) == (FAILED, "")
    assert "does not answer as a Latchstring server does" in done.stderr
    assert "\x1b" not in done.stderr


def test_redirects_are_not_followed(link):
    with answering(200, b'{"links":[]}') as (elsewhere, seen), \
            answering(307, b"", [("Location", elsewhere + "/-/api/links")]) as (address, _):
        done = link("list", at=address, LATCHSTRING_TOKEN="lst_secret")
    assert done.returncode == FAILED
    assert "redirects" in done.stderr
    assert seen == []


def test_an_answer_without_end(link):
    with answering(200, b" " * (17 << 20)) as (address, _):
        done = link("list", at=address)
    assert done.returncode == FAILED
    assert "more than" in done.stderr


def test_messages_of_a_server_can_do_nothing_to_a_terminal(link):
    body = json.dumps({"error": {"code": "Odd", "message": "\x1b[2Jhello"}}).encode()
    with answering(403, body) as (address, _):
        done = link("list", at=address)
    assert "?[2Jhello" in done.stderr
    assert "\x1b" not in done.stderr


def test_the_variables_of_commands_are_no_settings(start):
    """They may stand in the environment of `latchstring serve`."""
    start(environment={"LATCHSTRING_TOKEN": "lst_x", "LATCHSTRING_SHARE": "s3://photos"}).stop()


def test_the_secret_is_not_in_the_arguments(server):
    """There is no option that takes it."""
    for command in ("create", "list", "show", "revoke"):
        words = server.command("link", command, "--help").stdout
        assert not re.search(r"--(token|secret|key|access)", words)
    assert ACCESS_KEY not in words


# ---- Ids of URLs that a backend signed by itself

def presigned(server, latch_id, keys=(ACCESS_KEY, SECRET_KEY)):
    request = AWSRequest("GET", f"{server.endpoint}/photos/own.txt?x-latch-id={latch_id}")
    S3SigV4QueryAuth(Credentials(*keys), "s3", "us-east-1", expires=300).add_auth(request)
    return request.url


@pytest.fixture(name="own", scope="module")
def _own(server):
    server.client().put_object(Bucket="photos", Key="own.txt", Body=b"own")
    keys = {}
    for user in ("ann", "bea"):
        made = json.loads(server.command("user", "add", user, "--data", server.data, "--json").stdout)
        server.command("policy", "set", user, "full", "--data", server.data)
        keys[user] = (made["access_key_id"], made["secret_access_key"])
    return keys


def test_an_id_that_was_never_seen_is_revoked(server, link, own):
    latch_id = "Order_7.b~c-" + "d" * 500
    url = presigned(server, latch_id)
    done = link("revoke", latch_id)
    assert done.returncode == FAILED and "--signed" in done.stderr
    assert fetch(url)[0] == 200
    assert fetch(presigned(server, "never-seen"))[0] == 200
    assert "x-latch-id never-before is refused" in link("revoke", "--signed", "never-before").stdout
    assert fetch(presigned(server, "never-before"))[0] == 403
    assert link("revoke", "--signed", latch_id).returncode == 0
    status, body, _ = fetch(url)
    assert status == 403 and b"revoked" in body
    assert fetch(presigned(server, "never-seen"))[0] == 200


def test_a_self_signed_url_is_revoked_by_showing_it(server, link, own):
    url = presigned(server, "by-url")
    assert fetch(url)[0] == 200
    assert link("revoke", url).returncode == 0
    assert fetch(url)[0] == 403
    assert fetch(presigned(server, "by-url"))[0] == 403
    assert link("revoke", url).returncode == 0  # again


def test_each_user_has_ids_of_her_own(server, link, own):
    ann, bea = (presigned(server, "shared", own[name]) for name in ("ann", "bea"))
    root = presigned(server, "shared")
    as_ann = {"AWS_ACCESS_KEY_ID": own["ann"][0], "AWS_SECRET_ACCESS_KEY": own["ann"][1]}
    assert [fetch(url)[0] for url in (ann, bea, root)] == [200, 200, 200]
    assert link("revoke", "--signed", "shared", **as_ann).returncode == 0
    assert [fetch(url)[0] for url in (ann, bea, root)] == [403, 200, 200]
    done = link("revoke", bea, **as_ann)
    assert done.returncode == FAILED and "none of your access keys" in done.stderr
    assert "X-Amz-Signature" not in done.stderr
    assert [fetch(url)[0] for url in (ann, bea, root)] == [403, 200, 200]
    assert link("revoke", bea).returncode == 0  # the root user is an administrator
    assert [fetch(url)[0] for url in (ann, bea, root)] == [403, 403, 200]


def test_a_revoked_id_stays_revoked_after_a_restart(start, link):
    server = start("--buckets", "photos")
    server.client().put_object(Bucket="photos", Key="own.txt", Body=b"own")
    at = {"AWS_ENDPOINT_URL": server.endpoint}
    assert link("revoke", "--signed", "kept", **at).returncode == 0
    server.stop(signal.SIGKILL)
    server = start("--buckets", "photos", data=server.data)
    assert fetch(presigned(server, "kept"))[0] == 403
    assert fetch(presigned(server, "other"))[0] == 200


def test_what_is_no_id_is_refused(link):
    for name in ("a b", "ä", "x" * 513, "a/b", ""):
        assert link("revoke", "--signed", name).returncode == USAGE


# ---- Passwords, folders, stable URLs

def test_a_password_comes_on_standard_input(server, link):
    server.client().put_object(Bucket="photos", Key="locked.jpg", Body=b"picture")
    done = server.command("link", "create", "s3://photos/locked.jpg", "--password-stdin", check=False, input="open sesame\n",
                          environment={"AWS_ENDPOINT_URL": server.endpoint})
    assert (done.returncode, done.stderr) == (0, "")
    url = done.stdout.strip()
    assert "/-/l/" in url
    status, body, _ = fetch(url)
    assert status == 200 and b'type="password"' in body
    place = urllib.parse.urlsplit(url)
    with contextlib.closing(http.client.HTTPConnection(place.netloc, timeout=20)) as connection:
        connection.request("POST", place.path, "password=open+sesame", {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 303
    assert fetch(answer.headers["Location"])[:2] == (200, b"picture")
    assert re.search(r"\nPassword +is needed\n", link("show", url).stdout)


@pytest.mark.parametrize("given", ["", "\n", "abc\n", "x" * 129 + "\n"])
def test_what_is_no_password(server, given):
    done = server.command("link", "create", "s3://photos/k", "--password-stdin", check=False, input=given,
                          environment={"AWS_ENDPOINT_URL": server.endpoint})
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert "4 to 128" in done.stderr


def test_a_folder_and_a_stable_url(server, link):
    server.client().put_object(Bucket="photos", Key="album/one.jpg", Body=b"picture")
    url = link("create", "s3://photos/album/", "--folder").stdout.strip()
    assert b'href="?file=one.jpg"' in fetch(url)[1]
    assert "slash" in link("create", "s3://photos/album", "--folder").stderr
    made = json.loads(link("create", "s3://photos/album/one.jpg", "--stable", "--inline", "--json").stdout)
    assert "x-latch-id" not in made["url"]
    assert fetch(made["url"])[2]["Content-Disposition"] == "inline"
    for option in ("--folder", "--stable", "--inline", "--password-stdin"):
        assert link("create", "s3://photos/k", "--method", "PUT", option).returncode == USAGE
