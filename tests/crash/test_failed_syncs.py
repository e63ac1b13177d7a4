"""A sync fails under a running server: what it answers, that it ends, and what is there after the next start."""
import contextlib
import errno
import http.client
import json
import os
import re
import subprocess
import threading
import time
import urllib.parse

import boto3
import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError
from harness import ACCESS_KEY, SECRET_KEY, Server, presign, send_on, target_of

BUCKET = "crash-bucket"
HERE = os.path.dirname(os.path.abspath(__file__))
BIG = os.urandom(300_000)


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("fault") / "sync_fault.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", path, os.path.join(HERE, "sync_fault.c"), "-ldl"], check=True)
    return str(path)


class Faulty:
    """A server whose disk fails when it is told to, and its next start on a disk that is well."""

    def __init__(self, library, folder):
        self.data = folder / "data"
        self.rule = folder / "fault"
        self.environment = {"LD_PRELOAD": library, "SYNC_FAULT": str(self.rule)}
        self.server = Server(self.data, "--buckets", BUCKET, "--access-log", "off", environment=self.environment)
        self.s3 = self.server.client()

    def fail(self, kind, part, number=errno.EIO, skip=0):
        new = self.rule.with_suffix(".new")
        new.write_text(f"{kind} {part} {number} {skip}\n")
        new.rename(self.rule)

    def failures(self):
        log = self.rule.with_name("fault.log")
        return log.read_text().splitlines() if log.exists() else []

    def assert_ends(self, part):
        """It ends by itself, with a status that has it started again, and says why."""
        assert self.server.process.wait(timeout=60) == 1, self.server.log()
        assert re.search(f"failed to sync the data of the {part}", self.server.log()), self.server.log()

    def start_again(self):
        status, output = Server.fsck(self.server)
        assert status == 0, output
        self.rule.unlink(missing_ok=True)
        self.server = Server(self.data, "--access-log", "off", log=str(self.data) + ".second")
        self.s3 = self.server.client()
        return self.server

    def close(self):
        assert self.server.stop() == 0, self.server.log()
        status, output = self.server.fsck()
        assert status == 0 and " 0 unreferenced blobs" in output, output

    def get(self, key):
        try:
            return self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        except self.s3.exceptions.NoSuchKey:
            return None


@pytest.fixture
def faulty(library, tmp_path):
    faulty = Faulty(library, tmp_path)
    yield faulty
    faulty.server.process.kill()


def assert_unknown(call, **parameters):
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 503, error
    assert error["Error"]["Code"] == "ServiceUnavailable", error
    assert "may or may not have happened" in error["Error"]["Message"], error


INDEX_FAULTS = [("sync", errno.EIO), ("sync-for-good", errno.ENOSPC), ("meta", errno.EIO), ("meta", errno.ENOSPC),
                ("meta-lands", errno.EIO)]


@pytest.mark.parametrize("kind,number", INDEX_FAULTS)
@pytest.mark.parametrize("body", [b"small", BIG], ids=["row", "blob"])
def test_a_write_whose_sync_fails(faulty, kind, number, body):
    """Unknown, and the disk decides: the new object whole, or the old one. Nothing refers to a blob that is gone."""
    faulty.s3.put_object(Bucket=BUCKET, Key="kept", Body=BIG)
    faulty.s3.put_object(Bucket=BUCKET, Key="replaced", Body=BIG[::-1])
    faulty.fail(kind, "index.mdb", number)
    assert_unknown(faulty.s3.put_object, Bucket=BUCKET, Key="replaced", Body=body)
    with contextlib.suppress(ClientError, BotoCoreError):
        faulty.s3.put_object(Bucket=BUCKET, Key="later", Body=b"x")
        raise AssertionError("a write after the failure was acknowledged")
    faulty.assert_ends("objects")
    assert faulty.failures(), "nothing failed"
    faulty.start_again()
    assert faulty.get("kept") == BIG
    assert faulty.get("replaced") == (body if kind == "meta-lands" else BIG[::-1])
    assert faulty.get("later") is None
    faulty.s3.put_object(Bucket=BUCKET, Key="replaced", Body=body)  # the client tries again
    assert faulty.get("replaced") == body
    faulty.close()


@pytest.mark.parametrize("kind", ["sync", "meta", "meta-lands"])
def test_every_other_kind_of_write(faulty, kind):
    """One request after the other meets a failed sync; each starts again on what the disk has."""
    def complete(s3):
        upload = s3.create_multipart_upload(Bucket=BUCKET, Key="large")["UploadId"]
        tag = s3.upload_part(Bucket=BUCKET, Key="large", UploadId=upload, PartNumber=1, Body=BIG)["ETag"]
        faulty.fail(kind, "index.mdb")
        s3.complete_multipart_upload(Bucket=BUCKET, Key="large", UploadId=upload,
                                     MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]})

    def call(name, **parameters):
        def run(s3):
            faulty.fail(kind, "index.mdb")
            getattr(s3, name)(Bucket=BUCKET, **parameters)
        return run

    faulty.s3.put_object(Bucket=BUCKET, Key="a", Body=BIG)
    for run in (complete, call("copy_object", Key="b", CopySource=f"{BUCKET}/a"), call("delete_object", Key="a"),
                call("put_object_tagging", Key="a", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]}),
                call("create_multipart_upload", Key="c"),
                call("put_bucket_versioning", VersioningConfiguration={"Status": "Enabled"})):
        if faulty.get("a") is None:
            faulty.s3.put_object(Bucket=BUCKET, Key="a", Body=BIG)
        assert_unknown(run, s3=faulty.s3)
        faulty.assert_ends("objects")
        faulty.server.environment.pop("LD_PRELOAD", None)
        faulty.start_again()
        for key in ("a", "b", "large"):
            assert faulty.get(key) in (None, BIG), key
        faulty.close()
        faulty.server = Server(faulty.data, "--access-log", "off", environment=faulty.environment,
                               log=str(faulty.data) + ".again")
        faulty.s3 = faulty.server.client()
    faulty.close()


def test_nothing_is_tried_again_under_load(faulty):
    """Many writers: whatever was acknowledged is there, and nothing is acknowledged after the failure."""
    stored, refused = {}, []

    def write(writer):
        with contextlib.suppress(OSError):
            for number in range(2000):
                key = f"{writer}-{number}"
                url = target_of(presign(faulty.s3, "put_object", bucket=BUCKET, key=key))
                with contextlib.closing(faulty.server.connection()) as connection:
                    answer = send_on(connection, "PUT", url, body=key.encode())
                if answer.status == 200:
                    stored[key] = time.monotonic()
                else:
                    refused.append((key, answer, time.monotonic()))
                    if len(refused) > 50:
                        return
    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    faulty.fail("sync", "index.mdb")
    for thread in threads:
        thread.join()
    faulty.assert_ends("objects")
    assert refused and all(answer.code == "ServiceUnavailable" for _, answer, _ in refused), refused[:3]
    assert len(faulty.failures()) == 1
    server = faulty.start_again()
    listed = {entry["Key"] for page in faulty.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
              for entry in page.get("Contents", [])}
    assert set(stored) <= listed, "an acknowledged object is gone"
    assert not {key for key, _, _ in refused} & listed, "the pages were dropped: a second sync was believed"
    assert server is faulty.server
    faulty.close()


def test_a_disk_that_is_full_before_the_sync(faulty):
    """A certain failure: it is tried again, and the server goes on."""
    for kind in ("pages",):
        faulty.fail(kind, "index.mdb", errno.ENOSPC)
        faulty.s3.put_object(Bucket=BUCKET, Key="a", Body=b"a")
    assert faulty.failures()
    assert faulty.get("a") == b"a"
    faulty.close()


@pytest.mark.parametrize("kind", ["sync", "meta", "meta-lands"])
def test_nothing_is_read_after_an_outcome_that_is_not_known(faulty, kind):
    """Who looks whether it happened must not be told that it did not: the disk may have it at the next start."""
    faulty.s3.put_object(Bucket=BUCKET, Key="a", Body=b"old")
    url = target_of(presign(faulty.s3, "get_object", bucket=BUCKET, key="a"))
    connections = [faulty.server.connection() for _ in range(8)]
    for connection in connections:
        assert send_on(connection, "GET", url).body == b"old"
    faulty.fail(kind, "index.mdb")
    assert_unknown(faulty.s3.put_object, Bucket=BUCKET, Key="a", Body=b"new")
    for connection in connections:
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):  # it has ended
            answer = send_on(connection, "GET", url)
            assert (answer.status, answer.code) == (503, "ServiceUnavailable"), answer
    faulty.assert_ends("objects")
    faulty.start_again()
    assert faulty.get("a") == (b"new" if kind == "meta-lands" else b"old")
    faulty.close()


# ---- Bodies

def test_a_body_whose_sync_fails(faulty):
    """It is no object, for certain; its file is never synced again; the server goes on."""
    faulty.s3.put_object(Bucket=BUCKET, Key="a", Body=BIG)
    faulty.fail("sync", "/blobs/")
    with pytest.raises(ClientError) as caught:
        faulty.s3.put_object(Bucket=BUCKET, Key="a", Body=b"x" * 300_000)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert faulty.get("a") == BIG
    faulty.s3.put_object(Bucket=BUCKET, Key="b", Body=BIG)
    assert faulty.get("b") == BIG
    faulty.close()


@pytest.mark.parametrize("part", ["/00000", "/blobs"])
def test_a_folder_of_bodies_whose_sync_fails(faulty, part):
    """Other bodies' names may be lost with it: nothing is sealed any more, and the server ends."""
    faulty.fail("folder", part)
    with pytest.raises(ClientError) as caught:
        faulty.s3.put_object(Bucket=BUCKET, Key="a", Body=BIG)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] >= 500
    with contextlib.suppress(ClientError, BotoCoreError):
        faulty.s3.put_object(Bucket=BUCKET, Key="b", Body=BIG)
        raise AssertionError("a second sync of the folder was believed")
    faulty.assert_ends("objects")
    faulty.start_again()
    assert faulty.get("a") is None and faulty.get("b") is None
    faulty.s3.put_object(Bucket=BUCKET, Key="b", Body=BIG)
    faulty.close()


# ---- Links and their counts

def bearer(server, role="link"):
    token = server.command("token", "create", "crash", "--role", role, "--data", server.data).stdout.strip()
    return {"Authorization": "Bearer " + token, "Content-Type": "application/json"}


def make_link(server, **fields):
    answer = server.send("POST", "/-/api/links", bearer(server), json.dumps({"bucket": BUCKET, **fields}).encode())
    assert answer.status == 201, answer
    return json.loads(answer.body)


def fetch(server, url, method="GET", body=None):
    with contextlib.closing(server.connection()) as connection:
        return send_on(connection, method, target_of(url), {"Host": urllib.parse.urlsplit(url).netloc}, body)


@pytest.mark.parametrize("kind", ["sync", "meta", "meta-lands"])
def test_a_use_whose_sync_fails_is_not_served(faulty, kind):
    """At most once, whatever the disk did: it is not served, and counted if it was written."""
    faulty.s3.put_object(Bucket=BUCKET, Key="once", Body=b"secret")
    url = make_link(faulty.server, key="once", max_uses=1)["url"]
    faulty.fail(kind, "ledger.mdb")
    answer = fetch(faulty.server, url)
    assert answer.status == 503 and b"may or may not" in answer.body and b"secret" not in answer.body, answer
    faulty.assert_ends("links")
    server = faulty.start_again()
    statuses = [fetch(server, url).status for _ in range(3)]
    assert statuses == ([403] * 3 if kind == "meta-lands" else [200, 403, 403])
    faulty.close()


@pytest.mark.parametrize("kind", ["sync", "meta-lands"])
def test_a_counted_upload_that_may_have_happened_is_spent(faulty, kind):
    request = AWSRequest("PUT", f"{faulty.server.endpoint}/{BUCKET}/up?x-latch-id=up&x-latch-uses=1")
    S3SigV4QueryAuth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", "us-east-1", expires=300).add_auth(request)
    url = request.url
    faulty.fail(kind, "index.mdb")
    answer = fetch(faulty.server, url, "PUT", b"first")
    assert answer.status == 503, answer
    faulty.assert_ends("objects")
    server = faulty.start_again()
    assert fetch(server, url, "PUT", b"second").status == 403, "the use was given back"
    assert faulty.get("up") == (b"first" if kind == "meta-lands" else None)
    faulty.close()


@pytest.mark.parametrize("kind", ["sync", "meta-lands"])
def test_the_same_call_again_gives_one_answer(faulty, kind):
    """An idempotent retry, after the restart, is right whichever way it went."""
    faulty.server.command("profile", "add", "any", "--bucket", BUCKET, "--key", "{uuid}", "--data", faulty.data)
    body = json.dumps({"profile": "any"}).encode()
    headers = {**bearer(faulty.server, "upload"), "Idempotency-Key": "one"}
    faulty.fail(kind, "ledger.mdb")
    answer = faulty.server.send("POST", "/-/api/uploads", headers, body)
    assert answer.status == 503 and b"may or may not" in answer.body, answer
    faulty.assert_ends("links")
    server = faulty.start_again()
    first = server.send("POST", "/-/api/uploads", headers, body)
    second = server.send("POST", "/-/api/uploads", headers, body)
    assert first.status == second.status == 201, first
    assert json.loads(first.body) == json.loads(second.body)
    assert first.headers["Idempotent-Replayed"] == ("true" if kind == "meta-lands" else None)
    faulty.close()


@pytest.mark.parametrize("kind", ["sync", "meta-lands"])
def test_parts_whose_completion_may_have_happened(faulty, kind):
    """The API says so, too, though it asks the store by a request of its own; and asking again is right."""
    faulty.server.command("profile", "add", "films", "--bucket", BUCKET, "--key", "{uuid}", "--data", faulty.data)
    headers = bearer(faulty.server, "upload")
    answer = faulty.server.send("POST", "/-/api/uploads", headers, b'{"profile":"films","method":"MULTIPART","size":5}')
    upload = json.loads(answer.body)["upload"]
    etag = fetch(faulty.server, upload["parts"][0]["url"], "PUT", b"hello").headers["ETag"]
    body = json.dumps({"parts": [{"number": 1, "etag": etag}]}).encode()
    faulty.fail(kind, "index.mdb")
    answer = faulty.server.send("POST", target_of(upload["complete_url"]), headers, body)
    assert answer.status == 503 and json.loads(answer.body)["error"]["code"] == "ServiceUnavailable", answer
    assert b"may or may not" in answer.body, answer
    faulty.assert_ends("objects")
    answer = faulty.start_again().send("POST", target_of(upload["complete_url"]), headers, body)
    assert answer.status == 200 and json.loads(answer.body)["status"] == "complete", answer
    faulty.close()


# ---- Users, and the command line

@pytest.mark.parametrize("kind", ["sync", "meta-lands"])
def test_a_command_says_that_it_does_not_know(faulty, library, kind):
    faulty.fail(kind, "users.mdb")
    environment = {**faulty.environment, "LATCHSTRING_DATA": str(faulty.data)}
    # The opening commits once, and meets the failure; the second time it is the change.
    done = faulty.server.command("user", "add", "ana", environment=environment, check=False)
    assert done.returncode == 1 and done.stderr, done
    assert faulty.server.command("user", "list", environment={"LATCHSTRING_DATA": str(faulty.data)}).returncode == 0
    faulty.close()


@pytest.mark.parametrize("kind", ["sync", "meta", "meta-lands"])
def test_a_server_does_not_act_on_what_a_command_could_not_sync(faulty, kind):
    """A user who may or may not have been added signs nothing beside a running server; after its next start the disk
    decides."""
    def is_known(server):
        s3 = boto3.client("s3", endpoint_url=server.endpoint, aws_access_key_id="anaskey", aws_secret_access_key="anas-secret",
                          region_name="us-east-1", config=Config(retries={"total_max_attempts": 1}))
        with contextlib.suppress(ClientError):
            s3.list_objects_v2(Bucket=BUCKET)
            return True
        return False

    # The first sync, of an opening, goes well; the second is of the change.
    faulty.fail(kind, "users.mdb", skip=1)
    done = faulty.server.command("user", "add", "ana", "--policy", "readwrite", "--access-key", "anaskey", "--secret-key-stdin",
                                 input="anas-secret\n", environment={**faulty.environment, "LATCHSTRING_DATA": str(faulty.data)},
                                 check=False)
    assert done.returncode == 1 and "may or may not have happened" in done.stderr, done
    assert faulty.failures()
    for _ in range(3):
        assert not is_known(faulty.server)
        faulty.server.command("user", "list", environment={"LATCHSTRING_DATA": str(faulty.data)})
    faulty.server.process.kill()
    faulty.server.process.wait()
    server = faulty.start_again()
    assert is_known(server) == (kind == "meta-lands")
    done = server.command("user", "add", "ana", "--policy", "readwrite", "--access-key", "anaskey", "--secret-key-stdin",
                          input="anas-secret\n", environment={"LATCHSTRING_DATA": str(faulty.data)}, check=False)
    assert (done.returncode, "already" in done.stderr) == ((1, True) if kind == "meta-lands" else (0, False)), done
    assert is_known(server), "the same command again"
    faulty.close()


def test_the_root_key_of_which_nobody_knows_whether_it_is_kept(library, tmp_path):
    rule = tmp_path / "fault"
    rule.write_text(f"folder {tmp_path}/data {errno.EIO}\n")
    with pytest.raises(AssertionError) as caught:
        Server(tmp_path / "data", keys=False, environment={"LD_PRELOAD": library, "SYNC_FAULT": str(rule)})
    assert "Sync" not in str(caught.value) and "did not start" in str(caught.value)
    with Server(tmp_path / "data", keys=False, log=tmp_path / "second") as server:
        assert "Access key" in server.log()
