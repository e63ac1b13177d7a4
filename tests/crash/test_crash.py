"""SIGKILL in the middle of thousands of concurrent writes, many times over.

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
