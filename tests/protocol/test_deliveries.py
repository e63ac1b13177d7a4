"""Messages for webhooks: which ones wait, which were given up, sending one again, and trying a receiver."""
import json
import socket
import time

import pytest
from harness import SECRET_KEY
from test_uploads import ask, create, make_token, send
from test_webhooks import BUCKET, SECRET, add_profile, verify


@pytest.fixture(name="server", scope="module")
def _server(start):
    return start("--api-rate", "0", environment={"LATCHSTRING_BUCKETS": BUCKET})


@pytest.fixture(name="token", scope="module")
def _token(server):
    return make_token(server, "backend", "--role", "backend")


def deliveries(server, token, profile, more=""):
    status, answer = ask(server, token, "GET", f"deliveries?profile={profile}{more}")
    assert status == 200, answer
    return answer["deliveries"]


def wait_for(server, token, profile, condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition(found := deliveries(server, token, profile)):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def fail_often(server, token, profile, attempts=4):
    """An upload whose message is put off for some seconds: after four attempts the next one is in eight."""
    upload = create(server, token, profile)
    assert send(upload, b"hello")[0].status == 200
    [waiting] = wait_for(server, token, profile, lambda found: found and found[0]["attempts"] == attempts)
    return upload, waiting


def test_what_waits_is_listed_and_sent_again(server, token, receive, tmp_path):
    receiver = receive(500, 500, 500, 503)
    add_profile(server, "again", receiver.url + "a-path", tmp_path)
    assert deliveries(server, token, "again") == []
    upload, waiting = fail_often(server, token, "again")
    message = json.loads(receiver.messages[0][2])
    assert waiting["id"] == f"again~{message['id']}"
    assert (waiting["message"], waiting["event"], waiting["at"]) == (message["id"], "upload.complete", message["at"])
    assert waiting["upload"] == {"id": upload["id"], "key": upload["key"], "status": "complete"}
    assert (waiting["state"], waiting["attempts"], waiting["last_status"]) == ("waiting", 4, 503)
    assert waiting["next_attempt_at"] > waiting["last_attempt_at"] >= waiting["at"]
    assert "last_problem" not in waiting
    assert deliveries(server, token, "again", "&state=given_up") == []
    assert deliveries(server, token, "again", "&state=waiting") == [waiting]
    status, answer = ask(server, token, "POST", f"deliveries/{waiting['id']}/retry")
    assert (status, answer["id"], answer["state"]) == (200, waiting["id"], "waiting")
    receiver.wait(5, seconds=5)
    wait_for(server, token, "again", lambda found: not found)
    assert receiver.messages[4][2] == receiver.messages[0][2], "the same message"
    assert verify(receiver.messages[4][1], receiver.messages[4][2]), "signed anew"
    assert ask(server, token, "POST", f"deliveries/{waiting['id']}/retry")[0] == 404, "it is delivered"


def test_why_there_was_no_answer_is_listed(server, token, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    add_profile(server, "nobody", f"http://127.0.0.1:{port}/hidden", tmp_path)
    _, waiting = fail_often(server, token, "nobody", 1)
    assert "connect" in waiting["last_problem"].lower()
    assert "last_status" not in waiting
    assert "hidden" not in json.dumps(waiting) and SECRET not in json.dumps(waiting)


def test_pages(server, token, receive, tmp_path):
    add_profile(server, "pages", receive(*[500] * 200).url, tmp_path)
    for _ in range(7):
        assert send(create(server, token, "pages"), b"x")[0].status == 200
    wait_for(server, token, "pages", lambda found: len(found) == 7 and min(one["attempts"] for one in found) >= 4)
    seen, after = [], ""
    for _ in range(5):
        _, page = ask(server, token, "GET", f"deliveries?profile=pages&limit=2{after}")
        seen += [one["id"] for one in page["deliveries"]]
        if "next" not in page:
            break
        after = "&after=" + page["next"]
    assert seen == [one["id"] for one in deliveries(server, token, "pages")]
    assert len(set(seen)) == 7


@pytest.mark.parametrize("query, field", [("", "profile"), ("?profile=pages&limit=0", "limit"),
                                          ("?profile=pages&limit=1001", "limit"), ("?profile=pages&limit=x", "limit"),
                                          ("?profile=pages&state=gone", "state"), ("?profile=pages&after=j00", "after"),
                                          ("?profile=pages&after=" + "j" + "g" * 48, "after"),
                                          ("?profile=pages&after=" + "k" + "0" * 48, "after")])
def test_questions_that_are_wrong(server, token, query, field):
    status, answer = ask(server, token, "GET", "deliveries" + query)
    assert status == 400
    assert field in answer["error"]["message"]


def test_who_may_see_them(server, token, receive, tmp_path):
    receiver = receive(*[500] * 50)
    add_profile(server, "mine", receiver.url, tmp_path)
    add_profile(server, "other", receiver.url, tmp_path)
    _, waiting = fail_often(server, token, "mine")
    other = make_token(server, "only-other", "--role", "backend", "--profile", "other")
    admin = make_token(server, "admin", "--role", "admin")
    upload = make_token(server, "uploader", "--role", "upload")
    _, client = ask(server, token, "POST", "tokens", {"profile": "mine"})
    for who, status in ((other, 404), (upload, 403), (client["token"], 403), (admin, 200)):
        assert ask(server, who, "GET", "deliveries?profile=mine")[0] == status
        assert ask(server, who, "POST", f"deliveries/{waiting['id']}/retry")[0] == status
        assert ask(server, who, "POST", "profiles/mine/test-webhook")[0] == status
    for name in ("nothing", "..", "a%00b", "x" * 300):
        assert ask(server, token, "GET", f"deliveries?profile={name}")[0] in (400, 404)
    for name in ("nothing", "mine~00", "mine~" + "0" * 32, "~" + "0" * 32, "x" * 300 + "~" + "0" * 32):
        status, answer = ask(server, token, "POST", f"deliveries/{name}/retry")
        assert (status, answer["error"]["code"]) == (404, "NoSuchDelivery")


# ---- Trying a receiver

def test_a_receiver_is_tried(server, token, receive, tmp_path):
    receiver = receive(202, 500, 302)
    add_profile(server, "tried", receiver.url + "hook", tmp_path)
    status, answer = ask(server, token, "POST", "profiles/tried/test-webhook")
    assert status == 200
    assert answer.pop("milliseconds") >= 0
    assert answer == {"delivered": True, "status": 202}
    _, headers, body, path = receiver.messages[0]
    assert verify(headers, body)
    message = json.loads(body)
    assert (message["event"], message["profile"], path) == ("webhook.test", "tried", "/hook")
    receiver.check(server)
    for wanted in (500, 302):
        _, answer = ask(server, token, "POST", "profiles/tried/test-webhook")
        assert (answer["delivered"], answer["status"]) == (False, wanted)
    receiver.wait(3)
    assert deliveries(server, token, "tried") == [], "it is sent once"


def test_a_receiver_that_can_t_be_tried(server, token, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    add_profile(server, "gone", f"http://127.0.0.1:{port}/hidden", tmp_path)
    _, answer = ask(server, token, "POST", "profiles/gone/test-webhook")
    assert answer["delivered"] is False
    assert "connect" in answer["problem"].lower()
    assert "hidden" not in json.dumps(answer)
    add_profile(server, "silent", None, tmp_path)
    status, answer = ask(server, token, "POST", "profiles/silent/test-webhook")
    assert (status, answer["error"]["code"]) == (409, "NoWebhook")
    assert ask(server, token, "POST", "profiles/nothing/test-webhook")[0] == 404


def test_a_receiver_that_is_slow_does_not_hold_up_the_end(start, receive, tmp_path):
    receiver = receive(lambda _handler: time.sleep(30))
    server = start("--drain-timeout", "1", environment={"LATCHSTRING_BUCKETS": BUCKET})
    token = make_token(server, "backend", "--role", "backend")
    add_profile(server, "slow", receiver.url, tmp_path)
    with socket.create_connection(tuple(server.endpoint.removeprefix("http://").split(":"))) as connection:
        connection.sendall(f"POST /-/api/profiles/slow/test-webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
                           f"Authorization: Bearer {token}\r\n\r\n".encode())
        receiver.wait(1)
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 9


# ---- On the command line

def test_the_command(server, token, receive, tmp_path):
    receiver = receive(*[500] * 4)
    add_profile(server, "command", receiver.url, tmp_path)

    def run(*arguments, status=0):
        environment = {"LATCHSTRING_TOKEN": token, "AWS_ENDPOINT_URL": server.endpoint}
        done = server.command("webhook", *arguments, environment=environment, check=False)
        assert done.returncode == status, done
        return done

    _, waiting = fail_often(server, token, "command")
    text = run("list", "command").stdout
    assert waiting["id"] in text and "answered 500" in text and text.startswith("ID")
    assert json.loads(run("list", "command", "--json").stdout) == [waiting]
    assert json.loads(run("list", "command", "--state", "given_up", "--json").stdout) == []
    assert waiting["id"] in run("retry", waiting["id"]).stdout
    receiver.wait(5, seconds=5)
    wait_for(server, token, "command", lambda found: not found)
    assert "delivered" in run("retry", waiting["id"], status=1).stderr
    assert "answered 200" in run("test", "command").stdout
    receiver.answers.append(500)
    assert "answered 500" in run("test", "command", status=1).stderr
    receiver.answers.append(500)
    assert json.loads(run("test", "command", "--json", status=1).stdout)["status"] == 500
    assert "NoSuchProfile" in (refused := run("list", "nothing", status=1).stderr) or "none of this name" in refused
    for arguments in (["list"], ["list", "a", "b"], ["list", "a b"], ["list", "a", "--state", "x"], ["retry"],
                      ["retry", "a/b"], ["test"], ["test", "a", "b"]):
        assert run(*arguments, status=2).stderr
    assert SECRET_KEY not in text
