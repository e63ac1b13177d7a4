"""Users and policies: changed by a command while the server runs, and in force at the next request."""
import json
import time

import pytest
from botocore.exceptions import ClientError
from harness import ACCESS_KEY, presign, target_of

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
