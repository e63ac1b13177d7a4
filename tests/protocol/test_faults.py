"""Every call of index and blob, of the system and for memory fails, one after another, while a request is answered.

The server is a test build whose N-th call fails (tests/fault/fault.h), armed through a file that both map. An answer of
success is true afterwards; after an error the old object or the whole new one is there; the check is clean at the end."""
import base64
import hashlib
import http.client
import itertools
import json
import mmap
import os
import random
import struct
import subprocess
import time
import urllib.parse
import xml.etree.ElementTree as xml

import pytest
import requests
from harness import ROOT, Answer, Server, sign_and_send
from test_approval import Application
from test_constraints import sign
from test_links import ask
from test_uppy import Receiver

BUCKET = "pictures"
FAULTY = os.path.join(os.environ.get("LST_BUILD", os.path.join(ROOT, "build", "sanitized")), "tests", "fault",
                      "latchstring-faults")
STORE, SYSTEM, MEMORY = 1, 2, 4
NO_SPACE, TOO_MANY_FILES, IO, NO_MEMORY = -202, -210, -201, -200
CODES = (NO_SPACE, TOO_MANY_FILES, IO, NO_MEMORY)
ERRORS = {(500, "InternalError"), (503, "SlowDown"), (503, "ServiceUnavailable"), (507, "InsufficientStorage")}
LAYOUT = "=IIIiIII"  # struct fault_control, up to its sites
SITE = "=IHH"
CONTROL = 64 * 1024
IS_LONG = os.environ.get("LST_FULL") == "1"
OLD, NEW = b"the old object", random.Random(5).randbytes(40_000)
SMALL = NEW[:700]
BIG = random.Random(6).randbytes(5 << 20)  # the least that a part may have


class Faults:
    """The control of a running server."""

    def __init__(self, path):
        self.path, self.failed = path, set()
        path.write_bytes(bytes(CONTROL))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), CONTROL)

    def arm(self, kinds, number, code, stays=False):
        struct.pack_into("=IIIiII", self.map, 0, 0, number, stays, code, 0, 0)
        struct.pack_into("=I", self.map, 0, kinds)

    def never(self):
        """The places that make a call which has never failed: {"lst_index_get by find src/...": its kind}."""
        names = subprocess.run([os.path.join(ROOT, "tests", "fault", "list_calls.sh")], stdout=subprocess.PIPE, check=True,
                               text=True).stdout.split()
        count = struct.unpack_from(LAYOUT, self.map)[6]
        sites = [struct.unpack_from(SITE, self.map, struct.calcsize(LAYOUT) + i * struct.calcsize(SITE))
                 for i in range(count)]
        assert count > 500, "the server has found its calls"
        self.failed = {names[call] for _, call, has_failed in sites if has_failed}
        rest = [(place, names[call]) for place, call, has_failed in sites if not has_failed]
        lines = subprocess.run(["addr2line", "-f", "-e", FAULTY], input="".join(f"{place - 1:#x}\n" for place, _ in rest),
                               stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()
        assert len(lines) == 2 * len(rest)
        found = {}
        for i, (_, name) in enumerate(rest):
            where = lines[2 * i + 1].rpartition("/src/")[2].split(" ")[0]
            kind = STORE if name.startswith("lst_") else SYSTEM if names.index(name) < names.index("malloc") else MEMORY
            found[f"{name} by {lines[2 * i]} {where}"] = kind
        return found

    def has_fired(self):
        return struct.unpack_from(LAYOUT, self.map)[5] > 0

    def count(self):
        """How many calls were made since it was armed."""
        return struct.unpack_from(LAYOUT, self.map)[4]

    def disarm(self):
        """Whether a call has failed."""
        struct.pack_into("=I", self.map, 0, 0)
        return struct.unpack_from(LAYOUT, self.map)[5] > 0


@pytest.fixture(name="faults", scope="module")
def _faults(tmp_path_factory):
    return Faults(tmp_path_factory.mktemp("faults") / "control")


@pytest.fixture(name="server", scope="module")
def _server(start, faults, tmp_path_factory):
    path = faults.path
    folder = tmp_path_factory.mktemp("profiles")
    (folder / "fixed.json").write_text(json.dumps({"bucket": BUCKET, "key": "uploads/{uuid}"}))
    arguments = ("--api-rate", "0", "--profiles", str(folder))
    server = start(*arguments, binary=FAULTY,
                   environment={"LATCHSTRING_BUCKETS": BUCKET, "LST_FAULT_FILE": str(path)})
    server.arguments = arguments
    faults.server = server
    server.client().create_bucket(Bucket="versioned")
    server.client().put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    return server


def failed(answer, kinds):
    """Whether the answer is an error; if so, one that S3 has for what may happen to a server."""
    if answer is None:
        return True  # a connection that was closed
    if answer.status < 400:
        return b"<Error>" in answer.body and b"<Code>" in answer.body
    if not answer.body:
        assert answer.status in (500, 503, 507), answer  # to HEAD
    elif answer.headers["Content-Type"].startswith("application/json"):
        error = json.loads(answer.body)["error"]  # Uppy's is a text
        assert answer.status in (500, 503, 507), (answer, error)
    elif answer.headers["Content-Type"].startswith("text/"):  # a link's page, or its one sentence
        assert answer.status in (500, 503, 507) and b"<Error>" not in answer.body, answer
    else:
        assert (answer.status, answer.code) in ERRORS, answer
    return True


def revive(server):
    """A server of which a sync has failed ends by itself, with status 1: start it again, at the same address."""
    try:
        if server.send("GET", "/-/ready").status == 200:
            return
    except (OSError, http.client.HTTPException):
        pass
    assert server.process.wait(timeout=60) == 1, server.log()[-2000:]
    assert "failed to sync the data" in server.log(), server.log()[-2000:]
    server.runs = getattr(server, "runs", 0) + 1
    again = Server(server.data, *server.arguments, environment=server.environment, binary=FAULTY, listen=server.host,
                   log=f"{server.data}.{server.runs}.log")
    server.process, server.log_path = again.process, again.log_path


def each(faults, kinds, send, check, prepare=lambda: None, may_close=False, is_stateless=False):
    """Send with the first call failing, the second, ... until none is left; check(failed, answer) after each.

    is_stateless: the request need not call index or blob; a link, for one, is nothing but a signature."""
    for start in range(4 if IS_LONG else 1):
        for number in itertools.count(1):
            assert number < 2000
            prepare()
            faults.arm(kinds, number, CODES[(start + number) % 4])
            try:
                answer = send()
            except (http.client.HTTPException, ConnectionError, requests.RequestException):
                assert may_close or kinds != STORE, f"call {number}: the connection was closed"
                answer = None
            finally:
                fired = faults.disarm()
            if fired and kinds == SYSTEM:
                revive(faults.server)
            try:
                check(failed(answer, kinds), answer)
            except AssertionError as error:
                what = f"failing with {CODES[(start + number) % 4]}" if fired else "is one too many, nothing failed"
                raise AssertionError(f"kind {kinds}, call {number} {what}: {answer}") from error
            if not fired:
                assert not failed(answer, kinds), answer
                assert number > 1 or kinds != STORE or is_stateless, "it calls nothing"
                break


def get(server, key, bucket=BUCKET):
    answer = sign_and_send(server, "GET", f"/{bucket}/{key}")
    return answer.body if answer.status == 200 else answer.code


KINDS = pytest.mark.parametrize("kinds", [STORE, SYSTEM, MEMORY], ids=["store", "system", "memory"])


def put(server, key, body, bucket=BUCKET):
    assert sign_and_send(server, "PUT", f"/{bucket}/{key}", body).status == 200


def old_or_new(server, kinds, key, new, bucket=BUCKET):
    def check(is_error, answer):
        found = get(server, key, bucket)
        assert found == new if not is_error else found == OLD or (kinds != STORE and found == new), found[:100]
    return check


# ---- Writing objects

def form(post, body):
    answer = requests.post(post["url"], data=post["fields"], files={"file": body}, timeout=30)
    return Answer(answer.status_code, answer.headers, answer.content)


@KINDS
@pytest.mark.parametrize("name", ["small", "large"])
@pytest.mark.parametrize("way", ["put", "versioned", "checksum", "form", "copy", "upload-url"])
def test_a_write(server, faults, kinds, way, name):
    body, key = (SMALL if name == "small" else NEW), f"{way}-{name}"
    bucket = "versioned" if way == "versioned" else BUCKET
    put(server, "source-" + name, body)
    post = server.client().generate_presigned_post(BUCKET, key) if way == "form" else None
    send = {
        "put": lambda: sign_and_send(server, "PUT", f"/{BUCKET}/{key}", body),
        "versioned": lambda: sign_and_send(server, "PUT", f"/versioned/{key}", body),
        "checksum": lambda: sign_and_send(server, "PUT", f"/{BUCKET}/{key}", body,
                                         headers={"x-amz-checksum-algorithm": "SHA256"}),
        "form": lambda: form(post, body),
        "copy": lambda: sign_and_send(server, "PUT", f"/{BUCKET}/{key}",
                                      headers={"x-amz-copy-source": f"/{BUCKET}/source-{name}"}),
        "upload-url": lambda: signed(sign(server, "PUT", key, length="1-1000000"), "PUT", body),
    }[way]
    each(faults, kinds, send, old_or_new(server, kinds, key, body, bucket), lambda: put(server, key, OLD, bucket))


def md5_of(body):
    return base64.b64encode(hashlib.md5(body).digest()).decode()


def signed(url, method="GET", body=None):
    answer = requests.request(method, url, data=body, timeout=30)
    return Answer(answer.status_code, answer.headers, answer.content)


@KINDS
@pytest.mark.parametrize("way", ["delete", "delete-versioned", "delete-many"])
def test_a_deletion(server, faults, kinds, way):
    bucket = "versioned" if way == "delete-versioned" else BUCKET
    document = f"<Delete><Object><Key>{way}</Key></Object></Delete>".encode()

    def send():
        if way == "delete-many":
            return sign_and_send(server, "POST", f"/{BUCKET}", document, "delete=",
                                 {"x-amz-checksum-algorithm": "SHA256",
                                  "Content-MD5": md5_of(document)})
        return sign_and_send(server, "DELETE", f"/{bucket}/{way}")
    each(faults, kinds, send, old_or_new(server, kinds, way, "NoSuchKey", bucket), lambda: put(server, way, OLD, bucket))


@KINDS
def test_tags(server, faults, kinds):
    tags = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"

    def check(is_error, _):
        assert get(server, "tags") == OLD
        found = sign_and_send(server, "GET", f"/{BUCKET}/tags", query="tagging=").body
        assert (b"<Key>a</Key>" in found) != is_error or (is_error and kinds != STORE)
    each(faults, kinds, lambda: sign_and_send(server, "PUT", f"/{BUCKET}/tags", tags, "tagging="), check,
         lambda: put(server, "tags", OLD))


# ---- Uploads in parts

class Upload:
    def __init__(self, server, key):
        self.server, self.key, self.id, self.etag = server, key, None, None

    def create(self):
        return sign_and_send(self.server, "POST", f"/{BUCKET}/{self.key}", query="uploads=")

    def prepare(self):
        put(self.server, self.key, OLD)
        self.id = xml.fromstring(self.create().body).findtext("{*}UploadId")

    def part(self, body=NEW):
        return sign_and_send(self.server, "PUT", f"/{BUCKET}/{self.key}", body, f"partNumber=1&uploadId={self.id}")

    def prepare_part(self):
        self.prepare()
        self.etag = self.part().headers["ETag"]

    def complete(self, **headers):
        document = (f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{self.etag}</ETag></Part>"
                    "</CompleteMultipartUpload>").encode()
        return sign_and_send(self.server, "POST", f"/{BUCKET}/{self.key}", document, f"uploadId={self.id}", headers)

    def abort(self):
        return sign_and_send(self.server, "DELETE", f"/{BUCKET}/{self.key}", query=f"uploadId={self.id}")

    def list(self):
        return sign_and_send(self.server, "GET", f"/{BUCKET}/{self.key}", query=f"uploadId={self.id}")


@KINDS
def test_an_upload(server, faults, kinds):
    upload = Upload(server, "upload")

    def created(is_error, answer):
        if not is_error:
            upload.id = xml.fromstring(answer.body).findtext("{*}UploadId")
            assert upload.list().status == 200 and upload.abort().status == 204
    each(faults, kinds, upload.create, created)

    def has_part(is_error, _):
        found = xml.fromstring(upload.list().body).findall("{*}Part")
        assert len(found) == 1 if not is_error else kinds != STORE or not found
        assert upload.abort().status == 204
    each(faults, kinds, upload.part, has_part, upload.prepare)

    def aborted(is_error, _):
        assert get(server, "upload") == OLD
        assert upload.list().status == 404 if not is_error else kinds != STORE or upload.list().status == 200
        upload.abort()
    each(faults, kinds, upload.abort, aborted, upload.prepare_part)

    def completed(is_error, answer):
        old_or_new(server, kinds, "upload", NEW)(is_error, answer)
        if is_error:
            assert not failed(upload.complete(), kinds), "it can be completed again"
            assert get(server, "upload") == NEW
    each(faults, kinds, upload.complete, completed, upload.prepare_part)


def test_a_look_that_fails_finds_no_conflict(server, faults):
    """The object that If-None-Match forbids is there: whoever can't look does not say that it has come meanwhile."""
    upload = Upload(server, "conflict")
    put(server, "conflict", OLD)
    upload.prepare_part()
    for number in itertools.count(1):
        faults.arm(STORE, number, IO)
        answer = upload.complete(**{"If-None-Match": "*"})
        fired = faults.disarm()
        assert answer.code == "PreconditionFailed" or (fired and (answer.status, answer.code) in ERRORS), (number, answer)
        assert get(server, "conflict") == OLD
        if not fired:
            break
    assert number > 1
    upload.abort()


# ---- Buckets

@KINDS
def test_a_bucket(server, faults, kinds):
    def is_there():
        return sign_and_send(server, "HEAD", "/coming").status == 200

    def make():
        if not is_there():
            assert sign_and_send(server, "PUT", "/coming").status == 200

    def remove():
        if is_there():
            assert sign_and_send(server, "DELETE", "/coming").status == 204
    each(faults, kinds, lambda: sign_and_send(server, "PUT", "/coming"),
         lambda is_error, _: is_error or (is_there() and put(server, "a", b"b", "coming") is None and
                                          sign_and_send(server, "DELETE", "/coming/a").status == 204) or pytest.fail(),
         remove)
    each(faults, kinds, lambda: sign_and_send(server, "DELETE", "/coming"),
         lambda is_error, _: is_error or not is_there() or pytest.fail(), make)


@KINDS
def test_settings(server, faults, kinds):
    cors = (b"<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>"
            b"</CORSConfiguration>")

    def status():
        return sign_and_send(server, "GET", f"/{BUCKET}", query="cors=").status
    each(faults, kinds, lambda: sign_and_send(server, "PUT", f"/{BUCKET}", cors, "cors=", {"Content-MD5": md5_of(cors)}),
         lambda is_error, _: is_error or status() == 200 or pytest.fail())
    each(faults, kinds, lambda: sign_and_send(server, "DELETE", f"/{BUCKET}", query="cors="),
         lambda is_error, _: is_error or status() == 404 or pytest.fail())


@KINDS
def test_a_preflight(server, faults, kinds):
    """What the bucket's rules do not allow is not allowed by the server's setting because they can't be read."""
    server.client().put_bucket_cors(Bucket="versioned", CORSConfiguration={"CORSRules": [
        {"AllowedOrigins": ["https://a"], "AllowedMethods": ["GET"], "AllowedHeaders": ["x-a"], "ExposeHeaders": ["x-b"]}]})
    fields = {"Origin": "https://a", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-a"}

    def ask_it():
        return server.send("OPTIONS", "/versioned/k", fields)

    def check(is_error, answer):
        assert is_error or [answer.headers[f"Access-Control-{name}"] for name in (
            "Allow-Origin", "Allow-Methods", "Allow-Headers", "Expose-Headers")] == ["https://a", "GET", "x-a", "x-b"]
    each(faults, kinds, ask_it, check, may_close=True)


def test_preflights_do_not_parse_the_rules_again(server, faults):
    """Anybody may send them. To parse many rules takes memory: the first one does, once they have changed, and none after it."""
    def set_rules(name):
        server.client().put_bucket_cors(Bucket="versioned", CORSConfiguration={"CORSRules": [
            {"AllowedOrigins": [f"https://{name}{number}"], "AllowedMethods": ["GET"]} for number in range(100)]})

    def calls(name):
        faults.arm(MEMORY, 0, NO_MEMORY)
        answer = server.send("OPTIONS", "/versioned/k", {"Origin": f"https://{name}99", "Access-Control-Request-Method": "GET"})
        assert answer.status == 200 and not faults.disarm()
        return faults.count()
    set_rules("a")
    calls("a")
    set_rules("b")
    first = calls("b")
    assert min(calls("b") for _ in range(5)) < first


# ---- Reading

READS = {
    "get": ("GET", f"/{BUCKET}/read", ""),
    "head": ("HEAD", f"/{BUCKET}/read", ""),
    "tags": ("GET", f"/{BUCKET}/read", "tagging="),
    "list": ("GET", f"/{BUCKET}", "list-type=2&max-keys=5"),
    "versions": ("GET", "/versioned", "versions=&max-keys=5"),
    "uploads": ("GET", f"/{BUCKET}", "uploads="),
    "buckets": ("GET", "/", ""),
    "location": ("GET", f"/{BUCKET}", "location="),
}


@KINDS
@pytest.mark.parametrize("name", READS)
def test_reading(server, faults, kinds, name):
    method, path, query = READS[name]
    put(server, "read", NEW)
    put(server, "read", NEW, "versioned")
    whole = sign_and_send(server, method, path, query=query)
    each(faults, kinds, lambda: sign_and_send(server, method, path, query=query),
         lambda is_error, answer: is_error or (answer.status, answer.body) == (whole.status, whole.body) or pytest.fail(),
         may_close=True)


# ---- Counts, tokens, links

@KINDS
def test_a_counted_url(server, faults, kinds):
    """Served once at most, whatever fails."""
    put(server, "cat.jpg", OLD)
    urls = (sign(server, id=f"count-{kinds}-{i}", uses=1) for i in itertools.count())
    url = [None]

    def check(is_error, answer):
        again = signed(url[0])
        assert is_error or answer.body == OLD
        assert again.status == 403 if not is_error else again.status in (200, 403)
    each(faults, kinds, lambda: signed(url[0]), check, lambda: url.__setitem__(0, next(urls)), may_close=True)


@KINDS
def test_the_api(server, faults, kinds):
    put(server, "linked", OLD)

    def send(path, fields, method="POST"):
        def call():
            status, answer = ask(server, method, path, fields)
            return Answer(status, {"Content-Type": "application/json"}, b"" if answer is None else json.dumps(answer).encode())
        return call

    def opens(is_error, answer):
        assert is_error or signed(json.loads(answer.body)["url"]).body == OLD
    each(faults, kinds, send("/-/api/links", {"bucket": BUCKET, "key": "linked", "max_uses": 3}), opens, is_stateless=True)

    def takes(is_error, answer):
        if not is_error:
            upload = json.loads(answer.body)
            put_to = upload["upload"]
            assert requests.request(put_to["method"], put_to["url"], data=b"x", headers=put_to.get("headers"),
                                    timeout=30).status_code == 200
    each(faults, kinds, send("/-/api/uploads", {"profile": "fixed"}), takes, is_stateless=True)

    link = ask(server, "POST", "/-/api/links", {"bucket": BUCKET, "key": "linked"})[1]
    each(faults, kinds, send("/-/api/links/" + link["id"], None, "GET"),
         lambda is_error, answer: is_error or json.loads(answer.body)["id"] == link["id"] or pytest.fail())
    made = [None]

    def make():
        made[0] = ask(server, "POST", "/-/api/links", {"bucket": BUCKET, "key": "linked"})[1]

    gone = []

    def revoked(is_error, _):
        assert is_error or signed(made[0]["url"]).status == 403
        if not is_error:
            gone.append(made[0]["url"])
    each(faults, kinds, lambda: send("/-/api/links/" + made[0]["id"], None, "DELETE")(), revoked, make)

    if kinds == STORE:
        restart(server)
        assert all(signed(url).status == 403 for url in gone), "revoked after a new start, too"
    status, page = ask(server, "GET", "/-/api/links?limit=20")
    assert status == 200, page
    each(faults, kinds, send("/-/api/links?limit=20", None, "GET"),
         lambda is_error, answer: is_error or json.loads(answer.body) == page or pytest.fail())


@KINDS
@pytest.mark.parametrize("name", ["button", "password", "files", "list", "archive"])
def test_short_links(server, faults, kinds, name):
    """What a person or a program sees of one is whole, its policy too, or it is an error."""
    for key in ("opened/a.txt", "opened/b.txt"):
        put(server, key, OLD)
    terms = {"button": {"key": "opened/a.txt", "max_uses": 1000}, "password": {"key": "opened/a.txt", "password": "open sesame"}}
    status, link = ask(server, "POST", "/-/api/links", {
        "bucket": BUCKET, **terms.get(name, {"key": "opened/", "folder": True})})
    assert status == 201, link
    path = urllib.parse.urlsplit(link["short_url"]).path + ("?zip=1" if name == "archive" else "")
    accept = {"Accept": "application/json" if name == "list" else "text/html"}
    names = ("Content-Security-Policy", "X-Frame-Options", "Content-Type", "Content-Disposition")

    def seen(answer):
        return answer.status, answer.body, [answer.headers[field] for field in names]
    wanted = seen(server.send("GET", path, accept))
    assert wanted[0] == 200
    each(faults, kinds, lambda: server.send("GET", path, accept),
         lambda is_error, answer: is_error or seen(answer) == wanted or pytest.fail(f"{answer.body}"), may_close=True)


def restart(server):
    """Stop it in good order, and start it again at the same address."""
    server.process.terminate()
    assert server.process.wait(timeout=60) == 0, server.log()[-2000:]
    server.runs = getattr(server, "runs", 0) + 1
    again = Server(server.data, *server.arguments, environment=server.environment, binary=FAULTY, listen=server.host,
                   log=f"{server.data}.{server.runs}.log")
    server.process, server.log_path = again.process, again.log_path


@KINDS
def test_many_keys_in_one_deletion(server, faults, kinds):
    keys = ["many-0", "many-1", "many-2"]
    document = ("<Delete>" + "".join(f"<Object><Key>{key}</Key></Object>" for key in keys) + "</Delete>").encode()

    def check(is_error, answer):
        told = [] if is_error and b"<DeleteResult" not in (answer.body if answer else b"") else xml.fromstring(answer.body)
        gone = {entry.findtext("{*}Key") for entry in told if entry.tag.endswith("Deleted")}
        kept = {entry.findtext("{*}Key") for entry in told if entry.tag.endswith("Error")}
        assert not told or gone | kept == set(keys)
        for key in keys:
            found = get(server, key)
            assert found in (OLD, "NoSuchKey") and (found == "NoSuchKey" or key not in gone)
            assert kinds != STORE or key not in kept or found == OLD
    each(faults, kinds, lambda: sign_and_send(server, "POST", f"/{BUCKET}", document, "delete=",
                                              {"Content-MD5": md5_of(document)}), check,
         lambda: [put(server, key, OLD) for key in keys])


@KINDS
def test_copying_a_part(server, faults, kinds):
    upload = Upload(server, "part-copy")
    put(server, "part-source", NEW)

    def has_part(is_error, _):
        found = xml.fromstring(upload.list().body).findall("{*}Part")
        assert len(found) == 1 if not is_error else kinds != STORE or not found
        assert upload.abort().status == 204
    each(faults, kinds, lambda: sign_and_send(server, "PUT", f"/{BUCKET}/part-copy", b"",
                                              f"partNumber=1&uploadId={upload.id}",
                                              {"x-amz-copy-source": f"/{BUCKET}/part-source"}), has_part, upload.prepare)


@KINDS
@pytest.mark.parametrize("name", ["range", "part", "parts", "uploads", "versions"])
def test_reading_more(server, faults, kinds, name):
    upload, whole = Upload(server, "open-" + name), Upload(server, "in-parts")
    whole.prepare_part()
    assert whole.complete().status == 200
    upload.prepare_part()
    path, query, headers = {
        "range": (f"/{BUCKET}/in-parts", "", {"Range": "bytes=100-30000"}),
        "part": (f"/{BUCKET}/in-parts", "partNumber=1", {}),
        "parts": (f"/{BUCKET}/open-{name}", f"uploadId={upload.id}&max-parts=1", {}),
        "uploads": (f"/{BUCKET}", "uploads=&prefix=open-", {}),
        "versions": ("/versioned", "versions=&max-keys=2&prefix=", {}),
    }[name]

    def read():
        return sign_and_send(server, "GET", path, query=query, headers=headers)
    wanted = read()
    assert wanted.status in (200, 206)
    each(faults, kinds, read,
         lambda is_error, answer: is_error or (answer.status, answer.body) == (wanted.status, wanted.body) or pytest.fail(),
         may_close=True)
    upload.abort()


@KINDS
def test_uses_are_never_more(server, faults, kinds):
    put(server, "cat.jpg", OLD)
    urls = (sign(server, id=f"uses-{kinds}-{i}", uses=2) for i in itertools.count())
    url = [None]

    def check(is_error, answer):
        served = 0 if is_error else 1
        while served < 4 and signed(url[0]).status == 200:
            served += 1
        assert served == 2 if not is_error else served in (1, 2)
    each(faults, kinds, lambda: signed(url[0]), check, lambda: url.__setitem__(0, next(urls)), may_close=True)


@KINDS
def test_uses_to_write_are_never_more(server, faults, kinds):
    """What was written is a use, also when there is no memory to answer so."""
    urls = (sign(server, "PUT", "used", id=f"writes-{kinds}-{i}", uses=1) for i in itertools.count())
    url = [None]

    def prepare():
        put(server, "used", OLD)
        url[0] = next(urls)

    def check(is_error, _):
        is_written = get(server, "used") == NEW
        assert is_written or is_error
        assert not is_written or signed(url[0], "PUT", SMALL).status == 403
    each(faults, kinds, lambda: signed(url[0], "PUT", NEW), check, prepare, may_close=True)


# ---- Tokens, keys of idempotency, webhooks, Uppy

@pytest.fixture(name="token", scope="module")
def _token(server):
    return server.command("token", "create", "backend", "--role", "backend", "--data", server.data).stdout.strip()


def bearer(server, token, method, path, fields=None, **headers):
    answer = requests.request(method, server.endpoint + path, json=fields, timeout=30,
                              headers={"Authorization": "Bearer " + token, **headers})
    return Answer(answer.status_code, answer.headers, answer.content)


@KINDS
def test_the_same_call_again(server, faults, kinds, token):
    keys = (f"idempotency-{kinds}-{i}" for i in itertools.count())
    key = [None]

    def send():
        return bearer(server, token, "POST", "/-/api/uploads", {"profile": "fixed"}, **{"Idempotency-Key": key[0]})

    def check(is_error, answer):
        first, second = send(), send()
        assert (first.status, second.status) == (201, 201)
        assert first.body == second.body and (is_error or answer.body == first.body)
    each(faults, kinds, send, check, lambda: key.__setitem__(0, next(keys)))


@KINDS
def test_tokens_of_clients(server, faults, kinds, token):
    def works(is_error, answer):
        assert is_error or bearer(server, json.loads(answer.body)["token"], "POST", "/-/api/uploads",
                                  {"profile": "fixed"}).status == 201
    each(faults, kinds, lambda: bearer(server, token, "POST", "/-/api/tokens", {"profile": "fixed"}), works,
         is_stateless=True)


def upload_of(server, token, profile):
    return json.loads(bearer(server, token, "POST", "/-/api/uploads", {"profile": profile}).body)


def send_to(upload):
    there = upload["upload"]
    answer = requests.request(there["method"], there["url"], data=SMALL, headers=there["headers"], timeout=30)
    return Answer(answer.status_code, answer.headers, answer.content)


@KINDS
def test_the_status_of_an_upload(server, faults, kinds, token):
    upload = upload_of(server, token, "fixed")
    assert send_to(upload).status == 200

    def show():
        return bearer(server, token, "GET", "/-/api/uploads/" + upload["id"])
    fields = set(json.loads(show().body))

    def check(is_error, answer):
        assert is_error or (json.loads(answer.body)["status"], set(json.loads(answer.body))) == ("complete", fields)
    each(faults, kinds, show, check)


@KINDS
def test_a_webhook_is_told(server, faults, kinds, token, tmp_path):
    """At least once of each upload that was answered with success, by the server that answered; only if a sync failed, and
    it ended by that, by the next one. Calls fail until the message is there, or until one has failed."""
    receiver = Receiver()
    file = tmp_path / "hooked.json"
    file.write_text(json.dumps({"bucket": BUCKET, "key": "hooked/{uuid}",
                                "webhook": {"url": receiver.url, "secret": "0123456789abcdef-secret"}}))
    server.command("profile", "add", "hooked", "--file", file, "--overwrite", "--data", server.data)
    upload, owed = [None], set()
    process = server.process

    def told():
        return {json.loads(body)["upload"]["id"] for _, _, body, _ in list(receiver.messages)}

    def send():
        answer = send_to(upload[0])
        deadline = time.monotonic() + 2
        while answer.status == 200 and not faults.has_fired() and time.monotonic() < deadline and (
                upload[0]["id"] not in told()):
            time.sleep(0.002)
        return answer

    def check(is_error, _):
        if not is_error:
            owed.add(upload[0]["id"])
    each(faults, kinds, send, check,
         lambda: upload.__setitem__(0, upload_of(server, token, "hooked")))
    assert kinds == SYSTEM or server.process is process, "it was not started again"
    deadline = time.monotonic() + 60
    while not owed <= told() and time.monotonic() < deadline:
        time.sleep(0.05)
    receiver.close()
    assert owed and owed <= told(), f"{len(owed - told())} of {len(owed)} were not told"


@KINDS
@pytest.mark.parametrize("name", ["params", "begin", "parts", "url", "urls", "sign", "complete", "completed", "abort"])
def test_uppy(server, faults, kinds, token, name):
    made = {}

    def uppy(method, path, fields=None):
        return bearer(server, token, method, "/-/api/uppy/" + path, fields)

    def begin():
        return uppy("POST", "s3/multipart", {"filename": "a.txt", "type": "text/plain", "metadata": {"profile": "fixed"}})

    def place(rest="", more=""):
        return (f"s3/multipart/{urllib.parse.quote(made['uploadId'], safe='')}{rest}"
                f"?key={urllib.parse.quote(made['key'], safe='')}{more}")

    def prepare():
        made.update(json.loads(begin().body))
        url = json.loads(uppy("GET", place("/1")).body)["url"]
        answer = requests.put(url, data=SMALL, timeout=30)
        assert answer.status_code == 200
        made["etag"] = answer.headers["ETag"]
    send = {
        "params": lambda: uppy("GET", "s3/params?filename=a.txt&type=text/plain&metadata[profile]=fixed"),
        "begin": begin,
        "parts": lambda: uppy("GET", place()),
        "url": lambda: uppy("GET", place("/1")),
        "urls": lambda: uppy("GET", place("/batch", "&partNumbers=1,2")),
        "sign": lambda: uppy("POST", "s3/sign", {"method": "PUT", "key": "a.txt", "profile": "fixed"}),
        "complete": lambda: uppy("POST", place("/complete"), {"parts": [{"PartNumber": 1, "ETag": made["etag"]}]}),
        "abort": lambda: uppy("DELETE", place()),
    }
    send["completed"] = send["complete"]  # again, by who lost the answer
    send = send[name]
    prepare()
    wanted = json.loads(send().body)

    def check(is_error, answer):
        if is_error:
            return
        found = json.loads(answer.body)
        assert len(found) == len(wanted) and (not isinstance(wanted, dict) or set(found) == set(wanted))
        if name in ("complete", "completed"):
            assert get(server, made["key"]) == SMALL
        if name == "abort":
            assert uppy("GET", place()).status == 404
    each(faults, kinds, send, check, prepare if name in ("complete", "abort") else lambda: None,
         is_stateless=name in ("params", "sign"))


@KINDS
def test_an_approval(server, faults, kinds, token, tmp_path):
    """What keeps this server from asking, or from hearing the yes, is no refusal, which would be recorded and told."""
    application = Application()
    file = tmp_path / "approved.json"
    file.write_text(json.dumps({"bucket": BUCKET, "key": "approved/{uuid}",
                                "approve": {"url": application.url, "secret": "0123456789abcdef-secret"}}))
    server.command("profile", "add", "approved", "--file", file, "--overwrite", "--data", server.data)
    upload = [None]

    def check(is_error, _):
        state = json.loads(bearer(server, token, "GET", "/-/api/uploads/" + upload[0]["id"]).body)["status"]
        assert state == "complete" if not is_error else state == "pending" or (state == "complete" and kinds != STORE)
    each(faults, kinds, lambda: send_to(upload[0]), check,
         lambda: upload.__setitem__(0, upload_of(server, token, "approved")))
    application.close()


@KINDS
@pytest.mark.parametrize("name", ["create", "list", "urls", "completed"])
def test_an_upload_by_plan(server, faults, kinds, token, name):
    made = {}

    def create():
        return bearer(server, token, "POST", "/-/api/uploads", {"profile": "fixed", "method": "MULTIPART", "size": len(SMALL)})

    def prepare():
        made.update(json.loads(create().body))
        answer = requests.put(made["upload"]["parts"][0]["url"], data=SMALL, timeout=30)
        assert answer.status_code == 200
        made["etag"] = answer.headers["ETag"]

    def call(method, which, fields=None):
        return bearer(server, token, method, urllib.parse.urlsplit(made["upload"][which]).path, fields)
    send = {
        "create": create,
        "list": lambda: call("GET", "parts_url"),
        "urls": lambda: call("POST", "parts_url", {"numbers": [1]}),
        "completed": lambda: call("POST", "complete_url", {"parts": [{"number": 1, "etag": made["etag"]}]}),
    }[name]  # to complete it and to give it up is what Uppy does, too
    prepare()
    wanted = send()
    fields = set(json.loads(wanted.body)) if wanted.body else set()

    def check(is_error, answer):
        if is_error:
            return
        assert answer.status == wanted.status and fields == (set(json.loads(answer.body)) if answer.body else set())
        if name == "completed":
            assert json.loads(answer.body)["status"] == "complete" and get(server, made["key"]) == SMALL
        if name == "list":
            assert answer.body == wanted.body
    each(faults, kinds, send, check)


def test_a_password(server, faults):
    put(server, "opened/a.txt", OLD)
    status, link = ask(server, "POST", "/-/api/links", {"bucket": BUCKET, "key": "opened/a.txt", "password": "open sesame"})
    assert status == 201, link

    def send():
        answer = requests.post(link["short_url"], json={"password": "open sesame"}, headers={"Accept": "application/json"},
                               timeout=30)
        return Answer(answer.status_code, answer.headers, answer.content)
    each(faults, STORE, send, lambda is_error, answer: is_error or signed(json.loads(answer.body)["url"]).body == OLD or
         pytest.fail())


# ---- Less common ones

def query_of(**fields):
    return urllib.parse.urlencode(fields)


@KINDS
@pytest.mark.parametrize("name", ["folded", "uploads-folded", "cors", "old-version"])
def test_reading_what_is_rarer(server, faults, kinds, name):
    client = server.client()
    for key in ("rare/a/1", "rare/b/2"):
        put(server, key, OLD)
        put(server, key, OLD, "versioned")
    Upload(server, "rare/a/up").create()
    client.put_bucket_cors(Bucket="versioned", CORSConfiguration={"CORSRules": [
        {"AllowedOrigins": ["https://a"], "AllowedMethods": ["GET"]}]})
    old = client.put_object(Bucket="versioned", Key="rare/old", Body=SMALL)["VersionId"]
    put(server, "rare/old", OLD, "versioned")
    path, query = {
        "folded": (f"/{BUCKET}", query_of(**{"list-type": 2, "prefix": "rare/", "delimiter": "/"})),
        "uploads-folded": (f"/{BUCKET}", query_of(uploads="", prefix="rare/", delimiter="/")),
        "cors": ("/versioned", "cors="),
        "old-version": ("/versioned/rare/old", query_of(versionId=old)),
    }[name]
    wanted = sign_and_send(server, "GET", path, query=query)
    assert wanted.status == 200
    each(faults, kinds, lambda: sign_and_send(server, "GET", path, query=query),
         lambda is_error, answer: is_error or (answer.status, answer.body) == (wanted.status, wanted.body) or pytest.fail(),
         may_close=True)


@KINDS
def test_objects_of_parts(server, faults, kinds):
    """Read as a stream of files; copied, so that each part is shared; its completion asked for again."""
    client = server.client()

    def make(key):
        upload = client.create_multipart_upload(Bucket="versioned", Key=key)["UploadId"]
        parts = [{"PartNumber": number, "ETag": client.upload_part(
            Bucket="versioned", Key=key, UploadId=upload, PartNumber=number, Body=body)["ETag"]}
            for number, body in ((1, BIG), (2, NEW))]
        client.complete_multipart_upload(Bucket="versioned", Key=key, UploadId=upload, MultipartUpload={"Parts": parts})
        return upload, parts
    upload, parts = make("of-parts")
    whole = hashlib.md5(BIG + NEW).digest()

    def same(answer):
        return hashlib.md5(answer.body).digest() == whole
    each(faults, kinds, lambda: sign_and_send(server, "GET", "/versioned/of-parts"),
         lambda is_error, answer: is_error or same(answer) or pytest.fail(), may_close=True)
    if kinds == STORE:
        each(faults, kinds, lambda: sign_and_send(server, "PUT", f"/{BUCKET}/copy-of-parts",
                                                  headers={"x-amz-copy-source": "/versioned/of-parts"}),
             lambda is_error, _: get(server, "copy-of-parts") in ((OLD,) if is_error else (BIG + NEW,)) or pytest.fail(),
             lambda: put(server, "copy-of-parts", OLD))
    for _ in range(2):
        put(server, "of-parts", OLD, "versioned")
    document = ("<CompleteMultipartUpload>" + "".join(
        f"<Part><PartNumber>{part['PartNumber']}</PartNumber><ETag>{part['ETag']}</ETag></Part>" for part in parts) +
        "</CompleteMultipartUpload>").encode()
    each(faults, kinds, lambda: sign_and_send(server, "POST", "/versioned/of-parts", document, query_of(uploadId=upload)),
         lambda is_error, _: get(server, "of-parts", "versioned") == OLD or pytest.fail())


@KINDS
def test_uncovering_a_version(server, faults, kinds):
    newest = [[]]

    def cover():
        put(server, "covered", OLD, "versioned")
        newest[0] = [sign_and_send(server, "PUT", "/versioned/covered", SMALL).headers["x-amz-version-id"]
                     for _ in range(2)]

    def send():
        document = ("<Delete>" + "".join(f"<Object><Key>covered</Key><VersionId>{version}</VersionId></Object>"
                                         for version in newest[0]) + "</Delete>").encode()
        return sign_and_send(server, "POST", "/versioned", document, "delete=", {"Content-MD5": md5_of(document)})

    def check(is_error, answer):
        is_refused = is_error or b"<Error>" in answer.body
        assert get(server, "covered", "versioned") in ((SMALL, OLD) if is_refused else (OLD,))
    each(faults, kinds, send, check, cover)


@KINDS
def test_a_user_who_was_changed(server, faults, kinds):
    """Looked up again: without an answer from the index it is not said that there is no such key."""
    place = ("--data", server.data)
    user = f"changed-{kinds}"
    server.command("user", "add", user, *place)
    client = server.client()
    put(server, "looked-up", OLD)
    states = itertools.cycle(["disable", "enable"])
    each(faults, kinds, lambda: sign_and_send(server, "GET", f"/{BUCKET}/looked-up"),
         lambda is_error, answer: is_error or answer.body == OLD or pytest.fail(),
         lambda: server.command("user", next(states), user, *place), may_close=True)
    assert client.head_bucket(Bucket=BUCKET)


@KINDS
def test_remotes_and_passwords(server, faults, kinds):
    server.command("remote", "add", "elsewhere", "--endpoint-url", "http://127.0.0.1:9", "--access-key-id", "KEY",
                   "--overwrite", "--data", server.data, environment={"LATCHSTRING_REMOTE_SECRET": "0123456789abcdef"})
    put(server, "linked", OLD)

    def send(fields):
        status, answer = ask(server, "POST", "/-/api/links", fields)
        return Answer(status, {"Content-Type": "application/json"}, b"" if answer is None else json.dumps(answer).encode())
    far = {"bucket": "far-away", "key": "linked", "remote": "elsewhere"}
    each(faults, kinds, lambda: send(far), lambda is_error, answer: is_error or "id" in json.loads(answer.body) or
         pytest.fail(), is_stateless=True)
    if kinds == MEMORY:
        return  # a hundred hashes, each of a tenth of a second
    fields = {"bucket": BUCKET, "key": "linked", "password": "a good password"}
    each(faults, kinds, lambda: send(fields), lambda is_error, answer: is_error or "id" in json.loads(answer.body) or
         pytest.fail(), is_stateless=True)


# ---- That nothing was left out

# What runs at the start, in commands and in the background. These calls fail in tests/fault/*_fault.c, which hold their own
# lists against the program.
ELSEWHERE = ("store/check", "store/reclaim.c", "store/recover.c", "store/store.c", "store/scrub.c", "store/housekeeper.c", "store/garbage.c", "index/", "blob/",
             "store/usage.c", "api/api.c", "api/delivery", "api/jobs", "api/profiles.c", "api/remotes.c", "gate/ledger_sweep.c",
             "gate/ledger_revoked.c", "gate/users", "gate/tokens.c", "server/damage.c", "cli/fsck.c", "_sweep ", "sweep_some ", "forget api/upload_note.c", "read_null_order ",
             "lst_store_undo_deletion ", "share_group ", "lst_idempotency_replay ", "lst_ledger_open_uses ", "open_index ")


# Calls of the start, of commands and of the background alone.
NOT_OF_REQUESTS = {"lst_index_open", "lst_index_examine", "lst_blobs_open", "lst_blobs_recover", "lst_blobs_sync_deleted",
                   "lst_blobs_walk", "lst_blob_delete", "lst_index_verify", "lst_blob_open_once"}


def test_every_call_has_failed(faults, request):
    """Each call of index and blob that a request makes has failed, and so it has at nearly every place that makes it.

    Nearly: what goes on in the background is counted too, and may be what fails in place of a call of the request. So a few
    places may be left out in one run, others in the next. Below HTTP none is."""
    if sum("test_faults.py" in item.nodeid for item in request.session.items) < 100:
        pytest.skip("only after all other tests of this file")
    never = faults.never()
    calls = {name for name in subprocess.run([os.path.join(ROOT, "tests", "fault", "list_calls.sh")], stdout=subprocess.PIPE,
                                             check=True, text=True).stdout.split() if name.startswith("lst_")}
    assert calls - NOT_OF_REQUESTS <= faults.failed
    missing = sorted(where for where, kind in never.items() if kind == STORE and not any(word in where for word in ELSEWHERE))
    assert len(missing) <= 6, "\n".join(missing)
