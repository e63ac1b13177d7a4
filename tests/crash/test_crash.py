"""SIGKILL in the middle of thousands of concurrent writes, many times over.

The same with multipart uploads and copies, which are several writes each.

Every acknowledged object is there and whole, none is half there, and fsck finds nothing wrong. What
a killed server did not answer may have happened or not, but nothing in between.
"""
import contextlib
import hashlib
import http.client
import os
import random
import re
import subprocess
import threading
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from harness import Server, presign, send_on, target_of

BUCKET = "crash-bucket"
ROUNDS = int(os.environ.get("CRASH_ROUNDS", "12"))
WRITERS = 24
KEYS_PER_WRITER = 40
SIZES = [0, 1, 300, 4096, 8192, 8193, 20_000, 100_000]  # in the index, and in blobs


def body_of(writer, serial):
    """The bytes of one write, made anew from its number."""
    chance = random.Random(writer * 1_000_003 + serial)
    size = chance.choice(SIZES)
    block = f"{writer}:{serial}:".encode() + chance.randbytes(251)
    return (block * (size // len(block) + 1))[:size]


class Writer(threading.Thread):
    """Writes, overwrites and deletes keys of its own, and remembers what may be there."""

    def __init__(self, number, server, urls, known, serial):
        super().__init__(daemon=True)
        self.number, self.server, self.urls = number, server, urls
        self.known = known  # key -> the set of serials that it may hold; None for "absent"
        self.serial = serial
        self.acknowledged = 0
        self.problem = None

    def run(self):
        chance = random.Random(f"{self.number}-{self.serial}")
        connection = self.server.connection(timeout=30)
        with contextlib.suppress(OSError, http.client.HTTPException):
            while True:
                key = f"{self.number:02d}/{chance.randrange(KEYS_PER_WRITER):02d}"
                self.serial += 1
                wanted = None if chance.random() < 0.15 else self.serial
                before = self.known.get(key, {None})
                self.known[key] = before | {wanted}  # until it is answered, both may be
                put, delete = self.urls[key]
                if wanted is None:
                    answer = send_on(connection, "DELETE", delete)
                else:
                    answer = send_on(connection, "PUT", put, body=body_of(self.number, wanted))
                if answer.status not in (200, 204):
                    self.problem = answer
                    break
                self.known[key] = {wanted}
                self.acknowledged += 1
        connection.close()


def check(server, known):
    """Hold what is there against what may be there."""
    s3 = server.client(max_pool_connections=2)
    listed = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        listed.update({entry["Key"]: entry for entry in page.get("Contents", [])})
    assert set(listed) <= set(known), "there are keys that nobody wrote"
    with contextlib.closing(server.connection()) as connection:
        for key, possible in known.items():
            writer = int(key.split("/")[0])
            if key not in listed:
                assert None in possible, f"{key}: an acknowledged object is gone"
                known[key] = {None}
                continue
            body = send_on(connection, "GET", target_of(presign(s3, "get_object", bucket=BUCKET, key=key))).body
            assert listed[key]["ETag"] == f'"{hashlib.md5(body).hexdigest()}"', f"{key}: torn"
            serials = {serial for serial in possible if serial is not None and body_of(writer, serial) == body}
            assert serials, f"{key}: neither what was acknowledged nor what was under way"
            known[key] = serials


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data"


def start(folder, *arguments):
    return Server(folder, "--buckets", BUCKET, "--access-log", "off", *arguments)


def test_acknowledged_writes_survive_sigkill(folder):
    chance = random.Random(20261123)
    known = {}  # each writer has keys of its own
    serials = [0] * WRITERS
    total, removed_something = 0, False
    server = start(folder)
    for number in range(ROUNDS):
        s3 = server.client()
        urls = {key: [target_of(presign(s3, operation, bucket=BUCKET, key=key))
                      for operation in ("put_object", "delete_object")]
                for writer in range(WRITERS) for key in [f"{writer:02d}/{one:02d}" for one in range(KEYS_PER_WRITER)]}
        writers = [Writer(one, server, urls, known, serials[one]) for one in range(WRITERS)]
        for writer in writers:
            writer.start()
        time.sleep(chance.uniform(0.3, 1.5))
        server.process.kill()
        server.process.wait()
        for writer in writers:
            writer.join(timeout=60)
            assert not writer.is_alive() and writer.problem is None, writer.problem
            serials[writer.number] = writer.serial
            total += writer.acknowledged
        status, output = server.fsck() if number % 3 == 0 else (0, "")
        assert status == 0, f"after the kill of round {number}:\n{output}"
        server = start(folder)
        removed_something |= bool(re.search(r"(?i)(remov|recover|unclean|left.?over)", server.log()))
        check(server, known)
    assert server.stop() == 0
    status, output = server.fsck()
    assert status == 0, output
    assert total > 1000 * min(ROUNDS, 3), f"only {total} writes were acknowledged: too few to prove anything"
    assert removed_something, "start-up after a crash says that it cleaned up"
    print(f"{total} acknowledged writes, {ROUNDS} kills")


PART = bytes(range(256)) * 20480  # 5 MiB, the least that a part other than the last may have


class Uploader(threading.Thread):
    """Uploads in parts, completes, copies and deletes keys of its own, and remembers what may be there."""

    def __init__(self, number, s3, known, open_uploads, serial):
        super().__init__(daemon=True)
        self.number, self.s3, self.known, self.open_uploads, self.serial = number, s3, known, open_uploads, serial
        self.acknowledged, self.problem = 0, None

    def run(self):
        try:
            while True:
                self.serial += 1
                key = f"{self.number:02d}/{self.serial % 5}"
                if self.serial % 7 == 0:
                    self.change(key, None, lambda key=key: self.s3.delete_object(Bucket=BUCKET, Key=key))
                elif self.serial % 3 == 0:
                    self.copy(key)
                else:
                    self.upload(key)
        except (BotoCoreError, OSError):
            pass  # the server is gone
        except ClientError as problem:
            self.problem = problem

    def change(self, key, serial, act):
        self.known[key] = self.known.get(key, {None}) | {serial}  # until it is answered, both may be
        act()
        self.known[key] = {serial}
        self.acknowledged += 1

    def copy(self, key):
        source = f"{self.number:02d}/{(self.serial // 3) % 5}"
        serial = next(iter(self.known.get(source, {None})))  # of several the bodies are the same
        if serial is not None:
            self.change(key, serial, lambda: self.s3.copy_object(
                Bucket=BUCKET, Key=key, CopySource={"Bucket": BUCKET, "Key": source},
                MetadataDirective="REPLACE"))  # or it could not be onto itself

    def upload(self, key):
        upload = {"Bucket": BUCKET, "Key": key}
        upload["UploadId"] = self.s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
        bodies = parts_of(self.number, self.serial)
        parts = [{"PartNumber": number, "ETag": self.s3.upload_part(**upload, PartNumber=number, Body=body)["ETag"]}
                 for number, body in bodies.items()]
        self.open_uploads[self.number] = (upload, parts, self.serial)  # from here on it can be completed
        self.change(key, self.serial, lambda: self.s3.complete_multipart_upload(
            **upload, MultipartUpload={"Parts": parts}))
        del self.open_uploads[self.number]


def parts_of(writer, serial):
    """The parts of one upload: mostly a small one, sometimes a large one before it."""
    return ({1: PART} if serial % 8 == 1 else {}) | {7: body_of(writer, serial)}


def check_uploads(server, known, open_uploads):
    """What was acknowledged is there; what had all its parts can be completed, if it was not yet."""
    s3 = server.client()
    for upload, parts, serial in open_uploads.values():
        s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        known[upload["Key"]] = {serial}
    open_uploads.clear()
    for key, possible in known.items():
        writer = int(key.split("/")[0])
        try:
            body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        except s3.exceptions.NoSuchKey:
            assert None in possible, f"{key}: an acknowledged object is gone"
            known[key] = {None}
            continue
        serials = {serial for serial in possible
                   if serial is not None and b"".join(parts_of(writer, serial).values()) == body}
        assert serials, f"{key}: neither what was acknowledged nor what was under way"
        known[key] = serials


def test_uploads_and_copies_survive_sigkill(folder):
    chance = random.Random(20261124)
    known, open_uploads, writers, total = {}, {}, 8, 0
    serials = [0] * writers
    server = start(folder)
    for number in range(max(ROUNDS // 2, 1)):
        s3 = server.client(max_pool_connections=writers, read_timeout=30)
        threads = [Uploader(one, s3, known, open_uploads, serials[one]) for one in range(writers)]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.8, 2))
        server.process.kill()
        server.process.wait()
        for thread in threads:
            thread.join(timeout=60)
            assert not thread.is_alive() and thread.problem is None, thread.problem
            serials[thread.number] = thread.serial
            total += thread.acknowledged
        status, output = server.fsck()
        assert status == 0, f"after the kill of round {number}:\n{output}"
        server = start(folder)
        check_uploads(server, known, open_uploads)
    s3 = server.client()
    for upload in s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
        s3.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])
    for key in known:
        s3.delete_object(Bucket=BUCKET, Key=key)
    assert server.stop() == 0
    status, output = server.fsck()
    assert status == 0 and " 0 objects, 0 bytes, 0 unreferenced" in output, output
    left = [name for base, _, names in os.walk(folder / "blobs") for name in names if name not in ("lock", "clean")]
    assert not left, f"bodies of nothing: {left}"
    assert total > 10 * ROUNDS, f"only {total} changes were acknowledged: too few to prove anything"
    print(f"{total} acknowledged changes")


def test_a_clean_stop_leaves_nothing_to_recover(folder):
    server = start(folder)
    server.client().put_object(Bucket=BUCKET, Key="k", Body=b"x" * 100_000)
    assert server.stop() == 0
    server = start(folder)
    assert not re.search(r"(?i)(unclean|left.?over|not (shut|closed|stopped))", server.log())
    server.stop()


def test_killed_while_starting(folder):
    """Start-up is itself safe to kill."""
    server = start(folder)
    server.client().put_object(Bucket=BUCKET, Key="k", Body=b"x" * 100_000)
    server.process.kill()
    server.process.wait()
    for delay in (0, 0.002, 0.005, 0.01, 0.02):
        process = subprocess.Popen(
            [server.binary, "serve", "--data", folder, "--listen", "127.0.0.1:0"], env=server.environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.kill()
        process.wait()
    server = start(folder)
    assert server.client().get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"x" * 100_000
    assert server.stop() == 0
    status, output = server.fsck()
    assert status == 0, output


def test_fsck_finds_what_is_wrong(folder):
    """A check that can't fail proves nothing: damage one body, lose another."""
    server = start(folder)
    s3 = server.client()
    for key in ("damaged", "lost", "fine"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode() * 10_000)
    server.stop()
    paths = {}
    for base, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(base, name)
            with open(path, "rb") as file:
                start_bytes = file.read(4096)
            for key in ("damaged", "lost"):
                if start_bytes.startswith(key.encode() * 100):
                    paths[key] = path
    assert set(paths) == {"damaged", "lost"}, "each large body is a file of its own"
    os.chmod(paths["damaged"], 0o600)
    with open(paths["damaged"], "r+b") as file:
        file.seek(5000)
        file.write(b"X")
    os.remove(paths["lost"])
    status, output = server.fsck()
    assert status != 0 and "damaged" in output and "lost" in output, output
    server = start(folder)
    url = presign(server.client(), "get_object", bucket=BUCKET, key="lost")
    assert server.send("GET", target_of(url)).status == 500, "and it is not a silent empty object"
    assert server.client().get_object(Bucket=BUCKET, Key="fine")["Body"].read() == b"fine" * 10_000
    server.stop()
