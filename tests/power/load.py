"""The load that is recorded: clients that write everything that Latchstring keeps, and say what they did.

Each operation has two marks in the recording: before it is sent, what it is about to change (`effects`: registers and
their new values), and after its answer, that it is acknowledged. What a mark says is what check.py holds an image against.

A register is a name and a value, or None for "not there":

    object BUCKET KEY       "etag|tag", or "?"               a bucket without versioning
    versions BUCKET KEY     [[version id, etag or null], ...]   newest first; null is a delete marker
    upload BUCKET KEY ID    {"part number": etag}           a multipart upload in progress
    bucket NAME             "plain", "versioned" or "suspended"
    bucket-tag NAME         the tag
    user NAME               its access key id
    token NAME              the token
    profile NAME            "there"
    remote NAME             its access key id
    cors NAME               the origin that a bucket's one rule names
    link ID                 "active" or "revoked"
    received ID             "size|etag"                     an upload by the upload API
"""
import base64
import hashlib
import hmac
import http.client
import itertools
import json
import os
import random
import re
import shutil
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from harness import ACCESS_KEY, SECRET_KEY, HeaderSigner, Server

SIZES = (0, 1, 300, 4000, 8192, 8193, 20_000, 70_000, 300_000)  # in the index, and in files
PART = b"0123456789abcdef" * (5 * 65536)  # 5 MiB, the least that a part other than the last may have
SECRET = "a-secret-of-the-receiver"
BUCKETS = {"plain": "plain", "shared": "plain", "parts": "plain", "hooked": "plain", "pages": "plain", "versioned": "versioned",
           "toggled": "versioned"}
LARGE = b"a body that is copied into parts" * 2500  # in a file


class Gone(Exception):
    """The server was killed: nobody knows what became of the request."""


class Journal:
    """Marks in the recording."""

    def __init__(self, path):
        self.file = os.open(path, os.O_WRONLY)
        self.numbers, self.lock, self.open = itertools.count(), threading.Lock(), {}

    def write(self, **mark):
        os.write(self.file, json.dumps(mark).encode())

    def begin(self, effects, **more):
        number = next(self.numbers)
        with self.lock:
            self.open[number] = True
        self.write(begin=number, effects=effects, **more)
        return number

    def end(self, number, **more):
        self.write(end=number, **more)
        with self.lock:
            del self.open[number]

    def lose_open(self):
        """The server is dead: what is open has happened by now, or never will."""
        for number in list(self.open):
            self.write(lost=number)
            del self.open[number]


def send(connection, method, target, headers, body):
    """One request; Gone if there is no whole answer. (status, headers, body)"""
    try:
        connection.request(method, target, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    except (OSError, http.client.HTTPException) as problem:
        connection.close()
        raise Gone from problem


class Client:
    """A connection, and how requests on it are signed."""

    def __init__(self, port, token=None, key=(ACCESS_KEY, SECRET_KEY)):
        self.port, self.token = port, token
        self.credentials = Credentials(*key)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def s3(self, method, path, query="", body=None, **headers):
        target = urllib.parse.quote(path) + ("?" + query if query else "")
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        request = AWSRequest(method, f"http://127.0.0.1:{self.port}{target}", data=body,
                             headers={"x-amz-content-sha256": "UNSIGNED-PAYLOAD", **headers})
        HeaderSigner(self.credentials, "s3", "us-east-1").add_auth(request)
        return send(self.connection, method, target, dict(request.headers.items()), body)

    def form(self, bucket, key, body):
        """A browser's form, as a policy allows it."""
        now = time.gmtime()
        date, stamp = time.strftime("%Y%m%d", now), time.strftime("%Y%m%dT%H%M%SZ", now)
        fields = {"key": key, "x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-date": stamp,
                  "x-amz-credential": f"{self.credentials.access_key}/{date}/us-east-1/s3/aws4_request"}
        policy = {"expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 600)),
                  "conditions": [{"bucket": bucket}, *({name: value} for name, value in fields.items())]}
        fields["policy"] = base64.b64encode(json.dumps(policy).encode()).decode()
        secret = f"AWS4{self.credentials.secret_key}".encode()
        for part in (date, "us-east-1", "s3", "aws4_request", fields["policy"]):
            secret = hmac.digest(secret, part.encode(), "sha256")
        fields["x-amz-signature"] = secret.hex()
        return self.send_form(bucket, fields, body)

    def send_form(self, bucket, fields, body):
        content = "".join(f'--frontier\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                          for name, value in fields.items()).encode()
        content += b'--frontier\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n' + body + b"\r\n--frontier--\r\n"
        return send(self.connection, "POST", "/" + bucket, {"Content-Type": "multipart/form-data; boundary=frontier"}, content)

    def api(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        status, answered, content = send(self.connection, method, "/-/api/" + path,
                                         {"Authorization": f"Bearer {self.token}", **headers},
                                         None if body is None else json.dumps(body))
        return status, answered, json.loads(content) if content else None

    def url(self, url, method="GET", body=None, headers=None):
        """A URL that was signed for whatever host."""
        place = urllib.parse.urlsplit(url)
        return send(self.connection, method, f"{place.path}?{place.query}", {"Host": place.netloc, **(headers or {})}, body)


class Receiver:
    """Takes webhooks: on_message(upload id, message) is called before it answers, and says with what."""

    def __init__(self, on_message):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(on_message(message["upload"]["id"], message))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def write_profiles(folder, url):
    """The profile with a webhook: from a folder, so that an image's server can be told of another receiver."""
    os.makedirs(folder, exist_ok=True)
    profile = {"bucket": "hooked", "key": "{uuid}", "webhook": {"url": url, "secret": SECRET}}
    with open(os.path.join(folder, "hooked.json"), "w", encoding="utf-8") as file:
        json.dump(profile, file)
    with open(os.path.join(folder, "pages.json"), "w", encoding="utf-8") as file:
        json.dump({"bucket": "pages", "key": "{uuid}"}, file)


class Actor(threading.Thread):
    """One client, which does one kind of thing until it is told to stop or the server is gone."""

    def __init__(self, load, number):
        super().__init__(daemon=True)
        self.load, self.journal, self.number = load, load.journal, number
        # After a stop in order it goes on with what it has: then files of an earlier run of the server are deleted.
        self.name, self.known = load.carried.get((type(self), number), (f"{type(self).__name__.lower()}{number}-{load.phase}", {}))
        self.chance = random.Random(f"{load.seed}-{self.name}-{load.phase}")
        self.client = Client(load.server.port, load.token)
        self.serial, self.problem = 1000 * load.phase, None

    def run(self):
        try:
            while not self.load.stopping.is_set():
                self.serial += 1
                self.step()
        except Gone:
            pass
        except Exception as problem:  # pylint: disable=broad-except
            self.problem = problem

    def act(self, effects, call, allowed=(200, 201, 204), refine=None, **more):
        """One operation, with its marks. refine: what the answer says of the effects. Gives the answer."""
        number = self.journal.begin(effects, **more)
        answer = call()
        assert answer[0] in allowed, f"{self.name}: {answer[0]} {answer[2]!r} to {effects}"
        self.journal.end(number, **({"effects": refine(answer)} if refine else {}))
        return answer

    def body(self, sizes=SIZES):
        size = self.chance.choice(sizes)
        seed = f"{self.name}:{self.serial}:".encode() + self.chance.randbytes(211)
        return (seed * (size // len(seed) + 1))[:size]


def md5(body):
    return hashlib.md5(body).hexdigest()


class Writer(Actor):
    """Puts, overwrites, copies, tags and deletes objects of its own in a bucket without versions."""

    def step(self):
        key = f"{self.name}/{self.chance.randrange(6)}"
        value = self.known.get(key)
        self.chance.choice((self.put, self.put, self.put, self.form, self.copy, self.tag, self.delete, self.delete_some))(key, value)

    def register(self, key):
        return f"object plain {key}"

    def put(self, key, _):
        body, tag = self.body(), self.chance.choice(("", "", "one", "two"))
        value = f"{md5(body)}|{tag}"
        self.act({self.register(key): value}, lambda: self.client.s3(
            "PUT", f"/plain/{key}", body=body, **({"x_amz_tagging": f"t={tag}"} if tag else {})))
        self.known[key] = value

    def form(self, key, _):
        body = self.body()
        value = f"{md5(body)}|"
        self.act({self.register(key): value}, lambda: self.client.form("plain", key, body))
        self.known[key] = value

    def copy(self, key, _):
        source = self.chance.choice([*self.known] or [None])
        if source is None or source == key:
            return
        value = self.known[source]
        self.act({self.register(key): value}, lambda: self.client.s3("PUT", f"/plain/{key}",
                                                                     x_amz_copy_source=f"/plain/{source}"))
        self.known[key] = value

    def tag(self, key, value):
        if value is None:
            return
        tag = f"tag-{self.serial}"
        value = f"{value.split('|')[0]}|{tag}"
        document = f"<Tagging><TagSet><Tag><Key>t</Key><Value>{tag}</Value></Tag></TagSet></Tagging>".encode()
        self.act({self.register(key): value}, lambda: self.client.s3("PUT", f"/plain/{key}", "tagging=", document))
        self.known[key] = value

    def delete(self, key, _):
        self.act({self.register(key): None}, lambda: self.client.s3("DELETE", f"/plain/{key}"))
        self.known.pop(key, None)

    def delete_some(self, *_):
        keys = self.chance.sample([*self.known], min(3, len(self.known)))
        if not keys:
            return
        names = "".join(f"<Object><Key>{key}</Key></Object>" for key in keys)
        document = f"<Delete>{names}</Delete>".encode()
        digest = base64.b64encode(hashlib.md5(document).digest()).decode()
        self.act({self.register(key): None for key in keys}, lambda: self.client.s3(
            "POST", "/plain", "delete=", document, Content_MD5=digest), one_by_one=True)
        for key in keys:
            del self.known[key]


class Rival(Actor):
    """Puts and deletes the same few objects as others do."""

    def step(self):
        register, path = (f"object shared {self.chance.randrange(3)}", "/shared/{}")
        path = path.format(register[-1])
        if self.chance.random() < 0.2:
            self.act({register: None}, lambda: self.client.s3("DELETE", path))
        else:
            body = self.body()
            self.act({register: f"{md5(body)}|"}, lambda: self.client.s3("PUT", path, body=body))


class Keeper(Actor):
    """Works in a bucket with versions: puts, delete markers, deletes of one version."""

    bucket = "versioned"

    def kept(self, versions):
        """Those that stay when a new one comes."""
        return versions

    def step(self):
        key = f"{self.name}/{self.chance.randrange(3)}"
        versions = self.kept(self.known.setdefault(key, []))
        register, path = f"versions {self.bucket} {key}", f"/{self.bucket}/{key}"
        kind = self.chance.random()

        def named(answer):
            return {register: [[answer[1]["x-amz-version-id"] or "null", new[0][1]], *versions]}
        if kind < 0.6 or not versions:
            body = self.body()
            new = [["?", md5(body)], *versions]
            answer = self.act({register: new}, lambda: self.client.s3("PUT", path, body=body), refine=named)
            self.known[key] = named(answer)[register]
        elif kind < 0.75:
            new = [["?", None], *versions]
            answer = self.act({register: new}, lambda: self.client.s3("DELETE", path), refine=named)
            self.known[key] = named(answer)[register]
        else:
            gone = self.chance.choice(self.known[key])
            left = [version for version in self.known[key] if version is not gone]
            self.act({register: left}, lambda: self.client.s3("DELETE", path, f"versionId={gone[0]}"))
            self.known[key] = left


class Toggler(Keeper):
    """The same, alone in a bucket whose versioning it suspends and turns on again."""

    bucket, is_on = "toggled", None

    def kept(self, versions):
        return versions if self.is_on else [version for version in versions if version[0] != "null"]

    def step(self):
        if self.is_on is None or self.chance.random() < 0.15:
            is_on = not self.is_on
            self.act({f"bucket {self.bucket}": "versioned" if is_on else "suspended"},
                     lambda: self.client.s3("PUT", f"/{self.bucket}", "versioning=", versioning("Enabled" if is_on else "Suspended")))
            self.is_on = is_on
        super().step()


def versioning(status):
    return f"<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>".encode()


class Uploader(Actor):
    """Uploads in parts, some of which are sent twice; completes, or gives up, or leaves them."""

    def step(self):
        key = f"{self.name}/{self.serial % 4}"
        path = f"/parts/{key}"
        begun = self.act({}, lambda: self.client.s3("POST", path, "uploads="), creates_upload=f"parts {key}",
                         refine=lambda answer: {f"upload parts {key} {upload_id(answer)}": {}})
        number = upload_id(begun)
        register, parts = f"upload parts {key} {number}", {}
        time.sleep(0.01)
        bodies = [PART] if self.chance.random() < 0.02 else []
        bodies += [self.body(SIZES[1:])]
        for part, body in enumerate(bodies, 1):
            for _ in range(self.chance.choice((1, 1, 2))):
                parts = {**parts, str(part): md5(body)}
                self.act({register: parts}, lambda part=part, body=body: self.client.s3(
                    "PUT", path, f"partNumber={part}&uploadId={number}", body))
        if self.chance.random() < 0.3:
            parts = {**parts, str(len(bodies)): md5(LARGE)}
            self.act({register: parts}, lambda: self.client.s3("PUT", path, f"partNumber={len(bodies)}&uploadId={number}",
                                                               x_amz_copy_source="/plain/fixed-large"))
        end = self.chance.random()
        if end < 0.6:
            listed = "".join(f"<Part><PartNumber>{part}</PartNumber><ETag>{etag}</ETag></Part>" for part, etag in parts.items())
            etag = md5(b"".join(bytes.fromhex(one) for one in parts.values())) + f"-{len(parts)}"
            self.act({register: None, f"object parts {key}": f"{etag}|"}, lambda: self.client.s3(
                "POST", path, f"uploadId={number}",
                f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()))
            if end < 0.2:
                self.copy(path, f"{key}-copy")
        elif end < 0.85:
            self.act({register: None}, lambda: self.client.s3("DELETE", path, f"uploadId={number}"))


    def copy(self, path, key):
        """Of an object in parts: each of its files gets a second name. What ETag that has, the answer says."""
        register = f"object parts {key}"
        self.act({register: "?"}, lambda: self.client.s3("PUT", f"/parts/{key}", x_amz_copy_source=path), refine=lambda answer: {
            register: re.search(rb'<ETag>(?:"|&quot;|&#34;)(.*?)(?:"|&quot;|&#34;)</ETag>', answer[2]).group(1).decode() + "|"})


def upload_id(answer):
    return re.search(rb"<UploadId>(.*)</UploadId>", answer[2]).group(1).decode()


class Linker(Actor):
    """Makes links with a number of uses, uses them (as others do at the same time), and revokes some."""

    def step(self):
        links = self.load.links
        if self.number == 0 and (self.serial % 12 == 1 or not links):
            most = self.chance.randint(1, 4)
            asked = {"bucket": "plain", "key": "fixed", "max_uses": most}
            link = self.act({}, lambda: self.client.api("POST", "links", asked), creates_link=True,
                            refine=lambda answer: {"link " + answer[2]["id"]: [answer[2]["url"], most, "active"]})[2]
            links.append((link["id"], link["url"], most))
        elif self.number == 0 and self.serial % 40 == 39:
            number, url, most = links.pop(self.chance.randrange(len(links)))
            self.act({"link " + number: [url, most, "revoked"]}, lambda: self.client.api("DELETE", "links/" + number))
        elif links:
            number, url, _ = self.chance.choice(links[-3:])
            use = self.journal.begin({}, uses=number)
            status = self.client.url(url)[0]
            assert status in (200, 403), status
            self.journal.end(use, status=status)
        time.sleep(0.02)


class Backend(Actor):
    """Asks for uploads of the upload API, with idempotency keys, and sends what they are for."""

    def step(self):
        key = f"{self.name}-{self.serial}"
        asked = {"profile": "hooked", "filename": f"{key}.bin"}
        upload = self.act({}, lambda: self.client.api("POST", "uploads", asked, Idempotency_Key=key), idempotent=[key, asked],
                          refine=lambda answer: {"idempotent " + key: answer[2]})[2]
        if self.chance.random() < 0.8:
            body, way = self.body(), upload["upload"]
            self.act({f"object hooked {upload['key']}": f"{md5(body)}|", "received " + upload["id"]: f"{len(body)}|{md5(body)}"},
                     lambda: self.client.url(way["url"], way["method"], body, way["headers"]))


class Page(Actor):
    """Uploads as Uppy does in a browser: one request, a form, or parts of which some are given up."""

    def uppy(self, method, path, body=None):
        answer = self.client.api(method, "uppy/s3/" + path, body)
        assert answer[0] == 200, f"{self.name}: {answer[0]} {answer[2]!r} to {path}"
        return answer[2]

    def step(self):
        body = self.body(SIZES[1:])
        self.chance.choice((self.whole, self.in_parts))(body)
        time.sleep(0.01)

    def whole(self, body):
        way = self.uppy("GET", "params?filename=a.bin&type=text/plain&metadata%5Bprofile%5D=pages")
        self.act({f"object pages {way['fields']['key']}": f"{md5(body)}|"},
                 lambda: self.client.send_form("pages", way["fields"], body))

    def in_parts(self, body):
        made = self.uppy("POST", "multipart", {"filename": "a.bin", "type": "text/plain", "metadata": {"profile": "pages"}})
        place, query = f"multipart/{urllib.parse.quote(made['uploadId'], safe='')}", f"?key={urllib.parse.quote(made['key'], safe='')}"
        etag = self.act({}, lambda: self.client.url(self.uppy("GET", f"{place}/1{query}")["url"], "PUT", body))[1]["ETag"]
        if self.chance.random() < 0.2:
            self.act({}, lambda: self.client.api("DELETE", f"uppy/s3/{place}{query}"))
            return
        whole = md5(hashlib.md5(body).digest()) + "-1"
        self.act({f"object pages {made['key']}": f"{whole}|"}, lambda: self.client.api(
            "POST", f"uppy/s3/{place}/complete{query}", {"parts": [{"PartNumber": 1, "ETag": etag}]}))


class Owner(Actor):
    """Makes, marks and deletes buckets."""

    def step(self):
        name = f"{self.name}-{self.serial % 3}"
        if name not in self.known:
            self.act({"bucket " + name: "plain"}, lambda: self.client.s3("PUT", "/" + name))
            self.known[name] = True
        if self.chance.random() < 0.5:
            self.act({"bucket " + name: "versioned"}, lambda: self.client.s3(
                "PUT", "/" + name, "versioning=", versioning("Enabled")))
        if self.chance.random() < 0.5:
            tag = f"tag-{self.serial}"
            self.act({"bucket-tag " + name: tag}, lambda: self.client.s3(
                "PUT", "/" + name, "tagging=",
                f"<Tagging><TagSet><Tag><Key>t</Key><Value>{tag}</Value></Tag></TagSet></Tagging>".encode()))
        if self.chance.random() < 0.5:
            origin = f"https://{self.serial}.example.com"
            rules = (f"<CORSConfiguration><CORSRule><AllowedOrigin>{origin}</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
                     "</CORSRule></CORSConfiguration>").encode()
            digest = base64.b64encode(hashlib.md5(rules).digest()).decode()
            self.act({"cors " + name: origin}, lambda: self.client.s3("PUT", "/" + name, "cors=", rules, Content_MD5=digest))
            if self.chance.random() < 0.3:
                self.act({"cors " + name: None}, lambda: self.client.s3("DELETE", "/" + name, "cors="))
        if self.chance.random() < 0.7:
            gone = {"bucket " + name: None, "bucket-tag " + name: None, "cors " + name: None}
            self.act(gone, lambda: self.client.s3("DELETE", "/" + name))
            del self.known[name]
        time.sleep(0.02)


class Administrator(Actor):
    """Users, tokens, profiles and remotes, by commands that work on the folder beside the server."""

    def step(self):
        name = f"{self.name}-{self.serial // 4 % 4}"
        kind = self.serial % 4
        if kind == 0:
            self.user(name)
        elif kind == 1:
            self.token(name + f"-{self.serial}")
        elif kind == 2:
            self.remote(f"{self.name}-{self.serial // 4 % 3}")
        else:
            self.profile(name)
        time.sleep(0.03)

    def command(self, *arguments, **options):
        done = self.load.server.command(*arguments, "--data", self.load.server.data, **options)
        return 200, {}, done.stdout.strip()

    def user(self, name):
        register, key = "user " + name, f"KEY{self.number}{self.load.phase}{self.serial:012d}"
        if name not in self.known:
            self.act({register: key}, lambda: self.command("user", "add", name, "--policy", "readonly", "--access-key", key,
                                                           "--secret-key-stdin", input=SECRET_KEY + "\n"))
            self.known[name] = key
        elif self.chance.random() < 0.4:
            self.act({register: None}, lambda: self.command("user", "disable", name))
            self.act({register: self.known[name]}, lambda: self.command("user", "enable", name))
        elif self.chance.random() < 0.5:
            self.act({register: key}, lambda: self.command("user", "rotate-key", name, "--access-key", key,
                                                           "--secret-key-stdin", input=SECRET_KEY + "\n"))
            self.known[name] = key
        else:
            self.act({register: None}, lambda: self.command("user", "remove", name))
            del self.known[name]

    def token(self, name):
        token = self.act({}, lambda: self.command("token", "create", name, "--role", "link"),
                         refine=lambda answer: {"token " + answer[2]: "there"})[2]
        if self.chance.random() < 0.5:
            self.act({"token " + token: None}, lambda: self.command("token", "revoke", name))

    def remote(self, name):
        register, key = "remote " + name, f"REMOTE{self.load.phase}{self.serial:010d}"
        if register in self.known and self.chance.random() < 0.4:
            self.act({register: None}, lambda: self.command("remote", "remove", name))
            del self.known[register]
        else:
            self.act({register: key}, lambda: self.command(
                "remote", "add", name, "--endpoint-url", "http://127.0.0.1:9", "--access-key-id", key, "--overwrite",
                environment={"LATCHSTRING_REMOTE_SECRET": SECRET_KEY}))
            self.known[register] = key

    def profile(self, name):
        name = "profile-" + name
        if name in self.known:
            self.act({"profile " + name: None}, lambda: self.command("profile", "remove", name))
            del self.known[name]
        else:
            self.act({"profile " + name: "there"}, lambda: self.command("profile", "add", name, "--bucket", "plain", "--key", "{uuid}"))
            self.known[name] = True


ACTORS = ((Writer, 3), (Rival, 2), (Keeper, 2), (Toggler, 1), (Uploader, 2), (Linker, 3), (Backend, 2), (Page, 1), (Owner, 1), (Administrator, 1))


class Load:
    """The server on the recorder's mount, and all the clients, in phases: each ends with a stop or a kill of the server."""

    def __init__(self, mount, folder, seed, environment):
        self.mount, self.folder, self.seed, self.environment = mount, folder, seed, environment
        self.chance = random.Random(f"{seed}-load")
        self.journal = Journal(os.path.join(mount, ".marks"))
        self.receiver = Receiver(self.receive)
        self.profiles = os.path.join(folder, "profiles")
        write_profiles(self.profiles, self.receiver.url)
        self.phase, self.server, self.token, self.links, self.carried = 0, None, None, [], {}

    def receive(self, upload, _):
        if self.chance.random() < 0.05:
            return 503
        self.journal.write(delivered=upload)
        return 200

    def start(self):
        self.server = Server(os.path.join(self.mount, "data"), "--access-log", "off", "--api-rate", "0", "--profiles", self.profiles,
                             environment=self.environment, log=os.path.join(self.folder, f"server-{self.phase}"))

    def set_up(self):
        """The buckets, a token, and the object that links are to."""
        setting = Owner(self, 0)
        for name, kind in BUCKETS.items():
            setting.act({"bucket " + name: "plain"}, lambda name=name: setting.client.s3("PUT", "/" + name))
            if kind == "versioned":
                setting.act({"bucket " + name: kind}, lambda name=name: setting.client.s3(
                    "PUT", "/" + name, "versioning=", versioning("Enabled")))
        setting.act({"object plain fixed": f"{md5(b'fixed')}|"}, lambda: setting.client.s3("PUT", "/plain/fixed", body=b"fixed"))
        setting.act({"object plain fixed-large": f"{md5(LARGE)}|"},
                    lambda: setting.client.s3("PUT", "/plain/fixed-large", body=LARGE))
        journal = self.journal.begin({})
        self.token = self.server.command("token", "create", "load", "--role", "backend", "--data", self.server.data).stdout.strip()
        self.journal.end(journal, effects={"token " + self.token: "there"}, main_token=True)

    def run_phase(self, seconds, kill):
        self.stopping = threading.Event()
        actors = [kind(self, number) for kind, count in ACTORS for number in range(count)]
        for actor in actors:
            actor.start()
        time.sleep(seconds)
        if kill:
            self.server.process.kill()
        self.stopping.set()
        for actor in actors:
            actor.join(timeout=60)
            assert not actor.is_alive(), f"{actor.name} hangs"
        if kill:
            self.server.process.wait()
            self.journal.lose_open()
            self.links.clear()
            self.carried = {}
        else:
            assert self.server.stop() == 0, self.server.log()[-2000:]
            self.carried = {(type(actor), actor.number): (actor.name, actor.known) for actor in actors}
        problems = [actor.problem for actor in actors if actor.problem]
        assert not problems, problems[:3]

    def put_back(self, image, before):
        """Begin with what a power cut left, and with the marks up to then."""
        shutil.copytree(os.path.join(image, "data"), os.path.join(self.mount, "data"))
        for mark in before:
            self.journal.write(**mark)
            if "begin" in mark:
                self.journal.open[mark["begin"]] = True
                self.journal.numbers = itertools.count(mark["begin"] + 1)
            self.journal.open.pop(mark.get("end", mark.get("lost")), None)
            if mark.get("main_token"):
                self.token = next(iter(mark["effects"])).split(" ")[1]
        self.journal.lose_open()
        os.fsync(self.journal.file)
        self.journal.write(started=True)

    def run(self, seconds, phases):
        """phases: (number, whether it ends with a kill)."""
        try:
            for self.phase, kill in phases:
                self.start()
                if self.token is None:
                    self.set_up()
                self.run_phase(seconds / len(phases), kill)
        finally:
            self.close()

    def only_start(self):
        """The first start of a server, and nothing else."""
        try:
            self.start()
        finally:
            self.close()

    def close(self):
        if self.server is not None and self.server.process.poll() is None:
            self.server.process.kill()
            self.server.process.wait()
        self.receiver.close()
        os.close(self.journal.file)
