"""Tokens: made on the command line, shown once, and what they let their holder ask of the API."""
import http.client
import json
import os
import time
import urllib.parse

import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from harness import ACCESS_KEY, SECRET_KEY, HeaderSigner, target_of


@pytest.fixture(name="server", scope="module")
def _server(start):
    return start("--api-rate", "0", "--buckets", "some-bucket")


def create(server, *arguments):
    done = server.command("token", "create", *arguments, "--data", server.data)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def ask(server, token, method="GET", path="/-/api/links", body=None):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.endpoint).netloc, timeout=20)
    connection.request(method, path, None if body is None else json.dumps(body), {"Authorization": "Bearer " + token})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer, json.loads(text) if text else None


def test_a_token_is_shown_once_and_stored_hashed(server):
    token = create(server, "once", "--role", "backend")
    assert token.startswith("lst_")
    secret = token.rsplit("_", 1)[1].encode()
    assert len(secret) == 43
    for name in os.listdir(server.data):
        path = os.path.join(server.data, name)
        if os.path.isfile(path):
            with open(path, "rb") as file:
                assert secret not in file.read(), name
    listed = server.command("token", "list", "--data", server.data).stdout
    assert "once" in listed
    assert secret.decode() not in listed
    assert ask(server, token)[0].status == 200
    wrong = token[:-1] + ("a" if token[-1] != "a" else "b")
    assert ask(server, wrong)[0].status == 401
    assert secret.decode() not in server.log()


def test_the_log_says_who_called_the_api(server):
    """By a token: its id, which the list shows. Signed: the user and the access key, as of any request."""
    token = create(server, "logged", "--role", "link")
    identity = token.split("_")[1]
    assert identity in server.command("token", "list", "--data", server.data).stdout
    answer, _ = ask(server, token)
    assert server.wait_for_log(rf" 127.0.0.1 {identity} - token ListLinks - {answer.status} ")
    request = AWSRequest("GET", server.endpoint + "/-/api/links")
    HeaderSigner(Credentials(ACCESS_KEY, SECRET_KEY), "s3", "us-east-1").add_auth(request)
    assert server.send("GET", "/-/api/links", dict(request.headers.items())).status == 200
    assert server.wait_for_log(f" 127.0.0.1 root {ACCESS_KEY} header ListLinks - 200 ")


def test_a_token_is_revoked_at_once(server):
    token = create(server, "short-lived", "--role", "link")
    assert ask(server, token)[0].status == 200
    done = server.command("token", "revoke", "short-lived", "--data", server.data)
    assert (done.returncode, done.stdout.startswith("Token short-lived is revoked.")) == (0, True)
    answer, error = ask(server, token)
    assert (answer.status, error["error"]["code"]) == (401, "InvalidToken")
    again = create(server, "short-lived", "--role", "link")
    assert ask(server, again)[0].status == 200
    assert ask(server, token)[0].status == 401


def test_a_token_expires(server):
    token = create(server, "second", "--role", "link", "--expires", "1s")
    time.sleep(2.1)
    answer, error = ask(server, token)
    assert (answer.status, error["error"]["code"]) == (401, "ExpiredToken")


def test_roles(server):
    assert ask(server, create(server, "uploader", "--role", "upload"))[0].status == 403
    assert ask(server, create(server, "linker", "--role", "link"))[0].status == 200


def test_links_belong_to_their_token(server):
    mine, other = create(server, "mine", "--role", "link"), create(server, "other", "--role", "link")
    chief = create(server, "chief", "--role", "admin")
    answer, link = ask(server, mine, "POST", body={"bucket": "some-bucket", "key": "k"})
    assert answer.status == 201
    path = "/-/api/links/" + link["id"]
    assert ask(server, mine, path=path)[0].status == 200
    assert ask(server, other, path=path)[0].status == 404
    assert ask(server, other, "DELETE", path)[0].status == 404
    assert ask(server, other)[1] == {"links": []}
    assert [one["id"] for one in ask(server, chief)[1]["links"]] == [link["id"]]
    assert ask(server, chief, "DELETE", path)[0].status == 204


def test_a_token_does_what_its_user_may(server):
    assert server.command("user", "add", "anna", "--policy", "readonly", "--data", server.data).returncode == 0
    token = create(server, "annas", "--role", "link", "--user", "anna")
    assert ask(server, token, "POST", body={"bucket": "some-bucket", "key": "k"})[0].status == 201
    answer, error = ask(server, token, "POST", body={"bucket": "some-bucket", "key": "k", "method": "PUT"})
    assert (answer.status, error["error"]["code"]) == (403, "AccessDenied")
    assert "anna" in error["error"]["message"]
    server.command("user", "disable", "anna", "--data", server.data)
    assert ask(server, token)[0].status == 403


def test_whoever_asks_too_often_is_told_when_to_come_back(start):
    server = start("--api-rate", "5")
    token = create(server, "eager", "--role", "link")
    patient = create(server, "patient", "--role", "link")
    answers = [ask(server, token)[0] for _ in range(40)]
    refused = [answer for answer in answers if answer.status == 429]
    assert refused
    assert refused[0].headers["Retry-After"] == "1"
    assert ask(server, patient)[0].status == 200
    time.sleep(1.1)
    assert ask(server, token)[0].status == 200


@pytest.mark.parametrize(("arguments", "word"), [
    (["x"], "--role"), (["x", "--role", "king"], "--role"), (["a b", "--role", "link"], "name"),
    (["x", "--role", "link", "--expires", "soon"], "--expires"), (["--role", "link"], "name"),
    (["x", "--role", "link", "--expires", "0"], "--expires"), (["x", "--role", "link", "--profile", "a,b"], "--profile"),
])
def test_mistakes_are_named(server, arguments, word):
    done = server.command("token", "create", *arguments, "--data", server.data, check=False)
    assert done.returncode == 2
    assert word in done.stderr


def test_what_is_not_there(server):
    create(server, "taken", "--role", "link")
    for arguments, word in ((["create", "taken", "--role", "link"], "taken"), (["revoke", "nobody"], "nobody"),
                            (["create", "new", "--role", "link", "--user", "nobody"], "nobody")):
        done = server.command("token", *arguments, "--data", server.data, check=False)
        assert done.returncode == 1
        assert word in done.stderr


def test_what_a_removed_user_had_is_not_the_next_ones_of_that_name(server):
    """Tokens, the tokens of clients made with them, and links: by name alone they would come back to life."""
    server.client().create_bucket(Bucket="names")
    server.client().put_object(Bucket="names", Key="a.txt", Body=b"a")
    server.command("profile", "add", "names", "--bucket", "names", "--key", "{uuid}", "--data", server.data)
    wanted = {"bucket": "names", "key": "a.txt"}

    def add():
        server.command("user", "add", "reborn", "--policy", "readwrite", "--bucket", "names", "--data", server.data)

    add()
    tokens = [create(server, f"reborn-{number}", "--role", "backend", "--user", "reborn") for number in range(2)]
    answer, link = ask(server, tokens[0], "POST", body=wanted)
    assert answer.status == 201, link
    answer, client = ask(server, tokens[0], "POST", "/-/api/tokens", {"profile": "names"})
    assert answer.status == 201, client
    short = target_of(link["short_url"])
    assert server.send("GET", short).status == 302
    server.command("user", "remove", "reborn", "--data", server.data)
    add()
    for token in (*tokens, client["token"]):
        assert ask(server, token, "POST", "/-/api/uploads", {"profile": "names"})[0].status == 401
    assert server.send("GET", short).status == 410
    assert server.send("GET", target_of(link["url"])).status == 403
    answer, links = ask(server, create(server, "reborn-new", "--role", "backend", "--user", "reborn"))
    assert (answer.status, links["links"]) == (200, [])


def test_a_link_of_a_removed_user_is_not_shown_to_the_next_one_of_that_name(server):
    """What users ask for with a signature is theirs by name."""
    server.client().create_bucket(Bucket="shown")

    def signed(method, path, body=b""):
        request = AWSRequest(method, server.endpoint + path, data=body)
        HeaderSigner(Credentials("SHOWN", "secret-of-shown"), "s3", "us-east-1").add_auth(request)
        answer = server.send(method, path, dict(request.headers.items()), body or None)
        return answer.status, json.loads(answer.body) if answer.body else None

    def add():
        server.command("user", "add", "shown", "--policy", "readwrite", "--bucket", "shown", "--access-key", "SHOWN", "--secret-key-stdin", "--data",
                       server.data, input="secret-of-shown")

    add()
    status, link = signed("POST", "/-/api/links", b'{"bucket":"shown","key":"a.txt"}')
    assert status == 201, link
    assert [shown["id"] for shown in signed("GET", "/-/api/links")[1]["links"]] == [link["id"]]
    server.command("user", "remove", "shown", "--data", server.data)
    add()
    assert signed("GET", "/-/api/links") == (200, {"links": []})
    assert signed("GET", "/-/api/links/" + link["id"])[0] == 404
    assert signed("DELETE", "/-/api/links/" + link["id"])[0] == 404
