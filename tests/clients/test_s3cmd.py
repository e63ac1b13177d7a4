"""s3cmd: put, get, sync, signurl, ls, del, info, setmeta and what goes with them."""
import hashlib
import os
import random

import pytest
import requests
from tools import S3cmd

BIG = random.Random(8).randbytes(16 << 20)  # in parts of 15 MiB, the default


@pytest.fixture
def s3cmd(server, tmp_path):
    return S3cmd(server, tmp_path)


def test_put_and_get(s3cmd, s3, bucket, tmp_path):
    (tmp_path / "small ü+").write_text("small")
    (tmp_path / "big").write_bytes(BIG)
    s3cmd.run("put", "small ü+", f"s3://{bucket}/dir/", "--add-header", "x-amz-meta-owner:me", "--mime-type", "text/x")
    head = s3.head_object(Bucket=bucket, Key="dir/small ü+")
    assert head["ContentType"] == "text/x" and head["Metadata"]["owner"] == "me"
    s3cmd.run("put", "big", f"s3://{bucket}/big")
    parts = [hashlib.md5(BIG[at:at + (15 << 20)]).digest() for at in (0, 15 << 20)]
    assert s3.head_object(Bucket=bucket, Key="big")["ETag"] == f'"{hashlib.md5(b"".join(parts)).hexdigest()}-2"'
    s3cmd.run("get", f"s3://{bucket}/dir/small ü+", "got")
    assert (tmp_path / "got").read_text() == "small"
    (tmp_path / "rest").write_bytes(BIG[:1000])
    s3cmd.run("get", "--continue", f"s3://{bucket}/big", "rest")
    assert (tmp_path / "rest").read_bytes() == BIG
    assert s3cmd.run("get", f"s3://{bucket}/none", "x", status=None).status == 64, "not found"


def test_ls_du_info_setmeta(s3cmd, s3, bucket, tmp_path):
    (tmp_path / "f").write_text("12345")
    s3cmd.run("put", "f", f"s3://{bucket}/a/f")
    s3cmd.run("put", "f", f"s3://{bucket}/g")
    assert f"s3://{bucket}" in s3cmd.run("ls").out
    listing = s3cmd.run("ls", f"s3://{bucket}").out
    assert f"DIR  s3://{bucket}/a/" in listing and f"s3://{bucket}/g" in listing
    assert s3cmd.run("ls", "--recursive", f"s3://{bucket}").out.count("s3://") == 2
    assert s3cmd.run("du", f"s3://{bucket}").out.split()[:2] == ["10", "2"]
    info = s3cmd.run("info", f"s3://{bucket}/g").out
    assert "File size: 5" in info and hashlib.md5(b"12345").hexdigest() in info
    assert "Location:" in s3cmd.run("info", f"s3://{bucket}").out
    s3cmd.run("modify", "--add-header", "Cache-Control:max-age=9", f"s3://{bucket}/g")
    head = s3.head_object(Bucket=bucket, Key="g")
    assert head["CacheControl"] == "max-age=9" and "s3cmd-attrs" in head["Metadata"]
    assert s3.get_object(Bucket=bucket, Key="g")["Body"].read() == b"12345"


def test_cp_mv_del(s3cmd, s3, bucket, tmp_path):
    (tmp_path / "f").write_text("copied")
    s3cmd.run("put", "f", f"s3://{bucket}/f")
    s3cmd.run("cp", f"s3://{bucket}/f", f"s3://{bucket}/g")
    s3cmd.run("mv", f"s3://{bucket}/f", f"s3://{bucket}/h ü")
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert keys == ["g", "h ü"] and s3.get_object(Bucket=bucket, Key="h ü")["Body"].read() == b"copied"
    s3cmd.run("del", f"s3://{bucket}/g")
    s3cmd.run("del", "--recursive", "--force", f"s3://{bucket}")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    s3cmd.run("mb", f"s3://{bucket}-2")
    s3cmd.run("rb", f"s3://{bucket}-2")


def test_sync_restores_times(s3cmd, bucket, tmp_path):
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    for i, name in enumerate(("a", "sub/b c", "z")):
        (folder / name).write_text(name)
        os.utime(folder / name, (1_000_000_000 + i, 1_000_000_000 + i))
    s3cmd.run("sync", "folder/", f"s3://{bucket}/to/")
    s3cmd.run("sync", f"s3://{bucket}/to/", "back/")
    for name in ("a", "sub/b c", "z"):
        assert (tmp_path / "back" / name).read_text() == name
        assert os.stat(tmp_path / "back" / name).st_mtime == os.stat(folder / name).st_mtime
    assert "upload:" not in s3cmd.run("sync", "folder/", f"s3://{bucket}/to/").out
    (folder / "a").unlink()
    assert "delete:" in s3cmd.run("sync", "--delete-removed", "folder/", f"s3://{bucket}/to/").out
    assert f"s3://{bucket}/to/a\n" not in s3cmd.run("ls", "--recursive", f"s3://{bucket}").out


def test_signurl(s3cmd, start, s3, bucket, tmp_path):
    """s3cmd signs URLs by Signature Version 2 alone: refused, saying what to change, until that is turned on."""
    s3.put_object(Bucket=bucket, Key="f ü", Body=b"by link")
    refusal = requests.get(s3cmd.run("signurl", f"s3://{bucket}/f ü", "+60").out.strip(), timeout=20)
    assert refusal.status_code >= 400 and "allow-signature-v2" in refusal.text, refusal.text
    older = start("--allow-signature-v2", "--buckets", "pictures")
    older.client().put_object(Bucket="pictures", Key="f ü", Body=b"by link")
    url = S3cmd(older, tmp_path).run("signurl", "s3://pictures/f ü", "+60").out.strip()
    assert requests.get(url, timeout=20).content == b"by link"
    assert requests.get(url.replace("Signature=", "Signature=x"), timeout=20).status_code == 403


def test_https_with_a_private_authority(secure, authority, tmp_path):
    (tmp_path / "big").write_bytes(BIG)
    s3cmd = S3cmd(secure, tmp_path, authority / "ca.pem")
    s3cmd.run("put", "big", "s3://pictures/big")
    s3cmd.run("get", "s3://pictures/big", "down")
    assert (tmp_path / "down").read_bytes() == BIG
