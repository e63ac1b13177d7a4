"""What runs out: files, the disk, room for a file. A clear error each time, nothing lost, and service goes on."""
import contextlib
import os
import subprocess
import time

import pytest
from botocore.exceptions import ClientError
from harness import presign, target_of
from hostile import connect, read_answers

BUCKET = "pictures"
FULL = {"InsufficientStorage", "ServiceUnavailable", "SlowDown"}


def put_until_refused(s3, prefix, size, most):
    """Objects of one size until the server has refused three in a row: (what was stored, the refusals)."""
    stored, refused = [], []
    for number in range(most):
        key = f"{prefix}{number:05d}"
        try:
            s3.put_object(Bucket=BUCKET, Key=key, Body=os.urandom(size))
            stored.append(key)
            refused.clear()
        except ClientError as error:
            refused.append(error.response)
            if len(refused) == 3:
                break
    return stored, refused


def check_refusals(refused, statuses=(507, 503)):
    assert len(refused) == 3, "it was never refused"
    for response in refused:
        assert response["ResponseMetadata"]["HTTPStatusCode"] in statuses, response
        assert response["Error"]["Code"] in FULL, response


def check_readable(s3, keys):
    listed = {entry["Key"]: entry for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
              for entry in page.get("Contents", [])}
    assert set(keys) <= set(listed), "an acknowledged object is gone"
    for key in keys[::7]:
        assert len(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()) == listed[key]["Size"]


# ---- A full disk

@pytest.fixture
def disk(tmp_path):
    """A file system of 6 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", folder],
                                           capture_output=True, check=False).returncode != 0:
        pytest.skip("only root can mount a small file system")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.parametrize("size", [3000, 200_000])
def test_a_disk_that_fills_up(disk, start, tmp_path, size):
    """By the index alone, which holds small objects, in the middle of its commits; and by blobs."""
    server = start("--buckets", BUCKET, data=disk / "data", log=tmp_path / "log", check=False)
    s3 = server.client()
    s3.put_object(Bucket=BUCKET, Key="kept", Body=b"kept" * 10_000)
    stored, refused = put_until_refused(s3, "fill", size, 4000)
    check_refusals(refused)
    assert s3.get_object(Bucket=BUCKET, Key="kept")["Body"].read() == b"kept" * 10_000
    check_readable(s3, stored)
    with pytest.raises(ClientError):
        s3.put_object(Bucket=BUCKET, Key="kept", Body=b"new" * 2_000_000)
    assert s3.get_object(Bucket=BUCKET, Key="kept")["Body"].read() == b"kept" * 10_000, "the old object is untouched"
    for key in stored[: len(stored) // 2]:  # DELETE goes on
        s3.delete_object(Bucket=BUCKET, Key=key)
    time.sleep(0.5)  # blobs are removed behind
    for number in range(3):
        s3.put_object(Bucket=BUCKET, Key=f"again{number}", Body=b"a" * size)
    check_readable(s3, stored[len(stored) // 2:] + ["again0", "again1", "again2"])
    assert server.stop() == 0
    status, output = server.fsck()
    assert status == 0, output


def test_a_disk_that_others_fill(disk, start, tmp_path):
    """Not one block is left, and some come back later."""
    server = start("--buckets", BUCKET, data=disk / "data", log=tmp_path / "log", check=False)
    s3 = server.client()
    for number in range(30):
        s3.put_object(Bucket=BUCKET, Key=f"k{number}", Body=b"x" * 20_000)
    with open(disk / "others", "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"o" * 4096):
            pass
    _, refused = put_until_refused(s3, "more", 20_000, 10)
    check_refusals(refused)
    check_readable(s3, [f"k{number}" for number in range(30)])
    os.remove(disk / "others")
    s3.put_object(Bucket=BUCKET, Key="k0", Body=b"y" * 20_000)
    s3.delete_object(Bucket=BUCKET, Key="k1")
    assert server.stop() == 0
    status, output = server.fsck()
    assert status == 0, output


def test_a_limit_on_the_size_of_a_file(start):
    """RLIMIT_FSIZE, or what a file system allows: the upload is refused, and the server is not killed."""
    server = start("--buckets", BUCKET, wrapper=("prlimit", "--fsize=3000000"))
    s3 = server.client()
    s3.put_object(Bucket=BUCKET, Key="fits", Body=b"x" * 1_000_000)
    for body in (b"y" * 4_000_000, b"z" * 10_000_000):
        with pytest.raises(ClientError) as caught:
            s3.put_object(Bucket=BUCKET, Key="fits", Body=body)
        assert caught.value.response["Error"]["Code"] in FULL | {"EntityTooLarge", "InternalError"}
    assert s3.get_object(Bucket=BUCKET, Key="fits")["Body"].read() == b"x" * 1_000_000
    s3.delete_object(Bucket=BUCKET, Key="fits")


# ---- File descriptors

def put_when_there_is_room(s3, key, deadline):
    """The files of uploads whose clients have gone are closed when that is noticed."""
    while True:
        try:
            return s3.put_object(Bucket=BUCKET, Key=key, Body=b"x" * 100_000)
        except ClientError as error:
            if error.response["Error"]["Code"] != "SlowDown" or time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def test_file_descriptors_run_out(start):
    """All that the server may have are held by idle connections, and by uploads with an open file each."""
    server = start("--buckets", BUCKET, "--idle-timeout", "5", wrapper=("prlimit", "--nofile=64:64"))
    s3 = server.client(retries={"max_attempts": 4})
    s3.put_object(Bucket=BUCKET, Key="large", Body=b"x" * 100_000)
    kept = connect(server, 30)  # was there before
    target = target_of(presign(s3, "put_object", key="half"))
    get = f"GET {target_of(presign(s3, 'get_object', key='large'))} HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode()
    head = f"PUT {target} HTTP/1.1\r\nHost: {server.host}\r\nContent-Length: 50000\r\n\r\n".encode()
    held = [connect(server) for _ in range(80)]
    for sock in held:
        with contextlib.suppress(OSError):
            sock.sendall(head + b"x" * 20_000)
    time.sleep(0.5)
    with contextlib.suppress(OSError, IndexError):  # it may have been closed for its silence
        kept.sendall(get)
        status, body = read_answers(kept, 1)[0]
        assert status in (200, 503), (status, body[:300])
        assert status == 200 or b"<Code>SlowDown</Code>" in body or b"<Code>ServiceUnavailable</Code>" in body, body
    for sock in [kept, *held]:
        sock.close()
    deadline = time.monotonic() + 30
    while True:
        with contextlib.suppress(OSError):
            if server.send("GET", "/-/health").status == 200:
                break
        assert time.monotonic() < deadline, "it recovers when connections close"
        time.sleep(0.1)
    for number in range(10):
        put_when_there_is_room(s3, f"after{number}", deadline)
    assert s3.get_object(Bucket=BUCKET, Key="large")["Body"].read() == b"x" * 100_000
    assert all(entry["Key"] != "half" for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"])


def test_idle_connections_that_hold_every_descriptor_are_closed_in_time(start):
    """Who comes then waits for no longer than --idle-timeout."""
    server = start("--buckets", BUCKET, "--idle-timeout", "2", wrapper=("prlimit", "--nofile=48:48"))
    held = [connect(server) for _ in range(100)]
    time.sleep(0.3)
    deadline = time.monotonic() + 30
    while True:
        with contextlib.suppress(OSError):
            if server.send("GET", "/-/health").status == 200:
                break
        assert time.monotonic() < deadline, "nobody is served any more"
    for sock in held:
        sock.close()
