"""CopyObject and UploadPartCopy: what is copied, what is asked for, and what may not be."""
import datetime
import hashlib
import json
import os
import time

import pytest
from botocore.exceptions import ClientError
from harness import sign_and_send

BUCKET = "pictures"
OTHER = "archive"
PART = 5 * 1024 * 1024


@pytest.fixture(scope="module")
def server(start):
    return start(environment={"LATCHSTRING_BUCKETS": f"{BUCKET},{OTHER}"})


def body_of(size, seed=1):
    return (hashlib.shake_128(str(seed).encode()).digest(65536) * (size // 65536 + 1))[:size]


def error_of(call, *arguments, **options):
    with pytest.raises(ClientError) as raised:
        call(*arguments, **options)
    return raised.value.response["Error"]["Code"], raised.value.response


def copy(s3, source, key, bucket=BUCKET, **options):
    return s3.copy_object(Bucket=bucket, Key=key, CopySource=source, **options)


def read(s3, key, bucket=BUCKET):
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def in_parts_with_checksums(s3, key, algorithm, *parts):
    where = {"Bucket": BUCKET, "Key": key}
    where["UploadId"] = s3.create_multipart_upload(**where, ChecksumAlgorithm=algorithm)["UploadId"]
    listed = []
    for number, part in enumerate(parts, 1):
        done = s3.upload_part(**where, PartNumber=number, Body=part, ChecksumAlgorithm=algorithm)
        name = f"Checksum{algorithm}"
        listed.append({"PartNumber": number, "ETag": done["ETag"], name: done[name]})
    return s3.complete_multipart_upload(**where, MultipartUpload={"Parts": listed})


def in_parts(s3, key, *parts, bucket=BUCKET, **options):
    where = {"Bucket": bucket, "Key": key}
    where["UploadId"] = s3.create_multipart_upload(**where, **options)["UploadId"]
    listed = [{"PartNumber": n, "ETag": s3.upload_part(**where, PartNumber=n, Body=part)["ETag"]}
              for n, part in enumerate(parts, 1)]
    return s3.complete_multipart_upload(**where, MultipartUpload={"Parts": listed})


@pytest.mark.parametrize("size", [0, 1, 8192, 8193, 3_000_000])
@pytest.mark.parametrize("bucket", [BUCKET, OTHER])
def test_a_copy_has_all_of_the_source(s3, size, bucket):
    body = body_of(size)
    put = s3.put_object(Bucket=BUCKET, Key="source", Body=body, ContentType="image/x", CacheControl="no-store",
                        Metadata={"who": "me"}, Tagging="a=1", ChecksumAlgorithm="SHA256")
    done = copy(s3, f"{BUCKET}/source", "copy", bucket)
    assert done["CopyObjectResult"]["ETag"] == put["ETag"]
    assert done["CopyObjectResult"]["ChecksumSHA256"] == put["ChecksumSHA256"]
    assert done["CopyObjectResult"]["ChecksumType"] == "FULL_OBJECT"
    got = s3.get_object(Bucket=bucket, Key="copy", ChecksumMode="ENABLED")
    assert got["Body"].read() == body and got["ETag"] == put["ETag"]
    assert (got["ContentType"], got["CacheControl"], got["Metadata"]) == ("image/x", "no-store", {"who": "me"})
    assert got["TagCount"] == 1 and got["ChecksumSHA256"] == put["ChecksumSHA256"]


def test_either_can_be_deleted(start):
    server = start(environment={"LATCHSTRING_BUCKETS": BUCKET})
    s3 = server.client()
    bodies = {"small": [b"small"], "large": [body_of(100_000)], "parts": [body_of(PART), body_of(PART, 2), b"end"]}
    for name, pieces in bodies.items():
        for gone, stays in (("one", "two"), ("two", "one")):
            in_parts(s3, "one", *pieces) if name == "parts" else s3.put_object(Bucket=BUCKET, Key="one", Body=pieces[0])
            copy(s3, f"{BUCKET}/one", "two")
            s3.delete_object(Bucket=BUCKET, Key=gone)
            time.sleep(0.2)
            assert read(s3, stays) == b"".join(pieces), (name, gone)
            s3.delete_object(Bucket=BUCKET, Key=stays)


def test_copies_take_no_room(start):
    server = start(environment={"LATCHSTRING_BUCKETS": BUCKET})
    s3 = server.client()

    def used():
        seen = {}
        for folder, _, files in os.walk(os.path.join(server.data, "blobs")):
            for name in files:
                status = os.stat(os.path.join(folder, name))
                seen[status.st_ino] = status.st_blocks * 512
        return sum(seen.values())
    s3.put_object(Bucket=BUCKET, Key="once", Body=body_of(8_000_000))
    in_parts(s3, "parts", body_of(PART), body_of(PART, 2))
    before = used()
    for number in range(5):
        copy(s3, f"{BUCKET}/once", f"copy/{number}")
        copy(s3, f"{BUCKET}/parts", f"copy of parts/{number}")
    assert used() - before < 1_000_000
    assert read(s3, "copy/4") == body_of(8_000_000)
    assert read(s3, "copy of parts/4") == body_of(PART) + body_of(PART, 2)


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA256"])
def test_the_copy_of_an_object_in_parts_is_one_piece(s3, algorithm):
    whole = body_of(PART) + b"end"
    in_parts_with_checksums(s3, "in parts", algorithm, body_of(PART), b"end")
    s3.put_object(Bucket=BUCKET, Key="at once", Body=whole, ChecksumAlgorithm=algorithm)
    for source, key in (("in parts", "one piece"), ("one piece", "one piece again"), ("in parts", "in parts")):
        change = {"MetadataDirective": "REPLACE", "Metadata": {"a": "b"}} if source == key else {}
        result = copy(s3, f"{BUCKET}/{source}", key, **change)["CopyObjectResult"]
        assert result["ETag"] == f'"{hashlib.md5(whole).hexdigest()}"'
        assert result["ChecksumType"] == "FULL_OBJECT"
        once = s3.head_object(Bucket=BUCKET, Key="at once", ChecksumMode="ENABLED")
        head = s3.head_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
        sums = {name: value for name, value in once.items() if name.startswith("Checksum") or name == "ETag"}
        assert sums.items() <= head.items() and {**result, **sums} == result
        first = s3.get_object(Bucket=BUCKET, Key=key, PartNumber=1)
        assert first["Body"].read() == whole and "PartsCount" not in first
        assert error_of(s3.head_object, Bucket=BUCKET, Key=key, PartNumber=2)[0] == "416"
        said = s3.get_object_attributes(Bucket=BUCKET, Key=key, ObjectAttributes=["ObjectParts", "Checksum", "ETag"])
        assert "ObjectParts" not in said and said["Checksum"]["ChecksumType"] == "FULL_OBJECT"
        got = s3.get_object(Bucket=BUCKET, Key=key, Range=f"bytes={PART - 2}-{PART + 1}")
        assert got["Body"].read() == whole[PART - 2:PART + 2]


# ---- Directives

def test_metadata_replaced(s3):
    s3.put_object(Bucket=BUCKET, Key="meta", Body=b"x", ContentType="image/x", Metadata={"a": "1"}, Tagging="t=1")
    copy(s3, f"{BUCKET}/meta", "new meta", MetadataDirective="REPLACE", Metadata={"b": "2"}, ContentLanguage="de")
    got = s3.head_object(Bucket=BUCKET, Key="new meta")
    assert (got["Metadata"], got["ContentLanguage"], got["ContentType"]) == ({"b": "2"}, "de", "binary/octet-stream")
    assert s3.get_object_tagging(Bucket=BUCKET, Key="new meta")["TagSet"] == [{"Key": "t", "Value": "1"}]
    copy(s3, f"{BUCKET}/meta", "same meta", Metadata={"ignored": "yes"}, ContentType="text/ignored")
    got = s3.head_object(Bucket=BUCKET, Key="same meta")
    assert (got["Metadata"], got["ContentType"]) == ({"a": "1"}, "image/x")
    code, response = error_of(copy, s3, f"{BUCKET}/meta", "x", MetadataDirective="MERGE")
    assert code == "InvalidArgument" and response["Error"]["ArgumentName"] == "x-amz-metadata-directive"


def test_tags_replaced(s3):
    s3.put_object(Bucket=BUCKET, Key="tagged", Body=b"x", Tagging="t=1")
    copy(s3, f"{BUCKET}/tagged", "retagged", TaggingDirective="REPLACE", Tagging="u=2&v=")
    assert s3.get_object_tagging(Bucket=BUCKET, Key="retagged")["TagSet"] == \
        [{"Key": "u", "Value": "2"}, {"Key": "v", "Value": ""}]
    copy(s3, f"{BUCKET}/tagged", "untagged", TaggingDirective="REPLACE")
    assert s3.get_object_tagging(Bucket=BUCKET, Key="untagged")["TagSet"] == []
    assert error_of(copy, s3, f"{BUCKET}/tagged", "x", TaggingDirective="other")[0] == "InvalidArgument"


def test_onto_itself(s3):
    s3.put_object(Bucket=BUCKET, Key="self", Body=b"x", Metadata={"a": "1"})
    code, response = error_of(copy, s3, f"{BUCKET}/self", "self")
    assert code == "InvalidRequest" and response["Error"]["Message"] == (
        "This copy request is illegal because it is trying to copy an object to itself without changing the "
        "object's metadata, storage class, website redirect location or encryption attributes.")
    copy(s3, f"{BUCKET}/self", "self", MetadataDirective="REPLACE", Metadata={"b": "2"})
    got = s3.get_object(Bucket=BUCKET, Key="self")
    assert got["Metadata"] == {"b": "2"} and got["Body"].read() == b"x"


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_another_checksum(s3, algorithm):
    put = s3.put_object(Bucket=BUCKET, Key="sum", Body=body_of(100_000), ChecksumAlgorithm=algorithm)
    s3.put_object(Bucket=BUCKET, Key="other sum", Body=body_of(100_000), ChecksumAlgorithm="SHA1")
    done = copy(s3, f"{BUCKET}/other sum", "summed", ChecksumAlgorithm=algorithm)
    assert done["CopyObjectResult"]["Checksum" + algorithm] == put["Checksum" + algorithm]
    assert s3.head_object(Bucket=BUCKET, Key="summed", ChecksumMode="ENABLED")["Checksum" + algorithm] == \
        put["Checksum" + algorithm]


# ---- The source

def test_sources_are_percent_encoded(server, s3):
    for key, header in (("a b+c", "/pictures/a+b%2Bc"), ("é/ü", "pictures/%C3%A9/%C3%BC"),
                        ("q?versionId=1", "pictures/q%3FversionId=1"), ("//odd//", "pictures///odd//"),
                        ("all", "%2Fpictures%2Fall")):
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
        answer = sign_and_send(server, "PUT", "/pictures/decoded", headers={"x-amz-copy-source": header})
        assert answer.status == 200 and read(s3, "decoded") == key.encode(), (header, answer)


@pytest.mark.parametrize("source, code", [
    ("pictures/not-there", "NoSuchKey"), ("no-such-bucket-at-all/key", "NoSuchBucket"), ("pictures", "InvalidArgument"),
    ("pictures/", "InvalidArgument"), ("X/key", "InvalidArgument"),
    ("pictures/%FF", "InvalidArgument"), ("pictures/%zz", "InvalidArgument"),
    ("pictures/source?versionId=", "InvalidArgument"), ("pictures/source?versionId=nonsense", "InvalidArgument"),
    ("pictures/source?versionId=" + "1" * 32, "NoSuchVersion")])
def test_sources_that_are_none(server, s3, source, code):
    s3.put_object(Bucket=BUCKET, Key="source", Body=b"x")
    answer = sign_and_send(server, "PUT", "/pictures/refused", headers={"x-amz-copy-source": source})
    assert answer.code == code, answer
    assert error_of(s3.head_object, Bucket=BUCKET, Key="refused")[0] == "404"


def test_a_missing_source_is_named(s3):
    code, response = error_of(copy, s3, f"{OTHER}/nothing", "target")
    assert code == "NoSuchKey" and response["Error"]["Key"] == "nothing"


def test_conditions_on_the_source(s3):
    etag = s3.put_object(Bucket=BUCKET, Key="cond", Body=b"x")["ETag"]
    now = datetime.datetime.now(datetime.timezone.utc)
    before, after = now - datetime.timedelta(hours=1), now + datetime.timedelta(hours=1)
    for options, failed in (
            ({"CopySourceIfMatch": etag}, None), ({"CopySourceIfMatch": '"0"'}, "x-amz-copy-source-If-Match"),
            ({"CopySourceIfNoneMatch": '"0"'}, None),
            ({"CopySourceIfNoneMatch": etag}, "x-amz-copy-source-If-None-Match"),
            ({"CopySourceIfModifiedSince": before}, None),
            ({"CopySourceIfModifiedSince": after}, None),
            ({"CopySourceIfUnmodifiedSince": after}, None),
            ({"CopySourceIfUnmodifiedSince": before}, "x-amz-copy-source-If-Unmodified-Since"),
            ({"CopySourceIfMatch": etag, "CopySourceIfUnmodifiedSince": before}, None),
            ({"CopySourceIfNoneMatch": etag, "CopySourceIfModifiedSince": before}, "x-amz-copy-source-If-None-Match")):
        if failed is None:
            copy(s3, f"{BUCKET}/cond", "target", **options)
        else:
            code, response = error_of(copy, s3, f"{BUCKET}/cond", "target", **options)
            assert code == "PreconditionFailed" and response["Error"]["Condition"] == failed, options
            assert response["ResponseMetadata"]["HTTPStatusCode"] == 412


def test_versions(start):
    server = start(environment={"LATCHSTRING_BUCKETS": BUCKET})
    s3 = server.client()
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    old = s3.put_object(Bucket=BUCKET, Key="k", Body=b"old")["VersionId"]
    new = s3.put_object(Bucket=BUCKET, Key="k", Body=b"new")["VersionId"]
    done = copy(s3, {"Bucket": BUCKET, "Key": "k", "VersionId": old}, "target")
    assert done["CopySourceVersionId"] == old and done["VersionId"] not in (old, new)
    assert read(s3, "target") == b"old"
    assert copy(s3, f"{BUCKET}/k", "target")["CopySourceVersionId"] == new
    back = copy(s3, {"Bucket": BUCKET, "Key": "k", "VersionId": old}, "k")
    assert read(s3, "k") == b"old" and back["VersionId"] not in (old, new), "an old version becomes the current one"
    marker = s3.delete_object(Bucket=BUCKET, Key="k")["VersionId"]
    assert error_of(copy, s3, f"{BUCKET}/k", "target")[0] == "NoSuchKey"
    assert error_of(copy, s3, {"Bucket": BUCKET, "Key": "k", "VersionId": marker}, "target")[0] == "InvalidRequest"
    code, response = error_of(s3.get_object, Bucket=BUCKET, Key="k")
    headers = response["ResponseMetadata"]["HTTPHeaders"]
    assert code == "NoSuchKey" and headers["x-amz-delete-marker"] == "true" and headers["x-amz-version-id"] == marker
    code, response = error_of(s3.get_object, Bucket=BUCKET, Key="k", VersionId=marker)
    headers = response["ResponseMetadata"]["HTTPHeaders"]
    assert code == "MethodNotAllowed" and headers["allow"] == "DELETE" and headers["x-amz-delete-marker"] == "true"
    assert s3.get_object(Bucket=BUCKET, Key="k", VersionId=old)["Body"].read() == b"old"
    assert s3.get_object_attributes(Bucket=BUCKET, Key="k", VersionId=new, ObjectAttributes=["ObjectSize"])[
        "VersionId"] == new


def test_permissions(server, s3):
    s3.put_object(Bucket=BUCKET, Key="private/k", Body=b"x")
    s3.put_object(Bucket=BUCKET, Key="open/k", Body=b"x")
    s3.put_object(Bucket=BUCKET, Key="open/tagged", Body=b"x", Tagging="a=1")
    policy = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/open/*"},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{OTHER}/*"}]}
    made = json.loads(server.command("user", "add", "copier", "--data", server.data, "--policy", "-", "--json",
                                     input=json.dumps(policy)).stdout)
    user = server.client(access_key=made["access_key_id"], secret_key=made["secret_access_key"])
    copy(user, f"{BUCKET}/open/k", "k", OTHER)
    for source, key, bucket in ((f"{BUCKET}/private/k", "k", OTHER), (f"{BUCKET}/open/k", "k", BUCKET),
                                (f"{BUCKET}/open/missing", "k", OTHER), (f"{BUCKET}/open/tagged", "k", OTHER)):
        assert error_of(copy, user, source, key, bucket)[0] == "AccessDenied", (source, key, bucket)
    copy(user, f"{BUCKET}/open/tagged", "k", OTHER, TaggingDirective="REPLACE")


# ---- Parts

def test_parts_from_objects(s3):
    whole = body_of(2 * PART + 100)
    s3.put_object(Bucket=OTHER, Key="source", Body=whole)
    where = {"Bucket": BUCKET, "Key": "assembled"}
    where["UploadId"] = s3.create_multipart_upload(**where)["UploadId"]
    etags = []
    for number, (first, last) in enumerate(((0, PART - 1), (PART, 2 * PART - 1), (2 * PART, 2 * PART + 99)), 1):
        done = s3.upload_part_copy(**where, PartNumber=number, CopySource=f"{OTHER}/source",
                                   CopySourceRange=f"bytes={first}-{last}")["CopyPartResult"]
        assert done["ETag"].strip('"') == hashlib.md5(whole[first:last + 1]).hexdigest() and done["LastModified"]
        etags.append({"PartNumber": number, "ETag": done["ETag"]})
    s3.complete_multipart_upload(**where, MultipartUpload={"Parts": etags})
    assert read(s3, "assembled") == whole


def test_a_whole_object_as_a_part(s3):
    s3.put_object(Bucket=BUCKET, Key="whole", Body=body_of(PART))
    in_parts(s3, "whole in parts", body_of(PART), b"end")
    where = {"Bucket": BUCKET, "Key": "of wholes"}
    where["UploadId"] = s3.create_multipart_upload(**where, ChecksumAlgorithm="SHA256")["UploadId"]
    etags = []
    for number, source in ((1, "whole"), (2, "whole in parts")):
        done = s3.upload_part_copy(**where, PartNumber=number, CopySource=f"{BUCKET}/{source}")["CopyPartResult"]
        etags.append({"PartNumber": number, "ETag": done["ETag"], "ChecksumSHA256": done["ChecksumSHA256"]})
    s3.complete_multipart_upload(**where, MultipartUpload={"Parts": etags})
    assert read(s3, "of wholes") == body_of(PART) + body_of(PART) + b"end"


def test_ranges_that_are_none(s3):
    s3.put_object(Bucket=BUCKET, Key="short", Body=b"12345")
    where = {"Bucket": BUCKET, "Key": "target", "PartNumber": 1, "CopySource": f"{BUCKET}/short"}
    where["UploadId"] = s3.create_multipart_upload(Bucket=BUCKET, Key="target")["UploadId"]
    for text in ("0-2", "bytes=0", "bytes=a-b", "bytes=0-1,3-4", "bytes=3-2", "bytes=-2", "bytes=1-", "bytes=0-5",
                 "bytes=99999999999999999999-1"):
        code, response = error_of(s3.upload_part_copy, **where, CopySourceRange=text)
        assert code == "InvalidArgument" and response["Error"]["ArgumentName"] == "x-amz-copy-source-range", text
    assert response["Error"]["Message"].startswith("The x-amz-copy-source-range value must be of the form")
    code, response = error_of(s3.upload_part_copy, **where, CopySourceRange="bytes=5-9")
    assert (code, response["Error"]["Message"]) == (
        "InvalidArgument", "Range specified is not valid for source object of size: 5")
    s3.upload_part_copy(**where, CopySourceRange="bytes=4-4")
    code, _ = error_of(s3.upload_part_copy, **{**where, "UploadId": "none"})
    assert code == "NoSuchUpload"
    code, _ = error_of(s3.upload_part_copy, **where, CopySourceIfMatch='"0"')
    assert code == "PreconditionFailed"


def test_boto3_copies_a_large_object(s3, tmp_path):
    (tmp_path / "large").write_bytes(body_of(20 * 1024 * 1024 + 3))
    s3.upload_file(str(tmp_path / "large"), BUCKET, "large")
    s3.copy({"Bucket": BUCKET, "Key": "large"}, OTHER, "large copy")
    assert read(s3, "large copy", OTHER) == (tmp_path / "large").read_bytes()
