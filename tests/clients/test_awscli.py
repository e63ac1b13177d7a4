"""The AWS CLI of both generations: `aws s3` as people use it, and `aws s3api`."""
import hashlib
import json
import os
import random

import pytest
import requests
from tools import AwsCli, AwsCli2

MIB = 1 << 20
BIG = random.Random(7).randbytes(17 * MIB)  # in parts of 8 MiB, the default


@pytest.fixture(params=[AwsCli, AwsCli2], ids=["v1", "v2"])
def aws(request, server, tmp_path):
    return request.param(server, tmp_path)


def files_in(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_cp_of_large_and_small(aws, s3, bucket, tmp_path):
    (tmp_path / "big").write_bytes(BIG)
    (tmp_path / "page.html").write_text("<p>")
    aws.s3("cp", "big", f"s3://{bucket}/dir/big", "--metadata", "owner=me")
    aws.s3("cp", "page.html", f"s3://{bucket}/", "--cache-control", "no-cache")
    parts = [hashlib.md5(BIG[at:at + 8 * MIB]).digest() for at in range(0, len(BIG), 8 * MIB)]
    head = s3.head_object(Bucket=bucket, Key="dir/big")
    assert head["ETag"] == f'"{hashlib.md5(b"".join(parts)).hexdigest()}-3"' and head["Metadata"] == {"owner": "me"}
    page = s3.head_object(Bucket=bucket, Key="page.html")
    assert (page["ContentType"], page["CacheControl"]) == ("text/html", "no-cache")
    aws.s3("cp", f"s3://{bucket}/dir/big", "down")
    assert (tmp_path / "down").read_bytes() == BIG
    assert os.stat(tmp_path / "down").st_mtime == head["LastModified"].timestamp()
    aws.s3("cp", f"s3://{bucket}/dir/big", f"s3://{bucket}/copy of big")
    copy = s3.get_object(Bucket=bucket, Key="copy of big")
    assert copy["Body"].read() == BIG
    if isinstance(aws, AwsCli2):  # the first generation loses it when it copies in parts
        assert copy["Metadata"] == {"owner": "me"}
    assert aws.s3("cp", f"s3://{bucket}/page.html", "-").bytes == b"<p>"
    aws.s3("cp", "-", f"s3://{bucket}/piped", input=BIG)
    assert aws.s3("cp", f"s3://{bucket}/piped", "-").bytes == BIG
    assert "404" in aws.s3("cp", f"s3://{bucket}/nothing", "x", status=1).err


def test_sync_both_ways(aws, s3, bucket, tmp_path):
    folder = tmp_path / "folder"
    (folder / "sub dir").mkdir(parents=True)
    for name in ("a", "b+c", "sub dir/ü", "skip.tmp"):
        (folder / name).write_text(name)
    aws.s3("sync", "folder", f"s3://{bucket}/to", "--exclude", "*.tmp")
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert keys == ["to/a", "to/b+c", "to/sub dir/ü"]
    assert aws.s3("sync", "folder", f"s3://{bucket}/to", "--exclude", "*.tmp").out == "", "nothing has changed"
    aws.s3("sync", f"s3://{bucket}/to", "back")
    assert files_in(tmp_path / "back") == {"a": b"a", "b+c": b"b+c", "sub dir/ü": "sub dir/ü".encode()}
    (folder / "a").unlink()
    (folder / "b+c").write_text("changed, and longer")
    out = aws.s3("sync", "folder", f"s3://{bucket}/to", "--delete", "--exclude", "*.tmp").out
    assert "delete:" in out and out.count("upload:") == 1
    aws.s3("sync", f"s3://{bucket}/to", f"s3://{bucket}/too")
    aws.s3("sync", f"s3://{bucket}/too", "back", "--delete")
    assert files_in(tmp_path / "back") == {"b+c": b"changed, and longer", "sub dir/ü": "sub dir/ü".encode()}


def test_mv_rm_ls_and_buckets(aws, s3, server, bucket, tmp_path):
    (tmp_path / "f").write_text("moved")
    aws.s3("mv", "f", f"s3://{bucket}/x/f")
    assert not (tmp_path / "f").exists()
    aws.s3("mv", f"s3://{bucket}/x/f", f"s3://{bucket}/y/g")
    listing = aws.s3("ls", f"s3://{bucket}", "--recursive", "--summarize").out
    assert "y/g" in listing and "x/f" not in listing and "Total Objects: 1" in listing
    assert "PRE y/" in aws.s3("ls", f"s3://{bucket}/").out
    aws.s3("mv", f"s3://{bucket}/y/g", "g")
    assert (tmp_path / "g").read_text() == "moved" and "Contents" not in s3.list_objects_v2(Bucket=bucket)
    aws.s3("mb", f"s3://{bucket}-2")
    assert f"{bucket}-2" in aws.s3("ls").out
    for i in range(5):
        s3.put_object(Bucket=f"{bucket}-2", Key=f"logs/{i}", Body=b"x")
    aws.s3("rm", "--recursive", f"s3://{bucket}-2/logs", "--exclude", "*3")
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=f"{bucket}-2")["Contents"]] == ["logs/3"]
    assert "BucketNotEmpty" in aws.s3("rb", f"s3://{bucket}-2", status=1).err
    aws.s3("rb", "--force", f"s3://{bucket}-2")
    assert f"{bucket}-2" not in [found["Name"] for found in s3.list_buckets()["Buckets"]]


def test_presign(aws, s3, bucket):
    """The first generation presigns by Signature Version 2 unless its configuration names the fourth."""
    if isinstance(aws, AwsCli) and not isinstance(aws, AwsCli2):
        aws.run("configure", "set", "default.s3.signature_version", "s3v4")
    s3.put_object(Bucket=bucket, Key="a b+ü.txt", Body=b"by link")
    url = aws.s3("presign", f"s3://{bucket}/a b+ü.txt", "--expires-in", "60").out.strip()
    assert requests.get(url, timeout=20).content == b"by link"
    assert requests.get(url.replace("a%20b", "other"), timeout=20).status_code == 403


def test_s3api_objects(aws, s3, bucket, tmp_path):
    (tmp_path / "f").write_bytes(b"all of it")
    names = ("--bucket", bucket, "--key", "k")

    def said(*arguments, **more):
        return json.loads(aws.api(*arguments, **more).out or "{}")
    put = said("put-object", *names, "--body", "f", "--tagging", "a=1", "--checksum-algorithm", "SHA256")
    assert put["ETag"] == f'"{hashlib.md5(b"all of it").hexdigest()}"' and len(put["ChecksumSHA256"]) == 44
    found = said("get-object-attributes", *names, "--object-attributes", "ETag", "Checksum", "ObjectSize")
    assert (found["ObjectSize"], found["ETag"]) == (9, put["ETag"].strip('"'))
    assert found["Checksum"]["ChecksumSHA256"] == put["ChecksumSHA256"]
    assert said("get-object-tagging", *names)["TagSet"] == [{"Key": "a", "Value": "1"}]
    said("get-object", *names, "--range", "bytes=4-5", "got")
    assert (tmp_path / "got").read_bytes() == b"of"
    said("copy-object", "--bucket", bucket, "--key", "k2", "--copy-source", f"{bucket}/k")
    assert said("head-object", "--bucket", bucket, "--key", "k2")["ETag"] == put["ETag"]
    assert [entry["Key"] for entry in said("list-objects-v2", "--bucket", bucket)["Contents"]] == ["k", "k2"]
    said("delete-objects", "--bucket", bucket, "--delete", json.dumps({"Objects": [{"Key": "k"}, {"Key": "k2"}]}))
    assert "NoSuchKey" in aws.api("get-object", *names, "x", status=None).err


def test_s3api_uploads(aws, s3, bucket, tmp_path):
    names = ("--bucket", bucket, "--key", "k")

    def said(*arguments):
        return json.loads(aws.api(*arguments).out or "{}")
    upload = said("create-multipart-upload", *names, "--content-type", "text/x")["UploadId"]
    (tmp_path / "one").write_bytes(BIG[:5 * MIB])
    (tmp_path / "two").write_bytes(b"the end")
    etags = [said("upload-part", *names, "--upload-id", upload, "--part-number", number, "--body", body)["ETag"]
             for number, body in (("1", "one"), ("2", "two"))]
    assert [part["Size"] for part in said("list-parts", *names, "--upload-id", upload)["Parts"]] == [5 * MIB, 7]
    assert said("list-multipart-uploads", "--bucket", bucket)["Uploads"][0]["UploadId"] == upload
    done = said("complete-multipart-upload", *names, "--upload-id", upload, "--multipart-upload", json.dumps(
        {"Parts": [{"PartNumber": i + 1, "ETag": etag} for i, etag in enumerate(etags)]}))
    assert done["ETag"].endswith('-2"')
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["ContentType"] == "text/x" and got["Body"].read() == BIG[:5 * MIB] + b"the end"
    other = said("create-multipart-upload", *names)["UploadId"]
    aws.api("abort-multipart-upload", *names, "--upload-id", other)
    assert "NoSuchUpload" in aws.api("list-parts", *names, "--upload-id", other, status=None).err


def test_s3api_buckets(aws, bucket):
    def said(*arguments):
        return json.loads(aws.api(*arguments, "--bucket", bucket).out or "{}")
    said("put-bucket-versioning", "--versioning-configuration", "Status=Enabled")
    assert said("get-bucket-versioning")["Status"] == "Enabled"
    ids = [said("put-object", "--key", "k")["VersionId"] for _ in range(2)]
    listed = said("list-object-versions", "--prefix", "k")["Versions"]
    assert [(entry["VersionId"], entry["IsLatest"]) for entry in listed] == [(ids[1], True), (ids[0], False)]
    assert said("delete-object", "--key", "k", "--version-id", ids[1])["VersionId"] == ids[1]
    said("put-bucket-tagging", "--tagging", "TagSet=[{Key=team,Value=blue}]")
    assert said("get-bucket-tagging")["TagSet"] == [{"Key": "team", "Value": "blue"}]
    rules = {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}
    said("put-bucket-cors", "--cors-configuration", json.dumps(rules))
    assert said("get-bucket-cors") == rules


@pytest.mark.parametrize("generation", [AwsCli, AwsCli2], ids=["v1", "v2"])
def test_https_with_a_private_authority(secure, authority, tmp_path, generation):
    (tmp_path / "f").write_bytes(BIG)
    trusting = generation(secure, tmp_path, authority / "ca.pem")
    trusting.s3("cp", "f", "s3://pictures/f")
    trusting.s3("cp", "s3://pictures/f", "g")
    assert (tmp_path / "g").read_bytes() == BIG
    assert "CERTIFICATE_VERIFY_FAILED" in generation(secure, tmp_path).s3("ls", status=None).err
