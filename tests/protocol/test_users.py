"""Users and policies: changed by a command while the server runs, and in force at the next request."""
import base64
import hashlib
import json
import socket
import time

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from harness import ACCESS_KEY, HeaderSigner, presign, target_of

BUCKET = "pictures"


@pytest.fixture(scope="module")
def latch(server):
    """A subcommand on the data folder of the running server, its JSON output read."""
    def run(*arguments, json_output=True, **options):
        done = server.command(*arguments, "--data", server.data, *(["--json"] if json_output else []), **options)
        return json.loads(done.stdout) if json_output and done.returncode == 0 else done
    return run


@pytest.fixture
def alice(server, s3, latch):
    """A user with every right on the bucket, its keys, its client; removed again."""
    made = latch("user", "add", "alice")
    latch("policy", "set", "alice", "full")
    s3.put_object(Bucket=BUCKET, Key="cat.jpg", Body=b"a cat")
    yield server.client(access_key=made["access_key_id"], secret_key=made["secret_access_key"])
    latch("user", "remove", "alice", check=False)


def status_of(server, url):
    answer = server.send("GET", target_of(url))
    return (answer.status, answer.code)


def test_a_url_dies_when_its_user_is_disabled(server, latch, alice):
    url = presign(alice, "get_object")
    assert status_of(server, url) == (200, "")
    latch("user", "disable", "alice")
    status, code = status_of(server, url)
    assert status == 403 and code in ("InvalidAccessKeyId", "AccessDenied")
    assert latch("user", "show", "alice")["enabled"] is False


def test_a_url_dies_when_its_user_is_removed(server, latch, alice):
    url = presign(alice, "get_object")
    assert status_of(server, url) == (200, "")
    latch("user", "remove", "alice")
    assert status_of(server, url) == (403, "InvalidAccessKeyId")


def test_a_url_dies_when_its_user_is_restricted(server, latch, alice):
    url = presign(alice, "get_object")
    assert status_of(server, url) == (200, "")
    latch("policy", "set", "alice", "writeonly")
    assert status_of(server, url) == (403, "AccessDenied")
    put = presign(alice, "put_object", key="written")
    assert server.send("PUT", target_of(put), body=b"x").status == 200
    latch("policy", "set", "alice", "readonly")
    assert status_of(server, url) == (200, "")
    answer = server.send("PUT", target_of(put), body=b"y")
    assert (answer.status, answer.code) == (403, "AccessDenied")


def test_a_url_dies_when_its_key_is_replaced(server, latch, alice):
    url = presign(alice, "get_object")
    made = latch("user", "rotate-key", "alice")
    fresh = server.client(access_key=made["access_key_id"], secret_key=made["secret_access_key"])
    assert status_of(server, presign(fresh, "get_object")) == (200, "")
    status, code = status_of(server, url)
    assert (status, code) in ((403, "InvalidAccessKeyId"), (200, "")), "a grace period is possible, a 5xx is not"


def test_a_user_without_a_policy_may_do_nothing(server, latch):
    made = latch("user", "add", "nobody")
    client = server.client(access_key=made["access_key_id"], secret_key=made["secret_access_key"])
    for operation in ("get_object", "put_object", "delete_object", "head_object"):
        answer = server.send(operation.split("_")[0].upper(), target_of(presign(client, operation)))
        assert answer.status == 403
    with pytest.raises(ClientError) as caught:
        client.list_buckets()
    assert caught.value.response["Error"]["Code"] == "AccessDenied"
    latch("user", "remove", "nobody")


def statement(effect="Allow", action="s3:*", resource="*", **condition):
    found = {"Effect": effect, "Action": action, "Resource": resource}
    if condition:
        found["Condition"] = condition["condition"]
    return found


def set_policy(latch, *statements):
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    latch("policy", "set", "alice", "-", input=text)


OBJECT = "arn:aws:s3:::pictures/cat.jpg"


@pytest.mark.parametrize("statements,want", [
    ([statement(action="s3:GetObject", resource=OBJECT)], 200),
    ([statement(action="s3:Get*", resource="arn:aws:s3:::pictures/*")], 200),
    ([statement(action="s3:GetObject", resource="arn:aws:s3:::pictures/dog.jpg")], 403),
    ([statement(action="s3:PutObject")], 403),
    ([statement(), statement("Deny", "s3:GetObject", OBJECT)], 403),
    ([statement("Deny", "s3:DeleteObject"), statement()], 200),
    ([statement(condition={"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}})], 200),
    ([statement(condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})], 403),
    ([statement(condition={"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}})], 403),
    ([statement(condition={"DateLessThan": {"aws:CurrentTime": "2040-01-01T00:00:00Z"}})], 200),
    ([statement(condition={"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}})], 403),
    ([statement(condition={"NumericLessThan": {"s3:signatureAge": "600000"}})], 200),
    ([statement(condition={"NumericGreaterThan": {"s3:signatureAge": "600000"}})], 403),
    ([statement(condition={"Bool": {"aws:SecureTransport": "true"}})], 403)])
def test_policies(server, latch, alice, statements, want):
    set_policy(latch, *statements)
    assert status_of(server, presign(alice, "get_object"))[0] == want


def test_the_age_of_a_signature(server, latch, alice):
    """A Deny of old signatures shortens every URL's life, whatever its X-Amz-Expires says."""
    set_policy(latch, statement(), statement("Deny", condition={"NumericGreaterThan": {"s3:signatureAge": "1500"}}))
    url = presign(alice, "get_object", expires=3600)
    assert status_of(server, url) == (200, "")
    time.sleep(2.6)
    assert status_of(server, url) == (403, "AccessDenied")


def test_listing_only_a_prefix(server, latch, alice, s3):
    set_policy(latch, statement(action="s3:ListBucket", resource="arn:aws:s3:::pictures",
                                condition={"StringLike": {"s3:prefix": "mine/*"}}))
    s3.put_object(Bucket=BUCKET, Key="mine/a", Body=b"x")
    assert alice.list_objects_v2(Bucket=BUCKET, Prefix="mine/")["KeyCount"] == 1
    for parameters in ({}, {"Prefix": "other/"}):
        with pytest.raises(ClientError) as caught:
            alice.list_objects_v2(Bucket=BUCKET, **parameters)
        assert caught.value.response["Error"]["Code"] == "AccessDenied"


def test_what_may_not_be_seen_is_not_told(server, latch, alice):
    """Without s3:ListBucket, a key that is not there answers as S3 does: AccessDenied, not 404."""
    set_policy(latch, statement(action="s3:GetObject", resource="arn:aws:s3:::pictures/*"))
    assert status_of(server, presign(alice, "get_object", key="nothing")) == (403, "AccessDenied")


def test_deleting_many_is_asked_for_each(latch, alice, s3):
    for key in ("mine/a", "theirs/b"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    set_policy(latch, statement(action="s3:DeleteObject", resource="arn:aws:s3:::pictures/mine/*"))
    answer = alice.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "mine/a"}, {"Key": "theirs/b"}]})
    assert [one["Key"] for one in answer["Deleted"]] == ["mine/a"]
    assert [(one["Key"], one["Code"]) for one in answer["Errors"]] == [("theirs/b", "AccessDenied")]
    assert s3.head_object(Bucket=BUCKET, Key="theirs/b")


def test_an_unauthorised_upload_is_refused_before_its_body(server, latch, alice):
    set_policy(latch, statement(action="s3:GetObject"))
    connection = server.connection()
    connection.putrequest("PUT", target_of(presign(alice, "put_object")))
    connection.putheader("Content-Length", "1000000000")
    connection.putheader("Expect", "100-continue")
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 403 and b"AccessDenied" in answer.read()
    connection.close()


def test_a_bad_policy_is_refused_and_the_old_one_kept(server, latch, alice):
    url = presign(alice, "get_object")
    for text in ("{", "[]", '{"Statement": [{"Effect": "Perhaps", "Action": "s3:*", "Resource": "*"}]}',
                 '{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"Maybe": {}}}]}'):
        done = latch("policy", "set", "alice", "-", input=text, check=False, json_output=False)
        assert done.returncode != 0 and done.stderr, text
    assert status_of(server, url) == (200, "")


def test_known_keys_and_the_same_owner_everywhere(server, latch):
    latch("user", "add", "bob", "--access-key", "BOBSACCESSKEY0000001", "--secret-key-stdin", input="bobs-secret/+=\n")
    latch("policy", "set", "bob", "full")
    bob = server.client(access_key="BOBSACCESSKEY0000001", secret_key="bobs-secret/+=")
    shown = latch("user", "show", "bob")
    owner = bob.list_buckets()["Owner"]
    assert owner["ID"] == shown["canonical_id"] and len(owner["ID"]) == 64
    assert "bobs-secret" not in json.dumps(latch("user", "list"))
    assert {"root", "bob"} <= {user["name"] for user in latch("user", "list")}
    latch("user", "remove", "bob")


def test_the_root_user_keeps_its_rights(server, latch, s3):
    assert s3.list_buckets()["Buckets"]
    shown = latch("user", "show", "root")
    assert ACCESS_KEY in json.dumps(shown)


def test_commands_work_without_a_server(start):
    server = start(data=None)
    server.stop()
    done = server.command("user", "add", "carol", "--data", server.data, "--json")
    assert json.loads(done.stdout)["access_key_id"]
    assert "carol" in server.command("user", "list", "--data", server.data).stdout


def test_many_changes_while_requests_run(server, latch, alice):
    """Whatever the moment, the answer is one of the two that are right."""
    url = presign(alice, "get_object")
    for _ in range(10):
        latch("policy", "set", "alice", "writeonly")
        assert status_of(server, url) == (403, "AccessDenied")
        latch("policy", "set", "alice", "readonly")
        assert status_of(server, url) == (200, "")


# ---- While a body is on its way, which can take hours

def half_sent(server, method, target, body, headers=()):
    """A request of which the last byte is missing. Gives what sends it and reads the answer."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    head = "".join(f"{name}: {value}\r\n" for name, value in (("Host", server.host), ("Content-Length", len(body)), ("Connection", "close"), *headers))
    connection.sendall(f"{method} {target} HTTP/1.1\r\n{head}Expect: 100-continue\r\n\r\n".encode())
    assert connection.recv(1000).startswith(b"HTTP/1.1 100 "), "it was let in"
    connection.sendall(body[:-1])

    def finish():
        connection.sendall(body[-1:])
        answer = b""
        while more := connection.recv(65536):
            answer += more
        connection.close()
        return int(answer.split()[1]), answer
    return finish


@pytest.mark.parametrize("stop", ["disable", "remove", "restrict", "revoke", "nothing"])
def test_who_is_stopped_while_a_body_is_sent_stores_nothing(server, latch, alice, s3, stop):
    s3.put_object(Bucket="pictures", Key="slow", Body=b"the old one")
    url = AWSRequest("PUT", f"{server.endpoint}/pictures/slow?x-latch-id=slow-{stop}")
    S3SigV4QueryAuth(alice._request_signer._credentials, "s3", "us-east-1", expires=300).add_auth(url)
    document = b"<Delete><Object><Key>slow</Key></Object></Delete>"
    signed = AWSRequest("POST", server.endpoint + "/pictures?delete=", data=document,
                        headers={"Content-MD5": base64.b64encode(hashlib.md5(document).digest()).decode()})
    HeaderSigner(alice._request_signer._credentials, "s3", "us-east-1").add_auth(signed)
    put = half_sent(server, "PUT", target_of(url.url), b"the new one")
    delete = half_sent(server, "POST", "/pictures?delete=", document, signed.headers.items())
    if stop == "revoke":
        token = server.command("token", "create", "stops", "--role", "link", "--user", "alice", "--data", server.data).stdout.strip()
        assert server.send("DELETE", f"/-/api/ids/slow-{stop}", {"Authorization": "Bearer " + token}).status == 204
    elif stop == "restrict":
        set_policy(latch, statement(action="s3:GetObject"))
    elif stop != "nothing":
        latch("user", stop, "alice")
    status, answer = put()
    assert status == (200 if stop == "nothing" else 403), answer
    got = s3.get_object(Bucket="pictures", Key="slow")["Body"].read()
    assert got == (b"the new one" if stop == "nothing" else b"the old one")
    status, answer = delete()
    if stop in ("nothing", "revoke"):
        assert status == 200 and b"<Deleted>" in answer, answer
    else:
        assert b"<Deleted>" not in answer and s3.head_object(Bucket="pictures", Key="slow"), answer


@pytest.mark.parametrize("is_revoked", [True, False])
def test_a_token_that_is_revoked_while_a_body_is_sent_does_nothing_more(server, latch, is_revoked):
    name = f"slow-{is_revoked}"
    token = server.command("token", "create", name, "--role", "backend", "--data", server.data).stdout.strip()
    finish = half_sent(server, "POST", "/-/api/links", b'{"bucket":"pictures","key":"slow"}', [("Authorization", "Bearer " + token)])
    latch("token", "revoke", name if is_revoked else server.command("token", "create", "other", "--role", "link", "--data", server.data).stdout.split("_")[1],
          json_output=False)
    assert finish()[0] == (401 if is_revoked else 201)
