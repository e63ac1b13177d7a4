"""The server on an index that does all that the interface allows (tests/engine/strange.h): outcomes that nobody knows, no
snapshot, readings that wait, notifications that are lost, batches in another order.

An answer of success is true afterwards; after a 503 the old state or the whole new one is there. `tests/run --only strange`
runs other tests of this folder on it too, without unknown outcomes: those expect their answers."""
import concurrent.futures
import contextlib
import hashlib
import json
import os
import random
import xml.etree.ElementTree as xml

import pytest
from harness import ROOT, code_of, sign_and_send
from test_constraints import send, sign
from test_links import ask, get

BUCKET = "pictures"
STRANGE = os.path.join(os.environ.get("LST_BUILD", os.path.join(ROOT, "build", "sanitized")), "tests", "engine",
                       "latchstring-strange")
IS_LONG = os.environ.get("LST_FULL") == "1"
STEPS = 2000 if IS_LONG else 60
BUCKETS = (BUCKET, "versioned")


class Strange:
    """The server, and the file that makes outcomes unknown while it is there."""

    def __init__(self, server, armed):
        self.server, self.armed = server, armed

    @contextlib.contextmanager
    def unknown(self):
        self.armed.touch()
        try:
            yield
        finally:
            self.armed.unlink()


@pytest.fixture(name="strange", scope="module")
def _strange(start, tmp_path_factory):
    folder = tmp_path_factory.mktemp("strange")
    (folder / "profiles").mkdir()
    (folder / "profiles" / "fixed.json").write_text(json.dumps({"bucket": BUCKET, "key": "uploads/{uuid}"}))
    armed = folder / "armed"
    server = start("--api-rate", "0", "--profiles", str(folder / "profiles"), binary=STRANGE,
                   environment={"LATCHSTRING_BUCKETS": BUCKET, "LST_STRANGE": "unknown=5", "LST_STRANGE_ARMED": str(armed)})
    s3 = server.client()
    s3.create_bucket(Bucket="versioned")
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    return Strange(server, armed)


@pytest.fixture(name="server", scope="module")
def _server(strange):
    return strange.server


def is_unknown(status, code):
    """Whether nobody knows what came of it. Any other error is wrong."""
    assert status < 300 or (status, code) == (503, "ServiceUnavailable"), (status, code)
    return status >= 300


class Writer:
    """One who writes keys of his own, and knows what each can contain: bytes, or None if it is not there."""

    def __init__(self, server, number):
        self.server, self.random = server, random.Random(number)
        self.keys = [(bucket, f"{number}/{i}") for bucket in BUCKETS for i in range(3)]
        self.possible = {place: {None} for place in self.keys}
        self.unknown = 0

    def ask(self, method, place, body=b"", query="", headers=None):
        return sign_and_send(self.server, method, "/{}/{}".format(*place), body, query, headers)

    def wrote(self, answer, place, new):
        """What the place can contain after a write."""
        if is_unknown(answer.status, answer.code):
            self.unknown += 1
            self.possible[place] = self.possible[place] | new
        else:
            self.possible[place] = new

    def read(self, place):
        answer = self.ask("GET", place)
        found = answer.body if answer.status == 200 else None
        assert answer.status == 200 or answer.code in ("NoSuchKey", "NoSuchVersion"), answer
        assert found in self.possible[place], (place, found and found[:40])
        assert found is None or answer.headers["ETag"].count("-") or answer.headers["ETag"][1:-1] == \
            hashlib.md5(found).hexdigest()
        self.possible[place] = {found}
        return found

    def step(self):
        way = self.random.choice(("put", "put", "delete", "copy", "parts", "read"))
        place, other = self.random.sample(self.keys, 2)
        body = self.random.randbytes(self.random.choice((0, 10, 3000, 30_000)))
        getattr(self, "do_" + way)(place, body, other)

    def do_read(self, place, *_):
        self.read(place)

    def do_put(self, place, body, _):
        self.wrote(self.ask("PUT", place, body), place, {body})

    def do_delete(self, place, *_):
        self.wrote(self.ask("DELETE", place), place, {None})

    def do_copy(self, place, _, other):
        body = self.read(other)
        if body is not None:
            self.wrote(self.ask("PUT", place, headers={"x-amz-copy-source": "/{}/{}".format(*other)}), place, {body})

    def do_parts(self, place, body, _):
        answer = self.ask("POST", place, query="uploads=")
        if is_unknown(answer.status, answer.code):
            return
        upload = xml.fromstring(answer.body).findtext("{*}UploadId")
        answer = self.ask("PUT", place, body, f"partNumber=1&uploadId={upload}")
        if not is_unknown(answer.status, answer.code):
            document = (f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{answer.headers['ETag']}</ETag></Part>"
                        "</CompleteMultipartUpload>").encode()
            answer = self.ask("POST", place, document, f"uploadId={upload}")
            if b"<Error>" in answer.body and answer.status == 200:
                answer.status = 503  # it had begun to answer
            self.wrote(answer, place, {body})
            if answer.status < 300:
                return
        assert self.ask("DELETE", place, query=f"uploadId={upload}").status in (204, 404, 503)

    def run(self):
        for _ in range(STEPS):
            self.step()
        return self


def test_objects(strange):
    """Several write at once, each to keys of its own, and always read what they wrote, or what may be there."""
    writers = [Writer(strange.server, number) for number in range(4)]
    with strange.unknown(), concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert list(pool.map(Writer.run, writers)) == writers
    assert sum(writer.unknown for writer in writers) > 5
    for writer in writers:
        expected = {place: writer.read(place) for place in writer.keys}
        for bucket in BUCKETS:
            listed = sign_and_send(strange.server, "GET", f"/{bucket}", query=f"list-type=2&prefix={writer.keys[0][1][0]}%2F")
            keys = [entry.text for entry in xml.fromstring(listed.body).findall("{*}Contents/{*}Key")]
            assert keys == sorted(key for (b, key), body in expected.items() if b == bucket and body is not None)
        for place in writer.keys:  # and writes go on
            writer.do_put(place, b"at last", None)
            assert writer.read(place) == b"at last"


def test_buckets(strange):
    s3 = strange.server.client()
    is_there = False
    for number in range(30):
        with strange.unknown():
            method = "DELETE" if is_there and number % 2 else "PUT"
            answer = sign_and_send(strange.server, method, "/often")
        if answer.status == 404:
            assert method == "DELETE" and not is_there
        elif not is_unknown(answer.status, answer.code):
            assert (sign_and_send(strange.server, "HEAD", "/often").status == 200) == (method == "PUT")
        is_there = sign_and_send(strange.server, "HEAD", "/often").status == 200
        assert ("often" in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]) == is_there
        if is_there:
            s3.put_object(Bucket="often", Key="k", Body=b"x")
            s3.delete_object(Bucket="often", Key="k")
        else:
            assert code_of(s3.put_object, Bucket="often", Key="k", Body=b"x") == "NoSuchBucket"


def test_a_link_is_never_served_twice(strange):
    sign_and_send(strange.server, "PUT", f"/{BUCKET}/once", b"a secret")
    served = 0
    for number in range(20):
        url = sign(strange.server, key="once", id=f"strange-{number}", uses=1)
        with strange.unknown():
            statuses = [send("GET", url).status for _ in range(3)]
        assert set(statuses) <= {200, 403, 503} and statuses.count(200) <= 1, statuses
        assert send("GET", url).status == 403 or 200 not in statuses
        served += statuses.count(200)
    assert served > 5


def test_a_revoked_link_is_refused(strange):
    for _ in range(10):
        status, link = ask(strange.server, "POST", "/-/api/links", {"bucket": BUCKET, "key": "once"})
        assert status == 201, link
        with strange.unknown():
            status = ask(strange.server, "DELETE", "/-/api/links/" + link["id"])[0]
        assert status in (204, 503)
        served = get(link["url"])[0].status
        state = ask(strange.server, "GET", "/-/api/links/" + link["id"])[1]["state"]
        assert (served, state) == (403, "revoked") or (status, served, state) == (503, 200, "active"), (status, served, state)
        assert ask(strange.server, "DELETE", "/-/api/links/" + link["id"])[0] == 204
        assert get(link["url"])[0].status == 403


def test_uploads(strange):
    token = strange.server.command("token", "create", "--data", strange.server.data, "--role", "backend",
                                   "strange").stdout.split()[-1]
    bearer = {"Authorization": "Bearer " + token}
    arrived = 0
    for number in range(20):
        body = f"upload {number}".encode()
        with strange.unknown():
            answer = strange.server.send("POST", "/-/api/uploads", {**bearer, "Idempotency-Key": f"number-{number}"},
                                         json.dumps({"profile": "fixed", "size": len(body)}).encode())
            assert answer.status in (201, 503), answer
            if answer.status == 503:
                continue
            made = json.loads(answer.body)
            statuses = [get(made["upload"]["url"], "PUT", body, made["upload"].get("headers"))[0].status for _ in range(2)]
        assert set(statuses) <= {200, 403, 412, 503} and statuses.count(200) <= 1, statuses
        state = json.loads(strange.server.send("GET", "/-/api/uploads/" + made["id"], bearer).body)
        found = sign_and_send(strange.server, "GET", f"/{BUCKET}/{made['key']}")
        if 200 in statuses:
            assert state["status"] == "complete" and found.body == body, (statuses, state, found)
            arrived += 1
        else:
            assert found.status == 404 or found.body == body
    assert arrived > 2


def test_the_next_start(strange, start):
    """What was answered is there after a restart; nothing is found twice, or half."""
    server = strange.server
    before = {}
    for bucket in BUCKETS:
        before[bucket] = sign_and_send(server, "GET", f"/{bucket}", query="versions=").body
    assert server.stop() == 0, server.log()[-2000:]
    status, output = server.fsck()
    assert status == 0, output
    again = start(binary=STRANGE, data=server.data)
    for bucket in BUCKETS:
        assert sign_and_send(again, "GET", f"/{bucket}", query="versions=").body == before[bucket]
