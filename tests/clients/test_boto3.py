"""boto3: the client, the managed transfers and the resource API, with their default settings."""
import base64
import hashlib
import io
import json
import random
import zlib

import pytest
import requests
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError, WaiterError
from harness import ACCESS_KEY, SECRET_KEY

MIB = 1 << 20
IN_PARTS = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=4)


def random_bytes(length, seed=1):
    return random.Random(seed).randbytes(length)


def md5_of(body):
    return hashlib.md5(body).hexdigest()


def etag_of_parts(*parts):
    return f'"{md5_of(b"".join(hashlib.md5(part).digest() for part in parts))}-{len(parts)}"'


def crc32(body):
    return base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()


def read(s3, bucket, key, **more):
    return s3.get_object(Bucket=bucket, Key=key, **more)["Body"].read()


def refused(operation, **parameters):
    """(status, code) of a request that must not succeed."""
    with pytest.raises(ClientError) as caught:
        operation(**parameters)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


class OneWay(io.RawIOBase):
    """A stream that can be read once, as from a pipe."""

    def __init__(self, body):
        super().__init__()
        self.file = io.BytesIO(body)

    def readable(self):
        return True

    def readinto(self, target):
        return self.file.readinto(target)


@pytest.fixture(scope="module")
def resource(server):
    return server.client(service="resource")


# ---- Transfers

@pytest.mark.parametrize("length", [0, 1, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 12 * MIB + 345])
def test_upload_file_and_download_file(s3, bucket, tmp_path, length):
    body = random_bytes(length)
    (tmp_path / "up").write_bytes(body)
    seen = []
    s3.upload_file(str(tmp_path / "up"), bucket, "dir/ü +.bin", Config=IN_PARTS, Callback=seen.append,
                   ExtraArgs={"ContentType": "application/x-thing", "Metadata": {"owner": "me"},
                              "CacheControl": "max-age=5", "ContentDisposition": "attachment"})
    assert sum(seen) == length
    head = s3.head_object(Bucket=bucket, Key="dir/ü +.bin", ChecksumMode="ENABLED")
    assert (head["ContentLength"], head["ContentType"], head["Metadata"]) == \
        (length, "application/x-thing", {"owner": "me"})
    assert (head["CacheControl"], head["ContentDisposition"]) == ("max-age=5", "attachment")
    if length < 5 * MIB:
        assert head["ETag"] == f'"{md5_of(body)}"'
    else:
        parts = [body[at:at + 5 * MIB] for at in range(0, length, 5 * MIB)]
        assert head["ETag"] == etag_of_parts(*parts)
        digests = b"".join(base64.b64decode(crc32(part)) for part in parts)
        assert head["ChecksumCRC32"] == f"{crc32(digests)}-{len(parts)}"
        assert head["ChecksumType"] == "COMPOSITE"
    s3.download_file(bucket, "dir/ü +.bin", str(tmp_path / "down"), Config=IN_PARTS)
    assert (tmp_path / "down").read_bytes() == body
    assert s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


def test_upload_fileobj_of_a_pipe_and_download_fileobj(s3, bucket):
    body = random_bytes(11 * MIB)
    s3.upload_fileobj(OneWay(body), bucket, "piped", Config=IN_PARTS)
    got = io.BytesIO()
    s3.download_fileobj(bucket, "piped", got, Config=IN_PARTS)
    assert got.getvalue() == body


def test_an_upload_that_fails_is_aborted(s3, bucket):
    def fail(_):
        raise RuntimeError("the user pressed Ctrl-C")
    with pytest.raises(Exception, match="Ctrl-C"):
        s3.upload_fileobj(io.BytesIO(random_bytes(11 * MIB)), bucket, "half", Config=IN_PARTS, Callback=fail)
    assert s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []
    assert refused(s3.head_object, Bucket=bucket, Key="half") == (404, "404")


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_each_checksum_of_a_transfer(s3, bucket, tmp_path, algorithm):
    body = random_bytes(6 * MIB)
    s3.upload_fileobj(io.BytesIO(body), bucket, "summed", Config=IN_PARTS,
                      ExtraArgs={"ChecksumAlgorithm": algorithm})
    head = s3.head_object(Bucket=bucket, Key="summed", ChecksumMode="ENABLED")
    whole = algorithm == "CRC64NVME"
    assert head["ChecksumType"] == ("FULL_OBJECT" if whole else "COMPOSITE")
    assert head[f"Checksum{algorithm}"].endswith("-2") != whole
    s3.download_file(bucket, "summed", str(tmp_path / "down"))
    assert (tmp_path / "down").read_bytes() == body


def test_a_full_object_checksum_of_parts(s3, bucket):
    parts = [random_bytes(5 * MIB, 1), random_bytes(100, 2)]
    upload = s3.create_multipart_upload(Bucket=bucket, Key="full", ChecksumAlgorithm="CRC32",
                                        ChecksumType="FULL_OBJECT")
    assert (upload["ChecksumAlgorithm"], upload["ChecksumType"]) == ("CRC32", "FULL_OBJECT")
    names = {"Bucket": bucket, "Key": "full", "UploadId": upload["UploadId"]}
    done = [s3.upload_part(**names, PartNumber=i + 1, Body=part) for i, part in enumerate(parts)]
    listed = [{"PartNumber": i + 1, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]}
              for i, part in enumerate(done)]
    assert refused(s3.complete_multipart_upload, **names, MultipartUpload={"Parts": listed},
                   ChecksumType="FULL_OBJECT", ChecksumCRC32=crc32(b"other"))[1] == "BadDigest"
    answer = s3.complete_multipart_upload(**names, MultipartUpload={"Parts": listed},
                                          ChecksumType="FULL_OBJECT", ChecksumCRC32=crc32(b"".join(parts)))
    assert answer["ChecksumCRC32"] == crc32(b"".join(parts))
    got = s3.get_object(Bucket=bucket, Key="full", ChecksumMode="ENABLED")
    assert got["ChecksumCRC32"] == crc32(b"".join(parts)) and got["ChecksumType"] == "FULL_OBJECT"
    assert got["Body"].read() == b"".join(parts)


@pytest.mark.parametrize("where", ["http", "https"])
@pytest.mark.parametrize("how", ["put", "parts"])
def test_the_defaults_over_http_and_https(server, secure, authority, where, how):
    """Over https a body goes with a CRC32 in an unsigned trailer; over http it is signed."""
    chosen = secure if where == "https" else server
    s3 = chosen.client(verify=str(authority / "ca.pem"), signature_version=None)
    sent = []
    s3.meta.events.register("before-send.s3", lambda request, **_: sent.append(
        {name.lower(): value for name, value in request.headers.items()}))
    body = random_bytes(6 * MIB)
    if how == "put":
        s3.put_object(Bucket="pictures", Key="defaults", Body=io.BytesIO(body))
        assert s3.head_object(Bucket="pictures", Key="defaults", ChecksumMode="ENABLED")["ChecksumCRC32"] == crc32(body)
    else:
        s3.upload_fileobj(io.BytesIO(body), "pictures", "defaults", Config=IN_PARTS)
    with_body = [headers for headers in sent if "x-amz-trailer" in headers]
    assert len(with_body) == (0 if where == "http" else 1 if how == "put" else 2)
    for headers in with_body:
        assert headers["x-amz-content-sha256"] in ("STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                                                   b"STREAMING-UNSIGNED-PAYLOAD-TRAILER")
    assert read(s3, "pictures", "defaults") == body


def test_https_by_another_authority_is_refused(secure, authority):
    with pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"):
        secure.client().list_buckets()
    assert secure.client(verify=str(authority / "ca.pem")).list_buckets()["Buckets"]


# ---- Parts by hand

def start_upload(s3, bucket, key, *parts, **more):
    names = {"Bucket": bucket, "Key": key}
    names["UploadId"] = s3.create_multipart_upload(**names, **more)["UploadId"]
    listed = [{"PartNumber": i + 1, "ETag": s3.upload_part(**names, PartNumber=i + 1, Body=part)["ETag"]}
              for i, part in enumerate(parts)]
    return names, {"Parts": listed}


def test_presigned_part_urls(server, s3, bucket):
    """A browser uploads parts by URLs; who signed them completes."""
    parts = [random_bytes(5 * MIB, 1), random_bytes(1000, 2)]
    names, _ = start_upload(s3, bucket, "by-url", Metadata={"from": "a browser"})
    listed = []
    for number, part in enumerate(parts, 1):
        url = s3.generate_presigned_url("upload_part", Params={**names, "PartNumber": number}, ExpiresIn=60)
        answer = requests.put(url, data=part, timeout=60)
        assert answer.status_code == 200, answer.text
        assert answer.headers["ETag"] == f'"{md5_of(part)}"'
        listed.append({"PartNumber": number, "ETag": answer.headers["ETag"]})
        other = requests.put(url.replace(f"partNumber={number}", "partNumber=7"), data=part, timeout=60)
        assert other.status_code == 403
    done = s3.complete_multipart_upload(**names, MultipartUpload={"Parts": listed})
    assert done["ETag"] == etag_of_parts(*parts)
    got = s3.get_object(Bucket=bucket, Key="by-url")
    assert got["Metadata"] == {"from": "a browser"} and got["Body"].read() == b"".join(parts)


def test_parts_are_listed_and_replaced(s3, bucket):
    names, _ = start_upload(s3, bucket, "many", *[bytes([i]) * 100 for i in range(7)])
    s3.upload_part(**names, PartNumber=3, Body=b"another third")
    pages = list(s3.get_paginator("list_parts").paginate(**names, PaginationConfig={"PageSize": 3}))
    assert [len(page["Parts"]) for page in pages] == [3, 3, 1]
    listed = [part for page in pages for part in page["Parts"]]
    assert [part["PartNumber"] for part in listed] == list(range(1, 8))
    assert listed[2]["Size"] == len("another third") and listed[2]["ETag"] == f'"{md5_of(b"another third")}"'
    assert refused(s3.complete_multipart_upload, **names, MultipartUpload={
        "Parts": [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in listed]}) == \
        (400, "EntityTooSmall")
    s3.abort_multipart_upload(**names)
    assert refused(s3.list_parts, **names) == (404, "NoSuchUpload")
    assert refused(s3.upload_part, **names, PartNumber=1, Body=b"x") == (404, "NoSuchUpload")


def test_complete_refuses_what_is_not_there(s3, bucket):
    names, upload = start_upload(s3, bucket, "wrong", random_bytes(5 * MIB), b"last")
    first, last = upload["Parts"]

    def complete(*parts):
        return refused(s3.complete_multipart_upload, **names, MultipartUpload={"Parts": list(parts)})
    assert complete(last, first) == (400, "InvalidPartOrder")
    assert complete(first, {**last, "ETag": first["ETag"]}) == (400, "InvalidPart")
    assert complete(first, {**last, "PartNumber": 3}) == (400, "InvalidPart")
    done = s3.complete_multipart_upload(**names, MultipartUpload=upload)
    again = s3.complete_multipart_upload(**names, MultipartUpload=upload)
    assert again["ETag"] == done["ETag"], "a retried complete answers as the first did"


def test_get_and_head_by_part_number(s3, bucket):
    parts = [random_bytes(5 * MIB, 1), random_bytes(777, 2)]
    names, upload = start_upload(s3, bucket, "parts", *parts)
    s3.complete_multipart_upload(**names, MultipartUpload=upload)
    for number, part in enumerate(parts, 1):
        got = s3.get_object(Bucket=bucket, Key="parts", PartNumber=number)
        assert got["PartsCount"] == 2 and got["Body"].read() == part
        head = s3.head_object(Bucket=bucket, Key="parts", PartNumber=number)
        assert (head["ContentLength"], head["PartsCount"]) == (len(part), 2)
    assert refused(s3.get_object, Bucket=bucket, Key="parts", PartNumber=3) == (416, "InvalidPartNumber")


def test_attributes(s3, bucket):
    parts = [random_bytes(5 * MIB, 1), random_bytes(777, 2)]
    names = {"Bucket": bucket, "Key": "described"}
    s3.upload_fileobj(io.BytesIO(b"".join(parts)), *names.values(), Config=IN_PARTS)
    wanted = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    found = s3.get_object_attributes(**names, ObjectAttributes=wanted)
    assert found["ETag"] == etag_of_parts(*parts).strip('"')
    assert (found["ObjectSize"], found["StorageClass"]) == (sum(map(len, parts)), "STANDARD")
    digests = b"".join(base64.b64decode(crc32(part)) for part in parts)
    assert found["Checksum"] == {"ChecksumCRC32": crc32(digests), "ChecksumType": "COMPOSITE"}, "without -2 here"
    assert found["ObjectParts"]["TotalPartsCount"] == 2
    assert [(part["PartNumber"], part["Size"], part["ChecksumCRC32"]) for part in found["ObjectParts"]["Parts"]] == \
        [(i + 1, len(part), crc32(part)) for i, part in enumerate(parts)]
    some = s3.get_object_attributes(**names, ObjectAttributes=["ObjectSize"])
    assert "ETag" not in some and some["ObjectSize"] == found["ObjectSize"]


# ---- The resource API

def test_resources(server, resource):
    bucket = resource.Bucket("from-resources")
    bucket.create()
    bucket.wait_until_exists()
    assert bucket in list(resource.buckets.all()) and bucket.creation_date
    for i in range(12):
        bucket.put_object(Key=f"logs/{i:02}", Body=f"line {i}".encode())
    bucket.Object("other").put(Body=b"other", Metadata={"a": "b"})
    assert [entry.key for entry in bucket.objects.filter(Prefix="logs/").page_size(5)] == \
        [f"logs/{i:02}" for i in range(12)]
    assert [entry.key for entry in bucket.objects.filter(Prefix="logs/").limit(3)] == ["logs/00", "logs/01", "logs/02"]
    summary = next(iter(bucket.objects.filter(Prefix="other")))
    assert (summary.size, summary.e_tag) == (5, f'"{md5_of(b"other")}"')
    copy = bucket.Object("copy of ü")
    copy.copy_from(CopySource={"Bucket": bucket.name, "Key": "other"})
    assert copy.get()["Body"].read() == b"other" and copy.metadata == {"a": "b"}
    with pytest.raises(ClientError):
        bucket.delete()
    removed = bucket.objects.all().delete()
    assert sum(len(page["Deleted"]) for page in removed) == 14
    bucket.delete()
    bucket.wait_until_not_exists()


def test_resources_of_versions_and_uploads(resource, bucket):
    bucket = resource.Bucket(bucket)
    assert bucket.Versioning().status is None
    bucket.Versioning().enable()
    assert bucket.Versioning().status == "Enabled"
    for body in (b"first", b"second"):
        bucket.put_object(Key="k", Body=body)
    bucket.Object("k").delete()
    versions = list(bucket.object_versions.filter(Prefix="k"))
    # boto3 puts delete markers behind.
    assert [version.is_latest for version in versions] == [False, False, True]
    assert [version.get()["Body"].read() for version in versions[:2]] == [b"second", b"first"]
    bucket.object_versions.delete()
    assert list(bucket.object_versions.all()) == []
    upload = bucket.Object("big").initiate_multipart_upload()
    upload.Part(1).upload(Body=b"all of it")
    assert [found.id for found in bucket.multipart_uploads.all()] == [upload.id]
    parts = [{"PartNumber": part.part_number, "ETag": part.e_tag} for part in upload.parts.all()]
    assert upload.complete(MultipartUpload={"Parts": parts}).get()["Body"].read() == b"all of it"


# ---- Paginators and waiters

def test_paginators(s3, bucket):
    keys = sorted([f"a/{i}" for i in range(5)] + [f"b/{i}/x" for i in range(5)] + ["z", "ü", "+ %"],
                  key=lambda key: key.encode())
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key)
    for operation in ("list_objects", "list_objects_v2"):
        pages = list(s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": 4}))
        assert [entry["Key"] for page in pages for entry in page["Contents"]] == keys
        assert [len(page["Contents"]) for page in pages] == [4, 4, 4, 1]
        by_folder = {"Bucket": bucket, "Delimiter": "/", "PaginationConfig": {"PageSize": 2}}
        pages = list(s3.get_paginator(operation).paginate(**by_folder))
        assert [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", [])] == ["a/", "b/"]
        assert [entry["Key"] for page in pages for entry in page.get("Contents", [])] == ["+ %", "z", "ü"]
        found = s3.get_paginator(operation).paginate(**by_folder).search("CommonPrefixes[].Prefix")
        assert list(filter(None, found)) == ["a/", "b/"]
    paginator = s3.get_paginator("list_objects_v2")
    some = paginator.paginate(Bucket=bucket, PaginationConfig={"MaxItems": 3, "PageSize": 2}).build_full_result()
    assert [entry["Key"] for entry in some["Contents"]] == keys[:3]
    rest = paginator.paginate(Bucket=bucket, PaginationConfig={"StartingToken": some["NextToken"]})
    assert [entry["Key"] for entry in rest.search("Contents")] == keys[3:]


def test_paginator_of_uploads(s3, bucket):
    started = sorted((f"u/{i // 2}", s3.create_multipart_upload(Bucket=bucket, Key=f"u/{i // 2}")["UploadId"])
                     for i in range(6))
    pages = list(s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, PaginationConfig={"PageSize": 4}))
    found = [(upload["Key"], upload["UploadId"]) for page in pages for upload in page["Uploads"]]
    assert sorted(found) == started and [key for key, _ in found] == [key for key, _ in started]
    assert [len(page["Uploads"]) for page in pages] == [4, 2]
    for key, upload in started:
        s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_paginator_of_versions(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    put = [(key, s3.put_object(Bucket=bucket, Key=key, Body=str(i))["VersionId"])
           for key in ("a", "b/ü", "c") for i in range(3)]
    newest_first = [entry for i in (0, 3, 6) for entry in reversed(put[i:i + 3])]
    pages = list(s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2}))
    found = [(entry["Key"], entry["VersionId"]) for page in pages for entry in page["Versions"]]
    assert found == newest_first
    assert [len(page["Versions"]) for page in pages] == [2, 2, 2, 2, 1]


def test_waiters(s3, bucket):
    soon = {"Delay": 1, "MaxAttempts": 2}
    s3.put_object(Bucket=bucket, Key="here", Body=b"")
    s3.get_waiter("object_exists").wait(Bucket=bucket, Key="here", WaiterConfig=soon)
    with pytest.raises(WaiterError):
        s3.get_waiter("object_not_exists").wait(Bucket=bucket, Key="here", WaiterConfig=soon)
    s3.delete_object(Bucket=bucket, Key="here")
    s3.get_waiter("object_not_exists").wait(Bucket=bucket, Key="here", WaiterConfig=soon)
    with pytest.raises(WaiterError):
        s3.get_waiter("object_exists").wait(Bucket=bucket, Key="here", WaiterConfig=soon)
    s3.get_waiter("bucket_exists").wait(Bucket=bucket, WaiterConfig=soon)
    s3.delete_bucket(Bucket=bucket)
    s3.get_waiter("bucket_not_exists").wait(Bucket=bucket, WaiterConfig=soon)


# ---- Conditions

def test_conditional_writes(s3, bucket):
    names = {"Bucket": bucket, "Key": "guarded"}
    first = s3.put_object(**names, Body=b"first", IfNoneMatch="*")["ETag"]
    assert refused(s3.put_object, **names, Body=b"second", IfNoneMatch="*") == (412, "PreconditionFailed")
    assert refused(s3.put_object, **names, Body=b"second", IfMatch='"' + "0" * 32 + '"') == (412, "PreconditionFailed")
    second = s3.put_object(**names, Body=b"second", IfMatch=first)["ETag"]
    assert refused(s3.put_object, Bucket=bucket, Key="absent", Body=b"x", IfMatch=first) == (404, "NoSuchKey")
    upload, parts = start_upload(s3, bucket, "guarded", b"third")
    assert refused(s3.complete_multipart_upload, **upload, MultipartUpload=parts, IfNoneMatch="*") == \
        (412, "PreconditionFailed")
    assert refused(s3.complete_multipart_upload, **upload, MultipartUpload=parts, IfMatch=first) == \
        (412, "PreconditionFailed")
    third = s3.complete_multipart_upload(**upload, MultipartUpload=parts, IfMatch=second)["ETag"]
    assert refused(s3.delete_object, **names, IfMatch=second) == (412, "PreconditionFailed")
    assert read(s3, **{"bucket": bucket, "key": "guarded"}) == b"third"
    s3.delete_object(**names, IfMatch=third)
    assert refused(s3.head_object, **names) == (404, "404")


def test_conditional_copies(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="source", Body=b"source")["ETag"]
    to = {"Bucket": bucket, "Key": "target", "CopySource": {"Bucket": bucket, "Key": "source"}}
    assert refused(s3.copy_object, **to, CopySourceIfMatch='"other"') == (412, "PreconditionFailed")
    assert refused(s3.copy_object, **to, CopySourceIfNoneMatch=etag) == (412, "PreconditionFailed")
    assert s3.copy_object(**to, CopySourceIfMatch=etag)["CopyObjectResult"]["ETag"] == etag
    assert refused(s3.copy_object, **to, IfNoneMatch="*") == (412, "PreconditionFailed")
    s3.copy_object(**to, IfMatch=etag)
    assert read(s3, bucket, "target") == b"source"


# ---- Copies

def test_managed_copy_in_parts(s3, bucket):
    body = random_bytes(11 * MIB)
    s3.upload_fileobj(io.BytesIO(body), bucket, "a +/ü", ExtraArgs={"Metadata": {"who": "me"}})
    s3.copy({"Bucket": bucket, "Key": "a +/ü"}, bucket, "copy", Config=IN_PARTS)
    head = s3.head_object(Bucket=bucket, Key="copy")
    assert head["ETag"] == etag_of_parts(body[:5 * MIB], body[5 * MIB:10 * MIB], body[10 * MIB:])
    s3.delete_object(Bucket=bucket, Key="a +/ü")
    assert read(s3, bucket, "copy") == body, "a copy outlives its source"


def test_copies_and_their_directives(s3, bucket):
    s3.create_bucket(Bucket=f"{bucket}-2")
    s3.put_object(Bucket=bucket, Key="k", Body=b"body", ContentType="text/a", Metadata={"n": "1"}, Tagging="t=1")
    source = {"Bucket": bucket, "Key": "k"}
    s3.copy_object(Bucket=f"{bucket}-2", Key="k", CopySource=source)
    kept = s3.get_object(Bucket=f"{bucket}-2", Key="k")
    assert (kept["ContentType"], kept["Metadata"], kept["TagCount"]) == ("text/a", {"n": "1"}, 1)
    s3.copy_object(Bucket=f"{bucket}-2", Key="k", CopySource=source, MetadataDirective="REPLACE",
                   ContentType="text/b", Metadata={"n": "2"}, TaggingDirective="REPLACE", Tagging="t=2&u=3")
    replaced = s3.get_object(Bucket=f"{bucket}-2", Key="k")
    assert (replaced["ContentType"], replaced["Metadata"], replaced["TagCount"]) == ("text/b", {"n": "2"}, 2)
    assert replaced["Body"].read() == b"body"
    assert refused(s3.copy_object, Bucket=bucket, Key="k", CopySource=source) == (400, "InvalidRequest")
    s3.copy_object(Bucket=bucket, Key="k", CopySource=source, MetadataDirective="REPLACE", Metadata={"n": "3"})
    assert s3.head_object(**source)["Metadata"] == {"n": "3"}
    assert refused(s3.copy_object, Bucket=bucket, Key="x", CopySource={"Bucket": bucket, "Key": "none"}) == \
        (404, "NoSuchKey")


# ---- Versions

def test_versions(s3, bucket):
    names = {"Bucket": bucket, "Key": "k"}
    s3.put_object(**names, Body=b"before")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    ids = [s3.put_object(**names, Body=body)["VersionId"] for body in (b"one", b"two")]
    gone = s3.delete_object(**names)
    assert gone["DeleteMarker"] is True
    assert refused(s3.get_object, **names) == (404, "NoSuchKey")
    assert refused(s3.get_object, **names, VersionId=gone["VersionId"]) == (405, "MethodNotAllowed")
    for version, body in zip(("null", *ids), (b"before", b"one", b"two")):
        assert read(s3, bucket, "k", VersionId=version) == body
        assert s3.head_object(**names, VersionId=version)["VersionId"] == version
    listed = s3.list_object_versions(Bucket=bucket)
    assert [entry["VersionId"] for entry in listed["Versions"]] == [*reversed(ids), "null"]
    assert [(marker["VersionId"], marker["IsLatest"]) for marker in listed["DeleteMarkers"]] == \
        [(gone["VersionId"], True)]
    back = s3.delete_object(**names, VersionId=gone["VersionId"])
    assert back["DeleteMarker"] is True and read(s3, bucket, "k") == b"two"
    s3.copy_object(**names, CopySource={**names, "VersionId": ids[0]})
    assert read(s3, bucket, "k") == b"one"
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    assert s3.put_object(**names, Body=b"suspended").get("VersionId", "null") == "null"
    assert read(s3, bucket, "k", VersionId="null") == b"suspended"
    removed = s3.delete_objects(Bucket=bucket, Delete={"Objects": [
        {"Key": "k", "VersionId": version} for version in (*ids, "null")]})
    assert len(removed["Deleted"]) == 3 and "Errors" not in removed
    assert refused(s3.get_object, **names, VersionId=ids[0]) == (404, "NoSuchVersion")


# ---- Tags, CORS

def test_tags(s3, bucket):
    names = {"Bucket": bucket, "Key": "tagged"}
    tags = [{"Key": "project", "Value": "ü + x=1/2 @ b:_.-"}, {"Key": "empty", "Value": ""}]
    assert refused(s3.get_bucket_tagging, Bucket=bucket) == (404, "NoSuchTagSet")
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    assert sorted(map(json.dumps, s3.get_bucket_tagging(Bucket=bucket)["TagSet"])) == sorted(map(json.dumps, tags))
    s3.delete_bucket_tagging(Bucket=bucket)
    assert refused(s3.get_bucket_tagging, Bucket=bucket) == (404, "NoSuchTagSet")
    s3.put_object(**names, Body=b"", Tagging="a=1&b=%C3%BC%20x")
    assert s3.get_object_tagging(**names)["TagSet"] == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "ü x"}]
    s3.put_object_tagging(**names, Tagging={"TagSet": [{"Key": "c", "Value": "3"}]})
    assert s3.get_object_tagging(**names)["TagSet"] == [{"Key": "c", "Value": "3"}]
    assert s3.get_object(**names)["TagCount"] == 1
    assert refused(s3.put_object_tagging, **names, Tagging={"TagSet": [{"Key": "c", "Value": "3"}] * 2}) == \
        (400, "InvalidTag")
    s3.delete_object_tagging(**names)
    assert s3.get_object_tagging(**names)["TagSet"] == []


def test_cors(server, s3, bucket):
    assert refused(s3.get_bucket_cors, Bucket=bucket) == (404, "NoSuchCORSConfiguration")
    rule = {"AllowedOrigins": ["https://app.example.com"], "AllowedMethods": ["PUT", "GET"], "AllowedHeaders": ["x-*"],
            "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 77, "ID": "one"}
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == [rule]

    def preflight(origin, method):
        return requests.options(f"{server.endpoint}/{bucket}/k", timeout=20, headers={
            "Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "x-amz-date"})
    allowed = preflight("https://app.example.com", "PUT")
    assert (allowed.status_code, allowed.headers["Access-Control-Allow-Origin"]) == (200, "https://app.example.com")
    assert allowed.headers["Access-Control-Max-Age"] == "77"
    for refusal in (preflight("https://evil.example.com", "PUT"), preflight("https://app.example.com", "DELETE")):
        assert refusal.status_code == 403 and "AccessForbidden" in refusal.text
        assert "Access-Control-Allow-Origin" not in refusal.headers
    s3.put_object(Bucket=bucket, Key="k", Body=b"shared")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    got = requests.get(url, headers={"Origin": "https://app.example.com"}, timeout=20)
    assert (got.content, got.headers["Access-Control-Allow-Origin"]) == (b"shared", "https://app.example.com")
    assert "ETag" in got.headers["Access-Control-Expose-Headers"]
    s3.delete_bucket_cors(Bucket=bucket)
    assert refused(s3.get_bucket_cors, Bucket=bucket) == (404, "NoSuchCORSConfiguration")


def test_what_clients_probe(s3, bucket):
    """As AWS answers for a bucket in which nothing of it was ever set."""
    for operation, status, code in (
            (s3.get_bucket_policy, 404, "NoSuchBucketPolicy"),
            (s3.get_bucket_lifecycle_configuration, 404, "NoSuchLifecycleConfiguration"),
            (s3.get_bucket_website, 404, "NoSuchWebsiteConfiguration"),
            (s3.get_bucket_replication, 404, "ReplicationConfigurationNotFoundError"),
            (s3.get_object_lock_configuration, 404, "ObjectLockConfigurationNotFoundError")):
        assert refused(operation, Bucket=bucket) == (status, code)
    assert s3.get_bucket_acl(Bucket=bucket)["Grants"][0]["Permission"] == "FULL_CONTROL"
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)
    assert "TopicConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket)
    assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket=bucket)


# ---- Forms

def test_presigned_post(s3, bucket):
    form = s3.generate_presigned_post(bucket, "uploads/${filename}", Fields={"success_action_status": "201"},
                                      Conditions=[{"success_action_status": "201"}, ["content-length-range", 1, 1000]])
    good = requests.post(form["url"], data=form["fields"], files={"file": ("cat ü.jpg", b"meow")}, timeout=20)
    assert good.status_code == 201 and "<ETag>" in good.text, good.text
    assert read(s3, bucket, "uploads/cat ü.jpg") == b"meow"
    large = requests.post(form["url"], data=form["fields"], files={"file": ("big", b"x" * 1001)}, timeout=20)
    assert large.status_code == 400 and "EntityTooLarge" in large.text
    assert ACCESS_KEY in form["fields"]["x-amz-credential"] and SECRET_KEY not in str(form)
