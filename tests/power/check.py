"""Hold an image against what was acknowledged before the power failed, as a user would: fsck, a server, requests."""
import hashlib
import http.client
import json
import os
import re
import subprocess
import time
import urllib.parse
import xml.etree.ElementTree as xml

import load
from harness import BINARY, SECRET_KEY, Server, clean_environment
from model import Model

SAMPLE = 6  # objects whose bytes are fetched; fsck looks at all of them
HOOK_SECONDS = 20  # only where a message is missing


def parse(content):
    """A document without its name space."""
    return xml.fromstring(re.sub(rb' xmlns="[^"]*"', b"", content, count=1))


class Checker:
    """Checks images of one recording, at ascending positions."""

    def __init__(self, marks, folder):
        self.marks, self.folder, self.model, self.next = marks, folder, Model(), 0
        self.told = []
        self.receiver = load.Receiver(self.receive)
        self.profiles = os.path.join(folder, "profiles")
        load.write_profiles(self.profiles, self.receiver.url)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.receiver.close()

    def receive(self, upload, message):
        self.told.append((upload, message["event"]))
        return 200

    def check(self, image, position):
        """What is wrong with it, as sentences."""
        while self.next < len(self.marks) and self.marks[self.next][0] < position:
            self.model.play(*self.marks[self.next])
            self.next += 1
        self.told.clear()
        return Image(self, os.path.join(image, "data")).check()


class Image:
    def __init__(self, checker, data):
        self.checker, self.model, self.data, self.faults = checker, checker.model, data, []
        self.seen = {}  # register -> what it holds

    def fault(self, text):
        self.faults.append(text)

    def check(self):
        self.fsck(is_recovered=False)
        try:
            server = Server(self.data, "--access-log", "off", "--api-rate", "0", "--profiles", self.checker.profiles, binary=BINARY,
                            log=os.path.join(self.checker.folder, "server"))
        except AssertionError as problem:
            self.fault(f"the folder does not open: {problem}")
            return self.faults
        try:
            self.client = load.Client(server.port, self.model.token)
            self.check_all()
        except (load.Gone, http.client.HTTPException) as problem:
            self.fault(f"the server broke off: {problem!r}\n{server.log()[-2000:]}")
        finally:
            self.client.connection.close()
            status = server.stop()
        if status != 0:
            self.fault(f"the server ended with status {status}:\n{server.log()[-2000:]}")
        self.fsck(is_recovered=True)
        return self.faults

    def fsck(self, is_recovered):
        done = subprocess.run([BINARY, "fsck", "--json", "--data", self.data], env=clean_environment(), text=True,
                              capture_output=True, timeout=120, check=False)
        census = json.loads(done.stdout) if done.stdout else {"faults": [], "unreferenced_blobs": 0}
        if is_recovered and census["unreferenced_blobs"]:
            self.fault(f"{census['unreferenced_blobs']} unreferenced blobs are left after the recovery")
        if done.returncode != 0 and (is_recovered or self.model.acknowledged or "there is no data folder" not in done.stderr):
            self.fault(f"fsck {'after' if is_recovered else 'before'} the recovery: {len(census['faults'])} faults {census['faults'][:2]}"
                       f" {done.stderr}")
        if is_recovered:
            left = [name for _, _, names in os.walk(self.data) for name in names if name.endswith((".part", ".new"))]
            if left:
                self.fault(f"left over: {left[:5]}")

    def get(self, path, query="", allowed=(200,)):
        status, _, content = self.client.s3("GET", path, query)
        if status not in allowed:
            self.fault(f"GET {path}?{query}: {status} {content[:300]!r}")
            return None
        return content if status == 200 else None

    def expect(self, register, value):
        """Hold what a register holds against what it may hold."""
        self.seen[register] = value
        allowed = self.model.allowed(register)
        if not any(matches(value, one) for one in allowed):
            self.fault(f"{register} is {value!r}, allowed: {allowed!r}")

    def check_all(self):
        self.check_buckets()
        self.check_objects()
        self.check_versions()
        self.check_uploads()
        self.check_users()
        self.check_atomic()
        if self.model.token is not None:
            self.check_tokens()
            self.check_profiles()
            self.check_remotes()
            self.check_links()
            self.check_idempotent()
            self.check_received()

    def check_atomic(self):
        """An operation that changes two things changed both, or neither."""
        for mark, changes in self.model.open.values():
            if len(changes) > 1 and not mark.get("one_by_one"):
                done = {register: matches(self.seen[register], change.value) for register, change in changes.items()
                        if register in self.seen and self.model.allowed(register).count(change.value) == 1
                        and len(self.model.allowed(register)) > 1}
                if len(set(done.values())) > 1:
                    self.fault(f"half of an operation: {done}")

    # ---- Buckets and objects

    def check_buckets(self):
        listed = {name.text for name in parse(self.get("/")).iter("Name")}
        for (name,), register in self.model.named("bucket"):
            value = None
            if name in listed:
                answer = parse(self.get(f"/{name}", "versioning="))
                value = {"Enabled": "versioned", "Suspended": "suspended"}.get(answer.findtext("Status"), "plain")
            self.expect(register, value)
        for name in listed - {words[0] for words, _ in self.model.named("bucket")}:
            self.fault(f"a bucket that nobody made: {name}")
        for (name,), register in self.model.named("bucket-tag"):
            content = self.get(f"/{name}", "tagging=", (200, 404)) if name in listed else None
            self.expect(register, parse(content).findtext(".//Value") if content else None)
        for (name,), register in self.model.named("cors"):
            content = self.get(f"/{name}", "cors=", (200, 404)) if name in listed else None
            self.expect(register, parse(content).findtext(".//AllowedOrigin") if content else None)
        self.buckets = listed

    def list_objects(self, bucket):
        found, after = {}, ""
        while True:
            page = parse(self.get(f"/{bucket}", "list-type=2&start-after=" + urllib.parse.quote(after, safe="")))
            for entry in page.iter("Contents"):
                after = entry.findtext("Key")
                found[after] = entry.findtext("ETag").strip('"')
            if page.findtext("IsTruncated") != "true":
                return found

    def check_objects(self):
        self.objects = {}
        for bucket in self.buckets & {name for name, kind in load.BUCKETS.items() if kind == "plain"}:
            for key, etag in self.list_objects(bucket).items():
                tag = ""
                if bucket == "plain":
                    tag = parse(self.get(f"/{bucket}/{key}", "tagging=") or b"<a/>").findtext(".//Value") or ""
                self.objects[f"object {bucket} {key}"] = f"{etag}|{tag}"
        for name in {name for _, name in self.model.named("object")} | set(self.objects):
            self.expect(name, self.objects.get(name))
        for name in sorted(self.objects)[::max(1, len(self.objects) // SAMPLE)]:
            _, bucket, key = name.split(" ")
            body, etag = self.get(f"/{bucket}/{key}"), self.objects[name].split("|")[0]
            if body is not None and "-" not in etag and hashlib.md5(body).hexdigest() != etag:
                self.fault(f"{name}: its bytes are not those of its ETag")

    def check_versions(self):
        found = {}
        for bucket in self.buckets & {name for name, kind in load.BUCKETS.items() if kind == "versioned"}:
            self.list_versions(bucket, found)
        for name in {name for _, name in self.model.named("versions")} | set(found):
            self.expect(name, found.get(name))

    def list_versions(self, bucket, found):
        after = ""
        while True:
            page = parse(self.get(f"/{bucket}", "versions=" + after))
            for entry in page:
                if entry.tag in ("Version", "DeleteMarker"):
                    etag = entry.findtext("ETag")
                    found.setdefault(f"versions {bucket} {entry.findtext('Key')}", []).append(
                        [entry.findtext("VersionId"), etag and etag.strip('"')])
            if page.findtext("IsTruncated") != "true":
                return
            after = "&" + urllib.parse.urlencode({"key-marker": page.findtext("NextKeyMarker"),
                                                  "version-id-marker": page.findtext("NextVersionIdMarker")})

    def check_uploads(self):
        found, after = {}, ""
        while "parts" in self.buckets:
            page = parse(self.get("/parts", "uploads=" + after))
            for entry in page.iter("Upload"):
                key, number = entry.findtext("Key"), entry.findtext("UploadId")
                answer = parse(self.get(f"/parts/{key}", f"uploadId={number}") or b"<a/>")
                found[f"upload parts {key} {number}"] = {part.findtext("PartNumber"): part.findtext("ETag").strip('"')
                                                         for part in answer.iter("Part")}
            if page.findtext("IsTruncated") != "true":
                break
            after = "&" + urllib.parse.urlencode({"key-marker": page.findtext("NextKeyMarker"),
                                                  "upload-id-marker": page.findtext("NextUploadIdMarker")})
        for name in {name for _, name in self.model.named("upload")} | set(found):
            _, bucket, key, _ = name.split(" ")
            is_unheard = name not in self.model.registers and self.model.may_be_creating(f"{bucket} {key}")
            if not (is_unheard and found[name] == {}):
                self.expect(name, found.get(name))

    # ---- Users, tokens, profiles

    def check_users(self):
        if self.objects.get("object plain fixed") is None:
            return
        for _, register in self.model.named("user"):
            working = None
            for key in {key for key in self.model.allowed(register) if key}:
                client = load.Client(self.client.port, key=(key, SECRET_KEY))
                client.connection = self.client.connection
                if client.s3("GET", "/plain/fixed")[0] == 200:
                    working = key
            self.expect(register, working)

    def check_tokens(self):
        for (token,), register in self.model.named("token"):
            client = load.Client(self.client.port, token)
            client.connection = self.client.connection
            self.expect(register, "there" if client.api("GET", "links?limit=1")[0] == 200 else None)

    def check_profiles(self):
        for (name,), register in self.model.named("profile"):
            status = self.client.api("POST", "uploads", {"profile": name})[0]
            self.expect(register, "there" if status == 201 else None)

    def check_remotes(self):
        """Whose key signs a link to it."""
        for (name,), register in self.model.named("remote"):
            status, _, link = self.client.api("POST", "links", {"remote": name, "bucket": "elsewhere", "key": "k"})
            self.expect(register, re.search("X-Amz-Credential=([A-Z0-9]+)", link["url"]).group(1) if status == 201 else None)

    # ---- Links

    def check_links(self):
        for (number,), register in self.model.named("link"):
            status, _, shown = self.client.api("GET", "links/" + number)
            if status != 200:
                self.expect(register, None)
                continue
            url, most, _ = self.model.allowed(register)[-1]
            state = "revoked" if shown["state"] == "revoked" else "active"
            self.expect(register, [url, most, state])
            served = self.model.served_uses.get(number, 0)
            if not served <= shown["used"] <= most:
                self.fault(f"{register}: {served} uses were served, {shown['used']} are counted, {most} are allowed")
            if shown["max_uses"] != most:
                self.fault(f"{register}: {most} uses became {shown['max_uses']}")
            if self.objects.get("object plain fixed") is not None:
                self.spend(register, url, most - served if state == "active" else 0)

    def spend(self, register, url, most):
        """Use it until it is refused."""
        for _ in range(most + 1):
            status = self.client.url(url)[0]
            if status != 200:
                return
            most -= 1
        if most < 0:
            self.fault(f"{register}: it was served more often than is allowed")

    # ---- The upload API

    def check_idempotent(self):
        for key, (asked, answer) in sorted(self.model.idempotent.items())[-20:]:
            status, headers, again = self.client.api("POST", "uploads", asked, Idempotency_Key=key)
            if (status, again) != (201, answer) or headers["Idempotent-Replayed"] != "true":
                self.fault(f"idempotency key {key}: {answer} became {status} {again}")

    def check_received(self):
        awaited = set()
        for number, (words, register) in enumerate(self.model.named("received")):
            allowed = self.model.allowed(register)
            if None not in allowed:
                awaited.add(words[0])
            if number % 5 and None not in allowed:
                continue  # the object itself is looked at with the others
            status, _, shown = self.client.api("GET", "uploads/" + words[0])
            is_complete = status == 200 and shown["status"] == "complete"
            self.expect(register, f"{shown['size']}|{shown['etag']}" if is_complete else None)
        awaited -= self.model.delivered
        deadline = time.monotonic() + HOOK_SECONDS
        while not awaited <= {upload for upload, _ in self.checker.told} and time.monotonic() < deadline:
            time.sleep(0.01)
        told = set(self.checker.told)
        for upload in awaited - {upload for upload, _ in told}:
            self.fault(f"the webhook is never told of {upload}")
        for upload, event in told:
            if event != "upload.complete" or f"received {upload}" not in self.model.registers:
                self.fault(f"the webhook is told {event} of {upload}")


def matches(seen, allowed):
    """Whether it is that; "?" stands for a version id or an ETag that only the answer would have told."""
    if allowed == "?":
        return seen is not None
    if not isinstance(allowed, list) or not isinstance(seen, list) or not allowed or not isinstance(allowed[0], list):
        return seen == allowed or (seen is None and allowed == [])
    return len(seen) == len(allowed) and all(
        one[1] == other[1] and other[0] in ("?", one[0]) for one, other in zip(seen, allowed))
