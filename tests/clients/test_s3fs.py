"""s3fs: a bucket as a file system."""
import os
import random

import pytest
from tools import S3fs

BIG = random.Random(10).randbytes(27 << 20)  # in parts of 10 MiB, the default

pytestmark = pytest.mark.skipif(S3fs.why_not() is not None, reason=str(S3fs.why_not()))


def use(client, s3, bucket):
    with client.mounted(bucket) as where:
        os.makedirs(f"{where}/dir/sub")
        for name, body in (("dir/a b+%ü", b"text"), ("dir/sub/empty", b""), ("big", BIG)):
            with open(f"{where}/{name}", "wb") as file:
                file.write(body)
        os.chmod(f"{where}/big", 0o640)
        os.utime(f"{where}/big", (1_000_000_000, 1_000_000_000))
        os.rename(f"{where}/dir/a b+%ü", f"{where}/dir/renamed")
        os.symlink("renamed", f"{where}/dir/link")
        with open(f"{where}/dir/renamed", "ab") as file:
            file.write(b", and more")
        with open(f"{where}/big", "r+b") as file:
            file.seek(12 << 20)
            file.write(b"in the middle")
    changed = BIG[:12 << 20] + b"in the middle" + BIG[(12 << 20) + 13:]
    assert s3.get_object(Bucket=bucket, Key="big")["Body"].read() == changed
    assert s3.get_object(Bucket=bucket, Key="dir/renamed")["Body"].read() == b"text, and more"
    with client.mounted(bucket) as where:
        with open(f"{where}/big", "rb") as file:
            assert file.read() == changed
        assert os.stat(f"{where}/big").st_mode & 0o777 == 0o640
        with open(f"{where}/dir/link", "rb") as file:
            assert file.read() == b"text, and more"
        assert sorted(os.listdir(f"{where}/dir")) == ["link", "renamed", "sub"]
        os.remove(f"{where}/dir/sub/empty")
        os.rmdir(f"{where}/dir/sub")
        with pytest.raises(OSError):
            os.rmdir(f"{where}/dir")
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert keys == ["big", "dir/", "dir/link", "dir/renamed"]


def test_a_mounted_bucket(server, s3, bucket, tmp_path):
    use(S3fs(server, tmp_path), s3, bucket)


def test_https_with_a_private_authority(secure, authority, tmp_path):
    s3 = secure.client(verify=str(authority / "ca.pem"))
    s3.create_bucket(Bucket="mounted")
    use(S3fs(secure, tmp_path, authority / "ca.pem"), s3, "mounted")
