"""Memory and address space that run out, and SIGKILL on a full disk: nothing acknowledged is lost."""
import contextlib
import os
import subprocess
import threading

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from harness import Server, presign, send_on, target_of

BUCKET = "crash-bucket"


def start(folder, *wrapper, log=None):
    return Server(folder, "--buckets", BUCKET, "--access-log", "off", wrapper=wrapper, log=log)


def in_threads(function, count):
    threads = [threading.Thread(target=function, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def check_whole(server, keys):
    assert server.stop() == 0
    status, output = server.fsck()
    assert status == 0, output
    server = Server(server.data, "--access-log", "off", log=server.log_path + ".again")
    s3 = server.client()
    listed = {entry["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
              for entry in page.get("Contents", [])}
    assert set(keys) <= listed, "an acknowledged object is gone"
    s3.put_object(Bucket=BUCKET, Key="afterwards", Body=b"x" * 20_000)
    assert server.stop() == 0


def test_an_index_that_fills_its_map(tmp_path):
    """Little address space leaves a small map. Full, it refuses writes; reading and deleting go on; what is
    deleted makes room; and a start with more room opens the same file with a larger map."""
    server = start(tmp_path / "data", "prlimit", f"--as={500 << 20}")
    s3 = server.client()
    stored, refused, body = [], [], os.urandom(8000)

    def fill(writer):
        with contextlib.closing(server.connection(timeout=60)) as connection:
            for number in range(100_000):
                key = f"{writer}-{number:06d}"
                url = target_of(presign(s3, "put_object", bucket=BUCKET, key=key))
                answer = send_on(connection, "PUT", url, body=body)
                if answer.status != 200:
                    refused.append(answer)
                    return
                stored.append(key)
    in_threads(fill, 8)
    assert len(refused) == 8, "the map was never full"
    assert all(answer.code in ("InsufficientStorage", "SlowDown", "ServiceUnavailable") for answer in refused), refused
    assert s3.get_object(Bucket=BUCKET, Key=stored[0])["Body"].read() == body
    for key in stored[:50]:
        s3.delete_object(Bucket=BUCKET, Key=key)
    s3.put_object(Bucket=BUCKET, Key="again", Body=body)
    check_whole(server, [*stored[50:], "again"])


def test_memory_runs_out(tmp_path):
    """Many large requests at once in little address space: refused or cut, and the server lives on."""
    server = start(tmp_path / "data", "prlimit", f"--as={500 << 20}")
    done = []

    def write(number):
        s3 = server.client()
        for turn in range(5):
            with contextlib.suppress(ClientError, BotoCoreError):
                key = f"{number}-{turn}"
                s3.put_object(Bucket=BUCKET, Key=key, Body=b"x" * 300_000)
                done.append(key)
                s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": f"{'n' * 900}{one}"} for one in range(900)]})
    in_threads(write, 8)
    assert server.process.poll() is None, server.log()[-2000:]
    assert server.send("GET", "/-/health").status == 200
    check_whole(server, done)


def test_killed_on_a_full_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", folder],
                                           capture_output=True, check=False).returncode != 0:
        pytest.skip("only root can mount a small file system")
    try:
        server = start(folder / "data", log=tmp_path / "log")
        s3 = server.client()
        stored = []
        for number in range(600):
            with contextlib.suppress(ClientError):
                s3.put_object(Bucket=BUCKET, Key=f"k{number:04d}", Body=os.urandom(5000 if number % 2 else 30_000))
                stored.append(f"k{number:04d}")
        assert len(stored) < 600, "the disk is full"
        server.process.kill()
        server.process.wait()
        server = start(folder / "data", log=tmp_path / "second")
        s3 = server.client()
        for key in stored[:20]:
            s3.delete_object(Bucket=BUCKET, Key=key)
        check_whole(server, stored[20:])
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
