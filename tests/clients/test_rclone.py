"""rclone: sync by checksum, large files in chunks, check, copies on the server, purge."""
import os
import random

import pytest
import requests
from folder import compare
from tools import Rclone

BIG = random.Random(9).randbytes(23 << 20)
CHUNKS = ("--s3-upload-cutoff", "5M", "--s3-chunk-size", "5M")


@pytest.fixture
def rclone(server, tmp_path):
    return Rclone(server, tmp_path)


@pytest.fixture
def folder(tmp_path):
    where = tmp_path / "folder"
    for i, name in enumerate(("a", "b +%ü", "sub/dir/c", "sub/empty")):
        (where / name).parent.mkdir(parents=True, exist_ok=True)
        (where / name).write_text("" if name.endswith("empty") else name)
        os.utime(where / name, ns=(10**18 + i * 123_456_789, 10**18 + i * 123_456_789))
    return where


def test_sync_by_checksum(rclone, s3, bucket, folder, tmp_path):
    rclone.run("sync", "--checksum", folder, f"store:{bucket}/to")
    said = rclone.run("sync", "--checksum", "-v", folder, f"store:{bucket}/to").err
    assert "Copied" not in said
    rclone.run("check", "--download", folder, f"store:{bucket}/to")
    s3.put_object(Bucket=bucket, Key="to/a", Body=b"A")
    assert "1 differences found" in rclone.run("check", folder, f"store:{bucket}/to", status=1).err
    (folder / "sub/dir/c").unlink()
    rclone.run("sync", "--checksum", folder, f"store:{bucket}/to")
    rclone.run("sync", f"store:{bucket}/to", tmp_path / "back")
    assert compare(folder, tmp_path / "back", times=0) == [], "bytes, and times to the nanosecond"


def test_large_files_in_chunks(rclone, s3, bucket, tmp_path):
    (tmp_path / "big").write_bytes(BIG)
    rclone.run("copyto", *CHUNKS, "big", f"store:{bucket}/big")
    assert s3.head_object(Bucket=bucket, Key="big")["ETag"].endswith('-5"')
    rclone.run("check", "--download", ".", f"store:{bucket}", "--include", "/big")
    rclone.run("copyto", "--multi-thread-cutoff", "1M", f"store:{bucket}/big", "down")
    assert (tmp_path / "down").read_bytes() == BIG
    rclone.run("rcat", *CHUNKS, f"store:{bucket}/piped", input=BIG)
    assert rclone.run("cat", f"store:{bucket}/piped").bytes == BIG
    assert rclone.run("cat", "--offset", "100", "--count", "50", f"store:{bucket}/big").bytes == BIG[100:150]


def test_copies_on_the_server(rclone, s3, bucket, folder, tmp_path):
    rclone.run("copy", folder, f"store:{bucket}/one")
    (tmp_path / "big").write_bytes(BIG)
    rclone.run("copyto", "big", f"store:{bucket}/one/big")
    said = rclone.run("copy", "-v", "--s3-copy-cutoff", "10M", f"store:{bucket}/one", f"store:{bucket}/two ü").err
    assert said.count("server-side copy") == 5, said
    assert s3.get_object(Bucket=bucket, Key="two ü/big")["Body"].read() == BIG
    rclone.run("moveto", f"store:{bucket}/two ü/a", f"store:{bucket}/two ü/moved")
    assert s3.get_object(Bucket=bucket, Key="two ü/moved")["Body"].read() == b"a"
    rclone.run("purge", f"store:{bucket}/one")
    assert "one/" not in rclone.run("lsf", f"store:{bucket}").out


def test_listings_and_removal(rclone, server, bucket, folder):
    rclone.run("copy", folder, f"store:{bucket}")
    assert sorted(rclone.run("lsf", "--recursive", "--files-only", f"store:{bucket}").out.splitlines()) == \
        ["a", "b +%ü", "sub/dir/c", "sub/empty"]
    assert f"{bucket}/" in rclone.run("lsf", "store:").out
    assert '"count":4' in rclone.run("size", "--json", f"store:{bucket}").out
    rclone.run("deletefile", f"store:{bucket}/a")
    rclone.run("touch", "--timestamp", "2001-02-03T04:05:06", f"store:{bucket}/b +%ü")
    assert "2001-02-03 04:05:06" in rclone.run("lsl", f"store:{bucket}").out
    rclone.run("mkdir", f"store:{bucket}-2")
    rclone.run("rmdir", f"store:{bucket}-2")
    rclone.run("purge", f"store:{bucket}")
    assert f"{bucket}/" not in rclone.run("lsf", "store:").out


def test_link(rclone, s3, bucket):
    s3.put_object(Bucket=bucket, Key="a +ü", Body=b"by link")
    url = rclone.run("link", "--expire", "60s", f"store:{bucket}/a +ü").out.strip()
    assert requests.get(url, timeout=20).content == b"by link"


def test_abandoned_uploads_are_cleaned_up(rclone, s3, bucket):
    s3.create_multipart_upload(Bucket=bucket, Key="left")
    assert "left" in rclone.run("backend", "list-multipart-uploads", f"store:{bucket}").out
    rclone.run("backend", "cleanup", "-o", "max-age=0s", f"store:{bucket}")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_https_with_a_private_authority(secure, authority, folder, tmp_path):
    rclone = Rclone(secure, tmp_path, authority / "ca.pem")
    (folder / "big").write_bytes(BIG)
    rclone.run("sync", *CHUNKS, folder, "store:pictures/tls")
    rclone.run("sync", "store:pictures/tls", tmp_path / "back")
    assert compare(folder, tmp_path / "back", times=0) == []
    assert "certificate" in Rclone(secure, tmp_path).run("lsf", "store:", status=None).err
